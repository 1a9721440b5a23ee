"""Products of many tiny matrices at once, as a bank of small networks has them: a lane of a vector is a matrix.

With two or three columns a product by itself leaves most of a vector empty. Here as many products as a vector has
lanes go together: an element of A is gathered from all of them, or spread where they share A, those of B are put side
by side first, and the sums are scattered. The order of each sum is that of `products`, whose signature this has.
"""

from __future__ import annotations

import math
from typing import Any

from .assembly import Writer, assemble, llvm, once
from .forms import Form, lanes

COLUMNS = 4  # of C at most: sums that are held at once
LARGEST = 256  # elements of one B


def stacked(char: str) -> int:
    """The address of the loop for float64 ("d") or float32 ("f")."""
    return _assembled(char)


@once
def _assembled(char: str) -> int:
    ir = llvm().ir
    module = ir.Module(f"stacked_{char}")
    _Stacked(module, f"stacked_{char}", char).write()
    return assemble(module)[f"stacked_{char}"]


def nanoseconds(char: str, n: int, k: int, m: int, shared: bool) -> float:
    """About how long each of many products takes: sums that wait for each other, gathering and scattering."""
    if m > COLUMNS or k * m > LARGEST:
        return math.inf
    gathered = k * m + (0 if shared else n * k)
    return 1.0 + n * k * 0.8 / lanes(char) + (gathered + n * m) * 0.06


class _Stacked:
    def __init__(self, module: Any, name: str, char: str) -> None:
        self.ir = ir = llvm().ir
        self.form = form = Form(module, char)
        self.size, self.width, self.vector, self.byte = form.size, form.width, form.vector, form.byte
        self.w = Writer(module, name, ir.VoidType(), [ir.IntType(64).as_pointer()] * 4)

    def write(self) -> None:
        w, b, ir = self.w, self.w.b, self.ir
        arguments, dims, strides, handed = w.arguments
        count, self.n, self.k, self.m = (w.load(dims, j) for j in range(4))
        self.steps = [w.load(strides, j) for j in range(4)]
        self.an, self.ak, self.bk, self.bm, self.cn, self.cm, self.dn, self.dm = (
            w.load(strides, j) for j in range(4, 12)
        )
        self.begun = b.icmp_unsigned("!=", b.ptrtoint(handed, w.word), w.number(0))
        entry = ir.IRBuilder(w.entry)
        self.space = entry.bitcast(entry.alloca(self.vector, LARGEST), self.byte)
        starts = [w.load(arguments, j) for j in range(4)]
        wide = w.number(self.width)
        groups = b.sdiv(b.add(count, w.number(self.width - 1)), wide)
        shared, apart, done = (w.function.append_basic_block(s) for s in ("shared", "apart", "done"))
        b.cbranch(b.icmp_signed("==", self.steps[0], w.number(0)), shared, apart)
        for block, spread in ((shared, True), (apart, False)):
            b.position_at_end(block)
            with w.repeat(groups) as g:
                first = b.mul(g, wide)
                last = b.sub(count, wide)  # the last group may meet the one before, and computes the same there
                first = w.least(first, last)
                self.a, self.b, self.c, self.d = (
                    b.inttoptr(b.add(start, b.mul(first, step)), self.byte)
                    for start, step in zip(starts, self.steps, strict=True)
                )
                self._pack()
                self._columns(spread)
            b.branch(done)
        b.position_at_end(done)
        b.ret_void()
        w.done()

    def _lane(self, j: int) -> Any:
        return self.ir.Constant(self.ir.IntType(32), j)

    def _gathered(self, base: Any, offset: Any, step: Any) -> Any:
        """An element of each matrix."""
        w, b = self.w, self.w.b
        x = self.ir.Constant(self.vector, self.ir.Undefined)
        for j in range(self.width):
            one = self.form.load(b, base, b.add(offset, b.mul(step, w.number(j))))
            x = b.insert_element(x, one, self._lane(j))
        return x

    def _packed(self, p: Any, j: Any) -> Any:
        """How far on in `space` an element of B stands, that of each matrix in its lane."""
        w, b = self.w, self.w.b
        number = b.add(b.mul(p, self.m), j)
        return b.mul(number, w.number(self.width * self.size))

    def _pack(self) -> None:
        w, b = self.w, self.w.b
        with w.repeat(self.k) as p, w.repeat(self.m) as j:
            x = self._gathered(self.b, b.add(b.mul(p, self.bk), b.mul(j, self.bm)), self.steps[1])
            self.form.store(b, x, self.space, self._packed(p, j))

    def _columns(self, spread: bool) -> None:
        """C, which has a few columns."""
        w, b = self.w, self.w.b
        on = w.function.append_basic_block("on")
        choice = b.switch(self.m, on)
        for few in range(1, COLUMNS + 1):
            block = w.function.append_basic_block("few")
            choice.add_case(w.number(few), block)
            b.position_at_end(block)
            self._rows(few, spread)
            b.branch(on)
        b.position_at_end(on)

    def _rows(self, columns: int, spread: bool) -> None:
        w, b, ir, form = self.w, self.w.b, self.ir, self.form
        sums = [ir.IRBuilder(w.entry).alloca(self.vector) for _ in range(columns)]
        with w.repeat(self.n) as i:
            for s in sums:
                b.store(form.zeros, s)
            with w.when(self.begun):
                for j, s in enumerate(sums):
                    at = b.add(b.mul(i, self.dn), b.mul(w.number(j), self.dm))
                    b.store(self._gathered(self.d, at, self.steps[3]), s)
            row = b.mul(i, self.an)
            with w.repeat(self.k) as p:
                at = b.add(row, b.mul(p, self.ak))
                x = form.spread(b, form.load(b, self.a, at)) if spread else self._gathered(self.a, at, self.steps[0])
                for j, s in enumerate(sums):
                    other = form.load_vector(b, self.space, self._packed(p, w.number(j)))
                    b.store(form.fma(b, x, other, b.load(s)), s)
            for j, s in enumerate(sums):
                total = b.load(s)
                at = b.add(b.mul(i, self.cn), b.mul(w.number(j), self.cm))
                for lane in range(self.width):
                    one = b.extract_element(total, self._lane(lane))
                    form.store(b, one, self.c, b.add(at, b.mul(self.steps[2], w.number(lane))))
