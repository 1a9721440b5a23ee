"""What tracing takes, what it refuses and how it says so, and that a compiled function is the function."""

from __future__ import annotations

import dataclasses
import functools
import gc
import sys
import threading
import weakref

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.compiler import cache
from tinygrad_math.compiler.executable import is_static
from tinygrad_math.compiler.find import MISS, finder
from tinygrad_math.core.errors import ArgumentError, SingularMatrix, TraceError
from tinygrad_math.core.tree import flatten

X = np.linspace(-1.0, 2.0, 6).reshape(2, 3)


# -- what is refused, with the line -------------------------------------------------------------------------
def branch(x):
    if tm.sum(x) > 0:  # the user's line
        return x
    return -x


@pytest.mark.parametrize(
    ("f", "what"),
    [
        (branch, "bool"),
        (lambda x: x * float(tm.sum(x)), "float"),
        (lambda x: x * int(tm.sum(x)), "int"),
        (lambda x: x * tm.sum(x).item(), "item"),
        (lambda x: x.numpy() * 2, "numpy"),
        (lambda x: np.asarray(x) * 2, "numpy"),
        (lambda x: x.tolist(), "tolist"),
        (lambda x: x.data * 2, "data"),
        (lambda x: [1, 2, 3][x[0, 0]], "index"),
        (lambda x: x[x > 0], "mask"),
        (lambda x: tm.nonzero(x), "depends on values"),
    ],
)
def test_asking_for_a_value_raises_and_names_the_line(f, what):
    with pytest.raises(TraceError, match=what) as caught:
        tm.compile(f)(X)
    message = str(caught.value)
    assert "test_compiler_trace.py" in message
    assert "where(" in message
    if f is branch:
        assert "if tm.sum(x) > 0:" in message
        assert "static" in message


def test_a_value_that_decides_may_be_static():
    @tm.compile(static_argnums=1)
    def power(x, n):
        y = x
        for _ in range(n - 1):
            y = y * x
        return y if n else tm.ones_like(x)

    for n in (0, 1, 3, 0):
        np.testing.assert_allclose(power(X, n).numpy(), X**n)
    with pytest.raises(ArgumentError, match="hash"):
        power(X, [3])
    with pytest.raises(ArgumentError, match="both static and donated"):
        tm.compile(branch, static_argnums=0, donate_argnums=0)


def test_strings_and_none_in_a_tree_are_static():
    f = tm.compile(lambda d: d["x"] * 2.0 if d["kind"] == "double" else d["x"])
    np.testing.assert_array_equal(f({"x": X, "kind": "double", "rest": None}).numpy(), 2 * X)
    np.testing.assert_array_equal(f({"x": X, "kind": "same", "rest": None}).numpy(), X)


def test_backward_and_step_name_their_functional_form():
    w = tm.tensor(np.ones(3), requires_grad=True)

    def f(x):
        loss = tm.sum(x @ w)
        loss.backward()
        return loss

    with pytest.raises(TraceError, match="value_and_grad"):
        tm.compile(f)(X)
    assert w.grad is None


def test_an_exception_in_a_traced_function_leaves_nothing_behind():
    w = tm.tensor(2.0, requires_grad=True)

    def f(x):
        y = x * w
        raise KeyError("mine")
        return y

    with pytest.raises(KeyError, match="mine"):
        tm.compile(f)(X)
    assert bool(w > 1.0)  # w is no traced value
    (w * 3.0).backward()
    assert w.grad.item() == 3.0


# -- trees, types, shapes -----------------------------------------------------------------------------------
@dataclasses.dataclass
class Pair:
    a: object
    b: object


def test_trees_of_every_kind_go_in_and_come_out():
    def f(pair, many, *rest, scale=1.0, **named):
        return Pair(pair.a * scale, [many["k"], (rest[0], None)]), {"n": named["y"] + 1.0}

    g = tm.compile(f)
    for _ in range(2):
        out, extra = g(Pair(X, X), {"k": X[0]}, X[1], scale=2.0, y=X)
        np.testing.assert_array_equal(out.a.numpy(), 2 * X)
        np.testing.assert_array_equal(out.b[0].numpy(), X[0])
        np.testing.assert_array_equal(out.b[1][0].numpy(), X[1])
        assert out.b[1][1] is None
        np.testing.assert_array_equal(extra["n"].numpy(), X + 1)


def test_another_shape_or_dtype_or_tree_compiles_anew():
    traced = []

    def f(x):
        traced.append(1)
        return tm.sum(x if not isinstance(x, list) else x[0])

    g = tm.compile(f)
    for x in (X, X, X[:1], X.astype(np.float32), X, [X], 2.0, 3.0, X[:1]):
        y = g(x)
        assert np.isclose(np.asarray(y.numpy() if hasattr(y, "numpy") else y), np.sum(x), rtol=1e-6)
    assert len(traced) == 5
    assert g(X.astype(np.float32)).dtype == np.float32


def test_programs_for_many_shapes_go_the_oldest_first(monkeypatch):
    monkeypatch.setattr(cache, "KEPT", 6)
    traced = []

    @tm.compile
    def f(x):
        traced.append(x.shape)
        return tm.sum(x * x)

    for n in range(1, 11):
        assert f(np.ones(n)).item() == n
    made = [weakref.ref(program) for program, _ in f._programs.values()]
    assert len(made) == 6
    f(np.ones(5))  # the oldest that is left: found again, and from now on the newest
    assert len(traced) == 10
    f(np.ones(11))
    f(np.ones(5))
    assert len(traced) == 11
    assert f(np.ones(6)).item() == 6  # gone, and made anew
    assert len(traced) == 12
    for n in range(20, 30):
        f(np.ones(n))
    gc.collect()
    assert [ref() for ref in made] == [None] * 6


def test_python_numbers_are_arguments_and_stay_weakly_typed():
    traced = []

    def f(x, lr, t):
        traced.append(1)
        return x * (1.0 - lr) - lr**t, t + 1

    g = tm.compile(f)
    x = X.astype(np.float32)
    for lr, t in ((0.1, 1), (0.25, 2)):
        y, following = g(x, lr, t)
        assert y.dtype == np.float32
        assert following == t + 1
        assert type(following) is int
        np.testing.assert_allclose(y.numpy(), f(x, lr, t)[0], rtol=1e-6)
    assert len(traced) == 1 + 2


def test_a_number_of_numpy_and_an_array_of_no_axes_share_a_program():
    traced = []

    def f(x):
        traced.append(1)
        return x * 2.0, tm.reshape(x, (1,)), tm.where(x > 0, x, 0.0)

    g = tm.compile(f)
    for x in (np.array(1.5), np.float64(-2.5), tm.tensor(3.0), tm.exp(0.0), np.array(-1.0)):
        for a, b in zip(g(x), f(tm.tensor(x)), strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy())
    assert len(traced) == 6
    g(np.float32(1.0))
    assert len(traced) == 7


def test_arguments_in_any_memory_order_give_the_same():
    f = tm.compile(lambda x: (tm.tanh(x).T.reshape(-1), x.reshape(-1), x.T @ x))
    for x in (X, np.asfortranarray(X), np.repeat(X, 2, axis=1)[:, ::2], X[:, ::-1], tm.tensor(X)):
        plain = np.array(x.numpy() if isinstance(x, tm.Tensor) else x)
        a, b, c = f(x)
        np.testing.assert_allclose(a.numpy(), np.tanh(plain).T.reshape(-1), rtol=1e-14)
        np.testing.assert_array_equal(b.numpy(), plain.reshape(-1))
        np.testing.assert_allclose(c.numpy(), plain.T @ plain, rtol=1e-14)


def test_integers_masks_and_comparisons_are_traced():
    def f(x, i):
        mask = (x > 0) & (x < 1.5)
        return tm.where(mask, x, -1.0), tm.sum(mask), tm.argmax(x, axis=1), i // 2, x[:, i]

    g = tm.compile(f)
    for x, i in ((X, np.array([0, 2])), (-X, np.array([1, 1]))):
        for a, b in zip(g(x, i), f(tm.tensor(x), tm.tensor(i)), strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_an_error_of_numpy_is_the_named_error_of_the_op():
    f = tm.compile(lambda a, b: tm.linalg.solve(a, b))
    np.testing.assert_allclose(f(np.eye(2), np.ones(2)).numpy(), 1.0)
    with pytest.raises(SingularMatrix, match="solve"):
        f(np.zeros((2, 2)), np.ones(2))
    np.testing.assert_allclose(f(np.eye(2), np.ones(2)).numpy(), 1.0)


@pytest.mark.parametrize("f", [tm.bincount, lambda i: tm.bincount(i) * 2.0 + 1.0, lambda i: tm.unique_values(i) + 1])
def test_a_shape_that_depends_on_values_raises_and_never_passes_silently(f):
    g = tm.compile(f)

    def calls():
        return [g(np.array(i)) for i in ([0, 1, 1], [5, 0, 2])]

    with pytest.raises(TraceError, match="depends on values"):
        calls()


def test_random_draws_are_drawn_at_each_call():
    f = tm.compile(lambda x: x + tm.random.normal(size=x.shape))
    tm.random.seed(0)
    first, second = f(X).numpy(), f(X).numpy()
    assert not np.array_equal(first, second)
    tm.random.seed(0)
    np.testing.assert_array_equal(f(X).numpy(), first)


# -- what is closed over ------------------------------------------------------------------------------------
def test_parameters_that_are_closed_over_are_read_at_each_call():
    w = tm.tensor([1.0, 2.0, 3.0], requires_grad=True)
    f = tm.compile(lambda x: (x @ w, x @ w.detach()))
    for factor in (1.0, 3.0):
        for y in f(X):
            np.testing.assert_allclose(y.detach().numpy(), X @ (factor * np.array([1.0, 2.0, 3.0])))
        with tm.no_grad():
            w *= 3.0
    assert w.requires_grad
    assert [y.requires_grad for y in f(X)] == [True, False]


def _under_no_grad(w, x):
    with tm.no_grad():
        total = tm.sum(w)
    return x * total


@pytest.mark.parametrize(
    "use",
    [
        _under_no_grad,
        lambda w, x: x * tm.sum(w.detach()),
        lambda w, x: x * tm.sum(tm.stop_gradient(w)),
        lambda w, x: x * tm.sum(tm.grad(lambda v: tm.sum(v * v))(w)),
        lambda w, x: x * tm.hvp(lambda v: tm.sum(v**3), (w,), (w,))[0],
        lambda w, x: x * tm.argmax(w),
        lambda w, x: tm.linalg.svd(tm.stop_gradient(tm.outer(w, w)))[1] * x,
        lambda w, x: tm.no_grad()(lambda: tm.linalg.svd(tm.outer(w, w))[1] * x)(),
    ],
)
def test_a_parameter_is_read_at_each_call_however_it_is_used(use):
    w = tm.tensor([1.0, 2.0, 3.0], requires_grad=True)
    f = tm.compile(lambda x: use(w, x))
    for factor in (2.0, -1.0, 0.5):
        want, got = use(w, X), f(X)
        np.testing.assert_allclose(got.detach().numpy(), want.detach().numpy(), rtol=1e-12, atol=1e-14)
        assert got.requires_grad == want.requires_grad
        with tm.no_grad():
            np.testing.assert_allclose(f(X).numpy(), want.detach().numpy(), rtol=1e-12, atol=1e-14)
            w *= factor


@pytest.mark.parametrize(
    "ask",
    [
        lambda w: w.data.sum(),
        lambda w: float(w[0]),
        lambda w: w.detach().numpy()[0],
        lambda w: tm.tensor(w, requires_grad=True)[0],
    ],
)
def test_a_value_of_a_parameter_cannot_be_asked_for(ask):
    w = tm.tensor([1.0, 2.0, 3.0], requires_grad=True)
    with pytest.raises(TraceError, match="asks for a value"):
        tm.compile(lambda x: x * ask(w))(X)
    assert float(w[0]) == 1.0  # and afterwards it can


# -- composition --------------------------------------------------------------------------------------------
def f_scalar(x):
    return tm.sum(tm.sin(x) * tm.exp(-x * x)) + tm.prod(x)


V = np.cos(X)
TRANSFORMS = {
    "grad": lambda f: tm.grad(f),
    "value_and_grad": lambda f: tm.value_and_grad(f),
    "grad of grad": lambda f: tm.grad(lambda x: tm.sum(tm.grad(f)(x) * V)),
    "hvp": lambda f: lambda x: tm.hvp(f, (x,), (V,)),
    "jvp": lambda f: lambda x: tm.jvp(f, (x,), (V,)),
    "vjp": lambda f: lambda x: tm.vjp(tm.sin, x)[1](V),
    "jacobian": lambda f: tm.jacobian(lambda x: tm.sum(x * x, axis=0)),
    "hessian": lambda f: tm.hessian(f),
    "checkpoint": lambda f: tm.grad(lambda x: tm.sum(tm.checkpoint(lambda y: tm.exp(tm.sin(y)))(x))),
    "linearize": lambda f: lambda x: tm.linearize(f, x)[1](V),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_compile_composes_with(name):
    f = TRANSFORMS[name](f_scalar)
    expected, got = f(X), tm.compile(f)(X)
    for a, b in zip(tm_leaves(got), tm_leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    "f",
    [
        lambda w, x: tm.value_and_grad(lambda w: (tm.sum(w * x), tm.mean(x)), has_aux=True)(w),
        lambda w, x: tm.grad(lambda w: (tm.sum(w), tm.mean(x) * w), has_aux=True)(w),
        lambda w, x: tm.value_and_grad(lambda w: tm.sum(2.0 * x))(w),
        lambda w, x: tm.vjp(lambda w: 2.0 * x, w)[0],
        lambda w, x: tm.jvp(lambda w: (2.0 * x, w * x), (w,), (w,)),
        lambda w, x: tm.linearize(lambda w: (2.0 * x, x), w)[0],
        lambda w, x: tm.jacobian(lambda w: (w * w, tm.sum(x)), has_aux=True)(w),
    ],
)
def test_results_that_do_not_depend_on_what_is_differentiated_are_no_constants(f):
    g = tm.compile(f)
    for x in (X, 2.0 * X):
        for a, b in zip(tm_leaves(g(V, x)), tm_leaves(f(V, x)), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)


def tm_leaves(tree):
    return [t.detach().numpy() for t in flatten(tree)[0]]


def test_derivatives_pass_through_a_compiled_function():
    f = tm.compile(f_scalar)
    np.testing.assert_allclose(tm.grad(f)(X).numpy(), tm.grad(f_scalar)(X).numpy(), rtol=1e-12)
    w = tm.tensor(X, requires_grad=True)
    f(w).backward()
    np.testing.assert_allclose(w.grad.numpy(), tm.grad(f_scalar)(X).numpy(), rtol=1e-12)
    outer = tm.compile(lambda x: tm.compile(tm.sin)(x) * 2.0)
    np.testing.assert_allclose(outer(X).numpy(), 2 * np.sin(X), rtol=1e-15)


def test_under_no_grad_parameters_run_the_program():
    w = tm.tensor(X, requires_grad=True)
    calls = []

    def f(w):
        calls.append(1)
        return tm.sum(w * w)

    g = tm.compile(f)
    with tm.no_grad():
        values = [g(w).item() for _ in range(3)]
    assert values == pytest.approx([np.sum(X * X)] * 3, rel=1e-14)
    assert len(calls) == 1


@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop"])
def test_a_whole_training_step_with_an_optimiser(name):
    if not hasattr(tm.optim, name):
        pytest.skip("no such optimiser yet")
    optimizer = getattr(tm.optim, name)(lr=0.1)
    y = np.array([1.0, -1.0])

    def step(params, state, x, y):
        loss, g = tm.value_and_grad(lambda p: tm.mean((tm.tanh(x @ p["w"]) + p["b"] - y) ** 2))(params)
        params, state = optimizer.update(g, state, params)
        return loss, params, state

    fast = tm.compile(step)
    params = slow_params = {"w": tm.tensor([0.1, 0.2, 0.3]), "b": tm.tensor(0.0)}
    state = slow_state = optimizer.init(params)
    losses = []
    for _ in range(5):
        loss, params, state = fast(params, state, X, y)
        slow, slow_params, slow_state = step(slow_params, slow_state, X, y)
        np.testing.assert_allclose(loss.numpy(), slow.numpy(), rtol=1e-12)
        losses.append(loss.item())
    for a, b in zip(tm_leaves(params), tm_leaves(slow_params), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    assert losses[-1] < losses[0]


def test_several_threads_may_call_the_same_function():
    f = tm.compile(tm.value_and_grad(f_scalar))
    inputs = [X * (k + 1) / 4 for k in range(8)]
    expected = [[a.numpy() for a in tm.value_and_grad(f_scalar)(x)] for x in inputs]
    wrong = []

    def work(k):
        for _ in range(200):
            value, g = f(inputs[k])
            if abs(value.numpy() - expected[k][0]) > 1e-9 or not np.allclose(g.numpy(), expected[k][1]):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_finding_the_program_of_ten_arrays_calls_no_function_of_python():
    params = {f"w{k}": np.ones((k + 1, 2)) for k in range(10)}
    given = ((params,), {})
    find = finder(given, is_static, [False] * 10)
    assert len(find(given)) == 10
    assert find((({**params, "w0": np.ones(2)},), {})) is MISS
    calls = []
    sys.setprofile(lambda frame, event, arg: calls.append(frame.f_code.co_name) if event == "call" else None)
    try:
        find(given)
    finally:
        sys.setprofile(None)
    assert calls == ["find"]


def test_a_function_of_a_python_number_returns_what_it_returns_uncompiled():
    for f in (lambda x: tm.sin(x) * x, lambda x: x * x + 1, lambda x: {"a": tm.exp(x), "b": -x}):
        eager, compiled = flatten(f(0.5))[0], flatten(tm.compile(f)(0.5))[0]
        assert [type(y) for y in compiled] == [type(y) for y in eager]
        assert [float(y) for y in compiled] == [float(y) for y in eager]


def test_a_method_can_be_compiled():
    @dataclasses.dataclass
    class Line:
        w: object
        b: object

        @tm.compile
        def __call__(self, x):
            return self.w * x + self.b

        @tm.compile
        def twice(self, x):
            return self(self(x))

    line = Line(np.array(2.0), np.array(1.0))
    np.testing.assert_array_equal(line.twice(X).numpy(), 4 * X + 3)
    np.testing.assert_array_equal(Line(np.array(1.0), np.array(1.0)).twice(X).numpy(), X + 2)
    assert "def twice(self_w, self_b, x):" in line.twice.source


def test_a_program_does_not_keep_the_arrays_that_it_was_traced_with():
    x = np.ones((50, 50))
    f = tm.compile(lambda x: tm.sum(tm.exp(x) @ x))
    f(x)
    kept = weakref.ref(x)
    del x
    gc.collect()
    assert kept() is None
    assert all(v.example is None for v in f.program.body if v.shape)
    f.program.validate(np.ones((50, 50)))


def test_depth_costs_no_recursion():
    def deep(x):
        y = x
        for _ in range(1500):
            y = y * 1.001 + 0.01
        return y

    np.testing.assert_allclose(tm.compile(deep)(X).numpy(), deep(X), rtol=1e-12)
    np.testing.assert_allclose(tm.compile(deep)(0.5), deep(0.5), rtol=1e-12)
    np.testing.assert_allclose(tm.compile(tm.grad(deep))(0.5).numpy(), 1.001**1500, rtol=1e-12)
    w = np.eye(3)[:, ::-1] * 0.99

    def powers(x):
        for _ in range(300):
            x = x @ w
        return tm.sum(x)

    np.testing.assert_allclose(tm.compile(tm.grad(powers))(X).numpy(), tm.grad(powers)(X).numpy(), rtol=1e-12)

    def doubled(x):
        for _ in range(60):
            x = x + x
        return x

    assert tm.compile(doubled)(1.0) == 2.0**60
    np.testing.assert_array_equal(tm.compile(doubled)(X).numpy(), doubled(X))


def test_modules_and_partials_can_be_compiled():
    net = tm.nn.Sequential(tm.nn.Linear(3, 4), tm.nn.Tanh(), tm.nn.Linear(4, 2))
    f, double = tm.compile(net), tm.compile(functools.partial(lambda a, x: a * x, 2.0))
    assert "Sequential" in repr(f)
    np.testing.assert_array_equal(double(X).numpy(), 2 * X)
    optimizer = tm.optim.SGD(net.parameters(), lr=0.1)
    for _ in range(2):
        np.testing.assert_allclose(f(X).detach().numpy(), net(X).detach().numpy(), rtol=1e-14)
        tm.mean(net(X) ** 2).backward()
        optimizer.step()


def test_a_module_goes_through_a_compiled_training_step():
    optimizer = tm.optim.SGD(lr=0.1)

    def step(net, state, x):
        loss, g = tm.value_and_grad(lambda net: tm.mean(net(x) ** 2))(net)
        return loss, *optimizer.update(g, state, net)

    fast = tm.compile(step)
    net = slow = tm.nn.Sequential(tm.nn.Linear(3, 4), tm.nn.Tanh(), tm.nn.Linear(4, 2))
    state = slow_state = optimizer.init(net)
    with tm.no_grad():
        for _ in range(3):
            loss, net, state = fast(net, state, X)
            expected, slow, slow_state = step(slow, slow_state, X)
            np.testing.assert_allclose(loss.numpy(), expected.detach().numpy(), rtol=1e-13)
    assert type(net) is tm.nn.Sequential


def test_containers_with_attributes_come_in_and_back_whole():
    class Row(list):
        pass

    class Table(dict):
        pass

    def made(title, rows=None):
        row = Row([1.0 * X, {"k": X + 1.0}])
        row.title, row.parts = title, rows or ["a", "b"]
        table = Table(row=row)
        table.title = title
        return table

    def f(table):
        out = Table(row=Row([table["row"][0] * 2.0, dict(table["row"][1])]))
        out["row"].title, out["row"].parts, out.title = table["row"].title, table["row"].parts, table.title
        return out

    g = tm.compile(f)
    for title, rows, programs in (("one", None, 1), ("one", None, 1), ("two", None, 2), ("two", ["a"], 3)):
        got = g(made(title, rows))
        assert (type(got), type(got["row"]), got.title, got["row"].title) == (Table, Row, title, title)
        assert got["row"].parts == (rows or ["a", "b"])
        np.testing.assert_array_equal(got["row"][0].numpy(), 2.0 * X)
        np.testing.assert_array_equal(got["row"][1]["k"].numpy(), X + 1.0)
        assert len(g._programs) == programs


@pytest.mark.parametrize(
    ("what", "f", "given"),
    [
        ("one_hot without num_classes", lambda labels: tm.nn.functional.one_hot(labels), [np.array([0, 2, 1])]),
        ("the order of a norm", lambda x, k: tm.linalg.norm(x, k), [np.ones(3), 2]),
        ("p of dropout", lambda x, k: tm.nn.functional.dropout(x, k), [np.ones(3), 0.5]),
        ("axis of sum", lambda x, k: tm.sum(x, axis=k), [np.ones((2, 3)), 1]),
    ],
)
def test_a_choice_that_is_traced_is_named_with_the_line_and_the_way_out(what, f, given):
    f(*given)
    with pytest.raises(tm.TraceError, match=rf"{what} asks for a value.*static_argnums[^$]*test_compiler_trace\.py"):
        tm.compile(f)(*given)
    if len(given) > 1:
        assert np.isfinite(tm.compile(f, static_argnums=1)(*given).numpy()).all()
