"""The outermost call of a lifted function: its values are held against the library's own, of plain arrays."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from contextvars import ContextVar
from types import FunctionType, MethodType
from typing import Any

import numpy as np

from ..core.errors import MathError, NoDerivative, describe
from ..core.tensor import Tensor
from .leaves import Leaf

WITHIN: ContextVar[bool] = ContextVar("within a lifted call", default=False)
_DEEP = 6
_MOVED = -1  # beside the ids of what has been seen


def concerned(thing: Any, depth: int = 0) -> bool:
    """Whether a Tensor may be among arguments: in them, in an object made of them, or in a function's scope."""
    if isinstance(thing, (Tensor, FunctionType, MethodType, functools.partial)):
        return True
    if type(thing) in (list, tuple, dict) and depth < _DEEP:
        return any(concerned(v, depth + 1) for v in (thing.values() if type(thing) is dict else thing))
    return is_lifted(thing)


def is_lifted(thing: Any) -> bool:
    return "lifted_from" in vars(type(thing)) if hasattr(type(thing), "__dict__") else False


def plain(thing: Any, seen: dict[int, Any] | None = None) -> Any:
    """The same with arrays in place of Tensors and the library's own functions and classes in place of lifted ones."""
    seen = {} if seen is None else seen
    if id(thing) in seen:
        return seen[id(thing)]
    if isinstance(thing, Tensor):
        thing._refuse_trace("a lifted function", "Its code reads values: call it outside, or write it with ours.")
        return np.array(thing.detach().numpy())
    if isinstance(thing, np.ndarray) and thing.dtype != object:
        return thing.copy()
    if type(thing) in (list, tuple, set):
        return type(thing)(plain(v, seen) for v in thing)
    if type(thing) is dict:
        return {k: plain(v, seen) for k, v in thing.items()}
    if isinstance(thing, (np.random.Generator, np.random.RandomState)):
        return copy.deepcopy(thing)
    own = getattr(thing, "lifted_from", None) if isinstance(thing, (FunctionType, type, Leaf)) else None
    if own is not None:
        return own
    if isinstance(thing, MethodType) and is_lifted(thing.__self__):
        return MethodType(plain(thing.__func__, seen), plain(thing.__self__, seen))
    if isinstance(thing, (FunctionType, MethodType, functools.partial)):
        return _values_of(thing, seen)
    if is_lifted(thing):
        own = type(thing).lifted_from
        seen[id(thing)] = new = object.__new__(own)
        for name, value in state(thing).items():
            object.__setattr__(new, name, plain(value, seen))
        return new
    return thing


def state(thing: Any) -> dict[str, Any]:
    """What an object holds: in its dict, and in the slots of its classes."""
    held = dict(getattr(thing, "__dict__", {}))
    for kind in type(thing).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(thing, name) and not name.startswith("__"):
                held[name] = getattr(thing, name)
    return held


def _values_of(f: Any, seen: dict[int, Any]) -> Callable[..., Any]:
    """A user's function, whose results may be differentiated, for a library that wants arrays; it notes if they are."""

    @functools.wraps(f)
    def call(*args: Any, **more: Any) -> Any:
        found = f(*args, **more)
        if _moving(found):
            seen[_MOVED] = True
        return plain(found)

    return call


def outermost(name: str, own: Callable[..., Any], lifted: Callable[..., Any], args: Any, more: Any) -> Any:
    """What a lifted function gives to who is no library, once its values are the library's own.

    Where its code cannot be followed, constants get what the library makes of them, and what is live NoDerivative.
    """
    token = WITHIN.set(True)  # what asks objects for their attributes here is no call of a user's
    try:
        if not concerned(args) and not concerned(more):
            return own(*args, **more)
        return _checked(name, own, lifted, args, more)
    finally:
        WITHIN.reset(token)


def _checked(name: str, own: Callable[..., Any], lifted: Callable[..., Any], args: Any, more: Any) -> Any:
    random = np.random.get_state()
    seen: dict[int, Any] = {}
    plain_args, plain_more = plain(args, seen), plain(more, seen)
    want = own(*plain_args, **plain_more)
    np.random.set_state(random)
    made = name.endswith(".__init__")
    failed: Exception | None = None
    try:
        got = lifted(*args, **more)
    except Exception as error:
        failed = error
    moving = _MOVED in seen or _moving(args) or _moving(more)
    if failed is None:
        if made:
            got, want = args[0], plain_args[0]
        different = _different(got, want, 0)
        if different is None:
            return None if made else got
        said = f"gave {different[0]} where the library itself gives {different[1]}"
    elif isinstance(failed, MathError) and moving:
        raise failed
    else:
        said = f"ends with {type(failed).__name__}: {failed}"
    if moving:
        raise NoDerivative(
            f"{name} over Tensors {said}: what its code does is not followed to a derivative. Write it in this "
            "package's functions, or as a @tm.primitive with rules"
        ) from failed
    if args and is_lifted(args[0]):  # what the method has changed in its object
        for key, value in state(plain_args[0]).items():
            object.__setattr__(args[0], key, value)
        if made or want is plain_args[0]:
            return None if made else args[0]
    return want


def _moving(thing: Any, depth: int = 0) -> bool:
    """Whether what is differentiated or traced is among arguments, or in objects that were made of them."""
    if isinstance(thing, Tensor):
        return bool(thing.node.live)
    if depth >= _DEEP:
        return False
    if type(thing) in (list, tuple, dict):
        return any(_moving(v, depth + 1) for v in (thing.values() if type(thing) is dict else thing))
    return is_lifted(thing) and any(_moving(v, depth + 1) for v in state(thing).values())


def _different(got: Any, want: Any, depth: int) -> tuple[str, str] | None:
    """The first values that differ by more than rounding."""
    if isinstance(got, (Tensor, np.ndarray, np.generic, int, float, complex)) or depth > _DEEP:
        if not isinstance(want, (np.ndarray, np.generic, int, float, complex)) or depth > _DEEP:
            return None if depth > _DEEP else (describe(got), describe(want))
        a, b = np.asarray(got.detach() if isinstance(got, Tensor) else got), np.asarray(want)
        if a.dtype.kind not in "biufc" or b.dtype.kind not in "biufc":  # records, texts, objects
            return None
        a, b = a * 1, b * 1  # booleans as numbers
        if a.shape == b.shape and _close(a, b):
            return None
        if a.shape != b.shape or not a.shape:
            return (str(a), str(b)) if a.shape == b.shape else (describe(a), describe(b))
        gap = np.where(np.isnan(a) & np.isnan(b), 0, np.nan_to_num(np.abs(a - b), nan=np.inf))
        at = tuple(int(k) for k in np.unravel_index(int(np.argmax(gap)), a.shape))
        return f"{a[at]} at {at}", str(b[at])
    if isinstance(got, (list, tuple)) and isinstance(want, (list, tuple)) and len(got) == len(want):
        return next((d for p, q in zip(got, want, strict=True) if (d := _different(p, q, depth + 1))), None)
    if isinstance(got, dict) and isinstance(want, dict):
        return next((d for k in got if k in want and (d := _different(got[k], want[k], depth + 1))), None)
    return _different(state(got), state(want), depth + 1) if is_lifted(got) else None


def _close(a: Any, b: Any) -> bool:
    single = any(v.dtype.kind in "fc" and np.finfo(v.dtype).eps > 1e-10 for v in (a, b))
    near = 1e-3 if single else 1e-6
    finite = np.abs(b[np.isfinite(b)]) if b.dtype.kind in "fc" else np.abs(b.astype(float))
    return bool(np.allclose(a, b, rtol=near, atol=near * 1e-3 * finite.max(initial=0.0), equal_nan=True))
