"""Losses of classes: labels are whole numbers, or probabilities, and none is read that is no class."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.declare import general, nondiff
from ..core.errors import ArgumentError, DTypeError, OutsideDomain, ShapeError, describe
from ..core.samples import real, sample
from ..core.tensor import Tensor, as_tensor, rec
from ..ops.reduction import mean
from .common import known, shaped
from .losses import reduced

__all__ = ["cross_entropy", "nll_loss"]

_mean: Any = mean.plain


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
    some = _some_ignored(labels, classes, ignore_index)
    safe = rec.checked_labels(labels, classes=classes, ignore_index=ignore_index)
    if len(shape) == 2:
        found = logs[np.arange(shape[0]), safe]
    else:
        found = rec.squeeze(rec.take_along_axis(logs, rec.expand_dims(safe, axis=axis), axis=axis), axis=axis)
    kept = rec.not_equal(labels, ignore_index) if some else None

    def counted(x: Any) -> Any:
        """x where the target counts, else 0, whatever the scores are there."""
        return x if kept is None else rec.where(kept, x, 0.0)

    found, share = counted(found), None if kept is None else rec.astype(kept, logs.dtype)
    if weight is not None:
        w = _class_weights(weight, classes, asker)
        share = counted(rec.take(w, safe))
        found = found * share
        logs = logs * rec.reshape(w, (-1, *(1,) * (logs.ndim - 1 - axis)))
    if smoothing:
        found = (1 - smoothing) * found + smoothing / classes * counted(rec.sum(logs, axis=axis))
    if reduction == "mean":
        if share is None:
            return -rec.mean(found)
        total = rec.checked_values(rec.sum(share), rule="not 0", asker=f"{asker}: the weight of all targets together")
        return -(rec.sum(found) / total)
    return rec.negative(rec.sum(found) if reduction == "sum" else found)


def _some_ignored(labels: Any, classes: int, ignore_index: int) -> bool:
    """Whether some labels are to be ignored, or may be."""
    if not known(labels):
        return True
    data = labels.node.data
    return not _are_classes(data, classes, ignore_index) and bool(np.any(data == ignore_index))


def _read(scores: Any, labels: Any, ignore_index: int, axis: int) -> Any:
    """The scores, 0 where the label does not count: whatever is there, a nan, has no share in slopes either."""
    if labels.shape != scores.shape[:axis] + scores.shape[axis + 1 :]:  # an error, which `_picked` tells
        return scores
    if not _some_ignored(labels, scores.shape[axis], ignore_index):
        return scores
    return rec.keep(scores, rec.expand_dims(rec.not_equal(labels, ignore_index), axis=axis))


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
    each class; `ignore_index` a label that does not count, whose scores are not read; `label_smoothing` the share,
    from 0 to 1, that goes to all classes alike. "mean" divides by the sum of the weights of the targets, or for
    probabilities by their number.
    Raises ShapeError, OutsideDomain for a label that is no class. Derivative in the scores: (softmax - target) / n.
    The slope in a score that has won keeps its digits.

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
    if not scores.shape[axis]:
        raise ShapeError(f"cross_entropy: there are no classes in {describe(scores)}")
    if labels.dtype.kind != "f":
        logs = rec.log_softmax(_read(scores, as_tensor(labels), ignore_index, axis), axis=axis)
        return _picked("cross_entropy", logs, labels, weight, ignore_index, reduction, label_smoothing)
    if labels.shape != scores.shape:
        raise ShapeError(
            f"cross_entropy: labels are whole numbers, or probabilities of the scores' shape; got {describe(labels)} "
            f"for {describe(scores)}"
        )
    logs, classes = rec.log_softmax(scores, axis=axis), scores.shape[axis]
    if label_smoothing:
        labels = labels * (1 - label_smoothing) + label_smoothing / classes
    if weight is not None:
        labels = labels * rec.reshape(
            _class_weights(weight, classes, "cross_entropy"), (-1, *(1,) * (scores.ndim - 1 - axis))
        )
    return reduced(-rec.sum(rec.multiply(labels, logs), axis=axis), reduction, "cross_entropy")
