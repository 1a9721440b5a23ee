"""A table that shows itself as text, in a terminal with colours where rich is there, and in a notebook."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..core.notebook import bundle, escaped, table


class Table:
    """Columns and rows of texts and numbers; `notes` below it."""

    def __init__(
        self, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], notes: Sequence[str] = ()
    ) -> None:
        self.title, self.columns = title, list(columns)
        self.rows, self.notes = [list(row) for row in rows], list(notes)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[list[Any]]:
        return iter(self.rows)

    def cells(self) -> list[list[str]]:
        """The texts of all cells."""
        return [[shown(v) for v in row] for row in self.rows]

    def numeric(self) -> list[bool]:
        """Whether each column holds numbers, so that it is set to the right."""
        columns = list(zip(*self.rows, strict=True)) if self.rows else [() for _ in self.columns]
        return [all(v is None or isinstance(v, (int, float, np.number)) for v in column) for column in columns]

    def __str__(self) -> str:
        cells, right = self.cells(), self.numeric()
        widths = [max(map(len, column)) for column in zip(self.columns, *cells, strict=True)]
        lines = [self.title] if self.title else []
        for k, row in enumerate([self.columns, *cells]):
            parts = [t.rjust(w) if r else t.ljust(w) for t, w, r in zip(row, widths, right, strict=True)]
            lines.append("  ".join(parts).rstrip())
            if not k:
                lines.append("-" * (sum(widths) + 2 * (len(widths) - 1)))
        return "\n".join([*lines, *self.notes])

    __repr__ = __str__

    def text(self) -> str:
        """The table as text, columns set under each other."""
        return str(self)

    def markdown(self) -> str:
        """The table in Markdown; bars in cells are escaped."""
        rows = [
            [c.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ") for c in r]
            for r in [self.columns, *self.cells()]
        ]
        rows.insert(1, ["---:" if right else "---" for right in self.numeric()])
        lines = [f"| {' | '.join(row)} |" for row in rows]
        head = [f"**{self.title}**", ""] if self.title else []
        return "\n".join([*head, *lines, *(line for n in self.notes for line in ("", n))])

    def __rich__(self) -> Any:
        """The table of rich, by which `rich.print` shows it."""
        rich, text = importlib.import_module("rich.table"), importlib.import_module("rich.text").Text
        table = rich.Table(title=text(self.title) if self.title else None, caption=text("\n".join(self.notes)) or None)
        for name, right in zip(self.columns, self.numeric(), strict=True):
            table.add_column(text(name), justify="right" if right else "left")
        for row in self.cells():
            table.add_row(*map(text, row))
        return table

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """What a notebook shows: never an error."""
        return bundle(self, html=self.html)

    def html(self) -> str:
        """The table in HTML, with the title as its caption and the notes below."""
        notes = "".join(f"<div>{escaped(n)}</div>" for n in self.notes)
        return f"<div>{table(self.columns, self.cells(), self.title)}{notes}</div>"


def shown(value: Any) -> str:
    """A cell: whole numbers with commas, others with four digits, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, (bool, str)):
        return str(value)
    if isinstance(value, (int, np.integer)):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, (float, np.floating)) else str(value)
