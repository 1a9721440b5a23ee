#!/usr/bin/env bash
# PyTorch 2.13.0: binary_cross_entropy of a probability p has the right value, -log(p), far below 1e-12, and the gradient of
# 1e-12: that in p divides by max(p (1 - p), 1e-12). Through a sigmoid, at the logit -30 it is -0.09 and at -60 -9e-15 (true:
# -1), in float32 and float64 alike: the worst errors, of loss 30 and 60, pull least. The values say nothing of it;
# binary_cross_entropy_with_logits is right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q torch==2.13.0
cat > "$folder/program.py" <<'PROGRAM'
import torch
from torch.nn import functional as F

for dtype in (torch.float32, torch.float64):
    for logit in (-20.0, -27.0, -30.0, -60.0):
        x = torch.tensor(logit, dtype=dtype, requires_grad=True)
        one = torch.ones((), dtype=dtype)
        seen = []
        for loss in (F.binary_cross_entropy(torch.sigmoid(x), one), -torch.log(torch.sigmoid(x)), F.binary_cross_entropy_with_logits(x, one)):
            (slope,) = torch.autograd.grad(loss, x)
            seen.append(f"{loss.item():.4f} slope {slope.item():.2g}")
        print(f"{dtype} logit {logit}: binary_cross_entropy {seen[0]}, by its formula {seen[1]}, with logits {seen[2]}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
torch.float32 logit -20.0: binary_cross_entropy 20.0000 slope -1, by its formula 20.0000 slope -1, with logits 20.0000 slope -1
torch.float32 logit -27.0: binary_cross_entropy 27.0000 slope -1, by its formula 27.0000 slope -1, with logits 27.0000 slope -1
torch.float32 logit -30.0: binary_cross_entropy 30.0000 slope -0.094, by its formula 30.0000 slope -1, with logits 30.0000 slope -1
torch.float32 logit -60.0: binary_cross_entropy 60.0000 slope -8.8e-15, by its formula 60.0000 slope -1, with logits 60.0000 slope -1
torch.float64 logit -20.0: binary_cross_entropy 20.0000 slope -1, by its formula 20.0000 slope -1, with logits 20.0000 slope -1
torch.float64 logit -27.0: binary_cross_entropy 27.0000 slope -1, by its formula 27.0000 slope -1, with logits 27.0000 slope -1
torch.float64 logit -30.0: binary_cross_entropy 30.0000 slope -0.094, by its formula 30.0000 slope -1, with logits 30.0000 slope -1
torch.float64 logit -60.0: binary_cross_entropy 60.0000 slope -8.8e-15, by its formula 60.0000 slope -1, with logits 60.0000 slope -1
EXPECTED
echo "as described"
