"""Running sums and products, and the two scans that their derivatives are made of.

`exclusive_product` is the product of what stands before each element, and `scan` solves the recurrence
s[k+1] = a[k] s[k] + b[k] with s[0] = 0. The transpose of a scan in b is the same scan run backwards, and the
derivative of either is a scan again. None of them divides, so zeros are as good as any other number.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.declare import derived, general, linear
from ..core.errors import ArgumentError
from ..core.samples import complexes, positive, real, sample
from ..core.tensor import as_tensor, rec

__all__ = ["cumprod", "cumsum", "cumulative_prod", "cumulative_sum"]


@general(
    arity=2,
    latex=r"\operatorname{{scan}}({0}, {1})",
    shape="same as a",
    note="s[k+1] = a[k] s[k] + b[k], s[0] = 0",
    samples=lambda: [
        sample(real(4), real(4, key=1), axis=0),
        sample(real(3, 2), real(3, 2, key=1), axis=-1, reverse=True),
        sample(np.array([2.0, 0.0, 3.0, 0.0]), real(4), axis=0),
        sample(real(1), real(1), axis=0),
        sample(real(0, 2), real(0, 2), axis=0),
        sample(complexes(3), complexes(3, key=1), axis=0),
    ],
)
def scan(a: Any, b: Any, /, axis: int, reverse: bool = False) -> Any:
    """s[k+1] = a[k] s[k] + b[k] along `axis`, from s[0] = 0, or from the end on; a and b of one shape."""
    out = np.zeros(a.shape, np.result_type(a, b))
    a, b, s = a.swapaxes(axis, 0), b.swapaxes(axis, 0), out.swapaxes(axis, 0)
    if reverse:
        a, b, s = a[::-1], b[::-1], s[::-1]
    for k in range(len(s) - 1):
        s[k + 1] = a[k] * s[k] + b[k]
    return out


@scan.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, b: Any, axis: int, reverse: bool) -> Any:
    h = xp.scan(xp.conj(a), g, axis, not reverse)
    return h * xp.conj(y) if need[0] else None, h


@scan.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, b: Any, axis: int, reverse: bool) -> Any:
    ta, tb = ts
    t = tb if ta is None else ta * y if tb is None else ta * y + tb
    return xp.scan(a, t, axis, reverse)


@general(
    latex=r"\prod_{{j<i}} {0}_j",
    shape="same as x",
    samples=lambda: [
        sample(real(4), axis=0),
        sample(real(2, 3), axis=-1, reverse=True),
        sample(np.array([2.0, 0.0, 3.0, 0.0]), axis=0),
        sample(real(1), axis=0),
        sample(real(0, 2), axis=0),
        sample(complexes(3), axis=0),
    ],
)
def exclusive_product(x: Any, /, axis: int, reverse: bool = False) -> Any:
    """The product of the elements before each one along `axis`, or (`reverse`) of those behind it."""
    out = np.ones(x.shape, x.dtype)
    x, y = x.swapaxes(axis, 0), out.swapaxes(axis, 0)
    if reverse:
        x, y = x[::-1], y[::-1]
    if len(x) > 1:
        y[1:] = np.multiply.accumulate(x[:-1], axis=0)
    return out


@exclusive_product.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any, axis: int, reverse: bool) -> Any:
    return (xp.conj(y) * xp.scan(xp.conj(x), g, axis, not reverse),)


@exclusive_product.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, axis: int, reverse: bool) -> Any:
    return xp.scan(x, ts[0] * y, axis, reverse)  # y[k+1] = x[k] y[k], differentiated


def _running(make: Any) -> list[Any]:
    return [
        sample(make(4)),
        sample(make(2, 3)),
        sample(make(2, 3), axis=0),
        sample(make(2, 3), axis=-1),
        sample(make()),
        sample(make(0)),
        sample(make(0, 2), axis=0),
        sample(make(2, 1), axis=1),
        sample(complexes(3)),
    ]


def _sums_from_the_end(xp: Any, g: Any, x: Any, axis: int | None, dtype: Any) -> Any:
    axis = 0 if axis is None else axis
    turn = (slice(None),) * (axis % g.ndim) + (slice(None, None, -1),)
    return xp.reshape(xp.getitem(xp.cumsum(xp.getitem(g, turn), axis), turn), x.shape)


@linear(
    _sums_from_the_end,
    latex=r"\sum_{{j \le i}} {0}_j",
    shape="same as x; flat without an axis",
    samples=lambda: _running(real),
)
def cumsum(x: Any, /, axis: int | None = None, dtype: Any = None) -> Any:
    """The running sum along `axis`, or over the flattened array.

    Arguments: `dtype` of the result and of the adding. Raises AxisError. Derivative: element j has 1 in every
    sum from j on; its transpose is the running sum from the end.

    >>> import tinygrad_math as tm
    >>> tm.cumsum([1.0, 2.0, 3.0])
    tensor([1., 3., 6.])
    """
    return np.cumsum(x, axis=axis, dtype=dtype)


@general(
    latex=r"\prod_{{j \le i}} {0}_j",
    shape="same as x; flat without an axis",
    note="no division: right at any number of zeros",
    samples=lambda: [*_running(positive), sample(np.array([2.0, 0.0, 3.0, 0.0, 5.0]))],
)
def cumprod(x: Any, /, axis: int | None = None, dtype: Any = None) -> Any:
    """The running product along `axis`, or over the flattened array.

    Arguments: `dtype` of the result. Raises AxisError. Derivative: the tangent of y[k] = x[k] y[k-1] obeys
    t_y[k] = x[k] t_y[k-1] + y[k-1] t_x[k], a linear recurrence, which zeros do not disturb.

    >>> import tinygrad_math as tm
    >>> tm.cumprod([1.0, 2.0, 3.0])
    tensor([1., 2., 6.])
    """
    return np.cumprod(x, axis=axis, dtype=dtype)


def _flat(xp: Any, x: Any, axis: int | None, dtype: Any) -> tuple[Any, int]:
    if dtype is not None:
        x = xp.astype(x, dtype)
    return (xp.reshape(x, (-1,)), 0) if axis is None or not x.ndim else (x, axis)


@cumprod.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any, axis: int | None, dtype: Any) -> Any:
    z, axis = _flat(xp, x, axis, dtype)
    z, before = xp.conj(z), xp.conj(xp.exclusive_product(z, axis))
    return (xp.reshape(before * (g + xp.scan(z, z * g, axis, reverse=True)), x.shape),)


@cumprod.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, axis: int | None, dtype: Any) -> Any:
    z, axis = _flat(xp, x, axis, dtype)
    t = xp.reshape(ts[0], z.shape) * xp.exclusive_product(z, axis)
    return t + z * xp.scan(z, t, axis)


def _one_or_more(x: Any, axis: int | None) -> Any:
    """x, a single number as the one element of a vector, where no axis is asked for."""
    x = as_tensor(x)
    return rec.reshape(x, (1,)) if axis is None and not x.ndim else x


def _along(x: Any, axis: int | None, name: str) -> int:
    if axis is None and x.ndim != 1:
        raise ArgumentError(f"{name} of shape {x.shape} needs axis=; only a 1-d array has just one way to go")
    return 0 if axis is None else axis


def _with_initial(y: Any, axis: int, first: int, include: bool) -> Any:
    if not include:
        return y
    shape = list(y.shape)
    shape[axis] = 1
    return rec.concat([np.full(shape, first, y.dtype), y], axis=axis)


@derived
def cumulative_sum(x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Any:
    """The Array API's running sum: `cumsum`, with a 0 in front if `include_initial`.

    `axis` may be left out for a 1-d array and a number only. Raises ArgumentError, AxisError.

    >>> import tinygrad_math as tm
    >>> tm.cumulative_sum([1.0, 2.0, 3.0], include_initial=True)
    tensor([0., 1., 3., 6.])
    """
    x = _one_or_more(x, axis)
    axis = _along(x, axis, "cumulative_sum")
    return _with_initial(rec.cumsum(x, axis=axis, dtype=dtype), axis, 0, include_initial)


@derived
def cumulative_prod(x: Any, /, *, axis: int | None = None, dtype: Any = None, include_initial: bool = False) -> Any:
    """The Array API's running product: `cumprod`, with a 1 in front if `include_initial`.

    `axis` may be left out for a 1-d array and a number only. Raises ArgumentError, AxisError.

    >>> import tinygrad_math as tm
    >>> tm.cumulative_prod([2.0, 0.0, 3.0], include_initial=True)
    tensor([1., 2., 0., 0.])
    """
    x = _one_or_more(x, axis)
    axis = _along(x, axis, "cumulative_prod")
    return _with_initial(rec.cumprod(x, axis=axis, dtype=dtype), axis, 1, include_initial)
