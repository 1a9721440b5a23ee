"""`balanced` and `from_winner`: what belongs to a share of nearly 1, of which a row seldom has one."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...ops.exponential import NEARLY
from ..program import Value
from .assembly import Writer, assemble, llvm, once
from .instructions import Instructions
from .loops import Loop, machine_type
from .places import FAR, Place
from .table import Operand, loop_words


def balanced(around: Instructions, v: Value, out: Place) -> list[int] | None:
    return _rows(around, v, out, "balanced")


def from_winner(around: Instructions, v: Value, out: Place) -> list[int] | None:
    return _rows(around, v, out, "from_winner")


def _rows(around: Instructions, v: Value, out: Place, title: str) -> list[int] | None:
    """Words that go through the rows along an axis, or through all elements in order."""
    axis, words = v.params["axis"], list[int]()
    found = [None if i.weak or i.nbytes > FAR else around.place(i) for i in v.inputs]
    places = [p for p in (*found, out) if p is not None and (p.shape, p.dtype) == (out.shape, out.dtype)]
    if len(places) < 3 or out.dtype.char not in "fd" or not out.shape:
        return None
    axes = axis if isinstance(axis, tuple) else (axis,)
    if axis is None or len(axes) == len(out.shape):
        rows = [around.in_a_row(p, words) for p in places]
        if None in rows or rows[2] != out._replace(shape=rows[2].shape, strides=rows[2].strides):  # type: ignore[union-attr]
            return None
        places, axes = [p for p in rows if p is not None], (0,)
    if len(axes) > 1:
        return None
    k = axes[0] % len(places[0].shape)
    many = (*places[0].shape[:k], *places[0].shape[k + 1 :])
    operands = [Operand(p.cell, p.offset, (*p.strides[:k], *p.strides[k + 1 :]), (p.strides[k],)) for p in places]
    return words + loop_words(
        Loop(_loop(title, out.dtype.char), 0, (out.dtype,) * 3), many, operands, (places[0].shape[k],)
    )


@once
def _loop(title: str, char: str) -> int:
    """The address of the loop over rows of numbers, of shares and of results."""
    ir = llvm().ir
    name, dtype = f"{title}_{char}", np.dtype(char)
    module, kind, byte = ir.Module(name), machine_type(dtype), ir.IntType(8).as_pointer()
    w = Writer(module, name, ir.VoidType(), [ir.IntType(64).as_pointer()] * 4)
    b, (arguments, dims, strides, _) = w.b, w.arguments
    starts = [b.inttoptr(w.load(arguments, k), byte) for k in range(3)]
    count, n = w.load(dims, 0), w.load(dims, 1)
    steps = [w.load(strides, k) for k in range(6)]
    bit, zero = ir.IntType(1), ir.Constant(kind, 0.0)
    most = ir.Constant(kind, float(dtype.type(NEARLY[char])))
    total, won = (ir.IRBuilder(w.entry).alloca(t) for t in (kind, w.word))

    def row(i: Any, across: list[Any]) -> None:
        here = [b.gep(start, [b.mul(i, step)]) for start, step in zip(starts, steps[:3], strict=True)]

        def at(k: int, j: Any) -> Any:
            return b.bitcast(b.gep(here[k], [b.mul(j, across[k])]), kind.as_pointer())

        def wins(j: Any) -> Any:
            return b.fcmp_ordered(">", b.load(at(1, j), align=1), most)

        b.store(w.number(0), won)
        b.store(zero, total)
        with w.repeat(n) as j:
            b.store(b.or_(b.load(won), b.zext(wins(j), w.word)), won)
        some = b.icmp_signed("!=", b.load(won), w.number(0))
        with b.if_else(some) as (then, otherwise):
            with then:
                with w.repeat(n) as j:
                    choice = wins(j) if title == "from_winner" else b.xor(wins(j), ir.Constant(bit, 1))
                    b.store(b.fadd(b.load(total), b.select(choice, b.load(at(0, j), align=1), zero)), total)
                with w.repeat(n) as j:
                    x, s = b.load(at(0, j), align=1), b.load(total)
                    pair = (zero, b.fsub(x, s)) if title == "from_winner" else (b.fneg(s), x)
                    b.store(b.select(wins(j), *pair), at(2, j), align=1)
            with otherwise, w.repeat(n) as j:
                b.store(b.load(at(0, j), align=1), at(2, j), align=1)

    tight = w.number(dtype.itemsize)
    close = [b.icmp_signed("==", steps[3 + k], tight) for k in range(3)]
    with b.if_else(b.and_(b.and_(close[0], close[1]), close[2])) as (then, otherwise):
        with then, w.repeat(count) as i:
            row(i, [tight] * 3)
        with otherwise, w.repeat(count) as i:
            row(i, steps[3:])
    b.ret_void()
    w.done()
    return assemble(module, vectors=True)[name]
