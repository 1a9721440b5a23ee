"""Numbers spaced over an interval."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.declare import derived, general
from ..core.errors import ArgumentError, describe, numeric_dtype, refuse_object
from ..core.node import unknown
from ..core.samples import complexes, real, sample
from ..core.tensor import Node, Tensor, as_tensor, rec, wrap

__all__ = ["arange", "geomspace", "linspace", "logspace"]


def _constant(array: Any) -> Tensor:
    return wrap(Node(array))


@named
def arange(start: Any, /, stop: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None) -> Any:
    """Numbers from start to stop, without stop, a step apart; one number alone is stop.

    How many there are is static; d/d start is 1 and d/d step counts 0, 1, 2...

    >>> import tinygrad_math as tm
    >>> tm.arange(1.0, 2.0, 0.25)
    tensor([1.  , 1.25, 1.5 , 1.75])
    """
    if device is not None and not (isinstance(device, str) and device == "cpu"):
        raise ArgumentError(f"device {device!r}: arrays live on 'cpu' only")
    if stop is None:
        start, stop = 0, start
    plain = [v.item() if isinstance(v, Tensor) else v for v in (start, stop, step)]
    for v in plain:
        number = isinstance(v, (int, float, complex, np.number)) or (isinstance(v, np.ndarray) and not v.ndim)
        if not number:
            raise ArgumentError(f"arange counts from one number to another, got {describe(v)}")
    numbers = np.arange(*plain, dtype=None if dtype is None else numeric_dtype(dtype))
    refuse_object(numbers, "arange")
    if any(isinstance(v, Tensor) and _recorded(v) for v in (start, step)):
        return rec.astype(start + step * np.arange(numbers.size), numbers.dtype)
    return _constant(numbers)


def _recorded(x: Tensor) -> bool:
    """Whether what is made of x is to be recorded."""
    return bool(x.node.live) or unknown(x.node)


@general(
    name="interpolate",
    arity=2,
    shape="(num, ...) and the broadcast of start and stop",
    samples=lambda: [
        sample(real(), real(key=1), num=5, endpoint=True),
        sample(real(3), real(3, key=1), num=4, endpoint=False),
        sample(real(2, 1), real(3), num=3, endpoint=True),
        sample(real(), real(key=1), num=1, endpoint=True),
        sample(real(), real(key=1), num=0, endpoint=True),
        sample(complexes(), complexes(key=1), num=3, endpoint=True),
        sample(1.0, real(), num=3, endpoint=True),
    ],
)
def interpolate(start: Any, stop: Any, /, num: int, endpoint: bool) -> Any:
    """`num` points on the line from start to stop, along a new first axis."""
    return np.linspace(start, stop, num, endpoint)


def _shares(y: Any, num: int, endpoint: bool) -> Any:
    """The weight of stop in each of the points, shaped to multiply the result."""
    weights = np.linspace(0, 1, num, endpoint).astype(np.finfo(y.dtype).dtype, copy=False)
    return weights.reshape((-1,) + (1,) * (y.ndim - 1))


@interpolate.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, start: Any, stop: Any, num: int, endpoint: bool) -> Any:
    w = _shares(y, num, endpoint)
    return (
        xp.sum(g * (1 - w), axis=0) if need[0] else None,
        xp.sum(g * w, axis=0) if need[1] else None,
    )


@interpolate.defjvp
def _(xp: Any, ts: Any, y: Any, start: Any, stop: Any, num: int, endpoint: bool) -> Any:
    w = _shares(y, num, endpoint)
    parts = [t * weight for t, weight in zip(ts, (1 - w, w), strict=True) if t is not None]
    return parts[0] if len(parts) == 1 else parts[0] + parts[1]


@derived
def linspace(
    start: Any,
    stop: Any,
    /,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    """`num` evenly spaced points from start to stop, without stop if `endpoint` is False.

    Arguments: `start` and `stop` numbers or arrays, broadcast; the points lie along `axis`; `retstep` also
    returns the step. d/d start is 1 - w and d/d stop is w, where w runs from 0 to 1.

    >>> import tinygrad_math as tm
    >>> tm.linspace(0.0, 1.0, 5)
    tensor([0.  , 0.25, 0.5 , 0.75, 1.  ])
    >>> tm.grad(lambda b: tm.linspace(0.0, b, 5).sum())(1.0)
    tensor(2.5)
    """
    if device not in (None, "cpu"):
        raise ArgumentError(f"device {device!r}: arrays live on 'cpu' only")
    a, b = as_tensor(start), as_tensor(stop)
    if num < 0:
        raise ArgumentError(f"linspace: {num} points; give 0 or more")
    if _recorded(a) or _recorded(b):
        y = rec.interpolate(a, b, num=num, endpoint=endpoint)
        y = y if dtype is None else rec.astype(y, dtype)
    else:
        y = _constant(np.linspace(a.node.data, b.node.data, num, endpoint, dtype=dtype))
    if axis:
        y = rec.moveaxis(y, 0, axis)
    if not retstep:
        return y
    gaps = num - 1 if endpoint else num
    return y, (b - a) / gaps if gaps > 0 else np.nan


@derived
def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0, dtype: Any = None, axis: int = 0
) -> Any:
    """`base` to the power of evenly spaced exponents from start to stop; differentiable in all three.

    >>> import tinygrad_math as tm
    >>> tm.logspace(0.0, 2.0, 3)
    tensor([  1.,  10., 100.])
    """
    y = rec.linspace(start, stop, num, endpoint)
    base = as_tensor(base)
    if base.ndim:  # beside start and stop: the points are on an axis of their own
        ndim = max(base.ndim, y.ndim - 1)
        y = rec.reshape(y, (y.shape[0], *(1,) * (ndim - y.ndim + 1), *y.shape[1:]))
    y = rec.pow(base, y)
    y = rec.moveaxis(y, 0, axis) if axis else y
    return y if dtype is None else rec.astype(y, dtype)


@derived
def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    """`num` points from start to stop with a constant ratio; both have one sign and are not zero.

    d/d start is (1 - w) y / start and d/d stop is w y / stop, where w runs from 0 to 1.

    >>> import tinygrad_math as tm
    >>> tm.geomspace(1.0, 8.0, 4)
    tensor([1., 2., 4., 8.])
    """
    a, b = as_tensor(start), as_tensor(stop)
    if not (_recorded(a) or _recorded(b)):
        return _constant(np.geomspace(a.node.data, b.node.data, num, endpoint, dtype, axis))
    kind = np.result_type(a.dtype, b.dtype, np.float64)  # NumPy's
    a, b = (v if v.dtype == kind else rec.astype(v, kind) for v in (a, b))
    sign = rec.stop_gradient(rec.sign(a))
    first, last = a / sign, b / sign
    y = rec.pow(10.0, rec.linspace(rec.log10(first), rec.log10(last), num, endpoint))
    if num > 0:  # the ends are what was given, to the last bit, as NumPy has it
        within = y[1:-1] if num > 1 and endpoint else y[1:]
        ends = [rec.expand_dims(rec.broadcast_to(v, y.shape[1:]), axis=0) for v in (first, last)]
        y = rec.concat([ends[0], within, *(ends[1:] if num > 1 and endpoint else [])], axis=0)
    y = sign * y
    y = y if dtype is None else rec.astype(y, dtype)
    return rec.moveaxis(y, 0, axis) if axis else y
