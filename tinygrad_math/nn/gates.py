"""Gates and choices: one half of an array through the other, and a draw that can be differentiated."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import random
from ..core.arguments import named
from ..core.errors import ArgumentError, ShapeError, describe
from ..core.tensor import Tensor, rec
from .activations import Softmax, softmax
from .common import shaped
from .module import Module

__all__ = ["glu", "gumbel_softmax", "softmin"]


@named
def glu(input: Any, dim: int = -1) -> Tensor:
    """a sigmoid(b), for the halves a and b of x along an axis. Dauphin et al. 2017.

    Raises ShapeError for an axis of odd length. Derivative: db a s (1 - s) + da s, with s = sigmoid(b).

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.glu([[2.0, 4.0, 0.0, 0.0]])
    tensor([[1., 2.]])
    """
    x = shaped(input)
    if not -x.ndim <= dim < x.ndim or x.shape[dim] % 2:
        raise ShapeError(f"glu: axis {dim} has two halves, got {describe(x)}")
    half, before = x.shape[dim] // 2, (slice(None),) * (dim % x.ndim)
    return x[(*before, slice(half))] * rec.sigmoid(x[(*before, slice(half, None))])


@named
def softmin(input: Any, dim: int | None = None, *, axis: int | None = None) -> Tensor:
    """`softmax` of -x; arguments as there.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.softmin([0.0, 0.0])
    tensor([0.5, 0.5])
    """
    return softmax(-shaped(input), dim, axis=axis)


@named
def gumbel_softmax(logits: Any, tau: float = 1.0, hard: bool = False, *, dim: int = -1) -> Tensor:
    """A draw of one of several, softened: softmax((logits + noise) / tau), with the noise -log(-log u).

    The draws come from `tm.random`. Arguments: `tau` above 0; with `hard` the result is one-hot, and the derivative
    that of the soft one (straight through). Raises ArgumentError. Derivative in the logits: softmax's, over tau. Jang,
    Gu, Poole 2017; Maddison, Mnih, Teh 2017.

    >>> import tinygrad_math as tm
    >>> tm.random.seed(0)
    >>> tm.nn.functional.gumbel_softmax([[0.0, 1.0, 9.0]], hard=True).round()
    tensor([[0., 0., 1.]])
    """
    x = shaped(logits)
    if not tau > 0:
        raise ArgumentError(f"gumbel_softmax: tau is a number above 0, got {tau!r:.40}")
    y = rec.softmax((x + rec.astype(random.gumbel(size=x.shape), x.dtype)) / tau, axis=dim)
    if not hard:
        return y
    return _largest(y, dim) - rec.stop_gradient(y) + y


def _largest(y: Any, axis: int) -> Any:
    """1 at the first largest element along an axis, 0 elsewhere."""
    places = rec.expand_dims(rec.argmax(y, axis=axis), axis=axis)
    shape = [1] * y.ndim
    shape[axis] = y.shape[axis]
    return rec.astype(rec.equal(np.arange(y.shape[axis]).reshape(shape), places), y.dtype)


class GLU(Module):
    """`functional.glu` as a layer.

    >>> import tinygrad_math as tm
    >>> tm.nn.GLU()([[2.0, 4.0, 0.0, 0.0]])
    tensor([[1., 2.]])
    """

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Any) -> Tensor:
        return glu(x, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmin(Softmax):
    """`functional.softmin` as a layer.

    >>> import tinygrad_math as tm
    >>> tm.nn.Softmin(dim=-1)([[0.0, 0.0]])
    tensor([[0.5, 0.5]])
    """

    def forward(self, x: Any) -> Tensor:
        return softmin(x, self.dim)


class Softmax2d(Module):
    """softmax over the channels of images (n, channels, height, width), at each place.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.Softmax2d()(np.zeros((1, 2, 1, 1))).ravel()
    tensor([0.5, 0.5])
    """

    def forward(self, x: Any) -> Tensor:
        x = shaped(x)
        if x.ndim not in (3, 4):
            raise ShapeError(f"Softmax2d: expected (n, channels, height, width), got {describe(x)}")
        return rec.softmax(x, axis=-3)
