"""Several DataLoaders in step: the batches of all of them, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..core.errors import ShapeError, describe
from ..core.tensor import Tensor, as_tensor, rec
from ..core.tree import flatten, leaves_like, tree_map, unflatten
from ..data.dataset import TensorDataset
from ..data.loader import DataLoader


def one_of(batches: Any) -> Any:
    """The first loader's of the batches that lie side by side."""
    return tree_map(lambda x: x[0], batches)


def orders_of(loaders: Sequence[DataLoader]) -> np.ndarray[Any, Any] | None:
    """The rows of a pass over each loader, where all take rows of one data set in batches of one size, from the first.

    Else None.
    """
    first = loaders[0]
    table = isinstance(first.dataset, TensorDataset) and first.collate_fn is None
    table = table and all(l.batch_sampler is None for l in loaders)
    states = [loader._ahead() for loader in loaders]
    forms = {(id(l.dataset), l.batch_size, l.drop_last, l.collate_fn) for l in loaders}
    if not table or len(forms) > 1 or any(state["batch"] for state in states):
        return None
    return np.stack([loader.order(state["epoch"]) for loader, state in zip(loaders, states, strict=True)])


def in_step(loaders: Sequence[DataLoader], start: int = 0) -> Iterator[Any]:
    """A pass over all loaders at once: each batch with those of all loaders along a new first axis.

    Where they have `orders_of` a pass, it may start behind so many batches.
    """
    first, orders, states = loaders[0], orders_of(loaders), [loader._ahead() for loader in loaders]
    if orders is not None:
        for k in range(start, len(first)):
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
