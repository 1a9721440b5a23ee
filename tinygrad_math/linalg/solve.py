"""Linear systems: solve, inv, triangular systems, pseudoinverse and least squares."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..core.declare import derived, general
from ..core.errors import IllPosedDerivative, ShapeError, describe
from ..core.op import raw
from ..core.samples import complexes, real, sample
from ..core.tensor import as_tensor, rec
from .choices import differentiated
from .singular import svdvals
from .wellposed import adjoint, finite, floating, frobenius, lapack, plain, refuse_singular, row_sizes, square

__all__ = ["LstsqResult", "inv", "lstsq", "pinv", "solve", "solve_triangular"]


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
    size = row_sizes(a)[..., None]
    small = frobenius(b / size)
    refuse_singular("solve", a, frobenius(a / size) * frobenius(x) / np.where(small == 0, 1, small))


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
    shape="(n, n), (n,) -> (n,), with the LU factors",
    samples=lambda: [sample(regular(3, 3), real(3), smooth=False)],
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
    return -xp.expand_dims(z, -1) * xp.conj(y[0]) if need[0] else None, z


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
    if differentiated(x1) and x1.ndim == 2 and np.shape(x2) == x1.shape[:1] and x1.dtype == as_tensor(x2).dtype:
        return _solve_factored(x1, x2)[0]
    return _solve(x1, x2)


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
    from scipy.linalg import solve_triangular as one

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
            out[k] = one(left[k], right[k], trans, lower, unit_diagonal, check_finite=False)
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


# -- pseudoinverse and least squares ------------------------------------------------------------------------


def cutoff(s: Any, shape: tuple[int, ...], rcond: Any) -> Any:
    """Singular values at or below it count as zero. `rcond` is a number, or one for each matrix of a batch."""
    relative = max(shape[-2:]) * np.finfo(s.dtype).eps if rcond is None else np.asarray(plain(rcond))[..., None]
    return np.asarray(relative * s.max(axis=-1, keepdims=True, initial=0.0), s.dtype)


def constant_rank(name: str, a: Any, rcond: float | None, moved: Any = None) -> None:
    """Raise IllPosedDerivative where the rank would not stay as it is, so that the pseudoinverse jumps.

    At full rank it stays. Below, only with `rcond` given: small singular values then stay zero by decree.
    """
    s = np.linalg.svd(a, compute_uv=False)
    dropped = s <= cutoff(s, a.shape, rcond)
    if not dropped.any():
        return
    rest = np.where(dropped, s, 0)
    if rcond is not None and np.all(rest <= cutoff(s, a.shape, None)):
        return
    at = tuple(int(i) for i in np.argwhere(dropped)[0][:-1])
    values = ", ".join(f"{v:.6g}" for v in s[at][-6:])
    if rcond is not None:
        raise IllPosedDerivative(
            f"{name}: rcond={rcond} drops singular values that are not zero (singular values {values}), and the "
            "derivative at constant rank is not that of the truncated matrix. Lower rcond, or use svd."
        )
    raise IllPosedDerivative(
        f"{name}({describe(a)}) below full rank (singular values {values}): the pseudoinverse jumps when the rank "
        "grows, so it has no derivative. With rcond= (say 1e-10) such values stay zero, and the derivative at constant "
        "rank (Golub and Pereyra 1973) is right; or add a ridge."
    )


def _pinv_samples() -> Any:
    tall = real(4, 2) + 2 * np.eye(4, 2)
    return [
        sample(tall),
        sample(tall.T),
        sample(regular(3, 3)),
        sample(np.stack([tall, tall[::-1]])),
        sample(np.zeros((0, 3, 2))),
        sample(complexes(3, 2)),
        sample(complexes(2, 3)),
    ]


@general(name="pinv", latex="{0}^{{+}}", shape="(..., m, n) -> (..., n, m)", samples=_pinv_samples)
def pinv(x: Any, /, rcond: float | None = None, *, rtol: float | None = None) -> Any:
    """The pseudoinverse: the inverse on the row space, zero on the rest.

    Arguments: x (..., m, n); singular values up to `rcond` (or `rtol`) times the largest count as zero, by default
    max(m, n) times the precision. Returns (..., n, m). Raises ShapeError, MatrixError (NaN); from derivatives
    IllPosedDerivative below full rank, where the pseudoinverse is not continuous, unless `rcond` is given.
    Derivative, with P = A^+: dP = -P dA P + P P^H dA^H (1 - A P) + (1 - P A) dA^H P^H P.
    Golub and Pereyra (1973), 4.12.

    >>> import tinygrad_math as tm
    >>> tm.linalg.pinv([[2.0], [0.0]])
    tensor([[0.5, 0. ]])
    """
    a = floating("pinv", x)
    rcond = rtol if rcond is None else rcond
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    kept = s > cutoff(s, a.shape, rcond)
    inverse = np.where(kept, 1 / np.where(kept, s, 1), 0).astype(s.dtype)
    return adjoint(vh) @ (inverse[..., None] * adjoint(u))


@pinv.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, rcond: Any, rtol: Any) -> Any:
    constant_rank("pinv", plain(a), rtol if rcond is None else rcond)
    m, n = a.shape[-2:]
    p, ph, gh = y, xp.adjoint(y), xp.adjoint(g)
    out = -xp.matmul(xp.matmul(ph, g), ph)
    if m > n or rcond is not None or rtol is not None:  # (1 - A P) G^H P P^H
        left = xp.matmul(gh, xp.matmul(p, ph))
        out = out + left - xp.matmul(a, xp.matmul(p, left))
    if n > m or rcond is not None or rtol is not None:  # P^H P G^H (1 - P A)
        right = xp.matmul(xp.matmul(ph, p), gh)
        out = out + right - xp.matmul(xp.matmul(right, p), a)
    return (out,)


@pinv.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, rcond: Any, rtol: Any) -> Any:
    constant_rank("pinv", plain(a), rtol if rcond is None else rcond)
    m, n = a.shape[-2:]
    p, ph, t = y, xp.adjoint(y), ts[0]
    th = xp.adjoint(t)
    out = -xp.matmul(xp.matmul(p, t), p)
    if m > n or rcond is not None or rtol is not None:
        left = xp.matmul(xp.matmul(p, ph), th)
        out = out + left - xp.matmul(xp.matmul(left, a), p)
    if n > m or rcond is not None or rtol is not None:
        right = xp.matmul(th, xp.matmul(ph, p))
        out = out + right - xp.matmul(p, xp.matmul(a, right))
    return out


class LstsqResult(NamedTuple):
    """The solution, its squared residuals, the rank, and the singular values."""

    x: Any
    residuals: Any
    rank: Any
    s: Any


@derived
def lstsq(a: Any, b: Any, /, rcond: float | None = None) -> LstsqResult:
    """The x that minimises |a x - b|, of smallest length if there are many.

    Arguments: a (..., m, n); b (m,) or (..., m, k); singular values up to `rcond` times the largest count as zero.
    Returns LstsqResult(x, residuals, rank, s), as NumPy: the squared lengths of b - a x for each column (empty
    unless m > n = rank), the rank (an integer) and the singular values.
    Raises ShapeError; from derivatives IllPosedDerivative below full rank unless `rcond` is given, as `pinv`.
    Derivative: that of pinv(a) @ b. Golub and Pereyra (1973).

    >>> import tinygrad_math as tm
    >>> tm.linalg.lstsq([[1.0, 0.0], [0.0, 1.0], [2.0, 3.0]], [1.0, 1.0, 1.0]).x.numpy().round(4)
    array([0.4286, 0.1429])
    """
    a, b = as_tensor(a), as_tensor(b)
    m, n = floating("lstsq", a.node.data).shape[-2:]
    vector = b.ndim == 1
    if b.ndim == 0 or b.shape[0 if vector else -2] != m:
        raise ShapeError(f"lstsq({describe(a)}, {describe(b)}): the right side needs {m} rows")
    x = rec.matmul(pinv(a, rcond=rcond), b)
    values = np.asarray(floating("lstsq", a.node.data))
    s = np.linalg.svd(values, compute_uv=False)
    rank = np.sum(s > cutoff(s, values.shape, rcond), axis=-1)
    if m > n and np.all(rank == n):
        rest = rec.square(rec.abs(b - rec.matmul(a, x)))
        residuals = rec.sum(rest, axis=-1 if vector else -2, keepdims=vector)
    else:
        residuals = as_tensor(np.zeros((*x.shape[: -1 if vector else -2], 0), values.real.dtype))
    return LstsqResult(x, residuals, as_tensor(rank), svdvals(a))
