#!/usr/bin/env bash
# higher 0.2.1 with PyTorch 2.13.0: the differentiable twin of an optimiser that was made with maximize=True goes down where
# the optimiser goes up, and that of Adam with decoupled_weight_decay=True decays as if it had not been said: what PyTorch
# has learnt since is read by neither an error nor a warning. An inner loop of rewards is unrolled, and differentiated, with
# the wrong sign. All eight optimisers that take maximize are alike.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q numpy==2.4.6 torch==2.13.0 higher==0.2.1
cat > "$folder/program.py" <<'PROGRAM'
import higher
import torch

start = torch.tensor([0.5, -0.5], dtype=torch.float64)


class Reward(torch.nn.Module):
    """-(x - 1)^2 - (y - 1)^2: its maximum is at (1, 1)."""

    def __init__(self):
        super().__init__()
        self.at = torch.nn.Parameter(start.clone())

    def forward(self):
        return -((self.at - 1) ** 2).sum()


def reached(make, differentiable):
    model = Reward()
    optimizer = make(model.parameters())
    if not differentiable:
        for _ in range(3):
            optimizer.zero_grad()
            model().backward()
            optimizer.step()
        return model.at
    with higher.innerloop_ctx(model, optimizer) as (unrolled, twin):
        for _ in range(3):
            twin.step(unrolled())
        return next(unrolled.parameters())


optim = torch.optim
cases = {
    "SGD, maximize": lambda p: optim.SGD(p, lr=0.1, maximize=True),
    "Adam, maximize": lambda p: optim.Adam(p, lr=0.1, maximize=True),
    "RMSprop, maximize": lambda p: optim.RMSprop(p, lr=0.1, maximize=True),
    "Adagrad, maximize": lambda p: optim.Adagrad(p, lr=0.1, maximize=True),
    "Adam, decoupled": lambda p: optim.Adam(p, lr=0.1, weight_decay=2.0, decoupled_weight_decay=True),
}
for name, make in cases.items():
    own, twin = ([round(x, 3) for x in reached(make, kind).tolist()] for kind in (False, True))
    print(f"{name}: from {start.tolist()} to {own}, by higher {twin}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
SGD, maximize: from [0.5, -0.5] to [0.744, 0.232], by higher [0.136, -1.592]
Adam, maximize: from [0.5, -0.5] to [0.795, -0.201], by higher [0.2, -0.8]
RMSprop, maximize: from [0.5, -0.5] to [1.076, 0.933], by higher [-2.291, -3.116]
Adagrad, maximize: from [0.5, -0.5] to [0.709, -0.277], by higher [0.258, -0.734]
Adam, decoupled: from [0.5, -0.5] to [0.013, -0.5], by higher [0.2, -0.8]
EXPECTED
echo "as described"
