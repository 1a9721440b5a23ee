"""Reading and adding at positions that an array of whole numbers names, along one axis: gather, scatter and add_at.

A position beyond the axis is noted in a flag, and the machine stops there: the program is then run again step by step,
and the op itself says what is wrong. Sums are taken in the order in which the positions stand, as NumPy takes them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..program import Value
from .assembly import Writer, assemble, llvm, once
from .instructions import Instructions
from .loops import Loop, copier, machine_type
from .machine import LIMIT
from .places import Place, address_of, c_strides
from .table import Operand, loop_words, merged

Words = list[int] | None
_WORD = np.dtype(np.int64)
_WHOLE = slice(None)


class _Axis(NamedTuple):
    """What is picked from, and the places named: `ahead` axes stand before the axis, `behind` after it."""

    number: int
    length: int
    positions: Place


def gather(around: Instructions, v: Value, out: Place) -> Words:
    x, words = around.place(v.inputs[0]), list[int]()
    axis = None if x is None or x.dtype != v.dtype else _axis(around, v, x.shape, words)
    if axis is None or x is None:
        return None
    return _picked(around, ("gather", str(v.dtype.itemsize)), v, axis, (x, out), words)


def scatter(around: Instructions, v: Value, out: Place) -> Words:
    """Zeros, to which values are added; put there, where positions grow, as the op does."""
    words: list[int] = []
    values, axis = around.place(v.inputs[0]), _axis(around, v, v.shape, words)
    zero = around.number(0, v.dtype)
    if values is None or values.dtype != v.dtype or axis is None or zero is None:
        return None
    words += loop_words(copier(v.dtype), out.shape, [zero.over(out.shape), out.over(out.shape)])
    kind = "scatter" if len(axis.positions.shape) == 1 else "add"
    return _picked(around, (kind, v.dtype.char), v, axis, (out, values), words)


def add_at(around: Instructions, v: Value, out: Place) -> Words:
    words: list[int] = []
    x, value = around.place(v.inputs[0]), around.taken(v.inputs[1], v.dtype, words)
    axis = _axis(around, v, v.shape, words)
    given = [i for i in v.inputs[:2] if not (i.constant and i.weak)]
    if x is None or value is None or axis is None or any(i.dtype != v.dtype or i.weak for i in given):
        return None
    number, shape = axis.number, axis.positions.shape
    values = value.over((*v.shape[:number], *shape, *v.shape[number + 1 :]))
    spread = Place(
        value.cell, value.offset, (*v.shape[:number], *shape, *v.shape[number + 1 :]), values.strides, v.dtype
    )
    words += loop_words(copier(v.dtype), out.shape, [x.over(out.shape), out.over(out.shape)])
    return _picked(around, ("add", v.dtype.char), v, axis, (out, spread), words)


def take_along(around: Instructions, v: Value, out: Place) -> Words:
    """Elements of x along an axis, each at its own position."""
    words: list[int] = []
    (x, index), axis = v.inputs, v.params["axis"]
    source = None if x.weak or x.dtype != v.dtype else around.place(x)
    if source is None or axis is None or index.weak or index.dtype.kind not in "iu" or index.dtype == np.uint64:
        return None
    positions, axis = around.taken(index, _WORD, words), axis % len(source.shape)
    if positions is None or 0 in (*v.shape, source.shape[axis]):
        return None
    flag, zero = around.own((), _WORD), around.number(0, _WORD)
    assert zero is not None
    words += loop_words(copier(_WORD), (), [zero.over(()), flag.over(())])
    strides = [0 if n == 1 or k == axis else source.strides[k] for k, n in enumerate(source.shape)]
    whole = Operand(source.cell, source.offset, tuple(strides), (source.strides[axis],))
    by = Loop(_along(str(v.dtype.itemsize)), source.shape[axis], (v.dtype, _WORD, v.dtype, _WORD))
    operands = [whole, *(p.over(v.shape) for p in (positions, out, flag))]
    return [*words, *loop_words(by, v.shape, operands), *_checked(around, flag)]


def _checked(around: Instructions, flag: Place) -> list[int]:
    """An error where a position was beyond the axis."""
    said = np.frombuffer(b"an index is out of bounds\0", np.uint8)
    around.memory.kept.append(said)
    return [0, LIMIT, 7, flag.cell, flag.offset, 1, address_of(said)]


def _axis(around: Instructions, v: Value, shape: tuple[int, ...], words: list[int]) -> _Axis | None:
    """The one axis that is picked along; None where the index names more, or truth values."""
    key, index = v.params["key"], v.inputs[-1]
    if type(key) is not tuple:  # of numbers and slices alone
        return None
    number = len(key) - 1
    rest = all(type(k) is slice and k == _WHOLE for k in key[:-1])
    if key[-1:] != ("array",) or not rest or len(shape) <= number or 0 in shape or not index.size:
        return None
    if index.dtype.kind not in "iu" or index.dtype == np.uint64 or index.weak:
        return None
    positions = around.taken(index, _WORD, words)
    return None if positions is None else _Axis(number, shape[number], positions)


def _picked(
    around: Instructions, kind: tuple[str, str], v: Value, axis: _Axis, places: tuple[Place, Place], words: list[int]
) -> Words:
    """The words of a loop between what has the axis, the first of the places, and what has the positions instead."""
    if kind[0] != "gather" and v.dtype.char not in "df":
        return None
    whole, picked = places
    number, positions = axis.number, axis.positions
    count = len(positions.shape)
    if kind[0] != "gather" and count > 1 and positions.strides != c_strides(positions.shape, _WORD.itemsize):
        return None  # the order of the sums is that of the positions
    here = _one(positions.shape, positions.strides, picked.strides[number : number + count])
    behind = _one(whole.shape[number + 1 :], whole.strides[number + 1 :], picked.strides[number + count :])
    if here is None or behind is None:
        return None
    (n, (step, row)), (m, (inner, column)) = here, behind
    ahead = whole.shape[:number]
    flag = around.own((), _WORD)
    zero, far = around.number(0, _WORD), Operand(flag.cell, flag.offset, (0,) * number)
    assert zero is not None
    words += loop_words(copier(_WORD), (), [zero.over(()), flag.over(())])
    with_axis = Operand(whole.cell, whole.offset, whole.strides[:number], (whole.strides[number], inner))
    without = Operand(picked.cell, picked.offset, picked.strides[:number], (row, column))
    named = Operand(positions.cell, positions.offset, (0,) * number, (step,))
    by = Loop(_loop(*kind), axis.length, (v.dtype, _WORD, v.dtype, _WORD))
    words += loop_words(by, ahead, [with_axis, named, without, far], (n, m))
    return [*words, *_checked(around, flag)]


def _one(shape: Sequence[int], *rows: Sequence[int]) -> tuple[int, tuple[int, ...]] | None:
    """Dimensions as one: its length, and the steps of all rows; None where they do not follow each other."""
    dims, steps = merged(shape, rows)
    if len(dims) > 1:
        return None
    return (dims[0], tuple(s[0] for s in steps)) if dims else (1, (0,) * len(rows))


@once
def _loop(kind: str, of: str) -> int:
    """The address of one of the loops, for elements of so many bytes, or of this dtype."""
    ir = llvm().ir
    module = ir.Module(f"{kind}_{of}")
    element = ir.IntType(8 * int(of)) if kind == "gather" else machine_type(np.dtype(of))
    _Picking(module, f"{kind}_{of}", element).write(kind)
    return assemble(module)[f"{kind}_{of}"]


@once
def _along(size: str) -> int:
    """The address of the loop over arrays without their axis, positions along it, what is found there, and the flag."""
    ir = llvm().ir
    module, name, element = ir.Module(f"along_{size}"), f"along_{size}", ir.IntType(8 * int(size))
    w = Writer(module, name, ir.VoidType(), [ir.IntType(64).as_pointer()] * 4)
    b, byte, (arguments, dims, strides, handed) = w.b, ir.IntType(8).as_pointer(), w.arguments
    length, axis = b.ptrtoint(handed, w.word), w.load(strides, 4)
    places = [w.variable(b.inttoptr(w.load(arguments, k), byte)) for k in range(3)]
    wrong = w.variable(w.number(0))
    with w.repeat(w.load(dims, 0)):
        whole, named, found = (b.load(p) for p in places)
        i = b.load(b.bitcast(named, w.pointer), align=1)
        i = b.select(b.icmp_signed("<", i, w.number(0)), b.add(i, length), i)
        inside = b.icmp_unsigned("<", i, length)
        b.store(b.or_(b.load(wrong), b.zext(b.not_(inside), w.word)), wrong)
        one = b.gep(whole, [b.mul(b.select(inside, i, w.number(0)), axis)])
        one, other = (b.bitcast(p, element.as_pointer()) for p in (one, found))
        b.store(b.load(one, align=1), other, align=1)
        for k, p in enumerate(places):
            b.store(b.gep(b.load(p), [w.load(strides, k)]), p)
    flag = b.inttoptr(w.load(arguments, 3), w.pointer)
    b.store(b.or_(b.load(flag), b.load(wrong)), flag)
    b.ret_void()
    w.done()
    return assemble(module)[name]


class _Picking:
    """A loop over arrays with an axis, positions along it, arrays with these in place of the axis, and the flag."""

    def __init__(self, module: Any, name: str, kind: Any) -> None:
        ir = llvm().ir
        self.kind, self.byte = kind, ir.IntType(8).as_pointer()
        self.w = Writer(module, name, ir.VoidType(), [ir.IntType(64).as_pointer()] * 4)

    def write(self, kind: str) -> None:
        w, b = self.w, self.w.b
        arguments, dims, strides, handed = w.arguments
        count, self.n, self.m = (w.load(dims, k) for k in range(3))
        steps = [w.load(strides, k) for k in range(4)]
        self.axis, self.inner, self.step, self.row, self.column = (w.load(strides, k) for k in range(4, 9))
        self.length = b.ptrtoint(handed, w.word)
        starts = [w.variable(b.inttoptr(w.load(arguments, k), self.byte)) for k in range(4)]
        wrong = w.variable(w.number(0))
        with w.repeat(count):
            self.whole, self.named, self.picked, flag = (b.load(s) for s in starts)
            self._positions(kind, wrong)
            place = b.bitcast(flag, w.pointer)
            b.store(b.or_(b.load(place), b.load(wrong)), place)
            for start, step in zip(starts, steps, strict=True):
                b.store(b.gep(b.load(start), [step]), start)
        b.ret_void()
        w.done()

    def _positions(self, kind: str, wrong: Any) -> None:
        w, b = self.w, self.w.b
        if kind == "gather":
            self._each(wrong, lambda one, other: b.store(b.load(one, align=1), other, align=1))
            return

        def add(one: Any, other: Any) -> None:
            b.store(b.fadd(b.load(one, align=1), b.load(other, align=1)), one, align=1)

        if kind == "add":
            self._each(wrong, add)
            return
        growing = w.variable(w.number(1))
        last = w.variable(w.number(-1))
        with w.repeat(self.n) as i:
            now = self._position(i)
            b.store(b.and_(b.load(growing), b.zext(b.icmp_signed(">", now, b.load(last)), w.word)), growing)
            b.store(now, last)
        grow = b.icmp_unsigned("!=", b.load(growing), w.number(0))
        with w.when(grow):
            self._each(wrong, lambda one, other: b.store(b.load(other, align=1), one, align=1))
        with w.when(b.not_(grow)):
            self._each(wrong, add)

    def _position(self, i: Any) -> Any:
        b = self.w.b
        return b.load(b.bitcast(b.gep(self.named, [b.mul(i, self.step)]), self.w.pointer), align=1)

    def _each(self, wrong: Any, do: Callable[[Any, Any], None]) -> None:
        """Do something with the addresses of each pair: an element at a position, and that which stands for it."""
        w, b = self.w, self.w.b
        with w.repeat(self.n) as i:
            named = self._position(i)
            j = b.select(b.icmp_signed("<", named, w.number(0)), b.add(named, self.length), named)
            inside = b.icmp_unsigned("<", j, self.length)
            b.store(b.or_(b.load(wrong), b.zext(b.not_(inside), w.word)), wrong)
            j = b.select(inside, j, w.number(0))
            one, other = b.gep(self.whole, [b.mul(j, self.axis)]), b.gep(self.picked, [b.mul(i, self.row)])
            with w.repeat(self.m) as k:
                do(*(self._at(x, b.mul(k, s)) for x, s in ((one, self.inner), (other, self.column))))

    def _at(self, start: Any, offset: Any) -> Any:
        b = self.w.b
        return b.bitcast(b.gep(start, [offset]), self.kind.as_pointer())
