"""Airy's functions, parabolic cylinders, and integrals of Airy's.

Each solves a linear equation of second order, which is its own second derivative: Ai'' = x Ai (DLMF 9.2.1), and D'' =
(x^2/4 - v - 1/2) D (DLMF 12.2.1).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.samples import real, sample
from ..core.tensor import Tensor, rec
from .cylinders import cylinder_d, cylinder_d_slope, cylinder_v, cylinder_v_slope
from .ends import beyond, with_limits
from .quadrature import gauss_legendre, in_blocks
from .scipy_rows import doubles, float_kind, forward_of, no_derivative, part, refuse_complex, row

__all__ = ["airy", "itairy", "pbdv", "pbvv", "pbwa"]

# -- Airy ---------------------------------------------------------------------------------------------------------
_ENDS = ((0.0, 0.0), (0.0, math.nan), (math.inf, 0.0), (math.inf, math.nan))  # at inf and -inf; Ai' and Bi' swing


def _airy(k: int, x: Any) -> Any:
    """The k-th of SciPy's `airy`, which has no numbers far out: there Ai has vanished, and Bi overflowed."""
    y = np.asarray(_SCIPYS_AIRY(x)[k])
    y = np.where(np.isnan(y) & np.greater(x, _VANISHED), _ENDS[k][0], y).astype(y.dtype)
    return with_limits(y, x, *_ENDS[k])


_SCIPYS_AIRY = forward_of("airy", "z")
_VANISHED = 200.0


def airy_ai(z: Any, /) -> Any:
    """Ai."""
    return _airy(0, z)


def airy_aip(z: Any, /) -> Any:
    """Ai'."""
    return _airy(1, z)


def airy_bi(z: Any, /) -> Any:
    """Bi."""
    return _airy(2, z)


def airy_bip(z: Any, /) -> Any:
    """Bi'."""
    return _airy(3, z)


def _curved(xp: Any, y: Any, x: Any) -> Any:
    """x Ai(x), which is 0 at infinity too."""
    return beyond(xp, xp.greater(x, _VANISHED), x, 0.0, lambda x: x * xp.airy_ai(x))


part("airy", 0, "airy_ai", lambda xp, y, x: xp.airy_aip(x), forward=airy_ai,
     latex=r"\operatorname{{Ai}}({0})", doc="Ai(x). d/dx = Ai'.")  # fmt: skip
part("airy", 1, "airy_aip", _curved, forward=airy_aip, latex=r"\operatorname{{Ai}}'({0})", doc="Ai'(x).")
part("airy", 2, "airy_bi", lambda xp, y, x: xp.airy_bip(x), forward=airy_bi,
     latex=r"\operatorname{{Bi}}({0})", doc="Bi(x). d/dx = Bi'.")  # fmt: skip
part("airy", 3, "airy_bip", lambda xp, y, x: x * xp.airy_bi(x), forward=airy_bip,
     latex=r"\operatorname{{Bi}}'({0})", doc="Bi'(x).")  # fmt: skip


def airy(z: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Airy's functions Ai, Ai', Bi and Bi' of real numbers. The derivative of Ai' is z Ai, that of Bi' is z Bi.

    >>> import tinygrad_math as tm
    >>> tm.grad(lambda z: tm.special.airy(z)[1])(2.0) / 2  # Ai(2)
    tensor(0.03492413)
    """
    return rec.airy_ai(z), rec.airy_aip(z), rec.airy_bi(z), rec.airy_bip(z)


_EXPANDED = 16.0  # from here on SciPy's values, expansions for large x, have all digits; its series has not, from 4 on
_PANELS = 8


def _integrals(x: Any) -> Any:
    """The integrals of Ai(t), Bi(t), Ai(-t), Bi(-t) from 0 to x, for a vector of 0 <= x <= _EXPANDED."""
    from scipy import special

    nodes, weights = gauss_legendre(24)
    unit = ((np.arange(_PANELS)[:, None] + (nodes + 1) / 2) / _PANELS).ravel()
    t, w = x[:, None] * unit, x[:, None] * np.tile(weights / (2 * _PANELS), _PANELS)
    above, below = special.airy(t), special.airy(-t)
    return np.stack([(f * w).sum(1) for f in (above[0], above[2], below[0], below[2])], 1)


def _airy_integral(x: Any, k: int) -> Any:
    """The k-th of SciPy's `itairy`; of -x the third is minus the first, and so on."""
    from scipy import special

    refuse_complex("itairy", x)
    kind = float_kind(x)
    (at,) = doubles(x)
    y = np.array(special.itairy(at)[k], np.float64)
    near = np.abs(at) <= _EXPANDED
    if near.any():
        found, low = in_blocks(_integrals, np.abs(at[near])), at[near] < 0
        y[near] = np.where(low, -found[:, (k + 2) % 4], found[:, k])
    above, below = _WHOLE[k]
    for far, limit in ((at > _OSCILLATED, above), (at < -_OSCILLATED, below)):
        y = np.where(far & np.isnan(y) & (limit != 0), limit, y)
    return with_limits(y, at, above, below).astype(kind)[()]


_WHOLE = ((1 / 3, -2 / 3), (math.inf, 0.0), (2 / 3, -1 / 3), (0.0, -math.inf))  # the integrals to inf and -inf
_OSCILLATED = 1e30  # the rest is below the rounding


def airy_ai_integral(x: Any, /) -> Any:
    """The integral of Ai(t) from 0 to x."""
    return _airy_integral(x, 0)


def airy_bi_integral(x: Any, /) -> Any:
    """The integral of Bi(t) from 0 to x."""
    return _airy_integral(x, 1)


def airy_ai_integral_below(x: Any, /) -> Any:
    """The integral of Ai(-t) from 0 to x."""
    return _airy_integral(x, 2)


def airy_bi_integral_below(x: Any, /) -> Any:
    """The integral of Bi(-t) from 0 to x."""
    return _airy_integral(x, 3)


_AIRY: dict[str, tuple[Any, Any, str]] = {
    "itairy_ai": (airy_ai_integral, lambda xp, y, x: xp.airy_ai(x), r"\int_0^{{{0}}} \operatorname{{Ai}}"),
    "itairy_bi": (airy_bi_integral, lambda xp, y, x: xp.airy_bi(x), r"\int_0^{{{0}}} \operatorname{{Bi}}"),
    "itairy_ai_below": (
        airy_ai_integral_below, lambda xp, y, x: xp.airy_ai(-x), r"\int_{{-{0}}}^0 \operatorname{{Ai}}",
    ),
    "itairy_bi_below": (
        airy_bi_integral_below, lambda xp, y, x: xp.airy_bi(-x), r"\int_{{-{0}}}^0 \operatorname{{Bi}}",
    ),
}  # fmt: skip
for _title, (_value, _slope, _latex) in _AIRY.items():
    row("itairy", _slope, forward=_value, title=_title, latex=_latex,
        doc="An integral of Airy's functions, of `itairy`.")  # fmt: skip


def itairy(x: Any) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The integrals of Ai(t), Bi(t), Ai(-t), Bi(-t) from 0 to x, whose derivatives are those functions.

    >>> import tinygrad_math as tm
    >>> tm.grad(lambda x: tm.special.itairy(x)[0])(2.0)  # Ai(2)
    tensor(0.03492413)
    """
    return rec.itairy_ai(x), rec.itairy_bi(x), rec.itairy_ai_below(x), rec.itairy_bi_below(x)


# -- parabolic cylinders ------------------------------------------------------------------------------------------
_HELD = 1e18  # where D has long vanished or, as V, overflowed, and the square is one of single precision


def _cylinder(name: str, letter: str, curve: Any, doc: str, values: tuple[Any, Any] = (None, None)) -> Any:
    """The pair of a function and its derivative, of w'' = curve(order, x) w; SciPy's values, or these."""
    f, slope = f"{name}_f", f"{name}_slope"
    samples = [sample(1, real(4)), sample(np.array([0, 2]), real(2)), sample(0, real()), sample(1, real(0, 2))]
    given: Any = {"arguments": "v x", "order": True, "samples": lambda: samples}
    order = no_derivative(name, "v")

    def bent(xp: Any, y: Any, v: Any, x: Any) -> Any:
        """Far out D and V have vanished or overflowed, and their bends are taken for them; W swings, by ever more."""

        def inside(x: Any) -> Any:
            return curve(v, x) * getattr(xp, f)(v, x)

        if name == "pbwa":
            return inside(x)
        return beyond(xp, xp.greater(xp.abs(x), _HELD), x, lambda x: getattr(xp, f)(v, x), inside)

    part(name, 0, f, order, lambda xp, y, v, x: getattr(xp, slope)(v, x), forward=values[0],
         latex=f"{letter}_{{{{{{0}}}}}}({{1}})", doc=f"The function of `{name}`.", **given)  # fmt: skip
    part(name, 1, slope, order, bent, forward=values[1],
         latex=f"{letter}_{{{{{{0}}}}}}'({{1}})", doc=f"The derivative that `{name}` gives.", **given)  # fmt: skip

    def pair(v: Any, x: Any) -> tuple[Tensor, Tensor]:
        return getattr(rec, f)(v, x), getattr(rec, slope)(v, x)

    pair.__name__ = pair.__qualname__ = name
    pair.__doc__ = doc
    return pair


pbdv = _cylinder(
    "pbdv",
    "D",
    lambda v, x: x * x / 4 - v - 0.5,
    """The parabolic cylinder function D_v(x), and its derivative in x. D'' = (x^2/4 - v - 1/2) D.

    Values by Tricomi's and Kummer's functions (DLMF 12.7), to 12 digits for orders up to 200 of both signs: SciPy's
    lose all of theirs at negative x from order 10 on, and for orders below -20 beside x = 2.

    >>> import tinygrad_math as tm
    >>> tm.grad(lambda x: tm.special.pbdv(0.0, x)[0])(1.0)  # of exp(-x^2/4)
    tensor(-0.38940039)
    """,
    (cylinder_d, cylinder_d_slope),
)
pbvv = _cylinder(
    "pbvv",
    "V",
    lambda v, x: x * x / 4 - v - 0.5,
    """The parabolic cylinder function V_v(x), and its derivative in x. V'' = (x^2/4 - v - 1/2) V.

    Values by Kummer's functions and D_v (DLMF 12.2, 12.4). Of positive orders SciPy's have few digits or none below
    x = -7.5, at negative x of orders that are not whole, and of orders from 9 on between |x| = 5 and about 20.

    >>> import tinygrad_math as tm
    >>> v, slope = tm.special.pbvv(1.0, 2.0)
    >>> tm.grad(lambda x: tm.special.pbvv(1.0, x)[0])(2.0) - slope
    tensor(0.)
    """,
    (cylinder_v, cylinder_v_slope),
)
_SCIPYS_PBWA = forward_of("pbwa", "a", "x", order=True)


def cylinder_w(a: Any, x: Any, /) -> Any:
    """SciPy's W(a, x), and its limit at infinity, as it swings by ever less."""
    y = np.asarray(_SCIPYS_PBWA(a, x)[0])
    return np.where(np.isinf(x) & np.isfinite(a), 0.0, y).astype(y.dtype)[()]


def cylinder_w_slope(a: Any, x: Any, /) -> Any:
    """SciPy's W'(a, x), which swings by ever more."""
    y = np.asarray(_SCIPYS_PBWA(a, x)[1])
    return np.where(np.isinf(x), math.nan, y).astype(y.dtype)[()]


pbwa = _cylinder(
    "pbwa",
    "W",
    lambda a, x: a - x * x / 4,
    """The parabolic cylinder function W(a, x), and its derivative in x. W'' = (a - x^2/4) W.

    >>> import tinygrad_math as tm
    >>> w, slope = tm.special.pbwa(1.0, 2.0)
    >>> tm.grad(lambda x: tm.special.pbwa(1.0, x)[1])(2.0) - 0.0 * w
    tensor(0.)
    """,
    (cylinder_w, cylinder_w_slope),
)
