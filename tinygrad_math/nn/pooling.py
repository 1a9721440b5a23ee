"""Pools: the maximum or the mean of each window."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.errors import ArgumentError, ShapeError, describe
from ..core.tensor import Tensor, rec
from .common import Size, Sizes, sizes
from .convolution import channels_first, channels_last, check_image
from .module import Module
from .windows import spans

__all__ = ["avg_pool1d", "avg_pool2d", "lp_pool1d", "lp_pool2d", "max_pool1d", "max_pool2d"]


def _more(lengths: Sizes, size: Sizes, stride: Sizes, padding: Sizes, dilation: Sizes, ceil_mode: bool) -> Sizes:
    """Places to add at the end, so that with `ceil_mode` a last window counts that is only partly filled."""
    out = []
    for n, p, r, s in zip(lengths, padding, spans(size, dilation), stride, strict=True):
        last = -((r - n - 2 * p) // s) * s if ceil_mode else 0  # where the last window begins,
        last -= s * (last >= n + p)  # which may not be in the border at the end
        out.append(max(0, last + r - n - 2 * p) if last >= 0 and ceil_mode else 0)
    return tuple(out)


def _pooled(
    axes: int, x: Any, size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool, fill: float, asker: str
) -> tuple[Any, Sizes, Any]:
    """The windows (n, *counts, *size, c) of x, bordered with `fill`; their size; stride, border and what ends it."""
    size = sizes(size, axes, asker, "kernel_size")
    stride = size if stride is None else sizes(stride, axes, asker, "stride")
    padding, dilation = sizes(padding, axes, asker, "padding", least=0), sizes(dilation, axes, asker, "dilation")
    if any(2 * p > k for p, k in zip(padding, size, strict=True)):
        raise ArgumentError(f"{asker}: padding is at most half of kernel_size, got {padding} and {size}")
    lengths = x.shape[2:]
    more = _more(lengths, size, stride, padding, dilation, ceil_mode)
    if any(n + 2 * p + m < r for n, p, m, r in zip(lengths, padding, more, spans(size, dilation), strict=True)):
        raise ShapeError(f"{asker}: a window of size {size} does not fit into {describe(x)}")
    h = channels_last(x)
    if any(padding) or any(more):
        border = [(0, 0), *((p, p + m) for p, m in zip(padding, more, strict=True)), (0, 0)]
        h = rec.pad(h, border, mode="constant", constant_values=fill) if fill else rec.pad(h, border)
    return rec.windows(h, size=size, stride=stride, dilation=dilation), size, (stride, padding, more)


def _max_pool(axes: int, x: Any, size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool) -> Tensor:
    x, single = check_image(x, axes, f"max_pool{axes}d")
    patches, _, _ = _pooled(axes, x, size, stride, padding, dilation, ceil_mode, -np.inf, f"max_pool{axes}d")
    y = channels_first(rec.max(patches, axis=tuple(range(1 + axes, 1 + 2 * axes))))
    return rec.squeeze(y, axis=0) if single else y


@named
def max_pool1d(
    input: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """The largest of each window along the last axis of (n, channels, length).

    Arguments: `stride` is the size of the window unless given; `padding` borders with -inf; `ceil_mode` counts a last
    window that is only partly filled. Derivative: 1 at the maximum; ties share it, as in `max`.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.max_pool1d([[[1.0, 3.0, 2.0, 0.0]]], 2)
    tensor([[[3., 2.]]])
    """
    return _max_pool(1, input, kernel_size, stride, padding, dilation, ceil_mode)


@named
def max_pool2d(
    input: Any,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """The largest of each window of images (n, channels, height, width).

    Arguments as for `max_pool1d`, numbers or pairs.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.functional.max_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)
    tensor([[[[ 5.,  7.],
              [13., 15.]]]])
    """
    return _max_pool(2, input, kernel_size, stride, padding, dilation, ceil_mode)


def _avg_pool(
    axes: int,
    x: Any,
    size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor: int | None = None,
) -> Tensor:
    asker = f"avg_pool{axes}d"
    x, single = check_image(x, axes, asker)
    patches, size, (stride, padding, more) = _pooled(axes, x, size, stride, padding, 1, ceil_mode, 0.0, asker)
    if divisor is not None and (
        isinstance(divisor, bool) or not isinstance(divisor, (int, np.integer)) or divisor == 0
    ):
        raise ArgumentError(f"{asker}: divisor_override is a whole number other than 0, got {divisor!r:.40}")
    total = rec.sum(patches, axis=tuple(range(1 + axes, 1 + 2 * axes)))
    if divisor is not None:
        y = total / divisor
    elif any(more) or (any(padding) and not count_include_pad):
        y = total / _filled(x.shape[2:], size, stride, padding, more, count_include_pad).astype(x.dtype)
    else:
        y = total / int(np.prod(size))
    y = channels_first(y)
    return rec.squeeze(y, axis=0) if single else y


def _filled(lengths: Sizes, size: Sizes, stride: Sizes, padding: Sizes, more: Sizes, with_border: bool) -> Any:
    """How many places of each window count: (*counts, 1)."""
    total: Any = np.ones(1)
    for n, k, s, p, m in zip(lengths, size, stride, padding, more, strict=True):
        start = np.arange((n + 2 * p + m - k) // s + 1) * s - p
        low, high = (-p, n + p) if with_border else (0, n)
        here = np.minimum(start + k, high) - np.maximum(start, low)
        total = total[..., None, :] * here[:, None]
    return total


@named
def avg_pool1d(
    input: Any, kernel_size: Size, stride: Size | None = None, padding: Size = 0, ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:  # fmt: skip
    """The mean of each window along the last axis of (n, channels, length).

    Arguments: `stride` is the size of the window unless given; `padding` borders with zeros, which count in the mean
    unless `count_include_pad` is False; `ceil_mode` counts a last window that is only partly filled. Derivative: 1 /
    size.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.avg_pool1d([[[1.0, 3.0, 2.0, 0.0]]], 2)
    tensor([[[2., 1.]]])
    """
    return _avg_pool(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad)


@named
def avg_pool2d(
    input: Any, kernel_size: Size, stride: Size | None = None, padding: Size = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """The mean of each window of images (n, channels, height, width). Arguments as for `avg_pool1d`, numbers or pairs;
    `divisor_override` divides the sums by another number.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.functional.avg_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)
    tensor([[[[ 2.5,  4.5],
              [10.5, 12.5]]]])
    """
    return _avg_pool(2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def _lp_pool(axes: int, x: Any, p: Any, size: Any, stride: Any, ceil_mode: bool) -> Tensor:
    asker = f"lp_pool{axes}d"
    if isinstance(p, bool) or not isinstance(p, (int, float, np.number)) or not p > 0:
        raise ArgumentError(f"{asker}: norm_type is a number above 0, got {p!r:.40}")
    x, single = check_image(x, axes, asker)
    patches, size, (stride, padding, more) = _pooled(axes, x, size, stride, 0, 1, ceil_mode, 0.0, asker)
    total = rec.sum(patches**p, axis=tuple(range(1 + axes, 1 + 2 * axes)))
    if any(more):
        total = total * (np.prod(size) / _filled(x.shape[2:], size, stride, padding, more, True)).astype(x.dtype)
    empty = rec.equal(total, 0.0)
    y = channels_first(rec.where(empty, 0.0, rec.where(empty, 1.0, total) ** (1.0 / p)))
    return rec.squeeze(y, axis=0) if single else y


@named
def lp_pool1d(
    input: Any, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
) -> Tensor:
    """The (sum x^p)^(1/p) of each window along the last axis of (n, channels, length); NaN where that is no number.

    Arguments: `norm_type` p above 0; the others as for `max_pool1d`. With `ceil_mode` the sum over a window that is
    partly filled is made larger by size / filled, as in PyTorch. Derivative: (x / y)^(p - 1), and 0 where y is 0.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.lp_pool1d([[[3.0, 4.0, 0.0, 2.0]]], 2, 2)
    tensor([[[5., 2.]]])
    """
    return _lp_pool(1, input, norm_type, kernel_size, stride, ceil_mode)


@named
def lp_pool2d(
    input: Any, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
) -> Tensor:
    """The (sum x^p)^(1/p) of each window of images; see `lp_pool1d`.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.functional.lp_pool2d(np.ones((1, 1, 2, 2)), 2, 2)
    tensor([[[[2.]]]])
    """
    return _lp_pool(2, input, norm_type, kernel_size, stride, ceil_mode)


class _Pool(Module):
    axes: int

    def __init__(
        self, kernel_size: Size, stride: Size | None = None, padding: Size = 0, ceil_mode: bool = False
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.kernel_size = sizes(kernel_size, self.axes, name, "kernel_size")
        self.stride = self.kernel_size if stride is None else sizes(stride, self.axes, name, "stride")
        self.padding = sizes(padding, self.axes, name, "padding", least=0)
        self.ceil_mode = ceil_mode

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _MaxPool(_Pool):
    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode)
        self.dilation = sizes(dilation, self.axes, type(self).__name__, "dilation")

    def forward(self, x: Any) -> Tensor:
        return _max_pool(self.axes, x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)


class MaxPool1d(_MaxPool):
    """`functional.max_pool1d` as a layer.

    >>> import tinygrad_math as tm
    >>> tm.nn.MaxPool1d(2)([[[1.0, 3.0, 2.0, 0.0]]])
    tensor([[[3., 2.]]])
    """

    axes = 1


class MaxPool2d(_MaxPool):
    """`functional.max_pool2d` as a layer.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.MaxPool2d(2)(np.ones((4, 3, 8, 8))).shape
    (4, 3, 4, 4)
    """

    axes = 2


class AvgPool1d(_Pool):
    """`functional.avg_pool1d` as a layer.

    >>> import tinygrad_math as tm
    >>> tm.nn.AvgPool1d(2)([[[1.0, 3.0, 2.0, 0.0]]])
    tensor([[[2., 1.]]])
    """

    axes = 1

    def __init__(
        self, kernel_size: Size, stride: Size | None = None, padding: Size = 0, ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(kernel_size, stride, padding, ceil_mode)
        self.count_include_pad = count_include_pad

    def forward(self, x: Any) -> Tensor:
        return _avg_pool(1, x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)


class AvgPool2d(_Pool):
    """`functional.avg_pool2d` as a layer.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.AvgPool2d(2)(np.ones((4, 3, 8, 8))).shape
    (4, 3, 4, 4)
    """

    axes = 2

    def __init__(
        self, kernel_size: Size, stride: Size | None = None, padding: Size = 0, ceil_mode: bool = False,
        count_include_pad: bool = True, divisor_override: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__(kernel_size, stride, padding, ceil_mode)
        self.count_include_pad, self.divisor_override = count_include_pad, divisor_override

    def forward(self, x: Any) -> Tensor:
        given = self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad
        return _avg_pool(2, x, *given, self.divisor_override)


class _LPPool(Module):
    axes: int

    def __init__(
        self, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
    ) -> None:
        super().__init__()
        self.norm_type, self.kernel_size, self.stride, self.ceil_mode = norm_type, kernel_size, stride, ceil_mode

    def forward(self, x: Any) -> Tensor:
        return _lp_pool(self.axes, x, self.norm_type, self.kernel_size, self.stride, self.ceil_mode)

    def extra_repr(self) -> str:
        return f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}"


class LPPool1d(_LPPool):
    """`functional.lp_pool1d` as a layer.

    >>> import tinygrad_math as tm
    >>> tm.nn.LPPool1d(2, 2)([[[3.0, 4.0, 0.0, 2.0]]])
    tensor([[[5., 2.]]])
    """

    axes = 1


class LPPool2d(_LPPool):
    """`functional.lp_pool2d` as a layer.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.LPPool2d(2, 2)(np.ones((4, 3, 8, 8))).shape
    (4, 3, 4, 4)
    """

    axes = 2
