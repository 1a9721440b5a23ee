"""What results have beside numbers, that can change: what is the arguments' own, and what f makes anew at each call.

A program serves all arguments of equal contents, and is made with the first. What a returned tree has beside its
children and has from an argument (a list that a module keeps) is that of the present call, as it is when f runs; what
the traced run made is copied.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from ..core.attributes import Attributes, Pairs
from ..core.standing import Number
from ..core.structure import Structure, Tie, below, with_extras
from ..core.tree import flatten
from .remade import Remade
from .values import is_still

Path = tuple[Any, ...]


class Passed:
    """Stands where the results have a number of the arguments, which is another one at each call."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def as_passed(structure: Structure) -> Structure:
    """The structure with the numbers that the arguments had."""

    def extra(x: Any) -> Any:
        if type(x) is not Attributes or not any(type(v) is Passed for _, v in x.pairs):
            return x
        return x.with_pairs(tuple([(n, v.value if type(v) is Passed else v) for n, v in x.pairs]), x.derived)

    return with_extras(structure, extra)


class Borrowed:
    """Where in the arguments lies what the structure of the results has from them; what of the results is `remade`.

    `taken` is the structure of the arguments, `run` that of the copies with which f ran: they compute attributes of
    traced leaves, where the arguments have computed them of their own.
    """

    def __init__(
        self, taken: Structure, run: Structure, returned: Structure, remade: Remade, objects: Sequence[Any]
    ) -> None:
        found = {id(v): (k, path) for k, extra in enumerate(_beside(taken)) for path, v in _parts(extra)}
        found |= {id(v): (k, (name,)) for k, extra in enumerate(_beside(run)) for name, v in computed(extra)}
        here = {id(v): v for extra in _beside(returned) for _, v in _parts(extra)}
        self.returned, self.remade = returned, remade
        self.objects = list(objects)  # the leaves of the results that are objects
        self.places: dict[int, tuple[int, Path]] = {key: place for key, place in found.items() if key in here}
        self.made = {key: v for key, v in here.items() if key in remade.made and type(v) is not tuple}
        passed = {key: Passed(v.value) for key, v in here.items() if issubclass(type(v), Number) and key in self.places}
        if passed:
            self.returned = with_extras(returned, partial(_other, instead=passed))
            self.places = {id(passed[key]) if key in passed else key: place for key, place in self.places.items()}

    def __bool__(self) -> bool:
        return bool(self.places or self.remade)

    def again(self, given: Any, taken: Structure | None = None) -> tuple[Structure, list[Any]]:
        """The structure of what f returns for these arguments, and those leaves of it that are objects.

        `taken` is the structure of the arguments, where they have been taken apart already.
        """
        beside = _beside(taken or flatten(given)[1]) if self.places else []
        instead = {key: _read(beside[k], path) for key, (k, path) in self.places.items()}
        copies = self.remade.copies(instead, [*self.made.values(), *self.objects])
        instead |= zip(self.made, copies, strict=False)
        return with_extras(self.returned, partial(_other, instead=instead)), copies[len(self.made) :]


def computed(extra: Any) -> Pairs:
    """What `__post_init__` makes of the leaves."""
    return extra.derived if type(extra) is Attributes else ()


def _beside(structure: Structure) -> list[Any]:
    """What the containers of a tree have beside their children."""
    return [s.extra for s in below(structure) if s.kind not in (None, Tie) and s.extra is not None]


def _parts(extra: Any) -> Iterator[tuple[Path, Any]]:
    """What can change in there, and the path to it; of what has several the last."""
    seen = set[int]()
    stack: list[tuple[Path, Any]] = [((), extra)]
    while stack:
        path, x = stack.pop()
        if type(x) is not Attributes:
            if is_still(x) or id(x) in seen:
                continue
            seen.add(id(x))
            yield path, x
        stack += [((*path, key), part) for key, part in _items(x)]


def _items(x: Any) -> list[tuple[Any, Any]]:
    # by their types, for a proxy of what is gone answers no isinstance
    if type(x) is Attributes:
        return list(x.pairs)
    return list(x.items() if type(x) is dict else enumerate(x) if type(x) in (list, tuple) else ())


def _read(x: Any, path: Path) -> Any:
    for key in path:
        x = dict((*x.pairs, *x.derived))[key] if type(x) is Attributes else x[key]
    return x


def _other(x: Any, instead: dict[int, Any]) -> Any:
    if type(x) is Attributes:
        lead = x.lead or {}  # what leads to the tree itself is made anew with it
        pairs = tuple([(n, v if id(v) in lead else _other(v, instead)) for n, v in x.pairs])
        return x.with_pairs(pairs, x.derived)
    if id(x) in instead:
        return instead[id(x)]
    return tuple([_other(part, instead) for part in x]) if type(x) is tuple else x
