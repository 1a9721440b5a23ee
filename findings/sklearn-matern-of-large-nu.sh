#!/usr/bin/env bash
# scikit-learn 1.9.1, float64: the Matern kernel goes to that of RBF as nu grows. Computed, it is right up to nu = 30 or so; of 100, points as close as 0.001 have the covariance
# nan, and of 160 all points have 0: a Gaussian process of them predicts 0 with full variance, without a word. The gradient in the length scale, for a nu
# other than 0.5, 1.5, 2.5, is a difference quotient of step 1e-10: five digits, which an optimiser with finer tolerance cannot get below.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern

points = np.array([[0.0], [0.001], [0.5], [3.0]])
apart = np.linspace(0.0, 3.0, 7)[:, None]
for nu in (2.5, 30.0, 100.0, 150.0, 160.0, np.inf):
    covariance = Matern(1.0, nu=nu)(points)[0]
    process = GaussianProcessRegressor(Matern(1.0, nu=nu), optimizer=None).fit(apart, np.cos(apart).ravel())
    mean, deviation = process.predict([[0.75]], return_std=True)
    print(f"nu {nu}: covariances {' '.join(f'{c:.4f}' for c in covariance)}; cos(0.75) = {np.cos(0.75):.3f} predicted as {mean[0]:.3f} +- {deviation[0]:.3f}")
for nu in (1.5, 2.0, 2.5, 10.0):
    kernel = Matern(2.0, nu=nu)
    gradient = kernel(points, eval_gradient=True)[1][..., 0]
    h = 1e-5
    differences = (kernel.clone_with_theta(kernel.theta + h)(points) - kernel.clone_with_theta(kernel.theta - h)(points)) / (2 * h)
    error = np.abs(gradient - differences).max() / np.abs(differences).max()
    print(f"nu {nu}: gradient in the length scale off by more than 1e-7 of it: {error > 1e-7}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
nu 2.5: covariances 1.0000 1.0000 0.8286 0.0277; cos(0.75) = 0.732 predicted as 0.729 +- 0.072
nu 30.0: covariances 1.0000 1.0000 0.8790 0.0131; cos(0.75) = 0.732 predicted as 0.732 +- 0.003
nu 100.0: covariances 1.0000 nan 0.8815 0.0117; cos(0.75) = 0.732 predicted as 0.732 +- 0.002
nu 150.0: covariances 1.0000 nan 0.8818 0.0115; cos(0.75) = 0.732 predicted as 0.732 +- 0.002
nu 160.0: covariances 1.0000 nan 0.0000 0.0000; cos(0.75) = 0.732 predicted as 0.000 +- 1.000
nu inf: covariances 1.0000 1.0000 0.8825 0.0111; cos(0.75) = 0.732 predicted as 0.732 +- 0.002
nu 1.5: gradient in the length scale off by more than 1e-7 of it: False
nu 2.0: gradient in the length scale off by more than 1e-7 of it: True
nu 2.5: gradient in the length scale off by more than 1e-7 of it: False
nu 10.0: gradient in the length scale off by more than 1e-7 of it: True
EXPECTED
echo "as described"
