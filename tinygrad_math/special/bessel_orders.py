"""The derivatives of Bessel functions in their order, as ops.

jv_dv(v, x, order) is the derivative of that order of J_v(x) in v, by the quadrature of `bessel_paths`. The derivative
of the op in v is that of the next order; in x it is that of the neighbours, as for the function itself. Those of K,
which is even in v, would cancel beside v = 0: the derivatives of K have an op for all orders in both arguments.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.declare import general
from ..core.errors import DTypeError, IllPosedDerivative, describe
from ..core.quiet import ignoring
from ..core.samples import positive, sample
from .bessel_ends import kv_of_order
from .bessel_paths import hankel, macdonald, modified, turn
from .quadrature import in_blocks
from .scipy_rows import differentiate, doubles, float_kind

__all__: list[str] = []

_AT_ONCE = 256  # elements; those of a tiny x take thousands of nodes


def _edges(name: str, v: Any, x: Any, n: int, slope: int) -> Any:
    """The n-th derivative in the order, and this slope, at x = 0 and at infinity, as limits from inside."""
    from scipy import special

    sign = (-1) ** n
    whole = v == np.floor(v)
    c, s = turn(np.abs(v))
    if name == "kv":
        zero = np.where(v == 0, math.inf if n % 2 == 0 else 0.0, np.where(v > 0, math.inf, sign * math.inf))
        zero = zero * (-1.0) ** slope
    elif name == "yv":  # of order -v it is cos(pi v) Y_v + sin(pi v) J_v
        mirrored = np.where(c != 0, -np.sign(c), np.sign(s)) * sign * math.inf
        zero = np.where(v < 0, mirrored, np.where(v == 0, -math.pi / 2 if n == 1 else -math.inf, -math.inf))
    else:  # (x/2)^v / gamma(v + 1)
        below = np.where(whole & (v < 0), np.where(c < 0, -sign, sign), np.sign(special.rgamma(1 + v)) * sign)
        zero = np.where(v > 0, 0.0, below * math.inf)
    far: Any = 0.0
    if name == "iv":  # as exp(-v^2 / 2 x) exp(x)
        half = (-1) ** (n // 2) * math.inf
        far = half if n % 2 == 0 else np.where(v == 0, 0.0, -np.sign(v) * half)
    return np.where(x == 0, zero, np.where(x == math.inf, far, math.nan))


def _of_endless_order(name: str, v: Any, x: Any, n: int) -> Any:
    """The limits for v to infinity at x > 0: as (x/2)^v / gamma(v + 1), or one over it."""
    limit = {"kv": math.inf, "yv": -math.inf}.get(name, 0.0)
    below = (-1) ** n * limit if name == "kv" else math.nan  # of -v the same, and the others swing
    inside = (x > 0) & (x < math.inf)
    return np.where(inside & (v == math.inf), limit, np.where(inside & (v == -math.inf), below, math.nan))


def _in_the_order(name: str, v: Any, x: Any, order: int, slope: int = 0) -> Any:
    """The derivatives of this order in v of one of the functions."""
    if np.iscomplexobj(v) or np.iscomplexobj(x):
        raise DTypeError(
            f"{name}: the derivative in the order takes real numbers, got {describe(v)} and {describe(x)}; "
            "hold the order constant with stop_gradient() if that is meant"
        )
    kind = float_kind(v, x)
    v, x = doubles(v, x)
    alone = (x < 0) & (v == np.floor(v)) & (name in ("jv", "iv", "ive"))
    if np.any(alone):
        raise IllPosedDerivative(
            f"{name}(v, x) is real at whole orders only where x < 0, so it has no derivative in the order there: got "
            f"x = {x[alone][0]:g} at v = {v[alone][0]:g}; hold the order constant with stop_gradient() if that is meant"
        )
    inside = (x > 0) & np.isfinite(x) & np.isfinite(v)
    with ignoring():
        out = np.where(
            np.isfinite(v),
            _edges(name, v if name == "kv" else v - slope, x, order, slope),
            _of_endless_order(name, v, x, order) * (-1.0) ** (slope if name == "kv" else 0),
        )

    def f(v: Any, x: Any) -> Any:
        if name == "kv":
            return macdonald(v, x, order, slope)
        if name in ("iv", "ive"):
            return modified(v, x, order, slope, int(name == "ive"))
        h = hankel(v, x, order)[order]
        return h.real if name == "jv" else h.imag

    if np.any(inside):
        out[inside] = in_blocks(f, v[inside], x[inside], size=_AT_ONCE)
    return out.astype(kind)[()]


def _order_slope(name: str, below: int, above: int) -> Any:
    def forward(v: Any, x: Any, /, order: int = 1) -> Any:
        return _in_the_order(name, v, x, order)

    forward.__name__ = forward.__qualname__ = f"{name}_dv"
    forward.__doc__ = f"The derivative of this order (from 1) of {name}(v, x) in v. By quadrature, see `bessel_paths`."
    op = general(
        arity=2,
        latex=rf"\partial_{{{{v}}}}^{{{{{{order}}}}}} {name[0].upper()}_{{{{{{0}}}}}}({{1}})",
        shape="broadcast of the arguments",
        samples=lambda: [
            sample(np.array([0.3, 2.0, -1.4]), positive(3)),
            sample(np.array([[0.0], [1.7]]), positive(1, 3), order=2),
            sample(1.5, positive()),
            sample(0.5, positive(0, 2)),
        ],
    )(forward)

    def in_x(xp: Any, y: Any, v: Any, x: Any, order: int) -> Any:
        f = getattr(xp, f"{name}_dv")
        return 0.5 * (below * f(v - 1, x, order=order) + above * f(v + 1, x, order=order))

    differentiate(op, lambda xp, y, v, x, order: getattr(xp, f"{name}_dv")(v, x, order=order + 1), in_x)
    return op


jv_dv = _order_slope("jv", 1, -1)
yv_dv = _order_slope("yv", 1, -1)
iv_dv = _order_slope("iv", 1, 1)


@general(
    arity=2,
    latex=r"\partial_{{v}}^{{{order}}} \partial_{{x}}^{{{slope}}} K_{{{0}}}({1})",
    shape="broadcast of the arguments",
    samples=lambda: [
        sample(np.array([0.3, 2.0, -1.4]), positive(3)),
        sample(np.array([[0.0], [1.7]]), positive(1, 3), order=2, slope=1),
        sample(np.array([0, 3]), positive(2), order=0, slope=1),
        sample(0.5, positive(0, 2)),
    ],
)
def kv_dv(v: Any, x: Any, /, order: int = 1, slope: int = 0) -> Any:
    """The derivative of K_v(x), of this order in v and this slope in x > 0. By quadrature; of order 0 by neighbours."""
    if order:
        return _in_the_order("kv", v, x, order, slope)
    kind = float_kind(v, x)
    v, x = doubles(v, x)
    with ignoring():
        around = sum(math.comb(slope, j) * kv_of_order(v - slope + 2 * j, x) for j in range(slope + 1))
    return ((-0.5) ** slope * around).astype(kind)[()]


differentiate(
    kv_dv,
    lambda xp, y, v, x, order, slope: xp.kv_dv(v, x, order=order + 1, slope=slope),
    lambda xp, y, v, x, order, slope: xp.kv_dv(v, x, order=order, slope=slope + 1),
)


@general(
    arity=2,
    latex=r"\partial_{{v}}^{{{order}}} \partial_{{x}}^{{{slope}}} e^{{-\lvert {1} \rvert}} I_{{{0}}}({1})",
    shape="broadcast of the arguments",
    samples=lambda: [
        sample(np.array([0.3, 2.0, -1.4]), positive(3)),
        sample(np.array([[0.0], [1.7]]), positive(1, 3), order=2, slope=1),
        sample(1.5, np.array([0.5, 80.0])),
        sample(0.5, positive(0, 2)),
    ],
)
def ive_dv(v: Any, x: Any, /, order: int = 1, slope: int = 0) -> Any:
    """The derivative of exp(-x) I_v(x), of this order (from 1) in v and this slope in x > 0. By quadrature."""
    return _in_the_order("ive", v, x, order, slope)


differentiate(
    ive_dv,
    lambda xp, y, v, x, order, slope: xp.ive_dv(v, x, order=order + 1, slope=slope),
    lambda xp, y, v, x, order, slope: xp.ive_dv(v, x, order=order, slope=slope + 1),
)
