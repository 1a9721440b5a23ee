"""A number times the gate that it opens itself, as in x sigmoid(x) and x Phi(x)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import samples as points
from ..core.declare import elementwise
from ..core.samples import sample

__all__: list[str] = []

FLAT = 1000.0  # from here on the gates are 0 or 1, and their slopes 0, in every dtype


def _gated(x: Any, s: Any, /) -> Any:
    """Of complex numbers, which have no order, the product."""
    return (x if np.iscomplexobj(x) else np.maximum(x, -FLAT)) * s


gated = elementwise(
    _gated,
    lambda xp, y, x, s: s,
    lambda xp, y, x, s: x if x.dtype.kind == "c" else xp.minimum(xp.maximum(x, -FLAT), FLAT),
    name="gated",
    latex="{0} {1}",
    holomorphic=True,
    samples=lambda: [
        sample(points.real(2, 3), points.positive(2, 3)),
        sample(points.real(2, 1), points.positive(3)),
        sample(points.real(), points.positive()),
        sample(points.real(0, 2), points.positive(2)),
        sample(points.complexes(3), points.complexes(3)),
    ],
    doc="""x s for a gate s that x shuts below -1000 and opens above 1000: at infinities the limit, not inf times 0.

    Derivatives: s in x; in s the number x, held to [-1000, 1000], since the slope of a gate is 0 beyond.
    """,
)
