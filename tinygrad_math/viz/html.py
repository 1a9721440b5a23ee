"""The page of a graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .page import page, text

if TYPE_CHECKING:
    from .graph import Graph


def page_of(graph: Graph) -> str:
    """One page with the drawing and the same graph as text."""
    svg = graph.svg()
    return page("graph", f"{svg[svg.index('<svg') :]}<pre>{text(graph.text())}</pre>")
