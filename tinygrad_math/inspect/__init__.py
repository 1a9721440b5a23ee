"""Looking into a computation: where each value comes from, and where it goes wrong."""

from __future__ import annotations

from .audit import Audit, audit
from .lines import line_of, noted_lines

__all__ = ["Audit", "audit", "line_of", "noted_lines"]
