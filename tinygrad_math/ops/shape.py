"""The same numbers under another shape: no element changes, none is lost, so the transposes only rearrange."""

from __future__ import annotations

import math
from operator import index as as_int
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.declare import alias, derived, linear
from ..core.errors import ArgumentError, AxisError, ShapeError, checked_axis, describe
from ..core.samples import complexes, real, sample
from ..core.tensor import Tensor, as_tensor, rec, record

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "broadcast_arrays",
    "broadcast_shapes",
    "broadcast_to",
    "expand",
    "expand_dims",
    "flatten",
    "matrix_transpose",
    "moveaxis",
    "ndim",
    "permute",
    "permute_dims",
    "ravel",
    "reshape",
    "rollaxis",
    "shape",
    "size",
    "squeeze",
    "swapaxes",
    "transpose",
    "unsqueeze",
]


def _sizes(given: tuple[Any, ...]) -> tuple[int, ...]:
    """`f(2, 3)` and `f((2, 3))` both as (2, 3)."""
    if len(given) == 1:
        (only,) = given
        if type(only) is tuple or not hasattr(only, "__index__") or np.ndim(only):
            given = tuple(only)
    return tuple(map(as_int, given))


def _axes(axes: Any, ndim: int, asker: str) -> list[int]:
    out = [checked_axis(a, ndim, asker) for a in (axes if isinstance(axes, (tuple, list)) else (axes,))]
    if len(set(out)) < len(out):
        raise AxisError(f"{asker}: axes {axes} name an axis twice")
    return out


@named
def ndim(x: Any, /) -> int:
    """The number of axes.

    >>> import tinygrad_math as tm
    >>> tm.ndim([[1.0, 2.0]])
    2
    """
    return as_tensor(x).ndim


@named
def shape(x: Any, /) -> tuple[int, ...]:
    """The length of each axis.

    >>> import tinygrad_math as tm
    >>> tm.shape([[1.0, 2.0]])
    (1, 2)
    """
    return as_tensor(x).shape


@named
def size(x: Any, /, axis: int | tuple[int, ...] | None = None) -> int:
    """The number of elements, or of those along an axis or several. Raises AxisError, also for an axis named twice.

    >>> import tinygrad_math as tm
    >>> tm.size([[1.0, 2.0]]), tm.size([[1.0, 2.0]], 0)
    (2, 1)
    """
    t = as_tensor(x)
    axes = range(t.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    named_axes = [checked_axis(k, t.ndim, "size") for k in axes]
    if len(set(named_axes)) < len(named_axes):
        raise AxisError(f"size: axes name each axis once, got axis={describe(axis)} for {t.ndim} dimensions")
    return math.prod(t.shape[k] for k in named_axes)


# -- reshape ------------------------------------------------------------------------------------------
@linear(
    lambda xp, g, x, shape, order, copy: xp.reshape(g, x.shape, order=order),
    latex=r"\operatorname{{reshape}}({0}, {shape})",
    shape="`shape`; one size may be -1",
    samples=lambda: [
        sample(real(2, 3), shape=(3, 2)),
        sample(real(2, 3, 2), shape=(2, -1)),
        sample(real(2, 3, 2), shape=(4, 3), order="F"),
        sample(real(2, 3), shape=6),
        sample(real(), shape=(1, 1)),
        sample(real(1, 1), shape=()),
        sample(real(0, 3), shape=(3, 0)),
        sample(complexes(2, 2), shape=(4,)),
    ],
)
def reshape(x: Any, /, shape: Any, order: str = "C", *, copy: bool | None = None) -> Any:
    """The elements of x, in order, in another shape.

    Arguments: `shape` an int or ints with the same number of elements, one of them may be -1; `order` "C"
    (last axis fastest) or "F"; `copy` True copies, False raises where a copy is needed. As a method,
    `x.reshape(2, 3)` and `x.reshape((2, 3))` are the same. Raises ShapeError if the sizes do not match.
    The cotangent is g in x's shape and the same order.

    >>> import tinygrad_math as tm
    >>> tm.reshape(tm.tensor([1.0, 2.0, 3.0, 4.0]), (2, 2))
    tensor([[1., 2.],
            [3., 4.]])
    """
    if order not in ("C", "F"):
        raise ValueError(f"order is 'C' or 'F', got {order!r}: the other orders depend on the memory layout")
    source = np.asanyarray(x)
    y = source.reshape(shape, order=order)  # it is one of two by now
    if copy is not None and not copy and y.size and not np.may_share_memory(source, y):
        raise ValueError("this reshape needs a copy, and copy=False forbids it")
    return y.copy() if copy else y


@named
def _reshape(x: Any, *sizes: Any, shape: Any = None, order: str = "C", copy: bool | None = None) -> Any:
    if sizes and isinstance(sizes[-1], str):  # NumPy's order, given by position
        sizes, order = sizes[:-1], sizes[-1]
    if not sizes and shape is None:
        raise ArgumentError("reshape needs the new shape: x.reshape(2, 3) or x.reshape((2, 3))")
    wanted = _sizes(sizes or (shape,))
    return record(reshape, (x,), {"shape": wanted, "order": order, "copy": copy})


alias("reshape", _reshape)


@derived
def ravel(x: Any, /, order: str = "C") -> Any:
    """All elements of x on one axis, in "C" or "F" order.

    >>> import tinygrad_math as tm
    >>> tm.ravel(tm.tensor([[1.0, 2.0], [3.0, 4.0]]), order="F")
    tensor([1., 3., 2., 4.])
    """
    return rec.reshape(x, (-1,), order=order)


@derived
def flatten(x: Any, /, start_dim: int = 0, end_dim: int = -1, *, order: str = "C") -> Any:
    """The axes from `start_dim` to `end_dim`, both included, as one.

    >>> import tinygrad_math as tm
    >>> tm.flatten(tm.zeros((2, 3, 4)), start_dim=1).shape
    (2, 12)
    """
    x = as_tensor(x)
    if not x.ndim:
        return rec.reshape(x, (1,))
    first, last = checked_axis(start_dim, x.ndim, "flatten"), checked_axis(end_dim, x.ndim, "flatten")
    if first > last:
        raise AxisError(f"flatten: start_dim={start_dim} lies behind end_dim={end_dim} for shape {x.shape}")
    middle = int(np.prod(x.shape[first : last + 1], dtype=int))
    return rec.reshape(x, (*x.shape[:first], middle, *x.shape[last + 1 :]), order=order)


@linear(
    lambda xp, g, x, axis: xp.reshape(g, x.shape),
    latex="{0}",
    shape="x.shape with a 1 at `axis`",
    samples=lambda: [
        sample(real(2, 3), axis=1),
        sample(real(2, 3), axis=-1),
        sample(real(2, 3), axis=(0, -1)),
        sample(real(), axis=0),
        sample(real(0, 2), axis=1),
    ],
)
def expand_dims(x: Any, /, axis: Any = 0) -> Any:
    """A new axis of length 1 at `axis`, an int or a tuple of positions in the result.

    The cotangent is g in x's shape. Raises AxisError.

    >>> import tinygrad_math as tm
    >>> tm.expand_dims(tm.tensor([1.0, 2.0]), axis=1).shape
    (2, 1)
    """
    if (
        type(axis) is int and type(x) is np.ndarray and -x.ndim - 1 <= axis <= x.ndim
    ):  # NumPy's own takes 10 times as long
        place, shape = axis % (x.ndim + 1), x.shape
        return x.reshape(*shape[:place], 1, *shape[place:])
    return np.expand_dims(x, axis)


@derived
def unsqueeze(x: Any, /, dim: int = 0) -> Any:
    """`expand_dims` under PyTorch's name.

    >>> import tinygrad_math as tm
    >>> tm.zeros(3).unsqueeze(0).shape
    (1, 3)
    """
    return rec.expand_dims(x, axis=dim)


@linear(
    lambda xp, g, x, axis: xp.reshape(g, x.shape),
    latex="{0}",
    shape="x.shape without the 1s at `axis`",
    samples=lambda: [
        sample(real(1, 3), axis=0),
        sample(real(1, 3, 1)),
        sample(real(1, 3, 1), axis=-1),
        sample(real(1, 3, 1), axis=(0, 2)),
        sample(real(1, 1)),
        sample(real(0, 1), axis=1),
    ],
)
def squeeze(x: Any, /, axis: Any = None) -> Any:
    """x without its axes of length 1: those at `axis`, or all of them.

    The cotangent is g in x's shape. Raises ShapeError if an axis is not of length 1.

    >>> import tinygrad_math as tm
    >>> tm.squeeze(tm.zeros((1, 3, 1)), axis=0).shape
    (3, 1)
    """
    return np.squeeze(x, axis)


# -- order of axes ------------------------------------------------------------------------------------
@linear(
    lambda xp, g, x, axes: xp.transpose(g, None if axes is None else _inverse(axes)),
    latex="{0}^T",
    shape="x.shape reversed, or permuted by `axes`",
    samples=lambda: [
        sample(real(2, 3)),
        sample(real(2, 3, 4), axes=(2, 0, 1)),
        sample(real(2, 3, 4), axes=(-1, 0, -2)),
        sample(real(3)),
        sample(real()),
        sample(real(0, 2)),
        sample(complexes(2, 3)),
    ],
)
def transpose(x: Any, /, axes: Any = None) -> Any:
    """The axes of x reversed, or in the order `axes`.

    As a method also `x.transpose(2, 0, 1)`. The cotangent is g under the inverse permutation. Raises
    ShapeError if `axes` is not a permutation.

    >>> import tinygrad_math as tm
    >>> tm.transpose(tm.zeros((2, 3, 4)), (2, 0, 1)).shape
    (4, 2, 3)
    """
    return np.transpose(x, axes)


def _inverse(axes: Any) -> tuple[int, ...]:
    out = [0] * len(axes)
    for k, a in enumerate(axes):
        out[a] = k
    return tuple(out)


@named
def _transpose(x: Any, *order: Any, axes: Any = None) -> Any:
    if len(order) == 1:
        axes = order[0]
    elif order:
        axes = order
    if axes is not None:
        axes = _sizes((axes,))
        ndim = np.ndim(x) if not isinstance(x, Tensor) else x.ndim
        if len(axes) == 2 and ndim > 2:
            raise ShapeError(f"transpose: axes {axes} for {ndim} dimensions; to exchange two axes write swapaxes{axes}")
    return record(transpose, (x,), {"axes": axes})


alias("transpose", _transpose)


@derived
def permute_dims(x: Any, /, axes: Any = None) -> Any:
    """The axes of x in the order `axes`, by default reversed.

    >>> import tinygrad_math as tm
    >>> tm.permute_dims(tm.zeros((2, 3, 4)), (1, 2, 0)).shape
    (3, 4, 2)
    """
    return record(transpose, (x,), {"axes": None if axes is None else _sizes((axes,))})


@derived
def permute(x: Any, /, *axes: Any) -> Any:
    """`permute_dims` under PyTorch's name.

    >>> import tinygrad_math as tm
    >>> tm.zeros((2, 3, 4)).permute(1, 2, 0).shape
    (3, 4, 2)
    """
    return record(transpose, (x,), {"axes": _sizes(axes)})


@linear(
    lambda xp, g, x: xp.matrix_transpose(g),
    latex="{0}^T",
    shape="(..., m, n) -> (..., n, m)",
    samples=lambda: [sample(real(2, 3)), sample(real(4, 2, 3)), sample(real(0, 2, 1)), sample(complexes(2, 3))],
)
def matrix_transpose(x: Any, /) -> Any:
    """The last two axes of x exchanged: every matrix of a stack transposed, without conjugation.

    The cotangent is g with the same axes exchanged. Raises AxisError for fewer than two axes.

    >>> import tinygrad_math as tm
    >>> tm.matrix_transpose(tm.zeros((5, 2, 3))).shape
    (5, 3, 2)
    """
    return x.swapaxes(-1, -2)


@derived
def swapaxes(x: Any, /, axis1: int, axis2: int) -> Any:
    """x with two of its axes exchanged.

    >>> import tinygrad_math as tm
    >>> tm.swapaxes(tm.zeros((2, 3, 4)), 0, -1).shape
    (4, 3, 2)
    """
    x = as_tensor(x)
    order = list(range(x.ndim))
    i, j = checked_axis(axis1, x.ndim, "swapaxes"), checked_axis(axis2, x.ndim, "swapaxes")
    order[i], order[j] = j, i
    return record(transpose, (x,), {"axes": tuple(order)})


@derived
def moveaxis(x: Any, /, source: Any, destination: Any) -> Any:
    """x with the axes `source` moved to the positions `destination`; the others keep their order.

    >>> import tinygrad_math as tm
    >>> tm.moveaxis(tm.zeros((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    x = as_tensor(x)
    start, end = _axes(source, x.ndim, "moveaxis"), _axes(destination, x.ndim, "moveaxis")
    if len(start) != len(end):
        raise ShapeError(f"moveaxis: {len(start)} axes {source} cannot go to {len(end)} positions {destination}")
    order = [k for k in range(x.ndim) if k not in start]
    for where_to, which in sorted(zip(end, start, strict=True)):
        order.insert(where_to, which)
    if order == list(range(x.ndim)):
        return x
    return record(transpose, (x,), {"axes": tuple(order)})


@derived
def rollaxis(x: Any, /, axis: int, start: int = 0) -> Any:
    """x with `axis` moved to stand before the axis `start`; moveaxis says the same more plainly.

    >>> import tinygrad_math as tm
    >>> tm.rollaxis(tm.zeros((2, 3, 4)), 2).shape
    (4, 2, 3)
    """
    x = as_tensor(x)
    k = checked_axis(axis, x.ndim, "rollaxis")
    if not -x.ndim <= as_int(start) <= x.ndim:
        raise AxisError(f"rollaxis: start={start} for an array with {x.ndim} dimensions")
    before = start + x.ndim if start < 0 else start
    return rec.moveaxis(x, k, before - 1 if k < before else before)


# -- broadcasting -------------------------------------------------------------------------------------
@linear(
    lambda xp, g, x, shape: g,  # the walk sums over what was repeated
    latex="{0}",
    shape="`shape`",
    samples=lambda: [
        sample(real(3), shape=(2, 3)),
        sample(real(2, 1), shape=(2, 3)),
        sample(real(), shape=(2, 2)),
        sample(real(3), shape=(3,)),
        sample(real(1, 3), shape=(0, 3)),
        sample(real(0), shape=(2, 0)),
    ],
)
def broadcast_to(x: Any, /, shape: Any) -> Any:
    """x repeated, without copying, to fill `shape`.

    The cotangent is g summed over the repetitions. Raises ShapeError if an axis is neither 1 nor equal.

    >>> import tinygrad_math as tm
    >>> tm.broadcast_to(tm.tensor([1.0, 2.0]), (2, 2))
    tensor([[1., 2.],
            [1., 2.]])
    """
    return np.broadcast_to(x, shape)


@named
def broadcast_shapes(*shapes: Any) -> tuple[int, ...]:
    """The shape of what arrays of these shapes give together. Raises ShapeError where they do not fit.

    >>> import tinygrad_math as tm
    >>> tm.broadcast_shapes((2, 1), (3,))
    (2, 3)
    """
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError as error:
        raise ShapeError(f"the shapes {', '.join(map(str, shapes))} do not broadcast: {error}") from error


@derived
def expand(x: Any, /, *shape: Any) -> Any:
    """`broadcast_to` under PyTorch's name; -1 keeps the size of an axis.

    >>> import tinygrad_math as tm
    >>> tm.zeros((2, 1)).expand(-1, 3).shape
    (2, 3)
    """
    x, wanted = as_tensor(x), _sizes(shape)
    own = (1,) * (len(wanted) - x.ndim) + x.shape
    if len(own) > len(wanted):
        raise ShapeError(f"expand: {describe(x)} has more axes than the shape {wanted}")
    return rec.broadcast_to(x, tuple(have if n == -1 else n for n, have in zip(wanted, own, strict=True)))


@derived
def broadcast_arrays(*arrays: Any) -> Any:
    """The arrays, each repeated to fill the shape that they have together: a list, as the Array API has it.

    >>> import tinygrad_math as tm
    >>> [a.shape for a in tm.broadcast_arrays(tm.zeros((2, 1)), tm.zeros(3))]
    [(2, 3), (2, 3)]
    """
    xs = [as_tensor(a) for a in arrays]
    try:
        shape = np.broadcast_shapes(*(x.shape for x in xs))
    except ValueError as error:
        raise ShapeError(f"broadcast_arrays({', '.join(map(describe, xs))}): {error}") from error
    return [x if x.shape == shape else rec.broadcast_to(x, shape) for x in xs]


def _atleast(arrays: tuple[Any, ...], shape_of: Any) -> Any:
    out = []
    for a in arrays:
        x = as_tensor(a)
        shape = shape_of(x.shape)
        out.append(x if x.shape == shape else rec.reshape(x, shape))
    return out[0] if len(out) == 1 else tuple(out)


@derived
def atleast_1d(*arrays: Any) -> Any:
    """Each array with at least one axis; one array alone is returned alone.

    >>> import tinygrad_math as tm
    >>> tm.atleast_1d(3.0)
    tensor([3.])
    """
    return _atleast(arrays, lambda s: s or (1,))


@derived
def atleast_2d(*arrays: Any) -> Any:
    """Each array with at least two axes: a vector becomes a row.

    >>> import tinygrad_math as tm
    >>> tm.atleast_2d([3.0, 4.0]).shape
    (1, 2)
    """
    return _atleast(arrays, lambda s: (1,) * (2 - len(s)) + s)


@derived
def atleast_3d(*arrays: Any) -> Any:
    """Each array with at least three axes: (n,) becomes (1, n, 1), and (m, n) becomes (m, n, 1).

    >>> import tinygrad_math as tm
    >>> tm.atleast_3d([3.0, 4.0]).shape
    (1, 2, 1)
    """
    return _atleast(arrays, lambda s: {0: (1, 1, 1), 1: (1, *s, 1), 2: (*s, 1)}.get(len(s), s))
