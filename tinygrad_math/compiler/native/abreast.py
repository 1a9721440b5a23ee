"""Products of many tiny matrices that lie abreast: an element of all of them, then the next, as a bank's networks lie.

A vector holds the same element of as many matrices, so that none of it is empty, whatever the sizes. A few rows by a
few columns of these vectors are summed at once, which stay in registers while their terms go by, as in `tiles`; each
sum is taken in the order of its terms, with one rounding a term. The signature is that of `products`: the first strides
are those from a matrix to the next, an element's size or, for a matrix that all share, 0.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .assembly import Writer, assemble, llvm, once, vector_bytes
from .forms import Form, lanes
from .loops import Loop
from .places import Place, split_up, turned
from .table import loop_words

ROWS = (4, 2, 1)  # of a block of vectors
COLUMNS = {64: (4, 3, 2, 1), 32: (3, 2, 1), 16: (3, 2, 1)}  # by a vector's bytes: what sixteen registers hold, or more


def are_abreast(p: Place) -> bool:
    """Whether the elements of one matrix, or row, are as far apart as there are matrices, which lie side by side."""
    return len(p.shape) > 0 and p.strides[0] == p.dtype.itemsize and p.shape[0] >= lanes(p.dtype.char)


def product_words(a: Place, b: Place, out: Place, start: Place | None) -> list[int] | None:
    """The words of products of matrices that lie abreast, one of which all may share; None for others."""
    char, size = out.dtype.char, out.dtype.itemsize
    if char not in "df" or len(out.shape) != 3 or not are_abreast(out) or not a.shape[-1]:
        return None
    many = out.shape[:1]
    operands = [split_up(p, many) for p in (a, b, out, out if start is None else start)]
    if any(o.strides[0] not in (0, size) for o in operands[:2]) or operands[3].strides[0] != size:
        return None
    if operands[1].strides[0] == 0:
        a, b, out, start = turned(b), turned(a), turned(out), None if start is None else turned(start)
        operands = [split_up(p, many) for p in (a, b, out, out if start is None else start)]
    by = Loop(_assembled(char), int(start is not None), (out.dtype,) * 4)
    return loop_words(by, many, operands, (a.shape[-2], a.shape[-1], b.shape[-1]))


def side_by_side(
    a: Place, b: Place, out: Place, start: Place | None
) -> tuple[Place, Place, Place, Place | None] | None:
    """A product of a matrix that all share as one with all columns of all matrices; None where these do not follow."""
    shared = len(a.shape) == 2 or (len(a.shape) == 3 and (a.shape[0] == 1 or a.strides[0] == 0))
    if not shared or len(b.shape) != 3 or len(out.shape) != 3 or not (are_abreast(out) and are_abreast(b)):
        return None
    wide, size = out.shape[0] * out.dtype.itemsize, out.dtype.itemsize
    columns = out.shape[2]
    begin = out if start is None else start
    if b.shape[0] != out.shape[0] or begin.strides[0] != size:
        return None
    if columns > 1 and any(p.strides[2] != wide for p in (b, out, begin)):
        return None

    def flat(p: Place) -> Place:
        return p._replace(shape=(p.shape[1], columns * out.shape[0]), strides=(p.strides[1], size))

    whole = a._replace(shape=a.shape[-2:], strides=a.strides[-2:])
    return whole, flat(b), flat(out), None if start is None else flat(start)


def nanoseconds(char: str, n: int, k: int, m: int) -> float:
    """About how long a product takes of each matrix: as measured with vectors of 64 bytes, those of 32 likewise."""
    return (n * k * m * 0.3 + n * m * 0.3) / lanes(char) + 1.0


@once
def _assembled(char: str) -> int:
    """The address of the loop for float64 ("d") or float32 ("f")."""
    module = llvm().ir.Module(f"abreast_{char}")
    _Abreast(module, f"abreast_{char}", char).write()
    return assemble(module)[f"abreast_{char}"]


class _Block(NamedTuple):
    """Rows and columns of vectors, and whether all share A."""

    rows: int
    columns: int
    shared: bool


class _Abreast:
    def __init__(self, module: Any, name: str, char: str) -> None:
        self.module, self.form, self.ir = module, Form(module, char), llvm().ir
        self.w = Writer(module, name, self.ir.VoidType(), [self.ir.IntType(64).as_pointer()] * 4)

    def write(self) -> None:
        w, b, form = self.w, self.w.b, self.form
        arguments, dims, strides, handed = w.arguments
        count, self.n, self.k, self.m = (w.load(dims, j) for j in range(4))
        steps = [w.load(strides, j) for j in range(4)]
        self.an, self.ak, self.bk, self.bm, self.cn, self.cm, self.dn, self.dm = (
            w.load(strides, j) for j in range(4, 12)
        )
        self.begun = b.ptrtoint(handed, w.word)
        starts = [w.load(arguments, j) for j in range(4)]
        wide = w.number(form.width)
        groups = b.sdiv(b.add(count, w.number(form.width - 1)), wide)
        alone, apart, done = (w.function.append_basic_block(s) for s in ("alone", "apart", "done"))
        b.cbranch(b.icmp_signed("==", steps[0], w.number(0)), alone, apart)
        for block, shared in ((alone, True), (apart, False)):
            b.position_at_end(block)
            with w.repeat(groups) as g:
                first = w.least(b.mul(g, wide), b.sub(count, wide))  # the last vector may meet the one before it
                self.places = [
                    b.inttoptr(b.add(start, b.mul(first, step)), form.byte)
                    for start, step in zip(starts, steps, strict=True)
                ]
                self._rows(shared)
            b.branch(done)
        b.position_at_end(done)
        b.ret_void()
        w.done()

    def _rows(self, shared: bool) -> None:
        """C in blocks, the largest that fit first."""
        w, b = self.w, self.w.b
        row = w.variable(w.number(0))
        for rows in ROWS:
            with w.forever() as over:
                here = b.load(row)
                w.unless(b.icmp_signed("<=", b.add(here, w.number(rows)), self.n), over)
                column = w.variable(w.number(0))
                for columns in COLUMNS[vector_bytes()]:
                    with w.forever() as beyond:
                        across = b.load(column)
                        w.unless(b.icmp_signed("<=", b.add(across, w.number(columns)), self.m), beyond)
                        self._block(_Block(rows, columns, shared), here, across)
                        w.add(column, w.number(columns))
                w.add(row, w.number(rows))

    def _block(self, block: _Block, row: Any, column: Any) -> None:
        w, b, form = self.w, self.w.b, self.form
        left, right, target, begin = self.places

        def steps(count: int, step: Any) -> list[Any]:
            return [b.mul(step, w.number(j)) for j in range(count)]

        def moved(start: Any, *offsets: Any) -> Any:
            for offset in offsets:
                start = b.gep(start, [offset])
            return start

        rows = [moved(left, b.mul(row, self.an), s) for s in steps(block.rows, self.an)]
        columns = [moved(right, b.mul(column, self.bm), s) for s in steps(block.columns, self.bm)]
        entry = self.ir.IRBuilder(w.entry)
        sums = [[entry.alloca(form.vector) for _ in columns] for _ in rows]
        places = [(i, j) for i in range(block.rows) for j in range(block.columns)]
        for i, j in places:
            b.store(form.zeros, sums[i][j])
        with w.when(b.icmp_signed("!=", self.begun, w.number(0))):
            start = moved(begin, b.mul(row, self.dn), b.mul(column, self.dm))
            down, across = steps(block.rows, self.dn), steps(block.columns, self.dm)
            for i, j in places:
                b.store(form.load_vector(b, start, b.add(down[i], across[j])), sums[i][j])
        along, below = w.variable(w.number(0)), w.variable(w.number(0))
        with w.repeat(self.k):
            here, there = b.load(along), b.load(below)
            given = [form.load_vector(b, p, there) for p in columns]
            for i, p in enumerate(rows):
                x = form.spread(b, form.load(b, p, here)) if block.shared else form.load_vector(b, p, here)
                for j, y in enumerate(given):
                    b.store(form.fma(b, x, y, b.load(sums[i][j])), sums[i][j])
            w.add(along, self.ak)
            w.add(below, self.bk)
        down, across = steps(block.rows, self.cn), steps(block.columns, self.cm)
        made = moved(target, b.mul(row, self.cn), b.mul(column, self.cm))
        for i, j in places:
            form.store(b, b.load(sums[i][j]), made, b.add(down[i], across[j]))
