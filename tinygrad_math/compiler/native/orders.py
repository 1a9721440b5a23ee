"""Orders along an axis: rows sorted, or the places of what is sorted, by NumPy's own functions for one row.

They stand in a table of each dtype (PyArray_ArrFuncs in numpy/ndarraytypes.h), and work where a row's elements lie side
by side: of what lies otherwise a copy is sorted. The first time one is asked for it sorts a few numbers, as a check.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from ..program import Value
from .assembly import Writer, assemble, llvm, once
from .flags import WORD, checked, new_flag
from .instructions import Instructions
from .loops import Loop
from .machine import of_numpy
from .places import FAR, Place, c_strides, part_of
from .steps import Steps
from .table import Operand, loop_words

Words = list[int] | None
KINDS = {None: 0, "quicksort": 0, "stable": 2, "mergesort": 2}  # by their places in the table
_ARRFUNCS = 365  # place of the function that finds the table of a dtype, in that of NumPy's C interface
_FIRST = {"sort": 33, "argsort": 36}  # words in front of the functions for one row
_LOST = "there is no memory left to sort in"


def sort(around: Instructions, v: Value, out: Place) -> Words:
    """Words of x sorted along an axis, or all of it in a row."""
    p, words = v.params, list[int]()
    source, by = _source(around, v.inputs[0], p["axis"], words), function("sort", v.dtype.char, p["kind"])
    if source is None or by is None or source.dtype != v.dtype:
        return None
    axis = _axis(source, p["axis"])
    direct = out.strides[axis] == v.dtype.itemsize and not p["descending"]
    rows = out if direct else rows_along(around, source, axis)
    moved = around.moved(source, rows, source.shape)
    assert moved is not None
    words += [*moved, *sorted_rows(around, rows, axis, by)]
    if not direct:
        Steps(around, words).cast(_from_behind(rows, axis) if p["descending"] else rows, v.dtype, out)
    return words


def argsort(around: Instructions, v: Value, out: Place) -> Words:
    """Words of the places of what is sorted. From the largest on, those from behind, in an array turned around."""
    p, words = v.params, list[int]()
    x, kind = v.inputs[0], p["kind"] or ("stable" if p["stable"] else None)
    source, by = _source(around, x, p["axis"], words), function("argsort", x.dtype.char, kind)
    if source is None or by is None or out.dtype != WORD:
        return None
    axis = _axis(source, p["axis"])
    source = _from_behind(source, axis) if p["descending"] else source
    rows = source
    if source.strides[axis] != source.dtype.itemsize:
        rows = rows_along(around, source, axis)
        words += around.moved(source, rows, source.shape) or []
    direct = out.strides[axis] == WORD.itemsize and not p["descending"]
    order = out if direct else rows_along(around, out, axis)
    flag = new_flag(around, words)
    operands = [*(_but(q, axis) for q in (rows, order)), Operand(flag.cell, flag.offset, (0,) * (len(out.shape) - 1))]
    by_rows = Loop(_sorter("argsort", x.dtype.char, by), 0, (x.dtype, WORD, WORD))
    words += loop_words(by_rows, _shape_but(out, axis), operands, (out.shape[axis],))
    words += checked(around, flag, _LOST)
    steps = Steps(around, words)
    if p["descending"]:
        steps.of(np.subtract, steps.number(out.shape[axis] - 1, WORD), _from_behind(order, axis), out=out)
    elif not direct:
        steps.cast(order, WORD, out)
    return words


def rows_along(around: Instructions, like: Place, axis: int) -> Place:
    """A new array of this shape and dtype, in which the elements along an axis lie side by side."""
    turned = (*like.shape[:axis], *like.shape[axis + 1 :], like.shape[axis])
    strides = c_strides(turned, like.dtype.itemsize)
    room = around.own(turned, like.dtype)
    return room._replace(shape=like.shape, strides=(*strides[:axis], strides[-1], *strides[axis:-1]))


def sorted_rows(around: Instructions, rows: Place, axis: int, by: int) -> list[int]:
    """Words that sort rows where they lie, by a function of NumPy's."""
    words: list[int] = []
    flag = new_flag(around, words)
    operands = [_but(rows, axis), Operand(flag.cell, flag.offset, (0,) * (len(rows.shape) - 1))]
    by_rows = Loop(_sorter("sort", rows.dtype.char, by), 0, (rows.dtype, WORD))
    words += loop_words(by_rows, _shape_but(rows, axis), operands, (rows.shape[axis],))
    return [*words, *checked(around, flag, _LOST)]


def _source(around: Instructions, x: Value, axis: int | None, words: list[int]) -> Place | None:
    """Where x lies, in a row if there is no axis."""
    source = None if x.weak or x.nbytes > FAR or not x.size else around.place(x)
    if source is None or axis is not None:
        return source if source is not None and source.shape else None
    return around.in_a_row(source, words)


def _axis(source: Place, axis: int | None) -> int:
    return (0 if axis is None else axis) % len(source.shape)


def _from_behind(p: Place, axis: int) -> Place:
    return part_of(p, (*[slice(None)] * axis, slice(None, None, -1)))


def _but(p: Place, axis: int) -> Operand:
    """The first elements of rows along an axis."""
    return Operand(p.cell, p.offset, (*p.strides[:axis], *p.strides[axis + 1 :]))


def _shape_but(p: Place, axis: int) -> tuple[int, ...]:
    return (*p.shape[:axis], *p.shape[axis + 1 :])


# -- functions for one row --------------------------------------------------------------------------------------------
@once
def function(title: str, char: str, kind: str | None) -> int | None:
    """The address of NumPy's function that sorts one row; None where there is none that does what NumPy does."""
    which = KINDS.get(kind)
    if which is None:
        return None
    table = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object)(of_numpy(_ARRFUNCS))(np.dtype(char))
    address = ctypes.cast(table, ctypes.POINTER(ctypes.c_void_p))[_FIRST[title] + which]
    return address if address and _sorts(title, char, kind, address) else None


def _sorts(title: str, char: str, kind: str | None, address: int) -> bool:
    """Whether the function there sorts numbers in the way of NumPy's."""
    x = np.array([5, 1, 3, 0, 1, 4, 2, 3, 7, 1] * 4).astype(char)
    if x.dtype.kind in "fc":
        x[[3, 8]] = np.nan
    given, order = x.copy(), np.arange(x.size)
    pointers = (given, order) if title == "argsort" else (given,)
    word = ctypes.c_ssize_t
    call = ctypes.PYFUNCTYPE(ctypes.c_int, *[ctypes.c_void_p] * len(pointers), word, ctypes.c_void_p)(address)
    done = call(*(p.ctypes.data for p in pointers), x.size, None)
    numpys: Any = np.argsort if title == "argsort" else np.sort
    return done == 0 and pointers[-1].tobytes() == bytes(numpys(x, kind=kind).tobytes())


@once
def _sorter(title: str, char: str, address: int) -> int:
    """The address of the loop over rows, places of what is sorted, which it begins, and the flag."""
    ir = llvm().ir
    name = f"{title}_{char}_{address}"
    module, byte, small = ir.Module(name), ir.IntType(8).as_pointer(), ir.IntType(32)
    w = Writer(module, name, ir.VoidType(), [ir.IntType(64).as_pointer()] * 4)
    b, (arguments, dims, strides, _) = w.b, w.arguments
    operands = 3 if title == "argsort" else 2
    starts = [b.inttoptr(w.load(arguments, k), byte) for k in range(operands)]
    steps = [w.load(strides, k) for k in range(operands)]
    n, failed = w.load(dims, 1), w.variable(w.number(0))
    with w.repeat(w.load(dims, 0)) as i:
        rows = [b.gep(start, [b.mul(i, step)]) for start, step in zip(starts[:-1], steps, strict=False)]
        if title == "argsort":
            order = b.bitcast(rows[1], w.pointer)
            with w.repeat(n) as k:
                b.store(k, w.at(order, k))
        done = w.call(address, small, *rows, n, ir.Constant(byte, None))
        b.store(b.or_(b.load(failed), b.zext(b.icmp_signed("!=", done, ir.Constant(small, 0)), w.word)), failed)
    b.store(b.load(failed), b.bitcast(starts[-1], w.pointer))
    b.ret_void()
    w.done()
    return assemble(module)[name]
