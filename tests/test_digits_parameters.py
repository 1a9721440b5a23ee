"""Incomplete beta functions of huge and of vanishing parameters, and quantiles at the ends: values and slopes."""

import math

import mpmath
import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math import special


def slopes(f, *args):
    return [float(tm.grad(f, argnums=k)(*args)) for k in range(len(args))]


@pytest.mark.parametrize("a, y", [(1.5, 1.0), (1e-5, 1.0), (0.3, 4.0), (3.0, 0.1), (40.0, 50.0)])
@pytest.mark.parametrize("b", [1e18, 1e200, 1e300])
def test_of_many_failures_the_beta_function_is_the_gamma_function_of_the_time(a, b, y):
    """I_(y/b)(a, b) tends to P(a, y), but for terms of the size of 1/b."""
    with mpmath.workdps(60):
        x = y / b
        at = mpmath.mpf(x) * mpmath.mpf(b)
        lower = mpmath.gammainc(a, 0, at, regularized=True)
        upper = mpmath.gammainc(a, at, mpmath.inf, regularized=True)
        step = mpmath.mpf(a) * mpmath.mpf(10) ** -20
        ends = [mpmath.gammainc(mpmath.mpf(a) + s, at, mpmath.inf, regularized=True) for s in (-step, step)]
        in_a = (ends[0] - ends[1]) / (2 * step)
        density = at ** (mpmath.mpf(a) - 1) * mpmath.exp(-at) / mpmath.gamma(a)
        wanted = [float(v) for v in (in_a, density * at / b, density * b)]
    assert float(special.betainc(a, b, x)) == pytest.approx(float(lower), rel=1e-12, abs=0)
    assert float(special.betaincc(a, b, x)) == pytest.approx(float(upper), rel=1e-11, abs=0)
    assert slopes(special.betainc, a, b, x) == pytest.approx(wanted, rel=1e-11, abs=0)
    small = float(upper)
    assert float(special.fdtrc(2 * a, 2 * b, float(at) / a)) == pytest.approx(small, rel=1e-10, abs=0)


@pytest.mark.parametrize("a", [3e9, 1e12, 1e15, 4e17, 1e100, 1e300])
def test_of_many_of_both_kinds_one_half_lies_at_one_half(a):
    """And beside it I is Phi(z) but for terms of the size of 1/a, at z = (x - 1/2) sqrt(8 a), of which a rounding of x
    is sqrt(8 a) times as large."""
    for f in (special.betainc, special.betaincc):
        assert float(f(a, a, 0.5)) == pytest.approx(0.5, rel=1e-12, abs=0)
    x = 0.5 - 2.0 ** -round(math.log2(math.sqrt(8 * a)))
    z = (x - 0.5) * math.sqrt(8 * a)
    if x < 0.5:
        want = 0.5 * float(mpmath.erfc(-z / mpmath.sqrt(2)))
        rel = 4 / a + 1e-15 * math.sqrt(a)
        assert float(special.betainc(a, a, x)) == pytest.approx(want, rel=rel, abs=0)
        assert float(special.betaincc(a, a, x)) == pytest.approx(1 - want, rel=rel, abs=0)


@pytest.mark.parametrize("x", [0.01, 0.3, 0.9])
@pytest.mark.parametrize("b", [0.2, 1.0, 7.5])
def test_without_a_parameter_all_of_it_lies_at_an_end(b, x):
    """The slope in a = 0 is that of 1 - I, a times the integral of t^-1 (1 - t)^(b - 1) from x to 1."""
    with mpmath.workdps(30):
        rest = float(mpmath.quad(lambda t: (1 - t) ** (b - 1) / t, [x, 0.5 * (1 + x), 1]))
    if b < 1:
        rest = float(mpmath.betainc(mpmath.mpf("1e-25"), b, x, 1))
    assert [float(special.betainc(0.0, b, x)), float(special.betaincc(b, 0.0, 1 - x))] == [1, 1]
    assert slopes(special.betainc, 0.0, b, x) == pytest.approx([-rest, 0, 0], rel=1e-12, abs=0)
    assert slopes(special.betaincc, 0.0, b, x) == pytest.approx([rest, 0, 0], rel=1e-12, abs=0)
    assert slopes(special.betainc, b, 0.0, 1 - x)[1] == pytest.approx(rest, rel=1e-10, abs=0)
    with np.errstate(all="ignore"):
        assert np.isnan(slopes(special.betainc, 0.0, 0.0, x)[:2]).all()


@pytest.mark.parametrize(("n", "slope"), [(1.0, math.inf), (1.99, math.inf), (2.0, 1 / 9), (2.01, -math.inf)])
def test_the_last_quantile_of_f_moves_with_its_degrees_of_freedom_as_those_before(n, slope):
    with np.errstate(all="ignore"):
        assert slopes(special.fdtri, 3.0, n, 1.0) == [slope, -math.inf, math.inf]
        near = slopes(special.fdtri, 3.0, n, 1 - 1e-9)[0]
    assert near == pytest.approx(slope, rel=1e-6, abs=0) if n == 2 else near * slope > 0


def test_the_quantile_of_a_gamma_distribution_without_a_rate():
    with np.errstate(all="ignore"):
        assert [float(special.gdtrix(0.0, 2.0, p)) for p in (0.0, 0.3)] == [0.0, math.inf]
        assert slopes(special.gdtrix, 0.0, 2.0, 0.0) == [0.0, 0.0, math.inf]
        assert slopes(special.gdtrix, 0.0, 2.0, 0.3) == [-math.inf, math.inf, math.inf]
    assert special.gdtrix(np.float32(0), np.float32(2), np.float32(0)).dtype == np.float32


@pytest.mark.parametrize(
    ("t", "n"), [(1e140, 1e300), (1e149, 1e300), (1e100, 1e300), (1e140, 1e290), (1e76, 1e155), (1e5, 1e12)]
)
def test_the_logarithm_of_students_density_moves_with_many_degrees_of_freedom(t, n):
    """By t^4/(4 n^2), though t^4 be beyond the range."""
    with mpmath.workdps(700):
        x, m = mpmath.mpf(t), mpmath.mpf(n)
        step = m * mpmath.mpf(10) ** -150
        below, here, above = (-(v + 1) / 2 * mpmath.log1p(x * x / v) for v in (m - step, m, m + step))
        first, second = float((above - below) / (2 * step)), float((above - 2 * here + below) / step**2)
    slope = tm.grad(tm.stats.t.logpdf, argnums=1)
    assert float(slope(t, n)) == pytest.approx(first, rel=1e-12, abs=0)
    assert float(tm.grad(slope, argnums=1)(t, n)) == pytest.approx(second, rel=1e-12, abs=5e-324)
    for f in (lambda n: tm.stats.t.logsf(t, n), lambda n: tm.stats.t.logcdf(-t, n)):
        assert float(tm.grad(f)(n)) == pytest.approx(first, rel=1e-8 if t < 1e6 else 1e-12, abs=0)


@pytest.mark.parametrize("q", [1e-308, 1e-200, 1e-154, 1e-100, 1e-9, 1e-8])
def test_quantiles_of_the_cauchy_distribution_bend_without_bound(q):
    """The quantile is -1/(pi q) but for terms in q, and its second derivative -2/(pi q^3)."""
    with mpmath.workdps(400):
        p = mpmath.mpf(q)
        wanted = [-mpmath.cot(mpmath.pi * p), mpmath.pi * mpmath.csc(mpmath.pi * p) ** 2]
        wanted = [float(v) for v in (*wanted, 2 * mpmath.pi * wanted[0] * wanted[1])]
    for f, sign in ((tm.stats.cauchy.ppf, 1), (tm.stats.cauchy.isf, -1)):
        with np.errstate(all="ignore"):
            found = [float(g(q)) for g in (f, tm.grad(f), tm.grad(tm.grad(f)))]
        assert found == pytest.approx([sign * v for v in wanted], rel=1e-13, abs=0)


def of_few(a, b, z, y):
    """I_z(a, b) = 1 - I_y(b, a) by its series of positive terms (DLMF 8.17.8)."""
    if z > 0.5:
        return 1 - of_few(b, a, y, z)
    term = total = mpmath.mpf(1)
    k = 0
    while term > mpmath.eps * total:
        term *= z * (a + b + k) / (a + 1 + k)
        total += term
        k += 1
    return z**a * y**b * total / (a * mpmath.beta(a, b))


def seconds(f, m, n):
    """The second derivatives of f by central differences."""
    h, k = m * mpmath.mpf(10) ** -30, n * mpmath.mpf(10) ** -30
    v = {(i, j): f(m + i * h, n + j * k) for i in (-1, 0, 1) for j in (-1, 0, 1)}
    mixed = (v[1, 1] - v[1, -1] - v[-1, 1] + v[-1, -1]) / (4 * h * k)
    along = (v[1, 0] - 2 * v[0, 0] + v[-1, 0]) / h**2, (v[0, 1] - 2 * v[0, 0] + v[0, -1]) / k**2
    return [float(d) for d in (along[0], mixed, along[1])]


@pytest.mark.parametrize(
    ("m", "n", "x"),
    [(1e-10, 1e-30, 2.0), (1e-30, 1e-10, 2.0), (1e-20, 1e-100, 1.0), (1e-100, 1e-20, 1.0), (1e-5, 1e-12, 0.5)]
    + [(1e-8, 5e-4, 0.5), (3e-4, 1e-60, 1e-3)],
)
def test_second_derivatives_of_hardly_any_degrees_of_freedom_far_apart(m, n, x):
    with mpmath.workdps(400):
        wide = [mpmath.mpf(v) for v in (m, n, x)]

        def fisher(m, n):
            w = m * wide[2] / n
            return of_few(m / 2, n / 2, w / (1 + w), 1 / (1 + w))

        wanted = seconds(fisher, *wide[:2])
        z = mpmath.mpf(0.25)
        of_beta = seconds(lambda a, b: of_few(a, b, z, 1 - z), *wide[:2])
    for f, args, values in ((special.fdtr, (m, n, x), wanted), (special.betainc, (m, n, 0.25), of_beta)):
        first = [tm.grad(f, argnums=k) for k in (0, 1)]
        found = [float(tm.grad(first[i], argnums=j)(*args)) for i, j in ((0, 0), (0, 1), (1, 1))]
        assert found == pytest.approx(values, rel=1e-10, abs=0)


@pytest.mark.parametrize("at", [(1e-8, 14.6, 6.8e6), (3.0, 2.0, 1.0), (100.0, 1.0, 1e-3), (9.0, 1.0, 9.0)])
def test_voigts_profile_of_a_small_deviation_keeps_the_digits_of_its_slopes(at):
    def profile(x, s, gamma):
        z = (x + 1j * gamma) / (s * mpmath.sqrt(2))
        return mpmath.re(mpmath.exp(-z * z) * mpmath.erfc(-1j * z)) / (s * mpmath.sqrt(2 * mpmath.pi))

    with mpmath.workdps(90):
        x, s, gamma = map(mpmath.mpf, at)
        h = s * mpmath.mpf(10) ** -25
        below, here, above = (profile(x, v, gamma) for v in (s - h, s, s + h))
        wanted = [float((above - below) / (2 * h)), float((above - 2 * here + below) / h**2)]
    slope = tm.grad(special.voigt_profile, argnums=1)
    found = [float(slope(*at)), float(tm.grad(slope, argnums=1)(*at))]
    assert found == pytest.approx(wanted, rel=1e-13, abs=0)


@pytest.mark.parametrize("z", [20 - 1j, 9 - 9j, 10 - 12j, 30 - 1e-3j, 9 + 1j])
def test_second_derivatives_of_faddeevas_function_keep_their_digits_below_the_axis(z):
    with mpmath.workdps(60):
        at = mpmath.mpc(z)
        w = mpmath.exp(-at * at) * mpmath.erfc(-1j * at)
        wanted = complex(-2 * w - 2 * at * (2j / mpmath.sqrt(mpmath.pi) - 2 * at * w))
    parts = [lambda x, f=f: f(special.wofz(x + 1j * z.imag)) for f in (tm.real, tm.imag)]
    found = complex(*(float(tm.grad(tm.grad(f))(z.real)) for f in parts))
    assert abs(found - wanted) <= 1e-14 * abs(wanted)


@pytest.mark.parametrize("z", [6.33, 6.33 + 0.5j, 3 + 1j, -5 - 0.5j, 20 + 2j])
def test_derivatives_of_faddeevas_function_in_single_precision_lose_no_digits_with_their_order(z):
    z = np.complex64(z)
    with mpmath.workdps(60):
        at = mpmath.mpc(complex(z))
        w = mpmath.exp(-at * at) * mpmath.erfc(-1j * at)
        first = 2j / mpmath.sqrt(mpmath.pi) - 2 * at * w
        wanted = [complex(v) for v in (w, first, -2 * w - 2 * at * first)]

    def along(f):
        return lambda v: tm.jvp(f, (v,), (np.complex64(1),))[1]

    for f, want in zip([special.wofz, along(special.wofz), along(along(special.wofz))], wanted, strict=True):
        got = f(z)
        assert got.dtype == np.complex64
        assert abs(complex(got.item()) - want) <= 3e-7 * abs(want)


@pytest.mark.parametrize("m", [2.5, 30.0, 0.1])
@pytest.mark.parametrize("z", [0.0, 1e-8, -1e-8, -2.0, 0.3])
def test_pochhammers_symbol_bends_beside_its_zeros(z, m):
    """By central differences of (z)_m = gamma(z + m)/gamma(z)."""
    with mpmath.workdps(60):
        at, h = mpmath.mpf(z), mpmath.mpf(10) ** -20
        below, here, above = (mpmath.gamma(v + m) * mpmath.rgamma(v) for v in (at - h, at, at + h))
        wanted = [float((above - below) / (2 * h)), float((above - 2 * here + below) / h**2)]
    slope = tm.grad(special.poch)
    assert [float(slope(z, m)), float(tm.grad(slope)(z, m))] == pytest.approx(wanted, rel=1e-11, abs=0)


@pytest.mark.parametrize(
    "n, k", [(0.017, -10.0), (344.9, -5.0), (3.5, 6.5), (4.0, -2.0), (5.0, 9.0), (0.24, -215.4), (60.0, 61.0)]
)
def test_binomial_coefficients_bend_where_they_are_zero_and_where_they_have_vanished(n, k):
    """By central differences of gamma(n + 1)/(gamma(k + 1) gamma(n - k + 1))."""

    def choose(n, k):
        return mpmath.gamma(n + 1) * mpmath.rgamma(k + 1) * mpmath.rgamma(n - k + 1)

    with mpmath.workdps(90):
        a, b, h = mpmath.mpf(n), mpmath.mpf(k), mpmath.mpf(10) ** -25
        v = {(i, j): choose(a + i * h, b + j * h) for i in (-1, 0, 1) for j in (-1, 0, 1)}
        firsts = [float((v[1, 0] - v[-1, 0]) / (2 * h)), float((v[0, 1] - v[0, -1]) / (2 * h))]
        mixed = float((v[1, 1] - v[1, -1] - v[-1, 1] + v[-1, -1]) / (4 * h * h))
        along = [float((v[1, 0] - 2 * v[0, 0] + v[-1, 0]) / h**2), float((v[0, 1] - 2 * v[0, 0] + v[0, -1]) / h**2)]
        bends = [[along[0], mixed], [mixed, along[1]]]
    for i in (0, 1):
        slope = tm.grad(special.binom, argnums=i)
        assert float(slope(n, k)) == pytest.approx(firsts[i], rel=1e-11, abs=1e-300)
        for j in (0, 1):
            assert float(tm.grad(slope, argnums=j)(n, k)) == pytest.approx(bends[i][j], rel=1e-10, abs=1e-300)


SMALLEST = [
    (special.kv, mpmath.besselk, 0.96, 1.4e-64),
    (special.kv, mpmath.besselk, 1.46, 3.7e-155),
    (special.kv, mpmath.besselk, 1.0, 3.5e-18),
    (special.kv, mpmath.besselk, 0.3, 1e-290),
    (special.yv, mpmath.bessely, 8.4, 1.2e-8),
    (special.yv, mpmath.bessely, 0.5, 2.8e-28),
    (special.jv, mpmath.besselj, 0.5, 3.9e-308),
    (special.iv, mpmath.besseli, -0.63, 7.7e-119),
]


@pytest.mark.parametrize("f, reference, v, x", SMALLEST)
def test_bessel_functions_of_almost_nothing_move_with_their_order(f, reference, v, x):
    with mpmath.workdps(60):
        a, b, h = mpmath.mpf(v), mpmath.mpf(x), mpmath.mpf(10) ** -20
        values = {(i, j): reference(a + i * h, b * (1 + j * h)) for i in (-1, 1) for j in (-1, 0, 1)}
        first = float((values[1, 0] - values[-1, 0]) / (2 * h))
        mixed = float((values[1, 1] - values[1, -1] - values[-1, 1] + values[-1, -1]) / (4 * h * h * b))
    slope = tm.grad(f)
    assert float(slope(v, x)) == pytest.approx(first, rel=1e-11, abs=0)
    assert float(tm.grad(slope, argnums=1)(v, x)) == pytest.approx(mixed, rel=1e-10, abs=0)


@pytest.mark.parametrize("v, x", [(124.5, 8440.0), (30.0, 200.0), (7.0, -60.0), (0.5, 25.0)])
def test_scaled_bessel_functions_bend_with_all_digits_where_their_neighbours_are_equal_to_most(v, x):
    with mpmath.workdps(60):
        a, b, h = mpmath.mpf(v), mpmath.mpf(x), mpmath.mpf(10) ** -18
        low, here, high = (mpmath.besseli(a, b + s) * mpmath.exp(-abs(b + s)) for s in (-h, 0, h))
        first, second = float((high - low) / (2 * h)), float((high - 2 * here + low) / h**2)
    slope = tm.grad(special.ive, argnums=1)
    assert float(slope(v, x)) == pytest.approx(first, rel=1e-12, abs=0)
    assert float(tm.grad(slope, argnums=1)(v, x)) == pytest.approx(second, rel=1e-11, abs=0)
