"""A loss over shards as the closure of an optimiser that asks for it, its slope and its curvature again and again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, describe
from ..core.tensor import Tensor
from ..core.tree import flatten, unflatten
from .cluster import Shards
from .products import evaluate, hvp, value_and_grad


class Closure:
    """A loss over all rows in shards, at the present values of parameters: what `NewtonCG.step` takes.

    Arguments: `loss(params, batch)` the mean over a batch's examples; `params` the tree or Module of Tensors that the
    optimiser steps; `shards` and `client` as for `value_and_grad`. Called, it gives the loss; `backward()` also sets
    the parameters' gradients, which is what `LBFGS.step` takes. A step of NewtonCG sends one vector a product.

    >>> import numpy as np, tinygrad_math as tm
    >>> x = tm.tensor([-1.0, 2.0], requires_grad=True)
    >>> def loss(x, a):
    ...     return ((1 - x[0]) ** 2 + a[0] * (x[1] - x[0] ** 2) ** 2)
    >>> closure = tm.distributed.Closure(loss, x, [lambda: np.array([50.0]), lambda: np.array([150.0])], "synchronous")
    >>> opt = tm.optim.NewtonCG([x])
    >>> for _ in range(25):
    ...     y = opt.step(closure)
    >>> x.detach().round(6)
    tensor([1., 1.])
    """

    __reached__ = ()  # a program cannot hold it

    far = True  # whether slope and curvature are to be asked for, as they are of no recorded graph here

    def __init__(self, loss: Any, params: Any, shards: Any, client: Any, compile: bool = True) -> None:
        leaves, self.structure = flatten(params)
        self.leaves: list[Any] = leaves
        for leaf in leaves:
            if not isinstance(leaf, Tensor):
                raise ArgumentError(f"Closure: params are Tensors that an optimiser steps, got {describe(leaf)}")
        self.params = params
        self.shards = shards if isinstance(shards, Shards) else Shards(shards, client)
        self._value = evaluate(loss, self.shards, None, compile=compile)
        self._both = value_and_grad(loss, self.shards, None, compile=compile)
        self._product = hvp(loss, self.shards, None, compile=compile)

    def __call__(self) -> Any:
        """The loss, without a history."""
        return self._value(self.params)

    def backward(self) -> Any:
        """The loss; the gradients stand in the parameters afterwards."""
        value, slopes = self.slope(self.leaves)
        for leaf, slope in zip(self.leaves, slopes, strict=True):
            if leaf.requires_grad:
                leaf.grad = Tensor(slope)
        return Tensor(np.asarray(value))

    def _places(self, tensors: Sequence[Any]) -> list[int]:
        places = {id(leaf): k for k, leaf in enumerate(self.leaves)}
        if not isinstance(tensors, (list, tuple)):
            raise ArgumentError(f"Closure: a list of the closure's Tensors is expected, got {describe(tensors)}")
        for t in tensors:
            if id(t) not in places:
                raise ArgumentError(f"Closure: the optimiser steps {describe(t)}, which is not in the closure's params")
        return [places[id(t)] for t in tensors]

    def slope(self, tensors: Sequence[Any]) -> tuple[float, list[Any]]:
        """The loss, and its gradient in some of the parameters, as arrays."""
        value, tree = self._both(self.params)
        found = flatten(tree)[0]
        return float(value.item()), [found[k].detach().numpy() for k in self._places(tensors)]

    def product(self, tensors: Sequence[Any], vectors: Sequence[Any]) -> list[Any]:
        """The Hessian in some of the parameters times vectors of their shapes, as arrays."""
        places = self._places(tensors)
        if not isinstance(vectors, (list, tuple)) or len(vectors) != len(places):
            raise ArgumentError(f"Closure: a list of {len(places)} vectors is expected, got {describe(vectors)}")
        full: list[Any] = [np.zeros(leaf.shape, leaf.dtype) for leaf in self.leaves]
        for k, v in zip(places, vectors, strict=True):
            full[k] = v
        found = flatten(self._product(self.params, unflatten(self.structure, full, values=False)))[0]
        return [found[k].detach().numpy() for k in places]

    def release(self) -> None:
        """Free the workers."""
        for f in (self._value, self._both, self._product):
            f.release()

    def __repr__(self) -> str:
        return f"<closure over {self.shards!r}>"
