"""Kin of Bessel's functions: spherical ones, Hankel's, scaled ones, and integrals of those of order 0.

The derivatives are by the neighbouring orders, without a quotient: (2n+1) j_n' = n j_(n-1) - (n+1) j_(n+1) (DLMF
10.51.2), 2 H_v' = H_(v-1) - H_(v+1) (10.6.1).
"""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np

from ..core.arguments import as_flag
from ..core.declare import general
from ..core.errors import ArgumentError, describe
from ..core.quiet import ignoring
from ..core.samples import positive, sample
from ..core.tensor import Tensor, as_tensor, rec
from .bessel_ends import k1e_of, kve_of_order
from .bessel_paths import scaled_macdonald
from .ends import beyond, with_limits
from .quadrature import from_zero, in_blocks
from .scipy_rows import differentiate, doubles, float_kind, no_derivative, part, refuse_complex, row

__all__ = [
    "hankel1", "hankel2", "it2i0k0", "it2j0y0", "iti0k0", "itj0y0", "jve", "k0e", "k1e", "kve", "spherical_in",
    "spherical_jn", "spherical_kn", "spherical_yn", "yve",
]  # fmt: skip


# -- spherical ----------------------------------------------------------------------------------------------------
_CURVED = {"spherical_jn": -0.5, "spherical_in": 0.5}


def _beside_zero(y: Any, n: Any, z: Any, half: float) -> Any:
    """The series of j_n and i_n (DLMF 10.53.1) in place of zeros: z^n/(2n+1)!! has a number where SciPy's have none."""
    from scipy import special

    lost = ((y == 0) | np.isnan(y)) & (z != 0) & (z * z <= 2 * n + 3)
    n, z = np.where(lost, n, 0.0), np.where(lost, z, 1.0)
    term = total = np.ones_like(z)
    for k in range(1, 30):
        term = term * half * z * z / (k * (2 * n + 2 * k + 1))
        total = total + term
    log_factorial = special.gammaln(n + 1.5) + (n + 1) * math.log(2) - 0.5 * math.log(math.pi)
    with ignoring():
        own = np.where((z < 0) & (n % 2 == 1), -1.0, 1.0) * np.exp(n * np.log(np.abs(z)) - log_factorial) * total
    return np.where(lost, own, y)


def _overflown(y: Any, n: Any, z: Any) -> Any:
    """i_n at the largest doubles, where SciPy's is no number."""
    return np.where(np.isnan(y) & (np.abs(z) > 1e3 * (n + 1)), np.where((z < 0) & (n % 2 == 1), -1, 1) * math.inf, y)


def _spherical(name: str, below: int, above: int, doc: str) -> Any:
    """The op of whole orders n >= 0 with (2n+1) f_n' = below n f_(n-1) + above (n+1) f_(n+1)."""

    def forward(*args: Any) -> Any:
        from scipy import special

        refuse_complex(name, *args)
        n, z = doubles(*args)
        if np.any((n < 0) | (n != np.round(n))):
            raise ArgumentError(f"{name}: n is a whole number from 0 on, got {describe(args[0])}")
        y = np.asarray(getattr(special, name)(n.astype(np.int64), z))
        if np.any((y == 0) | np.isnan(y)):
            if name in _CURVED:
                y = _beside_zero(y, n, z, _CURVED[name])
            else:  # infinite at the smallest doubles, where SciPy's are no numbers
                y = np.where(np.isnan(y) & (z > 0) & (z < 1), -below * math.inf, y)
            y = _overflown(y, n, z) if name == "spherical_in" else y
        return y.astype(float_kind(args[1]))[()]

    forward.__name__ = forward.__qualname__ = name
    kind = inspect.Parameter.POSITIONAL_ONLY
    forward.__signature__ = inspect.Signature([inspect.Parameter(a, kind) for a in ("n", "z")])  # type: ignore[attr-defined]

    def slope(xp: Any, y: Any, n: Any, z: Any) -> Any:
        f = getattr(xp, name)
        grown = xp.isinf(y) if name == "spherical_yn" else False  # of two infinities that of higher order wins
        at = xp.where(grown, 1, z) if name == "spherical_yn" else z
        none = xp.equal(n, 0)  # of order -1 there is none, and 0 times an infinite one would be no number
        less = xp.where(none, 0.0, f(xp.maximum(n - 1, 0), xp.where(none, 1.0, at)))
        return (below * n * less + above * (n + 1) * f(n + 1, z)) / (2 * n + 1)

    def samples() -> list[Any]:
        each = [sample(n, positive(4)) for n in (0, 1, 3)]
        return [*each, sample(np.array([[0], [2]]), positive(3)), sample(1, positive()), sample(1, positive(0, 2))]

    letter = name[10]
    row(
        name, no_derivative(name, "n"), slope, forward=forward, samples=samples, doc=doc,
        latex=f"{letter}_{{{{{{0}}}}}}({{1}})",
    )  # fmt: skip

    def of_order(n: Any, z: Any, derivative: bool = False) -> Any:
        if as_flag(derivative, f"{name}: derivative"):
            return slope(rec, getattr(rec, name)(n, z), as_tensor(n), as_tensor(z))
        return getattr(rec, name)(n, z)

    of_order.__name__ = of_order.__qualname__ = name
    of_order.__doc__ = f"""{doc} With `derivative` its derivative in z: {_NEIGHBOURS[below, above]}.

    >>> import tinygrad_math as tm
    >>> slope = tm.grad(tm.special.{name}, argnums=1)(1, 2.0)
    >>> (slope - tm.special.{name}(1, 2.0, derivative=True)).round(9)
    tensor(0.)
    """
    return of_order


_NEIGHBOURS = {
    (1, -1): "(n f_(n-1) - (n+1) f_(n+1)) / (2n+1)",
    (1, 1): "(n f_(n-1) + (n+1) f_(n+1)) / (2n+1)",
    (-1, -1): "-(n f_(n-1) + (n+1) f_(n+1)) / (2n+1)",
}
spherical_jn = _spherical("spherical_jn", 1, -1, "The spherical Bessel function j_n(z) of whole n.")
spherical_yn = _spherical("spherical_yn", 1, -1, "The spherical Bessel function y_n(z) of whole n, z > 0.")
spherical_in = _spherical("spherical_in", 1, 1, "The modified spherical Bessel function i_n(z) of whole n.")
spherical_kn = _spherical("spherical_kn", -1, -1, "The modified spherical Bessel function k_n(z) of whole n, z > 0.")


# -- scaled, and Hankel's -----------------------------------------------------------------------------------------
_STEEP = 20.0  # from here on the integral of `bessel_paths` stands for the differences of neighbouring K_v
_FAR = 50.0  # from here on the expansion for large x (DLMF 10.40.2) is exact to rounding


def _near(v: Any, x: Any, n: int) -> Any:
    """By Leibniz's rule; each difference of neighbouring K_v loses a factor 2 x of digits."""
    from scipy import special

    total = np.zeros_like(x)
    for k in range(n + 1):
        moved = sum(math.comb(k, j) * special.kve(v - k + 2 * j, x) for j in range(k + 1))
        total = total + math.comb(n, k) * (-0.5) ** k * moved
    return total


def _far(v: Any, x: Any, n: int) -> Any:
    """sqrt(pi/2) times the sum over k of a_k(v) x^(-k-1/2), with each term differentiated n times."""
    total, a = np.zeros_like(x), np.ones_like(x)
    for k in range(30):
        total = total + a * math.prod(-k - 0.5 - j for j in range(n))  # which fall up to k = 2 x
        a = a * (4 * v * v - (2 * k + 1) ** 2) / (8 * (k + 1)) / x
    return math.sqrt(math.pi / 2) * total * x**-0.5 / x**n


@general(
    arity=2,
    latex=r"\partial_{{x}}^{{{n}}} e^{{{1}}} K_{{{0}}}({1})",
    shape="broadcast of the arguments",
    samples=lambda: [sample(1, positive(4), n=n) for n in (1, 2)] + [sample(np.array([0, 2]), np.array([60.0, 80.0]))],
)
def kve_slope(v: Any, x: Any, /, n: int = 1) -> Any:
    """The n-th derivative of exp(x) K_v(x), without the cancellation that its terms have for large x."""
    refuse_complex("kve", v, x)
    kind = float_kind(x)
    v, x = doubles(v, x)
    far = x > np.maximum(_FAR, 2 * v * v)
    with ignoring():
        near = _near(v, np.where(far, 1.0, x), n)
        near = np.where(np.isnan(near) & (x >= 0) & (x < 1) & np.isfinite(v), (-1.0) ** n * math.inf, near)  # inf - inf
        steep = ~far & (x > _STEEP) & np.isfinite(x) & np.isfinite(v)  # the differences have lost too many digits
        if steep.any():
            near = np.array(near)
            near[steep] = in_blocks(lambda v, x: scaled_macdonald(v, x, n), v[steep], x[steep], size=256)
        return np.where(far, _far(v, np.where(far, x, _FAR), n), near).astype(kind)[()]


differentiate(kve_slope, no_derivative("kve", "v"), lambda xp, y, v, x, n: xp.kve_slope(v, x, n=n + 1))

k0e = row("k0e", lambda xp, y, x: xp.kve_slope(0, x), domain=(0.3, 3.0), latex="e^{{{0}}} K_0({0})",
          doc="exp(x) K_0(x), x > 0. d/dx = k0e - k1e.")  # fmt: skip
k1e = row("k1e", lambda xp, y, x: xp.kve_slope(1, x), forward=k1e_of, domain=(0.3, 3.0), latex="e^{{{0}}} K_1({0})",
          doc="exp(x) K_1(x), x > 0. d/dx = k1e - (k0e + exp(x) K_2)/2.")  # fmt: skip


def _orders() -> list[Any]:
    many = sample(np.array([[0], [1]]), positive(3))
    return [sample(3, positive(4)), many, sample(2, positive()), sample(1, positive(0, 2))]


kve = row(
    "kve",
    no_derivative("kve", "v"),
    lambda xp, y, v, x: xp.kve_slope(v, x),
    forward=kve_of_order,
    arguments="v x",
    order=True,
    samples=_orders,
    latex="e^{{{1}}} K_{{{0}}}({1})",
    doc="exp(x) K_v(x), x > 0. d/dx = y - exp(x) (K_(v-1) + K_(v+1))/2.",
)


def jve(v: Any, x: Any) -> Any:
    """J_v scaled by exp(-|Im x|), which is `jv` itself where x is real.

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.special.jve, argnums=1)(0, 0.0)
    tensor(-0.)
    """
    refuse_complex("jve", as_tensor(x))
    return rec.jn(v, x)


def yve(v: Any, x: Any) -> Any:
    """Y_v scaled by exp(-|Im x|), which is `yv` itself where x is real.

    >>> import tinygrad_math as tm
    >>> (tm.special.yve(0, 1.0) - tm.special.y0(1.0)).round(9)
    tensor(0.)
    """
    refuse_complex("yve", as_tensor(x))
    return rec.yv(v, x)


def _hankel(name: str, sign: int) -> Any:
    def hankel(v: Any, z: Any) -> Any:
        refuse_complex(name, as_tensor(z))
        return rec.jn(v, z) + sign * 1j * rec.yv(v, z)

    hankel.__name__ = hankel.__qualname__ = name
    hankel.__doc__ = f"""Hankel's function J_v(x) {"+" if sign > 0 else "-"} i Y_v(x) of real x > 0.

    >>> import tinygrad_math as tm
    >>> (tm.special.{name}(0, 1.0).real - tm.special.j0(1.0)).round(9)
    tensor(0.)
    """
    return hankel


hankel1, hankel2 = _hankel("hankel1", 1), _hankel("hankel2", -1)


# -- integrals of order 0 -----------------------------------------------------------------------------------------
_NEAR = 1.5  # below, 1 - J_0 and I_0 - 1 are summed
_SERIES = [1.0 / (4.0**k * math.factorial(k) ** 2) for k in range(1, 16)]


def _first_terms(xp: Any, x: Any, sign: int) -> Any:
    """(I_0(x) - 1) / x, or (1 - J_0(x)) / x with the sign -1, without the cancellation near 0."""
    near, far = xp.less(abs(x), _NEAR), xp.greater(abs(x), _FAR)
    low, high = xp.where(near, x, 0.0), xp.where(near, _NEAR, x)
    u = sign * low * low
    total = 0.0 * u
    for term in _SERIES[::-1]:
        total = total * u + term
    if sign < 0:
        return xp.where(near, low * total, (1 - xp.j0(high)) / high)
    usual = xp.where(far, _NEAR, high)
    inside = xp.where(near, low * total, (xp.i0(usual) - 1) / usual)
    return xp.where(far, _grown(xp, xp.where(far, x, 2 * _FAR)), inside)


def _grown(xp: Any, x: Any) -> Any:
    """I_0(x) / x far out, as a product of two halves, and a hyperbolic sine where it overflows."""

    def product(x: Any) -> Any:
        half = xp.exp(0.5 * xp.abs(x))
        return half * (half * xp.i0e(x) / x)

    return beyond(xp, xp.logical_or(xp.isinf(x), xp.isinf(product(x))), x, xp.sinh, product)


def bessel_i_integral(x: Any, /) -> Any:
    """The integral of I_0 from 0 to x, which is that of the last few units far out; SciPy's has 7 digits near 20."""
    from scipy import special

    refuse_complex("iti0k0", x)
    (at,) = doubles(x)
    with ignoring():
        size = np.minimum(np.abs(at), _OVERFLOWN).ravel()
        y = in_blocks(lambda t: from_zero(special.i0, t, 45.0), size).reshape(at.shape)
    return np.copysign(y, at).astype(float_kind(x))[()]


_OVERFLOWN = 1e3  # here the integral of I_0 is infinite


_EXPANDED = 40.0  # from here on SciPy's expansion has all digits; near 20 it and the series have 8


def _wave_integral(x: Any, place: int) -> Any:
    """The integral of J_0 or Y_0: pi x / 2 (C_0 H_(-1) + C_1 H_0) with Struve's functions (DLMF 10.22.2)."""
    from scipy import special

    refuse_complex("itj0y0", x)
    (at,) = doubles(x)
    with ignoring():
        near = (np.abs(at) <= _EXPANDED) & (at != 0)
        y = np.array(special.itj0y0(np.where(near, 1.0, at))[place])
        y = np.array(with_limits(y, at, 1.0 - place, math.nan if place else -1.0))
        t = at[near] if place else np.abs(at[near])
        lowest, next_one = (special.y0(t), special.y1(t)) if place else (special.j0(t), special.j1(t))
        y[near] = math.pi / 2 * at[near] * (lowest * special.struve(-1, np.abs(t)) + next_one * special.struve(0, t))
        tiny = (np.abs(at) < _TINY) & (at != 0)
        first = 2 / math.pi * at * (np.log(at) - math.log(2) + np.euler_gamma - 1) if place else at
        y = np.where(tiny, first, y)
    return y.astype(float_kind(x))[()]


def bessel_j_integral(x: Any, /) -> Any:
    """The integral of J_0 from 0 to x."""
    return _wave_integral(x, 0)


def bessel_y_integral(x: Any, /) -> Any:
    """The integral of Y_0 from 0 to x, NaN below 0."""
    return _wave_integral(x, 1)


_TINY = 1e-300  # below it SciPy's are no numbers, and the first terms of series all there is (DLMF 10.43.2, 10.22.39)


def _ended(name: str, place: int, x: Any, tiny: Any, zero: float, above: float, even: bool = False) -> Any:
    """SciPy's integral, but a first term below _TINY, a value at 0, and a limit far out, where it is no number."""
    from scipy import special

    refuse_complex(name, x)
    (at,) = doubles(x)
    at = np.abs(at) if even else at
    with ignoring():
        y = getattr(special, name)(at)[place]
        size = np.where((at > 0) & (at < _TINY), at, 1.0)
        y = np.where((at > 0) & (at < _TINY), tiny(size, np.log(size) - math.log(2) + np.euler_gamma), y)
        y = np.where(at == 0, zero, np.where(np.isnan(y) & (at > 1), above, y))
    return y.astype(float_kind(x))[()]


def bessel_k_integral(x: Any, /) -> Any:
    """The integral of K_0 from 0 to x."""
    return _ended("iti0k0", 1, x, lambda x, log: x * (1 - log), 0.0, math.pi / 2)


def bessel_i_quotient(x: Any, /) -> Any:
    """The integral of (I_0 - 1) / t from 0 to x, an even function."""
    return _ended("it2i0k0", 0, x, lambda x, log: 0.0 * x, 0.0, math.inf, even=True)


def bessel_k_quotient(x: Any, /) -> Any:
    """The integral of K_0 / t from x on."""
    return _ended("it2i0k0", 1, x, lambda x, log: log * log / 2 + math.pi**2 / 24, math.inf, 0.0)


def bessel_j_quotient(x: Any, /) -> Any:
    """The integral of (1 - J_0) / t from 0 to x, an even function."""
    return _ended("it2j0y0", 0, x, lambda x, log: 0.0 * x, 0.0, math.inf, even=True)


def bessel_y_quotient(x: Any, /) -> Any:
    """The integral of Y_0 / t from x on."""
    return _ended("it2j0y0", 1, x, lambda x, log: math.pi / 6 - log * log / math.pi, -math.inf, 0.0)


_OURS = {
    "iti0k0_second": bessel_k_integral,
    "it2i0k0_first": bessel_i_quotient,
    "it2i0k0_second": bessel_k_quotient,
    "it2j0y0_first": bessel_j_quotient,
    "it2j0y0_second": bessel_y_quotient,
    "iti0k0_first": bessel_i_integral,
    "itj0y0_first": bessel_j_integral,
    "itj0y0_second": bessel_y_integral,
}


def _pair(name: str, first: Any, second: Any, latex: tuple[str, str], doc: str) -> Any:
    titles = f"{name}_first", f"{name}_second"
    for k, (title, slope) in enumerate(zip(titles, (first, second), strict=True)):
        record: Any = {"domain": (0.3, 3.0), "latex": latex[k], "doc": f"One of the integrals of `{name}`."}
        part(name, k, title, slope, forward=_OURS.get(title), **record)

    def pair(x: Any) -> tuple[Tensor, Tensor]:
        a, b = (getattr(rec, title)(x) for title in titles)
        return a, b

    pair.__name__ = pair.__qualname__ = name
    pair.__doc__ = f"""{doc}

    >>> import tinygrad_math as tm
    >>> a, b = tm.special.{name}(1.0)
    """
    return pair


iti0k0 = _pair(
    "iti0k0", lambda xp, y, x: xp.i0(x), lambda xp, y, x: xp.k0(x), (r"\int_0^{{{0}}} I_0", r"\int_0^{{{0}}} K_0"),
    "The integrals of I_0 and of K_0 from 0 to x.",
)  # fmt: skip
itj0y0 = _pair(
    "itj0y0", lambda xp, y, x: xp.j0(x), lambda xp, y, x: xp.y0(x), (r"\int_0^{{{0}}} J_0", r"\int_0^{{{0}}} Y_0"),
    "The integrals of J_0 and of Y_0 from 0 to x.",
)  # fmt: skip
it2i0k0 = _pair(
    "it2i0k0", lambda xp, y, x: _first_terms(xp, x, 1), lambda xp, y, x: -xp.k0(x) / x,
    (r"\int_0^{{{0}}} \frac{{I_0(t) - 1}}{{t}} dt", r"\int_{{{0}}}^\infty \frac{{K_0(t)}}{{t}} dt"),
    "The integrals of (I_0(t) - 1) / t from 0 to x, and of K_0(t) / t from x on.",
)  # fmt: skip
it2j0y0 = _pair(
    "it2j0y0", lambda xp, y, x: _first_terms(xp, x, -1), lambda xp, y, x: -xp.y0(x) / x,
    (r"\int_0^{{{0}}} \frac{{1 - J_0(t)}}{{t}} dt", r"\int_{{{0}}}^\infty \frac{{Y_0(t)}}{{t}} dt"),
    "The integrals of (1 - J_0(t)) / t from 0 to x, and of Y_0(t) / t from x on.",
)  # fmt: skip
