"""What a sweep found: a row a run, as a table and as a picture."""

from __future__ import annotations

import importlib
import math
import os
from collections.abc import Iterator, Sequence
from typing import Any

from ..core.arguments import named
from ..core.errors import ArgumentError, MissingExtra, describe, installing
from ..core.notebook import bundle
from ..core.opening import room

Row = dict[str, Any]
_HIDDEN = ("traceback", "seconds", "error")


@named
class Sweep:
    """The rows of a sweep, in the order of its grid: settings and measures by name.

    `found["loss"]` is a column; `found.rows` the rows; `found.failures` those of runs that raised, with "error" and
    "traceback"; `found.best("loss")` the row in which a measure was least; `found.plot()` a picture.

    >>> import tinygrad_math as tm
    >>> rows = [{"lr": 0.1, "loss": 2.0}, {"lr": 1.0, "error": "ValueError: no", "traceback": "..."}]
    >>> found = tm.distributed.Sweep(rows, ["lr"])
    >>> print(found)
     lr  loss  error
    -------------------------
    0.1     2
      1        ValueError: no
    >>> found["loss"], len(found.failures)
    ([2.0], 1)
    """

    def __init__(self, rows: Sequence[Row], settings: Sequence[str]) -> None:
        if not all(isinstance(row, dict) for row in rows) or not all(isinstance(n, str) for n in settings):
            raise ArgumentError(f"Sweep takes dicts and the names of settings, got {describe(rows)}")
        self.rows, self.settings = list(rows), list(settings)

    @property
    def measures(self) -> list[str]:
        """What the runs have measured."""
        names = dict.fromkeys(n for row in self.rows for n in row)
        return [n for n in names if n not in self.settings and n not in _HIDDEN]

    @property
    def failures(self) -> list[Row]:
        """The rows of runs that raised."""
        return [row for row in self.rows if "error" in row]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, str):
            return self.rows[key]
        if not any(key in row for row in self.rows):
            known = ", ".join([*self.settings, *self.measures])
            raise ArgumentError(f"this sweep has no {key!r}, only {known}")
        return [row[key] for row in self.rows if key in row]

    def best(self, key: str, largest: bool = False) -> Row:
        """The row in which a measure was least, or largest; NaN is neither. Raises ArgumentError for words."""
        found = [row for row in self.rows if isinstance(key, str) and key in row]
        words = next((row[key] for row in found if not isinstance(row[key], (int, float))), None)
        if words is not None:
            raise ArgumentError(f"the best of {key} is of numbers, and a run has {describe(words)}")
        rows = [row for row in found if not math.isnan(row[key])]
        if not rows:
            raise ArgumentError(f"no run of this sweep has measured {describe(key)}; it has {', '.join(self.measures)}")
        return (max if largest else min)(rows, key=lambda row: row[key])

    def plot(self, y: str | None = None, path: Any = None) -> Any:
        """A measure against each setting that varies, a panel each: a matplotlib Figure, saved if a path is given.

        `y` is the measure, "loss" or the first one if not given; it may be a setting, too. What is not numbers is drawn
        as categories. Raises ArgumentError for another name, MissingExtra without matplotlib.
        """
        try:
            figures = importlib.import_module("matplotlib.figure")
        except ImportError as error:
            raise MissingExtra(f"sweep.plot() needs matplotlib: {installing('viz')}") from error
        name = (
            y if y is not None else next((n for n in self.measures if n.endswith("loss")), (self.measures or [""])[0])
        )
        rows = [row for row in self.rows if name in row]
        if not rows or name in ("error", "traceback"):
            raise ArgumentError(
                f"no run of this sweep has measured {describe(name)}; it has {', '.join(self.measures)}"
            )
        if path is not None and not isinstance(path, (str, os.PathLike)) and not callable(getattr(path, "write", None)):
            raise ArgumentError(f"sweep.plot(): path is that of a picture, or an open file, got {describe(path)}")
        varied = [s for s in self.settings if len({repr(row.get(s)) for row in self.rows}) > 1] or self.settings[:1]
        figure = figures.Figure(figsize=(1.0 + 2.8 * max(len(varied), 1), 3.0), layout="constrained")
        axes = figure.subplots(1, max(len(varied), 1), sharey=True, squeeze=False)[0]
        height = _drawn([row[name] for row in rows])
        for ax, setting in zip(axes, varied, strict=False):
            values = _drawn([row.get(setting) for row in rows])
            ax.plot(values, height, "o", alpha=0.6)
            if _spread(values):
                ax.set_xscale("log")
            ax.set_xlabel(setting)
            ax.spines[["top", "right"]].set_visible(False)
        if _spread(height):
            axes[0].set_yscale("log")
        axes[0].set_ylabel(name)
        if path is not None:
            figure.savefig(path, dpi=110)
        return figure

    def table(self) -> Any:
        """The rows as a table: `.text()`, `.markdown()`, `.html()`."""
        room("inspect")
        from ..inspect.tables import Table  # whose room is large

        columns = [*self.settings, *self.measures, *(["error"] if self.failures else [])]
        return Table("", columns, [[row.get(n) for n in columns] for row in self.rows])

    def text(self) -> str:
        """The table as text."""
        return str(self.table().text())

    def markdown(self) -> str:
        """The table in Markdown."""
        return str(self.table().markdown())

    def __repr__(self) -> str:
        return self.text()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return bundle(self, html=lambda: str(self.table().html()))


def _drawn(values: list[Any]) -> list[Any]:
    """Numbers as they are; where some are none, all as text: the categories of an axis."""
    numbers = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)
    return values if numbers else list(map(str, values))


def _spread(values: list[Any]) -> bool:
    """Whether an axis shows these best by their logarithms."""
    found = [v for v in values if isinstance(v, (int, float)) and math.isfinite(v)]
    return bool(found) and min(found) > 0 and max(found) > 20 * min(found)
