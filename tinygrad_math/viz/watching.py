"""Running a function that is to be drawn: each step with the modules it was made in, and the user's line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

from ..core.mode import MODE, Mode, Witness, under
from ..core.node import Node
from ..core.place import raised_place, user_place
from ..core.tensor import Tensor
from .view import Call, Failed, Note


class Watching(Witness):
    """Notes of every node how it was made."""

    def __init__(self) -> None:
        self.notes: dict[Node, Note] = {}
        self._frames: list[FrameType] = []  # calls of modules that are under way, outermost first
        self._calls: list[Call] = []
        self._paths: dict[int, tuple[Any, dict[int, str]]] = {}  # of an outermost module those of all in it
        self._count = 0

    def made(self, node: Node, op: Any, inputs: tuple[Node, ...], params: Any) -> None:
        self.notes[node] = Note(self._where(sys._getframe(1)), user_place(2), op, inputs, params)

    def _where(self, frame: FrameType | None) -> tuple[Call, ...]:
        """The calls of modules on the way to here; the same call as long as its frame is the same."""
        found: list[FrameType] = []
        while frame is not None:
            if _is_call(frame):
                found.append(frame)
            frame = frame.f_back
        found.reverse()
        same = 0
        while same < min(len(found), len(self._frames)) and found[same] is self._frames[same]:
            same += 1
        if same < len(found) or same < len(self._frames):
            self._calls = self._calls[:same]
            for inner in found[same:]:
                module, root = inner.f_locals["self"], found[0].f_locals["self"]
                self._count += 1
                path = self._path(root, module)
                owned = tuple(p.node for p in module.parameters())
                self._calls.append(Call(path, type(module).__name__, self._count, owned))
            self._frames = found
        return tuple(self._calls)

    def _path(self, root: Any, module: Any) -> str:
        if id(root) not in self._paths:
            self._paths[id(root)] = root, {id(m): path for path, m in root.named_modules()}
        return self._paths[id(root)][1].get(id(module), "")


def _is_call(frame: FrameType) -> bool:
    """Whether a frame is the call of a module, which stands on a higher floor than this file."""
    code = frame.f_code
    return code.co_name == "__call__" and str(frame.f_globals.get("__name__", "")).endswith(".nn.module")


def watched(f: Callable[[], Any]) -> tuple[Any, Mapping[Node, Note]]:
    """What a function returns, and the notes of how it was made. What it raises brings its notes along."""
    watching = Watching()
    outer = MODE.get()
    if outer is None:
        mode = Mode(True, None, None, None, (watching,))
    else:
        mode = Mode(outer.differentiable, outer.observe, outer, None, (*outer.witnesses, watching))
    try:
        return under(mode, f), watching.notes
    except Exception as error:
        error.__dict__["_drawn"] = watching.notes
        raise


def failed_step(error: BaseException) -> tuple[Failed, Mapping[Node, Note]] | None:
    """The step that an error arose in, with the Tensors that it was given: they stand in the frames it came through."""
    frames = []
    trace = error.__traceback__
    while trace is not None:
        frames.append(trace.tb_frame)
        trace = trace.tb_next
    notes: Mapping[Node, Note] = error.__dict__.get("_drawn", {})
    calls = Watching()._where(frames[-1]) if frames else ()
    place = raised_place(error.__traceback__)
    for frame in reversed(frames):
        if not str(frame.f_globals.get("__name__", "")).startswith(__name__.partition(".")[0] + "."):
            break  # the user's own code
        here = frame.f_locals
        op, args, params = here.get("op"), here.get("args"), here.get("params")
        if not isinstance(args, tuple):
            names = frame.f_code.co_varnames[: frame.f_code.co_argcount]
            args, params = tuple(here[n] for n in names if isinstance(here.get(n), Tensor) or n == "other"), None
        if not any(isinstance(a, Tensor) for a in args):
            continue
        title = getattr(op, "name", None) or here.get("name") or frame.f_code.co_name
        if title == "forward" and "self" in here:
            title = type(here["self"]).__name__
        inputs = tuple(a.node if isinstance(a, Tensor) else Node(_value(a)) for a in args if _value(a) is not None)
        message = str(error).split("\n")[0]
        known = params if isinstance(params, Mapping) else {}
        return Failed(str(title), inputs, known, message, op if hasattr(op, "defaults") else None, calls, place), notes
    return None


def _value(a: Any) -> Any:
    """A number or an array among the arguments, else nothing."""
    if isinstance(a, Tensor):
        return a.node.data
    return a if isinstance(a, (int, float, complex)) or hasattr(a, "dtype") else None
