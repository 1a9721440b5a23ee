#!/usr/bin/env bash
# JAX 0.10.2 and PyTorch 2.13.0: the second derivative of the Bessel function i1, an odd and smooth function, is 3 x / 8 near 0.
# Theirs is made of differences over x: off by a factor at 1e-8, of the wrong sign at 1e-9, and -1e-4 at 1e-12, where the
# truth is 4e-13. At 0 JAX says 1. First derivatives are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q jax==0.10.2 jaxlib==0.10.2 torch==2.13.0
cat > "$folder/program.py" <<'PROGRAM'
import jax
import torch
from jax.scipy.special import i1

jax.config.update("jax_enable_x64", True)


def second(x):
    t = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(torch.special.i1(t), t, create_graph=True)
    return float(torch.autograd.grad(slope, t)[0])


for x in (1e-3, 1e-9, 1e-12, 0.0):
    print(f"x = {x:.0e}: JAX {float(jax.grad(jax.grad(i1))(x)):.0e}, PyTorch {second(x):.0e}, true {3 * x / 8:.0e}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
x = 1e-03: JAX 4e-04, PyTorch 4e-04, true 4e-04
x = 1e-09: JAX -6e-08, PyTorch -6e-08, true 4e-10
x = 1e-12: JAX -1e-04, PyTorch -2e-04, true 4e-13
x = 0e+00: JAX 1e+00, PyTorch 0e+00, true 0e+00
EXPECTED
echo "as described"
