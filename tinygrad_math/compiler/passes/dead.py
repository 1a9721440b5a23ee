"""Dead code: what no result needs is not computed. What is drawn is drawn all the same: others follow in the stream."""

from __future__ import annotations

from ..program import Program, Value
from .common import is_random


def dead_code(program: Program) -> int:
    needed: set[Value] = set(program.results)
    kept = []
    for v in reversed(program.body):
        if v in needed or is_random(v):
            kept.append(v)
            needed.update(v.inputs)
    removed = len(program.body) - len(kept)
    program.body = kept[::-1]
    return removed
