"""Where the first number that is no number came from."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import NonFiniteLoss
from ..core.node import Node
from ..core.tensor import Tensor
from ..core.walk import Trail, pullback


def _finite(data: Any) -> bool:
    parts = data if isinstance(data, tuple) else (data,)
    return all(np.isfinite(p).all() for p in map(np.asarray, parts) if p.dtype.kind in "fc")


def culprit(loss: Tensor, where: str) -> NonFiniteLoss | None:
    """The error that names the op which made the first NaN or infinity on the way to a loss, or back from it."""
    trail = Trail([loss.node])
    for n in trail.nodes:
        if not _finite(n.data):
            if n.op is None:
                return NonFiniteLoss(f"{where}: {_called(n)} holds {_worst(n.data)} before the step")
            return NonFiniteLoss(
                f"{where}: {n.op.name} made {_worst(n.data)} of {', '.join(map(_called, n.inputs))}. "
                "A smaller lr, clip_norm, or a look at the data may help."
            )
    found = pullback(trail, [(loss.node, np.ones(loss.shape, loss.dtype)[()])], every=True)
    for n in reversed(trail.nodes):
        bad = [i for i in n.inputs if i in found and not _finite(found[i])]
        if bad and _finite(found.get(n, 0.0)) and n.op is not None:
            return NonFiniteLoss(
                f"{where}: the derivative of {n.op.name} made {_worst(found[bad[0]])} for {_called(bad[0])}, "
                "although the loss itself is finite"
            )
    return None


def _worst(data: Any) -> str:
    flat = np.concatenate([np.ravel(np.asarray(p)) for p in (data if isinstance(data, tuple) else (data,))])
    kind = "NaN" if np.isnan(flat).any() else "an infinity"
    return f"{kind} ({np.count_nonzero(~np.isfinite(flat))} of {flat.size} elements)"


def _called(n: Node) -> str:
    data = n.data
    if isinstance(data, tuple):
        return f"{len(data)} parts"
    array = np.asarray(data)
    known = array[np.isfinite(array)] if array.dtype.kind in "fc" else array
    span = f" from {known.min():.3g} to {known.max():.3g}" if known.size and array.dtype.kind in "fiu" else ""
    return f"{n.name + ' ' if n.name else ''}{array.dtype}{array.shape}{span}"
