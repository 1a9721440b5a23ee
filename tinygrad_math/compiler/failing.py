"""Which instructions may raise by the values that they meet: they run whether a result needs them or not.

Left out is what another one that runs would raise as well: an index that is read there too, a matrix that is factored.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from ..core.op import Op
from ..transforms.loops.loop import Loop
from .program import Value, is_of_user

# of linear algebra: what refuses a matrix that is not finite, as all others do, too; what refuses a singular one
FINITE = frozenset({"det", "det_factored", "slogdet", "adjugate", "qr", "lu", "svd", "expm", "pinv", "matrix_rank"})
FINITE |= {"extreme_singular_value", "nuclear_norm", "partial_isometry"}
REGULAR = frozenset({"inv", "solve", "solve_factored"})
OTHERS = frozenset({"cholesky", "eigh", "eig", "logm", "sqrtm", "null_space", "orth", "solve_triangular"})
OTHERS |= {"solve_banded", "solve_sylvester", "eigen_alike", "eigen_unsplit", "eigen_free"}
INDEXED = frozenset({"gather", "scatter", "assign", "add_at", "multiply_at", "take_along_axis", "scatter_along_axis"})
LABELLED = {"mean_nll": 1, "mean_nll_slopes": 0, "checked_labels": 0}  # which input the labels are
CHECKS = frozenset({"required", "bincount", "weighted_bincount"})
FAILING = FINITE | REGULAR | OTHERS | INDEXED | CHECKS | LABELLED.keys()


def may_raise(v: Value) -> bool:
    """Whether this instruction may raise for some values of its inputs."""
    op: Any = v.op
    if op.kind == "loop":
        return isinstance(op, Loop) and loop_may_raise(op)
    if op.name in INDEXED:
        return any(not i.constant and i.dtype is not None and i.dtype.kind in "iu" for i in _positions(v))
    return op_may_raise(op)


def loop_may_raise(loop: Loop) -> bool:
    """Whether a step may raise, or there may be too many of them."""
    bounded = loop.condition is not None and loop.how.length is not None
    bodies = [loop.body, *([] if loop.condition is None else [loop.condition])]
    return bounded or any(op_may_raise(s.op) for body in bodies for s in body.steps)


def op_may_raise(op: Op) -> bool:
    """Whether the op may raise by values, whatever it is called with; a function of the user's may."""
    return loop_may_raise(op) if isinstance(op, Loop) else op.name in FAILING or is_of_user(op)


def raises_for(v: Value) -> set[Hashable]:
    """For what v raises, among what others may raise for as well."""
    assert v.op is not None
    name = v.op.name
    if name in INDEXED:
        whole = v.shape if name.startswith("scatter") else v.inputs[0].shape
        return {("index", whole, repr(v.params.get("key", v.params.get("axis"))), _positions(v))}
    if name in LABELLED:
        return {("labels", v.inputs[LABELLED[name]], v.params.get("ignore_index"))}
    if name in FINITE or name in REGULAR or name in OTHERS:
        matrices = _matrices(v.inputs[0])
        return {("finite", m) for m in matrices} | ({("regular", *matrices)} if name in REGULAR else set())
    return set()


def covered(v: Value, known: set[Hashable]) -> bool:
    """Whether others raise wherever v does."""
    assert v.op is not None
    wanted = raises_for(v)
    return bool(wanted) and v.op.name not in OTHERS and wanted <= known


def _matrices(v: Value) -> list[Value]:
    """What a matrix is made of that is turned, or put together of blocks."""
    found, stack = list[Value](), [v]
    while stack:
        one = stack.pop()
        if one.op is not None and one.op.name in ("matrix_transpose", "transpose", "concat"):
            stack += one.inputs
        elif not one.constant:
            found.append(one)
    return found


def _positions(v: Value) -> tuple[Value, ...]:
    assert v.op is not None
    return v.inputs[2:] if v.op.name in ("assign", "add_at", "multiply_at") else v.inputs[1:]
