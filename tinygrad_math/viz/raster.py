"""A picture as PNG or PDF, by Matplotlib, which brings its own fonts and needs no other program.

Its renderers paint the marks themselves: an artist for each takes ten times as long.
"""

from __future__ import annotations

import io
import math
import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..core.errors import MissingExtra, installing
from .marks import Curve, Mark, Picture, Rectangle, Text
from .svg import FILLS, INKS, STROKES, curves, head, shaft

_POINT = 0.75  # points in a pixel
_MOST = 4e7  # dots of a PNG: a larger picture has fewer dots in each inch
_BEGIN, _LINE, _BEZIER, _CLOSE = 1, 2, 4, 79  # Matplotlib's codes of a path
_ROUND = [_BEGIN, *4 * [_LINE, _BEZIER, _BEZIER, _BEZIER], _CLOSE]
_CORNER = 0.5523  # how far the control points of a quarter of a circle lie from its ends, in radii


def painted(picture: Picture, form: str, scale: float = 2.0) -> bytes:
    """The picture in the form `png` or `pdf`. Raises MissingExtra without Matplotlib."""
    try:
        from matplotlib.artist import Artist
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra(
            f"a {form.upper()} is painted by Matplotlib: {installing('viz')}, or take svg(), which needs nothing"
        ) from error

    class Drawing(Artist):
        def draw(self, renderer: Any) -> None:
            brush = _Brush(renderer, picture, form == "pdf")
            for g in picture.groups:
                for m in g.marks:
                    brush.paint(m)

    if form == "png":
        scale = min(scale, math.sqrt(_MOST / (picture.width * picture.height)))
        more: dict[str, Any] = {"metadata": {"Software": None}}
        more["pil_kwargs"] = {"compress_type": zlib.Z_RLE}  # for even areas as small, in half of the time
    else:
        more = {"metadata": {"CreationDate": None}}
    figure = Figure(figsize=(picture.width / 96, picture.height / 96), dpi=96 * scale)
    FigureCanvasAgg(figure)
    figure.add_artist(Drawing())
    out = io.BytesIO()
    figure.savefig(out, format=form, dpi=96 * scale, facecolor=FILLS["ground"][0], **more)
    return out.getvalue()


class _Brush:
    """Paints marks by a renderer, whose dots count from the lower left corner; `written` is text that can be copied."""

    def __init__(self, renderer: Any, picture: Picture, written: bool) -> None:
        from matplotlib.transforms import Affine2D

        self._renderer, self._written = renderer, written
        wide, self._high = renderer.get_canvas_width_height()
        self._dots = wide / picture.width
        self._place = Affine2D().scale(self._dots, -self._dots).translate(0.0, self._high)

    def paint(self, m: Mark) -> None:
        if isinstance(m, Rectangle):
            r, c = m.rect, m.round
            x, y, right, low = r.x, r.y, r.x + r.width, r.y + r.height
            k = c * (1.0 - _CORNER)
            points = [
                (x + c, y), (right - c, y), (right - k, y), (right, y + k), (right, y + c), (right, low - c),
                (right, low - k), (right - k, low), (right - c, low), (x + c, low), (x + k, low), (x, low - k),
                (x, low - c), (x, y + c), (x, y + k), (x + k, y), (x + c, y), (x + c, y),
            ]  # fmt: skip
            width = 2.4 if m.border == "mark" else 1.0
            self._path(points, _ROUND, STROKES[m.border][0], width, 3.0 if m.dashed else 0.0, FILLS[m.role][0])
        elif isinstance(m, Text):
            self._text(m)
        else:
            self._curve(m)

    def _curve(self, m: Curve) -> None:
        color = m.color or STROKES[m.role][0]
        tip, end = head(m)
        points: list[Any] = [m.points[0]]
        codes = [_BEGIN]
        for a, b, c in curves(shaft(m, end), m.right):
            points += [c] if a is None else [a, b, c]
            codes += [_LINE] if a is None else [_BEZIER] * 3
        self._path(points, codes, color, m.width, 4.0 if m.dashed else 0.0)
        if tip:
            self._path([*tip, tip[0]], [_BEGIN, _LINE, _LINE, _CLOSE], color, 0.0, fill=color)

    def _path(
        self, points: Sequence[Any], codes: Sequence[int], stroke: str, width: float, dash: float = 0.0, fill: str = ""
    ) -> None:
        from matplotlib.colors import to_rgb
        from matplotlib.path import Path

        gc = self._renderer.new_gc()
        gc.set_foreground(stroke)
        gc.set_linewidth(width * _POINT)
        if dash:
            gc.set_dashes(0.0, [dash * _POINT, 3.0 * _POINT])
        self._renderer.draw_path(gc, Path(points, codes), self._place, to_rgb(fill) if fill else None)
        gc.restore()

    def _text(self, m: Text) -> None:
        from matplotlib.colors import to_rgb
        from matplotlib.transforms import Affine2D

        outline, width = _outline(m.content, m.bold)
        x, y = m.x * self._dots, self._high - m.y * self._dots
        x -= 0.0 if m.left else width * m.size * self._dots / 2
        gc = self._renderer.new_gc()
        if self._written:
            gc.set_foreground(INKS[m.role][0])
            self._renderer.draw_text(gc, x, y, m.content, _font(m.size * _POINT, m.bold), 0.0)
        elif outline is not None:
            gc.set_linewidth(0.0)
            place = Affine2D().scale(m.size * self._dots).translate(x, y)
            self._renderer.draw_path(gc, outline, place, to_rgb(INKS[m.role][0]))
        gc.restore()


@lru_cache(64)
def _font(size: float, bold: bool) -> Any:
    from matplotlib.font_manager import FontProperties

    return FontProperties(family=["monospace", "sans-serif"], size=size, weight="bold" if bold else "normal")


@lru_cache(4096)
def _outline(said: str, bold: bool) -> tuple[Any, float]:
    """A line of text as a path, and its width, where letters are of size 1. Of ASCII each letter is as wide."""
    from matplotlib.path import Path

    if not said.isascii() or len(said) <= 1:
        return _shaped(said, bold)
    letters = [_shaped(c, bold) for c in said]
    places = np.cumsum([0.0, *(width for _, width in letters)])
    drawn = [(p, x) for (p, _), x in zip(letters, places[:-1], strict=True) if p is not None]
    if not drawn:
        return None, places[-1]
    points = np.concatenate([p.vertices + (x, 0.0) for p, x in drawn])
    return Path(points, np.concatenate([p.codes for p, _ in drawn])), places[-1]


@lru_cache(1024)
def _shaped(said: str, bold: bool) -> tuple[Any, float]:
    """The same by the font itself."""
    from matplotlib.path import Path
    from matplotlib.textpath import text_to_path

    font = _font(text_to_path.FONT_SCALE, bold)
    width = text_to_path.get_text_width_height_descent(said, font, False)[0] / text_to_path.FONT_SCALE
    points, codes = text_to_path.get_text_path(font, said)
    if not len(points):
        return None, width
    return Path(np.asarray(points) / text_to_path.FONT_SCALE, codes), width
