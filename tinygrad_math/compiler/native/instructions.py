"""Instructions as words: which loop runs over which arrays, for every op that has a native form."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..calls import call
from ..memory import Plan
from ..program import Value
from .abreast import are_abreast, product_words, side_by_side
from .forms import lanes
from .fused import fused, pair, slope, starts
from .labels import mean_nll, mean_nll_slopes
from .loops import Loop, chooser, copier, keeper, loop, softplus
from .machine import LOOP_HEAD
from .places import FAR, Place, Places, c_strides, meet, of_matrices, split_up, turned
from .products import WIDEST, copying, fits, nanoseconds, of_blas, product
from .rows import extremes_of_rows, over_short_rows
from .stacks import nanoseconds as nanoseconds_of_stack
from .stacks import stacked
from .table import Operand, loop_words, merged

SHORT = 64  # numbers in a row, of which a call of a loop takes as long as of none
MANY = 128  # rows of what lies abreast that are summed one by one
FEW = 16  # numbers that may be summed one by one: NumPy's pairwise sums of up to 128 take as many steps in a row


class Instructions(Places):
    """The words of a program's instructions, one method for each kind; None where there is no native form."""

    def __init__(self, plan: Plan, within: Places | None = None) -> None:
        super().__init__(plan, within)
        self.words: dict[Value, list[int]] = {}  # of what is native; none for a view
        self.users: dict[Value, int] = {}
        self.counters: set[Value] = set()  # numbers of steps, which are whole numbers in memory
        # of our own: what is multiplied, and whether that was a row and a column
        self.products: dict[Value, tuple[Place, Place, list[int], tuple[bool, bool]]] = {}
        self.within: dict[Value, Value] = {}  # what is one loop with what was made just before -> that
        self.latest: Value | None = None  # the last instruction that does something

    def lower(self) -> None:
        """Give every instruction that has a native form its words."""
        raise NotImplementedError

    def is_native(self, v: Value) -> bool:
        return v in self.words

    def _copied_view(self, v: Value) -> list[int] | None:
        """What may be a view of an argument that lies otherwise, and is a copy of the one that is given here."""
        given = self.place(v.inputs[0]) if v.inputs else None
        if v.title not in _RESHAPES or given is None or call(v, ["x"], None) is None:
            return None
        if not isinstance(v.example, np.ndarray) or v.weak or v.nbytes > FAR or given.dtype != v.dtype:
            return None
        out = self.own(given.shape, v.dtype)  # of the order of the elements; then it is read in the new shape
        self.places[v] = Place(out.cell, out.offset, v.shape, c_strides(v.shape, v.dtype.itemsize), v.dtype)
        return self.moved(given, out, given.shape)

    def _copy(self, x: Value, v: Value, out: Place) -> list[int] | None:
        """A reshape that copies: written in the shape of what is read, as both are in order."""
        given = self.place(x)
        if given is None or given.dtype != out.dtype or out.strides != c_strides(out.shape, out.dtype.itemsize):
            return None
        if math.prod(given.shape) != math.prod(out.shape):
            return None
        shape = given.shape
        target = Place(out.cell, out.offset, shape, c_strides(shape, out.dtype.itemsize), out.dtype)
        return self.moved(given, target, shape)

    def _elementwise(self, v: Value, out: Place) -> list[int] | None:
        assert v.ufunc is not None
        if v.ufunc.nout != 1 or v.params or len(v.inputs) != v.ufunc.nin:
            return None
        if v.ufunc is np.add and self.products:
            words = self._with_biases(v, out)
            if words is not None:
                return words
        given = [type(i.example) if i.weak else i.dtype for i in v.inputs]
        by = loop(v.ufunc, tuple(np.dtype(bool) if g is bool else g for g in given))
        if by is None or by.dtypes[-1] != out.dtype:
            return None
        if v.ufunc is np.logaddexp:
            for x, zero in (v.inputs, v.inputs[::-1]):
                soft = softplus(out.dtype) if zero.is_number(0) and x.dtype == out.dtype and not x.weak else None
                if soft is not None:
                    return self._through(soft, [x], out, out.shape)
        return self._through(by, v.inputs, out, out.shape, v.ufunc)

    def _through(
        self, by: Loop, inputs: Sequence[Value], out: Place, shape: Sequence[int], ufunc: np.ufunc | None = None
    ) -> list[int] | None:
        """A loop over whole arrays, which is that of a ufunc."""
        words: list[int] = []
        places = [self.taken(i, d, words) for i, d in zip(inputs, by.dtypes, strict=False)]
        if any(p is None for p in places):
            return None
        operands = [*(p.over(shape) for p in places if p is not None), out.over(shape)]
        short = None if ufunc is None else over_short_rows(ufunc, by.dtypes[0], shape, operands)
        return words + (loop_words(by, shape, operands) if short is None else short)

    def _matmul(self, v: Value, out: Place) -> list[int] | None:
        assert v.ufunc is not None
        by = loop(v.ufunc, tuple(i.dtype for i in v.inputs))
        words: list[int] = []
        if by is None or v.params or any(i.weak for i in v.inputs) or by.dtypes[-1] != out.dtype:
            return None
        a, b = (self.taken(i, d, words) for i, d in zip(v.inputs, by.dtypes, strict=False))
        if a is None or b is None:
            return None
        size, rows = out.dtype.itemsize, (len(a.shape) == 1, len(b.shape) == 1)
        out = of_matrices(out, *rows)
        if rows[0]:
            a = a._replace(shape=(1, *a.shape), strides=(a.shape[0] * size, *a.strides))
        if rows[1]:
            b = b._replace(shape=(*b.shape, 1), strides=(*b.strides, size))
        if 0 in (a.shape[-2], b.shape[-1]):
            return words
        ours = self._product(v, a, b, out, None) if out.dtype.char in "df" else None
        if ours is not None:
            if len(out.shape) in (2, 3):
                self.products[v] = a, b, words, rows
            return words + ours
        many = out.shape[:-2]
        core = (a.shape[-2], a.shape[-1], b.shape[-1])
        return words + loop_words(by, many, [split_up(p, many) for p in (a, b, out)], core)

    def _product(self, v: Value, a: Place, b: Place, out: Place, start: Place | None) -> list[int] | None:
        """The words of a product of our own, as it stands or turned; none where BLAS is quicker."""
        found = self._abreast(v, a, b, out, start)
        if found is not None:
            return found
        left, right, target, begin = a, b, out, start
        quickest = _time_of_product(a, b, out, start)
        other = turned(b), turned(a), turned(out), None if start is None else turned(start)
        if _time_of_product(*other) < quickest:
            quickest, (left, right, target, begin) = _time_of_product(*other), other
        blas = of_blas(out.dtype.char, a.shape[-2], a.shape[-1], b.shape[-1])
        stack = _stack(a, b, out, start, min(quickest, blas))
        if stack is not None:
            return stack
        if quickest >= blas or (start is not None and len(out.shape) > 2):
            return None
        by = Loop(product(out.dtype.char), int(begin is not None), (out.dtype,) * 4)
        many = out.shape[:-2]
        operands = [split_up(p, many) for p in (left, right, target, target if begin is None else begin)]
        return loop_words(by, many, operands, (left.shape[-2], left.shape[-1], right.shape[-1]))

    def _abreast(self, v: Value, a: Place, b: Place, out: Place, start: Place | None) -> list[int] | None:
        """The words of products of matrices that lie abreast: as one, where they share the first matrix."""
        flat = side_by_side(a, b, out, start)
        one = None if flat is None else self._product(v, *flat)
        return one or product_words(a, b, out, start)

    def _with_biases(self, v: Value, out: Place) -> list[int] | None:
        """A row or a column added to a product that is made just before: the product's sums begin with it."""
        for seen, bias in (v.inputs, v.inputs[::-1]):
            m = seen.inputs[0] if _is_turned(seen) else seen
            if m not in self.products or self.latest is not m or bias.shape is None or m.dtype != out.dtype:
                continue
            if self.users[m] != 1 or self.users[seen] != 1:
                continue
            a, b, words, rows = self.products[m]
            if seen is not m:
                if any(rows):
                    continue
                a, b = turned(b), turned(a)
            given = None if bias.weak or bias.dtype != out.dtype else self.place(bias)
            if given is None or len(given.shape) > len(out.shape) or meet(out, (a, b)):
                continue
            start = Place(given.cell, given.offset, out.shape, given.over(out.shape).strides, out.dtype)
            if 0 not in start.strides or meet(out, (given,)) or out.shape != seen.shape:
                continue
            found = self._product(m, a, b, of_matrices(out, *rows), of_matrices(start, *rows))
            if found is not None:
                self.words[m] = []
                self.within[v] = m
                return words + found
        return None

    def _paired(self, v: Value, out: Place) -> list[int] | None:
        """What goes on with what was made just before, and is read nowhere else, as one loop with that."""
        first = self.latest
        if first is None or first not in v.inputs or first in self.within or not starts(first):
            return None
        if self.users[first] != 1 or first.shape != v.shape or first.dtype != v.dtype or not v.shape or not v.size:
            return None
        found = pair(first, v)
        if found is None:
            return None
        name, given = found
        places: list[Place] = []
        for i in given:
            p = self.number(i.example, v.dtype) if i.constant and i.weak else self.place(i)
            if p is None or p.dtype != v.dtype or self._is_over(out, p, v):
                return None
            places.append(p)
        words = loop_words(Loop(0, 0, (v.dtype,) * 4), v.shape, [p.over(v.shape) for p in (*places, out)])
        short = words[4] and words[LOOP_HEAD] < SHORT
        if short or any(s not in (0, v.dtype.itemsize) for s in words[words[5] : words[6]]):
            return None  # two loops are quicker, which may go through the arrays otherwise
        words[0] = fused(name, v.dtype)
        self.words[first] = []
        self.within[v] = first
        return words

    def _is_over(self, out: Place, p: Place, v: Value) -> bool:
        """Whether v may be written over elements of p that are still to be read: their memory may be free by then."""
        same = (p.cell, p.offset, p.shape, p.strides) == (out.cell, out.offset, out.shape, out.strides)
        apart = p.cell != out.cell and self.plan.kind_of(v) != "donated"
        return not same and not apart and meet(out, (p,))

    # -- the others --------------------------------------------------------------------------------------------------
    def _reduction(self, v: Value, out: Place) -> list[int] | None:
        u = _REDUCTIONS[v.title]
        truth = u in (np.logical_or, np.logical_and)
        by = loop(u, (np.dtype(bool),) * 2 if truth else (v.dtype,) * 2)
        words: list[int] = []
        x = v.inputs[0]
        if by is None or by.dtypes[-1] != out.dtype or x.weak:
            return None
        source = self.taken(x, by.dtypes[0], words)
        if source is None:
            return None
        axis = v.params.get("axis")
        n = len(source.shape)
        axes = range(n) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        along = {int(k) % n for k in axes} if n else set()
        found = self.reduced(v, u, source, out, along, bool(v.params.get("keepdims", False)))
        return None if found is None else words + found

    def reduced(self, v: Value, u: Any, source: Place, out: Place, along: set[int], keepdims: bool) -> list[int] | None:
        """What a ufunc makes of all elements along some axes, for v or on the way to it."""
        words: list[int] = []
        by, n = loop(u, (source.dtype,) * 2), len(source.shape)
        assert by is not None
        if keepdims or not n:
            spread = [0 if k in along else s for k, s in enumerate(out.strides)] if n else []
        else:
            rest = iter(out.strides)
            spread = [0 if k in along else next(rest) for k in range(n)]
        stack = self._stacked_sums(v, source, out._replace(strides=tuple(spread)), along) if u is np.add else None
        if stack is not None:
            return words + stack
        target = Operand(out.cell, out.offset, tuple(spread))
        whole = source.over(source.shape)
        if u.identity is None:
            if 0 in source.shape:
                return None
            quick = extremes_of_rows(u.__name__, source, target, along) if u in (np.maximum, np.minimum) else None
            if quick is not None:
                return words + quick
            kept = [1 if k in along else m for k, m in enumerate(source.shape)]
            words += loop_words(copier(out.dtype), kept, [whole, target])  # the first along the axes
        else:
            start = self.number(np.array(u.identity, out.dtype), out.dtype)
            assert start is not None
            words += loop_words(copier(out.dtype), out.shape, [start.over(out.shape), out.over(out.shape)])
        if 0 in source.shape:
            return words
        split = len(merged([source.shape[k] for k in along], [[source.strides[k] for k in along]])[0]) > 1
        if split and u is np.add and out.dtype.kind in "fc":  # as one row, which is summed pairwise, as NumPy does
            if math.prod(source.shape) * source.dtype.itemsize > FAR:
                return None
            order = [*(k for k in range(n) if k not in along), *sorted(along)]
            row = self.own(tuple(source.shape[k] for k in order), source.dtype)
            strides = [0] * n
            for k, s in zip(order, row.strides, strict=True):
                strides[k] = s
            row = Place(row.cell, row.offset, source.shape, tuple(strides), source.dtype)
            words += loop_words(copier(source.dtype), source.shape, [whole, row.over(source.shape)])
            source = row
        return words + self._gathered(u, by, source, target, along)

    def _stacked_sums(self, v: Value, source: Place, out: Place, along: set[int]) -> list[int] | None:
        """The sums over a few rows of each of many tiny matrices, as products with ones: the same, in that order."""
        one = self.number(1, out.dtype)
        if len(source.shape) != 3 or along != {1} or out.dtype.char not in "df" or one is None:
            return None
        many, rows, columns = source.shape
        ones = Place(one.cell, one.offset, (many, 1, rows), (0, 0, 0), out.dtype)
        if are_abreast(source) and rows <= MANY:
            return self._abreast(v, ones, source, out._replace(shape=(many, 1, columns)), None)
        if rows > FEW:
            return None
        return _stack(ones, source, out._replace(shape=(many, 1, columns)), None, math.inf)

    def _gathered(self, u: Any, by: Loop, source: Place, target: Operand, along: set[int]) -> list[int]:
        """`target` with all elements of `source` taken in, in the order in which NumPy takes them."""
        whole = source.over(source.shape)
        few = all(source.shape[k] <= FEW for k in along)
        order = sorted(range(len(source.shape)), key=lambda k: (-abs(whole.strides[k]), k))
        if few and len(along) == 1:
            (k,) = along
            order.remove(k)
            order.insert(0, k)
        shape = [source.shape[k] for k in order]
        rows = [Operand(o.cell, o.offset, tuple(o.strides[k] for k in order)) for o in (target, whole, target)]
        return loop_words(by, shape, rows, in_order=not few and u in (np.add, np.multiply))

    def _where(self, v: Value, out: Place) -> list[int] | None:
        words: list[int] = []
        c, a, b = v.inputs
        places = [self.taken(i, d, words) for i, d in ((c, np.dtype(bool)), (a, v.dtype), (b, v.dtype))]
        if c.weak or any(p is None for p in places) or any(i.weak and not i.constant for i in v.inputs):
            return None
        operands = [*(p.over(out.shape) for p in places if p is not None), out.over(out.shape)]
        return words + loop_words(chooser(v.dtype), out.shape, operands)

    def _keep(self, v: Value, out: Place) -> list[int] | None:
        return self._through(keeper(v.dtype), v.inputs, out, out.shape)

    def _astype(self, v: Value, out: Place) -> list[int] | None:
        given = self.place(v.inputs[0])
        return None if given is None else self.moved(given, out, out.shape)

    def _slope(self, v: Value, out: Place) -> list[int] | None:
        if v.dtype.char not in "df" or any(i.weak or i.dtype != v.dtype for i in v.inputs):
            return None
        return self._through(slope(v.title, v.dtype), v.inputs, out, out.shape)

    def _concat(self, v: Value, out: Place) -> list[int] | None:
        axis = v.params.get("axis", 0)
        stacked = v.title == "stack"
        if axis is None:
            return None
        axis %= len(v.shape)
        words: list[int] = []
        start = 0
        for i in v.inputs:
            part = self.taken(i, v.dtype, words)
            if part is None:
                return None
            if stacked:
                part = part._replace(
                    shape=(*part.shape[:axis], 1, *part.shape[axis:]),
                    strides=(*part.strides[:axis], 0, *part.strides[axis:]),
                )
            here = out._replace(offset=out.offset + start * out.strides[axis], shape=part.shape)
            words += loop_words(copier(v.dtype), part.shape, [part.over(part.shape), here.over(part.shape)])
            start += part.shape[axis]
        return words


_RESHAPES = {"reshape", "expand_dims", "squeeze", "ravel", "flatten", "unsqueeze"}
_REDUCTIONS = {
    "sum": np.add, "prod": np.multiply, "any": np.logical_or, "all": np.logical_and,
    "max": np.maximum, "amax": np.maximum, "min": np.minimum, "amin": np.minimum,
}  # fmt: skip
WRITERS: dict[str, Any] = {
    **dict.fromkeys(_REDUCTIONS, Instructions._reduction), "where": Instructions._where, "keep": Instructions._keep,
    "astype": Instructions._astype, "tanh_slope": Instructions._slope, "concat": Instructions._concat,
    "stack": Instructions._concat, "as_number": Instructions._astype, "mean_nll": mean_nll,
    "mean_nll_slopes": mean_nll_slopes, "sigmoid_slope": Instructions._slope,
}  # fmt: skip
LEFT = frozenset(  # what NumPy's lines leave to the op, in part
    {"keep", "mean_nll", "mean_nll_slopes", "sigmoid_slope", "tanh_slope"}
)


def _is_turned(v: Value) -> bool:
    """Whether v is a matrix turned."""
    turns = v.title in ("transpose", "matrix_transpose") and v.shape is not None and len(v.shape) == 2
    return turns and v.params.get("axes") in (None, (1, 0))


def _stack(a: Place, b: Place, out: Place, start: Place | None, limit: float) -> list[int] | None:
    """The words of many tiny products, a lane each, where each of them takes less than so many nanoseconds."""
    char, many = out.dtype.char, out.shape[:-2]
    if len(many) != 1 or many[0] < lanes(char):
        return None
    found = None
    begin = out if start is None else start
    for places in ((a, b, out, begin), (turned(b), turned(a), turned(out), turned(begin))):
        (n, k), m = places[0].shape[-2:], places[1].shape[-1]
        operands = [split_up(p, many) for p in places]
        took = nanoseconds_of_stack(char, n, k, m, operands[0].strides == (0,))
        if k and took < limit:
            by = Loop(stacked(char), int(start is not None), (out.dtype,) * 4)
            limit, found = took, loop_words(by, many, operands, (n, k, m))
    return found


def quickest(a: Place, b: Place, out: Place) -> float:
    """About how many nanoseconds each of a stack of products takes, by BLAS or by one of ours."""
    (n, k), m = a.shape[-2:], b.shape[-1]
    ours = [_time_of_product(a, b, out, None), _time_of_product(turned(b), turned(a), turned(out), None)]
    stacks = [nanoseconds_of_stack(out.dtype.char, *sizes, False) for sizes in ((n, k, m), (m, k, n))]
    return min(*ours, *stacks, of_blas(out.dtype.char, n, k, m))


def _time_of_product(a: Place, b: Place, out: Place, start: Place | None) -> float:
    """Nanoseconds of one of our products; without an end if it cannot be one."""
    (n, k), m, size = a.shape[-2:], b.shape[-1], out.dtype.itemsize
    copied = m > 1 and b.strides[-1] != size
    if not k or k * m * size > WIDEST or not fits(out.dtype.char, k, m, copied):
        return math.inf
    if start is not None and m > 1 and start.strides[-1] not in (0, size):
        return math.inf
    each = 0.0 if not copied else copying(b.strides[-2] == size)
    return nanoseconds(out.dtype.char, n, k, m, each, m > 1 and out.strides[-1] != size)
