"""What a compiled function makes anew at each call belongs to that call alone; what no call could have is refused."""

import asyncio
import collections
import dataclasses
import functools
import types

import numpy as np
import pytest
from test_compiler_borrowed import Custom

import tinygrad_math as tm

X = np.array([1.0, 2.0])
SETTINGS = types.SimpleNamespace(names=["outside"])
SHARED = ["outside"]


class Box:
    def __init__(self, value):
        self.value = value


class Registry(dict):
    pass


@dataclasses.dataclass
class Logged:
    w: object
    log: list = dataclasses.field(init=False, default_factory=list)


@dataclasses.dataclass
class Counted:
    w: object
    counts: np.ndarray = dataclasses.field(init=False, default=None)


def counted(x):
    result = Counted(2.0 * x)
    result.counts = np.zeros(3)
    return result


def registry(x):
    result = Registry(w=2.0 * x)
    result.table = {"a": [1]}
    return result


def counter():
    count = 0

    def step():
        nonlocal count
        count += 1
        return count

    return step


MADE = {  # what f returns; what of it is written to, by append or as it is said here
    "a field that the constructor does not take": (lambda x: Logged(2.0 * x), lambda r: r.log.append(1)),
    "an array among the attributes": (counted, lambda r: r.counts.fill(9.0)),
    "a list deep in the attributes of a dict": (registry, lambda r: r.table["a"].append(1)),
    "what a class gives beside its children": (
        lambda x: Custom(2.0 * x, {"k": [1]}),
        lambda r: r.settings["k"].append(1),
    ),
    "an object": (lambda x: (x, Box([1])), lambda r: r[1].value.append(1)),
    "an object within an object": (lambda x: (x, Box(Box([1]))), lambda r: r[1].value.value.append(1)),
    "a constant within an object": (lambda x: (x, Box(tm.ones(2))), lambda r: r[1].value.data.fill(9.0)),
    "a set": (lambda x: (x, {1, 2}), lambda r: r[1].add(3)),
    "a deque": (lambda x: (x, collections.deque([1])), lambda r: r[1].append(2)),
    "a namespace": (lambda x: (x, types.SimpleNamespace(a=1)), lambda r: setattr(r[1], "a", 2)),
    "a bytearray": (lambda x: (x, Box(bytearray(2))), lambda r: r[1].value.append(2)),
    "a partial": (lambda x: (x, functools.partial(max, [1])), lambda r: r[1].args[0].append(2)),
    "a closure with a state": (lambda x: (x, counter()), lambda r: r[1]()),
}  # fmt: skip


def told(x):
    """What an object holds, down to what can be compared."""
    if isinstance(x, types.FunctionType):
        return [told(cell.cell_contents) for cell in x.__closure__ or ()]
    if isinstance(x, functools.partial):
        return x.func, told(x.args)
    if isinstance(x, (tm.Tensor, np.ndarray)):
        return np.asarray(x).tolist()
    if isinstance(x, dict):
        return [*map(told, x.values()), told(vars(x)) if hasattr(x, "__dict__") else None]
    if isinstance(x, (list, tuple)):
        return [*map(told, x)]
    return told(vars(x)) if hasattr(x, "__dict__") else x


@pytest.mark.parametrize("backend", ["numpy", "native"])
@pytest.mark.parametrize("way", MADE)
def test_what_a_caller_writes_to_is_no_part_of_the_next_result(way, backend):
    f, write = MADE[way]
    g = tm.compile(f, backend=backend)
    fresh = told(f(tm.tensor(X)))
    for _ in range(3):
        result = g(X)
        assert told(result) == fresh
        write(result)
        assert told(result) != fresh


def test_it_is_new_at_each_call_where_the_results_are_differentiated():
    g = tm.compile(lambda x: (x * x, Box([1])))
    for _ in range(2):
        y, box = g(tm.tensor(X, requires_grad=True))
        assert y.requires_grad
        assert box.value == [1]
        box.value.append(2)


def test_one_object_in_two_places_of_a_result_is_one():
    def f(x):
        box = Box([1])
        return Logged(x), box, {"again": box, "list": Box(box.value)}

    _, box, rest = tm.compile(f)(X)
    assert rest["again"] is box
    assert rest["list"].value is box.value


def test_an_attribute_and_a_leaf_share_what_they_share():
    def f(x):
        result = Logged(x)
        return result, Box(result.log)

    g = tm.compile(f)
    result, box = g(X)
    assert result.log is box.value
    assert g(X)[0].log is not result.log


@pytest.mark.parametrize(
    ("f", "of"),
    [
        (lambda x: (x, SETTINGS), lambda r: r[1] is SETTINGS),
        (lambda x: (x, Box(SHARED)), lambda r: r[1].value is SHARED),
        (lambda x: (x, Box(SETTINGS.names)), lambda r: r[1].value is SETTINGS.names),
        (lambda x: (x, Box(getattr(SETTINGS, "na" + "mes"))), lambda r: r[1].value is SETTINGS.names),
        (lambda x: (x, tm.tanh, Box), lambda r: r[1] is tm.tanh and r[2] is Box),
        (lambda x: (x, counter), lambda r: r[1] is counter),
    ],
    ids=["an object", "a list", "an attribute", "an attribute by a text", "functions and classes", "ours"],
)
def test_what_lies_outside_stays_the_one_that_lies_there(f, of):
    g = tm.compile(f)
    assert of(g(X))
    assert of(g(X))


def test_what_was_passed_stays_the_callers():
    box = Box([1])
    g = tm.compile(lambda x, box: (x, box, Box(box.value)))
    for _ in range(2):
        _, same, other = g(X, box)
        assert same is box
        assert other.value is box.value


def held(x):
    result = Logged(x)
    result.log.append(2.0 * x)
    return result


HOLDING = {
    "an attribute": (held, r"Logged\.log, .* field that the constructor of Logged takes"),
    "an object": (lambda x: (x, Box(2.0 * x)), "a Box, which holds a traced value"),
    "a set": (lambda x: {2.0 * x}, "a set, which"),
    "a deque": (lambda x: collections.deque([2.0 * x]), "a deque, which"),
    "a namespace": (lambda x: types.SimpleNamespace(a=2.0 * x), "a SimpleNamespace, which"),
    "a view of a dict": (lambda x: types.MappingProxyType({"a": 2.0 * x}), "a mappingproxy, which"),
    "a closure": (lambda x: lambda y: x * y, "a function, which"),
    "a partial": (lambda x: functools.partial(tm.add, 2.0 * x), "a partial, which"),
    "an error": (lambda x: (x, ValueError(x)), "a ValueError, which"),
}


@pytest.mark.parametrize("way", HOLDING)
def test_an_object_that_holds_a_traced_value_is_refused_by_name(way):
    f, words = HOLDING[way]
    with pytest.raises(tm.TraceError, match=words):
        tm.compile(f)(X)


def values(x):
    yield 2.0 * x


async def later(x):
    return 2.0 * x


ONCE = {
    "generator": values,
    "map": lambda x: (x, map(abs, [1, -2])),
    "list_iterator": lambda x: (x, Box(iter([1, 2]))),
    "dict_values": lambda x: (x, {"a": 1}.values()),
}


@pytest.mark.parametrize("kind", ONCE)
def test_what_runs_once_is_refused_by_name(kind):
    with pytest.raises(tm.TraceError, match=f"a {kind}.* return a list of the values"):
        tm.compile(ONCE[kind])(X)


def test_a_coroutine_is_refused_and_closed():
    async def main():
        with pytest.raises(tm.TraceError, match="a coroutine"):
            await tm.compile(later)(X)

    asyncio.run(main())
