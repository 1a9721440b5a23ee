"""Changes of several things that are made as a whole: an error or an interrupt in between leaves all as it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
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


def or_nothing(holders: Sequence[dict[str, Any]], f: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """f of these arguments; where it does not come to its end, these dictionaries have again what they had."""
    before = [dict(held) for held in holders]
    try:
        return f(*args, **kwargs)
    except BaseException:
        for held, old in zip(holders, before, strict=True):
            for key in held.keys() - old.keys():
                del held[key]
            held.update(old)
        raise
