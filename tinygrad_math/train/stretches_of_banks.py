"""Many steps of many networks in one call of a native program: see `stretches`, whose data and pace these have."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import random
from ..compiler import compile
from ..core.errors import MathError
from ..core.opening import room
from ..core.quiet import ignoring
from ..core.tensor import Tensor
from ..data.loader import Pass, examples, table_of
from ..optim.schedule import goes_by_batches
from ..transforms.loops.functions import as_number, scan_first
from .in_step import in_step, one_of
from .members import Runs
from .side_by_side import Part, filled
from .stretches import Rows, is_native
from .together import Together

Array = np.ndarray[Any, Any]


class Steps(NamedTuple):
    """Steps that were taken in a row: the losses of all networks, a row a step; the examples of each; all batches."""

    losses: Array
    examples: list[int]
    batches: int


def steps_of(runs: Runs, size: int) -> Iterator[Steps]:
    """Go on through a pass over the data, `size` batches a step: in stretches where that can be, else one by one."""
    together, data = runs.together, runs.data
    batches = iter(in_step(data) if isinstance(data, list) else data)
    stretch = _stretch(runs, size) if isinstance(batches, Pass) else None
    if stretch is not None and isinstance(batches, Pass):
        batches.begin()
        stretch.turn(data.order(batches.epoch), stretch.subset)
        step, rest = divmod(batches.done, size)
        while not rest and step < stretch.steps:
            with ignoring():
                losses = stretch.taken(step)
            if losses is None:
                break
            batches.skip(len(losses) * size)
            yield Steps(losses, [stretch.examples] * len(losses), len(losses) * size)
            step += len(losses)
    while part := list(itertools.islice(batches, size)):
        count = sum(examples(one_of(b) if isinstance(data, list) else b) for b in part)
        with ignoring():  # of networks that go astray, which the run tells of
            losses = together(part)[None]
        yield Steps(losses, [count], len(part))


def _stretch(runs: Runs, size: int) -> StretchOfBank | None:
    """Steps of several groups of batches; None where they are to be taken one by one.

    They are taken together natively, on data that all networks share, with numbers that stay in an epoch.
    """
    backend, data = runs.together.backend, runs.data
    if backend not in ("native", "auto") or any(goes_by_batches(s) for s in runs.schedulers):
        return None
    table = None if room("compiler.native").available(backend) == "numpy" else table_of(data)
    if table is None:
        return None
    form, last = (size, data.batch_size), runs.stretch
    if not isinstance(last, StretchOfBank) or not last.fits(table[0], form):
        runs.stretch = last = StretchOfBank(runs.together, table[0], form)
    last.subset = table[1]
    return last


class StretchOfBank(Rows):
    """Steps of one pass over the data, some at a time, of all networks."""

    def __init__(self, bank: Together, arrays: Sequence[Array], form: tuple[int, int]) -> None:
        super().__init__(arrays, form)
        self.bank = bank
        self.subset: Array | None = None  # the rows that are the data, if not all
        self.loops: dict[Any, Callable[..., Any] | None] = {}

    def taken(self, first: int) -> Array | None:
        """The losses of the next steps, which have been taken; None where they are to be taken one by one."""
        state, start = random.shared.state, time.perf_counter()
        count = min(self.count, self.steps - first)
        rows = self._taken(first, count)
        self.bank.divide([tuple(Tensor(x[0, j]) for x in rows) for j in range(self.form[0])])
        try:
            found = [self._part(part, rows, count) for part in self.bank.parts]
        except MathError:  # which the steps one by one will raise, where it belongs
            found = [None]
        done = [f for f in found if f is not None]
        if len(done) < len(found):
            random.shared.state = state
            return None
        for part, ((params, states, buffers), _) in zip(self.bank.parts, done, strict=True):
            part.params, part.buffers = filled(params, part.params), filled(buffers, part.buffers)
            weak = _numbers(part)
            part.states = {
                n: {k: v.item() if (n, k) in weak else v.node.data for k, v in state.items()}
                for n, state in states.items()
            }
        self.went(count, time.perf_counter() - start)
        return np.concatenate([losses.numpy()[:count] for _, losses in done], axis=1)

    def _part(self, part: Part, rows: tuple[Array, ...], count: int) -> Any:
        """What the steps make of these networks' numbers, and their losses; None where there is no native program."""
        weak = _numbers(part)
        key = (self.bank.one.model_mode(), tuple(self.bank.switches), part.size, tuple(sorted(weak)))
        states = {n: {k: np.float64(v) if (n, k) in weak else v for k, v in s.items()} for n, s in part.states.items()}
        given = part.params, states, part.buffers, part.fixed, part.hypers
        if key not in self.loops:
            self.loops[key] = None  # if it cannot be made
            f = compile(self._steps(weak, part.size), backend="native")
            f(*given, np.int64(0), rows)
            if is_native(f) and not any(getattr(v.op, "random", False) for v in f._latest.program.body):
                self.loops[key] = f
        program = self.loops[key]
        return None if program is None else program(*given, np.int64(count), rows)

    def _steps(self, weak: set[tuple[str, str]], many: int) -> Callable[..., Any]:
        """The steps as a function of all numbers."""
        step, size = self.bank.step(), self.form[0]

        def steps(params: Any, states: Any, buffers: Any, fixed: Any, hypers: Any, count: Any, rows: Any) -> Any:
            def one(carry: Any, row: Any) -> Any:
                params, states, buffers = carry
                states = {
                    n: {k: as_number(v) if (n, k) in weak else v for k, v in state.items()}
                    for n, state in states.items()
                }
                batches = tuple(tuple(x[j] for x in row) for j in range(size))
                new, after, buffers, loss = step(params, states, buffers, fixed, hypers, batches)
                return (new, after, buffers), loss + np.zeros(many, loss.dtype)

            return scan_first(one, (params, states, buffers), rows, count)

        return steps


def _numbers(part: Part) -> set[tuple[str, str]]:
    """Which of the states are numbers that all networks share."""
    return {(n, k) for n, state in part.states.items() for k, v in state.items() if type(v) is float}
