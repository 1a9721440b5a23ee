#!/usr/bin/env bash
# SciPy 1.17.1: stdtrit(df, p), the quantile of Student's distribution, and nctdtrit, that of the one with another centre, are
# +inf at a probability of 0, where both fall without bound: at 1e-300 stdtrit is -7e149, and one number further it changes
# its sign. So is what comes back from stdtrit(df, stdtr(df, -inf)). ndtri(0), and the ppf of scipy.stats, are -inf.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 scipy==1.17.1
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
from scipy import special, stats

for p in (1e-10, 1e-300, 0.0, 1.0):
    by_hand = (2 * p - 1) / np.sqrt(2 * p * (1 - p))  # of 2 degrees of freedom
    print(f"p = {p:g}: stdtrit {special.stdtrit(2.0, p):.6g}, by hand {by_hand:.6g}, stats.t.ppf {stats.t.ppf(p, 2):.6g}")
print(f"nctdtrit(2, 0.5, 0) = {special.nctdtrit(2.0, 0.5, 0.0)}, stats.nct.ppf {stats.nct.ppf(0.0, 2, 0.5)}")
print(f"back from -inf: {special.stdtrit(5.0, special.stdtr(5.0, -np.inf))}, ndtri(0) = {special.ndtri(0.0)}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
p = 1e-10: stdtrit -70710.7, by hand -70710.7, stats.t.ppf -70710.7
p = 1e-300: stdtrit -7.07107e+149, by hand -7.07107e+149, stats.t.ppf -7.07107e+149
p = 0: stdtrit inf, by hand -inf, stats.t.ppf -inf
p = 1: stdtrit inf, by hand inf, stats.t.ppf inf
nctdtrit(2, 0.5, 0) = inf, stats.nct.ppf -inf
back from -inf: inf, ndtri(0) = -inf
EXPECTED
echo "as described"
