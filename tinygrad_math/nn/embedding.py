"""Numbers of things as vectors: one-hot, and rows of a table that is learnt."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from ..core.arguments import named
from ..core.errors import ArgumentError, DTypeError, ShapeError, describe
from ..core.tensor import Tensor, as_tensor, rec
from .common import generator, known, shaped, sizes
from .labels import checked_labels
from .module import Module
from .parameter import Parameter

__all__ = ["embedding", "embedding_bag", "one_hot"]

E = TypeVar("E", bound="Embedding")
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
        if not x.size:
            raise ArgumentError("one_hot: say num_classes where there are no numbers")
        x._refuse_trace("one_hot without num_classes")
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


def _bags(x: Any, offsets: Any, to_the_end: bool, asker: str) -> tuple[Any, Any]:
    """Of numbers in a row, and where each bag begins: a place in the row for each (bag, member), and which count."""
    starts = np.asarray(as_tensor(offsets).detach().node.data)
    if not known(as_tensor(offsets)):
        raise ArgumentError(f"{asker}: offsets say shapes, and are known when a function is traced; give an array")
    if starts.ndim != 1 or starts.dtype.kind not in "iu" or len(starts) < to_the_end:
        raise ArgumentError(f"{asker}: offsets are whole numbers in a row, got {describe(starts)}")
    ends = starts[1:] if to_the_end else np.append(starts[1:], x.size)
    bounds = np.append(starts[: len(ends)], ends[-1:])
    if len(ends) and (bounds[0] != 0 or bounds[-1] != x.size or np.any(np.diff(bounds) < 0)):
        raise ArgumentError(f"{asker}: offsets rise from 0 to the {x.size} numbers, got {starts.tolist()!r:.60}")
    starts = starts[: len(ends)]
    places = starts[:, None] + np.arange(max(ends - starts, default=0))
    return np.minimum(places, max(x.size - 1, 0)), places < ends[:, None]


@named
def embedding_bag(
    input: Any,
    weight: Any,
    offsets: Any = None,
    mode: str = "mean",
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """The sum, the mean or the largest of the rows of each bag of numbers: (bags, d) of weight (n, d).

    Arguments: `input` whole numbers (bags, members), or all in a row with `offsets`, where each bag begins (with
    `include_last_offset` and where the last one ends); `mode` "sum", "mean" or "max"; `per_sample_weights` of the
    input's shape, for "sum"; `padding_idx` a number that does not count. An empty bag gives 0. Raises ShapeError,
    ArgumentError, OutsideDomain. Derivative in the weight: as of `embedding`, then of the sum, the mean or the maximum.

    >>> import tinygrad_math as tm
    >>> table = [[1.0, 2.0], [3.0, 4.0], [10.0, 20.0]]
    >>> tm.nn.functional.embedding_bag([0, 1, 2], table, [0, 2]).tolist()
    [[2.0, 3.0], [10.0, 20.0]]
    """
    asker = "embedding_bag"
    x, w, factors = _numbers(input, asker), shaped(weight), per_sample_weights
    if mode not in ("sum", "mean", "max"):
        raise ArgumentError(f"{asker}: mode is 'sum', 'mean' or 'max', got {mode!r:.40}")
    if x.ndim != (2 if offsets is None else 1):
        raise ShapeError(f"{asker}: numbers are (bags, members), or a row with offsets; got {describe(x)}")
    if factors is not None:
        factors = shaped(factors)
        if mode != "sum" or factors.shape != x.shape:
            raise ArgumentError(
                f"{asker}: per_sample_weights go with mode='sum', one for each number {describe(x)}; "
                f"got {describe(factors)} and mode={mode!r}"
            )
    inside: Any = True
    if offsets is not None:
        places, inside = _bags(x, offsets, include_last_offset, asker)
        if not x.size:  # bags of nothing: 0, with a slope of 0 in w
            return rec.matmul(np.zeros((len(places), 0), w.dtype), embedding(x, w))
        x, factors = rec.take(x, places), None if factors is None else rec.take(factors, places)
    rows = embedding(x, w)
    if padding_idx is not None:
        if not -w.shape[0] <= padding_idx < w.shape[0]:
            raise ArgumentError(f"{asker}: padding_idx is one of {w.shape[0]} rows, got {padding_idx}")
        inside = rec.logical_and(rec.not_equal(x, padding_idx % w.shape[0]), inside)
    counts = rec.expand_dims(rec.broadcast_to(inside, x.shape), axis=-1)
    if mode == "max":
        if not x.shape[1]:
            return rec.sum(rows, axis=1)
        largest = rec.max(rec.where(counts, rows, -np.inf), axis=1)
        return rec.where(rec.any(counts, axis=1), largest, 0.0)
    if factors is not None:
        rows = rows * rec.expand_dims(factors, axis=-1)
    total = rec.sum(rec.where(counts, rows, 0.0), axis=1)
    if mode == "sum":
        return total
    return total / rec.astype(rec.maximum(rec.sum(counts, axis=1), 1), total.dtype)


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
        self.weight = Parameter(np.zeros((num_embeddings, embedding_dim)), dtype=dtype)
        self.reset_parameters(rng)

    def reset_parameters(self, rng: Any = None) -> None:
        """Draw the table anew, as at the start; `rng` as there."""
        table = generator(rng).normal(size=self.weight.shape)
        if self.padding_idx is not None:
            table[self.padding_idx] = 0
        self.weight._replace(table.astype(self.weight.dtype))

    @classmethod
    def from_pretrained(cls: type[E], embeddings: Any, freeze: bool = True, padding_idx: int | None = None) -> E:
        """A layer whose table is this array (numbers, width); with `freeze` it is not learnt.

        >>> import tinygrad_math as tm
        >>> tm.nn.Embedding.from_pretrained([[1.0, 2.0], [3.0, 4.0]])([1])
        tensor([[3., 4.]])
        """
        table = as_tensor(embeddings).detach()
        if table.ndim != 2:
            raise ShapeError(f"from_pretrained: a table is (numbers, width), got {describe(table)}")
        numbers, width = table.shape
        layer = cls(numbers, width, padding_idx=padding_idx, dtype=table.dtype, rng=0)
        layer.weight = Parameter(table, requires_grad=not freeze)
        return layer

    def forward(self, x: Any) -> Tensor:
        return embedding(x, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        more = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{more}"


class EmbeddingBag(Embedding):
    """The mean, the sum or the maximum of the vectors of each bag of things; see `functional.embedding_bag`.

    Arguments: PyTorch's; the start, `dtype` and `rng` as for Embedding. Parameter: `weight` (num_embeddings,
    embedding_dim). `forward(input, offsets=None, per_sample_weights=None)`.

    >>> import tinygrad_math as tm
    >>> tm.nn.EmbeddingBag(10, 4, rng=0)([1, 2, 3, 4, 5], [0, 2]).shape
    (2, 4)
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        *,
        mode: str = "mean",
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        dtype: Any = np.float64,
        rng: Any = None,
    ) -> None:
        super().__init__(num_embeddings, embedding_dim, padding_idx, dtype, rng)
        if mode not in ("sum", "mean", "max"):
            raise ArgumentError(f"EmbeddingBag: mode is 'sum', 'mean' or 'max', got {mode!r:.40}")
        self.mode, self.include_last_offset = mode, include_last_offset

    @named
    def forward(self, input: Any, offsets: Any = None, per_sample_weights: Any = None) -> Tensor:
        given = self.mode, per_sample_weights, self.include_last_offset, self.padding_idx
        return embedding_bag(input, self.weight, offsets, *given)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, mode={self.mode!r}"
