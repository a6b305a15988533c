#!/bin/sh
# Writes the locks anew: every package with its version and the hashes of its files, and no address or path.
# Versions that are locked already stay as they are; --upgrade or --upgrade-package NAME moves them.
set -eu

# A newer Python would leave out what only older ones need.
if [ "$(.venv/bin/python -c 'import sys; print(*sys.version_info[:2], sep=".")')" != 3.11 ]; then
  echo "Lock with the oldest Python that is supported: make clean install lock PYTHON=python3.11" >&2
  exit 1
fi

# Only the public registry's hashes count, not those of a machine's own store of packages.
env -u PIP_FIND_LINKS -u PIP_INDEX_URL -u PIP_EXTRA_INDEX_URL PIP_CONFIG_FILE=/dev/null \
  .venv/bin/pip-compile --quiet --extra dev --generate-hashes --allow-unsafe --strip-extras --no-header \
  --no-emit-options --no-emit-index-url --no-emit-find-links --no-emit-trusted-host "$@" \
  --output-file requirements.txt pyproject.toml
sed -i '1i # Written by "make lock" from pyproject.toml.' requirements.txt

npm install --prefix tests/api/node --package-lock-only --no-audit --no-fund

if grep -nE '://|^-|"resolved"' requirements.txt tests/api/node/package-lock.json; then
  echo "A lock names where packages come from; none may." >&2
  exit 1
fi
