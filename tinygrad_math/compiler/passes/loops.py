"""Loops: what nothing reads of them is not computed; their step is a program, improved like the one around it, and what
is the same in every step is computed before it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...core.op import Op
from ...transforms.loops.body import Body
from ...transforms.loops.loop import Kind, Loop
from ..failing import op_may_raise
from ..program import NUMBERS, Program, Value, apply, constant
from ..retyped import check_types
from .common import is_random

_STEADY = frozenset({"elementwise", "linear"})  # kinds of ops that never fail, so that they may run for no step at all


def is_loop(v: Value) -> bool:
    return v.op is not None and v.op.kind == "loop"


class Repeated(Op):
    """A loop in a program: the `step` of a Loop, and its `condition`, as programs of their own.

    Arguments of `step`: [the number of the step,] carries, rows, fixed; of `condition`: carries, fixed.
    """

    def __init__(self, loop: Loop, how: Kind, step: Program, condition: Program | None) -> None:
        self.loop, self.how, self.step, self.condition = loop, how, step, condition
        super().__init__(
            loop.name,
            lambda *arrays: self.run(arrays[: loop.arity]),
            kind="loop",
            arity=how.counted + how.carries + how.rows + how.fixed,
            many=True,
            register=False,
            latex=loop.latex,
        )
        self.random = loop.random
        self.run: Callable[[Sequence[Any]], Any] = loop.run

    def example(self) -> Any:
        return self.loop.example()


def drop_unread(program: Program) -> int:
    """Of a loop, drop carries and rows that nothing reads, and arguments that are not needed then."""
    reads: dict[Value, list[Value]] = {}
    for v in program.body:
        if v.title == "select" and is_loop(v.inputs[0]):
            reads.setdefault(v.inputs[0], []).append(v)
    changes = 0
    for v in program.body:
        if is_loop(v) and isinstance(v.op, Loop) and (reads.get(v) or not v.op.random):
            found = thinned(v.op, {s.params["index"] for s in reads.get(v, ())})
            if found is not None:
                v.op, arguments, results = found
                v.inputs = tuple(v.inputs[k] for k in arguments)
                v.example = tuple(v.example[k] for k in results)
                for s in reads.get(v, ()):
                    s.params = {"index": results.index(s.params["index"])}
                changes += 1
    return changes


def thinned(loop: Loop, read: set[int]) -> tuple[Loop, list[int], list[int]] | None:
    """The loop with these results alone; which arguments it takes of those there were, and which results it gives."""
    how, body = loop.how, loop.body
    first = how.numbered
    total = len(loop.examples)
    rows_out = [k for k in range(how.carries, total) if k in read]
    state = {k for k in range(how.carries) if k in read}
    asked = set() if loop.condition is None else set(loop.condition.reached(loop.condition.results))
    state |= {k for k in range(how.carries) if k in asked}
    raising = [k for k, s in enumerate(body.steps, start=body.first) if op_may_raise(s.op)]
    while True:
        needed = set(body.reached([*(body.results[k] for k in (*sorted(state), *rows_out)), *body.draws(), *raising]))
        more = {k for k in range(how.carries) if first + k in needed}
        if more <= state:
            break
        state |= more
    kept = sorted(state)
    rows = [k for k in range(how.rows) if first + how.carries + k in needed]
    fixed = [k for k in range(how.fixed) if first + how.carries + how.rows + k in needed or how.carries + k in asked]
    numbered = bool(first and 0 in needed)
    if len(kept) + len(rows_out) == total and (len(rows), len(fixed), numbered) == (how.rows, how.fixed, how.numbered):
        return None
    inputs = [0] * numbered + [first + k for k in kept] + [first + how.carries + k for k in rows]
    inputs += [first + how.carries + how.rows + k for k in fixed]
    results = [*kept, *rows_out]
    part = body.part(inputs, [body.results[k] for k in results], draws=True, beside=raising)
    assert part is not None
    condition = loop.condition
    if condition is not None:
        condition = condition.part([*kept, *(how.carries + k for k in fixed)], condition.results, draws=True)
        assert condition is not None
    new = how._replace(carries=len(kept), rows=len(rows), fixed=len(fixed), numbered=numbered)
    thin = Loop(new, part, [loop.examples[k] for k in results], [loop.given[k] for k in inputs], condition)
    base = how.counted + how.carries
    arguments = [0] * how.counted + [how.counted + k for k in kept] + [base + k for k in rows]
    arguments += [base + how.rows + k for k in fixed]
    return thin, arguments, [*results, *([total] if condition is not None else [])]


def write_steps(program: Program, improve: Callable[[Program], Program]) -> None:
    """Let the step of each loop be a program, and compute before the loop what is the same in every step."""
    body: list[Value] = []
    for v in program.body:
        if is_loop(v) and isinstance(v.op, Loop):
            loop, how = v.op, v.op.how
            step = step_of(loop)
            condition = None
            if loop.condition is not None:
                state = loop.given[how.numbered : how.numbered + how.carries]
                fixed = loop.given[how.numbered + how.carries + how.rows :]
                condition = as_program(loop.condition, [*state, *fixed], f"{loop.name}_condition")
            for part in (step, condition):
                if part is not None:
                    check_types(part)
                    improve(part)
            sure = bool(how.length) and not how.counted and condition is None
            lifted, inputs = _lift(step, v.inputs[len(v.inputs) - how.fixed :] if how.fixed else (), sure)
            body += lifted
            v.inputs += tuple(inputs)
            if condition is not None:
                condition.arguments += [Value(None, example=i.example) for i in inputs]
            v.op = Repeated(loop, how._replace(fixed=how.fixed + len(inputs)), step, condition)
        body.append(v)
    program.body = body


def _lift(step: Program, fixed: Sequence[Value], sure: bool) -> tuple[list[Value], list[Value]]:
    """Take what needs only the last arguments, which are these values outside, out of a step; what it reads of that."""
    outside = dict(zip(step.arguments[len(step.arguments) - len(fixed) :], fixed, strict=True)) if fixed else {}
    lifted: list[Value] = []
    stay: list[Value] = []
    for v in step.body:
        assert v.op is not None
        still = sure or v.op.kind in _STEADY
        if still and v.inputs and not is_random(v) and all(i.constant or i in outside for i in v.inputs):
            outside[v] = twin = Value(v.op, tuple(outside.get(i, i) for i in v.inputs), v.params, v.example)
            twin.place, twin.name, twin.weak = v.place, v.name, v.weak
            lifted.append(v)
        else:
            stay.append(v)
    wanted = {i for v in stay for i in v.inputs} | set(step.results)
    read = [v for v in lifted if v in wanted]
    new = {v: Value(None, example=v.example, name=v.name) for v in read}
    step.body = stay
    step.replace(new)
    step.arguments += new.values()
    return [outside[v] for v in lifted], [outside[v] for v in read]


def step_of(loop: Loop) -> Program:
    """The step of a loop as a program."""
    step, how = as_program(loop.body, loop.given, f"{loop.name}_step"), loop.how
    names = ["step"] * how.numbered + ["carry"] * how.carries + ["row"] * how.rows
    for a, name in zip(step.arguments, names, strict=False):
        a.name = name
    return step


def as_program(body: Body, given: Sequence[Any], name: str) -> Program:
    """A body as a program, typed by examples of its inputs."""
    values: list[Value] = [Value(None, example=e) for e in given]
    values += [constant(c) for c in body.constants]
    steps: list[Value] = []
    for s in body.steps:
        v = Value(s.op, tuple(values[k] for k in s.operands), s.params, place=s.place)
        v.weak = s.weak
        op: Any = s.op
        if s.op.kind == "loop":
            v.example = op.example()
        else:
            v.example = s.drawn if s.random else apply(v, [i.example for i in v.inputs])
        if s.weak and type(v.example) not in NUMBERS:
            v.example = np.asarray(v.example).item()
        v._describe()
        values.append(v)
        steps.append(v)
    return Program(name, values[: body.inputs], steps, [values[k] for k in body.results])
