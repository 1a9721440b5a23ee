"""exp, expm1, tanh and expit on vectors.

exp(x) = 2^k exp(r), k the integer next to x / ln 2 and r = x - k ln 2, |r| <= ln(2) / 2. ln 2 is taken in two floats
(Cody and Waite 1980, Software Manual for the Elementary Functions, ch. 6): x - k high has so few digits that a fused
multiply-add makes no error. exp(r) = 1 + r + r^2 P(r) with the best polynomial of its degree (tests/bench/minimax.py).
Comparisons stand so that a NaN keeps `x`.
"""

from __future__ import annotations

from .lanes import Lanes, Vector

LOG2_E = 1.4426950408889634
LN2 = {64: (0.6931471805599453, 2.3190468138462996e-17), 32: (0.6931471824645996, -1.9046542121259336e-09)}
LARGEST = {64: (-746.0, 710.0), 32: (-104.5, 89.0)}  # exp is 0 below and infinite above
MINUS_ONE = {64: -50.0, 32: -25.0}  # expm1 is -1 below
SMALL = 0.625  # below, tanh of float64 is computed without exp
ONE = {64: 22.0, 32: 10.0}  # tanh is 1 above
HALF_PLACE = {64: 2.0**-54, 32: 2.0**-25}  # expm1(x) and log1p(x) are x below


def clamped(lanes: Lanes, x: Vector, low: float, high: float) -> Vector:
    """x between two bounds, NaN left alone."""
    x = lanes.where(x > high, high, x)
    return lanes.where(x < low, low, x)


def nearest(lanes: Lanes, x: Vector, factor: float) -> Vector:
    """The integer next to x factor: added to 1.5 2^digits, a number loses what stands behind its point."""
    shift = 1.5 * 2.0**lanes.form.digits
    return lanes.fma(x, factor, shift) - shift


def power_of_two(lanes: Lanes, k: Vector) -> Vector:
    """2^k for integers k in the range of normal numbers: the exponent's bits are set."""
    digits, bias = lanes.form.digits, lanes.form.bias
    return ((k + (1.5 * 2.0**digits + bias)).bits() << digits).float_of_bits()


def reduced(lanes: Lanes, x: Vector) -> tuple[Vector, Vector, Vector]:
    """k and x - k ln 2 as a float and what it lacks."""
    high, low = LN2[lanes.form.bits]
    k = nearest(lanes, x, LOG2_E)
    exact = lanes.fma(-k, high, x)
    r = lanes.fma(-k, low, exact)
    return k, r, lanes.fma(-k, low, exact - r)


def fraction_of_exp(lanes: Lanes, r: Vector) -> Vector:
    """exp(r) for a reduced argument."""
    return 1.0 + lanes.fma(r * r, lanes.polynomial(r, lanes.form.table["EXP"][0]), r)


def exp(lanes: Lanes, x: Vector) -> Vector:
    """Scaled in two steps: 2^k alone may be no float where 2^k exp(r) is one, and a subnormal is rounded once."""
    k, r, _ = reduced(lanes, clamped(lanes, x, *LARGEST[lanes.form.bits]))
    half = nearest(lanes, k, 0.5)
    return fraction_of_exp(lanes, r) * power_of_two(lanes, half) * power_of_two(lanes, k - half)


def exp_and_lacking(lanes: Lanes, x: Vector) -> tuple[Vector, Vector]:
    """exp(x) as a float, and what it lacks."""
    k, r, lacking = reduced(lanes, clamped(lanes, x, *LARGEST[lanes.form.bits]))
    half = nearest(lanes, k, 0.5)
    first, second = power_of_two(lanes, half), power_of_two(lanes, k - half)
    beyond = lanes.fma(r * r, lanes.polynomial(r, lanes.form.table["EXP"][0]), r)
    y = 1.0 + beyond
    return y * first * second, (beyond - (y - 1.0) + lacking) * first * second


def expm1(lanes: Lanes, x: Vector) -> Vector:
    """(2^k - 1) + 2^k r, whose rounding error is known, and 2^k (r^2 P(r) + what r lacks) beside it."""
    bits = lanes.form.bits
    k, r, lacking = reduced(lanes, clamped(lanes, x, MINUS_ONE[bits], LARGEST[bits][1]))
    half = power_of_two(lanes, k - 1.0)  # of 2^k, which may be infinite
    rest = lanes.fma(r * r, lanes.polynomial(r, lanes.form.table["EXP"][0]), lanes.fma(lacking, r, lacking))
    first, second = half - 0.5, half * r
    total = first + second
    y = total + lanes.fma(half, rest, (first - total) + second)
    return lanes.where(x.size() < HALF_PLACE[bits], x, y + y)


def tanh(lanes: Lanes, x: Vector) -> Vector:
    """h / (h + 1), h = (exp(2 |x|) - 1) / 2, for float32; for float64 1 - 2 / (exp(2 |x|) + 1), and a fraction below.

    Half of |2 x| is reduced, by the float next to ln(2) / 2 alone: where a multiple of what that lacks would count, 1
    outweighs the quotient. 2^k - 1 or 2^k + 1 comes last, so that 1 + r + r^2 P(r) is not rounded before.
    """
    bits, digits, row = lanes.form.bits, lanes.form.digits, lanes.form.table["EXP"][0]
    size, shift = x.size(), 1.5 * 2.0**digits
    shifted = lanes.fma(least := lanes.where(size > ONE[bits], ONE[bits], size), 2.0 * LOG2_E, shift)
    half = lanes.fma(shift - shifted, 0.5 * LN2[bits][0], least)
    row = tuple(c * 2.0 ** (j + 2) for j, c in enumerate(row))  # of a polynomial in r / 2
    beyond = lanes.fma(half * half, lanes.polynomial(half, row), half + half)

    def power(less: int) -> Vector:
        """2^k, or a half of it."""
        return ((shifted + (lanes.form.bias - less)).bits() << digits).float_of_bits()

    if "TANH" in lanes.form.table:
        return _or_fraction(lanes, size, lanes.fma(beyond, power(0), power(0) + 1.0)).signed_as(x)
    return _of_half(lanes, lanes.fma(beyond, power(1), power(1) - 0.5)).signed_as(x)


def _or_fraction(lanes: Lanes, size: Vector, grown: Vector) -> Vector:
    """1 - 2 / (exp(2 x) + 1), and for small x x + x^3 P(x^2) / Q(x^2): one division for both."""
    p, q = lanes.form.table["TANH"]
    small, square = size < SMALL, size * size
    above = lanes.where(small, size * (square * lanes.horner(square, p)), -2.0)
    below = lanes.where(small, lanes.polynomial(square, q), grown)
    return lanes.where(small, size, 1.0) + above / below


def _of_half(lanes: Lanes, h: Vector) -> Vector:
    """y = h / (h + 1), and h - h y for h below 1 / 2: of what y lacks, by the roundings of h + 1 and of the quotient,
    that keeps a part h only. The sign of h - 1 / 2 tells sooner than a comparison."""
    y = h / (h + 1.0)
    return lanes.where((h - 0.5).is_negative(), lanes.fma(-h, y, h), y)


def expit(lanes: Lanes, x: Vector) -> Vector:
    """e / (1 + e) below 0 and 1 / (1 + e) above, e = exp(-|x|); the error of 1 + e is taken off the quotient."""
    e = exp(lanes, -x.size())
    total = 1.0 + e
    lacking = e - (total - 1.0)
    above = lanes.where(x < 0.0, e, 1.0)
    inverse = 1.0 / total
    y = above * inverse
    left = lanes.fma(-y, lacking, lanes.fma(-y, total, above))
    return lanes.fma(left, inverse, y)
