"""Where a function is defined: outside, its value is NaN, and so is its derivative, in both modes and at every order.

`where(ok, y, nan)` alone would not do: its derivative is 0 where it is NaN.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.declare import elementwise
from ..core.samples import real, sample


def _within(y: Any, ok: Any, /) -> Any:
    return np.where(ok, y, math.nan)[()]


within = elementwise(
    _within,
    lambda xp, _, y, ok: xp.where(ok, xp.ones_like(y), math.nan),
    0,
    name="within",
    latex=r"{0}|_{{{1}}}",
    samples=lambda: [
        sample(real(3), np.array([True, True, True])),
        sample(real(2, 1), np.array([True])),
        sample(real(), np.True_),
        sample(real(0, 2), np.True_),
    ],
    doc="y where ok is true, elsewhere NaN, as is the derivative there. d/dy = 1.",
)


def _replaced(y: Any, ok: Any, other: Any, /) -> Any:
    return np.where(ok, y, other)[()]


replaced = elementwise(
    _replaced,
    lambda xp, _, y, ok, other: xp.where(ok, xp.ones_like(y), math.nan),
    0,
    0,
    name="replaced",
    latex=r"{0}|_{{{1}}}",
    samples=lambda: [
        sample(real(3), np.array([True, True, True]), 1.0),
        sample(real(2, 1), np.array([True]), 1.0),
        sample(real(), np.True_, 1.0),
        sample(real(0, 2), np.True_, 1.0),
    ],
    doc="y where ok is true, elsewhere another number, for a result that is NaN there, as is the derivative. d/dy = 1.",
)
