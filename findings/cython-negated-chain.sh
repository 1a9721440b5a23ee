#!/usr/bin/env bash
# Cython 3.3.1 (and 3.0.0): `not (a is b is c)` compiles to `a is not b is c`: only the first comparison of the chain is negated, and
# the same with `in`. Plain Python code that is compiled as it stands takes the other branch, without a warning; `not (a < b < c)` is right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q setuptools==80.9.0
cat > "$folder/plain.py" <<'PROGRAM'
def differ(a, b, c):
    return not (a is b is c)


def lack(a, b, c):
    return not (a in b in c)


def unordered(a, b, c):
    return not (a < b < c)
PROGRAM
cat > "$folder/program.py" <<'PROGRAM'
import chained
import plain

for name, arguments in (("differ", (None, True, False)), ("lack", (1, [2], [[3]])), ("unordered", (1, 3, 2))):
    print(name, getattr(plain, name)(*arguments), getattr(chained, name)(*arguments))
PROGRAM
cd "$folder"
for version in 3.0.0 3.3.1; do
    env/bin/pip install -q "cython==$version"
    cp plain.py chained.py
    rm -rf build chained.c chained.*.so
    env/bin/cythonize -3 -i chained.py >build.log 2>&1
    echo "Cython $version: Python, compiled"
    env/bin/python program.py
done | tee seen
diff - seen <<'EXPECTED'
Cython 3.0.0: Python, compiled
differ True False
lack True False
unordered True True
Cython 3.3.1: Python, compiled
differ True False
lack True False
unordered True True
EXPECTED
echo "as described"
