#!/usr/bin/env bash
# SciPy 1.17.1: ellipj(u, m) for m within 1e-10 of 1 is an expansion about m = 1 for every u, though its terms grow as
# exp(2u): at u = 30 the elliptic cosine, a number between -1 and 1, is -134, and at u = 40 -2.9 million. It says nothing.
# For m up to 1 - 2e-10, and at 1 itself, it has its digits. mpmath 1.3.0 is the judge.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 scipy==1.17.1 mpmath==1.3.0
cat > "$folder/program.py" <<'PROGRAM'
import mpmath
from scipy.special import ellipj

mpmath.mp.dps = 40
for m in (1 - 2e-10, 1 - 1e-10, 1 - 1e-13):
    for u in (10.0, 20.0, 30.0, 40.0):
        sn, cn, dn, ph = ellipj(u, m)
        print(f"1 - m = {1 - m:.0e}, u = {u:g}: sn {sn:.6g}, cn {cn:.6g}; mpmath", end=" ")
        print(*(mpmath.nstr(mpmath.ellipfun(f, u, m=m), 6) for f in ("sn", "cn")))
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
1 - m = 2e-10, u = 10: sn 1, cn 9.02492e-05; mpmath 1.0 9.02492e-5
1 - m = 2e-10, u = 20: sn 0.999926, cn -0.0121287; mpmath 0.999926 -0.0121287
1 - m = 2e-10, u = 30: sn -0.999888, cn -0.0149714; mpmath -0.999888 -0.0149714
1 - m = 2e-10, u = 40: sn -1, cn 7.28782e-05; mpmath -1.0 7.28782e-5
1 - m = 1e-10, u = 10: sn 1, cn 9.05245e-05; mpmath 1.0 9.05245e-5
1 - m = 1e-10, u = 20: sn 1, cn -0.00606456; mpmath 0.999982 -0.00606451
1 - m = 1e-10, u = 30: sn 1, cn -133.581; mpmath -0.999552 -0.0299377
1 - m = 1e-10, u = 40: sn 1, cn -2.94232e+06; mpmath -1.0 1.703e-5
1 - m = 1e-13, u = 10: sn 1, cn 9.07996e-05; mpmath 1.0 9.07996e-5
1 - m = 1e-13, u = 20: sn 1, cn -6.06233e-06; mpmath 1.0 -6.06233e-6
1 - m = 1e-13, u = 30: sn 1, cn -0.133622; mpmath 0.991112 -0.133029
1 - m = 1e-13, u = 40: sn 1, cn -2943.23; mpmath -0.999999 -0.00135905
EXPECTED
echo "as described"
