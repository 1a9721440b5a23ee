"""Functions of matrices: exponential, logarithm, square root, powers."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.declare import derived, general
from ..core.errors import ArgumentError, IllPosedDerivative, MatrixError, ShapeError, SingularMatrix, describe
from ..core.samples import complexes, real, sample
from ..core.tensor import as_tensor, rec
from .wellposed import plain, square

__all__ = ["expm", "logm", "matrix_power", "sqrtm"]


def _each(f: Callable[..., Any], a: Any) -> Any:
    """f of each matrix, complex if one of them is: computed in double precision, given in that of a."""
    if a.size == 0:
        return np.zeros_like(a)
    wide = a.astype(np.result_type(a, np.float64), copy=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SciPy's doubts about singular matrices: the callers look at the result
        flat = [np.asarray(f(m)) for m in wide.reshape(-1, *a.shape[-2:])]
    out = np.stack(flat).reshape(a.shape)
    return out.astype(np.result_type(a.dtype, np.complex64) if out.dtype.kind == "c" else a.dtype)


def _frechet(xp: Any, a: Any, e: Any) -> Any:
    """The derivative of expm along e: the corner of expm([[a, e], [0, a]]).

    Najfeld and Havel, Derivatives of the matrix exponential (1995), theorem 4.12. The function is its own derivative
    rule, so that every order follows. e is scaled to the size of a.
    """
    n = a.shape[-1]
    large, small = (float(np.abs(plain(x)).max(initial=0.0)) or 1.0 for x in (a, e))
    e = e * (large / small)
    top = xp.concat([a, e], axis=-1)
    block = xp.concat([top, xp.concat([xp.zeros_like(a), a], axis=-1)], axis=-2)
    return xp.expm(block)[..., :n, n:] * (small / large)


@general(
    latex="e^{{{0}}}",
    shape="(..., n, n)",
    samples=lambda: [
        sample(real(3, 3)),
        sample(real(2, 3, 3)),
        sample(real(1, 1)),
        sample(np.zeros((2, 2))),
        sample(np.array([[0.0, 1.0], [0.0, 0.0]])),
        sample(np.zeros((0, 2, 2))),
        sample(complexes(3, 3)),
    ],
)
def expm(x: Any, /) -> Any:
    """The matrix exponential 1 + A + A^2/2 + ...

    Arguments: x (..., n, n). Raises ShapeError, MatrixError (NaN).
    Derivative: d expm(A)[E] is the corner of expm([[A, E], [0, A]]). Najfeld and Havel (1995).

    >>> import tinygrad_math as tm
    >>> tm.linalg.expm([[0.0, 1.0], [0.0, 0.0]])
    tensor([[1., 1.],
            [0., 1.]])
    """
    from scipy.linalg import expm as one

    return _each(one, square("expm", x))


@expm.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any) -> Any:
    return (_frechet(xp, xp.adjoint(a), g),)


@expm.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any) -> Any:
    return _frechet(xp, a, ts[0])


def _log_samples() -> Any:
    return [
        sample(0.3 * real(3, 3) + 2 * np.eye(3)),
        sample(0.3 * real(2, 3, 3) + 2 * np.eye(3)),
        sample(np.array([[2.0]])),
        sample(2 * np.eye(2)),
        sample(np.zeros((0, 2, 2))),
        sample(np.array([[-2.0, 0.3], [0.1, 3.0]])),
        sample(0.3 * complexes(3, 3) + 2 * np.eye(3)),
    ]


@general(latex=r"\log {0}", shape="(..., n, n)", samples=_log_samples)
def logm(x: Any, /) -> Any:
    """The principal matrix logarithm, complex if the matrix has negative eigenvalues.

    Arguments: x (..., n, n). Raises ShapeError, MatrixError (NaN), SingularMatrix.
    Derivative: by square roots (Sylvester equations) until A is close to 1, and there by the integral of
    (1 + x Z)^-1 E (1 + x Z)^-1, Z = A - 1. Al-Mohy, Higham and Relton (2013).

    >>> import tinygrad_math as tm
    >>> tm.linalg.logm(tm.linalg.expm([[0.0, 1.0], [1.0, 0.0]])).numpy().round(12) + 0.0
    array([[0., 1.],
           [1., 0.]])
    """
    from scipy.linalg import logm as one

    a = square("logm", x)
    if a.size:
        s = np.linalg.svd(a, compute_uv=False)
        if (s[..., -1] <= a.shape[-1] * np.finfo(s.dtype).eps * s[..., 0]).any():
            raise SingularMatrix(
                f"logm({describe(a)}): a singular matrix has no logarithm (smallest singular value {s.min():.3g})"
            )
    return _each(one, a)


_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(7)
_NODES, _WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2


def _roots(xp: Any, a: Any) -> list[Any]:
    """Repeated square roots of a, until the last is close to 1."""
    roots, one = [a], np.eye(a.shape[-1])
    while len(roots) < 40 and np.abs(plain(roots[-1]) - one).sum(axis=-2).max(initial=0) > 0.25:
        roots.append(xp.sqrtm(roots[-1]))
    return roots


def _near_one(xp: Any, r: Any, e: Any) -> Any:
    """The derivative of the logarithm of r, close to 1, along e.

    The integral over x from 0 to 1 of (1 + x z)^-1 e (1 + x z)^-1, z = r - 1, by Gauss's rule: the derivative of the
    diagonal Pade approximant of degree 7, which is exact to rounding here.
    """
    one, total = np.eye(r.shape[-1], dtype=r.dtype), None
    for x, weight in zip(_NODES, _WEIGHTS, strict=True):
        b = xp.inv(one + float(x) * (r - one))
        part = float(weight) * xp.matmul(xp.matmul(b, e), b)
        total = part if total is None else total + part
    return total


@logm.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any) -> Any:
    roots = [xp.adjoint(r) for r in _roots(xp, a)]
    g = _near_one(xp, roots[-1], g) * 2.0 ** (len(roots) - 1)
    for r in reversed(roots[1:]):
        g = xp.solve_sylvester(r, r, g)
    return (g,)


@logm.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any) -> Any:
    roots, e = _roots(xp, a), ts[0]
    for r in roots[1:]:
        e = xp.solve_sylvester(r, r, e)
    return _near_one(xp, roots[-1], e) * 2.0 ** (len(roots) - 1)


@general(latex=r"\sqrt{{{0}}}", shape="(..., n, n)", samples=_log_samples)
def sqrtm(x: Any, /) -> Any:
    """The principal square root X of a matrix, X X = A; complex if the matrix has negative eigenvalues.

    Arguments: x (..., n, n). Raises ShapeError, MatrixError (NaN, or no root exists); from derivatives
    IllPosedDerivative where A is singular, as for the root of 0.
    Derivative: X dX + dX X = dA, a Sylvester equation. Higham, Functions of matrices (2008), 6.1.

    >>> import tinygrad_math as tm
    >>> tm.linalg.sqrtm([[4.0, 0.0], [0.0, 9.0]])
    tensor([[2., 0.],
            [0., 3.]])
    """
    from scipy.linalg import sqrtm as one

    a = square("sqrtm", x)
    y = _each(one, a)
    size = np.abs(a).max(initial=0.0)
    if not np.all(np.isfinite(y)) or np.abs(y @ y - a).max(initial=0.0) > np.sqrt(np.finfo(a.dtype).eps) * size:
        raise MatrixError(
            f"sqrtm({describe(a)}): the matrix has no square root (singular, and not diagonalisable there)"
        )
    return y


def _half(xp: Any, y: Any, g: Any) -> Any:
    try:
        return xp.solve_sylvester(y, y, g)
    except np.linalg.LinAlgError as error:
        w = np.linalg.eigvals(plain(y)).ravel()
        raise IllPosedDerivative(
            "sqrtm: the square root of a singular matrix has no derivative (eigenvalues of the root: "
            f"{', '.join(f'{v:.4g}' for v in w[:6])}): it is infinitely steep there. Add a multiple of the identity"
        ) from error


sqrtm.defvjp(lambda xp, need, g, y, a: (_half(xp, xp.adjoint(y), g),))
sqrtm.defjvp(lambda xp, ts, y, a: _half(xp, y, ts[0] + xp.zeros_like(y)))


@derived
def matrix_power(x: Any, n: int, /) -> Any:
    """The matrix multiplied n times by itself; its inverse for negative n; the identity for 0.

    Arguments: x (..., n, n); `n` an int. Raises ShapeError, ArgumentError, SingularMatrix (negative n).
    Derivative: of its log2(n) products.

    >>> import tinygrad_math as tm
    >>> tm.linalg.matrix_power([[1.0, 1.0], [0.0, 1.0]], 5)
    tensor([[1., 5.],
            [0., 1.]])
    """
    x = as_tensor(x)
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ShapeError(f"matrix_power needs square matrices (..., n, n), got {describe(x)}")
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)):
        raise ArgumentError(f"matrix_power needs an int as its exponent, got {n!r}; expm and logm make other powers")
    if n < 0:
        return matrix_power(rec.inv(x), -n)
    if n == 0:
        return rec.zeros_like(x) + np.eye(x.shape[-1], dtype=x.dtype)
    y, square_ = None, x
    while True:
        if n & 1:
            y = square_ if y is None else rec.matmul(y, square_)
        n >>= 1
        if not n:
            return y
        square_ = rec.matmul(square_, square_)
