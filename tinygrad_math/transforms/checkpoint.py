"""Recomputing instead of keeping: a recorded stretch of computation, run again where its derivative is asked for."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from ..core.arguments import named
from ..core.errors import ChangedAfterUse, describe
from ..core.mode import apart, tell
from ..core.op import Op, raw
from ..core.place import replays
from ..core.tensor import MODE, TRACED, Node, Tensor, again, clock, handle, record, select, wrap
from ..core.tree import flatten, unflatten
from .made import Made
from .tracing import Tape, recorded

Fn = Callable[..., Any]

__all__ = ["checkpoint"]


class Step(NamedTuple):
    """One op of a segment. An operand is the number of an earlier value, or a node that does not change."""

    op: Op
    operands: tuple[int | Node, ...]
    params: Any
    place: Any


class Segment:
    """What was computed after a tick, as a list of ops without its values: to be run again on other inputs.

    Its `inputs` are the live nodes that it starts from: arguments and what the function closes over alike.
    Because the ops are replayed, and the function is not called again, random draws and Python's side
    effects happen once.
    """

    def __init__(self, roots: Sequence[Node], since: int) -> None:
        inputs: dict[Node, None] = {}
        inside: set[Node] = set()
        stack = list(roots)
        while stack:
            n = stack.pop()
            if n in inside or not n.live:
                continue
            if n.tick <= since or n.op is None:
                inputs[n] = None
                continue
            inside.add(n)
            stack.extend(n.inputs)
        self.inputs = sorted(inputs, key=attrgetter("tick"))
        self.traced = any(n.live & TRACED for n in (*self.inputs, *inside))
        self.tick = clock()
        number = {n: k for k, n in enumerate(self.inputs)}
        self.steps = []
        for n in sorted(inside, key=attrgetter("tick")):
            assert n.op is not None
            operands = tuple(number.get(i, i) for i in n.inputs)
            number[n] = len(number)
            self.steps.append(Step(n.op, operands, n.params, n.meta.place if n.meta is not None else None))
        self.results: list[int | Node] = [number.get(r, r) for r in roots]

    def run(self, inputs: Sequence[Any]) -> list[Tensor]:
        """The results for these inputs, recorded as usual."""
        values: list[Any] = [handle(v) for v in inputs]
        for op, operands, params, place in self.steps:  # noqa: B007  (read by `user_place`)
            args = tuple(values[k] if isinstance(k, int) else self._constant(op, k) for k in operands)
            values.append(again(op, args, params))
        return [values[k] if isinstance(k, int) else wrap(k) for k in self.results]

    def _constant(self, op: Op, node: Node) -> Tensor:
        if node.changed_since(self.tick):
            raise ChangedAfterUse(
                f"{node.name or 'a constant'} {describe(node.data)} was changed after {op.name} had used it in a "
                "function that is to be recomputed. Differentiate before the change, or compute the result again."
            )
        return wrap(Node(node.data))


replays(Segment.run)


class Rerun:
    """A tape of a segment at given inputs, for the rules of an op: only the `active` inputs are differentiated."""

    def __init__(self, segment: Segment, xp: Any, values: Sequence[Any], active: Sequence[bool], asker: str) -> None:
        self.xp, self.count = xp, len(values)
        self.active = [k for k, a in enumerate(active) if a and values[k].dtype.kind in "fc"]

        def run(*moving: Any) -> Any:
            full = list(values)
            for k, v in zip(self.active, moving, strict=True):
                full[k] = v
            return tuple(segment.run(full))

        self.tape = recorded(Tape, run, [values[k] for k in self.active], asker)
        self.tape.end()

    def pull(self, cotangents: Sequence[Any]) -> list[Any]:
        """A cotangent per input of the segment, None for those that are not active."""
        seeds = [_zeros(y) if g is None else g for g, y in zip(cotangents, self.tape.outputs, strict=True)]
        found = recorded(self.tape.pull, seeds, record=self.xp is not raw)
        out: list[Any] = [None] * self.count
        for k, g in zip(self.active, found, strict=True):
            out[k] = self.plain(g)
        return out

    def push(self, tangents: Sequence[Any]) -> list[Any]:
        """A tangent per result, from one per input (None is zero)."""
        seeds = [
            _zeros(n) if tangents[k] is None else tangents[k]
            for k, n in zip(self.active, self.tape.inputs, strict=True)
        ]
        return [self.plain(t) for t in recorded(self.tape.push, seeds, record=self.xp is not raw)]

    def plain(self, t: Tensor) -> Any:
        """What a rule over `xp` returns: an array at first order, a Tensor above."""
        return t.node.data if self.xp is raw else t


def _zeros(like: Any) -> Any:
    data = like.node.data if isinstance(like, Tensor) else like.data
    return np.zeros(np.shape(data), data.dtype)[()]


def attach(op: Op, inputs: Sequence[Node], values: tuple[Any, ...]) -> list[Tensor]:
    """The parts of a node of a many-valued op whose values are known already."""
    live = functools.reduce(lambda a, n: a | n.live, inputs, 0)
    node = Node(values, op, tuple(inputs), {}, live)
    mode = MODE.get()
    if mode is not None and mode.observe is not None:
        mode.observe(node)
    tell(node, op, node.inputs, {})
    whole = wrap(node)
    return [record(select, (whole,), {"index": k}) for k in range(len(values))]


@named
def checkpoint(f: Fn) -> Fn:
    """f, such that what it computes inside is not kept for the derivative, but computed again when it is needed.

    Arguments and results are trees. Gradients also reach the Tensors that f closes over. Both modes, every
    order. f itself is called once: its ops are replayed, so random draws and masks stay what they were.
    Hooks and `retain_grad` inside f have no effect on the replay. While a function is compiled or vectorised, or its
    sparsity is looked for, f is inlined: the compiler plans memory by itself.

    >>> import tinygrad_math as tm
    >>> f = tm.checkpoint(lambda x: tm.sin(x) * x)
    >>> bool(tm.grad(f)(0.5) == tm.grad(lambda x: tm.sin(x) * x)(0.5))
    True
    """

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        since = clock()
        leaves, structure = flatten(f(*args, **kwargs))
        places = [
            k for k, leaf in enumerate(leaves) if isinstance(leaf, Tensor) and leaf.node.live and leaf.node.tick > since
        ]
        segment = Segment([leaves[k].node for k in places], since)
        if segment.inputs and not segment.traced and not apart():
            parts = attach(_op(segment), segment.inputs, tuple(leaves[k].node.data for k in places))
            for k, part in zip(places, parts, strict=True):
                leaves[k] = part
        return unflatten(structure, leaves)

    return Made(wrapped, checkpoint, f)


def _op(segment: Segment) -> Op:
    """The op that stands for a whole segment: its rules run the segment again."""

    def forward(*arrays: Any) -> tuple[Any, ...]:
        return tuple(y.node.data for y in segment.run(arrays))

    def vjp(xp: Any, need: Any, g: Any, y: Any, *args: Any) -> Any:
        return Rerun(segment, xp, args, need, "checkpoint").pull(g)

    def jvp(xp: Any, ts: Any, y: Any, *args: Any) -> Any:
        return tuple(Rerun(segment, xp, args, [t is not None for t in ts], "checkpoint").push(ts))

    return Op(
        "checkpoint", forward, kind="general", arity=len(segment.inputs), vjp=vjp, jvp=jvp, many=True, register=False
    )
