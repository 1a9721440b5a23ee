"""What a function has set on objects that stand for its arguments, set on these.

A transform hands copies to its function. What the function binds anew on them, or puts into a container that was made
anew, as eager code may (a counter, a mode, a list of what was seen), is there on the originals when the function has
run; so what two calls see is what they see without the transform. What holds a value that is being differentiated or
traced is not: it would outlive its transform. The containers that are the argument itself, whose items are variables,
stay as they are, too.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from operator import is_
from typing import Any

from .contents import ATTRIBUTES, Places, View, contents_of
from .kinds import INERT, Unlinkable, is_inert, own_kind
from .links import Copy, leading
from .node import TRACED, TRANSFORMED
from .tree import Building
from .whole import put_all

_ABSENT = object()


class State:
    """The contents of copies as their function gets them: of objects, and of `leaves`, pairs of old and new ones."""

    def __init__(self, objects: Sequence[Any], leaves: Iterable[tuple[Any, Any]], building: Building) -> None:
        self._pairs = [*zip(objects, building.objects, strict=True), *building.helpers, *leaves]
        views = [(old, new, ATTRIBUTES) for old, new in zip(objects, building.objects, strict=True)]
        views += [(old, new, view) for old, new in building.helpers for view in contents_of(new)]
        self._before = [
            (old, new, view, view.read(new))
            for old, new, view in views
            if view is not ATTRIBUTES or _is_written(new.__class__)
        ]

    def keep(self) -> None:
        """Put into the originals what was put into the copies."""
        now = [(old, view, before, view.read(new)) for old, new, view, before in self._before]
        changed = [entry for entry in now if not _is_same(*entry[2:])]
        if not changed:
            return
        back = {id(new): old for old, new in self._pairs}
        originals = {id(old) for old, _ in self._pairs}
        here = {id(new): new for _, new in self._pairs}
        new, old = [], []
        for x, view, before, after in changed:
            places = view.read(x)
            old.append(((view, x), places))
            new.append(((view, x), _settled(places, before, after, lambda v: _mapped(v, back, here), originals)))
        put_all(_put, new, old)


def _put(target: tuple[View, Any], places: Places) -> None:
    view, x = target
    view.write(x, places)


@functools.lru_cache(256)
def _is_written(kind: Any) -> bool:
    """Whether it is a module, or another object whose attributes a function of the user may bind."""
    ours = kind.__module__.partition(".")[0] == __name__.partition(".")[0]
    return not ours or getattr(kind, "tree_ties", False)


def _is_same(before: Places, now: Places) -> bool:
    return len(now) == len(before) and all(map(is_, now, before)) and all(map(is_, now.values(), before.values()))


def _settled(original: Places, before: Places, now: Places, mapped: Any, originals: set[int]) -> dict[Any, Any]:
    """What an original has at its places, when its copy had these before and has those now."""
    found: dict[Any, Any] = {}
    for place, value in now.items():
        key = mapped(place)
        if before.get(place, _ABSENT) is not value:
            new = mapped(value)
            if not _holds_traced(new, originals) and not _holds_traced(key, originals):
                found[key] = new
                continue
        if key in original:
            found[key] = original[key]
    for key in original.keys() - found.keys() - set(map(mapped, before)):  # which came meanwhile
        found[key] = original[key]
    return found


def _mapped(value: Any, back: dict[int, Any], here: dict[int, Any]) -> Any:
    """A value that leads to the originals where it led to their copies."""
    if type(value) in INERT:
        return value
    copy = Copy(back, leading([value], here))
    try:
        found = copy(value)
        copy.finish()
    except Unlinkable:
        return value
    return found


def _holds_traced(value: Any, originals: set[int]) -> bool:
    """Whether a value is, or leads to, one that is traced, or made of an input of this transform."""
    seen: dict[int, Any] = {}
    stack = [value]
    while stack:
        x = stack.pop()
        if id(x) in originals:  # which an outer transform may have for its variables
            continue
        if hasattr(type(x), "_tree_leaf"):
            if x.node.live & (TRACED | TRANSFORMED):
                return True
        elif not is_inert(x) and id(x) not in seen:
            seen[id(x)] = x
            kind = own_kind(x)
            stack += kind.parts(x) if kind is not None else ()
    return False
