"""Whether a text goes nowhere but to somebody who reads it: a traced value has none that could be computed with."""

from __future__ import annotations

import ast
import functools
import linecache
import sys
from types import FrameType

from ..core.place import is_library

_SHOW = frozenset({"print", "debug", "info", "warning", "warn", "error", "critical", "exception", "log", "write"})


def is_just_shown() -> bool:
    """Whether the user's statement that is being run prints or logs something, or raises an error of it."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and is_library(frame.f_code.co_filename):
        frame = frame.f_back
    if frame is None:
        return False
    return any(first <= frame.f_lineno <= last for first, last in _showing(frame.f_code.co_filename))


@functools.lru_cache(100)
def _showing(file: str) -> list[tuple[int, int]]:
    """The lines of statements of a file that show something, and do nothing else."""
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except SyntaxError:
        return []
    lines: dict[int, int] = {}  # statements that begin in a line
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt):
            lines[node.lineno] = lines.get(node.lineno, 0) + 1
            if isinstance(node, (ast.Raise, ast.Assert)) or (isinstance(node, ast.Expr) and _shows(node.value)):
                found.append((node.lineno, node.end_lineno or node.lineno))
    return [(first, last) for first, last in found if lines[first] == 1]


def _shows(call: ast.expr) -> bool:
    if not isinstance(call, ast.Call):
        return False
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    return name in _SHOW
