"""Plain values: compared by type and value, copied to be compared with later, made into keys."""

from __future__ import annotations

import array
import math
from collections import deque
from enum import Enum
from typing import Any

import numpy as np

from ..core.tensor import Tensor
from .program import NUMBERS

_ATOMS = frozenset({*NUMBERS, str, bytes, type(None), type(...), range, type(NotImplemented)})
_BUFFERS = (bytearray, array.array)
_BLOCK = 1 << 16  # bytes that are compared at once
_DEEP = 40  # containers within containers: what is deeper is no plain value


def is_atom(x: Any) -> bool:
    """Whether a value cannot change, and has no parts that could."""
    return type(x) in _ATOMS or isinstance(x, (Enum, np.generic, np.dtype))


def is_plain(x: Any, depth: int = _DEEP) -> bool:
    """Whether a value consists of numbers, text and arrays alone, in containers of Python's."""
    if is_atom(x) or type(x) in _BUFFERS:
        return True
    if isinstance(x, np.ndarray):
        return not x.dtype.hasobject
    if not depth:
        return False
    if isinstance(x, (list, tuple, deque, set, frozenset)):
        return not hasattr(x, "__dict__") and all(is_plain(v, depth - 1) for v in x)
    if type(x) is slice:
        return all(is_plain(v, depth - 1) for v in (x.start, x.stop, x.step))
    if isinstance(x, dict) and not hasattr(x, "__dict__"):
        return all(is_plain(k, depth - 1) and is_plain(v, depth - 1) for k, v in x.items())
    return False


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
    return a is b or (not isinstance(a, Tensor) and bool(a == b))


def _same_bits(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> bool:
    if a.nbytes <= _BLOCK or a.strides != b.strides or not (a.flags.c_contiguous or a.flags.f_contiguous):
        return a.tobytes() == b.tobytes()
    x, y = a.ravel(order="K").view(np.uint8), b.ravel(order="K").view(np.uint8)
    blocks = range(0, x.size, _BLOCK)  # which stay in the cache, and end at the first difference
    return all(x[i : i + _BLOCK].tobytes() == y[i : i + _BLOCK].tobytes() for i in blocks)


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
