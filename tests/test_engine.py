"""The engine: recording, the two walks, what may go wrong, and what is left behind."""

import gc
import sys
import threading
import tracemalloc

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.core import tensor
from tinygrad_math.core.op import registry
from tinygrad_math.core.tensor import Node


def leaf(value, name=None):
    return tm.tensor(value, requires_grad=True, name=name)


# -- the walks --------------------------------------------------------------------------------------------


def test_pullback_of_a_deep_chain_does_not_recurse():
    x = leaf(1.0)
    y = x
    for _ in range(200_000):
        y = y + 1e-6
    y.backward()
    assert x.grad.item() == 1.0


def test_pushforward_of_a_deep_chain_does_not_recurse():
    def f(x):
        for _ in range(50_000):
            x = x * 1.00001
        return x

    y, t = tm.jvp(f, (1.0,), (2.0,))
    assert t.item() == pytest.approx(2 * y.item())


def test_a_diamond_is_visited_once_and_counted_twice():
    x = leaf(3.0)
    a = x * x
    (a * a).backward()
    assert x.grad.item() == 4 * 27


def test_many_diamonds_cost_linear_time():
    x = leaf(1.0)
    y = x
    for _ in range(100):
        y = (y + y) * 0.5
    y.backward()
    assert x.grad.item() == 1.0


def test_repeated_backward_accumulates_once_into_leaves_and_intermediates_never_double():
    x = leaf(2.0)
    h = x * x
    y = h * 3.0
    h.retain_grad()
    y.backward()
    y.backward()
    assert x.grad.item() == 24.0
    assert h.grad.item() == 6.0


def test_broadcasting_is_undone_in_the_walk():
    a, b, c = leaf(np.ones((3, 1))), leaf(np.ones((1, 4))), leaf(2.0)
    (a * b * c + a).sum().backward()
    assert a.grad.tolist() == [[12.0]] * 3
    assert b.grad.tolist() == [[6.0] * 4]
    assert c.grad.item() == 12.0


def test_unneeded_cotangents_are_never_computed():
    asked = []

    @tm.primitive
    def product(a, b):
        return a * b

    product.defvjp(lambda g, y, a, b: asked.append("a") or g * b, lambda g, y, a, b: asked.append("b") or g * a)
    product(leaf(2.0), 3.0).backward()
    assert asked == ["a"]


def test_create_graph_gives_gradients_that_can_be_differentiated():
    x = leaf([1.0, 2.0])
    (x**3).sum().backward(create_graph=True)
    g = x.grad
    x.grad = None
    g.sum().backward()
    assert x.grad.tolist() == [6.0, 12.0]


def test_grad_of_gives_gradients_of_intermediates_and_zeros_nothing():
    x = leaf(2.0)
    h = x * x
    y = h * h
    gh, gx = tm.grad_of(y, [h, x])
    assert gh.item() == 8.0
    assert gx.item() == 32.0
    assert x.grad is None


def test_hooks_see_and_replace_gradients_and_can_be_removed():
    x = leaf(1.0)
    seen = []
    remove = x.register_hook(lambda g: seen.append(g.item()))
    h = x * 2
    h.register_hook(lambda g: g * 10)
    h.sum().backward()
    assert seen == [20.0]
    assert x.grad.item() == 20.0
    remove()
    (x * 1.0).backward()
    assert len(seen) == 1


def test_float32_stays_float32_through_values_and_gradients():
    x = leaf(np.ones((2, 3), np.float32))
    w = leaf(np.ones((3, 2), np.float32))
    y = (tm.tanh(x @ w) * 2.0 + 1).mean()
    y.backward()
    assert {y.dtype, x.grad.dtype, w.grad.dtype} == {np.dtype("float32")}


def test_a_float32_leaf_meets_float64_and_keeps_its_dtype():
    x = leaf(np.ones(3, np.float32))
    (x * np.ones(3)).sum().backward()
    assert x.grad.dtype == np.float32


def test_a_gradient_is_its_owners_alone():
    a, b, c = leaf(np.ones(3)), leaf(np.ones(3)), leaf(np.ones((2, 20_000)))
    (a + b).sum().backward()
    a.grad.data *= 5.0
    assert b.grad.tolist() == [1.0, 1.0, 1.0]
    seed = np.ones(3)
    x = leaf(np.zeros(3))
    x.reshape((3, 1)).reshape((3,)).backward(seed)
    x.grad.data[:] = 7.0
    assert seed.tolist() == [1.0, 1.0, 1.0]
    c.sum().backward()
    c.grad.data[0] = 3.0


def test_stop_gradient_and_detach_are_constants():
    x = leaf(3.0)
    (x * x.detach()).backward()
    assert x.grad.item() == 3.0
    assert tm.grad(lambda x: x * tm.stop_gradient(x))(3.0).item() == 3.0


# -- errors -----------------------------------------------------------------------------------------------


def test_a_non_scalar_backward_asks_for_a_cotangent():
    x = leaf([1.0, 2.0])
    with pytest.raises(tm.NonScalarError, match=r"shape \(2,\).*cotangent"):
        (x * 2).backward()
    assert x.grad is None
    (x * 2).backward(np.array([1.0, 10.0]))
    assert x.grad.tolist() == [2.0, 20.0]


def test_a_cotangent_may_be_a_number_or_a_list():
    x = leaf([1.0, 2.0])
    x.sum().backward(2)
    assert x.grad.tolist() == [2.0, 2.0]
    assert tm.grad_of((x * x).sum(), [x], grad_outputs=[1])[0].tolist() == [2.0, 4.0]
    assert tm.vjp(lambda v: v * v, np.array([3.0, 1.0]))[1]([1, 10])[0].tolist() == [6.0, 20.0]


def test_a_cotangent_of_another_shape_is_refused():
    with pytest.raises(tm.ShapeError, match=r"float64\(3,\).*float64\(2,\)"):
        (leaf([1.0, 2.0]) * 2).backward(np.ones(3))


def test_integers_have_no_gradient():
    with pytest.raises(tm.DTypeError, match="int64"):
        tm.tensor([1, 2], requires_grad=True)
    with pytest.raises(tm.DTypeError, match=r"int64\(2,\).*astype"):
        tm.grad(lambda x: x.sum())(np.array([1, 2]))


def test_wrong_shapes_name_the_op_and_the_shapes():
    with pytest.raises(tm.ShapeError, match=r"matmul\(float64\(2, 3\), float64\(2, 3\)"):
        leaf(np.ones((2, 3))) @ np.ones((2, 3))
    with pytest.raises(tm.ShapeError, match=r"add\(float64\(2,\), float64\(3,\)"):
        leaf(np.ones(2)) + np.ones(3)


def test_a_wrong_axis_is_named_and_dim_is_translated():
    with pytest.raises(tm.AxisError, match=r"sum\(float64\(3,\), axis=1"):
        tm.sum(leaf(np.ones(3)), axis=1)
    with pytest.raises(tm.ArgumentError, match="Say axis= for dim="):
        tm.sum(leaf(np.ones(3)), dim=0)


def test_an_index_out_of_bounds_raises():
    with pytest.raises(IndexError, match="10"):
        leaf(np.ones(3))[10]


def test_text_and_objects_are_no_numbers():
    with pytest.raises(tm.DTypeError, match="numbers"):
        tm.tensor(["a"])
    with pytest.raises(tm.DTypeError, match="numbers"):
        leaf(1.0) + "a"


def test_changed_after_use_raises_and_names_the_tensor_and_the_op():
    w, x = leaf([2.0], "w"), leaf([3.0], "x")
    y = (w * x).sum()
    w.data = np.array([5.0])
    with pytest.raises(tm.ChangedAfterUse, match=r"'w'.*multiply"):
        y.backward()
    assert x.grad is None
    assert w.grad is None


@pytest.mark.parametrize("change", ["element", "in place", "augmented", "optimizer"])
def test_every_way_of_changing_the_array_is_noticed(change):
    w = leaf([2.0, 1.0], "w")
    y = (w * w).sum()
    if change == "element":
        w.data[0] = 7.0
    elif change == "in place":
        np.multiply(w.data, 2.0, out=w.data)
    elif change == "augmented":
        w.data -= 1.0
    else:
        w.grad = np.ones(2)
        tm.optim.SGD([w], lr=0.1).step()
    with pytest.raises(tm.ChangedAfterUse, match="'w'"):
        y.backward()


def test_reading_the_array_changes_nothing():
    w = leaf([2.0, 1.0])
    y = (w * w).sum()
    assert w.data.sum() == 3.0
    y.backward()
    assert w.grad.tolist() == [4.0, 2.0]


def test_use_after_the_change_is_fine():
    w = leaf([2.0])
    w.data[0] = 3.0
    (w * w).sum().backward()
    assert w.grad.tolist() == [6.0]


@pytest.mark.parametrize("n", [3, 20_000])
def test_an_array_of_the_users_that_is_overwritten_never_gives_a_wrong_gradient(n):
    x, a = leaf(np.ones(n)), np.full(n, 2.0)
    for y in (x * a, a * x, tm.multiply(x, a), np.multiply(a, x)):
        x.grad = None
        a[:] = 100.0
        try:
            y.sum().backward()
            assert x.grad.tolist() == [2.0] * n
        except tm.ChangedAfterUse:
            assert n > 1000
        a[:] = 2.0


def test_what_numpy_was_given_is_a_copy():
    c, x = tm.tensor([1.0, 2.0]), leaf([3.0, 4.0])
    y = (c * x).sum()
    np.asarray(c)[:] = 7.0
    c.numpy()[:] = 7.0
    y.backward()
    assert x.grad.tolist() == [1.0, 2.0]
    z = (c * x).sum()
    c.data[0] = 9.0
    with pytest.raises(tm.ChangedAfterUse):
        z.backward()


def test_forward_mode_notices_a_change_too():
    w = leaf([2.0], "w")

    def f(x):
        return w * x

    _, push = tm.linearize(f, np.array([1.0]))
    w.data = np.array([3.0])
    with pytest.raises(tm.ChangedAfterUse, match="'w'"):
        push(np.array([1.0]))


def test_an_unused_input_gives_zeros_in_transforms_and_an_error_in_grad_of():
    assert tm.grad(lambda x, y: x * 2, argnums=1)(1.0, np.float64(5.0)).item() == 0.0
    x, z = leaf(1.0, "x"), leaf(1.0, "z")
    with pytest.raises(tm.UnusedInput, match=r"z.*allow_unused"):
        tm.grad_of(x * 2, [x, z])
    assert tm.grad_of(x * 2, [x, z], allow_unused=True)[1] is None


def test_backward_without_leaves_says_so():
    with pytest.raises(tm.UnusedInput, match="requires_grad"):
        tm.tensor(1.0).backward()


def test_numpy_may_not_drop_a_gradient_silently():
    x = leaf([1.0])
    for leave in (np.asarray, np.array, lambda t: t.numpy()):
        with pytest.raises(tm.NeedsDetach, match=r"\.detach\(\)\.numpy\(\)"):
            leave(x)
    assert x.detach().numpy().tolist() == [1.0]


def test_a_rule_that_raises_leaves_no_gradient_behind():
    @tm.primitive
    def odd(x):
        return x * 1.0

    def broken(g, y, x):
        raise RuntimeError("broken rule")

    odd.defvjp(broken)
    x, z = leaf(1.0), leaf(1.0)
    y = odd(x) + z * 2
    with pytest.raises(RuntimeError, match="broken"):
        y.backward()
    assert x.grad is None
    assert z.grad is None
    (x * z).backward()
    assert x.grad.item() == 1.0


def test_an_exception_inside_a_transform_leaves_nothing_behind():
    def bad(x):
        raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"):
        tm.grad(bad)(1.0)
    assert tm.grad(lambda x: x * x)(3.0).item() == 6.0


# -- what is left behind ----------------------------------------------------------------------------------


def test_nothing_is_left_for_the_cycle_collector():
    net = tm.nn.Sequential(tm.nn.Linear(2, 4, rng=0), tm.nn.Tanh(), tm.nn.Linear(4, 1, rng=1))
    opt = tm.optim.SGD(net.parameters(), lr=0.1)
    x, y = np.ones((5, 2)), np.zeros((5, 1))

    def step():
        opt.zero_grad()
        loss = tm.nn.functional.mse_loss(net(x), y)
        loss.backward(create_graph=True)
        tm.hvp(lambda w: (w**3).sum(), np.ones(3), np.ones(3))
        h = tm.tanh(net(x))
        h.retain_grad()
        h.sum().backward(create_graph=True)
        h.grad.sum()
        opt.step()

    def recorded():  # what other tests hold on to is theirs
        return {id(o) for o in gc.get_objects() if issubclass(type(o), Node) and o.op is not None}

    step()
    opt.zero_grad()
    gc.collect()
    before = recorded()
    gc.disable()
    try:
        step()
        opt.zero_grad()
        assert recorded() <= before
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_the_memory_of_a_training_loop_is_flat():
    net = tm.nn.Sequential(tm.nn.Linear(8, 32, rng=0), tm.nn.ReLU(), tm.nn.Linear(32, 1, rng=1))
    opt = tm.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    x, y = np.ones((16, 8)), np.zeros((16, 1))
    kept = []

    def steps(n):
        for _ in range(n):
            opt.zero_grad()
            prediction = net(x)
            loss = tm.nn.functional.mse_loss(prediction, y)
            kept.append(tm.mean((prediction > 0) * 1.0))  # a statistic that is kept must not keep the graph
            loss.backward()
            opt.step()

    steps(5)
    tracemalloc.start()
    steps(5)
    first = tracemalloc.get_traced_memory()[0]
    steps(100)
    second = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert second - first < 100 * 1500


def test_a_graph_goes_with_its_last_reference():
    x = leaf(np.ones(1000))
    y = tm.tanh(x)
    import weakref

    node = weakref.ref(y.node)
    z = y.sum()
    del y
    assert node() is not None
    del z
    assert node() is None


# -- threads ----------------------------------------------------------------------------------------------


def test_no_grad_belongs_to_its_thread():
    inside, done = threading.Event(), threading.Event()
    seen = []

    def other():
        inside.wait(5)
        seen.append((leaf(1.0) * 2).requires_grad)
        done.set()

    thread = threading.Thread(target=other)
    thread.start()
    with tm.no_grad():
        inside.set()
        done.wait(5)
        assert not (leaf(1.0) * 2).requires_grad
    thread.join()
    assert seen == [True]


def test_threads_differentiate_at_the_same_time():
    out = {}

    def work(k):
        out[k] = [tm.grad(lambda x: tm.sin(x * k))(0.1 * i).item() for i in range(50)]

    threads = [threading.Thread(target=work, args=(k,)) for k in range(1, 5)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for k, values in out.items():
        np.testing.assert_allclose(values, [k * np.cos(0.1 * i * k) for i in range(50)])


def test_no_grad_is_a_decorator_too():
    @tm.no_grad()
    def evaluate(x):
        return x * 2

    assert not evaluate(leaf(1.0)).requires_grad


def test_in_place_under_no_grad_keeps_a_parameter_a_leaf():
    w = leaf(1.0)
    (w * 3).backward()
    with tm.no_grad():
        w -= 0.1 * w.grad
    assert w.is_leaf
    assert w.requires_grad
    assert w.item() == pytest.approx(0.7)


# -- the registry -----------------------------------------------------------------------------------------


def test_a_registered_name_is_taken():
    from tinygrad_math.core.declare import declare

    assert "tanh" in registry
    with pytest.raises(tm.ArgumentError, match="tanh"):
        declare("tanh", np.tanh, kind="nondiff", arity=1)


def test_a_missing_op_in_a_rule_is_named():
    from tinygrad_math.core.tensor import rec

    with pytest.raises(AttributeError, match="no_such_op"):
        rec.no_such_op  # noqa: B018


@pytest.mark.parametrize("state", ["as ever", "raise", "warn of all", "a callback"])
def test_a_walk_is_without_warnings_and_leaves_numpys_error_state_as_it_was(state):
    """Also where a rule raises, and where the user has set another state than NumPy starts with."""

    class Stop(Exception):
        pass

    def stop(g):
        raise Stop

    around = {"as ever": {}, "raise": {"all": "raise"}, "warn of all": {"all": "warn"}, "a callback": {"call": stop}}
    with np.errstate(**around[state]):
        before = np.geterr(), np.geterrcall(), np.getbufsize()
        x = tm.tensor([0.0, 1.0], requires_grad=True)
        tm.sqrt(x).sum().backward()  # 0.5 / 0
        assert np.isinf(x.grad.numpy()[0])
        y = x * 2.0
        y.register_hook(stop)
        with pytest.raises(Stop):
            y.sum().backward()
        assert (np.geterr(), np.geterrcall(), np.getbufsize()) == before


# -- gradients that nobody has looked at yet ------------------------------------------------------------
def test_a_gradient_is_one_tensor_whoever_looks_and_whenever():
    x = tm.tensor([1.0, 2.0], requires_grad=True)
    (x * x).sum().backward()
    first = x.grad
    assert first is x.grad
    assert first.is_leaf
    assert first.grad is None
    (x * 3.0).sum().backward()
    assert first.tolist() == [2.0, 4.0]
    assert x.grad.tolist() == [5.0, 7.0]
    x.grad[0] = -1.0
    assert x.grad.tolist() == [-1.0, 7.0]
    tm.optim.SGD([x], lr=1.0).step()
    assert x.tolist() == [2.0, -5.0]


def test_two_gradients_of_one_cotangent_are_written_to_apart():
    a, b = tm.tensor([1.0, 2.0], requires_grad=True), tm.tensor([3.0, 4.0], requires_grad=True)
    ((a + b) * np.array([5.0, 6.0])).sum().backward()
    a.grad[0] = 0.0
    a.grad *= 2.0
    assert a.grad.tolist() == [0.0, 12.0]
    assert b.grad.tolist() == [5.0, 6.0]
    a.backward(np.array([1.0, 1.0]))
    assert a.grad.tolist() == [1.0, 13.0]
    assert b.grad.tolist() == [5.0, 6.0]


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (lambda x: tm.optim.SGD([x], lr=1.0).zero_grad(), None),
        (lambda x: setattr(x, "grad", None), None),
        (lambda x: setattr(x, "grad", 5.0), 5.0),
        (lambda x: (x * 2.0).backward(), 3.0),
    ],
)
def test_who_looks_at_a_gradient_undoes_nothing_that_another_thread_does_to_it(monkeypatch, change, left):
    x, others, wrap = leaf(1.0), [], tensor.wrap
    (x * 1.0).backward()

    def meanwhile(node):
        if not others:
            others.append(threading.Thread(target=change, args=(x,)))
            others[0].start()
            others[0].join(0.1)
        return wrap(node)

    monkeypatch.setattr(tm.Tensor, "_of", staticmethod(meanwhile))
    assert x.grad.item() == 1.0
    others[0].join()
    assert x.grad is None if left is None else x.grad.item() == left


def calls_in(f):
    """How many functions of Python run when f is called."""
    count = 0

    def see(frame, event, argument):
        nonlocal count
        count += event == "call"

    outer = sys.getprofile()
    sys.setprofile(see)
    try:
        f()
    finally:
        sys.setprofile(outer)
    return count - 1  # f itself


@pytest.mark.parametrize(
    "f, most", [(lambda x: x[1:, 0], 3), (tm.tanh, 2), (tm.sigmoid, 3), (lambda x: x * x, 1), (lambda x: x @ x, 1)]
)
def test_an_op_takes_few_calls_of_python(f, most):
    x = leaf(np.ones((2, 2))) * 1.0
    f(x)
    assert calls_in(lambda: f(x)) <= most + (f not in (tm.tanh, tm.sigmoid))


@pytest.mark.parametrize("f", [tm.tanh, tm.sigmoid])
def test_a_slope_takes_few_calls_of_python_in_the_walk(f):
    x = leaf(np.ones((2, 2))) * 1.0
    found = []
    for y in (x.sum(), f(x).sum()):
        y.backward()
        found.append(calls_in(y.backward))
    assert found[1] - found[0] <= 3  # the rule, the slope, and whether its digits are there


@pytest.mark.parametrize("f", [tm.tanh, tm.sigmoid])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_slope_is_written_into_no_array_that_somebody_holds(f, dtype):
    x = tm.tensor(np.linspace(-3.0, 3.0, 12).reshape(3, 4), requires_grad=True, dtype=dtype)
    weights = np.arange(12.0).reshape(3, 4).astype(dtype)
    y = f(x)
    y.retain_grad()
    before = y.detach().numpy().copy()
    seen = []
    y.register_hook(lambda g: seen.append(g))
    first = (y * weights).sum()
    first.backward()
    once = x.grad.numpy().copy()
    first.backward()
    np.testing.assert_array_equal(y.detach().numpy(), before)
    np.testing.assert_array_equal(y.grad.numpy(), 2 * weights)
    for g in seen:
        np.testing.assert_array_equal(g.numpy(), weights)
    np.testing.assert_array_equal(x.grad.numpy(), 2 * once)
    assert x.grad.dtype == dtype


@pytest.mark.parametrize("f", [tm.tanh, tm.sigmoid])
def test_the_slope_at_a_number_is_that_in_an_array_and_takes_one_call_of_python(f):
    values = np.array([0.0, 0.3, -2.0, 7.0, -9.0, 18.5, 20.0, -40.0, -745.2, np.inf, np.nan])
    in_array = tm.grad(lambda x: f(x).sum())(values)
    alone = [tm.grad(f)(v) for v in values]
    assert np.array_equal(np.array([g.item() for g in alone]), np.asarray(in_array), equal_nan=True)
    x = leaf(0.3) * 1.0
    found = []
    for y in (x, f(x)):
        y.backward()
        found.append(calls_in(y.backward))
    assert found[1] - found[0] == 1
