"""Searches: minimisers and root finders, whose result is a point, and whose steps have no derivative of meaning."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any

from ..core.errors import NoDerivative, describe
from ..core.numpy_alone import tensors_in
from .checks import plain

SEARCHES = frozenset({"scipy.optimize"})


def search(f: Callable[..., Any], *args: Any, **more: Any) -> Any:
    """The search by plain numbers; NoDerivative where what it searches depends on what is being differentiated."""

    def refuse(live: Any) -> None:
        raise NoDerivative(
            f"{f.__module__.rpartition('.')[0]}.{f.__name__} searches, and its steps have no derivative: what it finds "
            f"depends on {describe(live)}, which is being differentiated; use tm.implicit.root or fixed_point"
        )

    def watched(thing: Any) -> Any:
        if isinstance(thing, (FunctionType, MethodType)) and not hasattr(thing, "lifted_from"):

            def call(*a: Any, **k: Any) -> Any:
                found = thing(*a, **k)
                for t in tensors_in([found]):
                    if t.node.live:
                        refuse(t)
                return plain(found)

            return call
        return plain(thing)

    for t in tensors_in([*args, *more.values()]):
        if t.node.live:
            refuse(t)
    return f(*map(watched, args), **{k: watched(v) for k, v in more.items()})
