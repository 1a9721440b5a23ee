"""A bank: networks of one architecture that were trained side by side, and what was measured of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..core.arguments import named
from ..core.errors import ArgumentError, IndexOutOfBounds, describe
from ..core.tensor import Tensor, rec
from ..nn.module import Module
from ..transforms.batching.vmap import vmap
from .alike import check_alike
from .history import History

Array = np.ndarray[Any, Any]


class Member(NamedTuple):
    """One network of a bank: its number, the network itself, and its history."""

    number: int
    model: Module
    history: History


@named
class Bank:
    """Networks of one architecture, as `fit_many` trained them: `bank[k]` is (number, model, history).

    Arguments: `models` the networks, `histories` one for each. `bank["loss"]` is a column of all histories, an array
    (networks, epochs), NaN behind the end of a run that stopped; `measured("loss")` what holds for each network as it
    is; `best("val_loss")` the network in which that is least; `bank(x)` the outputs of all networks for one input.

    >>> import tinygrad_math as tm
    >>> nets = [tm.nn.Linear(2, 1, rng=k) for k in range(3)]
    >>> bank = tm.train.Bank(nets, [tm.train.History([{"epoch": 1, "loss": loss}]) for loss in (3.0, 1.0, 2.0)])
    >>> bank["loss"].tolist(), bank.best("loss").number, bank([[1.0, 2.0]]).shape
    ([[3.0], [1.0], [2.0]], 1, (3, 1, 1))
    """

    def __init__(self, models: Sequence[Module], histories: Sequence[History]) -> None:
        self.models, self.histories = list(models), list(histories)
        if not self.models or len(self.models) != len(self.histories):
            raise ArgumentError(
                f"Bank: a history for each network, got {len(self.models)} networks and {len(self.histories)} histories"
            )
        check_alike("Bank", self.models)
        for h in self.histories:
            if not isinstance(h, History):
                raise ArgumentError(f"Bank takes a History for each network, got {describe(h)}")
        self.rows = [len(h) - 1 for h in self.histories]  # which row of its history tells of a network as it is

    @classmethod
    def _of(cls, models: Sequence[Module], histories: Sequence[History]) -> Bank:
        """Of networks that are known to be alike."""
        bank = object.__new__(cls)
        bank.models, bank.histories = list(models), list(histories)
        bank.rows = [len(h) - 1 for h in histories]
        return bank

    def __len__(self) -> int:
        return len(self.models)

    def __iter__(self) -> Iterator[Member]:
        return (self[k] for k in range(len(self)))

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            return self._column(key)
        if isinstance(key, bool) or not isinstance(key, (int, np.integer)):
            raise ArgumentError(f"bank[k] is network number k, bank['loss'] a column, got {key!r:.60}")
        if not -len(self) <= key < len(self):
            raise IndexOutOfBounds(f"this bank has {len(self)} networks; there is no number {key}")
        k = int(key) % len(self)
        return Member(k, self.models[k], self.histories[k])

    def _column(self, key: str) -> Array:
        names = dict.fromkeys(name for h in self.histories for row in h.rows for name in row)
        if key not in names:
            raise ArgumentError(f"these histories have no {key!r}, only {', '.join(names) or 'no rows yet'}")
        table = np.full((len(self), max(map(len, self.histories))), np.nan)
        for line, history in zip(table, self.histories, strict=True):
            for k, row in enumerate(history.rows):
                line[k] = row.get(key, np.nan)
        return table

    def measured(self, key: str) -> Array:
        """A column for each network as it is: its last row, or the one whose values were put back.

        NaN for a network that stopped before its first row. Raises ArgumentError for a name that was not measured.

        >>> import tinygrad_math as tm
        >>> h = tm.train.History([{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": 1.0}])
        >>> tm.train.Bank([tm.nn.Linear(1, 1)], [h]).measured("loss")
        array([1.])
        """
        table = self._column(key)
        return np.array([line[k] if k >= 0 else np.nan for line, k in zip(table, self.rows, strict=True)])

    def best(self, key: str | None = None, largest: bool = False) -> Member:
        """The network in which a measure is least, or largest: by default the loss on validation data, else the loss.

        Raises ArgumentError where no network has been measured.

        >>> import tinygrad_math as tm
        >>> histories = [tm.train.History([{"epoch": 1, "val_accuracy": a}]) for a in (0.5, 0.75)]
        >>> tm.train.Bank([tm.nn.Linear(1, 1), tm.nn.Linear(1, 1)], histories).best("val_accuracy", largest=True).number
        1
        """
        if key is None:
            key = "val_loss" if any("val_loss" in row for h in self.histories for row in h.rows) else "loss"
        values = self.measured(key)
        if np.isnan(values).all():
            raise ArgumentError(f"best: {key} is no number in any of the {len(self)} networks")
        k = int((np.nanargmax if largest else np.nanargmin)(values))
        return Member(k, self.models[k], self.histories[k])

    def tensors(self) -> dict[str, Tensor]:
        """The parameters and buffers of all networks, by path, each with the networks along its first axis.

        >>> import tinygrad_math as tm
        >>> nets = [tm.nn.Linear(2, 1, rng=k) for k in range(3)]
        >>> tm.train.Bank(nets, [tm.train.History()] * 3).tensors()["weight"].shape
        (3, 1, 2)
        """
        return stacked(self.models)

    def __call__(self, x: Any) -> Any:
        """The outputs of all networks, which come first, for an input that they share, in the mode of the first.

        Derivative: in each network's parameters that of its output.
        """
        first = self.models[0]
        return vmap(lambda tensors, x: first.with_tensors(tensors)(x), in_axes=(0, None))(self.tensors(), x)

    def __repr__(self) -> str:
        stopped = sum(h.stopped is not None for h in self.histories)
        told = [f"{len(self)} networks", *([f"{stopped} stopped"] if stopped else [])]
        names = [n for n in ("val_loss", "loss") if any(n in row for h in self.histories for row in h.rows)]
        for name in names[:1]:
            values = self.measured(name)
            found = values[~np.isnan(values)]
            if found.size:
                told.append(f"{name} from {found.min():.4g} to {found.max():.4g}, the median {np.median(found):.4g}")
        return f"<bank of {'; '.join(told)}>"


def stacked(models: Sequence[Module]) -> dict[str, Tensor]:
    """Parameters and buffers by path, along a new first axis."""
    found = [dict(m.named_parameters()) | dict(m.named_buffers()) for m in models]
    return {name: rec.stack([tensors[name] for tensors in found]) for name in found[0]}
