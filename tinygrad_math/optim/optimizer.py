"""What every optimiser shares: PyTorch's idiom around a pure rule for one parameter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..core.errors import ArgumentError, MissingMethod, ShapeError, TraceError
from ..core.op import raw
from ..core.tensor import MODE, Tensor, as_tensor, rec
from ..core.tree import flatten, same_shape, show, unflatten
from ..nn.module import Parameter

State = dict[str, Any]


class Optimizer:
    """An update rule for parameters.

    Subclasses define `start(xp, p)`, the state of one parameter, and `rule(xp, p, g, state)`, the new
    parameter and state, written over a namespace: on arrays for `step`, on Tensors for `update`.
    `params` is a module or an iterable of Tensors; leave it out to use the pure form only.

    >>> import tinygrad_math as tm
    >>> class Halving(tm.optim.Optimizer):
    ...     def rule(self, xp, p, g, state):
    ...         return p / 2, state
    >>> x = tm.tensor(8.0, requires_grad=True)
    >>> (x * x).backward()
    >>> Halving([x]).step()
    >>> x
    tensor(4., requires_grad=True)
    """

    def __init__(self, params: Any = None) -> None:
        listed: Iterable[Any] = (
            () if params is None else params.parameters() if hasattr(params, "parameters") else params
        )
        if isinstance(listed, Tensor):
            raise ArgumentError(f"an optimiser takes a module or several Tensors: write [p] for {params!r:.60}")
        self.params: list[Tensor] = list(listed)
        if params is not None and not self.params:
            raise ArgumentError("an optimiser was given no parameters; was the iterator used up before?")
        for p in self.params:
            if not isinstance(p, Tensor) or not p.is_leaf or not (p.requires_grad or isinstance(p, Parameter)):
                raise ArgumentError(f"an optimiser updates leaf Tensors that require a gradient, got {p!r:.80}")
        self.state: list[State | None] = [None] * len(self.params)

    def start(self, xp: Any, p: Any) -> State:
        return {}

    def rule(self, xp: Any, p: Any, g: Any, state: State) -> tuple[Any, State]:
        raise MissingMethod(f"{type(self).__name__} does not define rule(self, xp, p, g, state)")

    # -- PyTorch's idiom ----------------------------------------------------------------------------
    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or with `set_to_none=False` fill them with zeros."""
        for p in self.params:
            p._grad = None if set_to_none or p.grad is None else rec.zeros_like(p.grad)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient, in place.

        A `closure` computes the loss and its gradients first; its result is returned.
        """
        mode = MODE.get()
        if mode is not None and mode.observe is not None:
            raise TraceError(
                "step() changes parameters in place, which a function that is being traced cannot show; "
                "use grads = tm.grad(loss)(params) and opt.update(grads, state, params), and return the new parameters"
            )
        loss = None if closure is None else closure()
        for k, p in enumerate(self.params):
            gradient = p.grad
            if gradient is None:
                continue
            data, state = p.node.data, self.state[k]
            if state is None:
                state = self.start(raw, data)
            new, self.state[k] = self.rule(raw, data, gradient.node.data, state)
            p._replace(new)
        return loss

    # -- the same maths, pure -----------------------------------------------------------------------
    def init(self, params: Any) -> list[State]:
        """The state for a tree of parameters: one dict a leaf, in the order of the leaves."""
        return [self.start(rec, as_tensor(p)) for p in flatten(params)[0]]

    def update(self, grads: Any, state: list[State], params: Any) -> tuple[Any, list[State]]:
        """New parameters and state; nothing is changed in place. Trees of one structure."""
        leaves, structure = flatten(params)
        gradients, given = flatten(grads)
        if not same_shape(structure, given):
            raise ShapeError(f"update: gradients {show(given)} for parameters {show(structure)}")
        rows = [self.rule(rec, as_tensor(p), as_tensor(g), s) for p, g, s in zip(leaves, gradients, state, strict=True)]
        return unflatten(structure, [p for p, _ in rows]), [s for _, s in rows]
