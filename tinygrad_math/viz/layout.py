"""Who stands in which row of a drawing: a layered drawing of each frame, the frames in it being boxes of their own.

Sugiyama's method (K. Sugiyama, S. Tagawa, M. Toda 1981, DOI 10.1109/TSMC.1981.4308636): ranks, an order within each
rank with few crossings, and places, which `places` finds. Ranks and orders do not depend on sizes, so that a frame can
be closed and opened without them. Operands stand in the order in which they are written.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .outline import Frame, Link, Outline, Tile

_NEAR_LEAF, _NEAR_STEP = 3, 40  # how many ranks an arrow may cross; beyond, its tail is named once more at its head
_SWEEPS, _LARGE = 12, 4000  # how often orders are looked over, and from how many places on less often


@dataclass(eq=False)
class Spot:
    """What takes a place in a rank. `kind`: item, bend (of a long arrow), in, out (at the frame's border), again.

    `key` is the id of the tile or frame; of the other kinds that of the tile that the arrow comes from.
    """

    kind: str
    key: str
    rank: int


@dataclass(eq=False)
class Path:
    """An arrow within one frame, over its bends: from tile `tail` to its end at argument `port` of the last spot."""

    spots: list[Spot]
    tail: str
    port: int
    links: list[Link]


@dataclass(eq=False)
class Arranged:
    """The ranks of a frame and the arrows in it; `enters` and `leaves` are the tails of those over its border.

    `ports` tells how many arrows lead to each tile, `floats` what stands right above who uses it.
    """

    frame: Frame
    ranks: list[list[Spot]] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    enters: list[str] = field(default_factory=list)
    leaves: list[str] = field(default_factory=list)
    ports: dict[str, int] = field(default_factory=dict)
    floats: set[str] = field(default_factory=set)


@dataclass(eq=False)
class _Edge:
    """An arrow of a frame before it has bends. `source` is "" for one over the border."""

    source: str
    head: str
    tail: str
    port: int
    links: list[Link]


def arrange(outline: Outline) -> dict[str, Arranged]:
    """The ranks and the order of what is in each open frame, by the id of the frame; inner ones first."""
    chains: dict[str, list[Frame]] = {}  # the open frames around each tile; a closed frame stands for its tiles
    stands: dict[str, str] = {}
    stack = [(outline.root, [outline.root])]
    frames = []
    while stack:
        frame, chain = stack.pop()
        frames.append((len(chain), frame))
        for i in frame.items:
            chains[i.id] = chain
            if isinstance(i, Frame) and i.open:
                stack.append((i, [*chain, i]))
            else:
                stands |= {t.id: i.id for t in ([i] if isinstance(i, Tile) else i.tiles())}
    incoming: dict[str, list[Link]] = {}
    leaves: dict[str, list[str]] = {}
    for k in outline.links:
        tail, head = stands.get(k.tail, ""), stands.get(k.head, "")
        if tail and head and tail != head:
            whole = (tail, head) == (k.tail, k.head)  # else what is folded in belongs to what is closed
            incoming.setdefault(head, []).append(k._replace(tail=tail, head=head, through=k.through if whole else ""))
            for frame in chains[tail]:
                if frame not in chains[head] and tail not in leaves.setdefault(frame.id, []):
                    leaves[frame.id].append(tail)
    fixed = {id for id in stands.values() if id not in outline.tiles or outline.tiles[id].box.is_step}
    done: dict[str, Arranged] = {}
    for depth, frame in sorted(frames, key=lambda f: -f[0]):
        a = done[frame.id] = Arranged(frame, leaves=leaves.get(frame.id, []))
        edges = _edges(a, depth, incoming, chains, done)
        ranks = _ranks(a, edges, fixed)
        _spots(a, edges, ranks, fixed)
        _order(a)
    return done


def _edges(
    a: Arranged,
    depth: int,
    incoming: Mapping[str, Sequence[Link]],
    chains: Mapping[str, list[Frame]],
    done: Mapping[str, Arranged],
) -> list[_Edge]:
    """The arrows that a frame has to draw: to its items, and to what is in the frames among them."""

    def source(tail: str) -> str:
        chain = chains[tail]
        if len(chain) < depth or chain[depth - 1] is not a.frame:
            return ""
        return tail if len(chain) == depth else chain[depth].id

    edges = []
    for i in a.frame.items:
        if i.id in done:
            edges += [_Edge(source(tail), i.id, tail, 0, []) for tail in done[i.id].enters]
            continue
        by_tail: dict[str, _Edge] = {}
        closed = isinstance(i, Frame)
        for k in sorted(incoming.get(i.id, ()), key=lambda k: k.position):
            if closed and k.tail in by_tail:
                by_tail[k.tail].links.append(k)
            else:
                by_tail[k.tail] = _Edge(source(k.tail), i.id, k.tail, a.ports.get(i.id, 0), [k])
                a.ports[i.id] = by_tail[k.tail].port + 1
                edges.append(by_tail[k.tail])
    order = {i.id: n for n, i in enumerate(a.frame.items)}
    return [e for e in edges if not e.source or order[e.source] < order[e.head]]


def _ranks(a: Arranged, edges: Sequence[_Edge], fixed: set[str]) -> dict[str, int]:
    """The rank of each item: below all that it uses; a leaf, and a step on a leaf, right above who uses it."""
    before: dict[str, list[str]] = {}
    after: dict[str, list[str]] = {}
    entered = set()
    for e in edges:
        if e.source:
            before.setdefault(e.head, []).append(e.source)
            after.setdefault(e.source, []).append(e.head)
        else:
            entered.add(e.head)
    rank: dict[str, int] = {}
    forward, floats = 0, a.floats
    for i in a.frame.items:
        mine = before.get(i.id, ())
        rank[i.id] = max((rank[s] + 1 for s in mine), default=0)
        if isinstance(i, Frame) and i.kind == "pass":
            rank[i.id] = max(rank[i.id], forward)  # a backward pass stands beside the end of the forward one
        else:
            forward = max(forward, rank[i.id])
        light = i.id not in fixed or (len(mine) == 1 and mine[0] in floats and mine[0] not in fixed)
        if light and isinstance(i, Tile) and i.id not in entered:
            floats.add(i.id)
    for i in reversed(a.frame.items):
        if i.id in floats and i.id in after:
            rank[i.id] = min(rank[s] for s in after[i.id]) - 1
    return rank


def _spots(a: Arranged, edges: Sequence[_Edge], rank: Mapping[str, int], fixed: set[str]) -> None:
    """Places for the items, for the arrows' bends, and for the names that stand for a tail that is far away."""
    items = {id: Spot("item", id, r + 1) for id, r in rank.items()}
    spots = list(items.values())
    last = max((s.rank for s in spots), default=0) + 1
    bends: dict[tuple[Spot, int], Spot] = {}
    again: dict[tuple[str, int], Spot] = {}
    borders: dict[str, Spot] = {}

    def new(kind: str, key: str, r: int) -> Spot:
        spot = Spot(kind, key, r)
        spots.append(spot)
        return spot

    def draw(first: Spot, end: Spot, tail: str, port: int, links: list[Link]) -> None:
        way = [first]
        for r in range(first.rank + 1, end.rank):
            if (first, r) not in bends:
                bends[first, r] = new("bend", tail, r)
            way.append(bends[first, r])
        a.paths.append(Path([*way, end], tail, port, links))

    for e in edges:
        end = items[e.head]
        begin = items[e.source].rank if e.source else 0
        near = _NEAR_STEP if e.tail in fixed else _NEAR_LEAF
        if end.rank - begin > near and e.links:
            name = (e.tail, end.rank - 1)
            if name not in again:
                again[name] = new("again", *name)
            draw(again[name], end, e.tail, e.port, e.links)
        elif e.source:
            draw(items[e.source], end, e.tail, e.port, e.links)
        else:
            if e.tail not in borders:
                borders[e.tail] = new("in", e.tail, 0)
                a.enters.append(e.tail)
            draw(borders[e.tail], end, e.tail, e.port, e.links)
    inner = {t.id: i.id for i in a.frame.items if isinstance(i, Frame) and i.open for t in i.walk()}
    for tail in a.leaves:
        draw(items[inner.get(tail, tail)], new("out", tail, last), tail, 0, [])
    a.ranks = [[] for _ in range(last + 1)]
    for s in spots:
        a.ranks[s.rank].append(s)


def neighbours(a: Arranged) -> dict[tuple[Spot, Spot, str, int], int]:
    """The pieces of arrows between spots of one rank and the next: from, to, tail and port; and how many share it."""
    pieces: dict[tuple[Spot, Spot, str, int], int] = {}
    for p in a.paths:
        for n, (s, t) in enumerate(zip(p.spots, p.spots[1:], strict=False)):
            key = s, t, p.tail, p.port if n == len(p.spots) - 2 else 0
            pieces[key] = pieces.get(key, 0) + 1
    return pieces


def _order(a: Arranged) -> None:
    """An order in each rank: operands as they are written, and then as few crossings as sweeps by barycentres find."""
    up: dict[Spot, list[tuple[Spot, float]]] = {}
    down: dict[Spot, list[tuple[Spot, float]]] = {}
    for s, t, _, port in neighbours(a):
        at = (port + 1) / (a.ports.get(t.key, 0) + 1) - 0.5 if t.kind == "item" and t.key in a.ports else 0.0
        up.setdefault(t, []).append((s, at))
        down.setdefault(s, []).append((t, at))
    for ends in up.values():
        ends.sort(key=lambda end: end[1])
    ranks = _first_order(a, up)
    best, least = ranks, _crossings(ranks, down)
    count = sum(map(len, ranks))
    for sweep in range(_SWEEPS if count < _LARGE else 2):
        if least == 0:
            break
        ranks = [list(r) for r in ranks]
        place = {s: float(n) for r in ranks for n, s in enumerate(r)}
        towards = down if sweep % 2 == 0 else up
        for r in reversed(ranks) if sweep % 2 == 0 else ranks:
            wish = {
                s: sum(place[t] + (at if towards is down else 0) for t, at in towards[s]) / len(towards[s])
                if s in towards
                else place[s]
                for s in r
            }
            r.sort(key=wish.__getitem__)
            for n, s in enumerate(r):
                place[s] = float(n)
        crossings = _crossings(ranks, down)
        if crossings < least:
            best, least = ranks, crossings
    a.ranks = best


def _first_order(a: Arranged, up: Mapping[Spot, Sequence[tuple[Spot, float]]]) -> list[list[Spot]]:
    """The order in which a walk from the results meets the operands."""
    ranks: list[list[Spot]] = [[] for _ in a.ranks]
    seen: set[Spot] = set()
    for start in [s for r in reversed(a.ranks) for s in r]:
        stack = [start]
        while stack:
            s = stack.pop()
            if s in seen:
                continue
            seen.add(s)
            ranks[s.rank].append(s)
            stack.extend(t for t, _ in reversed(up.get(s, ())))
    return ranks


def _crossings(ranks: Sequence[Sequence[Spot]], down: Mapping[Spot, Sequence[tuple[Spot, float]]]) -> int:
    """How many pairs of arrows cross."""
    place = {s: n for r in ranks for n, s in enumerate(r)}
    count = 0
    for r in ranks[:-1]:
        met: list[float] = []
        for s in r:
            ends = sorted(place[t] + at for t, at in down.get(s, ()))
            for end in ends:
                count += len(met) - bisect_right(met, end)
            for end in ends:
                insort(met, end)
    return count
