"""A compiled function sees what the uncompiled one would see, or says by name what it cannot."""

import gc
import weakref

import changes_of_objects
import changes_of_presence
import changes_of_values
import numpy as np
import pytest
from agreeing import Settings, X, agree, values

import tinygrad_math as tm
from tinygrad_math.compiler import cache

GLOBAL = 2.0
ROOMS = (changes_of_values, changes_of_objects, changes_of_presence)
CHANGES = [v for room in ROOMS for k, v in vars(room).items() if k.startswith("by_")]


@pytest.mark.parametrize("make", CHANGES)
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


def test_what_is_closed_over_may_be_printed_and_costs_a_program_for_each_value(capsys):
    t = tm.tensor(2.0)

    def f(x):
        print(t, x)
        return x * t

    g = tm.compile(f)
    for value in (2.0, 2.0, 3.0):
        t[()] = value
        np.testing.assert_array_equal(g(X).numpy(), X * value)
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["tensor(2.) tensor<float64(3,), traced>", "tensor(3.) tensor<float64(3,), traced>"]
