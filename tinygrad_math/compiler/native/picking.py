"""Reading and adding at positions that arrays of whole numbers name: gather, scatter and add_at.

Several arrays, for axes that follow each other, become the positions along all of these as one. A mask that is known
stands for the places where it is true. Slices beside the arrays are taken first.

A position beyond the axis is noted in a flag, and the machine stops there: the program is then run again step by step,
and the op itself says what is wrong. Sums are taken in the order in which the positions stand, as NumPy takes them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..program import Value, constant
from .flags import checked, new_flag
from .instructions import Instructions
from .loops import Loop, copier
from .parts import changed_part
from .picked import counter, picker
from .places import FAR, Place, c_strides, part_of
from .table import Operand, loop_words, merged

Words = list[int] | None
_WORD = np.dtype(np.int64)
_WHOLE = slice(None)
BEYOND = "an index is out of bounds"


class _Named(NamedTuple):
    """An array of which slices are taken already, behind how many axes it is picked along, and the positions there."""

    place: Place
    number: int
    arrays: Sequence[Value]


class _Axis(NamedTuple):
    """What is picked along: how many axes stand before it, its length, the positions named, and how many axes it is."""

    number: int
    length: int
    positions: Place
    axes: int = 1


def gather(around: Instructions, v: Value, out: Place) -> Words:
    given, words = around.place(v.inputs[0]), list[int]()
    named = None if given is None or given.dtype != v.dtype else _named(around, v, v.inputs[1:], given)
    if named is None:
        return None
    x = named.place
    if len(named.arrays) > 1 and not _lie_as_one(named):
        if v.inputs[0].nbytes > FAR:
            return None
        moved = around.moved(x, whole := around.own(x.shape, x.dtype), x.shape)
        if moved is None:
            return None
        x, words = whole._replace(strides=c_strides(x.shape, x.dtype.itemsize)), words + moved
    axis = _axis(around, named, words)
    return None if axis is None else _picked(around, ("gather", str(v.dtype.itemsize)), v, axis, (x, out), words)


def scatter(around: Instructions, v: Value, out: Place) -> Words:
    """Zeros, to which values are added; put there, where positions grow, as the op does."""
    words: list[int] = []
    named = _named(around, v, v.inputs[1:], out)
    values, zero = around.place(v.inputs[0]), around.number(0, v.dtype)
    if values is None or values.dtype != v.dtype or named is None or zero is None:
        return None
    arrays = named.arrays
    rows = all(
        i.shape == arrays[0].shape and len(i.shape) == 1 for i in arrays
    )  # the op looks whether any of these grow
    kind = "scatter" if rows else "add"
    if len(v.inputs) == 2 and v.inputs[1].dtype.char == "?":
        kind = "put"  # a mask names nothing twice
    elif rows and len(arrays) > 1:
        kind = "put" if any(i.constant and _grows(np.asarray(i.example)) for i in arrays) else ""
    axis = _axis(around, named, words) if kind and _lie_as_one(named) else None
    if axis is None:
        return None
    words += loop_words(copier(v.dtype), out.shape, [zero.over(out.shape), out.over(out.shape)])
    return _picked(around, (kind, v.dtype.char), v, axis, (named.place, values), words)


def add_at(around: Instructions, v: Value, out: Place) -> Words:
    return changed_part(around, v, out) or _changed(around, v, out, "add")


def assign(around: Instructions, v: Value, out: Place) -> Words:
    """Of places that are named more than once the last one stays."""
    part = changed_part(around, v, out)
    if part is not None or any(len(i.shape) > 1 and i.dtype.char != "?" for i in v.inputs[2:]):
        return part
    return _changed(around, v, out, "put")


def _changed(around: Instructions, v: Value, out: Place, kind: str) -> Words:
    """A copy of x, in which values are added, or put, at positions."""
    words: list[int] = []
    x, value = around.place(v.inputs[0]), around.taken(v.inputs[1], v.dtype, words)
    named = _named(around, v, v.inputs[2:], out)
    given = [i for i in v.inputs[:2] if not (i.constant and i.weak)]
    if x is None or value is None or named is None or any(i.dtype != v.dtype or i.weak for i in given):
        return None
    axis = _axis(around, named, words) if _lie_as_one(named) else None
    if axis is None:
        return None
    within = named.place.shape
    shape = (*within[: axis.number], *axis.positions.shape, *within[axis.number + axis.axes :])
    if len(value.shape) > len(shape):
        return None
    spread = Place(value.cell, value.offset, shape, value.over(shape).strides, v.dtype)
    words += loop_words(copier(v.dtype), out.shape, [x.over(out.shape), out.over(out.shape)])
    return _picked(around, (kind, v.dtype.char), v, axis, (named.place, spread), words)


def _named(around: Instructions, v: Value, arrays: Sequence[Value], of: Place) -> _Named | None:
    """What is picked along axes that follow each other; None where arrays and numbers of a key stand apart."""
    key = v.params["key"]
    if type(key) is not tuple or not arrays:  # of numbers and slices alone
        return None
    rest, found, basic = iter(arrays), list[Value](), list[Any]()
    start = end = 0  # of what is picked along
    for k in key:
        if k is None or k is Ellipsis or type(k) is slice:
            basic.append(k)
            continue
        if found and end != len(basic):
            return None
        start = start if found else len(basic)
        found += _positions(next(rest)) if k == "array" else [constant(np.int64(k))]
        basic += [_WHOLE] * (start + len(found) - len(basic))
        end = len(basic)
    known = all(i.dtype.kind in "iu" and i.dtype != np.uint64 and i.size for i in found)
    known = known and all(not i.weak or i in around.counters for i in found)  # the number of a step
    skipped = len(of.shape) - sum(k is not None and k is not Ellipsis for k in basic)
    if not known or skipped < 0:
        return None
    return _Named(part_of(of, tuple(basic)), sum(skipped if k is Ellipsis else 1 for k in basic[:start]), found)


def _positions(i: Value) -> list[Value]:
    """An array of positions; of a mask that is known those where it is true, along each of its axes."""
    if i.constant and i.shape and i.dtype.char == "?":
        return [constant(places) for places in np.nonzero(i.example)]
    return [i]


def _grows(i: Any) -> bool:
    return bool(i.ndim == 1 and i.size and i[0] >= 0 and (i[1:] > i[:-1]).all())


def _lie_as_one(named: _Named) -> bool:
    """Whether the axes that are picked along follow each other in memory."""
    p, first, last = named.place, named.number, named.number + len(named.arrays)
    return all(p.strides[k] == p.strides[k + 1] * p.shape[k + 1] for k in range(first, last - 1))


def _axis(around: Instructions, named: _Named, words: list[int]) -> _Axis | None:
    """What is picked along, which is one axis in memory, and the positions there."""
    number, arrays, shape = named.number, named.arrays, named.place.shape
    if 0 in shape:
        return None
    lengths = shape[number : number + len(arrays)]
    places = [around.taken(i, _WORD, words) for i in arrays]
    if len(arrays) == 1:
        return None if places[0] is None else _Axis(number, lengths[0], places[0])
    spread = np.broadcast_shapes(*(i.shape for i in arrays))
    if any(p is None for p in places) or math.prod(spread) * _WORD.itemsize > FAR:
        return None
    before, as_one = around.number(0, _WORD), around.own(spread, _WORD)
    flag = new_flag(around, words)
    assert before is not None
    for p, length in zip(places, lengths, strict=True):
        assert p is not None
        by = Loop(counter(), length, (_WORD,) * 4)
        operands = [p.over(spread), before.over(spread), as_one.over(spread), flag.over(spread)]
        words += loop_words(by, spread, operands)
        before = as_one
    words += checked(around, flag, BEYOND)
    return _Axis(number, math.prod(lengths), as_one, len(arrays))


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
    return words + checked(around, flag, BEYOND)


def _one(shape: Sequence[int], *rows: Sequence[int]) -> tuple[int, tuple[int, ...]] | None:
    """Dimensions as one: its length, and the steps of all rows; None where they do not follow each other."""
    dims, steps = merged(shape, rows)
    if len(dims) > 1:
        return None
    return (dims[0], tuple(s[0] for s in steps)) if dims else (1, (0,) * len(rows))
