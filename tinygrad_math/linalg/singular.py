"""The singular value decomposition, and what is made of it.

A is seen through the Hermitian matrix H = [[0, A], [A^H, 0]], whose eigenvectors are (u, v) / sqrt(2) for s and
(u, -v) / sqrt(2) for -s. So the ops of `perturbation` give the derivatives, of every order, also where singular
values coincide; where they are distinct and not zero, first derivatives are computed directly.

Sources: Townsend, Differentiating the singular value decomposition (2016); Jordan's and Wielandt's matrix H in
Golub and Van Loan, Matrix computations (2013), 8.6.1.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from ..core.declare import derived, general, helper
from ..core.errors import IllPosedDerivative, Undecided
from ..core.op import raw
from ..core.samples import real, sample
from ..core.tensor import Tensor
from .choices import choice, differentiated, settle
from .eigen import Lazy, one_triangle, unless_missing
from .wellposed import (
    adjoint,
    check_values,
    check_vectors,
    floating,
    none_tied,
    plain,
    ties,
    tolerance,
)

__all__ = ["SVDResult", "svd", "svdvals"]


class SVDResult(NamedTuple):
    """Orthonormal columns of U, descending S, and orthonormal rows of Vh."""

    U: Tensor
    S: Tensor
    Vh: Tensor


@helper("dilate")
def dilate(xp: Any, a: Any) -> Any:
    """[[0, a], [a^H, 0]]."""
    m, n = a.shape[-2:]
    batch = a.shape[:-2]
    top = xp.concat([np.zeros((*batch, m, m), a.dtype), a], axis=-1)
    return xp.concat([top, xp.concat([xp.adjoint(a), np.zeros((*batch, n, n), a.dtype)], axis=-1)], axis=-2)


def corner(m: int, h: Any) -> Any:
    """The part of a Hermitian cotangent of the dilation that belongs to a."""
    return 2 * h[..., :m, m:]


def vanishing(s: Any, shape: tuple[int, ...]) -> Any:
    """Which singular values vanish to rounding."""
    return s <= 4 * max(shape[-2:]) * np.finfo(s.dtype).eps * s.max(axis=-1, keepdims=True, initial=0.0)


def _plain_case(s: Any, shape: tuple[int, ...]) -> bool:
    """Whether the singular values are distinct and none is zero."""
    return none_tied(ties(s)) and not vanishing(s, shape).any()


def _samples() -> Any:
    tall = 3 * np.eye(4, 3) * [3, 2, 1] + real(4, 3)
    return [
        sample(tall, full_matrices=False),
        sample(tall.T, full_matrices=False),
        sample(tall[:3], full_matrices=True),
        sample(np.stack([tall, 2 * tall[::-1]]), full_matrices=False),
        sample(np.array([[2.0]]), full_matrices=False),
        sample(np.zeros((0, 2, 3)), full_matrices=False),
    ]


@general(
    name="svd",
    many=True,
    latex=r"\operatorname{{svd}} {0}",
    shape="U (..., m, k), s (..., k), Vh (..., k, n), k = min(m, n)",
    samples=_samples,
)
def _svd(x: Any, /, *, full_matrices: bool = True, turned: bool = False) -> Any:
    """x = U diag(s) Vh with orthonormal columns of U and rows of Vh, s descending; `turned`: see `choice`."""
    a = floating("svd", x)
    u, s, vh = np.linalg.svd(a, full_matrices=full_matrices)
    return _turned(a, u, s, vh) if turned else (u, s, vh)


def _turned(a: Any, u: Any, s: Any, vh: Any) -> Any:
    """Another choice of the singular vectors: common for those of a value, separate in the two null spaces."""
    k, zero = s.shape[-1], vanishing(s, a.shape)
    longest = max(u.shape[-1], vh.shape[-2])
    values = np.concatenate([np.where(zero, 0, s), np.zeros((*s.shape[:-1], longest - k), s.dtype)], axis=-1)
    tied = ties(values)
    if none_tied(tied) and u.dtype.kind != "c":
        return u, s, vh
    null = tied & (values == 0)[..., None]
    common = choice(tied & ~null, u.dtype)
    left, right = (
        common[..., :p, :p] @ choice(null[..., :p, :p], u.dtype, key)
        for p, key in ((u.shape[-1], 1), (vh.shape[-2], 2))
    )
    return u @ left, s, adjoint(right) @ vh


@_svd.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, full_matrices: bool, turned: bool) -> Any:
    gu, gs, gvh = g
    u, s, vh = y
    gv = None if gvh is None else xp.adjoint(gvh)
    v = xp.adjoint(vh)
    if xp is raw and not vanishing(s, a.shape).any():
        tied = ties(s)
        if turned and not none_tied(tied):
            raise Undecided(_REFUSED, functools.partial(_settle_svd, u, s, v, tied))
        return (_svd_cotangent(gu, gs, gv, u, s, v, tied),)
    if xp is raw and gu is None and gv is None:
        return (_values_cotangent(gs, u, s, vh),)
    k, m = s.shape[-1], a.shape[-2]
    h, total = xp.dilate(a), None
    if gs is not None:
        weights = xp.eigen_alike(h, _both_signs(xp, gs, sum(a.shape[-2:])))
        total = xp.eigen_spread(h, h, weights, _frame(xp, u, v, k))
    if gu is not None or gv is not None:
        gu = xp.zeros_like(u) if gu is None else gu
        gv = xp.zeros_like(v) if gv is None else gv
        _check_frames(*map(plain, (gu, xp.zeros_like(s) if gs is None else gs, gv, u, s, v)))
        r = xp.matmul(
            xp.concat([gu[..., :k], gv[..., :k]], axis=-2), xp.adjoint(xp.concat([u[..., :k], v[..., :k]], axis=-2))
        )
        if u.shape[-1] > k:
            r = r + _placed(xp, xp.matmul(gu[..., k:], xp.adjoint(u[..., k:])), 0, r.shape)
        if v.shape[-1] > k:
            r = r + _placed(xp, xp.matmul(gv[..., k:], xp.adjoint(v[..., k:])), m, r.shape)
        turned = xp.hermitian_part(xp.eigen_rotation(h, r))
        total = turned if total is None else total + turned
    return (corner(m, total),)


_REFUSED = (
    "singular values coincide, and at one choice of their vectors it cannot be told whether the function depends on it"
)


def _settle_svd(u: Any, s: Any, v: Any, tied: Any, again: Any) -> list[Any]:
    """The cotangent of a matrix with coinciding singular values, none zero, from several choices of their vectors."""
    k = s.shape[-1]

    def turned(q: Any) -> Any:
        u1, v1 = (np.concatenate([x[..., :k] @ q, x[..., k:]], axis=-1) for x in (u, v))
        gu, gs, gvh = again((u1, s, adjoint(v1)))
        gv = None if gvh is None else adjoint(gvh)
        rest = _svd_cotangent(gu, None, gv, u1, s, v1, tied)
        return np.zeros_like(s) if gs is None else gs, rest

    m, rest = settle("singular values", s, tied, u.dtype, turned)
    return [u[..., :k] @ m @ adjoint(v[..., :k]) + rest]


def _frame(xp: Any, u: Any, v: Any, k: int) -> Any:
    """The eigenvectors of the dilation, for -s ascending, 0 and s; those for 0 are left out, as zeros."""
    u, v = (x[..., :k] * 0.5**0.5 for x in (u, v))
    size = u.shape[-2] + v.shape[-2]
    plus, minus = xp.concat([u, v], axis=-2), xp.concat([u, -v], axis=-2)
    return xp.concat([minus, np.zeros((*u.shape[:-2], size, size - 2 * k), u.dtype), plus[..., ::-1]], axis=-1)


def _placed(xp: Any, block: Any, start: int, shape: tuple[int, ...]) -> Any:
    """A square block on the diagonal of zeros."""
    rows = np.eye(shape[-1], dtype=block.dtype)[start : start + block.shape[-1]]
    return xp.matmul(xp.matmul(rows.T, block), rows)


def _both_signs(xp: Any, gs: Any, n: int) -> Any:
    """A cotangent of the singular values as one of the eigenvalues -s, 0, s of the dilation."""
    middle = np.zeros((*gs.shape[:-1], n - 2 * gs.shape[-1]), gs.dtype)
    return xp.concat([-0.5 * gs, middle, 0.5 * gs[..., ::-1]], axis=-1)


def _check_frames(gu: Any, gs: Any, gv: Any, u: Any, s: Any, v: Any) -> None:
    """The cotangent of U and V must not depend on their choice: on common rotations of coinciding singular vectors,
    and on separate ones of those that belong to zero or complete the basis."""
    k = s.shape[-1]
    cu, cv = adjoint(u) @ gu, adjoint(v) @ gv
    check_vectors("singular values", s, cu[..., :k, :k] + cv[..., :k, :k])
    zero = vanishing(s, (u.shape[-2], v.shape[-2]))
    _check_zero(gs, zero)
    size = max(np.abs(cu).max(initial=0.0), np.abs(cv).max(initial=0.0))
    for g, c, x in ((gu, cu, u), (gv, cv, v)):
        completing = np.ones((*zero.shape[:-1], x.shape[-1] - k), bool)
        null = np.concatenate([zero, completing], axis=-1)
        _check_null(np.where(null[..., :, None] & null[..., None, :], c, 0), size)
        if zero.any() and x.shape[-1] == k:  # the null space goes on outside of a thin frame
            outside = (g - x @ c) * zero[..., None, :]
            if np.abs(outside).max() > tolerance(s.dtype) * size:
                _refuse_zero()


def _check_null(c: Any, size: float) -> None:
    if c.size and np.abs(c - adjoint(c)).max() > 2 * tolerance(c.dtype) * size:
        raise IllPosedDerivative(
            "svd: singular vectors of the value 0, or those that complete the basis (full_matrices=True), are an "
            "arbitrary basis of a null space, and the function depends on that choice. Use the projector onto it, or "
            "full_matrices=False."
        )


def _check_zero(gs: Any, zero: Any) -> None:
    """A singular value at 0 moves as an absolute value does, so its cotangent must be 0."""
    if gs is not None and (zero & (np.abs(gs) > tolerance(gs.dtype) * np.abs(gs).max(initial=0.0))).any():
        _refuse_zero()


def _refuse_zero() -> None:
    raise IllPosedDerivative(
        "svd: the function uses a singular value 0, or vectors that belong to it, which have no derivative "
        "(the value moves as an absolute value does). Use a function of the matrix that does not, as a norm or pinv."
    )


def _values_cotangent(g: Any, u: Any, s: Any, vh: Any) -> Any:
    """U diag(g) V^H, for a cotangent g of the singular values alone."""
    k = s.shape[-1]
    check_values("singular values", s, g)
    _check_zero(g, vanishing(s, (u.shape[-2], vh.shape[-1])))
    return (u[..., :k] * g[..., None, :]) @ vh[..., :k, :]


def _svd_cotangent(gu: Any, gs: Any, gv: Any, u: Any, s: Any, v: Any, tied: Any) -> Any:
    """Townsend (2016), for singular values of which none is zero.

    With X = U^H dU and Y = V^H dV, U^H dA V = X S + dS - S Y splits into (X + Y)_ij (s_j - s_i) and
    (X - Y)_ij (s_j + s_i), the Hermitian and antihermitian parts; outside the frames dU = (1 - U U^H) dA V / s.
    """
    k = s.shape[-1]
    u1, v1 = u[..., :k], v[..., :k]
    uh, vh = adjoint(u1), adjoint(v1)
    inner = np.zeros((*s.shape, k), u.dtype)
    left, right = u1, vh
    outside = []
    if gu is not None or gv is not None:
        cu = uh @ gu[..., :k] if gu is not None else inner
        cv = vh @ gv[..., :k] if gv is not None else inner
        check_vectors("singular values", s, cu + cv, tied)
        difference = np.where(tied, 1, s[..., None, :] - s[..., :, None])
        q = np.where(tied, 0, (cu + cv) / difference)
        t = (cu - cv) / (s[..., None, :] + s[..., :, None])
        inner = 0.5 * (q + adjoint(q) + t - adjoint(t))
        if gu is not None and u.shape[-2] > k:
            if u.shape[-1] > k:
                u2, g2 = u[..., k:], gu[..., k:]
                _check_null(adjoint(u2) @ g2, np.abs(gu).max())
                beyond = u2 @ (adjoint(u2) @ gu[..., :k] - adjoint(uh @ g2))
            else:
                beyond = gu - u1 @ cu
            outside.append((beyond / s[..., None, :]) @ vh)
        if gv is not None and v.shape[-2] > k:
            if v.shape[-1] > k:
                v2, g2 = v[..., k:], gv[..., k:]
                _check_null(adjoint(v2) @ g2, np.abs(gv).max())
                beyond = v2 @ (adjoint(v2) @ gv[..., :k] - adjoint(vh @ g2))
            else:
                beyond = gv - v1 @ cv
            outside.append(u1 @ adjoint(beyond / s[..., None, :]))
    if gs is not None:
        check_values("singular values", s, gs, tied)
        i = np.arange(k)
        inner[..., i, i] += gs
    out = left @ inner @ right
    for part in outside:
        out = out + part
    return out


@_svd.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, full_matrices: bool, turned: bool) -> Any:
    u, s, vh = y
    v, k, m, t = xp.adjoint(vh), s.shape[-1], a.shape[-2], ts[0]
    if xp is raw and _plain_case(s, a.shape):
        du, ds, dv = _svd_tangent(t, u, s, v)
        return Lazy(lambda: du, lambda: ds, lambda: adjoint(dv))
    h, th = xp.dilate(a), xp.dilate(t)

    @functools.cache
    def frames() -> Any:
        turn = xp.eigen_rotation(xp.eigen_unsplit(h, th), th)
        both = xp.matmul(turn, xp.concat([u[..., :k], v[..., :k]], axis=-2))
        du, dv = both[..., :m, :], both[..., m:, :]
        if u.shape[-1] > k:
            du = xp.concat([du, xp.matmul(turn[..., :m, :m], u[..., k:])], axis=-1)
        if v.shape[-1] > k:
            dv = xp.concat([dv, xp.matmul(turn[..., m:, m:], v[..., k:])], axis=-1)
        return du, dv

    return Lazy(
        lambda: unless_missing(u, lambda: frames()[0]),
        lambda: xp.eigen_compress(h, th, _frame(xp, u, v, k))[..., ::-1][..., :k],
        lambda: unless_missing(vh, lambda: xp.adjoint(frames()[1])),
    )


def _svd_tangent(t: Any, u: Any, s: Any, v: Any) -> Any:
    """The same in forward mode."""
    k = s.shape[-1]
    u1, v1 = u[..., :k], v[..., :k]
    d = adjoint(u1) @ t @ v1
    dh, tied = adjoint(d), np.eye(k, dtype=bool)
    plus = np.where(tied, 0, (d + dh) / np.where(tied, 1, s[..., None, :] - s[..., :, None]))
    minus = (d - dh) / (s[..., None, :] + s[..., :, None])
    du = u1 @ (0.5 * (plus + minus)) + _beyond(t @ v1, u, u1) / s[..., None, :]
    dv = v1 @ (0.5 * (plus - minus)) + _beyond(adjoint(t) @ u1, v, v1) / s[..., None, :]
    if u.shape[-1] > k:
        du = np.concatenate([du, -u1 @ (adjoint(du) @ u[..., k:])], axis=-1)
    if v.shape[-1] > k:
        dv = np.concatenate([dv, -v1 @ (adjoint(dv) @ v[..., k:])], axis=-1)
    return du, np.diagonal(d, axis1=-2, axis2=-1).real, dv


def _beyond(x: Any, u: Any, u1: Any) -> Any:
    """The part of x outside the frame u1."""
    return x - u1 @ (adjoint(u1) @ x) if u.shape[-2] > u1.shape[-1] else np.zeros_like(x)


@derived
def svd(x: Any, /, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """The singular value decomposition x = U diag(S) Vh.

    Arguments: x (..., m, n), real or complex; `full_matrices`: U and Vh square, else thin, k = min(m, n);
    `compute_uv=False` as NumPy's: S alone; `hermitian`: x is Hermitian, and its lower triangle alone is read.
    Returns SVDResult(U (..., m, k or m), S (..., k) descending, Vh (..., k or n, n)).
    Raises ShapeError, MatrixError (NaN); from derivatives IllPosedDerivative: for functions of the arbitrary
    choice of vectors (phases, coinciding values, the completing columns) and of singular values at 0. What is to be
    differentiated gets another choice than LAPACK's, so that a dependence on it shows.
    Derivative: dS = Re diag(U^H dA V); see `singular.py` for the frames. Townsend (2016).

    >>> import tinygrad_math as tm
    >>> tm.linalg.svd([[3.0, 0.0], [0.0, 4.0]]).S
    tensor([4., 3.])
    """
    x = one_triangle("svd", x, "L") if hermitian else x
    result = SVDResult(*_svd(x, full_matrices=full_matrices, turned=differentiated(x)))
    return result if compute_uv else result.S


@derived
def svdvals(x: Any, /) -> Any:
    """The singular values of a matrix, descending.

    Derivative: dS = Re diag(U^H dA V), under the conditions of `svd`; in forward mode at coinciding values the
    one-sided derivative along the direction.

    >>> import tinygrad_math as tm
    >>> tm.linalg.svdvals([[3.0, 0.0], [0.0, 4.0]])
    tensor([4., 3.])
    """
    return svd(x, full_matrices=False).S
