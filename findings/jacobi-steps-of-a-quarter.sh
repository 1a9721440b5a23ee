#!/usr/bin/env bash
# jacobi 0.9.2: the first step of its differences is a quarter of x, whatever the function, and the error that it gives is that of an extrapolation between points so far apart. The slope of a normal peak at 5 with a
# width of 0.1, at 5.1, is -2e-7 +- 2e-7 (true: -6.07), that of sin at 10000 is 0.00 +- 0.0003 (true: -0.95), and at 1.7e9, a time in seconds since 1970, 0 with an error of 1e-11. propagate, which carries
# uncertainties through a function, makes them 0 with it. Of the same peak moved to 0 all digits are right. No warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q jacobi==0.9.2 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
from jacobi import jacobi, propagate


def peak(x):
    return np.exp(-0.5 * ((x - 5) / 0.1) ** 2)


for name, function, x, true in (
    ("peak at 5", peak, 5.1, -10 * np.exp(-0.5)),
    ("the same, moved to 0", lambda x: peak(x + 5), 0.1, -10 * np.exp(-0.5)),
    ("sin", np.sin, 1.0, np.cos(1.0)),
    ("sin", np.sin, 1e4, np.cos(1e4)),
    ("sin", np.sin, 1.7e9, np.cos(1.7e9)),
):
    slope, error = jacobi(function, x)
    print(f"{name}, at {x:g}: {slope:.6f}, its error {error:.0e} (true: {true:.6f})")
value, variance = propagate(peak, 5.1, 0.01**2)
print(f"propagate: peak(5.1 +- 0.01) is {value:.4f} +- {variance**0.5:.4f} (true: {abs(10 * np.exp(-0.5)) * 0.01:.4f})")
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
peak at 5, at 5.1: -0.000000, its error 2e-07 (true: -6.065307)
the same, moved to 0, at 0.1: -6.065307, its error 7e-13 (true: -6.065307)
sin, at 1: 0.540302, its error 1e-15 (true: 0.540302)
sin, at 10000: 0.000008, its error 3e-04 (true: -0.952155)
sin, at 1.7e+09: -0.000000, its error 8e-12 (true: -0.039084)
propagate: peak(5.1 +- 0.01) is 0.6065 +- 0.0000 (true: 0.0607)
EXPECTED
echo "as described"
