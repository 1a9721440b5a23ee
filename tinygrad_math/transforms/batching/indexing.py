"""The rules of reading and writing at an index: the batch is one more axis, which every index leaves whole.

Where the index arrays themselves differ between examples, one more index array counts the examples. NumPy puts what
index arrays name at their place if they stand side by side, and at the front otherwise; so what a batched index gives
has to be put in order.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...core.op import registry
from ...core.tensor import as_tensor, rec, record
from .rules import Call, one_by_one, rule


def _parts(key: Any) -> tuple[Any, ...]:
    return key if isinstance(key, tuple) else (key,)


@rule("getitem")
def _getitem(call: Call) -> Any:
    return call.do(call.args[0], key=(slice(None), *_parts(call.params["key"])))


@rule("embed")
def _embed(call: Call) -> Any:
    shape = (call.size, *call.params["shape"])
    return call.do(call.args[0], shape=shape, key=(slice(None), *_parts(call.params["key"])))


class Advanced(NamedTuple):
    """Where the index arrays of a key put their axes in what it reads."""

    place: int  # the first of their axes, in the result for one example
    axes: int  # how many they are
    together: bool  # whether they stand side by side in the key
    rank: int  # of the whole result


def _advanced(key: tuple[Any, ...], shape: tuple[int, ...], arrays: list[Any]) -> Advanced:
    names = [type(k) is str or (isinstance(k, (int, np.integer)) and not isinstance(k, bool)) for k in key]
    positions = [i for i, named in enumerate(names) if named]
    together = positions == list(range(positions[0], positions[-1] + 1))
    rest = iter(arrays)
    taken = [next(rest) if type(k) is str else k for k in key]
    read = np.broadcast_to(np.False_, shape)[tuple(taken)]
    count = max((1 if a.dtype.kind == "b" else a.ndim for a in arrays), default=0)
    before = 0
    if together:
        used = sum(_depth(k) for k in taken)
        for k in taken[: positions[0]]:
            before += len(shape) - used if k is Ellipsis else 1  # a slice, or a new axis
    return Advanced(before, count, together, read.ndim)


def _depth(part: Any) -> int:
    """How many axes a part of a key reads."""
    if part is None or part is Ellipsis:
        return 0
    return int(part.ndim) if getattr(part, "dtype", None) == np.bool_ else 1


class Index:
    """An index with arrays in it, for a batch: `arrays` from the argument `first` of a call on."""

    def __init__(self, call: Call, first: int, shape: tuple[int, ...]) -> None:
        self.call, self.key = call, _parts(call.params["key"])
        examples = [np.asarray(e) for e in call.examples[first:]]
        self.own = any(call.moving[first:])  # whether it differs between examples
        self.at = _advanced(self.key, shape, examples) if examples else Advanced(0, 0, True, 0)
        self.simple = not any(m and e.dtype.kind == "b" for m, e in zip(call.moving[first:], examples, strict=True))
        size, count = call.size, self.at.axes
        self.arrays: list[Any] = []
        for k in range(first, len(call.args)):
            if call.moving[k]:
                lengths = (1,) * (count - call.ranks[k])
                self.arrays.append(rec.reshape(call.args[k], (size, *lengths, *call.shapes[k])))
            else:
                self.arrays.append(call.args[k])
        self.batched: tuple[Any, ...] = (slice(None), *self.key)
        if self.own:
            self.arrays.insert(0, as_tensor(np.arange(size).reshape((size,) + (1,) * count)))
            self.batched = ("array", *self.key)

    def order(self) -> tuple[int, ...] | None:
        """Where each axis of the result in order (the batch, then those of an example) lies in what NumPy reads."""
        place, count, together, rank = self.at
        axes = list(range(1, rank + 1))  # as they lie in an example
        if self.own:
            if place == 0:
                return None
            return (0, *(k + count if k <= place else k - place if k <= place + count else k for k in axes))
        if together or not count:
            return None
        return (count, *(k - 1 if k <= count else k for k in axes))

    def read(self, x: Any, in_batch: bool) -> Any:
        if self.own and not in_batch:
            place, _, together, rank = self.at
            y = record(registry["gather"], (x, *self.arrays[1:]), {"key": self.key})
            if not (together and place):
                return y
            return rec.transpose(y, axes=(place, *(k for k in range(rank + 1) if k != place)))
        y = record(registry["gather"], (x, *self.arrays), {"key": self.batched})
        order = self.order()
        return y if order is None else rec.transpose(y, axes=order)

    def lay(self, values: Any) -> Any:
        """Values in order, as they are to lie for NumPy to write them."""
        order = self.order()
        if order is None:
            return values
        return rec.transpose(values, axes=tuple(int(k) for k in np.argsort(order)))


@rule("gather")
def _gather(call: Call) -> Any:
    index = Index(call, 1, call.shapes[0])
    return index.read(call.args[0], call.moving[0]) if index.simple else one_by_one(call)


@rule("scatter")
def _scatter(call: Call) -> Any:
    shape = tuple(call.params["shape"])
    index = Index(call, 1, shape)
    if not index.simple:
        return one_by_one(call)
    return call.do(index.lay(call.full(0)), *index.arrays, shape=(call.size, *shape), key=index.batched)


@rule("assign", "add_at", "multiply_at")
def _write(call: Call) -> Any:
    index = Index(call, 2, call.shapes[0])
    x = call.full(0)
    if not index.simple:
        return one_by_one(call)
    rank = index.at.rank
    if not call.examples[2:]:
        rank = np.broadcast_to(np.False_, call.shapes[0])[index.key].ndim
    value, spare = call.args[1], call.ranks[1] - rank
    if call.moving[1]:
        own = call.shapes[1][max(spare, 0) :]  # NumPy takes 1s too many in front
        value = rec.reshape(value, (call.size, *(1,) * max(-spare, 0), *own))
    if index.order() is not None:
        value = as_tensor(value)
        if not call.moving[1]:
            value = rec.reshape(value, (1,) * (rank + 1 - min(call.ranks[1], rank)) + call.shapes[1][max(spare, 0) :])
        value = index.lay(value)
    return call.do(x, value, *index.arrays, key=index.batched)
