"""What each box of a drawing says: its title, its shape beside it, and its value and gradient below."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from . import labels
from .blocks import Ends, by_block, magnitudes, norms, told
from .outline import Frame, Outline, Tile
from .page import visible
from .values import lines, number, short
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


def closed_card(frame: Frame, shown: Shown, ends: Ends, outline: Outline, sizes: Mapping[str, float]) -> Card:
    """What a closed frame says: of a module what goes in and comes out, its size, its output and its gradients."""
    title = labels.shortened(visible(frame.label))
    if frame.kind == "rest":
        return Card(title, "", [])
    shape, size, out, owned = told(frame, ends)
    rows = [(line, "muted") for line in size]
    if len(out) == 1 and shown.values:
        rows.append((short(out[0].data), "ink"))
    blocks = in_blocks(out[0].id, outline, sizes) if len(out) == 1 else []
    if len(out) == 1 and shown.grads and out[0].cotangent is not None:
        rows.append((by_block(blocks) if blocks else f"grad {short(out[0].cotangent)}", "grad"))
    lengths = norms(owned, outline, sizes) if shown.grads else []
    if len(lengths) > 1:
        rows.append((by_block(lengths, "grad of parameters, norm"), "grad"))
    elif lengths:
        rows.append((f"grad of parameters, norm {number(float(f'{lengths[0]:.3g}'))}", "grad"))
    return Card(title, shape if shown.shapes else "", rows, "closed")


def card_of(item: Tile, shown: Shown, dtype: str, title: str = "", blocks: Sequence[float] = ()) -> Card:
    """What a tile says; `blocks` are the sizes of its gradient in each of the blocks that it stands for."""
    b = item.box
    shape = "" if b.extent == "()" or b.shape == "number" or b.kind == "failed" else b.extent
    if b.dtype not in (dtype, "") and b.kind != "failed":
        shape = f"{b.dtype} {shape}".strip()
    rows: list[tuple[str, str]] = []
    if shown.values and b.kind != "failed":
        rows += [(line, "ink") for line in (lines(b.data) if shown.full else [short(b.data)])]
    if shown.grads and len(blocks) > 1:
        rows.append((by_block(blocks), "grad"))
    elif shown.grads and b.cotangent is not None:
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
    ends, sizes = Ends(view, outline), magnitudes(view) if shown.grads else {}
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
                if isinstance(i, Frame):
                    cards[i.id] = closed_card(i, shown, ends, outline, sizes)
                else:
                    cards[i.id] = card_of(i, shown, dtype, title, in_blocks(i.id, outline, sizes))
    for k in outline.links:  # the shapes that did not fit
        if k.tail in cards and k.head in cards and cards[k.head].role == "failed":
            cards[k.tail].tone = "bad"
    return cards


def in_blocks(id: str, outline: Outline, sizes: Mapping[str, float]) -> list[float]:
    """The size of the gradient in each block that a tile stands for, if it stands for several."""
    ids = outline.blocks.get(id, [])
    return [sizes[i] for i in ids] if len(ids) > 1 and all(i in sizes for i in ids) else []


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
