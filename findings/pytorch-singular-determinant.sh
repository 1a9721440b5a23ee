#!/usr/bin/env bash
# PyTorch 2.13.0: the gradient of det at the singular matrix [[1, 2], [2, 4]] by backward() is silently 0, and by
# torch.func.grad, for the same function at the same point, it is right: the cofactor matrix [[4, -2], [-2, 1]], as
# central differences say.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 torch==2.13.0
cat > "$folder/program.py" <<'PROGRAM'
import torch

a = torch.tensor([[1.0, 2.0], [2.0, 4.0]], dtype=torch.float64)
leaf = a.clone().requires_grad_()
torch.linalg.det(leaf).backward()
print("backward:   ", (leaf.grad + 0.0).tolist())
print("func.grad:  ", [[round(v, 6) for v in row] for row in torch.func.grad(torch.linalg.det)(a).tolist()])
rows = []
for i in range(2):
    for j in range(2):
        d = torch.zeros_like(a)
        d[i, j] = 1e-4
        rows.append(round(((torch.linalg.det(a + d) - torch.linalg.det(a - d)) / 2e-4).item(), 6))
print("differences:", rows)
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
backward:    [[0.0, 0.0], [0.0, 0.0]]
func.grad:   [[4.0, -2.0], [-2.0, 1.0]]
differences: [4.0, -2.0, -2.0, 1.0]
EXPECTED
echo "as described"
