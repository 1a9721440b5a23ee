"""What a step over a cluster costs on this machine: computing, transport, scheduling.

    python -m tests.bench.distributed_steps [--seconds 20]

Times are minima and medians of many short repeats, taken in turns, since other work may share the machine.
"""

import argparse
import functools
import itertools
import os
import sys
import time

if "numpy" not in sys.modules:
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"

import numpy as np

import tinygrad_math as tm

ROWS, WIDTHS, SHARDS = 200_000, (64, 256, 10), 8  # 64 x 256 + 256 x 10 = 18,944 and biases: 19,210 parameters


def rows(number):
    rng = np.random.default_rng([2, number])
    x = rng.normal(size=(ROWS // SHARDS, WIDTHS[0]))
    return x, rng.integers(0, WIDTHS[-1], size=len(x))


def network():
    rng = np.random.default_rng(0)
    return [(rng.normal(size=s) / 16, np.zeros(s[1])) for s in itertools.pairwise(WIDTHS)]


def loss(params, batch):
    (a, b), (c, d) = params
    return tm.nn.functional.cross_entropy(tm.tanh(batch[0] @ a + b) @ c + d, batch[1])


def tiny(w, batch):
    return (w * batch[0, 0]).sum()


def one_row():
    return np.ones((1, 1))


def timed(f, *args):
    start = time.perf_counter()
    f(*args)
    return time.perf_counter() - start


def in_turns(calls, seconds):
    """Times of some calls, one of each after the other, for so long."""
    times, end = {k: [] for k in calls}, time.perf_counter() + seconds
    while time.perf_counter() < end or min(map(len, times.values())) < 3:
        for k, call in calls.items():
            times[k].append(timed(call))
    return times


def started(workers, threads=1):
    import distributed

    cluster = distributed.LocalCluster(
        n_workers=workers, threads_per_worker=threads, dashboard_address=":0", host="127.0.0.1"
    )
    return cluster, distributed.Client(cluster)


def told(name, times):
    t = np.array(times) * 1e3
    print(
        f"{name:30} min {t.min():8.1f}, quartile {np.quantile(t, 0.25):8.1f}, median {np.median(t):8.1f} ms ({len(t)})",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=20.0)
    seconds = parser.parse_args().seconds
    clusters = {w: started(w) for w in (1, 2)}
    places = {w: client for w, (_, client) in clusters.items()}
    # scheduling: shards of one row, ten parameters
    f = {w: tm.distributed.value_and_grad(tiny, [one_row] * w, c) for w, c in places.items()}
    calls = {f"overhead, {w} workers": functools.partial(f[w], np.ones(10)) for w in f}
    for name, t in in_turns(calls, seconds).items():
        told(name, t)
    # transport: parameters of many sizes
    calls = {
        f"{8 * n / 1e6:.2f} MB, 2 workers": functools.partial(f[2], np.ones(n))
        for n in (1000, 20_000, 200_000, 1_000_000)
    }
    for name, t in in_turns(calls, seconds).items():
        told(name, t)
    # computing
    shards = [functools.partial(rows, k) for k in range(SHARDS)]
    g = {w: tm.distributed.value_and_grad(loss, shards, c) for w, c in places.items()}
    for step in g.values():
        step(network())
    calls = {f"200,000 rows, {w} workers": functools.partial(step, network()) for w, step in g.items()}
    times = in_turns(calls, seconds)
    for name, t in times.items():
        told(name, t)
    one, two = (min(t) for t in times.values())
    print(f"two workers are {one / two:.2f} times as fast as one (minima)")
    for cluster, client in clusters.values():
        client.close()
        cluster.close()
    # scheduling: many groups, as many workers would have them
    for threads in (1, 4, 16):
        cluster, client = started(2, threads)
        h = tm.distributed.value_and_grad(tiny, [one_row] * (2 * threads), client)
        h(np.ones(10))
        told(f"{2 * threads} tasks on 2 workers", in_turns({0: functools.partial(h, np.ones(10))}, seconds / 3)[0])
        client.close()
        cluster.close()


if __name__ == "__main__":
    main()
