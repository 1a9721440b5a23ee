"""What stands for an array or a number, so that a compiler can read off what a function does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np


class StandIn:
    """Stands for an array; NumPy's functions ask it what they give (`__array_ufunc__`, `__array_function__`)."""


class Number:
    """Stands for a plain number that is to be read anew at each call of a program."""

    __slots__ = ()
    __stays__ = True  # it leads nowhere, and is its own copy
    if TYPE_CHECKING:

        @property
        def node(self) -> Any:
            """What it is beside a Tensor."""

        @property
        def number(self) -> Any:
            """What it is now: for that value the program is then made."""

        @property
        def value(self) -> Any:
            """What it is now, without asking for it."""

        @property
        def leaf(self) -> Any:
            """What it is among results."""


def as_array(x: Any, dtype: Any = None) -> Any:
    """`np.asarray`, for which NumPy does not ask what stands for an array."""
    if not isinstance(x, StandIn):
        return np.asarray(x, dtype)
    stands: Any = x
    return stands if dtype is None else stands.astype(dtype)
