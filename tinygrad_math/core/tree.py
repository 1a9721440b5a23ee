"""Nested containers of arrays: dict, list, tuple, named tuple, dataclass, and what flattens itself.

A tree is taken apart into its leaves and a structure that can put other leaves in their places.
Anything that is no container is a leaf; `None` is a container of nothing.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from .errors import ShapeError


class Structure(NamedTuple):
    """A tree without its leaves: hashable, comparable, printable."""

    kind: Any  # the container's type, or None for a leaf
    keys: tuple[Any, ...]
    children: tuple[Structure, ...]
    extra: Any = None

    @property
    def leaf_count(self) -> int:
        count, stack = 0, [self]
        while stack:
            s = stack.pop()
            count += s.kind is None
            stack += s.children
        return count


LEAF = Structure(None, (), ())
NOTHING = Structure(type(None), (), ())


def _open(tree: Any) -> tuple[tuple[Any, ...], tuple[Any, ...], Any] | None:
    """The keys, children and extra data of a container; None for a leaf."""
    kind = type(tree)
    if kind is tuple or kind is list:
        return tuple(range(len(tree))), tuple(tree), None
    if isinstance(tree, dict):
        keys = tuple(tree)
        return keys, tuple(tree[k] for k in keys), tree.default_factory if isinstance(tree, defaultdict) else None
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return tuple(tree._fields), tuple(tree), None
    if hasattr(tree, "tree_flatten"):
        keys, children, extra = tree.tree_flatten()
        return keys, children, extra
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        names = tuple(f.name for f in dataclasses.fields(tree) if f.init)
        return names, tuple(getattr(tree, n) for n in names), None
    return None


def flatten(tree: Any) -> tuple[list[Any], Structure]:
    """The leaves of `tree` from left to right, and its structure.

    >>> flatten({"w": [1.0, 2.0], "b": 3.0})[0]
    [1.0, 2.0, 3.0]
    """
    if tree is None:
        return [], NOTHING
    opened = _open(tree)
    if opened is None:
        return [tree], LEAF
    keys, children, extra = opened
    leaves: list[Any] = []
    structures = []
    for child in children:
        below, structure = flatten(child)
        leaves += below
        structures.append(structure)
    return leaves, Structure(type(tree), keys, tuple(structures), extra)


def unflatten(structure: Structure, leaves: Sequence[Any]) -> Any:
    """The tree of this structure with these leaves."""
    if len(leaves) != structure.leaf_count:
        raise ShapeError(f"a tree of {structure.leaf_count} leaves was given {len(leaves)}")
    return _build(structure, iter(leaves))


def _build(structure: Structure, leaves: Iterator[Any]) -> Any:
    kind, keys, children, extra = structure
    if kind is None:
        return next(leaves)
    if kind is type(None):
        return None
    built = []
    for child in children:  # not a comprehension, which would double the depth of the stack
        built.append(_build(child, leaves))
    if kind is list:
        return built
    if kind is tuple:
        return tuple(built)
    if issubclass(kind, dict):
        items = zip(keys, built, strict=True)
        return kind(extra, items) if issubclass(kind, defaultdict) else kind(items)
    if hasattr(kind, "tree_unflatten"):
        return kind.tree_unflatten(keys, built, extra)
    if issubclass(kind, tuple):
        return kind(*built)
    return kind(**dict(zip(keys, built, strict=True)))


def tree_map(f: Callable[..., Any], tree: Any, *rest: Any) -> Any:
    """`f` of corresponding leaves, in the shape of the first tree.

    >>> import tinygrad_math as tm
    >>> tm.tree_map(lambda a, b: a + b, {"x": 1, "y": 2}, {"x": 10, "y": 20})
    {'x': 11, 'y': 22}
    """
    leaves, structure = flatten(tree)
    columns = [leaves]
    for other in rest:
        below, shape = flatten(other)
        if not same_shape(shape, structure):
            raise ShapeError(f"trees differ: {show(structure)} and {show(shape)}")
        columns.append(below)
    return unflatten(structure, [f(*row) for row in zip(*columns, strict=True)])


def leaves_like(tree: Any, structure: Structure) -> list[Any] | None:
    """The leaves of a tree where `structure` has its own; None if the containers differ. A list may be a leaf there."""
    if structure.kind is None:
        return [tree]
    if structure.kind is type(None):
        return [] if tree is None else None
    opened = None if tree is None else _open(tree)
    if opened is None or type(tree) is not structure.kind or opened[0] != structure.keys:
        return None
    leaves: list[Any] = []
    for child, below in zip(opened[1], structure.children, strict=True):
        found = leaves_like(child, below)
        if found is None:
            return None
        leaves += found
    return leaves


def same_shape(a: Structure, b: Structure) -> bool:
    """Whether two trees have the same containers and keys; the extra data may differ."""
    return a.kind is b.kind and a.keys == b.keys and all(map(same_shape, a.children, b.children))


def show(structure: Structure) -> str:
    """A structure in a line: `{w: [*, *], b: *}`."""
    if structure.kind is None:
        return "*"
    if structure.kind is type(None):
        return "None"
    below = [show(c) for c in structure.children]
    if structure.kind in (list, tuple):
        return ("[{}]" if structure.kind is list else "({})").format(", ".join(below))
    name = "" if structure.kind is dict else structure.kind.__name__
    return name + "{" + ", ".join(f"{k}: {b}" for k, b in zip(structure.keys, below, strict=True)) + "}"
