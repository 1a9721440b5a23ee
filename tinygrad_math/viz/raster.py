"""A picture as PNG or PDF, by Matplotlib, which brings its own fonts and needs no other program."""

from __future__ import annotations

import io
from typing import Any

from ..core.errors import MissingExtra, installing
from .marks import Curve, Picture, Rectangle, Text
from .svg import FILLS, INKS, STROKES, curves, head, shaft

_POINT = 0.75  # points in a pixel
_MOST = 60.0  # inches: a larger picture has fewer dots in each


def painted(picture: Picture, form: str, scale: float = 2.0) -> bytes:
    """The picture in the form `png` or `pdf`. Raises MissingExtra without Matplotlib."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra(
            f"a {form.upper()} is painted by Matplotlib: {installing('viz')}, or take svg(), which needs nothing"
        ) from error
    figure = Figure(figsize=(picture.width / 96, picture.height / 96), dpi=96 * scale)
    if form == "png":
        FigureCanvasAgg(figure)
        figure.set_dpi(96 * min(scale, scale * _MOST / max(picture.width / 96, picture.height / 96, 1.0)))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_xlim(0, picture.width)
    axes.set_ylim(picture.height, 0)
    axes.axis("off")
    for g in picture.groups:
        for m in g.marks:
            _mark(axes, m)
    out = io.BytesIO()
    metadata = {"CreationDate": None} if form == "pdf" else {"Software": None}
    figure.savefig(out, format=form, facecolor=FILLS["ground"][0], metadata=metadata)
    return out.getvalue()


def _mark(axes: Any, m: Rectangle | Text | Curve) -> None:
    from matplotlib.patches import FancyBboxPatch, PathPatch, Polygon
    from matplotlib.path import Path

    if isinstance(m, Rectangle):
        r = m.rect
        width = 2.4 if m.border == "mark" else 1.0
        axes.add_patch(
            FancyBboxPatch(
                (r.x, r.y), r.width, r.height, boxstyle=f"round,pad=0,rounding_size={m.round}",
                facecolor=FILLS[m.role][0], edgecolor=STROKES[m.border][0], linewidth=width * _POINT,
                linestyle=(0, (3, 3)) if m.dashed else "solid", zorder=1,
            )
        )  # fmt: skip
    elif isinstance(m, Text):
        axes.text(
            m.x, m.y, m.content, fontsize=m.size * _POINT, family="monospace", color=INKS[m.role][0], zorder=1,
            weight="bold" if m.bold else "normal", ha="left" if m.left else "center", va="baseline", parse_math=False,
        )  # fmt: skip
    else:
        color = m.color or STROKES[m.role][0]
        tip, end = head(m)
        points: list[Any] = [m.points[0]]
        codes = [Path.MOVETO]
        for a, b, c in curves(shaft(m, end), m.right):
            points += [c] if a is None else [a, b, c]
            codes += [Path.LINETO] if a is None else [Path.CURVE4] * 3
        axes.add_patch(
            PathPatch(
                Path(points, codes), facecolor="none", edgecolor=color, linewidth=m.width * _POINT, zorder=1,
                linestyle=(0, (4, 3)) if m.dashed else "solid", capstyle="butt",
            )
        )  # fmt: skip
        if tip:
            axes.add_patch(Polygon(tip, closed=True, facecolor=color, edgecolor="none", zorder=1))
