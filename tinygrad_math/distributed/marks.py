"""Whether two processes have the same under one name: a few bytes for each value, of its content."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..core.tensor import Tensor
from ..core.tree import flatten
from ..nn.module import Module
from .whose import travels_by_name

PLAIN = (bool, int, float, complex, str, bytes, np.generic, np.ndarray, Tensor)
HOLDING = (list, tuple, dict, set, frozenset)
_MOST = 10_000  # entries: what holds more is not compared
_OTHER = b"?"  # what is not compared: functions, files, locks, whatever is made anew in each process


def marked(value: Any) -> bytes:
    """Few bytes that tell whether two values are the same."""
    return _marked(value, [_MOST], ())


def _marked(value: Any, left: list[int], outer: tuple[int, ...]) -> bytes:
    left[0] -= 1
    if value is None or isinstance(value, PLAIN):
        return _plain(value)
    if left[0] < 0 or id(value) in outer:
        return _OTHER
    within = (*outer, id(value))
    if isinstance(value, Module):
        parts = [_marked(leaf, left, within) for leaf in flatten(value)[0]]
    elif isinstance(value, dict):
        parts = [_marked(x, left, within) for pair in list(value.items()) for x in pair]
    elif isinstance(value, (set, frozenset)):
        parts = sorted(_marked(x, left, within) for x in list(value))
    elif isinstance(value, HOLDING):
        parts = [_marked(x, left, within) for x in list(value)]
    elif holds_attributes(value):
        parts = [_marked(x, left, within) for pair in list(vars(value).items()) for x in pair]
    else:
        return _OTHER
    if left[0] < 0:
        return _OTHER
    return _digest(type(value).__qualname__.encode() + b"|".join(parts))


def holds_attributes(value: Any) -> bool:
    """Whether it is a Module or an object of a class of the user's: what it has are its attributes."""
    return isinstance(value, (SimpleNamespace, Module)) or (hasattr(value, "__dict__") and travels_by_name(type(value)))


def _plain(value: Any) -> bytes:
    array = value.detach().numpy() if isinstance(value, Tensor) else value
    if isinstance(array, np.ndarray) and array.dtype.kind != "O":
        return _digest(f"{array.dtype.str}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    return _digest(f"{type(array)}{array!r}".encode())


def _digest(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=16).digest()
