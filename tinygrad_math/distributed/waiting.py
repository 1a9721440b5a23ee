"""Waiting for what workers do, and for workers: for how long, and what is told of it."""

from __future__ import annotations

import asyncio
import queue
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import Any

from ..core.errors import ClusterError, MathError, ShardError
from .sending import library

CHECK = 2.0  # seconds between looks at who is there
_WORD, _PATIENCE = 5.0, 600.0  # seconds without a worker after which one is told, and after which it is an error
_LONG = 10.0  # seconds for a worker's version
_SETTING = "distributed.scheduler.no-workers-timeout"


@contextmanager
def named(asker: str) -> Iterator[None]:
    """What the cluster raises within is raised by a name of ours."""
    try:
        yield
    except BaseException as error:
        shown = explained(error, asker)
        if shown is error:
            raise
        raise shown from error


def arriving(client: Any, futures: Sequence[Any], asker: str) -> Iterator[Any]:
    """The futures as their results are there. Raises ClusterError where no worker is there for too long."""
    ready: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for future in futures:
        future.add_done_callback(ready.put)
    patience = Patience(client, asker)
    for _ in futures:
        while True:
            try:
                yield ready.get(timeout=CHECK)
                break
            except queue.Empty:
                patience.look()


def gathered(client: Any, futures: Sequence[Any], asker: str) -> list[Any]:
    """The results, as soon as they are there; where all workers go and none comes, ClusterError."""
    patience, wait = Patience(client, asker), library("distributed", asker).wait
    while True:
        try:
            wait(futures, timeout=CHECK)
            break
        except TimeoutError:
            patience.look()
    return list(client.gather(futures))


def asked(client: Any, seconds: float, function: Any, *given: Any, workers: Sequence[str]) -> dict[str, Any]:
    """What a function gives on each of these workers, or the error; of none if it takes longer.

    Dask would try for half a minute to reach a worker that has just died.
    """

    async def limited() -> Any:
        return await asyncio.wait_for(client.run(function, *given, workers=list(workers), on_error="return"), seconds)

    try:
        return dict(client.sync(limited))
    except TimeoutError:
        return {}


def check_versions(client: Any, asker: str, workers: Sequence[str]) -> None:
    """Raise ClusterError where the scheduler, or one of these workers, lacks this package or has another version of it.

    Dask does not tell: a worker that cannot unpickle a task leaves the cluster, and what waits for it waits on.
    """
    home = __name__.partition(".")[0]

    def version() -> str:  # a function within another is sent by value, also to where there is nothing of ours
        import importlib

        try:
            return str(importlib.import_module(home).__version__)
        except Exception as error:
            return f"none: {type(error).__name__}: {error}"

    here = version()
    there = {"scheduler": client.run_on_scheduler(version)}
    for _ in range(3):  # some may have died since they were counted
        found = asked(client, _LONG, version, workers=workers)
        if found:
            break
        present = client.nthreads()
        workers = [a for a in workers if a in present]
    there |= {f"worker {a}": v for a, v in found.items()}
    for name, said in there.items():
        if isinstance(said, str) and said != here:  # one that died in the meantime is another matter
            raise ClusterError(
                f"{asker}: the {name} has {home} {said}, and here it is {here}; install it on every machine, in the "
                "same version"
            )


class Patience:
    """For how long one waits for workers: a word after some seconds without any, an error after some minutes.

    Dask's setting `distributed.scheduler.no-workers-timeout` tells how many, where it is set.
    """

    def __init__(self, client: Any, asker: str) -> None:
        self.client, self.asker = client, asker
        given = library("dask", asker).config.get(_SETTING, None)
        self.most = _PATIENCE if given is None else float(library("dask.utils", asker).parse_timedelta(given))
        self.alone: float | None = None  # since when there is no worker
        self.told = False

    def look(self) -> bool:
        """See whether there is a worker. Raises ClusterError where there has been none for too long."""
        with named(self.asker):
            if self.client.status not in ("running", "connecting"):
                raise ClusterError(f"{self.asker}: the cluster gave up: the client is {self.client.status}")
            if self.client.nthreads():
                self.alone, self.told = None, False
                return True
        now = time.monotonic()
        self.alone = now if self.alone is None else self.alone
        if not self.told and now - self.alone >= _WORD:
            self.told = True
            print(
                f"{self.asker}: no worker is at {self.client}; waiting for one, {self.most:.0f} s at most",
                file=sys.stderr,
                flush=True,
            )
        if now - self.alone >= self.most:
            raise ClusterError(
                f"{self.asker}: for {self.most:.0f} s there has been no worker at {self.client}; start some, or wait "
                f"longer for them: client.wait_for_workers(1), or dask.config.set({{'{_SETTING}': '2h'}})"
            )
        return False


def explained(error: BaseException, asker: str) -> BaseException:
    """What went wrong on the cluster, by a name of ours; what is not the cluster's stays as it is."""
    if isinstance(error, ShardError):
        where = f"\n  at {error.place}" if error.place is not None else ""
        found = ShardError(f"{error}{where}")
        found.shard, found.file, found.place, found.cause = error.shard, error.file, error.place, error.cause
        return found
    home = type(error).__module__.partition(".")[0]
    lost = isinstance(error, (OSError, CancelledError)) and not isinstance(error, MathError)
    if home in ("distributed", "dask") or lost:
        told = f"{asker}: the cluster gave up: {type(error).__name__}: {error}"
        if type(error).__name__ == "KilledWorker":
            told += "; workers that die at a shard have often too little memory for it: make shards smaller"
        return ClusterError(told)
    return error


def gone(thing: Any) -> bool:
    """Whether this is a future that the scheduler knows no more: the cluster was restarted."""
    return getattr(thing, "status", None) == "cancelled"


def restarted(error: BaseException, client: Any) -> bool:
    """Whether a scheduler has forgotten what it was asked for, while it is there: what was lost can be made again."""
    return isinstance(error, CancelledError) and client.status in ("running", "connecting")


def drop(things: Sequence[Any]) -> None:
    """Release what is a future, though an error's traceback may still refer to it."""
    for thing in things:
        if hasattr(thing, "release") and hasattr(thing, "key"):
            forgotten = gone(thing) and thing.client.status == "running"
            thing.release()
            if forgotten:  # what was asked for during a restart may be computed, of which this future tells nobody
                type(thing)(thing.key, thing.client).release()
