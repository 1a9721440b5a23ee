"""Batches of a run: which rows of each shard a step takes. Rows stay where they are; their numbers travel."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import random
from ..core.errors import ArgumentError, describe
from ..core.tree import flatten, unflatten
from ..data.loader import DataLoader, Passes

_LOCK = threading.Lock()
_SILENT: set[str] = set()  # programs that were seen to draw nothing


class Pick:
    """The rows of one step. `seed` is for what is drawn on the way, as by dropout."""

    size = 0  # examples, once the step has been done

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def __len__(self) -> int:
        return self.size

    def rows(self, number: int, total: int, batch: Any) -> tuple[Any, int]:
        """The rows of a shard that the step takes, as a batch, and how many they are."""
        raise NotImplementedError

    def drawn(self, token: str, number: int, program: Callable[..., Any], given: Sequence[Any]) -> Any:
        """What a program gives where draws depend on the step and the shard alone, not on the worker."""
        if token in _SILENT:
            return program(*given)
        with _LOCK:  # the generator that everything draws from is one for all threads
            before = random.shared.state
            start = type(random.shared.numpy.bit_generator)([self.seed, number]).state
            random.shared.state = start
            try:
                out = program(*given)
                if str(random.shared.state) == str(start):
                    _SILENT.add(token)
                    if len(_SILENT) > 256:
                        _SILENT.pop()
                return out
            finally:
                random.shared.state = before


class Part(Pick):
    """A step of a pass over shards: the same share of each, in an order drawn where the shard is."""

    def __init__(self, epoch: int, step: int, steps: int, shuffle: bool, seed: int) -> None:
        super().__init__()
        self.epoch, self.step, self.steps, self.shuffle, self.order = epoch, step, steps, shuffle, seed

    def rows(self, number: int, total: int, batch: Any) -> tuple[Any, int]:
        leaves, structure = flatten(batch)
        n = int(np.shape(leaves[0])[0])
        a, b = n * self.step // self.steps, n * (self.step + 1) // self.steps
        taken: Any = _order(self.order, self.epoch, number, n)[a:b] if self.shuffle else slice(a, b)
        table = [x[taken] if isinstance(x, np.ndarray) and x.ndim and len(x) == n else x for x in leaves]
        return unflatten(structure, table), b - a


@functools.lru_cache(64)
def _order(seed: int, epoch: int, number: int, n: int) -> Any:
    return np.random.default_rng([seed, epoch, number]).permutation(n)


class Rows(Pick):
    """A step of a DataLoader: some rows of its data set, parted by their places in the batch."""

    def __init__(self, taken: Any) -> None:
        super().__init__()
        self.taken = taken

    def rows(self, number: int, total: int, batch: Any) -> tuple[Any, int]:
        n = len(self.taken)
        mine = self.taken[n * number // total : n * (number + 1) // total]
        return (batch.loader._batch(mine), len(mine)) if len(mine) else (None, 0)


class Table:
    """A data set as the only thing in each of its shards."""

    def __init__(self, loader: DataLoader) -> None:
        self.loader, self.shape = loader, (len(loader.dataset),)


class Numbered(DataLoader):
    """A DataLoader that hands out the numbers of rows. What it knows of its place it shares with the one it is of."""

    def __init__(self, loader: DataLoader) -> None:
        self.__dict__ = loader.__dict__

    def _batch(self, rows: Any) -> Any:
        return Rows(rows)


class Batches(Passes):
    """Shards in batches: each step takes about `batch_size` rows, the same share of every shard.

    Arguments: `shards` as `Shards`; `shuffle` draws a new order of each shard's rows for each pass, from `seed`, the
    pass and the shard alone; rows do not leave their worker. It stands in the place of a DataLoader for train.fit.

    >>> import numpy as np, tinygrad_math as tm
    >>> shards = tm.distributed.Shards([lambda: np.ones((30, 2)), lambda: np.zeros((20, 2))], "synchronous")
    >>> tm.distributed.Batches(shards, batch_size=10, examples=50)
    <5 batches of 50 rows in <2 shards on synchronous>>
    """

    def __init__(
        self, shards: Any, batch_size: int = 4096, shuffle: bool = True, seed: int = 0, examples: int | None = None
    ) -> None:
        if not hasattr(shards, "place") or not hasattr(shards, "release"):
            raise ArgumentError(f"Batches takes Shards, got {describe(shards)}")
        for name, n, least in (("batch_size", batch_size, 1), ("seed", seed, 0), ("examples", examples, 1)):
            if name == "examples" and n is None:
                continue
            if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < least:
                raise ArgumentError(f"Batches: {name} is a whole number from {least} on, got {describe(n)}")
        if not isinstance(shuffle, (bool, np.bool_)):
            raise ArgumentError(f"Batches: shuffle is True or False, got {describe(shuffle)}")
        self.shards, self.batch_size, self.shuffle, self.seed = shards, int(batch_size), bool(shuffle), int(seed)
        self.examples = None if examples is None else int(examples)  # in all shards; they are counted if not given

    def __len__(self) -> int:
        """Batches in a pass, where the examples have been counted."""
        return -(-self.examples // self.batch_size) if self.examples else 0

    def _pass(self, epoch: int) -> Callable[[int], Part]:
        steps = len(self)
        return lambda k: Part(epoch, k, steps, self.shuffle, self.seed)

    def __repr__(self) -> str:
        return f"<{len(self)} batches of {self.examples or 'uncounted'} rows in {self.shards!r}>"
