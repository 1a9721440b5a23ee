"""Facts are asked again: as lines of Python that read what lies where they were found, and compare."""

from __future__ import annotations

import keyword
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..core.tensor import Tensor
from .facts import MISS, UNREADABLE, UNSET, Fact
from .holders import cached, results_of, still_has
from .program import NUMBERS
from .values import kept, same


class Questions:
    """The facts of some roots, and how to tell whether they hold."""

    roots: list[tuple[str, Any]]
    facts: list[Fact]
    caches: list[tuple[Fact, list[Any]]]  # functions that keep results, with those that they have

    def _lines(
        self, roots: Sequence[str], scope: dict[str, Any], wanted: set[Fact] | None = None
    ) -> Iterator[tuple[Fact, list[str], str]]:
        """For each fact the lines that read it into e<number>, and the condition that must hold."""
        scope.update(same=same, ndarray=np.ndarray, UNSET=UNSET, still_has=still_has)
        ready: set[str] = set()
        for f in self.facts:
            if wanted is not None and f not in wanted:
                continue
            if f.apart:
                ids = ", ".join(f"id(e{g.number})" for g in f.apart)
                yield f, [], f"len({{{ids}}}) == {len(f.apart)}"
                continue
            v, lines = f"e{f.number}", []
            if f.parent is None:
                assert f.step is not None
                lines.append(f"{v} = {self._fixed(f, scope) if f.fixed else roots[f.step[1]]}")
            else:
                p = f.parent
                lines += self._parent(p, scope, ready)
                lines.append(f"{v} = {_step(f, self._name(p), scope)}")
            like = f"l{f.number}"
            if isinstance(f.like, Fact):
                like = f"e{f.like.number}"
            else:
                scope[like] = f.like
            if f.plain or f.keeps:
                scope[f"q{f.number}"] = results_of(f.value) if f.keeps else f.quick
            condition = f.check.format(v=v, like=like, quick=f"q{f.number}")
            if f.absent:
                scope[like] = f.absent
                condition = f"{v}.keys().isdisjoint({like})"
            if issubclass(type(f.value), Tensor) and f.check and not isinstance(f.like, Fact):
                condition = f"{condition} and {_typed(f, v, scope)}"
            yield f, lines, condition

    def _fixed(self, f: Fact, scope: dict[str, Any]) -> str:
        scope[f"v{f.number}"] = f.value
        return f"v{f.number}"

    def _name(self, p: Fact) -> str:
        return f"e{p.number}" if p.number >= 0 else f"g{id(p.value)}"

    def _parent(self, p: Fact, scope: dict[str, Any], ready: set[str]) -> list[str]:
        """Lines for a parent that is no fact: a cell or the globals as they are, or the defaults of a function."""
        name = self._name(p)
        if p.number >= 0 or name in ready:
            return []
        ready.add(name)
        if p.step is None:
            scope[name] = p.value
            return []
        assert p.parent is not None
        above = self._parent(p.parent, scope, ready)
        return [*above, f"{name} = {_step(p, self._name(p.parent), scope)}"]

    def lines(self, roots: Sequence[str], scope: dict[str, Any], hidden: Sequence[Fact]) -> list[str]:
        """Lines that return MISS unless every fact holds; e<number> is then the value of one that is `hidden`."""
        body: list[str] = []
        wanted = set(hidden)
        for f in reversed(self.facts):
            if f.check or f.apart or f.absent or f in wanted:
                wanted.update(p for p in (f, f.parent, f.like, *f.apart) if isinstance(p, Fact))
        for _, lines, condition in self._lines(roots, scope, wanted):
            body += lines
            if condition:
                body.append(f"if not ({condition}): return MISS")
        if not body:
            return []
        scope["UNREADABLE"] = UNREADABLE
        return ["try:", *(f"    {line}" for line in body), "except UNREADABLE: return MISS"]

    def look(self, hidden: Sequence[Fact]) -> Callable[[Sequence[Any]], Any]:
        """A function of roots, which gives the Tensors at these facts, or MISS if a program does not fit."""
        scope: dict[str, Any] = {"MISS": MISS}
        lines = self.lines([f"roots[{k}]" for k in range(len(self.roots))], scope, hidden)
        lines.append(f"return ({''.join(f'e{f.number}, ' for f in hidden)})")
        exec("def look(roots):\n    " + "\n    ".join(lines), scope)
        found: Callable[[Sequence[Any]], Any] = scope["look"]
        return found

    def moved(self) -> list[Fact]:
        """The facts that hold no longer."""
        scope: dict[str, Any] = {"UNREADABLE": UNREADABLE}
        text = ["def look(roots):", "  moved = []"]
        for f, lines, condition in self._lines([f"roots[{k}]" for k in range(len(self.roots))], scope):
            text.append("  try:")
            text += [f"    {line}" for line in lines]
            if issubclass(type(f.value), Tensor):
                scope[f"t{f.number}"] = f.value
                condition = f"e{f.number} is t{f.number}"  # a trace may not put another one there
            text.append(f"    if not ({condition or True}): moved.append({f.number})")
            text.append(f"  except UNREADABLE: moved.append({f.number})")
        exec("\n".join([*text, "  return moved"]), scope)
        found = scope["look"]([value for _, value in self.roots])
        filled = [f for f, known in self.caches if not {*map(id, cached(f.value))} <= {*map(id, known)}]
        return [*(self.facts[k] for k in found), *filled]


def _step(f: Fact, parent: str, scope: dict[str, Any]) -> str:
    assert f.step is not None
    kind, key = f.step
    if kind == "read":
        scope[f"k{f.number}"] = key
        return f"k{f.number}({parent})"
    if kind == "own":
        scope[f"k{f.number}"], scope[f"b{f.number}"] = key[1], key[0].__getitem__
        return f"b{f.number}({parent}, k{f.number})"
    if kind == "slot":
        return f"getattr({parent}, {key!r}, UNSET)"
    if kind == "attr":
        plain = key.isidentifier() and not keyword.iskeyword(key)
        return f"{parent}.{key}" if plain else f"getattr({parent}, {key!r})"
    if type(key) in (int, str):
        return f"{parent}[{key!r}]"
    scope[f"k{f.number}"] = key
    return f"{parent}[k{f.number}]"


def _typed(f: Fact, v: str, scope: dict[str, Any]) -> str:
    """The condition that a Tensor has the type that it had and, if that was asked for, the value."""
    data, d = f.value.node.data, f"{v}.node.data"
    if type(data) in NUMBERS:
        text = f"{d}.__class__ is {type(data).__name__}"
    else:
        scope[f"d{f.number}"] = data.dtype
        known = f"d{f.number}"
        text = f"(d := {d}).shape == {data.shape} and (d.dtype is {known} or d.dtype == {known})"
    if f.valued:
        scope[f"x{f.number}"] = kept(data)
        text += f" and same({d}, x{f.number})"
    return text
