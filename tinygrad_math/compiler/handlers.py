"""Whether the user's code may catch an error of an op and go on: a program has one way only, and ends there."""

from __future__ import annotations

from collections.abc import Iterable
from types import CodeType, FunctionType


def may_catch(functions: Iterable[FunctionType]) -> bool:
    """Whether any of these functions, or one that is defined within them, handles errors, as a `with` block may too."""
    stack: list[CodeType] = [f.__code__ for f in functions]
    seen: set[CodeType] = set()
    while stack:
        code = stack.pop()
        if code in seen:
            continue
        seen.add(code)
        if code.co_exceptiontable:
            return True
        stack += [c for c in code.co_consts if isinstance(c, CodeType)]
    return False
