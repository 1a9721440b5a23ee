"""Running products and recurrences along an axis, element by element, in the order in which the ops take them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..program import Value
from .assembly import Writer, assemble, llvm, once
from .instructions import Instructions
from .loops import Loop, machine_type
from .places import Place, part_of
from .table import Operand, loop_words


def running(around: Instructions, v: Value, out: Place) -> list[int] | None:
    """Words of y[k+1] = x[k] y[k] from y[0] = 1, or of s[k+1] = a[k] s[k] + b[k] from s[0] = 0; or from the end on.

    Of `cumprod` y[k+1] is what stands at k.
    """
    places = [None if i.weak or i.shape != v.shape else around.place(i) for i in v.inputs]
    found = [p for p in places if p is not None and p.dtype == v.dtype]
    if v.dtype.char not in "df" or len(found) < len(v.inputs) or not v.size or not v.shape:
        return None
    axis = v.params["axis"]
    if axis is None and len(v.shape) > 1:
        return None
    axis = (axis or 0) % len(v.shape)
    if v.params.get("reverse"):
        turned = (*[slice(None)] * axis, slice(None, None, -1))
        found, out = [part_of(p, turned) for p in found], part_of(out, turned)
    operands = [
        Operand(p.cell, p.offset, (*p.strides[:axis], *p.strides[axis + 1 :]), (p.strides[axis],))
        for p in (*found, out)
    ]
    by = Loop(_loop(v.title, v.dtype.char), 0, (v.dtype,) * len(operands))
    return loop_words(by, (*v.shape[:axis], *v.shape[axis + 1 :]), operands, (v.shape[axis],))


@once
def _loop(title: str, char: str) -> int:
    """The address of the loop over rows."""
    ir = llvm().ir
    name, inputs = f"{title}_{char}", 2 if title == "scan" else 1
    module, kind, byte = ir.Module(name), machine_type(np.dtype(char)), ir.IntType(8).as_pointer()
    w = Writer(module, name, ir.VoidType(), [ir.IntType(64).as_pointer()] * 4)
    b, (arguments, dims, strides, _) = w.b, w.arguments
    starts = [b.inttoptr(w.load(arguments, k), byte) for k in range(inputs + 1)]
    steps = [w.load(strides, k) for k in range(inputs + 1)]
    across = [w.load(strides, inputs + 1 + k) for k in range(inputs + 1)]
    held = ir.IRBuilder(w.entry).alloca(kind)
    with w.repeat(w.load(dims, 0)) as i:
        rows = [b.gep(start, [b.mul(i, step)]) for start, step in zip(starts, steps, strict=True)]
        b.store(ir.Constant(kind, 0.0 if title == "scan" else 1.0), held)
        with w.repeat(w.load(dims, 1)) as k:

            def at(j: int, rows: Any = rows, k: Any = k) -> Any:
                return b.bitcast(b.gep(rows[j], [b.mul(k, across[j])]), kind.as_pointer())

            given = [b.load(at(j), align=1) for j in range(inputs)]
            now = b.load(held)
            after = b.fmul(now, given[0])
            after = b.fadd(after, given[1]) if title == "scan" else after
            b.store(after if title == "cumprod" else now, at(inputs), align=1)
            b.store(after, held)
    b.ret_void()
    w.done()
    return assemble(module)[name]
