"""Many runs in step: how far they have come, each network's own part, and what is saved of them."""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from typing import Any

from ..core.errors import FileError
from ..nn.module import Module
from ..saving.files import load
from .run import VERSION, Run
from .together import Together


class Member(Run):
    """The run of one network among the others: what is saved of it, and what a callback sees."""

    together: Together | None = None  # where its values lie while it is trained

    def __init__(self, number: int, *given: Any) -> None:
        self.number = number
        super().__init__(*given)

    @property
    def model(self) -> Module:
        """The network with its present values."""
        if self.reason is None and self.together is not None:
            self.together.settle(self.number)
        return self._model

    @model.setter
    def model(self, model: Module) -> None:
        self._model = model

    def stop(self, reason: str) -> None:
        """The network stays as it is now, while the others go on."""
        assert self.together is not None
        self.together.settle(self.number)
        self.end(reason)

    def end(self, reason: str | None) -> None:
        self.history.stopped = self.reason = reason


class Runs:
    """Many runs in step: how far they have come, and each network's own part."""

    def __init__(self, together: Together, data: Any, schedulers: Sequence[Any], stops: Sequence[Any]) -> None:
        self.together, self.schedulers, self.data = together, schedulers, data
        loaders = data if isinstance(data, list) else [data] * together.size
        self.loader = loaders[0]  # as many batches as all
        given = zip(together.models, together.optimizers, schedulers, loaders, together.each, strict=True)
        self.members = [Member(k, *own, copy.deepcopy(list(stops)), step) for k, (*own, step) in enumerate(given)]
        self.epoch = self.batch = 0
        self.stretch: Any = None  # what takes many steps at once

    @property
    def going(self) -> list[Member]:
        return [m for m in self.members if m.reason is None]

    # -- saving -------------------------------------------------------------------------------------
    def state(self) -> dict[str, Any]:
        """All of it between two epochs, as a tree to be saved."""
        found = [m.state() for m in self.members]
        random = [one.pop("random") for one in found][-1]
        return {"version": VERSION, "random": random, "networks": found}

    def restore(self, state: Any, name: str) -> None:
        """Go on where `state` was taken. Raises FileError for a tree that is no state of such runs."""
        if not isinstance(state, dict) or not isinstance(state.get("networks"), list) or "random" not in state:
            raise FileError(f"resume: {name} is no checkpoint of fit_many")
        if len(state["networks"]) != len(self.members):
            raise FileError(f"resume: {name} is of {len(state['networks'])} networks, here are {len(self.members)}")
        for m, own in zip(self.members, state["networks"], strict=True):
            if not isinstance(own, dict):
                raise FileError(f"resume: {name} is no checkpoint of fit_many")
            m.restore({**own, "random": state["random"]}, f"network {m.number} of {name}")
            m.end(m.reason)
        self.epoch = max(m.epoch for m in self.members)

    def resume(self, path: Any) -> None:
        """Go on where a checkpoint was saved; one that does not fit changes nothing."""
        before = self.state()
        try:
            self.restore(load(path), os.fspath(path))
        except BaseException:
            self.restore(before, "the state before")
            raise
        self.together.begin()

    def begin(self) -> None:
        """From here on the values lie side by side."""
        for m in self.members:
            m.together = self.together
            for stop in m.callbacks:
                stop.on_start(m)
