"""Losses with a margin: of rankings, triplets, signs, and several labels at once; functions and modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.errors import ArgumentError, DTypeError, ShapeError, describe
from ..core.tensor import Tensor, as_tensor, rec
from .common import check_same_shape, shaped
from .criteria import LossModule
from .labels import checked_labels
from .losses import above_zero, pair, reduced
from .module import Module
from .similarity import pairwise_distance

__all__ = [
    "margin_ranking_loss", "multi_margin_loss", "multilabel_soft_margin_loss", "soft_margin_loss",
    "triplet_margin_loss", "triplet_margin_with_distance_loss",
]  # fmt: skip

Distance = Callable[[Any, Any], Any]


def _signs(asker: str, target: Any) -> Any:
    return rec.checked_values(shaped(target), rule="1 or -1", asker=f"{asker}: a target")


def _margin(margin: Any, asker: str) -> float:
    if isinstance(margin, bool) or not isinstance(margin, (int, float, np.number)) or not margin > 0:
        raise ArgumentError(f"{asker}: margin is a number above 0, got {margin!r:.40}")
    return float(margin)


@named
def margin_ranking_loss(input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: str = "mean") -> Tensor:
    """max(0, margin - y (a - b)): a is to be larger where y = 1, b where y = -1.

    Raises ShapeError unless all three are of one shape, OutsideDomain for another y. Derivative in a: -y or 0; -y where
    the loss is just 0, as in PyTorch.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.margin_ranking_loss([1.0, 1.0], [0.5, 3.0], [1, 1], margin=1.0, reduction="none")
    tensor([0.5, 3. ])
    """
    asker = "margin_ranking_loss"
    a, b = pair(asker, input1, input2)
    y = _signs(asker, target)
    check_same_shape(asker, a, y)
    return reduced(above_zero(margin - y * (a - b)), reduction, asker)


@named
def soft_margin_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """log(1 + exp(-y a)) for y = 1 or -1, without overflow. Derivative in a: -y sigmoid(-y a).

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.soft_margin_loss([0.0, -1000.0], [1, 1], reduction="none")
    tensor([6.93147181e-01, 1.00000000e+03])
    """
    asker = "soft_margin_loss"
    a, y = pair(asker, input, target)
    return reduced(rec.softplus(-_signs(asker, y) * a), reduction, asker)


@named
def multilabel_soft_margin_loss(input: Any, target: Any, weight: Any = None, reduction: str = "mean") -> Tensor:
    """The binary cross entropy of sigmoid(a), averaged over the labels (the last axis); targets 0 or 1.

    Arguments: `weight` one for each label. Derivative in a: (sigmoid(a) - y) / labels.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.multilabel_soft_margin_loss([[0.0, 0.0]], [[1, 0]])
    tensor(0.69314718)
    """
    asker = "multilabel_soft_margin_loss"
    a, y = pair(asker, input, target)
    if not a.ndim or not a.shape[-1]:
        raise ShapeError(f"{asker}: the labels are the last axis, got {describe(a)}")
    losses = (1.0 - y) * a + rec.softplus(-a)
    if weight is not None:
        w = shaped(weight)
        if w.shape not in ((), a.shape[-1:]):
            raise ShapeError(f"{asker}: a weight for each of {a.shape[-1]} labels, got {describe(w)}")
        losses = losses * w
    return reduced(rec.mean(losses, axis=-1), reduction, asker)


@named
def multi_margin_loss(
    input: Any, target: Any, p: int = 1, margin: float = 1.0, weight: Any = None, reduction: str = "mean"
) -> Tensor:
    """The mean over the classes i other than the right one of w max(0, margin - a[right] + a[i])^p.

    The mean divides by the number of all classes. Arguments: scores (n, classes) or (classes,), `target` whole numbers
    (n,) or (), the right classes; `p` 1 or 2; `weight` one for each class, that of the right one counts. Raises
    ShapeError, OutsideDomain, ArgumentError. Derivative: piecewise linear for p = 1. Crammer and Singer 2001.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.multi_margin_loss([[0.1, 0.2, 0.4, 0.8]], [3])
    tensor(0.325)
    """
    asker = "multi_margin_loss"
    if p not in (1, 2):
        raise ArgumentError(f"{asker}: p is 1 or 2, got {p!r:.40}")
    a, labels = shaped(input), as_tensor(target)
    if a.ndim not in (1, 2) or labels.shape != a.shape[:-1] or not a.shape[-1]:
        raise ShapeError(f"{asker}: scores (n, classes) go with labels (n,), got {describe(a)} and {describe(labels)}")
    if labels.dtype.kind not in "iu":
        raise DTypeError(f"{asker}: labels are whole numbers, the classes; got {describe(labels)}; use astype(int)")
    classes = a.shape[-1]
    labels = rec.expand_dims(checked_labels(labels, classes=classes, ignore_index=-(2**62)), axis=-1)
    gap = margin - rec.take_along_axis(a, labels, axis=-1) + a
    over = rec.where(rec.less_equal(gap, 0.0), 0.0, gap)
    over = rec.where(rec.equal(np.arange(classes), labels), 0.0, rec.square(over) if p == 2 else over)
    if weight is not None:
        w = shaped(weight)
        if w.shape != (classes,):
            raise ShapeError(f"{asker}: a weight for each of {classes} classes, got {describe(w)}")
        over = over * rec.take(w, labels)
    return reduced(rec.sum(over, axis=-1) / classes, reduction, asker)


def _triplet(
    asker: str, distance: Distance, rows: tuple[Any, Any, Any], margin: Any, swap: bool, reduction: str
) -> Any:
    margin = _margin(margin, asker)
    anchor, positive, negative = map(shaped, rows)
    check_same_shape(asker, anchor, positive)
    check_same_shape(asker, anchor, negative)
    far = distance(anchor, negative)
    if swap:
        far = rec.minimum(far, distance(positive, negative))
    return reduced(above_zero(margin + distance(anchor, positive) - far), reduction, asker)


@named
def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """max(0, margin + |a - p| - |a - n|): rows that belong together are to be nearer than those that do not.

    Arguments: rows (n, d) or (d,), all of one shape; `p`, `eps` as for `pairwise_distance`; `swap` takes |p - n| where
    that is smaller than |a - n|. Raises ShapeError, ArgumentError for a margin that is not above 0. Derivative: of the
    distances. Balntas et al. 2016.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.triplet_margin_loss([[0.0, 0.0]], [[3.0, 4.0]], [[0.0, 2.0]], eps=0.0)
    tensor(4.)
    """

    def distance(x: Any, y: Any) -> Any:
        return pairwise_distance(x, y, p, eps)

    return _triplet("triplet_margin_loss", distance, (anchor, positive, negative), margin, swap, reduction)


@named
def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Distance | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """`triplet_margin_loss` with another distance: a function of two arrays; without one `pairwise_distance`.

    >>> import tinygrad_math as tm
    >>> city = lambda x, y: abs(x - y).sum(-1)
    >>> tm.nn.functional.triplet_margin_with_distance_loss(
    ...     tm.tensor([[0.0, 0.0]]), tm.tensor([[3.0, 4.0]]), tm.tensor([[0.0, 2.0]]), distance_function=city
    ... )
    tensor(6.)
    """
    asker, rows = "triplet_margin_with_distance_loss", (anchor, positive, negative)
    return _triplet(asker, distance_function or pairwise_distance, rows, margin, swap, reduction)


# -- modules ----------------------------------------------------------------------------------------
class MarginRankingLoss(LossModule):
    """`functional.margin_ranking_loss` as a module: called with two arrays, and 1 or -1 for each pair.

    >>> import tinygrad_math as tm
    >>> tm.nn.MarginRankingLoss(margin=1.0)([1.0], [0.5], [1])
    tensor(0.5)
    """

    def __init__(self, margin: float = 0.0, reduction: str = "mean") -> None:
        super().__init__(margin=margin, reduction=reduction)

    def forward(self, input1: Any, input2: Any, target: Any) -> Tensor:  # type: ignore[override]  # it takes one more
        return margin_ranking_loss(input1, input2, target, **self._given())


class SoftMarginLoss(LossModule):
    """`functional.soft_margin_loss` as a module.

    >>> import tinygrad_math as tm
    >>> tm.nn.SoftMarginLoss()([0.0], [1])
    tensor(0.69314718)
    """

    function = staticmethod(soft_margin_loss)

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)


class MultiLabelSoftMarginLoss(LossModule):
    """`functional.multilabel_soft_margin_loss` as a module.

    >>> import tinygrad_math as tm
    >>> tm.nn.MultiLabelSoftMarginLoss()([[0.0, 0.0]], [[1, 0]])
    tensor(0.69314718)
    """

    function = staticmethod(multilabel_soft_margin_loss)

    def __init__(self, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(weight=weight, reduction=reduction)


class MultiMarginLoss(LossModule):
    """`functional.multi_margin_loss` as a module.

    >>> import tinygrad_math as tm
    >>> tm.nn.MultiMarginLoss()([[0.1, 0.2, 0.4, 0.8]], [3])
    tensor(0.325)
    """

    function = staticmethod(multi_margin_loss)

    def __init__(self, p: int = 1, margin: float = 1.0, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(p=p, margin=margin, weight=weight, reduction=reduction)


class TripletMarginLoss(LossModule):
    """`functional.triplet_margin_loss` as a module: called with anchors, positives and negatives.

    >>> import tinygrad_math as tm
    >>> tm.nn.TripletMarginLoss(eps=0.0)([[0.0, 0.0]], [[3.0, 4.0]], [[0.0, 2.0]])
    tensor(4.)
    """

    def __init__(
        self, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False, reduction: str = "mean"
    ) -> None:
        super().__init__(margin=_margin(margin, "TripletMarginLoss"), p=p, eps=eps, swap=swap, reduction=reduction)

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Tensor:  # type: ignore[override]  # it takes one more
        return triplet_margin_loss(anchor, positive, negative, **self._given())


class TripletMarginWithDistanceLoss(Module):
    """`functional.triplet_margin_with_distance_loss` as a module: called with anchors, positives and negatives.

    >>> import tinygrad_math as tm
    >>> loss = tm.nn.TripletMarginWithDistanceLoss(distance_function=lambda x, y: ((x - y) ** 2).sum(-1))
    >>> loss(tm.tensor([[0.0, 0.0]]), tm.tensor([[3.0, 4.0]]), tm.tensor([[0.0, 2.0]]))
    tensor(22.)
    """

    def __init__(
        self,
        *,
        distance_function: Distance | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        self.distance_function, self.margin = distance_function, _margin(margin, "TripletMarginWithDistanceLoss")
        self.swap, self.reduction = swap, reduction

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Tensor:
        return triplet_margin_with_distance_loss(
            anchor, positive, negative, distance_function=self.distance_function, margin=self.margin, swap=self.swap,
            reduction=self.reduction,
        )  # fmt: skip
