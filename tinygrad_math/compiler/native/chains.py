"""A chain of instructions over large arrays, block by block: the machine repeats the words of one block, and moves the
arrays' cells on between, so that what a block leaves for the next instruction is still in the cache."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..blocks import TOTALS, Chain
from ..program import Value
from .instructions import WRITERS, Instructions
from .loops import copier, loop
from .machine import REPEAT, REPEAT_HEAD, SET
from .places import Place, c_strides, first_of, is_uniform, split_up
from .table import between, loop_words

ELEMENTS = 1 << 11  # of a block: a few arrays of so many fit into the first cache, or nearly
THREADS = 4  # that share a chain in NumPy: with more of them it is faster than loops of ours, and with two than NumPy's


class Blocks:
    """The words of a chain: the whole blocks, what is left behind them, and its totals."""

    def __init__(self, around: Instructions, chain: Chain) -> None:
        self.around, self.chain = around, chain
        self.block = min(chain.block, ELEMENTS)
        self.before: list[int] = []
        self.after: list[int] = []
        self.moves: list[tuple[int, int]] = []
        self.moving: dict[Value, int] = {}  # what has a cell that moves on from block to block
        self.slots = [around.memory.room(self.block * d.itemsize) for d in chain.slot_types]

    def words(self) -> list[int] | None:
        chain, around = self.chain, self.around
        for v in (*chain.inputs(), *chain.outputs()):
            if not is_uniform(v) and not self._moves(v):
                return None
        if not all(map(self._gathers, chain.totals())):
            return None
        whole, rest = divmod(chain.size, self.block)
        body, last = self._block(self.block), self._block(rest) if rest else []
        if body is None or last is None:
            return None
        times = around.number(whole, np.dtype(np.int64))
        assert times is not None
        pairs = [w for pair in self.moves for w in pair]
        head = [0, REPEAT, REPEAT_HEAD + len(pairs) + len(body), times.cell, times.offset]
        head += [REPEAT_HEAD + len(pairs), len(self.moves), 0, between(body), whole]
        return [*self.before, *head, *pairs, *body, *last, *self.after]

    def _moves(self, v: Value) -> bool:
        """Give an array in order a cell that goes through its blocks."""
        place = self.around.place(v)
        if place is None or place.strides != c_strides(place.shape, v.dtype.itemsize):
            return False
        self._cell(v, place, self.block * v.dtype.itemsize)
        return True

    def _cell(self, v: Value, place: Place, stride: int) -> None:
        cell = self.around.memory.cell()
        self.before += [0, SET, 6, cell, place.cell, place.offset]
        self.moves.append((cell, stride))
        self.moving[v] = cell

    def _gathers(self, v: Value) -> bool:
        """Give a total an array of parts, one for each block, which are gathered behind them."""
        by = loop(getattr(np, TOTALS[v.title]), (v.dtype,) * 2)
        target = self.around.place(v)
        if by is None or target is None:
            return False
        count = -(-self.chain.size // self.block)
        parts = self.around.own((count,), v.dtype)
        self._cell(v, parts, v.dtype.itemsize)
        rest = parts._replace(offset=parts.offset + v.dtype.itemsize, shape=(count - 1,))
        self.after += loop_words(copier(v.dtype), (), [parts._replace(shape=(), strides=()).over(()), target.over(())])
        over = target.over((count - 1,))
        self.after += loop_words(by, (count - 1,), [over, rest.over((count - 1,)), over])
        return True

    def _block(self, n: int) -> list[int] | None:
        """The words of a block of n elements."""
        chain, around = self.chain, self.around
        lie: dict[Value, Place | None] = {v: self._part(v, n) for v in chain.members}
        for v in chain.inputs():
            uniform = is_uniform(v) and around.number(first_of(v), v.dtype)
            lie[v] = uniform or self._part(v, n)
        elsewhere = {v: around.places[v] for v in lie if v in around.places}
        around.places.update(lie)
        try:
            return self._instructions(n)
        finally:
            for v in lie:
                del around.places[v]
            around.places.update(elsewhere)

    def _part(self, v: Value, n: int) -> Place:
        """Where a block of v lies, or the part of a total."""
        if not v.shape:
            return Place(self.moving[v], 0, (), (), v.dtype)
        strides = (v.dtype.itemsize,)
        if v in self.moving:
            return Place(self.moving[v], 0, (n,), strides, v.dtype)
        slot = self.chain.slots.get(v)
        start = self.slots[slot] if slot is not None else 0
        return self.around.scratch(start, (n,), v.dtype)

    def _instructions(self, n: int) -> list[int] | None:
        words: list[int] = []
        around = self.around
        for v in self.chain.members:
            out = around.places[v]
            assert out is not None
            made: list[int] | None = None
            if not v.shape:
                made = self._total(v, out)
            elif v.elementwise:
                made = around._elementwise(v, out)
            elif v.title in ("where", "keep", "astype", "tanh_slope"):
                made = WRITERS[v.title](around, v, out)
            if made is None:
                return None
            words += made
        return words

    def _total(self, v: Value, out: Place) -> list[int] | None:
        """What a block adds up to, or its extreme."""
        around = self.around
        source, last = (around.places[i] for i in (v.inputs[0], v.inputs[-1]))
        if v.title == "matmul":
            product = loop(np.matmul, (v.dtype,) * 2)
            assert source is not None
            assert last is not None
            n, step = source.shape[0], (v.dtype.itemsize,)
            ways = source._replace(shape=(1, n), strides=step * 2), last._replace(shape=(n, 1), strides=step * 2)
            operands = [split_up(p, ()) for p in (*ways, out._replace(shape=(1, 1), strides=step * 2))]
            return None if product is None else loop_words(product, (), operands, (1, n, 1))
        by = loop(getattr(np, TOTALS[v.title]), (v.dtype,) * 2)
        assert source is not None
        assert by is not None
        first: Any = source._replace(shape=(), strides=())
        if by_sum := TOTALS[v.title] == "add":
            first = around.number(0, v.dtype)
        words = loop_words(copier(v.dtype), (), [first.over(()), out.over(())])
        target = out.over(source.shape)
        return words + loop_words(by, source.shape, [target, source.over(source.shape), target], in_order=by_sum)
