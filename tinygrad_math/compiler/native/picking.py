"""Reading and adding at positions that arrays of whole numbers name: gather, scatter and add_at.

Several arrays, for axes that follow each other, become the positions along all of these as one.

A position beyond the axis is noted in a flag, and the machine stops there: the program is then run again step by step,
and the op itself says what is wrong. Sums are taken in the order in which the positions stand, as NumPy takes them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..program import Value, constant
from .instructions import Instructions
from .loops import Loop, copier
from .machine import LIMIT
from .picked import counter, picker
from .places import FAR, Place, address_of, c_strides
from .table import Operand, loop_words, merged

Words = list[int] | None
_WORD = np.dtype(np.int64)
_WHOLE = slice(None)


class _Axis(NamedTuple):
    """What is picked along: how many axes stand before it, its length, the positions named, and how many axes it is."""

    number: int
    length: int
    positions: Place
    axes: int = 1


def gather(around: Instructions, v: Value, out: Place) -> Words:
    x, words = around.place(v.inputs[0]), list[int]()
    arrays = _arrays(around, v, v.inputs[1:])
    if x is None or x.dtype != v.dtype or arrays is None:
        return None
    if len(arrays) > 1 and not _lie_as_one(x, v.params["key"], len(arrays)):
        if v.inputs[0].nbytes > FAR:
            return None
        moved = around.moved(x, whole := around.own(x.shape, x.dtype), x.shape)
        if moved is None:
            return None
        x, words = whole._replace(strides=c_strides(x.shape, x.dtype.itemsize)), words + moved
    axis = _axis(around, v, arrays, x.shape, words)
    return None if axis is None else _picked(around, ("gather", str(v.dtype.itemsize)), v, axis, (x, out), words)


def scatter(around: Instructions, v: Value, out: Place) -> Words:
    """Zeros, to which values are added; put there, where positions grow, as the op does."""
    words: list[int] = []
    arrays = _arrays(around, v, v.inputs[1:])
    values, zero = around.place(v.inputs[0]), around.number(0, v.dtype)
    if values is None or values.dtype != v.dtype or arrays is None or zero is None:
        return None
    rows = all(
        i.shape == arrays[0].shape and len(i.shape) == 1 for i in arrays
    )  # the op looks whether any of these grow
    kind = "scatter" if rows else "add"
    if rows and len(arrays) > 1:
        kind = "put" if any(i.constant and _grows(np.asarray(i.example)) for i in arrays) else ""
    axis = _axis(around, v, arrays, v.shape, words) if kind and _lie_as_one(out, v.params["key"], len(arrays)) else None
    if axis is None:
        return None
    words += loop_words(copier(v.dtype), out.shape, [zero.over(out.shape), out.over(out.shape)])
    return _picked(around, (kind, v.dtype.char), v, axis, (out, values), words)


def add_at(around: Instructions, v: Value, out: Place) -> Words:
    return _changed(around, v, out, "add")


def assign(around: Instructions, v: Value, out: Place) -> Words:
    """Of places that are named more than once the last one stays."""
    if any(len(i.shape) > 1 for i in v.inputs[2:]):
        return None
    return _changed(around, v, out, "put")


def _changed(around: Instructions, v: Value, out: Place, kind: str) -> Words:
    """A copy of x, in which values are added, or put, at positions."""
    words: list[int] = []
    x, value = around.place(v.inputs[0]), around.taken(v.inputs[1], v.dtype, words)
    arrays = _arrays(around, v, v.inputs[2:])
    given = [i for i in v.inputs[:2] if not (i.constant and i.weak)]
    if x is None or value is None or arrays is None or any(i.dtype != v.dtype or i.weak for i in given):
        return None
    axis = _axis(around, v, arrays, v.shape, words) if _lie_as_one(out, v.params["key"], len(arrays)) else None
    if axis is None:
        return None
    shape = (*v.shape[: axis.number], *axis.positions.shape, *v.shape[axis.number + axis.axes :])
    if len(value.shape) > len(shape):
        return None
    spread = Place(value.cell, value.offset, shape, value.over(shape).strides, v.dtype)
    words += loop_words(copier(v.dtype), out.shape, [x.over(out.shape), out.over(out.shape)])
    return _picked(around, (kind, v.dtype.char), v, axis, (out, spread), words)


def _arrays(around: Instructions, v: Value, arrays: Sequence[Value]) -> Sequence[Value] | None:
    """The positions, for axes that follow each other; None where the index has other parts, or truth values."""
    key = v.params["key"]
    if type(key) is not tuple or not arrays:  # of numbers and slices alone
        return None
    rest, found = iter(arrays), list[Value]()
    for k in key:
        if type(k) is slice and k == _WHOLE and not found:
            continue
        if k != "array" and type(k) is not int:
            return None
        found.append(next(rest) if k == "array" else constant(np.int64(k)))
    known = all(i.dtype.kind in "iu" and i.dtype != np.uint64 and i.size for i in found)
    known = known and all(not i.weak or i in around.counters for i in found)  # the number of a step
    return found if known else None


def _grows(i: Any) -> bool:
    return bool(i.ndim == 1 and i.size and i[0] >= 0 and (i[1:] > i[:-1]).all())


def _lie_as_one(p: Place, key: tuple[Any, ...], axes: int) -> bool:
    """Whether the axes that are picked along follow each other in memory."""
    first, last = len(key) - axes, len(key)
    if last > len(p.shape):
        return False
    return all(p.strides[k] == p.strides[k + 1] * p.shape[k + 1] for k in range(first, last - 1))


def _axis(
    around: Instructions, v: Value, arrays: Sequence[Value], shape: tuple[int, ...], words: list[int]
) -> _Axis | None:
    """What is picked along, which is one axis in memory, and the positions there."""
    number = len(v.params["key"]) - len(arrays)
    if len(shape) < number + len(arrays) or 0 in shape:
        return None
    lengths = shape[number : number + len(arrays)]
    places = [around.taken(i, _WORD, words) for i in arrays]
    if len(arrays) == 1:
        return None if places[0] is None else _Axis(number, lengths[0], places[0])
    spread = np.broadcast_shapes(*(i.shape for i in arrays))
    if any(p is None for p in places) or math.prod(spread) * _WORD.itemsize > FAR:
        return None
    before, named = around.number(0, _WORD), around.own(spread, _WORD)
    flag = new_flag(around, words)
    assert before is not None
    for p, length in zip(places, lengths, strict=True):
        assert p is not None
        by = Loop(counter(), length, (_WORD,) * 4)
        operands = [p.over(spread), before.over(spread), named.over(spread), flag.over(spread)]
        words += loop_words(by, spread, operands)
        before = named
    words += checked(around, flag)
    return _Axis(number, math.prod(lengths), named, len(arrays))


def new_flag(around: Instructions, words: list[int]) -> Place:
    """A number, 0 to begin with."""
    flag, zero = around.own((), _WORD), around.number(0, _WORD)
    assert zero is not None
    words += loop_words(copier(_WORD), (), [zero.over(()), flag.over(())])
    return flag


def checked(around: Instructions, flag: Place) -> list[int]:
    """An error where a position was beyond its axis."""
    said = np.frombuffer(b"an index is out of bounds\0", np.uint8)
    around.memory.kept.append(said)
    return [0, LIMIT, 7, flag.cell, flag.offset, 1, address_of(said)]


def _picked(
    around: Instructions, kind: tuple[str, str], v: Value, axis: _Axis, places: tuple[Place, Place], words: list[int]
) -> Words:
    """The words of a loop between what has the axis, the first of the places, and what has the positions instead."""
    if kind[0] in ("add", "scatter") and v.dtype.char == "?":
        return None
    whole, picked = places
    number, positions, behind_it = axis.number, axis.positions, axis.number + axis.axes
    whole = whole._replace(
        shape=(*whole.shape[:number], axis.length, *whole.shape[behind_it:]),
        strides=(*whole.strides[:number], whole.strides[behind_it - 1], *whole.strides[behind_it:]),
    )
    count = len(positions.shape)
    if kind[0] != "gather" and count > 1 and positions.strides != c_strides(positions.shape, _WORD.itemsize):
        return None  # the order of the sums is that of the positions
    here = _one(positions.shape, positions.strides, picked.strides[number : number + count])
    behind = _one(whole.shape[number + 1 :], whole.strides[number + 1 :], picked.strides[number + count :])
    size = math.prod(picked.shape) * v.dtype.itemsize
    if None in (here, behind) and kind[0] != "gather" and size <= FAR:  # values that are spread, or lie otherwise
        laid = around.own(picked.shape, v.dtype)
        laid = laid._replace(strides=c_strides(laid.shape, v.dtype.itemsize))
        words += around.moved(picked, laid, picked.shape) or []
        here = _one(positions.shape, positions.strides, laid.strides[number : number + count])
        behind = _one(whole.shape[number + 1 :], whole.strides[number + 1 :], laid.strides[number + count :])
        picked = laid
    if here is None or behind is None:
        return None
    (n, (step, row)), (m, (inner, column)) = here, behind
    ahead = whole.shape[:number]
    flag = new_flag(around, words)
    far = Operand(flag.cell, flag.offset, (0,) * number)
    with_axis = Operand(whole.cell, whole.offset, whole.strides[:number], (whole.strides[number], inner))
    without = Operand(picked.cell, picked.offset, picked.strides[:number], (row, column))
    named = Operand(positions.cell, positions.offset, (0,) * number, (step,))
    by = Loop(picker(*kind), axis.length, (v.dtype, _WORD, v.dtype, _WORD))
    words += loop_words(by, ahead, [with_axis, named, without, far], (n, m))
    return words + checked(around, flag)


def _one(shape: Sequence[int], *rows: Sequence[int]) -> tuple[int, tuple[int, ...]] | None:
    """Dimensions as one: its length, and the steps of all rows; None where they do not follow each other."""
    dims, steps = merged(shape, rows)
    if len(dims) > 1:
        return None
    return (dims[0], tuple(s[0] for s in steps)) if dims else (1, (0,) * len(rows))
