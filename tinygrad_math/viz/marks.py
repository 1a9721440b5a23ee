"""What a drawing is made of: rectangles, texts and curves, in groups that are one thing to the reader."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from .places import Point, Rect


@dataclass(frozen=True)
class Rectangle:
    """A box: `role` names its colours; `round` the radius of its corners."""

    rect: Rect
    role: str
    round: float
    border: str = "border"
    dashed: bool = False


@dataclass(frozen=True)
class Text:
    """A line of text; `x` is its middle, or its begin if `left`; `y` its base line."""

    x: float
    y: float
    content: str
    size: float
    role: str = "ink"
    bold: bool = False
    left: bool = False


@dataclass(frozen=True)
class Curve:
    """A line through points, straight within each pair and curved between them, with a head or without."""

    points: tuple[Point, ...]
    role: str
    width: float = 1.2
    color: str | None = None
    dashed: bool = False
    head: bool = True
    right: bool = False  # whether the drawing runs to the right


Mark = Rectangle | Text | Curve


@dataclass
class Group:
    """Marks that are one thing to the reader: a node with what is said of it when pointed at, or a frame, or arrows."""

    kind: str
    id: str
    hint: str
    marks: list[Mark] = field(default_factory=list)


@dataclass
class Picture:
    width: float
    height: float
    title: str
    groups: list[Group]


def shifted(mark: Mark, dx: float, dy: float) -> Mark:
    if isinstance(mark, Rectangle):
        r = mark.rect
        return replace(mark, rect=Rect(r.x + dx, r.y + dy, r.width, r.height))
    if isinstance(mark, Text):
        return replace(mark, x=mark.x + dx, y=mark.y + dy)
    return replace(mark, points=tuple((x + dx, y + dy) for x, y in mark.points))


def moved(groups: Iterable[Group], by: float) -> list[Group]:
    return [replace(g, marks=[shifted(m, by, by) for m in g.marks]) for g in groups]
