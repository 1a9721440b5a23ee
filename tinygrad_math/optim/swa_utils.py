"""Averages of a network's parameters over the steps of a run, equal or fading, and what goes with them."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.elsewhere import face as _face
from ..core.errors import ArgumentError, describe
from ..core.mode import no_grad
from ..core.tensor import Tensor, rec
from ..core.whole import put_all
from ..nn.module import Module
from ..nn.normalization import BatchNorm1d, BatchNorm2d
from .optimizer import Optimizer
from .schedule import LRScheduler, number, whole

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]  # fmt: skip

Average = Callable[[Any, Any, Any], Any]


@named
def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """The exponential moving average: (average, current, count) -> decay average + (1 - decay) current.

    Raises ArgumentError for a decay that is not from 0 to 1.

    >>> import tinygrad_math as tm
    >>> tm.optim.swa_utils.get_ema_avg_fn(0.75)(1.0, 2.0, 5)
    1.25
    """
    share = 1.0 - number(decay, "decay", "get_ema_avg_fn", 0.0, 1.0)
    return lambda average, current, count: average + (current - average) * share


@named
def get_swa_avg_fn() -> Average:
    """The equal average: (average, current, count) -> average + (current - average) / (count + 1).

    >>> import tinygrad_math as tm
    >>> tm.optim.swa_utils.get_swa_avg_fn()(1.0, 4.0, 2)
    2.0
    """
    return lambda average, current, count: average + (current - average) / (count + 1)


def _of_many(average: Average) -> Average:
    def update(averages: Sequence[Tensor], current: Sequence[Any], count: Any) -> None:
        with no_grad():
            for kept, new in zip(averages, current, strict=True):
                kept[...] = rec.astype(average(kept, new, count), kept.dtype)

    return update


@named
def get_ema_multi_avg_fn(decay: float = 0.999) -> Average:
    """`get_ema_avg_fn` for lists of Tensors, whose averages it writes into the first list.

    >>> import tinygrad_math as tm
    >>> kept = [tm.tensor([1.0, 2.0])]
    >>> tm.optim.swa_utils.get_ema_multi_avg_fn(0.75)(kept, [tm.tensor([2.0, 2.0])], 5)
    >>> kept
    [tensor([1.25, 2.  ])]
    """
    return _of_many(get_ema_avg_fn(decay))


@named
def get_swa_multi_avg_fn() -> Average:
    """`get_swa_avg_fn` for lists of Tensors, whose averages it writes into the first list.

    >>> import tinygrad_math as tm
    >>> kept = [tm.tensor([1.0, 2.0])]
    >>> tm.optim.swa_utils.get_swa_multi_avg_fn()(kept, [tm.tensor([4.0, 2.0])], 2)
    >>> kept
    [tensor([2., 2.])]
    """
    return _of_many(get_swa_avg_fn())


class AveragedModel(Module):
    """A copy of a network whose parameters are averages of the network's, one more at each `update_parameters`.

    Arguments: PyTorch's: `avg_fn(average, current, count)` says the new average, `multi_avg_fn` of lists writes it into
    the first one; without either all count alike (Izmailov et al. 2018). The first update copies. Buffers are averaged
    with `use_buffers`, and else copied. State: `n_averaged`, and the network's under `module.`.

    >>> import tinygrad_math as tm
    >>> net = tm.nn.Linear(1, 1, bias=False)
    >>> average = tm.optim.swa_utils.AveragedModel(net)
    >>> for value in (1.0, 2.0, 6.0):
    ...     _ = net.load_state_dict({"weight": [[value]]})
    ...     average.update_parameters(net)
    >>> average([1.0]).tolist(), average.n_averaged.item()
    ([3.0], 3)
    """

    n_averaged: Any

    def __init__(
        self,
        model: Module,
        device: str | None = None,
        avg_fn: Average | None = None,
        multi_avg_fn: Average | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if not isinstance(model, Module):
            raise ArgumentError(f"AveragedModel takes a network, got {describe(model)}")
        if avg_fn is not None and multi_avg_fn is not None:
            raise ArgumentError("AveragedModel: say avg_fn or multi_avg_fn, not both")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module.to(device)
        self.register_buffer("n_averaged", np.zeros((), np.int64))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the network's parameters, as they are now, into the averages.

        Raises ArgumentError for another network, and then nothing has changed.
        """
        mine, theirs = (dict(m.named_parameters()) | dict(m.named_buffers()) for m in (self.module, model))
        if {k: t.shape for k, t in mine.items()} != {k: t.shape for k, t in theirs.items()}:
            raise ArgumentError(f"update_parameters: another network than the one that is averaged:\n{model!r:.200}")
        count = int(self.n_averaged.item())
        averaged = list(mine) if self.use_buffers else [name for name, _ in self.module.named_parameters()]
        kept, current = [mine[k].detach() for k in averaged], [theirs[k].detach() for k in averaged]
        if not count:
            kept = current
        elif self.multi_avg_fn is not None:
            self.multi_avg_fn(kept, current, count)
        else:
            average = no_grad(self.avg_fn or get_swa_avg_fn())
            kept = [average(a, b, count) for a, b in zip(kept, current, strict=True)]
        new = dict(theirs) | dict(zip(averaged, kept, strict=True))
        arrays = [(t, np.array(new[name].detach().numpy(), t.dtype)) for name, t in mine.items()]
        arrays.append((self.n_averaged, np.array(count + 1, self.n_averaged.dtype)))
        put_all(Tensor._replace, arrays, [(t, t.node.data) for t, _ in arrays])


@named
def update_bn(loader: Iterable[Any], model: Module, device: str | None = None) -> None:
    """The running values of batch normalisations anew, over one pass of data: averages of parameters need their own.

    Arguments: `loader` batches, or tuples of which the first part is the input; `model` is called with each in training
    mode, without recording.

    >>> import numpy as np, tinygrad_math as tm
    >>> norm = tm.nn.BatchNorm1d(1)
    >>> tm.optim.swa_utils.update_bn([np.array([[0.0], [2.0]]), np.array([[4.0], [6.0]])], norm)
    >>> norm.running_mean.item(), norm.num_batches_tracked.item()
    (3.0, 2)
    """
    norms = [m for m in model.modules() if isinstance(m, (BatchNorm1d, BatchNorm2d)) and m.running_mean is not None]
    if not norms:
        return
    modes = [(m, m.training) for m in model.modules()]
    momenta = [m.momentum for m in norms]
    for m in norms:
        m.running_mean[...], m.running_var[...], m.num_batches_tracked[...] = 0, 1, 0
        m.momentum = None
    try:
        model.train()
        with no_grad():
            for batch in loader:
                model(batch[0] if isinstance(batch, (list, tuple)) else batch)
    finally:
        for m, momentum in zip(norms, momenta, strict=True):
            m.momentum = momentum
        for part, training in modes:
            part.training = training


class SWALR(LRScheduler):
    """From the lr that it finds to swa_lr over anneal_epochs epochs, and then constant: for averages of parameters.

    Arguments: `swa_lr` a number, or one a group; `anneal_strategy` "cos" or "linear".

    >>> import tinygrad_math as tm
    >>> opt = tm.optim.SGD([tm.tensor(1.0, requires_grad=True)], lr=1.0)
    >>> schedule = tm.optim.swa_utils.SWALR(opt, swa_lr=0.5, anneal_epochs=2, anneal_strategy="linear")
    >>> [schedule.lr_at(1.0, epoch) for epoch in range(4)]
    [1.0, 0.75, 0.5, 0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | Sequence[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        if anneal_strategy not in ("cos", "linear"):
            raise ArgumentError(f"SWALR: anneal_strategy is 'cos' or 'linear', got {anneal_strategy!r:.40}")
        self.anneal_epochs, self.anneal_strategy = whole(anneal_epochs, "anneal_epochs", "SWALR", 0), anneal_strategy
        groups = len(optimizer.param_groups) if isinstance(optimizer, Optimizer) else 1
        given: Any = swa_lr if isinstance(swa_lr, (list, tuple)) else [swa_lr] * groups
        self.swa_lrs = [number(lr, "swa_lr", "SWALR") for lr in given]
        if len(self.swa_lrs) != groups:
            raise ArgumentError(f"SWALR: swa_lr is a number, or {groups} of them, one a group")
        super().__init__(optimizer, last_epoch)

    def _share(self, epoch: int) -> float:
        """How far on the way an epoch is."""
        share = min(1.0, epoch / self.anneal_epochs) if self.anneal_epochs else 1.0
        return share if self.anneal_strategy == "linear" else (1 - math.cos(math.pi * share)) / 2

    def lr_at(self, base: float, epoch: int) -> float:
        """Of the first group, where that was its lr when the way began."""
        share = self._share(epoch)
        return self.swa_lrs[0] * share + base * (1 - share)

    def _go(self, before: Sequence[float]) -> None:
        epoch = self.last_epoch + 1
        left, was = 1 - self._share(epoch), 1 - self._share(epoch - 1) if epoch else 1.0
        pairs = zip(self.optimizer.param_groups, self.swa_lrs, strict=False)
        rates = [end + (group["lr"] - end) * (left / was) if was else end for group, end in pairs]
        self.last_epoch = epoch
        self._set(rates)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken. Raises ArgumentError, and then nothing has changed."""
        if "last_lr" not in state:
            raise ArgumentError(f"SWALR: a state has last_epoch, base_lrs and last_lr, got {dict(state)!r:.80}")
        super().load_state_dict(state)


__getattr__, __dir__ = _face(__name__)
