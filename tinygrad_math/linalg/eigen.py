"""Eigenvalues and eigenvectors of Hermitian matrices.

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
from ..core.tensor import Tensor, as_tensor, rec
from .choices import choice, differentiated, settle
from .perturbation import adapted, gaps, symmetric
from .wellposed import (
    adjoint,
    check_direction,
    check_values,
    check_vectors,
    hermitian,
    none_tied,
    square,
    ties,
)

__all__ = ["EighResult", "eigh", "eigvalsh"]


class EighResult(NamedTuple):
    """Ascending eigenvalues, and orthonormal eigenvectors in the columns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class Lazy:
    """The tangents of a many-valued result, each computed when a later step asks for it."""

    def __init__(self, *parts: Callable[[], Any]) -> None:
        self.parts = parts

    def __getitem__(self, k: int) -> Any:
        return self.parts[k]()

    def __len__(self) -> int:
        return len(self.parts)


class Missing:
    """A tangent that does not exist, of vectors along a direction that splits their eigenspace: using it raises why.

    So the eigenvalues still have one, which may be all that is used.
    """

    def __init__(self, reason: IllPosedDerivative, like: Any) -> None:
        self.reason, self.shape, self.dtype, self.ndim = reason, like.shape, like.dtype, like.ndim

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise self.reason

    __array_priority__ = 2000.0  # before arrays and Tensors
    __array__ = __array_ufunc__ = __array_function__ = __getitem__ = __neg__ = swapaxes = _refuse
    __add__ = __sub__ = __mul__ = __truediv__ = __matmul__ = __pow__ = _refuse
    __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rmatmul__ = __rpow__ = _refuse


def unless_missing(like: Any, tangent: Callable[[], Any]) -> Any:
    """The tangent, or what stands for it where it does not exist."""
    try:
        return tangent()
    except IllPosedDerivative as reason:
        return Missing(reason, like)


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
        if turned and not none_tied(tied):
            raise Undecided(_REFUSED, functools.partial(_settle_eigh, w, v, tied))
        return (_eigh_cotangent(gw, gv, w, v, tied),)
    total = None
    if gw is not None:
        total = xp.eigen_spread(a, a, xp.eigen_alike(a, gw), v)
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
            lambda: xp.eigen_compress(a, t, v),
            lambda: unless_missing(v, lambda: xp.matmul(xp.eigen_rotation(xp.eigen_unsplit(a, t), t), v)),
        )
    m = adjoint(v) @ t @ v

    def vectors() -> Any:
        check_direction("eigenvalues", w, m)
        return v @ (gaps(w) * m)

    simple = none_tied(ties(w))
    return Lazy(
        lambda: np.diagonal(m, axis1=-2, axis2=-1).real if simple else adapted(a, t)[1],
        lambda: unless_missing(v, vectors),
    )


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
    coincide, for functions that depend on the choice of the vectors or treat the values differently. Projectors,
    V f(w) V^H and symmetric functions of w are right there. What is to be differentiated gets another basis of such
    an eigenspace (and other phases) than LAPACK's, so that a dependence on the choice shows.
    Derivative: dw = diag(V^H dA V), dV = V (F o (V^H dA V)) with F_ij = 1 / (w_j - w_i), 0 inside eigenspaces and
    on the diagonal, so the phase of each vector is held; the gradient is Hermitian. Giles (2008), 3.1.

    >>> import tinygrad_math as tm
    >>> tm.linalg.eigh([[2.0, 1.0], [1.0, 2.0]]).eigenvalues
    tensor([1., 3.])
    """
    x = one_triangle("eigh", x, UPLO)
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
    return eigh(x, UPLO).eigenvalues


def one_triangle(asker: str, x: Any, uplo: str | None) -> Any:
    """The Hermitian matrix of which x holds one triangle; x itself for None."""
    if uplo is None:
        return x
    if not isinstance(uplo, str) or uplo.upper() not in ("L", "U"):
        raise ArgumentError(f"UPLO is 'L' or 'U', the triangle to read, got {uplo!r:.60}")
    x = as_tensor(x)
    n = square(asker, x.node.data).shape[-1]
    strict = np.tri(n, k=-1) if uplo.upper() == "L" else np.tri(n, k=-1).T
    half = x * strict.astype(x.dtype)
    return half + rec.adjoint(half) + rec.real(x) * np.eye(n, dtype=rec.real(x).dtype)
