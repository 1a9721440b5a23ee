"""Functions of written code that is compiled at the first call: many programs run once, and are never looked up."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any


def later(name: str, text: str, scope: dict[str, Any]) -> Callable[..., Any]:
    """The function of this name that the text defines; the scope is its globals."""
    found = FunctionType(_unwritten.__code__, scope, name)

    def write() -> FunctionType:
        defined: dict[str, Any] = {}
        exec(text, defined)
        found.__defaults__ = defined[name].__defaults__
        found.__code__ = defined[name].__code__  # whoever holds the function has the code from now on
        scope["write"] = lambda: found  # for another thread that came here meanwhile; the text is let go
        return found

    scope["write"] = write
    return found


def _unwritten(*args: Any) -> Any:
    """What such a function does before it has its code."""
    return globals()["write"]()(*args)
