"""Small matrix products of our own: a call of BLAS takes longer than the arithmetic of a toy network's layer.

C = A B, some vectors of columns of B at a time, and for these tile after tile, down all rows. Columns are first copied
where they do not lie side by side or end within a vector; where the rows of B would crowd each other out of the first
cache, the first tile copies them while it multiplies. A tile goes into C at once, or by way of a copy where it has
fewer columns or C's do not lie side by side. The signature is that of the inner loop of `matmul`, with a fourth operand
that the sums begin with, a row or a column of biases, where `data` is not 0. From four rows on no sum depends on what
else is computed beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .assembly import Writer, assemble, llvm, once, vector_bytes
from .forms import Form, lanes
from .panels import copier_of_columns, copier_of_strewn
from .tiles import COLUMN, NOTHING, ROW, Tile

FEW = 4  # rows of A in a lower tile
TALL = {64: 8, 32: 6, 16: 6}  # and in a tall one, by a vector's bytes: with two vectors of columns, all sums are held
LARGEST = 8192  # elements of the columns of B that are copied at once
MANY = 32  # rows of A, for which columns of B are copied though they lie side by side
ALONG = {64: 0.08, 32: 0.14, 16: 0.14}  # nanoseconds to copy an element of columns in order, by a vector's bytes
ACROSS = 0.35  # and one of other columns
CROWDED = 1 << 14  # rows of B times the power of two that they are apart: beyond, they share too few places
WIDEST = 1 << 16  # bytes of B: beyond, BLAS's own blocks are quicker


def product(char: str) -> int:
    """The address of the loop for float64 ("d") or float32 ("f")."""
    return _assembled(char)


@once
def _assembled(char: str) -> int:
    module = llvm().ir.Module(f"product_{char}")
    _Product(module, f"product_{char}", char).write()
    return assemble(module)[f"product_{char}"]


def fits(char: str, k: int, m: int, copied: bool) -> bool:
    """Whether there is room for the columns that have to be copied."""
    wide = lanes(char) * (4 if copied else 2)
    return (not copied and m % lanes(char) == 0) or k * wide <= LARGEST


def copying(in_order: bool) -> float:
    """About how many nanoseconds an element of B takes that is copied first, whose columns lie in order or do not."""
    return ALONG[vector_bytes()] if in_order else ACROSS


def nanoseconds(char: str, n: int, k: int, m: int, copied: float, scattered: bool) -> float:
    """About how long a product takes: fitted to what was measured with vectors of 32 bytes, and of 64 for a part.

    `copied` is what an element of B takes that is copied first, see `copying`.
    """
    vectors = -(-m // lanes(char))
    rows = -(-n // FEW) * FEW if n >= FEW else 1.5 * n
    tiles = -(-vectors // 2) * (-(-n // TALL[vector_bytes()]) if n >= FEW else n)
    work = vectors * rows * k * (0.14 if vector_bytes() == 64 else 0.17)
    return 46.0 + 4.0 * tiles + work + k * m * copied + (n * m * 0.5 if scattered else 0.0)


def of_blas(char: str, n: int, k: int, m: int) -> float:
    """About how long a product of OpenBLAS takes: a call, sums of one element or row, or copies, sums and results."""
    size = lanes(char)
    terms, results = n * k * m / size, n * m / size
    if n == m == 1:
        return 44.0 + terms * 0.2
    if 1 in (n, m):
        return 68.0 + n * m * 0.3 + terms * 0.4
    if k == 1:
        return 45.0 + n * m * 1.5
    return 113.0 + results * 0.9 + (n * k + k * m) * 0.15 + terms * (0.29 if vector_bytes() == 64 else 0.2)


class _Product:
    def __init__(self, module: Any, name: str, char: str) -> None:
        self.module, self.form, ir = module, Form(module, char), llvm().ir
        self.tiles: dict[Tile, Any] = {}  # the functions
        strewn = copier_of_strewn(module, self.form)
        self.copy_columns = {many: copier_of_columns(module, self.form, many, strewn) for many in (1, 2, 4)}
        self.copy_tile = _copier_of_tiles(module, self.form)
        self.w = Writer(module, name, ir.VoidType(), [ir.IntType(64).as_pointer()] * 4)

    def write(self) -> None:
        w, b, form = self.w, self.w.b, self.form
        arguments, dims, strides, handed = w.arguments
        count, self.n, self.k, self.m = (w.load(dims, j) for j in range(4))
        steps = [w.load(strides, j) for j in range(12)]
        self.an, self.ak, self.bk, self.bm, self.cn, self.cm, self.dn, self.dm = steps[4:]
        self.is_row = b.icmp_signed("==", self.dm, w.number(form.size))
        begun = b.icmp_unsigned("!=", b.ptrtoint(handed, w.word), w.number(0))
        self.how = b.select(begun, b.select(self.is_row, w.number(ROW), w.number(COLUMN)), w.number(NOTHING))
        self.space, self.biases, self.aside = (self._room(n) for n in (LARGEST, 4 * form.width, 16 * form.width))
        places = [w.variable(w.load(arguments, j)) for j in range(4)]
        with w.repeat(count):
            self.a, self.b, self.c, self.d = (b.inttoptr(b.load(p), form.byte) for p in places)
            self._columns()
            for p, step in zip(places, steps[:4], strict=True):
                w.add(p, step)
        b.ret_void()
        w.done()

    def _room(self, elements: int) -> Any:
        entry = llvm().ir.IRBuilder(self.w.entry)
        room = entry.alloca(self.form.kind, elements)
        room.align = vector_bytes()  # no vector of it goes over two lines of the cache
        return entry.bitcast(room, self.form.byte)

    def _moved(self, start: Any, *steps: tuple[Any, Any]) -> Any:
        """A pointer so many strides on."""
        b = self.w.b
        for count, stride in steps:
            start = b.gep(start, [b.mul(count, stride)])
        return start

    def _columns(self) -> None:
        """C from its last columns on, those behind the last two whole vectors first: see `_panel`."""
        w, b, pair = self.w, self.w.b, 2 * self.form.width
        tall = Tile(TALL[vector_bytes()], 2), Tile(FEW, 2), Tile(1, 2, 4)
        rest = b.srem(self.m, w.number(pair))
        left = w.variable(b.sub(self.m, rest))
        with w.when(b.icmp_signed(">", rest, w.number(self.form.width))):
            self._panel(2, b.load(left), rest, tall)
        some = b.icmp_signed(">", rest, w.number(0))
        with w.when(b.and_(some, b.icmp_signed("<=", rest, w.number(self.form.width)))):
            self._panel(1, b.load(left), rest, (Tile(2 * FEW, 1), Tile(FEW, 1), Tile(1, 1, 4)))
        few = b.icmp_signed("<", self.n, w.number(FEW))
        for vectors, tiles, asked in ((4, (Tile(2, 4), Tile(1, 4, 2)), few), (2, tall, None)):
            wide = w.number(vectors * self.form.width)
            with w.forever() as over:
                first = b.sub(b.load(left), wide)
                there = b.icmp_signed(">=", first, w.number(0))
                w.unless(there if asked is None else b.and_(there, asked), over)
                self._panel(vectors, first, wide, tiles)
                b.store(first, left)

    def _panel(self, vectors: int, first: Any, columns: Any, tiles: Sequence[Tile]) -> None:
        """All rows of C in these columns, tall tiles first; then lower ones, which may meet the one before.

        A tile that is wider than its columns may go into C at once where rows follow each other, as long as C does not
        end there: what it writes beside is where the rows below begin, which are written later.
        """
        w, b, size = self.w, self.w.b, self.w.number(self.form.size)
        wide = w.number(vectors * self.form.width * self.form.size)
        whole = b.icmp_signed("==", columns, w.number(vectors * self.form.width))
        right, biases = (
            w.variable(self._moved(x, (first, step))) for x, step in ((self.b, self.bm), (self.d, self.dm))
        )
        apart, row = w.variable(self.bk), w.variable(w.number(0))
        beside = b.icmp_signed("==", self.cm, size)
        dn = b.select(self.is_row, w.number(0), self.dn)

        def call(tile: Tile, here: Any, target: Any, cn: Any, times: Any) -> None:
            """Some tiles of a kind, one below the other, from this row on."""
            begin = b.select(self.is_row, b.load(biases), self._moved(self.d, (here, self.dn)))
            rows = self._moved(self.a, (here, self.an)), self.an, self.ak
            given = b.load(right), b.load(apart), self.k, target, cn, begin, dn, self.how, times, self.space
            b.call(self._function(tile), (*rows, *given))

        with w.when(b.not_(b.and_(whole, self._lies_well()))):
            packed = b.and_(b.and_(whole, beside), b.icmp_signed("==", self.bm, size))  # of many rows
            if vectors == 2:
                with w.when(packed):
                    packing = Tile(tiles[0].rows, 2, packs=True)
                    call(packing, w.number(0), self._moved(self.c, (first, size)), self.cn, w.number(1))
                    b.store(w.number(packing.rows), row)
            with w.when(b.not_(packed) if vectors == 2 else whole.type(1)):
                b.call(self.copy_columns[vectors], (b.load(right), self.bk, self.bm, self.k, columns, self.space))
            b.store(self.space, right)
            b.store(wide, apart)
        with w.when(b.and_(self.is_row, b.not_(whole))):
            b.call(self.copy_columns[vectors], (b.load(biases), wide, self.dm, w.number(1), columns, self.biases))
            b.store(self.biases, biases)
        follow = b.and_(beside, b.icmp_signed("==", self.cn, b.mul(self.m, size)))
        end = b.sub(
            b.mul(self.n, self.cn), b.add(b.mul(first, size), wide)
        )  # where the last row may begin that is such
        for tile in tiles:
            height, tallest = w.number(tile.rows), tile is tiles[0]
            with w.forever() as over:
                here = b.load(row)
                left = b.sub(self.n, here)
                below = self._whole(left, *tiles[:2]) if tallest else left
                w.unless(b.icmp_signed(">", below, w.number(0)), over)
                w.unless(b.icmp_signed(">=", self.n, height), over)
                here = w.least(here, b.sub(self.n, height))
                last = b.mul(b.add(here, w.number(tile.rows - 1)), self.cn)
                inside = b.and_(follow, b.icmp_signed("<=", last, end))
                direct = b.and_(beside, b.or_(whole, inside))
                below = below if tallest else b.sdiv(b.sub(self.n, here), height)
                times = b.select(b.and_(beside, whole), below, w.number(1))  # so many, where none ends beyond C
                target = self._moved(self.c, (here, self.cn), (first, self.cm))
                made = b.select(direct, target, self.aside), b.select(direct, self.cn, wide)
                call(tile, here, *made, times)
                with w.when(b.not_(direct)):
                    b.call(self.copy_tile, (self.aside, wide, height, columns, target, self.cn, self.cm))
                b.store(b.add(here, b.mul(height, times)), row)

    def _whole(self, rows: Any, tall: Tile, low: Tile) -> Any:
        """How many of the tallest tiles: one less than there is room for, where two low ones do for it and the rest."""
        w, b, height = self.w, self.w.b, self.w.number(tall.rows)
        whole, rest = b.sdiv(rows, height), b.srem(rows, height)
        if 2 * low.rows <= tall.rows:
            return whole
        few = b.icmp_signed("<=", rest, w.number(2 * low.rows - tall.rows))
        met = b.and_(b.icmp_signed(">", rest, w.number(0)), few)
        return b.sub(whole, b.zext(b.and_(met, b.icmp_signed(">", whole, w.number(0))), w.word))

    def _function(self, tile: Tile) -> Any:
        if tile not in self.tiles:
            self.tiles[tile] = tile.write(self.module, self.form)
        return self.tiles[tile]

    def _lies_well(self) -> Any:
        """Whether columns of B lie side by side, and few rows of A read them, or rows of B share no places.

        Rows that are a power of two apart share a few places of the first cache, and are loaded again and again.
        """
        w, b = self.w, self.w.b
        beside = b.icmp_signed("==", self.bm, w.number(self.form.size))
        apart = b.mul(self.k, b.and_(self.bk, b.neg(self.bk)))  # lines of the cache that the rows share come of this
        crowded = b.and_(b.icmp_signed(">=", self.n, w.number(MANY)), b.icmp_signed(">", apart, w.number(CROWDED)))
        fits = b.icmp_signed("<=", self.k, w.number(LARGEST // (2 * self.form.width)))
        return b.and_(beside, b.not_(b.and_(crowded, fits)))


def _copier_of_tiles(module: Any, form: Form) -> Any:
    """The function that puts a tile, whose rows lie so far apart, into rows and columns of C, one by one."""
    byte, word = form.byte, form.ir.IntType(64)
    w = Writer(module, "tile", form.ir.VoidType(), [byte, word, word, word, byte, word, word])
    w.inside()
    b, (source, apart, rows, columns, target, cn, cm) = w.b, w.arguments
    with w.repeat(columns) as j, w.repeat(rows) as i:
        x = form.load(b, source, b.add(b.mul(i, apart), b.mul(j, w.number(form.size))))
        form.store(b, x, target, b.add(b.mul(i, cn), b.mul(j, cm)))
    b.ret_void()
    w.done()
    return w.function
