"""A factor that every user of a value applies is applied once, further up, where it often merges with another.

`w - lr * (h.T @ g)` for every parameter w multiplies every gradient by lr; all of them are linear in the gradient
of the loss, which is scaled anyway.
"""

from __future__ import annotations

from ..program import Program, Value
from .algebra import scaled
from .rewrite import is_float, is_op

LINEAR = frozenset({"reshape", "transpose", "broadcast_to", "sum", "negative"})


def lift_scales(program: Program) -> int:
    """Move common factors up where that leaves fewer products. Returns the number of products saved."""
    demand = _demands(program)
    if not demand:
        return 0
    removed = [v for v in program.body if _applied(v, demand) is not None]
    merged = [v for v in program.body if v in demand and not _passes_on(v, demand)]
    inserted = [v for v in merged if scaled(v) is None]
    saved = len(removed) - len(inserted)
    if saved <= 0:
        return 0
    _move(program, demand, set(merged))
    return saved


def _demands(program: Program) -> dict[Value, Value]:
    """Value -> the factor that all its users apply to it."""
    offers: dict[Value, set[Value | None]] = {r: {None} for r in program.results}
    demand: dict[Value, Value] = {}
    for v in reversed(program.body):
        wanted = offers.get(v, {None})
        if len(wanted) == 1 and None not in wanted and is_float(v) and v.shape != ():
            (factor,) = wanted
            assert factor is not None
            demand[v] = factor
        carrier = _carrier(v, demand)
        applied = scaled(v)
        for i in v.inputs:
            if applied is not None and i is applied[0] and applied[1].constant and v not in demand:
                offer: Value | None = applied[1]
            else:
                offer = demand.get(v) if i is carrier else None
            offers.setdefault(i, set()).add(offer)
    return demand


def _carrier(v: Value, demand: dict[Value, Value]) -> Value | None:
    """The argument in which v is linear and that could carry v's factor."""
    if v not in demand:
        return None
    if is_op(v, *LINEAR):
        x = v.inputs[0]
    elif is_op(v, "matmul", "multiply") and scaled(v) is None:
        a, b = v.inputs
        x = b if _computed(b) and not _computed(a) else a if _computed(a) and not _computed(b) else _younger(a, b)
        if a is b:
            return None
    else:
        return None
    return x if x is not None and _computed(x) and is_float(x) and x.dtype == v.dtype else None


def _computed(v: Value) -> bool:
    return v.op is not None and not is_op(v, "transpose")


def _younger(a: Value, b: Value) -> Value | None:
    return None if not _computed(a) else a if len(a.inputs) >= 1 and _depth(a) >= _depth(b) else b


def _depth(v: Value) -> int:
    """A cheap stand-in for age: gradients are made of products, activations of what is applied to products."""
    return 0 if v.op is None else 2 if is_op(v, "matmul", "multiply") else 1


def _passes_on(v: Value, demand: dict[Value, Value]) -> bool:
    carrier = _carrier(v, demand)
    return carrier is not None and demand.get(carrier) is demand[v]


def _applied(v: Value, demand: dict[Value, Value]) -> Value | None:
    """The argument, if v is the product with a factor that has moved up."""
    pair = scaled(v)
    return pair[0] if pair is not None and demand.get(pair[0]) is pair[1] and v not in demand else None


def _move(program: Program, demand: dict[Value, Value], merged: set[Value]) -> None:
    from ..program import value_of

    changed: dict[Value, Value] = {}
    body: list[Value] = []
    for v in program.body:
        inner = _applied(v, demand)
        v.inputs = tuple(changed.get(i, i) for i in v.inputs)
        if inner is not None:
            changed[v] = changed.get(inner, inner)
            continue
        body.append(v)
        if v in merged:
            new = value_of("multiply", v, demand[v], place=v.place)
            changed[v] = new
            body.append(new)
    program.body = body
    program.results = [changed.get(r, r) for r in program.results]
