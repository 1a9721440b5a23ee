"""A run: what changes while a network is trained, in one place, so that it can be saved, resumed and replayed."""

from __future__ import annotations

import copy
import itertools
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from .. import random
from ..core.errors import ArgumentError, FileError, MathError
from ..data.loader import DataLoader, Pass, Passes
from ..nn.module import Module
from ..optim.optimizer import Optimizer
from ..optim.schedule import settings
from ..saving.files import load
from .callbacks import Callback
from .history import History
from .steps import Eager

VERSION = 1


class Run:
    """The state of a training: model, optimizer, scheduler, loader, callbacks, history, and how far it has come."""

    def __init__(
        self,
        model: Module,
        optimizer: Optimizer,
        scheduler: Any,
        loader: Any,
        callbacks: Sequence[Callback],
        step: Eager,
    ) -> None:
        self.model, self.optimizer, self.scheduler, self.loader = model, optimizer, scheduler, loader
        self.callbacks, self.step = list(callbacks), step
        self.history = History()
        self.passing: Pass | None = None  # this run's own way through the data, whoever else looks at them
        self.epoch = 0  # epochs that are done
        self.batch = 0  # batches of the present one that are done
        self.loss = float("nan")  # of the last step
        self.total = 0.0  # of the losses of the present epoch
        self.count = 0
        self.reason: str | None = None

    def stop(self, reason: str) -> None:
        """End the run after this epoch."""
        self.reason = reason

    def state(self) -> dict[str, Any]:
        """All of it as a tree to be saved."""
        return {
            "version": VERSION,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": None if self.scheduler is None else self.scheduler.state_dict(),
            "loader": self._place(),
            "random": copy.deepcopy(random.shared.state),
            "callbacks": [copy.deepcopy(c.state_dict()) for c in self.callbacks],
            "history": [dict(row) for row in self.history.rows],
            "progress": [self.epoch, self.batch, self.total, self.count],
            "stopped": self.reason,
            "form": self._form(),
        }

    def _form(self) -> dict[str, Any]:
        """What does not change in a run, and tells it from others."""
        table = {
            name: getattr(self.loader, name)
            for name in ("batch_size", "shuffle", "drop_last", "examples")
            if hasattr(self.loader, name)
        }
        if isinstance(self.loader, DataLoader):
            table["examples"] = len(self.loader.dataset)
        return {
            "optimiser": type(self.optimizer).__name__,
            "scheduler": None if self.scheduler is None else settings(self.scheduler),
            "loader": {name: None if n is None else int(n) for name, n in table.items()},
        }

    def _place(self) -> Any:
        """Where the run stands in the data."""
        if isinstance(self.loader, Passes):
            return self.loader._ahead() if self.passing is None else self.passing.state_dict()
        return self.loader.state_dict() if hasattr(self.loader, "state_dict") else None

    def restore(self, state: Any, name: str = "the checkpoint") -> None:
        """Go on where `state` was taken. Raises FileError for a tree that is no state of such a run."""
        try:
            if state["version"] != VERSION:
                raise FileError(f"resume: {name} is of version {state['version']!r}, this one writes {VERSION}")
            epoch, batch, total, count = state["progress"]
            if len(state["callbacks"]) != len(self.callbacks):
                raise ArgumentError(
                    f"resume: {name} is of {len(state['callbacks'])} callbacks, the run has {len(self.callbacks)}"
                )
            if (state["scheduler"] is None) != (self.scheduler is None):
                raise ArgumentError(f"resume: {name} and this run differ in having a scheduler")
            self.model.load_state_dict(state["model"])
            for callback, kept in zip(self.callbacks, state["callbacks"], strict=True):
                callback.load_state_dict(kept)
            _check_same(name, state.get("form", {}), self._form())
            self.optimizer.load_state_dict(state["optimizer"])
            if self.scheduler is not None:
                self.scheduler.load_state_dict(state["scheduler"])
            if state["loader"] is not None and hasattr(self.loader, "load_state_dict"):
                self.loader.load_state_dict(state["loader"])
                self.passing = None
            random.shared.state = state["random"]
            self.history.rows = [dict(row) for row in state["history"]]
            self.epoch, self.batch, self.total, self.count = int(epoch), int(batch), float(total), int(count)
            self.reason = state.get("stopped")
        except MathError:
            raise
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise FileError(f"resume: {name} is no checkpoint of such a run: {error!r:.80}") from error

    def resume(self, path: Any) -> None:
        """Go on where a checkpoint was saved; one that does not fit changes nothing."""
        before = self.state()
        try:
            self.restore(load(path), str(path))
        except BaseException:
            self.restore(before)
            raise

    def batches(self, size: int) -> Iterator[list[Any]]:
        """What is left of the present pass over the data, `size` batches at a time."""
        yield from grouped(self.passed(), size)

    def passed(self) -> Iterator[Any]:
        """What is left of the present pass over the data, batch by batch."""
        batches: Iterator[Any] = iter(self.loader)
        if isinstance(batches, Pass):  # which begins where a state says
            self.passing = batches
            return batches
        return itertools.islice(batches, self.batch, None)


def grouped(batches: Iterator[Any], size: int) -> Iterator[list[Any]]:
    """So many at a time, the last of them maybe fewer."""
    while part := list(itertools.islice(batches, size)):
        yield part


def _check_same(name: str, kept: Any, own: Any) -> None:
    """Raise FileError, naming the first difference, where a checkpoint was written by another run."""
    for what, form in own.items():
        other = kept.get(what, form)
        pairs = {f"the {what}": (other, form)}
        if isinstance(form, dict) and isinstance(other, dict):
            pairs = {f"the {what}'s {part}": (other.get(part), form.get(part)) for part in {**form, **other}}
        for whose, (there, here) in pairs.items():
            if there != here:
                raise FileError(
                    f"resume: {name} belongs to another run: there {whose} is {there!r:.60}, here {here!r:.60}"
                )


@contextmanager
def interruptible() -> Iterator[list[int]]:
    """Ctrl-C is noted here, to be acted upon between two steps; a second one interrupts at once."""
    noted: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield noted
        return

    def note(number: int, frame: Any) -> None:
        if noted:
            raise KeyboardInterrupt
        noted.append(number)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, before)
