"""`conventions`: what this package and others return at kinks and degenerate points, as it was measured."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from ..core.arguments import named
from ..core.errors import ArgumentError
from ..viz.page import text as markup

__all__ = ["Convention", "Conventions", "conventions"]

ORDERS = ("value", "first", "second")


class Convention(NamedTuple):
    """One point of one function. `results` has a library's value, first and second derivative by these names: numbers
    and lists of them, "nan", "inf" and complex numbers as text; None for what a library does not have; a dict with
    `raises`, the class of the error, and `words`."""

    op: str
    formula: str
    where: str
    x: Any
    results: dict[str, dict[str, Any]]

    def shown(self, library: str, order: str) -> str:
        """An entry as text."""
        return _shown(self.results.get(library, {}).get(order))


class Conventions(Sequence[Convention]):
    """Rows of the table; prints as text, and shows itself in a notebook. `versions` names what was measured."""

    def __init__(self, rows: Sequence[Convention], versions: dict[str, str], title: str) -> None:
        self.rows, self.versions, self.title = tuple(rows), versions, title

    def __getitem__(self, k: Any) -> Any:
        return self.rows[k]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Convention]:
        return iter(self.rows)

    @property
    def libraries(self) -> list[str]:
        """The columns that have anything in these rows."""
        return [
            name
            for name in self.versions
            if any(v is not None for r in self.rows for v in r.results.get(name, {}).values())
        ]

    def text(self) -> str:
        """The table for a terminal."""
        lines = []
        for r in self.rows:
            lines.append(f"{r.formula}  at x = {_shown(r.x)} ({r.where})")
            table = [["", *ORDERS]] + [[name, *(r.shown(name, o) for o in ORDERS)] for name in self.libraries]
            if all(row[3] == "" for row in table[1:]):
                table = [row[:3] for row in table]
            widths = [max(len(row[k]) for row in table) for k in range(len(table[0]))]
            lines += [
                "    " + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in table
            ]
        measured = ", ".join(f"{name} {v}".strip() for name, v in self.versions.items() if name in self.libraries)
        return "\n".join([*lines, f"measured with {measured}"])

    def __repr__(self) -> str:
        return self.text()

    def html(self) -> str:
        """The table as markup, a row for each point, in each cell value, first and second derivative."""
        head = "".join(f"<th>{markup(name)}</th>" for name in ("at", *self.libraries))
        body = []
        for r in self.rows:
            cells = [
                f"<td><code>{markup(r.formula)}</code><br>x = {markup(_shown(r.x))}<br><i>{markup(r.where)}</i></td>"
            ]
            ours = [r.shown("tinygrad_math", o) for o in ORDERS]
            for name in self.libraries:
                entries = [r.shown(name, o) for o in ORDERS]
                lines = []
                for order, entry, own in zip(ORDERS, entries, ours, strict=True):
                    if entry:
                        kind = "" if entry == own else ' class="differs"'
                        lines.append(f'<div{kind}><span class="order">{order}</span> {markup(entry)}</div>')
                cells.append(f"<td>{''.join(lines)}</td>")
            body.append(f"<tr>{''.join(cells)}</tr>")
        return f'<table class="conventions"><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table>'

    def _repr_html_(self) -> str:
        return self.html()


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        return f"raises {value['raises']}"
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    return value if isinstance(value, str) else f"{value:.6g}"


@cache
def _data() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files(__package__).joinpath("conventions.json").read_text(encoding="utf-8"))
    return found


@named
def conventions(name: str | None = None) -> Conventions:
    """What is returned at kinks and degenerate points: here, and by PyTorch, JAX, autograd, MyGrad and tinygrad.

    Arguments: `name` of an op ("clip", "relu", "eigvalsh"), or a part of a formula; all rows without it. Each row is a
    formula at a point, with value, first and second derivative as each library returned them when the table was
    measured; the versions stand below. Of a real function of complex numbers PyTorch and this package return the
    gradient that descends, JAX and autograd its conjugate.

    Returns Conventions, a sequence of rows that prints as a table. Raises ArgumentError for a name without rows.

    >>> import tinygrad_math as tm
    >>> table = tm.inspect.conventions("clip")
    >>> [(row.x, row.results["tinygrad_math"]["first"], row.results["JAX"]["first"]) for row in table[:2]]
    [(-1, 1, 0.5), (1, 1, 0.5)]
    """
    data = _data()
    rows = [Convention(**r) for r in data["rows"]]
    if name is not None:
        chosen = [r for r in rows if r.op == name] or [r for r in rows if name in r.formula]
        if not chosen:
            known = ", ".join(sorted({r.op for r in rows}))
            raise ArgumentError(f"conventions: there is no row about {name!r}; there are some about {known}")
        rows = chosen
    return Conventions(rows, data["versions"], name or "all")
