#!/usr/bin/env bash
# SciPy 1.17.1: where a function's value cannot be made a float, brentq, brenth and bisect call the function once more with
# that error still pending: a call in it then ends in SystemError "returned a result with an exception set", or the error is
# lost and another takes its place. ridder stops with the TypeError itself, as the function is not called again by chance.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 scipy==1.17.1
cat > "$folder/program.py" <<'PROGRAM'
from scipy import optimize

for name in ("brentq", "brenth", "bisect", "ridder"):
    calls = []

    def f(t):
        calls.append(t)
        return complex(t)

    try:
        found = getattr(optimize, name)(f, -1.0, 2.0)
    except Exception as error:
        found = type(error).__name__
    print(name, found, len(calls))
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
brentq SystemError 2
brenth SystemError 2
bisect SystemError 2
ridder TypeError 2
EXPECTED
echo "as described"
