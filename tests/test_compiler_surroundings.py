"""What is done around a compiled function, and what it does to its surroundings while it is traced."""

import copy
import itertools
import queue
import random
import threading
import warnings
from collections import UserList, defaultdict, deque
from types import SimpleNamespace

import numpy as np
import pytest
from agreeing import X

import tinygrad_math as tm
from tinygrad_math.core.errors import TraceError


# -- what is differentiated or traced around the call ---------------------------------------------------------
def test_a_value_that_is_differentiated_outside_takes_part():
    cell = [None]
    f = tm.compile(lambda x: tm.sum(tm.sin(x * cell[0])))

    def outer(w):
        cell[0] = w
        return f(X)

    for w in (np.array([1.0, 2.0, 3.0]), np.array([-1.0, 0.5, 0.0])):
        v, g = tm.value_and_grad(outer)(w)
        np.testing.assert_allclose(v.numpy(), np.sin(X * w).sum())
        np.testing.assert_allclose(g.numpy(), X * np.cos(X * w))
        np.testing.assert_allclose(tm.jvp(outer, (w,), (np.ones(3),))[1].numpy(), (X * np.cos(X * w)).sum())
        np.testing.assert_allclose(tm.hvp(outer, w, np.ones(3)).numpy(), -X * X * np.sin(X * w))
        with pytest.raises(TraceError, match=r"outer stores a traced value in cell\[0\]"):
            tm.compile(tm.grad(outer))(w)
        np.testing.assert_allclose(tm.jacobian(outer)(w).numpy(), X * np.cos(X * w))
        np.testing.assert_allclose(tm.grad(tm.checkpoint(outer))(w).numpy(), X * np.cos(X * w))


def test_results_leaves_and_replaced_parameters_pass_gradients():
    w, p = tm.tensor([3.0, 4.0, 5.0], requires_grad=True), tm.tensor(2.0, requires_grad=True)
    store = {"v": tm.tanh(w)}
    f = tm.compile(lambda x: tm.sum(x * store["v"]) * p)
    f(X).backward()
    np.testing.assert_allclose(w.grad.numpy(), 2.0 * X * (1 - np.tanh([3.0, 4.0, 5.0]) ** 2), rtol=1e-10)
    np.testing.assert_allclose(p.grad.numpy(), np.sum(X * np.tanh([3.0, 4.0, 5.0])))
    store["v"] = q = tm.tensor([1.0, 1.0, 1.0], requires_grad=True)
    f(X).backward()
    np.testing.assert_allclose(q.grad.numpy(), 2.0 * X)
    store["v"] = tm.tensor([1.0, 1.0, 2.0])
    p.requires_grad = False
    assert not f(X).requires_grad
    assert f(X).item() == pytest.approx(2 * np.sum(X * [1, 1, 2]))


def test_a_parameter_returned_as_it_is_is_read_at_each_call():
    w = tm.tensor([1.0, 2.0], requires_grad=True)
    f = tm.compile(lambda x: (x, w))
    for _ in range(2):
        np.testing.assert_array_equal(f(X)[1].detach().numpy(), w.detach().numpy())
        tm.sum(f(X)[1] * 3.0).backward()
        with tm.no_grad():
            w += 1.0
    np.testing.assert_array_equal(w.grad.numpy(), [6.0, 6.0])


def test_a_gradient_of_a_parameter_is_taken_inside():
    w = tm.tensor([1.0, 2.0, -1.0], requires_grad=True)
    f = tm.compile(lambda x: tm.grad_of(tm.sum(w * w * x) + tm.sum(w**3), [w])[0])
    g = tm.compile(lambda: tm.grad_of(tm.sum(w**3), [w], create_graph=True)[0])
    for _ in range(2):
        now = w.detach().numpy()
        np.testing.assert_allclose(f(X).detach().numpy(), 2 * now * X + 3 * now**2)
        np.testing.assert_allclose(g().detach().numpy(), 3 * now**2)
        with tm.no_grad():
            w *= 2.0


def test_a_compiled_module_in_a_module_is_trained_both_ways():
    class Net(tm.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = tm.nn.Linear(3, 2, rng=0)
            self.fast = tm.compile(self.layer)

        def forward(self, x):
            return self.fast(x)

    x = np.array([[1.0, 2.0, 3.0]])
    net = Net()
    g = tm.grad(lambda net: tm.sum(net(x)))(net)
    np.testing.assert_array_equal(g.layer.weight.numpy(), [[1, 2, 3], [1, 2, 3]])
    tm.sum(net(x)).backward()
    np.testing.assert_array_equal(net.layer.weight.grad.numpy(), [[1, 2, 3], [1, 2, 3]])
    optimizer = tm.optim.SGD(lr=0.5)
    new, _ = optimizer.update(g, optimizer.init(net), net)
    np.testing.assert_allclose(new(x).detach().numpy(), net(x).detach().numpy() - 0.5 * (1 + 4 + 9 + 1))
    alone = tm.compile(tm.nn.Linear(3, 2, rng=1))
    assert [p.shape for p in alone.parameters()] == [(2, 3), (2,)]
    assert alone.eval() is alone.f
    with pytest.raises(AttributeError, match="no attribute 'parameters'"):
        tm.compile(tm.tanh).parameters()


# -- what is done to the surroundings while tracing -----------------------------------------------------------
class Counting:
    def __init__(self):
        self.steps, self.seen, self.mean, self.kept = 0, [], tm.zeros(3), {}

    def counts(self, x):
        self.steps += 1
        self.seen.append(x.shape)
        return x * 2.0

    def by_steps(self, x):
        self.steps += 1
        return x * self.steps

    def by_length(self, x):
        self.seen.append(1)
        return x + len(self.seen)

    def averages(self, x):
        self.mean = 0.9 * self.mean + 0.1 * x
        return x - self.mean

    def in_place(self, x):
        self.mean += x
        return x

    def stores(self, x):
        self.kept["last"] = x * 2.0
        return x

    def once(self, x):
        if not hasattr(self, "factor"):
            self.factor = 3.0
        return x * self.factor


def test_what_is_counted_and_not_used_is_counted_once_a_trace():
    c = Counting()
    f = tm.compile(c.counts)
    for _ in range(3):
        np.testing.assert_array_equal(f(X).numpy(), 2 * X)
    assert (c.steps, c.seen) == (1, [(3,)])
    f(X[:2])
    assert (c.steps, c.seen) == (2, [(3,), (2,)])


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("by_steps", "self.steps"),
        ("by_length", "self.seen"),
        ("averages", "self.mean"),
        ("in_place", "self.mean"),
        ("stores", "self.kept['last']"),
    ],
)
def test_what_depends_on_what_it_changes_is_refused_by_name_and_line(name, place):
    c = Counting()
    before = copy.deepcopy(vars(c))
    with pytest.raises(TraceError) as caught:
        tm.compile(getattr(c, name))(X)
    assert place in str(caught.value)
    assert "test_compiler_surroundings.py" in str(caught.value)
    after = vars(c)
    np.testing.assert_array_equal(after.pop("mean").numpy(), before.pop("mean").numpy())
    assert after == before


class Calls:
    n, by = 0, None

    def by_attribute(self, x):
        self.n += 1
        return x * 2.0 if self.n < 4 else x

    def by_remainder(self, x):
        self.n = self.n + 1
        return x * 2.0 if self.n % 4 == 0 else x

    def by_entry(self, x):
        self.by["n"] = self.by.get("n", 0) + 1
        return x[min(self.by["n"], 9) // 9]

    def told(self, x):
        self.n += 1
        print(f"call {self.n}")
        return x * 2.0


@pytest.mark.parametrize("name", ["by_attribute", "by_remainder", "by_entry"])
def test_what_decides_by_its_own_count_much_later_is_refused_at_once(name):
    calls = Calls()
    calls.by = {}
    with pytest.raises(TraceError, match=r"changes self\.(n|by\['n'\]), and decides by it.*\n.*\n.*self\."):
        tm.compile(getattr(calls, name))(X)
    assert calls.n == 0
    assert calls.by == {}


def test_a_count_that_is_printed_decides_nothing(capsys):
    calls = Calls()
    f = tm.compile(calls.told)
    for _ in range(3):
        np.testing.assert_array_equal(f(X).numpy(), X * 2.0)
    assert (calls.n, type(calls.n)) == (1, int)
    assert set(capsys.readouterr().out.split()) <= {"call", "1", "2"}


def test_what_is_set_up_at_the_first_call_is_set_up():
    c = Counting()
    f = tm.compile(c.once)
    for _ in range(3):
        np.testing.assert_array_equal(f(X).numpy(), 3 * X)
    c.factor = 5.0
    np.testing.assert_array_equal(f(X).numpy(), 5 * X)


GENERATOR, NUMBERS = np.random.default_rng(3), itertools.count(5)
FLAT, PLACES, TURNS = X.flat, np.ndenumerate(X), np.nditer(X)


@pytest.mark.parametrize(
    ("f", "name"),
    [
        (lambda x: x + GENERATOR.normal(size=3), "GENERATOR"),
        (lambda x: x + np.random.normal(), "numpy.random"),
        (lambda x: x * random.random(), "random"),
        (lambda x: x * next(NUMBERS), "NUMBERS"),
        (lambda x: x * next(FLAT), "FLAT"),
        (lambda x: x * next(PLACES)[1], "PLACES"),
        (lambda x: x * float(next(TURNS)), "TURNS"),
    ],
)
def test_what_is_drawn_elsewhere_is_refused_by_name(f, name):
    state, other = GENERATOR.bit_generator.state, random.getstate()
    with pytest.raises(TraceError, match=f"draws from {name}"):
        tm.compile(f)(X)
    assert GENERATOR.bit_generator.state == state
    assert random.getstate() == other


ROWS, LINE, SEEN, BY_NAME, HELD = [], deque(), set(), {"a": []}, defaultdict(list)
SPACE, LONGER, PUT = SimpleNamespace(rows=[{"deep": [1.0]}]), UserList([1]), ROWS.append


class Historian(tm.nn.Module):
    def __init__(self):
        super().__init__()
        self.w, self.history, self.steps = tm.ones(3), [0.5], 0

    def forward(self, x):
        h = x * self.w
        self.history.append(h)
        return h


GROWS = {
    "append": (lambda v: ROWS.append(v), r"ROWS\[.\]"),
    "bound": (lambda v: PUT(v), r"PUT\[.\]"),
    "extend": (lambda v: ROWS.extend([1.0, v]), r"ROWS\[.\]"),
    "deque": (lambda v: LINE.append(v), r"LINE\[.\]"),
    "set": (lambda v: SEEN.add(v), "an element of SEEN"),
    "a tuple in a set": (lambda v: SEEN.add((1, v)), r"an element of SEEN\[.\]"),
    "a dict of lists": (lambda v: BY_NAME["a"].append(v), r"BY_NAME\['a'\]\[.\]"),
    "defaultdict": (lambda v: HELD["new"].append(v), r"HELD\['new'\]\[.\]"),
    "deep": (lambda v: SPACE.rows[0]["deep"].append(v), r"SPACE.rows\[0\]\['deep'\]\[.\]"),
    "UserList": (lambda v: LONGER.append(v), r"LONGER"),
    "a dict in a list": (lambda v: ROWS.append({"loss": v}), r"ROWS\[.\]\['loss'\]"),
    "an object in a list": (lambda v: ROWS.append(SimpleNamespace(loss=v)), r"ROWS\[.\].loss"),
    "a function in a list": (lambda v: ROWS.append(lambda: v), "v"),
}


@pytest.mark.parametrize(
    "around",
    [
        lambda put, x: (put(tm.sum(x)), x)[1],
        lambda put, x: tm.vmap(lambda v: (put(2.0 * v), v)[1])(x),
        lambda put, x: tm.grad(lambda x: (put(2.0 * x), tm.sum(x))[1])(x),
        lambda put, x: tm.scan(lambda c, t: ((put(c), c * t)[1], c), 1.0, x)[1],
    ],
    ids=["alone", "vmap", "grad", "scan"],
)
@pytest.mark.parametrize("name", GROWS)
def test_a_container_that_grows_by_a_traced_value_is_refused_by_name_and_left_as_it_was(name, around):
    put, place = GROWS[name]
    with pytest.raises(TraceError, match=f"stores a traced value in .*{place}.*return it"):
        tm.compile(lambda x: around(put, x))(X)
    assert [*map(len, (ROWS, LINE, SEEN, BY_NAME["a"], HELD))] == [0] * 5
    assert SPACE.rows == [{"deep": [1.0]}]
    assert LONGER == [1]


def test_a_module_that_keeps_a_history_of_traced_values_is_refused_and_one_of_numbers_is_not():
    m = Historian()
    with pytest.raises(TraceError, match=r"self.history\[1\]"):
        tm.compile(m)(X)
    assert m.history == [0.5]
    log, constant = [], tm.tensor(3.0)
    f = tm.compile(lambda x: (log.append("a word"), log.append(constant), log.append(tm.tensor([1.0])), 2.0 * x)[3])
    for _ in range(2):
        np.testing.assert_array_equal(f(X).numpy(), 2 * X)
    assert len(log) == 3  # once a trace
    assert log[:2] == ["a word", constant]


def test_a_traced_value_that_leaks_names_both_functions():
    kept = queue.SimpleQueue()  # into which nobody sees

    def first(x):
        kept.put(tm.exp(x))
        return x

    tm.compile(first)(X)
    leaked = kept.get()

    def second(x):
        return x + leaked

    for g in (second, tm.grad(lambda x: tm.sum(second(x)))):
        with pytest.raises(TraceError, match=r"second|lambda") as caught:
            tm.compile(g)(X)
        assert "first" in str(caught.value)
        assert "kept.put(tm.exp(x))" in str(caught.value)


LEAKS = {
    "grad": lambda leaked: tm.grad(lambda x: x * leaked)(2.0),
    "jvp": lambda leaked: tm.jvp(lambda x: x * leaked, (2.0,), (1.0,)),
    "jacobian": lambda leaked: tm.jacobian(lambda x: x * leaked)(2.0),
    "vmap": lambda leaked: tm.vmap(lambda x: x * leaked)(X),
    "an array": lambda leaked: (leaked + 1.0).numpy(),
    "float": lambda leaked: float(2.0 * leaked),
    "backward": lambda leaked: (tm.tensor(2.0, requires_grad=True) * leaked).backward(),
}


def without_recording(leaked):
    with tm.no_grad():
        return leaked * 2.0


OPS = {
    "add": lambda leaked: leaked + 1.0,
    "multiply": lambda leaked: 2.0 * leaked,
    "sin": tm.sin,
    "exp": np.exp,
    "sum": lambda leaked: leaked.sum(),
    "getitem": lambda leaked: leaked[()],
    "greater": lambda leaked: leaked > 0,
    "reshape": lambda leaked: leaked.reshape(1, 1),
    "stop_gradient": lambda leaked: leaked.detach(),
    "multiply under no_grad": without_recording,
}


@pytest.mark.parametrize("traced_by", ["compile", "vmap"])
@pytest.mark.parametrize("op", OPS)
def test_an_op_on_a_traced_value_that_leaked_is_refused_at_the_op(op, traced_by):
    kept = queue.SimpleQueue()
    getattr(tm, traced_by)(lambda x: (kept.put(tm.exp(tm.sum(x))), x)[1])(X)
    leaked = kept.get()
    with pytest.raises(TraceError, match=rf"{op.partition(' ')[0]} uses a value that was traced in .*never computed"):
        OPS[op](leaked)
    assert tm.compile(tm.exp)(0.0).item() == 1.0


@pytest.mark.parametrize("traced_by", ["compile", "vmap"])
@pytest.mark.parametrize("use", LEAKS)
def test_a_traced_value_that_leaked_is_refused_where_it_is_used_outside_of_any_trace(use, traced_by):
    kept = queue.SimpleQueue()
    getattr(tm, traced_by)(lambda x: (kept.put(tm.exp(tm.sum(x))), x)[1])(X)
    with pytest.raises(TraceError, match=r"uses a value that was traced in .*never computed"):
        LEAKS[use](kept.get())


def test_a_tensor_out_of_reach_is_named():
    def holder():
        t = tm.tensor([1.0, 2.0, 3.0], name="theta")
        while True:
            yield t

    source = holder()
    hidden = source.gi_frame
    next(source)
    with pytest.raises(TraceError, match="'theta' comes from outside of") as caught:
        tm.compile(lambda x: x * hidden.f_locals["t"])(X)
    assert "pass it as an argument" in str(caught.value).lower()


def test_a_value_that_is_put_into_an_array_is_refused_by_name():
    def f(x):
        rows = np.zeros(2)
        rows[0] = x[0]
        return rows

    with pytest.raises(TraceError, match="float") as caught:
        tm.compile(f)(X)
    assert "rows[0] = x[0]" in str(caught.value)


@pytest.mark.parametrize("inner", [lambda f: f, lambda f: lambda x: tm.vmap(f)(tm.reshape(x, (1, 3)))[0]])
def test_what_asks_whether_it_is_differentiated_does_what_it_does_uncompiled(inner):
    f = inner(lambda x: x * 3.0 if (x * 2.0).requires_grad else x * 5.0)
    g = tm.compile(f)
    for _ in range(2):
        np.testing.assert_array_equal(g(X).numpy(), X * 5.0)
        np.testing.assert_array_equal(tm.grad(lambda x: tm.sum(g(x)))(X).numpy(), [3.0, 3.0, 3.0])
        np.testing.assert_array_equal(tm.jvp(g, (X,), (X,))[1].numpy(), X * 3.0)


# -- threads --------------------------------------------------------------------------------------------------
def by_error_state(x):
    with np.errstate(divide="raise"):
        try:
            return tm.log(x).sum()
        except FloatingPointError:
            return (5.0 * x).sum()


def by_warning(x):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return tm.sqrt(x).sum() + (1.0 / x).sum()
        except RuntimeWarning:
            return (5.0 * x).sum()


def by_record(x):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = tm.log(x).sum()
    return (5.0 * x).sum() if told else found


def by_refusal(x):
    try:
        return tm.linalg.cholesky(tm.diag(x)).sum()
    except np.linalg.LinAlgError:
        return (5.0 * x).sum()


def by_label(x):
    try:
        return tm.nn.functional.nll_loss(-tm.stack([x, x * x], axis=1), tm.astype(x == 0, int) * 2)
    except ValueError:
        return (5.0 * x).sum()


AROUND = {
    "alone": lambda f: f,
    "gradient": tm.grad,
    "checkpoint": tm.checkpoint,
    "loop": lambda f: lambda x: tm.fori_loop(2, lambda i, c: c + f(x), 0.0),
    "scan": lambda f: lambda x: tm.scan(lambda c, row: (c + f(row), None), 0.0, tm.stack([x, 2.0 * x]))[0],
    "compiled": lambda f: lambda x: tm.compile(f)(1.0 * x),
}


@pytest.mark.parametrize("backend", ["numpy", "native"])
@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
@pytest.mark.parametrize("f", [by_error_state, by_warning, by_record, by_refusal, by_label])
@pytest.mark.parametrize("first", [1, 0], ids=["from what passes on", "from what fails on"])
def test_a_branch_on_what_an_op_raises_is_taken_anew_at_each_call(f, around, backend, first):
    whole = around(f)
    g = tm.compile(whole, backend=backend)
    for x in [np.array([7.0, 0.0]), np.array([1.0, 2.0]), np.array([0.0, 3.0]), np.array([4.0, 1.0])][first:]:
        np.testing.assert_allclose(g(x).numpy(), np.asarray(whole(tm.tensor(x)).detach()), rtol=1e-13)
        if whole is f and not x.all():
            assert g(x).item() == 5.0 * x.sum()


def test_a_compiled_function_that_catches_is_differentiated_on_the_way_that_it_took():
    g = tm.compile(by_refusal)
    for x, slopes in (([4.0, 1.0], [0.25, 0.5]), ([0.0, 3.0], [5.0, 5.0])):
        t = tm.tensor(x, requires_grad=True)
        g(t).backward()
        assert t.grad.tolist() == slopes == tm.grad(g)(np.array(x)).tolist()
        assert tm.jvp(g, (np.array(x),), (np.array([1.0, 2.0]),))[1].item() == slopes[0] + 2 * slopes[1]


def test_what_a_function_raises_in_the_place_of_an_error_is_raised_compiled_too():
    def careful(a):
        try:
            return tm.linalg.inv(a)
        except np.linalg.LinAlgError as error:
            raise ZeroDivisionError("no inverse") from error

    g = tm.compile(careful)
    assert g(2.0 * np.eye(2)).tolist() == [[0.5, 0.0], [0.0, 0.5]]
    with pytest.raises(ZeroDivisionError, match="no inverse"):
        g(np.ones((2, 2)))


def test_tracing_leaves_no_mark_that_another_thread_sees():
    w = tm.tensor([1.0, 2.0, 3.0], requires_grad=True)
    inside, go = threading.Event(), threading.Event()

    def slow(x):
        y = x * w
        inside.set()
        assert go.wait(20)
        return tm.sum(y * w)

    first, second = tm.compile(slow), tm.compile(lambda x: tm.sum(x * w))
    t = threading.Thread(target=lambda: first(X))
    t.start()
    assert inside.wait(20)
    assert w.tolist() == [1.0, 2.0, 3.0]
    y = tm.sum(w * w)
    assert second(X).requires_grad
    go.set()
    t.join()
    y.backward()
    np.testing.assert_array_equal(w.grad.numpy(), [2.0, 4.0, 6.0])
    with tm.no_grad():
        w *= 10.0
    assert second(X).item() == pytest.approx(10 * X @ [1, 2, 3])


def test_no_lock_is_held_while_the_users_code_runs():
    results = []

    def f(x):
        if x.shape == (3,):
            t = threading.Thread(target=lambda: results.append(g(np.ones(2)).tolist()), daemon=True)
            t.start()
            t.join(20)
        return x * 2.0

    g = tm.compile(f)
    g(X)
    assert results[0] == [2.0, 2.0]


def test_many_threads_compile_over_one_parameter():
    w = tm.nn.Parameter([1.0, 2.0, 3.0])
    wrong = []

    def work():
        try:
            for n in range(1, 9):
                f = tm.compile(lambda x, n=n: tm.sum(x * w) * n)
                y = f(X)
                if not y.requires_grad or abs(y.item() - n * (X @ [1, 2, 3])) > 1e-12:
                    wrong.append(n)
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


# -- no_grad and hooks ----------------------------------------------------------------------------------------
def _half_stopped(x):
    with tm.no_grad():
        w = tm.exp(x) * 2.0
    return tm.sum(w * x * x)


def _stopped_gradient(x):
    with tm.no_grad():
        g = tm.grad(lambda y: tm.sum(y**3))(x)
    return tm.sum(g * x)


@pytest.mark.parametrize("f", [_half_stopped, _stopped_gradient])
@pytest.mark.parametrize(
    "transform",
    [
        lambda f: tm.grad(f),
        lambda f: lambda x: tm.jvp(f, (x,), (X,))[1],
        lambda f: lambda x: tm.vjp(f, x)[1](1.0)[0],
        lambda f: lambda x: tm.hvp(f, x, X),
        lambda f: tm.jacobian(tm.grad(f)),
        lambda f: tm.grad(tm.checkpoint(f)),
        lambda f: lambda x: tm.linearize(f, x)[1](X),
    ],
)
def test_no_grad_means_the_same_in_every_nesting(f, transform):
    want = transform(f)(X).numpy()
    np.testing.assert_allclose(tm.compile(transform(f))(X).numpy(), want, rtol=1e-12)
    np.testing.assert_allclose(transform(tm.compile(f))(X).numpy(), want, rtol=1e-12)
    np.testing.assert_allclose(tm.compile(transform(tm.compile(f)))(X).numpy(), want, rtol=1e-12)


def test_no_grad_stops_the_gradient_that_is_written_as_source():
    scope = {}
    exec(tm.to_source(_half_stopped, X, order=1), scope)
    value, gradient = scope["half_stopped"](X)
    assert value == pytest.approx(np.sum(2 * np.exp(X) * X * X))
    np.testing.assert_allclose(gradient, 4 * np.exp(X) * X, rtol=1e-13)


def test_what_no_grad_accumulates_is_traced():
    def f(x):
        total = tm.zeros(3)
        with tm.no_grad():
            total += x
        return total * 2.0

    g = tm.compile(f)
    np.testing.assert_array_equal(g(X).numpy(), 2 * X)
    np.testing.assert_array_equal(g(-X).numpy(), -2 * X)


@pytest.mark.parametrize("method", ["get", "__getitem__", "setdefault"])
def test_a_method_that_was_taken_from_a_container_reads_what_stands_there_now(method):
    rates = {"a": 2.0}
    read = getattr(rates, method)
    f = tm.compile(lambda x: (x * read("a")).sum())
    for rate in (2.0, 5.0):
        rates["a"] = rate
        assert f(X).item() == pytest.approx(rate * X.sum())
    scales, row = [2.0], [3.0, 4.0]
    of_list, of_array = scales.__getitem__, np.array(row).__getitem__
    g = tm.compile(lambda x: (x * of_list(0) * of_array(1)).sum())
    for scale in (2.0, 7.0):
        scales[0] = scale
        assert g(X).item() == pytest.approx(4 * scale * X.sum())


@pytest.mark.parametrize("taken", [True, False])
def test_what_is_used_up_by_a_call_is_used_once_and_missed_at_the_next(taken):
    rates = {"a": 2.0}
    pop = rates.pop
    f = tm.compile(lambda x: (x * (pop("a") if taken else rates.pop("a"))).sum())
    assert f(X).item() == pytest.approx(2 * X.sum())
    with pytest.raises(KeyError, match="a"):
        f(X)
    rates["a"] = 5.0
    assert f(X).item() == pytest.approx(5 * X.sum())
    assert rates == {}


def test_hooks_do_what_they_do_uncompiled():
    seen = []

    def f(x):
        y = tm.sin(x)
        y.register_hook(lambda g: g * 10.0)
        return tm.sum(y)

    def kept(x):
        y = x * 2.0
        y.retain_grad()
        seen.append(y)
        return tm.sum(y * y)

    np.testing.assert_allclose(tm.grad(tm.compile(f))(X).numpy(), 10 * np.cos(X))
    np.testing.assert_allclose(tm.compile(tm.grad(f))(X).numpy(), 10 * np.cos(X))
    x = tm.tensor(X, requires_grad=True)
    tm.compile(kept)(x).backward()
    np.testing.assert_allclose(seen[-1].grad.numpy(), 4 * X)
    assert len(seen) == 1
    w = tm.tensor(X, requires_grad=True)
    with pytest.raises(TraceError, match="register_hook"):
        tm.compile(lambda x: (w.register_hook(print), x)[1])(X)


# -- how arrays lie in memory -------------------------------------------------------------------------------------
class Table:
    def __init__(self, rows):
        self.rows = rows

    def __call__(self, x):
        return 2.0 * x if self.rows.flags.writeable else x


READERS = {
    "flags": (lambda a: a.flags.writeable, lambda a: a.setflags(write=False)),
    "flags by name": (lambda a: a.flags["WRITEABLE"], lambda a: setattr(a.flags, "writeable", False)),
    "getattr": (lambda a: getattr(a, "fla" + "gs").writeable, lambda a: a.setflags(write=False)),
}
HOLDERS = {
    "an array": lambda a: (a, lambda h: h),
    "a list of lists": lambda a: ([[a]], lambda h: h[0][0]),
    "a dict": lambda a: ({"a": a}, lambda h: h["a"]),
    "an object": lambda a: (Table(a), lambda h: h.rows),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("holder", HOLDERS)
def test_a_branch_on_whether_an_array_may_be_written_to_is_taken_anew_at_each_call(reader, holder):
    a = np.arange(3.0)
    told, lock = READERS[reader]
    held, open_ = HOLDERS[holder](a)
    f = tm.compile(lambda x: 2.0 * x if told(open_(held)) else x)
    for _ in range(2):
        np.testing.assert_array_equal(f(X).numpy(), 2 * X)
        lock(a)
        np.testing.assert_array_equal(f(X).numpy(), X)
        a.setflags(write=True)


def test_a_branch_on_the_layout_of_an_array_is_taken_anew_at_each_call():
    a = np.zeros((2, 2))
    f = tm.compile(lambda x: tm.exp(x) * (2.0 if a.flags.c_contiguous else 3.0) * (1.0 if a.base is None else 5.0))
    assert f(0.0).item() == 2
    a = np.zeros((2, 2), order="F")
    assert f(0.0).item() == 3
    a = np.zeros((4, 2))[::2]
    assert f(0.0).item() == 15


def test_what_is_written_to_an_array_that_was_read_only_is_seen():
    a = np.arange(3.0)
    a.setflags(write=False)
    f = tm.compile(lambda x: (a * x).sum())
    assert f(X).item() == (np.arange(3.0) * X).sum()
    a.setflags(write=True)
    a[0] = 10.0
    assert f(X).item() == (a * X).sum()


# -- what a trace does to classes -----------------------------------------------------------------------------------
def test_what_a_function_counts_on_a_class_is_as_one_run_leaves_it():
    class Base:
        runs, rows = 0, ()

    class Counter(Base):
        def __call__(self, x):
            type(self).runs += 1
            return x

    class Appending(Base):
        @classmethod
        def tick(cls):
            cls.rows = (*cls.rows, "row")
            cls.latest = "row"

        def __call__(self, x):
            self.tick()
            return x

    def named(x):
        Base.runs += 1
        return x

    for f in (Counter(), Appending(), named):
        np.testing.assert_array_equal(tm.compile(f)(X).numpy(), X)
    assert (Base.runs, Counter.runs, Appending.rows, Appending.latest) == (1, 1, ("row",), "row")


def test_a_class_is_as_it_was_where_a_trace_is_refused():
    class Kept:
        runs = 0

    def f(x):
        Kept.runs += 1
        Kept.last = x
        return x

    def g(x):
        Kept.runs += 1
        return Kept.runs * x

    for refused in (f, g):
        with pytest.raises(TraceError, match="Kept"):
            tm.compile(refused)(X)
    assert Kept.runs == 0
    assert not hasattr(Kept, "last")
