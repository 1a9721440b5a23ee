"""A path from a value to a result, its steps, and what each of them does to a derivative."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from ..core.node import Node
from ..core.quiet import quietly
from ..core.tensor import Tensor, handle
from ..formulas.notation import ATOM, brackets, fenced, latex
from ..formulas.terms import ONE, Formula, add, symbol, words
from ..formulas.tracing import of_rule, opened, shape_of
from .naming import Names, passed_on, width
from .plain import text_of
from .routes import Hop, Region, Route, arrived, local, operands, pull
from .rules import MERGED, Rule, is_choice, rule_of
from .values import short

_ADDITIVE = words("""
    add subtract negative positive alias copy astype reshape squeeze expand_dims
""")
STEPS = 10  # of a path, that are told
_ENTRIES = 10_000  # elements of a local Jacobian that is computed for its norm


class Situation:
    """A result, a target, what lies between them, and what all that is called."""

    def __init__(
        self,
        root: Node,
        target: Node,
        names: Names,
        d: str = r"\partial",
        pick: tuple[int, ...] | None = None,
        whole: str | None = None,
    ) -> None:
        self.root, self.target, self.names = root, target, names
        self.pick = pick  # the one element of the target that is asked for
        self.variable = latex(names.formula(target))
        if pick:
            self.variable += f"[{', '.join(map(str, pick))}]"
        self.whole = quotient(names.formula(root), self.variable, d) if whole is None else whole
        self.region = Region(target, root)
        self.regions: dict[tuple[Node, Node], Region] = {(target, root): self.region}
        self.scalar = np.size(root.data) == 1

    def between(self, start: Node, end: Node) -> Region:
        """What lies between two nodes, looked at once."""
        if (start, end) not in self.regions:
            self.regions[start, end] = Region(start, end)
        return self.regions[start, end]

    def seeds(self) -> list[Any]:
        """The cotangents to start from: 1, or for an array 1 at each element in turn."""
        shape, dtype = shape_of(self.root.data), self.root.data.dtype
        if self.scalar:
            return [np.ones(shape, dtype)[()]]
        basis = np.eye(int(np.prod(shape)), dtype=dtype)
        return [row.reshape(shape) for row in basis]

    def joined(self, rows: list[Any]) -> Any:
        """A derivative out of the rows for each seed."""
        if self.scalar:
            found = rows[0]
        else:
            shape = shape_of(self.root.data) + shape_of(self.target.data)
            found = np.stack(rows).reshape(shape) if rows else np.zeros(shape, self.target.data.dtype)
        return found if self.pick is None else found[(..., *self.pick)]

    def derivative(self, end: Node, start: Node) -> str:
        if start is self.target and self.pick:
            return quotient(self.names.formula(end), self.variable)
        return quotient(self.names.formula(end), self.names.formula(start))


def quotient(above: Formula | str, below: Formula | str, d: str = r"\partial") -> str:
    def part(f: Formula | str) -> str:
        return f if isinstance(f, str) else fenced(f, ATOM) if f.head != "quotient" else brackets(latex(f))

    gap = " " if d.startswith("\\") else ""
    return rf"\frac{{{d}{gap}{part(above)}}}{{{d}{gap}{part(below)}}}"


class Step:
    """One step of a path: from a value to one that was made of it.

    `.rule` names the rule, or several where a sum was passed on the way; `.latex` is the local derivative in symbols,
    or the cotangent that arrives, for arrays; `.value` the local derivative where it is one number, else None;
    `.shape` that of the local Jacobian, `.norm` its Frobenius norm where it is small enough to be computed, and
    `.jacobian()` its entries.
    """

    def __init__(self, situation: Situation, hops: tuple[Hop, ...]) -> None:
        self._situation, self.hops = situation, hops
        self.start, self.end = hops[0].start, hops[-1].end

    @property
    def ways(self) -> int:
        """How many paths this step stands for."""
        return Route(self.hops).ways

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        found: list[Rule] = []
        for hop in reversed(self.hops):
            reached = tuple(i in self._situation.region.reached for i in operands(hop.end))
            if not hop.positions:
                found.append(MERGED._replace(name=f"sum over {hop.ways:,} ways" if hop.ways > 1 else "the one way"))
            elif (
                len(self.hops) == 1
                or is_choice(hop.end)
                or not (passed_on(hop.end) is hop.start or _stacks(hop) or _picks(hop))
            ):
                found.append(rule_of(hop.end, hop.positions, reached))
        return tuple(dict.fromkeys(found))

    @property
    def rule(self) -> str:
        return ", ".join(r.name for r in self.rules)

    @property
    def symbol(self) -> str:
        """The local derivative as a fraction of differentials, in LaTeX."""
        return self._situation.derivative(self.end, self.start)

    @property
    def shape(self) -> tuple[int, ...]:
        return shape_of(self.end.data) + shape_of(self.start.data)

    @property
    def single(self) -> bool:
        """Whether the local derivative is one real number."""
        ends = (self.start.data, self.end.data)
        return all(np.size(d) == 1 and np.asarray(d).dtype.kind != "c" for d in ends)

    @cached_property
    def value(self) -> float | None:
        if not self.single:
            return None
        return float(np.reshape(quietly(self._pulled, np.ones_like(self.end.data)[()]), ()))

    def _pulled(self, g: Any) -> Any:
        return arrived(self.hops, g, self._situation.regions)

    def jacobian(self) -> np.ndarray[Any, Any]:
        """The entries of the local Jacobian: of shape end + start."""
        shape = shape_of(self.end.data)
        basis = np.eye(int(np.prod(shape)), dtype=np.asarray(self.end.data).dtype)
        rows = [quietly(self._pulled, row.reshape(shape)[()]) for row in basis]
        return np.array(rows).reshape(self.shape)

    @cached_property
    def norm(self) -> float | None:
        rows = np.size(self.end.data)
        steps = sum(1 if h.positions else len(self._situation.between(h.start, h.end).nodes) for h in self.hops)
        few = rows * np.size(self.start.data) <= _ENTRIES and rows * steps <= _ENTRIES
        return float(np.linalg.norm(self.jacobian().ravel())) if few else None

    def formula(self, g: Formula, cotangent: Any) -> Formula | None:
        """What becomes of a cotangent of this formula."""
        passed = None  # an element of a stack, which came from what was stacked
        for hop in reversed(self.hops):
            if passed is not None and hop.end is passed:
                passed, cotangent = None, np.ones_like(hop.start.data)[()]
                continue
            if _picks(hop) and any(_stacks(h) and h.end is hop.start for h in self.hops):
                passed = hop.start
                continue
            found = self._through(hop, g, cotangent) if hop.positions else self._merged(hop, g)
            if found is None:
                return None
            g, cotangent = found, np.ones_like(hop.start.data)[()]
        return g

    def _through(self, hop: Hop, g: Formula, cotangent: Any) -> Formula | None:
        names, n = self._situation.names, hop.end
        made = names.definition(n) if not np.ndim(n.data) or n not in names.named else None
        y = made if made is not None and width(latex(made)) <= 12 else names.formula(n)
        return of_rule(n, hop.positions, g, cotangent, y, names.arguments(n), names.constant, chosen=True)

    def _merged(self, hop: Hop, g: Formula) -> Formula | None:
        """Of a few ways that merge, the sum."""
        s = self._situation
        routes = s.between(hop.start, hop.end).few(4) if hop.ways <= 4 else None
        if routes is None:
            return None
        terms = []
        for route in routes:
            term = Step(s, route.hops).formula(g, np.ones_like(hop.end.data)[()])
            if term is None:
                return None
            terms.append(term)
        total = opened(add(terms, shape_of(hop.start.data)))
        return total if width(latex(total)) <= 40 else None

    @cached_property
    def latex(self) -> str | None:
        if not self.single:
            return self.carried
        found = self.formula(ONE, np.ones_like(self.end.data)[()])
        return None if found is None else latex(found)

    @cached_property
    def carried(self) -> str | None:
        """What the step makes of the derivative that arrives at its end, in LaTeX."""
        found = self.formula(self._arriving(), np.ones_like(self.end.data)[()])
        return None if found is None else latex(found)

    def _arriving(self) -> Formula:
        s = self._situation
        if self.end is s.root:
            return ONE if s.scalar else symbol("g", shape_of(self.end.data))
        return symbol(s.derivative(s.root, self.end), shape_of(self.end.data))

    def __repr__(self) -> str:
        value = f" = {self.value:.5g}" if self.value is not None else f", shape {self.shape}"
        return f"Step({text_of(self.symbol)}{value}; {self.rule})"


class Path:
    """One path from the target to the result, or several that merge; `.value` is what it adds to the gradient.

    `.steps` are its steps, from the target on; `.ways` how many paths it stands for; `.names` what it passes, as text.
    """

    def __init__(self, situation: Situation, route: Route) -> None:
        self._situation, self.hops, self.ways = situation, route.hops, route.ways

    @cached_property
    def flows(self) -> list[list[Any]]:
        """For each seed the cotangents along the path, from the root's on."""
        s = self._situation
        return [list(quietly(lambda: list(pull(self.hops, g, s.regions)))) for g in s.seeds()]

    @cached_property
    def value(self) -> Tensor:
        return handle(self._situation.joined([flow[-1] for flow in self.flows]))

    @property
    def scale(self) -> float:
        """The largest number that flows along it: what its rounding errors are measured by."""
        return max((float(np.max(np.abs(c), initial=0)) for flow in self.flows for c in flow), default=0.0)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        named = self._situation.names.named
        groups: list[list[Hop]] = []
        for k, hop in enumerate(self.hops):
            before = groups[-1][-1] if groups else None
            if (before is not None and _stacks(before) and _picks(hop)) or (
                before is not None
                and before.end not in named
                and before.positions
                and hop.positions
                and (_additive(before) or _additive(hop) or self._only_passes(k))
                and (k > 1 or self.picked is None)
            ):
                groups[-1].append(hop)
            else:
                groups.append([hop])
        return tuple(Step(self._situation, tuple(hops)) for hops in groups)

    def _only_passes(self, k: int) -> bool:
        """Whether the k-th hop puts a number into an array, out of which the next one takes it."""
        return _stacks(self.hops[k]) and k + 1 < len(self.hops) and _picks(self.hops[k + 1])

    @cached_property
    def picked(self) -> str | None:
        """The unit vector of the one element of an array that the path starts with, in LaTeX."""
        if not self.hops or np.size(self._situation.target.data) == 1:
            return None
        first = self.hops[0].end
        if first.op is None or first.op.name != "getitem" or np.size(first.data) != 1 or not self.hops[0].positions:
            return None
        index = np.argwhere(np.asarray(local(first, (0,), np.ones_like(first.data)[()])))
        return rf"e_{{{', '.join(map(str, index[0]))}}}" if len(index) == 1 else None

    @property
    def told(self) -> tuple[Step, ...]:
        """The steps that are spoken of: where one element is asked for, taking it is none."""
        return self.steps[1:] if self.picked and self._situation.pick is not None else self.steps

    @property
    def unit(self) -> str | None:
        return self.picked if self._situation.pick is None else None

    @property
    def factors(self) -> tuple[Step, ...]:
        """The steps that are numbers, if all are."""
        return self.steps[1:] if self.picked else self.steps

    @property
    def single(self) -> bool:
        """Whether it is a product of numbers: but for the target, of which one element may be taken."""
        return all(step.single for step in self.factors)

    @property
    def latex_names(self) -> list[str]:
        names = self._situation.names
        start = self.steps[0].end if len(self.told) < len(self.steps) else self._situation.target
        nodes = [start, *(step.end for step in self.told)]
        if len(nodes) <= STEPS + 2:
            return [latex(names.formula(n)) for n in nodes]
        ends = [*nodes[: STEPS // 2], *nodes[-STEPS // 2 :]]
        found = [latex(names.formula(n)) for n in ends]
        return [*found[: STEPS // 2], r"\dots", *found[STEPS // 2 :]]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(map(text_of, self.latex_names))

    def __repr__(self) -> str:
        ways = f" ({self.ways:,} ways)" if self.ways > 1 else ""
        return f"Path({' → '.join(self.names)}{ways}: {short(self.value.node.data)})"


def _additive(hop: Hop) -> bool:
    """Whether a step only adds, or changes nothing."""
    n = hop.end
    return n.op is not None and (n.op.name in _ADDITIVE or passed_on(n) is hop.start)


def _stacks(hop: Hop) -> bool:
    name = hop.end.op.name if hop.end.op is not None else ""
    return name in ("stack", "concat") and np.size(hop.start.data) == 1 and bool(hop.positions)


def _picks(hop: Hop) -> bool:
    return hop.end.op is not None and hop.end.op.name == "getitem" and np.size(hop.end.data) == 1
