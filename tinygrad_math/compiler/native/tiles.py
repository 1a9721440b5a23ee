"""A tile of a product, some rows by some vectors of columns: its sums stay in registers while their terms go by.

Each element of A is spread over a vector, and multiplied with the vectors of a row of B (Goto and van de Geijn,
"Anatomy of High-Performance Matrix Multiplication", ACM TOMS 34, 2008: the inner kernel). So that a processor has
little else to read than these, the addresses of A come of few registers where its rows or its columns lie in order.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .assembly import Writer
from .forms import Form

NOTHING, ROW, COLUMN = 0, 1, 2  # what sums begin with: zero, a row of biases, or one bias for each row
LOW = 4  # rows of tiles that only what is left of a matrix meets, and tiny ones: A may lie as it will
STEPS = 4  # terms of each sum between two tests for the end, where A lies in order
AHEAD = 6  # columns of A to be fetched before they are read, where they lie in order: each is a line of the cache
AT_ONCE = 8  # vectors that are written in a row: more, not yet computed, would keep a processor from what comes next
LATE = {
    32: 4,
    16: 4,
}  # so many terms the lower rows of a larger tile get when the upper ones are written, by a vector's
ALL = slice(None)
REACH = 3  # rows of A whose addresses come of one: a processor adds once or twice how far they are apart


class Tile(NamedTuple):
    """How many rows and vectors; `parts` sums for each, which need not wait for each other, where they are few.

    One that `packs` reads rows of B as they lie, and leaves them to the next in a row: while it multiplies it has time.
    """

    rows: int
    vectors: int
    parts: int = 1
    packs: bool = False

    def write(self, module: Any, form: Form) -> Any:
        """The function C = biases + A B, tile below tile.

        Each array comes with its strides, and they with how many tiles there are; rows of B and of C lie in order.
        """
        b, word = form.byte, form.ir.IntType(64)
        # A, B, k, C, biases and their kind, tiles, and where rows of B go
        kinds = [b, word, word, b, word, word, b, word, b, word, word, word, b]
        name = f"{'packing' if self.packs else 'tile'}_{self.rows}_{self.vectors}"
        w = Writer(module, name, form.ir.VoidType(), kinds)
        w.inside()
        _Sums(w, form, self).write()
        w.done()
        return w.function


class _Sums:
    def __init__(self, w: Writer, form: Form, tile: Tile) -> None:
        self.w, self.form, self.tile = w, form, tile
        a, self.an, self.ak, self.b, self.bk, self.k, c, self.cn, d, self.dn, self.how, self.times, self.space = (
            w.arguments
        )
        self.places = [w.variable(x) for x in (a, c, d)]
        entry = form.ir.IRBuilder(w.entry)
        parts, rows, vectors = range(tile.parts), range(tile.rows), range(tile.vectors)
        self.sums = [[[entry.alloca(form.vector) for _ in vectors] for _ in rows] for _ in parts]

    def write(self) -> None:
        w, b, form, tile = self.w, self.w.b, self.form, self.tile
        with w.repeat(self.times):
            self.a, self.c, self.d = (b.load(place) for place in self.places)
            for place in (s for part in self.sums for row in part for s in row):
                b.store(form.zeros, place)
            self._begin()
            self._terms()
            for place, step in zip(self.places, (self.an, self.cn, self.dn), strict=True):
                b.store(b.gep(b.load(place), [b.mul(step, w.number(tile.rows))]), place)
        b.ret_void()

    def _terms(self) -> None:
        """All terms of the sums, by the way that A lies, and the sums into C."""
        w, b, size = self.w, self.w.b, self.w.number(self.form.size)
        if self.tile.rows <= LOW or self.tile.packs:
            self._in_steps(self.tile.parts, self.an, self.ak)
            return
        below, beside, apart, done = (w.function.append_basic_block(s) for s in ("below", "beside", "apart", "done"))
        b.cbranch(b.icmp_signed("==", self.an, size), below, beside)
        b.position_at_end(below)
        self._in_steps(STEPS, size, self.ak)
        b.branch(done)
        b.position_at_end(beside)
        w.unless(b.icmp_signed("==", self.ak, size), apart)
        self._in_steps(STEPS, self.an, size)
        b.branch(done)
        b.position_at_end(apart)
        self._in_steps(1, self.an, self.ak)
        b.branch(done)
        b.position_at_end(done)

    def _in_steps(self, steps: int, an: Any, ak: Any) -> None:
        """The terms, so many at a time, of an A with these strides."""
        w, b = self.w, self.w.b
        reach = self.tile.rows if an is not self.an else REACH
        left = [w.variable(self._rows_from(r, an)) for r in range(0, self.tile.rows, reach)]
        right, copy = w.variable(self.b), w.variable(self.space)

        def terms(count: int, which: slice) -> None:
            for j in range(count):
                u = w.number(j)
                starts = [b.gep(b.load(place), [b.mul(ak, u)]) for place in left]
                rows = [(starts[r // reach], b.mul(an, w.number(r % reach))) for r in range(self.tile.rows)]
                if an is not self.an and which == ALL:
                    self.form.prefetch(b, starts[0], b.mul(ak, w.number(AHEAD)))
                sums = self.sums[j % self.tile.parts]
                packed = b.gep(b.load(copy), [self._across(j * self.tile.vectors)])
                self._term(sums[which], rows[which], b.gep(b.load(right), [b.mul(self.bk, u)]), packed)

        def go_on(count: int) -> None:
            terms(count, ALL)
            across = self._across(self.tile.vectors)
            for place, step in ((right, self.bk), (copy, across), *((place, ak) for place in left)):
                b.store(b.gep(b.load(place), [b.mul(step, w.number(count))]), place)

        many = steps > 1 and self.tile.rows * self.tile.vectors > AT_ONCE
        late = LATE.get(self.form.width * self.form.size, 0) if many else 0
        apart = b.icmp_signed(">=", self.k, w.number(late))
        k = b.select(apart, b.sub(self.k, w.number(late)), self.k)
        whole = b.sdiv(k, w.number(steps))
        with w.repeat(whole):
            go_on(steps)
        if steps > 1:
            with w.repeat(b.sub(k, b.mul(whole, w.number(steps)))):
                go_on(1)
        if not late:
            self._put(ALL)
            return
        halves, at_once, done = (w.function.append_basic_block(name) for name in ("halves", "at_once", "done"))
        b.cbranch(apart, halves, at_once)
        b.position_at_end(halves)
        for rows in (slice(self.tile.rows // 2), slice(self.tile.rows // 2, None)):
            terms(late, rows)
            self._put(rows)
            w.keep_order()
        b.branch(done)
        b.position_at_end(at_once)
        self._put(ALL)
        b.branch(done)
        b.position_at_end(done)

    def _put(self, rows: slice) -> None:
        """The sums of these rows into C."""
        w, b = self.w, self.w.b
        for r in range(self.tile.rows)[rows]:
            for v in range(self.tile.vectors):
                total = self._total([b.load(part[r][v]) for part in self.sums])
                self.form.store(b, total, self.c, b.add(b.mul(self.cn, w.number(r)), self._across(v)))

    def _rows_from(self, r: int, an: Any) -> Any:
        """Where row r begins, in a register of its own: LLVM would come to each row by way of the one before."""
        b, form = self.w.b, self.form
        start = b.gep(self.a, [b.mul(an, self.w.number(r))])
        return b.asm(form.ir.FunctionType(form.byte, [form.byte]), "", "=r,0", [start], False)

    def _term(self, sums: Any, rows: Any, row: Any, packed: Any) -> None:
        """A term of each sum: where the elements of A are, the row of B, and where that goes."""
        b, form = self.w.b, self.form
        vectors = [form.load_vector(b, row, self._across(v)) for v in range(self.tile.vectors)]
        if self.tile.packs:
            for v, vector in enumerate(vectors):
                form.store(b, vector, packed, self._across(v))
        for places, at in zip(sums, rows, strict=True):
            x = form.spread(b, form.load(b, *at))
            for place, vector in zip(places, vectors, strict=True):
                b.store(form.fma(b, x, vector, b.load(place)), place)

    def _across(self, v: int) -> Any:
        return self.w.number(v * self.form.width * self.form.size)

    def _total(self, parts: list[Any]) -> Any:
        """The parts of a sum together, two and two."""
        while len(parts) > 1:
            parts = [self.w.b.fadd(x, y) for x, y in zip(parts[::2], parts[1::2], strict=True)]
        return parts[0]

    def _begin(self) -> None:
        """Let the sums begin with the biases."""
        w, b, form = self.w, self.w.b, self.form
        row, column, on = (w.function.append_basic_block(name) for name in ("row", "column", "on"))
        choice = b.switch(self.how, on)
        for how, block in ((ROW, row), (COLUMN, column)):
            choice.add_case(w.number(how), block)
            b.position_at_end(block)
            for r, places in enumerate(self.sums[0]):
                for v, place in enumerate(places):
                    if how == ROW:
                        b.store(form.load_vector(b, self.d, self._across(v)), place)
                    else:
                        b.store(form.spread(b, form.load(b, self.d, b.mul(self.dn, w.number(r)))), place)
            b.branch(on)
        b.position_at_end(on)
