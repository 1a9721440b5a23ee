"""tm.stats against SciPy's values, and derivatives against finite differences, in every parameter."""

import math
import warnings

import mpmath
import numpy as np
import pytest
import scipy.stats
from cases import each

import tinygrad_math as tm
from tinygrad_math import stats
from tinygrad_math.core.errors import ArgumentError, NoDerivative, OutsideDomain, ShapeError
from tinygrad_math.testing import check_grads

INF = float("inf")
POINTS = np.array([-INF, -40.0, -2.5, -1.0, 0.0, 0.3, 0.5, 1.0, 2.0, 3.0, 40.0, np.nan])
CONTINUOUS = [
    ("norm", ()),
    ("norm", (0.5, 2.0)),
    ("norm", (0.0, -1.0)),
    ("t", (3.0,)),
    ("t", (0.5, 1.0, 2.0)),
    ("t", (INF, 0.1, 2.0)),
    ("t", (1e10,)),
    ("gamma", (2.0,)),
    ("gamma", (0.5,)),
    ("gamma", (1.0,)),
    ("gamma", (300.0, -280.0)),
    ("gamma", (3.0, -1.0, 0.5)),
    ("gamma", (-1.0,)),
    ("chi2", (2.0,)),
    ("chi2", (5.0, 0.1, 2.0)),
    ("beta", (2.0, 3.0)),
    ("beta", (0.5, 0.5)),
    ("beta", (1.0, 1.0)),
    ("beta", (1.0, 3.0, -1.0, 4.0)),
    ("expon", (-1.0, 2.0)),
    ("uniform", (-1.0, 3.0)),
    ("lognorm", (0.7,)),
    ("laplace", (0.5, 2.0)),
    ("cauchy", ()),
    ("logistic", (0.1, 2.0)),
]
COUNTS = np.array([-INF, -1.0, 0.0, 1.0, 2.0, 2.5, 3.0, 7.0, 40.0, np.nan])
DISCRETE = [
    ("poisson", (2.0,)),
    ("poisson", (0.0,)),
    ("poisson", (30.0, 1)),
    ("binom", (5, 0.3)),
    ("binom", (3, 0.0)),
    ("binom", (3, 1.0)),
    ("bernoulli", (0.3,)),
    ("bernoulli", (0.0,)),
    ("bernoulli", (1.0, 1)),
]
METHODS = ["cdf", "sf", "logcdf", "logsf"]


def agree(got, want):
    assert got.shape == np.shape(want)
    np.testing.assert_allclose(got.numpy(), want, rtol=2e-11, atol=1e-300)


def scipys(name, method, *args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(getattr(scipy.stats, name), method)(*args, **options)


@each(("method", "name", "args"), [(m, *case) for m in ["pdf", "logpdf", *METHODS] for case in CONTINUOUS])
def test_continuous_values_are_scipys_in_and_outside_the_support(name, args, method):
    got, want = getattr(getattr(stats, name), method)(POINTS, *args), scipys(name, method, POINTS, *args)
    vanished = np.isneginf(want) & np.isfinite(got.numpy())  # SciPy's log of a probability that is 0 as a float
    assert (got.numpy()[vanished] < -744).all()
    agree(tm.where(vanished, want, got), want)


@each(("method", "name", "args"), [(m, *case) for m in ["pmf", "logpmf", *METHODS] for case in DISCRETE])
def test_discrete_values_are_scipys_also_between_the_integers(name, args, method):
    got, want = getattr(getattr(stats, name), method)(COUNTS, *args), scipys(name, method, COUNTS, *args)
    # SciPy takes the logarithm of a probability that has been rounded to 1; ours keeps the digits of its complement
    np.testing.assert_allclose(got.numpy(), want, rtol=2e-11, atol=1e-15 if method.startswith("log") else 1e-300)


@each(("name", "args"), CONTINUOUS + DISCRETE)
def test_entropy_is_scipys(name, args):
    agree(getattr(stats, name).entropy(*args), scipys(name, "entropy", *args))


def test_at_infinity_a_density_is_zero():
    for name, args in CONTINUOUS:
        at_infinity = getattr(stats, name).pdf(INF, *args).item()
        assert at_infinity == 0.0 or np.isnan(scipys(name, "pdf", 0.5, *args))


# a point inside, and all parameters, loc and scale included, as numbers to be differentiated in
SMOOTH = {
    "norm": (0.4, 0.1, 1.3),
    "gamma": (1.4, 2.3, 0.1, 1.3),
    "chi2": (1.4, 3.3, 0.1, 1.3),
    "expon": (1.4, 0.1, 1.3),
    "uniform": (0.4, 0.1, 1.3),
    "lognorm": (1.4, 0.7, 0.1, 1.3),
    "laplace": (0.4, 0.1, 1.3),
    "cauchy": (0.4, 0.1, 1.3),
    "logistic": (0.4, 0.1, 1.3),
    "t": (0.4, 3.0, 0.1, 1.3),
    "beta": (0.6, 2.0, 3.0, 0.1, 1.3),
}


@pytest.mark.parametrize("method", ["pdf", "logpdf", *METHODS])
@pytest.mark.parametrize("name", SMOOTH)
def test_continuous_derivatives_in_the_point_and_every_parameter(name, method):
    check_grads(getattr(getattr(stats, name), method), SMOOTH[name], order=2, tolerance=2e-6)


@pytest.mark.parametrize("name", SMOOTH)
def test_entropy_derivatives(name):
    args = SMOOTH[name][1:]
    check_grads(getattr(stats, name).entropy, args, order=2)


@pytest.mark.parametrize("method", ["pmf", "logpmf", *METHODS])
def test_discrete_derivatives_in_the_parameters(method):
    k = np.array([0, 1, 4])
    check_grads(lambda mu: getattr(stats.poisson, method)(k, mu), (2.3,), order=3)
    check_grads(lambda p: getattr(stats.binom, method)(k, 6, p), (0.3,), order=2)
    check_grads(lambda p: getattr(stats.bernoulli, method)(k[:1], p), (0.3,), order=2)


def test_discrete_entropies_are_differentiable():
    check_grads(stats.poisson.entropy, (np.array([0.3, 2.5, 40.0]),), order=3)
    check_grads(stats.bernoulli.entropy, (0.3,), order=3)
    check_grads(lambda p: stats.binom.entropy(np.array([3, 8]), p), (np.array([0.3, 0.6]),), order=2)


def test_a_mass_function_has_no_derivative_in_its_point():
    with pytest.raises(NoDerivative, match="integers"):
        tm.grad(lambda k: stats.poisson.logpmf(k, 2.0))(1.0)


@pytest.mark.parametrize("method", ["pmf", "logpmf", *METHODS])
def test_nor_has_it_one_in_the_loc_that_moves_its_point(method):
    f = getattr(stats.binom, method)
    for way in (tm.grad(f, argnums=3), lambda *at: tm.jvp(lambda loc: f(*at[:3], loc), (at[3],), (1.0,))):
        with pytest.raises(NoDerivative, match=r"stop_gradient\(loc\)"):
            way(4.0, 8.0, 0.3, 1.0)
    assert float(tm.grad(f, argnums=2)(4.0, 8.0, 0.3, 1.0)) == float(tm.grad(f, argnums=2)(3.0, 8.0, 0.3))


def test_student_entropy_is_smooth_across_the_change_of_formula():
    for df in (99.0, 101.0):
        half, more = mpmath.mpf(df) / 2, (mpmath.mpf(df) + 1) / 2
        entropy = lambda n: (  # noqa: E731
            (n + 1) / 2 * (mpmath.digamma((n + 1) / 2) - mpmath.digamma(n / 2))
            + mpmath.log(n) / 2
            + mpmath.log(mpmath.beta(n / 2, 0.5))
        )
        assert half < more
        with mpmath.workdps(40):
            want = [float(mpmath.diff(entropy, mpmath.mpf(df), k)) for k in range(3)]
        h = stats.t.entropy
        got = [h(df).item(), tm.grad(h)(df).item(), tm.grad(tm.grad(h))(df).item()]
        assert got == pytest.approx(want, rel=1e-9)


def test_densities_at_the_edge_of_the_support_have_their_one_sided_derivative():
    # x^(a-1): slope 1/gamma(2) for a = 2, zero for a = 3, and infinity between 1 and 2
    assert tm.grad(lambda x: stats.gamma.pdf(x, 2.0))(0.0).item() == 1.0
    assert tm.grad(lambda x: stats.gamma.pdf(x, 3.0))(0.0).item() == 0.0
    assert tm.grad(lambda x: stats.gamma.pdf(x, 1.5))(0.0).item() == INF
    assert tm.grad(lambda x: stats.gamma.logpdf(x, 1.0))(0.0).item() == -1.0
    assert tm.grad(lambda x: stats.beta.pdf(x, 1.0, 2.0))(1.0).item() == -2.0
    assert tm.grad(lambda x: stats.beta.pdf(x, 2.0, 1.0))(0.0).item() == 2.0
    assert tm.grad(lambda mu: stats.poisson.pmf(1, mu))(0.0).item() == 1.0


@pytest.mark.parametrize(
    "name, args, ends",
    [
        ("gamma", (1.0,), [(0.0, 1.0)]),
        ("gamma", (0.5,), [(0.0, np.inf)]),
        ("gamma", (3.0,), [(0.0, 0.0)]),
        ("chi2", (2.0,), [(0.0, 0.5)]),
        ("expon", (), [(0.0, 1.0)]),
        ("uniform", (), [(0.0, 1.0), (1.0, 1.0)]),
        ("beta", (1.0, 3.0), [(0.0, 3.0), (1.0, 0.0)]),
        ("beta", (0.5, 1.0), [(0.0, np.inf), (1.0, 0.5)]),
        ("lognorm", (0.5,), [(0.0, 0.0)]),
    ],
)
def test_the_slope_of_a_distribution_function_is_the_density_also_at_the_ends_of_the_support(name, args, ends):
    """As those of gammainc and betainc; the logarithm of a probability of 1 has that slope too."""
    law = getattr(tm.stats, name)
    for x, density in ends:
        sure = "logsf" if x == 0 else "logcdf"
        for method, slope in (("cdf", density), ("sf", -density), (sure, density if x else -density)):

            def f(z):
                return getattr(law, method)(z, *args)

            assert tm.grad(f)(x).item() == pytest.approx(slope, rel=1e-14, abs=0)
            assert tm.jvp(f, (x,), (1.0,))[1].item() == pytest.approx(slope, rel=1e-14, abs=0)
            assert tm.grad(f)(x - 0.5 if x == 0 else x + 0.5).item() == 0


def test_outside_the_support_nothing_moves_and_nothing_is_nan():
    for f in (stats.gamma.pdf, stats.gamma.cdf, stats.gamma.logsf):
        g = tm.grad(lambda x, a, loc, s: f(x, a, loc, s), argnums=(0, 1, 2, 3))(-1.0, 2.0, 0.5, 2.0)
        assert [v.item() for v in g] == [0.0, 0.0, 0.0, 0.0]
    assert tm.grad(stats.beta.cdf)(1.5, 2.0, 3.0).item() == 0.0


def test_the_median_of_the_laplace_distribution_has_the_slope_of_its_density():
    assert tm.grad(stats.laplace.cdf)(0.0).item() == 0.5


def test_the_normal_tail_keeps_its_gradient():
    assert tm.grad(stats.norm.logcdf)(-1e5).item() == pytest.approx(1e5, rel=1e-9)
    assert tm.grad(stats.norm.logsf)(1e5).item() == pytest.approx(-1e5, rel=1e-9)


def test_parameters_broadcast_and_single_precision_stays():
    x = np.linspace(0.1, 2, 6).reshape(2, 3)
    a = np.array([0.5, 1.0, 2.0])
    agree(stats.gamma.logpdf(x, a, scale=2.0), scipy.stats.gamma.logpdf(x, a, scale=2.0))
    assert stats.norm.logpdf(x.astype(np.float32)).dtype == np.float32
    assert stats.poisson.logpmf(np.arange(3, dtype=np.float32), 2.0).dtype == np.float32
    assert stats.gamma.cdf(x.astype(np.float32), 2.0, 0.0, 1.0).dtype == np.float32


def test_a_frozen_distribution_is_the_distribution_at_its_parameters():
    frozen = stats.gamma(2.0, scale=3.0)
    assert repr(frozen) == "gamma(2.0, scale=3.0)"
    assert frozen.pdf(1.5).item() == pytest.approx(scipy.stats.gamma(2.0, scale=3.0).pdf(1.5), rel=1e-13)
    assert frozen.entropy().item() == pytest.approx(scipy.stats.gamma(2.0, scale=3.0).entropy(), rel=1e-13)


def test_wrong_arguments_are_named():
    with pytest.raises(ArgumentError, match=r"stats.gamma takes \(a, loc=0, scale=1\)"):
        stats.gamma.pdf(1.0)
    with pytest.raises(ArgumentError, match="sigma"):
        stats.norm.pdf(1.0, sigma=2.0)


ALPHA = np.array([1.0, 2.5, 3.0])


@pytest.mark.parametrize("x", [np.array([0.2, 0.3, 0.5]), np.array([[0.2, 0.3], [0.3, 0.3], [0.5, 0.4]]), [0.2, 0.3]])
def test_dirichlet_is_scipys(x):
    agree(stats.dirichlet.logpdf(x, ALPHA), scipy.stats.dirichlet.logpdf(x, ALPHA))
    agree(stats.dirichlet.pdf(x, ALPHA), scipy.stats.dirichlet.pdf(x, ALPHA))
    agree(stats.dirichlet(ALPHA).entropy(), scipy.stats.dirichlet.entropy(ALPHA))
    agree(stats.dirichlet.mean(ALPHA), scipy.stats.dirichlet.mean(ALPHA))
    agree(stats.dirichlet.var(ALPHA), scipy.stats.dirichlet.var(ALPHA))


def test_dirichlet_derivatives():
    free = np.array([[0.2, 0.3], [0.3, 0.3]])
    check_grads(stats.dirichlet.logpdf, (free, ALPHA), order=2)
    check_grads(stats.dirichlet.pdf, (free, ALPHA), order=2)
    check_grads(stats.dirichlet.entropy, (ALPHA,), order=2)
    g = tm.grad(stats.dirichlet.logpdf)(np.array([0.2, 0.3, 0.5]), ALPHA)
    np.testing.assert_allclose(g.numpy(), (ALPHA - 1) / [0.2, 0.3, 0.5], rtol=1e-14)


def test_dirichlet_refuses_points_off_the_simplex():
    with pytest.raises(OutsideDomain, match="sum to 1"):
        stats.dirichlet.pdf([0.2, 0.3, 0.6], ALPHA)
    with pytest.raises(OutsideDomain, match="non-negative"):
        stats.dirichlet.pdf([-0.2, 0.7, 0.5], ALPHA)
    with pytest.raises(ShapeError, match="one row fewer"):
        stats.dirichlet.pdf([1.0], ALPHA)


COV = np.array([[2.0, 0.6], [0.6, 1.0]])


@pytest.mark.parametrize(
    "args",
    [
        ([1.0, 2.0], [0.0, 0.5], COV),
        ([[1.0, 2.0], [3.0, 4.0], [0.0, 0.0]], [0.0, 0.5], COV),
        ([1.0, 2.0], [0.0, 0.0], 2.0),
        ([1.0, 2.0], [0.0, 0.0], [1.0, 2.0]),
        ([1.0, 2.0],),
        (1.0,),
        ([1.0, 2.0, 3.0], 0.5, 2.0),
        ([[1.0], [2.0]], [0.0], [[2.0]]),
    ],
)
def test_multivariate_normal_is_scipys(args):
    agree(stats.multivariate_normal.logpdf(*args), scipy.stats.multivariate_normal.logpdf(*args))
    agree(stats.multivariate_normal.pdf(*args), scipy.stats.multivariate_normal.pdf(*args))
    agree(stats.multivariate_normal.entropy(*args[1:]), scipy.stats.multivariate_normal.entropy(*args[1:]))


def test_multivariate_normal_derivatives():
    x, mean = np.array([[1.0, 2.0], [0.3, -1.0]]), np.array([0.1, 0.5])
    factor = np.array([[1.2, 0.0], [0.4, 0.9]])
    check_grads(lambda x, m, b: stats.multivariate_normal.logpdf(x, m, b @ b.T), (x, mean, factor), order=2)
    check_grads(lambda b: stats.multivariate_normal.entropy(mean, b @ b.T), (factor,), order=2)
    g = tm.grad(lambda c: stats.multivariate_normal.logpdf(x[0], mean, c))(COV).numpy()
    inverse, away = np.linalg.inv(COV), x[0] - mean
    want = 0.5 * (np.outer(inverse @ away, inverse @ away) - inverse)  # Matrix Cookbook, (57) and (61)
    np.testing.assert_allclose(g, want, rtol=1e-12)
    with pytest.raises(ShapeError):
        stats.multivariate_normal.logpdf([1.0, 2.0, 3.0], mean, COV)


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint8])
def test_integers_are_computed_with_in_double_precision(dtype):
    k = np.array([1, 100], dtype)
    for name, args in (("poisson", (2.0,)), ("expon", ()), ("gamma", (2.5,))):
        ours, scipys = getattr(stats, name).logsf(k, *args), getattr(scipy.stats, name).logsf(k.astype(float), *args)
        assert ours.dtype == np.float64
        np.testing.assert_allclose(ours.numpy(), scipys, rtol=1e-12)


@pytest.mark.parametrize(
    "call",
    [
        lambda: stats.norm.pdf(1j),
        lambda: stats.lognorm.entropy([1.0, 1j]),
        lambda: stats.poisson.pmf(1, mu=1j),
        lambda: stats.dirichlet.mean([1.0, 1j]),
        lambda: stats.multivariate_normal.logpdf([1.0, 2.0], [0.0, 1j]),
    ],
)
def test_distributions_are_of_real_numbers(call):
    with pytest.raises(tm.DTypeError, match="real"):
        call()


def _beta_entropy(a, b):
    tail = (a - 1) * mpmath.psi(0, a) + (b - 1) * mpmath.psi(0, b) - (a + b - 2) * mpmath.psi(0, a + b)
    return mpmath.log(mpmath.beta(a, b)) - tail


@pytest.mark.parametrize(("a", "b"), [(101.0, 0.5), (3.0, 1e9), (150.0, 220.0), (1e12, 1e12), (1.8e19, 3.0)])
def test_the_entropy_of_a_narrow_beta_distribution_keeps_its_digits(a, b):
    with mpmath.workdps(60):
        wanted = float(_beta_entropy(mpmath.mpf(a), mpmath.mpf(b)))
    assert stats.beta.entropy(a, b).item() == pytest.approx(wanted, rel=1e-13)


@pytest.mark.parametrize("df", [101.0, 1e6, 1e12, 1.8e19])
def test_students_density_tends_to_the_normal_one(df):
    with mpmath.workdps(40):
        n = mpmath.mpf(df)
        wanted = mpmath.loggamma((n + 1) / 2) - mpmath.loggamma(n / 2) - mpmath.log(n * mpmath.pi) / 2
        wanted = float(wanted - (n + 1) / 2 * mpmath.log1p(mpmath.mpf(0.7) ** 2 / n))
    assert stats.t.logpdf(0.7, df).item() == pytest.approx(wanted, rel=1e-14)


@pytest.mark.parametrize("df", [0.5, 2.5, 4.5, 1e6, np.inf])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_students_distribution_stays_within_its_dtype(df, kind):
    z, df, digits = np.array([0.0, 0.3, -2.0, 1e3], kind), kind(df), 1e-13 if kind is np.float64 else 3e-6
    got = stats.t.logpdf(z, df)
    assert got.dtype == kind
    np.testing.assert_allclose(got, scipy.stats.t.logpdf(z.astype(float), float(df)), rtol=digits)
    for name in ("mean", "var", "std"):
        wanted = getattr(scipy.stats.t, name)(float(df))
        np.testing.assert_allclose(getattr(stats.t, name)(df), wanted, rtol=digits)


@pytest.mark.parametrize("mu", [99.0, 101.0, 400.0])
def test_the_entropy_of_a_large_poisson_mean_keeps_its_digits(mu):
    with mpmath.workdps(30):
        logs = [k * mpmath.log(mu) - mu - mpmath.loggamma(k + 1) for k in range(int(mu + 20 * mu**0.5 + 50))]
        wanted = float(-sum(mpmath.exp(p) * p for p in logs))
    assert stats.poisson.entropy(mu).item() == pytest.approx(wanted, rel=1e-11)
    assert stats.poisson.entropy(2.0**60).item() == pytest.approx(0.5 * np.log(2 * np.pi * np.e * 2.0**60))


# -- quantiles, moments, draws ------------------------------------------------------------------------------------
QUANTILES = np.array([-0.1, 0.0, 1e-12, 0.01, 0.3, 0.5, 0.75, 0.99, 1.0, 1.2, np.nan])


@pytest.mark.parametrize("name, args", CONTINUOUS + DISCRETE)
def test_quantiles_are_scipys_at_and_beyond_the_ends(name, args):
    d = getattr(stats, name)
    for method in ("ppf", "isf"):
        got, want = getattr(d, method)(QUANTILES, *args), scipys(name, method, QUANTILES, *args)
        np.testing.assert_allclose(got.numpy(), want, rtol=1e-10)
    np.testing.assert_allclose(d(*args).median().item(), scipys(name, "median", *args), rtol=1e-10)
    for got, want in zip(d(*args).interval(0.9), scipys(name, "interval", 0.9, *args), strict=True):
        np.testing.assert_allclose(got.item(), want, rtol=1e-10)
    for got, want in zip(d.support(*args), scipys(name, "support", *args), strict=True):
        np.testing.assert_array_equal(got.item(), want)


@pytest.mark.parametrize("name", SMOOTH)
def test_quantiles_invert_the_distribution_function_and_are_differentiable_in_every_parameter(name):
    d, args = getattr(stats, name), SMOOTH[name][1:]
    q = np.array([0.2, 0.45, 0.9])
    np.testing.assert_allclose(d.cdf(d.ppf(q, *args), *args).numpy(), q, rtol=1e-12)
    small = q * (1e-3 if math.isfinite(d.support(*args)[1].item()) else 1e-12)
    np.testing.assert_allclose(d.sf(d.isf(small, *args), *args).numpy(), small, rtol=1e-9)
    for method in (d.ppf, d.isf):
        check_grads(method, (q, *args), order=2, tolerance=2e-6)
    slope = tm.grad(lambda q: d.ppf(q, *args))(0.4).item()
    np.testing.assert_allclose(slope * d.pdf(d.ppf(0.4, *args), *args).item(), 1.0, rtol=1e-12)


@pytest.mark.parametrize("name, args", [c for c in CONTINUOUS + DISCRETE if c[0] != "bernoulli" or c[1] == (0.3,)])
def test_moments_are_scipys(name, args):
    d = getattr(stats, name)
    for method in ("mean", "var", "std"):
        np.testing.assert_allclose(getattr(d, method)(*args).item(), scipys(name, method, *args), rtol=1e-12)
    if scipys(name, "var", *args) != 0:
        got = [m.item() for m in d.stats(*args, moments="mvsk")]
        np.testing.assert_allclose(
            got, np.array(scipys(name, "stats", *args, moments="mvsk"), float), rtol=1e-9, atol=1e-200
        )
    for order in range(5 if scipys(name, "var", *args) != 0 else 3):  # SciPy's further ones are NaN for one point
        np.testing.assert_allclose(d.moment(order, *args).item(), scipys(name, "moment", order, *args), rtol=1e-7)
    with pytest.raises(ArgumentError, match="up to order 4"):
        d.moment(5, *args)
    with pytest.raises(ArgumentError, match="mvsk"):
        d.stats(*args, moments="x")


@pytest.mark.parametrize("name", sorted(set(SMOOTH) - {"cauchy", "t"}))
def test_moments_are_differentiable(name):
    d, args = getattr(stats, name), SMOOTH[name][1:]
    check_grads(lambda *a: tm.stack(d.stats(*a, moments="mvsk")), args, order=2, tolerance=2e-6)


@pytest.mark.parametrize(
    "name, args", [(n, SMOOTH[n][1:]) for n in SMOOTH] + [("poisson", (3.0,)), ("binom", (5, 0.3))]
)
def test_draws_follow_the_distribution_from_a_seed(name, args):
    d, theirs = getattr(stats, name), getattr(scipy.stats, name)(*args)
    x = d.rvs(*args, size=3000, random_state=3).numpy()
    if name in SMOOTH:
        assert scipy.stats.kstest(x, theirs.cdf).pvalue > 1e-3
        slope = tm.grad(lambda a: d.rvs(*args[:-1], a, size=3000, random_state=3).sum())(args[-1]).item()
        np.testing.assert_allclose(slope, ((x - args[-2]) / args[-1]).sum(), rtol=1e-9)  # in scale
    else:
        assert x.dtype == np.int64
        assert abs(x.mean() - theirs.mean()) < 5 * theirs.std() / 3000**0.5
    np.testing.assert_array_equal(d(*args).rvs(size=3000, random_state=tm.random.default_rng(3)).numpy(), x)
    assert d.rvs(*args).shape == ()
    with pytest.raises(OutsideDomain, match="does not exist"):
        d.rvs(*args[:-1], -1.0)


# -- the multivariate normal ----------------------------------------------------------------------------------------
def _cov(n):
    b = np.random.default_rng(n).normal(size=(n, n))
    return b @ b.T + 0.5 * np.eye(n)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_the_multivariate_distribution_function_is_scipys(n):
    rng = np.random.default_rng(0)
    x, m = rng.normal(size=(2, n)), rng.normal(size=n)
    got = stats.multivariate_normal.cdf(x, m, _cov(n)).numpy()
    want = scipy.stats.multivariate_normal.cdf(x, m, _cov(n), maxpts=300_000, abseps=1e-7, releps=1e-7)
    np.testing.assert_allclose(got, want, atol=2e-6)
    got = stats.multivariate_normal(m, _cov(n)).cdf(x, lower_limit=m - 1.0).numpy()
    want = scipy.stats.multivariate_normal.cdf(x, m, _cov(n), lower_limit=m - 1.0, maxpts=300_000)
    np.testing.assert_allclose(got, want, atol=2e-5)


def test_orthants_have_their_closed_form():
    for r in (0.0, 0.5, -0.9, 0.999, -0.99999):
        p = stats.multivariate_normal.cdf([0.0, 0.0], cov=[[1.0, r], [r, 1.0]]).item()
        np.testing.assert_allclose(p, 0.25 + np.arcsin(r) / (2 * np.pi), atol=1e-15)
    c = np.array([[1.0, 0.5, 0.3], [0.5, 1.0, -0.2], [0.3, -0.2, 1.0]])
    want = 1 / 8 + np.arcsin([0.5, 0.3, -0.2]).sum() / (4 * np.pi)
    np.testing.assert_allclose(stats.multivariate_normal.cdf(np.zeros(3), cov=c).item(), want, atol=1e-13)
    np.testing.assert_allclose(stats.multivariate_normal.logcdf(np.zeros(3), cov=c).item(), np.log(want), atol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_multivariate_distribution_function_is_differentiable_in_point_mean_and_covariance(n):
    rng = np.random.default_rng(1)
    x, m = rng.normal(size=(2, n)), rng.normal(size=n)
    f = lambda x, m, c: stats.multivariate_normal.cdf(x, m, (c + c.T) / 2)  # noqa: E731
    check_grads(f, (x, m, _cov(n)), order=2 if n < 3 else 1, tolerance=1e-5)


def test_a_singular_covariance_is_a_density_on_its_subspace():
    b = np.random.default_rng(0).normal(size=(3, 2))
    x, cov = np.stack([b @ [1.0, 2.0], b @ [-0.3, 0.5], [1.0, 0.0, 0.0]]), b @ b.T
    got = stats.multivariate_normal.logpdf(x, cov=cov, allow_singular=True).numpy()
    np.testing.assert_allclose(got, scipy.stats.multivariate_normal.logpdf(x, cov=cov, allow_singular=True))
    np.testing.assert_allclose(
        stats.multivariate_normal.logpdf(x, 0.5, _cov(3), allow_singular=True).numpy(),
        stats.multivariate_normal.logpdf(x, 0.5, _cov(3)).numpy(),
        rtol=1e-12,
    )
    f = lambda b, a: stats.multivariate_normal.pdf(b @ a, cov=b @ b.T, allow_singular=True)  # noqa: E731
    check_grads(f, (b, np.array([1.0, 2.0])), order=1)
    with pytest.raises(np.linalg.LinAlgError):
        stats.multivariate_normal.logpdf(x, cov=np.ones((3, 3)))
    with pytest.raises(np.linalg.LinAlgError, match="negative eigenvalue"):
        stats.multivariate_normal.logpdf(x, cov=np.diag([1.0, 1.0, -1.0]), allow_singular=True)


def test_draws_of_vectors_and_the_covariance_of_a_dirichlet():
    z = stats.multivariate_normal.rvs([0.5, -1.0], _cov(2), size=4000, random_state=0).numpy()
    np.testing.assert_allclose(np.cov(z.T), _cov(2), rtol=0.1, atol=0.1)
    assert stats.multivariate_normal.rvs(random_state=0).shape == (1,)
    alpha = [1.0, 2.0, 3.0]
    np.testing.assert_allclose(stats.dirichlet.cov(alpha).numpy(), scipy.stats.dirichlet.cov(alpha))
    x = stats.dirichlet.rvs(alpha, size=4000, random_state=0).numpy()
    np.testing.assert_allclose(x.mean(axis=0), stats.dirichlet.mean(alpha).numpy(), atol=0.02)


@pytest.mark.parametrize("df", [150.0, 1e5, 1e20])
def test_derivatives_in_many_degrees_of_freedom_keep_their_digits(df):
    with mpmath.workdps(60):
        n, h = mpmath.mpf(df), mpmath.mpf(df) * mpmath.mpf(10) ** -15

        def log_density(x, n):
            log_factor = mpmath.loggamma((n + 1) / 2) - mpmath.loggamma(n / 2) - mpmath.log(mpmath.pi * n) / 2
            return log_factor - (n + 1) / 2 * mpmath.log1p(x * x / n)

        def slope(x):
            return mpmath.diff(lambda n: log_density(x, n), n, h=h)

        for z in (0.3, 7.0):
            first = tm.grad(stats.t.logpdf, argnums=1)
            np.testing.assert_allclose(first(z, df).item(), float(slope(z)), rtol=1e-12)
            second = float(mpmath.diff(lambda n, z=z: log_density(z, n), n, 2, h=h))
            np.testing.assert_allclose(tm.grad(first, argnums=1)(z, df).item(), second, rtol=1e-12)
        area = float(mpmath.quad(lambda x: mpmath.exp(log_density(x, n)) * slope(x), [0, 1, 2]))
        np.testing.assert_allclose(tm.grad(stats.t.cdf, argnums=1)(2.0, df).item(), area, rtol=1e-9)


@pytest.mark.parametrize("n", [2.0**63, 2**63])
def test_trials_that_cannot_be_counted_are_refused(n):
    for call in (stats.binom.ppf, stats.binom.isf, stats.binom.interval):
        with pytest.raises(tm.OutsideDomain, match="trials"):
            call(0.3, n, 0.5)
    with pytest.raises(tm.OutsideDomain, match="trials"):
        stats.binom.rvs(n, 0.5)
