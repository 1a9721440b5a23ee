"""Sorting and searching: an order is an integer array, and what is sorted is differentiable along that order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..core.declare import derived, general, nondiff
from ..core.errors import DTypeError, ShapeError, describe, refuse_unordered
from ..core.samples import complexes, real, sample
from ..core.tensor import Tensor, as_tensor, rec

__all__ = [
    "argpartition",
    "argsort",
    "argwhere",
    "flatnonzero",
    "lexsort",
    "nonzero",
    "partition",
    "searchsorted",
    "sort",
    "topk",
]

# -- orders ---------------------------------------------------------------------------------------------


@nondiff(latex=r"\operatorname{{argsort}} {0}", shape="same as x; flat with axis=None")
def argsort(
    x: Any, /, axis: int | None = -1, kind: Any = None, *, descending: bool = False, stable: bool | None = True
) -> Any:
    """The indices that sort x along `axis` (the flattened x for None).

    Arguments: `descending`; `stable` keeps ties in the order in which they stand; `kind` is NumPy's name of a
    method. NaN counts as larger than any number. Raises AxisError. Without a derivative.

    >>> import tinygrad_math as tm
    >>> tm.argsort([3.0, 1.0, 3.0], descending=True)
    tensor([0, 2, 1])
    """
    x = np.asarray(x)
    if axis is None:
        x, axis = np.reshape(x, -1), 0
    kind = kind or ("stable" if stable else None)
    if not descending:
        return np.argsort(x, axis=axis, kind=kind)
    backwards = np.argsort(np.flip(x, axis), axis=axis, kind=kind)
    return x.shape[axis] - 1 - np.flip(backwards, axis)


@nondiff(latex=r"\operatorname{{argpartition}} {0}", shape="same as x; flat with axis=None")
def argpartition(x: Any, /, kth: int | Sequence[int], axis: int | None = -1, kind: Any = "introselect") -> Any:
    """The indices that bring the k-th smallest element to place k, smaller ones before it, larger ones behind.

    >>> import tinygrad_math as tm
    >>> bool(tm.argpartition([3.0, 1.0, 2.0], 0)[0] == 1)
    True
    """
    return np.argpartition(x, kth, axis=axis, kind=kind)


def _flat(xp: Any, x: Any, axis: int | None) -> tuple[Any, int]:
    return (xp.reshape(x, (-1,)), 0) if axis is None else (x, axis)


def _along(xp: Any, t: Any, order: Any, axis: int | None) -> Any:
    """t in the order that sorts x."""
    t, axis = _flat(xp, t, axis)
    return xp.take_along_axis(t, order, axis=axis)


def _back(xp: Any, g: Any, order: Any, axis: int | None, shape: tuple[int, ...]) -> Any:
    """The transpose of `_along`: an order is a permutation, and that which sorts it is its inverse."""
    along = 0 if axis is None else axis
    return xp.reshape(xp.take_along_axis(g, xp.argsort(order, along), axis=along), shape)


# -- sorted values --------------------------------------------------------------------------------------


@general(
    latex=r"\operatorname{{sort}} {0}",
    shape="same as x; flat with axis=None",
    note="the derivative goes along the permutation; ties keep their order",
    samples=lambda: [
        sample(real(5)),
        sample(real(2, 3)),
        sample(real(2, 3), axis=0, descending=True),
        sample(real(2, 3), axis=None),
        sample(real(2, 3, 2), axis=-2, stable=False),
        sample(real(1)),
        sample(real(0, 2), axis=0),
        sample(complexes(4)),
        sample(np.array([2.0, 1.0, 2.0, 1.0]), smooth=False),
        sample(np.array([2.0, 1.0, 2.0, 1.0]), descending=True, smooth=False),
    ],
)
def sort(
    x: Any, /, axis: int | None = -1, kind: Any = None, *, descending: bool = False, stable: bool | None = True
) -> Any:
    """x sorted along `axis` (the flattened x for None).

    Arguments as for `argsort`. Derivative: the permutation, dy = dx[argsort(x)]; at ties it is that of the
    stable order.

    >>> import tinygrad_math as tm
    >>> tm.sort([3.0, 1.0, 2.0], descending=True)
    tensor([3., 2., 1.])
    """
    out = np.sort(x, axis=axis, kind=kind)
    return np.flip(out, 0 if axis is None else axis).copy() if descending else out


@sort.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any, axis: int | None, **how: Any) -> Any:
    return (_back(xp, g, xp.argsort(x, axis, **how), axis, x.shape),)


@sort.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, axis: int | None, **how: Any) -> Any:
    return _along(xp, ts[0], xp.argsort(x, axis, **how), axis)


@general(
    latex=r"\operatorname{{partition}} {0}",
    shape="same as x; flat with axis=None",
    note="the derivative goes along the permutation",
    samples=lambda: [
        sample(real(7), kth=3),
        sample(real(2, 5), kth=(1, 3)),
        sample(real(3, 2), kth=1, axis=0),
        sample(real(2, 3), kth=-2, axis=None),
    ],
)
def partition(x: Any, /, kth: int | Sequence[int], axis: int | None = -1, kind: Any = "introselect") -> Any:
    """x with its k-th smallest element in place k, smaller ones before it, larger ones behind, along `axis`.

    Arguments: `kth` an index or several. Raises AxisError, ShapeError (kth out of bounds). Derivative: the
    permutation, as for `sort`.

    >>> import tinygrad_math as tm
    >>> tm.partition([3.0, 1.0, 2.0], 0)[0]
    tensor(1.)
    """
    order = np.argpartition(x, kth, axis=axis, kind=kind)
    return np.take_along_axis(np.reshape(x, -1) if axis is None else x, order, 0 if axis is None else axis)


@partition.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any, kth: Any, axis: int | None, kind: str) -> Any:
    return (_back(xp, g, xp.argpartition(x, kth, axis, kind), axis, x.shape),)


@partition.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, kth: Any, axis: int | None, kind: str) -> Any:
    return _along(xp, ts[0], xp.argpartition(x, kth, axis, kind), axis)


class TopK(NamedTuple):
    """The result of `topk`."""

    values: Tensor
    indices: Tensor


@derived
def topk(x: Any, /, k: int, axis: int = -1, largest: bool = True, sorted: bool = True) -> TopK:
    """The k largest elements along `axis`, largest first, and their indices.

    Arguments: `largest=False` takes the smallest, smallest first; `sorted` is there for PyTorch's callers, the
    result always is. Returns a named tuple (values, indices). Raises ShapeError if the axis is shorter than k.
    Derivative: 1 at the elements taken; ties go to the first.

    >>> import tinygrad_math as tm
    >>> tm.topk([1.0, 5.0, 3.0], 2).values
    tensor([5., 3.])
    """
    x = as_tensor(x)
    order = rec.argsort(x, axis=axis, descending=largest)
    if not 0 <= k <= order.shape[axis]:
        raise ShapeError(f"topk of {x.dtype}{x.shape} along axis {axis}: k={k} is not in 0..{order.shape[axis]}")
    best = rec.getitem(order, (slice(None),) * (axis % order.ndim) + (slice(0, k),))
    return TopK(rec.take_along_axis(x, best, axis=axis), best)


# -- searching ------------------------------------------------------------------------------------------


@nondiff(arity=2, name="searchsorted", latex=r"\operatorname{{searchsorted}}({0}, {1})", shape="same as x2")
def _searchsorted(x1: Any, x2: Any, /, side: Any = "left") -> Any:
    """The indices at which x2 would be inserted into the sorted x1."""
    return np.searchsorted(x1, x2, side=side)


@derived
def searchsorted(x1: Any, x2: Any, /, side: str = "left", sorter: Any = None) -> Tensor:
    """Where each element of x2 would be inserted into the ascending 1-d x1 to keep it sorted.

    Arguments: `side` "left" or "right" of equal elements; `sorter` the indices that sort x1, if it is not
    sorted. Returns integers in the shape of x2, without a derivative. Raises ShapeError.

    >>> import tinygrad_math as tm
    >>> tm.searchsorted([1.0, 2.0, 3.0], [0.5, 2.0], side="right")
    tensor([0, 2])
    """
    if sorter is not None:
        order = as_tensor(sorter)
        if order.dtype.kind == "b" or not np.can_cast(order.dtype, np.intp):
            raise DTypeError(f"searchsorted: the sorter is made of indices, got {describe(sorter)}")
        if order.shape != as_tensor(x1).shape:
            raise ShapeError(f"searchsorted: the sorter {describe(order)} sorts another array than {describe(x1)}")
        x1 = rec.take(x1, sorter, axis=0)
    found: Tensor = _searchsorted(x1, x2, side=side)
    return found


@nondiff(many=True, latex=r"\operatorname{{nonzero}} {0}", shape="as many as there are, once for each axis")
def nonzero(x: Any, /) -> Any:
    """The indices of the elements that are not zero: a tuple of integer arrays, one for each axis.

    >>> import tinygrad_math as tm
    >>> tm.nonzero([0, 1, 2])
    (tensor([1, 2]),)
    """
    if not np.ndim(x):
        raise ValueError("a 0-d array has no axis to give indices of; use atleast_1d first")
    return np.nonzero(x)


@nondiff(latex=r"\operatorname{{argwhere}} {0}", shape="(as many as there are, x.ndim)")
def argwhere(x: Any, /) -> Any:
    """The indices of the elements that are not zero: one row for each.

    >>> import tinygrad_math as tm
    >>> tm.argwhere([[0, 1], [2, 0]])
    tensor([[0, 1],
            [1, 0]])
    """
    return np.argwhere(x)


@nondiff(latex=r"\operatorname{{flatnonzero}} {0}", shape="(as many as there are,)")
def flatnonzero(x: Any, /) -> Any:
    """The indices of the elements of the flattened x that are not zero.

    >>> import tinygrad_math as tm
    >>> tm.flatnonzero([[0, 1], [2, 0]])
    tensor([1, 2])
    """
    return np.flatnonzero(x)


@nondiff(
    arity=None, latex=r"\operatorname{{lexsort}}", shape="keys[0].shape", samples=lambda: [sample([real(4), real(4)])]
)
def lexsort(keys: Any, /, axis: int = -1) -> Any:
    """The indices that sort by several keys of equal shape; the last one is the first to be compared."""
    refuse_unordered(keys, "lexsort")
    return np.lexsort(tuple(keys), axis)
