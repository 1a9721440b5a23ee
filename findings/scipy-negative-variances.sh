#!/usr/bin/env bash
# SciPy 1.17.1, stats: the variance of the Frechet distribution (invweibull) is -11.24 for c = 1.5 and -324 for 1.058, and the mean of these positive numbers is -9.7 for c = 0.9: true is infinity in each case. Moments are gamma(1 - n/c),
# taken also where the integral diverges and the formula goes on with any sign. The skewness is -5.4 for c = 2.5 and the kurtosis -153 for 3.5, both infinite too. The same of gengamma with a negative
# exponent. pareto, burr and fisk of such parameters say inf or nan. What a fit to heavy tails, such as floods and losses are, gives has such a c. No warning of mean() and var().
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q scipy==1.17.1 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import warnings

import numpy as np
from scipy import stats

warnings.simplefilter("error")


def true(c):
    """Mean and variance from the definition: x^n c x^(-c-1) exp(-x^-c) is integrable up to infinity for n < c only."""
    with np.errstate(all="ignore"):
        x = np.geomspace(1e-3, 1e12, 2_000_001)
        p = c * x ** (-c - 1) * np.exp(-(x**-c))
        rest = x[-1] ** np.array([1 - c, 2 - c]) * c / (c - np.array([1.0, 2.0]))
    first, second = (np.trapezoid(x ** (n + 1) * p, np.log(x)) + rest[n - 1] if n < c else np.inf for n in (1, 2))
    return first, second - first**2 if second < np.inf else np.inf


for c in (3.0, 2.5, 1.9, 1.5, 1.058, 0.9):
    mean, variance = true(c)
    print(f"c = {c}: mean {stats.invweibull(c).mean():.3f} (true {mean:.3f}), variance {stats.invweibull(c).var():.3f} (true {variance:.3f})")
print(f"c = 2.5: skewness {float(stats.invweibull(2.5).stats('s')):.1f} (true inf), c = 3.5: kurtosis {float(stats.invweibull(3.5).stats('k')):.1f} (true inf)")
print(f"gengamma(1, -1.5), the same distribution: variance {stats.gengamma(1, -1.5).var():.3f}")
print(f"of a Pareto distribution with the same tail: {stats.pareto(1.5).var()}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
c = 3.0: mean 1.354 (true 1.354), variance 0.845 (true 0.845)
c = 2.5: mean 1.489 (true 1.489), variance 2.373 (true 2.373)
c = 1.9: mean 1.870 (true 1.870), variance -23.128 (true inf)
c = 1.5: mean 2.679 (true 2.679), variance -11.239 (true inf)
c = 1.058: mean 17.716 (true 17.716), variance -323.556 (true inf)
c = 0.9: mean -9.700 (true inf), variance -89.705 (true inf)
c = 2.5: skewness -5.4 (true inf), c = 3.5: kurtosis -152.8 (true inf)
gengamma(1, -1.5), the same distribution: variance -11.239
of a Pareto distribution with the same tail: inf
EXPECTED
echo "as described"
