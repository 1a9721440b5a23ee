"""Arrays as sets: distinct values and membership."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..core.declare import derived, nondiff
from ..core.tensor import Tensor, as_tensor, rec

__all__ = ["isin", "unique", "unique_all", "unique_counts", "unique_inverse", "unique_values"]


@nondiff(many=True, latex=r"\operatorname{{distinct}} {0}", shape="as many as there are")
def distinct(x: Any, /, axis: int | None = None, equal_nan: bool = False) -> Any:
    """Of the distinct elements (or slices along `axis`), in ascending order: first index, inverse, count."""
    full = np.unique(x, return_index=True, return_inverse=True, return_counts=True, axis=axis, equal_nan=equal_nan)
    return full[1:]


def _distinct(x: Any, axis: int | None, equal_nan: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Values, first indices, inverse, counts: the values are taken from x, and so have a derivative."""
    x = as_tensor(x)
    first, inverse, counts = distinct(x, axis=axis, equal_nan=equal_nan)
    values = rec.take(rec.reshape(x, (-1,)), first, axis=0) if axis is None else rec.take(x, first, axis=axis)
    return values, first, inverse, counts


class UniqueAll(NamedTuple):
    """The result of `unique_all`."""

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class UniqueCounts(NamedTuple):
    """The result of `unique_counts`."""

    values: Tensor
    counts: Tensor


class UniqueInverse(NamedTuple):
    """The result of `unique_inverse`."""

    values: Tensor
    inverse_indices: Tensor


@derived
def unique_all(x: Any, /) -> UniqueAll:
    """The distinct elements in ascending order, the index of the first of each, the inverse, the counts.

    Returns a named tuple (values, indices, inverse_indices, counts); `values[inverse_indices]` is x. NaNs are
    distinct from each other. Derivative of the values: that of the first element of each kind.

    >>> import tinygrad_math as tm
    >>> tm.unique_all([2.0, 1.0, 2.0]).counts
    tensor([1, 2])
    """
    return UniqueAll(*_distinct(x, None, False))


@derived
def unique_counts(x: Any, /) -> UniqueCounts:
    """The distinct elements in ascending order, and how often each stands in x. See `unique_all`.

    >>> import tinygrad_math as tm
    >>> tm.unique_counts([3.0, 1.0, 3.0])
    UniqueCounts(values=tensor([1., 3.]), counts=tensor([1, 2]))
    """
    values, _, _, counts = _distinct(x, None, False)
    return UniqueCounts(values, counts)


@derived
def unique_inverse(x: Any, /) -> UniqueInverse:
    """The distinct elements in ascending order, and for each element of x where it stands there. See `unique_all`.

    >>> import tinygrad_math as tm
    >>> tm.unique_inverse([3.0, 1.0, 3.0])
    UniqueInverse(values=tensor([1., 3.]), inverse_indices=tensor([1, 0, 1]))
    """
    values, _, inverse, _ = _distinct(x, None, False)
    return UniqueInverse(values, inverse)


@derived
def unique_values(x: Any, /) -> Tensor:
    """The distinct elements in ascending order. See `unique_all`.

    >>> import tinygrad_math as tm
    >>> tm.unique_values([3.0, 1.0, 3.0])
    tensor([1., 3.])
    """
    return _distinct(x, None, False)[0]


@derived
def unique(
    x: Any,
    /,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
) -> Any:
    """NumPy's form of `unique_all`: the distinct elements, or slices along `axis`, and what else is asked for.

    Returns a Tensor, or a tuple of Tensors: values, then index, inverse, counts as asked. NaNs count as equal.

    >>> import tinygrad_math as tm
    >>> tm.unique([[1, 1], [1, 1], [0, 2]], axis=0)
    tensor([[0, 2],
            [1, 1]])
    """
    values, first, inverse, counts = _distinct(x, axis, equal_nan)
    more = [
        part for part, wanted in ((first, return_index), (inverse, return_inverse), (counts, return_counts)) if wanted
    ]
    return (values, *more) if more else values


@nondiff(arity=2, latex=r"{0} \in {1}", shape="same as x1")
def isin(x1: Any, x2: Any, /, assume_unique: bool = False, invert: bool = False, *, kind: Any = None) -> Any:
    """Whether each element of x1 is among those of x2; `invert` asks whether it is not.

    >>> import tinygrad_math as tm
    >>> tm.isin([1, 2, 3], [3, 1])
    tensor([ True, False,  True])
    """
    return np.isin(x1, x2, assume_unique=assume_unique, invert=invert, kind=kind)
