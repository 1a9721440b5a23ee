"""Losses. None broadcasts a prediction against its target, averages nothing, or reads a label that is no class."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.declare import elementwise, general, nondiff
from ..core.errors import ArgumentError, DTypeError, OutsideDomain, ShapeError, describe
from ..core.node import NO_PARAMS
from ..core.op import raw
from ..core.quiet import ignoring
from ..core.samples import real, sample
from ..core.tensor import Tensor, as_tensor, rec, record
from ..ops.reduction import mean
from ..special.scipy_rows import refuse_complex
from .common import check_same_shape, known, shaped

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cosine_embedding_loss", "cross_entropy",
    "gaussian_nll_loss", "hinge_embedding_loss", "huber_loss", "kl_div", "l1_loss", "mean_squared_error",
    "mse_loss", "nll_loss", "poisson_nll_loss", "smooth_l1_loss",
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
    a, b = pair(asker, input, target)
    d = rec.subtract(a, b)
    size = rec.abs(d)
    return rec.where(rec.less_equal(size, delta), 0.5 * rec.square(d), delta * (size - 0.5 * delta))


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


# -- of classes -------------------------------------------------------------------------------------
@nondiff(
    shape="same as the labels",
    latex=r"{0}",
    note="raises for a label that is no class",
    samples=lambda: [sample(np.array([0, 2, 1]), classes=3, ignore_index=-100)],
)
def checked_labels(labels: Any, /, classes: int, ignore_index: int, called: str = "a label") -> Any:
    """The labels, which are numbers of classes; 0 in the place of those to be ignored. Raises OutsideDomain."""
    return _checked(labels, classes, ignore_index, called)


def _checked(labels: Any, classes: int, ignore_index: int, called: str = "a label") -> Any:
    if _are_classes(labels, classes, ignore_index):
        return labels
    ignored = labels == ignore_index
    if np.any(wrong := ((labels < 0) | (labels >= classes)) & ~ignored):
        raise OutsideDomain(
            f"{called} is one of {classes}, 0 to {classes - 1}, got {np.asarray(labels)[wrong].flat[0]}"
        )
    return np.where(ignored, 0, labels) if np.any(ignored) else labels


def _are_classes(labels: Any, classes: int, ignore_index: int) -> bool:
    """Whether all labels surely count, as they are classes and no class is to be ignored: what is quickly seen."""
    if 0 <= ignore_index < classes or not getattr(labels, "size", 0):
        return False
    return bool(labels.item(labels.argmin()) >= 0 and labels.item(labels.argmax()) < classes)


def _counted(labels: Any, classes: int, ignore_index: int, asker: str) -> tuple[Any, Any]:
    """(rows, labels) of those that count. Raises OutsideDomain for a label that is no class, or if none counts."""
    if _are_classes(labels, classes, ignore_index):
        return np.arange(len(labels)), labels
    rows = np.flatnonzero(labels != ignore_index)
    if not rows.size:
        raise OutsideDomain(f"{asker}: the weight of all targets together is not 0, got 0")
    return rows, _checked(labels[rows], classes, ignore_index)


def _few_labels() -> list[Any]:
    given: dict[str, Any] = {"ignore_index": -100, "asker": "a loss"}
    return [sample(real(3, 2), np.array(labels), **given) for labels in ([1, 0, 1], [0, -100, 1])]


@general(
    arity=2,
    latex=r"-\operatorname{{mean}}_k \, {0}_{{k, {1}_k}}",
    shape="(n, classes), (n,) -> ()",
    samples=_few_labels,
)
def mean_nll(logs: Any, labels: Any, /, ignore_index: int, asker: str) -> Any:
    """Minus the mean of logs[k, labels[k]], over the labels that count. Linear in logs.

    Raises OutsideDomain for a label that is no class, or if none counts.
    """
    return -_mean(logs[_counted(labels, logs.shape[1], ignore_index, asker)])


@mean_nll.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, logs: Any, labels: Any, ignore_index: int, asker: str) -> Any:
    return g * xp.mean_nll_slopes(
        labels, classes=logs.shape[1], ignore_index=ignore_index, asker=asker, dtype=y.dtype.char
    ), None


@mean_nll.defjvp
def _(xp: Any, ts: Any, y: Any, logs: Any, labels: Any, ignore_index: int, asker: str) -> Any:
    return xp.mean_nll(ts[0], labels, ignore_index=ignore_index, asker=asker)


@nondiff(
    latex=r"\nabla \operatorname{{nll}}({0})",
    shape="(n,) -> (n, classes)",
    samples=lambda: [sample(np.array([0, -100, 1]), classes=2, ignore_index=-100, asker="a loss", dtype="d")],
)
def mean_nll_slopes(labels: Any, /, classes: int, ignore_index: int, asker: str, dtype: str) -> Any:
    """The derivative of `mean_nll` in logs: minus one over their number at the labels that count, 0 elsewhere."""
    slopes = np.zeros((len(labels), classes), dtype)
    rows, columns = _counted(labels, classes, ignore_index, asker)
    slopes[rows, columns] = -1 / len(rows)
    return slopes


def _class_weights(weight: Any, classes: int, asker: str) -> Any:
    w = shaped(weight)
    if w.shape != (classes,):
        raise ShapeError(f"{asker}: a weight for each of {classes} classes, got {describe(w)}")
    return w


@named
def nll_loss(input: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> Tensor:
    """Minus the log-probability of the right class, from log-probabilities (n, classes, ...) or (classes,).

    Arguments: `target` whole numbers (n, ...), the classes; `weight` one for each class; targets equal to
    `ignore_index` do not count. "mean" divides by the sum of the weights of the targets. Raises ShapeError,
    OutsideDomain for a label that is no class, DTypeError for labels that are no whole numbers.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.nll_loss([[-0.5, -2.0]], [1])
    tensor(2.)
    """
    return _picked("nll_loss", shaped(input), target, weight, ignore_index, reduction, 0.0)


def _picked(
    asker: str, logs: Any, target: Any, weight: Any, ignore_index: int, reduction: str, smoothing: float
) -> Tensor:
    labels = as_tensor(target)
    shape = logs.shape
    axis = 0 if len(shape) == 1 else 1
    if not shape or labels.shape != shape[:axis] + shape[axis + 1 :]:
        raise ShapeError(
            f"{asker}: scores (n, classes, ...) go with labels (n, ...), got {describe(logs)} and {describe(labels)}"
        )
    if labels.dtype.kind not in "iu":
        raise DTypeError(f"{asker}: labels are whole numbers, the classes; got {describe(labels)}; use astype(int)")
    if reduction not in ("mean", "sum", "none"):
        raise ArgumentError(f"{asker}: reduction is 'mean' or 'sum' or 'none', got {reduction!r:.40}")
    if reduction == "mean" and not labels.size:
        raise ShapeError(
            f"{asker}: the mean of an empty batch, {describe(logs)}, does not exist; use reduction='sum' for 0"
        )
    if reduction == "mean" and weight is None and not smoothing and len(shape) == 2:  # nearly always
        return rec.mean_nll(logs, labels, ignore_index=ignore_index, asker=asker)
    classes = shape[axis]
    some = not known(labels)  # are to be ignored, or may be
    if not some and not _are_classes(labels.node.data, classes, ignore_index):
        some = bool(np.any(labels.node.data == ignore_index))
    safe = rec.checked_labels(labels, classes=classes, ignore_index=ignore_index)
    if len(shape) == 2:
        found = logs[np.arange(shape[0]), safe]
    else:
        found = rec.squeeze(rec.take_along_axis(logs, rec.expand_dims(safe, axis=axis), axis=axis), axis=axis)
    share: Any = None  # how much each target counts
    if weight is not None:
        w = _class_weights(weight, classes, asker)
        share = rec.take(w, safe)
        logs = logs * rec.reshape(w, (-1, *(1,) * (logs.ndim - 1 - axis)))
    if some:
        kept = rec.astype(rec.not_equal(labels, ignore_index), logs.dtype)
        share = kept if share is None else share * kept
    if smoothing:
        rest = rec.sum(logs, axis=axis)
        rest = rest * kept if some else rest
        found = (1 - smoothing) * (found if share is None else found * share) + smoothing / classes * rest
    elif share is not None:
        found = found * share
    if reduction == "mean":
        if share is None:
            return -rec.mean(found)
        total = rec.checked_values(rec.sum(share), rule="not 0", asker=f"{asker}: the weight of all targets together")
        return -(rec.sum(found) / total)
    return rec.negative(rec.sum(found) if reduction == "sum" else found)


@named
def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Minus the log of the softmax's probability of the right class, from scores (n, classes, ...) or (classes,).

    Arguments: `target` whole numbers (n, ...), the classes, or probabilities of the scores' shape; `weight` one for
    each class; `ignore_index` a label that does not count; `label_smoothing` the share, from 0 to 1, that goes to all
    classes alike. "mean" divides by the sum of the weights of the targets, or for probabilities by their number.
    Raises ShapeError, OutsideDomain for a label that is no class. Derivative in the scores: (softmax - target) / n.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.cross_entropy([[0.0, 0.0]], [1])
    tensor(0.69314718)
    """
    scores, labels = shaped(input), shaped(target)
    if not 0 <= label_smoothing <= 1:
        raise ArgumentError(f"cross_entropy: label_smoothing is a share from 0 to 1, got {label_smoothing!r:.40}")
    if not scores.ndim or scores.dtype.kind != "f":
        raise ShapeError(f"cross_entropy: scores are real (n, classes, ...) or (classes,), got {describe(scores)}")
    axis = 0 if scores.ndim == 1 else 1
    logs = rec.log_softmax(scores, axis=axis)
    if labels.dtype.kind != "f":
        return _picked("cross_entropy", logs, labels, weight, ignore_index, reduction, label_smoothing)
    if labels.shape != scores.shape:
        raise ShapeError(
            f"cross_entropy: labels are whole numbers, or probabilities of the scores' shape; got {describe(labels)} "
            f"for {describe(scores)}"
        )
    classes = scores.shape[axis]
    if label_smoothing:
        labels = labels * (1 - label_smoothing) + label_smoothing / classes
    if weight is not None:
        labels = labels * rec.reshape(
            _class_weights(weight, classes, "cross_entropy"), (-1, *(1,) * (scores.ndim - 1 - axis))
        )
    return reduced(-rec.sum(rec.multiply(labels, logs), axis=axis), reduction, "cross_entropy")


def _bounded_log(x: Any) -> Any:
    refuse_complex("bounded_log", x)
    with ignoring("divide"):
        return np.maximum(np.log(x), -100.0)


bounded_log = elementwise(
    _bounded_log,
    lambda xp, y, x: 1 / xp.maximum(x, 1e-12),
    name="bounded_log",
    latex=r"\max(\ln {0}, -100)",
    note="derivative 1 / max(x, 1e-12)",
    domain=(0.1, 2.0),
    doc="log(x), but at least -100, so that a probability of 0 costs much and not infinitely much.",
)


@named
def binary_cross_entropy(input: Any, target: Any, weight: Any = None, reduction: str = "mean") -> Tensor:
    """-(b log a + (1 - b) log(1 - a)) for probabilities a; logarithms are kept above -100, as in PyTorch.

    Arguments: `weight` a factor for each loss, of a shape that broadcasts to it. Raises ShapeError, OutsideDomain for
    an a that is no probability. Derivative in a: (a - b) / (a (1 - a)), in which a and 1 - a below 1e-12 count as
    1e-12, as in PyTorch: a loss beyond 27 pulls less than its formula says; that of the scores, ..._with_logits, pulls
    as it should.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.binary_cross_entropy([0.5], [1.0])
    tensor(0.69314718)
    """
    a, b = pair("binary_cross_entropy", input, target)
    a = rec.checked_values(
        a, rule="from 0 to 1", asker="binary_cross_entropy (for scores there is ..._with_logits): a probability"
    )
    losses = -(b * rec.bounded_log(a) + (1.0 - b) * rec.bounded_log(1.0 - a))
    return reduced(_weighted(losses, weight, "binary_cross_entropy"), reduction, "binary_cross_entropy")


@named
def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> Tensor:
    """The binary cross entropy of sigmoid(a), without over- or underflow: (1 - b) a + log(1 + exp(-a)).

    Arguments: `weight` a factor for each loss; `pos_weight` one for the part of b. Derivative in a: sigmoid(a) - b.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.binary_cross_entropy_with_logits([0.0], [1.0])
    tensor(0.69314718)
    """
    a, b = pair("binary_cross_entropy_with_logits", input, target)
    soft = rec.softplus(-a)
    if pos_weight is not None:
        soft = soft * (1.0 + (shaped(pos_weight) - 1.0) * b)
    losses = _weighted((1.0 - b) * a + soft, weight, "binary_cross_entropy_with_logits")
    check_same_shape("binary_cross_entropy_with_logits", losses, a)
    return reduced(losses, reduction, "binary_cross_entropy_with_logits")


def _weighted(losses: Any, weight: Any, asker: str) -> Any:
    if weight is None:
        return losses
    weighted = losses * shaped(weight)
    if weighted.shape != losses.shape:
        raise ShapeError(
            f"{asker}: weight {describe(shaped(weight))} does not broadcast to the losses {describe(losses)}"
        )
    return weighted


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
    losses = rec.exp(b) * (b - a) if log_target else rec.xlogy(b, b) - b * a
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
