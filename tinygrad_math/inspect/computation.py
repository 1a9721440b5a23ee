"""A user's computation as it ran: every node in order with the user's line, and the run again with other values."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import attrgetter
from typing import Any

import numpy as np

from .. import random
from ..core.errors import ArgumentError, DTypeError, TraceError, describe
from ..core.looking import refuse_unknown
from ..core.mode import MODE, under, watcher
from ..core.node import DIFFERENTIABLE, Node
from ..core.op import Op
from ..core.quiet import quietly
from ..core.tensor import Tensor, as_tensor, record, select, wrap
from ..core.tree import flatten, flatten_each, unflatten
from ..nn.module import Module
from ..transforms.tracing import Tape
from .lines import Lines, beside, line_of

Values = dict[Node, Any]
Making = tuple[Op | None, tuple[Node, ...], Mapping[str, Any]]


class _Notes(Lines):
    """Notes how each value was made, also of those that nobody differentiates and that do not remember it."""

    def __init__(self) -> None:
        self.making: dict[Node, Making] = {}

    def made(self, node: Node, op: Any, inputs: tuple[Node, ...], params: Any) -> None:
        super().made(node, op, inputs, params)
        self.making[node] = op, inputs, params


class Computation:
    """f at some arguments, run once and watched.

    `nodes` are those that the results were made of, oldest first; `tape` has the floating leaves of the arguments as
    its inputs, whose `titles` say where they stand.
    """

    def __init__(self, f: Callable[..., Any], args: Sequence[Any], asker: str) -> None:
        if not callable(f):
            raise ArgumentError(f"{asker} takes a function, got {describe(f)}")
        if hasattr(watcher(), "asked"):
            raise TraceError(f"{asker} looks at values, which a function that is being traced has not; call it outside")
        leaves, structure = flatten_each([untouched(a, asker) for a in args])
        arrays = [as_tensor(leaf) for leaf in leaves]
        moving = [k for k, a in enumerate(arrays) if a.dtype.kind in "fc"]
        if not moving:
            raise DTypeError(f"{asker} needs floating or complex arguments, got {describe(arrays)}; write 1.0 for 1")
        paths = titles(tuple(args))
        self.titles = [paths[k] for k in moving]
        notes = _Notes()

        def run(*floating: Any) -> Any:
            full = list(leaves)
            for k, value in zip(moving, floating, strict=True):
                full[k] = value
            return f(*unflatten(structure, full))

        self.f = run  # of the floating leaves
        given = [leaves[k] if isinstance(leaves[k], Tensor) else arrays[k] for k in moving]
        with same_stream():
            self.tape: Tape = quietly(under, beside(notes, MODE.get(), None), Tape, run, given, asker)
        self._making = notes.making
        refuse_unknown((y.node for y in self.tape.outputs), asker)
        self.nodes = self._ancestors([y.node for y in self.tape.outputs])
        self.names = dict(zip(self.tape.inputs, self.titles, strict=True))

    def making(self, node: Node) -> Making:
        """The op, the operands and the parameters that a node was made of."""
        if node.op is not None or node not in self._making:
            return node.op, node.inputs, node.params
        return self._making[node]

    def _ancestors(self, roots: Sequence[Node]) -> list[Node]:
        seen, stack = set(roots), list(roots)
        while stack:
            for i in self.making(stack.pop())[1]:
                if i not in seen:
                    seen.add(i)
                    stack.append(i)
        return sorted(seen, key=attrgetter("tick"))

    def live(self) -> list[Node]:
        """The results of ops that a derivative goes through, oldest first."""
        skipped = {select.name, "alias"}
        return [n for n in self.nodes if n.op is not None and n.live & DIFFERENTIABLE and n.op.name not in skipped]

    def replay(
        self, moved: Mapping[Node, Any], roots: Iterable[Node], convert: Callable[[Any], Any] | None = None
    ) -> Values:
        """The values of the roots, and of all on the way, had these nodes had these values. f itself is not run.

        `convert` changes the dtype of what everything starts from. What no derivative goes through stays what it was:
        what was drawn at random, a choice, a value behind stop_gradient.
        """
        values: Values = dict(moved)
        for n in self.nodes:
            if n in values:
                continue
            if n.op is None or not n.live & DIFFERENTIABLE:
                if convert is not None:
                    values[n] = convert(n.data)
            elif any(i in values for i in n.inputs):
                args = [values[i] if i in values else i.data for i in n.inputs]  # noqa: SIM401  (a Past node's data is costly)
                values[n] = args[0][n.params["index"]] if n.op is select else n.op.forward(*args, **n.params)
        return {n: values.get(n, n.data) for n in roots}

    def recorded(
        self, moved: Mapping[Node, Any], roots: Iterable[Node], convert: Callable[[Any], Any] | None = None
    ) -> tuple[list[Node], list[Node]]:
        """The same, recorded: the nodes of the roots, and leaves with the moved values, in their order."""
        leaves = {n: wrap(Node(value, live=DIFFERENTIABLE)) for n, value in moved.items()}
        values: dict[Node, Any] = dict(leaves)
        for n in self.nodes:
            if n in values:
                continue
            if n.op is None or not n.live & DIFFERENTIABLE:
                values[n] = wrap(Node(n.data if convert is None else convert(n.data)))
            elif n.op is select:
                values[n] = values[n.inputs[0]][n.params["index"]]
            else:
                values[n] = record(n.op, tuple(values[i] for i in n.inputs), n.params)
        return [values[r].node for r in roots], [leaf.node for leaf in leaves.values()]

    def line(self, node: Node) -> str:
        """The user's line that made a node, as it is shown."""
        place = line_of(node)
        return str(place) if place is not None else ""

    def operands(self, node: Node) -> str:
        """The arguments of a node with their names, where they have one."""
        return ", ".join(self.title(i) for i in node.inputs)

    def title(self, node: Node) -> str:
        """The name of a value, or its dtype and shape."""
        name = node.name or self.names.get(node)
        if node.op is not None and node.op.name == "alias" and name is None:
            name = node.inputs[0].name if node.inputs else None
        if isinstance(node.data, tuple):
            return name or describe(node.data)
        if np.ndim(node.data) == 0:
            number = f"{complex(node.data):.4g}" if np.iscomplexobj(node.data) else f"{float(node.data):.4g}"
            return f"{name} = {number}" if name else number
        return f"{name} {describe(node.data)}" if name else describe(node.data)


@contextmanager
def same_stream() -> Iterator[None]:
    """The shared random stream stands afterwards where it stood: what is only looked at draws nothing."""
    numpy = random.shared.numpy
    state = copy.deepcopy(numpy.bit_generator.state)
    try:
        yield
    finally:
        random.shared.numpy, numpy.bit_generator.state = numpy, state


def untouched(tree: Any, asker: str) -> Any:
    """A tree in whose modules f may count and average as it likes: the user's own stay as they are.

    What it is differentiated in is the same: a parameter may stand in other places, too. Raises TraceError for a tree
    whose values are not known.
    """
    leaves = flatten(tree)[0]
    refuse_unknown((leaf.node for leaf in leaves if isinstance(leaf, Tensor)), asker)
    return _copied(tree, {id(leaf): leaf for leaf in leaves})


def _copied(tree: Any, known: dict[int, Any]) -> Any:
    if isinstance(tree, Module):
        return copy.deepcopy(tree, known)
    if type(tree) in (list, tuple):
        return type(tree)([_copied(v, known) for v in tree])
    return {k: _copied(v, known) for k, v in tree.items()} if type(tree) is dict else tree


def titles(args: tuple[Any, ...]) -> list[str]:
    """Where each leaf of the arguments stands: `x`, `args[1]`, `x.layers.0.weight`."""
    out: list[str] = []

    def below(structure: Any, path: str) -> None:
        if structure.kind is None:
            out.append(path)
        for key, child in zip(structure.keys, structure.children, strict=False):
            below(child, f"{path}.{key}" if path else str(key))

    for k, arg in enumerate(args):
        below(flatten(arg)[1], "x" if len(args) == 1 else f"args[{k}]")
    return [t.removeprefix("x.") for t in out] if len(args) == 1 else out
