"""A loop as lines of Python: `for`, the rows of this step, the lines of the step, what is carried on.

What a step puts into a row that comes out of the loop it writes there, where its last instruction can.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .calls import can_write_into, literal
from .lines import LineEmitter
from .memory import Plan, plan
from .passes.loops import Repeated
from .program import Program, Value

Within = Callable[[Program, Plan], LineEmitter]


class Rounds:
    """The lines of a loop, what is set up before the call, and the text of its results, a tuple."""

    def __init__(
        self, around: LineEmitter, op: Repeated, inputs: Sequence[str], leaving: set[int], within: Within
    ) -> None:
        how, new = op.how, around.names.new
        self.op, self.how, self.leaving = op, how, leaving
        self.setup: list[str] = []
        first = how.counted + how.carries
        self.count = inputs[0] if how.counted else ""
        start, rows_in, fixed = (
            inputs[how.counted : first],
            inputs[first : first + how.rows],
            inputs[first + how.rows :],
        )
        step = op.step
        program = plan(step)
        self.emitter = within(step, program)
        text = self.emitter.text
        self.number = new("step")
        carried = step.arguments[how.numbered : how.numbered + how.carries]
        rows = step.arguments[how.numbered + how.carries : how.numbered + how.carries + how.rows]
        for a in step.arguments[: how.numbered]:
            text[a] = self.number
        self.carried = [new(a.name or "carry") for a in carried]
        text.update(zip(carried, self.carried, strict=True))
        text.update(zip(step.arguments[len(step.arguments) - how.fixed :] if how.fixed else (), fixed, strict=True))
        self.taken = [(new("row"), whole) for whole in rows_in]  # the row of this step, and of what
        text.update(zip(rows, (row for row, _ in self.taken), strict=True))
        self.out = [new("rows") for _ in step.results[how.carries :]]
        put = self._put_rows(program)
        self.emitter.write()
        self.setup += self.emitter.setup
        self.lines = self._before(start) + self._around(put)

    def _put_rows(self, p: Plan) -> list[tuple[Value, str]]:
        """Let instructions write into rows; what is to be copied there, and where."""
        put = []
        for r, whole in zip(self.op.step.results[self.how.carries :], self.out, strict=True):
            if p.root.get(r) is r and p.kind.get(r) == "fresh" and can_write_into(r) and _in_order(r):
                row = Value(None, example=r.example)
                p.kind[r], p.shared[r] = "donated", row
                name = self.emitter.names.new("row")
                self.emitter.text[row] = name
                self.taken.append((name, whole))
            else:
                put.append((r, whole))
        return put

    def _before(self, start: Sequence[str]) -> list[str]:
        """The first carries, and arrays for the rows: new where they leave the program, else kept for all calls."""
        partial = self.how.counted or self.op.condition is not None
        lines = [f"{c} = {s}" for c, s in zip(self.carried, start, strict=True)]
        for k, (whole, e) in enumerate(zip(self.out, self.op.step.results[self.how.carries :], strict=True)):
            kept = self.how.carries + k not in self.leaving
            make = "np.zeros" if partial and not kept else "empty"  # of kept ones nobody reads more than was written
            made = f"{whole} = {make}({literal((self.how.length, *e.shape))}, {literal(e.dtype.name)})"
            (self.setup if kept else lines).append(made)
        return lines

    def _around(self, put: Sequence[tuple[Value, str]]) -> list[str]:
        """The loop with its step."""
        numbered = bool(self.how.numbered or put or self.op.condition is not None)
        lines = list(self.emitter.lines)
        lines += [f"{whole}[{self.number}] = {self.emitter._read(r)}" for r, whole in put]
        last = self.op.step.results[: self.how.carries]
        after = [(c, self._kept(r)) for c, r in zip(self.carried, last, strict=True)]
        after = [(c, r) for c, r in after if c != r]
        if after:
            lines.append(f"{', '.join(c for c, _ in after)} = {', '.join(r for _, r in after)}")
        if self.op.condition is not None:
            return self._while(lines)
        most = f"int({self.count})" if self.how.counted else str(self.how.length)
        head = []
        if self.how.counted:
            steps = self.emitter.names.new("steps")
            head.append(f"{steps} = {most}")
            most = steps
        part = (f"[:{most}]" if self.how.counted else "") + ("[::-1]" if self.how.backwards else "")
        order = f"range({most} - 1, -1, -1)" if self.how.backwards else f"range({most})"
        names = [self.number] if numbered or not self.taken else []
        sources = [order] if names else []
        names += [row for row, _ in self.taken]
        sources += [f"{whole}{part}" for _, whole in self.taken]
        given = sources[0] if len(sources) == 1 else f"zip({', '.join(sources)})"
        return [*head, f"for {', '.join(names)} in {given}:", *(f"    {line}" for line in lines or ["pass"])]

    def _kept(self, r: Value) -> str:
        """What is carried on: no buffer, which the next step writes to."""
        text = self.emitter._read(r)
        p = self.emitter.plan
        return f"array({text})" if not r.constant and r.shape and p.kind_of(r) in ("buffer", "block") else text

    def _while(self, lines: list[str]) -> list[str]:
        """The loop that asks before each step whether to go on."""
        condition = self.op.condition
        assert condition is not None
        asked = type(self.emitter)(condition, plan(condition), self.emitter.threads, self.emitter)
        names = [*self.carried, *(self.emitter.text[a] for a in self._fixed())]
        asked.text.update(zip(condition.arguments, names, strict=True))
        asked.write()
        self.setup += asked.setup
        holds = asked._read(condition.results[0])
        head = [*asked.lines, f"if not {holds}:", "    break"]
        if self.how.length is not None:
            head += [f"if {self.number} == {self.how.length}:", f"    raise ArithmeticError({self.op.name!r})"]
        head += [f"{row} = {whole}[{self.number}]" for row, whole in self.taken]
        lines = [*head, *lines, f"{self.number} += 1"]
        return [f"{self.number} = 0", "while True:", *(f"    {line}" for line in lines)]

    def _fixed(self) -> Sequence[Value]:
        step = self.op.step
        return step.arguments[len(step.arguments) - self.how.fixed :] if self.how.fixed else ()

    @property
    def results(self) -> str:
        """The last carries in memory of their own, the rows, and the number of steps."""
        last = [
            f"array({c}, order='C')" if r.shape else c for c, r in zip(self.carried, self.op.step.results, strict=False)
        ]
        parts = [*last, *self.out, *([f"np.int64({self.number})"] if self.op.condition is not None else [])]
        return f"({', '.join(parts)}{',' if parts else ''})"


def _in_order(v: Value) -> bool:
    return isinstance(v.example, np.ndarray) and bool(v.example.flags.c_contiguous)
