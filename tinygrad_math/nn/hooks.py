"""What is called before a module's forward pass, and when the gradient has passed the module."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ..core.errors import ArgumentError, NoGradient, describe
from ..core.tensor import Tensor, rec


def changed_arguments(module: Any, args: tuple[Any, ...], hooks: Mapping[int, Callable[..., Any]]) -> tuple[Any, ...]:
    """The arguments of a forward pass, as the hooks before it leave them."""
    for hook in tuple(hooks.values()):
        found = hook(module, args)
        if found is not None:
            args = found if isinstance(found, tuple) else (found,)
    return args


class Crossing:
    """One forward pass of a module whose gradient is looked at on its way back.

    Inputs and outputs are recorded anew, each with a hook of its own. The backward pass goes from what is younger to
    what is older: when it comes to the first input, it has been at all others, and at the outputs.
    """

    def __init__(self, module: Any, hooks: Mapping[int, Callable[..., Any]]) -> None:
        self.module, self.hooks = module, hooks
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []

    def entered(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments, in whose place the module takes its own."""
        self.inputs = [None] * len(args)
        found, self.watched = [], None
        for k, x in enumerate(args):
            own = _with_hook(x, partial(self._arrived, k))
            if own is not x and self.watched is None:
                self.watched = k
            found.append(own)
        return tuple(found)

    def left(self, y: Any) -> Any:
        """The results, in whose place the module gives its own."""
        several = isinstance(y, tuple) and type(y) is tuple
        parts = y if several else (y,)
        self.outputs = [None] * len(parts)
        found = tuple(_with_hook(part, partial(self._begun, k)) for k, part in enumerate(parts))
        self.first = next((k for k, (own, part) in enumerate(zip(found, parts, strict=True)) if own is not part), None)
        return found if several else found[0]

    def _begun(self, k: int, g: Any) -> None:
        self.outputs[k] = g
        if self.watched is None and k == self.first:
            self._tell()

    def _arrived(self, k: int, g: Any) -> Any:
        self.inputs[k] = g
        return self._tell() if k == self.watched else None

    def _tell(self) -> Any:
        """Call the hooks; what they put in the place of the first input's gradient."""
        for hook in tuple(self.hooks.values()):
            found = hook(self.module, tuple(self.inputs), tuple(self.outputs))
            if found is None:
                continue
            given = found if isinstance(found, tuple) else (found,)
            others = [k for k, g in enumerate(given) if k != self.watched and g is not None]
            if len(given) != len(self.inputs) or any(given[k] is not self.inputs[k] for k in others):
                raise ArgumentError(
                    f"a backward hook gives None, or the gradients of {len(self.inputs)} inputs, of which it may "
                    f"change the first that has one; got {describe(found)}"
                )
            if self.watched is not None:
                self.inputs[self.watched] = given[self.watched]
        return None if self.watched is None else self.inputs[self.watched]


def _with_hook(x: Any, hook: Callable[[Any], Any]) -> Any:
    """The same numbers with a hook, where a gradient comes back to them; else x."""
    if not isinstance(x, Tensor) or x.dtype.kind not in "fc":
        return x
    own = rec.positive(x)
    try:
        own.register_hook(hook)
    except NoGradient:
        return x
    return own
