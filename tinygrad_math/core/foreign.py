"""Whose operator decides where a Tensor meets another library's object: NumPy's protocol, and two of its consequences.

An object computes itself if it says so (`__array_ufunc__`, `__array_priority__`), or if no array can be made of it.
Labels and units are then kept. pandas cannot hold what needs a gradient: there, the values alone are computed with.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .node import Node

PRIORITY = 1000.0
DOORS = ("__array__", "__buffer__", "__dlpack__")  # by which another library hands out its array


def decides(other: Any, method: str, beside: Node) -> bool:
    """Whether another library's object answers `tensor op other`, by its reflected method of this name."""
    kind = type(other)
    if kind.__module__ == "builtins" or isinstance(other, (np.ndarray, np.generic)):
        return False
    if beside.live and hasattr(kind, "__pandas_priority__"):
        return False
    if hasattr(kind, "__array_ufunc__"):
        return kind.__array_ufunc__ is None or hasattr(kind, method)
    if not hasattr(kind, method):
        return False
    return getattr(other, "__array_priority__", 0.0) > PRIORITY or not any(hasattr(kind, door) for door in DOORS)


def refuses(other: Any) -> bool:
    """Whether an object wants no part in an array's arithmetic: `other op tensor` is its own matter, or nobody's."""
    return getattr(type(other), "__array_ufunc__", 0) is None


def has_ufuncs(other: Any, live: int) -> bool:
    """Whether an object answers NumPy's ufuncs of Tensors itself."""
    kind = type(other)
    if kind.__module__ == "builtins" or isinstance(other, (np.ndarray, np.generic)):
        return False
    return hasattr(kind, "__array_ufunc__") and not (live and hasattr(kind, "__pandas_priority__"))


def has_functions(kind: type) -> bool:
    """Whether NumPy's functions of this type's objects and Tensors are its own matter."""
    return not issubclass(kind, np.ndarray) and hasattr(kind, "__array_function__")
