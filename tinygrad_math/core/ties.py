"""Trees in which a leaf has several places: each place for itself, and tied anew by what the places hold."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, NamedTuple

from .tree import Origin, Structure, Tie, leaves_like


class Place(NamedTuple):
    """Where a leaf stands."""

    leaf: int  # its number
    inside: bool  # whether in an object that ties whatever it holds


def places(structure: Structure) -> list[Place]:
    """The places of a tree from left to right: as many as it has leaves, and one more for each tie."""
    count = iter(range(structure.leaf_count))
    return [
        Place(next(count) if s.kind is None else s.extra, inside) for s, inside in _at_places(structure, inside=False)
    ]


def is_tied(structure: Structure) -> bool:
    """Whether a leaf has several places."""
    stack = [structure]
    while stack:
        s = stack.pop()
        if s.kind is Tie:
            return True
        if s.children:
            stack += s.children
    return False


def tied(structure: Structure, keys: Sequence[Hashable]) -> Structure:
    """The same tree with other ties: places of one key hold one leaf. Keys stand in the order of the places."""
    roles = [s for s, _ in _at_places(structure, inside=False) if s.kind is None]
    given = zip(places(structure), keys, strict=True)
    numbers: dict[Hashable, int] = {}

    def build(s: Structure) -> Structure:
        if s.kind is None or s.kind is Tie:
            place, key = next(given)
            if key in numbers:
                return Structure(Tie, (), (), numbers[key])
            numbers[key] = len(numbers)
            return roles[place.leaf]
        children = tuple([build(child) for child in s.children])
        return s.with_children(children) if isinstance(s, Origin) else s._replace(children=children)

    return build(structure)


def untied(structure: Structure) -> Structure:
    """The same tree with a leaf in each place."""
    return tied(structure, range(len(places(structure)))) if is_tied(structure) else structure


def firsts(keys: Sequence[Hashable]) -> list[int]:
    """Which of the places are the first ones with their key: those that hold the leaves of `tied`."""
    return [k for k, key in enumerate(keys) if keys.index(key) == k]


def summands(tree: Any, structure: Structure) -> list[list[Any]] | None:
    """What a cotangent tree has for each leaf of `structure`, which is to be added up; None if the containers differ.

    It has a part for each place of the leaf; where the parts are one leaf themselves, as in a tree of gradients, this
    is the whole, and counts once.
    """
    found = leaves_like(tree, untied(structure))
    if found is None:
        return None
    parts: list[list[Any]] = [[] for _ in range(structure.leaf_count)]
    for place, part in zip(places(structure), found, strict=True):
        ties = place.inside or (hasattr(type(part), "_tree_leaf") and part._tree_leaf() is not None)
        if not (ties and any(part is p for p in parts[place.leaf])):
            parts[place.leaf].append(part)
    return parts


def _at_places(s: Structure, inside: bool) -> Iterator[tuple[Structure, bool]]:
    if s.kind is None or s.kind is Tie:
        yield s, inside
    for child in s.children:
        yield from _at_places(child, inside or getattr(s.kind, "tree_ties", False))
