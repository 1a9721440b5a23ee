"""What rests does not move, however steep it is: tangents times slopes, of which 0 times infinity is 0."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import samples as points
from ..core.declare import general
from ..core.quiet import ignoring
from ..core.samples import sample


@general(
    arity=2,
    latex="{0} {1}",
    shape="broadcast of the arguments",
    holomorphic=True,
    note="0 where t is 0 and the slope is no finite number",
    samples=lambda: [
        sample(points.real(3), points.real(3, key=1)),
        sample(points.real(2, 1), points.real(3, key=1)),
        sample(points.real(), points.real(2, key=1)),
        sample(points.real(0, 2), points.real(2, key=1)),
        sample(points.complexes(3), points.complexes(3, key=1)),
        sample(points.real(3), points.complexes(3)),
        sample(np.array([0.0, 0.0, 2.0]), np.array([np.inf, 3.0, -1.5]), smooth=False),
    ],
)
def resting_product(t: Any, slope: Any, /) -> Any:
    """t slope, and 0 where t is 0 and the slope is no finite number: what an argument that rests gives to a tangent.

    Derivatives: slope in t, t in slope, as of every product. So a tangent that is 0 at a point only, and moves there,
    is followed again by the slope, also where that is infinite: (s^2) log(s^2) bends without end at 0.
    """
    with ignoring("invalid"):
        return np.where(np.equal(t, 0) & ~np.isfinite(slope), 0, np.multiply(t, slope))[()]


@resting_product.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, t: Any, slope: Any) -> Any:
    if y.dtype.kind == "c":
        t, slope = xp.conj(t), xp.conj(slope)
    return xp.resting_product(g, slope) if need[0] else None, xp.resting_product(g, t) if need[1] else None


@resting_product.defjvp
def _(xp: Any, ts: Any, y: Any, t: Any, slope: Any) -> Any:
    by_t = None if ts[0] is None else xp.resting_product(ts[0], slope)
    by_slope = None if ts[1] is None else xp.resting_product(t, ts[1])
    return by_slope if by_t is None else by_t if by_slope is None else by_t + by_slope
