"""Looking into a computation: where each value comes from, and where it goes wrong."""

from __future__ import annotations

from .lines import line_of, noted_lines

__all__ = ["line_of", "noted_lines"]
