"""Schedules of the step size: lr as a function of the epoch, one for each parameter group.

A schedule is a formula, `lr_at(base, epoch)`; what a run has behind it is one number, `last_epoch`. So a schedule can
be asked ahead, drawn, and taken up again from a checkpoint. Names, arguments and values are PyTorch's.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Sequence
from typing import Any

from ..core.arguments import named
from ..core.elsewhere import face as _face
from ..core.errors import ArgumentError
from ..core.whole import or_nothing
from .cycles import CyclicLR, OneCycleLR
from .optimizer import Optimizer
from .plateau import ReduceLROnPlateau
from .schedule import LRScheduler, number, whole
from .several import ChainedScheduler, SequentialLR

__all__ = [
    "ChainedScheduler", "ConstantLR", "CosineAnnealingLR", "CosineAnnealingWarmRestarts", "CyclicLR", "ExponentialLR",
    "LRScheduler", "LambdaLR", "LinearLR", "MultiStepLR", "MultiplicativeLR", "OneCycleLR", "PolynomialLR",
    "ReduceLROnPlateau", "SequentialLR", "StepLR",
]  # fmt: skip


class StepLR(LRScheduler):
    """lr = base gamma^(epoch // step_size).

    >>> import tinygrad_math as tm
    >>> opt = tm.optim.SGD([tm.tensor(1.0, requires_grad=True)], lr=1.0)
    >>> schedule = tm.optim.lr_scheduler.StepLR(opt, step_size=2, gamma=0.5)
    >>> [schedule.lr_at(1.0, epoch) for epoch in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.step_size, self.gamma = whole(step_size, "step_size", "StepLR"), number(gamma, "gamma", "StepLR")
        super().__init__(optimizer, last_epoch)

    def lr_at(self, base: float, epoch: int) -> float:
        return float(base * self.gamma ** (epoch // self.step_size))


class MultiStepLR(LRScheduler):
    """lr = base gamma^(milestones reached).

    >>> import tinygrad_math as tm
    >>> opt = tm.optim.SGD([tm.tensor(1.0, requires_grad=True)], lr=1.0)
    >>> schedule = tm.optim.lr_scheduler.MultiStepLR(opt, [2, 3], gamma=0.5)
    >>> [schedule.lr_at(1.0, epoch) for epoch in range(5)]
    [1.0, 1.0, 0.5, 0.25, 0.25]
    """

    def __init__(
        self, optimizer: Optimizer, milestones: Sequence[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones = sorted(whole(m, "a milestone", "MultiStepLR", least=0) for m in milestones)
        self.gamma = number(gamma, "gamma", "MultiStepLR")
        super().__init__(optimizer, last_epoch)

    def lr_at(self, base: float, epoch: int) -> float:
        return float(base * self.gamma ** bisect.bisect_right(self.milestones, epoch))


class ExponentialLR(LRScheduler):
    """lr = base gamma^epoch.

    >>> import tinygrad_math as tm
    >>> opt = tm.optim.SGD([tm.tensor(1.0, requires_grad=True)], lr=1.0)
    >>> tm.optim.lr_scheduler.ExponentialLR(opt, 0.5).lr_at(1.0, 3)
    0.125
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = number(gamma, "gamma", "ExponentialLR")
        super().__init__(optimizer, last_epoch)

    def lr_at(self, base: float, epoch: int) -> float:
        return float(base * self.gamma**epoch)


class LambdaLR(LRScheduler):
    """lr = base f(epoch), for a function f, or a list of them, one for each group.

    >>> import tinygrad_math as tm
    >>> opt = tm.optim.SGD([tm.tensor(1.0, requires_grad=True)], lr=1.0)
    >>> schedule = tm.optim.lr_scheduler.LambdaLR(opt, lambda epoch: 1 / (1 + epoch))
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    _acts_alone = True

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Callable[[int], float] | Sequence[Any], last_epoch: int = -1
    ) -> None:
        groups = len(optimizer.param_groups)
        self.lr_lambdas: list[Any] = list(lr_lambda) if isinstance(lr_lambda, (list, tuple)) else [lr_lambda] * groups
        if len(self.lr_lambdas) != groups or not all(map(callable, self.lr_lambdas)):
            name = type(self).__name__
            raise ArgumentError(f"{name}: a function, or {groups} of them, one a group; got {lr_lambda!r:.60}")
        super().__init__(optimizer, last_epoch)

    def lr_at(self, base: float, epoch: int) -> float:
        """Of the first group; `step` gives each group the lr of its own function."""
        return float(base * self._factor(self.lr_lambdas[0], epoch))

    def _factor(self, f: Callable[[int], float], epoch: int) -> float:
        return f(epoch)

    def _wanted(self, bases: Sequence[float], epoch: int) -> list[float]:
        return [float(base * self._factor(f, epoch)) for base, f in zip(bases, self.lr_lambdas, strict=True)]


class MultiplicativeLR(LambdaLR):
    """lr = base f(1) f(2) ... f(epoch): each epoch multiplies it by its own factor; functions as for `LambdaLR`.

    >>> import tinygrad_math as tm
    >>> opt = tm.optim.SGD([tm.tensor(1.0, requires_grad=True)], lr=1.0)
    >>> schedule = tm.optim.lr_scheduler.MultiplicativeLR(opt, lambda epoch: 0.5)
    >>> schedule.step()
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
    """

    _acts_alone = False

    def _factor(self, f: Callable[[int], float], epoch: int) -> float:
        return math.prod(f(k) for k in range(1, epoch + 1))


class LinearLR(LRScheduler):
    """lr = base times a factor that goes from start_factor to end_factor over total_iters epochs, in a line.

    >>> import tinygrad_math as tm
    >>> opt = tm.optim.SGD([tm.tensor(1.0, requires_grad=True)], lr=1.0)
    >>> schedule = tm.optim.lr_scheduler.LinearLR(opt, start_factor=0.5, total_iters=2)
    >>> [schedule.lr_at(1.0, epoch) for epoch in range(4)]
    [0.5, 0.75, 1.0, 1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        self.start_factor = number(start_factor, "start_factor", "LinearLR", 0.0, 1.0)
        self.end_factor = number(end_factor, "end_factor", "LinearLR", 0.0, 1.0)
        if not start_factor:
            raise ArgumentError("LinearLR: start_factor is above 0")
        self.total_iters = whole(total_iters, "total_iters", "LinearLR")
        super().__init__(optimizer, last_epoch)

    def lr_at(self, base: float, epoch: int) -> float:
        share = min(epoch, self.total_iters) / self.total_iters
        return base * (self.start_factor + (self.end_factor - self.start_factor) * share)


class ConstantLR(LRScheduler):
    """lr = factor base for total_iters epochs, and base afterwards.

    >>> import tinygrad_math as tm
    >>> opt = tm.optim.SGD([tm.tensor(1.0, requires_grad=True)], lr=1.0)
    >>> tm.optim.lr_scheduler.ConstantLR(opt, factor=0.5, total_iters=2).lr_at(1.0, 1)
    0.5
    """

    def __init__(self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5, last_epoch: int = -1) -> None:
        self.factor = number(factor, "factor", "ConstantLR", 0.0, 1.0)
        self.total_iters = whole(total_iters, "total_iters", "ConstantLR")
        super().__init__(optimizer, last_epoch)

    def lr_at(self, base: float, epoch: int) -> float:
        return base * self.factor if epoch < self.total_iters else base


class PolynomialLR(LRScheduler):
    """lr = base (1 - epoch / total_iters)^power, and 0 from total_iters on.

    >>> import tinygrad_math as tm
    >>> opt = tm.optim.SGD([tm.tensor(1.0, requires_grad=True)], lr=1.0)
    >>> tm.optim.lr_scheduler.PolynomialLR(opt, total_iters=4, power=2.0).lr_at(1.0, 2)
    0.25
    """

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        self.total_iters = whole(total_iters, "total_iters", "PolynomialLR")
        self.power = number(power, "power", "PolynomialLR")
        super().__init__(optimizer, last_epoch)

    def lr_at(self, base: float, epoch: int) -> float:
        return float(base * (1 - min(epoch, self.total_iters) / self.total_iters) ** self.power)


class CosineAnnealingLR(LRScheduler):
    """lr = eta_min + (base - eta_min) (1 + cos(pi epoch / T_max)) / 2. Loshchilov and Hutter 2017.

    >>> import tinygrad_math as tm
    >>> opt = tm.optim.SGD([tm.tensor(1.0, requires_grad=True)], lr=1.0)
    >>> tm.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=10).lr_at(1.0, 5)
    0.5
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max, self.eta_min = (
            whole(T_max, "T_max", "CosineAnnealingLR"),
            number(eta_min, "eta_min", "CosineAnnealingLR"),
        )
        self._floor = self.eta_min
        super().__init__(optimizer, last_epoch)

    def lr_at(self, base: float, epoch: int) -> float:
        return self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * epoch / self.T_max)) / 2


class CosineAnnealingWarmRestarts(LRScheduler):
    """A cosine from base to eta_min over T_0 epochs, then again from base, each time T_mult times as long.

    >>> import tinygrad_math as tm
    >>> opt = tm.optim.SGD([tm.tensor(1.0, requires_grad=True)], lr=1.0)
    >>> schedule = tm.optim.lr_scheduler.CosineAnnealingWarmRestarts(opt, T_0=2, T_mult=2)
    >>> [round(schedule.lr_at(1.0, epoch), 3) for epoch in range(7)]
    [1.0, 0.5, 1.0, 0.854, 0.5, 0.146, 1.0]
    """

    _acts_alone = True

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        name = "CosineAnnealingWarmRestarts"
        self.T_0, self.T_mult = whole(T_0, "T_0", name), whole(T_mult, "T_mult", name)
        self.eta_min = number(eta_min, "eta_min", name)
        super().__init__(optimizer, last_epoch)

    @named
    def step(self, epoch: float | None = None) -> None:
        """Go to the next epoch, or to this one, which may lie between two: `step(epoch + batch / batches)`."""
        if epoch is None:
            super().step()
        else:
            at = number(epoch, "epoch", "CosineAnnealingWarmRestarts")
            or_nothing(self._holders(), self._go_to, at)

    def _go_to(self, epoch: float) -> None:
        self.last_epoch = math.floor(epoch)
        self._set([self.lr_at(base, epoch) for base in self.base_lrs])

    def lr_at(self, base: float, epoch: float) -> float:
        length = self.T_0
        while epoch >= length and self.T_mult > 1:
            epoch, length = epoch - length, length * self.T_mult
        return self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * (epoch % length) / length)) / 2


__getattr__, __dir__ = _face(__name__)
