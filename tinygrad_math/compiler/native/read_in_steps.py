"""How a loop's step reads what it is given: what may be written over, and how what stays the same had better lie."""

from __future__ import annotations

from ..memory import Plan
from ..program import Program, Value
from .places import strides_of


def may_be_written_over(carry: Value, r: Value, step: Program, plan: Plan) -> bool:
    """Whether r, which comes next, may be written over a carry, element by element: nothing behind reads that."""
    body, root = step.body, plan.root
    if r not in body or not r.elementwise or r.weak or r.dtype != carry.dtype or r.shape != carry.shape:
        return False
    if any(r in chain.members for chain in plan.chains):  # which run where their first one stands
        return False
    if root.get(r) is not r or plan.kind[r] != "fresh":
        return False
    if r.shape and any(n > 1 and s != t for n, s, t in zip(r.shape, r.strides, carry.strides, strict=True)):
        return False
    behind = [*(i for v in body[body.index(r) + 1 :] for i in v.inputs), *step.results]
    seen = [i for i in r.inputs if i is not carry]  # a view of it, whose elements lie elsewhere
    return all(root.get(i, i) is not carry for i in (*behind, *seen))


def wanted_by_all(argument: Value, step: Program) -> tuple[int, ...] | None:
    """The strides that a matrix had better have that all steps share: its elements in the order of those of all that is
    made of it, element by element, in whatever dtype; None if it may lie as it will."""
    readers = [v for v in step.body if argument in v.inputs]
    if argument.shape is None or len(argument.shape) < 2:
        return None
    if not readers or not all(v.elementwise and v.shape == argument.shape for v in readers):
        return None
    wanted = {strides_of(v, argument.dtype) for v in readers}
    return wanted.pop() if len(wanted) == 1 else None
