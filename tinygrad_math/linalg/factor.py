"""Triangular factorisations: Cholesky, QR, LU."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..core.declare import derived, general, helper
from ..core.errors import ArgumentError, IllPosedDerivative, MatrixError, describe
from ..core.samples import complexes, real, sample
from ..core.tensor import Tensor, as_tensor, rec
from .choices import choice, differentiated
from .perturbation import symmetric
from .wellposed import adjoint, floating, hermitian, plain, tolerance

__all__ = ["LUResult", "QRResult", "cholesky", "lu", "qr"]


class QRResult(NamedTuple):
    """Q with orthonormal columns and R upper triangular."""

    Q: Tensor
    R: Tensor


class LUResult(NamedTuple):
    """A permutation P, L lower triangular with ones on its diagonal, U upper triangular."""

    P: Tensor
    L: Tensor
    U: Tensor


@helper("lower")
def lower(xp: Any, m: Any, k: int = 0) -> Any:
    """The lower triangle, up to the k-th diagonal."""
    return xp.where(np.tri(m.shape[-2], m.shape[-1], k, dtype=bool), m, 0)


@helper("half_lower")
def half_lower(xp: Any, m: Any) -> Any:
    """The lower triangle with half of the real diagonal: p + p^H is then Hermitian with m's lower triangle."""
    n = m.shape[-1]
    strict = xp.where(np.tri(n, k=-1, dtype=bool), m, 0)
    diagonal = xp.real(m) if m.dtype.kind == "c" else m
    return strict + xp.where(np.eye(n, dtype=bool), 0.5 * diagonal, 0)


# -- Cholesky -----------------------------------------------------------------------------------------------


def _definite(*shape: int, key: Any = 0, of: Any = real) -> Any:
    return 10 * (symmetric(*shape, key=key, of=of) + 6 * np.eye(shape[-1]))


def _definite_samples() -> Any:
    return [
        sample(_definite(3, 3)),
        sample(_definite(2, 3, 3)),
        sample(_definite(1, 1)),
        sample(np.zeros((0, 2, 2))),
        sample(_definite(3, 3, of=complexes)),
    ]


@general(name="cholesky", latex=r"\operatorname{{chol}} {0}", shape="(..., n, n)", samples=_definite_samples)
def _cholesky(x: Any, /) -> Any:
    """The lower triangular L with L L^H = x."""
    a = hermitian("cholesky", x)
    try:
        return np.linalg.cholesky(a)
    except np.linalg.LinAlgError as error:
        w = np.linalg.eigvalsh(a)
        raise MatrixError(
            f"cholesky({describe(a)}) needs a positive definite matrix, but its smallest eigenvalue is {w.min():.6g}; "
            "add a multiple of the identity, or use eigh"
        ) from error


@_cholesky.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any) -> Any:
    p = xp.half_lower(xp.matmul(xp.adjoint(y), g))
    z = xp.solve_triangular(y, xp.hermitian_part(p), trans=2, lower=True)
    return (xp.adjoint(xp.solve_triangular(y, xp.adjoint(z), trans=2, lower=True)),)


@_cholesky.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any) -> Any:
    z = xp.solve_triangular(y, xp.hermitian_part(ts[0]), lower=True)
    return xp.matmul(y, xp.half_lower(xp.adjoint(xp.solve_triangular(y, xp.adjoint(z), lower=True))))


@derived
def cholesky(x: Any, /, *, upper: bool = False) -> Any:
    """The lower triangular L with positive diagonal and L L^H = x, or with `upper` its conjugate transpose.

    Arguments: x (..., n, n) symmetric (Hermitian) positive definite, taken as (x + x^H) / 2.
    Raises ShapeError, MatrixError (NaN, not symmetric, not positive definite).
    Derivative: dL = L phi(L^-1 dA L^-H), phi the lower triangle with half of the diagonal; the gradient is
    Hermitian. Murray, Differentiation of the Cholesky decomposition (2016).

    >>> import tinygrad_math as tm
    >>> tm.linalg.cholesky([[4.0, 2.0], [2.0, 2.0]])
    tensor([[2., 0.],
            [1., 1.]])
    """
    y = _cholesky(x)
    return rec.adjoint(y) if upper else y


# -- QR -----------------------------------------------------------------------------------------------------


def _qr_samples() -> Any:
    tall = real(4, 2) + 2 * np.eye(4, 2)
    return [
        sample(tall),
        sample(real(3, 3) + 3 * np.eye(3)),
        sample(real(2, 4) + 2 * np.eye(2, 4)),
        sample(np.stack([tall, tall[::-1]])),
        sample(np.array([[-2.0]])),
        sample(np.zeros((0, 3, 2))),
        sample(real(3, 3) + 3 * np.eye(3), mode="complete"),
        sample(complexes(3, 2)),
        sample(complexes(2, 3)),
    ]


@general(name="qr", many=True, latex=r"\operatorname{{qr}} {0}", shape="(..., m, k), (..., k, n)", samples=_qr_samples)
def _qr(x: Any, /, *, mode: Any = "reduced", turned: bool = False) -> Any:
    """Q with orthonormal columns and upper triangular R with real diagonal, x = Q R; `turned`: see `choice`."""
    q, r = np.linalg.qr(floating("qr", x), mode=mode)
    k = min(r.shape[-2:])
    if turned and q.shape[-1] > k:
        rest = q[..., k:]
        q = np.concatenate([q[..., :k], rest @ choice(np.ones((rest.shape[-1],) * 2, bool), q.dtype)], axis=-1)
    return q, r


def _leading(r: Any, k: int) -> Any:
    """The square part of R, where the first k columns of the matrix are independent."""
    square_ = r[..., :k, :k]
    d = np.abs(np.diagonal(plain(square_), axis1=-2, axis2=-1))
    if d.size and (d.min(axis=-1) <= 4 * max(r.shape[-2:]) * np.finfo(d.dtype).eps * d.max(axis=-1)).any():
        raise IllPosedDerivative(
            f"qr: the first {k} columns are dependent (smallest diagonal element of R {d.min():.3g}, largest "
            f"{d.max():.3g}), so Q is not determined and has no derivative there. Use svd, or a projector by pinv."
        )
    return square_


@_qr.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, mode: str, turned: bool) -> Any:
    (gq, gr), (q, r) = g, y
    m, n = a.shape[-2:]
    k = min(m, n)
    r1 = _leading(r, k)
    q1 = q[..., :k]
    gq1 = xp.zeros_like(q1) if gq is None else gq[..., :k]
    if gq is not None and q.shape[-1] > k:  # mode "complete": dQ2 = -Q1 (Q2^H dQ1)^H
        q2, gq2 = q[..., k:], gq[..., k:]
        _check_completion(plain(q2), plain(gq2))
        gq1 = gq1 - xp.matmul(q2, xp.matmul(xp.adjoint(gq2), q1))
    rest = None
    if n > k:  # x = [X Y]: Q and R1 are those of X, and R2 = Q^H Y
        rest = a[..., k:]
        gr2 = None if gr is None else gr[..., :k, k:]
        if gr2 is not None:
            gq1 = gq1 + xp.matmul(rest, xp.adjoint(gr2))
    inner = -xp.matmul(xp.adjoint(gq1), q1)
    if gr is not None:
        inner = inner + xp.matmul(r1, xp.adjoint(gr[..., :k, :k]))
    p = xp.half_lower(inner)
    ga = gq1 + xp.matmul(q1, p + xp.adjoint(p))
    ga = xp.adjoint(xp.solve_triangular(r1, xp.adjoint(ga)))
    if rest is None:
        return (ga,)
    gy = xp.zeros_like(rest) if gr is None else xp.matmul(q1, gr[..., :k, k:])
    return (xp.concat([ga, gy], axis=-1),)


def _check_completion(q2: Any, g2: Any) -> None:
    c = adjoint(q2) @ g2
    if c.size and np.abs(c - adjoint(c)).max() > 2 * tolerance(c.dtype) * np.abs(g2).max():
        raise IllPosedDerivative(
            "qr: the columns of Q that complete the basis are an arbitrary basis of a null space, and the function "
            "depends on that choice. Use the projector onto it, or mode='reduced'."
        )


@_qr.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, mode: str, turned: bool) -> Any:
    (q, r), t = y, ts[0]
    m, n = a.shape[-2:]
    k = min(m, n)
    r1, q1 = _leading(r, k), q[..., :k]
    c = xp.adjoint(xp.solve_triangular(r1, xp.adjoint(t[..., :k]), trans=2))  # dX R1^-1
    w = xp.matmul(xp.adjoint(q1), c)
    low = xp.lower(w, -1)
    turn = low - xp.adjoint(low)  # Q1^H dQ1, antihermitian
    if a.dtype.kind == "c":
        turn = turn + xp.where(np.eye(k, dtype=bool), 1j * xp.imag(w), 0)
    grown = w - turn
    tq, tr = c - xp.matmul(q1, grown), xp.matmul(grown, r1)
    if n > k:
        tr2 = xp.matmul(xp.adjoint(tq), a[..., k:]) + xp.matmul(xp.adjoint(q1), t[..., k:])
        tr = xp.concat([tr, tr2], axis=-1)
    if q.shape[-1] > k:
        q2 = q[..., k:]
        tq = xp.concat([tq, -xp.matmul(q1, xp.matmul(xp.adjoint(tq), q2))], axis=-1)
        tr = xp.concat([tr, xp.zeros_like(r[..., k:, :])], axis=-2)
    return tq, tr


@derived
def qr(x: Any, /, *, mode: str = "reduced") -> Any:
    """x = Q R, with orthonormal columns of Q and R upper triangular with a real diagonal.

    Arguments: x (..., m, n); `mode` "reduced" (Q (..., m, k), R (..., k, n), k = min(m, n)), "complete" (Q square)
    or "r" (R alone). Returns QRResult(Q, R), or R.
    Raises ShapeError, ArgumentError, MatrixError (NaN); from derivatives IllPosedDerivative where the first k columns
    are dependent, or a function depends on the columns that complete Q.
    Derivative: with W = Q^H dA R^-1, Q^H dQ is the antihermitian matrix with W's lower triangle, dR = (W - Q^H dQ) R.
    Walter and Lehmann (2010); Roberts and Roberts, QR and LQ decomposition matrix backpropagation (2020), for wide x.

    >>> import tinygrad_math as tm
    >>> abs(tm.linalg.qr([[3.0, 1.0], [4.0, 2.0]]).R.numpy()).round(4)
    array([[5. , 2.2],
           [0. , 0.4]])
    """
    if mode not in ("reduced", "complete", "r"):
        raise ArgumentError(f"qr: mode is 'reduced', 'complete' or 'r' (what has a derivative), got {mode!r}")
    q, r = _qr(x, mode="reduced" if mode == "r" else mode, turned=differentiated(x))
    return r if mode == "r" else QRResult(q, r)


# -- LU -----------------------------------------------------------------------------------------------------


def _lu_samples() -> Any:
    tall = real(4, 2) + 2 * np.eye(4, 2)
    return [
        sample(real(3, 3)),
        sample(tall),
        sample(tall.T),
        sample(real(2, 3, 3)),
        sample(np.array([[-2.0]])),
        sample(np.zeros((0, 2, 2))),
        sample(complexes(3, 3)),
    ]


@general(
    name="lu",
    many=True,
    latex=r"\operatorname{{lu}} {0}",
    shape="(..., m, m), (..., m, k), (..., k, n)",
    samples=_lu_samples,
)
def _lu(x: Any, /) -> Any:
    """The permutation P, unit lower L and upper U with x = P L U."""
    from scipy.linalg import lu as one

    a = floating("lu", x)
    m, n = a.shape[-2:]
    k = min(m, n)
    p, l, u = (
        np.zeros((*a.shape[:-2], *s), d) for s, d in (((m, m), a.real.dtype), ((m, k), a.dtype), ((k, n), a.dtype))
    )
    if a.size:
        for i in np.ndindex(a.shape[:-2]):
            p[i], l[i], u[i] = one(a[i], check_finite=False)
    return p, l, u


def _pivots(u: Any, k: int) -> Any:
    """The square part of U, where the leading block of the matrix is not singular."""
    square_ = u[..., :k, :k]
    d = np.abs(np.diagonal(plain(square_), axis1=-2, axis2=-1))
    if d.size and (d.min(axis=-1) <= k * np.finfo(d.dtype).eps * d.max(axis=-1)).any():
        raise IllPosedDerivative(
            f"lu: a pivot is {d.min():.3g} (the largest {d.max():.3g}), so the factors are not determined and have no "
            "derivative. Use svd or qr."
        )
    return square_


@_lu.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any) -> Any:
    (_, gl, gu), (p, l, u) = g, y
    m, n = a.shape[-2:]
    k = min(m, n)
    u1, l1 = _pivots(u, k), l[..., :k, :]
    gl = xp.zeros_like(l) if gl is None else gl
    gu = xp.zeros_like(u) if gu is None else gu
    gl1, gu1 = gl[..., :k, :], gu[..., :k]
    parts: list[Any] = [None, None]
    if m > k:  # L2 = A2 U1^-1
        parts[0] = xp.adjoint(xp.solve_triangular(u1, xp.adjoint(gl[..., k:, :])))
        gu1 = gu1 - xp.matmul(xp.adjoint(l[..., k:, :]), parts[0])
    if n > k:  # U2 = L1^-1 A2
        parts[1] = xp.solve_triangular(l1, gu[..., k:], trans=2, lower=True, unit_diagonal=True)
        gl1 = gl1 - xp.matmul(parts[1], xp.adjoint(u[..., k:]))
    inner = xp.lower(xp.matmul(xp.adjoint(l1), gl1), -1)
    upper = xp.matmul(gu1, xp.adjoint(u1))
    inner = inner + upper - xp.lower(upper, -1)
    z = xp.solve_triangular(l1, inner, trans=2, lower=True, unit_diagonal=True)
    ga = xp.adjoint(xp.solve_triangular(u1, xp.adjoint(z)))
    if parts[0] is not None:
        ga = xp.concat([ga, parts[0]], axis=-2)
    if parts[1] is not None:
        ga = xp.concat([ga, parts[1]], axis=-1)
    return (xp.matmul(p, ga),)


@_lu.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any) -> Any:
    p, l, u = y
    m, n = a.shape[-2:]
    k = min(m, n)
    u1, l1 = _pivots(u, k), l[..., :k, :]
    t = xp.matmul(xp.matrix_transpose(p), ts[0])

    def right(x: Any) -> Any:  # x U1^-1
        return xp.adjoint(xp.solve_triangular(u1, xp.adjoint(x), trans=2))

    def left(x: Any) -> Any:  # L1^-1 x
        return xp.solve_triangular(l1, x, lower=True, unit_diagonal=True)

    f = right(left(t[..., :k, :k]))
    low = xp.lower(f, -1)
    tl, tu = xp.matmul(l1, low), xp.matmul(f - low, u1)
    if m > k:
        tl = xp.concat([tl, right(t[..., k:, :] - xp.matmul(l[..., k:, :], tu))], axis=-2)
    if n > k:
        tu = xp.concat([tu, left(t[..., k:] - xp.matmul(tl, u[..., k:]))], axis=-1)
    return None, tl, tu


@derived
def lu(x: Any, /, permute_l: bool = False, *, p_indices: bool = False) -> Any:
    """x = P L U: a permutation matrix, a lower triangle with ones on its diagonal, and an upper triangle.

    Arguments: x (..., m, n); `permute_l` gives the pair (P L, U), `p_indices` in the place of P the rows of L U that
    are x's. Returns LUResult(P (..., m, m), L (..., m, k), U (..., k, n)), with k = min(m, n); P is constant.
    Raises ShapeError, MatrixError (NaN); from derivatives IllPosedDerivative where a pivot is 0.
    Derivative: with F = L^-1 P^T dA U^-1, dL = L lower(F) and dU = upper(F) U.
    de Hoog, Anderssen and Lukas, Differentiation of matrix functionals using triangular factorization (2011).

    >>> import tinygrad_math as tm
    >>> tm.linalg.lu([[2.0, 1.0], [4.0, 4.0]]).U
    tensor([[ 4.,  4.],
            [ 0., -1.]])
    """
    p, l, u = _lu(as_tensor(x))
    if permute_l:
        return rec.matmul(p, l), u
    return LUResult(rec.argmax(p, axis=-1) if p_indices else p, l, u)
