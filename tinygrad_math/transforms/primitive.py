"""A user's own op, on plain arrays."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.conversion import node_of
from ..core.errors import ArgumentError, DTypeError, ShapeError, describe
from ..core.op import Op, frozen, raw
from ..core.tensor import Tensor, as_tensor, rec, record
from ..core.walk import twin

__all__ = ["primitive"]


def _between(small: tuple[int, ...], middle: tuple[int, ...], large: tuple[int, ...]) -> bool:
    """Whether `middle` is small, or is what small becomes where it broadcasts against others to large."""
    return middle == small or (_broadcasts(small, middle) and _broadcasts(middle, large))


def _broadcasts(small: tuple[int, ...], large: tuple[int, ...]) -> bool:
    pairs = zip(small[::-1], large[::-1], strict=False)
    return len(small) <= len(large) and all(n in (1, m) for n, m in pairs)


class Forward:
    """A user's function as the forward rule of an op: what it is given it cannot write to, what it returns is copied,
    so that it may keep a buffer."""

    def __init__(self, f: Callable[..., Any]) -> None:
        self.plain, self.name = f, f.__name__

    def __call__(self, /, *arrays: Any, **params: Any) -> Any:
        y = _call(self.plain, f"the primitive {self.name}", *map(_guarded, arrays), **params)
        if isinstance(y, Tensor):  # of what f reads beside its arguments: NeedsDetach if that is being differentiated
            y = y.numpy()
        y = _array(y, f"the primitive {self.name}")
        return np.array(y)[()]


class Primitive(Op):
    """A function of arrays with rules of its own. Rules written with NumPy's or this package's functions can be
    differentiated again. Rules and function read what they are given: writing into it raises ArgumentError."""

    __reached__ = ("vjp", "jvp")  # what a rule closes over is read when a derivative is compiled

    def __call__(self, /, *args: Any, **params: Any) -> Any:
        try:
            bound = self.__signature__.bind(*args, **params)
        except TypeError as error:
            raise ArgumentError(f"{self.name}{self.__signature__}: {error}") from error
        bound.apply_defaults()
        arrays = [bound.arguments[n] for n in self.array_names]
        return record(self, tuple(arrays), {n: frozen(bound.arguments[n]) for n in self.param_names})

    def defvjp(self, *rules: Callable[..., Any] | None) -> Primitive:
        """One rule per array argument, `rule(g, y, *args, **params)`; None for an argument without a derivative.

        A rule returns an array of its argument's shape, or of the result's where the argument was broadcast to it.
        """
        if len(rules) != self.arity:
            raise ArgumentError(f"{self.name} has {self.arity} array arguments, got {len(rules)} vjp rules")

        def vjp(xp: Any, need: Any, g: Any, y: Any, /, *args: Any, **params: Any) -> Any:
            for wanted, rule, name in zip(need, rules, self.array_names, strict=True):
                if wanted and rule is None:
                    raise ArgumentError(f"{self.name} has no vjp rule for its argument {name}")
            given = [_guarded(a) for a in (y, *args)]
            out: list[Any] = [None] * len(args)
            for k, (wanted, rule, name) in enumerate(zip(need, rules, self.array_names, strict=True)):
                if wanted and rule is not None:
                    title = f"the vjp rule of {self.name} for {name}"
                    part = _array(_call(rule, title, _guarded(g), *given, **params), title, xp)
                    out[k] = _fitting(part, title, args[k], y, args[k])
            return out

        self.vjp = vjp
        return self

    def defjvp(self, *rules: Callable[..., Any] | None) -> Primitive:
        """One rule per array argument, `rule(t, y, *args, **params)`: its share of the tangent."""
        if len(rules) != self.arity:
            raise ArgumentError(f"{self.name} has {self.arity} array arguments, got {len(rules)} jvp rules")

        def jvp(xp: Any, ts: Any, y: Any, /, *args: Any, **params: Any) -> Any:
            total = None
            given = [_guarded(a) for a in (y, *args)]
            for k, (t, rule, name) in enumerate(zip(ts, rules, self.array_names, strict=True)):
                if t is None:
                    continue
                if rule is None:
                    raise ArgumentError(f"{self.name} has no jvp rule for its argument {name}")
                title = f"the jvp rule of {self.name} for {name}"
                part = _array(_call(rule, title, _guarded(t), *given, **params), title, xp)
                part = _fitting(part, title, y, y, args[k])
                total = part if total is None else total + part
            return total

        self.jvp = jvp
        return self


def _guarded(value: Any) -> Any:
    """A value that others hold too, to be read only: a view of an array, a handle of its own on a Tensor's node."""
    if isinstance(value, np.ndarray):
        value = value.view()
        value.flags.writeable = False
        return value
    return twin(value) if isinstance(value, Tensor) else value


def _call(f: Callable[..., Any], title: str, /, *args: Any, **params: Any) -> Any:
    try:
        return f(*args, **params)
    except ValueError as error:
        if "read-only" in str(error):
            raise ArgumentError(
                f"{title} writes into an array that it was given, which others still need; work on a copy: {error}"
            ) from error
        raise


def _array(value: Any, title: str, xp: Any = raw) -> Any:
    """What a user's function returned, as an array (a Tensor where the walk is recorded) that nobody else holds."""
    if isinstance(value, Tensor):
        return value if xp is rec else value.node.data
    if value is None or isinstance(value, (tuple, list, dict)):
        raise DTypeError(f"{title} returns {describe(value)}, not one array of numbers; return an array")
    try:
        array = np.array(node_of(value).data)[()]
    except DTypeError as error:  # text, say, or what has more to it than values: a mask, units
        raise type(error)(f"{title} returns {describe(value)}: {error}") from None
    if array.dtype.hasobject:  # a Python integer of too many bits
        raise DTypeError(f"{title} returns {describe(value)}, not one array of numbers; return an array")
    return as_tensor(array) if xp is rec else array


def _fitting(part: Any, title: str, like: Any, y: Any, x: Any) -> Any:
    """A share of a derivative, if it has the shape of what it belongs to, or one that x has on its way to y's."""
    shape, wanted, full, own = part.shape, np.shape(like), np.shape(y), np.shape(x)
    tangent = shape in (full, own) and _broadcasts(shape, full)
    if not (tangent if like is y else _between(own, shape, full)):
        where = f", or that of the argument where it broadcasts, {own} to {full}" if own != full else ""
        raise ShapeError(f"{title} returns {describe(part)}; it has to have the shape {wanted}{where}")
    if part.dtype.kind == "c" and not any(v.dtype.kind == "c" for v in (x, y) if hasattr(v, "dtype")):
        raise DTypeError(f"{title} returns {describe(part)} for the real {describe(like)}; take its real part")
    return part


@named
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
    op = Primitive(f.__name__, f, kind="general", arity=len(arrays), register=False)
    op.forward = Forward(f)
    return op
