"""Facts are asked again: one by one, or as lines of Python that read what lies where they were found, and compare."""

from __future__ import annotations

import functools
import keyword
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..core.tensor import Tensor
from .facts import MISS, UNREADABLE, UNSET, Fact
from .holders import cached, results_of, still_has
from .later import later
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
            if f.parts:
                assert f.step is not None
                scope[f"k{f.number}"] = f.step[1]
                lines.append(f"{v} = k{f.number}({', '.join(f'e{p.number}' for p in f.parts)})")
            elif f.parent is None:
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
        for _, lines, condition in self._lines(roots, scope, self._deciding(hidden)):
            body += lines
            if condition:
                body.append(f"if not ({condition}): return MISS")
        if not body:
            return []
        scope["UNREADABLE"] = UNREADABLE
        return ["try:", *(f"    {line}" for line in body), "except UNREADABLE: return MISS"]

    def _deciding(self, hidden: Sequence[Fact]) -> set[Fact]:
        """The facts that may hold no longer, the `hidden` ones, and those by which they are found."""
        wanted = set(hidden)
        for f in reversed(self.facts):
            if f.check or f.apart or f.absent or f in wanted:
                wanted.update(p for p in (f, f.parent, f.like, *f.apart, *f.parts) if isinstance(p, Fact))
        return wanted

    def look(self, hidden: Sequence[Fact]) -> Callable[[Sequence[Any]], Any]:
        """A function of roots, which gives the Tensors at these facts, or MISS if a program does not fit."""
        scope: dict[str, Any] = {"MISS": MISS}
        lines = self.lines([f"roots[{k}]" for k in range(len(self.roots))], scope, hidden)
        lines.append(f"return ({''.join(f'e{f.number}, ' for f in hidden)})")
        return later("look", "def look(roots):\n    " + "\n    ".join(lines), scope)

    def now(self, hidden: Sequence[Fact]) -> Any:
        """What `look` gives of these roots, without code for it."""
        known: dict[Fact, Any] = {}
        deciding = self._deciding(hidden)
        for f in self.facts:
            if f in deciding:
                try:
                    if not self._holds(f, known):
                        return MISS
                except UNREADABLE:
                    return MISS
        return tuple([known[f] for f in hidden])

    def moved(self) -> list[Fact]:
        """The facts that hold no longer."""
        known: dict[Fact, Any] = {}
        found = []
        for f in self.facts:
            if f.parts:
                continue
            try:
                holds = self._holds(f, known)
                if issubclass(type(f.value), Tensor):
                    holds = holds and known[f] is f.value  # a trace may not put another one there
            except UNREADABLE:
                holds = False
            if not holds:
                found.append(f)
        filled = [f for f, known in self.caches if not {*map(id, cached(f.value))} <= {*map(id, known)}]
        return [*found, *filled]

    def _holds(self, f: Fact, known: dict[Fact, Any]) -> bool:
        """Whether a fact holds; what lies there now is put to what is known."""
        if f.apart:
            return len({id(known[g]) for g in f.apart}) == len(f.apart)
        if f.parts:
            assert f.step is not None
            v = f.step[1](*[known[p] for p in f.parts])
        elif f.parent is None:
            assert f.step is not None
            v = f.value if f.fixed else self.roots[f.step[1]][1]
        else:
            v = _read(f, known)
        known[f] = v
        if f.absent:
            return v.keys().isdisjoint(f.absent)  # type: ignore[no-any-return]
        if not f.check:
            return True
        like = known[f.like] if isinstance(f.like, Fact) else f.like
        quick = results_of(f.value) if f.keeps else f.quick
        if not _condition(f.check)(v, like, quick):
            return False
        return not issubclass(type(f.value), Tensor) or isinstance(f.like, Fact) or _has_type(f, v)


def _read(f: Fact, known: dict[Fact, Any]) -> Any:
    """What lies at a fact; what its parent is has to be known."""
    p = f.parent
    assert f.step is not None
    assert p is not None
    parent = known[p] if p.number >= 0 else p.value if p.step is None else _read(p, known)
    kind, key = f.step
    if kind == "read":
        return key(parent)
    if kind == "own":
        return key[0].__getitem__(parent, key[1])
    if kind == "slot":
        return getattr(parent, key, UNSET)
    return getattr(parent, key) if kind == "attr" else parent[key]


@functools.lru_cache(1000)
def _condition(check: str) -> Callable[[Any, Any, Any], Any]:
    """A condition of facts, most of which have one of a few."""
    text = check.format(v="v", like="like", quick="quick")
    scope = {"same": same, "ndarray": np.ndarray, "UNSET": UNSET, "still_has": still_has}
    found: Callable[[Any, Any, Any], Any] = eval(f"lambda v, like, quick: {text}", scope)
    return found


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
    if f.shown:
        scope[f"n{f.number}"] = f.value.name
        text += f" and same({v}.name, n{f.number}) and {v}.requires_grad is {f.value.requires_grad}"
    return text


def _has_type(f: Fact, v: Any) -> bool:
    """The same, of a Tensor that is at hand."""
    data, d = f.value.node.data, v.node.data
    if type(data) in NUMBERS:
        alike = d.__class__ is type(data)
    else:
        alike = d.shape == data.shape and bool(d.dtype == data.dtype)
    if f.shown and not (same(v.name, f.value.name) and v.requires_grad is f.value.requires_grad):
        return False
    return alike and (not f.valued or same(d, data))
