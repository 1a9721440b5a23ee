"""What Python and NumPy keep for all code to ask for: settings, the builtins, what objects of theirs hide."""

from __future__ import annotations

import builtins
import gc
import operator
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

_PRINTED = frozenset({"get_printoptions", "printoptions", "array2string", "array_str", "array_repr"})
_ERRORS = frozenset({"geterr", "geterrcall"})  # which are NumPy's own while a function is traced
STATES = frozenset({"getstate", "get_state", "state", "copy", "deepcopy", "__copy__", "length_hint", "__length_hint__"})


def _in(module: str, read: Callable[[Any], Any]) -> Callable[[], Any]:
    """A question to a module that code has to import before it asks."""
    return lambda: read(sys.modules[module]) if module in sys.modules else None


def _decimals(module: Any) -> Any:
    now = module.getcontext()
    traps = tuple([kind for kind, on in now.traps.items() if on])
    return now.prec, now.rounding, now.Emin, now.Emax, now.capitals, now.clamp, traps


def _levels(module: Any) -> Any:
    known = {n: (x.level, x.disabled) for n, x in module.root.manager.loggerDict.items() if hasattr(x, "level")}
    return module.root.level, module.root.manager.disable, tuple(sorted(known.items()))


def _thread() -> Any:
    now = threading.current_thread()
    return now.name, now.ident, now.daemon


_SETTINGS: tuple[tuple[frozenset[str], str, Callable[[], Any]], ...] = (
    (_PRINTED, "numpy.get_printoptions()", np.get_printoptions),
    (frozenset({"getrecursionlimit"}), "sys.getrecursionlimit()", sys.getrecursionlimit),
    (frozenset({"getswitchinterval"}), "sys.getswitchinterval()", sys.getswitchinterval),
    (frozenset({"isenabled"}), "gc.isenabled()", gc.isenabled),
    (frozenset({"active_count"}), "threading.active_count()", threading.active_count),
    (frozenset({"current_thread"}), "threading.current_thread()", _thread),
    (frozenset({"get_ident"}), "threading.get_ident()", threading.get_ident),
    (frozenset({"Decimal", "getcontext", "localcontext"}), "decimal.getcontext()", _in("decimal", _decimals)),
    (
        frozenset({"localeconv", "getlocale", "setlocale"}),
        "locale.setlocale(locale.LC_ALL)",
        _in("locale", lambda module: module.setlocale(module.LC_ALL)),
    ),
    (
        frozenset({"getLogger", "isEnabledFor", "getEffectiveLevel"}),
        "the levels of loggers",
        _in("logging", _levels),
    ),
)


def settings(names: set[str], prints: bool) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """What code that has these names may ask for, and that `prints` arrays: how it is spoken of, and read."""
    for asked, path, read in _SETTINGS:
        if not asked.isdisjoint(names) or (prints and asked is _PRINTED):
            yield path, _asking(read)


def _asking(read: Callable[[], Any]) -> Callable[[Any], Any]:
    return lambda _: read()


def asks_for_errors(names: set[str]) -> bool:
    """Whether code asks for NumPy's error state, which is another one while it is traced."""
    return not _ERRORS.isdisjoint(names)


def in_builtins(names: set[str]) -> tuple[Callable[[Any], Any], list[int], tuple[Any, ...]] | None:
    """What the builtins of these names are: how they are read, their identities, and themselves."""
    found = sorted(name for name in names if name in vars(builtins))
    if not found:
        return None
    read: Any = operator.itemgetter(*found) if len(found) > 1 else lambda held: (held[found[0]],)
    now = read(vars(builtins))
    return read, [*map(id, now)], now


_HELD: dict[str, tuple[str, ...]] = {  # what the code of a class of the standard library goes by
    "queue.Queue": ("queue", "maxsize", "unfinished_tasks"),
    "threading.Event": ("_flag",),
    "threading.Condition": ("_lock", "_waiters"),
    "threading.Semaphore": ("_value",),
    "threading.Barrier": ("_state", "_count"),
    "asyncio.queues.Queue": ("_queue", "_maxsize"),
    "asyncio.locks.Event": ("_value",),
    "asyncio.locks.Lock": ("_locked",),
    "asyncio.locks.Semaphore": ("_value",),
    "concurrent.futures._base.Future": ("_state", "_result", "_exception"),
    "_asyncio.Future": ("_state", "_result", "_exception"),
    "builtins.BaseException": ("args", "__cause__", "__context__"),
}


def held_by(kind: type) -> tuple[str, ...]:
    """The attributes in which objects of the standard library hold what their methods answer."""
    for k in kind.__mro__:
        found = _HELD.get(f"{k.__module__}.{k.__qualname__}")
        if found is not None:
            return found
    return ()
