"""Common subexpressions: what was computed once is not computed again."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..program import Program, Value
from .rewrite import Make, rewrite

# not maximum and minimum, which of -0.0 and 0.0 give the second
COMMUTATIVE = frozenset({"add", "multiply", "equal", "not_equal", "logical_and", "logical_or"})


def common_subexpressions(program: Program) -> int:
    seen: dict[Any, Value] = {}
    constants: dict[Any, Value] = {}
    program.replace(
        {c: first for c in program.constants() if (first := constants.setdefault(_contents(c), c)) is not c}
    )

    def rule(v: Value, make: Make) -> Value | None:
        assert v.op is not None
        if is_random(v):
            return None
        inputs = [id(i) for i in v.inputs]
        if v.op.name in COMMUTATIVE:
            inputs.sort()
        key = (v.op, tuple(inputs), freeze(v.params) if v.params else ())
        return seen.setdefault(key, v)

    return rewrite(program, rule)


def is_random(v: Value) -> bool:
    """Whether the instruction gives something else each time."""
    return bool(getattr(v.op, "random", False))


def _contents(c: Value) -> Any:
    """A key that is equal for constants of the same type and bits."""
    data = np.asarray(c.example)
    if c.shape is None or data.nbytes > 4096 or data.dtype.hasobject:
        return id(c)
    return c.weak, data.dtype, data.shape, data.tobytes()


_EXACT = {int, bool, str}  # of which equal ones of one type are the same


def freeze(x: Any) -> Any:
    """A hashable key of static parameters, in which 1, 1.0 and True differ."""
    if x is None or type(x) in _EXACT:
        return type(x), x
    if isinstance(x, dict):
        return tuple((k, freeze(v)) for k, v in sorted(x.items()))
    if isinstance(x, (list, tuple)):
        return type(x), tuple(freeze(v) for v in x)
    if isinstance(x, slice):
        return "slice", freeze((x.start, x.stop, x.step))
    if isinstance(x, np.ndarray):
        return x.dtype, x.shape, x.tobytes()
    try:
        hash(x)
    except TypeError:
        return id(x)
    return type(x), x, repr(x) if isinstance(x, float) else None
