"""The functions that transforms make: callables that know how they were made, and so can be pickled."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import MethodType
from typing import Any


class Made:
    """What `transform(f, *options)` gives: call it. It pickles where f does, and is a method within a class."""

    __reached__ = ("f", "transform", "options")  # what the result of a call depends on

    def __init__(
        self,
        call: Callable[..., Any],
        transform: Callable[..., Any],
        f: Callable[..., Any],
        *options: Any,
        like: Callable[..., Any] | None = None,
    ) -> None:
        functools.update_wrapper(self, like or f, updated=())
        self.call, self.transform, self.f, self.options = call, transform, f, options

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return self.call(*args, **kwargs)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __reduce__(self) -> Any:
        return self.transform, (self.f, *self.options)

    def __copy__(self) -> Made:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Made:
        """As of functions, there is one."""
        return self

    def __repr__(self) -> str:
        title = getattr(self.f, "__name__", None) or type(self.f).__name__
        return f"<{self.transform.__name__} of {title}>"
