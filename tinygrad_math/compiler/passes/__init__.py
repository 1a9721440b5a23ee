"""The passes, one idea each, and the order in which they run."""

from __future__ import annotations

from ..program import Program


def improve(program: Program) -> Program:
    return program
