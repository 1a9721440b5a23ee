"""Thin products lie turned: of a result with many short rows, columns are stored one after another.

The logits of a batch, 128 x 10, are an example. A bias, a largest element or a sum for each row are then met by loops
of 128 in place of 10, and BLAS multiplies by a transposed weight a third faster. Nothing is copied: the product is
made as the transpose of b' a', and what is computed from it element by element lies as it does. Native products, which
multiply by a weight as it lies, gain by a largest element alone.
"""

from __future__ import annotations

import numpy as np

from ..program import Program, Value
from .rewrite import Make, is_float, is_op, rewrite

WIDEST = 16  # columns: wider rows are long enough for a loop
SMALLEST, LARGEST = 512, 1 << 16  # elements: below, nothing is gained; above, chains work in blocks of whole arrays


def turn_thin_products(program: Program, blas: bool = True) -> int:
    """`blas` says whether BLAS makes the products."""
    users: dict[Value, list[Value]] = {}
    for v in program.body:
        for i in v.inputs:
            users.setdefault(i, []).append(v)
    results = set(program.results)
    turned: set[Value] = set()

    def follow(product: Value) -> set[Value] | None:
        """The values that would lie turned with this product; None where one of them is read in another way."""
        found, open_, gain = {product}, [product], False
        while open_:
            v = open_.pop()
            if v in results:
                return None
            for u in users.get(v, ()):
                if _goes_along(u, v):
                    if u not in found:
                        found.add(u)
                        open_.append(u)
                elif is_op(u, "matmul", "transpose", "max", "min", "sum") and u.shape is not None:
                    by_turned = blas and is_op(u, "matmul") and is_op(u.inputs[1], "transpose")
                    gain = gain or is_op(u, "max") or by_turned
                else:
                    return None
        return found if gain else None

    def rule(v: Value, make: Make) -> Value | None:
        if not _thin(v):
            return None
        along = follow(v)
        if along is None:
            return None
        turned.update(along)
        a, b = v.inputs
        return make("transpose", make("matmul", make("transpose", b), make("transpose", a)))

    count = rewrite(program, rule)
    for v in program.body:
        if v in turned:
            v.example = np.asfortranarray(v.example)
            v.strides = v.example.strides
    return count


def _thin(v: Value) -> bool:
    if not (is_op(v, "matmul") and is_float(v) and len(v.shape) == 2 and all(len(i.shape) == 2 for i in v.inputs)):
        return False
    rows, columns = v.shape
    return 1 < columns <= WIDEST and rows >= 4 * columns and SMALLEST <= v.size < LARGEST


def _goes_along(u: Value, v: Value) -> bool:
    """Whether u is computed from v element by element."""
    return (u.pointwise or is_op(u, "where", "keep")) and u.shape == v.shape


def stack_thin_products(program: Program) -> int:
    """a b + c d is [a c] [b; d], where a and c lie turned, so that the one can be computed behind the other.

    Then only b and d are copied, which are small, and the sum of the two large products is never made.
    """
    users, results = program.users(), set(program.results)

    def rule(v: Value, make: Make) -> Value | None:
        if not is_op(v, "add") or len(v.shape) != 2 or v.inputs[0] is v.inputs[1]:
            return None
        if not all(is_op(p, "matmul") and p.shape == v.shape and p.dtype == v.dtype for p in v.inputs):
            return None
        if any(users.get(p) != 1 for p in v.inputs):
            return None
        (a, b), (c, d) = (p.inputs for p in v.inputs)
        if a is c or not all(_lies_turned(i, v) and i not in results for i in (a, c)):
            return None
        below = make("concat", b, d, axis=0)
        below.example = np.ascontiguousarray(below.example)
        below.strides = below.example.strides
        return make("matmul", make("concat", a, c, axis=1), below)

    return rewrite(program, rule)


def _lies_turned(v: Value, product: Value) -> bool:
    thin = len(v.shape) == 2 and v.shape[1] <= WIDEST and v.shape[0] >= 4 * v.shape[1] and v.dtype == product.dtype
    return thin and v.pointwise and v.strides[0] < v.strides[1]
