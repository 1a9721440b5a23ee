"""Algebra that changes no result: neutral elements, double negation, products for squares, factors that are known.

Only for real floating numbers: a product of complex numbers has four products, and makes NaN of what is infinite.
x * 0 stays, because x may be infinite; x + 0.0 stays where the sign of a zero can be seen, because -0.0 + 0.0 is 0.0.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ...ops.gating import CUBE, FLAT, LINE, REACH
from ..program import Program, Value, constant
from .rewrite import Make, is_op, is_scalar, number, rewrite
from .zeros import seen_zeros


def simplify(program: Program) -> int:
    seen = seen_zeros(program)

    def rule(v: Value, make: Make) -> Value | None:
        if v.op is None or v.weak or v.op.name not in _RULES or v.dtype.kind != "f" or v.dtype.itemsize < 4:
            return None
        return _RULES[v.op.name](v, make, v in seen)

    return rewrite(program, rule)


def _add(v: Value, make: Make, seen: bool) -> Value | None:
    a, b = v.inputs
    for x, zero in ((a, b), (b, a)):
        if _is_zero(zero, minus=True if seen else None):
            return x
    if a is b:
        return make("multiply", a, constant(2.0))
    if negated(b):
        return make("subtract", a, b.inputs[0])
    if negated(a):
        return make("subtract", b, a.inputs[0])
    return None


def _subtract(v: Value, make: Make, seen: bool) -> Value | None:
    a, b = v.inputs
    if _is_zero(b, minus=False if seen else None):
        return a
    if _is_zero(a, minus=True if seen else None) and b.dtype == v.dtype:
        return make("negative", b)
    if negated(b):
        return make("add", a, b.inputs[0])
    return None


def _multiply(v: Value, make: Make, seen: bool) -> Value | None:
    a, b = v.inputs
    if is_scalar(a) and not is_scalar(b):
        a, b = b, a  # the number last
    if b.is_number(1):
        return a
    if a.is_number(1):
        return b
    if b.is_number(-1) and is_scalar(b) and a.dtype == v.dtype:
        return make("negative", a)
    if negated(a) and negated(b):
        return make("multiply", a.inputs[0], b.inputs[0])
    if is_scalar(b) and not is_scalar(a):
        if negated(a) and _is_signed(b):
            return make("multiply", a.inputs[0], make("negative", b))
        return _merge(v, a, b, make)
    return None


def _merge(v: Value, a: Value, d: Value, make: Make) -> Value | None:
    """(x c) d is x (c d), where one of both is a power of two, and x c does not overflow where x (c d) does not."""
    inner = scaled(a)
    if inner is None or v.dtype.itemsize > 8:
        return None
    first, second = number(inner[1]), number(d)
    if first is None or second is None or not 0 < abs(second) <= 4 or not (abs(first) <= 1 or abs(second) >= 1):
        return None
    if not (is_power_of_two(first) or is_power_of_two(second)) or not is_normal(first * second, v):
        return None
    return make("multiply", inner[0], constant(first * second))


def _divide(v: Value, make: Make, seen: bool) -> Value | None:
    a, b = v.inputs
    if b.is_number(1):
        return a
    n = number(b)  # one over a power of two has no rounding
    if n and is_power_of_two(n) and is_normal(1 / n, v) and v.dtype.itemsize <= 8:
        return make("multiply", a, constant(1 / n))
    return None


def _negative(v: Value, make: Make, seen: bool) -> Value | None:
    (x,) = v.inputs
    if negated(x):
        return x.inputs[0]
    if is_op(x, "subtract") and not seen:
        return make("subtract", x.inputs[1], x.inputs[0])
    inner = scaled(x)
    if inner is None or not _is_signed(inner[1]):
        return None
    return make("multiply", inner[0], make("negative", inner[1]))


def _power(v: Value, make: Make, seen: bool) -> Value | None:
    x, n = v.inputs[0], number(v.inputs[1])
    if n == 1:
        return x
    if n == 2:
        return make("multiply", x, x)
    return make("divide", constant(1.0), x) if n == -1 else None


def negated(v: Value) -> bool:
    """Whether v is -x, where that is exact: it wraps around for whole numbers."""
    return is_op(v, "negative") and v.dtype.kind in "fc"


def _is_signed(c: Value) -> bool:
    """Whether -c is minus c: a whole number of NumPy's wraps around, and 0 has no sign."""
    return c.dtype.kind == "f" or (c.weak and number(c) not in (None, 0))


def scaled(v: Value) -> tuple[Value, Value] | None:
    """(x, c) if v is the array x, of v's own dtype, times the number c."""
    if is_op(v, "multiply") and v.dtype.kind in "fc":  # a product of integers wraps around
        for x, c in (v.inputs, v.inputs[::-1]):
            if is_scalar(c) and not is_scalar(x):
                return (x, c) if x.dtype == v.dtype else None
    return None


def is_power_of_two(n: float) -> bool:
    return abs(math.frexp(n)[0]) == 0.5


def is_normal(c: float, v: Value) -> bool:
    """Whether v's dtype holds c with all its digits."""
    limits = np.finfo(v.dtype)
    return bool(limits.tiny <= abs(c) <= limits.max)


def _is_zero(c: Value, minus: bool | None) -> bool:
    """Whether all of a constant is 0, of this sign if it has one (None: of either)."""
    return c.is_number(0) and (minus is None or bool((np.signbit(c.example) == minus).all()))


def _softsign(v: Value, make: Make, seen: bool) -> Value:
    """Where an endless number has the quotient of the largest one."""
    x = _within(v.inputs[0], float(np.finfo(v.dtype).max), make)
    return make("divide", x, make("add", constant(1.0), make("absolute", x)))


def _within(x: Value, most: float, make: Make) -> Value:
    return make("minimum", make("maximum", x, constant(-most)), constant(most))


def _gelu_argument(v: Value, make: Make, seen: bool) -> Value:
    x = _within(v.inputs[0], REACH, make)
    rise = make("add", constant(LINE), make("multiply", make("multiply", x, x), constant(CUBE)))
    return make("multiply", x, rise)


_RULES: dict[str, Callable[[Value, Make, bool], Value | None]] = {
    "add": _add,
    "subtract": _subtract,
    "multiply": _multiply,
    "divide": _divide,
    "negative": _negative,
    "power": _power,
    "gated": lambda v, make, seen: make("multiply", make("maximum", v.inputs[0], constant(-FLAT)), v.inputs[1]),
    "held": lambda v, make, seen: _within(v.inputs[0], FLAT, make),
    "held_product": lambda v, make, seen: make("multiply", _within(v.inputs[0], FLAT, make), v.inputs[1]),
    "gelu_argument": _gelu_argument,
    "softsign": _softsign,
    "square": lambda v, make, seen: make("multiply", v.inputs[0], v.inputs[0]),
}
