"""Sums as BLAS products: over a batch as a product with ones, of a product as an inner product.

`np.add.reduce` over an axis costs about a microsecond more than `np.dot`, and reads no faster.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..program import Program, Value, constant
from .algebra import is_power_of_two, scaled
from .rewrite import Make, axes_of, is_op, number, plain_sum, rewrite

ROWS = 4096  # of a batch: as `batch_sum` has it in gradients
FEWEST = 32  # elements: NumPy adds fewer as fast
TERMS = 128  # that NumPy adds without dividing them into two halves
LONGEST = 1 << 16  # beyond this many terms, NumPy's pairwise summation is worth its time


def sums_over_rows(program: Program) -> int:
    """Sums of which a product is as accurate: over rows, which NumPy adds one after another, within short rows, which
    it does not divide into halves, and of a few squares."""
    users = program.users()

    def rule(v: Value, make: Make) -> Value | None:
        if not _is_plain(v):
            return None
        x = v.inputs[0]
        axes = axes_of(v)
        if len(axes) == len(x.shape):
            alone = is_op(x, "multiply") and x.inputs[0] is x.inputs[1] and users.get(x) == 1
            return _inner(v, x, make) if alone and x.size <= TERMS else None
        rows = math.prod(x.shape[k] for k in axes)
        first, last = (axes == tuple(range(start, start + len(axes))) for start in (0, len(x.shape) - len(axes)))
        accurate = (first and rows <= ROWS) or (last and rows <= TERMS)
        return _outer(v, x, rows, make) if accurate and x.size >= FEWEST and x.size != rows else None

    return rewrite(program, rule)


def scales_in_sums(program: Program) -> int:
    """c (x @ ones) is x @ (c ones), where c is a power of two: a mean over so many terms is one instruction."""
    users = program.users()

    def rule(v: Value, make: Make) -> Value | None:
        pair = scaled(v)
        c = None if pair is None or v.dtype.kind != "f" else number(pair[1])
        if pair is None or not c or not is_power_of_two(c) or not 2**-20 <= abs(c) <= 1:
            return None
        y = pair[0]
        inner = y.inputs[0] if is_op(y, "reshape") else y
        if not is_op(inner, "matmul") or users.get(y) != 1 or users.get(inner) != 1 or inner.dtype != v.dtype:
            return None
        terms = [_scaled_ones(i, c) if i.name == "ones" and i.constant else i for i in inner.inputs]
        return None if terms == list(inner.inputs) else _shaped(make("matmul", *terms), v, make)

    return rewrite(program, rule)


def sums_as_products(program: Program) -> int:
    """All sums, and sum(c x) as c sum(x): fewer products. The digits of long sums get lost, and some overflow."""
    users = program.users()

    def rule(v: Value, make: Make) -> Value | None:
        if not _is_plain(v):
            return None
        x = v.inputs[0]
        inner = scaled(x)
        if inner is not None and users.get(x) == 1:
            return make("multiply", make("sum", inner[0], **v.params), inner[1])
        axes = axes_of(v)
        rows = math.prod(x.shape[k] for k in axes)
        if rows > LONGEST:
            return None
        if len(axes) == len(x.shape) and is_op(x, "multiply") and users.get(x) == 1:
            return _inner(v, x, make)
        return _outer(v, x, rows, make)

    return rewrite(program, rule)


def _is_plain(v: Value) -> bool:
    """Whether v sums an array that lies in order, in a precision that BLAS has."""
    return plain_sum(v) and v.dtype.char in "fd" and _in_order(v.inputs[0]) and bool(axes_of(v))


def _inner(v: Value, x: Value, make: Make) -> Value | None:
    """The sum of the product x of two arrays, which are as x is."""
    if not all(i.shape == x.shape and i.dtype == x.dtype and _in_order(i) for i in x.inputs):
        return None
    return _shaped(make("matmul", *(make("reshape", i, shape=(x.size,)) for i in x.inputs)), v, make)


def _outer(v: Value, x: Value, rows: int, make: Make) -> Value | None:
    """A sum over the first axes, or the last ones, as a product with ones."""
    axes, n, rest = axes_of(v), len(x.shape), x.size // rows
    if len(axes) == n:
        return _shaped(make("matmul", make("reshape", x, shape=(rows,)), ones(rows, x.dtype)), v, make)
    if axes == tuple(range(len(axes))):
        return _shaped(make("matmul", ones(rows, x.dtype), make("reshape", x, shape=(rows, rest))), v, make)
    if axes == tuple(range(n - len(axes), n)):
        return _shaped(make("matmul", make("reshape", x, shape=(rest, rows)), ones(rows, x.dtype)), v, make)
    return None


def _shaped(y: Value, v: Value, make: Make) -> Value:
    return y if y.shape == v.shape else make("reshape", y, shape=v.shape)


def ones(n: int, dtype: Any) -> Value:
    c = constant(np.ones(n, dtype))
    c.name = "ones"
    return c


def _scaled_ones(one: Value, factor: float) -> Value:
    c = constant(np.full(one.shape, factor, one.dtype))
    c.name = "shares"
    return c


def _in_order(x: Value) -> bool:
    return isinstance(x.example, np.ndarray) and x.size > 0 and bool(x.example.flags.c_contiguous)
