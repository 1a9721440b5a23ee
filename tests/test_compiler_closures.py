"""A compiled function sees what the uncompiled one would see, or says by name what it cannot."""

import abc
import array
import collections
import contextvars
import ctypes
import dataclasses
import functools
import gc
import importlib.util
import operator
import os
import types
import weakref

import numpy as np
import pytest
from agreeing import Settings, X, agree, values

import tinygrad_math as tm
from tinygrad_math.compiler import cache

# -- what is plain is compared, wherever it lies -------------------------------------------------------------
GLOBAL, SETTINGS = 2.0, {"scale": [1.0, 3.0]}
slope = 1.5


def helper(x):
    return tm.tanh(x * slope)


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


def by_a_replaced_special_method():
    class Own:
        def __call__(self, x):
            return x * 2.0

        def __getitem__(self, k):
            return k * 1.0

    own = Own()

    def change():
        Own.__call__ = lambda self, x: x * 5.0
        Own.__getitem__ = lambda self, k: k * 7.0

    return lambda x: own(x) * own[3], change


def by_a_replaced_constructor():
    class Own:
        def __init__(self, x):
            self.y = x * 2.0

    return lambda x: Own(x).y, lambda: setattr(Own, "__init__", lambda self, x: setattr(self, "y", x * 5.0))


def by_what_a_partial_method_holds():
    class Own:
        def times(self, k, x):
            return x * k

        twice = functools.partialmethod(times, 2.0)

    own = Own()
    return lambda x: own.twice(x), lambda: setattr(Own, "twice", functools.partialmethod(Own.times, 5.0))


class Doubling(dict):
    def __getitem__(self, key):
        return 2 * super().__getitem__(key)


class Shifted(list):
    shift = 1.0

    def __iter__(self):
        return (v + self.shift for v in super().__iter__())

    def __len__(self):
        return 7


def by_an_item_of_a_dict_that_gives_twice_of_it():
    options = Doubling(scale=2.0)
    return lambda x: x * options["scale"], lambda: options.update(scale=5.0)


def by_an_item_of_a_list_that_is_gone_through_in_its_own_way():
    rows = Shifted([1.0, 2.0])
    return lambda x: x * sum(rows), lambda: rows.append(3.0)


def by_an_attribute_of_such_a_list():
    rows = Shifted([1.0, 2.0])
    return lambda x: x * sum(rows), lambda: setattr(rows, "shift", 4.0)


def _in_a_module_of_its_own(text, **names):
    names["tm"] = tm
    exec(text, names)
    return names["f"], names


def by_a_global_that_was_missing():
    text = "def f(x):\n    try:\n        return x * scale\n    except NameError:\n        return x * 2.0"
    f, names = _in_a_module_of_its_own(text)
    return f, lambda: names.update(scale=5.0)


def by_a_global_that_hides_a_builtin():
    f, names = _in_a_module_of_its_own("def f(x): return x * abs(-2.0)")
    return f, lambda: names.update(abs=lambda v: 5.0)


def by_a_cell_that_was_empty():
    def f(x):
        try:
            return x * scale
        except NameError:
            return x * 2.0

    def change():
        nonlocal scale
        scale = 5.0

    if not callable(f):
        scale = 1.0
    return f, change


def by_an_attribute_that_a_module_had_not():
    module = types.ModuleType("module")
    return lambda x: x * getattr(module, "scale", 2.0), lambda: setattr(module, "scale", 5.0)


def by_what_a_module_gives_for_a_name_that_it_has_not():
    module = types.ModuleType("module")
    module.__getattr__ = lambda name: 2.0
    return lambda x: x * module.scale, lambda: setattr(module, "__getattr__", lambda name: 5.0)


def by_a_gradient_that_was_missing():
    w = tm.tensor(X, requires_grad=True)
    return lambda x: x * (2.0 if w.grad is None else w.grad), lambda: tm.sum(w * w).backward()


def by_the_name_of_a_tensor():
    w = tm.tensor(X, name="first")
    return lambda x: x * w * (2.0 if w.name == "first" else 5.0), lambda: setattr(w, "name", "second")


def by_whether_a_tensor_requires_a_gradient():
    w = tm.tensor(X)
    return lambda x: x * (5.0 if w.requires_grad else 2.0), lambda: w.requires_grad_()


def by_a_class_that_inherits():
    class Base:
        scale, kept = 2.0, []

    class First(Base):
        scale = 3.0

    Base.kept.append(First)  # a class knows those that inherit from it weakly
    return lambda x: x * sum(k.scale for k in Base.__subclasses__()), lambda: Base.kept.append(type("S", (Base,), {}))


def by_a_class_that_is_registered():
    class Base(abc.ABC):  # noqa: B024
        pass

    options = Options()
    return lambda x: x * (5.0 if isinstance(options, Base) else 2.0), lambda: Base.register(Options)


def by_an_equal_list_in_the_place_of_another():
    row = [2.0, 3.0]
    rows = [row]
    return lambda x: x * (2.0 if rows[0] is row else 5.0), lambda: rows.__setitem__(0, [2.0, 3.0])


def by_an_equal_array_in_the_place_of_another():
    options = types.SimpleNamespace(a=X.copy())
    options.b = options.a
    return lambda x: x * (2.0 if operator.is_(options.a, options.b) else 5.0), lambda: setattr(options, "b", X.copy())


def by_two_equal_dicts_that_become_one():
    options = types.SimpleNamespace(a={"k": 1.0}, b={"k": 1.0})
    return lambda x: x * (2.0 if id(options.a) == id(options.b) else 5.0), lambda: setattr(options, "b", options.a)


def by_two_tensors_that_become_one():
    net = types.SimpleNamespace(first=tm.tensor(X), second=tm.tensor(X))
    return lambda x: x * (2.0 if net.first is net.second else 5.0), lambda: setattr(net, "second", net.first)


def by_a_slot_that_was_empty():
    own = Slotted()
    return lambda x: x * (own.scale if hasattr(own, "scale") else 9.0), lambda: setattr(own, "scale", 5.0)


def by_a_slot_that_is_emptied():
    own = Slotted()
    own.scale = 2.0
    return lambda x: x * getattr(own, "scale", 9.0), lambda: delattr(own, "scale")


def by_a_view_of_a_dict():
    options = {"scale": 2.0}
    kept = options.values()
    return lambda x: x * sum(kept), lambda: options.update(scale=5.0)


def by_the_keys_of_a_users_mapping():
    options = collections.UserDict(scale=2.0)
    kept = options.keys()
    return lambda x: x * len(kept), lambda: options.update(shift=5.0)


def by_a_cache_that_is_emptied():
    scale = [2.0]

    @functools.lru_cache
    def times(k):
        return scale[0] * k

    f = lambda x: x * times(3)  # noqa: E731
    f(X)
    scale[0] = 5.0
    return f, times.cache_clear


def by_the_end_of_what_a_weak_reference_knew():
    owners = [Options(3.0)]
    known = weakref.ref(owners[0])

    def change():
        owners.clear()
        gc.collect()

    return lambda x: x * (9.0 if known() is None else known().scale), change


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


@pytest.mark.parametrize("name", ["by_type", "by_class", "by_super"])
def test_an_entry_of_a_class_that_an_attribute_hides_is_seen(name):
    class Base:
        scale = 2.0

    class Model(Base):
        scale = 2.0

        def __init__(self):
            self.scale = 3.0

        def by_type(self, x):
            return x * self.scale * type(self).scale

        def by_class(self, x):
            return x * self.scale * self.__class__.scale

        def by_super(self, x):
            return x * self.scale * super().scale

    f = tm.compile(getattr(Model(), name))
    assert f(tm.tensor(1.0)).item() == 6.0
    (Base if name == "by_super" else Model).scale = 5.0
    assert f(tm.tensor(1.0)).item() == 15.0


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
