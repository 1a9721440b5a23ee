"""Which loops the ops call where nothing is compiled: NumPy's, or this package's own in machine code."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from ..core.arguments import named
from ..core.errors import ArgumentError, MathError, describe
from ..core.op import Op, raw, registry
from ..core.quiet import in_one_step

KERNELS = ("numpy", "native")
BLOCK = 1 << 22  # bytes
_MADE_OF_THEM = ("log_softmax", "logsumexp", "soft_shares", "softmax", "softplus")
_SLOPES = {"expit": "sigmoid_slope", "sigmoid": "sigmoid_slope", "tanh": "tanh_slope"}
_Array, _FLOAT, _SINGLE, _DTYPES = np.ndarray, np.float64, np.float32, frozenset(map(np.dtype, "df"))
_FLAT = 6.0  # nearer to 0, a slope is what the value tells


class Calls(NamedTuple):
    """What an op calls: its forward, which `raw` has too, and its derivative."""

    forward: Callable[..., Any]
    plain: Callable[..., Any]
    vjp: Callable[..., Any] | None


class Switch:
    """The loops in use, by name."""

    def __init__(self) -> None:
        self.name = "numpy"
        self.calls: dict[str, dict[Op, Calls]] = {}  # for each of KERNELS, once it is known
        self.lock = threading.RLock()

    def turn(self, kernels: str) -> str:
        """Let ops call these from now on. Returns the name of those before."""
        with self.lock:
            before = self.name
            if kernels != before:
                if not self.calls:
                    self.calls = _both()
                    _keep_memory()
                ops, calls = zip(*self.calls[kernels].items(), strict=True)
                parts = {part: [getattr(c, part) for c in calls] for part in ("forward", "vjp")}
                in_one_step(
                    *(map(setattr, ops, [part] * len(ops), values) for part, values in parts.items()),
                    map(vars(raw).__setitem__, [op.name for op in ops], [c.plain for c in calls]),
                    map(setattr, [self], ["name"], [kernels]),
                )()
            return before


SWITCH = Switch()


@named
def set_kernels(kernels: str) -> str:
    """Let eager ops call NumPy's inner loops, "numpy" (as they do without this function), or "native" ones.

    Arguments: `kernels` "numpy" or "native". Returns the name of those before.
    With "native", exp, expm1, log, log1p, sin, cos, tanh, sigmoid (expit), erf, softplus, softmax, log_softmax and
    logsumexp, and the derivatives that use them, compute float64 and float32 by vector kernels of this package, each
    where it needs less than four fifths of the time of NumPy's (SciPy's) loop on this machine: that is measured once in
    a process, when it is first asked for, which takes a second or two. Derivatives of tanh and sigmoid are one pass.
    Results are within two units in the last place of the right ones, as with `compile(backend="native")`. What
    `np.errstate` hears is the same, less the underflows that NumPy reports of normal results. The same call gives the
    same bits until this function is called again, and "numpy" gives those of before. Two loops that are about as fast
    may be chosen differently in another process.
    It holds for the whole process, all of its threads, and what is forked from it; one that is spawned begins with
    "numpy". What is compiled calls NumPy's loops, or those of its backend, in any case; only its constants are computed
    anew.
    Raises ArgumentError for another name; MissingExtra where llvmlite is not installed (the extra `native`), and
    MathError where the processor has no fused multiply-add, or llvmlite is older than 0.45.

    >>> import tinygrad_math as tm
    >>> tm.set_kernels("numpy")
    'numpy'
    """
    if type(kernels) is not str or kernels not in KERNELS:
        raise ArgumentError(f"set_kernels: kernels is one of 'numpy', 'native', got {describe(kernels)}")
    return SWITCH.turn(kernels)


def _keep_memory() -> None:
    """glibc keeps as much freed memory as twice the largest block that it has mapped and was given back; at first it
    is next to none, and the loading of LLVM may leave the heap so that a step's arrays are mapped anew each time, which
    takes an eighth of an LSTM's gradient."""
    np.empty(BLOCK, np.uint8)


def _both() -> dict[str, dict[Op, Calls]]:
    """What ops call for each of KERNELS."""
    from .native import assembly, machine, ufuncs
    from .native.kernels import NAMES, choice

    assembly.needed('set_kernels("native")')
    if not (machine.is_possible() and choice.is_possible()):
        raise MathError(
            'set_kernels("native") needs a processor with a fused multiply-add, llvmlite 0.45 or newer, and a CPython '
            'with a lock; here is "numpy" alone'
        )
    ours = {name: ufunc for name in NAMES if (ufunc := ufuncs.faster(name)) is not None}
    changed: dict[str, Callable[..., Any]] = {}
    for name in {*ours, "sigmoid"} - {"softplus"}:
        ufunc, plain = ours.get("expit" if name == "sigmoid" else name), getattr(raw, name)  # which opens its room
        if ufunc is not None:
            changed[name] = ufunc if isinstance(plain, np.ufunc) else _of_floats(ufunc, plain)
    others = SimpleNamespace(exp=np.exp, log=np.log, log1p=np.log1p, softplus=raw.softplus)
    vars(others).update({name: changed.get(name, f) for name, f in vars(others).items()})
    if "softplus" in ours:
        others.softplus = _of_floats(ours["softplus"], others.softplus)
    for name in _MADE_OF_THEM:
        getattr(raw, name)
        changed[name] = registry[name].over(others)
    slopes = {name: ufuncs.fused(f"times_{slope}") for name, slope in _SLOPES.items() if name in changed}
    for slope in {_SLOPES[name] for name in slopes}:
        changed[slope] = _of_floats(ufuncs.fused(slope), getattr(raw, slope))
    numpys, native = {}, {}
    for name, forward in changed.items():
        op = registry[name]
        numpys[op] = Calls(op.forward, getattr(raw, name), op.vjp)
        native[op] = Calls(forward, forward, _sloped(slopes[name], op.vjp) if name in slopes else op.vjp)
    return {"numpy": numpys, "native": native}


def _of_floats(ufunc: Any, plain: Callable[..., Any]) -> Callable[..., Any]:
    """The ufunc for arrays and NumPy numbers of dtypes that it has loops for; for all else the function as it was."""
    known = frozenset(np.dtype(types[0]) for types in ufunc.types)  # whose members are not asked whether None is one
    if ufunc.nin == 1:
        return lambda x: ufunc(x) if getattr(x, "dtype", None) in known else plain(x)
    return lambda y, x: ufunc(y, x) if getattr(y, "dtype", None) in known else plain(y, x)


def _sloped(times_slope: Any, usual: Any) -> Callable[..., Any]:
    """The vjp of an op of one argument, in one pass over plain arrays; of a number near 0, as it was."""

    def vjp(xp: Any, need: Any, g: Any, y: Any, x: Any) -> Any:
        if xp is raw:
            kind = y.__class__
            if kind is _Array:
                if y.dtype in _DTYPES:
                    return (times_slope(g, y, x),)
            elif kind is _SINGLE or (kind is _FLOAT and not -_FLAT < x < _FLAT):
                return (times_slope(g, y, x),)
        return usual(xp, need, g, y, x)

    return vjp


def _fresh_lock() -> None:
    """In a forked child, no thread is left that would release it."""
    SWITCH.lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_fresh_lock)
