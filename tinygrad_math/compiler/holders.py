"""What holds something that neither its attributes nor its items show: a function for each kind that reads it."""

from __future__ import annotations

import abc
import functools
import gc
import inspect
import operator
import sys
import threading
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable
from contextvars import Context, ContextVar
from io import BytesIO, StringIO
from queue import SimpleQueue
from types import BuiltinMethodType, CellType, MappingProxyType, MethodWrapperType, ModuleType, NoneType
from typing import Any

import numpy as np

from ..core.tensor import TRACED, Tensor
from .facts import UNSET
from .reach import is_users_module
from .values import is_atom

_CACHE: Any = type(functools.cache(id))
_CONTAINERS_OF_C = (list, tuple, deque, OrderedDict, dict, MappingProxyType)
_LOCKS = (type(threading.Lock()), type(threading.RLock()))
_FEW = 100  # results that are looked at one by one
_METHODS_OF_C = (BuiltinMethodType, MethodWrapperType)
_GETTERS = (operator.attrgetter, operator.methodcaller)


def reader(x: Any) -> Callable[[Any], Any] | None:
    """How to read what x holds, so that two readings can be compared; None if x is no such thing."""
    if isinstance(x, weakref.ref):
        return _referent
    if isinstance(x, ContextVar):
        return _current
    if isinstance(x, _GETTERS):
        return _parts
    for kind, read in _READERS.items():
        if isinstance(x, kind):
            return read
    if any(k.__name__ == "_Pointer" for k in type(x).__mro__):  # of ctypes
        return _pointed_at
    for read in (_content, _elements):
        try:
            if isinstance(read(x), (bytes, np.ndarray)):
                return read
        except Exception:  # whatever a foreign class raises: it does not show what it holds
            continue
    return None


def is_lock(x: Any) -> bool:
    """Whether this is a lock, which a trace may take and not give back."""
    return isinstance(x, _LOCKS)


def is_locked(x: Any) -> bool:
    return bool(x.locked() if hasattr(x, "locked") else x._is_owned())  # of an RLock: by this thread


def lock_again(x: Any, locked: bool) -> None:
    """Make a lock what it was."""
    if is_locked(x) is not locked:
        x.acquire(False) if locked else x.release()


def waiting(x: Any) -> list[Any]:
    """What lies in a queue of C, into which nobody sees: taken out, and put in again in its order."""
    found = []
    while not x.empty():
        found.append(x.get_nowait())
    for v in found:
        x.put(v)
    return found


def fill_again(x: Any, held: list[Any]) -> None:
    """Make a queue of C what it was."""
    while not x.empty():
        x.get_nowait()
    for v in held:
        x.put(v)


def behind(proxy: Any) -> Any:
    """The object that a weak proxy stands for, which answers for it to any name; UNSET when that is gone."""
    try:
        return getattr(proxy.__reduce_ex__, "__self__", UNSET)
    except ReferenceError:
        return UNSET


def base_of(x: Any) -> Any:
    """The class of C that a container is of, below those that a user wrote."""
    return next(k for k in type(x).__mro__ if k in _CONTAINERS_OF_C)


def callables_in(ufunc: Any) -> list[Any]:
    """The functions that `np.frompyfunc` made a ufunc of."""
    return [x for x in gc.get_referents(ufunc) if callable(x)]


def of_mask(x: Any) -> Any:
    """What a masked array has beside its elements and its mask."""
    return np.asarray(x.fill_value).item(), x.hardmask


def in_cell(cell: Any) -> Any:
    """What lies in a cell of a closure, which may be empty."""
    try:
        return cell.cell_contents
    except ValueError:
        return UNSET


def subclasses(kind: Any) -> list[type]:
    """The classes that inherit from one."""
    return type.__subclasses__(kind)


def registrations(kind: Any) -> Any:
    """Grows with each class that is registered as an abstract one, with any of them."""
    return abc.get_cache_token()


def spelled(x: Any) -> set[str]:
    """The names of attributes that a getter was made of."""
    found: set[str] = set()
    stack = [_parts(x)] if isinstance(x, _GETTERS) else []
    while stack:
        part = stack.pop()
        if isinstance(part, tuple):
            stack += part
        elif isinstance(part, str):
            found.update(part.split("."))
    return found


def is_method_of_c(x: Any) -> bool:
    """Whether x is a method of an object of C that was taken from it: `d.get` of a dict, `numpy.random.normal`."""
    return isinstance(x, _METHODS_OF_C) and not isinstance(x.__self__, (ModuleType, NoneType))


def has_wrapped(x: Any) -> bool:
    """Whether x stands for a function that it wraps; an object whose `__getattr__` has an answer, or an error, for
    every name does not."""
    return inspect.getattr_static(x, "__wrapped__", None) is not None


def is_cache(x: Any) -> bool:
    """Whether a function keeps its results, as `functools.cache` has it do."""
    return isinstance(x, _CACHE)


def cached(x: Any) -> list[Any]:
    """The results that such a function keeps, and what it keeps them by, as far as something in them may change.

    What was made of a traced value has no value itself.
    """
    return [v for v in _entries(x) if isinstance(v, (Tensor, np.ndarray, list, dict, tuple)) and _may_change(v)]


def _entries(x: Any) -> list[Any]:
    """What such a function keeps, as the garbage collector finds it: results, and what they are kept by."""
    found: list[Any] = []
    for v in gc.get_referents(x):
        if v is x.__dict__ or v is x.__wrapped__:
            continue
        if type(v) is dict and all(type(part).__name__ == "_lru_list_elem" for part in v.values()):
            continue  # its own table, whose entries are among the others
        found += v.values() if type(v) is dict and x.cache_parameters()["maxsize"] is None else [v]
    return found


def results_of(x: Any) -> list[Any]:
    """The results of such a function, to be asked later whether it still has them; none of so many that it drops some.

    A Tensor among them is read by itself, and its graph is not to be kept.
    """
    info = x.cache_info()
    few = info.currsize < (_FEW if info.maxsize is None else min(_FEW, info.maxsize))
    return [v for v in _entries(x) if not isinstance(v, Tensor)] if few else []


def still_has(x: Any, results: list[Any]) -> bool:
    """Whether such a function has not been emptied since."""
    if not results or x.cache_info().currsize == x.cache_parameters()["maxsize"]:
        return True
    return {*map(id, results)} <= {*map(id, _entries(x))}


def _may_change(x: Any) -> bool:
    stack, tensors, still = [x], [], True
    while stack:
        part = stack.pop()
        if isinstance(part, (list, tuple)):
            stack += part
        elif isinstance(part, dict):
            stack += part.values()
        elif isinstance(part, Tensor):
            tensors.append(part)
        still = still and (is_atom(part) or isinstance(part, tuple))
    return not still and not any(t.node.live & TRACED for t in tensors)


def _referent(x: Any) -> Any:
    return x()


def _current(x: Any) -> Any:
    return x.get(UNSET)


def _parts(x: Any) -> Any:
    """The arguments that a getter of attributes was made with."""
    make, args = x.__reduce__()
    return *getattr(make, "args", ()), *args, *getattr(make, "keywords", {}).values()


def _content(x: Any) -> bytes:
    """The memory behind a memoryview, a value of ctypes, a file that is mapped into memory."""
    return memoryview(x).tobytes()


def _elements(x: Any) -> Any:
    """The elements of an array of another library."""
    home = sys.modules.get(type(x).__module__)
    if not hasattr(type(x), "__array__") or isinstance(x, np.ndarray) or home is None or is_users_module(home):
        return None
    return np.array(x.detach() if hasattr(x, "detach") else x)


def _pointed_at(x: Any) -> Any:
    return memoryview(x.contents).tobytes() if x else None


_READERS: dict[Any, Callable[[Any], Any]] = {
    CellType: in_cell,
    Context: dict,
    SimpleQueue: SimpleQueue.qsize,
    **dict.fromkeys(_LOCKS, is_locked),
    StringIO: StringIO.getvalue,
    BytesIO: BytesIO.getvalue,
}
