"""The distributions of tm.stats with loc and scale, and those of large shapes, as the scan at random points takes them.

The point is drawn where the distribution has something to tell: x = loc + scale z of a z of the standard form, and of
large shapes beside the mean. Steps of differences are small beside the scale, and beside the distance from a singular
point, which moves with loc and scale.
"""

import math

import mpmath
import numpy as np
from digits_stats import CHANCE, DISCRETE, LAWS, METHODS, LawRow
from mpmath import mpf

# Of a probability, below which the square of 1/pdf leaves the range, as `ppf` says; and of z, and of 1/z.
LEAST = {np.dtype(np.float64): 1e-60, np.dtype(np.float32): 1e-12}


# The logarithm of a power of z has no mixed derivative in x and scale: beside an end where it is all but that, the
# derivative is what is left of terms that cancel. As far as that is not asked.
NEAREST = {(LAWS[name], True): 1e-3 for name in ("gamma", "chi2", "beta", "t", "cauchy")}


def _chance(rng):
    """A probability: moderate, or a small one, or beside 1."""
    return rng.choice([rng.random(), 10 ** rng.uniform(-30, 0), 1 - 10 ** rng.uniform(-12, 0)])


# -- loc and scale -----------------------------------------------------------------------------------------------------
def _scale(rng, exponent):
    """One magnitude as often as another, or a moderate number."""
    return 10 ** rng.uniform(-exponent, exponent) if rng.random() < 0.5 else rng.uniform(0.1, 5)


def _loc(rng, size):
    """0, of moderate magnitude, or within three of that of what it is added to; of either sign."""
    return rng.choice([-1, 1]) * rng.choice([0.0, 1.0, size]) * 10 ** rng.uniform(-3, 3)


class Placed(LawRow):
    """A method of a law at x = loc + scale z, differentiated in x, the shapes, loc and scale."""

    exponent = 60  # of the scale: of its third power, and of that of z, second derivatives are made

    def __init__(self, name, method):
        first, *self.shapes = LAWS[name].domains
        super().__init__(name, method, CHANCE if method in ("ppf", "isf") else first, *self.shapes)
        self.first, self.standard, self.reference = self.domains[0], self.reference, _moved(self.reference, method)
        self.places = range(len(self.domains) + 2)

    def partial(self, places):
        count = len(self.domains)  # whose places are followed by those of loc and scale
        moved = [k for k in (0, count + 1, count) if k in places]
        if self.slope is None or not moved:
            return self.reference, places
        rest, f, k = list(places), self.slope if 0 in moved or not self.quantile else self.standard, moved[0]
        rest.remove(k)
        if self.quantile:
            factor = {0: lambda rest: rest[-1], count: None, count + 1: lambda rest: 1}[k]
            if factor is None:
                return lambda *x: mpf(1), tuple(rest)
            return lambda q, *rest: factor(rest) * f(q, *rest[:-2]), tuple(rest)

        def slope(x, *rest):
            z = (x - rest[-2]) / rest[-1]
            return f(z, *rest[:-2]) * {0: 1, count: -1, count + 1: -z}[k] / rest[-1]

        return slope, tuple(rest)

    def points(self, rng, count, dtype):
        out, double = [], dtype == np.float64
        while len(out) < count:
            z, *shapes = (d.draw(rng) for d in self.domains)
            if not double and not self.quantile:
                z = math.copysign(min(max(abs(z), 1e-4), 1e4), z)
            z = _chance(rng) if self.quantile else z
            scale = _scale(rng, self.exponent if double else 6)
            loc = _loc(rng, scale * min(abs(z), 1e3))
            with np.errstate(over="ignore", under="ignore"):
                where = z if self.quantile else loc + scale * z, *shapes, loc, scale
                where = tuple(float(dtype.type(v)) for v in where)
            if self._asked(where, dtype):
                out.append(where)
        return out

    def _asked(self, where, dtype):
        """Whether the point is inside of the support, where derivatives do not leave the range of floats."""
        x, *shapes, loc, scale = where
        if not all(map(math.isfinite, where)) or not all(shapes):
            return False
        if self.quantile:
            z = float(self.f(x, *shapes))
            return LEAST[dtype] < x < 1 and LEAST[dtype] < abs(z) < 1 / LEAST[dtype]
        z = (mpf(x) - mpf(loc)) / mpf(scale)
        least = NEAREST.get((self.law, self.method.startswith("log")), LEAST[dtype])
        return self.first.low < z < self.first.high and (
            z == 0 or (least < min(abs(z), abs(1 - z)) and abs(z) < 1 / least)
        )

    def reach(self, x):
        first, *shapes, loc, scale = map(mpf, x)
        others = [min([max(1, v), *(abs(v - s) for s in d.singular)]) for v, d in zip(shapes, self.shapes, strict=True)]
        if 0 in others:
            return None
        if self.quantile:
            return [min(first, 1 - first), *others, max(1, abs(loc)), scale]
        z = (first - loc) / scale
        free = min([max(1, abs(z)), *(abs(z - s) for s in self.first.singular)])
        return [scale * free, *others, scale * free, scale * free / max(1, abs(z))] if free else None


def _moved(f, method):
    if method in ("ppf", "isf"):
        return lambda q, *rest: rest[-2] + rest[-1] * f(q, *rest[:-2])
    if method == "pdf":
        return lambda x, *rest: f((x - rest[-2]) / rest[-1], *rest[:-2]) / rest[-1]
    if method == "logpdf":
        return lambda x, *rest: f((x - rest[-2]) / rest[-1], *rest[:-2]) - mpmath.log(rest[-1])
    return lambda x, *rest: f((x - rest[-2]) / rest[-1], *rest[:-2])


# -- large shapes ------------------------------------------------------------------------------------------------------
def _large(rng):
    return 10 ** rng.uniform(3, 8)


def _beside(rng, mean, spread):
    """A number some standard deviations away from the mean, or a good part of it."""
    return mean + rng.choice([-1, 1]) * rng.choice([spread * rng.uniform(0, 8), mean * 10 ** rng.uniform(-4, -0.5)])


def _gamma(rng):
    a = _large(rng)
    return _beside(rng, a, math.sqrt(a)), a


def _chi2(rng):
    n = _large(rng)
    return _beside(rng, n, math.sqrt(2 * n)), n


def _beta(rng):
    a, b = _large(rng), rng.choice([_large(rng), rng.uniform(0.3, 30)])
    a, b = rng.choice([(a, b), (b, a)])
    mean = a / (a + b)
    return _beside(rng, mean, math.sqrt(mean * (1 - mean) / (a + b + 1))), a, b


def _student(rng):
    return rng.choice([rng.uniform(-8, 8), rng.choice([-1, 1]) * 10 ** rng.uniform(-3, 6)]), _large(rng)


def _lognorm(rng):
    return 10 ** rng.uniform(-100, 100), _large(rng)


def _poisson(rng):
    mu = _large(rng)
    return float(round(_beside(rng, mu, math.sqrt(mu)))), mu


def _binom(rng):
    n, p = float(round(_large(rng))), rng.choice([rng.random(), 10 ** rng.uniform(-4, -1)])
    return float(round(_beside(rng, n * p, math.sqrt(n * p * (1 - p))))), n, p


DRAWN = {"gamma": _gamma, "chi2": _chi2, "beta": _beta, "t": _student, "lognorm": _lognorm, "poisson": _poisson}
DRAWN["binom"] = _binom


class Large(LawRow):
    """A method of a law of large shapes."""

    def __init__(self, name, method):
        first, *shapes = LAWS[name].domains
        super().__init__(name, method, CHANCE if method in ("ppf", "isf") else first, *shapes)
        self.draw = DRAWN[name]

    def points(self, rng, count, dtype):
        out = []
        while len(out) < count:
            x, *shapes = self.draw(rng)
            x = _chance(rng) if self.quantile else x
            where = tuple(float(dtype.type(v)) for v in (x, *shapes))
            if (LEAST[dtype] < x < 1) if self.quantile else self._asked(*where):
                out.append(where)
        return out

    def _asked(self, x, *shapes):
        """Whether it is a point inside of the support, of a discrete law a whole number."""
        if self.places in DISCRETE.values():
            return x == round(x) and 0 <= x < (shapes[0] if len(shapes) == 2 else math.inf)
        domain = self.domains[0]
        return domain.low < x < domain.high


def rows(kind, names):
    found = {}
    for name in names:
        for method in METHODS:
            if name in DISCRETE and method in ("ppf", "isf"):
                continue
            title = method.replace("pdf", "pmf") if name in DISCRETE else method
            found[f"{name}.{title}"] = kind(name, title)
    return found


PLACED = rows(Placed, [name for name in LAWS if name not in DISCRETE])
LARGE = rows(Large, DRAWN)
