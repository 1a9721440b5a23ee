"""What a function makes anew beside the leaves of its results: lists of their attributes, objects that are no tree.

Each call of the function makes objects of its own, to which its caller may write. So each call of the program makes
copies of what the traced run made: of all that leads from the results, down to what was there before. What a program
cannot make again (a generator, what holds a traced value) is refused by name.
"""

from __future__ import annotations

import copy
import operator
import sys
import types
import weakref
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..core.attributes import Attributes
from ..core.errors import TraceError
from ..core.kinds import INERT, Unlinkable, own_kind
from ..core.links import Copy
from ..core.structure import Origin, Structure, Tie, below
from ..core.tensor import TRACED, Tensor
from .environment import Environment
from .values import is_still

_ONCE = (types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType)
_STILL = (
    type, types.MethodDescriptorType, types.WrapperDescriptorType, types.GetSetDescriptorType,
    types.MemberDescriptorType, types.GenericAlias, types.UnionType,
)  # fmt: skip
_SHARED = (operator.itemgetter, operator.attrgetter, operator.methodcaller, slice, BaseException)  # nobody writes there


_IN_TREES = "it in a tuple, list, dict, dataclass or module, or in a class that has tree_flatten"


class Root(NamedTuple):
    """An object of the results that is no leaf of numbers: how it is spoken of, and where a traced value goes."""

    name: str
    value: Any
    instead: str


def is_object(leaf: Any) -> bool:
    """Whether a leaf of results is something that may hold others, and no number or array of numbers."""
    if isinstance(leaf, np.ndarray):
        return bool(leaf.dtype.hasobject)
    return not isinstance(leaf, Tensor) and not is_still(leaf)


def roots_in(structure: Structure, leaves: Iterable[Any]) -> list[Root]:
    """What results hold beside numbers: leaves that are objects, and attributes of containers."""
    return [*_leaves(leaves), *_attributes(structure)]


def _leaves(leaves: Iterable[Any]) -> Iterator[Root]:
    for leaf in leaves:
        if is_object(leaf):
            yield Root(f"a {type(leaf).__name__}", leaf, _IN_TREES)


def _attributes(structure: Structure) -> Iterator[Root]:
    for s in below(structure):
        if s.kind is None or s.kind is Tie or s.extra is None:
            continue
        name = s.kind.__name__
        if type(s.extra) is Attributes:
            for attribute, value in s.extra.pairs:
                if type(value) not in INERT and not is_still(value):
                    yield Root(f"{name}.{attribute}", value, f"it as a field that the constructor of {name} takes")
        elif not is_still(s.extra):
            yield Root(f"what {name}.tree_flatten gives beside the children", s.extra, "it among the children")


class Remade:
    """The objects that lead from the results of one run to what it made, of which each call has copies."""

    def __init__(
        self, title: str, environment: Environment, given: Iterable[Any], structure: Structure, leaves: Sequence[Any]
    ) -> None:
        self.title = title
        self.made: dict[int, Any] = {}  # by identity
        roots = roots_in(structure, leaves)
        if not roots:
            return
        known = _known(f.value for f in environment.facts) | _known(given) | _places(structure)
        self._walk(roots, known)
        if self.made:  # of what the code names, at least
            self.made = {}
            self._walk(roots, known | _further(environment))
        for s in below(structure):
            if type(s.extra) is Attributes and s.extra.lead is not None:  # to be made anew with the tree, and this too
                s.extra.lead |= {key: x for key, x in self.made.items() if not isinstance(x, Tensor)}
        try:
            self.copies({}, [root.value for root in roots])
        except Unlinkable as found:
            raise self._unique(f"a {type(found.x).__name__}", found.x) from None

    def __bool__(self) -> bool:
        return bool(self.made)

    def copies(self, instead: dict[int, Any], objects: Sequence[Any]) -> list[Any]:
        """Copies of these objects, which share what those share, and have others `instead` of some, by identity."""
        tensors = {key: copy.copy(x) for key, x in self.made.items() if isinstance(x, Tensor)}
        again = Copy(tensors | instead, self.made)
        made = [again(x) for x in objects]
        again.finish()
        return made

    def _walk(self, roots: Iterable[Root], known: set[int]) -> None:
        """Find what was made in this run, from these roots on."""
        seen: dict[int, Any] = {}  # which also keeps what is made in passing, so that no identity comes twice
        for root in roots:
            stack = [root.value]
            while stack:
                x = stack.pop()
                if type(x) in weakref.ProxyTypes:  # what it stands for belongs to others
                    continue
                if id(x) in known or id(x) in seen or is_still(x) or isinstance(x, _STILL):
                    continue
                seen[id(x)] = x
                stack += self._parts(x, root)

    def _parts(self, x: Any, root: Root) -> Iterable[Any]:
        """What an object of this run holds; the object itself is noted if each call needs another one."""
        if isinstance(x, Tensor):
            if x.node.live & TRACED:
                raise TraceError(
                    f"{self.title} returns {root.name}, which holds a traced value where a program cannot put the one "
                    f"of a call: return {root.instead}"
                )
            self.made[id(x)] = x
            return ()
        kind = own_kind(x)
        if kind is None or _is_one(x):
            return ()
        if isinstance(x, _ONCE) or hasattr(type(x), "__next__"):
            if isinstance(x, types.CoroutineType):
                x.close()  # else Python warns that nobody awaited it
            raise self._unique(root.name, x)
        if not kind.unique:
            self.made[id(x)] = x
        elif not isinstance(x, _SHARED) and not _has_value(x):
            raise self._unique(root.name, x)
        return kind.parts(x)

    def _unique(self, name: str, x: Any) -> TraceError:
        one = f"a {type(x).__name__}"
        return TraceError(
            f"{self.title} returns {name if name == one else f'{name}, which holds {one}'}, made when it is traced, "
            "and a program cannot make another one at each call: return a list of the values, or make it outside"
        )


def _known(values: Iterable[Any]) -> set[int]:
    """These values by identity, down to the parts of plain ones."""
    found: set[int] = set()
    stack = list(values)
    while stack:
        x = stack.pop()
        if id(x) in found or is_still(x):
            continue
        found.add(id(x))
        if type(x) is dict:
            stack += x.values()
        elif type(x) in (list, tuple):
            stack += x
    return found


def _places(structure: Structure) -> set[int]:
    """The objects and leaves of a tree that something beside its children leads to: each call makes its own."""
    return {id(s.origin) for s in below(structure) if isinstance(s, Origin)}


def _further(environment: Environment) -> set[int]:
    """What lies in reach of whatever the code may name."""
    try:
        return _known(f.value for f in Environment(environment.roots, everything=True).facts)
    except TraceError:  # too much of it
        return set()


def _is_one(x: Any) -> bool:
    """Whether there is one of this, whoever returns it: a function in its module, what says that it is its own copy."""
    if isinstance(x, types.FunctionType):
        return "<locals>" not in x.__qualname__
    if hasattr(type(x), "__copy__") and copy.copy(x) is x:
        return True
    name, module = getattr(x, "__name__", None), getattr(x, "__module__", None)  # of what keeps a function's results
    held = vars(sys.modules[module]) if isinstance(module, str) and module in sys.modules else {}
    return callable(x) and isinstance(name, str) and held.get(name) is x


def _has_value(x: Any) -> bool:
    """Whether an object is told by its value, by which it has a hash, so that nobody changes it."""
    method: Any = type(x).__hash__
    return method is not None and method is not object.__hash__
