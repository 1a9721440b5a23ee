"""Losses of numbers. None broadcasts a prediction against its target, or averages nothing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.declare import general
from ..core.errors import ArgumentError, DTypeError, OutsideDomain, ShapeError, describe
from ..core.node import NO_PARAMS
from ..core.op import raw
from ..core.samples import real, sample
from ..core.tensor import Tensor, rec, record
from ..ops.reduction import mean
from ..special.scipy_rows import refuse_complex
from .common import as_precise, check_same_shape, shaped

__all__ = [
    "cosine_embedding_loss", "gaussian_nll_loss", "hinge_embedding_loss", "huber_loss", "kl_div", "l1_loss",
    "mean_squared_error", "mse_loss", "poisson_nll_loss", "smooth_l1_loss",
]  # fmt: skip

_mean: Any = mean.plain


def reduced(losses: Any, reduction: str, asker: str, allowed: tuple[str, ...] = ("mean", "sum", "none")) -> Tensor:
    """The mean or the sum of losses, or the losses themselves."""
    if reduction not in allowed:
        raise ArgumentError(f"{asker}: reduction is {' or '.join(map(repr, allowed))}, got {reduction!r:.40}")
    if reduction == "none":
        return losses
    if not losses.size and reduction != "sum":
        raise ShapeError(
            f"{asker}: the mean of an empty batch, {describe(losses)}, does not exist; use reduction='sum' for 0"
        )
    if reduction == "batchmean":
        return rec.sum(losses) / losses.shape[0]
    return rec.sum(losses) if reduction == "sum" else rec.mean(losses)


def above_zero(x: Any) -> Any:
    """max(x, 0), whose derivative at 0 is 1, as PyTorch's losses with a margin have it (and `clip`)."""
    return rec.clip(x, 0.0, np.inf)


def pair(asker: str, prediction: Any, target: Any) -> tuple[Any, Any]:
    x = prediction.node.data if isinstance(prediction, Tensor) else prediction
    y = target.node.data if isinstance(target, Tensor) else target
    if x.__class__ is y.__class__ is np.ndarray and x.shape == y.shape and x.dtype.kind == y.dtype.kind == "f":
        return prediction, target  # nearly always
    a, b = shaped(prediction), shaped(target)
    check_same_shape(asker, a, b)
    if a.dtype.kind == "c" or b.dtype.kind == "c":
        raise DTypeError(f"{asker} needs real numbers, got {describe(a)} and {describe(b)}; take the real part first")
    return a, b


def _keeps(rule: str, x: Any) -> Any:
    """Where a rule holds."""
    if rule == "not negative":
        return ~(x < 0)
    if rule == "from 0 to 1":
        return (x >= 0) & (x <= 1)
    return x != 0 if rule == "not 0" else np.abs(x) == 1


@general(
    shape="same as x",
    latex=r"{0}",
    note="raises for a value that breaks the rule",
    samples=lambda: [sample(np.array([0.25, 0.75]), rule="from 0 to 1", asker="a probability")],
)
def checked_values(x: Any, /, rule: str, asker: str) -> Any:
    """x, which keeps a rule, also where a compiled function finds its values. Raises OutsideDomain."""
    if isinstance(x, np.floating) and _keeps(rule, x):
        return x
    refuse_complex(asker, x)
    if np.any(wrong := ~_keeps(rule, x)):
        raise OutsideDomain(f"{asker} is {rule}, got {np.asarray(x)[wrong].flat[0]:g}")
    return x


@checked_values.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any, rule: str, asker: str) -> Any:
    return (g,)


@checked_values.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, rule: str, asker: str) -> Any:
    return ts[0]


# -- of numbers -------------------------------------------------------------------------------------
@general(
    arity=2,
    latex=r"\tfrac{{1}}{{n}} \lVert {0} - {1} \rVert^2",
    shape="the same two shapes -> ()",
    samples=lambda: [sample(real(4, 2), real(4, 2, key=1)), sample(real(3), real(3)), sample(real(), real(key=1))],
)
def mean_squared_error(prediction: Any, target: Any, /) -> Any:
    """The mean of (prediction - target)^2. Derivative: 2 (prediction - target) / n.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.mean_squared_error([1.0, 2.0], [0.0, 0.0])
    tensor(2.5)
    """
    d = np.subtract(prediction, target)
    if not d.ndim:
        return d * d
    if d.dtype.char == "e":  # whose squares overflow
        return raw.mean(np.square(d, dtype=np.float32)).astype(d.dtype)
    n = d.size
    if n > 1024:  # pairwise, as BLAS does not add
        return raw.mean(d * d)
    if not n:
        raise ShapeError(f"mse_loss: the mean of an empty batch, {describe(d)}, does not exist; use reduction='sum'")
    row = d.ravel()
    return row.dot(row) / n


@mean_squared_error.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, b: Any) -> Any:
    d, kind = a - b, y.dtype.char
    if kind in "FDG":
        d = xp.conj(d)
    elif kind == "e":  # which hardly holds 1 / n
        d, g = xp.astype(d, np.float32), xp.astype(g, np.float32)
    ga = d * (g * (2.0 / (a.size if hasattr(a, "size") else 1)))
    return ga if need[0] else None, -ga if need[1] else None


@mean_squared_error.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, b: Any) -> Any:
    ta, tb = ts
    t = -tb if ta is None else ta if tb is None else ta - tb
    d = a - b
    return xp.mean((xp.astype(d, np.float32) if y.dtype.char == "e" else d) * t) * 2.0


@named
def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """The squared error of two arrays of one shape: its mean, its sum, or (reduction="none") each element's.

    Raises ShapeError if the shapes differ, DTypeError for complex numbers. Derivative: 2 (a - b) / n.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.mse_loss(tm.tensor([1.0, 2.0]), tm.tensor([0.0, 0.0]))
    tensor(2.5)
    """
    a, b = pair("mse_loss", input, target)
    if reduction == "mean":
        return record(mean_squared_error, (a, b), NO_PARAMS)
    if reduction not in ("sum", "none"):
        raise ArgumentError(f"mse_loss: reduction is 'mean', 'sum' or 'none', got {reduction!r}")
    squares = rec.square(rec.subtract(a, b))
    return rec.sum(squares) if reduction == "sum" else squares


@named
def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """|a - b|: mean, sum or each. Raises ShapeError if the shapes differ. Derivative: sign(a - b) / n, 0 where equal.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.l1_loss([1.0, 2.0], [0.0, 4.0])
    tensor(1.5)
    """
    a, b = pair("l1_loss", input, target)
    return reduced(rec.abs(rec.subtract(a, b)), reduction, "l1_loss")


@named
def smooth_l1_loss(input: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """(a - b)^2 / (2 beta) where |a - b| < beta, else |a - b| - beta / 2; for beta = 0 the l1_loss.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.smooth_l1_loss([0.5, 3.0], [0.0, 0.0], reduction="none")
    tensor([0.125, 2.5  ])
    """
    if not beta >= 0:
        raise ArgumentError(f"smooth_l1_loss: beta is a number from 0 on, got {beta!r:.40}")
    if beta == 0:
        return l1_loss(input, target, reduction)
    return reduced(_huber("smooth_l1_loss", input, target, beta) / beta, reduction, "smooth_l1_loss")


@named
def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    """(a - b)^2 / 2 where |a - b| <= delta, else delta (|a - b| - delta / 2). Huber 1964.

    Derivative: a - b, at most delta in size.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.huber_loss([0.5, 3.0], [0.0, 0.0], reduction="none")
    tensor([0.125, 2.5  ])
    """
    if not delta > 0:
        raise ArgumentError(f"huber_loss: delta is a number above 0, got {delta!r:.40}")
    return reduced(_huber("huber_loss", input, target, delta), reduction, "huber_loss")


def _huber(asker: str, input: Any, target: Any, delta: float) -> Any:
    """Huber's loss, whose square is of what is within delta: of an endless error there is none that could be NaN."""
    d = rec.subtract(*pair(asker, input, target))
    near = rec.clip(d, -delta, delta)
    return near * (d - 0.5 * near)


@named
def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Tensor:
    """(log v + (a - b)^2 / v) / 2 with v = max(var, eps), plus log(2 pi) / 2 if `full`. Nix and Weigend 1994.

    Arguments: `var` of the same shape as the prediction, or with a last axis of 1, or without it. The bound eps does
    not stop the gradient of var. Raises ShapeError, OutsideDomain for a negative variance.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.gaussian_nll_loss([1.0], [0.0], [1.0])
    tensor(0.5)
    """
    a, b = pair("gaussian_nll_loss", input, target)
    v = shaped(var)
    if v.shape == a.shape[:-1] and a.ndim:
        v = rec.expand_dims(v, axis=-1)
    if v.shape not in (a.shape, (*a.shape[:-1], 1)):
        raise ShapeError(f"gaussian_nll_loss: var {describe(v)} belongs to no prediction of shape {a.shape}")
    v = rec.checked_values(v, rule="not negative", asker="gaussian_nll_loss: a variance")
    if not eps > 0:
        raise ArgumentError(f"gaussian_nll_loss: eps is a number above 0, got {eps!r:.40}")
    v = v + rec.stop_gradient(rec.maximum(v, eps) - v)
    losses = 0.5 * (rec.log(v) + rec.square(rec.subtract(a, b)) / v)
    return reduced(losses + 0.5 * math.log(2 * math.pi) if full else losses, reduction, "gaussian_nll_loss")


@named
def poisson_nll_loss(
    input: Any, target: Any, log_input: bool = True, full: bool = False, eps: float = 1e-8, reduction: str = "mean"
) -> Tensor:
    """exp(a) - b a, or without `log_input` a - b log(a + eps); `full` adds Stirling's log b! where b > 1.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.poisson_nll_loss([0.0], [2.0])
    tensor(1.)
    """
    a, b = pair("poisson_nll_loss", input, target)
    losses = rec.exp(a) - b * a if log_input else a - b * rec.log(a + eps)
    if full:
        large = rec.where(rec.greater(b, 1), b, 2.0)
        stirling = large * rec.log(large) - large + 0.5 * rec.log(2 * math.pi * large)
        losses = losses + rec.where(rec.greater(b, 1), stirling, 0.0)
    return reduced(losses, reduction, "poisson_nll_loss")


@named
def kl_div(input: Any, target: Any, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """b (log b - a) for log-probabilities a and probabilities b (log-probabilities too with `log_target`).

    "batchmean" divides by the first length, which makes it the divergence; "mean" by the number of elements.
    Derivative in a: -b. Kullback and Leibler 1951.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.kl_div([[0.0]], [[1.0]], reduction="batchmean")
    tensor(0.)
    """
    a, b = pair("kl_div", input, target)
    losses = rec.exp(b) * (b - a) if log_target else as_precise(rec.xlogy(b, b), b) - b * a
    return reduced(losses, reduction, "kl_div", ("mean", "sum", "none", "batchmean"))


@named
def hinge_embedding_loss(input: Any, target: Any, margin: float = 1.0, reduction: str = "mean") -> Tensor:
    """a where b = 1, max(0, margin - a) where b = -1. Derivative: 1, or -1 up to the margin.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.hinge_embedding_loss([0.5, 0.25], [1, -1], reduction="none")
    tensor([0.5 , 0.75])
    """
    a, b = pair("hinge_embedding_loss", input, target)
    b = rec.checked_values(b, rule="1 or -1", asker="hinge_embedding_loss: a target")
    return reduced(rec.where(rec.equal(b, 1), a, above_zero(margin - a)), reduction, "hinge_embedding_loss")


@named
def cosine_embedding_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: str = "mean"
) -> Tensor:
    """1 - cos where b = 1, max(0, cos - margin) where b = -1, for the angle between rows of x (n, d) and y (n, d).

    The cosine is x'y / sqrt((x'x + eps) (y'y + eps)) with eps = 1e-12, as in PyTorch. Targets (n,).

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.cosine_embedding_loss([[1.0, 0.0]], [[1.0, 1.0]], [1])
    tensor(0.29289322)
    """
    x, y = pair("cosine_embedding_loss", input1, input2)
    b = shaped(target)
    if x.ndim not in (1, 2) or b.shape != x.shape[:-1]:
        raise ShapeError(
            f"cosine_embedding_loss: rows (n, d) go with targets (n,), got {describe(x)} and {describe(b)}"
        )
    b = rec.checked_values(b, rule="1 or -1", asker="cosine_embedding_loss: a target")
    squares = (rec.sum(rec.square(x), axis=-1) + 1e-12) * (rec.sum(rec.square(y), axis=-1) + 1e-12)
    cos = rec.sum(rec.multiply(x, y), axis=-1) / rec.sqrt(squares)
    losses = rec.where(rec.equal(b, 1), 1.0 - cos, above_zero(cos - margin))
    return reduced(losses, reduction, "cosine_embedding_loss")
