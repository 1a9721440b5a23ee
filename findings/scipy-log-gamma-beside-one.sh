#!/usr/bin/env bash
# SciPy 1.17.1 (and Python's math.lgamma): the logarithm of gamma beside its zeros 1 and 2 has only the digits that 1 has left. scipy.special.gammaln(1 - 1.2e-15) is 26 % too large, gammaln(1 + 7e-9) has 8 digits;
# so has scipy.special.loggamma of the same real number, whose complex version, loggamma(x + 0j), has all of them. math.lgamma is worse still (50 %). x is exact in each case.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q scipy==1.17.1 numpy==2.4.6 mpmath==1.3.0
cat > "$folder/program.py" <<'PROGRAM'
import math

import mpmath
from scipy.special import gammaln, loggamma

mpmath.mp.dps = 40
for x in (1 - 11 * 2.0**-53, 1 + 2.0**-27, 1.00001, 2 - 2.0**-43):
    true = mpmath.loggamma(mpmath.mpf(x))
    functions = {"gammaln": gammaln(x), "loggamma": loggamma(x), "loggamma of x + 0j": loggamma(x + 0j).real}
    functions["math.lgamma"] = math.lgamma(x)
    print(f"{x!r}:", ", ".join(f"{k} is off by {max(float(abs(v / true - 1)), 1e-15):.0e}" for k, v in functions.items()))
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
0.9999999999999988: gammaln is off by 3e-01, loggamma is off by 3e-01, loggamma of x + 0j is off by 1e-15, math.lgamma is off by 5e-01
1.0000000074505806: gammaln is off by 1e-08, loggamma is off by 1e-08, loggamma of x + 0j is off by 1e-15, math.lgamma is off by 1e-07
1.00001: gammaln is off by 2e-12, loggamma is off by 2e-12, loggamma of x + 0j is off by 1e-15, math.lgamma is off by 5e-12
1.9999999999998863: gammaln is off by 2e-03, loggamma is off by 2e-03, loggamma of x + 0j is off by 1e-15, math.lgamma is off by 1e-02
EXPECTED
echo "as described"
