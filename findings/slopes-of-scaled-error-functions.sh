#!/usr/bin/env bash
# JAX 0.10.2 and PyTorch 2.13.0 take the slope of erfcx as 2 x erfcx(x) - 2 / sqrt(pi), two numbers that cancel: of the 16 digits of
# float64 six are left at x = 1e5 and none at 1e8, where both say 0. True: about -1 / (sqrt(pi) x^2). In float32 the slope is
# 10 % off at 1000 and, in JAX, ten times too large at 1e4.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q jax==0.10.2 jaxlib==0.10.2 torch==2.13.0
cat > "$folder/program.py" <<'PROGRAM'
import math

import jax
import torch
from jax.scipy.special import erfcx

jax.config.update("jax_enable_x64", True)
for dtype, points in ((torch.float64, (1e2, 1e5, 1e7, 1e8)), (torch.float32, (10.0, 1e3, 1e4))):
    for x in points:
        t = torch.tensor(x, dtype=dtype, requires_grad=True)
        theirs = float(torch.autograd.grad(torch.special.erfcx(t), t)[0])
        jaxs = float(jax.grad(erfcx)(t.detach().numpy()))
        true = -1 / (math.sqrt(math.pi) * x**2) * (1 - 3 / (2 * x**2) + 15 / (4 * x**4) - 105 / (8 * x**6))
        said = [f"1e{round(math.log10(abs(v / true - 1)))}" if v else "1 (it is 0)" for v in (jaxs, theirs)]
        print(f"{dtype} x = {x:.0e}: relative error {said[0]} in JAX, {said[1]} in PyTorch")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
torch.float64 x = 1e+02: relative error 1e-12 in JAX, 1e-12 in PyTorch
torch.float64 x = 1e+05: relative error 1e-6 in JAX, 1e-6 in PyTorch
torch.float64 x = 1e+07: relative error 1e-2 in JAX, 1e-2 in PyTorch
torch.float64 x = 1e+08: relative error 1 (it is 0) in JAX, 1 (it is 0) in PyTorch
torch.float32 x = 1e+01: relative error 1e-6 in JAX, 1e-6 in PyTorch
torch.float32 x = 1e+03: relative error 1e-1 in JAX, 1e-1 in PyTorch
torch.float32 x = 1e+04: relative error 1e1 in JAX, 1 (it is 0) in PyTorch
EXPECTED
echo "as described"
