"""A row of the table for a function of `scipy.special`, which is imported when it is first called."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.declare import Declared, elementwise
from ..core.errors import DTypeError, NoDerivative, describe
from ..core.quiet import ignoring

_Array, _DOUBLE = np.ndarray, np.dtype(np.float64)  # NumPy's module takes long to answer


def forward_of(
    name: str, *arguments: str, holomorphic: bool = False, order: bool = False, wide: bool = False
) -> Callable[..., Any]:
    """The plain function `scipy.special.<name>`.

    Unless `holomorphic`, complex arguments are refused, because the derivatives hold on the real line only.
    With `order`, the arguments before the last are orders of the function: integers there take on the dtype
    of the last, so that float32 stays. With `wide` it computes in doubles, where SciPy's form of fewer bits loses
    some of these or says nan.
    """

    scipys: Any = None
    quick = "d" if wide else "fd"  # of which one array needs no looking after

    def forward(*args: Any) -> Any:
        nonlocal scipys
        if scipys is None:
            from scipy import special

            scipys = getattr(special, name)
        if len(args) == 1 and args[0].__class__ is _Array and args[0].dtype.char in quick:  # nearly always
            return scipys(args[0])
        if not holomorphic:
            refuse_complex(name, *args)
        if order:
            args = (*(like(a, args[-1]) for a in args[:-1]), args[-1])
        if wide and (kind := float_kind(*args)) != np.float64:
            with ignoring():
                return np.asarray(scipys(*doubles(*args))).astype(kind)[()]
        return scipys(*weak(args))

    forward.__name__ = forward.__qualname__ = name
    forward.__module__ = "scipy.special"  # where the source of a compiled program finds it
    kind = inspect.Parameter.POSITIONAL_ONLY
    forward.__signature__ = inspect.Signature([inspect.Parameter(a, kind) for a in arguments])  # type: ignore[attr-defined]
    return forward


def row(
    name: str,
    *partials: Any,
    arguments: str = "x",
    doc: str,
    order: bool = False,
    forward: Callable[..., Any] | None = None,
    title: str | None = None,
    **record: Any,
) -> Declared[...]:
    """An elementwise op of that function, or of `forward` in its place, by its name or `title`: see `core.declare`."""
    holomorphic = record.get("holomorphic", False)
    record.setdefault("latex", rf"\operatorname{{{{{name}}}}}({', '.join(f'{{{k}}}' for k in range(len(partials)))})")
    forward = forward or forward_of(name, *arguments.split(), holomorphic=holomorphic, order=order)
    return elementwise(forward, *partials, name=title or name, doc=doc, **record)


def part(
    name: str,
    place: int,
    title: str,
    *partials: Any,
    arguments: str = "x",
    doc: str,
    order: bool = False,
    forward: Callable[..., Any] | None = None,
    **record: Any,
) -> Declared[...]:
    """An elementwise op of one of the results of a function of `scipy.special` that has several, or of `forward`."""
    if forward is not None:
        return row(name, *partials, forward=forward, title=title, doc=doc, **record)
    whole = forward_of(name, *arguments.split(), order=order)

    def one(*args: Any) -> Any:
        return whole(*args)[place]

    one.__name__ = one.__qualname__ = title
    one.__signature__ = inspect.signature(whole)  # type: ignore[attr-defined]
    return row(name, *partials, forward=one, title=title, doc=doc, **record)


def differentiate(op: Declared[...], *partials: Callable[..., Any]) -> None:
    """Attach both rules of an op that acts on each element and has parameters: `partial(xp, y, *args, **params)`."""

    def vjp(xp: Any, need: Any, g: Any, y: Any, *args: Any, **params: Any) -> Any:
        return [g * partial(xp, y, *args, **params) if n else None for n, partial in zip(need, partials, strict=True)]

    def jvp(xp: Any, ts: Any, y: Any, *args: Any, **params: Any) -> Any:
        total = None
        for t, partial in zip(ts, partials, strict=True):
            if t is not None:
                part = t * partial(xp, y, *args, **params)
                total = part if total is None else total + part
        return total

    op.defvjp(vjp)
    op.defjvp(jvp)


def doubles(*args: Any) -> tuple[Any, ...]:
    """The arguments as arrays of doubles of one shape."""
    arrays = [np.asarray(a, np.float64) for a in args]
    shape = arrays[0].shape
    for a in arrays:
        if len(a.shape) > len(shape):
            shape = a.shape
    if all(a.shape in (shape, ()) for a in arrays):  # nearly always, and quicker than to ask NumPy
        return tuple([a if a.shape == shape else np.full(shape, a) for a in arrays])
    return tuple(np.broadcast_arrays(*arrays))


def no_derivative(name: str, argument: str) -> Callable[..., Any]:
    """The partial of an argument in which the function has no derivative in closed form."""

    def partial(*_: Any, **__: Any) -> Any:
        raise NoDerivative(
            f"{name} has no derivative in its argument {argument} in closed form; "
            f"hold {argument} constant with stop_gradient() if that is meant"
        )

    return partial


def refuse_complex(name: str, *args: Any) -> None:
    """Raise DTypeError for complex arguments."""
    for x in args:
        if x.dtype.kind == "c" if x.__class__ is _Array else np.iscomplexobj(x):
            raise DTypeError(f"{name} takes real numbers, got {describe(x)}; take real(), or abs()")


def weak(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Python numbers in the floating dtype of the arrays beside them; SciPy would take some of them for doubles."""
    arrays = [a.dtype for a in args if hasattr(a, "dtype")]
    if len(arrays) in (0, len(args)) or all(d.kind not in "fc" for d in arrays):
        return args
    dtype = np.result_type(*arrays, *(a for a in args if not hasattr(a, "dtype")))
    return tuple(a if hasattr(a, "dtype") else dtype.type(a) for a in args)


def like(order: Any, x: Any) -> Any:
    """Integer orders in the real dtype of x, where all that occur are exact; Python's floats, too, beside complex x."""
    n, kind = np.asarray(order), getattr(x, "dtype", np.dtype(object)).kind
    if kind not in "fc" or not (n.dtype.kind in "iu" or (kind == "c" and isinstance(order, float))):
        return order
    return n.astype(np.empty(0, x.dtype).real.dtype)


def float_kind(*args: Any) -> np.dtype[Any]:
    """The floating dtype of a result: that of the floating arrays, where integers are orders; else float64."""
    kinds = [a.dtype for a in args if hasattr(a, "dtype") and a.dtype.kind == "f"]
    if not kinds or all(kind is _DOUBLE for kind in kinds):
        return _DOUBLE
    return np.result_type(*kinds, np.float32)
