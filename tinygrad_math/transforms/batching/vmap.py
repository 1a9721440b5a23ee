"""vmap: a function of one example as a function of a batch of them."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np

from ...core.arguments import named
from ...core.beside import as_leaves, has_beside, held_by, lost, nodes_beside
from ...core.errors import ArgumentError, AxisError, ShapeError, describe, integer
from ...core.leaks import refuse_leaked
from ...core.mode import watcher
from ...core.opening import room
from ...core.state import State
from ...core.tensor import Tensor, as_tensor, rec
from ...core.ties import firsts, places, tied, untied
from ...core.tree import Building, Structure, children, flatten, paths, put_together, show, unflatten
from ..made import Made
from . import indexing, products, shaping  # noqa: F401  (the tables)
from .trace import Recording

Fn = Callable[..., Any]
Axes = Any

__all__ = ["vmap"]


@named
def vmap(
    f: Fn, in_axes: Axes = 0, out_axes: Axes = 0, chunk_size: int | None = None, randomness: str = "different"
) -> Fn:
    """The function that applies f to every example of a batch at once, and gives the batch of its results.

    Arguments: `in_axes` the axis of each argument along which the examples lie, None where all examples share it: an
    int, a tuple with one for each positional argument, and in it trees that the argument's own tree refines; keyword
    arguments lie along axis 0. An array that they share comes as a Tensor. `out_axes` the axis of the results along
    which they are to lie, likewise; None for what does not depend on the examples. `chunk_size` at most so many
    examples at once, to save memory. `randomness`: "different" draws for each example, "same" once for all of them.

    f is written for one example, and may be any function of this package's and NumPy's functions; it is called once,
    and what it counts, appends or prints, it does once for all of them.
    Nests, and composes with every transform and with `compile`.
    Raises ShapeError where batches differ in length or none is there, AxisError, ArgumentError for axes that do not
    fit the arguments, TraceError for an `if` or a shape that depends on an example's values, with the line, and for
    what is drawn of NumPy's or Python's generators, or taken of an iterator, which all examples would share:
    `tm.random` draws for each.
    Derivative: row b of the result depends on row b of the arguments as f does; what is shared collects all rows.

    >>> import numpy as np
    >>> import tinygrad_math as tm
    >>> tm.vmap(lambda x, w: (x * w).sum(), in_axes=(0, None))(np.eye(3), np.array([1.0, 2.0, 3.0]))
    tensor([1., 2., 3.])
    >>> tm.vmap(tm.grad(lambda x: x**3))(np.array([1.0, 2.0]))
    tensor([ 3., 12.])
    """
    if randomness not in ("different", "same"):
        raise ArgumentError(f"vmap: randomness is 'different' or 'same', got {randomness!r}")
    if chunk_size is not None and integer(chunk_size, "vmap", "chunk_size") < 1:
        raise ArgumentError(f"vmap: chunk_size counts examples from 1, got {chunk_size}")
    title = f"vmap({getattr(f, '__name__', type(f).__name__)})"

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        trees: tuple[Any, ...] = (args, kwargs)
        objects: list[Any] = []
        leaves, structure = flatten(trees, objects)
        apart = untied(structure)
        positions, names = apart.children
        axes = _axes_of(in_axes, args, positions, title)
        if names.children:
            axes += [0] * names.leaf_count
        if apart is not structure:
            structure, chosen, axes = _tied_by_axis(structure, axes)
            leaves = [leaves[k] for k in chosen]
        batches, size = _batches(leaves, axes, structure, title)
        shared = [_shared(leaf) if axis is None else leaf for leaf, axis in zip(leaves, axes, strict=True)]
        shape: Structure | None = None

        def example(values: list[Tensor]) -> list[Any]:
            nonlocal shape
            rest = iter(values)
            full = [leaf if axis is None else next(rest) for leaf, axis in zip(shared, axes, strict=True)]
            building = Building(full)
            positional, keywords = put_together(structure, building)
            standing = zip(leaves, building.made, axes, strict=True)
            same = [(leaf, made) for leaf, made, axis in standing if axis is None]  # for all examples
            state = State(objects, same, building) if objects else None
            returned, shape = flatten(f(*positional, **keywords))
            if has_beside(shape):
                given, moves = held_by((positional, keywords)), watcher().moves
                for name, node in nodes_beside(shape, given):
                    if moves(node):
                        raise lost(title, name)
                returned, shape = as_leaves(returned, shape, given, moves, derived=True)
            if state is not None:
                state.keep()
            return returned

        draws = room("transforms.batching.draws")  # opened here: it takes NumPy's generators along
        streams = draws.streams_of(f) if randomness == "different" else []
        recording = Recording(example, batches, title, randomness == "same")
        if streams:
            draws.refuse_drawn(streams, title)
        step = size if chunk_size is None else chunk_size
        chunks = []
        for start in range(0, max(size, 1), max(step, 1)):
            part = batches if step >= size else [b[start : start + step] for b in batches]
            chunks.append(recording.run(part, min(step, size - start)))
        assert shape is not None
        for chunk in chunks:
            refuse_leaked([leaf.node for leaf, _ in chunk if isinstance(leaf, Tensor)], title)
        apart = untied(shape)
        wanted = _out_axes(out_axes, apart, title)
        chosen = [*range(len(wanted))]
        if apart is not shape:
            shape, chosen, wanted = _tied_by_axis(shape, wanted)
        results = []
        for k, axis in zip(chosen, wanted, strict=True):
            results.append(_result([chunk[k] for chunk in chunks], size, axis, title))
        return unflatten(shape, results, values=False)

    return Made(wrapped, vmap, f, in_axes, out_axes, chunk_size, randomness)


def _axes_of(in_axes: Axes, args: tuple[Any, ...], structure: Structure, title: str) -> list[int | None]:
    """The axis of each leaf of the positional arguments."""
    if isinstance(in_axes, list):
        in_axes = tuple(in_axes)
    if isinstance(in_axes, tuple) and len(in_axes) != len(args):
        raise ArgumentError(
            f"{title}: in_axes names {len(in_axes)} axes, and the function was called with {len(args)} arguments"
        )
    each = in_axes if isinstance(in_axes, tuple) else (in_axes,) * len(args)
    out: list[int | None] = []
    for k, (axes, below) in enumerate(zip(each, structure.children, strict=True)):
        out += _spread(axes, below, f"{title}: in_axes of argument {k}")
    return out


def _spread(axes: Axes, structure: Structure, what: str) -> list[int | None]:
    """One axis for each leaf of a tree, from a tree of axes that ends where this one may go on."""
    if axes is None or (isinstance(axes, Integral) and not isinstance(axes, bool)):
        return [None if axes is None else int(axes)] * structure.leaf_count
    if not structure.children:
        raise ArgumentError(f"{what} is {describe(axes)}, where the axis of one array is asked for: an int or None")
    parts = _children(axes, structure, what)
    return [axis for part, child in zip(parts, structure.children, strict=True) for axis in _spread(part, child, what)]


def _tied_by_axis(structure: Structure, along: list[int | None]) -> tuple[Structure, list[int], list[int | None]]:
    """A tree whose places have these axes, in which a leaf has one axis: a Parameter along two axes is two leaves.

    Returned are its structure and, for each leaf, which of the old ones it is, and its axis.
    """
    keys = [(place.leaf, axis) for place, axis in zip(places(structure), along, strict=True)]
    first = firsts(keys)
    return tied(structure, keys), [keys[k][0] for k in first], [along[k] for k in first]


def _children(axes: Axes, structure: Structure, what: str) -> list[Axes]:
    """The parts of a tree of axes that belong to the children of a container."""
    if isinstance(axes, (tuple, list)) and len(axes) == len(structure.children):
        return list(axes)
    found = children(axes)
    if found.keys() == set(structure.keys):
        return [found[key] for key in structure.keys]
    raise ArgumentError(f"{what} is {describe(axes)}, which does not fit the tree {show(structure)}")


def _batches(leaves: list[Any], axes: list[int | None], structure: Structure, title: str) -> tuple[list[Tensor], int]:
    """The arrays that hold examples, with these along the first axis, and how many they are."""

    def where(k: int) -> str:
        return f"argument {paths(structure)[k].removeprefix('0.').removeprefix('1.')}"

    batches, sizes = [], {}
    for k, (leaf, axis) in enumerate(zip(leaves, axes, strict=True)):
        if axis is None:
            continue
        x = as_tensor(leaf)
        rank = x.ndim
        if not -rank <= axis < rank:
            raise AxisError(
                f"{title}: {where(k)}, {describe(x)}, has no axis {axis} along which examples could lie; say None for "
                "what they share"
            )
        sizes[k] = x.shape[axis]
        batches.append(x if axis % rank == 0 else rec.moveaxis(x, axis, 0))
    if not batches:
        raise ArgumentError(f"{title}: no argument holds a batch: in_axes is None for all of them")
    if len(set(sizes.values())) > 1:
        counts = ", ".join(f"{where(k)}: {n}" for k, n in sizes.items())
        raise ShapeError(f"{title}: the arguments differ in how many examples they hold ({counts})")
    return batches, next(iter(sizes.values()))


def _shared(leaf: Any) -> Any:
    """What all examples share: an array as a Tensor, which an example's own number may index."""
    return as_tensor(leaf) if isinstance(leaf, np.ndarray) and leaf.dtype.kind in "biufc" else leaf


def _out_axes(out_axes: Axes, structure: Structure, title: str) -> list[int | None]:
    return _spread(out_axes, structure, f"{title}: out_axes")


def _result(parts: list[tuple[Any, bool]], size: int, axis: int | None, title: str) -> Any:
    """One leaf of the result, from what the chunks gave."""
    leaf, moving = parts[0]
    if not moving:
        if axis is None:
            return leaf
        leaf = as_tensor(leaf)
        batch = rec.broadcast_to(leaf, (size, *leaf.shape))
    elif axis is None:
        raise ArgumentError(f"{title}: out_axes is None for a result that depends on the examples, {describe(leaf[0])}")
    else:
        batch = leaf if len(parts) == 1 else rec.concat([y for y, _ in parts], axis=0)
    if not -batch.ndim <= axis < batch.ndim:
        raise AxisError(f"{title}: the batch of a result, {describe(batch)}, has no axis {axis} to be moved to")
    return batch if axis % batch.ndim == 0 else rec.moveaxis(batch, 0, axis)
