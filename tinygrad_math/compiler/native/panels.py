"""Columns of B side by side, a vector of them at a time, as the tiles of a product read them."""

from __future__ import annotations

from typing import Any

from .assembly import Writer
from .forms import Form


def copier_of_columns(module: Any, form: Form, vectors: int, apart: Any) -> Any:
    """The function that copies up to so many vectors of columns; where there are fewer, zeros stand behind them.

    Its arguments: B from these columns on, how far apart its rows and columns are, how many rows, how many columns,
    and where the copy begins, whose rows follow each other. `apart` is the function for columns that lie apart.
    """
    byte, word = form.byte, form.ir.IntType(64)
    w = Writer(module, f"columns_{vectors}", form.ir.VoidType(), [byte, word, word, word, word, byte])
    w.inside()
    b, (source, bk, bm, k, columns, target) = w.b, w.arguments
    lanes = [w.number(v * form.width) for v in range(vectors)]
    masks = [form.mask(b, b.sub(columns, lane)) for lane in lanes]
    starts, wide = [b.mul(lane, w.number(form.size)) for lane in lanes], w.number(vectors * form.width * form.size)
    beside, strewn, full, part = (w.function.append_basic_block(s) for s in ("beside", "strewn", "full", "part"))
    b.cbranch(b.icmp_signed("==", bm, w.number(form.size)), beside, strewn)
    b.position_at_end(beside)
    b.cbranch(b.icmp_signed(">=", columns, w.number(vectors * form.width)), full, part)
    for block, whole in ((full, True), (part, False)):
        b.position_at_end(block)
        with w.repeat(k) as p:
            row, copy = (b.gep(start, [b.mul(p, step)]) for start, step in ((source, bk), (target, wide)))
            read = [
                form.load_vector(b, row, start) if whole else form.load_some(b, row, start, mask)
                for start, mask in zip(starts, masks, strict=True)
            ]
            for start, x in zip(starts, read, strict=True):
                form.store(b, x, copy, start)
        b.ret_void()
    b.position_at_end(strewn)
    for lane, start in zip(lanes, starts, strict=True):
        b.call(apart, (b.gep(source, [b.mul(lane, bm)]), bk, bm, k, b.sub(columns, lane), b.gep(target, [start]), wide))
    b.ret_void()
    w.done()
    return w.function


def copier_of_strewn(module: Any, form: Form) -> Any:
    """The function that copies up to a vector of columns that lie apart; zeros stand behind them.

    Its arguments are those of the one above, with how far apart the rows of the copy are.
    """
    byte, word = form.byte, form.ir.IntType(64)
    w = Writer(module, "strewn", form.ir.VoidType(), [byte, word, word, word, word, byte, word])
    w.inside()
    _Strewn(w, form).write()
    w.done()
    return w.function


class _Strewn:
    def __init__(self, w: Writer, form: Form) -> None:
        self.w, self.form = w, form
        self.source, self.bk, self.bm, self.k, self.columns, self.target, self.apart = w.arguments

    def write(self) -> None:
        w, b, form = self.w, self.w.b, self.form
        squares, single = (w.function.append_basic_block(s) for s in ("squares", "single"))
        in_order = b.icmp_signed("==", self.bk, w.number(form.size))
        whole = b.icmp_signed(">=", self.columns, w.number(form.width))
        b.cbranch(b.and_(in_order, whole), squares, single)
        for block, copy in ((squares, self._turned), (single, self._single)):
            b.position_at_end(block)
            copy()
            b.ret_void()

    def _single(self) -> None:
        """One by one, over zeros."""
        w = self.w
        with w.repeat(self.k) as p:
            self._put(p, self.form.zeros)
        self._each(w.number(0), w.least(self.columns, w.number(self.form.width)))

    def _each(self, first: Any, columns: Any) -> None:
        """The elements from row `first` on, one by one."""
        w, b = self.w, self.w.b
        with w.repeat(columns) as j, w.repeat(b.sub(self.k, first)) as p:
            row = b.add(first, p)
            x = self.form.load(b, self.source, b.add(b.mul(row, self.bk), b.mul(j, self.bm)))
            self.form.store(b, x, self.target, b.add(b.mul(row, self.apart), b.mul(j, w.number(self.form.size))))

    def _turned(self) -> None:
        """Columns that each lie in order: squares as wide as a vector are turned in registers.

        Halves change places across the diagonal of a square, then quarters within the four squares, and so on.
        """
        w, b, form, wide = self.w, self.w.b, self.form, self.form.width
        squares = b.sdiv(self.k, w.number(wide))
        with w.repeat(squares) as q:
            start = b.mul(q, w.number(wide * form.size))
            rows = [form.load_vector(b, self.source, b.add(start, b.mul(self.bm, w.number(j)))) for j in range(wide)]
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
                self._put(b.add(first, w.number(j)), row)
        self._each(b.mul(squares, w.number(wide)), w.number(wide))

    def _put(self, p: Any, vector: Any) -> None:
        self.form.store(self.w.b, vector, self.target, self.w.b.mul(p, self.apart))
