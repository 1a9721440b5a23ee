"""Blocks that repeat, one after the other: the layers of a network, the steps of a recurrent one; one is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from .outline import Frame, Link, Tile

_LONGEST = 256  # items of a block
_ANY_INDEX = frozenset(("getitem", "gather", "select", "assign", "add_at", "embed", "scatter"))
Item = Tile | Frame


class Repeat(NamedTuple):
    """From unit `start` on, `times` blocks of `period` units."""

    start: int
    period: int
    times: int


class Unit(NamedTuple):
    """A step or a frame, and the constants before it that it alone uses: those of equal units may differ."""

    constants: list[Tile]
    rest: list[Item]


class Entry(NamedTuple):
    """That a tile stood in block `block` of a row that is drawn as `one`, where `drawn` is shown in its place."""

    one: Item
    block: int
    drawn: str


def rolled_up(root: Frame, links: Sequence[Link]) -> tuple[list[Link], dict[str, str]]:
    """Leave one of each row of equal blocks. Returns the arrows that are left, and what stands for what is not."""
    entries: dict[str, list[Entry]] = {}  # of each tile, outer rows first
    numbers: dict[Any, int] = {}
    incoming: dict[str, list[Link]] = {}
    for k in links:
        incoming.setdefault(k.head, []).append(k)
    stack = [root]
    while stack:
        frame = stack.pop()
        units = _units(frame.items)
        for r in reversed(_repeats(units, incoming, numbers)):
            blocks = [units[r.start + k * r.period : r.start + (k + 1) * r.period] for k in range(r.times)]
            units[r.start : r.start + r.times * r.period] = _one(blocks, entries, numbers)
        frame.items = [i for u in units for i in (*u.constants, *u.rest)]
        stack += [i for i in frame.items if isinstance(i, Frame)]
    return _mapped(links, entries), {id: _spot(id, entries)[0] for id in entries}


def _units(items: Sequence[Item]) -> list[Unit]:
    units, constants, rest = [], [], []
    for i in items:
        if isinstance(i, Tile) and i.box.kind == "data" and i.box.name is None:
            constants.append(i)
            continue
        rest.append(i)
        if isinstance(i, Frame) or i.box.is_step:
            units.append(Unit(constants, rest))
            constants, rest = [], []
    return [*units, Unit(constants, rest)] if constants or rest else units


def _one(blocks: Sequence[Sequence[Unit]], entries: dict[str, list[Entry]], numbers: dict[Any, int]) -> list[Unit]:
    """What is drawn for equal blocks: a step with its number, a module with the names of all, else a frame.

    The constants of the first that the others have not, with which a recurrent one begins, are among it.
    """
    alike = [[[_kind(c, numbers) for c in u.constants] for u in block] for block in blocks[:2]]
    chosen = blocks[0] if alike[0] == alike[1] else blocks[1]
    first: list[Item] = []
    begin: set[str] = set()
    for unit, other in zip(blocks[0], chosen, strict=True):
        if len(unit.constants) != len(other.constants):
            begin |= {c.id for c in unit.constants}
            first += [replace(c, title="at first") for c in unit.constants]
        first += [*other.constants, *other.rest]
    single = first[0] if len(first) == 1 else None
    if single is None:
        one: Item = Frame("repeat", "", first, count=len(blocks))
    else:
        one = single
        if isinstance(one, Frame):
            ends = [
                f.title.partition(":") for f in (blocks[0][0].rest[0], blocks[-1][0].rest[0]) if isinstance(f, Frame)
            ]
            if ends[0][0] != ends[1][0]:
                one.title = f"{ends[0][0]} … {ends[1][0]}{''.join(ends[0][1:])}"
        one.count *= len(blocks)
    for k, block in enumerate(blocks):
        for unit, other in zip(block, chosen, strict=True):
            mine, theirs = Frame("", "", list(unit.rest)).tiles(), Frame("", "", list(other.rest)).tiles()
            if len(unit.constants) == len(other.constants):
                mine, theirs = unit.constants + mine, other.constants + theirs
            for tile, drawn in zip(mine, theirs, strict=True):
                entries.setdefault(tile.id, []).append(Entry(one, k, drawn.id))
    for id in begin:
        entries.setdefault(id, []).append(Entry(one, 0, id))
    return [Unit([], [one])]


def _spot(id: str, entries: Mapping[str, list[Entry]]) -> tuple[str, list[Entry]]:
    """What is drawn for a tile, and the block of each row that it was in."""
    path: list[Entry] = []
    while len(path) < len(entries.get(id, ())):
        path.append(entries[id][len(path)])
        id = path[-1].drawn
    return id, path


def _mapped(links: Sequence[Link], entries: Mapping[str, list[Entry]]) -> list[Link]:
    """The arrows between what is drawn. What goes from a block to a later one of the same row is said by the frame."""
    found: dict[tuple[str, str, int], Link] = {}
    spots: dict[str, tuple[str, list[Entry]]] = {}
    for k in links:
        for end in (k.tail, k.head):
            if end not in spots:
                spots[end] = _spot(end, entries)
        (tail, before), (head, after) = spots[k.tail], spots[k.head]
        parted = next(
            (b for b, c in zip(before, after, strict=False) if b.one is not c.one or b.block != c.block), None
        )
        if parted is not None and any(parted.one is c.one for c in after):
            if isinstance(parted.one, Frame):
                parted.one.loops = True
            continue
        gathers = bool(before) and not after  # what many blocks give to one step comes from the one that is drawn
        key = (tail, head, -1 if gathers else k.position)
        old = found.get(key)
        if old is None:
            found[key] = k._replace(tail=tail, head=head)
        elif k.tail != old.tail or k.head != old.head:
            found[key] = old._replace(through=_both(old.through, k.through), many=old.many + 1)
    return list(found.values())


def _both(first: str, last: str) -> str:
    """What is folded into the first arrow of a row and into the last: `[0] … [9]` where they differ."""
    before, after = first.split(" "), last.split(" ")
    if first == last or len(before) != len(after):
        return first
    return " ".join(a if a == b else f"{a.partition('…')[0]}…{b}" for a, b in zip(before, after, strict=True))


def _repeats(units: Sequence[Unit], incoming: Mapping[str, list[Link]], numbers: dict[Any, int]) -> list[Repeat]:
    """Rows of equal blocks among these units, the first ones first."""
    if len(units) < 2:
        return []
    kinds = np.array([numbers.setdefault(tuple(_kind(i, numbers) for i in u.rest), len(numbers)) for u in units])
    sizes = [sum(1 if isinstance(i, Tile) else len(i.tiles()) for i in u.rest) for u in units]
    weights = np.concatenate([[0], np.cumsum(sizes)])  # of all units before each
    found = []
    stack = [(0, len(units))]
    while stack:
        low, high = stack.pop()
        best = _best(kinds, weights, low, high, units, incoming)
        if best is not None:
            found.append(best)
            stack += [(low, best.start), (best.start + best.period * best.times, high)]
    return sorted(found)


def _best(
    kinds: Any, weights: Any, low: int, high: int, units: Sequence[Unit], incoming: Mapping[str, list[Link]]
) -> Repeat | None:
    """The row that saves most; of those that begin elsewhere in it, the one whose blocks hand on least.

    `weights` are how much all units before each weigh.
    """
    rows: list[tuple[int, Repeat]] = []
    whole = int(weights[high] - weights[low])
    for period in range(1, min((high - low) // 2, _LONGEST) + 1):
        equal = np.concatenate([[False], kinds[low : high - period] == kinds[low + period : high], [False]])
        turns = np.flatnonzero(equal[1:] != equal[:-1])
        begins = turns[::2] + low
        counts = (turns[1::2] - turns[::2]) // period + 1
        weighs = weights[begins + period] - weights[begins]
        for n in np.flatnonzero(_pays(counts, weighs)).tolist():
            row = Repeat(int(begins[n]), period, int(counts[n]))
            rows.append((int(weighs[n]) * (row.times - 1), row))
        if rows and max(rows)[0] >= 0.8 * whole:
            break
    rows.sort(key=lambda row: (-row[0], row[1].period, row[1].start))
    for _, row in rows[:8]:
        last = row.start + row.period * row.times  # a few units more may be equal
        while last < high and kinds[last] == kinds[last - row.period]:
            last += 1
        turned = []
        for start in range(row.start, min(row.start + row.period, row.start + 64)):
            moved = Repeat(start, row.period, (last - start) // row.period)
            if _pays(moved.times, weights[start + row.period] - weights[start]):
                hands = _hands_on(moved, units, incoming)
                lone = row.period == 1 and isinstance(units[start].rest[-1], Tile)
                if hands is not None and (hands or not lone):  # steps that only stand beside each other are no row
                    turned.append((hands + 2 * (row.times - moved.times), start, moved))
        if turned:
            return min(turned)[2]
    return None


def _pays(count: Any, weight: Any) -> Any:
    return ((count >= 3) & (weight * count >= 4)) | ((count == 2) & (weight >= 6))


def _hands_on(r: Repeat, units: Sequence[Unit], incoming: Mapping[str, list[Link]]) -> int | None:
    """How many values a block gives to the next one; None where the arrows within the blocks are not the same."""
    first: list[Any] = []
    given: set[str] = set()
    before: set[str] = set()
    for k in range(min(r.times, 64)):
        block = units[r.start + k * r.period : r.start + (k + 1) * r.period]
        tiles = Frame("", "", [i for u in block for i in u.rest]).tiles()
        places = {t.id: n for n, t in enumerate(tiles)}
        arrows = [(a, n) for n, t in enumerate(tiles) for a in incoming.get(t.id, ())]
        within = [(places[a.tail], n, a.position) for a, n in arrows if a.tail in places]
        if k == 0:
            first = within
        elif within != first:
            return None
        if k == 1:
            given = {a.tail for a, _ in arrows if a.tail in before}
        before = set(places)
    return len(given)


def _kind(item: Item, numbers: dict[Any, int]) -> int:
    """A number that is the same for items that are drawn alike."""
    if isinstance(item, Tile):
        b = item.box
        params = () if b.title in _ANY_INDEX else tuple((k, repr(v)) for k, v in b.params.items())
        key: Any = (b.title, b.kind == "result", b.part, b.extent, b.dtype, params)
    else:
        kind = item.title.partition(": ")[2]
        key = (item.kind, kind, tuple(_kind(i, numbers) for i in item.items))
    return numbers.setdefault(key, len(numbers))
