"""Run a function once on recorded tensors and read its program off the graph."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from ..core.beside import as_leaves, has_beside
from ..core.conversion import node_of
from ..core.errors import TraceError, describe, unhidden
from ..core.leaks import leaked
from ..core.node import TRANSFORMED, Constant, heeded, held, refused_in_trace
from ..core.op import Op, registry
from ..core.place import Place, located, user_place
from ..core.quiet import quietly, strict
from ..core.standing import Number
from ..core.structure import below
from ..core.tensor import DIFFERENTIABLE, MODE, TRACED, Mode, Node, Tensor, clock, under, wrap
from ..core.tree import Attributes, Structure, flatten, unflatten
from ..transforms.loops.body import OUTSIDE
from .borrowed import Borrowed, computed
from .environment import Environment
from .facts import Fact
from .failing import op_may_raise
from .names import identifier
from .program import NUMBERS, OPERATORS, Program, Value, as_weak, constant
from .remade import Remade, is_object
from .shown import is_just_shown

SPARED = 1 << 16  # bytes: what is smaller is kept while it is traced
VALUE_DEPENDENT_SHAPE = frozenset(
    ("nonzero", "flatnonzero", "argwhere", "compress", "extract")
    + ("unique", "unique_all", "unique_counts", "unique_inverse", "unique_values")
)


class Traced(NamedTuple):
    """A program and how its results make up what the function returned."""

    program: Program
    hidden: list[Fact]  # where Tensors lie that the function reaches by itself: further arguments, read at each call
    structure: Structure  # of what the function returned
    borrowed: Borrowed  # what of it is the arguments' own, or is to be made anew at each call
    outputs: list[Any]  # one per leaf of it: the index of a program result, or `Fixed(leaf)`
    settled: tuple[bool, ...]  # for each argument whether an update took it whose result is returned, as a leaf
    made: tuple[bool, ...]  # for each result whether an update made it
    paced: frozenset[int]  # the arguments, hidden ones too, of which its step size or the like was made
    transformed: bool  # whether the function takes derivatives itself
    hooked: bool  # whether it asks for gradients on their way, which a program does not have
    odd: Sequence[Odd] = ()  # what a look for anomalies is to find, and the program has not


class Odd(NamedTuple):
    """An op that made NaN or an infinity of constants."""

    op: Op
    args: list[Any]
    params: Mapping[str, Any]
    value: Any
    place: Place | None


class Fixed(NamedTuple):
    """A returned leaf that does not depend on the arguments."""

    leaf: Any


class Disturbed(Exception):
    """A trace that found the function to depend on what it changes; everything is as it was before."""


def tracing() -> bool:
    """Whether the caller is being run by `compile`, to be written down and not to be computed."""
    mode = MODE.get()
    return mode is not None and getattr(mode.observe, "traces", False)


def sparing(source: Any, tensors: Iterable[Any]) -> Any:
    """See `Recorder.sparing`; where nothing is being traced, or something else looks on too, nothing is spared."""
    mode = MODE.get()
    watch = mode.observe if mode is not None else None
    return watch.sparing(source, tensors) if isinstance(watch, Recorder) else nullcontext()


def _shown() -> Any:
    """Where warnings go, which is a list where `warnings.catch_warnings(record=True)` holds."""
    return getattr(warnings, "_showwarnmsg_impl", None)


def _raises_warnings() -> bool:
    """Whether a warning of NumPy's is an error here."""
    chosen = (row[0] for row in warnings.filters if issubclass(RuntimeWarning, row[2]))
    return next(chosen, "") == "error"


class Recorder:
    """Watches a traced run: notes the user's line of every new value, and which Tensors from outside it uses.

    A Tensor from outside takes part as a node of its own, so that no other thread sees a mark on the Tensor itself.
    """

    traces = True

    def __init__(self, title: str, environment: Environment) -> None:
        self.title, self.environment = title, environment
        self.hidden: dict[Node, Fact] = {}  # the node that stands for a Tensor from outside -> where that lies
        self.stand_ins: dict[Node, Node] = {}  # its own node -> the one that stands for it
        self.arguments: set[Node] = set()
        self.known: set[Node] = set()  # what this run has made
        self.stopped: set[Node] = set()  # made under no_grad
        self.of_steps: set[Node] = set()  # what stands for values that change from step to step of a loop
        self.draws: dict[Node, None] = {}  # taken whether a result needs them or not
        self.raising: dict[Node, None] = {}  # what may raise, which runs whether a result needs it or not
        self.hooked = environment.as_it_is
        self.refusals: list[Exception] = []  # to give a value, which the function may have caught
        self.odd: list[Odd] = []
        self.spared: dict[Any, Any] = {}  # shape, strides and dtype -> an array that stands for new ones of this form
        self.filters, self.shown = warnings.filters, _shown()
        self.start = clock()

    def __call__(self, node: Node) -> None:
        """A node was made."""
        place = user_place(2)
        if place is not None and not place.function:
            place = Place(place.file, place.line, place.prefix, self.title, place.op)
        node.more().place = place
        mode = MODE.get()
        self.known.add(node)
        if any(
            (i.tick < self.start and not isinstance(i, Constant)) or (i.live & TRACED and i not in self.known)
            for i in node.inputs
        ):
            node.inputs = tuple(map(self._own, node.inputs))
            node.tick = clock()  # younger than what stands for its inputs
        if not node.live & TRACED:
            if not any(i.live & TRACED for i in node.inputs):
                self._note(node)
                return
            node.live |= TRACED
            node.inputs = tuple(map(held, node.inputs))
        if strict() or (warnings.filters is not self.filters and (_shown() is not self.shown or _raises_warnings())):
            self.as_it_is()  # the function may go by what NumPy raises, or warns of, which depends on values
        if mode is not None and not mode.differentiable:
            self.stopped.add(node)
        assert node.op is not None
        if getattr(node.op, "random", False):
            self.draws[node] = None
        elif op_may_raise(node.op):
            self.raising[node] = None
        if node.op.name in OPERATORS and all(type(i.data) in NUMBERS for i in node.inputs):
            node.data = as_weak(node.data)
        if self.spared and type(node.data) is np.ndarray and isinstance(node.op.plain, np.ufunc):
            node.data = self.spared.get(_form(node.data), node.data)
        if self._unknown_shape(node):
            raise refused_in_trace(
                TraceError(
                    f"the shape of {node.op.name} depends on values, which are not known while a function is being "
                    "traced. Use where(mask, x, 0) in place of x[mask], or make the mask a static argument."
                )
            )

    def _note(self, node: Node) -> None:
        """Keep how a number that is not finite was made of constants, of which the program has only what came out."""
        parts = node.data if isinstance(node.data, (tuple, list)) else (node.data,)
        if all(np.isfinite(p).all() for p in map(np.asarray, parts) if p.dtype.kind in "fc"):
            return
        assert node.op is not None
        place = node.meta.place if node.meta is not None else None
        self.odd.append(Odd(node.op, [i.data for i in node.inputs], node.params, node.data, place))

    def _unknown_shape(self, node: Node) -> bool:
        """Whether the shape of a result depends on values that are not known."""
        assert node.op is not None
        if node.op.name not in VALUE_DEPENDENT_SHAPE and not _masked(node):
            return False
        deciding = node.inputs[1:] if node.op.name == "gather" else node.inputs
        return True in [self.asked(i) for i in deciding]  # all are asked: the program is for these values

    def _own(self, node: Node) -> Node:
        """The node that stands for this one in the traced run."""
        if node.live & TRACED and node not in self.known:
            if node.tick < self.start or (node.op is None and node.meta is not None and node.meta.place is not None):
                raise leaked(node, self.title)
            self.known.add(node)  # made by a transform for itself
            node.inputs = tuple(map(self._own, node.inputs))
        elif node.tick < self.start and not isinstance(node, Constant):
            return self._stand_in(node)
        return node

    def _stand_in(self, node: Node) -> Node:
        if node not in self.stand_ins:
            fact = self.environment.find(node)
            if fact is None:
                what = repr(node.name) if node.name else f"a Tensor {describe(node.data)}"
                raise TraceError(
                    f"{what} comes from outside of {self.title}, where it cannot be found again at the next call: "
                    "it is no closure variable, global, attribute or item in reach. Pass it as an argument."
                )
            twin = Node(node.data, registry["alias"], (node,), {}, TRACED | node.live)
            twin.more().name = node.name
            self.stand_ins[node] = twin
            self.hidden[twin] = fact
            self.known.add(twin)
        return self.stand_ins[node]

    def asked(self, node: Node) -> bool:
        """Whether a value is not known; if it is known from what surrounds the function, the program is for it."""
        found = self._known_from(node)
        for fact in found or ():
            fact.valued = True
        return found is None

    def asked_for_text(self, node: Node) -> bool:
        """The same of a value that is to be shown, with its name; that of a parameter is no reason to refuse it."""
        found = self._known_from(node, learning=True)
        for fact in found or ():
            fact.valued = fact.shown = True
        if found is None and not is_just_shown():
            self.as_it_is()  # somebody may compute with the text
        return found is None

    def _known_from(self, node: Node, learning: bool = False) -> list[Fact] | None:
        """The facts from which a value is known; None for one that is not, nor, unless `learning`, a parameter's."""
        found: list[Fact] = []
        stack, seen = [node], {node}
        while stack:
            n = stack.pop()
            if n.tick < self.start and not isinstance(n, Constant) and not n.live & TRACED:
                n = self._stand_in(n)
            if n in self.hidden:
                if n.live & DIFFERENTIABLE and not learning:
                    return None
                found.append(self.hidden[n])
            elif n.live & TRACED:
                if n.op is None or getattr(n.op, "random", False):
                    return None
                stack += [i for i in n.inputs if i not in seen]
                seen.update(n.inputs)
        return found

    @contextmanager
    def sparing(self, source: Tensor, tensors: Iterable[Any]) -> Iterator[None]:
        """Meanwhile no large array that a ufunc makes is kept, if it has the form of one of these: that stands for it.

        For code that reads no value, and makes nothing whose value is known where that of `source` is not.
        """
        before = self.spared
        arrays = [t.node.data for t in tensors if isinstance(t, Tensor)]
        large = [a for a in arrays if type(a) is np.ndarray and a.nbytes >= SPARED]
        if large and self._known_from(source.node) is None:
            self.spared = {_form(a): a for a in large}
        try:
            yield
        finally:
            self.spared = before

    def hook(self, node: Node, asker: str) -> bool:
        """A gradient is asked for on its way: whether it is that of a traced value."""
        if node.tick < self.start:
            raise TraceError(f"{asker}() on a Tensor from outside of {self.title}: do it there, once, not at each call")
        self.hooked = self.hooked or bool(node.live & TRACED)
        return bool(node.live & TRACED)

    def as_it_is(self) -> None:
        """What the function does hangs on whether it is being differentiated, so that it will be run as it is."""
        self.hooked = True

    @property
    def written_out(self) -> bool:
        """Whether the steps of loops are to be written out one by one."""
        return self.environment.written_out

    def write_out(self) -> None:
        """A step of a loop reads what an earlier one wrote: the function is to be traced again."""
        self.environment.written_out = True

    @property
    def guessed(self) -> bool:
        """Whether values of one step stand for those of a loop, so that an op may refuse them."""
        return self.environment.guessed

    def may_guess(self) -> bool:
        """Whether what a loop computes may be shown with the values of one step, so that it need not run."""
        self.environment.guessed = not self.environment.exact
        return self.environment.guessed

    def run(self, f: Callable[..., Any], args: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
        """f, watched."""
        return heeded(self.refusals, quietly, under, Mode(True, self), f, *args, **keywords)


def _form(a: Any) -> Any:
    return a.shape, a.strides, a.dtype


def _masked(node: Node) -> bool:
    """Whether an index that is not known yet is a boolean mask, so that it selects an unknown number of elements."""
    assert node.op is not None
    return node.op.name == "gather" and any(
        i.live & TRACED and getattr(i.data, "dtype", None) == np.bool_ for i in node.inputs[1:]
    )


def trace(
    f: Callable[..., Any],
    args: Any,
    static: Callable[[Any], bool],
    names: Sequence[str],
    name: str,
    environment: Environment | None = None,
) -> Traced:
    """The program of `f(*args[0], **args[1])`, typed by these arguments.

    `static(leaf)` tells which leaves of the arguments stay what they are; `names` are the names of the others;
    `environment` is what f reaches beside them.
    """
    recorder = Recorder(name, environment or Environment([(name, f)]))
    leaves, structure = flatten(args)
    nodes = [None if static(leaf) else Node(node_of(leaf).data, live=TRACED) for leaf in leaves]
    given = [leaf if n is None else wrap(n) for leaf, n in zip(leaves, nodes, strict=True)]
    moving = [n for n in nodes if n is not None]
    for n, title in zip(moving, names, strict=True):
        n.more().name = title
        n.more().place = Place("", 0, function=name)
    recorder.known.update(moving)
    try:
        positional, keywords = recorder.run(unflatten, (structure, given), {})  # a dataclass computes of its fields
        run = recorder.run(flatten, ((positional, keywords),), {})[1] if _computes(structure) else structure
        returned, shape = recorder.run(flatten, (recorder.run(f, positional, keywords),), {})
        theirs = [*leaves, *_numbers_in(structure), *(v for s in below(run) for _, v in computed(s.extra))]
        returned = [leaf.leaf if issubclass(type(leaf), Number) else leaf for leaf in returned]
        if has_beside(shape):
            returned, shape = as_leaves(returned, shape, {*map(id, theirs)}, _is_traced)
        roots: list[Node] = []
        outputs: list[Any] = []
        for leaf in returned:
            node = recorder._own(leaf.node) if isinstance(leaf, Tensor) else None
            if node is None or not node.live & TRACED:
                outputs.append(Fixed(leaf))
            else:
                outputs.append(len(roots))
                roots.append(node)
        remade = Remade(name, recorder.environment, theirs, shape, [o.leaf for o in outputs if isinstance(o, Fixed)])
    except (ValueError, SystemError, TraceError) as error:
        named = error if isinstance(error, TraceError) else unhidden(error)
        if named is None:
            raise
        raise (located(named, error.__traceback__) if isinstance(named, TraceError) else named) from None
    arguments = {n: Value(None, example=n.data, name=n.name) for n in moving}
    for n in recorder.hidden:
        arguments[n] = Value(None, example=n.data, name=n.name or identifier(recorder.hidden[n].path))
    body, results = _instructions(arguments, roots, recorder)
    program = Program(name, list(arguments.values()), body, results)
    steps = any(r.meta is not None and r.meta.settled for r in roots)
    settled = tuple(steps and n.meta is not None and n.meta.settled for n in moving)
    made = tuple(r.meta is not None and r.meta.settled for r in roots)
    transformed = any(r.live & TRANSFORMED for r in roots)
    hidden = list(recorder.hidden.values())
    paced = _paced(roots, list(arguments)) if steps else frozenset()
    borrowed = Borrowed(
        structure, run, shape, remade, [o.leaf for o in outputs if isinstance(o, Fixed) and is_object(o.leaf)]
    )
    return Traced(
        program,
        hidden,
        borrowed.returned,
        borrowed,
        outputs,
        settled,
        made,
        paced,
        transformed,
        recorder.hooked,
        recorder.odd,
    )


def _is_traced(node: Node) -> bool:
    return bool(node.live & TRACED)


def _numbers_in(structure: Structure) -> list[Any]:
    """What stands for numbers among the attributes of the arguments."""
    extras = [s.extra for s in below(structure) if type(s.extra) is Attributes]
    return [v for extra in extras for _, v in extra.pairs if issubclass(type(v), Number)]


def _computes(structure: Structure) -> bool:
    """Whether a container of the arguments has attributes that it computes of its leaves."""
    return any(computed(s.extra) for s in below(structure))


def _paced(roots: Sequence[Node], arguments: Sequence[Node]) -> frozenset[int]:
    """The arguments of which the step sizes of updates were made."""

    def above(nodes: Iterable[Node]) -> set[Node]:
        seen, stack = set(nodes), list(nodes)
        while stack:
            for i in stack.pop().inputs:
                if i not in seen:
                    seen.add(i)
                    stack.append(i)
        return seen

    of_them = above([n for n in above(roots) if n.meta is not None and n.meta.number])
    outside = {n for n in arguments if not of_them.isdisjoint(n.inputs)}  # what stands for a step size from outside
    return frozenset(k for k, n in enumerate(arguments) if n in of_them or n in outside)


def _instructions(
    arguments: dict[Node, Value], roots: Sequence[Node], recorder: Recorder
) -> tuple[list[Value], list[Value]]:
    """The nodes that the roots need, oldest first, as instructions. Aliases leave no instruction.

    What was made under no_grad, no derivative goes through.
    """
    seen = {*roots, *recorder.draws, *recorder.raising}
    stack = list(seen)
    while stack:
        n = stack.pop()
        if n in arguments or not n.live & TRACED:
            continue
        for i in n.inputs:
            if i not in seen:
                seen.add(i)
                stack.append(i)
    values: dict[Node, Value] = dict(arguments)
    renamed: dict[Op, Op] = {}
    body = []
    for n in sorted(seen, key=attrgetter("tick")):
        if n in values:
            continue
        if n in recorder.of_steps:
            recorder.write_out()
            raise TraceError(OUTSIDE)
        if n.op is None or not n.live & TRACED:
            values[n] = constant(n.data.copy() if isinstance(n.data, np.ndarray) else n.data)
            continue
        inputs = tuple(values[i] for i in n.inputs)
        if n.op.name == "alias":
            values[n] = inputs[0]
            continue
        op = n.op
        if registry.get(op.name, op) is not op:  # a user's primitive that is called as an op of ours
            op = renamed.setdefault(op, op.under(f"{op.name}_of_user"))
        v = Value(op, inputs, n.params, n.data, name=n.name, place=n.meta.place if n.meta is not None else None)
        values[n] = v
        body.append(v)
        if n in recorder.stopped and v.shape is not None:
            values[n] = Value(registry["stop_gradient"], (v,), {}, v.example, place=v.place)
            body.append(values[n])
    return body, [values[r] for r in roots]
