"""What is measured of a network on data: means over the examples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..core.errors import ArgumentError
from ..core.mode import no_grad
from ..core.quiet import ignoring
from ..core.tensor import as_tensor
from ..core.tree import flatten, unflatten
from ..data.loader import examples
from ..nn.module import Module
from ..random import own_stream
from .counting import counts, options_of
from .placed import Loss, targets_of

MEAN, SUM = "mean", "sum"
Measured = Callable[[Any], tuple[Mapping[str, Any], Any]]


def means(asker: str, model: Module, loss: Loss, batches: Iterable[Any], measured: Measured) -> Any:
    """The means of what is measured of each batch, by name, in eval mode; of a loss that is a sum, the sum.

    `measured(batch)` gives the measures and a network's prediction. Each batch counts by its examples, and its "loss"
    by what that was divided by (see `counts`), so that the results do not depend on how the examples are cut into
    batches. A loss that is neither a mean nor a sum over the examples is measured of all at once. The network's modes
    are put back. Raises ArgumentError where there is no example, or such a loss of batches that cannot be joined.
    """
    modes = [(m, m.training) for m in model.modules()]
    sums, count, share, total = dict[str, Any](), 0, 0.0, 0.0
    kind = _Kind(loss)
    try:
        model.eval()
        for batch in batches:
            n = examples(batch)
            found, prediction = measured(batch)
            weight = counts(loss, batch, n)
            sums = {k: sums.get(k, 0.0) + (weight if k == "loss" else n) * value for k, value in found.items()}
            count, share, total = count + n, share + weight, total + found["loss"]
            kind.see(found["loss"], prediction, batch, n)
        if not count:
            raise ArgumentError(f"{asker}: there is no example in the data")
        values = {name: value / (share if name == "loss" else count) for name, value in sums.items()}
        settled = kind.settled()
        if settled == SUM:
            values["loss"] = total
        elif settled is None:
            values["loss"] = measured(_whole(asker, batches))[0]["loss"]
    finally:
        for m, mode in modes:
            m.training = mode
    return values


class _Kind:
    """Whether a loss is a mean over the examples, a sum, or neither: of one of ours it is known, else batches tell.

    Each batch is measured once more together with the one before it, or where they cannot be joined in two parts.
    """

    def __init__(self, loss: Loss) -> None:
        options = options_of(loss)
        self.loss, self.known = loss, bool(options)
        self.left = {SUM if options.get("reduction") == "sum" else MEAN} if options else {MEAN, SUM}
        self.last: tuple[Any, float, int] | None = None
        self.several = False

    def see(self, y: Any, prediction: Any, batch: Any, n: int) -> None:
        """What was measured of one more batch: the loss, a network's prediction, the batch, and its examples."""
        new = (prediction, targets_of(batch)), float(np.ravel(y)[0]), n
        if self.last is not None:
            self.several = True
            if not self.known and self.left:
                self._look(self.last, new)
        self.last = new

    def settled(self) -> str | None:
        return MEAN if MEAN in self.left or not self.several else SUM if self.left else None

    def _look(self, last: Any, new: Any) -> None:
        (a, y, m), (b, z, n) = last, new
        with no_grad(), ignoring(), own_stream(0) as drew:
            try:
                whole = self._number(_joined([(a, m), (b, n)]))
            except Exception:
                if n < 2:
                    return
                m = n // 3 | 1  # uneven, as what is left out of a sequence often lies evenly
                try:
                    y, whole, z = (self._number(_rows(b, n, s)) for s in (slice(m), slice(n), slice(m, n)))
                except Exception:  # no function of any number of examples
                    return
                n = n - m
        close = np.sqrt(np.finfo(whole.dtype).eps) * max(abs(y), abs(z), abs(whole))
        if not drew() and np.isfinite(close):
            expected = {MEAN: (m * y + n * z) / (m + n), SUM: y + z}
            self.left -= {kind for kind, value in expected.items() if abs(value - whole) > close}

    def _number(self, given: Any) -> Any:
        prediction, targets = given
        y = as_tensor(self.loss(prediction, *targets)).detach().numpy()
        return y.reshape(())[()].astype(np.result_type(y, np.float16))


def _rows(tree: Any, n: int, rows: slice) -> Any:
    """Some rows of what has a row for each of n examples."""
    leaves, structure = flatten(tree)
    return unflatten(structure, [x[rows] if np.shape(x)[:1] == (n,) else x for x in leaves])


def _joined(given: Sequence[tuple[Any, int]]) -> Any:
    """One tree of some and the numbers of their examples; what has no row for each example is alike in all of them."""
    trees, numbers = [flatten(tree)[0] for tree, _ in given], [n for _, n in given]
    columns = []
    for column in zip(*trees, strict=True):
        if all(np.shape(x)[:1] == (n,) for x, n in zip(column, numbers, strict=True)):
            columns.append(np.concatenate([as_tensor(x).detach().numpy() for x in column]))
        elif all(np.array_equal(x, column[0]) for x in column):
            columns.append(column[0])
        else:
            raise ValueError("what has no row for each example differs from batch to batch")
    return unflatten(flatten(given[0][0])[1], columns)


def _whole(asker: str, batches: Iterable[Any]) -> Any:
    try:
        return _joined([(batch, examples(batch)) for batch in batches])
    except ValueError as error:
        raise ArgumentError(
            f"{asker}: the loss is neither a mean nor a sum over the examples, as the batches show, so that it is "
            f"measured of all examples at once; and the batches cannot be joined: {error}. Give all examples in one "
            "batch, or a loss of tm.nn as it is, as a module or by functools.partial"
        ) from None
