"""Algebra of real numbers, which floating ones follow but for range and last digits: factors change places and merge.

Only with `fast_math`: a product that is made in another order may overflow or vanish where the first one did not,
1/c has digits that c has not, and x + 0.0 loses the sign of a zero.
"""

from __future__ import annotations

import math

import numpy as np

from ..program import Program, Value, constant
from .algebra import scaled
from .rewrite import Make, Rule, is_float, is_op, is_scalar, number, rewrite


def regroup(program: Program) -> int:
    users = program.users()

    def rule(v: Value, make: Make) -> Value | None:
        if v.op is None or v.op.name not in _RULES or not is_float(v) or v.weak:
            return None
        found = _RULES[v.op.name](v, make) or _quotient(v, make, users)
        return found or _outward(v, make, users) or _common_factor(v, make, users)

    return rewrite(program, rule)


def _add(v: Value, make: Make) -> Value | None:
    a, b = v.inputs
    return a if b.is_number(0) else b if a.is_number(0) else None


def _subtract(v: Value, make: Make) -> Value | None:
    a, b = v.inputs
    if a.is_number(0) and b.dtype == v.dtype:
        return make("negative", b)
    return a if b.is_number(0) else None


def _multiply(v: Value, make: Make) -> Value | None:
    a, b = v.inputs
    if is_scalar(a) and not is_scalar(b):
        a, b = b, a  # the number last
    if is_scalar(b) and not is_scalar(a):
        inner = scaled(a)
        if inner is not None and a.dtype == v.dtype:
            factor = _merged(inner[1], b, v, make)
            return make("multiply", inner[0], factor) if factor is not None else None
    return None


def _divide(v: Value, make: Make) -> Value | None:
    a, b = v.inputs
    n = number(b)
    if n is not None and n and math.isfinite(1 / n) and abs(1 / n) > 1e-30 and not is_scalar(a):
        one = 1.0 if b.weak or b.dtype.kind != "f" else np.finfo(v.dtype).dtype.type(1)  # not 1/b in a narrower b's
        return make("multiply", a, make("divide", constant(one), b))
    return None


def _negative(v: Value, make: Make) -> Value | None:
    (x,) = v.inputs
    return make("subtract", x.inputs[1], x.inputs[0]) if is_op(x, "subtract") else None


def _quotient(v: Value, make: Make, users: dict[Value, int]) -> Value | None:
    """(1 / x) y is y / x, and (c / x) d is (c d) / x, where the quotient has no other use."""
    if is_op(v, "multiply"):
        for q, y in (v.inputs, v.inputs[::-1]):
            if is_op(q, "divide") and users.get(q) == 1 and is_scalar(q.inputs[0]) and not is_scalar(q):
                if number(q.inputs[0]) == 1 and not is_scalar(y):
                    return make("divide", y, q.inputs[1])
                if is_scalar(y):
                    factor = _merged(q.inputs[0], y, v, make)
                    return make("divide", factor, q.inputs[1]) if factor is not None else None
    return None


def _outward(v: Value, make: Make, users: dict[Value, int]) -> Value | None:
    """(c x) y is c (x y), where c x has no other use: nearer to other factors, and to where it can go up from."""
    if is_op(v, "multiply") and not any(map(is_scalar, v.inputs)):
        for a, b in (v.inputs, v.inputs[::-1]):
            inner = scaled(a) if users.get(a) == 1 and a.shape == v.shape else None
            if inner is not None and moderate(inner[1]) and a.dtype == v.dtype:
                return make("multiply", make("multiply", inner[0], b), inner[1])
    return None


def _common_factor(v: Value, make: Make, users: dict[Value, int]) -> Value | None:
    """c x + c y is c (x + y), and c x + (-c) y is c (x - y), where c x and c y have no other use."""
    if not is_op(v, "add", "subtract") or any(users.get(i) != 1 or i.shape != v.shape for i in v.inputs):
        return None
    a, b = map(scaled, v.inputs)
    if a is None or b is None or not a[0].shape == b[0].shape == v.shape or not a[0].dtype == b[0].dtype == v.dtype:
        return None
    c, d = number(a[1]), number(b[1])
    if c is None or d is None or abs(c) != abs(d) or not moderate(a[1]):
        return None
    both = make("add" if is_op(v, "add") == (c == d) else "subtract", a[0], b[0])
    return make("multiply", both, a[1])


def moderate(c: Value, most: float = 1e6) -> bool:
    """Whether c is a known number with which products may change their order: they neither overflow nor vanish."""
    return c.constant and 1 / most <= abs(np.asarray(c.example).item()) <= most


def _merged(a: Value, b: Value, v: Value, make: Make) -> Value | None:
    """The product of two numbers that make v together, in v's precision; None where that cannot be had.

    A known one must neither overflow nor vanish; what is not known yet is taken as usable.
    """
    wide = np.finfo(v.dtype).dtype
    if a.constant and not a.weak and a.dtype.kind == "f" and a.dtype.itemsize < wide.itemsize:
        a = constant(wide.type(a.example))
    elif b.constant and not b.weak and b.dtype.kind == "f" and b.dtype.itemsize < wide.itemsize:
        b = constant(wide.type(b.example))
    factor = make("multiply", a, b)
    if not factor.weak and factor.dtype.kind in "fc" and np.finfo(factor.dtype).dtype != wide:
        return None
    return factor if not factor.constant or moderate(factor, 1e30) else None


_RULES: dict[str, Rule] = {
    "add": _add,
    "subtract": _subtract,
    "multiply": _multiply,
    "divide": _divide,
    "negative": _negative,
}
