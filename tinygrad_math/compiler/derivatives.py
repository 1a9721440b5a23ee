"""Derivatives through a compiled function: each call is one node of the graph, whose rules are compiled functions.

The rules run what was traced once more, on arguments that are being differentiated, and take the derivative of that.
Being compiled functions themselves, they can be differentiated again, to any order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..core.errors import TraceError
from ..core.op import Op, raw
from ..core.tensor import Node, Tensor, record, select, wrap
from ..transforms.tracing import Tape
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
        self.results = [number[r] for r in program.results]
        self.floats = [a.dtype.kind in "fc" for a in program.arguments]  # those that can be differentiated
        self.random = any(map(is_random, program.body))  # what is drawn in one run is not drawn again in another
        self.reached = self._reached(program, number)

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
        for op, operands, params in self.steps:
            args = tuple(values[k] for k in operands)
            values.append(args[0][params["index"]] if op is select else record(op, args, params))  # type: ignore[arg-type]
        return [values[k] for k in self.results]


class Differentiable:
    """The op that stands for a call of one program."""

    def __init__(self, title: str, recording: Recording, forward: Callable[..., Any], compile: Compile) -> None:
        self.recording, self.compile = recording, compile
        self.rules: dict[Any, Callable[..., Any]] = {}
        self.op = Op(
            title, lambda *arrays: tuple(forward(arrays)), kind="general", arity=recording.arguments, many=True,
            vjp=self._vjp, jvp=self._jvp, register=False,
        )  # fmt: skip

    def __call__(self, arguments: Sequence[Any]) -> list[Any]:
        """The results, recorded where they can be differentiated in an argument that is."""
        live = {k for k, a in enumerate(arguments) if isinstance(a, Tensor) and a.node.live}
        parts = record(self.op, tuple(arguments), {})
        return [
            wrap(Node(part.node.data)) if live.isdisjoint(reached) else part
            for part, reached in zip(parts, self.recording.reached, strict=True)
        ]

    def _vjp(self, xp: Any, need: Any, g: Any, y: Any, *args: Any) -> Any:
        wanted = tuple(k for k, n in enumerate(need) if n and self.recording.floats[k])
        given = tuple(k for k, part in enumerate(g) if part is not None)

        def pull(gs: Any, *xs: Any) -> Any:
            return self._tape(wanted, given, xs).pull(gs)

        found = self._run((wanted, given), pull, [g[k] for k in given], args)
        return _spread(xp, found, wanted, len(args))

    def _jvp(self, xp: Any, ts: Any, y: Any, *args: Any) -> Any:
        moving = tuple(k for k, t in enumerate(ts) if t is not None and self.recording.floats[k])
        results = tuple(range(len(self.recording.results)))

        def push(ts: Any, *xs: Any) -> Any:
            return self._tape(moving, results, xs).push(ts)

        found = self._run(("jvp", moving), push, [ts[k] for k in moving], args)
        return tuple(_spread(xp, found, results, len(results)))

    def _tape(self, moving: Sequence[int], results: Sequence[int], xs: Sequence[Any]) -> Tape:
        def run(*new: Any) -> Any:
            full = list(xs)
            for k, x in zip(moving, new, strict=True):
                full[k] = x
            found = self.recording.run(full)
            return tuple(found[k] for k in results)

        return Tape(run, [xs[k] for k in moving], "compile")

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


def _spread(xp: Any, found: Sequence[Tensor], places: Sequence[int], count: int) -> list[Any]:
    """What belongs to these places as a rule over `xp` returns it: an array at first order, a Tensor above."""
    out: list[Any] = [None] * count
    for k, t in zip(places, found, strict=True):
        out[k] = t.node.data if xp is raw else t
    return out
