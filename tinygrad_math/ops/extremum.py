"""Extrema over axes, and where they lie. Elements that tie share the derivative equally."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.declare import alias, derived, general, nondiff
from ..core.samples import real, sample
from ..core.tensor import as_tensor, rec

__all__ = ["amax", "amin", "argmax", "argmin", "max", "min", "ptp"]

Axis = int | tuple[int, ...] | None  # NumPy's stubs know no None for `ufunc.reduce`: hence the ignores below
SHAPE = "x.shape without `axis`"


@nondiff(arity=2, latex=r"[{0} = {1}]", shape="same as x", note="the ties share 1 equally")
def shares(x: Any, y: Any, /, axis: Axis = None) -> Any:
    """The part of each element of x in the extremum y over `axis` (kept in y): those that attain it share equally.

    An extremum that is NaN belongs to the elements that are NaN.
    """
    x = np.asarray(x)
    hit = np.equal(x, y)
    count = np.add.reduce(hit, axis=axis, keepdims=True)
    if not count.all():
        hit |= np.isnan(x) & np.isnan(y)
        count = np.maximum(np.add.reduce(hit, axis=axis, keepdims=True), 1)
    return np.true_divide(hit, count, dtype=x.real.dtype)


def _extremum_vjp(xp: Any, need: Any, g: Any, y: Any, x: Any, axis: Axis, keepdims: bool, initial: Any = None) -> Any:
    return (xp.kept(g, x, axis) * xp.shares(x, xp.kept(y, x, axis), axis),)


def _extremum_jvp(xp: Any, ts: Any, y: Any, x: Any, axis: Axis, keepdims: bool, initial: Any = None) -> Any:
    return xp.sum(ts[0] * xp.shares(x, xp.kept(y, x, axis), axis), axis=axis, keepdims=keepdims)


def _extremum_samples() -> list[Any]:
    tied = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
    return [
        sample(real(2, 3)),
        sample(real(2, 3), axis=0),
        sample(real(2, 3), axis=-1, keepdims=True),
        sample(real(2, 3, 4), axis=(0, -1)),
        sample(real(2, 3), axis=()),
        sample(real(2, 1, 3), axis=1),
        sample(real()),
        sample(real(0, 3), axis=1),
        sample(real(0, 3), initial=0.5),
        sample(real(3, 4), axis=0, initial=0.1),
        sample(tied, smooth=False),
        sample(tied, axis=1, smooth=False),
    ]


@general(latex=r"\max {0}", shape=SHAPE, note="ties share the derivative equally", samples=_extremum_samples)
def max(x: Any, /, axis: Axis = None, keepdims: bool = False, *, initial: Any = None) -> Any:
    """The largest element over `axis`; NaN if there is one.

    Arguments: `x` an array; `axis` an int, a tuple of ints, or None for all; `keepdims`; `initial` a number that
    the result is no less than, and which is the maximum of nothing. Raises ShapeError for the maximum of nothing
    without it. Derivative: 1 at the largest element; k elements that tie have 1/k each.

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.max)(tm.tensor([1.0, 3.0, 3.0]))
    tensor([0. , 0.5, 0.5])
    """
    return np.maximum.reduce(x, axis=axis, keepdims=keepdims, initial=initial)  # type: ignore[call-overload]


@general(latex=r"\min {0}", shape=SHAPE, note="ties share the derivative equally", samples=_extremum_samples)
def min(x: Any, /, axis: Axis = None, keepdims: bool = False, *, initial: Any = None) -> Any:
    """The smallest element over `axis`; NaN if there is one. Arguments and derivative as for `max`.

    >>> import tinygrad_math as tm
    >>> tm.min([[4.0, 1.0], [2.0, 3.0]], axis=1)
    tensor([1., 2.])
    """
    return np.minimum.reduce(x, axis=axis, keepdims=keepdims, initial=initial)  # type: ignore[call-overload]


for _op in (max, min):
    _op.defvjp(_extremum_vjp)
    _op.defjvp(_extremum_jvp)

amax, amin = max, min
alias("amax", max)
alias("amin", min)


@derived
def ptp(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """Peak to peak, max(x) - min(x), over `axis`; the derivative is that of the two.

    >>> import tinygrad_math as tm
    >>> tm.ptp([3.0, 1.0, 7.0])
    tensor(6.)
    """
    x = as_tensor(x)
    return rec.subtract(rec.max(x, axis=axis, keepdims=keepdims), rec.min(x, axis=axis, keepdims=keepdims))


@nondiff(latex=r"\arg\max {0}", shape=SHAPE)
def argmax(x: Any, /, axis: int | None = None, keepdims: bool = False) -> Any:
    """The index of the first largest element along `axis`, or in the flattened array.

    >>> import tinygrad_math as tm
    >>> tm.argmax([[1.0, 5.0], [7.0, 2.0]], axis=1)
    tensor([1, 0])
    """
    over: dict[str, Any] = {"axis": axis, "keepdims": keepdims}
    return np.argmax(x, **over)


@nondiff(latex=r"\arg\min {0}", shape=SHAPE)
def argmin(x: Any, /, axis: int | None = None, keepdims: bool = False) -> Any:
    """The index of the first smallest element along `axis`, or in the flattened array.

    >>> import tinygrad_math as tm
    >>> tm.argmin([[1.0, 5.0], [7.0, 2.0]], axis=1)
    tensor([0, 1])
    """
    over: dict[str, Any] = {"axis": axis, "keepdims": keepdims}
    return np.argmin(x, **over)
