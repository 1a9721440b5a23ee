"""Exponentials and logarithms, the hyperbolic functions, and what networks make of them: sigmoid and softmax."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import samples as points
from ..core.complex_parts import log1p as log1p_of
from ..core.complex_parts import plus
from ..core.declare import Declared, alias, elementwise, general
from ..core.errors import DTypeError, describe
from ..core.node import unknown
from ..core.op import raw
from ..core.samples import sample
from ..core.standing import as_array
from ..core.tensor import Tensor, as_tensor, record

__all__ = [
    "acosh", "arccosh", "arcsinh", "arctanh", "asinh", "atanh", "cosh", "exp", "exp2", "expm1", "log", "log1p", "log2",
    "log10", "log_softmax", "logaddexp", "logaddexp2", "sigmoid", "sinh", "softmax", "tanh",
]  # fmt: skip

_LN2, _LN10 = math.log(2), math.log(10)
_Array, _FLOAT = np.ndarray, np.float64
_multiply, _subtract = np.multiply, np.subtract  # NumPy's module takes long to answer

exp = elementwise(
    np.exp, lambda xp, y, x: y, latex="e^{{{0}}}", holomorphic=True, doc="e to the power x. Derivative: y."
)
exp2 = elementwise(
    np.exp2,
    lambda xp, y, x: xp.exp2(x - 1) * (2 * _LN2),  # where y overflows, y ln 2 does not yet
    latex="2^{{{0}}}",
    holomorphic=True,
    doc="2 to the power x. Derivative: y ln 2.",
)
expm1 = elementwise(
    np.expm1,
    lambda xp, y, x: xp.exp(x),  # y + 1 has lost its digits where x is far below 0
    latex="e^{{{0}}} - 1",
    holomorphic=True,
    doc="exp(x) - 1, accurate near 0. Derivative: exp(x).",
)
log = elementwise(
    np.log,
    lambda xp, y, x: 1 / x,
    latex=r"\ln {0}",
    domain=(0.2, 3.0),
    holomorphic=True,
    doc="The natural logarithm: -inf at 0, nan for negative numbers. Derivative: 1 / x.",
)
log2 = elementwise(
    np.log2,
    lambda xp, y, x: (1 / _LN2) / x,
    latex=r"\log_2 {0}",
    domain=(0.2, 3.0),
    holomorphic=True,
    doc="The logarithm to base 2. Derivative: 1 / (x ln 2).",
)
log10 = elementwise(
    np.log10,
    lambda xp, y, x: (1 / _LN10) / x,
    latex=r"\log_{{10}} {0}",
    domain=(0.2, 3.0),
    holomorphic=True,
    doc="The logarithm to base 10. Derivative: 1 / (x ln 10).",
)


class _Log1p(Declared[...]):
    """log1p, which hands complex numbers to an op of their own: the digits of NumPy's are those of 1 + x."""

    chooses = True

    def __call__(self, *args: Any, **params: Any) -> Any:
        if params or len(args) != 1:
            return super().__call__(*args, **params)
        (x,) = args
        if x.__class__ is Tensor and x.node.data.__class__ is _FLOAT:  # most often
            return record(self, args, self.defaults)
        if x.__class__ in (list, tuple):
            x = as_tensor(x)
        data = x.node.data if isinstance(x, Tensor) else x
        complex_numbers = data.__class__ is complex or _kind(data) == "c"
        return complex_log1p(x) if complex_numbers else record(self, (x,), self.defaults)


def _kind(data: Any) -> Any:
    return getattr(getattr(data, "dtype", None), "kind", None)


log1p = elementwise(
    np.log1p,
    lambda xp, y, x: 1 / (1 + x),
    latex=r"\ln(1 + {0})",
    domain=(-0.7, 3.0),
    holomorphic=True,
    doc="log(1 + x), accurate near 0. Derivative: 1 / (1 + x).",
    made=_Log1p,
)


complex_log1p = elementwise(
    log1p_of,
    lambda xp, y, x: 1 / (1 + x),
    name="complex_log1p",
    latex=r"\ln(1 + {0})",
    domain=(-0.7, 3.0),
    holomorphic=True,
    doc="log(1 + x) of complex numbers, with the digits of both parts. Derivative: 1 / (1 + x).",
)


def _weight(xp: Any, a: Any, b: Any, scale: float = 1.0) -> Any:
    """exp(a) / (exp(a) + exp(b)), a half where both are infinite and equal."""
    both = xp.logical_and(xp.isinf(a), xp.equal(a, b))
    return xp.sigmoid(xp.where(both, 0, scale * (a - b)))


def _log_pairs() -> list[Any]:
    inf = np.inf
    return [
        sample(points.real(3), points.real(3, key=1)),
        sample(points.real(2, 1), points.real(3)),
        sample(points.real(), 0.0),
        sample(points.real(0, 2), points.real(2)),
        sample(np.array([1.0, 800.0]), np.array([1.0, -800.0])),
        sample(np.array([-inf, -inf, 1.0, inf, inf]), np.array([-inf, 1.0, -inf, 1.0, inf]), smooth=False),
    ]


logaddexp = elementwise(
    np.logaddexp,
    lambda xp, y, a, b: _weight(xp, a, b),
    lambda xp, y, a, b: _weight(xp, b, a),
    latex=r"\ln(e^{{{0}}} + e^{{{1}}})",
    note="equal infinities share the derivative",
    samples=_log_pairs,
    doc="log(exp(x1) + exp(x2)) without overflow. Derivatives: sigmoid(x1 - x2) and sigmoid(x2 - x1).",
)
logaddexp2 = elementwise(
    np.logaddexp2,
    lambda xp, y, a, b: _weight(xp, a, b, _LN2),
    lambda xp, y, a, b: _weight(xp, b, a, _LN2),
    latex=r"\log_2(2^{{{0}}} + 2^{{{1}}})",
    note="equal infinities share the derivative",
    samples=_log_pairs,
    doc="log2(2**x1 + 2**x2) without overflow. Derivatives: 2**x1 / (2**x1 + 2**x2) and the rest to 1.",
)


# -- hyperbolic ---------------------------------------------------------------------------------------------

sinh = elementwise(
    np.sinh,
    lambda xp, y, x: xp.cosh(x),
    latex=r"\sinh {0}",
    holomorphic=True,
    doc="Hyperbolic sine. Derivative: cosh x.",
)
cosh = elementwise(
    np.cosh,
    lambda xp, y, x: xp.sinh(x),
    latex=r"\cosh {0}",
    holomorphic=True,
    doc="Hyperbolic cosine. Derivative: sinh x.",
)
tanh = elementwise(
    np.tanh,
    lambda xp, y, x: xp.tanh_slope(y, x),
    latex=r"\tanh {0}",
    holomorphic=True,
    doc="Hyperbolic tangent. Derivative: 1 - y^2 = cosh(x)^-2, accurate in the tails too.",
)

LOST = {kind: float(np.finfo(kind).eps ** (1 / 3)) for kind in "efdgFDG"}  # here two thirds of the digits are left
LEAST = {kind: float(np.finfo(kind).eps ** 0.2) for kind in "efdg"}  # and here four fifths
_ONE = {kind: np.ones((), kind) for kind in LOST}  # which a ufunc takes faster than a Python number


@tanh.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any) -> Any:
    if y.__class__ is _FLOAT and (d := 1.0 - y * y) >= LOST["d"]:  # a number, in a twentieth of the time
        return (g * d,)
    if xp is raw and y.dtype.kind == "f":
        d = _tanh_slope(y, x)  # nobody else's: the product may be written into it
        return (_multiply(g, d, d) if d.__class__ is _Array and d.dtype is g.dtype else g * d,)
    return (g * _conj(xp, xp.tanh_slope(y, x)),)


def _conj(xp: Any, d: Any) -> Any:
    return xp.conj(d) if d.dtype.kind == "c" else d


def _tanh_slope(y: Any, x: Any, out: Any = None) -> Any:
    d = _multiply(y, y, out)
    kind = d.dtype.char
    d = _subtract(_ONE[kind], d, d if d.__class__ is _Array else out)
    return d if _is_above(d, LOST[kind]) else tanh_tail(d, x)


def tanh_tail(d: Any, x: Any) -> Any:
    """d = 1 - tanh(x)^2, written anew where it is so small that its digits are lost."""
    kind = d.dtype.char
    return _put(d, x, np.abs(d) < LOST[kind] if kind in "FDG" else d < LOST[kind], _slope_of_tail)


def _is_above(d: Any, least: float) -> bool:
    """Whether all numbers are at least so large, or so far from 0 if they are complex; not a number is not."""
    if d.dtype.kind == "c":
        return bool((np.abs(d) >= least).all())
    if not d.size:
        return True
    if not d.flags.c_contiguous:
        d = d.T  # which lies in order, where d lies turned
    return d.item(d.argmin()) >= least  # type: ignore[no-any-return]  # the fastest way to see it


def _put(d: Any, x: Any, few: Any, f: Callable[[Any], Any]) -> Any:
    """d with f(x) where `few` is true: written into d, if that is an array."""
    if d.shape == ():
        if d.__class__ is not np.ndarray:
            return f(x) if few else d
    elif x.__class__ is np.ndarray and x.shape == d.shape:
        for a, b, c in ((d, x, few), (d.T, x.T, few.T)):
            if a.flags.c_contiguous and b.flags.c_contiguous and c.flags.c_contiguous:
                a, b = a.reshape(-1), b.reshape(-1)
                (places,) = c.reshape(-1).nonzero()  # an index reads and writes a few faster than a mask
                a[places] = f(b[places])
                return d
    d[few] = f(np.broadcast_to(x, d.shape)[few])
    return d


def _slope_of_tail(x: Any) -> Any:
    """cosh(x)^-2, of complex numbers as 4 e / (1 + e)^2 with e = exp(-2 |x|)."""
    x = np.asarray(x)  # a program may have a number of Python's
    if x.dtype.kind != "c":
        y = 1 / np.cosh(x)
        return y * y
    e = np.exp(np.where(x.real < 0, 2 * x, -2 * x))
    above = 1 + e
    return 4 * e / (above * above)


@general(
    arity=2,
    latex=r"1 - {0}^2",
    shape="same as y",
    holomorphic=True,
    samples=lambda: [sample(points.real(*s, low=-0.9, high=0.9), points.real(*s)) for s in ((2, 3), (), (0, 2))],
)
def tanh_slope(y: Any, x: Any, /) -> Any:
    """The derivative of y = tanh(x): 1 - y^2, and cosh(x)^-2 where y is so near to 1 that the digits of that are lost.

    Derivative: -2 y in y, none in x, which only says where y rounds to 1.
    """
    return _tanh_slope(y, x)


tanh_slope.into = _tanh_slope


@tanh_slope.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, s: Any, x: Any) -> Any:
    return (g * (-2 * (xp.conj(s) if y.dtype.kind == "c" else s)) if need[0] else None), None


@tanh_slope.defjvp
def _(xp: Any, ts: Any, y: Any, s: Any, x: Any) -> Any:
    return None if ts[0] is None else ts[0] * (-2 * s)


def _arcsinh_root(x: Any, /) -> Any:
    if np.asarray(x).dtype.kind != "c":
        return np.hypot(1, x)
    turned = np.array(x)  # i x, whose product would lose the sign of a zero
    turned.real, turned.imag = -np.imag(x), np.real(x)
    return (np.sqrt(plus(turned, 1)) * np.sqrt(plus(-turned, 1)))[()]


arcsinh_root = elementwise(
    _arcsinh_root,
    lambda xp, y, x: x / y,
    name="arcsinh_root",
    latex=r"\sqrt{{1 + {0}^2}}",
    holomorphic=True,
    doc="The square root of 1 + x^2, on the branches of arcsinh and without overflow. Derivative: x / y.",
)
arcsinh = elementwise(
    np.arcsinh,
    lambda xp, y, x: 1 / (xp.arcsinh_root(x) if x.dtype.kind == "c" else xp.hypot(1, x)),
    latex=r"\operatorname{{arsinh}} {0}",
    holomorphic=True,
    doc="The inverse of sinh. Derivative: 1 / sqrt(x^2 + 1).",
)


def _arccosh_root(x: Any, /) -> Any:
    root = np.sqrt(plus(x, -1)) * np.sqrt(plus(x, 1))  # in one root it would overflow, and miss the branch
    return root[()]


def _arccosh_root_slope(xp: Any, y: Any, x: Any) -> Any:
    if x.dtype.kind == "c":
        return x / y
    far = xp.equal(x, np.inf)
    return xp.where(far, 1, x) / xp.where(far, 1, y)


arccosh_root = elementwise(
    _arccosh_root,
    _arccosh_root_slope,
    name="arccosh_root",
    latex=r"\sqrt{{{0} - 1}} \sqrt{{{0} + 1}}",
    domain=(1.2, 3.0),
    holomorphic=True,
    doc="The square root of x^2 - 1, for x from 1 on, without overflow. Derivative: x / y.",
)
arccosh = elementwise(
    np.arccosh,
    lambda xp, y, x: 1 / xp.arccosh_root(x),
    latex=r"\operatorname{{arcosh}} {0}",
    domain=(1.2, 3.0),
    holomorphic=True,
    note="the derivative at 1 is inf",
    doc="The inverse of cosh, for x from 1 on. Derivative: 1 / sqrt(x^2 - 1), which is inf at 1.",
)
arctanh = elementwise(
    np.arctanh,
    lambda xp, y, x: xp.slope_of_arctanh(x),
    latex=r"\operatorname{{artanh}} {0}",
    domain=(-0.8, 0.8),
    holomorphic=True,
    doc="The inverse of tanh, on (-1, 1). Derivative: 1 / (1 - x^2).",
)


# -- sigmoid and softmax ------------------------------------------------------------------------------------


def sigmoid(x: Any, /) -> Any:
    """The logistic function 1 / (1 + exp(-x)), accurate in both tails. Derivative: sigmoid(x) sigmoid(-x).

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.sigmoid)(0.0)
    tensor(0.25)
    """
    dtype = getattr(x, "dtype", _REAL)
    if dtype.kind == "c" or type(x) is complex:
        left = np.real(x) < 0
        e = np.exp(np.where(left, x, np.negative(x)))  # of a number at most 1 in size: no overflow
        return np.where(left, e, 1) / (1 + e)
    y = _expit()(x)
    return y if dtype.char != "e" else y.astype(dtype)  # SciPy makes double numbers of half ones


_REAL = np.dtype(float)


@functools.cache
def _expit() -> Any:
    from scipy.special import expit

    return expit


sigmoid = elementwise(
    sigmoid,
    lambda xp, y, x: xp.sigmoid_slope(y, x),
    latex=r"\sigma({0})",
    holomorphic=True,
    samples=lambda: points.whole_plane(
        sample(np.array([-800.0, -40.0, 40.0, 800.0])),
    ),
)


def _logistic_slope(x: Any, /) -> Any:
    left = np.real(x) < 0 if getattr(x, "dtype", _REAL).kind == "c" else None
    e = np.exp(-np.abs(x) if left is None else np.where(left, x, np.negative(x)))
    return e / ((1 + e) * (1 + e))


logistic_slope = elementwise(
    _logistic_slope,
    lambda xp, y, x: -y * xp.tanh(0.5 * x),
    name="logistic_slope",
    latex=r"\sigma'({0})",
    holomorphic=True,
    doc="The derivative of sigmoid, exp(-|x|) / (1 + exp(-|x|))^2, accurate in both tails. Derivative: -y tanh(x / 2).",
)


def _sigmoid_slope(y: Any, x: Any, out: Any = None) -> Any:
    kind = y.dtype.char
    if kind not in LEAST:
        return np.positive(_logistic_slope(x), out)
    rest = _subtract(_ONE[kind], y)
    d = _multiply(rest, y, out)
    return d if _is_above(rest, LEAST[kind]) else _put(d, x, rest < LEAST[kind], _logistic_slope)


@sigmoid.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any) -> Any:
    if y.__class__ is _FLOAT and (rest := 1.0 - y) >= LEAST["d"]:  # a number, in a twentieth of the time
        return (g * (rest * y),)
    if xp is raw and y.dtype.kind == "f":
        d = _sigmoid_slope(y, x)  # nobody else's: the product may be written into it
        return (_multiply(g, d, d) if d.__class__ is _Array and d.dtype is g.dtype else g * d,)
    return (g * _conj(xp, xp.sigmoid_slope(y, x)),)


@general(
    arity=2,
    latex=r"{0} (1 - {0})",
    shape="same as y",
    holomorphic=True,
    samples=lambda: [sample(1 / (1 + np.exp(-x)), x) for x in (points.real(2, 3), points.real(), points.real(0, 2))],
)
def sigmoid_slope(y: Any, x: Any, /) -> Any:
    """The derivative of y = sigmoid(x): y (1 - y), and logistic_slope(x) where y is so near to 1 that digits are lost.

    Derivative: 1 - 2 y in y, which is -tanh(x / 2), and that keeps its digits next to 0; none in x, which only says
    where y is. Of complex y it is logistic_slope(x) everywhere, a function of x alone, as is its derivative.
    """
    return _sigmoid_slope(y, x)


sigmoid_slope.into = _sigmoid_slope


@sigmoid_slope.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, s: Any, x: Any) -> Any:
    if s.dtype.kind != "c":
        return (g * _sigmoid_turn(xp, s, x) if need[0] else None), None
    if not need[1]:
        return None, None
    slope = -y * xp.tanh(0.5 * x)
    return None, g * (xp.conj(slope) if y.dtype.kind == "c" else slope)


@sigmoid_slope.defjvp
def _(xp: Any, ts: Any, y: Any, s: Any, x: Any) -> Any:
    if s.dtype.kind != "c":
        return None if ts[0] is None else ts[0] * _sigmoid_turn(xp, s, x)
    return None if ts[1] is None else ts[1] * (-y * xp.tanh(0.5 * x))


def _sigmoid_turn(xp: Any, s: Any, x: Any) -> Any:
    """1 - 2 s of real s = sigmoid(x); a complex x does not tell it."""
    return 1 - 2 * s if x.dtype.kind == "c" else -xp.tanh(0.5 * x)


def _softmax_samples() -> list[Any]:
    return [
        sample(points.real(2, 3)),
        sample(points.real(2, 3), axis=0),
        sample(points.real(2, 3), axis=(0, -1)),
        sample(points.real(2, 3), axis=None),
        sample(points.real(3, 1)),
        sample(points.real(0, 3)),
        sample(points.real(3, 0)),
        sample(np.zeros(3)),
        sample(np.array([800.0, 0.0, -800.0])),
        sample(np.array([1.0, -np.inf, 2.0]), smooth=False),
    ]


def _floats(x: Any) -> Any:
    x = as_array(x)
    if x.dtype.kind == "c":
        raise DTypeError(f"softmax orders its numbers, and complex ones have no order: got {describe(x)}")
    return x if x.dtype.kind == "f" else x.astype(np.float64)


@general(latex=r"\operatorname{{softmax}} {0}", shape="same as x", samples=_softmax_samples)
def softmax(x: Any, /, axis: int | tuple[int, ...] | None = -1) -> Any:
    """exp(x) over its sum along `axis`, without overflow: positive numbers that sum to 1.

    Arguments: `axis` an int, a tuple, or None for all axes. An element of -inf gets the weight 0.
    Derivative: dy = y (dx - sum(y dx)). Its entry at a y of nearly 1, where that cancels, is minus the sum of the
    others.

    >>> import tinygrad_math as tm
    >>> tm.softmax([1000.0, 1000.0])
    tensor([0.5, 0.5])
    """
    return _softmax(x, axis, np)


def _softmax(x: Any, axis: Any, m: Any) -> Any:
    """softmax, with the exp of m."""
    x = _floats(x)
    y = m.exp(x - np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf))
    return y / np.add.reduce(y, axis=axis, keepdims=True)


softmax.over = lambda m: lambda x, axis=-1: _softmax(x, axis, m)


NEARLY = {kind: 1 - LOST[kind] for kind in "efdg"}  # shares from here on leave too few digits of 1 - p


def _none_won(p: Any) -> bool:
    """Whether no share is nearly 1; of NaN, which is no share, it is not known."""
    if p.__class__ is _Array and p.size:
        return p.item(p.argmax()) <= NEARLY[p.dtype.char]  # type: ignore[no-any-return]  # the fastest way to see it
    if not p.size:
        return True
    rest = 1 - p  # of arrays whose elements are not there yet any is as other numbers, 1
    return bool(rest.item(rest.argmin()) >= 1 - NEARLY[p.dtype.char])


def _balanced_samples() -> list[Any]:
    p = np.array([[0.2, 0.7, 0.1], [1e-9, 2e-9, 1.5]])  # which stays above where a step moves it, too
    d = np.array([[0.5, -1.5, 1.0], [1e-9, 2e-9, -3e-9]])
    return [
        sample(d, p, axis=-1),
        sample(d.T, p.T, axis=0),
        sample(d[1], p[1], axis=None),
        sample(d[0], p[0], axis=0),
        sample(d[0, 0], p[0, 0], axis=None),
        sample(points.real(0, 3), points.real(0, 3), axis=-1),
        sample(d, p, axis=(0, 1)),
    ]


@general(arity=2, latex="{0}", shape="same as d", samples=_balanced_samples)
def balanced(d: Any, p: Any, /, axis: Any) -> Any:
    """d, whose sum along `axis` is 0, with what belongs to a share p of nearly 1 as minus the sum of the others.

    That is d again, without what the terms of that one lose as they cancel. Derivatives: itself in d, none in p.
    """
    if _none_won(p):
        return d.copy()  # where memory is planned ahead, a result lies in its own
    return _balance(np.array(d), p, axis)[()]


def _balance(d: Any, p: Any, axis: Any) -> Any:
    """The same, written into d."""
    won = p > NEARLY[p.dtype.char]
    np.copyto(d, 0, where=won)
    np.copyto(d, -_sum_along(d, axis), where=won)
    return d


@general(arity=2, latex="{0}", shape="same as d", samples=_balanced_samples)
def from_winner(d: Any, p: Any, /, axis: Any) -> Any:
    """d less what belongs to a share p of nearly 1 along `axis`, if there is one: the transpose of `balanced`.

    A mean of weights p moves with d, so what is left about the mean is the same. Derivatives: itself in d, none in p.
    """
    if _none_won(p):
        return d.copy()
    won = p > NEARLY[p.dtype.char]
    return np.where(won, 0, d - np.add.reduce(np.where(won, d, 0), axis=axis, keepdims=True))[()]


def _transposes(op: Any, other: str) -> None:
    """The rules of an op that is linear in its first argument; the second one only says where."""

    def vjp(xp: Any, need: Any, g: Any, y: Any, d: Any, p: Any, axis: Any) -> Any:
        return getattr(xp, other)(g, p, axis=axis) if need[0] else None, None

    def jvp(xp: Any, ts: Any, y: Any, d: Any, p: Any, axis: Any) -> Any:
        return None if ts[0] is None else getattr(xp, op.name)(ts[0], p, axis=axis)

    op.vjp, op.jvp = vjp, jvp


_transposes(balanced, "from_winner")
_transposes(from_winner, "balanced")


def _is_open(xp: Any, p: Any) -> bool:
    """Whether it is known that no share has won; what a program computes later is not known."""
    if xp is not raw:
        if p.__class__ is not Tensor or unknown(p.node):
            return p.dtype.char not in NEARLY
        p = p.node.data
    return p.dtype.char not in NEARLY or _none_won(p)


def _in_balance(xp: Any, d: Any, p: Any, axis: Any) -> Any:
    """`balanced`, which takes over a d that is nobody else's, and makes no record where no share has won."""
    if _is_open(xp, p):
        return d
    return _balance(d, p, axis) if xp is raw and d.__class__ is _Array else xp.balanced(d, p, axis=axis)


@softmax.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any, axis: Any) -> Any:
    if not (xp is raw and y.size and y.item(y.argmin()) > 0):
        g = xp.where(xp.equal(y, 0), 0, g)  # a share that has vanished moves no finite loss, however steep that is
    gy = g * y
    d = gy - y * xp.sum(gy, axis=axis, keepdims=True)
    return (_in_balance(xp, d, y, axis),)


@softmax.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, axis: Any) -> Any:
    ty = ts[0] * y
    d = ty - y * xp.sum(ty, axis=axis, keepdims=True)
    return _in_balance(xp, d, y, axis)


@general(latex=r"\ln \operatorname{{softmax}} {0}", shape="same as x", samples=_softmax_samples)
def log_softmax(x: Any, /, axis: int | tuple[int, ...] | None = -1) -> Any:
    """The logarithm of softmax: x - log(sum(exp(x))), accurate also where softmax is next to 0 or to 1.

    Arguments: `axis` an int, a tuple, or None for all axes.
    Derivative: dy = dx - sum(softmax(x) dx). The entry of a share of nearly 1, where that cancels, is found from the
    others.

    >>> import tinygrad_math as tm
    >>> tm.log_softmax([0.0, -50.0])[0] < 0
    tensor(True)
    """
    return _log_softmax(x, axis, np)


def _log_softmax(x: Any, axis: Any, m: Any) -> Any:
    """log_softmax, with the exp, log and log1p of m."""
    x = _floats(x)
    if x.ndim == 2 and axis in (1, -1) and x.size:
        return _log_softmax_of_rows(x, m)
    z = x - np.maximum.reduce(x, axis=axis, keepdims=True, initial=-np.inf)
    if not z.size:
        return z
    top = (z == 0).astype(z.dtype)  # the largest of each row, k of them: log(k + rest) keeps the digits of a small rest
    k = _sum_along(top, axis)
    rest = _sum_along(m.exp(z) - top, axis)
    return z - (m.log(k) + m.log1p(rest / k))


log_softmax.over = lambda m: lambda x, axis=-1: _log_softmax(x, axis, m)


def _log_softmax_of_rows(x: Any, m: Any) -> Any:
    """The same of short rows, which NumPy is quicker to search than to take the largest of."""
    largest = np.arange(len(x)), x.argmax(1)
    top = x[largest]
    z = x - top[:, None]
    rest = m.exp(z)
    rest[largest] = top - top  # 0, or NaN where no number is the largest
    return z - m.log1p(_sum_along(rest, 1))


_ONES = {kind: np.ones(128, kind) for kind in "fd"}


def _sum_along(x: Any, axis: Any) -> Any:
    """The sum, with its axis kept. Of short rows it is a product of BLAS: NumPy sums each on its own."""
    if x.ndim == 2 and axis in (1, -1) and 1 < x.shape[1] <= 128 and x.dtype.char in _ONES and x.dtype.isnative:
        return x.dot(_ONES[x.dtype.char][: x.shape[1]])[:, None]
    return np.add.reduce(x, axis=axis, keepdims=True)


@log_softmax.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any, axis: Any) -> Any:
    p = xp.exp(y)
    d = g - p * xp.sum(g, axis=axis, keepdims=True)
    return (_in_balance(xp, d, p, axis),)


@log_softmax.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, axis: Any) -> Any:
    (t,) = ts
    p = xp.exp(y)
    if not _is_open(xp, p):
        t = xp.from_winner(t, p, axis=axis)
    return t - xp.sum(p * t, axis=axis, keepdims=True)


acosh, asinh, atanh = arccosh, arcsinh, arctanh
alias("acosh", arccosh)
alias("asinh", arcsinh)
alias("atanh", arctanh)
