"""What a network's backward pass spends its time in, done by BLAS where plain arrays are small.

On a 100 x 16 batch, NumPy's sum over the rows takes four times as long as a product with ones, and `dot` half a
microsecond less than `matmul`. Recorded, both are the ordinary ops.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.declare import helper
from ..core.op import raw

_DOUBLE = np.dtype(float)
_ONES = {np.dtype(kind): np.ones(4096, kind) for kind in "fd"}
for _ones in _ONES.values():
    _ones.flags.writeable = False
_DOUBLES = _ONES[_DOUBLE]


@helper("batch_sum")
def batch_sum(xp: Any, g: Any) -> Any:
    """The sum over axis 0."""
    if xp is raw and g.ndim == 2:
        kind, n = g.dtype, len(g)
        ones = _DOUBLES if kind is _DOUBLE else _ONES.get(kind)  # which takes long to find by its dtype
        if ones is not None and n <= 4096:
            return ones[:n].dot(g)
    return xp.sum(g, axis=0)


@helper("times")
def times(xp: Any, a: Any, b: Any) -> Any:
    """The product of two matrices."""
    if xp is raw and a.size != 1 and b.size != 1:  # by one number `dot` scales, and skips it if it is 0: no nan then
        return a.dot(b)
    return xp.matmul(a, b)
