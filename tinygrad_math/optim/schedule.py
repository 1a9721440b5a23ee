"""What every schedule is: lr as a function of the epoch, set for each parameter group."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..core.arguments import named
from ..core.errors import ArgumentError, MissingMethod
from ..core.whole import or_nothing
from .optimizer import Optimizer


def whole(value: Any, name: str, asker: str, least: int = 1) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ArgumentError(f"{asker}: {name} is a whole number from {least} on, got {value!r:.40}")
    return value


def number(value: Any, name: str, asker: str, low: float = 0.0, high: float = math.inf) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise ArgumentError(f"{asker}: {name} is a number from {low} to {high}, got {value!r:.40}")
    return float(value)


class LRScheduler:
    """The base: subclasses say `lr_at(base, epoch)`, the step size of a group whose first one was `base`.

    Several schedules of one optimiser act together, as in PyTorch: where another one (or you) changed the lr since the
    last step, the next step changes what it finds by the same factor as lr_at changes. A group that is added to the
    optimiser afterwards keeps its own lr.

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

    _acts_alone = False  # whether lr_at is set, whatever the lr was before
    _each_batch = False  # whether a step is one of a batch, and not of an epoch
    _floor = 0.0  # what the lr is measured from, where it changes by a factor

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise ArgumentError(f"{type(self).__name__} takes an optimiser, got {optimizer!r:.60}")
        self.optimizer = optimizer
        self.last_epoch = whole(last_epoch, "last_epoch", type(self).__name__, least=-1)
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        or_nothing(self._holders(), self._go, self.base_lrs)

    def lr_at(self, base: float, epoch: int) -> float:
        raise MissingMethod(f"{type(self).__name__} does not define lr_at(self, base, epoch)")

    def _wanted(self, bases: Sequence[float], epoch: int) -> list[float]:
        """The step size of each group, of this schedule alone."""
        return [self.lr_at(base, epoch) for base in bases]

    def _sets(self, epoch: int) -> bool:
        """Whether the lr of an epoch is set, whatever it was before."""
        return self._acts_alone

    def _moved(self, lr: float, before: float, wanted: float, epoch: int) -> float:
        """An lr that is not the one before, changed as that changes towards an epoch."""
        if before == self._floor:
            return lr + (wanted - before)
        return (lr - self._floor) * ((wanted - self._floor) / (before - self._floor)) + self._floor

    @named
    def step(self) -> None:
        """Go to the next epoch, and set its step sizes."""
        before = self._wanted(self.base_lrs, self.last_epoch) if not self._sets(self.last_epoch + 1) else []
        or_nothing(self._holders(), self._go, before)

    def _holders(self) -> list[dict[str, Any]]:
        """What a step changes."""
        return [vars(self), *self.optimizer.param_groups]

    def _go(self, before: Sequence[float]) -> None:
        epoch = self.last_epoch + 1
        rates = self._wanted(self.base_lrs, epoch)
        if not self._sets(epoch):
            found = [group["lr"] for group in self.optimizer.param_groups]
            triples = zip(found, before, rates, strict=False)
            rates = [wanted if lr == old else self._moved(lr, old, wanted, epoch) for lr, old, wanted in triples]
        self.last_epoch += 1
        self._set(rates)

    def _set(self, rates: Sequence[float]) -> None:
        for group, lr in zip(self.optimizer.param_groups, rates, strict=False):  # a later group keeps its own
            group["lr"] = lr

    def _ended(self) -> bool:
        """Whether there is no further step."""
        return False

    def get_last_lr(self) -> list[float]:
        """The step sizes in use, one a group."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Where the schedule stands: plain data, to be saved."""
        last = [float(lr) for lr in self.get_last_lr()[: len(self.base_lrs)]]
        return {"last_epoch": self.last_epoch, "base_lrs": list(self.base_lrs), "last_lr": last}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken. Raises ArgumentError, and then nothing has changed."""
        name = type(self).__name__
        epoch = whole(state.get("last_epoch"), "last_epoch of the state", name, least=0)
        bases = state.get("base_lrs")
        if not isinstance(bases, list) or len(bases) != len(self.base_lrs):
            raise ArgumentError(f"{name}: the state is of {bases!r:.60}, not of {len(self.base_lrs)} groups")
        rates = self._wanted(bases, epoch)
        last = state.get("last_lr", rates)  # which 0.4.0 did not keep
        if not isinstance(last, list) or len(last) != len(bases):
            raise ArgumentError(f"{name}: the state has the step sizes {last!r:.60}, not of {len(bases)} groups")
        self.last_epoch, self.base_lrs = epoch, list(bases)
        self._set(last)


def goes_by_batches(schedule: Any) -> bool:
    """Whether a step of it is one of a batch, and not of an epoch."""
    return isinstance(schedule, LRScheduler) and schedule._each_batch


def after_batch(schedule: Any) -> bool:
    """A step of a schedule that goes by batches, unless it has ended; whether it goes by batches."""
    if goes_by_batches(schedule) and not schedule._ended():
        schedule.step()
    return goes_by_batches(schedule)


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
