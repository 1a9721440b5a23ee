"""Lengths and angles of vectors along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.errors import ShapeError, describe
from ..core.tensor import Tensor, rec
from .common import shaped
from .module import Module

__all__ = ["cosine_similarity", "normalize", "pairwise_distance", "pdist"]


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


@named
def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """The p-norm of x - y + eps along the last axis, of two arrays that broadcast; eps as in PyTorch.

    Derivative: of the norm.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.pairwise_distance([[0.0, 0.0]], [[3.0, 4.0]], eps=0.0)
    tensor([5.])
    """
    return rec.lp_norm(shaped(x1) - shaped(x2) + eps, ord=p, axis=-1, keepdims=keepdim)


@named
def pdist(input: Any, p: float = 2.0) -> Tensor:
    """The p-norms of the differences of rows i and j of x (n, d), for all i < j in order: (n (n - 1) / 2,).

    Raises ShapeError. Derivative: of the norm; 0 for two rows that are equal.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.pdist([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]).round(3)
    tensor([5.   , 1.   , 4.243])
    """
    x = shaped(input)
    if x.ndim != 2:
        raise ShapeError(f"pdist: expected rows (n, d), got {describe(x)}")
    first, second = np.triu_indices(x.shape[0], 1)
    return rec.lp_norm(rec.take(x, first, axis=0) - rec.take(x, second, axis=0), ord=p, axis=-1, keepdims=False)


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


class PairwiseDistance(Module):
    """`functional.pairwise_distance` as a layer of two arguments.

    >>> import tinygrad_math as tm
    >>> tm.nn.PairwiseDistance(eps=0.0)([[0.0, 0.0]], [[3.0, 4.0]])
    tensor([5.])
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.p, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Any, x2: Any) -> Tensor:
        return pairwise_distance(x1, x2, self.p, self.eps, self.keepdim)
