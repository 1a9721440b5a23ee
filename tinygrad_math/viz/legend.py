"""What the colours and lines of a drawing mean, as far as they occur."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from . import labels
from .cards import Card, Shown, text_width
from .marks import Curve, Mark, Rectangle, Text, shifted
from .outline import Outline
from .page import visible
from .places import Rect
from .values import number
from .view import View

KINDS = (
    ("leaf", "leaf"), ("data", "constant"), ("closed", "module"), ("result", "result"), ("failed", "failed")
)  # fmt: skip


def strength(size: float, most: float) -> float:
    """From 0 to 1: four powers of ten below the largest count as nothing."""
    return 0.0 if not size or not most else min(max(1.0 + math.log10(size / most) / 4.0, 0.0), 1.0)


def shade(t: float) -> str:
    """The colour of a gradient of this strength, from a pale blue to a strong orange."""
    ends = ((0x8F, 0xB8, 0xD4), (0xE6, 0xA0, 0x4A), (0xC8, 0x3E, 0x0A))
    k = min(int(t * 2), 1)
    low, high, part = ends[k], ends[k + 1], t * 2 - k
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in zip(low, high, strict=True))


def legend_of(
    view: View, outline: Outline, dtype: str, shown: Shown, sizes: Mapping[str, float], cards: Mapping[str, Card]
) -> list[tuple[list[Mark], float]]:
    """What colours and lines mean, as far as they occur: marks from (0, 0) on, and their width."""
    entries: list[tuple[list[Mark], float]] = []

    def text(words: str, x: float = 0.0) -> tuple[Mark, float]:
        return Text(x, 10.0, words, 10.0, "muted", left=True), x + text_width(words, 10.0)

    def swatch(role: str, words: str, border: str = "border") -> None:
        label, width = text(words, 20.0)
        entries.append(([Rectangle(Rect(0, 1, 15, 11), role, 3.0, border), label], width))

    boxes = [t.box for t in outline.tiles.values() if t.id in cards]
    kinds = {card.role for card in cards.values()}
    for role, words in KINDS:
        if role in kinds:
            swatch(role, words, "bad" if role == "failed" else "border")
    for part in sorted({b.part for b in boxes} - {0}):
        swatch(
            "step", "backward" if part == 1 else "backward of backward", ("border", "backward", "second")[min(part, 2)]
        )
    drawn = {s: sizes[s] for s in cards if s in sizes}
    positive = [s for s in drawn.values() if s > 0 and math.isfinite(s)]
    if positive:
        low, high = max(min(positive), max(positive) / 1e4), max(positive)
        marks: list[Mark] = []
        first, x = text(f"gradient {'≤ ' * (min(drawn.values()) < low)}{number(float(f'{low:.1e}'))}")
        marks.append(first)
        x += 6.0
        for k in range(8):
            t = strength(low * (high / low) ** (k / 7), high)
            marks.append(Curve(((x, 7.0), (x + 7.5, 7.0)), "arrow", 1.1 + 2.9 * t, shade(t), head=False))
            x += 7.5
        last, x = text(number(float(f"{high:.1e}")), x + 6.0)
        entries.append(([*marks, last], x))
        if any(k.tail in cards and k.tail not in sizes for k in outline.links):
            label, width = text("no gradient", 30.0)
            entries.append(([Curve(((0, 7), (24, 7)), "arrow", 1.2, None, True, False), label], width))
    if not all(map(math.isfinite, drawn.values())):
        label, width = text("gradient NaN or infinite", 30.0)
        entries.append(([Curve(((0, 7), (24, 7)), "bad", 2.4, None, True, False), label], width))
    if view.remark and shown.grads:
        entries.append(_said(*text(labels.shortened(visible(view.remark), 90))))
    if any(tone == "grad" and "█" in line for c in cards.values() for line, tone in c.lines):
        entries.append(_said(*text("▁▄█ gradient from the first block to the last, by powers of ten")))
    if any(f.loops and f.open for f in outline.root.frames()):
        label, width = text("each takes what the one before made", 30.0)
        entries.append(([Curve(((0, 7), (24, 7)), "loop", 1.2, None, True, True), label], width))
    if dtype and shown.shapes:
        entries.append(_said(*text(dtype)))
    return entries


def _said(text: Mark, width: float) -> tuple[list[Mark], float]:
    return [text], width


def laid(entries: Iterable[tuple[list[Mark], float]], width: float, top: float) -> tuple[list[Mark], float, float]:
    """Legend entries in lines that fit the width: marks, the width and the bottom."""
    marks: list[Mark] = []
    x, y, widest = 0.0, top, 0.0
    for entry, wide in entries:
        if x and x + wide > width:
            x, y = 0.0, y + 18.0
        marks += [shifted(m, x, y) for m in entry]
        widest = max(widest, x + wide)
        x += wide + 18.0
    return marks, widest, y + 14.0
