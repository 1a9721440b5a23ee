"""Dropout: some elements are left out at random while a network learns."""

from __future__ import annotations

from typing import Any

from .. import random
from ..core.arguments import named
from ..core.errors import ArgumentError
from ..core.tensor import Tensor, rec
from .common import shaped
from .module import Module

__all__ = ["dropout"]


def check_probability(p: Any, asker: str) -> float:
    if isinstance(p, bool) or not isinstance(p, (int, float)) or not 0 <= p <= 1:
        raise ArgumentError(f"{asker}: p is a probability from 0 to 1, got {p!r:.40}")
    return float(p)


@named
def dropout(input: Any, p: float = 0.5, training: bool = True) -> Tensor:
    """Each element is 0 with probability p, and else divided by 1 - p, so that the mean stays. Srivastava et al. 2014.

    The draws come from `tm.random`, which `tm.random.seed` restarts; a compiled function draws anew at each call.
    Without `training` x itself. Raises ArgumentError. Derivative: the same mask.

    >>> import tinygrad_math as tm
    >>> tm.random.seed(0)
    >>> tm.nn.functional.dropout([1.0, 1.0, 1.0, 1.0], 0.5)
    tensor([2., 0., 0., 0.])
    """
    x = shaped(input)
    p = check_probability(p, "dropout")
    if not training or p == 0:
        return rec.positive(x)
    if p == 1:
        return x * 0.0
    kept = rec.greater_equal(random.random(x.shape), p)
    return x * (rec.astype(kept, x.dtype) / (1 - p))


class Dropout(Module):
    """`functional.dropout` as a layer: it acts in training mode only, `eval()` turns it off.

    >>> import tinygrad_math as tm
    >>> tm.nn.Dropout(0.5).eval()([1.0, 2.0])
    tensor([1., 2.])
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = check_probability(p, "Dropout")

    def forward(self, x: Any) -> Tensor:
        return dropout(x, self.p, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}"
