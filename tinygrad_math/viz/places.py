"""Where everything of a drawing lies, once the ranks and orders are known and the sizes."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .layout import Arranged, Spot, neighbours
from .outline import Frame, Link

_ACROSS, _ALONG, _PAD, _TITLE = 18.0, 34.0, 12.0, 22.0  # gaps between boxes, between ranks; a frame's border, title
_SPINE = 20.0  # how much straighter an arrow between two steps is to be than one from a parameter
_BORDER, _TURN = 8.0, 22.0  # below the name of a frame: where all arrows go straight on, and where one turns
_LOOP = 24.0  # beside a frame, where the arrow of its loop runs
_SWEEPS = 14
Size = tuple[float, float]
Point = tuple[float, float]


@dataclass(frozen=True)
class Rect:
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Line:
    """An arrow, or the piece of one within a frame: points, straight between each pair, curved from pair to pair."""

    points: tuple[Point, ...]
    tail: str
    links: tuple[Link, ...]
    head: str  # the tile that it leads to, "" where it goes on


@dataclass
class Plan:
    """Rectangles of tiles and frames by id, of names that stand for a far tail, and the lines."""

    size: Size
    rects: dict[str, Rect] = field(default_factory=dict)
    again: list[tuple[str, Rect]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


@dataclass
class _Shape:
    """One frame laid out by itself, across and along the direction in which the arrows run."""

    across: float
    along: float
    at: dict[Spot, Point]  # the middle of each spot
    size: dict[Spot, Size]
    bands: list[tuple[float, float]]  # where each rank begins and ends
    enters: dict[str, float]  # where on the border a tail's arrow enters, from the frame's middle
    leaves: dict[str, float]
    beyond: float  # room that is needed beside it


def places(
    done: Mapping[str, Arranged], root: Frame, sizes: Mapping[str, Size], names: Mapping[str, float], right: bool
) -> Plan:
    """The plan of a drawing that runs down, or to the `right`.

    `sizes` are those of tiles and closed frames, width and height; `names` the widths of names for far tails; of open
    frames `sizes` may say the least width, that of the title.
    """
    shapes: dict[str, _Shape] = {}
    for id, a in done.items():  # inner frames first
        least = sizes.get(id, (0.0, 0.0))
        shapes[id] = _shape(a, sizes, names, shapes, least, right, bare=a.frame is root)
    outer = shapes[root.id]
    plan = Plan((outer.along, outer.across) if right else (outer.across, outer.along))
    stack: list[tuple[str, float, float]] = [(root.id, 0.0, 0.0)]
    while stack:
        id, across, along = stack.pop()
        a, shape = done[id], shapes[id]
        width, height = (shape.along, shape.across) if right else (shape.across, shape.along)
        plan.rects[id] = Rect(along, across, width, height) if right else Rect(across, along, width, height)
        for s, (u, v) in shape.at.items():
            w, h = shape.size[s]
            u, v = across + u - w / 2, along + v - h / 2
            rect = Rect(v, u, h, w) if right else Rect(u, v, w, h)
            if s.kind == "again":
                plan.again.append((s.key, rect))
            elif s.kind == "item" and s.key in shapes:
                stack.append((s.key, u, v))
            elif s.kind == "item":
                plan.rects[s.key] = rect
        for p in a.paths:
            points = _points(p.spots, p.tail, p.port, a, shape, shapes)
            turned = [(along + v, across + u) if right else (across + u, along + v) for u, v in points]
            head = p.spots[-1].key if p.spots[-1].kind == "item" and p.spots[-1].key not in shapes else ""
            plan.lines.append(Line(tuple(turned), p.tail, tuple(p.links), head))
    return plan


def _shape(
    a: Arranged,
    sizes: Mapping[str, Size],
    names: Mapping[str, float],
    shapes: Mapping[str, _Shape],
    least: Size,
    right: bool,
    bare: bool,
) -> _Shape:
    size: dict[Spot, Size] = {}
    for s in (s for r in a.ranks for s in r):
        if s.kind == "item" and s.key in shapes:
            size[s] = shapes[s.key].across, shapes[s.key].along
        elif s.kind in ("item", "again"):
            w, h = sizes[s.key] if s.kind == "item" else (names[s.key], 18.0)
            size[s] = (h, w) if right else (w, h)
        else:
            size[s] = (6.0, 0.0)
    pieces = [(s, t, _out(s, tail, shapes), _in(t, tail, port, a, size, shapes)) for s, t, tail, port in neighbours(a)]
    beyond = {s: shapes[s.key].beyond for s in size if s.kind == "item" and s.key in shapes}
    x = _across(a, size, pieces, beyond)
    left = min((x[s] - size[s][0] / 2 for s in x), default=0.0)
    end = max((x[s] + size[s][0] / 2 + (0.0 if bare else beyond.get(s, 0.0)) for s in x), default=0.0)
    pad, title = (0.0, 0.0) if bare else (_PAD, _TITLE)
    before = pad + (title if right else 0.0)  # the title stands above
    across = max(end - left + before + pad, 0.0 if right else least[0])
    before += (across - (end - left) - before - pad) / 2
    bands: list[tuple[float, float]] = []
    v = 0.0 if bare else (pad if right else title)
    for n, r in enumerate(a.ranks):
        deep = max((size[s][1] for s in r), default=0.0)
        if n and a.ranks[n - 1] and r:
            turns = any(abs(x[s] + out - x[t] - into) > 1.0 for s, t, out, into in pieces if t.rank == n)
            v += _gap(n, a, right, turns)
        bands.append((v, v + deep))
        v += deep
    along = max(v + (0.0 if bare else pad), least[0] if right else 0.0)
    at: dict[Spot, Point] = {}
    for s in x:
        begin, stop = bands[s.rank]
        if s.kind in ("in", "out"):  # what crosses the border ends on it
            v = 0.0 if s.kind == "in" else along
        elif s.kind == "bend":
            v = (begin + stop) / 2
        else:  # a leaf near who uses it, a step near what it uses
            v = stop - size[s][1] / 2 if s.kind == "again" or s.key in a.floats else begin + size[s][1] / 2
        at[s] = x[s] - left + before, v
    middle = across / 2
    enters = {s.key: at[s][0] - middle for s in a.ranks[0]} if a.ranks else {}
    leaves = {s.key: at[s][0] - middle for s in a.ranks[-1] if s.kind == "out"} if a.ranks else {}
    return _Shape(across, along, at, size, bands, enters, leaves, _LOOP if a.frame.loops and not right else 0.0)


def _gap(n: int, a: Arranged, right: bool, turns: bool) -> float:
    """The room between a rank and the one before: more where an arrow says what was folded into it."""
    said = [k.through for p in a.paths if p.spots[-1].rank == n for k in p.links if k.through]
    if right and said:
        return _ALONG + min(7.0 * max(map(len, said)), 150.0)
    border = n == 1 or all(s.kind == "out" for s in a.ranks[n])
    return _ALONG + 6.0 if said else (_TURN if turns else _BORDER) if border else _ALONG


def _out(s: Spot, tail: str, shapes: Mapping[str, _Shape]) -> float:
    """Where an arrow leaves, from the middle of the spot."""
    return shapes[s.key].leaves.get(tail, 0.0) if s.kind == "item" and s.key in shapes else 0.0


def _in(t: Spot, tail: str, port: int, a: Arranged, size: Mapping[Spot, Size], shapes: Mapping[str, _Shape]) -> float:
    """Where an arrow arrives, from the middle of the spot: at the place of the argument that it is."""
    if t.kind != "item":
        return 0.0
    if t.key in shapes:
        return shapes[t.key].enters.get(tail, 0.0)
    count = a.ports.get(t.key, 1)
    room = min(size[t][0] * 0.9, 48.0 * count)
    return room * ((port + 1) / (count + 1) - 0.5)


def _across(
    a: Arranged,
    size: Mapping[Spot, Size],
    pieces: Sequence[tuple[Spot, Spot, float, float]],
    beyond: Mapping[Spot, float],
) -> dict[Spot, float]:
    """Places in each rank, in order and without overlap, as near as can be to straight arrows (least squares)."""
    up: dict[Spot, list[tuple[Spot, float, float]]] = {}
    down: dict[Spot, list[tuple[Spot, float, float]]] = {}
    for s, t, out, into in pieces:
        weight = 60.0 if s.kind == t.kind == "bend" else 2.0 if "bend" in (s.kind, t.kind) else 1.0
        weight *= 1.0 if s.key in a.floats else _SPINE
        up.setdefault(t, []).append((s, out - into, weight))
        down.setdefault(s, []).append((t, into - out, weight))
    x: dict[Spot, float] = {}
    for r in a.ranks:
        at = 0.0
        for s in r:
            x[s] = at + size[s][0] / 2
            at += size[s][0] + _ACROSS
        for s in r:
            x[s] -= (at - _ACROSS) / 2
    for sweep in range(_SWEEPS):
        both = sweep >= _SWEEPS - 2
        for r in reversed(a.ranks) if sweep % 2 else a.ranks:
            wishes, weights = [], []
            for s in r:
                ends = [*(up.get(s, ()) if both or sweep % 2 == 0 else ())]
                ends += down.get(s, ()) if both or sweep % 2 else ()
                ends = ends or [*up.get(s, ()), *down.get(s, ())]
                total = sum(w for _, _, w in ends)
                wishes.append(sum((x[t] + d) * w for t, d, w in ends) / total if ends else x[s])
                weights.append(total or 0.1)
            gaps = [
                (size[s][0] + size[t][0]) / 2
                + (_ACROSS if "item" in (s.kind, t.kind) else _ACROSS / 2)
                + beyond.get(s, 0.0)
                for s, t in itertools.pairwise(r)
            ]
            for s, place in zip(r, _apart(wishes, weights, gaps), strict=True):
                x[s] = place
    return x


def _apart(wishes: Sequence[float], weights: Sequence[float], gaps: Sequence[float]) -> list[float]:
    """The places nearest to these wishes that are in order and so far apart: pooled adjacent violators."""
    shift, shifts = 0.0, []
    for gap in (0.0, *gaps):
        shift += gap
        shifts.append(shift)
    pools: list[list[float]] = []  # mean, weight, count
    for wish, weight, s in zip(wishes, weights, shifts, strict=False):
        pools.append([wish - s, weight, 1.0])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            m, w, n = pools.pop()
            p = pools[-1]
            p[0], p[1], p[2] = (p[0] * p[1] + m * w) / (p[1] + w), p[1] + w, p[2] + n
    means = [m for m, _, n in pools for _ in range(int(n))]
    return [m + s for m, s in zip(means, shifts, strict=False)]


def _points(
    spots: Sequence[Spot], tail: str, port: int, a: Arranged, shape: _Shape, shapes: Mapping[str, _Shape]
) -> list[Point]:
    """From the edge of the first spot to that of the last: along each rank straight, in pairs, curved between them."""
    first, last = spots[0], spots[-1]
    u, v = shape.at[first]
    u += _out(first, tail, shapes)
    v += shape.size[first][1] / 2
    band = shape.bands[first.rank][1]
    points = [(u, v), (u, max(v, band))]  # straight through the band in which the name of a frame stands
    for s in spots[1:-1]:
        points += [(shape.at[s][0], edge) for edge in shape.bands[s.rank]]
    u, v = shape.at[last]
    u += _in(last, tail, port, a, shape.size, shapes)
    v -= shape.size[last][1] / 2
    band = shape.bands[last.rank][0]
    points += [(u, min(v, band) if last.kind != "out" else v), (u, v)]
    return points
