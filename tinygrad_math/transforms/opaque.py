"""A function as one op, into which no trace looks: what it computes may hang on values, and so may its derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..core.errors import NoDerivative
from ..core.mode import Mode, under
from ..core.op import Op, raw
from ..core.tensor import Tensor, as_tensor, rec
from .checkpoint import Rerun, attach

Fn = Callable[..., Any]


class _Runs:
    """A function of a list of Tensors in the place of a segment; see `checkpoint.Rerun`."""

    def __init__(self, run: Fn) -> None:
        self.run = run


def opaque(name: str, run: Fn, inputs: Sequence[Any]) -> list[Tensor]:
    """What a function makes of these Tensors as one op, into which a trace does not look; so are its derivatives."""

    def forward(*arrays: Any) -> tuple[Any, ...]:
        found = under(Mode(True, None), run, [as_tensor(a) for a in arrays])
        if any(y.node.live for y in found):
            raise NoDerivative(
                f"{name} under vmap: its function closes over a value that is being differentiated, or that differs "
                "between the examples; give it as an argument"
            )
        return tuple(y.node.data for y in found)

    def derived(xp: Any, derivative: Fn, values: list[Any]) -> list[Any]:
        if xp is not raw:
            return opaque(name, derivative, values)
        return [y.node.data for y in under(Mode(True, None), derivative, [as_tensor(v) for v in values])]

    def vjp(xp: Any, need: Any, g: Any, y: Any, *args: Any) -> Any:
        active = [bool(wanted) and v.dtype.kind in "fc" for wanted, v in zip(need, args, strict=True)]
        seeds = [xp.zeros_like(p) if part is None else part for part, p in zip(g, y, strict=True)]

        def pulled(values: Sequence[Any]) -> list[Any]:
            rerun = Rerun(_Runs(run), rec, values[: len(args)], active, name)  # type: ignore[arg-type]
            return [found for found, a in zip(rerun.pull(values[len(args) :]), active, strict=True) if a]

        found = iter(derived(xp, pulled, [*args, *seeds]))
        return [next(found) if a else None for a in active]

    def jvp(xp: Any, ts: Any, y: Any, *args: Any) -> Any:
        active = [t is not None for t in ts]

        def pushed(values: Sequence[Any]) -> list[Any]:
            moved = iter(values[len(args) :])
            rerun = Rerun(_Runs(run), rec, values[: len(args)], active, name)  # type: ignore[arg-type]
            return rerun.push([next(moved) if a else None for a in active])

        return tuple(derived(xp, pushed, [*args, *(t for t in ts if t is not None)]))

    op = Op(name, forward, kind="general", arity=len(inputs), vjp=vjp, jvp=jvp, many=True, register=False)
    nodes = [as_tensor(x).node for x in inputs]
    return attach(op, nodes, forward(*(n.data for n in nodes)))
