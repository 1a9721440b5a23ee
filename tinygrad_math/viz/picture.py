"""The shapes of a drawing, in the order in which they are painted: what SVG, PNG and PDF are made of."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

from . import labels
from .blocks import strengths
from .cards import SMALL, TITLE, Card, Shown, common_dtype, name_of, ordered, role_of, said_of, text_width
from .columns import in_columns
from .layout import arrange
from .legend import laid, legend_of, shade, strength
from .marks import Curve, Group, Mark, Picture, Rectangle, Text, moved
from .outline import Frame, Outline, Tile
from .page import visible
from .places import Plan, Point, Rect, places
from .svg import curves
from .view import View

_MARGIN = 16.0
_DOT, _STRIP = 3.0, 24.0  # from point to point on an arrow, and the height of a strip, to see what it crosses


def plan_of(outline: Outline, cards: Mapping[str, Card], right: bool) -> Plan:
    """Where everything lies."""
    done = arrange(outline)
    sizes = {id: card.size for id, card in cards.items()}
    for id, a in done.items():  # no narrower than its name
        sizes[id] = text_width(labels.shortened(visible(a.frame.label), 60), 11.0) + 24.0, 0.0
    names = {s.key for a in done.values() for r in a.ranks for s in r if s.kind == "again"}
    widths = {id: text_width(name_of(outline, id), SMALL) + 16.0 for id in names}
    return places(done, outline.root, sizes, widths, right)


def picture_of(
    view: View,
    outline: Outline,
    shown: Shown,
    *,
    right: bool = False,
    marked: Collection[str] = (),
    title: str = "",
) -> Picture:
    """The picture of an outline. `marked` are the ids of the boxes whose paths stand out."""
    dtype = common_dtype(view)
    cards = said_of(view, outline, shown)
    plan = plan_of(outline, cards, right)
    sizes = strengths(view, outline) if shown.grads else {}
    groups: list[Group] = []
    names: list[Group] = []
    for frame in outline.root.frames():
        if frame.id in plan.rects and frame.kind != "graph" and frame.id not in cards:
            outer, name = _frame(frame, plan)
            groups.append(outer)
            names.append(name)  # above the arrows
    groups.append(Group("edges", "edges", "", _arrows(outline, plan, sizes, set(marked), right)))
    groups += names
    for a in outline.root.walk():
        if a.id in cards and a.id in plan.rects:
            groups.append(_node(a, plan.rects[a.id], cards[a.id], a.id in marked, shown))
    for k, (id, rect) in enumerate(plan.again):
        said = name_of(outline, id)
        middle = rect.x + rect.width / 2
        marks: list[Mark] = [
            Rectangle(rect, "data" if id not in outline.tiles else role_of(outline.tiles[id].box), 9.0, "border", True),
            Text(middle, rect.y + 12.5, said, SMALL, "muted"),
        ]
        groups.append(Group("again", f"again{k}", f"{said}, drawn elsewhere", marks))
    width, height = plan.size
    if not right:
        groups, width, height = in_columns(groups, width, height)
    entries = legend_of(view, outline, dtype, shown, sizes, cards)
    legend, wide, tall = laid(entries, max(width, 320.0), height + 22.0)
    if legend:
        groups.append(Group("legend", "legend", "", legend))
    loops = any(f.loops and f.open for f in outline.root.frames())
    width = max(width + (22.0 if loops else 0.0), wide)
    return Picture(width + 2 * _MARGIN, (tall if legend else height) + 2 * _MARGIN, title, moved(groups, _MARGIN))


def _node(item: Tile | Frame, r: Rect, card: Card, marked: bool, shown: Shown) -> Group:
    role = "closed" if isinstance(item, Frame) else role_of(item.box)
    border = "mark" if marked else "border"
    hint = visible(item.label) if isinstance(item, Frame) else ""
    if isinstance(item, Tile):
        b = item.box
        border = "mark" if marked else ("border", "backward", "second")[min(b.part, 2)] if b.kind != "failed" else "bad"
        told = (b.id, b.name and visible(b.name), visible(b.title), b.shape if shown.shapes else "", b.module, b.place)
        hint = "  ".join(str(t) for t in told if t)
    marks: list[Mark] = []
    if getattr(item, "count", 1) > 1:  # a stack of cards
        marks += [Rectangle(Rect(r.x + d, r.y + d, r.width, r.height), role, 7.0, border) for d in (6.0, 3.0)]
    marks.append(Rectangle(r, role, 7.0, border))
    middle, y = r.x + r.width / 2, r.y + 17.0
    if card.shape:
        w, s = text_width(card.title, TITLE), text_width(card.shape, SMALL)
        left = middle - (w + 8 + s) / 2
        marks.append(Text(left + w / 2, y, card.title, TITLE, bold=True))
        marks.append(Text(left + w + 8 + s / 2, y, card.shape, SMALL, card.tone, card.tone == "bad"))
    else:
        marks.append(Text(middle, y, card.title, TITLE, bold=True))
    for k, (line, tone) in enumerate(card.lines):
        marks.append(Text(middle, y + 15.0 + 14.0 * k, line, SMALL, tone))
    return Group("node", item.id, hint, marks)


def _frame(frame: Frame, plan: Plan) -> tuple[Group, Group]:
    r = plan.rects[frame.id]
    role = frame.kind if frame.kind in ("pass", "repeat") else "module"
    marks: list[Mark] = []
    if frame.count > 1:
        marks += [Rectangle(Rect(r.x + d, r.y + d, r.width, r.height), role, 10.0, "frame") for d in (6.0, 3.0)]
    marks.append(Rectangle(r, role, 10.0, "frame"))
    said = labels.shortened(visible(frame.label), 60)
    x = r.x + 10.0
    crossing = sorted(p[0] for line in plan.lines for p in line.points if r.x <= p[0] <= r.x + r.width and _meets(p, r))
    for begin in (x, *(c + 6.0 for c in crossing)):  # where no arrow strikes it through
        end = begin + text_width(said, 11.0)
        if end < r.x + r.width - 4 and not any(begin - 4 < c < end + 2 for c in crossing):
            x = begin
            break
    name = Group("name", frame.id, "", [Text(x, r.y + 15.0, said, 11.0, "muted", bold=True, left=True)])
    if frame.loops:
        right, low, high = r.x + r.width + (6.0 if frame.count > 1 else 0.0), r.y + r.height - 12.0, r.y + 14.0
        marks.append(
            Curve(((right, low), (right + 16, low - 14), (right + 16, high + 14), (right, high)), "loop", dashed=True)
        )
    return Group("frame", frame.id, visible(frame.path or frame.label), marks), name


def _meets(p: Point, r: Rect) -> bool:
    return r.y - 1 <= p[1] <= r.y + 20


def _arrows(outline: Outline, plan: Plan, sizes: dict[str, float], marked: set[str], right: bool) -> list[Mark]:
    most = max(filter(math.isfinite, sizes.values()), default=0.0)
    thick: dict[tuple[Point, ...], Mark] = {}
    said: list[Mark] = []
    words: list[tuple[float, float, str]] = []
    places, starts = ordered(outline), {_near(line.points[0]) for line in plan.lines}
    for line in plan.lines:
        known = line.tail in sizes
        size = sizes.get(line.tail, 0.0)
        t = strength(size, most) if math.isfinite(size) else 0.0
        on = bool(marked) and line.tail in marked and (not line.head or line.head in marked)
        width, color = (1.1 + 2.9 * t, shade(t)) if known and t > 0 else (1.2, None)
        constant = bool(sizes) and not known
        role = "mark" if on else "faint" if marked else "arrow" if math.isfinite(size) else "bad"
        if role == "bad":
            width, constant = 2.4, True
        if on:
            width, color, constant = max(width, 2.4), None, False
        if marked and not on:
            color = None
        head = bool(line.head) or _near(line.points[-1]) not in starts
        thick[line.points] = Curve(line.points, role, width, color, constant, head, right)
        through = [k.through for k in line.links if k.through]
        if through:
            x, y = line.points[-2]
            words.append((y, x, labels.shortened(through[0], 28)))
        elif line.head and line.head in places:
            x, y = line.points[-1]
            x, y = (x - 10.0, y - 5.0) if right else (x + 7.0, y - 5.0)
            said.append(Text(x, y, str(line.links[0].position + 1), 8.5, "muted"))
    borders = [plan.rects[f.id] for f in outline.root.frames() if f.kind != "graph" and f.open and f.id in plan.rects]
    sides = [((x, r.y), (x, r.y + r.height)) for r in borders for x in (r.x, r.x + r.width)]
    return [*thick.values(), *_beside(sorted(words), _ink([*thick, *sides], words, right), right), *said]


def _ink(
    lines: Iterable[tuple[Point, ...]], words: Iterable[tuple[float, float, str]], right: bool
) -> dict[int, list[Point]]:
    """Points on these lines where words may stand, by strips of the picture."""
    strips: dict[int, list[Point]] = {int(v // _STRIP): [] for y, *_ in words for v in (y - 28.0, y - 12.0, y)}
    for points in lines if strips else ():
        (x, y), *_ = points
        for a, b, c in curves(points, right):
            p, q = (a, b) if a is not None else ((x, y), c)
            dots = 2 + int(math.dist((x, y), c) / _DOT)
            for k in range(1, dots + 1):
                t = k / dots
                w = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
                u = w[0] * x + w[1] * p[0] + w[2] * q[0] + w[3] * c[0]
                v = w[0] * y + w[1] * p[1] + w[2] * q[1] + w[3] * c[1]
                strip = strips.get(int(v // _STRIP))
                if strip is not None:
                    strip.append((u, v))
            x, y = c
    return strips


def _struck(ink: Mapping[int, Sequence[Point]], u: float, v: float, width: float) -> int:
    """How many of these points a word would stand on."""
    strips = {int((v - 8.0) // _STRIP), int((v + 2.0) // _STRIP)}
    return sum(u - 2 < x < u + width + 1 and v - 8.0 < y < v + 2.0 for s in strips for x, y in ink.get(s, ()))


def _beside(words: Iterable[tuple[float, float, str]], ink: Mapping[int, Sequence[Point]], right: bool) -> list[Mark]:
    """What is folded into arrows, beside their heads, where nothing else is said yet and no arrow runs.

    Of arrows that crowd together, one says it for those that say the same.
    """
    taken: list[tuple[float, float, float, str]] = []
    marks: list[Mark] = []
    for y, x, said in words:
        found: list[tuple[int, float, float, float, str]] = []
        for name in dict.fromkeys((said, labels.shortened(said, 10))):
            width = text_width(name, 9.5)
            above, after = (y - 4.0, y - 15.0), (x + 7.0, x - 7.0 - width)
            spots = [(x - width - 9.0, v) for v in above] if right else [(u, v - 5.0) for v in above for u in after]
            for u, v in spots:
                over = sum(abs(v - w) < 10 and u < e and b < u + width for b, e, w, _ in taken)
                found.append((1000 * over + _struck(ink, u, v, width), u, v, width, name))
            if not min(f[0] for f in found):
                break
        cost, u, v, width, name = min(found, key=lambda f: f[0])
        if cost >= 1000 and any(abs(v - w) < 10 and u < e and b < u + width and t == said for b, e, w, t in taken):
            continue
        taken.append((u, u + width, v, said))
        marks.append(Text(u, v, name, 9.5, "through", left=True))
    return marks


def _near(p: Point) -> Point:
    return round(p[0], 1), round(p[1], 1)
