"""DataLoader: a data set in batches, in an order that a seed fixes and a checkpoint can take up again."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from ..core.arguments import usage
from ..core.errors import ArgumentError, DTypeError, ShapeError, describe
from ..core.tensor import Tensor, as_tensor, rec
from ..core.tree import flatten, leaves_like, show, unflatten
from .dataset import Subset, TensorDataset, check_rows
from .samplers import can_repeat, generator, in_order


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


def examples(batch: Any) -> int:
    """How many examples a batch holds: the length of the first array in it that has axes, however it is nested."""
    parts = flatten(batch)[0] if isinstance(batch, (tuple, list, Mapping)) else [batch]
    for part in parts:
        shape = getattr(part, "shape", None)
        if shape:
            return int(shape[0])
    first = batch
    while isinstance(first, (tuple, Mapping)) and first:  # of text: lists of it lie in tuples and dicts
        first = next(iter(first.values())) if isinstance(first, Mapping) else first[0]
    try:
        return len(first)
    except TypeError:
        raise ShapeError(
            f"a batch has its examples along the first axis of its arrays, got {describe(batch)}"
        ) from None


class Pass(Iterator[Any]):
    """One pass over batches, from its first one, or from where a state that was loaded says."""

    def __init__(self, of: Passes) -> None:
        self.of, self.ended = of, False
        self.batches: Callable[[int], Any] | None = None

    def begin(self) -> None:
        """Take the place from which this pass goes on; one begins when it is first asked for a batch."""
        if self.batches is None:
            of = self.of
            self.epoch, self.done = of._next, of._first
            self.batches = of._pass(self.epoch)
            of._next, of._first = self.epoch + 1, 0

    def skip(self, count: int) -> None:
        """Count this many batches as handed out."""
        self.done += count
        self.of._epoch, self.of._done = self.epoch, self.done

    def __next__(self) -> Any:
        of = self.of
        if self.ended:
            raise StopIteration
        self.begin()
        assert self.batches is not None
        if self.done >= len(of):
            self.ended, of._epoch, of._done = True, of._next, of._first
            raise StopIteration
        batch = self.batches(self.done)
        self.skip(1)
        return batch

    def state_dict(self) -> dict[str, int]:
        """Where this pass stands, whatever others have begun since."""
        if self.ended or self.batches is None:
            return self.of._ahead()
        return {"epoch": self.epoch, "batch": self.done, "seed": self.of.seed}


class Passes:
    """What hands out batches in passes, each of which its number and a seed put in order.

    Each iteration is a pass of its own, from the first batch; the one after `load_state_dict` goes on in the middle.
    Subclasses give `seed`, `len()` and `_pass(epoch)`, the batches of a pass by number.
    """

    seed: int
    _epoch = _done = 0  # where the pass stands that was last gone on with
    _next = _first = 0  # the number of the pass that begins next, and its first batch

    def __len__(self) -> int:
        raise NotImplementedError

    def _pass(self, epoch: int) -> Callable[[int], Any]:
        raise NotImplementedError

    def __iter__(self) -> Pass:
        return Pass(self)

    @property
    def epoch(self) -> int:
        """The number of the pass under way, or else of the next one. Where it is set, a pass begins there."""
        return self._epoch

    @epoch.setter
    def epoch(self, number: int) -> None:
        self._epoch, self._done, self._next, self._first = number, 0, number, 0

    def _ahead(self) -> dict[str, int]:
        """Where the next iteration begins."""
        return {"epoch": self._next, "batch": self._first, "seed": self.seed}

    def _aside(self) -> Passes:
        """A twin at the start of a pass, with a place of its own: what looks at the data only leaves this one's."""
        twin = copy.copy(self)
        twin._first = 0
        return twin

    def state_dict(self) -> dict[str, int]:
        """Where the last iteration stands. A batch counts as done when it has been handed out."""
        return {"epoch": self._epoch, "batch": self._done, "seed": self.seed}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken. Raises ArgumentError, and then nothing has changed."""
        name = type(self).__name__
        found: list[Any] = [state.get(k) for k in ("epoch", "batch", "seed")] if isinstance(state, Mapping) else [None]
        if any(isinstance(v, bool) or not isinstance(v, (int, np.integer)) or v < 0 for v in found):
            raise ArgumentError(f"{name}: a state has epoch, batch and seed, whole numbers, got {describe(state)}")
        if found[1] > len(self):
            raise ArgumentError(
                f"{name}: the state is at batch {found[1]}, a pass has {len(self)}; is it another data set?"
            )
        self._epoch, self._done, self.seed = (int(v) for v in found)
        self._next, self._first = self._epoch, self._done


_SPEED = (
    "timeout", "worker_init_fn", "multiprocessing_context", "generator", "prefetch_factor", "persistent_workers",
    "pin_memory_device", "in_order",
)  # fmt: skip


class DataLoader(Passes):
    """A data set in batches, each a tree of Tensors with the examples along the first axis.

    Arguments: `dataset` has a length and items (a TensorDataset, a Subset, a list, or arrays: `(x, y)`); `shuffle`
    draws a new order for each pass, from `seed` and the number of the pass alone, so that a run can be repeated;
    `drop_last` leaves out a last batch that is not full; `collate_fn(items)` puts a batch together. `sampler` says the
    order in the place of `shuffle` (see `Sampler`), `batch_sampler` the numbers of each batch. Batches are made where
    they are asked for: `num_workers`, `pin_memory` and what else PyTorch has for speed are taken, and change nothing.
    Each iteration is a pass of its own, from the first batch, also where the last one was left in the middle.
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
        sampler: Any = None,
        batch_sampler: Any = None,
        num_workers: int = 0,
        pin_memory: bool = False,
        **speed: Any,
    ) -> None:
        self._check_speed(speed)
        if isinstance(batch_size, bool) or not isinstance(batch_size, (int, np.integer)) or batch_size < 1:
            raise ArgumentError(f"DataLoader: batch_size is a whole number above 0, got {batch_size!r:.40}")
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
            raise ArgumentError(f"DataLoader: seed is a whole number from 0 on, got {seed!r:.40}")
        if isinstance(num_workers, bool) or not isinstance(num_workers, (int, np.integer)) or num_workers < 0:
            raise ArgumentError(f"DataLoader: num_workers is a whole number from 0 on, got {num_workers!r:.40}")
        if collate_fn is not None and not callable(collate_fn):
            raise ArgumentError(f"DataLoader: collate_fn is a function of a list of examples, got {collate_fn!r:.40}")
        if isinstance(dataset, tuple) and all(isinstance(a, (np.ndarray, Tensor)) for a in dataset):
            dataset = TensorDataset(*dataset)
        if isinstance(dataset, Mapping) and not (0 in dataset and len(dataset) - 1 in dataset):
            raise DTypeError(
                f"DataLoader takes examples by number, got {describe(dataset)}; for batches that are dicts "
                "give a list of dicts, one an example"
            )
        if not hasattr(dataset, "__len__") or not hasattr(dataset, "__getitem__"):
            raise DTypeError(f"DataLoader takes a data set with a length and items, got {describe(dataset)}")
        self.dataset, self.batch_size, self.shuffle, self.drop_last = dataset, int(batch_size), shuffle, drop_last
        self.collate_fn, self.seed = collate_fn, int(seed)
        self.sampler, self.batch_sampler = sampler, batch_sampler
        if sampler is not None and (shuffle or batch_sampler is not None):
            raise ArgumentError("DataLoader: sampler, batch_sampler and shuffle each say the order; give one of them")
        if batch_sampler is not None and (shuffle or drop_last or batch_size != 1):
            raise ArgumentError("DataLoader: batch_sampler says the batches; leave batch_size, shuffle, drop_last out")
        for given, name in ((sampler, "sampler"), (batch_sampler, "batch_sampler")):
            if given is not None and not (hasattr(given, "__len__") and hasattr(given, "__iter__")):
                raise ArgumentError(f"DataLoader: a {name} has a length and numbers of examples, got {describe(given)}")

    @staticmethod
    def _check_speed(given: dict[str, Any]) -> None:
        """Raise ArgumentError for an argument that PyTorch has not, or that would change more than speed."""
        for name, value in given.items():
            if name == "worker_init_fn" and value is not None:
                raise ArgumentError("DataLoader: there are no workers to begin with worker_init_fn; call it yourself")
            if name == "generator" and value is not None:
                raise ArgumentError("DataLoader: the order comes of a number; give seed= in the place of a generator")
            if name not in _SPEED:
                raise ArgumentError(f"DataLoader: there is no argument {name}; {usage(DataLoader)}")

    def __len__(self) -> int:
        """Batches in a pass."""
        if self.batch_sampler is not None:
            return len(self.batch_sampler)
        n = len(self.dataset if self.sampler is None else self.sampler)
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)

    def __repr__(self) -> str:
        return f"<DataLoader of {len(self.dataset)} examples, batch_size={self.batch_size}>"

    def order(self, epoch: int) -> np.ndarray[Any, Any]:
        """The order of the examples in a pass."""
        n = len(self.dataset)
        if self.batch_sampler is not None:
            return np.concatenate([*self._listed(epoch), np.zeros(0, np.intp)]).astype(np.intp)
        if self.sampler is not None:
            return _checked(in_order(self.sampler, epoch), n)
        return generator(self.seed, epoch).permutation(n) if self.shuffle else np.arange(n)

    def _listed(self, epoch: int) -> list[np.ndarray[Any, Any]]:
        """The numbers of each batch that a batch_sampler gives."""
        return [_checked(rows, len(self.dataset)) for rows in in_order(self.batch_sampler, epoch)]

    def _pass(self, epoch: int) -> Callable[[int], Any]:
        if self.batch_sampler is not None:
            listed = self._listed(epoch)
            return lambda k: self._batch(listed[k])
        order, size = self.order(epoch), self.batch_size
        return lambda k: self._batch(order[k * size : (k + 1) * size])

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken. Raises ArgumentError, and then nothing has changed."""
        given = self.batch_sampler if self.sampler is None else self.sampler
        begun = isinstance(state, Mapping) and state.get("batch") not in (0, len(self))
        if given is not None and begun and not can_repeat(given):
            raise ArgumentError(
                f"DataLoader: a pass by {describe(given)} cannot be taken up again in the middle, as its order is not "
                "known any more; give the sampler a method order(epoch), or save at the end of a pass"
            )
        super().load_state_dict(state)

    def _batch(self, rows: np.ndarray[Any, Any]) -> Any:
        if self.collate_fn is None and _takes_rows(self.dataset):
            return self.dataset[rows]
        items = [self.dataset[int(k)] for k in rows]
        return (self.collate_fn or collate)(items)


def table_of(loader: Any) -> tuple[list[np.ndarray[Any, Any]], np.ndarray[Any, Any] | None] | None:
    """The arrays of which the batches of a loader are rows, and which rows a subset has; None where they are not.

    That is of a DataLoader of a TensorDataset, or of Subsets of one, whose ways nobody has changed.
    """
    if not isinstance(loader, DataLoader) or loader.collate_fn is not None:
        return None
    if loader.sampler is not None or loader.batch_sampler is not None:
        return None
    if any(getattr(type(loader), name) is not getattr(DataLoader, name) for name in ("__iter__", "_pass", "_batch")):
        return None
    data, rows = loader.dataset, None
    while isinstance(data, Subset) and type(data).__getitem__ is Subset.__getitem__:
        rows = data.indices if rows is None else data.indices[rows]
        data = data.dataset
    if not isinstance(data, TensorDataset) or type(data).__getitem__ is not TensorDataset.__getitem__:
        return None
    nodes = [t.node for t in data.tensors]
    if any(type(t) is not Tensor for t in data.tensors) or any(n.live for n in nodes):
        return None
    return [np.asarray(n.data) for n in nodes], rows


def _checked(numbers: Any, n: int) -> np.ndarray[Any, Any]:
    """Numbers of examples that a sampler gave. Raises IndexOutOfBounds, ArgumentError."""
    found = check_rows(np.asarray(numbers), n, "DataLoader: by its sampler the data set")
    return np.atleast_1d(np.asarray(found, np.intp))


def _takes_rows(dataset: Any) -> bool:
    """Whether a data set gives several rows at once, as arrays do."""
    return isinstance(dataset, TensorDataset) or (isinstance(dataset, Subset) and _takes_rows(dataset.dataset))
