"""Elements picked by index arrays and conditions: take, choose, compress and their kin."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.declare import derived, general
from ..core.errors import ArgumentError, IndexOutOfBounds, ShapeError, checked_axis, describe
from ..core.node import unknown
from ..core.samples import real, sample
from ..core.tensor import Tensor, as_tensor, rec

__all__ = ["choose", "compress", "extract", "put_along_axis", "take", "take_along_axis"]


def _along(indices: Any, shape: Any, axis: int) -> tuple[Any, ...]:
    """The full index that `take_along_axis` means: arange on every axis but one."""
    n = indices.ndim
    return tuple(
        indices if d == axis % n else np.arange(shape[d]).reshape((1,) * d + (-1,) + (1,) * (n - d - 1))
        for d in range(n)
    )


@general(
    arity=2,
    latex=r"\operatorname{{take}}({0}, {1})",
    shape="the indices' shape, broadcast with x but for `axis`",
    samples=lambda: [
        sample(real(3, 4), np.array([[0], [3], [-1]]), axis=1),
        sample(real(3, 2), np.array([[0, 2], [0, 1], [0, 1], [2, 2]]), axis=0),
        sample(real(4), np.array([1, 1])),
        sample(real(1, 4), np.array([[1, 1], [0, 3]])),
        sample(real(2, 3), np.zeros((2, 0), int)),
    ],
)
def take_along_axis(x: Any, indices: Any, /, axis: int | None = -1) -> Any:
    """The elements of x that an index array, of x's shape but for `axis`, names along `axis`.

    Arguments: `indices` integers, for instance of argsort or argmax(keepdims=True); `axis` None flattens x.
    Raises IndexOutOfBounds, ShapeError. The cotangent of x is g added at the indices, repeated ones summed.

    >>> import tinygrad_math as tm
    >>> tm.take_along_axis(tm.tensor([[1.0, 2.0], [3.0, 4.0]]), [[1], [0]], axis=1)
    tensor([[2.],
            [3.]])
    """
    return np.take_along_axis(np.asarray(x), indices, axis)


@take_along_axis.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any, indices: Any, axis: int | None) -> Any:
    return xp.scatter_along_axis(g, indices, shape=x.shape, axis=axis), None


@take_along_axis.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, indices: Any, axis: int | None) -> Any:
    return None if ts[0] is None else xp.take_along_axis(ts[0], indices, axis=axis)


@general(
    arity=2,
    shape="`shape`",
    samples=lambda: [
        sample(real(3, 2), np.array([[0, 1], [3, 3], [-1, 0]]), shape=(3, 4), axis=1),
        sample(real(2, 2), np.array([[1, 1], [0, 3]]), shape=(1, 4), axis=-1),
        sample(real(2), np.array([3, 3]), shape=(2, 2), axis=None),
    ],
)
def scatter_along_axis(values: Any, indices: Any, /, shape: Any, axis: int | None) -> Any:
    """Zeros of `shape` with values added at indices along an axis: the transpose of take_along_axis."""
    out = np.zeros(shape, values.dtype)
    if axis is None:
        np.add.at(out.reshape(-1), indices, values)
    else:
        np.add.at(out, _along(indices, shape, axis), values)
    return out


@scatter_along_axis.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, v: Any, indices: Any, shape: Any, axis: int | None) -> Any:
    return xp.take_along_axis(g, indices, axis=axis), None


@scatter_along_axis.defjvp
def _(xp: Any, ts: Any, y: Any, v: Any, indices: Any, shape: Any, axis: int | None) -> Any:
    return None if ts[0] is None else xp.scatter_along_axis(ts[0], indices, shape=shape, axis=axis)


@derived
def put_along_axis(x: Any, indices: Any, values: Any, axis: int | None) -> Any:
    """Assigns values at the indices that take_along_axis would read, as NumPy does: in x itself.

    Arguments: `values` broadcast to the shape of `indices`; `axis` None means x flattened. Assignment is
    recorded like `x[i] = v`: what was computed from x before keeps the old values. The new x is also
    returned, and for an ndarray the result is only returned. Of repeated indices the last wins.

    >>> import tinygrad_math as tm
    >>> x = tm.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> tm.put_along_axis(x, [[1], [0]], 0.0, axis=1)
    tensor([[1., 0.],
            [0., 4.]])
    """
    old, where_to = as_tensor(x), rec.as_index(indices)
    if axis is None:
        new = rec.reshape(rec.setitem(rec.reshape(old, (-1,)), where_to, values), old.shape)
    else:
        axis = checked_axis(axis, old.ndim, "put_along_axis")
        if where_to.ndim != old.ndim:
            raise ShapeError(
                f"put_along_axis({describe(old)}, {describe(where_to)}): the indices need as many axes as x"
            )
        new = rec.setitem(old, _along(where_to, old.shape, axis), values)
    return x._become(new) if isinstance(x, Tensor) else new


@derived
def take(x: Any, indices: Any, /, axis: int | None = None, mode: str = "raise") -> Any:
    """The elements of x at integer indices along an axis; of x flattened without one.

    Arguments: `indices` integers of any shape, which replaces the axis; `mode` "raise", or "wrap" and "clip"
    for indices beyond the end. Raises IndexOutOfBounds. The cotangent of x is g added at the indices.

    >>> import tinygrad_math as tm
    >>> tm.take(tm.tensor([[1.0, 2.0], [3.0, 4.0]]), [1, 1], axis=1)
    tensor([[2., 2.],
            [4., 4.]])
    """
    x, chosen = as_tensor(x), rec.as_index(indices)
    if axis is None:
        x, axis = rec.reshape(x, (-1,)), 0
    if chosen.dtype.kind == "b":
        chosen = rec.astype(chosen, np.intp)
    axis = checked_axis(axis, x.ndim, "take")
    chosen = _within(chosen, x.shape[axis], mode, "take")
    return rec.getitem(x, (*[slice(None)] * axis, chosen))


def _within(indices: Tensor, size: int, mode: str, asker: str) -> Tensor:
    if mode == "raise":
        return indices
    if mode not in ("wrap", "clip"):
        raise ArgumentError(f"{asker}: mode is 'raise', 'wrap' or 'clip', got {mode!r}")
    return rec.remainder(indices, size) if mode == "wrap" else rec.clip(indices, 0, size - 1)  # type: ignore[no-any-return]


@derived
def choose(x: Any, choices: Any, /, mode: str = "raise") -> Any:
    """Element by element the choice that x names: `choices[x[i]][i]`, all broadcast together.

    Arguments: `x` integers; `choices` a sequence of arrays, or an array whose first axis counts them; `mode`
    as for take. Raises IndexOutOfBounds. The cotangent of a choice is g where it was chosen, else zero.

    >>> import tinygrad_math as tm
    >>> tm.choose([0, 1, 0], [tm.tensor([1.0, 2.0, 3.0]), -1.0])
    tensor([ 1., -1.,  3.])
    """
    if not hasattr(type(choices), "__getitem__") or isinstance(choices, dict):
        raise ArgumentError(f"choose: choices are a sequence of arrays, got {describe(choices)}")
    which, options = rec.as_index(x), [as_tensor(c) for c in choices]
    if not options:
        raise ShapeError("choose needs at least one choice")
    dtype = np.result_type(*(c.node.data for c in options))  # in which Python numbers are weak
    which, *options = rec.broadcast_arrays(which, *(rec.astype(c, dtype) for c in options))
    if (
        mode == "raise"
        and not (which.node.live or unknown(which.node))
        and which.size
        and bool(np.min(which.node.data) < 0)
    ):
        raise IndexOutOfBounds(f"choose: an index below 0 for {len(options)} choices; mode='wrap' counts from the end")
    which = _within(which, len(options), mode, "choose")
    return rec.take_along_axis(rec.stack(options), rec.expand_dims(which, 0), axis=0)[0]


@derived
def compress(condition: Any, x: Any, /, axis: int | None = None) -> Any:
    """The slices of x along an axis where a condition holds; of x flattened without one.

    Arguments: `condition` a vector of truth values, at most as long as the axis. As a method
    `x.compress(condition, axis)`. The cotangent is zero where the condition does not hold.

    >>> import tinygrad_math as tm
    >>> tm.compress([False, True], tm.tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    tensor([[3., 4.]])
    """
    x, mask = as_tensor(x), as_tensor(condition)
    if mask.ndim != 1:
        raise ShapeError(
            f"compress: the condition is a vector, got {describe(mask)}; use extract() for a mask of x's shape"
        )
    if axis is None:
        x, axis = rec.reshape(x, (-1,)), 0
    mask = mask if mask.dtype.kind == "b" else rec.astype(mask, np.bool_)
    axis = checked_axis(axis, x.ndim, "compress")
    before = (slice(None),) * axis
    if mask.size < x.shape[axis]:
        x = rec.getitem(x, (*before, slice(mask.size)))
    return rec.getitem(x, (*before, mask))


@derived
def extract(condition: Any, x: Any, /) -> Any:
    """The elements of x where a condition of its size holds, on one axis.

    >>> import tinygrad_math as tm
    >>> tm.extract([[True, False], [False, True]], tm.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([1., 4.])
    """
    return rec.compress(rec.reshape(condition, (-1,)), rec.reshape(x, (-1,)))
