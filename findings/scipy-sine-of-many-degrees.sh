#!/usr/bin/env bash
# SciPy 1.17.1: sindg, cosdg and tandg of an angle beyond 1e14 degrees give 0, all three, in place of a sine and a cosine
# (whose squares would add up to 1), and warn of nothing. Reducing such an angle is exact (np.fmod), and below the limit
# they have all their digits.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 scipy==1.17.1
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
from scipy.special import cosdg, sindg, tandg

for x in (9e13 + 30, 1.8e14 + 30, 1e15, -3.6e15 + 90):
    r = np.fmod(x, 360)
    print(f"{x:.17g}: sindg {sindg(x):.6g}, cosdg {cosdg(x):.6g}, tandg {tandg(x):.6g}; of {r:g}: {sindg(r):.6g}, {cosdg(r):.6g}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
90000000000030: sindg 0.5, cosdg 0.866025, tandg 0.57735; of 30: 0.5, 0.866025
180000000000030: sindg 0, cosdg 0, tandg 0; of 30: 0.5, 0.866025
1000000000000000: sindg 0, cosdg 0, tandg 0; of 280: -0.984808, 0.173648
-3599999999999910: sindg 0, cosdg 0, tandg 0; of -270: 1, 0
EXPECTED
echo "as described"
