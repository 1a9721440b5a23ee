"""Parts put side by side: the sum of arrays that are zero but for slices which together fill them is a concatenation.

The gradient of `a, b = z[:, :n], z[:, n:]` arrives as such a sum.
"""

from __future__ import annotations

from ..program import Program, Value, constant
from .rewrite import Make, is_op, rewrite

MOST = 64  # parts that are looked for


def join_parts(program: Program) -> int:
    users = program.users()

    def parts(v: Value) -> list[Value] | None:
        """The terms of a sum, if all of them are embedded parts."""
        found: list[Value] = []
        open_ = [v]
        while open_ and len(found) < MOST:
            t = open_.pop()
            if is_op(t, "embed"):
                found.append(t)
            elif is_op(t, "add") and (t is v or users.get(t) == 1) and all(i.shape == v.shape for i in t.inputs):
                open_ += t.inputs
            else:
                return None
        return found if not open_ and all(users.get(t) == 1 for t in found) else None

    def rule(v: Value, make: Make) -> Value | None:
        terms = parts(v) if is_op(v, "add") else None
        if terms is None:
            return None
        places = [_place(t) for t in terms]
        if None in places or len({p[0] for p in places if p is not None}) != 1:
            return None
        axis = places[0][0]  # type: ignore[index]
        ordered = sorted((p[1], p[2], k) for k, p in enumerate(places) if p is not None)
        ends = [0, *(stop for _, stop, _ in ordered)]
        if [start for start, _, _ in ordered] != ends[:-1] or ends[-1] != v.shape[axis]:
            return None
        joined = make("concat", *(terms[k].inputs[0] for _, _, k in ordered), axis=axis)
        return joined if v.dtype.kind not in "fc" else make("add", joined, constant(0.0))  # as the zeros beside -0.0 do

    return rewrite(program, rule)


def _place(v: Value) -> tuple[int, int, int] | None:
    """(axis, start, stop) if v is zero but for one interval of one axis."""
    key = v.params["key"]
    parts = key if isinstance(key, tuple) else (key,)
    if len(parts) > len(v.shape) or not all(isinstance(p, slice) for p in parts):
        return None
    found = None
    for axis, p in enumerate(parts):
        start, stop, step = p.indices(v.shape[axis])
        if step != 1:
            return None
        if (start, stop) != (0, v.shape[axis]):
            if found is not None or stop <= start:
                return None
            found = axis, start, stop
    return found
