"""Native forms of ops that NumPy does in several steps, which a program of NumPy calls as functions of their own."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from ..program import Value
from .along import scatter_along, take_along
from .assembly import Writer, assemble, llvm, once
from .extremes import argmax, argmin
from .instructions import Instructions
from .loops import Loop, copier, loop, machine_type
from .moving import diagonal_embed, roll
from .norms import lp_norm, root_mean_square, std
from .orders import argsort, sort
from .parts import changed_part
from .picking import add_at, assign, gather, scatter
from .places import Place, part_of
from .quantiles import median, quantile, quantile_weights
from .running import running
from .searching import searchsorted
from .several import nan_to_num, quotient, rounded
from .table import loop_words
from .winners import balanced, from_winner

Words = list[int] | None


def special(v: Value) -> np.ufunc | None:
    """SciPy's ufunc of an op that calls it as it is, on real arrays of one dtype."""
    plain = getattr(v.op, "plain", None)
    if getattr(plain, "__module__", None) != "scipy.special" or v.params or v.dtype.char not in "fd":
        return None
    if any(i.weak or i.dtype != v.dtype for i in v.inputs):
        return None
    import scipy.special

    found = getattr(scipy.special, plain.__name__, None) if plain is not None else None
    return found if isinstance(found, np.ufunc) and (found.nin, found.nout) == (len(v.inputs), 1) else None


def elementwise(around: Instructions, v: Value, out: Place, ufunc: np.ufunc) -> Words:
    """A ufunc's loop, where it computes in the dtype that the op gives."""
    given = tuple(type(i.example) if i.weak else i.dtype for i in v.inputs)
    by = loop(ufunc, given)
    if by is None or by.dtypes[-1] != out.dtype:
        return None
    return around._through(by, v.inputs, out, out.shape)


def _clip(around: Instructions, v: Value, out: Place) -> Words:
    if v.dtype.char not in "fd" or v.inputs[0].dtype != v.dtype:
        return None
    return elementwise(around, v, out, np._core.umath.clip)  # type: ignore[attr-defined]


def _embed(around: Instructions, v: Value, out: Place) -> Words:
    """Zeros, and x where a slice of them lies."""
    x, key = v.inputs[0], v.params["key"]
    target = part_of(out, key if isinstance(key, tuple) else (key,))
    words = _zeros(around, out)
    source = around.taken(x, v.dtype, words)
    if source is None or x.dtype != v.dtype or len(source.shape) > len(target.shape):
        return None
    moved = around.moved(source, target, target.shape)
    return None if moved is None else words + moved


def _overlap_add(around: Instructions, v: Value, out: Place) -> Words:
    """Zeros, to which what each place of the windows holds is added in its turn."""
    x, size = v.inputs[0], v.params["size"]
    words = _zeros(around, out)
    source, by = around.taken(x, v.dtype, words), loop(np.add, (v.dtype,) * 2)
    if source is None or by is None or x.dtype != v.dtype:
        return None
    many = x.shape[1 : 1 + len(size)]
    for place in itertools.product(*map(range, size)):
        steps = zip(place, v.params["dilation"], v.params["stride"], many, strict=True)
        where = (slice(None), *(slice(p * d, p * d + s * (m - 1) + 1, s) for p, d, s, m in steps), Ellipsis)
        target, taken = part_of(out, where), part_of(source, (slice(None),) * (1 + len(size)) + place)
        over = target.over(target.shape)
        words += loop_words(by, target.shape, [over, taken.over(target.shape), over])
    return words


def _cumsum(around: Instructions, v: Value, out: Place) -> Words:
    """Each element is the one before and what is added: NumPy's loop, whose result lies one place on.

    In whatever order dimensions are gone through, the element before comes earlier.
    """
    x, axis = v.inputs[0], v.params.get("axis")
    words: list[int] = []
    source, by = around.taken(x, v.dtype, words), loop(np.add, (v.dtype,) * 2)
    if source is None or by is None or x.dtype != v.dtype or x.weak or not x.shape or not v.size:
        return None
    if axis is None:
        if len(x.shape) > 1:
            return None
        axis = 0
    ahead = (slice(None),) * (axis % len(out.shape))
    first, here = part_of(out, (*ahead, slice(1))), part_of(out, (*ahead, slice(1, None)))
    moved = around.moved(part_of(source, (*ahead, slice(1))), first, first.shape)
    if moved is None:
        return None
    parts = part_of(out, (*ahead, slice(-1))), part_of(source, (*ahead, slice(1, None))), here
    return words + moved + loop_words(by, here.shape, [p.over(here.shape) for p in parts])


def _cross3(around: Instructions, v: Value, out: Place) -> Words:
    """Cross products, each in its turn, with the op's own order of products and differences."""
    places = [around.place(i) for i in v.inputs]
    if v.dtype.char not in "fd" or any(p is None or p.dtype != v.dtype for p in places):
        return None
    axis = v.params["axis"] % len(v.shape)
    many = (*v.shape[:axis], *v.shape[axis + 1 :])
    operands = []
    for p in (*(q for q in places if q is not None), out):
        whole = p.over(v.shape)
        ahead = (*whole.strides[:axis], *whole.strides[axis + 1 :])
        operands.append(whole._replace(strides=ahead, core=(whole.strides[axis],)))
    return loop_words(Loop(_cross_products(v.dtype.char), 0, (v.dtype,) * 3), many, operands)


@once
def _cross_products(char: str) -> int:
    """The address of the loop over vectors of three, whose components lie so far apart as the last strides say."""
    ir = llvm().ir
    name = f"cross_{char}"
    module, kind, byte = ir.Module(name), machine_type(np.dtype(char)), ir.IntType(8).as_pointer()
    w = Writer(module, name, ir.VoidType(), [ir.IntType(64).as_pointer()] * 4)
    b, (arguments, dims, strides, _) = w.b, w.arguments
    starts = [b.inttoptr(w.load(arguments, k), byte) for k in range(3)]
    steps, apart = ([w.load(strides, k) for k in row] for row in (range(3), range(3, 6)))
    with w.repeat(w.load(dims)) as i:
        here = [b.gep(start, [b.mul(i, step)]) for start, step in zip(starts, steps, strict=True)]
        at = [
            [b.bitcast(b.gep(x, [b.mul(w.number(k), d)]), kind.as_pointer()) for k in range(3)]
            for x, d in zip(here, apart, strict=True)
        ]
        one, other = ([b.load(p, align=1) for p in row] for row in at[:2])
        for k in range(3):
            m, n = (k + 1) % 3, (k + 2) % 3
            b.store(b.fsub(b.fmul(one[m], other[n]), b.fmul(one[n], other[m])), at[2][k], align=1)
    b.ret_void()
    w.done()
    return assemble(module)[name]


def _zeros(around: Instructions, out: Place) -> list[int]:
    zero = around.number(0, out.dtype)
    assert zero is not None
    return loop_words(copier(out.dtype), out.shape, [zero.over(out.shape), out.over(out.shape)])


OWN: dict[str, Callable[[Instructions, Value, Place], Words]] = {
    "add_at": add_at, "assign": assign, "gather": gather, "multiply_at": changed_part, "scatter": scatter,
    "scatter_along_axis": scatter_along, "take_along_axis": take_along,
    "balanced": balanced, "from_winner": from_winner,
    "argmax": argmax, "argmin": argmin, "argsort": argsort, "searchsorted": searchsorted, "sort": sort,
    "median": median, "quantile": quantile, "quantile_weights": quantile_weights,
    "clip": _clip, "nan_to_num": nan_to_num, "quotient": quotient, "round": rounded,
    "cross3": _cross3, "lp_norm": lp_norm, "root_mean_square": root_mean_square, "std": std,
    "cumprod": running, "cumsum": _cumsum, "exclusive_product": running, "scan": running,
    "diagonal_embed": diagonal_embed, "embed": _embed, "overlap_add": _overlap_add, "roll": roll,
}  # fmt: skip
