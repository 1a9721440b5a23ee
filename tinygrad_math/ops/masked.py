"""Reductions of some of the elements (`where`), from a first value (`initial`) and about a given `mean`, as NumPy's.

An element that is left out has the derivative 0, whatever it is: NaN and infinities too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.errors import (
    ArgumentError,
    ShapeError,
    describe,
    floating_dtype,
    numeric_dtype,
    refuse_axes_of_a_number,
)
from ..core.tensor import as_tensor, rec

__all__: list[str] = []

Axis = int | tuple[int, ...] | None
_NEUTRAL = {"sum": 0, "prod": 1, "all": True, "any": False}
_FIRST = {"sum": "add", "prod": "multiply", "max": "maximum", "min": "minimum", "all": "logical_and"}
_FIRST["any"] = "logical_or"


def _mask(name: str, x: Any, where: Any) -> Any:
    """The condition, of x's shape."""
    where = as_tensor(where)
    try:
        fits = np.broadcast_shapes(x.shape, where.shape) == x.shape
    except ValueError:
        fits = False
    if where.dtype.kind != "b" or not fits:
        raise (ShapeError if where.dtype.kind == "b" else ArgumentError)(
            f"{name}: where= is a condition for the elements of {describe(x)}: an array of bools that broadcasts to "
            f"its shape; got {describe(where)}"
        )
    return where


def _counted(name: str, x: Any, where: Any) -> tuple[Any, Any]:
    """x without NaN, and which elements count, of the NaN-less reductions."""
    where = _mask(name, x, True if where is None else where)
    if name.startswith("nan") and x.dtype.kind in "fc":
        absent = rec.isnan(x)
        return rec.where(absent, 0, x), rec.logical_and(where, rec.logical_not(absent))
    return x, where


def _fitting(name: str, initial: Any, dtype: Any) -> Any:
    """A first value in the dtype of the result, where that is of integers."""
    if initial is None or dtype.kind not in "biu" or as_tensor(initial).dtype.kind in "biu":
        return initial
    whole = as_tensor(initial)
    if whole.node.live or whole.shape or whole.item() % 1 != 0:  # NaN and infinities too
        raise ArgumentError(f"{name}: initial={describe(initial)} is no {dtype}; convert the array with astype")
    return int(whole.item())


def _fold(name: str) -> Callable[..., Any]:
    plain = name.removeprefix("nan")

    def fold(
        x: Any,
        axis: Axis = None,
        dtype: Any = None,
        keepdims: bool = False,
        initial: Any = None,
        where: Any = True,
    ) -> Any:
        x = as_tensor(x)
        if initial is not None and plain in ("max", "min") and x.dtype.kind == "b":
            initial = rec.astype(as_tensor(initial), np.bool_)  # as NumPy takes it: the result is of bools
        initial = _fitting(name, initial, x.dtype if dtype is None else numeric_dtype(dtype))
        first = None if initial is None else as_tensor(initial)
        neutral: Any = _NEUTRAL.get(plain, first)
        over = {"axis": axis, "keepdims": bool(keepdims)}
        if dtype is not None:
            over["dtype"] = dtype
        if where is not True or name != plain:
            if neutral is None:
                raise ArgumentError(f"{name}: with where= there may be no elements; give initial=, their {plain}")
            clean, counted = _counted(name, x, where)
            if plain in ("max", "min"):
                neutral = first if hasattr(initial, "dtype") else initial  # a Python number takes on x's dtype
            x = rec.where(counted, clean, neutral)
        y = getattr(rec, plain)(x, **over, **({"initial": initial} if plain in ("max", "min") and not x.size else {}))
        return y if first is None else getattr(rec, _FIRST[plain])(y, initial)

    return fold


def _mean(name: str) -> Callable[..., Any]:
    def mean(x: Any, axis: Axis = None, dtype: Any = None, keepdims: bool = False, where: Any = True) -> Any:
        x = as_tensor(x)
        if dtype is not None or x.dtype.kind not in "fc":
            x = rec.astype(x, floating_dtype(dtype, name))
        if where is True and axis is not None and not x.ndim and not name.startswith("nan"):
            refuse_axes_of_a_number(name, axis)
        clean, counted = _counted(name, x, where)
        total = rec.sum(rec.where(counted, clean, 0), axis=axis, keepdims=keepdims)
        return total / _number(counted, x, axis, keepdims)

    return mean


def _number(counted: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    """How many elements count, in x's real dtype."""
    n = rec.sum(rec.broadcast_to(counted, x.shape), axis=axis, keepdims=keepdims)
    return rec.astype(n, np.zeros(0, x.dtype).real.dtype)


def _var(name: str, root: bool) -> Callable[..., Any]:
    def var(
        x: Any,
        axis: Axis = None,
        dtype: Any = None,
        ddof: float = 0,
        keepdims: bool = False,
        where: Any = True,
        mean: Any = None,
        correction: float | None = None,
    ) -> Any:
        x = as_tensor(x)
        if dtype is not None or x.dtype.kind not in "fc":
            x = rec.astype(x, floating_dtype(dtype, name))
        if where is True and axis is not None and not x.ndim and not name.startswith("nan"):
            refuse_axes_of_a_number(name, axis)
        clean, counted = _counted(name, x, where)
        clean = rec.where(counted, clean, 0)
        n = _number(counted, x, axis, True)
        center = rec.sum(clean, axis=axis, keepdims=True) / n if mean is None else as_tensor(mean)
        away = rec.where(counted, clean - center, 0)
        scale = rec.scale_of(away, axis=axis) if root else 1.0  # keeps squares in range
        away = away * scale
        square = rec.square(away) if x.dtype.kind == "f" else rec.square(rec.real(away)) + rec.square(rec.imag(away))
        left = rec.maximum(n - (ddof if correction is None else correction), 0)
        y = rec.sum(square, axis=axis, keepdims=True) / left
        if root:
            y = rec.root(y) / scale
        return y if keepdims else rec.squeeze(y, axis=tuple(range(x.ndim)) if axis is None else axis)

    return var


for _name in ("sum", "prod", "max", "min", "all", "any", "nansum", "nanprod", "nanmax", "nanmin"):
    setattr(rec, f"masked_{_name}", _fold(_name))
for _name in ("mean", "nanmean"):
    setattr(rec, f"masked_{_name}", _mean(_name))
for _prefix in ("", "nan"):
    setattr(rec, f"masked_{_prefix}var", _var(f"{_prefix}var", False))
    setattr(rec, f"masked_{_prefix}std", _var(f"{_prefix}std", True))
