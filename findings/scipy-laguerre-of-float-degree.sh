#!/usr/bin/env bash
# SciPy 1.17.1: eval_laguerre of a whole degree that is a float, 60.0 in place of 60, sums an alternating series and is
# wrong by the factor 2.7e7, without a warning; of an int it runs the recurrence and has all digits. An array of degrees
# made by np.linspace holds such floats. eval_genlaguerre is the same; eval_legendre has its digits either way.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 scipy==1.17.1
cat > "$folder/program.py" <<'PROGRAM'
from fractions import Fraction
from scipy.special import eval_genlaguerre, eval_laguerre


def exact(n, x):
    below, here = Fraction(1), Fraction(1 - x)
    for k in range(1, n):
        below, here = here, ((2 * k + 1 - x) * here - k * below) / (k + 1)
    return float(here)


for n, x in ((20, 20), (40, 30), (60, 30)):
    print(f"L_{n}({x})  int: {eval_laguerre(n, x):.9g}  float: {eval_laguerre(float(n), x):.2g}  exact: {exact(n, x):.9g}")
print(f"eval_genlaguerre(60.0, 0.0, 30.0): {eval_genlaguerre(60.0, 0.0, 30.0):.2g}")
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
L_20(20)  int: 2829.47286  float: 2.8e+03  exact: 2829.47286
L_40(30)  int: -243171.503  float: 3.1e+06  exact: -243171.503
L_60(30)  int: 171512.81  float: 4.7e+12  exact: 171512.81
eval_genlaguerre(60.0, 0.0, 30.0): 4.7e+12
EXPECTED
echo "as described"
