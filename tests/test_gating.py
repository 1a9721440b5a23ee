"""Activations at infinities, where a number times its own gate has a limit that inf times 0 does not tell."""

import functools

import mpmath
import numpy as np
import pytest

import tinygrad_math as tm

F = tm.nn.functional
LIMITS = {  # of the value and the slope, below and above
    "gelu": (F.gelu, (-0.0, 0.0), (np.inf, 1.0)),
    "gelu by tanh": (functools.partial(F.gelu, approximate="tanh"), (-0.0, 0.0), (np.inf, 1.0)),
    "silu": (F.silu, (-0.0, 0.0), (np.inf, 1.0)),
    "mish": (F.mish, (-0.0, 0.0), (np.inf, 1.0)),
    "hardswish": (F.hardswish, (0.0, 0.0), (np.inf, 1.0)),
    "softsign": (F.softsign, (-1.0, 0.0), (1.0, 0.0)),
    "softplus": (F.softplus, (0.0, 0.0), (np.inf, 1.0)),
    "elu": (F.elu, (-1.0, 0.0), (np.inf, 1.0)),
    "log of sigmoid": (tm.nn.LogSigmoid(), (-np.inf, 1.0), (-0.0, 0.0)),
}
WAYS = [
    lambda f: f,
    tm.compile,
    functools.partial(tm.compile, backend="native"),
]


@pytest.mark.parametrize("way", WAYS, ids=["eager", "compiled", "native"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("name", LIMITS)
def test_an_activation_and_its_slope_have_their_limits_at_infinities(name, dtype, way):
    f, *limits = LIMITS[name]
    x = np.array([-np.inf, np.inf, 0.5], dtype)
    y, slope = way(f)(x), way(tm.grad(lambda x: tm.sum(f(x))))(x)
    assert y.dtype == slope.dtype == dtype
    expected = np.array(limits, dtype)
    np.testing.assert_array_equal(y.numpy()[:2], expected[:, 0])
    np.testing.assert_array_equal(np.signbit(y.numpy()[:2]), np.signbit(expected[:, 0]))
    np.testing.assert_array_equal(slope.numpy()[:2], expected[:, 1])


@pytest.mark.parametrize("f", [F.silu, F.mish, functools.partial(F.gelu, approximate="tanh")])
def test_the_second_derivatives_are_0_there(f):
    second = tm.grad(lambda x: tm.sum(tm.grad(lambda x: tm.sum(f(x)))(x)))
    assert not second(np.array([-np.inf, np.inf])).numpy().any()
    largest = np.finfo(np.float64).max
    assert tm.grad(lambda x: tm.sum(1e3 * f(0.001 * x)))(np.array([-largest, largest])).numpy().tolist() == [0.0, 1.0]


def test_forward_mode_and_batches_have_the_same_limits():
    x = np.array([-np.inf, np.inf, 0.5])
    for f in (F.gelu, F.silu, F.mish):
        slope = tm.grad(lambda x: tm.sum(f(x)))(x)
        np.testing.assert_array_equal(tm.jvp(f, (x,), (np.ones(3),))[1], slope)
        np.testing.assert_array_equal(tm.vmap(f)(x), f(x))


@pytest.mark.parametrize("x", [-8.0, -5.0, -0.3, 1e-9, 2.0, 30.0])
def test_gelu_by_tanh_keeps_its_digits_where_the_gate_is_next_to_0(x):
    f = functools.partial(F.gelu, approximate="tanh")
    with mpmath.workdps(60):
        gelu = lambda t: t * (1 + mpmath.tanh(mpmath.sqrt(2 / mpmath.pi) * (t + 0.044715 * t**3))) / 2  # noqa: E731
        expected = float(gelu(mpmath.mpf(x))), float(mpmath.diff(gelu, mpmath.mpf(x)))
    for way in WAYS:
        assert float(way(f)(x)) == pytest.approx(expected[0], rel=2e-14, abs=0)
        assert float(way(tm.grad(f))(x)) == pytest.approx(expected[1], rel=1e-12, abs=0)


@pytest.mark.parametrize("x", [-1e150, -3e8, -1.0, -0.2, 1e-200, 0.7, 1.0, 40.0, 1e9, 1e100])
def test_softsign_keeps_the_digits_of_its_slopes(x):
    slope = tm.grad(F.softsign)
    with mpmath.workdps(340):
        size = 1 + abs(mpmath.mpf(x))
        expected = [float(v) for v in (x / size, 1 / size**2, -2 * mpmath.sign(x) / size**3)]
    for f, wanted in zip((F.softsign, slope, tm.grad(slope)), expected, strict=True):
        assert float(f(x)) == pytest.approx(wanted, rel=1e-13, abs=0)
