"""Comparisons, tests and logic: recorded, without a derivative."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import samples as points
from ..core.declare import nondiff
from ..core.samples import Sample, sample

__all__ = [
    "allclose", "array_equal", "array_equiv", "equal", "greater", "greater_equal", "isclose", "iscomplex", "isfinite",
    "isinf", "isnan", "isneginf", "isposinf", "isreal", "less", "less_equal", "logical_and", "logical_not",
    "logical_or", "logical_xor", "not_equal", "signbit",
]  # fmt: skip

_EDGES = np.array([-np.inf, -1.0, -0.0, 0.0, 2.0, np.inf, np.nan])


def _pairs() -> list[Sample]:
    return [
        sample(_EDGES[:, None], _EDGES),
        sample(points.real(2, 3), 0.0),
        sample(1, points.real(3)),
        sample(points.real(), points.real()),
        sample(points.real(0, 2), points.real(2)),
        sample(np.array([1, 2]), np.array([1.0, 2.5])),
    ]


def _singles() -> list[Sample]:
    return [sample(_EDGES), sample(points.real(2, 3)), sample(points.real()), sample(points.real(0, 2)), sample([0, 1])]


def _complex_too() -> list[Sample]:
    return [*_singles(), sample(np.array([1 + 0j, 1j, np.nan * 1j, np.inf + 1j]))]


def _truths() -> list[Sample]:
    return [*_pairs(), sample(np.array([True, False]), True)]


equal = nondiff(np.equal, arity=2, latex="{0} = {1}", samples=_pairs, doc="Whether x1 is equal to x2.")
not_equal = nondiff(np.not_equal, arity=2, latex=r"{0} \ne {1}", samples=_pairs, doc="Whether x1 differs from x2.")
less = nondiff(np.less, arity=2, latex="{0} < {1}", samples=_pairs, doc="Whether x1 is below x2.")
less_equal = nondiff(np.less_equal, arity=2, latex=r"{0} \le {1}", samples=_pairs, doc="Whether x1 is at most x2.")
greater = nondiff(np.greater, arity=2, latex="{0} > {1}", samples=_pairs, doc="Whether x1 is above x2.")
greater_equal = nondiff(
    np.greater_equal, arity=2, latex=r"{0} \ge {1}", samples=_pairs, doc="Whether x1 is at least x2."
)

logical_and = nondiff(
    np.logical_and, arity=2, latex=r"{0} \land {1}", samples=_truths, doc="Whether x1 and x2 are both true (not 0)."
)
logical_or = nondiff(
    np.logical_or, arity=2, latex=r"{0} \lor {1}", samples=_truths, doc="Whether x1 or x2 is true (not 0)."
)
logical_xor = nondiff(
    np.logical_xor, arity=2, latex=r"{0} \oplus {1}", samples=_truths, doc="Whether just one of x1, x2 is true (not 0)."
)
logical_not = nondiff(np.logical_not, latex=r"\lnot {0}", samples=_complex_too, doc="Whether x is false (0).")

isfinite = nondiff(np.isfinite, samples=_complex_too, doc="Whether x is neither infinite nor nan.")
isinf = nondiff(np.isinf, samples=_complex_too, doc="Whether x is infinite, of either sign.")
isnan = nondiff(np.isnan, samples=_complex_too, doc="Whether x is nan, not a number.")
signbit = nondiff(np.signbit, samples=_singles, doc="Whether the sign bit is set: x is negative, or -0.0.")


@nondiff(samples=_singles)
def isposinf(x: Any, /) -> Any:
    """Whether x is plus infinity."""
    return np.isposinf(x)


@nondiff(samples=_singles)
def isneginf(x: Any, /) -> Any:
    """Whether x is minus infinity."""
    return np.isneginf(x)


@nondiff(samples=_complex_too)
def iscomplex(x: Any, /) -> Any:
    """Whether the imaginary part of x is not 0."""
    return np.not_equal(np.imag(x), 0)


@nondiff(samples=_complex_too)
def isreal(x: Any, /) -> Any:
    """Whether the imaginary part of x is 0."""
    return np.equal(np.imag(x), 0)


@nondiff(arity=2, samples=lambda: [*_pairs(), sample(_EDGES, _EDGES, equal_nan=True)])
def isclose(x1: Any, x2: Any, /, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False) -> Any:
    """Whether |x1 - x2| is at most atol + rtol |x2|; `equal_nan` makes nan close to nan."""
    return np.isclose(x1, x2, rtol=rtol, atol=atol, equal_nan=equal_nan)


@nondiff(arity=2, shape="()", samples=lambda: [*_pairs(), sample(_EDGES, _EDGES, equal_nan=True)])
def allclose(x1: Any, x2: Any, /, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Whether all elements are close: one truth value; see `isclose`."""
    return np.all(np.isclose(x1, x2, rtol=rtol, atol=atol, equal_nan=equal_nan))


@nondiff(arity=2, shape="()", samples=lambda: [*_pairs(), sample(_EDGES, _EDGES, equal_nan=True)])
def array_equal(x1: Any, x2: Any, /, equal_nan: bool = False) -> Any:
    """Whether the shapes and all elements are equal; `equal_nan` counts nan equal to nan."""
    return np.bool_(np.array_equal(x1, x2, equal_nan))


@nondiff(arity=2, shape="()", samples=_pairs)
def array_equiv(x1: Any, x2: Any, /) -> Any:
    """Whether all elements are equal after broadcasting; False where the shapes do not broadcast."""
    return np.bool_(np.array_equiv(x1, x2))
