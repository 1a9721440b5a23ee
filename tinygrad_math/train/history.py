"""History: what a run has measured, a row an epoch."""

from __future__ import annotations

import base64
import importlib
import io
import os
from collections.abc import Iterator
from typing import Any

from ..core.arguments import named
from ..core.errors import ArgumentError, IndexOutOfBounds, MissingExtra, describe, installing
from ..core.notebook import bundle, table

Row = dict[str, float]
_SHOWN = 10  # rows of a long run in a notebook


@named
class History:
    """The rows of a run, one an epoch: "epoch", "loss", "lr", with validation "val_loss" and its measures.

    `history["loss"]` is a column; `history.rows` the rows; `history[-1]` the last; `stopped` says why a run ended
    early.

    >>> import tinygrad_math as tm
    >>> h = tm.train.History([{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": 1.0}])
    >>> h["loss"], len(h), h.best("loss")
    ([2.0, 1.0], 2, {'epoch': 2, 'loss': 1.0})
    """

    def __init__(self, rows: list[Row] | None = None) -> None:
        self.rows: list[Row] = list(rows or [])
        self.stopped: str | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, str):
            try:
                return self.rows[key]
            except IndexError:
                raise IndexOutOfBounds(f"this history has {len(self)} rows; there is no number {key}") from None
            except TypeError:
                raise ArgumentError(f"history[-1] is a row, history['loss'] a column, got {key!r:.60}") from None
        if not any(key in row for row in self.rows):
            known = sorted({k for row in self.rows for k in row})
            raise ArgumentError(f"this history has no {key!r}, only {', '.join(known) or 'no rows yet'}")
        return [row[key] for row in self.rows if key in row]

    def best(self, key: str, largest: bool = False) -> Row:
        """The row in which a measure was least, or largest."""
        rows = [row for row in self.rows if key in row]
        if not rows:
            raise ArgumentError(f"this history has no {key!r}")
        return (max if largest else min)(rows, key=lambda row: row[key])

    def plot(self, path: Any = None) -> Any:
        """The losses, and below them the other measures, against the epochs: a matplotlib Figure.

        It is saved if a path is given. Raises MissingExtra without matplotlib.
        """
        try:
            figures = importlib.import_module("matplotlib.figure")
        except ImportError as error:
            raise MissingExtra(f"history.plot() needs matplotlib: {installing('viz')}") from error
        if path is not None and not isinstance(path, (str, os.PathLike)) and not callable(getattr(path, "write", None)):
            raise ArgumentError(f"history.plot(): path is that of a picture, or an open file, got {describe(path)}")
        names = [k for k in dict.fromkeys(k for row in self.rows for k in row) if k not in ("epoch", "seconds")]
        losses = [k for k in names if k.endswith("loss")]
        others = [k for k in names if not k.endswith("loss") and (k != "lr" or len(set(self["lr"])) > 1)]
        panels = [losses, *([k] for k in others)] if losses else [[k] for k in others]
        figure = figures.Figure(figsize=(6.4, 1.2 + 2.2 * max(len(panels), 1)), layout="constrained")
        axes = figure.subplots(max(len(panels), 1), 1, sharex=True, squeeze=False)[:, 0]
        for ax, panel in zip(axes, panels, strict=False):
            for name in panel:
                rows = [row for row in self.rows if name in row]
                ax.plot([row["epoch"] for row in rows], [row[name] for row in rows], marker=".", label=name)
            values = [v for name in panel for v in self[name]]
            if panel is losses and min(values) > 0 and max(values) > 10 * min(values):
                ax.set_yscale("log")
            ax.legend(frameon=False)
            ax.spines[["top", "right"]].set_visible(False)
        axes[-1].set_xlabel("epoch")
        axes[-1].xaxis.get_major_locator().set_params(integer=True)
        if path is not None:
            figure.savefig(path, dpi=110)
        return figure

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return bundle(self, html=self._page)

    def _page(self) -> str:
        """For a notebook: the curves, where matplotlib is there, and the first and last rows."""
        names = list(dict.fromkeys(k for row in self.rows for k in row))
        shown = self.rows if len(self.rows) <= _SHOWN else [*self.rows[:3], *self.rows[3 - _SHOWN :]]
        cells = [[f"{row[k]:.4g}" if k in row else "" for k in names] for row in shown]
        if len(shown) < len(self.rows):
            cells.insert(3, ["…"] * len(names))
        rows = table(names, cells, f"stopped: {self.stopped}" if self.stopped else "")
        try:
            file = io.BytesIO()
            self.plot(file)
        except MissingExtra:
            return rows
        picture = base64.b64encode(file.getvalue()).decode()
        return f'<img alt="the measures by epoch" src="data:image/png;base64,{picture}">{rows}'

    def __repr__(self) -> str:
        if not self.rows:
            return "<history without a row>"
        last = ", ".join(f"{k}={v:.4g}" for k, v in self.rows[-1].items())
        return (
            f"<history of {len(self)} epochs; the last: {last}{f'; stopped: {self.stopped}' if self.stopped else ''}>"
        )
