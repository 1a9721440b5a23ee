"""Whether a network keeps something from one call of its `forward` to the next, which a program of one step has not."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from ..compiler.reach import functions_in, line_of, lineage, mentions, of_user
from ..compiler.streams import is_stream, restore, state_of
from ..compiler.values import is_plain, put_back, same
from ..core.errors import TraceError
from ..core.node import TRACED, TRANSFORMED, Node, clock
from ..core.tensor import Tensor
from ..nn.module import Module
from ..nn.parameter import Parameter

_NO_STATE = ("_tree_keys", "_buffers")
_CONTAINERS = (list, dict, set, deque, np.ndarray)


class Kept:
    """What the modules of a network hold beside parameters and buffers, as it is now."""

    def __init__(self, model: Module) -> None:
        self.model, self.start = model, clock()
        self.holders: list[tuple[str, Any, Any]] = []  # path, what can be written to, a copy of what is in it
        self.tensors: list[tuple[str, Tensor, Node, Any]] = []
        self.streams: list[tuple[str, Any, Any]] = []
        self._seen: set[int] = set()
        for path, module in model.named_modules():
            self._seen.add(id(module))
            buffers = module._buffers
            own = {k: v for k, v in module.__dict__.items() if k not in _NO_STATE and k not in buffers}
            self.holders.append((path, module.__dict__, own))
            for name, value in own.items():
                self._note(f"{path}.{name}" if path else name, value)

    def _note(self, path: str, x: Any) -> None:
        """Keep what is in a value, and in what it holds."""
        if isinstance(x, (Parameter, Module, type, FunctionType, ModuleType)) or id(x) in self._seen:
            return
        if isinstance(x, Tensor):
            self.tensors.append((path, x, x.node, x.node.data))
        elif is_stream(x):
            self.streams.append((path, x, state_of(x)))
        elif isinstance(x, _CONTAINERS):
            self.holders.append((path, x, x.copy()))
        elif not isinstance(x, tuple) and not (hasattr(x, "__dict__") and lineage(type(x))):
            return
        self._seen.add(id(x))
        if isinstance(x, dict):
            for k, v in x.items():
                self._note(f"{path}[{k!r}]", v)
        elif isinstance(x, (list, tuple, deque)):
            for k, v in enumerate(x):
                self._note(f"{path}[{k}]", v)
        if hasattr(x, "__dict__") and not isinstance(x, Tensor):
            self.holders.append((path, x.__dict__, x.__dict__.copy()))
            for k, v in x.__dict__.items():
                self._note(f"{path}.{k}", v)

    def changed(self) -> str | None:
        """The path of the first thing that is not what it was; None if all is."""
        for path, x, old in self.holders:
            new = x
            if type(old) is dict:
                new = {k: v for k, v in x.items() if k in old or not _is_beside(self.model, x, k)}
            if _alike(new, old):
                continue
            if isinstance(x, dict):
                key = next(k for k in [*new, *old] if k not in new or k not in old or not _alike(new[k], old[k]))
                return f"{path}.{key}".lstrip(".") if isinstance(key, str) else f"{path}[{key!r}]"
            return path
        for path, x, node, data in self.tensors:
            if x.node is not node or node.data is not data:
                return path
        return next((path for path, x, old in self.streams if not same(old, state_of(x))), None)

    def moving(self) -> bool:
        """Whether something here is now a value of the run itself, which nobody knows outside of it."""
        now = Kept(self.model)
        return any(x.node.live & (TRACED | TRANSFORMED) and x.node.tick > self.start for _, x, _, _ in now.tensors)

    def restore(self) -> None:
        """Put all back."""
        for _, x, old in self.holders:
            if type(x) is dict:  # entries that are new go; buffers stay
                for k in [k for k in x if k not in old and not _is_beside(self.model, x, k)]:
                    del x[k]
                x.update(old)
            else:
                put_back(x, old)
        for _, x, node, data in self.tensors:
            x.node = node
            if node.data is not data:
                x._replace(data)
        for _, x, old in self.streams:
            restore(x, old)


def _is_beside(model: Module, x: Any, key: Any) -> bool:
    """Whether an entry of a module's attributes is no state of this kind: a buffer, or how it is taken apart."""
    return key in _NO_STATE or any(m.__dict__ is x and key in m._buffers for m in model.modules())


def _alike(a: Any, b: Any) -> bool:
    if a is b:
        return True
    if type(a) is type(b) and isinstance(a, (dict, list, tuple, deque)) and len(a) == len(b):
        if isinstance(a, dict):
            return list(a) == list(b) and all(map(_alike, a.values(), b.values()))
        return all(map(_alike, a, b))
    return is_plain(a) and is_plain(b) and same(a, b)


def steadily(asker: str, model: Module, run: Callable[[], Any]) -> Any:
    """What `run()` gives, which calls the model; raise TraceError where the model goes on from what it keeps.

    What it sets up at its first call, and finds at the second, is no such thing.
    """
    before = Kept(model)
    try:
        found = run()
        path = before.changed()
        if path is None:
            return found
        again = Kept(model)
        if not before.moving():
            found, path = run(), again.changed()
        if path is None:
            return found
    except BaseException:
        before.restore()
        raise
    before.restore()
    raise TraceError(keeping(asker, model, path))


def keeping(asker: str, model: Module, path: str) -> str:
    """How one says that a network writes to what lies at a path."""
    place = line_of(_methods(model), path)
    where = "" if place is None else f"\n  File {place.file!r}, line {place.line}\n    {place.text}"
    return (
        f"{asker}: {type(model).__name__} changes its {path} when it is called, which a step that is one program "
        "does not do again at each step. Keep a value that goes on from step to step as a buffer (register_buffer), "
        f"return one for the loss with the prediction, or train by fit with compile=False.{where}"
    )


def _methods(model: Module) -> list[FunctionType]:
    """The user's functions of the modules that their `forward` may call, by the names that it mentions."""
    kinds = {k: None for m in model.modules() for k in lineage(type(m))}
    members = [(name, f) for k in kinds for name, m in vars(k).items() for f in functions_in(m) if of_user(f)]
    names, found = {"forward", "__call__"}, dict[FunctionType, None]()
    while more := [f for name, f in members if name in names and f not in found]:
        for f in more:
            found[f] = None
            names |= mentions(f.__code__).attributes
    return list(found)
