"""Derivatives along curves through singular points, and what they are: differences in many digits from both sides.

A case is a function, the same in mpmath, and a point at which it is singular, or nearly so. Its arguments are moved
along polynomials of s that pass there at s = 0. The derivatives of the composed function at 0 are those of polynomials
through its values on either side, at three distances, the largest 1e-16: they agree, or there is no derivative.

Where there is one, each mode gives it, or NaN, or a named error, and no other number. Where the derivatives go without
end, no mode gives a number.
"""

import itertools
import math
import random

import mpmath
import numpy as np
from mpmath import mp, mpf

import tinygrad_math as tm

DIGITS = 200
DISTANCES = (mpf(10) ** -16, mpf(10) ** -20, mpf(10) ** -28)
SHAPES = [{1: 1}, {1: -1}, {2: 1}, {2: -1}, {3: 1}, {4: 1}, {1: 1, 2: 1}, {2: 1, 3: 1}, {2: -1, 3: 2}, {}]
NOWHERE = (ZeroDivisionError, ValueError, mpmath.libmp.ComplexResult, mpmath.libmp.NoConvergence)


def moved(at, shape, s):
    """at + c1 s + c2 s^2 + ..., as a program: powers are products, and nothing is added to 0."""
    total = None
    for power, factor in shape.items():
        term = s
        for _ in range(power - 1):
            term = term * s
        term = term if factor == 1 else factor * term
        total = term if total is None else total + term
    return at if total is None else at + total if at else total


def differences(h, side, order, distance):
    """h and its derivatives at 0, of the polynomial through values on this side; None where h is not real there."""
    points = [side * distance * j for j in range(1, order + 5)]
    values = []
    for s in points:
        try:
            y = mpmath.mpmathify(h(s))
        except NOWHERE:
            return None
        if isinstance(y, mpmath.mpc) or not mpmath.isfinite(y):
            return None
        values.append(y)
    n = len(points)
    for j in range(1, n):
        for i in range(n - 1, j - 1, -1):
            values[i] = (values[i] - values[i - 1]) / (points[i] - points[i - j])
    series = [mpf(0)] * n
    for i in range(n - 1, -1, -1):
        series = [(series[k - 1] if k else values[i]) - points[i] * series[k] for k in range(n)]
    return [series[k] * math.factorial(k) for k in range(order + 1)]


def limit(near, order):
    """The derivative on one side, inf where it goes without end, None where there is none to tell."""
    if any(d is None for d in near):
        return None
    a, b, c = (d[order] for d in near)
    if abs(b - c) <= mpf(10) ** -8 * (1 + abs(c)):
        return c
    return mpf(math.inf) if abs(b - c) >= abs(a - b) / 2 else None


def truths(h, order):
    """For each order from 0: a number, inf for none at all, or None, from where on nothing is asked."""
    with mp.workdps(DIGITS):
        sides = [[differences(h, side, order, d) for d in DISTANCES] for side in (1, -1)]
        out = []
        for k in range(order + 1):
            right, left = (limit(near, k) for near in sides)
            if math.inf in (right, left):
                return [*out, *[math.inf] * (order + 1 - k)]
            if right is None or left is None or abs(right - left) > mpf(10) ** -7 * (1 + abs(right)):
                return [*out, *[None] * (order + 1 - k)]
            out.append(float(right))
        return out


def forward(f):
    return lambda s: tm.jvp(f, (s,), (1.0,))[1]


MODES = {"forward": forward, "reverse": tm.grad}


def found(f, order):
    """By order, then by the modes over each other, what the package gives at 0: a float, or the name of an error."""
    out = {n: {} for n in range(1, order + 1)}
    with np.errstate(all="ignore"):
        for n in out:
            for ways in itertools.product(MODES, repeat=n):
                if n <= 2 or len(set(ways)) == 1:
                    g = f
                    for way in ways:
                        g = MODES[way](g)
                    out[n][" over ".join(reversed(ways))] = _number(lambda g=g: g(0.0))
        try:
            jet = tm.jet(f, 0.0, 1.0, order)
        except (tm.NoDerivative, tm.IllPosedDerivative):
            return out
        for n in out:
            out[n]["jet"] = float(jet[n]) * math.factorial(n)
    return out


def _number(call):
    try:
        return float(call())
    except (tm.NoDerivative, tm.IllPosedDerivative):
        return math.nan


class Case:
    """`beyond` says that a derivative may be a number again where one of lower order is infinite."""

    def __init__(self, f, truth, *at, beyond=False):
        self.f, self.truth, self.at, self.beyond = f, truth, at, beyond

    def curves(self, rng, count):
        """So many of them, the one along which all arguments rest and bend first."""
        bent = ({2: 1},) * len(self.at)
        others = [c for c in itertools.product(SHAPES, repeat=len(self.at)) if any(c) and c != bent]
        return [bent, *rng.sample(others, min(count - 1, len(others)))]

    def failures(self, name, count, order, seed=0):
        out = []
        for shapes in self.curves(random.Random(f"{name} {seed}"), count):
            pairs = list(zip(self.at, shapes, strict=True))
            want = truths(lambda s, pairs=pairs: self.truth(*(moved(mpf(a), c, s) for a, c in pairs)), order)
            got = found(lambda s, pairs=pairs: self.f(*(moved(a, c, s) for a, c in pairs)), order)
            for n, values in got.items():
                known = want[n]
                if known is None or (self.beyond and n > 1 and want[n - 1] == math.inf):
                    break
                for way, value in values.items():
                    if math.isfinite(value) and not abs(value - known) <= 1e-7 * (1 + abs(known)):
                        out.append(f"{name} along {shapes} from {self.at}, {way}: {value}, want {known}")
        return out
