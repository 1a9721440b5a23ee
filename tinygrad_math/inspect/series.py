"""What is measured of one array, and the records of it over time, of which no more are kept than a limit."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.quiet import ignoring

COLUMNS: tuple[str, ...] = (
    "norm",
    "rms",
    "mean",
    "zeros",
    "dead",
    "saturated",
    "nan",
    "gradient",
    "gradient_rms",
    "ratio",
)
COLUMNS += ("zero_gradients", "nan_gradient")
BOUNDS: dict[str, tuple[float, float]] = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0), "expit": (0.0, 1.0)}
NEAR = 0.025  # so much of the range next to a bound counts as saturated

Row = dict[str, Any]


def measures(data: Any, bounds: tuple[float, float] | None, units: bool = False) -> Row:
    """The numbers of one array; with `units`, of the last axis, or of axis 1 of pictures, those that are always 0."""
    a = np.asarray(data)
    size = a.size
    nan = int(np.isnan(a).sum()) if a.dtype.kind in "fc" else 0
    wide = a.astype(np.complex128 if a.dtype.kind == "c" else np.float64, copy=False).ravel()
    with ignoring():
        norm = float(np.linalg.norm(wide)) if size else 0.0
        row: Row = {
            "norm": norm,
            "rms": norm / size**0.5 if size else 0.0,
            "mean": float(np.real(wide.mean())) if size else 0.0,
            "zeros": float(size - np.count_nonzero(a)) / size if size else 0.0,
            "nan": nan,
        }
        if units and a.ndim >= 2 and size:
            axis = 1 if a.ndim >= 4 else a.ndim - 1
            others = tuple(k for k in range(a.ndim) if k != axis)
            row["dead"] = float(np.mean(~np.any(a != 0, axis=others)))
        if bounds is not None and size:
            low, high = bounds
            margin = NEAR * (high - low)
            row["saturated"] = float(np.mean((a < low + margin) | (a > high - margin)))
    return row


class Series:
    """The records of one activation or parameter: (step, row) in order."""

    def __init__(self, kind: str, name: str, limit: int) -> None:
        self.kind, self.name, self.limit = kind, name, limit
        self.rows: list[tuple[int, Row]] = []
        self.stride = 1  # one record out of so many is kept
        self.count = 0
        self.first_nan: int | None = None

    def add(self, step: int, row: Row) -> None:
        """A record; of several calls in a step, the last counts."""
        self._look(step, row)
        if self.rows and self.rows[-1][0] == step:
            self.rows[-1] = step, row
            return
        if self.count % self.stride and len(self.rows) > 1:  # between what is kept, the latest is shown
            self.rows[-1] = step, row
        else:
            self.rows.append((step, row))
        self.count += 1
        if len(self.rows) > self.limit:
            self.rows = [*self.rows[:-1:2], self.rows[-1]]
            self.stride *= 2

    def update(self, step: int, more: Row) -> None:
        """What became known of a record later."""
        self._look(step, more)
        for k in range(len(self.rows) - 1, -1, -1):
            if self.rows[k][0] == step:
                self.rows[k][1].update(more)
                return

    def _look(self, step: int, row: Row) -> None:
        if self.first_nan is None and (row.get("nan") or row.get("nan_gradient")):
            self.first_nan = step

    def latest(self, key: str, count: int = 10) -> list[float]:
        """The last numbers of one measure."""
        return [row[key] for _, row in self.rows if row.get(key) is not None][-count:]
