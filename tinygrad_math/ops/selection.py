"""Choosing between values: where, clip, maximum, minimum."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.declare import general
from ..core.samples import real, sample


@general(
    arity=3,
    latex=r"\operatorname{{where}}({0}, {1}, {2})",
    shape="broadcast of the arguments",
    samples=lambda: [
        sample(np.array([True, False, True]), real(3), real(3, key=1)),
        sample(np.array([[True], [False]]), real(3), 0.0),
    ],
)
def where(condition: Any, x1: Any, x2: Any, /) -> Any:
    """x1 where the condition holds, else x2."""
    return np.where(condition, x1, x2)


@where.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, c: Any, a: Any, b: Any) -> Any:
    return None, xp.where(c, g, 0) if need[1] else None, xp.where(c, 0, g) if need[2] else None


@where.defjvp
def _(xp: Any, ts: Any, y: Any, c: Any, a: Any, b: Any) -> Any:
    return xp.where(c, 0 if ts[1] is None else ts[1], 0 if ts[2] is None else ts[2])
