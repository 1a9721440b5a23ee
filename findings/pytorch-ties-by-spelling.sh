#!/usr/bin/env bash
# PyTorch 2.13.0: what the gradient of a maximum is at a tie depends on how the maximum is spelled. Of (1, 2, 2): max(),
# amax, maximum and the infinity norm share it, 0.5 each; max(dim), topk, max_pool1d and fmax give all to the first; sort,
# cummax and quantile all to the last; clamp gives 1 to both. median() shares, median(dim) does not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q torch==2.13.0
cat > "$folder/program.py" <<'PROGRAM'
import torch
from torch.nn import functional as F

ways = {
    "x.max()": lambda x: x.max(),
    "x.max(0)": lambda x: x.max(0).values,
    "x.amax(0)": lambda x: x.amax(0),
    "maximum": lambda x: torch.maximum(x[1], x[2]),
    "fmax": lambda x: torch.fmax(x[1], x[2]),
    "infinity norm": lambda x: torch.linalg.vector_norm(x, float("inf")),
    "topk": lambda x: x.topk(1).values.sum(),
    "max_pool1d": lambda x: F.max_pool1d(x[None], 3).sum(),
    "sort": lambda x: x.sort().values[-1],
    "cummax": lambda x: x.cummax(0).values[-1],
    "quantile": lambda x: torch.quantile(x, 1.0),
    "clamp(min=2)": lambda x: x.clamp(min=2.0).sum(),
    "median()": lambda x: x.median(),
    "median(0)": lambda x: x.median(0).values,
}
for name, f in ways.items():
    x = torch.tensor([1.0, 2.0, 2.0], requires_grad=True)
    print(f"{name}: {torch.autograd.grad(f(x), x)[0].tolist()}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
x.max(): [0.0, 0.5, 0.5]
x.max(0): [0.0, 1.0, 0.0]
x.amax(0): [0.0, 0.5, 0.5]
maximum: [0.0, 0.5, 0.5]
fmax: [0.0, 1.0, 0.0]
infinity norm: [0.0, 0.5, 0.5]
topk: [0.0, 1.0, 0.0]
max_pool1d: [0.0, 1.0, 0.0]
sort: [0.0, 0.0, 1.0]
cummax: [0.0, 0.0, 1.0]
quantile: [0.0, 0.0, 1.0]
clamp(min=2): [0.0, 1.0, 1.0]
median(): [0.0, 0.5, 0.5]
median(0): [0.0, 1.0, 0.0]
EXPECTED
echo "as described"
