#!/usr/bin/env bash
# SciPy 1.17.1: stdtrit(df, p), the quantile of Student's distribution, ends at -6.58e18 in single precision, though its
# numbers go to 3.4e38 and SciPy's own quantile of doubles goes on: of df = 0.509 and p = 1.78e-19 it is 17 orders of
# magnitude too near to 0, of df = 2.5 and p = 1e-26 it is 0.43 of what it is. Its inverse, stdtr, is 0 in single precision
# where T is 1e-15 (of df = 0.509 at -3e28). No warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q scipy==1.17.1 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
from scipy.special import stdtr, stdtrit

for df, p in [(0.509, 1e-10), (0.509, 1e-15), (0.509, 1.78e-19), (2.5, 1e-15), (2.5, 1e-26), (1.0, 1e-30)]:
    df, p = np.float32(df), np.float32(p)
    single, double = stdtrit(df, p), stdtrit(np.float64(df), np.float64(p))
    back = stdtr(df, np.float32(double)) / p
    print(f"df {df:.3f}, p {p:.2e}: single {single:.3e}, double {double:.3e}; stdtr of that in single over p: {back:.3f}")
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
df 0.509, p 1.00e-10: single -4.720e+18, double -4.720e+18; stdtr of that in single over p: 1.000
df 0.509, p 1.00e-15: single -6.580e+18, double -3.142e+28; stdtr of that in single over p: 0.000
df 0.509, p 1.78e-19: single -6.580e+18, double -7.306e+35; stdtr of that in single over p: 0.000
df 2.500, p 1.00e-15: single -8.765e+05, double -8.765e+05; stdtr of that in single over p: 1.000
df 2.500, p 1.00e-26: single -9.452e+09, double -2.202e+10; stdtr of that in single over p: 1.000
df 1.000, p 1.00e-30: single -3.183e+29, double -3.183e+29; stdtr of that in single over p: 0.000
EXPECTED
echo "as described"
