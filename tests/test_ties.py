"""A Parameter in several places of one tree is one leaf, in every container and for every transform."""

import dataclasses
from collections import OrderedDict, namedtuple
from typing import Any

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.core.tree import flatten, show, unflatten

W = np.array([1.0, 2.0, -0.5])
V = np.array([0.3, -1.0, 2.0])
Pair = namedtuple("Pair", "a b")


@dataclasses.dataclass
class Two:
    a: Any
    b: Any


class Holder(tm.nn.Module):
    def __init__(self, w):
        super().__init__()
        self.w = w


def parameter():
    return tm.nn.Parameter(W)


# how a container is made of what stands in two places, and how these are found again
KINDS = {
    "dict": (lambda a, b: {"a": a, "b": b}, lambda c: (c["a"], c["b"])),
    "list": (lambda a, b: [a, b], lambda c: (c[0], c[1])),
    "tuple": (lambda a, b: (a, b), lambda c: (c[0], c[1])),
    "named tuple": (Pair, lambda c: (c.a, c.b)),
    "dataclass": (Two, lambda c: (c.a, c.b)),
    "ordered dict": (lambda a, b: OrderedDict(b=a, a=b), lambda c: (c["b"], c["a"])),
    "nested": (lambda a, b: {"x": [None, {"y": a}], "z": (b,)}, lambda c: (c["x"][1]["y"], c["z"][0])),
    "module and parameter": (lambda a, b: {"m": Holder(a), "w": b}, lambda c: (c["m"].w, c["w"])),
    "parameter and module": (lambda a, b: [a, Holder(b)], lambda c: (c[0], c[1].w)),
    "two modules": (lambda a, b: (Holder(a), Holder(b)), lambda c: (c[0].w, c[1].w)),
    "module in module": (lambda a, b: Two(Holder([Holder(a)]), b), lambda c: (c.a.w[0].w, c.b)),
}


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]


def tied(kind):
    p = parameter()
    return kind[0](p, p)


def cube(kind):
    """The sum of w**3, written as a function of two places."""

    def f(c):
        a, b = kind[1](c)
        return (a * b**2).sum()

    return f


def same(kind, tree, want):
    a, b = kind[1](tree)
    assert a is b
    np.testing.assert_allclose(a.detach().numpy(), want, rtol=1e-12, atol=1e-12)


def test_a_tree_with_one_parameter_in_two_places_has_one_leaf(kind):
    c = tied(kind)
    leaves, structure = flatten(c)
    assert len(leaves) == 1
    assert "leaf 0 again" in show(structure)
    same(kind, unflatten(structure, leaves), W)
    calls = []
    same(kind, tm.tree_map(lambda p: calls.append(p) or p * 2, c), 2 * W)
    assert len(calls) == 1
    same(kind, tm.stop_gradient(c), W)
    assert type(kind[1](tm.tree_map(lambda p: p.detach(), c))[0]) is tm.nn.Parameter


@pytest.mark.parametrize("through", [lambda f: f, tm.compile, lambda f: tm.compile(f, backend="native")])
def test_each_place_has_the_whole_gradient(kind, through):
    f, c = cube(kind), tied(kind)
    same(kind, through(tm.grad(f))(c), 3 * W**2)
    same(kind, tm.grad(through(f))(c), 3 * W**2)
    same(kind, through(lambda c: tm.vjp(f, c)[1](2.0)[0])(c), 6 * W**2)
    same(kind, through(tm.jacobian(f))(c), 3 * W**2)
    same(kind, through(tm.jacfwd(f))(c), 3 * W**2)
    same(kind, through(lambda c: tm.hvp(f, (c,), (tm.tree_map(lambda p: tm.tensor(V), c),))[0])(c), 6 * W * V)
    same(kind, through(tm.grad(tm.checkpoint(f)))(c), 3 * W**2)
    value, gradient = through(tm.value_and_grad(f))(c)
    assert value.item() == pytest.approx((W**3).sum())
    same(kind, gradient, 3 * W**2)
    same(kind, through(tm.grad(lambda c: sum(g.sum() for g in tm.tree_leaves(tm.grad(f)(c)))))(c), 6 * W)


def test_backward_and_the_transforms_agree(kind):
    c = tied(kind)
    cube(kind)(c).backward()
    a, _ = kind[1](c)
    np.testing.assert_allclose(a.grad.numpy(), 3 * W**2)
    same(kind, tm.grad_of(cube(kind)(c), c), 3 * W**2)


def test_a_matrix_of_derivatives_has_one_block(kind):
    c, f = tied(kind), cube(kind)
    h = tm.hessian(f)(c)
    a, b = kind[1](h)
    assert a is b
    same(kind, a, np.diag(6 * W))
    j = tm.jacobian(lambda c: kind[1](c)[0] * kind[1](c)[1])(c)
    same(kind, j, np.diag(2 * W))
    operator = tm.curvature.HessianOperator(f, c)
    assert operator.shape == (3, 3)
    np.testing.assert_allclose(operator @ V, 6 * W * V)
    np.testing.assert_allclose(tm.curvature.sparse_hessian(f, c).toarray(), np.diag(6 * W))
    np.testing.assert_array_equal(tm.curvature.sparsity(f, c).toarray(), np.eye(3, dtype=bool))
    vector, unravel = tm.ravel_tree(c)
    assert vector.tolist() == W.tolist()
    same(kind, unravel(vector * 2), 2 * W)


def test_forward_mode_moves_all_places(kind):
    c, f = tied(kind), cube(kind)
    for tangent in (kind[0](tm.tensor(V), tm.tensor(V)), tm.tree_map(lambda p: tm.tensor(V), c)):
        assert tm.jvp(f, (c,), (tangent,))[1].item() == pytest.approx((3 * W**2 * V).sum())
        assert tm.linearize(f, c)[1](tangent).item() == pytest.approx((3 * W**2 * V).sum())
        same(kind, tm.hvp(f, (c,), (tangent,))[0], 6 * W * V)
        assert tm.jet(f, c, tangent, 2)[2].item() == pytest.approx((3 * W * V**2).sum())
    other = kind[0](tm.tensor(V), tm.tensor(2 * V))
    for ask in (
        lambda: tm.jvp(f, (c,), (other,)),
        lambda: tm.linearize(f, c)[1](other),
        lambda: tm.hvp(f, (c,), (other,)),
    ):
        with pytest.raises(tm.ArgumentError, match=r"again.*a Parameter in several places is one leaf"):
            ask()
    with pytest.raises(tm.ShapeError, match=r"trees differ: .*again.*one value"):
        tm.tree_map(lambda a, b: a, c, other)
    assert tm.laplacian(f)(c).item() == pytest.approx(6 * W.sum())


@pytest.mark.parametrize("optimizer", [tm.optim.SGD(lr=0.1), tm.optim.Adam(lr=0.1), tm.optim.AdamW(lr=0.1)])
def test_an_update_moves_a_parameter_once_and_keeps_it_in_all_places(kind, optimizer):
    f = cube(kind)

    def step(c, state):
        return optimizer.update(tm.grad(f)(c), state, c)

    alone, single = tm.nn.Parameter(W), optimizer.init(tm.nn.Parameter(W))
    c, state = tied(kind), optimizer.init(tied(kind))
    assert len(state) == 1
    fast, q, r = tm.compile(step), c, state
    for _ in range(3):
        c, state = step(c, state)
        q, r = fast(q, r)
        alone, single = optimizer.update(tm.grad(lambda w: (w**3).sum())(alone), single, alone)
        same(kind, c, alone.detach().numpy())
        same(kind, q, alone.detach().numpy())
        new = kind[1](c)[0]
        assert (type(new), new.is_leaf, new.requires_grad) == (tm.nn.Parameter, True, True)
    with pytest.raises(tm.ShapeError, match=r"again.*one value"):
        optimizer.update(kind[0](tm.tensor(W), tm.tensor(2 * W)), state, c)
    apart = kind[0](tm.tensor(2.0 * W), tm.tensor(2.0 * W))
    same(kind, optimizer.update(apart, state, c)[0], optimizer.update(2.0 * W, single, alone)[0].detach().numpy())


def test_minimize_finds_one_parameter():
    p = tm.nn.Parameter([3.0, -2.0])
    found = tm.optim.minimize(lambda c: ((c["a"] - 1.0) ** 2).sum() + (c["b"] ** 2).sum(), {"a": p, "b": p})
    assert found.x["a"] is found.x["b"]
    np.testing.assert_allclose(found.x["a"].detach().numpy(), [0.5, 0.5], atol=1e-6)


def test_two_arguments_are_two_variables_whatever_they_share(kind):
    p = parameter()

    def f(x, y):
        return (x * y**2).sum()

    for first, second in (
        tm.grad(f, argnums=(0, 1))(p, p),
        tm.vjp(f, p, p)[1](1.0),
        tm.compile(tm.grad(f, argnums=(0, 1)))(p, p),
        tm.grad(tm.compile(f), argnums=(0, 1))(p, p),
    ):
        np.testing.assert_allclose(first.detach().numpy(), W**2)
        np.testing.assert_allclose(second.detach().numpy(), 2 * W**2)
    assert tm.jvp(f, (p, p), (V, 0 * V))[1].item() == pytest.approx((W**2 * V).sum())
    h = tm.hessian(f, argnums=(0, 1))(p, p)
    np.testing.assert_allclose(h[0][0].detach().numpy(), np.zeros((3, 3)))
    np.testing.assert_allclose(h[0][1].detach().numpy(), np.diag(2 * W))
    tm.testing.check_grads(f, (p, p))
    tm.inspect.audit(f, p, p)

    c, d = kind[0](p, p), kind[0](p, p)  # f = sum a b² a' b'²
    first, second = tm.grad(lambda c, d: (cube_of(kind, c) * cube_of(kind, d)).sum(), argnums=(0, 1))(c, d)
    same(kind, first, 3 * W**5)
    same(kind, second, 3 * W**5)


def cube_of(kind, c):
    a, b = kind[1](c)
    return a * b**2


@pytest.mark.parametrize("make", [tm.tensor, lambda w: tm.tensor(w, requires_grad=True), np.array])
@pytest.mark.parametrize("name", ["dict", "list", "tuple", "named tuple", "dataclass", "nested"])
def test_a_value_in_two_places_is_two_leaves(name, make):
    kind, w = KINDS[name], make(W)
    c = kind[0](w, w)
    assert len(flatten(c)[0]) == 2
    for gradient in (tm.grad(cube(kind))(c), tm.compile(tm.grad(cube(kind)))(c)):
        a, b = kind[1](gradient)
        np.testing.assert_allclose(a.detach().numpy(), W**2)
        np.testing.assert_allclose(b.detach().numpy(), 2 * W**2)


def test_checks_of_derivatives_move_a_parameter_once(kind):
    c = tied(kind)
    tm.testing.check_grads(cube(kind), (c,))
    tm.inspect.audit(cube(kind), c)
    assert tm.record(cube(kind), c).value.item() == pytest.approx((W**3).sum())


# -- vmap -------------------------------------------------------------------------------------------------------------

B = np.arange(6.0).reshape(2, 3) + 1


def test_examples_of_one_parameter_are_one_parameter(kind):
    p = tm.nn.Parameter(B)
    c = kind[0](p, p)
    np.testing.assert_allclose(tm.vmap(cube(kind))(c).detach().numpy(), (B**3).sum(axis=1))
    same(kind, tm.vmap(tm.grad(cube(kind)))(c), 3 * B**2)
    same(
        kind, tm.vmap(lambda c, x: tm.grad(cube(kind))(c), in_axes=(None, 0), out_axes=0)(tied(kind), B), [3 * W**2] * 2
    )
    same(kind, tm.vmap(tm.grad(cube(kind)), in_axes=1)(kind[0](*[tm.nn.Parameter(B.T)] * 2)), 3 * B**2)


@pytest.mark.parametrize("through", [lambda f: f, tm.compile])
def test_one_parameter_along_two_axes_is_two(through):
    p = tm.nn.Parameter(B[:, :2])
    c = {"a": p, "b": p, "c": p}

    def f(c):
        return (c["a"] * 10 + c["b"] * c["c"]).sum(), tm.grad(lambda c: (c["b"] * c["c"]).sum())(c)

    got, g = through(tm.vmap(f, in_axes=({"a": 0, "b": 1, "c": 1},)))(c)
    np.testing.assert_allclose(got.detach().numpy(), [10 * B[k, :2].sum() + (B[:, k] ** 2).sum() for k in range(2)])
    assert g["b"] is g["c"]
    np.testing.assert_allclose(g["c"].detach().numpy(), 2 * B[:, :2].T)
    np.testing.assert_allclose(g["a"].detach().numpy(), np.zeros((2, 2)))
    shared = through(tm.vmap(lambda c: (c["a"] * c["b"]).sum(), in_axes=({"a": 0, "b": None, "c": None},)))(c)
    np.testing.assert_allclose(shared.detach().numpy(), (B[:, None, :2] * B[:, :2]).sum(axis=(1, 2)))
    two = through(tm.vmap(lambda a, b: (a * b).sum(), in_axes=(0, 1)))(p, p)
    np.testing.assert_allclose(two.detach().numpy(), (B[:, :2] * B[:, :2].T).sum(axis=1))


def test_results_may_lie_along_two_axes():
    p = tm.nn.Parameter(B)
    out = tm.vmap(lambda p: {"a": p, "b": p}, out_axes={"a": 0, "b": 1})(p)
    assert (out["a"].shape, out["b"].shape) == ((2, 3), (3, 2))
    np.testing.assert_array_equal(out["b"].detach().numpy(), B.T)


# -- results ----------------------------------------------------------------------------------------------------------


def test_cotangents_of_one_result_in_two_places_add_up_unless_they_are_one():
    p = parameter()
    out, pull = tm.vjp(lambda p: (p, {"again": p}), p)
    assert out[0] is out[1]["again"]
    for cotangent, want in (
        ((V, {"again": 10 * V}), 11 * V),
        ((V, {"again": V}), 2 * V),
        ((tm.tensor(V), {"again": tm.tensor(V)}), 2 * V),
    ):
        np.testing.assert_allclose(pull(cotangent)[0].detach().numpy(), want)
    whole = tm.nn.Parameter(V)
    np.testing.assert_allclose(pull((whole, {"again": whole}))[0].detach().numpy(), V)
    with pytest.raises(tm.ArgumentError, match="expects a tree like"):
        pull((V, V))


def test_a_gradient_is_pulled_back_through_an_update_once(kind):
    inner, f = tm.optim.SGD(lr=0.1), cube(kind)

    def updated(c):
        return inner.update(tm.grad(f)(c), inner.init(c), c)[0]

    new, pull = tm.vjp(updated, tied(kind))
    w = W - 0.3 * W**2
    want = 3 * w**2 * (1 - 0.6 * W)
    same(kind, new, w)
    same(kind, pull(tm.grad(f)(new))[0], want)
    same(kind, tm.grad(lambda c: f(updated(c)))(tied(kind)), want)


def test_a_gradient_asks_for_one_number_not_for_one_in_two_places():
    with pytest.raises(tm.NonScalarError):
        tm.grad(lambda p: (p, p))(tm.nn.Parameter(2.0))


# -- loops ------------------------------------------------------------------------------------------------------------

LOOPS = {
    "scan": lambda step, c: tm.scan(lambda c, _: (step(c), None), c, length=3)[0],
    "fori_loop": lambda step, c: tm.fori_loop(3, lambda _, c: step(c), c),
    "while_loop": lambda step, c: tm.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, step(s[1])), (0, c), 5)[1],
}
WAYS = {"eager": lambda f: f, "numpy": tm.compile, "native": lambda f: tm.compile(f, backend="native")}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("loop", LOOPS)
def test_what_a_loop_carries_stays_tied(kind, loop, way):
    f, run = cube(kind), LOOPS[loop]

    def step(c):
        return tm.tree_map(lambda p, g: p - 0.1 * g, c, tm.grad(f)(c))

    w = W
    for _ in range(3):
        w = w - 0.3 * w**2
    same(kind, WAYS[way](lambda c: run(step, c))(tied(kind)), w)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("loop", LOOPS)
def test_a_carry_may_begin_as_one_and_become_two(kind, loop, way):
    make, places = kind

    def step(c):
        a, b = places(c)
        return make(b * 2, a + 1)

    def run(c):
        return LOOPS[loop](step, c)

    def total(c):
        a, b = places(run(c))
        return a.sum() + b.sum()

    c = tied(kind)
    a, b = places(WAYS[way](run)(c))  # of (a, b): (2b, a + 1), (2a + 2, 2b + 1), (4b + 2, 2a + 3)
    np.testing.assert_allclose(a.detach().numpy(), 4 * W + 2)
    np.testing.assert_allclose(b.detach().numpy(), 2 * W + 3)
    same(kind, tm.grad(WAYS[way](total))(c), np.full(3, 6.0))
    same(kind, WAYS[way](tm.grad(total))(c), np.full(3, 6.0))


def test_no_steps_leave_a_carry_tied(kind):
    c = tied(kind)
    carry, ys = tm.scan(lambda c, x: (kind[0](kind[1](c)[0] + x, kind[1](c)[1]), x), c, np.zeros((0, 3)))
    same(kind, carry, W)
    assert ys.shape == (0, 3)
    same(kind, tm.fori_loop(0, lambda i, c: kind[0](kind[1](c)[0] + 1, kind[1](c)[1]), c), W)


def test_rows_of_one_parameter_are_one(kind):
    p = tm.nn.Parameter(B)
    total, g = tm.scan(lambda s, c: (s + cube(kind)(c), tm.grad(cube(kind))(c)), 0.0, kind[0](p, p))
    assert total.item() == pytest.approx((B**3).sum())
    same(kind, g, 3 * B**2)


# -- programs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_one_program_does_not_serve_tied_and_untied(kind, backend):
    f = tm.compile(tm.grad(cube(kind)), backend=backend)
    p = parameter()
    for _ in range(2):
        same(kind, f(kind[0](p, p)), 3 * W**2)
        a, b = kind[1](f(kind[0](p, parameter())))
        np.testing.assert_allclose(a.detach().numpy(), W**2)
        np.testing.assert_allclose(b.detach().numpy(), 2 * W**2)


def test_a_donated_tree_gives_its_parameter_once(kind):
    f = tm.compile(lambda c: tm.tree_map(lambda p: p * 2.0, c), donate_argnums=0)
    held = tm.nn.Parameter(W, requires_grad=False)
    c = kind[0](held, held)
    same(kind, f(c), 2 * W)
    same(kind, f(tied(kind)), 2 * W)
    with pytest.raises(tm.Donated):
        kind[1](c)[1].sum()


def test_a_program_knows_that_its_arguments_are_one():
    f = tm.compile(lambda a, b: a * 2 if a is b else a + b)
    p, q = parameter(), tm.nn.Parameter(10 * W)
    for x, y in ((p, p), (p, q), (q, q), (q, p)):
        np.testing.assert_allclose(f(x, y).detach().numpy(), x.detach().numpy() + y.detach().numpy())


# -- files, shards, implicit functions --------------------------------------------------------------------------------


def test_a_file_keeps_one_parameter_in_two_places_one(tmp_path):
    p, q = parameter(), parameter()
    tm.save(tmp_path / "tree.npz", {"a": p, "b": {"c": [p]}, "q": q})
    found = tm.load(tmp_path / "tree.npz")
    assert found["a"] is found["b"]["c"][0]
    assert found["a"] is not found["q"]
    assert [v.tolist() for v in tm.tree_leaves(found)] == [W.tolist()] * 2
    with np.load(tmp_path / "tree.npz") as arrays:
        assert "b.c.0" not in arrays.files
    tm.save(tmp_path / "tree.safetensors", {"a": p, "b": {"c": [p]}})
    found = tm.load(tmp_path / "tree.safetensors")
    assert all(v.tolist() == W.tolist() for v in tm.tree_leaves(found))


def test_a_state_with_two_values_for_one_parameter_is_refused():
    net = Holder([parameter()])
    net.again = net.w[0]
    state = net.state_dict()
    assert sorted(state) == ["again", "w.0"]
    net.load_state_dict({k: v + 1 for k, v in state.items()})
    np.testing.assert_array_equal(net.again.detach().numpy(), W + 1)
    for strict in (True, False):
        with pytest.raises(tm.ArgumentError, match=r"Of two values: (again and w.0|w.0 and again) are one"):
            net.load_state_dict({"w.0": W, "again": 2 * W}, strict=strict)
    np.testing.assert_array_equal(net.again.detach().numpy(), W + 1)
    with pytest.raises(tm.ArgumentError, match=r"Unexpected: LayerNorm.W"):
        net.load_state_dict({**state, "LayerNorm.W": W})
    net.load_state_dict({"w.0": 3 * W}, strict=False)
    np.testing.assert_array_equal(net.again.detach().numpy(), 3 * W)


def test_gradients_of_one_parameter_given_twice_are_clipped_once():
    p = parameter()
    for clip, want in (
        (lambda ps: tm.nn.utils.clip_grad_norm_(ps, 1.0), np.array([3.0, 4.0, 0.0]) / (5 + 1e-6)),
        (lambda ps: tm.nn.utils.clip_grad_value_(ps, 3.5), [3.0, 3.5, 0.0]),
    ):
        p.grad = np.array([3.0, 4.0, 0.0])
        clip([p, p])
        np.testing.assert_allclose(p.grad.numpy(), want)


def test_the_root_of_an_equation_in_a_tied_tree(kind):
    root = tm.implicit.root(lambda x, c: x**3 - cube_of(kind, c), lambda c: np.cbrt(cube_of(kind, c).numpy()))
    c = tied(kind)
    same(kind, tm.grad(lambda c: (root(c) ** 2).sum())(c), 2 * W)  # x = w
