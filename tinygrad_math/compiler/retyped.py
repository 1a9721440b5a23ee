"""Ops whose result has a dtype or a shape that the values decide: checked at each call of a program.

Real matrices may have complex eigenvalues or roots, a basis of a null space has as many columns as the rank leaves,
and a user's primitive may return anything. A program is typed by what the traced run gave; where a call gives
something else, the function runs as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.errors import MathError, describe
from ..core.op import Op, registry
from ..core.tensor import select
from ..transforms.loops.loop import Loop
from .program import Program

VALUE_DEPENDENT_TYPE = frozenset(("eig", "logm", "sqrtm", "null_space", "orth", "known_residuals"))


class Retyped(MathError):
    """A result has another type than the program was made for."""


def check_types(program: Program) -> bool:
    """Let such instructions check what they give; tells whether there are any."""
    found: dict[tuple[Op, Any], Op] = {}
    within = False
    for v in program.body:
        assert v.op is not None
        if isinstance(v.op, Loop):
            within = within or retypes(v.op)
        elif v.op.name in VALUE_DEPENDENT_TYPE or (registry.get(v.op.name) is not v.op and v.op is not select):
            types = _types(v.example)
            if (v.op, types) not in found:
                found[v.op, types] = _checked(v.op, types)
            v.op = found[v.op, types]
    return bool(found) or within


def retypes(loop: Loop) -> bool:
    """Whether a step of a loop holds such an instruction."""
    bodies = [loop.body, *([] if loop.condition is None else [loop.condition])]
    return any(
        retypes(s.op)
        if isinstance(s.op, Loop)
        else s.op.name in VALUE_DEPENDENT_TYPE or (registry.get(s.op.name) is not s.op and s.op is not select)
        for body in bodies
        for s in body.steps
    )


def _types(result: Any) -> Any:
    parts = result if isinstance(result, tuple) else (result,)
    return tuple([(np.shape(p), np.asarray(p).dtype) for p in parts])


def _checked(op: Op, types: Any) -> Op:
    """The op with a look at what it gives."""

    def checking(f: Callable[..., Any]) -> Callable[..., Any]:
        def checked(*args: Any, **params: Any) -> Any:
            result = f(*args, **params)
            if _types(result) != types:
                raise Retyped(f"{op.__name__} gave {describe(result)}, and this program was made for {types}")
            return result

        return checked

    twin = op.under(f"{op.name}_as_traced")
    twin.plain, twin.forward, twin.ufunc = checking(op.plain), checking(op.forward), None
    return twin
