"""Constant folding: what depends on no argument is computed now; so is what depends on shapes alone."""

from __future__ import annotations

from ..program import Program, Value, constant
from .common import is_random
from .rewrite import Make, rewrite

SHAPE_ONLY = frozenset({"zeros_like", "ones_like", "full_like"})


def fold_constants(program: Program) -> int:
    def rule(v: Value, make: Make) -> Value | None:
        assert v.op is not None
        if is_random(v) or v.shape is None:
            return None
        known = all(i.constant for i in (v.inputs[1:] if v.op.name in SHAPE_ONLY else v.inputs))
        return constant(v.example) if known else None

    return rewrite(program, rule)
