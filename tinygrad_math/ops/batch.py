"""What a network's backward pass spends its time in, done by BLAS where plain arrays are small.

On a 100 x 16 batch, NumPy's sum over the rows takes four times as long as a product with ones, and `dot` half a
microsecond less than `matmul`. Recorded, both are the ordinary ops.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ..core.declare import helper
from ..core.op import raw

_BLAS = frozenset({np.dtype("float32"), np.dtype("float64")})


@functools.lru_cache(maxsize=64)
def _ones(n: int, dtype: Any) -> np.ndarray[Any, Any]:
    return np.ones(n, dtype)


@helper("batch_sum")
def batch_sum(xp: Any, g: Any) -> Any:
    """The sum over axis 0."""
    if xp is raw and g.ndim == 2 and len(g) <= 4096 and g.dtype in _BLAS:
        return _ones(len(g), g.dtype).dot(g)
    return xp.sum(g, axis=0)


@helper("times")
def times(xp: Any, a: Any, b: Any) -> Any:
    """The product of two matrices."""
    if xp is raw and a.size != 1 and b.size != 1:  # by one number `dot` scales, and skips it if it is 0: no nan then
        return a.dot(b)
    return xp.matmul(a, b)
