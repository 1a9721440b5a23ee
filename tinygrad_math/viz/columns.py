"""A drawing that is a long strip, broken into columns as a newspaper is: each goes on at the top of the next one.

An arrow that is cut leaves a column at its foot and enters the next one at its head, as far from the left as before.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace

from .marks import Curve, Group, Mark, Rectangle, Text, shifted
from .places import Point, Rect

_STRIP, _TALL = 3.0, 2400.0  # how many times as high as wide a drawing may be, and how high in any case
_SHAPE = 1.4  # width by height that is sought
_APART, _LEAST, _NAME = 56.0, 12.0, 22.0  # between columns; the least room to cut in; the name of a frame


def in_columns(groups: Sequence[Group], width: float, height: float) -> tuple[list[Group], float, float]:
    """The groups of a drawing that runs down, with its width and height, in columns if it is a strip."""
    if height < _TALL or height < _STRIP * width:
        return list(groups), width, height
    count = max(2, round(math.sqrt(_SHAPE * height / (width + _APART))))
    cuts = _cuts(groups, height, count)
    if not cuts:
        return list(groups), width, height
    edges = [0.0, *cuts, height + 1.0]
    parts: list[tuple[Group, list[list[Mark]]]] = []
    for g in groups:
        found: list[list[Mark]] = [[] for _ in edges[1:]]
        for m in g.marks:
            for k, piece in _pieces(m, edges):
                found[k].append(piece)
        parts.append((g, found))
    moves, right = [], 0.0
    breaks: list[Mark] = []
    low = max(b - a for a, b in itertools.pairwise(edges))
    for k in range(len(edges) - 1):
        spans = [span for _, found in parts for m in found[k] for span in [_span(m)]]
        left, end = min((a for a, _ in spans), default=0.0), max((b for _, b in spans), default=0.0)
        moves.append((right - left, -edges[k]))
        for y in [0.0] * (k > 0) + [edges[k + 1] - edges[k]] * (k < len(cuts)):
            breaks.append(Curve(((right, y), (right + end - left, y)), "frame", 1.2, None, dashed=True, head=False))
        right += end - left + _APART
    placed = [
        replace(g, marks=[shifted(m, *moves[k]) for k, marks in enumerate(found) for m in marks]) for g, found in parts
    ]
    placed.append(Group("break", "breaks", "goes on at the top of the next column", breaks))
    return placed, right - _APART, low


def _cuts(groups: Iterable[Group], height: float, count: int) -> list[float]:
    """Where to cut: near equal parts, through as few arrows as can be, and through no box and no word."""
    covered: list[tuple[float, float]] = []
    arrows: list[tuple[float, float]] = []
    for g in groups:
        for m in g.marks:
            if isinstance(m, Text):
                covered.append((m.y - m.size, m.y + 4.0))
            elif isinstance(m, Curve):
                ys = [y for _, y in m.points]
                arrows.append((min(ys), max(ys)))
            elif g.kind == "frame":
                low = m.rect.y + m.rect.height
                covered += [(m.rect.y - 4.0, m.rect.y + _NAME), (low - 6.0, low + 4.0)]
            else:
                covered.append((m.rect.y - 4.0, m.rect.y + m.rect.height + 4.0))
    free, at = [], 0.0
    for begin, end in sorted(covered):
        if begin - at >= _LEAST and at > 0.0:
            free.append((at + begin) / 2)
        at = max(at, end)
    begins, ends = sorted(a for a, _ in arrows), sorted(b for _, b in arrows)
    cuts: list[float] = []
    for k in range(1, count):
        wish = height * k / count
        near = [y for y in free if abs(y - wish) < 0.25 * height / count and (not cuts or y > cuts[-1])]
        if near:
            cost = {
                y: bisect_right(begins, y) - bisect_right(ends, y) + 8 * abs(y - wish) * count / height for y in near
            }
            cuts.append(min(near, key=cost.__getitem__))
    return cuts


def _pieces(m: Mark, edges: Sequence[float]) -> list[tuple[int, Mark]]:
    """The columns that a mark is in, and its part in each."""
    if isinstance(m, Text):
        return [(_column(m.y, edges), m)]
    if isinstance(m, Rectangle):
        r = m.rect
        first, last = _column(r.y, edges), _column(r.y + r.height, edges)
        found: list[tuple[int, Mark]] = []
        for k in range(first, last + 1):
            top, low = max(r.y, edges[k]), min(r.y + r.height, edges[k + 1])
            found.append((k, replace(m, rect=Rect(r.x, top, r.width, low - top))))
        return found
    ys = [y for _, y in m.points]
    first, last = _column(min(ys), edges), _column(max(ys), edges)
    if first == last:
        return [(first, m)]
    if m.role == "loop":  # from the end of a frame to its begin: in the column of its end
        top = edges[last] + 14.0
        return [(last, replace(m, points=tuple((x, max(y, top)) for x, y in m.points)))]
    pieces: list[tuple[int, Mark]] = []
    points = list(m.points)
    for k in range(first, last):
        before, points = _parted(points, edges[k + 1])
        pieces.append((k, replace(m, points=tuple(before), head=False)))
    return [*pieces, (last, replace(m, points=tuple(points)))]


def _parted(points: Sequence[Point], cut: float) -> tuple[list[Point], list[Point]]:
    """An arrow above a height and below it. A curve is run through above, so that both meet the cut straight."""
    n = next(k for k, (_, y) in enumerate(points) if y > cut)
    if n % 2:  # within a pair, which is straight
        x = points[n][0]
        return [*points[:n], (x, cut)], [(x, cut), *points[n:]]
    x = points[n][0]
    return [*points[:n], (x, cut), (x, cut)], [(x, cut), *points[n + 1 :]]


def _column(y: float, edges: Sequence[float]) -> int:
    return min(max(bisect_right(edges, y) - 1, 0), len(edges) - 2)


def _span(m: Mark) -> tuple[float, float]:
    """How far a mark reaches to the left and to the right; a word is within what it names."""
    if isinstance(m, Text):
        return m.x, m.x
    if isinstance(m, Rectangle):
        return m.rect.x, m.rect.x + m.rect.width
    xs = [x for x, _ in m.points]
    return min(xs), max(xs)
