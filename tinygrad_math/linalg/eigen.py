"""Eigenvalues and eigenvectors, of Hermitian and of general matrices.

First derivatives are computed from the decomposition at hand; what is recorded, to be differentiated again, is
written with the ops of `perturbation`, so that every order is right where eigenvalues coincide.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..core.declare import derived, general
from ..core.errors import ArgumentError, IllPosedDerivative, Undecided
from ..core.op import raw
from ..core.samples import real, sample
from ..core.tensor import as_tensor, rec
from .choices import choice, differentiated, settle
from .perturbation import adapted, gaps, symmetric
from .wellposed import (
    adjoint,
    check_direction,
    check_values,
    check_vectors,
    hermitian,
    named,
    none_tied,
    plain,
    square,
    ties,
)

__all__ = ["EigResult", "EighResult", "eig", "eigh", "eigvals", "eigvalsh"]


class EighResult(NamedTuple):
    """Ascending eigenvalues, and orthonormal eigenvectors in the columns."""

    eigenvalues: Any
    eigenvectors: Any


class EigResult(NamedTuple):
    """Eigenvalues, and eigenvectors of length 1 in the columns."""

    eigenvalues: Any
    eigenvectors: Any


class Lazy:
    """The tangents of a many-valued result, each computed when a later step asks for it.

    So a direction along which the vectors have no derivative still has one for the values.
    """

    def __init__(self, *parts: Callable[[], Any]) -> None:
        self.parts = parts

    def __getitem__(self, k: int) -> Any:
        return self.parts[k]()

    def __len__(self) -> int:
        return len(self.parts)


# -- Hermitian ----------------------------------------------------------------------------------------------


def _hermitian_samples() -> Any:
    return [
        sample(20 * symmetric(3, 3)),
        sample(20 * symmetric(2, 3, 3)),
        sample(20 * symmetric(1, 1)),
        sample(np.zeros((0, 3, 3))),
        sample(np.zeros((0, 0))),
    ]


@general(
    name="eigh",
    many=True,
    latex=r"\operatorname{{eigh}} {0}",
    shape="(..., n), (..., n, n)",
    samples=_hermitian_samples,
)
def _eigh(x: Any, /, turned: bool = False) -> Any:
    """Ascending eigenvalues, and eigenvectors in the columns, of a Hermitian matrix; `turned`: see `choice`."""
    w, v = np.linalg.eigh(hermitian("eigh", x))
    tied = ties(w)
    if turned and (v.dtype.kind == "c" or not none_tied(tied)):
        v = v @ choice(tied, v.dtype)
    return w, v


@_eigh.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, turned: bool) -> Any:
    (gw, gv), (w, v) = g, y
    if xp is raw:
        tied = ties(w)
        if gv is not None and turned and not none_tied(tied):
            raise Undecided(_REFUSED, functools.partial(_settle_eigh, w, v, tied))
        return (_eigh_cotangent(gw, gv, w, v, tied),)
    total = None
    if gw is not None:
        total = xp.eigen_spread(a, a, xp.eigen_alike(a, gw))
    if gv is not None:
        gv = xp.eigen_free(gv, w, v)
        turned = xp.hermitian_part(xp.eigen_rotation(a, xp.matmul(gv, xp.adjoint(v))))
        total = turned if total is None else total + turned
    return (total,)


_REFUSED = (
    "eigenvalues coincide, and at one choice of their vectors it cannot be told whether the function depends on it"
)


def _settle_eigh(w: Any, v: Any, tied: Any, again: Callable[[Any], Any]) -> list[Any]:
    """The cotangent of a matrix with coinciding eigenvalues, from several choices of their vectors."""

    def turned(q: Any) -> Any:
        gw, gv = again((w, v @ q))
        rest = np.zeros_like(v) if gv is None else _eigh_cotangent(None, gv, w, v @ q, tied)
        return np.zeros_like(w) if gw is None else gw, rest

    m, rest = settle("eigenvalues", w, tied, v.dtype, turned)
    return [v @ m @ adjoint(v) + rest]


def _eigh_cotangent(gw: Any, gv: Any, w: Any, v: Any, tied: Any) -> Any:
    """V (diag(gw) + F o (V^H gV)) V^H, made Hermitian (Giles 2008, 3.1)."""
    vh = adjoint(v)
    check_values("eigenvalues", w, gw, tied)
    if gv is None:
        return (v * gw[..., None, :]) @ vh
    m = vh @ gv
    check_vectors("eigenvalues", w, m, tied)
    m = np.where(tied, 0, m / np.where(tied, 1, w[..., None, :] - w[..., :, None]))
    m = (m + adjoint(m)) * 0.5
    if gw is not None:
        i = np.arange(w.shape[-1])
        m[..., i, i] += gw
    return v @ m @ vh


@_eigh.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, turned: bool) -> Any:
    (w, v), t = y, xp.hermitian_part(ts[0])
    if xp is not raw:
        return Lazy(
            lambda: xp.eigen_compress(a, t),
            lambda: xp.matmul(xp.eigen_rotation(xp.eigen_unsplit(a, t), t), v),
        )
    m = adjoint(v) @ t @ v

    def vectors() -> Any:
        check_direction("eigenvalues", w, m)
        return v @ (gaps(w) * m)

    simple = none_tied(ties(w))
    return Lazy(lambda: np.diagonal(m, axis1=-2, axis2=-1).real if simple else adapted(a, t)[1], vectors)


@general(
    name="eigen_free",
    arity=3,
    latex="{0}",
    shape="same as gv",
    samples=lambda: [sample(real(3, 3), np.array([1.0, 2.0, 4.0]), np.linalg.qr(real(3, 3, key=2))[0])],
)
def _eigen_free(gv: Any, w: Any, v: Any, /) -> Any:
    """gv, a cotangent of the eigenvectors v, if it does not depend on their choice."""
    check_vectors("eigenvalues", w, adjoint(v) @ gv)
    return np.array(gv)  # not a view: a compiler may take views before the check


@_eigen_free.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, gv: Any, w: Any, v: Any) -> Any:
    return g, None, None


@_eigen_free.defjvp
def _(xp: Any, ts: Any, y: Any, gv: Any, w: Any, v: Any) -> Any:
    return ts[0]


@derived
def eigh(x: Any, /, UPLO: str | None = None) -> EighResult:
    """Eigenvalues (ascending) and orthonormal eigenvectors (columns) of a symmetric or Hermitian matrix.

    Arguments: x (..., n, n), real or complex, taken as (x + x^H) / 2; `UPLO` "L" or "U" reads one triangle only.
    Returns EighResult(eigenvalues (..., n), eigenvectors (..., n, n)).
    Raises ShapeError; MatrixError (unsymmetric, NaN); from derivatives IllPosedDerivative: where eigenvalues
    coincide, for functions that depend on the choice of the vectors or treat the values differently.
    Derivative: dw = diag(V^H dA V), dV = V (F o (V^H dA V)) with F_ij = 1 / (w_j - w_i), 0 inside eigenspaces and
    on the diagonal, so the phase of each vector is held; the gradient is Hermitian. Giles (2008), 3.1.

    >>> import tinygrad_math as tm
    >>> tm.linalg.eigh([[2.0, 1.0], [1.0, 2.0]]).eigenvalues
    tensor([1., 3.])
    """
    x = _triangle(x, UPLO)
    return EighResult(*_eigh(x, turned=differentiated(x)))


@derived
def eigvalsh(x: Any, /, UPLO: str | None = None) -> Any:
    """The eigenvalues, ascending, of a symmetric or Hermitian matrix.

    Arguments and errors as for `eigh`. Derivative: dw = diag(V^H dA V); at coinciding eigenvalues the gradient of
    functions that treat them alike, and in forward mode the one-sided derivative along the direction (the
    eigenvalues of dA inside the eigenspace; Magnus 1985).

    >>> import tinygrad_math as tm
    >>> tm.linalg.eigvalsh([[2.0, 1.0], [1.0, 2.0]])
    tensor([1., 3.])
    """
    x = _triangle(x, UPLO)
    return _eigh(x)[0] if differentiated(x) else _eigvalsh(x)  # the gradient needs the vectors


def _triangle(x: Any, uplo: str | None) -> Any:
    if uplo is None:
        return x
    if uplo.upper() not in ("L", "U"):
        raise ArgumentError(f"UPLO is 'L' or 'U', the triangle to read, got {uplo!r}")
    x = as_tensor(x)
    n = square("eigh", x.node.data).shape[-1]
    strict = np.tri(n, k=-1) if uplo.upper() == "L" else np.tri(n, k=-1).T
    half = x * strict.astype(x.dtype)
    return half + rec.adjoint(half) + rec.real(x) * np.eye(n, dtype=rec.real(x).dtype)


@general(name="eigvalsh", latex=r"\lambda({0})", shape="(..., n)", samples=_hermitian_samples)
def _eigvalsh(x: Any, /) -> Any:
    """Ascending eigenvalues of a Hermitian matrix."""
    return np.linalg.eigvalsh(hermitian("eigvalsh", x))


@_eigvalsh.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any) -> Any:
    return (xp.eigen_spread(a, a, xp.eigen_alike(a, g)),)


@_eigvalsh.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any) -> Any:
    return xp.eigen_compress(a, xp.hermitian_part(ts[0]))


# -- general ------------------------------------------------------------------------------------------------


def _general_samples() -> Any:
    spaced = np.diag([1.0, 3.0, 6.0])
    return [
        sample(spaced + 0.3 * real(3, 3)),
        sample(spaced + 0.3 * real(2, 3, 3, key=1)),
        sample(np.array([[2.0]])),
        sample(np.zeros((0, 2, 2))),
    ]


@general(
    name="eig", many=True, latex=r"\operatorname{{eig}} {0}", shape="(..., n), (..., n, n)", samples=_general_samples
)
def _eig(x: Any, /, turned: bool = False) -> Any:
    """Eigenvalues, and eigenvectors of length 1 in the columns; `turned`: see `choice`."""
    w, v = np.linalg.eig(square("eig", x))
    tied = _same(w)
    if turned and (v.dtype.kind == "c" or not none_tied(tied)):
        v = v @ choice(tied, v.dtype)
        v = v / np.linalg.norm(v, axis=-2, keepdims=True)
    return w, v


@_eig.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, turned: bool) -> Any:
    (gw, gv), (w, v) = g, y
    vh = xp.adjoint(v)
    tied = _clusters(plain(w), plain(v))
    inner = None
    if gv is not None:
        m = xp.matmul(vh, gv)
        along = xp.real(xp.diagonal(m, axis1=-2, axis2=-1))  # the length stays 1: no cotangent along v
        m = m - xp.matmul(vh, v) * xp.expand_dims(along, -2)
        _check_general(plain(w), tied, plain(m), plain(gv))
        inner = m * xp.conj(xp.eig_gaps(w))
    if gw is not None:
        check_values("eigenvalues", plain(w), plain(gw), tied)
        diagonal = xp.expand_dims(gw, -1) * np.eye(w.shape[-1], dtype=gw.dtype)
        inner = diagonal if inner is None else inner + diagonal
    return (xp.solve(vh, xp.matmul(inner, vh)),)


@_eig.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, turned: bool) -> Any:
    w, v = y
    tied = _clusters(plain(w), plain(v))
    m = xp.solve(v, xp.matmul(ts[0] + xp.zeros_like(v), v))
    check = functools.partial(check_direction, "eigenvalues", plain(w), plain(m), tied)

    def values() -> Any:
        check()
        return xp.diagonal(m, axis1=-2, axis2=-1)

    def vectors() -> Any:
        check()
        t = xp.matmul(v, m * xp.eig_gaps(w))
        return t - v * xp.expand_dims(xp.sum(xp.real(xp.conj(v) * t), axis=-2), -2)

    return Lazy(values, vectors)


def _clusters(w: Any, v: Any) -> Any:
    """Which eigenvalues coincide; raises where eigenvectors do too, so that there is no basis of them."""
    if not w.size:
        return np.zeros((*w.shape, w.shape[-1]), bool)
    weakest = np.linalg.svd(v, compute_uv=False)[..., -1]
    if (weakest < np.sqrt(8 * w.shape[-1] * np.finfo(w.dtype).eps)).any():
        at = np.unravel_index(int(weakest.argmin()), weakest.shape)
        raise IllPosedDerivative(
            f"eig: the matrix is defective: its eigenvectors are dependent (smallest singular value "
            f"{weakest.min():.3g}), with eigenvalues {', '.join(f'{z:.6g}' for z in w[at][:6])}, "
            "which have no derivative there. Use a function that has one, as trace, det or expm."
        )
    return _same(w)


def _same(w: Any) -> Any:
    """Which values, in any order and complex, coincide to rounding."""
    bound = 8 * w.shape[-1] * np.finfo(w.dtype).eps * np.abs(w).max(axis=-1, initial=0.0)
    return np.abs(w[..., :, None] - w[..., None, :]) <= bound[..., None, None]


def _check_general(w: Any, tied: Any, m: Any, gv: Any) -> None:
    """A cotangent of eigenvectors must not see their choice: m = V^H gV vanishes within a block, up to its phases.

    Any basis of the block serves, not only the unitary ones, so more is asked than of a Hermitian matrix.
    """
    alone = np.eye(w.shape[-1], dtype=bool)
    inside = np.where(tied & ~alone, np.abs(m), 0)
    larger = np.maximum(inside, np.swapaxes(inside, -1, -2))
    turning = np.triu(larger) - np.tril(larger) + 1j * np.where(alone, m.imag, 0)
    check_vectors("eigenvalues", w, turning, tied, np.abs(gv).max(initial=0.0))


@general(
    name="eig_gaps",
    latex=r"\operatorname{{gaps}}({0})",
    shape="(..., n, n)",
    samples=lambda: [sample(np.array([1.0, 3.0, 6.0])), sample(np.array([1.0, 3j, 6.0]))],
)
def _eig_gaps(w: Any, /) -> Any:
    """F_ij = 1 / (w_j - w_i), and 0 between values that coincide."""
    tied = _same(w)
    return np.where(tied, 0, 1 / np.where(tied, 1, w[..., None, :] - w[..., :, None])).astype(w.dtype)


@_eig_gaps.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, w: Any) -> Any:
    _refuse_second(plain(w))
    m = g * xp.conj(y * y)
    return (xp.sum(m, axis=-1) - xp.sum(m, axis=-2),)


@_eig_gaps.defjvp
def _(xp: Any, ts: Any, y: Any, w: Any) -> Any:
    _refuse_second(plain(w))
    return y * y * (xp.expand_dims(ts[0], -1) - xp.expand_dims(ts[0], -2))


def _refuse_second(w: Any) -> None:
    tied = _same(w)
    if not none_tied(tied):
        raise IllPosedDerivative(
            f"the eigenvalues {named(w, tied, tied & ~np.eye(w.shape[-1], dtype=bool))} of a general matrix coincide: "
            "a second derivative cannot be read off its decomposition. Use eigh if the matrix is Hermitian."
        )


@derived
def eig(x: Any, /) -> EigResult:
    """Eigenvalues and eigenvectors (columns, of length 1) of a square matrix, complex unless all are real.

    Arguments: x (..., n, n). Returns EigResult(eigenvalues (..., n), eigenvectors (..., n, n)).
    Raises ShapeError, MatrixError (NaN); from derivatives IllPosedDerivative (defective matrices, functions of
    phases, of the choice within coinciding eigenvalues, or of these one by one).
    Derivative: with m = V^-1 dA V, dw = diag(m) and dV = V (F o m), F_ij = 1 / (w_j - w_i), then each column
    without its part along itself, so that it keeps length and phase. Giles (2008), 3.1; Boeddeker et al. (2017).

    >>> import tinygrad_math as tm
    >>> tm.linalg.eig([[0.0, 3.0], [2.0, 1.0]]).eigenvalues
    tensor([-2.,  3.])
    """
    return EigResult(*_eig(x, turned=differentiated(x)))


@derived
def eigvals(x: Any, /) -> Any:
    """The eigenvalues of a square matrix, complex unless all are real. As `eig`, without the vectors.

    >>> import tinygrad_math as tm
    >>> tm.linalg.eigvals([[0.0, 3.0], [2.0, 1.0]])
    tensor([-2.,  3.])
    """
    return _eig(x)[0]
