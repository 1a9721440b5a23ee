"""Copies of a network with other Tensors in some places: what leads to them is made anew, all else is shared."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from operator import is_
from typing import Any

from ..core.attributes import all_slots, cached_names
from ..core.kinds import INERT, OBJECT, Unlinkable, is_inert, kind_of
from ..core.links import Copy, leading, unlinkable


def swapped(module: Any, modules: dict[int, Any], new: dict[int, Any], tensors: Iterable[Any]) -> Any:
    """A copy of `module` with other Tensors in some places, by identity; `modules` are all that it consists of.

    What leads to a module, such as a function over it, leads to its copy.
    """
    try:
        return _Twins(modules, new).of(module)
    except _Leads:
        pass
    targets = modules | {id(t): t for t in tensors if id(t) in new}
    roots = [value for m in modules.values() for value in m.__dict__.values()]
    copy = Copy(new, leading(roots, targets) | modules)
    try:
        twin = copy(module)
        copy.finish()
    except Unlinkable as found:
        raise unlinkable(module, "an attribute", found) from None
    return twin


class _Leads(Exception):
    """Something may lead to a module in a way of its own."""


class _Twins:
    """Copies of a network of modules, Tensors and plain containers of these, as most are: nothing is looked for."""

    def __init__(self, modules: dict[int, Any], new: dict[int, Any]) -> None:
        self.modules, self.made = modules, dict(new)

    def of(self, x: Any) -> Any:
        kind = x.__class__
        if kind in INERT:
            return x
        found = self.made.get(id(x))
        if found is not None or hasattr(kind, "_tree_leaf"):
            return x if found is None else found
        if id(x) in self.modules:
            return self._module(x)
        if kind is dict:
            return self._dict(x)
        if kind is not list and kind is not tuple:
            return self._leading_nowhere(x, kind)
        parts = [self.of(part) for part in x]
        if all(map(is_, parts, x)):
            return x
        return self.made.setdefault(id(x), parts if kind is list else tuple(parts))

    def _leading_nowhere(self, x: Any, kind: Any) -> Any:
        """What holds nothing but numbers, texts and the like: a function of no closure, a generator."""
        known = None if is_inert(x) else kind_of(kind)
        if known is not None and not all(is_inert(part) and id(part) not in self.made for part in known.parts(x)):
            raise _Leads
        return x

    def _module(self, module: Any) -> Any:
        kind: Any = type(module)
        if not _is_plain(kind):
            raise _Leads
        twin = self.made[id(module)] = object.__new__(kind)
        own = twin.__dict__
        for name, value in module.__dict__.items():
            own[name] = value if value.__class__ in INERT else self.of(value)
        return twin

    def _dict(self, x: dict[Any, Any]) -> Any:
        if not INERT.issuperset(map(type, x)):
            raise _Leads
        parts = {k: self.of(v) for k, v in x.items()}
        return x if all(map(is_, parts.values(), x.values())) else self.made.setdefault(id(x), parts)


@functools.lru_cache(1024)
def _is_plain(kind: Any) -> bool:
    """Whether all that modules of this type hold lies in their `__dict__`, and none of it is computed from the rest."""
    return kind_of(kind) is OBJECT and not all_slots(kind) and not cached_names(kind)
