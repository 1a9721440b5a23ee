"""`audit`: a certificate that every derivative rule in a computation of the user's is right, or the op at fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np

from ..core.arguments import named
from ..core.errors import ArgumentError, WrongDerivative
from ..core.node import Node
from .computation import Computation
from .judged import of_a_node, of_a_slope_of, of_the_gradient, of_the_whole
from .rules import EDGE, FAULT, NONE, RIGHT, UNCHECKED, Finding

__all__ = ["Audit", "AuditRow", "audit"]


_WHOLE = "the whole"
_GRADIENT = "gradient of "


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
        gradients = [r for r in self.rows[:-1] if r.op.startswith(_GRADIENT)]
        found = Counter(r.state for r in self.rows[:-1] if r not in gradients)
        count = found.total()
        if found[FAULT]:
            return f"audit of {self.title}: {found[FAULT]} of {count} ops at fault"
        wrong = sum(r.state == FAULT for r in gradients)
        if wrong:
            return (
                f"audit of {self.title}: {_all(count)} hold, and the derivatives of {wrong} of their gradients do not"
            )
        if self.faults:
            return f"audit of {self.title}: {_all(count)} hold, and the gradient of the whole is wrong"
        if not count:
            return f"audit of {self.title}: no op leads from the arguments to the result: there is nothing to check"
        notes = [
            f"{found[s]} {w}" for s, w in ((EDGE, "at a kink"), (NONE, "where there is no derivative")) if found[s]
        ]
        notes += [f"{found[UNCHECKED]} not checked"] if found[UNCHECKED] else []
        errors = [e for r in self.rows for e in (r.forward, r.reverse) if e is not None and r.state in (RIGHT, EDGE)]
        second = ", and the derivatives of their gradients" if gradients else ""
        adjoint = max((r.adjoint for r in self.rows if r.adjoint is not None), default=0.0)
        return (
            f"audit of {self.title}: {_all(count)} hold{second}{''.join(f', {n}' for n in notes)}; "
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
def audit(f: Callable[..., Any], *args: Any, seed: int = 0, order: int = 1) -> Audit:
    """Check the derivative rules of every op in a computation, on the operands that it has there.

    Arguments: `f` a function and `args` its arguments, trees or modules with floating or complex leaves (others are
    held fixed); results are trees too. `seed` of the random directions. f is run once; then for each op the values of
    its own forward rule near its operands, from both sides, judge both rules, and the two rules judge each other. Where
    the slopes from the two sides differ (relu at 0, ties of max) a rule is right if it says something between them;
    where there is no slope, none is asked for. Numbers of single precision are widened, so that rounding is no fault.
    Last, the whole function is judged in the same way. With `order=2` the gradients are judged too, of each op and of
    the whole, as functions of the same operands: their derivative H against differences of them, and <u, Hv> = <v, Hu>.

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
    if type(order) is not int or order not in (1, 2):
        raise ArgumentError(f"audit: order is 1 or 2, got {order!r:.40}")
    run = Computation(f, args, "audit")
    rng = np.random.default_rng(seed)
    rows: list[AuditRow] = []
    for n in run.live():
        rows.append(_row(run, n, len(rows) + 1, of_a_node(run, n, rng)))
    whole = of_the_whole(run, {r.state for r in rows}, rng)
    title = getattr(f, "__name__", type(f).__name__)
    operands = ", ".join(map(run.title, run.tape.inputs))
    if order == 2:
        for n, row in zip(run.live(), tuple(rows), strict=True):
            if row.state == RIGHT:
                rows.append(_row(run, n, len(rows) + 1, of_a_slope_of(n, rng), _GRADIENT))
        found = of_the_gradient(run, rng)
        rows.append(AuditRow(len(rows) + 1, _GRADIENT + _WHOLE, operands, "", found.state, *found[1:4], found.words))
    rows.append(AuditRow(len(rows) + 1, _WHOLE, operands, "", whole.state, *whole[1:4], whole.words))
    return Audit("f" if title == "<lambda>" else title, rows)


def _row(run: Computation, n: Node, number: int, found: Finding, prefix: str = "") -> AuditRow:
    assert n.op is not None
    return AuditRow(number, prefix + n.op.name, run.operands(n), run.line(n), found.state, *found[1:4], found.words)


def _all(count: int) -> str:
    return "the rules of the one op" if count == 1 else f"the rules of all {count} ops"
