"""What objects of Python hold, and how another of their kind is made that holds other things.

A kind says both. Plain numbers, texts, arrays, classes and modules of Python hold nothing here: they lead nowhere. Nor
does what says `__stays__`, a class or a function: an observer, who knows the parameters by which they are. A class that
says `no_part_of_a_tree`, with a reason, is not made anew.
"""

from __future__ import annotations

import array
import enum
import functools
import gc
import inspect
import types
import weakref
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

import numpy as np

from .attributes import held

INERT = frozenset({int, float, complex, bool, str, bytes, type(None), type, types.ModuleType, np.ufunc})
_APART = {"numpy", "threading", "logging", "asyncio", "concurrent", "_thread", "dask", "distributed"}
_OPAQUE = (type, types.ModuleType, types.CodeType, types.FrameType, types.TracebackType, enum.Enum)
_OURS = __name__.partition(".")[0]
_BASES = (OrderedDict, defaultdict, dict, list, tuple, deque, set, frozenset)  # whose own methods fill their subclasses


class Copying(Protocol):
    """Who copies: what an object leads to is asked of it, and told to it as soon as there is something to be told."""

    def __call__(self, x: Any, /) -> Any: ...
    def begin(self, x: Any, copy: Any, fill: Callable[[], object]) -> Any: ...


class Kind(NamedTuple):
    """What an object of some type holds, and another that holds the copies of it."""

    parts: Callable[[Any], Iterable[Any]]
    again: Callable[[Any, Copying], Any]

    @property
    def unique(self) -> bool:
        """Whether nobody can make another one."""
        return self.again is _foreign_again


def is_inert(x: Any) -> bool:
    """Whether an object leads nowhere, at a glance."""
    kind = type(x)
    if kind in INERT:
        return True
    if kind is tuple or kind is list:
        return INERT.issuperset(map(type, x))
    if kind is dict:
        return INERT.issuperset(map(type, x)) and INERT.issuperset(map(type, x.values()))
    if kind is np.ndarray:
        return bool(x.dtype.char != "O")
    return hasattr(kind, "_tree_leaf")


class Unlinkable(Exception):
    """An object that leads to what is replaced, and that nobody can make anew."""

    def __init__(self, x: Any, way: str) -> None:
        self.x, self.way = x, way


# -- functions -----------------------------------------------------------------------------------------
def _parts_of_function(f: Any) -> list[Any]:
    if "__stays__" in f.__dict__:
        return []
    return [*(f.__closure__ or ()), f.__defaults__, f.__kwdefaults__, *f.__dict__.values()]


def _function_again(f: Any, copy: Copying) -> Any:
    cells = None if f.__closure__ is None else tuple(map(copy, f.__closure__))
    new = types.FunctionType(f.__code__, f.__globals__, f.__name__, copy(f.__defaults__), cells)
    new.__kwdefaults__, new.__qualname__, new.__doc__ = copy(f.__kwdefaults__), f.__qualname__, f.__doc__
    new.__module__, new.__annotations__ = f.__module__, f.__annotations__
    return copy.begin(f, new, lambda: new.__dict__.update({k: copy(v) for k, v in f.__dict__.items()}))


def _parts_of_cell(cell: Any) -> list[Any]:
    try:
        return [cell.cell_contents]
    except ValueError:  # nothing stands there yet
        return []


def _cell_again(cell: Any, copy: Copying) -> Any:
    new = types.CellType()
    return copy.begin(cell, new, lambda: setattr(new, "cell_contents", copy(cell.cell_contents)))


def _partial_again(p: Any, copy: Copying) -> Any:
    new = type(p)(copy(p.func), *map(copy, p.args), **{k: copy(v) for k, v in p.keywords.items()})
    return copy.begin(p, new, lambda: new.__dict__.update({k: copy(v) for k, v in p.__dict__.items()}))


def _parts_of_reference(r: Any) -> list[Any]:
    return [r()]


def _reference_again(r: Any, copy: Copying) -> Any:
    if type(r) is not weakref.ref:  # of a dictionary of references, which is told when one ends
        raise Unlinkable(r, "hold the objects themselves, or a plain weakref.ref")
    return weakref.ref(copy(r()))


def _behind(proxy: Any) -> Any:
    """The object that a weak proxy stands for, which answers for it to any name."""
    return proxy.__reduce_ex__.__self__


def _parts_of_proxy(proxy: Any) -> list[Any]:
    try:
        return [_behind(proxy)]
    except ReferenceError:  # it is gone
        return []


# -- containers ----------------------------------------------------------------------------------------
def base_of(x: Any) -> Any:
    """The container of Python that an object is, whatever class is derived of it."""
    return next(b for b in _BASES if isinstance(x, b))


def _beside(x: Any) -> dict[str, Any]:
    factory = {"default_factory": x.default_factory} if isinstance(x, defaultdict) else {}
    return factory if type(x) is base_of(x) else held(x) | factory


def _parts_of_dict(d: Any) -> list[Any]:
    return [*dict.keys(d), *dict.values(d), *_beside(d).values()]


def _parts_of_items(x: Any) -> list[Any]:
    return [*base_of(x).__iter__(x), *_beside(x).values()]


def _fill_attributes(new: Any, x: Any, copy: Copying) -> None:
    for name, value in _beside(x).items():
        object.__setattr__(new, name, copy(value))


def _dict_again(d: Any, copy: Copying) -> Any:
    base = base_of(d)
    new = base.__new__(type(d))

    def fill() -> None:
        for k, v in dict.items(d):
            base.__setitem__(new, copy(k), copy(v))
        _fill_attributes(new, d, copy)

    return copy.begin(d, new, fill)


def _list_again(x: Any, copy: Copying) -> Any:
    base = base_of(x)
    new = base.__new__(type(x))
    if base is deque:
        deque.__init__(new, (), x.maxlen)

    def fill() -> None:
        (set.update if base is set else base.extend)(new, map(copy, base.__iter__(x)))
        _fill_attributes(new, x, copy)

    return copy.begin(x, new, fill)


def _tuple_again(x: Any, copy: Copying) -> Any:
    base = base_of(x)
    new = base.__new__(type(x), [copy(v) for v in base.__iter__(x)])
    return copy.begin(x, new, lambda: _fill_attributes(new, x, copy))


def _array_again(x: Any, copy: Copying) -> Any:
    new = x.copy()

    def fill() -> None:
        for k, v in enumerate(x.flat if x.dtype.char == "O" else ()):
            new.flat[k] = copy(v)

    return copy.begin(x, new, fill)


# -- objects -------------------------------------------------------------------------------------------
def _object_again(x: Any, copy: Copying) -> Any:
    kind = type(x)
    new = types.SimpleNamespace.__new__(kind) if isinstance(x, types.SimpleNamespace) else object.__new__(kind)

    def fill() -> None:
        for name, value in held(x).items():
            object.__setattr__(new, name, copy(value))

    return copy.begin(x, new, fill)


def _reduced(x: Any) -> Any:
    """How an object of ours is made, as `pickle` asks it; a text where there is one of it only."""
    return x.__reduce__()


def _parts_of_reduced(x: Any) -> tuple[Any, ...]:
    made = _reduced(x)
    return () if isinstance(made, str) else made[1]


def _reduced_again(x: Any, copy: Copying) -> Any:
    make, args, *_ = _reduced(x)
    return make(*map(copy, args))


def _parts_of_foreign(x: Any) -> list[Any]:
    return gc.get_referents(x)


def _foreign_again(x: Any, copy: Copying) -> Any:
    raise Unlinkable(x, getattr(type(x), "no_part_of_a_tree", "keep it outside, or make it where it is called"))


_RULES: list[tuple[Any, Kind]] = [
    (types.FunctionType, Kind(_parts_of_function, _function_again)),
    (types.CellType, Kind(_parts_of_cell, _cell_again)),
    (
        types.MethodType,
        Kind(lambda m: (m.__func__, m.__self__), lambda m, copy: types.MethodType(copy(m.__func__), copy(m.__self__))),
    ),
    (
        (types.BuiltinFunctionType, types.MethodWrapperType),
        Kind(lambda m: (m.__self__,), lambda m, copy: getattr(copy(m.__self__), m.__name__)),
    ),
    (functools.partial, Kind(lambda p: (p.func, *p.args, *p.keywords.values(), *p.__dict__.values()), _partial_again)),
    (weakref.ref, Kind(_parts_of_reference, _reference_again)),
    (weakref.ProxyTypes, Kind(_parts_of_proxy, lambda p, copy: weakref.proxy(copy(_behind(p))))),
    (dict, Kind(_parts_of_dict, _dict_again)),
    ((list, deque, set), Kind(_parts_of_items, _list_again)),
    ((tuple, frozenset), Kind(_parts_of_items, _tuple_again)),
    (
        types.MappingProxyType,
        Kind(gc.get_referents, lambda m, copy: types.MappingProxyType(copy(gc.get_referents(m)[0]))),
    ),
    ((bytearray, array.array), Kind(lambda x: (), lambda x, copy: x[:])),
    (np.ndarray, Kind(lambda x: x.ravel().tolist() if x.dtype.char == "O" else (), _array_again)),
    (types.SimpleNamespace, Kind(lambda x: held(x).values(), _object_again)),
]
OBJECT = Kind(lambda x: held(x).values(), _object_again)
_REDUCED = Kind(_parts_of_reduced, _reduced_again)
FOREIGN = Kind(_parts_of_foreign, _foreign_again)


def rule(kinds: Callable[[type], bool], kind: Kind) -> None:
    """Objects of the types for which `kinds` holds are of this kind."""
    _FURTHER.append((kinds, kind))


_FURTHER: list[tuple[Callable[[type], bool], Kind]] = []


@functools.lru_cache(1024)
def kind_of(cls: type) -> Kind | None:
    """The kind of the objects of a type; None if they lead nowhere."""
    if cls in INERT or issubclass(cls, _OPAQUE) or hasattr(cls, "_tree_leaf") or hasattr(cls, "__stays__"):
        return None
    for types_, kind in _RULES:
        if issubclass(cls, types_):
            return kind
    room = cls.__module__.partition(".")[0]
    if room in _APART:
        return None
    for holds, kind in _FURTHER:
        if holds(cls):
            return kind
    if hasattr(cls, "no_part_of_a_tree"):
        return Kind(OBJECT.parts, _foreign_again)
    if room == _OURS and cls.__reduce__ is not object.__reduce__:
        return _REDUCED
    return OBJECT if _is_plain(cls) else FOREIGN


def own_kind(x: Any) -> Kind | None:
    """The kind of an object by what it is, and not by what it answers for, as a weak proxy does."""
    cls: Any = type(x)
    return kind_of(cls)


_HEAP, _NEVER_CALLED = 1 << 9, 1 << 7  # flags of types: made at run time; not to be made by a call, as some of C
_WRITTEN = _HEAP | _NEVER_CALLED


def _is_plain(cls: type) -> bool:
    """Whether all that objects of a type hold lies in slots and in their `__dict__`: no type of C is below it."""
    if not all(c is object or c.__flags__ & _WRITTEN == _HEAP for c in cls.__mro__):
        return False
    probed = next(c for c in cls.__mro__ if not hasattr(c, "__del__") and not inspect.isabstract(c))
    try:
        object.__new__(probed)
    except TypeError:
        return False
    return True
