"""The quick way in: code that takes the arguments apart and checks that a program fits them.

A general walk over trees costs more than a small network's training step. So for each program the few lines
that open just these trees and compare just these shapes are written out. Keys and values of the user are
referred to by generated names only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.tensor import MODE, TRACED, Tensor, clock
from ..core.tree import Structure, flatten

MISS: Any = object()  # what a finder returns when the program does not fit
_NUMBERS = (float, int, complex, bool)


def derivatives_wanted() -> bool:
    mode = MODE.get()
    return mode is None or mode.differentiable


class Finder:
    """Writes `find(args, kwargs)`, which returns the arrays for a program, or MISS."""

    def __init__(self) -> None:
        self.scope: dict[str, Any] = {
            "MISS": MISS, "Tensor": Tensor, "ndarray": np.ndarray, "wanted": derivatives_wanted, "clock": clock
        }  # fmt: skip
        self.lines: list[str] = []
        self.arrays: list[str] = []
        self.count = 0

    def name(self, kind: str, value: Any = None) -> str:
        self.count += 1
        name = f"{kind}{self.count}"
        if kind in ("key", "like"):
            self.scope[name] = value
        return name

    def demand(self, condition: str) -> None:
        self.lines.append(f"if not ({condition}): return MISS")

    def leaf(self, text: str, like: Any, static: bool, donated: bool) -> None:
        if static:
            known = self.name("like", like)
            self.demand(f"{text} is {known} or {text} == {known}")
            return
        data = like.node.data if isinstance(like, Tensor) else like
        name = self.name("a")
        self.lines.append(f"{name} = {text}")
        if isinstance(data, (np.ndarray, np.generic)):
            given = self.name("node")
            self.lines.append(f"if {name}.__class__ is Tensor:")
            self.lines.append(f"    {given} = {name}.node")
            self.lines.append(f"    if {given}.live and ({given}.live & {TRACED} or wanted()): return MISS")
            if donated:
                self.lines.append(f"    {given}.more().changed = clock()")
            self.lines.append(f"    {name} = {given}.data")
        kind = "ndarray" if type(data) is np.ndarray else self.name("like", type(data))
        if type(data) is np.ndarray:
            self.demand(f"{name}.__class__ is {kind} and {name}.shape == {data.shape} and {self._dtype(name, data)}")
        else:
            self.demand(f"{name}.__class__ is {kind}")
        self.arrays.append(name)

    def _dtype(self, name: str, data: Any) -> str:
        known = self.name("like", data.dtype)
        return f"({name}.dtype is {known} or {name}.dtype == {known})"

    def tree(self, text: str, structure: Structure, leaves: Sequence[tuple[Any, bool, bool]], at: int) -> int:
        """Lines that open a tree; returns the index of the next leaf."""
        kind, keys, children, extra = structure
        if kind is None:
            self.leaf(text, *leaves[at])
            return at + 1
        name = self.name("t")
        self.lines.append(f"{name} = {text}")
        if kind is type(None):
            self.demand(f"{name} is None")
            return at
        self.demand(f"{name}.__class__ is {self.name('like', kind)}")
        if hasattr(kind, "tree_flatten"):
            parts = self.name("t")
            self.lines.append(f"given, {parts}, more = {name}.tree_flatten()")
            self.demand(f"given == {self.name('like', keys)} and more == {self.name('like', extra)}")
            texts = [f"{parts}[{k}]" for k in range(len(keys))]
        elif issubclass(kind, (dict, list, tuple)):
            self.demand(f"len({name}) == {len(keys)}")
            if issubclass(kind, dict):
                keyed = [self.name("key", k) for k in keys]
                self.demand(" and ".join(f"{k} in {name}" for k in keyed) or "True")
                texts = [f"{name}[{k}]" for k in keyed]
            else:
                texts = [f"{name}[{k}]" for k in range(len(keys))]
        else:
            texts = [f"getattr({name}, {self.name('key', k)})" for k in keys]
        for child, child_text in zip(children, texts, strict=True):
            at = self.tree(child_text, child, leaves, at)
        return at

    def build(self, structure: Structure, leaves: Sequence[tuple[Any, bool, bool]]) -> Callable[[Any, Any], Any]:
        self.tree("given_arguments", structure, leaves, 0)
        body = "\n    ".join([*self.lines, f"return ({''.join(f'{a}, ' for a in self.arrays)})"])
        exec(f"def find(given_arguments):\n    {body}\n", self.scope)
        find: Callable[[Any], Any] = self.scope["find"]
        return find  # type: ignore[return-value]


def finder(args: Any, static: Callable[[Any], bool], donated: Sequence[bool]) -> Callable[[Any], Any]:
    """`find((args, kwargs))` for arguments like these; `donated` has an entry per leaf."""
    leaves, structure = flatten(args)
    return Finder().build(structure, [(x, static(x), d) for x, d in zip(leaves, donated, strict=True)])  # type: ignore[return-value]
