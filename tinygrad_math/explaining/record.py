"""`record`: a computation that can be edited, to see what follows from a value."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from types import FrameType, FunctionType
from typing import Any, NamedTuple

import numpy as np

from ..core.arguments import named
from ..core.conversion import node_of
from ..core.errors import ArgumentError, DTypeError, NonScalarError, ShapeError, describe
from ..core.mode import Mode, under
from ..core.node import DIFFERENTIABLE, Constant, Node
from ..core.place import is_library
from ..core.tensor import Tensor, select, wrap
from ..core.tensor import record as apply
from ..core.tree import Structure, flatten, flatten_each, unflatten
from ..core.walk import Trail, pullback
from ..formulas.notation import latex
from ..formulas.terms import quoted, symbol
from ..formulas.tracing import of_op, shape_of
from ..inspect.computation import Computation
from ..viz.graph import Graph, graph
from .change import Change, Shift
from .document import Block, Document, Equation, Equations, Inline, Math, Shown
from .explain import explain
from .naming import Names, variables, written
from .values import short, value_is_short, value_latex

_ROWS = 60  # values that are listed
Nodes = set[Node]


class Step(NamedTuple):
    """One value of a computation, and how it was made: `op(*args, **params)`.

    `args` are the ids of earlier steps, as strings, and constants. Of f's arguments, of constants and of what was set,
    `op` is None and `args` are empty. An op with several results is a step with a tuple, and each part one of "select".
    """

    id: str
    name: str | None
    op: str | None
    args: tuple[Any, ...]
    params: Mapping[str, Any]
    value: Any


class Record(Shown):
    """A computation as it ran, whose values can be set: see `record`.

    `.value` is what f returns with the values as they are set; `.set(node, value)` sets one, `.reset()` undoes all of
    it; `.grad()` is the gradient in the arguments, `.grad(node)` in any value; `.graph()` draws, `.explain()` explains.
    `.steps` lists every value with the op and the arguments that made it, for programs that walk over them.
    A node is given by its name, by a Tensor, or by its id in `.text()`, which is that in `tm.graph(...).text()` of the
    computation as it ran.
    """

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...]) -> None:
        local: dict[Node, str] = {}
        self._ran = ran = Computation(_naming(f, local), args, "record")
        leaves, self._structure = flatten_each(args)
        self._single = len(args) == 1
        moving = [k for k, leaf in enumerate(leaves) if _data(leaf).dtype.kind in "fc"]
        self._inputs: dict[int, Node] = dict(zip(moving, ran.tape.inputs, strict=True))
        self._origin = {leaves[k].node: n for k, n in self._inputs.items() if isinstance(leaves[k], Tensor)}
        titles = list(_titles(f, args))
        given = {n: (isinstance(leaves[k], Tensor) and leaves[k].name) or titles[k] for k, n in self._inputs.items()}
        self._outputs = [y.node for y in ran.tape.outputs]
        self._nodes = self._needed()
        called = f.__name__ if isinstance(f, FunctionType) and f.__name__.isidentifier() else None
        result = {n: called for n in self._outputs if len(self._outputs) == 1}
        self._names = _unique({n: given.get(n) or n.name or local.get(n) or result.get(n) for n in self._nodes})
        self._set: dict[Node, Node] = {}
        self._now: dict[Node, Node] = {}
        self._compute(None)
        self._first = dict(self._now)
        self._ids = self._numbered()

    def _needed(self) -> list[Node]:
        """What the results were made of, oldest first, from the arguments on."""
        seen, stack = set(self._outputs), list(self._outputs)
        start = set(self._inputs.values())
        while stack:
            n = stack.pop()
            for i in () if n in start else self._ran.making(n)[1]:
                if i not in seen and type(i) is not Constant:
                    seen.add(i)
                    stack.append(i)
        return sorted({*seen, *start}, key=lambda n: n.tick)

    def _numbered(self) -> dict[Node, str]:
        """Ids as a drawing of the results gives them, and further ones for what is not drawn."""
        roots = [self._now[n] for n in self._outputs]
        seen, stack = set(roots), list(roots)
        while stack:
            for i in stack.pop().inputs:
                if i not in seen:
                    seen.add(i)
                    stack.append(i)
        first = [n for n in self._nodes if self._now[n] in seen]
        return {n: f"n{k}" for k, n in enumerate([*first, *(n for n in self._nodes if self._now[n] not in seen)])}

    # -- what it comes to -------------------------------------------------------------------------------------------
    @property
    def value(self) -> Any:
        """What f returns, with the values as they are set: Tensors, which require a gradient as f's did."""
        return unflatten(self._ran.tape.out_structure, [wrap(self._now[n]) for n in self._outputs])

    @property
    def steps(self) -> list[Step]:
        """Each value as it is now, in the order in which they were made; the ids are those of `.text()`.

        >>> import tinygrad_math as tm
        >>> for s in tm.record(lambda x: tm.sin(x) * 3.0, 0.0).steps:
        ...     print(s.id, s.op, s.args, s.value.item())
        n0 None () 0.0
        n1 sin ('n0',) 0.0
        n2 multiply ('n1', 3.0) 0.0
        """
        out = []
        for n in self._nodes:
            op, inputs, params = self._ran.making(n)
            if n in self._set or n in self._inputs.values() or op is None:
                op, inputs, params = None, (), {}
            args = tuple(self._ids[i] if i in self._ids else _given(i.data) for i in inputs)
            name = None if op is None else op.name
            out.append(Step(self._ids[n], self._names.get(n), name, args, dict(params), _given(self._now[n].data)))
        return out

    def grad(self, node: Any = None) -> Any:
        """The gradient of the value, which is one number, in the arguments, as a tree like them; or in one node.

        Raises NonScalarError for a value that is no number, ArgumentError for a node that is not there.
        """
        if node is not None:
            n = self._now[self._find(node)]
            return wrap(Node(self._gradients([n])[n]))
        wanted = {k: self._now[n] for k, n in self._inputs.items()}
        found = self._gradients(list(wanted.values()))
        count = self._structure.leaf_count
        leaves = [wrap(Node(found[wanted[k]])) if k in wanted else None for k in range(count)]
        tree = unflatten(self._structure, leaves, values=False)
        return tree[0] if self._single else tree

    def _gradients(self, targets: list[Node]) -> dict[Node, Any]:
        root = self._root()
        if root is None:
            outputs = ", ".join(describe(n.data) for n in self._outputs)
            raise NonScalarError(f"record: a gradient is that of one real number, and f returns {outputs}")
        trail = Trail([root], targets)
        found = pullback(trail, [(root, np.ones_like(root.data)[()])]) if trail.nodes else {}
        return {n: found[n] if n in found else np.zeros_like(n.data)[()] for n in targets}

    def _root(self) -> Node | None:
        """The result, where it is one real number."""
        root = self._now[self._outputs[0]] if len(self._outputs) == 1 else None
        return (
            root if root is not None and np.size(root.data) == 1 and np.asarray(root.data).dtype.kind == "f" else None
        )

    # -- editing ----------------------------------------------------------------------------------------------------
    def set(self, node: Any, value: Any) -> Change:
        """Give one value another one; what depends on it is computed again, and nothing else. Returns what changed.

        Arguments: `node` a name, an id, or a Tensor; `value` an array or a number, which is repeated over the node's
        shape, or a function of the array as it is. What was decided in Python while f ran (an `if`, the number of steps
        of a loop) stays as it was decided. A node that is set hangs on nothing: no gradient flows on through it.
        Raises ArgumentError for a node that is not there, ShapeError or DTypeError for a value that does not fit.
        """
        n = self._find(node)
        before = dict(self._now)
        old = self._now[n].data
        if isinstance(old, tuple):
            raise ArgumentError(f"record: {self._title(n)} has several parts; set one of them")
        data = _fitting(value(np.array(old)) if callable(value) else value, np.asarray(old), self._title(n))
        fresh = Node(data, live=DIFFERENTIABLE if data.dtype.kind in "fc" else 0)
        kept, now = self._set, dict(self._now)
        self._set = {**kept, n: fresh}
        try:
            count = self._compute({n})
        except BaseException:
            self._set, self._now = kept, now
            raise
        return self._changed((Math(written(self._title(n))), " was set"), before, count, n)

    def reset(self) -> Change:
        """Take back all that was set. Returns what changed by that."""
        before = self._now
        self._set, self._now = {}, dict(self._first)
        return self._changed(("All values are as they were",), before, 0)

    def _compute(self, dirty: Nodes | None) -> int:
        """The nodes that depend on what is dirty (or all of them) anew. Returns how many steps that takes."""
        start, count = set(self._inputs.values()), 0
        for n in self._nodes:
            op, inputs, params = self._ran.making(n)
            if n in self._set:
                if dirty is not None and n not in dirty:
                    continue
                new = self._set[n]
            elif dirty is not None and dirty.isdisjoint(inputs):
                continue
            elif n in start:
                new = Node(n.data, live=DIFFERENTIABLE)
            elif op is None or (dirty is None and getattr(op, "random", False)):
                self._now[n] = n
                continue
            else:
                new = under(
                    Mode(bool(n.live) or op.constant, None), _again, op, [self._now.get(i, i) for i in inputs], params
                )
                count += _is_step(op)
                if dirty is not None:
                    dirty.add(n)
            if n in self._names:
                new.more().name = self._names[n]
            if n.meta is not None and n.meta.place is not None:
                new.more().place = n.meta.place
            new.tick = n.tick  # in the order of the first run, so that ids stay
            self._now[n] = new
        return count

    def _changed(
        self, what: tuple[Inline, ...], before: Mapping[Node, Node], count: int, target: Node | None = None
    ) -> Change:
        shifts = []
        for n in self._nodes:
            old, new = before[n], self._now[n]
            if old is not new and not isinstance(new.data, tuple):
                spoken = n is target or n in self._outputs or n in self._names
                shifts.append(Shift(self._title(n), np.asarray(old.data), np.asarray(new.data), spoken))
        gradients, value, now = [], None, self._now
        if self._root() is not None:
            inputs = list(self._inputs.values())
            after = self._gradients([now[n] for n in inputs])
            self._now = dict(before)
            try:
                earlier, root = self._gradients([before[n] for n in inputs]), self._root()
            finally:
                self._now = now
            for n in inputs:
                gradients.append(Shift(self._title(n), np.asarray(earlier[before[n]]), np.asarray(after[now[n]]), True))
            ends = root, self._root()
            value = tuple(float(np.reshape(r.data, ())) for r in ends if r is not None)
        return Change(what, count, self._steps(), shifts, gradients, value)

    def _steps(self) -> int:
        return sum(_is_step(self._ran.making(n)[0]) for n in self._nodes if n not in self._origin.values())

    # -- finding --------------------------------------------------------------------------------------------------
    def _title(self, n: Node) -> str:
        return self._names.get(n) or self._ids.get(n) or "a value"

    def _find(self, node: Any) -> Node:
        """The node that is meant, of the computation as it ran."""
        if isinstance(node, Tensor):
            n = self._origin.get(node.node, node.node)
            if n in self._now:
                return n
            for ours, now in self._now.items():
                if now is n:
                    return ours
            raise ArgumentError(f"record: {describe(node)} has no part in this computation; g.text() lists what has")
        for table in (self._names, self._ids):
            for n, title in table.items():
                if title == node and n in self._now:
                    return n
        known = ", ".join(map(repr, list(self._names.values())[:20])) or "none"
        raise ArgumentError(
            f"record: no value is named {describe(node)}; names are {known}, ids those that g.text() lists"
        )

    # -- showing --------------------------------------------------------------------------------------------------
    def graph(self, **options: Any) -> Graph:
        """The drawing of the computation as it is now; options as those of `tm.graph`."""
        return graph([y for y in flatten(self.value)[0] if isinstance(y, Tensor)], **options)

    def explain(self, x: Any = None, **options: Any) -> Any:
        """The chain rule of the value, path by path, in one of the values (the arguments if none is given).

        Arguments: `x` a name, an id or a Tensor; options as those of `tm.explain`. Raises what that raises.
        """
        root = self._root()
        if root is None:
            raise NonScalarError("record: of a function that returns one number its derivative can be explained")
        nodes = [self._now[n] for n in self._inputs.values()] if x is None else [self._now[self._find(x)]]
        targets = [wrap(n) for n in nodes]
        return explain(wrap(root), targets[0] if len(targets) == 1 else targets, **options)

    def document(self) -> Document:
        title = {n: written(self._names[n]) if n in self._names else rf"\text{{{self._ids[n]}}}" for n in self._nodes}
        fixed = {self._now[n]: symbol(title[n], shape_of(self._now[n].data)) for n in self._nodes}
        names = Names([], self._now[self._outputs[0]], [], *variables(2), fixed)
        rows = []
        for n in self._nodes:
            now, (op, inputs, params) = self._now[n], self._ran.making(n)
            left = rf"\text{{{self._ids[n]}}}"
            if n in self._names:
                left = rf"{left} \;\; {written(self._names[n])}"
            rights, notes = [], []
            if n in self._set:
                notes.append("set")
            elif op is not None and n not in self._inputs.values():
                args = tuple(quoted(names.formula(self._now.get(i, i))) for i in inputs)
                rights.append(latex(of_op(op, args, params, shape_of(now.data))))
            if isinstance(now.data, tuple):
                notes.append(f"{len(now.data)} parts")
            elif value_is_short(now.data):
                rights.append(value_latex(now.data))
            else:
                notes.append(short(now.data))
            line = self._ran.line(n)
            rows.append(Equation(left, tuple(rights), "; ".join([*notes, line] if line else notes)))
        if len(rows) > _ROWS:
            rest = Equation(r"\vdots", (), f"{len(rows) - _ROWS:,} more")
            rows = [*rows[: _ROWS // 2], rest, *rows[-_ROWS // 2 :]]
        blocks: list[Block] = [Equations(tuple(rows))]
        return Document((f"A computation of {_steps(self._steps())}",), blocks)

    def __repr__(self) -> str:
        edited = f", {len(self._set)} set" if self._set else ""
        return f"Record of {_steps(self._steps())}{edited}; .text() lists them, .set(node, value) edits one"


def _again(op: Any, args: list[Node], params: Mapping[str, Any]) -> Node:
    """The node of an op applied again."""
    if op is select:
        whole = args[0]
        return (
            Node(whole.data[params["index"]], select, (whole,), params, whole.live)
            if whole.live
            else Node(whole.data[params["index"]])
        )
    made = apply(op, tuple(map(wrap, args)), params)
    if not op.many:
        return made.node  # type: ignore[no-any-return]
    part = made[0].node
    return part.inputs[0] if part.op is select else Node(tuple(p.node.data for p in made))


def _given(data: Any) -> Any:
    """A value as it is handed out: a Tensor that remembers nothing, a tuple of them, a Python number."""
    if isinstance(data, tuple):
        return tuple(map(_given, data))
    return wrap(Node(data)) if hasattr(data, "dtype") else data


def _is_step(op: Any) -> bool:
    return op is not None and op is not select and op.name != "alias"


def _data(leaf: Any) -> np.ndarray[Any, Any]:
    return np.asarray(node_of(leaf).data)


def _fitting(value: Any, old: np.ndarray[Any, Any], title: str) -> Any:
    """A value in the shape and dtype of the one whose place it takes."""
    array = _data(value)
    if array.dtype.kind == "c" and old.dtype.kind != "c":
        raise DTypeError(f"record: {title} is real, {describe(old)}, and takes no {describe(array)}")
    try:
        full = np.broadcast_to(array, old.shape)
    except ValueError:
        raise ShapeError(f"record: {title} is {describe(old)}, and takes no {describe(array)}") from None
    return np.array(full, dtype=old.dtype)[()]


def _titles(f: Callable[..., Any], args: tuple[Any, ...]) -> Iterator[str]:
    """What each leaf of the arguments is called: by f's parameters, and where it stands."""
    try:
        parameters = list(inspect.signature(f).parameters)
    except (TypeError, ValueError):
        parameters = []
    for k, arg in enumerate(args):
        head = parameters[k] if k < len(parameters) and parameters[k] != "args" else "x"
        structure = flatten(arg)[1]
        alone = len(args) == 1 and all(isinstance(key, str) for key in structure.keys)  # a dict's keys say enough
        stack: list[tuple[Structure, str]] = [(structure, "")]
        while stack:
            s, path = stack.pop()
            if s.kind is None:
                yield head if not path else path if alone else f"{head}.{path}"
            stack += [(c, f"{path}.{key}" if path else str(key)) for key, c in reversed(list(zip(s.keys, s.children)))]


def _unique(names: Mapping[Node, str | None]) -> dict[Node, str]:
    """Names that differ: what comes again gets a number."""
    counts: dict[str, int] = {}
    out = {}
    for n, name in names.items():
        if name:
            counts[name] = counts.get(name, 0) + 1
            out[n] = name if counts[name] == 1 else f"{name}.{counts[name]}"
    return out


def _naming(f: Callable[..., Any], found: dict[Node, str]) -> Callable[..., Any]:
    """f, whose variables and those of the functions that it calls are noted when they return."""
    if not callable(f):
        return f

    def run(*args: Any) -> Any:
        if sys.getprofile() is not None:  # somebody else looks
            return f(*args)

        def look(frame: FrameType, event: str, argument: Any) -> None:
            if event == "return" and not is_library(frame.f_code.co_filename):
                for name, value in frame.f_locals.items():
                    if isinstance(value, Tensor) and not name.startswith("_"):
                        found[value.node] = name

        sys.setprofile(look)
        try:
            return f(*args)
        finally:
            sys.setprofile(None)

    return run


def _steps(count: int) -> str:
    return f"{count:,} step{'' if count == 1 else 's'}"


@named
def record(f: Callable[..., Any], *x: Any) -> Record:
    """A computation that can be edited: f at x, run once, whose values can be set one by one.

    Arguments: `f` a function of arrays or of trees of them (a dict, a module), and `x` its arguments. Its values are
    named by their Tensors, by the arguments' places, and by f's own variables.
    Returns a Record; `g.set(node, value)` computes again what depends on a value, and says how the result and its
    gradient change. Raises ArgumentError for what is no function, and what f raises.

    >>> import tinygrad_math as tm
    >>> def loss(w):
    ...     h = tm.tanh(w)
    ...     return (h * w).sum()
    >>> g = tm.record(loss, tm.tensor([1.0, 2.0]))
    >>> g.set("h", 0.0)
    Change: h was set; 2 of 3 steps computed again, the result 2.6896 → 0
    >>> g.grad()
    tensor([0., 0.])
    """
    if not x:
        raise ArgumentError("record takes a function and its arguments: record(f, x)")
    return Record(f, x)
