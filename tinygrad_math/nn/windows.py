"""The neighbourhoods that convolutions and pools look at, and their transpose, the sum of overlapping patches.

Channels come last here: a neighbourhood is then a few runs of memory, and what a convolution gives lies as the next
one wants it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.declare import linear
from ..core.errors import ShapeError, describe
from ..core.samples import real, sample
from .common import Sizes


def spans(size: Sizes, dilation: Sizes) -> Sizes:
    """How many places a window reaches over, along each axis."""
    return tuple(d * (k - 1) + 1 for k, d in zip(size, dilation, strict=True))


def counts(lengths: Sequence[int], size: Sizes, stride: Sizes, dilation: Sizes) -> Sizes:
    """How many windows fit along each axis."""
    reach = spans(size, dilation)
    return tuple((n - r) // s + 1 for n, r, s in zip(lengths, reach, stride, strict=True))


@linear(
    lambda xp, g, x, size, stride, dilation: xp.overlap_add(
        g, size=size, stride=stride, dilation=dilation, lengths=x.shape[1:-1]
    ),
    latex=r"\operatorname{{windows}}({0})",
    shape="(n, *lengths, c) -> (n, *counts, *size, c)",
    samples=lambda: [
        sample(real(2, 5, 3), size=(2,), stride=(1,), dilation=(1,)),
        sample(real(1, 5, 4, 2), size=(3, 2), stride=(2, 1), dilation=(1, 2)),
        sample(real(2, 4, 1), size=(4,), stride=(3,), dilation=(1,)),
        sample(real(0, 3, 3, 1), size=(2, 2), stride=(1, 1), dilation=(1, 1)),
    ],
)
def windows(x: Any, /, size: Sizes, stride: Sizes, dilation: Sizes) -> Any:
    """Every window of `size` places along the middle axes of x (n, *lengths, channels).

    Arguments: `stride` the steps between windows, `dilation` the steps within one, each a tuple with a number an axis.
    Returns (n, *counts, *size, channels). Raises ShapeError where no window fits. Derivative: the op itself; its
    transpose adds overlapping windows up.

    >>> import numpy as np
    >>> windows(np.arange(4.0).reshape(1, 4, 1), size=(2,), stride=(1,), dilation=(1,))[0, :, :, 0].tolist()
    [[0.0, 1.0], [1.0, 2.0], [2.0, 3.0]]
    """
    lengths, reach = x.shape[1:-1], spans(size, dilation)
    if len(lengths) != len(size) or any(n < r for n, r in zip(lengths, reach, strict=True)):
        raise ShapeError(f"windows that reach over {reach} places do not fit into the middle axes of {describe(x)}")
    n, *middle, c = x.strides
    return np.lib.stride_tricks.as_strided(
        x,
        (x.shape[0], *counts(lengths, size, stride, dilation), *size, x.shape[-1]),
        (
            n,
            *(a * s for a, s in zip(middle, stride, strict=True)),
            *(a * d for a, d in zip(middle, dilation, strict=True)),
            c,
        ),
        writeable=False,
    )


@linear(
    lambda xp, g, x, size, stride, dilation, lengths: xp.windows(g, size=size, stride=stride, dilation=dilation),
    latex=r"\operatorname{{windows}}^T({0})",
    shape="(n, *counts, *size, c) -> (n, *lengths, c)",
    samples=lambda: [
        sample(real(2, 4, 2, 3), size=(2,), stride=(1,), dilation=(1,), lengths=(5,)),
        sample(real(1, 2, 2, 3, 2, 2), size=(3, 2), stride=(2, 1), dilation=(1, 2), lengths=(6, 4)),
        sample(real(1, 2, 3, 1), size=(3,), stride=(4,), dilation=(1,), lengths=(9,)),
    ],
)
def overlap_add(x: Any, /, size: Sizes, stride: Sizes, dilation: Sizes, lengths: Sizes) -> Any:
    """The transpose of `windows`: patches put back where they came from, and added where they overlap.

    x is (n, *counts, *size, channels), the result (n, *lengths, channels), with zeros where no window reaches.

    >>> import numpy as np
    >>> overlap_add(np.ones((1, 3, 2, 1)), size=(2,), stride=(1,), dilation=(1,), lengths=(4,))[0, :, 0].tolist()
    [1.0, 2.0, 2.0, 1.0]
    """
    axes = len(size)
    many = x.shape[1 : 1 + axes]
    if x.ndim != 2 + 2 * axes or x.shape[1 + axes : -1] != size or many != counts(lengths, size, stride, dilation):
        raise ShapeError(f"patches {describe(x)} are not the windows of size {size} of an array with axes {lengths}")
    y = np.zeros((x.shape[0], *lengths, x.shape[-1]), x.dtype)
    for place in itertools.product(*map(range, size)):
        where = tuple(
            slice(p * d, p * d + s * (m - 1) + 1, s) for p, d, s, m in zip(place, dilation, stride, many, strict=True)
        )
        y[(slice(None), *where)] += np.ascontiguousarray(x[(slice(None),) * (1 + axes) + place])  # then in long runs
    return y
