"""Eigenvalues and eigenvectors of general square matrices."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from ..core.declare import derived, general
from ..core.errors import IllPosedDerivative
from ..core.samples import real, sample
from ..core.tensor import Tensor
from .choices import choice, differentiated
from .eigen import Lazy
from .wellposed import check_direction, check_values, check_vectors, named, none_tied, plain, square

__all__ = ["EigResult", "eig", "eigvals"]


class EigResult(NamedTuple):
    """Eigenvalues, and eigenvectors of length 1 in the columns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


def _general_samples() -> Any:
    spaced = np.diag([1.0, 3.0, 6.0])
    return [
        sample(spaced + 0.3 * real(3, 3)),
        sample(spaced + 0.3 * real(2, 3, 3, key=1)),
        sample(np.array([[2.0]])),
        sample(np.zeros((0, 2, 2))),
    ]


def eigenpairs(x: Any) -> tuple[Any, Any]:
    """NumPy's, real where x and all eigenvalues are: from 2.5 on it gives complex numbers for these too."""
    w, v = np.linalg.eig(x)
    if x.dtype.kind != "c" and w.dtype.kind == "c" and not w.imag.any():
        return w.real.copy(), v.real.copy()
    return w, v


@general(
    name="eig", many=True, latex=r"\operatorname{{eig}} {0}", shape="(..., n), (..., n, n)", samples=_general_samples
)
def _eig(x: Any, /, turned: bool = False) -> Any:
    """Eigenvalues, and eigenvectors of length 1 in the columns; `turned`: see `choice`."""
    w, v = eigenpairs(square("eig", x))
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
        at = np.unravel_index(int(np.argmin(weakest)), weakest.shape)
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
