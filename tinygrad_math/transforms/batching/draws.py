"""What a function that is recorded once draws or takes from elsewhere, so that all examples share it.

NumPy's and Python's generators of random numbers, iterators, and generators that yield.
"""

from __future__ import annotations

import random
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from types import BuiltinMethodType, CodeType, FunctionType, MethodType, MethodWrapperType, ModuleType, NoneType
from typing import Any

import numpy as np

from ...core.errors import TraceError
from ...core.opening import room
from ...core.place import is_library
from ...core.tensor import Tensor
from ..made import Made

_ATOMS = frozenset((NoneType, float, int, bool, str, type, np.ndarray, np.float64, np.ufunc, Tensor))
_CONTAINERS = (dict, list, tuple, deque)
_MOST = 256  # entries of a container that are looked at, and
_DEEPEST = 8  # containers within containers
_LOUD = frozenset((id(random), id(np.random)))
_RANDOM = (np.random.Generator, np.random.RandomState, np.random.BitGenerator, random.Random)
_NAMES: dict[int, tuple[weakref.ref[CodeType], frozenset[str]]] = {}
_BUILT_IN = (BuiltinMethodType, MethodWrapperType)
Streams = list[tuple[str, Any, Any]]


def streams_of(f: Callable[..., Any]) -> Streams:
    """The streams that f reaches by its names, closure cells, helpers and objects, and where they stand.

    Of code that names none this takes a look-up for each name: `vmap` asks at each call.
    """
    if _quiet(f):
        return []
    search = _Search(room("compiler.streams").is_stream)
    search.look("f", f)
    if not search.found:
        return []
    state_of = room("compiler.streams").state_of
    return [(name, stream, state_of(stream)) for name, stream in search.found.values()]


def refuse_drawn(streams: Streams, title: str) -> None:
    """Raise where one of them stands elsewhere now, and put all of them back."""
    same = room("compiler.values").same
    of = room("compiler.streams")
    names = [name for name, stream, state in streams if not same(state, of.state_of(stream))]
    if names:
        for _, stream, state in streams:
            of.restore(stream, state)
        chance = all(isinstance(stream, _RANDOM) for name, stream, _ in streams if name in names)
        instead = "draw with tm.random, or pass" if chance else "pass"
        raise TraceError(
            f"{title} draws from {', '.join(names)}, and all examples would have what was drawn once: {instead} what "
            "was drawn as an argument, with a row for each example; randomness='same' if one draw is meant for all"
        )


def _quiet(f: Any) -> bool:
    """Whether what a function names and holds is no stream, nor anything to be looked into, as seen at a glance."""
    if type(f) is not FunctionType or f.__defaults__ or f.__dict__:
        return False
    names, get = _names(f.__code__), f.__globals__.get
    for name in names:
        value = get(name)
        if type(value) in _ATOMS or (
            type(value) is ModuleType and id(value) not in _LOUD and (value is not np or "random" not in names)
        ):
            continue
        if not _silent(value):
            return False
    if f.__closure__:
        try:
            return all(_silent(cell.cell_contents) for cell in f.__closure__)
        except ValueError:  # one is not filled yet
            return False
    return True


def _silent(value: Any, depth: int = 0) -> bool:
    """Whether this is plain data."""
    kind = type(value)
    return kind in _ATOMS or (kind in _CONTAINERS and depth < _DEEPEST and _all_silent(_entries(value), depth + 1))


def _all_silent(values: Iterable[Any], depth: int) -> bool:
    return all(_silent(v, depth) for v in values)


def _entries(value: Any) -> Iterator[Any]:
    return islice(value.values() if isinstance(value, dict) else value, _MOST)


class _Search:
    """A walk over what a function reaches; `found` has each stream with the name that leads to it."""

    def __init__(self, is_stream: Callable[[Any], bool]) -> None:
        self.is_stream = is_stream
        self.found: dict[int, tuple[str, Any]] = {}
        self.seen: dict[int, Any] = {}
        self.names: set[str] = set()  # of what all code so far names

    def look(self, name: str, value: Any, depth: int = 0) -> None:
        kind = type(value)
        if kind in _ATOMS or isinstance(value, Tensor) or id(value) in self.seen or depth > _DEEPEST:
            return
        self.seen[id(value)] = value
        if self.is_stream(value):
            self.found[id(value)] = name, value
        elif kind in _CONTAINERS:
            for entry in _entries(value):
                self.look(name, entry, depth + 1)
        elif kind is FunctionType:
            self._function(value, depth)
        elif kind is MethodType:
            self._function(value.__func__, depth)
            self.look("self" if name == "f" else name, value.__self__, depth)
        elif kind in _BUILT_IN:  # numpy.random.normal, steps.__next__
            self.look(name, value.__self__, depth)
        elif kind is partial or kind is Made:
            self.look(name, value.func if kind is partial else value.f, depth)
            for part in (*value.args, *value.keywords.values()) if kind is partial else ():
                self.look("an argument of a partial", part, depth + 1)
        elif not isinstance(value, (type, ModuleType)) and hasattr(value, "__dict__"):
            self._object("self" if name == "f" else name, value, depth)

    def _function(self, f: Any, depth: int) -> None:
        while hasattr(f, "__wrapped__"):
            f = f.__wrapped__
        if type(f) is not FunctionType or _of_library(f):
            return
        names = _names(f.__code__)
        self.names |= names
        for name, value in _held(f, names, f.__globals__):
            if type(value) is ModuleType:
                _module(value, names, self.found)
            else:
                self.look(name, value, depth + 1)

    def _object(self, name: str, value: Any, depth: int) -> None:
        """What the code that was seen names of an object, and what is called when the object is.

        Of a library's object, whose code is not looked at, all that it holds: a Sequential has the user's layers.
        """
        methods = [getattr(type(value), method, None) for method in ("__call__", "forward")]
        for method in methods:
            self._function(method, depth)
        foreign = any(_of_library(method) for method in methods[1:])
        for kind in () if foreign else type(value).__mro__:
            for attribute in self.names & vars(kind).keys():
                self._function(vars(kind)[attribute], depth)
        for attribute, part in tuple(getattr(value, "__dict__", {}).items())[:_MOST]:
            if foreign or attribute in self.names:
                self.look(f"{name}.{attribute}", part, depth + 1)


def _of_library(f: Any) -> bool:
    return type(f) is FunctionType and is_library(f.__code__.co_filename)


def _held(f: FunctionType, names: frozenset[str], values: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The globals that f names, and what it closes over and has as defaults."""
    for name in names:
        if name in values:
            yield name, values[name]
    if f.__closure__:
        for name, cell in zip(f.__code__.co_freevars, f.__closure__, strict=True):
            try:
                yield name, cell.cell_contents
            except ValueError:  # not filled yet
                continue
    for value in f.__defaults__ or ():
        yield "a default", value


def _module(module: ModuleType, names: frozenset[str], found: dict[int, tuple[str, Any]]) -> None:
    if module is np.random or (module is np and "random" in names):
        found[0] = "numpy.random", np.random.mtrand._rand
    elif module is random:
        found[1] = "random", getattr(random.random, "__self__", None)


def _names(code: CodeType) -> frozenset[str]:
    """The names of globals and attributes in code, and in the code within it."""
    key = id(code)
    known = _NAMES.get(key)
    if known is not None:
        return known[1]
    names = set(code.co_names)
    for c in code.co_consts:
        if isinstance(c, CodeType):
            names |= _names(c)
    _NAMES[key] = weakref.ref(code, lambda _: _NAMES.pop(key, None)), frozenset(names)
    return _NAMES[key][1]
