"""Images made larger, smaller or bordered, and channels turned into places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.errors import ArgumentError, ShapeError, describe
from ..core.tensor import Tensor, rec
from .common import shaped, sizes
from .convolution import MODES, check_image
from .module import Module

__all__ = ["interpolate", "pad", "pixel_shuffle", "pixel_unshuffle"]

_AXES = {"linear": 1, "bilinear": 2}


@named
def pad(input: Any, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """x with a border, whose widths are given as in PyTorch: before and after the last axis, then the one before it.

    Arguments: `mode` "constant" (of `value`, or 0), "reflect", "replicate" or "circular". `tm.pad` takes NumPy's order
    of axes and its other modes. Raises ArgumentError. Derivative: linear.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.pad([[1.0, 2.0]], (0, 1, 1, 0))
    tensor([[0., 0., 0.],
            [1., 2., 0.]])
    """
    x = shaped(input)
    if not isinstance(pad, (tuple, list)) or len(pad) % 2 or len(pad) > 2 * x.ndim:
        raise ArgumentError(f"pad: a width before and after each axis, the last axis first, got {pad!r:.60}")
    widths = sizes(pad, len(pad), "pad", "a width", least=0)
    if mode not in ("constant", *(m for m in MODES if m != "zeros")):
        raise ArgumentError(f"pad: mode is 'constant', 'reflect', 'replicate' or 'circular', got {mode!r:.40}")
    if mode != "constant" and value is not None:
        raise ArgumentError(f"pad: a value goes with mode='constant', got {value!r:.40} and {mode!r}")
    border = [(0, 0)] * (x.ndim - len(pad) // 2) + [*zip(widths[::2], widths[1::2], strict=True)][::-1]
    if mode == "constant":
        return rec.pad(x, border, mode="constant", constant_values=value) if value else rec.pad(x, border)
    return rec.pad(x, border, mode=MODES[mode])


@named
def interpolate(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """x (n, channels, ...) at other lengths of its last axes: `size`, or the old ones times `scale_factor`.

    Arguments: one of the two, a number or one an axis; `mode` "nearest", "linear" (one axis) or "bilinear" (two), which
    blend the two nearest places of each axis; with `align_corners` the first and last places stay where they are.
    Raises ArgumentError, ShapeError. Derivative: linear.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.interpolate([[[1.0, 3.0]]], scale_factor=2, mode="linear")
    tensor([[[1. , 1.5, 2.5, 3. ]]])
    """
    x = shaped(input)
    if mode not in ("nearest", *_AXES):
        raise ArgumentError(f"interpolate: mode is 'nearest', 'linear' or 'bilinear', got {mode!r:.40}")
    axes = _AXES.get(mode, x.ndim - 2)
    if axes < 1 or x.ndim != axes + 2 or 0 in x.shape[2:]:
        raise ShapeError(f"interpolate of mode {mode!r}: expected (n, channels, lengths), got {describe(x)}")
    if align_corners is not None and mode == "nearest":
        raise ArgumentError("interpolate: align_corners goes with mode='linear' or 'bilinear'; leave it out")
    if (size is None) == (scale_factor is None):
        raise ArgumentError("interpolate: say either size or scale_factor")
    lengths, steps = _resized(x.shape[2:], size, scale_factor)
    for axis, (n, m, step) in enumerate(zip(x.shape[2:], lengths, steps, strict=True), start=2):
        if mode == "nearest":
            at = np.arange(m) * n // m if step is None else (np.arange(m) * step).astype(int)
            x = rec.take(x, np.minimum(at, n - 1), axis=axis)
            continue
        if align_corners:
            place = np.arange(m) * ((n - 1) / max(m - 1, 1))
        else:
            place = np.maximum((np.arange(m) + 0.5) * (n / m if step is None else step) - 0.5, 0.0)
        low = np.minimum(place.astype(int), n - 1)
        share = (place - low).astype(x.dtype).reshape(-1, *(1,) * (x.ndim - 1 - axis))
        above = rec.take(x, np.minimum(low + (place > low), n - 1), axis=axis)  # a place that has no share is not read
        x = rec.take(x, low, axis=axis) * (1 - share) + above * share
    return x


def _resized(lengths: tuple[int, ...], size: Any, factor: Any) -> tuple[tuple[int, ...], tuple[float | None, ...]]:
    """The new lengths, and of a factor how far apart the new places lie in the old ones."""
    axes = len(lengths)
    if size is not None:
        return sizes(size, axes, "interpolate", "size"), (None,) * axes
    factors = tuple(factor) if isinstance(factor, (tuple, list)) else (factor,) * axes
    numbers = [f for f in factors if isinstance(f, (int, float)) and not isinstance(f, bool) and 0 < f < np.inf]
    if not len(numbers) == len(factors) == axes:
        raise ArgumentError(f"interpolate: scale_factor is a number above 0, or {axes} of them, got {factor!r:.60}")
    found = tuple(int(n * f) for n, f in zip(lengths, factors, strict=True))
    if 0 in found:
        raise ArgumentError(f"interpolate: lengths {lengths} times {factor!r:.40} leave nothing")
    return found, tuple(1 / f for f in factors)


@named
def pixel_shuffle(input: Any, upscale_factor: int) -> Tensor:
    """Images (n, c r^2, h, w) as (n, c, h r, w r): r x r channels become the places of one pixel. Shi et al. 2016.

    Raises ShapeError where the channels are no multiple of r^2. Derivative: the same elements, put back.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.functional.pixel_shuffle(np.arange(4.0).reshape(1, 4, 1, 1), 2)
    tensor([[[[0., 1.],
              [2., 3.]]]])
    """
    x, single = check_image(input, 2, "pixel_shuffle")
    r = sizes(upscale_factor, 1, "pixel_shuffle", "upscale_factor")[0]
    n, channels, height, width = x.shape
    if channels % (r * r):
        raise ShapeError(f"pixel_shuffle: channels are a multiple of {r} x {r}, got {describe(x)}")
    parts = rec.reshape(x, (n, channels // (r * r), r, r, height, width))
    y = rec.reshape(rec.transpose(parts, (0, 1, 4, 2, 5, 3)), (n, channels // (r * r), height * r, width * r))
    return rec.squeeze(y, axis=0) if single else y


@named
def pixel_unshuffle(input: Any, downscale_factor: int) -> Tensor:
    """Images (n, c, h r, w r) as (n, c r^2, h, w): the inverse of `pixel_shuffle`.

    Raises ShapeError where height or width is no multiple of r. Derivative: the same elements, put back.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.functional.pixel_unshuffle(np.arange(4.0).reshape(1, 1, 2, 2), 2).ravel()
    tensor([0., 1., 2., 3.])
    """
    x, single = check_image(input, 2, "pixel_unshuffle")
    r = sizes(downscale_factor, 1, "pixel_unshuffle", "downscale_factor")[0]
    n, channels, height, width = x.shape
    if height % r or width % r:
        raise ShapeError(f"pixel_unshuffle: height and width are multiples of {r}, got {describe(x)}")
    parts = rec.reshape(x, (n, channels, height // r, r, width // r, r))
    y = rec.reshape(rec.transpose(parts, (0, 1, 3, 5, 2, 4)), (n, channels * r * r, height // r, width // r))
    return rec.squeeze(y, axis=0) if single else y


class Upsample(Module):
    """`functional.interpolate` as a layer.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.Upsample(scale_factor=2, mode="bilinear")(np.ones((4, 3, 8, 5))).shape
    (4, 3, 16, 10)
    """

    def __init__(
        self, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
    ) -> None:
        super().__init__()
        self.size, self.scale_factor, self.mode, self.align_corners = size, scale_factor, mode, align_corners

    def forward(self, x: Any) -> Tensor:
        return interpolate(x, self.size, self.scale_factor, self.mode, self.align_corners)

    def extra_repr(self) -> str:
        given = f"scale_factor={self.scale_factor}" if self.size is None else f"size={self.size}"
        return f"{given}, mode={self.mode!r}"


class PixelShuffle(Module):
    """`functional.pixel_shuffle` as a layer.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.PixelShuffle(2)(np.ones((4, 12, 8, 5))).shape
    (4, 3, 16, 10)
    """

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = sizes(upscale_factor, 1, "PixelShuffle", "upscale_factor")[0]

    def forward(self, x: Any) -> Tensor:
        return pixel_shuffle(x, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """`functional.pixel_unshuffle` as a layer.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.PixelUnshuffle(2)(np.ones((4, 3, 8, 6))).shape
    (4, 12, 4, 3)
    """

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = sizes(downscale_factor, 1, "PixelUnshuffle", "downscale_factor")[0]

    def forward(self, x: Any) -> Tensor:
        return pixel_unshuffle(x, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"
