"""Loops: `scan`, `fori_loop` and `while_loop`, as Python runs them, and as one op with a step of its own."""

from .functions import fori_loop as fori_loop
from .functions import scan as scan
from .functions import while_loop as while_loop

__all__ = ["fori_loop", "scan", "while_loop"]
