#!/usr/bin/env bash
# PyTorch 2.13.0, three layers in float64. The gradient of hardsigmoid has the 1/6 of single precision, 3e-8 off; hardswish,
# which is x hardsigmoid(x), has it right. LPPool with ceil_mode counts a window that is cut off by the edge as if it were
# full: sums of ones over windows of 4, 2, 2 and 1 places are all 4. soft_margin_loss, log(1 + exp(-y x)), is inf at
# x = -800, where multilabel_soft_margin_loss of the same score is 800.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q torch==2.13.0
cat > "$folder/program.py" <<'PROGRAM'
import torch
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)
for f in (F.hardsigmoid, F.hardswish):
    x = torch.tensor(0.0, requires_grad=True)
    step = 1e-3
    (slope,) = torch.autograd.grad(f(x), x)
    print(f"{f.__name__}: slope at 0 {slope.item():.12f}, by differences {((f(x + step) - f(x - step)) / (2 * step)).item():.12f}")
print("lp_pool2d of ones:", F.lp_pool2d(torch.ones(1, 1, 3, 3), 1, 2, ceil_mode=True).flatten().tolist())
print("with zeros at the edge:", F.lp_pool2d(F.pad(torch.ones(1, 1, 3, 3), (0, 1, 0, 1)), 1, 2).flatten().tolist())
x, one = torch.tensor([[-800.0]]), torch.ones(1, 1)
print("soft_margin_loss:", F.soft_margin_loss(x, one).item(), "multilabel:", F.multilabel_soft_margin_loss(x, one).item())
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
hardsigmoid: slope at 0 0.166666671634, by differences 0.166666666667
hardswish: slope at 0 0.500000000000, by differences 0.500000000000
lp_pool2d of ones: [4.0, 4.0, 4.0, 4.0]
with zeros at the edge: [4.0, 2.0, 2.0, 1.0]
soft_margin_loss: inf multilabel: 800.0
EXPECTED
echo "as described"
