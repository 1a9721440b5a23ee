"""A fact about what surrounds a compiled function: where something lies, and what it was."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

MISS: Any = object()  # what is found where a program does not fit, or nothing lies
UNSET: Any = object()  # what a slot or a context variable without a value gives
FIXED = "fixed"  # the step to what lies at the same place at every call
UNREADABLE = (AttributeError, LookupError, ValueError, TypeError, NameError)


class Fact:
    """One thing in reach: how it is read, and what it was."""

    __slots__ = (
        "absent",
        "apart",
        "check",
        "keeps",
        "like",
        "moves",
        "number",
        "own",
        "parent",
        "parts",
        "path",
        "plain",
        "quick",
        "shown",
        "step",
        "value",
        "valued",
    )

    def __init__(self, path: str, value: Any, parent: Fact | None = None, step: tuple[str, Any] | None = None) -> None:
        self.path, self.value, self.parent, self.step = path, value, parent, step
        self.check = ""  # a condition over {v}, its value, {like} and {quick}
        self.like: Any = None
        self.quick: Any = None  # what tells a plain value at a glance
        self.valued = False  # of a Tensor: whether its value was asked for
        self.shown = False  # and as a text, which has its name, and says whether a gradient is required
        self.plain = self.own = False  # a plain value; an object whose attributes are watched
        self.keeps = False  # a function that keeps results
        self.apart: list[Fact] = []  # in place of a condition: no two of these are one object
        self.absent: frozenset[str] = frozenset()  # in place of a condition: the keys that a dict has not
        self.parts: tuple[Fact, ...] = ()  # what a number is computed of; its step is ("of", function of these)
        self.moves = False  # a number that is read at each call, whatever it is
        self.number = -1

    @property
    def fixed(self) -> bool:
        """Whether there is nothing that could put another value there."""
        return self.step is not None and self.step[0] == FIXED

    def put_back(self) -> None:
        """Write the value to where it was read from, if there is another one now."""
        for name in self.absent & self.value.keys() if self.absent else ():
            del self.value[name]
        if self.parent is None or self.step is None:
            return
        (kind, key), holder = self.step, self.parent.value
        if kind in ("read", "own"):
            return
        if isinstance(holder, (tuple, type, Mapping)) and not isinstance(holder, MutableMapping):
            return
        try:
            now = holder[key] if kind == "item" else getattr(holder, key)
        except UNREADABLE:
            now = UNSET
        if now is self.value or isinstance(holder, (tuple, type)):
            return
        if kind == "item":
            holder[key] = self.value
        elif self.value is UNSET:
            delattr(holder, key)
        else:
            setattr(holder, key, self.value)


def given(value: Any) -> Fact:
    """A parent that is the same at every call."""
    return Fact("", value)
