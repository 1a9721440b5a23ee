#!/usr/bin/env bash
# PyTorch 2.13.0: distributions.GeneralizedPareto at the shape (concentration) 0, the exponential case at which a fit begins, has the gradient 0 in the shape,
# of log_prob, cdf and icdf alike: a branch is taken there that does not know it. The truth is, for log_prob at x and scale 1,
# x^2 / 2 - x, 7.5 at 5. A shape of 1e-9 is such a 0 too; at 1e-6 all are right. A fit that starts at 0 stays there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q torch==2.13.0 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import numpy as np
import torch
from torch.distributions import GeneralizedPareto

torch.set_default_dtype(torch.float64)
t = torch.tensor
what = {
    "log_prob(5)": (lambda d: d.log_prob(t(5.0)), lambda c: -(1 + 1 / c) * np.log1p(5 * c)),
    "cdf(5)": (lambda d: d.cdf(t(5.0)), lambda c: -np.expm1(-np.log1p(5 * c) / c)),
    "icdf(0.9)": (lambda d: d.icdf(t(0.9)), lambda c: np.expm1(-c * np.log1p(-0.9)) / c),
}
for name, (f, formula) in what.items():
    for shape in (1e-6, 1e-9, 0.0, -1e-6):
        c = t(shape, requires_grad=True)
        f(GeneralizedPareto(t(0.0), t(1.0), c)).backward()
        true = (formula(shape + 1.1e-4) - formula(shape - 1.1e-4)) / 2.2e-4
        print(f"{name}, shape {shape:g}: slope {c.grad.item() + 0:.4f}, differences {true:.4f}")
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
log_prob(5), shape 1e-06: slope 7.4999, differences 7.4999
log_prob(5), shape 1e-09: slope 0.0000, differences 7.5000
log_prob(5), shape 0: slope 0.0000, differences 7.5000
log_prob(5), shape -1e-06: slope 7.5001, differences 7.5001
cdf(5), shape 1e-06: slope -0.0842, differences -0.0842
cdf(5), shape 1e-09: slope 0.0000, differences -0.0842
cdf(5), shape 0: slope 0.0000, differences -0.0842
cdf(5), shape -1e-06: slope -0.0842, differences -0.0842
icdf(0.9), shape 1e-06: slope 2.6510, differences 2.6510
icdf(0.9), shape 1e-09: slope 0.0000, differences 2.6509
icdf(0.9), shape 0: slope 0.0000, differences 2.6509
icdf(0.9), shape -1e-06: slope 2.6509, differences 2.6509
EXPECTED
echo "as described"
