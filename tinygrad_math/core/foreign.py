"""Whose operator decides where a Tensor meets another library's object: NumPy's protocol, and two of its consequences.

An object computes itself if it says so (`__array_ufunc__`, `__array_priority__`), or if no array can be made of it.
Labels and units are then kept. One that knows arrays, and no Tensors, is asked again with the array of a constant.
pandas cannot hold what needs a gradient: there, the values alone are computed with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .node import Node

PRIORITY = 1000.0
DOORS = ("__array__", "__buffer__", "__dlpack__")  # by which another library hands out its array
PYTHONS_OWN = frozenset({"builtins", "array", "collections"})  # their sequences repeat by *, and append by +


def decides(other: Any, method: str, beside: Node) -> bool:
    """Whether another library's object answers `tensor op other`, by its reflected method of this name."""
    kind = type(other)
    if kind.__module__ in PYTHONS_OWN or isinstance(other, (np.ndarray, np.generic)):
        return False
    if beside.live and hasattr(kind, "__pandas_priority__"):
        return False
    if hasattr(kind, "__array_ufunc__"):
        return kind.__array_ufunc__ is None or hasattr(kind, method)
    if not hasattr(kind, method):
        return False
    return getattr(other, "__array_priority__", 0.0) > PRIORITY or not any(hasattr(kind, door) for door in DOORS)


def answer(other: Any, method: str, tensor: Any, array: Any) -> Any:
    """What another library's object answers by its method, of a Tensor or else of the array of a constant."""
    ask = getattr(type(other), method)
    found = ask(other, tensor)
    return ask(other, array) if found is NotImplemented else found


def answer_ufunc(ufunc: Any, method: str, inputs: Sequence[Any], arrays: Sequence[Any], options: dict[str, Any]) -> Any:
    """What other libraries' objects make of a ufunc of them and Tensors, or else of them and constants' arrays.

    NumPy has asked those before the first Tensor.
    """
    others = [k for k, v in enumerate(inputs) if has_ufuncs(v, 0)]
    if any(refuses(inputs[k]) for k in others):
        return NotImplemented
    first = next(k for k, (v, array) in enumerate(zip(inputs, arrays, strict=True)) if v is not array)
    for v in (inputs[k] for k in others if k > first and not hasattr(type(inputs[k]), "__pandas_priority__")):
        found = type(v).__array_ufunc__(v, ufunc, method, *inputs, **options)
        if found is not NotImplemented:
            return found
    return getattr(ufunc, method)(*arrays, **options)


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
