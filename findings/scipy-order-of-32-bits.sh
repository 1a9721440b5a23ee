#!/usr/bin/env bash
# SciPy 1.17.1: special.yn cuts its order to 32 bits without a word: yn(2**32 + 1, 3.0) is yn(1, 3.0) = 0.3247, where the
# function is -inf (as yv of the same order says), and yn(2**32, 3.0) is yn(0, 3.0).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 scipy==1.17.1
cat > "$folder/program.py" <<'PROGRAM'
from scipy.special import yn, yv

for n in (0, 1, 2**32, 2**32 + 1):
    print(f"yn({n}, 3.0) = {yn(n, 3.0):.6g}, yv = {yv(float(n), 3.0):.6g}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
yn(0, 3.0) = 0.37685, yv = 0.37685
yn(1, 3.0) = 0.324674, yv = 0.324674
yn(4294967296, 3.0) = 0.37685, yv = -inf
yn(4294967297, 3.0) = 0.324674, yv = -inf
EXPECTED
echo "as described"
