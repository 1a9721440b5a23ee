"""The elements of an array turned, shifted, repeated, masked to a triangle, put on a diagonal, or padded."""

from __future__ import annotations

from collections.abc import Callable
from operator import index as as_int
from typing import Any

import numpy as np

from ..core.declare import derived, linear
from ..core.errors import ArgumentError, AxisError, DTypeError, ShapeError, describe
from ..core.samples import complexes, real, sample
from ..core.tensor import Tensor, as_tensor, rec

__all__ = [
    "diag",
    "diagflat",
    "diagonal",
    "flip",
    "fliplr",
    "flipud",
    "pad",
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
    """The first axis reversed."""
    return rec.flip(x, axis=0)


@derived
def fliplr(x: Any, /) -> Any:
    """The second axis reversed."""
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
    first, second = (_axis(a, x.ndim, "rot90") for a in axes)
    if first == second:
        raise AxisError(f"rot90 turns in the plane of two axes, got {axes} for shape {x.shape}")
    k %= 4
    if k == 2:
        return rec.flip(x, axis=(first, second))
    if k == 1:
        return rec.swapaxes(rec.flip(x, axis=second), first, second)
    return rec.flip(rec.swapaxes(x, first, second), axis=second) if k == 3 else x


def _axis(axis: Any, ndim: int, asker: str) -> int:
    if not -ndim <= axis < ndim:
        raise AxisError(f"{asker}: axis {axis} of an array with {ndim} dimensions; axes count from 0, or from the end")
    return as_int(axis) % ndim


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
    axis = _axis(axis, x.ndim, "repeat")
    counts = np.asarray(repeats.numpy() if isinstance(repeats, Tensor) else repeats)
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
    times = tuple(map(as_int, repetitions)) if np.ndim(repetitions) else (as_int(repetitions),)
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
    ]


@linear(lambda xp, g, x, k: xp.tril(g, k=k), shape="x.shape", samples=_triangle_samples)
def tril(x: Any, /, k: int = 0) -> Any:
    """The lower triangle of each matrix of x, with the diagonal k, and zeros above; the cotangent is g's.

    >>> import tinygrad_math as tm
    >>> tm.tril(tm.ones((2, 2)))
    tensor([[1., 0.],
            [1., 1.]])
    """
    if np.ndim(x) < 2:
        raise ValueError("a triangle needs at least two axes")
    return np.tril(x, k)


@linear(lambda xp, g, x, k: xp.triu(g, k=k), shape="x.shape", samples=_triangle_samples)
def triu(x: Any, /, k: int = 0) -> Any:
    """The upper triangle of each matrix of x, with the diagonal k, and zeros below; the cotangent is g's.

    >>> import tinygrad_math as tm
    >>> tm.triu(tm.ones((2, 2)))
    tensor([[1., 1.],
            [0., 1.]])
    """
    if np.ndim(x) < 2:
        raise ValueError("a triangle needs at least two axes")
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
    n = x.size if N is None else as_int(N)
    if n < 1:
        return rec.zeros_like(x, shape=(x.size, 0))
    columns = [rec.ones_like(x)]
    while len(columns) < n:
        columns.append(x * columns[-1] if len(columns) > 1 else x)
    return rec.stack(columns if increasing else columns[::-1], axis=1)


# -- pad ----------------------------------------------------------------------------------------------
_NEEDS = {  # NumPy's modes, and the one keyword each takes
    "constant": "constant_values",
    "linear_ramp": "end_values",
    "maximum": "stat_length",
    "mean": "stat_length",
    "median": "stat_length",
    "minimum": "stat_length",
    "reflect": "reflect_type",
    "symmetric": "reflect_type",
    "edge": None,
    "wrap": None,
    "empty": None,
}


@derived
def pad(x: Any, pad_width: Any, /, mode: Any = "constant", **options: Any) -> Any:
    """x with a border on every axis.

    Arguments: `pad_width` an int, (before, after), or such a pair for each axis, or a dict from axis to pair;
    `mode` one of NumPy's: "constant" (with `constant_values`), "edge", "wrap", "reflect" and "symmetric" (with
    `reflect_type` "even" or "odd"), "linear_ramp" (to `end_values`), "maximum", "minimum", "mean", "median" (of
    the `stat_length` elements next to the border), "empty"; or a function(vector, widths, axis, options) that
    assigns to the border of a vector, as for np.pad. The values and end values are differentiable too.
    Axes are padded one after another, as in NumPy. "empty" holds zeros. Raises ShapeError, ArgumentError.

    >>> import tinygrad_math as tm
    >>> tm.pad(tm.tensor([1.0, 2.0, 4.0]), (2, 1), mode="reflect", reflect_type="odd")
    tensor([-2.,  0.,  1.,  2.,  4.,  6.])
    """
    x = as_tensor(x)
    if callable(mode):
        return _padded_by(mode, x, pad_width, options)
    if mode not in _NEEDS:
        raise ArgumentError(f"pad: mode is one of {', '.join(_NEEDS)}, got {mode!r}")
    if any(name != _NEEDS[mode] for name in options):
        takes = _NEEDS[mode] or "no option"
        raise ArgumentError(f"pad: mode {mode!r} takes {takes}, got {', '.join(options)}")
    option = next(iter(options.values()), None)
    widths = _widths(pad_width, x.ndim)
    if mode == "empty" or (mode == "constant" and option is None):
        return _zero_padded(x, widths)
    if mode in ("constant", "linear_ramp"):
        ends = _pairs(0 if option is None else option, x.ndim, _NEEDS[mode])
    elif mode in ("maximum", "minimum", "mean", "median"):
        ends = _pairs(option, x.ndim, "stat_length")
    else:
        ends = [(None, None)] * x.ndim
    for axis, (width, pair) in enumerate(zip(widths, ends, strict=True)):
        if width != (0, 0):
            if not x.shape[axis] and mode != "constant":
                raise ShapeError(
                    f"pad: mode {mode!r} has nothing to continue on the empty axis {axis} of {describe(x)}"
                )
            x = _one_axis(x, axis, width, mode, pair, option)
    return x


def _widths(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    """The border before and after, for each axis."""
    if isinstance(pad_width, dict):
        full: list[Any] = [(0, 0)] * ndim
        for axis, width in pad_width.items():
            full[_axis(axis, ndim, "pad")] = width if isinstance(width, (tuple, list)) else (width, width)
        pad_width = full
    widths = [(as_int(a), as_int(b)) for a, b in _pairs(pad_width, ndim, "pad_width")]
    if any(n < 0 for pair in widths for n in pair):
        raise ShapeError(f"pad: widths are 0 or more, got {pad_width}; slice to make an array smaller")
    return widths


def _padded_by(function: Callable[..., Any], x: Tensor, pad_width: Any, options: dict[str, Any]) -> Any:
    """Vector by vector along each axis, what a function assigns to the border: the assignment is recorded."""
    widths = _widths(pad_width, x.ndim)
    y = _zero_padded(x, widths)
    for axis, width in enumerate(widths):
        turned = rec.moveaxis(y, axis, -1)
        vectors = rec.unstack(rec.reshape(turned, (-1, turned.shape[-1])))
        for v in vectors:
            function(v, width, axis, options)
        if vectors:
            y = rec.moveaxis(rec.reshape(rec.stack(vectors), turned.shape), -1, axis)
    return y


def _pairs(value: Any, ndim: int, what: Any) -> list[tuple[Any, Any]]:
    """A number, a pair, or a pair for each axis, as a pair for each axis; Tensors stay Tensors."""
    if isinstance(value, (np.ndarray, Tensor)):
        value = list(value) if value.ndim else value
    if not isinstance(value, (list, tuple)):
        return [(value, value)] * ndim
    rows = [
        list(v) if isinstance(v, (list, tuple)) or (isinstance(v, (np.ndarray, Tensor)) and v.ndim) else v
        for v in value
    ]
    if not any(isinstance(v, list) for v in rows):
        if len(rows) in (1, 2):
            return [(rows[0], rows[-1])] * ndim
    elif all(isinstance(v, list) and len(v) in (1, 2) for v in rows) and len(rows) in (1, ndim):
        pairs = [(v[0], v[-1]) for v in rows]
        return pairs if len(pairs) == ndim else pairs * ndim
    raise ShapeError(f"pad: {what} is a number, a pair, or a pair for each of the {ndim} axes, got {value!r:.60}")


def _zero_padded(x: Tensor, widths: list[tuple[int, int]]) -> Any:
    if not any(n for pair in widths for n in pair):
        return x
    shape = tuple(n + a + b for n, (a, b) in zip(x.shape, widths, strict=True))
    inside = tuple(slice(a, a + n) for n, (a, _) in zip(x.shape, widths, strict=True))
    return rec.embed(x, shape=shape, key=inside)


def _one_axis(x: Tensor, axis: int, width: tuple[int, int], mode: str, pair: tuple[Any, Any], option: Any) -> Any:
    if mode in ("edge", "wrap") or (mode in ("reflect", "symmetric") and option in (None, "even")):
        if mode == "wrap" and 0 in width and x.shape[axis] == 1:
            mode = "edge"
        return rec.take(x, np.pad(np.arange(x.shape[axis]), width, mode=mode), axis=axis)  # type: ignore[call-overload]
    if mode in ("reflect", "symmetric"):
        if option != "odd":
            raise ArgumentError(f"pad: reflect_type is 'even' or 'odd', got {option!r}")
        return _odd(x, axis, width, mode)
    parts = [
        _border(x, axis, width[0], mode, pair[0], 0),
        x,
        _border(x, axis, width[1], mode, pair[1], 1),
    ]
    return rec.concat([p for p in parts if p is not None], axis=axis)


def _border(x: Tensor, axis: int, width: int, mode: str, option: Any, side: int) -> Any:
    """What stands before (side 0) or after (side 1) x along an axis, in x's dtype."""
    if not width:
        return None
    n, before = x.shape[axis], (slice(None),) * axis
    shape = (*x.shape[:axis], width, *x.shape[axis + 1 :])
    if mode == "constant":
        y = as_tensor(option)
    elif mode == "linear_ramp":
        steps = np.arange(width) if side == 0 else np.arange(width)[::-1]
        share = (steps / width).reshape((-1,) + (1,) * (x.ndim - axis - 1))
        edge = rec.getitem(x, (*before, slice(0, 1) if side == 0 else slice(n - 1, n)))
        end = as_tensor(option)
        if x.dtype.kind in "fc":
            share = share.astype(np.finfo(x.dtype).dtype)
        y = end + (edge - end) * share
    else:
        count = n if option is None else min(as_int(option), n)
        if count < 1:
            raise ShapeError(f"pad: stat_length is 1 or more, got {option!r}")
        near = rec.getitem(x, (*before, slice(0, count) if side == 0 else slice(n - count, n)))
        name = {"maximum": "max", "minimum": "min"}.get(mode, mode)
        y = getattr(rec, name)(near, axis=axis, keepdims=True)
        if x.dtype.kind in "iu" and y.dtype.kind == "f":
            y = rec.round(y)
    if y.dtype.kind == "c" and x.dtype.kind != "c":
        raise DTypeError(f"pad: {describe(y)} does not fit an array of {x.dtype}; convert the array with astype")
    if y.dtype != x.dtype:
        y = rec.astype(y, x.dtype)
    return rec.broadcast_to(y, shape)


def _odd(x: Tensor, axis: int, width: tuple[int, int], mode: str) -> Any:
    """The continuation that is odd about both ends: in closed form, x[r] or its mirror, and multiples of the ends."""
    n = x.shape[axis]
    j = np.arange(-width[0], n + width[1])
    if mode == "reflect" and n == 1:
        return rec.take(x, np.zeros_like(j), axis=axis)
    period = 2 * (n - 1) if mode == "reflect" else 2 * n
    turns, r = np.divmod(j, period)
    mirrored = r >= n
    source = np.where(mirrored, (period if mode == "reflect" else period - 1) - r, r)
    column = (-1,) + (1,) * (x.ndim - axis - 1)
    kind = x.dtype.type if x.dtype.kind != "c" else np.finfo(x.dtype).dtype.type
    sign = np.where(mirrored, -1, 1).astype(kind).reshape(column)
    of_last = (2 * turns + 2 * mirrored).astype(kind).reshape(column)
    of_first = (-2 * turns).astype(kind).reshape(column)
    ends = rec.take(x, np.array([0]), axis=axis), rec.take(x, np.array([n - 1]), axis=axis)
    return sign * rec.take(x, source, axis=axis) + of_first * ends[0] + of_last * ends[1]
