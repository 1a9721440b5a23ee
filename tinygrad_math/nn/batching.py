"""How the ops of layers and losses are computed on a batch of examples, for `vmap`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.tensor import rec
from ..transforms.batching.rules import RULES, Call, aligned, one_by_one, rule

for _name in ("checked_labels", "checked_values"):
    RULES[_name] = aligned


@rule("affine")
def _affine(call: Call) -> Any:
    """One product where all examples share the weight; else one for each."""
    x, weight, bias = call.args
    rank = max(call.ranks[0], 2)
    if not (call.moving[1] or call.moving[2]):
        return call.do(x, weight, bias)
    rows = x if call.ranks[0] > 1 else rec.reshape(x, (call.size, 1, *call.shapes[0]) if call.moving[0] else (1, -1))
    if call.moving[1]:
        weight = rec.reshape(weight, (call.size, *(1,) * (rank - 2), *call.shapes[1]))
    product = rec.matmul(rows, rec.matrix_transpose(weight))
    if call.moving[2]:
        bias = rec.reshape(bias, (call.size, *(1,) * (rank - 1), *call.shapes[2]))
    return rec.reshape(product + bias, (call.size, *np.shape(call.like)))


@rule("mean_squared_error")
def _mean_squared_error(call: Call) -> Any:
    rank = max(call.ranks)
    if np.asarray(call.like).dtype.char == "e":
        return one_by_one(call)
    d = call.lifted(0, rank) - call.lifted(1, rank)
    return rec.mean(d * d, axis=tuple(range(1, rank + 1)))


@rule("mean_nll")
def _mean_nll(call: Call) -> Any:
    """The sum over the labels that count and their number, example by example."""
    logs, labels, ignored = call.lifted(0, 2), call.lifted(1, 1), call.params["ignore_index"]
    safe = rec.checked_labels(labels, classes=call.shapes[0][1], ignore_index=ignored)
    safe = rec.broadcast_to(safe, (call.size, *call.shapes[1]))
    logs = rec.broadcast_to(logs, (call.size, *call.shapes[0]))
    found = rec.squeeze(rec.take_along_axis(logs, rec.expand_dims(safe, axis=-1), axis=-1), axis=-1)
    counts = rec.astype(rec.not_equal(labels, ignored), logs.dtype)
    asker = f"{call.params['asker']}: the weight of all targets together"
    return -(rec.sum(found * counts, axis=1) / rec.checked_values(rec.sum(counts, axis=-1), rule="not 0", asker=asker))


@rule("mean_nll_slopes")
def _mean_nll_slopes(call: Call) -> Any:
    """Minus one over the number of labels that count, example by example."""
    labels, classes, ignored = call.lifted(0, 1), call.params["classes"], call.params["ignore_index"]
    safe = rec.checked_labels(labels, classes=classes, ignore_index=ignored)
    counting = rec.not_equal(labels, ignored)
    counts = rec.sum(rec.astype(counting, call.params["dtype"]), axis=-1)
    asker = f"{call.params['asker']}: the weight of all targets together"
    shares = -1 / rec.checked_values(counts, rule="not 0", asker=asker)
    chosen = rec.equal(rec.expand_dims(safe, axis=-1), np.arange(classes))
    chosen = rec.logical_and(chosen, rec.expand_dims(counting, axis=-1))
    return rec.where(chosen, rec.expand_dims(shares, axis=(-1, -2)), 0.0)


def _merged(call: Call, **params: Any) -> Any:
    """An op whose first axis counts images already: those of all examples at once."""
    shape = call.shapes[0]
    y = call.do(rec.reshape(call.args[0], (call.size * shape[0], *shape[1:])), **params)
    return rec.reshape(y, (call.size, *np.shape(call.like)))


RULES["windows"] = RULES["overlap_add"] = _merged
