"""What follows from setting a value: before, and after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..core.quiet import ignoring
from .document import Block, Document, Equation, Equations, Heading, Inline, Paragraph, Shown, as_text
from .naming import written
from .plain import text_of
from .values import value_is_short, value_latex

_ROWS = 20  # values that are told


class Shift(NamedTuple):
    """One value before and after; `spoken`: it has a name, or is the result."""

    title: str
    before: np.ndarray[Any, Any]
    after: np.ndarray[Any, Any]
    spoken: bool

    @property
    def size(self) -> float:
        """By how much it changed, in norm."""
        if self.before.shape != self.after.shape:
            return float("inf")
        with ignoring("invalid"):
            return float(np.linalg.norm(np.ravel(np.subtract(self.after, self.before, dtype=_wide(self.after)))))


def _wide(a: np.ndarray[Any, Any]) -> Any:
    return np.result_type(a.dtype, np.float64) if a.dtype.kind != "c" else np.complex128


class Change(Shown):
    """What followed from an edit.

    `.recomputed` says how many steps were computed again, out of `.steps`; `.values` has each value that was, with
    `.title`, `.before` and `.after`; `.gradients` the same of the gradient in each argument, where the result is a
    number; `.value` that number before and after.
    """

    def __init__(
        self,
        what: tuple[Inline, ...],
        recomputed: int,
        steps: int,
        values: Sequence[Shift],
        gradients: Sequence[Shift],
        value: Any = None,
    ) -> None:
        self._what, self.recomputed, self.steps, self.value = what, recomputed, steps, value
        self.values, self.gradients = tuple(values), tuple(gradients)

    def document(self) -> Document:
        steps = f"{self.recomputed:,} of {self.steps:,} step{'' if self.steps == 1 else 's'}"
        count = f"{steps} {'was' if self.recomputed == 1 else 'were'} computed again."
        blocks: list[Block] = [Paragraph((count,))]
        told = [v for v in self.values if v.spoken]
        left = len(self.values) - len(told)
        blocks += _table("Values, before and after", told, f"{left:,} without a name" if left else "")
        blocks += _table("The gradient, before and after", self.gradients, "")
        return Document(self._what, blocks)

    def __repr__(self) -> str:
        value = "" if self.value is None else f", the result {self.value[0]:.5g} → {self.value[1]:.5g}"
        steps = f"{self.recomputed} of {self.steps} step{'' if self.steps == 1 else 's'}"
        return f"Change: {as_text(self._what)}; {steps} computed again{value}"


def _table(title: str, shifts: Sequence[Shift], rest: str) -> list[Block]:
    rows = []
    for v in shifts[:_ROWS]:
        if value_is_short(v.before) and value_is_short(v.after):
            told = rf"{value_latex(v.before)} \to {value_latex(v.after)}"
            note = "" if v.size else "the same"
        else:
            told = rf"\text{{{_norm(v.before)}}} \to \text{{{_norm(v.after)}}}"
            change = f"changed by {text_of(value_latex(np.float64(v.size)))}" if v.size else "the same"
            note = f"shape {v.after.shape}, {change}"
        rows.append(Equation(written(v.title), (told,), note))
    if len(shifts) > _ROWS:
        rest = f"{len(shifts) - _ROWS:,} more" + (f", and {rest}" if rest else "")
    if rest:
        rows.append(Equation(r"\vdots", (), rest))
    return [Heading((title,)), Equations(tuple(rows))] if rows else []


def _norm(a: np.ndarray[Any, Any]) -> str:
    return f"norm {float(np.linalg.norm(a.ravel())):.4g}"
