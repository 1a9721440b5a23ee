"""Choosing between values, element by element: where and its kin, the larger and the smaller, clip, relu."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core import samples as points
from ..core.declare import derived, general
from ..core.errors import ArgumentError, DTypeError, ShapeError, TraceError, describe
from ..core.samples import Sample, sample
from ..core.tensor import Tensor, as_tensor, is_weak, rec

__all__ = [
    "clip", "fmax", "fmin", "maximum", "minimum", "nan_to_num", "piecewise", "relu", "select", "where",
]  # fmt: skip


# -- where ----------------------------------------------------------------------------------------------------


@general(
    arity=3,
    name="where",
    latex=r"\operatorname{{where}}({0}, {1}, {2})",
    shape="broadcast of the arguments",
    samples=lambda: [
        sample(np.array([True, False, True]), points.real(3), points.real(3, key=1)),
        sample(np.array([[True], [False]]), points.real(3), 0.0),
        sample(np.array([0, 3, 1]), 1, points.real(2, 3)),
        sample(np.array(True), points.real(), points.real(key=1)),
        sample(np.array([], bool), points.real(2, 0), points.real()),
        sample(np.array([True, False, True]), points.complexes(3), points.real(3)),
    ],
)
def _where(condition: Any, x1: Any, x2: Any, /) -> Any:
    """x1 where the condition holds, else x2. The cotangent goes to the one that was chosen."""
    return np.where(condition, x1, x2)


@_where.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, c: Any, a: Any, b: Any) -> Any:
    return None, xp.keep(g, c) if need[1] else None, xp.keep(g, xp.logical_not(c)) if need[2] else None


@_where.defjvp
def _(xp: Any, ts: Any, y: Any, c: Any, a: Any, b: Any) -> Any:
    _, ta, tb = ts
    if tb is None:
        return None if ta is None else xp.keep(ta, c)
    return xp.keep(tb, xp.logical_not(c)) if ta is None else xp.where(c, ta, tb)


_WHOLE = {4: np.int32, 8: np.int64}


@general(
    arity=2,
    latex=r"{0} \, [{1}]",
    shape="broadcast of the arguments",
    samples=lambda: [
        sample(points.real(3), np.array([True, False, True])),
        sample(points.real(2, 1), np.array([True, False, True])),
        sample(points.real(2, 3), np.array([0, 5, -3])),
        sample(points.real(), True),
        sample(points.real(0, 2), False),
        sample(points.complexes(3), np.array([True, False, True])),
        sample(np.array([np.inf, np.nan, -np.inf]), False, smooth=False),
    ],
)
def keep(x: Any, condition: Any, /) -> Any:
    """x where the condition holds, else 0, whatever x is there: the transpose of choosing.

    For floats the bits of x times 0 or 1, several times faster than `where`, which branches at each element;
    x times 0 would be nan where x is inf. The cotangent of x is kept likewise.
    """
    x, condition = np.asanyarray(x), np.asanyarray(condition, dtype=bool)
    whole = _WHOLE.get(x.itemsize) if x.dtype.kind == "f" else None
    if whole is None:
        return np.where(condition, x, 0)
    return np.multiply(x.view(whole), condition).view(x.dtype)


keep.defvjp(lambda xp, need, g, y, x, c: (xp.keep(g, c), None))
keep.defjvp(lambda xp, ts, y, x, c: None if ts[0] is None else xp.keep(ts[0], c))


@derived
def where(condition: Any, x1: Any = None, x2: Any = None, /) -> Any:
    """x1 where the condition holds, else x2; the indices where it holds, if no more is given.

    Arguments: three arrays or numbers that broadcast; the condition is true where it is not 0.
    Derivative: the cotangent goes to the one that was chosen, the other gets 0. Both are computed everywhere,
    so an infinite slope in what was not chosen gives nan: `piecewise` computes each on its own elements.

    >>> import tinygrad_math as tm
    >>> tm.where([True, False], [1.0, 2.0], 0.0)
    tensor([1., 0.])
    """
    if x2 is not None:
        return _where(condition, x1, x2)
    if x1 is not None:
        raise ArgumentError("where takes a condition, or a condition and both of its values")
    return rec.nonzero(condition)


@derived
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """Element by element the choice of the first condition that holds, `default` where none does.

    Arguments: two lists of one length, of conditions and of values; all broadcast together.
    Raises ArgumentError. The cotangent goes to the choice that was taken.

    >>> import tinygrad_math as tm
    >>> x = tm.tensor([1.0, 2.0, 3.0])
    >>> tm.select([x < 2, x < 3], [-x, x * x], default=9.0)
    tensor([-1.,  4.,  9.])
    """
    if len(condlist) != len(choicelist) or not len(condlist):
        raise ArgumentError(
            f"select needs as many conditions as choices, and at least one: got {len(condlist)} and {len(choicelist)}"
        )
    for condition in condlist:
        if as_tensor(condition).dtype.kind != "b":
            raise DTypeError(
                f"select: conditions are true or false, got {describe(condition)}; compare it, as in x != 0"
            )
    y = default
    for condition, choice in zip(reversed(list(condlist)), reversed(list(choicelist)), strict=True):
        y = _where(condition, choice, y)
    return y


@derived
def piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Any:
    """A function given piece by piece, each piece computed on its own elements only.

    Arguments: `condlist` conditions of x's shape; `funclist` for each a value, or a function that takes the
    elements of x where the condition holds, as a vector (and `args`, `kw`); one more than conditions is for the
    elements where none holds, which else give 0. Where several hold, the last counts. The dtype holds x
    and every piece. Raises ArgumentError, ShapeError.
    Derivative: that of each piece on its own elements, so it is right where `where` gives inf times 0.

    >>> import tinygrad_math as tm
    >>> f = lambda x: tm.piecewise(x, [x > 0], [tm.sqrt, 0.0]).sum()
    >>> tm.grad(f)(tm.tensor([0.0, 4.0]))
    tensor([0.  , 0.25])
    """
    whole = as_tensor(x)
    x = rec.reshape(whole, (1,)) if not whole.ndim else whole
    masks = [rec.reshape(_mask(c, whole), x.shape) for c in _listed(condlist, whole)]
    if len(funclist) == len(masks) + 1:
        some = masks[0]
        for m in masks[1:]:
            some = rec.logical_or(some, m)
        masks.append(rec.logical_not(some))
    elif len(funclist) != len(masks):
        raise ArgumentError(
            f"piecewise with {len(masks)} conditions takes {len(masks)} or {len(masks) + 1} pieces, got {len(funclist)}"
        )
    pieces = []
    for mask, f in zip(masks, funclist, strict=True):
        if not callable(f):
            pieces.append((mask, f))
        elif (own := _elements(x, mask)).size:
            pieces.append((mask, f(own, *args, **kw)))
    kinds = [as_tensor(p).node.data if is_weak(p) else as_tensor(p).dtype for _, p in pieces]
    y = as_tensor(np.zeros(x.shape, np.result_type(x.dtype, *kinds)))
    for mask, piece in pieces:
        y = rec.setitem(y, mask, piece)
    return rec.reshape(y, whole.shape) if not whole.ndim else y


def _elements(x: Tensor, mask: Any) -> Tensor:
    """Those where a condition holds."""
    try:
        return x[mask]
    except TraceError:
        raise TraceError(
            "piecewise computes each piece on its own elements, and which these are depends on values, which are not "
            "known inside of vmap and compile. Call it outside of them, on the whole batch; or write, with c for the "
            "condition and a point for 1.0 where f is smooth: where(c, f(where(c, x, 1.0)), other)"
        ) from None


def _listed(condlist: Any, x: Tensor) -> list[Any]:
    """The conditions as a list; a single one needs none around it."""
    if isinstance(condlist, (list, tuple)):
        condlist = [c if isinstance(c, Tensor) else as_tensor(c) for c in condlist]
    if not isinstance(condlist, (list, tuple)):
        return list(condlist) if np.ndim(condlist) > x.ndim else [condlist]
    return [condlist] if x.ndim and condlist and condlist[0].ndim < x.ndim else list(condlist)


def _mask(condition: Any, x: Tensor) -> Any:
    mask = as_tensor(condition)
    if mask.shape != x.shape:
        raise ShapeError(f"piecewise: the condition {describe(mask)} does not fit x, {describe(x)}; compare x itself")
    return mask if mask.dtype.kind == "b" else rec.astype(mask, np.bool_)


# -- the larger and the smaller -------------------------------------------------------------------------------


def _extreme_samples() -> list[Sample]:
    edges = np.array([-np.inf, 1.0, 2.0, np.inf, np.nan])
    return [
        sample(points.real(3), points.real(3, key=1)),
        sample(points.real(2, 1), points.real(3)),
        sample(points.real(), points.real(key=1)),
        sample(points.real(0, 2), points.real(2)),
        sample(points.real(2, 3), 0.0),
        sample(1, points.real(3)),
        sample(edges[:, None], edges, smooth=False),
        sample(np.zeros(2), np.array([0.0, -0.0]), smooth=False),
    ]


def _extreme(ufunc: Any, wins: Callable[..., Any], latex: str, doc: str) -> Any:
    """One of maximum, minimum, fmax, fmin; `wins(xp, a, b)` says where a alone is the result, as one may be a nan."""
    op = general(
        arity=2,
        latex=latex,
        shape="broadcast of the arguments",
        note="ties share the derivative",
        samples=_extreme_samples,
        doc=f"{doc} Derivative: 1 for the one that is taken, a half for each where they tie.",
    )(ufunc)

    def share(xp: Any, v: Any, a: Any, b: Any) -> Any:
        return xp.keep(v, wins(xp, a, b)) + xp.keep(0.5 * v, xp.equal(a, b))

    @op.defvjp
    def _(xp: Any, need: Any, g: Any, y: Any, a: Any, b: Any) -> Any:
        return share(xp, g, a, b) if need[0] else None, share(xp, g, b, a) if need[1] else None

    @op.defjvp
    def _(xp: Any, ts: Any, y: Any, a: Any, b: Any) -> Any:
        ta, tb = ts
        if tb is None:
            return share(xp, ta, a, b)
        return share(xp, tb, b, a) if ta is None else share(xp, ta, a, b) + share(xp, tb, b, a)

    return op


def _is_nan(xp: Any, a: Any) -> Any:
    return xp.not_equal(a, a)  # of integers too, of which there is none


def _or_nan(xp: Any, better: Any, a: Any) -> Any:
    """Better, or a nan, which is then what is handed on; of two nans each is, as no value tells them apart."""
    return xp.logical_or(better, _is_nan(xp, a))


def _or_alone(xp: Any, better: Any, b: Any) -> Any:
    """Better, or beside a nan, which is left aside."""
    return xp.logical_or(better, xp.isnan(b))


maximum = _extreme(
    np.maximum,
    lambda xp, a, b: _or_nan(xp, xp.greater(a, b), a),
    r"\max({0}, {1})",
    "The larger of x1 and x2; nan if one is nan, which is then the one that is taken.",
)
minimum = _extreme(
    np.minimum,
    lambda xp, a, b: _or_nan(xp, xp.less(a, b), a),
    r"\min({0}, {1})",
    "The smaller of x1 and x2; nan if one is nan, which is then the one that is taken.",
)
fmax = _extreme(
    np.fmax,
    lambda xp, a, b: _or_alone(xp, xp.greater(a, b), b),
    r"\operatorname{{fmax}}({0}, {1})",
    "The larger of x1 and x2; the other one if one is nan.",
)
fmin = _extreme(
    np.fmin,
    lambda xp, a, b: _or_alone(xp, xp.less(a, b), b),
    r"\operatorname{{fmin}}({0}, {1})",
    "The smaller of x1 and x2; the other one if one is nan.",
)


@general(
    latex=r"\max({0}, 0)",
    shape="same as x",
    note="the derivative at 0 is 0",
    samples=lambda: [
        sample(points.real(2, 3)),
        sample(points.real()),
        sample(points.real(0, 2)),
        sample(np.array([-1.0, -0.0, 0.0, 1.0]), smooth=False),
    ],
)
def relu(x: Any, /) -> Any:
    """The positive part of x: max(x, 0). Derivative: 1 for positive x, else 0, at 0 too; 1 for nan, which is handed on.

    >>> import tinygrad_math as tm
    >>> tm.relu([-1.0, 0.0, 2.0])
    tensor([0., 0., 2.])
    """
    return np.maximum(x, 0)


relu.defvjp(lambda xp, need, g, y, x: (xp.keep(g, xp.not_equal(y, 0)),))
relu.defjvp(lambda xp, ts, y, x: xp.keep(ts[0], xp.not_equal(y, 0)))


# -- clip -----------------------------------------------------------------------------------------------------


@general(
    arity=3,
    name="clip",
    latex=r"\operatorname{{clip}}({0}, {1}, {2})",
    shape="broadcast of the arguments",
    note="the derivative in x is 1 on the bounds",
    samples=lambda: [
        sample(points.real(2, 3), -0.5, 1.0),
        sample(points.real(2, 1), np.array([-0.5, -0.1, 0.0]), points.positive(3)),
        sample(points.real(), -0.5, points.positive()),
        sample(points.real(0, 2), -0.5, 1.0),
        sample(points.real(3), -np.inf, 0.3),
        sample(points.real(4), np.array(1.0), np.array(-1.0)),
        sample(np.array([-1.0, 0.0, 1.0, np.inf]), np.array(-1.0), np.array(1.0), smooth=False),
    ],
)
def _clip(x: Any, low: Any, high: Any, /) -> Any:
    """x between two bounds. Derivative: 1 in x from bound to bound, both included; beyond a bound, 1 in that bound."""
    return np.clip(x, low, high)


def _between(xp: Any, y: Any, x: Any) -> Any:
    return xp.logical_or(xp.equal(x, y), _is_nan(xp, x))


def _below(xp: Any, y: Any, x: Any, low: Any, high: Any) -> Any:
    beyond = xp.logical_and(x < y, xp.less_equal(low, high))
    return xp.logical_or(beyond, xp.logical_and(_is_nan(xp, low), xp.equal(x, x)))


def _above(xp: Any, y: Any, x: Any, low: Any, high: Any) -> Any:
    beyond = xp.logical_or(x > y, xp.logical_and(x < y, xp.greater(low, high)))  # crossed bounds: the upper one rules
    first = xp.logical_and(xp.equal(x, x), xp.equal(low, low))  # of several nans the first is handed on
    return xp.logical_or(beyond, xp.logical_and(_is_nan(xp, high), first))


@_clip.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any, low: Any, high: Any) -> Any:
    return (
        xp.keep(g, _between(xp, y, x)) if need[0] else None,
        xp.keep(g, _below(xp, y, x, low, high)) if need[1] else None,
        xp.keep(g, _above(xp, y, x, low, high)) if need[2] else None,
    )


@_clip.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, low: Any, high: Any) -> Any:
    total = None if ts[0] is None else xp.keep(ts[0], _between(xp, y, x))
    for t, beyond in ((ts[1], _below), (ts[2], _above)):
        if t is not None:
            part = xp.keep(t, beyond(xp, y, x, low, high))
            total = part if total is None else total + part
    return total


@derived
def clip(x: Any, /, min: Any = None, max: Any = None, *, a_min: Any = None, a_max: Any = None) -> Any:
    """x, but not below `min` and not above `max`.

    Arguments: the bounds are numbers, arrays that broadcast with x, or None for no bound; `a_min` and `a_max`
    are NumPy's names of them. If they cross, the result is `max`.
    Derivative: 1 in x from bound to bound, both included, else 0; beyond a bound, 1 in that bound. A nan, in x or a
    bound, is handed on, with the derivative 1.

    >>> import tinygrad_math as tm
    >>> tm.grad(lambda x: tm.clip(x, 0.0, 1.0).sum())(tm.tensor([-1.0, 0.0, 0.5, 1.0, 2.0]))
    tensor([0., 1., 1., 1., 0.])
    """
    if (min is not None and a_min is not None) or (max is not None and a_max is not None):
        raise ArgumentError("clip takes min or a_min, max or a_max: two names of one bound")
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    if low is not None and high is not None:
        return _clip(x, low, high)
    if low is None and high is None:
        return rec.positive(x)
    x = as_tensor(x)
    least: float
    most: float
    given = [as_tensor(v).node.data if is_weak(v) else as_tensor(v).dtype for v in (low, high) if v is not None]
    kind = np.result_type(x.node.data if is_weak(x) else x.dtype, *given)  # the result's: a bound may be beyond x's
    if kind.kind in "iu":
        least, most = int(np.iinfo(kind).min), int(np.iinfo(kind).max)
    else:
        least, most = (False, True) if kind.kind == "b" else (-np.inf, np.inf)
    return _clip(x, least if low is None else low, most if high is None else high)


# -- nan ------------------------------------------------------------------------------------------------------


@general(
    latex=r"\operatorname{{nan\_to\_num}} {0}",
    shape="same as x",
    samples=lambda: points.whole_plane(
        sample(np.array([1.0, np.nan, np.inf, -np.inf]), nan=2.0, posinf=3.0, smooth=False),
        sample(np.array([1.0, np.nan * 1j, np.inf + 2j]), smooth=False),
    ),
)
def nan_to_num(
    x: Any, /, copy: bool = True, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Any:
    """x with numbers in place of nan (0 by default) and infinities (the largest finite numbers by default).

    Arguments: `copy` is there for NumPy's sake; x is never written to. Real and imaginary parts count separately.
    Derivative: 1 where x is finite, else 0.

    >>> import tinygrad_math as tm
    >>> tm.nan_to_num([1.0, float("nan"), float("inf")], posinf=9.0)
    tensor([1., 0., 9.])
    """
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


def _finite(xp: Any, v: Any, x: Any) -> Any:
    if x.dtype.kind != "c":
        return xp.keep(v, xp.isfinite(x))
    parts = [xp.keep(part(v), xp.isfinite(part(x))) for part in (xp.real, xp.imag)]
    return parts[0] + 1j * parts[1]


nan_to_num.defvjp(lambda xp, need, g, y, x, **_: (_finite(xp, g, x),))
nan_to_num.defjvp(lambda xp, ts, y, x, **_: _finite(xp, ts[0], x))
