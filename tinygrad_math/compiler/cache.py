"""`compile`: find the program for these arguments, or make it, and run it."""

from __future__ import annotations

import functools
import inspect
import operator
import os
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from types import FunctionType, MethodType
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.conversion import node_of
from ..core.errors import ArgumentError, IllPosedDerivative, MathError, TraceError
from ..core.kinds import Kind, rule
from ..core.mode import MODE, apart, inspected, witnesses
from ..core.notebook import bundle, preformatted
from ..core.quiet import strict
from ..core.tensor import TRACED, Tensor
from ..core.tree import Structure, flatten, unflatten
from .environment import Environment
from .executable import Executable, argument_names, title_of
from .facts import MISS
from .find import Find, derivatives_wanted, finder, watched
from .handed import Handed
from .leaves import (
    Static,
    attributes_in,
    is_static,
    key_of,
    key_of_static,
    known_in,
    objects_in,
    uncompiled,
    with_attributes,
)
from .profile import Profile
from .program import NUMBERS, Program
from .retyped import Retyped
from .steady import refused, steady
from .switch import SWITCH
from .trace import Traced, trace

_innermost = MODE.innermost
RECENT = 4  # how many programs are tried by their finders before the general way
BACKENDS = ("numpy", "native", "auto")
KEPT = 256  # how many programs a function keeps: beyond that, the one goes that was found least recently
CHANGES = 8  # how many programs a function has for the same arguments, for changes of what surrounds it
Entry = tuple[Any, Executable, Find, Sequence[Tensor]]  # where it is kept, and the Tensors from around the function


class _Origin:
    """What compiled modules have in common that share their programs."""

    __slots__ = ("compiled",)
    __reached__ = ()

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled


class Compiled:
    """A function that is traced once for each shape of its arguments and then runs as straight-line NumPy."""

    __reached__ = ("f",)  # what the function of another one that calls it depends on

    def __init__(
        self,
        f: Callable[..., Any],
        static_argnums: int | str | Iterable[int | str] = (),
        donate_argnums: int | str | Iterable[int | str] = (),
        threads: int | None = None,
        fast_math: bool = False,
        alone: bool = False,
        backend: str = "numpy",
    ) -> None:
        self.f, self.threads, self.fast_math, self.backend = f, threads, fast_math, backend
        self.alone = alone  # whether f depends on its arguments only
        self.static, self.static_names = positions_in(f, static_argnums, "static_argnums")
        self.donated, _ = positions_in(f, donate_argnums, "donate_argnums")
        if self.static & self.donated:
            raise ArgumentError(f"compile: arguments {sorted(self.static & self.donated)} are both static and donated")
        if threads is not None and (type(threads) is not int or threads < 1):
            raise ArgumentError(f"compile: threads is a number of them from 1 on, got {threads!r:.60}")
        if type(backend) is not str or backend not in BACKENDS:
            raise ArgumentError(f"compile: backend is one of {', '.join(map(repr, BACKENDS))}, got {backend!r:.60}")
        if backend != "numpy":
            from .native import available

            self.backend = available(backend)
        self._programs: dict[Any, tuple[Executable, Find]] = {}
        self._recent: list[Find] = []
        self._latest: Executable | None = None
        self._lock = threading.Lock()
        self._origin = _Origin(self)
        _all.add(self)
        functools.update_wrapper(self, f, updated=())

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        if self.static:
            args, kwargs = self._enveloped(args, kwargs)
        given, f = (args, kwargs), self.f
        if strict():  # within np.errstate(divide="raise"): a program does not ask
            return uncompiled(f, given)
        if _innermost() is None or not inspected():
            for run in self._recent:
                result = run(given, f)
                if result is not MISS:
                    return result
        return self._general(given)

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        """A compiled method takes its object as the first argument."""
        return self if owner is None else MethodType(self, owner)

    def _enveloped(self, args: Any, kwargs: Any) -> Any:
        """The arguments, with those that are static in envelopes."""
        if self.static:
            args = tuple(Static(a) if k in self.static else a for k, a in enumerate(args))
            kwargs = {k: Static(v) if k in self.static_names else v for k, v in kwargs.items()}
        return args, kwargs

    def _general(self, given: Any) -> Any:
        """The slow way in, for arguments that no recent program fits."""
        f, as_given = self.f, given
        leaves, structure = flatten(given)
        if any(isinstance(leaf, np.ndarray) and not leaf.dtype.isnative for leaf in leaves):
            leaves = [node_of(v).data if isinstance(v, np.ndarray) and not v.dtype.isnative else v for v in leaves]
            given = unflatten(structure, leaves)
        nodes = [leaf.node for leaf in leaves if isinstance(leaf, Tensor) and leaf.node.live]
        if watched() or apart() or any(n.live & TRACED for n in nodes):
            return uncompiled(f, as_given)
        key = self._key(leaves, structure)
        objects = objects_in(structure, leaves)
        roots = [f, *(x for _, x in objects)]
        entry = self._find(key, roots)
        new = entry is None
        if entry is None:
            if all((key, k) in self._programs for k in range(CHANGES)):
                return uncompiled(f, as_given)
            reached = [*objects, *known_in(structure, leaves)]
            made = self._make(key, given, leaves, reached)  # not under the lock: this runs the user's code
            if made is None:
                return uncompiled(f, as_given)
            entry = self._keep(key, roots, made)
        place, program, run, hidden = entry
        with self._lock:
            if place in self._programs:
                self._programs[place] = self._programs.pop(place)  # the last in order
            self._recent = [run, *(r for r in self._recent if r is not run)][:RECENT]
            self._latest = program
        if program.as_it_is:
            return uncompiled(f, as_given)
        if derivatives_wanted() and (nodes or any(t.node.live for t in hidden)):
            if program.is_step([leaf for leaf in leaves if not is_static(leaf)], hidden):
                return self._plainly(given, program, run, hidden, True, new)
            if program.differentiable is None:
                return uncompiled(f, as_given)
            try:
                return program.recorded([leaf for leaf in leaves if not is_static(leaf)], hidden, as_given, structure)
            except Retyped:
                return uncompiled(f, as_given)
            except Exception:
                if not program.catches:
                    raise
                return uncompiled(f, as_given)
        del leaves, nodes  # so that a donated array is its owner's alone
        return self._plainly(given, program, run, hidden, new=new)

    def _plainly(
        self,
        given: Any,
        program: Executable,
        run: Find,
        hidden: Sequence[Tensor],
        step: bool = False,
        new: bool = False,
    ) -> Any:
        """The results of a program that fits, when no derivative is wanted, or of a step of training.

        One that is `new` was made for these arguments: code that looks them through comes with the second call.
        """
        f = self.f
        result = MISS if inspected() or (new and not program.donated) else run(given, f)
        if result is not MISS:
            return result
        leaves = [leaf for leaf in flatten(given)[0] if not is_static(leaf)]
        values = [leaf.node.data if isinstance(leaf, Tensor) else leaf for leaf in leaves]
        plain = [np.asarray(v) if isinstance(v, np.ndarray) else v for v in values]  # a subclass of ndarray
        return program([v.copy() if k in program.donated else v for k, v in enumerate(plain)], hidden, given, f, step)

    def _key(self, leaves: Sequence[Any], structure: Structure) -> Any:
        """What must agree for a program to fit, beside what surrounds the function."""
        try:
            key = (key_of(structure), tuple(map(_signature, leaves)), SWITCH.name)  # by whose loops constants are
            hash(key)
        except TypeError:
            raise ArgumentError(
                f"compile: {title_of(self.f)} was given a static argument that has no hash; "
                "a program is kept for each value of it, so pass a tuple for a list"
            ) from None
        return key

    def _find(self, key: Any, roots: Sequence[Any]) -> Entry | None:
        """A program for these arguments in these surroundings."""
        for k in range(CHANGES):
            found = self._programs.get((key, k))
            hidden = MISS if found is None else found[0].look(roots)
            if found is not None and hidden is not MISS:
                return (key, k), *found, hidden
        return None

    def _make(self, key: Any, given: Any, leaves: Sequence[Any], reached: Sequence[tuple[str, Any]]) -> Any:
        """A program, and the code that finds it; None if f is to be run as it is this time."""
        names, title = argument_names(self.f, *given), title_of(self.f)

        def traced(environment: Environment) -> Traced:
            def unpacked(*args: Any, **kwargs: Any) -> Any:
                handed = Handed(args, kwargs)
                try:
                    result = uncompiled(self.f, (args, kwargs))
                    place = handed.written(self.f)
                    if place is not None:
                        why = "which a program would not do again at each call: write to a copy, and return it"
                        raise refused(title, environment, [place], "writes to its argument", why)
                except TraceError:
                    handed.restore()
                    raise
                return result

            return trace(unpacked, with_attributes(given, roots), is_static, names, title, environment)

        places = attributes_in(flatten(given)[1], leaves)
        attributes = [k for k, place in enumerate(places, start=1) if place is not None]
        name = title if isinstance(self.f, FunctionType) else "self"
        roots = [] if self.alone else [(name, self.f), *reached]
        try:
            earlier = [self._programs.get((key, k)) for k in range(CHANGES)]
            known = [found[0].environment for found in earlier if found is not None]
            made = steady(roots, title, traced, known, frozenset(attributes) if roots else frozenset())
        except IllPosedDerivative as error:
            for witness in witnesses():
                witness.untraced(error)
            raise
        if made is None:
            return None
        arguments = flatten(given)[1].children[0].children
        positions = [k for k, s in enumerate(arguments) for _ in range(s.leaf_count)]
        donated = [k in self.donated for k in positions] + [False] * (len(leaves) - len(positions))
        program = Executable(
            self.f, *made, leaves, donated, self.threads, self._compiled_alike, self.fast_math, self.backend
        )
        run = finder(given, is_static, donated, program)
        hidden = made[1].now(program.hidden)
        made[1].release()
        return program, run, hidden

    def _keep(self, key: Any, roots: Sequence[Any], made: tuple[Executable, Find, Any]) -> Entry:
        """Keep a new program, unless another thread has made one meanwhile."""
        with self._lock:
            found = self._find(key, roots)
            if found is not None:
                return found
            program, run, hidden = made
            if hidden is MISS:
                raise TraceError(
                    f"what {title_of(self.f)} reaches beside its arguments was changed while it was being traced, by "
                    "another thread; pass what changes as an argument"
                )
            place = key, next((k for k in range(CHANGES) if (key, k) not in self._programs), 0)
            self._programs[place] = program, run
            while len(self._programs) > KEPT:
                del self._programs[next(iter(self._programs))]
            return place, program, run, hidden

    def _compiled_alike(self, f: Callable[..., Any]) -> Compiled:
        return Compiled(f, threads=self.threads, fast_math=self.fast_math, alone=True, backend=self.backend)

    # -- a compiled module is a module ------------------------------------------------------------------
    @property
    def module(self) -> Any:
        """The module, or other tree of parameters, that this is; None of a function."""
        return self.f if hasattr(type(self.f), "tree_flatten") else None

    def __getattr__(self, name: str) -> Any:
        f = self.__dict__.get("f")
        if name.startswith("__") or not hasattr(type(f), "tree_flatten"):
            raise AttributeError(f"{self!r} has no attribute {name!r}" if f is not None else name)
        return getattr(f, name)

    def tree_flatten(self) -> tuple[tuple[str, ...], tuple[Any, ...], Any]:
        return ((), (), self) if self.module is None else (("f",), (self.f,), self._origin)

    @classmethod
    def tree_unflatten(cls, keys: tuple[str, ...], children: list[Any], extra: Any) -> Compiled:
        """The same programs around another module of that kind."""
        if not keys:
            return extra  # type: ignore[no-any-return]  # the function that tree_flatten gave
        return extra.compiled._around(children[0])  # type: ignore[no-any-return]

    def _around(self, f: Any) -> Compiled:
        """The same programs around another function that is made like this one's."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin.__dict__.update(f=f, __wrapped__=f)
        return twin

    def __reduce__(self) -> Any:
        """For `pickle` and `copy.deepcopy`: what is compiled, and how; the programs are made anew."""
        name, module = getattr(self.f, "__qualname__", ""), sys.modules.get(getattr(self.f, "__module__", ""))
        try:
            if operator.attrgetter(name)(module) is self:  # a decorated function
                return str(name)
        except AttributeError:
            pass
        positions = tuple(sorted(self.static)), tuple(sorted(self.donated))
        return Compiled, (self.f, *positions, self.threads, self.fast_math, self.alone, self.backend)

    def profile(self, *args: Any, repeat: int = 50, **kwargs: Any) -> Profile:
        """Time and bytes of every instruction for these arguments, beside what the machine can do; `print` it."""
        given = self._enveloped(args, kwargs)
        held = [leaf.node if isinstance(leaf, Tensor) else leaf for leaf in flatten(given)[0]]
        self(*args, **kwargs)  # which takes no memory that is held here
        del held
        return self.latest.profile(given[0], given[1], repeat)

    @property
    def latest(self) -> Executable:
        """The program that was made last, or found last in the slow way."""
        if self._latest is None:
            raise MathError(f"{title_of(self.f)} has no program yet: call it once, so that the shapes are known")
        return self._latest

    @property
    def source(self) -> str:
        """The NumPy code of the latest program."""
        return self.latest.source.text

    @property
    def program(self) -> Program:
        """The instructions of the latest program."""
        return self.latest.program

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return bundle(self, html=lambda: preformatted(f"{self!r}\n\n{self.source}")) if self._latest else bundle(self)

    def __repr__(self) -> str:
        return f"<compiled {title_of(self.f)}, {len(self._programs)} programs>"


_all: weakref.WeakSet[Compiled] = weakref.WeakSet()


rule(lambda kind: issubclass(kind, Compiled), Kind(lambda c: (c.f,), lambda c, copy: c._around(copy(c.f))))


def _fresh_locks() -> None:
    """In a forked child, no thread is left that would release a lock."""
    for compiled in list(_all):
        compiled._lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_fresh_locks)


def _signature(leaf: Any) -> Any:
    """What must agree for a program to fit: shape and dtype, the type of a Python number, or a static value itself."""
    if isinstance(leaf, Tensor):
        leaf = leaf.node.data
    if isinstance(leaf, (np.ndarray, np.generic)):
        if isinstance(leaf, np.ndarray) and type(leaf) is not np.ndarray:
            try:
                Tensor(leaf)
            except TypeError:  # masked, or with units: no program fits, and tracing says why
                return object()
        return leaf.shape, leaf.dtype
    if type(leaf) in NUMBERS:
        return type(leaf)
    return key_of_static(leaf)


def positions_in(f: Any, given: Any, asker: str) -> tuple[frozenset[int], frozenset[str]]:
    """Positions of arguments counted from 0, and the names by which they may be passed too."""
    several = isinstance(given, Iterable) and not isinstance(given, str)
    wanted: list[Any] = list(given) if several else [given]
    if any(type(k) not in (int, str) for k in wanted):
        raise ArgumentError(f"compile: {asker} are positions of arguments or names, one or several, got {given!r:.60}")
    if not wanted:
        return frozenset(), frozenset()
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):  # of some functions written in C
        parameters = [inspect.Parameter("args", inspect.Parameter.VAR_POSITIONAL)]
    taken = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    endless = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    by_name = {p.name: k for k, p in enumerate(taken)}
    for k in (k for k in wanted if isinstance(k, str) and k not in by_name):
        raise ArgumentError(f"compile: {asker} has {k!r}, but {title_of(f)} has only {', '.join(by_name) or 'none'}")
    wanted = [by_name.get(k, k) for k in wanted]
    for k in wanted:
        if (k >= len(taken) and not endless) or k < (0 if endless else -len(taken)):
            raise ArgumentError(
                f"compile: {asker} has {k}, but {title_of(f)}{'(*args)' if endless else ''} has "
                f"{len(taken)} positional arguments{', and more that count from the front only' if endless else ''}"
            )
    found = frozenset(k % len(taken) if k < 0 else k for k in wanted)
    names = frozenset(p.name for k, p in enumerate(taken) if k in found and p.kind is p.POSITIONAL_OR_KEYWORD)
    return found, names


def backend_of(asker: str, **given: Any) -> str:
    """What an argument that is True, False or a backend compiles for, "" for nothing: True is NumPy."""
    ((name, wanted),) = given.items()
    if isinstance(wanted, str) and wanted in BACKENDS:
        return wanted
    if not isinstance(wanted, (bool, np.bool_)):
        words = ", ".join(map(repr, BACKENDS))
        raise ArgumentError(f"{asker}: {name} is True, False, or one of {words}, got {wanted!r:.60}")
    return "numpy" if wanted else ""


@named
def compile(
    f: Callable[..., Any] | None = None,
    *,
    static_argnums: int | str | Iterable[int | str] = (),
    donate_argnums: int | str | Iterable[int | str] = (),
    threads: int | None = None,
    fast_math: bool = False,
    backend: str = "numpy",
) -> Any:
    """f, traced once for each tree, shape and dtype of its arguments, and run as straight-line NumPy.

    Arguments: `f` a function of trees of arrays, numbers and Tensors, which may call grad, hvp, jvp or an optimiser's
    `update`, or a module; `static_argnums` positions or names of arguments that the program is made for (a flag, a
    number of layers; -1 is the last): they are compared by type and value, and `if` may look at them; `donate_argnums`
    those of arguments whose memory the call may use for its results, as a training step does with its parameters (of a
    Tensor whose memory no other Tensor and no graph has, which raises Donated if it is used afterwards; of an array in
    a container that nobody else has, which holds a result afterwards); `threads` how many share elementwise work on
    large arrays (as many as OMP_NUM_THREADS says, else one for each processor); `fast_math` frees the arithmetic;
    `backend` "numpy", "native" (see below) or "auto", which is native where llvmlite is installed and it pays.
    The results are those of f itself to within rounding: the same dtype, NaN, infinity and sign of zero, but for which
    of two zeros of unlike signs `max`, `min`, `fmax` and `fmin` take (NumPy's own answer depends on the dtype and on
    where in a row they lie), and for what a loop does nothing but add up, which may be added in another order (terms
    beyond a share of the largest number, or all -0.0, may show it). `fast_math` gives that up for some speed: factors
    change places, move out of sums and into matrix products, and merge, so that a product may overflow or vanish where
    f's own did not (and the other way round); a division by a number is a product with its reciprocal; sums of up to
    65,536 terms are BLAS products, without pairwise summation; matrices are multiplied in the cheapest order; x + 0.0
    is x, also at -0.0.
    Returns a function with `.source` (the NumPy code), `.program` (the instructions) and `.profile(*args)`.
    `backend="native"` runs the same program without Python: NumPy's and SciPy's own inner loops and BLAS, and products
    and functions of this package's own where these are quicker, are called one after the other by a small interpreter
    in machine code, in the same memory plan; arrays of 65,536 elements and more go through it block by block. What has
    no native form (sorting, decompositions, draws, large arrays that more than four threads share) stays a call of
    NumPy in between; `.profile` says which is which. A `scan`, `fori_loop` or `while_loop` whose step is native, or
    calls Python for a few instructions only, runs as a whole, and looks for Ctrl-C every few milliseconds.
    A function keeps 256 programs; of more shapes than that, the one that came longest ago is compiled anew.
    Results are Tensors in memory of their own, so that the next call does not change them; lists and objects that f
    makes beside them are new at each call, too.
    What f reaches beside its arguments (closure variables, defaults, globals that its code names, the object of a
    method, and what these hold) is seen as it is at each call: Tensors are read anew and differentiated through; the
    rest, arrays too, is compared by type and value, and for another value another program is made. Comparing a large
    array costs a pass over it: pass it as an argument, make a Tensor of it, or make it read-only, for good: one that is
    unlocked, written to and locked again between two calls is taken for what it was. A number that has had three values
    (a count of steps, an annealed coefficient) is read at each call by one program, where f computes with it, by
    operators, `math` and NumPy's ufuncs; what f asks of it (`if step > 10`, an index, a text) has to be answered alike.
    Where f itself makes the difference by `type()`, `is`, an `except` clause or a cache, it is compared as the rest is.
    Where 8 programs do not do, f runs as it is, as it does where NumPy's error state is to raise or call
    (`np.errstate(divide="raise")`), around the call or within f, where f makes errors of warnings or records them, and
    where it handles errors and an op raises one. A program gives no warning of NumPy's.
    What other libraries hold is not looked at: pass what changes there as an argument. Of Python and NumPy are seen:
    queues, locks, events and futures, exceptions, cells, contexts, buffers, the builtins that f names, and the settings
    of printing, decimals, logging, warnings and locale.
    A text of a value that is not known yet is printed, logged or raised with a word in the place of the value, once a
    program; where f does anything else with it (`len(str(x))`, f"{x}" as a result), f runs as it is.
    f runs when it is traced, up to three times if that changes something within its reach; what it changes is
    afterwards as one run leaves it, and may not be what it computes with, nor decides by. That it decides by a count of
    its own is seen of numbers, not of the length of a list.
    Derivatives pass through, of any order, in both modes: a call is one node of the graph, and its rules are compiled
    in their turn. A step of training, whose parameters an optimiser's `update` took, returns leaves, and keeps no graph
    of what else it returns, so that a loop's memory stays flat: NoDerivative is raised where its loss, which of f
    itself has a gradient, is differentiated.
    A function that donates, or that draws random numbers, runs as it is while it is differentiated; one that registers
    hooks, or that gives another dtype or shape than when it was traced (eigenvalues that turn complex), always does.
    Raises MissingExtra for `backend="native"` where llvmlite is not installed; TraceError, naming the line, where f
    asks for a value (`if x > 0`, `float(x)`), depends on what it changes itself, writes to an argument (an array, an
    attribute, a list), keeps a traced value (appends it to a list), draws from another generator than `tm.random`, or
    asks for the time, for what is in a file, or for random bits of the system; ArgumentError for positions that f
    does not have. What an op of f raises by its values (a singular matrix, an index out of bounds, an op of one's own)
    the program raises, too, also where no result needs that value, with two exceptions, as they would be computed for
    this alone: special functions whose series may not converge, and what a step of a loop, or an example of a `vmap`,
    computes and hands to nobody.

    >>> import tinygrad_math as tm
    >>> step = tm.compile(lambda w, x: w - 0.1 * tm.grad(lambda w: ((x @ w - 1.0) ** 2).sum())(w))
    >>> step(tm.tensor([0.0, 0.0]), tm.tensor([[1.0, 2.0]]))
    tensor([0.2, 0.4])
    """

    def wrap(f: Callable[..., Any]) -> Compiled:
        if not callable(f):
            raise ArgumentError(f"compile takes a function, got {f!r:.60}")
        return Compiled(f, static_argnums, donate_argnums, threads, bool(fast_math), backend=backend)

    return wrap if f is None else wrap(f)
