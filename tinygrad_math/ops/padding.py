"""A border around an array, in each of NumPy's modes."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from operator import index as as_int
from typing import Any

import numpy as np

from ..core.declare import derived
from ..core.errors import ArgumentError, DTypeError, ShapeError, checked_axis, describe
from ..core.tensor import Tensor, as_tensor, rec

__all__ = ["pad"]


_NEEDS = {  # NumPy's modes, and the one keyword each takes
    "constant": "constant_values",
    "linear_ramp": "end_values",
    "maximum": "stat_length",
    "mean": "stat_length",
    "median": "stat_length",
    "minimum": "stat_length",
    "reflect": "reflect_type",
    "symmetric": "reflect_type",
    "edge": None,
    "wrap": None,
    "empty": None,
}


@derived
def pad(x: Any, pad_width: Any, /, mode: Any = "constant", **options: Any) -> Any:
    """x with a border on every axis.

    Arguments: `pad_width` an int, (before, after), or such a pair for each axis, or a dict from axis to pair;
    `mode` one of NumPy's: "constant" (with `constant_values`), "edge", "wrap", "reflect" and "symmetric" (with
    `reflect_type` "even" or "odd"), "linear_ramp" (to `end_values`), "maximum", "minimum", "mean", "median" (of
    the `stat_length` elements next to the border), "empty"; or a function(vector, widths, axis, options) that
    assigns to the border of a vector, as for np.pad. The values and end values are differentiable too.
    Axes are padded one after another, as in NumPy. "empty" holds zeros. Raises ShapeError, ArgumentError.

    >>> import tinygrad_math as tm
    >>> tm.pad(tm.tensor([1.0, 2.0, 4.0]), (2, 1), mode="reflect", reflect_type="odd")
    tensor([-2.,  0.,  1.,  2.,  4.,  6.])
    """
    x = as_tensor(x)
    if callable(mode):
        return _padded_by(mode, x, pad_width, options)
    if mode not in _NEEDS:
        raise ArgumentError(f"pad: mode is one of {', '.join(_NEEDS)}, got {mode!r}")
    if any(name != _NEEDS[mode] for name in options):
        takes = _NEEDS[mode] or "no option"
        raise ArgumentError(f"pad: mode {mode!r} takes {takes}, got {', '.join(options)}")
    option = next(iter(options.values()), None)
    widths = _widths(pad_width, x)
    if mode == "empty" or (mode == "constant" and option is None):
        return _zero_padded(x, widths)
    if mode in ("constant", "linear_ramp"):
        ends = _pairs(0 if option is None else option, x.ndim, _NEEDS[mode])
    elif mode in ("maximum", "minimum", "mean", "median"):
        ends = _pairs(option, x.ndim, "stat_length")
    else:
        ends = [(None, None)] * x.ndim
    for axis, (width, pair) in enumerate(zip(widths, ends, strict=True)):
        if width != (0, 0):
            if not x.shape[axis] and mode != "constant":
                raise ShapeError(
                    f"pad: mode {mode!r} has nothing to continue on the empty axis {axis} of {describe(x)}"
                )
            x = _one_axis(x, axis, width, mode, pair, option)
    return x


def _widths(pad_width: Any, x: Tensor) -> list[tuple[int, int]]:
    """The border before and after, for each axis."""
    if isinstance(pad_width, dict):
        full: list[Any] = [(0, 0)] * x.ndim
        for axis, width in pad_width.items():
            full[checked_axis(axis, x.ndim, "pad")] = width if isinstance(width, (tuple, list)) else (width, width)
        pad_width = full
    widths = [(as_int(a), as_int(b)) for a, b in _pairs(pad_width, x.ndim, "pad_width")]
    if any(n < 0 for pair in widths for n in pair):
        raise ShapeError(f"pad: widths are 0 or more, got {pad_width}; slice to make an array smaller")
    lengths = [n + a + b for n, (a, b) in zip(x.shape, widths, strict=True)]
    if math.prod(lengths) * x.dtype.itemsize > sys.maxsize:  # said before the first of many axes is padded
        raise ShapeError(f"pad: {math.prod(lengths):.3g} elements are more than an array holds; pad fewer axes")
    return widths


def _padded_by(function: Callable[..., Any], x: Tensor, pad_width: Any, options: dict[str, Any]) -> Any:
    """Vector by vector along each axis, what a function assigns to the border: the assignment is recorded."""
    widths = _widths(pad_width, x)
    y = _zero_padded(x, widths)
    for axis, width in enumerate(widths):
        turned = rec.moveaxis(y, axis, -1)
        vectors = rec.unstack(rec.reshape(turned, (-1, turned.shape[-1])))
        for v in vectors:
            function(v, width, axis, options)
        if vectors:
            y = rec.moveaxis(rec.reshape(rec.stack(vectors), turned.shape), -1, axis)
    return y


def _pairs(value: Any, ndim: int, what: Any) -> list[tuple[Any, Any]]:
    """A number, a pair, or a pair for each axis, as a pair for each axis; Tensors stay Tensors."""
    if isinstance(value, (np.ndarray, Tensor)):
        value = list(value) if value.ndim else value
    if not isinstance(value, (list, tuple)):
        return [(value, value)] * ndim
    rows = [
        list(v) if isinstance(v, (list, tuple)) or (isinstance(v, (np.ndarray, Tensor)) and v.ndim) else v
        for v in value
    ]
    if not any(isinstance(v, list) for v in rows):
        if len(rows) in (1, 2):
            return [(rows[0], rows[-1])] * ndim
    elif all(isinstance(v, list) and len(v) in (1, 2) for v in rows) and len(rows) in (1, ndim):
        pairs = [(v[0], v[-1]) for v in rows]
        return pairs if len(pairs) == ndim else pairs * ndim
    raise ShapeError(f"pad: {what} is a number, a pair, or a pair for each of the {ndim} axes, got {value!r:.60}")


def _zero_padded(x: Tensor, widths: list[tuple[int, int]]) -> Any:
    if not any(n for pair in widths for n in pair):
        return x
    shape = tuple(n + a + b for n, (a, b) in zip(x.shape, widths, strict=True))
    inside = tuple(slice(a, a + n) for n, (a, _) in zip(x.shape, widths, strict=True))
    return rec.embed(x, shape=shape, key=inside)


def _one_axis(x: Tensor, axis: int, width: tuple[int, int], mode: str, pair: tuple[Any, Any], option: Any) -> Any:
    if mode in ("edge", "wrap") or (mode in ("reflect", "symmetric") and option in (None, "even")):
        if mode == "wrap" and 0 in width and x.shape[axis] == 1:
            mode = "edge"
        return rec.take(x, np.pad(np.arange(x.shape[axis]), width, mode=mode), axis=axis)  # type: ignore[call-overload]
    if mode in ("reflect", "symmetric"):
        if option != "odd":
            raise ArgumentError(f"pad: reflect_type is 'even' or 'odd', got {option!r}")
        return _odd(x, axis, width, mode)
    parts = [
        _border(x, axis, width[0], mode, pair[0], 0),
        x,
        _border(x, axis, width[1], mode, pair[1], 1),
    ]
    return rec.concat([p for p in parts if p is not None], axis=axis)


def _border(x: Tensor, axis: int, width: int, mode: str, option: Any, side: int) -> Any:
    """What stands before (side 0) or after (side 1) x along an axis, in x's dtype."""
    if not width:
        return None
    n, before = x.shape[axis], (slice(None),) * axis
    shape = (*x.shape[:axis], width, *x.shape[axis + 1 :])
    if mode == "constant":
        y = as_tensor(option)
    elif mode == "linear_ramp":
        steps = np.arange(width) if side == 0 else np.arange(width)[::-1]
        share = (steps / width).reshape((-1,) + (1,) * (x.ndim - axis - 1))
        edge = rec.getitem(x, (*before, slice(0, 1) if side == 0 else slice(n - 1, n)))
        end = as_tensor(option)
        if x.dtype.kind in "fc":
            share = share.astype(np.finfo(x.dtype).dtype)
        y = end + (edge - end) * share
    else:
        count = n if option is None else min(as_int(option), n)
        if count < 1:
            raise ShapeError(f"pad: stat_length is 1 or more, got {option!r}")
        near = rec.getitem(x, (*before, slice(0, count) if side == 0 else slice(n - count, n)))
        name = {"maximum": "max", "minimum": "min"}.get(mode, mode)
        y = getattr(rec, name)(near, axis=axis, keepdims=True)
        if x.dtype.kind in "iu" and y.dtype.kind == "f":
            y = rec.round(y)
    if y.dtype.kind == "c" and x.dtype.kind != "c":
        raise DTypeError(f"pad: {describe(y)} does not fit an array of {x.dtype}; convert the array with astype")
    if y.dtype != x.dtype:
        y = rec.astype(y, x.dtype)
    return rec.broadcast_to(y, shape)


def _odd(x: Tensor, axis: int, width: tuple[int, int], mode: str) -> Any:
    """The continuation that is odd about both ends: in closed form, x[r] or its mirror, and multiples of the ends."""
    n = x.shape[axis]
    j = np.arange(-width[0], n + width[1])
    if mode == "reflect" and n == 1:
        return rec.take(x, np.zeros_like(j), axis=axis)
    period = 2 * (n - 1) if mode == "reflect" else 2 * n
    turns, r = np.divmod(j, period)
    mirrored = r >= n
    source = np.where(mirrored, (period if mode == "reflect" else period - 1) - r, r)
    column = (-1,) + (1,) * (x.ndim - axis - 1)
    kind = x.dtype.type if x.dtype.kind != "c" else np.finfo(x.dtype).dtype.type
    sign = np.where(mirrored, -1, 1).astype(kind).reshape(column)
    of_last = (2 * turns + 2 * mirrored).astype(kind).reshape(column)
    of_first = (-2 * turns).astype(kind).reshape(column)
    ends = rec.take(x, np.array([0]), axis=axis), rec.take(x, np.array([n - 1]), axis=axis)
    return sign * rec.take(x, source, axis=axis) + of_first * ends[0] + of_last * ends[1]
