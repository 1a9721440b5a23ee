"""Derivatives through compiled functions: what eager execution gives, at every order and in both modes."""

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.core.errors import ChangedAfterUse
from tinygrad_math.testing import check_grads

RNG = np.random.default_rng(5)
X, W, V = RNG.normal(size=(4, 3)), RNG.normal(size=(3, 2)), RNG.normal(size=(4, 3))


def smooth(x):
    return tm.sum(tm.sin(x) * tm.exp(-x * x)) + tm.prod(x)


def traced_once(f):
    """f compiled, and a list that grows by one whenever f itself runs."""
    runs = []

    def noted(*args):
        runs.append(1)
        return f(*args)

    return tm.compile(noted), runs


@pytest.mark.parametrize(
    "derivative",
    [
        lambda f: tm.grad(f)(X),
        lambda f: tm.grad(lambda x: tm.sum(tm.grad(f)(x) * V))(X),
        lambda f: tm.grad(lambda x: tm.sum(tm.grad(lambda z: tm.sum(tm.grad(f)(z) * V))(x) ** 2))(X),
        lambda f: tm.jvp(f, (X,), (V,))[1],
        lambda f: tm.hvp(f, (X,), (V,))[0],
        lambda f: tm.jvp(lambda x: tm.jvp(f, (x,), (V,))[1], (X,), (V,))[1],
        lambda f: tm.hessian(f)(X),
        lambda f: tm.jacobian(lambda x: f(x) * x)(X),
        lambda f: tm.linearize(f, X)[1](V),
        lambda f: tm.grad(tm.checkpoint(f))(X),
        lambda f: tm.compile(tm.grad(f))(X),
    ],
)
def test_every_derivative_is_the_eager_one(derivative):
    compiled, runs = traced_once(smooth)
    expected = derivative(smooth).numpy()
    for _ in range(2):
        np.testing.assert_allclose(derivative(compiled).numpy(), expected, rtol=1e-11, atol=1e-12)
    assert len(runs) <= 2


def test_a_call_is_one_node_and_its_function_runs_once():
    f, runs = traced_once(lambda x, w: tm.tanh(x @ w))
    w = tm.tensor(W, requires_grad=True)
    for k in range(3):
        y = f(X * k, w)
        tm.sum(y * y).backward()
    assert len(runs) == 1
    nodes, stack = set(), [y.node]
    while stack:
        n = stack.pop()
        nodes.add(n)
        stack += [i for i in n.inputs if i not in nodes]
    assert len([n for n in nodes if n.op is not None]) == 2  # the call, and its one result


def test_backward_reaches_parameters_that_are_closed_over():
    nets = [tm.nn.Sequential(tm.nn.Linear(3, 4), tm.nn.Tanh(), tm.nn.Linear(4, 1)) for _ in range(2)]
    nets[1].load_state_dict(nets[0].state_dict())
    f = tm.compile(lambda x: nets[0](x))
    for _ in range(3):
        for net, model in ((nets[0], f), (nets[1], nets[1])):
            optimizer = tm.optim.SGD(net.parameters(), lr=0.1)
            optimizer.zero_grad()
            tm.mean(model(X) ** 2).backward()
            optimizer.step()
    for p, q in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        assert np.abs(q.grad.numpy()).max() > 0
        np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), rtol=1e-12)


def test_gradients_flow_to_arguments_and_to_what_is_closed_over_alike():
    w, x = tm.tensor(W, requires_grad=True), tm.tensor(X, requires_grad=True)
    f = tm.compile(lambda x: tm.sum(tm.sin(x @ w)))
    f(x).backward()
    np.testing.assert_allclose(x.grad.numpy(), np.cos(X @ W) @ W.T, rtol=1e-12)
    np.testing.assert_allclose(w.grad.numpy(), X.T @ np.cos(X @ W), rtol=1e-12)
    with tm.no_grad():
        assert not f(x).requires_grad


def test_only_what_can_be_differentiated_needs_a_gradient():
    @tm.compile
    def f(x, y):
        return {"a": x * 2.0, "b": y * 2.0, "stopped": tm.stop_gradient(x), "index": tm.argmax(x), "n": 3, "y": (y, x)}

    x = tm.tensor(X, requires_grad=True)
    out = f(x, V)
    assert out["a"].requires_grad
    assert not any(out[k].requires_grad for k in ("b", "stopped", "index"))
    assert out["n"] == 3
    assert [t.requires_grad for t in out["y"]] == [False, True]
    (g,) = tm.grad_of(tm.sum(out["a"] * out["stopped"]), [x])
    np.testing.assert_allclose(g.numpy(), 2 * X)


def test_numbers_trees_and_static_arguments():
    f = tm.compile(lambda p, c, kind: tm.sum(p["w"] * c) if kind == "sum" else p["w"][0] * p["b"], static_argnums=2)
    p = {"w": tm.tensor([1.0, 2.0], requires_grad=True), "b": tm.tensor(np.float32(3.0), requires_grad=True)}
    f(p, 3.0, "sum").backward()
    assert p["w"].grad.numpy().tolist() == [3.0, 3.0]
    assert p["b"].grad is None or p["b"].grad.item() == 0.0
    f(p, 3.0, "first").backward()
    assert p["w"].grad.numpy().tolist() == [6.0, 3.0]
    assert p["b"].grad.dtype == np.float32
    assert p["b"].grad.item() == 1.0
    assert tm.grad(tm.compile(lambda x: x * x * 3.0))(2.0).item() == 12.0


@pytest.mark.parametrize(
    "f",
    [
        lambda a: tm.linalg.det(a),
        lambda a: tm.sum(tm.linalg.inv(a) ** 2),
        lambda a: tm.linalg.eigvalsh(a + a.T)[0],
        lambda a: tm.sum(tm.linalg.svd(a, full_matrices=False)[1] ** 3),
        lambda a: tm.sum(tm.sort(a, axis=0)[1]),
        lambda a: tm.linalg.norm(a),
    ],
)
def test_rules_that_look_at_values_run_as_they_are(f):
    a = RNG.normal(size=(3, 3))
    np.testing.assert_allclose(tm.grad(tm.compile(f))(a).numpy(), tm.grad(f)(a).numpy(), rtol=1e-10, atol=1e-12)
    check_grads(tm.compile(f), (a,), order=2)


def test_complex_arguments():
    z = X + 1j * V
    f = lambda z: tm.sum(tm.abs(z * z - 1.0) ** 2)  # noqa: E731
    np.testing.assert_allclose(tm.grad(tm.compile(f))(z).numpy(), tm.grad(f)(z).numpy(), rtol=1e-11)


def test_a_function_that_draws_is_differentiated_at_the_numbers_drawn():
    @tm.compile
    def noisy(x):
        noise = tm.random.normal(size=3)
        return tm.sum(x * noise), noise

    x = tm.tensor(np.ones(3), requires_grad=True)
    y, noise = noisy(x)
    y.backward()
    np.testing.assert_array_equal(x.grad.numpy(), noise.numpy())


def test_an_argument_that_is_changed_after_the_call_raises():
    x, c = tm.tensor(X, requires_grad=True), tm.tensor(V)
    y = tm.compile(lambda x, c: tm.sum(x * c))(x, c)
    c.data[0, 0] = 7.0
    with pytest.raises(ChangedAfterUse):
        y.backward()
    array = V.copy()
    y = tm.compile(lambda x, c: tm.sum(x * c))(x, array)
    array[...] = 0.0
    y.backward()
    np.testing.assert_array_equal(x.grad.numpy(), V)


def test_user_errors_come_through():
    x = tm.tensor(X, requires_grad=True)
    f = tm.compile(lambda x: x @ x)
    with pytest.raises(ValueError, match="matmul"):
        f(x)


def test_donated_arguments_are_not_overwritten_while_they_are_differentiated():
    f = tm.compile(lambda x: tm.exp(x) * 2.0, donate_argnums=0)
    x = tm.tensor(X.copy(), requires_grad=True)
    tm.sum(f(x)).backward()
    np.testing.assert_array_equal(x.detach().numpy(), X)
    np.testing.assert_allclose(x.grad.numpy(), 2 * np.exp(X), rtol=1e-12)


def test_a_loss_whose_gradient_was_asked_for_computes_it_along():
    w = tm.tensor(W, requires_grad=True)
    f = tm.compile(lambda x: (tm.mean(x), tm.sum(tm.tanh(x @ w) ** 2), 3))
    for k in range(4):
        w.grad = None
        x = X * (k + 1.0)
        y = f(x)
        assert y[0].item() == pytest.approx(x.mean())
        assert y[2] == 3
        (2.0 * y[1]).backward()
        t = np.tanh(x @ W)
        assert y[1].item() == pytest.approx(np.sum(t * t))
        np.testing.assert_allclose(w.grad.numpy(), 2.0 * x.T @ (2 * t * (1 - t * t)), rtol=1e-12)
        first = w.grad.numpy()
        y[1].backward()  # the graph stays: half as much once more
        np.testing.assert_allclose(w.grad.numpy(), 1.5 * first, rtol=1e-12)
    (g,) = tm.grad_of(f(X)[1], [w], create_graph=True)
    (h,) = tm.grad_of(tm.sum(g * W), [w])
    eager = lambda w: tm.sum(tm.tanh(X @ w) ** 2)  # noqa: E731
    np.testing.assert_allclose(h.numpy(), tm.hvp(eager, (W,), (W,))[0].numpy(), rtol=1e-11)
    assert tm.jvp(lambda v: tm.compile(eager)(v), (W,), (W,))[1].item() == pytest.approx(np.sum(g.detach().numpy() * W))


def test_the_gradient_of_a_loss_survives_what_is_done_to_an_earlier_one():
    w = tm.tensor(W, requires_grad=True)
    f = tm.compile(lambda: tm.sum(w * w))
    for _ in range(3):
        y = f()
        w.grad = None
        y.backward()
        w.grad.data[...] = 0.0
        w.grad = None
        y.backward()
        np.testing.assert_allclose(w.grad.numpy(), 2 * W)


def test_a_compiled_function_inside_another_is_written_out_in_it():
    w = tm.tensor(W, requires_grad=True)
    inner = tm.compile(lambda: tm.sum(w * w))
    outer = tm.compile(lambda x: x * inner())
    inner()  # a program of its own exists before
    for factor in (1.0, 2.0, 3.0):
        expected = X * np.sum(w.detach().numpy() ** 2)
        np.testing.assert_allclose(outer(X).detach().numpy(), expected, rtol=1e-12)
        with tm.no_grad():
            np.testing.assert_allclose(outer(X).numpy(), expected, rtol=1e-12)
            w *= factor
    w.grad = None
    tm.sum(outer(X)).backward()
    np.testing.assert_allclose(w.grad.numpy(), 2 * w.detach().numpy() * X.sum(), rtol=1e-12)


def test_a_compiled_function_that_draws_draws_inside_another_too():
    inner = tm.compile(lambda: tm.random.normal(size=3))
    inner()
    outer = tm.compile(lambda x: x * inner())
    assert len({outer(np.ones(3)).numpy().tobytes() for _ in range(3)}) == 3


def test_what_draws_and_closes_over_a_parameter_is_differentiated():
    w = tm.tensor(np.ones(3), requires_grad=True)
    noisy = tm.compile(lambda: w * tm.random.normal(size=3))
    for _ in range(3):
        y = noisy()
        w.grad = None
        tm.sum(y).backward()
        np.testing.assert_array_equal(w.grad.numpy(), y.detach().numpy())


def test_forward_mode_through_a_loss_that_has_learned_its_gradient():
    f = tm.compile(smooth)
    for _ in range(2):
        tm.grad(f)(X)
    for derivative in (
        lambda f: tm.jvp(f, (X,), (V,))[1],
        lambda f: tm.hvp(f, (X,), (V,))[0],
        lambda f: tm.hessian(f)(X),
        lambda f: tm.jvp(lambda x: tm.jvp(f, (x,), (V,))[1], (X,), (V,))[1],
    ):
        np.testing.assert_allclose(derivative(f).numpy(), derivative(smooth).numpy(), rtol=1e-11, atol=1e-12)


# -- Python numbers among the arguments --------------------------------------------------------------------------
NUMBERED = {
    "x k": (lambda x, k: x * k, lambda x, k: k + 0 * x, lambda x, k: 0 * x),
    "k sin x": (lambda x, k: k * tm.sin(x), lambda x, k: k * np.cos(x), lambda x, k: -k * np.sin(x)),
    "x^k": (lambda x, k: x**k, lambda x, k: k * x ** (k - 1), lambda x, k: k * (k - 1) * x ** (k - 2.0)),
    "k^x": (lambda x, k: k**x, lambda x, k: np.log(k) * k**x, lambda x, k: np.log(k) ** 2 * k**x),
    "x / k": (lambda x, k: x * x / k, lambda x, k: 2 * x / k, lambda x, k: 2 / k + 0 * x),
    "hypot": (lambda x, k: tm.hypot(x, k), lambda x, k: x / np.hypot(x, k), lambda x, k: k**2 / np.hypot(x, k) ** 3),
    "full": (lambda x, k: x**2 * tm.full(3, k), lambda x, k: 2 * x * k, lambda x, k: 2 * k + 0 * x),
    "asarray": (lambda x, k: tm.exp(x) * tm.asarray(k), lambda x, k: k * np.exp(x), lambda x, k: k * np.exp(x)),
    "checkpoint": (
        lambda x, k: tm.checkpoint(lambda z, q: q * tm.sin(z))(x, k),
        lambda x, k: k * np.cos(x),
        lambda x, k: -k * np.sin(x),
    ),
}


@pytest.mark.parametrize("name", NUMBERED)
def test_derivatives_read_a_number_among_the_arguments_at_each_call(name):
    f, slope, bend = NUMBERED[name]
    x, v = np.array([0.5, 1.25, 2.0]), np.array([1.0, -2.0, 0.5])
    fast, total = tm.compile(f), lambda x, k: tm.sum(f(x, k))
    within = tm.compile(tm.grad(total))
    forward = tm.compile(lambda x, k: tm.jvp(lambda z: f(z, k), (x,), (v,))[1])
    twice = tm.compile(lambda x, k: tm.hvp(lambda z: total(z, k), x, v))
    for k in (2, 3, 2.5, 0.75, 4):
        got = {
            "within": within(x, k),
            "outside": tm.grad(lambda z: tm.sum(fast(z, k)))(x),
            "forward": forward(x, k) / v,
            "forward outside": tm.jvp(lambda z: fast(z, k), (x,), (v,))[1] / v,
        }
        for way, found in got.items():
            np.testing.assert_allclose(found.numpy(), slope(x, k), rtol=1e-12, err_msg=f"{way}, k = {k}")
        outside = tm.hvp(lambda z: tm.sum(fast(z, k)), x, v)
        for found in (twice(x, k), outside):
            np.testing.assert_allclose(found.numpy(), bend(x, k) * v, rtol=1e-11, atol=1e-13, err_msg=f"k = {k}")


def test_two_calls_with_different_numbers_add_their_gradients():
    fast, x = tm.compile(lambda x, k: tm.tanh(x) * k), np.array([0.5, -1.0])
    total = tm.grad(lambda x: tm.sum(fast(x, 2) + fast(x, 3) + fast(x, 0.5)))(x)
    np.testing.assert_allclose(total.numpy(), 5.5 / np.cosh(x) ** 2, rtol=1e-13)


def test_a_number_is_a_tangent_or_a_cotangent_that_a_program_reads_at_each_call():
    push = tm.compile(lambda x, t: tm.jvp(tm.sin, (x,), (t,))[1])
    pull = tm.compile(lambda x, t: tm.vjp(tm.sin, x)[1](t)[0])
    for t in (2, 3.0, 5):
        for f in (push, pull):
            np.testing.assert_allclose(f(np.float64(0.3), t).numpy(), t * np.cos(0.3), rtol=1e-15)


@pytest.mark.parametrize(
    "f",
    [
        lambda x, k: x * tm.sqrt(k),
        lambda x, k: x * np.exp(k),
        lambda x, k: x * (k * 2 + 1),
        lambda x, k: x * (k / 3),
        lambda x, k: x + tm.clip(k, 0, 2),
        lambda x, k: tm.stack([x[0], k]),
        lambda x, k: tm.asarray([x[0], k, 1.0]),
        lambda x, k: tm.full(3, k) * x,
        lambda x, k: tm.special.erf(k) * x,
        lambda x, k: tm.stats.norm.logpdf(x, loc=k, scale=2),
        lambda x, k: tm.stats.gamma.logpdf(x, k),
    ],
)
def test_a_function_of_a_number_is_of_a_dtype_of_its_own_and_arithmetic_of_numbers_is_not(f):
    x = np.array([0.5, 1.25, 2.0], np.float32)
    fast = tm.compile(f)
    for k in (2, 3, 2.5, 1.5):
        want, got = f(tm.tensor(x), k), fast(x, k)
        assert got.dtype == want.dtype
        np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-6)


BACKENDS = ["numpy", "native"]


@pytest.fixture(params=BACKENDS)
def backend(request):
    if request.param == "native":
        pytest.importorskip("llvmlite")
    return request.param


def test_a_loss_that_was_differentiated_has_its_other_derivatives_still(backend):
    x = np.array([1.0, -2.0])
    loss = tm.compile(lambda x: (x**3).sum(), backend=backend)

    def series():
        return [float(c) for c in tm.jet(lambda s: loss(s * x), 0.5, 1.0, order=3)]

    wanted = [-7 * 0.5**3, -7 * 3 * 0.5**2, -7 * 3 * 0.5, -7.0]  # of -7 t^3
    np.testing.assert_allclose(series(), wanted, rtol=1e-14)
    for _ in range(3):
        np.testing.assert_allclose(tm.grad(loss)(x), 3 * x**2, rtol=1e-14)
        np.testing.assert_allclose(series(), wanted, rtol=1e-14)
        np.testing.assert_allclose(tm.jvp(loss, (x,), (np.ones(2),))[1], 15.0, rtol=1e-14)
        np.testing.assert_allclose(tm.hvp(loss, x, np.ones(2)), 6 * x, rtol=1e-14)
        np.testing.assert_allclose(tm.hessian(loss)(x), np.diag(6 * x), rtol=1e-14)
        np.testing.assert_allclose(tm.grad(tm.checkpoint(lambda x: loss(2 * x)))(x), 24 * x**2, rtol=1e-14)


def test_a_loss_beside_other_results_has_its_other_derivatives_still(backend):
    x = np.array([1.0, -2.0])
    f = tm.compile(lambda x: ((x**3).sum(), x > 0), backend=backend)
    for _ in range(3):
        np.testing.assert_allclose(tm.grad(f, has_aux=True)(x)[0], 3 * x**2, rtol=1e-14)
        found = tm.jet(lambda s: f(s * x)[0], 0.5, 1.0, order=2)
        np.testing.assert_allclose([float(c) for c in found], [-0.875, -5.25, -10.5], rtol=1e-14)


def test_audits_of_a_compiled_loss_agree_with_each_other(backend):
    loss = tm.compile(lambda x: (x**2).sum(), backend=backend)
    found = [tm.inspect.audit(loss, np.ones(2)).ok for _ in range(3)]
    tm.grad(loss)(np.ones(2))
    assert [*found, tm.inspect.audit(loss, np.ones(2)).ok] == [True] * 4


def test_a_gradient_that_a_call_knows_is_of_its_own_arguments(backend):
    loss = tm.compile(lambda x: (x**3).sum(), backend=backend)
    tm.grad(loss)(np.ones(2))
    x, z = (tm.tensor([a], requires_grad=True) for a in (2.0, 5.0))
    a, b = loss(x), loss(z)
    (2 * a + 3 * b).backward()
    assert [x.grad.item(), z.grad.item()] == [24.0, 225.0]
    with tm.no_grad():
        x[...] = 7.0
    with pytest.raises(ChangedAfterUse):
        a.backward()


def test_every_op_in_a_graph_has_a_text():
    x = tm.tensor(1.0, requires_grad=True)
    results = [tm.compile(lambda x: tm.sin(x) * 2)(x), tm.fori_loop(2, lambda i, c: 2 * c, x), tm.checkpoint(tm.sin)(x)]
    seen = set()
    stack = [y.node for y in results]
    while stack:
        n = stack.pop()
        stack += n.inputs
        seen.add(repr(n.op))
    assert "<structural op select(parts, index)>" in seen
