"""`x.at[index].set(v)`: assignment as a function, and what a hook hands back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import ArgumentError
from .op import rec

if TYPE_CHECKING:
    from .tensor import Tensor


class Hook:
    """What `register_hook` returns: `remove()` (or a call) takes the hook away."""

    def __init__(self, hooks: dict[int, Any], key: int) -> None:
        self._hooks, self._key = hooks, key

    def remove(self) -> None:
        self._hooks.pop(self._key, None)

    __call__ = remove


class At:
    """The functional form of assignment, still without an index."""

    def __init__(self, x: Tensor) -> None:
        self._x = x

    def __getitem__(self, index: Any) -> Place:
        return Place(self._x, index)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise ArgumentError(f"x.at needs an index: x.at[index].{name}(...)")


class Place:
    """A place in a tensor."""

    def __init__(self, x: Tensor, index: Any) -> None:
        self._x, self._index = x, index

    def set(self, value: Any) -> Tensor:
        return rec.setitem(self._x, self._index, value)  # type: ignore[no-any-return]

    def add(self, value: Any) -> Tensor:
        return rec.additem(self._x, self._index, value)  # type: ignore[no-any-return]

    def multiply(self, value: Any) -> Tensor:
        return rec.multiplyitem(self._x, self._index, value)  # type: ignore[no-any-return]

    def get(self) -> Tensor:
        return self._x[self._index]
