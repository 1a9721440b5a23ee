"""Derivatives keep their digits: scanned against mpmath over the range of floats. What counts is told in `digits`."""

import math

import digit_scan
import digits
import mpmath
import numpy as np
import pytest
from cases import each

import tinygrad_math as tm
from tinygrad_math import fft, geometry, linalg, nn, random, special, stats  # noqa: F401  (they fill the registry)
from tinygrad_math.core.errors import ArgumentError, NoDerivative, ShapeError
from tinygrad_math.core.op import registry
from tinygrad_math.nn import functional as F

KINDS = [np.float64, np.float32]


def op(name):
    return getattr(tm, name, None) or getattr(special, name)


def report(found):
    assert not found, f"{len(found)} points, among them\n" + "\n".join(found[:8])


def scan_one(name, dtype, dense):
    row, found = digits.OF_ONE[name], []
    x = row.points(dtype, dense, finer=False)
    for order in (0, 1):
        found += digit_scan.failures(op(name), (x,), row.truth(order), *[0] * (order + 1))
    report(found)


def scan_two(name, dtype, dense):
    row, found = digits.OF_TWO[name], []
    x = row.points(dtype, dense)
    for partial, truth in row.truths.items():
        if partial not in row.skip:
            found += digit_scan.failures(op(name), x, truth, *partial)
    report(found)


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("name", digits.OF_ONE)
def test_the_derivatives_of_a_function_of_one_number_keep_their_digits(name, dtype):
    scan_one(name, dtype, dense=False)


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("name", digits.OF_TWO)
def test_the_partial_derivatives_of_a_function_of_two_numbers_keep_their_digits(name, dtype):
    scan_two(name, dtype, dense=False)


def scan_activation(name, dtype, dense):
    row, found = digits.OF_NETWORKS[name], []
    x, f = row.points(dtype, dense, finer=False), getattr(F, name)
    with np.errstate(under="ignore"):
        values = f(x).numpy()
    truth = digit_scan.at_precision(row.f)
    for y, v in zip(values.tolist(), x.tolist(), strict=True):
        problem = digit_scan.wrong(y, truth, (v,), x.dtype, digit_scan.RTOL[x.dtype])
        found += [f"value at {v}: {problem}"] if problem else []
    for order in (0, 1):
        found += digit_scan.failures(f, (x,), row.truth(order), *[0] * (order + 1))
    report(found)


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("name", digits.OF_NETWORKS)
def test_activations_and_two_derivatives_keep_their_digits(name, dtype):
    scan_activation(name, dtype, dense=False)


@pytest.mark.long
@pytest.mark.parametrize("name", digits.OF_NETWORKS)
def test_activations_at_every_power_of_ten_too(name):
    scan_activation(name, np.float64, dense=True)


def scan_last(name, dtype, dense):
    found = []
    for parameters, row in digits.OF_LAST[name].rows.items():
        x = row.points(dtype, dense)
        for order in (0, 1):
            f = lambda v, p=parameters: op(name)(*p, v)  # noqa: E731
            lines = digit_scan.failures(f, (x,), row.truth(order), *[0] * (order + 1))
            found += [f"{parameters}: {line}" for line in lines]
    report(found)


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("name", digits.OF_LAST)
def test_the_derivatives_of_a_function_with_parameters_keep_their_digits(name, dtype):
    scan_last(name, dtype, dense=False)


@pytest.mark.long
@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("name", digits.OF_ONE)
def test_at_every_power_of_ten_too(name, dtype):
    scan_one(name, dtype, dense=True)


@pytest.mark.long
@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("name", digits.OF_TWO)
def test_at_every_power_of_ten_of_two_numbers_too(name, dtype):
    scan_two(name, dtype, dense=True)


BESIDE_POLES = ["gamma", "rgamma", "gammaln", "psi", "y0", "y1", "k0", "k1"]


@pytest.mark.long
@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("name", digits.OF_ONE)
def test_third_derivatives_too(name, dtype):
    row = digits.OF_ONE[name]
    x = row.points(dtype, dense=False)
    x = x[(x != 0) & ~np.isin(x, list(row.ends))]
    if name in BESIDE_POLES:  # at which mpmath takes minutes, and beside which the next number is the pole
        x = x[(np.abs(x) > 1e-12) & ((x > 0) | (np.abs(x - np.round(x)) > 1e-3))]
    truth = digit_scan.at_precision(row.third)
    x = x[[math.isfinite(digit_scan.rounded(truth(v), x.dtype)) for v in x.tolist()]]
    report(digit_scan.failures(op(name), (x,), truth, 0, 0, 0, tolerance=digit_scan.THIRD))


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "arcsin", "arctan", "hypot", "arctan2"])
def test_compiled_derivatives_keep_their_digits_as_well(name):
    table = digits.OF_ONE if name in digits.OF_ONE else digits.OF_TWO
    x = table[name].points(np.float64, False)
    x = x if isinstance(x, tuple) else (x,)
    f = op(name)

    def first(*v):
        return tm.grad(lambda u: f(u, *v[1:]).sum())(v[0])

    def second(*v):
        return tm.grad(lambda u: first(u, *v[1:]).sum())(v[0])

    with np.errstate(all="ignore"):
        for g in (first, second):
            np.testing.assert_allclose(tm.compile(g)(*x).numpy(), g(*x).numpy(), rtol=1e-12, atol=1e-305)


def test_the_tail_of_tanh_is_right_in_large_compiled_arrays_that_are_worked_through_in_blocks():
    x = np.linspace(-30, 30, 1 << 17)
    step = tm.compile(lambda x: (tm.grad(lambda v: (tm.tanh(v) * 3.0).sum())(x), tm.tanh(x)))
    for _ in range(2):
        g, y = step(x)
        np.testing.assert_allclose(g.numpy(), 3 / np.cosh(x) ** 2, rtol=1e-9)
        np.testing.assert_array_equal(y.numpy(), np.tanh(x))
    donated = tm.compile(lambda x: tm.grad(lambda v: tm.tanh(v).sum())(x), donate_argnums=0)
    np.testing.assert_allclose(donated(x.copy()).numpy(), 1 / np.cosh(x) ** 2, rtol=1e-9)


def test_the_slope_of_a_logistic_density_keeps_its_digits_beside_the_middle():
    for x in (1e-17, -3e-200, 0.4, 900.0):
        assert float(tm.grad(tm.stats.logistic.logpdf)(x)) == pytest.approx(-np.tanh(x / 2), rel=1e-14, abs=0)
        second = float(tm.grad(tm.grad(tm.stats.logistic.logpdf))(x))
        assert second == pytest.approx(-0.5 * float(digits.sech(mpmath.mpf(x) / 2)) ** 2, rel=1e-13, abs=1e-300)


@pytest.mark.parametrize("x", [0.3, -1e180, 1e-200])
def test_densities_with_heavy_tails_do_not_overflow_on_the_way(x):
    got = float(tm.grad(tm.stats.cauchy.logpdf)(x))
    assert got == pytest.approx(float(-2 * mpmath.mpf(x) / (1 + mpmath.mpf(x) ** 2)), rel=1e-13, abs=0)
    got, m = float(tm.grad(tm.stats.t.logpdf)(x, 0.5)), mpmath.mpf(x)
    assert got == pytest.approx(float(-1.5 * m / (0.5 + m**2)), rel=1e-13, abs=0)


@pytest.mark.parametrize("a, b", [(0.3, 1e-40), (2.0, 1e-42), (1e-37, 3e-37), (8.0, 3e-39)])
def test_second_derivatives_of_beta_do_not_overflow_on_the_way(a, b):
    at, row = (np.array([a], np.float32), np.array([b], np.float32)), digits.OF_TWO["beta"]
    for x in (at, at[::-1]):
        for partial, truth in row.truths.items():
            report(digit_scan.failures(special.beta, x, truth, *partial))


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("n, t", [(1e-300, 1.0), (1e-300, -1e200), (1e-20, 3.0), (1e-30, 1e-17), (1e-150, 1e-75)])
def test_students_distribution_of_hardly_any_degrees_of_freedom(n, t, dtype):
    if dtype == np.float32:
        n, t = max(n, 1e-36), math.copysign(min(max(abs(t), 1e-18), 1e30), t)
    n, t = dtype(n), dtype(t)
    with mpmath.workdps(400):  # 1/2 + n w/2 - ..., w = asinh(t/sqrt(n)), of which the next terms are n w times smaller
        a, b = mpmath.mpf(float(n)), mpmath.mpf(float(t))
        w = mpmath.asinh(b / mpmath.sqrt(a))
        slope, bend = w / 2 - mpmath.tanh(w) / 4, mpmath.tanh(w) * (mpmath.sech(w) ** 2 / 2 - 1) / (4 * a)
    for order, want in ((1, slope), (2, bend)):
        f = special.stdtr
        for _ in range(order):
            f = tm.grad(f)
        assert float(f(n, t)) == pytest.approx(
            digit_scan.rounded(want, np.dtype(dtype)), rel=digit_scan.RTOL[np.dtype(dtype)], abs=0
        )


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("n", [1e15, 1e20, 1e34])
@pytest.mark.parametrize("t", [0.0, 1e-12, 0.7, -3.0])
def test_students_distribution_of_many_degrees_of_freedom(t, n, dtype):
    n, t = dtype(n), dtype(t)
    first = float(-np.exp(-(np.float64(t) ** 2) / 2) / np.sqrt(2 * np.pi) * (np.float64(t) ** 3 + t) / 4)  # times 1/n
    tolerance = {"rel": digit_scan.RTOL[np.dtype(dtype)], "abs": float(np.finfo(dtype).tiny)}
    slope = tm.grad(special.stdtr)
    assert float(slope(n, t)) == pytest.approx(-first * float(n) ** -2, **tolerance)
    assert float(tm.grad(slope)(n, t)) == pytest.approx(2 * first * float(n) ** -3, **tolerance)


@pytest.mark.parametrize("n, t", [(1e5, 30.0), (120.0, 3.5), (3.0, 1e-200), (0.9, 5.0)])
def test_students_distribution_in_its_degrees_of_freedom_keeps_its_digits(n, t):
    with mpmath.workdps(30):
        end, tail = mpmath.mpf(t) / mpmath.sqrt(n), t > 1
        reach = 1 + mpmath.mpf(200) / n
        first, last = (mpmath.asinh(end), mpmath.asinh(end) + reach) if tail else (0, mpmath.asinh(end))
        edges = [first + (last - first) * mpmath.mpf(2) ** -k for k in range(12, -1, -1)]

        def rise(w):
            t = mpmath.sqrt(n) * mpmath.sinh(w)
            return digits.student_rise(mpmath.mpf(n), t) * mpmath.sqrt(n) * mpmath.cosh(w)

        want = mpmath.quad(rise, [first, *edges], maxdegree=4) * (-1 if tail else 1)
    assert float(tm.grad(special.stdtr)(n, t)) == pytest.approx(float(want), rel=1e-10, abs=0)


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("x", [-5.0, -29.0, -31.0, -350.0, -5641.0, -3e7, -1e10])
def test_third_derivatives_of_log_ndtr_keep_their_digits_in_the_tail(x, dtype):
    with mpmath.workdps(80):
        v = mpmath.mpf(float(dtype(x)))
        h = digits.hazard(v) if x > -1e4 else None
        want = -2 / v**3 + 20 / v**5 if h is None else h * ((v + h) ** 2 - 1 + h * (v + h))
    third = tm.grad(tm.grad(tm.grad(special.log_ndtr)))
    assert float(third(dtype(x))) == pytest.approx(float(want), rel=digit_scan.THIRD[np.dtype(dtype)], abs=0)


SMOOTH = [(9e-16, 8e13), (1e-200, 3.0), (2.0, -1e-9), (0.0138, -2.5e-14), (1e10, 1e-3), (1.0, 1.0), (1e200, -1e201)]


@pytest.mark.parametrize("delta, r", SMOOTH)
def test_second_derivatives_of_a_smooth_loss_keep_their_digits(delta, r):
    with mpmath.workdps(60):
        a, b = mpmath.mpf(delta), mpmath.mpf(r)
        h = mpmath.sqrt(a * a + b * b)
        w = b * b / (h * (h + a))  # 1 - delta/h
        want = {(0, 0): -(w**2) * (2 + a / h), (0, 1): (b / h) ** 3, (1, 0): (b / h) ** 3, (1, 1): (a / h) ** 3}
    for (j, k), value in want.items():
        got = tm.grad(tm.grad(special.pseudo_huber, argnums=j), argnums=k)(delta, r)
        assert float(got) == pytest.approx(float(value), rel=1e-13, abs=0)


def test_a_second_derivative_that_has_no_closed_form_is_refused_by_name():
    with pytest.raises(NoDerivative, match="kve"):
        tm.grad(tm.grad(special.kve, argnums=1))(0.3, 2.0)


@pytest.mark.parametrize("name", ["boxcox", "boxcox1p"])
@pytest.mark.parametrize("x, lam", [(9e-63, 0.2), (4e235, -88.0), (3.0, -40.0), (0.5, 0.0), (1e-9, 12.0), (2.0, 1e-9)])
def test_mixed_derivatives_of_a_transformation_keep_their_digits(name, x, lam):
    f = getattr(special, name)
    with mpmath.workdps(400):
        base, power = mpmath.mpf(x) + (name == "boxcox1p"), mpmath.mpf(lam)
        log = mpmath.log(base)
        want = log * base ** (power - 1)
    near = pytest.approx(float(want), rel=1e-12, abs=1e-300)
    assert float(tm.grad(tm.grad(f), argnums=1)(x, lam)) == near
    assert float(tm.grad(tm.grad(f, argnums=1))(x, lam)) == near
    third = tm.grad(tm.grad(tm.grad(f, argnums=1), argnums=1))
    assert float(third(x, lam)) == pytest.approx(float(log * want), rel=1e-11, abs=1e-300)


def test_half_precision_and_complex_numbers_have_tails_too():
    x = np.array([300.0, -7.0, 0.25], np.float16)
    wide = x.astype(np.float64)
    got = tm.grad(lambda v: tm.arctan(v).sum())(x)
    assert got.dtype == np.float16
    np.testing.assert_allclose(got.numpy(), 1 / (1 + wide**2), rtol=5e-3)
    np.testing.assert_allclose(
        tm.grad(lambda v: tm.tanh(v).sum())(x[1:]).numpy(), 1 / np.cosh(wide[1:]) ** 2, rtol=2e-2
    )
    for z in (20 + 0.3j, -25 - 1j, 0.4 + 2j):
        want = complex(1 / mpmath.cosh(z) ** 2)
        got = complex(tm.grad(tm.tanh, holomorphic=True)(z).item())
        assert abs(got - want) < 1e-12 * abs(want)


def log_of_gamma(x, a):
    return (a - 1) * mpmath.log(x) - x - mpmath.loggamma(a)


def log_of_beta(x, a, b):
    return (a - 1) * mpmath.log(x) + (b - 1) * mpmath.log(1 - x) - _log_beta(a, b)


def log_of_binom(k, n, p):
    return k * mpmath.log(p) + (n - k) * mpmath.log(1 - p) - _log_beta(k + 1, n - k + 1) - mpmath.log(n + 1)


def _log_beta(a, b):
    return mpmath.loggamma(a) + mpmath.loggamma(b) - mpmath.loggamma(a + b)


MANY = [
    (stats.gamma, log_of_gamma, (1e8 + 3e3, 1e8), (0, 1)),
    (stats.gamma, log_of_gamma, (2e15, 2e15 - 3e7), (0, 1)),
    (stats.gamma, log_of_gamma, (70.0, 130.0), (0, 1)),
    (stats.chi2, lambda x, n: log_of_gamma(x / 2, n / 2) - LOG2, (3e9 + 1e5, 3e9), (0, 1)),
    (stats.poisson, lambda k, m: k * mpmath.log(m) - m - mpmath.loggamma(k + 1), (1e9, 1e9 + 5e4), (1,)),
    (stats.poisson, lambda k, m: k * mpmath.log(m) - m - mpmath.loggamma(k + 1), (101.0, 90.0), (1,)),
    (stats.beta, log_of_beta, (0.25, 1e10, 3e10), (0, 1, 2)),
    (stats.beta, log_of_beta, (0.3, 1e6, 2.2e6), (0, 1, 2)),
    (stats.beta, log_of_beta, (1e-9, 3.0, 1e9), (0, 1, 2)),
    (stats.binom, log_of_binom, (5e11 + 3e5, 1e12, 0.5), (2,)),
    (stats.binom, log_of_binom, (3.0, 1e15, 1e-15), (2,)),
    (stats.binom, log_of_binom, (2e8, 2e8 + 7.0, 0.99999999), (2,)),
]
LOG2 = mpmath.log(2)


@pytest.mark.parametrize("f, log, at, places", MANY)
def test_densities_of_many_keep_their_digits(f, log, at, places):
    discrete = f in (stats.poisson, stats.binom)
    log_f, plain = (f.logpmf, f.pmf) if discrete else (f.logpdf, f.pdf)
    with mpmath.workdps(80):
        exact = tuple(map(mpmath.mpf, at))
        want = log(*exact)
        assert float(log_f(*at)) == pytest.approx(float(want), rel=1e-12, abs=0)
        assert float(plain(*at)) == pytest.approx(float(mpmath.exp(want)), rel=1e-11, abs=0)
        for k in places:
            orders = tuple(int(j == k) for j in range(len(at)))
            slope = mpmath.diff(log, exact, orders, h=mpmath.mpf(10) ** -30 * min(exact[k], 1))
            bend = mpmath.diff(log, exact, tuple(2 * n for n in orders), h=mpmath.mpf(10) ** -20 * min(exact[k], 1))
            allowed = 1e-10 * abs(slope) + 4 * abs(bend * exact[k]) * 2.0**-52  # what the argument's rounding explains
            assert abs(float(tm.grad(log_f, argnums=k)(*at)) - slope) <= allowed


@pytest.mark.parametrize("dtype", KINDS)
def test_divergences_of_what_is_nearly_equal_keep_their_digits(dtype):
    near = np.array([1.0, 1 + 3e-4, 0.9, 1.9, 0.6, 2.5], dtype)
    for scale in (1.0, 1e-30, 1e30):
        a, b = near * dtype(scale), np.full(6, scale, dtype)
        with mpmath.workdps(60):
            exact = [(mpmath.mpf(float(p)), mpmath.mpf(float(q))) for p, q in zip(a, b, strict=True)]
            want = [float(p * mpmath.log(p / q) - p + q) for p, q in exact]
        np.testing.assert_allclose(special.kl_div(a, b).numpy(), want, rtol=8 * np.finfo(dtype).eps)


@pytest.mark.parametrize("a, b", [(5e4, 0.5), (1e10, 3.0), (0.25, 1e300), (1e5, 2e5), (12.0, 1e-20), (7e15, 7e15)])
def test_logarithms_of_beta_keep_their_digits(a, b):
    with mpmath.workdps(700):
        want = float(_log_beta(mpmath.mpf(a), mpmath.mpf(b)))
    assert float(special.betaln(a, b)) == pytest.approx(want, rel=2e-15, abs=0)
    assert float(special.betaln(b, a)) == pytest.approx(want, rel=2e-15, abs=0)


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("x", [1.0, 6.4, 6.6, 7.0, -9.0, 30.0, 1e4, -1e9])
def test_the_slopes_of_dawsons_integral_are_right_in_single_precision_too(x, dtype):
    with mpmath.workdps(60):
        t = mpmath.mpf(float(dtype(x)))
        near = mpmath.sqrt(mpmath.pi) / 2 * mpmath.exp(-t * t) * mpmath.erfi(t) if abs(t) < 1e3 else None
        slope = 1 - 2 * t * near if near is not None else -1 / (2 * t**2) - 3 / (4 * t**4)
        bend = -2 * near - 2 * t * slope if near is not None else 1 / t**3 + 3 / t**5
        want = float(slope), float(bend)
    rel = 1e-12 if dtype is np.float64 else 3e-6
    first = tm.grad(special.dawsn)
    for way in (lambda f: f, tm.compile):
        assert way(first)(dtype(x)).item() == pytest.approx(want[0], rel=rel, abs=0)
        assert way(tm.grad(first))(dtype(x)).item() == pytest.approx(want[1], rel=20 * rel, abs=0)


FLAT = {  # far out: what is added to the limit of the first derivative, and of the second, is below every number
    "erf": (special.erf, 0, 0), "erfc": (special.erfc, 0, 0), "ndtr": (special.ndtr, 0, 0), "arctan": (tm.arctan, 0, 0),
    "arcsinh": (tm.arcsinh, 0, 0), "cbrt": (tm.cbrt, 0, 0), "dawsn": (special.dawsn, 0, 0), "gelu": (F.gelu, 1, 0),
    "log_ndtr": (special.log_ndtr, 0, 0), "arccosh": (tm.arccosh, 0, 0),
    "stdtr": (lambda t: special.stdtr(3.0, t), 0, 0), "hypot": (lambda x: tm.hypot(x, 3.0), 1, 0),
}  # fmt: skip


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("name", FLAT)
def test_at_infinity_both_derivatives_are_their_limits(name, dtype):
    f, *limits = FLAT[name]
    sides = [1, -1] if name not in ("arccosh", "log_ndtr") else [1]
    x = np.array(sides, dtype) * dtype(np.inf)
    wanted = [np.where(x < 0, {"gelu": 0, "hypot": -1}.get(name, limits[0]), limits[0]), 0 * np.array(sides)]
    for order, want in enumerate(wanted):
        for got in digit_scan.derivatives(f, (x,), (0,) * (order + 1)).values():
            np.testing.assert_array_equal(got, want)
    bend = tm.compile(tm.grad(lambda v: tm.grad(lambda u: f(u).sum())(v).sum()))
    np.testing.assert_array_equal(bend(x).numpy(), 0)


# -- singular points ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("f", [special.xlogy, special.xlog1py, special.rel_entr, tm.hypot, tm.arctan2, tm.logaddexp])
@pytest.mark.parametrize("at", [(0.0, 0.0), (0.0, 1.0)])
def test_a_hessian_at_a_singular_point_is_symmetric(f, at):
    with np.errstate(all="ignore"):
        h = tm.hessian(lambda v: f(v[0], v[1]))(np.array(at)).numpy()
    np.testing.assert_array_equal(h, h.T)


def test_the_entropy_of_weights_that_have_vanished_has_a_gradient():
    def entropy(z):
        return special.entr(tm.softmax(z)).sum()

    with np.errstate(all="ignore"):
        for z in ([1.0, -900.0, 1.5], [-2000.0, 0.0, -3.0]):
            z = np.array(z)
            p = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
            log_p = np.log(np.where(p > 0, p, 1))
            want = -p * (log_p - (p * log_p).sum())
            np.testing.assert_allclose(tm.grad(entropy)(z).numpy(), want, rtol=1e-12)
            t = np.array([1.0, 2.0, -1.0])
            np.testing.assert_allclose(tm.jvp(entropy, (z,), (t,))[1].numpy(), want @ t, rtol=1e-12)
            assert np.isfinite(tm.hessian(entropy)(z).numpy()).all()


# -- norms and deviations of any size ----------------------------------------------------------------------------------

SCALES = [1e200, 1e-170, 1e-310, 1e307]
NORMS = [1, 2, 3, 1.5, 0.5, -1, -2, np.inf, -np.inf]
V = np.array([3.0, -4.0, 0.5])


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("ord", NORMS)
def test_a_norm_of_any_size_is_right_in_value_and_gradient(ord, scale):
    f = lambda x: linalg.vector_norm(x, ord=ord)  # noqa: E731
    for v in (V, V * (1 + 1j)) if ord == 2 else (V,):
        x = v * scale
        if scale > 1 and float(f(v)) > np.finfo(float).max / scale:
            continue
        np.testing.assert_allclose(float(f(x)) / scale, float(f(v)), rtol=1e-12 if scale > 1e-300 else 1e-9)
        tolerance = 1e-12 if scale > 1e-300 else 1e-8
        np.testing.assert_allclose(tm.grad(f)(x).numpy(), tm.grad(f)(v).numpy(), rtol=tolerance)


def test_rows_of_different_size_each_have_their_norm():
    x = np.array([V * 1e200, V, V * 1e-200, 0 * V])
    want = np.array([1e200, 1.0, 1e-200, 0.0]) * np.sqrt(25.25)
    for keepdims in (False, True):
        got = linalg.vector_norm(x, axis=1, keepdims=keepdims).numpy()
        np.testing.assert_allclose(got.ravel(), want, rtol=1e-14)
    g = tm.grad(lambda x: (linalg.vector_norm(x, axis=1) * [1.0, 2.0, 3.0, 4.0]).sum())(x).numpy()
    np.testing.assert_allclose(g, np.outer([1, 2, 3, 0], V / np.sqrt(25.25)), rtol=1e-14)


@pytest.mark.parametrize("ord", [None, "fro", "nuc", 1, -1, 2, -2, np.inf])
@pytest.mark.parametrize("scale", [1e200, 1e-170])
def test_a_matrix_norm_of_any_size_is_right_in_value_and_gradient(ord, scale):
    a = np.array([[3.0, -0.5], [0.3, 1.5], [1.0, 0.25]])
    f = lambda x: linalg.norm(x, ord=ord)  # noqa: E731
    np.testing.assert_allclose(float(f(a * scale)), np.linalg.norm(a, ord=ord) * scale, rtol=1e-12)
    np.testing.assert_allclose(tm.grad(f)(a * scale).numpy(), tm.grad(f)(a).numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("scale", [1e200, 1e-170, 1e-307])
@pytest.mark.parametrize("f", [tm.std, tm.nanstd, lambda x: tm.std(x, axis=0, ddof=1), lambda x: tm.tensor(x).std()])
def test_a_deviation_of_any_size_is_right_in_value_and_gradient(f, scale):
    x = np.array([1.0, 3.0, -2.0, 0.5])
    n = x.size - 1 if float(f(x)) > np.std(x) * 1.01 else x.size
    want = np.sqrt(((x - x.mean()) ** 2).sum() / n)
    np.testing.assert_allclose(float(f(x * scale)) / scale, want, rtol=1e-13)
    np.testing.assert_allclose(tm.grad(f)(x * scale).numpy(), (x - x.mean()) / (n * want), rtol=1e-12)


LAYERS = {
    "layer": (lambda x: F.layer_norm(x, 3), 1, True),
    "rms": (lambda x: F.rms_norm(x, 3, eps=1e-5), 1, False),
    "batch": (lambda x: F.batch_norm(x, None, None, training=True), 0, True),
}


@pytest.mark.parametrize("backend", [None, "numpy", "native"])
@pytest.mark.parametrize("scale", [1.0, 1e200, 1e-170])
@pytest.mark.parametrize("name", LAYERS)
def test_norms_of_layers_of_any_size_are_right_in_value_and_gradient_in_programs_too(name, scale, backend):
    norm, axis, centred = LAYERS[name]
    v, g = np.array([[3.0, -4.0, 0.5], [1.0, 2.5, -2.0]]), np.array([[1.0, 2.0, -1.0], [0.5, 1.0, 3.0]])
    about = (lambda x: x - x.mean(axis, keepdims=True)) if centred else (lambda x: x)
    mean = lambda x: x.mean(axis, keepdims=True)  # noqa: E731
    # with eps = 1e-5: in units of scale the root is that of the mean square and eps / scale^2
    root = np.hypot(np.sqrt(mean(about(v) ** 2)), np.sqrt(1e-5) / scale)
    y = about(v) / root
    slope = (about(g) - y * mean(y * g)) / root
    f = tm.value_and_grad(lambda x: (norm(x) * g).sum())
    if backend == "native":
        pytest.importorskip("llvmlite")
    value, found = (f if backend is None else tm.compile(f, backend=backend))(v * scale)
    np.testing.assert_allclose(value.item(), (y * g).sum(), rtol=1e-12)
    np.testing.assert_allclose(found.numpy() * scale, slope, rtol=1e-11, atol=1e-13 / root.max())


def test_correlations_and_angles_do_not_depend_on_the_size():
    x = np.array([[1.0, 2.0, 4.0], [3.0, -1.0, 0.5]])
    want = np.corrcoef(x)
    for scale in (1e180, 1e-180):
        np.testing.assert_allclose(tm.corrcoef(x * scale).numpy(), want, rtol=1e-13)
        np.testing.assert_allclose(geometry.angle(x[0] * scale, x[1]).numpy(), geometry.angle(x[0], x[1]).numpy())


# -- integers of few bits ---------------------------------------------------------------------------------------------

SMALL = [np.uint8, np.int8, np.int16, np.uint16, np.uint32, np.uint64, bool]
INTEGER_CALLS = {
    "average": lambda m, a, b: m.average(a, weights=b),
    "average returned": lambda m, a, b: m.average(a, weights=b, returned=True)[1],
    "cov": lambda m, a, b: m.cov(a, aweights=b, fweights=b),
    "corrcoef": lambda m, a, b: m.corrcoef(a, b),
    "poly": lambda m, a, b: m.poly(a),
    "polyder": lambda m, a, b: m.polyder(a),
    "polyder twice": lambda m, a, b: m.polyder(a, 2),
    "polyint": lambda m, a, b: m.polyint(a),
    "polyint with constants": lambda m, a, b: m.polyint(a, 2, k=[1, 2]),
    "polysub": lambda m, a, b: m.polysub([0.5, 1.0], a),
    "polyadd": lambda m, a, b: m.polyadd([0.5, 1.0], a),
    "polyfit": lambda m, a, b: m.polyfit(a, b, 1, w=b),
    "polyval": lambda m, a, b: m.polyval(a, [1.5, 2.0]),
    "roots": lambda m, a, b: m.sort(m.abs(m.roots(a))),
    "vander": lambda m, a, b: m.vander(a, 4),
    "gradient at coordinates": lambda m, a, b: m.gradient(b, a),
    "interp": lambda m, a, b: m.interp([2.5], [0, 9], a[:2]),
    "cumsum": lambda m, a, b: m.cumsum(a),
    "cumulative_prod": lambda m, a, b: m.cumulative_prod(a),
    "trace": lambda m, a, b: m.trace(m.vander(a, 4)),
    "std": lambda m, a, b: m.std(a),
    "nanvar": lambda m, a, b: m.nanvar(a),
    "matrix norm": lambda m, a, b: m.linalg.norm(m.vander(a, 4), 1),
    "vector norm": lambda m, a, b: m.linalg.norm(a, 3),
    "density": lambda m, a, b: m.histogram(a, 3, density=True)[0],
}


@pytest.mark.parametrize("name", INTEGER_CALLS)
@each("dtype", SMALL)
def test_small_integers_wrap_around_only_where_numpys_do(name, dtype):
    a = np.array([97, 3, 120, 41], np.uint8).astype(dtype)
    b = np.array([100, 101, 7, 90], np.uint8).astype(dtype)
    if dtype is bool and name in (
        "polyfit",
        "gradient at coordinates",
        "corrcoef",
        "polyval",
        "std",
        "nanvar",
        "density",
    ):
        pytest.skip("all alike: nothing to measure")
    if name == "roots" and dtype is bool:
        a = np.array([True, True, False, True])
    want = INTEGER_CALLS[name](np, a, b)
    got = INTEGER_CALLS[name](tm, a, b)
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-9)
    assert got.dtype == np.asarray(want).dtype


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, bool])
def test_an_area_under_integers_is_that_under_the_same_numbers_as_floats(dtype):  # NumPy's own wraps around
    y, x = np.array([100, 120, 90, 127], np.uint8).astype(dtype), np.array([5, 9, 4, 100], np.uint8).astype(dtype)
    assert float(tm.trapezoid(y, x)) == np.trapezoid(y.astype(float), x.astype(float))


# -- what depends on a number moves with it ---------------------------------------------------------------------------


def test_the_edges_of_bins_move_with_the_ends_of_the_range():
    x = np.array([2.0, 7.0, 3.0])
    weights = np.array([1.0, -2.0, 0.5, 3.0])
    share = np.arange(4) / 3
    want = np.array([weights @ (1 - share), weights @ share, 0.0])
    for edges in (lambda v: tm.histogram_bin_edges(v, bins=3), lambda v: tm.histogram(v, bins=3)[1]):
        np.testing.assert_allclose(tm.grad(lambda v: tm.sum(edges(v) * weights))(x).numpy(), want, rtol=1e-14)
        np.testing.assert_array_equal(edges(x).numpy(), np.histogram_bin_edges(x, 3))
    ranged = tm.grad(lambda r: tm.sum(tm.histogram(x, 3, range=(r[0], r[1]))[1] * weights))(np.array([0.0, 9.0]))
    np.testing.assert_allclose(ranged.numpy(), want[:2], rtol=1e-14)
    assert tm.grad(lambda e: tm.histogram_bin_edges(x, e)[1])(np.array([0.0, 4.0, 9.0])).tolist() == [0, 1, 0]
    named = tm.grad(lambda v: tm.histogram_bin_edges(v, "sturges")[-1])(x)
    assert named.tolist() == [0, 1, 0]
    density = tm.grad(lambda v: tm.histogram(v, 1, density=True)[0].sum())(x)  # one bin: 1 / (max - min)
    np.testing.assert_allclose(density.numpy(), [1 / 25, -1 / 25, 0], rtol=1e-14)


def test_the_next_number_moves_with_the_number():
    x = np.array([1.0, -3.0])
    for mode in (tm.grad, tm.jacfwd):
        assert mode(lambda v: tm.nextafter(v, 5.0).sum())(x).tolist() == [1, 1]
        assert mode(lambda v: tm.nextafter(x, v).sum())(x).tolist() == [0, 0]


@pytest.mark.parametrize(
    "f",
    [
        lambda v: tm.max(np.ones(2), initial=v),
        lambda v: tm.min(np.ones(2), initial=v),
        lambda v: tm.nan_to_num(np.array([np.nan]), nan=v)[0],
        lambda v: tm.unwrap(np.array([0.0, 4.0]), period=v)[1],
    ],
)
def test_a_fixed_number_is_refused_where_it_is_differentiated_or_traced(f):
    with pytest.raises(NoDerivative, match="fixed number"):
        tm.grad(f)(5.0)
    with pytest.raises(tm.TraceError, match="make the argument that decides static"):
        tm.compile(f)(np.array(5.0))


def test_slopes_pass_over_a_nan_as_numpys_do_and_a_negative_period_is_a_period():
    f = np.array([[0.0, np.nan, 4.0, 1.0, 7.0], [1.0, 2.0, 4.0, np.inf, 3.0]])
    with np.errstate(invalid="ignore"):
        for options in ({}, {"edge_order": 2}):
            np.testing.assert_array_equal(
                tm.gradient(f, 0.5, axis=1, **options).numpy(), np.gradient(f, 0.5, axis=1, **options)
            )
    g = tm.grad(lambda v: tm.gradient(v)[2])(np.array([1.0, 2.0, 0.5, 4.0]))
    assert g.tolist() == [0, -0.5, 0, 0.5]
    x, knots, values = np.array([0.3, -4.0, 7.7]), np.array([0.0, 1.5, 2.0]), np.array([1.0, 5.0, -2.0])
    np.testing.assert_allclose(
        tm.interp(x, knots, values, period=-2.5).numpy(), np.interp(x, knots, values, period=-2.5)
    )
    with pytest.raises(ArgumentError, match="period"):
        tm.interp(x, knots, values, period=0)


@pytest.mark.parametrize("axes", [(0, 0), (1, 1), (0, 1, 0), (-1, 1)])
def test_transforms_over_an_axis_that_is_named_twice_are_numpys(axes):
    x = np.arange(12.0).reshape(3, 4)
    for name in ("fftn", "rfftn", "ifftn", "fft2", "rfft2"):
        want = getattr(np.fft, name)(x, axes=axes)
        np.testing.assert_allclose(getattr(fft, name)(x, axes=axes).numpy(), want, atol=1e-12)
    tm.testing.check_grads(lambda v: tm.real(fft.rfftn(v, axes=axes) * (1 + 2j)).sum(), (x,))


@pytest.mark.parametrize("transform", [tm.grad, tm.value_and_grad, tm.jacfwd, tm.jacrev, tm.hessian])
def test_an_argument_is_named_once(transform):
    for argnums in ((0, 0), (1, -1)):
        with pytest.raises(ArgumentError, match="twice"):
            transform(lambda x, y: (x * y).sum(), argnums=argnums)(np.ones(2), np.ones(2))


def _primitive(vjp, jvp, f=np.square):
    def square(x):
        return f(x)

    p = tm.primitive(square)
    p.defvjp(vjp)
    p.defjvp(jvp)
    return p


def test_a_users_rule_of_another_shape_is_refused_by_name():
    x = np.ones(3)
    for rule in (lambda g, y, x: (g * 2 * x).sum(), lambda g, y, x: np.ones((2, 3)), lambda g, y, x: np.ones(2)):
        with pytest.raises(ShapeError, match=r"square .*shape \(3,\)"):
            tm.grad(lambda v: _primitive(rule, None)(v).sum())(x)
        with pytest.raises(ShapeError, match="square"):
            tm.jvp(_primitive(None, lambda t, y, x: rule(t, y, x)), (x,), (x,))


def test_a_users_rule_may_leave_broadcasting_to_the_walk():
    def scaled(a, b):
        return a * b

    p = tm.primitive(scaled)
    p.defvjp(lambda g, y, a, b: g * b, lambda g, y, a, b: g * a)
    p.defjvp(lambda t, y, a, b: t * b, lambda t, y, a, b: t * a)
    a, b = np.array([1.0, 2.0, 3.0]), np.arange(6.0).reshape(2, 3)
    da, db = tm.grad(lambda a, b: p(a, b).sum(), argnums=(0, 1))(a, b)
    assert da.tolist() == b.sum(axis=0).tolist()
    assert db.tolist() == np.broadcast_to(a, (2, 3)).tolist()
    assert tm.jvp(p, (a, b), (a, b))[1].tolist() == (2 * a * b).tolist()


def test_every_elementwise_op_is_scanned_or_named_as_one_that_is_not():
    ops = {n for n, o in registry.items() if o.kind == "elementwise"}
    assert ops - set(digits.OF_ONE) - set(digits.OF_TWO) - set(digits.OF_LAST) - set(digits.NOT_SCANNED) == set()
