"""`fit`: the training loop."""

from __future__ import annotations

import contextlib
import functools
import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import FunctionType
from typing import Any

import numpy as np

from ..compiler.cache import backend_of
from ..core.arguments import named
from ..core.errors import AnomalyError, ArgumentError, NonFiniteLoss, ShapeError, describe
from ..core.mode import no_grad
from ..core.tensor import Tensor, as_tensor
from ..data.loader import DataLoader, Passes
from ..inspect.anomaly import detect_anomaly
from ..nn.module import Module
from ..optim.lr_scheduler import ReduceLROnPlateau
from ..optim.optimizer import Optimizer
from ..optim.schedule import after_batch, goes_by_batches
from ..optim.vectors import Whole
from ..saving.archive import alone, replace
from ..saving.files import prepared
from .callbacks import Callback
from .history import History
from .measures import means
from .placed import Loss, forward, targets_of
from .progress import Progress
from .run import Run, interruptible
from .steps import Eager
from .stretches import Stretched

Metric = Callable[[Any, Any], Any]


@named
def accuracy(prediction: Any, target: Any) -> float:
    """The share of examples that are given the right class.

    Arguments: scores (n, classes, ...) with labels (n, ...); or scores of one class, (n,) or (n, 1, ...), above 0 for
    1, with labels of either of these shapes. Raises ShapeError for others, as for one-hot labels.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.train.accuracy(np.array([[2.0, 1.0], [0.0, 3.0]]), np.array([0, 0]))
    0.5
    """
    given, wanted = (np.asarray(as_tensor(x).detach().numpy()) for x in (prediction, target))
    if not given.size or not given.ndim:
        raise ShapeError(f"accuracy: the examples lie along the first axis, got {describe(given)}")
    scores, labels = (x[:, 0] if x.ndim > 1 and x.shape[1] == 1 else x for x in (given, wanted))
    found = scores > 0 if given.ndim == 1 or scores is not given else given.argmax(1)
    labels = wanted if wanted.shape == found.shape else labels
    if labels.shape != found.shape:
        hint = "; of one-hot labels give labels.argmax(1)" if given.shape == wanted.shape else ""
        raise ShapeError(f"accuracy: scores {describe(given)} do not belong to labels {describe(wanted)}{hint}")
    return float(np.mean(found == labels))


def loader_of(data: Any, shuffle: bool) -> Any:
    """A DataLoader as it is; arrays or a data set in batches of 32."""
    if _on_a_cluster(data):
        raise ArgumentError(
            "Shards lie with workers, and what is measured here needs its rows here: give arrays, a data set or a "
            f"DataLoader; tm.distributed.evaluate measures over shards; got {describe(data)}"
        )
    if isinstance(data, DataLoader) or (hasattr(data, "__iter__") and not hasattr(data, "__getitem__")):
        if iter(data) is data:
            raise ArgumentError("fit goes over the data many times; an iterator can be used once. Give a DataLoader")
        return data
    if _names_shards(data):
        raise ArgumentError(
            "files and functions that make rows are shards, which workers load: give them to fit with client=, "
            f"'synchronous' for this process alone, or load the rows and give arrays; got {describe(data)}"
        )
    if isinstance(data, (np.ndarray, Tensor)):
        data = (data,)
    if isinstance(data, tuple):
        data = tuple(x if isinstance(x, (np.ndarray, Tensor)) else as_tensor(x) for x in data)
    return DataLoader(data, batch_size=32, shuffle=shuffle)


def _names_shards(data: Any) -> bool:
    """Whether data are paths, or functions without arguments, and no examples."""
    first = data[0] if isinstance(data, (list, tuple)) and data else data
    first = first[0] if isinstance(first, tuple) and first else first
    return isinstance(first, (str, os.PathLike, FunctionType, functools.partial))


def looked_at(data: Any) -> Any:
    """Batches of data that are only looked at: a DataLoader keeps its place."""
    loader = loader_of(data, shuffle=False)
    return loader._aside() if isinstance(loader, Passes) else loader


def check_counts(asker: str, **counts: Any) -> None:
    """Raise ArgumentError for what is no whole number from 1 on, `epochs` from 0 on."""
    for name, n in counts.items():
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < (name != "epochs"):
            raise ArgumentError(f"{asker}: {name} is a whole number, got {n!r:.40}")


def check_clip(asker: str, **bounds: Any) -> None:
    """Raise ArgumentError for a bound of gradients that is neither None nor a number from 0 on."""
    for name, bound in bounds.items():
        number = isinstance(bound, (int, float, np.integer, np.floating)) and not isinstance(bound, bool)
        if bound is not None and not (number and bound >= 0):
            raise ArgumentError(f"{asker}: {name} is a number from 0 on, got {bound!r:.40}")


def _check_helpers(optimizer: Optimizer, scheduler: Any, callbacks: Any) -> None:
    """Raise ArgumentError for what is no scheduler of this optimiser, or no list of callbacks."""
    if scheduler is not None:
        lacking = [m for m in ("step", "state_dict", "load_state_dict") if not callable(getattr(scheduler, m, None))]
        if lacking or isinstance(scheduler, type):
            raise ArgumentError(
                "fit: scheduler is one of tm.optim.lr_scheduler, made with the optimiser (of several a SequentialLR), "
                f"got {describe(scheduler)}"
            )
        if getattr(scheduler, "optimizer", optimizer) is not optimizer:
            raise ArgumentError(
                f"fit: the scheduler {type(scheduler).__name__} is of another optimiser than the one that is given, "
                "whose lr would never change"
            )
    if isinstance(callbacks, (Callback, type, str)) or not isinstance(callbacks, Iterable):
        raise ArgumentError(f"fit: callbacks is a list of callbacks, got {describe(callbacks)}")
    for c in callbacks:
        if not isinstance(c, Callback):
            raise ArgumentError(
                f"fit: a callback is an object of a subclass of tm.train.Callback, got {describe(c)}; write "
                + (f"{c.__name__}()" if isinstance(c, type) else "a class with on_epoch_end(self, run)")
            )


@named
def evaluate(model: Module, data: Any, loss: Loss, metrics: Mapping[str, Metric] | None = None) -> dict[str, float]:
    """The loss, and other measures, of a model on data: in eval mode, without gradients; nothing is changed.

    Arguments: `data` a DataLoader, a data set, or arrays (input, target); `metrics` functions of (prediction, target).
    The batch size changes nothing: a loss that is a mean over the examples, and a metric, is the mean over all, a loss
    that is a sum the sum. Of `cross_entropy` and `nll_loss`, given as they are, as a module or by `functools.partial`,
    batches count by the weights of their targets. What a loss of one's own is, is seen by measuring it of neighbouring
    batches together; one that is neither is measured of all examples in one batch.

    Raises ArgumentError where there is no example, and for such a loss where the batches cannot be joined.

    >>> import numpy as np, tinygrad_math as tm
    >>> net = tm.nn.Linear(1, 1)
    >>> sorted(tm.train.evaluate(net, tm.data.sine(10, rng=0), tm.nn.functional.mse_loss))
    ['loss']
    """

    def measured(batch: Any) -> tuple[dict[str, float], Any]:
        y, prediction = forward(model, loss, batch)
        target = targets_of(batch)[0]
        found = {n: float(f(prediction, target)) for n, f in (metrics or {}).items()}
        return {"loss": as_tensor(y).item()} | found, prediction

    with no_grad():
        found: dict[str, float] = means("evaluate", model, loss, looked_at(data), measured)
    return found


@named
def fit(
    model: Module,
    data: Any,
    loss: Loss,
    optimizer: Optimizer,
    epochs: int = 1,
    validation: Any = None,
    scheduler: Any = None,
    callbacks: Sequence[Callback] = (),
    compile: bool | str = False,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: str | os.PathLike[str] | None = None,
    *,
    client: Any = None,
    metrics: Mapping[str, Metric] | None = None,
    accumulate: int = 1,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    checkpoint_every: int = 1,
    progress: bool = True,
) -> History:
    """Train a model, and return what was measured, a row an epoch.

    Arguments: `data` a DataLoader, a data set, or arrays (input, target), then in shuffled batches of 32; `loss` a
    function of (prediction, target), also a loss module; a batch of one part is its own target. `epochs` to have done
    at the end, those before a resume included. `validation` data that are measured after each epoch in eval mode,
    with `metrics`, functions of (prediction, target). `scheduler` goes a step each epoch, OneCycleLR and CyclicLR each
    batch, ReduceLROnPlateau with the validation's loss. `compile` runs each step as one program, True as NumPy's;
    "native" and "auto" are `tm.compile`'s backends, on this machine (on a cluster as True); the results are the same,
    but that programs keep no gradients: each parameter's `grad` is None afterwards, where eager steps leave the last.
    Steps on full batches of arrays are taken up to an epoch at a time, where no callback has `on_batch_end`; machine
    code takes a second or two to be made ready, and pays from some thousand steps on.
    `checkpoint` a path (.npz) to which the whole state of the run is saved every `checkpoint_every` epochs, at the
    end, and on Ctrl-C, which ends the run between two steps; `resume` a checkpoint to go on from, if the file is
    there: the run then ends bit for bit where an unbroken one ends; one that was stopped stays so. `accumulate`
    batches make one step, on the mean of their losses; `clip_norm` and `clip_value` bound the gradients. `progress`
    shows a bar, or lines where the output is no terminal.
    `client` a Dask client (or "synchronous", "threads"), whose workers compute the gradient of each step, each of some
    rows, as `tm.distributed.value_and_grad` does: the steps are those of one machine but for rounding, the loss being a
    mean over examples, or a module of reduction="sum"; weights of classes and labels that do not count are known of
    `nll_loss` and `cross_entropy` (themselves, their modules, or a partial); another one is refused where the first
    batches show it. Data in memory are sent to each worker once; `data` may
    also be shards, or `tm.distributed.Batches` of them, which workers load themselves. What a batch norm would
    measure is refused.

    Raises NonFiniteLoss, which names the step and the op, for a loss that is no number; FileError where the
    checkpoint cannot be written, belongs to another run, or is being written by another process; KeyboardInterrupt
    after Ctrl-C, when the state has been saved.

    >>> import numpy as np, tinygrad_math as tm
    >>> x, y = tm.data.two_layer_linear(64, rng=0)
    >>> net = tm.nn.Sequential(tm.nn.Linear(4, 3, bias=False, rng=0), tm.nn.Linear(3, 2, bias=False, rng=1))
    >>> opt = tm.optim.Adam(net, lr=0.03)
    >>> h = tm.train.fit(net, (x, y), tm.nn.functional.mse_loss, opt, epochs=200, compile=True, progress=False)
    >>> h[-1]["loss"] < 1e-6
    True
    """
    check_counts("fit", epochs=epochs, accumulate=accumulate, checkpoint_every=checkpoint_every)
    check_clip("fit", clip_norm=clip_norm, clip_value=clip_value)
    if not isinstance(model, Module) or not isinstance(optimizer, Optimizer) or not callable(loss):
        raise ArgumentError(
            "fit takes a module, data, a loss and an optimiser, got "
            f"{describe(model)}, {describe(loss)} and {describe(optimizer)}"
        )
    if isinstance(optimizer, Whole):
        raise ArgumentError(
            f"fit steps by the gradients of batches, and {type(optimizer).__name__} asks for the loss again and again: "
            "call optimizer.step(closure) in a loop of your own"
        )
    learnt = {id(p) for m in (model, loss) if isinstance(m, Module) for p in m.parameters()}
    if learnt.isdisjoint(id(p) for p in optimizer.params):
        raise ArgumentError(
            "fit: no parameter that the optimiser steps is of this model, which would stay as it is; was the model "
            "made again after the optimiser?"
        )
    if validation is None and isinstance(scheduler, ReduceLROnPlateau):
        raise ArgumentError("fit: ReduceLROnPlateau watches the loss on validation data; give validation=")
    if validation is not None:  # before an epoch is spent
        looked_at(validation)
    callbacks = list(callbacks) if isinstance(callbacks, Iterator) else callbacks
    _check_helpers(optimizer, scheduler, callbacks)
    given = model, loss, optimizer, accumulate, (clip_norm, clip_value)
    backend = backend_of("fit", compile=compile)
    if client is None and not _on_a_cluster(data):
        step = Stretched(*given, backend=backend) if backend else Eager(*given)
        loader = loader_of(data, shuffle=True)
    else:
        step, loader = _apart(client, data, bool(backend), given, progress)
    run = Run(model, optimizer, scheduler, loader, callbacks, step)
    if resume is not None and os.path.exists(resume):
        run.resume(resume)
    target = None if checkpoint is None else prepared(checkpoint, None)[0]
    with contextlib.ExitStack() as stack:
        if target is not None:
            stack.enter_context(alone(target))
        noted = stack.enter_context(interruptible())
        bar = stack.enter_context(Progress(run, epochs, progress))
        modes = [(m, m.training) for m in model.modules()]
        try:
            for c in run.callbacks:
                c.on_start(run)
            while run.epoch < epochs and (run.reason is None or run.batch):  # it stops after a whole epoch
                _epoch(run, noted, bar, accumulate, validation, loss, metrics)
                if target is not None and (
                    noted or run.epoch % checkpoint_every == 0 or run.epoch >= epochs or run.reason
                ):
                    replace(target, prepared(target, run.state())[1])
                if noted:
                    kept = f"; resume={os.fspath(checkpoint)!r} goes on from here" if checkpoint is not None else ""
                    raise KeyboardInterrupt(f"after {run.epoch} epochs and {run.batch} batches{kept}")
            run.history.stopped = run.reason
        finally:
            for m, mode in modes:
                m.training = mode
            for c in run.callbacks:
                c.on_end(run)
            step.release()
    return run.history


def _on_a_cluster(data: Any) -> bool:
    return type(data).__module__.endswith((".distributed.cluster", ".distributed.picking", ".distributed.batches"))


def _apart(client: Any, data: Any, fast: bool, given: tuple[Any, ...], progress: bool) -> tuple[Eager, Any]:
    """The step and the loader of a run over a cluster."""
    from .apart import Apart, apart, is_shards, refuse, told  # Dask's side is opened where it is asked for

    if not is_shards(data):
        data = loader_of(data, shuffle=True)
        if not isinstance(data, DataLoader):
            raise refuse(data)
    loader, shards = apart(data, client)
    if progress and client is not None:
        print(told(client), file=sys.stderr, flush=True)
    return Apart(fast, shards, *given), loader


def _epoch(
    run: Run, noted: list[int], bar: Progress, accumulate: int, validation: Any, loss: Loss, metrics: Any
) -> None:
    """One epoch, or what is left of it; up to the next step after Ctrl-C."""
    run.model.train()
    start, before = time.perf_counter(), run.state()
    lr = run.optimizer.param_groups[0]["lr"]
    run.step.begin()
    for took in run.step.going(run, accumulate):
        for k, (value, n) in enumerate(zip(took.losses, took.examples, strict=True)):
            run.loss = value
            if not math.isfinite(value):
                run.batch += min((k + 1) * accumulate, took.batches)
                raise _explained(run, before, accumulate, loss)
            run.total, run.count = run.total + n * value, run.count + n
        run.batch += took.batches
        if not took.told:
            after_batch(run.scheduler)
        bar.step()
        for c in run.callbacks:
            c.on_batch_end(run)
        if noted:
            run.step.settle()
            return
    run.step.settle()
    if not run.count:
        raise ArgumentError("fit: there is no batch in the data")
    run.epoch, run.batch = run.epoch + 1, 0
    row = {"epoch": run.epoch, "loss": run.total / run.count, "lr": lr}
    run.total, run.count = 0.0, 0
    if validation is not None:
        found = evaluate(run.model, validation, loss, metrics)
        row |= {f"val_{name}": value for name, value in found.items()}
    if isinstance(run.scheduler, ReduceLROnPlateau):
        run.scheduler.step(row["val_loss"])
    elif run.scheduler is not None and not goes_by_batches(run.scheduler):
        run.scheduler.step()
    row["seconds"] = time.perf_counter() - start
    run.history.rows.append(row)
    bar.row(row)
    for c in run.callbacks:
        c.on_epoch_end(run)


def _explained(run: Run, before: Any, accumulate: int, loss: Loss) -> Exception:
    """The run is repeated by hand from the start of the epoch, to see where the numbers went."""
    steps, value = run.batch // accumulate, run.loss
    where = f"epoch {run.epoch + 1}, step {steps}: the loss is {value}"
    run.restore(before)
    if not isinstance(run.loader, DataLoader) and _on_a_cluster(run.loader):
        return NonFiniteLoss(f"{where}; tm.inspect.detect_anomaly() on one shard tells where the numbers went")
    if _on_a_cluster(run.loader):  # which hands out numbers of rows
        plain = object.__new__(DataLoader)
        plain.__dict__ = run.loader.__dict__
        run.loader = plain
    by_hand = Eager(run.model, loss, run.optimizer, accumulate, (run.step.clip_norm, run.step.clip_value))
    first = run.batch // accumulate
    for k, batches in enumerate(run.batches(accumulate), start=first + 1):
        try:
            with detect_anomaly():
                by_hand(batches)
        except AnomalyError as error:
            told = where if k == steps else f"{where}; in step {k}"
            found = NonFiniteLoss(
                f"{told}: {error}\n  training:  a smaller lr, clip_norm, or a look at the data may help"
            )
            found.__cause__ = error
            return found
        after_batch(run.scheduler)
        if k == steps:
            break
    return NonFiniteLoss(f"{where}: the optimiser's step made a parameter that is no number")
