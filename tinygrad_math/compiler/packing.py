"""Where buffers lie in the workspace: intervals that may overlap in memory where their lives do not."""

from __future__ import annotations

from bisect import bisect, insort
from collections.abc import Callable
from heapq import heappop, heappush
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from .program import Program, Value

if TYPE_CHECKING:
    from .memory import Plan

ALIGNMENT = 64  # a cache line, and the widest vector
ENOUGH = 1.01  # of the live minimum: no further order is tried
MANY = 1000  # intervals: of more, not each is compared with all others


def place(program: Program, p: Plan) -> None:
    """Give each buffer its interval of the workspace."""
    first: dict[Value, int] = {}
    last: dict[Value, int] = {}
    together = [range(k, k + 1) for k in range(len(program.body) + 1)]
    for chain in p.chains:  # a chain is one instruction: its arguments and its results live through all of it
        together[chain.start : chain.stop] = [range(chain.start, chain.stop)] * len(chain.members)
    for k, v in enumerate(program.body):
        if p.root[v] is v and p.kind[v] == "buffer":
            owner = p.home(v)[0]
            first.setdefault(owner, together[k][0])
            last[owner] = max(last.get(owner, k), together[p.last[v]][-1])
    p.live_minimum = _live_minimum(first, last)
    p.size, p.offset = _in_turn(first, last) if len(first) > MANY else _packed_well(first, last, p.live_minimum)
    for v in (*p.shared, *p.inside):
        if p.kind[v] == "buffer":
            owner, start = p.home(v)
            p.offset[v] = p.offset[owner] + start


def _packed_well(first: dict[Value, int], last: dict[Value, int], least: int) -> tuple[int, dict[Value, int]]:
    """Of several orders in which they can be placed, the one that needs the least."""
    orders: list[Callable[[Value], Any]] = [
        lambda v: (-v.nbytes, first[v]),
        lambda v: (first[v] - last[v], -v.nbytes),
        lambda v: (-v.nbytes * (last[v] - first[v] + 1), first[v]),
        lambda v: (first[v], -v.nbytes),
    ]
    found = []
    for order in orders:
        found.append(_packed(sorted(first, key=order), first, last))
        if found[-1][0] <= ENOUGH * least:
            break
    return min(found, key=itemgetter(0))


def _in_turn(first: dict[Value, int], last: dict[Value, int]) -> tuple[int, dict[Value, int]]:
    """Each interval, in the order in which they are needed, in the smallest gap that is free by then."""
    size, offset = 0, {}
    gaps: list[tuple[int, int]] = []  # start, stop; in order, none next to another
    alive: list[tuple[int, int, int]] = []  # last, start, stop
    for v in sorted(first, key=lambda v: (first[v], -v.nbytes)):
        while alive and alive[0][0] < first[v]:
            _free(gaps, *heappop(alive)[1:])
        length = -(-max(v.nbytes, 1) // ALIGNMENT) * ALIGNMENT
        fitting = min(
            ((stop - start, k) for k, (start, stop) in enumerate(gaps) if stop - start >= length), default=None
        )
        if fitting is not None:
            start, stop = gaps.pop(fitting[1])
            if start + length < stop:
                gaps.insert(fitting[1], (start + length, stop))
        else:  # at the end, from where it is free
            start = gaps.pop()[0] if gaps and gaps[-1][1] == size else size
            size = start + length
        offset[v] = start
        heappush(alive, (last[v], start, start + length))
    return size, offset


def _free(gaps: list[tuple[int, int]], start: int, stop: int) -> None:
    k = bisect(gaps, (start, stop))
    if k < len(gaps) and gaps[k][0] == stop:
        stop = gaps.pop(k)[1]
    if k and gaps[k - 1][1] == start:
        k -= 1
        start = gaps.pop(k)[0]
    gaps.insert(k, (start, stop))


def _packed(values: list[Value], first: dict[Value, int], last: dict[Value, int]) -> tuple[int, dict[Value, int]]:
    """Each interval, in this order, at the lowest offset that is free during its whole life."""
    size, offset = 0, {}
    placed: list[tuple[int, int, int, int]] = []  # start, stop, first, last; in order
    for v in values:
        start, length, begins, ends = 0, max(v.nbytes, 1), first[v], last[v]
        step = ALIGNMENT if v.nbytes >= 16 * ALIGNMENT else 16
        for s, e, f, l in placed:
            if f <= ends and begins <= l:
                if start + length <= s:
                    break
                if e > start:
                    start = -(-e // step) * step
        offset[v] = start
        insort(placed, (start, start + length, begins, ends))
        size = max(size, start + length)
    return size, offset


def _live_minimum(first: dict[Value, int], last: dict[Value, int]) -> int:
    """The bytes of the buffers that are alive together at the worst instruction."""
    events: list[tuple[int, int]] = []
    for v, k in first.items():
        events += [(k, v.nbytes), (last[v] + 1, -v.nbytes)]
    total = worst = 0
    for _, change in sorted(events):
        total += change
        worst = max(worst, total)
    return worst
