"""Arrays joined to one, and made longer or shorter."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.declare import derived, linear
from ..core.errors import (
    DTypeError,
    IndexOutOfBounds,
    ShapeError,
    checked_axis,
    describe,
    numeric_dtype,
    refuse_unordered,
)
from ..core.samples import complexes, real, sample
from ..core.tensor import Tensor, as_tensor, rec

__all__ = [
    "append",
    "apply_along_axis",
    "block",
    "column_stack",
    "concat",
    "concatenate",
    "delete",
    "dstack",
    "hstack",
    "insert",
    "stack",
    "vstack",
]


# -- joining ------------------------------------------------------------------------------------------
def _parts(xp: Any, g: Any, *arrays: Any, axis: int | None) -> Any:
    """What concat joined, cut out of g again."""
    if axis is None:  # where a Python number may be among them
        shapes: Any = [getattr(a, "shape", ()) for a in arrays]
        sizes, axis = [math.prod(s) for s in shapes], 0
    else:
        sizes, shapes = [a.shape[axis] for a in arrays], None
    before = (slice(None),) * (axis % g.ndim)
    parts, start = [], 0
    for n in sizes:
        parts.append(xp.getitem(g, (*before, slice(start, start + n))))
        start += n
    return parts if shapes is None else [xp.reshape(p, s) for p, s in zip(parts, shapes, strict=True)]


@linear(
    _parts,
    variadic=True,
    latex=r"\operatorname{{concat}}({0}, \dots)",
    shape="the arrays' shape, with their lengths along `axis` added",
    samples=lambda: [
        sample([real(2, 3), real(1, 3)]),
        sample([real(2, 3), real(2, 0), real(2, 1)], axis=-1),
        sample([real(2, 3), real(2)], axis=None),
        sample([real(2), 1.0], axis=None),
        sample([real(3)]),
        sample([real(2, 2), complexes(1, 2)], axis=0),
    ],
)
def concat(arrays: Any, /, *, axis: int | None = 0) -> Any:
    """The arrays one after another along an existing axis; with axis None all elements on one axis.

    Arguments: `arrays` a sequence whose shapes agree but for `axis`. The dtype is their common one. Raises
    ShapeError, AxisError. The cotangent of each array is its part of g.

    >>> import tinygrad_math as tm
    >>> tm.concat([tm.tensor([1.0, 2.0]), tm.tensor([3.0])])
    tensor([1., 2., 3.])
    """
    return np.concatenate(arrays, axis=axis)


@derived
def concatenate(arrays: Any, /, axis: int | None = 0, *, dtype: Any = None) -> Any:
    """`concat` under NumPy's name, with the result's dtype.

    >>> import tinygrad_math as tm
    >>> tm.concatenate([[[1.0]], [[2.0]]], axis=1)
    tensor([[1., 2.]])
    """
    y = rec.concat(arrays, axis=axis)
    return y if dtype is None else joined_in(y, dtype)


def joined_in(y: Any, dtype: Any) -> Any:
    """What was joined, in the dtype that was asked for."""
    dtype = numeric_dtype(dtype)
    if dtype == y.dtype:
        return y
    if not np.can_cast(y.dtype, dtype, "same_kind"):
        raise DTypeError(f"what is joined, {describe(y)}, does not fit {dtype}; convert it with astype")
    return rec.astype(y, dtype)


rec.joined_in = joined_in


def _slices(xp: Any, g: Any, *arrays: Any, axis: int) -> Any:
    before = (slice(None),) * (axis % g.ndim)
    return [xp.getitem(g, (*before, i)) for i in range(len(arrays))]


@linear(
    _slices,
    variadic=True,
    latex=r"\operatorname{{stack}}({0}, \dots)",
    shape="the arrays' shape with their number at `axis`",
    samples=lambda: [
        sample([real(2, 3), real(2, 3, key=1)], axis=1),
        sample([real(2, 3), real(2, 3, key=1)], axis=-1),
        sample([real(), real(key=1), real(key=2)]),
        sample([real(), 2.0]),
        sample([real(0, 2)]),
        sample([real(2), complexes(2)]),
    ],
)
def stack(arrays: Any, /, *, axis: int = 0) -> Any:
    """Arrays of one shape side by side along a new axis.

    Raises ShapeError, AxisError. The cotangent of each array is its slice of g.

    >>> import tinygrad_math as tm
    >>> tm.stack([tm.tensor([1.0, 2.0]), tm.tensor([3.0, 4.0])], axis=1)
    tensor([[1., 3.],
            [2., 4.]])
    """
    if not all(hasattr(a, "dtype") for a in arrays):  # a Python number takes on the dtype of the others
        dtype = np.result_type(*arrays)
        arrays = [np.asarray(a, dtype) for a in arrays]
    return np.stack(arrays, axis=axis)


def _each(arrays: Any, f: Callable[..., Any]) -> list[Any]:
    refuse_unordered(arrays, "this stacking")
    return [f(a) for a in arrays]


@derived
def hstack(arrays: Any, /) -> Any:
    """The arrays side by side: along the second axis, vectors along the first.

    >>> import tinygrad_math as tm
    >>> tm.hstack([tm.tensor([1.0]), [2.0, 3.0]])
    tensor([1., 2., 3.])
    """
    xs = _each(arrays, rec.atleast_1d)
    return rec.concat(xs, axis=0 if xs and xs[0].ndim == 1 else 1)


@derived
def vstack(arrays: Any, /) -> Any:
    """The arrays on top of each other: along the first axis, vectors as rows.

    >>> import tinygrad_math as tm
    >>> tm.vstack([tm.tensor([1.0, 2.0]), [3.0, 4.0]])
    tensor([[1., 2.],
            [3., 4.]])
    """
    return rec.concat(_each(arrays, rec.atleast_2d), axis=0)


@derived
def dstack(arrays: Any, /) -> Any:
    """The arrays behind each other: along the third axis.

    >>> import tinygrad_math as tm
    >>> tm.dstack([tm.tensor([1.0, 2.0]), [3.0, 4.0]]).shape
    (1, 2, 2)
    """
    return rec.concat(_each(arrays, rec.atleast_3d), axis=2)


@derived
def column_stack(arrays: Any, /) -> Any:
    """Vectors as the columns of a matrix; matrices side by side.

    >>> import tinygrad_math as tm
    >>> tm.column_stack([tm.tensor([1.0, 2.0]), [3.0, 4.0]])
    tensor([[1., 3.],
            [2., 4.]])
    """
    xs = _each(arrays, as_tensor)
    return rec.concat([x if x.ndim > 1 else rec.reshape(x, (-1, 1)) for x in xs], axis=1)


@derived
def block(arrays: Any, /) -> Any:
    """An array out of nested lists of blocks: the innermost lists join along the last axis, and so outwards.

    Raises ShapeError where lists are nested to different depths or blocks do not fit.

    >>> import tinygrad_math as tm
    >>> tm.block([[tm.eye(2), tm.zeros((2, 1))], [tm.ones((1, 2)), 5.0]])
    tensor([[1., 0., 0.],
            [0., 1., 0.],
            [1., 1., 5.]])
    """
    leaves: list[Tensor] = []
    depth = _depth(arrays, leaves)
    ndim = max([depth, *(x.ndim for x in leaves)])
    rest = iter(leaves)

    def build(part: Any, axis: int) -> Any:
        if isinstance(part, list):
            return rec.concat([build(p, axis + 1) for p in part], axis=axis)
        x = next(rest)
        return x if x.ndim == ndim else rec.reshape(x, (1,) * (ndim - x.ndim) + x.shape)

    return build(arrays, -depth)


def _depth(part: Any, leaves: list[Tensor]) -> int:
    """How deep lists are nested, the same everywhere; fills `leaves` in reading order."""
    if not isinstance(part, list):
        if isinstance(part, tuple):
            raise DTypeError("block takes nested lists; a tuple says neither a list of blocks nor an array")
        leaves.append(as_tensor(part))
        return 0
    depths = {_depth(p, leaves) for p in part}
    if len(depths) != 1:
        raise ShapeError(
            "block: an empty list is no block"
            if not depths
            else f"block: lists are nested to different depths here: {sorted(depths)}; wrap the blocks alike"
        )
    return depths.pop() + 1


@derived
def append(x: Any, values: Any, axis: int | None = None) -> Any:
    """x with values after it along an axis; without one both flattened.

    >>> import tinygrad_math as tm
    >>> tm.append(tm.tensor([1.0, 2.0]), 3.0)
    tensor([1., 2., 3.])
    """
    return rec.concat([as_tensor(x), as_tensor(values)], axis=axis)


# -- changing the length ------------------------------------------------------------------------------
def _positions(where: Any) -> Any:
    """A place in a sequence, as NumPy's insert and delete take it: it is static."""
    if isinstance(where, slice):
        return where
    if isinstance(where, Tensor):
        return where.numpy()
    found = np.asarray(as_tensor(where).node.data)
    return found.astype(np.intp) if isinstance(where, (list, tuple)) and not found.size else found


@derived
def delete(x: Any, obj: Any, axis: int | None = None) -> Any:
    """x without the slices at `obj` along an axis; without one x flattened.

    Arguments: `obj` an int, a slice, integers or a mask. Raises IndexOutOfBounds. The cotangent is zero where
    something was deleted.

    >>> import tinygrad_math as tm
    >>> tm.delete(tm.tensor([1.0, 2.0, 3.0]), 1)
    tensor([1., 3.])
    """
    x = as_tensor(x)
    if axis is None:
        x, axis = rec.reshape(x, (-1,)), 0
    axis = checked_axis(axis, x.ndim, "delete")
    kept = _index_map(np.delete, x.shape[axis], _positions(obj))
    return rec.take(x, kept, axis=axis)


@derived
def insert(x: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """x with values put in before the positions `obj` along an axis; without one x flattened.

    Arguments: `obj` an int, a slice or integers; `values` broadcast to the slices that are put in, in a dtype
    that x's dtype can hold, or Python's integers that it can.
    Raises IndexOutOfBounds, ShapeError, DTypeError. Differentiable in both.

    >>> import tinygrad_math as tm
    >>> tm.insert(tm.tensor([1.0, 3.0]), 1, 2.0)
    tensor([1., 2., 3.])
    """
    x, v, where = as_tensor(x), as_tensor(values), _positions(obj)
    if axis is None:
        x, axis = rec.reshape(x, (-1,)), 0
    axis = checked_axis(axis, x.ndim, "insert")
    if v.dtype.kind == "i" and x.dtype.kind == "u" and _are_within(values, x.dtype):
        v = rec.astype(v, x.dtype)
    if not np.can_cast(v.dtype, x.dtype, "same_kind"):
        raise DTypeError(f"insert: {describe(v)} does not fit an array of {x.dtype}; convert one of them with astype")
    if v.ndim < x.ndim:
        v = rec.reshape(v, (1,) * (x.ndim - v.ndim) + v.shape)
    n = x.shape[axis]
    if isinstance(where, slice):
        where = np.arange(n)[where]
    if where.ndim == 0:  # one place: all the values go there
        v = rec.moveaxis(v, 0, axis)
        count = v.shape[axis]
    else:
        count = int(np.count_nonzero(where)) if where.dtype == bool else where.size
    shape = (*x.shape[:axis], count, *x.shape[axis + 1 :])
    if v.shape != shape:
        v = rec.broadcast_to(v, shape)
    if v.dtype != x.dtype:
        v = rec.astype(v, x.dtype)
    order = _index_map(np.insert, n, where, np.arange(n, n + count))
    return rec.take(rec.concat([x, v], axis=axis), order, axis=axis)


def _are_within(values: Any, dtype: Any) -> bool:
    """Whether values are Python's integers, which have no dtype of their own, and this one holds them all."""
    parts = [values] if type(values) is int else values if isinstance(values, (list, tuple)) else [None]
    limits = np.iinfo(dtype)
    return all(type(v) is int and limits.min <= v <= limits.max for v in parts)


def _index_map(change: Callable[..., Any], n: int, *args: Any) -> Any:
    """Where each element of the result comes from: NumPy's own function applied to the positions."""
    try:
        return change(np.arange(n), *args)
    except IndexError as error:
        raise IndexOutOfBounds(f"{change.__name__}: {error}; positions count from 0, or from the end") from error


@derived
def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """A function of a vector applied to each vector of arr along an axis; its result takes that axis's place.

    Arguments: `func1d(v, *args, **kwargs)` returns a number or an array, always of one shape. Raises
    AxisError, ShapeError. Differentiable as far as `func1d` is.

    >>> import tinygrad_math as tm
    >>> tm.apply_along_axis(lambda v: v[0] * v[1], 1, tm.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([ 2., 12.])
    """
    x = as_tensor(arr)
    axis = checked_axis(axis, x.ndim, "apply_along_axis")
    rows = rec.moveaxis(x, axis, -1)
    outer = rows.shape[:-1]
    if 0 in outer:
        raise ShapeError(f"apply_along_axis: {describe(x)} has no vector along axis {axis} to apply a function to")
    rows = rec.unstack(rec.reshape(rows, (-1, x.shape[axis])))
    y = rec.stack([as_tensor(func1d(row, *args, **kwargs)) for row in rows])
    inner = y.ndim - 1
    y = rec.reshape(y, (*outer, *y.shape[1:]))
    if not inner:
        return y
    ends = tuple(range(len(outer), len(outer) + inner))
    return rec.moveaxis(y, ends, tuple(range(axis, axis + inner)))
