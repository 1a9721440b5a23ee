"""Values in a few characters, in a few lines, and in numbers that a page can draw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.quiet import ignoring
from ..core.tensor import Tensor

_IN_LINE, _IN_LINES = 6, (4, 4)  # entries of a value written out in a line; columns and rows of one in several lines
_CELLS, _BINS = 24, 16  # the longest side of a heat map, and the bars of a histogram


def number(v: Any) -> str:
    """A number in four digits; never minus zero, which tells nobody anything in a drawing."""
    if isinstance(v, (complex, np.complexfloating)):
        sign = "-" if v.imag < 0 else "+"
        return f"{number(v.real)}{sign}{number(abs(v.imag))}j"
    if isinstance(v, (float, np.floating)):
        return f"{v + 0.0:.4g}".replace("-0", "0", 1) if v == 0 else f"{v:.4g}"
    return str(v)


def short(data: Any) -> str:
    """A value in a few characters: the number, the few numbers, or the range of many.

    >>> short(np.array([1.0, 2.5])), short(np.arange(100.0)), short(np.zeros((3, 4)))
    ('[1, 2.5]', '0 … 99', 'all 0')
    """
    data = _plain(data)
    if isinstance(data, (tuple, list)):  # a many-valued result, or its cotangents
        return "; ".join("0" if part is None else short(part) for part in data)
    a = np.asarray(data)
    if a.size == 0:
        return "empty"
    if a.ndim == 0:
        return number(a.item())
    if a.size <= _IN_LINE and a.ndim <= 2:
        return _nested(a)
    return _range(a)


def lines(data: Any) -> list[str]:
    """A value in the lines of a box: a small array in full, each entry in its column, and the range of a large one.

    >>> lines(np.array([[1.0, -2.0], [3.5, 4.0]]))
    ['[  1  -2]', '[3.5   4]']
    """
    data = _plain(data)
    if isinstance(data, (tuple, list)):
        return [line for part in data for line in (["0"] if part is None else [short(part)])]
    a = np.asarray(data)
    columns, rows = _IN_LINES
    if a.ndim == 1 and 1 < a.size <= columns:
        return ["[" + ", ".join(number(v) for v in a.tolist()) + "]"]
    if a.ndim != 2 or a.size == 0 or a.shape[0] > rows or a.shape[1] > columns:
        return [short(a)]
    if a.size > 4 and not np.any(a != a.flat[0]):
        return [short(a) if a.size <= 1 else f"all {number(a.flat[0].item())}"]
    cells = [[number(v) for v in row] for row in a.tolist()]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["[" + "  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) + "]" for row in cells]


def _plain(data: Any) -> Any:
    return data.node.data if isinstance(data, Tensor) else data


def _nested(a: Any) -> str:
    if a.ndim == 0:
        return number(a.item())
    return "[" + ", ".join(_nested(v) for v in a) + "]"


def _range(a: Any) -> str:
    if a.dtype.kind == "c":
        size = np.abs(a).max()
        return "NaN among them" if math.isnan(size) else f"|·| ≤ {number(size)}"
    if a.dtype.kind == "b":
        share = float(a.mean())
        return "all true" if share == 1 else "all false" if share == 0 else f"{100 * share:.0f}% true"
    low, high = a.min().item(), a.max().item()
    if math.isnan(low):
        return "NaN among them"
    return f"all {number(low)}" if low == high else f"{number(low)} … {number(high)}"


def shape_of(data: Any) -> str:
    """The shape in words: of a many-valued result, of each part.

    >>> shape_of(np.zeros((2, 3))), shape_of((np.zeros(2), np.zeros(2)))
    ('(2, 3)', '2 × (2,)')
    """
    if isinstance(data, (tuple, list)):
        parts = [shape_of(p) for p in data]
        return f"{len(parts)} × {parts[0]}" if len(parts) > 1 and len(set(parts)) == 1 else ", ".join(parts)
    return str(np.shape(data))


def dtype_of(data: Any) -> str:
    """The dtype in words; of a Python number, which takes on that of what it meets, none."""
    if isinstance(data, (tuple, list)):
        return ", ".join(dict.fromkeys(dtype_of(p) for p in data))
    return str(data.dtype) if hasattr(data, "dtype") else ""


def largest(sizes: Sequence[float]) -> float:
    """The largest of some sizes, 0 of none, NaN if one of them is: what is wrong is not to vanish among what is not."""
    return math.nan if any(map(math.isnan, sizes)) else max(sizes, default=0.0)


def magnitude(data: Any) -> float:
    """The root of the mean square of a cotangent's entries; of many parts, the largest. NaN or inf where one is."""
    data = _plain(data)
    if isinstance(data, (tuple, list)):
        return largest([magnitude(p) for p in data if p is not None])
    a = np.abs(np.asarray(data)).astype(float)
    if a.size == 0:
        return 0.0
    top = float(a.max())
    if not math.isfinite(top):
        return top
    return top * math.sqrt(float(np.mean((a / top) ** 2))) if top else 0.0


def summary(data: Any, cells: int = _CELLS) -> dict[str, Any]:
    """What a page shows of one array: statistics, a histogram, and the entries themselves while they are few."""
    data = _plain(data)
    if isinstance(data, (tuple, list)):
        return {"text": short(data), "parts": [None if p is None else summary(p, min(cells, 8)) for p in data]}
    a = np.asarray(data)
    told: dict[str, Any] = {"text": short(a)}
    if a.size <= 1 or a.dtype.kind not in "biufc":
        return told
    wide = np.abs(a) if a.dtype.kind == "c" else a
    wide = wide.astype(float)
    finite = wide[np.isfinite(wide)]
    told["rows"] = [["zeros", f"{int((a == 0).sum()):,} of {a.size:,}"]]
    strange = a.size - finite.size
    if strange:
        told["rows"].append(["NaN, inf", f"{int(np.isnan(a).sum()):,}, {int(np.isinf(a).sum()):,}"])
    if finite.size:
        low, high = float(finite.min()), float(finite.max())
        with ignoring():
            mean, spread, norm = float(finite.mean()), float(finite.std()), float(np.linalg.norm(finite))
        measures = {"min": low, "max": high, "mean": mean, "std": spread, "norm": norm}
        told["rows"] = [[k, number(v)] for k, v in measures.items()] + told["rows"]
        if high > low and math.isfinite(high - low):
            at = np.minimum((finite - low) / (high - low) * _BINS, _BINS - 1).astype(int)  # of tiny ranges too
            told["bars"] = np.bincount(at, minlength=_BINS).tolist()
            told["ends"] = [number(low), number(high)]
    grid = wide.reshape(1, -1) if a.ndim == 1 else wide
    if grid.ndim == 2 and 0 < max(grid.shape) <= cells:
        told["cells"] = [[float(f"{v:.3g}") if math.isfinite(v) else None for v in row] for row in grid.tolist()]
    return told
