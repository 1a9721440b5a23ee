"""`python -m tinygrad_math train TASK`: train, and leave a report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from .. import optim, random
from ..core.errors import ArgumentError, FileError
from ..data.loader import DataLoader
from ..nn.module import Module
from ..optim import lr_scheduler
from ..train.callbacks import Callback, MetricsFile
from ..train.fitting import fit
from ..train.placed import forward
from . import report
from .tasks import TASKS, bends, network
from .workers import workers

_CLASSES = {"adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop", "nadam": "NAdam", "radam": "RAdam"}
_CLASSES |= {"adagrad": "Adagrad", "adamax": "Adamax", "adadelta": "Adadelta", "sgd": "SGD"}


class GradientNorms(Callback):
    """The norm of each parameter's gradient after each epoch, on the first batch."""

    def __init__(self, loss: Any, batch: Any) -> None:
        self.loss, self.batch = loss, batch
        self.rows: list[dict[str, float]] = []

    def on_epoch_end(self, run: Any) -> None:
        run.model.zero_grad()
        state = random.shared.state
        forward(run.model, self.loss, self.batch)[0].backward()
        random.shared.state = state
        named = run.model.named_parameters()
        self.rows.append({n: float(np.linalg.norm(p.grad.numpy())) for n, p in named if p.grad is not None})
        run.model.zero_grad()

    def state_dict(self) -> dict[str, Any]:
        return {"rows": [dict(row) for row in self.rows]}

    def load_state_dict(self, state: Any) -> None:
        self.rows = [dict(row) for row in state["rows"]]


class Settings(Callback):
    """What a run was started with, in its checkpoint: one that is resumed with others would be another run."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.given = given

    def state_dict(self) -> dict[str, Any]:
        return dict(self.given)

    def load_state_dict(self, state: Any) -> None:
        for name, there in state.items():
            here = self.given.get(name, there)
            if there != here:
                why = ", which its schedule was made for" if name == "epochs" else ""
                raise FileError(
                    f"--resume: the run was started with --{name} {there}{why}, and now has {here}; give the same, or "
                    "start a new one with another --out"
                )


def optimizer(name: str, model: Module, lr: float) -> optim.Optimizer:
    more = {"momentum": 0.9} if name == "sgd" else {}
    made: optim.Optimizer = getattr(optim, _CLASSES[name])(model, lr=lr, **more)
    return made


def schedule(name: str, opt: optim.Optimizer, epochs: int, batches: int, lr: float) -> Any:
    if name == "cosine":
        return lr_scheduler.CosineAnnealingLR(opt, T_max=max(epochs, 1))
    if name == "onecycle":
        momentum = any(k in opt.param_groups[0] for k in ("betas", "momentum"))
        return lr_scheduler.OneCycleLR(opt, max_lr=lr, total_steps=max(epochs * batches, 1), cycle_momentum=momentum)
    if name == "step":
        return lr_scheduler.StepLR(opt, step_size=max(epochs // 3, 1), gamma=0.3)
    return lr_scheduler.ExponentialLR(opt, gamma=0.97) if name == "exponential" else None


def run(options: Any) -> int:
    """Train as the options say; 0, or 130 after Ctrl-C, when the run was saved."""
    name = options.task
    task = TASKS[name]
    if options.activation and not bends(name, task):
        raise ArgumentError(f"train {name}: its network has no activation to choose; leave --activation out")
    out = folder(options.out or f"{name}_output")
    epochs, lr = options.epochs or task.epochs, options.lr or task.lr
    batch, hidden = options.batch or task.batch, options.hidden or task.hidden
    rng = np.random.default_rng(options.seed)
    random.seed(options.seed)
    activation = (options.activation or "tanh") if bends(name, task) else "none"
    train, test, extra = task.load(rng)
    model = network(name, task, train[0].shape[-1], hidden, activation, extra, rng)
    loader = DataLoader(train, batch_size=batch, shuffle=True, seed=options.seed)
    opt = optimizer(options.optimizer, model, lr)
    plan = schedule(options.schedule, opt, epochs, len(loader), lr)
    started = {
        "lr": lr, "batch": batch, "hidden": ",".join(map(str, hidden)), "seed": options.seed,
        "optimizer": options.optimizer, "schedule": options.schedule,
    }  # fmt: skip
    if bends(name, task):
        started["activation"] = activation
    if options.schedule in ("cosine", "onecycle", "step"):
        started["epochs"] = epochs
    norms = GradientNorms(task.loss, next(iter(DataLoader(train, batch_size=batch))))
    callbacks = [Settings(started), norms, MetricsFile(out / "metrics.csv")]
    checkpoint = out / "checkpoint.npz"
    if options.resume and not checkpoint.exists():
        raise FileError(f"--resume: there is no checkpoint in {out}; leave it out to start")
    print(f"{task.words}: {len(train[0])} examples to learn from, {len(test[0])} to test on\n{model}")
    try:
        with workers(options.workers, options.scheduler) as client:
            history = fit(
                model, loader, task.loss, opt, epochs, validation=test, scheduler=plan,
                callbacks=callbacks, compile=options.compile, checkpoint=checkpoint,
                resume=checkpoint if options.resume else None, metrics=task.metrics, client=client,
            )  # fmt: skip
    except KeyboardInterrupt:
        if not checkpoint.exists():
            raise
        given = [a for a in options.given if a != "--resume"]
        print(f"\nstopped and saved; go on with: python -m tinygrad_math {' '.join(given)} --resume", file=sys.stderr)
        return 130
    settings = {
        "epochs": epochs, "lr": lr, "batch": batch, "hidden": "-".join(map(str, hidden)), "seed": options.seed,
        "optimizer": options.optimizer, "schedule": options.schedule, "activation": activation,
        "compiled": options.compile,
    }  # fmt: skip
    written = report.write(out, report.Result(name, task, model, train, test, extra, history, norms.rows, settings))
    last = {k: v for k, v in history[-1].items() if k.startswith("val_")}
    told = ", ".join(f"{k.removeprefix('val_')} {v:{'.4f' if abs(v) < 1e6 else '.5g'}}" for k, v in last.items())
    print(f"on the test data: {told}\nWrote {out}/: {', '.join(written)} (read report.html)")
    return 0


def folder(path: str) -> Path:
    """The folder to write into, made if need be. Raises FileError."""
    out = Path(path)
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "report.html").touch()
    except OSError as error:
        raise FileError(f"cannot write into {out}: {error.strerror or error}; choose another --out") from error
    return out
