"""Which numbers in reach of a function change from call to call, and where something can be put in their place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import CellType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from .environment import Environment
from .facts import FIXED, Fact
from .reach import is_users_class
from .values import frozen

ENOUGH = 3  # values of a number, after which a program is made that reads it
MANY = 100  # entries of a plain container, beyond which none is looked at by itself


def is_number(x: Any) -> bool:
    """Whether this is a number that counts or measures, and no truth value."""
    return type(x) in (int, float) or issubclass(type(x), (np.floating, np.integer))


def moving(
    now: Environment, earlier: Sequence[Environment], enough: int = ENOUGH
) -> tuple[frozenset[str], frozenset[str]]:
    """The paths of numbers that had several values when programs were made, and of plain containers around them."""
    here = dict(_numbers(now))
    values: dict[str, set[Any]] = {path: {frozen(x)} for path, (x, _) in here.items()}
    known: set[str] = set()
    for environment in earlier:
        known.update(f.path for f in environment.facts if f.moves)
        for path, (x, _) in _numbers(environment):
            if path in values:
                values[path].add(frozen(x))
    found = {path for path, had in values.items() if path in known or len(had) >= enough}
    return frozenset(found), frozenset(container for path in found for container in here[path][1])


def _numbers(environment: Environment) -> Iterator[tuple[str, tuple[Any, tuple[str, ...]]]]:
    """The path of each number, its value, and the plain containers that it lies in."""
    for f in environment.facts:
        if f.plain:
            yield from _within(f.path, f.like, ())
        elif is_number(f.like) and f.check:
            yield f.path, (f.like, ())


def _within(path: str, x: Any, above: tuple[str, ...]) -> Iterator[tuple[str, tuple[Any, tuple[str, ...]]]]:
    if type(x) in (dict, list) and len(x) <= MANY:
        for key, part in x.items() if type(x) is dict else enumerate(x):
            if is_number(part):
                yield f"{path}[{key!r}]", (part, (*above, path))
            else:
                yield from _within(f"{path}[{key!r}]", part, (*above, path))


# -- where they lie ----------------------------------------------------------------------------------------------
class Place(NamedTuple):
    """Where a value can be put so that the function reads it: a cell, an entry of a dict, a list or a class."""

    holder: Any
    key: Any

    def read(self) -> Any:
        if type(self.holder) is CellType:
            return self.holder.cell_contents
        return vars(self.holder)[self.key] if isinstance(self.holder, type) else self.holder[self.key]

    def write(self, x: Any) -> None:
        if type(self.holder) is CellType:
            self.holder.cell_contents = x
        elif isinstance(self.holder, type):
            type.__setattr__(self.holder, self.key, x)
        else:
            (dict if isinstance(self.holder, dict) else list).__setitem__(self.holder, self.key, x)


def place_of(fact: Fact, given: frozenset[int] = frozenset()) -> Place | None:
    """The place that a fact is read from; None where nothing can be put, or where the function would not see it."""
    above = fact.parent
    if above is None or fact.step is None or not _is_where_it_is_read(above, given):
        return None
    holder, (kind, key) = above.value, fact.step
    if type(holder) is CellType:
        return Place(holder, None)
    if kind == "own" and key[0] in (dict, list):
        return Place(holder, key[1])
    if kind == "item" and type(holder) in (dict, list):
        return Place(holder, key)
    if kind != "attr":
        return None
    if isinstance(holder, ModuleType):
        return Place(vars(holder), key)
    kinds = holder.__mro__ if isinstance(holder, type) else type(holder).__mro__
    owner = next((k for k in kinds if key in vars(k)), None)
    own = None if isinstance(holder, type) else getattr(holder, "__dict__", None)
    if type(own) is dict and key in own:
        return None if owner is not None and hasattr(type(vars(owner)[key]), "__set__") else Place(own, key)
    return Place(owner, key) if owner is not None and is_users_class(owner) else None


def _is_where_it_is_read(fact: Fact, given: frozenset[int]) -> bool:
    """Whether an object is the very one that the function reaches, or what a container of arguments is made anew of."""
    if fact.step is not None and fact.step[0] == "root" and fact.step[1] in given:
        return True
    while fact.parent is not None:
        if fact.step is not None and fact.step[0] == "read":  # what was read is made anew
            return False
        fact = fact.parent
    return fact.step is None or fact.step[0] == FIXED or fact.step == ("root", 0)
