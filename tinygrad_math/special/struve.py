"""Struve's functions, the integrals of those of order 0, and their derivatives of every order in x.

Near 0 by the series of x^(2k+v+1) (DLMF 11.2.1, 11.2.2), differentiated term by term; further out by H_v' = H_(v-1) -
(v/x) H_v, and the same for L_v (DLMF 11.4(v)). The terms of either would cancel where the other is taken.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from ..core.declare import general
from ..core.quiet import ignoring
from ..core.samples import positive, sample
from .quadrature import from_zero, in_blocks
from .scipy_rows import differentiate, doubles, float_kind, forward_of, no_derivative, refuse_complex, row

__all__ = ["it2struve0", "itmodstruve0", "itstruve0", "modstruve", "struve"]

_NEAR = 4.0
_TERMS = 30


def _by_series(name: str, v: Any, x: Any, n: int, lower: int) -> Any:
    """The n-th derivative of the function over x^lower, for |x| up to _NEAR."""
    from scipy import special

    total: Any = 0.0
    for k in range(_TERMS):
        p = 2 * k + v + 1 - lower
        falling = math.prod((p - j for j in range(n)), start=np.ones(np.shape(p)))
        factor = falling * special.rgamma(k + 1.5) * special.rgamma(k + v + 1.5)
        term = np.where(factor == 0, 0.0, factor * (x / 2) ** (p - n))  # also where the power is infinite
        total = total + (-1 if k % 2 and name == "struve" else 1) * term
    return total / 2.0 ** (n + lower)


def _by_lower_order(name: str, v: Any, x: Any, n: int) -> Any:
    """The n-th derivative, by those of fewer orders of this function and of the one of order v - 1."""
    from scipy import special

    if n == 0:
        return getattr(special, name)(v, x)
    return _by_lower_order(name, v - 1, x, n - 1) - v * _over_x(name, v, x, n - 1)


def _over_x(name: str, v: Any, x: Any, n: int) -> Any:
    """The n-th derivative of the function over x, by Leibniz's rule."""
    return sum(
        math.comb(n, j) * _by_lower_order(name, v, x, j) * math.factorial(n - j) / (-x) ** (n - j) / x
        for j in range(n + 1)
    )


def _leading(v: Any, n: int, lower: int) -> tuple[Any, Any]:
    """The exponent of that power over x^lower, and the factor of its n-th derivative."""
    from scipy import special

    power = v - 1 - lower
    start = special.rgamma(v + 0.5) * 2.0 ** (1 - v) / math.sqrt(math.pi)
    return power, math.prod((power - k for k in range(n)), start=start)


def _with_leading(y: Any, v: Any, x: Any, n: int, lower: int) -> Any:
    """The n-th derivative of H_v over x^lower, where the power is all: Y_v, of the size of x^-1/2, and the next power
    are below the rounding, but the terms of recurrences overflow."""
    power, factor = _leading(v, n, lower)
    size, whole = np.abs(x), v == np.floor(v)
    far = (size > 1e9 * (1 + np.abs(v))) & np.isfinite(x) & (factor != 0) & ((x > 0) | whole)
    far &= (power - n + lower + 0.5) * np.log10(np.where(far, size, 1.0)) > 17
    own = factor * np.where(far, size, 1.0) ** (power - n)
    return np.where(far, np.where((x < 0) & ((v + n + lower) % 2 == 0), -own, own), y)


def _far_out(name: str, v: Any, x: Any, n: int, lower: int) -> Any:
    """The limits for x to infinity of that derivative: L grows as exp(x), and H_v is Y_v, which vanishes, and
    (x/2)^(v-1) / (sqrt(pi) gamma(v + 1/2)) (DLMF 11.6.1). Of negative x for whole v."""
    power, factor = _leading(v, n, lower)
    limit = np.where(power < n, 0.0, np.where(power == n, factor, factor * math.inf))
    limit = (
        np.where(np.isinf(x), limit, math.nan)
        if name == "struve"
        else np.where(np.abs(x) > _OVERFLOWN, math.inf, math.nan)
    )
    whole = v == np.floor(v)
    return np.where(x > 0, limit, np.where(whole, np.where((v + n + lower) % 2 == 0, -limit, limit), math.nan))


_OVERFLOWN = 700.0


def _far_below(v: Any, x: Any) -> Any:
    """Where the order is so negative that the first term of the series is infinite, and is all there is."""
    return (v < -_DEEP) & np.isfinite(v) & (2 * np.abs(x) < -v) & ((x >= 0) | (v == np.floor(v)))


def _first_term(v: Any, x: Any, n: int, lower: int) -> Any:
    """Its n-th derivative there, by its sign: inf or -inf, and 0 of the orders that have no such term, as v + 1/2 is
    whole. SciPy's sign is lost from 1e10 on, and its gamma function ends at 2^52."""
    half = v + 0.5 == np.floor(v + 0.5)
    whole, parity = v == np.floor(v), v % 2  # beyond 2^53 v + 1 is v
    below = np.where(whole, parity == 0, np.floor(v + 1.5) % 2 == 1)  # where gamma(v + 3/2) is
    odd = below ^ (n % 2 == 1) ^ ((x < 0) & ((parity + 1 - lower - n) % 2 == 1))
    return np.where(half & (v > -(2.0**52)), 0.0, np.where(odd, -math.inf, math.inf))


_DEEP = 1e4


@general(
    arity=2,
    latex=r"\partial_{{x}}^{{{n}}} {1}^{{-{lower}}} {name}_{{{0}}}({1})",
    shape="broadcast of the arguments",
    samples=lambda: [
        sample(1, positive(4)),
        sample(np.array([[0], [2]]), positive(1, 3), n=2, name="modstruve"),
        sample(0, positive(), n=1, lower=1),
        sample(1, positive(0, 2)),
    ],
)
def struve_slope(v: Any, x: Any, /, name: Literal["struve", "modstruve"] = "struve", n: int = 1, lower: int = 0) -> Any:
    """The n-th derivative in x of Struve's function of that name, or with `lower` of 1 of its quotient by x."""
    refuse_complex(name, v, x)
    kind = float_kind(x)
    v, x = doubles(v, x)
    near = np.abs(x) < _NEAR
    with ignoring():
        low = _by_series(name, v, np.where(near, x, 1.0), n, lower)
        far = np.where(near, _NEAR, x)
        high = _over_x(name, v, far, n) if lower else _by_lower_order(name, v, far, n)
        if name == "struve":
            high = _with_leading(high, v, far, n, lower)
        high = np.where(np.isnan(high) | np.isinf(x), _far_out(name, v, x, n, lower), high)
        y = np.where(near, low, high)
        deep = _far_below(v, x)
        return (np.where(deep, _first_term(v, x, n, lower), y) if deep.any() else y).astype(kind)[()]


differentiate(
    struve_slope,
    lambda xp, y, v, x, name, **_: no_derivative(name, "v")(),
    lambda xp, y, v, x, name, n, lower: xp.struve_slope(v, x, name=name, n=n + 1, lower=lower),
)


def struve_of_order(v: Any, x: Any, /) -> Any:
    """SciPy's struve, and its limit at infinity."""
    return _ended("struve", v, x)


def modstruve_of_order(v: Any, x: Any, /) -> Any:
    """SciPy's modstruve, and its limit at infinity."""
    return _ended("modstruve", v, x)


def _ended(name: str, v: Any, x: Any) -> Any:
    y = np.asarray(forward_of(name, "v", "x", order=True)(v, x))
    order, at = doubles(v, x)
    deep = _far_below(order, at)
    if deep.any():
        with ignoring():
            y = np.where(deep, _first_term(order, at, 0, 0), y).astype(y.dtype)
    y = np.where(order == -math.inf, math.nan, y).astype(y.dtype) if np.isinf(order).any() else y
    lost = np.isnan(y)
    end = np.isinf(at) | (lost & (name == "modstruve") & (np.abs(at) > 1))
    tiny = lost & (np.abs(at) < 1) & (order > -_DEEP)
    if not (end | tiny).any():
        return y[()]
    with ignoring():
        beside = _by_series(name, order, np.where(tiny, at, 1.0), 0, 0)  # SciPy's is no number at the smallest doubles
        y = np.where(tiny, beside, y)
        return np.where(end, _far_out(name, order, at, 0, 0), y).astype(float_kind(x))[()]


def _orders() -> list[Any]:
    many = sample(np.array([[0], [1]]), positive(3))
    return [sample(3, positive(4)), many, sample(2, positive()), sample(1, positive(0, 2))]


def _struve(name: Literal["struve", "modstruve"], letter: str, doc: str) -> Any:
    return row(
        name, no_derivative(name, "v"), lambda xp, y, v, x: xp.struve_slope(v, x, name=name), arguments="v x",
        forward={"struve": struve_of_order, "modstruve": modstruve_of_order}[name],
        order=True, samples=_orders, latex=f"{letter}_{{{{{{0}}}}}}({{1}})", doc=doc,
    )  # fmt: skip


struve = _struve(
    "struve",
    "H",
    """Struve's function H_v(x). d/dx = H_(v-1) - (v/x) H_v.

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.special.struve, argnums=1)(0.0, 0.0)  # 2 / pi
    tensor(0.63661977)
    """,
)
modstruve = _struve("modstruve", "L", "The modified Struve function L_v(x). d/dx = L_(v-1) - (v/x) L_v.")

# -- integrals of those of order 0 ----------------------------------------------------------------------------------
_REACH = 45.0  # of an integrand that grows as exp(x)
_FAR = 36.0  # from here on H_0 - Y_0 is its expansion (DLMF 11.6.1), which is integrated term by term
_SQUARES = [(-1) ** k * math.prod(range(1, 2 * k, 2)) ** 2 for k in range(16)]


def _split(name: str, x: Any, near: Any, far: Any) -> Any:
    """An integral for arguments of any shape, by the sizes of them: one formula up to _FAR, another from there on."""
    refuse_complex(name, x)
    kind = float_kind(x)
    (at,) = doubles(x)
    size = np.abs(at).ravel()
    y = np.full(size.shape, math.nan)
    with ignoring():
        for which, formula in ((size <= _FAR, near), (size > _FAR, far)):
            if which.any():
                y[which] = in_blocks(formula, size[which])
    y = y.reshape(at.shape)
    return (np.where(at < 0, math.pi - y, y) if name == "it2struve0" else y).astype(kind)[()]


def struve_integral(x: Any, /) -> Any:
    """The integral of H_0 from 0 to x; far out that of Y_0 and of the expansion. SciPy's has no digit beyond 30."""
    from scipy import special

    def far(x: Any) -> Any:
        rest = sum(-c / (2 * k * x ** (2 * k)) for k, c in enumerate(_SQUARES) if k)
        waves = np.where(np.isinf(x), 0.0, special.itj0y0(np.where(np.isinf(x), 1.0, x))[1])
        return waves + 2 / math.pi * (np.log(x) + math.log(2) + np.euler_gamma + rest)

    return _split("itstruve0", x, lambda x: from_zero(lambda t: special.struve(0, t), x, _FAR), far)


def modstruve_integral(x: Any, /) -> Any:
    """The integral of L_0 from 0 to x, which is that of the last few units far out."""
    from scipy import special

    def near(x: Any) -> Any:
        return from_zero(lambda t: special.modstruve(0, t), np.minimum(x, 2 * _OVERFLOWN), _REACH)

    return _split("itmodstruve0", x, near, near)


def struve_quotient_integral(x: Any, /) -> Any:
    """The integral of H_0(t) / t from x on; far out that of Y_0(t) / t and of the expansion over t."""
    from scipy import special

    def near(x: Any) -> Any:
        return math.pi / 2 - from_zero(lambda t: struve_slope(0.0, t, n=0, lower=1), x, _FAR)

    def far(x: Any) -> Any:
        terms = sum(c / ((2 * k + 1) * x ** (2 * k + 1)) for k, c in enumerate(_SQUARES))
        waves = np.where(np.isinf(x), 0.0, special.it2j0y0(np.where(np.isinf(x), 1.0, x))[1])
        return waves + 2 / math.pi * terms

    return _split("it2struve0", x, near, far)


itstruve0 = row(
    "itstruve0",
    lambda xp, y, x: xp.struve(0, x),
    forward=struve_integral,
    domain=(0.3, 3.0),
    latex=r"\int_0^{{{0}}} H_0",
    doc="The integral of H_0 from 0 to x. d/dx = H_0(x).",
)
itmodstruve0 = row(
    "itmodstruve0",
    lambda xp, y, x: xp.modstruve(0, x),
    forward=modstruve_integral,
    domain=(0.3, 3.0),
    latex=r"\int_0^{{{0}}} L_0",
    doc="The integral of L_0 from 0 to x. d/dx = L_0(x).",
)
it2struve0 = row(
    "it2struve0",
    lambda xp, y, x: -xp.struve_slope(0, x, n=0, lower=1),
    forward=struve_quotient_integral,
    domain=(0.3, 3.0),
    latex=r"\int_{{{0}}}^\infty \frac{{H_0(t)}}{{t}} dt",
    doc="The integral of H_0(t) / t from x on. d/dx = -H_0(x) / x.",
)
