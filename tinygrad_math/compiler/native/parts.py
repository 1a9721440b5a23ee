"""Copies in which a part is changed that slices and numbers name, or a mask: written, added to or multiplied."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..program import Value
from .instructions import Instructions
from .loops import copier, loop
from .places import Place, part_of
from .steps import Steps
from .table import loop_words

Words = list[int] | None
CHANGES: dict[str, np.ufunc | None] = {"assign": None, "add_at": np.add, "multiply_at": np.multiply}


def changed_part(around: Instructions, v: Value, out: Place) -> Words:
    """Words of x with the part at a basic index or under a mask changed; None of other indices."""
    words: list[int] = []
    x, value = around.place(v.inputs[0]), around.taken(v.inputs[1], v.dtype, words)
    given = [i for i in v.inputs[:2] if not (i.constant and i.weak)]
    if x is None or value is None or any(i.dtype != v.dtype or i.weak for i in given):
        return None
    ufunc, masks = CHANGES[v.title], v.inputs[2:]
    if ufunc is not None and loop(ufunc, (v.dtype,) * 2) is None:
        return None
    words += loop_words(copier(v.dtype), out.shape, [x.over(out.shape), out.over(out.shape)])
    if masks:
        return _under_a_mask(Steps(around, words), v, value, out)
    key = v.params["key"]
    target = part_of(out, key if isinstance(key, tuple) else (key,))
    if len(value.shape) > len(target.shape):
        return None
    _change(Steps(around, words), ufunc, value, target)
    return words


def _change(steps: Steps, ufunc: np.ufunc | None, value: Place, target: Place) -> None:
    if ufunc is None:
        steps.cast(value, target.dtype, target)
    else:
        steps.of(ufunc, target, value, out=target)


def _under_a_mask(steps: Steps, v: Value, value: Place, out: Place) -> Words:
    """One mask, behind axes that are taken as a whole; a value that is the same wherever the mask is true."""
    key, ufunc = v.params["key"], CHANGES[v.title]
    mask = None if len(v.inputs) != 3 else steps.around.place(v.inputs[2])
    if mask is None or mask.dtype.char != "?" or type(key) is not tuple or key[-1] != "array":
        return None
    ahead, depth = len(key) - 1, len(mask.shape)
    if any(type(k) is not slice or k != slice(None) for k in key[:-1]) or not depth:
        return None
    if mask.shape != out.shape[ahead : ahead + depth]:
        return None
    spread = _spread(value, out.shape, ahead, depth)
    if spread is None:
        return None
    rest = len(out.shape) - ahead - depth
    shape = (*(1,) * ahead, *mask.shape, *(1,) * rest)
    mask = mask._replace(shape=shape, strides=(*(0,) * ahead, *mask.over(mask.shape).strides, *(0,) * rest))
    changed = spread if ufunc is None else steps.of(ufunc, out, spread)
    steps.where(mask, changed, out, out)
    return steps.words


def _spread(value: Place, shape: tuple[int, ...], ahead: int, depth: int) -> Place | None:
    """A value for what a mask picks, with the mask's own axes in place of the picked one; None where that counts."""
    behind = len(shape) - ahead - depth
    many = len(value.shape) - behind
    if many <= 0:
        return value
    if value.shape[many - 1] != 1 or many - 1 > ahead:
        return None

    def wider(row: tuple[int, ...], fill: Any) -> tuple[int, ...]:
        return (*row[: many - 1], *(fill,) * depth, *row[many:])

    return value._replace(shape=wider(value.shape, 1), strides=wider(value.strides, 0))
