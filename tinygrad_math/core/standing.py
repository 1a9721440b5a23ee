"""What stands for an array in a function of plain arrays, so that a compiler can read off what the function does."""

from __future__ import annotations

from typing import Any

import numpy as np


class StandIn:
    """Stands for an array; NumPy's functions ask it what they give (`__array_ufunc__`, `__array_function__`)."""


def as_array(x: Any, dtype: Any = None) -> Any:
    """`np.asarray`, for which NumPy does not ask what stands for an array."""
    if not isinstance(x, StandIn):
        return np.asarray(x, dtype)
    stands: Any = x
    return stands if dtype is None else stands.astype(dtype)
