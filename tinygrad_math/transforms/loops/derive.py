"""The derivatives of a loop as loops: a step's derivative is recorded once, and cut in two.

What does not depend on the tangents or cotangents belongs to the loop itself, which keeps what the other part needs
of it in rows; the other part, linear in them, is the body of the new loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...core.errors import NoDerivative
from ...core.op import raw
from ...core.quiet import ignoring
from ...core.tensor import Node, Tensor, rec, wrap
from ..tracing import Tape
from .body import Body, traced

Loop = Any  # as `loop` defines it, which imports this file

# what is made anew from its argument, and not kept beside it
CHEAP = frozenset({"transpose", "matrix_transpose", "reshape", "broadcast_to", "expand_dims", "squeeze", "alias"})


def _drawn_and_gone(loop: Loop) -> NoDerivative:
    bounded = loop.condition is None or loop.how.length is not None
    way = "draw before the loop, and hand the numbers to its steps" if bounded else "say max_steps="
    return NoDerivative(f"{loop.how.title}: what was drawn in its steps is not known any more; {way}")


class Sides(NamedTuple):
    """A loop, the namespace of its rules, its arguments and its results."""

    loop: Loop
    xp: Any
    args: Sequence[Any]
    results: Sequence[Any]

    def kept(self, moving: Sequence[bool]) -> Sides:
        """The loop run again, with what its derivative needs."""
        if self.loop.random:
            raise _drawn_and_gone(self.loop)
        loop = self.loop.keep(tuple(moving))
        return Sides(loop, self.xp, self.args, loop.over(self.xp, self.args))

    @property
    def rows_out(self) -> Sequence[Any]:
        how = self.loop.how
        return self.results[how.carries : len(self.loop.examples)]

    @property
    def steps(self) -> list[Any]:
        """How many steps there were, where that is not known before."""
        if self.loop.condition is not None:
            return [self.results[-1]]
        return [self.args[0]] if self.loop.how.counted else []


class Joint(NamedTuple):
    """A step together with its derivative, as one body.

    Its inputs are those of the step and then `seeds`; its results those of the step and then what was derived.
    """

    body: Body
    seeds: int
    examples: list[Any]  # of the results
    given: list[Any]  # of the inputs

    def loose(self, inputs: int) -> list[bool]:
        """For every value whether it hangs on the seeds."""
        return self.body.depends(range(inputs, inputs + self.seeds), moved=False)


def _active(loop: Loop, moving: Sequence[bool]) -> tuple[set[int], list[bool]]:
    """The body's inputs that have a derivative where these arguments have, and for each result whether it has."""
    how = loop.how
    arguments = moving[how.counted :]
    first = how.numbered
    active = {first + k for k, m in enumerate(arguments) if m}
    while True:
        depends = loop.body.depends(active)
        out = [depends[k] and _is_float(e) for k, e in zip(loop.body.results, loop.examples, strict=True)]
        more = {first + k for k in range(how.carries) if out[k] and _is_float(loop.given[first + k])}
        if more <= active:
            return active, out
        active |= more


def _is_float(example: Any) -> bool:
    return bool(np.asarray(example).dtype.kind in "fc")


def _ones(example: Any) -> Any:
    return np.ones(np.shape(example), np.asarray(example).dtype)[()]


def joint_pull(loop: Loop, active: set[int], given: Sequence[int]) -> tuple[Joint, list[int], list[int], list[int]]:
    """A step and its pullback. Seeds: cotangents of active carries, sums for active fixed ones, cotangents of rows."""
    how, n = loop.how, loop.body.inputs
    first = how.numbered
    carries = [k for k in range(how.carries) if first + k in active]
    rows = [k for k in range(how.rows) if first + how.carries + k in active]
    fixed = [k for k in range(how.fixed) if first + how.carries + how.rows + k in active]
    places = [first + k for k in carries]
    places += [first + how.carries + k for k in rows] + [first + how.carries + how.rows + k for k in fixed]
    wanted = [*carries, *(how.carries + k for k in given)]  # results
    examples = [*loop.given]
    examples += [_ones(loop.examples[k]) for k in carries]
    examples += [_ones(loop.given[first + how.carries + how.rows + k]) for k in fixed]
    examples += [_ones(loop.examples[how.carries + k]) for k in given]

    def f(values: list[Tensor]) -> list[Any]:
        inputs, seeds = values[:n], values[n:]
        others = [k for k in range(len(loop.examples)) if k not in wanted]

        def step(*moving: Any) -> Any:
            full: list[Any] = list(inputs)
            for k, v in zip(places, moving, strict=True):
                full[k] = v
            out = loop.body.record(full)
            return tuple(out[k] for k in wanted), tuple(out[k] for k in others)

        tape = Tape(step, [inputs[k] for k in places], loop.how.title, has_aux=True)
        tape.end()
        cotangents = [*seeds[: len(carries)], *seeds[len(carries) + len(fixed) :]]
        found = tape.pull(cotangents, record=True)
        results: list[Any] = [None] * len(loop.examples)
        for k, y in zip([*wanted, *others], [*tape.outputs, *tape.aux], strict=True):
            results[k] = y
        shares = found[len(carries) + len(rows) :]
        sums = seeds[len(carries) : len(carries) + len(fixed)]
        totals = [s if _nothing(g) else rec.add(s, g) for s, g in zip(sums, shares, strict=True)]
        return [*results, *found[: len(carries)], *totals, *found[len(carries) : len(carries) + len(rows)]]

    body, values = traced(f, examples)
    return Joint(body, len(examples) - n, values, examples), carries, rows, fixed


def _nothing(g: Tensor) -> bool:
    """Whether a cotangent is a constant of zeros: nothing leads there."""
    return not g.node.live and not np.any(g.node.data)


def kept_with(loop: Loop, moving: Sequence[bool]) -> Loop:
    """The loop with further rows: what the derivative of a step needs of its values.

    Of a loop that is to compute again, these are the carries.
    """
    how, n = loop.how, loop.body.inputs
    active, out = _active(loop, moving)
    given = [k for k in range(len(loop.examples) - how.carries) if out[how.carries + k]]
    if not active or not any(out):
        return loop
    joint = joint_pull(loop, active, given)[0]
    body = joint.body
    loose = joint.loose(n)
    known = body.results[: len(loop.examples)]
    state = set(range(how.numbered, how.numbered + how.carries))
    moved = body.depends(range(how.numbered + how.carries + how.rows), moved=False)  # not by what stays the same alone
    wanted: list[int] = []
    if not how.again or loop.random:  # draws are not made again
        uses = [body.first + k for k in range(len(body.steps)) if loose[body.first + k]]
        operands = [i for k in uses for i in body.steps[k - body.first].operands]
        stack = [*operands, *(k for k in body.results[len(loop.examples) :] if not loose[k])]
        seen: set[int] = set()
        while stack:
            k = stack.pop()
            if k in seen or loose[k] or not moved[k]:
                continue
            seen.add(k)
            step = body.steps[k - body.first] if k >= body.first else None
            if step is not None and (step.op.many or step.weak or step.op.name in CHEAP):
                stack += step.operands
            elif step is not None or k in state:
                wanted.append(k)
    drawn = [body.first + k for k, s in enumerate(body.steps) if s.random and not s.op.many]
    there = set(known[how.carries :])
    wanted = [k for k in sorted({*wanted, *state, *drawn}) if k not in there]
    whole = body.part(range(n), [*known, *wanted], draws=True)
    assert whole is not None
    examples = [*loop.examples, *_values_of(whole, loop.given, len(loop.examples))]
    return type(loop)(how, whole, examples, loop.given, loop.condition)


def _values_of(body: Body, given: Sequence[Any], start: int) -> list[Any]:
    """Examples of the results from `start` on."""
    values: list[Any] = [*given, *body.constants]
    with ignoring():
        for s in body.steps:
            if s.random:
                values.append(s.drawn)
                continue
            op: Any = s.op
            y = op.example() if s.op.kind == "loop" else s.op.forward(*[values[k] for k in s.operands], **s.params)
            values.append(y.item() if s.weak and hasattr(y, "dtype") else y)
    return [values[k] for k in body.results[start:]]


class Cut(NamedTuple):
    """A body that takes rows: which of those out, of those in, and which of the fixed ones."""

    kept: list[int]
    rows: list[int]
    fixed: list[int]


def _cut(loop: Loop, joint: Joint, results: Iterable[int]) -> Cut | None:
    """What the derived part takes of the other; None where that lies in no row."""
    how, body, n = loop.how, joint.body, loop.body.inputs
    first = how.numbered
    available = {body.results[how.carries + k]: k for k in range(len(loop.examples) - how.carries)}
    available = {k: row for k, row in available.items() if k >= body.first or first <= k < first + how.carries}
    stop = {*available, *range(n), *range(n, n + joint.seeds)}
    reached: set[int] = set()
    stack = list(results)
    while stack:
        k = stack.pop()
        if k in reached:
            continue
        reached.add(k)
        if k not in stop and k >= body.first:
            if body.steps[k - body.first].random:
                return None
            stack += body.steps[k - body.first].operands
    if any(first <= k < first + how.carries and k not in available for k in reached):
        return None
    return Cut(
        sorted({available[k] for k in reached if k in available}),
        [k for k in range(how.rows) if first + how.carries + k in reached],
        [k for k in range(how.fixed) if first + how.carries + how.rows + k in reached],
    )


def pulled(sides: Sides, need: Sequence[bool], g: Sequence[Any]) -> list[Any] | None:
    """The cotangents of the arguments; None where the loop has not kept what its steps' derivative needs."""
    loop, xp, args = sides.loop, sides.xp, sides.args
    how, first = loop.how, loop.how.numbered
    total = len(loop.examples)
    active, out = _active(loop, need)
    given = [k for k in range(total - how.carries) if out[how.carries + k] and g[how.carries + k] is not None]
    zeros = [None] * len(args)
    if not active or not (given or any(g[k] is not None and out[k] for k in range(how.carries))):
        return zeros
    key = ("pull", tuple(sorted(active)), tuple(given))
    if key not in loop.rules:
        joint, carries, rows, fixed = joint_pull(loop, active, given)
        derived = joint.body.results[total:]
        cut = _cut(loop, joint, derived)
        made: Any = None
        if cut is not None:
            n = loop.body.inputs
            seeds = range(n, n + joint.seeds)
            heads = len(carries) + len(fixed)
            inputs = [*range(first), *seeds[:heads], *seeds[heads:]]
            inputs += [joint.body.results[how.carries + k] for k in cut.kept]
            inputs += [first + how.carries + k for k in cut.rows]
            inputs += [first + how.carries + how.rows + k for k in cut.fixed]
            part = joint.body.part(inputs, derived)
            assert part is not None
            new = how._replace(
                title=f"{how.title}_pullback", carries=heads, rows=len(given) + len(cut.kept) + len(cut.rows),
                fixed=len(cut.fixed), backwards=not how.backwards, counted=how.counted or loop.condition is not None,
            )  # fmt: skip
            values = dict(enumerate(joint.given)) | dict(zip(joint.body.results, joint.examples, strict=True))
            made = type(loop)(new, part, joint.examples[total:], [values[k] for k in inputs]), cut, carries, rows, fixed
        loop.rules[key] = made
    if loop.rules[key] is None:
        return None
    reverse, cut, carries, rows, fixed = loop.rules[key]

    def zero(example: Any) -> Any:
        z = np.zeros(np.shape(example), np.asarray(example).dtype)[()]
        return z if xp is raw else wrap(Node(z))

    start = [zero(loop.examples[k]) if g[k] is None else g[k] for k in carries]
    start += [zero(loop.given[first + how.carries + how.rows + k]) for k in fixed]
    taken = [g[how.carries + k] for k in given] + [sides.rows_out[k] for k in cut.kept]
    base = how.counted + how.carries
    taken += [args[base + k] for k in cut.rows] + [args[base + how.rows + k] for k in cut.fixed]
    found = reverse.over(xp, [*sides.steps, *start, *taken])
    cotangents: list[Any] = list(zeros)
    for k, v in zip(carries, found, strict=False):
        cotangents[how.counted + k] = v
    for k, v in zip(fixed, found[len(carries) :], strict=False):
        cotangents[base + how.rows + k] = v
    for k, v in zip(rows, found[len(carries) + len(fixed) :], strict=False):
        cotangents[base + k] = v
    return [c if n else None for c, n in zip(cotangents, need, strict=True)]


def joint_push(loop: Loop, active: set[int], out: Sequence[bool]) -> tuple[Joint, list[int], list[int]]:
    """A step and its pushforward. Seeds: tangents of the active inputs."""
    how, n = loop.how, loop.body.inputs
    places = sorted(active)
    moved = [k for k in range(len(loop.examples)) if out[k] or (k < how.carries and how.numbered + k in active)]
    examples = [*loop.given, *(_ones(loop.given[k]) for k in places)]

    def f(values: list[Tensor]) -> list[Any]:
        inputs, seeds = values[:n], values[n:]

        def step(*moving: Any) -> Any:
            full: list[Any] = list(inputs)
            for k, v in zip(places, moving, strict=True):
                full[k] = v
            return tuple(loop.body.record(full))

        tape = Tape(step, [inputs[k] for k in places], loop.how.title)
        tape.end()
        found = tape.push(seeds, record=True)
        return [*tape.outputs, *(found[k] for k in moved)]

    body, values = traced(f, examples)
    return Joint(body, len(places), values, examples), places, moved


def pushed(sides: Sides, ts: Sequence[Any]) -> tuple[Any, ...]:
    """The tangents of the results, None where there is none."""
    loop, xp, args = sides.loop, sides.xp, sides.args
    how, first, n = loop.how, loop.how.numbered, loop.body.inputs
    total = len(loop.examples)
    active, out = _active(loop, [t is not None for t in ts])
    if not active or not any(out):
        return (None,) * (total + (loop.condition is not None))
    key = ("push", tuple(sorted(active)))
    if key not in loop.rules:
        joint, places, moved = joint_push(loop, active, out)
        derived = joint.body.results[total:]
        carries = [k for k in range(how.carries) if first + k in active]
        rows = [k for k in range(how.rows) if first + how.carries + k in active]
        fixed = [k for k in range(how.fixed) if first + how.carries + how.rows + k in active]
        seeds = dict(zip(places, range(n, n + joint.seeds), strict=True))
        cut = _cut(loop, joint, derived)
        t_state = [seeds[first + k] for k in carries]
        t_rows = [seeds[first + how.carries + k] for k in rows]
        t_fixed = [seeds[first + how.carries + how.rows + k] for k in fixed]
        values = dict(enumerate(joint.given)) | dict(zip(joint.body.results, joint.examples, strict=True))
        results = [k for k in moved if k < how.carries], [k for k in moved if k >= how.carries]
        condition = None
        if cut is not None:  # with what was kept
            inputs = [*range(first), *t_state, *t_rows]
            inputs += [joint.body.results[how.carries + k] for k in cut.kept]
            inputs += [first + how.carries + k for k in cut.rows] + t_fixed
            inputs += [first + how.carries + how.rows + k for k in cut.fixed]
            part = joint.body.part(inputs, derived)
            assert part is not None
            new = how._replace(
                title=f"{how.title}_pushforward", carries=len(carries), rows=len(rows) + len(cut.kept) + len(cut.rows),
                fixed=len(fixed) + len(cut.fixed), counted=how.counted or loop.condition is not None,
            )  # fmt: skip
            made = joint.examples[total:]
        else:  # together with the values
            if loop.random:
                raise _drawn_and_gone(loop)
            state = [first + k for k in range(how.carries)]
            inputs = [*range(first), *state, *t_state]
            inputs += [first + how.carries + k for k in range(how.rows)] + t_rows
            inputs += [first + how.carries + how.rows + k for k in range(how.fixed)] + t_fixed
            numbers, examples = joint.body.results, joint.examples
            order = [*range(how.carries), *(total + k for k in range(len(results[0])))]
            order += [total + len(results[0]) + k for k in range(len(results[1]))]
            part = joint.body.part(inputs, [numbers[k] for k in order])
            assert part is not None
            new = how._replace(
                title=f"{how.title}_pushforward", carries=how.carries + len(carries), rows=how.rows + len(rows),
                fixed=how.fixed + len(fixed),
            )  # fmt: skip
            made = [examples[k] for k in order]
            if loop.condition is not None:
                places = [*range(how.carries), *(new.carries + k for k in range(how.fixed))]
                condition = loop.condition.placed(places, new.carries + new.fixed)
        tangent = type(loop)(new, part, made, [values[k] for k in inputs], condition)
        loop.rules[key] = tangent, cut, carries, rows, fixed, results
    tangent, cut, carries, rows, fixed, results = loop.rules[key]
    base = how.counted + how.carries

    def tangent_of(place: int) -> Any:
        if ts[place] is not None:
            return ts[place]
        like = np.zeros(np.shape(_data(args[place])), _data(args[place]).dtype)[()]
        return like if xp is raw else wrap(Node(like))

    t_state = [tangent_of(how.counted + k) for k in carries]
    t_rows = [tangent_of(base + k) for k in rows]
    t_fixed = [tangent_of(base + how.rows + k) for k in fixed]
    found: list[Any] = [None] * (total + (loop.condition is not None))
    if cut is not None:
        given = [*sides.steps, *t_state, *t_rows, *(sides.rows_out[k] for k in cut.kept)]
        given += [args[base + k] for k in cut.rows] + t_fixed + [args[base + how.rows + k] for k in cut.fixed]
        made = tangent.over(xp, given)
        places = [*results[0], *results[1]]
    else:
        state, rest = list(args[how.counted : base]), list(args[base:])
        count = [args[0]] if how.counted else []
        given = [*count, *state, *t_state, *rest[: how.rows], *t_rows, *rest[how.rows :], *t_fixed]
        made = tangent.over(xp, given)[how.carries :]
        places = [*results[0], *results[1]]
    for k, t in zip(places, made, strict=False):
        found[k] = t
    return tuple(found)


def _data(value: Any) -> Any:
    return value.node.data if isinstance(value, Tensor) else value
