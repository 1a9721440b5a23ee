"""Sums as BLAS products: over a batch as a product with ones, of a product as an inner product.

`np.add.reduce` over an axis costs about a microsecond more than `np.dot`, and reads no faster.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..program import Program, Value, constant
from .algebra import scaled
from .rewrite import Make, axes_of, is_op, plain_sum, rewrite

LONGEST = 1 << 16  # beyond this many terms, NumPy's pairwise summation is worth its time


def sums_as_products(program: Program) -> int:
    users = program.users()

    def rule(v: Value, make: Make) -> Value | None:
        if is_op(v, "mean"):
            return _mean(v, make)
        if not plain_sum(v) or v.dtype.kind != "f" or v.dtype.itemsize < 4 or not v.inputs[0].size:
            return None
        x = v.inputs[0]
        inner = scaled(x)
        if (
            inner is not None and users.get(x) == 1 and inner[0].dtype == v.dtype
        ):  # sum(c x) is c sum(x): fewer products
            return make("multiply", make("sum", inner[0], **v.params), inner[1])
        return _product(v, x, make, users.get(x) == 1)

    return rewrite(program, rule)


def _mean(v: Value, make: Make) -> Value | None:
    """A mean is a sum and a scaling, which may merge with its neighbours."""
    x = v.inputs[0]
    if (
        v.dtype != x.dtype
        or v.dtype.kind != "f"
        or not v.size
        or not x.size
        or set(v.params) - {"axis", "keepdims", "dtype"}
    ):
        return None
    total = make("sum", x, axis=v.params.get("axis"), keepdims=v.params.get("keepdims", False))
    return make("multiply", total, constant(v.size / x.size))


def _product(v: Value, x: Value, make: Make, alone: bool) -> Value | None:
    axes, n = axes_of(v), len(x.shape)
    if not _c_contiguous(x) or not axes:
        return None
    y = None
    if axes == tuple(range(n)):
        if x.size > LONGEST:
            return None
        if (
            is_op(x, "multiply")
            and alone
            and all(i.shape == x.shape and i.dtype == x.dtype and _c_contiguous(i) for i in x.inputs)
        ):
            y = make("matmul", *(make("reshape", i, shape=(x.size,)) for i in x.inputs))
        else:
            y = make("matmul", make("reshape", x, shape=(x.size,)), ones(x.size, x.dtype))
    else:
        rows = int(np.prod([x.shape[k] for k in axes], dtype=int))
        rest = x.size // rows
        if rows > LONGEST:
            return None
        if axes == tuple(range(len(axes))):
            y = make("matmul", ones(rows, x.dtype), make("reshape", x, shape=(rows, rest)))
        elif axes == tuple(range(n - len(axes), n)):
            y = make("matmul", make("reshape", x, shape=(rest, rows)), ones(rows, x.dtype))
    return y if y is None or y.shape == v.shape else make("reshape", y, shape=v.shape)


def ones(n: int, dtype: Any) -> Value:
    c = constant(np.ones(n, dtype))
    c.name = "ones"
    return c


def _c_contiguous(x: Value) -> bool:
    return isinstance(x.example, np.ndarray) and bool(x.example.flags.c_contiguous)
