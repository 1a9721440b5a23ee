"""Batches of a run: which rows of each shard a step takes. Rows stay where they are; their numbers travel."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ..core.tree import flatten, unflatten
from ..data.loader import DataLoader
from ..data.samplers import generator
from .shards import count


class Pick:
    """The rows of one step: all, if not told otherwise. `seed` is for what is drawn on the way, as by dropout."""

    size = 0  # examples, once the step has been done
    whole = True  # whether a step without an example is an error

    def __init__(self) -> None:
        self.seed = 0

    def __len__(self) -> int:
        return self.size

    def rows(self, number: int, total: int, batch: Any) -> tuple[Any, int]:
        """The rows of a shard that the step takes, as a batch, and how many they are."""
        return batch, count(batch)


class Part(Pick):
    """A step of a pass over shards: the same share of each, in an order drawn where the shard is."""

    whole = False

    def __init__(self, epoch: int, step: int, steps: int, shuffle: bool, seed: int) -> None:
        super().__init__()
        self.epoch, self.step, self.steps, self.shuffle, self.order = epoch, step, steps, shuffle, seed

    def rows(self, number: int, total: int, batch: Any) -> tuple[Any, int]:
        leaves, structure = flatten(batch)
        n = int(np.shape(leaves[0])[0])
        # each shard is a little ahead of the one before it: steps of fewer rows than shards take some of each in turn
        a, b = ((n * k * total + number * self.steps) // (self.steps * total) for k in (self.step, self.step + 1))
        taken: Any = _order(self.order, self.epoch, number, n)[a:b] if self.shuffle else slice(a, b)
        table = [x[taken] if isinstance(x, np.ndarray) and x.ndim and len(x) == n else x for x in leaves]
        return unflatten(structure, table), b - a


@functools.lru_cache(64)
def _order(seed: int, epoch: int, number: int, n: int) -> Any:
    return generator(seed, epoch, number).permutation(n)


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
