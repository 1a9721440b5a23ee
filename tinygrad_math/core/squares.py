"""Means and squares that keep their digits and their range: what variances, norms and normalisations are made of."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .quiet import quietly
from .standing import as_array

Axis = int | tuple[int, ...] | None  # NumPy's stubs know no None for `ufunc.reduce`: hence the ignores below
_dot: Any = np.vecdot  # NumPy's stubs know no `keepdims` of it
MANY = 8192  # elements, of which sums in single precision would lose digits one by one
_Array, _add, _largest, _smallest = (
    np.ndarray,
    np.add.reduce,
    np.maximum.reduce,
    np.minimum.reduce,
)  # NumPy's module takes long to answer
_subtract, _divide, _plus = np.subtract, np.divide, np.add


@functools.lru_cache(256)
def _number(n: float, kind: str) -> Any:
    """A number that a ufunc takes in a third of the time that it has for one of Python's."""
    return np.array(n, kind)


def total_of(x: Any, axis: Axis, keepdims: bool) -> Any:
    """The sum, in double precision where many single ones would lose digits one by one."""
    if x.size > MANY and x.dtype.char in "fF":
        return wide_total(x, axis, keepdims).astype(x.dtype)
    return _add(x, axis, None, None, keepdims)  # type: ignore[call-overload]


def wide_total(x: Any, axis: Axis, keepdims: bool) -> Any:
    """The sum in double precision: NumPy adds along all but the last axis one by one."""
    return np.add.reduce(x, axis=axis, dtype=np.result_type(x.dtype, np.float64), keepdims=keepdims)  # type: ignore[call-overload]


def centred(x: Any, axis: Axis) -> Any:
    """x about its mean over `axis`, whose digits a large offset does not cost; a new array."""
    x = as_array(x)
    if x.dtype.kind not in "fc":
        x = x.astype(np.float64)
    if not x.size:
        return x.copy()
    if x.dtype.char == "e":  # whose sums overflow
        return centred(x.astype(np.float32), axis).astype(x.dtype)
    if not x.ndim:
        return x - x
    # from the first element on, so that a constant is 0 to the last bit and a large offset costs no digits
    x = x - (x.flat[0] if axis is None else x[_first(axis, x.ndim)])
    return _subtract(x, _mean(total_of(x, axis, True), x), x)


def _mean(total: Any, x: Any) -> Any:
    """The sums over as many elements of x as each of them has, in their own memory."""
    n = x.size // (total.size or 1) or 1
    if total.__class__ is not _Array or total.dtype.kind == "c":
        return total / n
    return _divide(total, _number(n, total.dtype.char), total)


@functools.lru_cache(256)
def _first(axis: int | tuple[int, ...], ndim: int) -> tuple[slice, ...]:
    """The first places over these axes."""
    hit = {a % ndim for a in (axis if isinstance(axis, tuple) else (axis,))}
    return tuple([slice(0, 1) if a in hit else slice(None) for a in range(ndim)])


def squared_sizes(c: Any) -> Any:
    """|c|^2 of each element."""
    return c.real**2 + c.imag**2 if c.dtype.kind == "c" else c * c


def _mean_square(c: Any, axis: Axis, least: float) -> Any:
    """The mean of |c|^2, a new array, and `least`."""
    rows = _in_rows(c, axis)  # which need no array of the squares
    mean = _mean(_dot(c, c, keepdims=True) if rows else total_of(squared_sizes(c), axis, True), c)
    if not least:
        return mean
    return _plus(mean, _number(least, mean.dtype.char), mean) if mean.__class__ is _Array else mean + least


_ROW = 4096  # elements of a row, up to which sums one by one, in several lanes, are as good as those of pairs


def _in_rows(c: Any, axis: Axis) -> bool:
    """Whether `axis` is the last one, of real numbers whose sums of squares a dot product keeps all digits of."""
    if c.__class__ is not _Array or not c.ndim or c.shape[-1] > _ROW:
        return False
    if axis not in ((-1,), -1) and axis != (c.ndim - 1,):
        return False
    return c.dtype.char == "d" or (c.dtype.char == "f" and c.size <= MANY)


def root_and_scale(c: Any, axis: Axis, least: float) -> tuple[Any, Any]:
    """(root, scale): sqrt(mean(|c|^2) + least) over `axis`, which keeps its axes, in units of 1 / scale.

    The scale is None, for 1, where the squares are in range, and else a power of two.
    """
    square = quietly(_mean_square, c, axis, least)
    root = np.sqrt(square, square) if square.__class__ is _Array else np.sqrt(square)
    return (root, None) if root_within(root, least) else _root_and_scale(c, axis, least, root.dtype)


def _root_and_scale(c: Any, axis: Axis, least: float, dtype: Any) -> tuple[Any, Any]:
    """`root_and_scale` where the squares are out of range."""
    top = np.fmax.reduce(np.abs(c), axis=axis, keepdims=True, initial=np.sqrt(least))
    scale = power_of_two(top.astype(dtype))
    square = quietly(_mean_square, c * scale, axis, 0.0)
    return np.sqrt(square + least * scale * scale), scale


@functools.cache
def usual(dtype: Any) -> tuple[Any, Any]:
    """The least and the largest sum of squares in this dtype that has all its digits."""
    info = np.finfo(dtype)
    return info.tiny / info.eps, info.max


def root_within(root: Any, least: float) -> bool:
    """`in_range` of the squares of these roots, none below `least`, which is quicker to see."""
    if root.ndim == 0:
        return bool(least_root(root.dtype) <= root < np.inf)
    if not root.size:
        return True
    if not root.item(root.argmax()) < np.inf:  # not a number is the largest of all
        return False
    low = least_root(root.dtype)
    return least > low * low or bool(root.item(root.argmin()) >= low)


@functools.cache
def least_root(dtype: Any) -> float:
    return float(np.sqrt(usual(dtype)[0]))


def in_range(total: Any) -> bool:
    """Whether sums of squares have neither overflowed nor lost digits in the smallest numbers."""
    low, high = usual(total.dtype)
    if total.ndim == 0:
        return bool(low <= total <= high)
    if not total.size:
        return True
    return bool(low <= _smallest(total, None) and _largest(total, None) <= high)


def power_of_two(size: Any) -> Any:
    """The power of two whose product with size is in [1/2, 1), so that scaling costs no digits; 1 for 0, inf, nan."""
    usual = (size > 0) & np.isfinite(size)
    info = np.finfo(size.dtype)
    exponent = np.clip(-np.frexp(np.where(usual, size, 0.5))[1], info.minexp + 1, info.maxexp - 1)
    return np.ldexp(np.ones_like(size), exponent)


def scale_for(x: Any, axis: Axis) -> Any:
    """The power of two of the largest elements over `axis`, which keep their axes; 1 where squares stay in range."""
    x = as_array(x)
    size = np.abs(x if x.dtype.kind in "fc" else x.astype(np.float64))
    top = np.fmax.reduce(size, axis=axis, keepdims=True, initial=0)
    info = np.finfo(top.dtype)
    far = (top > info.max**0.25) | (top < info.tiny**0.25)
    return np.where(far, power_of_two(top), np.ones_like(top)).astype(top.dtype)
