"""A factor that every user of a value applies is applied once, further up, where it often merges with another.

`w - lr * (h.T @ g)` for every parameter w multiplies every gradient by lr; all of them are linear in the gradient
of the loss, which is scaled anyway.
"""

from __future__ import annotations

import numpy as np

from ..program import Program, Value, value_of
from .algebra import scaled
from .regroup import moderate
from .rewrite import Make, is_float, is_op, rewrite

LINEAR = frozenset({"reshape", "transpose", "broadcast_to", "sum", "negative"})
ROUNDS = 8

Demand = dict[Value, Value]


def lift_scales(program: Program) -> int:
    """Move common factors up where that makes fewer or smaller products. Returns the number of products moved."""
    blocked: set[Value] = set()
    for _ in range(ROUNDS):
        demand = _demands(program, blocked)
        stuck = {v for v in demand if v not in blocked and not _agreed(v, demand)}
        if not stuck:
            break
        blocked |= stuck
    else:
        return 0
    removed = [v for v in program.body if _applied(v, demand) is not None]
    multiplied = [v for v in demand if v in blocked or not _carriers(v)]
    inserted = [v for v in multiplied if scaled(v) is None]
    if not removed or sum(map(_cost, removed)) <= sum(map(_cost, inserted)):
        return 0
    _move(program, demand, set(multiplied))
    return len(removed)


def _cost(v: Value) -> float:
    """In calls: an elementwise product of a thousand numbers takes about twice as long as one of none."""
    return 1 + v.size / 1000


def _demands(program: Program, blocked: set[Value]) -> Demand:
    """Value -> the factor that all its users apply to it."""
    offers: dict[Value, set[Value | None]] = {r: {None} for r in program.results}
    demand: Demand = {}
    for v in reversed(program.body):
        wanted = offers.get(v, {None})
        if len(wanted) == 1 and None not in wanted and is_float(v) and v.shape != ():
            (factor,) = wanted
            assert factor is not None
            if np.result_type(v.dtype, factor.example if factor.weak else factor.dtype) == v.dtype:  # i g is not real
                demand[v] = factor
        passed = _carriers(v) if v in demand and v not in blocked else ()
        applied = scaled(v) if v not in demand else None
        for i in v.inputs:
            if applied is not None and i is applied[0] and moderate(applied[1], 1e30):
                offer: Value | None = applied[1]
            else:
                offer = demand[v] if i in passed else None
            offers.setdefault(i, set()).add(offer)
    return demand


def _agreed(v: Value, demand: Demand) -> bool:
    return all(demand.get(i) is demand[v] for i in _carriers(v))


def _carriers(v: Value) -> tuple[Value, ...]:
    """The arguments that have to be multiplied for v to be multiplied."""
    found: tuple[Value, ...] = ()
    if is_op(v, *LINEAR):
        found = v.inputs
    elif is_op(v, "add", "subtract"):
        found = v.inputs if v.inputs[0] is not v.inputs[1] else ()
    elif is_op(v, "matmul", "multiply") and scaled(v) is None and v.inputs[0] is not v.inputs[1]:
        a, b = v.inputs
        found = (a,) if _gradient_like(a) >= _gradient_like(b) else (b,)
    return found if all(i.op is not None and is_float(i) and i.dtype == v.dtype and i.shape for i in found) else ()


def _gradient_like(v: Value) -> int:
    """Which of two factors is more likely the gradient: products carry scales up, activations do not."""
    if v.op is None or is_op(v, "transpose"):
        return 0
    return 2 if is_op(v, "matmul", "multiply", "add") else 1


def _applied(v: Value, demand: Demand) -> Value | None:
    """The argument, if v is the product with a factor that has moved up."""
    pair = scaled(v)
    return pair[0] if pair is not None and demand.get(pair[0]) is pair[1] and v not in demand else None


def _move(program: Program, demand: Demand, multiplied: set[Value]) -> None:
    changed: dict[Value, Value] = {}
    body: list[Value] = []
    for v in program.body:
        inner = _applied(v, demand)
        v.inputs = tuple(changed.get(i, i) for i in v.inputs)
        if inner is not None:
            changed[v] = changed.get(inner, inner)
            continue
        body.append(v)
        if v in multiplied:
            changed[v] = value_of("multiply", v, demand[v], place=v.place)
            body.append(changed[v])
    program.body = body
    program.results = [changed.get(r, r) for r in program.results]


def sink_scales(program: Program) -> int:
    """c (a @ b) is (c a) @ b, where a is smaller than the product; other factors may stand beside the product."""
    users = program.users()

    def with_factor(v: Value, c: Value, make: Make) -> Value | None:
        if users.get(v) != 1 or not is_float(v):
            return None
        for k, i in enumerate(v.inputs):
            new: Value | None = None
            if is_op(v, "matmul") and 2 * i.size <= v.size and i.dtype == v.dtype and not i.constant:
                new = make("multiply", i, c)
            elif is_op(v, "multiply") and i.shape == v.shape and i.dtype == v.dtype:
                new = with_factor(i, c, make)
            if new is not None:
                return make(v.title, *(new if j == k else other for j, other in enumerate(v.inputs)))
        return None

    def rule(v: Value, make: Make) -> Value | None:
        pair = scaled(v) if is_float(v) else None
        plain = pair is not None and moderate(pair[1]) and pair[0].dtype == v.dtype  # no product in another precision
        return with_factor(*pair, make) if pair is not None and plain else None

    return rewrite(program, rule)
