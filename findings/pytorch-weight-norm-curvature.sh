#!/usr/bin/env bash
# PyTorch 2.13.0: on the CPU the second derivative of weight_norm (torch._weight_norm, of both its old and its new form) is not that
# of the first, which is right: the Hessian of w0 at v = (3, 4), g = 1 is not even symmetric.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q torch==2.13.0
cat > "$folder/program.py" <<'PROGRAM'
import torch

g = torch.ones(1, 1, dtype=torch.float64)


def fused(v):
    return torch._weight_norm(v, g, 0)[0, 0]


def formula(v):
    return (g * v / v.norm(dim=1, keepdim=True))[0, 0]


v = torch.tensor([[3.0, 4.0]], dtype=torch.float64)
for name, f in (("weight_norm", fused), ("formula", formula)):
    first = torch.autograd.functional.jacobian(f, v)
    second = torch.autograd.functional.hessian(f, v).reshape(2, 2)
    print(name, [round(x, 6) for x in first.ravel().tolist()], [[round(x, 6) for x in row] for row in second.tolist()])
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
weight_norm [0.128, -0.096] [[-0.048, -0.0], [-0.032, -0.024]]
formula [0.128, -0.096] [[-0.04608, 0.00256], [0.00256, 0.02208]]
EXPECTED
echo "as described"
