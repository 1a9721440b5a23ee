"""A picture as SVG, readable by itself, on light and on dark ground."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from .marks import Curve, Group, Picture, Rectangle, Text
from .page import text
from .places import Point

# role -> colour on light and on dark ground, after Okabe and Ito, which the colour-blind can tell apart
FILLS = {
    "ground": ("#ffffff", "#15181c"), "leaf": ("#d6ebf8", "#16384f"), "data": ("#eceef0", "#2b3037"),
    "step": ("#ffffff", "#1e2329"), "result": ("#fde6c0", "#4d3711"), "failed": ("#fde0dc", "#4f1f1b"),
    "closed": ("#e3eee8", "#1d3a30"), "module": ("#f5f7f9", "#1a1e23"), "pass": ("#fdf5ee", "#241d17"),
    "repeat": ("#eef4f1", "#182420"),
}  # fmt: skip
STROKES = {
    "border": ("#6b7680", "#76818d"), "frame": ("#b4bcc4", "#4a535d"), "backward": ("#c8560a", "#f0a35a"),
    "second": ("#7b3fb0", "#c49bea"), "bad": ("#b3261e", "#ff8a80"), "arrow": ("#8a949e", "#76818d"),
    "loop": ("#00795a", "#4fcfa5"), "mark": ("#c2187a", "#ff8ac6"), "faint": ("#d3d8de", "#3a424b"),
}  # fmt: skip
INKS = {
    "ink": ("#1b1f24", "#e8eaed"), "muted": ("#5b6570", "#a3adb8"), "grad": ("#a84600", "#f0a35a"),
    "bad": ("#b3261e", "#ff8a80"), "through": ("#005f94", "#8ccbf2"),
}  # fmt: skip
FONT = "ui-monospace, 'DejaVu Sans Mono', 'Liberation Mono', Menlo, Consolas, monospace"


def svg_of(picture: Picture) -> str:
    """The SVG document. Its colours are attributes, which every program reads; a style turns them on dark ground."""
    width, height = math.ceil(picture.width), math.ceil(picture.height)
    out = [
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<svg xmlns="http://www.w3.org/2000/svg" class="tm-graph" role="img" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="{FONT}">\n'
        f"<title>{text(picture.title)}</title>\n<style>{_dark()}</style>\n"
        f'<rect width="{width}" height="{height}" rx="8" {_paint("f-ground", "fill", FILLS["ground"][0])}/>'
    ]
    out += [_group(g) for g in picture.groups]
    return "\n".join([*out, "</svg>\n"])


def within(svg: str) -> tuple[str, str]:
    """A drawing as markup within a page, and the style that it needs there: a page allows one style alone."""
    before, _, rest = svg[svg.index("<svg") :].partition("<style>")
    style, _, after = rest.partition("</style>")
    return before + after, style


def _dark() -> str:
    rules = [f".tm-graph .f-{role}{{fill:{dark}}}" for role, (_, dark) in FILLS.items()]
    rules += [f".tm-graph .s-{role}{{stroke:{dark}}}" for role, (_, dark) in STROKES.items()]
    rules += [f".tm-graph .h-{role}{{fill:{dark}}}" for role, (_, dark) in STROKES.items()]
    rules += [f".tm-graph .t-{role}{{fill:{dark}}}" for role, (_, dark) in INKS.items()]
    rules.append(f".tm-graph .halo{{stroke:{FILLS['module'][1]}}}")
    return ".tm-graph{max-width:100%;height:auto}@media (prefers-color-scheme:dark){" + "".join(rules) + "}"


def _paint(name: str, what: str, color: str) -> str:
    return f'class="{name}" {what}="{color}"'


def _group(g: Group) -> str:
    hint = f"<title>{text(g.hint)}</title>" if g.hint else ""
    marks = [
        _rectangle(m) if isinstance(m, Rectangle) else _text(m) if isinstance(m, Text) else _curve(m) for m in g.marks
    ]
    return f'<g class="{g.kind}" data-id="{text(g.id)}">{hint}{"".join(marks)}</g>'


def _rectangle(m: Rectangle) -> str:
    r = m.rect
    dashed = ' stroke-dasharray="3 3"' if m.dashed else ""
    return (
        f'<rect x="{r.x:.1f}" y="{r.y:.1f}" width="{r.width:.1f}" height="{r.height:.1f}" rx="{m.round:g}" '
        f'class="f-{m.role} s-{m.border}" fill="{FILLS[m.role][0]}" stroke="{STROKES[m.border][0]}"'
        f"{dashed}{' stroke-width=' + chr(34) + '2.4' + chr(34) if m.border == 'mark' else ''}/>"
    )


def _text(m: Text) -> str:
    anchor = "" if m.left else ' text-anchor="middle"'
    bold = ' font-weight="600"' if m.bold else ""
    halo = m.left and (m.bold or m.role == "through")
    if halo:  # an arrow may pass behind
        bold += f' stroke="{FILLS["module"][0]}" stroke-width="3" paint-order="stroke"'
    words = text(m.content).replace("  ", "\u00a0 ").replace("  ", " \u00a0")
    return (
        f'<text x="{m.x:.1f}" y="{m.y:.1f}" font-size="{m.size:g}"{anchor}{bold} '
        f'class="t-{m.role}{" halo" if halo else ""}" fill="{INKS[m.role][0]}">{words}</text>'
    )


def _curve(m: Curve) -> str:
    color = m.color or STROKES[m.role][0]
    cls = "" if m.color else f'class="s-{m.role}" '
    tip, end = head(m)
    points = shaft(m, end)
    dashed = ' stroke-dasharray="4 3"' if m.dashed else ""
    line = f'<path {cls}d="{way(points, m.right)}" fill="none" stroke="{color}" stroke-width="{m.width:.2f}"{dashed}/>'
    if not tip:
        return line
    cls = "" if m.color else f'class="h-{m.role}" '
    return line + f'<path {cls}d="M{" L".join(f"{x:.1f},{y:.1f}" for x, y in tip)}Z" fill="{color}"/>'


def way(points: Sequence[Point], right: bool) -> str:
    """A path as SVG says it: straight within each pair of points, curved in the direction of the drawing between."""
    parts = [f"M{points[0][0]:.1f},{points[0][1]:.1f}"]
    for a, b, c in curves(points, right):
        if a is None:
            parts.append(f"L{c[0]:.1f},{c[1]:.1f}")
        else:
            parts.append(f"C{a[0]:.1f},{a[1]:.1f} {b[0]:.1f},{b[1]:.1f} {c[0]:.1f},{c[1]:.1f}")
    return "".join(parts)


def curves(points: Sequence[Point], right: bool) -> list[tuple[Point | None, Point, Point]]:
    """The pieces after the first point: straight ones (None, -, end), and Bezier curves (control, control, end)."""
    found: list[tuple[Point | None, Point, Point]] = []
    for k, (p, q) in enumerate(itertools.pairwise(points)):
        if p == q:
            continue
        if k % 2 == 0 or p[0] == q[0] or p[1] == q[1]:
            found.append((None, q, q))
        elif right:
            middle = (p[0] + q[0]) / 2
            found.append(((middle, p[1]), (middle, q[1]), q))
        else:
            middle = (p[1] + q[1]) / 2
            found.append(((p[0], middle), (q[0], middle), q))
    return found


def head(m: Curve) -> tuple[list[Point], Point]:
    """The triangle at the end of an arrow, and where the line itself ends. It points the way the drawing runs."""
    (x, y), (x0, y0) = m.points[-1], m.points[-2]
    if not m.head:
        return [], (x, y)
    length = math.hypot(x - x0, y - y0)
    straight = len(m.points) % 2 == 0 and length > 0
    dx, dy = ((x - x0) / length, (y - y0) / length) if straight else (1.0, 0.0) if m.right else (0.0, 1.0)
    size = 5.0 + 1.2 * m.width
    half = size * 0.42
    base = (x - dx * size, y - dy * size)
    return [(x, y), (base[0] - dy * half, base[1] + dx * half), (base[0] + dy * half, base[1] - dx * half)], base


def shaft(m: Curve, end: Point) -> tuple[Point, ...]:
    """The points of an arrow without its head."""
    return (*m.points[:-2], end, end) if m.head and m.points[-2] == m.points[-1] else (*m.points[:-1], end)
