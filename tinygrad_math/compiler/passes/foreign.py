"""Functions of the user that are called as an op of ours is get another name: the passes know ops by their names."""

from __future__ import annotations

from ...core.op import Op, registry
from ..program import Program, is_foreign


def tell_apart(program: Program) -> None:
    renamed: dict[Op, Op] = {}
    for v in program.body:
        if is_foreign(v) and v.op is not None and v.op.name in registry:
            if v.op not in renamed:
                renamed[v.op] = v.op.under(f"primitive {v.op.name}")
            v.op = renamed[v.op]
