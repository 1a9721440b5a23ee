"""Where keys would be inserted into a sorted row: NumPy's search in halves, which begins near the key before."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..program import Value
from .assembly import Writer, assemble, llvm, once
from .flags import WORD
from .instructions import Instructions
from .loops import Loop, machine_type
from .places import FAR, Place
from .table import Operand, loop_words


def searchsorted(around: Instructions, v: Value, out: Place) -> list[int] | None:
    """Words of the places of keys in a row, before or behind what is equal."""
    (row, keys), words = v.inputs, list[int]()
    if row.weak or keys.weak or len(row.shape) != 1 or row.dtype.kind not in "biuf" or keys.dtype.kind not in "biuf":
        return None
    dtype = np.result_type(row.dtype, keys.dtype)
    if keys.nbytes > FAR or out.dtype != WORD or not keys.size or v.params["side"] not in ("left", "right"):
        return None
    sought, given = around.taken(row, dtype, words), around.taken(keys, dtype, words)
    if sought is None or given is None:
        return None
    flat, found = around.in_a_row(given, words), around.in_a_row(out, after := list[int]())
    if flat is None or found is None or after:
        return None
    operands = [
        Operand(sought.cell, sought.offset, (0,), sought.strides),
        *(Operand(p.cell, p.offset, p.strides) for p in (flat, found)),
    ]
    by = Loop(_searcher(v.params["side"], dtype.char), 0, (dtype, dtype, WORD))
    return words + loop_words(by, flat.shape, operands, row.shape)


@once
def _searcher(side: str, char: str) -> int:
    """The address of the loop over keys. What is not a number comes behind all others."""
    ir, dtype = llvm().ir, np.dtype(char)
    name, kind, byte = f"search_{side}_{char}", machine_type(dtype), ir.IntType(8).as_pointer()
    module = ir.Module(name)
    w = Writer(module, name, ir.VoidType(), [ir.IntType(64).as_pointer()] * 4)
    b, (arguments, dims, strides, _) = w.b, w.arguments
    row, keys, found = (b.inttoptr(w.load(arguments, k), byte) for k in range(3))
    step, further, across = (w.load(strides, k) for k in (1, 2, 3))
    count, n = w.load(dims, 0), w.load(dims, 1)

    def number(start: Any, offset: Any) -> Any:
        return b.load(b.bitcast(b.gep(start, [offset]), kind.as_pointer()), align=1)

    def less(x: Any, y: Any) -> Any:
        if dtype.kind != "f":
            return (b.icmp_signed if dtype.kind == "i" else b.icmp_unsigned)("<", x, y)
        last = b.and_(b.fcmp_unordered("uno", y, y), b.fcmp_ordered("ord", x, x))
        return b.or_(b.fcmp_ordered("<", x, y), last)

    def before(x: Any, key: Any) -> Any:
        return less(x, key) if side == "left" else b.not_(less(key, x))

    low, high = w.variable(w.number(0)), w.variable(n)
    latest = ir.IRBuilder(w.entry).alloca(kind)
    b.store(number(keys, w.number(0)), latest)
    with w.repeat(count) as i:
        key = number(keys, b.mul(i, step))
        grows = before(b.load(latest), key)
        b.store(b.select(grows, b.load(low), w.number(0)), low)
        b.store(b.select(grows, n, w.least(b.add(b.load(high), w.number(1)), n)), high)
        b.store(key, latest)
        with w.forever() as done:
            start, end = b.load(low), b.load(high)
            w.unless(b.icmp_signed("<", start, end), done)
            middle = b.add(start, b.lshr(b.sub(end, start), w.number(1)))
            behind = before(number(row, b.mul(middle, across)), key)
            b.store(b.select(behind, b.add(middle, w.number(1)), start), low)
            b.store(b.select(behind, end, middle), high)
        b.store(b.load(low), b.bitcast(b.gep(found, [b.mul(i, further)]), w.pointer), align=1)
    b.ret_void()
    w.done()
    return assemble(module)[name]
