"""`audit`: a certificate that every derivative rule in a computation of the user's is right, or the op at fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np

from ..core.arguments import named
from ..core.errors import IllPosedDerivative, MathError, WrongDerivative
from ..core.node import DIFFERENTIABLE, Node
from ..core.tensor import select
from ..core.walk import Trail, pullback
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

__all__ = ["Audit", "AuditRow", "audit"]


_WHOLE = "the whole"


class AuditRow(NamedTuple):
    """One op of the computation: its operands, the user's line, and what was found about its rules.

    `adjoint` is the error of Re<g, J t> = Re<J'g, t>, `forward` and `reverse` those of the two rules against
    differences of the op's values; all relative, None where there was nothing to compare.
    """

    number: int
    op: str
    operands: str
    line: str
    state: str
    adjoint: float | None
    forward: float | None
    reverse: float | None
    words: str


class Audit:
    """What `audit` found: `.ok`, `.rows` (one an op, the last one the whole function), `.faults`; `.check()` raises."""

    def __init__(self, title: str, rows: Sequence[AuditRow]) -> None:
        self.title, self.rows = title, tuple(rows)

    @property
    def ok(self) -> bool:
        """Whether no rule is at fault."""
        return not self.faults

    @property
    def faults(self) -> tuple[AuditRow, ...]:
        """The rows of the ops that are."""
        return tuple(r for r in self.rows if r.state == FAULT)

    def check(self) -> Audit:
        """The report itself. Raises WrongDerivative, which names op, line and numbers, if a rule is at fault."""
        if self.faults:
            raise WrongDerivative(self._head() + "".join("\n  " + self._sentence(r) for r in self.faults))
        return self

    def _sentence(self, r: AuditRow) -> str:
        at = f"\n      {r.line}" if r.line else ""
        return f"{r.op}({r.operands}): {r.words}{at}"

    def _head(self) -> str:
        count = len(self.rows) - 1
        found = Counter(r.state for r in self.rows[:-1])
        if found[FAULT]:
            return f"audit of {self.title}: {found[FAULT]} of {count} ops at fault"
        if self.faults:
            return f"audit of {self.title}: the rules of all {count} ops hold, and the gradient of the whole is wrong"
        if not count:
            return f"audit of {self.title}: no op leads from the arguments to the result: there is nothing to check"
        notes = [
            f"{found[s]} {w}" for s, w in ((EDGE, "at a kink"), (NONE, "where there is no derivative")) if found[s]
        ]
        notes += [f"{found[UNCHECKED]} not checked"] if found[UNCHECKED] else []
        errors = [e for r in self.rows for e in (r.forward, r.reverse) if e is not None and r.state in (RIGHT, EDGE)]
        adjoint = max((r.adjoint for r in self.rows if r.adjoint is not None), default=0.0)
        return (
            f"audit of {self.title}: the rules of all {count} ops hold{''.join(f', {n}' for n in notes)}; "
            f"<u, Jv> = <J'u, v> to {adjoint:.1e}, differences to {max(errors, default=0.0):.1e}"
        )

    def text(self) -> str:
        """The report as a table, a line an op."""
        head = ("", "op", "operands", "state", "adjoint", "forward", "reverse", "line")
        body = [(str(r.number), r.op, _short(r.operands), r.state, *map(_number, r[5:8]), r.line) for r in self.rows]
        widths = [max(len(row[k]) for row in (head, *body)) for k in range(len(head))]
        lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in (head, *body)]
        notes = [f"{r.number}: {self._sentence(r)}" for r in self.rows if r.words and r.state != EDGE]
        return "\n".join([self._head(), *lines, *notes])

    def __repr__(self) -> str:
        return "\n".join([self._head(), *("  " + self._sentence(r) for r in self.rows if r.state not in (RIGHT, EDGE))])

    def _repr_html_(self) -> str:
        cells = "".join(
            "<tr>"
            + "".join(
                f"<td>{escape(str(c))}</td>"
                for c in (r.number, r.op, r.operands, r.state, *map(_number, r[5:8]), r.line, r.words)
            )
            + "</tr>"
            for r in self.rows
        )
        names = ("", "op", "operands", "state", "adjoint", "forward", "reverse", "line", "")
        head = "".join(f"<th>{n}</th>" for n in names)
        return f"<p>{escape(self._head())}</p><table><tr>{head}</tr>{cells}</table>"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.0e}" if value else "0"


def _short(text: str, most: int = 48) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."


@named
def audit(f: Callable[..., Any], *args: Any, seed: int = 0) -> Audit:
    """Check the derivative rules of every op in a computation, on the operands that it has there.

    Arguments: `f` a function and `args` its arguments, trees or modules with floating or complex leaves (others are
    held fixed); results are trees too. `seed` of the random directions. f is run once; then for each op the values of
    its own forward rule near its operands, from both sides, judge both rules, and the two rules judge each other. Where
    the slopes from the two sides differ (relu at 0, ties of max) a rule is right if it says something between them;
    where there is no slope, none is asked for. Numbers of single precision are widened, so that rounding is no fault.
    Last, the whole function is judged in the same way.

    Returns an Audit: `.ok`, `.rows`, `.faults`, `.text()`, and `.check()`, which raises WrongDerivative.
    Raises DTypeError for arguments without floating numbers, TraceError inside of `compile`.

    >>> import tinygrad_math as tm
    >>> tm.inspect.audit(lambda x: (tm.sin(x) * x).sum(), tm.tensor([0.3, 1.2])).ok
    True
    >>> @tm.primitive
    ... def cube(x):
    ...     return x**3
    >>> _ = cube.defvjp(lambda g, y, x: 2 * g * x**2)
    >>> report = tm.inspect.audit(lambda x: cube(tm.exp(x)), 0.0)
    >>> [(row.op, row.state) for row in report.rows]
    [('exp', 'right'), ('cube', 'FAULT'), ('the whole', 'FAULT')]
    """
    run = Computation(f, args, "audit")
    rng = np.random.default_rng(seed)
    rows: list[AuditRow] = []
    for n in run.live():
        rows.append(_row(run, n, len(rows) + 1, _about(run, n, rng)))
    whole = _whole(run, {r.state for r in rows}, rng)
    title = getattr(f, "__name__", type(f).__name__)
    operands = ", ".join(map(run.title, run.tape.inputs))
    rows.append(AuditRow(len(rows) + 1, _WHOLE, operands, "", whole.state, *whole[1:4], whole.words))
    return Audit("f" if title == "<lambda>" else title, rows)


def _whole(run: Computation, states: set[str], rng: np.random.Generator) -> Finding:
    """The finding about the function itself, whose ops were found in these states."""
    if UNCHECKED in states or any(n.op is not None and n.op.implicit for n in run.live()):
        return Finding(UNCHECKED, words="its values cannot be computed again from those of its arguments")
    whole = _through(run, run.tape.inputs, rng)
    if whole.state != FAULT or FAULT in states:
        return whole
    if states & {EDGE, NONE}:
        return whole._replace(state=EDGE, words=f"through kinks the chain rule need not hold: {whole.words}")
    if _through(run, run.tape.inputs, rng).state != FAULT:  # along other directions
        return Finding(UNCHECKED, words="differences of its values contradict themselves")
    return whole


def _row(run: Computation, n: Node, number: int, found: Finding) -> AuditRow:
    assert n.op is not None
    return AuditRow(number, n.op.name, run.operands(n), run.line(n), found.state, *found[1:4], found.words)


def _about(run: Computation, n: Node, rng: np.random.Generator) -> Finding:
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
    through = _through(run, targets, rng)
    if through.state in (RIGHT, EDGE):
        return through._replace(words="judged by what is made of it: of itself it leaves a choice")
    return found if through.state != NONE else through


def _through(run: Computation, targets: Sequence[Node], rng: np.random.Generator) -> Finding:
    """The function from some values on, to the end, judged like an op; in reverse, as the walk goes."""
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
        found = run.replay(moved, roots, convert)
        return flat([found[r] for r in roots])

    with np.errstate(all="ignore"):
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
