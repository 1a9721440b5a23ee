"""DataLoader: a data set in batches, in an order that a seed fixes and a checkpoint can take up again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, DTypeError, ShapeError, describe
from ..core.tensor import Tensor, as_tensor, rec
from ..core.tree import flatten, leaves_like, show, unflatten
from .dataset import Subset, TensorDataset


def collate(items: list[Any]) -> Any:
    """Examples side by side: trees of one structure, their leaves stacked along a new first axis.

    >>> import tinygrad_math as tm
    >>> tm.data.collate([{"x": 1.0, "y": 0}, {"x": 2.0, "y": 1}])
    {'x': tensor([1., 2.]), 'y': tensor([0, 1])}
    """
    if not items:
        raise ArgumentError("a batch of no examples cannot be put together")
    structure, rows = flatten(items[0])[1], []
    for item in items:
        leaves = leaves_like(item, structure, strict=True)
        if leaves is None:
            raise ShapeError(f"the examples of a batch differ: {show(structure)} and {show(flatten(item)[1])}")
        rows.append(leaves)
    return unflatten(structure, [_stacked(column) for column in zip(*rows, strict=True)])


def _stacked(column: tuple[Any, ...]) -> Any:
    if all(isinstance(v, (str, bytes)) for v in column):
        return list(column)
    tensors = [as_tensor(v) for v in column]
    if len({t.shape for t in tensors}) > 1:
        raise ShapeError(
            f"examples of shapes {sorted({t.shape for t in tensors})} cannot be one batch; pad them, or give collate_fn"
        )
    return rec.stack(tensors)


class DataLoader:
    """A data set in batches, each a tree of Tensors with the examples along the first axis.

    Arguments: `dataset` has a length and items (a TensorDataset, a Subset, a list, or arrays: `(x, y)`); `shuffle`
    draws a new order for each pass, from `seed` and the number of the pass alone, so that a run can be repeated;
    `drop_last` leaves out a last batch that is not full; `collate_fn(items)` puts a batch together.
    `state_dict()` says which pass, and how many batches of it are done; after `load_state_dict` the next iteration goes
    on from there. `epoch` is the number of the next pass (or of the one under way).

    >>> import tinygrad_math as tm
    >>> loader = tm.data.DataLoader(tm.data.TensorDataset([1, 2, 3, 4, 5]), batch_size=2)
    >>> [batch[0].tolist() for batch in loader]
    [[1, 2], [3, 4], [5]]
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        drop_last: bool = False,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        seed: int = 0,
    ) -> None:
        if isinstance(batch_size, bool) or not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
            raise ArgumentError(f"DataLoader: batch_size is a whole number above 0, got {batch_size!r:.40}")
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
            raise ArgumentError(f"DataLoader: seed is a whole number from 0 on, got {seed!r:.40}")
        if collate_fn is not None and not callable(collate_fn):
            raise ArgumentError(f"DataLoader: collate_fn is a function of a list of examples, got {collate_fn!r:.40}")
        if isinstance(dataset, tuple) and all(isinstance(a, (np.ndarray, Tensor)) for a in dataset):
            dataset = TensorDataset(*dataset)
        if not hasattr(dataset, "__len__") or not hasattr(dataset, "__getitem__"):
            raise DTypeError(f"DataLoader takes a data set with a length and items, got {describe(dataset)}")
        self.dataset, self.batch_size, self.shuffle, self.drop_last = dataset, int(batch_size), shuffle, drop_last
        self.collate_fn, self.seed = collate_fn, int(seed)
        self.epoch = self._done = 0

    def __len__(self) -> int:
        """Batches in a pass."""
        n = len(self.dataset)
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)

    def order(self, epoch: int) -> np.ndarray[Any, Any]:
        """The order of the examples in a pass."""
        n = len(self.dataset)
        return np.random.default_rng([self.seed, epoch]).permutation(n) if self.shuffle else np.arange(n)

    def __iter__(self) -> Iterator[Any]:
        epoch, first = self.epoch, self._done
        order, size = self.order(epoch), self.batch_size
        for k in range(first, len(self)):
            batch = self._batch(order[k * size : (k + 1) * size])
            self.epoch, self._done = epoch, k + 1
            yield batch
        self.epoch, self._done = epoch + 1, 0

    def _batch(self, rows: np.ndarray[Any, Any]) -> Any:
        if self.collate_fn is None and _takes_rows(self.dataset):
            return self.dataset[rows]
        items = [self.dataset[int(k)] for k in rows]
        return (self.collate_fn or collate)(items)

    def state_dict(self) -> dict[str, int]:
        """Where the iteration stands. A batch counts as done when it has been handed out."""
        return {"epoch": self.epoch, "batch": self._done, "seed": self.seed}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken. Raises ArgumentError, and then nothing has changed."""
        found: list[Any] = [state.get(k) for k in ("epoch", "batch", "seed")]
        if any(isinstance(v, bool) or not isinstance(v, (int, np.integer)) or v < 0 for v in found):
            raise ArgumentError(
                f"DataLoader: a state has epoch, batch and seed, whole numbers, got {dict(state)!r:.80}"
            )
        if found[1] > len(self):
            raise ArgumentError(
                f"DataLoader: the state is at batch {found[1]}, a pass has {len(self)}; is it another data set?"
            )
        self.epoch, self._done, self.seed = (int(v) for v in found)


def _takes_rows(dataset: Any) -> bool:
    """Whether a data set gives several rows at once, as arrays do."""
    return isinstance(dataset, TensorDataset) or (isinstance(dataset, Subset) and _takes_rows(dataset.dataset))
