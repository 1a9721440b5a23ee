"""Schedules made of schedules: one after another, or several at once."""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence
from typing import Any

from ..core.errors import ArgumentError
from .optimizer import Optimizer
from .schedule import LRScheduler


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
