"""Values and derivatives at infinity and at the ends of intervals are their limits. The limits are told in `ends`."""

import math

import ends
import mpmath
import numpy as np
import pytest
from cases import each
from ends import AT_INFINITY, AT_ZERO, BESIDE, INF, NAN, SEVERAL, TWO, WITHOUT
from ends_of_each import COVERED, ORDER, REASONS, ROWS

import tinygrad_math as tm
from tinygrad_math import fft, geometry, linalg, nn, random, special, stats  # noqa: F401  (they fill the registry)
from tinygrad_math.core.errors import NoDerivative
from tinygrad_math.core.op import registry
from tinygrad_math.core.tensor import rec


def derivatives(f, x):
    """f, f' and f'' by the backward rules, the forward rules, and one along the other."""
    total = lambda g: lambda v: g(v).sum()  # noqa: E731
    with np.errstate(all="ignore"):
        value = f(tm.asarray(x)).numpy()
        back = tm.grad(total(f))
        ahead = TWO[1](f)
        yield value, back(x).numpy(), tm.grad(total(back))(x).numpy()
        yield value, ahead(x).numpy(), TWO[1](ahead)(x).numpy()
        yield value, back(x).numpy(), tm.hvp(total(f), (x,), (np.ones_like(x),))[0].numpy()


def held(f, limits):
    """At these points the limits, in both precisions where both have the points."""
    for dtype in (np.float64, np.float32):
        limits = {x: row for x, row in limits.items() if dtype == np.float64 or np.isinf(x) or abs(x) < 1e38}
        if not limits:
            continue
        x = np.array(list(limits), dtype)
        rows = np.array([[NAN if v is None else v for v in row] for row in limits.values()], np.float64)
        for found in derivatives(f, x):
            for k, got in enumerate(found):
                assert got.dtype == dtype
                np.testing.assert_allclose(got, rows[:, k], rtol=4 * np.finfo(dtype).eps, err_msg=f"derivative {k}")


def of(name):
    return getattr(rec, name)


@each("name", AT_INFINITY, parts=4)
def test_at_infinity(name):
    above, below = AT_INFINITY[name]
    held(of(name), {INF: above} if below is None else {INF: above, -INF: below})


def test_every_function_of_one_number_has_its_limits_told():
    ops = {n for n, o in registry.items() if o.kind == "elementwise" and o.arity == 1}
    assert ops - set(AT_INFINITY) - set(WITHOUT) == set()


@each("name", AT_ZERO)
def test_at_zero(name):
    held(of(name), {0.0: AT_ZERO[name]})


@each(("f", "limits"), SEVERAL, parts=4)
def test_functions_of_several_numbers_at_the_ends(f, limits):
    held(f, limits)


@each("row", [*ROWS], parts=6)
def test_ops_of_several_numbers_in_each_argument(row):
    name, place, others, limits = row
    held(lambda x: of(name)(*others[:place], x, *others[place:]), limits)


FAR_QUANTILES = ["gammaincinv", "gammainccinv", "chdtriv", "gdtrib"]
EITHER_SIDE = 2e4 * (1 + np.array([-1e-9, 1e-9]))  # of where expansions begin


@pytest.mark.parametrize("name", FAR_QUANTILES)
def test_quantiles_of_many_and_their_shapes_have_their_digits_far_out(name):
    """The leading term s sqrt(a) of Cornish and Fisher, whose rest is below it by sqrt(a); and no step on the way."""
    for p in (1e-30, 0.125, 0.625, 0.999):
        with mpmath.workdps(60):
            s = float(mpmath.sqrt(2) * mpmath.erfinv(2 * mpmath.mpf(p) - 1))
        turn = {"gammaincinv": 1, "gammainccinv": -1, "chdtriv": -math.sqrt(2), "gdtrib": -1}[name] * s
        f = {
            "chdtriv": lambda a, p=p: special.chdtriv(p, a),
            "gdtrib": lambda a, p=p: special.gdtrib(1.0, p, a),
        }.get(name, lambda a, p=p: of(name)(a, p))
        for value, slope, bend in derivatives(f, np.array([1e26])):
            assert value[0] == pytest.approx(1e26 + turn * 1e13, rel=1e-15)
            assert slope[0] == pytest.approx(1 + 0.5 * turn * 1e-13, rel=1e-16)
            assert bend[0] == pytest.approx(-0.25 * turn * 1e-39, rel=1e-10, abs=0)
        scale = 2.0 if name == "chdtriv" else 1.0
        for _, slope, bend in derivatives(f, scale * EITHER_SIDE) if p > 1e-5 else ():
            assert slope[0] - 1 == pytest.approx(slope[1] - 1, rel=3e-9, abs=0)
            assert bend[0] == pytest.approx(bend[1], rel=4e-9, abs=0)


@pytest.mark.parametrize("df", [0.3, 2.2, 5.0, 60.0])
def test_students_quantiles_next_to_zero_are_where_they_belong(df):
    for p in (1e-300, 1e-200, 1e-60):
        t = float(special.stdtrit(df, p))
        if math.isinf(t):
            assert math.log(2 * p) / df < -700
            continue
        with mpmath.workdps(50):
            n = mpmath.mpf(df)
            below = mpmath.betainc(n / 2, 0.5, 0, n / (n + mpmath.mpf(t) ** 2), regularized=True) / 2
        assert t < 0
        assert float(below / mpmath.mpf(p)) == pytest.approx(1, abs=1e-11)


@pytest.mark.parametrize(("p", "t"), [(1e-190, -30.0), (1e-250, -1e3), (1e-300, -1e5), (1e-300, -1e300), (0.3, -1e300)])
def test_degrees_of_freedom_of_small_probabilities(p, t):
    df = float(special.stdtridf(p, t))
    with mpmath.workdps(700):
        n, tail = (
            mpmath.mpf(df),
            lambda n: mpmath.betainc(n / 2, 0.5, 0, n / (n + mpmath.mpf(t) ** 2), regularized=True),
        )
        h = n * mpmath.mpf(10) ** -30
        slope = (tail(n + h) - tail(n - h)) / (4 * h)
        step = (tail(n) / 2 - mpmath.mpf(p)) / slope
    assert abs(float(step / n)) < 1e-13
    with np.errstate(all="ignore"):
        assert float(tm.grad(special.stdtridf)(p, t)) == pytest.approx(float(1 / slope), rel=1e-10, abs=0)


def test_hessians_of_powers_in_both_arguments_at_zero():
    """Below p = 2 the mixed derivative meets a pole, and may be NaN: a 0 in its place is wrong in higher orders."""
    modes = [tm.hessian, *(lambda f, o=o, i=i: o(i(f)) for o in (tm.jacfwd, tm.jacrev) for i in (tm.jacfwd, tm.jacrev))]
    for p, want in ((1.5, [[INF, 0], [0, 0]]), (2.0, [[2, 0], [0, 0]]), (2.5, np.zeros((2, 2)))):
        for mode in modes:
            with np.errstate(all="ignore"):
                got = mode(lambda v: tm.power(v[0], v[1]))(np.array([0.0, p])).numpy()
            open_ = np.isnan(got) & ~np.eye(2, dtype=bool) & (p < 2)
            np.testing.assert_array_equal(np.where(open_, want, got), want)


def test_one_over_gamma_at_poles_where_its_slope_is_infinite():
    """(-1)^n n! and 2 (-1)^(n+1) n! psi(n + 1)."""
    for n in (171, 172, 1000):
        sign = -1.0 if n % 2 else 1.0
        for _, slope, bend in derivatives(special.rgamma, np.array([-float(n)])):
            assert (slope[0], bend[0]) == (sign * INF, -sign * INF)


def test_the_cross_entropy_of_logits_has_its_digits_far_out():
    loss = tm.nn.functional.binary_cross_entropy_with_logits
    a = np.array([-700.0, -40.0, -1.0, 0.0, 1.0, 40.0, 700.0])
    small = np.exp(-np.abs(a)) / (1 + np.exp(-np.abs(a)))
    for target, right in ((np.zeros(7), a < 0), (np.ones(7), a > 0)):
        for f in (tm.grad, lambda g: tm.compile(tm.grad(g), backend="native")):
            slope = f(lambda x, b=target: loss(x, b, reduction="sum"))(a).numpy()
            want = np.where(right, small, 1 - small) * np.where(target == 1, -1, 1)
            np.testing.assert_allclose(slope, want, rtol=1e-14)
        bend = tm.hvp(lambda x, b=target: loss(x, b, reduction="sum"), (a,), (np.ones(7),))[0].numpy()
        np.testing.assert_allclose(bend, small * (1 - small), rtol=1e-14)
    weighted = loss(a, np.linspace(0, 1, 7), pos_weight=3.0, reduction="none").numpy()
    b = np.linspace(0, 1, 7)
    np.testing.assert_allclose(weighted, (1 - b) * np.logaddexp(0, a) + 3 * b * np.logaddexp(0, -a), rtol=1e-13)


FAR_GAUSS = [(0.4, 0.4, 2.3), (0.4, 1.2, 2.3), (-1.4, -1.4, 2.3), (0.4, 1.4, 2.3), (-2.5, 1.5, 0.7)]


@each(("a", "b", "c"), FAR_GAUSS)
def test_hypergeometric_functions_far_below_zero(a, b, c):
    for z in (-1e12, -1e19, -1e60):
        with mpmath.workdps(60):
            value = float(mpmath.hyp2f1(a, b, c, z))
            slope = float(mpmath.mpf(a) * b / c * mpmath.hyp2f1(a + 1, b + 1, c + 1, z))
        assert float(special.hyp2f1(a, b, c, z)) == pytest.approx(value, rel=1e-13, abs=0)
        assert float(tm.grad(special.hyp2f1, argnums=3)(a, b, c, z)) == pytest.approx(slope, rel=1e-13, abs=0)


def test_every_op_of_several_numbers_has_its_limits_told_in_each_argument():
    told = {(name, place) for name, place, *_ in ROWS} | COVERED
    for name, op in registry.items():
        if op.kind == "elementwise" and op.arity > 1 and name not in REASONS:
            missing = [k for k in range(op.arity) if (name, k) not in told and (name, k) not in REASONS]
            assert not missing, (name, missing)


def test_what_is_said_to_have_no_derivative_refuses_one():
    for name, place in [key for key, reason in REASONS.items() if reason == ORDER]:
        args = [np.float64(1.0)] * registry[name].arity
        with pytest.raises(NoDerivative), np.errstate(all="ignore"):
            tm.grad(of(name), argnums=place)(*args)


@pytest.mark.parametrize(
    "name", ["expi", "gamma", "j1", "spence", "it2i0k0_first", "airy_aip", "wrightomega", "struve"]
)
def test_compiled_derivatives_and_series_have_the_same_limits(name):
    f = of(name) if name != "struve" else lambda x: special.struve(1, x)
    limits = AT_INFINITY.get(name, [(2 / np.pi, 0, 0)])[0]
    x = np.array([INF])
    second = tm.grad(lambda v: tm.grad(lambda u: f(u).sum())(v).sum())
    for backend in ("numpy", "native"):
        with np.errstate(all="ignore"):
            np.testing.assert_allclose(tm.compile(second, backend=backend)(x).numpy(), limits[2])
    with np.errstate(all="ignore"):
        series = tm.jet(f, x, np.ones(1), 2)
    np.testing.assert_allclose([c.item() for c in series], np.array(limits) / [1, 1, 2], rtol=1e-15)


@each(("f", "slope", "points"), BESIDE)
def test_beside_the_ends_derivatives_keep_their_digits(f, slope, points):
    for x in points:
        with mpmath.workdps(80):
            at = mpmath.mpf(x)
            h = abs(at) * mpmath.mpf(10) ** -25
            wanted = [slope(at), (slope(at + h) - slope(at - h)) / (2 * h)]
            wanted = [float(mpmath.re(v)) for v in wanted]
        g = f
        for want in wanted:
            for walk in TWO:
                with np.errstate(all="ignore"):
                    assert float(walk(g)(x)) == pytest.approx(want, rel=1e-11, abs=1e-307), x
            g = tm.grad(g)


# -- Jacobi's and Legendre's, of every m -----------------------------------------------------------------------------

MODULI = [(0.3, 1.5), (3.0, 1.0), (15.0, 1 - 1e-11), (30.0, 1 - 1e-13), (2.0, 3.0), (7.0, -2.0), (10.0, 1.2)]


def slope_in(f, x, k):
    """The derivative in the k-th argument, by differences in mpmath."""
    with mpmath.workdps(90):
        at, h = [mpmath.mpf(v) for v in x], mpmath.mpf(10) ** -30
        low, high = ([v + s * h * (j == k) for j, v in enumerate(at)] for s in (-1, 1))
        return float(mpmath.re(f(*high) - f(*low)) / (2 * h)), float(mpmath.re(f(*at)))


@each("at", MODULI)
def test_elliptic_functions_of_every_parameter(at):
    for place, name in enumerate(("sn", "cn", "dn")):
        f = lambda u, m, k=place: special.ellipj(u, m)[k]  # noqa: E731
        for k in (0, 1):
            slope, value = slope_in(lambda u, m, n=name: mpmath.ellipfun(n, u, m=m), at, k)
            assert float(f(*at)) == pytest.approx(value, rel=1e-12, abs=0)
            assert float(tm.grad(f, argnums=k)(*at)) == pytest.approx(slope, rel=1e-12, abs=0)


@pytest.mark.parametrize("m", [-3.0, 0.9, 1.5, 1.0])
def test_the_amplitude_is_the_inverse_of_the_integral(m):
    u = np.linspace(-9, 9, 31)
    ph = special.ellipj(u, m)[3].numpy()
    if m > 1:  # it swings
        u = u[np.abs(u) < float(special.ellipk(1 / m)) / np.sqrt(m)]
        ph = special.ellipj(u, m)[3].numpy()
    np.testing.assert_allclose(special.ellipkinc(ph, m).numpy(), u, rtol=1e-6 if m == 1 else 1e-13)


LEGENDRE = [(0.3, 1.5), (-0.6, 2.0), (0.01, 5000.0), (0.7, 1.0), (-1.2, 1.0), (1e-8, 1e12), (4.0, -10.0)]


@each("at", LEGENDRE)
def test_incomplete_elliptic_integrals_at_and_beyond_one(at):
    for f, reference in ((special.ellipkinc, mpmath.ellipf), (special.ellipeinc, mpmath.ellipe)):
        for k in (0, 1):
            slope, value = slope_in(reference, at, k)
            assert float(f(*at)) == pytest.approx(value, rel=1e-14, abs=0)
            assert float(tm.grad(f, argnums=k)(*at)) == pytest.approx(slope, rel=1e-13, abs=0)


def test_incomplete_elliptic_integrals_that_are_not_real_are_no_numbers():
    with np.errstate(all="ignore"):
        for f in (special.ellipkinc, special.ellipeinc):
            for at in ((0.9, 2.0), (3.0, 1.5)):
                assert np.isnan([float(f(*at)), *(float(tm.grad(f, argnums=k)(*at)) for k in (0, 1))]).all()


@each(("name", "wave"), [("sindg", mpmath.sin), ("cosdg", mpmath.cos), ("tandg", mpmath.tan), ("cotdg", mpmath.cot)])
def test_waves_of_many_degrees(name, wave):
    for x in (30.0, -725.0, 1e15, -3.3e20, 1.7e308):
        with mpmath.workdps(400):
            want = float(wave(mpmath.mpf(x) * mpmath.pi / 180))
        assert float(ends.of(name)(x)) == pytest.approx(want, rel=1e-13, abs=0)


FAR = [("ive", mpmath.besseli, -1, 1e12), ("kve", mpmath.besselk, 1, 1e12), ("jv", mpmath.besselj, 0, 1.5e308)]


@each(("name", "reference", "scale", "x"), FAR)
@pytest.mark.filterwarnings("ignore")
def test_bessel_functions_where_scipys_end(name, reference, scale, x):
    for v in (0.5, 2.5):
        if name == "jv":  # DLMF 10.47.3, of x as it stands
            with mpmath.workdps(400):
                at = mpmath.mpf(x)
                root = mpmath.sqrt(2 / mpmath.pi / at)
                want = root * (mpmath.sin(at) if v == 0.5 else -mpmath.sin(at))
        else:
            with mpmath.workdps(30):
                at = mpmath.mpf(x)
                root = mpmath.sqrt(1 / (2 * mpmath.pi * at)) if scale < 0 else mpmath.sqrt(mpmath.pi / 2 / at)
                want = root * (1 + scale * (4 * mpmath.mpf(v) ** 2 - 1) / (8 * at))
        assert float(ends.of(name, v)(x)) == pytest.approx(float(want), rel=1e-13, abs=0)


@each(("f", "closed", "points"), ends.QUANTILES)
def test_quantiles_of_small_probabilities(f, closed, points):
    for p in points:
        with mpmath.workdps(900):
            at = mpmath.mpf(p)
            h = min(at, 1 - at) * mpmath.mpf(10) ** -30
            low, here, high = (closed(at + s * h) for s in (-1, 0, 1))
            wanted = [here, (high - low) / (2 * h), (high - 2 * here + low) / h**2]
        got = next(derivatives(f, np.array([p])))
        for k, want in enumerate(wanted):
            limit = float(want) if abs(want) < 1e308 else float(mpmath.sign(want)) * INF
            assert got[k][0] == pytest.approx(limit, rel=1e-11, abs=1e-305), (p, k)


@each(("f", "limits"), ends.QUANTILE_ENDS)
def test_quantiles_at_the_ends(f, limits):
    held(f, limits)


@each("at", ends.APART)
def test_degrees_of_freedom_far_apart(at):
    few = 0 if at[0] < at[1] else 1
    with mpmath.workdps(300 if min(at) < 1e-100 else 120):
        where = [mpmath.mpf(v) for v in at]
        h = [v * mpmath.mpf(10) ** -40 for v in where]

        def moved(i, j):
            shift = [i * (few == 0), i * (few == 1), j]
            return ends.far_fisher(*(v + s * d for v, s, d in zip(where, shift, h, strict=True)))

        v = {(i, j): moved(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)}
        a, x = h[few], h[2]
        firsts = [(v[1, 0] - v[-1, 0]) / (2 * a), (v[0, 1] - v[0, -1]) / (2 * x)]
        mixed = (v[1, 1] - v[1, -1] - v[-1, 1] + v[-1, -1]) / (4 * a * x)
        along = [(v[1, 0] - 2 * v[0, 0] + v[-1, 0]) / a**2, (v[0, 1] - 2 * v[0, 0] + v[0, -1]) / x**2]
        bends = [[along[0], mixed], [mixed, along[1]]]
    places = (few, 2)
    for i in (0, 1):
        slope = tm.grad(special.fdtr, argnums=places[i])
        assert float(slope(*at)) == pytest.approx(float(firsts[i]), rel=1e-11, abs=0)
        for j in (0, 1):
            assert float(tm.grad(slope, argnums=places[j])(*at)) == pytest.approx(float(bends[i][j]), rel=1e-11, abs=0)
    assert float(tm.grad(special.fdtr, argnums=1 - few)(*at)) == 0


TRICOMI = [(-2.0, 1.5), (-3.0, 0.5), (0.0, 1.0), (-2.0, -1.0), (-2.0, 3.0), (2.0, -2.5), (0.5, -3.3)]


@each(("a", "b"), TRICOMI)
def test_tricomis_function_at_zero(a, b):
    """Its limit from above: of a polynomial its last term, else gamma(1 - b)/gamma(a - b + 1)."""
    with mpmath.workdps(30):
        near = [mpmath.hyperu(a + k, b + k, mpmath.mpf(10) ** -18) for k in (0, 1)]
    assert float(special.hyperu(a, b, 0.0)) == pytest.approx(float(near[0]), rel=1e-14, abs=1e-15)
    assert float(tm.grad(special.hyperu, argnums=2)(a, b, 0.0)) == pytest.approx(
        float(-a * near[1]), rel=1e-13, abs=1e-15
    )


def test_tricomis_function_has_the_sign_of_its_infinities():
    with np.errstate(all="ignore"):
        for a, b, sign in ((-0.5, 1.5, -1), (0.5, 2.0, 1), (1.0, 1.0, 1), (-1.5, 2.5, 1)):
            assert float(special.hyperu(a, b, 0.0)) == sign * INF
            assert sign * float(special.hyperu(a, b, 1e-12)) > 10


LEGENDRES = [(0, 2.0), (1, 2.0), (2, 3.0), (3, 3.0), (0, 0.5), (1, 0.5), (3, 150.0)]


@each(("m", "v"), LEGENDRES)
def test_legendre_functions_next_to_one_keep_the_digits_of_both_derivatives(m, v):
    """DLMF 14.3.4, by differences."""

    def legendre(x):
        factor = (-1) ** m * mpmath.rf(mpmath.mpf(v) - m + 1, 2 * m) / mpmath.factorial(m) / mpmath.mpf(2) ** m
        root = ((1 - x) * (1 + x)) ** (mpmath.mpf(m) / 2)
        return factor * root * mpmath.hyp2f1(m - mpmath.mpf(v), mpmath.mpf(v) + m + 1, m + 1, (1 - x) / 2)

    f = lambda x: special.lpmv(m, v, x)  # noqa: E731
    for e in (1e-14, 1e-9, 1e-3, 0.3):
        with mpmath.workdps(160):
            at = mpmath.mpf(1 - e)
            h = mpmath.mpf(10) ** -25 * e
            low, here, high = (legendre(at + s * h) for s in (-1, 0, 1))
            wanted = [float((high - low) / (2 * h)), float((high - 2 * here + low) / h**2)]
        assert float(tm.grad(f)(1 - e)) == pytest.approx(wanted[0], rel=1e-12, abs=1e-60)
        assert float(tm.grad(tm.grad(f))(1 - e)) == pytest.approx(wanted[1], rel=1e-12, abs=1e-60)
        if v == int(v):
            sign = (-1) ** (m + int(v))
            assert float(tm.grad(f)(e - 1)) == pytest.approx(-sign * wanted[0], rel=1e-12, abs=1e-60)


@each(("m", "v", "limits"), [(0, 2.0, (1, 3, 3)), (0, 3.0, (1, 6, 15)), (2, 2.0, (0, -6, -6)), (2, 3.0, (0, -30, -90))])
def test_legendre_functions_at_the_ends(m, v, limits):
    sign = (-1) ** (m + int(v))
    held(lambda x: special.lpmv(m, v, x), {1.0: limits, -1.0: np.array([sign, -sign, sign]) * limits})


@pytest.mark.parametrize(("m", "v"), [(1, 0.5), (2, 0.5), (3, 2.5), (8, 3.3), (1, -0.5), (5, 30.7)])
def test_legendre_functions_of_degrees_that_are_not_whole_next_to_minus_one(m, v):
    """By the leading term, of (1 + x)^(-m/2): DLMF 14.8.2 and 14.9.3, Gauss's sum at 1."""
    e = 2.0**-42
    with mpmath.workdps(40):
        top = mpmath.gamma(m) * mpmath.rgamma(m + 1 + mpmath.mpf(v)) * mpmath.rgamma(m - mpmath.mpf(v))
        lead = (-1) ** m * mpmath.rf(mpmath.mpf(v) - m + 1, 2 * m) * top * (2 / mpmath.mpf(e)) ** (mpmath.mpf(m) / 2)
    assert float(special.lpmv(m, v, e - 1)) == pytest.approx(float(lead), rel=1e-8, abs=0)
    with np.errstate(all="ignore"):
        assert float(special.lpmv(m, v, -1.0)) == np.sign(float(lead)) * INF
        assert float(tm.grad(special.lpmv, argnums=2)(m, v, -1.0)) == -np.sign(float(lead)) * INF
