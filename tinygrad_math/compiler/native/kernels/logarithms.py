"""log, log1p and softplus on vectors.

x = 2^k (1 + f) with 1 + f between sqrt(1/2) and sqrt(2), and log(1 + f) = 2 atanh(s), s = f / (2 + f): an odd series
in s, written as f - (h - s (h + R(s^2))), h = f^2 / 2, so that f enters without an error (the form of fdlibm's log).
k ln 2 is added in two floats.
"""

from __future__ import annotations

import math

from .exponentials import HALF_PLACE, LN2, exp_and_lacking, power_of_two
from .lanes import Lanes, Vector

SUBNORMAL = {64: 2.0**-1022, 32: 2.0**-126}
LIFT = {64: 54, 32: 25}  # the power of two that makes a subnormal normal
SQRT_HALF = {64: 0x3FE6A09E667F3BCD, 32: 0x3F3504F3}  # the bits of sqrt(1/2)


def _split(lanes: Lanes, x: Vector) -> tuple[Vector, Vector]:
    """k and 1 + f for normal positive x."""
    digits, bias = lanes.form.digits, lanes.form.bias
    root = SQRT_HALF[lanes.form.bits]
    moved = x.bits().minus(root).plus((bias + 1) << digits)  # the exponent field is k + bias + 1
    field = moved >> digits
    fraction = x.bits().minus(field.minus(bias + 1) << digits).float_of_bits()
    shift = 2.0**digits
    k = (field | (digits + bias << digits)).float_of_bits() - (shift + bias + 1)  # the float 2^digits + field
    return k, fraction


def _log_of_parts(lanes: Lanes, k: Vector, f: Vector, s: Vector, lacking: Vector | None = None) -> Vector:
    """k ln 2 + log(1 + f); what else is lacking is added where its digits still count."""
    high, low = LN2[lanes.form.bits]
    square, h = s * s, 0.5 * f * f
    rest = lanes.fma(k, low, s * lanes.fma(square, lanes.polynomial(square, lanes.form.table["LOG"][0]), h))
    if lacking is not None:
        rest = rest + lacking
    return lanes.fma(k, high, f - (h - rest))


def _at_ends(lanes: Lanes, x: Vector, y: Vector, pole: float) -> Vector:
    """y between the pole, where it is -inf, and infinity, where it is that; NaN elsewhere."""
    y = lanes.where(x > pole, y, lanes.where(x.equals(pole), -math.inf, math.nan))
    return lanes.where(x.equals(math.inf), x, y)


def log(lanes: Lanes, x: Vector) -> Vector:
    """-inf at 0, NaN below."""
    bits = lanes.form.bits
    low = x < SUBNORMAL[bits]
    k, fraction = _split(lanes, lanes.where(low, x * 2.0 ** LIFT[bits], x))
    f = fraction - 1.0
    y = _log_of_parts(lanes, lanes.where(low, k - float(LIFT[bits]), k), f, f / (2.0 + f))
    return _at_ends(lanes, x, y, 0.0)


def log1p(lanes: Lanes, x: Vector) -> Vector:
    """log(u) with u = 1 + x as rounded, and c / u for what the rounding took from u."""
    total = 1.0 + x
    large = x > 1.0
    lost = lanes.where(large, 1.0 - (total - x), x - (total - 1.0))
    k, fraction = _split(lanes, total)
    near = k.equals(0.0)
    f = lanes.where(near, x, fraction - 1.0)
    s = f / (2.0 + f)
    scale = power_of_two(lanes, -lanes.where(k > 100.0, 100.0, k))  # beyond, nothing counts that is lost
    lacking = lanes.where(near, 0.0, lost * scale * _inverse(s))
    y = _at_ends(lanes, x, _log_of_parts(lanes, k, f, s, lacking), -1.0)
    return lanes.where(x.size() < HALF_PLACE[lanes.form.bits], x, y)


def softplus(lanes: Lanes, x: Vector) -> Vector:
    """max(x, 0) + log(1 + e), e = exp(-|x|), without overflow; k is 0 or 1, and what e lacks counts."""
    e, lacking = exp_and_lacking(lanes, -x.size())
    total = 1.0 + e
    halved = total > math.sqrt(2.0)
    f = lanes.where(halved, 0.5 * total - 1.0, e)
    s = f / (2.0 + f)
    lacking = lanes.where(halved, 0.5 * (e - (total - 1.0) + lacking), lacking) * _inverse(s)
    y = _log_of_parts(lanes, lanes.where(halved, 1.0, 0.0), f, s, lacking)
    return lanes.where(x < 0.0, 0.0, x) + y


def _inverse(s: Vector) -> Vector:
    """1 / (1 + f) = (1 - s) / (1 + s) in the two or three digits that are enough for a small thing to add."""
    return (1.0 - s) * (1.0 + s * (s - 1.0))
