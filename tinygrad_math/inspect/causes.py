"""Why an op gave NaN or an infinity, in words, and what to do about it.

`of_value` explains a result, given what it was computed from. What is known of an op's domain stands in the tables;
what is not is found out by computing again with more digits, and by looking at the operands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..core.op import Op
from ..core.quiet import quietly
from .numbers import element, is_bad, number, pointwise

PIECEWISE = (
    "compute each branch on its own elements, tm.piecewise(x, [mask], [f, other]), or give the branch arguments that "
    "are harmless where it is not chosen, f(tm.where(mask, x, 1.0))"
)
MASKED = "; a `where` around it hides the value and not the derivative: use tm.piecewise(x, [mask], [f, other])"
WELL_POSED = "compute what is well-posed here, or move off this point, as by a small multiple of the identity"


class Cause(NamedTuple):
    """What is wrong, what to do, and which operand is to blame."""

    words: str
    fix: str
    blame: int = 0


def reduced(x: Any, params: Mapping[str, Any], shape: tuple[int, ...], index: tuple[int, ...]) -> Any:
    """Of the argument of a reduction or a softmax, the elements that one element of the result depends on."""
    x = np.asarray(x)
    axis = params.get("axis")
    if shape == x.shape and "axis" in params:  # softmax
        axes = range(x.ndim) if axis is None else [a % x.ndim for a in np.atleast_1d(axis)]
        return x[tuple(slice(None) if k in axes else i for k, i in enumerate(index))]
    if axis is None:
        return x if int(np.prod(shape)) == 1 else None
    axes = [int(a) % x.ndim for a in np.atleast_1d(axis)]
    kept = list(index) if len(shape) == x.ndim else None
    if kept is None:
        if len(shape) != x.ndim - len(axes):
            return None
        rest = iter(index)
        kept = [0 if k in axes else next(rest) for k in range(x.ndim)]
    return x[tuple(slice(None) if k in axes else i for k, i in enumerate(kept))]


# -- forward -----------------------------------------------------------------------------------------------
_SHIFT = "keep its argument above 0, for instance with tm.clip or by adding a small number"
_DOMAINS: dict[str, list[tuple[Callable[[Any], bool], str, str]]] = {
    "log": [
        (lambda x: x < 0, "the logarithm of a negative number", _SHIFT + MASKED),
        (lambda x: x == 0, "the logarithm of 0 is -infinity", _SHIFT + MASKED),
    ],
    "log1p": [
        (lambda x: x < -1, "log1p of a number below -1, the logarithm of a negative number", _SHIFT + MASKED),
        (lambda x: x == -1, "log1p of -1, the logarithm of 0, is -infinity", _SHIFT + MASKED),
    ],
    "sqrt": [(lambda x: x < 0, "the square root of a negative number", "take tm.abs or tm.clip of it first" + MASKED)],
    "reciprocal": [(lambda x: x == 0, "1/0: division by zero", "keep the divisor away from 0" + MASKED)],
    "arccosh": [
        (lambda x: x < 1, "arccosh of a number below 1, where it has no value", "clip it to [1, inf)" + MASKED)
    ],
    "gammaln": [(lambda x: x <= 0 and x == np.floor(x), "a pole: the gamma function at 0, -1, -2, ...", "stay off it")],
}
for _name in ("log2", "log10", "entr", "bounded_log"):
    _DOMAINS[_name] = _DOMAINS["log"]
for _name in ("gamma", "psi"):
    _DOMAINS[_name] = _DOMAINS["gammaln"]
for _name in ("arcsin", "arccos"):
    _DOMAINS[_name] = [
        (
            lambda x: abs(x) > 1,
            f"{_name} of a number outside of [-1, 1], where it has no value",
            "a cosine that is computed may exceed 1 by rounding: clip it to [-1, 1]" + MASKED,
        )
    ]
_DOMAINS["arctanh"] = [
    (lambda x: abs(x) == 1, "arctanh of 1 or -1 is infinite", "clip it to the inside of (-1, 1)" + MASKED),
    (lambda x: abs(x) > 1, "arctanh of a number outside of (-1, 1)", "clip it to the inside of (-1, 1)" + MASKED),
]
_DOMAINS["erfinv"] = _DOMAINS["arctanh"]
_DOMAINS["logit"] = [
    (lambda x: x in (0, 1), "logit of 0 or 1 is infinite", "clip the probability to the inside of (0, 1)" + MASKED),
    (lambda x: x < 0 or x > 1, "logit of a number outside of [0, 1]", "a probability lies in [0, 1]"),
]
_DOMAINS["ndtri"] = _DOMAINS["logit"]
_GROWING = frozenset({"exp", "exp2", "expm1", "sinh", "cosh"})
_SUMS = frozenset({"sum", "mean", "cumsum", "matmul", "contract", "affine"})
_STATISTICS = frozenset({"mean", "var", "std", "median", "quantile", "nanmean"})
DECOMPOSITIONS = frozenset(
    ("eigh", "eig", "svd", "qr", "cholesky", "inv", "pinv", "solve", "solve_factored", "solve_triangular", "det")
    + ("slogdet", "det_factored", "expm", "logm", "sqrtm", "lu", "null_space", "orth", "nuclear_norm")
    + ("extreme_singular_value", "partial_isometry", "eig_gaps", "eigen_rotation", "eigen_within", "eigen_spread")
)


def of_value(
    op: Op, args: Sequence[Any], y: Any, params: Mapping[str, Any], index: tuple[int, ...], value: Any
) -> tuple[Cause, list[Any]]:
    """Why an op gave NaN or an infinity at this index, and each operand there, None where it is no single number."""
    shape = np.shape(y)
    if op.name == "select" or not pointwise(op, shape, args):
        return _of_whole(op, args, params, shape, index, value), [None] * len(args)
    at = [element(a, shape, index) for a in args]
    return _of_element(op, at, params, value), at


def _of_element(op: Op, at: Sequence[Any], params: Mapping[str, Any], value: Any) -> Cause:
    for k, a in enumerate(at):
        if is_bad(a, infinite=False):
            return Cause("NaN is in the data already", "look at where this value comes from, and at tm.isnan of it", k)
    name, infinite = op.name, [bool(np.isinf(a)) for a in map(np.asarray, at) if a.dtype.kind in "fc"]
    real = all(np.asarray(a).dtype.kind != "c" for a in at)
    for holds, words, fix in _DOMAINS.get(name, ()):
        x = at[0] if real else abs(at[0])  # of a complex number, only 0 is none to be a logarithm of
        if (real or at[0] == 0) and holds(x):
            return Cause(f"{words}: {name}({number(at[0])})", fix)
    special = _of_pair(name, at, params, real)
    if special is not None:
        return special
    if any(infinite):
        return Cause(
            f"{name} of an infinity: inf - inf, 0 · inf and inf / inf are no numbers",
            "look at where the infinity comes from",
            next(k for k, a in enumerate(at) if np.isinf(np.asarray(a))),
        )
    if np.isinf(value):
        return _overflow(op, at, params) or Cause(
            f"{name} has a pole at this point", f"keep its argument off it{MASKED}"
        )
    return Cause(f"{name} has no value at this point", f"look at its domain{MASKED}")


def _of_pair(name: str, at: Sequence[Any], params: Mapping[str, Any], real: bool) -> Cause | None:
    """What the two operands of an op say about it."""
    a, b = at[0], at[1] if len(at) > 1 else None
    if name == "integer_power":
        b = params["n"]
    if name in ("divide", "quotient", "floor_divide", "remainder", "fmod") and b is not None:
        if b == 0:
            kind = "0/0" if a == 0 else f"{number(a)}/0"
            return Cause(
                f"{kind}: division by zero", f"keep the divisor away from 0, for instance by an eps{MASKED}", 1
            )
        if np.isinf(a) and np.isinf(b):
            return Cause("inf/inf: an infinity divided by an infinity", "look at where the infinities come from", 1)
    if name == "multiply" and b is not None and ((a == 0 and np.isinf(b)) or (b == 0 and np.isinf(a))):
        return Cause(
            "0 · inf: zero times infinity",
            "a mask that multiplies does not remove an infinity: choose with tm.where, or tm.piecewise",
            int(a == 0),
        )
    if name in ("add", "subtract") and np.isinf(a) and b is not None and np.isinf(b):
        return Cause("inf - inf: the difference of two infinities", "look at where the infinities come from", 1)
    if name in ("power", "integer_power", "float_power") and b is not None and real:
        if a == 0 and b < 0:
            return Cause(f"0 to the negative power {number(b)} is a division by zero", f"keep the base off 0{MASKED}")
        if a < 0 and b != np.floor(b):
            return Cause(
                f"a negative number, {number(a)}, to the power {number(b)}, which is no whole number",
                f"take tm.abs of the base, tm.cbrt for the third root, or a complex base{MASKED}",
            )
    if name in ("xlogy", "xlog1py") and b is not None:
        inner = b if name == "xlogy" else 1 + b
        if inner <= 0:
            what = "a negative number" if inner < 0 else "0"
            return Cause(f"{name} takes the logarithm of {what}", _SHIFT + MASKED, 1)
    return None


def _largest(dtype: Any) -> Any:
    return np.finfo(dtype).max


def _overflow(op: Op, at: Sequence[Any], params: Mapping[str, Any]) -> Cause | None:
    """A result that is too large for its dtype, found by computing it with more digits."""
    if op.name == "astype":
        dtype = np.dtype(params["dtype"])
        largest = number(_largest(dtype))
        return Cause(
            f"{number(at[0])} is larger than the largest {dtype}, {largest}: an overflow of the cast to {dtype}",
            f"stay in {np.asarray(at[0]).dtype}, or make the values smaller first",
        )
    dtype = np.result_type(*(a for a in map(np.asarray, at) if a.dtype.kind in "fc"), np.float16)
    if dtype.kind != "f":
        return None
    largest = number(_largest(dtype))
    if op.name in _GROWING:
        limit = np.log2(_largest(dtype)) * (1 if op.name == "exp2" else float(np.log(2)))
        fix = "subtract the largest value first, as tm.special.logsumexp and tm.nn.functional.log_softmax do"
        if dtype.itemsize < 8:
            fix += ", or compute it in float64"
        return Cause(
            f"overflow: {op.name}({number(at[0])}) is larger than the largest {dtype}, {largest}; "
            f"{op.name} overflows beyond {float(limit):.4g}",
            fix,
        )
    wider = np.longdouble if dtype == np.float64 else np.float64
    try:
        again = quietly(op.forward, *(np.asarray(a).astype(wider)[()] for a in at), **params)
    except Exception:  # a function that SciPy has for fewer dtypes
        return None
    if not np.isfinite(again):
        return None
    better = "scale the values down, or work with logarithms" if dtype == np.float64 else "compute it in float64"
    return Cause(f"overflow: the result, {number(again)}, is larger than the largest {dtype}, {largest}", better)


def _of_whole(
    op: Op, args: Sequence[Any], params: Mapping[str, Any], shape: tuple[int, ...], index: tuple[int, ...], value: Any
) -> Cause:
    """The cause of a bad element that depends on many."""
    name = op.name
    parts = [_relevant(op, k, a, args, params, shape, index) for k, a in enumerate(args)]
    for k, part in enumerate(parts):
        if is_bad(part, infinite=False):
            return Cause("NaN is in the data already", "look at where this array comes from, and at tm.isnan of it", k)
    if name in _STATISTICS and np.size(parts[0]) == 0:
        return Cause(f"0/0: the {name} of no elements", "look at the shape, and at the mask that selected nothing")
    infinite = [k for k, part in enumerate(parts) if is_bad(part)]
    if name in ("var", "std") and not infinite and np.isnan(value):
        return Cause(f"0/0: the {name} of one element, divided by n - correction", "say correction=0, or take more")
    if name in ("softmax", "log_softmax", "logsumexp", "log_ratio", "soft_shares") and infinite:
        part = np.asarray(parts[infinite[0]])
        if (part == -np.inf).all():
            return Cause(
                f"{name} of nothing but -infinity, a row in which all is masked: 0/0",
                "leave one element in each row, or leave such rows out",
                infinite[0],
            )
        return Cause(f"{name} of an infinity: inf - inf", "look at where the infinity comes from", infinite[0])
    if infinite:
        zero = any((np.asarray(part) == 0).any() for k, part in enumerate(parts) if k != infinite[0])
        kind = "0 · inf or inf - inf" if zero else "inf - inf"
        return Cause(f"{name} of an infinity: {kind}", "look at where the infinity comes from", infinite[0])
    if name in DECOMPOSITIONS:
        return Cause(
            f"an ill-posed problem: {name} of a matrix that is singular, or nearly so",
            "look at tm.linalg.cond of the matrix; add a multiple of the identity, or use lstsq or pinv",
        )
    floats = [p for p in map(np.asarray, parts) if p.dtype.kind in "fc"]
    dtype = np.result_type(*floats) if floats else np.dtype(float)
    if np.isinf(value) and dtype.kind == "f":
        top = max((float(np.abs(p).max()) for p in floats if p.size), default=0.0)
        what = "product" if name in ("prod", "cumprod") else "sum" if name in _SUMS else "result"
        fix = "compute it in float64" if dtype.itemsize < 8 else "scale the values down"
        return Cause(
            f"overflow: the {what} of {max(map(np.size, parts), default=0)} numbers of up to {top:.4g} is larger than "
            f"the largest {dtype}, {number(_largest(dtype))}",
            fix + (", or take mean() or a smaller learning rate" if name in _SUMS else ""),
        )
    return Cause(f"{name} has no value for these operands", "look at its domain, and at the ranges of its operands")


def _relevant(
    op: Op, k: int, a: Any, args: Sequence[Any], params: Mapping[str, Any], shape: Any, index: tuple[int, ...]
) -> Any:
    """Of an operand, what one element of the result depends on; all of it where that is not known."""
    x = np.asarray(a)
    if op.name == "matmul" and len(args) == 2 and x.ndim:
        other = np.ndim(args[1 - k])
        if k == 0:
            row = x if x.ndim == 1 else x[..., index[-1] if other == 1 else index[-2], :]
            return row
        return x if x.ndim == 1 else x[..., :, index[-1]]
    if op.name == "affine" and index:  # x W' + b
        return x[index[:-1]] if k == 0 else x[index[-1]]
    if len(args) == 1 and "axis" in params:
        part = reduced(x, params, shape, index)
        return x if part is None else part
    return x
