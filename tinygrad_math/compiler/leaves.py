"""The leaves of a call's arguments: which are traced, which the program is made for, which are looked into."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..core.standing import Number
from ..core.structure import Origin, of_origin
from ..core.tensor import Tensor
from ..core.tree import Attributes, Structure, flatten, unflatten
from .objects import Known
from .program import NUMBERS
from .reach import lineage
from .values import classes_in, frozen, is_plain, same


class Static:
    """An argument that is part of the program: compared, and never traced."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Static) and same(self.value, other.value)

    def __hash__(self) -> int:
        hash(self.value)  # a list has none
        return hash(frozen(self.value))


def is_static(leaf: Any) -> bool:
    """Whether a leaf is no number or array, so that the program is made for this very value."""
    return not isinstance(leaf, (Tensor, np.ndarray, np.generic)) and type(leaf) not in NUMBERS


def opened(leaf: Any) -> Any:
    """A static argument out of its envelope."""
    return leaf.value if isinstance(leaf, Static) else leaf


def uncompiled(f: Callable[..., Any], given: Any) -> Any:
    """The call of the function itself, on Tensors as a program is traced on them."""
    args, kwargs = given
    return f(*map(_tensors, args), **{k: _tensors(v) for k, v in kwargs.items()})


def _tensors(x: Any) -> Any:
    """A tree with Tensors for arrays, and without envelopes."""
    kind = type(x)
    if isinstance(x, (np.ndarray, np.generic)) and x.dtype.kind in "biufc":
        return Tensor(x)
    if kind is list or kind is tuple:
        parts = [*map(_tensors, x)]
        return x if all(map(operator.is_, parts, x)) else kind(parts)  # what has no arrays the function may write to
    if kind is dict:
        entries = {k: _tensors(v) for k, v in x.items()}
        return x if all(map(operator.is_, entries.values(), x.values())) else entries
    return opened(x)


def is_object(leaf: Any) -> bool:
    """Whether a static leaf has parts that may change while it stays the same object."""
    value = opened(leaf)
    return type(value).__hash__ is None or not is_plain(value)


class _Itself:
    """A key for an object that has no hash: this object alone, as others are that do not say when they are equal."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


def key_of_static(leaf: Any) -> Any:
    """A key for what is no number or array: its value, or which object it is.

    Raises TypeError for one that was declared static, and has no hash.
    """
    if not isinstance(leaf, Static):
        try:
            hash(leaf)
        except (TypeError, ValueError):  # a memoryview that can be written to raises the latter
            return frozen(leaf) if is_plain(leaf) else _Itself(leaf)
    return frozen(leaf)


def key_of(structure: Structure) -> Any:
    """A key for a tree that tells 1 from True, and the order of a dict."""
    kind, keys, children, extra = structure
    return kind, frozen(keys), tuple(map(key_of, children)), None if extra and hasattr(kind, "tree_flatten") else extra


def objects_in(structure: Structure, leaves: Sequence[Any]) -> list[tuple[str, Any]]:
    """Static objects among arguments, and what containers hold beside their children, in the order of the tree."""
    return [(name, value) for name, value, _ in _objects(structure, iter(leaves), "arguments")]


def attributes_in(structure: Structure, leaves: Sequence[Any]) -> list[Structure | None]:
    """For each of these objects the container whose attributes it is; None for any other."""
    return [place for _, _, place in _objects(structure, iter(leaves), "arguments")]


def _objects(structure: Structure, leaves: Iterator[Any], name: str) -> Iterator[tuple[str, Any, Structure | None]]:
    kind, keys, children, extra = structure
    if kind is None:
        leaf = next(leaves)
        if is_static(leaf) and is_object(leaf):
            yield name, opened(leaf), None
        return
    if isinstance(extra, Attributes):
        if hasattr(kind, "tree_flatten") or not is_plain(extra.pairs):
            yield name, dict(extra.pairs), structure
    elif extra and hasattr(kind, "tree_flatten"):
        yield name, extra, None
    for key, child in zip(keys, children, strict=True):
        yield from _objects(child, leaves, f"{name}.{key}" if isinstance(key, str) else f"{name}[{key!r}]")


def with_attributes(given: Any, roots: Sequence[tuple[str, Any]]) -> Any:
    """The arguments, in whose containers is what the roots behind the first one have that stands for numbers."""
    held = [value for _, value in roots[1:] if type(value) is dict]
    if not any(issubclass(type(v), Number) for value in held for v in value.values()):
        return given
    leaves, structure = flatten(given)
    places = attributes_in(structure, leaves)
    now = {id(s): value for s, (_, value) in zip(places, roots[1:], strict=False) if s is not None}
    return unflatten(_with_attributes(structure, now), leaves)


def _with_attributes(structure: Structure, now: dict[int, dict[str, Any]]) -> Structure:
    children = tuple([_with_attributes(child, now) for child in structure.children])
    extra, held = structure.extra, now.get(id(structure))
    if held is not None and any(issubclass(type(v), Number) for v in held.values()):
        extra = extra.with_pairs(tuple(held.items()), extra.derived)
    elif all(map(operator.is_, children, structure.children)):
        return structure
    new = structure._replace(children=children, extra=extra)
    return of_origin(new, structure.origin) if isinstance(structure, Origin) else new


def known_in(structure: Structure, leaves: Sequence[Any]) -> list[tuple[str, Known]]:
    """The classes of containers and of static values among arguments, and objects that are keys.

    They belong to what a program is looked up by, and so are the same at each call of it; what they reach may change.
    """
    objects: dict[int, Any] = {}
    found = {k for leaf in leaves if is_static(leaf) for k in classes_in(opened(leaf))}
    stack = [structure]
    while stack:
        kind, keys, children, _ = stack.pop()
        found |= {kind, *classes_in(keys)}
        objects |= {id(k): k for k in keys if not is_plain(k)}
        stack += children
    kinds = [k for k in found - {None} if lineage(k)]
    kinds.sort(key=lambda k: (k.__module__, k.__qualname__))
    return [*((k.__name__, Known(k)) for k in kinds), *((f"a key {k!r:.40}", Known(k)) for k in objects.values())]
