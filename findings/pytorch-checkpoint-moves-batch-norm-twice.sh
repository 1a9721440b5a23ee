#!/usr/bin/env bash
# PyTorch 2.13.0: under torch.utils.checkpoint, which computes a part of a network a second time in the backward pass to save memory, BatchNorm takes note of each batch twice: num_batches_tracked is 10 after 5 steps, and the running mean and
# variance move by 1 - 0.9^2 = 0.19 a step in place of the momentum, 0.1. Outputs and gradients in training are right, and the network that is evaluated or saved is another one than without. A counter or average of one's own in
# forward is doubled too. With use_reentrant=True and False alike; no warning, and the page on checkpoint speaks of random numbers alone.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q torch==2.13.0 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import warnings

import torch
from torch.utils.checkpoint import checkpoint

warnings.simplefilter("error")
torch.set_default_dtype(torch.float64)
batches = [torch.tensor([[0.0], [1.0], [2.0], [5.0]]) + 3 * k for k in range(5)]


class Counted(torch.nn.Linear):
    seen = 0

    def forward(self, x):
        self.seen += len(x)
        return super().forward(x)


def train(how):
    """The layer after the five batches, and the sum of its outputs and input gradients on the way."""
    layer, counted, check = torch.nn.BatchNorm1d(1), Counted(1, 1), 0.0
    with torch.no_grad():
        counted.weight.fill_(2.0), counted.bias.fill_(0.5)
    for batch in batches:
        x = batch.clone().requires_grad_()
        run = lambda x: (layer(counted(x)) ** 3).sum()
        loss = run(x) if how is None else checkpoint(run, x, use_reentrant=how)
        loss.backward()
        check += loss.item() + float(x.grad.square().sum())
    return layer, counted.seen, check


mean, variance = 0.0, 1.0
for batch in batches:  # the definition: momentum 0.1
    y = 2 * batch + 0.5
    mean, variance = 0.9 * mean + 0.1 * y.mean().item(), 0.9 * variance + 0.1 * y.var().item()
print(f"by definition: batches 5, running mean {mean:.4f}, running variance {variance:.4f}")
for how in (None, True, False):
    layer, seen, check = train(how)
    same = abs(check - train(None)[2]) < 1e-9
    name = "without checkpoint" if how is None else f"use_reentrant={how}"
    print(f"{name}: batches {layer.num_batches_tracked.item()}, running mean {layer.running_mean.item():.4f}, running variance {layer.running_var.item():.4f}, rows counted {seen} of 20, losses and gradients as without {same}")
    out = layer.eval()(torch.tensor([[20.0]]))
    print(f"  evaluated at 20: {out.item():.4f}, by definition {(20 - mean) / (variance + 1e-5) ** 0.5:.4f}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
by definition: batches 5, running mean 7.2722, running variance 8.2347
without checkpoint: batches 5, running mean 7.2722, running variance 8.2347, rows counted 20 of 20, losses and gradients as without True
  evaluated at 20: 4.4354, by definition 4.4354
use_reentrant=True: batches 10, running mean 12.3629, running variance 12.5067, rows counted 40 of 20, losses and gradients as without True
  evaluated at 20: 2.1595, by definition 4.4354
use_reentrant=False: batches 10, running mean 12.3629, running variance 12.5067, rows counted 40 of 20, losses and gradients as without True
  evaluated at 20: 2.1595, by definition 4.4354
EXPECTED
echo "as described"
