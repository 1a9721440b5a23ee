"""No mode gives a wrong number where a curve passes through a singular point, at any order: see `curves`."""

import math

import mpmath
import numpy as np
import pytest
from curves import MODES, Case, _number, found, moved
from mpmath import mpf

import tinygrad_math as tm
from tinygrad_math import linalg, special, stats

PI = mpmath.pi


def _log(x):
    return mpmath.log(x) if x > 0 else mpmath.nan


def _xlogy(x, y):
    return mpf(0) if x == 0 else x * _log(y)


def _power(x, y):
    return x**y if x > 0 else mpmath.nan


def _quotient_entropy(x, y):
    return mpf(0) if x == 0 else x * _log(x / y)


def _gamma_pdf(x, a):
    return x ** (a - 1) * mpmath.exp(-x) / mpmath.gamma(a) if x > 0 else mpmath.nan


def _gammainc(a):
    def below(x):
        return x**a * mpmath.exp(-x) * mpmath.hyp1f1(1, a + 1, x) / mpmath.gamma(a + 1) if x > 0 else mpmath.nan

    return below


def _beta_pdf(b):
    return lambda x, a: x ** (a - 1) * (1 - x) ** (b - 1) / mpmath.beta(a, b) if x > 0 else mpmath.nan


def _one(f, truth, *points):
    return [Case(f, truth, p) for p in points]


CASES = {
    "sqrt": _one(tm.sqrt, mpmath.sqrt, 0.0),
    "cbrt": _one(tm.cbrt, lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)), 0.0),
    "x^1.5": _one(lambda x: x**1.5, lambda x: _power(x, mpf(1.5)), 0.0),
    "x^3": _one(lambda x: x**3, lambda x: x**3, 0.0),
    "x^-1": _one(lambda x: x**-1, lambda x: 1 / x, 0.0),
    "0.5^y": _one(lambda y: 0.5**y, lambda y: mpf(0.5) ** y, 0.0),
    "power": [Case(tm.power, _power, 0.0, p) for p in (1 / 4, 1 / 2, 3 / 4, 5 / 4, 3 / 2, 2.0, 5 / 2, 3.0)]
    + [Case(tm.power, _power, 0.0, p, beyond=True) for p in (0.0, 1.0)],
    "log": _one(tm.log, mpmath.log, 0.0),
    "arcsin": _one(tm.arcsin, mpmath.asin, 1.0, -1.0, 0.0),
    "arccos": _one(tm.arccos, mpmath.acos, 1.0, -1.0),
    "arccosh": _one(tm.arccosh, mpmath.acosh, 1.0),
    "arctanh": _one(tm.arctanh, mpmath.atanh, 1.0),
    "sinc": _one(tm.sinc, lambda x: mpmath.sin(PI * x) / (PI * x), 0.0, 1.0),
    "sin(x) / x": _one(lambda x: tm.sin(x) / x, lambda x: mpmath.sin(x) / x, 0.0),
    "(1 - cos(x)) / x^2": _one(lambda x: (1 - tm.cos(x)) / x**2, lambda x: (1 - mpmath.cos(x)) / x**2, 0.0),
    "x / y": [Case(tm.divide, lambda x, y: x / y, a, 0.0) for a in (0.0, 1.0)],
    "x log x": _one(lambda x: x * tm.log(x), lambda x: x * _log(x), 0.0),
    "hypot beside an axis": [Case(tm.hypot, lambda x, y: mpmath.sqrt(x * x + y * y), 0.0, 1.0)],
    "arctan2 beside an axis": [Case(tm.arctan2, mpmath.atan2, 0.0, 1.0), Case(tm.arctan2, mpmath.atan2, 1.0, 0.0)],
    "xlogy": [Case(special.xlogy, _xlogy, *at, beyond=True) for at in ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))],
    "xlog1py": [
        Case(special.xlog1py, lambda x, y: _xlogy(x, 1 + y), *at, beyond=True) for at in ((0.0, -1.0), (1.0, -1.0))
    ],
    "entr": _one(special.entr, lambda x: -_xlogy(x, x), 0.0),
    "rel_entr": [Case(special.rel_entr, _quotient_entropy, *at, beyond=True) for at in ((0.0, 0.0), (0.0, 1.0))]
    + [Case(special.rel_entr, _quotient_entropy, 1.0, y) for y in (0.0, 1.0)],
    "kl_div": [
        Case(special.kl_div, lambda x, y: _quotient_entropy(x, y) - x + y, *at, beyond=True)
        for at in ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0))
    ],
    "norm beside an axis": [
        Case(lambda x, y, p=p: linalg.vector_norm(tm.stack([x, y]), ord=p),
             lambda x, y, p=p: (abs(x) ** mpf(p) + abs(y) ** mpf(p)) ** (1 / mpf(p)), 0.0, 1.0)
        for p in (2, 3)
    ],
    "prod": [
        Case(lambda x, y: tm.prod(tm.stack([x, y, 1 + x])), lambda x, y: x * y * (1 + x), 0.0, y) for y in (0.0, 1.0)
    ],
    "det": [
        Case(lambda x, y: linalg.det(tm.stack([tm.stack([x, y]), tm.stack([y, 2 * x])])),
             lambda x, y: 2 * x * x - y * y, 0.0, 0.0)
    ],
    "eigenvalues that meet": [
        Case(lambda x, y: tm.sum(linalg.eigvalsh(tm.stack([tm.stack([1 + x, y]), tm.stack([y, 1 - x])])) ** 3),
             lambda x, y: 2 + 6 * (x * x + y * y), 0.0, 0.0)
    ],
    "gammainc": [Case(lambda x, a=a: special.gammainc(a, x), _gammainc(mpf(a)), 0.0) for a in (0.5, 1.0, 1.5, 3.0)],
    "gamma.pdf": [Case(stats.gamma.pdf, _gamma_pdf, 0.0, a, beyond=True) for a in (0.5, 1.0, 1.5, 2.0, 3.0)],
    "beta.pdf": [
        Case(lambda x, a, b=b: stats.beta.pdf(x, a, b), _beta_pdf(mpf(b)), 0.0, a, beyond=True)
        for a in (0.5, 1.0, 1.5, 2.0, 3.0) for b in (0.5, 2.0)
    ],
    "gamma.logcdf": [
        Case(lambda x, a=a: stats.gamma.logcdf(x, a), lambda x, a=a: mpmath.log(_gammainc(mpf(a))(x)), 0.0)
        for a in (0.5, 1.0, 2.0)
    ],
    "gamma.logsf": [
        Case(lambda x, a=a: stats.gamma.logsf(x, a), lambda x, a=a: mpmath.log1p(-_gammainc(mpf(a))(x)), 0.0)
        for a in (0.5, 1.0, 2.0)
    ],
    "boxcox": [Case(special.boxcox, lambda x, p: (x**p - 1) / p, 2.0, 0.0)],
    "exprel": _one(special.exprel, lambda x: mpmath.expm1(x) / x, 0.0),
    "rgamma": _one(special.rgamma, mpmath.rgamma, 0.0, -1.0),
    "ellipk": _one(special.ellipk, mpmath.ellipk, 0.0, 1.0),
    "ellipe": _one(special.ellipe, mpmath.ellipe, 0.0, 1.0),
    "elliprc": [Case(special.elliprc, mpmath.elliprc, *at) for at in ((1.0, 1.0), (0.0, 1.0))],
    "agm": [Case(special.agm, mpmath.agm, 1.0, 1.0)],
    "jv": [
        Case(lambda x, v=v: special.jv(v, x), lambda x, v=v: mpmath.besselj(v, x), 0.0) for v in (0.0, 0.5, 2.5, 3.0)
    ],
    "spence": _one(special.spence, lambda x: mpmath.polylog(2, 1 - x), 1.0),
    "pseudo_huber": [
        Case(special.pseudo_huber, lambda d, r: d * d * (mpmath.sqrt(1 + (r / d) ** 2) - 1), 1.0, 0.0)
    ],
}  # fmt: skip


SLOW = {"power", "gamma.pdf", "beta.pdf", "gamma.logcdf", "gamma.logsf", "jv"}


def report(found):
    assert not found, f"{len(found)} derivatives, among them\n" + "\n".join(found[:8])


@pytest.mark.parametrize("name", CASES)
def test_no_mode_gives_a_wrong_number_along_a_curve_through_a_singular_point(name):
    count, order = (1, 2) if name in SLOW else (3, 3)
    report([line for case in CASES[name] for line in case.failures(name, count, order)])


@pytest.mark.long
@pytest.mark.parametrize("name", CASES)
def test_nor_along_many_curves_up_to_the_fourth_order(name):
    report([line for case in CASES[name] for line in case.failures(name, 12, 4, seed=1)])


# -- what is known by name ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "order"),
    [
        (lambda s: (s**4) ** (0.5 + s * s), 2),  # s^2: 2
        (lambda s: (s**3) ** (1 / 3 + s * s), 1),  # s: 1
        (lambda s: (s**3) ** (4 / 3 + s * s), 4),  # s^4: 24
        (lambda s: special.xlogy(1.0 + 0 * s, s * s), 1),  # 2 / s
    ],
)
def test_what_is_0_times_a_pole_is_not_a_number_in_any_mode(f, order):
    assert all(math.isnan(v) or math.isinf(v) for v in found(f, order)[order].values())


# -- kinks: the chain rule with the stated slope, in all modes alike ---------------------------------------------------

KINKS = {
    "abs": (tm.abs, 1),
    "relu": (tm.nn.functional.relu, 1),
    "maximum": (tm.maximum, 2),
    "hypot": (tm.hypot, 2),
    "arctan2": (tm.arctan2, 2),
    "norm": (lambda x, y: linalg.vector_norm(tm.stack([x, y])), 2),
    "norm of order 1": (lambda x, y: linalg.vector_norm(tm.stack([x, y]), ord=1), 2),
    "norm of order inf": (lambda x, y: linalg.vector_norm(tm.stack([x, y]), ord=np.inf), 2),
    "std": (lambda x, y: tm.std(tm.stack([x, y, 0 * x])), 2),
    "sort": (lambda x, y: tm.sort(tm.stack([x, y]))[0], 2),
    "clip": (lambda x: tm.clip(x, 0.0, 1.0), 1),
}


@pytest.mark.parametrize("name", KINKS)
@pytest.mark.parametrize("shape", [{1: 1}, {2: 1}, {2: -1, 3: 2}])
def test_at_a_kink_all_modes_follow_the_stated_slope_alike(name, shape):
    f, count = KINKS[name]
    args = [shape, {1: 1, 2: 1}][:count]
    for values in found(lambda s: f(*(moved(0.0, c, s) for c in args)), 3).values():
        first = next(iter(values.values()))
        assert math.isfinite(first)
        assert all(v == pytest.approx(first, rel=1e-12, abs=1e-12) for v in values.values()), values


@pytest.mark.parametrize("way", MODES)
def test_the_size_of_a_square_has_the_stated_slope_of_a_size_at_0(way):
    """|s^2| is s^2, but abs'(0) is 0: so is every derivative there that the chain rule gives."""
    inner = MODES[way](lambda s: tm.abs(s * s))
    assert _number(lambda: inner(0.0)) == 0
    assert _number(lambda: MODES[way](inner)(0.0)) == 0
