"""Drawings of a recorded graph: SVG, a page, PNG, PDF, DOT, Mermaid and text."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from ..core.arguments import named
from ..core.errors import ArgumentError, DrawingError, describe
from ..core.looking import refuse_unknown
from ..core.node import Node
from ..core.tensor import Tensor
from . import labels
from .cards import Shown
from .dot import dot_of
from .marks import Picture
from .mermaid import mermaid_of
from .outline import Fold, Levels, Outline, light, moves, outline
from .page import visible
from .picture import picture_of
from .svg import svg_of
from .view import Box, View, view_of

_SMALL, _MOST = 40, 600  # boxes of a drawing that shows everything, and of the largest one


class Graph:
    """A drawing of a graph: `.svg()`, `.html()`, `.png()`, `.pdf()`, `.dot`, `.mermaid()`, `.text()`, `.save(path)`.

    A notebook shows it by itself.

    >>> import tinygrad_math as tm
    >>> x = tm.tensor(3.0, requires_grad=True, name="x")
    >>> tm.graph(x * x)
    Graph of 2 values and 2 arrows; save('graph.svg') draws it
    """

    def __init__(
        self,
        view: View,
        *,
        values: bool = True,
        shapes: bool = True,
        grads: bool = True,
        fold: Literal["moves"] | bool | Fold | None = None,
        roll: bool | None = None,
        levels: Levels = None,
        most: int = _MOST,
        direction: Literal["down", "right"] = "down",
        depth: int | None = None,
        title: str = "graph",
    ) -> None:
        self.view = view
        self.large = len(view.boxes) > _SMALL
        self._rule: Fold | None
        if fold is None:
            self._rule = moves if self.large else light
        else:
            self._rule = moves if fold is True or fold == "moves" else None if fold is False else fold
        self._roll = self.large if roll is None else roll
        self._levels, self._most, self._right, self.title = levels, most, direction == "right", title
        self.shown = Shown(values, shapes, grads, not self.large)
        self.direction, self.depth = direction, depth
        self._marked: frozenset[str] = frozenset()
        self.moments: list[View] = [view]
        self._outline: Outline | None = None

    def outline(self) -> Outline:
        """What is drawn: the frames, the boxes in them, and the arrows."""
        if self._outline is None:
            self._outline = outline(self.view, fold=self._rule, roll=self._roll, levels=self._levels, most=self._most)
        return self._outline

    def whole(self) -> Outline:
        """The outline in which no module is closed because of `levels`: a page can open it in place."""
        if self._levels is None:
            return self.outline()
        return outline(self.view, fold=self._rule, roll=self._roll, most=self._most)

    # -- forms --------------------------------------------------------------------------------------
    @property
    def dot(self) -> str:
        """The drawing in Graphviz's language."""
        return dot_of(self.view, self.outline(), self.shown, self._right)

    def mermaid(self) -> str:
        """The drawing as a Mermaid flowchart, for Markdown."""
        return mermaid_of(self.view, self.outline(), self.shown, self._right)

    def picture(self) -> Picture:
        """The shapes of the drawing, laid out."""
        return picture_of(
            self.view, self.outline(), self.shown, right=self._right, marked=self._marked, title=self.title
        )

    def svg(self) -> str:
        """The drawing as SVG: on light and on dark ground, and without any other program."""
        return svg_of(self.picture())

    def png(self, scale: float = 2.0) -> bytes:
        """The drawing as PNG, `scale` times as large as the SVG. Raises MissingExtra without Matplotlib."""
        from .raster import painted

        return painted(self.picture(), "png", scale)

    def pdf(self) -> bytes:
        """The drawing as PDF. Raises MissingExtra without Matplotlib."""
        from .raster import painted

        return painted(self.picture(), "pdf")

    def html(self) -> str:
        """One page, without a network: zoom, search, frames that open and close, and all about a box at a click."""
        from .html import page_of

        return page_of(self)

    def text(self) -> str:
        """One line a step, oldest first: `n3 = tanh(n2)  float64 (4,)  [..]`."""
        incoming = self.view.arguments()
        literal = {b.id: b.value for b in self.view.boxes if b.kind == "data" and b.shape == "number"}
        shown, found = self.shown, []
        for b in self.view.boxes:
            if b.id in literal:
                continue
            args = ", ".join([*(literal.get(a.tail, a.tail) for a in incoming.get(b.id, [])), *labels.options(b)])
            title = visible(b.title)
            parts = [f"{b.id} = {title}({args})" if b.is_step else f"{b.id} = {title}"]
            parts.append(f"'{visible(b.name)}'" if b.name else visible(b.meaning) if b.meaning else "")
            if b.kind == "failed":
                parts.append(visible(b.message))
            else:
                parts += [b.shape if shown.shapes else "", b.value if shown.values else ""]
            parts.append(f"grad {b.grad}" if b.cotangent is not None and shown.grads else "")
            found.append("  ".join(p for p in parts if p))
        return "\n".join(found) + "\n"

    @named
    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the drawing; the ending says how: .svg .html .png .pdf .mmd .md .dot .gv .txt. Returns the path.

        Raises ArgumentError for another ending, FileError for a place that cannot be written to, MissingExtra for
        .png and .pdf without Matplotlib.
        """
        if not isinstance(path, (str, os.PathLike)):
            raise ArgumentError(f"Graph.save: path is a text or a Path, as 'graph.svg', got {describe(path)}")
        target = Path(path)
        writers: dict[str, Callable[[], str | bytes]] = {
            ".svg": self.svg,
            ".html": self.html,
            ".png": self.png,
            ".pdf": self.pdf,
            ".mmd": self.mermaid,
            ".md": lambda: f"```mermaid\n{self.mermaid()}```\n",
            ".dot": lambda: self.dot,
            ".gv": lambda: self.dot,
            ".txt": self.text,
        }
        if target.suffix.lower() not in writers:
            raise ArgumentError(f"cannot draw into {target.name!r}: use one of {' '.join(writers)}")
        content = writers[target.suffix.lower()]()
        target.write_bytes(content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content)
        return target

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        bundle = {}
        for form, draw in (("image/svg+xml", self.svg), ("text/plain", self.text)):
            try:
                bundle[form] = draw()
            except Exception as error:  # a notebook shows what can be shown
                bundle.setdefault("text/plain", f"{self!r} ({type(error).__name__}: {error})")
        return bundle

    # -- paths --------------------------------------------------------------------------------------
    @named
    def paths(self, start: Tensor | str, end: Tensor | str | None = None, limit: int = 100) -> list[list[str]]:
        """The paths from one value to another, each as the ids of the boxes on it, shortest first.

        Arguments: `start` and `end` a name or the id of a box; `end` is the result if nothing is said; no more than
        `limit` paths. Raises ArgumentError for what is not in the drawing.

        >>> import tinygrad_math as tm
        >>> x = tm.tensor(3.0, requires_grad=True, name="x")
        >>> tm.graph(tm.sin(x) * x).paths("x")
        [['n0', 'n2'], ['n0', 'n1', 'n2']]
        """
        first, last = self._box(start), self._box(end)
        between = self._between(first, last)
        after: dict[str, list[str]] = {}
        for a in self.view.arrows:
            if a.tail in between and a.head in between and a.head not in after.setdefault(a.tail, []):
                after[a.tail].append(a.head)
        found: list[list[str]] = []
        ways = [[first]]
        while ways and len(found) < limit:
            further = []
            for way in ways:
                if way[-1] == last:
                    found.append(way)
                else:
                    further += [[*way, head] for head in after.get(way[-1], ())]
            ways = further[: 10 * limit]
        return found[:limit]

    @named
    def highlight(self, start: Tensor | str, end: Tensor | str | None = None) -> Graph:
        """The same drawing, in which all paths from one value to another stand out; arguments as of `paths`.

        >>> import tinygrad_math as tm
        >>> x = tm.tensor(3.0, requires_grad=True, name="x")
        >>> drawing = tm.graph(tm.sin(x) * x).highlight("x")
        """
        marked = self._between(self._box(start), self._box(end))
        other = object.__new__(Graph)
        other.__dict__.update(self.__dict__)
        stands = self.outline().stands
        other._marked = frozenset(marked | {stands[id] for id in marked if id in stands})
        return other

    def _box(self, which: Tensor | str | None) -> str:
        boxes = self.view.boxes
        if which is None:
            found = [b.id for b in boxes if b.kind == "result"] or [boxes[-1].id]
            return found[0]
        if isinstance(which, Tensor):
            found = [b.id for b in boxes if b.data is which.node.data and (b.name == which.name)]
        else:
            found = [b.id for b in boxes if b.id == which or b.name == which or b.meaning == which]
        if not found:
            names = ", ".join(dict.fromkeys(b.name for b in boxes if b.name)) or "none"
            raise ArgumentError(
                f"no value {describe(which)} in this drawing; say an id, n0 to {boxes[-1].id}, or a name: {names:.200}"
            )
        return found[0]

    def _between(self, first: str, last: str) -> set[str]:
        before: dict[str, list[str]] = {}
        after: dict[str, list[str]] = {}
        for a in self.view.arrows:
            before.setdefault(a.head, []).append(a.tail)
            after.setdefault(a.tail, []).append(a.head)

        def reach(id: str, ways: Mapping[str, list[str]]) -> set[str]:
            seen, stack = {id}, [id]
            while stack:
                for other in ways.get(stack.pop(), ()):
                    if other not in seen:
                        seen.add(other)
                        stack.append(other)
            return seen

        return reach(first, after) & reach(last, before)

    # -- over time ----------------------------------------------------------------------------------
    @named
    def record(self, y: Tensor | Callable[[], Any]) -> Graph:
        """Add the values and gradients of a later run of the same program, for the slider of the page.

        Arguments: `y` the result of that run, or the function that gives it, as of `graph`. Returns this drawing.
        Raises DrawingError if it was another program.

        >>> import tinygrad_math as tm
        >>> w = tm.tensor(3.0, requires_grad=True, name="w")
        >>> drawing = tm.graph(w * w)
        >>> for step in range(3):
        ...     with tm.no_grad():
        ...         w -= 0.5 * w
        ...     drawing = drawing.record(w * w)
        >>> len(drawing.moments)
        4
        """
        results, notes = _results(y)
        order = 1 + max((b.part for b in self.view.boxes), default=0)
        view = view_of(results, grads=self.shown.grads, order=order, depth=self.depth, notes=notes)
        mine = [(b.id, b.title) for b in self.view.boxes]
        theirs = [(b.id, b.title) for b in view.boxes]
        if mine != theirs or self.view.arrows != view.arrows:
            odd = next((f"{a[1]} and {b[1]}" for a, b in zip(mine, theirs, strict=False) if a != b), "their lengths")
            raise DrawingError(
                f"record: this was another program ({len(mine)} and {len(theirs)} boxes; they first differ in {odd}); "
                "draw it by itself"
            )
        self.moments.append(view)
        return self

    def __repr__(self) -> str:
        return f"Graph of {len(self.view.boxes)} values and {len(self.view.arrows)} arrows; save('graph.svg') draws it"


def _results(y: Any) -> tuple[list[Any], Mapping[Node, Any]]:
    """The Tensors to draw, and what was noted of them if a function gave them. Raises ArgumentError for others."""
    notes: Mapping[Node, Any] = {}
    if not isinstance(y, (Tensor, list, tuple)) and callable(y):
        from .watching import watched

        _refuse_arguments(y)
        y, notes = watched(y)
    results = list(y) if isinstance(y, (list, tuple)) else [y]
    if not results or not all(isinstance(r, Tensor) for r in results):
        raise ArgumentError(f"graph draws a Tensor or several, got {y!r:.60}")
    return results, notes


def _refuse_arguments(f: Callable[..., Any]) -> None:
    """Raise for a function that cannot be called as it is: a network, say, without its input."""
    try:
        inspect.signature(getattr(f, "forward", f)).bind()
    except TypeError as error:
        raise ArgumentError(
            f"graph calls a function without arguments, and {describe(f)} is {error}; say graph(lambda: f(x))"
        ) from None
    except ValueError:  # of functions that have no signature
        return


def _names(names: Mapping[str, Any]) -> dict[Node, str]:
    odd = next((name for name in names if not isinstance(name, str)), None)
    if odd is not None:
        raise ArgumentError(f"graph: names is a dict from texts to Tensors, as locals(), got the key {describe(odd)}")
    return {t.node: name for name, t in names.items() if isinstance(t, Tensor) and not name.startswith("_")}


@named
def graph(
    y: Tensor | Sequence[Tensor] | BaseException | Callable[[], Any],
    values: bool = True,
    shapes: bool = True,
    grads: bool = True,
    group: Literal["module"] | None = "module",
    order: int = 1,
    depth: int | None = None,
    *,
    fold: Literal["moves"] | bool | Callable[[Box], Any] | None = None,
    roll: bool | None = None,
    levels: int | Literal["layers"] | None = None,
    most: int = _MOST,
    direction: Literal["down", "right"] = "down",
    names: Mapping[str, Any] | None = None,
) -> Graph:
    """A drawing of the graph that computed y.

    Arguments: `y` a Tensor or several; or a function without arguments that returns them, which is called and watched,
    so that each step knows its module and the line that made it; or an error, of which the part that ran is drawn,
    with the step that failed. `values`, `shapes`, `grads` choose what each box shows (the gradient of y with respect
    to it, where y is one number); `group="module"` frames what belongs to one module; `order=2` adds the graph of the
    gradients; `depth` cuts off what is further away, in steps.
    `fold` says which steps are not boxes but words at an arrow: "moves" those that only move data, or a function of a
    box (`.title` the op, `.name`, `.shape`, `.module`); False none; without it, transposes, and in drawings of more
    than 40 boxes all moves. `roll` shows one of blocks that repeat (without it, in such drawings); `levels` of modules
    are open, or with "layers" all that hold others, so that each layer is one box with its shapes and its gradients;
    no more than about `most` boxes are shown; `direction` "down" or "right"; `names`, as `locals()`, gives
    Tensors names.
    Raises ArgumentError for an unknown `group`, an order below 1, a negative depth, or what is no Tensor, TraceError
    for one that is being traced, whose values are not known.

    >>> import tinygrad_math as tm
    >>> x = tm.tensor(3.0, requires_grad=True, name="x")
    >>> print(tm.graph(x * x).text(), end="")
    n0 = leaf  'x'  float64 ()  3  grad 6
    n1 = multiply(n0, n0)  float64 ()  9  grad 1
    """
    if order < 1:
        raise ArgumentError(f"graph: order counts from 1, got {order}")
    if depth is not None and depth < 0:
        raise ArgumentError(f"graph: depth counts steps from 0, got {depth}")
    if isinstance(levels, str) and levels != "layers":
        raise ArgumentError(f"graph: levels is a number or 'layers', got {describe(levels)}")
    if most < 4 or (isinstance(levels, int) and levels < 0):
        raise ArgumentError(f"graph: most is 4 or more and levels 0 or more, got most={most}, levels={levels}")
    notes: Mapping[Node, Any] = {}
    failed = None
    if isinstance(y, BaseException):
        from .watching import failed_step

        step = failed_step(y)
        if step is None:
            raise ArgumentError(
                f"graph: no step on Tensors failed in this {type(y).__name__}: {describe(str(y))}; draw a Tensor"
            )
        failed, notes = step
        results: list[Any] = []
    else:
        results, notes = _results(y)
    if values or (grads and order == 1):
        refuse_unknown((r.node for r in results), "graph", "draw outside, or with values=False, grads=False")
    known = _names(names or {})
    view = view_of(results, grads=grads, group=group, order=order, depth=depth, names=known, notes=notes, failed=failed)
    what = known.get(results[0].node) or results[0].name if len(results) == 1 else None
    title = f"The graph of {visible(what)}" if what else "A graph of recorded steps"
    return Graph(
        view, values=values, shapes=shapes, grads=grads, fold=fold, roll=roll, levels=levels, most=most,
        direction=direction, depth=depth, title=title,
    )  # fmt: skip
