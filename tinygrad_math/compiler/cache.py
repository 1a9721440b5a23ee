"""`compile`: find the program for these arguments, or make it, and run it."""

from __future__ import annotations

import functools
import os
import threading
import weakref
from collections.abc import Callable, Iterable
from types import MethodType
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.errors import ArgumentError, MathError
from ..core.mode import no_grad
from ..core.tensor import TRACED, Tensor
from ..core.tree import flatten
from .executable import Executable, Static, is_static, title_of
from .find import MISS, Find, derivatives_wanted, finder, watched
from .profile import Profile
from .program import NUMBERS, Program

RECENT = 4  # how many programs are tried by their finders before the general way
KEPT = 256  # how many programs a function keeps: beyond that, the one goes that was found least recently


class Compiled:
    """A function that is traced once for each shape of its arguments and then runs as straight-line NumPy."""

    def __init__(
        self,
        f: Callable[..., Any],
        static_argnums: Iterable[int],
        donate_argnums: Iterable[int],
        threads: int | None,
        fast_math: bool = False,
    ) -> None:
        self.f, self.threads, self.fast_math = f, threads, fast_math
        self.static, self.donated = frozenset(static_argnums), frozenset(donate_argnums)
        if self.static & self.donated:
            raise ArgumentError(f"compile: arguments {sorted(self.static & self.donated)} are both static and donated")
        self._programs: dict[Any, tuple[Executable, Find]] = {}
        self._recent: list[Find] = []
        self._latest: Executable | None = None
        self._lock = threading.RLock()
        _all.add(self)
        functools.update_wrapper(self, f, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.static:
            args = tuple(Static(a) if k in self.static else a for k, a in enumerate(args))
        given = (args, kwargs)
        for run in self._recent:
            result = run(given)
            if result is not MISS:
                return result
        return self._general(given)

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        """A compiled method takes its object as the first argument."""
        return self if owner is None else MethodType(self, owner)

    def _general(self, given: Any) -> Any:
        """The slow way in, for arguments that no recent program fits."""
        leaves, structure = flatten(given)
        nodes = [leaf.node for leaf in leaves if isinstance(leaf, Tensor) and leaf.node.live]
        if watched() or any(n.live & TRACED for n in nodes):
            return self._as_it_is(given)
        try:
            key = (structure, tuple(map(_signature, leaves)))
            hash(key)
        except TypeError:
            raise ArgumentError(
                f"compile: {title_of(self.f)} was given a static argument that has no hash; "
                "a program is kept for each value of it, so pass a tuple for a list"
            ) from None
        with self._lock:
            if key not in self._programs:
                positions = [k for k, s in enumerate(structure.children[0].children) for _ in range(s.leaf_count)]
                donated = [k in self.donated for k in positions] + [False] * (len(leaves) - len(positions))
                program = Executable(self.f, given, donated, self.threads, self._compiled_alike, self.fast_math)
                self._programs[key] = program, finder(given, is_static, donated, program)
            program, run = self._programs[key] = self._programs.pop(key)  # the last in order
            while len(self._programs) > KEPT:
                del self._programs[next(iter(self._programs))]
            self._recent = [run, *(r for r in self._recent if r is not run)][:RECENT]
            self._latest = program
        if derivatives_wanted() and (nodes or any(t.node.live for t in program.hidden)):
            if program.is_step([leaf for leaf in leaves if not is_static(leaf)]):
                with no_grad():  # a step of training: its results are leaves
                    return self._plainly(given, leaves, program, run)
            if program.differentiable is None:
                return self._as_it_is(given)
            return program.recorded([leaf for leaf in leaves if not is_static(leaf)])
        return self._plainly(given, leaves, program, run)

    def _plainly(self, given: Any, leaves: list[Any], program: Executable, run: Find) -> Any:
        """The results of a program that fits, when no derivative is wanted."""
        result = run(given)
        if result is not MISS:
            return result
        values = [leaf.node.data if isinstance(leaf, Tensor) else leaf for leaf in leaves if not is_static(leaf)]
        return program([np.asarray(v) if isinstance(v, np.ndarray) else v for v in values])  # a subclass of ndarray

    def _as_it_is(self, given: Any) -> Any:
        """A call of the function itself: it is being traced, or donates or draws what a derivative would need again."""
        args, kwargs = given
        return self.f(*(a.value if isinstance(a, Static) else a for a in args), **kwargs)

    def _compiled_alike(self, f: Callable[..., Any]) -> Compiled:
        return Compiled(f, (), (), self.threads, self.fast_math)

    def profile(self, *args: Any, repeat: int = 50, **kwargs: Any) -> Profile:
        """Time and bytes of every instruction for these arguments, beside what the machine can do; `print` it."""
        self(*args, **kwargs)
        if self.static:
            args = tuple(Static(a) if k in self.static else a for k, a in enumerate(args))
        return self.latest.profile(args, kwargs, repeat)

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

    def __repr__(self) -> str:
        return f"<compiled {title_of(self.f)}, {len(self._programs)} programs>"


_all: weakref.WeakSet[Compiled] = weakref.WeakSet()


def _fresh_locks() -> None:
    """In a forked child, no thread is left that would release a lock."""
    for compiled in list(_all):
        compiled._lock = threading.RLock()


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
    return type(leaf) if isinstance(leaf, NUMBERS) else (type(leaf), leaf)


@named
def compile(
    f: Callable[..., Any] | None = None,
    *,
    static_argnums: int | Iterable[int] = (),
    donate_argnums: int | Iterable[int] = (),
    threads: int | None = None,
    fast_math: bool = False,
) -> Any:
    """f, traced once for each tree, shape and dtype of its arguments, and run as straight-line NumPy.

    Arguments: `f` a function of trees of arrays, numbers and Tensors, which may call grad, hvp, jvp or an optimiser's
    `update`; `static_argnums` positions of arguments that the program is made for (a flag, a number of layers): they
    are compared by value, and `if` may look at them; `donate_argnums` positions of arguments whose arrays the call may
    overwrite with its results, as a training step does with its parameters; `threads` how many share elementwise
    work on large arrays (as many as OMP_NUM_THREADS says, else one for each processor); `fast_math` frees
    the arithmetic.
    The results are those of f itself to within rounding: the same dtype, NaN, infinity and sign of zero. `fast_math`
    gives that up for some speed: factors change places, move out of sums and into matrix products, and merge, so that
    a product may overflow or vanish where f's own did not (and the other way round); a division by a number is a
    product with its reciprocal; sums of up to 65,536 terms are BLAS products, without pairwise summation; matrices are
    multiplied in the cheapest order; x + 0.0 is x, also at -0.0.
    Returns a function with `.source` (the NumPy code), `.program` (the instructions) and `.profile(*args)`.
    A function keeps 256 programs; of more shapes than that, the one that came longest ago is compiled anew.
    Results are Tensors in memory of their own, so that the next call does not change them. Constants that f closes
    over are read when it is traced; parameters (`requires_grad=True`) that it closes over are read at each call.
    Derivatives pass through, of any order, in both modes: a call is one node of the graph, and its rules are compiled
    in their turn. A function that donates, or that draws random numbers, runs as it is while it is differentiated.
    Raises TraceError where f asks for a value (`if x > 0`, `float(x)`), naming the line.

    >>> import tinygrad_math as tm
    >>> step = tm.compile(lambda w, x: w - 0.1 * tm.grad(lambda w: ((x @ w - 1.0) ** 2).sum())(w))
    >>> step(tm.tensor([0.0, 0.0]), tm.tensor([[1.0, 2.0]]))
    tensor([0.2, 0.4])
    """

    def positions(given: int | Iterable[int]) -> tuple[int, ...]:
        return (given,) if isinstance(given, int) else tuple(given)

    def wrap(f: Callable[..., Any]) -> Compiled:
        if not callable(f):
            raise ArgumentError(f"compile takes a function, got {f!r:.60}")
        return Compiled(f, positions(static_argnums), positions(donate_argnums), threads, bool(fast_math))

    return wrap if f is None else wrap(f)
