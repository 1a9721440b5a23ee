"""Assignment in place: values, derivatives and memory are those of a program that copies at each step."""

import copy
import gc
import os
import pickle
import threading
import tracemalloc

import numpy as np
import pytest
from cases import each
from striking import interrupted

import tinygrad_math as tm
from tinygrad_math.core import past
from tinygrad_math.core.op import raw, registry


@pytest.fixture(autouse=True)
def arrays_of_any_size_are_written_to(monkeypatch):
    """So that programs on few numbers take the way of those on many."""
    monkeypatch.setattr(past, "SMALL", 0)
    monkeypatch.setattr(past, "COST", 2)


def leaf(values):
    return tm.tensor(values, requires_grad=True)


def array_of(x):
    """The memory of a tensor, as an address."""
    return x.node.data.ctypes.data


# -- programs -------------------------------------------------------------------------------------------
KEYS = [
    lambda r: (int(r.integers(6)), int(r.integers(-4, 4))),
    lambda r: int(r.integers(6)),
    lambda r: slice(int(r.integers(3)), int(r.integers(3, 6))),
    lambda r: (slice(None), int(r.integers(4))),
    lambda r: (Ellipsis, slice(None, None, -2)),
    lambda r: r.integers(6, size=3),
    lambda r: (r.integers(6, size=2), r.integers(4, size=2)),
    lambda r: r.random((6, 4)) < 0.2,
    lambda r: r.random(6) < 0.3,
]
SIZES = [3, 9, 40]


class Program:
    """A random program of assignments, reads and old references, to be run on Tensors or on NumPy's copies."""

    def __init__(self, seed, steps):
        r = np.random.default_rng(seed)
        self.lines = []
        for _ in range(steps):
            verb = r.choice(
                ["set", "set", "set", "scale", "scale", "add", "number", "keep", "keep a view", "move", "use", "square"]
                + ["keep a copy", "from the other", "at", "whole", "read old", "write old"]
            )
            self.lines.append((verb, KEYS[r.integers(len(KEYS))](r), float(r.normal()), int(r.integers(1 << 30))))

    def __call__(self, x, copied, at):
        """The sum of what is seen on the way; `copied(a)` is another name of a value, `at` np.add.at's like."""
        y, z, kept, total = x * 1.0, x * 0.5, [], 0.0
        for verb, key, c, pick in self.lines:
            if verb == "set":
                y[key] = c * x[key]
            elif verb == "scale":
                y[key] = y[key] * c
            elif verb == "add":
                y[key] += c * x[key]
            elif verb == "number":
                y[key] = c
            elif verb == "keep":
                kept.append(copied(y))
            elif verb == "keep a view":
                kept.append(copied(y)[1:])
            elif verb == "keep a copy":
                kept.append(y * 1.0)
            elif verb == "move":
                y, z = z, y
            elif verb == "use":
                total = total + (y * y).sum() * 0.1 + (c * z).sum()
            elif verb == "square":
                y = (y + z) * 0.5
            elif verb == "from the other":
                y[key] = z[key]
            elif verb == "at":
                at(y, key, c * x[key])
            elif verb == "whole":
                y[...] = y * 0.5 + c
            elif verb == "read old" and kept:
                old = kept[pick % len(kept)]
                total = total + (old * old).sum() * 0.1 + old[0, 1] * c
            elif verb == "write old" and kept:
                old = kept[pick % len(kept)]
                old[1:3] = old[1:3] * c
                old[0, 0] = y[0, 0]
            total = total * 0.99
        for k, old in enumerate([y, z, *kept]):
            total = total + (old**3).sum() * 0.01 * (k + 1)
        return total


def add_at(y, key, v):
    np.add.at(y, key, v)


def on_tensors(program):
    return lambda x: program(x, copy.copy, add_at)


def on_arrays(program):
    return lambda x: program(x, np.copy, add_at)


def start(seed):
    return np.random.default_rng(seed + 1000).normal(size=(6, 4))


def finite_difference(f, x, v):
    h = 1e-6
    return (f(x + h * v) - f(x - h * v)) / (2 * h)


@pytest.mark.parametrize("steps", SIZES)
@pytest.mark.parametrize("seed", range(12))
def test_a_program_of_assignments_is_the_one_on_copies(seed, steps):
    program, x = Program(seed, steps), start(seed)
    f, g = on_tensors(program), on_arrays(program)
    want = g(x)
    v = np.random.default_rng(seed).normal(size=x.shape)
    slope = finite_difference(g, x, v)
    w = leaf(x)
    y = f(w)
    np.testing.assert_allclose(y.item(), want, rtol=1e-12)
    np.testing.assert_allclose(f(tm.tensor(x)).item(), want, rtol=1e-12)
    with tm.no_grad():
        np.testing.assert_allclose(f(w).item(), want, rtol=1e-12)
    y.backward()
    close = {"rtol": 2e-5, "atol": 1e-5 * (1 + abs(want))}
    np.testing.assert_allclose((w.grad.numpy() * v).sum(), slope, **close)
    first = w.grad.numpy()
    y.backward()
    np.testing.assert_allclose(w.grad.numpy(), 2 * first, rtol=1e-12)
    np.testing.assert_allclose(tm.grad(f)(x).numpy(), first, rtol=1e-12)
    np.testing.assert_allclose(tm.jvp(f, (x,), (v,))[1].item(), slope, **close)
    np.testing.assert_allclose(tm.compile(f)(x).item(), want, rtol=1e-10)


@pytest.mark.parametrize("seed", range(5))
def test_second_derivatives_of_a_program_of_assignments_are_those_of_its_gradient(seed):
    program, x = Program(seed, 9), start(seed)
    f = on_tensors(program)
    v = np.random.default_rng(seed).normal(size=x.shape)
    want = finite_difference(lambda x: tm.grad(f)(x).numpy(), x, v)
    close = {"rtol": 1e-4, "atol": 1e-5 * (1 + np.abs(want).max())}
    np.testing.assert_allclose(tm.hvp(f, x, v).numpy(), want, **close)
    w = leaf(x)
    g = tm.grad_of(f(w), w, create_graph=True)
    np.testing.assert_allclose(tm.grad_of((g * v).sum(), w).numpy(), want, **close)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 400))
def test_long_programs_of_assignments_are_those_on_copies(seed):
    program, x = Program(seed, 60), start(seed)
    w = leaf(x)
    y = on_tensors(program)(w)
    want = on_arrays(program)(x)
    np.testing.assert_allclose(y.item(), want, rtol=1e-10)
    v = np.random.default_rng(seed).normal(size=x.shape)
    got = (tm.grad_of(y, w).numpy() * v).sum()
    slope = finite_difference(on_arrays(program), x, v)
    np.testing.assert_allclose(got, slope, rtol=1e-4, atol=1e-5 * (1 + abs(want)))


# -- memory ---------------------------------------------------------------------------------------------
def numbers(x, n):
    y = x * 1.0
    for i in range(n):
        y[i] = y[i] * 2.0
    return y


def sums(x, n):
    y = x * 1.0
    for i in range(1, n):
        y[i] += y[i - 1]
    return y


def pairs(x, n):
    y = x * 1.0
    for i in range(0, n - 2, 2):
        y[i : i + 2] = y[i + 1 : i + 3] * 0.5
    return y


def picked(x, n):
    y = x * 1.0
    for i in range(n):
        y[[i, 0]] = y[[0, i]] * 0.5
    return y


def rows(x, n):
    y = (x * 1.0).reshape(-1, 8) * 1.0
    for i in range(n // 8):
        for _ in range(8):
            y[i] = y[i] * 1.1
    return y


def entries(x, n):
    y = (x * 1.0).reshape(-1, 8) * 1.0
    for i in range(n):
        y[i // 8, i % 8] = y[i // 8, (i + 1) % 8] * 1.1
    return y


def columns(x, n):
    y = (x * 1.0).reshape(8, -1) * 1.0
    for i in range(n // 8):
        for _ in range(8):
            y[:, i] = y[:, i] * 1.1
    return y


def added_at(x, n):
    y = x * 1.0
    for i in range(n):
        np.add.at(y, [i, i], x[i])
    return y


LOOPS = [numbers, sums, pairs, picked, rows, entries, columns, added_at]


def peak(f):
    gc.collect()
    tracemalloc.start()
    try:
        f()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("loop", LOOPS)
def test_memory_of_a_loop_of_assignments_grows_as_its_steps(loop, monkeypatch):
    monkeypatch.undo()

    def recorded(n):
        w = leaf(np.linspace(0.5, 1.5, n))
        loop(w, n).sum().backward()
        return w.grad

    small, large = (peak(lambda n=n: recorded(n)) for n in (240, 960))
    assert large < 6 * small  # sixteen times as much, if each step copied
    n = 960
    plain = tm.tensor(np.linspace(0.5, 1.5, n))
    assert peak(lambda: loop(plain, n)) < 30 * 8 * n
    copies = np.linspace(0.5, 1.5, n)
    np.testing.assert_allclose(loop(plain, n).numpy(), loop(copies, n), rtol=1e-12)
    rng = np.random.default_rng(0)
    g = recorded(n).numpy()
    v = rng.normal(size=n)
    along = finite_difference(lambda x: loop(x, n).sum(), copies, v)
    np.testing.assert_allclose((g * v).sum(), along, rtol=1e-6)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_loop_of_assignments_writes_in_place(loop, monkeypatch):
    monkeypatch.undo()
    n, written = 800, []
    before = past._written
    monkeypatch.setattr(past, "_written", lambda *args: (written.append(before(*args)), written[-1])[1])
    for x in (leaf(np.ones(n)), tm.tensor(np.ones(n))):
        written.clear()
        loop(x, n)
        assert sum(w is not None for w in written) > 0.7 * len(written) > 250
    written.clear()
    tm.grad(lambda x: loop(x, n).sum())(np.ones(n))
    assert sum(w is not None for w in written) > 0.7 * len(written) > 250


def test_a_parameter_is_assigned_to_in_place_where_nothing_is_recorded():
    w = leaf(np.arange(2000.0))
    place, v = array_of(w), w[:3].detach()
    z = (w * w).sum()
    with tm.no_grad():
        w[5] = 100.0
    assert array_of(w) != place  # v shows it
    del v
    place = array_of(w)
    with tm.no_grad():
        w[5] += 1.0
        w[7:9] = 3.0
    assert array_of(w) == place
    assert w[4:9].tolist() == [4.0, 101.0, 6.0, 3.0, 3.0]
    with pytest.raises(tm.ChangedAfterUse):
        z.backward()
    (w * w).sum().backward()
    assert w.grad[5].item() == 202.0
    tm.optim.SGD([w], lr=1.0).step()
    assert w[5].item() == -101.0


def test_an_old_value_that_is_kept_does_not_keep_all_that_was_assigned_since(monkeypatch):
    monkeypatch.undo()
    y, w = tm.zeros(1000) + 0.0, leaf(2.0)
    y[0] = 1.0
    z = w * y

    def assign(steps):
        for i in range(steps):
            y[i % 1000] = float(i)

    assert peak(lambda: assign(5_000)) < 300_000
    assert tm.grad_of(z.sum(), w).item() == 1.0
    assert y[:3].tolist() == [4000.0, 4001.0, 4002.0]


def test_no_cycle_is_left():
    gc.collect()
    gc.disable()
    try:
        w = leaf(np.ones(2000))
        alive = len(gc.get_objects())
        y = sums(w, 50)
        y.sum().backward()
        w.grad = None
        del y
        assert len(gc.get_objects()) - alive < 10
    finally:
        gc.enable()


# -- who else sees the array ----------------------------------------------------------------------------
HOLDERS = {
    "a view": lambda y: y[1:],
    "a view of a view": lambda y: y.reshape(2, 3)[1],
    "detach": lambda y: y.detach(),
    "another handle": copy.copy,
    "data": lambda y: y.data if not y.requires_grad else y.detach().data,
    "a result": lambda y: y * 1.0,
    "an array": lambda y: np.asarray(y.detach()),
    "an array without a copy": lambda y: np.asarray(y.detach(), copy=False),
    "an iterator": lambda y: next(iter(y.reshape(2, 3))),
    "a pickle": lambda y: pickle.loads(pickle.dumps(y.detach())),
    "a deep copy": lambda y: copy.deepcopy(y.detach()),
    "broadcast": lambda y: tm.broadcast_to(y, (2, 6)),
    "the array of a node": lambda y: y.node.data,
    "a buffer": lambda y: memoryview(y.node.data),
    "as a constant": lambda y: tm.stop_gradient(y),
}
WRITES = {
    "set": lambda y: y.__setitem__(1, 50.0),
    "slice": lambda y: y.__setitem__(slice(1, 3), np.array([50.0, 60.0])),
    "add": lambda y: np.add.at(y, [1, 1], 5.0),
    "fill": lambda y: y.fill_(7.0),
    "own": lambda y: y.__setitem__(slice(0, 2), y[2:4]),
    "itself": lambda y: y.__setitem__(slice(None), y),
}


@pytest.mark.parametrize("holder", HOLDERS)
@each("write", WRITES)
@each("recorded", [False, True])
def test_whoever_holds_the_value_keeps_it(recorded, holder, write):
    for writes_before in (0, 1, 2):
        values = np.arange(6.0)
        y = (leaf(values) if recorded else tm.tensor(values)) * 1.0
        for k in range(writes_before):
            y[k] = y[k] + 10.0
        held = HOLDERS[holder](y)
        before = np.array(held.detach() if isinstance(held, tm.Tensor) else held)
        WRITES[write](y)
        y[4] = -1.0
        np.testing.assert_array_equal(held.detach() if isinstance(held, tm.Tensor) else held, before)


def test_the_old_value_is_differentiated_by_as_it_was():
    w = leaf(np.arange(1.0, 5.0))
    y = w * 2.0
    old = copy.copy(y)
    seen = []
    y.register_hook(lambda g: seen.append(g.tolist()))
    y.retain_grad()
    y[0] = y[1] * y[1]
    y[2] = 5.0
    loss = (y * y).sum() + (old**3).sum()
    g, gw = tm.grad_of(loss, [old, w])
    values = 2.0 * np.arange(1.0, 5.0)
    want = 3 * values**2 + np.array([0.0, 2 * values[1] + 4 * values[1] ** 3, 0.0, 2 * values[3]])
    assert g.tolist() == want.tolist()
    assert gw.tolist() == (2 * want).tolist()
    loss.backward()
    assert w.grad.tolist() == (2 * want).tolist()
    assert seen == [want.tolist()] * 2
    assert old.tolist() == values.tolist()


def test_a_second_name_of_the_same_tensor_sees_the_assignment():
    y = leaf(np.ones(4)) * 1.0
    same = y
    y[0] = 5.0
    y[1] = 6.0
    assert same.tolist() == [5.0, 6.0, 1.0, 1.0]


def test_an_index_array_may_be_assigned_to_afterwards():
    y, i = leaf(np.arange(4.0)) * 1.0, tm.tensor([0, 1]) + 0
    old = copy.copy(y)
    y[i] = 9.0
    i[0] = 3
    y[i] = 8.0
    i[1] = 2
    assert old.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert y.tolist() == [9.0, 8.0, 2.0, 8.0]
    y.sum().backward()


@pytest.mark.parametrize("create_graph", [False, True])
def test_rules_that_need_the_old_values_get_them(create_graph):
    x = np.linspace(0.5, 1.0, 6)

    def program(y, exp):
        total = 0.0
        for i in range(5):
            total = total + (exp(y) * y).sum()
            y[i] = y[i + 1] * y[i]
        return total + (y * y).sum()

    w = leaf(x)
    y = w * 1.0
    g = tm.grad_of(program(y, tm.exp), w, create_graph=create_graph)
    for k in range(6):
        along = finite_difference(lambda x: program(x * 1.0, np.exp), x, np.eye(6)[k])
        np.testing.assert_allclose(g[k].item(), along, rtol=1e-6)


@pytest.mark.parametrize("bad", [(99, 1.0), (slice(0, 3), np.ones(2)), ("x", 1.0), (0, 1j), ([0, 99], 1.0)])
@pytest.mark.parametrize("recorded", [False, True])
def test_a_bad_assignment_leaves_everything_as_it_was(recorded, bad):
    y = (leaf(np.arange(6.0)) if recorded else tm.tensor(np.arange(6.0))) * 1.0
    y[0] = 4.0
    old = copy.copy(y)
    y[1] = 3.0
    index, value = bad
    with pytest.raises(tm.MathError):
        y[index] = value
    assert y.tolist() == [4.0, 3.0, 2.0, 3.0, 4.0, 5.0]
    assert old.tolist() == [4.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    y[5] = 1.0
    assert y.tolist() == [4.0, 3.0, 2.0, 3.0, 4.0, 1.0]


@pytest.mark.parametrize("x", [tm.tensor([[1.0, 2.0]]), tm.tensor([[1.0 + 3j, 2.0]])], ids=["real", "complex"])
def test_what_is_made_of_a_tensor_is_no_window_on_it_and_the_error_says_how_to_assign(x):
    before, v = x.numpy().copy(), np.array([[5.0, 6.0]])
    for name, new, want in (
        ("real", v, v + 1j * before.imag),
        ("imag", v, before.real + 1j * v),
        ("flat", v.ravel(), v),
    ):
        with pytest.raises(tm.ArgumentError, match=f"^x.{name} is a value") as told:
            setattr(x, name, new)
        np.testing.assert_array_equal(x.numpy(), before)
        if "x[...] = " in str(told.value):  # real numbers have no imaginary part to be assigned
            way = str(told.value).rpartition("x[...] = ")[2].removesuffix(" for as many as x has")
            y = x.copy()
            y[...] = eval(way, {"tm": tm, "v": new, "x": x})
            np.testing.assert_array_equal(y.numpy(), want)
        else:
            assert (name, x.dtype.kind) == ("imag", "f")


def test_a_leaf_that_requires_a_gradient_is_refused_before_it_is_written_to():
    w = leaf(np.arange(6.0))
    for write in WRITES.values():
        with pytest.raises(tm.NotALeaf):
            write(w)
    assert w.tolist() == np.arange(6.0).tolist()
    assert w.requires_grad


def test_arithmetic_that_raises_in_the_middle_of_a_write_changes_nothing():
    y = tm.tensor(np.array([1.0, 1e308, 1.0, 1.0])) * 1.0
    old = copy.copy(y)
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        np.add.at(y, slice(None), 1.7e308)
    assert y.tolist() == old.tolist() == [1.0, 1e308, 1.0, 1.0]


@pytest.mark.parametrize("dtype", ["float32", "complex128", "int64", "bool"])
def test_every_dtype_and_layout_is_kept(dtype):
    for values in (np.arange(24).reshape(4, 6), np.asfortranarray(np.arange(24).reshape(4, 6))):
        values = values.astype(dtype)
        y = tm.tensor(values).copy()
        old, want = copy.copy(y), values.copy()
        for i in range(4):
            y[i, 1:3] = y[3 - i, 2:4]
            want[i, 1:3] = want[3 - i, 2:4]
            y[i] = 1
            want[i] = 1
        assert y.dtype == old.dtype == dtype
        np.testing.assert_array_equal(y.numpy(), want)
        np.testing.assert_array_equal(old.numpy(), values)


def test_what_is_donated_is_not_what_an_older_value_is_made_of():
    y = tm.tensor(np.arange(6.0)) * 1.0
    old = copy.copy(y)
    y[0] = 10.0
    f = tm.compile(lambda y: y * 2.0, donate_argnums=0)
    f(tm.tensor(np.arange(6.0)))
    assert f(y).tolist() == [20.0, 2.0, 4.0, 6.0, 8.0, 10.0]
    assert old.tolist() == np.arange(6.0).tolist()


def test_an_optimisers_step_leaves_the_values_before_an_assignment():
    w = tm.tensor(np.arange(6.0)) * 1.0
    old = copy.copy(w)
    w[0] = 10.0
    w.requires_grad = True
    w.grad = np.ones(6)
    tm.optim.SGD([w], lr=1.0).step()
    assert w.tolist() == [9.0, 0.0, 1.0, 2.0, 3.0, 4.0]
    assert old.tolist() == np.arange(6.0).tolist()


def test_data_that_is_replaced_or_written_to_does_not_reach_older_values():
    y = tm.tensor(np.arange(4.0)) * 1.0
    first = copy.copy(y)
    y[0] = 10.0
    second = copy.copy(y)
    y[1] = 11.0
    y.data[2] = 12.0
    y[3] = 13.0
    second.data = np.zeros(4)
    assert first.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert y.tolist() == [10.0, 11.0, 12.0, 13.0]
    second[0] = 1.0
    assert first.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert second.tolist() == [1.0, 0.0, 0.0, 0.0]


def test_a_drawing_shows_the_values_of_old_nodes():
    y = leaf(np.arange(1.0, 4.0)) * 1.0
    y[0] = y[1] * 7.0
    text = tm.graph(y.sum(), values=True).text()
    assert "[1, 2, 3]" in text
    assert "[14, 2, 3]" in text


@pytest.mark.parametrize("transform", [tm.compile, lambda f: tm.compile(tm.grad(f)), tm.checkpoint, tm.grad])
def test_what_a_transformed_function_assigns_to_leaves_what_it_closes_over(transform):
    t = tm.tensor(np.arange(6.0)) * 1.0
    place = array_of(t)

    def f(x):
        y, z = t.reshape(2, 3), t.copy()
        y = y[0]
        y[0] = x
        z[1] = x * y[1]
        z[1] = z[1] * y[0]
        return y.sum() + z.sum()

    for _ in range(2):
        got = np.asarray(transform(f)(2.0)).item()
        assert got in (2.0 + 3.0 + 14.0 + 4.0, 1.0 + 2.0 * 2.0)  # the value, the slope
        assert t.tolist() == np.arange(6.0).tolist()
        assert array_of(t) == place


# -- trouble --------------------------------------------------------------------------------------------
STEPS = {"_write", "_become", "_replace", "replace", "_taken_over", "_written", "_restored", "_settled", "array"}


def struck(action, place):
    """Run `action` with a KeyboardInterrupt at the point of this number: the start of a function, or a bytecode."""
    count, files = 0, os.path.join(os.path.dirname(tm.__file__), "core")

    def trace(frame, event, arg):
        nonlocal count
        if not frame.f_code.co_filename.startswith(files):
            return None
        frame.f_trace_opcodes = frame.f_code.co_name in STEPS
        if event == "opcode" or (event == "call" and frame.f_code.co_name not in ("_get", "_set")):
            count += 1
            if count == place:
                raise KeyboardInterrupt
        return trace

    return interrupted(action, trace)


@pytest.mark.parametrize("recorded", [False, True])
def test_an_interrupt_at_any_point_of_an_assignment_leaves_the_old_value_or_the_new(recorded):
    state = {}

    def action():
        state.clear()
        y = (leaf(np.arange(6.0)) if recorded else tm.tensor(np.arange(6.0))) * 1.0
        state.update(y=y, old=copy.copy(y), older=None)
        y[0] = 10.0
        state["older"] = copy.copy(y)
        y[1:3] = y[2:4]

    def consistent():
        if "y" not in state:
            return True
        y, old, older = state["y"].tolist(), state["old"].tolist(), state["older"]
        assert old == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
        assert older is None or older.tolist() == [10.0, 1.0, 2.0, 3.0, 4.0, 5.0]
        return y in ([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [10.0, 1.0, 2.0, 3.0, 4.0, 5.0], [10.0, 2.0, 3.0, 3.0, 4.0, 5.0])

    place = 1
    while struck(action, place):
        assert consistent(), f"after an interrupt at point {place}"
        place += 1
    assert place > 200


def test_threads_that_read_what_another_assigns_to_see_one_of_its_values():
    n = 2000
    box, wrong, over = [tm.tensor(np.zeros(n)) * 1.0], [], threading.Event()

    def read():
        while not over.is_set():
            values = copy.copy(box[0])
            a = values.node.data
            once = a.copy()
            k = int(once.sum())
            if not (once[:k] == 1.0).all() or not np.array_equal(a, once) or not np.array_equal(values.numpy(), once):
                wrong.append(once)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for t in readers:
        t.start()
    for _ in range(3):
        y = box[0] = tm.tensor(np.zeros(n)) * 1.0
        for i in range(n // 2):
            y[i] = 1.0
    over.set()
    for t in readers:
        t.join()
    assert not wrong


def test_two_threads_may_assign_to_handles_of_one_value():
    for _ in range(20):
        y = leaf(np.zeros(300)) * 1.0
        y[0] = 1.0
        handles = [copy.copy(y) for _ in range(4)]
        gate = threading.Barrier(4)

        def fill(k, handles=handles, gate=gate):
            gate.wait()
            for i in range(1, 100):
                handles[k][i] = float(k)

        threads = [threading.Thread(target=fill, args=(k,)) for k in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert y.tolist() == [1.0] + [0.0] * 299
        for k in range(4):
            assert handles[k].tolist() == [1.0] + [float(k)] * 99 + [0.0] * 200


# -- the registry ---------------------------------------------------------------------------------------
FORMAL = [name for _ in (tm.linalg.norm, tm.fft.fft, tm.special.erf) for name, op in registry.items() if op.formal]


@pytest.mark.parametrize("name", sorted(set(FORMAL)))
def test_rules_that_take_only_shapes_do_not_look_at_values(name):
    op = registry[name]
    for s in op.samples():
        arrays, params = op.bind(s.args, s.params)
        args = [np.asarray(a) for a in (arrays[0] if op.arity is None else arrays)]
        blank = [past._without_values(a) if k < op.formal else a for k, a in enumerate(args)]
        y = np.asarray(op.forward(*args, **params))
        need = tuple(a.dtype.kind in "fc" for a in args)
        if y.dtype.kind not in "fc" or True not in need:
            continue
        g = np.random.default_rng(0).normal(size=y.shape).astype(y.dtype)
        found = op.vjp(raw, need, g, past._without_values(y), *blank, **params)
        for got, want in zip(found, op.vjp(raw, need, g, y, *args, **params), strict=True):
            if want is not None:
                np.testing.assert_array_equal(got, want)
        ts = [np.ones(a.shape, a.dtype) if n else None for a, n in zip(args, need, strict=True)]
        got, want = op.jvp(raw, ts, past._without_values(y), *blank, **params), op.jvp(raw, ts, y, *args, **params)
        np.testing.assert_array_equal(got, want)


# -- under no_grad ----------------------------------------------------------------------------------------------
def _part(x):
    v = x * 2.0
    with tm.no_grad():
        v[0] = 5.0
    return (v * v).sum()


def _whole(x):
    v = x * 2.0
    with tm.no_grad():
        v += 5.0
    return (v * v).sum()


def _input(x):
    with tm.no_grad():
        x[1:] = 5.0
    return (x * x).sum()


@pytest.mark.parametrize("f", [_part, _whole, _input])
def test_a_write_under_no_grad_takes_no_history_away_unseen(f):
    x = np.array([1.0, 2.0, 3.0])
    for derivative in (tm.grad(f), tm.grad(tm.compile(f)), tm.compile(tm.grad(f)), lambda x: tm.jvp(f, (x,), (x,))):
        with pytest.raises((tm.NotALeaf, tm.TraceError), match=r"under no_grad|writes to its argument x"):
            derivative(x.copy())
    want = f(tm.tensor(x)).item()
    if f is _input:
        with pytest.raises(tm.TraceError, match="writes to its argument x"):
            tm.compile(f)(x)
    else:
        assert tm.compile(f)(x).item() == want
    with tm.no_grad():
        assert f(leaf(x)).item() == want
    if f is not _input:
        with pytest.raises(tm.NotALeaf, match="the result of multiply"):
            f(leaf(x))


def test_a_detached_copy_and_a_constant_may_be_written_under_no_grad():
    def f(x):
        v = x.detach().copy()
        with tm.no_grad():
            v[0] = 5.0
        w = x * 2.0
        w[0] = (x * 3.0)[0].detach()
        return (v * x).sum() + w.sum()

    for g in (tm.grad(f), tm.compile(tm.grad(f)), tm.grad(tm.compile(f))):
        np.testing.assert_array_equal(g(np.array([1.0, 2.0])).numpy(), [5.0, 4.0])


def _one_number(x):
    y = x * 1
    y[x > 0] = x[0]
    return tm.sum(y**2)


def _a_row(x):
    y = tm.stack([x, x**2, x**3])
    y[y[:, 0] > 0.5] = x
    return tm.sum(y**3)


def _a_row_of_one(x):
    y = tm.stack([x, x**2])
    y[y > 0.5] = x[:1]
    return tm.sum(y**3)


def _added(x):
    return tm.sum(tm.asarray(x).at[tm.asarray(x) > 0].add(x[1]) ** 2)


@pytest.mark.parametrize("f", [_one_number, _a_row, _a_row_of_one, _added])
def test_one_value_under_a_mask_that_is_computed_has_a_gradient_in_programs_too(f):
    """How often it is written depends on values, its gradient's shape does not."""
    x, slopes = np.array([1.0, -2.0, 3.0]), tm.grad(f)
    numeric = [(f(x + 1e-6 * e) - f(x - 1e-6 * e)).item() / 2e-6 for e in np.eye(3)]
    for found in (slopes(x), tm.compile(slopes)(x), tm.vmap(slopes)(np.stack([x, x]))[1]):
        np.testing.assert_allclose(found, numeric, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(tm.compile(tm.hessian(f))(x), tm.hessian(f)(x))
