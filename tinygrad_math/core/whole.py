"""Changes of several things that are made as a whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
V = TypeVar("V")


def put_all(put: Callable[[T, V], object], new: Sequence[tuple[T, V]], old: Sequence[tuple[T, V]]) -> None:
    """`put` each new value where it belongs; where an error or an interrupt comes in between, the old ones again."""
    try:
        for x, value in new:
            put(x, value)
    except BaseException:
        for x, value in old:
            put(x, value)
        raise
