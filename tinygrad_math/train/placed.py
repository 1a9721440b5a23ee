"""A network whose parameters are for a while the arguments of a function, and the loss that comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ..core.errors import ArgumentError, TraceError, UnusedInput, describe
from ..core.node import Node
from ..core.tensor import DIFFERENTIABLE, Tensor, as_tensor, rec
from ..core.tree import flatten
from ..nn.module import Module
from ..nn.parameter import Parameter
from .kept import keeping, steadily

Loss = Callable[..., Any]
_NONE: Any = object()


def forward(model: Module, loss: Loss, batch: Any) -> tuple[Any, Any]:
    """The loss of a batch (input, target, ...), and the prediction. A batch of one part is its own target."""
    parts = tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)
    if not parts:
        raise ArgumentError("a batch is (input, target, ...), got an empty one")
    prediction = model(parts[0])
    return loss(prediction, *targets_of(parts)), prediction


def targets_of(batch: Any) -> tuple[Any, ...]:
    """What a loss takes of a batch beside the prediction: all but the input, which alone is its own target."""
    parts = tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)
    return parts[1:] or parts


def in_place(model: Module, loss: Loss) -> Callable[..., Any]:
    """The loss of a batch as a function of the numbers of a network, which for a while are those of the network itself.

    It returns the loss and the buffers after it, and tells `used` which parameters a derivative leads to.
    """
    asker = "fit(compile=True)"

    def objective(params: Any, fixed: Any, buffers: Any, batch: Any, used: set[str]) -> Any:
        where = dict(model.named_parameters())
        old = {p.node: n for n, p in where.items()}

        def run() -> Any:
            with placed(model, {**params, **fixed, **buffers}):
                nodes = [p.node for p in where.values()]
                y, _ = forward(model, loss, batch)
                after = dict(model.named_buffers())
                wrong = [n for (n, p), node in zip(where.items(), nodes, strict=True) if p.node is not node]
                wrong += [n for n in buffers if not isinstance(after.get(n), Tensor)]
                if wrong:
                    raise TraceError(keeping(asker, model, wrong[0]))
                return y, {n: after[n].detach() for n in buffers}

        y, after = steadily(asker, model, run)
        check_current(asker, check_loss(asker, y), old)
        used |= reached([y], {as_tensor(p).node: n for n, p in params.items()})
        return y, after

    return objective


class OneOfMany:
    """The loss of a batch as a function of the numbers of one of several networks, given to a copy of the first.

    `live` are the Tensors of the networks themselves, by path: nobody may use these.
    """

    __reached__ = ("model", "loss")

    def __init__(self, model: Module, loss: Loss, live: Sequence[tuple[Tensor, str]]) -> None:
        self.model, self.loss, self.live = model, loss, live

    def __call__(self, params: Any, fixed: Any, buffers: Any, batch: Any, used: set[str]) -> Any:
        net, y, _ = self._forward({**params, **fixed, **buffers}, batch)
        used |= reached([check_loss("fit_many", y)], {as_tensor(p).node: n for n, p in params.items()})
        return y, {n: b.detach() for n, b in net.named_buffers()}

    def measured(self, tensors: Any, batch: Any) -> tuple[Any, Any]:
        """The loss and the prediction."""
        _, y, prediction = self._forward(tensors, batch)
        return y, prediction

    def _forward(self, tensors: Any, batch: Any) -> tuple[Module, Any, Any]:
        net = self.model.with_tensors(tensors)
        with marked(self.live, tensors) as marks:
            y, prediction = steadily("fit_many", net, lambda: forward(net, self.loss, batch))
            made = [*flatten((y, prediction))[0], *net.buffers()]
            foreign = reached(made, marks, differentiably=False)
        if foreign:
            raise ArgumentError(
                f"fit_many: the loss uses {', '.join(sorted(foreign))} of one of the networks itself (a closure, a "
                "global, a method that was bound to it), which are not the numbers of each: let forward return what "
                "the loss needs with the prediction, or train by fit, one network after another"
            )
        return net, y, prediction


@contextmanager
def placed(model: Module, tensors: Mapping[str, Any]) -> Iterator[None]:
    """Within it the parameters and buffers themselves have these values, by path, whoever holds them.

    A loss that closes over the network, a method, a global: all see them, and derivatives go through all.
    """
    places: dict[str, Tensor] = dict(model.named_parameters()) | dict(model.named_buffers())
    before = [(t, t.node, getattr(t, "_learns", _NONE)) for t in places.values()]
    attributes = [(m.__dict__, name, m.__dict__[name]) for m in model.modules() for name in m._buffers]
    try:
        for name, t in places.items():
            if name in tensors:
                given = as_tensor(tensors[name])
                if isinstance(t, Parameter):
                    learns = t.learns
                    t.node, t._learns = given.node, learns
                else:
                    t.node = given.copy().node
        yield
    finally:
        for t, node, learns in before:
            t.node = node
            if isinstance(t, Parameter):
                if learns is _NONE:
                    del t._learns
                else:
                    t._learns = learns
        for attribute, name, t in attributes:
            attribute[name] = t


@contextmanager
def marked(live: Iterable[tuple[Tensor, str]], tensors: Mapping[str, Any]) -> Iterator[dict[Node, str]]:
    """Within it these Tensors of networks are marks, from which can be told what uses them; their nodes, with names."""
    before = [(t, t.node, name) for t, name in live]
    marks: dict[str, Node] = {}
    try:
        for t, _, name in before:
            if name in tensors:
                mark = marks.get(name)
                if mark is None:
                    mark = marks[name] = rec.alias(as_tensor(tensors[name])).node
                t.node = mark
        yield {node: name for name, node in marks.items()}
    finally:
        for t, node, _ in before:
            t.node = node


def reached(roots: Iterable[Any], wanted: Mapping[Node, str], differentiably: bool = True) -> set[str]:
    """The names of those nodes of which values are made; those only to which a derivative leads, if so asked."""
    return {wanted[n] for n in _below(roots, differentiably) if n in wanted}


def leaves_below(y: Any) -> set[str]:
    """The names of the leaves to which a derivative leads."""
    leaves = [n for n in _below([y], True) if n.op is None and n.live & DIFFERENTIABLE]
    return {n.name or f"a Tensor {describe(n.data)}" for n in leaves}


def _below(roots: Iterable[Any], differentiably: bool) -> set[Node]:
    stack = [r.node for r in roots if isinstance(r, Tensor)]
    seen = set(stack)
    while stack:
        for i in stack.pop().inputs:
            if i not in seen and (i.live & DIFFERENTIABLE or not differentiably):
                seen.add(i)
                stack.append(i)
    return seen


def check_loss(asker: str, y: Any) -> Tensor:
    """The loss, if it is a Tensor to which a derivative leads. Raises ArgumentError, UnusedInput."""
    if not isinstance(y, Tensor):
        raise ArgumentError(
            f"{asker}: the loss returns one number as a Tensor, computed of the prediction by functions of "
            f"tinygrad_math; got {describe(y)}"
        )
    if not y.requires_grad:
        raise UnusedInput(
            f"{asker}: no derivative leads from the loss {describe(y)} to a parameter; is there a detach(), no_grad(), "
            "or argmax between them?"
        )
    return y


def check_current(asker: str, y: Any, old: Mapping[Node, str]) -> None:
    """Raise TraceError for a loss that uses what was computed of parameters before the step."""
    stale = reached([y], old)
    if stale:
        raise TraceError(
            f"{asker}: the loss uses what was computed of {', '.join(sorted(stale))} before this step, which has "
            "the parameter's old value; compute it within the loss, or detach() what is to stay as it is"
        )
