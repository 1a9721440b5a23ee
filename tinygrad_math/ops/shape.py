"""The same numbers in another arrangement."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.declare import alias, linear
from ..core.samples import real, sample


@linear(lambda xp, g, x, dtype, copy: g, latex="{0}", samples=lambda: [sample(real(3), dtype=np.float32, smooth=False)])
def astype(x: Any, /, dtype: Any, *, copy: bool = True) -> Any:
    """x in another dtype."""
    return np.asarray(x).astype(dtype, copy=copy)


@linear(lambda xp, g, x, shape, copy: xp.reshape(g, x.shape), samples=lambda: [sample(real(2, 3), (3, 2))])
def reshape(x: Any, /, shape: Any, *, copy: bool | None = None) -> Any:
    """The elements of x, in order, in another shape."""
    return np.reshape(x, shape)


@linear(
    lambda xp, g, x, axes: xp.transpose(g, None if axes is None else tuple(int(i) for i in np.argsort(axes))),
    latex="{0}^T",
    samples=lambda: [sample(real(2, 3)), sample(real(2, 3, 4), axes=(2, 0, 1))],
)
def transpose(x: Any, /, axes: Any = None) -> Any:
    """The axes of x reversed, or in the order `axes`."""
    return np.transpose(x, axes)


@linear(lambda xp, g, x: xp.matrix_transpose(g), latex="{0}^T", samples=lambda: [sample(real(2, 3))])
def matrix_transpose(x: Any, /) -> Any:
    """The last two axes of x swapped."""
    return np.swapaxes(x, -1, -2)


@linear(lambda xp, g, x, axis: xp.reshape(g, x.shape), samples=lambda: [sample(real(2, 3), axis=1)])
def expand_dims(x: Any, /, axis: Any = 0) -> Any:
    """A new axis of length 1 at `axis`."""
    return np.expand_dims(x, axis)


@linear(lambda xp, g, x, axis: xp.reshape(g, x.shape), samples=lambda: [sample(real(1, 3), axis=0)])
def squeeze(x: Any, /, axis: Any = None) -> Any:
    """x without its axes of length 1."""
    return np.squeeze(x, axis)


@linear(lambda xp, g, x, shape: g, samples=lambda: [sample(real(3), (2, 3))])
def broadcast_to(x: Any, /, shape: Any) -> Any:
    """x repeated, without copying, to fill `shape`."""
    return np.broadcast_to(x, shape)


@linear(variadic=True, samples=lambda: [sample([real(2, 3), real(1, 3)])])
def concat(arrays: Any, /, *, axis: int | None = 0) -> Any:
    """The arrays one after another along an axis."""
    return np.concatenate(arrays, axis=axis)


@concat.deftranspose
def _(xp: Any, g: Any, *arrays: Any, axis: int | None) -> Any:
    if axis is None:
        g, axis, shapes = xp.reshape(g, (-1,)), 0, [a.shape for a in arrays]
        arrays = tuple(xp.reshape(a, (-1,)) for a in arrays)
    else:
        shapes = [a.shape for a in arrays]
    out, start = [], 0
    for a, shape in zip(arrays, shapes, strict=True):
        stop = start + a.shape[axis]
        cut = (slice(None),) * (axis % g.ndim) + (slice(start, stop),)
        out.append(xp.reshape(xp.getitem(g, cut), shape))
        start = stop
    return out


@linear(variadic=True, samples=lambda: [sample([real(2, 3), real(2, 3, key=1)], axis=1)])
def stack(arrays: Any, /, *, axis: int = 0) -> Any:
    """The arrays side by side along a new axis."""
    return np.stack(arrays, axis=axis)


@stack.deftranspose
def _(xp: Any, g: Any, *arrays: Any, axis: int) -> Any:
    before = (slice(None),) * (axis % g.ndim)
    return [xp.getitem(g, (*before, i)) for i in range(len(arrays))]


alias("concatenate", concat)
