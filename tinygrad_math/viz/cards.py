"""What each box of a drawing says: its title, its shape beside it, and its value and gradient below."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from . import labels
from .outline import Frame, Outline, Tile
from .page import visible
from .values import lines, short
from .view import Box, View

TITLE, SMALL = 12.0, 10.5  # sizes of letters, in px
_WIDE = 0.62  # of a letter of the widest of the usual fixed-width fonts, from its height


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
        head = text_width(self.title, TITLE) + (text_width(self.shape, SMALL) + 8 if self.shape else 0)
        width = max([head, *(text_width(t, SMALL) for t, _ in self.lines)])
        return max(width + 18.0, 40.0), 26.0 + 14.0 * len(self.lines)


def role_of(b: Box) -> str:
    return "step" if b.kind not in ("leaf", "data", "result", "failed") else b.kind


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
    return Card(title, shape if shown.shapes else "", [(labels.shortened(t, 64), r) for t, r in rows], role_of(b))


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


def name_of(outline: Outline, id: str) -> str:
    """What stands for a tile that is far away: its name, else its id."""
    tile = outline.tiles.get(id)
    if tile is None:
        return id
    name = tile.box.name or tile.box.meaning
    return labels.shortened(visible(name), 20) if name else f"{labels.shortened(tile.title, 14)} {id}"


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
