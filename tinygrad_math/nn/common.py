"""What every family of layers asks of its arguments."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import random
from ..compiler.trace import tracing
from ..core.errors import ArgumentError, ShapeError, TraceError, describe
from ..core.mode import watcher
from ..core.tensor import TRACED, Tensor, as_tensor

Size = int | tuple[int, ...]
Sizes = tuple[int, ...]


def generator(rng: Any) -> np.random.Generator:
    """A NumPy Generator from a Generator of NumPy's or ours, or a seed; without one, the stream of `tm.random`."""
    if rng is None or isinstance(rng, random.Generator):
        source = random.shared if rng is None else rng
        if tracing() and source.made_in is not watcher():
            raise TraceError(
                "a layer is given its first values within a function that is being compiled, and a program would have "
                "what was drawn once. Make the layer outside, or give it a seed: rng=0"
            )
        return source.numpy
    return random.stream(rng)


def shaped(x: Any) -> Any:
    """x itself if it is a Tensor or an array (recording keeps it safe from later writes), else a Tensor of it."""
    return x if isinstance(x, (Tensor, np.ndarray)) else as_tensor(x)


def known(x: Any) -> bool:
    """Whether values may be looked at: not while a function is being traced."""
    return not (isinstance(x, Tensor) and x.node.live & TRACED)


def check_same_shape(name: str, a: Any, b: Any) -> None:
    """A loss never broadcasts: (n,) against (n, 1) would average n x n differences."""
    if a.shape != b.shape:
        raise ShapeError(
            f"{name}: the prediction is {describe(a)} and the target {describe(b)}; their shapes must be equal. "
            "Reshape one of them, for instance with target.reshape(prediction.shape)."
        )


def sizes(value: Any, axes: int, asker: str, name: str, least: int = 1) -> Sizes:
    """A whole number for each axis, from one for all or a tuple of them."""
    found = value if isinstance(value, (tuple, list)) else (value,) * axes
    if len(found) != axes or any(
        isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < least for k in found
    ):
        raise ArgumentError(f"{asker}: {name} is a whole number from {least} on, or {axes} of them, got {value!r:.60}")
    return tuple(int(k) for k in found)
