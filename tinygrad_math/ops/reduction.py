"""Sums, products, means, extrema and spreads over axes.

A reduction's rule meets its argument again in one of two ways: `unreduce` spreads a cotangent over what was
reduced, `kept` only gives it back its axes of length 1, for a product with something of the full shape.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.declare import alias, derived, elementwise, general, helper, linear, nondiff
from ..core.samples import complexes, positive, real, sample
from ..core.tensor import as_tensor, rec

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "count_nonzero",
    "max",
    "mean",
    "min",
    "prod",
    "ptp",
    "std",
    "sum",
    "var",
]

Axis = int | tuple[int, ...] | None
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
    if x.dtype.char == "e" and dtype is None:  # float16 would overflow in the sum
        return np.mean(x, axis=axis, keepdims=keepdims)
    total = np.add.reduce(x, axis=axis, dtype=dtype, keepdims=keepdims)  # type: ignore[call-overload]
    return total / (x.size // (total.size or 1))


@linear(
    lambda xp, g, x, axis, dtype, keepdims: xp.unreduce(g / (x.size // (g.size or 1)), x.shape, axis, keepdims),
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
    return _mean(np.asarray(x), axis, dtype, keepdims)


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
    if axis is None:
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


# -- extrema --------------------------------------------------------------------------------------------


@nondiff(arity=2, latex=r"[{0} = {1}]", shape="same as x", note="the ties share 1 equally")
def shares(x: Any, y: Any, /, axis: Axis = None) -> Any:
    """The part that each element of x has in its extremum y over `axis`: those that attain it share equally.

    An extremum that is NaN belongs to the elements that are NaN.
    """
    x, y = np.asarray(x), np.asarray(y)
    if axis is not None and y.ndim != x.ndim:
        y = y.reshape(_kept_shape(x.shape, axis))
    hit = np.equal(x, y)
    count = np.add.reduce(hit, axis=axis, keepdims=True)
    if not count.all():
        hit |= np.isnan(x) & np.isnan(y)
        count = np.maximum(np.add.reduce(hit, axis=axis, keepdims=True), 1)
    return np.true_divide(hit, count, dtype=x.real.dtype)


def _extremum_vjp(xp: Any, need: Any, g: Any, y: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    return (xp.kept(g, x, axis) * xp.shares(x, y, axis),)


def _extremum_jvp(xp: Any, ts: Any, y: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    return xp.sum(ts[0] * xp.shares(x, y, axis), axis=axis, keepdims=keepdims)


def _extremum_samples() -> list[Any]:
    tied = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
    return [*_reductions(), sample(real(0, 3), axis=1), sample(tied, smooth=False), sample(tied, axis=1, smooth=False)]


@general(latex=r"\max {0}", shape=SHAPE, note="ties share the derivative equally", samples=_extremum_samples)
def max(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """The largest element over `axis`; NaN if there is one.

    Arguments: `x` an array; `axis` an int, a tuple of ints, or None for all; `keepdims`. Raises ShapeError for
    the maximum of nothing. Derivative: 1 at the largest element; k elements that tie have 1/k each.

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.max)(tm.tensor([1.0, 3.0, 3.0]))
    tensor([0. , 0.5, 0.5])
    """
    return np.maximum.reduce(x, axis=axis, keepdims=keepdims)  # type: ignore[call-overload]


@general(latex=r"\min {0}", shape=SHAPE, note="ties share the derivative equally", samples=_extremum_samples)
def min(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """The smallest element over `axis`; NaN if there is one. Arguments and derivative as for `max`.

    >>> import tinygrad_math as tm
    >>> tm.min([[4.0, 1.0], [2.0, 3.0]], axis=1)
    tensor([1., 2.])
    """
    return np.minimum.reduce(x, axis=axis, keepdims=keepdims)  # type: ignore[call-overload]


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


# -- spreads --------------------------------------------------------------------------------------------


def _center(x: Any, axis: Axis) -> Any:
    x = np.asarray(x)
    if x.dtype.kind not in "fc":
        x = x.astype(np.float64)
    if not x.size:
        return x.copy()
    # from the first element on, so that a constant is 0 to the last bit and a large offset costs no digits
    if axis is None:
        x = x - x.flat[0]
    else:
        x = x - x[tuple(slice(0, 1) if n == 1 else slice(None) for n in _kept_shape(x.shape, axis))]
    return x - _mean(x, axis, None, True)


def _center_samples() -> list[Any]:
    axes: list[Any] = [None, 0, -1, (0, 1), ()]
    return [*(sample(real(2, 3), axis=a) for a in axes), sample(real()), sample(real(0, 3), axis=1)]


@linear(
    lambda xp, g, x, axis: xp.center(g, axis),
    latex=r"{0} - \overline{{{0}}}",
    shape="same as x",
    note="a projection: its own transpose",
    samples=lambda: [*_center_samples(), sample(complexes(2, 3), axis=1)],
)
def center(x: Any, /, axis: Axis = None) -> Any:
    """x minus its mean over `axis`."""
    return _center(x, axis)


def _inverse_or_zero(x: Any) -> Any:
    return np.divide(1, x, out=np.zeros_like(x), where=np.not_equal(x, 0))


inverse_or_zero = elementwise(
    _inverse_or_zero,
    lambda xp, y, x: -y * y,
    name="inverse_or_zero",
    latex="{0}^{{+}}",
    domain=(0.3, 2.0),
    samples=lambda: [sample(positive(2, 3)), sample(positive()), sample(np.array([0.0, 2.0]), smooth=False)],
    doc="1 / x, and 0 at 0: the chosen derivative where a square root has none.",
)


def _var(x: Any, axis: Axis, dtype: Any, n_lost: float, keepdims: bool) -> Any:
    x = np.asarray(x, dtype)
    c = _center(x, axis)
    square = c.real**2 + c.imag**2 if c.dtype.kind == "c" else c * c
    total = np.add.reduce(square, axis=axis, keepdims=keepdims)  # type: ignore[call-overload]
    n = c.size // (total.size or 1) - n_lost
    return total / (n if n > 0 else 0)  # as NumPy: NaN and a warning if there is too little to measure


def _spread_samples() -> list[Any]:
    return [
        sample(real(5)),
        sample(real(2, 3), axis=0),
        sample(real(2, 3), axis=-1, keepdims=True),
        sample(real(2, 3, 4), axis=(0, -1), correction=1),
        sample(real(2, 3), correction=0.5),
        sample(real(2, 3), axis=1, ddof=1),
        sample(real(3, 0), axis=0),
        sample(complexes(2, 3), axis=1),
    ]


@general(
    latex=r"\operatorname{{var}} {0}",
    shape=SHAPE,
    note="|x - m|^2 for complex numbers",
    samples=lambda: [*_spread_samples(), sample(real()), sample(real(1, 3), axis=0), sample(np.full(3, 0.1))],
)
def var(
    x: Any,
    /,
    axis: Axis = None,
    dtype: Any = None,
    *,
    correction: float = 0,
    keepdims: bool = False,
    ddof: float | None = None,
) -> Any:
    """The variance over `axis`: the mean of |x - mean(x)|^2.

    Arguments: `axis`, `dtype`, `keepdims` as for `sum`; `correction`, or NumPy's name `ddof`: the sum of squares is
    divided by n - correction (0 by default, not 1 as in PyTorch). The result is real for complex x; it is NaN with
    NumPy's warning if n <= correction. Derivative: 2 (x - m) / (n - correction).

    >>> import tinygrad_math as tm
    >>> tm.var([1.0, 2.0, 6.0])
    tensor(4.66666667)
    """
    return _var(x, axis, dtype, correction if ddof is None else ddof, keepdims)


@general(
    latex=r"\operatorname{{std}} {0}",
    shape=SHAPE,
    note="the derivative at a constant is chosen to be 0",
    samples=lambda: [
        *_spread_samples(),
        sample(real(), smooth=False),
        sample(real(1, 3), axis=0, smooth=False),
        sample(np.full(3, 0.1), smooth=False),
    ],
)
def std(
    x: Any,
    /,
    axis: Axis = None,
    dtype: Any = None,
    *,
    correction: float = 0,
    keepdims: bool = False,
    ddof: float | None = None,
) -> Any:
    """The standard deviation over `axis`: the square root of `var`, with its arguments.

    Derivative: (x - m) / ((n - correction) std); 0 where x is constant, the middle of its subgradients.

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.std)(tm.tensor([0.1, 0.1, 0.1]))
    tensor([0., 0., 0.])
    """
    return np.sqrt(_var(x, axis, dtype, correction if ddof is None else ddof, keepdims))


def _deviation(xp: Any, y: Any, x: Any, axis: Axis, dtype: Any, correction: float, ddof: float | None) -> Any:
    """(x - m) / (n - correction)."""
    n = x.size // (y.size or 1) - (correction if ddof is None else ddof)
    c = xp.center(x if dtype is None else xp.astype(x, dtype), axis)
    return c * (1 / n if n > 0 else float("nan"))


@var.defvjp
def _(
    xp: Any, need: Any, g: Any, y: Any, x: Any, axis: Axis, dtype: Any, correction: Any, keepdims: Any, ddof: Any
) -> Any:
    return (xp.kept(2 * g, x, axis) * _deviation(xp, y, x, axis, dtype, correction, ddof),)


@var.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, axis: Axis, dtype: Any, correction: Any, keepdims: Any, ddof: Any) -> Any:
    d = _deviation(xp, y, x, axis, dtype, correction, ddof)
    return xp.sum(xp.real(xp.conj(d) * ts[0]), axis=axis, keepdims=keepdims) * 2


@std.defvjp
def _(
    xp: Any, need: Any, g: Any, y: Any, x: Any, axis: Axis, dtype: Any, correction: Any, keepdims: Any, ddof: Any
) -> Any:
    h = xp.kept(g * xp.inverse_or_zero(y), x, axis)
    return (h * _deviation(xp, y, x, axis, dtype, correction, ddof),)


@std.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, axis: Axis, dtype: Any, correction: Any, keepdims: Any, ddof: Any) -> Any:
    d = _deviation(xp, y, x, axis, dtype, correction, ddof)
    return xp.sum(xp.real(xp.conj(d) * ts[0]), axis=axis, keepdims=keepdims) * xp.inverse_or_zero(y)


# -- questions ------------------------------------------------------------------------------------------


@nondiff(latex=r"\exists {0}", shape=SHAPE)
def any(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """Whether any element over `axis` is not zero."""
    return np.logical_or.reduce(x, axis=axis, keepdims=keepdims)  # type: ignore[call-overload]


@nondiff(latex=r"\forall {0}", shape=SHAPE)
def all(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """Whether no element over `axis` is zero."""
    return np.logical_and.reduce(x, axis=axis, keepdims=keepdims)  # type: ignore[call-overload]


@nondiff(latex=r"\#\{{{0} \ne 0\}}", shape=SHAPE)
def count_nonzero(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """How many elements over `axis` are not zero."""
    return np.add.reduce(np.not_equal(x, 0), axis=axis, keepdims=keepdims)  # type: ignore[call-overload]


@nondiff(latex=r"\arg\max {0}", shape=SHAPE)
def argmax(x: Any, /, axis: int | None = None, keepdims: bool = False) -> Any:
    """The index of the first largest element along `axis`, or in the flattened array."""
    return np.argmax(x, axis=axis, keepdims=keepdims)


@nondiff(latex=r"\arg\min {0}", shape=SHAPE)
def argmin(x: Any, /, axis: int | None = None, keepdims: bool = False) -> Any:
    """The index of the first smallest element along `axis`, or in the flattened array."""
    return np.argmin(x, axis=axis, keepdims=keepdims)
