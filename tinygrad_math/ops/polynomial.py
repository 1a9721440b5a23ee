"""Polynomials as NumPy's functions take them: coefficients in a vector, highest power first."""

from __future__ import annotations

from typing import Any, Literal, cast

import numpy as np

from ..core.declare import derived, general
from ..core.errors import ArgumentError, DTypeError, ShapeError, describe
from ..core.samples import real, sample
from ..core.tensor import Tensor, as_tensor, rec

_MOST = 10_000  # integrations: a coefficient is divided by 1, 2, 3, ... in turn

__all__ = [
    "poly",
    "polyadd",
    "polyder",
    "polydiv",
    "polyfit",
    "polyint",
    "polymul",
    "polysub",
    "polyval",
    "roots",
    "unwrap",
]


def _floating(x: Any) -> Tensor:
    """x with integers as floating numbers, in which nothing wraps around."""
    x = as_tensor(x)
    return rec.astype(x, np.float64) if x.dtype.kind in "biu" else x  # type: ignore[no-any-return]


def _coefficients(p: Any) -> Tensor:
    """p as a vector; a number is a polynomial of degree 0."""
    p = as_tensor(p)
    if p.ndim > 1:
        raise ShapeError(f"the coefficients of a polynomial are a vector, highest power first, got {describe(p)}")
    return p if p.ndim else rec.reshape(p, (1,))  # type: ignore[no-any-return]


@derived
def polyval(p: Any, x: Any) -> Tensor:
    """p[0] x^n + ... + p[n], by Horner's rule.

    Arguments: `p` the coefficients (n + 1,), `x` an array of any shape. Derivative: p'(x) in x, powers of x in p.

    >>> import tinygrad_math as tm
    >>> tm.polyval([1.0, 0.0, -1.0], 3.0), tm.grad(tm.polyval, argnums=1)([1.0, 0.0, -1.0], 3.0)
    (tensor(8.), tensor(6.))
    """
    x, p = as_tensor(x), _coefficients(p)
    y: Tensor = rec.zeros_like(x)
    for k in range(p.size):
        y = y * x + p[k]
    return y


@derived
def polyadd(a1: Any, a2: Any) -> Tensor:
    """The coefficients of the sum of two polynomials.

    >>> import tinygrad_math as tm
    >>> tm.polyadd([1.0, 2.0], [1.0, 0.0, 0.0])
    tensor([1., 1., 2.])
    """
    a1, a2 = _coefficients(a1), _coefficients(a2)
    length = max(a1.size, a2.size)
    return _lengthened(a1, length) + _lengthened(a2, length)


@derived
def polysub(a1: Any, a2: Any) -> Tensor:
    """The coefficients of the difference of two polynomials.

    >>> import tinygrad_math as tm
    >>> tm.polysub([1.0, 2.0], [1.0, 0.0, 0.0])
    tensor([-1.,  1.,  2.])
    """
    a1, a2 = _coefficients(a1), _coefficients(a2)
    length = max(a1.size, a2.size)
    return _lengthened(a1, length) - _lengthened(a2, length)


def _lengthened(p: Tensor, length: int) -> Tensor:
    """p with zeros for the higher powers."""
    return p if p.size == length else rec.concat([np.zeros(length - p.size, p.dtype), p])


@derived
def polymul(a1: Any, a2: Any) -> Tensor:
    """The coefficients of the product of two polynomials: their convolution.

    Leading zeros count as coefficients: the result has a1.size + a2.size - 1 of them. (NumPy cuts them off, so that
    the shape depends on the values, and a leading coefficient that is 0 would have no derivative.)

    >>> import tinygrad_math as tm
    >>> tm.polymul([1.0, 1.0], [1.0, -1.0])
    tensor([ 1.,  0., -1.])
    >>> tm.polymul([0.0, 1.0], [1.0, 2.0])
    tensor([0., 1., 2.])
    """
    return rec.convolve(_coefficients(a1), _coefficients(a2))  # type: ignore[no-any-return]


@derived
def polydiv(u: Any, v: Any) -> tuple[Tensor, Tensor]:
    """Quotient and remainder of two polynomials, by long division: u = q v + r with r of lower degree than v.

    The remainder keeps the length of v less one (NumPy cuts leading zeros off, which depends on the values).

    >>> import tinygrad_math as tm
    >>> tm.polydiv([1.0, 3.0, 2.0], [1.0, 1.0])
    (tensor([1., 2.]), tensor([0.]))
    """
    u, v = _coefficients(u), _coefficients(v)
    if u.size < v.size:
        return rec.zeros_like(u[:1]) / v[0], u / 1.0
    quotient, rest = [], u / 1.0
    for _ in range(u.size - v.size + 1):
        q = rest[0] / v[0]
        quotient.append(q)
        head = rest[1 : v.size] - q * v[1:]
        rest = rec.concat([head, rest[v.size :]])
    return rec.stack(quotient), rest if rest.size else rec.zeros_like(u[:1]) / 1.0


@derived
def polyder(p: Any, m: int = 1) -> Tensor:
    """The coefficients of the m-th derivative of a polynomial.

    >>> import tinygrad_math as tm
    >>> tm.polyder([1.0, 2.0, 3.0])
    tensor([2., 2.])
    """
    p = _coefficients(p)
    if m < 0:
        raise ArgumentError(f"polyder: the order of a derivative is at least 0, got m={m}; polyint integrates")
    for _ in range(min(m, p.size)):  # after so many, nothing is left
        powers = np.arange(p.size - 1, 0, -1)
        p = p[:-1] * (powers if p.dtype.kind in "biu" else powers.astype(p.dtype))
    return cast(Tensor, p)


@derived
def polyint(p: Any, m: int = 1, k: Any = None) -> Tensor:
    """The coefficients of the m-th antiderivative of a polynomial, with the constants of integration `k` (zeros).

    >>> import tinygrad_math as tm
    >>> tm.polyint([2.0, 1.0])
    tensor([1., 1., 0.])
    """
    p = _floating(_coefficients(p))
    if m > _MOST:
        raise ArgumentError(f"polyint: {m:,} integrations; no more than {_MOST:,}")
    constants = np.zeros(m, p.dtype) if k is None else _coefficients(k)
    if constants.size == 1 < m:
        constants = rec.broadcast_to(as_tensor(constants), (m,))
    if constants.size != m:
        raise ShapeError(f"polyint: m={m} integrations need as many constants, got k of {describe(constants)}")
    for i in range(m):
        p = rec.concat([p / np.arange(p.size, 0, -1).astype(p.dtype), as_tensor(constants)[i : i + 1]])
    return cast(Tensor, p)


@derived
def poly(seq_of_zeros: Any) -> Tensor:
    """The coefficients of the polynomial with these zeros, or the characteristic polynomial of a square matrix.

    >>> import tinygrad_math as tm
    >>> tm.poly([1.0, -1.0])
    tensor([ 1.,  0., -1.])
    """
    zeros = as_tensor(seq_of_zeros)
    if zeros.ndim == 2 and zeros.shape[0] == zeros.shape[1]:
        zeros = rec.eigvals(zeros)
    zeros = _floating(_coefficients(zeros))
    p = as_tensor(np.ones(1, zeros.dtype))
    for i in range(zeros.size):
        p = polysub(rec.concat([p, rec.zeros_like(p[:1])]), p * zeros[i])
    return p


@derived
def roots(p: Any) -> Tensor:
    """The zeros of a polynomial, complex: the eigenvalues of its companion matrix.

    Leading and trailing zero coefficients stand for roots that are not there and roots at 0.
    Derivative: dx/dp_k = -x^(n-k) / p'(x), for simple roots.

    >>> import tinygrad_math as tm
    >>> tm.round(tm.real(tm.roots([1.0, -3.0, 2.0])), 6)
    tensor([2., 1.])
    """
    p = _floating(_coefficients(p))
    nonzero = np.flatnonzero(p.detach().numpy())
    if not nonzero.size:
        return as_tensor(np.zeros(0))
    at_zero = p.size - 1 - int(nonzero[-1])
    p = p[int(nonzero[0]) : int(nonzero[-1]) + 1]
    n = p.size - 1
    if not n:
        return as_tensor(np.zeros(at_zero, p.dtype))
    top = rec.reshape(-p[1:] / p[0], (1, n))
    found = rec.eigvals(rec.concat([top, np.eye(n - 1, n, dtype=p.dtype)]))
    return rec.concat([found, np.zeros(at_zero, found.dtype)]) if at_zero else found  # type: ignore[no-any-return]


@derived
def polyfit(
    x: Any,
    y: Any,
    deg: int,
    rcond: float | None = None,
    full: bool = False,
    w: Any = None,
    cov: bool | Literal["unscaled"] = False,
) -> Any:
    """The coefficients of the polynomial of a degree that fits points best, in the sense of least squares.

    Arguments: `x` (m,), `y` (m,) or (m, k) for k fits at once, `w` (m,) weights of the residuals; singular values up
    to `rcond` times the largest count as zero.
    Returns (deg + 1,) or (deg + 1, k); with `full` also the residuals, the rank, the singular values and rcond; with
    `cov` also the covariance (deg + 1, deg + 1) or (deg + 1, deg + 1, k) of the coefficients, scaled by the residuals
    unless "unscaled". Raises ShapeError, ArgumentError. Differentiable in x, y and w through `lstsq`.

    >>> import tinygrad_math as tm
    >>> tm.round(tm.polyfit([0.0, 1.0, 2.0], [1.0, 3.0, 5.0], 1), 6)
    tensor([2., 1.])
    """
    x, y = _floating(x), _floating(y)
    if deg < 0:
        raise ArgumentError(f"polyfit: the degree is 0 or more, got {deg}")
    if isinstance(rcond, (bool, np.bool_)) or (rcond is not None and rcond >= 1):
        raise ArgumentError(f"polyfit: rcond is a share of the largest singular value, below 1, got {describe(rcond)}")
    if x.ndim != 1 or y.ndim not in (1, 2) or y.shape[0] != x.size:
        raise ShapeError(f"polyfit needs x of shape (m,) and y of (m,) or (m, k), got {describe(x)} and {describe(y)}")
    left = rec.vander(x, deg + 1)
    if w is not None:
        w = _floating(w)
        if w.dtype.kind == "c":
            raise DTypeError(f"polyfit: weights are real numbers, got {describe(w)}")
        left = left * w[:, None]
        y = y * (w[:, None] if y.ndim == 2 else w)
    scale = rec.sqrt(rec.sum(left * left, axis=0))
    left = left / scale
    found = rec.lstsq(left, y, rcond=rcond)
    c = found[0] / (scale[:, None] if y.ndim == 2 else scale)
    if full:
        return c, *found[1:], x.size * np.finfo(x.dtype).eps if rcond is None else rcond
    if not cov:
        return c
    base = rec.inv(rec.matmul(left.T, left)) / rec.outer(scale, scale)
    if cov != "unscaled":
        if x.size <= deg + 1:
            raise ShapeError(f"polyfit: the covariance of {deg + 1} coefficients needs more points than {x.size}")
        share = rec.sum(rec.square(y - rec.matmul(left, found[0])), axis=0) / (x.size - (deg + 1))
        return c, base[:, :, None] * share if y.ndim == 2 else base * share
    return c, base[:, :, None] if y.ndim == 2 else base


@general(
    latex=r"\operatorname{{unwrap}} {0}",
    shape="same as p",
    note="the jumps that are added are constants: the derivative is 1",
    samples=lambda: [
        sample(np.array([0.0, 2.0, -3.0, 0.5, 6.0])),
        sample(real(2, 4), axis=0, period=1.5),
        sample(real(0, 2)),
    ],
)
def unwrap(p: Any, /, discont: float | None = None, axis: int = -1, *, period: float = 2 * np.pi) -> Any:
    """Angles without jumps: multiples of `period` added so that neighbours differ by at most half of it.

    Derivative: 1, since what is added is constant near every p.
    """
    return np.unwrap(p, discont, axis, period=period)


@unwrap.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, p: Any, discont: Any, axis: int, period: float) -> Any:
    return (g,)


@unwrap.defjvp
def _(xp: Any, ts: Any, y: Any, p: Any, discont: Any, axis: int, period: float) -> Any:
    return ts[0]
