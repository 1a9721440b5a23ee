"""Derivatives through a compiled function: each call is one node of the graph, whose rules are compiled functions.

The rules run what was traced once more, on arguments that are being differentiated, and take the derivative of that.
Being compiled functions themselves, they can be differentiated again, to any order. A loss whose gradient was asked
for once gets it computed along with its value from then on, so that nothing is computed twice.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.conversion import node_of
from ..core.errors import TraceError
from ..core.mode import tell
from ..core.node import apart, held
from ..core.op import Op, raw
from ..core.place import replays
from ..core.tensor import Node, Tensor, again, record, select, wrap
from ..transforms.tracing import Tape, one_like
from .passes.common import is_random
from .program import Program, Value

Compile = Callable[[Callable[..., Any]], Callable[..., Any]]


class Recording:
    """The instructions of a traced function as it was written, to be recorded again on other arguments."""

    def __init__(self, program: Program) -> None:
        constants = program.constants()
        number = {v: k for k, v in enumerate([*program.arguments, *constants, *program.body])}
        self.arguments = len(program.arguments)
        self.constants = [v.example for v in constants]
        self.steps = [(v.op, tuple(number[i] for i in v.inputs), v.params) for v in program.body]
        self.places = [v.place for v in program.body]
        self.names = [v.name for v in number]
        self.weak = [v.weak for v in program.body]
        self.results = [number[r] for r in program.results]
        self.floats = [a.dtype.kind in "fc" for a in program.arguments]  # those that can be differentiated
        self.random = any(map(is_random, program.body))  # what is drawn in one run is not drawn again in another
        self.reached = self._reached(program, number)
        self.moving = frozenset().union(*self.reached)  # the arguments that some result can be differentiated in

    def _reached(self, program: Program, number: dict[Value, int]) -> list[frozenset[int]]:
        """For each result, the arguments that it can be differentiated in."""
        found = [frozenset({k}) if k < self.arguments else frozenset() for k in range(len(number))]
        for k, v in enumerate(program.body, start=len(number) - len(program.body)):
            assert v.op is not None
            if not v.op.constant:
                found[k] = frozenset().union(*(found[number[i]] for i in v.inputs))
        floats = [r.dtype is not None and r.dtype.kind in "fc" for r in program.results]
        return [found[k] if f else frozenset() for k, f in zip(self.results, floats, strict=True)]

    def run(self, arguments: Sequence[Any]) -> list[Any]:
        values: list[Any] = [*arguments, *self.constants]
        for (op, operands, params), place in zip(self.steps, self.places, strict=True):  # noqa: B007  (read by `user_place`)
            args = tuple(values[k] for k in operands)
            values.append(again(op, args, params))  # type: ignore[arg-type]
        return [values[k] for k in self.results]


class Results(tuple[Any, ...]):
    """The results of a call whose gradient was computed along with them."""

    gradients: Sequence[Any]
    arguments: Sequence[Node]  # where it was computed


class Differentiable:
    """The op that stands for a call of one program."""

    def __init__(
        self, title: str, recording: Recording, forward: Callable[..., Any], compile: Compile, reasons: int
    ) -> None:
        self.title, self.recording, self.compile, self.reasons = title, recording, compile, reasons
        self.rules: dict[Any, Callable[..., Any]] = {}
        self.op = self._op(lambda *arrays: tuple(forward(arrays)), self._vjp)
        self.losses: dict[frozenset[int], Op] = {}  # by the arguments that are differentiated

    def _op(self, forward: Callable[..., Any], vjp: Callable[..., Any]) -> Op:
        count = self.recording.arguments
        return Op(self.title, forward, kind="general", arity=count, many=True, vjp=vjp, jvp=self._jvp, register=False)

    def __call__(self, arguments: Sequence[Any]) -> list[Any]:
        """The results, recorded where they can be differentiated in an argument that is."""
        nodes = [node_of(a) for a in arguments]
        live = frozenset([k for k, n in enumerate(nodes) if n.live])
        op = self.losses.get(live, self.op)
        values = op.forward(*[n.data for n in nodes])
        moving = self.recording.moving
        inputs = tuple([held(n) if k in moving else apart(n) for k, n in enumerate(nodes)])
        if values.__class__ is Results:
            values.arguments = inputs
        reasons = functools.reduce(lambda live, n: live | n.live, nodes, self.reasons)
        whole = wrap(Node(values, op, inputs, {}, reasons))
        tell(whole.node, op, whole.node.inputs, {})
        return [
            wrap(Node(values[k])) if live.isdisjoint(reached) else record(select, (whole,), {"index": k})
            for k, reached in enumerate(self.recording.reached)
        ]

    def _loss(self, target: int, moving: Sequence[int]) -> Op:
        """The op that computes the gradient of the result `target` together with the results."""
        results = range(len(self.recording.results))
        others = [k for k in results if k != target]

        def with_gradient(*xs: Any) -> Any:
            tape = self._tape(moving, (target,), xs, others)
            return tape.value, tape.aux, tape.pull([one_like(tape.outputs[0])])

        compiled = self.compile(with_gradient)

        def forward(*arrays: Any) -> Results:
            (value,), rest, gradients = compiled(*arrays)
            found = dict(zip((target, *others), (value, *rest), strict=True))
            values = Results([node_of(found[k]).data for k in results])
            values.gradients, values.arguments = [node_of(g).data for g in gradients], ()
            return values

        def vjp(xp: Any, need: Any, g: Any, y: Any, *args: Any) -> Any:
            known = xp is raw and y.__class__ is Results and len(y.arguments) == len(args)
            if not known or any(a is not n.data for a, n in zip(args, y.arguments, strict=True)):
                return self._vjp(xp, need, g, y, *args)
            out: list[Any] = [None] * len(args)
            for k, gradient in zip(moving, y.gradients, strict=True):
                out[k] = gradient * g[target]
            return out

        return self._op(forward, vjp)

    def _vjp(self, xp: Any, need: Any, g: Any, y: Any, *args: Any) -> Any:
        wanted = tuple(k for k, n in enumerate(need) if n and self.recording.floats[k])
        given = tuple(k for k, part in enumerate(g) if part is not None)

        def pull(gs: Any, *xs: Any) -> Any:
            return self._tape(wanted, given, xs).pull(gs)

        found = self._run((wanted, given), pull, [g[k] for k in given], args)
        live = frozenset(wanted)
        if xp is raw and live not in self.losses and self.rules[wanted, given] is not pull:
            reached = [k for k, r in enumerate(self.recording.reached) if not live.isdisjoint(r)]
            if reached == list(given) and np.shape(y[given[0]]) == () and y[given[0]].dtype.kind == "f":
                self.losses[live] = self._loss(given[0], wanted)
        return _spread(xp, found, wanted, len(args))

    def _jvp(self, xp: Any, ts: Any, y: Any, *args: Any) -> Any:
        moving = tuple(k for k, t in enumerate(ts) if t is not None and self.recording.floats[k])
        results = tuple(range(len(self.recording.results)))

        def push(ts: Any, *xs: Any) -> Any:
            return self._tape(moving, results, xs).push(ts)

        found = self._run(("jvp", moving), push, [ts[k] for k in moving], args)
        return tuple(_spread(xp, found, results, len(results)))

    def _tape(
        self, moving: Sequence[int], results: Sequence[int], xs: Sequence[Any], others: Sequence[int] = ()
    ) -> Tape:
        """The results as functions of the moving arguments; `others` beside them as they are."""

        def run(*new: Any) -> Any:
            full = list(xs)
            for k, x in zip(moving, new, strict=True):
                full[k] = x
            found = self.recording.run(full)
            return tuple(found[k] for k in results), tuple(found[k] for k in others)

        return Tape(run, [xs[k] for k in moving], "compile", has_aux=True)

    def _run(self, key: Any, rule: Callable[..., Any], given: list[Any], args: Sequence[Any]) -> Any:
        """The rule, compiled; as it is where it looks at values, as rules of linear algebra do."""
        compiled = self.rules.get(key)
        if compiled is None:
            compiled = self.rules[key] = self.compile(rule)
        try:
            return compiled(given, *args)
        except TraceError:
            self.rules[key] = rule
            return rule(given, *args)


replays(Recording.run)


def _spread(xp: Any, found: Sequence[Tensor], places: Sequence[int], count: int) -> list[Any]:
    """What belongs to these places as a rule over `xp` returns it: an array at first order, a Tensor above."""
    out: list[Any] = [None] * count
    for k, t in zip(places, found, strict=True):
        out[k] = t.node.data if xp is raw else t
    return out
