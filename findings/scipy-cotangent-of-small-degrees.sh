#!/usr/bin/env bash
# SciPy 1.17.1: cotdg, the cotangent of degrees, loses its digits as the angle gets small, where it is 57.3 / x: of 1e-6 degrees eight are right, of 1e-10 six and of 1e-12 two. tandg, its inverse, has all of them, so
# that the product of the two is not 1, and 1 / tandg(x) is the better cotangent. No warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q scipy==1.17.1 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
from scipy.special import cotdg, tandg

for degrees in (10.0, 1e-2, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12):
    off = abs(float(cotdg(degrees) * tandg(degrees)) - 1)
    print(f"{degrees:g} degrees: cotdg times tandg - 1:", f"{off:.0e}" if off > 1e-13 else "0")
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
10 degrees: cotdg times tandg - 1: 0
0.01 degrees: cotdg times tandg - 1: 3e-13
0.0001 degrees: cotdg times tandg - 1: 5e-11
1e-06 degrees: cotdg times tandg - 1: 5e-09
1e-08 degrees: cotdg times tandg - 1: 2e-07
1e-10 degrees: cotdg times tandg - 1: 1e-06
1e-12 degrees: cotdg times tandg - 1: 4e-03
EXPECTED
echo "as described"
