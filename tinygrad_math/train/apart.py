"""Steps of training whose gradients are computed apart, by the workers of a Dask cluster, and summed."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, TraceError, UnusedInput, describe
from ..core.mode import no_grad
from ..core.quiet import ignoring
from ..core.tensor import Tensor, as_tensor
from ..core.tree import flatten, unflatten
from ..data.loader import DataLoader
from ..distributed.batches import Batches
from ..distributed.cluster import Shards
from ..distributed.picking import Numbered, Table
from ..distributed.products import ValueAndGrad
from ..nn.module import Module
from ..nn.parameter import Parameter
from ..nn.utils import clip_grad_norm_, clip_grad_value_
from ..random import own_stream
from .counting import counts, options_of
from .kept import steadily
from .placed import Loss, forward, leaves_below, reached
from .steps import Eager


class Objective:
    """The loss of a batch as a function of the model's parameters by name."""

    def __init__(self, model: Module, loss: Loss) -> None:
        self.model, self.loss = model, loss
        self.reduction = "sum" if options_of(loss).get("reduction") == "sum" else "mean"
        self.__name__ = type(model).__name__

    def suits(self, params: Any, batch: Any, examples: int, closely: bool) -> None:
        """Raise ArgumentError where the loss of a batch is no mean, or sum, of those of its halves."""
        if not closely or examples < 2:
            return
        self._check_alone(params, batch)
        half = examples // 2
        halves = [_rows(batch, examples, k) for k in (slice(half), slice(half, examples))]
        weights = [self.weight(rows, n) for rows, n in zip(halves, (half, examples - half), strict=True)]
        if not all(weights):
            return
        with no_grad(), ignoring(), own_stream(0) as drew:
            try:
                whole = self._number(params, batch)
            except Exception:  # the step itself will raise, and tell where
                return
            try:
                left, right = (self._number(params, rows) for rows in halves)
            except Exception as error:
                raise _unfit(f"of half of the rows it raises {type(error).__name__}: {error}") from error
        if drew():  # other numbers for each part
            return
        share = weights[0] / sum(weights)
        expected = left + right if self.reduction == "sum" else share * left + (1 - share) * right
        scale = max(abs(left), abs(right), abs(whole))
        if abs(whole - expected) > np.sqrt(np.finfo(whole.dtype).eps) * scale:  # false for NaN and infinity
            hint = "; it looks like a sum: " if abs(whole - left - right) <= 1e-3 * scale else ""
            hint += "divide it by the number of examples, or give a loss module of reduction='sum'" if hint else ""
            raise _unfit(
                f"of {examples} rows it is {whole:.6g}, and of its halves {left:.6g} and {right:.6g}, which is no "
                f"{self.reduction} of the two{hint}"
            )

    def weight(self, batch: Any, examples: int) -> float:
        """What a batch counts in the mean."""
        return counts(self.loss, batch, examples)

    def _check_alone(self, params: Any, batch: Any) -> None:
        """Raise ArgumentError for a loss that uses the network itself, TraceError for a network that keeps something.

        A worker has a copy of the network that the loss closes over, with parameters that no step changes.
        """
        asker = "fit(client=)"
        net = self.model.with_tensors({n: as_tensor(p).detach() for n, p in params.items()})
        with ignoring(), own_stream(0):
            try:
                y, _ = steadily(asker, net, lambda: forward(net, self.loss, batch))
            except TraceError:
                raise
            except Exception:  # the step itself will raise, and tell where
                return
        foreign = leaves_below(y)
        if foreign:
            raise ArgumentError(
                f"{asker}: the loss uses {', '.join(sorted(foreign))}, which requires a gradient, beside the "
                "prediction; a worker has a copy of it. If it is of the network, let forward return what the loss "
                "needs with the prediction; of another network, hold it fixed (requires_grad_(False))"
            )

    def _number(self, params: Any, batch: Any) -> Any:
        y = as_tensor(self(params, batch)).detach().numpy()
        return y.reshape(())[()].astype(np.result_type(y, np.float16))

    def reaching(self, params: Any, batch: Any) -> tuple[Any, dict[str, Any]]:
        """The loss, and 1 for each parameter to which a derivative leads, 0 for the others."""
        y = self(params, batch)
        used = reached([y], {p.node: n for n, p in params.items()})
        return y, {n: np.float64(n in used) for n in params}

    def __getstate__(self) -> dict[str, Any]:
        """Without the values of parameters, which come with each step: what is sent is the same in all of them."""
        empty = {name: Parameter(np.zeros(0, p.dtype)) for name, p in self.model.named_parameters()}
        return {**self.__dict__, "model": self.model.with_tensors(empty)}

    def __call__(self, params: Any, batch: Any) -> Any:
        net = self.model.with_tensors(params)
        before = [(name, b.node, b.node.data) for name, b in net.named_buffers()]
        y, _ = forward(net, self.loss, batch)
        for (name, node, array), (_, b) in zip(before, net.named_buffers(), strict=True):
            if b.node is not node or b.node.data is not array:
                raise ArgumentError(
                    f"fit(client=): the buffer {name} changes with each batch, as that of a batch norm does, and each "
                    "worker sees a part of the batch only; use LayerNorm or GroupNorm, or one machine"
                )
        return y


def _rows(batch: Any, examples: int, rows: slice) -> Any:
    """Some rows of a batch."""
    leaves, structure = flatten(batch)
    return unflatten(structure, [x[rows] if np.shape(x)[:1] == (examples,) else x for x in leaves])


def _unfit(reason: str) -> ArgumentError:
    return ArgumentError(
        f"fit(client=) takes a loss that is a mean over the examples, as each worker sees a part of a batch: {reason}"
    )


class Slope(ValueAndGrad):
    """The loss of a batch, of how many of its rows each parameter is used, and the gradient."""

    kind = "fit"

    @property
    def asker(self) -> str:
        return "fit(client=)"


class Apart(Eager):
    """A step whose gradient is the mean over the parts of a batch, each computed where its rows are."""

    def __init__(self, fast: bool, shards: Shards, *given: Any) -> None:
        super().__init__(*given)
        if isinstance(self.loss, Module) and any(True for _ in self.loss.parameters()):
            raise ArgumentError("fit(client=): the loss has parameters of its own; make them part of the model")
        self.fast, self.shards, self.mode = fast, shards, None
        self.spread: ValueAndGrad | None = None
        self.last = 0.0

    def __call__(self, batches: Sequence[Any]) -> float:
        named = dict(self.model.named_parameters())
        mode: Any = tuple(m.training for m in self.model.modules())
        if self.spread is None or mode != self.mode:
            objective = Objective(self.model, self.loss)
            self.spread = Slope([objective], self.shards, None, objective.reduction, self.fast)
            self.mode = mode
        params = {n: p.detach() for n, p in named.items()}
        self.optimizer.zero_grad()
        found, used = [], set[str]()
        for batch in batches:
            _, results, _, batch.size = self.spread.at(params, pick=batch)
            if batch.size:  # shards of unequal size may leave a small batch empty
                value, shares, slopes = results[0], results[1 : 1 + len(named)], results[1 + len(named) :]
                used |= {n for n, share in zip(named, shares, strict=True) if share}
                found.append((value, *slopes))
        if not found:
            return self.last
        if not used:
            self.optimizer.zero_grad()
            raise UnusedInput(
                "fit(client=): no derivative leads from the loss to a parameter; is there a detach() or no_grad() "
                "between them, or a number in the place of a Tensor?"
            )
        total = self.last = sum(float(value) for value, *_ in found) / len(found)
        sums = {n: sum(slopes[k] for _, *slopes in found) / len(found) for k, n in enumerate(named)}
        for n, p in named.items():
            if p.requires_grad and n in used:  # one of no row has no gradient, and stays as it is
                p.grad = Tensor(np.asarray(sums[n], p.dtype))
        if self.clip_value is not None:
            clip_grad_value_(self.optimizer.params, self.clip_value)
        if self.clip_norm is not None:
            clip_grad_norm_(self.optimizer.params, self.clip_norm)
        self.optimizer.step()
        return total

    def release(self) -> None:
        """Free the workers."""
        if self.spread is not None:
            self.spread.release()
        self.shards.release()


def apart(data: Any, client: Any) -> tuple[Any, Shards]:
    """What hands out the batches of a run over a cluster, and the shards that these are of."""
    if isinstance(data, DataLoader):
        parts = min(64, max(2, data.batch_size // 16))  # by the batch alone, so that sums do not depend on workers
        return Numbered(data), Shards([functools.partial(Table, data)] * parts, client)
    if not isinstance(data, Batches):
        data = Batches(data if isinstance(data, Shards) else Shards(data, client))
    return data, data.shards


def is_shards(data: Any) -> bool:
    """Whether data are shards, and no examples."""
    if isinstance(data, (Shards, Batches)):
        return True
    first = data[0] if isinstance(data, (list, tuple)) and data else data
    first = first[0] if isinstance(first, tuple) and first else first
    return isinstance(first, (str, os.PathLike)) or hasattr(first, "__dask_graph__") or _is_function(first)


def _is_function(thing: Any) -> bool:
    return callable(thing) and not hasattr(thing, "__getitem__") and not hasattr(thing, "__len__")


def told(client: Any) -> str:
    """Where to look on while a run goes on."""
    link = getattr(client, "dashboard_link", None)
    return f"training on {client}" + (f"; the dashboard is at {link}" if link else "")


def refuse(data: Any) -> ArgumentError:
    return ArgumentError(
        f"fit(client=) takes shards, a DataLoader, a data set or arrays, of which rows can be had by number; got "
        f"{describe(data)}"
    )
