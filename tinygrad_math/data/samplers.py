"""Samplers: in which order, and how often, the examples of a data set come; a seed fixes it, anew for each pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, MissingMethod, describe

_DATA = 0xDA7A  # the key of what is drawn for data sets


def whole(value: Any, name: str, asker: str, least: int = 1) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ArgumentError(f"{asker}: {name} is a whole number from {least} on, got {value!r:.40}")
    return int(value)


def generator(seed: int, *numbers: int) -> np.random.Generator:
    """What draws in a pass: the same for the same numbers, and apart from what `default_rng(seed)` draws elsewhere.

    A zero at the end of a list of seeds does not count, so that the first pass of `[seed, epoch]` would repeat the
    draws that made the network. A key keeps streams apart, also from those that the seed's own `spawn` gives.
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_DATA, *numbers)))


class Sampler:
    """The base: `order(epoch)` is the numbers of the examples in a pass; iterating goes through one pass after another.

    Subclasses define `order` and `__len__`. Any iterable of numbers with a length serves a DataLoader, too, but then a
    pass that was left in the middle cannot be taken up again.

    >>> import tinygrad_math as tm
    >>> class Backwards(tm.data.Sampler):
    ...     def order(self, epoch):
    ...         return [2, 1, 0]
    ...     def __len__(self):
    ...         return 3
    >>> [batch.tolist() for batch in tm.data.DataLoader([10, 20, 30], batch_size=2, sampler=Backwards())]
    [[30, 20], [10]]
    """

    _next = 0  # the pass that begins next

    def order(self, epoch: int) -> Any:
        raise MissingMethod(f"{type(self).__name__} does not define order(self, epoch)")

    def __iter__(self) -> Iterator[Any]:
        epoch, self._next = self._next, self._next + 1
        order = self.order(epoch)
        return iter(order.tolist() if isinstance(order, np.ndarray) else order)


class SequentialSampler(Sampler):
    """0, 1, 2, ... to the end of the data set.

    >>> import tinygrad_math as tm
    >>> list(tm.data.SequentialSampler("abc"))
    [0, 1, 2]
    """

    def __init__(self, data_source: Any) -> None:
        self.data_source = data_source

    def order(self, epoch: int) -> np.ndarray[Any, Any]:
        """The numbers of the examples in a pass."""
        return np.arange(len(self))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler):
    """The examples in random order, each once; or with `replacement` drawn anew each time.

    Arguments: `num_samples` how many, as many as there are unless given; `seed` of the draws, a new one in each pass.

    >>> import tinygrad_math as tm
    >>> sorted(tm.data.RandomSampler("abc", seed=1))
    [0, 1, 2]
    """

    def __init__(
        self, data_source: Any, replacement: bool = False, num_samples: int | None = None, seed: int = 0
    ) -> None:
        self.data_source, self.replacement = data_source, replacement
        self.num_samples = None if num_samples is None else whole(num_samples, "num_samples", "RandomSampler")
        self.seed = whole(seed, "seed", "RandomSampler", 0)

    def order(self, epoch: int) -> np.ndarray[Any, Any]:
        """The numbers of the examples in a pass."""
        draw, n, wanted = generator(self.seed, epoch), len(self.data_source), len(self)
        if self.replacement:
            return draw.integers(0, n, wanted)
        rounds = [draw.permutation(n) for _ in range(-(-wanted // max(n, 1)))]
        return np.concatenate([*rounds, np.zeros(0, np.intp)])[:wanted].astype(np.intp)

    def __len__(self) -> int:
        return len(self.data_source) if self.num_samples is None else self.num_samples


class SubsetRandomSampler(Sampler):
    """Some numbers of examples, each once, in random order.

    >>> import tinygrad_math as tm
    >>> sorted(tm.data.SubsetRandomSampler([7, 3]))
    [3, 7]
    """

    def __init__(self, indices: Any, seed: int = 0) -> None:
        self.indices = np.array([int(k) for k in indices], np.intp)
        self.seed = whole(seed, "seed", "SubsetRandomSampler", 0)

    def order(self, epoch: int) -> np.ndarray[Any, Any]:
        """The numbers of the examples in a pass."""
        return generator(self.seed, epoch).permutation(self.indices)

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler):
    """Numbers 0, 1, ... drawn with probabilities that are proportional to weights, which need not add up to 1.

    Arguments: `weights` one for each example, from 0 on; `num_samples` draws a pass, `replacement` whether one number
    may come several times; `seed` of the draws, a new one in each pass. Raises ArgumentError.

    >>> import tinygrad_math as tm
    >>> set(tm.data.WeightedRandomSampler([0.0, 1.0, 3.0], 20)) == {1, 2}
    True
    """

    def __init__(self, weights: Any, num_samples: int, replacement: bool = True, seed: int = 0) -> None:
        name = type(self).__name__
        w = np.asarray(weights.detach().numpy() if hasattr(weights, "detach") else weights, np.float64)
        if w.ndim != 1 or not np.all(np.isfinite(w)) or np.any(w < 0) or not w.sum() > 0:
            raise ArgumentError(f"{name}: weights are numbers from 0 on, one an example, got {describe(weights)}")
        self.weights, self.num_samples = w, whole(num_samples, "num_samples", name)
        self.replacement, self.seed = replacement, whole(seed, "seed", name, 0)
        if not replacement and self.num_samples > np.count_nonzero(w):
            raise ArgumentError(
                f"{name}: {num_samples} different examples of {np.count_nonzero(w)} with a weight above 0; "
                "draw fewer, or with replacement"
            )

    def order(self, epoch: int) -> np.ndarray[Any, Any]:
        """The numbers of the examples in a pass."""
        draw = generator(self.seed, epoch)
        return draw.choice(len(self.weights), self.num_samples, self.replacement, self.weights / self.weights.sum())

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler):
    """The numbers of a sampler in lists of batch_size; with `drop_last` without a last one that is not full.

    >>> import tinygrad_math as tm
    >>> list(tm.data.BatchSampler(tm.data.SequentialSampler("abcde"), 2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        self.sampler, self.drop_last = sampler, drop_last
        self.batch_size = whole(batch_size, "batch_size", "BatchSampler")

    def order(self, epoch: int) -> list[list[int]]:
        """The numbers of each batch of a pass."""
        numbers = [int(k) for k in in_order(self.sampler, epoch)]
        batches = [numbers[k : k + self.batch_size] for k in range(0, len(numbers), self.batch_size)]
        return batches[: len(numbers) // self.batch_size] if self.drop_last else batches

    def __len__(self) -> int:
        n = len(self.sampler)  # type: ignore[arg-type]  # what has none raises TypeError, as len does
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)


def can_repeat(sampler: Any) -> bool:
    """Whether the order of a pass can be asked for again."""
    return can_repeat(sampler.sampler) if isinstance(sampler, BatchSampler) else hasattr(sampler, "order")


def in_order(sampler: Any, epoch: int) -> Any:
    """The order of a pass; of a stranger's, one more iteration over it."""
    return sampler.order(epoch) if hasattr(sampler, "order") else list(sampler)
