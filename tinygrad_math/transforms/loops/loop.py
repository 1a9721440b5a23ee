"""The op that a loop is while a function is compiled or vectorised: a body, run again and again.

A `Loop` takes carries, rows (arrays of which step t takes row t) and what stays the same, and gives the last carries,
further rows, and of a loop with a condition the number of steps. Its derivatives are loops in their turn:

    forward:    what a step's derivative needs of its values is kept in further rows (`kept`)
    tangent:    t_{k+1} = J_k t_k + ..., in the order of the steps
    cotangent:  g_k = J_k' g_{k+1} + ..., from the last step to the first; what stays the same collects a sum

So every order is the same op again. A step's own rules are run once, on one step's shapes.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...core.conversion import node_of
from ...core.errors import NoConvergence, NoDerivative
from ...core.mode import MODE, tell
from ...core.node import DIFFERENTIABLE, TRACED, Node, held
from ...core.op import Op, raw
from ...core.tensor import Tensor, record, select, wrap
from ..batching.trace import Batching
from .batch import batched
from .body import Body
from .derive import Sides, kept_with, pulled, pushed
from .lazy import rows_of


class Kind(NamedTuple):
    """What a loop is beside its body."""

    title: str
    carries: int
    rows: int  # arrays of which each step takes its row
    fixed: int  # what stays the same
    length: int | None  # steps; at most so many where a condition or a count decides; None is without a bound
    backwards: bool = False  # whether the last row comes first
    numbered: bool = False  # whether the body's first input is the number of the step
    counted: bool = False  # whether the first argument says how many steps there are
    again: bool = False  # whether what a derivative needs is computed again from the carries

    @property
    def body_inputs(self) -> int:
        return self.numbered + self.carries + self.rows + self.fixed


class Loop(Op):
    """A loop. Arguments: [how many steps,] carries, rows, fixed; results: carries, rows, [how many steps]."""

    def __init__(
        self, how: Kind, body: Body, examples: Sequence[Any], given: Sequence[Any], condition: Body | None = None
    ) -> None:
        """`given` are examples of the body's inputs, `examples` of its results; a `condition` of carries and fixed."""
        self.how, self.body, self.condition = how, body, condition
        self.given, self.examples = list(given), list(examples)
        self.random = body.random or (condition is not None and condition.random)
        super().__init__(
            "scan_loop" if how.title == "scan" else how.title,  # there is an op called scan
            lambda *arrays: self.run(arrays),
            kind="loop",
            arity=how.counted + how.carries + how.rows + how.fixed,
            vjp=self._vjp,
            jvp=self._jvp,
            many=True,
            register=False,
            latex=rf"\operatorname{{{{{how.title.replace('_', chr(92) + '_')}}}}}(\cdot)",
        )
        self.recorded = self.call
        self.batched = functools.partial(batched, self)
        self.keeping: dict[Any, Loop] = {}
        self.rules: dict[Any, Any] = {}

    # -- values ---------------------------------------------------------------------------------------
    def run(self, arrays: Sequence[Any]) -> tuple[Any, ...]:
        """The results for these arrays, step by step."""
        how = self.how
        state = [np.asarray(a)[()] for a in arrays[how.counted : how.counted + how.carries]]
        out = self.empty_rows()
        done = 0
        for t, _, results in self.steps(arrays):
            state = results[: how.carries]
            for y, row in zip(out, results[how.carries :], strict=True):
                y[t] = row
            done += 1
        last = [np.array(c, order="C")[()] for c in state]
        return (*last, *out, *([np.int64(done)] if self.condition is not None else []))

    def steps(self, arrays: Sequence[Any]) -> Iterator[tuple[int, list[Any], list[Any]]]:
        """For each step its number, what its body is given, and what that gives."""
        how = self.how
        most = int(arrays[0]) if how.counted else how.length
        state = [np.asarray(a)[()] for a in arrays[how.counted : how.counted + how.carries]]
        rows = arrays[how.counted + how.carries : how.counted + how.carries + how.rows]
        fixed = arrays[how.counted + how.carries + how.rows :]
        done = 0
        while most is None or done < most:
            if self.condition is not None and not self.condition([*state, *fixed])[0]:
                return
            t = done if most is None or not how.backwards else most - 1 - done
            given = [t] * how.numbered + state + [x[t] for x in rows] + list(fixed)
            results = self.body(given)
            yield t, given, results
            state = results[: how.carries]
            done += 1
        if self.condition is not None and self.condition([*state, *fixed])[0]:
            raise NoConvergence(too_long(how.title, done))

    def empty_rows(self) -> list[Any]:
        """Arrays for the rows that come out, full of zeros where not every step may be taken."""
        make: Any = np.zeros if self.how.counted or self.condition is not None else np.empty
        rows = [np.asarray(e) for e in self.examples[self.how.carries :]]
        return [make((self.how.length, *e.shape), e.dtype) for e in rows]

    def example(self) -> tuple[Any, ...]:
        """Results such as there may be, with the values of one step; large rows have them once somebody reads them."""
        how = self.how
        out = [np.array(e, order="C")[()] for e in self.examples[: how.carries]]
        sure = self.condition is None and not how.counted  # else 0 is seen behind the last step
        for e in map(np.asarray, self.examples[how.carries :]):
            out.append(rows_of(e if sure else np.zeros_like(e), how.length or 0))
        return (*out, *([np.int64(min(1, how.length or 1))] if self.condition is not None else []))

    # -- recording ------------------------------------------------------------------------------------
    def call(self, args: Sequence[Any]) -> tuple[Tensor, ...]:
        """The results, recorded; with more rows, which a derivative will need, where one is to be expected."""
        nodes = [node_of(a) for a in args]
        live = functools.reduce(lambda found, n: found | n.live, nodes, 0)
        mode = MODE.get()
        if mode is not None and not mode.differentiable:
            live &= TRACED
        watched = mode is not None and mode.observe is not None
        unknown = bool(live & TRACED) or (watched and self.random)
        if unknown and self.random:
            live |= TRACED
        loop: Loop = self
        if live & DIFFERENTIABLE and (self.how.length is not None):
            loop = self.keep(tuple(bool(n.live & DIFFERENTIABLE) and _floats(n.data) for n in nodes))
        guess = unknown and (self.random or _may_guess(mode.observe if mode is not None else None))
        values = loop.example() if guess else loop.forward(*[n.data for n in nodes])
        known = tuple(map(held, nodes))
        node = Node(values, loop, known, {}, live) if live or watched else Node(values)
        if mode is not None and mode.observe is not None:
            mode.observe(node)
        if mode is not None and self.random and isinstance(mode.observe, Batching) and not mode.observe.same:
            mode.observe.differs(node)
        tell(node, loop, known, {})
        whole = wrap(node)
        return tuple(record(select, (whole,), {"index": k}) for k in self.result_places(loop))

    def result_places(self, loop: Loop) -> list[int]:
        """Where among the results of a loop that keeps more rows those of this one stand."""
        own = len(self.examples)
        return [*range(own), *([len(loop.examples)] if self.condition is not None else [])]

    def over(self, xp: Any, args: Sequence[Any]) -> tuple[Any, ...]:
        """The results over `raw` or `rec`."""
        return self.run(args) if xp is raw else self.call(args)

    def keep(self, moving: tuple[bool, ...]) -> Loop:
        """The same loop, which also gives what its derivative needs; `moving` are the arguments with a derivative."""
        if moving not in self.keeping:
            self.keeping[moving] = kept_with(self, moving)
        return self.keeping[moving]

    # -- derivatives ----------------------------------------------------------------------------------
    def _vjp(self, xp: Any, need: Sequence[bool], g: Sequence[Any], y: Sequence[Any], *args: Any) -> list[Any]:
        if self.how.length is None:
            raise NoDerivative(without_bound(self.how.title))
        sides = Sides(self, xp, args, y)
        wanted = [bool(n) and _floats(a) for n, a in zip(need, args, strict=True)]
        found = pulled(sides, wanted, g)
        if found is None:
            found = pulled(sides.kept(wanted), wanted, g)
        assert found is not None
        return found

    def _jvp(self, xp: Any, ts: Sequence[Any], y: Sequence[Any], *args: Any) -> tuple[Any, ...]:
        moving = [None if t is None or not _floats(a) else t for t, a in zip(ts, args, strict=True)]
        return pushed(Sides(self, xp, args, y), moving)

    def alike(self, other: Op) -> bool:
        if self is other:
            return True
        if not isinstance(other, Loop) or self.how != other.how or not self.body.alike(other.body):
            return False
        if self.condition is None or other.condition is None:
            return self.condition is other.condition
        return self.condition.alike(other.condition)


def _may_guess(watch: Any) -> bool:
    """Whether those who watch are content with the values of one step."""
    while watch is not None:
        if hasattr(watch, "may_guess"):
            return bool(watch.may_guess())
        watch = getattr(watch, "watch", None)
    return True


def _floats(value: Any) -> bool:
    dtype = getattr(value, "dtype", None)
    return dtype is not None and dtype.kind in "fc"


def without_bound(title: str) -> str:
    return (
        f"{title} without max_steps has no reverse mode: what each step leaves for it would need memory without a "
        f"bound. Say max_steps=, or use forward mode: jvp, jacfwd"
    )


def too_long(title: str, steps: int) -> str:
    return f"{title}: cond still holds after max_steps={steps} steps; raise max_steps, or let cond end the loop sooner"
