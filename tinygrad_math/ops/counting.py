"""Counts: how often a number stands in an array, or falls into a bin. They are linear in weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.declare import derived, general, nondiff
from ..core.errors import ArgumentError, ShapeError, describe
from ..core.samples import real, sample
from ..core.tensor import Tensor, as_tensor, rec

__all__ = ["bincount", "digitize", "histogram", "histogram_bin_edges"]


@nondiff(arity=2, latex=r"\operatorname{{digitize}}({0}, {1})", shape="same as x")
def digitize(x: Any, bins: Any, /, right: bool = False) -> Any:
    """The index of the bin in which each element of x lies; `right` counts the right edge in.

    >>> import tinygrad_math as tm
    >>> tm.digitize([0.2, 1.5, 9.0], [0.0, 1.0, 2.0])
    tensor([1, 2, 3])
    """
    return np.digitize(x, bins, right=right)


@general(
    arity=3,
    latex=r"\operatorname{{edges}}({0}, {1}, {2})",
    shape="(bins + 1,)",
    note="linear in both ends of the range",
    samples=lambda: [
        sample(np.array([0.2, 0.9, 0.4]), 0.0, 1.5, bins=3),
        sample(np.array([0.2, 0.9, 0.4]), np.array(0.5), np.array(0.5), bins=2, smooth=False),
        sample(np.arange(5.0), np.array(0.5), np.array(3.5), bins="sturges"),
        sample(np.zeros(0), 0.0, 1.0, bins=1),
    ],
)
def bin_edges(x: Any, low: Any, high: Any, /, bins: Any = 10) -> Any:
    """NumPy's edges of bins from low to high, in the dtype of all three: a rule looks at x to choose their number."""
    return np.histogram_bin_edges(x, bins=bins, range=(low, high))


@bin_edges.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any, low: Any, high: Any, bins: Any) -> Any:
    w = np.linspace(0, 1, y.shape[0]).astype(y.dtype)
    return None, xp.sum(g * (1 - w)) if need[1] else None, xp.sum(g * w) if need[2] else None


@bin_edges.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, low: Any, high: Any, bins: Any) -> Any:
    w = np.linspace(0, 1, y.shape[0]).astype(y.dtype)
    parts = [t * weight for t, weight in zip(ts[1:], (1 - w, w), strict=True) if t is not None]
    return sum(parts[1:], start=parts[0]) if parts else None


@derived
def histogram_bin_edges(a: Any, /, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    """The edges of bins for a histogram of a: a number of them, NumPy's name of a rule, or the edges themselves.

    Arguments: `range` (low, high), by default the smallest and largest element of a; `weights`, in a's shape, change
    nothing, and no rule takes them. Raises ArgumentError, ShapeError.
    Derivative: that of evenly spaced numbers in both ends of the range; which number of bins a rule chooses has none.

    >>> import tinygrad_math as tm
    >>> tm.histogram_bin_edges([0.0, 1.0, 4.0], bins=4)
    tensor([0., 1., 2., 3., 4.])
    >>> tm.grad(lambda x: tm.histogram_bin_edges(x, bins=4)[1])(tm.tensor([0.0, 1.0, 4.0]))
    tensor([0.75, 0.  , 0.25])
    """
    if np.iterable(bins) and not isinstance(bins, str):
        edges = as_tensor(bins)
        if edges.ndim != 1 or bool(np.any(edges.node.data[:-1] > edges.node.data[1:])):
            raise ArgumentError(f"the edges of bins are ascending numbers in one dimension, got shape {edges.shape}")
        return edges
    if weights is not None:
        if as_tensor(weights).shape != as_tensor(a).shape:
            raise ShapeError(
                f"histogram_bin_edges: the weights {describe(as_tensor(weights))} of {describe(as_tensor(a))}"
            )
        if isinstance(bins, str):
            raise ArgumentError(
                f"histogram_bin_edges: the rule {bins!r:.40} of how many bins there are takes no weights"
            )
    a = rec.reshape(as_tensor(a), (-1,))
    if range is not None and [as_tensor(end).shape for end in range] != [(), ()]:
        raise ArgumentError(f"histogram_bin_edges: range is (low, high), two numbers; got {describe(range)}")
    low, high = range if range is not None else (rec.min(a), rec.max(a)) if a.size else (0, 1)
    return bin_edges(a, low, high, bins)


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
    Derivative: linear in the weights; counts have none; that of the edges see `histogram_bin_edges`.

    >>> import tinygrad_math as tm
    >>> tm.histogram([1.0, 2.0, 1.5], bins=[0.0, 1.5, 2.0])[0]
    tensor([1, 2])
    """
    a = rec.reshape(as_tensor(a), (-1,))
    edges = histogram_bin_edges(a, bins, range)
    if edges.ndim != 1 or edges.size < 2:
        raise ArgumentError(f"histogram needs two or more edges in one dimension, got shape {edges.shape}")
    n = edges.shape[0] - 1
    # 0 and n + 1 count what lies outside; the last bin is closed on the right
    place = rec.where(rec.equal(a, edges[-1]), n, rec.searchsorted(edges, a, side="right"))
    flat = None if weights is None else rec.reshape(as_tensor(weights), (-1,))
    counts = rec.getitem(bincount(place, flat, n + 2), slice(1, n + 1))
    if density:
        e = rec.astype(edges, np.float64) if edges.dtype.kind in "biu" else edges
        counts = counts / (e[1:] - e[:-1]) / rec.sum(counts)
    return counts, edges
