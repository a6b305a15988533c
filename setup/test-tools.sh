#!/bin/sh
# What the tests need beside Python: a browser, and Node for the official Node SDK. Installs what is missing if it may.
set -eu

has() { command -v "$1" >/dev/null 2>&1; }
apt() { DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 "$@" >/dev/null; }

missing=
for program in chromium node npm; do has "$program" || missing="$missing $program"; done

if [ -n "$missing" ]; then
  if [ "$(id -u)" != 0 ] || ! has apt-get; then
    echo "The tests need these programs:$missing" >&2
    echo "Install them (Debian: sudo apt-get install chromium nodejs npm) and run this again." >&2
    exit 1
  fi
  echo "Installing$missing"
  apt update
  has chromium || apt install --no-install-recommends chromium fonts-liberation
  has node || apt install --no-install-recommends nodejs
  has npm || apt install --no-install-recommends npm  # some builds of nodejs bring it along and exclude Debian's
fi

# The Node SDK, as its lock has it; again only when the lock has changed.
cd tests/api/node
if [ ! -f node_modules/.installed ] || [ package-lock.json -nt node_modules/.installed ]; then
  npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
  touch node_modules/.installed
fi
