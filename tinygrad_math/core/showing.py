"""How an array shows itself: small ones as NumPy prints them, large ones with shape, range, and what is not finite."""

from __future__ import annotations

from typing import Any

import numpy as np

from .notebook import escaped
from .quiet import ignoring

MANY = 10_000_000  # of more elements, only some are looked at, so that showing an array is never slow
LOOKED_AT = 1_000_000
ROWS, COLUMNS = 12, 12  # of a matrix in a notebook


def span(array: Any) -> str:
    """`from -1 to 3, 2 NaN, 1 infinite` of an array; of a huge one from every so manyth element, and it says so."""
    size = array.size
    if not size:
        return "empty"
    step = 1
    if size > MANY:
        step = size // LOOKED_AT
        array = array.reshape(-1)[::step] if array.flags.c_contiguous else _some(array)
    kind = array.dtype.kind
    if kind == "b":
        found = f"{np.count_nonzero(array):,} of {array.size:,} True"
    elif kind in "iu":
        found = f"from {array.min()} to {array.max()}"
    else:
        found = _floats(array)
    return found if step == 1 else f"{found} (of {array.size:,} elements looked at)"


def _some(array: Any) -> Any:
    """Elements of an array in a grid, without a copy of it."""
    thin = max(1, round((array.size / LOOKED_AT) ** (1 / max(sum(n > 1 for n in array.shape), 1))))
    return array[tuple(slice(None, None, thin) for _ in array.shape)]


def _floats(array: Any) -> str:
    parts = []
    with ignoring():
        low, high = (array.min(), array.max()) if array.dtype.kind == "f" else (np.nan, np.nan)
        nan = infinite = 0
        if not (np.isfinite(low) and np.isfinite(high)):
            finite = np.isfinite(array)
            nan = int(np.count_nonzero(np.isnan(array)))
            infinite = int(array.size - np.count_nonzero(finite)) - nan
            known = np.abs(array[finite]) if array.dtype.kind == "c" else array[finite]
            low, high = (known.min(), known.max()) if known.size else (None, None)
    if low is not None:
        found = f"all {low:.4g}" if low == high else f"from {low:.4g} to {high:.4g}"
        parts.append(f"of size {found}" if array.dtype.kind == "c" else found)
    odd = ", ".join([f"{nan:,} NaN"] * bool(nan) + [f"{infinite:,} infinite"] * bool(infinite))
    return (" but " if low is not None and low == high else ", ").join(parts + [odd] * bool(odd))


def text(data: Any, name: str | None, requires_grad: bool) -> str:
    """The repr of a Tensor."""
    array = np.asarray(data)
    shown = np.array2string(array, separator=", ", prefix="tensor(")
    if array.size > np.get_printoptions()["threshold"]:
        shown += f", shape={array.shape}, {span(array)}"
    elif not array.size and array.shape != (0,):
        shown += f", shape={array.shape}"
    if array.dtype.name not in ("float64", "int64", "bool"):
        shown += f", dtype={array.dtype}"
    if name is not None:
        shown += f", name={name!r}"
    return f"tensor({shown}{', requires_grad=True' if requires_grad else ''})"


def markup(data: Any, name: str | None, requires_grad: bool) -> str:
    """A Tensor in a notebook: what it is in a line, and below it the numbers of a vector or a matrix."""
    array = np.asarray(data)
    what = f"{array.dtype}{array.shape}" if array.shape else f"{array.dtype}"
    head = [f"<b>{escaped(name)}</b>"] if name else []
    head += [escaped(what), escaped(span(array))] if array.shape else [escaped(what)]
    head += ["requires_grad"] if requires_grad else []
    if array.ndim not in (1, 2) or not array.size:
        body = f"<pre>{escaped(np.array2string(array, separator=', '))}</pre>"
    else:
        body = _grid(np.atleast_2d(array))
    return f"<div>{' &middot; '.join(head)}{body}</div>"


def _grid(matrix: Any) -> str:
    rows, columns = _ends(matrix.shape[0], ROWS), _ends(matrix.shape[1], COLUMNS)
    cell = '<td style="text-align:right">'
    lines = []
    for i in rows:
        texts = ["&hellip;" if i is None or j is None else escaped(_number(matrix[i, j])) for j in columns]
        lines.append("<tr>" + "".join(f"{cell}{t}</td>" for t in texts) + "</tr>")
    return f"<table>{''.join(lines)}</table>"


def _number(value: Any) -> str:
    return str(value) if value.dtype.kind in "biu" else f"{value:.4g}"


def _ends(n: int, most: int) -> list[int | None]:
    """The first and the last of n places, with a gap where they are too many."""
    return [*range(n)] if n <= most else [*range(most // 2), None, *range(n - most // 2, n)]
