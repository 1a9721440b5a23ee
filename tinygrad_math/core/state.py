"""What a function has set on objects that stand for its arguments, set on these.

A transform hands copies to its function. An attribute that the function binds anew, as eager code may (a counter, a
mode), is bound on the argument when the function has run; so what two calls see is what they see without the
transform. What holds a value that is being differentiated or traced is not: it would outlive its transform.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any

from .kinds import INERT, Unlinkable, is_inert, kind_of
from .links import Copy, leading
from .node import TRACED, TRANSFORMED
from .tree import Building

_ABSENT = object()


class State:
    """The attributes of copies as their function gets them."""

    def __init__(self, objects: Sequence[Any], leaves: Sequence[Any], building: Building) -> None:
        pairs = [*zip(objects, building.objects, strict=True), *building.helpers]
        self._pairs = [*pairs, *zip(leaves, building.made, strict=True)]
        self._before = [(old, new, dict(new.__dict__)) for old, new in pairs if _is_written(new)]

    def keep(self) -> None:
        """Bind on the originals what was bound on the copies."""
        changed = [entry for entry in self._before if not _is_same(entry[1].__dict__, entry[2])]
        if not changed:
            return
        back = {id(new): old for old, new in self._pairs}
        originals = {id(old) for old, _ in self._pairs}
        here = {id(new): new for _, new in self._pairs}
        for old, new, before in changed:
            now = new.__dict__
            for name in before.keys() - now.keys():
                old.__dict__.pop(name, None)
            for name in [k for k, v in now.items() if before.get(k, _ABSENT) is not v]:
                value = _mapped(now[name], back, here)
                if not _holds_traced(value, originals):
                    object.__setattr__(old, name, value)


def _is_written(x: Any) -> bool:
    """Whether it is a module, or another object whose attributes a function of the user may bind."""
    ours = type(x).__module__.partition(".")[0] == __name__.partition(".")[0]
    return hasattr(x, "__dict__") and (not ours or getattr(type(x), "tree_ties", False))


def _is_same(now: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    return len(now) == len(before) and all(map(operator.is_, now.values(), before.values()))


def _mapped(value: Any, back: dict[int, Any], here: dict[int, Any]) -> Any:
    """A value that leads to the originals where it led to their copies."""
    if value.__class__ in INERT:
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
            kind = kind_of(x.__class__)
            stack += kind.parts(x) if kind is not None else ()
    return False
