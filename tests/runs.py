"""What tests of training runs share: settings, and what is compared."""

import csv

import numpy as np
from training_run import plain

import tinygrad_math as tm

L = tm.optim.lr_scheduler


def difference(a, b):
    pairs = zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    return max(np.abs(x - y).max() for x, y in pairs)


def same(a, b):
    assert list(a.state_dict()) == list(b.state_dict())
    for name, value in a.state_dict().items():
        np.testing.assert_array_equal(value, b.state_dict()[name], err_msg=name)


def rows(history):
    return [{k: v for k, v in row.items() if k != "seconds"} for row in history]


def table(path):
    return list(csv.DictReader(path.read_text().splitlines()))


SETTINGS = {
    "plain": {"make": plain},
    "norm and dropout": {},
    "clip_norm": {"clip_norm": 0.3},
    "clip_value": {"clip_value": 0.05},
    "accumulate": {"accumulate": 3},
    "accumulate, norm, clipped": {"accumulate": 2, "clip_norm": 0.1, "clip_value": 0.1},
    "per epoch": {"schedule": lambda o: L.CosineAnnealingLR(o, 4)},
    "one cycle": {
        "optimiser": lambda m: tm.optim.SGD(m, lr=0.1, momentum=0.9),
        "schedule": lambda o: L.OneCycleLR(o, 0.3, total_steps=16),
    },
    "plateau": {"schedule": lambda o: L.ReduceLROnPlateau(o, patience=0, threshold=0.5)},
    "groups": {
        "make": plain,
        "optimiser": lambda m: tm.optim.AdamW([{"params": m[0], "lr": 0.01}, {"params": m[2], "lr": 0.05}]),
    },
    "a parameter that is held fixed": {
        "make": plain,
        "optimiser": lambda m: tm.optim.RMSprop(m[2].parameters(), lr=0.01, centered=True, momentum=0.5),
    },
}
