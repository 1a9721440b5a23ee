"""A tile of a product, some rows by some vectors of columns: its sums stay in registers while their terms go by.

Each element of A is spread over a vector, and multiplied with the vectors of a row of B (Goto and van de Geijn,
"Anatomy of High-Performance Matrix Multiplication", ACM TOMS 34, 2008: the inner kernel).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .assembly import Writer
from .forms import Form

NOTHING, ROW, COLUMN = 0, 1, 2  # what sums begin with: zero, a row of biases, or one bias for each row


class Tile(NamedTuple):
    """How many rows and vectors; `parts` sums for each, which need not wait for each other, where they are few."""

    rows: int
    vectors: int
    parts: int = 1

    def write(self, module: Any, form: Form) -> Any:
        """The function C = biases + A B. Each array comes with its strides; rows of B and of C lie in order."""
        b, word = form.byte, form.ir.IntType(64)
        kinds = [b, word, word, b, word, word, b, word, b, word, word]  # A, B, k, C, the biases and what these are
        w = Writer(module, f"tile_{self.rows}_{self.vectors}", form.ir.VoidType(), kinds)
        w.inside()
        _Sums(w, form, self).write()
        w.done()
        return w.function


class _Sums:
    def __init__(self, w: Writer, form: Form, tile: Tile) -> None:
        self.w, self.form, self.tile = w, form, tile
        self.a, self.an, self.ak, self.b, self.bk, self.k, self.c, self.cn, self.d, self.dn, self.how = w.arguments
        entry = form.ir.IRBuilder(w.entry)
        parts, rows, vectors = range(tile.parts), range(tile.rows), range(tile.vectors)
        self.sums = [[[entry.alloca(form.vector) for _ in vectors] for _ in rows] for _ in parts]

    def write(self) -> None:
        w, b, form, tile = self.w, self.w.b, self.form, self.tile
        for place in (s for part in self.sums for row in part for s in row):
            b.store(form.zeros, place)
        self._begin()
        rows = [b.gep(self.a, [b.mul(self.an, w.number(r))]) for r in range(tile.rows)]
        along, below = w.variable(w.number(0)), w.variable(w.number(0))

        def term(sums: Any) -> None:
            here, row = b.load(along), b.load(below)
            vectors = [form.load_vector(b, self.b, b.add(row, self._across(v))) for v in range(tile.vectors)]
            for places, start in zip(sums, rows, strict=True):
                x = form.spread(b, form.load(b, start, here))
                for place, vector in zip(places, vectors, strict=True):
                    b.store(form.fma(b, x, vector, b.load(place)), place)
            w.add(along, self.ak)
            w.add(below, self.bk)

        whole = b.sdiv(self.k, w.number(tile.parts))
        with w.repeat(whole):
            for part in self.sums:
                term(part)
        if tile.parts > 1:
            with w.repeat(b.sub(self.k, b.mul(whole, w.number(tile.parts)))):
                term(self.sums[0])
        for r in range(tile.rows):
            for v in range(tile.vectors):
                total = self._total([b.load(part[r][v]) for part in self.sums])
                form.store(b, total, self.c, b.add(b.mul(self.cn, w.number(r)), self._across(v)))
        b.ret_void()

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
