"""Copies of a Tensor, and what `pickle` keeps of it: values, name and gradient, without history."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from .errors import NotALeaf
from .leaving import Leaving
from .node import Node
from .op import rec

if TYPE_CHECKING:
    from .tensor import Tensor


def restored(kind: type[Tensor], data: Any, requires_grad: bool, name: str | None, grad: Any) -> Tensor:
    """A leaf as it was saved or copied."""
    t: Tensor = object.__new__(kind)
    t.node, t._grad = Node(data), None
    if name is not None:
        t.name = name
    if requires_grad:
        t.requires_grad = True
    if grad is not None:
        t.grad = np.array(grad)
    return t


class Copying(Leaving):
    """`copy.copy`, `copy.deepcopy` and `pickle` of a Tensor."""

    __slots__ = ()
    if TYPE_CHECKING:
        _of: Callable[[Node], Tensor]

        @property
        def grad(self) -> Tensor | None: ...

    def __reduce__(self) -> Any:
        """For `pickle`: values, name, gradient; a result becomes a leaf without its history."""
        self._leave("pickle", "Return what is to be saved from the function, beside its result (has_aux=True).")
        return restored, (type(self), *self._state())

    def __deepcopy__(self: Any, memo: dict[int, Any]) -> Tensor:
        if self._differentiated():
            memo[id(self)] = recorded = rec.copy(self)
            return cast("Tensor", recorded)
        if self.node.op is not None and self.requires_grad:
            raise NotALeaf(
                f"a deep copy of a result, {self.dtype}{self.shape} of {self.node.op.name}, would lose its history; "
                "use x.copy(), which is recorded, or copy x.detach()"
            )
        memo[id(self)] = twin = restored(type(self), *self._state())
        return twin

    def __copy__(self: Any) -> Tensor:
        """A second handle on the same value: assignment to one leaves the other as it was."""
        if self.node.op is None and not self._differentiated():
            return restored(type(self), *self._state())
        return cast("Tensor", self._of(self.node))

    def _state(self) -> tuple[Any, ...]:
        self._refuse_trace(
            "a copy", "Use x.copy(), of a tree tm.tree_map(lambda x: x.copy(), tree), which are recorded."
        )
        data = self.node.data
        grad = None if self.grad is None else self.grad.node.data
        return (data.copy() if isinstance(data, np.ndarray) else data), self.requires_grad, self.name, grad
