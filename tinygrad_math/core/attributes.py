"""What an object has beside its children in a tree: its attributes, compared by content."""

from __future__ import annotations

import functools
import weakref
from collections import deque
from typing import Any

from .standing import Number

Pairs = tuple[tuple[str, Any], ...]


class Attributes:
    """What an object has beside its children, as (name, value) pairs. Equal if the values are; arrays by content."""

    __slots__ = ("_frozen", "derived", "lead", "made", "pairs")

    def __init__(self, pairs: Pairs, derived: Pairs = (), made: frozenset[str] = frozenset()) -> None:
        self.pairs = pairs
        self.derived = derived  # what `__post_init__` makes of the children: other children have others
        self.made = made  # the names of all that it makes; a derivative keeps what it made of the values
        self.lead: dict[int, Any] | None = None  # what leads from some of the values to objects of the tree
        self._frozen: Any = None

    def frozen(self) -> Any:
        """The values as they are when this is first asked, hashable."""
        if self._frozen is None:
            made = (("__post_init__", tuple([name for name, _ in self.derived])),) if self.derived else ()
            self._frozen = (*[(name, frozen(value)) for name, value in self.pairs], *made)
        return self._frozen

    def with_pairs(self, pairs: Pairs, derived: Pairs) -> Attributes:
        """The same of other values."""
        new = Attributes(pairs, derived, self.made)
        new.lead = self.lead
        return new

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Attributes) and bool(self.frozen() == other.frozen())

    def __hash__(self) -> int:
        return hash(self.frozen())

    def __reduce__(self) -> Any:
        """For `pickle`: identities are others elsewhere."""
        lead = None if self.lead is None else list(self.lead.values())
        return _restored, (self.pairs, self.derived, lead, self.made)

    def __repr__(self) -> str:
        return f"Attributes({dict(self.pairs)!r})"


def _restored(pairs: Pairs, derived: Pairs, lead: list[Any] | None, made: frozenset[str]) -> Attributes:
    known = Attributes(pairs, derived, made)
    known.lead = None if lead is None else {id(x): x for x in lead}
    return known


_STILL = frozenset({str, int, bool, type(None)})  # whose equal values of one type are the same thing


def frozen(value: Any) -> Any:
    """A value by its content, hashable; an object that says nothing of that, by which one it is."""
    kind = type(value)  # of a weak proxy `__class__` asks what it stands for, which may be gone
    if kind in _STILL or (kind is tuple and _STILL.issuperset(map(type, value))):  # the most frequent ones, at a glance
        return kind, (value if kind is not tuple else (value, tuple(map(type, value))))
    value = value.node.data if hasattr(type(value), "_tree_leaf") else value  # a Tensor
    if hasattr(type(value), "tobytes") and hasattr(type(value), "dtype"):
        return value.dtype.str, value.shape, value.tobytes()
    if kind in weakref.ProxyTypes or issubclass(
        kind, Number
    ):  # whose class is that of what it stands for, if that is still there
        return kind, id(value)
    if isinstance(value, (list, tuple, deque, set, frozenset)):
        return type(value), tuple(map(frozen, value))
    if isinstance(value, dict):
        return type(value), tuple((frozen(k), frozen(v)) for k, v in value.items())
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


def held(x: Any) -> dict[str, Any]:
    """The attributes that an object has of its own, in slots and in its `__dict__`, but for cached ones."""
    return {s: getattr(x, s) for s in all_slots(x.__class__) if hasattr(x, s)} | kept_attributes(x)


def kept_attributes(tree: Any) -> dict[str, Any]:
    """The attributes of an object but for what a `cached_property` has computed from the others."""
    kept = dict(getattr(tree, "__dict__", ()))
    for name in cached_names(tree.__class__):
        kept.pop(name, None)
    return kept


@functools.lru_cache(256)
def cached_names(kind: Any) -> tuple[str, ...]:
    """The cached properties of a class."""
    return tuple({n for c in kind.__mro__ for n, v in c.__dict__.items() if isinstance(v, functools.cached_property)})


@functools.lru_cache(256)
def all_slots(kind: Any) -> tuple[str, ...]:
    """The slots of a class and of those that it is derived from."""
    return tuple([s for c in kind.__mro__ for s in slots(c)])


def slots(kind: type) -> list[str]:
    """The names of the slots of a class, as its instances have them."""
    given = kind.__dict__.get("__slots__", ())
    names = [given] if isinstance(given, str) else list(given)
    hidden = [f"_{kind.__name__.lstrip('_')}{s}" if s.startswith("__") and not s.endswith("__") else s for s in names]
    return [s for s in hidden if s not in ("__dict__", "__weakref__")]
