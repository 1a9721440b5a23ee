#!/usr/bin/env bash
# numdifftools 0.11.2 with NumPy 2.4.6: method="multicomplex", which needs no step that cancels and so has all digits at
# ordinary functions (exp, sin, products), has few or none at others, without a word: the second derivative of x**2 at -2 is
# 1.64 (true: 2), that of arctan, arcsin and arcsinh is off by 2 % to 200 % at any point and can have the wrong sign, and the
# first of log1p at -0.5 is -0.67 (true: 2). method="complex" and "central" are right at all of them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 scipy==1.17.1 numdifftools==0.11.2
cat > "$folder/program.py" <<'PROGRAM'
import numdifftools
import numpy as np

cases = [
    ("x**2", lambda x: x**2, 2, -2.0),
    ("x*x", lambda x: x * x, 2, -2.0),
    ("x**2", lambda x: x**2, 2, 2.0),
    ("1/x", lambda x: 1 / x, 2, -2.0),
    ("arctan", np.arctan, 2, 0.5),
    ("arcsin", np.arcsin, 2, 0.25),
    ("arcsinh", np.arcsinh, 2, -2.0),
    ("log1p", np.log1p, 1, -0.5),
    ("exp", np.exp, 2, -2.0),
    ("sin", np.sin, 2, -2.0),
]
for name, f, n, at in cases:
    values = [numdifftools.Derivative(f, n=n, method=method)(at).item() for method in ("multicomplex", "complex", "central")]
    print(f"derivative {n} of {name} at {at}: multicomplex {values[0]:.5f}, complex {values[1]:.5f}, central {values[2]:.5f}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
derivative 2 of x**2 at -2.0: multicomplex 1.64123, complex 2.00000, central 2.00000
derivative 2 of x*x at -2.0: multicomplex 2.00000, complex 2.00000, central 2.00000
derivative 2 of x**2 at 2.0: multicomplex 2.00000, complex 2.00000, central 2.00000
derivative 2 of 1/x at -2.0: multicomplex -0.23879, complex -0.25000, central -0.25000
derivative 2 of arctan at 0.5: multicomplex -0.62500, complex -0.64000, central -0.64000
derivative 2 of arcsin at 0.25: multicomplex 0.31250, complex 0.27541, central 0.27541
derivative 2 of arcsinh at -2.0: multicomplex -0.17700, complex 0.17889, central 0.17889
derivative 1 of log1p at -0.5: multicomplex -0.66667, complex 2.00000, central 2.00000
derivative 2 of exp at -2.0: multicomplex 0.13534, complex 0.13534, central 0.13534
derivative 2 of sin at -2.0: multicomplex 0.90930, complex 0.90930, central 0.90930
EXPECTED
echo "as described"
