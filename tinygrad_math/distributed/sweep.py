"""Sweeps: one run for each point of a grid of settings, on whichever worker is free."""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import nullcontext
from typing import Any

import numpy as np

from .. import random
from ..core.arguments import named as checked
from ..core.errors import ArgumentError, FileError, describe
from ..core.tensor import Tensor
from ..random import own_stream
from ..saving.archive import alone
from .cluster import is_client
from .keeping import Kept
from .sending import library, packed
from .table import Row, Sweep
from .waiting import Patience, arriving, check_versions, drop, explained, named, restarted

__all__ = ["sweep"]

_PLAIN = (bool, int, float, str, type(None))
_RESERVED = ("value", "seconds", "error", "traceback")
_LIST = "(settings)"  # in a results file: which of a row's columns are settings
_WORDS = 4000  # characters of a traceback that are kept


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
    that is named as a setting, like "lr", is left out). Each run has a stream of `tm.random` of its own, which begins
    by the caller's seed and the run's place in the grid, so that a row does not depend on the worker. `grid` a dict of
    lists, whose product is taken, or a list of dicts. `client` as for `value_and_grad`. `results` a file (.jsonl), to
    which each row is added as it comes: a sweep that was stopped goes on from there, and runs what failed again.
    `callback` is called with each row as it comes; `progress` tells of it on the standard error stream.
    Returns a `Sweep`: its rows hold settings, measures and "seconds"; a row of a run that raised has "error" and
    "traceback" instead, and does not stop the others; nor does one that ends its worker. Raises ArgumentError;
    FileError for a file of another sweep, or one that is being written; ClusterError if there is no cluster any more.

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
    path = None if results is None else _path(results)
    with nullcontext() if path is None else alone(path):
        file = None if path is None else _File(path, points)
        rows: dict[int, Row] = {} if file is None else dict(file.rows)
        left = [(k, point) for k, point in enumerate(points) if k not in rows]
        before, start = len(rows), time.perf_counter()
        one = _Run(run, int(random.shared.numpy.integers(1 << 62)), frozenset(n for p in points for n in p))
        for k, outcome in pool(one, left):
            rows[k] = {**points[k], **outcome}
            if file is not None:
                file.add(rows[k], points[k])
            if callback is not None:
                callback(rows[k])
            if progress:
                told = _told(rows[k], points[k])
                spent = (time.perf_counter() - start) / (len(rows) - before) * (len(points) - len(rows))
                print(f"run {len(rows)}/{len(points)}  {told}  {spent:.0f} s left", file=sys.stderr, flush=True)
    return Sweep([rows[k] for k in range(len(points))], list(dict.fromkeys(n for p in points for n in p)))


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


# -- one run ---------------------------------------------------------------------------------------------------
class _Run:
    """What makes a row of a point: what a run measured, or how it failed."""

    def __init__(self, run: Callable[..., Any], seed: int, settings: frozenset[str]) -> None:
        self.run, self.seed, self.settings = run, seed, settings

    def __call__(self, k: int, point: Row) -> Row:
        start = time.perf_counter()
        try:
            with own_stream([self.seed, k]):
                found = self.measures(self.run(**point), point)
        except (Exception, SystemExit) as error:
            trace = error.__traceback__
            text = "".join(traceback.format_exception(type(error), error, trace.tb_next if trace is not None else None))
            return {"error": f"{type(error).__name__}: {error}", "traceback": text[-_WORDS:]}
        return {**found, "seconds": time.perf_counter() - start}

    def measures(self, found: Any, point: Row) -> dict[str, Any]:
        """A result as numbers by name."""
        rows = getattr(found, "rows", None)
        if isinstance(rows, list) and (not rows or isinstance(rows[-1], Mapping)):
            if not rows:
                raise ArgumentError("sweep: a run returned a History without a row; did it train for no epoch?")
            found = {k: v for k, v in rows[-1].items() if k != "seconds" and k not in self.settings}
        if not isinstance(found, Mapping):
            found = {"value": found}
        out = {}
        for name, value in found.items():
            number = value.detach().numpy() if isinstance(value, Tensor) else value
            if np.ndim(number) or np.asarray(number).dtype.kind not in "biuf":
                raise ArgumentError(
                    f"sweep: a run returns a number, a dict of numbers or a History, got {name}={describe(value)}"
                )
            number = np.asarray(number).item()
            if name in point and point[name] == number:  # told again
                continue
            if name in self.settings or name in ("seconds", "error", "traceback", _LIST):
                raise ArgumentError(
                    f"sweep: a run measures {name}={number!r:.40}, and {name!r} is the name of another column"
                )
            out[str(name)] = number
        return out


def _kept_outcome(kept: Kept, k: int, point: Kept) -> Row:
    found: Row = kept.value()(k, point.value())
    return found


Points = list[tuple[int, Row]]
Pool = Callable[[_Run, Points], Iterator[tuple[int, Row]]]


def _pool(client: Any) -> Pool:
    """What goes through the runs, by the client that was given."""
    library("dask", "sweep")
    if isinstance(client, str) and client == "synchronous":
        return _one_by_one
    if isinstance(client, str) and client == "threads":
        return _by_threads
    if is_client(client):
        return lambda run, left: _by_workers(client, run, left)
    raise ArgumentError(
        f"sweep: client is a dask.distributed.Client, or 'synchronous' or 'threads', got {describe(client)}"
    )


def _one_by_one(run: _Run, left: Points) -> Iterator[tuple[int, Row]]:
    for k, point in left:
        yield k, run(k, point)


def _by_threads(run: _Run, left: Points) -> Iterator[tuple[int, Row]]:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        places = {pool.submit(run, k, point): k for k, point in left}
        try:
            for future in as_completed(places):
                yield places[future], future.result()
        finally:
            for future in places:
                future.cancel()


def _by_workers(client: Any, run: _Run, left: Points) -> Iterator[tuple[int, Row]]:
    """The rows of runs on workers. Those that died with their workers run again, each alone: one was to blame."""
    if not left:
        return
    text = packed(run, "sweep")
    points = {k: Kept(packed(point, "sweep")) for k, point in left}
    with named("sweep"):
        if Patience(client, "sweep").look():
            check_versions(client, "sweep", list(client.nthreads()))
    died = []
    for k, outcome in _rows(client, text, points):
        if outcome is None:
            died.append(k)
        else:
            yield k, outcome
    for k in died:
        for _, outcome in _rows(client, text, {k: points[k]}):
            yield k, outcome or {"error": _ENDED, "traceback": _ENDED}


_ENDED = (
    "ClusterError: sweep: each worker that took this run died at it, alone as with others: it needs more memory than a "
    "worker has, or ends its process"
)
_ANEW = 10  # restarts of a cluster, one after the other, between which no run ended


def _rows(client: Any, text: bytes, points: Mapping[int, Kept]) -> Iterator[tuple[int, Row | None]]:
    """The rows of some runs as they come, None for those whose workers died. What a restart forgot runs again."""
    left, vain = dict(points), 0
    while left:
        before = len(left)
        for k, outcome in _together(client, text, left, last=vain == _ANEW):
            del left[k]
            yield k, outcome
        vain = vain + 1 if len(left) == before else 0


def _together(client: Any, text: bytes, points: Mapping[int, Kept], last: bool) -> Iterator[tuple[int, Row | None]]:
    """The same, but for those that a restart of the cluster forgot, which have no row unless this is the last try."""
    futures: dict[Any, int] = {}
    kept: Any = None
    try:
        with named("sweep"):
            kept = client.submit(Kept, text, key=f"keep-{os.urandom(16).hex()}", pure=False)
            for k, point in points.items():
                key = f"run-{os.urandom(16).hex()}"
                futures[client.submit(_kept_outcome, kept, k, point, key=key, pure=False)] = k
        for future in arriving(client, list(futures), "sweep"):
            outcome: Row | None
            try:
                outcome = future.result()
            except Exception as error:
                if restarted(error, client) and not last:
                    drop([future])
                    del futures[future]
                    continue
                told = explained(error, "sweep")  # a worker that lacks a module
                outcome = {
                    "error": f"{type(told).__name__}: {told}",
                    "traceback": "".join(traceback.format_exception(told)),
                }
                if type(error).__name__ == "KilledWorker":
                    outcome = None
            k = futures.pop(future)
            drop([future])
            yield k, outcome
    finally:
        if futures and client.status == "running":
            client.cancel(list(futures))
        drop([*futures, kept])


# -- the results file ------------------------------------------------------------------------------------------
def _path(results: Any) -> str:
    """Where the file is, whatever links lead to it."""
    if not isinstance(results, (str, os.PathLike)) or not str(os.fspath(results)).endswith(".jsonl"):
        raise ArgumentError(f"sweep: results is the path of a file that ends in .jsonl, got {describe(results)}")
    return os.path.realpath(os.fspath(results))


class _File:
    """Rows as lines of JSON, which are added as they come; those of a sweep before are taken up."""

    def __init__(self, path: str, points: list[Row]) -> None:
        self.path = path
        for point in points:
            for name, value in point.items():
                if not isinstance(value, _PLAIN):
                    raise ArgumentError(
                        f"sweep: settings in a results file are numbers and text, got {name}={describe(value)}"
                    )
        places: dict[str, list[int]] = {}
        for k, point in enumerate(points):
            places.setdefault(_key(point), []).append(k)
        self.rows: dict[int, Row] = {}
        settings = {n for point in points for n in point}
        for row in self._read():
            names = row.pop(_LIST, None)  # rows of before have none
            if not isinstance(names, list) or not all(isinstance(n, str) and n in row for n in names):
                names = [n for n in row if n in settings]
            at = _key({n: row[n] for n in names})
            if at not in places:
                raise FileError(f"sweep: {self.path!r} holds a row that is no point of this grid: {row!r:.100}")
            if "error" not in row and places[at]:
                self.rows[places[at].pop(0)] = row

    def _read(self) -> list[Row]:
        if not os.path.exists(self.path):
            return []
        found: list[Row] = []
        try:
            with open(self.path, "r+b") as file:
                *lines, last = file.read().split(b"\n")
                if last:  # it was being written when the process died
                    file.seek(-len(last), os.SEEK_END)
                    file.truncate()
            for line in lines:
                found.append(dict(json.loads(line)))
        except OSError as error:
            raise FileError(f"sweep: {self.path!r} could not be read: {error.strerror or error}") from error
        except (ValueError, TypeError) as error:
            raise FileError(f"sweep: line {len(found) + 1} of {self.path!r} is no row: {line!r:.60}") from error
        return found

    def add(self, row: Row, point: Row) -> None:
        try:
            with open(self.path, "a", encoding="utf-8") as file:
                file.write(json.dumps({**row, _LIST: list(point)}) + "\n")
        except OSError as error:
            raise FileError(f"sweep: {self.path!r} could not be written: {error.strerror or error}") from error


def _key(point: Mapping[str, Any]) -> str:
    return json.dumps(dict(sorted(point.items())))


def _told(row: Row, point: Row) -> str:
    shown = {**point, **{k: v for k, v in row.items() if k not in point and k not in ("traceback", "seconds")}}
    return ", ".join(f"{k}={v:.4g}" if isinstance(v, float) else f"{k}={v}" for k, v in shown.items())[:160]
