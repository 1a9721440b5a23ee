"""Constant folding: what depends on no argument is computed now; so is what depends on shapes alone."""

from __future__ import annotations

import math

import numpy as np

from ..program import Program, Value, apply, constant
from .common import is_random
from .rewrite import Make, is_op, number, rewrite

SHAPE_ONLY = frozenset({"zeros_like", "ones_like", "full_like"})


def fold_constants(program: Program) -> int:
    def rule(v: Value, make: Make) -> Value | None:
        assert v.op is not None
        if is_random(v) or v.shape is None:
            return None
        if v.op.name == "logical_and" and (any(i.is_number(0) for i in v.inputs) or _never(*v.inputs)):
            return constant(np.zeros(v.shape, bool) if v.shape else np.False_)
        if v.op.name == "where" and v.inputs[0].constant and not v.inputs[0].weak:
            chosen = v.inputs[1] if v.inputs[0].is_number(1) else v.inputs[2] if v.inputs[0].is_number(0) else None
            if chosen is not None and (chosen.shape, chosen.dtype) == (v.shape, v.dtype):
                return chosen
        known = all(i.constant for i in (v.inputs[1:] if v.op.name in SHAPE_ONLY else v.inputs))
        if not known:
            return None
        # the traced run may have let another array stand for what a ufunc made
        return constant(apply(v, [i.example for i in v.inputs]) if v.elementwise else v.example)

    return rewrite(program, rule)


def _never(a: Value, b: Value) -> bool:
    """x is infinite, and x equals a finite number."""
    for infinite, equal in ((a, b), (b, a)):
        if is_op(infinite, "isinf") and is_op(equal, "equal"):
            numbers = [number(i) for i in equal.inputs]
            if infinite.inputs[0] in equal.inputs and any(n is not None and math.isfinite(n) for n in numbers):
                return True
    return False
