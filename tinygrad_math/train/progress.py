"""What a run shows while it goes on: a bar in a terminal, lines elsewhere."""

from __future__ import annotations

import importlib
import sys
from typing import Any, Protocol


class Counted(Protocol):
    """What is counted of a run: epochs that are done, and batches of the present one."""

    @property
    def epoch(self) -> int: ...
    @property
    def batch(self) -> int: ...
    @property
    def loader(self) -> Any: ...


LINES = 10  # about how many a run prints where there is no terminal


def told(row: dict[str, float]) -> str:
    """A row in a line."""
    return "  ".join(f"{k} {v:.4g}" for k, v in row.items() if k not in ("epoch", "seconds", "lr"))


class Progress:
    """A context in which `step` and `row` are shown."""

    def __init__(self, run: Counted, epochs: int, shown: bool) -> None:
        self.run, self.epochs, self.shown = run, epochs, shown
        self.bar: Any = None
        self.task: Any = None

    def __enter__(self) -> Progress:
        if self.shown and sys.stderr.isatty():
            try:
                library = importlib.import_module("rich.progress")
            except ImportError:
                return self
            columns = library.TextColumn("{task.description}"), library.BarColumn(), library.MofNCompleteColumn()
            more = library.TimeRemainingColumn(), library.TextColumn("{task.fields[told]}")
            console = importlib.import_module("rich.console").Console(stderr=True)
            self.bar = library.Progress(*columns, *more, console=console)
            self.bar.start()
            done = self.run.epoch * self.size + self.run.batch
            self.task = self.bar.add_task("training", total=self.epochs * self.size or None, completed=done, told="")
        return self

    @property
    def size(self) -> int:
        return len(self.run.loader) if hasattr(self.run.loader, "__len__") else 0

    def step(self) -> None:
        if self.bar is not None:
            self.bar.update(self.task, completed=self.run.epoch * self.size + self.run.batch)

    def row(self, row: dict[str, float]) -> None:
        if self.bar is not None:
            self.bar.update(self.task, told=told(row))
        elif self.shown:
            every = max(1, self.epochs // LINES)
            epoch = int(row["epoch"])
            if epoch == 1 or epoch % every == 0 or epoch == self.epochs:
                print(f"epoch {epoch}/{self.epochs}  {told(row)}", file=sys.stderr, flush=True)

    def __exit__(self, *error: object) -> None:
        if self.bar is not None:
            self.bar.stop()
