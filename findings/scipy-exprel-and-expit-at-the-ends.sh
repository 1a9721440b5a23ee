#!/usr/bin/env bash
# SciPy 1.17.1: two functions that exist to keep what exp loses stop before exp does. exprel(x) = (exp(x) - 1) / x is inf
# from x = 709.8 on, where the quotient is 3e305 and stays below the largest double up to 716. expit(x) is 0 from -709.8
# down to -745, where the value is exp(x), small and representable, as NumPy's exp and log_expit beside it show.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 scipy==1.17.1
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
from scipy.special import exprel, expit, log_expit

for x in (709.0, 709.9, 715.0):
    half = np.exp(x / 2)
    print(f"exprel({x}) = {exprel(x):.6g}, by two halves of exp: {half / x * half:.6g}")
for x in (-709.0, -710.0, -740.0):
    print(f"expit({x}) = {expit(x):.6g}, exp: {np.exp(x):.6g}, by log_expit: {np.exp(log_expit(x)):.6g}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
exprel(709.0) = 1.15915e+305, by two halves of exp: 1.15915e+305
exprel(709.9) = inf, by two halves of exp: 2.84745e+305
exprel(715.0) = inf, by two halves of exp: 4.63712e+307
expit(-709.0) = 1.21678e-308, exp: 1.21678e-308, by log_expit: 1.21678e-308
expit(-710.0) = 0, exp: 4.47629e-309, by log_expit: 4.47629e-309
expit(-740.0) = 0, exp: 4.19956e-322, by log_expit: 4.19956e-322
EXPECTED
echo "as described"
