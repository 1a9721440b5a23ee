"""tm.compile: trace a function once, improve the program, plan its memory, print it as straight-line NumPy."""

from __future__ import annotations

from .cache import compile

__all__ = ["compile"]
