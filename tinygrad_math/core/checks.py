"""Checks of values that a program makes at each of its runs: a value found later may break a rule as well."""

from __future__ import annotations

from typing import Any

import numpy as np

from .declare import general
from .errors import OutsideDomain
from .node import unknown
from .samples import positive, sample
from .tensor import as_tensor, rec


@general(
    arity=2,
    shape="x and ok of one shape -> that",
    latex=r"{0}",
    note="raises where ok does not hold",
    samples=lambda: [sample(positive(3), np.full(3, True), told="{}"), sample(2.0, True, told="{}")],
)
def required(x: Any, ok: Any, /, told: str) -> Any:
    """x, for which `ok` holds everywhere. Raises OutsideDomain: `told`, with the first x that breaks it for a {}."""
    if not np.all(ok):
        raise OutsideDomain(told.replace("{}", f"{np.asarray(x)[~np.asarray(ok)].flat[0]:g}"))
    return x


@required.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any, ok: Any, told: str) -> Any:
    return g if need[0] else None, None


@required.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, ok: Any, told: str) -> Any:
    return ts[0]


def require(x: Any, ok: Any, told: str) -> Any:
    """A value whose elements keep a rule: looked at now where they are known, else at each run, or of each example.

    Arguments: `ok` where the rule holds, of a shape that broadcasts with that of x; `told` as for `required`.
    Whoever calls this goes on with what it returns: x itself, or x with its check.
    """
    t, holds = as_tensor(x), as_tensor(ok)
    if not (unknown(t.node) or unknown(holds.node)):
        if not np.all(holds.node.data):
            required.plain(*np.broadcast_arrays(t.node.data, holds.node.data), told=told)
        return x
    shape = np.broadcast_shapes(t.shape, holds.shape)
    return rec.required(rec.broadcast_to(t, shape), rec.broadcast_to(holds, shape), told=told)
