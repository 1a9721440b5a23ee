"""Where the shards are: with the workers of a Dask client, or with one of Dask's schedulers within this process."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from typing import Any

from ..core.errors import ArgumentError, describe
from .remote import Remote, parted
from .sending import library
from .shards import Shard, listed, read
from .work import Nodes, Sent, computed, merged

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

    __reached__ = ()  # a program cannot hold it

    def __init__(self, shards: Any, client: Any, columns: Sequence[str] | None = None) -> None:
        asker = "tm.distributed"
        library("dask", asker)
        self.shards = listed(shards, asker, columns)
        self.place: Local | Remote
        if isinstance(client, str) and client in _LOCAL:
            self.place = Local(client, self.shards)
        else:
            check_client(client, asker)
            self.place = Remote(client, self.shards)

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


def check_client(client: Any, asker: str) -> None:
    """Raise ArgumentError for what is no client of Dask's, or one that would have to be awaited."""
    if not is_client(client):
        words = "a dask.distributed.Client, or 'synchronous' or 'threads' for this process alone"
        hint = "; Client(cluster) makes one" if hasattr(client, "scheduler_address") else ""
        raise ArgumentError(f"{asker}: client is {words}, got {describe(client)}{hint}")
    if client.asynchronous:
        raise ArgumentError(f"{asker}: this client is asynchronous; make one with Client(asynchronous=False)")


class Local:
    """The shards in this process, worked through by a scheduler of Dask that needs no cluster."""

    def __init__(self, name: str, shards: Sequence[Shard]) -> None:
        self.name, self.shards, self.turn = name, shards, contextlib.nullcontext()  # steps of threads run side by side
        self.batches: list[Any] | None = None
        self._get = library("dask.base", "tm.distributed").get_scheduler(scheduler=name)

    def keep(self, thing: Any) -> Any:
        """What stays for many steps."""
        return thing

    def drop(self, kept: Sequence[Any]) -> None:
        """What stayed, and is not needed any more."""

    def seen(self, functions: Sequence[Any]) -> bytes:
        """What tells whether functions have changed since they were sent: here they are not sent."""
        return b""

    def forgot(self, error: BaseException) -> bool:
        """Whether an error is that of a cluster which was restarted."""
        return False

    def look(self, asker: str) -> None:
        """See who is there: nobody comes or goes."""

    def run(self, work: Any, given: Sequence[Sent], asker: str, pick: Any = None) -> Nodes:
        """The sums over all shards of what `work` computes."""
        if self.batches is None:
            tasks = {f"load-{s.number}": (_load_here, s) for s in self.shards}
            self.batches = self._get(tasks, list(tasks))
        groups = parted(len(self.shards), 1 if self.name == "synchronous" else os.cpu_count() or 1)
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
