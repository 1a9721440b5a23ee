"""What the code of a function mentions: global names, attributes, modules that it imports."""

from __future__ import annotations

import dis
import re
import sys
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any, NamedTuple

import numpy as np

from ..core.place import Place, in_package, is_library
from ..core.tensor import Tensor

_GLOBAL = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL", "DELETE_GLOBAL"})
_ATTRIBUTE = frozenset(
    {"LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR", "DELETE_ATTR", "LOAD_SUPER_ATTR", "IMPORT_FROM", "LOAD_ZERO_SUPER_ATTR"}
)
_ANY = frozenset({"eval", "exec", "getattr", "vars", "attrgetter", "__dict__", "__getattribute__", "dir", "setattr"})
_EVALUATE = frozenset({"eval", "exec", "globals"})  # which reach any global
_IDENTITY, _OPERATORS = frozenset({"id", "is_", "is_not"}), frozenset({"is_", "is_not"})
_IMPORT = frozenset({"__import__", "import_module", "modules"})
_TEXTS = frozenset({"str", "repr", "format", "print", "ascii"})
_COPIES = frozenset({"copy", "deepcopy"})
_ARRAYS = frozenset({"numpy", __name__.partition(".")[0]})  # whose Tensors and arrays are what they are
UNCALLED = frozenset({"__init__", "__new__", "__repr__", "__str__", "__setattr__", "__del__", "__reduce__"})


class Mentions(NamedTuple):
    """The names in a piece of code, and in the code within it."""

    globals: frozenset[str]
    attributes: frozenset[str]  # also all texts, which getattr may be given
    modules: frozenset[str]
    identities: bool  # whether it may tell one object from another that is equal: by `is`, unless with a constant
    texts: bool  # whether it writes something as a text

    @property
    def unnamed(self) -> set[str]:
        """Methods of objects that the code may run by the way, which are not taken for run without it."""
        found = {"__setattr__"} if self.attributes else set()
        if self.prints:
            found |= {"__repr__", "__str__"}
        return found | ({"__reduce__"} if not _COPIES.isdisjoint(self.globals | self.attributes) else set())

    @property
    def prints(self) -> bool:
        """Whether the code writes something as a text."""
        return self.texts or not _TEXTS.isdisjoint(self.globals | self.attributes)

    @property
    def any(self) -> bool:
        """Whether the code may look at attributes that it does not name."""
        return not _ANY.isdisjoint(self.globals) or not _ANY.isdisjoint(self.attributes)

    @property
    def evaluates(self) -> bool:
        """Whether the code may look at globals that it does not name."""
        return not _EVALUATE.isdisjoint(self.globals)


@lru_cache(maxsize=4096)
def mentions(code: CodeType) -> Mentions:
    found: tuple[set[str], set[str], set[str]] = (set(), set(), set())
    identities, texts, named = False, False, False
    for step in dis.get_instructions(code):
        identities = identities or (step.opname == "IS_OP" and not named)
        named = "CONST" in step.opname and type(step.argval) not in (int, float)  # None, True, but no number
        texts = texts or step.opname.startswith("FORMAT_")
        if step.opname in _GLOBAL:
            found[0].add(step.argval)
        elif step.opname in _ATTRIBUTE:
            found[1].add(step.argval)
        elif step.opname == "IMPORT_NAME":
            found[2].add(step.argval)
    stack = list(code.co_consts)
    while stack:
        c = stack.pop()
        if isinstance(c, str):
            found[1].add(c)
        elif isinstance(c, (tuple, frozenset)):
            stack += c
        elif isinstance(c, CodeType):
            inside = mentions(c)
            identities, texts = identities or inside.identities, texts or inside.texts
            for mine, inner in zip(found, inside[:3], strict=True):
                mine |= inner
    identities = identities or not _IDENTITY.isdisjoint(found[0]) or not _OPERATORS.isdisjoint(found[1])
    return Mentions(frozenset(found[0]), frozenset(found[1]), frozenset(found[2]), identities, texts)


def of_user(f: FunctionType) -> bool:
    """Whether a function is the user's, and no library's: what it mentions may change."""
    return not is_library(f.__code__.co_filename)


def is_users_module(module: Any) -> bool:
    """Whether a module is the user's: no library's, nor one of C; it may be `__main__`, or made by hand."""
    file = vars(module).get("__file__")  # not what a module's own __getattr__ makes up
    if file is not None:
        return not is_library(file)
    spec = vars(module).get("__spec__")
    return spec is None or spec.origin is None


def is_users_class(kind: type) -> bool:
    """Whether a class is the user's, and no library's."""
    module = sys.modules.get(kind.__module__)
    return module is None or is_users_module(module)


def users_modules_named(said: Mentions) -> set[str]:
    """The user's modules that code imports by a text, with `importlib.import_module` or out of `sys.modules`."""
    if _IMPORT.isdisjoint(said.globals | said.attributes):
        return set()
    return {name for name in said.attributes & sys.modules.keys() if is_users_module(sys.modules[name])}


def lineage(kind: type) -> list[type]:
    """A class and those that it inherits from, as far as they are written in Python outside of the standard library.

    Of a class that somebody made of Tensors or of arrays, what these are themselves is no part.
    """
    known = [k for k in kind.__mro__ if _readable(k.__module__)]
    return [k for k in known if not _of_arrays(k)] if is_own_array(kind) else known


def is_own_array(kind: type) -> bool:
    """Whether a class of Tensors or of arrays is neither this package's nor NumPy's."""
    return (Tensor in kind.__mro__ or np.ndarray in kind.__mro__) and not _of_arrays(kind)


def _of_arrays(kind: type) -> bool:
    return kind.__module__.partition(".")[0] in _ARRAYS


def _readable(module: str) -> bool:
    """Whether the code of a class in this module is to be read: the user's, this package's, an installed one's."""
    if module == "__main__" or module not in sys.modules:
        return True
    file = vars(sys.modules[module]).get("__file__")
    if file is None:
        return is_users_module(sys.modules[module])
    return in_package(file) or not is_library(file) or "site-packages" in file


def methods(kind: type, names: set[str], everything: bool = False) -> list[FunctionType]:
    """The functions of a class that code which mentions these names may run; or any, with `everything`, of a user's."""
    found: list[FunctionType] = []
    for k in lineage(kind):
        for name, member in vars(k).items():
            special = name.startswith("__") and name.endswith("__") and name not in UNCALLED
            if special or name in names or (everything and is_users_class(k)):
                found += functions_in(member)
    return found


def functions_in(member: Any) -> list[FunctionType]:
    """The functions behind an entry of a class: a method, a property, a static method."""
    if isinstance(member, (staticmethod, classmethod)):
        member = member.__func__
    parts = (member.fget,) if isinstance(member, property) else (member, getattr(member, "func", None))
    return [p for p in parts if isinstance(p, FunctionType)]


def line_of(functions: list[FunctionType], path: str) -> Place | None:
    """The line that writes to what lies there or, if none does, the first that mentions it; of constructors last."""
    name = re.findall(r"[A-Za-z_]\w*", path)[-1]
    called = _line_in([f for f in functions if f.__name__ not in UNCALLED], name)
    return called or _line_in(functions, name)


def _line_in(functions: list[FunctionType], name: str) -> Place | None:
    first: Place | None = None
    stack: list[Any] = [f.__code__ for f in reversed(functions)]
    while stack:
        code = stack.pop()
        stack += [c for c in code.co_consts if isinstance(c, CodeType)]
        for step in dis.get_instructions(code):
            if step.argval == name and step.positions is not None and step.positions.lineno is not None:
                place = Place(code.co_filename, step.positions.lineno)
                if step.opname.startswith("STORE"):
                    return place
                first = first or place
    return first
