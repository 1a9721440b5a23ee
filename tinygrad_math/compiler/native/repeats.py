"""A loop whose step is native as a whole: the machine repeats the step's words, and moves cells on between."""

from __future__ import annotations

import math

import numpy as np

from ..passes.loops import Repeated
from ..program import Value
from .instructions import Instructions
from .loops import copier, loop
from .machine import REPEAT, SET
from .places import FAR, SCRATCH, Place, c_strides, is_compact, is_known
from .table import elements, loop_words

BETWEEN = 2_000_000  # elements: after so many, some milliseconds of work, signals are looked for


class Rounds:
    """What happens before a loop, the machine's own loop, and what happens after.

    A carry has two places, which change roles after each step: the step reads the one and writes the other.
    """

    def __init__(self, around: Instructions, inner: Instructions, op: Repeated) -> None:
        self.around, self.inner, self.how, self.step = around, inner, op.how, op.step
        self.memory = around.memory
        self.before: list[int] = []
        self.body: list[int] = []
        self.after: list[int] = []
        self.moves: list[tuple[int, int]] = []
        self.swaps: list[tuple[int, int]] = []
        self.counting: list[int] = []  # the last instruction of a step that knows its number
        self.length = op.how.length or 0

    def words(self, v: Value, parts: dict[int, Value]) -> list[int] | None:
        how, around, inner = self.how, self.around, self.inner
        arguments = iter(self.step.arguments)
        if how.numbered:
            self._count(next(arguments))
        inputs = iter(v.inputs)
        carried = [self._carry(next(inputs), next(arguments)) for _ in range(how.carries)]
        taken = [self._row(next(inputs), next(arguments)) for _ in range(how.rows)]
        fixed = [self._same(next(inputs), next(arguments)) for _ in range(how.fixed)]
        if None in carried or not all(taken) or not all(fixed):
            return None
        results = self.step.results
        nexts = [pair for pair in carried if pair is not None]
        written: dict[Value, Place] = {}
        for r, (_, after) in zip(results, nexts, strict=False):
            self._let_write(r, after, written)
        out = []
        for k, r in enumerate(results[how.carries :], how.carries):
            target = self._rows_out(r, parts.get(k))
            if target is None:
                return None
            self._let_write(r, target, written)
            out.append(target)
        inner.lower()
        if not all(map(inner.is_native, self.step.body)):
            return None
        self.body = [w for u in self.step.body for w in inner.words[u]]
        for r, target in zip(results, [*(after for _, after in nexts), *out], strict=True):
            if written.get(r) is not target and not self._put(r, target):
                return None
        self.body += self.counting
        for k, (now, _) in enumerate(nexts):
            last = parts.get(k)
            if last is not None:
                place = around.place(last)
                moved = None if place is None else around.moved(now, place, place.shape)
                if moved is None:
                    return None
                self.after += moved
        pairs = [w for pair in (*self.moves, *self.swaps) for w in pair]
        chunk = max(1, BETWEEN // max(1, elements(self.body)))
        head = [0, REPEAT, 8 + len(pairs) + len(self.body), self.length, 8 + len(pairs), len(self.moves)]
        head += [len(self.swaps), chunk if chunk < self.length else 0]
        return [*self.before, *head, *pairs, *self.body, *self.after]

    def _count(self, number: Value) -> None:
        """The number of a step, as a whole number in memory."""
        whole = np.dtype(np.int64)
        place = self.around.own((), whole)
        start = self.around.number(self.length - 1 if self.how.backwards else 0, whole)
        one = self.around.number(-1 if self.how.backwards else 1, whole)
        by = loop(np.add, (whole, whole))
        assert start is not None
        assert one is not None
        assert by is not None
        self.inner.places[number] = place
        self.inner.counters.add(number)
        self.before += loop_words(copier(whole), (), [start.over(()), place.over(())])
        self.counting = loop_words(by, (), [place.over(()), one.over(()), place.over(())])

    def _carry(self, start: Value, argument: Value) -> tuple[Place, Place] | None:
        """Where a carry is read and written."""
        strides = argument.strides if argument.shape else ()
        if argument.weak or not is_known(argument):
            return None
        cells = self.memory.cell(), self.memory.cell()
        for cell in cells:
            room = self.memory.room(argument.nbytes)
            self.before += [0, SET, 6, cell, SCRATCH, room]
        now, after = (Place(cell, 0, argument.shape, strides, argument.dtype) for cell in cells)
        self.swaps.append(cells)
        words: list[int] = []
        given = self.around.taken(start, argument.dtype, words)
        moved = None if given is None or start.shape != argument.shape else self.around.moved(given, now, now.shape)
        if moved is None or not is_compact(argument):
            return None
        self.before += words + moved
        self.inner.places[argument] = now
        return now, after

    def _laid_out(self, given: Place, like: Value, shape: tuple[int, ...]) -> Place | None:
        """An array whose last dimensions lie as the example of a step has them; copied if they do not."""
        wanted = like.strides if like.shape else ()
        inner = given.strides[len(shape) - len(wanted) :]
        if not like.size or all(n == 1 or a == b for n, a, b in zip(like.shape, inner, wanted, strict=True)):
            return given
        nbytes = math.prod(shape) * like.dtype.itemsize
        if not is_compact(like) or nbytes > FAR:
            return None
        ahead = c_strides(shape[: len(shape) - len(wanted)], like.nbytes)
        own = Place(SCRATCH, self.memory.room(nbytes), shape, (*ahead, *wanted), like.dtype)
        moved = self.around.moved(given, own, shape)
        self.before += moved or []
        return own if moved is not None else None

    def _row(self, whole: Value, argument: Value) -> bool:
        """The row that a step takes."""
        given = self.around.place(whole)
        if given is None or argument.weak or not is_known(argument) or given.dtype != argument.dtype:
            return False
        place = self._laid_out(given, argument, given.shape)
        if place is None or not argument.size:
            return False
        self.inner.places[argument] = self._moving(place)
        return True

    def _moving(self, whole: Place) -> Place:
        """The row of this step of an array, by a cell that moves on."""
        cell, stride = self.memory.cell(), whole.strides[0]
        start = whole.offset + (stride * (self.length - 1) if self.how.backwards and self.length else 0)
        self.before += [0, SET, 6, cell, whole.cell, start]
        self.moves.append((cell, -stride if self.how.backwards else stride))
        return Place(cell, 0, whole.shape[1:], whole.strides[1:], whole.dtype)

    def _same(self, outside: Value, argument: Value) -> bool:
        """What is the same in all steps."""
        if outside.constant:
            self.inner.places[argument] = self.around.constant(np.asarray(outside.example))
            return not argument.weak and self._fits(argument)
        given = self.around.place(outside)
        if given is None or given.dtype != argument.dtype or (argument.weak and type(argument.example) is not float):
            return False
        place = self._laid_out(given, argument, given.shape)
        self.inner.places[argument] = place
        return place is not None

    def _fits(self, argument: Value) -> bool:
        place = self.inner.places[argument]
        assert place is not None
        place = self._laid_out(place, argument, place.shape)
        self.inner.places[argument] = place
        return place is not None and place.dtype == argument.dtype

    def _rows_out(self, r: Value, part: Value | None) -> Place | None:
        """The row of this step of an array that comes out of the loop."""
        shape = (self.length, *r.shape)
        if part is None:
            whole: Place | None = (
                self.around.own(shape, r.dtype) if math.prod(shape) * r.dtype.itemsize <= FAR else None
            )
        else:
            whole = self.around.place(part)
        return None if whole is None or not math.prod(shape) else self._moving(whole)

    def _let_write(self, r: Value, target: Place, written: dict[Value, Place]) -> None:
        """Let the instruction that makes r write it where it goes, if it lies there as it would elsewhere."""
        plan = self.inner.plan
        strides = r.strides if r.shape else ()
        same = r.dtype == target.dtype and r.shape == target.shape
        lies = (
            all(n == 1 or a == b for n, a, b in zip(r.shape, strides, target.strides, strict=True)) if same else False
        )
        if lies and r not in written and plan.root.get(r) is r and plan.kind[r] in ("fresh", "number") and not r.weak:
            self.inner.places[r] = written[r] = target

    def _put(self, r: Value, target: Place) -> bool:
        """A copy of r at the end of a step."""
        if r.constant:
            words: list[int] = []
            place = self.inner.taken(r, target.dtype, words)
        else:
            words, place = [], self.inner.place(r)
        moved = None if place is None else self.inner.moved(place, target, target.shape)
        self.body += words + (moved or [])
        return moved is not None
