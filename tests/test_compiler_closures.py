"""A compiled function sees what the uncompiled one would see, or says by name what it cannot."""

import array
import collections
import contextvars
import copy
import ctypes
import dataclasses
import enum
import functools
import gc
import importlib.util
import itertools
import operator
import os
import pickle
import random
import threading
import types
import weakref

import numpy as np
import pytest

import tinygrad_math as tm
from tinygrad_math.compiler import cache
from tinygrad_math.core.errors import ArgumentError, TraceError

X = np.array([0.5, -1.25, 2.0])


def values(tree):
    leaves = tree if isinstance(tree, (tuple, list)) else (tree,)
    return [np.asarray(t.detach().numpy() if isinstance(t, tm.Tensor) else t) for t in leaves]


def agree(f, g, *args):
    for a, b in zip(values(f(*args)), values(g(*args)), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-15)


# -- what is plain is compared, wherever it lies -------------------------------------------------------------
GLOBAL, SETTINGS = 2.0, {"scale": [1.0, 3.0]}
slope = 1.5


def helper(x):
    return tm.tanh(x * slope)


class Settings:
    bias = 0.25

    def __init__(self):
        self.scale, self.flags, self.table = 2.0, ["plain"], {"k": (1, 2.0)}

    def __call__(self, x):
        return x * self.scale + self.bias if self.flags[-1] == "plain" else x * self.table["k"][1]

    def apply(self, x):
        return self(x) * self.half

    @property
    def half(self):
        return self.scale / 2


class Slotted:
    __slots__ = ("scale",)


@dataclasses.dataclass
class Options:
    scale: float = 2.0
    inner: object = dataclasses.field(default_factory=Settings)


def by_cell():
    k = 2.0

    def change():
        nonlocal k
        k = -3.0

    return lambda x: x * k, change


def by_global():
    def change():
        global GLOBAL
        GLOBAL += 1.5

    return lambda x: x + GLOBAL, change


def by_a_global_of_a_helper():
    def change():
        global slope
        slope = 0.5 - slope

    return lambda x: helper(x) + 1.0, change


def by_attribute():
    s = Settings()
    return lambda x: s(x), lambda: setattr(s, "scale", 5.0)


def by_class_attribute():
    class Own(Settings):
        bias = 1.0

    s = Own()
    return lambda x: s(x), lambda: setattr(Own, "bias", 7.0)


def by_an_attribute_that_hides_the_class():
    s = Settings()
    return lambda x: s(x), lambda: setattr(s, "bias", -1.0)


def by_the_object_of_a_method():
    s = Settings()
    return s.apply, lambda: setattr(s, "scale", -4.0)


def by_a_callable_object():
    s = Settings()
    return s, lambda: s.flags.append("table")


def by_a_nested_container():
    s = Settings()
    s.flags[0] = "table"
    return lambda x: s(x), lambda: s.table.update(k=(1, 9.0))


def by_slot():
    s = Slotted()
    s.scale = 1.0
    return lambda x: x * s.scale, lambda: setattr(s, "scale", 4.0)


def by_dataclass():
    o = Options()
    return lambda x: o.inner(x) * o.scale, lambda: setattr(o.inner, "scale", 0.125)


def by_default():
    def f(x, settings=SETTINGS, *, power=[2]):  # noqa: B006
        return x ** power[0] * settings["scale"][0]

    return f, lambda: f.__kwdefaults__["power"].__setitem__(0, 3)


def by_partial():
    table = {"k": 2.0}
    f = functools.partial(lambda table, x, y: x * table["k"] + y, table, y=1.0)
    return f, lambda: table.update(k=3.0)


def by_a_lambda_in_a_default():
    k = [2.0]
    return (lambda x, g=lambda x: x * k[0]: g(x)), lambda: k.__setitem__(0, 5.0)


def by_namespace():
    n = types.SimpleNamespace(k=2.0, rest=3.0)
    return lambda x: x * getattr(n, "k"), lambda: setattr(n, "k", 3.0)  # noqa: B009


def by_a_name_that_is_made():
    s = Settings()
    return lambda x: x * getattr(s, "sc" + "ale"), lambda: setattr(s, "scale", 3.0)


def by_deque():
    d = collections.deque([1.0, 2.0], maxlen=2)
    return lambda x: x * d[-1] + len(d), lambda: d.append(5.0)


def by_set():
    s = {1}
    return lambda x: x * 2.0 if 2 in s else x, lambda: s.add(2)


def by_function():
    act = tm.sin

    def change():
        nonlocal act
        act = tm.cos

    return lambda x: act(x), change


def by_a_decorated_function():
    k = 2.0

    def change():
        nonlocal k
        k = 4.0

    @functools.wraps(helper)
    def outer(x):
        return inner(x)

    def inner(x):
        return k * x

    return outer, change


def by_array():
    a = np.array([1.0, 2.0, 3.0])
    return lambda x: x * a, lambda: a.__setitem__(1, 9.0)


def by_a_value_of_an_array():
    a = np.array([1.0, 2.0, 3.0])
    return lambda x: x * float(a.max()) if a[0] > 0 else -x, lambda: a.__setitem__(0, -1.0)


def by_tensor():
    t = tm.tensor([1.0, 2.0, 3.0])
    return lambda x: x * t, lambda: t.__setitem__(0, 9.0)


def by_a_value_of_a_tensor():
    t = tm.tensor([1.0, 2.0, 3.0])
    return lambda x: x if float(tm.sum(t)) > 0 else -x, lambda: t.__setitem__(0, -9.0)


def by_a_mask():
    t = tm.tensor([1.0, 2.0, 3.0])
    return lambda x: x[t > 1.5], lambda: t.__setitem__(0, 9.0)


def by_a_tensor_in_a_list():
    ts = [tm.tensor(1.0), {"a": tm.tensor([2.0])}]
    return lambda x: x * ts[0] + ts[1]["a"], lambda: ts[1].update(a=tm.tensor([7.0]))


def by_the_shape_of_a_tensor():
    ts = [tm.zeros(3)]
    return lambda x: tm.sum(x) + tm.ones(ts[0].shape), lambda: ts.__setitem__(0, tm.zeros(2))


def by_filling():
    t = [tm.tensor(2.0)]
    return lambda x: x + tm.full((3,), t[0]) + tm.linspace(t[0], 5.0, 3), lambda: t.__setitem__(0, tm.tensor(4.0))


def by_detaching():
    t = tm.tensor([2.0, 1.0, 1.0])
    return lambda x: x * t.detach() + tm.tensor(t), lambda: t.__setitem__(0, 9.0)


def by_a_module():
    net = tm.nn.Linear(3, 2, rng=0)
    return net, lambda: setattr(net, "bias", None)


def by_a_frozen_module():
    net = tm.nn.Linear(3, 2, rng=0).requires_grad_(False)
    return net, lambda: net.load_state_dict({"weight": np.ones((2, 3)), "bias": np.zeros(2)})


def by_a_layer_that_is_replaced():
    net = tm.nn.Sequential(tm.nn.Linear(3, 3, rng=0), tm.nn.Tanh())
    return net, lambda: setattr(net, "1", tm.nn.ReLU())


def by_a_replaced_method():
    class Own(Settings):
        def __call__(self, x):
            return self.inner(x)

        def inner(self, x):
            return 2.0 * x

    return Own(), lambda: setattr(Own, "inner", lambda self, x: 3.0 * x)


def by_the_rule_of_a_primitive():
    k = [1.0]

    @tm.primitive
    def p(x):
        return x * x

    p.defvjp(lambda g, y, x: k[0] * g * x)
    return tm.grad(lambda x: tm.sum(p(x))), lambda: k.__setitem__(0, 5.0)


def by_what_another_compiled_function_reaches():
    k = 2.0

    def change():
        nonlocal k
        k = 4.0

    inner = tm.compile(lambda x: x * k)
    return lambda x: inner(x) + 1.0, change


def by_a_module_that_was_made_by_hand():
    module = types.ModuleType("made_by_hand")
    module.scale = 2.0
    return lambda x: x * module.scale, lambda: setattr(module, "scale", 3.0)


def by_a_function_of_a_module_read_by_its_path():
    spec = importlib.util.spec_from_loader("read_by_its_path", loader=None)
    module = importlib.util.module_from_spec(spec)
    exec("scale = 2.0\ndef times(x): return x * scale", vars(module))
    return lambda x: module.times(x), lambda: setattr(module, "scale", 3.0)


def by_a_text_that_is_evaluated():
    def change():
        global GLOBAL
        GLOBAL += 1.5

    return lambda x: x * eval("GLOBAL"), change


def by_a_name_looked_up_among_the_globals():
    def change():
        global slope
        slope = 0.5 - slope

    name = "slope"
    return lambda x: x * globals()[name], change


def by_a_getter_of_attributes():
    held, get = types.SimpleNamespace(inner=Settings()), operator.attrgetter("inner.scale")
    return lambda x: x * get(held), lambda: setattr(held.inner, "scale", 5.0)


def by_a_caller_of_a_method():
    class Own:
        weight = 2.0

        def result(self, x):
            return x * self.weight

    own = Own()
    return lambda x: operator.methodcaller("result", x)(own), lambda: setattr(own, "weight", 5.0)


def by_the_state_of_a_descriptor():
    class Given:
        def __init__(self, value):
            self.value = value

        def __get__(self, owner, kind=None):
            return self.value

    given = Given(2.0)

    class Own:
        scale = given

    own = Own()
    return lambda x: x * own.scale, lambda: setattr(given, "value", -1.0)


def by_a_property_of_a_metaclass():
    class Kind(type):
        @property
        def scale(cls):
            return cls.stored

    class Own(metaclass=Kind):
        stored = 2.0

    return lambda x: x * Own.scale, lambda: setattr(Own, "stored", 3.0)


def by_a_weak_reference():
    own = Settings()
    hold, weak = [own], weakref.ref(own)
    return lambda x: x * weak().scale, lambda: setattr(hold[0], "scale", 3.0)


def by_a_context_variable():
    variable = contextvars.ContextVar("scale", default=2.0)
    return lambda x: x * variable.get(), lambda: variable.set(3.0)


def by_a_chain_of_mappings():
    chain = collections.ChainMap({}, {"k": 2.0})
    return lambda x: x * chain["k"], lambda: chain.__setitem__("k", 3.0)


def by_a_mapping_behind_a_proxy():
    table = {"k": Settings()}
    proxy = types.MappingProxyType(table)
    return lambda x: proxy["k"](x), lambda: table.__setitem__("k", lambda x: x * 7.0)


def by_a_list_of_the_standard_library():
    row = collections.UserList([2.0])
    return lambda x: x * row[0], lambda: row.__setitem__(0, 3.0)


def by_an_attribute_of_a_dict():
    class Own(dict):
        pass

    own = Own(k=2.0)
    own.scale = 1.5
    return lambda x: x * own["k"] * own.scale, lambda: setattr(own, "scale", 3.0)


def by_what_a_dict_gives_for_a_missing_key():
    k = 2.0

    def change():
        nonlocal k
        k = 5.0

    class Own(dict):
        def __missing__(self, key):
            return k

    own = Own()
    return lambda x: x * own["k"], change


def by_the_memory_behind_a_view():
    memory = array.array("d", [2.0])
    view = memoryview(memory)
    return lambda x: x * view[0], lambda: memory.__setitem__(0, 3.0)


def by_a_number_of_c():
    number = ctypes.c_double(2.0)
    return lambda x: x * number.value, lambda: setattr(number, "value", 3.0)


def by_an_object_in_an_array():
    table = np.array([Settings(), None], dtype=object)
    return lambda x: x * table[0].scale, lambda: setattr(table[0], "scale", 3.0)


def by_new_code_in_a_function():
    def inner(x):
        return x * 2.0

    def new(x):
        return x * 5.0

    return lambda x: inner(x), lambda: setattr(inner, "__code__", new.__code__)


def by_new_code_in_the_function_itself():
    def f(x):
        return x * 2.0

    return f, lambda: setattr(f, "__code__", (lambda x: x * 5.0).__code__)


def by_new_keyword_defaults():
    def f(x, *, scale=2.0):
        return x * scale

    return f, lambda: setattr(f, "__kwdefaults__", {"scale": 5.0})


def by_a_replaced_static_method():
    class Own:
        @staticmethod
        def times(x):
            return x * 2.0

    return lambda x: Own.times(x), lambda: setattr(Own, "times", staticmethod(lambda x: x * 5.0))


def by_a_replaced_property():
    class Own:
        @property
        def scale(self):
            return 2.0

    own = Own()
    return lambda x: x * own.scale, lambda: setattr(Own, "scale", property(lambda self: 5.0))


def by_an_attribute_that_was_not_there():
    options = types.SimpleNamespace()
    return lambda x: x * getattr(options, "scale", 2.0), lambda: setattr(options, "scale", 5.0)


def by_an_environment_variable():
    os.environ.pop("TM_TEST_SCALE", None)
    return lambda x: x * float(os.getenv("TM_TEST_SCALE", "2")), lambda: os.environ.update(TM_TEST_SCALE="3")


@pytest.mark.parametrize("make", [v for k, v in list(globals().items()) if k.startswith("by_")])
@pytest.mark.parametrize("wrap", [lambda f: f, lambda f: lambda x: tm.vjp(f, x)[0]], ids=["plain", "vjp"])
def test_a_change_is_seen(make, wrap):
    f, change = make()
    f = wrap(f)
    g = tm.compile(f)
    for _ in range(2):
        agree(f, g, X)
    before = values(f(X))
    change()
    after = values(f(X))
    assert any(a.shape != b.shape or not np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    for _ in range(2):
        agree(f, g, X)


def test_types_signs_and_nan_are_told_apart():
    k = 1

    def f(x):
        return tm.copysign(x * abs(k), k)

    g = tm.compile(f)
    for k in (1, 1.0, True, 0.0, -0.0, np.float32(1.0), np.float64(1.0)):  # noqa: B007
        agree(f, g, np.array([1, 2]))
    runs = []

    def h(x):
        runs.append(1)
        return x * k

    g, k = tm.compile(h), float("nan")
    for _ in range(3):
        k = float("nan")
        assert np.isnan(g(X).numpy()).all()
    assert len(runs) == 1


def test_what_changes_at_every_call_runs_as_it_is():
    k, runs = 0.0, []

    def f(x):
        runs.append(1)
        return x * k

    g = tm.compile(f)
    for n in range(20):
        k = float(n)
        np.testing.assert_array_equal(g(X).numpy(), X * n)
    assert len(runs) == 20
    for n in range(cache.CHANGES):  # the programs that there are go on
        k = float(n)
        np.testing.assert_array_equal(g(X).numpy(), X * n)
    assert len(runs) == 20


def test_a_function_that_reaches_nothing_that_changes_is_traced_once():
    runs, s = [], Settings()

    def f(x):
        runs.append(x.shape)
        return s(x) * GLOBAL

    g = tm.compile(f)
    for _ in range(5):
        g(X)
        s.scale = 2.0  # what it was
        s.other = 1
        del s.other
    assert len(runs) == 1


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
        tm.compile(helper).parameters()


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
    assert "test_compiler_closures.py" in str(caught.value)
    after = vars(c)
    np.testing.assert_array_equal(after.pop("mean").numpy(), before.pop("mean").numpy())
    assert after == before


def test_what_is_set_up_at_the_first_call_is_set_up():
    c = Counting()
    f = tm.compile(c.once)
    for _ in range(3):
        np.testing.assert_array_equal(f(X).numpy(), 3 * X)
    c.factor = 5.0
    np.testing.assert_array_equal(f(X).numpy(), 5 * X)


GENERATOR, NUMBERS = np.random.default_rng(3), itertools.count(5)


@pytest.mark.parametrize(
    ("f", "name"),
    [
        (lambda x: x + GENERATOR.normal(size=3), "GENERATOR"),
        (lambda x: x + np.random.normal(), "numpy.random"),
        (lambda x: x * random.random(), "random"),
        (lambda x: x * next(NUMBERS), "NUMBERS"),
    ],
)
def test_what_is_drawn_elsewhere_is_refused_by_name(f, name):
    state, other = GENERATOR.bit_generator.state, random.getstate()
    with pytest.raises(TraceError, match=f"draws from {name}"):
        tm.compile(f)(X)
    assert GENERATOR.bit_generator.state == state
    assert random.getstate() == other


def test_a_traced_value_that_leaks_names_both_functions():
    kept = []

    def first(x):
        kept.append(tm.exp(x))
        return x

    def second(x):
        return x + kept[0]

    tm.compile(first)(X)
    for g in (second, tm.grad(lambda x: tm.sum(second(x)))):
        with pytest.raises(TraceError, match=r"second|lambda") as caught:
            tm.compile(g)(X)
        assert "first" in str(caught.value)
        assert "kept.append(tm.exp(x))" in str(caught.value)


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


# -- threads --------------------------------------------------------------------------------------------------
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
    w = tm.tensor(X, requires_grad=True)
    with pytest.raises(TraceError, match="register_hook"):
        tm.compile(lambda x: (w.register_hook(print), x)[1])(X)


# -- results, donation, static arguments ----------------------------------------------------------------------
def test_results_that_never_change_are_in_memory_of_their_own():
    table = np.arange(3.0)
    f = tm.compile(lambda x: (x, tm.eye(2), {"t": tm.tensor(table)}))
    gradient = tm.compile(tm.grad(lambda x: tm.sum(2.0 * x)))
    for _ in range(2):
        _, eye, rest = f(X)
        eye[0, 0] = 5.0
        rest["t"].data[...] = 7.0
        g = gradient(X)
        g.data[...] = 0.0
    np.testing.assert_array_equal(f(X)[1].numpy(), np.eye(2))
    np.testing.assert_array_equal(f(X)[2]["t"].numpy(), table)
    np.testing.assert_array_equal(gradient(X).numpy(), [2.0, 2.0, 2.0])


@pytest.mark.parametrize("calls", [1, 3])
def test_donation_overwrites_nothing_that_somebody_else_holds(calls):
    f = tm.compile(lambda a, b: (a + 1.0, b * 10.0), donate_argnums=0)
    g = tm.compile(lambda p: {"w": p["w"] * 2.0}, donate_argnums=-1)
    for _ in range(calls):
        w = np.array([1.0, 2.0, 3.0, 4.0])
        np.testing.assert_array_equal(f(w[:2], w[1:3])[1].numpy(), [20.0, 30.0])
        np.testing.assert_array_equal(w, [1.0, 2.0, 3.0, 4.0])
        view = w[1:]
        f(w, view)
        np.testing.assert_array_equal(view, [2.0, 3.0, 4.0])
        t = tm.tensor([1.0, 2.0, 3.0])
        twin, part = t.detach(), t[1:]
        f(t, X)
        np.testing.assert_array_equal(twin.numpy(), [1.0, 2.0, 3.0])
        np.testing.assert_array_equal(part.numpy(), [2.0, 3.0])
        a, p = np.array([1.0, 2.0]), tm.tensor([1.0, 1.0], requires_grad=True)
        z = tm.sum(p * tm.asarray(a))
        g({"w": a})
        z.backward()
        np.testing.assert_array_equal(p.grad.numpy(), [1.0, 2.0])


def test_static_arguments_are_compared_by_type_and_value():
    f = tm.compile(lambda x, k: tm.copysign(x * abs(k), k), static_argnums=1)
    for k in (1, 1.0, True, 0.0, -0.0, (1,)[0]):
        agree(lambda x: tm.copysign(tm.tensor(x) * abs(k), k), lambda x: f(x, k), np.array([1, 2]))
    runs = []
    g = tm.compile(lambda x, k: (runs.append(1), x)[1], static_argnums="k".count("k"))
    for _ in range(3):
        g(X, float("nan"))
        g(X, (float("nan"), 1))
    assert len(runs) == 2


def test_objects_among_the_arguments_are_looked_into():
    class Mode(enum.IntEnum):
        PLUS, MINUS = 1, 2

    s, act = Settings(), [tm.sin]
    f = tm.compile(lambda x, s, g, mode: s(g(x)) if mode == Mode.PLUS else -s(g(x)))
    g = lambda x: act[0](x)  # noqa: E731
    for mode in Mode:
        for change in (lambda: None, lambda: setattr(s, "scale", s.scale + 1), lambda: act.__setitem__(0, tm.cos)):
            change()
            want = s(g(tm.tensor(X)))
            np.testing.assert_allclose(f(X, s, g, mode).numpy(), want.numpy() * (1 if mode == 1 else -1))


def test_positions_are_what_they_say():
    f = lambda x, k: x * 2.0 if k else x  # noqa: E731
    for positions in (1, -1, (1,), [-1], "k", ["k"]):
        for call in (lambda g: g(X, True), lambda g: g(X, k=True), lambda g: g(x=X, k=True)):
            np.testing.assert_array_equal(call(tm.compile(f, static_argnums=positions)).numpy(), 2 * X)
    for wrong in (2, -3, "z", 1.0, [0, "z"], None):
        with pytest.raises(ArgumentError, match="static_argnums"):
            tm.compile(f, static_argnums=wrong)
        with pytest.raises(ArgumentError, match="donate_argnums"):
            tm.compile(f, donate_argnums=wrong)
    with pytest.raises(ArgumentError, match="count from the front"):
        tm.compile(lambda *xs: xs, static_argnums=-1)
    for wrong in ("two", 0, -1, 1.5):
        with pytest.raises(ArgumentError, match="threads"):
            tm.compile(f, threads=wrong)


def test_the_order_of_a_dict_is_part_of_the_tree():
    def f(layers):
        h = 0.0
        for w in layers.values():
            h = tm.tanh(h + w)
        return h

    g = tm.compile(f)
    a, b = np.array(1.0), np.array(2.0)
    for d in ({"a": a, "b": b}, {"b": b, "a": a}, {1: a, 2.0: b}, {2: b, True: a}):
        assert g(d).item() == f({k: tm.tensor(v) for k, v in d.items()}).item()
    assert list(tm.compile(dict)({"b": b, "a": a})) == ["b", "a"]


def test_a_module_with_arrays_and_lists_goes_through_as_an_argument():
    class Scaled(tm.nn.Module):
        def __init__(self):
            super().__init__()
            self.w, self.mean, self.powers = tm.nn.Parameter(np.ones(3)), np.array([1.0, 2.0, 3.0]), [1, 2]

        def forward(self, x):
            return self.w * (x - self.mean) ** self.powers[-1]

    m = Scaled()
    f = tm.compile(lambda m, x: m(x))
    for change in (lambda: None, lambda: m.mean.__setitem__(0, 5.0), lambda: m.powers.append(3)):
        change()
        for _ in range(2):
            np.testing.assert_allclose(f(m, X).detach().numpy(), m(X).detach().numpy())


# -- types that values decide ---------------------------------------------------------------------------------
REAL, TURNED = np.array([[4.0, 1.0], [0.0, 9.0]]), np.array([[0.0, -1.0], [1.0, 0.0]]) + np.eye(2) / 2
TYPED = {
    "eigvals": lambda a: tm.max(tm.real(tm.linalg.eigvals(a))),
    "eig": lambda a: tm.sum(tm.abs(tm.linalg.eig(a)[0])),
    "sqrtm": lambda a: tm.sum(tm.abs(tm.linalg.sqrtm(a - 5.0 * np.eye(2)))),
    "logm": lambda a: tm.linalg.logm(a - 5.0 * np.eye(2)),
    "orth": lambda a: tm.exp(tm.linalg.orth(a - a[1, 1] * np.eye(2))),
    "null_space": lambda a: tm.sum(tm.linalg.null_space(a - a[1, 1] * np.eye(2)) ** 2, axis=0),
    "lstsq": lambda a: tm.linalg.lstsq(tm.concatenate([a, a]) - 0.5 * a[1, 1], np.arange(4.0))[1:3],
}


@pytest.mark.parametrize("name", TYPED)
def test_a_program_bakes_in_no_type_that_came_from_values(name):
    f = TYPED[name]
    matrices = [REAL, TURNED, np.zeros((2, 2)), np.diag([7.0, 6.0]), REAL]
    for order in (matrices, matrices[::-1]):
        g = tm.compile(f)
        for a in order:
            want, got = values(f(tm.tensor(a))), values(g(a))
            for u, v in zip(want, got, strict=True):
                assert (u.shape, u.dtype) == (v.shape, v.dtype)
                np.testing.assert_allclose(u, v, rtol=1e-10, atol=1e-12)


def test_a_primitive_may_return_what_it_likes():
    @tm.primitive
    def positive(x):
        return x[x > 0]

    f = tm.compile(lambda x: tm.exp(positive(x)) + 1.0)
    outer = tm.compile(lambda x: f(x) * 2.0)
    for x in (X, np.abs(X), -np.abs(X), X):
        np.testing.assert_allclose(f(x).numpy(), np.exp(x[x > 0]) + 1)
        np.testing.assert_allclose(outer(x).numpy(), 2 * np.exp(x[x > 0]) + 2)


def test_derivatives_pass_through_what_values_decide():
    f = lambda a: tm.sum(tm.real(tm.linalg.eigvals(a)) ** 2)  # noqa: E731
    for order in ([REAL, TURNED, REAL], [TURNED, REAL]):
        g, gradient = tm.compile(f), tm.compile(tm.grad(f))
        for a in order:
            want = tm.grad(f)(a).numpy()
            np.testing.assert_allclose(tm.grad(g)(a).numpy(), want, atol=1e-12)
            np.testing.assert_allclose(gradient(a).numpy(), want, atol=1e-12)
            np.testing.assert_allclose(tm.jvp(g, (a,), (np.eye(2),))[1].numpy(), np.trace(want), atol=1e-12)


def test_no_other_op_has_a_type_that_values_decide():
    from tinygrad_math.compiler.retyped import VALUE_DEPENDENT_TYPE
    from tinygrad_math.compiler.trace import VALUE_DEPENDENT_SHAPE
    from tinygrad_math.core.op import registry

    rng, found = np.random.default_rng(0), set()
    for name, op in list(registry.items()):
        if op.kind == "elementwise" or isinstance(op.plain, np.ufunc) or getattr(op, "random", False):
            continue
        for shape in ((3, 3), (4,)):
            a = rng.normal(size=shape)
            tries = [a, np.zeros(shape), np.ones(shape), -np.abs(a), np.abs(a) + 0.1]
            if len(shape) == 2:
                tries += [np.diag([1.0, 2.0, 3.0]), -np.eye(3), np.triu(np.ones((3, 3))), a @ a.T]
            types_ = set()
            for x in tries:
                given = [x] * (op.arity or 1)
                try:
                    with np.errstate(all="ignore"):
                        y = (
                            op.plain(tuple(given), **op.defaults)
                            if op.arity is None
                            else op.plain(*given, **op.defaults)
                        )
                except Exception:
                    continue
                parts = y if isinstance(y, tuple) else (y,)
                types_.add(tuple((np.shape(p), np.asarray(p).dtype) for p in parts))
            if len(types_) > 1:
                found.add(name)
    counts = {"bincount", "weighted_bincount", "distinct"}  # whose shapes are looked at in the program
    assert found - counts <= VALUE_DEPENDENT_TYPE | VALUE_DEPENDENT_SHAPE


# -- as objects -----------------------------------------------------------------------------------------------
@tm.compile
def decorated(x):
    return tm.sin(x) * slope


def test_a_compiled_function_is_copied_and_pickled():
    net = tm.compile(tm.nn.Linear(3, 2, rng=0))
    twin = copy.deepcopy(net)
    with tm.no_grad():
        twin.f.weight *= 2.0
    assert not np.allclose(twin(X).detach().numpy(), net(X).detach().numpy())
    assert copy.deepcopy(tm.compile(tm.sin))(0.0).item() == 0.0
    assert pickle.loads(pickle.dumps(decorated)) is decorated
    again = pickle.loads(pickle.dumps(tm.compile(helper, static_argnums=0)))
    assert (again.f, again.static) == (helper, frozenset([0]))


# -- as source ------------------------------------------------------------------------------------------------
def test_a_gradient_that_is_a_constant_is_written_down():
    scope = {}
    exec(tm.to_source(lambda x: tm.sum(3.0 * x), X, order=1), scope)
    value, gradient = scope["f"](X)
    assert value == pytest.approx(3 * X.sum())
    np.testing.assert_array_equal(gradient, [3.0, 3.0, 3.0])
    gradient[0] = 7.0
    assert scope["f"](X)[1][0] == 3.0
    p = {"a": X, "b": X, "c": X}
    exec(tm.to_source(lambda p: tm.sum(p["a"]) + tm.sum(p["c"] ** 2), p, order=1), scope)
    _, a, b, c = scope["f"](X, X, X)
    np.testing.assert_array_equal([a, b], [np.ones(3), np.zeros(3)])
    np.testing.assert_allclose(c, 2 * X)


@pytest.mark.parametrize(
    "name", ['""" + str(6 * 7) + """', "'''\\", "line\nbreak", "\\", "\u202e", "coding: utf-16", '"']
)
def test_a_name_never_becomes_code(name):
    def f(x):
        return x * 2.0

    f.__name__ = name
    text = tm.to_source(f, X)
    scope = {}
    exec(compile(text.encode(), "<text>", "exec"), scope)
    assert "42" not in text
    (g,) = [v for k, v in scope.items() if callable(v) and k not in ("make", "multiply", "array", "empty")][-1:]
    np.testing.assert_array_equal(g(X)[0], 2 * X)


def test_source_closes_over_constants():
    t, k = tm.tensor([1.0, 2.0, 3.0]), 2.0
    scope = {}
    exec(tm.to_source(lambda x: x * t + k, X), scope)
    np.testing.assert_array_equal(scope["f"](X)[0], X * [1, 2, 3] + 2)
    w = tm.tensor(X, requires_grad=True)
    with pytest.raises(ArgumentError, match="closes over parameters"):
        tm.to_source(lambda x: x * w, X)


def test_a_program_does_not_keep_the_graphs_of_what_it_reached():
    cell = [None]
    f = tm.compile(lambda x: tm.sum(x * cell[0]))

    def outer(w):
        cell[0] = tm.exp(w)
        seen.append(weakref.ref(cell[0].node))
        return f(X)

    for _ in range(2):
        seen = []
        tm.grad(outer)(np.ones(3))
        cell[0] = None
        gc.collect()
        assert [r() for r in seen] == [None]


def test_a_value_that_is_put_into_an_array_is_refused_by_name():
    def f(x):
        rows = np.zeros(2)
        rows[0] = x[0]
        return rows

    with pytest.raises(TraceError, match="float") as caught:
        tm.compile(f)(X)
    assert "rows[0] = x[0]" in str(caught.value)


@pytest.mark.parametrize("order", [np.ascontiguousarray, np.asfortranarray, lambda a: a[::2]])
def test_one_element_of_a_large_array_is_enough(order):
    a = order(np.zeros((400, 300)))
    f = tm.compile(lambda x: x + a[7, -1] + a.sum())
    for n in range(3):
        a[7, -1] = n
        np.testing.assert_array_equal(f(X).numpy(), X + 2 * n)
    assert len(f._programs) == 3
    a.flags.writeable = False
    np.testing.assert_array_equal(f(X).numpy(), X + 4)


# -- random numbers from a seed within the function ---------------------------------------------------------------
def _one_draw(x):
    return x * tm.random.default_rng(3).normal(size=3)


def _several_draws(x):
    rng = tm.random.default_rng(np.random.SeedSequence(5))
    return x * rng.uniform(size=3) + rng.poisson(4.0, size=3) + x[rng.permutation(3)]


def _drawn_around_an_argument(x):
    return tm.random.default_rng([1, 2]).normal(x, abs(x))


def _a_layer(x):
    return tm.nn.Linear(3, 2, rng=4)(x)


@pytest.mark.parametrize("f", [_one_draw, _several_draws, _drawn_around_an_argument, _a_layer])
def test_a_generator_seeded_within_the_function_starts_anew_at_each_call(f):
    g = tm.compile(f)
    for x in (X, 2.0 * X, X):
        agree(f, g, x)


def _seeded_by_an_argument(x):
    return x * tm.random.default_rng(tm.asarray(x[0], dtype=int)).normal(size=3)


def _restarted(x):
    tm.random.seed(0)
    return x * tm.random.normal(size=3)


def _state_set(x):
    rng = tm.random.default_rng()
    rng.state = np.random.default_rng(0).bit_generator.state
    return x * rng.normal(size=3)


def _a_layer_without_a_seed(x):
    return tm.nn.Linear(3, 2)(x)


def _gamma_of_an_argument(x):
    return tm.random.default_rng(0).gamma(abs(x))


@pytest.mark.parametrize(
    "f", [_seeded_by_an_argument, _restarted, _state_set, _a_layer_without_a_seed, _gamma_of_an_argument]
)
def test_draws_that_a_program_would_repeat_or_skip_are_refused(f):
    state = tm.random.shared.state
    with pytest.raises(TraceError, match=r"seed|outside"):
        tm.compile(f)(X)
    assert tm.random.shared.state == state


def test_an_attribute_that_a_class_is_given_later_is_seen():
    class Scaled:
        def apply(self, x):
            return x * getattr(self, "scale", 1.0)

    for make in (lambda s: s.apply, lambda s: lambda x: s.apply(x)):
        one = Scaled()
        f = tm.compile(make(one))
        np.testing.assert_array_equal(f(X).numpy(), X)
        Scaled.scale = 3.0
        np.testing.assert_array_equal(f(X).numpy(), 3.0 * X)
        del Scaled.scale
        np.testing.assert_array_equal(f(X).numpy(), X)


def test_plain_values_are_the_same_part_by_part():
    held = {"a": [1.0, 2.0], "b": (3.0, [4.0]), "c": np.array([5.0, 6.0]), "d": {}}

    def f(x):
        return x * held["a"][0] + held["b"][1][0] + tm.sum(held["c"]) + len(held["d"]) + len(held["a"])

    g = tm.compile(f)

    def now(programs):
        np.testing.assert_array_equal(g(X).numpy(), f(tm.tensor(X)).numpy())
        assert len(g._programs) == programs

    now(1)
    held["a"] = [float("1"), float("2")]  # equal ones, in other places
    held["b"] = (3.0, [float("4")])
    held["c"] = held["c"].copy()
    now(1)
    held["a"][0] = 7.0
    now(2)
    held["b"][1][0] = -0.0
    now(3)
    held["b"][1][0] = 0.0
    now(4)
    held["c"][1] = 1.5
    now(5)
    held["d"]["more"] = 1
    now(6)
    held["a"].append(2)
    now(7)
