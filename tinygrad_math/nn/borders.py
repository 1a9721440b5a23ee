"""Borders as layers: of zeros or another number, reflected, replicated, or round a circle."""

from __future__ import annotations

from typing import Any

from ..core.tensor import Tensor, rec
from .common import sizes
from .convolution import check_image
from .module import Module
from .resizing import pad


class _Border(Module):
    """A border of some width round the last `axes` axes of (n, channels, ...)."""

    axes: int
    mode: str

    def __init__(self, padding: int | tuple[int, ...]) -> None:
        super().__init__()
        self.padding = sizes(padding, 2 * self.axes, type(self).__name__, "padding", least=0)

    def forward(self, x: Any) -> Tensor:
        image, single = check_image(x, self.axes, type(self).__name__)
        y = pad(image, self.padding, mode=self.mode, value=self._value())
        return rec.squeeze(y, axis=0) if single else y

    def _value(self) -> float | None:
        return None

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantBorder(_Border):
    mode = "constant"

    def __init__(self, padding: int | tuple[int, ...], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def _value(self) -> float | None:
        return self.value

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ZeroPad1d(_Border):
    """A border of zeros round sequences (n, channels, length).

    Arguments: `padding` a width, or (left, right).

    >>> import tinygrad_math as tm
    >>> tm.nn.ZeroPad1d((1, 0))([[1.0, 2.0, 3.0]])
    tensor([[0., 1., 2., 3.]])
    """

    axes, mode = 1, "constant"


class ReflectionPad1d(_Border):
    """A border that mirrors what is inside, without the edge round sequences (n, channels, length).

    Arguments: `padding` a width, or (left, right).

    >>> import tinygrad_math as tm
    >>> tm.nn.ReflectionPad1d((1, 0))([[1.0, 2.0, 3.0]])
    tensor([[2., 1., 2., 3.]])
    """

    axes, mode = 1, "reflect"


class ReplicationPad1d(_Border):
    """A border that repeats the edge round sequences (n, channels, length).

    Arguments: `padding` a width, or (left, right).

    >>> import tinygrad_math as tm
    >>> tm.nn.ReplicationPad1d((1, 0))([[1.0, 2.0, 3.0]])
    tensor([[1., 1., 2., 3.]])
    """

    axes, mode = 1, "replicate"


class CircularPad1d(_Border):
    """A border that goes on at the other end round sequences (n, channels, length).

    Arguments: `padding` a width, or (left, right).

    >>> import tinygrad_math as tm
    >>> tm.nn.CircularPad1d((1, 0))([[1.0, 2.0, 3.0]])
    tensor([[3., 1., 2., 3.]])
    """

    axes, mode = 1, "circular"


class ConstantPad1d(_ConstantBorder):
    """A border of one number round sequences (n, channels, length).

    Arguments: `padding` a width, or (left, right); `value` the number.

    >>> import tinygrad_math as tm
    >>> tm.nn.ConstantPad1d(1, 9.0)([[1.0, 2.0]])
    tensor([[9., 1., 2., 9.]])
    """

    axes = 1


class ZeroPad2d(_Border):
    """A border of zeros round images (n, channels, height, width).

    Arguments: `padding` a width, or (left, right, top, bottom).

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.ZeroPad2d((1, 0, 2, 0))(np.ones((4, 3, 8, 5))).shape
    (4, 3, 10, 6)
    """

    axes, mode = 2, "constant"


class ReflectionPad2d(_Border):
    """A border that mirrors what is inside, without the edge round images (n, channels, height, width).

    Arguments: `padding` a width, or (left, right, top, bottom).

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.ReflectionPad2d((1, 0, 2, 0))(np.ones((4, 3, 8, 5))).shape
    (4, 3, 10, 6)
    """

    axes, mode = 2, "reflect"


class ReplicationPad2d(_Border):
    """A border that repeats the edge round images (n, channels, height, width).

    Arguments: `padding` a width, or (left, right, top, bottom).

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.ReplicationPad2d((1, 0, 2, 0))(np.ones((4, 3, 8, 5))).shape
    (4, 3, 10, 6)
    """

    axes, mode = 2, "replicate"


class CircularPad2d(_Border):
    """A border that goes on at the other end round images (n, channels, height, width).

    Arguments: `padding` a width, or (left, right, top, bottom).

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.CircularPad2d((1, 0, 2, 0))(np.ones((4, 3, 8, 5))).shape
    (4, 3, 10, 6)
    """

    axes, mode = 2, "circular"


class ConstantPad2d(_ConstantBorder):
    """A border of one number round images (n, channels, height, width).

    Arguments: `padding` a width, or (left, right, top, bottom); `value` the number.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.ConstantPad2d((1, 0, 0, 0), 9.0)(np.ones((1, 1, 1)))
    tensor([[[9., 1.]]])
    """

    axes = 2
