"""Why the derivative of an op is NaN or infinite, in words, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..core.op import Op, raw
from ..core.quiet import quietly
from .causes import DECOMPOSITIONS, PIECEWISE, Cause
from .numbers import element, is_bad, number, pointwise


def slope_at(op: Op, args: Sequence[Any], y: Any, params: Mapping[str, Any], k: int, index: tuple[int, ...]) -> Any:
    """The partial derivative of an elementwise op by its argument k at an index of its result; None if unknown."""
    if op.vjp is None or not pointwise(op, np.shape(y), args):
        return None
    need = tuple(j == k for j in range(len(args)))
    try:
        found = list(quietly(op.vjp, raw, need, np.ones_like(y), y, *args, **params))[k]
        return np.broadcast_to(np.asarray(found), np.shape(y))[index]
    except Exception:  # a rule that does not like these values is no help here
        return None


_INFINITE_SLOPES = {
    "sqrt": "1/(2 sqrt(x))",
    "cbrt": "x^(-2/3)/3",
    "root": "a negative power of x",
    "log": "1/x",
    "log2": "1/(x ln 2)",
    "log10": "1/(x ln 10)",
    "log1p": "1/(1 + x)",
    "reciprocal": "-1/x^2",
    "divide": "1/b and -a/b^2",
    "arcsin": "1/sqrt(1 - x^2)",
    "arccos": "-1/sqrt(1 - x^2)",
    "arccosh": "1/sqrt(x^2 - 1)",
    "arctanh": "1/(1 - x^2)",
    "logit": "1/(x (1 - x))",
    "power": "b a^(b-1) and a^b log(a)",
    "xlogy": "log(y) and x/y",
    "std": "1/std",
}


def of_slope(
    op: Op,
    args: Sequence[Any],
    y: Any,
    params: Mapping[str, Any],
    k: int,
    index: tuple[int, ...],
    cotangent: Any,
    unchosen: str | None,
) -> Cause:
    """Why the derivative of an op by its argument k is NaN or infinite; `index` is of the result, or of the argument.

    `unchosen` tells of a `where` behind it that does not choose this element.
    """
    name = op.name
    if not pointwise(op, np.shape(y), args):
        return _of_whole_slope(op, args, y)
    at = [element(a, np.shape(y), index) for a in args]
    slope = slope_at(op, args, y, params, k, index)
    x = number(at[k])
    rule = _INFINITE_SLOPES.get(name)
    told = (
        f"the derivative of {name}{f', {rule},' if rule else ''} is {number(slope)} at {x}" if slope is not None else ""
    )
    if slope is not None and not np.isfinite(slope):
        if name == "power" and k == 1:
            told = f"the derivative of a^b by b is a^b log(a), which is {number(slope)} for the base {number(at[0])}"
        elif name in ("power", "signed_power", "abs_power", "root", "integer_power") and at[0] == 0:
            b = at[1] if len(at) > 1 else next((v for v in params.values() if isinstance(v, (int, float))), None)
            power = f" for b = {number(b)}" if b is not None else ""
            told = f"the derivative of a^b by a is b a^(b-1), which is {number(slope)} at a = 0{power}"
        if unchosen is not None:
            return Cause(
                f"{told}, and 0 · inf is NaN: the where-trap, as {unchosen} does not choose this element", PIECEWISE, k
            )
        if cotangent is not None and cotangent == 0:
            return Cause(f"{told}, and it is multiplied with 0: 0 · inf is NaN", f"{_away(name)}; or {PIECEWISE}", k)
        return Cause(told, _away(name), k)
    if cotangent is not None and slope is not None:
        if is_bad(cotangent, infinite=False):
            return Cause("the cotangent is NaN already", "look at what the walk started from", k)
        return Cause(
            f"overflow: the cotangent {number(cotangent)} times the slope {number(slope)} of {name} is beyond the "
            f"largest {np.asarray(y).dtype}",
            "scale the loss down, clip the gradients, or compute in float64",
            k,
        )
    return Cause(f"{name} has no derivative at this point", _away(name), k)


def _away(name: str) -> str:
    if name in ("sqrt", "cbrt", "root", "power"):
        return "add a small number below the root, tm.sqrt(x + 1e-12), or keep x away from 0"
    return "keep its argument away from this point, for instance with tm.clip"


def _of_whole_slope(op: Op, args: Sequence[Any], y: Any) -> Cause:
    name = op.name
    if name in ("std", "lp_norm"):
        return Cause(
            f"the derivative of {name}, which divides by it, has no value where it is 0",
            "take tm.var, or tm.sqrt(tm.var(x) + eps)",
        )
    if name in DECOMPOSITIONS or name.startswith(("eig", "svd")):
        return Cause(
            f"an ill-posed derivative: {name} of a matrix whose values coincide, or that is singular, or nearly so",
            "look at the gaps between its eigenvalues or singular values; use what does not depend on the choice of "
            "the vectors, as a projection or a norm, or add a small diagonal matrix",
        )
    for part in y if isinstance(y, tuple) else (y,):
        if is_bad(part):
            return Cause(f"the result of {name} is infinite already", "look at where the infinity comes from")
    return Cause(f"the derivative of {name} is no number for these operands", "look at the ranges of its operands")
