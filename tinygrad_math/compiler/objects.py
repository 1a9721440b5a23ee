"""What an object holds, and its classes for it, as facts: attributes and methods, as far as some code names them."""

from __future__ import annotations

from collections.abc import MutableMapping, MutableSequence, MutableSet
from enum import Enum
from types import FunctionType
from typing import TYPE_CHECKING, Any

from .ambient import held_by
from .asking import Questions
from .facts import FIXED, MISS, UNSET, Fact, given
from .holders import is_cache, reader, spelled
from .reach import UNCALLED, functions_in, is_own_array, is_users_class, lineage, mentions, methods, of_user
from .values import is_still

_CONTAINERS = (MutableMapping, MutableSequence, MutableSet)


class Known:
    """What is the same at every call of a program: a class whose objects are arguments, a key of a dict among them."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class Objects(Questions):
    """The part of an environment that looks into objects and classes."""

    names: set[str]  # of attributes, in all code that was read
    everything: bool
    asks_classes: bool
    makes_anew: bool
    _stack: list[Fact]
    _measured: set[type]
    _inherit: set[type]
    _kinds: set[type]
    if TYPE_CHECKING:

        def _function(self, f: FunctionType) -> None: ...

    def _child(self, parent: Fact, step: str, key: Any, value: Any, path: str | None = None) -> None:
        if path is None:
            path = f"{parent.path}[{key!r}]" if step == "item" else f"{parent.path}.{key}"
        self._stack.append(Fact(path, value, parent, (step, key)))

    def _beside(self, fact: Fact, x: Any) -> None:
        """What a container of a user's class holds beside its items, and what its methods mention."""
        if lineage(type(x)):
            own = vars(x) if hasattr(x, "__dict__") else {}
            if hasattr(x, "__dict__"):  # an attribute that is added may have been looked for in vain
                fact.check, fact.own = f"{fact.check} and len({{v}}.__dict__) == {len(own)}", True
            self._attributes(fact, x, type(x), own, self._code(type(x), set()))
            self._class(type(x))

    def _beside_numbers(self, fact: Fact, x: Any) -> None:
        """The same of a Tensor or an array, of which only those of somebody's own class have anything beside."""
        if is_own_array(type(x)):
            self._beside(fact, x)

    def _kind(self, kind: type) -> None:
        """What objects of a class reach by way of it, whatever they hold themselves."""
        if kind not in self._kinds:
            self._kinds.add(kind)
            self._attributes(Fact(kind.__name__, kind), kind, kind, {}, self._code(kind, set()))
            self._class(kind)
            if issubclass(kind, Enum):
                self._members(kind)

    def _members(self, kind: type[Enum]) -> None:
        """The members of an enumeration: an attribute that one is given may have been looked for in vain."""
        held = [vars(member) for member in kind]
        fact = Fact(kind.__name__, held, None, (FIXED, held))
        fact.check, fact.like, fact.number = "[*map(len, {v})] == {like}", [*map(len, held)], len(self.facts)
        self.facts.append(fact)
        for member in kind:
            self._member_of_enumeration(member)

    def _member_of_enumeration(self, member: Enum) -> None:
        """What a member holds that may change: attributes of its own, a list that is its value."""
        for name, value in vars(member).items():
            if name in self.names or self.everything or (name == "_value_" and not is_still(value)):
                self._child(Fact(str(member), member), "attr", name, value)

    def _class(self, kind: type) -> None:
        """The class itself, where some code may ask an object for it, as `type(self)(1.0)` does."""
        if self.makes_anew and lineage(kind):
            self._stack.append(Fact(kind.__name__, kind, None, (FIXED, kind)))

    def _code(self, kind: type, more: set[str]) -> bool:
        """Read the methods that may run; tells whether they look at attributes that they do not name."""
        any_attribute = False
        for f in methods(kind, self.names | more, self.everything):
            if of_user(f):
                self._function(f)
            else:
                self.names |= mentions(f.__code__).attributes - UNCALLED
            any_attribute = any_attribute or mentions(f.__code__).any
        return any_attribute

    def _object(self, fact: Fact, x: Any) -> None:
        kind = type(x)
        own = getattr(x, "__dict__", None)
        written = lineage(kind)
        read = reader(x)
        if read is not None:
            self.names |= spelled(x)
            self._child(fact, "read", read, read(x), path=fact.path)
        self._held_by(fact, x)
        if own is None and not any(hasattr(k, "__slots__") for k in written):
            return  # of C: itself
        fact.check, fact.like = "{v}.__class__ is {like}", kind
        everything = self.everything or self._code(kind, set())
        if own is not None and (written or kind.__name__.endswith("Namespace")):
            fact.check, fact.like = f"{{v}}.__class__ is {{like}} and len({{v}}.__dict__) == {len(own)}", kind
            fact.own = True
        self._attributes(fact, x, kind, own or {}, everything)
        self._class(kind)

    def _held_by(self, fact: Fact, x: Any) -> None:
        """What an object of the standard library holds that its methods answer."""
        for name in held_by(type(x)):
            self._child(fact, "attr", name, getattr(x, name))

    def _attributes(
        self,
        fact: Fact,
        x: Any,
        kind: type,
        own: dict[str, Any],
        everything: bool = False,
        uncalled: frozenset[str] = UNCALLED,
    ) -> None:
        """The data that an object holds, and that its classes hold for it, as far as some code names it."""
        known = lineage(kind)
        self._ancestry(kind)
        watched = (everything or self.everything) and (known or kind.__name__.endswith("Namespace"))
        watched = watched or (not known and isinstance(x, _CONTAINERS))  # of the standard library: ChainMap, UserDict
        for name in own if watched else [n for n in own if n in self.names]:
            self._child(fact, "attr", name, own[name])
        for k in known:
            self._length(k)
            for name, member in vars(k).items():
                if name.startswith("__"):
                    if (name not in uncalled or name in self.names) and any(map(of_user, functions_in(member))):
                        self._member(k, name, member)
                    continue
                if name not in self.names and not (self.everything and is_users_class(k)):
                    continue
                if name in own:  # hides the entry, but not from type(self)
                    if self.asks_classes and not hasattr(member, "__get__"):
                        self._member(k, name, member)
                elif functions_in(member):
                    if k.__dict__[name].__class__ is FunctionType and of_user(member):
                        self._child(given(k), "attr", name, member, path=f"{k.__name__}.{name}")
                    elif any(map(of_user, functions_in(member))):  # a property, a static method, a class method
                        self._member(k, name, member)
                elif type(member).__name__ == "member_descriptor":  # a slot
                    if x is not kind:
                        self._child(fact, "slot", name, getattr(x, name, UNSET))
                elif not hasattr(member, "__get__") and getattr(x, name, MISS) is member:
                    if not _ours(k):  # of which nobody sets another default
                        self._child(fact, "attr", name, member)
                elif (
                    lineage(type(member))  # a descriptor of a user's class
                    or is_cache(getattr(member, "__func__", member))  # a method that caches
                    or (self.asks_classes and not hasattr(member, "__get__"))  # hidden, but not from super()
                ):
                    self._member(k, name, member)

    def _ancestry(self, kind: type) -> None:
        """Whom a user's class inherits from, and in which order, which may be written anew."""
        if kind not in self._inherit and is_users_class(kind):
            self._inherit.add(kind)
            fact = Fact(kind.__name__, kind.__mro__, given(kind), ("attr", "__mro__"))
            fact.check, fact.like, fact.number = "{v} is {like}", kind.__mro__, len(self.facts)
            self.facts.append(fact)

    def _length(self, kind: type) -> None:
        """How many entries a user's class has: one that is added may be an attribute that was looked for in vain."""
        if kind in self._measured or not is_users_class(kind):
            return
        self._measured.add(kind)
        fact = Fact(kind.__name__, vars(kind), given(kind), ("attr", "__dict__"))
        fact.check, fact.number = f"len({{v}}) == {len(vars(kind))}", len(self.facts)
        self.facts.append(fact)

    def _member(self, kind: type, name: str, member: Any) -> None:
        """An entry of a class that is not what the attribute gives."""
        entries = Fact(kind.__name__, vars(kind), given(kind), ("attr", "__dict__"))
        self._child(entries, "item", name, member, path=f"{kind.__name__}.{name}")


def _ours(kind: type) -> bool:
    """Whether a class is of this package."""
    return kind.__module__.partition(".")[0] == __name__.partition(".")[0]
