"""Far out, where series cancel, where SciPy's factors vanish, or where its single precision ends: values and slopes."""

import math

import digits_sampled
import mpmath
import numpy as np
import pytest
from digits_stats import ROWS
from mpmath import mpf

import tinygrad_math as tm
from tinygrad_math import special, stats


def nested(f, places):
    for k in places:
        f = tm.grad(f, argnums=k)
    return f


TINY = mpf(10) ** -20


def central(f, at, places, h=TINY):
    """The partial by central differences of steps h times the argument's size."""
    if not places:
        return f(*at)
    k, rest = places[0], places[1:]
    step = h * max(abs(at[k]), mpf(1) if abs(at[k]) < 1 and at[k] == 0 else abs(at[k]))
    up, down = ([v + s * step * (j == k) for j, v in enumerate(at)] for s in (1, -1))
    return (central(f, up, rest, h) - central(f, down, rest, h)) / (2 * step)


CANCELLING = [
    (0.5, -8.05, -43.4, -576.0),
    (-33.4, 2.11, -29.06, 0.9),
    (11.5, 33.5, -45.99, -1.07),
    (-23.5, 2e-3, -28.12, 0.9976),
    (-0.5, 1.5, -39.1, -128.0),
]


def check_gauss(at, several):
    with mpmath.workdps(60):
        wide = list(map(mpf, at))
        for places in several:
            want = float(central(mpmath.hyp2f1, wide, places))
            assert float(nested(special.hyp2f1, places)(*at)) == pytest.approx(want, rel=1e-11, abs=0)


def test_hyp2f1_far_below_0_in_c_keeps_its_digits():
    check_gauss(CANCELLING[1], [(), (2,)])
    check_gauss(CANCELLING[-1], [()])


@pytest.mark.long
@pytest.mark.parametrize("at", CANCELLING)
def test_hyp2f1_far_below_0_in_c_keeps_the_digits_of_all_slopes(at):
    check_gauss(at, [(), (0,), (1,), (2,), (3,)])


def lower_quantile(p, lam):
    return (p**lam - (1 - p) ** lam) / lam


@pytest.mark.parametrize(("p", "lam"), [(1e-40, -0.3), (1e-12, 0.14), (0.01, 2.5), (0.2, 0.7), (1e-200, 1e-9)])
def test_tukeys_lambda_keeps_the_digits_of_its_tails(p, lam):
    """By the derivatives of its quantile, at the p that x has."""
    with mpmath.workdps(60):
        x = float(lower_quantile(mpf(p), mpf(lam)))
        shape, at = mpf(lam), mpf(p)
        for _ in range(40):
            at -= (lower_quantile(at, shape) - mpf(x)) / (at ** (shape - 1) + (1 - at) ** (shape - 1))
        density = 1 / (at ** (shape - 1) + (1 - at) ** (shape - 1))
        in_shape = -density * central(lambda s: lower_quantile(at, s), [shape], (0,))
    assert float(special.tklmbda(x, lam)) == pytest.approx(float(at), rel=1e-12, abs=0)
    for side in (x, -x):
        assert float(tm.grad(special.tklmbda)(side, lam)) == pytest.approx(float(density), rel=1e-12, abs=0)
        slope = float(tm.grad(special.tklmbda, argnums=1)(side, lam))
        assert slope == pytest.approx(math.copysign(1, -side) * float(in_shape), rel=1e-11, abs=0)


@pytest.mark.parametrize("lam", [0.5, 1.0, 2.0, 3.0])
def test_beyond_its_support_tukeys_lambda_is_flat(lam):
    for x in (-1.01 / lam, 1.01 / lam, -50.0, math.inf):
        assert float(tm.grad(special.tklmbda)(x, lam)) == 0
        assert float(tm.grad(special.tklmbda, argnums=1)(x, lam)) == 0
    assert float(special.tklmbda(-1.01 / lam, lam)) == 0
    assert math.isnan(float(tm.grad(special.tklmbda)(math.nan, lam)))


@pytest.mark.parametrize(("n", "k"), [(3.2, 1e9), (-2.5, 4321.7), (9.0, 54287.0), (0.02, -31386.0), (-18.1, -8e5)])
def test_binomial_coefficients_of_large_k_keep_their_digits(n, k):
    def choose(n, k):
        wave = mpmath.sinpi(k - n) if k > 0 else -mpmath.sinpi(k)
        above, below = (k - n, k + 1) if k > 0 else (-k, n - k + 1)
        size = mpmath.loggamma(above) - mpmath.loggamma(below)
        return mpmath.gamma(n + 1) * wave / mpmath.pi * mpmath.exp(size)

    with mpmath.workdps(80):
        for places in ((), (0,), (1,), (0, 1), (1, 1)):
            want = float(central(choose, [mpf(n), mpf(k)], places, mpf(10) ** -30))
            got = float(nested(special.binom, places)(n, k))
            assert got == pytest.approx(want, rel=1e-10, abs=1e-300), places


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("x", [-31.3, -1e10 - 0.25, -12345.5])
def test_derivatives_of_digamma_far_below_0_take_no_counting(n, x):
    with mpmath.workdps(40):
        at = mpf(x)
        waves = mpmath.pi * mpmath.diff(lambda v: mpmath.cot(mpmath.pi * v), at - round(x), n)
        want = float((-1) ** n * mpmath.psi(n, 1 - at) - waves)
    assert float(special.polygamma(n, x)) == pytest.approx(want, rel=1e-11, abs=1e-12)
    assert float(special.zeta(float(n + 1), x)) * math.factorial(n) == pytest.approx(
        (-1) ** (n + 1) * want, rel=1e-11, abs=1e-12
    )


def test_beta_functions_of_single_precision_are_those_of_doubles():
    rng = np.random.default_rng(0)
    a, b = (rng.uniform(0.1, 300, 500).astype(np.float32) for _ in range(2))
    x, p = (rng.uniform(0, 1, 500).astype(np.float32) for _ in range(2))
    for f, args in (
        (special.betainc, (a, b, x)),
        (special.betaincc, (a, b, x)),
        (special.betaincinv, (a, b, p)),
        (special.btdtria, (p, b, x)),
        (special.btdtrib, (a, p, x)),
        (special.chdtriv, (p, b)),
        (special.gdtrib, (a, p, b)),
    ):
        got, want = f(*args).numpy(), f(*(v.astype(np.float64) for v in args)).numpy()
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-37)
    assert float(special.nbdtr(36, 157, np.float32(0.3))) == 0  # of 4e-49; of SciPy's it is nan


FAR = [(3e255, 1.7368), (2.4e59, 0.6566), (1e200, 0.0047), (3e157, 7e-4), (1e12, 0.3)]


@pytest.mark.parametrize(("t", "n"), FAR)
def test_students_distribution_far_out_keeps_the_digits_of_mixed_derivatives(t, n):
    def log_density(t, n):
        rest = mpmath.loggamma((n + 1) / 2) - mpmath.loggamma(n / 2) - mpmath.log(n * mpmath.pi) / 2
        return rest - (n + 1) / 2 * mpmath.log1p(t * t / n)

    def log_above(t, n):
        share = n / (n + t * t)
        series = mpmath.hyp2f1(n / 2, mpf(1) / 2, n / 2 + 1, share)  # DLMF 8.17.7
        return mpmath.log(share ** (n / 2) * series / (n * mpmath.beta(n / 2, mpf(1) / 2)))

    with mpmath.workdps(80):
        wide = [mpf(t), mpf(n)]
        for f, exact in ((stats.t.logpdf, log_density), (stats.t.logsf, log_above)):
            for places in ((), (0,), (1,), (1, 1), (0, 1)):
                want = float(central(exact, wide, places))
                if abs(want) > 1e-300:
                    assert float(nested(f, places)(t, n)) == pytest.approx(want, rel=1e-10, abs=0), (f, places)
        assert float(special.stdtr(n, -t)) == pytest.approx(float(mpmath.exp(log_above(*wide))), rel=1e-12, abs=0)


SINGLE = [
    ("chi2.logcdf", (9.92e-39, 786.2)),
    ("chi2.logsf", (0.987, 1.474e-5)),
    ("gamma.logcdf", (9.9e-39, 393.0)),
    ("gamma.logsf", (0.5, 7e-6)),
    ("beta.logsf", (0.5, 7e-6, 1e-5)),
    ("t.logpdf", (-19931.5, 4.4e-4)),
]


@pytest.mark.parametrize(("name", "at"), SINGLE)
def test_logarithms_of_probabilities_in_single_precision_are_those_of_doubles(name, at):
    """Where in single precision terms cancel, or leave the range on the way."""
    row, numbers = ROWS[name], [np.float32(v) for v in at]
    for places in [p for p in row.partials() if list(p) == sorted(p)]:
        exact = digits_sampled.exact(row, list(map(float, numbers)), places)
        assert exact is not None
        with np.errstate(over="ignore"):
            got, want = nested(row.f, places)(*numbers).numpy(), np.float32(exact)
        assert got.dtype == np.float32
        assert got == pytest.approx(want, rel=1e-6, abs=0), places
