"""The scan of derivatives: points from 1e-300 to 1e300, closed forms in mpmath, and what counts as right.

A derivative is right where its relative error is below RTOL of its dtype, or no larger than what the rounding of the
argument explains: the change of the true derivative from x to its neighbours in that dtype (so a derivative beside
one of its zeros, or that of a sine far out, is ill conditioned and is asked only for that much). Below the smallest
normal number, where numbers have fewer digits, any number below it will do; above the largest the derivative has to
be infinite. At -0 the sign of an infinite derivative is that of 1 / -0, as IEEE divides, so only +0 is asked.
"""

import math

import mpmath
import numpy as np
from mpmath import mp, mpf

import tinygrad_math as tm

RTOL = {np.dtype(np.float64): 1e-10, np.dtype(np.float32): 5e-5}
INF = math.inf
DIGITS = 60  # of the closed forms below, which do not cancel; those that do say for themselves how many they need
LN2, PI = mpmath.ln2, mpmath.pi


# -- points -----------------------------------------------------------------------------------------------------------

ENDS = [k * s for k in (1.0, 2.0, 0.5) for s in (1, -1)]


def points(dtype=np.float64, low=-INF, high=INF, dense=False, around=()):
    """Magnitudes over all of the range, both signs; near the ends, ones and halves; zeros and the smallest numbers."""
    info = np.finfo(dtype)
    top = 300 if info.bits == 64 else 36
    exponents = np.arange(-top, top + 1, 1.0) if dense else np.linspace(-top, top, 41)
    size = 10.0**exponents * (1 + 0.7 * (np.arange(exponents.size) * 0.618 % 1))
    size = np.concatenate([size, np.linspace(0.07, 45, 301 if dense else 41)])
    size = np.concatenate([size, [90.0, 350.0, 700.0, 1000.0], [float(info.tiny), 1.5 * float(info.tiny)]])
    near = [1 + s * 10.0**-k for k in range(1, 16, 1 if dense else 4) for s in (1, -1)]
    finite = [v for v in (low, high, *around) if math.isfinite(v)]
    ends = [v + s * 10.0**-k * max(abs(v), 1) for v in finite for k in range(1, 16, 1 if dense else 3) for s in (1, -1)]
    every = np.concatenate([size, -size, near, np.negative(near), ENDS, finite, ends, [0.0, -0.0]])
    with np.errstate(over="ignore", under="ignore"):
        x = np.unique(every.astype(dtype))
    x = np.concatenate([x[x != 0], np.zeros(1, dtype), -np.zeros(1, dtype)])
    return x[(x >= low) & (x <= high) & np.isfinite(x)]


# -- comparing --------------------------------------------------------------------------------------------------------


def rounded(value, dtype):
    """An mpmath number, or a float such as inf, in a dtype: overflow to inf."""
    if isinstance(value, mpmath.mpc):
        return math.nan
    with np.errstate(over="ignore", under="ignore"):
        return float(dtype.type(float(value)))


def wrong(got, truth, where, dtype):
    """None, or how got differs from truth(*where); `where` are floats, the moved one first in line for neighbours."""
    got, info, rtol = float(got), np.finfo(dtype), RTOL[dtype]
    want = truth(*where)
    held = rounded(want, dtype)
    if not math.isfinite(held):
        largest = float(info.max) * (1 - rtol)
        same = math.isnan(got) if math.isnan(held) else got == held or (abs(got) > largest and (got > 0) == (held > 0))
        return None if same else f"{got!r}, want {held!r}"
    if not math.isfinite(got):
        near_largest = abs(held) > float(info.max) * (1 - rtol) and math.isinf(got) and (got > 0) == (held > 0)
        return None if near_largest else f"{got!r}, want {held!r}"
    error = abs(mpf(got) - want)
    allowed = rtol * abs(want) if abs(want) >= float(info.tiny) else mpf(float(info.tiny))
    if error <= allowed:
        return None
    for k, v in enumerate(where):
        for side in (-INF, INF):
            with np.errstate(over="ignore", under="ignore"):
                moved = float(np.nextafter(dtype.type(v), dtype.type(side)))
            if math.isfinite(moved):
                other = truth(*where[:k], moved, *where[k + 1 :])
                if not isinstance(other, mpmath.mpc) and mpmath.isfinite(other):
                    allowed += abs(other - want)
    return (
        None
        if error <= allowed
        else f"{got!r}, want {held!r}, relative error {float(error / max(abs(want), mpf(10) ** -400)):.1e}"
    )


# -- the walks --------------------------------------------------------------------------------------------------------


def along(f, k, x):
    """The derivative of an elementwise f in its argument k, by the forward rule."""

    def tangent(*x):
        return tm.jvp(lambda v: f(*x[:k], v, *x[k + 1 :]), (x[k],), (np.ones_like(tm.asarray(x[k]).detach().numpy()),))[
            1
        ]

    return tangent(*x)


def against(f, k, x):
    """The same by the backward rule."""
    return tm.grad(lambda v: tm.sum(f(*x[:k], v, *x[k + 1 :])))(x[k])


def derivatives(f, x, first, second=None):
    """The first partial of an elementwise f at arrays x in one argument, or the second one; in both modes."""
    found = {}
    with np.errstate(all="ignore"):
        for name, walk in (("backward", against), ("forward", along)):
            if second is None:
                found[name] = walk(f, first, x)
            else:
                found[name] = walk(lambda *v: walk(f, first, v), second, x)
    return {name: tm.asarray(v).detach().numpy() for name, v in found.items()}


def failures(f, x, truth, first, second=None):
    """Every point at which a partial is not right."""
    out = []
    x = tuple(x)
    found = derivatives(f, x, first, second)
    dtype = x[first].dtype
    truth = at_precision(truth)
    for mode, got in found.items():
        assert got.dtype == dtype, f"{got.dtype} for {dtype}"
        for k, where in enumerate(zip(*(v.tolist() for v in x), strict=True)):
            problem = wrong(got[k], truth, where, dtype)
            if problem:
                order = "first" if second is None else "second"
                out.append(f"{order} {mode} {first}{'' if second is None else second} at {where}: {problem}")
    return out


def at_precision(f, dps=None):
    """f of floats, in mpmath's numbers; a pole is inf with the sign of what is near it."""
    seen = {}

    def call(*x):
        key = tuple((v, math.copysign(1, v)) for v in x)
        if key not in seen:
            with mp.workdps(getattr(f, "dps", dps or DIGITS)):
                try:
                    seen[key] = +mpmath.mpmathify(f(*map(mpf, x)))
                except ZeroDivisionError:
                    seen[key] = mpf(math.nan)
        return seen[key]

    return call


def needs(dps):
    """A closed form that cancels, and how many digits it takes."""

    def mark(f):
        f.dps = dps
        return f

    return mark


# -- closed forms of one argument: domain, f', f'', and what stands at singular points --------------------------------


class One:
    def __init__(self, first, second, low=-INF, high=INF, ends=None, f=None, around=(), largest=INF):
        self.truths, self.low, self.high, self.f = (first, second), low, high, f
        self.ends = ends or {}  # {x: (f'(x), f''(x))}: the limits from inside, or what the op states
        self.around, self.largest = around, largest

    def points(self, dtype, dense):
        x = points(dtype, self.low, self.high, dense, self.around)
        largest = self.largest(dtype) if callable(self.largest) else self.largest
        return x[(np.abs(x) <= largest) & ~((x == 0) & np.signbit(x))]

    def truth(self, order):
        def value(x):
            for at, limits in self.ends.items():
                if x == at:
                    return mpf(limits[order])
            if self.low < x < self.high:
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


ROOT_PI = mpmath.sqrt(PI)
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
        needs(1000)(lambda x: (mpmath.cos(PI * x) - mpmath.sincpi(x)) / x),
        needs(1500)(lambda x: -(PI**2) * mpmath.sincpi(x) - 2 * (mpmath.cos(PI * x) - mpmath.sincpi(x)) / x**2),
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


# -- of two arguments: f_a, f_b, f_aa, f_ab, f_bb ---------------------------------------------------------------------


class Two:
    def __init__(self, a, b, aa, ab, bb, first=(-INF, INF), second=(-INF, INF), keep=None, values=None, skip=()):
        self.truths = {(0,): a, (1,): b, (0, 0): aa, (0, 1): ab, (1, 0): ab, (1, 1): bb}
        self.first, self.second, self.keep, self.values = first, second, keep, values
        self.skip = skip  # partials that the function does not have

    def points(self, dtype, dense):
        few = points(dtype)[:: 1 if dense else 6]
        moderate = np.array(self.values or [0.3, 1.0, -2.5, 7.0, 30.0, -1e-9, 1e-30, 1e30], dtype)
        a = np.concatenate([np.repeat(few, moderate.size), np.tile(moderate, few.size)])
        b = np.concatenate([np.tile(moderate, few.size), np.repeat(few, moderate.size)])
        step = np.array([1e-3, 1e-7, -1e-5, 1e-12], dtype)
        a = np.concatenate([a, moderate, moderate, np.repeat(moderate, 4)])
        b = np.concatenate([b, moderate, -moderate, np.ravel(moderate[:, None] * (1 + step))])
        good = (a > self.first[0]) & (a < self.first[1]) & (b > self.second[0]) & (b < self.second[1])
        if self.keep is not None:
            good &= self.keep(a, b)
        return a[good].astype(dtype), b[good].astype(dtype)


def hyp(a, b):
    return mpmath.sqrt(a * a + b * b)


def off_origin(a, b):
    return (a != 0) | (b != 0)


def power_of(a, b):
    return mpf(0) if a == 0 and b > 0 else mpf(a) ** b


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
        lambda a, b: b * a ** (b - 1),
        lambda a, b: a**b * mpmath.log(a),
        lambda a, b: b * (b - 1) * a ** (b - 2),
        lambda a, b: a ** (b - 1) * (1 + b * mpmath.log(a)),
        lambda a, b: a**b * mpmath.log(a) ** 2,
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


# What is not asked for: (op, dtype, order) -> why. The values of NumPy and SciPy that are off stand in the last lines.
EXEMPT = {
    ("power", "float32", (0, 1)): "a^(b-1) log(a) overflows before b, 1e-9, makes it smaller: the last of the range",
    ("power", "float32", (1, 0)): "as above",
}

NOT_SCANNED: dict[str, str] = {}  # op -> why
_SLOPES = "the derivative of another op, which is scanned with it"
NOT_SCANNED |= dict.fromkeys(
    ["arccosh_root", "one_minus_square", "logistic_slope", "hypot_share", "turn_slope"], _SLOPES
)
_STEPS = "between its jumps exact: a sign, a whole number or 0"
NOT_SCANNED |= dict.fromkeys(["copysign", "floor_divide", "remainder", "fmod", "heaviside", "nextafter"], _STEPS)
NOT_SCANNED |= {
    "inverse_or_zero": "reciprocal, away from 0",
    "lattice_point": "it has none",
    "on_simplex": "it has none",
}
