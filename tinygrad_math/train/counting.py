"""What a batch counts in the mean loss of many: not always its examples."""

from __future__ import annotations

import functools
import inspect
from typing import Any

import numpy as np

from ..core.tensor import as_tensor
from ..nn import functional
from ..nn.criteria import LossModule


def counts(loss: Any, batch: Any, examples: int) -> float:
    """What the loss of a batch was divided by: its examples, or the weights of those targets that the loss counts."""
    parts = tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)
    options = options_of(loss)
    if len(parts) < 2 or "ignore_index" not in options:
        return examples
    labels = np.asarray(as_tensor(parts[1]).node.data)
    if labels.dtype.kind not in "iu":  # shares of classes, whose number it is
        return examples
    labels = labels[labels != options["ignore_index"]]
    if options["weight"] is None:
        return float(labels.size)
    weights = np.ravel(as_tensor(options["weight"]).detach().numpy()).astype(float)
    return float(np.take(weights, labels, mode="clip").sum())  # of a label that is no class the loss will tell


def options_of(loss: Any) -> dict[str, Any]:
    """What a loss of ours was given, as a module or by functools.partial, where that can be seen."""
    if isinstance(loss, LossModule):
        return loss._given()
    options: dict[str, Any] = {}
    function = loss
    while isinstance(function, functools.partial):
        options, function = {**function.keywords, **options}, function.func
    ours = getattr(functional, getattr(function, "__name__", ""), None)
    if ours is None or ours is not function:
        return {}
    usual = {n: p.default for n, p in inspect.signature(ours).parameters.items() if p.default is not p.empty}
    return {**usual, **options}
