"""The logistic function and sums in the log domain: expit, logit, log_expit, softplus, logsumexp, softmax, its log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.declare import elementwise, general, helper
from ..core.errors import ArgumentError, DTypeError, describe
from ..core.quiet import ignoring
from ..core.samples import real, sample
from ..core.standing import as_array
from ..core.tensor import Tensor, as_tensor, rec
from ..ops.exponential import softmax as softmax_op
from .scipy_rows import differentiate, refuse_complex, row

__all__ = ["expit", "log_expit", "log_softmax", "logit", "logsumexp", "softmax", "softplus"]

Axis = int | tuple[int, ...] | None

expit = row(
    "expit",
    lambda xp, y, x: xp.sigmoid_slope(y, x),
    latex=r"\sigma({0})",
    doc="""The logistic function 1 / (1 + exp(-x)). d/dx = expit(x) expit(-x), accurate in both tails.

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.special.expit)(0.0)
    tensor(0.25)
    """,
)
logit = row(
    "logit",
    lambda xp, y, x: 1 / x + 1 / (1 - x),
    domain=(0.05, 0.95),
    doc="The inverse of expit, log(x / (1 - x)), on (0, 1). d/dx = 1 / (x (1 - x)).",
)
log_expit = row(
    "log_expit",
    lambda xp, y, x: xp.expit(-x),
    latex=r"\ln \sigma({0})",
    doc="The logarithm of expit, -log(1 + exp(-x)). d/dx = expit(-x).",
)


@general(
    latex=r"\ln(1 + e^{{{0}}})",
    shape="same as x",
    note="x itself where beta x is above the threshold, with derivative 1",
    samples=lambda: [
        sample(real(2, 3)),
        sample(real(4), beta=2.0),
        sample(real(3), beta=-0.5),
        sample(np.array([-3.0, 1.0, 4.0, 30.0]), beta=1.5, threshold=5.0),
        sample(np.array([-800.0, -40.0, 0.0, 40.0, 800.0])),
        sample(real()),
        sample(real(0, 2)),
        sample(np.array([-np.inf, np.inf, 1.0]), threshold=20.0, smooth=False),
    ],
)
def softplus(x: Any, /, beta: float = 1.0, threshold: float = np.inf) -> Any:
    """log(1 + exp(beta x)) / beta, without overflow; x itself where beta x > threshold. Derivative: expit(beta x); 1.

    Arguments: x real; `beta` and `threshold` plain numbers. Raises ArgumentError for a beta of 0, DTypeError for
    complex numbers.

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.special.softplus)(0.0)
    tensor(0.5)
    """
    return _softplus(x, beta, threshold, _log_of_sum)


def _log_of_sum(x: Any) -> Any:
    return np.logaddexp(x, 0)


def _softplus(x: Any, beta: float, threshold: float, log_of_sum: Callable[[Any], Any]) -> Any:
    """softplus, with this function for log(1 + exp(x))."""
    refuse_complex("softplus", x)
    if beta == 0:
        raise ArgumentError("softplus: beta is a number other than 0")
    x = np.asanyarray(x)
    if x.dtype.kind != "f":
        x = x.astype(np.float64)
    scaled = x if beta == 1 else x * beta
    y = log_of_sum(scaled)
    if beta != 1:
        y = y / beta
    return y[()] if threshold == np.inf else np.where(scaled > threshold, x, y)[()]


softplus.over = lambda m: lambda x, beta=1.0, threshold=np.inf: _softplus(x, beta, threshold, m.softplus)


def _rise(xp: Any, y: Any, x: Any, beta: float, threshold: float) -> Any:
    scaled = x if beta == 1 else x * beta
    slope = xp.expit(scaled)
    return slope if threshold == np.inf else xp.where(xp.greater(scaled, threshold), 1.0, slope)


differentiate(softplus, _rise)


def _log_logistic_slope(x: Any, /) -> Any:
    refuse_complex("log_logistic_slope", x)
    size = np.abs(x)
    return -size - 2 * np.log1p(np.exp(-size))


log_logistic_slope = elementwise(
    _log_logistic_slope,
    lambda xp, y, x: -xp.tanh(0.5 * x),
    name="log_logistic_slope",
    latex=r"\ln \sigma'({0})",
    doc="The logarithm of the logistic density, -|x| - 2 log(1 + exp(-|x|)). Derivative: -tanh(x / 2).",
)


def _lse_samples() -> list[Any]:
    return [
        sample(real(4), axis=None, keepdims=False),
        sample(real(2, 3), axis=0, keepdims=False),
        sample(real(2, 3), axis=-1, keepdims=True),
        sample(real(2, 3, 2), axis=(0, 2), keepdims=False),
        sample(real(3, low=700.0, high=800.0)),
        sample(real()),
        sample(real(0, 3), axis=1),
        sample(real(1, 1), axis=1),
        sample(np.array([[-np.inf, -np.inf], [-np.inf, 1.0]]), axis=1, smooth=False),
        sample(np.array([np.inf, 1.0]), smooth=False),
    ]


def _shares_samples() -> list[Any]:
    return [sample(*s.args, axis=s.params.get("axis"), smooth=s.smooth) for s in _lse_samples()]


@general(name="logsumexp", latex=r"\ln \sum e^{{{0}}}", shape="x.shape without `axis`", samples=_lse_samples)
def lse(x: Any, /, axis: Axis = None, keepdims: bool = False) -> Any:
    """log(sum(exp(x))) over `axis`, without overflow. Its derivative is softmax(x).

    A slice of -inf gives -inf, with derivative zero; elements of +inf share a derivative of 1.
    """
    return _lse(x, axis, keepdims, np)


def _lse(x: Any, axis: Axis, keepdims: bool, m: Any) -> Any:
    """logsumexp, with the exp, log and log1p of m."""
    x = as_array(x)
    with ignoring("divide", "over", "invalid"):
        top = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
        largest = x == top
        finite = np.where(np.isfinite(top), top, 0).astype(top.dtype)
        rest = np.sum(np.where(largest, 0, m.exp(x - finite)), axis=axis, keepdims=True, dtype=top.dtype)
        ties = np.sum(largest, axis=axis, keepdims=True, dtype=top.dtype)
        # log1p keeps the digits where one element is nearly all of the sum
        y = np.where(np.isinf(top) | (ties == 0), top, m.log1p(rest / ties) + m.log(ties) + top)
    return y[()] if keepdims else np.squeeze(y, axis=axis)[()]


lse.over = lambda m: lambda x, axis=None, keepdims=False: _lse(x, axis, keepdims, m)


@general(latex=r"\operatorname{{softmax}} {0}", shape="same as x", samples=_shares_samples)
def soft_shares(x: Any, /, axis: Axis = None) -> Any:
    """The gradient of logsumexp: softmax, and its limits at infinities. Derivative: dy = y (dx - sum(y dx)).

    A slice of -inf has no shares, all are 0; elements of +inf share the 1.
    """
    return _soft_shares(x, axis, np)


def _soft_shares(x: Any, axis: Axis, m: Any) -> Any:
    """soft_shares, with the exp of m."""
    x = as_array(x)
    if x.dtype.kind != "f":
        raise DTypeError(f"soft_shares orders its numbers, which have to be real floats: got {describe(x)}")
    most = np.finfo(x.dtype).max
    x = np.minimum(x, most)
    y = m.exp(x - np.maximum.reduce(x, axis=axis, keepdims=True, initial=-most))
    return y / np.maximum(np.add.reduce(y, axis=axis, keepdims=True), 1)


soft_shares.over = lambda m: lambda x, axis=None: _soft_shares(x, axis, m)
soft_shares.vjp, soft_shares.jvp = softmax_op.vjp, softmax_op.jvp


@helper("shares_of_sum")
def shares_of_sum(xp: Any, x: Any, y: Any, axis: Axis) -> Any:
    """The derivative of y = logsumexp(x) in each element: not exp(x - y), which loses the digits of a large x."""
    return xp.exp(x - xp.kept(y, x, axis)) if x.dtype.kind == "c" else xp.soft_shares(x, axis=axis)


@lse.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    shares = xp.shares_of_sum(x, y, axis)
    return (xp.unreduce(g, x.shape, axis, keepdims) * (xp.conj(shares) if y.dtype.kind == "c" else shares),)


@lse.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, axis: Axis, keepdims: bool) -> Any:
    return xp.sum(ts[0] * xp.shares_of_sum(x, y, axis), axis=axis, keepdims=keepdims)


@named
def logsumexp(a: Any, axis: Axis = None, b: Any = None, keepdims: bool = False, return_sign: bool = False) -> Any:
    """log(sum(b exp(a))) over `axis`, without overflow.

    Arguments: `a` real; `b` weights that broadcast against `a`, of any sign. With `return_sign` the result is
    the pair (log of the magnitude, sign); without it a negative sum gives NaN.
    Derivative in a: b exp(a - y), the weighted softmax; in b: exp(a - y).

    >>> import tinygrad_math as tm
    >>> tm.grad(tm.special.logsumexp)(tm.tensor([1000.0, 1000.0]))
    tensor([0.5, 0.5])
    """
    a = as_tensor(a)
    if a.dtype.kind in "biu":
        a = rec.astype(a, np.float64)
    if b is None:
        y = rec.logsumexp(a, axis=axis, keepdims=keepdims)
        return (y, rec.where(rec.equal(y, -np.inf), rec.zeros_like(y), rec.ones_like(y))) if return_sign else y
    b = as_tensor(b)
    a = rec.broadcast_to(a, np.broadcast_shapes(a.shape, b.shape))  # b stays: a Python number has no dtype yet
    used = rec.not_equal(b, 0)  # a weight of zero removes its element, also where that is infinite
    top = rec.stop_gradient(rec.logsumexp(rec.where(used, a, -np.inf), axis=axis, keepdims=True))
    top = rec.where(rec.less(rec.abs(top), np.inf), top, 0.0)
    total = rec.sum(b * rec.exp(rec.where(used, a, 0.0) - top), axis=axis, keepdims=keepdims)
    if not keepdims:
        top = rec.reshape(top, total.shape)
    if not return_sign:
        return rec.xlogy(1.0, total) + top  # log(total), without a warning at zero
    return rec.xlogy(1.0, rec.abs(total)) + top, rec.sign(total)


@named
def softmax(x: Any, axis: Axis = None) -> Tensor:
    """exp(x) / sum(exp(x)) over `axis`, by default over all elements, without overflow.

    Derivative: dy = y (dx - sum(y dx)).

    >>> import tinygrad_math as tm
    >>> tm.special.softmax([1000.0, 1000.0])
    tensor([0.5, 0.5])
    """
    y: Tensor = rec.softmax(x, axis=axis)
    return y


@named
def log_softmax(x: Any, axis: Axis = None) -> Tensor:
    """x - logsumexp(x) over `axis`, by default over all elements. Derivative: dy = dx - sum(softmax(x) dx).

    >>> import tinygrad_math as tm
    >>> tm.round(tm.special.log_softmax([0.0, 0.0]), 4)
    tensor([-0.6931, -0.6931])
    """
    y: Tensor = rec.log_softmax(x, axis=axis)
    return y
