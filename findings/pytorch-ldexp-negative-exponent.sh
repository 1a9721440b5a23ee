#!/usr/bin/env bash
# PyTorch 2.13.0: the gradient of ldexp(x, n) = x 2^n in x is 0 where n is a negative integer: 2^n is taken as a power of integers.
# Values are right, and the gradient is too for n >= 0 and for the same n as floats. Parameters scaled so do not train.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q torch==2.13.0
cat > "$folder/program.py" <<'PROGRAM'
import torch

for n in (torch.tensor([2, 0, -1, -3]), torch.tensor([2.0, 0.0, -1.0, -3.0])):
    x = torch.ones(4, requires_grad=True)
    y = torch.ldexp(x, n)
    y.sum().backward()
    print(n.dtype, "values", y.tolist(), "gradient", x.grad.tolist())
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
torch.int64 values [4.0, 1.0, 0.5, 0.125] gradient [4.0, 1.0, 0.0, 0.0]
torch.float32 values [4.0, 1.0, 0.5, 0.125] gradient [4.0, 1.0, 0.5, 0.125]
EXPECTED
echo "as described"
