"""How each op is computed on a batch: the same op, with its axes moved past the batch's.

A rule is given a `Call`: an op, its arguments (those in the batch with the batch along their first axis), and what the
op gave for one example. It returns the op's results for the whole batch, the batch first, made of registered ops only;
so they are recorded, differentiated and compiled like everything else, and nothing keeps account of levels.

Elementwise ops get their rule from their kind; the tables of this room hold the others by name. What has no rule
runs example by example, which is right for every op there is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...core.errors import ShapeError
from ...core.op import Op, registry
from ...core.tensor import as_tensor, rec, record

Rule = Callable[["Call"], Any]
RULES: dict[str, Rule] = {}  # op name -> how it runs on a batch


class Call:
    """One op of a function of one example, to be computed for `size` of them.

    `args` are Tensors or Python numbers; `moving[i]` says whether args[i] is in the batch, with it as its first axis;
    `shapes[i]` is the shape that one example of it has; `like` is what the op gave for one example.
    """

    def __init__(
        self,
        op: Op,
        size: int,
        args: Sequence[Any],
        moving: Sequence[bool],
        examples: Sequence[Any],
        like: Any,
        params: Any,
    ) -> None:
        self.op, self.size, self.args, self.moving = op, size, list(args), list(moving)
        self.examples, self.like, self.params = examples, like, dict(params)
        self.shapes = [np.shape(e) for e in examples]
        self.ranks = [len(s) for s in self.shapes]

    def do(self, *args: Any, **params: Any) -> Any:
        """The op itself of these arguments."""
        return record(self.op, args, {**self.params, **params})

    def lifted(self, k: int, rank: int) -> Any:
        """args[k], whose example has been given `rank` axes by axes of length 1 in front."""
        x, missing = self.args[k], rank - self.ranks[k]
        if not self.moving[k] or missing <= 0:
            return x
        return rec.reshape(x, (self.size, *(1,) * missing, *self.shapes[k]))

    def full(self, k: int) -> Any:
        """args[k] in the batch, repeated for every example if it is the same for all."""
        if self.moving[k]:
            return self.args[k]
        return rec.broadcast_to(as_tensor(self.args[k]), (self.size, *self.shapes[k]))

    def raised(self, k: int, rank: int) -> Any:
        """args[k] in the batch, its examples with `rank` axes."""
        return rec.reshape(self.full(k), (self.size, *(1,) * (rank - self.ranks[k]), *self.shapes[k]))


def rule(*names: str) -> Callable[[Rule], Rule]:
    """Register a rule for the ops of these names."""

    def attach(f: Rule) -> Rule:
        for name in names:
            RULES[name] = f
        return f

    return attach


def rule_of(op: Op) -> Rule:
    """The rule for an op: its own, by its name, by its kind, or example by example."""
    if op.batched is not None:
        return op.batched
    if registry.get(op.name) is op:
        found = RULES.get(op.name)
        if found is not None:
            return found
        if op.kind == "elementwise" or isinstance(op.plain, np.ufunc):
            return aligned
    return one_by_one


def aligned(call: Call) -> Any:
    """An op that acts on each element: the examples get as many axes as the one that has most."""
    rank = max(call.ranks)
    y = call.do(*(call.lifted(k, rank) for k in range(len(call.args))))
    if not call.op.many and y.ndim == np.ndim(call.like):  # its value does not hang on what is in the batch
        y = rec.broadcast_to(y, (call.size, *y.shape))
    return y


def stacked(call: Call) -> Any:
    """An op on matrices and vectors in the last axes, that takes as many of them as there are before."""
    return call.do(*(call.full(k) for k in range(len(call.args))))


def one_by_one(call: Call) -> Any:
    """Any op: on each example by itself."""
    many = call.op.many
    if not call.size:
        parts = [np.zeros((0, *np.shape(p)), np.asarray(p).dtype) for p in (call.like if many else (call.like,))]
        return tuple(map(as_tensor, parts)) if many else as_tensor(parts[0])
    rows = []
    for b in range(call.size):
        args = [x[b] if moves else x for x, moves in zip(call.args, call.moving, strict=True)]
        rows.append(record(call.op, tuple(args), call.params))
    shapes = {tuple(y.shape for y in (row if many else (row,))) for row in rows}
    if len(shapes) > 1:
        raise ShapeError(
            f"vmap: {call.op.name} gives the examples results of different shapes, which no array holds: "
            f"{', '.join(map(str, sorted(s[0] for s in shapes)))}"
        )
    if many:
        return tuple(rec.stack([row[k] for row in rows], axis=0) for k in range(len(call.like)))
    return rec.stack(rows, axis=0)


def moved(axis: Any, rank: int) -> Any:
    """An axis of an example of this rank, or several, as axes of the batch: None is all of them."""
    if axis is None:
        return tuple(range(1, rank + 1))
    if isinstance(axis, (tuple, list)):
        return tuple(moved(a, rank) for a in axis)
    return axis if axis < 0 else axis + 1


def size_of(shape: Sequence[int]) -> int:
    return math.prod(shape)
