"""What is measured of a network on data: means over the examples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..core.errors import ArgumentError
from ..data.loader import examples
from ..nn.module import Module


def means(asker: str, model: Module, batches: Iterable[Any], measured: Callable[[Any], Mapping[str, Any]]) -> Any:
    """The means of what is measured of each batch, by name, in eval mode; each batch counts by its examples.

    The network's modes are put back. Raises ArgumentError where there is no example.
    """
    modes = [(m, m.training) for m in model.modules()]
    sums, count = dict[str, Any](), 0
    try:
        model.eval()
        for batch in batches:
            n = examples(batch)
            sums = {name: sums.get(name, 0.0) + n * value for name, value in measured(batch).items()}
            count += n
    finally:
        for m, mode in modes:
            m.training = mode
    if not count:
        raise ArgumentError(f"{asker}: there is no example in the data")
    return {name: value / count for name, value in sums.items()}
