"""Numbers in modules that a function refers to: workers import the modules by themselves, and may have others there."""

from __future__ import annotations

import contextlib
import dis
import functools
import hashlib
import importlib
import os
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from ..core.tensor import Tensor

Place = tuple[str, str]  # a module, and a name in it or in a class of it: ("settings", "Net.scale")

UNKNOWN: Any = object()  # the number of a module that cannot be imported: the function itself will tell
_PLAIN = (bool, int, float, complex, str, np.generic, np.ndarray, Tensor)
_INSTALLED = tuple({os.path.realpath(sysconfig.get_path(n)) + os.sep for n in ("stdlib", "purelib", "platlib")})
_NAMES = {"LOAD_GLOBAL": "global", "LOAD_NAME": "global", "LOAD_DEREF": "cell", "LOAD_CLASSDEREF": "cell"}
_PARTS = ("LOAD_ATTR", "LOAD_METHOD")
_NOTHING = ("CACHE", "PUSH_NULL", "EXTENDED_ARG", "SWAP", "POP_TOP")
_PUT = ("STORE_GLOBAL", "STORE_ATTR")


def numbers_of(things: Iterable[Any]) -> dict[Place, bytes]:
    """The numbers in modules that functions and classes refer to, and those that they call there, each by a mark.

    Those that a function sets itself are its own affair.
    """
    found: dict[Place, bytes] = {}
    own: set[Place] = set()
    set_somewhere: set[str] = set()  # as attributes of whatever
    seen: set[Any] = set()
    left = list(things)
    while left:
        thing = left.pop()
        if isinstance(thing, type) and thing not in seen and _travels_by_name(thing):
            seen.add(thing)
            left += thing.__mro__[1:]
            for name, value in vars(thing).items():
                if isinstance(value, _PLAIN) and not name.startswith("__"):
                    found[thing.__module__, f"{thing.__qualname__}.{name}"] = marked(value)
                left += [getattr(value, n) for n in ("__func__", "fget") if hasattr(value, n)] or [value]
        elif isinstance(thing, FunctionType) and thing.__code__ not in seen:
            seen.add(thing.__code__)
            set_somewhere |= _put(thing.__code__)
            for place, value, is_put in _used(thing):
                if isinstance(value, _PLAIN) and is_put:
                    own.add(place)
                elif isinstance(value, _PLAIN):
                    found[place] = marked(value)
                elif isinstance(value, type) or (isinstance(value, FunctionType) and _travels_by_name(value)):
                    left.append(value)
    own |= {(m, n) for m, n in found if "." in n and n.rpartition(".")[2] in set_somewhere}
    return {place: mark for place, mark in found.items() if place not in own}


def number_there(module: str, name: str) -> Any:
    """What stands there in this process."""
    try:
        found: Any = importlib.import_module(module)
    except Exception:  # whatever the module itself raises
        return UNKNOWN
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def marked(value: Any) -> bytes:
    """Few bytes that tell whether two values are the same."""
    array = value.detach().numpy() if isinstance(value, Tensor) else value
    if isinstance(array, np.ndarray) and array.dtype.kind != "O":
        words = f"{array.dtype.str}{array.shape}".encode()
        return hashlib.blake2b(words + np.ascontiguousarray(array).tobytes(), digest_size=16).digest()
    return hashlib.blake2b(f"{type(array)}{array!r}".encode(), digest_size=16).digest()


# -- whose modules are looked at -------------------------------------------------------------------------------
def _users(module: Any) -> bool:
    """Whether a module is the user's, and imported by workers: no installed one, none of ours, none sent by value."""
    if not isinstance(module, ModuleType):
        return False
    name, file = module.__name__, getattr(module, "__file__", None)
    if file is None or name.partition(".")[0] in ("__main__", __name__.partition(".")[0]) or _installed(file):
        return False
    by_value = importlib.import_module("cloudpickle").list_registry_pickle_by_value()
    return not any(name == n or name.startswith(n + ".") for n in by_value)


@functools.lru_cache(1024)
def _installed(file: str) -> bool:
    return os.path.realpath(file).startswith(_INSTALLED)


def _travels_by_name(thing: Any) -> bool:
    """Whether a function or a class travels as a name in a module of the user's."""
    module = sys.modules.get(getattr(thing, "__module__", None) or "")
    if not _users(module) or "<locals>" in thing.__qualname__:
        return False
    return isinstance(thing, type) or thing.__globals__ is vars(module)


# -- what code refers to ---------------------------------------------------------------------------------------
def _used(f: FunctionType) -> Iterator[tuple[Place, Any, bool]]:
    """What a function finds in modules of the user's: where, what it is there now, and whether it sets that itself."""
    by_name = _travels_by_name(f)
    cells = dict(zip(f.__code__.co_freevars, f.__closure__ or (), strict=False))
    for kind, start, path in _chains(f.__code__):
        is_put = (path[-1] if path else start) in _put(f.__code__)
        value: Any = None
        if kind == "module":
            value = sys.modules.get(start)
        elif kind == "cell" and start in cells:
            with contextlib.suppress(ValueError):  # it is not there yet
                value = cells[start].cell_contents
        elif kind == "global" and start in f.__globals__:
            value = f.__globals__[start]
            if by_name and not isinstance(value, ModuleType):
                yield (f.__module__, start), value, is_put
        for part in path:
            if not _users(value) or part not in vars(value):
                break
            place, value = (value.__name__, part), vars(value)[part]
            if not isinstance(value, ModuleType):
                yield place, value, is_put


@functools.lru_cache(1024)
def _chains(code: CodeType) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """What code, and that within it, reads: of a global, a cell or an imported module, attribute by attribute."""
    found: list[tuple[str, str, list[str]]] = []
    imported: dict[str, tuple[str, list[str]]] = {}  # names that the code gives to modules, or what it takes of them
    chain: list[str] | None = None  # the attributes read of what was read last
    module, parts, taken, before = "", [""], False, None
    for op, name in _steps(code):
        if op == "IMPORT_NAME":
            taken = bool(before)  # `from module import part`
            module, parts, chain = (name if taken else name.partition(".")[0]), [], None
        elif op == "IMPORT_FROM":
            parts = [name] if taken else [*parts, name]
            found.append(("module", module, parts))
        elif op.startswith("STORE_") and module:
            imported[name] = module, parts
            module = module if taken else ""
        elif op.startswith("LOAD_FAST"):
            start, more = imported.get(name, ("", []))
            chain, module = list(more), ""
            if start:
                found.append(("module", start, chain))
        elif op in _NAMES:
            chain, module = [], ""
            found.append((_NAMES[op], name, chain))
        elif op in _PARTS and chain is not None:
            chain.append(name)
        elif op not in _NOTHING:
            chain = None
        before = name
    for inner in _within(code):
        found += [(kind, start, list(path)) for kind, start, path in _chains(inner)]
    return tuple(dict.fromkeys((kind, start, tuple(path)) for kind, start, path in found))


@functools.lru_cache(1024)
def _put(code: CodeType) -> frozenset[str]:
    """The globals and attributes that a piece of code, and those within it, set."""
    here = {i.argval for i in dis.get_instructions(code) if i.opname in _PUT}
    return frozenset(here).union(*map(_put, _within(code)))


def _steps(code: CodeType) -> Iterator[tuple[str, Any]]:
    """Instructions with what they are about; two in one, as of Python 3.13, are told one by one."""
    for i in dis.get_instructions(code):
        double = re.findall("(?:LOAD|STORE)_FAST", i.opname)
        if len(double) == 2 and isinstance(i.argval, tuple):
            yield from zip(double, i.argval, strict=True)
        else:
            yield i.opname, i.argval


def _within(code: CodeType) -> list[CodeType]:
    return [c for c in code.co_consts if isinstance(c, CodeType)]
