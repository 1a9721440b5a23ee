"""Reading and writing parts of an array."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.declare import linear
from ..core.samples import real, sample


def _is_basic(key: Any) -> bool:
    parts = key if isinstance(key, tuple) else (key,)
    return all(k is None or k is Ellipsis or isinstance(k, (int, slice, np.integer)) for k in parts)


@linear(
    lambda xp, g, x, key: xp.scatter(g, x.shape, key),
    latex="{0}[{key}]",
    samples=lambda: [sample(real(3, 2), 0), sample(real(3), np.array([0, 0, 2]))],
)
def getitem(x: Any, /, key: Any) -> Any:
    """x[key]."""
    return x[key]


@linear(lambda xp, g, x, shape, key: xp.getitem(g, key), samples=lambda: [sample(real(2), (3, 2), 0)])
def scatter(x: Any, /, shape: Any, key: Any) -> Any:
    """Zeros of `shape`, with x added at `key`; repeated indices add up."""
    out = np.zeros(shape, x.dtype)
    if _is_basic(key):
        out[key] = x
    else:
        np.add.at(out, key, x)
    return out
