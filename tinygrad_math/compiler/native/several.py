"""Elementwise ops that are several ufuncs one after another, as NumPy takes them."""

from __future__ import annotations

import numpy as np

from ..program import Value
from .instructions import Instructions
from .places import FAR, Place
from .steps import Steps

Words = list[int] | None


def rounded(around: Instructions, v: Value, out: Place) -> Words:
    """Words of x with so many decimals: multiplied or divided by a power of ten, to the next number, and back."""
    places, decimals = _floats(around, v), v.params["decimals"]
    if places is None or not isinstance(decimals, int) or abs(decimals) > 300:
        return None
    (x,), steps = places, Steps(around, [])
    if not decimals:
        steps.of(np.rint, x, out=out)
        return steps.words
    power = steps.number(10.0 ** abs(decimals), v.dtype)
    there, back = (np.multiply, np.divide) if decimals > 0 else (np.divide, np.multiply)
    whole = steps.of(np.rint, steps.of(there, x, power))
    steps.of(back, whole, power, out=out)
    return steps.words


def nan_to_num(around: Instructions, v: Value, out: Place) -> Words:
    """Words of x with numbers in place of what is none."""
    places, p = _floats(around, v), v.params
    info = np.finfo(v.dtype) if places is not None else None
    if places is None or info is None:
        return None
    (x,), steps = places, Steps(around, [])
    ends = [info.max if p["posinf"] is None else p["posinf"], info.min if p["neginf"] is None else p["neginf"]]
    if any(np.ndim(n) for n in (p["nan"], *ends)):
        return None
    nan, above, below = (steps.number(float(n), v.dtype) for n in (p["nan"], *ends))
    y = steps.where(steps.of(np.isnan, x), nan, x)
    y = steps.where(steps.of(np.equal, x, steps.number(np.inf, v.dtype)), above, y)
    steps.where(steps.of(np.equal, x, steps.number(-np.inf, v.dtype)), below, y, out)
    return steps.words


def quotient(around: Instructions, v: Value, out: Place) -> Words:
    """Words of x / y, and 0 where both are."""
    places = _floats(around, v)
    if places is None:
        return None
    (x, y), steps = places, Steps(around, [])
    zero = steps.number(0, v.dtype)
    none = steps.of(np.logical_and, steps.of(np.equal, x, zero), steps.of(np.equal, y, zero))
    steps.of(np.divide, x, steps.where(none, steps.number(1, v.dtype), y), out=out)
    return steps.words


def _floats(around: Instructions, v: Value) -> list[Place] | None:
    """Where the inputs lie, which have the dtype of the result."""
    places = [None if i.weak or i.dtype != v.dtype or i.nbytes > FAR else around.place(i) for i in v.inputs]
    known = [p for p in places if p is not None]
    return known if v.dtype.char in "df" and len(known) == len(places) else None
