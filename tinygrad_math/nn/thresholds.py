"""Activations that bend at fixed places: shrinkage, hard gates, thresholds, and softsign."""

from __future__ import annotations

from typing import Any

from ..core.arguments import named
from ..core.errors import ArgumentError
from ..core.tensor import Tensor, rec
from ..ops import gating  # noqa: F401  (declares softsign and tanhshrink)
from .common import shaped
from .module import Module

__all__ = ["hardshrink", "hardsigmoid", "hardswish", "softshrink", "softsign", "tanhshrink", "threshold"]


@named
def softsign(input: Any) -> Tensor:
    """x / (1 + |x|). Derivative: 1 / (1 + |x|)^2.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.softsign([-1.0, 0.0, 3.0])
    tensor([-0.5 ,  0.  ,  0.75])
    """
    x = shaped(input)
    return x / (1.0 + rec.abs(x)) if x.dtype.kind == "c" else rec.softsign(x)


@named
def tanhshrink(input: Any) -> Tensor:
    """x - tanh(x), with all its digits next to 0, too. Derivative: tanh(x)^2.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.tanhshrink([0.0, 1.0])
    tensor([0.        , 0.23840584])
    """
    return rec.tanhshrink(shaped(input))


@named
def hardshrink(input: Any, lambd: float = 0.5) -> Tensor:
    """x where |x| > lambd, else 0. Derivative: 1 or 0; 0 at the bends.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.hardshrink([-1.0, 0.25, 2.0])
    tensor([-1.,  0.,  2.])
    """
    x = shaped(input)
    return rec.where(rec.less_equal(rec.abs(x), lambd), 0.0, x)


@named
def softshrink(input: Any, lambd: float = 0.5) -> Tensor:
    """x nearer to 0 by lambd, and 0 where |x| <= lambd. Derivative: 1 or 0; 0 at the bends. Donoho 1995.

    Raises ArgumentError for a lambd below 0.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.softshrink([-1.0, 0.25, 2.0])
    tensor([-0.5,  0. ,  1.5])
    """
    if not lambd >= 0:
        raise ArgumentError(f"softshrink: lambd is a number from 0 on, got {lambd!r:.40}")
    x = shaped(input)
    return rec.where(rec.less_equal(rec.abs(x), lambd), 0.0, x - lambd * rec.sign(x))


@named
def hardsigmoid(input: Any) -> Tensor:
    """x / 6 + 1 / 2, kept between 0 and 1. Derivative: 1 / 6 between -3 and 3, else 0.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.hardsigmoid([-4.0, 0.0, 1.5])
    tensor([0.  , 0.5 , 0.75])
    """
    x = shaped(input)
    return rec.where(rec.less_equal(x, -3.0), 0.0, rec.where(rec.greater_equal(x, 3.0), 1.0, (x + 3.0) / 6.0))


@named
def hardswish(input: Any) -> Tensor:
    """x times `hardsigmoid` of x. Derivative: x / 3 + 1 / 2 between -3 and 3, 0 below, 1 above. Howard et al. 2019.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.hardswish([-4.0, 1.0, 5.0])
    tensor([0.        , 0.66666667, 5.        ])
    """
    x = shaped(input)
    between = rec.where(rec.greater_equal(rec.abs(x), 3.0), 0.0, x)
    return rec.where(
        rec.less_equal(x, -3.0), 0.0, rec.where(rec.greater_equal(x, 3.0), x, between * (between + 3.0) / 6.0)
    )


@named
def threshold(input: Any, threshold: float, value: float) -> Tensor:
    """x where x > threshold, else value. Derivative: 1 or 0; 0 at the threshold.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.threshold([0.0, 1.0, 2.0], 1.0, -5.0)
    tensor([-5., -5.,  2.])
    """
    x = shaped(input)
    return rec.where(rec.less_equal(x, threshold), value, x)


class Softsign(Module):
    """`functional.softsign` as a layer.

    >>> import tinygrad_math as tm
    >>> tm.nn.Softsign()([-1.0])
    tensor([-0.5])
    """

    def forward(self, x: Any) -> Tensor:
        return softsign(x)


class Tanhshrink(Module):
    """`functional.tanhshrink` as a layer.

    >>> import tinygrad_math as tm
    >>> tm.nn.Tanhshrink()([1.0])
    tensor([0.23840584])
    """

    def forward(self, x: Any) -> Tensor:
        return tanhshrink(x)


class Hardsigmoid(Module):
    """`functional.hardsigmoid` as a layer.

    >>> import tinygrad_math as tm
    >>> tm.nn.Hardsigmoid()([1.5])
    tensor([0.75])
    """

    def forward(self, x: Any) -> Tensor:
        return hardsigmoid(x)


class Hardswish(Module):
    """`functional.hardswish` as a layer.

    >>> import tinygrad_math as tm
    >>> tm.nn.Hardswish()([5.0])
    tensor([5.])
    """

    def forward(self, x: Any) -> Tensor:
        return hardswish(x)


class Hardshrink(Module):
    """`functional.hardshrink` as a layer.

    >>> import tinygrad_math as tm
    >>> tm.nn.Hardshrink(1.0)([0.5, 2.0])
    tensor([0., 2.])
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, x: Any) -> Tensor:
        return hardshrink(x, self.lambd)

    def extra_repr(self) -> str:
        return f"{self.lambd}"


class Softshrink(Hardshrink):
    """`functional.softshrink` as a layer.

    >>> import tinygrad_math as tm
    >>> tm.nn.Softshrink(1.0)([0.5, 3.0])
    tensor([0., 2.])
    """

    def forward(self, x: Any) -> Tensor:
        return softshrink(x, self.lambd)


class Threshold(Module):
    """`functional.threshold` as a layer.

    >>> import tinygrad_math as tm
    >>> tm.nn.Threshold(1.0, 0.0)([0.5, 3.0])
    tensor([0., 3.])
    """

    def __init__(self, threshold: float, value: float) -> None:
        super().__init__()
        self.threshold, self.value = threshold, value

    def forward(self, x: Any) -> Tensor:
        return threshold(x, self.threshold, self.value)

    def extra_repr(self) -> str:
        return f"threshold={self.threshold}, value={self.value}"
