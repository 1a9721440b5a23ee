"""Functions that are constant between their jumps: rounding, steps. Their derivative is 0, at the jumps too."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import samples as points
from ..core.declare import alias, elementwise, general, nondiff
from ..core.samples import sample

__all__ = [
    "around",
    "ceil",
    "fix",
    "floor",
    "frexp",
    "heaviside",
    "modf",
    "nextafter",
    "rint",
    "round",
    "spacing",
    "trunc",
]

_FLAT = "the derivative is 0, at the jumps too"


def _flat_samples() -> list[Any]:
    return [
        sample(points.real(3)),
        sample(points.real(2, 3)),
        sample(points.real()),
        sample(points.real(0, 2)),
        sample(np.array([-1.0, -0.5, 0.0, 0.5, 2.0]), smooth=False),
    ]


def _flat(ufunc: Any, latex: str, doc: str) -> Any:
    return elementwise(ufunc, 0, latex=latex, note=_FLAT, doc=f"{doc} Derivative: 0.", samples=_flat_samples)


floor = _flat(np.floor, r"\lfloor {0} \rfloor", "The largest integer not above x; integers keep their dtype.")
ceil = _flat(np.ceil, r"\lceil {0} \rceil", "The smallest integer not below x; integers keep their dtype.")
trunc = _flat(np.trunc, r"\operatorname{{trunc}} {0}", "The integer next to x towards zero; integers keep their dtype.")
rint = _flat(np.rint, r"\operatorname{{rint}} {0}", "The integer nearest to x, the even one of two.")


@general(
    latex=r"\operatorname{{round}} {0}",
    shape="same as x",
    note=_FLAT,
    samples=lambda: [
        *_flat_samples(),
        sample(points.complexes(3)),
        sample(points.real(3) + 0.001, decimals=1),
        sample(300 * points.real(3), decimals=-2),
    ],
)
def round(x: Any, /, decimals: int = 0) -> Any:
    """The number nearest to x with `decimals` digits after the point, the even one of two; integers keep their dtype.

    Arguments: `decimals` may be negative. Derivative: 0.

    >>> import tinygrad_math as tm
    >>> tm.round([0.5, 1.5, 2.6])
    tensor([0., 2., 3.])
    """
    return np.round(x, decimals)


round.defvjp(lambda xp, need, g, y, x, decimals: (xp.zeros_like(g),))
round.defjvp(lambda xp, ts, y, x, decimals: None)

heaviside = elementwise(
    np.heaviside,
    0,
    lambda xp, y, a, b: xp.equal(a, 0),
    latex=r"H({0})",
    note="the derivative in x1 is 0, at the jump too",
    samples=lambda: [
        sample(points.real(3), points.real(3, key=1)),
        sample(points.real(2, 1), 0.5),
        sample(points.real(), points.real(2)),
        sample(points.real(0, 2), points.real(2)),
        sample(np.array([0.0, 0.0, 1.0]), points.real(3), smooth=False),
    ],
    doc="0 for negative x1, x2 where x1 is 0, 1 for positive x1. Derivatives: 0, and 1 in x2 where x1 is 0.",
)


@general(
    many=True,
    latex=r"\operatorname{{modf}} {0}",
    shape="two arrays of x.shape",
    note="the derivative at the jumps is that of the branch taken",
    samples=lambda: [sample(points.real(2, 3)), sample(points.real()), sample(points.real(0, 2))],
)
def modf(x: Any, /) -> Any:
    """The part of x behind the point and the part before it, both with the sign of x. Derivatives: 1 and 0.

    >>> import tinygrad_math as tm
    >>> tm.modf(-2.5)
    (tensor(-0.5), tensor(-2.))
    """
    return np.modf(x)


modf.defvjp(lambda xp, need, g, y, x: (xp.zeros_like(x) if g[0] is None else g[0],))
modf.defjvp(lambda xp, ts, y, x: (ts[0], None))


@general(
    many=True,
    latex=r"\operatorname{{frexp}} {0}",
    shape="two arrays of x.shape",
    note="the derivative at powers of two is that of the branch taken",
    samples=lambda: [sample(points.real(2, 3)), sample(points.real()), sample(points.real(0, 2))],
)
def frexp(x: Any, /) -> Any:
    """The mantissa m, in [0.5, 1) up to sign, and the integer exponent e with x = m 2^e. Derivatives: 2^-e and 0.

    >>> import tinygrad_math as tm
    >>> tm.frexp(6.0)
    (tensor(0.75), tensor(3, dtype=int32))
    """
    return np.frexp(x)


frexp.defvjp(lambda xp, need, g, y, x: (xp.zeros_like(x) if g[0] is None else xp.ldexp(g[0], -y[1]),))
frexp.defjvp(lambda xp, ts, y, x: (xp.ldexp(ts[0], -y[1]), None))

nextafter = elementwise(
    np.nextafter,
    1,
    0,
    note="x1 and a step that is as good as constant: the derivatives are 1 and 0",
    doc="""The floating number that follows x1 in the direction of x2. Derivatives: 1 and 0.

    >>> import tinygrad_math as tm
    >>> float(tm.nextafter(1.0, 2.0)) - 1.0 == tm.finfo(tm.float64).eps
    True
    """,
)
spacing = nondiff(
    np.spacing,
    doc="""The distance from x to the next floating number away from zero.

    >>> import tinygrad_math as tm
    >>> float(tm.spacing(1.0)) == tm.finfo(tm.float64).eps
    True
    """,
)

fix, around = trunc, round
alias("fix", trunc)
alias("around", round)
