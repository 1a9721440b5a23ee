"""erf on vectors."""

from __future__ import annotations

from .exponentials import fraction_of_exp, power_of_two, reduced
from .lanes import Lanes, Vector

ONE = {64: 6.0, 32: 4.0}  # erf is 1 above


def erf(lanes: Lanes, x: Vector) -> Vector:
    """x + x P(x^2) / Q(x^2) up to 1, and 1 - exp(-x^2) P(x) / Q(x) above, with one division for both.

    The two forms are Cody's (1969, Rational Chebyshev approximations for the error function, Math. Comp. 23). The error
    of x^2 is not made good in exp(-x^2): what it changes in erf is less than a tenth of its last place.
    """
    size = x.size()
    size = lanes.where(size > ONE[lanes.form.bits], ONE[lanes.form.bits], size)
    square = size * size
    (p, q), (far_p, far_q) = lanes.form.table["ERF"], lanes.form.table["ERFC"]
    k, r, _ = reduced(lanes, -square)
    fallen = fraction_of_exp(lanes, r) * power_of_two(lanes, k)
    near = size < 1.0
    above = lanes.where(near, size * lanes.polynomial(square, p), -fallen * lanes.polynomial(size, far_p))
    below = lanes.where(near, lanes.polynomial(square, q), lanes.polynomial(size, far_q))
    return (lanes.where(near, size, 1.0) + above / below).signed_as(x)
