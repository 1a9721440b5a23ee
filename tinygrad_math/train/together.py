"""One step of many networks at once: the step of one, over their numbers side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..compiler import compile
from ..core.errors import ArgumentError, ShapeError, describe
from ..core.mode import no_grad
from ..core.tensor import Tensor, as_tensor, rec
from ..core.tree import flatten, leaves_like, unflatten
from ..data.dataset import TensorDataset
from ..data.loader import DataLoader
from ..nn.module import Module
from ..optim.optimizer import Optimizer
from ..optim.stepping import Hyper, hyper
from ..transforms.batching.trace import Recording
from .steps import Compiled, Loss, forward, tensors_of

Tree = Any


def side_by_side(f: Callable[..., Any], given: Sequence[Tree], common: Sequence[Tree], size: int) -> Any:
    """f of each network's part of the trees `given`, and of the trees `common`; the networks lie along the first axes.

    A leaf of `given` without axes is the same for all; so is one of the result that depends on nothing else.
    """
    leaves, structure = flatten(tuple(given))
    own = [np.ndim(leaf) > 0 for leaf in leaves]
    shape: Any = None

    def example(values: list[Tensor]) -> list[Any]:
        nonlocal shape
        rest = iter(values)
        full = [next(rest) if mine else leaf for leaf, mine in zip(leaves, own, strict=True)]
        found, shape = flatten(f(*unflatten(structure, full), *common))
        return found

    batches = [as_tensor(leaf) for leaf, mine in zip(leaves, own, strict=True) if mine]
    rows = Recording(example, batches, "fit_many").run(batches, size)
    results = []
    for y, moving in rows:
        if not moving and np.ndim(y):
            y = rec.broadcast_to(as_tensor(y), (size, *np.shape(y)))
        results.append(y)
    return unflatten(shape, results, values=False)


class Together:
    """The step of many networks, and their values while they are trained, each array with the networks first."""

    def __init__(
        self,
        models: Sequence[Module],
        loss: Loss,
        optimizers: Sequence[Optimizer],
        accumulate: int,
        clip: tuple[float | None, float | None],
        compiled: bool,
        own_data: bool,
    ) -> None:
        self.models, self.optimizers, self.loss = models, optimizers, loss
        self.size, self.compiled, self.own_data = len(models), compiled, own_data
        self.each = [Compiled(m, loss, o, accumulate, clip) for m, o in zip(models, optimizers, strict=True)]
        self.one = self.each[0]
        self._check_rules()
        self.programs: dict[Any, Callable[..., Any]] = {}
        self.measure: Callable[..., Any] | None = None
        self.numbers()
        for one in self.each:
            one.begin()
        self.params = _stack([one.params for one in self.each])
        self.states = _stack([self._full_states(one) for one in self.each])
        self.buffers = _stack([one.buffers for one in self.each])
        self.fixed = _stack([{n: p.node.data for n, p in one.fixed.items()} for one in self.each])
        self.shapes = {n: x.shape for n, x in {**self.params, **self.buffers}.items()}

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
        for g, group in enumerate(self.optimizers[0].param_groups):
            found = [hyper(o.param_groups[g]) for o in self.optimizers]
            self.switches.append(self._on(found, group))
            self.hypers.append({name: _column([h[name] for h in found]) for name in found[0]})

    def _on(self, found: list[Hyper], group: Mapping[str, Any]) -> frozenset[str]:
        """What is on: a number that is 0 for some networks only counts as one that is not, which gives the same."""
        on = frozenset().union(*(h.on for h in found))
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
        step = self.programs.get(key)
        if step is None:
            step = self._step()
            step = self.programs[key] = compile(step, donate_argnums=(0, 1, 2)) if self.compiled else step
        given = tuple(tensors_of(batch) for batch in batches)
        out = step(self.params, self.states, self.buffers, self.fixed, self.hypers, given)
        self.states = _plain(out[1])
        self.params, self.buffers = (self._whole(tree) for tree in (out[0], out[2]))
        return np.broadcast_to(out[3].node.data, (self.size,))

    def _whole(self, tree: Mapping[str, Tensor]) -> dict[str, Any]:
        """Arrays with all networks, also where a rule made the same of each."""
        found = {n: x.node.data for n, x in tree.items()}
        return {
            n: x if x.shape == self.shapes[n] else np.array(np.broadcast_to(x, self.shapes[n]))
            for n, x in found.items()
        }

    def _step(self) -> Callable[..., Any]:
        single, size, own_data = self.one.stepped(self.switches), self.size, self.own_data

        def step(params: Any, states: Any, buffers: Any, fixed: Any, hypers: Any, batches: Any) -> Any:
            own = (params, states, buffers, fixed, hypers)
            given, common = ((*own, batches), ()) if own_data else (own, (batches,))
            return side_by_side(single, given, common, size)

        return step

    def evaluate(self, loader: Any, metrics: Mapping[str, Callable[[Any, Any], Any]]) -> dict[str, Any]:
        """The mean loss and the other measures of each network on data that they share, in eval mode."""
        size, model = self.size, self.one.model
        if self.measure is None:
            measure = _measure(model, self.loss, size)
            self.measure = compile(measure) if self.compiled else measure
        sums: dict[str, Any] = {}
        count = 0
        modes = [(m, m.training) for m in model.modules()]
        model.eval()
        try:
            for batch in loader:
                parts = tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)
                losses, predictions = self.measure({**self.params, **self.fixed, **self.buffers}, tensors_of(batch))
                found = {"loss": np.broadcast_to(losses.node.data, (size,))}
                target = (parts[1:] or parts)[0]
                for name, f in metrics.items():
                    found[name] = np.array([float(f(predictions[k], target)) for k in range(size)])
                n = len(parts[0])
                sums = {name: sums.get(name, 0.0) + n * value for name, value in found.items()}
                count += n
        finally:
            for m, mode in modes:
                m.training = mode
        if not count:
            raise ArgumentError("fit_many: there is no example in the validation data")
        return {name: value / count for name, value in sums.items()}

    # -- values ---------------------------------------------------------------------------------------
    def copy(self) -> tuple[Tree, Tree, Tree]:
        return tuple(_copied(tree) for tree in (self.params, self.states, self.buffers))

    def settle(self, k: int, values: tuple[Tree, Tree, Tree] | None = None) -> None:
        """Give network k and its optimiser the values that they have here, or those of an earlier time."""
        one = self.each[k]
        params, states, buffers = values or (self.params, self.states, self.buffers)
        kept = {n: list(state) for n, state in one.states.items()}  # without what only others' numbers ask for
        one.params, one.buffers = _row(params, k), _row(buffers, k)
        one.states = {n: {part: _part(states[n][part], k) for part in parts} for n, parts in kept.items()}
        one.settle()


def _measure(model: Module, loss: Loss, size: int) -> Callable[..., Any]:
    """The losses and the predictions of all networks on a batch."""

    def single(tensors: Any, batch: Any) -> Any:
        return forward(model.with_tensors(tensors), loss, batch)

    def measure(tensors: Any, batch: Any) -> Any:
        with no_grad():
            return side_by_side(single, (tensors,), (batch,), size)

    return measure


# -- data -------------------------------------------------------------------------------------------------
def in_step(loaders: Sequence[DataLoader]) -> Iterator[Any]:
    """A pass over all loaders at once: each batch with those of all loaders along a new first axis."""
    first = loaders[0]
    table = isinstance(first.dataset, TensorDataset) and first.collate_fn is None
    forms = {(id(l.dataset), l.batch_size, l.drop_last, l.collate_fn, l.state_dict()["batch"]) for l in loaders}
    if table and len(forms) == 1 and not first.state_dict()["batch"]:
        states = [loader.state_dict() for loader in loaders]
        orders = np.stack([loader.order(state["epoch"]) for loader, state in zip(loaders, states, strict=True)])
        for k in range(len(first)):
            rows = orders[:, k * first.batch_size : (k + 1) * first.batch_size]
            yield tuple(Tensor(t.node.data[rows]) for t in first.dataset.tensors)
        for loader, state in zip(loaders, states, strict=True):
            loader.load_state_dict({**state, "epoch": state["epoch"] + 1})
        return
    if len({len(loader) for loader in loaders}) > 1:
        raise ShapeError(f"fit_many: the loaders differ in how many batches they have: {sorted(map(len, loaders))}")
    for batches in zip(*loaders, strict=True):
        structure = flatten(batches[0])[1]
        found = [leaves_like(batch, structure, strict=True) for batch in batches]
        shapes = [np.shape(x) for x in flatten(batches[0])[0]]
        for k, row in enumerate(found):
            if row is None or [np.shape(x) for x in row] != shapes:
                raise ShapeError(
                    f"fit_many: the batches of networks trained at once have the same shapes; network 0 has "
                    f"{describe(batches[0])}, network {k} {describe(batches[k])}"
                )
        yield unflatten(
            structure, [rec.stack([as_tensor(x) for x in column]) for column in zip(*filter(None, found), strict=True)]
        )


# -- trees of arrays ----------------------------------------------------------------------------------------
def _stack(trees: Sequence[Any]) -> Any:
    """Trees of dicts as one, with arrays side by side; a number that is the same in all stays one number."""
    first = trees[0]
    if isinstance(first, dict):
        names = dict.fromkeys(name for tree in trees for name in tree)
        return {name: _stack([tree[name] for tree in trees]) for name in names}
    return _column(trees) if isinstance(first, (int, float)) else np.stack([np.asarray(x) for x in trees])


def _column(values: Sequence[Any]) -> Any:
    if isinstance(values[0], tuple):
        return tuple(_column(column) for column in zip(*values, strict=True))
    return values[0] if all(v == values[0] for v in values) else np.array(values, np.float64)


def _plain(tree: Any) -> Any:
    """Arrays for Tensors; a number for what has no axes."""
    if isinstance(tree, dict):
        return {name: _plain(x) for name, x in tree.items()}
    data = tree.node.data if isinstance(tree, Tensor) else tree
    return data if np.ndim(data) else float(data)


def _copied(tree: Any) -> Any:
    return (
        {k: _copied(v) for k, v in tree.items()}
        if isinstance(tree, dict)
        else np.array(tree)
        if np.ndim(tree)
        else tree
    )


def _row(tree: Mapping[str, Any], k: int) -> dict[str, Any]:
    return {name: np.array(x[k]) for name, x in tree.items()}


def _part(x: Any, k: int) -> Any:
    if not np.ndim(x):
        return x
    return float(x[k]) if x.ndim == 1 and x.dtype == np.float64 else np.array(x[k])
