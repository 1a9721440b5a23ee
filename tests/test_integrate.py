"""tm.integrate: solutions of differential equations and their derivatives, against closed forms and SciPy's solver."""

import numpy as np
import pytest
import scipy.integrate
import scipy.linalg
from cases import each

import tinygrad_math as tm
from tinygrad_math.testing import check_grads

odeint = tm.integrate.odeint
A = np.array([[-0.1, 2.0], [-2.0, -0.3]])
Y0 = np.array([2.0, 0.5])
T = np.array([0.5, 0.8, 1.7])


def linear(a, y0, t, **more):
    return odeint(lambda y, t, a: a @ y, y0, t, args=(a,), **more)


def closed(a, y0, t):
    return tm.stack([tm.linalg.expm(a * (s - t[0])) @ y0 for s in t])


def test_values_are_those_of_the_closed_form_and_of_scipys_solver():
    got = linear(A, Y0, T).numpy()
    np.testing.assert_allclose(got, [scipy.linalg.expm(A * (s - T[0])) @ Y0 for s in T], rtol=1e-8)
    theirs = scipy.integrate.odeint(lambda y, t: A @ y, Y0, T)
    np.testing.assert_allclose(got, theirs, rtol=1e-6)
    back = linear(A, got[-1], T[::-1]).numpy()  # times may fall
    np.testing.assert_allclose(back[-1], Y0, rtol=1e-7)


@each("method", [None, "RK45", "Radau"])
def test_derivatives_in_the_state_the_parameters_and_the_times(method):
    t, tolerance = (T, 1e-8) if method is None else (T[:2], 1e-6)
    got = tm.jacobian(lambda *p: linear(*p, method=method, rtol=tolerance, atol=tolerance), argnums=(0, 1, 2))(A, Y0, t)
    want = tm.jacobian(closed, argnums=(0, 1, 2))(A, Y0, t)
    for g, w in zip(got, want):
        np.testing.assert_allclose(g.numpy(), w.numpy(), atol=1e-7 if method is None else 1e-5)


def test_both_modes_agree_at_second_order():
    def brusselator(p, y0, t):
        return odeint(lambda y, t, p: [1 + y[0] ** 2 * y[1] - (p + 1) * y[0], p * y[0] - y[0] ** 2 * y[1]], y0, t, p)

    check_grads(brusselator, (np.array(1.7), np.array([1.1, 0.9]), np.array([0.0, 0.1])), order=2)
    one = np.array([0.0, 0.1])
    check_grads(lambda a: odeint(lambda y, t: -a * y * y, 1.0, one, rtol=1e-4, method="Radau"), (1.2,), order=2)


def test_the_logistic_curve_has_its_derivatives_of_every_order():
    got, want = lambda r: odeint(lambda y, t: r * y * (1 - y), 0.1, [0.0, 1.0])[-1], lambda r: 1 / (1 + 9 * tm.exp(-r))
    for tolerance in (1e-9, 1e-8, 1e-7, 1e-6):
        assert got(1.3).item() == pytest.approx(want(1.3).item(), rel=tolerance)
        got, want = tm.grad(got), tm.grad(want)


def test_an_oscillator_keeps_its_energy_and_the_slope_of_it():
    def energy(w):
        y = odeint(lambda y, t: tm.stack([y[1], -(w**2) * y[0]]), [1.0, 0.0], [0.0, 5.0, 10.0])
        return (w**2 * y[-1, 0] ** 2 + y[-1, 1] ** 2) / 2

    assert energy(1.5).item() == pytest.approx(1.125, rel=1e-6)
    assert tm.grad(energy)(1.5).item() == pytest.approx(1.5, rel=1e-5)


def test_what_decays_fast_stays_right_backward():
    """Followed against its direction, exp(-60) would have to grow again from the last digit."""
    end = tm.value_and_grad(lambda k: odeint(lambda y, t: 1.0 - k * y, 5.0, [0.0, 20.0])[-1])
    value, slope = end(3.0)
    assert value.item() == pytest.approx(1 / 3, rel=1e-7)
    assert slope.item() == pytest.approx(-1 / 9, rel=1e-6)


def test_a_stiff_equation_is_taken_by_radaus_method():
    def end(k, a, **more):  # y runs along a cos t at a distance of a/k
        more = {"rtol": 1e-5, "atol": 1e-7, "mxstep": 60, **more}
        return odeint(lambda y, t: -k * (y - a * tm.cos(t)), 0.0, [0.0, 1.5], **more)[-1]

    def closed(k, a):
        return a * k * (k * np.cos(1.5) + np.sin(1.5)) / (k**2 + 1)

    k, a = 2e4, 3.0
    value, slopes = tm.value_and_grad(end, argnums=(0, 1))(k, a)
    assert value.item() == pytest.approx(closed(k, a), rel=1e-5)
    assert slopes[0].item() == pytest.approx((closed(k + 1, a) - closed(k - 1, a)) / 2, rel=2e-2)
    assert slopes[1].item() == pytest.approx(closed(k, 1.0), rel=1e-5)
    with pytest.raises(tm.NoConvergence, match=r"DOP853 took more than 60 steps .*method='Radau'"):
        end(k, a, method="DOP853")


def test_trees_of_arguments_and_what_func_closes_over():
    w = tm.tensor([[0.1, 0.4], [-0.3, 0.2]], requires_grad=True)

    def loss(p):
        return (odeint(lambda y, t, p: tm.tanh(p["w"] @ y) + p["b"][0] * t, Y0, T, (p,)) ** 2).sum()

    p = {"w": w.detach().numpy(), "b": [np.array([0.1, -0.2])]}
    got = tm.grad(loss)(p)
    check_grads(loss, (p,))
    (odeint(lambda y, t: tm.tanh(w @ y) + np.array([0.1, -0.2]) * t, Y0, T) ** 2).sum().backward()
    np.testing.assert_allclose(w.grad.numpy(), got["w"].numpy(), rtol=1e-10)


def test_a_branch_on_time_reaches_what_it_closes_over():
    kick = tm.grad(lambda a: odeint(lambda y, t: a * y if t >= 1.0 else -y, 1.0, [0.0, 1.0, 2.0])[-1])
    assert kick(0.5).item() == pytest.approx(np.exp(-1.0) * np.exp(0.5), rel=1e-7)


def test_what_func_does_to_its_own_state_stays_there():
    def in_place(y, t, k):
        y *= k
        return -y

    slope = tm.grad(lambda k: odeint(in_place, [1.0, 2.0], [0.0, 1.0], (k,))[-1].sum())
    assert slope(0.5).item() == pytest.approx(-3 * np.exp(-0.5), rel=1e-7)


def test_states_of_any_shape_complex_ones_and_single_precision():
    many = linear(A, np.stack([Y0, -Y0], 1), T)
    assert many.shape == (3, 2, 2)
    np.testing.assert_allclose(many[..., 1].numpy(), -linear(A, Y0, T).numpy(), rtol=1e-8)
    turned = odeint(lambda y, t: 1j * y, 1 + 0j, [0.0, 1.0])
    np.testing.assert_allclose(turned[-1].item(), np.exp(1j), rtol=1e-8)
    single = tm.value_and_grad(lambda a: odeint(lambda y, t: -a * y, np.ones(2, np.float32), [0.0, 1.0])[-1].sum())
    value, slope = single(np.float32(0.5))
    assert value.dtype == slope.dtype == np.float32
    np.testing.assert_allclose([value.item(), slope.item()], [2 * np.exp(-0.5), -2 * np.exp(-0.5)], rtol=1e-5)
    assert odeint(lambda y, t: y, np.ones((2, 0)), [0.0, 1.0]).shape == (2, 2, 0)
    assert not odeint(lambda y, t: y, 1, [0, 1]).requires_grad
    assert odeint(lambda t, y: t * y, 1, [0, 1], tfirst=True)[-1].item() == pytest.approx(np.exp(0.5))


def test_an_interval_of_no_length_moves_with_its_ends():
    ends = tm.grad(lambda t: odeint(lambda y, t: y, 1.0, t)[-1])
    np.testing.assert_allclose(ends(np.array([0.0, 1.0, 1.0])).numpy(), [-np.e, 0.0, np.e], atol=1e-6)
    np.testing.assert_allclose(ends(np.array([0.3, 0.3])).numpy(), [-1.0, 1.0])


def test_examples_have_steps_of_their_own_under_vmap():
    def end(k, y):
        return odeint(lambda y, t, k: -k * y, y, [0.0, 2.0], args=(k,))[-1]

    k, y = np.array([0.5, 5.0]), np.array([1.0, 2.0])
    np.testing.assert_allclose(tm.vmap(end)(k, y).numpy(), y * np.exp(-2 * k), atol=1e-8)
    np.testing.assert_allclose(tm.vmap(tm.grad(end))(k, y).numpy(), -2 * y * np.exp(-2 * k), atol=1e-7)
    np.testing.assert_allclose(tm.vmap(tm.grad(tm.grad(end)))(k, y).numpy(), 4 * y * np.exp(-2 * k), atol=1e-6)
    whole = tm.grad(lambda k: tm.vmap(lambda y: end(k, y))(y).sum())
    assert whole(0.5).item() == pytest.approx(-6 * np.exp(-1.0), rel=1e-7)
    pushed = tm.jvp(lambda k: tm.vmap(lambda y: end(k, y))(y).sum(), (0.5,), (1.0,))[1]
    assert pushed.item() == pytest.approx(-6 * np.exp(-1.0), rel=1e-7)
    with pytest.raises(tm.NoDerivative, match="give it as an argument"):
        tm.grad(lambda k: tm.vmap(lambda y: odeint(lambda y, t: -k * y, y, [0.0, 2.0])[-1])(y).sum())(0.5)


def test_a_trace_has_no_values_to_choose_steps_by():
    for f in (lambda y: odeint(lambda y, t: -y, y, T), lambda k: odeint(lambda y, t: -k * y, 1.0, T)):
        with pytest.raises(tm.TraceError, match=r"odeint: how long the steps are"):
            tm.compile(f)(0.5)


WRONG = {
    "a pole": (lambda: odeint(lambda y, t: y * y, 1.0, [0.0, 2.0]), tm.NoConvergence, r"stopped at t = 1: .*pole"),
    "no number": (lambda: odeint(lambda y, t: y * np.nan, 1.0, [0.0, 2.0]), tm.NoConvergence, "not finite at t = 0"),
    "a start of none": (lambda: odeint(lambda y, t: y, np.inf, [0.0, 2.0]), tm.NoConvergence, "y0 is not finite"),
    "another shape": (lambda: odeint(lambda y, t: y[:1], Y0, T), tm.ShapeError, r"returned float64\(1,\) for y"),
    "complex slopes": (lambda: odeint(lambda y, t: 1j * y, Y0, T), tm.DTypeError, "complex y0"),
    "complex Radau": (lambda: odeint(lambda y, t: y, 1j, T, method="Radau"), tm.DTypeError, "real y"),
    "times to and fro": (lambda: odeint(lambda y, t: y, Y0, [0.0, 2.0, 1.0]), tm.ArgumentError, "rise, or fall"),
    "a single time": (lambda: odeint(lambda y, t: y, Y0, 1.0), tm.ArgumentError, "t is a vector"),
    "a method": (lambda: odeint(lambda y, t: y, Y0, T, method="LSODA"), tm.ArgumentError, "DOP853, RK45, Radau"),
    "a tolerance": (lambda: odeint(lambda y, t: y, Y0, T, atol=np.nan), tm.ArgumentError, "atol bounds .* got nan"),
    "no steps": (lambda: odeint(lambda y, t: y, Y0, T, mxstep=0), tm.ArgumentError, "from 1, got 0"),
}


@each("name", WRONG)
def test_what_does_not_fit_or_does_not_end_is_named(name):
    call, error, words = WRONG[name]
    with pytest.raises(error, match=words):
        call()


def test_scipys_odeint_is_followed_through_lift():
    lifted = tm.lift(scipy.integrate).odeint

    def end(k, y0):
        return lifted(lambda y, t, k: [-k * y[0], y[1] / k], y0, T, args=(k,), rtol=1e-6)

    value, info = lifted(lambda y, t, k: -k * y, Y0, T, (tm.tensor(0.5),), full_output=True)
    assert type(value) is np.ndarray
    assert info["message"] == "Integration successful."
    got = tm.jacobian(end)(0.7, Y0)
    s = T - T[0]
    np.testing.assert_array_equal(
        end(tm.tensor(0.7), Y0), scipy.integrate.odeint(lambda y, t: [-0.7 * y[0], y[1] / 0.7], Y0, T, rtol=1e-6)
    )
    want = [-s * 2.0 * np.exp(-0.7 * s), -s / 0.49 * 0.5 * np.exp(s / 0.7)]
    np.testing.assert_allclose(got.numpy(), np.stack(want, 1), rtol=1e-6)
    check_grads(lambda y: tm.asarray(lifted(lambda y, t: -y * y, y, T[:2])), (Y0[:1],), order=2)
    with pytest.raises(tm.NoDerivative, match=r"Take tm\.integrate\.odeint"):  # errors grow by exp(12)
        tm.grad(lambda a: lifted(lambda y, t: y - 2 * tm.exp(-a * t), 1.0, [0.0, 12.0], rtol=1e-4)[-1].sum())(1.0)
