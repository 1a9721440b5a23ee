"""What the graph is made of: nodes, the clock that orders them, and the mode in which they are made."""

from __future__ import annotations

import functools
import inspect
import itertools
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np

from .op import Op

if TYPE_CHECKING:
    from .tensor import Tensor

TRACED, DIFFERENTIABLE = 1, 2  # the two reasons to record; `Node.live` is a set of them
TRANSFORMED = 4  # beside DIFFERENTIABLE: an input of a transform is among what it was made of

clock = itertools.count(1).__next__
NO_PARAMS: dict[str, Any] = {}
_SMALL = 1 << 16  # bytes: arrays up to this size are copied when a graph keeps them
P = ParamSpec("P")
R = TypeVar("R")


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


class Mode:
    """What recording does in this context: whether derivatives are wanted, and who watches."""

    __slots__ = ("differentiable", "observe")

    def __init__(self, differentiable: bool, observe: Callable[[Node], None] | None) -> None:
        self.differentiable, self.observe = differentiable, observe


MODE: ContextVar[Mode | None] = ContextVar("recording mode", default=None)


class no_grad:
    """A context, or a decorator, in which nothing is recorded for derivatives.

    >>> import tinygrad_math as tm
    >>> x = tm.tensor(2.0, requires_grad=True)
    >>> with tm.no_grad():
    ...     y = x * x
    >>> y.requires_grad
    False
    """

    _outer: list[Mode | None]

    def __new__(cls, f: Callable[..., Any] | None = None) -> Any:
        return object.__new__(cls) if f is None else object.__new__(cls)._around(f)

    def __init__(self) -> None:
        self._outer = []

    def __enter__(self) -> no_grad:
        outer = MODE.get()
        self._outer.append(outer)
        MODE.set(Mode(False, outer.observe if outer is not None else None))
        return self

    def __exit__(self, *_: object) -> None:
        MODE.set(self._outer.pop())

    def __call__(self, f: Callable[P, R]) -> Callable[P, R]:
        return self._around(f)

    def _around(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """f under no_grad; of a generator each step, and never the code between the steps."""

        @functools.wraps(f)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with no_grad():
                return f(*args, **kwargs)

        @functools.wraps(f)
        def generator(*args: Any, **kwargs: Any) -> Iterator[Any]:
            steps, end = f(*args, **kwargs), object()
            while True:
                with no_grad():
                    value = next(steps, end)
                if value is end:
                    return
                yield value

        return generator if inspect.isgeneratorfunction(f) else wrapped
