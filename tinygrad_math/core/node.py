"""What the graph is made of: nodes, and the clock that orders them."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .mode import MODE as MODE
from .op import Op

if TYPE_CHECKING:
    from .tensor import Tensor

TRACED, DIFFERENTIABLE = 1, 2  # the two reasons to record; `Node.live` is a set of them
TRANSFORMED = 4  # beside DIFFERENTIABLE: an input of a transform is among what it was made of

clock = itertools.count(1).__next__
NO_PARAMS: dict[str, Any] = {}
_SMALL = 1 << 16  # bytes: arrays up to this size are copied when a graph keeps them


class Meta:
    """What few nodes have: an owner who wants the gradient, a name, hooks, a history of change."""

    __slots__ = ("__weakref__", "changed", "exposed", "hooks", "name", "owner", "place", "seal")

    def __init__(self) -> None:
        self.owner: weakref.ref[Tensor] | None = None
        self.name: str | None = None
        self.hooks: dict[int, Callable[[Tensor], Tensor | None]] | None = None
        self.place: Any = None  # the user's line, noted while tracing
        self.changed = self.exposed = self.seal = 0


class Node:
    """One recorded value. `inputs` are older than the node itself: `tick` orders every walk."""

    __slots__ = ("__weakref__", "data", "inputs", "live", "meta", "op", "params", "tick")

    def __init__(
        self,
        data: Any,
        op: Op | None = None,
        inputs: tuple[Node, ...] = (),
        params: Mapping[str, Any] = NO_PARAMS,
        live: int = 0,
    ) -> None:
        self.data = data
        self.op = op
        self.inputs = inputs
        self.params = params
        self.live = live
        self.tick = clock()
        self.meta: Meta | None = None

    def more(self) -> Meta:
        if self.meta is None:
            self.meta = Meta()
        return self.meta

    @property
    def name(self) -> str | None:
        return self.meta.name if self.meta is not None else None

    def changed_since(self, tick: int) -> bool:
        """Whether the array was replaced, or written to since it was handed out after `tick`."""
        m = self.meta
        if m is None:
            return False
        return m.changed > tick or (m.exposed > tick and self.written())

    def written(self) -> bool:
        """Whether somebody wrote into the array since `Tensor.data` last handed it out."""
        return self.meta is not None and fingerprint(self.data) != self.meta.seal


class Run:
    """One run of a function inside a transform."""

    __slots__ = ("over",)

    def __init__(self) -> None:
        self.over = False


class Input(Node):
    """What a transform hands to the function that it differentiates: it knows its run."""

    __slots__ = ("run",)

    def __init__(self, data: Any, run: Run, op: Op | None = None, inputs: tuple[Node, ...] = (), live: int = 0) -> None:
        super().__init__(data, op, inputs, NO_PARAMS, live | DIFFERENTIABLE | TRANSFORMED)
        self.run = run


def inside(node: Node) -> bool:
    """Whether a transform that is still running differentiates what this node was made of."""
    if not node.live & TRANSFORMED:  # nearly always, outside transforms
        return False
    seen, stack = {node}, [node]
    while stack:
        n = stack.pop()
        if type(n) is Input and not n.run.over:
            return True
        for i in n.inputs:
            if i.live & TRANSFORMED and i not in seen:
                seen.add(i)
                stack.append(i)
    return False


class Constant(Node):
    """An argument that was no Tensor: a value without history. Cheap to make, and immutable."""

    __slots__ = ()
    op, inputs, params, live, tick, meta = None, (), NO_PARAMS, 0, 0, None

    def __init__(self, data: Any) -> None:
        self.data = data


class Foreign(Constant):
    """A large array of the user's, not copied: that it was overwritten is noticed, from a sample of its elements."""

    __slots__ = ("seal",)
    meta = Meta()  # type: ignore[assignment]
    meta.exposed = 1  # the user holds the array

    def __init__(self, data: Any) -> None:
        self.data = data
        self.seal = _sample(data)

    def changed_since(self, tick: int) -> bool:
        return _sample(self.data) != self.seal

    def written(self) -> bool:
        return False  # asked after `changed_since`


def held(node: Node) -> Node:
    """An argument that a derivative will need again, safe from what the user does to the array meanwhile."""
    data = node.data
    if type(node) is not Constant or type(data) is not np.ndarray:
        return node
    return Constant(data.copy()) if data.nbytes <= _SMALL else Foreign(data)


def _sample(array: Any) -> int:
    return hash(array.flat[:: array.size // 61].tobytes())


def fingerprint(array: Any) -> int:
    return hash(array.tobytes())
