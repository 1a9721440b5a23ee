"""Sweeps: one run for each point of a grid of settings, on whichever worker is free."""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import nullcontext
from typing import Any

import numpy as np

from .. import random
from ..core.arguments import named as checked
from ..core.errors import ArgumentError, describe
from ..saving.archive import alone
from .cluster import check_client
from .results import Results, path_of
from .running import Run, failed
from .sending import library, packed
from .table import Row, Sweep
from .waiting import Patience, arriving, check_versions, drop, explained, named, restarted

__all__ = ["sweep"]

_RESERVED = ("value", "seconds", "error", "traceback")


@checked
def sweep(
    run: Callable[..., Any],
    grid: Any,
    client: Any,
    results: str | os.PathLike[str] | None = None,
    progress: bool = True,
    callback: Callable[[Row], Any] | None = None,
) -> Sweep:
    """One run for each point of a grid, spread over the workers; the rows of all, in the order of the grid.

    Arguments: `run(**settings)` gives a number, a dict of numbers, or a History, whose last row counts (a column of it
    that is named as a setting, like "lr", is left out). Each run works on copies of its settings and of what `run`
    refers to, and has a stream of `tm.random` of its own, which begins by the caller's seed and the run's place in the
    grid: a row depends on these alone, not on the worker or on other runs. Only what a run changes in an imported
    module others see, unless `cloudpickle.register_pickle_by_value(module)` has that copied, too. `grid` a dict of
    lists, whose product is taken, or a list of dicts. `client` as for `value_and_grad`. `results` a file (.jsonl), to
    which each row is added as it comes: a sweep that was stopped goes on from there, and runs what failed again.
    `callback` is called with each row as it comes; `progress` tells of it on the standard error stream.
    Returns a `Sweep`: its rows hold settings, measures and "seconds"; a row of a run that raised has "error", of some
    1,000 characters at most, and "traceback" instead, and does not stop the others; nor does one that ends its worker.
    Raises ArgumentError, also for what cannot be copied; FileError for a file of another sweep, or one that is being
    written; ClusterError if there is no cluster any more.

    >>> import tinygrad_math as tm
    >>> def run(lr, steps):
    ...     x = 1.0
    ...     for _ in range(steps):
    ...         x -= lr * tm.grad(lambda x: x * x)(x).item()
    ...     return {"loss": x * x}
    >>> found = tm.distributed.sweep(run, {"lr": [0.1, 0.5, 1.5], "steps": [2]}, "synchronous", progress=False)
    >>> found["loss"], found.best("loss")["lr"]
    ([0.4096..., 0.0, 16.0], 0.5)
    """
    if not callable(run):
        raise ArgumentError(f"sweep takes a function of the settings, got {describe(run)}")
    if callback is not None and not callable(callback):
        raise ArgumentError(f"sweep: callback is a function of a row, got {describe(callback)}")
    points = _points(grid)
    pool = _pool(client)
    path = None if results is None else path_of(results)
    with nullcontext() if path is None else alone(path, "sweep"):
        file = None if path is None else Results(path, points)
        rows: dict[int, Row] = {} if file is None else dict(file.rows)
        left = [(k, packed(point, "sweep", apart=True)) for k, point in enumerate(points) if k not in rows]
        before, start = len(rows), time.perf_counter()
        names = dict.fromkeys(n for p in points for n in p)
        one = Run(packed(run, "sweep", apart=True), int(random.shared.numpy.integers(1 << 62)), frozenset(names))
        for k, outcome in pool(one, left):
            rows[k] = {**points[k], **outcome}
            if file is not None:
                file.add(k, rows[k])
            if callback is not None:
                callback(rows[k])
            if progress:
                told = _told(rows[k], points[k])
                spent = (time.perf_counter() - start) / (len(rows) - before) * (len(points) - len(rows))
                print(f"run {len(rows)}/{len(points)}  {told}  {spent:.0f} s left", file=sys.stderr, flush=True)
    return Sweep([rows[k] for k in range(len(points))], list(names))


def _points(grid: Any) -> list[Row]:
    if isinstance(grid, Mapping):
        for name, values in grid.items():
            if not isinstance(values, (list, tuple, range, np.ndarray)):
                raise ArgumentError(
                    f"sweep: a grid holds a list of values for each name, got {name}={describe(values)}"
                )
        found = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    elif (
        isinstance(grid, Sequence) and not isinstance(grid, (str, bytes)) and all(isinstance(p, Mapping) for p in grid)
    ):
        found = [dict(p) for p in grid]
    else:
        raise ArgumentError(f"sweep: a grid is a dict of lists or a list of dicts, got {describe(grid)}")
    if not found:
        raise ArgumentError("sweep: the grid has no point")
    for point in found:
        for name in point:
            if not isinstance(name, str) or not name.isidentifier():
                raise ArgumentError(
                    f"sweep: settings are the arguments of the function, and {describe(name)} is no name"
                )
            if name in _RESERVED:
                raise ArgumentError(
                    f"sweep: a setting cannot be called {name!r}, as one of the columns of what runs measure is"
                )
    return [{name: v.item() if isinstance(v, np.generic) else v for name, v in p.items()} for p in found]


# -- what goes through the runs -----------------------------------------------------------------------------------
Points = list[tuple[int, bytes]]
Pool = Callable[[Run, Points], Iterator[tuple[int, Row]]]


def _pool(client: Any) -> Pool:
    """What goes through the runs, by the client that was given."""
    library("dask", "sweep")
    if isinstance(client, str) and client == "synchronous":
        return _one_by_one
    if isinstance(client, str) and client == "threads":
        return _by_threads
    check_client(client, "sweep")
    return lambda run, left: _by_workers(client, run, left)


def _one_by_one(run: Run, left: Points) -> Iterator[tuple[int, Row]]:
    for k, point in left:
        yield k, run(k, point)


def _by_threads(run: Run, left: Points) -> Iterator[tuple[int, Row]]:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        places = {pool.submit(run, k, point): k for k, point in left}
        try:
            for future in as_completed(places):
                yield places[future], future.result()
        finally:
            for future in places:
                future.cancel()


def _by_workers(client: Any, run: Run, left: Points) -> Iterator[tuple[int, Row]]:
    """The rows of runs on workers. Those that died with their workers run again, each alone: one was to blame."""
    if not left:
        return
    points = dict(left)
    with named("sweep"):
        if Patience(client, "sweep").look():
            check_versions(client, "sweep", list(client.nthreads()))
    died = []
    for k, outcome in _rows(client, run, points):
        if outcome is None:
            died.append(k)
        else:
            yield k, outcome
    for k in died:
        for _, outcome in _rows(client, run, {k: points[k]}):
            yield k, outcome or {"error": _ENDED, "traceback": _ENDED}


_ENDED = (
    "ClusterError: sweep: each worker that took this run died at it, alone as with others: it needs more memory than a "
    "worker has, or ends its process"
)
_ANEW = 10  # restarts of a cluster, one after the other, between which no run ended


def _rows(client: Any, run: Run, points: Mapping[int, bytes]) -> Iterator[tuple[int, Row | None]]:
    """The rows of some runs as they come, None for those whose workers died. What a restart forgot runs again."""
    left, vain = dict(points), 0
    while left:
        before = len(left)
        for k, outcome in _together(client, run, left, last=vain == _ANEW):
            del left[k]
            yield k, outcome
        vain = vain + 1 if len(left) == before else 0


def _together(client: Any, run: Run, points: Mapping[int, bytes], last: bool) -> Iterator[tuple[int, Row | None]]:
    """The same, but for those that a restart of the cluster forgot, which have no row unless this is the last try."""
    futures: dict[Any, int] = {}
    kept: Any = None
    try:
        with named("sweep"):
            given = run.text, run.seed, run.settings
            kept = client.submit(Run, *given, key=f"keep-{os.urandom(16).hex()}", pure=False)
            for k, point in points.items():
                key = f"run-{os.urandom(16).hex()}"
                futures[client.submit(Run.__call__, kept, k, point, key=key, pure=False)] = k
        for future in arriving(client, list(futures), "sweep"):
            outcome: Row | None
            try:
                outcome = future.result()
            except Exception as error:
                if restarted(error, client) and not last:
                    drop([future])
                    del futures[future]
                    continue
                told = explained(error, "sweep")
                if client.status not in ("running", "connecting"):
                    raise told from error  # no run's failure
                outcome = None if type(error).__name__ == "KilledWorker" else failed(told)
            k = futures.pop(future)
            drop([future])
            yield k, outcome
    finally:
        if futures and client.status == "running":
            client.cancel(list(futures))
        drop([*futures, kept])


def _told(row: Row, point: Row) -> str:
    shown = {**point, **{k: v for k, v in row.items() if k not in point and k not in ("traceback", "seconds")}}
    return ", ".join(f"{k}={v:.4g}" if isinstance(v, float) else f"{k}={v}" for k, v in shown.items())[:160]
