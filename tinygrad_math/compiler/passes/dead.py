"""Dead code: what no result needs is not computed."""

from __future__ import annotations

from ..program import Program, Value


def dead_code(program: Program) -> int:
    needed: set[Value] = set(program.results)
    kept = []
    for v in reversed(program.body):
        if v in needed:
            kept.append(v)
            needed.update(v.inputs)
    removed = len(program.body) - len(kept)
    program.body = kept[::-1]
    return removed
