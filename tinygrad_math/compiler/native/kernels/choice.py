"""Which loop is the faster one here, ours or NumPy's (SciPy's): measured once in a process, when first asked."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..assembly import lacking, once

if TYPE_CHECKING:
    from .assembled import Assembled

NAMES = ("cos", "erf", "exp", "expit", "expm1", "log", "log1p", "sin", "softplus", "tanh")
DTYPES = ("float64", "float32")
NUMBERS = 2048  # as many as are measured
REPEATS = 60
GAIN = 0.8  # ours are taken where they need less than this part of the time: the choice should be the same each time

_lock = threading.RLock()
_loops: dict[tuple[str, str], Assembled | None] = {}
_chosen: dict[tuple[str, str], int | None] = {}


def kernel(name: str, dtype: np.dtype[Any]) -> int | None:
    """The address of our inner loop for a function where it is faster here than NumPy's, else None.

    `name` is one of NAMES; the loop is called as NumPy calls those of a ufunc of one argument, `void loop(char **args,
    npy_intp const *dims, npy_intp const *strides, void *data)`, holds no Python object, needs no alignment, and may
    write over its input where both lie at the same places. None also for other names and dtypes, without llvmlite 0.45
    or newer, and on a processor that has no fused multiply-add. The first call for a name takes a hundredth of a second
    or two; where both loops are about as fast, the choice may be another one in another process.

    >>> kernel("gamma", np.dtype(np.float64)) is None
    True
    """
    key = name, dtype.str  # with the order of its bytes
    try:
        return _chosen[key]
    except KeyError:
        with _lock:
            if key not in _chosen:
                address = loop(name, dtype)
                _chosen[key] = address if address and _is_faster(address, name, dtype) else None
            return _chosen[key]


def loop(name: str, dtype: np.dtype[Any]) -> int | None:
    """The address of our loop, faster or not; None where there is none."""
    key = name, dtype.name
    if name not in NAMES or dtype.name not in DTYPES or not dtype.isnative or not is_possible():
        return None
    with _lock:
        if key not in _loops:
            _loops[key] = _assembled(*key)
        found = _loops[key]
    return found.address if found else None


class Theirs(NamedTuple):
    """A loop of NumPy's: its address, its data, and whether its second operand is a 0 (of logaddexp, for softplus)."""

    address: int
    data: int
    zero: bool


def checked(name: str, dtype: np.dtype[Any], theirs: Theirs | None) -> int | None:
    """The address of our loop for a ufunc, which leaves the processor's flags as NumPy's loop does.

    None where NumPy's is as fast, or there is none. Without NumPy's loop, one that is part of no choice (kernels.fused)
    and leaves the flags as they were.
    """
    if not is_possible():
        return None
    found = _checked(name, dtype.name, theirs)
    return found.address if theirs is None or _is_faster(found.address, name, dtype) else None


@once
def _checked(name: str, dtype: str, theirs: Theirs | None) -> Assembled:
    from .assembled import assemble

    return assemble(name, dtype, checked=True, theirs=theirs)


@once
def _assembled(name: str, dtype: str) -> Assembled:
    from .assembled import assemble

    return assemble(name, dtype)


@once
def is_possible() -> bool:
    """Whether there are loops of ours here: llvmlite, new enough, and a fused multiply-add."""
    if lacking():
        return False
    from .assembled import is_possible as is_there

    return is_there()


def theirs(name: str) -> Callable[..., Any]:
    """The function that ours is measured against: of NumPy or SciPy, `f(x, out)`."""
    if name == "softplus":
        return lambda x, out: np.logaddexp(x, 0, out)
    if name in ("erf", "expit"):
        import scipy.special

        return getattr(scipy.special, name)  # type: ignore[no-any-return]
    return getattr(np, name)  # type: ignore[no-any-return]


def call_of(address: int, x: Any, out: Any) -> Callable[[], Any]:
    """A call of a loop on two arrays of one dimension, made ready."""
    word, pointer = ctypes.c_ssize_t, ctypes.c_void_p
    places, steps = (pointer * 2)(x.ctypes.data, out.ctypes.data), (word * 2)(*x.strides, *out.strides)
    function = ctypes.CFUNCTYPE(None, *[pointer] * 4)(address)
    sizes = (word * 1)(x.size)
    return lambda: function(places, sizes, steps, None)


def _is_faster(address: int, name: str, dtype: np.dtype[Any]) -> bool:
    ours, other = nanoseconds(address, name, dtype)
    return ours < GAIN * other


def nanoseconds(address: int, name: str, dtype: np.dtype[Any], repeats: int = REPEATS) -> tuple[float, float]:
    """The time of an element, ours and theirs: the least of interleaved repeats, less a call of one number."""
    x = np.linspace(0.03, 4.0, NUMBERS).astype(dtype)
    x[1::2] *= -1 if name not in ("log", "log1p") else 1
    out, other = np.empty_like(x), theirs(name)
    some = [(x[:1], out[:1]), (x, out)]
    calls = [call_of(address, *pair) for pair in some] + [lambda pair=pair: other(*pair) for pair in some]
    best = [np.inf] * len(calls)
    for _ in range(repeats):
        for k, call in enumerate(calls):
            start = time.perf_counter_ns()
            call()
            best[k] = min(best[k], time.perf_counter_ns() - start)
    return (best[1] - best[0]) / (NUMBERS - 1), (best[3] - best[2]) / (NUMBERS - 1)
