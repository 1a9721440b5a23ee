"""A drawing as a Mermaid flowchart, which a page of Markdown shows in many places."""

from __future__ import annotations

from .cards import Shown, said_of
from .outline import Frame, Outline, Tile
from .page import visible
from .svg import FILLS
from .view import View

_PLAIN = frozenset(" ()[]{}.,:=+-*_/@…·×|∂")


def entity(text: str) -> str:
    """Text of which Mermaid reads nothing as its own: all but letters, digits and harmless signs are entities.

    >>> entity('a "b" <c>')
    'a #34;b#34; #60;c#62;'
    """
    said = visible(text).replace("$$", "$\u200b$").replace("$$", "$\u200b$")  # two would begin a formula
    return "".join(c if c.isalnum() or c in _PLAIN else f"#{ord(c)};" for c in said)


def mermaid_of(view: View, outline: Outline, shown: Shown, right: bool) -> str:
    """The outline as a flowchart: a frame is a subgraph."""
    said = said_of(view, outline, shown)
    out = ["flowchart " + ("LR" if right else "TD")]
    classes: dict[str, list[str]] = {}
    work: list[tuple[Tile | Frame | None, int]] = [(outline.root, 1)]
    while work:
        item, depth = work.pop()
        pad = "  " * depth
        if item is None:
            out.append(f"{pad}end")
        elif item.id in said:
            out.append(f'{pad}{_id(item.id)}["{"<br>".join(map(entity, said[item.id].all))}"]')
            role = "closed" if isinstance(item, Frame) else said[item.id].role
            classes.setdefault(role, []).append(_id(item.id))
        elif isinstance(item, Frame):
            if item.kind != "graph":
                out.append(f'{pad}subgraph {_id(item.id)}["{entity(item.label) or " "}"]')
                work.append((None, depth))
                depth += 1
            work += [(i, depth) for i in reversed(item.items)]
    stands = {t.id: i.id for i in outline.root.walk() if isinstance(i, Frame) and i.id in said for t in i.tiles()}
    ends = ((stands.get(k.tail, k.tail), stands.get(k.head, k.head), k) for k in outline.links)
    for tail, head, through in dict.fromkeys(
        (tail, head, k.through if (tail, head) == (k.tail, k.head) else "") for tail, head, k in ends
    ):
        if tail != head:
            out.append(f"  {_id(tail)} -->" + (f'|"{entity(through)}"| ' if through else " ") + _id(head))
    for role, ids in classes.items():
        out.append(f"  classDef {role} fill:{FILLS[role][0]},stroke:#6b7680,color:#1b1f24")
        out.append(f"  class {','.join(ids)} {role}")
    return "\n".join([*out, ""])


def _id(id: str) -> str:
    return f"v_{id}"
