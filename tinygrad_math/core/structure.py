"""What a tree is without its leaves: its containers, their keys, and what they have beside their children."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from .derived import attributes


class Structure(NamedTuple):
    """A tree without its leaves: hashable, comparable, printable."""

    kind: Any  # the container's type; None for a leaf, Tie for one that came before
    keys: tuple[Any, ...]
    children: tuple[Structure, ...]
    extra: Any = None  # of a container what is beside the children; of a leaf its type and role; of a tie its number

    @property
    def leaf_count(self) -> int:
        count, stack = 0, [self]
        while stack:
            s = stack.pop()
            count += s.kind is None
            stack += s.children
        return count


class Origin(Structure):
    """A structure that knows what it was taken from, where something else of the tree leads there."""

    origin: Any

    def with_children(self, children: tuple[Structure, ...]) -> Structure:
        return of_origin(self._replace(children=children), self.origin)


class Each(Structure):
    """The structure of arguments, of which each is a tree of its own."""


def of_origin(structure: Structure, origin: Any) -> Origin:
    known = Origin(*structure)
    known.origin = origin
    return known


class Tie:
    """The kind of a place that holds the same leaf as an earlier one."""


LEAF = Structure(None, (), ())
NOTHING = Structure(type(None), (), ())


def opened(tree: Any) -> tuple[tuple[Any, ...], tuple[Any, ...], Any] | None:
    """The keys, children and extra data of a container; None for a leaf."""
    kind = type(tree)
    if kind is tuple or kind is list:
        return tuple(range(len(tree))), tuple(tree), None
    if kind is dict:
        return tuple(tree), tuple(tree.values()), None
    if isinstance(tree, dict):
        keys = tuple(tree)
        return keys, tuple(dict.__getitem__(tree, k) for k in keys), attributes(tree)
    if isinstance(tree, (tuple, list)):
        return getattr(tree, "_fields", tuple(range(len(tree)))), tuple(tree), attributes(tree)
    if hasattr(kind, "tree_flatten"):  # an object may answer to any name
        keys, children, extra = tree.tree_flatten()
        return keys, children, extra
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        names = tuple(f.name for f in dataclasses.fields(tree) if f.init)
        return names, tuple(getattr(tree, n) for n in names), attributes(tree)
    return None


def children(tree: Any) -> dict[Any, Any]:
    """What a container holds, by its keys; nothing where it is a leaf."""
    found = opened(tree)
    return {} if found is None else dict(zip(*found[:2], strict=True))


def below(structure: Structure) -> Iterator[Structure]:
    stack = [structure]
    while stack:
        yield stack[-1]
        stack += stack.pop().children


def with_extras(structure: Structure, change: Callable[[Any], Any]) -> Structure:
    """The structure whose containers have beside their children what `change` makes of that."""
    if structure.kind in (None, Tie):
        return structure
    children = tuple([with_extras(child, change) for child in structure.children])
    new = structure._replace(children=children, extra=change(structure.extra))
    return of_origin(new, structure.origin) if isinstance(structure, Origin) else new


def paths(structure: Structure) -> list[str]:
    """Where each leaf stands, its keys joined: `encoder.0.weight`."""
    if structure.kind is None:
        return [""]
    found = []
    for key, child in zip(structure.keys, structure.children, strict=True):
        found += [f"{key}.{rest}" if rest else str(key) for rest in paths(child)]
    return found


def show(structure: Structure) -> str:
    """A structure in a line: `{w: [*, *], b: *}`."""
    if structure.kind is None:
        return "*"
    if structure.kind is Tie:
        return f"leaf {structure.extra} again"
    if structure.kind is type(None):
        return "None"
    within = [show(c) for c in structure.children]
    if structure.kind in (list, tuple):
        return ("[{}]" if structure.kind is list else "({})").format(", ".join(within))
    name = "" if structure.kind is dict else structure.kind.__name__
    return name + "{" + ", ".join(f"{k}: {b}" for k, b in zip(structure.keys, within, strict=True)) + "}"
