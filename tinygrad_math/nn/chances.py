"""Losses of yes or no: of probabilities, and of the scores behind them, without over- or underflow."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.declare import elementwise
from ..core.errors import ShapeError, describe
from ..core.quiet import ignoring
from ..core.tensor import Tensor, rec
from ..special.scipy_rows import refuse_complex
from .common import check_same_shape, shaped
from .losses import pair, reduced

__all__ = ["binary_cross_entropy", "binary_cross_entropy_with_logits"]


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
    an a or a b that is no probability. Derivative in a: (a - b) / (a (1 - a)), in which a and 1 - a below 1e-12 count
    as 1e-12, as in PyTorch: a loss beyond 27 pulls less than its formula says; that of the scores, ..._with_logits,
    pulls as it should.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.binary_cross_entropy([0.5], [1.0])
    tensor(0.69314718)
    """
    a, b = pair("binary_cross_entropy", input, target)
    a = rec.checked_values(
        a, rule="from 0 to 1", asker="binary_cross_entropy (for scores there is ..._with_logits): a probability"
    )
    b = rec.checked_values(b, rule="from 0 to 1", asker="binary_cross_entropy: a target")
    losses = -(b * rec.bounded_log(a) + (1.0 - b) * rec.bounded_log(1.0 - a))
    return reduced(_weighted(losses, weight, "binary_cross_entropy"), reduction, "binary_cross_entropy")


@named
def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> Tensor:
    """The binary cross entropy of sigmoid(a), without over- or underflow: (1 - b) a + log(1 + exp(-a)).

    Arguments: `weight` a factor for each loss; `pos_weight` one for the part of b. Derivative in a: sigmoid(a) - b.
    It is taken as softplus(-|a|) and the rest of its line, so that it and its slope have their digits far out too.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.binary_cross_entropy_with_logits([0.0], [1.0])
    tensor(0.69314718)
    """
    a, b = pair("binary_cross_entropy_with_logits", input, target)
    above = rec.greater(a, 0)
    soft, slope = rec.softplus(rec.where(above, -a, a)), above - (1.0 * b if b.dtype.kind == "b" else b)
    if pos_weight is not None:
        part = shaped(pos_weight) * b
        soft, slope = soft * (1.0 - b + part), rec.where(above, 1.0 - b, -part)
    losses = _weighted(slope * a + soft, weight, "binary_cross_entropy_with_logits")
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
