"""The loops that read, add and put at positions. One beyond the axis is noted in a flag, and 0 taken in its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .assembly import Writer, assemble, llvm, once
from .loops import machine_type


@once
def picker(kind: str, of: str) -> int:
    """The address of one of the loops, for elements of so many bytes, or of this dtype."""
    ir = llvm().ir
    module = ir.Module(f"{kind}_{of}")
    element = ir.IntType(8 * int(of)) if kind == "gather" else machine_type(np.dtype(of))
    _Picking(module, f"{kind}_{of}", element).write(kind)
    return assemble(module)[f"{kind}_{of}"]


class _Picking:
    """A loop over arrays with an axis, positions along it, arrays with these in place of the axis, and the flag."""

    def __init__(self, module: Any, name: str, kind: Any) -> None:
        ir = llvm().ir
        self.kind, self.byte = kind, ir.IntType(8).as_pointer()
        self.w = Writer(module, name, ir.VoidType(), [ir.IntType(64).as_pointer()] * 4)

    def write(self, kind: str) -> None:
        w, b = self.w, self.w.b
        arguments, dims, strides, handed = w.arguments
        count, self.n, self.m = (w.load(dims, k) for k in range(3))
        steps = [w.load(strides, k) for k in range(4)]
        self.axis, self.inner, self.step, self.row, self.column = (w.load(strides, k) for k in range(4, 9))
        self.length = b.ptrtoint(handed, w.word)
        starts = [w.variable(b.inttoptr(w.load(arguments, k), self.byte)) for k in range(4)]
        wrong = w.variable(w.number(0))
        with w.repeat(count):
            self.whole, self.named, self.picked, flag = (b.load(s) for s in starts)
            self._positions(kind, wrong)
            place = b.bitcast(flag, w.pointer)
            b.store(b.or_(b.load(place), b.load(wrong)), place)
            for start, step in zip(starts, steps, strict=True):
                b.store(b.gep(b.load(start), [step]), start)
        b.ret_void()
        w.done()

    def _positions(self, kind: str, wrong: Any) -> None:
        w, b = self.w, self.w.b
        if kind == "gather":
            self._each(wrong, lambda one, other: b.store(b.load(one, align=1), other, align=1))
            return

        def put(one: Any, other: Any) -> None:
            b.store(b.load(other, align=1), one, align=1)

        def add(one: Any, other: Any) -> None:
            b.store(_sum(b, b.load(one, align=1), b.load(other, align=1)), one, align=1)

        if kind in ("add", "put"):
            self._each(wrong, add if kind == "add" else put)
            return
        growing = w.variable(w.number(1))
        last = w.variable(w.number(-1))
        with w.repeat(self.n) as i:
            now = self._position(i)
            b.store(b.and_(b.load(growing), b.zext(b.icmp_signed(">", now, b.load(last)), w.word)), growing)
            b.store(now, last)
        grow = b.icmp_unsigned("!=", b.load(growing), w.number(0))
        with w.when(grow):
            self._each(wrong, put)
        with w.when(b.not_(grow)):
            self._each(wrong, add)

    def _position(self, i: Any) -> Any:
        b = self.w.b
        return b.load(b.bitcast(b.gep(self.named, [b.mul(i, self.step)]), self.w.pointer), align=1)

    def _each(self, wrong: Any, do: Callable[[Any, Any], None]) -> None:
        """Do something with the addresses of each pair: an element at a position, and that which stands for it."""
        w, b = self.w, self.w.b
        with w.repeat(self.n) as i:
            named = self._position(i)
            j, inside = _inside(w, named, self.length)
            b.store(b.or_(b.load(wrong), b.zext(b.not_(inside), w.word)), wrong)
            one, other = b.gep(self.whole, [b.mul(j, self.axis)]), b.gep(self.picked, [b.mul(i, self.row)])
            with w.repeat(self.m) as k:
                do(*(self._at(x, b.mul(k, s)) for x, s in ((one, self.inner), (other, self.column))))

    def _at(self, start: Any, offset: Any) -> Any:
        b = self.w.b
        return b.bitcast(b.gep(start, [offset]), self.kind.as_pointer())


def _sum(b: Any, x: Any, y: Any) -> Any:
    """x + y of floats, whole numbers, or complex numbers, which are pairs."""
    ir = llvm().ir
    if isinstance(x.type, ir.LiteralStructType):
        for k in (0, 1):
            x = b.insert_value(x, b.fadd(b.extract_value(x, k), b.extract_value(y, k)), k)
        return x
    return b.add(x, y) if isinstance(x.type, ir.IntType) else b.fadd(x, y)


@once
def counter() -> int:
    """The address of the loop that goes an axis deeper: the positions so far times its length, and those along it."""
    ir = llvm().ir
    module = ir.Module("counted")
    w = Writer(module, "counted", ir.VoidType(), [ir.IntType(64).as_pointer()] * 4)
    b, (arguments, dims, strides, handed) = w.b, w.arguments
    length, byte = b.ptrtoint(handed, w.word), ir.IntType(8).as_pointer()
    starts = [b.inttoptr(w.load(arguments, k), byte) for k in range(4)]
    steps = [w.load(strides, k) for k in range(4)]
    with w.repeat(w.load(dims)) as i:
        given, before, out, flag = (
            b.bitcast(b.gep(x, [b.mul(i, s)]), w.pointer) for x, s in zip(starts, steps, strict=True)
        )
        j, inside = _inside(w, b.load(given, align=1), length)
        b.store(b.or_(b.load(flag), b.zext(b.not_(inside), w.word)), flag)
        b.store(b.add(b.mul(b.load(before, align=1), length), j), out, align=1)
    b.ret_void()
    w.done()
    return assemble(module)["counted"]


def _inside(w: Writer, named: Any, length: Any) -> tuple[Any, Any]:
    """The place that a position names, from the end if it is negative, and whether there is one; else 0."""
    b = w.b
    j = b.select(b.icmp_signed("<", named, w.number(0)), b.add(named, length), named)
    inside = b.icmp_unsigned("<", j, length)
    return b.select(inside, j, w.number(0)), inside


@once
def picker_along(size: str) -> int:
    """The address of the loop over arrays without their axis, positions along it, what is found there, and the flag."""
    ir = llvm().ir
    module, name, element = ir.Module(f"along_{size}"), f"along_{size}", ir.IntType(8 * int(size))
    w = Writer(module, name, ir.VoidType(), [ir.IntType(64).as_pointer()] * 4)
    b, byte, (arguments, dims, strides, handed) = w.b, ir.IntType(8).as_pointer(), w.arguments
    length, axis = b.ptrtoint(handed, w.word), w.load(strides, 4)
    places = [w.variable(b.inttoptr(w.load(arguments, k), byte)) for k in range(3)]
    wrong = w.variable(w.number(0))
    with w.repeat(w.load(dims, 0)):
        whole, named, found = (b.load(p) for p in places)
        i, inside = _inside(w, b.load(b.bitcast(named, w.pointer), align=1), length)
        b.store(b.or_(b.load(wrong), b.zext(b.not_(inside), w.word)), wrong)
        one = b.gep(whole, [b.mul(i, axis)])
        one, other = (b.bitcast(p, element.as_pointer()) for p in (one, found))
        b.store(b.load(one, align=1), other, align=1)
        for k, p in enumerate(places):
            b.store(b.gep(b.load(p), [w.load(strides, k)]), p)
    flag = b.inttoptr(w.load(arguments, 3), w.pointer)
    b.store(b.or_(b.load(flag), b.load(wrong)), flag)
    b.ret_void()
    w.done()
    return assemble(module)[name]
