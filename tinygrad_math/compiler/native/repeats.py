"""A loop whose step is native as a whole: the machine repeats the step's words, and moves cells on between.

A few instructions without a native form are calls of Python. A condition, native too, is computed at the head of a
step, which may end there. How many steps there may be, and have been, is a number in memory.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ...transforms.loops.loop import Kind, too_long
from ..program import Program, Value
from .instructions import Instructions
from .loops import copier, loop
from .machine import LIMIT, REPEAT, REPEAT_HEAD, ROW, SET, WHILE
from .places import FAR, SCRATCH, Place, address_of, c_strides, is_compact, is_known
from .read_in_steps import may_be_written_over, wanted_by_all
from .table import between, loop_words

ENDLESS = (1 << 63) - 1  # steps of a loop that only its condition ends
FEW = 4  # steps, for which nothing is copied that could be read as it lies
EXPECTED = 1 << 16  # steps that one without a bound is taken to have, to see whether other threads may run meanwhile


class Rounds:
    """What happens before a loop, the machine's own loop, and what happens after.

    A carry has two places, which change roles after each step: the step reads the one and writes the other. It has one
    where the step's last look at it is an operation of ufuncs that gives what comes next, as an update does.
    """

    def __init__(
        self,
        around: Instructions,
        inner: Instructions,
        how: Kind,
        step: Program,
        condition: Program | None = None,
        asked: Instructions | None = None,
    ) -> None:
        self.around, self.inner, self.how, self.step = around, inner, how, step
        self.asked, self.condition = asked, condition
        self.memory = around.memory
        self.before: list[int] = []
        self.body: list[int] = []
        self.after: list[int] = []
        self.moves: list[tuple[int, int]] = []
        self.swaps: list[tuple[int, int]] = []
        self.counting: list[int] = []  # the last instruction of a step that knows its number
        self.length = ENDLESS if how.length is None else how.length
        self.known = not how.counted and condition is None  # whether there are `length` steps
        whole = np.dtype(np.int64)
        self.times = around.number(self.length, whole)
        self.done = around.own((), whole)  # how many steps there have been, where `length` is a bound

    def words(self, given: Sequence[Value], parts: dict[int, Value]) -> list[int] | None:
        """The words of the loop over these inputs; `parts` are its results, by their numbers."""
        how, around, inner = self.how, self.around, self.inner
        arguments = iter(self.step.arguments)
        inputs = iter(given)
        if how.counted and not self._counted(next(inputs)):
            return None
        if how.numbered and not self._number(next(arguments)):
            return None
        carried = [self._carry(next(inputs), next(arguments), r) for r in self.step.results[: how.carries]]
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
        if self.condition is not None:
            asked = self._ask(list(nexts))
            if asked is None:
                return None
            self.body += asked
        self.body += self._bound()
        self.body += [w for u in self.step.body for w in inner.words[u]]
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
        last = parts.get(len(results))
        if last is not None:  # the number of steps
            place = around.place(last)
            moved = None if place is None else around.moved(self.done, place, ())
            if moved is None:
                return None
            self.after += moved
        assert self.times is not None
        pairs = [w for pair in (*self.moves, *self.swaps) for w in pair]
        expected = self.length if self.length != ENDLESS else EXPECTED
        chunk = between(self.body)
        head = [0, REPEAT, REPEAT_HEAD + len(pairs) + len(self.body), self.times.cell, self.times.offset]
        head += [REPEAT_HEAD + len(pairs), len(self.moves), len(self.swaps)]
        head += [chunk if chunk < expected or not self.known else 0, expected]
        return [*self.before, *head, *pairs, *self.body, *self.after]

    def _whole(self, n: int) -> Place:
        """A whole number that is known."""
        found = self.around.number(n, np.dtype(np.int64))
        assert found is not None
        return found

    def _added(self, one: Place, other: Place, target: Place) -> list[int]:
        """The sum of two whole numbers."""
        by = loop(np.add, (one.dtype, other.dtype))
        assert by is not None
        return loop_words(by, (), [one.over(()), other.over(()), target.over(())])

    def _counted(self, count: Value) -> bool:
        """How many steps there are, which an argument says."""
        words: list[int] = []
        given = None if count.shape != () or count.dtype.kind not in "iu" else self.around.taken(count, np.int64, words)
        self.times = given
        self.before += words
        return given is not None

    def _number(self, number: Value) -> bool:
        """The number of a step, as a whole number in memory."""
        place, backwards = self.around.own((), np.dtype(np.int64)), self.how.backwards
        if backwards and self.how.counted:
            assert self.times is not None
            self.before += self._added(self.times, self._whole(-1), place)
        else:
            start = self._whole(self.length - 1 if backwards else 0)
            self.before += loop_words(copier(start.dtype), (), [start.over(()), place.over(())])
        self.inner.places[number] = place
        self.inner.counters.add(number)
        self.counting += self._added(place, self._whole(-1 if backwards else 1), place)
        return True

    def _bound(self) -> list[int]:
        """An error where more steps would be taken than there is room for; the steps are counted for that."""
        if self.known:
            return []
        zero, done = self._whole(0), self.done
        self.before += loop_words(copier(zero.dtype), (), [zero.over(()), done.over(())])
        self.counting += self._added(done, self._whole(1), done)
        if self.how.length is None:
            return []
        said = np.frombuffer(too_long(self.how.title, self.length).encode() + b"\0", np.uint8)
        self.memory.kept.append(said)
        return [0, LIMIT, 7, done.cell, done.offset, self.length, address_of(said)]

    def _ask(self, nexts: list[tuple[Place, Place]]) -> list[int] | None:
        """The condition, and what ends the loop where it does not hold."""
        asked, condition, how = self.asked, self.condition, self.how
        assert asked is not None
        assert condition is not None
        self.times = self._whole(ENDLESS)
        fixed = self.step.arguments[len(self.step.arguments) - how.fixed :] if how.fixed else ()
        places = [*(now for now, _ in nexts), *(self.inner.places[a] for a in fixed)]
        asked.places.update(zip(condition.arguments, places, strict=True))
        same = zip(condition.arguments[how.carries :], fixed, strict=True)
        asked.counters.update(argument for argument, a in same if a in self.inner.counters)
        asked.lower()
        (holds,) = condition.results
        if not all(map(asked.is_native, condition.body)) or holds.shape is None:
            return None
        words = [w for u in condition.body for w in asked.words[u]]
        true = asked.taken(holds, np.dtype(bool), words)
        return None if true is None else [*words, 0, WHILE, 5, true.cell, true.offset]

    def _carry(self, start: Value, argument: Value, r: Value) -> tuple[Place, Place] | None:
        """Where a carry is read, and where r is written, which comes next."""
        strides = argument.strides if argument.shape else ()
        if argument.weak or not is_known(argument):
            return None
        cells = [
            self.memory.cell() for _ in range(1 if may_be_written_over(argument, r, self.step, self.inner.plan) else 2)
        ]
        for cell in cells:
            room = self.memory.room(argument.nbytes)
            self.before += [0, SET, 6, cell, SCRATCH, room]
        now, *others = (Place(cell, 0, argument.shape, strides, argument.dtype) for cell in cells)
        if others:
            self.swaps.append((cells[0], cells[1]))
        words: list[int] = []
        given = self.around.taken(start, argument.dtype, words)
        moved = None if given is None or start.shape != argument.shape else self.around.moved(given, now, now.shape)
        if moved is None or not is_compact(argument):
            return None
        self.before += words + moved
        self.inner.places[argument] = now
        return now, others[0] if others else now

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
        if self.how.backwards and self.how.counted:
            assert self.times is not None
            times = self.times
            self.before += [0, ROW, 9, cell, whole.cell, whole.offset - stride, times.cell, times.offset, stride]
        else:
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
        if outside in self.around.counters:
            self.inner.counters.add(argument)
        elif argument.weak and type(argument.example) is not float:
            return False
        if given is None or given.dtype != argument.dtype:
            return False
        place = self._laid_out(given, argument, given.shape)
        self.inner.places[argument] = place if place is None else self._as_read(place, argument)
        return place is not None

    def _as_read(self, given: Place, argument: Value) -> Place:
        """What is the same in all steps, copied once where it lies otherwise than all that is made of it."""
        strides = wanted_by_all(argument, self.step)
        if strides in (None, given.strides) or argument.nbytes > FAR or self.length < FEW:
            return given
        own = Place(SCRATCH, self.memory.room(argument.nbytes), given.shape, strides, given.dtype)
        moved = self.around.moved(given, own, given.shape)
        self.before += moved or []
        return own if moved is not None else given

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
        if whole is None or not math.prod(shape):
            return None
        if not self.known and part is not None:  # not every step may be taken
            zero = self.around.number(0, r.dtype)
            assert zero is not None
            self.before += loop_words(copier(r.dtype), shape, [zero.over(shape), whole.over(shape)])
        return self._moving(whole)

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
