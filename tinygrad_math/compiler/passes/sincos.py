"""Sine and cosine of the same large array from one tangent t: cos x is 1 / sqrt(1 + t²) with a sign, sin x is t cos x.

A gradient needs both, and each takes NumPy as long as the tangent, where it computes them number by number. Both are
within three units in the last place for every x, next to their zeros too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...core.op import Op
from ..program import Program, Value
from .rewrite import Make, is_op, rewrite

SMALLEST = 512  # below this many elements the calls cost more than the sines
MOST = 1e14  # beyond, a rounding of x / pi is a good part of a turn
PART = 16_000  # elements at once, which stay in the second cache
PER_TURN = 1 / np.pi
LAST_BIT = 1.5 * 2.0**52  # added to a number, it leaves the number rounded in the last bits


def cosine(x: Any, t: Any, out: Any = None) -> Any:
    """cos x, where t is tan x. Its sign is that of the half turn that x is nearest to: the last bit of their number."""
    if not max(x.max(), -x.min()) < MOST:  # or not a number
        return np.cos(x, out)
    if out is None:
        out = np.empty_like(t)
    length = PART if x.ndim == 1 else len(x)
    first, second = np.empty((2, *x[:length].shape))
    for k in range(0, len(x), length):
        part, tangent, y = x[k : k + length], t[k : k + length], out[k : k + length]
        quarter, turns = first[: len(part)], second[: len(part)]
        np.multiply(part, PER_TURN, turns)
        np.copysign(0.25, tangent, quarter)  # x / pi may be rounded to either half turn; the tangent knows the side
        np.subtract(turns, quarter, turns)
        np.add(turns, LAST_BIT, turns)
        odd = turns.view("i8")
        np.left_shift(odd, 63, odd)
        np.multiply(tangent, tangent, y)
        np.add(y, 1.0, y)
        np.sqrt(y, y)
        np.divide(1.0, y, y)
        bits = y.view("i8")
        np.bitwise_xor(bits, odd, bits)
    return out


COSINE = Op("cosine", cosine, kind="compiled", arity=2, register=False)


def has_both(program: Program) -> bool:
    """Whether there are sines and cosines at all."""
    return {"sin", "cos"} <= {v.title for v in program.body}


def sines_and_cosines(program: Program) -> int:
    asked: dict[Value, set[str]] = {}
    for v in program.body:
        if is_op(v, "sin", "cos"):
            asked.setdefault(v.inputs[0], set()).add(v.title)
    parts: dict[Value, tuple[Value, Value]] = {}

    def rule(v: Value, make: Make) -> Value | None:
        if not is_op(v, "sin", "cos") or v.dtype.name != "float64" or v.size < SMALLEST:
            return None
        x = v.inputs[0]
        if len(asked.get(x, ())) < 2:
            return None
        if x not in parts:
            t = make("tan", x)
            parts[x] = t, make(COSINE, x, t)
        t, c = parts[x]
        return c if is_op(v, "cos") else make("multiply", t, c)

    return rewrite(program, rule)
