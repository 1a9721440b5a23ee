"""A stretch of a program: native instructions in a row, as one function that Python calls.

What all calls have in common, the table and how arguments and results lie, is made once. A workspace adds memory, the
cells, and a frame for each stretch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...core.errors import MathError
from ..packing import ALIGNMENT
from ..program import Value, describe_value
from .lower import Lowered
from .machine import ANY, ARRAY, FLOAT, FRESH, GIVEN, NOTHING, NUMBER, OBJECT, stretch
from .places import ABSOLUTE, FIRST, SCRATCH, SPACE, Place
from .table import elements

LONG = 20_000  # elements: of more, other threads may run meanwhile
ALIGNED, WRITEABLE = 0x100, 0x400  # flags of NumPy's arrays
Result = tuple[int, Value, Place | int]  # how it is made, what it is, and where it lies or which argument it is


class Stretch:
    """The table of some instructions, what they are called with, and what they return."""

    def __init__(
        self,
        lowered: Lowered,
        words: Sequence[int],
        inputs: Sequence[Value],
        results: Sequence[Result],
        given: set[Value],
    ) -> None:
        self.lowered, self.inputs, self.results = lowered, list(inputs), list(results)
        self.words = np.array(words, np.int64)
        self.kept: list[Any] = [self.words]
        self.rows = self._keep([w for v in inputs for w in self._row(v, v in given)])
        self.made = self._keep([w for r in results for w in self._made(*r)])
        self.long = elements(words) > LONG
        self.written = [k for k, v in enumerate(inputs) if v in given]
        self.bring = [_bringer(v, lowered) for v in inputs]

    def _keep(self, words: Sequence[int]) -> int:
        array = np.array(words, np.int64)
        self.kept.append(array)
        return int(array.ctypes.data)

    def _row(self, v: Value, written: bool) -> list[int]:
        """How an argument is read, and how it has to lie."""
        place = self.lowered.place(v)
        if place is None:
            return [3, NOTHING, 0]
        if not v.shape:
            kind = float if v.weak else v.dtype.type
            self.kept.append(kind)
            return [4, OBJECT, place.cell, id(kind)]
        self.kept.append(v.dtype)
        asked = ALIGNED | (WRITEABLE if written else 0)
        sizes = [
            w for n, s in zip(place.shape, place.strides, strict=True) for w in (n, s if n > 1 and v.size else ANY)
        ]
        return [7 + len(sizes), ARRAY, place.cell, id(np.ndarray), id(v.dtype), len(place.shape), asked, *sizes]

    def _made(self, kind: int, v: Value, place: Place | int) -> list[int]:
        if not isinstance(place, Place):
            return [kind, place, 0, 0, 0, 0, 0]
        self.kept.append(v.dtype)
        in_order = place.strides == np.empty(place.shape, np.uint8).strides if not v.size else False
        dims = self._keep(place.shape or (0,))
        strides = 0 if in_order else self._keep(place.strides or (0,))
        return [kind, place.cell, id(v.dtype), len(place.shape), dims, strides, place.offset]

    def bind(self, cells: np.ndarray[Any, Any], memory: Any) -> Any:
        """The function over these cells."""
        box: list[Any] = []

        def otherwise(*given: Any) -> Any:
            brought = [bring(x) for bring, x in zip(self.bring, given, strict=True)]
            out = box[0](*brought)
            for k in self.written:  # lines of NumPy read the array itself
                given[k][...] = brought[k]
            return out

        start = self.words.ctypes.data
        frame = np.array(
            [start, start + self.words.nbytes, cells.ctypes.data, len(self.inputs), self.rows, len(self.results),
             self.made, self.long, id(otherwise)],
            np.int64,
        )  # fmt: skip
        box.append(stretch((frame, otherwise, cells, memory, self)))
        return box[0]


class Workspaces:
    """Makes the cells of a workspace, and the functions over it."""

    def __init__(self, lowered: Lowered) -> None:
        self.lowered = lowered
        self.stretches: list[Stretch] = []

    def __call__(self, space: np.ndarray[Any, Any] | None) -> list[Any]:
        lowered = self.lowered
        cells = np.zeros(FIRST + lowered.memory.count, np.int64)
        scratch = np.empty(lowered.memory.size + ALIGNMENT, np.uint8)
        cells[ABSOLUTE] = 0
        cells[SPACE] = 0 if space is None else space.ctypes.data
        cells[SCRATCH] = scratch.ctypes.data + -scratch.ctypes.data % ALIGNMENT
        for v, start in lowered.slots.items():
            cells[lowered.cells[v]] = cells[SCRATCH] + start
        called = [made.bind(cells) for _, made in lowered.memory.calls]
        for (cell, _), function in zip(lowered.memory.calls, called, strict=True):
            cells[cell] = id(function)
        return [s.bind(cells, (space, scratch, lowered.memory.kept, called)) for s in self.stretches]


def _bringer(v: Value, lowered: Lowered) -> Callable[[Any], Any]:
    """Brings an argument into the layout that the table was made for."""
    place = lowered.place(v)
    if place is None:
        return lambda x: x
    kind = float if v.weak else v.dtype.type
    if not v.shape:
        return lambda x: x if type(x) is kind else kind(np.asarray(x)[()])
    low = sum(min(s * (n - 1), 0) for n, s in zip(place.shape, place.strides, strict=True))
    high = sum(max(s * (n - 1), 0) for n, s in zip(place.shape, place.strides, strict=True))
    said = describe_value(v)

    def bring(x: Any) -> Any:
        if np.shape(x) != place.shape:
            raise MathError(f"a native program for {said} was called with shape {np.shape(x)}")
        memory = np.empty(high - low + v.dtype.itemsize, np.uint8)
        strides = place.strides if v.size else None
        out = np.ndarray(place.shape, v.dtype, memory if v.size else None, -low if v.size else 0, strides)
        out[...] = x
        return out

    return bring


def result(v: Value, place: Place) -> Result:
    """How a result of this stretch becomes an object."""
    kind = FRESH if v.shape else FLOAT if v.weak else NUMBER
    return kind, v, place


def given(v: Value, position: int) -> Result:
    """An argument as a result."""
    return GIVEN, v, position
