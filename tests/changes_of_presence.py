"""What a function of x reaches comes, goes, hides something or becomes one with it; each with the function."""

import abc
import collections
import enum
import functools
import gc
import operator
import types
import weakref

from agreeing import Options, Slotted, X

import tinygrad_math as tm


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


def by_an_attribute_of_a_member_of_an_enumeration_that_was_missing():
    mode = enum.Enum("Mode", {"FIRST": 2.0, "SECOND": 3.0})
    chosen = [mode.FIRST]
    return lambda x: x * getattr(chosen[0], "scale", 9.0), lambda: setattr(mode.FIRST, "scale", 4.0)


def by_the_order_of_the_bases_of_a_class():
    class Scaled:
        def of(self, x):
            return 2.0 * x

    class Doubled(Scaled):
        def of(self, x):
            return super().of(x) * 2.0

    class Raised(Scaled):
        def of(self, x):
            return super().of(x) + 1.0

    class Both(Doubled, Raised):
        pass

    both = Both()
    return lambda x: both.of(x), lambda: setattr(Both, "__bases__", (Raised, Doubled))


def by_what_a_base_inherits_from():
    class Plain:
        pass

    class Twice(Plain):
        scale = 2.0

    class Thrice(Plain):
        scale = 3.0

    class Middle(Twice):
        pass

    class Last(Middle):
        pass

    last = Last()
    return lambda x: x * last.scale, lambda: setattr(Middle, "__bases__", (Thrice,))
