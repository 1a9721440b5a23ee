"""What an optimiser's settings may be: each class names its checks once, whether they come by hand or from a file."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..core.errors import ArgumentError
from ..core.tensor import Tensor

Check = Callable[[str, str, Any], Any]  # of who asks, the setting's name and its value: the value, or ArgumentError
Checks = Mapping[str, Check]


def checked(asker: str, name: str, value: Any, low: float = 0.0, high: float = math.inf) -> float:
    """A number within its bounds. Raises ArgumentError."""
    if isinstance(value, Tensor) and value.size == 1 and not value.node.live:
        value = value.item()
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not number or not low <= value <= high:
        raise ArgumentError(f"{asker}: {name} is a number from {low:g} to {high:g}, got {value!r:.40}")
    return float(value)


def number(low: float = 0.0, high: float = math.inf) -> Check:
    return lambda asker, name, value: checked(asker, name, value, low, high)


def count(asker: str, name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ArgumentError(f"{asker}: {name} is a whole number above 0, got {value!r:.40}")
    return int(value)


def count_or_none(asker: str, name: str, value: Any) -> int | None:
    return None if value is None else count(asker, name, value)


def switch(asker: str, name: str, value: Any) -> bool:
    if not isinstance(value, (bool, np.bool_, int, np.integer)) or value not in (0, 1):
        raise ArgumentError(f"{asker}: {name} is True or False, got {value!r:.40}")
    return bool(value)


def pair(words: str, high: float = math.inf, holds: Callable[[float, float], bool] = lambda a, b: True) -> Check:
    """Two numbers from 0 to `high`, of which something holds."""

    def check(asker: str, name: str, value: Any) -> tuple[float, float]:
        if isinstance(value, (tuple, list)) and len(value) == 2:
            first, second = (checked(asker, f"each of {name}", v, high=high) for v in value)
            if holds(first, second):
                return first, second
        raise ArgumentError(f"{asker}: {name} are {words}, got {value!r:.60}")

    return check


def choice(*values: Any) -> Check:
    def check(asker: str, name: str, value: Any) -> Any:
        if not any(type(value) is type(v) and value == v for v in values):
            raise ArgumentError(f"{asker}: {name} is {' or '.join(map(repr, values))}, got {value!r:.40}")
        return value

    return check
