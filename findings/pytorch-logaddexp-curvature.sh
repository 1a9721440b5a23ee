#!/usr/bin/env bash
# PyTorch 2.13.0: second derivatives of logaddexp(x, y) are nan as soon as x and y lie more than 88 apart in float32, 709 in float64 (true:
# 0); first ones are right. Of logsumexp of the same two numbers all are.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q torch==2.13.0
cat > "$folder/program.py" <<'PROGRAM'
import torch


def both(v):
    return torch.logaddexp(v[0], v[1])


for dtype, gap in ((torch.float32, 80.0), (torch.float32, 100.0), (torch.float64, 700.0), (torch.float64, 720.0)):
    for pair in ((0.0, -gap), (-gap, 0.0)):
        v = torch.tensor(pair, dtype=dtype)
        found = [bool(torch.func.hessian(f)(v).isfinite().all()) for f in (both, lambda v: torch.logsumexp(v, 0))]
        print(dtype, pair, "Hessian finite: logaddexp", found[0], "logsumexp", found[1])
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
torch.float32 (0.0, -80.0) Hessian finite: logaddexp True logsumexp True
torch.float32 (-80.0, 0.0) Hessian finite: logaddexp True logsumexp True
torch.float32 (0.0, -100.0) Hessian finite: logaddexp False logsumexp True
torch.float32 (-100.0, 0.0) Hessian finite: logaddexp False logsumexp True
torch.float64 (0.0, -700.0) Hessian finite: logaddexp True logsumexp True
torch.float64 (-700.0, 0.0) Hessian finite: logaddexp True logsumexp True
torch.float64 (0.0, -720.0) Hessian finite: logaddexp False logsumexp True
torch.float64 (-720.0, 0.0) Hessian finite: logaddexp False logsumexp True
EXPECTED
echo "as described"
