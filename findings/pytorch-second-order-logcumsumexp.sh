#!/usr/bin/env bash
# PyTorch 2.13.0: the Hessian-vector product through logcumsumexp is NaN in every place, at ordinary points, while the
# first derivative is right. By finite differences of the gradient it is finite.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 torch==2.13.0
cat > "$folder/program.py" <<'PROGRAM'
import torch

f = lambda x: torch.logcumsumexp(x, 0).sum()
x, v = torch.tensor([0.1, 0.2, 0.3], dtype=torch.float64), torch.ones(3, dtype=torch.float64)
g = torch.func.grad(f)
print("gradient:   ", [round(a, 4) for a in g(x).tolist()])
print("hvp:        ", torch.autograd.functional.hvp(f, x, torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64))[1].tolist())
d = torch.tensor([1e-6, 0.0, 0.0], dtype=torch.float64)
print("differences:", [round(a, 4) for a in ((g(x + d) - g(x - d)) / 2e-6).tolist()])
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
gradient:    [1.7756, 0.8572, 0.3672]
hvp:         [nan, nan, nan]
differences: [0.4596, -0.3492, -0.1104]
EXPECTED
echo "as described"
