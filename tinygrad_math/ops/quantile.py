"""Medians, quantiles, percentiles.

A quantile is a weighted sum of x whose weights depend on order alone, so both of its rules are a product with
`quantile_weights`, which are constant in x and, for the continuous methods, linear in q.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.declare import derived, general
from ..core.errors import ArgumentError
from ..core.samples import real, sample
from ..core.tensor import Tensor, as_tensor, rec

__all__ = ["median", "nanmedian", "nanpercentile", "nanquantile", "percentile", "quantile"]

Axis = int | tuple[int, ...] | None

# d(place in the sorted array)/dq is n + this, for the methods that are continuous in q (Hyndman and Fan 1996)
_SLOPE = {
    "linear": -1.0,
    "interpolated_inverted_cdf": 0.0,
    "hazen": 0.0,
    "weibull": 1.0,
    "median_unbiased": 1 / 3,
    "normal_unbiased": 1 / 4,
}


def _axes(ndim: int, axis: Axis) -> tuple[int, ...]:
    """The axes, counted from the end: so they hold behind any axes that q puts in front."""
    given = range(ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    return tuple(a % ndim - ndim for a in given)


def _share(rows: Any, value: Any) -> Any:
    """For every q and row, the part of each element in the order statistic `value`: ties share equally."""
    value = value[..., None]
    hit = (rows == value) | (np.isnan(rows) & np.isnan(value))
    return hit / np.maximum(np.add.reduce(hit, axis=-1, keepdims=True), 1)


@general(
    arity=2,
    latex=r"w_{{{1}}}({0})",
    shape="q.shape + x.shape",
    note="constant in x; of order 1, the derivative in q",
    samples=lambda: [
        sample(real(2, 4), 0.3, axis=1, method="linear", skip=False),
        sample(real(5), np.array([0.37, 0.55]), axis=None, method="hazen", skip=False),
        sample(real(2, 3, 4), np.array([0.4]), axis=(0, -1), method="weibull", skip=True),
    ],
)
def quantile_weights(x: Any, q: Any, /, axis: Axis, method: Any, skip: bool, order: int = 0) -> Any:
    """The weights w with quantile(x, q) = sum over `axis` of w x; `skip` leaves NaN out, as nanquantile does."""
    x = np.asarray(x)  # a program may have a number of Python's, which has no precision of its own
    dtype, q = np.result_type(x, q, np.float16), np.asarray(q)
    if not x.size:
        return np.zeros(q.shape + x.shape, dtype)
    axes = _axes(x.ndim, axis)
    last = tuple(range(-len(axes), 0))
    moved = np.moveaxis(x, axes, last)
    rows = moved.reshape((*moved.shape[: x.ndim - len(axes)], -1))
    ordered = np.broadcast_to(np.sort(rows, axis=-1), q.shape + rows.shape)  # NaN last
    count = np.sum(~np.isnan(rows), axis=-1) if skip else np.full(rows.shape[:-1], rows.shape[-1])
    place, slope = np.zeros(q.shape + count.shape), np.zeros(count.shape)
    for n in np.unique(count[count > 0]):  # NumPy itself says where in 0, 1, ..., n-1 a quantile lies
        here = count == n
        place[..., here] = np.quantile(np.arange(n, dtype=float), q, method=method)[..., None]
        slope[here] = n + _SLOPE[method] if method in _SLOPE else 0.0
    low = np.floor(place).astype(int)
    values = []
    for index in (low, np.minimum(low + 1, np.maximum(count - 1, 0))):
        value = np.take_along_axis(ordered, index[..., None], axis=-1)[..., 0]
        values.append(value if skip else np.where(np.isnan(ordered[..., -1]), np.nan, value))
    below, above = _share(rows, values[0]), _share(rows, values[1])
    if order:
        weights = (slope * ((place > 0) & (place < count - 1)))[..., None] * (above - below)
    else:
        part = (place - low)[..., None]
        weights = (1 - part) * below + part * above
    if skip:
        weights = np.where(np.isnan(rows), 0.0, weights)
    return np.moveaxis(weights.reshape(q.shape + moved.shape), last, axes).astype(dtype, copy=False)


@quantile_weights.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any, q: Any, axis: Axis, method: str, skip: bool, order: int) -> Any:
    if order or not need[1]:
        return None, None
    slope = xp.quantile_weights(x, q, axis, method, skip, 1)
    return None, xp.sum(g * slope, axis=tuple(range(q.ndim, q.ndim + x.ndim)))


@quantile_weights.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, q: Any, axis: Axis, method: str, skip: bool, order: int) -> Any:
    if order or ts[1] is None:
        return None
    return xp.quantile_weights(x, q, axis, method, skip, 1) * xp.reshape(ts[1], q.shape + (1,) * x.ndim)


def _slope_in_q(xp: Any, x: Any, q: Any, axis: Axis, method: str, skip: bool) -> Any:
    """The terms whose sum over `axis` is d quantile / dq; infinite elements with weight 0 do not count."""
    w = xp.quantile_weights(x, q, axis, method, skip, 1)
    return xp.where(xp.equal(w, 0), 0.0, w * x)


def _vjp(xp: Any, need: Any, g: Any, x: Any, q: Any, axis: Axis, method: str, skip: bool) -> tuple[Any, Any]:
    """Cotangents of x and q."""
    hit = _axes(x.ndim, axis)
    ahead = getattr(q, "ndim", 0)  # a Python number has none
    front = g.shape[:ahead]
    g = xp.reshape(g, (*front, *(1 if a - x.ndim in hit else n for a, n in enumerate(x.shape))))
    gx = gq = None
    if need[0]:
        gx = g * xp.quantile_weights(x, q, axis, method, skip)
        if ahead:
            gx = xp.sum(gx, axis=tuple(range(ahead)))
    if need[1]:
        gq = xp.sum(g * _slope_in_q(xp, x, q, axis, method, skip), axis=tuple(range(ahead, ahead + x.ndim)))
    return gx, gq


def _jvp(xp: Any, ts: Any, x: Any, q: Any, axis: Axis, method: str, skip: bool, keepdims: bool) -> Any:
    tx, tq = ts
    hit = _axes(x.ndim, axis)
    terms = None if tx is None else tx * xp.quantile_weights(x, q, axis, method, skip)
    if tq is not None:
        more = _slope_in_q(xp, x, q, axis, method, skip) * xp.reshape(tq, q.shape + (1,) * x.ndim)
        terms = more if terms is None else terms + more
    return xp.sum(terms, axis=hit, keepdims=keepdims)


def _quantile_samples() -> list[Any]:
    qs = np.array([[0.21, 0.4], [0.6, 0.86]])
    return [
        sample(real(5), 0.3),
        sample(real(2, 4), 0.55, axis=-1, keepdims=True),
        sample(real(2, 3, 4), np.array([0.2, 0.65]), axis=(0, 2)),
        sample(real(4, 3), qs, axis=0),
        sample(real(4, 3), qs, keepdims=True),
        *(sample(real(6), 0.47, method=m) for m in sorted(_SLOPE)),
        *(sample(real(6), 0.47, method=m) for m in ("lower", "higher", "midpoint", "nearest", "inverted_cdf")),
        *(sample(real(6), 0.47, method=m) for m in ("averaged_inverted_cdf", "closest_observation")),
        sample(real(), 0.3),
        sample(np.array([1.0, 2.0, 2.0, 2.0]), 0.5, smooth=False),
        sample(real(3), np.array([0.0, 1.0]), smooth=False),
    ]


def _with_nan() -> Any:
    x = real(3, 5)
    x[0, 1] = x[2, 0] = x[2, 3] = np.nan
    return x


@general(
    arity=2,
    latex=r"Q_{{{1}}}({0})",
    shape="q.shape + x.shape without `axis`",
    note="ties share the derivative equally",
    samples=_quantile_samples,
)
def quantile(x: Any, q: Any, /, axis: Axis = None, *, method: Any = "linear", keepdims: bool = False) -> Any:
    """The value below which the part q of x lies, over `axis`; NaN if there is one.

    Arguments: `x` a real array; `q` in 0..1, a number or an array; `axis` an int, a tuple or None for all;
    `method` any of NumPy's thirteen. Returns shape q.shape + the rest of x's. Raises ShapeError for q outside.
    Derivative: in x the interpolation weights of the two neighbours, which ties share; in q the slope between
    them (0 for methods that jump). The methods: Hyndman and Fan 1996.

    >>> import tinygrad_math as tm
    >>> tm.quantile([1.0, 2.0, 4.0], [0.5, 0.75])
    tensor([2., 3.])
    """
    return np.quantile(x, q, axis=axis, method=method, keepdims=keepdims)


@general(
    arity=2,
    latex=r"Q_{{{1}}}({0})",
    shape="q.shape + x.shape without `axis`",
    note="without NaN; ties share the derivative equally",
    samples=lambda: [sample(real(5), 0.3), sample(real(2, 4), np.array([0.2, 0.7]), axis=1)],
)
def nanquantile(x: Any, q: Any, /, axis: Axis = None, *, method: Any = "linear", keepdims: bool = False) -> Any:
    """`quantile` of the elements that are not NaN; of none, NaN with a warning. NaN elements have derivative 0."""
    return np.nanquantile(x, q, axis=axis, method=method, keepdims=keepdims)


# -- with weights -------------------------------------------------------------------------------------------


def _weighted_samples() -> list[Any]:
    w = np.array([1.0, 2.0, 0.5, 3.0])
    return [
        sample(real(4), 0.3, w, axis=None),
        sample(real(2, 4), np.array([0.2, 0.7]), w, axis=1, keepdims=True),
        sample(real(4, 3), 0.6, w, axis=0),
    ]


def _by_weight(x: Any, q: Any, weights: Any, axis: Axis, skip: bool, keepdims: bool) -> Any:
    find: Any = np.nanquantile if skip else np.quantile
    x, weights = np.asarray(x), np.asarray(weights)
    if skip and weights.ndim == 1 < x.ndim and isinstance(axis, int):  # which NumPy reads along the first axis
        weights = np.broadcast_to(
            np.expand_dims(weights, tuple(k for k in range(x.ndim) if k != axis % x.ndim)), x.shape
        )
    return find(x, q, axis=axis, method="inverted_cdf", keepdims=keepdims, weights=weights)


@general(
    arity=3,
    latex=r"Q_{{{1}}}({0}; {2})",
    shape="q.shape + x.shape without `axis`",
    note="a step in q and in the weights; ties share the derivative equally",
    samples=_weighted_samples,
)
def weighted_quantile(x: Any, q: Any, weights: Any, /, axis: Axis, skip: bool = False, keepdims: bool = False) -> Any:
    """The smallest element over `axis` up to which the weights make up the part q of all."""
    return _by_weight(x, q, weights, axis, skip, keepdims)


@general(arity=3, latex=r"w_{{{1}}}({0}; {2})", shape="q.shape + x.shape", samples=_weighted_samples)
def weighted_shares(x: Any, q: Any, weights: Any, /, axis: Axis, skip: bool = False, keepdims: bool = False) -> Any:
    """The part of each element in its weighted quantile, which is one of them: ties share equally."""
    x = np.asarray(x)
    dtype = np.result_type(x, np.float16)
    value = _by_weight(x, q, weights, axis, skip, True)
    hit = (x == value) | (np.isnan(x) & np.isnan(value))
    return (hit / np.maximum(np.add.reduce(hit, axis=_axes(x.ndim, axis), keepdims=True), 1)).astype(dtype)


@weighted_shares.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, *args: Any, **params: Any) -> Any:
    return None, None, None


@weighted_shares.defjvp
def _(xp: Any, ts: Any, y: Any, *args: Any, **params: Any) -> Any:
    return None


@weighted_quantile.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any, q: Any, w: Any, axis: Axis, skip: bool, keepdims: bool) -> Any:
    if not need[0]:
        return None, None, None
    hit, ahead = _axes(x.ndim, axis), getattr(q, "ndim", 0)
    g = xp.reshape(g, (*g.shape[:ahead], *(1 if a - x.ndim in hit else n for a, n in enumerate(x.shape))))
    gx = g * xp.weighted_shares(x, q, w, axis, skip)
    return xp.sum(gx, axis=tuple(range(ahead))) if ahead else gx, None, None


@weighted_quantile.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, q: Any, w: Any, axis: Axis, skip: bool, keepdims: bool) -> Any:
    if ts[0] is None:
        return None
    return xp.sum(ts[0] * xp.weighted_shares(x, q, w, axis, skip), axis=_axes(x.ndim, axis), keepdims=keepdims)


def _masked(skip: bool, name: str, percent: bool) -> Any:
    """NumPy's quantile with weights, which it has for one method."""

    def weighted(
        a: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False, *, weights: Any = None
    ) -> Any:
        if method != "inverted_cdf":
            raise ArgumentError(f"{name}: with weights= the method is 'inverted_cdf', got {method!r:.40}")
        return weighted_quantile(a, _part(q) if percent else q, weights, axis=axis, skip=skip, keepdims=keepdims)

    return weighted


for _name in ("quantile", "percentile", "nanquantile", "nanpercentile"):
    setattr(rec, f"masked_{_name}", _masked(_name.startswith("nan"), _name, _name.endswith("percentile")))


def _median_samples() -> list[Any]:
    return [
        sample(real(4)),
        sample(real(2, 3), axis=0),
        sample(real(2, 3), axis=-1, keepdims=True),
        sample(real(2, 3, 3), axis=(0, 2)),
        sample(real()),
        sample(real(1)),
        sample(np.array([1.0, 2.0, 2.0, 2.0]), smooth=False),
    ]


@general(
    latex=r"\operatorname{{median}} {0}",
    shape="x.shape without `axis`",
    note="ties share the derivative equally",
    samples=_median_samples,
)
def median(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """The middle of the sorted elements over `axis`, or the mean of the two in the middle; NaN if there is one.

    Arguments: `axis` an int, a tuple or None for all; `keepdims`. Raises AxisError. Derivative: 1 at the middle
    element, or 1/2 at each of two; equal elements share it.

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.median)(tm.tensor([3.0, 1.0, 2.0, 7.0]))
    tensor([0.5, 0. , 0.5, 0. ])
    """
    return np.median(x, axis=axis, keepdims=keepdims)


@general(
    latex=r"\operatorname{{median}} {0}",
    shape="x.shape without `axis`",
    note="without NaN; ties share the derivative equally",
    samples=_median_samples,
)
def nanmedian(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """`median` of the elements that are not NaN; of none, NaN with a warning. NaN elements have derivative 0."""
    return np.nanmedian(x, axis=axis, keepdims=keepdims)


def _attach(op: Any, skip: bool) -> None:
    @op.defvjp  # type: ignore[untyped-decorator]
    def _(xp: Any, need: Any, g: Any, y: Any, x: Any, q: Any, axis: Axis, method: str, keepdims: bool) -> Any:
        return _vjp(xp, need, g, x, q, axis, method, skip)

    @op.defjvp  # type: ignore[untyped-decorator]
    def _(xp: Any, ts: Any, y: Any, x: Any, q: Any, axis: Axis, method: str, keepdims: bool) -> Any:
        return _jvp(xp, ts, x, q, axis, method, skip, keepdims)


def _attach_median(op: Any, skip: bool) -> None:
    @op.defvjp  # type: ignore[untyped-decorator]
    def _(xp: Any, need: Any, g: Any, y: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
        return _vjp(xp, (True, False), g, x, 0.5, axis, "linear", skip)[:1]

    @op.defjvp  # type: ignore[untyped-decorator]
    def _(xp: Any, ts: Any, y: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
        return _jvp(xp, (ts[0], None), x, 0.5, axis, "linear", skip, keepdims)


_attach(quantile, skip=False)
_attach(nanquantile, skip=True)
_attach_median(median, skip=False)
_attach_median(nanmedian, skip=True)


def _part(q: Any) -> Any:
    """Percent as a part of 1; a Python number stays one, so that it leaves x's dtype alone."""
    return q / 100 if isinstance(q, (int, float)) else rec.divide(as_tensor(q), 100)


@derived
def percentile(x: Any, q: Any, /, axis: Axis = None, *, method: str = "linear", keepdims: bool = False) -> Tensor:
    """`quantile` with q in percent, 0..100.

    >>> import tinygrad_math as tm
    >>> tm.percentile([1.0, 2.0, 4.0], 75)
    tensor(3.)
    """
    result: Tensor = rec.quantile(x, _part(q), axis=axis, method=method, keepdims=keepdims)
    return result


@derived
def nanpercentile(x: Any, q: Any, /, axis: Axis = None, *, method: str = "linear", keepdims: bool = False) -> Tensor:
    """`nanquantile` with q in percent, 0..100.

    >>> import tinygrad_math as tm
    >>> tm.nanpercentile([1.0, float("nan"), 3.0], 50)
    tensor(2.)
    """
    result: Tensor = rec.nanquantile(x, _part(q), axis=axis, method=method, keepdims=keepdims)
    return result
