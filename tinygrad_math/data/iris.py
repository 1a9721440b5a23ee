"""Fisher's Iris measurements."""

from __future__ import annotations

import csv
from importlib import resources
from typing import Any, NamedTuple

import numpy as np


class Iris(NamedTuple):
    """`sepal` and `petal`: (150, 2) float64, length and width in cm; `species`: the 150 names."""

    sepal: np.ndarray[Any, Any]
    petal: np.ndarray[Any, Any]
    species: list[str]


def iris() -> Iris:
    """The 150 flowers of R. A. Fisher, "The use of multiple measurements in taxonomic problems" (1936).

    >>> import tinygrad_math as tm
    >>> tm.data.iris().sepal[0]
    array([5.1, 3.5])
    """
    text = resources.files(__package__).joinpath("iris.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(line for line in text.splitlines() if not line.startswith("#")))[1:]
    numbers = np.array([[float(v) for v in row[:4]] for row in rows])
    return Iris(numbers[:, :2], numbers[:, 2:], [row[4] for row in rows])
