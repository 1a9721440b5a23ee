"""`watch`: how values and gradients of a network go on while it is trained."""

from __future__ import annotations

import csv
import importlib
import os
from collections.abc import Callable, Mapping
from typing import Any

from ..core.arguments import named
from ..core.errors import ArgumentError, FileError, MissingExtra, TraceError, describe
from ..core.node import TRACED
from ..core.notebook import bundle
from ..core.tensor import MODE, Tensor
from ..core.tree import flatten
from ..nn.module import Module
from ..nn.parameter import Parameter
from .series import BOUNDS, COLUMNS, Series, measures
from .summary import opened, own_parameters
from .tables import Table
from .verdicts import Trouble, troubles


class Watch:
    """What `watch` returns: the records of a network in training, as tables, rows and pictures.

    `table()` the latest numbers, `rows()` all of them, `save(path)` as CSV, `plot()` a figure, `trouble()` what is
    wrong in words. It is a context; `close()` takes its hooks away, and the records stay.
    """

    __stays__ = True  # a copy of the model has the same observer

    def __init__(self, model: Module, every: int, limit: int, activations: bool, gradients: bool) -> None:
        self.model, self.every, self.limit, self.gradients = model, every, limit, gradients
        self.steps = 0  # calls of the model in training
        self.series: dict[tuple[str, str], Series] = {}
        self._handles: list[Any] = []
        hooks: list[Any] = []
        try:
            self._hook(activations, hooks)
        except BaseException:  # an interrupt may have lost the handle of the last one
            _take_away(hooks, model)
            raise

    def _hook(self, activations: bool, hooks: list[Any]) -> None:
        """Register hooks, each of which is in `hooks` before."""

        def add(register: Callable[[Any], Any], hook: Any) -> None:
            hooks.append(hook)
            self._handles.append(register(hook))

        done: set[int] = set()
        for name, module in self.model.named_modules():
            if id(module) in done:
                continue
            done.add(id(module))
            parts = own_parameters(module)
            leaf = next(iter(module.children()), None) is None
            if (activations and (leaf or parts)) or parts:
                shown = activations and bool(name)
                add(module.register_forward_hook, self._called(name, shown, parts))
            for k, p in parts.items():
                path = f"{name}.{k}" if name else k
                if self.gradients and p.learns and ("parameter", path) not in self.series:
                    add(p.register_hook, self._arrived(path, p))
        add(self.model.register_forward_hook, self._end)
        self._order = {path: k for k, path in enumerate(path for path, _ in self.model.named_parameters())}

    # -- what the hooks note -----------------------------------------------------------------------------
    def _recording(self) -> bool:
        mode = MODE.innermost() and MODE.get()
        return (mode is None or mode.differentiable) and self.steps % self.every == 0

    def _called(self, name: str, shown: bool, parts: Mapping[str, Any]) -> Callable[..., None]:
        def hook(module: Module, args: Any, y: Any) -> None:
            if not module.training or not self._recording():
                return
            tensors = [leaf for leaf in flatten(y)[0] if isinstance(leaf, Tensor)]
            _refuse_traced(tensors)
            if shown:
                for k, t in enumerate(tensors):
                    self._activation(name if len(tensors) == 1 else f"{name}[{k}]", t)
            for key, p in parts.items():  # of a transform, which has tensors of its own in their places
                alias = module.__dict__.get(key)
                if self.gradients and isinstance(alias, Parameter) and alias is not p and alias.requires_grad:
                    alias.register_hook(self._arrived(f"{name}.{key}" if name else key, p))

        vars(hook)["__stays__"] = True  # it tells the parameters from what stands for them
        return hook

    def _activation(self, name: str, y: Tensor) -> None:
        data, step = y.node.data, self.steps
        series = self._of("activation", name)
        row = measures(data, BOUNDS.get(y.node.op.name if y.node.op is not None else ""), units=True)
        series.add(step, row)
        if self.gradients and y.requires_grad:

            def arrived(g: Tensor) -> None:
                found = measures(g.node.data, None)
                series.update(
                    step, {"gradient": found["norm"], "gradient_rms": found["rms"], "nan_gradient": found["nan"]}
                )

            y.register_hook(arrived)

    def _arrived(self, path: str, p: Parameter) -> Callable[[Tensor], None]:
        def hook(g: Tensor) -> None:
            if g.node.live & TRACED:
                _refuse_traced([g])
            step = max(self.steps - 1, 0)  # the model's call is over
            if step % self.every:
                return
            series = self._of("parameter", path)
            row = measures(p.node.data, None)
            found = measures(g.node.data, None)
            row |= {"gradient": found["norm"], "gradient_rms": found["rms"], "nan_gradient": found["nan"]}
            row["zero_gradients"] = found["zeros"]
            row["ratio"] = found["norm"] / row["norm"] if row["norm"] else float("inf") if found["norm"] else 0.0
            series.add(step, row)

        return hook

    def _end(self, module: Module, args: Any, y: Any) -> None:
        mode = MODE.innermost() and MODE.get()
        if module.training and (mode is None or mode.differentiable):
            self.steps += 1

    def _of(self, kind: str, name: str) -> Series:
        series = self.series.get((kind, name))
        if series is None:
            series = self.series[kind, name] = Series(kind, name, self.limit)
        return series

    def _ordered(self) -> list[Series]:
        """Activations as they came, and then the parameters as the model has them."""
        return sorted(self.series.values(), key=lambda s: (s.kind, self._order.get(s.name, 0)))

    # -- what is asked of it -----------------------------------------------------------------------------
    def close(self) -> None:
        """Take the hooks away; the records stay."""
        while self._handles:
            self._handles.pop().remove()

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def rows(self) -> list[dict[str, Any]]:
        """All records: a dict each, with "step", "kind", "name" and what was measured."""
        found = [
            {"step": step, "kind": s.kind, "name": s.name, **row} for s in self.series.values() for step, row in s.rows
        ]
        return sorted(found, key=lambda row: row["step"])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all records to a CSV file. Raises FileError where that fails."""
        rows = self.rows()
        names = ["step", "kind", "name", *COLUMNS]
        try:
            with open(path, "w", newline="") as file:
                writer = csv.DictWriter(file, names, restval="", extrasaction="ignore")
                writer.writeheader()
                writer.writerows(rows)
        except (OSError, TypeError, ValueError) as error:
            raise FileError(f"watch: {path!r} cannot be written: {error}") from error

    def table(self) -> Table:
        """The latest numbers, a row for each activation and each parameter."""
        columns = [
            "name",
            "kind",
            "step",
            "norm",
            "|grad|",
            "|grad|/|value|",
            "% zeros",
            "% dead",
            "% saturated",
            "NaN",
        ]
        rows = []
        for s in self._ordered():
            if not s.rows:
                continue
            step, row = s.rows[-1]
            ratio = row.get("ratio")
            if ratio is None and row.get("gradient") is not None and row["norm"]:
                ratio = row["gradient"] / row["norm"]
            shares = [None if row.get(k) is None else round(100 * row[k], 1) for k in ("zeros", "dead", "saturated")]
            nan = int(row["nan"]) + int(row.get("nan_gradient") or 0)
            rows.append([s.name, s.kind, step, row["norm"], row.get("gradient"), ratio, *shares, nan])
        title = f"{type(self.model).__name__} after {self.steps:,} step{'' if self.steps == 1 else 's'}"
        return Table(title, columns, rows, [str(t) for t in self.trouble()])

    def trouble(self) -> list[Trouble]:
        """What is wrong, in words, by layer: NaN, gradients that vanish or explode, dead and saturated units.

        Each entry has `kind`, `name`, `step`, `words`; the list is empty where nothing is wrong.
        """
        learning = [
            (f"{n}.{k}" if n else k)
            for n, m in self.model.named_modules()
            for k, p in own_parameters(m).items()
            if p.learns
        ]
        return troubles(self.series, learning if self.gradients else [], self.steps)

    def plot(self, path: Any = None) -> Any:
        """Values, gradients, their ratio and the zeros of each layer against the steps: a matplotlib Figure.

        It is saved if a path is given. Raises MissingExtra without matplotlib.
        """
        try:
            figures = importlib.import_module("matplotlib.figure")
        except ImportError as error:
            raise MissingExtra("watch.plot() needs matplotlib: pip install 'tinygrad_math[viz]'") from error
        if path is not None and not isinstance(path, (str, os.PathLike)) and not callable(getattr(path, "write", None)):
            raise ArgumentError(f"watch.plot(): path is that of a picture, or an open file, got {describe(path)}")
        panels = [
            ("activation", "rms", "values (root mean square)", True),
            ("activation", "gradient_rms", "gradients of them", True),
            ("parameter", "ratio", "parameters: |grad| / |value|", True),
            ("activation", "zeros", "share of zeros", False),
        ]
        figure = figures.Figure(figsize=(9.6, 6.4), layout="constrained")
        axes = figure.subplots(2, 2, sharex=True).ravel()
        series = [s for s in self._ordered() if s.rows]
        names = {kind: [s.name for s in series if s.kind == kind] for kind in ("activation", "parameter")}
        colours = importlib.import_module("matplotlib").colormaps["viridis"]
        for ax, (kind, key, title, logarithmic) in zip(axes, panels, strict=True):
            positive = False
            for s in series:
                points = [(step, row[key]) for step, row in s.rows if row.get(key) is not None]
                if s.kind != kind or not points:
                    continue
                k, last = names[kind].index(s.name), len(names[kind]) - 1
                told = last < 12 or k in (0, last // 2, last)  # of many, a legend shows three, and so the colours
                style = {"marker": ".", "markersize": 3, "color": colours(0.92 * k / max(last, 1))}
                ax.plot(*zip(*points, strict=True), label=s.name if told else None, **style)
                positive = positive or any(v > 0 for _, v in points)
            ax.set_title(title, fontsize=10, loc="left")
            if logarithmic and positive:
                ax.set_yscale("log")
            ax.spines[["top", "right"]].set_visible(False)
            if not logarithmic:
                ax.set_ylim(-0.03, 1.03)
            if ax.get_legend_handles_labels()[0]:
                ax.legend(frameon=False, fontsize=7)
        for ax in axes[2:]:
            ax.set_xlabel("step")
            ax.xaxis.get_major_locator().set_params(integer=True)
        if path is not None:
            figure.savefig(path, dpi=110)
        return figure

    def __str__(self) -> str:
        return str(self.table())

    def __repr__(self) -> str:
        steps = f"{self.steps} step{'' if self.steps == 1 else 's'}"
        return f"<watch of {type(self.model).__name__}: {steps}, {len(self.series)} series>"

    def __rich__(self) -> Any:
        return self.table().__rich__()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """What a notebook shows: never an error."""
        return bundle(self, html=lambda: self.table().html())


def _take_away(hooks: list[Any], model: Module) -> None:
    """Take these hooks away from a model and its parameters."""
    tables: list[Any] = [module._hooks for module in model.modules()]
    tables += [p.node.meta.hooks for p in model.parameters() if p.node.meta is not None and p.node.meta.hooks]
    for table in tables:
        for key in [k for k, hook in table.items() if any(hook is h for h in hooks)]:
            del table[key]


@named
def watch(model: Any, every: int = 1, *, limit: int = 500, activations: bool = True, gradients: bool = True) -> Watch:
    """Record how values and gradients of a network go on in training, by layer and by parameter.

    What it records: norm, root mean square, share of zeros and count of NaN of each output and each parameter, norm of
    its gradient, |grad|/|value|, dead units (0 for every example of the batch), saturated units (tanh, sigmoid near
    their bounds). Training goes on bit for bit as without it.

    Arguments: `model` a module in training mode; calls in eval mode or under `no_grad` are not counted. `every` so many
    calls of the model are recorded once; `limit` records are kept of each: beyond, every second one goes.
    `activations`, `gradients` switch off what is not wanted. Returns a Watch, also a context that ends with its block.
    Raises ArgumentError; TraceError where the model is compiled while it is watched: its values are not known then.

    >>> import numpy as np, tinygrad_math as tm
    >>> net = tm.nn.Sequential(tm.nn.Linear(2, 3, rng=0), tm.nn.ReLU(), tm.nn.Linear(3, 1, rng=1))
    >>> with tm.inspect.watch(net) as w:
    ...     net(np.ones((4, 2))).sum().backward()
    >>> [(row["kind"], row["name"]) for row in w.rows()][:3]
    [('activation', '0'), ('activation', '1'), ('activation', '2')]
    """
    model = opened(model)
    if not isinstance(model, Module):
        raise ArgumentError(f"watch takes a module, got {describe(model)}")
    if every < 1 or limit < 2:
        raise ArgumentError(f"watch: every is a whole number from 1 on and limit from 2 on, got {every} and {limit}")
    return Watch(model, every, limit, activations, gradients)


def _refuse_traced(tensors: list[Tensor]) -> None:
    if any(t.node.live & TRACED for t in tensors):
        raise TraceError(
            "this module is watched, and is being compiled: its values are not known while it is traced. close() the "
            "watch, or train without compiling while you look, as fit(compile=False)"
        )
