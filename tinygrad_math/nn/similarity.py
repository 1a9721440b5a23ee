"""Lengths and angles of vectors along an axis."""

from __future__ import annotations

from typing import Any

from ..core.arguments import named
from ..core.tensor import Tensor, rec
from .common import shaped
from .module import Module

__all__ = ["cosine_similarity", "normalize"]


@named
def normalize(input: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """x over its p-norm along an axis, or over eps where that is larger.

    Derivative: of the quotient; at 0, where the norm has none, dx / eps.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.normalize([[3.0, 4.0]])
    tensor([[0.6, 0.8]])
    """
    x = shaped(input)
    return rec.divide(x, _length(x, p, dim, eps))


@named
def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between vectors along an axis of two arrays, which broadcast.

    Lengths below eps count as eps. Raises ShapeError. Derivative in x: (y / |y| - cos x / |x|) / |x|.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.cosine_similarity([[1.0, 0.0]], [[3.0, 4.0]])
    tensor([0.6])
    """
    x, y = shaped(x1), shaped(x2)
    return rec.sum((x / _length(x, 2.0, dim, eps)) * (y / _length(y, 2.0, dim, eps)), axis=dim)


def _length(x: Any, p: float, axis: int, eps: float) -> Any:
    return rec.maximum(rec.lp_norm(x, ord=p, axis=axis, keepdims=True), eps)


class CosineSimilarity(Module):
    """`functional.cosine_similarity` as a layer of two arguments.

    >>> import tinygrad_math as tm
    >>> tm.nn.CosineSimilarity()([[1.0, 0.0]], [[3.0, 4.0]])
    tensor([0.6])
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim, self.eps = dim, eps

    def forward(self, x1: Any, x2: Any) -> Tensor:
        return cosine_similarity(x1, x2, self.dim, self.eps)
