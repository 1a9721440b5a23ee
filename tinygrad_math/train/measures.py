"""What is measured of a network on data: means over the examples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..core.errors import ArgumentError
from ..data.loader import examples
from ..nn.module import Module
from .counting import counts
from .placed import Loss


def means(
    asker: str, model: Module, loss: Loss, batches: Iterable[Any], measured: Callable[[Any], Mapping[str, Any]]
) -> Any:
    """The means of what is measured of each batch, by name, in eval mode.

    Each batch counts by its examples, and its "loss" by what that was divided by (see `counts`), so that the means do
    not depend on how the examples are cut into batches. The network's modes are put back. Raises ArgumentError where
    there is no example.
    """
    modes = [(m, m.training) for m in model.modules()]
    sums, count, share = dict[str, Any](), 0, 0.0
    try:
        model.eval()
        for batch in batches:
            n = examples(batch)
            found = dict(measured(batch))
            weight = counts(loss, batch, n)
            sums = {k: sums.get(k, 0.0) + (weight if k == "loss" else n) * value for k, value in found.items()}
            count, share = count + n, share + weight
    finally:
        for m, mode in modes:
            m.training = mode
    if not count:
        raise ArgumentError(f"{asker}: there is no example in the data")
    return {name: value / (share if name == "loss" else count) for name, value in sums.items()}
