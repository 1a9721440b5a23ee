"""Elements that move, beside zeros or around an end: diagonals, and what is rolled."""

from __future__ import annotations

import itertools

import numpy as np

from ..program import Value
from .instructions import Instructions
from .loops import copier
from .places import Place, part_of, seen
from .table import loop_words

Words = list[int] | None


def diagonal_embed(around: Instructions, v: Value, out: Place) -> Words:
    """Words of zeros with x on a diagonal."""
    x, p = v.inputs[0], v.params
    source, zero = around.place(x), around.number(0, v.dtype)
    if source is None or zero is None or x.dtype != v.dtype or not v.size:
        return None
    target = seen(out, lambda whole: np.diagonal(whole, p["offset"], p["axis1"], p["axis2"]))
    moved = around.moved(source, target, target.shape)
    if moved is None or source.shape != target.shape:
        return None
    return [*loop_words(copier(v.dtype), out.shape, [zero.over(out.shape), out.over(out.shape)]), *moved]


def roll(around: Instructions, v: Value, out: Place) -> Words:
    """Words of x, in which what falls off at the end of an axis comes first."""
    x, axis, shift = v.inputs[0], v.params["axis"], v.params["shift"]
    source, words = around.place(x), list[int]()
    if source is None or x.dtype != v.dtype or x.weak or not x.size or np.asarray(shift).dtype.kind not in "iu":
        return None
    if axis is None:  # all of it as one row
        source, target = around.in_a_row(source, words), around.in_a_row(out, after := list[int]())
        if source is None or target is None or after:
            return None
        axis, shift = 0, int(np.sum(shift))
    else:
        target = out
    shifts = [0] * len(source.shape)
    for k, n in np.broadcast(axis, shift):
        shifts[int(k)] += int(n)
    pairs = [_ends(n, s % n) for n, s in zip(source.shape, shifts, strict=True)]
    for parts in itertools.product(*pairs):
        here = part_of(target, tuple(one for one, _ in parts))
        moved = around.moved(part_of(source, tuple(other for _, other in parts)), here, here.shape)
        assert moved is not None
        words += moved
    return words


def _ends(n: int, s: int) -> list[tuple[slice, slice]]:
    """Where an axis is written, and what is read there."""
    rest = (slice(s, None), slice(0, n - s))
    return [(slice(0, s), slice(n - s, None)), rest] if s else [rest]
