#!/usr/bin/env bash
# Accelerate 1.15.0 and Lightning 2.6.6 with PyTorch 2.13.0: gradients accumulated over 4 batches are divided by 4, also in the last step of an epoch, which has fewer batches where 4 does not divide their number. Of 9 batches
# the ninth makes a step of its own with a quarter of its gradient, and its rows count a quarter of what the others do; with 5 batches to an epoch every second step is a quarter of what it should be. No
# warning. Batches four times as large, for which accumulation stands in, give the last step the mean over its rows, as the first ones have it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q accelerate==1.15.0 lightning==2.6.6 torch==2.13.0 numpy==2.4.6
cat > "$folder/program.py" <<'PROGRAM'
import logging
import warnings

import torch
from accelerate import Accelerator
from torch.utils.data import DataLoader, TensorDataset

warnings.simplefilter("ignore")
import lightning

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


def parts(rows, size):
    """A weight w from 0, rows of ones and the loss mean(w x), whose gradient is 1 in every row: each full step is -1."""
    w = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(w.weight)
    return w, DataLoader(TensorDataset(torch.ones(rows, 1)), batch_size=size)


def plain(rows, size):
    w, data = parts(rows, 4 * size)
    opt, path = torch.optim.SGD(w.parameters(), lr=1.0), [0.0]
    for (x,) in data:
        opt.zero_grad()
        w(x).mean().backward()
        opt.step()
        path.append(-w.weight.item())
    return path


def by_accelerate(rows, size):
    accelerator = Accelerator(gradient_accumulation_steps=4, cpu=True)
    w, data = parts(rows, size)
    w, opt, data = accelerator.prepare(w, torch.optim.SGD(w.parameters(), lr=1.0), data)
    path = [0.0]
    for (x,) in data:
        with accelerator.accumulate(w):
            accelerator.backward(w(x).mean())
            opt.step()
            opt.zero_grad()
        path.append(-w.weight.item())
    return path


class Module(lightning.LightningModule):
    def __init__(self, w):
        super().__init__()
        self.w, self.path = w, []

    def training_step(self, batch, number):
        self.path.append(-self.w.weight.item())
        return self.w(batch[0]).mean()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=1.0)


def by_lightning(rows, size):
    w, data = parts(rows, size)
    module = Module(w)
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
    lightning.Trainer(max_epochs=1, accumulate_grad_batches=4, accelerator="cpu", **quiet).fit(module, data)
    return [*module.path, -w.weight.item()]


for rows, size in ((8, 1), (9, 1), (10, 1), (20, 4), (18, 2)):
    print(f"{rows} rows in batches of {size}, four to a step:")
    for name, run in (("batches four times as large", plain), ("Accelerate", by_accelerate), ("Lightning", by_lightning)):
        path = run(rows, size)
        print(f"  {name}: steps {[round(b - a, 4) for a, b in zip(path, path[1:]) if b != a]}")
PROGRAM
"$folder/env/bin/python" -W ignore "$folder/program.py" 2> /dev/null | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
8 rows in batches of 1, four to a step:
  batches four times as large: steps [1.0, 1.0]
  Accelerate: steps [1.0, 1.0]
  Lightning: steps [1.0, 1.0]
9 rows in batches of 1, four to a step:
  batches four times as large: steps [1.0, 1.0, 1.0]
  Accelerate: steps [1.0, 1.0, 0.25]
  Lightning: steps [1.0, 1.0, 0.25]
10 rows in batches of 1, four to a step:
  batches four times as large: steps [1.0, 1.0, 1.0]
  Accelerate: steps [1.0, 1.0, 0.5]
  Lightning: steps [1.0, 1.0, 0.5]
20 rows in batches of 4, four to a step:
  batches four times as large: steps [1.0, 1.0]
  Accelerate: steps [1.0, 0.25]
  Lightning: steps [1.0, 0.25]
18 rows in batches of 2, four to a step:
  batches four times as large: steps [1.0, 1.0, 1.0]
  Accelerate: steps [1.0, 1.0, 0.25]
  Lightning: steps [1.0, 1.0, 0.25]
EXPECTED
echo "as described"
