"""Functions of tm.special keep their digits at random numbers of every magnitude. What is asked is told in `digits`."""

import math

import digit_scan
import digits
import digits_sampled
import mpmath
import numpy as np
import pytest
from digits_sampled import SAMPLED

import tinygrad_math as tm
from tinygrad_math import special

KINDS = [np.float64, np.float32]


def report(found):
    assert not found, f"{len(found)} partials, among them\n" + "\n".join(found[:8])


@pytest.mark.parametrize("name", SAMPLED)
def test_values_and_two_derivatives_at_random_points(name):
    for count, dtype in ((3, np.float64), (1, np.float32)):
        report(digits_sampled.failures(name, count, 0, dtype, tries=2, truth=digits_sampled.kept_truth(name)))


@pytest.mark.long
@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("name", SAMPLED)
def test_values_and_two_derivatives_at_many_random_points(name, dtype):
    report(digits_sampled.failures(name, 40, 1, dtype))


def test_every_elementwise_function_of_tm_is_among_them():
    steps = {"floor", "ceil", "trunc", "rint", "sign"}  # between their jumps exact
    ours = {n for n in (*digits.OF_ONE, *digits.OF_TWO) if hasattr(tm, n)} - steps - {"erfinv"}  # in `digits` alone
    assert ours == set(digits_sampled.ELEMENTARY)


INTEGRALS = {  # which SciPy's have up to no digit of: of 20 and 40
    "itstruve0": (special.itstruve0, lambda t: mpmath.struveh(0, t)),
    "itmodstruve0": (special.itmodstruve0, lambda t: mpmath.struvel(0, t)),
    "iti0k0": (lambda x: special.iti0k0(x)[0], lambda t: mpmath.besseli(0, t)),
}


@pytest.mark.parametrize("name", INTEGRALS)
@pytest.mark.parametrize("x", [0.3, 17.0, 24.5])
def test_integrals_of_functions_of_order_0_keep_their_digits(name, x):
    f, integrand = INTEGRALS[name]
    with mpmath.workdps(20):
        want = mpmath.quad(integrand, mpmath.linspace(0, x, 4 + int(x / 3)))
    assert float(f(x)) == pytest.approx(float(want), rel=1e-12, abs=0)


@pytest.mark.parametrize("x", [1e-8, 5.0, 24.5, 35.9])
def test_the_integral_of_struves_function_over_its_argument(x):
    with mpmath.workdps(60):
        half = mpmath.mpf(x) / 2
        terms = ((-1) ** k * half ** (2 * k + 1) / mpmath.gamma(k + 1.5) ** 2 / (2 * k + 1) for k in range(120))
        want = mpmath.pi / 2 - sum(terms)
    assert float(special.it2struve0(x)) == pytest.approx(float(want), rel=1e-12, abs=0)
    assert float(special.it2struve0(-x)) == pytest.approx(float(mpmath.pi - want), rel=1e-12, abs=0)


@pytest.mark.parametrize("x", [0.01, 5.0, 18.829, 20.1, 39.9])
def test_integrals_of_waves_of_order_0_keep_their_digits(x):
    with mpmath.workdps(80):
        half, level = mpmath.mpf(x) / 2, mpmath.log(mpmath.mpf(x) / 2) + mpmath.euler
        terms = [(-1) ** k * half ** (2 * k) * x / mpmath.factorial(k) ** 2 / (2 * k + 1) for k in range(150)]
        of_j = mpmath.fsum(terms)
        of_y = mpmath.fsum(
            2 / mpmath.pi * t * (level - mpmath.harmonic(k) - mpmath.mpf(1) / (2 * k + 1)) for k, t in enumerate(terms)
        )
    for f in (special.itj0y0, tm.compile(special.itj0y0), tm.compile(special.itj0y0, backend="native")):
        j, y = f(x)
        assert float(j) == pytest.approx(float(of_j), rel=1e-13, abs=0)
        assert float(y) == pytest.approx(float(of_y), rel=1e-12, abs=0)
    assert float(special.itj0y0(-x)[0]) == pytest.approx(-float(of_j), rel=1e-13, abs=0)
    assert np.isnan(float(special.itj0y0(-x)[1]))
    assert [float(v) for v in special.itj0y0(0.0)] == [0, 0]


@pytest.mark.parametrize("f", [special.itstruve0, special.it2struve0])
def test_integrals_of_struves_function_go_on_where_the_expansion_begins(f):
    x, step = 36.0, 1e-3
    low, high = float(f(x)), float(f(x + step))
    assert high - low == pytest.approx(step * float(tm.grad(f)(x + step / 2)), rel=1e-6, abs=0)


def test_the_mean_at_its_ends_and_of_negative_numbers():
    slope, bend = tm.grad(special.agm), tm.grad(tm.grad(special.agm))
    assert float(slope(0.0, 2.0)) == np.inf
    assert float(bend(0.0, 2.0)) == -np.inf
    assert float(tm.grad(special.agm, argnums=1)(0.0, 2.0)) == 0
    assert float(slope(-2.0, -3.0)) == float(slope(2.0, 3.0))
    assert float(bend(-2.0, -3.0)) == -float(bend(2.0, 3.0))
    assert np.isnan(float(slope(-1.0, 2.0)))
    assert float(slope(1e300, 1e300)) == 0.5


def test_kelvins_functions_at_their_ends():
    for name, want in {"ker": np.inf, "kerp": -np.inf, "kei": -np.pi / 4, "keip": 0.0, "ber": 1.0, "beip": 0.0}.items():
        assert float(getattr(special, name)(0.0)) == want
    for name in ("ker", "kei", "kerp", "keip"):
        assert np.isnan(float(getattr(special, name)(-1.0)))
        assert float(getattr(special, name)(1e5)) == 0
    assert float(special.ber(1003.0)) == pytest.approx(
        5.13866045e305, rel=1e-8, abs=0
    )  # beyond where I_0 of it overflows


@pytest.mark.parametrize("n", [4, 7, 100])
def test_polynomials_that_overflow_have_the_sign_of_their_last_term(n):
    x = np.array([-1e250, 1e250])
    even = np.array([(-1.0) ** n, 1.0]) * np.inf
    for f in (special.eval_chebyt, special.eval_chebyu, special.eval_legendre, special.eval_hermite):
        np.testing.assert_array_equal(f(n, x).numpy(), even)
    np.testing.assert_array_equal(special.eval_hermitenorm(n, x).numpy(), even)
    np.testing.assert_array_equal(special.eval_gegenbauer(n, 0.7, x).numpy(), even)
    np.testing.assert_array_equal(special.eval_jacobi(n, 1.0, -0.5, x).numpy(), even)
    for f in (special.eval_laguerre, lambda n, x: special.eval_genlaguerre(n, 0.5, x)):
        np.testing.assert_array_equal(f(n, x).numpy(), even[::-1])
    slope = tm.grad(special.eval_legendre, argnums=1)
    assert [float(slope(n, v)) for v in x] == [-even[0], np.inf]
    assert float(special.eval_chebyt(10**6, -1.5)) == np.inf
    assert np.isnan(float(special.eval_hermite(2000, 0.5)))  # between its zeros: the sign is not known


@pytest.mark.parametrize("k", [0, -1])
@pytest.mark.parametrize("z", [-0.36787944, -0.367879441171, -0.36783, -0.3677, -0.3])
def test_lamberts_function_next_to_its_branch_point(z, k):
    f = lambda v: special.lambertw(v, k).real  # noqa: E731
    with mpmath.workdps(40):
        w = mpmath.re(mpmath.lambertw(mpmath.mpf(z), k))
        rounding = 2.0**-50 / (1 + mpmath.e * mpmath.mpf(z))  # of z, in z + 1/e
        slope = mpmath.exp(-w) / (1 + w)
        bend = -mpmath.exp(-2 * w) * (2 + w) / (1 + w) ** 3
    for order, want in enumerate((w, slope, bend)):
        allowed = 1e-13 + order * float(rounding)
        assert float(f(z)) == pytest.approx(float(want), rel=allowed, abs=0)
        f = tm.grad(f)


MODERATE = {  # which SciPy 1.17's have from no digit of to seven
    "pbdv": (
        lambda v, x: special.pbdv(v, x)[0],
        mpmath.pcfd,
        lambda v, x: v * mpmath.pcfd(v - 1, x) - x * mpmath.pcfd(v, x) / 2,
        [(30.5, -10.0), (20.5, -10.0), (10.5, -36.5), (-150.3, 2.0)],
    ),
    "hyperu": (
        special.hyperu,
        mpmath.hyperu,
        lambda a, b, x: -a * mpmath.hyperu(a + 1, b + 1, x),
        [(10.5, 20.0, 30.0), (-65.5, 3.5, 36.5), (1e-10, 2.5, 0.3), (-2.0, 162.5, 0.33)],
    ),
}


@pytest.mark.parametrize("wrap", [lambda f: f, tm.compile, tm.compile(backend="native")])
@pytest.mark.parametrize("name", MODERATE)
def test_functions_of_moderate_orders_keep_their_digits_compiled_too(name, wrap):
    f, reference, slope_of, points = MODERATE[name]
    for at in points:
        with mpmath.workdps(40):
            want, slope = reference(*at), slope_of(*at)
        assert float(wrap(f)(*at)) == pytest.approx(float(want), rel=1e-12, abs=0)
        assert float(wrap(tm.grad(f, argnums=len(at) - 1))(*at)) == pytest.approx(float(slope), rel=1e-12, abs=0)


def test_tricomis_function_and_cylinders_at_their_ends():
    x = np.array([0.0, np.inf, -1.0, np.nan])
    np.testing.assert_array_equal(special.hyperu(2.0, 3.0, x).numpy(), [np.inf, 0, np.nan, np.nan])
    assert float(special.hyperu(1.0, 0.5, 0.0)) == pytest.approx(2, rel=1e-14)
    assert float(special.hyperu(-177.5, -2.5, 0.01)) == np.inf  # as it is beyond the doubles
    one = special.hyperu(np.float32(1.5), 2, np.array([0.5, 3], np.float32))
    assert one.dtype == np.float32
    value, slope = special.pbdv(np.array([0, 1, 2.5, -2]), 0.0)
    half, below = float(mpmath.pcfd(2.5, 0)), float(mpmath.pcfd(1.5, 0))
    np.testing.assert_allclose(value.numpy(), [1, 0, half, 1], rtol=1e-14)
    np.testing.assert_allclose(slope.numpy(), [0, 1, 2.5 * below, -np.sqrt(np.pi / 2)], rtol=1e-14)
    assert np.isnan(special.pbdv(np.nan, 1.0)[0].item())
    assert np.isnan(special.pbdv(1.0, np.nan)[0].item())


@pytest.mark.parametrize(("n", "x"), [(104, 0.11), (169, 104.0), (190, 6.5), (300, 250.0), (99, 6.5)])
def test_polygamma_of_many_orders_has_neither_overflowed_nor_vanished(n, x):
    with mpmath.workdps(60):
        want, slope = mpmath.psi(n, x), mpmath.psi(n + 1, x)
    assert float(special.polygamma(n, x)) == pytest.approx(float(want), rel=1e-12, abs=0)
    assert float(tm.grad(special.polygamma, argnums=1)(n, x)) == pytest.approx(float(slope), rel=1e-12, abs=0)
    assert float(special.polygamma(n, np.inf)) == 0


@pytest.mark.parametrize(("v", "z"), [(150.5, -0.05), (199.5, 180.0), (184.5, -200.0), (-168.9, -0.03), (49.5, 3.0)])
def test_the_limit_function_of_large_parameters_is_a_number(v, z):
    with mpmath.workdps(60):
        want, slope = mpmath.hyp0f1(v, z), mpmath.hyp0f1(mpmath.mpf(v) + 1, z) / v
    assert float(special.hyp0f1(v, z)) == pytest.approx(float(want), rel=1e-12, abs=0)
    assert float(tm.grad(special.hyp0f1, argnums=1)(v, z)) == pytest.approx(float(slope), rel=1e-12, abs=0)


@pytest.mark.parametrize("x", [1.5, 2.5, 60.5, 127.0, 300.0, 1000.0])
def test_zeta_less_one_goes_to_the_end_of_the_doubles(x):
    with mpmath.workdps(400):
        want = mpmath.zeta(mpmath.mpf(x)) - 1
    assert float(special.zetac(x)) == pytest.approx(float(want), rel=1e-14, abs=0)
    assert float(special.zetac(np.inf)) == 0


@pytest.mark.parametrize(("a", "b", "x"), [(-129.0, 6.37, -175.0), (-60.0, 3.5, -90.0), (-4.0, 6.5, -300.0)])
def test_kummers_function_has_no_expansion_where_its_terms_grow_from_the_first(a, b, x):
    with mpmath.workdps(60):
        want = a / mpmath.mpf(b) * mpmath.hyp1f1(a + 1, b + 1, x)
    assert float(tm.grad(special.hyp1f1, argnums=2)(a, b, x)) == pytest.approx(float(want), rel=1e-10, abs=0)


@pytest.mark.parametrize("f", [special.gammaln, special.loggamma])
@pytest.mark.parametrize("zero", [1.0, 2.0])
def test_the_logarithm_of_gamma_keeps_its_digits_beside_its_zeros(f, zero):
    x = zero + np.array([-0.3, -0.2, -1e-3, -7e-9, -2e-15, 0.0, 2e-15, 7e-9, 1e-3, 0.2, 0.3])
    with mpmath.workdps(40):
        want = [float(mpmath.loggamma(mpmath.mpf(v))) for v in x.tolist()]
    for g in (f, tm.compile(f), tm.compile(f, backend="native")):
        np.testing.assert_allclose(g(x).numpy(), want, rtol=1e-15)


def pseudo_huber(delta, r):
    return delta * r**2 / (mpmath.hypot(delta, r) + delta)


ENDS_OF_DOUBLES = [  # where SciPy's functions have vanished, overflowed or are no numbers
    (special.jv, mpmath.besselj, (81.5, 0.0113)),
    (special.jv, lambda v, x: (x / 2) ** 3 / 6, (3.0, -1e-102)),
    (special.jv, mpmath.besselj, (-20.3, 3e-14)),
    (special.iv, mpmath.besseli, (3.5, 2.96e-83)),
    (special.iv, mpmath.besseli, (200.0, 12.0)),
    (special.ive, lambda v, x: mpmath.besseli(v, x) * mpmath.exp(-x), (-99.7, 8.0)),
    (special.yv, mpmath.bessely, (-64.5, 1.4)),
    (special.ive, lambda v, x: mpmath.besseli(v, x) * mpmath.exp(-x), (-168.2, 9.5)),
    (special.spherical_jn, lambda n, x: mpmath.sqrt(mpmath.pi / 2 / x) * mpmath.besselj(n + 0.5, x), (2, 2.4e-128)),
    (special.spherical_in, lambda n, x: mpmath.sqrt(mpmath.pi / 2 / x) * mpmath.besseli(n + 0.5, x), (49, 2.4e-5)),
    (special.spherical_in, lambda n, x: mpmath.sqrt(mpmath.pi / 2 / x) * mpmath.besseli(n + 0.5, x), (0, 1e-250)),
    (special.gammaln, lambda x: mpmath.log(abs(mpmath.gamma(x))), (-4.6e-311,)),
    (special.loggamma, mpmath.loggamma, (3.5e-316,)),
    (special.kl_div, lambda x, y: x * mpmath.log(x / y) - x + y, (1.05e-212, 4.36e242)),
    (special.pseudo_huber, pseudo_huber, (2.7e-204, 25.2)),
    (special.pseudo_huber, pseudo_huber, (9.8e263, -3.1e-87)),
    (special.nbdtr, lambda k, n, p: mpmath.betainc(n, k + 1, 0, p, regularized=True), (36, 157, 0.0074)),
    (special.betainc, lambda a, b, x: mpmath.betainc(a, b, 0, x, regularized=True), (2.5, 3.0, 1e-118)),
    (special.chdtr, lambda v, x: mpmath.gammainc(v / 2, 0, x / 2, regularized=True), (2.0, 4.9e-254)),
]


@pytest.mark.parametrize("f, reference, at", ENDS_OF_DOUBLES)
def test_values_are_right_to_the_ends_of_the_doubles(f, reference, at):
    with mpmath.workdps(700):
        *rest, x = map(mpmath.mpf, at)
        h = abs(x) * mpmath.mpf(10) ** -30
        want = digit_scan.rounded(reference(*rest, x), np.dtype(float))
        slope = (reference(*rest, x + h) - reference(*rest, x - h)) / (2 * h)
        slope = digit_scan.rounded(slope, np.dtype(float))
    assert float(f(*at)) == pytest.approx(want, rel=1e-11, abs=0)
    with np.errstate(all="ignore"):
        assert float(tm.grad(f, argnums=len(at) - 1)(*at)) == pytest.approx(slope, rel=1e-10, abs=0)


def test_the_slope_in_the_parameter_of_a_gamma_distribution_of_almost_nothing():
    """P(a, x) is x^a/Gamma(a + 1) but for terms in x, of which the square of an x of 1e-254 has no number."""
    x = 2.4611179132602803e-254
    want = x * (math.log(x) - (1 - np.euler_gamma))
    assert float(tm.grad(special.gammainc)(1.0, x)) == pytest.approx(want, rel=1e-12, abs=0)


def test_the_lower_branch_of_lamberts_function_of_the_smallest_numbers():
    for z in (-5e-324, -2.3e-321, -1e-310):
        want = float(mpmath.re(mpmath.lambertw(z, -1)))
        assert complex(special.lambertw(z, -1)) == pytest.approx(want, rel=1e-15, abs=0)


ASSOCIATED = [
    (19, 2.5, -0.27),
    (54, 11.136, -0.33),
    (52, 27.64, -0.21),
    (53, -14.5, -0.2),
    (16, 11.5, -0.27),
    (3, 30.2, 0.9),
]


@pytest.mark.parametrize("m, v, x", ASSOCIATED)
def test_associated_legendre_functions_of_degrees_between_whole_ones_keep_their_digits(m, v, x):
    """By Ferrers' function of the order -m (DLMF 14.3.1, 14.9.3), which mpmath's legenp does not converge for."""
    with mpmath.workdps(60):
        z = mpmath.mpf(x)

        def value(z):
            falling = mpmath.gamma(m + mpmath.mpf(v) + 1) * mpmath.rgamma(mpmath.mpf(v) - m + 1)
            ratio = ((1 - z) / (1 + z)) ** (mpmath.mpf(m) / 2)
            return (-1) ** m * falling * ratio * mpmath.hyp2f1(v + 1, -v, m + 1, (1 - z) / 2) / mpmath.factorial(m)

        want, slope = float(value(z)), float(mpmath.diff(value, z))
    assert float(special.lpmv(m, v, x)) == pytest.approx(want, rel=1e-11, abs=0)
    assert float(tm.grad(special.lpmv, argnums=2)(m, v, x)) == pytest.approx(slope, rel=1e-10, abs=0)


@pytest.mark.parametrize("x, s, gamma", [(12.0, 1.0, 1e-40), (7.0, 1.0, 0.0), (10.5, 1.0, 1e-32), (-9.0, 1.0, 1e-20)])
def test_voigts_profile_of_hardly_any_width_falls_as_the_normal_density(x, s, gamma):
    def profile(x):
        z = (x + 1j * mpmath.mpf(gamma)) / (s * mpmath.sqrt(2))
        return mpmath.re(mpmath.exp(-z * z) * mpmath.erfc(-1j * z)) / (s * mpmath.sqrt(2 * mpmath.pi))

    with mpmath.workdps(120):
        at, h = mpmath.mpf(x), mpmath.mpf(10) ** -25
        low, here, high = (profile(at + k * h) for k in (-1, 0, 1))
        first, second = float((high - low) / (2 * h)), float((high - 2 * here + low) / h**2)
    slope = tm.grad(special.voigt_profile)
    assert float(slope(x, s, gamma)) == pytest.approx(first, rel=1e-11, abs=0)
    assert float(tm.grad(slope)(x, s, gamma)) == pytest.approx(second, rel=1e-10, abs=0)


@pytest.mark.parametrize(
    "at",
    [
        (0.3, 1.2, 0.5),
        (5.1, 0.6, 0.5),
        (-0.6, 1.9, 14.3),
        (7e-6, 3.0, 4e-7),
        (2e3, 0.5, 1e-3),
        (6.3, 1.0, 2e-9),
        (-4.0, 1.0, 1e-25),
    ],
)
def test_voigts_profile_has_all_digits_of_every_second_derivative(at):
    def profile(x, s, gamma):
        with mpmath.extradps(int(0.9 * float((x * x + gamma * gamma) / (s * s)) / 2) if abs(x) < 100 else 0):
            z = (x + 1j * gamma) / (s * mpmath.sqrt(2))
            if abs(z) > 100:
                terms = (mpmath.fac2(2 * k - 1) / (2 * z * z) ** k for k in range(60))
                return mpmath.re(1j * mpmath.fsum(terms) / z) / (s * mpmath.pi * mpmath.sqrt(2))
            return mpmath.re(mpmath.exp(-z * z) * mpmath.erfc(-1j * z)) / (s * mpmath.sqrt(2 * mpmath.pi))

    for i in range(3):
        slope = tm.grad(special.voigt_profile, argnums=i)
        for j in range(i, 3):
            orders = tuple((k == i) + (k == j) for k in range(3))
            with mpmath.workdps(90):
                want = float(mpmath.diff(profile, tuple(map(mpmath.mpf, at)), orders))
            assert float(tm.grad(slope, argnums=j)(*at)) == pytest.approx(want, rel=1e-11, abs=0)


PARTIALS = [  # where terms cancelled, or SciPy's values lose digits: of f, in these places in turn
    (special.ive, lambda v, x: mpmath.besseli(v, x) * mpmath.exp(-x), (9.01, 170.4), (1, 1)),
    (special.kve, lambda v, x: mpmath.besselk(v, x) * mpmath.exp(x), (22.4, 939.2), (1, 1)),
    (special.kve, lambda v, x: mpmath.besselk(v, x) * mpmath.exp(x), (22.4, 1500.0), (1, 1)),
    (special.kv, mpmath.besselk, (8.7e-8, 2.9), (0, 1)),
    (special.kv, mpmath.besselk, (8.7e-8, 0.7), (1, 0)),
    (special.yv, mpmath.bessely, (88.1, 0.0222), ()),
    (special.yv, mpmath.bessely, (24.7, 8.75e-12), ()),
    (special.poch, mpmath.rf, (225.7, -4.6e-6), (0,)),
    (special.poch, mpmath.rf, (225.7, -4.6e-6), (0, 0)),
    (special.binom, mpmath.binomial, (370411.7, 1.0255), ()),
    (special.binom, mpmath.binomial, (135952.4, 0.41), (1, 1)),
    (special.binom, mpmath.binomial, (1020.0, 500.0), ()),
]


@pytest.mark.parametrize("f, reference, at, places", PARTIALS)
def test_partials_have_their_digits_where_terms_would_cancel(f, reference, at, places):
    with mpmath.workdps(120):
        orders = tuple(places.count(k) for k in range(len(at)))
        want = float(mpmath.diff(reference, tuple(map(mpmath.mpf, at)), orders) if places else reference(*at))
    g = f
    for k in places:
        g = tm.grad(g, argnums=k)
    assert float(g(*at)) == pytest.approx(want, rel=1e-11, abs=0)
