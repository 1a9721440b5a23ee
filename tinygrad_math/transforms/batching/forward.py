"""Many tangents through one tape at once: the forward walk with the batch in front, without a recording of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...core.node import Node, check_fresh
from ...core.op import Op, raw
from ...core.past import Past, likeness
from ...core.quiet import quietly
from ...core.tensor import MODE, Tensor, wrap
from ...core.walk import Trail
from .rules import Call, rule_of


class Pushing:
    """The forward walk over a trail, for batches of tangents of some of its targets.

    It stands for `Recording` of that walk, and gives the same. A rule that a constructor has made is linear in the
    tangents in a way that is known: it takes them with the batch in front. It does not suit where there are others.
    """

    def __init__(self, trail: Trail, starts: Sequence[Node], roots: Sequence[Node], title: str) -> None:
        self.starts, self.roots, self.title = starts, roots, title
        moving = set(starts)
        self.nodes = []
        for n in trail.nodes:
            if n.op is not None and n not in moving and not moving.isdisjoint(n.inputs):
                moving.add(n)
                self.nodes.append(n)
        self.dying: dict[Node, list[Node]] = {}  # whose tangent nobody needs after a node
        seen = set(roots)
        for n in reversed(self.nodes):
            last = [i for i in dict.fromkeys(n.inputs) if i in moving and i not in seen]
            seen.update(last)
            if last:
                self.dying[n] = last

    @staticmethod
    def suits(trail: Trail) -> bool:
        """Whether nobody is to see or to differentiate the walk, and all of its rules are their constructors'."""
        return (
            MODE.get() is None
            and not trail.open
            and all(n.op is None or (n.op.mechanical and n.op.jvp is n.op.mechanical) for n in trail.nodes)
        )

    def run(self, seeds: Sequence[Tensor], size: int) -> list[tuple[Any, bool]]:
        """For each root its tangents and True, or zeros for one example and False: see `Recording.run`."""
        tangents = {n: seed.node.data for n, seed in zip(self.starts, seeds, strict=True)}
        quietly(self._walk, tangents, size)
        zeros = [None if r in tangents else wrap(Node(np.zeros_like(r.data))) for r in self.roots]
        return [
            (wrap(Node(tangents[r])) if zero is None else zero, zero is None)
            for r, zero in zip(self.roots, zeros, strict=True)
        ]

    def _walk(self, tangents: dict[Node, Any], size: int) -> None:
        for n in self.nodes:
            ts = [tangents.get(i) for i in n.inputs]
            if all(t is None for t in ts):  # what one was made of does not move
                continue
            check_fresh(n)
            op: Any = n.op
            like = likeness(n) if op.formal else n.data
            if op.kind == "elementwise":
                t = op.jvp(raw, [_lifted(t, like) for t in ts], like, *_arguments(n), **n.params)
            else:
                t = _by_parts(op, ts, like, _arguments(n), n.params, size)
            if t is not None:
                tangents[n] = _spread(t, like, size)
            for i in self.dying.get(n, ()):
                tangents.pop(i, None)


def _arguments(n: Node) -> tuple[Any, ...]:
    formal = n.op.formal if n.op is not None else 0
    return tuple([likeness(i) if k < formal and type(i) is Past else i.data for k, i in enumerate(n.inputs)])


def _constant(value: Any) -> Any:
    return wrap(Node(value)) if hasattr(value, "dtype") else value


def _lifted(t: Any, like: Any) -> Any:
    """Tangents of an argument of an elementwise op, whose examples get as many axes as the result has."""
    rank = like.ndim + 1
    if t is None or t.ndim == rank:
        return t
    return t.reshape(t.shape[0], *(1,) * (rank - t.ndim), *t.shape[1:])


def _by_parts(op: Op, ts: list[Any], like: Any, args: tuple[Any, ...], params: Any, size: int) -> Any:
    """The tangents of what is linear in all of its arguments together, or in each of two by itself."""
    moving = [t is not None for t in ts]
    if op.kind == "linear":
        given = [np.zeros_like(a) if t is None else t for t, a in zip(ts, args, strict=True)]
        return _on_batch(op, given, moving, args, like, params, size)
    total = None
    for i, t in enumerate(ts):
        if t is not None:
            given = [t if k == i else a for k, a in enumerate(args)]
            part = _on_batch(op, given, [k == i for k in range(len(args))], args, like, params, size)
            total = part if total is None else total + part
    return total


def _on_batch(op: Op, given: list[Any], moving: list[bool], args: Any, like: Any, params: Any, size: int) -> Any:
    call = Call(op, size, [_constant(a) for a in given], moving, args, like, params)
    return rule_of(op)(call).node.data


def _spread(t: Any, like: Any, size: int) -> Any:
    """Tangents in the shape and dtype of their value: as `spread`, with the batch in front."""
    if t.shape != (size, *like.shape):
        t = np.broadcast_to(t, (size, *like.shape))
    if t.dtype != like.dtype:
        t = (t.real if t.dtype.kind == "c" and like.dtype.kind != "c" else t).astype(like.dtype)
    return t
