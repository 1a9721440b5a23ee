"""The pseudoinverse and least squares, at full rank and at a rank that is held."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..core.declare import derived, general
from ..core.errors import ArgumentError, IllPosedDerivative, ShapeError, describe
from ..core.samples import complexes, real, sample
from ..core.tensor import Tensor, as_tensor, rec
from .eigen import one_triangle
from .singular import svdvals
from .solve import regular
from .wellposed import adjoint, floating, plain

__all__ = ["LstsqResult", "lstsq", "pinv"]


def cutoff(s: Any, shape: tuple[int, ...], rcond: Any) -> Any:
    """Singular values at or below it count as zero. `rcond` is a number, or one for each matrix of a batch."""
    relative = max(shape[-2:]) * np.finfo(s.dtype).eps if rcond is None else np.asarray(plain(rcond))[..., None]
    if np.isnan(relative).any():
        raise ArgumentError("rcond is the share of the largest singular value up to which others count as 0; got NaN")
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
def _pinv(x: Any, /, rcond: float | None = None) -> Any:
    """The pseudoinverse; singular values up to `rcond` times the largest count as zero."""
    a = floating("pinv", x)
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    kept = s > cutoff(s, a.shape, rcond)
    inverse = np.where(kept, 1 / np.where(kept, s, 1), 0).astype(s.dtype)
    return adjoint(vh) @ (inverse[..., None] * adjoint(u))


@_pinv.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, rcond: Any) -> Any:
    constant_rank("pinv", plain(a), rcond)
    m, n = a.shape[-2:]
    p, ph, gh = y, xp.adjoint(y), xp.adjoint(g)
    out = -xp.matmul(xp.matmul(ph, g), ph)
    if m > n or rcond is not None:  # (1 - A P) G^H P P^H
        left = xp.matmul(gh, xp.matmul(p, ph))
        out = out + left - xp.matmul(a, xp.matmul(p, left))
    if n > m or rcond is not None:  # P^H P G^H (1 - P A)
        right = xp.matmul(xp.matmul(ph, p), gh)
        out = out + right - xp.matmul(xp.matmul(right, p), a)
    return (out,)


@_pinv.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, rcond: Any) -> Any:
    constant_rank("pinv", plain(a), rcond)
    m, n = a.shape[-2:]
    p, ph, t = y, xp.adjoint(y), ts[0]
    th = xp.adjoint(t)
    out = -xp.matmul(xp.matmul(p, t), p)
    if m > n or rcond is not None:
        left = xp.matmul(xp.matmul(p, ph), th)
        out = out + left - xp.matmul(xp.matmul(left, a), p)
    if n > m or rcond is not None:
        right = xp.matmul(th, xp.matmul(ph, p))
        out = out + right - xp.matmul(p, xp.matmul(a, right))
    return out


@derived
def pinv(x: Any, /, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """The pseudoinverse: the inverse on the row space, zero on the rest.

    Arguments: x (..., m, n); singular values up to `rcond` (or `rtol`) times the largest count as zero, by default
    max(m, n) times the precision, one number or one for each matrix; `hermitian`: x is Hermitian, and its lower
    triangle alone is read. Returns (..., n, m). Raises ShapeError, MatrixError (NaN); from derivatives
    IllPosedDerivative below full rank, where the pseudoinverse is not continuous, unless `rcond` is given.
    Derivative, with P = A^+: dP = -P dA P + P P^H dA^H (1 - A P) + (1 - P A) dA^H P^H P.
    Golub and Pereyra (1973), 4.12.

    >>> import tinygrad_math as tm
    >>> tm.linalg.pinv([[2.0], [0.0]])
    tensor([[0.5, 0. ]])
    """
    return _pinv(one_triangle("pinv", x, "L") if hermitian else x, rcond=rtol if rcond is None else rcond)


def _share(rcond: Any, kind: Any) -> Any:
    """The rcond of lstsq, which LAPACK takes for the precision where it is not above 0."""
    value = np.asarray(plain(rcond))
    if value.dtype.kind not in "iuf" or not np.all(value < 1):
        raise ArgumentError(f"lstsq: rcond is a share of the largest singular value, below 1, got {describe(rcond)}")
    return np.where(value > 0, value, np.finfo(kind).eps / 2)[()]


class LstsqResult(NamedTuple):
    """The solution, its squared residuals, the rank, and the singular values."""

    x: Tensor
    residuals: Tensor
    rank: Tensor
    s: Tensor


@derived
def lstsq(a: Any, b: Any, /, rcond: float | None = None) -> LstsqResult:
    """The x that minimises |a x - b|, of smallest length if there are many.

    Arguments: a (..., m, n); b (m,) or (..., m, k); singular values up to `rcond` times the largest count as zero, by
    default max(m, n) times the precision, and the precision itself where it is 0 or negative, as LAPACK has it.
    Returns LstsqResult(x, residuals, rank, s), as NumPy: the squared lengths of b - a x for each column (empty
    unless m > n = rank), the rank (an integer) and the singular values.
    Raises ShapeError, ArgumentError for an `rcond` of 1 or more, of which nothing would be left (NumPy takes the
    precision then); from derivatives IllPosedDerivative below full rank unless `rcond` is given, as `pinv`.
    Derivative: that of pinv(a) @ b. Golub and Pereyra (1973).

    >>> import tinygrad_math as tm
    >>> tm.linalg.lstsq([[1.0, 0.0], [0.0, 1.0], [2.0, 3.0]], [1.0, 1.0, 1.0]).x.numpy().round(4)
    array([0.4286, 0.1429])
    """
    a, b = as_tensor(a), as_tensor(b)
    kind = np.result_type(floating("lstsq", a.node.data), b.dtype if b.dtype.kind in "fc" else np.float64)
    a, b = (v if v.dtype == kind else rec.astype(v, kind) for v in (a, b))
    m, n = a.shape[-2:]
    vector = b.ndim == 1
    if b.ndim == 0 or b.shape[0 if vector else -2] != m:
        raise ShapeError(f"lstsq({describe(a)}, {describe(b)}): the right side needs {m} rows")
    rcond = None if rcond is None else _share(rcond, svdvals(a).dtype)
    x = rec.matmul(pinv(a, rcond=rcond), b)
    rank, s = rec.astype(rec.matrix_rank(a, rtol=rcond), np.int32), svdvals(a)
    if m > n:
        rest = rec.square(rec.abs(b - rec.matmul(a, x)))
        residuals = known_residuals(rec.sum(rest, axis=-1 if vector else -2, keepdims=vector), rank, columns=n)
    else:
        residuals = as_tensor(np.zeros((*x.shape[: -1 if vector else -2], 0), s.dtype))
    return LstsqResult(x, residuals, rank, s)


@general(
    arity=2,
    shape="(..., k) -> (..., k) or (..., 0)",
    samples=lambda: [sample(real(3), np.array(2), columns=2), sample(real(2, 1), np.array([2, 2]), columns=2)],
)
def known_residuals(residuals: Any, rank: Any, /, *, columns: int) -> Any:
    """The residuals of a least-squares problem, which NumPy states for full rank only: otherwise none."""
    return residuals if np.all(np.asarray(rank) == columns) else residuals[..., :0]


@known_residuals.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, residuals: Any, rank: Any, columns: int) -> Any:
    return g if y.shape == residuals.shape else xp.zeros_like(residuals), None


@known_residuals.defjvp
def _(xp: Any, ts: Any, y: Any, residuals: Any, rank: Any, columns: int) -> Any:
    return None if ts[0] is None else ts[0] if y.shape == residuals.shape else xp.zeros_like(y)
