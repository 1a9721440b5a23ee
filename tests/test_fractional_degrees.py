"""Legendre's, Chebyshev's and the other polynomials' functions of degrees that are not whole, beside mpmath's."""

import functools

import mpmath
import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math import special

RANDOM = np.random.default_rng(20)


def along(count, *ranges):
    """Random points: a degree, parameters and x from these ranges."""
    return [tuple(float(RANDOM.uniform(*r)) for r in ranges) for _ in range(count)]


@functools.cache
def oracle(name):
    """The function by mpmath, with the digits that its terms cancel."""

    def f(*args):
        with mpmath.workdps(150):
            return +getattr(mpmath, name)(*(mpmath.mpf(a) for a in args))

    return f


def laguerre(n, x):
    return oracle("laguerre")(n, 0, x)


INSIDE, BEYOND, DEGREE = (-0.99, 1.0), (1.0, 5.0), (0.0, 170.0)
CASES = {
    "eval_chebyt": (oracle("chebyt"), [(DEGREE, INSIDE), (DEGREE, BEYOND), ((-9.0, 9.0), INSIDE)]),
    "eval_chebyu": (oracle("chebyu"), [(DEGREE, INSIDE), (DEGREE, BEYOND), ((-9.0, 9.0), INSIDE)]),
    "eval_legendre": (
        lambda n, x: oracle("legendre")(max(n, -n - 1), x),
        [(DEGREE, INSIDE), (DEGREE, BEYOND), ((-9.0, 9.0), INSIDE)],
    ),
    "eval_gegenbauer": (oracle("gegenbauer"), [(DEGREE, (-0.4, 2.5), INSIDE), (DEGREE, (-0.4, 2.5), BEYOND)]),
    "eval_jacobi": (
        oracle("jacobi"),
        [(DEGREE, (-0.9, 3.0), (-0.9, 2.0), INSIDE), (DEGREE, (-0.9, 3.0), (-0.9, 2.0), BEYOND)],
    ),
    "eval_laguerre": (laguerre, [((0.0, 90.0), (-30.0, 60.0))]),
    "eval_genlaguerre": (oracle("laguerre"), [((0.0, 90.0), (-0.9, 3.0), (-30.0, 60.0))]),
}
SLOPES = {  # DLMF 18.9(iii), and T' = n U
    "eval_chebyt": lambda n, x: n * oracle("chebyu")(n - 1, x),
    "eval_chebyu": lambda n, x: 2 * oracle("gegenbauer")(n - 1, 2, x),
    "eval_legendre": lambda n, x: (n + 1) / 2 * oracle("jacobi")(n - 1, 1, 1, x),
    "eval_gegenbauer": lambda n, a, x: 2 * a * oracle("gegenbauer")(n - 1, mpmath.mpf(a) + 1, x),
    "eval_jacobi": lambda n, a, b, x: (
        (mpmath.mpf(n) + a + b + 1) / 2 * oracle("jacobi")(n - 1, mpmath.mpf(a) + 1, mpmath.mpf(b) + 1, x)
    ),
    "eval_laguerre": lambda n, x: -oracle("laguerre")(n - 1, 1, x),
    "eval_genlaguerre": lambda n, a, x: -oracle("laguerre")(n - 1, mpmath.mpf(a) + 1, x),
}


@pytest.mark.parametrize("name", CASES)
def test_values_and_slopes_agree_with_mpmath(name):
    f, (want, kinds) = getattr(special, name), CASES[name]
    points = [p for kind in kinds for p in along(8, *kind)]
    columns = [np.array(c) for c in zip(*points, strict=True)]
    slope = tm.grad(lambda *args: tm.sum(f(*args)), argnums=len(columns) - 1)(*columns).numpy()
    for k, (value, point) in enumerate(zip(f(*columns).numpy(), points, strict=True)):
        with mpmath.workdps(30):
            size = abs(mpmath.re(want(point[0] + 1, *point[1:])))  # beside a zero, which is moved by a rounding of x
        exact = float(mpmath.re(want(*point)))
        near_zero = max(1.0, 0.02 * float(size) / abs(exact))
        assert value == pytest.approx(exact, rel=1e-11 * near_zero, abs=0), point
        if point[0] >= 1:
            assert slope[k] == pytest.approx(float(mpmath.re(SLOPES[name](*point))), rel=2e-10, abs=0), point


@pytest.mark.parametrize("n, x", [(112.5, -0.6), (30.3, 0.999), (2.25, -0.999), (7.5, 3.0)])
def test_second_derivatives_obey_their_differential_equations(n, x):
    equations = {
        special.eval_legendre: (2, n * (n + 1)),
        special.eval_chebyt: (1, n * n),
        special.eval_chebyu: (3, n * (n + 2)),
    }
    for f, (first, zeroth) in equations.items():
        y = f(n, x).item()
        slope = tm.grad(f, argnums=1)
        bend = tm.grad(slope, argnums=1)(n, x).item()
        terms = [(1 - x * x) * bend, -first * x * slope(n, x).item(), zeroth * y]
        assert sum(terms) == pytest.approx(0, abs=1e-10 * max(map(abs, terms))), f


def test_the_functions_that_are_told_by_them_hold_too():
    n, x = 165.67, -0.8
    cos, sin = np.cos(n * np.arccos(x)), np.sin((n + 1) * np.arccos(x)) / 0.6
    assert special.eval_chebyt(n, x).item() == pytest.approx(cos, rel=1e-11, abs=0)
    assert special.eval_sh_chebyt(n, (x + 1) / 2).item() == pytest.approx(cos, rel=1e-11, abs=0)
    assert special.eval_chebyc(n, 2 * x).item() == pytest.approx(2 * cos, rel=1e-11, abs=0)
    assert special.eval_chebys(n, 2 * x).item() == pytest.approx(sin, rel=1e-11, abs=0)
    assert special.eval_sh_chebyu(n, (x + 1) / 2).item() == pytest.approx(sin, rel=1e-11, abs=0)
    legendre = float(oracle("legendre")(112.5, -0.6))
    assert special.eval_sh_legendre(112.5, 0.2).item() == pytest.approx(legendre, rel=1e-11, abs=0)


def test_at_the_ends_and_outside_of_them():
    for f in (special.eval_legendre, special.eval_chebyt, special.eval_chebyu):
        assert np.isnan(f(2.5, -1.5).item())
        assert np.isnan(f(2.5, np.nan).item())
    assert special.eval_legendre(2.5, 1.0).item() == 1 == special.eval_chebyt(2.5, 1.0).item()
    assert special.eval_chebyu(2.5, 1.0).item() == 3.5
    assert [special.eval_legendre(n, -1.0).item() for n in (0.5, 1.5)] == [-np.inf, np.inf]
    assert special.eval_chebyt(2.25, -1.0).item() == pytest.approx(np.sqrt(0.5), rel=1e-15)
    assert special.eval_chebyu(0.25, -1.0).item() == -np.inf
    assert special.eval_chebyt(100.5, 1e200).item() == np.inf == special.eval_legendre(100.5, 1e200).item()
    assert np.isnan(special.eval_jacobi(2.5, -1.0, 0.3, 0.2).item())  # a pole in alpha
    assert special.eval_legendre(np.float32(2.5), np.float32(0.5)).numpy().dtype == np.float32


def test_what_is_out_of_reach_is_named():
    with pytest.raises(tm.errors.NoConvergence, match=r"eval_legendre of the degree 100000\.5"):
        special.eval_legendre(1e5 + 0.5, 0.3)
    with pytest.raises(tm.errors.NoConvergence, match="eval_laguerre"):
        special.eval_laguerre(1e5 + 0.5, 100.0)


def test_compiled_and_native_programs_have_the_same_values():
    def f(x):
        return special.eval_legendre(20.5, x) + special.eval_chebyt(7.25, x) + special.eval_laguerre(1.5, x)

    x = np.array([-0.9, 0.1, 1.0])
    total = tm.grad(lambda x: tm.sum(f(x)))
    np.testing.assert_allclose(tm.compile(f)(x).numpy(), f(x).numpy(), rtol=1e-14)
    np.testing.assert_allclose(tm.compile(total)(x).numpy(), total(x).numpy(), rtol=1e-14)


@pytest.mark.parametrize(
    "v, a, b, x",
    [(150.3, 4.0, 4.0, -0.99999), (63.2, 7.1, 25.0, -0.951)],
)
def test_beside_the_end_at_which_they_grow_they_keep_their_digits(v, a, b, x):
    want = float(mpmath.re(oracle("jacobi")(v, a, b, x)))
    moved = float(mpmath.re(oracle("jacobi")(np.nextafter(v, 1e9), a, b, x)))
    assert special.eval_jacobi(v, a, b, x).item() == pytest.approx(want, rel=1e-12 + 4 * abs(moved / want - 1), abs=0)


@pytest.mark.parametrize(
    "n, alpha, x", [(26, -2.3e-8, 0.999999), (5, 2.4e-8, -0.845), (40, 1e-7, 0.3), (41, 1e-7, -1.2)]
)
def test_gegenbauers_polynomials_of_a_tiny_alpha_are_more_than_their_first_term(n, alpha, x):
    want, slope = (float(f(n, alpha, x)) for f in (oracle("gegenbauer"), SLOPES["eval_gegenbauer"]))
    assert special.eval_gegenbauer(n, alpha, x).item() == pytest.approx(want, rel=1e-12, abs=0)
    assert tm.grad(special.eval_gegenbauer, argnums=2)(n, alpha, x).item() == pytest.approx(slope, rel=1e-12, abs=0)
