"""The distributions of tm.stats in mpmath, as the scan at random points takes them (`digits_sampled`).

Each is told by its density and the probabilities below and above, with all digits where they are small; the logarithms
follow, also of what is too small for a float. A quantile is followed to its digits from ours by Newton's method.
"""

import math

import mpmath
import numpy as np
from digits_sampled import Chosen, Domain, Row
from mpmath import mp, mpf

from tinygrad_math import stats

INF, PI = math.inf, mpmath.pi


def up_to(f):
    """1 - f, with as many more digits as are lost where f is nearly 1."""

    def rest(*x):
        more = 30
        while more < 5000:
            with mp.workdps(mp.dps + more):
                y = 1 - f(*x)
            if y > mpf(10) ** (10 - more):
                return y
            more *= 3
        raise mp.NoConvergence

    return rest


# -- the incomplete functions ------------------------------------------------------------------------------------------


def rising(start, x, below, above=None):
    """start (1 + r_1 + r_1 r_2 + ...) of the positive ratios r_k = x (above + k)/(below + k), or x/(below + k).

    In integers, of which the last bits are far beyond the digits: near the mean of a large shape it is long.
    """
    bits = mp.prec + 80
    x, below = int(mpmath.ldexp(x, bits)), int(mpmath.ldexp(below, bits))
    above = None if above is None else int(mpmath.ldexp(above, bits))
    term = total = one = 1 << bits
    for k in range(1, 2_000_000):
        if above is None:
            term = term * x // (below + k * one)
        else:
            term = (term * x >> bits) * (above + k * one) // (below + k * one)
        total += term
        if term << mp.prec < total:
            return start * mpmath.ldexp(mpf(total), -bits)
    raise mp.NoConvergence


def gamma_density(x, a):
    return mpmath.exp((a - 1) * mpmath.log(x) - x - mpmath.loggamma(a)) if x > 0 else mpf(0)


def _gamma_is_far(x, a):
    return x > a + 300 + 15 * mpmath.sqrt(a)


def gamma_below(x, a):
    """DLMF 8.7.1, of positive terms."""
    if _gamma_is_far(x, a):
        return up_to(gamma_above)(x, a)
    start = mpmath.exp(a * mpmath.log(x) - x - mpmath.loggamma(a + 1))
    return rising(start, x, a)


def gamma_above(x, a):
    """Far out the continued fraction (DLMF 8.9.2), from its end; of twice as many terms it is the same."""
    if not _gamma_is_far(x, a):
        return up_to(gamma_below)(x, a)
    count, last = 2 * mp.dps, None
    while count < 1_000_000:
        total = mpf(0)
        for k in range(count, 0, -1):
            total = k * (a - k) / (x + 2 * k + 1 - a + total)
        if last is not None and abs(total - last) <= 100 * mp.eps * abs(x + 1 - a):
            return mpmath.exp(a * mpmath.log(x) - x - mpmath.loggamma(a)) / (x + 1 - a + total)
        count, last = 2 * count, total
    raise mp.NoConvergence


def beta_part(x, y, a, b):
    """The incomplete beta function at x = 1 - y (DLMF 8.17.8)."""
    if x > mpf(9) / 10 or x * b > a * y:
        rest = beta_part if y < mpf(9) / 10 else _beta_series
        if rest is beta_part or x * b > 2000:  # of which the terms would rise beyond all bounds
            return up_to(rest)(y, x, b, a)
    return _beta_series(x, y, a, b)


def _beta_series(x, y, a, b):
    log_beta = mpmath.loggamma(a) + mpmath.loggamma(b) - mpmath.loggamma(a + b)
    start = mpmath.exp(a * mpmath.log(x) + b * mpmath.log(y) - log_beta) / a
    return rising(start, x, a, a + b - 1)


def student_density(t, n):
    log_beta = mpmath.loggamma(n / 2) + mpmath.loggamma(mpf(1) / 2) - mpmath.loggamma((n + 1) / 2)
    return mpmath.exp(-(n + 1) / 2 * mpmath.log1p(t * t / n) - log_beta) / mpmath.sqrt(n)


def student_below(t, n):
    if t > 0:
        return up_to(student_below)(-t, n)
    return beta_part(n / (n + t * t), t * t / (n + t * t), n / 2, mpf(1) / 2) / 2


# -- laws --------------------------------------------------------------------------------------------------------------


class Law:
    """A distribution: its density, the probabilities below and above, and where its arguments are drawn from."""

    def __init__(self, density, below, above, *domains, keep=None):
        self.whole = {"pdf": density, "pmf": density, "cdf": below, "sf": above}
        self.domains, self.keep = domains, keep

    def reference(self, method, ours):
        if method in ("ppf", "isf"):
            return self.quantile(method, ours)
        f = self.whole[method.removeprefix("log")]
        return (lambda *x: mpmath.log(f(*x))) if method.startswith("log") else f

    def slope(self, method, ours):
        """The derivative in the point, or of a quantile in the probability, where it is told by the density."""
        density, sign = self.whole["pdf"], -1 if method in ("sf", "logsf", "isf") else 1
        if method in ("cdf", "sf"):
            return lambda *x: sign * density(*x)
        if method in ("logcdf", "logsf"):
            tail = self.whole[method.removeprefix("log")]

            def rate(x, *shapes):
                more = int(mpmath.log10(abs(x))) if abs(x) > 1 else 0  # digits of an exponent as large as x
                with mp.workdps(mp.dps + more):
                    return sign * density(x, *shapes) / tail(x, *shapes)

            return rate
        if method in ("ppf", "isf"):
            find = self.quantile(method, ours)
            return lambda p, *shapes: sign / density(find(p, *shapes), *shapes)
        return None

    def quantile(self, method, ours):
        """The point at which the probability below or above is p: by Newton's method from ours, or from the last one
        that was found beside it."""
        tail, density = self.whole["cdf" if method == "ppf" else "sf"], self.whole["pdf"]
        sign, found = 1 if method == "ppf" else -1, {}

        def value(p, *shapes):
            near = tuple(map(float, (p, *shapes)))
            with np.errstate(all="ignore"):
                x = found[near] if near in found else mpf(float(ours(*near)))
            for _ in range(60):
                step = sign * (tail(x, *shapes) - p) / density(x, *shapes)
                x -= step
                if abs(step) <= 100 * mp.eps * abs(x):
                    found[near] = x
                    return x
            raise mp.NoConvergence

        return value


class LawRow(Row):
    """A method of a law. A derivative of a probability in the point is one of the density, which is sooner told."""

    steps = ((50, 15), (80, 25), (300, 100), (800, 260))  # the functions are smooth, and their digits take their time

    def __init__(self, name, method, *domains, **more):
        self.law, self.method, self.quantile = LAWS[name], method, method in ("ppf", "isf")
        ours = getattr(getattr(stats, name), method)
        super().__init__(ours, self.law.reference(method, ours), *domains, places=DISCRETE.get(name), **more)
        self.slope = self.law.slope(method, ours)

    def partial(self, places):
        if self.slope is None or 0 not in places:
            return self.reference, places
        rest = list(places)
        rest.remove(0)
        return self.slope, tuple(rest)


def two_sided(f):
    return f, lambda x, *shapes: f(-x, *shapes)


def gauss(z):
    return mpmath.exp(-z * z / 2) / mpmath.sqrt(2 * PI)


def normal_below(z):
    return mpmath.erfc(-z / mpmath.sqrt(2)) / 2


def logistic_below(z):
    return 1 / (1 + mpmath.exp(-z))


def laplace_below(z):
    return mpmath.exp(z) / 2 if z <= 0 else up_to(laplace_below)(-z)


def cauchy_below(z):
    return mpmath.atan2(1, -z) / PI


def poisson_mass(k, m):
    return mpmath.exp(k * mpmath.log(m) - m - mpmath.loggamma(k + 1)) if m else mpf(k == 0)


def binomial_mass(k, n, p):
    return mpmath.binomial(n, k) * p**k * (1 - p) ** (n - k)


REAL = Domain(singular=())
LINE = Domain(-1e5, 1e5)  # mpmath's erfc and exp of more take their time
HALF = Domain(0, INF, (0, 1, 10), (0,))
SHAPE = Domain(1e-8, 2e3, (1, 2, 100), (0,))
PART = Domain(0, 1, (0, 1, 0.5), (0, 1))
CHANCE = Domain(0, 1, (0, 1, 0.5), (0, 1))
FREEDOM = Domain(1e-4, 1e3, (1, 2, 100), (0,))
LAWS = {
    "norm": Law(gauss, *two_sided(normal_below), LINE),
    "t": Law(student_density, *two_sided(student_below), REAL, FREEDOM),
    "gamma": Law(gamma_density, gamma_below, gamma_above, HALF, SHAPE),
    "chi2": Law(
        lambda x, n: gamma_density(x / 2, n / 2) / 2,
        lambda x, n: gamma_below(x / 2, n / 2),
        lambda x, n: gamma_above(x / 2, n / 2),
        HALF,
        SHAPE,
    ),
    "beta": Law(
        lambda x, a, b: x ** (a - 1) * (1 - x) ** (b - 1) / mpmath.beta(a, b),
        lambda x, a, b: beta_part(x, 1 - x, a, b),
        lambda x, a, b: beta_part(1 - x, x, b, a),
        PART,
        SHAPE,
        SHAPE,
    ),
    "expon": Law(lambda x: mpmath.exp(-x), lambda x: -mpmath.expm1(-x), lambda x: mpmath.exp(-x), HALF),
    "uniform": Law(lambda x: mpf(1), lambda x: x, lambda x: 1 - x, PART),
    "lognorm": Law(
        lambda x, s: gauss(mpmath.log(x) / s) / (s * x),
        lambda x, s: normal_below(mpmath.log(x) / s),
        lambda x, s: normal_below(-mpmath.log(x) / s),
        Domain(1e-150, 1e150, (1, 10), (0,)),  # beyond, the square of 1/x leaves the range of floats
        Domain(1e-3, INF, (1, 0.1), (0,)),
    ),
    "laplace": Law(lambda x: mpmath.exp(-abs(x)) / 2, *two_sided(laplace_below), Domain(singular=(0,))),
    "cauchy": Law(lambda x: 1 / (PI * (1 + x * x)), *two_sided(cauchy_below), REAL),
    "logistic": Law(lambda x: 1 / (2 + mpmath.exp(x) + mpmath.exp(-x)), *two_sided(logistic_below), REAL),
    "poisson": Law(
        poisson_mass,
        lambda k, m: gamma_above(m, k + 1),
        lambda k, m: gamma_below(m, k + 1),
        Chosen(0, 1, 2, 7, 30, 120, 1000),
        HALF,
    ),
    "binom": Law(
        binomial_mass,
        lambda k, n, p: beta_part(1 - p, p, n - k, k + 1),
        lambda k, n, p: beta_part(p, 1 - p, k + 1, n - k),
        Chosen(0, 1, 2, 7, 30, 120, 500),
        Chosen(2, 5, 8, 31, 40, 200, 501, 1000),
        CHANCE,
        keep=lambda k, n, p: k < n,
    ),
}
DISCRETE = {"poisson": [1], "binom": [2]}
LEAST = 1e-100  # of a q or its quantile, below which the square of 1/pdf leaves the range, as `ppf` says
METHODS = ["pdf", "logpdf", "cdf", "sf", "logcdf", "logsf", "ppf", "isf"]


def _moderate(law, method):
    def keep(q, *shapes):
        with np.errstate(all="ignore"):
            return q > LEAST and LEAST < abs(float(getattr(law, method)(q, *shapes))) < 1 / LEAST

    return keep


def rows():
    found = {}
    for name, law in LAWS.items():
        for method in METHODS:
            if name in DISCRETE and method in ("ppf", "isf"):
                continue
            title = method.replace("pdf", "pmf") if name in DISCRETE else method
            if method in ("ppf", "isf"):
                row = LawRow(name, title, CHANCE, *law.domains[1:], keep=_moderate(getattr(stats, name), title))
            else:
                row = LawRow(name, title, *law.domains, keep=law.keep)
            found[f"{name}.{title}"] = row
    return found


ROWS = rows()
