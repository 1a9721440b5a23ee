"""What is found about the derivatives of a computation: of each op, of the function, of the gradient in its turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..core.errors import IllPosedDerivative, MathError
from ..core.node import DIFFERENTIABLE, Node
from ..core.quiet import ignoring
from ..core.tensor import Tensor, record, select, wrap
from ..core.walk import Trail, pullback
from ..transforms.tracing import Tape
from .computation import Computation
from .differences import KINK, SINGULAR, UNKNOWN, Array, confirmed, slopes
from .rules import (
    EDGE,
    FAULT,
    NONE,
    RIGHT,
    UNCHECKED,
    WIDE,
    Finding,
    Rule,
    check,
    cotangent,
    direction,
    flat,
    outside,
    reweighted,
    wide,
    without_nan,
)

Again = Callable[[list[Any]], list[Any]]


def of_the_whole(run: Computation, states: set[str], rng: np.random.Generator) -> Finding:
    """The finding about the function itself, whose ops were found in these states."""
    if UNCHECKED in states or any(n.op is not None and n.op.implicit for n in run.live()):
        return Finding(UNCHECKED, words="its values cannot be computed again from those of its arguments")
    whole = through(run, run.tape.inputs, rng)
    if whole.state != FAULT or FAULT in states:
        return whole
    if states & {EDGE, NONE}:
        return whole._replace(state=EDGE, words=f"through kinks the chain rule need not hold: {whole.words}")
    if through(run, run.tape.inputs, rng).state != FAULT:  # along other directions
        return Finding(UNCHECKED, words="differences of its values contradict themselves")
    return whole


def of_a_node(run: Computation, n: Node, rng: np.random.Generator) -> Finding:
    """The finding about one node. What leaves a choice open (an eigenvector's sign) is judged by what follows it."""
    assert n.op is not None
    live = [bool(i.live & DIFFERENTIABLE) for i in n.inputs]
    args = [i.data for i in n.inputs]
    parts = [m.params["index"] for m in run.nodes if m.op is select and m.inputs[0] is n] if n.op.many else None
    found = check(Rule(n.op, n.params, args, n.data, live, parts), rng)
    if not n.op.many or found.state not in (FAULT, NONE):
        return found
    if found.state == FAULT and (found.forward is None and found.reverse is None):
        return found
    targets = [i for i, wanted in zip(n.inputs, live, strict=True) if wanted and np.asarray(i.data).dtype.kind in "fc"]
    onwards = through(run, targets, rng)
    if onwards.state in (RIGHT, EDGE):
        return onwards._replace(words="judged by what is made of it: of itself it leaves a choice")
    return found if onwards.state != NONE else onwards


def through(run: Computation, targets: Sequence[Node], rng: np.random.Generator, again: Again | None = None) -> Finding:
    """The function from some values on, to the end, judged like an op; in reverse, as the walk goes.

    `again` gives the results for other values, where running the ops again is not the way to them.
    """
    targets = list(dict.fromkeys(targets))
    roots = [y.node for y in run.tape.outputs]
    at, convert, ends, starts = {n: n.data for n in targets}, None, roots, targets
    if any(np.asarray(n.data).dtype.name in WIDE for n in (*targets, *roots)):  # judged in double precision
        at, convert = {n: wide(x) for n, x in at.items()}, wide
        ends, starts = run.recorded(at, roots, convert)
    g = [cotangent(r.data, rng) for r in ends]
    weights = flat([v for v in g if v is not None])
    worst, kinds = 0.0, set()

    def values(moved: Mapping[Node, Any]) -> Array:
        if again is not None:
            return flat(again(list(moved.values())))
        found = run.replay(moved, roots, convert)
        return flat([found[r] for r in roots])

    with ignoring():
        base = values(at)
        for positive in (False, True):
            ts = [direction(x, rng, positive) for x in at.values()]

            def along(h: float, ts: list[Any] = ts) -> Array:
                try:
                    return values({n: x + h * t for (n, x), t in zip(at.items(), ts, strict=True)})
                except (MathError, ValueError, ArithmeticError, np.linalg.LinAlgError):
                    return np.full(base.shape, np.nan)

            s = slopes(along, base, 2.0**-53)
            kinds.update(np.unique(s.kind).tolist())
            used = np.where(s.kind < SINGULAR, weights, 0.0)
            try:
                seeds = [(r, v) for r, v in zip(ends, _split(used, g), strict=True) if v is not None]
                found = pullback(Trail(ends, starts), seeds)
            except IllPosedDerivative as none:
                return Finding(NONE, words=str(none))
            except MathError as raised:
                return Finding(FAULT, words=f"{type(raised).__name__}: {raised}")
            pulled = [found.get(n, np.zeros_like(n.data)) for n in starts]
            pulled = pulled if (used == weights).all() else without_nan(pulled)
            error, wrong = outside(pulled, ts, used, s, 2.0**-53)
            if wrong is not None:
                sure = confirmed(s, along, base, 2.0**-53)
                if np.array_equal(sure.kind, s.kind):
                    said, is_ = wrong
                    words = f"the gradient gives <J'g, t> = {said:.6g}, the values of the function {is_:.6g}"
                    return Finding(FAULT, reverse=error, words=words)
                kinds.add(UNKNOWN)
            else:
                worst = max(worst, error)
    if kinds and min(kinds) >= SINGULAR:
        return Finding(UNCHECKED, words="differences of its values say nothing here")
    return Finding(EDGE if KINK in kinds else RIGHT, reverse=worst)


def _split(weights: Array, g: Sequence[Any]) -> list[Any]:
    return list(reweighted(list(g), weights, True))


# -- second order -------------------------------------------------------------------------------------------
def of_the_gradient(run: Computation, rng: np.random.Generator) -> Finding:
    """The finding about the gradient of the whole: its derivative H against differences, and <u, H v> = <v, H u>."""
    seeds = [cotangent(y.node.data, rng) for y in run.tape.outputs]

    def gradient(*floating: Any) -> Any:
        return _pulled(Tape(run.f, floating, "audit"), seeds)

    def again(values: list[Any]) -> list[Any]:
        """The gradient elsewhere. A value that f takes no derivative through stays what it was, a rule's does not."""
        narrow = all(np.asarray(v).dtype == np.asarray(n.data).dtype for v, n in zip(values, run.tape.inputs))
        moved, roots = dict(zip(run.tape.inputs, values, strict=True)), [y.node for y in run.tape.outputs]
        ends, starts = run.recorded(moved, roots, None if narrow else wide)
        found = pullback(Trail(ends, starts), [(y, g) for y, g in zip(ends, seeds, strict=True) if g is not None])
        return [found.get(n, np.zeros_like(n.data)) for n in starts]

    return _of_a_slope(gradient, [n.data for n in run.tape.inputs], rng, again)


def of_a_slope_of(n: Node, rng: np.random.Generator) -> Finding:
    """The same of one op: its vjp as a function of the operands."""
    assert n.op is not None
    if n.op.many or n.op.implicit or getattr(n.op, "random", False):
        return Finding(UNCHECKED, words="judged by the gradient of the whole")
    op, moving = n.op, [k for k, i in enumerate(n.inputs) if i.live & DIFFERENTIABLE]
    moving = [k for k in moving if np.asarray(n.inputs[k].data).dtype.kind in "fc"]
    seed = cotangent(n.data, rng)

    def value(*floating: Any) -> Any:
        args: list[Any] = [wrap(Node(i.data)) for i in n.inputs]
        for k, x in zip(moving, floating, strict=True):
            args[k] = x
        return record(op, tuple(args), n.params)

    def gradient(*floating: Any) -> Any:
        return _pulled(Tape(value, floating, "audit"), [seed])

    def again(values: list[Any]) -> list[Any]:
        return [t.node.data for t in gradient(*map(wrap, map(Node, values)))]

    return _of_a_slope(gradient, [n.inputs[k].data for k in moving], rng, again)


def _pulled(tape: Tape, seeds: Sequence[Any]) -> list[Tensor]:
    pairs = [(y, g) for y, g in zip(tape.outputs, seeds, strict=True) if g is not None]
    tape.outputs = [y for y, _ in pairs]
    return tape.pull([g for _, g in pairs])


def _of_a_slope(gradient: Any, values: Sequence[Any], rng: np.random.Generator, again: Again) -> Finding:
    try:
        with ignoring():
            run = Computation(gradient, [np.asarray(v) for v in values], "audit")
            found = through(run, run.tape.inputs, rng, again)
            if found.state in (FAULT, NONE):
                words = found.words.replace("the gradient gives <J'g, t>", "its derivative gives <Hg, t>")
                return found._replace(words=words.replace("the values of the function", "differences of it"))
            error = _asymmetry(run, rng)
    except MathError as raised:
        return Finding(NONE, words=f"it has no derivative: {type(raised).__name__}: {raised}")
    if error > 1e-8 and found.state == RIGHT:
        return found._replace(state=FAULT, adjoint=error, words=f"<u, H v> and <v, H u> differ by {error:.1e} of them")
    return found._replace(adjoint=error)


def _asymmetry(run: Computation, rng: np.random.Generator) -> float:
    """By how much <u, H v> and <v, H u> differ, of the largest that they could be. Single precision is widened."""
    roots, starts = [y.node for y in run.tape.outputs], list(run.tape.inputs)
    if any(np.asarray(n.data).dtype.name in WIDE for n in (*starts, *roots)):
        roots, starts = run.recorded({n: wide(n.data) for n in starts}, roots, wide)
    u, v = ([cotangent(n.data, rng) for n in starts] for _ in range(2))
    products = []
    for seed in (u, v):
        found = pullback(Trail(roots, starts), list(zip(roots, seed, strict=True)))
        products.append(flat([found.get(n, np.zeros_like(n.data)) for n in starts]))
    a, b = flat(u), flat(v)
    size = float(np.abs(b) @ np.abs(products[0]) + np.abs(a) @ np.abs(products[1]))
    difference = abs(float(b @ products[0] - a @ products[1]))
    return difference / size if size and np.isfinite(size) else 0.0
