"""The derivatives of the incomplete gamma and beta functions in their parameters, of hardly any and of many."""

import math

import mpmath
import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math import special, stats

IN_A = tm.grad(special.gammainc)


def lower(a, x):
    """P(a, x) by its series of positive terms (DLMF 8.7.1)."""
    term = total = 1 / mpmath.gamma(a + 1)
    k = 0
    while term > mpmath.eps * total:
        k += 1
        term *= x / (a + k)
        total += term
    return mpmath.exp(a * mpmath.log(x) - x) * total


@pytest.mark.parametrize("a, x", [(1e-30, 2.0), (1e-10, 0.8), (1e-3, 30.0), (0.9, 3.0), (30.0, 28.0), (700.0, 760.0)])
def test_both_derivatives_keep_their_digits(a, x):
    with mpmath.workdps(160):
        h = mpmath.mpf(a) * mpmath.mpf(10) ** -30
        low, here, high = (lower(mpmath.mpf(a) + s, mpmath.mpf(x)) for s in (-h, 0, h))
        first, second = float((high - low) / (2 * h)), float((high - 2 * here + low) / h**2)
    assert float(IN_A(a, x)) == pytest.approx(first, rel=1e-13, abs=0)
    assert float(tm.grad(IN_A)(a, x)) == pytest.approx(second, rel=1e-11, abs=0)
    assert float(tm.grad(special.gammaincc)(a, x)) == pytest.approx(-first, rel=1e-13, abs=0)


@pytest.mark.parametrize("a", [1e15, 1e20, 1e100, 1e300])
@pytest.mark.parametrize("z", [-1, 0, 2])
def test_of_many_it_is_the_slope_of_a_normal_distribution(a, z):
    """P(a, a + z sqrt(a)) is Phi(z) but for terms of the size of 1/sqrt(a)."""
    x = a + z * math.sqrt(a)
    z = (x - a) / math.sqrt(a)
    with np.errstate(all="ignore"):
        want = -math.exp(-z * z / 2) / math.sqrt(2 * math.pi * a)
        assert float(IN_A(a, x)) == pytest.approx(want, rel=2 * (1 + abs(z)) ** 3 / math.sqrt(a) + 1e-12, abs=0)


def test_at_no_degrees_of_freedom_the_slope_is_the_exponential_integral():
    for x in (0.2, 1.0, 30.0):
        assert float(IN_A(0.0, x)) == pytest.approx(-float(mpmath.e1(x)), rel=1e-13, abs=0)
        assert float(tm.grad(special.gammainc, argnums=1)(0.0, x)) == 0
        for f, sign in ((special.gdtr, -1), (special.gdtrc, 1)):
            slope = tm.grad(f, argnums=1)(2.0, 0.0, x)
            assert float(slope) == pytest.approx(sign * float(mpmath.e1(2 * x)), rel=1e-13, abs=0)


@pytest.mark.parametrize("a, x", [(1e-12, 2.0), (1e-6, 0.3), (0.5, 4.0)])
def test_the_mixed_derivative_of_a_small_parameter_keeps_its_digits(a, x):
    with mpmath.workdps(60):
        b, t = mpmath.mpf(a), mpmath.mpf(x)
        want = t ** (b - 1) * mpmath.exp(-t) * mpmath.rgamma(b) * (mpmath.log(t) - mpmath.psi(0, b))
        level = mpmath.log(t) - mpmath.psi(0, b)
        twice = t ** (b - 1) * mpmath.exp(-t) * mpmath.rgamma(b) * (level**2 - mpmath.psi(1, b))
    mixed = tm.grad(IN_A, argnums=1)
    assert float(mixed(a, x)) == pytest.approx(float(want), rel=1e-13, abs=0)
    assert float(tm.grad(mixed)(a, x)) == pytest.approx(float(twice), rel=1e-12, abs=0)


def lower_beta(a, b, x):
    """I_x(a, b) by its series of positive terms (DLMF 8.17.8), of 1 - x where x is large."""
    if x > 0.5:
        return 1 - lower_beta(b, a, 1 - x)
    term = total = x**a * (1 - x) ** b / (a * mpmath.beta(a, b))
    k = 0
    while term > mpmath.eps * total:
        k += 1
        term *= x * (a + b + k - 1) / (a + k)
        total += term
    return total


PLACES = [
    (2.0, 3.0, 0.2),
    (1e-8, 3.0, 0.9),
    (3.0, 1e-8, 0.1),
    (0.3, 1e4, 1e-5),
    (300.0, 400.0, 0.45),
    (1e3, 2.0, 0.999),
]


@pytest.mark.parametrize("a, b, x", PLACES)
def test_all_derivatives_in_both_parameters_keep_their_digits(a, b, x):
    with mpmath.workdps(140):
        p, q, t = map(mpmath.mpf, (a, b, x))
        h, k = p * mpmath.mpf(10) ** -20, q * mpmath.mpf(10) ** -20
        f = {(i, j): lower_beta(p + i * h, q + j * k, t) for i in (-1, 0, 1) for j in (-1, 0, 1)}
        firsts = [(f[1, 0] - f[-1, 0]) / (2 * h), (f[0, 1] - f[0, -1]) / (2 * k)]
        mixed = (f[1, 1] - f[1, -1] - f[-1, 1] + f[-1, -1]) / (4 * h * k)
        seconds = [
            [(f[1, 0] - 2 * f[0, 0] + f[-1, 0]) / h**2, mixed],
            [mixed, (f[0, 1] - 2 * f[0, 0] + f[0, -1]) / k**2],
        ]
    for i in (0, 1):
        slope = tm.grad(special.betainc, argnums=i)
        assert float(slope(a, b, x)) == pytest.approx(float(firsts[i]), rel=1e-12, abs=0)
        for j in (0, 1):
            assert float(tm.grad(slope, argnums=j)(a, b, x)) == pytest.approx(float(seconds[i][j]), rel=1e-10, abs=0)


@pytest.mark.parametrize("a", [1e12, 1e20, 1e100, 1e300])
def test_of_many_of_both_kinds_they_are_those_of_a_normal_distribution(a):
    """At the mean the slope of Phi times d/da (x (a + b) - a)/(a + b) over the deviation, 1/sqrt(8 a)."""
    want = -1 / math.sqrt(4 * math.pi * a)
    with np.errstate(all="ignore"):
        assert float(tm.grad(special.betainc)(a, a, 0.5)) == pytest.approx(want, rel=1e-11, abs=0)
        assert float(tm.grad(special.betaincc, argnums=1)(a, a, 0.5)) == pytest.approx(want, rel=1e-11, abs=0)


def _beta_density(a, b, x):
    return x ** (a - 1) * (1 - x) ** (b - 1) / mpmath.beta(a, b)


def _fwd(f):
    return lambda s: tm.jvp(f, (s,), (1.0,))[1]


NESTED = {
    "fwd-fwd": lambda f: _fwd(_fwd(f)),
    "rev-fwd": lambda f: tm.grad(_fwd(f)),
    "fwd-rev": lambda f: _fwd(tm.grad(f)),
    "rev-rev": lambda f: tm.grad(tm.grad(f)),
}


@pytest.mark.parametrize("nest", NESTED)
@pytest.mark.parametrize("a, b, da, db", [(1, 1, 1, 0), (1, 1, 0, 1), (2, 1, 1, -1), (1, 2, 1, 1), (1.5, 1, 0, 1)])
def test_the_density_of_the_beta_distribution_bends_where_a_power_in_it_is_one(nest, a, b, da, db):
    """There a factor of its slope is 0, which moves with a or b."""
    with mpmath.workdps(40):
        x = mpmath.mpf(0.3)
        want = mpmath.diff(lambda s: _beta_density(a + da * s, b + db * s, x + s), 0, 2)
    got = NESTED[nest](lambda s: stats.beta.pdf(0.3 + s, a + da * s, b + db * s))(0.0)
    assert float(got) == pytest.approx(float(want), rel=1e-12, abs=0)


@pytest.mark.parametrize("nest", NESTED)
@pytest.mark.parametrize("a, b", [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3), (3, 2), (4, 3)])
def test_the_density_of_the_beta_distribution_is_a_polynomial_at_its_ends_too(nest, a, b):
    """x^(a-1) (1-x)^(b-1) / B(a, b), term by term; betainc is its integral, whose third derivative is the second."""
    beta = math.gamma(a) * math.gamma(b) / math.gamma(a + b)
    power = np.polynomial.Polynomial([0, 1]) ** (a - 1) * np.polynomial.Polynomial([1, -1]) ** (b - 1)
    for end in (0.0, 1.0):
        want = pytest.approx(power.deriv(2)(end) / beta, rel=1e-13)
        assert float(NESTED[nest](lambda x: stats.beta.pdf(x, float(a), float(b)))(end)) == want
        assert float(NESTED[nest](_fwd(lambda x: special.betainc(float(a), float(b), x)))(end)) == want


@pytest.mark.parametrize("nest", NESTED)
def test_the_density_of_the_exponential_distribution_as_a_gamma_bends_at_zero(nest):
    assert float(NESTED[nest](lambda x: stats.gamma.pdf(x, 1.0))(0.0)) == 1
    assert float(NESTED[nest](_fwd(lambda x: special.gammainc(1.0, x)))(0.0)) == 1


@pytest.mark.parametrize("n", [2, 4, 6])
def test_the_distribution_function_of_f_with_two_degrees_of_freedom_has_its_third_derivative_at_zero(n):
    """1 - (1 + 2 x/n)^(-n/2)."""
    for nest in NESTED.values():
        got = float(nest(_fwd(lambda x: special.fdtr(2.0, float(n), x)))(0.0))
        assert got == pytest.approx((1 + 2 / n) * (1 + 4 / n), rel=1e-13)


def test_at_infinity_the_density_of_the_gamma_distribution_is_zero_for_every_shape():
    for a in (0.5, 1.0, 2.5):
        assert float(tm.grad(lambda a: stats.gamma.pdf(math.inf, a))(a)) == 0
        assert float(tm.grad(tm.grad(lambda a: special.gammainc(a, math.inf)))(a)) == 0
        assert float(tm.grad(tm.grad(special.gammainc, argnums=1), argnums=0)(a, math.inf)) == 0


@pytest.mark.parametrize("a", [1e5, 1e8, 1e12, 1e15])
def test_the_lower_tail_of_the_gamma_distribution_of_many(a):
    """By the integral of the density below x, in deviations; and the quantile is where that is."""
    for deviations in (4.3, 4.6, 9.0, 20.0):
        x = a - deviations * math.sqrt(a)
        with mpmath.workdps(40):
            root, at = mpmath.sqrt(a), mpmath.mpf(x)
            top = (a - 1) * mpmath.log(at) - at - mpmath.loggamma(a)
            falling = lambda u, at=at, root=root: mpmath.exp((a - 1) * mpmath.log1p(-u * root / at) + u * root)  # noqa: E731
            tail = float(mpmath.exp(top) * root * mpmath.quad(falling, [0, 0.5, 1, 2, 4, 8, 20]))
        assert float(special.gammainc(a, x)) == pytest.approx(tail, rel=1e-12, abs=0)
        # a rounding of x is sqrt(a) of them in deviations
        assert float(special.gammaincinv(a, tail)) == pytest.approx(x, rel=1e-14 / math.sqrt(a) + 3e-16)
