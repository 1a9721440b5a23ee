"""What can be hooked into a run: stopping early, and writing down what was measured."""

from __future__ import annotations

import csv
import importlib
import json
import math
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..core.arguments import named
from ..core.errors import ArgumentError, FileError, MissingExtra, installing

if TYPE_CHECKING:
    from .run import Run


class Callback:
    """The base: override what is wanted. `run` has model, optimizer, history, epoch, and `stop(reason)`.

    What a callback needs to go on after a resume it hands out by `state_dict`.

    >>> import tinygrad_math as tm
    >>> class Print(tm.train.Callback):
    ...     def on_epoch_end(self, run):
    ...         print(run.epoch)
    >>> data, net, loss = tm.data.sine(8, rng=0), tm.nn.Linear(1, 1), tm.nn.functional.mse_loss
    >>> h = tm.train.fit(net, data, loss, tm.optim.SGD(net), epochs=2, callbacks=[Print()], progress=False)
    1
    2
    """

    def on_start(self, run: Run) -> None:
        """Before the first step, also of a run that is resumed."""

    def on_batch_end(self, run: Run) -> None:
        """After each step; `run.loss` is its loss. With compile=True the module has its values of the epoch's start."""

    def on_epoch_end(self, run: Run) -> None:
        """After each epoch, when its row is in `run.history`."""

    def on_end(self, run: Run) -> None:
        """After the last epoch, or when a run stops for any reason."""

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken."""


@named
class EarlyStopping(Callback):
    """Stop when a measure has not got better for more than `patience` epochs.

    Arguments: `monitor` a column of the history; `mode` "min" or "max"; `min_delta` what counts as better;
    `restore_best` puts the model's best values back at the end. Each run begins anew, but for one that is resumed.

    >>> import tinygrad_math as tm
    >>> tm.train.EarlyStopping("val_accuracy", mode="max", patience=3).patience
    3
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int = 10,
        min_delta: float = 0.0,
        mode: str = "min",
        restore_best: bool = True,
    ) -> None:
        if mode not in ("min", "max"):
            raise ArgumentError(f"EarlyStopping: mode is 'min' or 'max', got {mode!r:.40}")
        if isinstance(patience, bool) or not isinstance(patience, int) or patience < 0:
            raise ArgumentError(f"EarlyStopping: patience is a whole number from 0 on, got {patience!r:.40}")
        self.monitor, self.patience, self.min_delta, self.mode = monitor, patience, min_delta, mode
        self.restore_best = restore_best
        self._forget()

    def _forget(self) -> None:
        self.best, self.waited = math.inf, 0
        self.kept: Any = None  # the state of the model when it was best

    def on_start(self, run: Run) -> None:
        if not run.epoch:  # one that is resumed goes on
            self._forget()

    def on_epoch_end(self, run: Run) -> None:
        row = run.history[-1]
        if self.monitor not in row:
            raise ArgumentError(f"EarlyStopping watches {self.monitor!r}; the run measures {', '.join(row)}")
        value = row[self.monitor] if self.mode == "min" else -row[self.monitor]
        if value < self.best - self.min_delta:
            self.best, self.waited = value, 0
            self.kept = run.model.state_dict() if self.restore_best else None
        else:
            self.waited += 1
            if self.waited > self.patience:
                run.stop(f"{self.monitor} was best {self.waited} epochs ago")

    def on_end(self, run: Run) -> None:
        kept, self.kept = self.kept, None  # of this run alone
        if kept is not None:
            run.model.load_state_dict(kept)

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "waited": self.waited, "kept": self.kept}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.best, self.waited, self.kept = state["best"], state["waited"], state["kept"]


@named
class MetricsFile(Callback):
    """The rows of the history in a file, after each epoch: CSV or JSON lines, by the ending (.csv, .jsonl).

    A resumed run writes the rows from before again, so that the file is that of an unbroken run.
    Raises ArgumentError for another ending, FileError where the file cannot be written.

    >>> import tinygrad_math as tm
    >>> tm.train.MetricsFile("run.csv").path
    'run.csv'
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        if not self.path.endswith((".csv", ".jsonl")):
            raise ArgumentError(f"MetricsFile: a path ends in .csv or .jsonl, got {self.path!r:.80}")

    def on_start(self, run: Run) -> None:
        self._write(run)

    def on_epoch_end(self, run: Run) -> None:
        self._write(run)

    def _write(self, run: Run) -> None:
        rows = run.history.rows
        try:
            with open(self.path, "w", newline="", encoding="utf-8") as file:
                if self.path.endswith(".jsonl"):
                    file.writelines(json.dumps(row) + "\n" for row in rows)
                else:
                    writer = csv.DictWriter(file, list(dict.fromkeys(k for row in rows for k in row)))
                    writer.writeheader()
                    writer.writerows(rows)
        except OSError as error:
            raise FileError(f"MetricsFile: {self.path!r} could not be written: {error.strerror or error}") from error


class TensorBoard(Callback):
    """The rows of the history as TensorBoard's event files in a folder. Raises MissingExtra without tensorboardX."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        try:
            self._library = importlib.import_module("tensorboardX")
        except ImportError as error:
            raise MissingExtra(
                f"TensorBoard files need the package tensorboardX: {installing('tensorboard')}"
            ) from error
        self.folder, self._writer = os.fspath(folder), None

    def on_start(self, run: Run) -> None:
        self._writer = self._library.SummaryWriter(self.folder, purge_step=run.epoch + 1)

    def on_epoch_end(self, run: Run) -> None:
        row = run.history[-1]
        for name, value in row.items():
            if name != "epoch" and self._writer is not None:
                self._writer.add_scalar(name, value, int(row["epoch"]))

    def on_end(self, run: Run) -> None:
        if self._writer is not None:
            self._writer.close()
