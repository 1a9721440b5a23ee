"""One step of a loop: a list of ops without values, to be run, recorded again, cut apart and differentiated."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np

from ...core.conversion import node_of
from ...core.errors import TraceError
from ...core.mode import MODE, Mode, under, watcher
from ...core.node import Node, heeded, held
from ...core.op import Op, registry
from ...core.place import replays, user_place
from ...core.quiet import quietly
from ...core.tensor import DIFFERENTIABLE, TRACED, Tensor, again, as_tensor, clock, wrap
from ..batching.trace import Batching, drawn_since

NUMBERS = (bool, int, float, complex)
_STILL = frozenset({*NUMBERS, str, type(None), type(...)})


class Step(NamedTuple):
    """One op. An operand is the number of an earlier value: inputs come first, then constants, then the steps."""

    op: Op
    operands: tuple[int, ...]
    params: Any
    place: Any = None
    weak: bool = False  # whether it makes a Python number of Python numbers
    drawn: Any = None  # of a random draw: what stands for it while the step is recorded again

    @property
    def random(self) -> bool:
        return bool(getattr(self.op, "random", False))


class Body:
    """What one step computes: `inputs` values come in, and the values of the numbers `results` go out."""

    def __init__(self, inputs: int, constants: Sequence[Any], steps: Sequence[Step], results: Sequence[int]) -> None:
        self.inputs, self.constants, self.steps, self.results = inputs, list(constants), list(steps), list(results)
        self.first = inputs + len(self.constants)  # the number of the first step
        self.random = any(s.random for s in self.steps)

    def __call__(self, arrays: Sequence[Any]) -> list[Any]:
        """The results for these arrays, one op after the other."""
        values = [*arrays, *self.constants]
        for s in self.steps:
            y = s.op.forward(*[values[k] for k in s.operands], **s.params)
            values.append(y.item() if s.weak and hasattr(y, "dtype") else y)
        return [values[k] for k in self.results]

    def record(self, given: Sequence[Any]) -> list[Tensor]:
        """The results for these Tensors, recorded as usual; what is drawn is drawn by whoever runs the record."""
        values: list[Any] = [*given, *self.constants]
        for op, operands, params, place, weak, drawn in self.steps:  # noqa: B007  (`place` is read by `user_place`)
            args = tuple(values[k] for k in operands)
            draws = getattr(op, "random", False) and op.recorded is None
            y = _drawn(op, args, params, drawn) if draws else again(op, args, params)
            if weak and hasattr(y.node.data, "dtype"):
                y.node.data = y.node.data.item()
            values.append(y)
        return [as_tensor(values[k]) for k in self.results]

    def depends(self, sources: Collection[int], moved: bool = True) -> list[bool]:
        """For every value whether one of these inputs goes into it; `moved`: so that it has a derivative."""
        found = [k in sources for k in range(self.first)]
        for s in self.steps:
            found.append(not (moved and s.op.constant) and any(found[k] for k in s.operands))
        return found

    def draws(self) -> list[int]:
        """The numbers of the steps that draw, which are taken whether a result needs them or not."""
        return [k for k, s in enumerate(self.steps, start=self.first) if s.random]

    def part(
        self,
        inputs: Sequence[int],
        results: Sequence[int],
        draws: bool = False,
        without: Collection[int] = (),
        beside: Collection[int] = (),
    ) -> Body | None:
        """The body from these values to those; None where it would need another input, or draw a second time.

        With `draws` it draws what the body draws, but for what is among the inputs or `without`. Steps
        `beside` run too.
        """
        number: dict[int, int] = {k: place for place, k in enumerate(inputs)}
        wanted = self.reached([*results, *beside, *(set(self.draws()).difference(without) if draws else ())], number)
        if any(k < self.inputs for k in wanted):
            return None
        if not draws and any(k >= self.first and self.steps[k - self.first].random for k in wanted):
            return None
        held = [k for k in wanted if k < self.first]
        made = [k for k in wanted if k >= self.first]
        number |= {k: len(inputs) + place for place, k in enumerate([*held, *made])}
        steps = [
            s._replace(operands=tuple(number[i] for i in s.operands))
            for s in (self.steps[k - self.first] for k in made)
        ]
        constants = [self.constants[k - self.inputs] for k in held]
        return Body(len(inputs), constants, steps, [number[k] for k in results])

    def reached(self, results: Iterable[int], stop: Collection[int] = ()) -> list[int]:
        """The numbers of what these results are made of, oldest first, as far as `stop`, which is left out."""
        seen: set[int] = set()
        stack = [k for k in results if k not in stop]
        while stack:
            k = stack.pop()
            if k in seen:
                continue
            seen.add(k)
            if k >= self.first:
                stack += [i for i in self.steps[k - self.first].operands if i not in stop]
        return sorted(seen)

    def placed(self, places: Sequence[int], inputs: int) -> Body:
        """The same with further inputs: input k becomes input places[k] of `inputs`."""
        more = inputs - self.inputs

        def moved(k: int) -> int:
            return places[k] if k < self.inputs else k + more

        steps = [s._replace(operands=tuple(map(moved, s.operands))) for s in self.steps]
        return Body(inputs, self.constants, steps, list(map(moved, self.results)))

    def alike(self, other: Body) -> bool:
        """Whether both compute the same."""
        if (self.inputs, self.results, len(self.steps)) != (other.inputs, other.results, len(other.steps)):
            return False
        if len(self.constants) != len(other.constants) or not all(map(_same, self.constants, other.constants)):
            return False
        return all(
            s.op.alike(t.op) and s.operands == t.operands and s.weak == t.weak and key_of(s.params) == key_of(t.params)
            for s, t in zip(self.steps, other.steps, strict=True)
        )


def _same(a: Any, b: Any) -> bool:
    x, y = np.asarray(a), np.asarray(b)
    return type(a) is type(b) and x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes()


def key_of(value: Any) -> Any:
    """A key of static parameters that is equal where they are the same; of what may change, which object it is."""
    kind = type(value)
    if kind in _STILL:
        return kind, repr(value)
    if kind is tuple or kind is list:
        return kind, tuple(map(key_of, value))
    if isinstance(value, dict):
        return kind, tuple((k, key_of(v)) for k, v in value.items())
    if kind is slice:
        return kind, key_of((value.start, value.stop, value.step))
    if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic)):
        return "dtype", np.dtype(value).str
    if isinstance(value, np.ndarray):
        return kind, value.dtype.str, value.shape, value.tobytes()
    return kind, id(value)


def _drawn(op: Op, args: tuple[Any, ...], params: Any, drawn: Any) -> Tensor:
    """The node of a random draw without drawing: an example stands for it."""
    node = Node(drawn, op, tuple(held(node_of(a)) for a in args), params, TRACED)
    watch = watcher()
    if watch is not None:
        watch(node)
    if isinstance(watch, Batching) and not watch.same:
        watch.differs(node)
    return wrap(node)


replays(Body.record)


OUTSIDE = (
    "a value of one step of a loop is used outside of it, where it is unknown which step's: return it as a part of the "
    "carry, or beside it"
)


class Tracer:
    """Watches a step that is recorded again: notes the user's line of each value, and what was made under no_grad."""

    traces = True  # whoever draws random numbers leaves that to the program

    def __init__(self) -> None:
        self.stopped: set[Node] = set()
        self.refusals: list[Exception] = []  # to give a value, which the step may have caught
        self.draws: dict[Node, None] = {}
        self.start = clock()

    def __call__(self, node: Node) -> None:
        if not node.live & TRACED:
            return
        node.more().place = user_place(2)
        if getattr(node.op, "random", False):
            self.draws[node] = None
        mode = MODE.get()
        if mode is not None and not mode.differentiable:
            self.stopped.add(node)

    def asked(self, node: Node) -> bool:
        return bool(node.live & TRACED)

    def write_out(self) -> None:
        """A step reads what it writes: what is recorded again here has been found to do so before."""


class Learning:
    """Watches a step that is run to learn what it gives."""

    draws_again = True  # whoever draws random numbers leaves their stream as it was

    def __call__(self, node: Node) -> None:
        pass


def learned(f: Callable[..., Any], *args: Any) -> Any:
    """What a step that is not taken would give: nobody is told, or warned, of it, and no stream moves on."""
    mode = MODE.get()
    if mode is not None and mode.observe is not None:  # as for every step that is written down
        since = clock()
        try:
            return f(*args)
        finally:
            drawn_since(since, mode.observe)
    return quietly(under, Mode(mode is None or mode.differentiable, Learning()), f, *args)


def traced(f: Callable[[list[Tensor]], Sequence[Any]], examples: Sequence[Any]) -> tuple[Body, list[Any]]:
    """f of as many Tensors as there are examples, which has no inputs beside them, as a body; and what it gave."""
    tracer = Tracer()
    sources = [Node(e, live=TRACED) for e in examples]
    since = clock()
    found = heeded(tracer.refusals, quietly, under, Mode(True, tracer), f, [wrap(n) for n in sources])
    roots = [as_tensor(y).node for y in found]
    grown = Growth([*roots, *tracer.draws], sources, since)
    if grown.closure:
        raise TraceError("a loop's step uses a value that was traced elsewhere")
    return grown.body(sources, roots, tracer.stopped), [r.data for r in roots]


class Growth:
    """What recorded nodes are made of since a tick: the nodes inside, and `closure`, live ones from before it."""

    def __init__(self, roots: Iterable[Node], sources: Sequence[Node], since: int) -> None:
        self.since = since
        self.inside: list[Node] = []
        self.closure: list[Node] = []
        known = set(sources)
        seen: set[Node] = set()
        stack = list(map(self._itself, roots))
        while stack:
            n = stack.pop()
            if n in seen or n in known:
                continue
            seen.add(n)
            if n.tick <= since or _stands_in(n):
                if n.live & (TRACED | DIFFERENTIABLE):
                    self.closure.append(n)
            elif n.op is not None and n.live:
                self.inside.append(n)
                stack += map(self._itself, n.inputs)
            elif n.live & TRACED:
                raise TraceError(OUTSIDE)
        self.closure.sort(key=attrgetter("tick"))
        self.inside.sort(key=attrgetter("tick"))

    def _itself(self, n: Node) -> Node:
        """What an alias that was made inside is the alias of."""
        while n.op is not None and n.op.name == "alias" and n.tick > self.since and not _stands_in(n):
            n = n.inputs[0]
        return n

    def body(self, sources: Sequence[Node], roots: Sequence[Node], stopped: Collection[Node]) -> Body:
        """The body whose inputs are the sources and then the closure. What is computed twice is computed once."""
        inputs = [*sources, *self.closure]
        number = {n: k for k, n in enumerate(inputs)}
        made = set(self.inside)
        constants: dict[Any, int] = {}
        data: list[Any] = []
        for n in [*(i for m in self.inside for i in m.inputs), *roots]:
            n = self._itself(n)
            if n not in number and n not in made:
                key = (type(n.data), repr(n.data)) if type(n.data) in NUMBERS else id(n)
                if key not in constants:
                    constants[key] = len(inputs) + len(data)
                    data.append(n.data.copy() if isinstance(n.data, np.ndarray) else n.data)
                number[n] = constants[key]
        first = len(inputs) + len(data)
        steps: list[Step] = []
        known: dict[Any, int] = {}

        def add(step: Step) -> int:
            key = (step.op, step.operands, key_of(step.params))
            if step.random or key not in known:
                known[key] = first + len(steps)
                steps.append(step)
            return known[key]

        for n in self.inside:
            assert n.op is not None
            operands = tuple(number[self._itself(i)] for i in n.inputs)
            place = n.meta.place if n.meta is not None else None
            weak = type(n.data) in NUMBERS
            drawn = n.data if getattr(n.op, "random", False) else None
            number[n] = add(Step(n.op, operands, n.params, place, weak, drawn))
            if n in stopped and not n.op.many:
                number[n] = add(Step(registry["stop_gradient"], (number[n],), {}, place, weak))
        return Body(len(inputs), data, steps, [number[self._itself(r)] for r in roots])


def _stands_in(n: Node) -> bool:
    """Whether a node stands in a trace for one from outside of it."""
    traced = bool(n.live & TRACED) and not any(i.live & TRACED for i in n.inputs)
    return traced and n.op is not None and n.op.name == "alias"
