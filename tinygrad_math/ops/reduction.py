"""Sums, products and means over axes, and questions about all the elements.

A reduction's rule meets its argument again in one of two ways: `unreduce` spreads a cotangent over what was
reduced, `kept` only gives it back its axes of length 1, for a product with something of the full shape.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.declare import general, helper, linear, nondiff
from ..core.errors import floating_dtype, refuse_axes_of_a_number
from ..core.samples import complexes, positive, real, sample
from ..core.squares import wide_total
from ..core.standing import StandIn

__all__ = [
    "all",
    "any",
    "count_nonzero",
    "mean",
    "prod",
    "sum",
]

Axis = int | tuple[int, ...] | None  # NumPy's stubs know no None for `ufunc.reduce`: hence the ignores below
SHAPE = "x.shape without `axis`"


def _reductions(make: Any = real) -> list[Any]:
    return [
        sample(make(2, 3)),
        sample(make(2, 3), axis=0),
        sample(make(2, 3), axis=-1, keepdims=True),
        sample(make(2, 3, 4), axis=(0, 2)),
        sample(make(2, 3, 4), axis=(-1, 1), keepdims=True),
        sample(make(2, 3), axis=()),
        sample(make(2, 1, 3), axis=1),
        sample(make()),
        sample(make(3, 0), axis=0),
    ]


def _empty(make: Any = real) -> list[Any]:
    return [sample(make(0, 3), axis=1), sample(make(0, 3), axis=0), sample(make(0))]


# -- back from a reduction's shape to its argument's ----------------------------------------------------


def _kept_shape(shape: tuple[int, ...], axis: Axis) -> tuple[int, ...]:
    if not shape:  # a number may be reduced over axis 0 or -1, of which it has none
        return shape
    hit = {a % len(shape) for a in (axis if isinstance(axis, tuple) else (axis,)) if a is not None}
    return tuple(1 if i in hit else n for i, n in enumerate(shape))


@linear(
    lambda xp, g, x, shape, axis, keepdims: xp.sum(g, axis=axis, keepdims=keepdims),
    latex=r"{0} \otimes 1",
    shape="shape",
    note="the transpose of sum",
    samples=lambda: [
        sample(real(), (2, 3)),
        sample(real(3), shape=(2, 3), axis=0),
        sample(real(2, 1), shape=(2, 3), axis=-1, keepdims=True),
        sample(real(3), shape=(2, 3, 4), axis=(0, 2)),
        sample(real(), ()),
        sample(real(0), shape=(0, 3), axis=1),
        sample(real(), (100, 100)),
        sample(complexes(2), shape=(2, 3), axis=1),
    ],
)
def unreduce(x: Any, /, shape: tuple[int, ...], axis: Axis = None, keepdims: bool = False) -> Any:
    """x, the size of a reduction over `axis`, repeated over the `shape` that was reduced."""
    if axis is not None and axis != 0 and not keepdims and shape:  # the first axis comes back by broadcasting
        x = np.reshape(x, _kept_shape(shape, axis))
    out = np.empty(shape, x.dtype)
    if out.size > 8192:  # below, filling takes less time than NumPy needs to build the view
        return np.broadcast_to(x, shape)
    out[...] = x
    return out


@helper("over_count")
def over_count(xp: Any, g: Any, n: float) -> Any:
    """g / n, where n may be more than half precision can hold."""
    if g.dtype.char == "e" and n > 65504:
        return xp.astype(xp.astype(g, np.float32) / n, g.dtype)
    return g / n


@helper("kept")
def kept(xp: Any, g: Any, like: Any, axis: Axis) -> Any:
    """`g`, the size of a reduction of `like` over `axis`, with the reduced axes as axes of length 1."""
    if axis is None or g.ndim == like.ndim:
        return g
    return xp.reshape(g, _kept_shape(like.shape, axis))


# -- sums and products ----------------------------------------------------------------------------------


@linear(
    lambda xp, g, x, axis, dtype, keepdims: xp.unreduce(g, x.shape, axis, keepdims),
    latex=r"\sum {0}",
    shape=SHAPE,
    samples=lambda: [*_reductions(), *_empty(), sample(complexes(2, 3), axis=1)],
)
def sum(x: Any, /, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """The sum over `axis` (all of them by default); of nothing, 0.

    Arguments: `x` an array; `axis` an int, a tuple of ints, or None; `dtype` of the result and of the adding;
    `keepdims` keeps each summed axis with length 1. Small integers add up in the default integer, as in NumPy.
    Raises AxisError. Derivative: every summed element has 1.

    >>> import tinygrad_math as tm
    >>> tm.sum([[1.0, 2.0], [3.0, 4.0]], axis=0)
    tensor([4., 6.])
    """
    return np.add.reduce(x, axis=axis, dtype=dtype, keepdims=keepdims)  # type: ignore[call-overload]


def _mean(x: Any, axis: Axis, dtype: Any, keepdims: bool) -> Any:
    if axis is not None and not x.ndim:
        refuse_axes_of_a_number("mean", axis)
    if dtype is None and x.dtype.char in "efF" and (x.size > 8192 or x.dtype.char == "e"):
        wide = wide_total(x, axis, keepdims)  # many narrow numbers lose digits, or overflow
        return (wide / (x.size // (wide.size or 1))).astype(x.dtype)
    if dtype is not None:
        floating_dtype(dtype, "a mean")
    elif x.dtype.kind in "biu":  # whose sum may wrap around
        dtype = np.float64
    total = np.add.reduce(x, axis=axis, dtype=dtype, keepdims=keepdims)  # type: ignore[call-overload]
    return total / (x.size // (total.size or 1))


@linear(
    lambda xp, g, x, axis, dtype, keepdims: xp.unreduce(
        xp.over_count(g, x.size // (g.size or 1)), x.shape, axis, keepdims
    ),
    latex=r"\operatorname{{mean}} {0}",
    shape=SHAPE,
    samples=lambda: [*_reductions(), sample(real(0, 3), axis=1), sample(complexes(2, 3), axis=1)],
)
def mean(x: Any, /, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """The mean over `axis`; of nothing, NaN with NumPy's warning.

    Arguments as for `sum`. Derivative: every element has 1/n.

    >>> import tinygrad_math as tm
    >>> tm.mean([1.0, 2.0, 6.0])
    tensor(3.)
    """
    return _mean(x if x.__class__ is np.ndarray or _is_of_singles(x) else np.asanyarray(x), axis, dtype, keepdims)


def _is_of_singles(x: Any) -> bool:
    """What stands for numbers in single precision, whose mean is the same to rounding in whatever order they are added
    as doubles; that of whole numbers is not."""
    stands: Any = x
    return isinstance(x, StandIn) and stands.dtype.char == "f"


@general(
    latex=r"\prod {0}",
    shape=SHAPE,
    note="no division: right at any number of zeros",
    samples=lambda: [
        *_reductions(positive),
        *_empty(),
        sample(np.array([2.0, 0.0, 3.0])),
        sample(np.array([[0.0, 0.0, 3.0], [1.0, 0.0, 2.0]]), axis=1),
        sample(complexes(2, 3), axis=0),
    ],
)
def prod(x: Any, /, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """The product over `axis`; of nothing, 1.

    Arguments as for `sum`. Derivative: each element has the product of the others, which zeros do not disturb.

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.prod)(tm.tensor([2.0, 0.0, 3.0]))
    tensor([0., 6., 0.])
    """
    return np.multiply.reduce(x, axis=axis, dtype=dtype, keepdims=keepdims)  # type: ignore[call-overload]


def _around(xp: Any, x: Any, axis: int) -> Any:
    """What stands before each element times what stands behind it."""
    return xp.exclusive_product(x, axis) * xp.exclusive_product(x, axis, reverse=True)


def _others(xp: Any, x: Any, axis: Axis, dtype: Any) -> Any:
    """For each element the product of the others over `axis`."""
    if dtype is not None:
        x = xp.astype(x, dtype)
    if axis is None or not x.ndim:
        return xp.reshape(_around(xp, xp.reshape(x, (-1,)), 0), x.shape)
    n = x.ndim
    axes = [a % n for a in (axis if isinstance(axis, tuple) else (axis,))]
    if len(axes) == 1:
        return _around(xp, x, axes[0])
    order = [*(a for a in range(n) if a not in axes), *axes]
    moved = [x.shape[a] for a in order]
    rest = moved[: n - len(axes)]
    flat = xp.reshape(xp.transpose(x, tuple(order)), (*rest, math.prod(moved[n - len(axes) :])))
    whole = xp.reshape(_around(xp, flat, len(rest)), tuple(moved))
    return xp.transpose(whole, tuple(order.index(a) for a in range(n)))


@prod.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any, axis: Axis, dtype: Any, keepdims: bool) -> Any:
    return (xp.kept(g, x, axis) * xp.conj(_others(xp, x, axis, dtype)),)


@prod.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, axis: Axis, dtype: Any, keepdims: bool) -> Any:
    return xp.sum(ts[0] * _others(xp, x, axis, dtype), axis=axis, keepdims=keepdims)


# -- questions ------------------------------------------------------------------------------------------


@nondiff(latex=r"\exists {0}", shape=SHAPE)
def any(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """Whether any element over `axis` is not zero.

    >>> import tinygrad_math as tm
    >>> tm.any([[True, False], [False, False]], axis=1)
    tensor([ True, False])
    """
    return np.logical_or.reduce(x, axis=axis, keepdims=keepdims)  # type: ignore[call-overload]


@nondiff(latex=r"\forall {0}", shape=SHAPE)
def all(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """Whether no element over `axis` is zero.

    >>> import tinygrad_math as tm
    >>> tm.all([[True, False], [True, True]], axis=1)
    tensor([False,  True])
    """
    return np.logical_and.reduce(x, axis=axis, keepdims=keepdims)  # type: ignore[call-overload]


@nondiff(latex=r"\#\{{{0} \ne 0\}}", shape=SHAPE)
def count_nonzero(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """How many elements over `axis` are not zero.

    >>> import tinygrad_math as tm
    >>> tm.count_nonzero([[0, 1], [2, 3]], axis=1)
    tensor([1, 2])
    """
    return np.add.reduce(np.not_equal(x, 0), axis=axis, keepdims=keepdims)  # type: ignore[call-overload]
