"""Schedules that go up and down again, a step a batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from ..core.errors import ArgumentError
from .optimizer import Optimizer
from .schedule import LRScheduler, number, whole


def _for_groups(value: Any, groups: int, called: str, asker: str) -> list[float]:
    given: Any = value if isinstance(value, (list, tuple)) else [value] * groups
    found = [number(v, called, asker) for v in given]
    if len(found) != groups:
        raise ArgumentError(f"{asker}: {called} is a number, or {groups} of them, one a group")
    return found


def _check_momentum(cycle_momentum: bool, groups: Sequence[Any], asker: str) -> None:
    if cycle_momentum and not all("momentum" in g or "betas" in g for g in groups):
        raise ArgumentError(f"{asker}: cycle_momentum needs an optimiser with momentum or betas; set it to False")


def _set_momentum(group: dict[str, Any], momentum: float) -> None:
    if "betas" in group:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum


class OneCycleLR(LRScheduler):
    """Up from max_lr / div_factor to max_lr, and down to far below: one cycle. Smith and Topin 2019.

    Arguments: PyTorch's; `epochs` and `steps_per_epoch` in the place of `total_steps`; `cycle_momentum` moves the
    momentum (or Adam's first beta) the other way, between `base_momentum` and `max_momentum`. `step()` is called
    after each batch; after the last one it leaves the lr where it is, and past that it raises: the lr never climbs
    back up.

    >>> import tinygrad_math as tm
    >>> opt = tm.optim.SGD([tm.tensor(1.0, requires_grad=True)], lr=1.0, momentum=0.9)
    >>> schedule = tm.optim.lr_scheduler.OneCycleLR(opt, max_lr=1.0, total_steps=10)
    >>> round(schedule.get_last_lr()[0], 3), max(schedule.lr_at(0, k) for k in range(10))
    (0.04, 1.0)
    """

    _acts_alone = _each_batch = True

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
            total_steps = whole(epochs, "epochs", name) * whole(steps_per_epoch, "steps_per_epoch", name)
        if anneal_strategy not in ("cos", "linear"):
            raise ArgumentError(f"{name}: anneal_strategy is 'cos' or 'linear', got {anneal_strategy!r:.40}")
        self.total_steps = whole(total_steps, "total_steps", name)
        start = number(pct_start, "pct_start", name, 0.0, 1.0)
        self.anneal_strategy, self.cycle_momentum = anneal_strategy, cycle_momentum
        self.base_momentum, self.max_momentum = base_momentum, max_momentum
        groups = optimizer.param_groups
        self.max_lrs = _for_groups(max_lr, len(groups), "max_lr", name)
        self.div_factor, self.final_div_factor = div_factor, final_div_factor
        top = start * self.total_steps - 1
        self.ends = [top, 2 * top, self.total_steps - 1] if three_phase else [top, self.total_steps - 1]
        _check_momentum(cycle_momentum, groups, name)
        for group, high in zip(groups, self.max_lrs, strict=True):
            group["initial_lr"] = high / div_factor
        super().__init__(optimizer, last_epoch)

    def _between(self, values: Sequence[float], step: int) -> float:
        """Where step lies on the way through the values, one phase after another."""
        if step > self.total_steps:
            raise ArgumentError(f"OneCycleLR: step {step} of {self.total_steps}; make a new schedule for more steps")
        step = min(step, self.total_steps - 1)  # a loop steps the schedule after its last batch, too
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

    def _ended(self) -> bool:
        return self.last_epoch >= self.total_steps - 1

    def _wanted(self, bases: Sequence[float], epoch: int) -> list[float]:
        return [self._lr(high, epoch) for high in self.max_lrs]

    def _set(self, rates: Sequence[float]) -> None:
        super()._set(rates)
        if not self.cycle_momentum:
            return
        low, high = self.base_momentum, self.max_momentum
        m = self._between([high, low, high, high] if len(self.ends) == 3 else [high, low, high], self.last_epoch)
        for group in self.optimizer.param_groups[: len(self.max_lrs)]:
            _set_momentum(group, m)


_SHRINKING: dict[str, tuple[Callable[[float, int], float], str]] = {  # by how much a cycle is lower than the first
    "triangular": (lambda gamma, k: 1.0, "cycle"),
    "triangular2": (lambda gamma, k: 0.5 ** (k - 1), "cycle"),
    "exp_range": (lambda gamma, k: gamma**k, "iterations"),
}


class CyclicLR(LRScheduler):
    """Up from base_lr to max_lr in step_size_up steps and down again, over and over. Smith 2017.

    lr = base_lr + (max_lr - base_lr) height scale, where the height goes from 0 to 1 and back.

    Arguments: PyTorch's; `mode` "triangular" (scale 1), "triangular2" (half as much in each cycle) or "exp_range"
    (gamma^step), or `scale_fn` of the number of the cycle, from 1 on, or with `scale_mode="iterations"` of the step;
    `cycle_momentum` moves the momentum (or Adam's first beta) the other way, from `max_momentum` to `base_momentum`.
    `step()` is called after each batch.

    >>> import tinygrad_math as tm
    >>> opt = tm.optim.SGD([tm.tensor(1.0, requires_grad=True)], lr=1.0)
    >>> schedule = tm.optim.lr_scheduler.CyclicLR(opt, base_lr=0.0, max_lr=1.0, step_size_up=2, mode="triangular2")
    >>> [schedule.lr_at(0.0, step) for step in range(7)]
    [0.0, 0.5, 1.0, 0.5, 0.0, 0.25, 0.5]
    """

    _acts_alone = _each_batch = True

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | Sequence[float],
        max_lr: float | Sequence[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[int], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.8,
        max_momentum: float | Sequence[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        name = "CyclicLR"
        if not isinstance(optimizer, Optimizer):
            raise ArgumentError(f"{name} takes an optimiser, got {optimizer!r:.60}")
        if mode not in _SHRINKING and scale_fn is None:
            raise ArgumentError(
                f"{name}: mode is {', '.join(map(repr, _SHRINKING))}, or give scale_fn; got {mode!r:.40}"
            )
        if scale_mode not in ("cycle", "iterations"):
            raise ArgumentError(f"{name}: scale_mode is 'cycle' or 'iterations', got {scale_mode!r:.40}")
        groups = optimizer.param_groups
        _check_momentum(cycle_momentum, groups, name)
        self.step_size_up = whole(step_size_up, "step_size_up", name)
        self.step_size_down = (
            self.step_size_up if step_size_down is None else whole(step_size_down, "step_size_down", name)
        )
        self.mode, self.gamma, self.scale_fn = mode, number(gamma, "gamma", name), scale_fn
        self.scale_mode = scale_mode if scale_fn is not None else _SHRINKING[mode][1]
        lows, self.max_lrs = (
            _for_groups(v, len(groups), n, name) for v, n in ((base_lr, "base_lr"), (max_lr, "max_lr"))
        )
        self.cycle_momentum = cycle_momentum
        self.base_momenta = _for_groups(base_momentum, len(groups), "base_momentum", name)
        self.max_momenta = _for_groups(max_momentum, len(groups), "max_momentum", name)
        for group, low in zip(groups, lows, strict=True):
            group["initial_lr"] = low
        super().__init__(optimizer, last_epoch)

    def _height(self, step: int) -> float:
        """How far up a step is, scaled."""
        cycle, place = divmod(step, self.step_size_up + self.step_size_down)
        up = place / self.step_size_up
        height = up if up <= 1 else (self.step_size_up + self.step_size_down - place) / self.step_size_down
        at = cycle + 1 if self.scale_mode == "cycle" else step
        return height * (_SHRINKING[self.mode][0](self.gamma, at) if self.scale_fn is None else self.scale_fn(at))

    def lr_at(self, base: float, epoch: int) -> float:
        """Of the first group, at a step."""
        return base + (self.max_lrs[0] - base) * self._height(epoch)

    def _wanted(self, bases: Sequence[float], epoch: int) -> list[float]:
        height = self._height(epoch)
        return [low + (high - low) * height for low, high in zip(bases, self.max_lrs, strict=True)]

    def _set(self, rates: Sequence[float]) -> None:
        super()._set(rates)
        if self.cycle_momentum:
            height = self._height(self.last_epoch)
            ends = zip(self.base_momenta, self.max_momenta, strict=True)
            for group, (low, high) in zip(self.optimizer.param_groups, ends, strict=False):
                _set_momentum(group, high - (high - low) * height)
