"""Norms and standard deviations: roots of sums of squares, where these neither overflow nor lose digits."""

from __future__ import annotations

import numpy as np

from ...core.squares import usual
from ..program import Value
from .instructions import Instructions
from .places import FAR, Place, part_of
from .rarely import unless_between
from .steps import Steps

Words = list[int] | None
MANY = 8192  # numbers in single precision, from which on the ops add in double


def lp_norm(around: Instructions, v: Value, out: Place) -> Words:
    """Words of the norm over some axes: of order 2, 1, inf, -inf, and 0, which counts."""
    x, order = _floats(around, v), v.params["ord"]
    if x is None or order not in (2, 1, 0, np.inf, -np.inf):
        return None
    steps, along, keep = Steps(around, []), _along(x, v.params["axis"]), v.params["keepdims"]
    if order == 2:
        total = steps.total(v, steps.of(np.multiply, x, x), along, keep)
        return _root(steps, v, total, out)
    size = steps.of(np.abs, x)
    if order == 0:
        size = steps.cast(steps.of(np.not_equal, size, steps.number(0, x.dtype)), x.dtype)
    u = np.add if order in (0, 1) else np.maximum if order > 0 else np.minimum
    steps.cast(steps.total(v, size, along, keep, u), out.dtype, out)
    return steps.words


def std(around: Instructions, v: Value, out: Place) -> Words:
    """Words of the standard deviation, from the first elements on, as the op takes it."""
    x, p = _floats(around, v), v.params
    if x is None or p["dtype"] is not None or not x.shape or (x.dtype.char == "f" and np.prod(x.shape) > MANY):
        return None
    steps, along = Steps(around, []), _along(x, p["axis"])
    n = int(np.prod([x.shape[k] for k in along], dtype=int))
    lost = p["correction"] if p["ddof"] is None else p["ddof"]
    if n <= lost:
        return None
    first = part_of(x, tuple(slice(0, 1) if k in along else slice(None) for k in range(len(x.shape))))
    rest = steps.of(np.subtract, x, first)
    mean = steps.of(np.divide, steps.total(v, rest, along, True), steps.number(n, x.dtype))
    rest = steps.of(np.subtract, rest, mean)
    total = steps.total(v, steps.of(np.multiply, rest, rest), along, p["keepdims"])
    return _root(steps, v, steps.of(np.divide, total, steps.number(n - lost, x.dtype)), out)


def root_mean_square(around: Instructions, v: Value, out: Place) -> Words:
    """Words of the root of a mean square that has been taken already."""
    square = _floats(around, v)
    return None if square is None else _root(Steps(around, []), v, square, out)


def _floats(around: Instructions, v: Value) -> Place | None:
    x = v.inputs[0]
    known = v.dtype.char in "df" and x.dtype == v.dtype and not x.weak and x.size and x.nbytes <= FAR
    return around.place(x) if known else None


def _along(x: Place, axis: int | tuple[int, ...] | None) -> set[int]:
    axes = range(len(x.shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return {int(k) % len(x.shape) for k in axes}


def _root(steps: Steps, v: Value, total: Place, out: Place) -> Words:
    """The root of sums of squares, as long as they are in range (see `core.squares.in_range`)."""
    steps.of(np.sqrt, total, out=out)
    rest = unless_between(steps.around, v, out, total, *usual(total.dtype))
    return None if rest is None else steps.words + rest
