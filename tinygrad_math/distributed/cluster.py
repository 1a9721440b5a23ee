"""Where the work is done: on the workers of a Dask client, or by one of Dask's schedulers within this process.

Everything here is Dask's: tasks, their dependencies, what is done again when a worker is lost. A step is one graph
of tasks, one task for each group of neighbouring shards; what it needs beside the shards (the function, parameters that
stay) is kept by the workers as results of tasks too, so that Dask can make it again anywhere.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import queue
import sys
import time
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import Any

from ..core.errors import ArgumentError, ClusterError, MathError, ShardError, describe
from .sending import library, pickled
from .shards import Shard, listed, read
from .work import Kept, Nodes, Sent, computed, merged, unpacked

_FAN = 8  # sums that one task, or the client, puts together
_CHECK = 2.0  # seconds between looks at who is there
_WORD, _PATIENCE = 5.0, 600.0  # seconds without a worker after which one is told, and after which it is an error
_SETTING = "distributed.scheduler.no-workers-timeout"
_LARGE = 1 << 20  # bytes of a message that Dask would warn of, or remember
_LOCAL = ("synchronous", "threads")


class Shards:
    """Shards in the memory of workers, for any number of functions of them.

    Arguments: `shards` a list of functions without arguments, of paths (.npy, .npz, .parquet), of dask arrays (each of
    whose blocks of rows is a shard), or of tuples of these, which together make one batch; `client` a Dask client, or
    "synchronous" or "threads" for this process alone. Workers load their shards themselves, at the first use, and keep
    them until `release()`, or until nothing refers to this any more. `columns` the names of those columns of a shard
    that has them by name (.npz, .parquet, a dict) which make its batch, a tuple of them in this order: (input, target).
    Raises ArgumentError, MissingExtra.

    >>> import numpy as np, tinygrad_math as tm
    >>> rows = tm.distributed.Shards([lambda: np.ones((3, 2)), lambda: np.zeros((1, 2))], "synchronous")
    >>> mean = tm.distributed.evaluate(lambda w, x: (x @ w).mean(), rows, None)
    >>> len(rows), mean(np.array([1.0, 1.0]))
    (2, tensor(1.5))
    """

    def __init__(self, shards: Any, client: Any, columns: Sequence[str] | None = None) -> None:
        asker = "tm.distributed"
        library("dask", asker)
        self.shards = listed(shards, asker, columns)
        self.place: Local | Remote
        if isinstance(client, str) and client in _LOCAL:
            self.place = Local(client, self.shards)
        elif is_client(client):
            if client.asynchronous:
                raise ArgumentError(f"{asker}: this client is asynchronous; make one with Client(asynchronous=False)")
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


def is_client(client: Any) -> bool:
    """Whether this is a client of Dask's."""
    return hasattr(client, "scheduler_info") and hasattr(client, "submit") and not isinstance(client, type)


class Local:
    """The shards in this process, worked through by a scheduler of Dask that needs no cluster."""

    def __init__(self, name: str, shards: Sequence[Shard]) -> None:
        self.name, self.shards = name, shards
        self.batches: list[Any] | None = None
        self._get = library("dask.base", "tm.distributed").get_scheduler(scheduler=name)

    def keep(self, thing: Any) -> Any:
        """What stays for many steps."""
        return thing

    def seen(self, functions: Sequence[Any]) -> bytes:
        """What tells whether functions have changed since they were sent: here they are not sent."""
        return b""

    def look(self, asker: str) -> None:
        """See who is there: nobody comes or goes."""

    def run(self, work: Any, given: Sequence[Sent], asker: str, pick: Any = None) -> Nodes:
        """The sums over all shards of what `work` computes."""
        if self.batches is None:
            tasks = {f"load-{s.number}": (_load_here, s) for s in self.shards}
            self.batches = self._get(tasks, list(tasks))
        groups = _groups(len(self.shards), 1 if self.name == "synchronous" else os.cpu_count() or 1)
        sums = {f"sum-{a}": (_Call(work, a, given, pick, self.batches[a:b]),) for a, b in groups}
        return merged(len(self.shards), *self._get(sums, list(sums)))

    def release(self) -> None:
        self.batches = None


class _Call:
    """A call whose arguments Dask does not look into."""

    def __init__(self, *given: Any) -> None:
        self.given = given

    def __call__(self) -> Nodes:
        work, first, given, pick, batches = self.given
        return computed(work, first, given, pick, *batches)


def _load_here(shard: Shard) -> Any:
    return read(shard, [b.compute(scheduler="synchronous") for b in shard.blocks])


def _groups(count: int, most: int) -> list[tuple[int, int]]:
    """Neighbouring shards, in as many groups as can work at once."""
    n = max(1, min(count, most))
    ends = [count * k // n for k in range(n + 1)]
    return list(itertools.pairwise(ends))


class Remote:
    """The shards on the workers of a client: neighbours in a group, a group for each thread of a worker.

    Dask chooses the workers, by what lies where. Tasks are not tied to them: where all workers are lost at once, a tied
    task would wait for its own for ever, even if others are welcome.
    """

    def __init__(self, client: Any, shards: Sequence[Shard]) -> None:
        self.client, self.shards, self.name = client, shards, str(client)
        self.config = library("dask", "tm.distributed").config
        self.groups: list[tuple[int, int]] = []
        self.futures: list[Any] = []  # of the groups
        self.threads: dict[str, int] = {}  # by the worker's address
        self.looked = 0.0

    # -- what stays ------------------------------------------------------------------------------------------
    def keep(self, thing: Any) -> Any:
        """What stays for many steps, made by a task, so that it can be made again where a worker is lost."""
        return self.client.submit(Kept, self._packed(thing), key=_key("keep"), pure=False)

    def seen(self, functions: Sequence[Any]) -> bytes:
        """What tells whether functions, or values that they refer to, have changed since they were sent."""
        return hashlib.blake2b(self._packed(tuple(functions))).digest()

    def _packed(self, thing: Any) -> bytes:
        return packed(thing, "tm.distributed")

    def look(self, asker: str) -> None:
        """See who is there, from time to time, and let newcomers take part. Before anything is sent."""
        if any(map(gone, self.futures)):
            self.release()
        if self.futures and time.monotonic() < self.looked + _CHECK:
            return
        patience = Patience(self.client, asker)
        threads: dict[str, int] = {}
        while not threads:
            if patience.look():
                threads = self.client.nthreads()
            else:
                time.sleep(0.05)
        self.looked = time.monotonic()
        if threads != self.threads:
            check_versions(self.client, asker, [a for a in threads if a not in self.threads])
            self.threads = threads
            _forget(self.client)
        groups = _groups(len(self.shards), sum(threads.values()))
        if len(groups) > len(self.groups) or not self.futures:
            drop(self.futures)
            self.groups = groups
            self.futures = [self._load(self.shards[a:b]) for a, b in groups]
        elif len(threads) > 1:
            self._even_out()

    def _load(self, shards: Sequence[Shard]) -> Any:
        blocks = [self.client.compute(b) for s in shards for b in s.blocks]
        text = self._packed([s.without_blocks() for s in shards])
        return self.client.submit(_load_there, text, *blocks, key=_key("load"), pure=False)

    def _even_out(self) -> None:
        """Copy groups from workers that have more than their share to those that have less."""
        held = self.client.who_has(self.futures)
        share = len(self.futures) / sum(self.threads.values())
        load = dict.fromkeys(self.threads, 0)
        for there in held.values():
            for address in there:
                if address in load:
                    load[address] += 1
        for future in self.futures:
            there = [a for a in held.get(future.key, ()) if a in load]
            least = min(load, key=lambda a: (load[a] / self.threads[a], a))
            if len(there) == 1 and load[there[0]] > share * self.threads[there[0]] and load[least] == 0:
                try:
                    self.client.replicate([future], n=1, workers=[least])
                except (KeyError, OSError):  # the worker died since it was counted: a later step evens out
                    return
                load[there[0]] -= 1
                load[least] += 1

    # -- a step ----------------------------------------------------------------------------------------------
    def run(self, work: Any, given: Sequence[Any], asker: str, pick: Any = None) -> Nodes:
        """The sums over all shards of what `work` computes. After an error nothing is left on the workers."""
        futures: list[Any] = []
        try:
            graph, keys = self._graph(work, given, asker, pick)
            large = sum(a.nbytes for g in given if isinstance(g, Sent) for a in g.arrays) > _LARGE
            quiet = {"distributed.admin.large-graph-warning-threshold": "1 TiB"} if large else {}
            with self.config.set(quiet):
                futures = self.client.get(graph, keys, sync=False)
            return merged(len(self.shards), *self._gathered(futures, f"tm.distributed.{asker}"))
        except BaseException:
            self.release()
            raise
        finally:
            drop(futures)

    def _gathered(self, futures: Sequence[Any], asker: str) -> list[Any]:
        """The results, as soon as they are there; where all workers go and none comes, ClusterError."""
        patience, wait = Patience(self.client, asker), library("distributed", asker).wait
        while True:
            try:
                wait(futures, timeout=_CHECK)
                break
            except TimeoutError:
                patience.look()
        return list(self.client.gather(futures))

    def _graph(self, work: Any, given: Sequence[Any], asker: str, pick: Any) -> tuple[dict[str, Any], list[str]]:
        token = uuid.uuid4().hex
        graph: dict[str, Any] = {}
        for (a, _), group in zip(self.groups, self.futures, strict=True):
            graph[f"{asker}-{token}-{a}"] = (_sums, work, a, group, pick, *given)
        keys, level = list(graph), 0
        while len(keys) > _FAN:  # a tree over the groups, so that no one has to take in too many
            level, above = level + 1, []
            for k in range(0, len(keys), _FAN):
                above.append(f"merge-{token}-{level}-{k}")
                graph[above[-1]] = (merged, len(self.shards), *keys[k : k + _FAN])
            keys = above
        return graph, keys

    def release(self) -> None:
        drop(self.futures)
        self.futures = []


def packed(thing: Any, asker: str) -> bytes:
    """What goes to workers, as bytes. Raises ArgumentError for what cannot."""
    try:
        return pickled(thing)
    except MathError:
        raise
    except Exception as error:
        raise ArgumentError(
            f"{asker}: this cannot be sent to workers: {type(error).__name__}: {error}; a function that is "
            "sent refers to data only, not to open files, locks or clients"
        ) from error


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
                yield ready.get(timeout=_CHECK)
                break
            except queue.Empty:
                patience.look()


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
    there |= {f"worker {a}": v for a, v in client.run(version, workers=list(workers), on_error="return").items()}
    for name, found in there.items():
        if isinstance(found, str) and found != here:  # one that died in the meantime is another matter
            raise ClusterError(
                f"{asker}: the {name} has {home} {found}, and here it is {here}; install it on every machine, in the "
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


def gone(thing: Any) -> bool:
    """Whether this is a future that the scheduler knows no more: the cluster was restarted."""
    return getattr(thing, "status", None) == "cancelled"


def drop(things: Sequence[Any]) -> None:
    """Release what is a future, though an error's traceback may still refer to it."""
    for thing in things:
        if hasattr(thing, "release") and hasattr(thing, "key"):
            thing.release()


def _load_there(text: bytes, *blocks: Any) -> list[Any]:
    """The batches of a group of shards."""
    shards, rest = unpacked(text), list(blocks)
    found = []
    for shard in shards:
        wanted = sum(p is None for p in shard.parts)
        found.append(read(shard, rest[:wanted]))
        del rest[:wanted]
    return found


def _sums(work: Any, first: int, batches: Sequence[Any], pick: Any, *given: Any) -> Nodes:
    return computed(work, first, given, pick, *batches)


def _key(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex}"


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
    lost = isinstance(error, (OSError, CancelledError)) and not isinstance(error, MathError)
    if home in ("distributed", "dask") or lost:
        told = f"{asker}: the cluster gave up: {type(error).__name__}: {error}"
        if type(error).__name__ == "KilledWorker":
            told += "; workers that die at a shard have often too little memory for it: make shards smaller"
        return ClusterError(told)
    return error
