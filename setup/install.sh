#!/bin/sh
# Builds .venv with exactly what requirements.txt names, each file checked by its hash, and Voldaan itself from here.
set -eu

# A .venv whose Python is gone, or which was moved here from elsewhere, is built anew.
if [ "$(.venv/bin/python -c 'import sys; print(sys.prefix)' 2>/dev/null)" != "$(pwd -P)/.venv" ]; then
  python=$(sh setup/find-python.sh)
  echo "Building .venv with $python"
  "$python" -m venv --clear .venv
fi

pip() { .venv/bin/python -m pip --disable-pip-version-check --no-input "$@"; }
echo "Installing what requirements.txt names"
pip install --quiet --quiet --require-hashes --only-binary :all: -r requirements.txt
pip install --quiet --quiet --no-deps --no-build-isolation --editable .
pip check --quiet || { pip check; echo "requirements.txt is behind pyproject.toml: run 'make lock'." >&2; exit 1; }
