"""What most passes do: look at each instruction, oldest first, and put something better in its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...core.op import Op
from ..program import Program, Value, value_of

Make = Callable[..., Value]
Rule = Callable[[Value, Make], Value | None]


def rewrite(program: Program, rule: Rule) -> int:
    """Apply `rule(v, make)` to every instruction; what it returns is read in place of v. Returns the number of changes.

    `make(name, *inputs, **params)` adds an instruction before v. A replacement of another shape or dtype is refused,
    so that a rule may be written without thinking of promotion.
    """
    changed: dict[Value, Value] = {}
    body: list[Value] = []
    added: list[Value] = []

    def make(name: str | Op, *inputs: Value, **params: Any) -> Value:
        new = value_of(name, *inputs, place=v.place, **params)
        if new.shape is not None and all(i.constant for i in inputs):
            new.op, new.inputs, new.params, new.constant = None, (), {}, True
        else:
            added.append(new)
        return new

    for v in program.body:
        if changed and not changed.keys().isdisjoint(v.inputs):
            v.inputs = tuple(changed.get(i, i) for i in v.inputs)
        new = rule(v, make)
        if new is not None and new is not v and (new.shape, new.dtype, new.weak) == (v.shape, v.dtype, v.weak):
            body += added
            changed[v] = new
            if new.name is None and not new.constant:
                new.name = v.name
        else:
            body.append(v)
        added.clear()
    program.body = body
    program.results = [changed.get(r, r) for r in program.results]
    return len(changed)


def is_op(v: Value, *names: str) -> bool:
    return v.op is not None and v.op.name in names


def is_scalar(v: Value) -> bool:
    """One real or complex number, known or not."""
    return v.shape == () and v.dtype.kind in "iufc"


def is_float(v: Value) -> bool:
    return v.dtype is not None and v.dtype.kind in "fc" and v.dtype.itemsize >= 4


def number(v: Value) -> float | None:
    """The number that a 0-d constant holds."""
    if not v.constant or v.shape != () or v.dtype.kind not in "iuf":
        return None
    return float(np.asarray(v.example).item())


def axes_of(v: Value) -> tuple[int, ...]:
    """The axes that a reduction sums over, counted from 0."""
    axis, n = v.params.get("axis"), len(v.inputs[0].shape)
    if axis is None or not n:  # a number may be summed over axis 0 or -1, of which it has none
        return tuple(range(n))
    return tuple(sorted(int(a) % n for a in (axis if isinstance(axis, (tuple, list)) else (axis,))))


def plain_sum(v: Value) -> bool:
    """Whether v is a sum without a change of dtype or any further option."""
    allowed = {"axis", "keepdims", "dtype"}
    return (
        is_op(v, "sum")
        and v.dtype == v.inputs[0].dtype
        and all(key in allowed or value is None for key, value in v.params.items())
    )
