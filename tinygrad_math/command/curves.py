"""A small plotter: a function and its derivative as one inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 340, 190, 36, 20, 8
Array = np.ndarray[Any, Any]


def plot(x: Array, curves: Sequence[tuple[Array, str]], label: str) -> str:
    """Curves over x, each with the class that colours it, without what is not finite or leaves the picture."""
    low, high = _range([y for y, _ in curves])
    if not high > low:
        return ""

    def across(v: Any) -> Any:
        return LEFT + (np.asarray(v) - x[0]) / (x[-1] - x[0]) * (WIDTH - LEFT - 6)

    def up(v: Any) -> Any:
        return TOP + (high - np.asarray(v)) / (high - low) * (HEIGHT - TOP - BOTTOM)

    parts = []
    for v in _ticks(float(x[0]), float(x[-1])):
        parts.append(_line(across(v), TOP, across(v), HEIGHT - BOTTOM, "axis" if v == 0 else "grid"))
        parts.append(f'<text x="{across(v):.1f}" y="{HEIGHT - 6}" text-anchor="middle">{v:g}</text>')
    for v in _ticks(low, high):
        parts.append(_line(LEFT, up(v), WIDTH - 6, up(v), "axis" if v == 0 else "grid"))
        parts.append(f'<text x="{LEFT - 5}" y="{up(v) + 3.5:.1f}" text-anchor="end">{v:g}</text>')
    for y, kind in curves:
        path = _path(across(x), up(y), (y >= low) & (y <= high) & np.isfinite(y))
        parts.append(f'<path class="{kind}" d="{path}"/>')
    return (
        f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
        f'aria-label="{label}">{"".join(parts)}</svg>'
    )


def _range(curves: Sequence[Array]) -> tuple[float, float]:
    """What is shown of the values: all, but for what runs away towards a pole."""
    known = np.concatenate([y[np.isfinite(y)] for y in curves])
    if not known.size:
        return 0.0, 0.0
    low, high = np.percentile(known, 2), np.percentile(known, 98)
    reach = max(2.5 * float(high - low), 1e-3)
    low, high = max(float(known.min()), float(low) - 0.2 * reach), min(float(known.max()), float(high) + 0.2 * reach)
    low, high = max(low, -8.0), min(high, 8.0)
    pad = 0.06 * max(high - low, 0.1)
    return low - pad, high + pad


def _ticks(low: float, high: float) -> list[float]:
    """A handful of round numbers between two."""
    raw = (high - low) / 4
    unit = 10.0 ** np.floor(np.log10(raw))
    step = min((s for s in (unit, 2 * unit, 5 * unit, 10 * unit) if s >= raw), default=10 * unit)
    first, last = int(np.ceil(low / step)), int(np.floor(high / step))
    return [float(np.round(k * step, 12)) for k in range(first, last + 1)]


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _path(xs: Array, ys: Array, shown: Array) -> str:
    """The points as one path that breaks where a point is left out, or where the curve jumps."""
    out, pen = [], False
    for k, visible in enumerate(shown):
        if not visible:
            pen = False
            continue
        jump = pen and abs(ys[k] - ys[k - 1]) > 0.35 * HEIGHT
        out.append(f"{'L' if pen and not jump else 'M'}{xs[k]:.1f} {ys[k]:.1f}")
        pen = True
    return "".join(out)
