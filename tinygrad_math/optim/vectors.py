"""Parameters as one vector of float64, and the products that second-order methods live on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, DTypeError, NonScalarError, describe
from ..core.mode import no_grad
from ..core.tensor import Tensor, as_tensor, rec
from ..core.walk import Trail, grad_of, pullback, pushforward
from .optimizer import Optimizer

Vector = np.ndarray[Any, Any]
SOLVED = "Use tm.implicit.root of the slope, which has the derivative of what a search finds."


class Whole(Optimizer):
    """The base of optimisers that see all parameters as one vector. Their `step` takes a closure that returns the
    loss (or the residuals), and needs no backward()."""

    def __init__(self, params: Any, **defaults: Any) -> None:
        if params is None:
            raise ArgumentError(
                f"{type(self).__name__} works on parameters in place; for a pure form use optim.minimize"
            )
        super().__init__(params, **defaults)
        if len(self.param_groups) > 1:
            raise ArgumentError(f"{type(self).__name__} sees all parameters as one vector: give it one group")
        for p in self.params:
            if p.dtype.kind != "f":
                raise DTypeError(f"{type(self).__name__} works on real parameters, got {describe(p)}")

    def gather(self, arrays: Sequence[Any]) -> Vector:
        """Arrays, one a parameter, as a vector."""
        return np.concatenate([np.ravel(a).astype(np.float64) for a in arrays])

    def split(self, vector: Vector) -> list[Any]:
        """A vector as arrays, one a parameter, in their shapes and dtypes."""
        out, at = [], 0
        for p in self.params:
            out.append(vector[at : at + p.size].reshape(p.shape).astype(p.dtype))
            at += p.size
        return out

    @property
    def position(self) -> Vector:
        return self.gather([p.node.data for p in self.params])

    @position.setter
    def position(self, vector: Vector) -> None:
        for p, array in zip(self.params, self.split(vector), strict=True):
            p._replace(array)

    def measured(self, closure: Callable[[], Any], asker: str = "loss") -> Tensor:
        """What the closure returns, recorded."""
        if not callable(closure):
            raise ArgumentError(
                f"{type(self).__name__}.step() takes a closure that returns the {asker}, got {describe(closure)}"
            )
        y = as_tensor(closure())
        if y.dtype.kind != "f":
            raise DTypeError(f"{type(self).__name__}: the closure returns a real {asker}, got {describe(y)}")
        y._leave(f"{type(self).__name__}.step()", SOLVED)
        return y

    def loss_of(self, closure: Callable[[], Any]) -> Tensor:
        y = self.measured(closure)
        if y.size != 1:
            raise NonScalarError(f"{type(self).__name__}: the closure returns the loss, one number, got {describe(y)}")
        return y

    def value(self, closure: Callable[[], Any]) -> float:
        """The loss alone."""
        with no_grad():
            return float(self.loss_of(closure).item())


class Quadratic:
    """A loss at a point: its gradient, and products with its Hessian by walking over the recorded gradient."""

    def __init__(self, whole: Whole, loss: Tensor) -> None:
        self.whole, self.loss = whole, float(loss.item())
        found = grad_of(loss, whole.params, create_graph=True, allow_unused=True)
        used = [(p.node, g.node) for p, g in zip(whole.params, found, strict=True) if g is not None]
        self.gradients = [node for _, node in used]
        self.gradient = whole.gather(
            [np.zeros(p.shape) if g is None else g.node.data for p, g in zip(whole.params, found, strict=True)]
        )
        self.targets = [p.node for p in whole.params]
        self.places = [g is not None for g in found]
        self.trail = Trail(self.gradients, self.targets)

    def product(self, vector: Vector) -> Vector:
        """The Hessian times a vector."""
        seeds = dict(zip(self.targets, self.whole.split(vector), strict=True))
        found = iter(pushforward(self.trail, seeds, self.gradients))
        parts = [next(found) if used else None for used in self.places]
        return self.whole.gather(
            [np.zeros(p.shape) if t is None else t for p, t in zip(self.whole.params, parts, strict=True)]
        )


class FarQuadratic:
    """The same where the loss is over the shards of a cluster: what `tm.distributed.Closure` gives."""

    def __init__(self, whole: Whole, closure: Any) -> None:
        self.whole, self.closure = whole, closure
        self.loss, found = closure.slope(whole.params)
        self.gradient = whole.gather(found)

    def product(self, vector: Vector) -> Vector:
        return self.whole.gather(self.closure.product(self.whole.params, self.whole.split(vector)))


class Linear:
    """Residuals at a point, and products with their Jacobian and its transpose."""

    def __init__(self, whole: Whole, residuals: Tensor) -> None:
        self.whole, self.residuals = whole, residuals
        self.targets = [p.node for p in whole.params]
        self.trail = Trail([residuals.node], self.targets)
        self.values = np.ravel(residuals.node.data).astype(np.float64)

    def forward(self, vector: Vector) -> Vector:
        seeds = dict(zip(self.targets, self.whole.split(vector), strict=True))
        (t,) = pushforward(self.trail, seeds, [self.residuals.node])
        return np.zeros_like(self.values) if t is None else np.ravel(t).astype(np.float64)

    def backward(self, vector: Vector) -> Vector:
        y = self.residuals
        found = pullback(self.trail, [(y.node, vector.reshape(y.shape).astype(y.dtype))])
        return self.whole.gather(
            [found.get(n, np.zeros(p.shape)) for n, p in zip(self.targets, self.whole.params, strict=True)]
        )


def squared(residuals: Tensor) -> float:
    """Half the sum of squares."""
    return 0.5 * float(rec.sum(rec.square(rec.astype(residuals, np.float64))).item())
