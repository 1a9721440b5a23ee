"""Explaining: the chain rule of a computation path by path, and computations that can be edited."""

from __future__ import annotations

from .explain import explain
from .record import record

__all__ = ["explain", "record"]
