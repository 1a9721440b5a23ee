"""The mode in which nodes are made: `no_grad`, and who watches. It ends with its block, whatever strikes."""

from __future__ import annotations

import contextvars
import functools
import inspect
import io
import types
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np

from .errors import ArgumentError, describe

P = ParamSpec("P")
R = TypeVar("R")


class Mode:
    """What recording does: whether derivatives are wanted, and `observe(node)`, who watches.

    The mode of a `with` block lies over the `outer` one for as long as its `entry` stands in the block's list.
    """

    __slots__ = ("differentiable", "entries", "entry", "level", "observe", "outer")

    def __init__(
        self,
        differentiable: bool,
        observe: Callable[[Any], None] | None,
        outer: Mode | None = None,
        entries: list[Any] | None = None,
    ) -> None:
        self.differentiable, self.observe, self.outer = differentiable, observe, outer
        self.entries = entries
        if entries is not None:
            self.entry: list[Any] = []
            self.level = len(entries)

    def over(self) -> bool:
        """Whether the block of this mode has been left."""
        entries = self.entries
        return entries is not None and (len(entries) <= self.level or entries[self.level] is not self.entry)


class Modes:
    """The mode that holds in this context: a context variable in which modes that are over are passed by."""

    def __init__(self) -> None:
        innermost: ContextVar[Mode | None] = ContextVar("recording mode", default=None)
        self.innermost, self.set = innermost.get, innermost.set  # None where nothing special holds; else ask get()

    def get(self) -> Mode | None:
        mode = found = self.innermost()
        while mode is not None and mode.over():
            mode = mode.outer
        if mode is not found:
            self.set(mode)
        return mode


MODE = Modes()


def watcher() -> Any:
    """Who watches a function that is being traced, or None: what is made there is recorded, whatever it is made of."""
    mode = MODE.innermost()
    return None if mode is None or (mode := MODE.get()) is None else mode.observe


def under(mode: Mode, f: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """f of these arguments in this mode. Whatever strikes, at whatever point, finds the mode put back."""
    outer = MODE.innermost()
    try:
        try:
            MODE.set(mode)
            return f(*args, **kwargs)
        finally:
            MODE.set(outer)
    except BaseException:  # it may have struck before the line above
        MODE.set(outer)
        raise


def quietly(f: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """f of these arguments without NumPy's warnings. Whatever strikes finds NumPy's error state put back."""
    around = contextvars.copy_context()  # where NumPy keeps it
    try:
        with np.errstate(all="ignore"):
            return f(*args, **kwargs)
    except BaseException:  # it may have struck at the end of the block, which is Python's code
        np.seterr(**around.run(np.geterr))
        raise


class _Leaving(io.IOBase):
    """What makes `pop` the end of a block: this `__exit__` is not Python's code, at whose start Ctrl-C could strike."""

    closed = True  # it is no file, and nothing is to be done at its end

    def __init__(self, pop: Callable[[], Any]) -> None:
        self.close = pop  # type: ignore[method-assign]  # called by __exit__; what it returns is false


class _Entering:
    """`__enter__` of a block: prepared in Python, so that calling it is one step without Python's code."""

    def __get__(self, block: no_grad | None, kind: type) -> Callable[..., None]:
        if block is None:  # as contextlib.ExitStack asks
            return lambda block: self.__get__(block, kind)()
        entries, outer = block._entries, MODE.innermost()
        if outer is not None:
            outer = MODE.get()
        if entries and not _lies_around(outer, entries):
            raise ArgumentError(
                "this no_grad() is entered elsewhere, in another thread or task; write `with tm.no_grad():` anew"
            )
        mode = Mode(False, None if outer is None else outer.observe, outer, entries)
        MODE.set(mode)  # it holds once its entry is there
        return functools.partial(entries.append, mode.entry)


class _Exiting:
    """`__exit__` of a block."""

    def __get__(self, block: no_grad | None, kind: type) -> Callable[..., None]:
        return (lambda block, *error: block._leaving.__exit__()) if block is None else block._leaving.__exit__


class no_grad:
    """A context, or a decorator, in which nothing is recorded for derivatives.

    It decorates functions, generators, coroutines and asynchronous generators; of those that pause, each step runs
    under no_grad, and never the code between the steps. It belongs to its thread and to its asyncio task, and ends
    with its block, also where Ctrl-C strikes. Raises ArgumentError for what is no function.

    >>> import tinygrad_math as tm
    >>> x = tm.tensor(2.0, requires_grad=True)
    >>> with tm.no_grad():
    ...     y = x * x
    >>> y.requires_grad
    False
    """

    def __new__(cls, f: Callable[..., Any] | None = None) -> Any:
        return object.__new__(cls) if f is None else _without_recording(f)

    def __init__(self) -> None:
        self._entries: list[Any] = []  # one for each `with` that this block is in
        self._leaving = _Leaving(self._entries.pop)

    if TYPE_CHECKING:

        def __enter__(self) -> None: ...
        def __exit__(self, *error: object) -> None: ...

    else:
        __enter__, __exit__ = _Entering(), _Exiting()

    def __call__(self, f: Callable[P, R]) -> Callable[P, R]:
        return _without_recording(f)  # type: ignore[no-any-return]


def _not_differentiable() -> Mode:
    outer = MODE.get()
    return Mode(False, None if outer is None else outer.observe, outer)


def _lies_around(mode: Mode | None, entries: list[Any]) -> bool:
    """Whether the block with these entries was entered last by one of the modes around here."""
    while mode is not None and mode.entries is not entries:
        mode = mode.outer
    return mode is not None and not mode.over() and mode.level == len(entries) - 1


def _without_recording(f: Any) -> Any:
    """f under no_grad."""
    if isinstance(f, (staticmethod, classmethod)):
        return type(f)(_without_recording(f.__func__))
    if not callable(f) or isinstance(f, type):
        raise ArgumentError(f"no_grad decorates a function, got {describe(f)}; of a class, decorate the methods")

    @functools.wraps(f)
    def function(*args: Any, **kwargs: Any) -> Any:
        return under(_not_differentiable(), f, *args, **kwargs)

    @functools.wraps(f)
    def generator(*args: Any, **kwargs: Any) -> Any:
        return (yield from _stepwise(f(*args, **kwargs)))

    @functools.wraps(f)
    async def coroutine(*args: Any, **kwargs: Any) -> Any:
        return await _stepwise(f(*args, **kwargs))

    @functools.wraps(f)
    async def asynchronous_generator(*args: Any, **kwargs: Any) -> Any:
        steps = f(*args, **kwargs)
        advance, given = steps.asend, None
        while True:
            try:
                value = await _stepwise(advance(given))
            except StopAsyncIteration:
                return
            try:
                given, advance = (yield value), steps.asend
            except GeneratorExit:
                await _stepwise(steps.aclose())
                raise
            except BaseException as error:
                given, advance = error, steps.athrow

    body = f if inspect.isroutine(f) or isinstance(f, functools.partial) else type(f).__call__
    kinds = (
        (inspect.isgeneratorfunction, generator),
        (inspect.iscoroutinefunction, coroutine),
        (inspect.isasyncgenfunction, asynchronous_generator),
    )
    return next((wrapped for holds, wrapped in kinds if holds(body)), function)


@types.coroutine
def _stepwise(steps: Any) -> Any:
    """A generator or a coroutine with each step under no_grad (PEP 380 says what passes in and out)."""
    advance, given = steps.send, None
    while True:
        try:
            value = under(_not_differentiable(), advance, given)
        except StopIteration as end:
            return end.value
        try:
            given, advance = (yield value), steps.send
        except GeneratorExit:
            under(_not_differentiable(), steps.close)
            raise
        except BaseException as error:
            given, advance = error, steps.throw
