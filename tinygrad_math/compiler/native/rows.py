"""The largest and the smallest element of each row: a loop of our own, as NumPy's is called once for each."""

from __future__ import annotations

from typing import Any

from .assembly import Writer, assemble, llvm, once
from .forms import Form
from .loops import Loop
from .places import Place
from .table import Operand, loop_words

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
    ir = llvm().ir
    name = f"{title}_{char}"
    module = ir.Module(name)
    form = Form(module, char)
    w = Writer(module, name, ir.VoidType(), [ir.IntType(64).as_pointer()] * 4)
    b, (arguments, dims, strides, _) = w.b, w.arguments
    starts = [b.inttoptr(w.load(arguments, k), form.byte) for k in range(2)]
    count, n = w.load(dims, 0), w.load(dims, 1)
    steps = [w.load(strides, k) for k in range(2)]
    whole = b.sdiv(n, w.number(form.width))
    rest = form.mask(b, b.srem(n, w.number(form.width)))
    held = ir.IRBuilder(w.entry).alloca(form.vector)

    def better(x: Any, y: Any) -> Any:
        above = b.fcmp_ordered(">" if title == "maximum" else "<", x, y)
        return b.select(b.or_(above, b.fcmp_unordered("uno", x, x)), x, y)

    with w.repeat(count) as i:
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
    return assemble(module)[name]
