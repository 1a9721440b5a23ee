"""What programs do in a row, in one loop: derivatives of tanh and sigmoid out of their values, and a product in a sum.

Where a derivative has lost its digits to a difference, it is computed anew from x; a block without such a number is
spared that.
"""

from __future__ import annotations

from ....ops.exponential import LEAST, LOST
from .exponentials import exp
from .lanes import Lanes, Vector, mended


def tanh_slope(lanes: Lanes, y: Vector, x: Vector) -> Vector:
    """1 - y^2 of y = tanh(x), and (2 e / (1 + e^2))^2, e = exp(-|x|), where that is small."""

    def tail() -> Vector:
        e = exp(lanes, -x.size())
        d = (e + e) / (1.0 + e * e)
        return d * d

    d = 1.0 - y * y
    return mended(lanes, d, d < LOST[lanes.form.dtype.char], tail)


def sigmoid_slope(lanes: Lanes, y: Vector, x: Vector) -> Vector:
    """y (1 - y) of y = sigmoid(x), and e / (1 + e)^2, e = exp(-|x|), where 1 - y is small."""

    def tail() -> Vector:
        e = exp(lanes, -x.size())
        total = 1.0 + e
        return e / (total * total)

    rest = 1.0 - y
    return mended(lanes, rest * y, rest < LEAST[lanes.form.dtype.char], tail)


def times_tanh_slope(lanes: Lanes, g: Vector, y: Vector, x: Vector) -> Vector:
    return g * tanh_slope(lanes, y, x)


def times_sigmoid_slope(lanes: Lanes, g: Vector, y: Vector, x: Vector) -> Vector:
    return g * sigmoid_slope(lanes, y, x)


def product_plus(_: Lanes, x: Vector, y: Vector, z: Vector) -> Vector:
    """x y + z, each rounded, as by two loops."""
    return x * y + z


def product_less(_: Lanes, x: Vector, y: Vector, z: Vector) -> Vector:
    return x * y - z


def less_product(_: Lanes, x: Vector, y: Vector, z: Vector) -> Vector:
    return z - x * y
