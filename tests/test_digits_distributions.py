"""The distribution functions: their domains, the ends of intervals, and their digits where parts leave the range."""

import itertools
import math

import mpmath
import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math import special

INF, NAN = math.inf, math.nan
PLACES = np.array([NAN, -INF, -2.5, -1.0, -0.3, 0.0, 1e-300, 0.3, 1.0, 1.5, 3.0, INF])
# How many arguments, and which of them are counts, in which nothing moves.
FUNCTIONS = {
    "bdtr": (3, {0, 1}), "bdtrc": (3, {0, 1}), "bdtri": (3, {0, 1}), "nbdtr": (3, {0, 1}), "nbdtrc": (3, {0, 1}),
    "nbdtri": (3, {0, 1}), "pdtr": (2, {0}), "pdtrc": (2, {0}), "pdtri": (2, {0}), "gdtria": (3, ()),
    "chdtri": (2, ()), "gammaincinv": (2, ()), "gammainccinv": (2, ()), "betaincinv": (3, ()),
    "betainccinv": (3, ()), "stdtr": (2, ()), "stdtrit": (2, ()), "stdtridf": (2, ()), "chdtriv": (2, ()),
    "btdtria": (3, ()), "gdtrib": (3, ()),
}  # fmt: skip


def slopes(f, place, args):
    """By the backward and by the forward rule."""
    moved = lambda v: f(*args[:place], v, *args[place + 1 :])  # noqa: E731
    backward = tm.grad(lambda v: tm.sum(moved(v)))(args[place])
    return backward.numpy(), tm.jvp(moved, (args[place],), (np.ones_like(args[place]),))[1].numpy()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_where_a_function_is_not_defined_its_derivative_is_not_in_either_mode(name):
    f, (count, whole) = getattr(special, name), FUNCTIONS[name]
    args = [np.array(column) for column in zip(*itertools.product(*[PLACES] * count), strict=True)]
    with np.errstate(all="ignore"):
        undefined = np.isnan(f(*args).numpy()) & ~np.isnan(args).any(axis=0)
        for place in range(count):
            backward, forward = slopes(f, place, args)
            np.testing.assert_allclose(backward, forward, rtol=1e-9)
            if place not in whole:
                assert np.isnan(backward[undefined]).all()


def test_an_incomplete_function_without_valid_parameters_has_no_slope():
    for a in (-2.5, NAN):
        for f in (special.gammainc, special.gammaincc):
            assert math.isnan(float(tm.grad(f, argnums=1)(a, 0.3)))
            assert math.isnan(float(tm.grad(f, argnums=1)(a, 0.0)))
        for pair in ((a, 2.0), (2.0, a)):
            assert math.isnan(float(tm.grad(special.betainc, argnums=2)(*pair, 0.5)))
            assert math.isnan(float(tm.grad(special.betaincc, argnums=2)(*pair, 0.0)))
    assert float(tm.grad(special.gammainc, argnums=1)(INF, 2.0)) == 0.0
    assert float(tm.grad(special.stdtr, argnums=1)(INF, INF)) == 0.0


ENDS = [  # of which the quantile is an end of the support: the derivatives in the parameters there
    (special.gammaincinv, (1.5, 0.0), [0.0]),
    (special.gammaincinv, (1.5, 1.0), [INF]),
    (special.gammainccinv, (0.5, 0.0), [INF]),
    (special.gammainccinv, (0.5, 1.0), [0.0]),
    (special.chdtri, (3.0, 0.0), [INF]),
    (special.betaincinv, (1.5, 0.5, 0.0), [0.0, 0.0]),
    (special.betaincinv, (1.5, 0.5, 1.0), [0.0, 0.0]),
    (special.betainccinv, (0.5, 3.0, 0.0), [0.0, 0.0]),
    (special.stdtrit, (2.5, 0.0), [INF]),
    (special.stdtrit, (2.5, 1.0), [-INF]),
]


@pytest.mark.parametrize("f, at, want", ENDS)
def test_quantiles_at_the_ends_of_the_support_move_as_their_limits(f, at, want):
    for place, limit in enumerate(want):
        with np.errstate(all="ignore"):
            assert [float(v) for v in slopes(f, place, [np.float64(v) for v in at])] == [limit, limit]


def test_the_lowest_quantile_of_students_distribution_is_minus_infinity():  # SciPy's stdtrit says inf
    assert special.stdtrit(2.5, [0.0, 1.0]).tolist() == [-INF, INF]
    assert special.stdtrit(np.float32(2.5), np.float32(0.0)).dtype == np.float32
    assert math.isnan(float(special.stdtrit(-1.0, 0.0)))


@pytest.mark.parametrize("b, q", [(0.01, 0.5), (0.02, 0.999), (0.5, 1 - 1e-12), (3.0, 0.2)])
def test_quantiles_that_are_rounded_to_one_keep_the_digits_of_their_derivatives(b, q):
    """Of a = 1: z = 1 - (1-q)^(1/b); and of b = 1, where z is q^(1/a)."""
    with mpmath.workdps(60):
        p, log = 1 - mpmath.mpf(q), mpmath.log(1 - mpmath.mpf(q))
        fall = p ** (1 / mpmath.mpf(b))
        wanted = [fall * log / mpmath.mpf(b) ** 2, fall / p / b]
        second = fall * log**2 / mpmath.mpf(b) ** 4 + 2 * fall * -log / mpmath.mpf(b) ** 3 * -1
    at = [np.float64(v) for v in (1.0, b, q)]
    for place, want in zip((1, 2), wanted, strict=True):
        for got in slopes(special.betaincinv, place, at):
            assert float(got) == pytest.approx(float(want), rel=1e-10, abs=0)
    twice = tm.grad(tm.grad(special.betaincinv, argnums=1), argnums=1)(*at)
    assert float(twice) == pytest.approx(-float(second), rel=1e-9, abs=0)
    other = [np.float64(v) for v in (b, 1.0, q)]
    for got in slopes(special.betainccinv, 2, other):  # (1-q)^(1/a)
        assert float(got) == pytest.approx(-float(wanted[1]), rel=1e-10, abs=0)


@pytest.mark.parametrize("q", [1e-30, 1e-20, 0.3])
def test_quantiles_of_few_bits_are_differentiated_in_more(q):
    """Of a = 1/2 the quantile is that of a squared normal variable; its density leaves the range of float32."""
    with mpmath.workdps(50):
        z = mpmath.erfinv(mpmath.mpf(float(np.float32(q)))) ** 2
        want = mpmath.sqrt(mpmath.pi * z) * mpmath.exp(z)
    got = tm.grad(special.gammaincinv, argnums=1)(np.float32(0.5), np.float32(q))
    assert got.dtype == np.float32
    assert float(got) == pytest.approx(float(want), rel=1e-4, abs=1e-37)


# -- the F distribution in its degrees of freedom ----------------------------------------------------------------------


def of_two_below(n, x):
    """fdtr(2, n, x) = 1 - (1 + 2 x/n)^(-n/2)."""
    return -mpmath.expm1(-n / 2 * mpmath.log1p(2 * x / n))


def of_two_above(m, x):
    """fdtr(m, 2, x) = (m x/(2 + m x))^(m/2)."""
    return mpmath.exp(-m / 2 * mpmath.log1p(2 / (m * x)))


CLOSED = [(1, lambda n, x: (2.0, n, x), of_two_below), (0, lambda m, x: (m, 2.0, x), of_two_above)]
FREEDOMS = [1e-185, 1e-30, 1e-7, 0.3, 1.0, 7.0, 140.0, 1e6, 1e11, 1e17]
RATIOS = [1e-90, 1e-7, 0.2, 1.0, 1 + 1e-9, 3.0, 1e5, 1e80]


@pytest.mark.parametrize("place, filled, closed", CLOSED, ids=["dfd", "dfn"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_f_distribution_of_any_degrees_of_freedom_keeps_its_digits(place, filled, closed, dtype):
    """As far as the other degrees of freedom, 2, are known: where derivatives vanish for 2, but not beside it."""
    low, high = (1e-190, 1e90) if dtype is np.float64 else (1e-30, 1e15)
    pairs = [(f, r) for f in FREEDOMS for r in RATIOS if low < f < high and low < r < high]
    free, x = (np.array(column, dtype) for column in zip(*pairs, strict=True))
    args = [np.broadcast_to(v, x.shape).astype(dtype) for v in filled(free, x)]
    with np.errstate(all="ignore"):
        first = slopes(special.fdtr, place, args)
        second = slopes(lambda *v: tm.grad(lambda u: tm.sum(special.fdtr(*v[:place], u, *v[place + 1 :])))(v[place]),
                        place, args)  # fmt: skip
        upper = slopes(special.fdtrc, place, args)
    value, rest = special.fdtr(*args).numpy(), special.fdtrc(*args).numpy()
    tolerance, tiny = (1e-10, 1e-290) if dtype is np.float64 else (5e-5, 1e-36)
    for k, (f, r) in enumerate(zip(free.tolist(), x.tolist(), strict=True)):
        with mpmath.workdps(700):
            f, r = mpmath.mpf(f), mpmath.mpf(r)
            h = f * mpmath.mpf(10) ** -40
            low, here, high = (closed(f + step, r) for step in (-h, 0, h))
            one, two = float((high - low) / (2 * h)), float((high - 2 * here + low) / h**2)
            here, complement = float(here), float(1 - here)
        known = 8 * float(np.finfo(dtype).eps) * min(here, complement) / min(float(f), 1)
        assert float(value[k]) == pytest.approx(here, rel=tolerance, abs=tiny)
        assert float(rest[k]) == pytest.approx(complement, rel=tolerance, abs=tiny)
        for got, sign in ((first, 1), (upper, -1)):
            for way in got:
                assert float(way[k]) == pytest.approx(sign * one, rel=tolerance, abs=known + tiny)
        for way in second:
            limit = float(np.finfo(dtype).max)
            want = two if abs(two) < limit else math.copysign(INF, two)
            assert float(way[k]) == pytest.approx(want, rel=tolerance, abs=known / min(float(f), 1) + tiny)


def test_quantiles_of_the_f_distribution_solve_their_equation_and_move_with_it():
    m, n, p = np.array([3.0, 0.5, 2e3]), np.array([4.0, 1e6, 0.8]), np.array([1e-30, 0.5, 0.9])
    x = special.fdtri(m, n, p).numpy()
    np.testing.assert_allclose(special.fdtr(m, n, x).numpy(), p, rtol=1e-12)
    for place in range(3):
        backward, forward = slopes(special.fdtri, place, [m, n, p])
        across = slopes(special.fdtr, 2, [m, n, x])[0]
        along = np.ones(3) if place == 2 else -slopes(special.fdtr, place, [m, n, x])[0]
        np.testing.assert_allclose(backward, along / across, rtol=1e-12)
        np.testing.assert_allclose(forward, backward, rtol=1e-14)
    with np.errstate(all="ignore"):
        assert [float(v) for v in slopes(special.fdtri, 0, [np.float64(v) for v in (3.0, 4.0, 0.0)])] == [0.0, 0.0]
        assert [float(v) for v in slopes(special.fdtri, 1, [np.float64(v) for v in (3.0, 4.0, 1.0)])] == [-INF, -INF]


@pytest.mark.parametrize("n, p", [(0.509, 1.78e-19), (2.5, 1e-26), (1.0, 1e-30), (0.7, 1e-20)])
def test_quantiles_of_students_distribution_in_single_precision_go_to_the_ends_of_it(n, p):
    """Far out T(-t) is n^(n/2) t^-n / (n B(n/2, 1/2)) but for terms in n/t^2."""
    n, p = np.float32(n), np.float32(p)
    with mpmath.workdps(40):
        m, q = mpmath.mpf(float(n)), mpmath.mpf(float(p))
        want = -mpmath.sqrt(m) * (q * m * mpmath.beta(m / 2, 0.5)) ** (-1 / m)
    got = special.stdtrit(n, p)
    assert got.dtype == np.float32
    assert float(got) == pytest.approx(float(want), rel=1e-6)
    assert float(special.stdtr(n, got)) == pytest.approx(float(p), rel=1e-5, abs=0)
