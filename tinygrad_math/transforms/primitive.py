"""A user's own op, on plain arrays."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, ShapeError
from ..core.op import Op
from ..core.tensor import record

__all__ = ["primitive"]


def _between(small: tuple[int, ...], middle: tuple[int, ...], large: tuple[int, ...]) -> bool:
    """Whether `middle` is small, or is what small becomes where it broadcasts against others to large."""
    return middle == small or (_broadcasts(small, middle) and _broadcasts(middle, large))


def _broadcasts(small: tuple[int, ...], large: tuple[int, ...]) -> bool:
    pairs = zip(small[::-1], large[::-1], strict=False)
    return len(small) <= len(large) and all(n in (1, m) for n, m in pairs)


class Primitive(Op):
    """A function of arrays with rules of its own. Rules written with NumPy's or this package's functions can be
    differentiated again."""

    def __call__(self, *args: Any, **params: Any) -> Any:
        try:
            bound = self.__signature__.bind(*args, **params)
        except TypeError as error:
            raise ArgumentError(f"{self.name}{self.__signature__}: {error}") from error
        bound.apply_defaults()
        arrays = [bound.arguments[n] for n in self.array_names]
        return record(self, tuple(arrays), {n: bound.arguments[n] for n in self.param_names})

    def defvjp(self, *rules: Callable[..., Any] | None) -> Primitive:
        """One rule per array argument, `rule(g, y, *args, **params)`; None for an argument without a derivative."""
        if len(rules) != self.arity:
            raise ArgumentError(f"{self.name} has {self.arity} array arguments, got {len(rules)} vjp rules")

        def vjp(xp: Any, need: Any, g: Any, y: Any, *args: Any, **params: Any) -> Any:
            for wanted, rule, name in zip(need, rules, self.array_names, strict=True):
                if wanted and rule is None:
                    raise ArgumentError(f"{self.name} has no vjp rule for its argument {name}")
            parts = [r(g, y, *args, **params) if n and r else None for n, r in zip(need, rules, strict=True)]
            for part, x, name in zip(parts, args, self.array_names, strict=True):
                if part is not None and not _between(np.shape(x), np.shape(part), np.shape(y)):
                    raise ShapeError(
                        f"the vjp rule of {self.name} for its argument {name} of shape {np.shape(x)} gave a cotangent "
                        f"of shape {np.shape(part)}; it has to have that of {name}, or that of the result, "
                        f"{np.shape(y)}, where the two broadcast"
                    )
            return parts

        self.vjp = vjp
        return self

    def defjvp(self, *rules: Callable[..., Any] | None) -> Primitive:
        """One rule per array argument, `rule(t, y, *args, **params)`: its share of the tangent."""
        if len(rules) != self.arity:
            raise ArgumentError(f"{self.name} has {self.arity} array arguments, got {len(rules)} jvp rules")

        def jvp(xp: Any, ts: Any, y: Any, *args: Any, **params: Any) -> Any:
            total = None
            for t, rule, name in zip(ts, rules, self.array_names, strict=True):
                if t is None:
                    continue
                if rule is None:
                    raise ArgumentError(f"{self.name} has no jvp rule for its argument {name}")
                part = rule(t, y, *args, **params)
                if np.shape(part) not in (np.shape(y), np.shape(t)) or not _between((), np.shape(part), np.shape(y)):
                    raise ShapeError(
                        f"the jvp rule of {self.name} for its argument {name} gave a tangent of shape "
                        f"{np.shape(part)}; it has to have that of the result, {np.shape(y)}"
                    )
                total = part if total is None else total + part
            return total

        self.jvp = jvp
        return self


def primitive(f: Callable[..., Any]) -> Primitive:
    """Make an op of a function of plain arrays; give it rules with `defvjp` and `defjvp`.

    Positional parameters without a default are arrays; those with one, or behind `*`, are static.

    >>> import numpy as np
    >>> import tinygrad_math as tm
    >>> @tm.primitive
    ... def softabs(x):
    ...     return np.sqrt(x * x + 1e-3)
    >>> _ = softabs.defvjp(lambda g, y, x: g * x / y)
    >>> float(tm.grad(softabs)(3.0)) < 1.0
    True
    """
    P = inspect.Parameter
    positional = (P.POSITIONAL_ONLY, P.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(f).parameters.values()
    arrays = [p for p in parameters if p.kind in positional and p.default is P.empty]
    if not arrays:
        raise ArgumentError(f"a primitive needs at least one array argument: {f.__name__}{inspect.signature(f)}")
    return Primitive(f.__name__, f, kind="general", arity=len(arrays), register=False)
