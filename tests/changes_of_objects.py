"""Changes of modules, functions, classes and objects that a function of x reaches, each with the function."""

import array
import collections
import contextvars
import ctypes
import functools
import importlib.util
import operator
import os
import types
import weakref

import numpy as np
from agreeing import Settings

import tinygrad_math as tm

GLOBAL, SETTINGS = 2.0, {"scale": [1.0, 3.0]}
slope = 1.5


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
