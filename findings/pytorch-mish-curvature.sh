#!/usr/bin/env bash
# PyTorch 2.13.0: the second derivative of mish is nan where the function is the identity: in float32 from x = 89 on, in float64 from
# 710 on. Value and gradient are right there, so that a network trains, and one such unit makes a Hessian-vector product nan.
# silu and gelu at the same points give 0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q torch==2.13.0
cat > "$folder/program.py" <<'PROGRAM'
import torch
from torch.nn import functional as F

for dtype, points in ((torch.float32, (80.0, 90.0)), (torch.float64, (700.0, 720.0))):
    for x in points:
        t = torch.tensor(x, dtype=dtype, requires_grad=True)
        for f in (F.mish, F.silu, F.gelu):
            value = f(t)
            (slope,) = torch.autograd.grad(value, t, create_graph=True)
            (second,) = torch.autograd.grad(slope, t)
            print(f"{dtype} {f.__name__}({x}) = {float(value)}, slope {float(slope)}, second {abs(float(second))}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
torch.float32 mish(80.0) = 80.0, slope 1.0, second 0.0
torch.float32 silu(80.0) = 80.0, slope 1.0, second 0.0
torch.float32 gelu(80.0) = 80.0, slope 1.0, second 0.0
torch.float32 mish(90.0) = 90.0, slope 1.0, second nan
torch.float32 silu(90.0) = 90.0, slope 1.0, second 0.0
torch.float32 gelu(90.0) = 90.0, slope 1.0, second 0.0
torch.float64 mish(700.0) = 700.0, slope 1.0, second 0.0
torch.float64 silu(700.0) = 700.0, slope 1.0, second 0.0
torch.float64 gelu(700.0) = 700.0, slope 1.0, second 0.0
torch.float64 mish(720.0) = 720.0, slope 1.0, second nan
torch.float64 silu(720.0) = 720.0, slope 1.0, second 0.0
torch.float64 gelu(720.0) = 720.0, slope 1.0, second 0.0
EXPECTED
echo "as described"
