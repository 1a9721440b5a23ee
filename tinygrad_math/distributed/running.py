"""One run of a sweep: on copies of its own, by a stream of its own, and the row of it, however it ends."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, describe, shortened, summary
from ..core.tensor import Tensor
from ..random import own_stream
from .keeping import unpacked
from .sending import own_classes
from .table import Row

LIST, PLACE = "(settings)", "(place)"  # in a results file: which columns are settings, which point of the grid it was
_OWN = ("seconds", "error", "traceback", LIST, PLACE)
_WORDS = 4000  # characters of a traceback that are kept


class Run:
    """What makes a row of a point: what a run measured, or how it failed.

    The function and the settings come as bytes. Each run unpickles them for itself, so that nothing that another one
    has changed in them, on the same worker, is seen.
    """

    def __init__(self, text: bytes, seed: int, settings: frozenset[str]) -> None:
        self.text, self.seed, self.settings = text, seed, settings

    def __call__(self, k: int, point: bytes) -> Row:
        start = time.perf_counter()
        try:
            with own_classes():
                settings, run = unpacked(point), unpacked(self.text)
            told = {name: value for name, value in settings.items() if isinstance(value, (bool, int, float))}
            with own_stream([self.seed, k]):
                found = self.measures(run(**settings), told)
        except BaseException as error:  # a worker would end with some, and Dask waits for ever at others
            if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
                raise  # Ctrl-C, which comes to no other thread
            return failed(error)
        return {**found, "seconds": time.perf_counter() - start}

    def measures(self, found: Any, told: Row) -> dict[str, Any]:
        """A result as numbers by name. A setting may be `told` again."""
        rows = getattr(found, "rows", None)
        if isinstance(rows, list) and (not rows or isinstance(rows[-1], Mapping)):
            if not rows:
                raise ArgumentError("sweep: a run returned a History without a row; did it train for no epoch?")
            found = {k: v for k, v in rows[-1].items() if k != "seconds" and k not in self.settings}
        if not isinstance(found, Mapping):
            found = {"value": found}
        out = {}
        for name, value in found.items():
            number = value.detach().numpy() if isinstance(value, Tensor) else value
            if np.ndim(number) or np.asarray(number).dtype.kind not in "biuf":
                raise ArgumentError(
                    f"sweep: a run returns a number, a dict of numbers or a History, got {name}={describe(value)}"
                )
            number = np.asarray(number).item()
            if name in told and told[name] == number:
                continue
            if name in self.settings or name in _OWN:
                raise ArgumentError(
                    f"sweep: a run measures {name}={number!r:.40}, and {name!r} is the name of another column"
                )
            out[str(name)] = number
        return out


def failed(error: BaseException) -> Row:
    """The row of a run that raised."""
    trace = error.__traceback__
    lines = traceback.format_exception(type(error), error, trace.tb_next if trace is not None else None)
    return {"error": summary(error), "traceback": shortened("".join(lines), _WORDS)}
