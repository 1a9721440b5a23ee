"""Derivatives of special functions in their parameters, against mpmath."""

import math

import mpmath
import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math import special
from tinygrad_math.core.errors import DTypeError, IllPosedDerivative, NoDerivative
from tinygrad_math.testing import check_grads

INF = math.inf


def exact(f, point, orders, digits=90):
    """The mixed derivative of mpmath's function at this point."""
    with mpmath.workdps(digits):
        at = tuple(mpmath.mpf(p) for p in point)
        if not any(orders):
            return f(*at)
        return mpmath.diff(f, at, tuple(orders), h=mpmath.mpf(10) ** -18)


def ours(f, point, orders):
    """The same of a function of the package: reverse mode for the odd steps, forward mode for the even ones."""
    step = 0
    for k, n in enumerate(orders):
        for _ in range(n):
            step += 1
            f = tm.grad(f, argnums=k) if step % 2 else _along(f, k)
    return f(*map(float, point)).item()


def _along(f, k):
    return lambda *args: tm.jvp(lambda v: f(*args[:k], v, *args[k + 1 :]), (args[k],), (1.0,))[1]


def points(seed, count, *ranges):
    """Random points; a range (low, high) is drawn evenly, (low, high, "log") in its logarithm."""
    rng = np.random.default_rng(seed)

    def draw(low, high, scale=None):
        return math.exp(rng.uniform(math.log(low), math.log(high))) if scale else rng.uniform(low, high)

    return [tuple(float(f"{draw(*r):.4g}") for r in ranges) for _ in range(count)]


# -- Bessel functions in the order ------------------------------------------------------------------------------------
BESSEL = {
    "jv": mpmath.besselj,
    "yv": mpmath.bessely,
    "iv": mpmath.besseli,
    "kv": mpmath.besselk,
    "ive": lambda v, x: mpmath.exp(-x) * mpmath.besseli(v, x),
}
ORDERS = [(1, 0), (2, 0), (1, 1), (3, 0), (1, 2)]
HARD = [(0.0, 2.0), (1.0, 1.0), (2.5, 2.5), (-1.0, 0.3), (-2.5, 4.0), (20.0, 0.5), (0.5, 60.0), (3.0, 1e-5)]


def _check_bessel(name, v, x, orders):
    want = exact(BESSEL[name], (v, x), orders)
    size = abs(want)
    if name in ("jv", "yv") and abs(v) < x:  # they oscillate: beside a zero the size is that of both together
        size = max(size, *(abs(exact(BESSEL[k], (v, x), orders)) for k in ("jv", "yv")))
    if size < 1e-280 or size > 1e280:
        return
    assert abs(ours(getattr(special, name), (v, x), orders) - float(want)) <= 1e-11 * float(size), (v, x, orders)


@pytest.mark.parametrize("name", BESSEL)
def test_bessel_functions_in_their_order_agree_with_mpmath(name):
    for k, (v, x) in enumerate(HARD):
        _check_bessel(name, v, x, ORDERS[k % len(ORDERS)])


@pytest.mark.long
@pytest.mark.parametrize("orders", ORDERS)
@pytest.mark.parametrize("name", BESSEL)
def test_bessel_functions_in_their_order_over_wide_ranges(name, orders):
    for v, x in points(1, 20, (-30, 100), (1e-6, 300, "log")) + points(2, 20, (-3, 3), (1e-2, 50, "log")):
        _check_bessel(name, v, x, orders)


def test_the_order_of_bessel_functions_at_known_places():
    x = np.array([0.3, 2.0, 60.0])
    slope = {name: tm.vmap(tm.grad(getattr(special, name)), in_axes=(None, 0))(0.0, x).numpy() for name in BESSEL}
    # DLMF 10.15.3, 10.15.4, 10.38.3, 10.38.4
    np.testing.assert_allclose(slope["jv"], np.pi / 2 * special.y0(x).numpy(), rtol=1e-13)
    np.testing.assert_allclose(slope["yv"], -np.pi / 2 * special.j0(x).numpy(), rtol=1e-13)
    np.testing.assert_allclose(slope["iv"], -special.k0(x).numpy(), rtol=1e-13)
    np.testing.assert_array_equal(slope["kv"], 0.0)
    # of order 1/2 by the integral sine and cosine: DLMF 10.15.6 as mpmath has it
    half = float(mpmath.sqrt(2 / (mpmath.pi * 2)) * (mpmath.ci(4) * mpmath.sin(2) - mpmath.si(4) * mpmath.cos(2)))
    assert tm.grad(special.jv)(0.5, 2.0).item() == pytest.approx(half, rel=1e-13)


def test_the_order_of_bessel_functions_at_the_ends():
    def slope(name, v, x):
        return tm.grad(getattr(special, name))(v, x).item()

    assert [slope("jv", v, 0.0) for v in (2.0, 0.0, -0.5, -1.0)] == [0.0, -INF, -INF, INF]
    assert [slope("iv", v, 0.0) for v in (2.0, 0.0, -1.5)] == [0.0, -INF, INF]
    assert [slope("kv", v, 0.0) for v in (2.0, 0.0, -2.0)] == [INF, 0.0, -INF]
    assert [slope("yv", v, 0.0) for v in (2.0, 0.0)] == [-INF, -math.pi / 2]
    for name in ("jv", "yv", "kv", "ive"):
        assert slope(name, 2.5, INF) == 0.0
    assert slope("iv", 2.5, INF) == -INF
    assert math.isnan(slope("jv", 0.5, -1.0))  # as its value


def test_the_order_of_bessel_functions_where_there_is_no_derivative_in_it():
    with pytest.raises(IllPosedDerivative, match="x = -1 at v = 2"):
        tm.grad(special.jv)(2.0, -1.0)
    with pytest.raises(DTypeError, match="in the order takes real numbers"):
        tm.grad(lambda v: special.jv(v, 1.0 + 1.0j).real)(2.0)
    with pytest.raises(NoDerivative, match="take yv"):
        tm.grad(special.yn)(2.0, 1.0)
    x = np.array([-1.0, 2.0])  # constant orders need none
    assert np.all(np.isfinite(tm.grad(lambda x: special.jv(2, x).sum())(x).numpy()))


def test_the_order_of_bessel_functions_in_both_modes_and_compiled():
    v, x = np.array([0.3, 2.0, -1.4]), np.array([1.0, 2.0, 0.7])
    for name in BESSEL:
        check_grads(getattr(special, name), (v, x), order=2)
    f = tm.grad(lambda v, x: special.jv(v, x).sum(), argnums=(0, 1))
    for got, want in zip(tm.compile(f)(v, x), f(v, x), strict=True):
        np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-14)
