#!/usr/bin/env bash
# SHAP 0.51.0 with scikit-learn 1.9.1: KernelExplainer depends on the unit of the model's output: of a linear model with outputs around 1e-5 it gives one of four inputs no influence, and around 1e-6, as
# the probabilities of rare events, rates or currents are, none of them any. Inputs are chosen by least-angle regression, by a default (l1_reg), which ends at an absolute 1.2e-7; without it, what is below 1e-10 is set to 0. The values no longer add up to the
# prediction less its mean, which is what they are made for, and nothing is said. PermutationExplainer is right. Of a linear model the values are known: weight times the distance from the mean.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q shap==0.51.0 scikit-learn==1.9.1 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import warnings

import numpy as np
import shap

rng = np.random.default_rng(0)
background, x = rng.normal(size=(10, 4)), np.array([[1.0, -1.0, 0.5, 2.0]])
weights = np.array([1.0, 0.3, 0.1, -0.7])
true = weights * (x[0] - background.mean(axis=0))


def explain(unit, **options):
    """The values of the model in that unit, divided by it, and what of the prediction they leave out."""
    model = lambda rows: unit * (rows @ weights)
    explainer = shap.KernelExplainer(model, background, silent=True)
    values = explainer.shap_values(x, silent=True, **options)[0] / unit
    return values, abs((model(x)[0] - explainer.expected_value) / unit - values.sum())


warnings.simplefilter("error")
for options in ({}, {"l1_reg": False}):
    for unit in (1.0, 1e-4, 1e-5, 1e-6, 1e-9, 1e-10, 1e-11):
        values, rest = explain(unit, **options)
        print(f"{options}, unit {unit:g}: {(values.round(5) + 0).tolist()}, left out {rest:.5f}")
permutation = shap.PermutationExplainer(lambda rows: 1e-12 * (rows @ weights), background, seed=0)
print(f"by permutation, unit 1e-12: {(permutation.shap_values(x, silent=True)[0] / 1e-12).round(5).tolist()}")
print(f"true: {true.round(5).tolist()}")
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
{}, unit 1: [1.44788, -0.31563, 0.05933, -1.22689], left out 0.00000
{}, unit 0.0001: [1.44788, -0.31563, 0.05933, -1.22689], left out 0.00000
{}, unit 1e-05: [1.46766, -0.29585, 0.0, -1.20712], left out 0.00000
{}, unit 1e-06: [0.0, 0.0, 0.0, 0.0], left out 0.03531
{}, unit 1e-09: [0.0, 0.0, 0.0, 0.0], left out 0.03531
{}, unit 1e-10: [0.0, 0.0, 0.0, 0.0], left out 0.03531
{}, unit 1e-11: [0.0, 0.0, 0.0, 0.0], left out 0.03531
{'l1_reg': False}, unit 1: [1.44788, -0.31563, 0.05933, -1.22689], left out 0.00000
{'l1_reg': False}, unit 0.0001: [1.44788, -0.31563, 0.05933, -1.22689], left out 0.00000
{'l1_reg': False}, unit 1e-05: [1.44788, -0.31563, 0.05933, -1.22689], left out 0.00000
{'l1_reg': False}, unit 1e-06: [1.44788, -0.31563, 0.05933, -1.22689], left out 0.00000
{'l1_reg': False}, unit 1e-09: [1.44788, -0.31563, 0.0, -1.22689], left out 0.05933
{'l1_reg': False}, unit 1e-10: [1.44788, 0.0, 0.0, -1.22689], left out 0.25630
{'l1_reg': False}, unit 1e-11: [0.0, 0.0, 0.0, 0.0], left out 0.03531
by permutation, unit 1e-12: [1.44788, -0.31563, 0.05933, -1.22689]
true: [1.44788, -0.31563, 0.05933, -1.22689]
EXPECTED
echo "as described"
