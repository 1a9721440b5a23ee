"""One neutral view of a recorded graph, from which every renderer draws."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Any, NamedTuple

import numpy as np

from ..core.errors import MathError
from ..core.node import NO_PARAMS
from ..core.op import raw
from ..core.tensor import DIFFERENTIABLE, Node, Tensor, as_tensor, rec, wrap
from ..core.walk import Trail, pullback
from .values import dtype_of, shape_of, short

MOVES = frozenset(
    ("alias", "astype", "atleast", "broadcast_to", "copy", "expand_dims", "flip", "getitem", "matrix_transpose")
    + ("moveaxis", "reshape", "roll", "select", "split", "squeeze", "transpose", "unstack")
)  # ops that hand on the values they are given, and compute nothing
CHECKS = frozenset(("checked_labels", "checked_values", "on_simplex", "required"))  # of which a drawing says nothing


class Call(NamedTuple):
    """One call of a module: where it stands, its class if that is known, which call of it this is, its parameters."""

    path: str
    kind: str = ""
    number: int = 0
    parameters: tuple[Node, ...] = ()


class Note(NamedTuple):
    """What was noted while a value was made: the calls it was made in, outermost first, the user's line, and of what
    it was made, which a node that nobody differentiates does not remember."""

    calls: tuple[Call, ...] = ()
    place: Any = None
    op: Any = None
    inputs: tuple[Node, ...] = ()
    params: Mapping[str, Any] = NO_PARAMS


@dataclass(frozen=True, eq=False)
class Box:
    """One value of the graph. `kind`: leaf, data (a constant), step (an intermediate result), result, or failed.

    `title` is the op's name, or leaf, or data; `part` tells the pass that made it: 0 forward, 1 backward, 2 the
    derivative of that; `data` and `cotangent` are arrays, as they were when the drawing was made.
    """

    id: str
    kind: str
    title: str
    name: str | None
    data: Any = None
    cotangent: Any = None
    params: Mapping[str, Any] = field(default_factory=dict)
    op: Any = None
    calls: tuple[Call, ...] = ()
    part: int = 0
    meaning: str | None = None  # of a gradient: which one
    place: Any = None
    message: str = ""  # of a step that failed

    @property
    def shape(self) -> str:
        """dtype and shape; `number` for a Python number, which has neither."""
        if isinstance(self.data, tuple):
            return ", ".join(f"{p.dtype} {np.shape(p)}" for p in self.data)
        return f"{self.data.dtype} {np.shape(self.data)}" if hasattr(self.data, "dtype") else "number"

    @property
    def extent(self) -> str:
        return shape_of(self.data)

    @property
    def dtype(self) -> str:
        return dtype_of(self.data)

    @property
    def value(self) -> str:
        return short(self.data)

    @property
    def grad(self) -> str | None:
        return None if self.cotangent is None else short(self.cotangent)

    @property
    def module(self) -> str | None:
        """The path of the innermost module that this belongs to."""
        return self.calls[-1].path if self.calls else None

    @property
    def is_step(self) -> bool:
        return self.op is not None or self.kind == "failed"

    @property
    def moves(self) -> bool:
        """Whether this step only moves data: its values are those that it was given."""
        return (self.title in MOVES or self.title in CHECKS) and self.kind == "step"


@dataclass(frozen=True)
class Arrow:
    """`tail` is an argument of `head`; `position` counts the arguments from 0."""

    tail: str
    head: str
    position: int


@dataclass(frozen=True)
class View:
    """A whole graph: boxes oldest first, arrows, the paths of its modules, and why there are no gradients, if so."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    modules: tuple[str, ...] = ()
    remark: str = ""

    def arguments(self) -> dict[str, list[Arrow]]:
        """The arrows that lead to each box, in the order of its arguments."""
        found: dict[str, list[Arrow]] = {}
        for a in sorted(self.arrows, key=lambda a: a.position):
            found.setdefault(a.head, []).append(a)
        return found


class Failed(NamedTuple):
    """A step that did not come about: the op's name, what it was given, and what was said."""

    title: str
    inputs: tuple[Node, ...]
    params: Mapping[str, Any]
    message: str
    op: Any = None
    calls: tuple[Call, ...] = ()
    place: Any = None


def view_of(
    y: Tensor | Sequence[Tensor],
    *,
    grads: bool = True,
    group: str | None = None,
    order: int = 1,
    depth: int | None = None,
    names: Mapping[Node, str] | None = None,
    notes: Mapping[Node, Note] | None = None,
    failed: Failed | None = None,
) -> View:
    """The graph behind y: boxes oldest first, with ids that are the same in every run of the same program.

    `order=2` draws the gradients of y with respect to its leaves too, as the graph that computes them;
    `depth` keeps what is at most so many steps away from y.
    """
    notes = notes or {}
    roots = [r.node for r in ([y] if isinstance(y, Tensor) else y)]
    gradient, remark = _gradients(roots) if grads and order == 1 and failed is None else ({}, "")
    meanings: dict[Node, tuple[int, str]] = {}
    marked = set(roots)
    if order > 1:
        meanings, more = _further(roots, order - 1, names or {})
        roots = roots + more
        marked.update(more)
    if failed is not None:
        roots, marked = [*roots, *failed.inputs], set()
    distance = _reach(roots, depth, notes)
    nodes = sorted((n for n in distance if n.tick), key=lambda n: n.tick)  # constants are drawn beside their users
    ids = {n: f"n{k}" for k, n in enumerate(nodes)}
    parts = _parts(nodes, meanings)
    boxes, arrows = [], []

    def constants(id: str, inputs: Iterable[Node], part: int) -> None:
        for k, i in enumerate(inputs):
            if i in ids:
                arrows.append(Arrow(ids[i], id, k))
            elif i in distance or depth is None or (i.op is None and i not in notes):
                boxes.append(Box(f"{id}_{k}", "data", "data", i.name, i.data, part=part))
                arrows.append(Arrow(f"{id}_{k}", id, k))

    for n in nodes:
        note = notes.get(n, _UNKNOWN)
        op, inputs, params = _made(n, notes)
        part, meaning = parts[n], meanings.get(n, (0, None))[1]
        constants(ids[n], inputs, part)
        kind = "result" if n in marked else "step" if op is not None else "leaf" if n.live & DIFFERENTIABLE else "data"
        title = "data" if op is None and kind != "leaf" else "leaf" if op is None else op.name
        if op is not None and op.hides:
            title, params = f"{op.hides} of {params['steps']} steps", NO_PARAMS
        place = note.place or (n.meta.place if n.meta is not None else None)
        name = (names or {}).get(n) or n.name
        calls = (note.calls or _owner(n, inputs)) if group == "module" else ()
        boxes.append(Box(ids[n], kind, title, name, n.data, gradient.get(n), params, op, calls, part, meaning, place))
    if failed is not None:
        constants("failed", failed.inputs, 0)
        calls = failed.calls if group == "module" else ()
        what = Box("failed", "failed", failed.title, None, None, None, failed.params, failed.op, calls)
        boxes.append(replace(what, place=failed.place, message=failed.message))
    paths = [c.path for b in boxes for c in b.calls if c.path]
    return View(tuple(boxes), tuple(arrows), tuple(dict.fromkeys(paths)), remark)


_UNKNOWN = Note()
_PATH = re.compile(r"[\w-]+(\.[\w-]+)+")


def _reach(roots: Sequence[Node], depth: int | None, notes: Mapping[Node, Note]) -> dict[Node, int]:
    """Every node from which a root is computed, with its distance in steps."""
    distance = dict.fromkeys(roots, 0)
    front = list(distance)
    while front:
        after = []
        for n in front:
            for i in _made(n, notes)[1]:
                if i not in distance and (depth is None or distance[n] < depth):
                    distance[i] = distance[n] + 1
                    after.append(i)
        front = after
    return distance


def _made(n: Node, notes: Mapping[Node, Note]) -> tuple[Any, tuple[Node, ...], Mapping[str, Any]]:
    """How a node was made: the op, of what, its parameters. A loop is made of what its steps take from outside."""
    note = notes.get(n, _UNKNOWN)
    op, inputs, params = (n.op, n.inputs, n.params) if n.op is not None else (note.op, note.inputs, note.params)
    if op is None or not op.hides:
        return op, inputs, params
    since, outside = params["since"], set()
    seen, stack = set(inputs), list(inputs)
    while stack:
        i = stack.pop()
        if i.tick > since:
            more = [j for j in _made(i, notes)[1] if j not in seen]
            seen.update(more)
            stack += more
        elif i.tick:
            outside.add(i)
    return op, tuple(sorted(outside, key=lambda i: i.tick)), params


def _gradients(roots: Sequence[Node]) -> tuple[dict[Node, Any], str]:
    """The gradient of the one result with respect to every node, or in words why there is none."""
    if len(roots) != 1:
        return {}, "no gradients: there are several results"
    (root,) = roots
    if not root.live & DIFFERENTIABLE:
        return {}, "no gradients: nothing here requires one"
    if np.size(root.data) != 1 or root.data.dtype.kind not in "fc":
        return {}, f"no gradients: the result is no single number, its shape is {np.shape(root.data)}"
    try:
        return pullback(Trail([root]), [(root, np.ones_like(root.data))], raw, every=True), ""
    except MathError as error:  # a drawing of what cannot be differentiated is still a drawing
        return {}, "no gradients: " + str(error).split(". ")[0].split("\n")[0]


def _further(
    roots: Sequence[Node], times: int, names: Mapping[Node, str]
) -> tuple[dict[Node, tuple[int, str]], list[Node]]:
    """The recorded cotangents of every node, for each further order: what each is, and those of the leaves."""
    meanings: dict[Node, tuple[int, str]] = {}
    out: list[Node] = []
    target = wrap(roots[0])
    what = names.get(roots[0]) or roots[0].name or "y"
    for pass_ in range(1, times + 1):
        trail = Trail([target.node])
        seed = as_tensor(np.ones(target.shape, target.dtype))
        found = pullback(trail, [(target.node, seed)], rec, every=True)
        gradients = []
        for n, g in found.items():
            if not isinstance(g, Tensor):  # of a many-valued node, a list
                continue
            called = names.get(n) or n.name or meanings.get(n, (0, ""))[1]
            if called or n is target.node:
                meanings.setdefault(g.node, (pass_, f"∂{_told(what)}/∂{_told(called or what)}"))
            if n.op is None:
                gradients.append(g.node)
        meanings[seed.node] = pass_, f"∂{_told(what)}/∂{_told(what)}"
        out += [g for g in gradients if g not in out]
        if not gradients or pass_ == times:
            break
        target, what = wrap(gradients[0]), "s"
        for g in gradients[1:]:
            target = rec.add(rec.sum(target), rec.sum(wrap(g)))
        if len(gradients) == 1:
            what = meanings[gradients[0]][1]
        else:
            meanings[target.node] = pass_, "s, the sum of the gradients"
    return meanings, out


def _told(name: str) -> str:
    return f"({name})" if "∂" in name else name


def _parts(nodes: Sequence[Node], meanings: Mapping[Node, tuple[int, str]]) -> dict[Node, int]:
    """Which pass made each node: the forward one, or a backward one, which begins where its seed was made."""
    begins: dict[int, int] = {}
    for n, (pass_, _) in meanings.items():
        begins[pass_] = min(begins.get(pass_, n.tick), n.tick)
    return {n: sum(n.tick >= tick for tick in begins.values()) for n in nodes}


def _owner(n: Node, inputs: Sequence[Node]) -> tuple[Call, ...]:
    """The modules that a node belongs to as far as names tell: those of its own parameter, or of all that it uses."""
    found = []
    for m in (n, *inputs):
        while m is not n and m.op is not None and m.op.name in MOVES and len(m.inputs) == 1:
            m = m.inputs[0]  # the transpose of a weight
        if m.op is None and m.name and _PATH.fullmatch(m.name):
            found.append(m.name.split(".")[:-1])
    alike = takewhile(lambda names: len(set(names)) == 1, zip(*found, strict=False))
    shared = [names[0] for names in alike]  # a compiled network uses parameters of several
    return tuple(Call(".".join(shared[: k + 1])) for k in range(len(shared)))
