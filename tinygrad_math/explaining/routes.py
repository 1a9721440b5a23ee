"""The ways from one node to another, and what flows along each of them.

Where they are few, each is told by itself. Where they explode they merge: at the nodes that all of them pass through
(the bottlenecks), and where there is none, by the last step, as in a total derivative.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from ..core.errors import MathError, NoDerivative, Undecided
from ..core.node import Node, check_fresh
from ..core.op import raw
from ..core.quiet import quietly
from ..core.tensor import select
from ..core.walk import Trail, fit, pullback
from ..formulas.terms import words
from .rules import is_choice

_MOVES = words("""
    getitem gather stack concat reshape transpose matrix_transpose squeeze expand_dims flip roll diagonal
    take_along_axis copy alias broadcast_to unstack split select where
""")  # what only moves numbers about: through these a path can lead nowhere
_TRIES = 4000  # steps that are followed while looking for few paths


def operands(n: Node) -> tuple[Node, ...]:
    """What a node was made of; of one part of a many-valued result, what the whole was made of."""
    return n.inputs[0].inputs if n.op is select else n.inputs


def shares(n: Node, positions: Sequence[int], g: Any) -> list[Any]:
    """What a cotangent of a node gives its operands, those at these positions."""
    whole = n.inputs[0] if n.op is select else n
    op = whole.op
    assert op is not None
    if op.vjp is None:
        raise NoDerivative(f"{op.name} has no derivative rule; stop_gradient() its result if that is meant")
    need, values = tuple(k in positions for k in range(len(whole.inputs))), [i.data for i in whole.inputs]
    if n.op is not select:
        return list(op.vjp(raw, need, g, whole.data, *values, **whole.params))
    index = n.params["index"]
    parts = [g if k == index else None for k in range(len(whole.data))]
    try:
        return list(op.vjp(raw, need, parts, whole.data, *values, **whole.params))
    except MathError:
        raise
    except Exception:  # a rule that counts on a cotangent of each part
        parts = [g if k == index else np.zeros_like(d)[()] for k, d in enumerate(whole.data)]
        return list(op.vjp(raw, need, parts, whole.data, *values, **whole.params))


def local(n: Node, positions: Sequence[int], g: Any) -> Any:
    """The cotangent that a cotangent of a node gives its one operand, which stands at these positions."""
    check_fresh(n.inputs[0] if n.op is select else n)
    return _gathered(n, positions, shares(n, positions, g))


def _gathered(n: Node, positions: Sequence[int], found: list[Any]) -> Any:
    """The share of one operand, in its shape and dtype."""
    like = operands(n)[positions[0]].data
    total: Any = None
    for k in positions:
        if found[k] is not None:
            share = fit(raw, np.asarray(found[k])[()], like)
            total = share if total is None else total + share
    return np.zeros_like(like)[()] if total is None else total


class Hop(NamedTuple):
    """From one node to a later one: by one op (`positions` of the operand), or by many ways that merge (none)."""

    start: Node
    end: Node
    positions: tuple[int, ...]
    ways: int = 1


class Route(NamedTuple):
    """A path, or several that merge, from the target to the root."""

    hops: tuple[Hop, ...]

    @property
    def ways(self) -> int:
        total = 1
        for hop in self.hops:
            total *= hop.ways
        return total


class Region:
    """What lies between a node and a later one."""

    def __init__(self, start: Node, end: Node, trail: Trail | None = None) -> None:
        self.start, self.end = start, end
        trail = trail or Trail([end], [start])
        self.nodes = [n for n in trail.nodes if not (n.op is not None and n.op.many)]  # the parts stand for the whole
        self.reached = set(self.nodes)

    def edges(self, n: Node) -> dict[Node, tuple[int, ...]]:
        """The operands of a node that lead to the start, and where they stand."""
        found: dict[Node, tuple[int, ...]] = {}
        if n is not self.start:
            for k, i in enumerate(operands(n)):
                if i in self.reached:
                    found[i] = (*found.get(i, ()), k)
        return found

    @cached_property
    def ways(self) -> dict[Node, int]:
        """From how many ways each node is reached."""
        count = {self.start: 1}
        for n in self.nodes:
            if n is not self.start:
                count[n] = sum(count.get(i, 0) * len(at) for i, at in self.edges(n).items())
        return count

    def bottlenecks(self) -> list[Node]:
        """The nodes that every way passes through, the start and the end among them, oldest first."""
        count = self.ways
        onward = {self.end: 1}
        for n in reversed(self.nodes):
            if n in onward:
                for i, at in self.edges(n).items():
                    onward[i] = onward.get(i, 0) + onward[n] * len(at)
        total = count.get(self.end, 0)
        return [n for n in self.nodes if count.get(n, 0) * onward.get(n, 0) == total]

    def few(self, limit: int, pick: tuple[int, ...] | None = None, untaken: bool = False) -> list[Route] | None:
        """Every way by itself, the first operand's first; None if there are more than `limit`.

        Ways that lead nowhere, as that of x[0] through stack([x, y])[1], are left out, but with `untaken` not those
        through a branch that was not taken; with `pick`, the index of one element of the start, those are left out
        that do not come from it.
        """
        if not self.nodes or self.start not in self.reached or self.end not in self.reached:
            return []
        if len(self.nodes) > _TRIES and self.ways[self.end] > limit:
            return None
        routes: list[Route] = []
        tries = 0
        stack: list[tuple[tuple[Hop, ...] | Any, Node, Any]] = [(None, self.end, None)]
        while stack:
            rest, n, mask = stack.pop()
            if n is self.start:
                if pick is not None and mask is not None and not mask[pick]:
                    continue
                hops = []
                while rest is not None:
                    hop, rest = rest
                    hops.append(hop)
                routes.append(Route(tuple(hops)))
                if len(routes) > limit:
                    return None
                continue
            tries += 1
            if tries > _TRIES and self.ways[self.end] > limit:
                return None
            onward = []
            edges = self.edges(n)
            below = None if untaken and is_choice(n) else _through(n, [k for at in edges.values() for k in at], mask)
            for i, at in edges.items():
                for positions in (
                    [at] if n.op is not None and n.op.name == "add" else [(k,) for k in at]
                ):  # x + x is 2 x
                    if below is None or below[positions[0]] is not None:
                        reaching = None if below is None else below[positions[0]]
                        onward.append(((Hop(i, n, positions), rest), i, reaching))
            stack += sorted(onward, key=lambda entry: -entry[0][0].positions[0])
        return routes

    def routes(self, limit: int, pick: tuple[int, ...] | None = None, untaken: bool = False) -> list[Route]:
        """The ways, merged where there are more than `limit`; those through branches that were not taken if asked for,
        or if there are no others."""
        found = self.few(limit, pick, untaken)
        if not found and not untaken and self.start in self.reached:
            found = self.few(limit, pick, untaken=True)
        if found is not None:
            return found
        passed = self.bottlenecks()
        if len(passed) > 2:
            return [Route(tuple(self._merged(a, b) for a, b in pairwise(passed)))]
        out = []
        for i, at in self.edges(self.end).items():
            last = Hop(i, self.end, at, len(at))
            out.append(Route((last,) if i is self.start else (Hop(self.start, i, (), self.ways[i]), last)))
        return out

    def _merged(self, a: Node, b: Node) -> Hop:
        direct = self.edges(b)
        if set(direct) == {a}:
            return Hop(a, b, direct[a], len(direct[a]))
        return Hop(a, b, (), self.ways[b] // self.ways[a])

    def flow(self, g: Any) -> Any:
        """The cotangent of the start for one of the end."""
        cotangents = {self.end: g}
        for n in reversed(self.nodes):
            if n is self.start:
                break
            own, edges = cotangents.pop(n, None), self.edges(n)
            if own is None or not edges:
                continue
            check_fresh(n.inputs[0] if n.op is select else n)
            parts = shares(n, [k for at in edges.values() for k in at], own)
            for i, at in edges.items():
                share = _gathered(n, at, parts)
                cotangents[i] = cotangents[i] + share if i in cotangents else share
        found = cotangents.get(self.start)
        return np.zeros_like(self.start.data)[()] if found is None else found


def _through(n: Node, positions: Sequence[int], mask: Any) -> dict[int, Any] | None:
    """For each operand of what only moves numbers about: which of its elements reach the root, if these of n do.

    A mask of None stands for all elements. An operand of which none does has the value None; the whole answer is None
    where everything reaches on.
    """
    whole = n.inputs[0] if n.op is select else n
    if whole.op is None or any(isinstance(i.data, tuple) for i in whole.inputs):
        return None
    if whole.op.name not in _MOVES and not whole.op.hides:
        return None
    ones = np.ones(np.shape(n.data)) if mask is None else mask
    try:
        found = quietly(shares, n, positions, ones)
    except Exception:  # the numbers themselves will say what is wrong
        return None
    out: dict[int, Any] = {}
    for k in positions:
        reaching = (
            np.zeros(np.shape(whole.inputs[k].data)) if found[k] is None else np.not_equal(found[k], 0).astype(float)
        )
        out[k] = reaching if reaching.any() or not reaching.size else None
    return out


def arrived(hops: Iterable[Hop], g: Any, regions: dict[tuple[Node, Node], Region]) -> Any:
    """The cotangent at the start of a path for one at its end."""
    *_, last = pull(hops, g, regions)
    return last


def pull(hops: Iterable[Hop], g: Any, regions: dict[tuple[Node, Node], Region]) -> Iterator[Any]:
    """The cotangents along a path, from the root's on: one more than it has hops."""
    yield g
    for hop in reversed(tuple(hops)):
        if hop.positions:
            g = local(hop.end, hop.positions, g)
        else:
            key = hop.start, hop.end
            region = regions.get(key)
            if region is None:
                region = regions[key] = Region(hop.start, hop.end)
            try:
                g = region.flow(g)
            except Undecided:
                trail = Trail([hop.end], [hop.start])
                g = pullback(trail, [(hop.end, g)]).get(hop.start, np.zeros_like(hop.start.data)[()])
        yield g
