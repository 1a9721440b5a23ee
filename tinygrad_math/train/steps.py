"""One step of training, in PyTorch's idiom or compiled into one program; both compute the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..compiler import compile
from ..core.errors import ArgumentError, describe
from ..core.node import clock
from ..core.tensor import Tensor, as_tensor, rec
from ..core.tree import tree_map
from ..data.loader import examples
from ..linalg.norm import vector_norm
from ..nn.module import Module
from ..nn.utils import clip_grad_norm_, clip_grad_value_
from ..optim.optimizer import Optimizer
from ..optim.stepping import Hyper, hyper
from ..transforms.derivatives import value_and_grad
from .placed import Loss, check_loss, forward, in_place


class Took(NamedTuple):
    """Steps that were taken in a row: the loss of each, its examples, and the batches of all; `told` whether a
    schedule has gone on with them."""

    losses: list[float]
    examples: list[int]
    batches: int
    told: bool = False


class Going(Protocol):
    """A run, as far as steps need it."""

    loader: Any
    scheduler: Any
    callbacks: Any

    def batches(self, size: int) -> Iterator[list[Any]]: ...
    def passed(self) -> Iterator[Any]: ...


class Eager:
    """The step as one writes it by hand."""

    def __init__(
        self, model: Module, loss: Loss, optimizer: Optimizer, accumulate: int, clip: tuple[float | None, float | None]
    ) -> None:
        self.model, self.loss, self.optimizer, self.accumulate = model, loss, optimizer, accumulate
        self.clip_norm, self.clip_value = (None if c is None else float(c) for c in clip)  # of their own precision

    def __call__(self, batches: Sequence[Any]) -> float:
        """A step on the mean of the losses of some batches, one unless gradients are accumulated; that mean."""
        self.optimizer.zero_grad()
        total = 0.0
        for batch in batches:
            y = check_loss("fit", forward(self.model, self.loss, batch)[0])
            (y if len(batches) == 1 else y / len(batches)).backward()
            total += y.item() / len(batches)
        if self.clip_value is not None:
            clip_grad_value_(self.optimizer.params, self.clip_value)
        if self.clip_norm is not None:
            clip_grad_norm_(self.optimizer.params, self.clip_norm)
        self.optimizer.step()
        return total

    def going(self, run: Going, size: int) -> Iterator[Took]:
        """Go on through the present pass over the data, `size` batches a step; what each step, or several, took."""
        yield from self.one_by_one(run.batches(size))

    def one_by_one(self, batches: Iterator[Sequence[Any]]) -> Iterator[Took]:
        """A step for each of these groups of batches."""
        for given in batches:
            yield Took([self(given)], [sum(map(examples, given))], len(given))

    def begin(self) -> None:
        """Take the values of the module and the optimiser."""

    def settle(self) -> None:
        """Give the values back to the module and the optimiser."""

    def release(self) -> None:
        """Free what a run has taken elsewhere."""


class Compiled(Eager):
    """The whole step as one program. Between `begin` and `settle` the values live here, in memory that is reused."""

    def __init__(self, *given: Any, backend: str = "numpy") -> None:
        super().__init__(*given)
        self.backend = backend
        if type(self.optimizer).step is not Optimizer.step:
            raise ArgumentError(
                f"fit(compile=True) compiles the optimiser's rule, and {type(self.optimizer).__name__} looks at values "
                "in its step; use compile=False"
            )
        self.where = dict(self.model.named_parameters())
        self.groups = self._groups()
        self.programs: dict[Any, Callable[..., Any]] = {}

    def _groups(self) -> list[list[str]]:
        """The names of the parameters that are stepped, by the optimiser's groups: those that require a gradient."""
        names = {id(p): name for name, p in self.where.items()}
        groups = []
        for group in self.optimizer.param_groups:
            for p in group["params"]:
                if id(p) not in names:
                    raise ArgumentError(
                        f"fit(compile=True): the optimiser steps {describe(p)}, which is not of the model"
                    )
            groups.append([names[id(p)] for p in group["params"] if p.requires_grad])
        return groups

    def begin(self) -> None:
        self.modules = list(self.model.modules())
        self.where = dict(self.model.named_parameters())
        self.groups = self._groups()
        self.learning = self._learning()
        self.begun = clock()
        learnt = [n for group in self.groups for n in group]
        self.params = {n: np.array(self.where[n].node.data) for n in learnt}
        self.fixed = {n: p.detach() for n, p in self.where.items() if n not in self.params}
        self.buffers = {n: np.array(b.node.data) for n, b in self.model.named_buffers()}
        self.states = {}
        for group, names in zip(self.optimizer.param_groups, self.groups, strict=True):
            h = hyper(group)
            for n in names:
                p = self.where[n]
                state = self.optimizer.state.get(p)
                if state is None:
                    state = self.optimizer.start(rec, p.detach(), h)
                self.states[n] = {k: _own(v) for k, v in state.items()}

    def _learning(self) -> list[bool]:
        return [p.requires_grad for group in self.optimizer.param_groups for p in group["params"]]

    def settle(self) -> None:
        for n, p in self.where.items():
            if p.node.changed_since(self.begun):
                raise ArgumentError(
                    f"fit(compile=True): {n} was written to between two steps, while the program has the values; "
                    "write to parameters at the end of an epoch, or use compile=False"
                )
        for n, array in self.params.items():
            self.where[n]._replace(np.array(array))
            self.optimizer.state[self.where[n]] = {k: _own(v) for k, v in self.states[n].items()}
        for n, buffer in self.model.named_buffers():
            buffer._replace(np.array(self.buffers[n]))
        self.optimizer.zero_grad()  # the program keeps no gradients, and older ones are of other values
        self.begun = clock()

    def __call__(self, batches: Sequence[Any]) -> float:
        self.look()
        numbers = [hyper(group) for group in self.optimizer.param_groups]
        key = (self.model_mode(), tuple(h.on for h in numbers), tuple(map(tuple, self.groups)))
        step = self.programs.get(key)
        if step is None:
            step = self.programs[key] = compile(self.stepped(key[1]), donate_argnums=(0, 1, 2), backend=self.backend)
        given = tuple(tensors_of(batch) for batch in batches)
        out = step(self.params, self.states, self.buffers, self.fixed, [dict(h) for h in numbers], given)
        self.params, self.states, self.buffers = ({k: _array(v) for k, v in tree.items()} for tree in out[:3])
        return float(out[3].item())

    def look(self) -> None:
        """Begin anew where some parameter is held fixed now, or learnt again."""
        if self._learning() != self.learning:
            self.settle()
            self.begin()

    def model_mode(self) -> tuple[bool, ...]:
        return tuple(m.training for m in self.modules)

    def stepped(
        self, switches: Sequence[frozenset[str]], objective: Callable[..., Any] | None = None
    ) -> Callable[..., Any]:
        """The step as a function of all numbers; it closes over what a network and a rule are beside them."""
        groups, objective = self.groups, objective or in_place(self.model, self.loss)
        whole, clip = self.optimizer.bare()._whole, (self.clip_norm, self.clip_value)

        def step(params: Any, states: Any, buffers: Any, fixed: Any, hypers: Any, batches: Any) -> Any:
            total, grads, used = None, None, set[str]()
            for batch in batches:

                def loss(params: Any, batch: Any = batch, buffers: Any = buffers) -> Any:
                    return objective(params, fixed, buffers, batch, used)

                (y, buffers), found = value_and_grad(loss, has_aux=True)(params)
                share = 1 if len(batches) == 1 else 1 / len(batches)
                y, found = (y, found) if share == 1 else (y * share, {n: g * share for n, g in found.items()})
                total = y if total is None else total + y
                grads = found if grads is None else {n: g + found[n] for n, g in grads.items()}
            assert grads is not None
            grads = _clipped({n: g for n, g in grads.items() if n in used}, *clip)
            new, after = {}, {}
            for names, h, on in zip(groups, hypers, switches, strict=True):
                h = Hyper(h)
                h.on = on
                for n in names:
                    if n not in used:  # of no batch: it has no gradient, and stays as it is
                        new[n], after[n] = params[n], states[n]
                        continue
                    new[n], after[n] = whole(rec, as_tensor(params[n]), grads[n], states[n], h)
            return new, after, buffers, total

        return step


def _clipped(grads: dict[str, Any], norm: float | None, value: float | None) -> dict[str, Any]:
    if value is not None:
        grads = {n: rec.clip(g, -value, value) for n, g in grads.items()}
    if norm is not None:
        factor = rec.minimum(norm / (_length(list(grads.values())) + 1e-6), 1.0)
        grads = {n: _scaled(g, factor) for n, g in grads.items()}
    return grads


def _scaled(g: Any, factor: Any) -> Any:
    """g times a factor, which may be less than the least number of half precision."""
    return rec.astype(g * factor, g.dtype) if g.dtype.char == "e" else g * rec.astype(factor, g.real.dtype)


def _length(grads: list[Any]) -> Any:
    """The norm of all numbers in double precision, whose range the squares of half and single ones don't leave."""
    if not grads:
        return as_tensor(0.0)
    every = rec.concatenate([rec.ravel(g) for g in grads])
    return vector_norm(rec.astype(every, np.result_type(every.dtype, np.float64)))


def _own(v: Any) -> Any:
    v = _array(v)
    return np.array(v) if isinstance(v, (np.ndarray, np.generic)) else v


def _array(v: Any) -> Any:
    if isinstance(v, Tensor):
        return v.node.data
    return {k: _array(x) for k, x in v.items()} if isinstance(v, dict) else v


def tensors_of(batch: Any) -> Any:
    """A batch with Tensors for its arrays and numbers, whatever tree they stand in."""
    return tree_map(as_tensor, tuple(batch) if isinstance(batch, list) else batch)
