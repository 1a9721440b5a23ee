"""The elementwise functions: values, derivatives at every order, edges. Oracles: mpmath, closed forms, NumPy."""

import math
import warnings

import mpmath
import numpy as np
import pytest
from cases import each

import tinygrad_math as tm
import tinygrad_math.nn.functional as F
from tinygrad_math.core.errors import DTypeError
from tinygrad_math.core.op import registry
from tinygrad_math.testing import check_grads

INF = float("inf")


def forward_derivative(f):
    return lambda x: tm.jvp(f, (x,), (np.ones(np.shape(x), getattr(x, "dtype", float)),))[1]


MODES = {"reverse": tm.grad, "forward": forward_derivative}


def derivative(f, x, order=1, mode="reverse"):
    """The derivative of a scalar function at a number, by nested walks of one mode."""
    for _ in range(order):
        f = MODES[mode](f)
    return float(tm.asarray(f(x)).detach().numpy())


def both_modes(f, x, order=1):
    values = [derivative(f, x, order, mode) for mode in MODES]
    np.testing.assert_allclose(values[0], values[1], rtol=1e-12, atol=0)
    return values[0]


def mp_derivative(f, x, order):
    with mpmath.workdps(700):  # tails and points down to 1e-200
        return float(mpmath.diff(f, mpmath.mpf(x), order))


def close(got, want, rtol=1e-12):
    if math.isinf(want) or math.isnan(want):
        np.testing.assert_equal(got, want)
    else:
        assert abs(got - want) <= rtol * max(abs(want), 1e-300), f"got {got!r}, want {want!r}"


# -- the list --------------------------------------------------------------------------------------------------


def test_every_ufunc_of_numpy_has_a_counterpart():
    elsewhere = {"isnat", "matmul", "vecdot", "matvec", "vecmat"}  # dates; products of arrays
    names = {n for n in dir(np) if isinstance(getattr(np, n), np.ufunc)} - elsewhere
    assert len(names) > 90
    assert [n for n in sorted(names) if not callable(getattr(tm, n, None))] == []


ARRAY_API = """abs acos acosh add asin asinh atan atan2 atanh bitwise_and bitwise_left_shift bitwise_invert bitwise_or
bitwise_right_shift bitwise_xor ceil clip conj copysign cos cosh divide equal exp expm1 floor floor_divide greater
greater_equal hypot imag isfinite isinf isnan less less_equal log log1p log2 log10 logaddexp logical_and logical_not
logical_or logical_xor maximum minimum multiply negative nextafter not_equal positive pow real reciprocal remainder
round sign signbit sin sinh square sqrt subtract tan tanh trunc where"""


@each("name", ARRAY_API.split())
def test_the_array_api_function_is_there(name):
    assert callable(getattr(tm, name))


ALIASES = {
    "abs": "absolute", "acos": "arccos", "asin": "arcsin", "atan": "arctan", "atan2": "arctan2", "acosh": "arccosh",
    "asinh": "arcsinh", "atanh": "arctanh", "true_divide": "divide", "mod": "remainder", "radians": "deg2rad",
    "degrees": "rad2deg", "conjugate": "conj", "bitwise_invert": "invert", "bitwise_not": "invert",
    "bitwise_left_shift": "left_shift", "bitwise_right_shift": "right_shift", "around": "round", "fix": "trunc",
}  # fmt: skip


@pytest.mark.parametrize("name", ALIASES)
def test_a_second_name_is_the_same_op(name):
    assert getattr(tm, name) is getattr(tm, ALIASES[name])


UNARY = """abs acos asin atan asinh atanh cbrt ceil conj cos cosh deg2rad exp exp2 expm1 fabs fix floor imag isfinite
isinf isnan isneginf isposinf iscomplex isreal log1p negative positive rad2deg real rint round sign signbit sin sinc
sinh square tan tanh trunc nan_to_num logical_not angle real_if_close spacing"""


@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated")
@pytest.mark.parametrize("name", UNARY.split())
def test_numpys_function_of_a_tensor_is_ours_and_has_its_values(name):
    x = np.array([-0.7, -0.0, 0.2, 0.9])
    got = getattr(np, name)(tm.tensor(x))
    assert isinstance(got, tm.Tensor)
    want = getattr(np, name)(x)
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-15)
    assert got.dtype == want.dtype


BINARY = """add subtract multiply divide true_divide power pow float_power hypot copysign floor_divide remainder mod
fmod logaddexp logaddexp2 atan2 heaviside nextafter maximum minimum fmax fmin equal less greater_equal logical_and
isclose"""


@pytest.mark.parametrize("name", BINARY.split())
def test_numpys_function_of_two_arguments_is_ours_and_has_its_values(name):
    a, b = np.array([0.7, 0.0, 2.2, 4.0]), np.array([1.5, -0.5, 2.2, 2.0])
    with np.errstate(divide="ignore"):
        want = getattr(np, name)(a, b)
        for got in (getattr(np, name)(tm.tensor(a), b), getattr(tm, name)(a, tm.tensor(b))):
            assert isinstance(got, tm.Tensor)
            np.testing.assert_allclose(got.numpy(), want, rtol=1e-15)


# -- derivatives against mpmath ----------------------------------------------------------------------------------

SMOOTH = {
    "sqrt": (mpmath.sqrt, [1e-8, 0.3, 2.0, 1e10]),
    "cbrt": (lambda x: mpmath.cbrt(x) if x > 0 else -mpmath.cbrt(-x), [-2.0, 0.3, 1e9]),
    "square": (lambda x: x * x, [-1.5, 0.0, 3.0]),
    "reciprocal": (lambda x: 1 / x, [-1.5, 1e-5, 3.0]),
    "exp": (mpmath.exp, [-300.0, -1.0, 0.0, 5.0]),
    "exp2": (lambda x: mpmath.power(2, x), [-300.0, -1.0, 0.0, 5.0]),
    "expm1": (mpmath.expm1, [-40.0, -1e-9, 0.0, 5.0]),
    "log": (mpmath.log, [1e-200, 0.3, 2.0, 1e200]),
    "log2": (lambda x: mpmath.log(x, 2), [1e-20, 0.3, 2.0]),
    "log10": (lambda x: mpmath.log(x, 10), [1e-20, 0.3, 2.0]),
    "log1p": (mpmath.log1p, [-0.999999, -1e-9, 0.0, 1e20]),
    "sin": (mpmath.sin, [-2.0, 0.0, 0.7]),
    "cos": (mpmath.cos, [-2.0, 0.1, 0.7]),
    "tan": (mpmath.tan, [-1.2, 0.1, 0.7]),
    "arcsin": (mpmath.asin, [-0.9, 0.1, 1 - 1e-10]),
    "arccos": (mpmath.acos, [-1 + 1e-10, 0.1, 0.9]),
    "arctan": (mpmath.atan, [-40.0, 0.1, 1e6]),
    "sinh": (mpmath.sinh, [-20.0, 0.1, 2.0]),
    "cosh": (mpmath.cosh, [-20.0, 0.1, 2.0]),
    "arcsinh": (mpmath.asinh, [-3.0, 0.1, 1e6]),
    "arccosh": (mpmath.acosh, [1 + 1e-9, 1.5, 1e6]),
    "arctanh": (mpmath.atanh, [-0.9, 0.1, 1 - 1e-9]),
    "sigmoid": (lambda x: 1 / (1 + mpmath.exp(-x)), [-600.0, -40.0, 0.3, 40.0, 600.0]),
    "sinc": (lambda x: mpmath.sincpi(x), [0.5, 0.3, 1e-3, 7.3]),
    "deg2rad": (lambda x: x * mpmath.pi / 180, [-30.0, 77.0]),
    "rad2deg": (lambda x: x * 180 / mpmath.pi, [-0.3, 2.0]),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", SMOOTH)
def test_the_first_derivative_is_as_accurate_as_the_function(name, mode):
    reference, points = SMOOTH[name]
    for x in points:
        close(derivative(getattr(tm, name), x, 1, mode), mp_derivative(reference, x, 1), rtol=1e-13 * (1 + abs(x) / 10))


@pytest.mark.parametrize("name", SMOOTH)
def test_the_second_third_and_fourth_derivatives_are_right(name):
    reference, points = SMOOTH[name]
    for x in points:
        if 1e-4 < abs(x) < 50 and abs(abs(x) - 1) > 1e-3:
            for order in (2, 3, 4):
                want = mp_derivative(reference, x, order)
                got = both_modes(getattr(tm, name), x, order)
                assert abs(got - want) <= 1e-8 * (1e-3 + abs(want)), f"{name}, order {order} at {x}: {got}, want {want}"


def test_tanh_and_its_derivative_are_accurate_to_rounding_everywhere():
    for x in (-30.0, -1.0, 0.0, 1e-9, 0.5, 8.0, 400.0):
        for order in (1, 2, 3):
            want = mp_derivative(mpmath.tanh, x, order)
            assert abs(both_modes(tm.tanh, x, order) - want) < 1e-14


@pytest.mark.parametrize(
    "f, at, want",
    [
        (tm.sqrt, 0.0, INF),
        (tm.cbrt, 0.0, INF),
        (tm.log, 0.0, INF),
        (tm.log1p, -1.0, INF),
        (tm.acos, 1.0, -INF),
        (tm.acos, -1.0, -INF),
        (tm.asin, 1.0, INF),
        (tm.acosh, 1.0, INF),
        (tm.atanh, 1.0, INF),
        (tm.asinh, 1e200, 1e-200),
        (tm.acosh, 1e200, 1e-200),
        (tm.abs, 0.0, 0.0),
        (tm.fabs, 0.0, 0.0),
        (tm.sign, 0.0, 0.0),
        (tm.sign, -2.0, 0.0),
        (tm.relu, 0.0, 0.0),
        (tm.relu, 1e-300, 1.0),
        (lambda x: tm.copysign(x, -1.0), 0.0, 0.0),
        (lambda x: tm.copysign(x, -1.0), 3.0, -1.0),
        (lambda x: tm.copysign(x, -1.0), -3.0, 1.0),
        (lambda x: tm.heaviside(x, 0.5), 0.0, 0.0),
        (lambda x: tm.clip(x, 0.0, 1.0), 1.0, 1.0),
        (lambda x: tm.maximum(x, 2.0), 2.0, 0.5),
        (lambda x: tm.hypot(x, 0.0), 0.0, 0.0),
        (lambda x: tm.atan2(x, 0.0), 0.0, 0.0),
    ],
)
def test_the_derivative_at_the_edge_is_the_stated_one(f, at, want):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy's own, about log(0)
        assert both_modes(f, at) == want


def test_the_derivatives_of_sinc_at_zero_are_those_of_its_series():
    for order, want in enumerate([1.0, 0.0, -(math.pi**2) / 3, 0.0, math.pi**4 / 5, 0.0, -(math.pi**6) / 7]):
        close(both_modes(tm.sinc, 0.0, order), want, 1e-14)


@pytest.mark.parametrize("x", [1e-8, -1e-3, 0.2, 0.63, 0.64, 0.95, 0.96, 1.0, 2.5, -7.0])
def test_the_derivatives_of_sinc_are_accurate_near_zero_and_away_from_it(x):
    for order in range(1, 6):
        want = mp_derivative(mpmath.sincpi, x, order)
        assert abs(both_modes(tm.sinc, x, order) - want) < 1e-13 * math.pi**order


# -- powers --------------------------------------------------------------------------------------------------------


def power_derivative(x, p, order):
    """d^order/dx^order x**p in exact arithmetic: the falling factorial, and 0 once a whole exponent is used up."""
    factor = mpmath.mpf(1)
    for k in range(order):
        factor *= p - k
    return 0.0 if factor == 0 else float(factor * mpmath.power(x, p - order))


@pytest.mark.parametrize("p", [-8, -3, -2, -1, 0, 1, 2, 3, 4, 5, 8, 9, 12])
@each("kind", ["number", "0-d", "array", "power"])
@each("x", [-1.5, 0.0, 0.7])
def test_whole_powers_are_right_at_every_order_in_both_modes(x, p, kind):
    if x == 0 and p < 0:
        return
    exponent = {"number": p, "0-d": np.array(p), "array": np.array(float(p)), "power": p}[kind]
    f = (lambda v: tm.power(v, exponent)) if kind == "power" else (lambda v: v**exponent)
    for order in range(5):
        close(both_modes(f, tm.tensor(x), order), power_derivative(x, p, order), 1e-13)


@pytest.mark.parametrize("p", [0.5, 1.5, 2.5, -0.5])
def test_broken_powers_are_right_at_every_order(p):
    for order in range(4):
        close(both_modes(lambda v: v**p, 0.7, order), power_derivative(0.7, p, order), 1e-13)


@each("f", [lambda x: x**1.5, lambda x: x**-0.5, lambda x: 3.0**x, lambda x: x ** (1.5 + 2j)])
def test_the_rules_of_a_power_ask_python_about_its_numbers_and_no_tensor(f, monkeypatch):
    """A Tensor that is made on the way costs as much as the rule."""
    monkeypatch.setattr(tm.Tensor, "__bool__", lambda self: pytest.fail("a rule made a Tensor of a number"))
    for mode in MODES.values():
        mode(lambda x: tm.real(f(x)))(0.7)


BEYOND = [
    (1e-300, 1e-200),
    (1e-181, 0.3),
    (1e-200, -0.3),
    (-1e-103, -2),
    (3e-308, 1e-9),
    (0.51, 1050.5),
    (5e-155, -1e-5),
]


@pytest.mark.parametrize("a, b", [*BEYOND, (5e-155, -1e-5), (1e200, -0.6), (1e-300, 1.0), (2.0, 1024.3)])
def test_a_power_beyond_the_range_has_the_derivatives_that_are_within(a, b):
    x = np.array([a])
    for f in (lambda v: v**b, lambda v: tm.power(v, b), lambda v: tm.power(v, np.array([b]))):
        g = f
        for order in (1, 2, 3):
            g = tm.grad(lambda v, g=g: g(v).sum())
            with np.errstate(over="ignore"):
                for found in (g(x), tm.compile(g)(x)):
                    want = power_derivative(a, mpmath.mpf(b), order)
                    np.testing.assert_allclose(found.numpy(), [want], rtol=1e-11, atol=1e-307)


@pytest.mark.parametrize("a, x", [(2.0, 1024.3), (1.5, 1751.0), (0.99999, -71e6), (0.5, 1070.0)])
def test_a_number_to_a_power_beyond_the_range_has_its_slope(a, x):
    for order in (1, 2):
        with mpmath.workdps(40):
            want = float(mpmath.mpf(a) ** mpmath.mpf(x) * mpmath.log(a) ** order)
        with np.errstate(over="ignore"):
            close(both_modes(lambda p: a**p, x, order), want, 1e-9 if a == 0.5 else 1e-12)


def test_whole_exponents_of_few_bits_are_numbers_like_others():
    for p in (np.array([0, 1, 3], np.uint8), np.array([-128, 3, 127], np.int8)):
        g = tm.grad(lambda v, p=p: tm.power(v, p).sum())
        x = np.array([1.1, 0.9, 1.05])
        for found in (g(x), tm.compile(g)(x)):
            np.testing.assert_allclose(found.numpy(), p.astype(float) * x ** (p.astype(float) - 1), rtol=1e-13)


def test_a_float_exponent_with_a_whole_value_is_a_whole_power():
    assert both_modes(lambda v: v**3.0, -2.0, 2) == -12.0
    assert both_modes(lambda v: v**2.0, 0.0, 2) == 2.0


def test_whole_powers_of_whole_numbers_are_exact():
    x = np.arange(-9.0, 10.0)
    for n in range(9):
        assert (tm.tensor(x) ** n).tolist() == [int(v) ** n for v in x]


def test_whole_powers_overflow_and_underflow_like_numpys():
    x = np.array([1e-160, -1e-120, 1e120, 1e-320])
    with np.errstate(all="ignore"):
        for n in (-3, -2, 3, 4, 8):
            got, want = (tm.tensor(x) ** n).numpy(), np.power(x, n)
            np.testing.assert_allclose(got, want, rtol=1e-14, atol=1e-322)


def test_integers_keep_numpys_powers():
    np.testing.assert_array_equal((tm.tensor([2, 3]) ** 3).numpy(), [8, 27])
    assert (tm.tensor([2, 3]) ** 3).dtype == np.int64
    with pytest.raises(TypeError, match="no negative powers"):
        tm.tensor([2, 3]) ** -1
    for f in (lambda a: a ** (a - 4), lambda a: tm.power(a, a - 4), lambda a: a ** tm.asarray(-1), lambda a: 2**-a):
        for g in (f, tm.compile(f)):
            with pytest.raises(DTypeError, match=r"negative integer powers.*float_power"):
                g(tm.tensor([2, 3]))
    assert tm.float_power([2, 4], -1).tolist() == [0.5, 0.25]


@pytest.mark.parametrize("p", [0.5, 1.0, 2.0, 3.7])
def test_the_derivative_of_zero_to_the_p_is_zero_in_p(p):
    for order in (1, 2):
        assert both_modes(lambda q: tm.power(0.0, q), p, order) == 0.0
        assert both_modes(lambda q: tm.power(np.array(0.0), q), p, order) == 0.0


def test_the_slope_of_x_to_the_x_falls_to_minus_infinity_at_zero():
    def f(x):
        return x**x

    assert both_modes(f, 0.0) == -INF
    assert both_modes(f, 0.0, 2) == INF
    for order in (1, 2, 3):
        close(both_modes(f, 0.4, order), mp_derivative(lambda x: x**x, 0.4, order), 1e-12)


@pytest.mark.parametrize("a, b", [(2.0, 0.0), (2.0, 1.0), (0.5, -1.5), (3.0, 2.0)])
def test_the_mixed_derivatives_of_a_power_are_right_where_the_exponent_is_zero_too(a, b):
    want = float(mpmath.power(a, b - 1) * (1 + b * mpmath.log(a)))
    close(both_modes(lambda p: tm.grad(tm.power)(a, p), b), want, 1e-13)
    close(both_modes(lambda x: tm.grad(tm.power, argnums=1)(x, b), a), want, 1e-13)


def test_the_mixed_derivatives_of_a_power_at_a_zero_base_are_the_limits():
    for b, want in [(0.5, -INF), (1.0, -INF), (2.0, 0.0), (3.0, 0.0)]:
        assert both_modes(lambda x, b=b: tm.grad(tm.power, argnums=1)(x, b), 0.0) == want


def test_the_derivative_of_a_negative_base_in_its_exponent_is_nan():
    assert math.isnan(derivative(lambda p: tm.power(-2.0, p), 2.0))


def test_a_number_to_a_power_is_an_exponential():
    for order in (1, 2, 3):
        close(both_modes(lambda p: 3**p, 1.3, order), 3**1.3 * math.log(3) ** order, 1e-13)


# -- size and sign -----------------------------------------------------------------------------------------------


def test_the_gradient_of_a_complex_size_points_outwards_and_is_zero_at_zero():
    z = tm.tensor([3 + 4j, 0j, -2j], requires_grad=True)
    tm.abs(z).sum().backward()
    np.testing.assert_allclose(z.grad.numpy(), [0.6 + 0.8j, 0, -1j])


def test_the_complex_sign_turns_with_its_argument():
    check_grads(lambda z: tm.real(tm.sign(z) * (2 - 1j)).sum(), (np.array([1 + 2j, -0.5j, 3.0]),), order=3)


def test_hypot_does_not_overflow_and_neither_does_its_gradient():
    g = tm.grad(lambda v: tm.hypot(v[0], v[1]))(tm.tensor([3e200, 4e200]))
    np.testing.assert_allclose(g.numpy(), [0.6, 0.8], rtol=1e-15)


def test_the_angle_of_a_point_is_right_in_every_quadrant_and_far_out():
    for y, x in [(1.0, 2.0), (1.0, -2.0), (-1.0, -2.0), (-1.0, 2.0), (0.0, -1.0)]:
        g = tm.grad(tm.atan2, argnums=(0, 1))(y, x)
        np.testing.assert_allclose([float(v) for v in g], [x / (x * x + y * y), -y / (x * x + y * y)], rtol=1e-15)
    far = tm.grad(tm.atan2)(1e200, 1e200)
    close(float(far), 5e-201, 1e-14)


# -- steps, remainders --------------------------------------------------------------------------------------------

STEPS = [tm.floor, tm.ceil, tm.trunc, tm.rint, tm.round, tm.fix, tm.sign, lambda x: tm.floor_divide(x, 0.7)]


@pytest.mark.parametrize("f", STEPS)
def test_a_step_has_derivative_zero_even_under_an_infinite_cotangent(f):
    x = tm.tensor([-0.5, 0.0, 0.3, 2.0], requires_grad=True)
    f(x).backward(np.array([INF, 1.0, INF, INF]))
    assert x.grad.tolist() == [0, 0, 0, 0]
    assert tm.jvp(f, (x.detach(),), (np.full(4, INF),))[1].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("f", [tm.floor, tm.ceil, tm.trunc, tm.round, tm.fix])
def test_rounding_keeps_integers(f):
    y = f(tm.tensor(np.array([3, -4], np.int32)))
    assert y.dtype == np.int32
    assert y.tolist() == [3, -4]


def test_round_goes_to_the_even_neighbour_and_takes_digits():
    assert tm.round([0.5, 1.5, -2.5]).tolist() == [0, 2, -2]
    assert tm.round(3.14159, 2).item() == 3.14
    assert tm.round(1234.0, decimals=-2).item() == 1200
    assert tm.tensor(2.71828).round(3).item() == 2.718


@pytest.mark.parametrize("f, whole", [(tm.remainder, math.floor), (tm.fmod, math.trunc)])
@pytest.mark.parametrize("a", [-7.3, -0.4, 0.4, 7.3, 100.0])
@pytest.mark.parametrize("b", [-2.2, 0.7, 3.0])
def test_the_derivatives_of_a_remainder_are_one_and_minus_the_quotient(f, whole, a, b):
    da, db = tm.grad(f, argnums=(0, 1))(a, b)
    assert float(da) == 1.0
    assert float(db) == -whole(a / b)
    assert float(tm.jvp(f, (a, b), (1.0, 1.0))[1]) == 1.0 - whole(a / b)


@pytest.mark.parametrize("f", [tm.fmod, tm.remainder])
def test_the_quotient_of_a_remainder_is_right_where_the_division_rounds_up(f):
    assert 0.5 / 0.1 == 5.0  # but the number written 0.1 is a little more than a tenth, and goes into 0.5 only 4 times
    assert float(tm.grad(f, argnums=1)(0.5, 0.1)) == -4.0


def test_divmod_gives_quotient_and_remainder():
    q, r = tm.divmod(tm.tensor([7.5, -7.5]), 2.0)
    assert q.tolist() == [3, -4]
    assert r.tolist() == [1.5, 0.5]


def test_splits_of_a_float_have_the_derivative_of_their_moving_part():
    x = tm.tensor([6.0, -0.3], requires_grad=True)
    mantissa, exponent = tm.frexp(x)
    np.testing.assert_array_equal((mantissa.detach() * 2.0 ** exponent.numpy()).numpy(), [6.0, -0.3])
    (mantissa * 2).sum().backward()
    assert x.grad.tolist() == [0.25, 4.0]
    fraction, whole = tm.modf(tm.tensor([2.5, -1.25]))
    assert fraction.tolist() == [0.5, -0.25]
    assert whole.tolist() == [2, -1]
    assert both_modes(lambda v: tm.modf(v)[0] + 3 * tm.modf(v)[1], 2.5) == 1.0
    assert both_modes(lambda v: tm.ldexp(v, 3), 1.5) == 8.0


# -- exponentials ---------------------------------------------------------------------------------------------------


def test_logaddexp_is_right_next_to_infinities():
    def gradient(a, b):
        return [float(g) for g in tm.grad(tm.logaddexp, argnums=(0, 1))(a, b)]

    assert gradient(-INF, 2.0) == [0, 1]
    assert gradient(2.0, -INF) == [1, 0]
    assert gradient(INF, 2.0) == [1, 0]
    assert gradient(-INF, -INF) == [0.5, 0.5]
    np.testing.assert_allclose(gradient(0.0, 50.0), [math.exp(-50), 1.0], rtol=1e-14)


@pytest.mark.parametrize("f, base", [(tm.logaddexp, math.e), (tm.logaddexp2, 2)])
def test_the_second_derivatives_of_logaddexp_at_a_tie(f, base):
    want = math.log(base) / 4
    close(both_modes(lambda x: f(x, 1.0), 1.0, 2), want, 1e-14)
    close(both_modes(lambda x: tm.grad(f, argnums=1)(x, 1.0), 1.0), -want, 1e-14)


def test_sigmoid_warns_nowhere_and_is_right_in_both_tails():
    y = tm.sigmoid(tm.tensor([-1000.0, -40.0, 0.0, 40.0, 1000.0]))
    np.testing.assert_allclose(y.numpy(), [0.0, math.exp(-40), 0.5, 1.0, 1.0], rtol=1e-15)
    close(both_modes(tm.sigmoid, 40.0), math.exp(-40), 1e-13)
    close(both_modes(tm.sigmoid, 40.0, 2), -math.exp(-40), 1e-13)
    assert tm.sigmoid(tm.tensor(np.array([0.5 + 1j]))).dtype == np.complex128


def test_log_softmax_keeps_the_digits_of_both_ends():
    for x in ([0.0, -50.0], [30.0, 0.0, -2.0], [1.0, 1.0, -40.0], [1000.0, -1000.0]):
        with mpmath.workdps(60):
            total = mpmath.log(mpmath.fsum(mpmath.exp(v) for v in x))
            want = [float(v - total) for v in x]
        np.testing.assert_allclose(tm.log_softmax(x).numpy(), want, rtol=1e-14)


@pytest.mark.parametrize("row", [[0.0, 0.0, 1.0], [2.0, 2.0, 2.0], [0.0, -40.0, -50.0], [-np.inf, 0.0, 1e4]])
def test_log_softmax_of_rows_is_that_of_each_row_on_its_own(row):
    """Also with ties; -inf has no share, and what has no largest number is NaN throughout."""
    odd = [[np.inf, 0.0, 1.0], [0.0, np.nan, np.inf], [-np.inf] * 3]
    with np.errstate(invalid="ignore"):
        for order in "CF":
            rows = np.array([row, *odd, row[::-1]], order=order)
            got, own = tm.log_softmax(rows).numpy(), tm.log_softmax(np.array(row)).numpy()
            np.testing.assert_allclose(got[[0, -1]], [own, own[::-1]], rtol=1e-15)
            assert np.isnan(got[1:-1]).all()


def test_softmax_gives_a_masked_element_no_weight_and_no_gradient():
    x = np.array([[1.0, -INF, 2.0]])
    for f in (tm.softmax, lambda v: tm.log_softmax(v)[:, ::2]):
        y, pull = tm.vjp(f, x)
        (g,) = pull(np.arange(1.0, y.size + 1).reshape(y.shape))
        assert np.isfinite(g.numpy()).all()
        assert g.numpy()[0, 1] == 0
    assert tm.softmax(x).numpy()[0, 1] == 0


@pytest.mark.parametrize("axis", [0, 1, -1, (0, 2), None])
def test_softmax_sums_to_one_along_any_axes(axis):
    x = tm.tensor(np.random.default_rng(0).normal(size=(2, 3, 4)) * 10)
    np.testing.assert_allclose(tm.softmax(x, axis=axis).sum(axis=axis).numpy(), 1.0, rtol=1e-14)
    np.testing.assert_allclose(tm.exp(x.log_softmax(axis=axis)).numpy(), x.softmax(axis=axis).numpy(), rtol=1e-13)


# -- choosing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("f", [tm.maximum, tm.minimum, tm.fmax, tm.fmin])
def test_ties_share_the_derivative(f):
    x, y = tm.tensor([1.0, 2.0, INF], requires_grad=True), tm.tensor([1.0, 2.0, INF], requires_grad=True)
    f(x, y).sum().backward()
    assert x.grad.tolist() == y.grad.tolist() == [0.5, 0.5, 0.5]
    assert tm.jvp(f, (1.0, 1.0), (3.0, 5.0))[1].item() == 4.0


@pytest.mark.parametrize("f, sign", [(tm.maximum, 1), (tm.fmax, 1), (tm.minimum, -1), (tm.fmin, -1)])
def test_the_extreme_one_takes_the_derivative(f, sign):
    gx, gy = tm.grad(lambda a, b: f(a, b).sum(), argnums=(0, 1))(sign * np.array([1.0, -2.0]), np.zeros(2))
    assert gx.tolist() == [1, 0]
    assert gy.tolist() == [0, 1]


@pytest.mark.parametrize("f", [tm.fmax, tm.fmin])
def test_fmax_and_fmin_pass_everything_to_the_number_beside_a_nan(f):
    gx, gy = tm.grad(lambda a, b: f(a, b).sum(), argnums=(0, 1))(np.array([np.nan, 1.0]), np.array([2.0, np.nan]))
    assert gx.tolist() == [0, 1]
    assert gy.tolist() == [1, 0]


WAYS = {"eager": lambda f: f, "numpy": tm.compile, "native": lambda f: tm.compile(f, backend="native")}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("f", [tm.maximum, tm.minimum])
def test_the_derivative_goes_to_the_nan_that_is_handed_on(f, way):
    a, b = np.array([np.nan, 3.0, np.nan]), np.array([2.0, np.nan, np.nan])
    both = (0, 1)
    assert [g.tolist() for g in way(tm.grad(lambda a, b: f(a, b).sum(), argnums=both))(a, b)] == [[1, 0, 1], [0, 1, 1]]
    tangents = np.full(3, 5.0), np.full(3, 7.0)
    assert way(lambda a, b: tm.jvp(f, (a, b), tangents)[1])(a, b).tolist() == [5, 7, 12]


PIECES = {  # each with its slope for a nan: of the piece that a nan goes through, or nan
    "relu": (tm.relu, 1), "relu6": (F.relu6, 1), "hardtanh": (F.hardtanh, 1), "hardshrink": (F.hardshrink, 1),
    "threshold": (lambda x: F.threshold(x, 0.5, 0.0), 1), "clip": (lambda x: tm.clip(x, -1.0, 1.0), 1),
    "positive part": (lambda x: tm.maximum(x, 0.0), 1), "negative part": (lambda x: tm.minimum(0.0, x), 1),
    "hinge": (lambda x: tm.maximum(0.0, 1.0 - 2.0 * x), -2), "ranking": (lambda x: tm.relu(3.0 * x + 1.0), 3),
    "hardsigmoid": (F.hardsigmoid, 1 / 6), "leaky_relu": (lambda x: F.leaky_relu(x, 0.25), 0.25),
    "prelu": (lambda x: F.prelu(x, 0.25), 0.25), "max": (lambda x: tm.max(x, keepdims=True), 1),
    "softshrink": (F.softshrink, 1), "abs": (tm.abs, np.nan), "elu": (F.elu, np.nan), "celu": (F.celu, np.nan),
    "selu": (F.selu, np.nan), "hardswish": (F.hardswish, np.nan),
    "huber": (lambda x: F.huber_loss(x, np.zeros(x.shape), reduction="none"), np.nan),
    "smooth l1": (lambda x: F.smooth_l1_loss(x, np.zeros(x.shape), reduction="none"), np.nan),
}  # fmt: skip


@pytest.mark.parametrize("name", PIECES)
def test_a_nan_has_the_slope_of_the_piece_that_hands_it_on(name):
    f, slope = PIECES[name]
    x = np.array([np.nan])
    assert np.isnan(f(tm.tensor(x)).item())
    for way in WAYS.values():
        assert way(tm.grad(lambda x: f(x).sum()))(x).tolist() == pytest.approx([slope], rel=1e-15, nan_ok=True)
        assert way(lambda x: tm.jvp(f, (x,), (np.ones(1),))[1])(x).tolist() == pytest.approx([slope], nan_ok=True)


def test_of_a_number_and_its_bounds_the_nan_is_handed_on_by_clip():
    nan = np.nan
    x, low, high = np.array([nan, 2.0, 2.0, nan]), np.array([0.0, nan, 0.0, nan]), np.array([1.0, 1.0, nan, 1.0])
    found = tm.grad(lambda *a: tm.clip(*a).sum(), argnums=(0, 1, 2))(x, low, high)
    assert [g.tolist() for g in found] == [[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 0]]
    assert tm.jvp(tm.clip, (x, low, high), (np.full(4, 3.0), np.full(4, 5.0), np.full(4, 7.0)))[1].tolist() == [
        3,
        5,
        7,
        3,
    ]


def test_clip_passes_one_on_its_bounds_and_beyond_them_to_the_bound():
    x = np.array([-1.0, 0.0, 0.5, 1.0, 2.0])
    low, high = np.zeros(5), np.ones(5)
    gx, gl, gh = tm.grad(lambda *a: tm.clip(*a).sum(), argnums=(0, 1, 2))(x, low, high)
    assert gx.tolist() == [0, 1, 1, 1, 0]
    assert gl.tolist() == [1, 0, 0, 0, 0]
    assert gh.tolist() == [0, 0, 0, 0, 1]
    assert tm.jvp(tm.clip, (x, low, high), (x, low + 2, high + 4))[1].tolist() == [2, 0, 0.5, 1, 5]


def test_clip_takes_one_bound_none_and_numpys_names():
    x = tm.tensor([-1.0, 0.5, 2.0])
    assert tm.clip(x, max=1.0).tolist() == [-1, 0.5, 1]
    assert tm.clip(x, 0.0).tolist() == x.clip(min=0.0).tolist() == np.clip(x, 0.0, None).tolist() == [0, 0.5, 2]
    assert tm.clip(x, a_min=0.0, a_max=1.0).tolist() == np.clip(x, a_min=0.0, a_max=1.0).tolist() == [0, 0.5, 1]
    assert tm.clip(x).tolist() == x.tolist()
    assert tm.clip(tm.tensor([[5], [1]]), tm.tensor([2, 0, 6]), None).tolist() == [[5, 5, 6], [2, 1, 6]]
    for dtype in (np.uint8, np.int16, np.float32):
        assert tm.clip(np.array([0, 1], dtype), min=1).dtype == dtype
    with pytest.raises(TypeError, match="two names"):
        tm.clip(x, 0.0, a_min=1.0)


def test_a_bound_beyond_the_numbers_of_x_is_kept_where_the_other_is_missing():
    bits = np.array([False, True])
    for x, low, high in ((bits, 2, None), (bits, None, np.int8(-1)), (bits, 0.5, None), (True, np.array([2, 3]), None),
                         (np.array([1, 5], "i1"), np.array(300.5), None), (np.uint8([1, 5]), None, -2.5)):  # fmt: skip
        want, got = np.clip(x, low, high), tm.clip(x, low, high)
        np.testing.assert_array_equal(got.numpy(), want)
        np.testing.assert_array_equal(np.clip(tm.tensor(x), low, high).numpy(), want)
        assert got.dtype == want.dtype
    assert tm.grad(lambda low: tm.clip(np.array([1, 5], "i1"), low, None).sum())(300.5) == 2


def test_crossed_bounds_give_the_upper_one_and_its_derivative():
    gx, gl, gh = tm.grad(tm.clip, argnums=(0, 1, 2))(0.0, 2.0, 1.0)
    assert [float(g) for g in (gx, gl, gh)] == [0, 0, 1]


def test_where_is_ieee_and_piecewise_is_right():
    x = tm.tensor([0.0, 4.0])
    assert np.isnan(tm.grad(lambda v: tm.where(v > 0, tm.sqrt(v), 0.0).sum())(x).numpy()[0])
    g = tm.grad(lambda v: tm.piecewise(v, [v > 0], [tm.sqrt, 0.0]).sum())(x)
    assert g.tolist() == [0, 0.25]
    t = tm.jvp(lambda v: tm.piecewise(v, [v > 0], [tm.sqrt, 0.0]), (x,), (np.ones(2),))[1]
    assert t.tolist() == [0, 0.25]


def test_piecewise_is_numpys_function():
    x = np.linspace(-2, 2, 9).reshape(3, 3)
    cases = [
        ([x < 0, x >= 0], [lambda v: -v, lambda v: v * v]),
        ([x < 0, x > 1], [lambda v: -v, 7.0]),
        ([x < 0, x > 1], [lambda v: -v, 7.0, lambda v: v**3]),
        ([x < 1, x < 0], [1.0, 2.0]),
        ([x > 9], [lambda v: v / 0, 5.0]),
    ]
    for conditions, pieces in cases:
        np.testing.assert_array_equal(
            tm.piecewise(tm.tensor(x), conditions, pieces).numpy(), np.piecewise(x, conditions, pieces)
        )
    row = x.reshape(-1)
    for pieces in ([np.negative], [np.negative, np.square]):  # a single condition may stand alone
        np.testing.assert_array_equal(tm.piecewise(row, row < 0, pieces).numpy(), np.piecewise(row, row < 0, pieces))
    np.testing.assert_array_equal(np.piecewise(tm.tensor(x), [x < 0], [lambda v: -v]).numpy(), np.maximum(-x, 0))
    assert tm.piecewise(tm.tensor(2.0), [tm.tensor(2.0) > 0], [lambda v, k: k * v, 0.0], 3).item() == 6.0


def test_each_piece_sees_its_own_elements_and_no_others():
    seen = []

    def piece(v):
        seen.append(v.numpy())
        return v

    x = tm.tensor([[-1.0, 2.0], [3.0, -4.0]])
    tm.piecewise(x, [x > 0, x < -9], [piece, piece])
    assert [s.tolist() for s in seen] == [[2.0, 3.0]]


def test_piecewise_is_differentiable_twice_and_in_the_values_of_its_pieces():
    def f(x, c):
        return tm.piecewise(x, [x > 0.5, x < -0.5], [lambda v: c * v**3, tm.sin, c * c])

    check_grads(f, (np.array([-1.2, -0.1, 0.2, 0.9, 1.4]), 1.3), order=2)


def test_piecewise_does_not_cast_silently():
    assert tm.piecewise(np.array([1, 2]), [np.array([True, False])], [0.5]).tolist() == [0.5, 0.0]
    assert tm.piecewise(np.array([1, 2], np.float32), [np.array([True, False])], [0.5]).dtype == np.float32


@pytest.mark.parametrize(
    "transform", [tm.vmap, tm.compile, lambda f: tm.vmap(tm.grad(f)), lambda f: tm.compile(tm.vmap(f))]
)
def test_piecewise_of_what_is_not_known_says_what_to_write(transform):
    x = np.array([4.0, 0.0, -1.0])
    with pytest.raises(tm.TraceError, match=r"(?s)piecewise.*where\(c, f\(where\(c, x, 1\.0\)\), other\).*line"):
        transform(lambda x: tm.piecewise(x, [x > 0], [tm.sqrt, 0.0]))(x)
    f = lambda x: tm.where(x > 0, tm.sqrt(tm.where(x > 0, x, 1.0)), 0.0)  # noqa: E731
    np.testing.assert_array_equal(tm.vmap(f)(x), [2.0, 0.0, 0.0])
    np.testing.assert_array_equal(tm.vmap(tm.grad(f))(x), [0.25, 0.0, 0.0])
    outside = tm.grad(lambda x: tm.piecewise(x, [x > 0], [tm.sqrt, 0.0]).sum())
    np.testing.assert_array_equal(outside(x), [0.25, 0.0, 0.0])


def test_piecewise_and_select_say_what_is_wrong():
    x = tm.tensor([1.0, 2.0])
    with pytest.raises(TypeError, match="1 or 2 pieces, got 3"):
        tm.piecewise(x, [x > 0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="does not fit"):
        tm.piecewise(x, [tm.tensor([True, False, True])], [1.0])
    with pytest.raises(TypeError, match="got 1 and 2"):
        tm.select([x > 0], [x, x])
    with pytest.raises(TypeError, match="both of its values"):
        tm.where(x > 0, x)


def test_select_takes_the_first_condition_that_holds():
    x = np.arange(6.0)
    conditions, choices = [x < 2, x < 4], [x, x * x]
    want = np.select(conditions, choices, default=-1.0)
    np.testing.assert_array_equal(tm.select(conditions, [tm.tensor(c) for c in choices], default=-1.0).numpy(), want)
    np.testing.assert_array_equal(np.select(conditions, [tm.tensor(c) for c in choices], -1.0).numpy(), want)
    g = tm.grad(lambda v: tm.select([v < 2, v < 4], [v, v * v], 0.0).sum())(x)
    assert g.tolist() == [1, 1, 4, 6, 0, 0]


@pytest.mark.parametrize(
    "f",
    [tm.relu, lambda x: tm.clip(x, 0.0), lambda x: tm.maximum(x, 0.0), lambda x: tm.where(x > 0, x, 0.0)],
)
def test_an_infinite_slope_further_on_does_not_reach_what_was_not_chosen(f):
    x = tm.tensor([-2.0, 4.0])
    assert tm.grad(lambda v: tm.sqrt(f(v)).sum())(x).tolist() == [0, 0.25]
    assert tm.jvp(f, (x,), (np.array([INF, 1.0]),))[1].tolist() == [0, 1]


def test_where_with_one_argument_gives_indices():
    (i,) = tm.where(tm.tensor([0.0, 3.0, 0.0, 1.0]))
    assert i.tolist() == [1, 3]


def test_nan_to_num_passes_the_derivative_of_finite_elements_only():
    x = np.array([1.0, np.nan, INF, -INF])
    assert tm.nan_to_num(x, nan=5.0, posinf=6.0, neginf=7.0).tolist() == [1, 5, 6, 7]
    assert tm.grad(lambda v: tm.nan_to_num(v).sum())(x).tolist() == [1, 0, 0, 0]
    z = np.array([complex(np.nan, 2.0)])
    assert tm.grad(lambda v: (tm.real(tm.nan_to_num(v)) + 3 * tm.imag(tm.nan_to_num(v))).sum())(z).tolist() == [3j]


# -- complex numbers -------------------------------------------------------------------------------------------------


def test_the_parts_of_a_complex_number_have_torchs_gradients():
    z = np.array([1 + 2j, -0.5j])
    assert tm.grad(lambda v: tm.real(v).sum())(z).tolist() == [1, 1]
    assert tm.grad(lambda v: tm.imag(v).sum())(z).tolist() == [1j, 1j]
    np.testing.assert_allclose(tm.grad(lambda v: tm.angle(v).sum())(z).numpy(), 1j * z / np.abs(z) ** 2)
    assert tm.grad(lambda v: tm.imag(v).sum())(z.real).tolist() == [0, 0]
    assert tm.angle(np.array([-1.0, 1.0])).tolist() == [math.pi, 0]
    check_grads(lambda v: tm.real(tm.conj(v) * tm.exp(v) * 1j) + tm.angle(v), (z,), order=2)


HOLOMORPHIC = [
    "exp",
    "log",
    "sqrt",
    "sin",
    "tan",
    "asin",
    "acos",
    "atan",
    "asinh",
    "acosh",
    "atanh",
    "tanh",
    "sigmoid",
    "sinc",
]


@pytest.mark.parametrize("name", HOLOMORPHIC)
@pytest.mark.parametrize("z", [0.6 + 0.8j, -1.5 + 0.2j, -0.3 - 2j, 2 - 0.4j])
def test_complex_derivatives_are_on_the_right_branch(name, z):
    f = getattr(tm, name)
    h = 1e-4
    values = [complex(f(np.array(z + k * h)).numpy()) for k in (-2, -1, 1, 2)]
    want = (8 * (values[2] - values[1]) - (values[3] - values[0])) / (12 * h)
    got = complex(tm.grad(f, holomorphic=True)(np.array(z)).numpy())
    assert abs(got - want) < 1e-9 * (1 + abs(want))
    tangent = complex(tm.jvp(f, (np.array(z),), (np.array(1 + 0j),))[1].numpy())
    assert abs(got - tangent) < 1e-13 * (1 + abs(got))


def test_complex_powers_are_right_at_zero():
    for p, want in [(1, 1), (2, 0), (3, 0)]:
        for exponent in (p, np.array(p), np.array(p + 0j)):
            g = tm.grad(lambda z, p=exponent: tm.power(z, p), holomorphic=True)(np.array(0j))
            assert complex(g.numpy()) == want


def test_real_if_close_drops_only_what_is_rounding():
    assert tm.real_if_close([1 + 1e-16j]).dtype == np.float64
    assert tm.real_if_close([1 + 1e-3j]).dtype == np.complex128
    assert tm.real_if_close([1 + 1e-3j], tol=0.01).dtype == np.float64
    assert tm.iscomplexobj(tm.tensor([1j]))
    assert tm.isrealobj(tm.tensor([1.0]))


# -- dtypes ------------------------------------------------------------------------------------------------------------

NARROW = {
    "x + 1": lambda x: x + 1, "2.0 - x": lambda x: 2.0 - x, "x * 3": lambda x: x * 3, "1 / x": lambda x: 1 / x,
    "x ** 2": lambda x: x**2, "x ** 3": lambda x: x**3, "x ** -2": lambda x: x**-2, "x ** 2.5": lambda x: x**2.5,
    "2 ** x": lambda x: 2**x, "x ** x": lambda x: x**x, "x ** 0": lambda x: x**0, "mod": lambda x: tm.remainder(x, 0.7),
    "maximum": lambda x: tm.maximum(x, 0.5), "clip": lambda x: tm.clip(x, 0.1, 0.9),
    "where": lambda x: tm.where(x > 0.5, x, 0.0),
    "hypot": lambda x: tm.hypot(x, 1.0), "logaddexp": lambda x: tm.logaddexp(x, 0.0),
    "atan2": lambda x: tm.atan2(x, 2.0),
    "sigmoid": tm.sigmoid, "relu": tm.relu, "sinc": tm.sinc, "softmax": tm.softmax, "log_softmax": tm.log_softmax,
    "select": lambda x: tm.select([x > 0.5], [x]), "asinh": tm.asinh, "log10": tm.log10, "exp2": tm.exp2,
    "piecewise": lambda x: tm.piecewise(x, [x > 0.5], [tm.sqrt, 0.0]), "nan_to_num": tm.nan_to_num, "abs": tm.abs,
    "fmax": lambda x: tm.fmax(x, 0.3), "copysign": lambda x: tm.copysign(x, -1.0), "deg2rad": tm.deg2rad,
}  # fmt: skip


@pytest.mark.parametrize("name", NARROW)
def test_float32_stays_float32_through_numbers_and_two_derivatives(name):
    f, x = NARROW[name], np.array([0.3, 0.8], np.float32)
    assert f(tm.tensor(x)).dtype == np.float32
    first = lambda v: tm.grad(lambda u: (f(u) * f(u)).sum())(v)  # noqa: E731
    assert first(tm.tensor(x)).dtype == np.float32
    assert tm.jvp(first, (x,), (x,))[1].dtype == np.float32


def test_bits_and_divisors_are_numpys():
    a, b = np.array([12, 5, 255], np.uint8), np.array([10, 3, 1], np.uint8)
    for name in ("bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "bitwise_right_shift", "gcd", "lcm"):
        np.testing.assert_array_equal(getattr(tm, name)(a, b).numpy(), getattr(np, name)(a, b))
    np.testing.assert_array_equal((~tm.tensor(a)).numpy(), ~a)
    np.testing.assert_array_equal(tm.bitwise_count(a).numpy(), [2, 2, 8])
    assert ((tm.tensor(a) & 4) | 1).dtype == np.uint8
    with pytest.raises(TypeError, match="bitwise_and"):
        tm.bitwise_and(1.5, 2)


def test_comparisons_and_tests_are_numpys():
    x = np.array([-INF, -1.0, -0.0, 0.0, 2.0, INF, np.nan])
    for name in ("isnan", "isinf", "isfinite", "signbit", "isposinf", "isneginf", "isreal"):
        np.testing.assert_array_equal(getattr(tm, name)(x).numpy(), getattr(np, name)(x))
    assert tm.allclose([1.0, np.nan], [1.0 + 1e-9, np.nan], equal_nan=True)
    assert not tm.allclose([1.0, np.nan], [1.0, np.nan])
    assert tm.isclose([1.0, 2.0], [1.0, 2.1]).tolist() == [True, False]


def test_every_op_of_the_family_has_samples_with_the_usual_edges():
    for name in ("power", "clip", "where", "maximum", "softmax", "sinc", "absolute", "remainder", "logaddexp"):
        shapes = {np.shape(a) for s in registry[name].samples() for a in s.args}
        assert any(0 in s for s in shapes), f"{name} has no empty sample"
        assert any(s == () for s in shapes) or name == "softmax", f"{name} has no 0-d sample"
