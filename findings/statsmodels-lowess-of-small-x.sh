#!/usr/bin/env bash
# statsmodels 0.15.0: lowess depends on the unit of x. A straight line is fitted in each neighbourhood, but where the x of one lie some 1e-6 apart a constant is: points on a line with the slope 2, over
# a range of 10, are smoothed to something that is 4 off it. Signals over ten microseconds, given in seconds, are flattened so; in microseconds they are not, and the unit of y does not matter. No warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q statsmodels==0.15.0 numpy==2.4.6 scipy==1.17.1 pandas==3.1.1
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
import statsmodels.api as sm

rng = np.random.default_rng(0)
x = np.sort(rng.uniform(0.0, 10.0, 100))
y = np.sin(x) + 0.1 * rng.normal(size=100)


def smooth(x, y):
    return sm.nonparametric.lowess(y, x, frac=0.3, return_sorted=False)


plain = smooth(x, y)
for unit in (1e6, 1.0, 1e-3, 1e-5, 1e-6, 1e-9):
    seen = smooth(x * unit, y)
    print(f"x times {unit:g}: changed by {np.abs(seen - plain).max():.2f}, off the sine by {np.abs(seen - np.sin(x)).max():.2f}, at the first x {seen[0]:.2f} (sine {np.sin(x[0]):.2f})")
print(f"y times 1e-9: changed by {np.abs(smooth(x, y * 1e-9) * 1e9 - plain).max():.2f}")
slope = smooth(x * 1e-6, 2.0 * x) - 2.0 * x
print(f"an exact straight line: off by {np.abs(smooth(x, 2.0 * x) - 2.0 * x).max():.2f}, and with x times 1e-6 by {np.abs(slope).max():.2f}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
x times 1e+06: changed by 0.00, off the sine by 0.30, at the first x 0.32 (sine 0.03)
x times 1: changed by 0.00, off the sine by 0.30, at the first x 0.32 (sine 0.03)
x times 0.001: changed by 0.00, off the sine by 0.30, at the first x 0.32 (sine 0.03)
x times 1e-05: changed by 0.00, off the sine by 0.30, at the first x 0.32 (sine 0.03)
x times 1e-06: changed by 0.54, off the sine by 0.54, at the first x 0.50 (sine 0.03)
x times 1e-09: changed by 0.65, off the sine by 0.66, at the first x 0.69 (sine 0.03)
y times 1e-9: changed by 0.00
an exact straight line: off by 0.00, and with x times 1e-6 by 3.98
EXPECTED
echo "as described"
