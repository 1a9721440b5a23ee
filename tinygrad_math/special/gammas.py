"""The gamma function and its kin: gamma, gammaln, digamma, polygamma, rgamma, gammasgn, multigammaln, beta."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.checks import require
from ..core.declare import alias, elementwise, general, helper, nondiff
from ..core.errors import ArgumentError, NoDerivative, integer
from ..core.op import raw
from ..core.quiet import ignoring
from ..core.samples import positive, sample
from ..core.tensor import as_tensor, rec
from .ends import beyond, nowhere
from .polygammas import polygamma_of, zeta_of
from .quadrature import bell, in_blocks, log_of_peak
from .scipy_rows import differentiate, doubles, float_kind, forward_of, refuse_complex, row
from .stirling import MANY, log_beta

__all__ = [
    "beta",
    "betaln",
    "digamma",
    "gamma",
    "gammaln",
    "gammasgn",
    "multigammaln",
    "polygamma",
    "psi",
    "rgamma",
]


def _off_the_poles() -> list[Any]:
    below = np.array([-0.5, -1.3, -2.7])
    return [sample(positive(4)), sample(positive(2, 3)), sample(positive()), sample(positive(0, 2)), sample(below)]


def _gamma_slope(xp: Any, y: Any, x: Any) -> Any:
    """gamma(x) digamma(x), and at infinity an exponential, of which all derivatives are infinite too."""
    if xp is raw:
        return y * xp.digamma(x)
    # y itself would pass 0 times its infinite slope on
    return beyond(xp, xp.equal(x, math.inf), x, xp.exp, lambda x: xp.gamma(x) * xp.digamma(x))


gamma = row(
    "gamma",
    _gamma_slope,
    latex=r"\Gamma({0})",
    samples=_off_the_poles,
    doc="""The gamma function. d/dx = gamma(x) digamma(x).

    >>> import tinygrad_math as tm
    >>> tm.special.gamma(5.0)
    tensor(24.)
    """,
)
_scipys_gammaln = forward_of("gammaln", "x")
_BETWEEN, _HALF = np.array(1.5), np.array(0.5)  # which a ufunc takes faster than Python's numbers
_NEAR = np.array(0.25)  # from 1 and 2, where the logarithm vanishes and SciPy's is left with the digits of 1
_TINY = 1e-300  # below it the logarithm of gamma is that of 1/x


@functools.cache
def _taylor() -> Any:
    """(-1)^k (zeta(k) - 1)/k for k from 2 on."""
    from scipy import special

    k = np.arange(2, 20)
    return special.zetac(k) / k * (-1.0) ** k


def _beside_zeros(x: Any) -> Any:
    """The logarithm of gamma of a vector of numbers near 1 and 2, by Taylor's series at 2 (DLMF 5.7.3) and, for those
    near 1, gamma(x) = gamma(x + 1) / x."""
    low, terms = x < 1.5, _taylor()
    step = x - (2.0 - low)
    powers, n = np.empty((len(terms), len(x))), 1
    powers[0] = step
    while n < len(powers):  # a call for each term would take longer than all of them
        np.multiply(powers[: len(powers) - n][:n], powers[n - 1], out=powers[n : 2 * n])
        n *= 2
    total = (terms.dot(powers) + (1 - np.euler_gamma)) * step
    return np.where(low, total - np.log1p(step), total) + 0.0  # 0, not -0


def log_gamma(x: Any, /) -> Any:
    """SciPy's gammaln, beside its zeros by Taylor's series there; it is infinite too early next to 0."""
    y = _scipys_gammaln(x)
    at = np.asarray(x, np.float64)
    if not at.size:
        return y
    if not at.item(at.argmin()) >= _TINY:  # some is below, or not a number
        size = np.abs(at)
        tiny = (size < _TINY) & (size > 0)
        if tiny.any():
            y = np.where(tiny, -np.log(np.where(tiny, size, 1.0)), y).astype(y.dtype)[()]
    away = np.abs(at - _BETWEEN)
    near = np.abs(away - _HALF) < _NEAR  # of 1 or of 2
    if not near.any():
        return y
    if not at.ndim:
        return y.dtype.type(_beside_zeros(at.reshape(1))[0])
    y[near] = in_blocks(_beside_zeros, at[near])
    return y


gammaln = row(
    "gammaln",
    lambda xp, y, x: xp.digamma(x),
    forward=log_gamma,
    latex=r"\ln \lvert \Gamma({0}) \rvert",
    samples=_off_the_poles,
    doc="The logarithm of |gamma(x)|. d/dx = digamma(x).",
)
digamma = row(
    "psi",
    lambda xp, y, x: xp.polygamma(1, x),
    latex=r"\psi({0})",
    samples=_off_the_poles,
    doc="The logarithmic derivative of gamma. d/dx = polygamma(1, x). Also called psi.",
)
psi = digamma
alias("digamma", digamma)

gammasgn = nondiff(
    forward_of("gammasgn", "x"),
    name="gammasgn",
    latex=r"\operatorname{{sgn}} \Gamma({0})",
    samples=_off_the_poles,
    doc="The sign of gamma(x). Constant between the poles: recorded without a derivative.",
)


def inverse_gamma_slope(xp: Any, y: Any, x: Any) -> Any:
    """-psi(x)/Gamma(x); below 1/2 from 1/Gamma(x) = sin(pi x) Gamma(1-x)/pi, which is smooth at the poles of Gamma."""
    left = xp.less(x, 0.5)
    end = xp.equal(x, math.inf)
    low, high = xp.where(left, x, 0.5), xp.where(xp.logical_or(left, end), 0.5, x)
    turn = math.pi * (low - 2 * xp.rint(low / 2))  # all of the digits of sine and cosine, far out too
    over = xp.less(low, _OVER)
    some = not nowhere(over)
    near, turn = (xp.where(over, 0.5, v) for v in (low, turn)) if some else (low, turn)
    mirrored = xp.gamma(1 - near) * (xp.cos(turn) - xp.sin(turn) * xp.digamma(1 - near) / math.pi)
    if some:
        mirrored = xp.where(over, xp.inverse_gamma_far(xp.where(over, low, _OVER)), mirrored)
    return xp.where(left, mirrored, xp.where(end, 0.0, -xp.digamma(high) * xp.rgamma(high)))


_OVER = -170.6  # the gamma function of 1 - x is infinite next to here


@general(
    arity=1,
    latex=r"\partial_{{x}}^{{{n}}} \frac{{1}}{{\Gamma({0})}}",
    shape="same as x",
    samples=lambda: [sample(-positive(4)), sample(-positive(2, 3), n=2), sample(-positive()), sample(-positive(0, 2))],
)
def inverse_gamma_far(x: Any, /, n: int = 1) -> Any:
    """The derivative of this order of 1/Gamma(x) at x < 0, of sin(pi x) Gamma(1 - x)/pi by Leibniz' rule.

    Far below 0 it is infinite, with its sign: the factors alone would give 0 times infinity at the poles.
    """
    from scipy import special

    kind = float_kind(x)
    (x,) = doubles(x)
    turn, total = math.pi * (x - 2 * np.rint(x / 2)), np.zeros_like(x)
    with ignoring():
        for k in range(n + 1):
            rise = bell(lambda j, _: special.psi(1 - x) if j == 1 else special.polygamma(j - 1, 1 - x), k)
            wave = (np.sin, np.cos, lambda t: -np.sin(t), lambda t: -np.cos(t))[(n - k) % 4](turn)
            total = total + math.comb(n, k) * (-1) ** k * rise * math.pi ** (n - k - 1) * wave
        size = np.exp(special.gammaln(1 - x) + np.log(np.abs(total)))
        plain = np.where(x > _OVER, total * special.gamma(1 - x), np.copysign(size, total))
        return np.where(total == 0, 0.0, plain).astype(kind)[()]


differentiate(inverse_gamma_far, lambda xp, y, x, n: xp.inverse_gamma_far(x, n=n + 1))


rgamma = row(
    "rgamma",
    inverse_gamma_slope,
    latex=r"\frac{{1}}{{\Gamma({0})}}",
    samples=lambda: [*_off_the_poles(), sample(np.array([0.0, -1.0, -2.0, 0.5, 1.0]))],
    doc="1/gamma(x), entire. d/dx = -digamma(x)/gamma(x); at the poles x = -n it is (-1)^n n!.",
)


@general(
    arity=2,
    latex=r"\psi^{{({0})}}({1})",
    shape="broadcast of the arguments",
    samples=lambda: [
        sample(1, positive(4)),
        sample(np.array([0, 1, 2]), positive(3) + 0.5),
        sample(np.array([[1], [2]]), positive(1, 3) + 0.5),
        sample(2, positive() + 0.5),
        sample(1, positive(0, 2)),
        sample(1, np.array([-0.5, -1.4])),
    ],
)
def polygamma(n: Any, x: Any, /) -> Any:
    """The n-th derivative of digamma, for integers n >= 0. d/dx = polygamma(n + 1, x)."""
    if n.__class__ is int and 0 < n < _MANY and x.__class__ is np.ndarray and x.dtype.char == "d":
        return _polygamma_of_few(n, x)  # nearly always
    refuse_complex("polygamma", n, x)
    if np.any(np.asarray(n) < 0):
        raise ArgumentError(f"polygamma is defined for n >= 0, got n = {n!r}")
    if np.ndim(n) == 0 and 0 < n < _MANY and n == int(n):
        return _polygamma_of_few(float(n), x)
    orders, at = doubles(n, x)
    many = (orders >= _MANY) & (orders < math.inf) & (at > 0)
    with ignoring():
        y = np.array(polygamma_of(np.where(many, 1, orders), at), np.float64)
        if many.any():
            y[many] = in_blocks(_polygamma_of_many, orders[many], np.minimum(at[many], _LARGEST))
        return _off_poles(y, orders, at).astype(float_kind(x))[()]


def _off_poles(y: Any, n: Any, x: Any) -> Any:
    """NaN at the poles below 0 of an even order, beside which it has two signs, and at -inf, up to which there are
    poles."""
    if not np.isinf(y).any():
        return y
    swings = (x == -math.inf) | ((x < 0) & (x == np.floor(x)) & (n % 2 == 0))
    return np.where(swings, math.nan, y)


_MANY = 100  # from this order on SciPy's factors, n! and zeta(n + 1, x), will overflow and vanish
_LARGEST = 1e300  # beyond it they are 0


def _polygamma_of_few(n: float, x: Any) -> Any:
    """SciPy's, of one order from 1 on: without the digamma function, and with one factor for all x."""
    with ignoring():
        at = np.asarray(x, np.float64)
        y = _off_poles((-1.0) ** (n + 1) * math.factorial(int(n)) * zeta_of(n + 1, at), n, at)[()]
    return y if y.dtype is getattr(x, "dtype", None) or (kind := float_kind(x)) == y.dtype else y.astype(kind)


def _polygamma_of_many(n: Any, x: Any) -> Any:
    """The n-th derivative of digamma by its integral, of t^n exp(-x t) / (1 - exp(-t)) (DLMF 5.9.12)."""

    from scipy import special

    def log_integrand(u: Any, n: Any, x: Any) -> Any:
        t = np.exp(u)
        return n * u - x * t - np.log(special.exprel(-t))

    return np.where(n % 2 == 1, 1.0, -1.0) * np.exp(log_of_peak(log_integrand, np.log(n / x), n, n, x))


def _no_order(*_: Any, **__: Any) -> Any:
    raise NoDerivative(
        "polygamma has no derivative in n (the order): it is defined for whole n, and its continuations to real n "
        "differ from each other; hold n constant with stop_gradient(), or take gamma(n + 1) zeta(n + 1, x)"
    )


differentiate(polygamma, _no_order, lambda xp, y, n, x: xp.polygamma(n + 1, x))


_MOST = 10_000  # terms of a sum that is recorded one by one


@named
def multigammaln(a: Any, d: int) -> Any:
    """The logarithm of the multivariate gamma function of dimension d, for a > (d - 1)/2.

    log Gamma_d(a) = d (d-1)/4 log(pi) + sum_(j<d) gammaln(a - j/2); its derivative is the sum of the digammas.
    Raises ArgumentError for d < 1, OutsideDomain.

    >>> import tinygrad_math as tm
    >>> float(tm.special.multigammaln(3.5, 1)) == float(tm.special.gammaln(3.5))
    True
    """
    d = integer(d, "multigammaln", "the dimension d")
    if d < 1:
        raise ArgumentError(f"multigammaln: the dimension d is a positive integer, got {d!r}")
    a = as_tensor(a)
    least = (d - 1) / 2
    a = require(a, ~rec.less_equal(a, least), f"multigammaln: a exceeds (d - 1)/2 = {least:g} for d = {d}, got {{}}")
    if d > _MOST:
        raise ArgumentError(f"multigammaln: a sum of d = {d:,} terms; no more than {_MOST:,}")
    constant = d * (d - 1) / 4 * math.log(math.pi)
    total = rec.gammaln(a)
    for j in range(1, int(d)):
        total = total + rec.gammaln(a - j / 2)
    return total + constant


def _two_positive() -> list[Any]:
    return [
        sample(positive(3), positive(3, key=1)),
        sample(positive(2, 1), positive(1, 3)),
        sample(positive(), positive(2)),
        sample(positive(0, 2), positive(2)),
        sample(2.0, positive(3)),
    ]


_STEPS = 12  # x grows by these before the expansion for large x is used
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)


def psi_difference(a: Any, b: Any, n: int = 0) -> Any:
    """What the op `psi_rise` gives, of arrays."""
    refuse_complex("beta", a, b)
    kind = float_kind(a, b)
    a, b = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(b, np.float64))
    with ignoring():
        found = in_blocks(lambda a, b: _psi_difference(a, b, n), a.ravel(), b.ravel())
    return found.reshape(a.shape).astype(kind)[()]


def _psi_difference(a: Any, b: Any, n: int) -> Any:
    """Of vectors, all terms at once along a new first axis."""

    def fall(x: Any, p: Any) -> Any:
        """x^-p - (x + b)^-p."""
        return -(x**-p) * np.expm1(-p * np.log1p(b / x))

    x, scale = a + _STEPS, math.factorial(n)
    powers = np.array([n + 1.0, *(2.0 * k + n for k in range(1, len(_BERNOULLI) + 1))])
    factors = [c * math.factorial(2 * k + n - 1) / math.factorial(2 * k) for k, c in enumerate(_BERNOULLI, 1)]
    total = scale * fall(a + np.arange(_STEPS)[:, None], n + 1.0).sum(0)
    total = total + (np.log1p(b / x) if n == 0 else math.factorial(n - 1) * fall(x, float(n)))
    total = total + (np.array([scale / 2, *factors])[:, None] * fall(x, powers[:, None])).sum(0)
    plain = polygamma_of(n, a + b) - polygamma_of(n, a)
    return np.where((a > 0) & (b > -0.5 * a), (-1) ** n * total, plain)


@general(
    arity=2,
    latex=r"\psi^{{({n})}}({0} + {1}) - \psi^{{({n})}}({0})",
    shape="broadcast of the arguments",
    samples=lambda: [*_two_positive(), *(sample(*s.args, n=1) for s in _two_positive())],
)
def psi_rise(a: Any, b: Any, /, n: int = 0) -> Any:
    """polygamma(n, a + b) - polygamma(n, a) with all digits, where the two are nearly equal too.

    For positive a, and a b that is not far below 0, all terms have one sign: those of the recurrence, 1/(a+j) -
    1/(a+b+j), and those of the expansion in 1/x (DLMF 5.15.5, 5.15.8), whose differences a^-p - (a+b)^-p are -a^-p
    expm1(-p log1p(b/a)).
    """
    return psi_difference(a, b, n)


@psi_rise.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, b: Any, n: int) -> Any:
    return (
        g * xp.psi_rise(a, b, n=n + 1) if need[0] else None,
        g * xp.polygamma(n + 1, a + b) if need[1] else None,
    )


@psi_rise.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, b: Any, n: int) -> Any:
    in_a = None if ts[0] is None else ts[0] * xp.psi_rise(a, b, n=n + 1)
    in_b = None if ts[1] is None else ts[1] * xp.polygamma(n + 1, a + b)
    return in_b if in_a is None else in_a if in_b is None else in_a + in_b


def _beta_da(a: Any, b: Any, /) -> Any:
    from scipy import special

    kind = float_kind(a, b)
    a, b = doubles(a, b)
    return (-special.beta(a, b) * psi_difference(a, b)).astype(kind)[()]


def _remainder(xp: Any, a: Any, b: Any) -> Any:
    """((psi(1 + a + b) - psi(1 + b))/a - psi'(1 + a + b))/a, by its series for a small a."""
    small = xp.less(xp.abs(a), 0.1)
    near, far = xp.where(small, a, 0.0), xp.where(small, 1.0, a)
    total = 0.0 * near
    for k in range(18, 0, -1):
        total = total * near - k / math.factorial(k + 1) * xp.polygamma(k + 1, 1 + b)
    direct = (xp.psi_rise(1 + b, far) / far - xp.polygamma(1, 1 + far + b)) / far
    return xp.where(small, total, direct)


@helper("beta_mixed")
def beta_mixed(xp: Any, a: Any, b: Any) -> Any:
    """d2 B/(da db). B is (1/a + 1/b) C with C = gamma(1 + a) gamma(1 + b)/gamma(1 + a + b), which is smooth at 0: what
    is left where terms of size 1/(a b) cancel is written without them."""
    c = xp.exp(xp.gammaln(1 + a) + xp.gammaln(1 + b) - xp.gammaln(1 + a + b))
    rises = xp.psi_rise(1 + a, b) / b * (xp.psi_rise(1 + b, a) / a)
    return c * (_remainder(xp, a, b) + _remainder(xp, b, a) + (a + b) * rises)


def _in_doubles(f: Callable[[Any, Any, Any], Any]) -> Callable[..., Any]:
    """A partial whose factors would overflow, or lose their digits, in fewer bits, where their product does not."""

    def partial(xp: Any, y: Any, a: Any, b: Any) -> Any:
        a, b = (xp.astype(v, np.float64) if getattr(v, "dtype", None) == np.float32 else v for v in (a, b))
        return xp.astype(f(xp, a, b), y.dtype)

    return partial


def _beta_daa(xp: Any, a: Any, b: Any) -> Any:
    return xp.beta(a, b) * (xp.psi_rise(a, b) ** 2 - xp.psi_rise(a, b, n=1))


def _beta_dab(xp: Any, a: Any, b: Any) -> Any:
    inside = xp.greater(a, 0) & xp.greater(b, 0)
    mixed = xp.beta_mixed(xp.where(inside, a, 1.0), xp.where(inside, b, 1.0))
    plain = xp.beta(a, b) * (xp.psi_rise(a, b) * xp.psi_rise(b, a) - xp.polygamma(1, a + b))
    return xp.where(inside, mixed, plain)


beta_da = elementwise(
    _beta_da,
    _in_doubles(_beta_daa),
    _in_doubles(_beta_dab),
    name="beta_da",
    latex=r"\partial_{{a}} B({0}, {1})",
    samples=_two_positive,
    doc="The derivative of beta(a, b) in a.",
)
beta = row(
    "beta",
    lambda xp, y, a, b: xp.beta_da(a, b),
    lambda xp, y, a, b: xp.beta_da(b, a),
    arguments="a b",
    latex=r"B({0}, {1})",
    samples=_two_positive,
    doc="The beta function gamma(a) gamma(b)/gamma(a + b). d/da = y (digamma(a) - digamma(a + b)).",
)
_scipys_betaln = forward_of("betaln", "a", "b")


def _betaln(a: Any, b: Any, /) -> Any:
    """SciPy's function, but for a large argument, of which it takes the difference of two large logarithms."""
    plain = _scipys_betaln(a, b)
    p, q = doubles(a, b)
    large = np.maximum(p, q) >= MANY
    if not large.any():
        return plain
    large &= (p > 0) & (q > 0) & np.isfinite(p) & np.isfinite(q)
    if not large.any():
        return plain
    with ignoring():  # of arguments so far apart that one is none beside the other
        own = log_beta(np.where(large, p, 1.0), np.where(large, q, 1.0))
    return np.where(large, own, plain).astype(np.asarray(plain).dtype)[()]


betaln = row(
    "betaln",
    lambda xp, y, a, b: -xp.psi_rise(a, b),
    lambda xp, y, a, b: -xp.psi_rise(b, a),
    arguments="a b",
    forward=_betaln,
    latex=r"\ln B({0}, {1})",
    samples=_two_positive,
    doc="The logarithm of |beta(a, b)|. d/da = digamma(a) - digamma(a + b).",
)
