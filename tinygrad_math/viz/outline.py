"""What of a graph is drawn, and in which frames: passes, modules, repeats; steps folded into arrows; what fits.

The steps of a frame follow each other in the order in which they were made. So the graph of frames has no circle, and
each can be drawn by itself, open or closed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from . import labels
from .view import CHECKS, Arrow, Box, Call, View

Fold = Callable[[Box], Any]
Levels = int | Literal["layers"] | None


@dataclass(eq=False)
class Tile:
    """A box that is drawn; `count` of equal ones, one after the other, of which the first is shown."""

    box: Box
    title: str
    count: int = 1
    bare: bool = True  # whether the title names none of the operands

    @property
    def id(self) -> str:
        return self.box.id


@dataclass(eq=False)
class Frame:
    """What belongs together. `kind`: graph, module, pass, repeat, rest; of `count` equal ones the first is shown."""

    kind: str
    title: str
    items: list[Tile | Frame] = field(default_factory=list)
    id: str = ""
    call: Call | None = None  # of a module
    count: int = 1
    loops: bool = False  # whether each of a repeat takes what the one before it made
    open: bool = True

    def walk(self) -> Iterator[Tile | Frame]:
        """This frame and all that is in it, outer frames first, in the order of the graph."""
        stack: list[Tile | Frame] = [self]
        while stack:
            item = stack.pop()
            yield item
            if isinstance(item, Frame):
                stack.extend(reversed(item.items))

    def tiles(self) -> list[Tile]:
        return [i for i in self.walk() if isinstance(i, Tile)]

    def frames(self) -> list[Frame]:
        return [i for i in self.walk() if isinstance(i, Frame)]

    @property
    def path(self) -> str:
        """Where the module stands."""
        return self.call.path if self.call is not None else ""

    @property
    def label(self) -> str:
        times = f"× {self.count}" if self.count > 1 else ""
        return " ".join(t for t in (self.title, times) if t)


class Link(NamedTuple):
    """An arrow that is drawn; `through` says which steps are folded into it, `many` how many arrows it stands for."""

    tail: str
    head: str
    position: int
    through: str = ""
    many: int = 1


@dataclass
class Outline:
    """The frames, the tiles by id, the arrows between them, and for what is not drawn what is drawn in its place.

    `blocks` tells of each tile in a repeat the boxes that it is drawn for, those of the first block first.
    """

    root: Frame
    tiles: dict[str, Tile]
    links: list[Link]
    stands: dict[str, str]
    blocks: dict[str, list[str]] = field(default_factory=dict)


def moves(box: Box) -> bool:
    """Whether a step only moves data: what is folded in a large drawing."""
    return box.moves


def light(box: Box) -> bool:
    """Whether a step is a transpose, a check, or a part of a many-valued result: what is folded in every drawing."""
    return box.title in ("select", "matrix_transpose", *CHECKS) or (
        box.title == "transpose" and box.params.get("axes") is None
    )


def outline(view: View, *, fold: Fold | None, roll: bool, levels: Levels = None, most: int = 250) -> Outline:
    """The outline of a view.

    `fold(box)` says which steps go into the arrow; `roll` shows one of blocks that repeat; of modules `levels` are
    open, further ones closed, or with "layers" those that hold no others are closed; no more than about `most` boxes
    are shown.
    """
    from .repeats import rolled_up

    boxes = {b.id: b for b in view.boxes}
    arguments = view.arguments()
    titles, naming = labels.of_boxes(boxes, arguments, fold)
    written = labels.written(boxes, arguments)
    links, stands = _folded(view, boxes, arguments, fold, written)
    kept = [b for b in view.boxes if b.id not in written and b.id not in stands]
    tiles = {b.id: Tile(b, titles[b.id], bare=b.id not in naming) for b in kept}
    root = Frame("graph", "", _framed(kept, links, tiles))
    for frame in root.frames():  # a frame around a single step says nothing
        frame.items = [_lone(i) for i in frame.items]
    blocks: dict[str, list[str]] = {}
    if roll:
        links, rolled = rolled_up(root, links)
        stands |= rolled
        for b in kept:
            if b.id in rolled:
                blocks.setdefault(rolled[b.id], []).append(b.id)
    if levels == "layers":
        _close_layers(root, view.modules)
    _fit(root, None if levels == "layers" else levels, most)
    for k, frame in enumerate(root.frames()):
        frame.id = f"f{k}"
    return Outline(root, {t.id: t for t in root.tiles()}, links, stands, blocks)


def _folded(
    view: View, boxes: Mapping[str, Box], arguments: Mapping[str, list[Arrow]], fold: Fold | None, written: set[str]
) -> tuple[list[Link], dict[str, str]]:
    """The arrows between what is left; and for each step that was folded away where its value comes from."""
    sources: dict[str, list[tuple[str, str]]] = {}
    used = {a.tail for a in view.arrows}
    links = []
    for b in view.boxes:
        incoming = [
            (tail, through, a.position)
            for a in arguments.get(b.id, ())
            if a.tail not in written
            for tail, through in sources.get(a.tail, [(a.tail, "")])
        ]
        inner = b.kind == "step" and b.name is None and b.meaning is None and b.id in used and bool(incoming)
        if inner and fold is not None and fold(b):
            numbers = [labels.literal(boxes[a.tail]) for a in arguments.get(b.id, ())]
            said = labels.call(b, [None, *numbers[1:]]).removeprefix("·")
            sources[b.id] = [(tail, _joined(through, said, b)) for tail, through, _ in incoming]
        else:
            links += [Link(tail, b.id, position, through) for tail, through, position in incoming]
    return links, {id: found[0][0] for id, found in sources.items()}


def _joined(through: str, said: str, b: Box) -> str:
    """What an arrow says that a further step is folded into; of a many-valued step and its part, which part."""
    before, _, last = through.rpartition(" ")
    if b.title in CHECKS:
        return through
    if b.title == "select" and "split" in through:
        return f"{through[: through.index('split')]}split{said}".strip()
    if b.title == "select" and last == "unstack":
        return f"{before} {said}".strip()
    return f"{through} {said}".strip()


def _framed(kept: Sequence[Box], links: Sequence[Link], tiles: Mapping[str, Tile]) -> list[Tile | Frame]:
    """Tiles in the frames of the passes and modules that they belong to; what one step alone uses stands before it."""
    steps = [b for b in kept if b.is_step]
    calls = _calls(steps, links, tiles)
    users: dict[str, list[str]] = {}
    for k in links:
        if not tiles[k.tail].box.is_step and k.head not in users.setdefault(k.tail, []):
            users[k.tail].append(k.head)
    beside: dict[str, list[Box]] = {}
    for b in kept:
        if not b.is_step and len(users.get(b.id, ())) == 1:
            beside.setdefault(users[b.id][0], []).append(b)
    first = {k.tail: k.position for k in links}
    top = Frame("graph", "")
    chain: list[Frame] = [top]
    keys: list[Any] = []
    chains: dict[str, list[Frame]] = {}
    for b in steps:
        wanted = [*([("pass", b.part)] if b.part else []), *calls[b.id]]
        same = 0
        while same < min(len(keys), len(wanted)) and keys[same] == wanted[same]:
            same += 1
        del chain[same + 1 :], keys[same:]
        for key in wanted[same:]:
            frame = _frame(key)
            chain[-1].items.append(frame)
            chain.append(frame)
            keys.append(key)
        for leaf in beside.get(b.id, ()):
            if leaf.kind == "data" and first.get(leaf.id) == 0 and same < len(wanted) and not leaf.part:
                home = chain[same]  # what a module is called with stands before it
                home.items.insert(len(home.items) - 1, tiles[leaf.id])
            else:
                chain[-1].items.append(tiles[leaf.id])
        chain[-1].items.append(tiles[b.id])
        chains[b.id] = [*chain]
    for b in reversed(kept):  # in the innermost frame that holds all who use it, before them
        if not b.is_step and len(users.get(b.id, ())) != 1:
            home = top
            for level in zip(*(chains[h] for h in users.get(b.id, ())), strict=False):
                if any(f is not level[0] for f in level):
                    break
                home = level[0]
            home.items.insert(0, tiles[b.id])
    return top.items


def _frame(key: Any) -> Frame:
    if isinstance(key, Call):
        last = key.path.rpartition(".")[2]
        return Frame("module", f"{last}: {key.kind}" if key.kind and last else key.kind or last, call=key)
    part = key[1]
    return Frame(
        "pass", "backward" if part == 1 else "backward of backward" if part == 2 else f"backward, order {part}"
    )


def _calls(steps: Sequence[Box], links: Sequence[Link], tiles: Mapping[str, Tile]) -> dict[str, tuple[Call, ...]]:
    """The modules of each step.

    Where only the names of parameters tell: a step between two of one module belongs to what both share, and a module
    that uses a parameter again has been called again.
    """
    calls = {b.id: b.calls for b in steps}
    if any(c.kind for b in steps for c in b.calls):
        return calls
    owned: dict[str, set[str]] = {}
    for k in links:
        if tiles[k.tail].box.kind == "leaf":
            owned.setdefault(k.head, set()).add(k.tail)
    used: set[str] = set()
    count, last = 0, -1
    for i, b in enumerate(steps):
        mine = calls[b.id]
        if not mine or b.part:
            continue
        before = calls[steps[last].id] if last >= 0 else ()
        same = bool(before) and before[-1].path == mine[-1].path
        if not same or not used.isdisjoint(owned.get(b.id, ())):
            count, used = count + 1, set()
        used |= owned.get(b.id, set())
        calls[b.id] = mine = (*mine[:-1], mine[-1]._replace(number=count))
        shared = [c for c, d in zip(before, mine, strict=False) if c == d]
        for between in steps[last + 1 : i] if shared else ():
            calls[between.id] = tuple(shared)
        last = i
    return calls


def _lone(item: Tile | Frame) -> Tile | Frame:
    one = item
    while isinstance(one, Frame) and one.kind == "module" and len(one.items) == 1:
        one = one.items[0]
    return one if isinstance(one, Tile) else item


def _close_layers(root: Frame, modules: Sequence[str]) -> None:
    """Close the modules in which no other one stands: a drawing of layers."""
    holding = {path[:k] for path in modules for k in range(len(path)) if k == 0 or path[k] == "."}
    for frame in root.frames():
        if frame.kind == "module" and frame.path not in holding:
            frame.open = False


def _fit(root: Frame, levels: int | None, most: int) -> None:
    """Close frames below some level of modules, then the deepest, until no more is open than fits."""
    deep: dict[int, list[Frame]] = {}
    stack = [(root, 0, 0)]
    while stack:
        frame, depth, modules = stack.pop()
        modules += frame.kind == "module"
        deep.setdefault(depth, []).append(frame)
        if levels is not None and frame.kind == "module" and modules > levels:
            frame.open = False
        stack += [(f, depth + 1, modules) for f in frame.items if isinstance(f, Frame)]
    for depth in sorted(deep, reverse=True):
        if depth == 0 or _visible(root) <= most:
            break
        for frame in deep[depth]:
            frame.open = False
    if _visible(root) > most:
        begin, end = most // 4, len(root.items) - most // 2
        middle = root.items[begin:end]
        count = sum(t.box.is_step for t in Frame("", "", middle).tiles())
        rest = Frame("rest", f"… {count:,} further steps", middle, open=False)
        root.items[begin:end] = [rest]


def _visible(frame: Frame) -> int:
    count, stack = 0, [frame]
    while stack:
        f = stack.pop()
        count += sum(isinstance(i, Tile) or not i.open for i in f.items)
        stack += [i for i in f.items if isinstance(i, Frame) and i.open]
    return count
