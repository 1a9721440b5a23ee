"""Functions of tm.special at random numbers of every magnitude, and beside special ones: values and two derivatives.

Each row has the function itself in mpmath, in another form where mpmath's own does not converge. Its derivatives are
central differences with so many digits that two of them, of different steps, agree; where none do, as at a singular
point, nothing is asked. What counts as right is told in `digit_scan`.
"""

import math
import random
import zlib

import digit_scan
import mpmath
import numpy as np
from kept import kept
from mpmath import mp, mpf

import tinygrad_math as tm
from tinygrad_math import special

INF = math.inf
PI = mpmath.pi
STEPS = ((60, 20), (130, 45), (300, 100), (800, 260), (1700, 560))  # digits, and the power of ten of the step
AGREED = mpf(10) ** -16


class Domain:
    """An interval to draw numbers from, special numbers in it, and singular points, which no difference reaches."""

    def __init__(self, low=-INF, high=INF, marks=(0, 1, -1), singular=()):
        self.low, self.high, self.marks, self.singular = low, high, marks, singular

    def draw(self, rng):
        while True:
            x = self._any(rng)
            if self.low <= x <= self.high and math.isfinite(x):
                return x

    def _any(self, rng):
        kind, sign = rng.randrange(5), rng.choice([-1, 1])
        if kind < 2:
            return sign * 10 ** rng.uniform(*((-300, 300) if kind else (-8, 8)))
        if kind == 2:
            return rng.uniform(max(self.low, -30), min(self.high, 30))
        if kind == 3:
            return rng.randrange(-40, 41) / 2
        mark = rng.choice(self.marks)
        return mark + sign * (abs(mark) or 1) * 10 ** rng.uniform(-16, 0) if rng.random() < 0.7 else mark


class Chosen:
    """Some numbers to choose from, which are orders and the like."""

    singular = ()

    def __init__(self, *numbers):
        self.numbers = numbers

    def draw(self, rng):
        return float(rng.choice(self.numbers))


class Order:
    """Moderate orders of either sign, or of one: whole numbers, halves and others."""

    singular = ()

    def __init__(self, low=-200, high=200):
        self.low, self.high = low, high

    def draw(self, rng):
        size = rng.choice([3, 20, 200])
        x = rng.uniform(max(self.low, -size), min(self.high, size))
        return rng.choice([float(round(x)), round(x) + 0.5, x])


class Moderate(Chosen):
    """Numbers of moderate size, one magnitude as often as another."""

    def __init__(self, low=0.01, high=200, signs=(1,)):
        super().__init__(*signs)
        self.low, self.high = low, high

    def draw(self, rng):
        return super().draw(rng) * self.low * (self.high / self.low) ** rng.random()


class Row:
    """A function of ours and mpmath's, where its arguments are from, and in which of them it is differentiated."""

    steps = STEPS

    def __init__(self, f, reference, *domains, places=None, keep=None, from_order=0):
        self.f, self.reference, self.domains, self.keep = f, reference, domains, keep
        self.places = range(len(domains)) if places is None else places
        self.from_order = from_order

    def points(self, rng, count, dtype):
        out = []
        while len(out) < count:
            with np.errstate(over="ignore", under="ignore"):
                x = tuple(float(dtype.type(d.draw(rng))) for d in self.domains)
            if all(map(math.isfinite, x)) and not (self.keep and not self.keep(*x)):
                out.append(x)
        return out

    def reach(self, x):
        """How far a difference may reach in each argument; None at a singular point, which it would step over."""
        if any(v in d.singular for v, d in zip(x, self.domains, strict=True)):
            return None
        return [
            min([max(1, abs(v)), *(abs(v - mpf(s)) for s in d.singular)]) for v, d in zip(x, self.domains, strict=True)
        ]

    def partial(self, places):
        """A function in mpmath and places: the partial in question is the function's in these places."""
        return self.reference, places

    def partials(self):
        one = [(k,) for k in self.places]
        every = [[()], one, [a + b for a in one for b in one]]
        return [p for order in every[self.from_order :] for p in order]


def difference(f, x, places, size):
    """The central difference along these places, of one step each."""
    if not places:
        return f(*x)
    k, rest = places[0], places[1:]
    up, down = list(x), list(x)
    up[k] += size[k]
    down[k] -= size[k]
    if rest == (k,):
        return (f(*up) - 2 * f(*x) + f(*down)) / size[k] ** 2
    return (difference(f, up, rest, size) - difference(f, down, rest, size)) / (2 * size[k])


def exact(row, x, places, tries=5):
    """The partial at a point, or None where it cannot be told."""
    last, (f, along) = None, row.partial(places)
    for count, power in row.steps[:tries]:
        with mp.workdps(count):
            reach = row.reach(x)
            if reach is None:
                return None
            try:
                now = difference(f, list(map(mpf, x)), along, [n * mpf(10) ** -power for n in reach])
            except (ZeroDivisionError, mp.NoConvergence, ValueError, OverflowError):
                last = None
                continue
            if last is not None and abs(now - last) <= AGREED * abs(now) and (now != 0 or count == row.steps[-1][0]):
                return mpmath.re(now) if mpmath.im(now) == 0 else None
        last = now
    return None


def failures(name, count, seed, dtype, tries=5, row=None, truth=exact):
    """Every partial, up to the second order and in both modes, that is not right at so many random points."""
    row, out, dtype = row or SAMPLED[name], [], np.dtype(dtype)
    points = row.points(random.Random(f"{name} {seed} {dtype}"), count, dtype)
    known = {}

    def told(x, places, truth=truth):
        key = x, tuple(sorted(places))  # whose order makes no difference to the truth
        if key not in known:
            known[key] = truth(row, x, key[1], tries)
        return known[key]

    for places in row.partials():
        asked = [x for x in points if told(x, places) is not None]
        for x, found in zip(asked, _found(row, asked, places, dtype), strict=True):

            def near(*at, places=places):
                other = told(at, places, exact)
                return mpf(math.nan) if other is None else other

            for mode, got in found.items():
                problem = digit_scan.wrong(got, near, x, dtype, digit_scan.RTOL[dtype])
                if problem:
                    out.append(f"{places} at {x}, {mode}: {problem}")
    return out


def kept_truth(name):
    """`exact` of this function, once and for all; of a point that was not asked for before it is computed."""

    def truth(row, x, places, tries):
        what = f"{name} {''.join(map(str, places))} {zlib.crc32(repr((x, tries)).encode()):08x}"
        return kept(what, lambda: exact(row, x, places, tries))

    return truth


def _found(row, points, places, dtype):
    """By mode, what the package computes at each point; of all of them at once."""
    args = tuple(np.array(column, dtype) for column in zip(*points, strict=True))
    if not points:
        return []
    if places:
        found = digit_scan.derivatives(row.f, args, places)
    else:
        with np.errstate(all="ignore"):
            found = {"value": tm.asarray(row.f(*args)).numpy()}
    return [{mode: np.ravel(got)[k] for mode, got in found.items()} for k in range(len(points))]


# -- references -------------------------------------------------------------------------------------------------------


def complete_first(m):
    return PI / 2 / mpmath.agm(1, mpmath.sqrt(1 - m))


def complete_second(m):
    return 2 * mpmath.elliprg(0, 1 - m, 1)


def dilogarithm(x):
    """Of 1 - x, beyond 2 by inversion (DLMF 25.12.4): mpmath's does not converge far out."""
    if x <= 2:
        return mpmath.re(mpmath.polylog(2, 1 - x))
    return -(PI**2) / 6 - mpmath.log(x - 1) ** 2 / 2 - mpmath.re(mpmath.polylog(2, 1 / (1 - x)))


def inverse_boxcox(y, lam):
    return mpmath.exp(mpmath.log1p(lam * y) / lam if lam else y)


def second_kind(order, z):
    """K_0 or K_1 of complex z, by the series of K_0 (DLMF 10.31.2); mpmath's own takes minutes near 0."""
    with mp.workdps(mp.dps + int(abs(z)) + 10):
        level, q, harmonic, power, k, value, slope = (
            mpmath.log(z / 2) + mpmath.euler,
            z * z / 4,
            mpf(0),
            mpf(1),
            0,
            0,
            0,
        )
        while k <= abs(z) or abs(power) > mpmath.eps * mpf(10) ** (-2 * int(abs(z))):
            value += (harmonic - level) * power
            slope += ((harmonic - level) * 2 * k - 1) / z * power
            k += 1
            harmonic += mpf(1) / k
            power *= q / k**2
        return value if order == 0 else -slope


def struve(sign):
    """H_v or L_v, by the series (DLMF 11.2.1): mpmath's own takes minutes where the order is -3/2 or the like."""

    def value(v, x):
        with mp.workdps(mp.dps + int(abs(x)) + 10):
            above = v + mpf(3) / 2
            k = 1 - int(above) if above <= 0 and above == int(above) else 0  # before it, one over a pole of gamma
            term = (x / 2) ** (2 * k + v + 1) * mpmath.rgamma(k + mpf(3) / 2) * mpmath.rgamma(k + v + mpf(3) / 2)
            term, total, least = sign**k * term, mpf(0), k + abs(x)
            while k <= least or abs(term) > mpmath.eps * abs(total):
                total += term
                k += 1
                term *= sign * (x / 2) ** 2 / ((k + mpf(1) / 2) * (k + v + mpf(1) / 2))
            return total

    return value


def kelvin(f, eighths, order, part):
    """The real or imaginary part of J_0 or K_0 on a diagonal, or of its derivative."""

    def value(x):
        c = mpmath.expjpi(mpf(eighths) / 4)
        return part(f(0, c * x) if order == 0 else -c * f(1, c * x))

    return value


def part_of(f, k):
    return lambda *x: f(*x)[k]


def slope_of(f):
    """The derivative of ours, of an integral, of which mpmath has the integrand."""
    return lambda x: tm.jvp(f, (x,), (np.ones_like(tm.asarray(x).detach().numpy()),))[1]


def degrees(f):
    return lambda x: f(x * PI / 180)


# -- the table --------------------------------------------------------------------------------------------------------
POSITIVE = Domain(0, INF, (0, 1), (0,))
REAL = Domain()
MODULUS = Domain(-INF, 1, (0, 1, -1, 0.5), (1,))
WAVES = Domain(-300, 300, (0, 1, 2, 4, 8, 10, -10))
DECAY = Domain(1e-300, 700, (1, 2, 8.725, 10), (0,))
PLANE = Domain(-100, 100, (0, 1, 4, 9.25, -9.25, 16, -16))
ORDERS = Chosen(0, 1, 2, 0.5, -0.5, 3.3, -1.5, 10, 30, -3.3)

SAMPLED = {
    "agm": Row(special.agm, mpmath.agm, POSITIVE, POSITIVE),
    "ellipk": Row(special.ellipk, complete_first, MODULUS),
    "ellipe": Row(special.ellipe, complete_second, MODULUS),
    "ellipkm1": Row(special.ellipkm1, lambda p: complete_first(1 - p), POSITIVE),
    "spence": Row(special.spence, dilogarithm, Domain(0, INF, (0, 1, 0.5, 1.5, 2), (0,))),
    "inv_boxcox": Row(special.inv_boxcox, inverse_boxcox, REAL, REAL, keep=lambda y, lam: lam * y > -1),
    "inv_boxcox1p": Row(
        special.inv_boxcox1p, lambda y, k: inverse_boxcox(y, k) - 1, REAL, REAL, keep=lambda y, k: k * y > -1
    ),
    "cotdg": Row(special.cotdg, degrees(mpmath.cot), Domain(-1e14, 1e14, (0, 30, 45, 60, 90, 270), (0, 180))),
    "tandg": Row(special.tandg, degrees(mpmath.tan), Domain(-1e14, 1e14, (0, 30, 45, 60, 180, 360))),
    "struve": Row(special.struve, struve(-1), ORDERS, Domain(1e-300, 200, (1, 4, 20), (0,)), places=[1]),
    "modstruve": Row(special.modstruve, struve(1), ORDERS, Domain(1e-300, 200, (1, 4, 20), (0,)), places=[1]),
}
for _k, _f in enumerate([mpmath.airyai, mpmath.airybi, mpmath.airyai, mpmath.airybi]):
    SAMPLED[f"itairy {_k}"] = Row(
        part_of(special.itairy, _k),
        lambda x, f=_f, s=1 if _k < 2 else -1: s * f(s * x, derivative=-1),
        PLANE,
    )
for _k, (_name, _part) in enumerate([("r", mpmath.re), ("i", mpmath.im)] * 2):
    for _letters, _f, _eighths, _domain in (("be", mpmath.besselj, 3, WAVES), ("ke", second_kind, 1, DECAY)):
        _full = _letters + _name + "p" * (_k // 2)
        SAMPLED[_full] = Row(getattr(special, _full), kelvin(_f, _eighths, _k // 2, _part), _domain)
for _name, _f, _top in (("itstruve0", struve(-1), 200), ("itmodstruve0", struve(1), 200)):
    SAMPLED[f"{_name}'"] = Row(
        slope_of(getattr(special, _name)), lambda x, f=_f: f(0, x), Domain(-_top, _top, (0, 1, 4, 20))
    )
SAMPLED["it2struve0'"] = Row(
    slope_of(special.it2struve0), lambda x: -struve(-1)(0, x) / x, Domain(-200, 200, (0, 1, 4, 20), (0,))
)


# -- orders and arguments of moderate size, where functions of several numbers are mostly asked for -------------------
SAMPLED["hyperu"] = Row(special.hyperu, mpmath.hyperu, Order(), Order(), Moderate(), places=[2])
SAMPLED["hyp0f1"] = Row(special.hyp0f1, mpmath.hyp0f1, Order(), Moderate(signs=(-1, 1)), places=[1])
SAMPLED["pbdv"] = Row(part_of(special.pbdv, 0), mpmath.pcfd, Order(), Moderate(high=40, signs=(-1, 1)), places=[1])
SAMPLED["pbvv"] = Row(
    part_of(special.pbvv, 0),
    lambda v, x: mpmath.pcfv(-v - mpf(1) / 2, x),
    Order(),
    Moderate(high=40, signs=(-1, 1)),
    places=[1],
)


# -- the elementwise functions of tm itself ---------------------------------------------------------------------------
def _log_sum(base):
    def value(a, b):
        top = mpmath.mpf(max(a, b))
        return top + mpmath.log1p(base ** (min(a, b) - top)) / mpmath.log(base)

    return value


_FEW = Domain(-1e4, 1e4)  # mpmath's exponential functions of more take their time
_UNIT = Domain(-1, 1, (0, 1, -1, 0.5), (-1, 1))
_ANGLE = Domain(-1e15, 1e15)
_WHOLE_OR_NOT = Domain(-50, 50, (0, 1, 2, -1))
ELEMENTARY = {
    "negative": (lambda x: -x, REAL), "positive": (lambda x: +x, REAL), "square": (lambda x: x * x, REAL),
    "sqrt": (mpmath.sqrt, POSITIVE), "reciprocal": (lambda x: 1 / x, Domain(singular=(0,))),
    "cbrt": (lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)), Domain(singular=(0,))),
    "absolute": (abs, Domain(singular=(0,))), "fabs": (abs, Domain(singular=(0,))),
    "exp": (mpmath.exp, _FEW), "exp2": (lambda x: mpf(2) ** x, _FEW), "expm1": (mpmath.expm1, _FEW),
    "log": (mpmath.log, POSITIVE), "log2": (lambda x: mpmath.log(x) / mpmath.ln2, POSITIVE),
    "log10": (lambda x: mpmath.log(x) / mpmath.ln10, POSITIVE),
    "log1p": (mpmath.log1p, Domain(-1, INF, (0, -1, 1), (-1,))),
    "sinh": (mpmath.sinh, _FEW), "cosh": (mpmath.cosh, _FEW), "tanh": (mpmath.tanh, _FEW),
    "arcsinh": (mpmath.asinh, REAL), "arccosh": (mpmath.acosh, Domain(1, INF, (1, 2), (1,))),
    "arctanh": (mpmath.atanh, _UNIT), "sigmoid": (lambda x: 1 / (1 + mpmath.exp(-x)), _FEW),
    "sin": (mpmath.sin, _ANGLE), "cos": (mpmath.cos, _ANGLE), "tan": (mpmath.tan, _ANGLE),
    "arcsin": (mpmath.asin, _UNIT), "arccos": (mpmath.acos, _UNIT), "arctan": (mpmath.atan, REAL),
    "deg2rad": (lambda x: x * PI / 180, REAL), "rad2deg": (lambda x: x * 180 / PI, REAL),
    "sinc": (mpmath.sincpi, Domain(-1e6, 1e6, (0, 1, 0.5))), "relu": (lambda x: max(x, mpf(0)), Domain(singular=(0,))),
    "erf": (mpmath.erf, _FEW), "erfc": (mpmath.erfc, _FEW), "i0": (lambda x: mpmath.besseli(0, x), Domain(-600, 600)),
    "add": (lambda a, b: a + b, REAL, REAL), "subtract": (lambda a, b: a - b, REAL, REAL),
    "multiply": (lambda a, b: a * b, REAL, REAL), "divide": (lambda a, b: a / b, REAL, Domain(singular=(0,))),
    "power": (lambda a, b: a**b, POSITIVE, _WHOLE_OR_NOT), "hypot": (mpmath.hypot, POSITIVE, POSITIVE),
    "arctan2": (mpmath.atan2, REAL, POSITIVE), "logaddexp": (_log_sum(mpmath.e), _FEW, _FEW),
    "logaddexp2": (_log_sum(mpf(2)), _FEW, _FEW),
}  # fmt: skip
SAMPLED |= {f"tm.{name}": Row(getattr(tm, name), f, *domains) for name, (f, *domains) in ELEMENTARY.items()}
