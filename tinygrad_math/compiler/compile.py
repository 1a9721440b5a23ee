"""`compile`: find the program for these arguments, or make it, and run it."""

from __future__ import annotations

import contextvars
import functools
import inspect
import threading
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, MathError
from ..core.tensor import DIFFERENTIABLE, MODE, Node, Tensor, wrap
from ..core.tree import Structure, flatten, unflatten
from .emit import Source, emit
from .memory import Plan, plan
from .passes import improve
from .program import Program
from .trace import Fixed, Traced, trace, tracing

_NUMBERS = (float, int, complex, bool)


class Compiled:
    """A function that is traced once for each shape of its arguments and then runs as straight-line NumPy."""

    def __init__(
        self,
        f: Callable[..., Any],
        static_argnums: Iterable[int] = (),
        donate_argnums: Iterable[int] = (),
    ) -> None:
        self.f = f
        self.static = frozenset(static_argnums)
        self.donated = frozenset(donate_argnums)
        self.programs: dict[Any, Executable] = {}
        self.latest: Executable | None = None
        self._lock = threading.RLock()
        functools.update_wrapper(self, f, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        leaves, structure = flatten((args, kwargs))
        if any(isinstance(leaf, Tensor) and leaf.node.live for leaf in leaves):
            return self.f(*args, **kwargs)
        key = (structure, tuple(map(_signature, leaves)))
        program = self.programs.get(key)
        if program is None:
            program = self._make(key, args, kwargs, leaves)
        return program(leaves)

    def _make(self, key: Any, args: Any, kwargs: Any, leaves: list[Any]) -> Executable:
        with self._lock:
            if key not in self.programs:
                self.programs[key] = Executable(self, args, kwargs)
            self.latest = self.programs[key]
            return self.latest

    @property
    def source(self) -> str:
        return self._last().source.text

    @property
    def program(self) -> Program:
        return self._last().program

    def _last(self) -> Executable:
        if self.latest is None:
            raise MathError(f"{self.f.__name__} has not been compiled yet: call it once, so that shapes are known")
        return self.latest


def _signature(leaf: Any) -> Any:
    if isinstance(leaf, Tensor):
        leaf = leaf.node.data
    if isinstance(leaf, (np.ndarray, np.generic)):
        return leaf.shape, leaf.dtype
    return type(leaf) if isinstance(leaf, _NUMBERS) else leaf


def is_static(leaf: Any) -> bool:
    return not (isinstance(leaf, (Tensor, np.ndarray, np.generic, *_NUMBERS)))


class Executable:
    """One program, ready to run."""

    def __init__(self, owner: Compiled, args: Any, kwargs: Any) -> None:
        names = argument_names(owner.f, args, kwargs)
        self.traced = trace(owner.f, (args, kwargs), is_static, names, owner.f.__name__)
        self.program = improve(self.traced.program)
        self.plan = plan(self.program)
        self.source = emit(self.program, self.plan)
        self.make = self.source.build()
        self.pool: list[Any] = []

    def __call__(self, leaves: list[Any]) -> Any:
        arrays = [leaf.node.data if isinstance(leaf, Tensor) else leaf for leaf in leaves if not is_static(leaf)]
        arrays += [t.node.data for t in self.traced.hidden]
        try:
            run = self.pool.pop()
        except IndexError:
            run = functools.partial(contextvars.copy_context().run, self.make())
        out = run(*arrays)
        self.pool.append(run)
        full = [o.leaf if isinstance(o, Fixed) else wrap(Node(out[o])) for o in self.traced.outputs]
        return unflatten(self.traced.structure, full)


def argument_names(f: Callable[..., Any], args: Any, kwargs: Any) -> list[str]:
    """A name for every leaf that is traced: the parameter's, and below it the keys of the tree."""
    try:
        bound = inspect.signature(f).bind(*args, **kwargs).arguments
    except (TypeError, ValueError):
        bound = {f"x{k}": a for k, a in enumerate(args)} | kwargs
    names: list[str] = []

    def visit(tree: Any, name: str) -> None:
        leaves, structure = flatten(tree)
        names.extend(name + path for path, leaf in zip(paths(structure), leaves, strict=True) if not is_static(leaf))

    for title, value in bound.items():
        visit(value, title)
    return names


def paths(structure: Structure) -> list[str]:
    if structure.kind is None:
        return [""]
    return [f"_{key}{p}" for key, child in zip(structure.keys, structure.children, strict=True) for p in paths(child)]


def compile(f: Callable[..., Any], **options: Any) -> Compiled:
    return Compiled(f, **options)
