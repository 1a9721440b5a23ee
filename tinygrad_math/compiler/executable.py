"""A program made ready to run: traced, improved, planned, printed, and called with arrays."""

from __future__ import annotations

import contextvars
import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, MathError
from ..core.node import DIFFERENTIABLE, TRANSFORMED, finished
from ..core.tensor import Node, Tensor, wrap
from ..core.tree import Structure, flatten, unflatten
from .blocks import default_threads
from .derivatives import Compile, Differentiable, Recording
from .emit import emit
from .find import FAILURES, MISS, derivatives_wanted
from .memory import plan
from .passes import improve
from .profile import Profile, profile
from .program import NUMBERS, Program, Value
from .trace import Fixed, trace


class Static:
    """An argument that is part of the program: compared, and never traced."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Static) and bool(self.value == other.value)

    def __hash__(self) -> int:
        return hash(self.value)


def is_static(leaf: Any) -> bool:
    """Whether a leaf is no number or array, so that the program is made for this very value."""
    return not isinstance(leaf, (Tensor, np.ndarray, np.generic, *NUMBERS))


class Executable:
    """One program and its workspaces. Several threads may call it: each takes a workspace of its own."""

    def __init__(
        self,
        f: Callable[..., Any],
        args: Any,
        donated: Sequence[bool] = (),
        threads: int | None = None,
        compile: Compile | None = None,
        fast_math: bool = False,
    ) -> None:
        leaves, _ = flatten(args)
        names = argument_names(f, *args)
        self.traced = trace(_unwrapped(f), args, is_static, names, title_of(f))
        self.recording = Recording(self.traced.program)
        self.program: Program = improve(self.traced.program, fast_math)
        moving = [d for leaf, d in zip(leaves, donated or [False] * len(leaves), strict=True) if not is_static(leaf)]
        taken = {
            a
            for a, d in zip(self.program.arguments, moving, strict=False)
            if d and isinstance(a.example, np.ndarray) and a.shape
        }
        self.donated = [k for k, a in enumerate(self.program.arguments) if a in taken]
        self.plan = plan(self.program, frozenset(taken))
        self.threads = threads or default_threads()
        self.source = emit(self.program, self.plan, self.threads)
        self.make = self.source.build()
        self.program.release()
        self.program.profile = lambda *args, repeat=50, **kwargs: self.profile(args, kwargs, repeat)
        self.pool: list[Callable[..., Any]] = []
        self.hidden = self.traced.hidden
        numbers = _python_numbers(self.program)
        self.numbers = [r in numbers for r in self.program.results]
        self.finish = _finisher(self.traced.structure, self.traced.outputs, self.program, self.numbers)
        self.differentiable: Differentiable | None = None
        if compile is not None and not self.recording.random and not self.donated:
            reasons = DIFFERENTIABLE | (TRANSFORMED if self.traced.transformed else 0)
            self.differentiable = Differentiable(self.program.name, self.recording, self.run, compile, reasons)

    def workspace(self, function: Callable[..., Any] | None = None) -> Callable[..., Any]:
        """The program's function over a new workspace, in a context in which NumPy does not warn."""
        context = contextvars.copy_context()
        context.run(np.seterr, all="ignore")
        return functools.partial(context.run, function or self.make())

    def __call__(self, arrays: Sequence[Any]) -> Any:
        """What the user's function returns; MISS where it has to run as it is."""
        if self.hidden:
            if derivatives_wanted() and any(t.node.live for t in self.hidden):
                return MISS if self.differentiable is None else self.recorded(arrays)
            arrays = [*arrays, *(t.node.data for t in self.hidden)]
        return self.finish(self.run(arrays))

    def is_step(self, arguments: Sequence[Any]) -> bool:
        """Whether this call is a step of training, whose results are leaves.

        Whatever requires a gradient is then what an update took, and no derivative through it is to be expected.
        """
        args = [(t.node, s) for t, s in zip(arguments, self.traced.settled, strict=True) if isinstance(t, Tensor)]
        around = [(t.node, t._tree_leaf() is not None) for t in self.hidden]
        return any(self.traced.settled) and all(not n.live or (s and finished(n)) for n, s in (*args, *around))

    def run(self, arrays: Sequence[Any]) -> Any:
        """The program's results for these arguments, hidden ones included."""
        if self.donated and len(set(map(id, arrays))) < len(arrays):
            self._check_donated(arrays)
        try:
            run = self.pool.pop()
        except IndexError:
            run = self.workspace()
        try:
            out = run(*arrays)
        except FAILURES as error:
            raise self.explained(error, arrays) from None
        self.pool.append(run)
        return out

    def recorded(self, arguments: Sequence[Any]) -> Any:
        """The function's results as one node of the graph, for derivatives in arguments and in hidden parameters."""
        assert self.differentiable is not None
        parts = self.differentiable([*arguments, *self.hidden])
        leaves = [
            o.leaf if isinstance(o, Fixed) else parts[o].node.data if self.numbers[o] else parts[o]
            for o in self.traced.outputs
        ]
        return unflatten(self.traced.structure, leaves)

    def _check_donated(self, arrays: Sequence[Any]) -> None:
        """Raise if a donated array is passed twice: overwriting one would change the other."""
        ids = [id(a) for a in arrays]
        for k in self.donated:
            if ids.count(ids[k]) > 1:
                name = self.program.arguments[k].name
                raise ArgumentError(
                    f"{name} is donated, and the same array is also passed as another argument; copy it"
                )

    def profile(self, args: Any, kwargs: Any, repeat: int = 50) -> Profile:
        """Time and bytes of every instruction, for arguments that this program fits."""
        leaves = [leaf for leaf in flatten((args, kwargs))[0] if not is_static(leaf)]
        return profile(self, [leaf.node.data if isinstance(leaf, Tensor) else leaf for leaf in leaves], repeat)

    def explained(self, error: Exception, arrays: Sequence[Any]) -> Exception:
        """The named error for what NumPy said: found by running the program again, instruction by instruction."""
        for k in self.donated:
            if not arrays[k].flags.writeable:
                return ArgumentError(
                    f"{self.program.arguments[k].name} is donated, but its array is read-only; copy it"
                )
        try:
            self.program.run(*arrays)
        except MathError as named:
            return named
        return error


def _unwrapped(f: Callable[..., Any]) -> Callable[..., Any]:
    """f with static arguments taken out of their envelopes."""

    def open_static(x: Any) -> Any:
        return x.value if isinstance(x, Static) else x

    def g(*args: Any, **kwargs: Any) -> Any:
        return f(*map(open_static, args), **kwargs)

    return g


_ARITHMETIC = {"add", "subtract", "multiply", "divide", "floor_divide", "remainder", "negative", "positive"}
_ARITHMETIC |= {"power", "integer_power", "square", "reciprocal"}


def _python_numbers(program: Program) -> set[Value]:
    """Where f has a Python number: arithmetic of numbers; a function of this package gives a Tensor."""
    found = {v for v in (*program.arguments, *program.constants()) if v.weak}
    for v in program.body:
        if v.weak and v.title in _ARITHMETIC and found.issuperset(v.inputs):
            found.add(v)
    return found


def _finisher(
    structure: Structure, outputs: list[Any], program: Program, numbers: Sequence[bool]
) -> Callable[[Any], Any]:
    """From a program's results to what the user's function returned: one expression, where that is possible."""
    scope: dict[str, Any] = {"keys": _all_keys(structure), "wrap": wrap, "Node": Node, "unflatten": unflatten}
    scope["array"] = np.asarray
    results = program.results
    leaves = []
    for k, o in enumerate(outputs):
        if isinstance(o, Fixed):
            scope[f"fixed{k}"] = o.leaf
            leaves.append(f"fixed{k}")
        else:
            value = f"array(out[{o}])[()]" if results[o].weak else f"out[{o}]"
            leaves.append(f"out[{o}]" if numbers[o] else f"wrap(Node({value}))")
    if _simple(structure):
        text = _written(structure, iter(leaves))[0]
    else:
        scope["structure"] = structure
        text = f"unflatten(structure, [{', '.join(leaves)}])"
    exec(f"def finish(out):\n    return {text}\n", scope)
    finish: Callable[[Any], Any] = scope["finish"]
    return finish


def _simple(s: Structure) -> bool:
    return s.kind in (None, dict, list, tuple, type(None)) and all(map(_simple, s.children))


def _all_keys(s: Structure) -> list[Any]:
    own = list(s.keys) if s.kind is dict else []
    return own + [k for c in s.children for k in _all_keys(c)]


def _written(s: Structure, leaves: Iterator[str], key: int = 0) -> tuple[str, int]:
    """The tree as an expression over the texts of its leaves and the list of its keys."""
    if s.kind is None:
        return next(leaves), key
    if s.kind is type(None):
        return "None", key
    first = key
    key += len(s.keys) if s.kind is dict else 0
    parts = []
    for child in s.children:
        text, key = _written(child, leaves, key)
        parts.append(text)
    if s.kind is dict:
        return "{" + ", ".join(f"keys[{first + k}]: {p}" for k, p in enumerate(parts)) + "}", key
    inner = ", ".join(parts)
    return (f"[{inner}]" if s.kind is list else f"({inner}{',' if len(parts) == 1 else ''})"), key


def title_of(f: Any) -> str:
    """The name of a function, or of what a partial or a module stands for."""
    return str(getattr(getattr(f, "func", f), "__name__", type(f).__name__))


def argument_names(f: Callable[..., Any], args: Any, kwargs: Any) -> list[str]:
    """A name for every leaf that is traced: the parameter's, and below it the keys of the tree."""
    try:
        signature = inspect.signature(f)
        bound = signature.bind(*args, **kwargs).arguments
        named: list[tuple[str, Any]] = []
        for title, value in bound.items():
            kind = signature.parameters[title].kind
            if kind is inspect.Parameter.VAR_KEYWORD:
                named += list(value.items())
            else:
                named.append((title, value))
    except (TypeError, ValueError):
        named = [(f"x{k}", a) for k, a in enumerate(args)] + list(kwargs.items())
    leaves, structure = flatten([value for _, value in named])
    paths = [title + p for (title, _), s in zip(named, structure.children, strict=True) for p in _paths(s)]
    return [path for path, leaf in zip(paths, leaves, strict=True) if not is_static(leaf)]


def _paths(structure: Structure) -> list[str]:
    if structure.kind is None:
        return [""]
    return [f"_{key}{p}" for key, child in zip(structure.keys, structure.children, strict=True) for p in _paths(child)]
