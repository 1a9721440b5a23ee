"""The generator that the functions of this room share, and the block in which a thread has a stream of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..compiler.trace import tracing
from ..core.arguments import named
from ..core.errors import ArgumentError, DTypeError, TraceError, describe
from ..core.mode import watcher
from ..core.tensor import Tensor, as_tensor
from .generator import Generator, stream


class _Holder:
    """A stream that begins when it is first asked for."""

    def __init__(self, seed: Any) -> None:
        self.seed = seed
        self.numpy: np.random.Generator | None = None
        self.begun = False  # whether something was drawn of the seed, and of none that was set since


class _Own(threading.local):
    """The block that a thread is in. No context variable: compiled functions run in a context of theirs."""

    holder: _Holder | None = None


_OWN = _Own()


class _Shared(Generator):
    """The generator of this module: within `own_stream` that block's, elsewhere one for all threads."""

    @property
    def numpy(self) -> np.random.Generator:
        own = _OWN.holder
        if own is None:
            return self._common
        if own.numpy is None:
            own.numpy, own.begun = np.random.default_rng(own.seed), True
        return own.numpy

    @numpy.setter
    def numpy(self, generator: np.random.Generator) -> None:
        own = _OWN.holder
        if own is None:
            self._common = generator
        else:
            own.numpy = generator

    def __reduce__(self) -> str:
        return "shared"  # in another process, too, what it draws is that process's to say


@contextmanager
def own_stream(seed: Any) -> Iterator[Callable[[], bool]]:
    """What this thread draws from this module within the block comes of `seed` alone; it gives whether it did."""
    holder, outer = _Holder(seed), _OWN.holder
    _OWN.holder = holder
    try:
        yield lambda: holder.begun
    finally:
        _OWN.holder = outer


shared = _Shared()


def source(rng: Any, made: str) -> np.random.Generator:
    """NumPy's generator for what is made once: of a Generator, of a seed or, without one, the one of this module.

    Raises TraceError where a program would have what was drawn when it was traced.
    """
    if rng is None or isinstance(rng, Generator):
        own = shared if rng is None else rng
        if tracing() and own.made_in is not watcher():
            raise TraceError(
                f"{made} within a function that is being compiled, and a program would have what was drawn once. "
                "Do it outside, or give it a seed: rng=0"
            )
        return own.numpy
    try:
        return stream(rng)
    except DTypeError:
        raise ArgumentError(
            f"{made}, but rng is a Generator of NumPy's or ours, or a seed, got {describe(rng)}"
        ) from None


def rand(*shape: int) -> Tensor:
    """Uniform numbers in [0, 1) of a shape given by its lengths, as NumPy's and PyTorch's `rand(2, 3)`.

    >>> import tinygrad_math as tm
    >>> tm.random.rand(2, 3).shape
    (2, 3)
    """
    return shared.random(shape)


def randn(*shape: int) -> Tensor:
    """Numbers of the standard normal distribution of a shape given by its lengths, as `randn(2, 3)` elsewhere.

    >>> import tinygrad_math as tm
    >>> tm.random.randn(2, 3).shape
    (2, 3)
    """
    return shared.standard_normal(shape)


@named
def rand_like(input: Any, dtype: Any = None) -> Tensor:
    """Uniform numbers in [0, 1) in the shape and dtype of x, or the dtype given: float32 or float64.

    Raises ArgumentError for another one.

    >>> import tinygrad_math as tm
    >>> tm.random.rand_like(tm.ones((2, 3))).shape
    (2, 3)
    """
    x = as_tensor(input)
    return shared.random(x.shape, dtype or x.dtype)


@named
def randn_like(input: Any, dtype: Any = None) -> Tensor:
    """Numbers of the standard normal distribution in the shape and dtype of x. Raises ArgumentError as `rand_like`.

    >>> import tinygrad_math as tm
    >>> tm.random.randn_like(tm.ones((2, 3))).shape
    (2, 3)
    """
    x = as_tensor(input)
    return shared.standard_normal(x.shape, dtype or x.dtype)
