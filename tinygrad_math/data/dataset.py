"""Data sets: what has a length and items by number."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .. import random
from ..core.errors import ArgumentError, IndexOutOfBounds, MissingMethod, ShapeError, describe
from ..core.tensor import Tensor, as_tensor

Rows = Any  # an int, a slice, or an array of positions


def check_rows(rows: Any, length: int, asker: str) -> Any:
    """Positions that exist: an int, or an array of them. Raises IndexOutOfBounds, ArgumentError."""
    if isinstance(rows, slice):
        return rows
    found = np.asarray(rows.detach().numpy() if isinstance(rows, Tensor) else rows)
    if found.dtype == bool and found.shape == (length,):
        return np.flatnonzero(found)
    if not found.size and found.ndim == 1:
        return found.astype(np.intp)
    if found.dtype.kind not in "iu" or found.ndim > 1:
        raise ArgumentError(f"{asker} takes a position or an array of positions, got {describe(rows)}")
    if found.size and not (-length <= int(found.min()) and int(found.max()) < length):
        raise IndexOutOfBounds(
            f"{asker} has {length} examples; there is no number {int(found.max())} or {int(found.min())}"
        )
    return found if found.ndim else int(found)


class Dataset:
    """The base of data sets of one's own: define `__len__`, and `__getitem__(i)`, the example number i.

    Whatever has these two methods is a data set, also without this base.

    >>> import tinygrad_math as tm
    >>> class Squares(tm.data.Dataset):
    ...     def __len__(self):
    ...         return 4
    ...     def __getitem__(self, i):
    ...         return float(i), float(i * i)
    >>> [batch[1].tolist() for batch in tm.data.DataLoader(Squares(), batch_size=2)]
    [[0.0, 1.0], [4.0, 9.0]]
    """

    def __getitem__(self, i: Any) -> Any:
        raise MissingMethod(f"{type(self).__name__} does not define __getitem__(self, i), the example number i")


class TensorDataset(Dataset):
    """Arrays of one length, row by row: item i is the tuple of their rows i; `dataset[[0, 2]]` gives several at once.

    Arguments: arrays or Tensors with the examples along the first axis; they are kept as they are, not copied.
    Raises ShapeError if their lengths differ.

    >>> import tinygrad_math as tm
    >>> data = tm.data.TensorDataset([[1.0], [2.0], [3.0]], [0, 1, 0])
    >>> len(data), data[1]
    (3, (tensor([2.]), tensor(1)))
    """

    def __init__(self, *tensors: Any) -> None:
        if not tensors:
            raise ArgumentError("TensorDataset takes at least one array")
        self.tensors = tuple(as_tensor(t) for t in tensors)
        for t in self.tensors:
            if not t.ndim:
                raise ShapeError(
                    f"TensorDataset takes arrays with the examples along the first axis, got {describe(t)}"
                )
        if len({len(t) for t in self.tensors}) > 1:
            raise ShapeError(f"TensorDataset: arrays of one length are rows of one table, got {describe(self.tensors)}")

    def __len__(self) -> int:
        return len(self.tensors[0])

    def __getitem__(self, rows: Rows) -> tuple[Tensor, ...]:
        rows = check_rows(rows, len(self), "this data set")
        return tuple(t[rows] for t in self.tensors)


class Subset(Dataset):
    """Some rows of a data set, in the order of `indices`. Several at once are a batch as the data set gives it, of a
    list a list.

    >>> import tinygrad_math as tm
    >>> tm.data.Subset(tm.data.TensorDataset([10, 20, 30]), [2, 0])[0]
    (tensor(30),)
    """

    def __init__(self, dataset: Any, indices: Sequence[int] | Any) -> None:
        self.dataset = dataset
        self.indices = np.atleast_1d(check_rows(np.asarray(indices), len(dataset), "Subset: the data set"))

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, rows: Rows) -> Any:
        rows = check_rows(rows, len(self), "this subset")
        taken = self.indices[rows]
        if isinstance(self.dataset, Sequence) and np.ndim(taken):  # a list, which takes a number at a time
            return [self.dataset[int(k)] for k in taken]
        return self.dataset[taken]

    def __iter__(self) -> Iterator[Any]:
        return (self[k] for k in range(len(self)))


class ConcatDataset(Dataset):
    """Several data sets, one behind the other.

    >>> import tinygrad_math as tm
    >>> both = tm.data.ConcatDataset([[10, 20], [30]])
    >>> len(both), both[2], both[-3]
    (3, 30, 10)
    """

    def __init__(self, datasets: Sequence[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ArgumentError("ConcatDataset takes at least one data set")
        self.ends = np.cumsum([len(d) for d in self.datasets])

    def __len__(self) -> int:
        return int(self.ends[-1])

    def __getitem__(self, i: int) -> Any:
        i = check_rows(i, len(self), "these data sets")
        if np.ndim(i):
            raise IndexOutOfBounds(f"ConcatDataset gives one example at a time, got {describe(i)}")
        i %= len(self)
        k = int(np.searchsorted(self.ends, i, side="right"))
        return self.datasets[k][i - int(self.ends[k - 1] if k else 0)]


def random_split(dataset: Any, lengths: Sequence[float], rng: Any = None) -> list[Subset]:
    """Subsets without overlap that together are the whole data set, drawn at random.

    Arguments: `lengths` whole numbers that add up to its length, or shares that add up to 1 (what rounding
    leaves over goes to the first ones in turn, as in PyTorch); `rng` a NumPy Generator or a seed,
    without which `tm.random` draws.
    Raises ArgumentError if they do not add up.

    >>> import tinygrad_math as tm
    >>> data = tm.data.TensorDataset(list(range(10)))
    >>> [len(part) for part in tm.data.random_split(data, [0.75, 0.25], rng=0)]
    [8, 2]
    """
    n, sizes = len(dataset), [*lengths]
    if not sizes or any(isinstance(s, bool) or not isinstance(s, (int, float, np.number)) or not s >= 0 for s in sizes):
        raise ArgumentError(f"random_split takes a list of lengths or of shares, got {lengths!r:.80}")
    if math.isclose(sum(sizes), 1.0, rel_tol=0, abs_tol=1e-9) and max(sizes) <= 1 and not (n == 1 and 1 in sizes):
        whole = [math.floor(n * s) for s in sizes]
        for k in range(n - sum(whole)):
            whole[k % len(whole)] += 1
        sizes = [*whole]
    if any(s != int(s) for s in sizes) or sum(sizes) != n:
        raise ArgumentError(f"random_split: {lengths!r:.80} adds up neither to 1 nor to the {n} examples")
    order = random.source(rng, "random_split draws").permutation(n)
    ends = np.cumsum([int(s) for s in sizes])
    return [Subset(dataset, order[end - int(s) : end]) for s, end in zip(sizes, ends, strict=True)]
