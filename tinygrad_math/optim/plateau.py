"""A schedule that goes by a measure in the place of the epoch: the step size falls when nothing gets better."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from ..core.errors import ArgumentError
from ..core.whole import or_nothing
from .optimizer import Optimizer
from .schedule import whole


class ReduceLROnPlateau:
    """lr becomes factor lr when a measure has not got better for more than `patience` steps: `step(measure)`.

    Arguments: PyTorch's: `mode` "min" or "max"; `threshold` what counts as better, relative ("rel") or absolute
    ("abs"); `cooldown` steps to wait after a reduction; `min_lr` the least, `eps` the least change. "rel" is a part
    of the best measure's size: better is a value below best - threshold |best| ("min"), or above best + threshold
    |best| ("max"). Of positive measures that is PyTorch's rule; there, a negative loss that stands still is better
    at each step, and the step size is never reduced.

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
        # a part of its size also where it is below 0: best (1 - threshold) would be a worse value there
        return sign * value < sign * self.best * (1 - math.copysign(self.threshold, sign * self.best))

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
