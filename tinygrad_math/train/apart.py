"""Steps of training whose gradients are computed apart, by the workers of a Dask cluster, and summed."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import random
from ..core.errors import ArgumentError, describe
from ..core.tensor import Tensor
from ..data.loader import DataLoader, examples
from ..distributed.cluster import Shards
from ..distributed.picking import Batches, Numbered, Table
from ..distributed.products import ValueAndGrad, evaluate
from ..nn.module import Module
from ..nn.utils import clip_grad_norm_, clip_grad_value_
from .steps import Eager, Loss, forward


class Objective:
    """The loss of a batch as a function of the model's parameters by name."""

    def __init__(self, model: Module, loss: Loss) -> None:
        self.model, self.loss = model, loss
        self.__name__ = type(model).__name__

    def __call__(self, params: Any, batch: Any) -> Any:
        net = self.model.with_tensors(params)
        before = [(name, b.node) for name, b in net.named_buffers()]
        y, _ = forward(net, self.loss, batch)
        for (name, node), (_, b) in zip(before, net.named_buffers(), strict=True):
            if b.node is not node:
                raise ArgumentError(
                    f"fit(client=): the buffer {name} changes with each batch, as that of a batch norm does, and each "
                    "worker sees a part of the batch only; use LayerNorm or GroupNorm, or one machine"
                )
        return y


class Apart(Eager):
    """A step whose gradient is the mean over the parts of a batch, each computed where its rows are."""

    def __init__(self, fast: bool, shards: Shards, *given: Any) -> None:
        super().__init__(*given)
        if isinstance(self.loss, Module) and any(True for _ in self.loss.parameters()):
            raise ArgumentError("fit(client=): the loss has parameters of its own; make them part of the model")
        self.fast, self.shards, self.mode = fast, shards, None
        self.spread: ValueAndGrad | None = None

    def __call__(self, batches: Sequence[Any]) -> float:
        named = dict(self.model.named_parameters())
        mode: Any = tuple(m.training for m in self.model.modules())
        if self.spread is None or mode != self.mode:
            self.spread = ValueAndGrad([Objective(self.model, self.loss)], self.shards, None, "mean", self.fast)
            self.mode = mode
        params = {n: p.detach() for n, p in named.items()}
        self.optimizer.zero_grad()
        total, sums = 0.0, dict.fromkeys(named, 0.0)
        for batch in batches:
            batch.seed = int(random.shared.numpy.integers(1 << 62))
            _, (value, *slopes), _, batch.size = self.spread.at(params, pick=batch)
            total += float(value) / len(batches)
            sums = {n: s + g / len(batches) for (n, s), g in zip(sums.items(), slopes, strict=True)}
        for n, p in named.items():
            if p.requires_grad:
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
    if data.examples is None:
        counted = evaluate(_examples, data.shards, None, reduction="sum")
        data.examples = int(counted(0.0).item())
    return data, data.shards


def _examples(params: Any, batch: Any) -> int:
    return examples(batch)


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
