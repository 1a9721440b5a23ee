"""Trees taken apart into their leaves and their structures, and what of them leads to other parts of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .attributes import Attributes
from .errors import ArgumentError
from .kinds import INERT, is_inert
from .links import leading
from .structure import LEAF, NOTHING, Each, Structure, Tie, of_origin, opened


class Taking:
    """What is found while trees are taken apart."""

    __slots__ = ("knows", "leaves", "objects", "places", "seen", "shared")

    def __init__(self, knows: bool = False) -> None:
        self.leaves: list[Any] = []
        self.places: dict[int, int]  # of the leaves of the present tree that stay one, by identity
        self.seen: dict[int, Any]  # its objects that stay one
        self.objects: list[tuple[Any, Any]] = []  # those that have something beside their children, and what
        self.shared = False  # whether one of them has several places
        self.knows = knows  # whether structures shall know what they were taken from


def flatten(tree: Any, objects: list[Any] | None = None) -> tuple[list[Any], Structure]:
    """The leaves of `tree` from left to right, and its structure.

    `objects` is given those containers that have attributes, in the order in which `put_together` makes others.

    >>> flatten({"w": [1.0, 2.0], "b": 3.0})[0]
    [1.0, 2.0, 3.0]
    """
    kind = tree.__class__
    if kind is np.ndarray or kind is float:
        return [tree], LEAF
    if hasattr(kind, "_tree_leaf"):  # at a glance: what most functions return
        role = tree._tree_leaf()
        return [tree], LEAF if role is None else Structure(None, (), (), role)
    taking, (structure,) = _taken((tree,))
    if objects is not None:
        objects += [x for x, _ in taking.objects]
    return taking.leaves, structure


def flatten_each(trees: Sequence[Any], objects: list[Any] | None = None) -> tuple[list[Any], Structure]:
    """The leaves and the structure of the tuple of these trees: arguments, of which each is a variable.

    What two of them have in common is a leaf in each. `objects` is as in `flatten`.
    """
    if len(trees) == 1:
        leaves, structure = flatten(trees[0], objects)
        return leaves, _ONE_LEAF if structure is LEAF else Each(tuple, (0,), (structure,))
    taking, parts = _taken(trees)
    if objects is not None:
        objects += [x for x, _ in taking.objects]
    return taking.leaves, Each(tuple, tuple(range(len(parts))), parts)


_ONE_LEAF = Each(tuple, (0,), (LEAF,))


def _taken(trees: Sequence[Any]) -> tuple[Taking, tuple[Structure, ...]]:
    """The trees taken apart; where something beside their children leads to their objects, these are known."""
    taking = Taking()
    parts, known = _wholes(trees, taking)
    if not taking.objects and not taking.shared:
        return taking, parts
    beside = [extra for _, extra in taking.objects if extra.__class__ is Attributes]
    suspects = [v for extra in beside for _, v in extra.pairs if type(v) not in INERT and not is_inert(v)]
    if not suspects and not taking.shared:
        return taking, parts
    targets = known | {id(x): x for x, _ in taking.objects}
    targets |= {id(leaf): leaf for leaf in taking.leaves if hasattr(type(leaf), "_tree_leaf")}
    lead = leading(suspects, targets)
    direct = any(id(v) in targets for v in suspects)
    if not lead and not direct and not taking.shared:
        return taking, parts
    taking = Taking(knows=True)
    parts, _ = _wholes(trees, taking)
    for _, extra in taking.objects:
        if extra.__class__ is Attributes and any(id(v) in lead or id(v) in targets for _, v in extra.pairs):
            extra.lead = lead
    return taking, parts


def _wholes(trees: Sequence[Any], taking: Taking) -> tuple[tuple[Structure, ...], dict[int, Any]]:
    """The structure of each tree, and the objects of all of them that stay one."""
    structures: list[Structure] = []
    known: dict[int, Any] = {}
    for tree in trees:
        taking.places, taking.seen = {}, {}
        try:
            structures.append(_take_apart(tree, taking, False))
        except RecursionError:
            raise ArgumentError(f"a tree that nests too deeply, or contains itself: a {type(tree).__name__}") from None
        if taking.seen:
            known |= taking.seen
    return tuple(structures), known


def _take_apart(tree: Any, taking: Taking, ties: bool) -> Structure:
    if tree is None:
        return NOTHING
    if tree.__class__ is np.ndarray or tree.__class__ is float:
        taking.leaves.append(tree)
        return LEAF
    kind = type(tree)
    found = None if hasattr(tree.__class__, "_tree_leaf") else opened(tree)
    if found is None:
        return _leaf(tree, taking, ties)
    keys, children, extra = found
    ties = ties or getattr(kind, "tree_ties", False)
    if ties and kind is not tuple:
        if id(tree) in taking.seen:
            taking.shared = True
        else:
            taking.seen[id(tree)] = tree
    structures = []
    for child in children:  # not a comprehension, which would double the depth of the stack
        if child.__class__ is np.ndarray or child.__class__ is float:  # at a glance
            taking.leaves.append(child)
            structures.append(LEAF)
        else:
            structures.append(_take_apart(child, taking, ties))
    if extra is not None:
        taking.objects.append((tree, extra))
    structure = Structure(kind, keys, tuple(structures), extra)
    return of_origin(structure, tree) if taking.knows else structure


def _leaf(leaf: Any, taking: Taking, ties: bool) -> Structure:
    leaves = taking.leaves
    if not hasattr(type(leaf), "_tree_leaf"):
        leaves.append(leaf)
        return LEAF
    role, place = leaf._tree_leaf(), len(leaves)
    if (ties or role is not None) and taking.places.setdefault(id(leaf), place) < place:
        return Structure(Tie, (), (), taking.places[id(leaf)])
    leaves.append(leaf)
    structure = LEAF if role is None else Structure(None, (), (), role)
    return of_origin(structure, leaf) if taking.knows else structure
