"""Reading and adding one element for each position, along an axis that x and the positions both have."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..program import Value
from .flags import checked, new_flag
from .instructions import Instructions
from .loops import Loop, copier
from .picked import picker, picker_along
from .picking import BEYOND, Words
from .places import Place
from .table import Operand, loop_words

_WORD = np.dtype(np.int64)


def take_along(around: Instructions, v: Value, out: Place) -> Words:
    """Elements of x along an axis, each at its own position."""
    words: list[int] = []
    (x, index), axis = v.inputs, v.params["axis"]
    axis = 0 if axis is None and len(x.shape) == len(index.shape) == 1 else axis
    source = None if x.weak or x.dtype != v.dtype else around.place(x)
    if source is None or axis is None or index.weak or index.dtype.kind not in "iu" or index.dtype == np.uint64:
        return None
    positions, axis = around.taken(index, _WORD, words), axis % len(source.shape)
    if positions is None or 0 in (*v.shape, source.shape[axis]):
        return None
    flag = new_flag(around, words)
    strides = [0 if n == 1 or k == axis else source.strides[k] for k, n in enumerate(source.shape)]
    whole = Operand(source.cell, source.offset, tuple(strides), (source.strides[axis],))
    by = Loop(picker_along(str(v.dtype.itemsize)), source.shape[axis], (v.dtype, _WORD, v.dtype, _WORD))
    operands = [whole, *(p.over(v.shape) for p in (positions, out, flag))]
    return [*words, *loop_words(by, v.shape, operands), *checked(around, flag, BEYOND)]


def scatter_along(around: Instructions, v: Value, out: Place) -> Words:
    """Zeros, to which values are added in the order in which they stand."""
    (x, index), axis, words = v.inputs, v.params["axis"], list[int]()
    values, zero = around.place(x), around.number(0, v.dtype)
    if values is None or values.dtype != v.dtype or zero is None or v.dtype.char == "?" or axis is None:
        return None
    if index.dtype.kind not in "iu" or index.dtype == np.uint64 or index.weak or 0 in (*v.shape, *x.shape):
        return None
    axis, shape, n = axis % len(v.shape), x.shape, x.shape[axis % len(v.shape)]

    def but(row: Sequence[int]) -> tuple[int, ...]:
        return (*row[:axis], *row[axis + 1 :])

    positions = around.taken(index, _WORD, words)
    if positions is None or but(v.shape) != but(shape):  # values of several rows would meet
        return None
    words += loop_words(copier(v.dtype), out.shape, [zero.over(out.shape), out.over(out.shape)])
    flag, spread = new_flag(around, words), positions.over(shape)
    operands = [
        Operand(p.cell, p.offset, but(p.strides), core)
        for p, core in (
            (out, (out.strides[axis], 0)), (spread, (spread.strides[axis],)), (values, (values.strides[axis], 0)),
        )
    ]  # fmt: skip
    operands.append(Operand(flag.cell, flag.offset, (0,) * (len(shape) - 1)))
    by = Loop(picker("add", v.dtype.char), v.shape[axis], (v.dtype, _WORD, v.dtype, _WORD))
    return [*words, *loop_words(by, but(shape), operands, (n, 1)), *checked(around, flag, BEYOND)]
