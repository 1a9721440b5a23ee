"""Short rows: the extremes of each, and sums, products and so on with what is spread along them or over them.

NumPy's loops go over one row at a time, and a call takes longer than a row. Here a call goes over many.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .assembly import Writer, assemble, llvm, once
from .forms import Form
from .loops import Loop
from .places import Place
from .table import Operand, loop_words, merged

LONGEST = 512  # elements of a row, from which on calls of NumPy's loop cost little


def extremes_of_rows(title: str, source: Place, target: Operand, along: set[int]) -> list[int] | None:
    """Words of the extremes along one axis, whose elements lie side by side; `target` is spread along it."""
    char = source.dtype.char
    if char not in "df" or len(along) != 1:
        return None
    (axis,) = along
    n = source.shape[axis]
    if not 1 < n <= LONGEST or source.strides[axis] != source.dtype.itemsize:
        return None

    def but(row: tuple[int, ...]) -> tuple[int, ...]:
        return (*row[:axis], *row[axis + 1 :])

    rows = Operand(source.cell, source.offset, but(source.strides), (source.strides[axis],))
    out = Operand(target.cell, target.offset, but(target.strides))
    return loop_words(Loop(_extreme(title, char), 0, (source.dtype,) * 2), but(source.shape), [rows, out], (n,))


@once
def _extreme(title: str, char: str) -> int:
    """The address of the loop. What is not a number comes before all others, as with NumPy's ufuncs."""
    ir, (w, form, starts, steps, rows) = llvm().ir, _begun(name := f"{title}_{char}", char, 2)
    b, whole, rest = w.b, rows.whole, rows.rest
    held = ir.IRBuilder(w.entry).alloca(form.vector)

    def better(x: Any, y: Any) -> Any:
        above = b.fcmp_ordered(">" if title == "maximum" else "<", x, y)
        return b.select(b.or_(above, b.fcmp_unordered("uno", x, x)), x, y)

    with w.repeat(rows.count) as i:
        row = b.gep(starts[0], [b.mul(i, steps[0])])
        first = form.spread(b, form.load(b, row, w.number(0)))
        b.store(first, held)
        with w.repeat(whole) as q:
            b.store(better(form.load_vector(b, row, b.mul(q, w.number(form.width * form.size))), b.load(held)), held)
        some = form.load_some(b, row, b.mul(whole, w.number(form.width * form.size)), rest)
        best = better(b.select(rest, some, first), b.load(held))
        half = form.width // 2
        while half:
            moved = form.picks([(k + half) % form.width for k in range(form.width)])
            best = better(b.shuffle_vector(best, best, moved), best)
            half //= 2
        one = b.extract_element(best, ir.Constant(form.small, 0))
        form.store(b, one, starts[1], b.mul(i, steps[1]))
    b.ret_void()
    w.done()
    return assemble(form.module)[name]


class _Rows(NamedTuple):
    """How many rows there are, of how many whole vectors each, and which lanes of the last one hold what is left."""

    count: Any
    whole: Any
    rest: Any


def _begun(name: str, char: str, operands: int) -> tuple[Writer, Form, list[Any], list[Any], _Rows]:
    """A loop over rows of floats: where each of the arrays begins, how far its rows are apart, and what is in a row."""
    ir = llvm().ir
    form = Form(ir.Module(name), char)
    w = Writer(form.module, name, ir.VoidType(), [ir.IntType(64).as_pointer()] * 4)
    b, (arguments, dims, strides, _) = w.b, w.arguments
    starts = [b.inttoptr(w.load(arguments, k), form.byte) for k in range(operands)]
    n, wide = w.load(dims, 1), w.number(form.width)
    rows = _Rows(w.load(dims, 0), b.sdiv(n, wide), form.mask(b, b.srem(n, wide)))
    return w, form, starts, [w.load(strides, k) for k in range(operands)], rows


SHORT = 512  # elements of a row, up to which this is quicker than a call of NumPy's loop for each
NARROW, MANY = 16, 64  # rows of so few bytes, if there are so many, NumPy's loops go through across sooner
OPERATIONS = {np.add: "fadd", np.subtract: "fsub", np.multiply: "fmul", np.divide: "fdiv"}


def over_short_rows(ufunc: np.ufunc, dtype: np.dtype[Any], shape: Sequence[int], operands: Sequence[Operand]) -> Any:
    """Words of an operation of two arrays that lie otherwise than the result; None where that is no matter."""
    if ufunc not in OPERATIONS or dtype.char not in "df" or 0 in shape:
        return None
    dims, steps = merged(shape, [o.strides for o in operands])
    if len(dims) < 2 or not 1 < dims[-1] < SHORT:
        return None
    ends = [row[-1] for row in steps]
    if ends[2] != dtype.itemsize or any(s not in (0, dtype.itemsize) for s in ends[:2]):
        return None
    if dims[-1] * dtype.itemsize <= NARROW and max(dims[:-1]) >= MANY:
        return None
    by = Loop(_operation(OPERATIONS[ufunc], dtype.char, not ends[0], not ends[1]), 0, (dtype,) * 3)
    rows = [Operand(o.cell, o.offset, tuple(row[:-1])) for o, row in zip(operands, steps, strict=True)]
    return loop_words(by, dims[:-1], rows, dims[-1:])


@once
def _operation(name: str, char: str, *spread: bool) -> int:
    """The address of the loop; `spread` says of each operand whether a row of it is one number."""
    title = f"{name}_{char}_{int(spread[0])}_{int(spread[1])}"
    w, form, starts, steps, (count, whole, _) = _begun(title, char, 3)
    b, wide, n = w.b, w.number(form.width * form.size), w.load(w.arguments[1], 1)
    operation = getattr(b, name)
    with w.repeat(count) as i:
        rows = [b.gep(start, [b.mul(i, step)]) for start, step in zip(starts, steps, strict=True)]
        numbers = [form.load(b, row, w.number(0)) if s else None for row, s in zip(rows, spread)]

        def go(lanes: int, at: Any) -> None:
            x, y = (
                form.load_vector(b, row, at, lanes) if number is None else form.spread(b, number, lanes)
                for row, number in zip(rows, numbers)
            )
            form.store(b, operation(x, y), rows[2], at)

        with w.repeat(whole) as q:
            go(form.width, b.mul(q, wide))
        # what is left by halves: with AVX2 a store through a mask takes longer than all of them
        lanes = form.width // 2
        while lanes:
            with b.if_then(b.icmp_signed("!=", b.and_(n, w.number(lanes)), w.number(0))):
                go(lanes, b.mul(b.and_(n, w.number(-2 * lanes)), w.number(form.size)))
            lanes //= 2
    b.ret_void()
    w.done()
    return assemble(form.module)[title]
