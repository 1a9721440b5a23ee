"""The elements of an array turned, shifted, repeated, masked to a triangle, or put on a diagonal."""

from __future__ import annotations

from operator import index as as_int
from typing import Any

import numpy as np

from ..core.declare import derived, linear
from ..core.errors import ArgumentError, AxisError, DTypeError, ShapeError, checked_axis, describe, integer
from ..core.samples import complexes, real, sample
from ..core.tensor import Tensor, as_tensor, rec

__all__ = [
    "diag",
    "diagflat",
    "diagonal",
    "flip",
    "fliplr",
    "flipud",
    "repeat",
    "roll",
    "rot90",
    "tile",
    "trace",
    "tril",
    "triu",
    "vander",
]


# -- turned and shifted -------------------------------------------------------------------------------
@linear(
    lambda xp, g, x, axis: xp.flip(g, axis=axis),
    shape="x.shape",
    samples=lambda: [
        sample(real(2, 3)),
        sample(real(2, 3), axis=-1),
        sample(real(2, 3, 2), axis=(0, -1)),
        sample(real()),
        sample(real(0, 2), axis=1),
        sample(complexes(3)),
    ],
)
def flip(x: Any, /, *, axis: Any = None) -> Any:
    """x in reverse order along an axis, axes, or all of them; the cotangent is g flipped back.

    >>> import tinygrad_math as tm
    >>> tm.flip(tm.tensor([1.0, 2.0, 3.0]))
    tensor([3., 2., 1.])
    """
    return np.flip(x, axis)


@derived
def flipud(x: Any, /) -> Any:
    """The first axis reversed: upside down.

    >>> import tinygrad_math as tm
    >>> tm.flipud(tm.tensor([[1.0], [2.0]]))
    tensor([[2.],
            [1.]])
    """
    return rec.flip(x, axis=0)


@derived
def fliplr(x: Any, /) -> Any:
    """The second axis reversed: left to right.

    >>> import tinygrad_math as tm
    >>> tm.fliplr(tm.tensor([[1.0, 2.0]]))
    tensor([[2., 1.]])
    """
    return rec.flip(x, axis=1)


@linear(
    lambda xp, g, x, shift, axis: xp.roll(
        g, tuple(-s for s in shift) if isinstance(shift, (tuple, list)) else -shift, axis=axis
    ),
    shape="x.shape",
    samples=lambda: [
        sample(real(4), shift=1),
        sample(real(2, 3), shift=-4),
        sample(real(2, 3), shift=2, axis=-1),
        sample(real(2, 3), shift=(1, 2), axis=(0, 1)),
        sample(real(2, 3), shift=1, axis=(0, 1)),
        sample(real(), shift=1),
        sample(real(0, 2), shift=1, axis=0),
    ],
)
def roll(x: Any, /, shift: Any, *, axis: Any = None) -> Any:
    """x shifted along an axis or axes, what falls off at the end coming in at the front; flattened for None.

    Arguments: `shift` an int, or one for each of `axis`. The cotangent is g rolled back.

    >>> import tinygrad_math as tm
    >>> tm.roll(tm.tensor([1.0, 2.0, 3.0]), 1)
    tensor([3., 1., 2.])
    """
    return np.roll(x, shift, axis)


@derived
def rot90(x: Any, /, k: int = 1, axes: Any = (0, 1)) -> Any:
    """x turned k times by a quarter in the plane of two axes, from the first towards the second.

    >>> import tinygrad_math as tm
    >>> tm.rot90(tm.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[2., 4.],
            [1., 3.]])
    """
    x = as_tensor(x)
    first, second = (checked_axis(a, x.ndim, "rot90") for a in axes)
    if first == second:
        raise AxisError(f"rot90 turns in the plane of two axes, got {axes} for shape {x.shape}")
    k %= 4
    if k == 2:
        return rec.flip(x, axis=(first, second))
    if k == 1:
        return rec.swapaxes(rec.flip(x, axis=second), first, second)
    return rec.flip(rec.swapaxes(x, first, second), axis=second) if k == 3 else x


# -- repeated -----------------------------------------------------------------------------------------
@derived
def repeat(x: Any, repeats: Any, /, axis: int | None = None) -> Any:
    """Each element of x repeated along an axis; x flattened without one.

    Arguments: `repeats` an int, or ints, one for each position along the axis. The cotangent is g summed over
    the repetitions.

    >>> import tinygrad_math as tm
    >>> tm.repeat(tm.tensor([1.0, 2.0]), 2)
    tensor([1., 1., 2., 2.])
    """
    x = as_tensor(x)
    if axis is None:
        x, axis = rec.reshape(x, (-1,)), 0
    axis = checked_axis(axis, x.ndim, "repeat")
    counts = np.asarray(repeats.numpy() if isinstance(repeats, Tensor) else as_tensor(repeats).node.data)
    if (counts.size and counts.dtype.kind not in "iu") or np.any(counts < 0):
        raise DTypeError(f"repeat: repeats are whole numbers, 0 or more, got {describe(repeats)}")
    n, before, after = x.shape[axis], x.shape[:axis], x.shape[axis + 1 :]
    if counts.size == 1:
        r = int(counts.reshape(()))
        spread = rec.broadcast_to(rec.expand_dims(x, axis=axis + 1), (*before, n, r, *after))
        return rec.reshape(spread, (*before, n * r, *after))
    if counts.shape != (n,):
        raise ShapeError(f"repeat: {counts.size} repeats for the {n} positions of axis {axis} of {describe(x)}")
    return rec.take(x, np.repeat(np.arange(n), counts.astype(np.intp)), axis=axis)


@derived
def tile(x: Any, repetitions: Any, /) -> Any:
    """x laid side by side, `repetitions` times along each of the last axes.

    >>> import tinygrad_math as tm
    >>> tm.tile(tm.tensor([1.0, 2.0]), (2, 2))
    tensor([[1., 2., 1., 2.],
            [1., 2., 1., 2.]])
    """
    x = as_tensor(x)
    several = hasattr(repetitions, "__len__") and getattr(repetitions, "ndim", 1) > 0
    times = tuple(integer(r, "tile", "a repetition") for r in (repetitions if several else (repetitions,)))
    if any(r < 0 for r in times):
        raise ShapeError(f"tile: repetitions are 0 or more, got {times}")
    ndim = max(x.ndim, len(times))
    times = (1,) * (ndim - len(times)) + times
    shape = (1,) * (ndim - x.ndim) + x.shape
    if not ndim:
        return rec.copy(x)
    apart = [size for n in shape for size in (1, n)]
    spread = [size for r, n in zip(times, shape, strict=True) for size in (r, n)]
    tiled = rec.broadcast_to(rec.reshape(x, tuple(apart)), tuple(spread))
    return rec.reshape(tiled, tuple(r * n for r, n in zip(times, shape, strict=True)))


# -- triangles and diagonals --------------------------------------------------------------------------
def _triangle_samples() -> list[Any]:
    return [
        sample(real(3, 3)),
        sample(real(2, 4), k=1),
        sample(real(4, 2), k=-1),
        sample(real(2, 3, 3)),
        sample(real(0, 2, 2)),
        sample(real(1, 1)),
        sample(complexes(2, 2)),
        sample(real(3)),
        sample(real(3), k=-1),
    ]


def _rows_together(xp: Any, g: Any, x: Any) -> Any:
    """The cotangent of a vector that was every row of a matrix."""
    return xp.sum(g, axis=0) if x.ndim == 1 else g


@linear(
    lambda xp, g, x, k: _rows_together(xp, xp.tril(g, k=k), x),
    shape="x.shape; (n, n) of a vector",
    samples=_triangle_samples,
)
def tril(x: Any, /, k: int = 0) -> Any:
    """The lower triangle of each matrix of x, with the diagonal k, and zeros above; the cotangent is g's.

    A vector is the row of a square matrix, again and again, as NumPy has it. Raises ShapeError for a number.

    >>> import tinygrad_math as tm
    >>> tm.tril(tm.ones((2, 2)))
    tensor([[1., 0.],
            [1., 1.]])
    """
    if not np.ndim(x):
        raise ValueError("a triangle is one of a matrix, or of a vector as each of its rows")
    return np.tril(x, k)


@linear(
    lambda xp, g, x, k: _rows_together(xp, xp.triu(g, k=k), x),
    shape="x.shape; (n, n) of a vector",
    samples=_triangle_samples,
)
def triu(x: Any, /, k: int = 0) -> Any:
    """The upper triangle of each matrix of x, with the diagonal k, and zeros below; the cotangent is g's.

    A vector is the row of a square matrix, again and again, as NumPy has it. Raises ShapeError for a number.

    >>> import tinygrad_math as tm
    >>> tm.triu(tm.ones((2, 2)))
    tensor([[1., 1.],
            [0., 1.]])
    """
    if not np.ndim(x):
        raise ValueError("a triangle is one of a matrix, or of a vector as each of its rows")
    return np.triu(x, k)


@linear(
    lambda xp, g, x, offset, axis1, axis2: xp.diagonal_embed(g, shape=x.shape, offset=offset, axis1=axis1, axis2=axis2),
    latex=r"\operatorname{{diagonal}}({0})",
    shape="x.shape without two axes, and the diagonal's length at the end",
    samples=lambda: [
        sample(real(3, 3)),
        sample(real(2, 4), offset=1),
        sample(real(4, 2), offset=-2),
        sample(real(2, 3, 4), axis1=-1, axis2=0),
        sample(real(2, 2), offset=5),
        sample(real(0, 2)),
        sample(complexes(2, 2)),
    ],
)
def diagonal(x: Any, /, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonal of the matrices in two axes of x, `offset` steps to the right of the main one.

    Raises ShapeError for fewer than two axes. The cotangent is g on that diagonal, zero elsewhere.

    >>> import tinygrad_math as tm
    >>> tm.diagonal(tm.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([1., 4.])
    """
    return np.diagonal(x, offset, axis1, axis2)


@linear(
    lambda xp, g, x, shape, offset, axis1, axis2: xp.diagonal(g, offset=offset, axis1=axis1, axis2=axis2),
    shape="`shape`",
    samples=lambda: [
        sample(real(3), shape=(3, 3)),
        sample(real(2), shape=(2, 5), offset=2),
        sample(real(3, 2), shape=(2, 3, 4), axis1=-1, axis2=0),
        sample(real(0), shape=(0, 2)),
    ],
)
def diagonal_embed(x: Any, /, shape: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Zeros of `shape` with x on a diagonal: the transpose of diagonal."""
    out = np.zeros(shape, x.dtype)
    places = np.arange(out.size).reshape(shape).diagonal(offset, axis1, axis2)
    out.reshape(-1)[places] = x
    return out


@derived
def diag(x: Any, /, k: int = 0) -> Any:
    """The diagonal k of a matrix; of a vector the matrix that has it there, and zeros elsewhere.

    Raises ShapeError for other shapes.

    >>> import tinygrad_math as tm
    >>> tm.diag(tm.tensor([1.0, 2.0]))
    tensor([[1., 0.],
            [0., 2.]])
    """
    x = as_tensor(x)
    if x.ndim == 2:
        return rec.diagonal(x, offset=k)
    if x.ndim != 1:
        raise ShapeError(f"diag takes a vector or a matrix, got {describe(x)}; diagonal() takes the axes it means")
    n = x.size + abs(k)
    return rec.diagonal_embed(x, shape=(n, n), offset=k)


@derived
def diagflat(x: Any, /, k: int = 0) -> Any:
    """The matrix with all elements of x on its diagonal k.

    >>> import tinygrad_math as tm
    >>> tm.diagflat([[1.0, 2.0]])
    tensor([[1., 0.],
            [0., 2.]])
    """
    return rec.diag(rec.reshape(x, (-1,)), k)


@derived
def trace(x: Any, /, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Any:
    """The sum of a diagonal of the matrices in two axes of x; the cotangent is g on that diagonal.

    >>> import tinygrad_math as tm
    >>> tm.trace(tm.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(5.)
    """
    return rec.sum(rec.diagonal(x, offset=offset, axis1=axis1, axis2=axis2), axis=-1, dtype=dtype)


_MOST_COLUMNS = 1 << 20


@derived
def vander(x: Any, /, N: int | None = None, increasing: bool = False) -> Any:
    """The Vandermonde matrix: the powers of a vector as columns, N of them, falling or increasing.

    >>> import tinygrad_math as tm
    >>> tm.vander(tm.tensor([2.0, 3.0]), 3)
    tensor([[4., 2., 1.],
            [9., 3., 1.]])
    """
    x = as_tensor(x)
    if x.ndim != 1:
        raise ShapeError(f"vander takes a vector, got {describe(x)}")
    if x.dtype.kind in "biu":
        x = rec.astype(x, np.promote_types(x.dtype, int))  # as NumPy: powers of few bits wrap around
    n = x.size if N is None else as_int(N)
    if n < 0:
        raise ShapeError(f"vander: the number of columns is 0 or more, got {n}")
    if n < 1:
        return rec.zeros_like(x, shape=(x.size, 0))
    if n > _MOST_COLUMNS:
        raise ArgumentError(f"vander: {n:,} columns, each made of the one before it; no more than {_MOST_COLUMNS:,}")
    columns = [rec.ones_like(x)]
    while len(columns) < n:
        columns.append(x * columns[-1] if len(columns) > 1 else x)
    return rec.stack(columns if increasing else columns[::-1], axis=1)
