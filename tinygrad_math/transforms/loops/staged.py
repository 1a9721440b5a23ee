"""A loop as one op of the graph: its step is traced once, and what it closes over becomes an argument."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...core.errors import TraceError
from ...core.mode import watcher
from ...core.node import DIFFERENTIABLE, TRACED, TRANSFORMED, Node
from ...core.quiet import ignoring
from ...core.tensor import Tensor, clock, rec, wrap
from ..batching.trace import Batching, drawn_since, write_out
from .body import Body, Growth, traced
from .loop import Kind, Loop

Step = Callable[[list[Tensor], Any, list[Tensor]], tuple[list[Tensor], list[Tensor]]]


def staged_scan(
    title: str,
    n: int,
    state: list[Tensor],
    rows: list[Tensor],
    reverse: bool,
    step: Step,
    every: int | None,
    count: Tensor | None = None,
) -> tuple[list[Tensor], list[Tensor]]:
    """The last carry and the rows of a loop of n steps; of stretches of `every` steps only the first carry is kept.

    With a `count` of so many steps, at most n: the rows behind are 0.
    """
    _refuse_shared_draws(title)
    state = list(state)  # the caller's stays as it is, for the case that the steps are to be written out
    first = n - 1 if reverse else 0
    live = _live([*state, *rows])

    def trace() -> Run:
        number = Node(0, live=TRACED)
        carried = _stand_ins([s.node.data for s in state], live)
        taken = _stand_ins([np.asarray(x.node.data)[first] for x in rows], live)
        sources = [number, *carried, *taken]
        _let_know(sources)
        since = clock()
        carry, given = step([wrap(c) for c in carried], wrap(number), [wrap(x) for x in taken])
        return Run(sources, [t.node for t in (*carry, *given)], since)

    state, run = _settled(title, state, trace, lambda run: run.roots[: len(state)])
    grown, body, roots, sources = run.grown, run.body, run.roots, run.sources
    if not _as_in_python(body, n):
        raise TraceError(f"{title}: a step computes a number of its own that NumPy does not compute as Python does")
    carried = sources[1 : 1 + len(state)]
    kind = Kind(title, len(state), len(rows), len(grown.closure), n, backwards=reverse, numbered=True)
    if count is not None:
        kind = kind._replace(counted=True)
    loop = Loop(kind, body, [r.data for r in roots], [n.data for n in (*sources, *grown.closure)])
    _settle(state, carried)
    fixed = [wrap(n) for n in grown.closure]
    if count is not None or every is None or every >= n:
        found = list(loop.call([*([] if count is None else [count]), *state, *rows, *fixed]))
    else:
        found = _in_stretches(loop, state, rows, fixed, every)
    last = found[: len(state)]
    _settle(last, roots)
    return last, found[len(state) :]


class WrittenTo(TraceError):
    """What a step computes depends on what an earlier one has written around it."""


def guessed(watch: Any) -> bool:
    """Whether values may be those of one step of an earlier loop, for which an error may be due to them."""
    while watch is not None:
        if getattr(watch, "guessed", False):
            return True
        watch = getattr(watch, "watch", None)
    return False


class Run:
    """One run of a step on stand-ins."""

    def __init__(self, sources: list[Node], roots: list[Node], since: int) -> None:
        self.sources, self.roots = sources, roots
        self.drawn = drawn_since(since, watcher())
        self.grown = Growth([*roots, *self.drawn], sources, since)
        self.body: Body = self.grown.body(sources, roots, _stopped())


def _settled(
    title: str, state: list[Tensor], trace: Callable[[], Run], carries: Callable[[Run], list[Node]]
) -> tuple[list[Tensor], Run]:
    """The first carry, whose Python numbers take on the dtype that a step gives them, and the step.

    It is run twice, on equal stand-ins. If that makes a difference, it reads what it has written itself: a variable
    around it, which Python's loop would change at each step.
    """
    run = trace()
    if any(not hasattr(s.node.data, "dtype") for s in state):
        after = [n.data.dtype for n in carries(run)]
        weak = [not hasattr(s.node.data, "dtype") for s in state]
        state[:] = [rec.astype(rec.asarray(s), d) if w else s for s, d, w in zip(state, after, weak, strict=True)]
        run = trace()
    again = trace()
    if run.grown.closure == again.grown.closure and run.body.alike(again.body):
        return state, again
    write_out(watcher())
    raise WrittenTo(
        f"{title}: what a step computes depends on what the one before has written to, beside its carry; let it be "
        "part of the carry"
    )


_SIGNS = frozenset({"negative", "positive", "absolute"})
_WHOLE = _SIGNS | {"add", "subtract", "multiply", "floor_divide", "remainder", "power", "left_shift", "right_shift"}
_SHIFTS = {"left_shift": 1.0, "right_shift": -1.0}
_AT_ONCE = 1 << 16  # steps


def _as_in_python(body: Body, n: int) -> bool:
    """Whether what a step makes of its number alone is the same in NumPy's arithmetic as in Python's, in all n steps.

    It is not where Python raises (a division by 0, a number too large), goes over to another kind of number
    (2 ** -1 and (-1) ** 0.5), or has whole numbers of more than 64 bits.
    """
    known = {0, *(k for k, c in enumerate(body.constants, start=body.inputs) if _is_plain(c))}
    steps = []
    for k, s in enumerate(body.steps, start=body.first):
        if s.weak and known.issuperset(s.operands) and not s.op.name.startswith(("bitwise", "invert")):
            known.add(k)
            steps.append((k, s))
    below: set[tuple[int, bool]] = set()  # the powers of whole numbers, and whether there are exponents below 0
    for start in range(0, n if steps else 0, _AT_ONCE):
        values: dict[int, tuple[Any, bool]] = {  # and whether they are whole numbers of Python's
            k: (np.float64(c), type(c) is not float)
            for k, c in enumerate(body.constants, start=body.inputs)
            if k in known
        }
        values[0] = np.arange(start, min(start + _AT_ONCE, n), dtype=np.float64), True
        for k, s in steps:
            y, whole = values[k] = _computed(s, [values[i] for i in s.operands])
            if s.op.name == "power" and all(values[i][1] for i in s.operands):
                below.update((k, bool(negative)) for negative in np.unique(values[s.operands[1]][0] < 0))
                if (k, True) in below and (k, False) in below:
                    return False
            if not np.isfinite(y).all() or (whole and np.any(np.abs(y) >= 2.0**63)):
                return False
    return True


def _is_plain(c: Any) -> bool:
    return type(c) in (bool, int, float) and abs(c) < 2.0**63


def _computed(s: Any, operands: Sequence[tuple[Any, bool]]) -> tuple[Any, bool]:
    """What a step makes of numbers, NaN where Python would raise, and whether it is a whole number of Python's."""
    args, kinds = zip(*operands, strict=True)
    name, whole = s.op.name, all(kinds) and s.op.name in _WHOLE
    with ignoring():
        if name in _SHIFTS:
            y = np.floor(np.where(args[1] < 0, np.nan, args[0] * 2.0 ** (_SHIFTS[name] * args[1])))
        else:
            y = np.asarray(s.op.forward(*args, **s.params), np.float64)
    return y, whole and not (name == "power" and bool(np.any(args[1] < 0)))


def _in_stretches(loop: Loop, state: list[Tensor], rows: list[Tensor], fixed: list[Tensor], every: int) -> list[Tensor]:
    """The results of a loop as those of a loop of loops, which computes its steps again for the derivative."""
    how = loop.how
    assert how.length is not None
    count, left = divmod(how.length, every)
    start = left if how.backwards else 0  # of the rows that the stretches take
    stop = start + count * every
    kinds = len(state), len(rows)
    inner = _shifted(loop, every)

    def stretch(values: list[Tensor]) -> list[Any]:
        number, own = values[0], values[1:]
        at = rec.add(rec.multiply(number, every), start)
        return list(inner.call([*own, at]))

    whole = [rec.reshape(x[start:stop], (count, every, *x.shape[1:])) for x in rows]
    like = [Node(np.asarray(e.node.data)[()]).data for e in state]
    given = [0, *like, *(np.asarray(x.node.data)[0] for x in whole), *(f.node.data for f in fixed)]
    body, examples = traced(stretch, given)
    outer = Loop(how._replace(length=count, again=True), body, examples, given)
    found = list(outer.call([*state, *whole, *fixed]))
    state, ys = found[: kinds[0]], [rec.reshape(y, (count * every, *y.shape[2:])) for y in found[kinds[0] :]]
    if not left:
        return [*state, *ys]
    rest = slice(0, start) if how.backwards else slice(stop, None)
    more = list(_shifted(loop, left).call([*state, *(x[rest] for x in rows), *fixed, 0 if how.backwards else stop]))
    parts = [[b, a] if how.backwards else [a, b] for a, b in zip(ys, more[kinds[0] :], strict=True)]
    return [*more[: kinds[0]], *(rec.concat(p, axis=0) for p in parts)]


def _shifted(loop: Loop, length: int) -> Loop:
    """The loop of a part of the steps, whose first number is a further argument."""
    how = loop.how

    def f(values: list[Tensor]) -> list[Any]:
        return list(loop.body.record([rec.add(values[0], values[-1]), *values[1:-1]]))

    given = [*loop.given, 0]
    body, examples = traced(f, given)
    for a, b in zip(examples, loop.examples, strict=True):
        if np.asarray(a).dtype != np.asarray(b).dtype:
            raise TraceError(f"{how.title}: the number of a step changes dtypes")
    return Loop(how._replace(length=length, fixed=how.fixed + 1), body, examples, given)


def staged_while(
    title: str,
    most: int | None,
    state: list[Tensor],
    holds: Callable[[list[Tensor]], Tensor],
    step: Callable[[list[Tensor]], list[Tensor]],
) -> list[Tensor]:
    """The carry when the condition no longer holds, after at most so many steps."""
    _refuse_shared_draws(title)
    state = list(state)  # the caller's stays as it is, for the case that the steps are to be written out
    halfway = 0

    def trace() -> Run:
        nonlocal halfway
        sources = _stand_ins([s.node.data for s in state], _live(state))
        _let_know(sources)
        since = clock()
        checked = holds([wrap(n) for n in sources])
        halfway = clock()
        after = step([wrap(n) for n in sources])
        return Run(sources, [checked.node, *(s.node for s in after)], since)

    state, run = _settled(title, state, trace, lambda run: run.roots[1:])
    grown, whole, roots, sources = run.grown, run.body, run.roots, run.sources
    inputs = range(whole.inputs)
    draws, asked = whole.draws(), sum(1 for n in run.drawn if n.tick <= halfway)
    condition = whole.part(inputs, whole.results[:1], draws=True, without=draws[asked:])
    body = whole.part(inputs, whole.results[1:], draws=True, without=draws[:asked])
    assert condition is not None
    assert body is not None
    if condition.random and body.random:
        raise TraceError(f"{title}: cond and body both draw random numbers")
    kind = Kind(title, len(state), 0, len(grown.closure), most)
    loop = Loop(kind, body, [r.data for r in roots[1:]], [n.data for n in (*sources, *grown.closure)], condition)
    _settle(state, sources)
    last = list(loop.call([*state, *(wrap(n) for n in grown.closure)]))[: len(state)]
    _settle(last, roots[1:])
    return last


def _live(tensors: Sequence[Tensor]) -> int:
    live = TRACED
    for t in tensors:
        live |= t.node.live & (DIFFERENTIABLE | TRANSFORMED)
    return live


def _stand_ins(values: Sequence[Any], live: int) -> list[Node]:
    """What stands for values that change from step to step."""
    found = []
    for v in values:
        a = np.asarray(v)
        found.append(Node(a[()] if hasattr(v, "dtype") else v, live=live if a.dtype.kind in "fc" else TRACED))
    return found


def _let_know(nodes: Sequence[Node]) -> None:
    """Let those who watch know nodes that stand for values of a step."""
    watch = watcher()
    while watch is not None:
        if isinstance(watch, Batching):
            watch.moving.update(nodes)
        elif hasattr(watch, "known"):
            watch.known.update(nodes)
            watch.of_steps.update(nodes)
        watch = getattr(watch, "watch", None)


def _stopped() -> set[Node]:
    """What was made under no_grad in the runs that are watched."""
    found: set[Node] = set()
    watch = watcher()
    while watch is not None:
        found |= getattr(watch, "stopped", set())
        watch = getattr(watch, "watch", None)
    return found


def _refuse_shared_draws(title: str) -> None:
    """Under vmap with randomness="same" the steps are written out, as each draws once for all examples."""
    watch = watcher()
    while watch is not None:
        if isinstance(watch, Batching) and watch.same:
            raise TraceError(f"{title}: with randomness='same', cond may not depend on the examples")
        watch = getattr(watch, "watch", None)


def _settle(tensors: Sequence[Tensor], nodes: Sequence[Node]) -> None:
    """What an optimiser's update took, or made, in a step it takes, or makes, in the loop."""
    for t, n in zip(tensors, nodes, strict=False):
        if n.meta is not None and n.meta.settled:
            t.node.more().settled = True
