"""Dataclasses, whose `__post_init__` may compute further attributes of the fields.

Of other fields it computes others. Which attributes those are is asked of a twin, made of the same fields: what it has
alike is computed; what was set later, or drawn at random, stays what it is.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .attributes import Attributes, Pairs, cached_names, frozen, held, slots
from .errors import ArgumentError, TraceError
from .kinds import Copying, Kind, rule
from .links import alike

_ABSENT = object()
_NONE = frozenset[str]()


def attributes(tree: Any) -> Attributes | None:
    """What a container has beside its children, or None: attributes, and fields that its constructor does not take."""
    found = held(tree)
    if isinstance(tree, defaultdict):
        found["default_factory"] = tree.default_factory
    if not dataclasses.is_dataclass(tree):
        return Attributes(tuple(found.items())) if found else None
    for f in dataclasses.fields(tree):
        if f.init:
            found.pop(f.name, None)
        elif hasattr(tree, f.name):
            found[f.name] = getattr(tree, f.name)
    if not found:
        return None
    names, made = _derived(tree, found) if hasattr(tree, "__post_init__") else (_NONE, _NONE)
    kept = tuple([(k, v) for k, v in found.items() if k not in names])
    return Attributes(kept, tuple([(k, v) for k, v in found.items() if k in names]), made)


def only_a_dict(kind: Any) -> bool:
    """Whether all that objects of this type have beside their children lies in their `__dict__`."""
    special = dataclasses.is_dataclass(kind) or issubclass(kind, defaultdict) or cached_names(kind)
    return not special and not any(slots(c) for c in kind.__mro__)


def _derived(tree: Any, beside: Mapping[str, Any]) -> tuple[frozenset[str], frozenset[str]]:
    """The attributes that `__post_init__` makes of the fields as they are, and all that it makes of any."""
    if _takes_more(type(tree)):
        _refuse_numbers(tree, beside)
        return _NONE, _NONE
    twin = object.__new__(type(tree))
    fields = {f.name: getattr(tree, f.name) for f in dataclasses.fields(tree) if f.init}
    for name, value in (fields | _defaults(type(tree))).items():
        object.__setattr__(twin, name, value)
    before = held(twin)
    try:
        twin.__post_init__()
    except TraceError:
        raise
    except Exception:  # a second derivative has trees in place of numbers, and keeps what was made of these
        return _NONE, _NONE if all(map(_is_number, fields.values())) else frozenset(beside)
    made = {k: v for k, v in held(twin).items() if k in beside and before.get(k, _ABSENT) is not v}
    pairs = {id(tree): id(twin)}
    names = frozenset(k for k, v in made.items() if alike(beside[k], v, pairs))
    if names != made.keys():
        _refuse_changed(tree, fields, twin)
    return names, frozenset(made)


def _takes_more(kind: type) -> bool:
    """Whether `__post_init__` takes what is not kept: pseudo-fields of type InitVar."""
    return any(str(f._field_type) == "_FIELD_INITVAR" for f in kind.__dataclass_fields__.values())  # type: ignore[attr-defined]


def _defaults(kind: Any) -> dict[str, Any]:
    """What fields that the constructor does not take begin with."""
    given = {}
    for f in dataclasses.fields(kind):
        if not f.init and f.default_factory is not dataclasses.MISSING:
            given[f.name] = f.default_factory()
        elif not f.init and f.default is not dataclasses.MISSING:
            given[f.name] = f.default
    return given


def _refuse_numbers(tree: Any, beside: Mapping[str, Any]) -> None:
    for name, value in beside.items():
        if isinstance(value, (float, complex)) or hasattr(type(value), "dtype"):
            title = type(tree).__name__
            raise ArgumentError(
                f"{title}.{name} may depend on the fields of {title}, and cannot be computed for others: __post_init__ "
                "takes an InitVar, which is not kept. Make it a property, or a field of the constructor"
            )


def _refuse_changed(tree: Any, fields: Mapping[str, Any], now: Any) -> None:
    """Of a `__post_init__` that changes fields, what it computes of them cannot be computed again."""
    for name, value in fields.items():
        after = getattr(now, name)
        if after is not value and not _equal(after, value):
            title = type(tree).__name__
            raise ArgumentError(
                f"{title}.__post_init__ changes the field {name}, and would change it again where {title} is made of "
                "other leaves. Change it before the constructor, or make a property of what is computed of it"
            )


def _equal(a: Any, b: Any) -> bool:
    """Whether two values of a field are the same numbers, one of them perhaps an array now."""
    arrays = [v.node.data if hasattr(type(v), "_tree_leaf") else v for v in (a, b)]
    try:
        return bool(frozen(arrays[0]) == frozen(arrays[1]) or np.array_equal(*arrays))
    except Exception:
        return False


def fill(new: Any, children: Iterable[tuple[str, Any]], extra: Attributes | None, values: bool) -> None:
    """Give a new object of a dataclass its fields and attributes; of `values`, compute what is derived of them.

    Derivatives are no fields that `__post_init__` would take: what it computed stays, or is among the children.
    """
    fields = dict(children)
    for name, value in (*fields.items(), *(extra.pairs if extra is not None else ())):
        object.__setattr__(new, name, value)
    if extra is None or not extra.derived:
        return
    taken = {name: value for name, value in fields.items() if name not in extra.made}  # by the constructor
    if values and _computed(new, taken, extra.derived):
        for name, value in (*fields.items(), *extra.pairs):
            object.__setattr__(new, name, value)
        return
    for name, value in extra.derived:
        object.__setattr__(new, name, value)


def _computed(new: Any, fields: Mapping[str, Any], derived: Pairs) -> bool:
    """Run `__post_init__`; tells whether it could, which it cannot of what is no number."""
    for name, value in _defaults(type(new)).items():
        if name in dict(derived):
            object.__setattr__(new, name, value)
    try:
        new.__post_init__()
    except Exception as error:
        if not all(map(_is_number, fields.values())):
            return False
        names = ", ".join(name for name, _ in derived)
        error.add_note(f"{type(new).__name__} is made of other leaves; __post_init__ computes {names} of them")
        raise
    _refuse_changed(new, fields, new)
    return True


def _is_number(value: Any) -> bool:
    """Whether a field holds numbers, and texts beside them: no shape, for one, that a map has put there."""
    if isinstance(value, (list, dict)):
        return all(map(_is_number, value.values() if isinstance(value, dict) else value))
    if isinstance(value, tuple):
        return all(map(_is_number, value)) and not all(type(v) is int for v in value)
    return isinstance(value, (int, float, complex, str)) or (hasattr(type(value), "dtype") and value is not None)


def _fields_of(x: Any) -> list[Any]:
    return list(held(x).values())


def _dataclass_again(x: Any, copy: Copying) -> Any:
    new = object.__new__(type(x))
    extra = attributes(x)

    def filled() -> None:
        taken = [(f.name, copy(getattr(x, f.name))) for f in dataclasses.fields(x) if f.init]
        kept = tuple([(k, copy(v)) for k, v in (extra.pairs if extra is not None else ())])
        fill(new, taken, None if extra is None else Attributes(kept, extra.derived), True)

    return copy.begin(x, new, filled)


rule(
    lambda kind: dataclasses.is_dataclass(kind) and not hasattr(kind, "tree_flatten"),
    Kind(_fields_of, _dataclass_again),
)
