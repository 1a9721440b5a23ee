"""tm.compile: trace a function once, improve the program, plan its memory, print it as straight-line NumPy."""

from __future__ import annotations

from .cache import compile
from .standalone import to_source

__all__ = ["compile", "to_source"]
