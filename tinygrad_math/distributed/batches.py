"""Shards in the place of a DataLoader: passes over their rows, step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, describe
from ..data.loader import Passes
from .picking import Part
from .products import evaluate
from .shards import count


class Batches(Passes):
    """Shards in batches: each step takes about `batch_size` rows, the same share of every shard.

    A batch of fewer rows than there are shards takes them from some of the shards, in turn.

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
        self._examples = None if examples is None else int(examples)

    @property
    def examples(self) -> int:
        """The rows in all shards. If they are not given, the workers count them, once."""
        if self._examples is None:
            counted = evaluate(_examples, self.shards, None, reduction="sum")
            self._examples = int(counted(0.0).item())
        return self._examples

    def __len__(self) -> int:
        """Batches in a pass."""
        return -(-self.examples // self.batch_size)

    def _pass(self, epoch: int) -> Callable[[int], Part]:
        steps = len(self)
        return lambda k: Part(epoch, k, steps, self.shuffle, self.seed)

    def __repr__(self) -> str:
        known = self._examples
        batches, rows = ("batches", "uncounted") if known is None else (f"{len(self)} batches", str(known))
        return f"<{batches} of {rows} rows in {self.shards!r}>"


def _examples(params: Any, batch: Any) -> int:
    return count(batch)
