"""Medians, quantiles and the weights of their derivatives: two places of sorted rows, which lie a known way apart.

Which places these are depends on the part that is asked for, a number that is known, and on the length of the rows.
Of zeros of both signs beside each other NumPy's partition and its sort may take different ones.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..program import Value
from .instructions import Instructions
from .orders import function, sorted_rows
from .places import FAR, Place, c_strides, part_of
from .steps import Steps

Words = list[int] | None


class _Rows(NamedTuple):
    """The elements over which a quantile is taken, in rows as they are and sorted; and its axes."""

    given: Place
    ordered: Place
    along: list[int]


def median(around: Instructions, v: Value, out: Place) -> Words:
    """Words of the mean of the one or two in the middle; what is no number where there is such."""
    steps = Steps(around, [])
    rows = _rows(steps, v.inputs[0], v.params["axis"], v.dtype)
    if rows is None:
        return None
    n, zero = rows.ordered.shape[-1], steps.number(0, v.dtype)
    total = steps.of(np.add, zero, _at(rows.ordered, (n - 1) // 2))  # NumPy's sums begin with 0
    if n % 2 == 0:
        total = steps.of(np.add, total, _at(rows.ordered, n // 2))
    mean = steps.of(np.divide, total, steps.number(2 - n % 2, v.dtype))
    last = _at(rows.ordered, n - 1)
    steps.where(steps.of(np.isnan, last), last, mean, _but(out, rows.along, v.params["keepdims"]))
    return steps.words


def quantile(around: Instructions, v: Value, out: Place) -> Words:
    """Words of what lies a known part of the way between two elements, from the nearer one on, as NumPy has it."""
    x, q = v.inputs
    if not q.constant or v.params["method"] != "linear" or x.dtype != v.dtype or not (q.weak or q.dtype == v.dtype):
        return None
    steps, parts = Steps(around, []), np.asarray(q.example)
    rows = _rows(steps, x, v.params["axis"], v.dtype) if np.all((parts >= 0) & (parts <= 1)) else None
    if rows is None or not _is_numpys(rows.ordered, q):
        return None
    n, last = rows.ordered.shape[-1], _at(rows.ordered, rows.ordered.shape[-1] - 1)
    none, results = steps.of(np.isnan, last), _but(out, [k + parts.ndim for k in rows.along], v.params["keepdims"])
    for index in np.ndindex(parts.shape):
        low, high, way = _between(n, parts[index])
        below, above = _at(rows.ordered, low), _at(rows.ordered, high)
        apart = steps.of(np.subtract, above, below)
        if way < 0.5:
            y = steps.of(np.add, below, steps.of(np.multiply, apart, steps.number(way, v.dtype)))
        else:
            y = steps.of(np.subtract, above, steps.of(np.multiply, apart, steps.number(1 - way, v.dtype)))
        steps.where(none, last, y, part_of(results, index))
    return steps.words


def _between(n: int, part: Any) -> tuple[int, int, Any]:
    """The places in a sorted row between which a part of it ends, and how far on from the first."""
    at = (n - 1) * part
    low = int(np.floor(at))
    return low, min(low + 1, n - 1), at - low


def _is_numpys(rows: Place, q: Value) -> bool:
    """Whether NumPy takes these steps here, too, by a few rows of numbers."""
    n, parts = rows.shape[-1], np.asarray(q.example)
    x = np.sort(np.random.default_rng(0).normal(size=(5, n)).astype(rows.dtype))
    for index in np.ndindex(parts.shape):
        low, high, way = _between(n, parts[index])
        a, b = x[:, low], x[:, high]
        t = x.dtype.type(way if way < 0.5 else 1 - way)
        y = a + (b - a) * t if way < 0.5 else b - (b - a) * t
        if y.tobytes() != np.quantile(x, q.example, axis=1)[index].tobytes():
            return False
    return True


def quantile_weights(around: Instructions, v: Value, out: Place) -> Words:
    """Words of the parts of each element in a quantile: of the two that it lies between, which ties share equally."""
    (x, q), p = v.inputs, v.params
    steps = Steps(around, [])
    rows = None if p["skip"] or p["order"] or not q.constant else _rows(steps, x, p["axis"], x.dtype)
    if rows is None or x.dtype.char not in "df":
        return None
    n, parts = rows.ordered.shape[-1], np.asarray(q.example)
    at = np.quantile(np.arange(n, dtype=float), parts, method=p["method"])
    low = np.floor(at).astype(int)
    last, shares = _at(rows.ordered, n - 1), dict[int, Place]()
    none = steps.of(np.isnan, last)
    for k in {*low.flat, *np.minimum(low + 1, n - 1).flat}:
        value = steps.where(none, last, _at(rows.ordered, int(k)))
        shares[int(k)] = _shared(
            steps, v, rows.given, value._replace(shape=(*value.shape, 1), strides=(*value.strides, 0))
        )
    for index in np.ndindex(parts.shape):
        k, way = int(low[index]), float(at[index] - low[index])
        below, above = shares[k], shares[min(k + 1, n - 1)]
        one = steps.of(np.multiply, steps.number(1 - way, float), below)
        weights = steps.of(np.add, one, steps.of(np.multiply, steps.number(way, float), above))
        target = part_of(out, index)
        steps.cast(_spread_again(weights, target, rows.along), v.dtype, target)
    return steps.words


def _shared(steps: Steps, v: Value, given: Place, value: Place) -> Place:
    """The part of each element in an order statistic."""
    both = steps.of(np.logical_and, steps.of(np.isnan, given), steps.of(np.isnan, value))
    hit = steps.cast(steps.of(np.logical_or, steps.of(np.equal, given, value), both), float)
    count = steps.total(v, hit, {len(hit.shape) - 1}, True)
    return steps.of(np.divide, hit, steps.of(np.maximum, count, steps.number(1, float)))


def _rows(steps: Steps, x: Value, axis: Any, dtype: Any) -> _Rows | None:
    """Rows of all elements along some axes, behind the others."""
    around, by = steps.around, function("sort", dtype.char, None)
    known = dtype.char in "df" and not x.weak and x.size and x.nbytes <= FAR // 2 and x.dtype.kind in "biuf"
    source = around.taken(x, dtype, steps.words) if known else None
    if source is None or by is None:
        return None
    many = len(source.shape)
    axes = range(many) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    along = sorted(int(k) % many for k in axes)
    order = [*(k for k in range(many) if k not in along), *along]
    turned = source._replace(
        shape=tuple(source.shape[k] for k in order), strides=tuple(source.strides[k] for k in order)
    )
    shape = (*turned.shape[: many - len(along)], int(np.prod(turned.shape[many - len(along) :], dtype=int)))
    both = [steps.cast(turned, dtype, _in_order(around.own(turned.shape, dtype))) for _ in range(2)]
    given, ordered = (p._replace(shape=shape, strides=c_strides(shape, dtype.itemsize)) for p in both)
    steps.words += sorted_rows(around, ordered, len(shape) - 1, by)
    return _Rows(given, ordered, along)


def _in_order(p: Place) -> Place:
    return p._replace(strides=c_strides(p.shape, p.dtype.itemsize))


def _at(rows: Place, k: int) -> Place:
    return part_of(rows, (Ellipsis, k))


def _but(out: Place, along: list[int], keepdims: bool) -> Place:
    """The result without the axes of length 1 that it may keep."""
    return part_of(out, tuple(0 if k in along else slice(None) for k in range(len(out.shape)))) if keepdims else out


def _spread_again(rows: Place, like: Place, along: list[int]) -> Place:
    """Rows as axes in their old places."""
    order = [*(k for k in range(len(like.shape)) if k not in along), *along]
    shape = tuple(like.shape[k] for k in order)
    strides = c_strides(shape, rows.dtype.itemsize)
    back = [order.index(k) for k in range(len(order))]
    return rows._replace(shape=like.shape, strides=tuple(strides[k] for k in back))
