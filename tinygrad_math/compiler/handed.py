"""What a function that is being traced was handed: whether it writes there, where its caller would look for it.

A traced function gets containers of its own, with traced values in them, so that a program cannot write into those of
the caller at each call, as the function itself would.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..core.attributes import Attributes
from ..core.tensor import Tensor
from ..core.tree import Structure, flatten
from .values import contents, is_plain, kept, put_back, same


class Handed:
    """The arguments of one run as they are before it."""

    def __init__(self, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
        self.tree = [*args, *kwargs.values()]
        self.keywords = list(kwargs)
        self.leaves, self.structure = flatten(self.tree)
        self.nodes = [leaf.node if isinstance(leaf, Tensor) else None for leaf in self.leaves]
        self.beside: list[Any] = []  # what containers hold beside their children, in the order of the tree
        self.contents: list[tuple[Any, Any]] = []
        self._note(self.structure)

    def _note(self, structure: Structure) -> None:
        extra = structure.extra
        if isinstance(extra, Attributes):
            extra.frozen()
            for _, value in extra.pairs:
                if is_plain(value):
                    self.contents += contents(value)
        if structure.kind is not None:
            self.beside.append(kept(extra) if is_plain(extra) else extra)
        for child in structure.children:
            self._note(child)

    def restore(self) -> None:
        """Put back what lies in containers that the caller's arguments share with these."""
        for x, old in self.contents:
            put_back(x, old)

    def written(self, f: Callable[..., Any]) -> str | None:
        """The place that is not what it was, as f calls it; None if all is."""
        leaves, structure = flatten(self.tree)
        here = zip(self.leaves, leaves, self.nodes, strict=False)
        next(beside := iter(self.beside))  # of the list of arguments itself
        for k, (old, new) in enumerate(zip(self.structure.children, structure.children, strict=True)):
            place = _difference(old, new, here, beside)
            if place is not None:
                return _argument(f, k - len(self.tree), self.keywords, len(self.tree)) + place
        return None


def _difference(
    old: Structure, new: Structure, leaves: Iterator[tuple[Any, Any, Any]], beside: Iterator[Any]
) -> str | None:
    """Where two trees first differ, as it is written in Python behind the name of the tree."""
    if old.kind is not new.kind:
        return ""
    if old.kind is None:
        before, after, node = next(leaves)
        return "" if before is not after or (node is not None and after.node is not node) else None
    extra = next(beside)
    if isinstance(extra, Attributes) and isinstance(new.extra, Attributes):
        if extra != new.extra:
            return f".{_other(dict(extra.frozen()), dict(new.extra.frozen()))}"
    elif not same(extra, new.extra):
        return ""
    items = issubclass(old.kind, (dict, list, tuple)) and not hasattr(old.kind, "_fields")
    for key, mine, theirs in zip(old.keys, old.children, new.children, strict=False):
        place = _difference(mine, theirs, leaves, beside)
        if place is not None:
            return _step(items, key) + place
    if same(old.keys, new.keys):
        return None
    return _step(items, _other(dict.fromkeys(old.keys), dict.fromkeys(new.keys)))


def _step(items: bool, key: Any) -> str:
    return f"[{key!r}]" if items or not isinstance(key, str) else f".{key}"


def _other(old: dict[Any, Any], new: dict[Any, Any]) -> Any:
    """The first key that is new, gone, or of another value."""
    for key in [*new, *old]:
        if key not in old or key not in new or old[key] != new[key]:
            return key
    return next(iter(new))  # they are in another order


def _argument(f: Callable[..., Any], back: int, keywords: Sequence[str], count: int) -> str:
    """The name of an argument, counted from the last one, of `count` of which some were passed by keyword."""
    if back >= -len(keywords):
        return keywords[back]
    k = count + back
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):  # of some functions written in C
        return f"arguments[{k}]"
    for position, p in enumerate(parameters):
        if p.kind is p.VAR_POSITIONAL:
            return f"{p.name}[{k - position}]"
        if position == k:
            return p.name
    return f"arguments[{k}]"
