"""Derivatives of tanh and sigmoid out of their values, in loops that look for elements whose digits are lost.

A loop goes part by part, so that only parts with such elements are slow; these are computed anew from x.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...ops.exponential import LEAST, LOST
from .assembly import Writer, assemble, llvm, once
from .loops import Loop, elements, loop, machine_type, size_of

PART = 256  # elements that are looked at together


def tanh_slope(dtype: np.dtype[Any]) -> Loop:
    """1 - y^2 of y = tanh(x) and x, and cosh(x)^-2 where that has lost its digits (see the op of that name)."""
    return Loop(_assembled("tanh_slope", dtype.char), 0, (dtype,) * 3)


def sigmoid_slope(dtype: np.dtype[Any]) -> Loop:
    """y (1 - y) of y = sigmoid(x) and x, and e^-|x| / (1 + e^-|x|)^2 where 1 - y has lost its digits."""
    return Loop(_assembled("sigmoid_slope", dtype.char), 0, (dtype,) * 3)


@once
def _assembled(name: str, char: str) -> int:
    module = llvm().ir.Module(name)
    title = f"{name}_{char}"
    _Slope(module, title, char, *_KINDS[name](char)).write()
    return assemble(module, vectors=True)[title]


Formula = Callable[[Any, Any], Any]  # of LLVM's builder and a value


class _Slope:
    """One loop: `slope` of y, wherever `rest` of y is not below `least`, and elsewhere `tail` of `inner` of x."""

    def __init__(
        self, module: Any, title: str, char: str, least: float, rest: Formula, slope: Formula, inner: Loop,
        before: Formula, tail: Formula,
    ) -> None:  # fmt: skip
        ir = llvm().ir
        self.module, self.title, self.kind = module, title, machine_type(np.dtype(char))
        self.least = ir.Constant(self.kind, float(np.dtype(char).type(least)))
        self.rest, self.slope, self.inner, self.before, self.tail = rest, slope, inner, before, tail
        self.signature = [ir.IntType(64).as_pointer()] * 4

    def write(self) -> None:
        elements(self.module, f"{self.title}_plain", [self.kind] * 3, lambda b, y, x: self.slope(b, y))
        self._part()
        ir = llvm().ir
        w = Writer(self.module, self.title, ir.VoidType(), self.signature)
        b, (arguments, dims, strides, data) = w.b, w.arguments
        n = w.load(dims)
        places, count, given = w.room(3), w.room(1), w.room(3)
        for k in range(3):
            w.store(w.load(arguments, k), places, k)
        with w.repeat(b.sdiv(b.add(n, w.number(PART - 1)), w.number(PART))) as p:
            left = b.sub(n, b.mul(p, w.number(PART)))
            w.store(b.select(b.icmp_signed("<", left, w.number(PART)), left, w.number(PART)), count)
            for k in range(3):
                w.store(w.load(places, k), given, k)
            b.call(self.module.get_global(f"{self.title}_part"), [given, count, strides, data])
            for k in range(3):
                w.store(b.add(w.load(places, k), b.mul(w.load(strides, k), w.number(PART))), places, k)
        b.ret_void()
        w.done()

    def _part(self) -> None:
        """One part. The result may lie where y does: so y is looked at before anything is written."""
        ir = llvm().ir
        w = Writer(self.module, f"{self.title}_part", ir.VoidType(), self.signature)
        b, (arguments, dims, strides, data) = w.b, w.arguments
        byte = ir.IntType(8).as_pointer()
        y, x, out = (b.inttoptr(w.load(arguments, k), byte) for k in range(3))
        steps = [w.load(strides, k) for k in range(3)]
        n, found = w.load(dims), w.variable(w.number(0))

        def at(start: Any, k: Any, step: Any) -> Any:
            return b.bitcast(b.gep(start, [b.mul(k, step)]), self.kind.as_pointer())

        paths = [w.function.append_basic_block(name) for name in ("dense", "strided", "seen")]
        size = w.number(size_of(self.kind))
        b.cbranch(b.icmp_signed("==", steps[0], size), *paths[:2])
        for path, step in zip(paths, (size, steps[0]), strict=False):
            b.position_at_end(path)
            with w.repeat(n) as k:
                rest = self.rest(b, b.load(at(y, k, step), align=1))
                b.store(b.or_(b.load(found), b.zext(b.fcmp_ordered("<", rest, self.least), w.word)), found)
            b.branch(paths[2])
        b.position_at_end(paths[2])
        some, none, end = (w.function.append_basic_block(name) for name in ("some", "none", "end"))
        b.cbranch(b.icmp_unsigned("!=", b.load(found), w.number(0)), some, none)
        b.position_at_end(none)
        b.call(self.module.get_global(f"{self.title}_plain"), [arguments, dims, strides, data])
        b.branch(end)
        b.position_at_end(some)
        pair, one, dense, value = w.room(2), w.variable(w.number(1)), w.room(2), w.room(1)
        here = b.bitcast(value, self.kind.as_pointer())
        for k in (0, 1):
            w.store(size, dense, k)
            w.store(b.ptrtoint(value, w.word), pair, k)
        with w.repeat(n) as k:
            old, target = b.load(at(y, k, steps[0]), align=1), at(out, k, steps[2])
            again, usual, on = (w.function.append_basic_block(name) for name in ("again", "usual", "on"))
            b.cbranch(b.fcmp_ordered("<", self.rest(b, old), self.least), again, usual)
            b.position_at_end(usual)
            b.store(self.slope(b, old), target, align=1)
            b.branch(on)
            b.position_at_end(again)
            b.store(self.before(b, b.load(at(x, k, steps[1]), align=1)), here)
            w.call(self.inner.address, ir.VoidType(), pair, one, dense, w.as_pointer(w.number(self.inner.data)))
            b.store(self.tail(b, b.load(here)), target, align=1)
            b.branch(on)
            b.position_at_end(on)
        b.branch(end)
        b.position_at_end(end)
        b.ret_void()
        w.done()


def _one(b: Any, x: Any) -> Any:
    return llvm().ir.Constant(x.type, 1.0)


def _of_tanh(char: str) -> tuple[Any, ...]:
    def slope(b: Any, y: Any) -> Any:
        return b.fsub(_one(b, y), b.fmul(y, y))

    def tail(b: Any, cosh: Any) -> Any:
        d = b.fdiv(_one(b, cosh), cosh)
        return b.fmul(d, d)

    return LOST[char], slope, slope, _known(np.cosh, char), lambda b, x: x, tail


def _of_sigmoid(char: str) -> tuple[Any, ...]:
    def rest(b: Any, y: Any) -> Any:
        return b.fsub(_one(b, y), y)

    def negative_size(b: Any, x: Any) -> Any:
        positive = b.fcmp_ordered(">", x, llvm().ir.Constant(x.type, 0.0))
        return b.select(positive, b.fneg(x), x)

    def tail(b: Any, e: Any) -> Any:
        total = b.fadd(_one(b, e), e)
        return b.fdiv(e, b.fmul(total, total))

    return LEAST[char], rest, lambda b, y: b.fmul(rest(b, y), y), _known(np.exp, char), negative_size, tail


def _known(ufunc: np.ufunc, char: str) -> Loop:
    found = loop(ufunc, (np.dtype(char),))
    assert found is not None
    return found


_KINDS: dict[str, Callable[[str], tuple[Any, ...]]] = {"tanh_slope": _of_tanh, "sigmoid_slope": _of_sigmoid}
