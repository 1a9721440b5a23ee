"""What an op is: forward, both derivative rules, and all that is said about it, in one record.

The registry maps a name to its Op. `raw` is the namespace of the plain functions: a rule written
over a namespace `xp` runs on arrays when `xp` is `raw`, and is itself recorded when it is `rec`
(made in `tensor`). A rule can use registered ops only.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .arguments import in_our_words, usage, whole_numbers
from .docs import Documentation
from .errors import ArgumentError, describe
from .opening import opened

Vjp = Callable[..., Sequence[Any]]
Jvp = Callable[..., Any]


class Namespace:
    """Attributes by op name; one for plain functions, one for recording ones.

    What the file of a room sets stands apart until the room is open: threads never see an op that still lacks its
    rules, and a room whose opening was interrupted is opened again.
    """

    __reached__: tuple[str, ...] = ()  # what is found here is an op, or nothing that a program depends on

    def __init__(self, title: str) -> None:
        self.__dict__["title"] = title
        self.__dict__["apart"] = {}  # room -> name -> what it is, and the global names of the file that set it

    def __setattr__(self, name: str, value: Any) -> None:
        home = home_of_caller()
        room = next((r for r in rooms if f"{home.get('__name__')}.".startswith(f"{r}.")), None)
        if room is None or name in self.__dict__:
            self.__dict__[name] = value
        else:
            self.apart.setdefault(room, {})[name] = value, home

    def __reduce__(self) -> str:
        return "raw" if self is raw else "rec"  # there is one of each

    def __getattr__(self, name: str) -> Any:  # reached only when the name is missing
        for room in () if name.startswith("__") else rooms:
            module = opened(room)  # other threads wait here for the one that imports
            value, home = self.apart.get(room, {}).get(name, (None, {}))
            if stands(home):
                if not getattr(module.__spec__, "_initializing", False):  # as importlib calls it
                    self.__dict__[name] = value
                return value
        raise AttributeError(f"no op named {name!r} is registered ({self.title})")


def home_of_caller() -> dict[str, Any]:
    """The global names of the file that is being imported: there, ops are declared."""
    frame = innermost = sys._getframe(1)
    while frame.f_code.co_name != "<module>":
        if frame.f_back is None:  # a thread of the user's, say
            return innermost.f_globals
        frame = frame.f_back
    return frame.f_globals


def stands(home: dict[str, Any]) -> bool:
    """Whether the file with these global names has been imported, or is about to be; not if that was interrupted."""
    return getattr(sys.modules.get(home.get("__name__", "")), "__dict__", None) is home


_TEX = {c: "\\" + c for c in "_#$%&"} | {"{": r"\{{", "}": r"\}}", "\\": r"\backslash{{}}"}
_TEX |= {"^": r"\^{{}}", "~": r"\~{{}}"}


def tex(name: str) -> str:
    """A name as text in a formula that `format` completes: what means something to TeX is escaped."""
    return "".join(_TEX.get(c, c if c.isprintable() else " ") for c in name)


rooms: list[str] = []  # modules with further ops, imported when a name is missed, the first ones first
registry: dict[str, Op] = {}
raw = Namespace("plain arrays")
rec = Namespace("recorded tensors")
by_ufunc: dict[Any, Op] = {}  # NumPy's ufunc -> op, for `__array_ufunc__`


PLAIN = frozenset({type(None), bool, int, float, str})  # static arguments that nobody can write to


def frozen(value: Any, depth: int = 0) -> Any:
    """A parameter as it is now: a list, dict or array that the caller may go on to change is copied."""
    kind = type(value)
    if depth > 64:
        raise ArgumentError(f"a {kind.__name__} that nests more than 64 deep, or contains itself: {describe(value)}")
    if kind is list or kind is tuple:
        return kind([frozen(v, depth + 1) for v in value])
    if kind is dict:
        return {k: frozen(v, depth + 1) for k, v in value.items()}
    return value.copy() if isinstance(value, np.ndarray) else value


class Op:
    """One operation. Built by the constructors of `declare`, never by hand.

    vjp(xp, need, g, y, *args, **params) -> one cotangent per argument, None where need is False
    jvp(xp, ts, y, *args, **params) -> the tangent of y; ts[i] is None where it is zero
    into(*args, out) -> an elementwise op that is no ufunc, written into `out`, which may be its first argument
    """

    into: Callable[..., Any] | None = None
    __reached__: tuple[str, ...] = ()  # nothing in it changes that a compiled function would have to look at
    writes = False  # whether y is the first argument, changed at an index
    recorded: Callable[[Any], Any] | None = None  # of an op that stands for many: how it is recorded, of arguments
    batched: Callable[[Any], Any] | None = None  # the same under vmap, of a call
    hides = ""  # of a loop that hands on its results: its name in a drawing, which does not show what its steps made
    over: Any = None  # of an op that calls exp or its like: its forward, of a namespace of those
    mechanical: Jvp | None = None  # the jvp that its constructor made, by its kind
    chooses = False  # whether a call of it may record another op instead, by the dtype of its argument
    implicit = False  # whether the value was found elsewhere: forward hands it on, and the rules know how it moves

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.__doc__ = Documentation(cls.__doc__)  # type: ignore[assignment]

    def __init__(
        self,
        name: str,
        forward: Callable[..., Any],
        *,
        kind: str,
        arity: int | None,
        vjp: Vjp | None = None,
        jvp: Jvp | None = None,
        many: bool = False,
        latex: str | None = None,
        shape: str = "",
        note: str = "",
        holomorphic: bool = False,
        samples: Callable[[], list[Any]] | None = None,
        doc: str | None = None,
        register: bool = True,
    ) -> None:
        self.name, self.kind, self.arity, self.many = name, kind, arity, many
        self.constant = kind == "nondiff"
        self.usual = not (many or self.constant)  # whether a Tensor comes out that its inputs are differentiated by
        self.part = False  # whether y is a part of the argument: at `key`, each element once, or that at `index`
        self.plain = forward  # as the author wrote it: what `raw` shows
        self.ufunc: np.ufunc | None = forward if isinstance(forward, np.ufunc) else None
        self.forward = forward if arity is not None else lambda *arrays, **params: forward(arrays, **params)
        self.vjp, self.jvp = vjp, jvp
        self.formal = 0  # of how many of the arguments, and then of y too, the rules use only shape and dtype
        places = ", ".join(f"{{{k}}}" for k in range(arity or 1))
        self.latex = latex or rf"\operatorname{{{{{tex(name)}}}}}({places})"
        self.shape, self.note = shape, note
        self.holomorphic, self.samples = holomorphic, samples
        self._read_signature()
        self.words = doc if doc is not None or isinstance(forward, np.ufunc) else forward.__doc__
        if register:
            self.home = home_of_caller()
            if name in registry and stands(registry[name].home):
                raise ArgumentError(f"an op named {name!r} is registered already")
            registry[name] = self
            setattr(raw, name, forward)

    def _read_signature(self) -> None:
        """Names and defaults, straight from the code object: `inspect` would be slow for hundreds of ops."""
        self.__name__ = self.__qualname__ = self.name
        self.__module__ = getattr(self.plain, "__module__", None) or "numpy"
        if isinstance(self.plain, np.ufunc):
            names, values = ["x"] if self.plain.nin == 1 else [f"x{i + 1}" for i in range(self.plain.nin)], {}
        else:
            f: Any = self.plain
            positional, keyword = f.__code__.co_argcount, f.__code__.co_kwonlyargcount
            names = list(f.__code__.co_varnames[: positional + keyword])
            given = f.__defaults__ or ()
            values = {**dict(zip(names[positional - len(given) :], given, strict=False)), **(f.__kwdefaults__ or {})}
        arrays = 1 if self.arity is None else self.arity
        self.array_names, self.param_names = names[:arrays], names[arrays:]
        self.defaults = {n: values[n] for n in self.param_names if n in values}
        self.whole = whole_numbers(self.plain, self.param_names)
        self.accepted: dict[Any, dict[str, Any]] = {}  # parameters that were bound before, by what was given
        complete = len(self.defaults) == len(self.param_names)
        self.simple_arity = self.arity if complete else None  # this many arguments need no binding

    @property
    def __signature__(self) -> inspect.Signature:
        if isinstance(self.plain, np.ufunc):
            positional = inspect.Parameter.POSITIONAL_ONLY
            return inspect.Signature([inspect.Parameter(n, positional) for n in self.array_names])
        return inspect.signature(self.plain)

    def bind(self, args: tuple[Any, ...], params: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Split a call into arrays and complete static parameters, as Python would bind it."""
        count = len(self.array_names)
        if len(args) > count:
            extra = dict(zip(self.param_names, args[count:], strict=False))
            if len(args) - count > len(extra) or extra.keys() & params.keys():
                raise ArgumentError(f"{usage(self)} was given {len(args)} positional arguments")
            args, params = args[:count], {**extra, **params}
        elif len(args) < count:
            missing = self.array_names[len(args) :]
            if not all(name in params for name in missing):
                raise ArgumentError(f"{usage(self)} needs {', '.join(missing)}")
            args += tuple(params[name] for name in missing)
            params = {k: v for k, v in params.items() if k not in missing}
        if not PLAIN.issuperset(map(type, params.values())):
            params = {k: frozen(v) for k, v in params.items()}
        full = {**self.defaults, **params}
        if len(full) != len(self.param_names) or any(n not in full for n in self.param_names):
            raise ArgumentError(self._unknown(full))
        return args, full

    def _unknown(self, params: dict[str, Any]) -> str:
        unknown = [k for k in params if k not in self.param_names]
        if not unknown:
            return f"{usage(self)} needs {', '.join(n for n in self.param_names if n not in params)}"
        hint = in_our_words(unknown, self.param_names)
        return f"{self.name} has no argument {', '.join(map(repr, unknown))}: {usage(self)}.{hint}"

    def alike(self, other: Op) -> bool:
        """Whether both compute the same."""
        return self is other or self.plain is other.plain

    def under(self, name: str) -> Op:
        """The same op as another object, which passes know by this name; messages say its own, `__name__`."""
        twin: Op = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin.name = name
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> Op:
        """An op is one object."""
        return self

    def __copy__(self) -> Op:
        return self

    def __reduce_ex__(self, protocol: Any) -> Any:
        """For `pickle`: where the op is found again, by its name; one made in passing goes as what it holds."""
        if registry.get(self.name) is self:
            return declared, (self.home["__name__"], self.name)
        found: Any = sys.modules.get(self.__module__)
        for part in self.__qualname__.split("."):
            found = getattr(found, part, None)
        return self.__qualname__ if found is self else super().__reduce_ex__(protocol)

    def __repr__(self) -> str:
        return f"<{self.kind} op {usage(self)}>"


def declared(home: str, name: str) -> Op:
    """The op of this name, which the file `home` declares."""
    opened(home)
    return registry[name]


Op.__doc__ = Documentation(Op.__doc__)  # type: ignore[assignment]
