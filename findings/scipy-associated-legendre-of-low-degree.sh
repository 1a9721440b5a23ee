#!/usr/bin/env bash
# SciPy 1.17.1: lpmv(m, v, x) of a degree v that is not whole loses its digits where the order m is larger, for x a little below 0: of lpmv(19, 2.5, -0.27) 6 are left, of lpmv(30, 2.5, -0.27) 3, lpmv(54, 11.136, -0.33)
# is 59 % too small. At -0.4, or at +0.27, all digits are there: the series changes in between. No warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q scipy==1.17.1 numpy==2.4.6 mpmath==1.3.0
cat > "$folder/program.py" <<'PROGRAM'
import mpmath
from scipy.special import lpmv

mpmath.mp.dps = 60


def ferrers(m, v, x):  # DLMF 14.3.1 and 14.9.3
    v, x = mpmath.mpf(v), mpmath.mpf(x)
    scale = (-1) ** m * mpmath.gamma(v + m + 1) * mpmath.rgamma(v - m + 1) / mpmath.factorial(m)
    return scale * ((1 - x) / (1 + x)) ** (mpmath.mpf(m) / 2) * mpmath.hyp2f1(v + 1, -v, m + 1, (1 - x) / 2)


for m, v, x in [(5, 2.5, -0.27), (19, 2.5, -0.27), (30, 2.5, -0.27), (54, 11.136, -0.33), (30, 2.5, -0.4), (30, 2.5, 0.27)]:
    theirs, true = lpmv(m, v, x), ferrers(m, v, x)
    print(f"lpmv({m}, {v}, {x}) = {theirs:.7e}, true {float(true):.7e}: off by {max(float(abs(theirs / true - 1)), 1e-11):.0e}")
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
lpmv(5, 2.5, -0.27) = -6.6271564e+01, true -6.6271564e+01: off by 1e-11
lpmv(19, 2.5, -0.27) = -4.6720498e+17, true -4.6720506e+17: off by 2e-07
lpmv(30, 2.5, -0.27) = -1.2698134e+34, true -1.2702521e+34: off by 3e-04
lpmv(54, 11.136, -0.33) = 5.9001772e+76, true 1.4524333e+77: off by 6e-01
lpmv(30, 2.5, -0.4) = -1.0185631e+36, true -1.0185631e+36: off by 1e-11
lpmv(30, 2.5, 0.27) = -8.3893529e+26, true -8.3893529e+26: off by 1e-11
EXPECTED
echo "as described"
