"""How an optimiser's rule is run on arrays: as it is for few numbers, and for many as a program.

The program writes into the memory of the parameters and their states, and allocates nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from ..compiler.cache import Compiled
from ..core.errors import DTypeError, ShapeError, TraceError, describe
from ..core.gradients import gradient_of
from ..core.mode import no_grad
from ..core.op import raw
from ..core.tensor import Tensor, rec
from .laid_out import Row as Row
from .laid_out import State as State
from .laid_out import laid_out

_NO_STATE: State = {}
_Array = np.ndarray
SMALL = 1 << 18  # bytes: below, the way into a compiled program costs more than it saves
_SHARED = frozenset(("maximize", "weight_decay"))  # what `Optimizer._whole` sees to, so that a rule need not


class Hyper(dict[str, Any]):
    """The numbers of a parameter group by name. `on` are the names of the switches that are on, and of the numbers that
    are not 0: what a rule may decide by, where a number itself may not be known yet."""

    on: frozenset[str] = frozenset()


def hyper(group: Mapping[str, Any]) -> Hyper:
    """The hyperparameters of a group, the numbers as plain floats, which take on the dtype of what they meet."""
    numbers, on = Hyper(), set()
    for name, value in group.items():
        if name == "initial_lr":  # a scheduler's note, which no rule reads
            continue
        if isinstance(value, bool):
            if value:
                on.add(name)
        elif isinstance(value, (int, float, np.number)):
            numbers[name] = float(value)
            if value:
                on.add(name)
        elif isinstance(value, tuple):
            numbers[name] = tuple(map(float, value))
    numbers.on = frozenset(on)
    return numbers


class Ruled(Protocol):
    """An optimiser, as far as its steps need it."""

    state: dict[Tensor, State]
    _ours: bool
    _elementwise: bool
    _laid: dict[int, tuple[list[Any], State]]
    _programs: dict[frozenset[str], Program]

    def start(self, xp: Any, p: Any, h: Hyper) -> State: ...
    def _rate(self, h: Hyper) -> Any: ...
    def rule(self, xp: Any, p: Any, g: Any, state: State, h: Hyper) -> tuple[Any, State]: ...
    def _whole(self, xp: Any, p: Any, g: Any, state: State, h: Hyper) -> tuple[Any, State]: ...
    def bare(self) -> Ruled: ...


def is_small(params: Sequence[Tensor]) -> bool:
    """Whether the rule itself is faster than a program."""
    size: int = sum([p.node.data.nbytes for p in params])
    return size < SMALL


def filled(xp: Any, p: Any, value: float) -> Any:
    """A number at every place of a parameter, in the real and in the imaginary part."""
    return xp.zeros_like(p) + (complex(value, value) if p.dtype.kind == "c" else value)


# -- few numbers --------------------------------------------------------------------------------------
def by_hand(optimizer: Ruled, params: Sequence[Tensor], h: Hyper) -> list[Row]:
    """The rule itself, parameter after parameter, for those that have a gradient."""
    bare = h.on.isdisjoint(_SHARED)
    rate = optimizer._rate(h) if bare and optimizer._ours else None
    if rate is not None:
        quick = _downhill(rate, params)
        if quick is not None:
            return quick
    rule = optimizer.rule if bare else optimizer._whole
    if optimizer._elementwise and optimizer._ours:
        laid = laid_out(optimizer, rule, params, h)
        if laid is not None:
            return laid
    known, rows, ours, fresh = optimizer.state.get, [], optimizer._ours, None
    for p in params:
        a, g = p.node.data, gradient_of(p)
        if g is None:
            continue
        dtype = a.dtype
        if g.shape != a.shape or g.dtype is not dtype:
            check_gradient(a, g)
        state = known(p)
        if state is None:
            if fresh or fresh is None or not ours:  # else the rule has no state, whatever the parameter
                fresh = optimizer.start(raw, a, h)
            state = fresh
        new, after = (optimizer._whole if dtype.kind == "c" else rule)(raw, a, g, state, h)
        if new.dtype is not dtype:
            new = alike(raw, new, a)
        if after:
            after = {name: alike(raw, v, state.get(name)) for name, v in after.items()}
        rows.append((p, new, after))
    return rows


def _downhill(rate: float, params: Sequence[Tensor]) -> list[Row] | None:
    """p - rate g, parameter after parameter; None where one, or its gradient, is of another dtype or shape."""
    rows: list[Row] = []
    dtype = scale = None
    for p in params:
        g = getattr(p, "_grad", None)
        if g is None:
            continue
        if g.__class__ is not _Array:
            g = gradient_of(p)
        a = p.node.data
        if a.dtype is not dtype:
            dtype = a.dtype
            scale = np.array(rate, dtype)  # which a ufunc takes faster than a Python number
            if dtype.char not in "fd":
                return None
        if g.dtype is not dtype or g.shape != a.shape:
            return None
        rows.append((p, a - g * scale, _NO_STATE))
    return rows


# -- many numbers -------------------------------------------------------------------------------------
def with_gradients(params: Sequence[Tensor]) -> list[tuple[Tensor, Any]]:
    """The parameters that have a gradient, with it. Raises where it does not belong to its parameter."""
    pairs = []
    for p in params:
        g = gradient_of(p)
        if g is not None:
            check_gradient(p.node.data, g)
            pairs.append((p, g))
    return pairs


def by_program(optimizer: Ruled, pairs: Sequence[tuple[Tensor, Any]], h: Hyper) -> list[Row]:
    """All parameters in one program."""
    hidden: list[tuple[int, Tensor]] = []
    ps: list[Any] = []
    gs: list[Any] = []
    states: list[State] = []
    for p, g in pairs:
        array, state = _own(p), optimizer.state.get(p)
        if state is None:
            state = optimizer.start(raw, array, h)
        hidden.append((len(ps), p))
        ps.append(array)
        gs.append(g)
        states.append(state)
    array = state = None  # names more would look like somebody who needs the old values
    found = _alone(optimizer, hidden, ps, gs, states, h)
    return [(p, _array(new), state and _each(_array, state)) for (p, _), (new, state) in zip(pairs, found, strict=True)]


def _alone(
    optimizer: Ruled, hidden: list[tuple[int, Tensor]], ps: list[Any], gs: list[Any], states: list[State], h: Hyper
) -> Any:
    """The program writes into an array that nobody but its arguments knows: meanwhile the parameters let go."""
    if h.on not in optimizer._programs:
        optimizer._programs[h.on] = Program(optimizer, h.on)
    try:
        for _, p in hidden:
            p.node.data = None
            optimizer.state.pop(p, None)
        return optimizer._programs[h.on](ps, gs, states, dict(h))
    finally:
        for k, p in hidden:
            p.node.data, optimizer.state[p] = ps[k], states[k]


class Program:
    """A rule with its switches set, over lists. Compiled, it writes into the arrays of the parameters and their states.

    A rule that looks at values runs as it is.
    """

    def __init__(self, optimizer: Ruled, on: frozenset[str]) -> None:
        self.optimizer, self.on = optimizer, on
        own = type(optimizer).__module__.startswith(__package__ or "")  # our rules depend on their arguments only
        self.run: Callable[..., Any] = Compiled(self._with(rec), donate_argnums=(0, 2), alone=own)

    def _with(self, xp: Any) -> Callable[..., Any]:
        whole, on = self.optimizer.bare()._whole, self.on

        def rules(ps: Any, gs: Any, states: list[State], numbers: dict[str, Any]) -> Any:
            h = Hyper(numbers)
            h.on = on
            return [whole(xp, p, g, state, h) for p, g, state in zip(ps, gs, states, strict=True)]

        return rules

    def __call__(self, ps: Any, gs: Any, states: list[State], numbers: dict[str, Any]) -> Any:
        try:
            with no_grad():
                return self.run(ps, gs, states, numbers)
        except TraceError:
            self.run = self._with(raw)
            return self.run(ps, gs, states, numbers)


def _each(f: Callable[[Any], Any], state: State) -> State:
    return {name: f(v) for name, v in state.items()}


def _array(x: Any) -> Any:
    return x.node.data if isinstance(x, Tensor) else x


def _own(p: Tensor) -> Any:
    """The array of a parameter, which may be written to: a copy where somebody else looks at it."""
    array = p.node.data
    if not isinstance(array, np.ndarray):
        return np.array(array)
    alone = sys.getrefcount(array) <= _ALONE and array.base is None and array.flags.writeable
    return array if alone else array.copy()


def _references() -> int:
    p = Tensor([0.0])
    array = p.node.data
    return sys.getrefcount(array)


_ALONE = _references()  # what `_own` counts of an array that only its Tensor knows


# -- what all ways share --------------------------------------------------------------------------------
def check_gradient(p: Any, g: Any) -> None:
    if g.shape != p.shape:
        raise ShapeError(f"a gradient {describe(g)} for a parameter {describe(p)}")
    if g.dtype.kind == "c" and p.dtype.kind != "c":
        raise DTypeError(f"a gradient {describe(g)} for a parameter {describe(p)}: an imaginary part would be lost")


def alike(xp: Any, new: Any, old: Any) -> Any:
    """A new value in the dtype of the old one."""
    if getattr(new, "dtype", None) is getattr(old, "dtype", None):
        return new
    if not hasattr(old, "dtype") or not hasattr(new, "dtype") or new.dtype == old.dtype or old.dtype.kind not in "fc":
        return new
    if new.dtype.kind == "c" and old.dtype.kind != "c":
        raise DTypeError(f"the rule made {describe(new)} of {describe(old)}: an imaginary part would be lost")
    return xp.astype(new, old.dtype)
