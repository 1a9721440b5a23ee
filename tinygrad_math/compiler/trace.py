"""Run a function once on recorded tensors and read its program off the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from ..core.errors import TraceError
from ..core.node import TRANSFORMED
from ..core.op import registry
from ..core.place import raised_place, user_place
from ..core.tensor import DIFFERENTIABLE, MODE, TRACED, Mode, Node, Tensor, clock, node_of, under, wrap
from ..core.tree import Structure, flatten, unflatten
from .program import NUMBERS, Program, Value, as_weak, constant

VALUE_DEPENDENT_SHAPE = frozenset(
    ("nonzero", "flatnonzero", "argwhere", "compress", "extract")
    + ("unique", "unique_all", "unique_counts", "unique_inverse", "unique_values")
)


class Traced(NamedTuple):
    """A program and how its results make up what the function returned."""

    program: Program
    hidden: list[Tensor]  # parameters that the function closes over: further arguments, read at each call
    structure: Structure  # of what the function returned
    outputs: list[Any]  # one per leaf of it: the index of a program result, or `Fixed(leaf)`
    settled: tuple[bool, ...]  # for each argument whether an update took it whose result is returned, as a leaf
    transformed: bool  # whether the function takes derivatives itself


class Fixed(NamedTuple):
    """A returned leaf that does not depend on the arguments."""

    leaf: Any


def tracing() -> bool:
    """Whether the caller is being run by `compile`, to be written down and not to be computed."""
    mode = MODE.get()
    return mode is not None and isinstance(getattr(mode.observe, "__self__", None), Recorder)


class Recorder:
    """Watches a traced run: notes the user's line of every new value, and which parameters it closes over."""

    def __init__(self) -> None:
        self.hidden: dict[Node, Tensor] = {}
        self.stopped: set[Node] = set()  # made under no_grad
        self.complete = True
        self.start = clock()

    def observe(self, node: Node) -> None:
        node.more().place = user_place(2)
        mode = MODE.get()
        if mode is not None and not mode.differentiable:
            self.stopped.add(node)
        assert node.op is not None
        if node.inputs and all(type(i.data) in NUMBERS for i in node.inputs):
            node.data = as_weak(node.data)
        if node.op.name in VALUE_DEPENDENT_SHAPE or _masked(node):
            raise TraceError(
                f"the shape of {node.op.name} depends on values, which are not known while a function is being "
                "traced. Use where(mask, x, 0) in place of x[mask], or make the mask a static argument."
            )
        for i in node.inputs:
            if i.op is None and i.live == DIFFERENTIABLE and i.tick < self.start:
                owner = i.meta.owner() if i.meta is not None and i.meta.owner is not None else None
                if owner is not None:
                    self.hidden[i] = owner
                    self.complete = False  # uses before this one were not written down: trace again
                    i.live |= TRACED
                    node.live |= TRACED

    def run(self, f: Callable[..., Any], args: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
        """f, watched. Whatever strikes, the parameters are afterwards what they were."""
        self.complete = True
        self.stopped.clear()
        try:
            try:
                for node in self.hidden:
                    node.live |= TRACED
                with np.errstate(all="ignore"):
                    return under(Mode(True, self.observe), f, *args, **keywords)
            finally:
                self._release()
        except BaseException:  # it may have struck before the line above had ended
            self._release()
            raise

    def _release(self) -> None:
        for node in self.hidden:
            node.live &= ~TRACED


def _masked(node: Node) -> bool:
    """Whether an index that is not known yet is a boolean mask, so that it selects an unknown number of elements."""
    assert node.op is not None
    return node.op.name == "gather" and any(
        i.live & TRACED and getattr(i.data, "dtype", None) == np.bool_ for i in node.inputs[1:]
    )


def trace(f: Callable[..., Any], args: Any, static: Callable[[Any], bool], names: Sequence[str], name: str) -> Traced:
    """The program of `f(*args[0], **args[1])`, typed by these arguments.

    `static(leaf)` tells which leaves of the arguments stay what they are; `names` are the names of the others.
    """
    recorder = Recorder()
    leaves, structure = flatten(args)
    while True:
        nodes = [None if static(leaf) else Node(node_of(leaf).data, live=TRACED) for leaf in leaves]
        given = [leaf if n is None else wrap(n) for leaf, n in zip(leaves, nodes, strict=True)]
        moving = [n for n in nodes if n is not None]
        for n, title in zip(moving, names, strict=True):
            n.more().name = title
        positional, keywords = unflatten(structure, given)
        try:
            out = recorder.run(f, positional, keywords)
        except TraceError as error:
            raise _located(error) from None
        if recorder.complete:
            break
    returned, shape = flatten(out)
    arguments = {n: Value(None, example=n.data, name=n.name) for n in moving}
    hidden = [(n, t) for n, t in recorder.hidden.items()]
    for n, t in hidden:
        arguments[n] = Value(None, example=n.data, name=t.name or "parameter")
    live = {n for n, _ in hidden}
    roots: list[Node] = []
    outputs: list[Any] = []
    for leaf in returned:
        node = leaf.node if isinstance(leaf, Tensor) else None
        if node is None or not (node.live & TRACED or node in live):
            outputs.append(Fixed(leaf))
        else:
            outputs.append(len(roots))
            roots.append(node)
    body, results = _instructions(arguments, roots, recorder.stopped)
    steps = any(r.meta is not None and r.meta.settled for r in roots)
    settled = tuple(steps and n.meta is not None and n.meta.settled for n in moving)
    transformed = any(r.live & TRANSFORMED for r in roots)
    program = Program(name, list(arguments.values()), body, results)
    return Traced(program, [t for _, t in hidden], shape, outputs, settled, transformed)


def _instructions(
    arguments: dict[Node, Value], roots: Sequence[Node], stopped: set[Node]
) -> tuple[list[Value], list[Value]]:
    """The nodes that the roots need, oldest first, as instructions. Aliases leave no instruction.

    What is `stopped`, no derivative goes through.
    """
    stack, seen = list(roots), set(roots)
    while stack:
        n = stack.pop()
        if n in arguments or not n.live & TRACED:
            continue
        for i in n.inputs:
            if i not in seen:
                seen.add(i)
                stack.append(i)
    values: dict[Node, Value] = dict(arguments)
    body = []
    for n in sorted(seen, key=attrgetter("tick")):
        if n in values:
            continue
        if n.op is None or not n.live & TRACED:
            values[n] = constant(n.data.copy() if isinstance(n.data, np.ndarray) else n.data)
            continue
        inputs = tuple(values[i] for i in n.inputs)
        if n.op.name == "alias":
            values[n] = inputs[0]
            continue
        v = Value(n.op, inputs, n.params, n.data, name=n.name, place=n.meta.place if n.meta is not None else None)
        if n.op.name not in registry and n.op.name != "select":
            v.op = n.op  # a user's own primitive
        values[n] = v
        body.append(v)
        if n in stopped and v.shape is not None:
            values[n] = Value(registry["stop_gradient"], (v,), {}, v.example, place=v.place)
            body.append(values[n])
    return body, [values[r] for r in roots]


def _located(error: TraceError) -> TraceError:
    """The same error, with the user's line in it."""
    place = raised_place(error.__traceback__)
    if place is None:
        return error
    return TraceError(f"{error}\n  File {place.file!r}, line {place.line}\n    {place.text}")
