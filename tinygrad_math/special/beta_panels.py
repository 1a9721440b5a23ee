"""The beta distribution's density below its mean, where it is integrated: with E = expm1(v) and F = expm1(-v)

t^(a+1) (1-t)^b is that at x times exp(-fall), fall = (a + 1) log1p((1 - x) E) + b log1p(x F),

where t/(1 - t) is that of x times exp(-v), and x <= a/(a + b). The terms of first order in v, of which most cancels,
are taken out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .quadrature import FAR, panels, reach
from .stirling import bend


def beta_panels(a: Any, b: Any, x: Any, y: Any) -> tuple[Any, Any, Any]:
    """v, weights and the fall there, of vectors; y is 1 - x."""
    steep = np.where(x < 0.5, a - (a + b) * x, a * y - b * x) + y

    def fall(v: Any, a: Any, b: Any, x: Any, y: Any, steep: Any) -> Any:
        return steep * v + (a + 1) * bend(y, x, v) + b * bend(x, y, -v)

    high = FAR - (1 + b / (a + 1)) * np.where(x < 0.5, np.log1p(-x), np.log(y))
    v, weights = panels(reach(lambda v: fall(v, a, b, x, y, steep), high))
    return v, weights, fall(v, *(w[:, None] for w in (a, b, x, y, steep)))
