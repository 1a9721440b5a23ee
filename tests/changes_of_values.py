"""Changes of plain values, containers and Tensors that a function of x reaches, each with the function."""

import collections
import functools
import types

import numpy as np
from agreeing import Options, Settings, Slotted

import tinygrad_math as tm

GLOBAL, SETTINGS = 2.0, {"scale": [1.0, 3.0]}
slope = 1.5


def helper(x):
    return tm.tanh(x * slope)


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


def by_the_text_of_a_tensor():
    t, table = [tm.tensor(2.0)], {"tensor(2.)": 10.0, "tensor(3.)": 20.0}
    return lambda x: x * table[str(t[0])], lambda: t.__setitem__(0, tm.tensor(3.0))


def by_the_text_of_what_is_made_of_a_tensor():
    t, table = tm.tensor(2.0), {"tensor(4.)": 10.0, "tensor(9.)": 20.0}
    return lambda x: x * table[f"{t * t}"], lambda: t.__setitem__((), 3.0)


def by_the_text_of_a_list_of_tensors():
    ts = [tm.tensor(2.0)]
    return lambda x: x * len(repr(ts)), lambda: ts[0].__setitem__((), 2.125)


def by_the_text_of_a_parameter():
    p = tm.nn.Parameter(2.0)
    return lambda x: x * len(f"{p}") * p, lambda: p.data.__setitem__((), 2.125)


def by_the_name_in_a_text():
    t = tm.tensor(2.0)
    return lambda x: x * len(str(t)), lambda: setattr(t, "name", "a longer one")


def by_whether_a_text_says_that_a_gradient_is_required():
    t = tm.tensor(2.0)
    return lambda x: x * len(str(t)), lambda: t.requires_grad_()


def by_a_text_in_a_loop():
    t = tm.tensor(2.0)
    return lambda x: tm.fori_loop(2, lambda i, c: c * len(str(t)), x), lambda: t.__setitem__((), 2.125)


def by_a_text_in_a_batch():
    t = tm.tensor(2.0)
    return lambda x: tm.vmap(lambda row: row * len(str(t)))(x), lambda: t.__setitem__((), 2.125)


class Scaled:
    """A decorator that is an object, and passes for the function that it stands for."""

    def __init__(self, f):
        self.f, self.scale = f, 1.0
        functools.update_wrapper(self, f)

    def __call__(self, x):
        return self.f(x) * self.scale


def by_an_object_in_the_place_of_a_function():
    @Scaled
    def shifted(x):
        return x + 1.0

    return lambda x: shifted(x), lambda: setattr(shifted, "scale", 3.0)


def by_a_method_of_an_object_in_the_place_of_a_function():
    @Scaled
    def shifted(x):
        return x + 1.0

    return shifted.__call__, lambda: setattr(shifted, "scale", 3.0)
