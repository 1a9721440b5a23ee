"""What a Tensor needs a gradient for, and where the gradient lies: on the handle, not in the graph."""

from __future__ import annotations

import os
import sys
import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Never, cast

import numpy as np

from .arguments import as_flag, of_tensor, refuse_words
from .at import Hook
from .errors import ArgumentError, DTypeError, NoGradient, NotALeaf, ShapeError, describe
from .leaving import Leaving
from .mode import watcher
from .node import DIFFERENTIABLE, TRACED, TRANSFORMED, Node, clock
from .op import rec
from .place import in_package
from .spent import STEP

if TYPE_CHECKING:
    from .tensor import Tensor

_Array = np.ndarray


class Gradients:
    """One thread after another changes what stands in the gradients of tensors."""

    lock = threading.RLock()

    @classmethod
    def fork(cls) -> None:
        """In the child, no thread is left that would release the lock."""
        cls.lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=Gradients.fork)


def gradient_of(p: Tensor) -> Any:
    """The array of the gradient that `backward` has accumulated in p, or None.

    Raises NeedsDetach where a transform that is running differentiates it: whoever asks will not.
    """
    g = getattr(p, "_grad", None)
    if g is None or g.__class__ is _Array or not isinstance(g, Leaving):
        return g
    if g.node.live & TRANSFORMED:
        g._leave("a step", "Use opt.update(grads, state, params), whose results are differentiable.")
    return g.node.data


def in_dtype(value: Tensor, dtype: np.dtype[Any], what: str) -> Tensor:
    """A value in the dtype of what it belongs to; a real one takes no imaginary part."""
    if value.dtype == dtype:
        return value
    if value.dtype.kind == "c" and dtype.kind != "c":
        raise DTypeError(f"{what} {describe(value)} belongs to something of {dtype}: its imaginary part would be lost")
    return cast("Tensor", rec.astype(value, dtype))


def _hooked(node: Node, asker: str) -> bool:
    """Whether a traced function asks here for a gradient on its way, so that it will be run as it is."""
    hook = getattr(watcher(), "hook", None)
    return hook is not None and bool(hook(node, asker))


def _told_apart() -> None:
    """A traced function asks whether it is being differentiated, which one program of it is not: it runs as it is."""
    noted = getattr(watcher(), "as_it_is", None)
    if noted is not None:
        noted()


class Differentiable(Leaving):
    """Whether a Tensor requires a gradient, the gradient, and who is told of it."""

    __slots__ = ()
    if TYPE_CHECKING:
        _grad: Any
        _of: Callable[[Node], Tensor]
        _taken: Callable[[Any], Tensor]

    @property
    def requires_grad(self) -> bool:
        if self.node.live & TRACED and not in_package(sys._getframe(1).f_code.co_filename):
            _told_apart()
        node = self.node
        return bool(node.live & DIFFERENTIABLE) and self.dtype.kind in "fc" and node.op is not STEP

    @requires_grad.setter
    def requires_grad(self: Any, wanted: bool) -> None:
        node = self.node
        if node.op is not None or node.live & TRANSFORMED:
            if not wanted or not node.live & DIFFERENTIABLE:
                what = f"the result of {node.op.name}" if node.op is not None else "what a transform differentiates"
                raise NotALeaf(f"requires_grad belongs to leaves; this is {what}: use detach()")
            return
        if wanted and self.dtype.kind not in "fc":
            raise DTypeError(
                f"a gradient needs a floating or complex dtype, got {self.dtype}; use 1.0 or astype(float)"
            )
        self._grad = self.grad
        node.live = node.live | DIFFERENTIABLE if wanted else node.live & ~DIFFERENTIABLE
        node.more().owner = weakref.ref(self) if wanted else None

    @property
    def is_leaf(self) -> bool:
        return self.node.op is None

    @property
    def grad(self: Any) -> Tensor | None:
        """The gradient that `backward` has accumulated here, or None."""
        g = getattr(self, "_grad", None)
        if g is None or isinstance(g, Leaving):
            return cast("Tensor | None", g)
        with Gradients.lock:
            g = self._grad
            if g is not None and not isinstance(g, Leaving):
                g = self._of(Node(g))  # only now: most gradients are seen by an optimiser alone
                g._grad = None
                self._grad = g
            return cast("Tensor | None", g)

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            value = self._taken(value)
            if value.shape != self.shape:
                raise ShapeError(f"the gradient of a tensor of shape {self.shape} cannot have shape {value.shape}")
            value = in_dtype(value, self.dtype, "the gradient")
            value = self._of(value.node if value.node.live else Node(value.node.data))  # its owner's alone
            value._grad = None
        with Gradients.lock:
            self._grad = value

    def retain_grad(self: Any) -> None:
        """Keep this intermediate result's gradient in `.grad` when `backward` passes."""
        if not (_hooked(self.node, "retain_grad") or self.requires_grad):
            raise NoGradient("retain_grad() on a tensor that does not require a gradient")
        self.node.more().owner = weakref.ref(self)

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> Hook:
        """Call `hook(gradient)` when it is known; what it returns, if anything, replaces the gradient.

        Returns a handle: its `remove()` takes the hook away again.
        """
        if not (_hooked(self.node, "register_hook") or self.requires_grad):
            raise NoGradient("register_hook() on a tensor that does not require a gradient")
        if not callable(hook):
            raise ArgumentError(f"register_hook() takes a function of the gradient, got {describe(hook)}")
        m, key = self.node.more(), clock()
        if m.hooks is None:
            m.hooks = {}
        m.hooks[key] = hook
        return Hook(m.hooks, key)

    def detach(self) -> Tensor:
        """The same values, cut off from the graph: a constant for every derivative."""
        if self.node.live & TRACED or watcher() is not None:
            return cast("Tensor", rec.stop_gradient(self))
        return self._of(Node(self.node.data))

    @of_tensor
    def backward(
        self, gradient: Any = None, create_graph: bool = False, *, retain_graph: bool = True, **words: Never
    ) -> None:
        """Add d(self)/d(leaf) to the `.grad` of every leaf that requires a gradient.

        `gradient` is the cotangent, of this tensor's shape; a single number needs none.
        `create_graph` keeps the gradients differentiable. `retain_graph` is taken for PyTorch's sake: the
        graph stays as long as somebody holds it.
        """
        if words:
            refuse_words(Differentiable.backward, words)
        rec.backward(self, gradient, create_graph)

    def requires_grad_(self: Any, wanted: bool = True) -> Tensor:
        self.requires_grad = as_flag(wanted, "requires_grad_: wanted")
        return cast("Tensor", self)
