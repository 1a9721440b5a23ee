"""The rules of products and of linear algebra."""

from __future__ import annotations

from string import ascii_letters
from typing import Any

import numpy as np

from ...core.tensor import rec
from .rules import RULES, Call, one_by_one, rule, stacked


@rule("matmul")
def _matmul(call: Call) -> Any:
    """As few and as large products as there can be: a matrix that all examples share meets all of them at once."""
    (a, b), (in_a, in_b), (ra, rb) = call.args, call.moving, call.ranks
    size, (sa, sb) = call.size, call.shapes
    if not in_b and rb <= 2:
        if ra == 1 or rb == 1:
            return rec.matmul(a, b)
        if (
            not a.node.data.flags.c_contiguous and rb == 2
        ):  # to lay out its rows would cost more than a larger product saves
            return rec.matmul(a, b)
        rows = rec.matmul(rec.reshape(a, (size * int(np.prod(sa[:-1], dtype=int)), sa[-1])), b)
        return rec.reshape(rows, (size, *sa[:-1], sb[-1]))
    if not in_a and rb == 1:
        return rec.matmul(b, a if ra == 1 else rec.matrix_transpose(a)) if ra <= 2 else _columns(call)
    if ra == 1 and rb == 1:
        return rec.vecdot(rec.conj(a), b) if np.asarray(call.like).dtype.kind == "c" else rec.vecdot(a, b)
    if rb == 1:
        return _columns(call)
    if ra == 1:
        row = rec.reshape(a, (size, *(1,) * (rb - 1), sa[0])) if in_a else rec.reshape(a, (1, sa[0]))
        y = rec.matmul(row, b)
        return rec.reshape(y, (size, *np.shape(call.like)))
    rank = max(ra, rb)
    return rec.matmul(call.lifted(0, rank), call.lifted(1, rank))


def _columns(call: Call) -> Any:
    """A product with a vector as one with a matrix of one column."""
    (a, b), in_b, ra = call.args, call.moving[1], call.ranks[0]
    n = call.shapes[1][0]
    column = rec.reshape(b, (call.size, *(1,) * (ra - 2), n, 1)) if in_b else rec.reshape(b, (n, 1))
    return rec.reshape(rec.matmul(a, column), (call.size, *np.shape(call.like)))


@rule("contract")
def _contract(call: Call) -> Any:
    terms, result = call.params["subscripts"].split("->")
    free = next((c for c in reversed(ascii_letters) if c not in terms), None)
    if free is None:
        return one_by_one(call)
    named = [free + t if moves else t for t, moves in zip(terms.split(","), call.moving, strict=True)]
    return call.do(*call.args, subscripts=f"{','.join(named)}->{free}{result}")


@rule("solve")
def _solve(call: Call) -> Any:
    """Of a vector on the right as of a matrix of one column, where there is a stack of them."""
    a, b = call.args
    if call.ranks[1] > 1:
        rank = max(call.ranks)
        return rec.solve(call.lifted(0, rank), call.lifted(1, rank))
    n = call.shapes[1][0]
    if not call.moving[0] and call.ranks[0] == 2:
        return rec.matrix_transpose(rec.solve(a, rec.matrix_transpose(b)))
    column = (
        rec.reshape(b, (call.size, *(1,) * (call.ranks[0] - 2), n, 1)) if call.moving[1] else rec.reshape(b, (n, 1))
    )
    return rec.reshape(rec.solve(a, column), (call.size, *np.shape(call.like)))


@rule("eigh", "svd", "qr", "sqrtm", "logm", "eig")
def _factored(call: Call) -> Any:
    """Factorisations of a stack; a basis that was turned for one example has no meaning for the others."""
    return call.do(call.args[0]) if call.params.get("turned") is None else one_by_one(call)


for _name in (
    "eigen_rotation", "eigen_within", "eigen_spread", "eigen_compress", "eigen_alike", "eigen_unsplit", "eigen_free",
    "eig_gaps", "pinv", "adjugate_tangent", "extreme_singular_value", "singular_shares", "matrix_rank",
    "known_residuals",
):  # fmt: skip
    RULES[_name] = stacked


@rule("solve_triangular")
def _solve_triangular(call: Call) -> Any:
    if call.ranks[1] > 1:
        rank = max(call.ranks)
        return call.do(call.raised(0, rank), call.raised(1, rank))
    column = rec.reshape(call.full(1), (call.size, *(1,) * (call.ranks[0] - 2), *call.shapes[1], 1))
    return rec.reshape(call.do(call.full(0), column), (call.size, *np.shape(call.like)))


@rule("solve_sylvester")
def _solve_sylvester(call: Call) -> Any:
    return stacked(call) if call.ranks == [2, 2, 2] else one_by_one(call)
