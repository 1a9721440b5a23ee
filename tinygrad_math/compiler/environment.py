"""What a function can reach beside its arguments, as facts: where each thing lies, and what must hold for a program.

Closure cells, defaults, globals that its code names, the object that a method belongs to, what a partial holds, and
from there attributes and items, through the user's own functions, classes and modules. Modules and functions of
libraries are what they are. Attributes count if some code in reach names them (or looks at `__dict__`).
"""

from __future__ import annotations

import builtins
import functools
import os
import sys
import weakref
from abc import ABCMeta
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, MappingView, MutableMapping, Sequence
from enum import Enum
from operator import attrgetter
from types import FunctionType, MappingProxyType, MethodType, ModuleType
from typing import Any

import numpy as np

from ..core.errors import TraceError
from ..core.place import in_package
from ..core.standing import Number
from ..core.tensor import Node, Tensor
from .ambient import STATES, asks_for_errors, in_builtins, settings
from .facts import FIXED, UNSET, Fact, given
from .holders import (
    base_of,
    behind,
    cached,
    callables_in,
    has_wrapped,
    in_cell,
    is_cache,
    is_method_of_c,
    of_mask,
    registrations,
    subclasses,
)
from .objects import Known, Objects
from .outside import asks, may_ask
from .reach import is_users_module, lineage, mentions, of_user, users_modules_named
from .streams import global_streams, is_stream, state_of, stream_in
from .values import at_a_glance, classes_in, is_atom, is_plain, kept, layouts, parts_of

_OF_THE_IMPORT = frozenset({"__loader__", "__spec__", "__builtins__", "__cached__"})  # in the globals of a module
LIMIT = 100_000  # facts: who closes over more should pass it as an argument
_THE_SAME = "{v} is {like}"
_PARTIAL = ("func", "args", "keywords")
_HELD = {functools.partial: _PARTIAL, functools.partialmethod: _PARTIAL, MethodType: ("__self__", "__func__")}
_OF_TENSORS = frozenset({"grad", "name", "requires_grad"})
_OF_LAYOUT = frozenset({"flags", "strides", "base", "__array_interface__"})  # of an array, beside its values
_CLASSES = frozenset({"type", "super", "__class__"})
_MAKERS = frozenset({"type", "__class__", "replace"})  # dataclasses.replace
_MUTABLE = (MutableMapping, list, set)
_LIVING = frozenset({"asyncio", "concurrent", "distributed", "tornado"})  # loops and sockets, with threads of their own


class Environment(Objects):
    """The facts of some roots: a function, and objects among its arguments."""

    def __init__(
        self, roots: Sequence[tuple[str, Any]], everything: bool = False, opened: frozenset[str] = frozenset()
    ) -> None:
        self.roots, self.opened = list(roots), opened  # plain containers whose entries are facts of their own
        self.names: set[str] = set()
        self.told: set[str] = set()  # attributes of Tensors, beside values, that the user's code names
        self.everything = everything  # whether attributes count that no code names
        self.mentioned: set[str] = set()  # all names in the user's code
        self.prints = False  # whether some code writes something as a text
        self.guessed = False  # whether a trace took the values of one step for those of a loop
        self.exact = False  # whether it is to compute loops instead
        self.written_out = False  # whether it is to write out the steps of loops, as they read what they write
        self.asks = False  # whether some code may ask for what lies outside: the clock, a file
        self.asks_classes = False  # whether some code may look past an object's attribute, into its classes
        self.makes_anew = False  # whether some code may ask an object for its class, and make another of it
        self.identities = False  # whether some code may tell one object from another that is equal
        while True:
            known = self._known()
            self._walk()
            if self._known() == known:
                break
        if self.identities:
            self._tell_apart()
        self.as_it_is = asks_for_errors(self.mentioned)
        self._settings()
        self.tensors: dict[Node, Fact] = {}
        for f in self.facts:
            if issubclass(type(f.value), Tensor):
                self.tensors.setdefault(f.value.node, f)

    def _known(self) -> Any:
        """What has been learnt from the code so far, which tells what is to be looked at."""
        return len(self.names), len(self.told), self.everything, self.asks_classes, self.makes_anew, self.identities

    # -- the walk ---------------------------------------------------------------------------------------
    def _walk(self) -> None:
        self.facts = []
        self.streams: list[tuple[Fact, Any]] = []
        self.caches = []
        self.unused: list[Fact] = []  # functions that keep results and have none
        self._seen: dict[int, Fact] = {}
        self._measured: set[type] = set()  # classes whose length is known
        self._inherit: set[type] = set()  # classes whose ancestors are known
        self._kinds: set[type] = set()  # classes that were looked into for objects of theirs
        self._read: set[int] = set()  # functions that were opened
        self.functions: list[FunctionType] = []  # the user's, whose code was read
        self._stack = [
            Fact(path, value, None, (FIXED, value) if isinstance(value, Known) else ("root", k))
            for k, (path, value) in enumerate(self.roots)
        ][::-1]
        while self._stack:
            self._add(self._stack.pop())
        if "random" in self.names:
            for path, stream in global_streams():
                self.streams.append((Fact(path, stream), stream_in(stream)[1]))

    def _add(self, fact: Fact) -> None:
        x = fact.value
        if issubclass(type(x), Number):  # put there for a while by a trace
            x = fact.value = x.number
        fact.number = len(self.facts)
        self.facts.append(fact)
        if fact.number > LIMIT:
            raise TraceError(
                f"{self.roots[0][0]} reaches more than {LIMIT} things beside its arguments, the last at {fact.path}; "
                "pass what is large as an argument"
            )
        if is_atom(x):
            fact.check, fact.like = "({v} is {like} or same({v}, {like}))", x
            if isinstance(x, Enum):
                self._kinds_of(x)
        elif self._seen.setdefault(id(x), fact) is not fact:
            fact.check, fact.like = _THE_SAME, self._seen[id(x)]
        else:
            self._open(fact, x)
        if fact.fixed and (is_atom(x) or (fact.check == _THE_SAME and not _may_move(fact.like))):
            fact.check = ""

    def _settings(self) -> None:
        """What the code may ask Python and NumPy for, and the builtins that it names."""
        arrays = self.prints and any(issubclass(type(f.value), np.ndarray) for f in self.facts)
        for path, read in settings(self.mentioned, arrays):
            self._add(Fact(path, read(None), given(None), ("read", read)))
        while self._stack:
            self._add(self._stack.pop())
        found = in_builtins(self.mentioned)
        if found is not None:
            fact = Fact("builtins", vars(builtins), None, (FIXED, vars(builtins)))
            fact.check, fact.like, fact.number = "[*map(id, {like}[0]({v}))] == {like}[1]", found, len(self.facts)
            self.facts.append(fact)

    def _tell_apart(self) -> None:
        """Demand that what is two objects now, of one class, does not become one: what is one is known as such."""
        kinds: dict[type, list[Fact]] = {}
        for f in self.facts:
            if not f.fixed and f.check and f.check != _THE_SAME and _may_be_another(f.value):
                kinds.setdefault(type(f.value), []).append(f)
        for alike in kinds.values():
            if len(alike) > 1:
                fact = Fact(" and ".join(f.path for f in alike[:2]), None)
                fact.apart, fact.number = alike, len(self.facts)
                self.facts.append(fact)

    def _open(self, fact: Fact, x: Any) -> None:
        kind = type(x)
        fact.check, fact.like = _THE_SAME, x
        if kind is Known:
            if isinstance(x.value, type):
                self._kind(x.value)
            else:
                self._objects_in([x.value], fact.path)
        elif kind in weakref.ProxyTypes:
            fact.check, fact.like = "{v} is {like}[0]", (x,)  # a proxy of what is gone cannot be asked anything
            self._child(fact, "read", behind, behind(x), path=fact.path)
        elif isinstance(x, Tensor):
            fact.check, fact.like = "{v}.__class__ is {like}", kind
            for name in sorted(self.told):
                self._child(fact, "attr", name, getattr(x, name))
            if "grad" in self.names - self.told and x.grad is not None:
                self._child(fact, "attr", "grad", x.grad)
            self._beside_numbers(fact, x)
        elif isinstance(x, np.ndarray) and x.base is None and not x.flags.writeable:  # nobody changes it
            fact.check = f"{_THE_SAME} and not {{v}}.flags.writeable"
            self._layouts(fact, x)
            self._beside_numbers(fact, x)
        elif is_plain(x) and fact.path not in self.opened:
            fact.like, fact.plain = kept(x), True
            text, fact.quick = at_a_glance(x)
            fact.check = f"({text} or same({{v}}, {{like}}))" if text else "same({v}, {like})"
            if self.identities:
                for k, part in parts_of(x):
                    self._child(fact, "item", k, part)
            self._layouts(fact, x)
            self._kinds_of(x)
        elif is_stream(x):
            self.streams.append((fact, stream_in(x)[1]))
            if not STATES.isdisjoint(self.names):
                self._child(fact, "read", state_of, state_of(x), path=fact.path)
        elif isinstance(x, FunctionType):
            is_it = "" if fact.parent is None else "{v} is {like}[0]"  # a root is what the program was looked up by
            has_code = "{v}.__code__ is {like}[1]" if of_user(x) else ""  # which changes when a module is reloaded
            fact.check, fact.like = " and ".join(filter(None, (is_it, has_code))), (x, x.__code__)
            self._function(x)
        elif isinstance(x, np.ufunc):
            self._stack += [Fact(fact.path, part, None, (FIXED, part)) for part in callables_in(x)]
        elif asks(x):
            self.asks = True
        elif isinstance(x, ModuleType):
            self._module(fact, x)
        elif isinstance(x, type):
            self._attributes(fact, x, x, {}, uncalled=frozenset())
            self._code(x, {"__init__", "__new__", "__post_init__"})
            self._code(type(x), set())
            self._attributes(fact, x, type(x), {})
            if "__subclasses__" in self.names:
                self._child(fact, "read", subclasses, subclasses(x), path=f"{fact.path}.__subclasses__()")
            if isinstance(x, ABCMeta):
                self._child(fact, "read", registrations, registrations(x), path=f"what is registered as {fact.path}")
        elif kind.__module__.partition(".")[0] in _LIVING:
            self._held_by(fact, x)
        elif kind in _HELD or hasattr(kind, "__reached__"):
            held = _HELD.get(kind) or kind.__reached__
            if held:
                fact.check, fact.like = "{v}.__class__ is {like}", kind
            for name in held:
                self._child(fact, "attr", name, getattr(x, name), path="self" if name == "__self__" else fact.path)
        elif isinstance(x, (list, tuple, deque)):
            base = base_of(x)
            rows = [*base.__iter__(x)]
            fact.check = f"{{v}}.__class__ is {{like}}[0] and {{like}}[1]({{v}}) == {len(rows)}"
            fact.like = (kind, base.__len__)
            for k, v in reversed(list(enumerate(rows))):
                self._item(fact, base, k, v)
            self._beside(fact, x)
        elif isinstance(x, np.ndarray):  # of objects, or of somebody's own class
            if x.dtype.hasobject:
                fact.check = f"{{v}} is {{like}} and {{v}}.shape == {x.shape}"
                for k in np.ndindex(x.shape):
                    self._child(fact, "item", k, x[k])
            else:
                fact.check, fact.like = "same({v}, {like})", kept(x)
            self._layouts(fact, x)
            self._beside_numbers(fact, x)
        elif isinstance(x, (dict, MappingProxyType)):
            base = base_of(x)
            keys = [*base.__iter__(x)]
            fact.check, fact.like = (
                "{v}.__class__ is {like}[0] and [*{like}[2]({v})] == {like}[1]",
                (kind, keys, base.__iter__),
            )
            self._objects_in(keys, f"a key of {fact.path}")
            for k in reversed(keys):
                if k not in _OF_THE_IMPORT or "__name__" not in x:
                    self._item(fact, base, k, base.__getitem__(x, k))
            if isinstance(x, defaultdict):
                self._child(fact, "attr", "default_factory", x.default_factory)
            self._beside(fact, x)
        elif isinstance(x, MappingView):  # d.keys(), d.values(), d.items()
            held = "mapping" if hasattr(x, "mapping") else "_mapping"
            self._child(fact, "attr", held, getattr(x, held), path=fact.path)
        elif isinstance(x, (set, frozenset)):
            fact.check, fact.like = "{v} == {like}", x.copy()
            self._objects_in(x, f"an element of {fact.path}")
            self._beside(fact, x)
        elif is_method_of_c(x):
            if is_stream(x.__self__):  # numpy.random.normal
                self.streams.append((fact, stream_in(x)[1]))
            else:  # the `get` of a dict
                self._child(fact, "attr", "__self__", x.__self__, path=fact.path)
        elif has_wrapped(x):  # functools.cache and its like
            self._child(fact, "attr", "__wrapped__", x.__wrapped__, path=fact.path)
            if is_cache(x):  # whoever holds a result may write to it
                fact.check, fact.keeps = "{v} is {like} and still_has({v}, {quick})", True
                results = cached(x)
                self.caches.append((fact, results))
                self.unused += [fact] * (x.cache_info().currsize == 0)
                self._stack += [Fact(f"a result of {fact.path}", r, None, (FIXED, r)) for r in results]
            else:  # an object that a decorator puts in the place of a function
                self._object(fact, x)
        else:
            self._object(fact, x)

    def _layouts(self, fact: Fact, x: Any) -> None:
        """How arrays lie in memory, which is no part of their values, where some code may ask for it."""
        if isinstance(x, np.ma.MaskedArray):
            self._child(fact, "read", of_mask, of_mask(x), path=fact.path)
        if (self.everything or not _OF_LAYOUT.isdisjoint(self.names)) and layouts(x):
            self._child(fact, "read", layouts, layouts(x), path=f"{fact.path}.flags")

    def _objects_in(self, values: Iterable[Any], path: str) -> None:
        """Objects in sets and among keys, which are found by their hash: what they hold may change all the same."""
        self._stack += [Fact(path, v, None, (FIXED, v)) for v in values if not is_plain(v)]

    def _kinds_of(self, x: Any) -> None:
        """The classes of what a plain value is made of, with their methods."""
        for k in sorted(filter(lineage, classes_in(x)), key=attrgetter("__qualname__")):
            self._kind(k)

    def _held(self, f: FunctionType, path: str, value: Any, parent: Fact, step: str, key: Any) -> None:
        """What a function holds. Nobody binds a variable of this package's anew: what lies there is looked into."""
        if in_package(f.__code__.co_filename):
            self._stack.append(Fact(path, value, None, (FIXED, value)))
        else:
            self._child(parent, step, key, value, path=path)

    def _item(self, parent: Fact, base: Any, key: Any, value: Any) -> None:
        """What lies in a container, whatever the methods of a user's class make of it: these are facts, too."""
        if type(parent.value) is base:
            self._child(parent, "item", key, value)
        else:
            self._child(parent, "own", (base, key), value, path=f"{parent.path}[{key!r}]")

    def _function(self, f: FunctionType) -> None:
        """What a function holds and, if it is the user's, the globals that it names."""
        if id(f) in self._read:
            return
        self._read.add(id(f))
        code = f.__code__
        for name, cell in zip(code.co_freevars, f.__closure__ or (), strict=True):
            try:
                self._held(f, name, cell.cell_contents, given(cell), "attr", "cell_contents")
            except ValueError:  # not filled yet
                self._stack.append(Fact(name, UNSET, given(cell), ("read", in_cell)))
        named = code.co_varnames[: code.co_argcount][-len(f.__defaults__ or ()) :]
        for k, (name, value) in enumerate(zip(named, f.__defaults__ or (), strict=False)):
            row = Fact(name, f.__defaults__, given(f), ("attr", "__defaults__"))
            self._held(f, name, value, row, "item", k)
        for name, value in (f.__kwdefaults__ or {}).items():
            row = Fact(name, f.__kwdefaults__, given(f), ("attr", "__kwdefaults__"))
            self._held(f, name, value, row, "item", name)
        for name, value in vars(f).items():
            if name in self.names or name == "__wrapped__":
                self._held(f, f"{f.__name__}.{name}", value, given(f), "attr", name)
        if of_user(f):
            self.functions.append(f)
            said = mentions(code)
            self.names |= said.attributes | said.unnamed
            self.mentioned |= said.globals | said.attributes | {*code.co_freevars}
            self.prints = self.prints or said.prints
            self.told |= said.attributes & _OF_TENSORS
            self.everything = self.everything or said.any
            self.asks = self.asks or may_ask(said.globals | said.attributes)
            self.identities = self.identities or said.identities
            self.asks_classes = self.asks_classes or not _CLASSES.isdisjoint(said.globals | said.attributes)
            self.makes_anew = self.makes_anew or not _MAKERS.isdisjoint(said.globals | said.attributes)
            self._missing(f, said.globals - f.__globals__.keys())
            for name in sorted(said.globals):
                if name in f.__globals__:
                    self._child(given(f.__globals__), "item", name, f.__globals__[name], path=name)
            if said.evaluates:
                self._child(given(f), "attr", "__globals__", f.__globals__, path="globals()")
            if "getenv" in said.globals or "getenv" in code.co_freevars:  # os.getenv by itself
                self._child(given(os), "attr", "environ", os.environ, path="os.environ")
            for name in (said.modules & sys.modules.keys()) | users_modules_named(said):
                self._stack.append(Fact(name, sys.modules[name], given(sys.modules), ("item", name)))

    def _missing(self, f: FunctionType, names: frozenset[str]) -> None:
        """Names that the module of a function has not: one that comes hides what Python has by this name."""
        if names:
            fact = Fact(f"the globals of {f.__name__}", f.__globals__, None, (FIXED, f.__globals__))
            fact.absent, fact.number = names, len(self.facts)
            self.facts.append(fact)

    def _module(self, fact: Fact, x: ModuleType) -> None:
        """What the code names of a user's module; of a library's, the settings that it keeps in a mapping."""
        held, named = vars(x), self.names & vars(x).keys()
        if not is_users_module(x):
            if x is os and "getenv" in self.names:
                named.add("environ")
            named = {n for n in named if isinstance(held[n], _MUTABLE) and held[n] is not sys.modules}
        else:  # an attribute that is added may be one that was looked for in vain
            fact.check, fact.like = f"{{v}} is {{like}} and len({{v}}.__dict__) == {len(held)}", x
            named |= {"__getattr__"} & held.keys()
        for name in sorted(named):
            self._child(fact, "attr", name, held[name])

    def find(self, node: Node) -> Fact | None:
        """Where the Tensor of this node lies; looked for further away than the code names, if need be."""
        fact = self.tensors.get(node)
        if fact is None and not self.everything:
            fact = Environment(self.roots, everything=True).tensors.get(node)
            chain, f = [], fact
            while f is not None and f.step is not None:  # one that is given is no fact
                chain.append(f)
                f = f.parent
            for f in reversed(chain):
                f.number = len(self.facts)
                self.facts.append(f)
            if fact is not None:
                self.tensors[node] = fact
        return fact

    def release(self) -> None:
        """Let go of the Tensors, of the graphs behind them, and of what lies behind weak references.

        From now on all is read where it lies.
        """
        self.tensors.clear()
        self._seen.clear()
        for f in self.facts:
            if issubclass(type(f.value), Tensor) or (f.step is not None and f.step[0] == "read"):
                f.value = None


def surroundings(title: str, functions: Sequence[Callable[..., Any]]) -> Callable[[], list[str]]:
    """How to ask what has changed from now on of all that these functions reach; what they keep is no change."""
    environment = Environment([(title, f) for f in functions])
    keepers = {f for f, _ in environment.caches}

    def changed() -> list[str]:
        moved = [f for f in environment.moved() if f not in keepers]
        written = [f for n, f in environment.tensors.items() if f.value.node is not n]
        return [f.path for f in (*moved, *written)]

    return changed


def _may_be_another(x: Any) -> bool:
    """Whether something else may be put in the place of this that is taken for the same."""
    return not (is_atom(x) or isinstance(x, (FunctionType, ModuleType, type)))


def _may_move(like: Any) -> bool:
    return isinstance(like, Fact) and not like.fixed
