"""Loops for what programs do in a row: derivatives of tanh and sigmoid out of their values, a product in a sum.

A derivative that multiplies a cotangent, and a product that goes into a sum, are one loop with what they go into. Each
result is rounded as by two loops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..program import Value
from .assembly import once
from .loops import Loop

if TYPE_CHECKING:
    from .kernels.assembled import Assembled

FLOATS = "df"
_SLOPES = {"tanh_slope", "sigmoid_slope"}


def slope(name: str, dtype: np.dtype[Any]) -> Loop:
    """The loop of `tanh_slope` or `sigmoid_slope`, over a value and its argument."""
    return Loop(fused(name, dtype), 0, (dtype,) * 3)


def fused(name: str, dtype: np.dtype[Any]) -> int:
    """The address of a loop."""
    return _assembled(name, dtype.name).address


def starts(v: Value) -> bool:
    """Whether v may be one loop with what comes next."""
    return v.dtype.char in FLOATS and (v.title in _SLOPES or (v.ufunc is np.multiply and not v.params))


def pair(first: Value, v: Value) -> tuple[str, list[Value]] | None:
    """The name of the loop of v and of what it is made of, and its arguments; None where there is none."""
    if v.params or len(v.inputs) != 2 or v.inputs.count(first) != 1:
        return None
    (other,) = (i for i in v.inputs if i is not first)
    if first.title in _SLOPES:
        return (f"times_{first.title}", [other, *first.inputs]) if v.ufunc is np.multiply else None
    if v.ufunc is np.add:
        return "product_plus", [*first.inputs, other]
    if v.ufunc is np.subtract:
        return "product_less" if v.inputs[0] is first else "less_product", [*first.inputs, other]
    return None


@once
def _assembled(name: str, dtype: str) -> Assembled:
    from .kernels.assembled import assemble

    return assemble(name, dtype)
