#!/usr/bin/env bash
# scikit-learn 1.9.1: BayesianRidge and ARDRegression depend on the unit of y. Of the same data in thousands of that unit, the error bars of BayesianRidge (return_std) are 2.4 times too wide, and in
# millions two thousand times: a prior of the noise, 1e-6, meant to say nothing, is a variance. In a hundred thousandth of the unit all its coefficients are 0. Those of ARDRegression are all 0 there, and
# in thousands, where they are below 0.01 and pruned. LinearRegression is the same in all. No warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
from sklearn.linear_model import ARDRegression, BayesianRidge, LinearRegression

rng = np.random.default_rng(0)
x = rng.normal(size=(50, 3))
y = x @ [1.0, 2.0, 3.0] + 0.1 * rng.normal(size=50)
for unit in (1.0, 1e-2, 1e-3, 1e-4, 1e-6, 1e3, 1e5, 1e6):
    bayes = BayesianRidge().fit(x, y * unit)
    deviation = bayes.predict(x[:1], return_std=True)[1][0] / unit
    found = [model.fit(x, y * unit).coef_ / unit for model in (bayes, ARDRegression(), LinearRegression())]
    text = ["(" + ", ".join(f"{c:.2f}" for c in coefficients) + ")" for coefficients in found]
    print(f"y times {unit:g}: BayesianRidge {text[0]} +- {deviation:.2g}, ARDRegression {text[1]}, LinearRegression {text[2]}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
y times 1: BayesianRidge (1.02, 1.99, 3.01) +- 0.096, ARDRegression (1.02, 1.99, 3.01), LinearRegression (1.02, 1.99, 3.01)
y times 0.01: BayesianRidge (1.02, 1.99, 3.01) +- 0.098, ARDRegression (1.02, 1.99, 3.01), LinearRegression (1.02, 1.99, 3.01)
y times 0.001: BayesianRidge (1.02, 1.98, 3.01) +- 0.23, ARDRegression (0.00, 0.00, 0.00), LinearRegression (1.02, 1.99, 3.01)
y times 0.0001: BayesianRidge (1.02, 1.98, 3.00) +- 2.1, ARDRegression (0.00, 0.00, 0.00), LinearRegression (1.02, 1.99, 3.01)
y times 1e-06: BayesianRidge (1.02, 1.98, 3.00) +- 2.1e+02, ARDRegression (0.00, 0.00, 0.00), LinearRegression (1.02, 1.99, 3.01)
y times 1000: BayesianRidge (1.02, 1.99, 3.01) +- 0.096, ARDRegression (1.02, 1.99, 3.01), LinearRegression (1.02, 1.99, 3.01)
y times 100000: BayesianRidge (0.00, 0.00, 0.00) +- 3.4, ARDRegression (0.00, 0.00, 0.00), LinearRegression (1.02, 1.99, 3.01)
y times 1e+06: BayesianRidge (0.00, 0.00, 0.00) +- 3.4, ARDRegression (0.00, 0.00, 0.00), LinearRegression (1.02, 1.99, 3.01)
EXPECTED
echo "as described"
