"""A function of one example, recorded once, and run on all of them.

The function is called on the first example, whose values it may compute with but not look at: a decision that hangs on
them would hold for that example alone. What was recorded is then walked once, oldest node first, with each value
replaced by the whole batch of it. No level is counted and nothing is left behind, as with every other walk.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any, cast

import numpy as np

from ...core.errors import TraceError, describe, unhidden
from ...core.mode import MODE, Mode, under, witnesses
from ...core.node import DIFFERENTIABLE, TRACED, Constant, Node, heeded, held, refused_in_trace
from ...core.op import registry
from ...core.place import located, replays
from ...core.quiet import get_errors, in_errors, quietly_aside
from ...core.tensor import Tensor, as_tensor, clock, rec, record, select, wrap
from .rules import Call, aligned, rule_of

VALUE_DEPENDENT_SHAPE = frozenset(
    ("nonzero", "flatnonzero", "argwhere", "compress", "extract", "distinct")
    + ("unique", "unique_all", "unique_counts", "unique_inverse", "unique_values")
)


# A batch needs large arrays for a moment each. glibc hands memory back above twice the largest block that it was ever
# given back, and asks anew, a page at a time, which takes longer than the arithmetic: so it is given one, untouched.
_KEPT = 1 << 23


class Batching:
    """Watches the run on one example: which values differ between examples, and how they were made: under no_grad, or
    in an error state of NumPy's of their own, such as that of a walk, which does not warn of infinite derivatives."""

    def __init__(self, title: str, outer: Mode | None, same: bool) -> None:
        self.title, self.same = title, same
        self.watch: Any = None if outer is None else outer.observe
        self.start = clock()
        self.moving: set[Node] = set()  # what differs between the examples
        self.stopped: set[Node] = set()  # made under no_grad
        self.errors: Any = None  # NumPy's error state in which the run starts
        self.states: dict[Node, Any] = {}  # and that in which a value was made, where it is another
        self.refusals: list[Exception] = []  # to give a value, which the function may have caught
        self.draws: dict[Node, None] = {}  # which differ between the examples

    @property
    def over(self) -> str:
        """What the function is traced for."""
        return f" for all examples of {self.title} at once"

    def __call__(self, node: Node) -> None:
        """A node was made."""
        if self.watch is not None:
            self.watch(node)
        known, moves = self.moving, False
        for i in node.inputs:  # all are asked, so that each is known
            if i in known or (i.live & TRACED and self.moves(i)):
                moves = True
        if not moves:
            return
        known.add(node)
        if not node.live & TRACED:
            node.live |= TRACED
            node.inputs = tuple(map(held, node.inputs))
        mode = MODE.get()
        if mode is not None and not mode.differentiable:
            self.stopped.add(node)
        if (errors := get_errors()) != self.errors:
            self.states[node] = errors
        assert node.op is not None
        if getattr(node.op, "random", False):
            self.draws[node] = None
        name = node.op.name
        masks = name == "gather" and any(self.moves(i) and _is_mask(i) for i in node.inputs[1:])
        if name in VALUE_DEPENDENT_SHAPE or masks:
            raise refused_in_trace(
                TraceError(
                    f"the shape of {name} depends on values, so it may differ between the examples of {self.title}; "
                    "use where(mask, x, 0) in place of x[mask]."
                )
            )

    def moves(self, node: Node) -> bool:
        """Whether a value differs between the examples: also one that a transform made for itself, unwatched."""
        if node in self.moving or not node.live & TRACED or node.tick < self.start:
            return node in self.moving
        path, seen = [node], {node}
        while path:
            n = path[-1]
            if not self.moving.isdisjoint(n.inputs):
                self.moving.add(n)
                path.pop()
                continue
            deeper = next((i for i in n.inputs if i.live & TRACED and i.tick >= self.start and i not in seen), None)
            if deeper is None:
                path.pop()
            else:
                seen.add(deeper)
                path.append(deeper)
        return node in self.moving

    def asked(self, node: Node) -> bool:
        """Whether the program may not look at a value."""
        if self.moves(node):
            return True
        asked = getattr(self.watch, "asked", None)
        return bool(asked(node)) if asked is not None else self.watch is not None and bool(node.live & TRACED)

    def asked_for_text(self, node: Node) -> bool:
        """Whether a text has to do without a value."""
        if self.moves(node):
            return True
        asked = getattr(self.watch, "asked_for_text", None)
        return bool(asked(node)) if asked is not None else bool(node.live & TRACED)

    def differs(self, node: Node) -> None:
        """A value without arguments in the batch differs between examples all the same: a random draw."""
        if node not in self.moving:
            self.moving.add(node)
            self.draws[node] = None
            node.live |= TRACED
            node.inputs = tuple(map(held, node.inputs))

    def hook(self, node: Node, asker: str) -> bool:
        """A gradient is asked for on its way."""
        if self.moves(node):
            raise TraceError(f"{asker}() on a value in {self.title}, which has no gradient of its own; use grad inside")
        hook = getattr(self.watch, "hook", None)
        return bool(hook(node, asker)) if hook is not None else False

    def as_it_is(self) -> None:
        """The function asks whether it is being differentiated."""
        noted = getattr(self.watch, "as_it_is", None)
        if noted is not None:
            noted()

    def written(self, into: Tensor, value: Node) -> None:
        """A Tensor is to take on a new value: one from outside cannot have as many as there are examples."""
        if into.node.tick < self.start and self.moves(value):
            raise TraceError(
                f"{into.name or describe(into)} lives outside of {self.title}, and cannot take on a value that differs "
                "between examples; return the value, or write to a copy made inside"
            )

    def example(self, batch: Tensor) -> Node:
        """What stands for one example of a batch."""
        data = batch.node.data[0] if batch.shape[0] else _stand_in(batch.shape[1:], batch.dtype)
        live = TRACED | batch.node.live
        node = Node(data, live=live)
        if self.watch is not None:  # the outer trace finds its value in the batch
            first = batch[0] if batch.shape[0] else rec.sum(batch, axis=0)
            node = Node(data, registry["alias"], (as_tensor(first).node,), {}, live)
            self.watch(node)
        self.moving.add(node)
        return node


def _stand_in(shape: tuple[int, ...], dtype: Any) -> Any:
    """An example where there is none: numbers that have logarithms and matrices that have inverses, indices of 0."""
    if dtype.kind not in "fc":
        return np.zeros(shape, dtype)[()]
    data = np.ones(shape, dtype)
    if len(shape) > 1 and shape[-2] == shape[-1]:
        data = data + np.diag(np.arange(1, shape[-1] + 1)).astype(dtype)
    return data[()]


def _is_mask(node: Node) -> bool:
    return bool(np.asarray(node.data).dtype == np.bool_)


class Recording:
    """What f does to one example, to be run on any number of them.

    `f` takes a list with a Tensor for each batch and returns a list of leaves.
    """

    def __init__(
        self, f: Callable[[list[Tensor]], list[Any]], batches: Sequence[Tensor], title: str, same: bool = False
    ) -> None:
        np.empty(_KEPT, np.uint8)
        outer = MODE.get()
        watch = Batching(title, outer, same)
        self.examples = [watch.example(b) for b in batches]
        differentiable = outer is None or outer.differentiable
        mode = Mode(differentiable, watch, outer, None, () if outer is None else outer.witnesses)

        def observed(examples: list[Tensor]) -> list[Any]:
            watch.errors = get_errors()
            return f(examples)

        try:
            self.leaves = heeded(watch.refusals, quietly_aside, under, mode, observed, [wrap(n) for n in self.examples])
        except TraceError as error:
            raise located(error, error.__traceback__) from None
        except (ValueError, SystemError) as error:  # NumPy's own, of what happened to a value in `a[i] = t`
            named = unhidden(error)
            if named is None:
                raise
            if not isinstance(named, TraceError):
                raise named from None
            raise located(named, error.__traceback__) from None
        self.roots = [
            leaf.node if isinstance(leaf, Tensor) and watch.moves(leaf.node) else None for leaf in self.leaves
        ]
        self.stopped, self.states = watch.stopped, watch.states
        wanted = {r for r in self.roots if r is not None}
        drawn = set(watch.draws)  # also what no result needs: what is drawn next is drawn next
        self.nodes = _between(wanted | drawn, set(self.examples), watch.moving)
        drawn_since(watch.start, watch.watch)
        if any(n.op is None for n in self.nodes):
            write_out(watch)
            raise TraceError(
                "a value of one step of a loop is used outside of it, where it is unknown which step's: return it as a "
                "part of the carry"
            )
        self.dying: dict[Node, list[Node]] = {}  # what nobody needs after a node
        seen = set(wanted)
        for n in reversed(self.nodes):
            last = [i for i in dict.fromkeys(n.inputs) if i in watch.moving and i not in seen]
            seen.update(last)
            if last:
                self.dying[n] = last

    def run(self, batches: Sequence[Tensor], size: int) -> list[tuple[Any, bool]]:
        """The results for every example of the batches, whose first axis counts them.

        For each leaf of what f returns its batch and True, or, where it does not depend on the examples, the leaf
        itself and False.
        """
        values: dict[Node, Any] = dict(zip(self.examples, batches, strict=True))

        def replay(nodes: Iterable[Node]) -> None:
            for n in nodes:
                values[n] = _value(n, values, size, n in self.stopped)
                for i in self.dying.get(n, ()):
                    del values[i]

        for state, nodes in itertools.groupby(self.nodes, self.states.get):  # the error states of their examples
            if state is None:
                replay(nodes)
            else:
                in_errors(state, replay, nodes)
        for witness in witnesses():
            witness.replayed([values[r].node for r in self.roots if r is not None])
        return [
            (leaf, False) if r is None else (values[r], True) for leaf, r in zip(self.leaves, self.roots, strict=True)
        ]


def drawn_since(since: int, watch: Any) -> list[Node]:
    """What those who watch have noted as drawn since then, which is taken from them: somebody else draws it.

    So is what they have noted since then as what may raise.
    """
    found: dict[Node, None] = {}
    while watch is not None:
        noted: dict[Node, None] = getattr(watch, "draws", {})
        for n in [n for n in noted if n.tick > since]:
            del noted[n]
            found[n] = None
        raising: dict[Node, None] = getattr(watch, "raising", {})
        for n in [n for n in raising if n.tick > since]:
            del raising[n]
        watch = getattr(watch, "watch", None)
    return list(found)


def write_out(watch: Any) -> None:
    """Let whoever traces a program know that the steps of its loops are to be written out."""
    while watch is not None:
        if hasattr(watch, "write_out"):
            watch.write_out()
        watch = getattr(watch, "watch", None)


def _between(roots: set[Node], known: set[Node], moving: set[Node]) -> list[Node]:
    """The nodes that the roots need and that differ between examples, oldest first."""
    seen = set(roots)
    stack = list(seen)
    while stack:
        n = stack.pop()
        if n in known:
            continue
        for i in n.inputs:
            if i in moving and i not in seen:
                seen.add(i)
                stack.append(i)
    return sorted(seen.difference(known), key=attrgetter("tick"))


def _value(n: Node, values: dict[Node, Any], size: int, stopped: bool) -> Any:
    """The batch of one node."""
    op, place = n.op, n.meta.place if n.meta is not None else None  # noqa: F841  (read by `user_place`)
    assert op is not None
    if op is select:
        return values[n.inputs[0]][n.params["index"]]
    if op.name == "alias":
        y: Any = values[n.inputs[0]]
        return _constant(y, stopped) if stopped or not n.live & DIFFERENTIABLE else y
    moving = [i in values for i in n.inputs]
    args = [values[i] if moves else _shared(i) for i, moves in zip(n.inputs, moving, strict=True)]
    rule = rule_of(op)
    y = None
    if rule is aligned and not op.many and len({np.ndim(i.data) for i in n.inputs}) == 1:  # no axes to be moved
        y = record(op, tuple(args), n.params)
    if y is None or y.ndim == np.ndim(n.data):
        y = rule(Call(op, size, args, moving, [i.data for i in n.inputs], n.data, n.params))
    if stopped or not n.live & DIFFERENTIABLE:  # as the transforms inside left it, which have taken their derivatives
        return tuple(_constant(part, stopped) for part in y) if op.many else _constant(y, stopped)
    return y


replays(_value)


def _constant(y: Tensor, stopped: bool) -> Tensor:
    return cast(Tensor, rec.stop_gradient(y)) if stopped or y.node.live & DIFFERENTIABLE else y


def _shared(node: Node) -> Any:
    """An argument that is the same for all examples."""
    return wrap(node) if not isinstance(node, Constant) or hasattr(node.data, "dtype") else node.data
