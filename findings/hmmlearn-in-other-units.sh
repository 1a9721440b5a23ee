#!/usr/bin/env bash
# hmmlearn 0.3.3: GaussianHMM depends on the unit of its data: of the same series of two states the hidden states are found to 99 % in one unit, and to 50 %, which is guessing, where the numbers are a thousand times smaller (volts for
# millivolts, returns of prices for per cent): a prior of the variance, 0.01 in whatever unit, and a floor of 0.001 are there by default, meant to say nothing, and are a variance 10,000 times that of the data. One
# state is given a variance of 1,000 squares of the unit. No warning, and monitor_.converged is True. With covars_prior=0 and min_covar=0 the unit does not matter.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q hmmlearn==0.3.3 scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import warnings

import numpy as np
from hmmlearn.hmm import GaussianHMM

warnings.simplefilter("error")
rng = np.random.default_rng(0)
states = np.repeat([0, 1] * 10, 25)
x = np.where(states == 0, rng.normal(0, 1, 500), rng.normal(4, 2, 500))[:, None]
print("true standard deviations 1 and 2, means 0 and 4")
for options in ({}, {"min_covar": 0.0}, {"covars_prior": 0.0, "min_covar": 0.0}):
    for unit in (1000.0, 1.0, 0.1, 0.01, 0.001):
        model = GaussianHMM(2, random_state=0, n_iter=100, **options).fit(x * unit)
        hit = (model.predict(x * unit) == states).mean()
        order = np.argsort(model.means_.ravel())
        deviations = (np.sqrt(model.covars_.ravel()) / unit)[order]
        print(f"{options}, unit {unit:g}: standard deviations {[f'{d:.3g}' for d in deviations]}, states found {max(hit, 1 - hit):.2f}, converged {model.monitor_.converged}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
true standard deviations 1 and 2, means 0 and 4
{}, unit 1000: standard deviations ['1.02', '1.89'], states found 0.99, converged True
{}, unit 1: standard deviations ['1.02', '1.89'], states found 0.99, converged True
{}, unit 0.1: standard deviations ['1.02', '1.89'], states found 0.99, converged True
{}, unit 0.01: standard deviations ['1.21', '2'], states found 0.99, converged True
{}, unit 0.001: standard deviations ['5.08', '3.16e+04'], states found 0.50, converged True
{'min_covar': 0.0}, unit 1000: standard deviations ['1.02', '1.89'], states found 0.99, converged True
{'min_covar': 0.0}, unit 1: standard deviations ['1.02', '1.89'], states found 0.99, converged True
{'min_covar': 0.0}, unit 0.1: standard deviations ['1.02', '1.89'], states found 0.99, converged True
{'min_covar': 0.0}, unit 0.01: standard deviations ['1.21', '2'], states found 0.99, converged True
{'min_covar': 0.0}, unit 0.001: standard deviations ['5.93', '8.23'], states found 0.50, converged True
{'covars_prior': 0.0, 'min_covar': 0.0}, unit 1000: standard deviations ['1.02', '1.89'], states found 0.99, converged True
{'covars_prior': 0.0, 'min_covar': 0.0}, unit 1: standard deviations ['1.02', '1.89'], states found 0.99, converged True
{'covars_prior': 0.0, 'min_covar': 0.0}, unit 0.1: standard deviations ['1.02', '1.89'], states found 0.99, converged True
{'covars_prior': 0.0, 'min_covar': 0.0}, unit 0.01: standard deviations ['1.02', '1.89'], states found 0.99, converged True
{'covars_prior': 0.0, 'min_covar': 0.0}, unit 0.001: standard deviations ['1.02', '1.89'], states found 0.99, converged True
EXPECTED
echo "as described"
