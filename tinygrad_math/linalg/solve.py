"""Linear systems: solve, inv, triangular systems."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.declare import derived, general
from ..core.errors import ArgumentError, ShapeError, describe
from ..core.op import raw
from ..core.samples import complexes, real, sample
from ..core.tensor import as_tensor
from .choices import differentiated
from .wellposed import doubtful, finite, frobenius, lapack, refuse_singular, row_sizes, square

__all__ = ["inv", "solve", "solve_triangular"]


def regular(*shape: int, key: Any = 0, of: Any = real) -> Any:
    """A well conditioned matrix to test on."""
    return of(*shape, key=key) + 4 * np.eye(shape[-1])


@general(
    name="solve",
    arity=2,
    latex="{0}^{{-1}} {1}",
    shape="(..., n, n), (..., n, k) or (n,) -> like b",
    samples=lambda: [
        sample(regular(3, 3), real(3)),
        sample(regular(3, 3), real(3, 2)),
        sample(regular(2, 3, 3), real(3, 2)),
        sample(regular(3, 3), real(2, 3, 1)),
        sample(regular(2, 3, 3), real(3)),
        sample(regular(2, 1, 3, 3), real(4, 3, 2)),
        sample(regular(1, 1), real(1)),
        sample(np.zeros((0, 2, 2)), real(2, 1)),
        sample(regular(3, 3), np.zeros((3, 0))),
        sample(regular(3, 3, of=complexes), complexes(3, 2)),
        sample(regular(3, 3), complexes(3, 2)),
    ],
)
def _solve(x1: Any, x2: Any, /) -> Any:
    """The x with x1 @ x = x2."""
    a, b = square("solve", x1), finite("solve", x2)
    if b.ndim == 0 or b.shape[0 if b.ndim == 1 else -2] != a.shape[-1]:
        raise ShapeError(f"solve({describe(a)}, {describe(b)}): the right side needs {a.shape[-1]} rows")
    x = np.linalg.solve(a, b)
    _refuse_growth(a, b, x)
    return x


def _refuse_growth(a: Any, b: Any, x: Any) -> None:
    """Raise SingularMatrix where x is so much longer than b that a must be singular."""
    if b.ndim == 1:
        b, x = b[:, None], x[..., None]

    def growth(a: Any, b: Any) -> Any:
        small = frobenius(b)
        return frobenius(a) * frobenius(x) / np.where(small == 0, 1, small)

    if doubtful(a, lambda: growth(a, b)):
        size = row_sizes(a)[..., None]
        refuse_singular("solve", a, growth(a / size, b / size))


@_solve.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, b: Any) -> Any:
    if b.ndim != 1:
        z = xp.solve(xp.adjoint(a), g)
        return -xp.matmul(z, xp.adjoint(y)) if need[0] else None, z
    z = xp.solve(xp.adjoint(a), xp.expand_dims(g, -1))
    return -xp.matmul(z, xp.adjoint(xp.expand_dims(y, -1))) if need[0] else None, z[..., 0]


@_solve.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, b: Any) -> Any:
    ta, tb = ts
    if ta is None:
        return xp.solve(a, tb)
    moved = xp.matmul(ta, xp.expand_dims(y, -1))[..., 0] if b.ndim == 1 else xp.matmul(ta, y)
    right = -moved if tb is None else tb - moved
    if b.ndim == 1 and a.ndim > 2:
        return xp.solve(a, xp.expand_dims(right, -1))[..., 0]
    return xp.solve(a, right)


def _square_samples() -> Any:
    return [
        sample(regular(3, 3)),
        sample(regular(2, 3, 3)),
        sample(regular(1, 1)),
        sample(np.zeros((0, 2, 2))),
        sample(np.zeros((0, 0))),
        sample(regular(3, 3, of=complexes)),
    ]


@general(
    name="solve_factored",
    many=True,
    arity=2,
    latex="{0}^{{-1}} {1}",
    shape="(n, n), (n,) or (n, k) -> like b, with the LU factors",
    samples=lambda: [sample(regular(3, 3), real(3), smooth=False), sample(regular(3, 3), real(3, 2), smooth=False)],
)
def _solve_factored(a: Any, b: Any, /) -> Any:
    """The x with a @ x = b, and the LU factors of a, which its derivative uses again."""
    a, b = square("solve", a), finite("solve", b)
    lu, pivots, singular = lapack("getrf", a)(a)
    if singular:
        raise np.linalg.LinAlgError("Singular matrix")
    x = lapack("getrs", a)(lu, pivots, b)[0]
    _refuse_growth(a, b, x)
    return x, lu, pivots


@_solve_factored.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, b: Any) -> Any:
    z = lapack("getrs", y[1])(y[1], y[2], g[0], trans=2)[0] if xp is raw else xp.solve(xp.adjoint(a), g[0])
    if not need[0]:
        return None, z
    if b.ndim == 1:
        return -xp.expand_dims(z, -1) * xp.conj(y[0]), z
    return -xp.matmul(z, xp.adjoint(y[0])), z


@_solve_factored.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, b: Any) -> Any:
    ta, right = ts
    if ta is not None:
        moved = xp.matmul(ta, y[0])
        right = -moved if right is None else right - moved
    return xp.solve(a, right), None, None


@derived
def solve(x1: Any, x2: Any, /) -> Any:
    """The x with x1 @ x = x2.

    Arguments: x1 (..., n, n); x2 (n,), one vector for all systems, or (..., n, k). Returns x, shaped like x2.
    Raises ShapeError, SingularMatrix, MatrixError (NaN).
    Derivative: dx = A^-1 (db - dA x); cotangents z = A^-H g of b and -z x^H of A. Giles (2008), 2.3.1.

    >>> import tinygrad_math as tm
    >>> tm.linalg.solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 2.0])
    tensor([1. , 0.5])
    """
    b = as_tensor(x2)
    one = differentiated(x1) and x1.ndim == 2 and x1.shape[0] == x1.shape[1] > 0
    if one and b.ndim in (1, 2) and b.size and b.shape[0] == x1.shape[0] and b.dtype == x1.dtype:
        return _solve_factored(x1, b)[0]
    return _solve(x1, b)


@general(latex="{0}^{{-1}}", shape="(..., n, n)", samples=_square_samples)
def inv(x: Any, /) -> Any:
    """The inverse of a square matrix.

    Raises ShapeError, SingularMatrix, MatrixError (NaN).
    Derivative: d(A^-1) = -A^-1 dA A^-1; cotangent -A^-H g A^-H. Giles (2008), 2.2.3.

    >>> import tinygrad_math as tm
    >>> tm.linalg.inv([[2.0, 0.0], [0.0, 4.0]])
    tensor([[0.5 , 0.  ],
            [0.  , 0.25]])
    """
    a = square("inv", x)
    y = np.linalg.inv(a)
    if doubtful(a, lambda: frobenius(a) * frobenius(y)):
        size = row_sizes(a)
        refuse_singular("inv", a, frobenius(a / size[..., None]) * frobenius(y * size[..., None, :]))
    return y


@inv.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any) -> Any:
    z = xp.adjoint(y)
    return (-xp.matmul(xp.matmul(z, g), z),)


@inv.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any) -> Any:
    return -xp.matmul(xp.matmul(y, ts[0]), y)


# -- triangular systems -------------------------------------------------------------------------------------


def triangle(a: Any, lower: bool, unit: bool) -> Any:
    """A mask of the elements that a triangular system reads."""
    n = a.shape[-1]
    mask = np.tri(n, k=-1 if unit else 0, dtype=bool)
    return mask if lower else mask.T


@general(
    arity=2,
    latex="{0}^{{-1}} {1}",
    shape="(..., n, n), (..., n, k) or (n,) -> like b",
    samples=lambda: [
        sample(regular(3, 3), real(3)),
        sample(regular(3, 3), real(3, 2), lower=True),
        sample(regular(3, 3), real(3, 2), trans=1),
        sample(regular(3, 3), real(3, 2), lower=True, unit_diagonal=True),
        sample(regular(2, 3, 3), real(3, 2), trans=1, lower=True),
        sample(regular(2, 3, 3), real(3)),
        sample(regular(3, 3, of=complexes), complexes(3, 2), trans=2),
        sample(regular(3, 3, of=complexes), complexes(3), trans=1),
        sample(np.zeros((0, 2, 2)), real(2, 1)),
    ],
)
def solve_triangular(a: Any, b: Any, /, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False) -> Any:
    """The x with T x = b, T the upper (or `lower`) triangle of a; the other triangle is not read.

    Arguments: a (..., n, n); b (n,) or (..., n, k); `trans` 0 or "N" for T, 1 or "T" for its transpose, 2 or "C"
    for its conjugate transpose; `unit_diagonal` takes the diagonal as ones.
    Raises ShapeError, SingularMatrix (a zero on the diagonal), MatrixError (NaN).
    Derivative as of `solve`, on the triangle that is read. Giles (2008), 2.3.1.

    >>> import tinygrad_math as tm
    >>> tm.linalg.solve_triangular([[2.0, 1.0], [0.0, 4.0]], [4.0, 8.0])
    tensor([1., 2.])
    """
    import scipy.linalg

    one: Any = scipy.linalg.solve_triangular
    if not isinstance(trans, (int, str)) or trans not in (0, 1, 2, "N", "T", "C"):
        raise ArgumentError(f"solve_triangular: trans is 0 or 'N', 1 or 'T', 2 or 'C', got {describe(trans)}")
    a, b = square("solve_triangular", a), finite("solve_triangular", b)
    n = a.shape[-1]
    if b.ndim == 0 or b.shape[0 if b.ndim == 1 else -2] != n:
        raise ShapeError(f"solve_triangular({describe(a)}, {describe(b)}): the right side needs {n} rows")
    wide = b[:, None] if b.ndim == 1 else b
    batch = np.broadcast_shapes(a.shape[:-2], wide.shape[:-2])
    out = np.empty((*batch, *wide.shape[-2:]), np.result_type(a, b))
    left, right = np.broadcast_to(a, (*batch, n, n)), np.broadcast_to(wide, out.shape)
    if out.size:
        for k in np.ndindex(batch):
            out[k] = one(left[k], right[k], trans, bool(lower), bool(unit_diagonal), check_finite=False)
    return out[..., 0] if b.ndim == 1 else out


@solve_triangular.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, b: Any, trans: Any, lower: bool, unit_diagonal: bool) -> Any:
    vector = b.ndim == 1
    if vector:
        g, y = xp.expand_dims(g, -1), xp.expand_dims(y, -1)
    trans = {"N": 0, "T": 1, "C": 2}.get(trans, trans)
    if trans == 1:  # A^T x = b: the adjoint system is conj(A) z = g
        z = xp.conj(xp.solve_triangular(a, xp.conj(g), lower=lower, unit_diagonal=unit_diagonal))
        ga = xp.matmul(xp.conj(y), xp.matrix_transpose(z)) if need[0] else None
    elif trans == 2:
        z = xp.solve_triangular(a, g, lower=lower, unit_diagonal=unit_diagonal)
        ga = xp.matmul(y, xp.adjoint(z)) if need[0] else None
    else:
        z = xp.solve_triangular(a, g, trans=2, lower=lower, unit_diagonal=unit_diagonal)
        ga = xp.matmul(z, xp.adjoint(y)) if need[0] else None
    if ga is not None:
        ga = -xp.where(triangle(a, lower, unit_diagonal), ga, 0)
    return ga, z[..., 0] if vector else z


@solve_triangular.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, b: Any, trans: Any, lower: bool, unit_diagonal: bool) -> Any:
    ta, tb = ts
    vector = b.ndim == 1
    right = None if tb is None else xp.expand_dims(tb, -1) if vector else tb
    if ta is not None:
        t = xp.where(triangle(a, lower, unit_diagonal), ta, 0)
        turned = {1: xp.matrix_transpose, "T": xp.matrix_transpose, 2: xp.adjoint, "C": xp.adjoint}.get(trans)
        moved = xp.matmul(turned(t) if turned else t, xp.expand_dims(y, -1) if vector else y)
        right = -moved if right is None else right - moved
    out = xp.solve_triangular(a, right, trans=trans, lower=lower, unit_diagonal=unit_diagonal)
    return out[..., 0] if vector else out
