"""Another library's functions, classes and modules, whose Python code runs over this package's arrays.

A function is copied with other things under its global names: NumPy's functions that make arrays, the lifted ones of
the library itself, compiled ones as `leaves` has them. The library's own modules stay as they are.
"""

from __future__ import annotations

import builtins
import contextlib
import dis
import enum
import functools
import inspect
import sys
from collections.abc import Callable
from types import CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from ..core.leaving import VIEW
from ..core.numpy_alone import tensors_in
from ..core.tensor import Tensor
from . import distances, distributions, integrals, linear_algebra, splines  # noqa: F401 - which hold the rules
from .checks import WITHIN, outermost
from .leaves import Leaf
from .numpys import BY_FUNCTION, NumPys
from .rules import LIFTED, OF_FUNCTIONS, RULES
from .searches import SEARCHES, search
from .sparse import Sparse, of_matrices

_OWN = __name__.partition(".")[0]
_STAY = {"numpy", _OWN, "builtins"} | set(sys.stdlib_module_names)
_APART = ("scipy.sparse.",)  # matrices of their own, which hold no Tensors
_COMPILED = frozenset(
    {"builtin_function_or_method", "cython_function_or_method", "fused_cython_function", "fortran", "pythran_function"}
)
_KEPT = (BaseException, enum.Enum, tuple, dict, np.ndarray, np.generic)
_HEAP, _BASE = 1 << 9, 1 << 10  # a class that was made in Python; one that may have subclasses
_made: dict[int, tuple[Any, Any]] = {}  # of a thing its lifted one, and the thing, so that its id stays its own


def _foreign(thing: Any) -> bool:
    home = getattr(thing, "__module__", None)
    if not isinstance(home, str) or home.partition(".")[0] in _STAY:
        return False
    return not f"{home}.".startswith(_APART) or _rule_name(thing) in RULES


def _rule_name(f: Any) -> str:
    first, second, *_ = f"{f.__module__}..".split(".")
    return f"{first}.{second}.{getattr(f, '__qualname__', '')}"


def lifted(thing: Any) -> Any:
    """What stands for a thing that another library's code finds under a name."""
    if id(thing) in BY_FUNCTION:
        return BY_FUNCTION[id(thing)]
    build = _builder(thing)
    if build is None:
        return thing
    known = _made.get(id(thing))
    if known is None:
        known = _made[id(thing)] = build(thing), thing
    return known[0]


LIFTED.append(lifted)


def _builder(thing: Any) -> Callable[[Any], Any] | None:
    """How a thing is lifted; None where it stays as it is."""
    kind = type(thing)
    if isinstance(thing, ModuleType):
        return _module
    if kind in (list, tuple, dict):
        return _container if 0 < len(thing) < 300 else None
    if kind is functools.partial:
        return lambda p: functools.partial(lifted(p.func), *p.args, **p.keywords)
    if isinstance(thing, type):
        fit = thing.__flags__ & _BASE and not issubclass(thing, _KEPT) and _is_pure(thing)
        return _class if _foreign(thing) and fit and "lifted_from" not in vars(thing) else None
    if isinstance(thing, FunctionType) and f"{thing.__module__}.".startswith(_APART) and not _foreign(thing):
        return of_matrices
    if isinstance(thing, FunctionType):
        return _function if _foreign(thing) and not hasattr(thing, "lifted_from") else None
    if kind.__name__ in _COMPILED:
        return Leaf if _foreign(thing) else None
    if f"{kind.__module__}.".startswith(_APART) and hasattr(thing, "tocsr"):
        return Sparse
    if _foreign(kind) and kind.__flags__ & _HEAP and isinstance(_called(kind), FunctionType):
        return _instance
    return None


def _called(kind: type) -> Any:
    return next((vars(base)["__call__"] for base in kind.__mro__ if "__call__" in vars(base)), None)


def _is_pure(kind: type) -> bool:
    """Whether a class is made in Python alone, so that its objects are what their attributes say."""
    return all(base.__flags__ & _HEAP and not _is_compiled(vars(base).get("__new__")) for base in kind.__mro__[:-1])


def _is_compiled(new: Any) -> bool:
    return new is not None and type(new).__name__ in _COMPILED


# -- modules and what they hold -------------------------------------------------------------------------------
class View(ModuleType):
    """A module whose functions and classes take Tensors."""

    def __init__(self, module: ModuleType) -> None:
        super().__init__(module.__name__, module.__doc__)
        self.__dict__["lifted_from"] = module

    def __getattr__(self, name: str) -> Any:
        found = lifted(getattr(self.__dict__["lifted_from"], name))
        self.__dict__[name] = found
        return found

    def __dir__(self) -> list[str]:
        return dir(self.__dict__["lifted_from"])


def _module(module: ModuleType) -> ModuleType:
    name = module.__name__
    if name in ("numpy", "math", "cmath") or name.endswith("array_api_compat.numpy"):
        return NumPys(module)
    return module if name.partition(".")[0] in _STAY else View(module)


def _container(thing: Any) -> Any:
    parts = list(thing.values() if type(thing) is dict else thing)
    new = list(map(lifted, parts))
    if all(a is b for a, b in zip(parts, new, strict=True)):
        return thing
    return dict(zip(thing, new, strict=True)) if type(thing) is dict else type(thing)(new)


# -- functions ------------------------------------------------------------------------------------------------
def _function(f: FunctionType) -> Any:
    name = _rule_name(f)
    rule = search if ".".join(name.split(".")[:2]) in SEARCHES else RULES.get(name)
    bound: list[Any] = []

    def run(*args: Any, **more: Any) -> Any:
        if rule is not None:
            if rule is search or rule in OF_FUNCTIONS or tensors_in([*args, *more.values()]):
                found = rule(f, *args, **more)
                if found is not NotImplemented:
                    return found
            else:
                return f(*args, **more)
        if not bound:
            bound.append(_bound(f))
        return bound[0](*args, **more)

    def call(*args: Any, **more: Any) -> Any:
        return run(*args, **more) if WITHIN.get() else outermost(name, f, run, args, more)

    call.__name__, call.__qualname__, call.__doc__, call.__module__ = f.__name__, f.__qualname__, f.__doc__, _OWN
    call.__dict__.update({k: lifted(v) if k == "__wrapped__" else v for k, v in f.__dict__.items()})
    call.__dict__["lifted_from"] = f
    with contextlib.suppress(ValueError, TypeError):
        call.__signature__ = inspect.signature(f)  # type: ignore[attr-defined]
    return call


def _names(code: CodeType) -> set[str]:
    return set(code.co_names).union(*(_names(c) for c in code.co_consts if isinstance(c, CodeType)))


def _bound(f: FunctionType) -> FunctionType:
    """A copy of a function that finds lifted things under its global names."""
    names, there = _names(f.__code__), f.__globals__
    known = {n: lifted(there[n]) for n in names if n in there}
    known |= {"__builtins__": _builtins(there), "__name__": there.get("__name__"), VIEW: True}
    if "super" in names:
        known["super"] = _super
    if "float" in names and "float" not in known and _only_called("float", f.__code__):
        known["float"] = _float
    cells = f.__closure__ and tuple(map(_cell, f.__code__.co_freevars, f.__closure__))
    new = FunctionType(f.__code__, known, f.__name__, f.__defaults__ and tuple(map(lifted, f.__defaults__)), cells)
    new.__kwdefaults__ = f.__kwdefaults__ and {k: lifted(v) for k, v in f.__kwdefaults__.items()}
    new.__dict__.update(f.__dict__)
    return new


def _only_called(name: str, code: CodeType) -> bool:
    """Whether a function calls what has this name, and does nothing else with it: as a dtype it is a class."""
    loads = [i for i in dis.get_instructions(code) if i.argval == name and i.opname.startswith("LOAD_")]
    inner = [c for c in code.co_consts if isinstance(c, CodeType)]
    return all(i.opname == "LOAD_GLOBAL" and i.arg is not None and i.arg & 1 for i in loads) and all(
        _only_called(name, c) for c in inner
    )


def _float(x: Any = 0.0, /) -> Any:
    """Python's float, and of a Tensor the number that it is."""
    return x.reshape(()) if isinstance(x, Tensor) and x.size == 1 and x.dtype.kind == "f" else float(x)


def _builtins(there: dict[str, Any]) -> dict[str, Any]:
    """Python's own names for a function that is at home there; what it imports is lifted, too."""

    def importing(name: str, known: Any = None, local: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        return lifted(builtins.__import__(name, there, local, fromlist, level))

    return {**vars(builtins), "__import__": importing}


def _cell(name: str, cell: CellType) -> CellType:
    try:
        return cell if name == "__class__" else CellType(lifted(cell.cell_contents))
    except ValueError:  # an empty one
        return cell


# -- classes and objects --------------------------------------------------------------------------------------
class _Above:
    """What `super()` gives in a method of a lifted class."""

    __slots__ = ("_of",)

    def __init__(self, of: Any) -> None:
        object.__setattr__(self, "_of", of)

    def __getattribute__(self, name: str) -> Any:
        found = getattr(object.__getattribute__(self, "_of"), name)
        if isinstance(found, MethodType) and isinstance(found.__func__, FunctionType):
            return MethodType(lifted(found.__func__), found.__self__)
        return lifted(found) if isinstance(found, FunctionType) else found


def _super(kind: Any = None, thing: Any = None) -> _Above:
    if kind is None:
        frame = sys._getframe(1)
        kind = frame.f_locals["__class__"]
        thing = frame.f_locals[frame.f_code.co_varnames[0]]
    return _Above(super(vars(kind).get("lifted_from", kind), thing))


class _Lifted(type):
    """The class of lifted classes: they have the library's own objects for instances, too."""

    def __instancecheck__(cls, thing: Any) -> bool:
        return type.__instancecheck__(vars(cls).get("lifted_from", cls), thing)

    def __subclasscheck__(cls, kind: Any) -> bool:
        return type.__subclasscheck__(vars(cls).get("lifted_from", cls), kind)


def _class(kind: type) -> type:
    """A subclass with lifted methods."""
    space: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        for name, value in vars(base).items():
            if name not in ("__init_subclass__", "__class_getitem__", "__init__") or base is not object:
                found = _method(name, value)
                if found is not None:
                    space[name] = found
    space |= {"__module__": _OWN, "lifted_from": kind, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
    own = type(kind)
    meta = _Lifted if own is type else type("_Lifted", (_Lifted, own), {})
    try:
        return meta(kind.__name__, (kind,), space)  # type: ignore[no-any-return]
    except Exception:  # a class that takes no subclasses, or counts them
        return kind


def _method(name: str, value: Any) -> Any:
    if name in ("__init_subclass__", "__class_getitem__"):
        return None
    if isinstance(value, property):
        return property(*(f and lifted(f) for f in (value.fget, value.fset, value.fdel)))
    if isinstance(value, (staticmethod, classmethod)):
        return type(value)(lifted(value.__func__)) if isinstance(value.__func__, FunctionType) else None
    return lifted(value) if isinstance(value, FunctionType) and _foreign(value) else None


def _instance(thing: Any) -> Any:
    kind: Any = lifted(type(thing))
    if kind is type(thing) or not hasattr(thing, "__dict__"):
        return thing
    new = object.__new__(kind)
    for name, value in vars(thing).items():
        own = isinstance(value, MethodType) and value.__self__ is thing
        new.__dict__[name] = MethodType(lifted(value.__func__), new) if own else value
    return new
