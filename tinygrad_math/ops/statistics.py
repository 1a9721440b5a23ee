"""Order statistics, averages, covariances and counts.

A quantile is a weighted sum of x whose weights depend on order alone, so both of its rules are a product with
`quantile_weights`, which are constant in x and, for the continuous methods, linear in q.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.declare import derived, general, nondiff
from ..core.errors import ArgumentError, ShapeError
from ..core.samples import real, sample
from ..core.tensor import Tensor, as_tensor, rec

__all__ = [
    "average",
    "bincount",
    "corrcoef",
    "cov",
    "digitize",
    "histogram",
    "histogram_bin_edges",
    "median",
    "nanmedian",
    "nanpercentile",
    "nanquantile",
    "percentile",
    "quantile",
]

Axis = int | tuple[int, ...] | None

# -- quantiles ------------------------------------------------------------------------------------------

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
    dtype = np.result_type(x, q, np.float16)
    x, q = np.asarray(x), np.asarray(q)
    axes = _axes(x.ndim, axis)
    last = tuple(range(-len(axes), 0))
    moved = np.moveaxis(x, axes, last)
    rows = moved.reshape((*moved.shape[: x.ndim - len(axes)], -1))
    if not x.size:
        return np.zeros(q.shape + x.shape, dtype)
    ordered = np.broadcast_to(np.sort(rows, axis=-1), q.shape + rows.shape)  # NaN last
    count = np.add.reduce(~np.isnan(rows), axis=-1) if skip else np.full(rows.shape[:-1], rows.shape[-1])
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
    """`nanquantile` with q in percent, 0..100."""
    result: Tensor = rec.nanquantile(x, _part(q), axis=axis, method=method, keepdims=keepdims)
    return result


# -- averages and covariances ---------------------------------------------------------------------------


@derived
def average(
    a: Any, /, axis: Axis = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False
) -> Any:
    """The weighted mean over `axis`: sum(a w) / sum(w).

    Arguments: `weights` in the shape of a, or in that of `axis` alone; None weighs all alike; `returned` also
    gives the sum of the weights, as a pair. Raises ShapeError. Derivative: w / sum(w) in a, and
    (a - average) / sum(w) in the weights.

    >>> import tinygrad_math as tm
    >>> tm.average([1.0, 2.0], weights=[3.0, 1.0])
    tensor(1.25)
    """
    a = as_tensor(a)
    if weights is None:
        mean = rec.mean(a, axis=axis, keepdims=keepdims)
        total = as_tensor(np.full(mean.shape, a.size / max(mean.size, 1), mean.dtype))
    else:
        w = _spread_weights(as_tensor(weights), a, axis)
        total = rec.sum(w, axis=axis, keepdims=keepdims)
        mean = rec.sum(a * w, axis=axis, keepdims=keepdims) / total
        total = rec.broadcast_to(total, mean.shape)
    return (mean, total) if returned else mean


def _spread_weights(w: Tensor, a: Tensor, axis: Axis) -> Any:
    if w.shape == a.shape:
        return w
    axes = _axes(a.ndim, axis)
    if axis is None or w.shape != tuple(a.shape[i] for i in axes):
        raise ShapeError(f"average of shape {a.shape} over axis {axis}: weights of shape {w.shape} fit neither")
    if len(axes) > 1:
        w = rec.transpose(w, tuple(int(i) for i in np.argsort(axes)))
    w = rec.reshape(w, tuple(n if i - a.ndim in axes else 1 for i, n in enumerate(a.shape)))
    return rec.broadcast_to(w, a.shape)


@derived
def cov(
    m: Any,
    /,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Tensor:
    """The covariance matrix of variables that are rows (columns with `rowvar=False`) of observations.

    Arguments: `m` 1-d or 2-d; `y` further variables; the sum is divided by n - ddof (1 by default, 0 with
    `bias`); `fweights` how often each observation was made, `aweights` how much it counts. Raises ShapeError.
    Derivative: that of Xc W Xc^H / (n - ddof), with Xc the centred observations.

    >>> import tinygrad_math as tm
    >>> tm.cov([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]])
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    x = _variables(m, rowvar, dtype)
    if y is not None:
        x = rec.concat([x, _variables(y, rowvar, dtype)], axis=0)
    ddof = (0 if bias else 1) if ddof is None else ddof
    n = x.shape[1]
    if fweights is None and aweights is None:
        x, w, total = rec.center(x, axis=1), None, n - ddof
        total = total if total > 0 else 0
    else:
        given = [as_tensor(v) for v in (fweights, aweights) if v is not None]
        for v in given:
            if v.shape != (n,):
                raise ShapeError(f"cov of {n} observations was given weights of shape {v.shape}")
        w = given[0] if len(given) == 1 else given[0] * given[1]
        total = rec.sum(w)
        x = x - rec.expand_dims(rec.matmul(x, w) / total, -1)
        if ddof:
            total = total - ddof * (1 if aweights is None else rec.sum(w * as_tensor(aweights)) / total)
    right = rec.conj(rec.matrix_transpose(x if w is None else x * w))
    c: Tensor = rec.matmul(x, right) / total
    if c.shape == (1, 1):
        c = rec.reshape(c, ())
    return c


def _variables(m: Any, rowvar: bool, dtype: Any) -> Tensor:
    m = as_tensor(m)
    if m.ndim > 2:
        raise ShapeError(f"cov needs variables in 1 or 2 dimensions, got shape {m.shape}")
    if dtype is not None or m.dtype.kind not in "fc":
        m = rec.astype(m, dtype or np.float64)
    if m.ndim < 2:
        return rec.reshape(m, (1, -1))  # type: ignore[no-any-return]
    if not rowvar:
        m = rec.matrix_transpose(m)
    return m  # type: ignore[no-any-return]


@derived
def corrcoef(x: Any, /, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Tensor:
    """The correlation matrix: the covariances over the product of the two standard deviations.

    Arguments as for `cov`. NaN for a constant variable, with NumPy's warning.

    >>> import tinygrad_math as tm
    >>> tm.corrcoef([0.0, 1.0, 2.0], [2.0, 1.0, 0.0])
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    c = cov(x, y, rowvar, dtype=dtype)
    if not c.ndim:
        return c / c  # type: ignore[no-any-return]
    k = np.arange(c.shape[0])
    deviation = rec.sqrt(rec.real(rec.getitem(c, (k, k))))
    c = c / rec.expand_dims(deviation, -1) / deviation
    if c.dtype.kind == "c":
        return rec.clip(rec.real(c), -1, 1) + 1j * rec.clip(rec.imag(c), -1, 1)  # type: ignore[no-any-return]
    return rec.clip(c, -1, 1)  # type: ignore[no-any-return]


# -- counts ---------------------------------------------------------------------------------------------


@nondiff(arity=2, latex=r"\operatorname{{digitize}}({0}, {1})", shape="same as x")
def digitize(x: Any, bins: Any, /, right: bool = False) -> Any:
    """The index of the bin in which each element of x lies; `right` counts the right edge in."""
    return np.digitize(x, bins, right=right)


@nondiff(latex=r"\operatorname{{edges}} {0}", shape="(bins + 1,)")
def histogram_bin_edges(x: Any, /, bins: Any = 10, range: Any = None) -> Any:
    """The edges of bins for a histogram of x: a number of them, or NumPy's name of a rule."""
    return np.histogram_bin_edges(x, bins=bins, range=range)


@nondiff(name="bincount", latex=r"\#\{{{0} = i\}}", shape="(max(x) + 1,)")
def _bincount(x: Any, /, minlength: int = 0) -> Any:
    """How often each of 0, 1, 2, ... stands in x."""
    return np.bincount(x, minlength=minlength)


@general(
    arity=2,
    latex=r"\sum_{{{0} = i}} {1}",
    shape="(max(x) + 1,)",
    note="linear in the weights",
    samples=lambda: [
        sample(np.array([0, 2, 2, 1]), real(4)),
        sample(np.array([0, 2]), real(2), minlength=5),
        sample(np.array([1, 1]), real(2) + 1j),
    ],
)
def weighted_bincount(x: Any, weights: Any, /, minlength: int = 0) -> Any:
    """The sum of the weights of each of 0, 1, 2, ... in x."""
    if np.iscomplexobj(weights):
        parts = [np.bincount(x, part, minlength) for part in (weights.real, weights.imag)]
        return (parts[0] + 1j * parts[1]).astype(weights.dtype)
    out = np.bincount(x, weights, minlength)
    return out.astype(weights.dtype) if weights.dtype.kind == "f" else out


@weighted_bincount.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any, weights: Any, minlength: int) -> Any:
    return None, xp.take_along_axis(g, x, axis=0) if need[1] else None


@weighted_bincount.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, weights: Any, minlength: int) -> Any:
    return None if ts[1] is None else xp.weighted_bincount(x, ts[1], minlength)


@derived
def bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Tensor:
    """How often each of 0, 1, 2, ... stands in the 1-d x, or the sum of the weights there.

    Arguments: `x` integers from 0; `weights` of the same length; `minlength` of the result. Raises DTypeError,
    ShapeError. Derivative: linear in the weights; counts have none.

    >>> import tinygrad_math as tm
    >>> tm.bincount([0, 2, 2], weights=[1.0, 2.0, 3.0])
    tensor([1., 0., 5.])
    """
    counted: Tensor = _bincount(x, minlength=minlength) if weights is None else weighted_bincount(x, weights, minlength)
    return counted


@derived
def histogram(a: Any, /, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    """How many elements of a lie in each bin, and the edges of the bins.

    Arguments: `bins` a number, NumPy's name of a rule, or ascending edges; `range` (low, high); `density`
    normalises the area to 1; `weights` in the shape of a. Returns (counts, edges). Raises ShapeError.
    Derivative: linear in the weights; counts have none.

    >>> import tinygrad_math as tm
    >>> tm.histogram([1.0, 2.0, 1.5], bins=[0.0, 1.5, 2.0])[0]
    tensor([1, 2])
    """
    a = rec.reshape(as_tensor(a), (-1,))
    edges = as_tensor(bins) if np.iterable(bins) and not isinstance(bins, str) else histogram_bin_edges(a, bins, range)
    if edges.ndim != 1 or edges.size < 2:
        raise ArgumentError(f"histogram needs two or more edges in one dimension, got shape {edges.shape}")
    n = edges.shape[0] - 1
    # 0 and n + 1 count what lies outside; the last bin is closed on the right
    place = rec.where(rec.equal(a, edges[-1]), n, rec.searchsorted(edges, a, side="right"))
    flat = None if weights is None else rec.reshape(as_tensor(weights), (-1,))
    counts = rec.getitem(bincount(place, flat, n + 2), slice(1, n + 1))
    if density:
        counts = counts / (edges[1:] - edges[:-1]) / rec.sum(counts)
    return counts, edges
