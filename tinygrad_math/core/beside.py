"""What containers hold beside their children, where a value would be lost: a transform takes leaves only.

Attributes that the constructor does not take, plain ones of modules and of subclasses of dict, are no variables. What
a function computes and puts there belongs to its run alone.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from typing import Any

from .attributes import Attributes, Pairs, frozen
from .errors import ArgumentError, describe
from .kinds import INERT, is_inert, own_kind
from .putting_together import unflatten
from .structure import Origin, Structure, Tie, below, of_origin, with_extras
from .taking_apart import flatten

_CURE = "make it a field that the constructor takes, so that it is a leaf"


def has_beside(structure: Structure) -> bool:
    """Whether a container of a tree holds something beside its children."""
    stack = [structure]
    while stack:  # without a generator: every transform asks
        s = stack.pop()
        if type(s.extra) is Attributes:
            return True
        if s.children:
            stack += s.children
    return False


def nodes_beside(structure: Structure, known: Container[int] = ()) -> Iterator[tuple[str, Any]]:
    """The nodes of Tensors that have a history, beside the children of a tree's containers, and the attributes.

    What the objects of `known` identities lead to is passed over, and what a derivative keeps of the values."""
    if not has_beside(structure):
        return
    places = {id(s.origin) for s in below(structure) if isinstance(s, Origin)}
    for s in below(structure):
        for attribute, value in s.extra.pairs if type(s.extra) is Attributes else ():
            if type(value) not in INERT and attribute not in s.extra.made:
                yield from ((f"{s.kind.__name__}.{attribute}", node) for node in _live(value, places, known))


def held_by(args: Any) -> set[int]:
    """The containers of arguments that have attributes, by identity: a result like them may lead there by its own."""
    objects: list[Any] = []
    flatten(args, objects)
    return {id(x) for x in objects}


def as_leaves(
    leaves: Sequence[Any],
    structure: Structure,
    theirs: Container[int] = (),
    moves: Callable[[Any], bool] = lambda node: False,
    derived: bool = False,
) -> tuple[list[Any], Structure]:
    """A tree whose derivatives hold what they keep of the values as further leaves, if that has a node that `moves`.

    A program, or a batch, then has such a value anew, as it has the leaves. What is no tree of numbers is left
    out, and refused where it holds some. An object of `theirs`, by identity, stays where it is. So are arrays that are
    `derived` of the leaves, if asked for: where each row of a result is a tree, what is computed of one row is not what
    is computed of all.
    """
    opened = _OpenedUp(leaves, theirs, moves, derived)
    return opened.found, opened.walk(structure)


class _OpenedUp:
    """What `as_leaves` has found so far. No functions within a function, which would keep the leaves for a while."""

    def __init__(
        self, leaves: Sequence[Any], theirs: Container[int], moves: Callable[[Any], bool], derived: bool
    ) -> None:
        self.given, self.theirs, self.moves, self.derived = iter(leaves), theirs, moves, derived
        self.found: list[Any] = []
        self.places: list[int] = []  # of the leaves that were given, among those

    def walk(self, s: Structure) -> Structure:
        if s.kind is None:
            self.places.append(len(self.found))
            self.found.append(next(self.given))
            return s
        if s.kind is Tie:
            return s._replace(extra=self.places[s.extra])
        new = s._replace(children=tuple(map(self.walk, s.children)))
        if type(s.extra) is Attributes and s.extra.made:
            new = self.opened_up(new, s.extra)
            new = self.of_each(new, new.extra) if self.derived else new
        return of_origin(new, s.origin) if isinstance(s, Origin) else new

    def opened_up(self, s: Structure, extra: Attributes) -> Structure:
        pairs = []
        for name, value in extra.pairs:
            own = name in extra.made and id(value) not in self.theirs
            if not own or not any(map(self.moves, _live(value, set()))):
                pairs.append((name, value))
                continue
            parts, child = flatten(value)
            if all(hasattr(type(part), "_tree_leaf") or is_inert(part) for part in parts):
                _refuse_others_than_numbers(s.kind, name, parts)
                s = self.with_child(s, name, parts, child)
        return s._replace(extra=extra.with_pairs(tuple(pairs), extra.derived))

    def of_each(self, s: Structure, extra: Attributes) -> Structure:
        rest = []
        for name, value in extra.derived:
            parts, child = flatten(value)
            if any(hasattr(type(part), "dtype") for part in parts):
                _refuse_others_than_numbers(s.kind, name, parts)
                s = self.with_child(s, name, parts, child)
            else:
                rest.append((name, value))
        return s._replace(extra=extra.with_pairs(extra.pairs, tuple(rest)))

    def with_child(self, s: Structure, name: str, parts: list[Any], child: Structure) -> Structure:
        child = _renumbered(child, len(self.found))
        self.found.extend(parts)
        return s._replace(keys=(*s.keys, name), children=(*s.children, child))


def _refuse_others_than_numbers(kind: Any, name: str, parts: Sequence[Any]) -> None:
    """What is computed of leaves becomes leaves, and what is no tree of numbers cannot."""
    for part in parts:
        if not (hasattr(type(part), "dtype") or isinstance(part, (int, float, complex))):
            raise ArgumentError(
                f"{kind.__name__}.{name}, computed of the leaves, is no tree of numbers alone: it holds "
                f"{describe(part)}. Keep that in another attribute, or make a property of what is computed"
            )


def with_kept(structure: Structure, change: Callable[[Any], Any]) -> Structure:
    """A structure whose containers keep, of what `__post_init__` made of the values, what `change` makes of Tensors."""
    if not has_beside(structure):
        return structure

    def changed(extra: Any) -> Any:
        if type(extra) is not Attributes or not extra.made:
            return extra
        return extra.with_pairs(*(_changed(some, extra.made, change) for some in (extra.pairs, extra.derived)))

    return with_extras(structure, changed)


def _changed(pairs: Pairs, made: Container[str], change: Callable[[Any], Any]) -> Pairs:
    changed = []
    for name, value in pairs:
        if name in made and _has_live(value):
            parts, child = flatten(value)
            value = unflatten(child, [change(p) if hasattr(type(p), "_tree_leaf") else p for p in parts])
        changed.append((name, value))
    return tuple(changed)


def _renumbered(structure: Structure, first: int) -> Structure:
    """The structure of a tree whose leaves begin with this number, which ties tell."""
    if structure.kind is Tie:
        return structure._replace(extra=structure.extra + first)
    children = tuple([_renumbered(child, first) for child in structure.children])
    new = structure._replace(children=children)
    return of_origin(new, structure.origin) if isinstance(structure, Origin) else new


def _live(value: Any, places: set[int], known: Container[int] = ()) -> Iterator[Any]:
    """The nodes with a history that a value is, or leads to, but by way of the tree itself or of what is known."""
    seen: dict[int, Any] = {}  # which also keeps what is made in passing, so that no identity comes twice
    stack = [value]
    while stack:
        x = stack.pop()
        if id(x) in seen or id(x) in places or id(x) in known:
            continue
        seen[id(x)] = x
        if hasattr(type(x), "_tree_leaf"):
            if x.node.live:
                yield x.node
        elif not is_inert(x) or isinstance(x, (list, tuple, dict)):
            kind = own_kind(x)
            stack += kind.parts(x) if kind is not None and not kind.unique else ()


def _has_live(value: Any) -> bool:
    return next(_live(value, set()), None) is not None


def lost(asker: str, name: str) -> ArgumentError:
    """The error for what a function computed, and put where no transform follows it."""
    return ArgumentError(
        f"{asker}: the function returns {name}, computed in it, which is no leaf of its result: {_CURE}"
    )


def refuse_others(asker: str, old: Structure, new: Structure, what: str) -> None:
    """Raise ArgumentError where a step changed what lies beside the leaves, of which the next one would not know."""
    for a, b in zip(below(old), below(new), strict=False):
        if type(a.extra) is Attributes or type(b.extra) is Attributes:
            name = _other(_pairs(a.extra), _pairs(b.extra))
            if name is not None:
                raise ArgumentError(
                    f"{asker}: a step changes {b.kind.__name__}.{name} of {what}, which is no leaf: {_CURE}"
                )


def _pairs(extra: Any) -> dict[str, Any]:
    return dict(extra.pairs) if type(extra) is Attributes else {}


def _other(old: dict[str, Any], new: dict[str, Any]) -> str | None:
    for name, value in new.items():
        if name not in old or not _same(old[name], value):
            return name
    return next((name for name in old if name not in new), None)


def _same(a: Any, b: Any) -> bool:
    """Whether an attribute is what it was: the same object, or one of equal content without a history."""
    if a is b:
        return True
    if _has_live(a) or _has_live(b):
        return False
    return bool(frozen(a) == frozen(b))
