"""What gives something else each time it is asked: generators of random numbers, iterators."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from types import GeneratorType
from typing import Any

import numpy as np

_STREAMS = (np.random.Generator, np.random.RandomState, np.random.BitGenerator, random.Random, GeneratorType)
_ITERATORS = (np.flatiter, np.nditer, np.ndenumerate, np.ndindex)


def is_stream(x: Any) -> bool:
    if isinstance(x, (*_STREAMS, *_ITERATORS)):
        return True
    return isinstance(x, Iterator) and type(x).__module__ in ("builtins", "itertools")


def state_of(x: Any) -> Any:
    """Where a stream stands, to be compared."""
    if isinstance(x, np.random.Generator):
        return x.bit_generator.state
    if isinstance(x, np.random.BitGenerator):
        return x.state
    if isinstance(x, np.random.RandomState):
        return x.get_state(legacy=False)
    if isinstance(x, random.Random):
        return x.getstate()
    if isinstance(x, GeneratorType):
        frame = x.gi_frame
        return None if frame is None else (frame.f_lasti, [id(v) for v in frame.f_locals.values()])
    if isinstance(x, np.flatiter):
        return x.index
    if isinstance(x, np.ndenumerate):
        return state_of(vars(x)["iter"])
    if hasattr(x, "__length_hint__"):
        return x.__length_hint__()
    if isinstance(x, itertools.count):
        return repr(x)
    return object()  # of cycle(), map(), np.nditer() and others it cannot be told, so that it is not the same as before


def stream_in(x: Any) -> tuple[Any, Any]:
    """The stream that something is, or is a method of (as `numpy.random.normal` is), and where it stands."""
    stream = x if is_stream(x) else x.__self__
    return stream, state_of(stream)


def restore(x: Any, state: Any) -> None:
    """Put a generator of random numbers back; what an iterator has given is gone."""
    if isinstance(x, np.random.Generator):
        x.bit_generator.state = state
    elif isinstance(x, np.random.BitGenerator):
        x.state = state
    elif isinstance(x, np.random.RandomState):
        x.set_state(state)
    elif isinstance(x, random.Random):
        x.setstate(state)


def global_streams() -> list[tuple[str, Any]]:
    """The streams behind `numpy.random.normal()` and `random.random()`."""
    return [("numpy.random", np.random.mtrand._rand), ("random", getattr(random.random, "__self__", None))]
