"""Traces, products and ranks of matrices, and orthonormal bases of their ranges and null spaces."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.declare import derived, general, nondiff
from ..core.errors import IllPosedDerivative, ShapeError, describe
from ..core.samples import real, sample
from ..core.tensor import as_tensor, rec
from .choices import choice, differentiated
from .eigen import one_triangle
from .least_squares import constant_rank, cutoff
from .wellposed import adjoint, floating, plain, tolerance

__all__ = [
    "cross",
    "diagonal",
    "kron",
    "matmul",
    "matrix_rank",
    "matrix_transpose",
    "multi_dot",
    "null_space",
    "orth",
    "outer",
    "tensordot",
    "trace",
    "vecdot",
]

kron, matmul, matrix_transpose, outer, tensordot, vecdot = (
    rec.kron,
    rec.matmul,
    rec.matrix_transpose,
    rec.outer,
    rec.tensordot,
    rec.vecdot,
)


@named
def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    """The sum of the diagonal of the matrices in the last two axes, `offset` steps to the right of the main one.

    Derivative: the cotangent is g on that diagonal.

    >>> import tinygrad_math as tm
    >>> tm.linalg.trace(tm.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(5.)
    """
    return rec.trace(x, offset=offset, axis1=-2, axis2=-1, dtype=dtype)


@named
def diagonal(x: Any, /, *, offset: int = 0) -> Any:
    """The diagonal of the matrices in the last two axes, `offset` steps to the right of the main one.

    >>> import tinygrad_math as tm
    >>> tm.linalg.diagonal(tm.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([1., 4.])
    """
    return rec.diagonal(x, offset=offset, axis1=-2, axis2=-1)


@named
def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """The cross product of vectors of three, orthogonal to both.

    Arguments: x1, x2 with 3 elements along `axis`, the other axes broadcast. Raises ShapeError.
    Derivative: d(a x b) = da x b + a x db.

    >>> import tinygrad_math as tm
    >>> tm.linalg.cross([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    tensor([0., 0., 1.])
    """
    x1, x2 = as_tensor(x1), as_tensor(x2)
    for x in (x1, x2):
        if not -x.ndim <= axis < x.ndim or x.shape[axis] != 3:
            raise ShapeError(f"cross({describe(x1)}, {describe(x2)}) needs vectors of three elements along axis {axis}")
    return rec.cross(x1, x2, axis=axis)


@derived
def multi_dot(arrays: Any, /) -> Any:
    """The product of several matrices, in the order that takes the fewest multiplications.

    Arguments: at least two arrays; the first and the last may be vectors, the others (m, n). Raises ShapeError.
    Derivative: of the products. The order by dynamic programming: Cormen et al., Introduction to algorithms, 15.2.

    >>> import tinygrad_math as tm
    >>> tm.linalg.multi_dot([[[1.0, 2.0]], [[1.0], [1.0]], [[3.0]]])
    tensor([[9.]])
    """
    chain = [as_tensor(a) for a in arrays]
    if len(chain) < 2:
        raise ShapeError(f"multi_dot needs at least two arrays, got {len(chain)}")
    ends = (chain[0].ndim == 1, chain[-1].ndim == 1)
    if ends[0]:
        chain[0] = rec.expand_dims(chain[0], axis=0)
    if ends[1]:
        chain[-1] = rec.expand_dims(chain[-1], axis=1)
    for a, b in itertools.pairwise(chain):
        if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[0]:
            raise ShapeError(
                f"multi_dot: {describe(a)} and {describe(b)} do not fit; it takes matrices whose sizes chain"
            )
    sizes = [chain[0].shape[0], *(a.shape[1] for a in chain)]
    split = _cheapest(sizes)

    def product(i: int, j: int) -> Any:
        return chain[i] if i == j else rec.matmul(product(i, split[i, j]), product(split[i, j] + 1, j))

    y = product(0, len(chain) - 1)
    keep = tuple(0 if gone else slice(None) for gone in ends)
    return y[keep] if any(ends) else y


def _cheapest(sizes: list[int]) -> dict[tuple[int, int], int]:
    """Where to split each part of a chain of products."""
    n = len(sizes) - 1
    cost = {(i, i): 0 for i in range(n)}
    split = {}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i, j], split[i, j] = min(
                (cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)
            )
    return split


@nondiff(
    name="matrix_rank",
    latex=r"\operatorname{{rank}} {0}",
    shape="(..., m, n) -> (...)",
    samples=lambda: [sample(np.array([[1.0, 0.0], [2.0, 3.0], [1.0, 3.0]])), sample(np.zeros((2, 3, 3)))],
)
def _matrix_rank(x: Any, /, *, rtol: float | None = None, tol: float | None = None) -> Any:
    """The number of singular values above a bound: rtol times the largest, or tol."""
    a = floating("matrix_rank", x)
    s = np.linalg.svd(a, compute_uv=False)
    return np.sum(s > (cutoff(s, a.shape, rtol) if tol is None else tol), axis=-1)


@derived
def matrix_rank(x: Any, /, tol: float | None = None, hermitian: bool = False, *, rtol: float | None = None) -> Any:
    """The rank of matrices: how many singular values are above a bound. A constant for every derivative.

    Arguments: x (..., m, n), or a vector, of rank 0 or 1; the bound is `tol`, or `rtol` times the largest singular
    value, by default max(m, n) times the precision; `hermitian`: x is Hermitian, and its lower triangle alone is read.
    Returns integers (...). Raises ShapeError, MatrixError (NaN).

    >>> import tinygrad_math as tm
    >>> tm.linalg.matrix_rank([[1.0, 0.0], [2.0, 3.0], [1.0, 3.0]])
    tensor(2)
    """
    x = as_tensor(x)
    x = one_triangle("matrix_rank", x, "L") if hermitian else x
    return _matrix_rank(rec.expand_dims(x, axis=0) if x.ndim == 1 else x, rtol=rtol, tol=tol)


# -- orthonormal bases --------------------------------------------------------------------------------------


def _check_choice(name: str, q: Any, g: Any) -> None:
    c = adjoint(q) @ g
    if c.size and np.abs(c - adjoint(c)).max() > 2 * tolerance(c.dtype) * max(np.abs(g).max(), 1e-300):
        raise IllPosedDerivative(
            f"{name}: the {q.shape[-1]} columns are an arbitrary orthonormal basis, and the function depends on that "
            "choice. Use what does not, as the projector Q Q^H."
        )


def _basis(q: Any, turned: bool) -> Any:
    return q @ choice(np.ones((q.shape[-1],) * 2, bool), q.dtype) if turned else q


def _one_matrix(name: str, x: Any) -> Any:
    a = floating(name, x)
    if a.ndim != 2:
        raise ShapeError(f"{name}({describe(a)}) needs one matrix: the sizes of the bases of a stack would differ")
    return a


@general(
    name="null_space",
    latex=r"\operatorname{{null}} {0}",
    shape="(m, n) -> (n, n - rank)",
    samples=lambda: [sample(real(2, 3)), sample(real(3, 2))],
)
def _null_space(x: Any, /, rcond: float | None = None, turned: bool = False) -> Any:
    """An orthonormal basis of the null space, in columns; `turned`: see `choice`."""
    a = _one_matrix("null_space", x)
    _, s, vh = np.linalg.svd(a)
    rank = int(np.sum(s > cutoff(s, a.shape, rcond)))
    return _basis(adjoint(vh[rank:]), turned)


@_null_space.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, rcond: Any, turned: bool) -> Any:
    constant_rank("null_space", plain(a), rcond)
    _check_choice("null_space", plain(y), plain(g))
    return (-xp.matmul(xp.adjoint(xp.pinv(a, rcond=rcond)), xp.matmul(g, xp.adjoint(y))),)


@_null_space.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, rcond: Any, turned: bool) -> Any:
    constant_rank("null_space", plain(a), rcond)
    return -xp.matmul(xp.pinv(a, rcond=rcond), xp.matmul(ts[0], y))


@general(
    name="orth",
    latex=r"\operatorname{{orth}} {0}",
    shape="(m, n) -> (m, rank)",
    samples=lambda: [sample(real(3, 1))],
)
def _orth(x: Any, /, rcond: float | None = None, turned: bool = False) -> Any:
    """An orthonormal basis of the column space, in columns; `turned`: see `choice`."""
    a = _one_matrix("orth", x)
    u, s, _ = np.linalg.svd(a, full_matrices=False)
    return _basis(u[:, : int(np.sum(s > cutoff(s, a.shape, rcond)))], turned)


@_orth.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, rcond: Any, turned: bool) -> Any:
    constant_rank("orth", plain(a), rcond)
    _check_choice("orth", plain(y), plain(g))
    out = g - xp.matmul(y, xp.matmul(xp.adjoint(y), g))
    return (xp.matmul(out, xp.matmul(xp.adjoint(y), xp.adjoint(xp.pinv(a, rcond=rcond)))),)


@_orth.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, rcond: Any, turned: bool) -> Any:
    constant_rank("orth", plain(a), rcond)
    t = xp.matmul(ts[0], xp.matmul(xp.pinv(a, rcond=rcond), y))
    return t - xp.matmul(y, xp.matmul(xp.adjoint(y), t))


@derived
def null_space(x: Any, /, rcond: float | None = None) -> Any:
    """An orthonormal basis of the null space, in columns.

    Arguments: x (m, n); singular values up to `rcond` times the largest count as zero. Returns (n, n - rank).
    Raises ShapeError, MatrixError (NaN); from derivatives IllPosedDerivative for functions of the choice of the
    basis, and below full rank, where the dimension jumps, unless `rcond` is given.
    Derivative: dZ = -A^+ dA Z, at constant rank. Golub and Pereyra (1973).

    >>> import tinygrad_math as tm
    >>> abs(tm.linalg.null_space([[1.0, 1.0]]).numpy()).round(4)
    array([[0.7071],
           [0.7071]])
    """
    return _null_space(x, rcond=rcond, turned=differentiated(x))


@derived
def orth(x: Any, /, rcond: float | None = None) -> Any:
    """An orthonormal basis of the column space, in columns.

    Arguments, errors: as for `null_space`. Returns (m, rank).
    Derivative: dQ = (1 - Q Q^H) dA A^+ Q, at constant rank, for functions that do not depend on the choice.
    Golub and Pereyra (1973).

    >>> import tinygrad_math as tm
    >>> abs(tm.linalg.orth([[3.0], [4.0]]).numpy()).round(4)
    array([[0.6],
           [0.8]])
    """
    return _orth(x, rcond=rcond, turned=differentiated(x))
