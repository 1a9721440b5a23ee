"""Rows in shards, a loss of them and its derivatives by hand: what tests of distributed computing share."""

import functools
import gc
import time

import numpy as np
from scipy.special import expit

import tinygrad_math as tm

SIZES = (40, 7, 0, 23, 31, 1, 12)  # rows of each shard; one holds none


def rows(number, columns=3):
    """The rows of a shard, made where they are needed."""
    rng = np.random.default_rng([5, number])
    x = rng.normal(size=(SIZES[number], columns))
    return x, (x @ np.linspace(-1, 1, columns) + 0.3 * rng.normal(size=SIZES[number]) > 0).astype(float)


SHARDS = [functools.partial(rows, k) for k in range(len(SIZES))]
X, Y = (np.concatenate([rows(k)[i] for k in range(len(SIZES))]) for i in (0, 1))
W = {"w": np.array([0.5, -0.2, 0.8]), "b": 0.1}
V = {"w": np.array([1.0, 0.5, -2.0]), "b": -0.7}


def scores(params, x):
    return x @ params["w"] + params["b"]


def logistic(z, y):
    return (tm.logaddexp(0.0, z) - y * z).mean()


def loss(params, batch):
    return logistic(scores(params, batch[0]), batch[1])


def total(params, batch):
    return (tm.logaddexp(0.0, scores(params, batch[0])) - batch[1] * scores(params, batch[0])).sum()


def right(params, batch):
    return {"right": np.mean((np.asarray(batch[0]) @ params["w"].numpy() > 0) == batch[1])}


def by_hand():
    """Value, gradient and Hessian of the logistic loss over all rows, from their formulas."""
    a, z = np.column_stack([X, np.ones(len(X))]), X @ W["w"] + W["b"]
    p = expit(z)
    return np.mean(np.logaddexp(0, z) - Y * z), a.T @ (p - Y) / len(X), (a.T * (p * (1 - p))) @ a / len(X)


def flat(tree):
    return np.concatenate([np.ravel(tree[k].numpy()) for k in ("w", "b")])


def mean_of(params, batch):
    x, y = (batch["x"], batch["y"]) if isinstance(batch, dict) else batch
    return (params["w"] * x.sum(0)).sum() / len(x) + (params["b"] * y).mean()


def left(client):
    """The futures that a client has, once what is on its way has arrived."""
    gc.collect()
    for _ in range(1000):  # twenty seconds and more: a busy machine takes its time
        there = client.run_on_scheduler(lambda dask_scheduler: list(dask_scheduler.tasks))
        if not client.futures and not there:
            return []
        time.sleep(0.02)
    return [*client.futures, *there]


def in_threads(workers):
    """A cluster of threads of this process."""
    import distributed

    return distributed.LocalCluster(n_workers=workers, threads_per_worker=1, processes=False, dashboard_address=":0")
