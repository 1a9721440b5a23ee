"""One neutral view of a recorded graph, from which every renderer draws."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..core.op import raw
from ..core.tensor import DIFFERENTIABLE, Node, Tensor, as_tensor, rec, wrap
from ..core.walk import Trail, pullback


@dataclass(frozen=True)
class Box:
    """One value of the graph. `kind`: leaf, data (a constant), step (an intermediate result) or result."""

    id: str
    kind: str
    title: str
    name: str | None
    shape: str
    value: str
    grad: str | None = None
    module: str | None = None


@dataclass(frozen=True)
class Arrow:
    """`tail` is an argument of `head`; `position` counts the arguments from 0."""

    tail: str
    head: str
    position: int


@dataclass(frozen=True)
class View:
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    modules: tuple[str, ...] = field(default=())


def view_of(
    y: Tensor | Sequence[Tensor],
    *,
    grads: bool = True,
    group: str | None = None,
    order: int = 1,
    depth: int | None = None,
) -> View:
    """The graph behind y: boxes oldest first, with ids that are the same in every run of the same program.

    `order=2` draws the gradients of y with respect to its leaves too, as the graph that computes them;
    `depth` keeps what is at most so many steps away from y.
    """
    results = [y] if isinstance(y, Tensor) else list(y)
    roots = [r.node for r in results]
    gradient = _gradients(roots) if grads and order == 1 else {}
    if order > 1:
        roots = roots + _gradient_roots(roots, order - 1)
    distance = _reach(roots, depth)
    nodes = sorted(distance, key=lambda n: (n.tick, id(n) if not n.tick else 0))
    nodes = [n for n in nodes if n.tick or n.op]  # constants are drawn beside their users
    ids = {n: f"n{k}" for k, n in enumerate(nodes)}
    boxes, arrows = [], []
    for n in nodes:
        for k, i in enumerate(n.inputs):
            if i in ids:
                arrows.append(Arrow(ids[i], ids[n], k))
            elif i not in distance and depth is not None and i.op is not None:
                continue
            else:
                boxes.append(_box(f"{ids[n]}_{k}", i, "data", None, None))
                arrows.append(Arrow(f"{ids[n]}_{k}", ids[n], k))
        kind = "result" if n in roots else "leaf" if n.op is None and n.live else "data" if n.op is None else "step"
        boxes.append(_box(ids[n], n, kind, gradient.get(n), _module(n) if group == "module" else None))
    modules = tuple(dict.fromkeys(b.module for b in boxes if b.module))
    return View(tuple(boxes), tuple(arrows), modules)


def _reach(roots: Sequence[Node], depth: int | None) -> dict[Node, int]:
    """Every node from which a root is computed, with its distance in steps."""
    distance = dict.fromkeys(roots, 0)
    front = list(distance)
    while front:
        after = []
        for n in front:
            for i in n.inputs:
                if i not in distance and (depth is None or distance[n] < depth):
                    distance[i] = distance[n] + 1
                    after.append(i)
        front = after
    return distance


def _gradients(roots: Sequence[Node]) -> dict[Node, Any]:
    """The gradient of the one result with respect to every node, where it is one number."""
    (root,) = roots if len(roots) == 1 else (None,)
    if root is None or not root.live & DIFFERENTIABLE or np.size(root.data) != 1 or root.data.dtype.kind not in "fc":
        return {}
    return pullback(Trail([root]), [(root, np.ones_like(root.data))], raw, every=True)


def _gradient_roots(roots: Sequence[Node], times: int) -> list[Node]:
    """The recorded gradients of the first root's leaves, and of their sum again for each further order."""
    out: list[Node] = []
    target = wrap(roots[0])
    for _ in range(times):
        trail = Trail([target.node])
        found = pullback(trail, [(target.node, as_tensor(np.ones(target.shape, target.dtype)))], rec)
        gradients = [g.node for n, g in found.items() if n.op is None]
        out += gradients
        target = wrap(gradients[0])
        for g in gradients[1:]:
            target = rec.add(rec.sum(target), rec.sum(wrap(g)))
    return out


def _module(n: Node) -> str | None:
    """The path of the module whose parameter this is, or that this step uses."""
    for m in (n, *n.inputs):
        if m.op is None and m.name and "." in m.name:
            return m.name.rpartition(".")[0]
    return None


def _box(id: str, n: Node, kind: str, grad: Any, module: str | None) -> Box:
    title = "data" if n.op is None and kind != "leaf" else "leaf" if n.op is None else n.op.name
    shape = "number" if not hasattr(n.data, "dtype") and not isinstance(n.data, tuple) else _shape(n.data)
    return Box(id, kind, title, n.name, shape, short(n.data), None if grad is None else short(grad), module)


def _shape(data: Any) -> str:
    return ", ".join(map(_shape, data)) if isinstance(data, tuple) else f"{np.asarray(data).dtype} {np.shape(data)}"


def short(data: Any) -> str:
    """A value in a few characters: the number, the few numbers, or the range of many.

    >>> short(np.array([1.0, 2.5])), short(np.arange(100.0))
    ('[1, 2.5]', '0 … 99')
    """
    if isinstance(data, Tensor):
        data = data.node.data
    if isinstance(data, (tuple, list)):  # a many-valued result, or its cotangents
        return "; ".join("0" if part is None else short(part) for part in data)
    a = np.asarray(data)
    if a.size == 0:
        return "empty"
    if a.ndim == 0:
        return f"{a.item():.4g}" if a.dtype.kind in "fc" else str(a.item())
    if a.size <= 4 and a.ndim == 1:
        return "[" + ", ".join(short(v) for v in a) + "]"
    if a.dtype.kind == "c":
        return f"|·| ≤ {np.abs(a).max():.4g}"
    low, high = (float(a.min()), float(a.max())) if a.dtype.kind != "b" else (0.0, float(a.mean()))
    if a.dtype.kind == "b":
        return f"{100 * high:.0f}% true"
    return "NaN among them" if math.isnan(low) else f"{low:.4g} … {high:.4g}"
