"""The numbers of many networks side by side: each array with the networks along its first axis."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..core.tensor import Tensor, as_tensor, rec
from ..core.tree import flatten, tree_map, unflatten
from ..transforms.batching.trace import Recording

Tree = Any
CACHE = 12 << 20  # bytes: networks that compute more than this at once leave the processor's cache


class SideBySide:
    """f of each network's part of the trees `given`, and of the trees `common`; the networks lie along the first axes.

    A leaf of `given` without axes is the same for all; so is one of the result that depends on nothing else.
    """

    def __init__(self, f: Callable[..., Any], given: Sequence[Tree], common: Sequence[Tree]) -> None:
        leaves, structure = flatten(tuple(given))
        own = [np.ndim(leaf) > 0 for leaf in leaves]

        def example(values: list[Tensor]) -> list[Any]:
            rest = iter(values)
            full = [next(rest) if mine else leaf for leaf, mine in zip(leaves, own, strict=True)]
            found, self.shape = flatten(f(*unflatten(structure, full), *common))
            return found

        self.batches = [as_tensor(leaf) for leaf, mine in zip(leaves, own, strict=True) if mine]
        self.recording = Recording(example, self.batches, "fit_many")

    @property
    def nbytes(self) -> int:
        """How much is computed for one network."""
        return sum(np.asarray(n.data).nbytes for n in self.recording.nodes if n.op is not None and not n.op.many)

    @property
    def draws(self) -> bool:
        """Whether random numbers are drawn."""
        return any(getattr(n.op, "random", False) for n in self.recording.nodes)

    def results(self) -> Any:
        size, found = self.batches[0].shape[0], []
        for y, moving in self.recording.run(self.batches, size):
            if not moving and np.ndim(y):
                y = rec.broadcast_to(as_tensor(y), (size, *np.shape(y)))
            found.append(y)
        return unflatten(self.shape, found, values=False)


@dataclasses.dataclass
class Part:
    """Networks that are computed at once: so many that what they compute fits into the processor's cache."""

    first: int
    size: int
    params: Tree
    states: Tree
    buffers: Tree
    fixed: Tree
    hypers: Tree

    def slices(self, size: int) -> list[Part]:
        """The same networks in equal parts of at most so many."""
        share = -(-self.size // -(-self.size // size))
        found = []
        for a in range(0, self.size, share):
            trees = (rows(t, a, a + share) for t in (self.params, self.states, self.buffers, self.fixed, self.hypers))
            found.append(Part(self.first + a, min(share, self.size - a), *trees))
        return found


def at_once(nbytes: int) -> int:
    """How many networks are best computed at once, of which each computes so many bytes."""
    return max(1, CACHE // max(nbytes, 1))


def stack(trees: Sequence[Any]) -> Any:
    """Trees of dicts as one, with arrays side by side; a number that is the same in all stays one number."""
    first = trees[0]
    if isinstance(first, dict):
        names = dict.fromkeys(name for tree in trees for name in tree)
        return {name: stack([tree[name] for tree in trees]) for name in names}
    return column(trees) if isinstance(first, (int, float)) else np.stack([np.asarray(x) for x in trees])


def column(values: Sequence[Any]) -> Any:
    if isinstance(values[0], tuple):
        return tuple(map(column, zip(*values, strict=True)))
    return values[0] if all(v == values[0] for v in values) else np.array(values, np.float64)


def rows(tree: Tree, start: int, stop: int) -> Tree:
    """A copy of these networks' part of a tree of arrays."""
    if isinstance(tree, dict):
        return {name: rows(x, start, stop) for name, x in tree.items()}
    if isinstance(tree, (list, tuple)):
        return type(tree)([rows(x, start, stop) for x in tree])
    return np.array(tree[start:stop]) if np.ndim(tree) else tree


def own_part(batches: Any, part: Part) -> Any:
    """A part's own of batches that hold those of all networks."""
    return tree_map(lambda x: Tensor(x.node.data[part.first : part.first + part.size]), batches)


def filled(new: Mapping[str, Tensor], old: Mapping[str, Any]) -> dict[str, Any]:
    """Arrays of all networks, also where a rule made the same of each."""
    found = {n: x.node.data for n, x in new.items()}
    return {n: x if x.shape == old[n].shape else np.array(np.broadcast_to(x, old[n].shape)) for n, x in found.items()}


def plain(tree: Any) -> Any:
    """Arrays for Tensors; a number for what has no axes."""
    if isinstance(tree, dict):
        return {name: plain(x) for name, x in tree.items()}
    data = tree.node.data if isinstance(tree, Tensor) else tree
    return data if np.ndim(data) else float(data)


def element(x: Any, k: int) -> Any:
    if not np.ndim(x):
        return x
    return float(x[k]) if x.ndim == 1 and x.dtype == np.float64 else np.array(x[k])
