"""A run of training that tests start in this process and in others: python training_run.py folder epochs [slow]."""

import sys
import time
from pathlib import Path

import numpy as np

import tinygrad_math as tm
from tinygrad_math.nn import functional as F


def network():
    """With everything that has a state: running values, and random numbers that are drawn."""
    return tm.nn.Sequential(
        tm.nn.Linear(3, 8, rng=0), tm.nn.BatchNorm1d(8), tm.nn.Tanh(), tm.nn.Dropout(0.2), tm.nn.Linear(8, 2, rng=1)
    )


def plain():
    return tm.nn.Sequential(tm.nn.Linear(3, 8, rng=0), tm.nn.Tanh(), tm.nn.Linear(8, 2, rng=1))


def data(n=60):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 3))
    return x, (x[:, 0] * x[:, 1] > 0).astype(int)


class Pause(tm.train.Callback):
    def on_batch_end(self, run):
        time.sleep(0.003 if "slow" in sys.argv else 0)


def start(epochs, make=network, compile=False, schedule=None, optimiser=None, **options):
    """(the network, the history)."""
    tm.random.seed(0)
    net = make()
    opt = tm.optim.Adam(net, lr=0.02) if optimiser is None else optimiser(net)
    options.setdefault("progress", False)
    options.setdefault("validation", data(20))
    loader = tm.data.DataLoader(data(), 16, shuffle=True, seed=1)
    history = tm.train.fit(
        net, loader, F.cross_entropy, opt, epochs, compile=compile, scheduler=schedule and schedule(opt), **options
    )
    return net, history


if __name__ == "__main__":
    folder, epochs = Path(sys.argv[1]), int(sys.argv[2])
    path = folder / "run.npz"
    print("ready", flush=True)
    net, _ = start(
        epochs,
        checkpoint=path,
        resume=path,
        callbacks=[tm.train.MetricsFile(folder / "run.csv"), Pause()],
        schedule=lambda opt: tm.optim.lr_scheduler.StepLR(opt, 2, 0.5),
    )
    tm.save(folder / "end.npz", net.state_dict())
