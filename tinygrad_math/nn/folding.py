"""The windows of images as columns, and back: a convolution is a product of a matrix with these."""

from __future__ import annotations

from typing import Any

from ..core.arguments import named
from ..core.errors import ShapeError, describe
from ..core.tensor import Tensor, rec
from .common import Size, Sizes, shaped, sizes
from .convolution import channels_first, channels_last, check_image
from .module import Module
from .windows import counts, spans

__all__ = ["fold", "unfold"]


def _given(asker: str, size: Any, dilation: Any, padding: Any, stride: Any) -> tuple[Sizes, Sizes, Sizes, Sizes]:
    return (
        sizes(size, 2, asker, "kernel_size"),
        sizes(dilation, 2, asker, "dilation"),
        sizes(padding, 2, asker, "padding", least=0),
        sizes(stride, 2, asker, "stride"),
    )


@named
def unfold(input: Any, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> Tensor:
    """The windows of images (n, channels, height, width) as columns: (n, channels * rows * columns, windows).

    Arguments: PyTorch's, numbers or pairs; `padding` borders with zeros. Raises ShapeError where no window fits.
    Derivative: linear; its transpose is `fold`.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.functional.unfold(np.arange(6.0).reshape(1, 1, 2, 3), 2)[0].tolist()
    [[0.0, 1.0], [1.0, 2.0], [3.0, 4.0], [4.0, 5.0]]
    """
    asker = "unfold"
    x, single = check_image(input, 2, asker)
    size, dilation, padding, stride = _given(asker, kernel_size, dilation, padding, stride)
    h = channels_last(x)
    if any(padding):
        h = rec.pad(h, [(0, 0), *((p, p) for p in padding), (0, 0)])
    if any(n < r for n, r in zip(h.shape[1:-1], spans(size, dilation), strict=True)):
        raise ShapeError(f"{asker}: a window of size {size} does not fit into {describe(x)}")
    patches = rec.windows(h, size=size, stride=stride, dilation=dilation)  # (n, *counts, *size, channels)
    n, down, across, *inner = patches.shape
    columns = rec.reshape(
        rec.transpose(patches, (0, 5, 3, 4, 1, 2)), (n, inner[2] * inner[0] * inner[1], down * across)
    )
    return rec.squeeze(columns, axis=0) if single else columns


@named
def fold(
    input: Any, output_size: Size, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
) -> Tensor:
    """Columns (n, channels * rows * columns, windows) as images: windows go back to their places, and add up there.

    Arguments: `output_size` height and width; the others as for `unfold`. Raises ShapeError for another number of
    windows. Derivative: linear; its transpose is `unfold`.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.functional.fold(np.ones((1, 4, 2)), (2, 3), 2)[0, 0].tolist()
    [[1.0, 2.0, 1.0], [1.0, 2.0, 1.0]]
    """
    asker = "fold"
    x = shaped(input)
    size, dilation, padding, stride = _given(asker, kernel_size, dilation, padding, stride)
    height, width = sizes(output_size, 2, asker, "output_size")
    lengths = height + 2 * padding[0], width + 2 * padding[1]
    if x.ndim not in (2, 3):
        raise ShapeError(f"{asker}: expected (n, channels * rows * columns, windows), got {describe(x)}")
    single = x.ndim == 2
    x = rec.expand_dims(x, axis=0) if single else x
    n, rows, windows = x.shape
    many = counts(lengths, size, stride, dilation)
    places = size[0] * size[1]
    if rows % places or min(many) < 1 or windows != many[0] * many[1]:
        raise ShapeError(
            f"{asker}: images of {height} x {width} have {max(many[0], 0)} x {max(many[1], 0)} windows of size {size}, "
            f"and columns of a multiple of {places}; got {describe(x)}"
        )
    patches = rec.transpose(rec.reshape(x, (n, rows // places, *size, *many)), (0, 4, 5, 2, 3, 1))
    y = channels_first(rec.overlap_add(patches, size=size, stride=stride, dilation=dilation, lengths=lengths))
    if any(padding):
        y = y[:, :, padding[0] : padding[0] + height, padding[1] : padding[1] + width]
    return rec.squeeze(y, axis=0) if single else y


class Unfold(Module):
    """`functional.unfold` as a layer.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.Unfold(3, padding=1)(np.ones((4, 2, 5, 5))).shape
    (4, 18, 25)
    """

    def __init__(self, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> None:
        super().__init__()
        given = _given("Unfold", kernel_size, dilation, padding, stride)
        self.kernel_size, self.dilation, self.padding, self.stride = given

    def forward(self, x: Any) -> Tensor:
        return unfold(x, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, stride={self.stride}"


class Fold(Unfold):
    """`functional.fold` as a layer.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.Fold((5, 5), 3, padding=1)(np.ones((4, 18, 25))).shape
    (4, 2, 5, 5)
    """

    def __init__(
        self, output_size: Size, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
    ) -> None:
        super().__init__(kernel_size, dilation, padding, stride)
        self.output_size = sizes(output_size, 2, "Fold", "output_size")

    def forward(self, x: Any) -> Tensor:
        return fold(x, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}, {super().extra_repr()}"
