"""Data that are made: pictures in the plane, curves, and sequences, each from a seed.

Every function returns (x, y) as arrays. `rng` is a NumPy Generator or a seed; the same seed gives the same data.
Without it the numbers come from `tm.random`, so that `tm.random.seed` reaches them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec

import numpy as np

from .. import random
from ..core.errors import ArgumentError, OutOfMemory

Array = np.ndarray[Any, Any]
Pair = tuple[Array, Array]

__all__ = [
    "adding_problem", "checkerboard", "circles", "moons", "parity", "sine", "spirals", "two_layer_linear",
]  # fmt: skip


P = ParamSpec("P")


def _held(make: Callable[P, Pair]) -> Callable[P, Pair]:
    """A maker of data whose error names it where no memory holds them."""

    @functools.wraps(make)
    def call(*args: P.args, **kwargs: P.kwargs) -> Pair:
        try:
            return make(*args, **kwargs)
        except MemoryError as error:
            raise OutOfMemory(f"{make.__name__}: {error or 'no memory is left'}. Ask for fewer examples.") from error

    return call


def _count(asker: str, least: int = 1, **counts: Any) -> None:
    for name, n in counts.items():
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < least:
            raise ArgumentError(f"{asker}: {name} is a whole number from {least} on, got {n!r:.40}")


def _generator(asker: str, noise: Any, rng: Any) -> np.random.Generator:
    if (
        isinstance(noise, bool)
        or not isinstance(noise, (int, float, np.floating, np.integer))
        or not 0 <= noise < np.inf
    ):
        raise ArgumentError(f"{asker}: noise is a standard deviation from 0 on, got {noise!r:.40}")
    return random.source(rng, f"{asker} draws")


def _mixed(points: Array, labels: Array, noise: float, draw: np.random.Generator) -> Pair:
    order = draw.permutation(len(points))
    return points[order] + draw.normal(size=points.shape) * noise, labels[order]


@_held
def moons(n: int = 200, noise: float = 0.1, rng: Any = None) -> Pair:
    """Two half circles that reach into each other. x (n, 2) float64, y (n,) the moon, 0 or 1, half of each.

    >>> import tinygrad_math as tm
    >>> x, y = tm.data.moons(100, noise=0.1, rng=0)
    >>> x.shape, y.sum().item()
    ((100, 2), 50)
    """
    _count("moons", n=n)
    draw = _generator("moons", noise, rng)
    outer, inner = np.linspace(0, np.pi, n - n // 2), np.linspace(0, np.pi, n // 2)
    points = np.concatenate([np.c_[np.cos(outer), np.sin(outer)], np.c_[1 - np.cos(inner), 0.5 - np.sin(inner)]])
    return _mixed(points, np.repeat([0, 1], [n - n // 2, n // 2]), noise, draw)


@_held
def circles(n: int = 200, noise: float = 0.05, factor: float = 0.5, rng: Any = None) -> Pair:
    """A circle of radius 1 (y = 0) around one of radius `factor` (y = 1). x (n, 2), y (n,).

    >>> import numpy as np, tinygrad_math as tm
    >>> x, y = tm.data.circles(4, noise=0.0, rng=0)
    >>> np.unique(np.linalg.norm(x, axis=1).round(12))
    array([0.5, 1. ])
    """
    _count("circles", n=n)
    draw = _generator("circles", noise, rng)
    if not 0 < factor < 1:
        raise ArgumentError(f"circles: factor is the inner radius, between 0 and 1, got {factor!r:.40}")
    half = n // 2
    angles = np.concatenate([np.arange(m) * (2 * np.pi / max(m, 1)) for m in (n - half, half)])
    radii = np.repeat([1.0, factor], [n - half, half])
    return _mixed(np.c_[np.cos(angles), np.sin(angles)] * radii[:, None], (radii < 1).astype(np.int64), noise, draw)


@_held
def spirals(n: int = 300, classes: int = 3, turns: float = 0.75, noise: float = 0.05, rng: Any = None) -> Pair:
    """Arms that wind around the origin, one a class. x (n, 2) within radius 1 but for noise, y (n,).

    >>> import tinygrad_math as tm
    >>> x, y = tm.data.spirals(9, classes=3, rng=0)
    >>> sorted(y.tolist())
    [0, 0, 0, 1, 1, 1, 2, 2, 2]
    """
    _count("spirals", n=n, classes=classes)
    draw = _generator("spirals", noise, rng)
    label = np.arange(n) % classes
    radius = (np.arange(n) // classes + 1) / -(-n // classes)
    angle = 2 * np.pi * (turns * radius + label / classes)
    return _mixed(np.c_[np.cos(angle), np.sin(angle)] * radius[:, None], label, noise, draw)


@_held
def checkerboard(n: int = 400, squares: int = 4, noise: float = 0.0, rng: Any = None) -> Pair:
    """Points of the unit square, coloured like a board of `squares` x `squares` fields. x (n, 2), y (n,), 0 or 1.

    >>> import tinygrad_math as tm
    >>> x, y = tm.data.checkerboard(50, rng=0)
    >>> bool(((4 * x).astype(int).sum(1) % 2 == y).all())
    True
    """
    _count("checkerboard", n=n, squares=squares)
    draw = _generator("checkerboard", noise, rng)
    x = draw.random((n, 2))
    return x + draw.normal(size=x.shape) * noise, np.floor(x * squares).astype(np.int64).sum(1) % 2


@_held
def sine(n: int = 100, noise: float = 0.1, periods: float = 1.0, rng: Any = None) -> Pair:
    """y = sin(2 pi periods x) + noise at x from 0 to 1. x (n, 1), y (n, 1): shapes that a loss takes as they are.

    >>> import tinygrad_math as tm
    >>> x, y = tm.data.sine(5, noise=0.0)
    >>> y[:, 0].round(3) + 0.0
    array([ 0.,  1.,  0., -1.,  0.])
    """
    _count("sine", n=n)
    draw = _generator("sine", noise, rng)
    x = np.linspace(0, 1, n)[:, None]
    return x, np.sin(2 * np.pi * periods * x) + draw.normal(size=x.shape) * noise


@_held
def two_layer_linear(
    n: int = 64, inputs: int = 4, hidden: int = 3, outputs: int = 2, noise: float = 0.0, rng: Any = None
) -> Pair:
    """y = W2 (W1 x) + noise, for matrices drawn at random: data that a 2-layer linear network fits.

    x (n, inputs) standard normal, y (n, outputs). The map W = W2 W1 has rank min(inputs, hidden, outputs) at most,
    and least squares finds it: with noise 0, `lstsq(x, y)` is W' exactly where n >= inputs.

    >>> import numpy as np, tinygrad_math as tm
    >>> x, y = tm.data.two_layer_linear(rng=0)
    >>> w = np.linalg.lstsq(x, y, rcond=None)[0]
    >>> w.shape, bool(np.allclose(x @ w, y))
    ((4, 2), True)
    """
    _count("two_layer_linear", n=n, inputs=inputs, hidden=hidden, outputs=outputs)
    draw = _generator("two_layer_linear", noise, rng)
    first = draw.normal(size=(hidden, inputs)) / np.sqrt(inputs)
    second = draw.normal(size=(outputs, hidden)) / np.sqrt(hidden)
    x = draw.normal(size=(n, inputs))
    return x, x @ first.T @ second.T + draw.normal(size=(n, outputs)) * noise


@_held
def adding_problem(n: int = 256, length: int = 50, rng: Any = None) -> Pair:
    """Sequences of (number, mark): two places are marked, and y is the sum of their numbers.

    x (n, length, 2), y (n, 1). Hochreiter and Schmidhuber 1997: one mark in each half. Guessing 1 always has a mean
    squared error of 1/6.

    >>> import numpy as np, tinygrad_math as tm
    >>> x, y = tm.data.adding_problem(3, length=6, rng=0)
    >>> bool(np.allclose((x[..., 0] * x[..., 1]).sum(1), y[:, 0]))
    True
    """
    _count("adding_problem", n=n)
    _count("adding_problem", least=2, length=length)
    draw = _generator("adding_problem", 0, rng)
    half, rows = length // 2, np.arange(n)
    x = np.stack([draw.random((n, length)), np.zeros((n, length))], axis=-1)
    x[rows, draw.integers(0, half, n), 1] = 1
    x[rows, draw.integers(half, length, n), 1] = 1
    return x, (x[..., 0] * x[..., 1]).sum(1, keepdims=True)


@_held
def parity(n: int = 256, length: int = 8, rng: Any = None) -> Pair:
    """Sequences of 0 and 1, and at each place whether the ones so far are odd in number.

    x (n, length, 1) float64, y (n, length) int64.

    >>> import tinygrad_math as tm
    >>> x, y = tm.data.parity(2, length=4, rng=1)
    >>> bool((x[..., 0].cumsum(1) % 2 == y).all())
    True
    """
    _count("parity", n=n, length=length)
    bits = _generator("parity", 0, rng).integers(0, 2, (n, length))
    return bits[..., None].astype(np.float64), bits.cumsum(1) % 2
