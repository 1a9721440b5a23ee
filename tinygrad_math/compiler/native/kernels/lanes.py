"""Formulas on vectors, written with Python's operators: each operator appends an instruction of LLVM's language.

A `Vector` holds one number a lane, floats or the integers of their width; nothing branches, so a choice is a `where` on
a mask. Only exact operations stand here: +, -, *, /, a fused multiply-add (one rounding), and what works on the bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from llvmlite import ir

from . import coefficients


@dataclass(frozen=True)
class Format:
    """A floating-point format: its name in LLVM, bits of the significand without the leading one, exponent's bias."""

    dtype: np.dtype[Any]
    real: ir.Type
    whole: ir.Type
    bits: int
    digits: int
    bias: int
    table: dict[str, tuple[coefficients.Coefficients, coefficients.Coefficients]]


FORMATS = {
    "float64": Format(
        np.dtype(np.float64), ir.DoubleType(), ir.IntType(64), 64, 52, 1023, coefficients.FLOAT64
    ),
    "float32": Format(np.dtype(np.float32), ir.FloatType(), ir.IntType(32), 32, 23, 127, coefficients.FLOAT32),
}  # fmt: skip


class Lanes:
    """The code being written, the format and number of its lanes; makes constants and what is no operator."""

    def __init__(self, builder: ir.IRBuilder, form: Format, count: int) -> None:
        self.builder, self.form, self.count = builder, form, count
        self.reals, self.wholes = (ir.VectorType(kind, self.count) for kind in (form.real, form.whole))

    def real(self, x: float) -> Vector:
        """A float in every lane, rounded to the format."""
        x = float(self.form.dtype.type(x))
        return Vector(self, ir.Constant(self.reals, [x] * self.count))

    def whole(self, k: int) -> Vector:
        """An integer in every lane."""
        return Vector(self, ir.Constant(self.wholes, [k] * self.count))

    def fma(self, a: Vector, b: Vector | float, c: Vector | float) -> Vector:
        """a b + c with one rounding."""
        values = [self.of(x).value for x in (a, b, c)]
        name = f"llvm.fma.v{self.count}f{self.form.bits}"
        kind = ir.FunctionType(self.reals, [self.reals] * 3)
        known = self.builder.module.globals.get(name)
        return Vector(self, self.builder.call(known or ir.Function(self.builder.module, kind, name), values))

    def where(self, mask: Vector, a: Vector | float, b: Vector | float) -> Vector:
        """a where the mask holds, else b."""
        return Vector(self, self.builder.select(mask.value, self.of(a).value, self.of(b).value))

    def polynomial(self, x: Vector, row: coefficients.Coefficients) -> Vector:
        """Lowest degree first: Horner's scheme, for even and odd degrees apart, which do not wait for each other."""
        if len(row) < 5:
            return self.horner(x, row)
        square = x * x
        return self.fma(self.horner(square, row[1::2]), x, self.horner(square, row[::2]))

    def horner(self, x: Vector, row: coefficients.Coefficients) -> Vector:
        """The same in one row, with a product less."""
        y = self.real(row[-1])
        for c in reversed(row[:-1]):
            y = self.fma(y, x, c)
        return y

    def any(self, mask: Vector) -> ir.Value:
        """Whether the mask holds in some lane, as one bit."""
        kind = ir.IntType(self.count)
        return self.builder.icmp_unsigned("!=", self.builder.bitcast(mask.value, kind), kind(0))

    def room(self, kind: ir.Type) -> ir.Value:
        """The address of a vector on the stack, made once and not in every turn of the loop."""
        with self.builder.goto_entry_block():
            room = self.builder.alloca(kind)
        room.type = ir.PointerType()
        return room

    def of(self, x: Vector | float) -> Vector:
        return x if isinstance(x, Vector) else self.real(x)


class Vector:
    """One number a lane."""

    def __init__(self, lanes: Lanes, value: Any) -> None:
        self.lanes, self.value = lanes, value

    def _with(self, instruction: str, other: Vector | float) -> Vector:
        act = getattr(self.lanes.builder, instruction)
        return Vector(self.lanes, act(self.value, self.lanes.of(other).value))

    def __add__(self, other: Vector | float) -> Vector:
        return self._with("fadd", other)

    def __sub__(self, other: Vector | float) -> Vector:
        return self._with("fsub", other)

    def __mul__(self, other: Vector | float) -> Vector:
        return self._with("fmul", other)

    def __truediv__(self, other: Vector | float) -> Vector:
        return self._with("fdiv", other)

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other: float) -> Vector:
        return self.lanes.of(other) - self

    def __rtruediv__(self, other: float) -> Vector:
        return self.lanes.of(other) / self

    def __neg__(self) -> Vector:
        return Vector(self.lanes, self.lanes.builder.fneg(self.value))

    def __lt__(self, other: Vector | float) -> Vector:
        return self._compare("<", other)

    def __gt__(self, other: Vector | float) -> Vector:
        return self._compare(">", other)

    def equals(self, other: Vector | float) -> Vector:
        """The mask of equal lanes; NaN equals nothing."""
        return self._compare("==", other)

    def _compare(self, sign: str, other: Vector | float) -> Vector:
        return Vector(self.lanes, self.lanes.builder.fcmp_ordered(sign, self.value, self.lanes.of(other).value))

    def bits(self) -> Vector:
        """The float's bits as an integer."""
        return Vector(self.lanes, self.lanes.builder.bitcast(self.value, self.lanes.wholes))

    def float_of_bits(self) -> Vector:
        """The float with these bits."""
        return Vector(self.lanes, self.lanes.builder.bitcast(self.value, self.lanes.reals))

    def _on_bits(self, instruction: str, other: Vector | int) -> Vector:
        other = other if isinstance(other, Vector) else self.lanes.whole(other)
        return Vector(self.lanes, getattr(self.lanes.builder, instruction)(self.value, other.value))

    def __and__(self, other: Vector | int) -> Vector:
        return self._on_bits("and_", other)

    def __or__(self, other: Vector | int) -> Vector:
        return self._on_bits("or_", other)

    def __xor__(self, other: Vector | int) -> Vector:
        return self._on_bits("xor", other)

    def __lshift__(self, places: int) -> Vector:
        return self._on_bits("shl", places)

    def __rshift__(self, places: int) -> Vector:
        """Shifted to the right, zeros from the left."""
        return self._on_bits("lshr", places)

    def plus(self, other: Vector | int) -> Vector:
        """The sum of integers."""
        return self._on_bits("add", other)

    def minus(self, other: Vector | int) -> Vector:
        """The difference of integers."""
        return self._on_bits("sub", other)

    def is_odd(self) -> Vector:
        """The mask of odd integers."""
        return Vector(self.lanes, self.lanes.builder.trunc(self.value, ir.VectorType(ir.IntType(1), self.lanes.count)))

    def is_negative(self) -> Vector:
        """The mask of floats whose bit of the sign is set."""
        none = self.lanes.whole(0)
        return Vector(self.lanes, self.lanes.builder.icmp_signed("<", self.bits().value, none.value))

    def size(self) -> Vector:
        """The absolute value."""
        return (self.bits() & (self._sign_bit() - 1)).float_of_bits()

    def signed_as(self, other: Vector) -> Vector:
        """These sizes, which are not negative, with the signs of others."""
        return (self.bits() | (other.bits() & self._sign_bit())).float_of_bits()

    def _sign_bit(self) -> int:
        return 1 << (self.lanes.form.bits - 1)


class Read(Vector):
    """A vector in memory, loaded where a block first asks for it: what only a rare branch asks for, there alone."""

    def __init__(self, lanes: Lanes, place: ir.Value) -> None:
        self.lanes, self.place = lanes, place
        self.loaded: dict[str, ir.Value] = {}

    @property
    def value(self) -> Any:
        form, b = self.lanes.form, self.lanes.builder
        if b.block.name not in self.loaded:
            self.loaded[b.block.name] = b.load(self.place, align=form.bits // 8, typ=self.lanes.reals)
        return self.loaded[b.block.name]


def mended(lanes: Lanes, usual: Vector, lost: Vector, anew: Callable[[], Vector]) -> Vector:
    """`anew` in the lanes that have lost their digits; a block without such lanes goes by."""
    b = lanes.builder
    before = b.block
    rare, on = (b.append_basic_block(name) for name in ("rare", "on"))
    b.cbranch(lanes.any(lost), rare, on)
    b.position_at_end(rare)
    mended = lanes.where(lost, anew(), usual)
    last = b.block
    b.branch(on)
    b.position_at_end(on)
    y = b.phi(lanes.reals)
    y.add_incoming(usual.value, before)
    y.add_incoming(mended.value, last)
    return Vector(lanes, y)
