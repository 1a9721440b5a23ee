"""What every family of layers asks of its arguments."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import random
from ..core.errors import ArgumentError, ShapeError, describe
from ..core.tensor import TRACED, Tensor, as_tensor, rec, record

Size = int | tuple[int, ...]
Sizes = tuple[int, ...]


def generator(rng: Any) -> np.random.Generator:
    """A NumPy Generator from a Generator of NumPy's or ours, or a seed; without one, the stream of `tm.random`."""
    return random.source(rng, "a layer is given its first values")


def shaped(x: Any) -> Any:
    """x itself if it is a Tensor or an array (recording keeps it safe from later writes), else a Tensor of it."""
    return x if isinstance(x, (Tensor, np.ndarray)) else as_tensor(x)


def cast(x: Any, dtype: Any) -> Any:
    """x in another dtype, by the quicker call."""
    return record(rec.astype, (x,), {"dtype": dtype, "copy": True, "device": None})


def as_precise(y: Any, x: Any) -> Any:
    """y, a function of SciPy at x, in half precision again where x is: SciPy makes double numbers of half ones."""
    return rec.astype(y, x.dtype) if x.dtype.char == "e" else y


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
    for k in found:
        if isinstance(k, Tensor):
            k._refuse_trace(f"{name} of {asker}")
    if len(found) != axes or any(
        isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < least for k in found
    ):
        raise ArgumentError(f"{asker}: {name} is a whole number from {least} on, or {axes} of them, got {value!r:.60}")
    return tuple(int(k) for k in found)


_MOST_LAYERS = 10_000  # each is made of arrays of its own


def check_layers(count: int, asker: str) -> None:
    """Raise ArgumentError for more layers than anyone waits for."""
    if count > _MOST_LAYERS:
        raise ArgumentError(f"{asker}: num_layers is at most {_MOST_LAYERS:,}, got {count:,}")
