#!/usr/bin/env bash
# mpmath 1.3.0: asin, asinh, atan and atanh of small complex numbers work with a fixed number of digits beside 1: with the default 15 digits, asin(1e-20 + 1e-20j) is
# 1e-20 + 0j, and atan(1e-30 + 1e-30j) is 1e-30 + 1.7e-21j, a thousand million times z itself; true: z, to 40 digits and more. At 1e-12 nine and ten digits
# are left. With mp.dps = 50 the same from 1e-50 on. Real arguments, and sin, tan, expm1 and log1p of complex ones, are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q mpmath==1.3.0
cat > "$folder/program.py" <<'PROGRAM'
import cmath

from mpmath import mp

for digits, exponent in ((15, 12), (15, 20), (15, 30), (50, 20), (50, 60)):
    mp.dps = digits
    z = mp.mpc(1, 1) * mp.mpf(10) ** -exponent
    for name, c in (("asin", 1), ("atan", -2), ("sin", -1)):
        value, true = getattr(mp, name)(z), z + c * z**3 / 6  # the power series: the next term is below 1e-47 of z
        print(f"{digits} digits: {name}({mp.nstr(z, 3)}) = {mp.nstr(value, 5)}, relative error {mp.nstr(abs(value - true) / abs(z), 2)}")
print("Python's cmath: atan(1e-30 + 1e-30j) =", cmath.atan(1e-30 + 1e-30j))
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
15 digits: asin((1.0e-12 + 1.0e-12j)) = (1.0e-12 + 1.0e-12j), relative error 2.8e-9
15 digits: atan((1.0e-12 + 1.0e-12j)) = (1.0e-12 + 1.0e-12j), relative error 4.3e-10
15 digits: sin((1.0e-12 + 1.0e-12j)) = (1.0e-12 + 1.0e-12j), relative error 0.0
15 digits: asin((1.0e-20 + 1.0e-20j)) = (1.0e-20 + 0.0j), relative error 0.71
15 digits: atan((1.0e-20 + 1.0e-20j)) = (1.0e-20 + 8.4703e-21j), relative error 0.11
15 digits: sin((1.0e-20 + 1.0e-20j)) = (1.0e-20 + 1.0e-20j), relative error 0.0
15 digits: asin((1.0e-30 + 1.0e-30j)) = (1.0e-30 + 0.0j), relative error 0.71
15 digits: atan((1.0e-30 + 1.0e-30j)) = (1.0e-30 + 1.6941e-21j), relative error 1.2e+9
15 digits: sin((1.0e-30 + 1.0e-30j)) = (1.0e-30 + 1.0e-30j), relative error 0.0
50 digits: asin((1.0e-20 + 1.0e-20j)) = (1.0e-20 + 1.0e-20j), relative error 1.1e-34
50 digits: atan((1.0e-20 + 1.0e-20j)) = (1.0e-20 + 1.0e-20j), relative error 1.1e-36
50 digits: sin((1.0e-20 + 1.0e-20j)) = (1.0e-20 + 1.0e-20j), relative error 0.0
50 digits: asin((1.0e-60 + 1.0e-60j)) = (1.0e-60 + 0.0j), relative error 0.71
50 digits: atan((1.0e-60 + 1.0e-60j)) = (1.0e-60 + 2.0392e-56j), relative error 1.4e+4
50 digits: sin((1.0e-60 + 1.0e-60j)) = (1.0e-60 + 1.0e-60j), relative error 0.0
Python's cmath: atan(1e-30 + 1e-30j) = (1e-30+1e-30j)
EXPECTED
echo "as described"
