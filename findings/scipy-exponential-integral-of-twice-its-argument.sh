#!/usr/bin/env bash
# SciPy 1.17.1: expn(n, x), the exponential integral, loses up to nine digits where n = 2 x, beyond n = 50: its expansion stops at the first term that is zero, and the second one, 1 - 2 x/n, is zero there. At
# neighbours of x all digits are right. And zetac(127), zeta - 1, is 0, where it is 2^-127 and zeta(127, 2) has it. No warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q scipy==1.17.1 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
from scipy.special import expn, zeta, zetac


def exact(n, x):  # the continued fraction, DLMF 8.19.17
    rest = 0.0
    for k in range(40, 0, -1):
        rest = k * (n + k - 1) / (x + n + 2 * k - rest)
    return np.exp(-x) / (x + n - rest)


for n, x in ((50, 25.0), (60, 30.0), (60, 30.001), (100, 49.0), (100, 50.0), (100, 51.0), (200, 100.0)):
    error = abs(expn(n, x) / exact(n, x) - 1)
    print(f"expn({n}, {x}):", "right" if error < 1e-14 else f"off by {error:.0e}")
for x in (126.0, 127.0, 200.0):
    print(f"zetac({x}) = {zetac(x):.6g}, zeta({x}, 2) = {zeta(x, 2):.6g}")
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
expn(50, 25.0): right
expn(60, 30.0): off by 6e-07
expn(60, 30.001): right
expn(100, 49.0): right
expn(100, 50.0): off by 1e-07
expn(100, 51.0): right
expn(200, 100.0): off by 2e-08
zetac(126.0) = 1.17549e-38, zeta(126.0, 2) = 1.17549e-38
zetac(127.0) = 0, zeta(127.0, 2) = 5.87747e-39
zetac(200.0) = 0, zeta(200.0, 2) = 6.22302e-61
EXPECTED
echo "as described"
