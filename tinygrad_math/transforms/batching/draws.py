"""Draws of NumPy's and Python's generators within a function that is recorded once, so that all examples share them."""

from __future__ import annotations

import random
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from types import CodeType, FunctionType, MethodType, ModuleType, NoneType
from typing import Any

import numpy as np

from ...core.errors import TraceError
from ...core.opening import room
from ...core.place import is_library
from ...core.tensor import Tensor
from ..made import Made

_PLAIN = frozenset((NoneType, float, int, bool, str, tuple, list, dict, type, np.ndarray, np.float64, np.ufunc, Tensor))
_LOUD = frozenset((id(random), id(np.random)))
_STREAMS = (np.random.Generator, np.random.RandomState, np.random.BitGenerator, random.Random)
_NAMES: dict[int, tuple[weakref.ref[CodeType], frozenset[str]]] = {}
_METHODS = frozenset((MethodType, type(random.random)))
_FUNCTIONS = frozenset((FunctionType, MethodType, partial, Made))
Streams = list[tuple[str, Any, Any]]


def streams_of(f: Callable[..., Any]) -> Streams:
    """The generators that f reaches by its names, closure cells and helpers, and where they stand.

    Of code that names none this takes a look-up for each name: `vmap` asks at each call.
    """
    if _quiet(f):
        return []
    found: dict[int, tuple[str, Any]] = {}
    _walk(f, found, set())
    if not found:
        return []
    state_of = room("compiler.streams").state_of
    return [(name, stream, state_of(stream)) for name, stream in found.values()]


def refuse_drawn(streams: Streams, title: str) -> None:
    """Raise where one of them stands elsewhere now, and put all of them back."""
    same = room("compiler.values").same
    of = room("compiler.streams")
    names = [name for name, stream, state in streams if not same(state, of.state_of(stream))]
    if names:
        for _, stream, state in streams:
            of.restore(stream, state)
        raise TraceError(
            f"{title} draws from {', '.join(names)}, and all examples would have what was drawn once: draw with "
            "tm.random, or pass what was drawn as an argument, with a row for each example; randomness='same' if one "
            "draw is meant for all"
        )


def _quiet(f: Any) -> bool:
    """Whether what a function names and holds is no generator, nor anything to be looked into, as seen at a glance."""
    if type(f) is not FunctionType or f.__defaults__ or f.__dict__:
        return False
    names, get = _names(f.__code__), f.__globals__.get
    for name in names:
        value = get(name)
        if type(value) in _PLAIN or (
            type(value) is ModuleType and id(value) not in _LOUD and (value is not np or "random" not in names)
        ):
            continue
        return False
    if f.__closure__:
        try:
            return _PLAIN.issuperset([type(cell.cell_contents) for cell in f.__closure__])
        except ValueError:  # one is not filled yet
            return False
    return True


def _walk(f: Any, found: dict[int, tuple[str, Any]], seen: set[int]) -> None:
    owner = None
    while (kind := type(f)) is not FunctionType or "__wrapped__" in f.__dict__:
        if kind is MethodType:
            owner, f = f.__self__, f.__func__
        elif kind is partial:
            f = f.func
        elif kind is Made:
            f = f.f
        elif kind is FunctionType:
            f = f.__wrapped__
        else:
            return
    if id(f) in seen or is_library(f.__code__.co_filename):
        return
    seen.add(id(f))
    names, values = _names(f.__code__), f.__globals__
    for name, value in _held(f, names, values):
        kind = type(value)
        if kind in _PLAIN:
            continue
        if kind is ModuleType:
            _module(value, names, found)
        elif isinstance(value, _STREAMS):
            found[id(value)] = name, value
        elif kind in _METHODS and isinstance(value.__self__, _STREAMS):  # numpy.random.normal
            found[id(value.__self__)] = name, value.__self__
        elif kind in _FUNCTIONS:
            _walk(value, found, seen)
    for name in names & vars(owner).keys() if hasattr(owner, "__dict__") else ():  # self.rng
        if isinstance(vars(owner)[name], _STREAMS):
            found[id(vars(owner)[name])] = f"self.{name}", vars(owner)[name]


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
