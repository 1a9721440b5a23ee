"""Many steps of training in one call: where nothing has to be reported in between, the loop over the batches is part
of the program, and the rows of several batches are taken out of the data at once.

A step computes the same in whatever stretch it lies, so that a run that was stopped and goes on ends where an unbroken
one ends. How long a stretch is goes by the clock: after each a run looks for Ctrl-C.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from operator import is_
from typing import Any

import numpy as np

from .. import random
from ..compiler import compile
from ..compiler.passes.ahead import MOST
from ..compiler.passes.loops import Repeated
from ..core.errors import MathError
from ..core.opening import room
from ..core.tree import flatten, tree_map, unflatten
from ..data.loader import Pass, table_of
from ..optim.schedule import after_batch, goes_by_batches
from ..optim.stepping import Hyper, hyper
from ..transforms.loops.functions import as_number, scan_first
from .callbacks import Callback
from .run import grouped
from .steps import Compiled, Going, Took, _array

SECONDS = 0.2  # that a stretch takes, so that Ctrl-C is answered soon
ROOM = 1 << 21  # bytes of a stretch's data: what the caches hold


class Stretched(Compiled):
    """Steps as programs: those on full batches in programs of several, where that can be, the others one by one."""

    def __init__(self, *given: Any, backend: str = "numpy") -> None:
        super().__init__(*given, backend=backend)
        self.loops: dict[Any, Callable[..., Any] | None] = {}  # None where the steps go one by one
        self.stretch: Stretch | None = None

    def going(self, run: Going, size: int) -> Iterator[Took]:
        table = None if any(map(_watches_steps, run.callbacks)) else table_of(run.loader)
        batches = run.passed()
        if table is not None and isinstance(batches, Pass):
            batches.begin()
            form = size, run.loader.batch_size
            if self.stretch is None or not self.stretch.fits(table[0], form):
                self.stretch = Stretch(self, table[0], form)
            stretch = self.stretch
            stretch.turn(run.loader.order(batches.epoch), table[1])
            step, rest = divmod(batches.done, size)
            while not rest and step < stretch.steps:
                losses = stretch(step, run.scheduler)
                if losses is None:
                    break
                count = len(losses)
                batches.skip(count * size)
                yield Took(losses, [stretch.examples] * count, count * size, told=True)
                step += count
        yield from self.one_by_one(grouped(batches, size))


def _watches_steps(c: Callback) -> bool:
    return type(c).on_batch_end is not Callback.on_batch_end or "on_batch_end" in vars(c)


class Rows:
    """The rows of one pass over the data, some steps at a time."""

    def __init__(
        self, arrays: Sequence[np.ndarray[Any, Any]], form: tuple[int, int], orders: tuple[int, ...] = ()
    ) -> None:
        """Batches are rows of the `arrays`; the `form` of a step is how many batches, of how many rows each.

        `orders` says how many there are side by side: that of each of some networks, or of one alone.
        """
        self.arrays, self.form, self.orders = arrays, form, orders
        self.examples = form[0] * form[1]
        nbytes = sum(a[:1].nbytes for a in arrays) * self.examples * math.prod(orders)
        self.most = min(ROOM // max(nbytes, 1), len(arrays[0]) // self.examples)
        self.count = 1  # steps that the next stretch takes
        self.room: list[np.ndarray[Any, Any]] = []

    def fits(self, arrays: Sequence[np.ndarray[Any, Any]], form: tuple[int, int]) -> bool:
        same = len(arrays) == len(self.arrays) and all(map(is_, arrays, self.arrays))
        return same and form == self.form

    def turn(self, order: np.ndarray[Any, Any], kept: np.ndarray[Any, Any] | None) -> None:
        """The rows in the order of a pass; `kept` are those that a subset has."""
        self.rows = order if kept is None else kept[order]
        there = self.most > 1 and self.rows.min() >= 0 and self.rows.max() < len(self.arrays[0])
        self.steps = self.rows.shape[-1] // self.examples if there else 0

    def draw_less(self, program: Any) -> None:
        """Let there be fewer steps at once, where those of a compiled function draw too much to draw it ahead."""
        for v in program._latest.program.body:
            if isinstance(v.op, Repeated) and v.op.random:
                each = sum(np.asarray(s.drawn).nbytes for s in v.op.loop.body.steps if s.random)
                self.most, self.room = min(self.most, MOST // max(each, 1)), []

    def went(self, count: int, seconds: float) -> None:
        """So many steps took so long: how many the next stretch takes."""
        quickly = int(SECONDS / max(seconds / count, 1e-9))
        self.count = max(1, min(quickly, 8 * self.count, self.most))

    def _taken(self, first: int, count: int) -> tuple[np.ndarray[Any, Any], ...]:
        """The rows of so many steps, in arrays with room for as many as there may be."""
        if not self.room:
            shape = (self.most, self.form[0], *self.orders, self.form[1])
            self.room = [np.zeros((*shape, *a.shape[1:]), a.dtype) for a in self.arrays]
        rows = self.rows[..., first * self.examples : (first + count) * self.examples]
        rows = rows.reshape(*self.orders, count, *self.form)
        rows = np.moveaxis(rows, 0, 2) if self.orders else rows  # what is side by side lies within a batch
        for a, own in zip(self.arrays, self.room, strict=True):
            np.take(a, rows, 0, own[:count], "clip")
        return tuple(self.room)


class Stretch(Rows):
    """Steps of one pass over the data, some at a time."""

    def __init__(self, of: Stretched, arrays: Sequence[np.ndarray[Any, Any]], form: tuple[int, int]) -> None:
        super().__init__(arrays, form)
        self.of = of

    def __call__(self, first: int, scheduler: Any) -> list[float] | None:
        """The losses of the next steps, which have been taken; None where they are to be taken one by one."""
        of, most = self.of, self.most
        of.look()
        per_step = goes_by_batches(scheduler)
        groups = of.optimizer.param_groups
        before = [{k: v for k, v in group.items() if k != "params"} for group in groups]
        place = scheduler.state_dict() if per_step else None
        state = random.shared.state
        numbers = _ahead(groups, scheduler, min(self.count, self.steps - first))
        switches = tuple(h.on for h in numbers[0])
        try:
            program = self._program(switches, numbers, per_step)
            start = time.perf_counter()
            losses = None if program is None else self._run(program, first, numbers, per_step)
            took = time.perf_counter() - start
        except MathError:  # which the steps one by one will raise, where it belongs
            losses = None
        if losses is None:
            random.shared.state = state
            for group, old in zip(groups, before, strict=True):
                group.update(old)
            if per_step:
                scheduler.load_state_dict(place)
            return self(first, scheduler) if 1 < self.most < most else None
        self.went(len(losses), took)
        return losses

    def _program(self, switches: Any, numbers: Any, per_step: bool) -> Callable[..., Any] | None:
        of = self.of
        weak = tuple((n, k) for n, state in of.states.items() for k, v in state.items() if type(v) is float)
        key = (of.model_mode(), switches, tuple(map(tuple, of.groups)), self.form, self.most, per_step, weak)
        if key not in of.loops:
            of.loops[key] = None  # if it cannot be made
            native = of.backend != "numpy" and room("compiler.native").available(of.backend) != "numpy"
            f = compile(self._loop(switches, per_step, weak), backend="native" if native else "numpy")
            f(*self._given(numbers[:1], per_step), np.int64(0), self._taken(0, 0))
            if of.backend == "numpy" or (native and is_native(f)):
                of.loops[key] = f
            else:
                self.draw_less(f)
        return of.loops[key]

    def _loop(self, switches: Any, per_step: bool, weak: Any) -> Callable[..., Any]:
        """The steps as a function of all numbers."""
        step, size = self.of.stepped(switches), self.form[0]

        def steps(params: Any, states: Any, buffers: Any, fixed: Any, hypers: Any, count: Any, rows: Any) -> Any:
            def one(carry: Any, row: Any) -> Any:
                params, states, buffers = carry
                states = {
                    n: {k: as_number(v) if (n, k) in weak else v for k, v in state.items()}
                    for n, state in states.items()
                }
                given, own = row
                batches = [tuple(x[j] for x in given) for j in range(size)]
                new, after, buffers, loss = step(
                    params, states, buffers, fixed, tree_map(as_number, own) if per_step else hypers, batches
                )
                return (new, after, buffers), loss

            return scan_first(one, (params, states, buffers), (rows, hypers if per_step else ()), count)

        return steps

    def _given(self, numbers: Sequence[Any], per_step: bool) -> tuple[Any, ...]:
        """What is carried, what stays as it is, and the hyperparameters, of each step or of all."""
        of = self.of
        states = {
            n: {k: np.float64(v) if type(v) is float else v for k, v in state.items()} for n, state in of.states.items()
        }
        hypers: Any = [dict(h) for h in numbers[0]]
        if per_step:
            behind = [numbers[-1]] * (self.most - len(numbers))  # of steps that are not taken
            columns = [flatten([dict(h) for h in now])[0] for now in (*numbers, *behind)]
            hypers = unflatten(flatten(hypers)[1], [np.array(column) for column in zip(*columns, strict=True)])
        return of.params, states, of.buffers, of.fixed, hypers

    def _run(self, program: Callable[..., Any], first: int, numbers: Any, per_step: bool) -> list[float]:
        of, count = self.of, len(numbers)
        given = self._given(numbers, per_step)
        (params, states, buffers), losses = program(*given, np.int64(count), self._taken(first, count))
        weak = {(n, k) for n, state in of.states.items() for k, v in state.items() if type(v) is float}
        of.params, of.buffers = ({n: _array(v) for n, v in tree.items()} for tree in (params, buffers))
        of.states = {
            n: {k: float(_array(v)) if (n, k) in weak else _array(v) for k, v in state.items()}
            for n, state in states.items()
        }
        found: list[float] = losses.numpy()[:count].tolist()
        return found


def _ahead(groups: Sequence[Any], scheduler: Any, count: int) -> list[list[Hyper]]:
    """The hyperparameters of the next steps, as far as the same switches are on; the schedule goes on with them."""
    if not goes_by_batches(scheduler):
        return [[hyper(group) for group in groups]] * count
    numbers: list[list[Hyper]] = []
    while len(numbers) < count:
        now = [hyper(group) for group in groups]
        if numbers and [h.on for h in now] != [h.on for h in numbers[0]]:
            break
        numbers.append(now)
        after_batch(scheduler)
    return numbers


def is_native(program: Any) -> bool:
    """Whether the loop of a compiled function runs without Python."""
    made = program._latest
    return made.native is not None and all(
        made.native.lowered.is_native(v) for v in made.program.body if isinstance(v.op, Repeated)
    )
