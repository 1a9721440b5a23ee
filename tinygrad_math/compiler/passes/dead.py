"""Dead code: what no result needs is not computed. What is drawn is drawn all the same: others follow in the stream;
and what may raise by its values does so, unless something that stays would raise, too."""

from __future__ import annotations

from collections.abc import Hashable

from ..failing import covered, may_raise, raises_for
from ..program import Program, Value
from .common import is_random


def dead_code(program: Program) -> int:
    needed: set[Value] = set(program.results)
    for v in reversed(program.body):
        if v in needed or is_random(v):
            needed.add(v)
            needed.update(v.inputs)
    _keep_what_raises(program, needed)
    kept = [v for v in program.body if v in needed]
    removed = len(program.body) - len(kept)
    program.body = kept
    return removed


def _keep_what_raises(program: Program, needed: set[Value]) -> None:
    """Add what may raise, with what goes into it, where nothing that is needed raises for the same."""
    rest = [v for v in program.body if v not in needed and may_raise(v)]
    if not rest:
        return
    known: set[Hashable] = set()
    for v in program.body:
        if v in needed:
            known |= raises_for(v)
    for v in reversed(rest):  # the later ones bring those that they are made of
        if v in needed or covered(v, known):
            continue
        stack = [v]
        while stack:
            one = stack.pop()
            if one.op is not None and one not in needed:
                needed.add(one)
                known |= raises_for(one)
                stack += one.inputs
