"""The mode in which nodes are made: `no_grad`, who watches, who is told. It ends with its block, whatever strikes."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from .errors import ArgumentError, describe
from .quiet import Leaving, get_errors, in_one_step, quietly, set_errors, silenced

P = ParamSpec("P")
R = TypeVar("R")


class Witness:
    """Who is told of what is computed, and changes nothing: neither what is recorded, nor what comes out."""

    walks = False  # whether it is told of the derivatives too, for which all cotangents of a walk are kept
    programs = False  # whether it looks at the instructions of compiled functions, before they run
    apart = False  # whether it has to see each op: what is compiled, or hidden by a checkpoint, runs as it is written

    def made(self, node: Any, op: Any, inputs: tuple[Any, ...], params: Any) -> None:
        """`op` of these nodes was computed; a node that nobody differentiates does not remember what it is made of."""

    def pulled(self, trail: Any, seeds: Any, xp: Any, found: dict[Any, Any], error: Exception | None) -> None:
        """A walk came to these cotangents, or no further because of an error, which is raised afterwards."""

    def pushed(self, trail: Any, seeds: Any, xp: Any, found: dict[Any, Any], error: Exception | None) -> None:
        """The same of a walk forward, and its tangents."""

    def inside(self) -> Witness:
        """Who is told of what a walk computes on its way."""
        return self

    def called(self, executable: Any, arrays: Any) -> None:
        """A compiled function is about to run its program on these arrays."""

    def replayed(self, nodes: Any) -> None:
        """These are results of a function that was recorded, derivatives of its own included, and run again."""

    def untraced(self, error: Exception) -> None:
        """A function could not be traced because of this error, which is raised afterwards."""

    def stepped(self, optimizer: Any, p: Any, g: Any, new: Any) -> None:
        """An optimiser is about to give a parameter with this gradient these new values."""


class Mode:
    """What recording does: whether derivatives are wanted, `observe(node)`, who watches, and the `witnesses`.

    The mode of a `with` block lies over the `outer` one for as long as its `entry` stands in the block's list.
    """

    __slots__ = ("differentiable", "entries", "entry", "level", "observe", "outer", "witnesses")

    def __init__(
        self,
        differentiable: bool,
        observe: Callable[[Any], None] | None,
        outer: Mode | None = None,
        entries: list[Any] | None = None,
        witnesses: tuple[Witness, ...] = (),
    ) -> None:
        self.differentiable, self.observe, self.outer, self.witnesses = differentiable, observe, outer, witnesses
        self.entries = entries
        if entries is not None:
            self.entry: list[Any] = []
            self.level = len(entries)

    def over(self) -> bool:
        """Whether the block of this mode has been left."""
        entries = self.entries
        return entries is not None and (len(entries) <= self.level or entries[self.level] is not self.entry)


class Reading(Mode):
    """A rule runs on traced values only for its formula to be read: these are nobody's that leaked."""

    __slots__ = ()


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


def witnesses() -> tuple[Witness, ...]:
    """Who is told of what is computed here."""
    mode = MODE.innermost()
    return () if mode is None or (mode := MODE.get()) is None else mode.witnesses


def inspected() -> bool:
    """Whether somebody looks at the instructions of compiled functions, or at each op in their place."""
    return any(w.programs or w.apart for w in witnesses())


def apart() -> bool:
    """Whether somebody has to see each op by itself."""
    return any(w.apart for w in witnesses())


def tell(node: Any, op: Any, inputs: tuple[Any, ...], params: Any) -> None:
    """Tell the witnesses of what was computed."""
    for witness in witnesses():
        witness.made(node, op, inputs, params)


def under(mode: Mode, f: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
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


class _Entering:
    """`__enter__` of a block: prepared in Python, so that calling it is one step without Python's code."""

    def __get__(self, block: Block | None, kind: type) -> Callable[..., None]:
        if block is None:  # as contextlib.ExitStack asks
            return lambda block: self.__get__(block, kind)()
        block._known = True
        entries, outer = block._entries, MODE.innermost()
        if outer is not None:
            outer = MODE.get()
        if entries and not _lies_around(outer, entries):
            name = type(block).__name__
            raise ArgumentError(
                f"this {name}() is entered elsewhere, in another thread or task; write `with {name}():` anew"
            )
        mode = block._mode(outer, entries)
        MODE.set(mode)  # it holds once its entry is there
        if not block.quiet:
            return functools.partial(entries.append, mode.entry)
        errors = get_errors()
        return in_one_step(
            map(block._errors.append, (errors,)),
            map(set_errors, (silenced(errors),)),
            map(entries.append, (mode.entry,)),
        )


class _Exiting:
    """`__exit__` of a block."""

    def __get__(self, block: Block | None, kind: type) -> Callable[..., None]:
        if block is None:
            return lambda block, *error: self.__get__(block, kind)()
        if not block._known:
            return functools.partial(_not_entered, kind.__name__)
        if not block.quiet:
            return block._leaving.__exit__
        end = map(set_errors, map(list.pop, (block._errors,)))
        return Leaving(in_one_step(map(list.pop, (block._entries,)), end)).__exit__


def _not_entered(name: str, *error: object) -> None:
    raise ArgumentError(f"this {name}() is left, and was never entered; write `with {name}():`")


class Block:
    """A context, or a decorator, in which another mode holds.

    It belongs to its thread and to its asyncio task, and ends with its block, also where Ctrl-C strikes.
    """

    quiet = False  # whether NumPy's warnings are off as well
    _known = False  # whether it was ever to be entered

    def __init__(self) -> None:
        self._entries: list[Any] = []  # one for each `with` that this block is in
        self._leaving = Leaving(self._entries.pop)
        self._errors: list[Any] = []  # NumPy's error state before each of them, of a quiet block

    def _mode(self, outer: Mode | None, entries: list[Any] | None) -> Mode:
        """The mode that is to hold, over the outer one."""
        raise NotImplementedError

    if TYPE_CHECKING:

        def __enter__(self) -> Any: ...
        def __exit__(self, *error: object) -> None: ...

    else:
        __enter__, __exit__ = _Entering(), _Exiting()

    def __call__(self, f: Callable[P, R]) -> Callable[P, R]:
        return _decorated(self, f)  # type: ignore[no-any-return]


class no_grad(Block):
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
        block = object.__new__(cls)
        return block if f is None else _decorated(block, f)

    def _mode(self, outer: Mode | None, entries: list[Any] | None) -> Mode:
        if outer is None:
            return Mode(False, None, None, entries)
        return Mode(False, outer.observe, outer, entries, outer.witnesses)


def _lies_around(mode: Mode | None, entries: list[Any]) -> bool:
    """Whether the block with these entries was entered last by one of the modes around here."""
    while mode is not None and mode.entries is not entries:
        mode = mode.outer
    return mode is not None and not mode.over() and mode.level == len(entries) - 1


def _decorated(block: Block, f: Any) -> Any:
    """f, in whose calls the mode of this block holds."""
    if isinstance(f, (staticmethod, classmethod)):
        return type(f)(_decorated(block, f.__func__))
    if not callable(f) or isinstance(f, type):
        raise ArgumentError(
            f"{type(block).__name__} decorates a function, got {describe(f)}; of a class, decorate the methods"
        )

    def run(g: Any, /, *args: Any, **kwargs: Any) -> Any:
        mode = block._mode(MODE.get(), None)
        return quietly(under, mode, g, *args, **kwargs) if block.quiet else under(mode, g, *args, **kwargs)

    @functools.wraps(f)
    def function(*args: Any, **kwargs: Any) -> Any:
        return run(f, *args, **kwargs)

    @functools.wraps(f)
    def generator(*args: Any, **kwargs: Any) -> Any:
        return (yield from _stepwise(run, f(*args, **kwargs)))

    @functools.wraps(f)
    async def coroutine(*args: Any, **kwargs: Any) -> Any:
        return await _stepwise(run, f(*args, **kwargs))

    @functools.wraps(f)
    async def asynchronous_generator(*args: Any, **kwargs: Any) -> Any:
        steps = f(*args, **kwargs)
        advance, given = steps.asend, None
        while True:
            try:
                value = await _stepwise(run, advance(given))
            except StopAsyncIteration:
                return
            try:
                given, advance = (yield value), steps.asend
            except GeneratorExit:
                await _stepwise(run, steps.aclose())
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
def _stepwise(run: Callable[..., Any], steps: Any) -> Any:
    """A generator or a coroutine with each step run in a mode (PEP 380 says what passes in and out)."""
    advance, given = steps.send, None
    while True:
        try:
            value = run(advance, given)
        except StopIteration as end:
            return end.value
        try:
            given, advance = (yield value), steps.send
        except GeneratorExit:
            run(steps.close)
            raise
        except BaseException as error:
            given, advance = error, steps.throw
