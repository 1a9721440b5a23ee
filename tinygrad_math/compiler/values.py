"""Plain values: compared by type and value, copied to be compared with later, made into keys."""

from __future__ import annotations

import array
import math
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Any
from weakref import ProxyTypes

import numpy as np

from ..core.tensor import Tensor
from .program import NUMBERS
from .reach import is_own_array

_ATOMS = frozenset({*NUMBERS, str, bytes, type(None), type(...), range, type(NotImplemented)})
_BUFFERS = (bytearray, array.array)
_BLOCK = 1 << 16  # bytes that are compared at once
_LONG = 2000  # characters of a condition
_MANY = 1000  # parts that are told apart
_DEEP = 40  # containers within containers: what is deeper is no plain value


def is_atom(x: Any) -> bool:
    """Whether a value cannot change, and has no parts that could."""
    return type(x) in _ATOMS or issubclass(type(x), (Enum, np.generic, np.dtype))


def is_plain(x: Any, depth: int = _DEEP) -> bool:
    """Whether a value consists of numbers, text and arrays alone, in containers of Python's."""
    if is_atom(x) or type(x) in _BUFFERS:
        return True
    if type(x) in ProxyTypes:  # whose class is that of what it stands for
        return False
    if isinstance(x, np.ndarray):
        return not x.dtype.hasobject and (type(x) is np.ndarray or not is_own_array(type(x)))
    if not depth:
        return False
    if isinstance(x, (list, tuple, deque, set, frozenset)):
        return not hasattr(x, "__dict__") and all(is_plain(v, depth - 1) for v in x)
    if type(x) is slice:
        return all(is_plain(v, depth - 1) for v in (x.start, x.stop, x.step))
    if isinstance(x, dict) and not hasattr(x, "__dict__"):
        return all(is_plain(k, depth - 1) and is_plain(v, depth - 1) for k, v in x.items())
    return False


def classes_in(x: Any) -> set[type]:
    """The classes of members of an enumeration, and of containers, within a plain value: methods may come with them."""
    found: set[type] = set()
    stack = [x]
    while stack:
        x = stack.pop()
        if isinstance(x, dict):
            stack += [v for row in x.items() for v in row if type(v) not in _ATOMS]
        elif isinstance(x, (list, tuple, deque, set, frozenset)):
            stack += [v for v in x if type(v) not in _ATOMS]
        elif not isinstance(x, Enum):
            continue
        found.add(type(x))
    return found


def same(a: Any, b: Any) -> bool:
    """Whether two values are of one type and one value: 1 is not 1.0, 0.0 is not -0.0, NaN is NaN."""
    kind = type(a)
    if kind is not type(b):
        return False
    if kind is float:
        return (a == b and math.copysign(1.0, a) == math.copysign(1.0, b)) or (a != a and b != b)
    if kind is complex:
        return same(a.real, b.real) and same(a.imag, b.imag)
    if isinstance(a, np.ndarray):
        return bool(a.dtype == b.dtype) and a.shape == b.shape and _same_bits(a, b)
    if isinstance(a, np.generic):
        return bool(a.dtype == b.dtype) and a.tobytes() == b.tobytes()
    if isinstance(a, (list, tuple, deque)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return len(a) == len(b) and all(map(same, a, b)) and all(map(same, a.values(), b.values()))
    if isinstance(a, (set, frozenset)):
        return a == b and {(type(x), x) for x in a} == {(type(x), x) for x in b}
    if kind is slice:
        return same((a.start, a.stop, a.step), (b.start, b.stop, b.step))
    return a is b or (not isinstance(a, Tensor) and _says_equal(a, b))


def _says_equal(a: Any, b: Any) -> bool:
    """Whether an object says that it is another's equal. An answer for each element, as of an array, is none."""
    try:
        answer = a == b
    except (TypeError, ValueError, RuntimeError):  # arrays of other shapes
        return False
    return isinstance(answer, (bool, np.bool_)) and bool(answer)


def _same_bits(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> bool:
    if a.nbytes <= _BLOCK or a.strides != b.strides or not (a.flags.c_contiguous or a.flags.f_contiguous):
        return a.tobytes() == b.tobytes()
    x, y = a.ravel(order="K").view(np.uint8), b.ravel(order="K").view(np.uint8)
    blocks = range(0, x.size, _BLOCK)  # which stay in the cache, and end at the first difference
    return all(x[i : i + _BLOCK].tobytes() == y[i : i + _BLOCK].tobytes() for i in blocks)


def at_a_glance(x: Any) -> tuple[str, list[Any]]:
    """A condition over {v} and {quick} that holds if a plain value has the same parts as now; "" if there is none.

    {quick} holds the parts, so that no other has an id of these. Parts that can change are looked into.
    """
    quick: list[Any] = []
    text = _glance("{v}", x, quick)
    return (text, quick) if len(text) < _LONG else ("", [])


def _glance(v: str, x: Any, quick: list[Any]) -> str:
    def known(part: Any) -> str:
        quick.append(part)
        return f"{{quick}}[{len(quick) - 1}]"

    kind = type(x)
    if is_still(x):
        return f"{v} is {known(x)}"
    if kind is np.ndarray and x.nbytes <= _BLOCK and x.dtype.isbuiltin == 1:
        alike = f"{v}.__class__ is ndarray and {v}.dtype is {known(x.dtype)} and {v}.shape == {known(x.shape)}"
        return f"{alike} and {v}.tobytes() == {known(x.tobytes())}"
    if kind is dict and all(map(is_still, x)):
        if not x:
            return f"{v}.__class__ is dict and not {v}"
        same_keys = f"{v}.__class__ is dict and {_ids(v, list(x), known)}"
        if all(map(is_still, x.values())):
            return f"{same_keys} and {_ids(f'{v}.values()', list(x.values()), known)}"
        parts = [(f"{v}[{known(key)}]", part) for key, part in x.items()]
    elif kind is list or kind is tuple:
        same_keys = f"{v}.__class__ is {kind.__name__} and len({v}) == {len(x)}"
        if all(map(is_still, x)):
            return f"{same_keys} and {_ids(v, list(x), known)}" if x else same_keys
        parts = [(f"{v}[{k}]", part) for k, part in enumerate(x)]
    else:
        return "." * _LONG  # no such value
    return " and ".join([same_keys, *(_glance(text, part, quick) for text, part in parts[:_LONG])])


def _ids(v: str, parts: list[Any], known: Callable[[Any], str]) -> str:
    known(parts)
    return f"[*map(id, {v})] == {known([*map(id, parts)])}"


def is_still(x: Any) -> bool:
    """Whether nothing in a value can change."""
    return is_atom(x) or (type(x) in (tuple, frozenset) and all(map(is_still, x)))


def kept(x: Any) -> Any:
    """A plain value as it is now, whatever is done to its containers and arrays later."""
    if isinstance(x, np.ndarray):
        return x.copy(order="K")
    if isinstance(x, tuple):
        return tuple.__new__(type(x), map(kept, x))
    if isinstance(x, dict):
        twin = x.copy()
        for k, v in x.items():
            twin[k] = kept(v)
        return twin
    if isinstance(x, deque):
        return type(x)(map(kept, x), x.maxlen)
    if isinstance(x, (list, set)):
        return type(x)(map(kept, x))
    return x[:] if type(x) in _BUFFERS else x


def contents(x: Any) -> list[tuple[Any, Any]]:
    """The containers and arrays within a plain value that can be written to, each with a copy of what is in it now."""
    found: list[tuple[Any, Any]] = []
    stack = [x]
    while stack:
        x = stack.pop()
        if isinstance(x, np.ndarray):
            if x.flags.writeable:
                found.append((x, x.copy()))
        elif type(x) in _BUFFERS:
            found.append((x, x[:]))
        elif isinstance(x, (list, deque, set, dict)):
            found.append((x, x.copy()))
        if isinstance(x, dict):
            stack += x.values()
        elif isinstance(x, (list, tuple, deque)):
            stack += x
    return found


def parts_of(x: Any) -> list[tuple[Any, Any]]:
    """The containers and arrays right within a plain container, by their places; none of very many."""
    if isinstance(x, dict):
        rows = list(x.items())
    elif isinstance(x, (list, tuple, deque)):
        rows = list(enumerate(x))
    else:
        return []
    found = [(k, part) for k, part in rows if not is_still(part)]
    return found if len(found) <= _MANY else []


def layouts(x: Any) -> tuple[tuple[Any, ...], ...]:
    """How each array within a plain value lies in memory: whether it may be written to, its strides, whose memory."""
    if isinstance(x, np.ndarray):
        return ((x.flags.num, x.strides, x.base is None),)
    parts = x.values() if isinstance(x, dict) else x if isinstance(x, (list, tuple, deque)) else ()
    return tuple([row for part in parts for row in layouts(part)])


def put_back(x: Any, old: Any) -> None:
    """Make a container or an array what it was."""
    if isinstance(x, np.ndarray):
        if x.shape != old.shape:
            x.shape = old.shape
        if not same(x, old):
            x[...] = old
    elif isinstance(x, list) or type(x) in _BUFFERS:
        if len(x) != len(old) or any(a is not b for a, b in zip(x, old, strict=True)):
            x[:] = old
    elif isinstance(x, deque):
        x.clear()
        x.extend(old)
    else:
        x.clear()
        x.update(old)


def frozen(x: Any) -> Any:
    """A key that is equal for values that are `same`; other objects stand for themselves, and need a hash."""
    kind = type(x)
    if kind is float or kind is complex:
        return kind, repr(x)
    if isinstance(x, np.ndarray):
        return kind, x.dtype, x.shape, x.tobytes()
    if isinstance(x, np.generic):
        return kind, x.dtype, x.tobytes()
    if isinstance(x, (list, tuple, deque)):
        return kind, tuple(map(frozen, x))
    if isinstance(x, dict):
        return kind, tuple((frozen(k), frozen(v)) for k, v in x.items())
    if isinstance(x, (set, frozenset)):
        return kind, frozenset(map(frozen, x))
    if kind is slice:
        return kind, frozen((x.start, x.stop, x.step))
    hash(x)
    return kind, x
