"""Means and squares that keep their digits and their range: what variances, norms and normalisations are made of."""

from __future__ import annotations

from typing import Any

import numpy as np

Axis = int | tuple[int, ...] | None  # NumPy's stubs know no None for `ufunc.reduce`: hence the ignores below


def total_of(x: Any, axis: Axis, keepdims: bool) -> Any:
    """The sum, in double precision where many single ones would lose digits one by one."""
    if x.size > 8192 and x.dtype.char in "fF":
        wide = np.add.reduce(x, axis=axis, dtype=np.result_type(x.dtype, np.float64), keepdims=keepdims)  # type: ignore[call-overload]
        return wide.astype(x.dtype)
    return np.add.reduce(x, axis=axis, keepdims=keepdims)  # type: ignore[call-overload]


def centred(x: Any, axis: Axis) -> Any:
    """x about its mean over `axis`, whose digits a large offset does not cost."""
    x = np.asarray(x)
    if x.dtype.kind not in "fc":
        x = x.astype(np.float64)
    if not x.size:
        return x.copy()
    if x.dtype.char == "e":  # whose sums overflow
        return centred(x.astype(np.float32), axis).astype(x.dtype)
    # from the first element on, so that a constant is 0 to the last bit and a large offset costs no digits
    if axis is None or not x.ndim:
        x = x - x.flat[0]
    else:
        hit = {a % x.ndim for a in (axis if isinstance(axis, tuple) else (axis,))}
        x = x - x[tuple(slice(0, 1) if a in hit else slice(None) for a in range(x.ndim))]
    total = total_of(x, axis, True)
    return x - total / (x.size // (total.size or 1))


def in_range(total: Any) -> bool:
    """Whether sums of squares have neither overflowed nor lost digits below the smallest numbers."""
    info = np.finfo(total.dtype)
    low, high = info.tiny / info.eps, info.max
    if total.ndim == 0:
        return bool(low <= total <= high)
    return not total.size or bool(low <= total.min() and total.max() <= high)


def power_of_two(size: Any) -> Any:
    """The power of two whose product with size is in [1/2, 1), so that scaling costs no digits; 1 for 0, inf, nan."""
    usual = (size > 0) & np.isfinite(size)
    info = np.finfo(size.dtype)
    exponent = np.clip(-np.frexp(np.where(usual, size, 0.5))[1], info.minexp + 1, info.maxexp - 1)
    return np.ldexp(np.ones_like(size), exponent)


def scale_for(x: Any, axis: Axis) -> Any:
    """The power of two of the largest elements over `axis`, which keep their axes; 1 where squares stay in range."""
    size = np.abs(x if np.asarray(x).dtype.kind in "fc" else np.asarray(x, np.float64))
    top = np.fmax.reduce(size, axis=axis, keepdims=True, initial=0)
    info = np.finfo(top.dtype)
    far = (top > info.max**0.25) | (top < info.tiny**0.25)
    return np.where(far, power_of_two(top), np.ones_like(top)).astype(top.dtype)
