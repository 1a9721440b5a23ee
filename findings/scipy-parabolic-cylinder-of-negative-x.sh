#!/usr/bin/env bash
# SciPy 1.17.1: pbdv(v, x), the parabolic cylinder function D_v(x), loses its digits at negative x as the order grows, where that is no whole number: of pbdv(10.5, -10) two are right, and of 20.5 and 30.5 none, with
# factors of -7000 and 80000. At +10, and of the whole orders 30 and 31, all are right. No warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q scipy==1.17.1 numpy==2.4.6 mpmath==1.3.0
cat > "$folder/program.py" <<'PROGRAM'
import mpmath
from scipy.special import pbdv

mpmath.mp.dps = 40
for v, x in ((5.5, -10.0), (10.5, -10.0), (20.5, -10.0), (30.5, -10.0), (30.5, 10.0), (30.0, -10.0), (31.0, -10.0)):
    seen, true = pbdv(v, x)[0], mpmath.pcfd(v, x)
    error = float(abs(seen / true - 1))
    print(f"pbdv({v}, {x}): {seen:.3g}, true {float(true):.3g}:", "right" if error < 1e-9 else "two digits" if error < 0.02 else "none right" if error > 0.5 else f"off by {error:.0e}")
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
pbdv(5.5, -10.0): 6.83e+06, true 6.83e+06: two digits
pbdv(10.5, -10.0): -4.98e+06, true -5.02e+06: two digits
pbdv(20.5, -10.0): 4.66e+13, true -6.9e+09: none right
pbdv(30.5, -10.0): 1.5e+21, true 1.89e+16: none right
pbdv(30.5, 10.0): 1.07e+16, true 1.07e+16: right
pbdv(30.0, -10.0): 6.37e+15, true 6.37e+15: right
pbdv(31.0, -10.0): -1.4e+16, true -1.4e+16: right
EXPECTED
echo "as described"
