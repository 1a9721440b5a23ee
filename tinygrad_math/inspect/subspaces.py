"""`subspaces`: which changes of its input a network does not see, and which changes of its output it cannot make."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..core.arguments import named
from ..core.errors import ArgumentError, DTypeError, describe
from ..core.looking import refuse_unknown
from ..core.opening import room
from ..core.tensor import Tensor, as_tensor
from ..core.walk import Trail, pushforward
from ..linalg.subspaces import FundamentalSubspaces, Subspace, fundamental_subspaces
from ..nn.module import Module
from ..transforms.tracing import Tape
from .computation import same_stream

__all__ = ["LayerRank", "NetworkSubspaces", "subspaces"]

_LARGEST = 1 << 24  # elements of a Jacobian


class LayerRank(NamedTuple):
    """A layer at this input: of its own map from `width` numbers to `outputs`, `own` is the rank of the Jacobian (None
    where its input is not known); of the map from the network's input to its output, `rank`; `lost` directions of the
    input are seen before it and not after it."""

    name: str
    kind: str
    width: int | None
    outputs: int
    own: int | None
    rank: int
    lost: int


class NetworkSubspaces:
    """The four subspaces of a network's Jacobian at x, and what each layer takes away.

    `jacobian` of shape (outputs, inputs), both flattened; `unseen` the Subspace of input changes that change nothing
    (the null space), `seen` its complement (the row space); `unreached` the Subspace of output changes that no input
    change makes (the left null space), `reached` its complement (the column space); `layers` a LayerRank each.
    """

    def __init__(self, jacobian: Any, four: FundamentalSubspaces, shapes: Any, layers: Sequence[LayerRank]) -> None:
        self.jacobian, self.four, self.layers = jacobian, four, tuple(layers)
        self.input_shape, self.output_shape = shapes
        self.singular_values = np.linalg.svd(np.asarray(jacobian), compute_uv=False)

    @property
    def rank(self) -> int:
        """How many independent changes of the output there are."""
        return self.four.rank

    @property
    def seen(self) -> Subspace:
        """The row space."""
        return self.four.row

    @property
    def unseen(self) -> Subspace:
        """The null space."""
        return self.four.null

    @property
    def reached(self) -> Subspace:
        """The column space."""
        return self.four.column

    @property
    def unreached(self) -> Subspace:
        """The left null space."""
        return self.four.left_null

    @property
    def unseen_directions(self) -> Tensor:
        """An orthonormal basis of what is not seen, of shape (k, *input shape)."""
        return as_tensor(np.asarray(self.unseen.basis.detach()).T.reshape(-1, *self.input_shape))

    @property
    def unreached_directions(self) -> Tensor:
        """An orthonormal basis of what is not reached, of shape (k, *output shape)."""
        return as_tensor(np.asarray(self.unreached.basis.detach()).T.reshape(-1, *self.output_shape))

    def text(self) -> str:
        """The report: the dimensions, and a line a layer."""
        m, n = self.jacobian.shape
        lines = [
            f"at this input the map from {n} to {m} numbers has rank {self.rank}",
            f"  it sees {_directions(self.rank)} of its input and does not see {n - self.rank}",
            f"  it reaches {_directions(self.rank)} of its output and does not reach {m - self.rank}",
        ]
        if self.layers:
            head = ("layer", "", "shape", "own rank", "rank from the input", "lost here")
            rows = [
                (
                    r.name,
                    r.kind,
                    f"{r.width if r.width is not None else '?'} -> {r.outputs}",
                    "" if r.own is None else str(r.own),
                    str(r.rank),
                    str(r.lost) if r.lost else "",
                )
                for r in self.layers
            ]
            widths = [max(len(row[k]) for row in (head, *rows)) for k in range(len(head))]
            lines += ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in (head, *rows)]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.text()

    def plot(self) -> Any:
        """A matplotlib Figure: the four subspaces where they can be drawn, else the singular values; and the rank after
        each layer. Raises MissingExtra without matplotlib."""
        room("viz.pictures")
        from ..viz.pictures.canvas import BLUE, GREY, RED, figure

        if not self.layers and max(self.jacobian.shape) <= 3:
            from ..viz.pictures.subspaces import four_subspaces

            return four_subspaces(self.jacobian)
        fig, axes = figure(2 if self.layers else 1, size=4.4)
        values = self.singular_values
        rank = np.arange(1, len(values) + 1)
        floor = max(float(values.max(initial=0.0)), 1e-300) * 1e-17
        axes[0].semilogy(rank, np.maximum(values, floor), "o", color=GREY, markersize=4, label="0, up to rounding")
        axes[0].semilogy(rank[: self.rank], values[: self.rank], "o", color=BLUE, markersize=4, label="seen")
        axes[0].set(xlabel="number", ylabel="singular value of the Jacobian")
        axes[0].legend(frameon=False, fontsize=8)
        if self.layers:
            names = ["input", *(r.name or r.kind for r in self.layers)]
            sizes = [self.jacobian.shape[1], *(r.outputs for r in self.layers)]
            ranks = [self.jacobian.shape[1], *(r.rank for r in self.layers)]
            places = np.arange(len(names))
            axes[1].bar(places, sizes, color=GREY, alpha=0.4, label="numbers there")
            axes[1].bar(places, ranks, color=BLUE, width=0.5, label="directions of the input still seen")
            for place, row in zip(places[1:], self.layers, strict=True):
                if row.lost:
                    axes[1].annotate(f"−{row.lost}", (place, row.rank), ha="center", va="bottom", color=RED, fontsize=9)
            axes[1].set_xticks(places, names, rotation=45, ha="right", fontsize=8)
            axes[1].set_ylim(0, 1.25 * max(sizes))
            axes[1].legend(frameon=False, fontsize=8, loc="upper right")
        unseen, unreached = self.unseen.dim, self.unreached.dim
        fig.suptitle(f"rank {self.rank}: {unseen} directions unseen, {unreached} unreached", fontsize=11)
        return fig


@named
def subspaces(model: Callable[[Any], Any], x: Any, rtol: float | None = None) -> NetworkSubspaces:
    """What a network does not see of its input, and cannot reach of its output, to first order at x.

    Arguments: `model` a module or a function of one real array; `x` the input, one example as the model takes it;
    `rtol`: singular values up to rtol times the largest count as 0 (by default the larger size times the rounding
    unit). Of a module each layer is looked at too: its own rank, the rank of the map that leads from the input to its
    result, and how many directions are lost in it. The parameters and buffers stay as they are. For a network that is
    linear this holds at every input.

    Returns NetworkSubspaces: `.unseen`, `.unreached`, `.seen`, `.reached` (each a linalg.Subspace), `.rank`,
    `.layers`, `.text()`, `.plot()`. Raises DTypeError unless x and the result are real and floating, ArgumentError for
    a Jacobian of more than 2^24 elements, TraceError within a function that is being traced.
    Source: Strang 1993, "The fundamental theorem of linear algebra".

    >>> import tinygrad_math as tm
    >>> look = tm.inspect.subspaces(lambda x: tm.stack([x[0] + x[1], 2.0 * x[0] + 2.0 * x[1]]), tm.tensor([1.0, 5.0]))
    >>> look
    at this input the map from 2 to 2 numbers has rank 1
      it sees 1 direction of its input and does not see 1
      it reaches 1 direction of its output and does not reach 1
    >>> look.unseen.contains([1.0, -1.0])
    tensor(True)
    """
    if rtol is not None and not 0 <= rtol < 1:
        raise ArgumentError(f"subspaces: rtol is a share of the largest singular value, from 0 to 1, got {rtol}")
    held = (*model.parameters(), *model.buffers()) if isinstance(model, Module) else ()
    refuse_unknown((t.node for t in (as_tensor(x), *held)), "subspaces")
    given = np.array(as_tensor(x).node.data)
    if given.dtype.kind != "f":
        raise DTypeError(f"subspaces needs a real floating input, got {describe(given)}; write 1.0 for 1")
    met: list[tuple[str, Any, Tensor | None, Tensor]] = []
    if isinstance(model, Module):
        model = copy.deepcopy(model).requires_grad_(False)  # a layer may count its calls

    def run(x: Any) -> Any:
        met.clear()
        y = as_tensor(_watched(model, x, met))
        return tuple(out for *_, out in met), y

    with same_stream():
        tape = Tape(run, [given], "subspaces")
    y = tape.outputs[-1]
    if y.dtype.kind != "f":
        raise DTypeError(f"subspaces needs a real floating result, got {describe(y)}")
    if max(o.size for o in tape.outputs) * given.size > _LARGEST:
        raise ArgumentError(f"subspaces: a Jacobian of {y.size} x {given.size}; take a smaller input or a part of it")
    columns: list[list[Any]] = [[] for _ in tape.outputs]
    for k in range(given.size):
        e = np.zeros(given.shape, given.dtype)
        e.reshape(-1)[k] = 1
        for column, t in zip(columns, tape.push([e]), strict=True):
            column.append(np.ravel(t.node.data))
    blocks = [
        np.stack(c, axis=1).astype(np.float64) if c else np.zeros((o.size, 0))
        for c, o in zip(columns, tape.outputs, strict=True)
    ]
    eps = float(np.finfo(given.dtype).eps)
    layers, before = [], given.size
    for (name, module, source, out), block in zip(met, blocks[:-1], strict=True):
        rank = _rank(block, rtol, eps)
        own = _own_rank(source, out, rtol, eps)
        width = None if source is None else source.size
        layers.append(LayerRank(name, type(module).__name__, width, out.size, own, rank, max(before - rank, 0)))
        before = min(before, rank)
    tolerance = rtol if rtol is not None else max(blocks[-1].shape) * eps
    four = fundamental_subspaces(blocks[-1], tolerance)
    return NetworkSubspaces(as_tensor(blocks[-1]), four, (given.shape, y.shape), layers)


def _watched(model: Any, x: Any, met: list[tuple[str, Any, Tensor | None, Tensor]]) -> Any:
    """The result of a model, of which nobody else knows; the layers without layers of their own that it calls are
    noted."""
    if not isinstance(model, Module):
        return model(x)
    for name, module in model.named_modules():
        if next(iter(module.children()), None) is not None:
            continue

        def note(layer: Any, args: Any, y: Any, name: str = name) -> None:
            source = next((a for a in args if isinstance(a, Tensor) and a.dtype.kind == "f"), None)
            if isinstance(y, Tensor) and y.dtype.kind == "f":
                met.append((name, layer, source, y))

        module.register_forward_hook(note)
    return model(x)


def _directions(count: int) -> str:
    return f"{count:,} direction{'' if count == 1 else 's'}"


def _rank(block: Any, rtol: float | None, eps: float) -> int:
    if not block.size:
        return 0
    values = np.linalg.svd(block, compute_uv=False)
    limit = rtol if rtol is not None else max(block.shape) * eps
    return int(np.sum(values > limit * values.max(initial=0.0)))


def _own_rank(source: Tensor | None, out: Tensor, rtol: float | None, eps: float) -> int | None:
    """The rank of a layer's own Jacobian at its input; None where that is not known, or too large."""
    if source is None or source.size * out.size > _LARGEST // 16:
        return None
    trail = Trail([out.node], [source.node])
    columns = []
    for k in range(source.size):
        e = np.zeros(source.shape, source.dtype)
        e.reshape(-1)[k] = 1
        (t,) = pushforward(trail, {source.node: e}, [out.node])
        columns.append(np.zeros(out.size) if t is None else np.ravel(t))
    return _rank(np.stack(columns, axis=1).astype(np.float64), rtol, eps)
