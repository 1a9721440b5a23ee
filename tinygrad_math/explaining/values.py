"""Values in few words: numbers, small arrays in full, large ones by shape and norm."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..formulas.notation import write_number
from .document import Equation
from .plain import text_of

_SMALL = 6  # elements of an array that is shown in full


def short(data: Any) -> str:
    """A value in few words of text."""
    a = np.asarray(data)
    if a.size == 1 and a.ndim == 0:
        return text_of(write_number(a[()]))
    return f"shape {a.shape}, norm {float(np.linalg.norm(a.ravel())):.4g}" if a.size else f"shape {a.shape}, empty"


def value_latex(data: Any) -> str:
    """A value as LaTeX: a number, a few numbers, or its shape and norm."""
    a = np.asarray(data)
    if not a.ndim:
        return write_number(a[()])
    if a.size <= _SMALL and a.ndim == 1:
        return "(" + r",\, ".join(write_number(v) for v in a) + ")"
    if 0 < a.size <= _SMALL and a.ndim == 2:
        return matrix_latex(a)
    return rf"\text{{{short(a)}}}"


def valued(left: str, data: Any, note: str = "") -> Equation:
    """A value, in full if it is small."""
    if value_is_short(data):
        return Equation(left, (value_latex(data),), note)
    return Equation(left, (), "; ".join(filter(None, (short(data), note))))


def value_is_short(data: Any) -> bool:
    return not value_latex(data).startswith((r"\text{shape", r"\begin"))


def matrix_latex(a: np.ndarray[Any, Any]) -> str:
    rows = r" \\ ".join(" & ".join(write_number(v, 4) for v in row) for row in a)
    return rf"\begin{{pmatrix}} {rows} \end{{pmatrix}}"


def entries_latex(data: Any) -> str:
    a = np.atleast_1d(np.asarray(data))
    if a.size > 64:
        return rf"\text{{{short(a)}}}"
    return (
        matrix_latex(a.reshape(-1, a.shape[-1]))
        if a.ndim > 1
        else value_latex(a)
        if a.size <= _SMALL
        else matrix_latex(a[None])
    )
