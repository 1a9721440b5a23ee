"""Sums, products, quotients and powers, element by element."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.declare import alias, elementwise, general, nondiff
from ..core.samples import positive, real, sample

add = elementwise(np.add, 1, 1, latex="{0} + {1}", holomorphic=True)
subtract = elementwise(np.subtract, 1, -1, latex="{0} - {1}", holomorphic=True)
multiply = elementwise(
    np.multiply, lambda xp, y, a, b: b, lambda xp, y, a, b: a, latex=r"{0} \odot {1}", holomorphic=True
)
negative = elementwise(np.negative, -1, latex="-{0}", holomorphic=True)
positive_op = elementwise(np.positive, 1, latex="+{0}", holomorphic=True)
square = elementwise(np.square, lambda xp, y, x: 2 * x, latex="{0}^2", holomorphic=True)
sqrt = elementwise(np.sqrt, lambda xp, y, x: 0.5 / y, latex=r"\sqrt{{{0}}}", domain=(0.2, 3.0), holomorphic=True)
reciprocal = elementwise(
    np.reciprocal, lambda xp, y, x: -y * y, latex=r"\frac{{1}}{{{0}}}", domain=(0.3, 3.0), holomorphic=True
)


divide = general(
    arity=2,
    latex=r"\frac{{{0}}}{{{1}}}",
    shape="broadcast of the arguments",
    holomorphic=True,
    samples=lambda: [
        sample(real(3), positive(3)),
        sample(real(2, 3), positive(3)),
        sample(real(2, 1), positive(1, 3)),
        sample(real(), positive(2)),
        sample(real(0, 2), positive(2)),
        sample(real(3), 2.0),
        sample(1.0, positive(3)),
        sample(real(3) + 1j, positive(3) - 2j),
    ],
)(np.divide)


@divide.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, b: Any) -> Any:
    if y.dtype.kind == "c":
        y, b = xp.conj(y), xp.conj(b)
    ga = g / b
    return ga if need[0] else None, -ga * y if need[1] else None


@divide.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, b: Any) -> Any:
    ta, tb = ts
    if tb is None:
        return ta / b
    return -(y / b) * tb if ta is None else (ta - y * tb) / b


abs = general(latex=r"\lvert {0} \rvert", samples=lambda: [sample(real(2, 3)), sample(np.zeros(2), smooth=False)])(np.abs)


@abs.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any) -> Any:
    return (g * xp.sign(x),)


@abs.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any) -> Any:
    t = ts[0] * xp.conj(xp.sign(x))
    return xp.real(t)


sign = nondiff(np.sign)
alias("abs", abs)


def _exponent_partial(xp: Any, y: Any, a: Any, b: Any) -> Any:
    return y * xp.log(xp.where(a > 0, a, 1.0))


power = elementwise(
    np.power,
    lambda xp, y, a, b: b * xp.power(a, xp.where(xp.equal(b, 0), 1.0, b - 1)),
    _exponent_partial,
    latex="{0}^{{{1}}}",
    domain=((0.3, 2.0), (-2.0, 2.0)),
)


def pow(x1: Any, x2: Any, /) -> Any:
    """x1 ** x2, element by element; a square for the number 2."""
    if type(x2) is int and x2 == 2:
        return square(x1)
    return power(x1, x2)


alias("pow", pow)
