"""Nested containers of arrays: dict, list, tuple, named tuple, dataclass, and what flattens itself.

A tree is taken apart into its leaves and a structure that can put other leaves in their places.
Anything that is no container is a leaf; `None` is a container of nothing. A tree keeps what it is made of: the order
of keys, the type of a container (subclasses of dict, list and tuple), its attributes, and fields that are no argument
of a dataclass. An object flattens itself by `tree_flatten() -> (keys, children, extra)` and the classmethod
`tree_unflatten(keys, children, extra)`.

A Parameter in several places of a tree is one leaf, and comes back as one: it is what is learnt, wherever it stands.
So is any Tensor below an object with `tree_ties = True`. Another Tensor or array is a value, and each of its places is
a leaf, as in JAX.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from .arguments import named
from .attributes import Attributes as Attributes
from .attributes import frozen
from .derived import attributes as attributes
from .derived import fill
from .derived import only_a_dict as only_a_dict
from .errors import ArgumentError, ShapeError
from .kinds import INERT, Unlinkable, is_inert
from .links import Copy, leading, unlinkable


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
        return _of_origin(self._replace(children=children), self.origin)


class Each(Structure):
    """The structure of arguments, of which each is a tree of its own."""


def _of_origin(structure: Structure, origin: Any) -> Origin:
    known = Origin(*structure)
    known.origin = origin
    return known


class Tie:
    """The kind of a place that holds the same leaf as an earlier one."""


LEAF = Structure(None, (), ())
NOTHING = Structure(type(None), (), ())
_BASES = (OrderedDict, defaultdict, dict, list, tuple)  # whose own methods fill their subclasses


def _open(tree: Any) -> tuple[tuple[Any, ...], tuple[Any, ...], Any] | None:
    """The keys, children and extra data of a container; None for a leaf."""
    kind = type(tree)
    if kind is tuple or kind is list:
        return tuple(range(len(tree))), tuple(tree), None
    if isinstance(tree, dict):
        keys = tuple(tree)
        return keys, tuple(dict.__getitem__(tree, k) for k in keys), None if kind is dict else attributes(tree)
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
    opened = _open(tree)
    return {} if opened is None else dict(zip(*opened[:2], strict=True))


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


def flatten(tree: Any) -> tuple[list[Any], Structure]:
    """The leaves of `tree` from left to right, and its structure.

    >>> flatten({"w": [1.0, 2.0], "b": 3.0})[0]
    [1.0, 2.0, 3.0]
    """
    if hasattr(tree.__class__, "_tree_leaf"):  # at a glance: what most functions return
        role = tree._tree_leaf()
        return [tree], LEAF if role is None else Structure(None, (), (), role)
    taking, (structure,) = _taken((tree,))
    return taking.leaves, structure


def flatten_each(trees: Sequence[Any], objects: list[Any] | None = None) -> tuple[list[Any], Structure]:
    """The leaves and the structure of the tuple of these trees: arguments, of which each is a variable.

    What two of them have in common is a leaf in each. `objects` is given those that have attributes, in the order in
    which `put_together` makes others.
    """
    taking, parts = _taken(trees)
    if objects is not None:
        objects += [x for x, _ in taking.objects]
    return taking.leaves, Each(tuple, tuple(range(len(parts))), parts)


def _taken(trees: Sequence[Any]) -> tuple[Taking, tuple[Structure, ...]]:
    """The trees taken apart; where something beside their children leads to their objects, these are known."""
    taking = Taking()
    parts, known = _wholes(trees, taking)
    if not taking.objects and not taking.shared:
        return taking, parts
    beside = [extra for _, extra in taking.objects if extra.__class__ is Attributes]
    suspects = [v for extra in beside for _, v in extra.pairs if v.__class__ not in INERT and not is_inert(v)]
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
    opened = None if hasattr(tree.__class__, "_tree_leaf") else _open(tree)
    if opened is None:
        return _leaf(tree, taking, ties)
    keys, children, extra = opened
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
    return _of_origin(structure, tree) if taking.knows else structure


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
    return _of_origin(structure, leaf) if taking.knows else structure


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
    if len(leaves) != structure.leaf_count:
        raise ShapeError(f"a tree of {structure.leaf_count} leaves was given {len(leaves)}")
    return put_together(structure, Building(leaves, values))


def put_together(structure: Structure, building: Building) -> Any:
    """The tree of a structure; `building` has the leaves, and is told what is made."""
    if structure.__class__ is not Each:
        tree = _build(structure, building, False)
        if building.linked:
            _link(building, {})
        return tree
    parts, known = [], []
    for child in structure.children:
        building.instead, building.several, building.linked = {}, {}, []
        parts.append(_build(child, building, False))
        known.append((building.instead, building.several, building.linked))
    if any(linked for *_, linked in known):
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
    tree = _made(kind, keys, built, extra, building.values is not False)
    if structure.__class__ is Origin:
        tree = _one_of(structure, tree, building)
    if extra is not None:
        building.objects.append(tree)
        if extra.__class__ is Attributes and extra.lead is not None:
            building.linked.append((tree, extra))
    if ties and not below and hasattr(kind, "_tree_complete"):
        tree._tree_complete()
    return tree


def _made(kind: Any, keys: tuple[Any, ...], built: list[Any], extra: Any, values: bool) -> Any:
    if kind is list:
        return built
    if kind is tuple:
        return tuple(built)
    if kind is dict:
        return dict(zip(keys, built, strict=True))
    if hasattr(kind, "tree_unflatten"):
        return kind.tree_unflatten(keys, built, extra)
    return container(kind, keys, built, extra, values)


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
            if value.__class__ not in INERT and (id(value) in lead or id(value) in instead):
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


@named
def tree_map(f: Callable[..., Any], tree: Any, *rest: Any) -> Any:
    """`f` of corresponding leaves, in the shape of the first tree.

    Dicts correspond by their keys, whatever their order. A Parameter's place is taken by a Parameter, which requires a
    gradient as it did; one that is in several places is one leaf, and `f` is called once for it.
    Raises ShapeError if the trees differ, also in what they have where the first has one Parameter several times.

    >>> import tinygrad_math as tm
    >>> tm.tree_map(lambda a, b: a + b, {"x": 1, "y": 2}, {"y": 20, "x": 10})
    {'x': 11, 'y': 22}
    """
    leaves, structure = flatten(tree)
    columns = [leaves]
    for other in rest:
        below = leaves_like(other, structure, strict=True)
        if below is None:
            raise ShapeError(f"trees differ: {show(structure)} and {differing(other, structure)}")
        columns.append(below)
    return unflatten(structure, [f(*row) for row in zip(*columns, strict=True)])


def leaves_like(tree: Any, structure: Structure, strict: bool = False) -> list[Any] | None:
    """The leaves of a tree where `structure` has its own, in its order; None if the containers differ.

    A list may be a leaf there, unless `strict`. Where `structure` has one leaf several times, what the tree has there
    is the same, or of the same value.
    """
    leaves: list[Any] = []
    return leaves if _collect_like(tree, structure, leaves, strict) else None


def differing(tree: Any, structure: Structure) -> str:
    """A tree that has no `leaves_like` the structure, in a line, and what to do where only its ties are others."""
    told = show(flatten(tree)[1])
    tied = any(s.kind is Tie for s in _below(structure))
    return f"{told}; a Parameter in several places is one leaf, which has one value" if tied else told


def _below(structure: Structure) -> Iterator[Structure]:
    stack = [structure]
    while stack:
        yield stack[-1]
        stack += stack.pop().children


def _as_one(a: Any, b: Any) -> bool:
    """Whether two leaves may be taken for one: the same, or constants of one value."""
    if a is b:
        return True
    nodes = [leaf.node if hasattr(type(leaf), "_tree_leaf") else None for leaf in (a, b)]
    if nodes[0] is not None and nodes[0] is nodes[1]:
        return True
    if any(n is not None and n.live for n in nodes):
        return False
    return bool(frozen(a) == frozen(b))


def _collect_like(tree: Any, structure: Structure, leaves: list[Any], strict: bool) -> bool:
    kind, keys, children, extra = structure
    if kind is None:
        leaves.append(tree)
        return not strict or (tree is not None and _open(tree) is None)
    if kind is Tie:
        return _as_one(tree, leaves[extra])
    if kind is type(None) or tree is None:
        return kind is type(None) and tree is None
    opened = _open(tree) if type(tree) is kind else None
    if opened is None:
        return False
    found, parts, _ = opened
    if found != keys:
        by_key = dict(zip(found, parts, strict=True))
        if len(found) != len(keys) or any(k not in by_key for k in keys):
            return False
        parts = tuple(by_key[k] for k in keys)
    return all(_collect_like(part, below, leaves, strict) for part, below in zip(parts, children, strict=True))


def paths(structure: Structure) -> list[str]:
    """Where each leaf stands, its keys joined: `encoder.0.weight`."""
    if structure.kind is None:
        return [""]
    found = []
    for key, child in zip(structure.keys, structure.children, strict=True):
        found += [f"{key}.{below}" if below else str(key) for below in paths(child)]
    return found


def show(structure: Structure) -> str:
    """A structure in a line: `{w: [*, *], b: *}`."""
    if structure.kind is None:
        return "*"
    if structure.kind is Tie:
        return f"leaf {structure.extra} again"
    if structure.kind is type(None):
        return "None"
    below = [show(c) for c in structure.children]
    if structure.kind in (list, tuple):
        return ("[{}]" if structure.kind is list else "({})").format(", ".join(below))
    name = "" if structure.kind is dict else structure.kind.__name__
    return name + "{" + ", ".join(f"{k}: {b}" for k, b in zip(structure.keys, below, strict=True)) + "}"
