"""What a loop leaves in the graph beside its steps: a node that its results pass, by which a drawing knows the loop."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from ...core.errors import NoDerivative
from ...core.mode import watcher, witnesses
from ...core.op import Op
from ...core.tensor import Tensor, record
from .loop import without_bound


@lru_cache(64)
def _mark(title: str, count: int, bounded: bool) -> Op:
    """The op that hands on the results of a loop; of one without a bound, not backwards."""

    def forward(*arrays: Any, steps: int, since: int) -> tuple[Any, ...]:
        return arrays

    def vjp(xp: Any, need: Any, g: Any, y: Any, *args: Any, **params: Any) -> Any:
        if not bounded:
            raise NoDerivative(without_bound(title))
        return g

    def jvp(xp: Any, ts: Any, y: Any, *args: Any, **params: Any) -> Any:
        return tuple(ts)

    op = Op(f"{title}_results", forward, kind="structural", arity=count, vjp=vjp, jvp=jvp, many=True, register=False)
    op.hides = title
    return op


def marked(
    title: str, steps: int, since: int, state: Sequence[Tensor], ys: Sequence[Tensor], bounded: bool = True
) -> tuple[list[Tensor], list[Tensor]]:
    """The results of a loop whose steps were made after the tick `since`."""
    results = [*state, *ys]
    made = [
        k for k, t in enumerate(results) if t.node.tick > since
    ]  # an optimiser's update makes leaves, which stay so
    chosen = [k for k in made if results[k].node.live and results[k].node.op is not None]
    if not chosen and witnesses():
        chosen = made
    if chosen and watcher() is None:
        op = _mark(title, len(chosen), bounded)
        parts = record(op, tuple(results[k] for k in chosen), {"steps": steps, "since": since})
        for k, part in zip(chosen, parts, strict=True):
            results[k] = part
    return results[: len(state)], results[len(state) :]
