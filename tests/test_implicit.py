"""tm.implicit: derivatives of roots and fixed points, at every order, however they were found."""

import math

import numpy as np
import pytest
import scipy.optimize

import tinygrad_math as tm
from tinygrad_math.core.errors import (
    ArgumentError,
    DTypeError,
    IllPosedDerivative,
    NoConvergence,
    ShapeError,
)
from tinygrad_math.testing import check_grads

cube_root = tm.implicit.root(lambda x, a: x**3 - a, lambda a: a.item() ** (1 / 3))


def test_the_derivatives_of_a_cube_root_have_their_closed_form():
    a, f = 8.0, cube_root
    for want in (2.0, 1 / 12, -1 / 144, 5 / 3456):
        assert f(a).item() == pytest.approx(want, rel=1e-12)
        f = tm.grad(f)
    f = cube_root
    for want in (2.0, 1 / 12, -1 / 144, 5 / 3456):
        assert f(a).item() == pytest.approx(want, rel=1e-12)
        f = lambda v, f=f: tm.jvp(f, (v,), (1.0,))[1]  # noqa: E731


def test_trees_of_unknowns_and_arguments():
    def f(x, p):
        return {"u": x["u"] ** 3 - p["a"] * x["v"], "v": x["v"] - tm.sin(p["a"]) * p["b"][0]}

    def solve(p):
        a, b = p["a"].numpy(), p["b"][0].numpy()
        return {"u": np.cbrt(a * b * np.sin(a)), "v": b * np.sin(a)}

    args = ({"a": np.array([0.7, 1.1]), "b": [np.array(2.0)]},)
    check_grads(tm.implicit.root(f, solve), args, order=3)


def test_the_solver_may_be_scipys():
    def f(x, a):
        return tm.stack([x[0] ** 2 + x[1] - a[0], tm.exp(x[1]) * x[0] - a[1]])

    def solve(a):
        return scipy.optimize.fsolve(lambda x: f(tm.tensor(x), a).numpy(), [1.0, 1.0], xtol=1e-14)

    check_grads(tm.implicit.root(f, solve), (np.array([2.0, 3.0]),), order=2, tolerance=1e-5)


def test_a_linear_system_moves_as_solve_does():
    def f(x, a, b):
        return a @ x - b

    root = tm.implicit.root(f, lambda a, b: np.linalg.solve(a.numpy(), b.numpy()))
    a, b = np.array([[2.0, 1.0], [0.0, 3.0]]), np.array([1.0, 2.0])
    got = tm.jacobian(root, argnums=(0, 1))(a, b)
    want = tm.jacobian(tm.linalg.solve, argnums=(0, 1))(a, b)
    for g, w in zip(got, want, strict=True):
        np.testing.assert_allclose(g.numpy(), w.numpy(), rtol=1e-13, atol=1e-15)
    check_grads(root, (a, b), order=2)


def test_the_argmin_of_a_ridge_regression():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((6, 3)), rng.standard_normal(6)

    def loss(w, strength):
        return ((a @ w - b) ** 2).sum() + strength * (w * w).sum()

    def closed(strength):
        return np.linalg.solve(a.T @ a + strength * np.eye(3), a.T @ b)

    best = tm.implicit.root(tm.grad(loss), lambda s: closed(s.item()))
    h = 1e-5
    numeric = (closed(0.7 + h) - closed(0.7 - h)) / (2 * h)
    np.testing.assert_allclose(tm.jacobian(best)(0.7).numpy(), numeric, rtol=1e-8)
    check_grads(best, (0.7,), order=2)


def test_closed_over_tensors_get_their_gradients():
    w = tm.tensor(3.0, requires_grad=True)
    x = tm.implicit.root(lambda x, a: x * x - a * w, lambda a: np.sqrt(a.item() * 3.0))(12.0)
    x.backward()
    assert x.item() == 6.0
    assert w.grad.item() == pytest.approx(12 / (2 * 6))  # x = sqrt(a w)


def test_fixed_points_at_every_order():
    f = tm.implicit.fixed_point(lambda x, a: tm.cos(x * a))
    check_grads(lambda a: f(0.5, a), (0.7,), order=3)
    pair = tm.implicit.fixed_point(lambda x, a: {"u": tm.cos(x["v"] * a), "v": 0.5 * tm.sin(x["u"]) + a})
    check_grads(lambda a: pair({"u": np.zeros(2), "v": np.ones(2)}, a), (np.array([0.3, 0.5]),), order=2)


def test_where_an_iteration_starts_does_not_move_where_it_ends():
    f = tm.implicit.fixed_point(lambda x, a: 0.5 * (x + a / x))
    assert f(1.0, 9.0).item() == pytest.approx(3.0, rel=1e-15)
    assert tm.grad(f, argnums=0)(1.0, 9.0).item() == 0.0
    assert tm.grad(f, argnums=1)(1.0, 9.0).item() == pytest.approx(1 / 6, rel=1e-14)


def test_single_precision_stays():
    f = tm.implicit.fixed_point(lambda x, a: 0.5 * (x + a / x))
    x, a = np.ones(2, np.float32), np.array([4.0, 9.0], np.float32)
    assert f(x, a).dtype == np.float32
    g = tm.grad(lambda a: f(x, a).sum())(a)
    assert g.dtype == np.float32
    np.testing.assert_allclose(g.numpy(), [1 / 4, 1 / 6], rtol=1e-6)


def test_an_iteration_that_does_not_converge_says_how_it_went():
    with pytest.raises(NoConvergence, match=r"last changes were 1\.5, 1\.5, 1\.5"):
        tm.implicit.fixed_point(lambda x, a: a - x)(1.0, 0.5)
    with pytest.raises(NoConvergence, match="not finite"), np.errstate(over="ignore", invalid="ignore"):
        tm.implicit.fixed_point(lambda x: x * x)(2.0)
    with pytest.raises(NoConvergence, match="in 3 steps"):
        tm.implicit.fixed_point(lambda x: tm.cos(x), max_iterations=3)(2.0)
    assert tm.implicit.fixed_point(lambda x: tm.cos(x), tolerance=1e-2)(0.7).item() == pytest.approx(0.739, abs=0.05)


def test_a_derivative_that_does_not_exist_is_refused():
    double = tm.implicit.root(lambda x, a: (x - a) ** 2, lambda a: a)
    with pytest.raises(IllPosedDerivative, match="singular"):
        tm.grad(double)(1.0)
    wrong = tm.implicit.root(lambda x, a: x - a, lambda a: a + 1)
    with pytest.raises(IllPosedDerivative, match="no root"):
        tm.grad(wrong)(1.0)
    ignoring = tm.implicit.root(lambda x, a: a - 1.0, lambda a: a)
    with pytest.raises(IllPosedDerivative, match="singular"):
        tm.grad(ignoring)(1.0)


def test_wrong_shapes_and_dtypes_are_named():
    with pytest.raises(ShapeError, match="1 unknowns in x but 2 equations"):
        tm.implicit.root(lambda x, a: tm.stack([x, x]), lambda a: a)(1.0)
    with pytest.raises(DTypeError, match="real and floating"):
        tm.implicit.root(lambda x, a: x, lambda a: 1)(1.0)
    with pytest.raises(DTypeError, match="real and floating"):
        tm.implicit.root(lambda x, a: x, lambda a: 1j)(1.0)
    with pytest.raises(ShapeError, match="fixed_point"):
        tm.implicit.fixed_point(lambda x: x[:1])(np.ones(2))
    with pytest.raises(ArgumentError, match="fixed_point"):
        tm.implicit.fixed_point(lambda x: [x])(1.0)


def test_without_gradients_nothing_is_recorded():
    assert not cube_root(8.0).requires_grad
    a = tm.tensor(8.0, requires_grad=True)
    assert cube_root(a).requires_grad
    with tm.no_grad():
        assert not cube_root(a).requires_grad


def test_a_solver_in_array_maths_can_be_compiled():
    root = tm.implicit.root(lambda x, a: x * x - a, lambda a: tm.sqrt(a))
    assert tm.compile(tm.grad(root))(4.0).item() == pytest.approx(0.25)


def pulled(z, w, x):
    return tm.tanh(0.3 * w @ z + x)


def settled(w, x):
    return tm.implicit.fixed_point(pulled)(np.zeros(3), w, x)


def energy(w, x):
    return (settled(w, x) ** 2).sum()


WHOLE = {
    "itself": settled,
    "gradient": tm.grad(energy, argnums=(0, 1)),
    "Hessian-vector product": lambda w, x: tm.hvp(lambda w: energy(w, x), w, w),
    "of many": lambda w, x: tm.vmap(tm.grad(energy), in_axes=(None, 0))(w, tm.stack([x, -2.0 * x])),
    "from many starts": lambda w, x: tm.vmap(lambda z: tm.implicit.fixed_point(pulled)(z, w, x))(tm.stack([x, -x])),
    "in a loop": tm.grad(lambda w, x: tm.fori_loop(3, lambda i, z: settled(w, z + i), x).sum()),
}


@pytest.mark.parametrize("backend", ["numpy", "native"])
@pytest.mark.parametrize("f", WHOLE.values(), ids=WHOLE)
def test_a_compiled_function_finds_its_fixed_point_anew_at_each_call(f, backend):
    if backend == "native":
        pytest.importorskip("llvmlite")
    rng = np.random.default_rng(0)
    w, x = 0.3 * rng.normal(size=(3, 3)), rng.normal(size=3)
    compiled = tm.compile(f, backend=backend)
    for args in ((w, x), (-2.0 * w, x + 1.0)):
        for got, want in zip(tm.tree_leaves(compiled(*args)), tm.tree_leaves(f(*args)), strict=True):
            np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-9, atol=1e-13)


def test_a_compiled_fixed_point_says_where_it_does_not_converge():
    f = tm.compile(lambda a: tm.implicit.fixed_point(lambda x, a: a * x + 1.0)(1.0, a))
    assert f(0.5).item() == pytest.approx(2.0)
    with pytest.raises(NoConvergence, match="not finite"):
        f(3.0)
    assert f(0.25).item() == pytest.approx(4 / 3)


def test_a_compiled_fixed_point_sees_the_module_that_it_closes_over():
    net, x = tm.nn.Linear(3, 3, rng=0), np.array([0.3, -0.2, 0.5])

    def f(x):
        return tm.implicit.fixed_point(lambda z, x: tm.tanh(0.3 * net(z) + x))(np.zeros(3), x)

    compiled = tm.compile(f)
    for scale in (1.0, 0.5):
        net.weight.data[...] *= scale
        np.testing.assert_allclose(compiled(x).detach().numpy(), f(x).detach().numpy(), rtol=1e-12)
        compiled(x).sum().backward()
        got, net.weight.grad = net.weight.grad.numpy(), None
        f(x).sum().backward()
        np.testing.assert_allclose(got, net.weight.grad.numpy(), rtol=1e-9)
        net.zero_grad()


@pytest.mark.parametrize("traced", [tm.compile, tm.vmap])
def test_a_fixed_point_that_closes_over_what_is_traced_asks_for_an_argument(traced):
    with pytest.raises(tm.TraceError, match=r"fixed_point.*argument"):
        traced(lambda w: tm.implicit.fixed_point(lambda z: tm.tanh(w.sum() * z + 1.0))(0.0))(np.array([0.1, 0.2]))


@pytest.mark.parametrize(
    ("f", "told"),
    [
        (lambda x, a: math.exp(x) * a, "step 3 raised OverflowError: math range error; x0 may be too far"),
        (lambda x, a: 10.0 / math.floor(x - 1.0), "step 1 raised ZeroDivisionError: .*; x0 may be too far"),
        (lambda x, a: math.pow(10.0 * x, 200.0) * a, "step 2 raised OverflowError"),
    ],
)
def test_an_iteration_that_leaves_the_range_of_pythons_numbers_says_at_which_step(f, told):
    with pytest.raises(NoConvergence, match=told):
        tm.implicit.fixed_point(f)(1.0, 10.0)
