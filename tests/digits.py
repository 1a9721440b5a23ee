"""Closed forms in mpmath of the derivatives of every elementwise op, as the scan takes them (digit_scan.py)."""

import functools
import math

import mpmath
import numpy as np
from digit_scan import DIGITS, INF, beside_zero, needs, points
from mpmath import mp, mpf

LN2, PI = mpmath.ln2, mpmath.pi


@beside_zero
def inverse_gamma_slope(x):
    return -psi(0, x) * mpmath.rgamma(x)


@beside_zero
def inverse_gamma_curvature(x):
    return (psi(0, x) ** 2 - psi(1, x)) * mpmath.rgamma(x)


# -- closed forms of one argument: domain, f', f'', and what stands at singular points --------------------------------


def _step(dtype, dense, finer=True):
    """Every how many-th magnitude is taken: in single precision, of the same formulas, fewer."""
    return 1 if dense else (2 if finer else 3) * (1 if dtype == np.float64 else 2)


class One:
    def __init__(self, first, second, low=-INF, high=INF, ends=None, f=None, around=(), largest=INF, keep=None):
        self.truths, self.low, self.high, self.f = (first, second), low, high, f
        self.ends = ends or {}  # {x: (f'(x), f''(x))}: the limits from inside, or what the op states
        self.around, self.largest, self.keep = around, largest, keep

    def points(self, dtype, dense, finer=True):
        x = points(dtype, self.low, self.high, dense, self.around, _step(dtype, dense, finer))
        largest = self.largest(dtype) if callable(self.largest) else self.largest
        x = x[(np.abs(x) <= largest) & ~((x == 0) & np.signbit(x))]
        return x if self.keep is None else x[self.keep(x)]

    def third(self, x):
        """The central difference of the second derivative, whose error is 80 digits below; off the singular points."""
        near = min([mpf(1), abs(x), *(abs(x - v) for v in (self.low, self.high) if math.isfinite(v))])
        with mp.workdps(160 + 3 * int(abs(mpmath.log10(abs(x))))):
            h = near * mpf(10) ** -40
            return (self.truths[1](x + h) - self.truths[1](x - h)) / (2 * h)

    def truth(self, order):
        def value(x):
            for at, limits in self.ends.items():
                if x == at:
                    return mpf(limits[order])
            if self.low <= x <= self.high:
                return self.truths[order](x)
            return mpf(math.nan)

        value.dps = getattr(self.truths[order], "dps", DIGITS)
        return value


def sech(x):
    return 1 / mpmath.cosh(x)


def logistic(x):
    return 1 / (1 + mpmath.exp(-x)) if x > 0 else mpmath.exp(x) / (1 + mpmath.exp(x))


def slope(x):
    return sech(x / 2) ** 2 / 4


def cube_root(x):
    return mpmath.sign(x) * mpmath.cbrt(abs(x))


def gauss(x):
    return mpmath.exp(-x * x / 2) / mpmath.sqrt(2 * PI)


def root_pi():
    return mpmath.sqrt(PI)


OF_ONE = {
    "negative": One(lambda x: -1, lambda x: 0),
    "positive": One(lambda x: 1, lambda x: 0),
    "square": One(lambda x: 2 * x, lambda x: 2),
    "sqrt": One(lambda x: 1 / (2 * mpmath.sqrt(x)), lambda x: -1 / (4 * x * mpmath.sqrt(x)), 0, ends={0: (INF, -INF)}),
    "cbrt": One(
        lambda x: 1 / (3 * cube_root(x) ** 2), lambda x: -2 / (9 * cube_root(x) ** 5), ends={0: (INF, math.nan)}
    ),
    "reciprocal": One(lambda x: -1 / x**2, lambda x: 2 / x**3, ends={0: (-INF, INF)}),
    "absolute": One(mpmath.sign, lambda x: 0),
    "fabs": One(mpmath.sign, lambda x: 0),
    "exp": One(mpmath.exp, mpmath.exp),
    "exp2": One(lambda x: LN2 * mpf(2) ** x, lambda x: LN2**2 * mpf(2) ** x, around=(1024.0, -1022.0, 1023.0)),
    "expm1": One(mpmath.exp, mpmath.exp),
    "log": One(lambda x: 1 / x, lambda x: -1 / x**2, 0, ends={0: (INF, -INF)}),
    "log2": One(lambda x: 1 / (LN2 * x), lambda x: -1 / (LN2 * x**2), 0, ends={0: (INF, -INF)}),
    "log10": One(lambda x: 1 / (mpmath.ln10 * x), lambda x: -1 / (mpmath.ln10 * x**2), 0, ends={0: (INF, -INF)}),
    "log1p": One(lambda x: 1 / (1 + x), lambda x: -1 / (1 + x) ** 2, -1, ends={-1: (INF, -INF)}),
    "sinh": One(mpmath.cosh, mpmath.sinh, around=(710.0,)),
    "cosh": One(mpmath.sinh, mpmath.cosh, around=(710.0,)),
    "tanh": One(lambda x: sech(x) ** 2, lambda x: -2 * mpmath.tanh(x) * sech(x) ** 2),
    "arcsinh": One(lambda x: 1 / mpmath.sqrt(1 + x * x), lambda x: -x / mpmath.sqrt(1 + x * x) ** 3),
    "arccosh": One(
        lambda x: 1 / mpmath.sqrt((x - 1) * (x + 1)),
        lambda x: -x / mpmath.sqrt((x - 1) * (x + 1)) ** 3,
        1,
        ends={1: (INF, -INF)},
    ),
    "arctanh": One(
        lambda x: 1 / ((1 - x) * (1 + x)),
        lambda x: 2 * x / ((1 - x) * (1 + x)) ** 2,
        -1,
        1,
        ends={1: (INF, INF), -1: (INF, -INF)},
    ),
    "sigmoid": One(slope, lambda x: -slope(x) * mpmath.tanh(x / 2)),
    "sin": One(mpmath.cos, lambda x: -mpmath.sin(x)),
    "cos": One(lambda x: -mpmath.sin(x), lambda x: -mpmath.cos(x)),
    "tan": One(lambda x: 1 + mpmath.tan(x) ** 2, lambda x: 2 * mpmath.tan(x) * (1 + mpmath.tan(x) ** 2)),
    "arcsin": One(
        lambda x: 1 / mpmath.sqrt((1 - x) * (1 + x)),
        lambda x: x / mpmath.sqrt((1 - x) * (1 + x)) ** 3,
        -1,
        1,
        ends={1: (INF, INF), -1: (INF, -INF)},
    ),
    "arccos": One(
        lambda x: -1 / mpmath.sqrt((1 - x) * (1 + x)),
        lambda x: -x / mpmath.sqrt((1 - x) * (1 + x)) ** 3,
        -1,
        1,
        ends={1: (-INF, -INF), -1: (-INF, INF)},
    ),
    "arctan": One(lambda x: 1 / (1 + x * x), lambda x: -2 * x / (1 + x * x) ** 2),
    "deg2rad": One(lambda x: PI / 180, lambda x: 0),
    "rad2deg": One(lambda x: 180 / PI, lambda x: 0),
    "sinc": One(
        beside_zero(lambda x: (mpmath.cos(PI * x) - mpmath.sincpi(x)) / x),
        beside_zero(lambda x: -(PI**2) * mpmath.sincpi(x) - 2 * (mpmath.cos(PI * x) - mpmath.sincpi(x)) / x**2),
        ends={0: (0, -(math.pi**2) / 3)},
        largest=lambda dtype: 0.1 / np.finfo(dtype).eps,  # np.sinc rounds pi x before it takes the sine
    ),
    "relu": One(lambda x: 1 if x > 0 else 0, lambda x: 0),
    "floor": One(lambda x: 0, lambda x: 0),
    "ceil": One(lambda x: 0, lambda x: 0),
    "trunc": One(lambda x: 0, lambda x: 0),
    "rint": One(lambda x: 0, lambda x: 0),
    "sign": One(lambda x: 0, lambda x: 0),
}


def tail(x):
    """phi(x), and 0 so far out that it is none of a float's numbers."""
    return gauss(x) if abs(x) < 1e4 else mpf(0)


def below(x):
    return mpmath.erfc(-x / mpmath.sqrt(2)) / 2 if abs(x) < 1e4 else mpf(x > 0)


def bent(x):
    """s (1 - s) of the logistic function, and 0 so far out."""
    return slope(x) if abs(x) < 1e4 else mpf(0)


def share(x):
    return logistic(x) if abs(x) < 1e4 else mpf(x > 0)


def soft(x):
    return mpmath.log1p(mpmath.exp(-abs(x))) + max(x, 0) if abs(x) < 1e4 else mpf(max(x, 0))


def unshrunk(x):
    return mpmath.tanh(x) if abs(x) < 1e4 else mpf(mpmath.sign(x))


def mish_parts(x):
    """t = tanh(softplus(x)), t' and t''."""
    s, rest = share(x), sech(soft(x)) ** 2 if x < 1e4 else mpf(0)
    t = unshrunk(soft(x))
    return t, rest * s, rest * s * (1 - s) - 2 * t * rest * s * s


def mish_slope(x):
    t, first, _ = mish_parts(x)
    return t + x * first


def mish_bend(x):
    _, first, second = mish_parts(x)
    return 2 * first + x * second


def grown(a, x):
    """a exp(x) of an x that is not positive, else 0."""
    return a * mpmath.exp(x) if -1e4 < x <= 0 else mpf(0)


def open_gate(gate):
    """Which x have a gate that is a normal number, or a product with it that is none either: what lies between has
    no more digits than the gate."""

    def keep(x):
        tiny = float(np.finfo(x.dtype).tiny)
        return np.array([gate(mpf(v)) >= tiny or abs(v) * gate(mpf(v)) < tiny / 2 for v in x.tolist()], bool)

    return keep


SELU = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946  # Klambauer et al. 2017
OF_NETWORKS = {  # the activations that are put together of pieces
    "tanhshrink": One(
        lambda x: unshrunk(x) ** 2,
        lambda x: 2 * unshrunk(x) * sech(x) ** 2 if abs(x) < 1e4 else mpf(0),
        f=needs(700)(lambda x: x - unshrunk(x)),
    ),
    "softsign": One(
        lambda x: 1 / (1 + abs(x)) ** 2, lambda x: -2 * mpmath.sign(x) / (1 + abs(x)) ** 3, f=lambda x: x / (1 + abs(x))
    ),
    "silu": One(
        lambda x: share(x) + x * bent(x),
        lambda x: bent(x) * (2 - x * unshrunk(x / 2)),
        f=lambda x: x * share(x),
        keep=open_gate(share),
    ),
    "gelu": One(
        lambda x: below(x) + x * tail(x),
        lambda x: tail(x) * (2 - x * x),
        f=lambda x: x * below(x),
        keep=open_gate(below),
    ),
    "mish": One(mish_slope, mish_bend, f=lambda x: x * mish_parts(x)[0], keep=open_gate(share)),
    "elu": One(
        lambda x: 1 if x > 0 else grown(1, x),
        lambda x: grown(1, x),
        f=lambda x: x if x > 0 else mpmath.expm1(x),
    ),
    "selu": One(
        lambda x: SELU[1] if x > 0 else grown(mpf(SELU[0]) * SELU[1], x),
        lambda x: grown(mpf(SELU[0]) * SELU[1], x),
        f=lambda x: SELU[1] * (x if x > 0 else SELU[0] * mpmath.expm1(x)),
    ),
}


# -- of two arguments: f_a, f_b, f_aa, f_ab, f_bb ---------------------------------------------------------------------


class Two:
    def __init__(self, a, b, aa, ab, bb, first=(-INF, INF), second=(-INF, INF), keep=None, values=None, skip=()):
        self.truths = {(0,): a, (1,): b, (0, 0): aa, (0, 1): ab, (1, 0): ab, (1, 1): bb}
        self.first, self.second, self.keep, self.values = first, second, keep, values
        self.skip = skip  # partials that the function does not have

    def points(self, dtype, dense):
        few = points(dtype)[:: 1 if dense else 6 * _step(dtype, dense)]
        moderate = np.array(self.values or [0.3, 1.0, -2.5, 7.0, 30.0, -1e-9, 1e-30, 1e30], dtype)
        a = np.concatenate([np.repeat(few, moderate.size), np.tile(moderate, few.size)])
        b = np.concatenate([np.tile(moderate, few.size), np.repeat(few, moderate.size)])
        step = np.array([1e-3, 1e-7, -1e-5, 1e-12], dtype)
        a = np.concatenate([a, moderate, moderate, np.repeat(moderate, 4)])
        b = np.concatenate([b, moderate, -moderate, np.ravel(moderate[:, None] * (1 + step))])
        info = np.finfo(dtype)
        far = np.array([1.3 * info.tiny, info.tiny**0.6, float(info.max) ** 0.7, info.max / 1.7], dtype)
        corners = np.meshgrid(np.concatenate([far, -far]), np.concatenate([far, -far]))
        a, b = (np.concatenate([v, corner.ravel()]) for v, corner in zip((a, b), corners, strict=True))
        good = (a > self.first[0]) & (a < self.first[1]) & (b > self.second[0]) & (b < self.second[1])
        if self.keep is not None:
            good &= self.keep(a, b)
        return a[good].astype(dtype), b[good].astype(dtype)


def hyp(a, b):
    return mpmath.sqrt(a * a + b * b)


def off_origin(a, b):
    return (a != 0) | (b != 0)


def raised(a, b):
    """a^b; far beyond the range of doubles a number that is there, too, where mpmath would take long."""
    size = b * mpmath.log(a)
    return mpmath.exp(size) if abs(size) < 10_000 else mpf(10) ** int(4000 * mpmath.sign(size))


POSITIVE = (0, INF)
OF_TWO = {
    "add": Two(lambda a, b: 1, lambda a, b: 1, lambda a, b: 0, lambda a, b: 0, lambda a, b: 0),
    "subtract": Two(lambda a, b: 1, lambda a, b: -1, lambda a, b: 0, lambda a, b: 0, lambda a, b: 0),
    "multiply": Two(lambda a, b: b, lambda a, b: a, lambda a, b: 0, lambda a, b: 1, lambda a, b: 0),
    "divide": Two(
        lambda a, b: 1 / b,
        lambda a, b: -a / b**2,
        lambda a, b: 0,
        lambda a, b: -1 / b**2,
        lambda a, b: 2 * a / b**3,
        keep=lambda a, b: b != 0,
    ),
    "power": Two(
        lambda a, b: b * raised(a, b - 1),
        lambda a, b: raised(a, b) * mpmath.log(a),
        lambda a, b: b * (b - 1) * raised(a, b - 2),
        lambda a, b: raised(a, b - 1) * (1 + b * mpmath.log(a)),
        lambda a, b: raised(a, b) * mpmath.log(a) ** 2,
        first=POSITIVE,
        values=[0.3, 1.0, -2.5, 7.0, 0.5, 2.0, -1.0, 3.0, 1e-9, -12.0],
    ),
    "hypot": Two(
        lambda a, b: a / hyp(a, b),
        lambda a, b: b / hyp(a, b),
        lambda a, b: b * b / hyp(a, b) ** 3,
        lambda a, b: -a * b / hyp(a, b) ** 3,
        lambda a, b: a * a / hyp(a, b) ** 3,
        keep=off_origin,
    ),
    "arctan2": Two(
        lambda a, b: b / hyp(a, b) ** 2,
        lambda a, b: -a / hyp(a, b) ** 2,
        lambda a, b: -2 * a * b / hyp(a, b) ** 4,
        lambda a, b: (a - b) * (a + b) / hyp(a, b) ** 4,
        lambda a, b: 2 * a * b / hyp(a, b) ** 4,
        keep=off_origin,
    ),
    "logaddexp": Two(
        lambda a, b: logistic(a - b),
        lambda a, b: logistic(b - a),
        lambda a, b: slope(a - b),
        lambda a, b: -slope(a - b),
        lambda a, b: slope(a - b),
    ),
    "logaddexp2": Two(
        lambda a, b: logistic(LN2 * (a - b)),
        lambda a, b: logistic(LN2 * (b - a)),
        lambda a, b: LN2 * slope(LN2 * (a - b)),
        lambda a, b: -LN2 * slope(LN2 * (a - b)),
        lambda a, b: LN2 * slope(LN2 * (a - b)),
    ),
    "xlogy": Two(
        lambda a, b: mpmath.log(b),
        lambda a, b: a / b,
        lambda a, b: 0,
        lambda a, b: 1 / b,
        lambda a, b: -a / b**2,
        second=POSITIVE,
    ),
    "xlog1py": Two(
        lambda a, b: mpmath.log1p(b),
        lambda a, b: a / (1 + b),
        lambda a, b: 0,
        lambda a, b: 1 / (1 + b),
        lambda a, b: -a / (1 + b) ** 2,
        second=(-1, INF),
    ),
    "rel_entr": Two(
        lambda a, b: mpmath.log(a / b) + 1,
        lambda a, b: -a / b,
        lambda a, b: 1 / a,
        lambda a, b: -1 / b,
        lambda a, b: a / b**2,
        first=POSITIVE,
        second=POSITIVE,
    ),
    "kl_div": Two(
        lambda a, b: mpmath.log(a / b),
        lambda a, b: (b - a) / b,
        lambda a, b: 1 / a,
        lambda a, b: -1 / b,
        lambda a, b: a / b**2,
        first=POSITIVE,
        second=POSITIVE,
    ),
}


# -- special functions of one number -----------------------------------------------------------------------------------


def far(near, beyond, formula):
    """`near` up to a size, and from there on an expansion that is exact to many more digits than are asked for."""

    def value(x):
        return formula(x) if abs(x) > beyond else near(x)

    value.dps = getattr(near, "dps", DIGITS)
    return value


def scaled_i(n, x):
    return mpmath.besseli(n, x) * mpmath.exp(-abs(x))


def scaled_slope(n, order):
    """The derivatives of exp(-|x|) I_n(x), n whole, away from 0."""

    def value(x):
        s, m = mpmath.sign(x), n
        if abs(x) > 1e4:  # sum over k of (-1)^k a_k(n) |x|^(-k-1/2) / sqrt(2 pi), each term differentiated
            total, a = mpf(0), mpf(1)
            for k in range(12):
                p = -k - mpf(1) / 2
                d = p if order == 1 else p * (p - 1)
                total += (-1) ** k * a * d * abs(x) ** (p - order)
                a *= (4 * mpf(n) ** 2 - (2 * k + 1) ** 2) / ((k + 1) * 8)
            return total / mpmath.sqrt(2 * PI) * s ** (n + order)
        i = {k: mpmath.besseli(abs(k), x) for k in range(m - 2, m + 3)}
        one = (i[m - 1] + i[m + 1]) / 2
        two = (i[m - 2] + 2 * i[m] + i[m + 2]) / 4
        return mpmath.exp(-abs(x)) * (one - s * i[m] if order == 1 else two - 2 * s * one + i[m])

    return value


@functools.lru_cache(100)  # the derivatives at a point are made of the same few
def of_order(f, n, x, precision):
    """f_n(x): of whole orders below 0 by reflection; K by its recurrence from K_0 and K_1, which is much faster."""
    if n != int(n):
        return f(n, x)
    m = abs(int(n))
    if f is mpmath.besselk and m > 1:
        return of_order(f, m - 2, x, precision) + 2 * (m - 1) / x * of_order(f, m - 1, x, precision)
    return (-1) ** m * f(m, x) if n < 0 and f in (mpmath.besselj, mpmath.bessely) else f(m, x)


def bessel(function, n, order, below, above):
    """The derivative of f_n of this order, by f_n' = (below f_(n-1) + above f_(n+1)) / 2."""

    def value(x):
        steps = [math.comb(order, k) * below ** (order - k) * above**k for k in range(order + 1)]
        terms = [c * of_order(function, n - order + 2 * k, x, mp.prec) for k, c in enumerate(steps)]
        return sum(terms) / 2**order

    value.dps = 25
    return value


def erfcx_terms(*terms):
    return lambda x: sum(c * x**p for c, p in terms) / root_pi() if x > 0 else mpf(-INF if terms[0][0] < 0 else INF)


def mp_erfcx(x):
    return mpmath.exp(x * x) * mpmath.erfc(x)


def hazard(x):
    return gauss(x) / mpmath.ncdf(x)


def erfc_root(x):
    """The inverse of erfc: Newton's method in the logarithm."""
    if x > 1:
        return -erfc_root(2 - x)
    y = mpmath.erfinv(1 - x) if x > 1e-10 else mpmath.sqrt(-mpmath.log(x))
    for _ in range(60):
        step = (mpmath.log(mpmath.erfc(y)) - mpmath.log(x)) * mpmath.erfc(y) * root_pi() / 2 * mpmath.exp(y * y)
        y += step
        if abs(step) < mpf(10) ** -45 * abs(y):
            break
    return y


def half(y):
    return root_pi() / 2 * mpmath.exp(y * y)


def quantile(p):
    return -mpmath.sqrt(2) * erfc_root(2 * p)


def off_poles(x):
    return (x > 0) | (x != np.floor(x))


def psi(n, x):
    return mpmath.psi(n, x)


def twice(first, factor):
    """f'' = factor(y) f'^2, of the inverse of a distribution function."""
    return lambda x: factor(x) * first(x) ** 2


def not_tiny(x):
    """Where SciPy's own values are right: its iv(1, x) is 0 below, its kn(3, x) overflows in float32 too early."""
    return (x == 0) | (np.abs(x) > (1e-150 if x.dtype == np.float64 else 1e-12))


def not_tiny_few(x):
    """The same, every fifth point: mpmath's K of whole orders takes its time."""
    return not_tiny(x) & ((np.arange(x.size) % 5 == 0) | (x == 0))


def bessels(f, n, below, above, low=-INF, largest=300, **more):
    return One(bessel(f, n, 1, below, above), bessel(f, n, 2, below, above), low, largest=largest, **more)


_erfcx_one = far(lambda x: 2 * x * mp_erfcx(x) - 2 / root_pi(), 1e5, erfcx_terms((-1, -2), (1.5, -4), (-3.75, -6)))
_erfcx_two = far(
    lambda x: 2 * mp_erfcx(x) + 2 * x * (2 * x * mp_erfcx(x) - 2 / root_pi()),
    1e5,
    erfcx_terms((2, -3), (-6, -5), (22.5, -7)),
)
_erfinv_one = lambda x: half(mpmath.sign(x) * erfc_root(1 - abs(x)) if abs(x) > 0.5 else mpmath.erfinv(x))  # noqa: E731
OF_ONE |= {
    "expit": One(slope, lambda x: -slope(x) * mpmath.tanh(x / 2)),
    "logit": One(
        lambda x: 1 / (x * (1 - x)),
        lambda x: (2 * x - 1) / (x * (1 - x)) ** 2,
        0,
        1,
        ends={0: (INF, -INF), 1: (INF, INF)},
        around=(0.5,),
    ),
    "log_expit": One(lambda x: logistic(-x), lambda x: -slope(x)),
    "softplus": One(logistic, slope),
    "entr": One(lambda x: -mpmath.log(x) - 1, lambda x: -1 / x, 0, ends={0: (INF, -INF)}, around=(math.exp(-1),)),
    "erf": One(lambda x: 2 / root_pi() * mpmath.exp(-x * x), lambda x: -4 * x / root_pi() * mpmath.exp(-x * x)),
    "erfc": One(lambda x: -2 / root_pi() * mpmath.exp(-x * x), lambda x: 4 * x / root_pi() * mpmath.exp(-x * x)),
    "erfi": One(
        lambda x: 2 / root_pi() * mpmath.exp(x * x),
        lambda x: 4 * x / root_pi() * mpmath.exp(x * x),
        largest=1e4,
        around=(26.6,),
    ),
    "erfcx": One(_erfcx_one, _erfcx_two),
    "erfinv": One(
        _erfinv_one,
        lambda x: (
            2 * (mpmath.sign(x) * erfc_root(1 - abs(x)) if abs(x) > 0.5 else mpmath.erfinv(x)) * _erfinv_one(x) ** 2
        ),
        -1,
        1,
        ends={1: (INF, INF), -1: (INF, -INF)},
    ),
    "erfcinv": One(
        lambda x: -half(erfc_root(x)),
        lambda x: 2 * erfc_root(x) * half(erfc_root(x)) ** 2,
        0,
        2,
        ends={0: (-INF, INF), 2: (-INF, -INF)},
    ),
    "ndtr": One(gauss, lambda x: -x * gauss(x)),
    "log_ndtr": One(
        far(hazard, 1e6, lambda x: -x - 1 / x + 2 / x**3 - 10 / x**5 if x < 0 else mpf(0)),
        far(
            lambda x: -hazard(x) * (x + hazard(x)),
            1e6,
            lambda x: -1 + 1 / x**2 - 6 / x**4 + 50 / x**6 if x < 0 else mpf(0),
        ),
    ),
    "ndtri": One(
        lambda p: mpmath.sqrt(2 * PI) * mpmath.exp(quantile(p) ** 2 / 2),
        lambda p: quantile(p) * 2 * PI * mpmath.exp(quantile(p) ** 2),
        0,
        1,
        ends={0: (INF, -INF), 1: (INF, INF)},
    ),
    "gamma": One(
        lambda x: mpmath.gamma(x) * psi(0, x),
        lambda x: mpmath.gamma(x) * (psi(0, x) ** 2 + psi(1, x)),
        -46,
        largest=1e4,
        keep=off_poles,
        around=(171.5, 1.4616321449683622),
    ),
    "gammaln": One(lambda x: psi(0, x), lambda x: psi(1, x), -46, around=(1.4616321449683622,), keep=off_poles),
    "psi": One(lambda x: psi(1, x), lambda x: psi(2, x), -46, keep=off_poles),
    "rgamma": One(
        lambda x: 1 + 2 * mpmath.euler * x if abs(x) < 1e-60 else inverse_gamma_slope(x),
        lambda x: 2 * mpmath.euler if abs(x) < 1e-60 else inverse_gamma_curvature(x),
        -30,  # beyond, the values overflow in float32
        largest=1e3,
        keep=off_poles,
    ),
    "j0": bessels(mpmath.besselj, 0, 1, -1),
    "j1": bessels(mpmath.besselj, 1, 1, -1),
    "y0": bessels(mpmath.bessely, 0, 1, -1, 0, ends={0: (INF, -INF)}),
    "y1": bessels(mpmath.bessely, 1, 1, -1, 0, ends={0: (INF, -INF)}),
    "i0": bessels(mpmath.besseli, 0, 1, 1, largest=750, keep=not_tiny),
    "i1": bessels(mpmath.besseli, 1, 1, 1, largest=750, keep=not_tiny),
    "k0": bessels(mpmath.besselk, 0, -1, -1, 0, largest=690, keep=not_tiny_few, ends={0: (-INF, INF)}),
    "k1": bessels(mpmath.besselk, 1, -1, -1, 0, largest=690, keep=not_tiny_few, ends={0: (-INF, INF)}),
    "i0e": One(scaled_slope(0, 1), scaled_slope(0, 2), ends={0: (0, 1.5)}),
    "i1e": One(scaled_slope(1, 1), scaled_slope(1, 2), ends={0: (0.5, 0)}),
}


# -- special functions of several, in the last one --------------------------------------------------------------------


class Last:
    """f(*parameters, x) for some parameters; f' and f'' in x, which are given the parameters first."""

    def __init__(self, parameters, first, second, low=-INF, high=INF, ends=None, largest=INF, around=(), keep=None):
        self.parameters, self.rows = parameters, {}
        for p in parameters:
            self.rows[p] = One(
                self._held(first, p),
                self._held(second, p),
                low,
                high,
                (ends or {}).get(p),
                around=around,
                largest=largest,
                keep=keep,
            )

    @staticmethod
    def _held(f, p):
        def value(x):
            return f(*map(mpf, p), x)

        value.dps = getattr(f, "dps", DIGITS)
        return value


def of_bessel(orders, f, below, above, low=-INF, **more):
    def partial(order):
        def value(n, x):
            return bessel(f, n, order, below, above)(x)

        value.dps = 25
        return value

    return Last([(n,) for n in orders], partial(1), partial(2), low, **more)


def weight(a, x, k=1):
    return x ** (a - k) * mpmath.exp(-x) * mpmath.rgamma(a)


def ratio(a, b, x, j=1, k=1):
    return x ** (a - j) * (1 - x) ** (b - k) / mpmath.beta(a, b)


def student(n, t):
    return (1 + t * t / n) ** (-(n + 1) / 2) / mpmath.sqrt(n) / mpmath.beta(n / 2, mpf(1) / 2)


def minus(f):
    return lambda *x: -f(*x)


def gamma_slope(a, x):
    return (a - 1 - x) * weight(a, x, 2)


def beta_slope(a, b, x):
    return (a - 1) * ratio(a, b, x, 2, 1) - (b - 1) * ratio(a, b, x, 1, 2)


def fisher(m, n, x):
    a, b = m / 2, n / 2
    log_beta = mpmath.loggamma(a) + mpmath.loggamma(b) - mpmath.loggamma(a + b)
    return mpmath.exp(a * mpmath.log(a / b) + (a - 1) * mpmath.log(x) - (a + b) * mpmath.log1p(a * x / b) - log_beta)


def fisher_slope(m, n, x):
    a, b = m / 2, n / 2
    return fisher(m, n, x) * (a - 1 - x * a * (a + b) / (b + a * x)) / x


_SHAPES = [(0.3,), (1.0,), (1.5,), (2.0,), (3.0,), (30.0,), (1e3,), (1e8,), (1e15,)]
_GAMMA_ENDS = {
    (0.3,): {0: (INF, -INF)},
    (1.0,): {0: (1, -1)},
    (1.5,): {0: (0, INF)},
    (2.0,): {0: (0, 1)},
    (3.0,): {0: (0, 0)},
    **{key: {0: (0, 0)} for key in [(30.0,), (1000.0,), (100000000.0,), (1000000000000000.0,)]},
}
_PAIRS = [(0.5, 0.5), (1.0, 1.0), (2.0, 3.0), (1.0, 3.0), (2.0, 1.0), (20.0, 7.0), (1e5, 1e5), (1e10, 3e10), (0.3, 1e5)]
_BETA_ENDS = {
    (0.5, 0.5): {0: (INF, -INF), 1: (INF, INF)},
    (1.0, 1.0): {0: (1, 0), 1: (1, 0)},
    (2.0, 3.0): {0: (0, 12), 1: (0, 0)},
    (1.0, 3.0): {0: (3, -6), 1: (0, 0)},
    (2.0, 1.0): {0: (0, 2), 1: (2, 2)},
    **{key: {0: (0, 0), 1: (0, 0)} for key in [(20.0, 7.0), (100000.0, 100000.0), (10000000000.0, 30000000000.0)]},
    (0.3, 1e5): {0: (INF, -INF), 1: (0, 0)},
}


def _negated(ends):
    return {p: {x: (-a, -b) for x, (a, b) in at.items()} for p, at in ends.items()}


_DEGREES = [(1.0, 3.0), (2.0, 5.0), (3.0, 2.0), (4.0, 1.0), (30.0, 1e3), (1e5, 3e5), (0.3, 1e-3), (5.0, 1e15)]
_FISHER_ENDS = {
    (1.0, 3.0): {0: (INF, -INF)},
    (2.0, 5.0): {0: (1, -1.4)},
    (3.0, 2.0): {0: (0, INF)},
    (4.0, 1.0): {0: (0, 12)},
    (0.3, 1e-3): {0: (INF, -INF)},
    **{key: {0: (0, 0)} for key in [(30.0, 1000.0), (100000.0, 300000.0)]},
    (5.0, 1e15): {0: (0, 0)},
}


OF_LAST = {
    "gammainc": Last(_SHAPES, weight, gamma_slope, 0, ends=_GAMMA_ENDS, around=(1e3, 1e8, 1e15)),
    "gammaincc": Last(_SHAPES, minus(weight), minus(gamma_slope), 0, ends=_negated(_GAMMA_ENDS), around=(1e3, 1e8)),
    "betainc": Last(_PAIRS, ratio, beta_slope, 0, 1, ends=_BETA_ENDS, around=(0.25,)),
    "betaincc": Last(_PAIRS, minus(ratio), minus(beta_slope), 0, 1, ends=_negated(_BETA_ENDS)),
    "stdtr": Last(
        [(0.5,), (1.0,), (4.0,), (70.0,)],
        student,
        lambda n, t: -(n + 1) * t / (n + t * t) * student(n, t),
    ),
    "fdtr": Last(_DEGREES, fisher, fisher_slope, 0, ends=_FISHER_ENDS, around=(1.0,)),
    "fdtrc": Last(_DEGREES, minus(fisher), minus(fisher_slope), 0, ends=_negated(_FISHER_ENDS), around=(1.0,)),
    "polygamma": Last(
        [(0,), (1,), (4,)],
        lambda n, x: psi(int(n) + 1, x),
        lambda n, x: psi(int(n) + 2, x),
        0,
        largest=1e30,
        keep=off_poles,
    ),
    "zeta": Last(
        [(2.0,), (3.5,)],
        lambda s, q: -s * mpmath.zeta(s + 1, q),
        lambda s, q: s * (s + 1) * mpmath.zeta(s + 2, q),
        0,
        largest=1e6,
        keep=off_poles,
    ),
    "jn": of_bessel([2.0, 5.0], mpmath.besselj, 1, -1, largest=100, keep=lambda x: np.abs(x) > 1e-5),
    "iv": of_bessel([2.0, 0.5], mpmath.besseli, 1, 1, 1e-30, largest=690),
    "kv": of_bessel([0.5, 1.5], mpmath.besselk, -1, -1, 1e-30, largest=690, keep=not_tiny),
    "yv": of_bessel([2.0, 0.5], mpmath.bessely, 1, -1, 1e-30, largest=100, keep=not_tiny),
}


def rise(a, b):
    return psi(0, a) - psi(0, a + b)


OF_TWO |= {
    "betaln": Two(
        needs(150)(rise),
        needs(150)(lambda a, b: rise(b, a)),
        needs(150)(lambda a, b: psi(1, a) - psi(1, a + b)),
        needs(150)(lambda a, b: -psi(1, a + b)),
        needs(150)(lambda a, b: psi(1, b) - psi(1, a + b)),
        first=(1e-40, 1e30),
        second=(1e-40, 1e30),
        values=[0.3, 1e16],
    ),
    "beta": Two(
        needs(150)(lambda a, b: mpmath.beta(a, b) * rise(a, b)),
        needs(150)(lambda a, b: mpmath.beta(a, b) * rise(b, a)),
        needs(150)(lambda a, b: mpmath.beta(a, b) * (rise(a, b) ** 2 + psi(1, a) - psi(1, a + b))),
        needs(230)(lambda a, b: mpmath.beta(a, b) * (rise(a, b) * rise(b, a) - psi(1, a + b))),
        needs(150)(lambda a, b: mpmath.beta(a, b) * (rise(b, a) ** 2 + psi(1, b) - psi(1, a + b))),
        first=(1e-100, 150),
        second=(1e-100, 150),
        values=[0.3, 7.0],
    ),
}


def student_rise(n, t):
    """The derivative of Student's density in its degrees of freedom."""
    steps = (psi(0, (n + 1) / 2) - psi(0, n / 2) - 1 / n - mpmath.log1p(t * t / n)) / 2
    return student(n, t) * (steps + (n + 1) / 2 * t * t / (n * (n + t * t)))


def _digits_of_student(n, t):
    """The terms of student_rise, for a large n of the size of log n, cancel to the order of n^-2."""
    return 60 + 3 * max(int(mpmath.log10(n)), 0)


def at_need(f, digits):
    """f computed with as many digits as `digits` says for its arguments."""

    def value(*x):
        with mp.workdps(digits(*x)):
            return f(*x)

    return value


OF_TWO["stdtr"] = Two(
    None,
    at_need(student, _digits_of_student),
    None,
    at_need(student_rise, _digits_of_student),
    at_need(lambda n, t: -(n + 1) * t / (n + t * t) * student(n, t), _digits_of_student),
    first=(0, 1e36),
    values=[0.3, 1e20],
    skip=[(0,), (0, 0)],  # integrals, which tests of their own compare with their limits
)


NOT_SCANNED: dict[str, str] = {}  # op -> why
_SLOPES = "the derivative of another op, which is scanned with it"
NOT_SCANNED |= dict.fromkeys(
    [
        "arccosh_root",
        "arcsinh_root",
        "one_minus_square",
        "logistic_slope",
        "hypot_share",
        "turn_slope",
        "gauss",
        "half_gauss",
    ],
    _SLOPES,
)
_STEPS = "between its jumps exact: a sign, a whole number or 0"
NOT_SCANNED |= dict.fromkeys(["copysign", "floor_divide", "remainder", "fmod", "heaviside", "nextafter"], _STEPS)
NOT_SCANNED |= {
    "inverse_or_zero": "reciprocal, away from 0",
    "lattice_point": "it has none",
    "gated": "a product, for gates that are scanned",
    "held": "the identity, or a constant",
    "held_product": "a product, for slopes of gates",
    "resting_product": "a product",
    "gelu_argument": "a polynomial",
    "complex_log1p": "at complex numbers, in digits_complex.py",
    "softsign": "an activation, with OF_NETWORKS",
    "tanhshrink": "an activation, with OF_NETWORKS",
    "within": "the identity, or NaN",
    "replaced": "the identity, or NaN",
    "log_over_psi": "with gammainc, whose derivatives are made of it",
    "on_simplex": "it has none",
}
NOT_SCANNED |= dict.fromkeys(["kn", "yn"], "kv and yv of whole orders")
_INVERSES = ["gammaincinv", "gammainccinv", "betaincinv", "betainccinv", "stdtrit", "kolmogi", "smirnovi"]
_INVERSES += ["gdtrib", "chdtriv", "btdtria", "btdtrib", "stdtridf", "fdtri"]
NOT_SCANNED |= dict.fromkeys(
    _INVERSES, "quantiles: one over a density that is scanned, and ratios of scanned derivatives"
)
NOT_SCANNED |= dict.fromkeys(
    ["hyp1f1", "hyp2f1", "riemann_zeta", "kolmogorov", "smirnov"], "in all arguments in test_special_parameters.py"
)
NOT_SCANNED["beta_da"] = _SLOPES
NOT_SCANNED["overwritten"] = "its first argument"
NOT_SCANNED |= {
    "bounded_log": "log, but for its stated bounds",
    "ive": "i0e and i1e, by the same op",
    "log1p_square": _SLOPES,
    "log_logistic_slope": _SLOPES,
}
_FURTHER = ["boxcox", "boxcox1p", "cosdg", "cosm1", "cotdg", "ellipe", "ellipk", "ellipkm1", "exp1", "expi", "expn"]
_FURTHER += ["exprel", "huber", "inv_boxcox", "inv_boxcox1p", "loggamma", "ndtri_exp", "pseudo_huber", "sindg"]
_FURTHER += ["spence", "tandg", "wrightomega", "eval_chebyt", "eval_chebyu", "eval_gegenbauer", "eval_genlaguerre"]
_FURTHER += ["eval_hermite", "eval_hermitenorm", "eval_jacobi", "eval_laguerre", "eval_legendre"]
_FURTHER += [
    "airy_ai",
    "airy_aip",
    "airy_bi",
    "airy_bip",
    "itairy_ai",
    "itairy_bi",
    "itairy_ai_below",
    "itairy_bi_below",
]
_FURTHER += [
    "ber",
    "berp",
    "bei",
    "beip",
    "ker",
    "kerp",
    "kei",
    "keip",
    "kelvin_slope",
    "pbdv_f",
    "pbdv_slope",
    "pbvv_f",
]
_FURTHER += [
    "pbvv_slope",
    "pbwa_f",
    "pbwa_slope",
    "dawsn",
    "wofz",
    "voigt_profile",
    "owens_t",
    "fresnel_s",
    "fresnel_c",
]
_FURTHER += [
    "sine_integral",
    "cosine_integral",
    "sinh_integral",
    "cosh_integral",
    "carlson",
    "elliprc",
    "elliprd",
    "elliprf",
]
_FURTHER += ["elliprg", "elliprj", "ellipkinc", "ellipeinc", "ellipj_sn", "ellipj_cn", "ellipj_dn", "ellipj_ph", "agm"]
_FURTHER += ["spherical_jn", "spherical_yn", "spherical_in", "spherical_kn", "k0e", "k1e", "kve", "kve_slope", "struve"]
_FURTHER += ["modstruve", "itstruve0", "itmodstruve0", "it2struve0", "iti0k0_first", "iti0k0_second", "itj0y0_first"]
_FURTHER += [
    "itj0y0_second",
    "it2i0k0_first",
    "it2i0k0_second",
    "it2j0y0_first",
    "it2j0y0_second",
    "powm1",
    "poch",
    "binom",
]
_FURTHER += ["lambert", "zetac", "tklmbda", "hyp0f1", "hyperu", "lpmv", "wright_bessel", "log_wright_bessel"]
NOT_SCANNED |= dict.fromkeys(_FURTHER, "at points of their own in test_special.py, up to the third derivative")
_SAMPLED = ["agm", "ellipe", "ellipk", "ellipkm1", "spence", "cotdg", "tandg", "inv_boxcox", "inv_boxcox1p", "struve"]
_SAMPLED += ["modstruve", "ber", "bei", "ker", "kei", "berp", "beip", "kerp", "keip", "itstruve0", "itmodstruve0"]
_SAMPLED += ["it2struve0", "itairy_ai", "itairy_bi", "itairy_ai_below", "itairy_bi_below"]
NOT_SCANNED |= dict.fromkeys(_SAMPLED, "at random points in digits_sampled.py")
_TAILS = ["log_gamma_above", "log_gamma_below", "log_beta_tail", "log_student_above"]
NOT_SCANNED |= dict.fromkeys(_TAILS, "with the distributions, in digits_stats.py")
NOT_SCANNED["binom_far"] = "with binom, in test_digits_parameters.py"
