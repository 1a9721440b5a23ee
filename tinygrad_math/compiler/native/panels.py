"""Columns of B side by side, a vector of them at a time, as the tiles of a product read them."""

from __future__ import annotations

from typing import Any

from .assembly import Writer
from .forms import Form


def copier_of_columns(module: Any, form: Form, vectors: int) -> Any:
    """The function that copies up to so many vectors of columns; where there are fewer, zeros stand behind them.

    Its arguments: B from these columns on, how far apart its rows and columns are, how many rows, how many columns,
    and where the copy begins, whose rows follow each other.
    """
    byte, word = form.byte, form.ir.IntType(64)
    w = Writer(module, f"columns_{vectors}", form.ir.VoidType(), [byte, word, word, word, word, byte])
    w.inside()
    _Columns(w, form, vectors).write()
    w.done()
    return w.function


class _Columns:
    def __init__(self, w: Writer, form: Form, vectors: int) -> None:
        self.w, self.form, self.vectors = w, form, vectors
        self.source, self.bk, self.bm, self.k, self.columns, self.target = w.arguments
        self.wide = w.number(vectors * form.width * form.size)  # from a row of the copy to the next

    def write(self) -> None:
        w, b, form = self.w, self.w.b, self.form
        beside, apart, full, part = (w.function.append_basic_block(s) for s in ("beside", "apart", "full", "part"))
        b.cbranch(b.icmp_signed("==", self.bm, w.number(form.size)), beside, apart)
        b.position_at_end(beside)
        b.cbranch(b.icmp_signed(">=", self.columns, w.number(self.vectors * form.width)), full, part)
        for block, copy in ((full, self._full), (part, self._part), (apart, self._apart)):
            b.position_at_end(block)
            copy()
            b.ret_void()

    def _full(self) -> None:
        b = self.w.b
        with self.w.repeat(self.k) as p:
            row = b.gep(self.source, [b.mul(p, self.bk)])
            rows = [self.form.load_vector(b, row, self._lane(v)) for v in range(self.vectors)]
            for v, x in enumerate(rows):
                self._put(p, v, x)

    def _part(self) -> None:
        b, form = self.w.b, self.form
        masks = [form.mask(b, b.sub(self.columns, self.w.number(v * form.width))) for v in range(self.vectors)]
        with self.w.repeat(self.k) as p:
            row = b.gep(self.source, [b.mul(p, self.bk)])
            for v, mask in enumerate(masks):
                self._put(p, v, form.load_some(b, row, self._lane(v), mask))

    def _apart(self) -> None:
        """Vector by vector, squares of those that are whole and in order."""
        w, b, form = self.w, self.w.b, self.form
        in_order = b.icmp_signed("==", self.bk, w.number(form.size))
        for v in range(self.vectors):
            first = w.number(v * form.width)
            source, left = b.gep(self.source, [b.mul(first, self.bm)]), b.sub(self.columns, first)
            squares, single, on = (w.function.append_basic_block(s) for s in ("squares", "single", "on"))
            b.cbranch(b.and_(in_order, b.icmp_signed(">=", left, w.number(form.width))), squares, single)
            b.position_at_end(squares)
            self._turned(source, v)
            b.branch(on)
            b.position_at_end(single)
            self._single(source, v, left)
            b.branch(on)
            b.position_at_end(on)

    def _single(self, source: Any, v: int, left: Any) -> None:
        """One by one, over zeros."""
        w = self.w
        with w.repeat(self.k) as p:
            self._put(p, v, self.form.zeros)
        self._each(source, v, w.number(0), w.least(left, w.number(self.form.width)))

    def _each(self, source: Any, v: int, first: Any, columns: Any) -> None:
        """The elements from row `first` on, one by one."""
        w, b = self.w, self.w.b
        with w.repeat(columns) as j, w.repeat(b.sub(self.k, first)) as p:
            row = b.add(first, p)
            x = self.form.load(b, source, b.add(b.mul(row, self.bk), b.mul(j, self.bm)))
            at = b.add(b.mul(row, self.wide), b.add(self._lane(v), b.mul(j, w.number(self.form.size))))
            self.form.store(b, x, self.target, at)

    def _turned(self, source: Any, v: int) -> None:
        """Columns that each lie in order: squares as wide as a vector are turned in registers.

        Halves change places across the diagonal of a square, then quarters within the four squares, and so on.
        """
        w, b, form, wide = self.w, self.w.b, self.form, self.form.width
        squares = b.sdiv(self.k, w.number(wide))
        with w.repeat(squares) as q:
            start = b.mul(q, w.number(wide * form.size))
            rows = [form.load_vector(b, source, b.add(start, b.mul(self.bm, w.number(j)))) for j in range(wide)]
            half = wide // 2
            while half:
                low = form.picks([k if not k & half else wide + k - half for k in range(wide)])
                high = form.picks([k + half if not k & half else wide + k for k in range(wide)])
                for j in (k for k in range(wide) if not k & half):
                    one, other = rows[j], rows[j + half]
                    rows[j], rows[j + half] = (b.shuffle_vector(one, other, picked) for picked in (low, high))
                half //= 2
            first = b.mul(q, w.number(wide))
            for j, row in enumerate(rows):
                self._put(b.add(first, w.number(j)), v, row)
        self._each(source, v, b.mul(squares, w.number(wide)), w.number(wide))

    def _lane(self, v: int) -> Any:
        """How far into a row vector v begins."""
        return self.w.number(v * self.form.width * self.form.size)

    def _put(self, p: Any, v: int, vector: Any) -> None:
        b = self.w.b
        self.form.store(b, vector, self.target, b.add(b.mul(p, self.wide), self._lane(v)))
