"""One step of many networks at once: the step of one, over their numbers side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..compiler import compile
from ..core.errors import ArgumentError
from ..core.mode import no_grad
from ..core.quiet import ignoring
from ..core.tensor import Tensor, rec
from ..core.tree import flatten, unflatten
from ..nn.module import Module
from ..optim.optimizer import Optimizer
from ..optim.stepping import Hyper, hyper
from .measures import means
from .placed import Loss, OneOfMany, targets_of
from .side_by_side import Part, SideBySide, at_once, column, element, filled, own_part, plain, rows, stack
from .steps import Compiled, tensors_of


class Together:
    """The step of many networks, and their values while they are trained, each array with the networks first."""

    def __init__(
        self,
        models: Sequence[Module],
        loss: Loss,
        optimizers: Sequence[Optimizer],
        accumulate: int,
        clip: tuple[float | None, float | None],
        backend: str,
        own_data: bool,
    ) -> None:
        self.models, self.optimizers, self.loss = models, optimizers, loss
        self.size, self.backend, self.own_data = len(models), backend, own_data
        self.each = [Compiled(m, loss, o, accumulate, clip) for m, o in zip(models, optimizers, strict=True)]
        self.one = self.each[0]
        live = [(t, n) for m in models for n, t in [*m.named_parameters(), *m.named_buffers()]]
        self.single = OneOfMany(self.one.model, loss, live)
        self._check_rules()
        self.programs: dict[Any, Callable[..., Any]] = {}
        self.measure: Callable[..., Any] | None = None
        self.begin()

    def begin(self) -> None:
        """Take the values of the networks and their optimisers."""
        self.parts: list[Part] = []
        self.numbers()
        for one in self.each:
            one.begin()
        params = stack([one.params for one in self.each])
        states = stack([self._full_states(one) for one in self.each])
        buffers = stack([one.buffers for one in self.each])
        fixed = stack([{n: p.node.data for n, p in one.fixed.items()} for one in self.each])
        self.parts = [Part(0, self.size, params, states, buffers, fixed, self.hypers)]
        self.split: int | None = None  # into parts of how many, once a batch is there
        self.draws = False  # whether a step draws random numbers, part after part

    def _check_rules(self) -> None:
        """The optimisers may differ in numbers only."""
        first = self.optimizers[0]
        kinds = [o.bare().__dict__ for o in self.optimizers]
        for k, (one, o) in enumerate(zip(self.each, self.optimizers, strict=True)):
            if type(o) is not type(first) or kinds[k] != kinds[0]:
                raise ArgumentError(
                    f"fit_many: optimisers of one kind are asked for; 0 is {first!r:.100}, {k} is {o!r:.100}"
                )
            if one.groups != self.one.groups:
                raise ArgumentError(f"fit_many: the optimisers of networks 0 and {k} step other parameters")

    # -- numbers --------------------------------------------------------------------------------------
    def numbers(self) -> None:
        """Take the hyperparameters from the optimisers: those that differ as arrays, the others as numbers."""
        self.hypers: list[dict[str, Any]] = []
        self.switches: list[frozenset[str]] = []
        for g in range(len(self.optimizers[0].param_groups)):
            found = [hyper(o.param_groups[g]) for o in self.optimizers]
            self.switches.append(self._on(found))
            self.hypers.append({name: column([h[name] for h in found]) for name in found[0]})
        for part in self.parts:
            part.hypers = rows(self.hypers, part.first, part.first + part.size)

    def _on(self, found: list[Hyper]) -> frozenset[str]:
        """What is on: a number that is 0 for some networks only counts as one that is not, which gives the same."""
        on: frozenset[str] = frozenset().union(*(h.on for h in found))
        ours = all(o._ours for o in self.optimizers)
        for name in on:
            if any(name not in h.on for h in found) and (name not in found[0] or not ours):
                one = next(k for k, h in enumerate(found) if name not in h.on)
                raise ArgumentError(
                    f"fit_many: {name} is on for some networks and off for network {one}, which are two rules; train "
                    "them as two banks"
                )
        return on

    def _full_states(self, one: Compiled) -> dict[str, Any]:
        """The states of a network, with those parts too that only others' numbers ask for."""
        found = {}
        for group, names, on in zip(one.optimizer.param_groups, one.groups, self.switches, strict=True):
            h = hyper(group)
            h.on = on
            for n in names:
                fresh = one.optimizer.start(rec, one.where[n].detach(), h)
                found[n] = {k: v.node.data if isinstance(v, Tensor) else v for k, v in fresh.items()} | one.states[n]
        return found

    # -- a step ---------------------------------------------------------------------------------------
    def __call__(self, batches: Sequence[Any]) -> Any:
        """A step of all networks; their losses."""
        key = (self.one.model_mode(), tuple(self.switches))
        given = tuple(tensors_of(batch) for batch in batches)
        self.divide(given)
        step = self.programs.get(key)
        if step is None:
            step = self.programs[key] = self._compiled(self.step(), donate_argnums=(0, 1, 2))
        losses = []
        for part in self.parts:
            shown = own_part(given, part) if self.own_data else given
            out = step(part.params, part.states, part.buffers, part.fixed, part.hypers, shown)
            part.params, part.buffers = (
                filled(new, old) for new, old in ((out[0], part.params), (out[2], part.buffers))
            )
            part.states = plain(out[1])
            losses.append(np.broadcast_to(out[3].node.data, (part.size,)))
        return np.concatenate(losses)

    def divide(self, batches: Any) -> None:
        """Into parts that are computed at once, when the first batches are there."""
        if self.split is None:
            together = self._side_by_side(tuple(batches))
            self.split, self.draws = at_once(together.nbytes), together.draws
            self.parts = self.parts[0].slices(self.split)

    def step(self, switches: Sequence[frozenset[str]] | None = None) -> Callable[..., Any]:
        """The step as a function of the numbers of all networks, with these switches on or the present ones."""
        single, own_data = self.one.stepped(switches or self.switches, self.single), self.own_data

        def step(params: Any, states: Any, buffers: Any, fixed: Any, hypers: Any, batches: Any) -> Any:
            own = (params, states, buffers, fixed, hypers)
            given, common = ((*own, batches), ()) if own_data else (own, (batches,))
            return SideBySide(single, given, common).results()

        return step

    def _compiled(self, f: Callable[..., Any], **options: Any) -> Callable[..., Any]:
        return compile(f, backend=self.backend, **options) if self.backend else f

    def _side_by_side(self, batches: Any) -> SideBySide:
        part = self.parts[0]
        own = (part.params, part.states, part.buffers, part.fixed, part.hypers)
        single = self.one.stepped(self.switches, self.single)
        given, common = ((*own, batches), ()) if self.own_data else (own, (batches,))
        with ignoring():
            return SideBySide(single, given, common)

    def evaluate(self, loader: Any, metrics: Mapping[str, Callable[[Any, Any], Any]]) -> dict[str, Any]:
        """The mean loss and the other measures of each network on data that they share, in eval mode."""
        single = self.single.measured
        if self.measure is None:
            measure = lambda tensors, batch: SideBySide(single, (tensors,), (batch,)).results()  # noqa: E731
            self.measure = self._compiled(measure)

        def measured(batch: Any) -> tuple[dict[str, Any], Any]:
            given = tensors_of(batch)
            return self._measures(self.measure, single, given, targets_of(given)[0], metrics)

        found: dict[str, Any] = means("fit_many", self.one.model, self.loss, loader, measured)
        return found

    def _measures(
        self, measure: Any, single: Any, batch: Any, target: Any, metrics: Mapping[str, Any]
    ) -> tuple[dict[str, Any], Any]:
        """The measures of each network on one batch, and the prediction of the first."""
        found: dict[str, list[Any]] = {name: [] for name in ("loss", *metrics)}
        size: int | None = None
        first: Any = None
        with no_grad():
            for part in self.parts:
                tensors = {**part.params, **part.fixed, **part.buffers}
                if size is None:
                    size = at_once(SideBySide(single, (tensors,), (batch,)).nbytes)
                for a in range(0, part.size, size):
                    losses, predictions = measure(rows(tensors, a, a + size), batch)
                    here = min(size, part.size - a)
                    found["loss"].append(np.broadcast_to(losses.node.data, (here,)))
                    leaves, structure = flatten(predictions)
                    for k in range(here if metrics else first is None):
                        prediction = unflatten(structure, [Tensor(y.node.data[k]) for y in leaves])
                        first = prediction if first is None else first
                        for name, f in metrics.items():
                            found[name].append([float(f(prediction, target))])
        return {name: np.concatenate(values) for name, values in found.items()}, first

    # -- values ---------------------------------------------------------------------------------------
    def copy(self) -> list[Part]:
        """The values as they are."""

        def copied(p: Part) -> Part:
            params, states, buffers = (rows(tree, 0, p.size) for tree in (p.params, p.states, p.buffers))
            return Part(p.first, p.size, params, states, buffers, {}, {})

        return [copied(p) for p in self.parts]

    def settle(self, k: int, values: Sequence[Part] | None = None) -> None:
        """Give network k and its optimiser the values that they have here, or those of an earlier time."""
        one = self.each[k]
        part = next(p for p in values or self.parts if p.first <= k < p.first + p.size)
        params, states, buffers = part.params, part.states, part.buffers
        row = k - part.first
        kept = {n: list(state) for n, state in one.states.items()}  # without what only others' numbers ask for
        one.params, one.buffers = ({n: np.array(x[row]) for n, x in tree.items()} for tree in (params, buffers))
        one.states = {n: {name: element(states[n][name], row) for name in names} for n, names in kept.items()}
        one.settle()
