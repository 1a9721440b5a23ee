"""A trace that leaves what surrounds the function as one run of it does, or says why the function cannot be compiled.

A compiled function runs once, when it is traced. If that changes something within its reach (a counter, a list that
it appends to), the program may be for the value before. So it is traced again with the value after: if the programs
are the same, the value does not matter; if they differ, the function depends on what it changes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from queue import SimpleQueue
from typing import Any
from weakref import ProxyTypes

import numpy as np

from ..core.errors import TraceError
from ..core.tensor import TRACED, Node, Tensor, clock
from .borrowed import as_passed
from .environment import Environment
from .facts import Fact
from .handlers import may_catch
from .holders import fill_again, is_lock, is_locked, lock_again, waiting
from .moving import numbers
from .outside import watched_calls
from .passes.common import is_random
from .places import moving
from .program import Value
from .reach import is_users_class, line_of, lineage
from .streams import restore, stream_in
from .trace import Fixed, Traced
from .values import contents, is_atom, put_back, same

_CONTAINERS = (list, dict, set, deque)


def steady(
    roots: Sequence[tuple[str, Any]],
    title: str,
    trace: Callable[[Environment], Traced],
    earlier: Sequence[Environment] = (),
    given: frozenset[int] = frozenset(),
) -> tuple[Traced, Environment] | None:
    """What `trace(environment)` gives, and the environment whose facts must hold for it.

    Numbers that changed since the `earlier` environments are read at each call, where the function only computes with
    them; of `given` see `numbers`. None if the function is to be run as it is this time, because it has yet to set up
    what it depends on.
    Raises TraceError where it depends on what it changes, or keeps a traced value; everything is then as before.
    """
    before = Environment(roots)
    first = Kept(before)
    found, moved = _run(first, title, trace)
    if not moved:
        return _reading(roots, title, trace, found, before, earlier, given) or (found, before)
    after = Environment(roots)
    second = Kept(after)
    try:
        again, moved_again = _run(second, title, trace)
    except BaseException as error:
        first.restore()
        if isinstance(error, TraceError) or not isinstance(error, Exception):
            raise
        return None  # a second call fails, as uncompiled, where it meets what the first one changed
    twice = Environment(roots) if moved_again else after
    second.restore()  # as one run left it
    if alike(found, again):
        depends = _counted(roots, title, trace, after, twice)
        if depends:
            first.restore()
            why = "and decides by it, or computes with it: return the new value"
            raise refused(title, after, depends, "changes", why)
        for fact in moved_again:
            fact.check = ""
        return again, after
    first.restore()
    if moved_again:
        why = "and what it computes depends on that: return the new value"
        raise refused(title, after, [f.path for f in moved_again], "changes", why)
    return None


def _counted(
    roots: Sequence[tuple[str, Any]],
    title: str,
    trace: Callable[[Environment], Traced],
    once: Environment,
    twice: Environment,
) -> list[str]:
    """The paths of numbers that a function changes and depends on, though two runs gave the same: `if self.n < 9`."""
    paths, opened = moving(once, [twice], 2)
    if not paths:
        return []
    environment = Environment(roots, opened=opened)
    found = numbers(environment, paths)
    kept = Kept(environment)
    try:
        with found.placed():
            trace(environment)
    except Exception:
        return []
    finally:
        kept.restore()
    return found.depended_on()


def _reading(
    roots: Sequence[tuple[str, Any]],
    title: str,
    trace: Callable[[Environment], Traced],
    found: Traced,
    before: Environment,
    earlier: Sequence[Environment],
    given: frozenset[int],
) -> tuple[Traced, Environment] | None:
    """The program that reads the numbers that move, if it is `found` but for these; None if there is none such.

    It is where code can tell what stands for a number from the number by other ways than by asking it.
    """
    if found.hooked or before.makes_anew or before.identities or before.caches or may_catch(before.functions):
        return None
    paths, opened = moving(before, earlier)
    if not paths:
        return None
    environment = Environment(roots, opened=opened)
    made = [numbers(environment, paths, given)]
    if not made[0].places:
        return None

    def read(environment: Environment) -> Traced:
        made.append(numbers(environment, paths, given))
        with made[-1].placed():
            return trace(environment)

    kept = Kept(environment)
    try:
        again, moved = _run(kept, title, read)
    except Exception:
        return None
    finally:
        kept.restore()
    steps = made[-1]
    if moved or steps.escaped() or not steps.settle() or not alike(found, again):
        return None
    return again, environment


def _run(kept: Kept, title: str, trace: Callable[[Environment], Traced]) -> tuple[Traced, list[Fact]]:
    """A trace, and the facts that it changed."""
    environment = kept.environment
    try:
        with watched_calls(environment.asks) as asked:
            found = _again(kept, trace)
    except TraceError:
        kept.restore()
        raise
    except BaseException:
        kept.restore_tensors()
        raise
    if asked:
        kept.restore()
        place = asked[0].place
        raise TraceError(
            f"{title} {asked[0]}, and a program would have what it was told once: ask before, and pass the answer as "
            f"an argument.\n  File {place.file!r}, line {place.line}\n    {place.text}"
        )
    streams = [f for f, state in environment.streams if not same(state, stream_in(f.value)[1])]
    if streams:
        kept.restore()
        what = "and a program would have what was drawn once: draw with tm.random, or pass it as an argument"
        raise refused(title, environment, [f.path for f in streams], "draws from", what)
    moved = [*environment.moved(), *kept.moved_tensors()]
    if found.hooked and moved:  # it will be run as it is, which does all this
        kept.restore()
        return found, []
    stored = kept.stored() if moved else []
    if stored:
        kept.restore()
        what = "where it has no value: return it instead, and pass it as an argument"
        raise refused(title, environment, [f.path for f in stored], "stores a traced value in", what)
    return found, moved


def _again(kept: Kept, trace: Callable[[Environment], Traced]) -> Traced:
    """A trace, made again where it found loops to be written out, or that their values may not be guessed."""
    environment = kept.environment
    while True:
        before = environment.written_out, environment.exact
        try:
            return trace(environment)
        except TraceError:
            if environment.written_out == before[0]:
                raise
        except Exception:
            if not environment.guessed or before[1]:
                raise
            environment.exact = True  # an op refused the values that stood for those of a loop: it is given these
        kept.restore()


def refused(title: str, environment: Environment, paths: Sequence[str], verb: str, why: str) -> TraceError:
    """An error that names what lies at these paths, and the line that has to do with the first."""
    names = ", ".join(dict.fromkeys(paths[:3]))
    place = line_of(environment.functions, paths[0])
    where = "" if place is None else f"\n  File {place.file!r}, line {place.line}\n    {place.text}"
    return TraceError(f"{title} {verb} {names}, {why}.{where}")


class Kept:
    """What lies in reach of a function as it is now, to be put back."""

    def __init__(self, environment: Environment) -> None:
        self.environment, self.start = environment, clock()
        self.contents: list[tuple[Any, Any]] = []
        self.tensors: list[tuple[Fact, Node, Any, Any]] = []
        self.locks: list[tuple[Any, bool]] = []
        self.queues: list[tuple[Any, list[Any]]] = []
        for f in environment.facts:
            x = f.value
            if type(x) in ProxyTypes:  # what it stands for is a fact of its own
                continue
            if f.own:
                self.contents.append((x.__dict__, x.__dict__.copy()))
            if isinstance(x, Tensor):
                m = x.node.meta
                history = (0, None) if m is None else (m.changed, m.window)
                self.tensors.append((f, x.node, x.node.data, (type(x.node), *history)))
            elif f.plain:
                self.contents += contents(x)
            elif is_lock(x):
                self.locks.append((x, is_locked(x)))
            elif isinstance(x, SimpleQueue):
                self.queues.append((x, waiting(x)))
            elif isinstance(x, _CONTAINERS) or (isinstance(x, np.ndarray) and x.flags.writeable):  # of other objects
                self.contents.append((x, x.copy()))
        found = {
            k for f in environment.facts for k in lineage(f.value if issubclass(type(f.value), type) else type(f.value))
        }
        self.classes = [(k, dict(vars(k))) for k in found if is_users_class(k)]

    def moved_tensors(self) -> list[Fact]:
        return [f for f, node, data, _ in self.tensors if f.value.node is not node or node.data is not data]

    def stored(self) -> list[Fact]:
        """Where traced values of this run lie now, however deep in what it has put there."""
        now = Environment(self.environment.roots)
        before = {id(f.value) for f in self.environment.facts}
        new = [f for f in now.facts if id(f.value) not in before and not is_atom(f.value)]
        roots = [(f.path, f.value) for f in new]
        old = {id(x): was for x, was in self.contents if isinstance(x, set)}
        for f in now.facts:  # the elements of a set are no facts
            if issubclass(type(f.value), set):
                roots += [(f"an element of {f.path}", e) for e in f.value - old.get(id(f.value), set())]
        beside = Environment(roots, everything=True).facts if roots else []
        nodes = [(f, f.value.node) for f in (*now.facts, *beside) if issubclass(type(f.value), Tensor)]
        return [f for f, node in nodes if node.live & TRACED and node.tick >= self.start]

    def restore_tensors(self) -> None:
        for f, node, data, history in self.tensors:
            f.value.node = node
            if node.data is not data:
                kind, changed, window = history
                node.__class__, node.data, node.more().changed, node.more().window = Node, data, changed, window
                node.__class__ = kind

    def restore(self) -> None:
        self.restore_tensors()
        for x, old in self.contents:
            put_back(x, old)
        for x, locked in self.locks:
            lock_again(x, locked)
        for x, waited in self.queues:
            fill_again(x, waited)
        for kind, held in self.classes:
            _put_back_class(kind, held)
        for f in self.environment.facts:
            f.put_back()
        for f in self.environment.unused:
            f.value.cache_clear()
        for f, state in self.environment.streams:
            restore(stream_in(f.value)[0], state)


def _put_back_class(kind: type, held: Mapping[str, Any]) -> None:
    """Make the entries of a class what they were."""
    now = vars(kind)
    for name in now.keys() - held.keys():
        type.__delattr__(kind, name)
    for name, value in held.items():
        if now.get(name) is not value:
            type.__setattr__(kind, name, value)


def alike(a: Traced, b: Traced) -> bool:
    """Whether two traces gave the same program, and the same results beside it.

    Numbers that the second one reads, and what is computed of these alone, are what the first one has as constants.
    """
    hidden = [f for f in b.hidden if not f.parts]
    if (
        a.structure != as_passed(b.structure)
        or [f.path for f in a.hidden] != [f.path for f in hidden]
        or a.hooked != b.hooked
    ):
        return False
    p, q = a.program, b.program
    read = _of_numbers(b)
    rows = [*p.arguments, *p.body], [v for v in (*q.arguments, *q.body) if v not in read]
    if len(p.arguments) != len(q.arguments) - len(b.hidden) + len(hidden) or len(rows[0]) != len(rows[1]):
        return False
    twins = dict(zip(*rows, strict=True))

    def twin(v: Value, w: Value) -> bool:
        return twins.get(v) is w or (v.constant and (w.constant or w in read) and same(v.example, w.example))

    def same_output(x: Any, y: Any) -> bool:
        if isinstance(x, Fixed) or isinstance(y, Fixed):
            return _same_output(x, y) if isinstance(y, Fixed) else _is_read(x, q.results[y], read)
        return twin(p.results[x], q.results[y])

    for v, w in twins.items():
        if (
            not _same_function(v, w)
            or (v.shape, v.dtype, v.weak) != (w.shape, w.dtype, w.weak)
            or not same(v.params, w.params)
        ):
            return False
        if len(v.inputs) != len(w.inputs) or not all(map(twin, v.inputs, w.inputs)):
            return False
    return len(a.outputs) == len(b.outputs) and all(map(same_output, a.outputs, b.outputs))


def _of_numbers(traced: Traced) -> set[Value]:
    """The arguments that are numbers read at each call, and what is computed of such alone."""
    arguments = traced.program.arguments[-len(traced.hidden) :] if traced.hidden else []
    found = {v for v, f in zip(arguments, traced.hidden, strict=True) if f.parts}
    for v in traced.program.body if found else ():
        if not found.isdisjoint(v.inputs) and all(i.constant or i in found for i in v.inputs) and not is_random(v):
            found.add(v)
    return found


def _is_read(fixed: Any, v: Value, read: set[Value]) -> bool:
    """Whether a result that was the same at every call is what is now computed of numbers that are read."""
    if v not in read:
        return False
    if isinstance(fixed.leaf, Tensor):
        return v.op is not None and same(fixed.leaf.node.data, v.example)
    return v.op is None and same(fixed.leaf, v.example)


def _same_function(v: Value, w: Value) -> bool:
    return v.op is w.op if v.op is None or w.op is None else v.op.alike(w.op)


def _same_output(a: Any, b: Any) -> bool:
    if isinstance(a, Fixed) and isinstance(b, Fixed):
        x, y = a.leaf, b.leaf
        return same(x.node.data, y.node.data) if isinstance(x, Tensor) and isinstance(y, Tensor) else same(x, y)
    return same(a, b)
