#!/usr/bin/env bash
# SciPy 1.17.1: eval_legendre of a degree that is no whole number loses its digits as the degree grows, without a warning:
# at 100.5 and x = 0.3 it gives 0.96, where the function is 0.0117. Whole degrees have all digits. The judge here is
# Laplace's integral, P_v(x) = mean of (x + i sqrt(1 - x^2) cos t)^v over 0 < t < pi, for x > 0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 scipy==1.17.1
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
from scipy.special import eval_gegenbauer, eval_legendre


def by_integral(v, x, n=4000):
    t = (np.arange(n) + 0.5) * np.pi / n
    return ((x + 1j * np.sqrt(1 - x * x) * np.cos(t)) ** v).mean().real


for v in (10.0, 10.5, 50.5, 80.5, 100.5, 100.0):
    print(f"P_{v}(0.3): {eval_legendre(v, 0.3):.5g}, by the integral {by_integral(v, 0.3):.5g}")
print(f"eval_gegenbauer(100.5, 0.5, 0.3), the same function: {eval_gegenbauer(100.5, 0.5, 0.3):.5g}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
P_10.0(0.3): 0.25148, by the integral 0.25148
P_10.5(0.3): 0.20701, by the integral 0.20701
P_50.5(0.3): 0.066234, by the integral 0.066234
P_80.5(0.3): 0.03004, by the integral 0.029691
P_100.5(0.3): 0.96269, by the integral 0.01165
P_100.0(0.3): 0.057127, by the integral 0.057127
eval_gegenbauer(100.5, 0.5, 0.3), the same function: 0.96269
EXPECTED
echo "as described"
