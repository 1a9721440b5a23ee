"""A drawing in Graphviz's language, for who wants to lay it out or to edit it with that."""

from __future__ import annotations

from .cards import Shown, said_of
from .outline import Frame, Outline, Tile
from .page import visible
from .svg import FILLS, STROKES
from .view import View


def quoted(*lines: str) -> str:
    """Lines of text as a quoted string, in which nothing means anything to Graphviz: it decodes entities too."""
    escaped = (visible(t).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;") for t in lines)
    return '"' + "\\n".join(escaped) + '"'


def dot_of(view: View, outline: Outline, shown: Shown, right: bool) -> str:
    """The outline as a digraph: a frame is a cluster, a box a node with a line for each thing that it says."""
    out = [
        "digraph graph_ {",
        f"  graph [rankdir={'LR' if right else 'TB'}, ordering=in, bgcolor=transparent, fontname=Courier]",
        '  node [shape=box, style="filled,rounded", fontname="Courier", fontsize=10, margin="0.12,0.05"]',
        '  edge [color="#777777", arrowsize=0.6, fontname="Courier", fontsize=9, fontcolor="#005f94"]',
    ]
    said = said_of(view, outline, shown)
    ends: list[tuple[Tile | Frame | None, int]] = [(outline.root, 1)]
    open_: list[int] = []
    while ends:
        item, depth = ends.pop()
        pad = "  " * depth
        if item is None:
            out.append(f"{'  ' * open_.pop()}}}")
        elif item.id in said:
            role = "closed" if isinstance(item, Frame) else said[item.id].role
            border = "border" if isinstance(item, Frame) else ("border", "backward", "second")[min(item.box.part, 2)]
            label = quoted(*said[item.id].all)
            out.append(f'{pad}"{item.id}" [label={label}, fillcolor="{FILLS[role][0]}", color="{STROKES[border][0]}"]')
        elif isinstance(item, Frame):
            if item.kind != "graph":
                out.append(f'{pad}subgraph "cluster_{item.id}" {{')
                out.append(f'{pad}  graph [label={quoted(item.label)}, style=rounded, color="#999999", fontsize=10]')
                open_.append(depth)
                ends.append((None, depth))
                depth += 1
            ends += [(i, depth) for i in reversed(item.items)]
    stands = {t.id: i.id for i in outline.root.walk() if isinstance(i, Frame) and i.id in said for t in i.tiles()}
    seen = set()
    for k in outline.links:
        tail, head = stands.get(k.tail, k.tail), stands.get(k.head, k.head)
        through = k.through if (tail, head) == (k.tail, k.head) else ""
        line = f'  "{tail}" -> "{head}"' + (f" [label={quoted(through)}]" if through else "")
        if tail != head and (line not in seen or head == k.head):
            out.append(line)
            seen.add(line)
    return "\n".join([*out, "}\n"])
