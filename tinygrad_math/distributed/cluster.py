"""Where the work is done: on the workers of a Dask client, or by one of Dask's schedulers within this process.

Everything here is Dask's: tasks, their dependencies, what is done again when a worker is lost. A step is one graph
of tasks, one task for each group of neighbouring shards; what it needs beside the shards (the function, parameters that
stay) is kept by the workers as results of tasks too, so that Dask can make it again anywhere.
"""

from __future__ import annotations

import itertools
import os
import time
import uuid
from collections import deque
from collections.abc import Sequence
from typing import Any

from ..core.errors import ArgumentError, ClusterError, ShardError, describe
from .sending import library, pickled
from .shards import Shard, listed, read
from .work import Nodes, Sent, computed, merged, unpacked

_FAN = 8  # sums that one task, or the client, puts together
_CHECK = 2.0  # seconds between looks at who is there
_LARGE = 1 << 20  # bytes of a message that Dask would warn of, or remember
_LOCAL = ("synchronous", "threads")


class Shards:
    """Shards in the memory of workers, for any number of functions of them.

    Arguments: `shards` a list of functions without arguments, of paths (.npy, .npz, .parquet), of dask arrays (each of
    whose blocks of rows is a shard), or of tuples of these, which together make one batch; `client` a Dask client, or
    "synchronous" or "threads" for this process alone. Workers load their shards themselves, at the first use, and keep
    them until `release()`, or until nothing refers to this any more. Raises ArgumentError, MissingExtra.

    >>> import numpy as np, tinygrad_math as tm
    >>> rows = tm.distributed.Shards([lambda: np.ones((3, 2)), lambda: np.zeros((1, 2))], "synchronous")
    >>> mean = tm.distributed.evaluate(lambda w, x: (x @ w).mean(), rows, None)
    >>> len(rows), mean(np.array([1.0, 1.0]))
    (2, tensor(1.5))
    """

    def __init__(self, shards: Any, client: Any) -> None:
        asker = "tm.distributed"
        library("dask", asker)
        self.shards = listed(shards, asker)
        self.place: Local | Remote
        if isinstance(client, str) and client in _LOCAL:
            self.place = Local(client, self.shards)
        elif hasattr(client, "scheduler_info") and hasattr(client, "submit"):
            self.place = Remote(client, self.shards)
        else:
            words = "a dask.distributed.Client, or 'synchronous' or 'threads' for this process alone"
            hint = "; Client(cluster) makes one" if hasattr(client, "scheduler_address") else ""
            raise ArgumentError(f"{asker}: client is {words}, got {describe(client)}{hint}")

    def __len__(self) -> int:
        return len(self.shards)

    def release(self) -> None:
        """Take the shards out of the workers' memory; they are loaded again if they are used again."""
        self.place.release()

    def __repr__(self) -> str:
        return f"<{len(self)} shards on {self.place.name}>"


class Local:
    """The shards in this process, worked through by a scheduler of Dask that needs no cluster."""

    def __init__(self, name: str, shards: Sequence[Shard]) -> None:
        self.name, self.shards = name, shards
        self.batches: list[Any] | None = None
        self._get = library("dask.base", "tm.distributed").get_scheduler(scheduler=name)

    def keep(self, thing: Any) -> Any:
        """What stays for many steps."""
        return thing

    def run(self, work: Any, given: Sequence[Sent], asker: str) -> Nodes:
        """The sums over all shards of what `work` computes."""
        if self.batches is None:
            tasks = {f"load-{s.number}": (_load_here, s) for s in self.shards}
            self.batches = self._get(tasks, list(tasks))
        groups = _groups(len(self.shards), 1 if self.name == "synchronous" else os.cpu_count() or 1)
        sums = {f"sum-{a}": (_Call(work, a, given, self.batches[a:b]),) for a, b in groups}
        return merged(len(self.shards), *self._get(sums, list(sums)))

    def release(self) -> None:
        self.batches = None


class _Call:
    """A call whose arguments Dask does not look into."""

    def __init__(self, work: Any, first: int, given: Sequence[Sent], batches: Sequence[Any]) -> None:
        self.given = work, first, given, batches

    def __call__(self) -> Nodes:
        work, first, given, batches = self.given
        return computed(work, first, given, *batches)


def _load_here(shard: Shard) -> Any:
    return read(shard, [b.compute(scheduler="synchronous") for b in shard.blocks])


def _groups(count: int, most: int) -> list[tuple[int, int]]:
    """Neighbouring shards, in as many groups as can work at once."""
    n = max(1, min(count, most))
    ends = [count * k // n for k in range(n + 1)]
    return list(itertools.pairwise(ends))


class Remote:
    """The shards on the workers of a client."""

    def __init__(self, client: Any, shards: Sequence[Shard]) -> None:
        self.client, self.shards, self.name = client, shards, str(client)
        self.graphs, self.config = library("dask.highlevelgraph", "tm.distributed"), library("dask", "").config
        self.slots: list[str] = []  # the address of a worker for each of its threads
        self.homes: list[str] = []  # of each shard
        self.futures: list[Any] = []
        self.looked = 0.0

    # -- what stays ------------------------------------------------------------------------------------------
    def keep(self, thing: Any) -> Any:
        """What stays for many steps, made by a task, so that it can be made again where a worker is lost."""
        return self.client.submit(unpacked, self._packed(thing), key=_key("keep"), pure=False)

    def _packed(self, thing: Any) -> bytes:
        try:
            return pickled(thing)
        except Exception as error:
            raise ArgumentError(
                f"tm.distributed: this cannot be sent to workers: {type(error).__name__}: {error}; a function that is "
                "sent refers to data only, not to open files, locks or clients"
            ) from error

    def _look(self) -> None:
        """See who is there, from time to time, and let newcomers load what the lost ones had."""
        if self.futures and time.monotonic() < self.looked + _CHECK:
            return
        threads = self.client.nthreads()
        self.looked = time.monotonic()
        there = [a for a in sorted(threads) for _ in range(threads[a])]
        if there == sorted(self.slots) and self.futures:
            return
        self.slots = _replaced(self.slots, there)
        _forget(self.client)
        groups = _groups(len(self.shards), len(self.slots))
        homes = [self.slots[k] if self.slots else "" for k, (a, b) in enumerate(groups) for _ in range(a, b)]
        before = self.homes if self.futures else [None] * len(homes)
        self.homes = homes
        self.futures = [
            self._load(shard, home) if old != home else self.futures[shard.number]
            for shard, home, old in zip(self.shards, homes, before)
        ]

    def _load(self, shard: Shard, home: str) -> Any:
        where: dict[str, Any] = {"workers": [home], "allow_other_workers": True} if home else {}
        blocks = [self.client.compute(b, **where) for b in shard.blocks]
        kept = shard.without_blocks()
        return self.client.submit(_load_there, self._packed(kept), *blocks, key=_key("load"), pure=False, **where)

    # -- a step ----------------------------------------------------------------------------------------------
    def run(self, work: Any, given: Sequence[Any], asker: str) -> Nodes:
        """The sums over all shards of what `work` computes. After an error nothing is left on the workers."""
        futures: list[Any] = []
        try:
            self._look()
            graph, keys = self._graph(work, given, asker)
            large = sum(a.nbytes for g in given if isinstance(g, Sent) for a in g.arrays) > _LARGE
            quiet = {"distributed.admin.large-graph-warning-threshold": "1 TiB"} if large else {}
            with self.config.set(quiet):
                futures = self.client.get(graph, keys, sync=False)
            return merged(len(self.shards), *self.client.gather(futures))
        except BaseException:
            self.release()
            raise
        finally:
            drop(futures)

    def _graph(self, work: Any, given: Sequence[Any], asker: str) -> tuple[Any, list[str]]:
        token, layers, keys = uuid.uuid4().hex, {}, []
        for k, (a, b) in enumerate(_groups(len(self.shards), len(self.slots))):
            key = f"{asker}-{token}-{k}"
            task = {key: (_sums, work, a, len(given), *given, *self.futures[a:b])}
            home = {"workers": [self.slots[k]], "allow_other_workers": True} if self.slots else None
            layers[key] = self.graphs.MaterializedLayer(task, annotations=home)
            keys.append(key)
        below: dict[str, set[str]] = {key: set() for key in keys}
        level = 0
        while len(keys) > _FAN:  # a tree over the groups, so that no one has to take in too many
            level, above = level + 1, []
            for k in range(0, len(keys), _FAN):
                key = f"merge-{token}-{level}-{k}"
                some = keys[k : k + _FAN]
                layers[key] = self.graphs.MaterializedLayer({key: (merged, len(self.shards), *some)})
                below[key] = set(some)
                above.append(key)
            keys = above
        return self.graphs.HighLevelGraph(layers, below), keys

    def release(self) -> None:
        drop(self.futures)
        self.futures = []


def drop(things: Sequence[Any]) -> None:
    """Release what is a future, though an error's traceback may still refer to it."""
    for thing in things:
        if hasattr(thing, "release") and hasattr(thing, "key"):
            thing.release()


def _load_there(text: bytes, *blocks: Any) -> Any:
    return read(unpacked(text), list(blocks))


def _sums(work: Any, first: int, count: int, *rest: Any) -> Nodes:
    return computed(work, first, rest[:count], *rest[count:])


def _key(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex}"


def _replaced(slots: list[str], there: list[str]) -> list[str]:
    """Who takes which place: those who stay keep theirs, newcomers take those of the lost, then further ones."""
    fresh = list(there)
    for s in slots:
        if s in fresh:
            fresh.remove(s)
    left, kept = list(there), []
    for s in slots:
        if s in left:
            left.remove(s)
            kept.append(s)
        elif fresh:
            kept.append(fresh.pop(0))
    return kept + fresh


def _forget(client: Any) -> None:
    """Let Dask's logs for developers keep few messages: each holds a step's parameters, and there are 1,000."""

    def shorten(streams: Any) -> None:
        for stream in streams:
            log = getattr(stream, "recent_message_log", None)
            if isinstance(log, deque) and (log.maxlen is None or log.maxlen > _FAN):
                stream.recent_message_log = deque(log, maxlen=_FAN)

    def there(dask_scheduler: Any) -> None:
        shorten([*dask_scheduler.stream_comms.values(), *dask_scheduler.client_comms.values()])

    shorten([getattr(client, "scheduler_comm", None)])
    client.run_on_scheduler(there)


def explained(error: BaseException, asker: str) -> BaseException:
    """What went wrong on the cluster, by a name of ours; what is not the cluster's stays as it is."""
    if isinstance(error, ShardError):
        where = f"\n  at {error.place}" if error.place is not None else ""
        found = ShardError(f"{error}{where}")
        found.shard, found.file, found.place, found.cause = error.shard, error.file, error.place, error.cause
        return found
    home = type(error).__module__.partition(".")[0]
    if home in ("distributed", "dask"):
        told = f"{asker}: the cluster gave up: {type(error).__name__}: {error}"
        if type(error).__name__ == "KilledWorker":
            told += "; workers that die at a shard have often too little memory for it: make shards smaller"
        return ClusterError(told)
    return error
