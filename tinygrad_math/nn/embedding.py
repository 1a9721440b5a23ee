"""Numbers of things as vectors: one-hot, and rows of a table that is learnt."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.errors import ArgumentError, DTypeError, ShapeError, describe
from ..core.tensor import TRACED, Tensor, as_tensor, rec
from .common import generator, shaped, sizes
from .losses import checked_labels
from .module import Module, Parameter

__all__ = ["embedding", "one_hot"]

_NONE = -(2**62)  # no label is ignored


def _numbers(x: Any, asker: str) -> Tensor:
    x = as_tensor(x)
    if x.dtype.kind not in "iu":
        raise DTypeError(f"{asker} takes whole numbers, got {describe(x)}; use astype(int)")
    return x


@named
def one_hot(tensor: Any, num_classes: int = -1) -> Tensor:
    """1 at the place of each number, 0 elsewhere: whole numbers (...) -> int64 (..., num_classes).

    Without `num_classes`, the largest number and one. Raises OutsideDomain for a number that is no class, DTypeError.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.one_hot([1, 0], 3)
    tensor([[0, 1, 0],
            [1, 0, 0]])
    """
    x = _numbers(tensor, "one_hot")
    if num_classes == -1:
        if x.node.live & TRACED or not x.size:
            raise ArgumentError("one_hot: say num_classes where the numbers are not known (or there are none)")
        num_classes = int(np.max(x.node.data)) + 1
    classes = sizes(num_classes, 1, "one_hot", "num_classes")[0]
    labels = checked_labels(x, classes=classes, ignore_index=_NONE, called="one_hot: a class")
    return rec.astype(rec.equal(rec.expand_dims(labels, axis=-1), np.arange(classes)), np.int64)


@named
def embedding(input: Any, weight: Any, padding_idx: int | None = None) -> Tensor:
    """Rows of a table: whole numbers (...) and weight (n, d) -> (..., d).

    The row `padding_idx` gets no gradient. Raises OutsideDomain for a number that is no row, DTypeError.
    Derivative in the weight: each cotangent is added to the row that it came from.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.embedding([[1, 0]], [[1.0, 2.0], [3.0, 4.0]]).tolist()
    [[[3.0, 4.0], [1.0, 2.0]]]
    """
    x, w = _numbers(input, "embedding"), shaped(weight)
    if w.ndim != 2:
        raise ShapeError(f"embedding: a weight is (numbers, width), got {describe(w)}")
    rows = checked_labels(x, classes=w.shape[0], ignore_index=_NONE, called="embedding: a number of a row")
    y = rec.take(w, rows, axis=0)
    if padding_idx is None:
        return y
    if not -w.shape[0] <= padding_idx < w.shape[0]:
        raise ArgumentError(f"embedding: padding_idx is one of {w.shape[0]} rows, got {padding_idx}")
    padded = rec.expand_dims(rec.equal(x, padding_idx % w.shape[0]), axis=-1)
    return rec.where(padded, rec.stop_gradient(y), y)


class Embedding(Module):
    """A table of vectors, one for each of num_embeddings things, that is learnt; see `functional.embedding`.

    Arguments: PyTorch's; `dtype`, `rng` a NumPy Generator, or a seed, for the start: standard normal, and 0 in the row
    `padding_idx`, which stays. Parameter: `weight` (num_embeddings, embedding_dim).

    >>> import tinygrad_math as tm
    >>> tm.nn.Embedding(10, 4, rng=0)([[1, 2, 3]]).shape
    (1, 3, 4)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        dtype: Any = np.float64,
        rng: Any = None,
    ) -> None:
        super().__init__()
        self.num_embeddings, self.embedding_dim = sizes((num_embeddings, embedding_dim), 2, "Embedding", "its size")
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise ArgumentError(f"Embedding: padding_idx is one of {num_embeddings} rows, got {padding_idx}")
            padding_idx %= num_embeddings
        self.padding_idx = padding_idx
        table = generator(rng).normal(size=(num_embeddings, embedding_dim))
        if padding_idx is not None:
            table[padding_idx] = 0
        self.weight = Parameter(table, dtype=dtype)

    def forward(self, x: Any) -> Tensor:
        return embedding(x, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        more = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{more}"
