"""Transforms: shapes, trees, nesting, modes, and what they refuse."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.core.tree import flatten


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


X = np.array([0.3, -1.2, 0.8, 1.5])


def rosenbrock_gradient(x):
    g = np.zeros_like(x)
    g[:-1] += -400 * x[:-1] * (x[1:] - x[:-1] ** 2) - 2 * (1 - x[:-1])
    g[1:] += 200 * (x[1:] - x[:-1] ** 2)
    return g


def rosenbrock_hessian(x):
    h = np.zeros((len(x), len(x)))
    for i in range(len(x) - 1):
        h[i, i] += 1200 * x[i] ** 2 - 400 * x[i + 1] + 2
        h[i + 1, i + 1] += 200
        h[i, i + 1] = h[i + 1, i] = -400 * x[i]
    return h


def test_gradient_and_hessian_of_rosenbrock_have_their_closed_forms():
    np.testing.assert_allclose(tm.grad(rosenbrock)(X).numpy(), rosenbrock_gradient(X), rtol=1e-12)
    np.testing.assert_allclose(tm.hessian(rosenbrock)(X).numpy(), rosenbrock_hessian(X), rtol=1e-12)


def test_hessian_is_the_jacobian_of_the_gradient_in_every_mode():
    want = rosenbrock_hessian(X)
    for outer in (tm.jacobian, tm.jacfwd, tm.jacrev):
        np.testing.assert_allclose(outer(tm.grad(rosenbrock))(X).numpy(), want, rtol=1e-12)


def test_hvp_and_reverse_over_forward_agree():
    v = np.array([1.0, -2.0, 0.5, 0.1])
    want = rosenbrock_hessian(X) @ v
    np.testing.assert_allclose(tm.hvp(rosenbrock, X, v).numpy(), want, rtol=1e-12)
    np.testing.assert_allclose(tm.jvp(tm.grad(rosenbrock), (X,), (v,))[1].numpy(), want, rtol=1e-12)
    along = tm.grad(lambda x: tm.jvp(rosenbrock, (x,), (v,))[1])
    np.testing.assert_allclose(along(X).numpy(), want, rtol=1e-12)


def test_hvp_takes_a_tuple_or_one_tree():
    a, b = tm.hvp(lambda x, y: (x * y).sum(), (np.ones(2), 3.0), (np.ones(2), 1.0))
    assert a.tolist() == [1.0, 1.0]
    assert b.item() == 2.0
    tree = tm.hvp(lambda p: (p["w"] ** 2).sum() * p["b"], {"w": np.ones(2), "b": 2.0}, {"w": np.ones(2), "b": 0.0})
    assert tree["w"].tolist() == [4.0, 4.0]
    assert tree["b"].item() == 4.0


def test_jacobian_has_the_shape_out_plus_in():
    def f(x):
        return tm.stack([x.sum(), (x * x).sum()])

    x = np.ones((2, 3))
    for jacobian in (tm.jacobian, tm.jacfwd, tm.jacrev):
        j = jacobian(f)(x)
        assert j.shape == (2, 2, 3)
        np.testing.assert_array_equal(j.numpy(), [np.ones((2, 3)), 2 * x])


@pytest.mark.parametrize("jacobian", [tm.jacobian, tm.jacfwd, tm.jacrev])
@pytest.mark.parametrize("number", [0.0, 3.0, 2j])
def test_jacobians_of_numbers_that_are_no_arrays_are_zeros(jacobian, number):
    x = np.ones((2, 3))
    assert not jacobian(lambda x: number)(x).numpy().any()
    first, second = jacobian(lambda x: (number, x))(x)
    assert first.shape == (2, 3)
    assert not first.numpy().any()
    np.testing.assert_array_equal(second.numpy().reshape(6, 6), np.eye(6))


def test_jacobian_picks_the_mode_with_fewer_walks(monkeypatch):
    from tinygrad_math.transforms.tracing import Tape

    used = []
    push, pull = Tape.push, Tape.pull
    monkeypatch.setattr(Tape, "push", lambda self, *a, **k: used.append("forward") or push(self, *a, **k))
    monkeypatch.setattr(Tape, "pull", lambda self, *a, **k: used.append("reverse") or pull(self, *a, **k))
    tm.jacobian(lambda x: tm.stack([x[0], x[0] ** 2, x[0] ** 3]))(np.ones(1))
    assert used == ["forward"]
    used.clear()
    tm.jacobian(lambda x: tm.stack([x.sum()]))(np.ones(3))
    assert used == ["reverse"]


def test_derivatives_of_every_order_of_one_function():
    f = tm.exp
    for _ in range(6):
        assert f(0.5).item() == pytest.approx(np.exp(0.5), rel=1e-13)
        f = tm.grad(f)


def test_forward_and_reverse_nest_in_any_order():
    def forward(f):
        return lambda x: tm.jvp(f, (x,), (1.0,))[1]

    for first in (forward, tm.grad):
        for second in (forward, tm.grad):
            for third in (forward, tm.grad):
                assert third(second(first(tm.sin)))(0.7).item() == pytest.approx(-np.cos(0.7), rel=1e-12)


def test_perturbations_are_not_confused():
    assert tm.grad(lambda x: x * tm.grad(lambda y: x * y)(x))(3.0).item() == 6.0
    assert tm.jvp(lambda x: x * tm.jvp(lambda y: x + y, (1.0,), (1.0,))[1], (1.0,), (1.0,))[1].item() == 1.0


def test_a_closed_over_tensor_is_an_outer_variable():
    w = tm.tensor(2.0, requires_grad=True)
    tm.grad(lambda x: w * x * x)(3.0).backward()
    assert w.grad.item() == 6.0


class Point(NamedTuple):
    x: Any
    y: Any


@dataclass
class Layer:
    weight: Any
    bias: Any


def test_trees_of_every_kind():
    tree = {"p": Point(1.0, [2.0, (3.0,)]), "layer": Layer(np.ones(2), 4.0), "none": None}
    g = tm.grad(lambda t: t["p"].x * t["p"].y[1][0] + (t["layer"].weight * t["layer"].bias).sum())(tree)
    assert isinstance(g["p"], Point)
    assert isinstance(g["layer"], Layer)
    assert g["none"] is None
    assert g["p"].x.item() == 3.0
    assert g["p"].y[0].item() == 0.0
    assert g["p"].y[1][0].item() == 1.0
    assert g["layer"].weight.tolist() == [4.0, 4.0]
    assert g["layer"].bias.item() == 2.0


def test_a_module_is_a_tree():
    net = tm.nn.Linear(2, 1, rng=0)
    g = tm.grad(lambda m: m(np.array([[1.0, 2.0]])).sum())(net)
    assert isinstance(g, tm.nn.Linear)
    assert g.weight.tolist() == [[1.0, 2.0]]
    h = tm.hvp(lambda m: (m(np.array([[1.0, 2.0]])) ** 2).sum(), net, g)
    assert h.weight.shape == (1, 2)


def test_argnums_has_aux_and_value_and_grad():
    (gx, gy), aux = tm.grad(lambda x, y: (x * y, "note"), argnums=(0, 1), has_aux=True)(2.0, 5.0)
    assert (gx.item(), gy.item(), aux) == (5.0, 2.0, "note")
    value, g = tm.value_and_grad(lambda x, y: x * y, argnums=-1)(2.0, 5.0)
    assert (value.item(), g.item()) == (10.0, 2.0)


def test_linearize_runs_the_function_once():
    runs = []

    def f(x):
        runs.append(1)
        return tm.sin(x)

    y, push = tm.linearize(f, np.array([0.0, 1.0]))
    np.testing.assert_allclose(push(np.array([1.0, 0.0])).numpy(), [1.0, 0.0])
    np.testing.assert_allclose(push(np.array([0.0, 1.0])).numpy(), [0.0, np.cos(1.0)])
    np.testing.assert_allclose(y.numpy(), np.sin([0.0, 1.0]))
    assert len(runs) == 1


def test_gauss_newton_is_the_hessian_of_a_linear_model():
    a = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.2]])
    v = np.array([1.0, -1.0])
    product = tm.ggnvp(lambda x: tm.matmul(a, x), lambda y: (y * y).sum(), np.ones(2), v)
    np.testing.assert_allclose(product.numpy(), 2 * a.T @ a @ v)


def test_gauss_newton_of_a_network_is_the_formed_matrix():
    def model(x):
        return tm.tanh(x) * x[0]

    def loss(y):
        return (y**3).sum()

    x, v = np.array([0.4, -0.7]), np.array([1.0, 2.0])
    j = tm.jacobian(model)(x).numpy()
    h = tm.hessian(loss)(model(x).numpy()).numpy()
    np.testing.assert_allclose(tm.ggnvp(model, loss, x, v).numpy(), j.T @ h @ j @ v)


def test_complex_gradients_descend_and_holomorphic_gives_the_derivative():
    z = 1.0 + 2.0j
    g = tm.grad(lambda z: tm.abs(z) ** 2)(z)
    assert g.item() == pytest.approx(2 * z)
    assert tm.grad(lambda z: z**3, holomorphic=True)(z).item() == pytest.approx(3 * z**2)
    with pytest.raises(tm.DTypeError, match="holomorphic"):
        tm.grad(lambda z: z**3)(z)


def test_what_a_gradient_cannot_start_from():
    with pytest.raises(tm.NonScalarError, match=r"float64\(2,\).*jacobian"):
        tm.grad(lambda x: x)(np.ones(2))
    with pytest.raises(tm.ArgumentError, match="argnums=2"):
        tm.grad(lambda x: x, argnums=2)(1.0)
    with pytest.raises(tm.ShapeError, match=r"expects float64\(2,\), got float64\(3,\)"):
        tm.jvp(lambda x: x, (np.ones(2),), (np.ones(3),))
    with pytest.raises(tm.ArgumentError, match="tree like"):
        tm.vjp(lambda x: (x, x), 1.0)[1](1.0)


def test_check_grads_finds_a_wrong_rule():
    @tm.primitive
    def wrong(x):
        return np.sin(x)

    wrong.defvjp(lambda g, y, x: g * np.cos(x) * 1.001)
    wrong.defjvp(lambda t, y, x: t * np.cos(x))
    with pytest.raises(AssertionError, match="reverse mode"):
        tm.testing.check_grads(wrong, (np.array([0.5]),))
    wrong.defvjp(lambda g, y, x: g * np.cos(x))
    wrong.defjvp(lambda t, y, x: -t * np.cos(x))
    with pytest.raises(AssertionError, match="forward mode"):
        tm.testing.check_grads(wrong, (np.array([0.5]),))


def test_a_primitive_without_a_rule_says_which():
    @tm.primitive
    def plain(x):
        return x * 2

    with pytest.raises(tm.NoDerivative, match="plain"):
        tm.grad(plain)(1.0)
    with pytest.raises(tm.NoDerivative, match="plain"):
        tm.jvp(plain, (1.0,), (1.0,))


def test_second_derivatives_of_a_primitive_in_a_value_on_the_way():
    @tm.primitive
    def softabs(x):
        return np.sqrt(x * x + 1e-3)

    softabs.defvjp(lambda g, y, x: g * x / y)
    h = 2.0 * tm.tensor([0.3, 1.0], requires_grad=True)
    (slope,) = tm.grad_of(softabs(h).sum(), [h], create_graph=True)
    (curvature,) = tm.grad_of(slope.sum(), [h])
    np.testing.assert_allclose(curvature.numpy(), 1e-3 / (h.detach().numpy() ** 2 + 1e-3) ** 1.5)


def test_a_primitive_has_static_parameters():
    @tm.primitive
    def scaled(x, y, *, factor=2.0):
        return factor * x * y

    scaled.defvjp(lambda g, z, x, y, factor: g * factor * y, lambda g, z, x, y, factor: g * factor * x)
    scaled.defjvp(lambda t, z, x, y, factor: t * factor * y, lambda t, z, x, y, factor: t * factor * x)
    tm.testing.check_grads(lambda x, y: scaled(x, y, factor=3.0), (np.ones(2), np.array([2.0, -1.0])))


def test_jvp_takes_tuples_and_never_takes_an_array_apart():
    with pytest.raises(tm.ArgumentError, match=r"jvp\(f, \(x,\), \(t,\)\)"):
        tm.jvp(lambda a, b: a * b, np.ones(2), np.ones(2))


# -- which argument, and of what ----------------------------------------------------------------------------------
def _of_many(x, w, b=2.0, *, k=1.0):
    return (x * w**2 + b * x * k).sum()


@pytest.mark.parametrize("transform", [tm.grad, tm.jacobian, tm.jacfwd, tm.jacrev, tm.hessian])
def test_an_argument_may_be_named_and_passed_by_name_or_by_default(transform):
    x, w = np.array([1.0, 2.0]), 3.0
    by_place = transform(_of_many, argnums=(0, 1))(x, w)
    for got in (
        transform(_of_many, argnums=("x", "w"))(x, w),
        transform(_of_many, argnums=("x", 1))(x, w),
        transform(_of_many, argnums=("x", "w"))(x=x, w=w),
        transform(_of_many, argnums=("x", "w"))(x, w=w),
        transform(tm.compile(_of_many), argnums=("x", "w"))(x, w),
        tm.compile(transform(_of_many, argnums=("x", "w")))(x, w),
    ):
        for a, b in zip(flatten(got)[0], flatten(by_place)[0], strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy())
    second = transform is tm.hessian
    assert transform(_of_many, argnums="b")(x, w).item() == (0.0 if second else 3.0)
    assert transform(_of_many, argnums="k")(x, w, k=5.0).item() == (0.0 if second else 6.0)
    for argnums, call, words in (
        ("v", (x, w), "has only x, w, b, k"),
        ("w", (x,), "gives none"),
        (("w", 1), (x, w), "twice"),
        (1.5, (x, w), "argnums"),
    ):
        with pytest.raises(tm.ArgumentError, match=words):
            transform(_of_many, argnums=argnums)(*call)


def test_names_of_arguments_are_those_of_a_modules_forward_and_of_what_a_program_is_made_for():
    net = tm.nn.Linear(2, 1, rng=0)
    np.testing.assert_array_equal(tm.grad(net, argnums="x")(np.ones(2)).tolist(), net.weight.detach().numpy()[0])
    assert tm.compile(lambda x, n: x * n if n > 1 else x, static_argnums="n")(2.0, n=3) == 6.0
    with pytest.raises(tm.ArgumentError, match="has only x, n"):
        tm.compile(lambda x, n: x, static_argnums="m")
    scope = {}
    exec(tm.to_source(lambda x, w: x * w**2, 2.0, 3.0, order=1, argnums="w"), scope)
    assert scope["f"](2.0, 3.0) == (18.0, 12.0)


@pytest.mark.parametrize("shape", [(1,), (1, 1)])
def test_a_gradient_is_of_one_number_whatever_its_shape(shape):
    def f(x):
        return (x @ x).reshape(shape)

    x, v = np.array([1.0, 2.0]), np.array([0.5, -1.0])
    for g in (tm.grad(f), tm.compile(tm.grad(f)), tm.grad(tm.compile(f))):
        np.testing.assert_array_equal(g(x).numpy(), 2 * x)
    value, gradient = tm.value_and_grad(f)(x)
    assert value.shape == shape
    np.testing.assert_array_equal(gradient.numpy(), 2 * x)
    np.testing.assert_array_equal(tm.hessian(f)(x).numpy(), 2 * np.eye(2))
    np.testing.assert_array_equal(tm.hvp(f, (x,), (v,))[0].numpy(), 2 * v)
    with pytest.raises(tm.NonScalarError):
        tm.grad(lambda x: x)(x)


@pytest.mark.parametrize("exact", [Fraction(1, 3), Decimal("0.5"), np.array([Fraction(1, 3)]), [Fraction(1, 3), 1]])
def test_exact_numbers_are_refused_by_name_with_the_way_to_floats(exact):
    for use in (tm.grad(lambda x: x * x), tm.tensor, tm.sin, tm.hessian(lambda x: x * x)):
        with pytest.raises(tm.DTypeError, match="float"):
            use(exact)
