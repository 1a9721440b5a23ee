"""What the steps of a loop draw is drawn before it, step after step, so that the loop itself runs without Python.

A generator gives the same numbers in the same order as it would to the steps. What is drawn may not depend on what a
step has computed, and takes the memory of all steps.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core.op import Op
from ...core.tensor import select
from ...transforms.loops.body import Step
from ...transforms.loops.loop import Loop
from ..program import Program, Value, constant, value_of
from .loops import is_loop

MOST = 1 << 26  # bytes of all steps' draws together
ALIKE = frozenset({"random", "standard_normal", "standard_exponential"})  # many at once are as many one after the other


def draw_ahead(program: Program) -> None:
    """Turn what the steps of loops of a known length, or count, draw into rows that they take."""
    body: list[Value] = []
    for v in program.body:
        loop: Any = v.op
        draws = _draws(loop) if is_loop(v) and isinstance(loop, Loop) else None
        if draws:
            body += _taken_out(v, loop, draws)
        body.append(v)
    program.body = body


def _draws(loop: Loop) -> list[int] | None:
    """The numbers of the steps of a body that draw; None where one of them has to stay."""
    how, body = loop.how, loop.body
    found = [k for k, s in enumerate(body.steps, start=body.first) if s.random]
    if loop.condition is not None or how.length is None:
        return None
    known = range(body.inputs - how.fixed, body.first)  # what is the same in all steps: fixed inputs and constants
    nbytes = 0
    for k in found:
        s = body.steps[k - body.first]
        if s.op.name != "random_draw" or not all(i in known for i in s.operands) or s.weak:
            return None
        nbytes += how.length * np.asarray(s.drawn).nbytes
    return found if nbytes <= MOST else None


def _taken_out(v: Value, loop: Loop, draws: list[int]) -> list[Value]:
    """Let the loop v take rows of draws; what makes them."""
    how, body = loop.how, loop.body
    steps = [body.steps[k - body.first] for k in draws]
    fixed = v.inputs[len(v.inputs) - how.fixed :] if how.fixed else ()
    known = [*[None] * (body.inputs - how.fixed), *fixed, *map(constant, body.constants)]
    operands = [known[i] for s in steps for i in s.operands]
    assert how.length is not None
    op = Draws(how.length, how.counted, how.backwards, steps)
    whole = value_of(op, *v.inputs[: how.counted], *(i for i in operands if i is not None), place=v.place)
    parts = [value_of(select, whole, index=k) for k in range(len(draws))]
    behind = body.inputs - how.fixed
    inputs = [*range(behind), *draws, *range(behind, body.inputs)]
    part = body.part(inputs, body.results, draws=True)
    assert part is not None
    given = [*loop.given[:behind], *(s.drawn for s in steps), *loop.given[behind:]]
    v.op = Loop(how._replace(rows=how.rows + len(draws)), part, loop.examples, given)
    end = len(v.inputs) - how.fixed
    v.inputs = (*v.inputs[:end], *parts, *v.inputs[end:])
    return [whole, *parts]


class Draws(Op):
    """What all steps of a loop draw: for each draw of a step an array with a row for each step."""

    def __init__(self, length: int, counted: bool, backwards: bool, steps: Sequence[Step]) -> None:
        self.length, self.counted, self.backwards, self.steps = length, counted, backwards, list(steps)
        self.forms = [(np.shape(s.drawn), np.asarray(s.drawn).dtype) for s in steps]
        count = counted + sum(len(s.operands) for s in steps)
        super().__init__(
            "draws", lambda *arrays: self.drawn(arrays), kind="nondiff", arity=count, many=True, register=False
        )
        self.random = True

    def example(self) -> tuple[Any, ...]:
        """Rows as they lie; what is drawn while a program is made is drawn by nobody."""
        _, rows = self._rows()
        for row, s in zip(rows, self.steps, strict=True):
            row[...] = s.drawn
        return rows

    def _rows(self) -> tuple[Any, tuple[Any, ...]]:
        """Arrays for the draws, those of a step side by side in one array, if they are of one dtype."""
        n = self.length
        if len({dtype for _, dtype in self.forms}) > 1:
            return None, tuple(np.zeros((n, *shape), dtype) for shape, dtype in self.forms)
        ends = [0, *itertools.accumulate(math.prod(shape) for shape, _ in self.forms)]
        whole = np.zeros((n, ends[-1]), self.forms[0][1])
        parts = zip(self.forms, itertools.pairwise(ends), strict=True)
        return whole, tuple(whole[:, a:b].reshape(n, *shape) for (shape, _), (a, b) in parts)

    def drawn(self, arrays: Sequence[Any]) -> tuple[Any, ...]:
        """The rows of as many steps as are taken; zeros behind them."""
        n = int(arrays[0]) if self.counted else self.length
        whole, rows = self._rows()
        if whole is not None and self._are_one():
            first = self.steps[0].params
            getattr(first["generator"].numpy, first["method"])(dtype=whole.dtype, out=whole[:n])
            return rows
        for t in range(n - 1, -1, -1) if self.backwards else range(n):
            given = iter(arrays[self.counted :])
            for s, row in zip(self.steps, rows, strict=True):
                row[t] = s.op.forward(*[next(given) for _ in s.operands], **s.params)
        return rows

    def _are_one(self) -> bool:
        """Whether all draws, step after step, are the numbers that one call gives."""
        first = self.steps[0].params
        return not self.backwards and all(
            s.params["generator"] is first["generator"]
            and s.params["method"] == first["method"] in ALIKE
            and dict(s.params["options"]).keys() <= {"size", "dtype"}
            for s in self.steps
        )
