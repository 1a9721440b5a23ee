#!/usr/bin/env bash
# entmax 1.3 with PyTorch 2.13.0: entmax_bisect(x, alpha) goes to softmax as alpha goes to 1, and at 1 itself, where a learnt alpha that is clamped to 1..2 arrives, it gives all the same weight,
# whatever x is; in float32 at 1 + 1.2e-7 it is 10 % off. The second derivative in alpha, in float64 at ordinary points, is 5 to 10 % off central differences of the first, which is right, and nan as soon as
# a weight is 0. No error, no warning.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q entmax==1.3 torch==2.13.0 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import torch
from entmax import entmax_bisect

torch.set_default_dtype(torch.float64)
x = torch.tensor([0.5, 0.2, -0.3, 1.1])
weights = torch.tensor([1.0, -2.0, 3.0, 0.5])


def show(values):
    return " ".join(f"{v:.4f}" for v in values.tolist())


print("softmax:", show(torch.softmax(x, 0)))
for dtype in (torch.float64, torch.float32):
    for above in (0.0, 2.0**-23, 1e-4, 1e-2):
        print(f"{dtype}, alpha 1 + {above:.2g}: {show(entmax_bisect(x.to(dtype), alpha=torch.tensor(1.0 + above, dtype=dtype)))}")


def value(alpha):
    return ((entmax_bisect(x, alpha=alpha) * weights) ** 2).sum()


def slope(alpha):
    alpha = alpha.clone().requires_grad_()
    return torch.autograd.grad(value(alpha), alpha, create_graph=True)[0], alpha


h = torch.tensor(1e-5)
for number in (1.2, 1.3, 1.6):
    first, alpha = slope(torch.tensor(number))
    second = torch.autograd.grad(first, alpha)[0]
    with torch.no_grad():
        first_by_differences = (value(alpha + h) - value(alpha - h)) / (2 * h)
    second_by_differences = (slope(alpha.detach() + h)[0] - slope(alpha.detach() - h)[0]) / (2 * h)
    print(f"alpha {number}: slope {first.item():.4f}, by differences {first_by_differences.item():.4f}; curvature {second.item():.4f}, by differences {second_by_differences.item():.4f}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
softmax: 0.2492 0.1846 0.1120 0.4541
torch.float64, alpha 1 + 0: 0.2500 0.2500 0.2500 0.2500
torch.float64, alpha 1 + 1.2e-07: 0.2492 0.1846 0.1120 0.4541
torch.float64, alpha 1 + 0.0001: 0.2492 0.1846 0.1120 0.4542
torch.float64, alpha 1 + 0.01: 0.2491 0.1837 0.1103 0.4569
torch.float32, alpha 1 + 0: 0.2500 0.2500 0.2500 0.2500
torch.float32, alpha 1 + 1.2e-07: 0.2760 0.1674 0.1015 0.4551
torch.float32, alpha 1 + 0.0001: 0.2492 0.1846 0.1120 0.4542
torch.float32, alpha 1 + 0.01: 0.2491 0.1837 0.1103 0.4569
alpha 1.2: slope -0.3532, by differences -0.3532; curvature 0.6152, by differences 0.5580
alpha 1.3: slope -0.2837, by differences -0.2837; curvature 0.8774, by differences 0.8352
alpha 1.6: slope -0.1235, by differences -0.1235; curvature nan, by differences 0.4824
EXPECTED
echo "as described"
