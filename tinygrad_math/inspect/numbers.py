"""Which numbers are bad, and what they were made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.op import Op
from ..core.tensor import Tensor

MOVES = frozenset(
    ("alias", "assign", "broadcast_to", "clip", "concat", "conj", "copy", "diagonal", "diagonal_embed", "embed")
    + ("empty_like", "expand_dims", "flip", "fmax", "fmin", "gather", "getitem", "imag", "keep", "lattice_point")
    + ("matrix_transpose", "max", "maximum", "min", "minimum", "nanmax", "nanmin", "partition", "positive")
    + (
        "real",
        "relu",
        "reshape",
        "roll",
        "scatter",
        "scatter_along_axis",
        "select",
        "sort",
        "split",
        "squeeze",
        "stack",
    )
    + ("stop_gradient", "take_along_axis", "transpose", "tril", "triu", "unreduce", "unstack", "where", "windows")
)  # what hands values on, as they are
_POINTWISE = frozenset(
    ("divide", "quotient", "integer_power", "absolute", "sign", "astype", "maximum", "minimum", "fmax", "fmin", "where")
    + ("clip", "relu", "sinc", "signed_power", "abs_power", "power_log", "keep", "nan_to_num", "ldexp", "root")
    + ("polygamma", "log_ratio")
)


def is_bad(data: Any, infinite: bool = True) -> bool:
    """Whether there is NaN among these numbers, or an infinity where these count."""
    array = np.asarray(data)
    if array.dtype.kind not in "fc":
        return False
    return not bool(np.isfinite(array).all()) if infinite else bool(np.isnan(array).any())


def bad_elements(data: Any, infinite: bool = True) -> Any:
    array = np.asarray(data)
    return ~np.isfinite(array) if infinite else np.isnan(array)


def first_index(mask: Any) -> tuple[int, ...]:
    """The index of the first True."""
    return tuple(int(k) for k in np.unravel_index(int(np.argmax(mask)), mask.shape))


def pointwise(op: Op, shape: tuple[int, ...], args: Sequence[Any]) -> bool:
    """Whether an element of the result depends on one element of each argument."""
    plain = op.plain
    if not (op.kind == "elementwise" or op.name in _POINTWISE or (isinstance(plain, np.ufunc) and not plain.signature)):
        return False
    try:
        return np.broadcast_shapes(*map(np.shape, args)) == shape
    except ValueError:
        return False


def element(data: Any, shape: tuple[int, ...], index: tuple[int, ...]) -> Any:
    """The element of an argument that broadcasts to `shape`."""
    return np.broadcast_to(np.asarray(data), shape)[index]


def number(value: Any) -> str:
    """A number for a message."""
    v: Any = np.asarray(value)[()]
    if v.dtype == np.longdouble and np.isfinite(v):
        return str(np.format_float_scientific(v, precision=4, trim="-"))
    return str(bool(v)) if v.dtype == np.bool_ else f"{v:.6g}"


def worst(op: Op, args: Sequence[Any], data: Any, infinite: bool) -> tuple[Any, tuple[int, ...]] | None:
    """The array and the index of the first bad number that an op made; None if it made none, and only handed some on.

    An infinity among the operands is the user's: only what is made of finite numbers counts, and NaN.
    """
    if not is_bad_value(data, infinite) or op.name == "empty_like":
        return None
    given = [np.asarray(p) for a in args for p in (a if isinstance(a, (tuple, list)) else (a,))]
    given = [p for p in given if p.dtype.kind in "fc"]
    if op.name in MOVES and any(is_bad(p) for p in given):
        return None
    carried = [np.isinf(p) for p in given] if infinite else []
    for part in data if isinstance(data, (tuple, list)) else (data,):
        array = np.asarray(part)
        if not is_bad(array, infinite):
            continue
        bad = np.isnan(array)
        if infinite:
            own = pointwise(op, array.shape, args) and not op.many
            known = np.logical_or.reduce(np.broadcast_arrays(array, *carried)[1:]) if own and carried else None
            bad = bad | (np.isinf(array) & (~known if known is not None else not any(m.any() for m in carried)))
        if bad.any():
            return array, first_index(bad)
    return None


def plain(g: Any) -> Any:
    """A cotangent as an array, or a list of them."""
    if isinstance(g, (list, tuple)):
        return [plain(part) for part in g]
    return g.node.data if isinstance(g, Tensor) else g


def is_bad_value(data: Any, infinite: bool) -> bool:
    """The same of an array, or of the parts of a many-valued result."""
    if isinstance(data, (list, tuple)):
        return any(part is not None and is_bad(part, infinite) for part in data)
    return is_bad(data, infinite)


def first_part(data: Any, infinite: bool) -> Any:
    """The array that is bad, of several."""
    parts = data if isinstance(data, (list, tuple)) else (data,)
    return np.asarray(next(part for part in parts if part is not None and is_bad(part, infinite)))
