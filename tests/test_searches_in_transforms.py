"""What searches, steps or writes by plain values, within a function that is being differentiated or traced.

What it finds would be a constant there, and the derivative 0 in silence: it is right, or refused by name.
"""

import copy

import numpy as np
import pytest

import tinygrad_math as tm

A = 1.3


def leaf(value=2.0):
    return tm.tensor(np.array([value]), requires_grad=True)


def stepped(optimizer, again=True):
    def f(a):
        p = leaf()
        opt = optimizer([p])

        def closure():
            opt.zero_grad()
            loss = ((p - a) ** 2).sum()
            if again:
                loss.backward()
            return loss

        opt.step(closure)
        return p.sum()

    return f


def residual(a):
    p = leaf()
    tm.optim.LevenbergMarquardt([p]).step(lambda: p - a)
    return p.sum()


def accumulated(a):
    p = leaf()
    (p * p * a).sum().backward()
    return p.grad.sum()


def stepped_by_recorded_gradients(a):
    p = leaf()
    (p * p * a).sum().backward(create_graph=True)
    tm.optim.SGD([p], lr=0.1).step()
    return p.sum()


SEARCHES = {
    "minimize, a method with products": (
        lambda a: tm.optim.minimize(lambda p: ((p - a) ** 2).sum(), np.zeros(1)).x.sum(),
        r"minimize\(\)",
    ),
    "minimize, a method with slopes": (
        lambda a: tm.optim.minimize(lambda p: ((p - a) ** 2).sum(), np.zeros(1), method="BFGS").x.sum(),
        r"minimize\(\)",
    ),
    "minimize, a method with values": (
        lambda a: tm.optim.minimize(lambda p: ((p - a) ** 2).sum(), np.zeros(1), method="Nelder-Mead").x.sum(),
        r"minimize\(\)",
    ),
    "the least value": (
        lambda a: tm.asarray(tm.optim.minimize(lambda p: ((p - 1) ** 2).sum() + a, np.zeros(1)).fun),
        r"minimize\(\)",
    ),
    "a constraint": (
        lambda a: tm.optim.minimize(
            lambda p: (p**2).sum(), np.ones(1), "SLSQP", constraints={"type": "ineq", "fun": lambda p: p - a}
        ).x.sum(),
        r"minimize\(\)",
    ),
    "SGD": (stepped(lambda ps: tm.optim.SGD(ps, lr=0.1)), r"backward\(\)"),
    "LBFGS": (stepped(tm.optim.LBFGS), r"backward\(\)"),
    "NewtonCG": (stepped(tm.optim.NewtonCG, False), r"NewtonCG\.step\(\)"),
    "LevenbergMarquardt": (residual, r"LevenbergMarquardt\.step\(\)"),
    "backward": (accumulated, r"backward\(\)"),
    "a step by recorded gradients": (stepped_by_recorded_gradients, "a step"),
    "an initialisation": (lambda a: tm.nn.init.constant_(tm.zeros(2), a).sum(), "an initialisation"),
}
WAYS = {
    "grad": lambda f: tm.grad(f)(A),
    "jvp": lambda f: tm.jvp(f, (A,), (1.0,)),
    "hvp": lambda f: tm.hvp(f, A, 1.0),
    "jet": lambda f: tm.jet(f, A, 1.0, 1),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_that_would_lose_the_derivative_is_refused_by_its_own_name(name, way):
    f, words = SEARCHES[name]
    with pytest.raises(tm.NeedsDetach, match=f"{words} would drop the gradient"):
        WAYS[way](f)


@pytest.mark.parametrize("name", SEARCHES)
def test_a_search_of_constants_within_a_transform_is_what_it_is_outside(name):
    f, _ = SEARCHES[name]
    alone = np.asarray(f(tm.tensor(A)).detach()).item()
    assert tm.grad(lambda b: b * f(tm.tensor(A)).detach())(2.0).item() == pytest.approx(alone, rel=1e-12)


def gradient_of_a_leaf(a):
    p = leaf()
    (g,) = tm.grad_of((p * p * a).sum(), [p])
    return g.sum()


@pytest.mark.parametrize("compiled", [lambda f: f, tm.compile], ids=["eager", "compiled"])
def test_gradients_of_what_a_transform_differentiates_are_differentiable(compiled):
    """d(p² a)/dp = 2 p a, of which 2 p = 4 is the derivative by a."""
    f = gradient_of_a_leaf
    assert compiled(tm.grad(f))(A).item() == 4.0
    assert compiled(lambda a: tm.jvp(f, (a,), (1.0,))[1])(A).item() == 4.0
    np.testing.assert_array_equal(compiled(tm.vmap(tm.grad(f)))(np.array([A, 2.0])).detach().numpy(), [4.0, 4.0])


def test_gradients_outside_of_a_transform_are_constants():
    p = leaf()
    (g,) = tm.grad_of((p * p * tm.tensor(A, requires_grad=True)).sum(), [p])
    assert not g.requires_grad


def test_backward_with_a_graph_within_a_transform_has_the_derivative():
    def f(a):
        p = leaf()
        (p * p * a).sum().backward(create_graph=True)
        return p.grad.sum()

    assert tm.grad(f)(A).item() == 4.0
    assert tm.jvp(f, (A,), (1.0,))[1].item() == 4.0


TRACED = {
    "minimize": (
        lambda x: tm.optim.minimize(lambda p: ((p - 1) ** 2).sum(), x).x,
        r"minimize\(\) asks .*call it outside",
    ),
    "minimize of a traced function": (
        lambda x: tm.optim.minimize(lambda p: ((p - x) ** 2).sum(), np.zeros(2)).x,
        r"minimize\(\) asks .*call it outside",
    ),
    "save": (lambda x: tm.save("unused.npz", {"x": x}), r"save\(\) asks .*save it outside"),
    "lift": (lambda x: tm.lift(_doubled)(x), "a lifted function asks .*call it outside"),
    "copy": (lambda x: copy.copy(x), r"a copy asks .*x\.copy\(\)"),
    "deepcopy": (lambda x: copy.deepcopy({"x": x}), r"a copy asks .*tree_map\(lambda x: x\.copy\(\)"),
    "pickle": (lambda x: x.__reduce__(), "pickle asks .*Return what is to be saved"),
}


def _doubled(x):
    return np.sin(x) * 2


@pytest.mark.parametrize("name", TRACED)
@pytest.mark.parametrize("way", [tm.compile, tm.vmap])
def test_what_reads_values_says_its_name_and_the_way_out_in_a_trace(name, way):
    f, words = TRACED[name]
    with pytest.raises(tm.TraceError, match=words) as caught:
        way(f)(np.ones((2, 2)) if way is tm.vmap else np.ones(2))
    assert "where()" not in str(caught.value)
