"""What a network is made of, and how its numbers are: a row a layer."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import random
from ..compiler.cache import Compiled
from ..core.arguments import named
from ..core.errors import ArgumentError, describe
from ..core.looking import refuse_unknown
from ..core.mode import no_grad
from ..core.node import Node
from ..core.quiet import ignoring
from ..core.tensor import Tensor, wrap
from ..core.tree import flatten
from ..nn.module import Module
from ..nn.parameter import Parameter
from .tables import Table


class Layer(NamedTuple):
    """One row of a summary."""

    name: str
    kind: str
    shape: Any  # of the output: a tuple, a list of them for several, None where it is not known
    parameters: int  # of its own, each counted at the first layer that has it
    trainable: int
    grad: float | None  # the norm of the gradients of its parameters
    ratio: float | None  # the same, divided by the norm of the parameters
    zeros: float | None  # the share of zeros in the output, or without an input in the parameters
    nan: int  # numbers that are none, in parameters, gradients and output
    note: str


class Summary(Table):
    """The rows of `summary`: `layers`, with the totals `parameters`, `trainable`, `nbytes`; it shows itself."""

    def __init__(self, title: str, layers: Sequence[Layer], ran: bool, buffers: int, nbytes: int) -> None:
        self.layers = list(layers)
        self.parameters = sum(layer.parameters for layer in layers)
        self.trainable = sum(layer.trainable for layer in layers)
        self.nbytes = nbytes
        columns = ["layer", "type", *(["output"] if ran else []), "parameters", "|grad|", "|grad|/|value|"]
        columns += ["% zeros" if ran else "% zeros (parameters)", "NaN", "note"]
        rows = []
        for r in layers:
            shape = [_shapes(r.shape)] if ran else []
            share = None if r.zeros is None else round(100 * r.zeros, 1)
            rows.append([r.name, r.kind, *shape, r.parameters, r.grad, r.ratio, share, r.nan, r.note])
        if not any(r.note for r in layers):
            columns, rows = columns[:-1], [row[:-1] for row in rows]
        frozen = self.parameters - self.trainable
        total = f"{self.parameters:,} parameters, {self.trainable:,} of them learn"
        notes = [f"{total}{f', {frozen:,} are frozen' if frozen else ''}; {_bytes(nbytes)}"]
        if buffers:
            notes.append(f"{buffers:,} numbers in buffers")
        super().__init__(title, columns, rows, notes)


@named
def summary(model: Any, x: Any = None) -> Summary:
    """A row a layer: its type, output shape, parameters, gradients and what is odd about its numbers.

    Arguments: `model` a module, compiled or not; `x` an input, a tuple for several: it is run through a copy of the
    model in eval mode, without gradients, so that the shapes of the outputs are known. Nothing is changed: no buffer,
    no mode, no random stream, and hooks are not called. `% zeros` is of the output where there is an input, else of
    the parameters; `NaN` counts in parameters, gradients and output.
    Returns a table with `layers`, `parameters`, `trainable` and `nbytes`; it shows itself as text, in a notebook, and
    by `rich.print`. Raises ArgumentError for what is no module.

    >>> import numpy as np, tinygrad_math as tm
    >>> net = tm.nn.Sequential(tm.nn.Linear(2, 3, rng=0), tm.nn.ReLU(), tm.nn.Linear(3, 1, rng=1))
    >>> s = tm.inspect.summary(net, np.ones((5, 2)))
    >>> [(layer.name, layer.shape, layer.parameters) for layer in s.layers]
    [('0', (5, 3), 9), ('1', (5, 3), 0), ('2', (5, 1), 4)]
    """
    model = opened(model)
    if not isinstance(model, Module):
        raise ArgumentError(f"summary takes a module, got {describe(model)}")
    outputs = _run(model, x if isinstance(x, tuple) else (x,)) if x is not None else {}
    layers: list[Layer] = []
    seen: dict[int, str] = {}
    modules: dict[int, str] = {}
    for name, module in model.named_modules(remove_duplicate=False):
        own = own_parameters(module)
        if not own and next(iter(module.children()), None) is not None:  # a container
            continue
        twin = modules.get(id(module))
        new = {k: p for k, p in own.items() if id(p) not in seen}
        notes = (
            [f"the same as {twin}"] if twin else [f"{k} is of {seen[id(p)]}" for k, p in own.items() if k not in new]
        )
        modules.setdefault(id(module), name or "(itself)")
        seen.update((id(p), name or "(itself)") for p in new.values())
        frozen = [k for k, p in own.items() if not p.learns]
        if frozen:
            notes.append("frozen" if len(frozen) == len(own) else f"{', '.join(frozen)} frozen")
        ys, calls = outputs.get(name, ([], 0))
        if calls > 1:
            notes.append(f"called {calls} times")
        layers.append(_layer(name or "(itself)", module, own, new, ys if calls else None, notes))
    title = type(model).__name__
    buffers = sum(b.size for b in model.buffers())
    nbytes = sum(p.nbytes for p in model.parameters()) + sum(b.nbytes for b in model.buffers())
    return Summary(title, layers, bool(outputs), buffers, nbytes)


def opened(model: Any) -> Any:
    """A compiled module stands for the module."""
    return model.module if isinstance(model, Compiled) and model.module is not None else model


def own_parameters(module: Module) -> dict[str, Parameter]:
    """The parameters that are attributes of a module itself, in lists and dicts too."""
    below = {id(p) for child in module.children() for p in child.parameters()}
    direct = {k: v for k, v in module.__dict__.items() if isinstance(v, Parameter)}
    rest = {k: p for k, p in module.named_parameters() if id(p) not in below and "." in k}
    return direct | {k: p for k, p in rest.items() if not any(p is d for d in direct.values())}


def _layer(
    name: str, module: Module, own: dict[str, Parameter], new: dict[str, Parameter], ys: Any, notes: list[str]
) -> Layer:
    refuse_unknown((t.node for t in (*own.values(), *(ys or ()))), "summary")
    grads = [p.grad.node.data for p in own.values() if p.grad is not None]
    values = [p.node.data for p, g in ((p, p.grad) for p in own.values()) if g is not None]
    grad = norm(grads) if grads else None
    size = norm(values) if values else 0.0
    arrays = [p.node.data for p in own.values()]
    counted = [t.node.data for t in ys] if ys is not None else arrays
    total = sum(np.size(a) for a in counted)
    zeros = sum(int(np.size(a) - np.count_nonzero(a)) for a in counted) / total if total else None
    nan = sum(nans(a) for a in [*arrays, *grads, *([t.node.data for t in ys] if ys is not None else [])])
    shapes = None if ys is None else [t.shape for t in ys]
    return Layer(
        name, type(module).__name__, shapes[0] if shapes is not None and len(shapes) == 1 else shapes,
        sum(p.size for p in new.values()), sum(p.size for p in new.values() if p.learns), grad,
        None if grad is None or not size else grad / size, zeros, nan, "; ".join(notes),
    )  # fmt: skip


def norm(arrays: Sequence[Any]) -> float:
    """The Euclidean norm of all numbers in some arrays; it does not overflow before its result does."""
    norms = [float(np.linalg.norm(np.ravel(np.asarray(a, np.result_type(a, np.float64))))) for a in arrays]
    return float(np.hypot.reduce(norms)) if norms else 0.0


def nans(array: Any) -> int:
    a = np.asarray(array)
    return int(np.isnan(a).sum()) if a.dtype.kind in "fc" else 0


def _run(model: Module, given: tuple[Any, ...]) -> dict[str, tuple[list[Tensor], int]]:
    """What each module returns, by its path, and how many times it was called; the last call counts."""
    twin = _twin(model)
    found: dict[str, tuple[list[Tensor], int]] = {}
    paths: dict[int, list[str]] = {}
    for name, module in twin.named_modules(remove_duplicate=False):
        paths.setdefault(id(module), []).append(name)

    def note(module: Module, args: Any, y: Any) -> None:
        ys = [leaf for leaf in flatten(y)[0] if isinstance(leaf, Tensor)]
        for name in paths[id(module)]:
            found[name] = ys, found.get(name, ((), 0))[1] + 1

    for module in twin.modules():
        for own in ("_hooks", "_before", "_backward"):  # those of the model are not asked
            module.__dict__.pop(own, None)
        module.register_forward_hook(note)
        object.__setattr__(module, "training", False)
    with _streams_kept(twin), no_grad(), ignoring():
        twin(*given)
    return found


def _twin(model: Module) -> Module:
    """A copy whose attributes can be written to, with buffers of its own; the parameters are the same."""
    buffers = {name: wrap(Node(np.array(b.node.data))) for name, b in model.named_buffers()}
    twin = model.with_tensors(buffers)
    for module in list(twin.modules()):
        for name, value in list(module.__dict__.items()):
            if isinstance(value, Compiled) and value.module is not None:
                object.__setattr__(module, name, _twin(value.module))
            elif isinstance(value, (list, tuple)) and any(isinstance(v, Compiled) for v in value):
                object.__setattr__(module, name, type(value)(_uncompiled(v) for v in value))
    return twin


def _uncompiled(value: Any) -> Any:
    return _twin(value.module) if isinstance(value, Compiled) and value.module is not None else value


@contextlib.contextmanager
def _streams_kept(model: Module) -> Iterator[None]:
    """Random streams, the shared one and those that modules hold, stand afterwards where they stood."""
    held = [
        v
        for m in model.modules()
        for v in m.__dict__.values()
        if isinstance(v, (random.Generator, np.random.Generator))
    ]
    streams: list[Any] = [
        (g.numpy if isinstance(g, random.Generator) else g).bit_generator for g in (random.shared, *held)
    ]
    states = [copy.deepcopy(s.state) for s in streams]
    try:
        yield
    finally:
        for stream, state in zip(streams, states, strict=True):
            stream.state = state


def _shapes(shape: Any) -> str:
    if shape is None:
        return "not run"
    return ", ".join(map(str, shape)) if isinstance(shape, list) else str(shape)


def _bytes(n: int) -> str:
    size = float(n)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"
