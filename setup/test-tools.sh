#!/bin/sh
# What the tests need beside Python: a browser, and Node for the official Node SDK. Installs what is missing if it may.
set -eu

has() { command -v "$1" >/dev/null 2>&1; }

missing=
has chromium || missing="$missing chromium fonts-liberation"
has node || missing="$missing nodejs"
has npm || missing="$missing npm"

if [ -n "$missing" ]; then
  if [ "$(id -u)" != 0 ] || ! has apt-get; then
    echo "The tests need:$missing. Install with: sudo apt-get install$missing" >&2
    exit 1
  fi
  echo "Installing$missing"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq -o DPkg::Lock::Timeout=300
  # shellcheck disable=SC2086 # several words are meant
  apt-get install -qq -y --no-install-recommends -o DPkg::Lock::Timeout=300 $missing >/dev/null
fi

# The Node SDK, as its lock has it; again only when the lock has changed.
cd tests/api/node
if [ ! -f node_modules/.installed ] || [ package-lock.json -nt node_modules/.installed ]; then
  npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
  touch node_modules/.installed
fi
