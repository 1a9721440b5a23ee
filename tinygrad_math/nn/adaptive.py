"""Pools to given lengths: the mean or the largest of regions that together cover all places."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.errors import ShapeError, describe
from ..core.tensor import Tensor, rec
from .common import Sizes, sizes
from .convolution import check_image
from .module import Module

__all__ = ["adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_max_pool1d", "adaptive_max_pool2d"]


def _lengths(axes: int, x: Any, output_size: Any, asker: str) -> Sizes:
    if not all(x.shape[2:]):
        raise ShapeError(f"{asker}: there are no places in {describe(x)}")
    wanted = output_size if isinstance(output_size, (tuple, list)) else (output_size,) * axes
    if len(wanted) == axes:
        wanted = tuple(n if w is None else w for w, n in zip(wanted, x.shape[2:], strict=True))
    return sizes(tuple(wanted), axes, asker, "output_size")


def _ends(n: int, m: int) -> tuple[Any, Any]:
    """Where each of m regions of n places begins and ends."""
    return np.arange(m) * n // m, -(-(np.arange(m) + 1) * n // m)


def _averages(n: int, m: int) -> np.ndarray[Any, Any]:
    """The matrix (m, n) that averages the regions of n places."""
    place, (start, end) = np.arange(n), _ends(n, m)
    inside = (place >= start[:, None]) & (place < end[:, None])
    return inside / inside.sum(1, keepdims=True)


def _average(axes: int, x: Any, output_size: Any) -> Tensor:
    asker = f"adaptive_avg_pool{axes}d"
    x, single = check_image(x, axes, asker)
    lengths = _lengths(axes, x, output_size, asker)
    matrices = [_averages(n, m).astype(x.dtype) for n, m in zip(x.shape[2:], lengths, strict=True)]
    y = rec.matmul(x, matrices[-1].T) if axes == 1 else rec.matmul(rec.matmul(matrices[0], x), matrices[1].T)
    return rec.squeeze(y, axis=0) if single else y


def _largest(axes: int, x: Any, output_size: Any) -> Tensor:
    asker = f"adaptive_max_pool{axes}d"
    x, single = check_image(x, axes, asker)
    for axis, m in reversed([*enumerate(_lengths(axes, x, output_size, asker), start=2)]):
        n = x.shape[axis]
        start, end = _ends(n, m)
        places = start[:, None] + np.arange(max(end - start))  # of the longest region; what is beyond the others
        beyond = places >= end[:, None]  # counts as -inf
        x = rec.take(x, np.minimum(places, n - 1), axis=axis)
        if beyond.any():
            x = rec.where(beyond.reshape(beyond.shape + (1,) * (x.ndim - axis - 2)), -np.inf, x)
    within = (3,) if axes == 1 else (3, 5)
    y = rec.max(x, axis=within)
    return rec.squeeze(y, axis=0) if single else y


@named
def adaptive_avg_pool1d(input: Any, output_size: Any) -> Tensor:
    """The mean over output_size regions of (n, channels, length); regions as for `adaptive_avg_pool2d`.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.adaptive_avg_pool1d([[[1.0, 3.0, 2.0, 0.0]]], 2)
    tensor([[[2., 1.]]])
    """
    return _average(1, input, output_size)


@named
def adaptive_avg_pool2d(input: Any, output_size: Any) -> Tensor:
    """The mean over output_size regions of images (n, channels, height, width).

    Region i of m reaches from i n / m to (i + 1) n / m. Arguments: `output_size` a number, or a pair in which None
    keeps the length. The regions of a length that m does not divide overlap, as in PyTorch. Derivative: linear.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.functional.adaptive_avg_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 1)
    tensor([[[[7.5]]]])
    """
    return _average(2, input, output_size)


@named
def adaptive_max_pool1d(input: Any, output_size: Any) -> Tensor:
    """The largest of output_size regions of (n, channels, length); regions as for `adaptive_avg_pool2d`.

    Derivative: 1 at the maximum; ties share it.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.adaptive_max_pool1d([[[1.0, 3.0, 2.0, 0.0]]], 2)
    tensor([[[3., 2.]]])
    """
    return _largest(1, input, output_size)


@named
def adaptive_max_pool2d(input: Any, output_size: Any) -> Tensor:
    """The largest of output_size regions of images; regions as for `adaptive_avg_pool2d`.

    Derivative: 1 at the maximum; ties share it.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.functional.adaptive_max_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 1)
    tensor([[[[15.]]]])
    """
    return _largest(2, input, output_size)


class _AdaptivePool(Module):
    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptivePool):
    """`functional.adaptive_avg_pool1d` as a layer.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.AdaptiveAvgPool1d(2)(np.ones((4, 3, 8))).shape
    (4, 3, 2)
    """

    def forward(self, x: Any) -> Tensor:
        return _average(1, x, self.output_size)


class AdaptiveAvgPool2d(_AdaptivePool):
    """`functional.adaptive_avg_pool2d` as a layer.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.AdaptiveAvgPool2d((2, None))(np.ones((4, 3, 8, 5))).shape
    (4, 3, 2, 5)
    """

    def forward(self, x: Any) -> Tensor:
        return _average(2, x, self.output_size)


class AdaptiveMaxPool1d(_AdaptivePool):
    """`functional.adaptive_max_pool1d` as a layer.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.AdaptiveMaxPool1d(2)(np.ones((4, 3, 8))).shape
    (4, 3, 2)
    """

    def forward(self, x: Any) -> Tensor:
        return _largest(1, x, self.output_size)


class AdaptiveMaxPool2d(_AdaptivePool):
    """`functional.adaptive_max_pool2d` as a layer.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.AdaptiveMaxPool2d((2, None))(np.ones((4, 3, 8, 5))).shape
    (4, 3, 2, 5)
    """

    def forward(self, x: Any) -> Tensor:
        return _largest(2, x, self.output_size)
