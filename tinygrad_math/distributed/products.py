"""Means over the examples of many shards, and their derivatives: each shard's part where the shard is."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import random
from ..compiler.trace import tracing
from ..core.arguments import named
from ..core.errors import ArgumentError, ShardError, TraceError, describe
from ..core.tensor import Tensor, as_tensor
from ..core.tree import Structure, flatten, unflatten
from ..transforms.tracing import matched
from .cluster import Local, Shards
from .picking import Pick
from .waiting import explained, gone
from .work import Sent, Work

__all__ = ["evaluate", "ggnvp", "hvp", "value_and_grad"]

Fn = Callable[..., Any]
_ANEW = 10  # restarts of a cluster that a step outlives


class Spread:
    """A function of parameters that is a mean, or a sum, over shards. Call it; `release()` frees the workers.

    Arguments: as of the function that makes it. `client` is not looked at where `shards` are `Shards`.
    """

    __reached__ = ()  # a program cannot hold it

    kind = ""
    vectors = 0  # arguments beside the parameters, which stay with the workers as long as they stay the same

    def __init__(self, functions: Sequence[Any], shards: Any, client: Any, reduction: str, compile: bool) -> None:
        for f in functions:
            if not callable(f):
                raise ArgumentError(f"{self.asker} takes functions of (params, batch), got {describe(f)}")
        if not isinstance(reduction, str) or reduction not in ("mean", "sum"):
            raise ArgumentError(f"{self.asker}: reduction is 'mean' or 'sum', got {describe(reduction)}")
        if not isinstance(compile, (bool, np.bool_)):
            raise ArgumentError(f"{self.asker}: compile is True or False, got {describe(compile)}")
        self.functions, self.mean, self.fast = tuple(functions), reduction == "mean", bool(compile)
        self.shards = shards if isinstance(shards, Shards) else Shards(shards, client)
        self._work: tuple[Any, Any] = None, None  # and what it is for: a structure, the functions as they were then
        self._point: Any = None
        self._at: list[Any] = []

    @property
    def asker(self) -> str:
        return f"tm.distributed.{self.kind}"

    def __call__(self, params: Any, *vectors: Any) -> Any:
        if len(vectors) != self.vectors:
            wanted = "(params, v)" if self.vectors else "(params)"
            raise ArgumentError(f"{self.asker}(...) is called with {wanted}, got {1 + len(vectors)} arguments")
        structure, results, tree, _ = self.at(params, *vectors)
        assert tree is not None
        return self.finished(structure, results, tree)

    def at(self, params: Any, *vectors: Any, pick: Any = None) -> tuple[Structure, list[Any], Structure | None, int]:
        """The parameters' structure, the results and their tree, and how many examples there were.

        What is drawn on the way comes of the present place of tm.random's stream, the shard's number, and nothing else;
        the stream goes on if something was drawn.
        """
        if tracing():
            raise TraceError(
                f"{self.asker} runs on a cluster, and is no part of a program; call it outside of the compiled "
                "function, and pass what it gives as an argument"
            )
        pick = Pick() if pick is None else pick
        leaves, structure = flatten(params)
        arrays = [_array(leaf, self.asker) for leaf in leaves]
        given = [Sent(arrays)]
        for v in vectors:
            along = matched(v, structure, arrays, f"the vector of {self.asker}")
            given.append(Sent([_array(t, self.asker) for t in along]))
        pick.seed = int(copy.deepcopy(random.shared.numpy).integers(1 << 62))
        try:
            with self.shards.place.turn:
                found, drew = self._run(structure, given, pick)
            if not found[2] and pick.whole:
                raise ArgumentError(f"{self.asker}: there is no example in any shard")
        except BaseException as error:
            with self.shards.place.turn:
                self.release()
            shown = explained(error, self.asker)
            if shown is error:
                raise
            raise shown from (error.cause if isinstance(error, ShardError) else error)
        if drew:
            random.shared.numpy.integers(1 << 62)
        return structure, *found

    def _run(
        self, structure: Structure, given: Sequence[Any], pick: Pick
    ) -> tuple[tuple[list[Any], Structure | None, int], bool]:
        """A step; anew, from the shards on, where the cluster was restarted in the middle of it."""
        for _ in range(_ANEW):
            try:
                return self._once(structure, list(given), pick)
            except Exception as error:
                if not self.shards.place.forgot(error):
                    raise
            self.release()
        return self._once(structure, list(given), pick)

    def _once(
        self, structure: Structure, given: list[Any], pick: Pick
    ) -> tuple[tuple[list[Any], Structure | None, int], bool]:
        place = self.shards.place
        place.look(self.asker)
        wanted = structure, place.seen(self.functions)
        work, known = self._work
        if work is None or known != wanted or gone(work) or gone(self._point):
            self._drop()
            made = Work(self.kind, self.functions, structure, self.shards.shards, self.mean, self.fast)
            work = place.keep(made)
            self._work = work, wanted
        if self.vectors and not isinstance(place, Local):
            given[0] = self._kept(place, given[0])
        (part,) = place.run(work, given, self.kind, pick).values()
        if part.arrays is None and part.examples:
            raise ArgumentError(f"{self.asker}: no target counts, of {part.examples} examples; a mean does not exist")
        results = [a.astype(d, copy=False) for a, d in zip(part.arrays or (), part.dtypes, strict=True)]
        return (results, part.structure, part.examples), part.drew

    def _kept(self, place: Any, sent: Sent) -> Any:
        """The parameters as the workers have them, sent only if they have changed."""
        same = self._point is not None and all(_same(a, b) for a, b in zip(self._at, sent.arrays, strict=True))
        if not same:
            place.drop([self._point])
            self._at = [np.array(a) for a in sent.arrays]
            self._point = place.keep(Sent(self._at))
        return self._point

    def finished(self, structure: Structure, results: list[Any], tree: Structure) -> Any:
        """The results in the shape that the caller expects."""
        return unflatten(structure, [_tensor(r) for r in results], values=False)

    def release(self) -> None:
        """Take everything out of the workers' memory. A further call works, and loads the shards again."""
        self._drop()
        self.shards.release()

    def _drop(self) -> None:
        self.shards.place.drop([self._work[0], self._point])
        self._work, self._point = (None, None), None

    def __repr__(self) -> str:
        names = ", ".join(getattr(f, "__name__", type(f).__name__) for f in self.functions)
        return f"<{self.asker} of {names} over {self.shards!r}>"


class ValueAndGrad(Spread):
    kind = "value_and_grad"

    def finished(self, structure: Structure, results: list[Any], tree: Structure) -> Any:
        value, *gradient = map(_tensor, results)
        return value, unflatten(structure, gradient, values=False)


class _Hvp(Spread):
    kind, vectors = "hvp", 1


class _Ggnvp(Spread):
    kind, vectors = "ggnvp", 1


class Product(Spread):
    """A product with a matrix that is a mean over the batches: the function of (params, v, batch) is given."""

    kind, vectors = "product", 1


class _Evaluate(Spread):
    kind = "evaluate"

    def finished(self, structure: Structure, results: list[Any], tree: Structure) -> Any:
        return unflatten(tree, [_tensor(r) for r in results])


def _array(leaf: Any, asker: str) -> Any:
    """The numbers of a leaf of the parameters; a gradient that should flow through them would be lost."""
    x = as_tensor(leaf)
    x._leave(asker, "What runs on a cluster is no part of a transform around it.")
    return np.asarray(x.node.data)


def _same(a: Any, b: Any) -> bool:
    return bool(a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes())


def _tensor(value: Any) -> Tensor:
    return as_tensor(np.asarray(value)[()])


@named
def value_and_grad(loss: Fn, shards: Any, client: Any, reduction: str = "mean", compile: bool = True) -> Any:
    r"""The function params -> (value, gradient) of a loss over all rows of a data set that lies in shards.

    Arguments: `loss(params, batch)` gives one number, the mean over the examples of a batch, or with
    `reduction="sum"` their sum; `params` any tree or Module of floating arrays. `shards` as for `Shards`, or `Shards`
    that several functions share; a batch is what a shard gives, and holds as many examples as its first array has rows.
    `client` a Dask client, or "synchronous" or "threads" for this process alone. `compile` makes the loss one program,
    once on each worker; compile=False for a loss that looks at values.
    Returns a value and a gradient like tm.value_and_grad, of the same bits whatever the number of workers:
    \[ \frac{1}{N}\sum_k n_k L_k(w), \qquad \frac{1}{N}\sum_k n_k \nabla L_k(w), \qquad N = \sum_k n_k, \]
    summed along a fixed binary tree over the shards.
    What functions refer to counts as it is at each call, which looks it through (large arrays are for the shards or the
    parameters); what is drawn from tm.random depends on its seed and the shard alone. A module of yours is imported by
    the worker: values in it that a function names have to be the same there.
    Raises ShardError, which names the shard, its file and the line, if one cannot be read or the loss raises;
    ClusterError if the cluster gives up; ArgumentError. After an error nothing is left on the workers.

    >>> import numpy as np, tinygrad_math as tm
    >>> loss = lambda w, batch: ((batch[0] @ w - batch[1]) ** 2).mean()
    >>> shards = [lambda: (np.ones((3, 2)), np.ones(3)), lambda: (np.zeros((1, 2)), np.ones(1))]
    >>> f = tm.distributed.value_and_grad(loss, shards, "synchronous")
    >>> f(np.array([1.0, 1.0]))
    (tensor(1.), tensor([1.5, 1.5]))
    """
    return ValueAndGrad([loss], shards, client, reduction, compile)


@named
def hvp(loss: Fn, shards: Any, client: Any, reduction: str = "mean", compile: bool = True) -> Any:
    r"""The function (params, v) -> Hv with the Hessian of a loss over all rows of a data set that lies in shards.

    Arguments and errors as for `value_and_grad`; `v` a tree like the parameters, which stay with the workers as long
    as they are the same, so that a product sends one vector. \( Hv = \frac{1}{N}\sum_k n_k \nabla^2 L_k(w)\, v \).

    >>> import numpy as np, tinygrad_math as tm
    >>> loss = lambda w, x: ((x @ w) ** 3).mean()
    >>> product = tm.distributed.hvp(loss, [lambda: np.eye(2), lambda: np.ones((2, 2))], "synchronous")
    >>> product(np.array([1.0, 2.0]), np.array([1.0, 0.0]))
    tensor([10.5,  9. ])
    """
    return _Hvp([loss], shards, client, reduction, compile)


@named
def ggnvp(model: Fn, loss: Fn, shards: Any, client: Any, reduction: str = "mean", compile: bool = True) -> Any:
    r"""The function (params, v) -> Gv with the Gauss-Newton matrix of a loss over all rows in shards.

    Arguments: `model(params, inputs)` gives outputs, `loss(outputs, targets)` one number, the mean over the examples;
    a batch is (inputs, targets). The rest as for `hvp`. \( Gv = \frac{1}{N}\sum_k n_k J_k^\top H_k J_k v \).

    >>> import numpy as np, tinygrad_math as tm
    >>> rows = [lambda: (np.eye(2), np.ones(2)), lambda: (np.ones((2, 2)), np.zeros(2))]
    >>> squared = lambda y, t: ((y - t) ** 2).mean()
    >>> product = tm.distributed.ggnvp(lambda w, x: x @ w, squared, rows, "synchronous")
    >>> product(np.array([1.0, 2.0]), np.array([1.0, 0.0]))
    tensor([1.5, 1. ])
    """
    return _Ggnvp([model, loss], shards, client, reduction, compile)


@named
def evaluate(f: Fn, shards: Any, client: Any, reduction: str = "mean", compile: bool = False) -> Any:
    """The function params -> f over all rows of a data set that lies in shards, without derivatives.

    Arguments: `f(params, batch)` gives a number, or a tree of arrays, each the mean over the examples of a batch (with
    `reduction="sum"` their sum). The rest, and the errors, as for `value_and_grad`.

    >>> import numpy as np, tinygrad_math as tm
    >>> right = lambda w, batch: {"right": np.mean((batch[0] @ w > 0) == batch[1])}
    >>> shards = [lambda: (np.eye(2), np.array([True, True])), lambda: (-np.eye(2)[:1], np.array([True]))]
    >>> tm.distributed.evaluate(right, shards, "synchronous")(np.array([1.0, 1.0]))
    {'right': tensor(0.66666667)}
    """
    return _Evaluate([f], shards, client, reduction, compile)
