"""What a step over a cluster costs on this machine, and whether the goals hold: python -m tests.bench.distributed_steps

Takes about 80 seconds. Costs are medians and minima of repeats in turns, since other work may share the machine; a
cost is also given as a ratio to what Dask itself takes in the same seconds for one task and for two.
"""

import functools
import itertools
import os
import platform
import sys
import time

if "numpy" not in sys.modules:
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"

import numpy as np

import tinygrad_math as tm
from tinygrad_math.distributed import direct

ROWS, WIDTHS, SHARDS = 200_000, (64, 256, 10), 8  # 64 x 256 + 256 x 10 = 18,944 and biases: 19,210 parameters
STEPS = 2000
GOALS = []


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


def same(x):
    return x


def seconds_of(f):
    start = time.perf_counter()
    f()
    return time.perf_counter() - start


def in_turns(calls, seconds):
    """Times of some calls, one of each after the other, for so long."""
    for call in calls.values():
        for _ in range(4):  # loads, compiles, and finds out how long a step is
            call()
    times, end = {k: [] for k in calls}, time.perf_counter() + seconds
    while time.perf_counter() < end or min(map(len, times.values())) < 3:
        for k, call in calls.items():
            times[k].append(seconds_of(call))
    for name, found in times.items():
        t = np.array(found) * 1e3
        print(f"  {name:48} median {np.median(t):8.1f}, least {t.min():8.1f} ms ({len(t)})", flush=True)
    return times


def goal(words, holds):
    GOALS.append((words, holds))
    print(f"  -> {words}: {'holds' if holds else 'DOES NOT HOLD'}", flush=True)


def started(workers, threads=1):
    import distributed

    cluster = distributed.LocalCluster(
        n_workers=workers, threads_per_worker=threads, dashboard_address=":0", host="127.0.0.1"
    )
    return cluster, distributed.Client(cluster)


def as_tasks(f):
    """A step that is not taken for a short one."""

    def call(*given):
        short, direct._SHORT = direct._SHORT, 0.0
        try:
            return f(*given)
        finally:
            direct._SHORT = short

    return call


def overhead(client):
    """A step with shards of one row and ten parameters."""
    print("\n1. overhead of a step with tiny shards, a local cluster of two processes")
    w = np.ones(10)
    f = tm.distributed.value_and_grad(tiny, [one_row] * 2, client)
    task = lambda: client.submit(same, w, pure=False)  # noqa: E731
    times = in_turns(
        {
            "Dask: one task, client.submit(f, w).result()": lambda: task().result(),
            "Dask: two tasks, client.gather of two submits": lambda: client.gather([task(), task()]),
            "a step": lambda: f(w),
            "a step as tasks": lambda: as_tasks(f)(w),
        },
        12,
    )
    one, two, step, tasks = (float(np.median(t)) for t in times.values())
    print(f"  a step is {step / one:.2f} of one task and {step / two:.2f} of two; as tasks {tasks / two:.2f} of two")
    goal(f"at most 12 ms in the median: {step * 1e3:.1f} ms", step <= 0.012)
    return f


def transport(f):
    print("\n2. parameters of many sizes (above half a MB for two workers they travel with tasks)")
    sizes = (1000, 20_000, 50_000, 200_000, 1_000_000)
    in_turns({f"{8 * n / 1e6:.3f} MB": functools.partial(f, np.ones(n)) for n in sizes}, 8)


def speed(clients):
    print(f"\n3. computing: {ROWS:,} rows, 19,210 parameters, {SHARDS} shards")
    shards = [functools.partial(rows, k) for k in range(SHARDS)]
    steps = {w: tm.distributed.value_and_grad(loss, shards, c) for w, c in clients.items()}
    point = network()
    for step in steps.values():
        step(point)
    clock = {w: [] for w in clients}
    work = {w: [] for w in clients}
    for _ in range(6):
        for w, client in clients.items():
            before, here = client.run(time.process_time), time.process_time()
            clock[w].append(seconds_of(lambda step=steps[w]: step(point)))
            here = time.process_time() - here
            after = client.run(time.process_time)
            work[w].append(max(after[a] - before[a] for a in after) + here)
    for w in clients:
        print(
            f"  {w} workers: least {min(clock[w]):6.3f} s; processor time of the busier worker and of client and "
            f"scheduler {min(work[w]):6.3f} s"
        )
    fast = min(clock[1]) / min(clock[2])
    print(f"  by processor time two workers are {min(work[1]) / min(work[2]):.2f} times as fast")
    goal(f"two workers at least 1.7 times as fast as one: {fast:.2f}", fast >= 1.7)
    for step in steps.values():
        step.release()


def memory(client):
    print(f"\n4. memory over {STEPS:,} steps, 2,000 parameters (of 20,000, and as tasks: pytest -m long)")
    try:
        import psutil
    except ImportError:
        print("  psutil is not there")
        return
    f = tm.distributed.value_and_grad(
        lambda w, x: ((x @ w) ** 2).mean(), [functools.partial(np.ones, (5, 20))] * 2, client
    )
    watched = {"client and scheduler": psutil.Process()}
    watched |= {f"worker {k}": psutil.Process(pid) for k, pid in enumerate(client.run(os.getpid).values())}
    marks = []
    for k in range(STEPS):
        f(np.full((20, 100), float(k)))
        if k % (STEPS // 4) == STEPS // 4 - 1:
            marks.append([p.memory_info().rss / 2**20 for p in watched.values()])
    for name, sizes in zip(watched, zip(*marks, strict=True), strict=True):
        print(f"  {name:24} after each quarter: " + ", ".join(f"{s:.1f}" for s in sizes) + " MiB")
    growth = marks[-1][0] - marks[0][0]
    goal(f"client and scheduler flat: {growth:+.1f} MiB over the last three quarters", growth < 10)


def scheduling():
    """Many groups, as many workers would have them."""
    print("\n5. more groups than workers: threads of two processes")
    for threads in (4, 16):
        cluster, client = started(2, threads)
        h = tm.distributed.value_and_grad(tiny, [one_row] * (2 * threads), client)
        w = np.ones(10)
        calls = {f"{2 * threads} groups": lambda: h(w), f"{2 * threads} groups, as tasks": lambda: as_tasks(h)(w)}
        in_turns(calls, 4)
        client.close()
        cluster.close()


def main():
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    clusters = {w: started(w) for w in (1, 2)}
    clients = {w: client for w, (_, client) in clusters.items()}
    f = overhead(clients[2])
    transport(f)
    speed(clients)
    memory(clients[2])
    for cluster, client in clusters.values():
        client.close()
        cluster.close()
    scheduling()
    print(f"\nload now {os.getloadavg()[0]:.1f}; goals:")
    for words, holds in GOALS:
        print(f"  {'holds' if holds else 'DOES NOT HOLD'}: {words}")


if __name__ == "__main__":
    main()
