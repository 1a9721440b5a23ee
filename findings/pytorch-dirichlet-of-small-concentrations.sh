#!/usr/bin/env bash
# PyTorch 2.13.0: samples of Beta(c, c) with a small c lie at 0 or 1, all but a few: of c = 0.001, 0.5 % between 0.01 and 0.99. PyTorch's, in float32 and float64 alike, are
# exactly 0.5 in a quarter of the cases, and of c = 0.0001 in 87 %; those of a symmetric Dirichlet are (1/3, 1/3, 1/3), the middle of the simplex
# in place of a corner. Both gamma variables have been cut off at 1e-38 before the division. JAX's samples, made of logarithms, are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q torch==2.13.0 jax==0.10.2 jaxlib==0.10.2 scipy==1.17.1 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import jax
import numpy as np
import torch
from scipy import stats

torch.manual_seed(0)
inside = lambda x: f"{float(((x > 0.01) & (x < 0.99)).mean()):.2f}"
for c in (0.1, 0.001, 0.0001):
    true = stats.beta(c, c)
    print(f"Beta({c}, {c}), share between 0.01 and 0.99: true {true.cdf(0.99) - true.cdf(0.01):.2f}, JAX {inside(np.asarray(jax.random.beta(jax.random.key(0), c, c, (100_000,))))}")
    for dtype in (torch.float32, torch.float64):
        parameter = torch.tensor(c, dtype=dtype)
        x = torch.distributions.Beta(parameter, parameter).sample((100_000,)).numpy()
        thirds = torch.distributions.Dirichlet(parameter.expand(3)).sample((100_000,)).numpy()
        middle = (np.abs(thirds - 1 / 3) < 1e-6).all(-1).mean()
        print(f"    PyTorch, {dtype}: {inside(x)}, exactly 0.5: {float((x == 0.5).mean()):.2f}; Dirichlet, exactly in the middle: {middle:.2f}")
PROGRAM
"$folder/env/bin/python" "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
Beta(0.1, 0.1), share between 0.01 and 0.99: true 0.36, JAX 0.36
    PyTorch, torch.float32: 0.36, exactly 0.5: 0.00; Dirichlet, exactly in the middle: 0.00
    PyTorch, torch.float64: 0.36, exactly 0.5: 0.00; Dirichlet, exactly in the middle: 0.00
Beta(0.001, 0.001), share between 0.01 and 0.99: true 0.00, JAX 0.01
    PyTorch, torch.float32: 0.25, exactly 0.5: 0.24; Dirichlet, exactly in the middle: 0.12
    PyTorch, torch.float64: 0.24, exactly 0.5: 0.24; Dirichlet, exactly in the middle: 0.12
Beta(0.0001, 0.0001), share between 0.01 and 0.99: true 0.00, JAX 0.00
    PyTorch, torch.float32: 0.87, exactly 0.5: 0.87; Dirichlet, exactly in the middle: 0.81
    PyTorch, torch.float64: 0.87, exactly 0.5: 0.87; Dirichlet, exactly in the middle: 0.81
EXPECTED
echo "as described"
