"""The derivatives of the incomplete gamma function in its parameter, of hardly any and of many."""

import math

import mpmath
import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math import special

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
