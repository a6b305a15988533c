#!/bin/sh
# Prints a Python that can build the environment: 3.11 or newer, with venv. PYTHON=… names another.
check='import sys, ensurepip, venv; print(sys.executable); sys.exit(sys.version_info < (3, 11))'

for name in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
  if found=$("$name" -c "$check" 2>/dev/null); then
    echo "$found"
    exit 0
  fi
done

echo "No Python 3.11 or newer with venv was found (tried: ${PYTHON:-python3 python3.13 python3.12 python3.11})." >&2
echo "Install one (Debian: apt-get install python3 python3-venv), or name it: make install PYTHON=/path/to/python3" >&2
exit 1
