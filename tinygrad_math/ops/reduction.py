"""Sums, means and their kin over axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.declare import helper, linear
from ..core.samples import real, sample

Axis = int | tuple[int, ...] | None

_reductions = lambda: [  # noqa: E731
    sample(real(2, 3)),
    sample(real(2, 3), axis=0),
    sample(real(2, 3), axis=-1, keepdims=True),
    sample(real(2, 3, 4), axis=(0, 2)),
    sample(real()),
    sample(real(0, 3), axis=1),
]


@helper("unreduce")
def unreduce(xp: Any, g: Any, like: Any, axis: Axis, keepdims: bool) -> Any:
    """`g`, the size of a reduction over `axis`, spread over the shape of what was reduced."""
    if axis is not None and not keepdims and like.ndim:
        g = xp.expand_dims(g, axis)
    return xp.broadcast_to(g, like.shape)


@linear(
    lambda xp, g, x, axis, dtype, keepdims: xp.unreduce(g, x, axis, keepdims),
    latex=r"\sum {0}",
    shape="x.shape without `axis`",
    samples=_reductions,
)
def sum(x: Any, /, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """The sum over `axis`."""
    return np.add.reduce(x, axis=axis, dtype=dtype, keepdims=keepdims)


@linear(
    lambda xp, g, x, axis, keepdims: xp.unreduce(g / (x.size // max(g.size, 1)), x, axis, keepdims),
    latex=r"\operatorname{{mean}} {0}",
    shape="x.shape without `axis`",
    samples=lambda: [s for s in _reductions() if s.args[0].size],
)
def mean(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """The mean over `axis`."""
    total = np.add.reduce(x, axis=axis, keepdims=keepdims)
    return total / (x.size // max(total.size, 1))
