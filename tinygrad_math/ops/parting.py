"""An array parted into many: the transposes of joining."""

from __future__ import annotations

from operator import index as as_int
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.declare import alias, derived, general
from ..core.errors import ShapeError, checked_axis, describe
from ..core.samples import real, sample
from ..core.tensor import as_tensor, rec, record

__all__ = ["array_split", "dsplit", "hsplit", "split", "unstack", "vsplit"]


_MOST = 1 << 20  # parts: each is an array of its own


@general(
    many=True,
    latex=r"\operatorname{{split}}({0})",
    shape="x.shape with parts of its length at `axis`",
    samples=lambda: [
        sample(real(4, 2), indices_or_sections=2),
        sample(real(2, 5), indices_or_sections=(1, 3), axis=1),
        sample(real(2, 5), indices_or_sections=(2, 2, 7), axis=-1),
        sample(real(3), indices_or_sections=1),
    ],
)
def split(x: Any, /, indices_or_sections: Any, axis: int = 0) -> Any:
    """x parted along an axis: into a number of equal parts, or before each of the positions given.

    Returns a tuple. Raises ShapeError if it does not come out even; array_split allows that. The cotangent
    is the parts' cotangents joined.

    >>> import tinygrad_math as tm
    >>> tm.split(tm.tensor([1.0, 2.0, 3.0, 4.0]), [1, 3])
    (tensor([1.]), tensor([2., 3.]), tensor([4.]))
    """
    if isinstance(indices_or_sections, int) and not 1 <= indices_or_sections <= _MOST:
        raise ShapeError(
            f"split of {describe(x)} into {indices_or_sections:,} parts; give 1 or more, and up to {_MOST:,}, "
            "or the positions to cut before"
        )
    return tuple(np.split(x, indices_or_sections, axis))


@split.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any, indices_or_sections: Any, axis: int) -> Any:
    if isinstance(indices_or_sections, int):
        return (xp.concat([xp.zeros_like(p) if q is None else q for q, p in zip(g, y, strict=True)], axis=axis),)
    # positions may overlap or lie outside, so each part goes back to where it came from
    before = (slice(None),) * (axis % x.ndim)
    cuts = (0, *indices_or_sections, None)
    total = None
    for q, start, stop in zip(g, cuts[:-1], cuts[1:], strict=True):
        if q is not None:
            part = xp.embed(q, shape=x.shape, key=(*before, slice(start, stop)))
            total = part if total is None else total + part
    return (total,)


@split.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, indices_or_sections: Any, axis: int) -> Any:
    return xp.split(ts[0], indices_or_sections, axis)


@named
def _split(x: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    if hasattr(indices_or_sections, "__len__") and getattr(indices_or_sections, "ndim", 1) == 1:
        cuts: Any = tuple(as_int(i) for i in indices_or_sections)
    else:
        cuts = as_int(indices_or_sections)
    return record(split, (x,), {"indices_or_sections": cuts, "axis": axis})


alias("split", _split)


@derived
def array_split(x: Any, /, indices_or_sections: Any, axis: int = 0) -> Any:
    """Like split, but into parts that are equal up to one where the length does not divide.

    >>> import tinygrad_math as tm
    >>> [len(p) for p in tm.array_split(tm.zeros(7), 3)]
    [3, 2, 2]
    """
    x = as_tensor(x)
    if not hasattr(indices_or_sections, "__index__") or getattr(indices_or_sections, "ndim", 0) > 0:
        return rec.split(x, indices_or_sections, axis)
    parts = as_int(indices_or_sections)
    if not 1 <= parts <= _MOST:
        raise ShapeError(f"array_split: {parts:,} parts of {describe(x)}; give 1 or more, and up to {_MOST:,}")
    each, more = divmod(x.shape[checked_axis(axis, x.ndim, "array_split")], parts)
    return rec.split(x, [k * each + min(k, more) for k in range(1, parts)], axis)


def _split_along(x: Any, indices_or_sections: Any, axis: int, at_least: int, asker: str) -> Any:
    x = as_tensor(x)
    if x.ndim < at_least:
        raise ShapeError(f"{asker} parts arrays of {at_least} or more dimensions, got {describe(x)}")
    return rec.split(x, indices_or_sections, axis)


@derived
def hsplit(x: Any, /, indices_or_sections: Any) -> Any:
    """`split` along the second axis, of a vector along its only one.

    >>> import tinygrad_math as tm
    >>> tm.hsplit(tm.tensor([[1.0, 2.0]]), 2)
    (tensor([[1.]]), tensor([[2.]]))
    """
    x = as_tensor(x)
    return _split_along(x, indices_or_sections, 0 if x.ndim == 1 else 1, 1, "hsplit")


@derived
def vsplit(x: Any, /, indices_or_sections: Any) -> Any:
    """`split` along the first axis, of two or more dimensions.

    >>> import tinygrad_math as tm
    >>> tm.vsplit(tm.tensor([[1.0], [2.0]]), 2)
    (tensor([[1.]]), tensor([[2.]]))
    """
    return _split_along(x, indices_or_sections, 0, 2, "vsplit")


@derived
def dsplit(x: Any, /, indices_or_sections: Any) -> Any:
    """`split` along the third axis, of three or more dimensions.

    >>> import tinygrad_math as tm
    >>> [p.shape for p in tm.dsplit(tm.zeros((2, 2, 4)), 2)]
    [(2, 2, 2), (2, 2, 2)]
    """
    return _split_along(x, indices_or_sections, 2, 3, "dsplit")


@general(
    many=True,
    latex=r"\operatorname{{unstack}}({0})",
    shape="x.shape without `axis`",
    samples=lambda: [sample(real(3, 2)), sample(real(2, 3), axis=-1), sample(real(2)), sample(real(2, 0), axis=0)],
)
def unstack(x: Any, /, *, axis: int = 0) -> Any:
    """The slices of x along an axis, as a tuple: what stack joins.

    Raises AxisError. The cotangent is the slices' cotangents stacked.

    >>> import tinygrad_math as tm
    >>> tm.unstack(tm.tensor([[1.0, 2.0], [3.0, 4.0]]), axis=1)
    (tensor([1., 3.]), tensor([2., 4.]))
    """
    return tuple(np.moveaxis(np.asarray(x), axis, 0))


@unstack.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any, axis: int) -> Any:
    return (xp.stack([xp.zeros_like(p) if q is None else q for q, p in zip(g, y, strict=True)], axis=axis),)


@unstack.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, axis: int) -> Any:
    return xp.unstack(ts[0], axis=axis)
