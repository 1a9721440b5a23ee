"""The words of what an op's own function does, step by step: see `read_off`."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..program import Value
from .flags import WORD, new_flag
from .followed import SHOW, Note, Number
from .instructions import Instructions
from .loops import caster, chooser, loop
from .places import FAR, Place, c_strides, part_of, seen
from .rarely import if_set
from .steps import Steps
from .table import Operand, loop_words

Words = list[int] | None
_CORES = re.compile(r"\(.*?\)")  # of the signature of a loop over matrices


class Written(Steps):
    """Writes steps down. Arrays in between are used again as soon as nothing reads them any more."""

    def __init__(
        self, around: Instructions, v: Value, notes: Sequence[Note], answers: Mapping[int, bool], given: Sequence[Place]
    ) -> None:
        super().__init__(around, [])
        self.v, self.notes, self.answers, self.given = v, notes, answers, given
        self.places: dict[int, Place] = dict(enumerate(given))
        self.rooms: dict[int, list[Place]] = defaultdict(list)  # step -> the arrays that it has taken
        self.now = 0  # the step that is being written
        self.free: list[Place] = []

    def words_for(self, last: int, out: Place) -> Words:
        """The words of the step `last`, in `out`, and of all that leads to it; None where a step has no loop."""
        needed, done = self._needed(last)
        flag = new_flag(self.around, self.words) if self.answers else None
        for k in needed:
            self.now = k
            if k >= len(self.given):
                found = self._step(self.notes[k], out if k == last else None)
                if found is None:
                    return None
                self.places[k] = found
            if flag is not None and k in self.answers:
                self._ask(self.places[k], self.answers[k], flag)
            for owner in done[k]:
                self.free += self.rooms.pop(owner, [])
        if self.places[last] is not out:
            self.cast(self.places[last], out.dtype, out)
        rest = [] if flag is None else if_set(self.around, flag, self.v, out)
        return None if rest is None else self.words + rest

    def _needed(self, last: int) -> tuple[list[int], dict[int, list[int]]]:
        """The steps that lead to the last one and to the answers; whose arrays nobody reads after each of these."""
        needed = {last, *self.answers}
        for k in range(len(self.notes) - 1, -1, -1):
            if k in needed:
                needed.update(x.k for x in self.notes[k].given if isinstance(x, Number))
        owner: dict[int, int] = {}
        until: dict[int, int] = {}
        for k in sorted(needed):
            given = [owner[x.k] for x in self.notes[k].given if isinstance(x, Number)]
            owner[k] = given[0] if self.notes[k].kind in SHOW else k
            until.update(dict.fromkeys((*given, owner[k]), k))
        del until[owner[last]]
        done = defaultdict(list)
        for one, k in until.items():
            done[k].append(one)
        return sorted(needed), done

    def own(self, shape: tuple[int, ...], dtype: Any) -> Place:
        """An array of its own, where one lay that is not read any more if there is one as large."""
        size = math.prod(shape) * dtype.itemsize
        k = next((k for k, p in enumerate(self.free) if math.prod(p.shape) * p.dtype.itemsize == size), None)
        room = super().own(shape, dtype) if k is None else self.free.pop(k)
        self.rooms[self.now].append(room)
        return Place(room.cell, room.offset, shape, c_strides(shape, dtype.itemsize), dtype)

    # -- the steps ---------------------------------------------------------------------------------------------------
    def _step(self, note: Note, out: Place | None) -> Place | None:
        """Where the result of a step lies, whose words have been added."""
        if math.prod(note.shape) * note.dtype.itemsize > FAR:
            return None
        if note.kind == "ufunc":
            return self._ufunc(note, out)
        if note.kind == "where":
            condition, one, other = note.given
            places = self._in(condition, np.dtype(bool)), self._in(one, note.dtype), self._in(other, note.dtype)
            return self.run(chooser(note.dtype), places, note.shape, out)
        x = self.places[note.given[0].k]
        if note.kind == "cast":
            return None if caster(x.dtype, note.dtype) is None else self.cast(x, note.dtype, out)
        if note.kind == "reduce":
            return self._reduced(x, note, out)
        if note.kind == "core":
            return self._of_matrices(note, out)
        if note.kind == "view":
            return part_of(x, note.what)
        if note.kind == "swap":
            return seen(x, lambda whole: whole.swapaxes(*note.what))
        return x._replace(offset=x.offset + (note.kind == "imag") * note.dtype.itemsize, dtype=note.dtype)

    def _ufunc(self, note: Note, out: Place | None) -> Place | None:
        types = [
            self.places[x.k].dtype if isinstance(x, Number) else x.dtype if isinstance(x, np.ndarray) else type(x)
            for x in note.given
        ]
        by = loop(note.what, tuple(np.dtype(bool) if t is bool else t for t in types))
        if by is None or by.dtypes[-1] != note.dtype:
            return None
        places = [self._in(x, d) for x, d in zip(note.given, by.dtypes, strict=False)]
        return self.run(by, places, note.shape, out)

    def _in(self, x: Any, dtype: Any) -> Place:
        """An operand in the dtype in which it is read."""
        if isinstance(x, Number):
            return self.cast(self.places[x.k], dtype)
        x = np.array(x, dtype)
        if x.size and x.tobytes() == x.flat[0].tobytes() * x.size:  # one number everywhere
            return self.number(x.flat[0], dtype)
        return self.around.constant(x)

    def _reduced(self, x: Place, note: Note, out: Place | None) -> Place | None:
        ufunc, along, keepdims = note.what
        if loop(ufunc, (x.dtype,) * 2) is None:
            return None
        out = self.own(note.shape, note.dtype) if out is None else out
        words = self.around.reduced(self.v, ufunc, x, out, set(along), keepdims)
        if words is None:
            return None
        self.words += words
        return out

    def _of_matrices(self, note: Note, out: Place | None) -> Place | None:
        """NumPy's loop of linear algebra: a system, an inverse, a determinant or a factor after another."""
        places = [self.places[x.k] for x in note.given]
        by = loop(note.what, tuple(p.dtype for p in places))
        if by is None or by.dtypes[-1] != note.dtype:
            return None
        out = self.own(note.shape, note.dtype) if out is None else out
        axes = [part.count(",") + 1 if part.strip("()") else 0 for part in _CORES.findall(note.what.signature)]
        many = out.shape[: len(out.shape) - axes[-1]]
        operands = []
        for p, n in zip((*places, out), axes, strict=True):
            whole = len(p.shape) - n
            row = p._replace(shape=p.shape[:whole], strides=p.strides[:whole]).over(many)
            operands.append(Operand(row.cell, row.offset, row.strides, p.strides[whole:]))
        n = places[0].shape[-1]
        core = [n, out.shape[-1]] if axes[1:] == [2, 2] else [n]
        self.words += loop_words(by, many, operands, core)
        return out

    def _ask(self, x: Place, answer: bool, flag: Place) -> None:
        """Set the flag where the answer is another one."""
        one = self.cast(x._replace(shape=(), strides=()), np.dtype(bool))
        other = self.of(np.not_equal, one, self.number(answer, bool))
        self.of(np.bitwise_or, flag, self.cast(other, WORD), out=flag)
