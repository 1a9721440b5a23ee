"""tm.while_loop, and loops whose number of steps is known at the call alone."""

import numpy as np
import pytest
from pythons_loops import close

import tinygrad_math as tm
from tinygrad_math.core.errors import NoConvergence, NoDerivative


def newton(a, max_steps=None):
    """The square root of a, with the number of steps that it took."""
    return tm.while_loop(
        lambda s: tm.abs(s[0] * s[0] - a) > 1e-10, lambda s: (0.5 * (s[0] + a / s[0]), s[1] + 1), (a, 0), max_steps
    )


def python_newton(a):
    x, n = a, 0
    while abs((x * x - a).item()) > 1e-10:
        x, n = 0.5 * (x + a / x), n + 1
    return x, n


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_while_loops(compiled):
    wrap = tm.compile if compiled else lambda f: f
    for a in (2.0, 1e4):
        x, n = wrap(newton)(a)
        want, count = python_newton(tm.tensor(a))
        close(x, want)
        assert n.item() == count
        want = tm.jvp(lambda a: python_newton(a)[0], (a,), (3.0,))
        close(wrap(lambda a: tm.jvp(lambda a: newton(a)[0], (a,), (3.0,)))(a), want)
        close(wrap(tm.grad(lambda a: newton(a, 40)[0]))(a), want[1] / 3)
        second = tm.grad(tm.grad(lambda a: python_newton(a)[0]))(a)
        close(wrap(tm.grad(tm.grad(lambda a: newton(a, 40)[0])))(a), second, rtol=1e-9)
        close(wrap(tm.hessian(lambda a: newton(a, 40)[0]))(a), second, rtol=1e-9)
        close(wrap(lambda a: tm.jvp(tm.grad(lambda a: newton(a, 40)[0]), (a,), (1.0,)))(a)[1], second, rtol=1e-9)
    with pytest.raises(NoDerivative, match="max_steps"):
        wrap(tm.grad(lambda a: newton(a)[0]))(2.0)
    with pytest.raises(NoConvergence, match="max_steps=2"):
        wrap(lambda a: newton(a, 2)[0])(2.0)
    assert wrap(lambda a: newton(a, 6)[1])(2.0).item() <= 6


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_each_example_of_a_batch_ends_by_itself(compiled):
    wrap = tm.compile if compiled else lambda f: f
    a = np.array([1.0, 2.0, 100.0, 1e6])
    x, n = wrap(tm.vmap(newton))(a)
    rows = [python_newton(tm.tensor(v)) for v in a]
    close(x, tm.stack([r[0] for r in rows]))
    assert n.tolist() == [r[1] for r in rows]
    slopes = tm.stack([tm.grad(lambda v: python_newton(v)[0])(v) for v in a])
    close(wrap(tm.vmap(tm.grad(lambda v: newton(v, 40)[0])))(a), slopes)
    close(wrap(tm.grad(lambda v: tm.vmap(lambda u: newton(u, 40)[0])(v).sum()))(a), slopes)
    close(wrap(lambda v: tm.jvp(tm.vmap(lambda u: newton(u)[0]), (v,), (np.ones(4),)))(a)[1], slopes)
    seconds = tm.stack([tm.grad(tm.grad(lambda v: python_newton(v)[0]))(v) for v in a])
    close(wrap(tm.vmap(tm.grad(tm.grad(lambda v: newton(v, 40)[0]))))(a), seconds, rtol=1e-8)
    nested = wrap(tm.vmap(tm.vmap(lambda u: newton(u)[0])))(a.reshape(2, 2))
    close(nested, np.sqrt(a).reshape(2, 2), rtol=1e-8)


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
def test_a_finished_example_meets_no_point_at_which_the_step_is_undefined(compiled):
    """sqrt(1 - x) has an infinite slope at 1, where the second example has finished: 0 times it would be NaN."""
    wrap = tm.compile if compiled else lambda f: f

    def f(x, s):
        return tm.while_loop(lambda c: c < 0.9, lambda c: tm.sqrt(1 - c) * s + 0.1, x, max_steps=5)

    xs = np.array([0.1, 1.0])
    got = wrap(tm.grad(lambda s: tm.vmap(f, in_axes=(0, None))(xs, s).sum()))(0.9)
    want = tm.grad(lambda s: tm.sqrt(1 - 0.1 * s**0) * s + 0.1)(0.9)
    close(got, want)


def test_a_condition_that_is_known_while_tracing_is_pythons():
    f = tm.compile(lambda x: tm.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1] * x), (0, x))[1])
    assert f(2.0).item() == 16.0


def test_a_number_of_steps_that_is_only_known_at_the_call():
    f = tm.compile(lambda n, x: tm.fori_loop(n, lambda i, c: c * x + i, x))
    for n in (0, 3, 7):
        want = tm.fori_loop(n, lambda i, c: c * 1.1 + i, 1.1)
        close(f(np.array(n), 1.1), want)
