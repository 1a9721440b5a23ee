"""Values in modules that a function refers to: workers import the modules by themselves, and may have others there."""

from __future__ import annotations

import contextlib
import dis
import functools
import importlib
import re
import sys
from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

from .marks import HOLDING, PLAIN, holds_attributes, marked
from .whose import travels_by_name, users

Place = tuple[str, str]  # a module, and a name in it or in a class of it: ("settings", "Net.scale")

UNKNOWN: Any = object()  # the number of a module that cannot be imported: the function itself will tell
_NAMES = {"LOAD_GLOBAL": "global", "LOAD_NAME": "global", "LOAD_DEREF": "cell", "LOAD_CLASSDEREF": "cell"}
_PARTS = ("LOAD_ATTR", "LOAD_METHOD")
_NOTHING = ("CACHE", "PUSH_NULL", "EXTENDED_ARG", "SWAP", "POP_TOP")
_PUT = ("STORE_GLOBAL", "STORE_ATTR")
_MAKING = ("__init__", "__new__", "__post_init__")
_WRITE = ("STORE_SUBSCR", "DELETE_SUBSCR", "STORE_SLICE", "DELETE_ATTR")
_WRITING = frozenset(
    [
        "add",
        "append",
        "appendleft",
        "clear",
        "discard",
        "extend",
        "extendleft",
        "insert",
        "load_state_dict",
        "move_to_end",
        "pop",
        "popitem",
        "popleft",
        "remove",
        "reverse",
        "rotate",
        "setdefault",
        "sort",
        "step",
        "update",
    ]
)


def numbers_of(things: Iterable[Any]) -> dict[Place, bytes]:
    """The values in modules that functions and classes refer to, and those that they call there, each by a mark.

    Numbers, arrays, text, and lists, dicts, objects and Modules of these. What a function sets itself, or writes into,
    is its own affair: a count, a list of results, a table of what was computed already.
    """
    found: dict[Place, bytes] = {}
    own: set[Place] = set()
    set_somewhere: set[str] = set()  # as attributes of whatever
    set_later: set[str] = set()  # not as an object is made
    written: set[str] = set()  # names of what is written into
    owners: dict[Place, frozenset[str]] = {}  # the attributes of objects
    seen: set[Any] = set()
    left = list(things)
    while left:
        thing = left.pop()
        if isinstance(thing, type) and thing not in seen and travels_by_name(thing):
            seen.add(thing)
            left += thing.__mro__[1:]
            for name, value in vars(thing).items():
                if isinstance(value, (*PLAIN, *HOLDING)) and not name.startswith("__"):
                    found[thing.__module__, f"{thing.__qualname__}.{name}"] = marked(value)
                left += [getattr(value, n) for n in ("__func__", "fget") if hasattr(value, n)] or [value]
        elif isinstance(thing, FunctionType) and thing.__code__ not in seen:
            seen.add(thing.__code__)
            set_somewhere |= _put(thing.__code__)
            set_later |= _put(thing.__code__) if thing.__name__ not in _MAKING else frozenset()
            written |= _written(thing.__code__)
            for place, value, is_put in _used(thing):
                if isinstance(value, PLAIN) and is_put:
                    own.add(place)
                elif isinstance(value, (*PLAIN, *HOLDING)):
                    found[place] = marked(value)
                elif holds_attributes(value):
                    found[place], owners[place] = marked(value), frozenset(vars(value))
                    left.append(type(value))
                elif isinstance(value, type) or (isinstance(value, FunctionType) and travels_by_name(value)):
                    left.append(value)
    own |= {(m, n) for m, n in found if "." in n and n.rpartition(".")[2] in set_somewhere}
    own |= {(m, n) for m, n in found if n.rpartition(".")[2] in written}
    own |= {place for place, names in owners.items() if names & set_later}
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


# -- what code refers to ---------------------------------------------------------------------------------------
def _used(f: FunctionType) -> Iterator[tuple[Place, Any, bool]]:
    """What a function finds in modules of the user's: where, what it is there now, and whether it sets that itself."""
    by_name = travels_by_name(f)
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
            if not users(value) or part not in vars(value):
                break
            place, value = (value.__name__, part), vars(value)[part]
            if not isinstance(value, ModuleType):
                yield place, value, is_put
        if users(value) and "getattr" in f.__code__.co_names:
            for name in f.__code__.co_consts:
                if isinstance(name, str) and name in vars(value):
                    yield (value.__name__, name), vars(value)[name], name in _put(f.__code__)


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


@functools.lru_cache(1024)
def _written(code: CodeType) -> frozenset[str]:
    """Names on the lines where a piece of code, and those within it, write an item or call what changes an object."""
    names: dict[int | None, set[str]] = {}
    lines: set[int | None] = set()
    for i in dis.get_instructions(code):
        line = i.positions.lineno if i.positions is not None else None
        if i.opname in _WRITE or (i.opname in _PARTS and i.argval in _WRITING):
            lines.add(line)
        if i.opname in _NAMES or i.opname in _PARTS:
            names.setdefault(line, set()).add(i.argval)
    here = frozenset().union(*(names.get(line, set()) for line in lines))
    return here.union(*map(_written, _within(code)))


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
