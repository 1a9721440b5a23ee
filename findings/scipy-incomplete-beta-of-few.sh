#!/usr/bin/env bash
# SciPy 1.17.1: betainc(a, b, x) loses b where it is small: of b = 5e-16 it is 1 (true: 1.877e-14), of 5e-13 five digits
# are right. betaincc(b, a, 1 - x), which is the same number, is right to the last digit. itairy has seven digits.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 scipy==1.17.1 mpmath==1.3.0
cat > "$folder/program.py" <<'PROGRAM'
import mpmath
import numpy as np
from scipy import special as s

for b in (5e-9, 5e-13, 5e-16):
    rest = b / (b + 10)
    closed = -np.expm1(b * np.log(rest))  # of a = 1
    print(f"b = {b:.0e}: {s.betainc(1.0, b, 10 / (b + 10)):.9e} other side {s.betaincc(b, 1.0, rest):.9e} closed {closed:.9e}")
print(f"itairy(2): {s.itairy(2.0)[0]:.10f} by quadrature {float(mpmath.quad(mpmath.airyai, [0, 2])):.10f}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
b = 5e-09: 1.070820589e-07 other side 1.070820594e-07 closed 1.070820594e-07
b = 5e-13: 1.531377649e-11 other side 1.531337669e-11 closed 1.531337669e-11
b = 5e-16: 1.000000000e+00 other side 1.876725433e-14 closed 1.876725433e-14
itairy(2): 0.3125326889 by quadrature 0.3125327558
EXPECTED
echo "as described"
