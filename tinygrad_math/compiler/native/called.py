"""Ops without a native form inside a loop that has one: the machine calls Python, which reads and writes its memory."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...core.errors import TraceError
from ..program import Value, apply
from .places import Place

KEPT = 8  # arrays for addresses that are met again: those of carries change places, those of rows move on


class Called:
    """An instruction, and where what it reads and writes lies."""

    def __init__(self, v: Value, given: Sequence[Place | None], out: Place) -> None:
        self.v, self.given, self.out = v, list(given), out

    def bind(self, cells: np.ndarray[Any, Any]) -> Callable[[], None]:
        """The function over these cells, which the machine calls without arguments."""
        v, out = self.v, _array(cells, self.out)
        readers = [_reader(cells, i, place) for i, place in zip(v.inputs, self.given, strict=True)]

        def call() -> None:
            found = apply(v, [read() for read in readers])
            if np.shape(found) != v.shape or np.result_type(found) != v.dtype:
                raise TraceError(
                    f"{v.said} gave shape {np.shape(found)} and {np.result_type(found)}, but the loop was traced with "
                    f"{v.shape} and {v.dtype}: what depends on values so cannot be compiled. {v.place or ''}"
                )
            out()[...] = found

        return call


def _reader(cells: np.ndarray[Any, Any], i: Value, place: Place | None) -> Callable[[], Any]:
    """What an instruction of Python reads: arrays, NumPy's numbers, and Python's where they were such."""
    if place is None:  # known
        return lambda: i.example
    array = _array(cells, place)
    if i.weak:
        return lambda: array().item()
    return array if i.shape else lambda: array()[()]


def _array(cells: np.ndarray[Any, Any], place: Place) -> Callable[[], np.ndarray[Any, Any]]:
    """The array that lies at a place, wherever its cell points by now."""
    steps = [s * (n - 1) for n, s in zip(place.shape, place.strides, strict=True)]
    low, high = sum(min(s, 0) for s in steps), sum(max(s, 0) for s in steps) + place.dtype.itemsize
    known: dict[int, np.ndarray[Any, Any]] = {}

    def array() -> np.ndarray[Any, Any]:
        address = int(cells[place.cell])
        if address not in known:
            if len(known) >= KEPT:
                known.clear()
            memory = (ctypes.c_char * (high - low)).from_address(address + place.offset + low)
            known[address] = np.ndarray(place.shape, place.dtype, memory, -low, place.strides)
        return known[address]

    return array
