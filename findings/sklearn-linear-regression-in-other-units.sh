#!/usr/bin/env bash
# scikit-learn 1.9.1: LinearRegression, which is ordinary least squares and so does not depend on units, leaves out directions whose singular value is below 1e-6 (its tol) of the largest one, and
# says nothing: a column ten million times smaller than another has the coefficient 0, and R2 falls from 0.998 to 0.141; a polynomial of degree 5 of 0 to 50, fitted to itself, is 2.2 off. NumPy's
# lstsq, and tol=1e-15, are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
from sklearn.linear_model import LinearRegression

rng = np.random.default_rng(0)
people, share = rng.normal(size=(2, 200))
y = people + 2.0 * share + 0.1 * rng.normal(size=200)
for unit in (1e3, 1e5, 1e7, 1e9):
    columns = np.stack([people * unit, share], axis=1)
    plain = LinearRegression().fit(columns, y)
    fine = LinearRegression(tol=1e-15).fit(columns, y)
    true = np.linalg.lstsq(np.column_stack([columns, np.ones(200)]), y)[0]
    print(f"unit {unit:g}: coefficient of the share {plain.coef_[1]:.3f}, with tol=1e-15 {fine.coef_[1]:.3f}, by NumPy {true[1]:.3f}; R2 {plain.score(columns, y):.3f}")
x = np.linspace(0.0, 50.0, 101)
y = np.polynomial.Polynomial([1.0, 0.5, -0.02, 1e-3, 2e-5, -5e-7])(x)
powers = x[:, None] ** np.arange(1, 6)
for label, model in (("tol as it is", LinearRegression()), ("tol=1e-15", LinearRegression(tol=1e-15))):
    error = np.abs(model.fit(powers, y).predict(powers) - y).max()
    print(f"polynomial of degree 5, {label}: off by {error:.2g}, R2 {model.score(powers, y):.4f}" if error > 1e-6 else f"polynomial of degree 5, {label}: off by less than 1e-6")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
unit 1000: coefficient of the share 2.006, with tol=1e-15 2.006, by NumPy 2.006; R2 0.998
unit 100000: coefficient of the share 2.006, with tol=1e-15 2.006, by NumPy 2.006; R2 0.998
unit 1e+07: coefficient of the share -0.000, with tol=1e-15 2.006, by NumPy 2.006; R2 0.141
unit 1e+09: coefficient of the share -0.000, with tol=1e-15 2.006, by NumPy 2.006; R2 0.141
polynomial of degree 5, tol as it is: off by 2.2, R2 0.9993
polynomial of degree 5, tol=1e-15: off by less than 1e-6
EXPECTED
echo "as described"
