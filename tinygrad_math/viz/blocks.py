"""What is told of many steps at once: of a module that is drawn closed, and of blocks of which one is drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from .outline import Frame, Outline
from .values import largest, magnitude, number
from .view import Box, Call, View

_BARS = "▁▂▃▄▅▆▇█"
_DECADES, _MOST_BARS = 4.0, 24  # the range of the bars, as of the colours; and how many stand in a line


class Ends:
    """What goes into each module, what comes out of it, and the parameters that it owns."""

    def __init__(self, view: View, outline: Outline) -> None:
        self._boxes = {b.id: (k, b) for k, b in enumerate(view.boxes)}
        self._within: dict[Call, set[str]] = {}
        for b in view.boxes:
            for call in b.calls if b.is_step else ():
                self._within.setdefault(call, set()).add(b.id)
        self._leaves = [b for b in view.boxes if b.kind in ("leaf", "data")]  # a frozen parameter is a constant
        self._arrows = _both_ways((a.tail, a.head) for a in view.arrows)
        self._links = _both_ways((k.tail, k.head) for k in outline.links)

    def of(self, frame: Frame) -> tuple[list[Box], list[Box], list[Box]]:
        """Inputs, outputs and parameters, each in the order of the graph."""
        within = self._within.get(frame.call) if frame.call is not None else None
        steps = within or {t.id for t in frame.tiles()}
        before, after = self._arrows if within else self._links
        owned = self._owned(frame)
        mine = {b.id for b in owned}
        into = self._in_order(t for s in steps for t in before.get(s, ()) if t not in steps and t not in mine)
        out = self._in_order(s for s in steps if any(h not in steps for h in after.get(s, ())) or s not in after)
        told = [b for b in into if b.is_step or b.name] or into  # a zero to begin with is no input beside a named one
        return told, [b for b in out if b.is_step], owned

    def _in_order(self, ids: Iterable[str]) -> list[Box]:
        return [b for _, b in sorted({self._boxes[i] for i in ids if i in self._boxes}, key=lambda found: found[0])]

    def _owned(self, frame: Frame) -> list[Box]:
        if frame.call is None:
            return []
        if frame.call.kind:  # the module itself was seen
            mine = {id(p.data) for p in frame.call.parameters}
            return [b for b in self._leaves if id(b.data) in mine]
        return [b for b in self._leaves if b.name and b.name.startswith(f"{frame.path}.")]


def _both_ways(pairs: Iterable[tuple[str, str]]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    before: dict[str, list[str]] = {}
    after: dict[str, list[str]] = {}
    for tail, head in pairs:
        before.setdefault(head, []).append(tail)
        after.setdefault(tail, []).append(head)
    return before, after


def told(frame: Frame, ends: Ends) -> tuple[str, list[str], list[Box], list[Box]]:
    """Of a closed module: its shapes, from input to output; how large it is; its outputs, and its parameters."""
    steps = sum(t.box.is_step for t in frame.tiles())
    size = f"{steps:,} step{'s' * (steps != 1)}"
    if frame.kind != "module":
        return "", [size], [], []
    into, out, owned = ends.of(frame)
    call = frame.call
    count = sum(int(np.size(p.data)) for p in (call.parameters if call is not None and call.kind else owned))
    if count:
        size = f"{count:,} parameter{'s' * (count != 1)}{' each' if frame.count > 1 else ''}, {size}"
    first, last = (", ".join(dict.fromkeys(b.extent for b in boxes)) for boxes in (into[:4], out[:4]))
    return f"{first} → {last}" if first and last else last or first, [size], out, owned


def norms(boxes: Sequence[Box], outline: Outline, sizes: Mapping[str, float]) -> list[float]:
    """The norm of the gradients of these values taken together, in each block that they stand for, if there are any."""
    known = [b for b in boxes if b.cotangent is not None]
    blocks = [outline.blocks.get(b.id, [b.id]) for b in known]
    if len(set(map(len, blocks))) != 1:
        blocks = [[b.id] for b in known]
    roots = [math.sqrt(np.size(b.cotangent)) for b in known]
    each = zip(*blocks, strict=True)
    return [math.hypot(*(sizes.get(i, 0.0) * r for i, r in zip(ids, roots, strict=True))) for ids in each]


def by_block(sizes: Sequence[float], called: str = "grad") -> str:
    """Gradients of a repeat, block by block, as bars on a logarithmic scale between the first and the last.

    What is not finite has no bar, but a cross.

    >>> by_block([1e-3, 1e-2, 0.1, 1.0])
    'grad 0.001 ▃▅▆█ 1'
    >>> by_block([float("nan"), 0.1, 1.0])
    'grad nan ×▆█ 1'
    """
    shown = sizes
    if len(sizes) > _MOST_BARS:
        shown = [sizes[round(k * (len(sizes) - 1) / (_MOST_BARS - 1))] for k in range(_MOST_BARS)]
    most = max(filter(math.isfinite, sizes), default=0.0)
    bars = "".join(_bar(s, most) for s in shown)
    return f"{called} {number(float(f'{sizes[0]:.2g}'))} {bars} {number(float(f'{sizes[-1]:.2g}'))}"


def _bar(size: float, most: float) -> str:
    if not math.isfinite(size):
        return "×"
    if not size or not most:
        return _BARS[0]
    part = max(1.0 + math.log10(size / most) / _DECADES, 0.0)
    return _BARS[min(round(part * (len(_BARS) - 1)), len(_BARS) - 1)]


def strengths(view: View, outline: Outline) -> dict[str, float]:
    """How large the gradient of what is drawn is, by id: the root of the mean square of its entries.

    Of blocks that repeat it is that of all; of a closed module that of the largest of its outputs.
    """
    sizes = magnitudes(view)
    found = {}
    for id in outline.tiles:
        mine = [sizes[i] for i in outline.blocks.get(id, [id]) if i in sizes]
        if mine:
            found[id] = math.sqrt(sum(s * s for s in mine) / len(mine))
    for frame in outline.root.frames():
        if not frame.open:
            inner = {t.id for t in frame.tiles()}
            out = [found[k.tail] for k in outline.links if k.tail in inner and k.head not in inner and k.tail in found]
            if out:
                found[frame.id] = largest(out)
    return found


def magnitudes(view: View) -> Mapping[str, float]:
    """How large the gradient of each value is."""
    return {b.id: magnitude(b.cotangent) for b in view.boxes if b.cotangent is not None}
