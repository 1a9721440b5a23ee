"""Loops over a bank of networks, some networks at a time: what these need stays in the first cache, step after step.

A loop whose step computes for each network by itself (see `banks`) may take all its steps for some networks, and then
for the next. The machine repeats the words of the loop for a strip of networks, and moves the cells of their arrays on
between. The networks of a strip of small matrices lie abreast within the loop: the first axis is the innermost in
memory, so that vectors are full, whatever the sizes; of larger ones each lies as it did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..passes.loops import Repeated
from ..program import Value
from .abreast import nanoseconds as of_abreast
from .banks import Part, Source
from .forms import lanes
from .instructions import quickest
from .machine import REPEAT, REPEAT_HEAD, SET
from .places import Place
from .repeats import Rounds
from .table import between

if TYPE_CHECKING:
    from .lower import Lowered

MOST = 48  # networks abreast: their number, and that of vectors, is no power of two, which would crowd the first cache
NEAR, FAR = 1 << 18, 1 << 20  # bytes of many networks abreast, which the second cache holds, and of a few
PAYS = 1.75  # how much longer products may take abreast: all else takes less


class Strips:
    """The words of a loop, strip by strip."""

    def __init__(self, around: Lowered, v: Value, op: Repeated, parts: dict[int, Value], lower: Any) -> None:
        self.around, self.op, self.how, self.parts, self.lower = around, op, op.how, parts, lower
        self.given = list(v.inputs)
        arguments = iter(self.given[self.how.counted :])
        self.outside = dict(zip(op.step.arguments[self.how.numbered :], arguments, strict=True))
        self.before: list[int] = []
        self.moves: list[tuple[int, int]] = []

    def words(self, size: int) -> list[int] | None:
        """The words, where the loop is one over a bank and strips pay; `size` is the workspace of the whole step."""
        how = self.how
        if self.op.random or how.length == 0 or self.op.condition is not None:
            return None
        many = self._networks()
        if many is None:
            return None
        self.many = many
        found = self._strip(size)
        if found is None:
            return None
        strip, abreast = found
        calls = len(self.around.memory.calls)
        words: list[int] = []
        whole, rest = divmod(many, strip)
        for start, few, count in ((0, strip, whole), (whole * strip, rest, 1)):
            if few:
                part = self._piece(start, few, count, abreast)
                if part is None or len(self.around.memory.calls) > calls:
                    del self.around.memory.calls[calls:]
                    return None
                words += part
        return words

    def _networks(self) -> int | None:
        """How many networks there are: the first axis of most that is carried."""
        first = self.how.numbered
        sizes = [a.shape[0] for a in self.op.step.arguments[first : first + self.how.carries] if a.shape]
        many = max(set(sizes), key=sizes.count, default=0)
        return many if many > 1 else None

    def _strip(self, size: int) -> tuple[int, bool] | None:
        """How many networks at a time, and whether they lie abreast; None where it is better to take all at once."""
        first = self.how.numbered
        carried = self.op.step.arguments[first : first + self.how.carries]
        each = (size + 2 * sum(a.nbytes for a in carried)) / self.many
        wide = lanes("f" if all(a.dtype.char == "f" for a in carried) else "d")
        here, there = self._nanoseconds()
        if not here:
            return None
        if here <= PAYS * there and wide * each <= FAR and self.many >= wide:
            most = min(max(int(NEAR / each) // wide, 1) * wide, MOST)
            alike = -(-self.many // -(-self.many // most))  # networks in each of as many strips
            return min(-(-alike // wide) * wide, self.many), True
        return (1, False) if self.many * each > FAR else None

    def _nanoseconds(self) -> tuple[float, float]:
        """About how long the products of a network take in a step, abreast and else; 0 where it has none of its own."""
        here = there = 0.0
        for v in self.op.step.body:
            if v.ufunc is not np.matmul or v.shape is None or v.dtype.char not in "df":
                continue
            if len(v.shape) == 2 and v.shape[0] % self.many == 0 and v.shape[1] > 1 and len(v.inputs[1].shape) == 2:
                return 0.0, 0.0  # one large product of all rows, of which it is better to make no smaller ones
            if len(v.shape) != 3 or v.shape[0] != self.many or min(len(i.shape) for i in v.inputs) < 2:
                continue
            a, b, out = (Place(0, 0, x.shape, x.strides, x.dtype) for x in (*v.inputs, v))
            (n, k), m = a.shape[-2:], b.shape[-1]
            here += of_abreast(v.dtype.char, n, k, m)
            there += quickest(a, b, out)
        return here, there

    def _piece(self, start: int, few: int, count: int, abreast: bool) -> list[int] | None:
        """The words for `count` strips of `few` networks each, from network `start` on."""
        around, how = self.around, self.how
        self.before, self.moves = [], []
        self.start, self.few = start, few
        part = Part(self.op.step, how, self.many, few, abreast and few >= lanes("d"))
        program = part.build()
        if program is None:
            return None
        given = self.given[: how.counted]
        for source in (*part.carries, *part.rows, *part.fixed):
            found = self._given(source, int(source in part.rows))
            if found is None:
                return None
            given.append(found)
        results: dict[int, Value] = {}
        for k, v in self.parts.items():
            if k < len(part.out) and part.out[k]:
                place = around.place(v)
                if place is None:
                    return None
                results[k] = self._stands_for(self._moving(place, int(k >= how.carries)))
            else:
                results[k] = v
        kind = how._replace(carries=len(part.carries), rows=len(part.rows), fixed=len(part.fixed))
        words = Rounds(around, self.lower(program), kind, program).words(given, results)
        if words is None:
            return None
        if count == 1:
            return [*self.before, *words]
        times = around.number(count, np.dtype(np.int64))
        assert times is not None
        pairs = [w for pair in self.moves for w in pair]
        head = [0, REPEAT, REPEAT_HEAD + len(pairs) + len(words), times.cell, times.offset]
        head += [REPEAT_HEAD + len(pairs), len(self.moves), 0, between(words), count]
        return [*self.before, *head, *pairs, *words]

    def _given(self, source: Source, axis: int) -> Value | None:
        """What is outside of the loop for an argument of the step for some networks."""
        a = source.value
        outside = a if a.constant else self.outside[a]
        if not source.by_rows and source.shape is None:
            return outside
        place = self.around.place(outside)
        if place is None or place.shape[axis:] != a.shape or (axis == 0 and place.dtype != a.dtype and source.shape):
            return None
        if source.by_rows:
            place = self._moving(place, axis)
            if a.shape[0] != self.many:
                return None
        if source.shape is not None:
            place = place._replace(shape=source.shape, strides=place.over(source.shape).strides)
        return self._stands_for(place)

    def _moving(self, p: Place, axis: int) -> Place:
        """These networks of an array that holds all of them along an axis, by a cell that moves on."""
        cell, stride = self.around.memory.cell(), p.strides[axis]
        self.before += [0, SET, 6, cell, p.cell, p.offset + self.start * stride]
        self.moves.append((cell, self.few * stride))
        return p._replace(cell=cell, offset=0, shape=(*p.shape[:axis], self.few, *p.shape[axis + 1 :]))

    def _stands_for(self, place: Place) -> Value:
        """A value that lies there."""
        v = Value(None, example=np.broadcast_to(np.zeros((), place.dtype), place.shape))
        self.around.places[v] = place
        return v
