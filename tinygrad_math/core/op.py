"""What an op is: forward, both derivative rules, and all that is said about it, in one record.

The registry maps a name to its Op. `raw` is the namespace of the plain functions: a rule written
over a namespace `xp` runs on arrays when `xp` is `raw`, and is itself recorded when it is `rec`
(made in `tensor`). A rule can use registered ops only.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .errors import ArgumentError

Vjp = Callable[..., Sequence[Any]]
Jvp = Callable[..., Any]


class Namespace:
    """Attributes by op name; one for plain functions, one for recording ones."""

    def __init__(self, title: str) -> None:
        self.__dict__["title"] = title

    def __setattr__(self, name: str, value: Any) -> None:
        self.__dict__[name] = value

    def __getattr__(self, name: str) -> Any:  # reached only when the name is missing
        raise AttributeError(f"no op named {name!r} is registered ({self.title})")


registry: dict[str, Op] = {}
raw = Namespace("plain arrays")
by_ufunc: dict[Any, Op] = {}  # NumPy's ufunc -> op, for `__array_ufunc__`


class Op:
    """One operation. Built by the constructors of `declare`, never by hand.

    vjp(xp, need, g, y, *args, **params) -> one cotangent per argument, None where need is False
    jvp(xp, ts, y, *args, **params) -> the tangent of y; ts[i] is None where it is zero
    """

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
        self.plain = forward  # as the author wrote it: what `raw` shows
        self.forward = forward if arity is not None else lambda *arrays, **params: forward(arrays, **params)
        self.vjp, self.jvp = vjp, jvp
        places = ", ".join(f"{{{k}}}" for k in range(arity or 1))
        title = name.replace("_", r"\_")
        self.latex = latex or rf"\operatorname{{{{{title}}}}}({places})"
        self.shape, self.note = shape, note
        self.holomorphic, self.samples = holomorphic, samples
        self._read_signature()
        self.__doc__ = doc if doc is not None or isinstance(forward, np.ufunc) else forward.__doc__
        if register:
            if name in registry:
                raise ArgumentError(f"an op named {name!r} is registered already")
            registry[name] = self
            setattr(raw, name, forward)

    def _read_signature(self) -> None:
        self.__name__ = self.__qualname__ = self.name
        self.__module__ = getattr(self.plain, "__module__", None) or "numpy"
        if isinstance(self.plain, np.ufunc):
            given = [inspect.Parameter(f"x{i + 1}", inspect.Parameter.POSITIONAL_ONLY) for i in range(self.plain.nin)]
            signature = inspect.Signature(given)
        else:
            signature = inspect.signature(self.plain)
        self.__signature__ = signature
        names = list(signature.parameters.values())
        arrays = 1 if self.arity is None else self.arity
        self.array_names = [p.name for p in names[:arrays]]
        self.param_names = [p.name for p in names[arrays:]]
        self.defaults = {p.name: p.default for p in names[arrays:] if p.default is not inspect.Parameter.empty}
        complete = len(self.defaults) == len(self.param_names)
        self.simple_arity = self.arity if complete else None  # this many arguments need no binding

    def bind(self, args: tuple[Any, ...], params: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Split a call into arrays and complete static parameters, as Python would bind it."""
        count = len(self.array_names)
        if len(args) > count:
            extra = dict(zip(self.param_names, args[count:], strict=False))
            if len(args) - count > len(extra) or extra.keys() & params.keys():
                raise ArgumentError(f"{self.name}{self.__signature__} was given {len(args)} positional arguments")
            args, params = args[:count], {**extra, **params}
        elif len(args) < count:
            missing = self.array_names[len(args) :]
            if not all(name in params for name in missing):
                raise ArgumentError(f"{self.name}{self.__signature__} needs {', '.join(missing)}")
            args += tuple(params[name] for name in missing)
            params = {k: v for k, v in params.items() if k not in missing}
        full = {**self.defaults, **params}
        if len(full) != len(self.param_names):
            raise ArgumentError(self._unknown(full))
        return args, full

    def _unknown(self, params: dict[str, Any]) -> str:
        unknown = [k for k in params if k not in self.param_names]
        if not unknown:
            return f"{self.name}{self.__signature__} needs {', '.join(n for n in self.param_names if n not in params)}"
        renamed = {"dim": "axis", "keepdim": "keepdims", "dims": "axes", "input": "x"}
        hint = "".join(f" Say {renamed[k]}= for {k}=." for k in unknown if k in renamed)
        return f"{self.name} has no argument {', '.join(map(repr, unknown))}: {self.name}{self.__signature__}.{hint}"

    def __repr__(self) -> str:
        return f"<{self.kind} op {self.name}{self.__signature__}>"
