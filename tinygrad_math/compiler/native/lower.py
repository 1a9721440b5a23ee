"""What a program becomes for the machine: for each instruction that has a native form its words, and where values lie.

Values lie where the memory plan says. What the plan leaves to the call, numbers and arrays that are not returned, has
a place in a second piece of memory, `scratch`. Instructions without a native form stay calls of NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..calls import VIEWS, call, looks_only
from ..memory import Plan, layout
from ..memory import plan as plan_of
from ..packing import ALIGNMENT
from ..passes.loops import Repeated
from ..program import Program, Value
from .loops import PLAIN, Loop, caster, chooser, copier, keeper, loop, slope, softplus
from .machine import REPEAT, SET
from .products import LARGEST, WIDEST, nanoseconds, of_blas, product
from .table import Operand, loop_words, merged

ABSOLUTE, SPACE, SCRATCH = 0, 1, 2  # cells that are the same in each call
FIRST = 3  # cell of an array whose address the call tells
FEW = 16  # numbers that may be summed one by one: NumPy's pairwise sums of up to 128 take as many steps in a row
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

    def cell(self) -> int:
        """A further cell."""
        self.count += 1
        return FIRST + self.count - 1

    def room(self, nbytes: int) -> int:
        """A place in scratch, of its own."""
        start = self.size
        self.size += -(-max(nbytes, 1) // ALIGNMENT) * ALIGNMENT if nbytes > 16 else 16
        return start


class Lowered:
    """A program's table in pieces, one for each native instruction, and the places of its values.

    `within` is the program in whose loop this one is a step.
    """

    def __init__(self, program: Program, plan: Plan, within: Lowered | None = None) -> None:
        self.program, self.plan = program, plan
        self.words: dict[Value, list[int]] = {}  # of what is native; none for a view
        self.cells: dict[Value, int] = {}  # of roots whose address the call tells
        self.slots: dict[Value, int] = {}  # of roots that have a place in `scratch`, if they are no objects
        self.places: dict[Value, Place | None] = {}
        self.memory: Memory = Memory() if within is None else within.memory
        self.is_step = within is not None
        self.space = (SPACE, 0) if within is None else (SCRATCH, self.memory.room(plan.size))
        self.parts: dict[Value, list[Value]] = {}  # loop -> what is taken out of its results
        self.products: dict[Value, tuple[Place, Place, list[int]]] = {}  # of our own: what is multiplied
        self.within: dict[Value, Value] = {}  # what adds biases -> the product that it makes itself
        self.latest: Value | None = None  # the last instruction that does something
        self.counters: set[Value] = set()  # numbers of steps, which are whole numbers in memory
        self.joined = plan.joined()
        self.chained = {v for chain in plan.chains for v in chain.members}
        if within is None:
            self.lower()

    def lower(self) -> None:
        self.users = self.program.users()
        for v in self.program.body:
            words = None if v in self.chained else self._words(v) if self._is_plain(v) else self._parts(v)
            if words is not None:
                self.words[v] = words
                self.latest = v if words else self.latest
        self.outside = self._read_outside()
        for v in self.words:
            if v in self.cells and (v.shape == () or v not in self.outside):
                self.slots[v] = self.memory.room(v.nbytes)

    def is_native(self, v: Value) -> bool:
        return v in self.words

    def _read_outside(self) -> set[Value]:
        """The roots that lines of NumPy read, or that are returned."""
        lines = [v for v in self.program.body if not self.is_native(v)]
        read = [*(i for v in lines for i in v.inputs), *self.program.results]
        return {self.plan.root[i] for i in read if i in self.plan.root}

    # -- places ------------------------------------------------------------------------------------------------------
    def place(self, v: Value) -> Place | None:
        """Where v lies; None if it is not an array, or nobody knows how it will lie."""
        if v not in self.places:
            self.places[v] = self._place(v)
        return self.places[v]

    def _place(self, v: Value) -> Place | None:
        if v.shape is None or v.dtype.char not in PLAIN or not v.dtype.isnative:
            return None
        if v.constant:
            return self._constant(np.asarray(v.example))
        if v.weak and type(v.example) is not float:  # the number of a step has its place already
            return None
        root = self.plan.root[v]
        kind = self.plan.kind[root]
        if root is not v:
            return self._view(v, v.inputs[0] if v.title in VIEWS else root)
        if kind == "buffer":
            inner, inverse = layout(v)
            strides = _c_strides(inner, v.dtype.itemsize)
            strides = strides if inverse is None else tuple(strides[k] for k in inverse)
            return Place(self.space[0], self.space[1] + self.plan.offset[v], v.shape, strides, v.dtype)
        if kind == "donated":
            over = self.place(self.plan.shared[v])
            return over
        if kind == "block" or (v.shape and (not isinstance(v.example, np.ndarray) or _overlaps(v.example))):
            return None
        strides = v.strides if v.shape else ()
        if self.is_step:
            return None if v.nbytes > FAR else Place(SCRATCH, self.memory.room(v.nbytes), v.shape, strides, v.dtype)
        if v not in self.cells:
            self.cells[v] = self.memory.cell()
        return Place(self.cells[v], 0, v.shape, strides, v.dtype)

    def _view(self, v: Value, of: Value) -> Place | None:
        base = self.place(of)
        x, y = of.example, v.example
        if base is None or v.weak or not isinstance(x, np.ndarray) or not isinstance(y, np.ndarray):
            return None
        lies = all(n == 1 or a == b for n, a, b in zip(x.shape, x.strides, base.strides, strict=True)) or not x.size
        if not lies or not (np.may_share_memory(x, y) or not y.size):
            return None
        return Place(base.cell, base.offset + _address(y) - _address(x), v.shape, y.strides, v.dtype)

    def _constant(self, data: np.ndarray[Any, Any]) -> Place:
        if not data.flags.aligned or not data.dtype.isnative:
            data = np.array(data, data.dtype.newbyteorder("="))
        self.memory.kept.append(data)
        return Place(ABSOLUTE, _address(data), data.shape, data.strides, data.dtype)

    def _number(self, number: Any, dtype: Any) -> Place | None:
        """A known number in the dtype in which it is taken."""
        key = (repr(number), dtype)
        numbers = self.memory.numbers
        if key not in numbers:
            try:
                numbers[key] = self._constant(np.array(number, dtype))
            except OverflowError:
                return None
        return numbers[key]

    def own(self, shape: tuple[int, ...], dtype: Any) -> Place:
        """A new array in scratch, in order."""
        strides = np.empty(shape, dtype).strides if math.prod(shape) < 1 << 20 else _c_strides(shape, dtype.itemsize)
        return Place(SCRATCH, self.memory.room(math.prod(shape) * dtype.itemsize), shape, strides, dtype)

    def _is_plain(self, v: Value) -> bool:
        """Whether v and all that it reads are arrays and numbers that the machine knows."""
        if v.shape is None or v.dtype.char not in PLAIN or not v.dtype.isnative or getattr(v.op, "random", False):
            return False
        if v.title == "select" or (v.weak and type(v.example) is not float):
            return False
        return all(
            i.shape is not None and i.dtype.char in PLAIN and i.dtype.isnative
            and (not i.weak or i.constant or type(i.example) is float or i in self.counters)
            for i in v.inputs
        )  # fmt: skip

    # -- instructions ------------------------------------------------------------------------------------------------
    def _words(self, v: Value) -> list[int] | None:
        kind = self.plan.kind_of(v)
        root = self.plan.root[v]
        if v in self.joined:
            return []
        if root is not v:
            if not looks_only(v):
                return None
            return self._copied_view(v) if self.place(v) is None else []
        out = self.place(v)
        if out is None or (kind == "fresh" and v.nbytes > FAR):
            return None
        if v.elementwise:
            return self._elementwise(v, out)
        if v.ufunc is np.matmul:
            return self._matmul(v, out)
        written = call(v, ["x"] * len(v.inputs), "out" if v.shape else None) is not None
        write = _WRITERS.get(v.title)
        if v.title in VIEWS and written:  # whose example is a copy
            return self._copy(v.inputs[0], v, out)
        return None if write is None or not written else write(self, v, out)

    def _parts(self, v: Value) -> list[int] | None:
        """A loop, and what is taken out of its results."""
        if v.title == "select":
            return [] if self.is_native(v.inputs[0]) else None
        if not isinstance(v.op, Repeated):
            return None
        parts = {u.params["index"]: u for u in self.program.body if u.title == "select" and u.inputs[0] is v}
        words = rounds(self, v, v.op, parts)
        if words is not None:
            self.parts[v] = list(parts.values())
        return words

    def _copied_view(self, v: Value) -> list[int] | None:
        """What may be a view of an argument that lies otherwise, and is a copy of the one that is given here."""
        given = self.place(v.inputs[0]) if v.inputs else None
        if v.title not in _RESHAPES or given is None or call(v, ["x"], None) is None:
            return None
        if not isinstance(v.example, np.ndarray) or v.weak or v.nbytes > FAR or given.dtype != v.dtype:
            return None
        out = self.own(given.shape, v.dtype)  # of the order of the elements; then it is read in the new shape
        self.places[v] = Place(out.cell, out.offset, v.shape, _c_strides(v.shape, v.dtype.itemsize), v.dtype)
        return self._moved(given, out, given.shape)

    def _moved(self, source: Place, target: Place, shape: Sequence[int]) -> list[int] | None:
        """A copy, converted where the dtypes differ."""
        by = caster(source.dtype, target.dtype)
        return None if by is None else loop_words(by, shape, [source.over(shape), target.over(shape)])

    def _copy(self, x: Value, v: Value, out: Place) -> list[int] | None:
        """A reshape that copies: written in the shape of what is read, as both are in order."""
        given = self.place(x)
        if given is None or given.dtype != out.dtype or out.strides != _c_strides(out.shape, out.dtype.itemsize):
            return None
        if math.prod(given.shape) != math.prod(out.shape):
            return None
        shape = given.shape
        target = Place(out.cell, out.offset, shape, _c_strides(shape, out.dtype.itemsize), out.dtype)
        return self._moved(given, target, shape)

    def taken(self, i: Value, dtype: Any, before: list[int]) -> Place | None:
        """Where i lies in the dtype in which it is read; the words that convert it are added to `before`."""
        if i.constant and (i.weak or i.dtype != dtype):
            if i.weak:
                return self._number(i.example, dtype)
            return self._constant(np.asarray(i.example).astype(dtype))
        given = self.place(i)
        if given is None or given.dtype == dtype:
            return given
        out = self.own(given.shape, np.dtype(dtype))
        words = self._moved(given, out, given.shape)
        if words is None or math.prod(given.shape) * np.dtype(dtype).itemsize > FAR:
            return None
        before += words
        return out

    def _elementwise(self, v: Value, out: Place) -> list[int] | None:
        assert v.ufunc is not None
        if v.ufunc.nout != 1 or v.params or len(v.inputs) != v.ufunc.nin:
            return None
        if v.ufunc is np.add and self.products:
            words = self._with_biases(v, out)
            if words is not None:
                return words
        given = [type(i.example) if i.weak else i.dtype for i in v.inputs]
        by = loop(v.ufunc, tuple(np.dtype(bool) if g is bool else g for g in given))
        if by is None or by.dtypes[-1] != out.dtype:
            return None
        if v.ufunc is np.logaddexp:
            for x, zero in (v.inputs, v.inputs[::-1]):
                soft = softplus(out.dtype) if zero.is_number(0) and x.dtype == out.dtype and not x.weak else None
                if soft is not None:
                    return self._through(soft, [x], out, out.shape)
        return self._through(by, v.inputs, out, out.shape)

    def _through(self, by: Loop, inputs: Sequence[Value], out: Place, shape: Sequence[int]) -> list[int] | None:
        """A loop over whole arrays."""
        words: list[int] = []
        places = [self.taken(i, d, words) for i, d in zip(inputs, by.dtypes, strict=False)]
        if any(p is None for p in places):
            return None
        return words + loop_words(by, shape, [*(p.over(shape) for p in places if p is not None), out.over(shape)])

    def _matmul(self, v: Value, out: Place) -> list[int] | None:
        assert v.ufunc is not None
        by = loop(v.ufunc, tuple(i.dtype for i in v.inputs))
        words: list[int] = []
        if by is None or v.params or any(i.weak for i in v.inputs) or by.dtypes[-1] != out.dtype:
            return None
        a, b = (self.taken(i, d, words) for i, d in zip(v.inputs, by.dtypes, strict=False))
        if a is None or b is None:
            return None
        size = out.dtype.itemsize
        if len(a.shape) == 1:
            a = a._replace(shape=(1, *a.shape), strides=(a.shape[0] * size, *a.strides))
            out = out._replace(
                shape=(*out.shape[:-1], 1, *out.shape[-1:]) if len(b.shape) > 1 else (1,),
                strides=(*out.strides[:-1], out.shape[-1] * size, *out.strides[-1:]) if len(b.shape) > 1 else (size,),
            )
        if len(b.shape) == 1:
            b = b._replace(shape=(*b.shape, 1), strides=(*b.strides, size))
            out = out._replace(shape=(*out.shape, 1), strides=(*out.strides, size))
        if 0 in (a.shape[-2], b.shape[-1]):
            return words
        ours = self._product(v, a, b, out, None) if out.dtype.char in "df" else None
        if ours is not None:
            if len(out.shape) == 2:
                self.products[v] = a, b, words
            return words + ours
        many = out.shape[:-2]
        core = (a.shape[-2], a.shape[-1], b.shape[-1])
        return words + loop_words(by, many, [_split(p, many) for p in (a, b, out)], core)

    def _product(self, v: Value, a: Place, b: Place, out: Place, start: Place | None) -> list[int] | None:
        """The words of a product of our own, as it stands or turned; none where BLAS is quicker."""
        left, right, target, begin = a, b, out, start
        quickest = _time_of_product(a, b, out, start)
        turned = _turned(b), _turned(a), _turned(out), None if start is None else _turned(start)
        if _time_of_product(*turned) < quickest:
            quickest, (left, right, target, begin) = _time_of_product(*turned), turned
        if quickest >= of_blas(out.dtype.char, a.shape[-2], a.shape[-1], b.shape[-1]):
            return None
        by = Loop(product(out.dtype.char), int(begin is not None), (out.dtype,) * 4)
        many = out.shape[:-2]
        operands = [_split(p, many) for p in (left, right, target, target if begin is None else begin)]
        return loop_words(by, many, operands, (left.shape[-2], left.shape[-1], right.shape[-1]))

    def _with_biases(self, v: Value, out: Place) -> list[int] | None:
        """A row or a column added to a product that is made just before: the product's sums begin with it."""
        for m, bias in (v.inputs, v.inputs[::-1]):
            if m not in self.products or self.latest is not m or self.users[m] != 1 or bias.shape is None:
                continue
            a, b, words = self.products[m]
            given = None if bias.weak or bias.dtype != out.dtype else self.place(bias)
            if given is None or len(out.shape) != 2 or len(given.shape) > 2 or _meet(out, (a, b)):
                continue
            start = Place(given.cell, given.offset, out.shape, given.over(out.shape).strides, out.dtype)
            if 0 not in start.strides or _meet(out, (given,)) or out.shape != m.shape:
                continue
            found = self._product(m, a, b, out, start)
            if found is not None:
                self.words[m] = []
                self.within[v] = m
                return words + found
        return None

    # -- the others --------------------------------------------------------------------------------------------------
    def _reduction(self, v: Value, out: Place) -> list[int] | None:
        u = _REDUCTIONS[v.title]
        truth = u in (np.logical_or, np.logical_and)
        by = loop(u, (np.dtype(bool),) * 2 if truth else (v.dtype,) * 2)
        words: list[int] = []
        x = v.inputs[0]
        if by is None or by.dtypes[-1] != out.dtype or x.weak:
            return None
        source = self.taken(x, by.dtypes[0], words)
        if source is None:
            return None
        axis = v.params.get("axis")
        n = len(source.shape)
        axes = range(n) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        along = {int(k) % n for k in axes} if n else set()
        if v.params.get("keepdims", False) or not n:
            spread = [0 if k in along else s for k, s in enumerate(out.strides)] if n else []
        else:
            rest = iter(out.strides)
            spread = [0 if k in along else next(rest) for k in range(n)]
        target = Operand(out.cell, out.offset, tuple(spread))
        whole = source.over(source.shape)
        if u in (np.maximum, np.minimum):
            if 0 in source.shape:
                return None
            kept = [1 if k in along else m for k, m in enumerate(source.shape)]
            words += loop_words(copier(out.dtype), kept, [whole, target])  # the first along the axes
        else:
            start = self._number(np.array(u.identity, out.dtype), out.dtype)
            assert start is not None
            words += loop_words(copier(out.dtype), out.shape, [start.over(out.shape), out.over(out.shape)])
        if 0 in source.shape:
            return words
        split = len(merged([source.shape[k] for k in along], [[source.strides[k] for k in along]])[0]) > 1
        if split and u is np.add and out.dtype.kind in "fc":  # as one row, which is summed pairwise, as NumPy does
            if v.inputs[0].nbytes > FAR:
                return None
            order = [*(k for k in range(n) if k not in along), *sorted(along)]
            row = self.own(tuple(source.shape[k] for k in order), source.dtype)
            strides = [0] * n
            for k, s in zip(order, row.strides, strict=True):
                strides[k] = s
            row = Place(row.cell, row.offset, source.shape, tuple(strides), source.dtype)
            words += loop_words(copier(source.dtype), source.shape, [whole, row.over(source.shape)])
            source = row
        return words + self._gathered(u, by, source, target, along)

    def _gathered(self, u: Any, by: Loop, source: Place, target: Operand, along: set[int]) -> list[int]:
        """`target` with all elements of `source` taken in, in the order in which NumPy takes them."""
        whole = source.over(source.shape)
        few = all(source.shape[k] <= FEW for k in along)
        order = sorted(range(len(source.shape)), key=lambda k: (-abs(whole.strides[k]), k))
        if few and len(along) == 1:
            (k,) = along
            order.remove(k)
            order.insert(0, k)
        shape = [source.shape[k] for k in order]
        rows = [Operand(o.cell, o.offset, tuple(o.strides[k] for k in order)) for o in (target, whole, target)]
        return loop_words(by, shape, rows, in_order=not few and u in (np.add, np.multiply))

    def _where(self, v: Value, out: Place) -> list[int] | None:
        words: list[int] = []
        c, a, b = v.inputs
        places = [self.taken(i, d, words) for i, d in ((c, np.dtype(bool)), (a, v.dtype), (b, v.dtype))]
        if c.weak or any(p is None for p in places) or any(i.weak and not i.constant for i in v.inputs):
            return None
        operands = [*(p.over(v.shape) for p in places if p is not None), out.over(v.shape)]
        return words + loop_words(chooser(v.dtype), v.shape, operands)

    def _keep(self, v: Value, out: Place) -> list[int] | None:
        return self._through(keeper(v.dtype), v.inputs, out, v.shape)

    def _astype(self, v: Value, out: Place) -> list[int] | None:
        given = self.place(v.inputs[0])
        return None if given is None else self._moved(given, out, v.shape)

    def _slope(self, v: Value, out: Place) -> list[int] | None:
        if v.dtype.char not in "df" or any(i.weak or i.dtype != v.dtype for i in v.inputs):
            return None
        return self._through(slope(v.dtype), v.inputs, out, v.shape)

    def _concat(self, v: Value, out: Place) -> list[int] | None:
        axis = v.params.get("axis", 0)
        stacked = v.title == "stack"
        if axis is None:
            return None
        axis %= len(v.shape)
        words: list[int] = []
        start = 0
        for i in v.inputs:
            part = self.taken(i, v.dtype, words)
            if part is None:
                return None
            if stacked:
                part = part._replace(
                    shape=(*part.shape[:axis], 1, *part.shape[axis:]),
                    strides=(*part.strides[:axis], 0, *part.strides[axis:]),
                )
            here = out._replace(offset=out.offset + start * out.strides[axis], shape=part.shape)
            words += loop_words(copier(v.dtype), part.shape, [part.over(part.shape), here.over(part.shape)])
            start += part.shape[axis]
        return words


_RESHAPES = {"reshape", "expand_dims", "squeeze", "ravel", "flatten", "unsqueeze"}
_REDUCTIONS = {
    "sum": np.add, "prod": np.multiply, "any": np.logical_or, "all": np.logical_and,
    "max": np.maximum, "amax": np.maximum, "min": np.minimum, "amin": np.minimum,
}  # fmt: skip
_WRITERS: dict[str, Any] = {
    **dict.fromkeys(_REDUCTIONS, Lowered._reduction), "where": Lowered._where, "keep": Lowered._keep,
    "astype": Lowered._astype, "tanh_slope": Lowered._slope, "concat": Lowered._concat, "stack": Lowered._concat,
}  # fmt: skip


def _turned(p: Place) -> Place:
    return p._replace(shape=(*p.shape[:-2], *p.shape[:-3:-1]), strides=(*p.strides[:-2], *p.strides[:-3:-1]))


def _split(p: Place, many: Sequence[int]) -> Operand:
    """A stack of matrices as an operand whose core is one of them."""
    return p._replace(shape=p.shape[:-2], strides=p.strides[:-2]).over(many)._replace(core=p.strides[-2:])


def _time_of_product(a: Place, b: Place, out: Place, start: Place | None) -> float:
    """Nanoseconds of one of our products; without an end if it cannot be one."""
    (n, k), m, size = a.shape[-2:], b.shape[-1], out.dtype.itemsize
    copied = m > 1 and b.strides[-1] != size
    if not k or (k * m > LARGEST if copied else k * m * size > WIDEST):
        return math.inf
    if start is not None and m > 1 and start.strides[-1] not in (0, size):
        return math.inf
    return nanoseconds(out.dtype.char, n, k, m, copied, m > 1 and out.strides[-1] != size)


def _meet(out: Place, others: Sequence[Place]) -> bool:
    """Whether what is written might lie over one of these."""
    low, high = _interval(out)
    for p in others:
        first, last = _interval(p)
        if p.cell == out.cell and first < high and low < last:
            return True
        if p.cell != out.cell and SPACE not in (p.cell, out.cell) and p.cell != ABSOLUTE:
            return True  # two arrays of the caller may be one
    return False


def _interval(p: Place) -> tuple[int, int]:
    steps = [s * (n - 1) for n, s in zip(p.shape, p.strides, strict=True)]
    return p.offset + sum(min(s, 0) for s in steps), p.offset + sum(max(s, 0) for s in steps) + p.dtype.itemsize


def _overlaps(x: np.ndarray[Any, Any]) -> bool:
    """Whether two elements share memory, as those of a row that is spread do."""
    return x.size > 1 and any(s == 0 and n > 1 for s, n in zip(x.strides, x.shape, strict=True))


def _address(x: np.ndarray[Any, Any]) -> int:
    return int(x.__array_interface__["data"][0])


def _c_strides(shape: Sequence[int], itemsize: int) -> tuple[int, ...]:
    strides = [itemsize] * len(shape)
    for k in range(len(shape) - 2, -1, -1):
        strides[k] = strides[k + 1] * max(shape[k + 1], 1)
    return tuple(strides)


# -- loops ------------------------------------------------------------------------------------------------------------
def rounds(around: Lowered, v: Value, op: Repeated, parts: dict[int, Value]) -> list[int] | None:
    """A loop whose step is native as a whole: what happens before it, the machine's own loop, and what happens after.

    A carry has two places, which change roles after each step: the step reads the one and writes the other.
    """
    how, step = op.how, op.step
    if how.counted or op.condition is not None or how.length is None or op.random:
        return None
    if not all(_is_known(u) for u in (*parts.values(), *step.results)):
        return None
    inner = Lowered(step, plan_of(step), around)
    if inner.plan.chains:
        return None
    loop = _Rounds(around, inner, op)
    given = iter(step.arguments)
    return loop.words(v, given, parts)


class _Rounds:
    def __init__(self, around: Lowered, inner: Lowered, op: Repeated) -> None:
        self.around, self.inner, self.how, self.step = around, inner, op.how, op.step
        self.memory = around.memory
        self.before: list[int] = []
        self.body: list[int] = []
        self.after: list[int] = []
        self.moves: list[tuple[int, int]] = []
        self.swaps: list[tuple[int, int]] = []
        self.counting: list[int] = []  # the last instruction of a step that knows its number
        self.length = op.how.length or 0

    def words(self, v: Value, arguments: Any, parts: dict[int, Value]) -> list[int] | None:
        how, around, inner = self.how, self.around, self.inner
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
                moved = None if place is None else around._moved(now, place, place.shape)
                if moved is None:
                    return None
                self.after += moved
        pairs = [w for pair in (*self.moves, *self.swaps) for w in pair]
        head = [0, REPEAT, 7 + len(pairs) + len(self.body), self.length, 7 + len(pairs), len(self.moves)]
        return [*self.before, *head, len(self.swaps), *pairs, *self.body, *self.after]

    def _count(self, number: Value) -> None:
        """The number of a step, as a whole number in memory."""
        whole = np.dtype(np.int64)
        place = self.around.own((), whole)
        start = self.around._number(self.length - 1 if self.how.backwards else 0, whole)
        one = self.around._number(-1 if self.how.backwards else 1, whole)
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
        if argument.weak or not _is_known(argument):
            return None
        cells = self.memory.cell(), self.memory.cell()
        for cell in cells:
            room = self.memory.room(argument.nbytes)
            self.before += [0, SET, 6, cell, SCRATCH, room]
        now, after = (Place(cell, 0, argument.shape, strides, argument.dtype) for cell in cells)
        self.swaps.append(cells)
        words: list[int] = []
        given = self.around.taken(start, argument.dtype, words)
        moved = None if given is None or start.shape != argument.shape else self.around._moved(given, now, now.shape)
        if moved is None or not _is_compact(argument):
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
        if not _is_compact(like) or nbytes > FAR:
            return None
        ahead = _c_strides(shape[: len(shape) - len(wanted)], like.nbytes)
        own = Place(SCRATCH, self.memory.room(nbytes), shape, (*ahead, *wanted), like.dtype)
        moved = self.around._moved(given, own, shape)
        self.before += moved or []
        return own if moved is not None else None

    def _row(self, whole: Value, argument: Value) -> bool:
        """The row that a step takes."""
        given = self.around.place(whole)
        if given is None or argument.weak or not _is_known(argument) or given.dtype != argument.dtype:
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
            self.inner.places[argument] = self.around._constant(np.asarray(outside.example))
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
        moved = None if place is None else self.inner._moved(place, target, target.shape)
        self.body += words + (moved or [])
        return moved is not None


def _is_known(v: Value) -> bool:
    return v.shape is not None and v.dtype.char in PLAIN and v.dtype.isnative


def _is_compact(v: Value) -> bool:
    """Whether v's elements fill a piece of memory."""
    strides = sorted(s for s, n in zip(v.strides, v.shape, strict=True) if n > 1) if v.shape else []
    extent = sum(s * (n - 1) for s, n in zip(v.strides, v.shape, strict=True)) + v.dtype.itemsize if v.shape else 0
    return not v.size or not v.shape or (min(strides, default=1) > 0 and extent == v.nbytes)
