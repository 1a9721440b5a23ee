"""A loss of sequences whose labels stand at unknown places: connectionist temporal classification."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.errors import ArgumentError, DTypeError, OutsideDomain, ShapeError, describe
from ..core.tensor import Tensor, as_tensor, rec
from ..special.logistic import logsumexp
from .common import shaped
from .criteria import LossModule

__all__ = ["ctc_loss"]


@named
def ctc_loss(
    log_probs: Any,
    targets: Any,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """Minus the log-probability of label sequences, over all ways in which blanks and repeats can stretch them.

    Arguments: `log_probs` (time, n, classes), or (time, classes); `targets` (n, length), of which the first
    `target_lengths` count, or all labels in a row; `input_lengths` the steps of each sequence. "mean" divides each loss
    by its number of labels, and averages. A sequence with too few steps has the loss inf, or 0 with `zero_infinity`.
    Raises ShapeError, DTypeError, OutsideDomain for a label that is no class, or the blank.
    Derivative in log_probs: minus the probability of each label at each step, given the sequence. PyTorch adds
    exp(log_probs) to it, which is the same behind a log_softmax. Graves, Fernández, Gomez, Schmidhuber 2006.

    >>> import numpy as np, tinygrad_math as tm
    >>> x = np.log(np.full((2, 1, 2), 0.5))
    >>> tm.exp(-tm.nn.functional.ctc_loss(x, [[1]], [2], [1])).round(12)  # of the four, 11, 01 and 10 say "1"
    tensor(0.75)
    """
    logs, single = shaped(log_probs), False
    if logs.ndim == 2:
        logs, single = rec.expand_dims(logs, axis=1), True
    if logs.ndim != 3 or not logs.shape[0] or logs.dtype.kind != "f":
        raise ShapeError(f"ctc_loss: log_probs are numbers (time, n, classes), got {describe(log_probs)}")
    steps, n, classes = logs.shape
    if not 0 <= blank < classes:
        raise OutsideDomain(f"ctc_loss: blank is one of {classes} classes, got {blank}")
    if reduction not in ("mean", "sum", "none"):
        raise ArgumentError(f"ctc_loss: reduction is 'mean', 'sum' or 'none', got {reduction!r:.40}")
    times, lengths = (_lengths(v, n, name) for v, name in ((input_lengths, "input"), (target_lengths, "target")))
    if (times > steps).any():
        raise ShapeError(f"ctc_loss: input_lengths up to {steps}, the steps of log_probs, got {times.max()}")
    labels = _labels(targets, n, lengths, blank, classes)
    losses = -_total(logs, labels, times, lengths, blank)
    if zero_infinity:
        losses = rec.where(rec.equal(losses, np.inf), 0.0, losses)
    if reduction == "none":
        return rec.reshape(losses, ()) if single else losses
    if reduction == "sum":
        return rec.sum(losses)
    if not n:
        raise ShapeError("ctc_loss: the mean of an empty batch does not exist; use reduction='sum' for 0")
    return rec.mean(losses / np.maximum(lengths, 1).astype(logs.dtype))


def _whole(value: Any, called: str) -> np.ndarray[Any, Any]:
    found = np.asarray(as_tensor(value).detach().numpy())
    if found.dtype.kind not in "iu" and found.size:
        raise DTypeError(f"ctc_loss: {called} are whole numbers, got {describe(value)}")
    return found.astype(np.int64)


def _lengths(value: Any, n: int, kind: str) -> np.ndarray[Any, Any]:
    found = _whole(value, f"{kind}_lengths").reshape(-1)
    if found.shape != (n,) or (found < 0).any():
        raise ShapeError(f"ctc_loss: {kind}_lengths are {n} numbers from 0 on, got {describe(value)}")
    return found


def _labels(targets: Any, n: int, lengths: Any, blank: int, classes: int) -> np.ndarray[Any, Any]:
    """The labels of each sequence (n, longest), filled up with blanks."""
    given, longest = _whole(targets, "targets"), int(lengths.max(initial=0))
    rows = np.full((n, longest), blank)
    counted = np.arange(longest) < lengths[:, None]
    if given.ndim == 2 and len(given) == n and given.shape[1] >= longest:
        rows[counted] = given[:, :longest][counted]
    elif given.ndim == 1 and given.size == lengths.sum():
        rows[counted] = given
    else:
        raise ShapeError(f"ctc_loss: targets (n, length), or {lengths.sum()} in a row, got {describe(targets)}")
    wrong = counted & ((rows < 0) | (rows >= classes) | (rows == blank))
    if wrong.any():
        raise OutsideDomain(f"ctc_loss: a label is one of {classes} and not the blank {blank}, got {rows[wrong][0]}")
    return rows


def _total(logs: Any, labels: Any, times: Any, lengths: Any, blank: int) -> Any:
    """The log-probability of each sequence: the sum over all ways, step by step.

    The states are the labels with a blank before, between and after them. A way stays, goes on by one state, or past
    the blank between two labels that differ.
    """
    n, count = labels.shape
    states = np.full((n, 2 * count + 1), blank)
    states[:, 1::2] = labels
    passes = np.zeros(states.shape, bool)
    passes[:, 3::2] = labels[:, 1:] != labels[:, :-1]
    here = rec.take_along_axis(logs, np.broadcast_to(states, (logs.shape[0], *states.shape)), axis=2)
    never = np.full(states.shape, -np.inf, logs.dtype)
    begins = np.arange(states.shape[1]) < 2
    ways = rec.where(begins, here[0], never)
    for t in range(1, logs.shape[0]):
        by_one = rec.concat([never[:, :1], ways[:, :-1]], axis=1)
        by_two = rec.where(passes, rec.concat([never[:, :2], ways[:, :-2]], axis=1)[:, : states.shape[1]], never)
        new = logsumexp(rec.stack([ways, by_one, by_two]), axis=0) + here[t]
        ways = rec.where(t < times[:, None], new, ways)
    ends = np.stack([2 * lengths, np.maximum(2 * lengths - 1, 0)], axis=1)
    last = rec.take_along_axis(ways, ends, axis=1)
    last = rec.where(np.stack([lengths >= 0, lengths > 0], axis=1), last, never[:, :1])
    return rec.where(times > 0, logsumexp(last, axis=1), np.where(lengths == 0, 0.0, -np.inf).astype(logs.dtype))


class CTCLoss(LossModule):
    """`functional.ctc_loss` as a module: called with log_probs, targets, input_lengths and target_lengths.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.CTCLoss()(np.log(np.full((1, 1, 2), 0.5)), [[1]], [1], [1]).round(4)
    tensor(0.6931)
    """

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__(blank=blank, reduction=reduction, zero_infinity=zero_infinity)

    def forward(  # type: ignore[override]  # it takes two more
        self, log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any
    ) -> Tensor:
        return ctc_loss(log_probs, targets, input_lengths, target_lengths, **self._given())
