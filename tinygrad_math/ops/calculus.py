"""Finite calculus on sampled functions: differences, slopes, areas, interpolation, convolution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.declare import bilinear, derived, linear
from ..core.errors import ArgumentError, DTypeError, ShapeError, describe
from ..core.samples import complexes, real, sample
from ..core.tensor import Tensor, as_tensor, is_weak, rec

__all__ = ["convolve", "correlate", "diff", "ediff1d", "gradient", "interp", "trapezoid"]


def _cut(x: Any, axis: int, start: int | None, stop: int | None) -> Any:
    """x[start:stop] along `axis`."""
    return rec.getitem(x, (slice(None),) * (axis % x.ndim) + (slice(start, stop),))


# -- differences ----------------------------------------------------------------------------------------


@linear(
    latex=r"\Delta^{{{n}}} {0}",
    shape="x.shape, n shorter along `axis`",
    samples=lambda: [
        sample(real(4)),
        sample(real(2, 3), axis=0),
        sample(real(2, 5), n=2),
        sample(real(3), n=3),
        sample(real(3), n=5),
        sample(real(3), n=0),
        sample(real(1, 2), axis=0),
        sample(complexes(3)),
    ],
    name="difference",
)
def _difference(x: Any, /, n: int = 1, axis: int = -1) -> Any:
    """x[i+1] - x[i] along `axis`, n times over."""
    return np.diff(x, n=min(n, x.shape[axis]), axis=axis)  # after so many steps nothing is left


@_difference.deftranspose
def _(xp: Any, g: Any, x: Any, n: int, axis: int) -> Any:
    # one step has the transpose -diff with a zero at both ends
    n = min(n, x.shape[axis])
    shape = list(x.shape)
    shape[axis] = n
    zeros = np.zeros(shape, g.dtype)
    back = xp.difference(xp.concat([zeros, g, zeros], axis=axis), n=n, axis=axis)
    return -back if n % 2 else back


@derived
def diff(x: Any, /, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Tensor:
    """The n-th difference x[i+1] - x[i] along `axis`.

    Arguments: `prepend`, `append` numbers or arrays that are put before and behind x first. Raises ShapeError,
    AxisError. Derivative: linear in x, prepend and append.

    >>> import tinygrad_math as tm
    >>> tm.diff([1.0, 4.0, 9.0, 16.0], n=2)
    tensor([2., 2.])
    """
    x = as_tensor(x)
    if n < 0:
        raise ArgumentError(f"diff of {x.dtype}{x.shape}: the order n is 0 or more, got {n}")
    if not x.ndim:
        raise ShapeError("diff needs an axis to take differences along, got a 0-d array")

    def edge(value: Any) -> Any:
        value = as_tensor(value)
        if value.ndim:
            return value
        shape = list(x.shape)
        shape[axis] = 1
        return rec.broadcast_to(value, tuple(shape))

    if n and (prepend is not None or append is not None):
        parts = [edge(prepend)] if prepend is not None else []
        parts += [x] if append is None else [x, edge(append)]
        x = rec.concat(parts, axis=axis)
    result: Tensor = _difference(x, n=n, axis=axis)
    return result


@derived
def ediff1d(x: Any, /, to_end: Any = None, to_begin: Any = None) -> Tensor:
    """The differences of neighbours in the flattened x, with `to_begin` before them and `to_end` behind.

    The ends take on the dtype of x where that holds numbers of their kind.

    >>> import tinygrad_math as tm
    >>> tm.ediff1d([1.0, 4.0, 9.0], to_begin=0.0)
    tensor([0., 3., 5.])
    """
    step = _difference(rec.reshape(as_tensor(x), (-1,)))

    def ends(values: Any) -> list[Any]:
        if values is None:
            return []
        values = rec.reshape(as_tensor(values), (-1,))
        fits = np.can_cast(values.dtype, step.dtype, "same_kind")
        return [rec.astype(values, step.dtype) if fits else values]

    before, behind = ends(to_begin), ends(to_end)
    result: Tensor = rec.concat([*before, step, *behind], axis=0) if before or behind else step
    return result


@derived
def gradient(f: Any, *spacing: Any, axis: int | Sequence[int] | None = None, edge_order: int = 1) -> Any:
    """The slope of a sampled function along its axes: central differences inside, one-sided ones at the edges.

    Arguments: `spacing` nothing (1), one number, or for each axis a number or the 1-d array of coordinates;
    `axis` one or several (all by default); `edge_order` 1 or 2. Returns a Tensor for one axis, else a tuple.
    Raises ShapeError, ArgumentError. Derivative: linear in f, rational in the coordinates. The weights for
    uneven coordinates are those of Fornberg 1988, as in NumPy. For the derivative of a Python function use `grad`.

    >>> import tinygrad_math as tm
    >>> tm.gradient([0.0, 1.0, 4.0, 9.0])
    tensor([1., 2., 4., 5.])
    """
    f = as_tensor(f)
    axes = range(f.ndim) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
    if len({a % max(f.ndim, 1) for a in axes}) < len(axes):
        raise ArgumentError(f"gradient: an axis is named twice in {tuple(axes)}")
    steps = [_floating(as_tensor(h)) for h in spacing or (1.0,)]
    if len(steps) == 1 and not steps[0].ndim:
        steps *= len(axes)
    if len(steps) != len(axes):
        raise ArgumentError(
            f"gradient along {len(axes)} axes was given {len(spacing)} spacings; give one for each axis"
        )
    if edge_order not in (1, 2):
        raise ArgumentError(f"gradient has edge_order 1 or 2, got {edge_order!r}")
    if f.dtype.kind not in "fc":
        f = rec.astype(f, np.float64)
    slopes = tuple(_slope(f, h, a, edge_order) for a, h in zip(axes, steps, strict=True))
    return slopes[0] if len(slopes) == 1 else slopes


def _slope(f: Any, h: Any, axis: int, edge_order: int) -> Tensor:
    n = f.shape[axis]
    if n <= edge_order:
        raise ShapeError(
            f"gradient of shape {f.shape} along axis {axis} needs {edge_order + 1} or more points there, got {n}"
        )
    if h.ndim and h.shape != (n,):
        raise ShapeError(f"gradient along axis {axis} of length {n} was given coordinates of shape {h.shape}")
    if h.ndim:
        h = rec.reshape(_difference(h), (n - 1,) + (1,) * (f.ndim - 1 - axis % f.ndim))
    rise = _difference(f, axis=axis) / h  # the slope of each interval
    first, last = _cut(rise, axis, 0, 1), _cut(rise, axis, -1, None)
    parts = [first, last]
    if n > 2:
        before, behind = _cut(rise, axis, None, -1), _cut(rise, axis, 1, None)
        if h.ndim:  # a parabola's slope is linear, so each of two intervals' slopes has the other's step as weight
            inner = (before * h[1:] + behind * h[:-1]) / (h[1:] + h[:-1])
        else:  # without the point between, which may be NaN
            inner = (_cut(f, axis, 2, None) - _cut(f, axis, None, -2)) / (2.0 * h)
        if edge_order == 2:  # and a chord's slope lies midway between those at its ends
            first = 2 * first - _cut(inner, axis, 0, 1)
            last = 2 * last - _cut(inner, axis, -1, None)
        parts = [first, inner, last]
    slope: Tensor = rec.concat(parts, axis=axis)
    return slope if slope.dtype.kind != f.dtype.kind else _in(slope, f.dtype)  # of exact coordinates too


# -- areas and interpolation ----------------------------------------------------------------------------


@derived
def trapezoid(y: Any, /, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Tensor:
    """The area under the points y along `axis`, by the trapezoidal rule.

    Arguments: `x` the coordinates, 1-d or in the shape of y, or None for the even spacing `dx`. Raises
    ShapeError, AxisError. Derivative: linear in y, and in x.

    >>> import tinygrad_math as tm
    >>> tm.trapezoid([1.0, 2.0, 3.0], dx=2.0)
    tensor(8.)
    """
    given = as_tensor(y)
    y = _floating(given)
    if not y.ndim:
        raise ShapeError("trapezoid needs an axis to sum along, got a 0-d array")
    plain = x is None and dx.__class__ in (float, int) and given.dtype.kind in "fc"  # which stays in its dtype
    steps = given if plain else as_tensor(dx if x is None else x)
    if x is not None:
        x = _floating(steps)
        if x.ndim == 1:
            dx = rec.reshape(_difference(x), (-1,) + (1,) * (y.ndim - 1 - axis % y.ndim))
        else:
            dx = _difference(x, axis=axis)
    middle = (_cut(y, axis, 1, None) + _cut(y, axis, None, -1)) / 2.0
    area: Tensor = rec.sum(dx * middle, axis=axis)
    if plain:
        return area
    kinds = [v.node.data if is_weak(v) else v.dtype for v in (given, steps)]
    return _in(area, np.result_type(*kinds, 2.0))


def _in(y: Any, dtype: Any) -> Tensor:
    """y in that dtype."""
    result: Tensor = y if y.dtype == dtype else rec.astype(y, dtype)
    return result


def _floating(x: Tensor) -> Any:
    """Integers as floating numbers: differences of unsigned ones would wrap around."""
    return rec.astype(x, np.float64) if x.dtype.kind in "biu" else x


@derived
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Tensor:
    """The piecewise linear function through the points (xp, fp), at x.

    Arguments: `x` any shape; `xp` ascending, 1-d; `fp` of the same length, real or complex; `left`, `right` the
    values outside (fp[0] and fp[-1] by default); `period` wraps x and xp, which then need no order. Raises
    ShapeError. Derivative: in x the slope of the piece (at a knot the right one, outside 0), in fp the two
    weights, in xp minus the slope times these.

    >>> import tinygrad_math as tm
    >>> tm.interp([0.5, 3.0], [0.0, 1.0], [10.0, 20.0])
    tensor([15., 20.])
    """
    x, knots, values = (_floating(as_tensor(a)) for a in (x, xp, fp))
    if "c" in (x.dtype.kind, knots.dtype.kind):
        raise DTypeError(f"interp: x and xp are real, got {describe(x)} and {describe(knots)}")
    if knots.ndim != 1 or knots.shape != values.shape or not knots.size:
        raise ShapeError(f"interp needs xp and fp of one shape (n,), n > 0; got {knots.shape} and {values.shape}")
    kind = np.result_type(knots.dtype, values.dtype, *([] if is_weak(x) else [x.dtype]))
    values, real = rec.astype(values, kind), np.finfo(kind).dtype  # differences have the digits of the result
    x, knots = rec.astype(x, real), rec.astype(knots, real)
    if period is not None:
        if isinstance(period, (int, float)) and period == 0:
            raise ArgumentError("interp: a period of 0 repeats nothing")
        left = right = None
        period = rec.abs(as_tensor(period))
        x, knots = rec.remainder(x, period), rec.remainder(knots, period)
        order = rec.argsort(knots)
        knots, values = rec.take(knots, order, axis=0), rec.take(values, order, axis=0)
        knots = rec.concat([knots[-1:] - period, knots, knots[:1] + period], axis=0)
        values = rec.concat([values[-1:], values, values[:1]], axis=0)
    for edge in (left, right):
        if edge is not None and as_tensor(edge).ndim:
            raise ShapeError(f"interp: left and right are one number each, got {describe(edge)}")
    n = knots.shape[0]
    below, above = rec.less(x, knots[0]), rec.greater(x, knots[-1])
    if n == 1:
        y = rec.broadcast_to(values[0], x.shape)
    else:
        piece = rec.clip(rec.searchsorted(knots, x, side="right") - 1, 0, n - 2)
        width = _difference(knots)
        width = rec.where(rec.equal(width, 0), 1, width)  # a jump: nothing lies inside that piece
        slope = rec.take(_difference(values) / width, piece, axis=0)
        y = slope * (x - rec.take(knots, piece, axis=0)) + rec.take(values, piece, axis=0)
    y = rec.where(below, values[0] if left is None else left, y)
    result: Tensor = rec.where(above, values[-1] if right is None else right, y)
    return result


# -- convolution ----------------------------------------------------------------------------------------


def _start(mode: str, n: int, m: int) -> int:
    """Where a result of this mode begins in the full one."""
    shorter = min(n, m)
    return {"full": 0, "same": (shorter - 1) // 2, "valid": shorter - 1}[mode]


def _whole(xp: Any, g: Any, n: int, m: int, mode: str) -> Any:
    """A cotangent of a part of the full convolution as one of the whole."""
    if mode == "full":
        return g
    start = _start(mode, n, m)
    zeros = np.zeros(n + m - 1, g.dtype)
    return xp.concat([zeros[:start], g, zeros[start + g.shape[0] :]], axis=0)


def _slide(xp: Any, g: Any, other: Any, like: Any, mode: str) -> Any:
    whole = _whole(xp, g, other.shape[0], like.shape[0], mode)
    # of the two the valid part of this has like's length, for whichever of whole and other is longer
    return xp.convolve(whole, xp.getitem(other, slice(None, None, -1)), "valid")


@bilinear(
    lambda xp, g, a, v, mode: _slide(xp, g, v, a, mode),
    lambda xp, g, a, v, mode: _slide(xp, g, a, v, mode),
    latex="{0} * {1}",
    shape="full: (n + m - 1,), same: (max(n, m),), valid: (max(n, m) - min(n, m) + 1,)",
    samples=lambda: [
        *(
            sample(real(n), real(m, key=1), mode=mode)
            for mode in ("full", "same", "valid")
            for n, m in ((5, 3), (2, 4), (4, 4), (1, 3), (4, 2))
        ),
        sample(complexes(4), complexes(3, key=1)),
        sample(complexes(4), real(3), mode="same"),
    ],
)
def convolve(a: Any, v: Any, /, mode: Any = "full") -> Any:
    """The convolution y[k] = sum over i of a[i] v[k - i] of two 1-d arrays.

    Arguments: `mode` "full", "same" (the middle, as long as the longer one) or "valid" (where they overlap
    completely). Raises ShapeError for an empty array. Derivative: bilinear; in a it is the correlation with v.

    >>> import tinygrad_math as tm
    >>> tm.convolve([1.0, 2.0], [1.0, 1.0, 1.0])
    tensor([1., 3., 3., 2.])
    """
    if np.ndim(a) != 1 or np.ndim(v) != 1:
        raise ValueError("convolve needs two 1-d arrays")
    return np.convolve(a, v, mode=mode)


@derived
def correlate(a: Any, v: Any, /, mode: str = "valid") -> Tensor:
    """The correlation y[k] = sum over i of a[i + k] conj(v[i]) of two 1-d arrays.

    Arguments and derivative as for `convolve`, which this is of the reversed conjugate of v.

    >>> import tinygrad_math as tm
    >>> tm.correlate([1.0, 2.0, 3.0], [0.0, 1.0])
    tensor([2., 3.])
    """
    a, v = as_tensor(a), as_tensor(v)
    if a.ndim != 1 or v.ndim != 1:
        raise ShapeError(f"correlate needs two 1-d arrays, got shapes {a.shape} and {v.shape}")
    flipped = (rec.conj(v) if v.dtype.kind == "c" else v)[::-1]
    n, m = a.shape[0], v.shape[0]
    if mode == "same" and n < m:  # NumPy swaps the two and turns the result round: the middle lies one later
        whole = rec.convolve(a, flipped, "full")
        return whole[n // 2 : n // 2 + m]  # type: ignore[no-any-return]
    result: Tensor = rec.convolve(a, flipped, mode)
    return result
