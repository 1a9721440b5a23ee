"""The scan of derivatives: points from 1e-300 to 1e300, and what counts as right beside a truth in mpmath.

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
THIRD = {np.dtype(np.float64): 1e-8, np.dtype(np.float32): 5e-4}  # of third derivatives
INF = math.inf
DIGITS = 60  # of closed forms, which do not cancel; those that do say for themselves how many they need


# -- points -----------------------------------------------------------------------------------------------------------

ENDS = [k * s for k in (1.0, 2.0, 0.5) for s in (1, -1)]


def points(dtype=np.float64, low=-INF, high=INF, dense=False, around=(), step=1):
    """Magnitudes over all of the range, both signs; near the ends, ones and halves; zeros and the smallest numbers."""
    info = np.finfo(dtype)
    top = 300 if info.bits == 64 else 36
    exponents = np.arange(-top, top + 1, 1.0) if dense else np.linspace(-top, top, 41)
    size = 10.0**exponents * (1 + 0.7 * (np.arange(exponents.size) * 0.618 % 1))
    size = np.concatenate([size[::step], np.linspace(0.07, 45, 301 if dense else 41)[::step]])
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


def wrong(got, truth, where, dtype, rtol):
    """None, or how got differs from truth(*where); `where` are floats, the moved one first in line for neighbours."""
    got, info = float(got), np.finfo(dtype)
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


WALKS = {"backward": against, "forward": along}
ORDERS = {1: "first", 2: "second", 3: "third"}


def derivatives(f, x, places):
    """The partial of an elementwise f at arrays x in the arguments at these places, in turn; in both modes."""
    found = {}
    with np.errstate(all="ignore"):
        for name, walk in WALKS.items():
            g = f
            for k in places:
                g = _along_one(walk, g, k)
            found[name] = tm.asarray(g(*x)).detach().numpy()
    return found


def _along_one(walk, f, k):
    return lambda *x: walk(f, k, x)


def failures(f, x, truth, *places, tolerance=RTOL):
    """Every point at which a partial is not right."""
    out = []
    x = tuple(x)
    dtype = x[places[0]].dtype
    truth = at_precision(truth)
    for mode, got in derivatives(f, x, places).items():
        assert got.dtype == dtype, f"{got.dtype} for {dtype}"
        for k, where in enumerate(zip(*(v.tolist() for v in x), strict=True)):
            problem = wrong(got[k], truth, where, dtype, tolerance[dtype])
            if problem:
                out.append(f"{ORDERS[len(places)]} {mode} {''.join(map(str, places))} at {where}: {problem}")
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


def beside_zero(f):
    """A closed form whose terms cancel to the order of x^4 or less: with so many more digits."""

    def value(x):
        with mp.workdps(mp.dps + (max(0, -4 * int(mpmath.log10(abs(x)))) if x else 0)):
            return f(+x)

    return value
