"""The shapes of a drawing, in the order in which they are painted: what SVG, PNG and PDF are made of."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from . import labels
from .layout import arrange
from .outline import Frame, Outline, Tile
from .page import visible
from .places import Plan, Point, Rect, places
from .values import lines, magnitude, number, short
from .view import Box, View

_TITLE, _SMALL = 12.0, 10.5  # sizes of letters, in px
_WIDE = 0.62  # of a letter of the widest of the usual fixed-width fonts, from its height
_MARGIN = 16.0
PARTS = ("forward", "backward", "second backward")


@dataclass(frozen=True)
class Rectangle:
    """A box: `role` names its colours; `round` the radius of its corners."""

    rect: Rect
    role: str
    round: float
    border: str = "border"
    dashed: bool = False


@dataclass(frozen=True)
class Text:
    """A line of text; `x` is its middle, or its begin if `left`; `y` its base line."""

    x: float
    y: float
    content: str
    size: float
    role: str = "ink"
    bold: bool = False
    left: bool = False


@dataclass(frozen=True)
class Curve:
    """A line through points, straight within each pair and curved between them, with a head or without."""

    points: tuple[Point, ...]
    role: str
    width: float = 1.2
    color: str | None = None
    dashed: bool = False
    head: bool = True
    right: bool = False  # whether the drawing runs to the right


Mark = Rectangle | Text | Curve


@dataclass
class Group:
    """Marks that are one thing to the reader: a node with what is said of it when pointed at, or a frame, or arrows."""

    kind: str
    id: str
    hint: str
    marks: list[Mark] = field(default_factory=list)


@dataclass
class Picture:
    width: float
    height: float
    title: str
    groups: list[Group]


@dataclass(frozen=True)
class Shown:
    """What each box says."""

    values: bool = True
    shapes: bool = True
    grads: bool = True
    full: bool = True  # small arrays with all their entries


def text_width(text: str, size: float) -> float:
    """The width that a line of fixed-width letters has at most, whatever the font; wide characters take two."""
    cells = sum(1 if c.isascii() else 2 if unicodedata.east_asian_width(c) in "WF" else 1.3 for c in text)
    return cells * size * _WIDE


def common_dtype(view: View) -> str:
    """The dtype that most values have, which is said once and not in every box."""
    counts: dict[str, int] = {}
    for b in view.boxes:
        if b.dtype:
            counts[b.dtype] = counts.get(b.dtype, 0) + 1
    return max(counts, key=lambda d: counts[d], default="")


@dataclass
class Card:
    """What a tile says: a title, its shape beside it, and lines below."""

    title: str
    shape: str
    lines: list[tuple[str, str]]  # text and role
    role: str = "step"
    tone: str = "muted"  # of the shape

    @property
    def all(self) -> list[str]:
        """Its lines as text."""
        return [f"{self.title}  {self.shape}".rstrip(), *(t for t, _ in self.lines)]

    @property
    def size(self) -> tuple[float, float]:
        head = text_width(self.title, _TITLE) + (text_width(self.shape, _SMALL) + 8 if self.shape else 0)
        width = max([head, *(text_width(t, _SMALL) for t, _ in self.lines)])
        return max(width + 18.0, 40.0), 26.0 + 14.0 * len(self.lines)


def card_of(item: Tile | Frame, shown: Shown, dtype: str, title: str = "") -> Card:
    if isinstance(item, Frame):
        steps = sum(t.box.is_step for t in item.tiles())
        count = f"{steps:,} step{'s' * (steps != 1)}"
        return Card(labels.shortened(visible(item.label)), "", [] if item.kind == "rest" else [(count, "muted")])
    b = item.box
    shape = "" if b.extent == "()" or b.shape == "number" or b.kind == "failed" else b.extent
    if b.dtype not in (dtype, "") and b.kind != "failed":
        shape = f"{b.dtype} {shape}".strip()
    rows: list[tuple[str, str]] = []
    if shown.values and b.kind != "failed":
        rows += [(line, "ink") for line in (lines(b.data) if shown.full else [short(b.data)])]
    if shown.grads and b.cotangent is not None:
        found = lines(b.cotangent) if shown.full else [short(b.cotangent)]
        rows += [(f"grad {found[0]}", "grad")] if len(found) == 1 else [("grad", "grad"), *((t, "grad") for t in found)]
    if b.kind == "failed":
        rows += [(line, "bad") for line in _wrapped(b.message, 56)[:6]]
    title = (title or item.title) + (f" × {item.count}" if item.count > 1 else "")
    return Card(title, shape if shown.shapes else "", [(labels.shortened(t, 64), r) for t, r in rows], _role(b))


def _wrapped(text: str, width: int) -> list[str]:
    found, line = [], ""
    for word in visible(text).split():
        if line and len(line) + len(word) >= width:
            found.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return [*found, line]


def said_of(view: View, outline: Outline, shown: Shown) -> dict[str, Card]:
    """What each tile and each closed frame says, by its id."""
    dtype = common_dtype(view)
    cards = {}
    for frame in outline.root.frames():
        inner = frame.path.rpartition(".")[2]
        if frame.id in cards or not frame.open:
            continue
        for i in frame.items:
            if isinstance(i, Tile) or not i.open:
                title = ""
                if isinstance(i, Tile) and i.box.kind == "leaf" and inner:  # `weight`, as the frame says whose it is
                    title = i.title.rpartition(".")[2]
                cards[i.id] = card_of(i, shown, dtype, title)
    for k in outline.links:  # the shapes that did not fit
        if k.tail in cards and k.head in cards and cards[k.head].role == "failed":
            cards[k.tail].tone = "bad"
    return cards


def plan_of(outline: Outline, cards: Mapping[str, Card], right: bool) -> Plan:
    """Where everything lies."""
    done = arrange(outline)
    sizes = {id: card.size for id, card in cards.items()}
    for id, a in done.items():  # no narrower than its name
        sizes[id] = text_width(labels.shortened(visible(a.frame.label), 60), 11.0) + 24.0, 0.0
    names = {s.key for a in done.values() for r in a.ranks for s in r if s.kind == "again"}
    widths = {id: text_width(name_of(outline, id), _SMALL) + 16.0 for id in names}
    return places(done, outline.root, sizes, widths, right)


def name_of(outline: Outline, id: str) -> str:
    """What stands for a tile that is far away: its name, else its id."""
    tile = outline.tiles.get(id)
    if tile is None:
        return id
    name = tile.box.name or tile.box.meaning
    return labels.shortened(visible(name), 20) if name else f"{labels.shortened(tile.title, 14)} {id}"


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
    strengths = _strengths(outline) if shown.grads else {}
    groups: list[Group] = []
    names: list[Group] = []
    for frame in outline.root.frames():
        if frame.id in plan.rects and frame.kind != "graph" and frame.id not in cards:
            outer, name = _frame(frame, plan)
            groups.append(outer)
            names.append(name)  # above the arrows
    groups.append(Group("edges", "edges", "", _arrows(outline, plan, strengths, set(marked), right)))
    groups += names
    for a in outline.root.walk():
        if a.id in cards and a.id in plan.rects:
            groups.append(_node(a, plan.rects[a.id], cards[a.id], a.id in marked, shown))
    for k, (id, rect) in enumerate(plan.again):
        said = name_of(outline, id)
        middle = rect.x + rect.width / 2
        marks: list[Mark] = [
            Rectangle(rect, "data" if id not in outline.tiles else _role(outline.tiles[id].box), 9.0, "border", True),
            Text(middle, rect.y + 12.5, said, _SMALL, "muted"),
        ]
        groups.append(Group("again", f"again{k}", f"{said}, drawn elsewhere", marks))
    width, height = plan.size
    entries = _legend(view, outline, dtype, shown, strengths)
    legend, wide, tall = _laid(entries, max(width, 320.0), height + 22.0)
    if legend:
        groups.append(Group("legend", "legend", "", legend))
    loops = any(f.loops and f.open for f in outline.root.frames())
    width = max(width + (22.0 if loops else 0.0), wide)
    return Picture(width + 2 * _MARGIN, (tall if legend else height) + 2 * _MARGIN, title, _moved(groups, _MARGIN))


def _role(b: Box) -> str:
    return "step" if b.kind not in ("leaf", "data", "result", "failed") else b.kind


def _node(item: Tile | Frame, r: Rect, card: Card, marked: bool, shown: Shown) -> Group:
    role = "closed" if isinstance(item, Frame) else _role(item.box)
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
        w, s = text_width(card.title, _TITLE), text_width(card.shape, _SMALL)
        left = middle - (w + 8 + s) / 2
        marks.append(Text(left + w / 2, y, card.title, _TITLE, bold=True))
        marks.append(Text(left + w + 8 + s / 2, y, card.shape, _SMALL, card.tone, card.tone == "bad"))
    else:
        marks.append(Text(middle, y, card.title, _TITLE, bold=True))
    for k, (line, tone) in enumerate(card.lines):
        marks.append(Text(middle, y + 15.0 + 14.0 * k, line, _SMALL, tone))
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


def _strengths(outline: Outline) -> dict[str, float]:
    """How large the gradient of each value is: the root of the mean square of its entries."""
    found = {}
    for id, t in outline.tiles.items():
        if t.box.cotangent is not None:
            found[id] = magnitude(t.box.cotangent)
    return found


def strength(size: float, most: float) -> float:
    """From 0 to 1: four powers of ten below the largest count as nothing."""
    return 0.0 if not size or not most else min(max(1.0 + math.log10(size / most) / 4.0, 0.0), 1.0)


def shade(t: float) -> str:
    """The colour of a gradient of this strength, from a pale blue to a strong orange."""
    ends = ((0x8F, 0xB8, 0xD4), (0xE6, 0xA0, 0x4A), (0xC8, 0x3E, 0x0A))
    k = min(int(t * 2), 1)
    low, high, part = ends[k], ends[k + 1], t * 2 - k
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in zip(low, high, strict=True))


def _arrows(outline: Outline, plan: Plan, strengths: dict[str, float], marked: set[str], right: bool) -> list[Mark]:
    most = max(strengths.values(), default=0.0)
    thick: dict[tuple[Point, ...], Mark] = {}
    said: list[Mark] = []
    words: list[tuple[float, float, str]] = []
    places, starts = ordered(outline), {_near(line.points[0]) for line in plan.lines}
    for line in plan.lines:
        tail = outline.tiles.get(line.tail)
        known = tail is not None and line.tail in strengths
        t = strength(strengths.get(line.tail, 0.0), most)
        on = bool(marked) and line.tail in marked and (not line.head or line.head in marked)
        width, color = (1.1 + 2.9 * t, shade(t)) if known and t > 0 else (1.2, None)
        constant = bool(strengths) and not known
        role = "mark" if on else "faint" if marked else "arrow"
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
    return [*thick.values(), *_beside(sorted(words), right), *said]


def _beside(words: Iterable[tuple[float, float, str]], right: bool) -> list[Mark]:
    """What is folded into arrows, beside their heads, where nothing else is said yet."""
    taken: list[tuple[float, float, float]] = []
    marks: list[Mark] = []
    for y, x, said in words:
        for name in (said, labels.shortened(said, 10)):
            width = text_width(name, 9.5)
            above, after = (y - 4.0, y - 15.0), (x + 5.0, x - 5.0 - width)
            spots = [(x - width - 9.0, v) for v in above] if right else [(u, v - 5.0) for v in above for u in after]
            free = [
                s for s in spots if not any(abs(s[1] - v) < 10 and s[0] < e and b < s[0] + width for b, e, v in taken)
            ]
            if free:
                break
        u, v = (free or spots)[0]
        taken.append((u, u + width, v))
        marks.append(Text(u, v, name, 9.5, "through", left=True))
    return marks


def _near(p: Point) -> Point:
    return round(p[0], 1), round(p[1], 1)


def ordered(outline: Outline) -> set[str]:
    """Tiles of which the places of the arguments are to be told: several, not exchangeable, and not in the title."""
    counts: dict[str, int] = {}
    for k in outline.links:
        counts[k.head] = counts.get(k.head, 0) + 1
    tiles = outline.tiles
    return {
        id
        for id, count in counts.items()
        if count > 1 and id in tiles and tiles[id].box.title not in labels.COMMUTES and tiles[id].bare
    }


def _legend(
    view: View, outline: Outline, dtype: str, shown: Shown, strengths: dict[str, float]
) -> list[tuple[list[Mark], float]]:
    """What colours and lines mean, as far as they occur: marks from (0, 0) on, and their width."""
    entries: list[tuple[list[Mark], float]] = []

    def text(words: str, x: float = 0.0) -> tuple[Mark, float]:
        return Text(x, 10.0, words, 10.0, "muted", left=True), x + text_width(words, 10.0)

    def swatch(role: str, words: str, border: str = "border") -> None:
        label, width = text(words, 20.0)
        entries.append(([Rectangle(Rect(0, 1, 15, 11), role, 3.0, border), label], width))

    boxes = [t.box for t in outline.tiles.values()]
    kinds = {_role(b) for b in boxes}
    for role, words in (("leaf", "leaf"), ("data", "constant"), ("result", "result"), ("failed", "failed")):
        if role in kinds:
            swatch(role, words, "bad" if role == "failed" else "border")
    for part in sorted({b.part for b in boxes} - {0}):
        swatch(
            "step", "backward" if part == 1 else "backward of backward", ("border", "backward", "second")[min(part, 2)]
        )
    positive = [s for s in strengths.values() if s > 0]
    if positive:
        low, high = max(min(positive), max(positive) / 1e4), max(positive)
        marks: list[Mark] = []
        first, x = text(f"gradient {number(float(f'{low:.1e}'))}")
        marks.append(first)
        x += 6.0
        for k in range(8):
            t = strength(low * (high / low) ** (k / 7), high)
            marks.append(Curve(((x, 7.0), (x + 7.5, 7.0)), "arrow", 1.1 + 2.9 * t, shade(t), head=False))
            x += 7.5
        last, x = text(number(float(f"{high:.1e}")), x + 6.0)
        entries.append(([*marks, last], x))
        if any(k.tail not in strengths for k in outline.links):
            label, width = text("no gradient", 30.0)
            entries.append(([Curve(((0, 7), (24, 7)), "arrow", 1.2, None, True, False), label], width))
    if view.remark and shown.grads:
        entries.append(_said(*text(labels.shortened(visible(view.remark), 90))))
    if any(f.loops for f in outline.root.frames()):
        label, width = text("each takes what the one before made", 30.0)
        entries.append(([Curve(((0, 7), (24, 7)), "loop", 1.2, None, True, True), label], width))
    if dtype and shown.shapes:
        entries.append(_said(*text(dtype)))
    return entries


def _said(text: Mark, width: float) -> tuple[list[Mark], float]:
    return [text], width


def _laid(entries: Iterable[tuple[list[Mark], float]], width: float, top: float) -> tuple[list[Mark], float, float]:
    """Legend entries in lines that fit the width: marks, the width and the bottom."""
    marks: list[Mark] = []
    x, y, widest = 0.0, top, 0.0
    for entry, wide in entries:
        if x and x + wide > width:
            x, y = 0.0, y + 18.0
        marks += [_shifted(m, x, y) for m in entry]
        widest = max(widest, x + wide)
        x += wide + 18.0
    return marks, widest, y + 14.0


def _shifted(mark: Mark, dx: float, dy: float) -> Mark:
    if isinstance(mark, Rectangle):
        r = mark.rect
        return replace(mark, rect=Rect(r.x + dx, r.y + dy, r.width, r.height))
    if isinstance(mark, Text):
        return replace(mark, x=mark.x + dx, y=mark.y + dy)
    return replace(mark, points=tuple((x + dx, y + dy) for x, y in mark.points))


def _moved(groups: Iterable[Group], by: float) -> list[Group]:
    return [replace(g, marks=[_shifted(m, by, by) for m in g.marks]) for g in groups]
