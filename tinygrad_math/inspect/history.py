"""What led to a value, in the user's words: the names of variables, the lines, the ops on the way."""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from ..core.errors import describe
from ..core.node import Input, Node
from ..core.place import Place, in_package, is_library
from ..core.showing import span
from ..core.tensor import Tensor

SHOWN = 8  # steps of a chain that are shown
DEEP = 16  # steps that are remembered of values which nobody differentiates


class Origin(NamedTuple):
    """What is remembered of a value whose node forgets what it was made of: no arrays."""

    title: str
    name: str | None
    place: Place | None
    parents: tuple[Origin, ...]
    depth: int
    node: weakref.ref[Node] | None = None

    def called(self, found: Mapping[Node, str]) -> str | None:
        """The name of it, or that of the variable that holds it."""
        node = self.node() if self.node is not None else None
        return self.name or (found.get(node) if node is not None else None)


class Operand(NamedTuple):
    """One thing that an op was applied to."""

    name: str | None  # the user's name for it, if one is known
    value: Any  # the number at the element in question; None where the element depends on many
    place: tuple[int, ...] | None
    shape: tuple[int, ...]
    dtype: Any
    summary: str  # the range, and what is not finite

    def __str__(self) -> str:
        title = self.name or "(unnamed)"
        where = f"[{', '.join(map(str, self.place))}]" if self.place else ""
        number = "" if self.value is None else f" = {self.value!s}" if _whole(self.value) else f" = {self.value:.9g}"
        what = f"{self.dtype}{self.shape}" if self.shape else f"{self.dtype}"
        return f"{title}{where}{number}  {what}{', ' + self.summary if self.summary else ''}"


def _whole(value: Any) -> bool:
    return np.asarray(value).dtype.kind in "biu"


def operand(data: Any, name: str | None, value: Any, shape: tuple[int, ...], index: tuple[int, ...]) -> Operand:
    """An operand for a report; `index` is that of a result of this shape."""
    if isinstance(data, (tuple, list)):
        return Operand(name, None, None, (), "", f"{len(data)} parts")
    array = np.asarray(data)
    own = None
    if value is not None and array.shape:
        own = tuple(i if n != 1 else 0 for i, n in zip(index[len(shape) - array.ndim :], array.shape, strict=True))
    return Operand(name, value, own, array.shape, array.dtype, span(array) if array.shape else "")


class History:
    """Names and lines of values, of those too whose nodes do not know what they are made of."""

    def __init__(self) -> None:
        self.origins: MutableMapping[Node, Origin] = weakref.WeakKeyDictionary()
        self.names: MutableMapping[Node, str] = weakref.WeakKeyDictionary()

    def note(self, node: Node, op: Any, inputs: Sequence[Node], place: Place | None) -> None:
        """Remember what a node was made of, as far as it does not know it, and what the user calls its inputs."""
        unnamed = [i for i in inputs if type(i) is Input and i not in self.names]  # whose function is over by then
        if unnamed:
            found = variables()
            self.names.update((i, found.get(i, "")) for i in unnamed)
        if node.op is None:
            parents = tuple([self.origin(i) for i in inputs])
            depth = 1 + max((p.depth for p in parents), default=0)
            kept = parents if depth <= DEEP else ()
            self.origins[node] = Origin(op.name, node.name, place, kept, depth % (DEEP + 1), weakref.ref(node))

    def name(self, node: Node, found: Mapping[Node, str] | None = None) -> str | None:
        """What the user calls a value: its own name, or that of a variable."""
        return node.name or self.names.get(node) or (found or {}).get(node)

    def origin(self, node: Node, found: Mapping[Node, str] | None = None) -> Origin:
        """One step of the way to a node; the parents of a recorded one are asked for by `steps`."""
        known = self.origins.get(node) if node.tick else None
        if known is not None:
            return known
        if not node.tick:
            return Origin(describe(node.data), None, None, (), 0)
        title = node.op.name if node.op is not None and node.op.name != "alias" else f"input {describe(node.data)}"
        place = place_of(node)
        return Origin(title, self.name(node, found), place, (), 0, weakref.ref(node))

    def chain(self, node: Node, blame: int = 0) -> tuple[str, ...]:
        """The way from an input to a node, a text a step; at the last step through the operand to blame."""
        found = variables()
        steps: list[str] = []
        current: Node | Origin | None = node
        first = True
        while current is not None and len(steps) < 1000:
            if isinstance(current, Origin):
                steps.append(_step(current, found))
                current = _main(current.parents)
                continue
            origin = self.origin(current, found)
            if not (current.op is not None and current.op.name == "alias"):
                steps.append(_step(origin, found))
            inputs = current.inputs
            if origin.parents:
                current = origin.parents[blame] if first and blame < len(origin.parents) else _main(origin.parents)
            elif first and blame < len(inputs):
                current = inputs[blame] if inputs[blame].tick else None
            else:
                current = next((i for i in inputs if i.op is not None), next((i for i in inputs if i.tick), None))
            first = False
        return shortened(steps[::-1])


def place_of(node: Node) -> Place | None:
    """The line that made a node."""
    place: Place | None = node.meta.place if node.meta is not None else None
    return place


def shortened(steps: Sequence[str]) -> tuple[str, ...]:
    """The first and the last steps of many."""
    if len(steps) <= SHOWN:
        return tuple(steps)
    return (*steps[:2], f"... {len(steps) - SHOWN + 1} more ...", *steps[-SHOWN + 3 :])


def _main(parents: Sequence[Origin]) -> Origin | None:
    """The parent to follow: one that was computed, before one that was given."""
    return next((p for p in parents if p.place is not None), next((p for p in parents if p.node is not None), None))


def _step(origin: Origin, found: Mapping[Node, str]) -> str:
    name = origin.called(found)
    title = f"{name}: {origin.title}" if name else origin.title
    return title if origin.place is None else f"{title} ({short(origin.place)})"


def short(place: Place) -> str:
    """`model.py:12` of a place."""
    return f"{place.prefix}{place.file.rpartition('/')[2]}:{place.line}"


def frames() -> Iterator[FrameType]:
    """The user's frames, the innermost first."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if not is_library(frame.f_code.co_filename):
            yield frame
        frame = frame.f_back


def variables() -> dict[Node, str]:
    """What the variables around here are called that hold Tensors; the innermost frame counts first."""
    found: dict[Node, str] = {}
    for depth, frame in enumerate(frames()):
        if depth > 20:
            break
        for name, value in list(frame.f_locals.items()):
            if isinstance(value, Tensor):
                found.setdefault(value.node, name)
    return found


_BENEATH = (f"{os.sep}core{os.sep}", f"{os.sep}inspect{os.sep}")  # what is below every function


def asked() -> str | None:
    """The function of this package, made of several ops, that the user called, seen from inside of it."""
    frame, outer = sys._getframe(1), None
    while frame is not None and is_library(frame.f_code.co_filename):
        code = frame.f_code
        if in_package(code.co_filename) and not any(part in code.co_filename for part in _BENEATH):
            outer = code.co_qualname if code.co_name != "__call__" else outer
        frame = frame.f_back  # type: ignore[assignment]
    return outer
