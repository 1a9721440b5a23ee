"""Inputs on which an op is tested, as they stand in its declaration. Deterministic, made when asked for."""

from __future__ import annotations

import functools
import zlib
from typing import Any

import numpy as np


class Sample:
    """Arguments and parameters of one call. `smooth`: the derivative exists here and finite differences find it."""

    def __init__(self, *args: Any, smooth: bool = True, **params: Any) -> None:
        self.args, self.params, self.smooth = args, params, smooth

    def __repr__(self) -> str:
        shapes = ", ".join(f"{np.asarray(a).dtype}{np.shape(a)}" for a in self.args if not isinstance(a, (list, tuple)))
        return f"({shapes or len(self.args)}{''.join(f', {k}={v!r}' for k, v in self.params.items())})"


sample = Sample


def real(*shape: int, low: float = -2.0, high: float = 2.0, key: Any = 0) -> np.ndarray[Any, Any]:
    """Numbers spread evenly over an interval, in an order that depends on `key`: distinct, so without ties."""
    return _spread(repr((shape, low, high, key)), shape, low, high).copy()


@functools.cache
def _spread(seed: str, shape: tuple[int, ...], low: float, high: float) -> np.ndarray[Any, Any]:
    """The numbers of `real`, which draws them once: samples are asked for again and again."""
    n = int(np.prod(shape, dtype=int))
    rng = np.random.default_rng(zlib.crc32(seed.encode()))
    points = low + (high - low) * (np.arange(n) + rng.uniform(0.25, 0.75, n)) / max(n, 1)
    return np.asarray(rng.permutation(points).reshape(shape))


def positive(*shape: int, key: Any = 0) -> np.ndarray[Any, Any]:
    return real(*shape, low=0.3, high=2.5, key=key)


def complexes(*shape: int, key: Any = 0) -> np.ndarray[Any, Any]:
    return real(*shape, key=(key, "re")) + 1j * real(*shape, key=(key, "im"))


def whole_plane(*further: Sample) -> list[Sample]:
    """For an op of any one number, complex ones too: a matrix, a number, nothing, complex numbers, and further ones."""
    return [Sample(real(2, 3)), Sample(real()), Sample(real(0, 2)), Sample(complexes(3)), *further]


def domain_samples(arity: int, domain: Any, holomorphic: bool) -> list[Sample]:
    """The usual shapes for an elementwise op: vector, matrix, 0-d, empty, broadcast, float32, complex."""
    domains = [domain] * arity if not isinstance(domain[0], tuple) else list(domain)
    if arity == 1:
        shapes: list[tuple[tuple[int, ...], ...]] = [((4,),), ((2, 3),), ((),), ((0, 2),), ((1, 1, 2),)]
    else:
        first = [(3,), (2, 3), (2, 1), (), (0, 2), (3,)]
        second = [(3,), (3,), (1, 3), (2,), (1, 2), ()]
        shapes = [(a, b, *([()] * (arity - 2))) for a, b in zip(first, second, strict=True)]
    out = [
        Sample(*(real(*s, low=lo, high=hi, key=k) for k, (s, (lo, hi)) in enumerate(zip(row, domains, strict=True))))
        for row in shapes
    ]
    if holomorphic:
        out.append(Sample(*(0.4 * complexes(3, key=k) + 0.5 * (lo + hi) for k, (lo, hi) in enumerate(domains))))
    return out
