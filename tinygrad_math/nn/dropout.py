"""Dropout: some elements are left out at random while a network learns."""

from __future__ import annotations

import math
from typing import Any

from .. import random
from ..core.arguments import named
from ..core.errors import ArgumentError, ShapeError, describe
from ..core.tensor import Tensor, rec
from .activations import SELU_ALPHA, SELU_SCALE
from .common import shaped
from .module import Module

__all__ = ["alpha_dropout", "dropout", "dropout1d", "dropout2d"]

SATURATION = SELU_ALPHA * SELU_SCALE  # SELU's values stay above minus this


def check_probability(p: Any, asker: str) -> float:
    if isinstance(p, Tensor):
        p._refuse_trace(f"p of {asker}")
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
    return _dropped(x, x.shape, check_probability(p, "dropout"), training)


@named
def dropout2d(input: Any, p: float = 0.5, training: bool = True) -> Tensor:
    """`dropout` of whole channels of x (n, channels, ...): all places of one go or stay together. Tompson et al. 2015.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.random.seed(0)
    >>> tm.nn.functional.dropout2d(np.ones((1, 2, 1, 3)))
    tensor([[[[2., 2., 2.]],
    <BLANKLINE>
             [[0., 0., 0.]]]])
    """
    x = shaped(input)
    if x.ndim not in (3, 4):
        raise ShapeError(f"dropout2d: expected (n, channels, ...) of three or four axes, got {describe(x)}")
    return _dropped(x, (*x.shape[:2], *(1,) * (x.ndim - 2)), check_probability(p, "dropout2d"), training)


@named
def dropout1d(input: Any, p: float = 0.5, training: bool = True) -> Tensor:
    """`dropout` of whole channels of x (n, channels, length), or of one example (channels, length).

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.random.seed(0)
    >>> tm.nn.functional.dropout1d(np.ones((1, 2, 3))).tolist()
    [[[2.0, 2.0, 2.0], [0.0, 0.0, 0.0]]]
    """
    x = shaped(input)
    if x.ndim not in (2, 3):
        raise ShapeError(f"dropout1d: expected (n, channels, length), got {describe(x)}")
    return _dropped(x, (*x.shape[:-1], 1), check_probability(p, "dropout1d"), training)


@named
def alpha_dropout(input: Any, p: float = 0.5, training: bool = False) -> Tensor:
    """Dropout for SELU: what is dropped becomes SELU's lower limit, and the mean 0 and variance 1 stay.

    a x + b for the elements that are kept, a (-1.7581) + b for the others, with a = 1 / sqrt((1 - p) (1 + p 1.7581^2))
    and b = p a 1.7581. Draws and errors as for `dropout`. Derivative: a where kept. Klambauer et al. 2017.

    >>> import tinygrad_math as tm
    >>> tm.random.seed(0)
    >>> tm.nn.functional.alpha_dropout([1.0, 1.0], 0.5, training=True).round(3)
    tensor([ 1.666, -0.779])
    """
    x, p = shaped(input), check_probability(p, "alpha_dropout")
    if not training or p == 0:
        return rec.positive(x)
    if p == 1:
        return x * 0.0
    scale = 1 / math.sqrt((1 - p) * (1 + p * SATURATION**2))
    kept = rec.greater_equal(random.random(x.shape), p)
    return rec.where(kept, scale * x, -scale * SATURATION) + p * scale * SATURATION


def _dropped(x: Any, shape: tuple[int, ...], p: float, training: bool) -> Tensor:
    """With one draw for each element of `shape`."""
    if not training or p == 0:
        return rec.positive(x)
    if p == 1:
        return x * 0.0
    kept = rec.greater_equal(random.random(shape), p)
    return x * (rec.astype(kept, x.dtype) / (1 - p))


class Dropout(Module):
    """`functional.dropout` as a layer: it acts in training mode only, `eval()` turns it off.

    >>> import tinygrad_math as tm
    >>> tm.nn.Dropout(0.5).eval()([1.0, 2.0])
    tensor([1., 2.])
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = check_probability(p, type(self).__name__)

    def forward(self, x: Any) -> Tensor:
        return dropout(x, self.p, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}"


class Dropout2d(Dropout):
    """`functional.dropout2d` as a layer: whole channels, in training mode only.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.Dropout2d(0.5).eval()(np.ones((1, 1, 1, 2)))
    tensor([[[[1., 1.]]]])
    """

    def forward(self, x: Any) -> Tensor:
        return dropout2d(x, self.p, self.training)


class Dropout1d(Dropout):
    """`functional.dropout1d` as a layer: whole channels, in training mode only.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.Dropout1d(0.5).eval()(np.ones((1, 1, 2)))
    tensor([[[1., 1.]]])
    """

    def forward(self, x: Any) -> Tensor:
        return dropout1d(x, self.p, self.training)


class AlphaDropout(Dropout):
    """`functional.alpha_dropout` as a layer, in training mode only.

    >>> import tinygrad_math as tm
    >>> tm.nn.AlphaDropout(0.5).eval()([1.0, 2.0])
    tensor([1., 2.])
    """

    def forward(self, x: Any) -> Tensor:
        return alpha_dropout(x, self.p, self.training)
