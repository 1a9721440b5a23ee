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


def _regions(x: Any, axis: int, m: int, filled: float) -> Any:
    """x with the n places of an axis as m regions of equal length, (m, length); a shorter one is filled up."""
    n, (start, end) = x.shape[axis], _ends(x.shape[axis], m)
    if n % m == 0:
        return rec.reshape(x, (*x.shape[:axis], m, n // m, *x.shape[axis + 1 :]))
    places = start[:, None] + np.arange(max(end - start))
    beyond = (places >= end[:, None]).reshape(places.shape + (1,) * (x.ndim - axis - 1))
    x = rec.take(x, np.minimum(places, n - 1), axis=axis)
    return rec.where(beyond, filled, x) if beyond.any() else x


def _mean_of_regions(x: Any, axis: int, m: int) -> Any:
    """The mean of each of m regions of an axis: what is NaN or infinite in one of them stays there."""
    inside = _regions(x, axis, m, 0.0)
    if x.shape[axis] % m == 0:
        return rec.mean(inside, axis=axis + 1)
    start, end = _ends(x.shape[axis], m)
    lengths = (end - start).astype(x.dtype).reshape(m, *(1,) * (x.ndim - axis))
    return rec.sum(inside / lengths, axis=axis + 1)


def _average(axes: int, x: Any, output_size: Any) -> Tensor:
    asker = f"adaptive_avg_pool{axes}d"
    x, single = check_image(x, axes, asker)
    for axis, m in enumerate(_lengths(axes, x, output_size, asker), start=2):
        x = _mean_of_regions(x, axis, m)
    return rec.squeeze(x, axis=0) if single else x


def _largest(axes: int, x: Any, output_size: Any) -> Tensor:
    asker = f"adaptive_max_pool{axes}d"
    x, single = check_image(x, axes, asker)
    for axis, m in reversed([*enumerate(_lengths(axes, x, output_size, asker), start=2)]):
        x = _regions(x, axis, m, -np.inf)
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
