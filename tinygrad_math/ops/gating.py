"""A number times the gate that it opens itself, as in x sigmoid(x), x Phi(x) and x / (1 + |x|)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core import samples as points
from ..core.declare import elementwise
from ..core.samples import sample
from ..core.standing import as_array

__all__: list[str] = []

FLAT = 1000.0  # from here on the gates are 0 or 1, and their slopes 0, in every dtype
_Array, _FLOAT, _REAL, _minimum, _maximum = np.ndarray, np.float64, np.dtype(float), np.minimum, np.maximum
_LOW = {kind: np.array(-FLAT, kind) for kind in "efdg"}  # which a ufunc takes faster than a Python number
_HIGH = {kind: np.array(FLAT, kind) for kind in "efdg"}


def _is_above(x: Any) -> bool:
    """Whether all of an array are at least -1000, which no NaN is: quicker to see than to write another one."""
    return x.size > 0 and x.item(x.argmin()) >= -FLAT  # type: ignore[no-any-return]


def _unordered(x: Any) -> bool:
    """Whether x is of complex numbers, for which gates are no gates: of these there is but the product."""
    return isinstance(x, complex) or getattr(x, "dtype", _REAL).kind == "c"


def _low(x: Any) -> Any:
    return _LOW[x.dtype.char] if x.__class__ is _Array and x.dtype.char in _LOW else -FLAT


def _gated(x: Any, s: Any, /) -> Any:
    if x.__class__ is _FLOAT:
        return x * s if x >= -FLAT else _maximum(x, -FLAT) * s
    if x.__class__ is _Array and x.size and x.dtype.kind != "c" and x.item(x.argmin()) >= -FLAT:  # which no NaN is
        return x * s  # quicker to see than to write another one
    return x * s if _unordered(x) else _maximum(x, _low(x)) * s


def _held(x: Any, /) -> Any:
    if x.__class__ is _FLOAT and -FLAT <= x <= FLAT:
        return x
    if x.__class__ is _Array and (kind := x.dtype.char) in _LOW:
        return _minimum(_maximum(x, _LOW[kind]), _HIGH[kind])
    return x if _unordered(x) else _minimum(_maximum(x, -FLAT), FLAT)


def _held_product(x: Any, s: Any, /) -> Any:
    if x.__class__ is _Array and x.dtype.kind == "f" and _is_above(x) and x.item(x.argmax()) <= FLAT:
        return x * s
    return _held(x) * s


held = elementwise(
    _held,
    lambda xp, y, x: xp.equal(y, x),
    name="held",
    latex="{0}",
    samples=lambda: [
        sample(points.real(2, 3)),
        sample(points.real()),
        sample(points.real(0, 2)),
        sample(np.array([-np.inf, -1e4, 0.0, 1e4, np.inf]), smooth=False),
    ],
    doc="x held to [-1000, 1000], where the slope of a gate is 0 beyond; complex x as it is. Derivative: 1, 0 beyond.",
)


def _held_factor(xp: Any, y: Any, x: Any, s: Any) -> Any:
    return x if x.dtype.kind == "c" else xp.held(x)


def _gate(xp: Any, y: Any, x: Any, s: Any) -> Any:
    return s


def _samples() -> list[Any]:
    return [
        sample(points.real(2, 3), points.positive(2, 3)),
        sample(points.real(2, 1), points.positive(3)),
        sample(points.real(), points.positive()),
        sample(points.real(0, 2), points.positive(2)),
        sample(points.complexes(3), points.complexes(3)),
    ]


gated = elementwise(
    _gated,
    _gate,
    _held_factor,
    name="gated",
    latex="{0} {1}",
    holomorphic=True,
    samples=_samples,
    doc="""x s for a gate s that x shuts below -1000 and opens above 1000: at infinities the limit, not inf times 0.

    Derivatives: s in x; in s the number x, held to [-1000, 1000], since the slope of a gate is 0 beyond.
    """,
)

held_product = elementwise(
    _held_product,
    _gate,
    _held_factor,
    name="held_product",
    latex="{0} {1}",
    holomorphic=True,
    samples=_samples,
    doc="""x s for the slope s of a gate, with x held to [-1000, 1000], since that slope is 0 beyond.

    Derivatives: s in x; in s the number x, held in the same way.
    """,
)


@gated.defvjp
@held_product.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any, s: Any) -> Any:
    """By one op each, whatever the order of the derivative."""
    if y.dtype.kind == "c":
        x, s = xp.conj(x), xp.conj(s)
    return g * s if need[0] else None, xp.held_product(x, g) if need[1] else None


def _softsign(x: Any, /) -> Any:
    x = as_array(x)
    x = x if x.dtype.kind == "f" else x.astype(np.float64)
    size = np.abs(x)
    if not np.maximum.reduce(size, axis=None, initial=0) < np.inf:  # an endless one's quotient is the largest one's
        most = np.finfo(x.dtype).max
        x = np.clip(x, -most, most)
        size = np.abs(x)
    if size.__class__ is not _Array:
        return x / (1 + size)
    return np.divide(x, np.add(size, 1, out=size), out=size)


softsign = elementwise(
    _softsign,
    lambda xp, y, x: xp.square(1 / (1 + xp.abs(x))),
    name="softsign",
    latex=r"\frac{{ {0} }}{{ 1 + \left|{0}\right| }}",
    samples=lambda: [
        sample(points.real(2, 3)),
        sample(points.real()),
        sample(points.real(0, 2)),
        sample(np.array([-np.inf, -1e9, 0.0, np.inf]), smooth=False),
    ],
    doc="x / (1 + |x|), of real numbers. Derivative: 1 / (1 + |x|)^2, in which no terms cancel far out.",
)


# Lambert's fraction tanh x = x / (1 + x^2 / (3 + x^2 / (5 + ...))) (DLMF 4.39.1), cut off after 13, makes of x - tanh x
# a quotient of polynomials, x^3 p(x^2) / q(x^2): these, lowest first
_ABOVE = (1.0, 2772 / 45045, 27 / 45045)
_BELOW = (3.0, 62370 / 45045, 3150 / 45045, 28 / 45045)
_CANCELS = {kind: 0.4 if kind in "dgDG" else 1.0 for kind in "efdgFDG"}  # below, in x - tanh x; it is exact there


def _tanhshrink(x: Any, /) -> Any:
    x = as_array(x)
    x = x if x.dtype.kind in "fc" else x.astype(np.float64)
    near = np.abs(x) < _CANCELS[x.dtype.char]
    y = np.subtract(x, np.tanh(x))
    if not near.any():
        return y
    if x.__class__ is _Array and x.flags.c_contiguous:  # a few are worked out sooner than all
        (places,) = near.reshape(-1).nonzero()  # an index reads and writes them faster than a mask
        y.reshape(-1)[places] = _shrunk(x.reshape(-1)[places])
        return y
    return np.where(near, _shrunk(np.where(near, x, 0)), y)[()]


def _shrunk(x: Any) -> Any:
    square = x * x
    above = (_ABOVE[2] * square + _ABOVE[1]) * square + _ABOVE[0]
    below = ((_BELOW[3] * square + _BELOW[2]) * square + _BELOW[1]) * square + _BELOW[0]
    return square * x * (above / below)


tanhshrink = elementwise(
    _tanhshrink,
    lambda xp, y, x: xp.square(xp.tanh(x)),
    name="tanhshrink",
    latex=r"\left({0} - \tanh {0}\right)",
    holomorphic=True,
    samples=lambda: points.whole_plane(
        sample(np.array([-np.inf, -40.0, 0.0, 1e-9, np.inf]), smooth=False),
    ),
    doc="""x - tanh(x), beside 0 by Lambert's continued fraction, in which no terms cancel.

    Derivative: tanh(x)^2.
    """,
)


REACH = 22.0  # from where on tanh of the argument is 1 or -1, with a slope of 0, in every dtype
LINE = math.sqrt(8 / math.pi)  # twice Hendrycks' and Gimpel's argument of tanh, as that of a sigmoid
CUBE = 0.044715 * LINE


def _gelu_argument(x: Any, /) -> Any:
    h = x if _unordered(x) else _minimum(_maximum(x, -REACH), REACH)
    return h * (LINE + CUBE * (h * h))


def _gelu_slope(xp: Any, y: Any, x: Any) -> Any:
    if x.dtype.kind == "c":
        return LINE + 3 * CUBE * xp.square(x)
    square = xp.square(xp.minimum(xp.maximum(x, -REACH), REACH))
    return xp.less(square, REACH * REACH) * (LINE + 3 * CUBE * square)


gelu_argument = elementwise(
    _gelu_argument,
    _gelu_slope,
    name="gelu_argument",
    latex=r"\sqrt{{8/\pi}} \left({0} + 0.044715 {0}^3\right)",
    holomorphic=True,
    samples=lambda: points.whole_plane(
        sample(np.array([-np.inf, -1e200, -30.0, 0.0, 30.0, np.inf]), smooth=False),
    ),
    doc="""sqrt(8/pi) (x + 0.044715 x^3) with x held to [-22, 22], beyond which a sigmoid of it is 0 or 1.

    Derivative: sqrt(8/pi) (1 + 0.134145 x^2); 0 beyond.
    """,
)
