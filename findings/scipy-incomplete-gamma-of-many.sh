#!/usr/bin/env bash
# SciPy 1.17.1: the series of gammainc(a, x) stops after 2000 terms, which are too few for a large a and an x beyond 4.5
# deviations below it: gammainc(1e8, x) misses 37 per cent there, gammainc(1e12, x) 99 of them. So do the cdf of
# scipy.stats' gamma, chi2 and the sf of its poisson; and their quantiles are those of the wrong function. gammaincc on
# the other side of a, and gammainc within 4.5 deviations, are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 scipy==1.17.1 mpmath==1.3.0
cat > "$folder/program.py" <<'PROGRAM'
import mpmath
import numpy as np
from scipy import special, stats

mpmath.mp.dps = 40


def tail(a, x):
    """P(a, x), the integral of the density over what lies below x, in deviations."""
    a, x = mpmath.mpf(a), mpmath.mpf(x)
    root, top = mpmath.sqrt(a), (a - 1) * mpmath.log(x) - x - mpmath.loggamma(a)
    f = lambda u: mpmath.exp((a - 1) * mpmath.log1p(-u * root / x) + u * root) * root
    return mpmath.exp(top) * mpmath.quad(f, [0, 0.5, 1, 2, 4, 8, 20])


for a in (1e5, 1e6, 1e7, 1e8, 1e10, 1e12):
    inner, outer = (a - k * np.sqrt(a) for k in (4.4, 4.6))
    shares = [float(special.gammainc(a, x) / tail(a, x)) for x in (inner, outer)]
    print(f"a = {a:g}: of gammainc 4.4 deviations below there are {shares[0]:.6f}, 4.6 below {shares[1]:.6f}")
x = 1e10 - 6e5
print(f"stats.chi2.cdf, df = 2e10: {stats.chi2.cdf(2 * x, 2e10) / float(tail(1e10, x)):.4f}")
print(f"stats.poisson.sf, mean {x:g}: {stats.poisson.sf(1e10 - 1, x) / float(tail(1e10, x)):.4f}")
print(f"gammaincinv(1e10, 1e-9): {float(tail(1e10, special.gammaincinv(1e10, 1e-9))) / 1e-9:.4f} times too likely")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
a = 100000: of gammainc 4.4 deviations below there are 1.000000, 4.6 below 1.000000
a = 1e+06: of gammainc 4.4 deviations below there are 1.000000, 4.6 below 0.999991
a = 1e+07: of gammainc 4.4 deviations below there are 1.000000, 4.6 below 0.960555
a = 1e+08: of gammainc 4.4 deviations below there are 1.000000, 4.6 below 0.624716
a = 1e+10: of gammainc 4.4 deviations below there are 1.000000, 4.6 below 0.091766
a = 1e+12: of gammainc 4.4 deviations below there are 1.000000, 4.6 below 0.009562
stats.chi2.cdf, df = 2e10: 0.1161
stats.poisson.sf, mean 9.9994e+09: 0.1161
gammaincinv(1e10, 1e-9): 3.3240 times too likely
EXPECTED
echo "as described"
