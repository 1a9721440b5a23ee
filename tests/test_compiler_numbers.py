"""Numbers in reach of a compiled function that change from call to call are arguments of its program."""

import functools
import math
import threading
import types

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.core.errors import TraceError
from tinygrad_math.core.tree import flatten

X = np.array([1.0, 2.0, 3.0], "f")
COUNT = 0
CONFIG = {"schedule": {"beta": [0.5, 2.0]}, "name": "a"}


class Held:
    factor = 0.5

    def __init__(self, v):
        self.v = v


def as_text(tree):
    """Each leaf of results with its type, dtype and bits, for NumPy numbers too."""
    return [
        (type(v).__name__, np.asarray(v.detach().numpy() if isinstance(v, tm.Tensor) else v)) for v in flatten(tree)[0]
    ]


def assert_same(got, want, rtol=1e-6):
    for (kind, a), (like, b) in zip(as_text(got), as_text(want), strict=True):
        assert (kind, a.dtype, a.shape) == (like, b.dtype, b.shape)
        np.testing.assert_allclose(a, b, rtol=rtol, atol=0)


def programs_of(f, change, calls=14, x=X, **how):
    """How many programs f has after these calls, with a change after each; all of them what f itself gives."""
    compiled = tm.compile(f, **how)
    for _ in range(calls):
        assert_same(compiled(x), f(tm.tensor(x)))
        change()
    return len(compiled._programs)


# -- what is done with a number ------------------------------------------------------------------------------
STARTS = {
    "float": (0.5, lambda v: v + 0.25),
    "int": (1, lambda v: v + 1),
    "float64": (np.float64(0.5), lambda v: v * np.float64(1.5)),
    "float32": (np.float32(0.5), lambda v: v * np.float32(1.5)),
    "int64": (np.int64(1), lambda v: v + np.int64(1)),
}
COMPUTED = {
    "a factor": lambda x, s: x * s.v,
    "a factor in front": lambda x, s: s.v * x,
    "a difference": lambda x, s: s.v - x,
    "a quotient": lambda x, s: s.v / x,
    "a power": lambda x, s: s.v**x,
    "a remainder": lambda x, s: x % s.v,
    "a maximum": lambda x, s: tm.maximum(x, s.v),
    "a choice": lambda x, s: tm.where(x > 1.5, x, s.v),
    "limits": lambda x, s: tm.clip(x, -s.v, s.v),
    "in place": lambda x, s: functools.reduce(lambda y, k: y.__iadd__(s.v * k), (1, 2), x * 1.0),
    "ours alone": lambda x, s: tm.exp(-s.v) * x,
    "NumPy's alone": lambda x, s: np.exp(-s.v) * x,
    "math's": lambda x, s: x * math.sqrt(1 - 0.9**s.v),
    "a bias correction": lambda x, s: x / (1 - 0.9**s.v) + s.v // 2,
    "of math, rounded": lambda x, s: x * round(0.5 * (1 + math.cos(math.pi * s.v / 20)), 3),
    "compared": lambda x, s: x > s.v,
    "an instance": lambda x, s: x * s.v if isinstance(s.v, float) and not isinstance(s.v, tm.Tensor) else x + s.v,
    "a sum": lambda x, s: x * sum([s.v, abs(-s.v), 1]),
    "a softmax": lambda x, s: tm.nn.functional.softmax(x / s.v),
}


def counted(f, start, step, calls):
    """How many programs a function of x and an object with a number has, with another number at each call."""
    s = Held(start)
    return programs_of(lambda x: f(x, s), lambda: setattr(s, "v", step(s.v)), calls)


@pytest.mark.parametrize("what", COMPUTED)
def test_a_number_that_a_function_computes_with_costs_one_program_of_its_own(what):
    for start, step in STARTS.values():
        assert counted(COMPUTED[what], start, step, 7) == 3


ASKED = {
    "a branch": lambda x, s: x * 2.0 if s.v > 3 else x * s.v,
    "limits of Python's": lambda x, s: x * min(max(s.v, 1.5), 3),
    "every fifth": lambda x, s: x + (s.v if s.v // 5 % 2 else 0.5),
    "an index": lambda x, s: x[int(s.v) // 5 % 3] * s.v,
    "a count": lambda x, s: sum([x * k for k in range(int(s.v) // 6)], x * s.v),
    "a text": lambda x, s: x * len(f"{s.v:.1f}"),
    "a key": lambda x, s: x * {1: 2.0, 2: 3.0}.get(int(s.v) // 5, s.v),
    "a power of x": lambda x, s: x ** (s.v * 0.25),
    "an array": lambda x, s: np.array([1.0, 2.0, 3.0]) * s.v * x,
    "its type": lambda x, s: x * s.v if type(s.v) is int else x + s.v,
    "the integers behind it": lambda x, s: x * (10**s.v if isinstance(s.v, int) else s.v),
    "a way around a zero": lambda x, s: x * (1.0 / (s.v - 20)),
    "a cache": lambda x, s: x * _kept(s.v),
}


@functools.cache
def _kept(v):
    return v * 0.5


@pytest.mark.parametrize("what", ASKED)
def test_what_a_number_decides_is_seen(what):
    for start, step in STARTS.values():
        count = counted(ASKED[what], start, step, 14)
        assert count <= 8
        if what in ("a branch", "limits of Python's"):
            assert 3 < count < 7


def test_what_was_answered_holds_for_the_program_and_no_more():
    s = Held(0)
    f = tm.compile(lambda x: x * s.v if s.v % 10 else x - 1.0)
    for v in (1, 2, 3, 10, 4, 20, 30, 7, 40, 5, -0.5, True):
        s.v = v
        assert_same(f(X), tm.tensor(X * np.float32(v) if v % 10 else X - np.float32(1)))
    assert len(f._programs) == 6  # two values, any other one, one that is divisible, of the other types


@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_a_count_of_steps_is_an_argument_of_training_steps(backend):
    """Adam, as one writes it (Kingma and Ba 2015, algorithm 1), with its own count of steps."""
    if backend == "native":
        pytest.importorskip("llvmlite")

    class Adam:
        def __init__(self):
            self.t, self.lr, self.b1, self.b2 = 0, 1e-2, 0.9, 0.999

        def step(self, w, m, v, x):
            g = tm.grad(lambda w: tm.mean((tm.tanh(x @ w) - 0.5) ** 2))(w)
            m, v = self.b1 * m + (1 - self.b1) * g, self.b2 * v + (1 - self.b2) * g * g
            rate = self.lr * math.sqrt(1 - self.b2**self.t) / (1 - self.b1**self.t)
            return w - rate * m / (tm.sqrt(v) + 1e-8), m, v

    adam, x = Adam(), np.random.default_rng(0).normal(size=(8, 3)).astype("f")
    compiled = tm.compile(adam.step, backend=backend)
    state = plain = [np.full(3, 0.1, "f"), np.zeros(3, "f"), np.zeros(3, "f")]
    for _ in range(25):
        adam.t += 1
        state = compiled(*state, x)
        assert [s.dtype for s in state] == [np.float32] * 3
        w, m, v = (np.asarray(p, "d") for p in plain)
        y = np.tanh(x @ w)
        g = x.T @ (2 * (y - 0.5) * (1 - y * y)) / 8
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        plain = [w - 1e-2 * (m / (1 - 0.9**adam.t)) / (np.sqrt(v / (1 - 0.999**adam.t)) + 1e-8), m, v]
    for got, want in zip(state, plain, strict=True):
        np.testing.assert_allclose(got.numpy(), want, rtol=2e-4, atol=1e-7)
    assert len(compiled._programs) == 3


# -- where a number lies -----------------------------------------------------------------------------------------
def by_global():
    def change():
        global COUNT
        COUNT += 1

    return lambda x: x * COUNT, change


def by_cell():
    k = 1.0

    def change():
        nonlocal k
        k *= 1.5

    return lambda x: x * k, change


def by_attribute_of_a_class():
    def change():
        Held.factor += 0.5

    held = Held(1.0)
    return lambda x: x * held.factor + Held.factor, change


def by_entries_of_entries():
    def change():
        CONFIG["schedule"]["beta"][1] += 0.5

    return lambda x: x * CONFIG["schedule"]["beta"][1] + CONFIG["schedule"]["beta"][0] * len(CONFIG["name"]), change


def by_module():
    module = types.ModuleType("settings")
    module.rate = 1.0

    def change():
        module.rate += 1.0

    return lambda x: x * module.rate, change


def by_the_object_of_a_method():
    class Own(Held):
        def apply(self, x):
            return x * self.v

    own = Own(1)

    def change():
        own.v += 2

    return own.apply, change


def by_a_module_of_layers():
    class Net(tm.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.temperature = tm.nn.Linear(3, 2, rng=0), 1.0

        def forward(self, x):
            return tm.nn.functional.softmax(self.layer(x) / self.temperature)

    net = Net()

    def change():
        net.temperature *= 0.9

    return net, change


def by_partial():
    held = Held(1)

    def change():
        held.v += 1

    return functools.partial(lambda s, x: x * s.v, held), change


PLACES = [
    by_global, by_cell, by_attribute_of_a_class, by_entries_of_entries, by_module, by_the_object_of_a_method,
    by_a_module_of_layers, by_partial,
]  # fmt: skip


@pytest.mark.parametrize("make", PLACES)
def test_a_number_is_read_wherever_it_lies(make):
    f, change = make()
    assert programs_of(f, change) == 3


@pytest.mark.parametrize("make", PLACES)
def test_derivatives_pass_and_batches_have_it(make):
    f, change = make()
    compiled = tm.compile(f)
    rows = np.stack([X, X + 1, X - 0.5])
    for _ in range(6):
        g = tm.grad(lambda x: tm.sum(compiled(x) ** 2))(X)
        np.testing.assert_allclose(
            g.detach().numpy(), tm.grad(lambda x: tm.sum(f(x) ** 2))(X).detach().numpy(), rtol=1e-5
        )
        change()
    whole = tm.compile(tm.grad(lambda x: tm.sum(tm.vmap(f)(x) ** 2)))
    for _ in range(6):
        want = np.stack([tm.grad(lambda x: tm.sum(f(x) ** 2))(r).detach().numpy() for r in rows])
        np.testing.assert_allclose(whole(rows).detach().numpy(), want, rtol=1e-5)
        change()
    assert len(whole._programs) == 3


def test_one_place_that_is_reached_in_several_ways_is_read_once():
    held = Held(1.0)
    twin = Held(held)

    def change():
        held.v += 1.0

    f = tm.compile(lambda x: x * held.v + twin.v.v)
    for _ in range(8):
        assert_same(f(X), tm.tensor(X * np.float32(held.v) + np.float32(held.v)))
        change()
    twin.v = Held(7.0)
    assert_same(f(X), tm.tensor(X * np.float32(held.v) + np.float32(7)))


def test_an_attribute_that_hides_the_number_of_a_class_is_seen():
    class Own(Held):
        beta = 1.0

    own = Own(0)
    f = tm.compile(lambda x: x * own.beta)
    for k in range(6):
        Own.beta = float(k)
        assert_same(f(X), tm.tensor(X * np.float32(k)))
    own.beta = 9.0
    for k in range(6):
        Own.beta = float(k)
        assert_same(f(X), tm.tensor(X * np.float32(9)))


class Warm(tm.nn.Module):
    """A layer with a temperature, and a list of its own."""

    def __init__(self, temperature):
        super().__init__()
        self.layer, self.temperature, self.step, self.log = tm.nn.Linear(3, 2, rng=0), temperature, 0, ["a"]

    def forward(self, x):
        return tm.nn.functional.softmax(self.layer(x) / self.temperature)


@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_numbers_of_modules_among_arguments_are_those_of_the_call_in_values_and_results(backend):
    if backend == "native":
        pytest.importorskip("llvmlite")
    optimizer = tm.optim.SGD(lr=0.5)

    def step(net, x):
        loss, g = tm.value_and_grad(lambda net: tm.sum(net(x) ** 2))(net)
        return loss, optimizer.update(g, optimizer.init(net), net)[0]

    compiled = tm.compile(step, backend=backend)
    net = Warm(1.0)
    for k in range(9):
        net.temperature *= 0.8
        net.step = k
        loss, new = compiled(net, X)
        want, like = step(net, tm.tensor(X))
        assert_same([loss, new.layer.weight], [want, like.layer.weight], 1e-5)
        assert (new.temperature, new.step, type(new.step)) == (net.temperature, k, int)
        assert new.log is net.log
        net = new
    assert len(compiled._programs) == 3


def test_numbers_of_two_modules_are_told_apart():
    a, b = Warm(1.0), Warm(1.0)
    compiled = tm.compile(lambda a, b, x: a(x) - b(x) * b.temperature)
    for k in range(8):
        (a, b)[k % 2].temperature *= 1.5
        want = a(tm.tensor(X)) - b(tm.tensor(X)) * b.temperature
        np.testing.assert_allclose(compiled(a, b, X).detach().numpy(), want.detach().numpy(), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(
            compiled(b, b, X).detach().numpy(), (b(X) * (1 - b.temperature)).detach().numpy(), rtol=1e-5, atol=1e-6
        )


def test_a_module_that_counts_its_calls_as_an_argument_is_refused_with_numbers_that_move_too():
    class Own(Warm):
        def forward(self, x):
            self.step += 1
            return super().forward(x)

    net, compiled = Own(1.0), tm.compile(lambda net, x: net(x))
    for _ in range(5):
        net.temperature *= 0.9
        with pytest.raises(TraceError, match=r"writes to its argument net\.step"):
            compiled(net, X)
        assert (net.step, type(net.step), type(net.temperature)) == (0, int, float)


# -- what stands for it while the function is traced -------------------------------------------------------------
def test_a_number_that_is_kept_somewhere_is_kept_as_a_number():
    seen, held = [], Held(0)

    def f(x):
        seen.append(held.v)
        return x * held.v

    compiled = tm.compile(f)
    for _ in range(12):
        held.v += 1
        assert_same(compiled(X), tm.tensor(X * np.float32(held.v)))
    assert seen
    assert {type(v) for v in seen} == {int}
    assert type(held.v) is int


def test_a_result_that_holds_a_number_has_that_of_the_call():
    held = Held(0.0)

    def f(x):
        return {
            "y": x * held.v,
            "beta": held.v,
            "both": [held.v * 2, tm.exp(held.v)],
            "by": {held.v: x},
            "o": Held(held.v),
        }

    compiled = tm.compile(f)
    for _ in range(10):
        held.v += 0.5
        found = compiled(X)
        assert type(found["o"].v) is float
        assert [type(k) for k in found["by"]] == [float]
        assert (found["o"].v, *found["by"]) == (held.v, held.v)
        want = f(tm.tensor(X))
        assert_same([found["y"], found["beta"], found["both"]], [want["y"], want["beta"], want["both"]])


def test_what_python_raises_of_a_number_is_raised():
    held = Held(3.0)
    f = tm.compile(lambda x: x * (1.0 / held.v))
    for v in (3.0, 2.0, 1.0, 4.0, 0.0, 5.0, 1e-320):
        held.v = v
        if v:
            np.testing.assert_allclose(f(X).numpy(), np.float32(1 / v) * X if v > 1e-300 else np.inf)
        else:
            with pytest.raises(ZeroDivisionError):
                f(X)
    whole = Held(1)
    g = tm.compile(lambda x: x * float(2**whole.v - 2 ** (whole.v - 1)))
    for v in (1, 2, 3, 64, 100, 127):
        whole.v = v
        np.testing.assert_array_equal(g(X).numpy(), X * np.float32(2.0 ** (v - 1)))


def test_a_refusal_names_what_it_did_and_leaves_the_number():
    held = Held(1.0)
    f = tm.compile(lambda x: x * held.v if tm.sum(x) < 100 * held.v else x)
    for _ in range(5):
        with pytest.raises(TraceError, match=r"test_compiler_numbers\.py"):
            f(X)
        assert type(held.v) is float
        held.v += 1.0


def test_what_is_told_apart_by_identity_or_caught_stays_what_it_is():
    held, marks = Held(0), [400, 500, 600]

    def by_identity(x):
        return x * 2.0 if held.v is marks[0] else x + held.v

    def caught(x):
        try:
            return x * {}[held.v]
        except KeyError:
            return x * held.v

    for f in (by_identity, caught):
        compiled = tm.compile(f)
        for v in (500, 600, 1, 2, 3, 400, *marks):
            held.v = v
            assert_same(compiled(X), f(tm.tensor(X)))
        held.v = marks[0]
        assert_same(compiled(X), f(tm.tensor(X)))


def test_another_thread_that_reads_it_meanwhile_has_the_number():
    held, stop, wrong = Held(0.0), threading.Event(), []

    def watch():
        while not stop.is_set():
            v = held.v
            if not 0 <= v + 1.0 <= 100 or math.isnan(float(v)) or not isinstance(v, float):
                wrong.append(v)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for _ in range(4):
            f = tm.compile(lambda x: tm.sum(tm.sin(x * held.v) + held.v))
            for k in range(5):
                held.v = float(k)
                assert f(X).item() == pytest.approx(np.sum(np.sin(X * np.float32(k)) + k), rel=1e-5, abs=0)
    finally:
        stop.set()
        watcher.join()
    assert not wrong


def test_draws_come_in_the_order_in_which_they_come_uncompiled():
    held = Held(0.0)

    def f(x):
        return x * held.v + tm.random.normal(size=3)

    def drawn(f):
        tm.random.seed(4)
        found = []
        for k in range(8):
            held.v = 0.5 * k
            found.append(f(X).numpy())
        return found

    np.testing.assert_allclose(drawn(tm.compile(f)), drawn(lambda x: f(tm.tensor(x))), rtol=1e-6)
