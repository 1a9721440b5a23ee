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
from ..core.tree import flatten, tree_map, unflatten
from ..data.loader import Pass, examples, table_of
from ..optim.schedule import after_batch, goes_by_batches
from ..transforms.loops.functions import as_number, scan_first
from .in_step import in_step, one_of, orders_of
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
    told: bool = False  # whether the schedules have been told


def steps_of(runs: Runs, size: int) -> Iterator[Steps]:
    """Go on through a pass over the data, `size` batches a step: in stretches where that can be, else one by one."""
    stretch, data = _stretch(runs, size), runs.data
    if isinstance(data, list):
        orders, done = None if stretch is None else orders_of(data), 0
        if stretch is not None and orders is not None:
            for steps in _taken(stretch, orders, 0):
                done += steps.batches
                yield steps
        yield from _one_by_one(runs, in_step(data, done), size)
        return
    batches = iter(data)
    if stretch is not None and isinstance(batches, Pass):
        batches.begin()
        step, rest = divmod(batches.done, size)
        if not rest:
            for steps in _taken(stretch, data.order(batches.epoch), step):
                batches.skip(steps.batches)
                yield steps
    yield from _one_by_one(runs, batches, size)


def _one_by_one(runs: Runs, batches: Iterator[Any], size: int) -> Iterator[Steps]:
    while part := list(itertools.islice(batches, size)):
        count = sum(examples(one_of(b) if isinstance(runs.data, list) else b) for b in part)
        with ignoring():  # of networks that go astray, which the run tells of
            losses = runs.together(part)[None]
        yield Steps(losses, [count], len(part))


def _taken(stretch: StretchOfBank, order: Array, step: int) -> Iterator[Steps]:
    """The steps of a pass from this one on, some at a time, as long as they can be taken so."""
    stretch.turn(order, stretch.subset)
    while step < stretch.steps:
        with ignoring():
            losses = stretch.taken(step)
        if losses is None:
            return
        yield Steps(losses, [stretch.examples] * len(losses), len(losses) * stretch.form[0], told=True)
        step += len(losses)


def _stretch(runs: Runs, size: int) -> StretchOfBank | None:
    """Steps of several groups of batches; None where they are to be taken one by one.

    They are taken together natively, on rows of one data set.
    """
    backend, data = runs.together.backend, runs.data
    if backend not in ("native", "auto"):
        return None
    loaders = data if isinstance(data, list) else [data]
    tables = [] if room("compiler.native").available(backend) == "numpy" else [table_of(one) for one in loaders]
    table = tables[0] if tables and None not in tables else None
    if table is None:
        return None
    form, last = (size, loaders[0].batch_size), runs.stretch
    if not isinstance(last, StretchOfBank) or not last.fits(table[0], form):
        runs.stretch = last = StretchOfBank(runs.together, table[0], form, runs.schedulers)
    last.subset = table[1]
    return last


class StretchOfBank(Rows):
    """Steps of one pass over the data, some at a time, of all networks."""

    def __init__(
        self, bank: Together, arrays: Sequence[Array], form: tuple[int, int], schedulers: Sequence[Any]
    ) -> None:
        super().__init__(arrays, form, (bank.size,) if bank.own_data else ())
        self.bank = bank
        self.schedulers = [s for s in schedulers if goes_by_batches(s)]  # which change numbers from step to step
        self.subset: Array | None = None  # the rows that are the data, if not all
        self.switches: tuple[frozenset[str], ...] = ()  # what is on in the steps that are taken
        self.loops: dict[Any, Callable[..., Any] | None] = {}

    def taken(self, first: int) -> Array | None:
        """The losses of the next steps, which have been taken; None where they are to be taken one by one."""
        state, start, undo, most = random.shared.state, time.perf_counter(), self._places(), self.most
        self.switches = tuple(self.bank.switches)
        hypers = self._ahead(min(self.count, self.steps - first))
        count = len(hypers)
        rows = self._taken(first, count)
        self.bank.divide([tuple(Tensor(x[0, j]) for x in rows) for j in range(self.form[0])])
        parts = self.bank.parts
        groups = [parts] if self.bank.draws else [[part] for part in parts]  # draws go from part to part in each step
        try:
            found = [self._stepped(group, rows, hypers) for group in groups]
        except MathError:  # which the steps one by one will raise, where it belongs
            found = [None]
        done = [of_part for group in found if group is not None for of_part in group]
        if len(done) < len(parts):
            random.shared.state = state
            undo()
            return self.taken(first) if 1 < self.most < most else None
        for part, ((params, states, buffers), _) in zip(parts, done, strict=True):
            part.params, part.buffers = filled(params, part.params), filled(buffers, part.buffers)
            weak = _numbers(part)
            part.states = {
                n: {k: v.item() if (n, k) in weak else v.node.data for k, v in state.items()}
                for n, state in states.items()
            }
        self.went(count, time.perf_counter() - start)
        return np.concatenate([losses.numpy()[:count] for _, losses in done], axis=1)

    def _places(self) -> Callable[[], None]:
        """What puts the schedules, and the numbers that they change, back to where they stand."""
        if not self.schedulers:
            return lambda: None
        groups = [group for o in self.bank.optimizers for group in o.param_groups]
        before = [{k: v for k, v in group.items() if k != "params"} for group in groups]
        places = [s.state_dict() for s in self.schedulers]

        def undo() -> None:
            for group, old in zip(groups, before, strict=True):
                group.update(old)
            for s, place in zip(self.schedulers, places, strict=True):
                s.load_state_dict(place)
            self.bank.numbers()

        return undo

    def _ahead(self, count: int) -> list[Any]:
        """The hyperparameters of the next steps, as far as the same switches are on; the schedules go on with them."""
        bank = self.bank
        if not self.schedulers:
            return [bank.hypers] * count
        found: list[Any] = []
        while len(found) < count and tuple(bank.switches) == self.switches:
            found.append(bank.hypers)
            for s in self.schedulers:
                after_batch(s)
            bank.numbers()
        return found

    def _of(self, part: Part, rows: tuple[Array, ...]) -> tuple[Array, ...]:
        """The rows that these networks see."""
        return tuple(x[:, :, part.first : part.first + part.size] for x in rows) if self.bank.own_data else rows

    def _columns(self, part: Part, hypers: Sequence[Any]) -> Any:
        """The hyperparameters of these networks, a row for each step that there may be; of none without schedules."""
        if not self.schedulers:
            return ()
        leaves = [flatten(now)[0] for now in [*hypers, *[hypers[-1]] * (self.most - len(hypers))]]
        columns = []
        for column in zip(*leaves, strict=True):
            apart = any(np.ndim(x) for x in column)
            shown = [np.broadcast_to(x, (self.bank.size,))[part.first : part.first + part.size] for x in column]
            columns.append(np.array(shown if apart else column, np.float64))
        return unflatten(flatten(hypers[0])[1], columns)

    def _stepped(self, parts: Sequence[Part], rows: tuple[Array, ...], hypers: Sequence[Any]) -> list[Any] | None:
        """What the steps make of each part's numbers, and their losses; None where there is no native program."""
        columns = [self._columns(part, hypers) for part in parts]
        apart = tuple(x.ndim for x in flatten(columns)[0])
        weak = [_numbers(part) for part in parts]
        sizes = tuple(part.size for part in parts)
        key = (self.bank.one.model_mode(), self.switches, sizes, self.most, tuple(map(tuple, map(sorted, weak))), apart)
        given = [self._given(part) for part in parts]
        shown = [self._of(part, rows) for part in parts] if self.bank.own_data else rows
        if key not in self.loops:
            self.loops[key] = None  # if it cannot be made
            f = compile(self._steps(weak, sizes), backend="native")
            f(given, np.int64(0), (shown, columns))
            if is_native(f):
                self.loops[key] = f
            else:
                self.draw_less(f)
        program = self.loops[key]
        if program is None:
            return None
        carries, losses = program(given, np.int64(len(hypers)), (shown, columns))
        return list(zip(carries, losses, strict=True))

    def _given(self, part: Part) -> tuple[Any, ...]:
        """What a part carries from step to step, and what it has beside."""
        weak = _numbers(part)
        states = {n: {k: np.float64(v) if (n, k) in weak else v for k, v in s.items()} for n, s in part.states.items()}
        return part.params, states, part.buffers, part.fixed, () if self.schedulers else part.hypers

    def _steps(self, weak: Sequence[set[tuple[str, str]]], sizes: Sequence[int]) -> Callable[..., Any]:
        """The steps as a function of all numbers: in each, part after part."""
        size, scheduled, own_data = self.form[0], bool(self.schedulers), self.bank.own_data
        step = self.bank.step(self.switches)

        def of_part(k: int, carry: Any, given: Any, rows: Any, own: Any) -> Any:
            params, states, buffers = carry
            states = {
                n: {name: as_number(v) if (n, name) in weak[k] else v for name, v in state.items()}
                for n, state in states.items()
            }
            batches = tuple(tuple(x[j] for x in rows) for j in range(size))
            fixed, hypers = given
            now = tree_map(lambda x: x if x.ndim else as_number(x), own) if scheduled else hypers
            new, after, buffers, loss = step(params, states, buffers, fixed, now, batches)
            return (new, after, buffers), loss + np.zeros(sizes[k], loss.dtype)

        def steps(given: Any, count: Any, rows: Any) -> Any:
            def one(carries: Any, row: Any) -> Any:
                shown, own = row
                found = [
                    of_part(k, carry, given[k][3:], shown[k] if own_data else shown, own[k])
                    for k, carry in enumerate(carries)
                ]
                return [carry for carry, _ in found], [loss for _, loss in found]

            return scan_first(one, [part[:3] for part in given], rows, count)

        return steps


def _numbers(part: Part) -> set[tuple[str, str]]:
    """Which of the states are numbers that all networks share."""
    return {(n, k) for n, state in part.states.items() for k, v in state.items() if type(v) is float}
