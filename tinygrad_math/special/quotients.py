"""Quotients of gamma functions that have names, and their derivatives at the zeros and poles of these: poch, binom."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.declare import general
from ..core.op import raw
from ..core.quiet import ignoring
from ..core.samples import sample
from .bessel_paths import turn
from .ends import nowhere
from .gammas import inverse_gamma_slope
from .scipy_rows import differentiate, doubles, float_kind, forward_of, refuse_complex, row
from .stirling import log_rise

__all__ = ["binom", "poch"]


def rising(z: Any, m: Any, /) -> Any:
    """SciPy's poch, and its limits for z to inf, those of z^m, and for m to inf."""
    y = np.asarray(_scipys_poch(z, m))
    if not np.any(np.isinf(z)) and not np.any(np.isinf(m)):
        return y[()]
    a, b = doubles(z, m)
    with ignoring():
        y = np.where((a == math.inf) & np.isfinite(b), a**b, y)
        return np.where((b == math.inf) & (a > 0), math.inf, y).astype(float_kind(z, m))[()]


_scipys_poch = forward_of("poch", "z", "m")


def _at_pole(xp: Any, x: Any) -> Any:
    return xp.less_equal(x, 0) & xp.equal(x, xp.round(x))


def _rising_slope(xp: Any, y: Any, z: Any, m: Any) -> Any:
    """y (psi(z + m) - psi(z)); beside a pole of Gamma(z), where y is nearly 0, as the slope of the product of
    Gamma(z + m) and 1/Gamma(z), which has derivatives of its own there."""
    whole, last, total = xp.round(z), xp.round(z + m), z + m
    close = xp.less(xp.abs(z - whole), 0.01 * xp.minimum(xp.abs(m), 1.0))
    apart = xp.greater(total, 0.01) | xp.greater(xp.abs(total - last), 0.01)
    near = xp.less_equal(whole, 0) & (xp.equal(z, whole) | close) & apart
    near = near | (_at_pole(xp, z) & xp.logical_not(_at_pole(xp, total)))
    low = near & xp.less(xp.maximum(z, total), -_REFLECTED)
    off, zero, end = xp.where(near, 1.0, z), xp.where(near, z, 0.0), xp.where(near, total, 1.0)
    if not nowhere(low):
        zero, end = xp.where(low, 0.0, zero), xp.where(low, 1.0, end)
    inverse = xp.rgamma(zero)
    product = xp.gamma(end) * (xp.digamma(end) * inverse + inverse_gamma_slope(xp, inverse, zero))
    slope = xp.where(near, product, y * xp.psi_rise(off, m))
    if nowhere(low):
        return slope
    return xp.where(low, _reflected_slope(xp, xp.where(low, z, -9.5), xp.where(low, m, 0.5)), slope)


_REFLECTED = 100.0  # below minus this the gamma functions would leave the range before their quotient does


def _reflected_slope(xp: Any, z: Any, m: Any) -> Any:
    """The slope of sin(pi z)/sin(pi (z + m)) times (1 - z - m)_m, the same by reflection (DLMF 5.5.3)."""
    (s, c), (sin, cos) = ((xp.sin(v), xp.cos(v)) for v in (math.pi * (z - xp.round(z)), math.pi * (m - xp.round(m))))
    across = s * cos + c * sin
    rise = xp.poch(1 - z - m, m)
    turned = xp.where(xp.equal(xp.remainder(xp.round(m), 2), 0), 1.0, -1.0)
    return turned * rise * (math.pi * sin / across - s * xp.psi_rise(1 - z - m, m)) / across


_MANY = 1e20  # times the squares of degrees: from here on a polynomial of this degree is its first term


def _is_power(xp: Any, z: Any, m: Any) -> Any:
    return xp.greater(z, _MANY * (1 + m * m))


def _by_power(xp: Any, far: Any, power: Callable[..., Any], inside: Callable[..., Any], y: Any, z: Any, m: Any) -> Any:
    """inside(y, z, m), and where z is far out the derivative of z^m, which has its limits."""
    if nowhere(far):
        return inside(y, z, m)
    if xp is not raw:  # y itself would pass 0 times its infinite slopes on
        y = xp.poch(xp.where(far, 1.0, z), xp.where(far, 1.0, m))
    own = power(xp.where(far, z, math.inf), xp.where(far, m, 1.0))
    return xp.where(far, own, inside(xp.where(far, 1.0, y), xp.where(far, 1.0, z), xp.where(far, 1.0, m)))


def _poch_in_z(xp: Any, y: Any, z: Any, m: Any) -> Any:
    return _by_power(
        xp, _is_power(xp, z, m), lambda z, m: xp.power_slope(z, m, n=1), lambda *v: _rising_slope(xp, *v), y, z, m
    )


def _poch_in_m(xp: Any, y: Any, z: Any, m: Any) -> Any:
    def inside(y: Any, z: Any, m: Any) -> Any:
        return y * xp.digamma(z + m)

    up = xp.equal(m, math.inf) & xp.greater(z, 0) & xp.isfinite(z)
    if not nowhere(up):
        rest = xp.where(up, 1.0, m)
        y = xp.poch(xp.where(up, 1.0, z), rest)
        return xp.where(up, xp.exp(m), _by_power(xp, _is_power(xp, z, rest), xp.power_log, inside, y, z, rest))
    return _by_power(xp, _is_power(xp, z, m), xp.power_log, inside, y, z, m)


poch = row(
    "poch",
    _poch_in_z,
    _poch_in_m,
    forward=rising,
    arguments="z m",
    domain=((0.3, 3.0), (0.2, 2.0)),
    latex="({0})_{{{1}}}",
    doc="Pochhammer's symbol gamma(z + m) / gamma(z). d/dz = y (psi(z + m) - psi(z)), d/dm = y psi(z + m).",
)


def _at_zeros(xp: Any, n: Any, k: Any, steps: tuple[float, float]) -> tuple[Any, Any]:
    """The derivative of the binomial coefficient where it is 0, as the product of a quotient of two gamma functions and
    the inverse of the third, which has derivatives of its own there; `steps` are those of n and k."""
    lost = _at_pole(xp, n + 1)
    low = _at_pole(xp, k + 1) & xp.logical_not(lost)
    high = _at_pole(xp, n - k + 1) & xp.logical_not(lost)
    zero = low | high
    at = xp.where(zero, xp.where(low, k, n - k), 1.0) + 1.0
    other = xp.where(zero, xp.where(low, n - k, k), 1.0) + 1.0
    top = xp.where(zero, n + 1, 1.0)
    in_at = xp.where(low, steps[1], steps[0] - steps[1])
    inverse = xp.rgamma(at)
    rise = steps[0] * xp.digamma(top) - (steps[0] - in_at) * xp.digamma(other)
    product = (rise * inverse + in_at * inverse_gamma_slope(xp, inverse, at)) / xp.poch(top, other - top)
    return xp.within(product, xp.logical_not(lost)), zero | lost


def _choose_slope(xp: Any, y: Any, n: Any, k: Any) -> Any:
    """y (psi(n-k+1) - psi(k+1))."""
    product, zero = _at_zeros(xp, n, k, (0.0, 1.0))
    a, b = xp.where(zero, 1.0, k + 1), xp.where(zero, 1.0, n - k + 1)
    return xp.where(zero, product, y * (xp.digamma(b) - xp.digamma(a)))


def _choose_of(xp: Any, y: Any, n: Any, k: Any) -> Any:
    """y (psi(n+1) - psi(n-k+1))."""
    product, zero = _at_zeros(xp, n, k, (1.0, 0.0))
    return xp.where(zero, product, y * xp.psi_rise(xp.where(zero, 1.0, n - k + 1), xp.where(zero, 1.0, k)))


_BEYOND = 100.0  # from this |k| on, where it is more than twice |n|, the coefficient is a product that keeps its digits


def _is_far(n: Any, k: Any) -> Any:
    return (np.abs(k) >= _BEYOND) & (np.abs(k) > 2 * np.abs(n)) & np.isfinite(k) & ~((n < 0) & (n == np.floor(n)))


def _far_product(n: Any, k: Any, turned: bool) -> Any:
    from scipy import special

    (cos_k, sin_k), (cos_n, sin_n) = turn(k), turn(n)
    above = k > 0
    if turned:
        wave = np.where(above, cos_k * cos_n + sin_k * sin_n, -cos_k)
    else:
        wave = np.where(above, sin_k * cos_n - cos_k * sin_n, -sin_k)
    rise = log_rise(np.where(above, k + 1, -k), np.where(above, -(n + 1), n + 1))
    size = np.exp(special.gammaln(n + 1) + np.where(above, rise, -rise))
    return np.where(wave == 0, 0.0, special.gammasgn(n + 1) * wave / math.pi * size)


@general(
    arity=2,
    latex=r"\operatorname{{binom}}({0}, {1})",
    shape="broadcast of the arguments",
    samples=lambda: [
        sample(np.array([2.5, 40.2, -3.3]), np.array([130.3, 220.0, -150.4])),
        sample(2.5, np.array([[130.3], [-220.2]]), turned=True),
        sample(2.5, np.float64(130.3)),
        sample(2.5, np.ones((0, 2))),
    ],
)
def binom_far(n: Any, k: Any, /, turned: bool = False) -> Any:
    """The binomial coefficient where k is large, by reflection (DLMF 5.5.3), with a sine of the fraction that k - n has
    lost: gamma(n + 1)/pi sin(pi (k - n)) gamma(k - n)/gamma(k + 1), or far below 0 gamma(n + 1)/pi times -sin(pi k)
    gamma(-k)/gamma(n - k + 1); with `turned` cosines in place of the sines. Each is the derivative of the other."""
    refuse_complex("binom", n, k)
    kind = float_kind(n, k)
    n, k = doubles(n, k)
    with ignoring():
        return np.where(_is_far(n, k), _far_product(n, k, turned), math.nan).astype(kind)[()]


def _far_slope(place: int) -> Callable[..., Any]:
    def partial(xp: Any, y: Any, n: Any, k: Any, turned: bool = False) -> Any:
        above = xp.greater(k, 0)
        beside, size = xp.where(above, k - n, n - k + 1), xp.where(above, k + 1, -k)
        wave = (-math.pi if turned else math.pi) * xp.binom_far(n, k, turned=not turned)
        if place == 0:
            return y * (xp.digamma(n + 1) - xp.digamma(beside)) - xp.where(above, wave, 0.0)
        more = xp.where(above, -n - 1, n + 1)  # beside - size
        up = xp.greater(more, 0)
        step = xp.where(up, 1.0, -1.0) * xp.psi_rise(xp.where(up, size, beside), xp.abs(more))
        return wave + y * step

    return partial


differentiate(binom_far, _far_slope(0), _far_slope(1))


_FROM, _SHORT = 100.0, 20.0  # n from which SciPy's values lose digits, but for the products that those of few k are


def choose(n: Any, k: Any, /) -> Any:
    """SciPy's values, which lose their digits as n or k grow, Stirling's of many n, and those of `binom_far`."""
    from scipy import special

    refuse_complex("binom", n, k)
    kind = float_kind(n, k)
    n, k = doubles(n, k)
    with ignoring():
        far = _is_far(n, k)
        y = np.array(special.binom(n, np.where(far, 0.0, k)))
        y[far] = _far_product(n[far], k[far], False)
        few = np.minimum(k, n - k)
        many = (n >= _FROM) & (few > 0) & np.isfinite(n) & ((few != np.floor(few)) | (few >= _SHORT))
        m, of = few[many], n[many]
        y[many] = np.exp(log_rise(of - m + 1, m) - special.gammaln(m + 1))
        y = np.where((n == math.inf) & np.isfinite(k), n**k * special.rgamma(k + 1), y)
        y = np.where(np.isinf(k), np.where((n > -1) & np.isfinite(n), 0.0, math.nan), y)
    return y.astype(kind)[()]


def _many_slope(xp: Any, n: Any, k: Any, place: int) -> Any:
    """The partials of n^k/gamma(k + 1), which the coefficient is for many n."""
    inverse, endless = xp.rgamma(k + 1), xp.isinf(n)
    if place == 0:
        return xp.power_slope(n, k, n=1) * inverse
    rise = xp.power_log(n, k)
    second = xp.power(xp.where(endless, 1.0, n), k) * inverse_gamma_slope(xp, inverse, k + 1)
    endlessly = xp.where(xp.equal(inverse, 0), 0.0, xp.where(xp.less(inverse, 0), -rise, rise))
    return xp.where(endless, endlessly, rise * xp.where(endless, 1.0, inverse) + second)


def _with_far(place: int, near: Callable[..., Any]) -> Callable[..., Any]:
    """The partial of the coefficient in that argument: that of `binom_far` where it is asked, else `near`; of many n
    that of a power, and for k to infinity 0."""

    def partial(xp: Any, y: Any, n: Any, k: Any) -> Any:
        many, gone = xp.greater(n, _MANY * (1 + k * k)), xp.isinf(k) & xp.greater(n, -1) & xp.isfinite(n)
        if nowhere(many | gone):
            return inside(xp, y, n, k)
        odd = many | gone
        m, at = xp.where(odd, 3.0, n), xp.where(odd, 1.0, k)
        own = _many_slope(xp, xp.where(many, n, math.inf), xp.where(many, k, 1.0), place)
        return xp.where(many, own, xp.where(gone, 0.0, inside(xp, y if xp is raw else xp.binom(m, at), m, at)))

    def inside(xp: Any, y: Any, n: Any, k: Any) -> Any:
        far = xp.greater_equal(xp.abs(k), _BEYOND) & xp.greater(xp.abs(k), 2 * xp.abs(n)) & xp.isfinite(k)
        far = far & xp.logical_not(_at_pole(xp, n + 1))
        m, at = xp.where(far, n, 0.5), xp.where(far, k, 2 * _BEYOND)
        beyond = _far_slope(place)(xp, xp.binom_far(m, at), m, at)
        value = near(xp, xp.where(far, 1.0, y), xp.where(far, 1.0, n), xp.where(far, 0.5, k))
        return xp.where(far, beyond, value)

    return partial


binom = row(
    "binom",
    _with_far(0, _choose_of),
    _with_far(1, _choose_slope),
    arguments="n k",
    forward=choose,
    domain=((3.0, 6.0), (0.3, 2.5)),
    doc="""The binomial coefficient of real n and k. d/dn = y (psi(n+1) - psi(n-k+1)), d/dk = y (psi(n-k+1) - psi(k+1)).

    NaN where n is -1, -2, ..., its poles.

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.special.binom)(4.0, 2.0)  # of n (n - 1) / 2
    tensor(3.5)
    """,
)
