"""Distributions keep their digits, in the point and in every parameter. What is asked is told in `digits_stats`."""

import math

import digits_sampled
import mpmath
import numpy as np
import pytest
from digits_stats import DISCRETE, LAWS, ROWS
from digits_stats_placed import LARGE, PLACED

import tinygrad_math as tm
from tinygrad_math import stats

KINDS = [np.float64, np.float32]


def report(found):
    assert not found, f"{len(found)} partials, among them\n" + "\n".join(found[:8])


@pytest.mark.parametrize("name", ROWS)
def test_a_distribution_and_two_derivatives_at_random_points(name):
    count = 1 if name.endswith(("ppf", "isf")) else 2  # whose truth is found step by step
    truth = digits_sampled.kept_truth(name)
    report(digits_sampled.failures(name, count, 3, np.float64, tries=2, row=ROWS[name], truth=truth))


@pytest.mark.long
@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("name", ROWS)
def test_a_distribution_and_two_derivatives_at_many_random_points(name, dtype):
    report(digits_sampled.failures(name, 40, 1, dtype, tries=2, row=ROWS[name]))


@pytest.mark.parametrize("name", [name for name in PLACED if name.endswith((".pdf", ".cdf", ".logsf"))])
def test_a_distribution_is_differentiated_in_loc_and_scale_too(name):
    for dtype in KINDS if name.endswith("pdf") else KINDS[:1]:
        report(digits_sampled.failures(name, 1, 2, dtype, tries=3, row=PLACED[name]))


@pytest.mark.parametrize("name", [name for name in LARGE if name.endswith(("pdf", "pmf"))])
def test_a_density_of_large_shapes_keeps_its_digits(name):
    report(digits_sampled.failures(name, 2, 2, np.float64, tries=3, row=LARGE[name]))


@pytest.mark.long
@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("name", PLACED)
def test_at_many_random_points_too(name, dtype):
    report(digits_sampled.failures(name, 30, 3, dtype, tries=3, row=PLACED[name]))


@pytest.mark.long
@pytest.mark.parametrize("name", LARGE)
def test_probabilities_and_quantiles_of_large_shapes_keep_their_digits(name):
    count = 3 if name.endswith(("ppf", "isf")) else 10
    report(digits_sampled.failures(name, count, 3, np.float64, tries=3, row=LARGE[name]))


@pytest.mark.parametrize("name", [name for name in LAWS if name not in DISCRETE])
def test_at_infinity_a_distribution_does_not_depend_on_its_scale(name):
    """But for the logarithm of a density of 0, in which log scale is left. Its slope was 0 times an infinite one."""
    law = getattr(stats, name)
    at = [0.5 + k for k in range(len(law.shapes))] + [1.0, 2.0]
    for method in ("pdf", "cdf", "sf", "logcdf", "logsf"):
        f = getattr(law, method)
        for x in (math.inf, -math.inf):
            assert float(tm.grad(f, argnums=len(at))(x, *at)) == 0
            assert float(tm.jvp(lambda s, x=x, f=f: f(x, *at[:-1], s), (2.0,), (1.0,))[1]) == 0
    slope = tm.compile(tm.grad(lambda x, s: law.cdf(x, *at[:-1], s), argnums=1))
    assert [float(slope(x, 2.0)) for x in (math.inf, 1.7, -math.inf)][::2] == [0, 0]


TAILS = [  # of which the probability is no float, and its logarithm
    (stats.gamma.logsf, (2000.0, 1.0), -2000.0),
    (stats.gamma.logsf, (1e200, 1.0), -1e200),
    (stats.gamma.logcdf, (1e-200, 3.0), 3 * math.log(1e-200) - math.log(6)),
    (stats.chi2.logsf, (1e5, 2.0), -5e4),
    (stats.beta.logcdf, (0.01, 300.0, 1.0), 300 * math.log(0.01)),
    (stats.beta.logsf, (1 - 2.0**-50, 1.0, 30.0), -1500 * math.log(2)),
    (stats.beta.logsf, (1e-9, 1.0, 1e15), 1e15 * math.log1p(-1e-9)),
    (stats.t.logsf, (1e200, 2.0), -400 * math.log(10) - math.log(2)),
    (stats.t.logcdf, (-1e30, 20.0), None),
    (stats.poisson.logsf, (2, 1e-150), 3 * math.log(1e-150) - math.log(6)),
    (stats.poisson.logcdf, (0, 5000.0), -5000.0),
    (stats.binom.logsf, (499, 500, 0.001), 500 * math.log(0.001)),
]


@pytest.mark.parametrize("f, at, want", TAILS)
def test_logarithms_of_probabilities_that_vanish(f, at, want):
    if want is None:  # of Student's the first term of the expansion in 1/t
        n = at[1]
        with mpmath.workdps(30):
            want = float(n / 2 * mpmath.log(n) - n * mpmath.log(-at[0]) - mpmath.log(n * mpmath.beta(n / 2, 0.5)))
    assert float(f(*at)) == pytest.approx(want, rel=1e-12, abs=0)


def test_beyond_where_the_rate_of_a_tail_is_constant_its_logarithm_is_straight():
    slope = tm.grad(stats.gamma.logsf)
    assert float(slope(1e200, 1.0)) == -1
    assert float(tm.grad(slope)(1e200, 1.0)) == 0
    assert float(tm.grad(stats.t.logsf)(1e200, 2.0)) == pytest.approx(-2e-200, rel=1e-14, abs=0)
    with np.errstate(all="ignore"):
        slope = float(tm.grad(stats.gamma.logsf)(1e300, 1e300))
    assert slope == pytest.approx(-math.sqrt(2e-300 / math.pi), rel=1e-12, abs=0)


@pytest.mark.parametrize("f", [stats.gamma.logpdf, stats.gamma.cdf, stats.gamma.ppf, stats.t.logsf, stats.expon.pdf])
@pytest.mark.parametrize("x", [-1.0, 0.3, 2.0])
def test_where_a_distribution_does_not_exist_no_derivative_does(f, x):
    args = (x, -1.0) if f.__self__.shapes else (x, 0.0, -1.0)
    assert math.isnan(float(f(*args)))
    for place in range(len(args)):
        assert math.isnan(float(tm.grad(f, argnums=place)(*args)))


def test_derivatives_are_nan_at_nan_and_zero_outside_of_the_support():
    assert math.isnan(float(tm.grad(stats.gamma.pdf)(math.nan, 2.0)))
    assert math.isnan(float(tm.grad(stats.gamma.cdf, argnums=1)(math.nan, 2.0)))
    assert float(tm.grad(stats.gamma.cdf)(-1.0, 2.0)) == 0
    assert float(tm.grad(stats.beta.pdf, argnums=1)(1.5, 2.0, 3.0)) == 0


@pytest.mark.parametrize("x, scale", [(-1e8, 1.0), (3e5, 1.7), (-0.4, 1e-3), (1e150, 2.0), (1e-9, 1e3)])
def test_far_out_the_cauchy_distribution_keeps_the_digits_of_its_curvature_in_scale(x, scale):
    """atan2(s, -x)/pi has the second derivatives 2 x s / (pi r^4) in s, and (s^2 - x^2) / (pi r^4) in x and s."""
    a, b = mpmath.mpf(x), mpmath.mpf(scale)
    by_pi = 1 / (mpmath.pi * (a * a + b * b) ** 2)
    for f, sign in ((stats.cauchy.cdf, 1), (stats.cauchy.sf, -1)):
        twice = tm.grad(tm.grad(f, argnums=2), argnums=2)(x, 0.0, scale)
        mixed = tm.grad(tm.grad(f), argnums=2)(x, 0.0, scale)
        assert float(twice) == pytest.approx(float(sign * 2 * a * b * by_pi), rel=1e-12, abs=1e-300)
        assert float(mixed) == pytest.approx(float(sign * (a - b) * (a + b) * by_pi), rel=1e-12, abs=1e-300)
    assert [float(stats.cauchy.cdf(v)) for v in (-np.inf, np.inf)] == [0.0, 1.0]
    assert not any(float(tm.grad(stats.cauchy.cdf, argnums=k)(-np.inf, 0.0, 1.0)) for k in range(3))


@pytest.mark.parametrize("x, scale", [(5925.6, 0.0128), (-341.8, 0.0139), (2420.3, 0.2), (3.0, 1.0), (4.1e52, 4.9e-23)])
def test_mixed_slopes_of_cauchys_logarithms_keep_their_digits_far_out(x, scale):
    """As terms of a chain rule through x / scale they cancelled to the order of its inverse square."""
    truths = {
        stats.cauchy.logpdf: lambda x, s: mpmath.log(s / (x * x + s * s)),
        stats.cauchy.logsf: lambda x, s: mpmath.log(mpmath.atan2(s, x)),
        stats.cauchy.logcdf: lambda x, s: mpmath.log(mpmath.atan2(s, -x)),
    }
    for f, truth in truths.items():
        with mpmath.workdps(250):
            want = float(mpmath.diff(truth, (mpmath.mpf(x), mpmath.mpf(scale)), (1, 1)))
        for first, second in ((0, 2), (2, 0)):
            got = tm.grad(tm.grad(f, argnums=first), argnums=second)(x, 0.0, scale)
            assert float(got) == pytest.approx(want, rel=1e-11, abs=0)
