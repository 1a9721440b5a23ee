"""What every optimiser shares: PyTorch's idiom around a pure rule for one parameter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..core.errors import ArgumentError, DTypeError, MissingMethod, ShapeError, TraceError, describe
from ..core.mode import no_grad
from ..core.node import finished
from ..core.op import raw
from ..core.tensor import MODE, Tensor, as_tensor, rec
from ..core.tree import flatten, leaves_like, show, unflatten
from ..nn.module import Parameter

State = dict[str, Any]


class Optimizer:
    """An update rule for parameters.

    Subclasses define `start(xp, p)`, the state of one parameter, and `rule(xp, p, g, state)`, the new
    parameter and state, written over a namespace: on arrays for `step`, on Tensors for `update`.
    `params` is a module or an iterable of Tensors; leave it out to use the pure form only. One that is given twice
    is updated once.

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
        self.params: list[Tensor] = list(dict.fromkeys(listed))
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
        """Update every parameter that has a gradient, in place, or none if one of them cannot be.

        A `closure` computes the loss and its gradients first; its result is returned.
        """
        mode = MODE.get()
        if mode is not None and mode.observe is not None:
            raise TraceError(
                "step() changes parameters in place, which a function that is being traced cannot show; "
                "use grads = tm.grad(loss)(params) and opt.update(grads, state, params), and return the new parameters"
            )
        loss = None if closure is None else closure()
        moved = []
        for k, p in enumerate(self.params):
            if p.grad is not None:
                data, state = p.node.data, self.state[k]
                state = self.start(raw, data) if state is None else state
                moved.append((k, *self._moved(raw, data, p.grad.node.data, state)))
        for k, new, state in moved:
            self.params[k]._replace(new)
            self.state[k] = state
        return loss

    def _moved(self, xp: Any, p: Any, g: Any, state: State) -> tuple[Any, State]:
        """What the rule makes of one parameter and its state, in the dtypes that they have."""
        if g.shape != p.shape:
            raise ShapeError(f"a gradient {describe(g)} for a parameter {describe(p)}")
        if g.dtype.kind == "c" and p.dtype.kind != "c":
            raise DTypeError(f"a gradient {describe(g)} for a parameter {describe(p)}: an imaginary part would be lost")
        new, after = self.rule(xp, p, g, state)
        return _alike(xp, new, p), {name: _alike(xp, v, state.get(name)) for name, v in after.items()}

    # -- the same maths, pure -----------------------------------------------------------------------
    def init(self, params: Any) -> list[State]:
        """The state for a tree of parameters: one dict a leaf, in the order of the leaves."""
        return [self.start(rec, as_tensor(p)) for p in flatten(params)[0]]

    def update(self, grads: Any, state: list[State], params: Any) -> tuple[Any, list[State]]:
        """New parameters and state; nothing is changed in place.

        Arguments: `grads` a tree like `params`, dicts by their keys in any order; `state` from `init` or the last call.
        Returns a tree like `params`, for a module a module, and the state. Parameters that are held fixed stay so.

        What comes back are leaves, which require a gradient as the parameters did, so that a loop keeps no history. A
        transform that is running differentiates through the update, and so does `backward` where the gradients were
        made with `create_graph`.
        """
        leaves, structure = flatten(params)
        gradients = leaves_like(grads, structure, strict=True)
        if gradients is None:
            raise ShapeError(f"update: gradients {show(flatten(grads)[1])} for parameters {show(structure)}")
        if len(state) != len(leaves):
            raise ArgumentError(
                f"update: the state of {len(state)} parameters for {len(leaves)}; call init(params) first"
            )
        given = [(as_tensor(p), as_tensor(g), s) for p, g, s in zip(leaves, gradients, state, strict=True)]
        nodes = [t.node for p, g, s in given for t in (p, g, *s.values()) if isinstance(t, Tensor)]
        mode = MODE.get()
        watched = mode is not None and mode.observe is not None
        if not watched and all(map(finished, nodes)):
            with no_grad():
                rows = [self._updated(p, g, s) for p, g, s in given]
            news = [_leaf_like(p, new) for (p, _, _), (new, _) in zip(given, rows, strict=True)]
        else:
            rows = [self._updated(p, g, s) for p, g, s in given]
            news = [new for new, _ in rows]
        if watched:
            for t in (*news, *(v for _, s in rows for v in s.values())):
                if isinstance(t, Tensor):
                    t.node.more().settled = True
        return unflatten(structure, news), [s for _, s in rows]

    def _updated(self, p: Tensor, g: Tensor, state: State) -> tuple[Any, State]:
        if isinstance(p, Parameter) and not p.learns:
            return p, state
        return self._moved(rec, p, g, state)


def _alike(xp: Any, new: Any, old: Any) -> Any:
    """A new value in the dtype of the old one."""
    if getattr(new, "dtype", None) is getattr(old, "dtype", None):
        return new
    if not hasattr(old, "dtype") or not hasattr(new, "dtype") or new.dtype == old.dtype or old.dtype.kind not in "fc":
        return new
    if new.dtype.kind == "c" and old.dtype.kind != "c":
        raise DTypeError(f"the rule made {describe(new)} of {describe(old)}: an imaginary part would be lost")
    return xp.astype(new, old.dtype)


def _leaf_like(p: Tensor, new: Any) -> Any:
    """The new value as a leaf that requires a gradient if p does, under its name."""
    if new is p or not p.requires_grad:
        return new
    leaf = type(p)._from_tree(new, True, True) if isinstance(p, Parameter) else new.detach().requires_grad_()
    leaf.name = p.name
    return leaf
