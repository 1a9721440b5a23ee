"""NumPy's error state, and blocks that end whatever strikes: what is silenced stays so only while it should."""

from __future__ import annotations

import collections
import contextvars
import functools
import io
import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np

P = ParamSpec("P")
R = TypeVar("R")


def _numpy_errors() -> tuple[Callable[[], Any], Callable[[Any], object], Any]:
    """What reads and what sets NumPy's error state, each in one step, and the state where nobody has set it."""
    inside = contextvars.Context().run(_silence, ("all",), contextvars.copy_context)
    if len(inside) == 1:
        ((variable, _),) = inside.items()
        try:
            return variable.get, variable.set, contextvars.Context().run(variable.get)
        except LookupError:  # of a version that keeps it in another way
            pass
    return np.geterr, lambda state: np.seterr(**state), None


def _silence(kinds: tuple[str, ...], look: Callable[[], Any]) -> Any:
    with np.errstate(**dict.fromkeys(kinds, "ignore")):  # type: ignore[arg-type]
        return look()


get_errors, set_errors, _AS_EVER = _numpy_errors()
_ALL, _ASIDE = ("all",), ("aside",)
_SILENCES: dict[tuple[str, ...], Any] = {}  # the state without warnings of these kinds, where nobody has set it before


def silenced(outer: Any, kinds: tuple[str, ...] = _ALL) -> Any:
    """The error state like `outer` without warnings of these kinds; `outer` itself where it is silent already."""
    if outer is _AS_EVER:
        state = _SILENCES.get(kinds)
    else:
        known = _SILENCES.get(_ALL)
        state = known if outer is known or outer is _SILENCES.get(_ASIDE) else None
    if state is None:
        state = contextvars.copy_context().run(_silence, kinds, get_errors)
        if outer is _AS_EVER:
            _SILENCES[kinds] = state
    return state


def in_errors(state: Any, f: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """f of these arguments in this error state of NumPy's. Whatever strikes finds the one before put back."""
    outer = get_errors()
    try:  # quicker than a block
        try:
            set_errors(state)
            return f(*args, **kwargs)
        finally:
            set_errors(outer)
    except BaseException:  # it may have struck before the line above
        set_errors(outer)
        raise


_USUAL: Any = contextvars.Context().run(np.geterr)


def strict() -> bool:
    """Whether an error of NumPy's raises here, or calls a function: more than it does where nobody has set that."""
    if get_errors() is _AS_EVER:
        return False
    return any(mode not in ("ignore", _USUAL[kind]) for kind, mode in np.geterr().items())


def quietly(f: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """f of these arguments without NumPy's warnings."""
    outer = get_errors()
    state = silenced(outer)
    return f(*args, **kwargs) if state is outer else in_errors(state, f, *args, **kwargs)


def quietly_aside(f: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """`quietly` in an error state that tells what f does itself from what it does quietly."""
    outer = get_errors()
    state = _SILENCES.get(_ASIDE) if outer is _AS_EVER else None
    if state is None:
        state = contextvars.copy_context().run(_silence, _ALL, get_errors)
        if outer is _AS_EVER:
            silenced(outer)
            _SILENCES[_ASIDE] = state
    return in_errors(state, f, *args, **kwargs)


def silence() -> None:
    """No more warnings of NumPy's from here on, in this context."""
    set_errors(silenced(get_errors()))


def in_one_step(*steps: Iterator[Any]) -> Callable[[], Any]:
    """A function that goes through these iterators. It is none of Python's, so that no interrupt strikes within."""
    return functools.partial(collections.deque, itertools.chain(*steps), 0)


class Leaving(io.IOBase):
    """What makes `close` the end of a block: this `__exit__` is not Python's code, at whose start Ctrl-C could strike.

    What `close` returns must be false.
    """

    closed = True  # it is no file, and nothing is to be done at its end

    def __init__(self, close: Callable[[], Any]) -> None:
        self.close = close  # type: ignore[method-assign]


class _Silencing:
    """`__enter__` of `ignoring`, prepared as that of a block."""

    def __get__(self, block: ignoring | None, kind: type) -> Callable[..., Any]:
        if block is None:
            return lambda block: self.__get__(block, kind)()
        outer = get_errors()
        block.close = in_one_step(map(set_errors, (outer,)))  # type: ignore[method-assign]
        return functools.partial(set_errors, silenced(outer, block.kinds))


class ignoring(Leaving):
    """A context without NumPy's warnings of these kinds ("over", "invalid", ...), or of all; each time a new one.

    It is `np.errstate` with an end that Ctrl-C does not prevent: that of NumPy is Python's code, and an interrupt at
    its start leaves the state of errors changed for the life of the process.
    """

    def __init__(self, *kinds: str) -> None:
        self.kinds = kinds or _ALL

    if TYPE_CHECKING:

        def __enter__(self) -> Any: ...

    else:
        __enter__ = _Silencing()


def without_warnings(*kinds: str) -> Any:
    """`ignoring` by NumPy alone, for source that stands alone."""
    return np.errstate(**dict.fromkeys(kinds or _ALL, "ignore"))  # type: ignore[arg-type]


def quietly_by_numpy(f: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """`quietly` by NumPy alone, for source that stands alone."""
    with without_warnings():
        return f(*args, **kwargs)
