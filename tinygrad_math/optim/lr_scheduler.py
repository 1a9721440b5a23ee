"""Schedules of the step size: lr as a function of the epoch, one for each parameter group.

A schedule is a formula, `lr_at(base, epoch)`; what a run has behind it is one number, `last_epoch`. So a schedule can
be asked ahead, drawn, and taken up again from a checkpoint. Names, arguments and values are PyTorch's.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..core.arguments import named
from ..core.elsewhere import face as _face
from ..core.errors import ArgumentError
from ..core.whole import or_nothing
from .cycles import CyclicLR, OneCycleLR
from .optimizer import Optimizer
from .schedule import LRScheduler, number, whole

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


class SequentialLR(LRScheduler):
    """One schedule after another: the next one begins, at its epoch 0, when a milestone is reached.

    At a milestone the lr is set; between two of them it moves as the schedule of that time has it. A step is one of a
    batch if one of the schedules goes by batches.

    >>> import tinygrad_math as tm
    >>> opt = tm.optim.SGD([tm.tensor(1.0, requires_grad=True)], lr=1.0)
    >>> warm = tm.optim.lr_scheduler.LinearLR(opt, 0.5, total_iters=2)
    >>> cool = tm.optim.lr_scheduler.ExponentialLR(opt, 0.5)
    >>> schedule = tm.optim.lr_scheduler.SequentialLR(opt, [warm, cool], milestones=[2])
    >>> [schedule.lr_at(1.0, epoch) for epoch in range(4)]
    [0.5, 0.75, 1.0, 0.5]
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int], last_epoch: int = -1
    ) -> None:
        if not schedulers or not all(isinstance(s, LRScheduler) for s in schedulers):
            raise ArgumentError(f"SequentialLR takes a list of schedules, got {schedulers!r:.60}")
        if any(s.optimizer is not optimizer for s in schedulers):
            raise ArgumentError("SequentialLR: its schedules belong to another optimiser")
        if len(milestones) != len(schedulers) - 1 or list(milestones) != sorted(milestones):
            raise ArgumentError(
                f"SequentialLR: {len(schedulers)} schedules need {len(schedulers) - 1} rising milestones"
            )
        self.schedulers, self.milestones = list(schedulers), list(milestones)
        self._each_batch = any(s._each_batch for s in schedulers)
        super().__init__(optimizer, last_epoch)

    def _part(self, epoch: int) -> tuple[LRScheduler, int]:
        k = bisect.bisect_right(self.milestones, epoch)
        return self.schedulers[k], epoch - (self.milestones[k - 1] if k else 0)

    def lr_at(self, base: float, epoch: int) -> float:
        scheduler, at = self._part(epoch)
        return scheduler.lr_at(base, at)

    def _wanted(self, bases: Sequence[float], epoch: int) -> list[float]:
        scheduler, at = self._part(epoch)
        return scheduler._wanted(bases, at)

    def _sets(self, epoch: int) -> bool:
        scheduler, at = self._part(epoch)
        return not at or scheduler._sets(at)

    def _moved(self, lr: float, before: float, wanted: float, epoch: int) -> float:
        scheduler, at = self._part(epoch)
        return scheduler._moved(lr, before, wanted, at)

    def _ended(self) -> bool:
        last = self.schedulers[-1]
        return self._part(self.last_epoch)[0] is last and last._ended()

    def _holders(self) -> list[dict[str, Any]]:
        return super()._holders() + [vars(s) for s in self.schedulers]

    def _set(self, rates: Sequence[float]) -> None:
        scheduler, at = self._part(self.last_epoch)
        scheduler.last_epoch = at
        scheduler._set(rates)


class ChainedScheduler(LRScheduler):
    """Several schedules of one optimiser at once: a step is one of each, and the lr changes by all their factors.

    Arguments: `schedulers`, a list; `optimizer` theirs, which need not be given. Raises ArgumentError, and then
    nothing has changed.

    >>> import tinygrad_math as tm
    >>> opt = tm.optim.SGD([tm.tensor(1.0, requires_grad=True)], lr=1.0)
    >>> warm = tm.optim.lr_scheduler.ConstantLR(opt, factor=0.5, total_iters=2)
    >>> decay = tm.optim.lr_scheduler.ExponentialLR(opt, gamma=0.5)
    >>> schedule = tm.optim.lr_scheduler.ChainedScheduler([warm, decay])
    >>> [schedule.lr_at(1.0, epoch) for epoch in range(4)]
    [0.5, 0.25, 0.25, 0.125]
    """

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        listed = list(schedulers) if isinstance(schedulers, (list, tuple)) else []
        if not listed or not all(isinstance(s, LRScheduler) for s in listed):
            raise ArgumentError(f"ChainedScheduler takes a list of schedules, got {schedulers!r:.60}")
        first = listed[0].optimizer
        if any(s.optimizer is not first for s in listed) or optimizer not in (None, first):
            raise ArgumentError("ChainedScheduler: its schedules belong to different optimisers")
        self.optimizer, self.schedulers, self.base_lrs = first, listed, list(listed[0].base_lrs)
        self._each_batch = any(s._each_batch for s in listed)

    @property
    def last_epoch(self) -> int:  # type: ignore[override]  # its parts keep it
        return int(self.schedulers[0].last_epoch)

    def _ended(self) -> bool:
        return any(s._ended() for s in self.schedulers)

    def lr_at(self, base: float, epoch: int) -> float:
        """Of the first group, where all of them began with its optimiser."""
        lr = base
        for k in range(epoch + 1):
            for s in self.schedulers:
                wanted = s.lr_at(base, k)
                lr = wanted if s._sets(k) else s._moved(lr, s.lr_at(base, k - 1) if k else base, wanted, k)
        return lr

    def step(self) -> None:
        """A step of each schedule, in their order."""
        before, momenta = self.state_dict(), [dict(group) for group in self.optimizer.param_groups]
        try:
            for s in self.schedulers:
                s.step()
        except BaseException:  # past the end of one of them
            for s, kept in zip(self.schedulers, before["schedulers"], strict=True):
                s.load_state_dict(kept)
            for group, kept in zip(self.optimizer.param_groups, momenta, strict=True):
                group.update(kept)
            raise

    def state_dict(self) -> dict[str, Any]:
        """Where the schedules stand: plain data, to be saved."""
        return {"schedulers": [s.state_dict() for s in self.schedulers]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken. Raises ArgumentError, and then nothing has changed."""
        kept = state.get("schedulers")
        if not isinstance(kept, list) or len(kept) != len(self.schedulers):
            raise ArgumentError(f"ChainedScheduler: the state is not of {len(self.schedulers)} schedules: {kept!r:.60}")
        before = self.state_dict()["schedulers"]
        try:
            for s, part in zip(self.schedulers, kept, strict=True):
                s.load_state_dict(part)
        except BaseException:
            for s, part in zip(self.schedulers, before, strict=True):
                s.load_state_dict(part)
            raise


class ReduceLROnPlateau:
    """lr becomes factor lr when a measure has not got better for more than `patience` steps: `step(measure)`.

    Arguments: PyTorch's: `mode` "min" or "max"; `threshold` what counts as better, relative ("rel") or absolute
    ("abs"); `cooldown` steps to wait after a reduction; `min_lr` the least, `eps` the least change.

    >>> import tinygrad_math as tm
    >>> opt = tm.optim.SGD([tm.tensor(1.0, requires_grad=True)], lr=1.0)
    >>> schedule = tm.optim.lr_scheduler.ReduceLROnPlateau(opt, factor=0.5, patience=1)
    >>> for loss in (3.0, 2.0, 2.0, 2.0):
    ...     schedule.step(loss)
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        name = "ReduceLROnPlateau"
        if not isinstance(optimizer, Optimizer):
            raise ArgumentError(f"{name} takes an optimiser, got {optimizer!r:.60}")
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ArgumentError(
                f"{name}: mode is 'min' or 'max', threshold_mode 'rel' or 'abs', got {mode!r}, {threshold_mode!r}"
            )
        if not 0 <= factor < 1:
            raise ArgumentError(f"{name}: factor is from 0 to below 1, got {factor!r:.40}")
        groups = len(optimizer.param_groups)
        self.min_lr: Any = min_lr
        self.min_lrs = list(min_lr) if isinstance(min_lr, (list, tuple)) else [min_lr] * groups
        if len(self.min_lrs) != groups:
            raise ArgumentError(f"{name}: min_lr is a number, or {groups} of them, one a group")
        self.optimizer, self.mode, self.factor = optimizer, mode, factor
        self.patience, self.cooldown = whole(patience, "patience", name, 0), whole(cooldown, "cooldown", name, 0)
        self.threshold, self.threshold_mode, self.eps = threshold, threshold_mode, eps
        self.best, self.num_bad_epochs, self.cooldown_counter, self.last_epoch = self._worst(), 0, 0, 0

    def _worst(self) -> float:
        return math.inf if self.mode == "min" else -math.inf

    def _better(self, value: float) -> bool:
        sign = 1 if self.mode == "min" else -1
        if self.threshold_mode == "abs" or not math.isfinite(self.best):
            return sign * value < sign * self.best - self.threshold
        return sign * value < sign * self.best * (1 - sign * self.threshold)

    def step(self, metrics: Any) -> None:
        """Take note of a measure, and reduce the step sizes if it is time. NaN is never better."""
        value, groups = float(metrics), len(self.optimizer.param_groups)
        least: list[Any] = self.min_lrs if isinstance(self.min_lr, (list, tuple)) else [self.min_lr] * groups
        if len(least) != groups:
            raise ArgumentError(
                f"ReduceLROnPlateau: min_lr is of {len(least)} groups, and the optimiser has {groups} by now; give one "
                "number for all, or make the schedule again"
            )
        or_nothing([vars(self), *self.optimizer.param_groups], self._take, value, least)

    def _take(self, value: float, least: Sequence[float]) -> None:
        self.last_epoch += 1
        if self._better(value):
            self.best, self.num_bad_epochs = value, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter, self.num_bad_epochs = self.cooldown_counter - 1, 0
        if self.num_bad_epochs > self.patience:
            for group, low in zip(self.optimizer.param_groups, least, strict=True):
                new = max(group["lr"] * self.factor, low)
                if group["lr"] - new > self.eps:
                    group["lr"] = new
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0

    def get_last_lr(self) -> list[float]:
        """The step sizes in use, one a group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    _KEPT = ("best", "num_bad_epochs", "cooldown_counter", "last_epoch")

    def state_dict(self) -> dict[str, Any]:
        """Where the schedule stands: plain data, to be saved. The step sizes are in the optimiser's state."""
        return {name: getattr(self, name) for name in self._KEPT}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken. Raises ArgumentError, and then nothing has changed."""
        if set(state) != set(self._KEPT) or any(not isinstance(v, (int, float)) for v in state.values()):
            raise ArgumentError(
                f"ReduceLROnPlateau: a state has the numbers {', '.join(self._KEPT)}, got {dict(state)!r:.80}"
            )
        for name in self._KEPT:
            setattr(self, name, state[name])


__getattr__, __dir__ = _face(__name__)
