"""Small matrix products of our own: a call of BLAS takes longer than the arithmetic of a toy network's layer.

C = A B, row by row of A in groups, with a vector of columns of B at a time: each element of A is spread over a vector,
and products are added to what stays in registers (Goto and van de Geijn, "Anatomy of High-Performance Matrix
Multiplication", ACM TOMS 34, 2008: their inner kernel, with B whole in the first cache). Where the columns of B do not
lie side by side, B is first copied so that they do. The signature is that of the inner loop of `matmul`, with a fourth
operand that the sums begin with, a row or a column of biases, where `data` is not 0.
"""

from __future__ import annotations

from typing import Any

from .assembly import Writer, assemble, llvm, once, vector_bytes

ROWS = 8  # of A at once: as many sums as keep both units for fused products busy
PART = 4  # sums of a single row
LARGEST = 8192  # elements of B that is copied first
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


def nanoseconds(char: str, n: int, k: int, m: int, copied: bool, scattered: bool) -> float:
    """About how long a product takes: fitted to what was measured with vectors of 64 bytes."""
    vectors = -(-m // lanes(char))
    groups, single = divmod(n, ROWS)
    work = groups * vectors * k * ROWS * 0.13 + single * vectors * (k * 0.4 + 2.0)
    stores = n * m * 0.6 if scattered else n * vectors * 0.5
    return 6.0 + work + stores + (k * m * 0.3 if copied else 0.0)


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
        space = entry.bitcast(entry.alloca(self.kind, LARGEST + 2 * self.width), self.byte)
        self.tail = entry.bitcast(entry.alloca(self.kind, self.width), self.byte)
        places = [w.variable(w.load(arguments, j)) for j in range(4)]
        dense = b.icmp_signed("==", self.bm, w.number(self.size))
        with w.repeat(count):
            self.a, first, self.c, self.d = (b.inttoptr(b.load(p), self.byte) for p in places)
            packing, on = (w.function.append_basic_block(name) for name in ("packing", "on"))
            before = b.block
            b.cbranch(dense, on, packing)
            b.position_at_end(packing)
            with w.repeat(k) as i, w.repeat(m) as j:
                value = b.load(self._at(first, b.add(b.mul(i, self.bk), b.mul(j, self.bm))), align=1)
                b.store(value, self._at(space, b.mul(b.add(b.mul(i, m), j), w.number(self.size))), align=1)
            packed = b.block
            b.branch(on)
            b.position_at_end(on)
            start, row = b.phi(self.byte), b.phi(w.word)
            start.add_incoming(first, before)
            start.add_incoming(space, packed)
            row.add_incoming(self.bk, before)
            row.add_incoming(b.mul(m, w.number(self.size)), packed)
            self.b, self.row, self.k = start, row, k
            whole = b.sdiv(m, w.number(self.width))
            with w.repeat(whole) as j:
                self._columns(n, b.mul(j, w.number(self.width)), None)
            rest = b.srem(m, w.number(self.width))
            some, done = (w.function.append_basic_block(name) for name in ("some", "done"))
            b.cbranch(b.icmp_signed(">", rest, w.number(0)), some, done)
            b.position_at_end(some)
            self._columns(n, b.mul(whole, w.number(self.width)), rest)
            b.branch(done)
            b.position_at_end(done)
            for p, step in zip(places, steps[:4], strict=True):
                w.add(p, step)
        b.ret_void()
        w.done()

    def _at(self, base: Any, offset: Any, kind: Any = None) -> Any:
        b = self.w.b
        return b.bitcast(b.gep(base, [offset]), (kind or self.kind).as_pointer())

    def _columns(self, n: Any, first: Any, rest: Any) -> None:
        """All rows of C, in a vector of columns from `first` on; of a part of one, `rest` of them."""
        w, b = self.w, self.w.b
        groups = b.sdiv(n, w.number(ROWS))
        with w.repeat(groups) as i:
            self._rows(b.mul(i, w.number(ROWS)), first, rest, ROWS)
        behind = b.mul(groups, w.number(ROWS))
        with w.repeat(b.sub(n, behind)) as i:
            self._rows(b.add(behind, i), first, rest, 1)

    def _rows(self, i: Any, j: Any, rest: Any, rows: int) -> None:
        w, b, ir = self.w, self.w.b, self.ir
        zero = ir.Constant(self.vector, [ir.Constant(self.kind, 0.0)] * self.width)
        sums = [ir.IRBuilder(w.entry).alloca(self.vector) for _ in range(rows if rows > 1 else PART)]
        for s in sums:
            b.store(zero, s)
        self._begin(sums[:rows], i, j, rest)
        left = [b.mul(b.add(i, w.number(r)), self.an) for r in range(rows)]
        column = b.mul(j, w.number(self.size))

        def term(k: Any, s: Any, row: Any) -> None:
            right = self._vector(b.add(b.mul(k, self.row), column), rest)
            for place, start in zip(s, row, strict=True):
                x = b.load(self._at(self.a, b.add(start, b.mul(k, self.ak))), align=1)
                b.store(b.call(self.fma, [self._spread(x), right, b.load(place)]), place)

        if rows > 1:
            with w.repeat(self.k) as k:
                term(k, sums, left)
        else:  # a single row in several sums, which need not wait for each other
            parts = b.sdiv(self.k, w.number(PART))
            with w.repeat(parts) as p:
                for q in range(PART):
                    term(b.add(b.mul(p, w.number(PART)), w.number(q)), sums[q : q + 1], left)
            done = b.mul(parts, w.number(PART))
            with w.repeat(b.sub(self.k, done)) as p:
                term(b.add(done, p), sums[:1], left)
            total = b.fadd(b.fadd(b.load(sums[0]), b.load(sums[1])), b.fadd(b.load(sums[2]), b.load(sums[3])))
            b.store(total, sums[0])
        for r in range(rows):
            place = b.add(b.mul(b.add(i, w.number(r)), self.cn), b.mul(j, self.cm))
            self._put(b.load(sums[r]), place, rest)

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

    def _vector(self, offset: Any, rest: Any) -> Any:
        """A row of B, as many columns as a vector has, with zeros behind those that there are."""
        b = self.w.b
        if rest is None:
            return b.load(self._at(self.b, offset, self.vector), align=1)
        return self.masked("load", self._at(self.b, offset, self.vector), rest)

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
        else:
            self.masked("store", target, rest, value)
        b.branch(on)
        b.position_at_end(apart)
        b.store(value, b.bitcast(self.tail, self.vector.as_pointer()), align=1)
        with w.repeat(w.number(self.width) if rest is None else rest) as j:
            x = b.load(self._at(self.tail, b.mul(j, w.number(self.size))), align=1)
            b.store(x, self._at(self.c, b.add(place, b.mul(j, self.cm))), align=1)
        b.branch(on)
        b.position_at_end(on)
