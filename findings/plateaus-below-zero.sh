#!/usr/bin/env bash
# PyTorch 2.13.0 and Optax 0.2.8: ReduceLROnPlateau and reduce_on_plateau, as they come, never lower the rate of a loss below 0, such as a negative log density: "better" is a value below best * (1 - 1e-4), which of a best
# loss of -100 is everything below -99.99, the same value again and slightly worse ones too. A loss that stands still is an improvement at each step, and of one that slowly gets worse the best value goes up with it. With 200
# added to the same losses the rate is lowered, and in PyTorch also with threshold_mode="abs"; a score below 0 that is to go up (mode="max") is taken alike. No warning. The truth is what "no improvement" says.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q torch==2.13.0 optax==0.2.8 jax==0.10.2 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import warnings

import jax.numpy as jnp
import optax
import torch

warnings.simplefilter("error")


def pytorch(losses, **options):
    opt = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    plan = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, patience=3, **options)
    for loss in losses:
        plan.step(loss)
    return opt.param_groups[0]["lr"], plan.best


def by_optax(losses):
    plan = optax.contrib.reduce_on_plateau(patience=3)
    weights = jnp.zeros(1)
    state = plan.init(weights)
    for loss in losses:
        _, state = plan.update(weights, state, value=jnp.asarray(loss))
    return float(state.scale), float(state.best_value)


for name, losses in (
    ("loss still at 100", [100.0] * 30),
    ("loss still at -100", [-100.0] * 30),
    ("loss rising from 100", [100 + 0.009 * k for k in range(30)]),
    ("loss rising from -100", [-100 + 0.009 * k for k in range(30)]),
):
    for who, (rate, best) in (("PyTorch", pytorch(losses)), ("PyTorch, abs", pytorch(losses, threshold_mode="abs")), ("Optax", by_optax(losses))):
        print(f"{name}, {who}: rate lowered {rate < 0.5}, best {best:.2f}, truly {min(losses):.2f}")
for score in (100.0, -100.0):
    print(f"score still at {score:g}, PyTorch, max: rate lowered {pytorch([score] * 30, mode='max')[0] < 0.5}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
loss still at 100, PyTorch: rate lowered True, best 100.00, truly 100.00
loss still at 100, PyTorch, abs: rate lowered True, best 100.00, truly 100.00
loss still at 100, Optax: rate lowered True, best 100.00, truly 100.00
loss still at -100, PyTorch: rate lowered False, best -100.00, truly -100.00
loss still at -100, PyTorch, abs: rate lowered True, best -100.00, truly -100.00
loss still at -100, Optax: rate lowered False, best -100.00, truly -100.00
loss rising from 100, PyTorch: rate lowered True, best 100.00, truly 100.00
loss rising from 100, PyTorch, abs: rate lowered True, best 100.00, truly 100.00
loss rising from 100, Optax: rate lowered True, best 100.00, truly 100.00
loss rising from -100, PyTorch: rate lowered False, best -99.74, truly -100.00
loss rising from -100, PyTorch, abs: rate lowered True, best -100.00, truly -100.00
loss rising from -100, Optax: rate lowered False, best -99.74, truly -100.00
score still at 100, PyTorch, max: rate lowered True
score still at -100, PyTorch, max: rate lowered False
EXPECTED
echo "as described"
