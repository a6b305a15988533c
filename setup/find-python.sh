#!/bin/sh
# Prints a Python that can build the environment: 3.11 or newer, with venv. PYTHON=… names another.
# The first in the list, unless another is clearly faster: one that was built without profile-guided optimization takes
# a fifth longer for every bill, and the same version may be there twice (docs/performance.md, "Which Python").
try='
import sys, time, ensurepip, venv

class Thing:
    def __init__(self, number):
        self.number = number

def work():
    begun = time.perf_counter()
    sum(len(str(Thing(number).number)) for number in range(10_000))
    return time.perf_counter() - begun

if sys.version_info >= (3, 11):
    print(min(work() for _ in range(10)), sys.executable)
'

names=${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3}
found=$(for name in $names; do "$name" -c "$try" 2>/dev/null || true; done |
  awk 'NR == 1 || $1 < 0.9 * best { best = $1; path = substr($0, length($1) + 2) } END { print path }')
if [ -n "$found" ]; then
  echo "$found"
  exit 0
fi

echo "No Python 3.11 or newer with venv was found (tried: $names)." >&2
echo "Install one (Debian: apt-get install python3 python3-venv), or name it: make install PYTHON=/path/to/python3" >&2
exit 1
