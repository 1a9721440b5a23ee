"""`fit_many`: many small networks trained at once, as one program over all of them."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..compiler.cache import backend_of
from ..core.arguments import named
from ..core.errors import ArgumentError, describe
from ..core.quiet import ignoring
from ..data.loader import DataLoader
from ..nn.module import Module
from ..optim.lr_scheduler import ReduceLROnPlateau
from ..optim.optimizer import Optimizer
from ..optim.schedule import after_batch, goes_by_batches
from ..optim.vectors import Whole
from ..saving.archive import alone, replace
from ..saving.files import prepared
from .alike import check_alike
from .bank import Bank
from .callbacks import EarlyStopping
from .fitting import Metric, check_clip, check_counts, loader_of, looked_at
from .members import Runs
from .placed import Loss
from .progress import Progress
from .run import interruptible
from .stretches_of_banks import steps_of
from .together import Together


@named
def fit_many(
    models: Sequence[Module],
    data: Any,
    loss: Loss,
    optimizers: Sequence[Optimizer],
    epochs: int = 1,
    validation: Any = None,
    schedulers: Sequence[Any] | None = None,
    callbacks: Sequence[EarlyStopping] = (),
    compile: bool | str = False,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: str | os.PathLike[str] | None = None,
    *,
    metrics: Mapping[str, Metric] | None = None,
    accumulate: int = 1,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    checkpoint_every: int = 1,
    progress: bool = True,
) -> Bank:
    """Train many networks of one architecture at once, and return them as a Bank with a history for each.

    Each ends, up to rounding, where `fit` would have taken it; all are computed together, a step of all of them being
    one step over arrays with the networks along their first axis.

    Arguments: `models` the networks, made from different seeds; `optimizers` one for each, of one kind, which may
    differ in every number (lr, momentum, weight_decay, ...); `schedulers` one for each. `data` as in `fit`, seen by all
    in the same order; or a list of DataLoaders, one for each network, with an order of its own. `callbacks`:
    EarlyStopping, which holds each network by itself. The others as in `fit`; "seconds" in a history counts the epoch
    of all networks. Dropout draws for each network, other numbers than in a run of its own. `checkpoint` and `resume`
    as in `fit`, with all networks in one file, which is of whole epochs: after Ctrl-C of the last one.

    A network whose loss is no number stops: its history says when in `stopped`, and it keeps the values of the last
    whole epoch, while the others go on.
    Raises ArgumentError for what cannot be computed together: networks that are built differently or share a
    parameter, optimisers of several kinds or with other switches, those that look at values (LBFGS, NewtonCG,
    LevenbergMarquardt) and callbacks that need one run; ShapeError for batches that differ in shape. FileError where
    the checkpoint cannot be written, belongs to other runs, or is being written by another process; KeyboardInterrupt
    after Ctrl-C, when the networks have their values.

    >>> import tinygrad_math as tm
    >>> x, y = tm.data.two_layer_linear(16, rng=0)
    >>> nets = [tm.nn.Linear(4, 2, rng=seed) for seed in range(8)]
    >>> opts = [tm.optim.Adam(net, lr=0.01 * 2**k) for k, net in enumerate(nets)]
    >>> bank = tm.train.fit_many(nets, (x, y), tm.nn.functional.mse_loss, opts, epochs=50, progress=False)
    >>> bank["loss"].shape, bank.best("loss").number
    ((8, 50), 4)
    """
    check_counts("fit_many", epochs=epochs, accumulate=accumulate, checkpoint_every=checkpoint_every)
    check_clip("fit_many", clip_norm=clip_norm, clip_value=clip_value)
    if isinstance(models, Module) or isinstance(optimizers, Optimizer) or not callable(loss):
        raise ArgumentError(
            "fit_many takes several modules, data, a loss and an optimiser for each, got "
            f"{describe(models)}, {describe(loss)} and {describe(optimizers)}"
        )
    models, optimizers = list(models), list(optimizers)
    schedules = [None] * len(models) if schedulers is None else list(schedulers)
    _check(models, optimizers, schedules, callbacks, validation)
    backend = backend_of("fit_many", compile=compile)
    own_data = isinstance(data, list) and bool(data) and all(isinstance(part, DataLoader) for part in data)
    if own_data and (len(data) != len(models) or len(set(map(id, data))) != len(data)):
        raise ArgumentError(f"fit_many: a DataLoader for each network, got {len(data)} for {len(models)} networks")
    together = Together(models, loss, optimizers, accumulate, (clip_norm, clip_value), backend, own_data)
    runs = Runs(together, list(data) if own_data else loader_of(data, shuffle=True), schedules, callbacks)
    shown = None if validation is None else looked_at(validation)
    if resume is not None and os.path.exists(resume):
        runs.resume(resume)
    runs.begin()
    target = None if checkpoint is None else prepared(checkpoint, None)[0]
    modes = [(m, m.training) for m in models[0].modules()]
    with contextlib.ExitStack() as stack:
        if target is not None:
            stack.enter_context(alone(target))
        noted = stack.enter_context(interruptible())
        bar = stack.enter_context(Progress(runs, epochs, progress))
        whole = None if target is None else runs.state()  # at the end of the last epoch
        try:
            while runs.epoch < epochs and runs.going:
                models[0].train()
                _epoch(runs, noted, bar, accumulate, shown, metrics or {})
                if target is not None:
                    whole = whole if runs.batch else runs.state()
                    if noted or runs.epoch % checkpoint_every == 0 or runs.epoch >= epochs or not runs.going:
                        replace(target, prepared(target, whole)[1])
                if noted:
                    break
        finally:
            for m, mode in modes:
                m.training = mode
        for member in runs.going:
            together.settle(member.number)
        if noted:
            kept = f"; resume={os.fspath(checkpoint)!r} goes on after these epochs" if checkpoint is not None else ""
            raise KeyboardInterrupt(f"after {runs.epoch} epochs and {runs.batch} batches{kept}")
    bank = Bank._of(models, [m.history for m in runs.members])
    for k, member in enumerate(runs.members):
        for stop in member.callbacks:
            assert isinstance(stop, EarlyStopping)
            if stop.kept is not None:
                models[k].load_state_dict(stop.kept)
                bank.rows[k] -= stop.waited
    return bank


def _check(
    models: list[Any], optimizers: list[Any], schedulers: list[Any], callbacks: Sequence[Any], validation: Any
) -> None:
    """Raise ArgumentError for what cannot be trained together."""
    check_alike("fit_many", models)
    for name, given in {"optimisers": optimizers, "schedulers": schedulers}.items():
        if len(given) != len(models):
            raise ArgumentError(f"fit_many: one for each network, got {len(given)} {name} for {len(models)} networks")
    for k, (model, o, schedule) in enumerate(zip(models, optimizers, schedulers, strict=True)):
        if not isinstance(o, Optimizer):
            raise ArgumentError(f"fit_many takes an optimiser for each network, got {describe(o)} for network {k}")
        if isinstance(o, Whole):
            raise ArgumentError(
                f"fit_many steps by the gradients of batches, and {type(o).__name__} asks for the loss again and "
                "again, network by network: call optimizer.step(closure) in a loop of your own"
            )
        if {id(p) for p in model.parameters()}.isdisjoint(id(p) for p in o.params):
            raise ArgumentError(
                f"fit_many: no parameter that optimiser {k} steps is of network {k}; was the network made again after "
                "the optimiser, or is the order another?"
            )
        if schedule is not None and getattr(schedule, "optimizer", None) is not o:
            raise ArgumentError(f"fit_many: scheduler {k}, {describe(schedule)}, is not one of optimiser {k}")
        if validation is None and isinstance(schedule, ReduceLROnPlateau):
            raise ArgumentError("fit_many: ReduceLROnPlateau watches the loss on validation data; give validation=")
    for c in callbacks:
        if type(c) is not EarlyStopping:
            raise ArgumentError(
                f"fit_many: {type(c).__name__} is a callback of one run, and here there are {len(models)}; of "
                "callbacks EarlyStopping alone is known. Read the histories of the bank, or use fit for one network"
            )


def _epoch(
    runs: Runs, noted: list[int], bar: Progress, accumulate: int, validation: Any, metrics: Mapping[str, Metric]
) -> None:
    """One epoch of all networks, up to the next step after Ctrl-C."""
    together = runs.together
    start, before = time.perf_counter(), together.copy()
    rates = [o.param_groups[0]["lr"] for o in together.optimizers]
    if any(s is not None for s in runs.schedulers):
        together.numbers()
    total, count = np.zeros(together.size), 0
    for taken in steps_of(runs, accumulate):
        for losses, n in zip(taken.losses, taken.examples, strict=True):
            with ignoring():  # of networks that go astray, which are told of below
                total, count = total + n * losses, count + n
            runs.batch += taken.batches // len(taken.examples)
            for k in np.flatnonzero(~np.isfinite(losses)):
                member = runs.members[k]
                if member.reason is None:
                    together.settle(member.number, before)
                    steps = -(-runs.batch // accumulate)
                    member.end(f"epoch {runs.epoch + 1}, step {steps}: the loss is {losses[k]}")
        if not taken.told and _per_batch(runs.schedulers):
            together.numbers()
        bar.step()
        if noted or not runs.going:
            return
    if not count:
        raise ArgumentError("fit_many: there is no batch in the data")
    runs.epoch, runs.batch = runs.epoch + 1, 0
    columns = {"loss": total / count}
    if validation is not None:
        with ignoring():
            columns |= {f"val_{name}": v for name, v in together.evaluate(validation, metrics).items()}
    going = runs.going
    for m in going:
        m.epoch = runs.epoch
        row = {"epoch": runs.epoch, **{name: float(v[m.number]) for name, v in columns.items()}}
        m.history.rows.append({"epoch": row.pop("epoch"), "loss": row.pop("loss"), "lr": rates[m.number], **row})
        schedule = runs.schedulers[m.number]
        if isinstance(schedule, ReduceLROnPlateau):
            schedule.step(row["val_loss"])
        elif schedule is not None and not goes_by_batches(schedule):
            schedule.step()
    seconds = time.perf_counter() - start
    numbers = [m.number for m in going]
    bar.row({"epoch": runs.epoch, **{f"median {k}": float(np.median(v[numbers])) for k, v in columns.items()}})
    for m in going:
        m.history[-1]["seconds"] = seconds
        for c in m.callbacks:
            c.on_epoch_end(m)


def _per_batch(schedulers: Sequence[Any]) -> bool:
    """A step of the schedulers that go by batches; whether there are any."""
    went = [after_batch(s) for s in schedulers]
    return any(went)
