#!/usr/bin/env bash
# lmfit 1.3.4: the Gaussian of its models divides by max(1e-15, 2 sigma^2), and so is never narrower than 2.2e-8 in the unit of x: a pulse of nanoseconds in seconds, or a line of nanometres in metres, is another function
# than its documentation says, and the fit of an exact Gaussian says success with a wrong width, where in nanoseconds it has all digits. The Lorentzian beside it divides first, and is right.
# LognormalModel and Gaussian2dModel have the same divisor.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q lmfit==1.3.4 numpy==2.4.6 scipy==1.17.1
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
from lmfit.lineshapes import gaussian, lognormal, lorentzian
from lmfit.models import GaussianModel, LorentzianModel

for sigma in (1e-7, 1e-8, 1e-9):
    print(f"sigma {sigma:g}: at x = sigma the Gaussian is {gaussian(sigma, 1, 0, sigma) / gaussian(0, 1, 0, sigma):.4f} of its peak (true: {np.exp(-0.5):.4f}),", end=" ")
    print(f"the Lorentzian {lorentzian(sigma, 1, 0, sigma) / lorentzian(0, 1, 0, sigma):.4f} (true: 0.5000), at exp(sigma) the lognormal", end=" ")
    print(f"{lognormal(np.exp(sigma), 1, 0, sigma) / lognormal(1.0, 1, 0, sigma):.4f} (true: {np.exp(-0.5):.4f})")

t = np.linspace(-10, 10, 201)
shapes = {GaussianModel: np.exp(-(t**2) / 8), LorentzianModel: 1 / (1 + t**2 / 4)}
for unit, name in ((1.0, "nanoseconds"), (1e-9, "seconds")):
    for model, y in shapes.items():
        fit = model().fit(y, x=unit * t, amplitude=5 * unit, center=0.1 * unit, sigma=1.5 * unit)
        sigma = fit.params["sigma"].value / unit
        print(f"{model.__name__} in {name}: success {fit.success}, sigma right to 1e-6: {abs(sigma / 2 - 1) < 1e-6}, R2 above 0.99: {fit.rsquared > 0.99}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
sigma 1e-07: at x = sigma the Gaussian is 0.6065 of its peak (true: 0.6065), the Lorentzian 0.5000 (true: 0.5000), at exp(sigma) the lognormal 0.6065 (true: 0.6065)
sigma 1e-08: at x = sigma the Gaussian is 0.9048 of its peak (true: 0.6065), the Lorentzian 0.5000 (true: 0.5000), at exp(sigma) the lognormal 0.9048 (true: 0.6065)
sigma 1e-09: at x = sigma the Gaussian is 0.9990 of its peak (true: 0.6065), the Lorentzian 0.5000 (true: 0.5000), at exp(sigma) the lognormal 0.9990 (true: 0.6065)
GaussianModel in nanoseconds: success True, sigma right to 1e-6: True, R2 above 0.99: True
LorentzianModel in nanoseconds: success True, sigma right to 1e-6: True, R2 above 0.99: True
GaussianModel in seconds: success True, sigma right to 1e-6: False, R2 above 0.99: False
LorentzianModel in seconds: success True, sigma right to 1e-6: True, R2 above 0.99: True
EXPECTED
echo "as described"
