"""Largest and smallest elements of rows, and where they are: loops of our own over short rows.

A call of NumPy's loop for each row takes longer than a row of a toy network's logits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..program import Value
from .assembly import Writer, assemble, llvm, once
from .instructions import Instructions
from .loops import Loop, machine_type
from .places import Place
from .table import Operand, loop_words

_WORD = np.dtype(np.int64)
LONG = 1024  # elements of a row in order, from which on NumPy's own search is faster


def argmax(around: Instructions, v: Value, out: Place) -> list[int] | None:
    return _search(around, v, out, "argmax")


def argmin(around: Instructions, v: Value, out: Place) -> list[int] | None:
    return _search(around, v, out, "argmin")


def _search(around: Instructions, v: Value, out: Place, title: str) -> list[int] | None:
    """Words of the places of the first largest, or smallest, elements along an axis, or of all."""
    x, axis, words = v.inputs[0], v.params["axis"], list[int]()
    source = None if x.weak else around.place(x)
    if source is None or source.dtype.kind not in "biuf" or not x.size or out.dtype != _WORD:
        return None
    if axis is None or not source.shape:  # counted in order
        source = around.in_a_row(source, words)
        if source is None:
            return None
        axis, out = 0, out._replace(shape=(), strides=())
    axis %= len(source.shape)
    if not around.is_step and source.shape[axis] > LONG:
        return None
    many = (*source.shape[:axis], *source.shape[axis + 1 :])
    rows = Operand(
        source.cell, source.offset, (*source.strides[:axis], *source.strides[axis + 1 :]), (source.strides[axis],)
    )
    strides = out.strides if len(out.shape) == len(many) else (*out.strides[:axis], *out.strides[axis + 1 :])
    by = Loop(_searcher(title, source.dtype.char), 0, (source.dtype, _WORD))
    return words + loop_words(by, many, [rows, Operand(out.cell, out.offset, strides)], (source.shape[axis],))


@once
def _searcher(title: str, char: str) -> int:
    """The address of the loop over rows: what is not a number comes before all others, as with NumPy."""
    ir = llvm().ir
    name, dtype = f"{title}_{char}", np.dtype(char)
    module, kind, byte = ir.Module(name), machine_type(dtype), ir.IntType(8).as_pointer()
    w = Writer(module, name, ir.VoidType(), [ir.IntType(64).as_pointer()] * 4)
    b, (arguments, dims, strides, _) = w.b, w.arguments
    starts = [b.inttoptr(w.load(arguments, k), byte) for k in range(2)]
    count, n = w.load(dims, 0), w.load(dims, 1)
    step, further, across = (w.load(strides, k) for k in range(3))
    best = ir.IRBuilder(w.entry).alloca(kind)
    with w.repeat(count) as i:
        row = b.gep(starts[0], [b.mul(i, step)])

        def element(j: Any, row: Any = row) -> Any:
            return b.load(b.bitcast(b.gep(row, [b.mul(j, across)]), kind.as_pointer()), align=1)

        b.store(element(w.number(0)), best)
        found = w.variable(w.number(0))
        with w.repeat(b.sub(n, w.number(1))) as k:
            j = b.add(k, w.number(1))
            x, held = element(j), b.load(best)
            sign = ">" if title == "argmax" else "<"
            if dtype.kind == "f":
                better = b.and_(b.fcmp_unordered(sign, x, held), b.fcmp_ordered("ord", held, held))
            else:
                better = (b.icmp_signed if dtype.kind == "i" else b.icmp_unsigned)(sign, x, held)
            b.store(b.select(better, x, held), best)
            b.store(b.select(better, j, b.load(found)), found)
        b.store(b.load(found), b.bitcast(b.gep(starts[1], [b.mul(i, further)]), w.pointer), align=1)
    b.ret_void()
    w.done()
    return assemble(module)[name]
