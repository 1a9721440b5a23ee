"""Further functions: powm1, lambertw, zetac, hyp0f1, hyperu, lpmv, wright_bessel, polynomials."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, NotAnInteger, describe
from ..core.quiet import ignoring
from ..core.samples import complexes, positive, real, sample
from ..core.tensor import as_tensor, rec
from .ends import beyond
from .fractional_degrees import LONGEST, jacobis
from .hypergeometric import evaluated
from .scipy_rows import doubles, float_kind, forward_of, no_derivative, refuse_complex, row
from .tricomi import hyperu_of

__all__ = [
    "eval_chebyc", "eval_chebys", "eval_sh_chebyt", "eval_sh_chebyu", "eval_sh_legendre", "hyp0f1", "hyperu",
    "lambertw", "log_wright_bessel", "lpmv", "powm1", "wright_bessel", "zetac",
]  # fmt: skip

powm1 = row(
    "powm1",
    lambda xp, y, x, p: p * xp.power(x, p - 1),
    lambda xp, y, x, p: xp.power(x, p) * xp.log(x),
    arguments="x y",
    domain=((0.2, 3.0), (-2.0, 2.0)),
    latex="{0}^{{{1}}} - 1",
    doc="""x^y - 1, exact where x^y is near 1. d/dx = y x^(y-1), d/dy = x^y log(x).

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.special.powm1, argnums=1)(tm.e, 0.0)
    tensor(1.)
    """,
)


def _lambert(z: Any, k: Any, /) -> Any:
    from scipy import special

    single = np.asarray(z).dtype == np.complex64
    if np.any(np.asarray(k) != np.round(k)) or np.any(np.imag(k) != 0) or not np.all(np.abs(k) < 2.0**63):
        raise NotAnInteger(f"lambertw: k is the whole number of a branch, of 64 bits; got {describe(k)}")
    branch = np.asarray(k).real.astype(np.int64)
    w = _beside_the_branch_point(z, branch, np.asarray(special.lambertw(z, branch)))
    return w.astype(np.complex64 if single else np.complex128)[()]


_BRANCH_TERMS = [  # of the powers of sqrt(2 (e z + 1)): DLMF 4.13.6
    -1.0, 1.0, -1 / 3, 11 / 72, -43 / 540, 769 / 17280, -221 / 8505, 680863 / 43545600, -1963 / 204120,
    226287557 / 37623398400, -5776369 / 1515591000,
]  # fmt: skip
_REST_OF_INVERSE_E = -1.242875367278836e-17  # what 1/e has beyond its double


def _beside_the_branch_point(z: Any, k: Any, w: Any) -> Any:
    """w, but for real z next to -1/e, where SciPy's steps of the branch -1 end too early, a series in its place."""
    z, k, w = np.broadcast_arrays(np.asarray(z, np.complex128), k, w)
    above = (z.real + math.exp(-1)) + _REST_OF_INVERSE_E
    near = (z.imag == 0) & (above > 0) & (above < 5e-5) & ((k == 0) | (k == -1))
    if near.any():
        p = np.sqrt(2 * math.e * np.where(near, above, 0.0)) * np.where(k == 0, 1.0, -1.0)
        w = np.where(near, np.polyval(_BRANCH_TERMS[::-1], p), w)
    tiny = (z.imag == 0) & (z.real < 0) & (z.real > -np.finfo(float).tiny) & (k == -1)
    if tiny.any():  # where exp(w) has too few digits for SciPy's steps: w = log(-z) - log(-w), to the last digit
        log = np.log(np.where(tiny, -z.real, 1e-310))
        at = log
        for _ in range(9):
            at = log - np.log(-at)
        w = np.where(tiny, at, w)
    return w


def lambertw(z: Any, k: Any = 0, tol: float = 1e-8) -> Any:
    """Lambert's W, the branch k of the solutions w of w exp(w) = z, complex. dw/dz = exp(-w) / (1 + w).

    `tol` is SciPy's, and changes nothing: the steps go on to the last digit.
    Real z give complex numbers, as SciPy's; take `.real` where z > -1/e.

    >>> import tinygrad_math as tm
    >>> tm.grad(lambda z: tm.special.lambertw(z).real)(tm.e)  # 1 / (2 e)
    tensor(0.18393972)
    """
    if not isinstance(tol, (int, float, np.bool_, np.integer, np.floating)):
        raise ArgumentError(f"lambertw: tol is a real number, got {describe(tol)}")
    return rec.lambert(as_tensor(z) + 0j, k)


row(
    "lambertw",
    lambda xp, y, z, k: xp.exp(-y) / (1 + y),
    no_derivative("lambertw", "k"),
    forward=_lambert,
    title="lambert",
    holomorphic=True,
    samples=lambda: [sample(complexes(4), 0), sample(complexes(3) + 2, 1), sample(0.5 + 0.3j, -1),
                     sample(complexes(0, 2), 0)],
    latex="W_{{{1}}}({0})",
    doc="Lambert's W of complex z, of `lambertw`.",
)  # fmt: skip


_GONE = 1100.0  # 2^-x is 0 from here on


def _zeta_above_one(x: Any, /) -> Any:
    """SciPy's up to 2, from there on its zeta(x, 2): its own zetac is 0 from 127 on, where that is 2^-127."""
    from scipy import special

    refuse_complex("zetac", x)
    large = np.asarray(x) > 2
    return np.where(large, special.zeta(np.where(large, np.minimum(x, _GONE), 3), 2), special.zetac(x)).astype(
        float_kind(x)
    )[()]


zetac = row(
    "zetac",
    lambda xp, y, x: xp.riemann_slope(x, order=1),
    forward=_zeta_above_one,
    domain=(1.5, 4.0),
    latex=r"\zeta({0}) - 1",
    doc="Riemann's zeta less 1. d/dx = zeta'(x).",
)


def _between() -> list[Any]:
    return [sample(1, 2, positive(4)), sample(2, 1, positive()), sample(1, 1, positive(0, 2))]


_MANY = 50  # from this parameter on the series hardly cancels, and SciPy's gamma function of it will overflow
_TERMS = 400


def limit_function(v: Any, z: Any, /) -> Any:
    """0F1: SciPy's for few, which are NaN from v = 150 on; for many the series, where that has its digits."""
    from scipy import special

    refuse_complex("hyp0f1", v, z)
    kind = float_kind(v, z)
    v, z = doubles(v, z)
    with ignoring():
        y = np.array(special.hyp0f1(v, z))
        ours = (np.abs(v) >= _MANY) & ~((v < 0) & (v == np.floor(v))) & np.isfinite(v) & (np.abs(z) < 1e4)
        at, over = v[ours], z[ours]
        term, total, size = (np.ones(at.shape) for _ in range(3))
        for k in range(_TERMS + int(-min(at.min(initial=0), 0))):
            term = term * over / ((at + k) * (k + 1))
            total, size = total + term, size + np.abs(term)
        y[ours] = np.where(size <= 1e3 * np.abs(total), total, y[ours])
    lost = np.isnan(y) & (v > 0) & (v < math.inf)
    y = np.where(lost & (z > 1e6 * np.maximum(v, 1)), math.inf, y)  # as exp(2 sqrt(z))
    y = np.where(lost & (z == -math.inf) & (v > 0.5), 0.0, y)  # as |z|^(1/4 - v/2), a wave
    return y.astype(kind)[()]


hyp0f1 = row(
    "hyp0f1",
    no_derivative("hyp0f1", "v"),
    lambda xp, y, v, z: xp.hyp0f1(v + 1, z) / v,
    arguments="v z",
    forward=limit_function,
    samples=lambda: [sample(2, real(4)), sample(1, real()), sample(3, real(0, 2))],
    latex="{{}}_0F_1({0}; {1})",
    doc="The hypergeometric limit function 0F1(v; z). d/dz = 0F1(v + 1; z) / v.",
)


def _tricomi_slope(xp: Any, y: Any, a: Any, b: Any, x: Any) -> Any:
    """-a U(a + 1, b + 1, x), and 0 of the constant U(0, b, x), where the other factor is infinite at 0."""
    constant = xp.equal(a, 0)
    return xp.where(constant, 0.0, -a * xp.hyperu(a + 1, b + 1, xp.where(constant, 1.0, x)))


hyperu = row(
    "hyperu",
    no_derivative("hyperu", "a"),
    no_derivative("hyperu", "b"),
    _tricomi_slope,
    arguments="a b x",
    forward=hyperu_of,
    samples=_between,
    latex="U({0}, {1}, {2})",
    doc="Tricomi's confluent hypergeometric function U(a, b, x), x > 0. d/dx = -a U(a + 1, b + 1, x). "
    "By an integral and recurrences (DLMF 13.4.4, 13.3(i)), to 12 digits for parameters up to 200; SciPy's are wrong.",
)


def _legendre_slope(xp: Any, y: Any, m: Any, v: Any, x: Any) -> Any:
    """((v + m) P_(v-1)^m - v x P_v^m) / (1 - x^2), of which the terms cancel next to the ends; there what keeps its
    digits, and may be differentiated at the ends."""
    near = xp.logical_and(xp.less((1 - abs(x)) * (v + 1) * (v + 1), 10), xp.greater(abs(x), 0.75))
    near = xp.logical_and(near, xp.logical_or(xp.greater(x, 0), xp.equal(v, xp.floor(v))))
    end = xp.logical_or(xp.equal(abs(x), 1), xp.logical_and(near, xp.less_equal(abs(x), 1)))
    inside = xp.where(end, 0.0, x)
    slope = ((v + m) * xp.lpmv(m, v - 1, inside) - v * inside * xp.lpmv(m, v, inside)) / (1 - inside * inside)
    return xp.where(end, _at_end(xp, m, v, xp.where(end, x, 1.0)), slope)


def _at_end(xp: Any, m: Any, v: Any, x: Any) -> Any:
    """The slope at x = 1, of (1 - x^2)^(m/2) times a hypergeometric function (DLMF 14.3.4), and at -1 the same of whole
    v, by parity; of other v the function has a logarithm or a power of 1 + x there, with a sign."""
    r = abs(x)
    u, z = (1 - r) * (1 + r), (1 - r) / 2
    a, b, c = m - v, v + m + 1, m + 1.0
    factor = xp.where(xp.equal(xp.remainder(m, 2), 0), 1.0, -1.0) * xp.poch(v - m + 1, 2.0 * m) / xp.gamma(c) * 0.5**m
    some = xp.greater(m, 0)
    power = xp.where(some, -m * r * xp.power(u, xp.where(some, 0.5 * m - 1, 1.0)) * xp.hyp2f1(a, b, c, z), 0.0)
    rest = -0.5 * xp.power(u, 0.5 * m) * (a * b / c) * xp.hyp2f1(a + 1, b + 1, c + 1, z)
    known = xp.where(xp.equal(factor, 0), 0.0, factor * (power + rest))
    left = xp.less(x, 0)
    turned = xp.logical_and(left, xp.equal(xp.remainder(v + m, 2), 0))
    known = xp.where(turned, -known, known)
    pole = xp.logical_and(left, xp.not_equal(v, xp.floor(v)))
    sign = -_sign_at_pole(xp, xp, m, v)
    return xp.where(pole, sign / (1 + xp.where(pole, x, 1.0)), known)


def _sign_at_pole(xp: Any, special: Any, m: Any, v: Any) -> Any:
    """That of P_v^m next to x = -1, for v that are not whole (DLMF 14.8.2, 14.9.3), by the functions of two rooms."""
    some = xp.greater(m, 0)
    k = xp.where(some, m, 1.0)
    size = special.poch(v - k + 1, 2.0 * k) * special.rgamma(k + 1 + v) * special.rgamma(k - v)
    size = xp.where(xp.equal(xp.remainder(k, 2), 0), size, -size)
    return xp.where(some, xp.sign(size), -xp.sign(xp.sin(math.pi * xp.remainder(v, 2.0))))


_DIGITS = 1e-11  # of the estimate of an error up to which our values are taken


def _by_series(m: Any, v: Any, x: Any) -> tuple[Any, Any]:
    """P_v^m of vectors, below by Euler's transformation, of which 2F1 is finite at 1; and where it has its digits."""
    below = x < _REFLECTED
    first, second = np.where(below, -v, m - v), np.where(below, v + 1, m + v + 1)
    found, error = evaluated(first, second, m + 1, (1 - x) / 2, [(0, 0, 0)])
    factor, root = np.ones_like(x), np.where(below, 2 * np.sqrt((1 - x) / (1 + x)), np.sqrt((1 - x) * (1 + x)))
    for k in range(int(m.max())):
        step = -(v - m + 1 + 2 * k) * (v - m + 2 + 2 * k) * root / (2 * (k + 1))
        factor = np.where(k < m, factor * step, factor)
    return factor * found[0], error[0] <= _DIGITS * np.abs(found[0])


def associated(m: Any, v: Any, x: Any, /) -> Any:
    """P_v^m(x) of degrees that are not whole, of which SciPy's lose digits where m exceeds v (DLMF 14.3.4 and 14.9.3):

    (-1)^m (v-m+1)_(2m) (1 - x^2)^(m/2) / (2^m m!) times 2F1(m - v, v + m + 1; m + 1; (1 - x)/2).
    """
    from scipy import special

    refuse_complex("lpmv", m, v, x)
    kind = float_kind(m, v, x)
    m, v, x = doubles(m, v, x)
    with ignoring():
        y = np.array(special.lpmv(m, v, x))
        ours = (m >= 0) & (m == np.floor(m)) & (m <= _MOST) & (v != np.floor(v)) & (np.abs(x) < 1)
        ours &= np.abs(v) <= LONGEST
        if ours.any():
            a, b, t = m[ours], v[ours], x[ours]
            found, error = jacobis(b - a, a, a, t)
            factor, root = np.ones_like(t), np.sqrt((1 - t) * (1 + t))
            for k in range(int(a.max())):
                step = -(b - a + 1 + 2 * k) * (b - a + 2 + 2 * k) * root / (2 * (k + 1))
                factor = np.where(k < a, factor * step, factor)
            own, good = factor * found, error <= _DIGITS * np.abs(found)
            left = ~good & (np.abs(b) <= _MOST) & (a > 0)
            if left.any():
                own[left], good[left] = _by_series(a[left], b[left], t[left])
            y[ours] = np.where(good & np.isfinite(own), own, y[ours])
        pole = (x == -1) & (m >= 0) & (m == np.floor(m)) & (v != np.floor(v)) & np.isfinite(v)
        if pole.any():
            y[pole] = _sign_at_pole(np, special, m[pole], v[pole]) * math.inf
    return y.astype(kind)[()]


_REFLECTED = -0.5
_MOST = 200  # of the parameters of lpmv that are computed here


lpmv = row(
    "lpmv",
    no_derivative("lpmv", "m"),
    no_derivative("lpmv", "v"),
    _legendre_slope,
    arguments="m v x",
    order=True,
    forward=associated,
    samples=lambda: (
        [sample(m, v, real(4, low=-0.9, high=0.9)) for m, v in ((0, 2), (1, 2), (2, 3))]
        + [sample(1, 2, real(low=-0.5, high=0.5)), sample(0, 1, real(0, 2))]
    ),
    latex="P_{{{1}}}^{{{0}}}({2})",
    doc="The associated Legendre function P_v^m(x), whole m >= 0, |x| <= 1. "
    "(1 - x^2) d/dx = (v + m) P_(v-1)^m - v x P_v^m. Of a v that is not whole, of m or |v| from 200 on beside x = -1 "
    "values are SciPy's, with 9 digits. Second derivatives at +-1 of odd m are NaN.",
)
_scipys_wright = forward_of("wright_bessel", "a", "b", "x", order=True)


def wright(a: Any, b: Any, x: Any, /) -> Any:
    """SciPy's wright_bessel, which is no number far out, where it has overflowed."""
    y = np.asarray(_scipys_wright(a, b, x))
    if not np.any(np.isnan(y)):
        return y[()]
    a, b, x = doubles(a, b, x)
    with ignoring():
        held = np.where(a > 0, a, 1.0)
        log = np.where(a > 0, np.log1p(a) + (np.log(x) - a * np.log(held)) / (1 + a), np.log(x))  # of the exponent
        over = np.isnan(y) & (a >= 0) & (b >= 0) & (log > 8 + np.log1p(a + b))
    return np.where(over, math.inf, y).astype(y.dtype)[()]


_FAR_OUT = 1e4  # times the square of the parameters: here the logarithms have lost what their difference needs


def _log_wright_slope(xp: Any, y: Any, a: Any, b: Any, x: Any) -> Any:
    """The ratio of Phi(a, a + b; x) to Phi(a, b; x), far out by the first terms of both expansions (Wright 1935): with
    Z = (a x)^(1/(1 + a)) it is Z^-a (1 - a (2 b - 1)/(2 (1 + a) Z))."""
    size = 1 + a + b
    some = xp.greater(a, 0)
    held = xp.where(some, a, 1.0)
    far = (some & xp.greater(xp.power(held * x, 1 / (1 + held)), _FAR_OUT * size * size)) | xp.equal(x, math.inf)

    def expanded(x: Any) -> Any:
        inverse = xp.power(held * x, -1 / (1 + held))
        ratio = xp.power(held * x, -held / (1 + held)) * (1 - held * (b - 0.5) / (1 + held) * inverse)
        return xp.where(some, ratio, 1.0)

    def inside(x: Any) -> Any:
        return xp.exp(xp.log_wright_bessel(a, a + b, x) - xp.log_wright_bessel(a, b, x))

    return beyond(xp, far, x, expanded, inside)


wright_bessel = row(
    "wright_bessel",
    no_derivative("wright_bessel", "a"),
    no_derivative("wright_bessel", "b"),
    lambda xp, y, a, b, x: xp.wright_bessel(a, a + b, x),
    arguments="a b x",
    forward=wright,
    samples=_between,
    latex=r"\Phi({0}, {1}; {2})",
    doc="Wright's generalised Bessel function, the sum of x^k / (k! gamma(a k + b)). d/dx = Phi(a, a + b; x).",
)
log_wright_bessel = row(
    "log_wright_bessel",
    no_derivative("log_wright_bessel", "a"),
    no_derivative("log_wright_bessel", "b"),
    _log_wright_slope,
    arguments="a b x",
    order=True,
    samples=_between,
    latex=r"\ln \Phi({0}, {1}; {2})",
    doc="The logarithm of wright_bessel(a, b, x). d/dx is the ratio of Phi(a, a + b; x) to it.",
)


def _floating(x: Any) -> Any:
    """x, in doubles where it is whole: twice an integer of few bits may be beyond them."""
    x = as_tensor(x)
    return rec.astype(x, np.float64) if x.dtype.kind in "biu" else x


def eval_sh_legendre(n: Any, x: Any) -> Any:
    """Legendre's polynomial on (0, 1), P_n(2x - 1).

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.special.eval_sh_legendre, argnums=1)(1, 0.3)
    tensor(2.)
    """
    return rec.eval_legendre(n, 2 * _floating(x) - 1)


def eval_sh_chebyt(n: Any, x: Any) -> Any:
    """Chebyshev's polynomial of the first kind on (0, 1), T_n(2x - 1).

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.special.eval_sh_chebyt, argnums=1)(1, 0.3)
    tensor(2.)
    """
    return rec.eval_chebyt(n, 2 * _floating(x) - 1)


def eval_sh_chebyu(n: Any, x: Any) -> Any:
    """Chebyshev's polynomial of the second kind on (0, 1), U_n(2x - 1).

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.special.eval_sh_chebyu, argnums=1)(1, 0.3)
    tensor(4.)
    """
    return rec.eval_chebyu(n, 2 * _floating(x) - 1)


def eval_chebyc(n: Any, x: Any) -> Any:
    """Chebyshev's polynomial on (-2, 2), C_n(x) = 2 T_n(x/2).

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.special.eval_chebyc, argnums=1)(2, 0.5)  # of x^2 - 2
    tensor(1.)
    """
    return 2 * rec.eval_chebyt(n, as_tensor(x) / 2)


def eval_chebys(n: Any, x: Any) -> Any:
    """Chebyshev's polynomial on (-2, 2), S_n(x) = U_n(x/2).

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.special.eval_chebys, argnums=1)(2, 0.5)  # of x^2 - 1
    tensor(1.)
    """
    return rec.eval_chebyu(n, as_tensor(x) / 2)
