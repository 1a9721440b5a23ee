"""Small parameters laid end to end: an elementwise rule runs once over all of them, in as many calls as for one.

The states stay laid end to end from step to step, and each parameter's own is a part of them; where one was changed
meanwhile, they are laid anew. Bit for bit what the rule gives for each parameter alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import is_
from typing import Any, Protocol

import numpy as np

from ..core.gradients import gradient_of
from ..core.op import raw
from ..core.tensor import Tensor

State = dict[str, Any]
Row = tuple[Tensor, Any, State]  # a parameter, and what it and its state become


class Stepping(Protocol):
    """An optimiser, as far as this needs it."""

    state: dict[Tensor, State]
    _laid: dict[int, tuple[list[Any], State]]

    def start(self, xp: Any, p: Any, h: Any) -> State: ...


def laid_out(optimizer: Stepping, rule: Callable[..., Any], params: Sequence[Tensor], h: Any) -> list[Row] | None:
    """What each parameter that has a gradient, and its state, become; nothing is changed.

    None where they are not alike: of several dtypes, in another order of axes, at different numbers of steps.
    """
    used, ps, gs, states = [], [], [], []
    dtype = None
    for p in params:
        a, g = p.node.data, gradient_of(p)
        if g is None:
            continue
        if dtype is None:
            dtype = a.dtype
        if a.dtype is not dtype or g.dtype is not dtype or g.shape != a.shape or not a.flags.c_contiguous:
            return None
        state = optimizer.state.get(p)
        states.append(optimizer.start(raw, a, h) if state is None else state)
        used.append(p)
        ps.append(a)
        gs.append(g)
    if len(used) < 2 or dtype is None or dtype.char not in "fd":
        return None
    before: Any = optimizer._laid.pop(id(params), None)  # the states as the last step left them, if nobody changed one
    parts = [v for state in states for v in state.values()]
    if before is not None and len(before[0]) == len(parts) and all(map(is_, before[0], parts)):
        flat = before[1]
    else:
        flat = _flat_states(states, ps)
        if flat is None:
            return None
    new, after = rule(raw, np.concatenate(ps, axis=None), np.concatenate(gs, axis=None), flat, h)
    for v in (new, *after.values()):
        if v.__class__ is not float and (v.shape != new.shape or v.dtype is not dtype):
            return None
    rows: list[Row] = []
    stop = 0
    for p, a in zip(used, ps, strict=True):
        start, stop, shape = stop, stop + a.size, a.shape
        if shape:
            state = {k: v if v.__class__ is float else v[start:stop].reshape(shape) for k, v in after.items()}
            rows.append((p, new[start:stop].reshape(shape), state))
        else:
            rows.append((p, new[start], {k: v if v.__class__ is float else v[start] for k, v in after.items()}))
    optimizer._laid[id(params)] = [v for _, _, state in rows for v in state.values()], after
    return rows


def _flat_states(states: Sequence[State], ps: Sequence[Any]) -> State | None:
    """The states of several parameters as that of one; None where they differ in more than their arrays."""
    flat: State = {}
    names = states[0].keys()
    for state in states:
        if state.keys() != names:
            return None
    for name, first in states[0].items():
        values = [state[name] for state in states]
        if first.__class__ is float:
            if values.count(first) != len(values):
                return None
            flat[name] = first
            continue
        for v, a in zip(values, ps, strict=True):
            if getattr(v, "dtype", None) is not a.dtype or v.shape != a.shape:
                return None
        flat[name] = np.concatenate(values, axis=None)
    return flat
