"""Functions of arguments whose classes reach what changes: each row is the function, its arguments, and the change."""

import argparse
import collections
import dataclasses
import enum
import functools
import types
import typing
import weakref

import numpy as np
from agreeing import X

import tinygrad_math as tm

FACTOR, TABLE, ROWS, ACTS, LIVING = 2.0, {"k": 2.0}, np.array([1.0, 2.0, 3.0]), {}, []


def changed():
    global FACTOR
    FACTOR += 1.5


def scaled(x):
    return x * FACTOR


class Net(tm.nn.Module):
    def __init__(self, scale=2.0):
        super().__init__()
        self.w, self.scale, self.kind = tm.nn.Parameter(np.ones(3)), scale, "a"

    def forward(self, x):
        return self.w * self.times(x)


class Config:
    __slots__ = ("scale",)

    def __init__(self, scale):
        self.scale = scale


def called(m, x):
    return m(x)


def of_net(times, change=changed, **members):
    """A row whose argument is a module of a class with this method, and these members."""
    kind = type("Own", (Net,), {"times": times, "__module__": __name__, **members})
    return called, (kind(), X), lambda: change() if change is changed else change(kind)


class Doubling:
    rate = 2.0

    def __get__(self, owner, kind=None):
        return self.rate


class Mode(enum.Enum):
    FIRST = 1

    def times(self, x):
        return x * FACTOR


class Titled(Net):
    title = "first"

    def __str__(self):
        return self.title

    def times(self, x):
        return x * {"first!": 2.0, "second!": 3.0}[f"{self}!"]


@dataclasses.dataclass
class Normal:
    loc: typing.Any
    twice: typing.Any = 0.0

    def __post_init__(self):
        self.twice = self.loc * FACTOR

    def loss(self, x):
        return (x - self.loc) * FACTOR

    def another(self, x):
        return type(self)(x).twice


class Pair(typing.NamedTuple):
    w: typing.Any

    def loss(self, x):
        return self.w * x * FACTOR


class Open(dict):
    def __getattr__(self, name):
        return self[name] * FACTOR


class Rates(type):
    rate = 2.0

    @property
    def double(cls):
        return 2.0 * FACTOR


class Rated(Net, metaclass=Rates):
    def times(self, x):
        return x * type(self).rate


class RatedByProperty(Net, metaclass=Rates):
    def times(self, x):
        return x * type(self).double


class Tree:
    def __init__(self, w, config):
        self.w, self.config = w, config

    def tree_flatten(self):
        return ("w",), (self.w,), self.config

    @classmethod
    def tree_unflatten(cls, keys, children, extra):
        return cls(children[0], extra)

    def times(self, x):
        return self.w * x * self.config.scale


def decorated(f):
    @functools.wraps(f)
    def around(self, x):
        return f(self, x) * FACTOR

    return around


def through_a_proxy(thing):
    LIVING.append(thing)
    return weakref.proxy(thing)


def held(make, read, change):
    """A row whose argument is a module that holds what `make` makes."""
    net = type("Own", (Net,), {"times": lambda self, x: x * read(self.held), "__module__": __name__})()
    net.held = make(2.0)
    return called, (net, X), lambda: change(net.held)


def to(name, value):
    return lambda thing: setattr(thing, name, value)


def argument(f, thing, change):
    return f, (thing, X), lambda: change(thing)


REACHED = {
    "a global": lambda: of_net(lambda self, x: x * FACTOR),
    "a function": lambda: of_net(lambda self, x: scaled(x)),
    "an entry of a dict": lambda: of_net(lambda self, x: x * TABLE["k"], lambda _: TABLE.update(k=TABLE["k"] + 1.0)),
    "an array": lambda: of_net(lambda self, x: x * ROWS, lambda _: ROWS.__iadd__(1.0)),
    "an attribute of the class": lambda: of_net(lambda self, x: x * self.rate, to("rate", 5.0), rate=2.0),
    "a property": lambda: of_net(lambda self, x: x * self.rate, rate=property(lambda self: FACTOR)),
    "a static method": lambda: of_net(lambda self, x: self.inner(x), inner=staticmethod(lambda x: x * FACTOR)),
    "a method put in place of another": lambda: of_net(lambda self, x: x, to("times", lambda self, x: x * 5.0)),
    "a descriptor": lambda: of_net(
        lambda self, x: x * self.rate, lambda kind: to("rate", Doubling.rate + 1.0)(Doubling), rate=Doubling()
    ),
    "a decorator": lambda: of_net(decorated(lambda self, x: x)),
    "a registry": lambda: ACTS.update(a=lambda x: x)
    or of_net(lambda self, x: ACTS[self.kind](x), lambda _: ACTS.update(a=lambda x: x * 5.0)),
    "a method by a name put together": lambda: of_net(
        lambda self, x: getattr(self, "act_" + self.kind)(x), act_a=lambda self, x: x * FACTOR
    ),
    "a number by a name put together": lambda: of_net(
        lambda self, x: x * getattr(self, f"rate_{self.kind}"), to("rate_a", 5.0), rate_a=2.0
    ),
    "an attribute of a metaclass": lambda: (called, (Rated(), X), lambda: to("rate", Rates.rate + 1.0)(Rates)),
    "a property of a metaclass": lambda: (called, (RatedByProperty(), X), changed),
    "a text of the object": lambda: argument(called, Titled(), lambda _: to("title", "second")(Titled)),
    "a module in a list": lambda: (
        lambda nets, x: nets[0](x), ([of_net(lambda self, x: x * FACTOR)[1][0]], X), changed,
    ),
    "a method of a dataclass": lambda: (lambda p, x: p.loss(x), (Normal(1.0), X), changed),
    "another of its class": lambda: (lambda p, x: p.another(x), (Normal(1.0), X), changed),
    "another made by replace": lambda: (lambda p, x: dataclasses.replace(p, loc=x).twice, (Normal(1.0), X), changed),
    "a method of a named tuple": lambda: (lambda p, x: p.loss(x), (Pair(1.0), X), changed),
    "a method of a dict": lambda: (lambda p, x: p.w * x, (Open(w=1.0), X), changed),
    "a method of a member of an enumeration": lambda: (lambda m, x: m.times(x), (Mode.FIRST, X), changed),
    "a namespace that a module holds": lambda: held(lambda k: types.SimpleNamespace(k=k), lambda c: c.k, to("k", 5.0)),
    "options that a module holds": lambda: held(lambda k: argparse.Namespace(k=k), lambda c: c.k, to("k", 5.0)),
    "a slot": lambda: held(Config, lambda c: c.scale, to("scale", 5.0)),
    "an object in a list": lambda: held(lambda k: [Config(k)], lambda c: c[0].scale, lambda c: to("scale", 5.0)(c[0])),
    "an object in a dict": lambda: held(
        lambda k: {"a": {"b": Config(k)}}, lambda c: c["a"]["b"].scale, lambda c: to("scale", 5.0)(c["a"]["b"])
    ),
    "a Tensor that an object holds": lambda: held(
        lambda k: types.SimpleNamespace(t=tm.tensor(k)), lambda c: c.t, to("t", tm.tensor(5.0))
    ),
    "what a tree of its own holds": lambda: (
        lambda t, x: t.times(x), ((tree := Tree(1.0, Config(2.0))), X), lambda: to("scale", 5.0)(tree.config),
    ),
    "a key": lambda: (
        lambda d, x: sum(v * k.scale for k, v in d.items()) * x, ({(key := Config(2.0)): 1.0}, X),
        lambda: to("scale", 5.0)(key),
    ),
    "a namespace": lambda: argument(lambda n, x: n.k * x, types.SimpleNamespace(k=2.0), to("k", 5.0)),
    "options": lambda: argument(lambda n, x: n.k * x, argparse.Namespace(k=2.0), to("k", 5.0)),
    "a deque": lambda: argument(lambda d, x: d[0] * x, collections.deque([2.0]), lambda d: d.appendleft(5.0)),
    "a deque of Tensors": lambda: argument(
        lambda d, x: d[0] * x, collections.deque([tm.tensor(2.0)]), lambda d: d.appendleft(tm.tensor(5.0))
    ),
    "a set": lambda: argument(lambda s, x: sum(s) * x, {2.0}, lambda s: s.add(5.0)),
    "a weak proxy": lambda: (called, (through_a_proxy(of_net(lambda self, x: x * FACTOR)[1][0]), X), changed),
}  # fmt: skip


def by_a_method_of_a_named_tuple():
    pair = Pair(1.0)
    return lambda x: pair.loss(x), changed


def by_a_method_of_a_member_of_an_enumeration():
    member = Mode.FIRST
    return lambda x: member.times(x), changed


def by_a_weak_proxy():
    net = through_a_proxy(of_net(lambda self, x: x * FACTOR)[1][0])
    return lambda x: net(x), changed


def by_an_attribute_of_a_metaclass():
    return lambda x: x * Rated.rate, lambda: setattr(Rates, "rate", Rates.rate + 1.0)


def by_a_name_that_is_put_together():
    net = of_net(lambda self, x: x)[1][0]
    type(net).rate_a = 2.0
    return lambda x: x * getattr(net, f"rate_{net.kind}"), lambda: setattr(type(net), "rate_a", 5.0)


def by_an_element_of_a_set():
    config = Config(2.0)
    some = {config}
    return lambda x: sum(c.scale for c in some) * x, lambda: setattr(config, "scale", 5.0)
