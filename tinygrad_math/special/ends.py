"""What stands at infinity, and where an exponential has overflowed: there formulas of the inside end in inf - inf.

A slope is taken by another function far out, one of the same limit whose derivatives have the same limits too.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.node import unknown
from ..core.tensor import Tensor

__all__: list[str] = []


def nowhere(mask: Any) -> bool:
    """Whether a condition is known to hold nowhere, so that what stands there need not be computed: it is not known of
    what is traced, whose values differ from call to call."""
    if isinstance(mask, Tensor):
        if mask.node.live or unknown(mask.node):
            return False
        mask = mask.node.data
    return isinstance(mask, (np.ndarray, np.generic)) and not mask.any()


def beyond(xp: Any, far: Any, x: Any, limit: Any, inside: Callable[[Any], Any], rest: float = 1.0) -> Any:
    """inside(x), and where `far` the limit, a number or a function of x; inside is given `rest` there."""
    if nowhere(far):
        return inside(x)
    value = limit(xp.where(far, x, math.inf)) if callable(limit) else limit
    return xp.where(far, value, inside(xp.where(far, rest, x)))


def at_infinity(xp: Any, x: Any, limit: Any, inside: Callable[[Any], Any], rest: float = 1.0) -> Any:
    """The same where x is infinite, of either sign."""
    return beyond(xp, xp.isinf(x), x, limit, inside, rest)


def exp_over(xp: Any, x: Any) -> Any:
    """exp(x) / x, the slope of exponential integrals, which may be differentiated at 0, far out and at infinity.

    Beside 0 as 1/x + (exp(x) - 1)/x, of which one term has the pole; far out as a product of two halves: with exp(x)
    itself it would overflow before it has to.
    """

    def product(x: Any) -> Any:
        half = xp.exp(0.5 * x)
        return half * (half / x)

    near = xp.less(xp.abs(x), 1)
    some = not nowhere(near)
    low, high = (xp.where(near, x, 1.0), xp.where(near, 1.0, x)) if some else (x, x)
    far = xp.logical_or(xp.isinf(product(high)), xp.equal(high, math.inf))
    out = beyond(xp, far, high, xp.exp, product)
    return xp.where(near, 1 / low + xp.exprel(low), out) if some else out


def _is_finite(x: Any) -> bool:
    """Whether all of an array are numbers and finite, seen at its ends: quicker than to ask each."""
    if x.__class__ is not np.ndarray or not x.size or x.dtype.kind != "f":
        return False
    return bool(x.item(x.argmax()) < math.inf and x.item(x.argmin()) > -math.inf)


def with_limits(y: Any, x: Any, above: Any, below: Any) -> Any:
    """Values, with these where x is inf and -inf."""
    if _is_finite(x) or not np.any(np.isinf(x)):
        return y
    y = np.asarray(y)
    return np.where(np.equal(x, math.inf), above, np.where(np.equal(x, -math.inf), below, y)).astype(y.dtype)[()]
