"""Flags: numbers in which loops note what went wrong, at which the machine stops.

The program is then run again step by step, and the op itself says what is wrong.
"""

from __future__ import annotations

import numpy as np

from .loops import copier
from .machine import LIMIT
from .places import Place, Places, address_of
from .table import loop_words

WORD = np.dtype(np.int64)


def new_flag(around: Places, words: list[int]) -> Place:
    """A number, 0 to begin with."""
    flag, zero = around.own((), WORD), around.number(0, WORD)
    assert zero is not None
    words += loop_words(copier(WORD), (), [zero.over(()), flag.over(())])
    return flag


def checked(around: Places, flag: Place, text: str) -> list[int]:
    """An error where a flag is set."""
    said = np.frombuffer(text.encode() + b"\0", np.uint8)
    around.memory.kept.append(said)
    return [0, LIMIT, 7, flag.cell, flag.offset, 1, address_of(said)]
