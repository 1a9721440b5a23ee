"""The steps of a loop: what they carry, taken one by one as Python runs them, or staged as one op."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...core.beside import as_leaves, has_beside, lost, nodes_beside, refuse_others
from ...core.errors import ArgumentError, DTypeError, NoConvergence, ShapeError, TraceError, describe
from ...core.mode import MODE, watcher
from ...core.node import TRACED, TRANSFORMED, Node, unknown
from ...core.opening import room
from ...core.tensor import Tensor, as_tensor, clock, rec, wrap
from ...core.ties import firsts, is_tied, places, tied, untied
from ...core.tree import Structure, flatten, leaves_like, paths, show, unflatten
from ..batching.trace import drawn_since, write_out
from ..checkpoint import checkpoint as recomputed
from .body import learned
from .loop import too_long
from .marks import marked
from .staged import WrittenTo, guessed, staged_scan, staged_while

Fn = Callable[..., Any]
_ABOVE = {"b": "biufc", "i": "ufc", "f": "fc", "c": "c"}  # what a Python number of a kind may be taken as


class _Untied(Exception):
    """A step gives several values for what it was given as one: it is to be traced again, with as many."""


class Steps:
    """The steps of one loop: what is carried, and the ways to go through them."""

    def __init__(self, title: str, n: int | None, init: Any, functions: Sequence[Fn], reverse: bool = False) -> None:
        """`functions` are the user's, which a step calls."""
        self.title, self.n, self.functions, self.reverse = title, n, functions, bool(reverse)
        leaves, self.structure = flatten(init)
        self.numbers = [type(leaf) in (bool, int, float, complex) for leaf in leaves]
        self.softly = any(self.numbers)  # whether the first step may give y another dtype than the others
        self.state: list[Tensor] = []
        for leaf, number in zip(leaves, self.numbers, strict=True):
            t = as_tensor(leaf)
            if not number and not hasattr(t.node.data, "dtype"):
                t = rec.asarray(t)
            self.state.append(_carried(t, t is leaf))
        self.origin = [*range(len(leaves))]  # which leaf of init each one of the carry begins as
        self.tree, self.parts = ways_of(self.structure)
        self.beside = has_beside(self.structure)

    # -- as Python runs it ------------------------------------------------------------------------------
    def run(self, step: Fn, rows: list[Tensor], every: int | None) -> tuple[Any, Any]:
        """The last carry and what the steps gave."""
        n = self.n
        assert n is not None
        if not n:
            return self._of_none(step, [_ones(x) for x in rows])
        if n > 1 and _staged(watcher()):
            found: tuple[Any, Any] | None = self._steadily(lambda: self._staged(step, rows, every))
            if found is not None:
                return found
        since = clock()
        parts = [_parts(x, n) for x in rows]
        order = range(n - 1, -1, -1) if self.reverse else range(n)
        out: list[list[Any]] = [[] for _ in range(n)]
        shape: list[Structure] = []
        begin: list[Tensor] = []  # what the first step gave

        def stretch(state: Any, places: Sequence[int], own: Any) -> Any:
            given: list[Any] = []
            for t, row in zip(places, own, strict=True):
                try:
                    carry, y = step(self.tree(state), t, row)
                    state = self.checked(carry, state)
                    leaves = self.given(y, shape, begin, t)
                except Exception as error:
                    _named(error, self.title, t, n)
                    raise
                given.append(leaves)
                self.softly = self.softly and t == order[0]
            return state, given

        state: Any = self.state
        stride = n if every is None else every
        for start in range(0, n, stride):
            places = order[start : start + stride]
            own = [[p[t] for p in parts] for t in places]
            if stride < n:
                state, given = recomputed(functools.partial(stretch, places=places))(state, own=own)
            else:
                state, given = stretch(state, places, own)
            for t, leaves in zip(places, given, strict=True):
                out[t] = leaves
        if n == 1 and self.softly and begin:  # no second step tells what the numbers' dtypes make of y
            begin = self._later(step, order[0], [p[order[0]] for p in parts], state)[1]
        for k, like in enumerate(begin):
            if out[order[0]][k].dtype != like.dtype:
                out[order[0]][k] = rec.astype(out[order[0]][k], like.dtype)
        ys = [rec.stack([out[t][k] for t in range(n)], axis=0) for k in range(len(begin))]
        state, ys = marked(self.title, n, since, state, ys)
        return self.tree(state), unflatten(shape[0], ys, values=False)

    def run_first(self, step: Fn, rows: list[Tensor], count: Tensor) -> tuple[Any, Any] | None:
        """The same of as many of the first rows as a compiled function says when it runs; None outside of one."""
        if not _staged(watcher()):
            return None
        found: tuple[Any, Any] | None = self._steadily(lambda: self._staged(step, rows, None, count))
        return found

    def checked(self, carry: Any, before: Sequence[Any]) -> list[Tensor]:
        """The leaves of a carry, which has to be like the one before."""
        leaves = self.parts(carry)
        if leaves is not None and all(map(_alike, leaves, before)):
            return leaves
        leaves = leaves_like(carry, untied(self.structure), strict=True)
        if leaves is None:
            raise ArgumentError(
                f"{self.title}: the carry keeps its containers; it was {show(self.structure)}, and the step gave "
                f"{show(flatten(carry)[1])}"
            )
        if self.beside:
            refuse_others(self.title, self.structure, untied(flatten(carry)[1]), "the carry")
        if is_tied(self.structure):
            leaves, before = self._tied_as(leaves, before)
        found = []
        for k, (leaf, old) in enumerate(zip(leaves, before, strict=True)):
            new = as_tensor(leaf)
            weak = not hasattr(old.node.data, "dtype")  # a Python number, which takes on the dtype that a step gives it
            if not hasattr(new.node.data, "dtype"):
                new = rec.asarray(new) if weak or new.dtype == old.dtype else rec.astype(new, _common(new, old))
            kept = new.dtype == old.dtype or (weak and new.dtype.kind in _ABOVE[old.dtype.kind])
            if new.shape != old.shape or not kept:
                kind = ShapeError if new.shape != old.shape else DTypeError
                name = paths(self.structure)[k]
                raise kind(
                    f"{self.title}: the carry keeps shapes and dtypes; {f'its leaf {name}' if name else 'it'} was "
                    f"{describe(old)}, and the step gave {describe(new)}"
                )
            found.append(new)
        return found

    def _tied_as(self, held: list[Any], before: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """The leaves of a carry of what its places hold, and those before: of a tie that the step does not keep, two.

        From here on the carry has as many leaves as the step gave.
        """
        ids = [id(part.node if isinstance(part, Tensor) else part) for part in held]
        keys = [(place.leaf, own) for place, own in zip(places(self.structure), ids, strict=True)]
        first = firsts(keys)
        origin = [keys[k][0] for k in first]
        if len(first) > len(before):
            self.structure = tied(self.structure, keys)
            self.tree, self.parts = ways_of(self.structure)
            self.numbers = [self.numbers[k] for k in origin]
            self.state = [self.state[k] for k in origin]
            self.origin = [self.origin[k] for k in origin]
        return [held[k] for k in first], [before[k] for k in origin]

    def given(self, y: Any, shape: list[Structure], begin: list[Tensor], t: Any) -> list[Tensor]:
        """The leaves of what a step gave beside the carry, like those of the first step, which `begin` holds.

        Each is a handle of its own: a later step may write to what this one gave.
        """
        if y is None and shape and shape[0].kind is type(None):
            return []
        if len(begin) == 1 and y.__class__ is Tensor and shape[0].kind is None and _alike(y, begin[0]):
            return [wrap(y.node)]
        leaves, structure = _taken_apart(y)
        found = []
        for leaf in leaves:
            new = wrap(as_tensor(leaf).node)
            found.append(new if hasattr(new.node.data, "dtype") else rec.asarray(new))
        if not shape:
            shape.append(structure)
            begin += found
        elif show(structure) != show(shape[0]):
            raise ArgumentError(
                f"{self.title}: y was {show(shape[0])} at the first step and {show(structure)} at step {t}"
            )
        if has_beside(structure) or has_beside(shape[0]):
            for name, _ in nodes_beside(structure):
                raise lost(f"{self.title}: y", name)
            refuse_others(self.title, shape[0], structure, "y")
        for k, (a, b) in enumerate(zip(begin, found, strict=True)):
            if a.shape == b.shape and a.dtype != b.dtype and self.softly and b.dtype.kind in _ABOVE[a.dtype.kind]:
                begin[k] = b  # the first step was given a Python number
            elif a.shape != b.shape or a.dtype != b.dtype:
                kind = ShapeError if a.shape != b.shape else DTypeError
                name = paths(structure)[k]
                raise kind(
                    f"{self.title}: {f'y.{name}' if name else 'y'} was {describe(a)} at the first step and "
                    f"{describe(b)} at step {t}"
                )
        return found

    def _of_none(self, step: Fn, row: Sequence[Tensor]) -> tuple[Any, Any]:
        """A loop without steps: the carry as it was, and arrays without rows like what a step would give."""
        whole, count, begin = self.tree, len(self.state), self.state
        if self.softly:  # the numbers take on the dtypes that a step gives them
            begin = self.checked(learned(step, self.tree(begin), 0, row)[0], begin)
        structure, like, after = self._later(step, 0, row, begin)
        state = [
            rec.astype(rec.asarray(s), a.dtype) if number else s
            for s, a, number in zip(self.state, after, self.numbers, strict=True)
        ]
        empty = [as_tensor(np.zeros((0, *s.shape), s.dtype)) for s in like]
        return whole([state[self.origin.index(k)] for k in range(count)]), unflatten(structure, empty, values=False)

    def _later(self, step: Fn, t: int, row: Sequence[Tensor], state: Sequence[Tensor]) -> Any:
        """The structure of y, its leaves and the carry, as a step gives them that begins with a carry like this one."""
        given = [wrap(Node(np.array(s.node.data)[()])) for s in state]
        carry, y = learned(step, self.tree(given), t, row)
        leaves, structure = _taken_apart(y)
        return structure, [as_tensor(leaf) for leaf in leaves], self.checked(carry, given)

    # -- as one op --------------------------------------------------------------------------------------
    def _steadily(self, run: Callable[[], Any]) -> Any:
        """What a run of the loop as one op gives; None where its steps are to be written out.

        That is where a step looks at values that change from step to step, or needs them as plain numbers. Where it
        changes what lies around it, as Python's loop would at each step, the function is to be traced again.
        """
        look = room("compiler.environment").surroundings(self.title, self.functions)
        found, since = None, clock()
        try:
            while found is None:
                since = clock()
                try:
                    found = run()
                except _Untied:
                    drawn_since(since, watcher())  # the steps draw when they are traced again
        except WrittenTo:
            raise
        except Exception as error:
            if (
                self.n is None
                or self.title == "while_loop"
                or (not isinstance(error, TraceError) and guessed(watcher()))
            ):
                raise
            drawn_since(since, watcher())  # the steps draw when they are written out
        changed = look()
        if changed:
            write_out(watcher())
            raise WrittenTo(
                f"{self.title}: a step changes {', '.join(changed[:3])}, which Python's loop does at each step; let it "
                "be part of the carry"
            )
        return found

    def _staged(self, step: Fn, rows: list[Tensor], every: int | None, count: Tensor | None = None) -> tuple[Any, Any]:
        n = self.n
        assert n is not None
        shape: list[Structure] = []  # of what the last run gave

        def one(state: list[Tensor], t: Any, row: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
            shape.clear()
            try:
                carry, y = step(self.tree(state), t, row)
                return self._as_many(carry, state), self.given(y, shape, [], t)
            except Exception as error:
                _named(error, self.title, None, n)
                raise

        state, ys = staged_scan(self.title, n, self.state, rows, self.reverse, one, every, count)
        return self.tree(state), unflatten(shape[0], ys, values=False)

    def _as_many(self, carry: Any, before: Sequence[Any]) -> list[Tensor]:
        """As `checked`, for a step that stands for all of them. Raises _Untied where it gives more than it got."""
        found = self.checked(carry, before)
        if len(found) > len(before):
            raise _Untied
        return found

    def run_while(self, cond: Fn, body: Fn) -> Any:
        """The carry when the condition no longer holds."""
        since = clock()
        state: Any = self.state
        done = 0
        try:
            while True:
                asked = clock()
                holds = _one_boolean(cond(self.tree(state)))
                if isinstance(holds, Tensor) and unknown(holds.node):
                    drawn_since(asked, watcher())  # it is asked again, and draws then
                    return self._staged_while(cond, body, done, state)
                if not bool(holds):
                    break
                if done == self.n:
                    raise NoConvergence(too_long(self.title, done))
                state = self.checked(body(self.tree(state)), state)
                done += 1
        except Exception as error:
            _named(error, self.title, done, self.n)
            raise
        state = [rec.asarray(s) if not hasattr(s.node.data, "dtype") else s for s in state]
        state, _ = marked(self.title, done, since, state, [], bounded=self.n is not None)
        return self.tree(state)

    def _staged_while(self, cond: Fn, body: Fn, done: int, state: list[Tensor]) -> Any:
        """The same as one op, from a step on whose condition depends on values that are not known."""

        def holds(state: list[Tensor]) -> Tensor:
            found = as_tensor(_one_boolean(cond(self.tree(state))))
            return found if hasattr(found.node.data, "dtype") else rec.asarray(found)

        def one(state: list[Tensor]) -> list[Tensor]:
            return self._as_many(body(self.tree(state)), state)

        self.state = state
        left = None if self.n is None else self.n - done
        return self._steadily(lambda: self.tree(staged_while(self.title, left, self.state, holds, one)))


def _carried(t: Tensor, given: bool) -> Tensor:
    """What the first step gets of the carry. A step may assign to it, and a tensor that the caller gave stays as it is.

    A parameter that learns is carried itself: in its place another handle on its node would become another leaf.
    """
    node, mode = t.node, MODE.get()
    forgets = mode is not None and not mode.differentiable and mode.observe is None  # nothing is recorded, and so cut
    if given and t.shape and (not node.live or (forgets and not node.live & TRACED)):
        return wrap(Node(node.data.copy()))
    leaf = node.op is None and node.live and not node.live & (TRACED | TRANSFORMED)
    return t if leaf and not forgets and t._tree_leaf() is not None else wrap(node)


def _taken_apart(y: Any) -> tuple[list[Any], Structure]:
    """The leaves and the structure of what a step gives; with what its dataclasses compute of their fields."""
    leaves, structure = flatten(y)
    return as_leaves(leaves, structure, derived=True) if has_beside(structure) else (leaves, structure)


def _alike(new: Any, old: Tensor) -> bool:
    """Whether a leaf is a Tensor of the same shape and dtype as another."""
    if not isinstance(new, Tensor):
        return False
    a, b = new.node.data, old.node.data
    return hasattr(a, "dtype") and hasattr(b, "dtype") and a.shape == b.shape and a.dtype == b.dtype


def ways_of(structure: Structure) -> tuple[Callable[[Any], Any], Callable[[Any], list[Any] | None]]:
    """How a tree is put together of its leaves, and taken apart; the latter gives None where that takes more than this.

    Of one leaf, and of a plain tuple, list or dict of leaves, it takes next to nothing, as a loop does it at each step.
    """
    kind, keys, count = structure.kind, structure.keys, len(structure.children)
    if kind is None and structure.extra is None:
        return lambda leaves: leaves[0], lambda tree: [tree]
    if all(c.kind is None and c.extra is None for c in structure.children):
        if kind is tuple or kind is list:
            return kind, lambda tree: list(tree) if tree.__class__ is kind and len(tree) == count else None
        if kind is dict:
            return lambda leaves: dict(
                zip(keys, leaves, strict=True)
            ), lambda tree: [tree[k] for k in keys] if tree.__class__ is dict and tree.keys() == set(keys) else None
    return lambda leaves: unflatten(structure, list(leaves), "attached"), lambda tree: None


def _one_boolean(found: Any) -> Any:
    """What a condition gave, if it is one boolean."""
    if isinstance(found, (bool, np.bool_)):
        return found
    t = as_tensor(found)
    if t.shape != () or t.dtype != np.bool_:
        raise ArgumentError(f"while_loop: cond returns one boolean, got {describe(t)}")
    return t


def _common(new: Tensor, old: Any) -> Any:
    """The dtype that a Python number takes beside an array: the array's, unless it cannot hold the number's kind."""
    return np.result_type(old.dtype, new.node.data)


def _parts(x: Tensor, n: int) -> Sequence[Any]:
    """The rows of an array: of one that is recorded as parts of one step, whose derivative puts them together."""
    node = x.node
    if node.live or watcher() is not None:
        return list(rec.unstack(x))
    data = np.asarray(node.data)
    return [wrap(Node(data[t])) for t in range(n)]


def _staged(watch: Any) -> bool:
    """Whether a program is being written, also from within vmap, whose loops may be instructions."""
    while watch is not None:
        if getattr(watch, "traces", False):
            return not getattr(watch, "written_out", False)
        watch = getattr(watch, "watch", None)
    return False


def _ones(x: Tensor) -> Tensor:
    """What stands for a row where there is none."""
    return wrap(Node(np.ones(x.shape[1:], x.dtype)[()]))


def _named(error: Exception, title: str, t: int | None, n: int | None) -> None:
    """Let an error that a step raised name the step."""
    if not any(str(note).startswith(f"in {title}") for note in getattr(error, "__notes__", ())):
        which = "" if t is None else f", step {t}"
        error.add_note(f"in {title}{which}{'' if n is None else f' of {n}'}")
