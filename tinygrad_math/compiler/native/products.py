"""Small matrix products of our own: a call of BLAS takes longer than the arithmetic of a toy network's layer.

C = A B, row by row of A in groups, with two vectors of columns of B at a time: each element of A is spread over a
vector, and products are added to what stays in registers (Goto and van de Geijn, "Anatomy of High-Performance Matrix
Multiplication", ACM TOMS 34, 2008: their inner kernel, with B whole in the first cache). Where the columns of B do not
lie side by side, or its rows would crowd each other out of that cache, the columns at hand are first copied. The
signature is that of the inner loop of `matmul`, with a fourth operand that the sums begin with, a row or a column of
biases, where `data` is not 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .assembly import Writer, assemble, llvm, once, vector_bytes

FEWEST, ROWS = 4, 8  # of A at once: as many sums as keep both units for fused products busy, with two vectors or one
GROUPS = {
    64: (8, FEWEST, 1),
    32: (6, FEWEST, 1),
    16: (6, FEWEST, 1),
}  # by a vector's bytes: two, and all sums, are held
UNROLLED = 2  # terms of a sum in a turn of the loop
PART = 4  # sums of a single row
LARGEST = 8192  # elements of the columns of B that are copied at once
MANY = 32  # rows of A, for which columns of B are copied though they lie side by side
ALONG, ACROSS = 0.08, 0.2  # nanoseconds to copy an element of columns that lie in order, or not
CROWDED = 1 << 14  # rows of B times the power of two that they are apart: beyond, they share too few places
WIDEST = 1 << 16  # bytes of B: beyond, BLAS's own blocks are quicker


def product(char: str) -> int:
    """The address of the loop for float64 ("d") or float32 ("f")."""
    return _assembled(char)


@once
def _assembled(char: str) -> int:
    ir = llvm().ir
    module = ir.Module(f"product_{char}")
    kind, size = (ir.DoubleType(), 8) if char == "d" else (ir.FloatType(), 4)
    _Product(module, f"product_{char}", kind, size, lanes(char)).write()
    return assemble(module)[f"product_{char}"]


def lanes(char: str) -> int:
    """Elements in a vector."""
    return vector_bytes() // (8 if char == "d" else 4)


def nanoseconds(char: str, n: int, k: int, m: int, copied: float, scattered: bool) -> float:
    """About how long a product takes: fitted to what was measured with vectors of 64 and of 32 bytes.

    `copied` is what an element of B takes that is copied first: ALONG where its columns lie in order, ACROSS elsewhere.
    """
    vectors = -(-m // lanes(char))
    groups, single = divmod(n, FEWEST)
    work = groups * FEWEST * vectors * k * (0.13 if vector_bytes() == 64 else 0.2) + single * vectors * (k * 0.4 + 2.0)
    stores = n * m * 0.6 if scattered else n * vectors * 0.5
    return 6.0 + work + stores + k * m * copied


def of_blas(char: str, n: int, k: int, m: int) -> float:
    """About how long a product of OpenBLAS takes: a call, slow until its kernels are warm, slow where k is 1."""
    terms = n * k * m / lanes(char)
    if n == m == 1:
        return 20.0 + terms * 0.2
    if 1 in (n, m):
        return 33.0 + terms * 0.45
    return (1500.0 if k == 1 else 70.0) + min(terms, 400.0) * 0.9 + max(terms - 400.0, 0.0) * 0.29


class _Product:
    def __init__(self, module: Any, name: str, kind: Any, size: int, width: int) -> None:
        self.ir = ir = llvm().ir
        word, self.kind, self.size, self.width = ir.IntType(64), kind, size, width
        self.w = Writer(module, name, ir.VoidType(), [word.as_pointer()] * 4)
        self.vector = ir.VectorType(kind, width)
        self.byte = ir.IntType(8).as_pointer()
        self.groups = GROUPS[vector_bytes()]
        fused = ir.FunctionType(self.vector, [self.vector] * 3)
        title = f"llvm.fma.v{width}f{8 * size}"
        self.fma = module.globals.get(title) or ir.Function(module, fused, title)

    def write(self) -> None:
        w, b, ir = self.w, self.w.b, self.ir
        arguments, dims, strides, handed = w.arguments
        count, n, k, m = (w.load(dims, j) for j in range(4))
        steps = [w.load(strides, j) for j in range(12)]
        self.an, self.ak, self.bk, self.bm, self.cn, self.cm, self.dn, self.dm = steps[4:]
        self.begun = b.icmp_unsigned("!=", b.ptrtoint(handed, w.word), w.number(0))
        self.spread = b.icmp_signed("!=", self.dm, w.number(self.size))
        entry = ir.IRBuilder(w.entry)
        self.space = entry.bitcast(entry.alloca(self.kind, LARGEST), self.byte)
        self.tail = entry.bitcast(entry.alloca(self.kind, self.width), self.byte)
        places = [w.variable(w.load(arguments, j)) for j in range(4)]
        dense = b.icmp_signed("==", self.bm, w.number(self.size))
        self.k, self.dense = k, dense
        with w.repeat(count):
            self.a, self.first, self.c, self.d = (b.inttoptr(b.load(p), self.byte) for p in places)
            with w.repeat(b.sdiv(m, w.number(2 * self.width))) as j:
                self._columns(n, b.mul(j, w.number(2 * self.width)), (None, None), self.groups)
            behind = b.sub(m, b.srem(m, w.number(2 * self.width)))
            both, part, done = (w.function.append_basic_block(name) for name in ("both", "part", "done"))
            left = b.sub(m, behind)  # columns, in up to two vectors, the last of which may be a part of one
            beyond = b.sub(left, w.number(self.width))
            vectors = b.select(b.icmp_signed(">", beyond, w.number(0)), w.number(2), w.number(1))
            choice = b.switch(b.select(b.icmp_signed(">", left, w.number(0)), vectors, left), done)
            kinds: tuple[tuple[int, Any, tuple[Any, ...], Sequence[int]], ...]
            kinds = (2, both, (None, beyond), self.groups[1:]), (1, part, (left,), (ROWS, 1))
            for number, path, rests, groups in kinds:
                choice.add_case(w.number(number), path)
                b.position_at_end(path)
                self._columns(n, behind, rests, groups)
                b.branch(done)
            b.position_at_end(done)
            for p, step in zip(places, steps[:4], strict=True):
                w.add(p, step)
        b.ret_void()
        w.done()

    def _at(self, base: Any, offset: Any, kind: Any = None) -> Any:
        b = self.w.b
        return b.bitcast(b.gep(base, [offset]), (kind or self.kind).as_pointer())

    def _columns(self, n: Any, first: Any, rests: Sequence[Any], groups: Sequence[int]) -> None:
        """All rows of C, in vectors of columns from `first` on, one for each of `rests`: None, or how many it has."""
        w, b = self.w, self.w.b
        self._panel(n, first, rests)
        behind: Any = w.number(0)
        for rows in groups:
            start, left = behind, b.sub(n, behind)
            count = b.sdiv(left, w.number(rows)) if rows > 1 else left
            with w.repeat(count) as i:
                self._rows(b.add(start, b.mul(i, w.number(rows))), first, rests, rows)
            behind = b.add(start, b.mul(count, w.number(rows)))

    def _panel(self, n: Any, first: Any, rests: Sequence[Any]) -> None:
        """Where these columns of B begin, and how far apart their rows are.

        They are copied if they do not lie side by side, and if many rows of A read them: rows of B that are a power of
        two apart share a few places of the first cache, and are loaded again and again.
        """
        w, b = self.w, self.w.b
        there = b.gep(self.first, [b.mul(first, self.bm)])
        wide = w.number(len(rests) * self.width * self.size)
        names = ("turned", "along", "scattered", "many", "side_by_side", "ready")
        turned, along, scattered, many, side, ready = (w.function.append_basic_block(name) for name in names)
        b.cbranch(self.dense, many, turned)
        b.position_at_end(many)
        before = b.block
        fits = b.icmp_signed("<=", self.k, w.number(LARGEST // (len(rests) * self.width)))
        apart = b.mul(self.k, b.and_(self.bk, b.neg(self.bk)))  # lines of the cache that the rows share come of this
        pays = b.and_(b.icmp_signed(">=", n, w.number(MANY)), b.icmp_signed(">", apart, w.number(CROWDED)))
        b.cbranch(b.and_(fits, pays), side, ready)
        b.position_at_end(side)
        with w.repeat(self.k) as i:
            for v, rest in enumerate(rests):
                column = b.gep(there, [b.add(b.mul(i, self.bk), w.number(v * self.width * self.size))])
                place = self._at(self.space, b.add(b.mul(i, wide), w.number(v * self.width * self.size)), self.vector)
                b.store(self._vector(column, rest), place, align=1)
        beside = b.block
        b.branch(ready)
        b.position_at_end(turned)
        b.cbranch(b.icmp_signed("==", self.bk, w.number(self.size)), along, scattered)
        ends = []
        for block, turns in ((along, True), (scattered, False)):
            b.position_at_end(block)
            for v, rest in enumerate(rests):
                column = b.gep(there, [b.mul(self.bm, w.number(v * self.width))])
                target = b.gep(self.space, [w.number(v * self.width * self.size)])
                done: Any = w.number(0)
                if rest is None and turns:
                    done = self._turned(column, target, wide)
                with w.repeat(w.number(self.width) if rest is None else rest) as j, w.repeat(b.sub(self.k, done)) as i:
                    row = b.add(i, done)
                    one = b.load(self._at(column, b.add(b.mul(row, self.bk), b.mul(j, self.bm))), align=1)
                    b.store(one, self._at(target, b.add(b.mul(row, wide), b.mul(j, w.number(self.size)))), align=1)
            ends.append(b.block)
            b.branch(ready)
        b.position_at_end(ready)
        self.b, self.row = b.phi(self.byte), b.phi(w.word)
        copied = [(block, self.space, wide) for block in (beside, *ends)]
        for block, start, row in ((before, there, self.bk), *copied):
            self.b.add_incoming(start, block)
            self.row.add_incoming(row, block)

    def _turned(self, column: Any, target: Any, wide: Any) -> Any:
        """A vector's columns, each of which lies in order, copied as rows: squares are turned in registers.

        Halves change places across the diagonal of a square, then quarters within the four squares, and so on. Returns
        how many rows are done.
        """
        w, b, ir = self.w, self.w.b, self.ir
        squares = b.sdiv(self.k, w.number(self.width))
        with w.repeat(squares) as q:
            start = b.mul(q, w.number(self.width * self.size))
            rows = [
                b.load(self._at(column, b.add(start, b.mul(self.bm, w.number(j))), self.vector), align=1)
                for j in range(self.width)
            ]
            half = self.width // 2
            while half:
                picks = [k for k in range(self.width) if not k & half]
                for j in picks:
                    one, other = rows[j], rows[j + half]
                    low = [k if not k & half else self.width + k - half for k in range(self.width)]
                    high = [k + half if not k & half else self.width + k for k in range(self.width)]
                    mask = ir.VectorType(ir.IntType(32), self.width)
                    rows[j], rows[j + half] = (b.shuffle_vector(one, other, ir.Constant(mask, m)) for m in (low, high))
                half //= 2
            first = b.mul(q, w.number(self.width))
            for j, row in enumerate(rows):
                place = self._at(target, b.mul(b.add(first, w.number(j)), wide), self.vector)
                b.store(row, place, align=1)
        return b.mul(squares, w.number(self.width))

    def _rows(self, i: Any, j: Any, rests: Sequence[Any], rows: int) -> None:
        w, b, ir = self.w, self.w.b, self.ir
        zero = ir.Constant(self.vector, [ir.Constant(self.kind, 0.0)] * self.width)
        parts = PART if rows == 1 else 1  # a single row in several sums, which need not wait for each other
        sums = [[[ir.IRBuilder(w.entry).alloca(self.vector) for _ in rests] for _ in range(rows)] for _ in range(parts)]
        for s in (s for part in sums for row in part for s in row):
            b.store(zero, s)
        columns = [b.add(j, w.number(v * self.width)) for v in range(len(rests))]
        for v, (column, rest) in enumerate(zip(columns, rests, strict=True)):
            self._begin([row[v] for row in sums[0]], i, column, rest)
        left = [b.mul(b.add(i, w.number(r)), self.an) for r in range(rows)]
        right = [w.number(v * self.width * self.size) for v in range(len(rests))]

        def term(k: Any, part: Any) -> None:
            row = b.mul(k, self.row)
            vectors = [self._vector(b.gep(self.b, [b.add(row, c)]), rest) for c, rest in zip(right, rests, strict=True)]
            along = b.mul(k, self.ak)
            for places, start in zip(part, left, strict=True):
                x = self._spread(b.load(self._at(self.a, b.add(start, along)), align=1))
                for place, vector in zip(places, vectors, strict=True):
                    b.store(b.call(self.fma, [x, vector, b.load(place)]), place)

        at_once = parts if parts > 1 else UNROLLED
        whole = b.sdiv(self.k, w.number(at_once))
        with w.repeat(whole) as p:
            for q in range(at_once):
                term(b.add(b.mul(p, w.number(at_once)), w.number(q)), sums[q % parts])
        done = b.mul(whole, w.number(at_once))
        with w.repeat(b.sub(self.k, done)) as p:
            term(b.add(done, p), sums[0])
        if parts > 1:
            for v, place in enumerate(sums[0][0]):
                one, two, three, four = (b.load(part[0][v]) for part in sums)
                b.store(b.fadd(b.fadd(one, two), b.fadd(three, four)), place)
        for r, row in enumerate(sums[0]):
            for s, column, rest in zip(row, columns, rests, strict=True):
                place = b.add(b.mul(b.add(i, w.number(r)), self.cn), b.mul(column, self.cm))
                self._put(b.load(s), place, rest)

    def _begin(self, sums: Any, i: Any, j: Any, rest: Any) -> None:
        """Let the sums begin with the biases: one for each column, or one for each row."""
        w, b = self.w, self.w.b
        some, row, column, on = (w.function.append_basic_block(n) for n in ("begun", "row", "column", "on"))
        b.cbranch(self.begun, some, on)
        b.position_at_end(some)
        starts = [b.add(b.mul(b.add(i, w.number(r)), self.dn), b.mul(j, self.dm)) for r in range(len(sums))]
        b.cbranch(self.spread, column, row)
        b.position_at_end(row)
        for s, start in zip(sums, starts, strict=True):
            place = self._at(self.d, start, self.vector)
            b.store(b.load(place, align=1) if rest is None else self.masked("load", place, rest), s)
        b.branch(on)
        b.position_at_end(column)
        for s, start in zip(sums, starts, strict=True):
            b.store(self._spread(b.load(self._at(self.d, start), align=1)), s)
        b.branch(on)
        b.position_at_end(on)

    def _spread(self, x: Any) -> Any:
        ir, b = self.ir, self.w.b
        small = ir.IntType(32)
        one = b.insert_element(ir.Constant(self.vector, ir.Undefined), x, ir.Constant(small, 0))
        zeros = ir.Constant(ir.VectorType(small, self.width), [ir.Constant(small, 0)] * self.width)
        return b.shuffle_vector(one, ir.Constant(self.vector, ir.Undefined), zeros)

    def _vector(self, place: Any, rest: Any) -> Any:
        """A vector of columns of B, with zeros behind those that there are."""
        b = self.w.b
        place = b.bitcast(place, self.vector.as_pointer())
        return b.load(place, align=1) if rest is None else self.masked("load", place, rest)

    def masked(self, what: str, place: Any, rest: Any, value: Any = None) -> Any:
        """LLVM's load or store of the first `rest` elements of a vector."""
        ir, b, w = self.ir, self.w.b, self.w
        small = ir.IntType(32)
        mask = ir.VectorType(ir.IntType(1), self.width)
        numbers = ir.Constant(ir.VectorType(small, self.width), [ir.Constant(small, k) for k in range(self.width)])
        limit = b.insert_element(
            ir.Constant(ir.VectorType(small, self.width), ir.Undefined), b.trunc(rest, small), ir.Constant(small, 0)
        )
        zeros = ir.Constant(ir.VectorType(small, self.width), [ir.Constant(small, 0)] * self.width)
        limit = b.shuffle_vector(limit, limit, zeros)
        some = b.icmp_signed("<", numbers, limit)
        title = f"llvm.masked.{what}.v{self.width}f{8 * self.size}.p0"
        align = ir.Constant(small, 1)
        module = w.function.module
        if what == "load":
            kind = ir.FunctionType(self.vector, [place.type, small, mask, self.vector])
            zero = ir.Constant(self.vector, [ir.Constant(self.kind, 0.0)] * self.width)
            given = [place, align, some, zero]
        else:
            kind = ir.FunctionType(ir.VoidType(), [self.vector, place.type, small, mask])
            given = [value, place, align, some]
        function = module.globals.get(title) or ir.Function(module, kind, title)
        return b.call(function, given)

    def _put(self, value: Any, place: Any, rest: Any) -> None:
        """Write a row of C: at once where its columns lie side by side, else one by one."""
        w, b = self.w, self.w.b
        dense, apart, on = (w.function.append_basic_block(name) for name in ("dense", "apart", "on"))
        b.cbranch(b.icmp_signed("==", self.cm, w.number(self.size)), dense, apart)
        b.position_at_end(dense)
        target = self._at(self.c, place, self.vector)
        if rest is None:
            b.store(value, target, align=1)
        else:  # a masked store of all is slower than a plain one
            full, part = (w.function.append_basic_block(name) for name in ("full", "part"))
            b.cbranch(b.icmp_signed("==", rest, w.number(self.width)), full, part)
            b.position_at_end(full)
            b.store(value, target, align=1)
            b.branch(on)
            b.position_at_end(part)
            self.masked("store", target, rest, value)
        b.branch(on)
        b.position_at_end(apart)
        b.store(value, b.bitcast(self.tail, self.vector.as_pointer()), align=1)
        with w.repeat(w.number(self.width) if rest is None else rest) as j:
            x = b.load(self._at(self.tail, b.mul(j, w.number(self.size))), align=1)
            b.store(x, self._at(self.c, b.add(place, b.mul(j, self.cm))), align=1)
        b.branch(on)
        b.position_at_end(on)
