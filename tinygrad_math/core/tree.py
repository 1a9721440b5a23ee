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
import functools
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from .arguments import named
from .errors import ArgumentError, ShapeError


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


class Tie:
    """The kind of a place that holds the same leaf as an earlier one."""


LEAF = Structure(None, (), ())
NOTHING = Structure(type(None), (), ())
_BASES = (OrderedDict, defaultdict, dict, list, tuple)  # whose own methods fill their subclasses


class Attributes:
    """What an object has beside its children, as (name, value) pairs. Equal if the values are; arrays by content."""

    __slots__ = ("_frozen", "pairs")

    def __init__(self, pairs: tuple[tuple[str, Any], ...]) -> None:
        self.pairs = pairs
        self._frozen: Any = None

    def frozen(self) -> Any:
        """The values as they are when this is first asked, hashable."""
        if self._frozen is None:
            self._frozen = tuple((name, _frozen(value)) for name, value in self.pairs)
        return self._frozen

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Attributes) and bool(self.frozen() == other.frozen())

    def __hash__(self) -> int:
        return hash(self.frozen())

    def __repr__(self) -> str:
        return f"Attributes({dict(self.pairs)!r})"


def _frozen(value: Any) -> Any:
    value = value.node.data if hasattr(type(value), "_tree_leaf") else value  # a Tensor
    if hasattr(type(value), "tobytes") and hasattr(type(value), "dtype"):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, (list, tuple, deque, set, frozenset)):
        return type(value), tuple(map(_frozen, value))
    if isinstance(value, dict):
        return type(value), tuple((_frozen(k), _frozen(v)) for k, v in value.items())
    try:
        hash(value)
    except TypeError:
        return type(value), _content(value)
    return type(value), repr(value) if isinstance(value, (float, complex)) else value


def _content(value: Any) -> Any:
    """What lies in the memory of a buffer (a bytearray, an array of numbers); of another object, which one it is."""
    try:
        with memoryview(value) as view:
            return view.format, view.shape, view.tobytes()
    except (TypeError, ValueError, BufferError):  # none, a closed one, one that nobody may look at
        return id(value)


def attributes(tree: Any) -> Attributes | None:
    """What a container has beside its children, or None: attributes, and fields that its constructor does not take."""
    names = [s for c in type(tree).__mro__ for s in _slots(c) if hasattr(tree, s)]
    found = {s: getattr(tree, s) for s in names} | kept_attributes(tree)
    if isinstance(tree, defaultdict):
        found["default_factory"] = tree.default_factory
    if dataclasses.is_dataclass(tree):
        for f in dataclasses.fields(tree):
            if f.init:
                found.pop(f.name, None)
            elif hasattr(tree, f.name):
                found[f.name] = getattr(tree, f.name)
    return Attributes(tuple(found.items())) if found else None


def kept_attributes(tree: Any) -> dict[str, Any]:
    """The attributes of an object but for what a `cached_property` has computed from the others."""
    kept = dict(getattr(tree, "__dict__", ()))
    for name in _cached_names(tree.__class__):
        kept.pop(name, None)
    return kept


@functools.lru_cache(256)
def _cached_names(kind: Any) -> tuple[str, ...]:
    return tuple({n for c in kind.__mro__ for n, v in c.__dict__.items() if isinstance(v, functools.cached_property)})


def only_a_dict(kind: Any) -> bool:
    """Whether all that objects of this type have beside their children lies in their `__dict__`."""
    special = dataclasses.is_dataclass(kind) or issubclass(kind, defaultdict) or _cached_names(kind)
    return not special and not any(_slots(c) for c in kind.__mro__)


def _slots(kind: type) -> list[str]:
    given = kind.__dict__.get("__slots__", ())
    names = [given] if isinstance(given, str) else list(given)
    hidden = [f"_{kind.__name__.lstrip('_')}{s}" if s.startswith("__") and not s.endswith("__") else s for s in names]
    return [s for s in hidden if s not in ("__dict__", "__weakref__")]


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


def flatten(tree: Any) -> tuple[list[Any], Structure]:
    """The leaves of `tree` from left to right, and its structure.

    >>> flatten({"w": [1.0, 2.0], "b": 3.0})[0]
    [1.0, 2.0, 3.0]
    """
    leaves: list[Any] = []
    return leaves, _whole(tree, leaves)


def flatten_each(trees: Sequence[Any]) -> tuple[list[Any], Structure]:
    """The leaves and the structure of the tuple of these trees: arguments, of which each is a variable.

    What two of them have in common is a leaf in each.
    """
    leaves: list[Any] = []
    parts = tuple([_whole(tree, leaves) for tree in trees])
    return leaves, Structure(tuple, tuple(range(len(parts))), parts)


def _whole(tree: Any, leaves: list[Any]) -> Structure:
    try:
        return _take_apart(tree, leaves, {}, False)
    except RecursionError:
        raise ArgumentError(f"a tree that nests too deeply, or contains itself: a {type(tree).__name__}") from None


def _take_apart(tree: Any, leaves: list[Any], places: dict[int, int], ties: bool) -> Structure:
    if tree is None:
        return NOTHING
    if tree.__class__ is np.ndarray or tree.__class__ is float:
        leaves.append(tree)
        return LEAF
    opened = None if hasattr(tree.__class__, "_tree_leaf") else _open(tree)
    if opened is None:
        if not hasattr(type(tree), "_tree_leaf"):
            leaves.append(tree)
            return LEAF
        role, place = tree._tree_leaf(), len(leaves)
        if (ties or role is not None) and places.setdefault(id(tree), place) < place:
            return Structure(Tie, (), (), places[id(tree)])
        leaves.append(tree)
        return LEAF if role is None else Structure(None, (), (), role)
    keys, children, extra = opened
    ties = ties or getattr(type(tree), "tree_ties", False)
    structures = []
    for child in children:  # not a comprehension, which would double the depth of the stack
        structures.append(_take_apart(child, leaves, places, ties))
    return Structure(type(tree), keys, tuple(structures), extra)


Values = bool | Literal["attached"]


def unflatten(structure: Structure, leaves: Sequence[Any], values: Values = True) -> Any:
    """The tree of this structure with these leaves.

    In a parameter's place a value becomes a parameter that learns as that one did, a leaf where no derivative through
    it is to be expected; where one is, the values are "attached". A derivative (`values=False`) does not learn.
    """
    if len(leaves) != structure.leaf_count:
        raise ShapeError(f"a tree of {structure.leaf_count} leaves was given {len(leaves)}")
    return _build(structure, iter(leaves), [], values, False)


def _build(structure: Structure, leaves: Iterator[Any], made: list[Any], values: Values, below: bool) -> Any:
    kind, keys, children, extra = structure
    if kind is None:
        leaf = next(leaves)
        made.append(leaf if extra is None else extra[0]._from_tree(leaf, *extra[1:], values))
        return made[-1]
    if kind is type(None):
        return None
    if kind is Tie:
        return made[extra]
    built, ties = [], getattr(kind, "tree_ties", False)
    for child in children:
        built.append(_build(child, leaves, made, values, below or ties))
    if kind is list:
        return built
    if kind is tuple:
        return tuple(built)
    if kind is dict:
        return dict(zip(keys, built, strict=True))
    if hasattr(kind, "tree_unflatten"):
        tree = kind.tree_unflatten(keys, built, extra)
        if ties and not below:
            tree._tree_complete()
        return tree
    return container(kind, keys, built, extra)


def container(kind: Any, keys: tuple[Any, ...], built: list[Any], extra: Attributes | None) -> Any:
    """Another object of this type, made without its constructor, which may take other arguments or change them."""
    base: Any = next((b for b in _BASES if issubclass(kind, b)), None)
    new = object.__new__(kind) if base is None else base.__new__(kind, built) if base is tuple else base.__new__(kind)
    if base is list:
        list.extend(new, built)
    elif base is not tuple:
        fill = object.__setattr__ if base is None else base.__setitem__
        for key, child in zip(keys, built, strict=True):
            fill(new, key, child)
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
    return bool(_frozen(a) == _frozen(b))


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
