"""Reductions that leave NaN out. An element that is NaN has the derivative 0."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.declare import derived, general, nondiff
from ..core.errors import floating_dtype
from ..core.samples import real, sample
from ..core.standing import as_array
from ..core.tensor import Tensor, as_tensor, rec

__all__ = [
    "nanargmax",
    "nanargmin",
    "nancumprod",
    "nancumsum",
    "nanmax",
    "nanmean",
    "nanmin",
    "nanprod",
    "nanstd",
    "nansum",
    "nanvar",
]

Axis = int | tuple[int, ...] | None


def _filled(x: Any, value: float) -> Any:
    """x with `value` for NaN."""
    x = as_tensor(x)
    return rec.where(rec.isnan(x), value, x) if x.dtype.kind in "fc" else x


@derived
def nansum(x: Any, /, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """`sum` of the elements that are not NaN; of none, 0.

    >>> import tinygrad_math as tm
    >>> tm.nansum([1.0, float("nan"), 2.0])
    tensor(3.)
    """
    return rec.sum(_filled(x, 0), axis=axis, dtype=dtype, keepdims=keepdims)  # type: ignore[no-any-return]


@derived
def nanprod(x: Any, /, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """`prod` of the elements that are not NaN; of none, 1.

    >>> import tinygrad_math as tm
    >>> tm.nanprod([2.0, float("nan"), 3.0])
    tensor(6.)
    """
    return rec.prod(_filled(x, 1), axis=axis, dtype=dtype, keepdims=keepdims)  # type: ignore[no-any-return]


@derived
def nancumsum(x: Any, /, axis: int | None = None, dtype: Any = None) -> Tensor:
    """`cumsum` with 0 for NaN.

    >>> import tinygrad_math as tm
    >>> tm.nancumsum([2.0, float("nan"), 3.0])
    tensor([2., 2., 5.])
    """
    return rec.cumsum(_filled(x, 0), axis=axis, dtype=dtype)  # type: ignore[no-any-return]


@derived
def nancumprod(x: Any, /, axis: int | None = None, dtype: Any = None) -> Tensor:
    """`cumprod` with 1 for NaN.

    >>> import tinygrad_math as tm
    >>> tm.nancumprod([2.0, float("nan"), 3.0])
    tensor([2., 2., 6.])
    """
    return rec.cumprod(_filled(x, 1), axis=axis, dtype=dtype)  # type: ignore[no-any-return]


def _count(x: Any, axis: Axis) -> Any:
    """How many elements are not NaN, with the axes kept, in x's real dtype."""
    return rec.astype(rec.sum(rec.logical_not(rec.isnan(x)), axis=axis, keepdims=True), np.zeros(0, x.dtype).real.dtype)


def _drop(y: Any, x: Any, axis: Axis, keepdims: bool) -> Tensor:
    """Without the kept axes, unless they are wanted."""
    dropped: Tensor = y if keepdims else rec.sum(y, axis=tuple(range(x.ndim)) if axis is None else axis)
    return dropped


@derived
def nanmean(x: Any, /, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """`mean` of the elements that are not NaN; of none, NaN with NumPy's warning. Derivative: 1/n at each of them.

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.nanmean)(tm.tensor([1.0, float("nan"), 2.0]))
    tensor([0.5, 0. , 0.5])
    """
    x = as_tensor(x)
    if dtype is not None or x.dtype.kind not in "fc":
        x = rec.astype(x, floating_dtype(dtype, "nanmean"))
    total = rec.sum(_filled(x, 0), axis=axis, keepdims=True)
    return _drop(total / _count(x, axis), x, axis, keepdims)


@derived
def nanvar(
    x: Any,
    /,
    axis: Axis = None,
    dtype: Any = None,
    *,
    correction: float = 0,
    keepdims: bool = False,
    ddof: float | None = None,
) -> Tensor:
    """`var` of the elements that are not NaN, with its arguments; NaN where n <= correction.

    >>> import tinygrad_math as tm
    >>> tm.nanvar([1.0, float("nan"), 3.0])
    tensor(1.)
    """
    x = as_tensor(x)
    if dtype is not None or x.dtype.kind not in "fc":
        x = rec.astype(x, floating_dtype(dtype, "nanvar"))
    absent, n = rec.isnan(x), _count(x, axis)
    start = rec.stop_gradient(pivot(x, axis=axis))  # a shift changes nothing, and makes a constant exactly 0
    c = rec.where(absent, 0, x - start)
    c = rec.where(absent, 0, c - rec.sum(c, axis=axis, keepdims=True) / n)
    square = rec.square(c) if x.dtype.kind == "f" else rec.square(rec.real(c)) + rec.square(rec.imag(c))
    left = n - (correction if ddof is None else ddof)
    divisor = rec.where(rec.greater(left, 0), left, math.nan)  # as NumPy, whose var gives inf here
    return _drop(rec.sum(square, axis=axis, keepdims=True) / divisor, x, axis, keepdims)


@nondiff(latex=r"\operatorname{{pivot}} {0}", shape="x.shape with axes of length 1")
def pivot(x: Any, /, axis: Axis = None) -> Any:
    """The largest element over `axis` that is not NaN, to measure from; 0 if there is none that is finite."""
    x = as_array(x)
    axes = tuple(range(x.ndim)) if axis is None else axis
    z = np.where(np.isnan(x), -np.inf, x.real)
    top = np.max(z, axis=axes, keepdims=True, initial=-np.inf)
    return np.where(np.isfinite(top), top, 0).astype(x.dtype)


@general(
    name="root",
    latex=r"\sqrt{{{0}}}",
    shape="same as x",
    note="the derivative at 0 is chosen to be 0",
    samples=lambda: [sample(real(3, low=0.5)), sample(np.array([0.0, 4.0]), smooth=False)],
)
def _root(x: Any, /) -> Any:
    """The square root of a variance."""
    return np.sqrt(x)


@_root.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any) -> Any:
    return (g * (0.5 * xp.inverse_or_zero(y)),)


@_root.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any) -> Any:
    return ts[0] * (0.5 * xp.inverse_or_zero(y))


@derived
def nanstd(
    x: Any,
    /,
    axis: Axis = None,
    dtype: Any = None,
    *,
    correction: float = 0,
    keepdims: bool = False,
    ddof: float | None = None,
) -> Tensor:
    """The square root of `nanvar`, with its arguments; the derivative is 0 where what is not NaN is constant.

    >>> import tinygrad_math as tm
    >>> tm.nanstd([1.0, float("nan"), 3.0])
    tensor(1.)
    """
    x = as_tensor(x)
    if dtype is not None or x.dtype.kind not in "fc":
        x = rec.astype(x, floating_dtype(dtype, "nanstd"))
    scale = rec.scale_of(x, axis=axis)  # keeps squares in range
    v = nanvar(x * scale, axis, correction=correction, keepdims=True, ddof=ddof)
    return _drop(_root(v) / scale, x, axis, keepdims)


def _samples() -> list[Any]:
    x = real(2, 3)
    x[0, 1] = np.nan
    return [
        sample(real(2, 3)),
        sample(real(2, 3), axis=-1, keepdims=True),
        sample(real(2, 3, 2), axis=(0, 2)),
        sample(x, axis=1, smooth=False),
        sample(np.array([1.0, np.nan, 1.0]), smooth=False),
    ]


def _vjp(xp: Any, need: Any, g: Any, y: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    part = xp.where(xp.isnan(x), 0.0, xp.shares(x, xp.kept(y, x, axis), axis))
    return (xp.kept(g, x, axis) * part,)


def _jvp(xp: Any, ts: Any, y: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    part = xp.where(xp.isnan(x), 0.0, xp.shares(x, xp.kept(y, x, axis), axis))
    return xp.sum(ts[0] * part, axis=axis, keepdims=keepdims)


@general(
    latex=r"\max {0}", shape="x.shape without `axis`", note="ties share equally; NaN has no part", samples=_samples
)
def nanmax(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """`max` of the elements that are not NaN; of none, NaN with NumPy's warning.

    Derivative: 1 for the one that is taken; ties share.
    """
    over: dict[str, Any] = {"axis": axis, "keepdims": keepdims}
    return np.nanmax(x, **over)


@general(
    latex=r"\min {0}", shape="x.shape without `axis`", note="ties share equally; NaN has no part", samples=_samples
)
def nanmin(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """`min` of the elements that are not NaN; of none, NaN with NumPy's warning.

    Derivative: 1 for the one that is taken; ties share.
    """
    over: dict[str, Any] = {"axis": axis, "keepdims": keepdims}
    return np.nanmin(x, **over)


for _op in (nanmax, nanmin):
    _op.defvjp(_vjp)
    _op.defjvp(_jvp)


@nondiff(latex=r"\arg\max {0}", shape="x.shape without `axis`")
def nanargmax(x: Any, /, axis: int | None = None, keepdims: bool = False) -> Any:
    """The index of the first largest element that is not NaN. Raises ShapeError if all are.

    >>> import tinygrad_math as tm
    >>> tm.nanargmax([1.0, float("nan"), 3.0])
    tensor(2)
    """
    over: dict[str, Any] = {"axis": axis, "keepdims": keepdims}
    return np.nanargmax(x, **over)


@nondiff(latex=r"\arg\min {0}", shape="x.shape without `axis`")
def nanargmin(x: Any, /, axis: int | None = None, keepdims: bool = False) -> Any:
    """The index of the first smallest element that is not NaN. Raises ShapeError if all are.

    >>> import tinygrad_math as tm
    >>> tm.nanargmin([1.0, float("nan"), 3.0])
    tensor(0)
    """
    over: dict[str, Any] = {"axis": axis, "keepdims": keepdims}
    return np.nanargmin(x, **over)
