"""Convolutions: each is a product of the windows with a matrix, and a bias.

Arrays have PyTorch's layout, (batch, channels, *lengths). Inside, channels go last (see `windows`); the turns there and
back are views, and what comes out lies in memory as the next convolution wants it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.errors import ArgumentError, ShapeError, describe
from ..core.tensor import Tensor, rec
from .common import Size, Sizes, generator, shaped, sizes
from .module import Module
from .parameter import Parameter
from .starts import restart_uniform
from .windows import spans

__all__ = ["conv1d", "conv2d", "conv_transpose1d", "conv_transpose2d"]

MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def channels_last(x: Any) -> Any:
    return rec.moveaxis(x, 1, -1)


def channels_first(x: Any) -> Any:
    return rec.moveaxis(x, -1, 1)


def check_image(x: Any, axes: int, asker: str) -> tuple[Any, bool]:
    """x with a batch axis, and whether it came without."""
    x = shaped(x)
    if x.ndim not in (axes + 1, axes + 2):
        raise ShapeError(
            f"{asker}: expected (batch, channels, {axes} lengths) or one without the batch, got {describe(x)}"
        )
    return (rec.expand_dims(x, axis=0), True) if x.ndim == axes + 1 else (x, False)


def _borders(padding: Any, size: Sizes, stride: Sizes, dilation: Sizes, asker: str) -> list[tuple[int, int]]:
    """Zeros before and after, along each axis."""
    if padding == "valid":
        return [(0, 0)] * len(size)
    if padding == "same":
        if any(s != 1 for s in stride):
            raise ArgumentError(
                f"{asker}: padding='same' keeps the lengths, which a stride of {stride} does not; use stride=1"
            )
        return [((r - 1) // 2, r // 2) for r in spans(size, dilation)]
    if isinstance(padding, str):
        raise ArgumentError(f"{asker}: padding is a number, a number an axis, 'same' or 'valid', got {padding!r}")
    return [(p, p) for p in sizes(padding, len(size), asker, "padding", least=0)]


def _convolve(
    axes: int,
    x: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
    mode: str = "zeros",
) -> Tensor:
    asker = f"conv{axes}d"
    x, single = check_image(x, axes, asker)
    weight = shaped(weight)
    if weight.ndim != axes + 2:
        raise ShapeError(f"{asker}: a weight is (out, in / groups, {axes} lengths), got {describe(weight)}")
    out, inner, *size_ = weight.shape
    size = tuple(size_)
    stride, dilation = sizes(stride, axes, asker, "stride"), sizes(dilation, axes, asker, "dilation")
    _check_groups(asker, groups, x.shape[1], out)
    if x.shape[1] != inner * groups:
        raise ShapeError(
            f"{asker}: the weight {describe(weight)} takes {inner * groups} channels, the input is {describe(x)}"
        )
    borders = _borders(padding, size, stride, dilation, asker)
    h = channels_last(x)
    if any(map(any, borders)):
        h = rec.pad(h, [(0, 0), *borders, (0, 0)], mode=MODES[mode])
    if any(n < r for n, r in zip(h.shape[1:-1], spans(size, dilation), strict=True)):
        raise ShapeError(
            f"{asker}: a kernel of size {size} reaches over {spans(size, dilation)} places, more than {describe(x)} has"
        )
    patches = rec.windows(h, size=size, stride=stride, dilation=dilation)
    batch, *many = patches.shape[: 1 + axes]
    places = batch * math.prod(many)
    if groups == 1:
        kernel = rec.reshape(
            rec.moveaxis(weight, 1, -1), (out, -1)
        )  # rows of (place, channel), as the patches have them
        flat = rec.reshape(patches, (places, math.prod(size) * inner))
        y = rec.matmul(flat, rec.transpose(kernel)) if bias is None else rec.affine(flat, kernel, bias)
    else:
        kernel = rec.reshape(rec.moveaxis(weight, 1, -1), (groups, out // groups, -1))
        flat = rec.reshape(patches, (places, math.prod(size), groups, inner))
        flat = rec.reshape(rec.moveaxis(flat, 2, 0), (groups, places, math.prod(size) * inner))
        y = rec.reshape(rec.moveaxis(rec.matmul(flat, rec.matrix_transpose(kernel)), 0, 1), (places, out))
        y = y if bias is None else y + bias
    y = channels_first(rec.reshape(y, (batch, *many, out)))
    return rec.squeeze(y, axis=0) if single else y


def _check_groups(asker: str, groups: Any, inputs: int, outputs: int) -> None:
    if (
        isinstance(groups, bool)
        or not isinstance(groups, (int, np.integer))
        or groups < 1
        or inputs % groups
        or outputs % groups
    ):
        raise ArgumentError(f"{asker}: groups divides {inputs} input and {outputs} output channels, got {groups!r:.40}")


@named
def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """y[n, o, i] = b[o] + sum over c and k of w[o, c, k] x[n, c, stride i + dilation k - padding].

    Arguments: input (n, in, length) or (in, length); weight (out, in / groups, size); bias (out,) or None; `padding`
    zeros on both sides, or "same" or "valid". Returns (n, out, (length + 2 padding - dilation (size - 1) - 1) //
    stride + 1). Raises ShapeError, ArgumentError. Derivative: linear in each of input, weight and bias.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.conv1d([[[1.0, 2.0, 4.0]]], [[[-1.0, 1.0]]])
    tensor([[[1., 2.]]])
    """
    return _convolve(1, input, weight, bias, stride, padding, dilation, groups)


@named
def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """The convolution (without a flip of the kernel, as in PyTorch) of images (n, in, height, width).

    Arguments as for `conv1d`, with weight (out, in / groups, rows, columns); a number or a pair for each of `stride`,
    `padding` and `dilation`. Raises ShapeError, ArgumentError. Derivative: linear in each of input, weight and bias.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.functional.conv2d(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2)))
    tensor([[[[4., 4.],
              [4., 4.]]]])
    """
    return _convolve(2, input, weight, bias, stride, padding, dilation, groups)


@named
def conv_transpose2d(
    input: Any, weight: Any, bias: Any = None, stride: Size = 1, padding: Size = 0, output_padding: Size = 0,
    groups: int = 1, dilation: Size = 1,
) -> Tensor:  # fmt: skip
    """The transpose of `conv2d` as a linear map: it takes what that gave back to where it came from, and adds up.

    Arguments: input (n, in, height, width); weight (in, out / groups, rows, columns); `output_padding` rows and
    columns more at the end, fewer than the stride or the dilation. Returns lengths (length - 1) stride - 2 padding +
    dilation (size - 1) + output_padding + 1. Raises ShapeError, ArgumentError. Derivative: linear in each of input,
    weight and bias.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.functional.conv_transpose2d([[[[1.0, 2.0]]]], np.ones((1, 1, 1, 2)))
    tensor([[[[1., 3., 2.]]]])
    """
    return _transpose(2, input, weight, bias, stride, padding, output_padding, groups, dilation)


@named
def conv_transpose1d(
    input: Any, weight: Any, bias: Any = None, stride: Size = 1, padding: Size = 0, output_padding: Size = 0,
    groups: int = 1, dilation: Size = 1,
) -> Tensor:  # fmt: skip
    """The transpose of `conv1d` as a linear map; arguments as for `conv_transpose2d`, with one length.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.conv_transpose1d([[[1.0, 2.0]]], [[[1.0, 1.0]]])
    tensor([[[1., 3., 2.]]])
    """
    return _transpose(1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def _transpose(
    axes: int,
    x: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
) -> Tensor:
    asker = f"conv_transpose{axes}d"
    x, single = check_image(x, axes, asker)
    weight = shaped(weight)
    if weight.ndim != axes + 2 or weight.shape[0] != x.shape[1]:
        raise ShapeError(
            f"{asker}: a weight is (in, out / groups, {axes} lengths), got {describe(weight)} for {describe(x)}"
        )
    inner, outer, *size_ = weight.shape
    size = tuple(size_)
    stride, dilation = sizes(stride, axes, asker, "stride"), sizes(dilation, axes, asker, "dilation")
    padding, more = sizes(padding, axes, asker, "padding", 0), sizes(output_padding, axes, asker, "output_padding", 0)
    _check_groups(asker, groups, inner, outer * groups)
    if any(m >= max(s, d) for m, s, d in zip(more, stride, dilation, strict=True)):
        raise ArgumentError(
            f"{asker}: output_padding {more} is smaller than the stride {stride} or the dilation {dilation}"
        )
    batch, many = x.shape[0], x.shape[2:]
    lengths = tuple((n - 1) * s + r for n, s, r in zip(many, stride, spans(size, dilation), strict=True))
    wanted = tuple(n - 2 * p + m for n, p, m in zip(lengths, padding, more, strict=True))
    if any(n < 1 for n in wanted) or not all(many):
        raise ShapeError(f"{asker}: the result of {describe(x)} with padding {padding} would have lengths {wanted}")
    rows = rec.reshape(channels_last(x), (batch * math.prod(many), groups, inner // groups))
    kernel = rec.reshape(rec.moveaxis(weight, 1, -1), (groups, inner // groups, -1))  # columns of (place, channel)
    patches = rec.moveaxis(rec.matmul(rec.moveaxis(rows, 1, 0), kernel), 0, 1)
    patches = rec.reshape(patches, (batch, *many, groups, *size, outer))
    patches = rec.reshape(rec.moveaxis(patches, 1 + axes, -2), (batch, *many, *size, groups * outer))
    y = rec.overlap_add(patches, size=size, stride=stride, dilation=dilation, lengths=lengths)
    if any(more):
        y = rec.pad(y, [(0, 0), *((0, m) for m in more), (0, 0)])
    if any(padding):
        y = y[(slice(None), *(slice(p, p + n) for p, n in zip(padding, wanted, strict=True)))]
    y = channels_first(y if bias is None else y + bias)
    return rec.squeeze(y, axis=0) if single else y


class _Convolution(Module):
    """What the convolutions share: PyTorch's arguments, start and names."""

    axes: int
    transposed = False

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Size, stride: Size = 1, padding: Size | str = 0,
        dilation: Size = 1, groups: int = 1, bias: bool = True, padding_mode: str = "zeros", dtype: Any = np.float64,
        rng: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        name, axes = type(self).__name__, self.axes
        self.in_channels = sizes(in_channels, 1, name, "in_channels")[0]
        self.out_channels = sizes(out_channels, 1, name, "out_channels")[0]
        self.kernel_size = sizes(kernel_size, axes, name, "kernel_size")
        self.stride, self.dilation = sizes(stride, axes, name, "stride"), sizes(dilation, axes, name, "dilation")
        self.padding = padding if isinstance(padding, str) else sizes(padding, axes, name, "padding", least=0)
        _borders(self.padding, self.kernel_size, self.stride, self.dilation, name)
        if padding_mode not in MODES:
            raise ArgumentError(f"{name}: padding_mode is one of {', '.join(MODES)}, got {padding_mode!r:.40}")
        _check_groups(name, groups, in_channels, out_channels)
        self.groups, self.padding_mode = groups, padding_mode
        ends = (in_channels, out_channels // groups) if self.transposed else (out_channels, in_channels // groups)
        shape = (*ends, *self.kernel_size)
        draw, bound = generator(rng), 1 / math.sqrt(math.prod(shape[1:]))
        self.weight = Parameter(draw.uniform(-bound, bound, shape), dtype=dtype)
        self.bias = Parameter(draw.uniform(-bound, bound, out_channels), dtype=dtype) if bias else None

    def reset_parameters(self, rng: Any = None) -> None:
        """Draw the parameters anew, as at the start; `rng` as there."""
        restart_uniform(self, math.prod(self.weight.shape[1:]), rng)

    def forward(self, x: Any) -> Tensor:
        return _convolve(
            self.axes,
            x,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self.dilation,
            self.groups,
            self.padding_mode,
        )

    def extra_repr(self) -> str:
        given = {
            "stride": (self.stride, (1,) * self.axes), "padding": (self.padding, (0,) * self.axes),
            "dilation": (self.dilation, (1,) * self.axes), "groups": (self.groups, 1),
            "bias": (self.bias is not None, True), "padding_mode": (self.padding_mode, "zeros"),
        }  # fmt: skip
        more = "".join(f", {k}={v!r}" for k, (v, usual) in given.items() if v != usual)
        return f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}{more}"


class Conv1d(_Convolution):
    """A convolution along one axis, x (n, in_channels, length); see `functional.conv1d`.

    Arguments: PyTorch's; `padding_mode` "zeros", "reflect", "replicate" or "circular"; `dtype` of the parameters;
    `rng` a NumPy Generator, or a seed, for the start: uniform in +-1/sqrt(in_channels / groups * kernel_size).
    Parameters: `weight` (out_channels, in_channels / groups, kernel_size), `bias` (out_channels,).

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.Conv1d(2, 3, 5, padding="same")(np.ones((4, 2, 10))).shape
    (4, 3, 10)
    """

    axes = 1


class Conv2d(_Convolution):
    """A convolution of images, x (n, in_channels, height, width); see `functional.conv2d`.

    Arguments: PyTorch's; `padding_mode` "zeros", "reflect", "replicate" or "circular"; `dtype` of the parameters;
    `rng` a NumPy Generator, or a seed, for the start: uniform in +-1/sqrt(in_channels / groups * rows * columns).
    Parameters: `weight` (out_channels, in_channels / groups, rows, columns), `bias` (out_channels,).

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.Conv2d(1, 8, 3, stride=2, padding=1)(np.ones((4, 1, 8, 8))).shape
    (4, 8, 4, 4)
    """

    axes = 2


class _ConvolutionTranspose(_Convolution):
    transposed = True

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Size, stride: Size = 1, padding: Size = 0,
        output_padding: Size = 0, groups: int = 1, bias: bool = True, dilation: Size = 1, padding_mode: str = "zeros",
        dtype: Any = np.float64, rng: Any = None,
    ) -> None:  # fmt: skip
        name = type(self).__name__
        if padding_mode != "zeros" or isinstance(padding, str):
            raise ArgumentError(f"{name} pads with zeros, by numbers, got {padding_mode=!r} and {padding=!r}")
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, dtype=dtype, rng=rng
        )
        self.output_padding = sizes(output_padding, self.axes, name, "output_padding", least=0)

    @named
    def forward(self, x: Any, output_size: tuple[int, ...] | None = None) -> Tensor:
        more = self.output_padding if output_size is None else self._more(shaped(x), output_size)
        given: Any = self.stride, self.padding, more, self.groups, self.dilation
        return _transpose(self.axes, x, self.weight, self.bias, *given)

    def _more(self, x: Any, output_size: Any) -> Sizes:
        name, axes = type(self).__name__, self.axes
        wanted = sizes(tuple(output_size)[-axes:], axes, name, "output_size")
        reach, padding = spans(self.kernel_size, self.dilation), sizes(self.padding, axes, name, "padding", 0)
        lengths = zip(x.shape[-axes:], self.stride, padding, reach, strict=True)
        least = [(n - 1) * s - 2 * p + r for n, s, p, r in lengths]
        more = tuple(w - n for w, n in zip(wanted, least, strict=True))
        if any(not 0 <= m < max(s, d) for m, s, d in zip(more, self.stride, self.dilation, strict=True)):
            raise ShapeError(f"{name}: {describe(x)} can become {least} or up to a stride more, not {wanted}")
        return more


class ConvTranspose1d(_ConvolutionTranspose):
    """The transpose of a convolution along one axis: sequences grow; see `functional.conv_transpose1d`.

    Arguments, parameters and `forward` as for ConvTranspose2d, with one length.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.ConvTranspose1d(8, 1, 4, stride=2, padding=1)(np.ones((4, 8, 10))).shape
    (4, 1, 20)
    """

    axes = 1


class ConvTranspose2d(_ConvolutionTranspose):
    """The transpose of a convolution: images grow; see `functional.conv_transpose2d`.

    Arguments: PyTorch's (its order differs from Conv2d's). Parameters: `weight` (in_channels, out_channels / groups,
    rows, columns), `bias` (out_channels,). `forward(x, output_size=None)` takes the wanted (height, width), too.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.ConvTranspose2d(8, 1, 2, stride=2)(np.ones((4, 8, 4, 4))).shape
    (4, 1, 8, 8)
    """

    axes = 2
