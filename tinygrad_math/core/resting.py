"""What rests does not move, however steep it is: tangents times slopes, of which 0 times infinity is 0."""

from __future__ import annotations

from typing import Any

from .op import raw


def times(xp: Any, t: Any, slope: Any) -> Any:
    """t slope, and 0 where t is 0 and the slope is no finite number.

    Only there: a tangent that is 0 at a point may have a derivative of its own, which elsewhere has to count.
    """
    if xp is raw:  # of which nothing is differentiated
        return xp.where(xp.equal(t, 0), 0, t * slope)
    rests = xp.logical_and(xp.equal(t, 0), xp.logical_not(xp.isfinite(slope)))
    return xp.where(rests, 0, t) * xp.where(rests, 0, slope)
