"""Trees put together from a structure and leaves: containers made anew, ties kept, attributes that lead to the new."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from typing import Any, Literal

from .attributes import Attributes
from .derived import fill
from .errors import ShapeError
from .kinds import INERT, Unlinkable
from .links import Copy, unlinkable
from .structure import LEAF, Each, Origin, Structure, Tie

_BASES = (OrderedDict, defaultdict, dict, list, tuple)  # whose own methods fill their subclasses
Values = bool | Literal["attached"]


class Building:
    """What is made while a tree is put together."""

    __slots__ = ("helpers", "instead", "leaves", "linked", "made", "objects", "several", "values")

    def __init__(self, leaves: Sequence[Any], values: Values = True) -> None:
        self.leaves, self.values = iter(leaves), values
        self.made: list[Any] = []  # the leaves, by their numbers
        self.objects: list[Any] = []  # those that have something beside their children, in the order of the tree
        self.helpers: list[tuple[Any, Any]] = []  # what the attributes of these lead to, and was made anew: old and new
        self.instead: dict[int, Any] = {}  # of what is known: the new one, by the identity of the old one
        self.several: dict[int, Any] = {}  # what has no successor, but several of them
        self.linked: list[tuple[Any, Attributes]] = []  # objects whose attributes lead to some of the tree

    def know(self, old: Any, new: Any) -> None:
        if self.instead.setdefault(id(old), new) is not new:
            self.several[id(old)] = old


def unflatten(structure: Structure, leaves: Sequence[Any], values: Values = True) -> Any:
    """The tree of this structure with these leaves.

    In a parameter's place a value becomes a parameter that learns as that one did, a leaf where no derivative through
    it is to be expected; where one is, the values are "attached". A derivative (`values=False`) does not learn.
    """
    if structure is LEAF and len(leaves) == 1:
        return leaves[0]
    building = Building(leaves, values)
    try:  # the leaves are not counted before, which takes a walk of its own
        tree = put_together(structure, building)
    except StopIteration:
        if len(leaves) == structure.leaf_count:
            raise
    else:
        if len(building.made) == len(leaves):
            return tree
    raise ShapeError(f"a tree of {structure.leaf_count} leaves was given {len(leaves)}")


def put_together(structure: Structure, building: Building) -> Any:
    """The tree of a structure; `building` has the leaves, and is told what is made."""
    if structure.__class__ is not Each:
        tree = _build(structure, building, False)
        if building.linked:
            _link(building, {})
        return tree
    parts, known = [], []
    for child in structure.children:
        if child is LEAF:  # at a glance
            leaf = next(building.leaves)
            building.made.append(leaf)
            parts.append(leaf)
            continue
        building.instead, building.several, building.linked = {}, {}, []
        parts.append(_build(child, building, False))
        known.append((building.instead, building.several, building.linked))
    if known and any(linked for *_, linked in known):
        everything = {key: new for instead, *_ in known for key, new in instead.items()}
        for building.instead, building.several, building.linked in known:
            if building.linked:
                _link(building, everything)
    return tuple(parts)


def _build(structure: Structure, building: Building, below: bool) -> Any:
    kind, keys, children, extra = structure
    if kind is None:
        leaf = next(building.leaves)
        leaf = leaf if extra is None else extra[0]._from_tree(leaf, *extra[1:], building.values)
        building.made.append(leaf)
        if structure.__class__ is Origin:
            building.know(structure.origin, leaf)
        return leaf
    if kind is type(None):
        return None
    if kind is Tie:
        return building.made[extra]
    built, ties = [], getattr(kind, "tree_ties", False)
    for child in children:
        if child is LEAF:  # at a glance
            leaf = next(building.leaves)
            building.made.append(leaf)
            built.append(leaf)
        else:
            built.append(_build(child, building, below or ties))
    if kind is list and structure.__class__ is not Origin:
        return built
    if kind is dict:
        tree: Any = dict(zip(keys, built, strict=True))
    elif kind is tuple:
        tree = tuple(built)
    elif kind is list:
        tree = built
    elif hasattr(kind, "tree_unflatten"):
        tree = kind.tree_unflatten(keys, built, extra)
    else:
        tree = container(kind, keys, built, extra, building.values is not False)
    if structure.__class__ is Origin:
        tree = _one_of(structure, tree, building)
    if extra is not None:
        building.objects.append(tree)
        if extra.__class__ is Attributes and extra.lead is not None:
            building.linked.append((tree, extra))
    if ties and not below and hasattr(kind, "_tree_complete"):
        tree._tree_complete()
    return tree


def _one_of(structure: Origin, tree: Any, building: Building) -> Any:
    """What takes the place of an object: of one that has several places, and no leaf of its own here, the one there."""
    before = building.instead.get(id(structure.origin))
    if before is not None and type(before) is type(tree) and not structure.leaf_count:
        return before
    building.know(structure.origin, tree)
    return tree


def _link(building: Building, others: dict[int, Any]) -> None:
    """Let the attributes of the new objects lead to new ones, where those of the old ones lead to old ones."""
    instead = others | building.instead
    for key in building.several:
        instead.pop(key, None)
    lead = {key: x for _, extra in building.linked for key, x in (extra.lead or {}).items()} | building.several
    copy = Copy(instead, lead)
    for tree, extra in building.linked:
        for name, value in extra.pairs:
            if type(value) not in INERT and (id(value) in lead or id(value) in instead):
                try:
                    new = copy(value)
                    copy.finish()
                except Unlinkable as found:
                    raise unlinkable(tree, name, found) from None
                object.__setattr__(tree, name, new)
    building.helpers += copy.originals.values()


def container(kind: Any, keys: tuple[Any, ...], built: list[Any], extra: Attributes | None, values: bool = True) -> Any:
    """Another object of this type, made without its constructor, which may take other arguments or change them."""
    base: Any = next((b for b in _BASES if issubclass(kind, b)), None)
    new = object.__new__(kind) if base is None else base.__new__(kind, built) if base is tuple else base.__new__(kind)
    if base is None:
        fill(new, zip(keys, built, strict=True), extra, values)
        return new
    if base is list:
        list.extend(new, built)
    elif base is not tuple:
        for key, child in zip(keys, built, strict=True):
            base.__setitem__(new, key, child)
    for name, value in extra.pairs if extra is not None else ():
        object.__setattr__(new, name, value)
    return new
