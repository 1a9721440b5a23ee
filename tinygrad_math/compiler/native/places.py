"""Where values lie: in the workspace where the memory plan says, and what the plan leaves to the call in a second piece
of memory, `scratch`, or in arrays whose addresses only the call tells."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..calls import VIEWS, looks_only
from ..memory import Plan, layout
from ..packing import ALIGNMENT
from ..program import Value
from .loops import PLAIN, caster
from .table import Operand, loop_words

ABSOLUTE, SPACE, SCRATCH = 0, 1, 2  # cells that are the same in each call
FIRST = 3  # cell of an array whose address the call tells
FAR = 1 << 24  # bytes: a larger array that is not in the workspace is left to NumPy


class Place(NamedTuple):
    """Where an array begins and how it lies."""

    cell: int
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: Any

    def over(self, shape: Sequence[int]) -> Operand:
        """This array, spread over a shape."""
        missing = len(shape) - len(self.shape)
        strides = [0 if n == 1 else s for n, s in zip(self.shape, self.strides, strict=True)]
        return Operand(self.cell, self.offset, (*[0] * missing, *strides))


class Memory:
    """What a program and the steps of its loops share: further cells, scratch, and constants."""

    def __init__(self) -> None:
        self.count = 0  # further cells
        self.size = 0  # bytes of scratch
        self.kept: list[np.ndarray[Any, Any]] = []  # constants, which have to stay where they are
        self.numbers: dict[Any, Place] = {}
        self.calls: list[tuple[int, Any]] = []  # cells of functions of Python, and what makes these for a workspace

    def cell(self) -> int:
        """A further cell."""
        self.count += 1
        return FIRST + self.count - 1

    def room(self, nbytes: int) -> int:
        """A place in scratch, of its own."""
        start = self.size
        self.size += -(-max(nbytes, 1) // ALIGNMENT) * ALIGNMENT if nbytes > 16 else 16
        return start


class Places:
    """The places of a program's values; `within` is the program in whose loop this one is a step."""

    def __init__(self, plan: Plan, within: Places | None = None) -> None:
        self.plan = plan
        self.places: dict[Value, Place | None] = {}
        self.cells: dict[Value, int] = {}  # of roots whose address the call tells
        self.memory: Memory = Memory() if within is None else within.memory
        self.is_step = within is not None
        self.space = (SPACE, 0) if within is None else (SCRATCH, self.memory.room(plan.size))

    def place(self, v: Value) -> Place | None:
        """Where v lies; None if it is not an array, or nobody knows how it will lie."""
        if v not in self.places:
            self.places[v] = self._place(v)
        return self.places[v]

    def _place(self, v: Value) -> Place | None:
        if v.shape is None or v.dtype.char not in PLAIN or not v.dtype.isnative:
            return None
        if v.constant:
            return self.constant(np.asarray(v.example))
        if v.weak and type(v.example) is not float:  # the number of a step has its place already
            return None
        root = self.plan.root[v]
        kind = self.plan.kind[root]
        if root is not v:
            if not looks_only(v) and all(i.shape != v.shape for i in v.inputs):  # a part, and the values tell which
                return None
            return self._view(v, v.inputs[0] if v.title in VIEWS else root)
        if kind == "buffer":
            return Place(self.space[0], self.space[1] + self.plan.offset[v], v.shape, strides_of(v), v.dtype)
        if kind == "donated":
            over = self.place(self.plan.shared[v])
            return over
        if kind == "block" or (v.shape and (not isinstance(v.example, np.ndarray) or overlaps(v.example))):
            return None
        strides = v.strides if v.shape else ()
        if not is_aligned(v):  # a field of a packed structured array: it is brought into order at each call
            strides = np.empty_like(v.example).strides
        return self._anew(v, strides)

    def _anew(self, v: Value, strides: tuple[int, ...]) -> Place | None:
        """An array of v's own that lies so."""
        if self.is_step:
            return None if v.nbytes > FAR else Place(SCRATCH, self.memory.room(v.nbytes), v.shape, strides, v.dtype)
        if v not in self.cells:
            self.cells[v] = self.memory.cell()
        return Place(self.cells[v], 0, v.shape, strides, v.dtype)

    def written_out(self, v: Value) -> Place | None:
        """An array for what NumPy spreads without writing it."""
        self.places[v] = self._anew(v, c_strides(v.shape, v.dtype.itemsize))
        return self.places[v]

    def _view(self, v: Value, of: Value) -> Place | None:
        base = self.place(of)
        x, y = of.example, v.example
        if v.title == "getitem" and not v.shape and base is not None and not v.weak:  # one number
            key = v.params["key"]
            return part_of(base, key if isinstance(key, tuple) else (key,))
        if base is not None and not of.shape and v.title in VIEWS and not v.weak and base.dtype == v.dtype:
            return base._replace(shape=v.shape, strides=(0,) * len(v.shape))
        if base is None or v.weak or not isinstance(x, np.ndarray) or not isinstance(y, np.ndarray):
            return None
        lies = all(n == 1 or a == b for n, a, b in zip(x.shape, x.strides, base.strides, strict=True)) or not x.size
        if not lies or not (np.may_share_memory(x, y) or not y.size):
            return None
        return Place(base.cell, base.offset + address_of(y) - address_of(x), v.shape, y.strides, v.dtype)

    def constant(self, data: np.ndarray[Any, Any]) -> Place:
        if not data.flags.aligned or not data.dtype.isnative:
            data = np.array(data, data.dtype.newbyteorder("="))
        self.memory.kept.append(data)
        return Place(ABSOLUTE, address_of(data), data.shape, data.strides, data.dtype)

    def number(self, number: Any, dtype: Any) -> Place | None:
        """A known number in the dtype in which it is taken."""
        key = (repr(number), dtype)
        numbers = self.memory.numbers
        if key not in numbers:
            try:
                numbers[key] = self.constant(np.array(number, dtype))
            except OverflowError:
                return None
        return numbers[key]

    def own(self, shape: tuple[int, ...], dtype: Any) -> Place:
        """A new array in scratch, in order."""
        strides = np.empty(shape, dtype).strides if math.prod(shape) < 1 << 20 else c_strides(shape, dtype.itemsize)
        return Place(SCRATCH, self.memory.room(math.prod(shape) * dtype.itemsize), shape, strides, dtype)

    def scratch(self, start: int, shape: tuple[int, ...], dtype: Any) -> Place:
        """An array in order, in a room of scratch."""
        return Place(SCRATCH, start, shape, c_strides(shape, dtype.itemsize), dtype)

    def in_a_row(self, p: Place, before: list[int]) -> Place | None:
        """All elements in order, as one row; the words of a copy that may take are added to `before`."""
        order, n = c_strides(p.shape, p.dtype.itemsize), math.prod(p.shape)
        if any(m > 1 and s != t for m, s, t in zip(p.shape, p.strides, order, strict=True)):
            whole = self.own(p.shape, p.dtype)._replace(strides=order)
            moved = None if n * p.dtype.itemsize > FAR else self.moved(p, whole, p.shape)
            if moved is None:
                return None
            p = whole
            before += moved
        return p._replace(shape=(n,), strides=(p.dtype.itemsize,))

    def moved(self, source: Place, target: Place, shape: Sequence[int]) -> list[int] | None:
        """A copy, converted where the dtypes differ."""
        by = caster(source.dtype, target.dtype)
        return None if by is None else loop_words(by, shape, [source.over(shape), target.over(shape)])

    def taken(self, i: Value, dtype: Any, before: list[int]) -> Place | None:
        """Where i lies in the dtype in which it is read; the words that convert it are added to `before`."""
        if i.constant and i.weak:
            return self.number(i.example, dtype)
        given = self.place(i)
        if given is None or given.dtype == dtype:
            return given
        if i.constant and given.cell == ABSOLUTE:  # elsewhere it is taken a block at a time
            if given.shape != i.shape:  # one number stands for all of it
                return self.number(first_of(i), dtype)
            return self.constant(np.asarray(i.example).astype(dtype))
        out = self.own(given.shape, np.dtype(dtype))
        words = self.moved(given, out, given.shape)
        if words is None or math.prod(given.shape) * np.dtype(dtype).itemsize > FAR:
            return None
        before += words
        return out


def part_of(p: Place, key: tuple[Any, ...]) -> Place:
    """What a basic index reads of an array."""
    return seen(p, lambda whole: whole[key if any(k is Ellipsis for k in key) else (*key, Ellipsis)])


def seen(p: Place, view: Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]) -> Place:
    """What a view shows of an array."""
    whole = like(p)
    part = view(whole)
    return p._replace(offset=p.offset + address_of(part) - address_of(whole), shape=part.shape, strides=part.strides)


def like(p: Place) -> np.ndarray[Any, Any]:
    """An array that lies as this one does, with nothing in it."""
    steps = [s * (n - 1) for n, s in zip(p.shape, p.strides, strict=True)]
    low, high = sum(min(s, 0) for s in steps), sum(max(s, 0) for s in steps)
    if 0 in p.shape:
        return np.empty(p.shape, p.dtype)
    return np.ndarray(p.shape, p.dtype, np.empty(high - low + p.dtype.itemsize, np.uint8), -low, p.strides)


def first_of(v: Value) -> Any:
    """The first element of a constant."""
    return np.ravel(v.example)[0]


def is_uniform(v: Value) -> bool:
    """Whether v is known, and all of its elements are one number, of one sign if they are 0."""
    if not (v.constant and v.size and v.is_number(first_of(v))):
        return False
    return bool(first_of(v) != 0) or np.ravel(v.example).tobytes() == first_of(v).tobytes() * v.size


def turned(p: Place) -> Place:
    return p._replace(shape=(*p.shape[:-2], *p.shape[:-3:-1]), strides=(*p.strides[:-2], *p.strides[:-3:-1]))


def of_matrices(p: Place, row: bool, column: bool) -> Place:
    """The results of products with the axes of length 1 that a row on the left and a column on the right leave out."""
    size = p.dtype.itemsize
    if row:
        k = len(p.shape) - (not column)
        step = size if column else p.shape[k] * p.strides[k]
        p = p._replace(shape=(*p.shape[:k], 1, *p.shape[k:]), strides=(*p.strides[:k], step, *p.strides[k:]))
    return p._replace(shape=(*p.shape, 1), strides=(*p.strides, size)) if column else p


def split_up(p: Place, many: Sequence[int]) -> Operand:
    """A stack of matrices as an operand whose core is one of them."""
    return p._replace(shape=p.shape[:-2], strides=p.strides[:-2]).over(many)._replace(core=p.strides[-2:])


def meet(out: Place, others: Sequence[Place]) -> bool:
    """Whether what is written might lie over one of these."""
    low, high = _interval(out)
    for p in others:
        first, last = _interval(p)
        if p.cell == out.cell and first < high and low < last:
            return True
        if p.cell != out.cell and not {ABSOLUTE, SPACE, SCRATCH}.intersection((p.cell, out.cell)):
            return True  # two arrays of the caller may be one; memory of the program's own is cut up by rooms
    return False


def _interval(p: Place) -> tuple[int, int]:
    steps = [s * (n - 1) for n, s in zip(p.shape, p.strides, strict=True)]
    return p.offset + sum(min(s, 0) for s in steps), p.offset + sum(max(s, 0) for s in steps) + p.dtype.itemsize


def overlaps(x: np.ndarray[Any, Any]) -> bool:
    """Whether two elements share memory, as those of a row that is spread do."""
    return x.size > 1 and any(s == 0 and n > 1 for s, n in zip(x.strides, x.shape, strict=True))


def address_of(x: np.ndarray[Any, Any]) -> int:
    return int(x.__array_interface__["data"][0])


def c_strides(shape: Sequence[int], itemsize: int) -> tuple[int, ...]:
    strides = [itemsize] * len(shape)
    for k in range(len(shape) - 2, -1, -1):
        strides[k] = strides[k + 1] * max(shape[k + 1], 1)
    return tuple(strides)


def strides_of(v: Value, dtype: Any = None) -> tuple[int, ...]:
    """How a buffer for v lies, or one with its elements in this order and another dtype."""
    inner, inverse = layout(v)
    strides = c_strides(inner, (v.dtype if dtype is None else dtype).itemsize)
    return strides if inverse is None else tuple(strides[k] for k in inverse)


def is_aligned(v: Value) -> bool:
    """Whether all elements can lie where a machine's loop reads them, if the first one does."""
    return not v.shape or all(n == 1 or s % v.dtype.alignment == 0 for n, s in zip(v.shape, v.strides, strict=True))


def is_known(v: Value) -> bool:
    return v.shape is not None and v.dtype.char in PLAIN and v.dtype.isnative


def is_compact(v: Value) -> bool:
    """Whether v's elements fill a piece of memory."""
    strides = sorted(s for s, n in zip(v.strides, v.shape, strict=True) if n > 1) if v.shape else []
    extent = sum(s * (n - 1) for s, n in zip(v.strides, v.shape, strict=True)) + v.dtype.itemsize if v.shape else 0
    return not v.size or not v.shape or (min(strides, default=1) > 0 and extent == v.nbytes)
