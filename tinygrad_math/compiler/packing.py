"""Where buffers lie in the workspace: intervals that may overlap in memory where their lives do not."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from .program import Program, Value

if TYPE_CHECKING:
    from .memory import Plan

ALIGNMENT = 64  # a cache line, and the widest vector
ENOUGH = 1.01  # of the live minimum: no further order is tried


def place(program: Program, p: Plan) -> None:
    """Intervals of the workspace: of several orders in which they can be placed, the one that needs the least."""
    first: dict[Value, int] = {}
    last: dict[Value, int] = {}
    together = [range(k, k + 1) for k in range(len(program.body) + 1)]
    for chain in p.chains:  # a chain is one instruction: its arguments and its results live through all of it
        together[chain.start : chain.stop] = [range(chain.start, chain.stop)] * len(chain.members)
    for k, v in enumerate(program.body):
        if p.root[v] is v and p.kind[v] == "buffer":
            owner = p.owner(v)
            first.setdefault(owner, together[k][0])
            last[owner] = max(last.get(owner, k), together[p.last[v]][-1])
    p.live_minimum = _live_minimum(first, last)
    orders: list[Callable[[Value], Any]] = [
        lambda v: (-v.nbytes, first[v]),
        lambda v: (first[v] - last[v], -v.nbytes),
        lambda v: (-v.nbytes * (last[v] - first[v] + 1), first[v]),
        lambda v: (first[v], -v.nbytes),
    ]
    found = []
    for order in orders:
        found.append(_packed(sorted(first, key=order), first, last))
        if found[-1][0] <= ENOUGH * p.live_minimum:
            break
    p.size, p.offset = min(found, key=itemgetter(0))
    for v in (*p.shared, *p.inside):
        if p.kind[v] == "buffer":
            p.offset[v] = p.start(v)


def _packed(values: list[Value], first: dict[Value, int], last: dict[Value, int]) -> tuple[int, dict[Value, int]]:
    """Each interval, in this order, at the lowest offset that is free during its whole life."""
    size, offset = 0, {}
    placed: list[tuple[int, int, int, int]] = []  # start, stop, first, last
    for v in values:
        start, length = 0, max(v.nbytes, 1)
        step = ALIGNMENT if v.nbytes >= 16 * ALIGNMENT else 16
        for s, e, _, _ in sorted(x for x in placed if x[2] <= last[v] and first[v] <= x[3]):
            if start + length <= s:
                break
            start = max(start, -(-e // step) * step)
        offset[v] = start
        placed.append((start, start + length, first[v], last[v]))
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
