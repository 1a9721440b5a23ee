"""Integers, bit by bit, and their divisors: no derivatives."""

from __future__ import annotations

import numpy as np

from ..core.declare import alias, nondiff
from ..core.samples import Sample, sample

__all__ = [
    "bitwise_and", "bitwise_count", "bitwise_invert", "bitwise_left_shift", "bitwise_not", "bitwise_or",
    "bitwise_right_shift", "bitwise_xor", "gcd", "invert", "lcm", "left_shift", "right_shift",
]  # fmt: skip


def _integers() -> list[Sample]:
    a = np.array([[6, -3, 0], [12, 5, 1]])
    return [sample(a, np.array([3, 1, 2])), sample(a[:, :1], 2), sample(5, a[0, 0]), sample(a[:0], 1)]


def _some_integers() -> list[Sample]:
    return [Sample(s.args[0]) for s in _integers()]


def _truths() -> list[Sample]:
    return [*_integers(), sample(np.array([True, False]), True)]


bitwise_and = nondiff(
    np.bitwise_and, arity=2, latex=r"{0} \mathbin{{\&}} {1}", samples=_truths, doc="The bits that x1 and x2 both have."
)
bitwise_or = nondiff(
    np.bitwise_or, arity=2, latex=r"{0} \mathbin{{|}} {1}", samples=_truths, doc="The bits that x1 or x2 has."
)
bitwise_xor = nondiff(
    np.bitwise_xor, arity=2, latex=r"{0} \oplus {1}", samples=_truths, doc="The bits that just one of x1, x2 has."
)
invert = nondiff(
    np.invert,
    latex=r"\mathord{{\sim}} {0}",
    samples=_some_integers,
    doc="Every bit turned over; `not` for truth values.",
)
left_shift = nondiff(
    np.left_shift,
    arity=2,
    latex=r"{0} \ll {1}",
    samples=_integers,
    doc="The bits of x1 moved x2 places up: x1 * 2**x2.",
)
right_shift = nondiff(
    np.right_shift,
    arity=2,
    latex=r"{0} \gg {1}",
    samples=_integers,
    doc="The bits of x1 moved x2 places down: floor(x1 / 2**x2).",
)
bitwise_count = nondiff(
    np.bitwise_count, samples=_some_integers, doc="The number of 1-bits in the absolute value of x."
)
gcd = nondiff(
    np.gcd, arity=2, latex=r"\gcd({0}, {1})", samples=_integers, doc="The greatest common divisor of integers."
)
lcm = nondiff(
    np.lcm,
    arity=2,
    latex=r"\operatorname{{lcm}}({0}, {1})",
    samples=_integers,
    doc="The lowest common multiple of integers.",
)

bitwise_invert = bitwise_not = invert
bitwise_left_shift, bitwise_right_shift = left_shift, right_shift
for _name, _op in {
    "bitwise_invert": invert,
    "bitwise_not": invert,
    "bitwise_left_shift": left_shift,
    "bitwise_right_shift": right_shift,
}.items():
    alias(_name, _op)
