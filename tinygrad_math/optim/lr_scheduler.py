"""Schedules of the step size: lr as a function of the epoch, one for each parameter group.

A schedule is a formula, `lr_at(base, epoch)`; what a run has behind it is one number, `last_epoch`. So a schedule can
be asked ahead, drawn, and taken up again from a checkpoint. Names, arguments and values are PyTorch's.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..core.elsewhere import face as _face
from ..core.errors import ArgumentError, MissingMethod
from .optimizer import Optimizer

__all__ = [
    "CosineAnnealingLR", "CosineAnnealingWarmRestarts", "ExponentialLR", "LRScheduler", "LambdaLR", "LinearLR",
    "MultiStepLR", "MultiplicativeLR", "OneCycleLR", "PolynomialLR", "ReduceLROnPlateau", "SequentialLR", "StepLR",
]  # fmt: skip


def _whole(value: Any, name: str, asker: str, least: int = 1) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ArgumentError(f"{asker}: {name} is a whole number from {least} on, got {value!r:.40}")
    return value


def _number(value: Any, name: str, asker: str, low: float = 0.0, high: float = math.inf) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise ArgumentError(f"{asker}: {name} is a number from {low} to {high}, got {value!r:.40}")
    return float(value)


class LRScheduler:
    """The base: subclasses say `lr_at(base, epoch)`, the step size of a group whose first one was `base`.

    A group that is added to the optimiser afterwards keeps its own lr, as in PyTorch.

    Arguments: `optimizer`; `last_epoch` the epoch to go on from, -1 at the start. Making one sets the lr of its epoch
    0; `step()` goes to the next epoch.

    >>> import tinygrad_math as tm
    >>> class Halving(tm.optim.lr_scheduler.LRScheduler):
    ...     def lr_at(self, base, epoch):
    ...         return base / 2**epoch
    >>> opt = tm.optim.SGD([tm.tensor(1.0, requires_grad=True)], lr=0.8)
    >>> schedule = Halving(opt)
    >>> schedule.step()
    >>> opt.param_groups[0]["lr"], schedule.get_last_lr()
    (0.4, [0.4])
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise ArgumentError(f"{type(self).__name__} takes an optimiser, got {optimizer!r:.60}")
        self.optimizer = optimizer
        self.last_epoch = _whole(last_epoch, "last_epoch", type(self).__name__, least=-1)
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.step()

    def lr_at(self, base: float, epoch: int) -> float:
        raise MissingMethod(f"{type(self).__name__} does not define lr_at(self, base, epoch)")

    def step(self) -> None:
        """Go to the next epoch, and set its step sizes."""
        rates = [self.lr_at(base, self.last_epoch + 1) for base in self.base_lrs]
        self.last_epoch += 1
        self._set(rates)

    def _set(self, rates: Sequence[float]) -> None:
        for group, lr in zip(self.optimizer.param_groups, rates, strict=False):  # a later group keeps its own
            group["lr"] = lr

    def get_last_lr(self) -> list[float]:
        """The step sizes in use, one a group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Where the schedule stands: plain data, to be saved."""
        return {"last_epoch": self.last_epoch, "base_lrs": list(self.base_lrs)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken. Raises ArgumentError, and then nothing has changed."""
        epoch = _whole(state.get("last_epoch"), "last_epoch of the state", type(self).__name__, least=0)
        bases = state.get("base_lrs")
        if not isinstance(bases, list) or len(bases) != len(self.base_lrs):
            raise ArgumentError(
                f"{type(self).__name__}: the state is of {bases!r:.60}, not of {len(self.base_lrs)} groups"
            )
        rates = [self.lr_at(base, epoch) for base in bases]
        self.last_epoch, self.base_lrs = epoch, list(bases)
        self._set(rates)


def settings(scheduler: Any) -> dict[str, Any]:
    """What a schedule was made with, as plain data; of another's class its name alone, as it may keep what it likes."""
    found: dict[str, Any] = {"kind": type(scheduler).__name__}
    if not type(scheduler).__module__.startswith(__package__ or " "):
        return found
    for name, value in vars(scheduler).items():
        if name == "schedulers":
            found[name] = [settings(part) for part in value]
        elif name not in _OF_A_RUN and _is_plain(value):
            found[name] = list(value) if isinstance(value, tuple) else value
    return found


_OF_A_RUN = frozenset(("last_epoch", "base_lrs", "best", "num_bad_epochs", "cooldown_counter"))


def _is_plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str))


class StepLR(LRScheduler):
    """lr = base gamma^(epoch // step_size).

    >>> import tinygrad_math as tm
    >>> opt = tm.optim.SGD([tm.tensor(1.0, requires_grad=True)], lr=1.0)
    >>> schedule = tm.optim.lr_scheduler.StepLR(opt, step_size=2, gamma=0.5)
    >>> [schedule.lr_at(1.0, epoch) for epoch in range(5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.step_size, self.gamma = _whole(step_size, "step_size", "StepLR"), _number(gamma, "gamma", "StepLR")
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
        self.milestones = sorted(_whole(m, "a milestone", "MultiStepLR", least=0) for m in milestones)
        self.gamma = _number(gamma, "gamma", "MultiStepLR")
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
        self.gamma = _number(gamma, "gamma", "ExponentialLR")
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

    def _set(self, rates: Sequence[float]) -> None:
        given = zip(self.base_lrs, self.lr_lambdas, strict=True)
        super()._set([float(base * self._factor(f, self.last_epoch)) for base, f in given])


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
        self.start_factor = _number(start_factor, "start_factor", "LinearLR", 0.0, 1.0)
        self.end_factor = _number(end_factor, "end_factor", "LinearLR", 0.0, 1.0)
        if not start_factor:
            raise ArgumentError("LinearLR: start_factor is above 0")
        self.total_iters = _whole(total_iters, "total_iters", "LinearLR")
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
        self.factor = _number(factor, "factor", "ConstantLR", 0.0, 1.0)
        self.total_iters = _whole(total_iters, "total_iters", "ConstantLR")
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
        self.total_iters = _whole(total_iters, "total_iters", "PolynomialLR")
        self.power = _number(power, "power", "PolynomialLR")
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
            _whole(T_max, "T_max", "CosineAnnealingLR"),
            _number(eta_min, "eta_min", "CosineAnnealingLR"),
        )
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

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        name = "CosineAnnealingWarmRestarts"
        self.T_0, self.T_mult = _whole(T_0, "T_0", name), _whole(T_mult, "T_mult", name)
        self.eta_min = _number(eta_min, "eta_min", name)
        super().__init__(optimizer, last_epoch)

    def lr_at(self, base: float, epoch: int) -> float:
        length = self.T_0
        while epoch >= length and self.T_mult > 1:
            epoch, length = epoch - length, length * self.T_mult
        return self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * (epoch % length) / length)) / 2


class OneCycleLR(LRScheduler):
    """Up from max_lr / div_factor to max_lr, and down to far below: one cycle. Smith and Topin 2019.

    Arguments: PyTorch's; `epochs` and `steps_per_epoch` in the place of `total_steps`; `cycle_momentum` moves the
    momentum (or Adam's first beta) the other way, between `base_momentum` and `max_momentum`. `step()` is called
    after each batch; past the last step it raises: the lr never climbs back up.

    >>> import tinygrad_math as tm
    >>> opt = tm.optim.SGD([tm.tensor(1.0, requires_grad=True)], lr=1.0, momentum=0.9)
    >>> schedule = tm.optim.lr_scheduler.OneCycleLR(opt, max_lr=1.0, total_steps=10)
    >>> round(schedule.get_last_lr()[0], 3), max(schedule.lr_at(0, k) for k in range(10))
    (0.04, 1.0)
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float = 0.85,
        max_momentum: float = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        name = "OneCycleLR"
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ArgumentError(f"{name}: say total_steps, or epochs and steps_per_epoch")
            total_steps = _whole(epochs, "epochs", name) * _whole(steps_per_epoch, "steps_per_epoch", name)
        if anneal_strategy not in ("cos", "linear"):
            raise ArgumentError(f"{name}: anneal_strategy is 'cos' or 'linear', got {anneal_strategy!r:.40}")
        self.total_steps = _whole(total_steps, "total_steps", name)
        start = _number(pct_start, "pct_start", name, 0.0, 1.0)
        self.anneal_strategy, self.cycle_momentum = anneal_strategy, cycle_momentum
        self.base_momentum, self.max_momentum = base_momentum, max_momentum
        groups = optimizer.param_groups
        given: Any = max_lr if isinstance(max_lr, (list, tuple)) else [max_lr] * len(groups)
        self.max_lrs = [_number(v, "max_lr", name) for v in given]
        if len(self.max_lrs) != len(groups):
            raise ArgumentError(f"{name}: max_lr is a number, or {len(groups)} of them, one a group")
        self.div_factor, self.final_div_factor = div_factor, final_div_factor
        top = start * self.total_steps - 1
        self.ends = [top, 2 * top, self.total_steps - 1] if three_phase else [top, self.total_steps - 1]
        if cycle_momentum and not all("momentum" in g or "betas" in g for g in groups):
            raise ArgumentError(f"{name}: cycle_momentum needs an optimiser with momentum or betas; set it to False")
        for group, high in zip(groups, self.max_lrs, strict=True):
            group["initial_lr"] = high / div_factor
        super().__init__(optimizer, last_epoch)

    def _between(self, values: Sequence[float], step: int) -> float:
        """Where step lies on the way through the values, one phase after another."""
        if step > self.total_steps - 1:
            raise ArgumentError(
                f"OneCycleLR: step {step + 1} of {self.total_steps}; make a new schedule for more steps"
            )
        first = 0.0
        for k, last in enumerate(self.ends):
            if step <= last or k == len(self.ends) - 1:
                share = (step - first) / (last - first) if last != first else 1.0
                start, end = values[k], values[k + 1]
                if self.anneal_strategy == "cos":
                    return end + (start - end) / 2 * (1 + math.cos(math.pi * share))
                return start + (end - start) * share
            first = last
        raise AssertionError

    def _lr(self, high: float, step: int) -> float:
        low = high / self.div_factor
        end = low / self.final_div_factor
        return self._between([low, high, low, end] if len(self.ends) == 3 else [low, high, end], step)

    def lr_at(self, base: float, epoch: int) -> float:
        """Of the first group, at a step."""
        return self._lr(self.max_lrs[0], epoch)

    def _set(self, rates: Sequence[float]) -> None:
        super()._set([self._lr(high, self.last_epoch) for high in self.max_lrs])
        if not self.cycle_momentum:
            return
        low, high = self.base_momentum, self.max_momentum
        m = self._between([high, low, high, high] if len(self.ends) == 3 else [high, low, high], self.last_epoch)
        for group in self.optimizer.param_groups[: len(self.max_lrs)]:
            if "betas" in group:
                group["betas"] = (m, *group["betas"][1:])
            else:
                group["momentum"] = m


class SequentialLR(LRScheduler):
    """One schedule after another: the next one begins, at its epoch 0, when a milestone is reached.

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
        super().__init__(optimizer, last_epoch)

    def _part(self, epoch: int) -> tuple[LRScheduler, int]:
        k = bisect.bisect_right(self.milestones, epoch)
        return self.schedulers[k], epoch - (self.milestones[k - 1] if k else 0)

    def lr_at(self, base: float, epoch: int) -> float:
        scheduler, at = self._part(epoch)
        return scheduler.lr_at(base, at)

    def _set(self, rates: Sequence[float]) -> None:
        scheduler, at = self._part(self.last_epoch)
        scheduler.last_epoch = at
        scheduler._set([scheduler.lr_at(base, at) for base in self.base_lrs])


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
        self.patience, self.cooldown = _whole(patience, "patience", name, 0), _whole(cooldown, "cooldown", name, 0)
        self.threshold, self.threshold_mode, self.eps = threshold, threshold_mode, eps
        self.best, self.num_bad_epochs, self.cooldown_counter, self.last_epoch = self._worst(), 0, 0, 0

    def _worst(self) -> float:
        return math.inf if self.mode == "min" else -math.inf

    def _better(self, value: float) -> bool:
        sign = 1 if self.mode == "min" else -1
        if self.threshold_mode == "abs":
            return sign * value < sign * self.best - self.threshold
        return (
            sign * value < sign * self.best * (1 - sign * self.threshold)
            if math.isfinite(self.best)
            else value == value
        )

    def step(self, metrics: Any) -> None:
        """Take note of a measure, and reduce the step sizes if it is time. NaN is never better."""
        value, groups = float(metrics), len(self.optimizer.param_groups)
        least = self.min_lrs if isinstance(self.min_lr, (list, tuple)) else [self.min_lr] * groups
        if len(least) != groups:
            raise ArgumentError(
                f"ReduceLROnPlateau: min_lr is of {len(least)} groups, and the optimiser has {groups} by now; give one "
                "number for all, or make the schedule again"
            )
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
