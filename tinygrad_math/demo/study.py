"""Train y = W2 W1 x on Fisher's Iris data, and check everything that can be checked about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import nn, optim
from ..core.errors import MathError
from ..core.tensor import Tensor, rec
from ..core.tree import flatten, unflatten
from ..data import iris
from ..testing import directional
from ..transforms.derivatives import grad
from ..transforms.matrices import hessian
from ..transforms.products import hvp
from ..viz.graph import Graph, graph

Array = np.ndarray[Any, Any]
Progress = Callable[[Iterator[int], int], Iterator[int]]


@dataclass
class Study:
    """All that the training showed; arrays are float64, lengths in cm, the loss in cm^2."""

    x: Array  # (150, 2) centred sepal length and width
    y: Array  # (150, 2) centred petal length and width
    least_squares: Array  # (2, 2) the W that no linear map beats
    steps: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)  # largest |W2 W1 - W| after each step
    norms: list[tuple[float, float]] = field(default_factory=list)  # |dL/dW1|, |dL/dW2|
    w1: Array = field(default_factory=lambda: np.empty(0))
    w2: Array = field(default_factory=lambda: np.empty(0))
    gradient: Array = field(default_factory=lambda: np.empty(0))  # the 12 derivatives at the start
    differences: Array = field(default_factory=lambda: np.empty(0))  # the same by finite differences
    product: Array = field(default_factory=lambda: np.empty(0))  # H v by hvp, at the end
    dense: Array = field(default_factory=lambda: np.empty(0))  # H v with the dense Hessian
    curvature: Array = field(default_factory=lambda: np.empty(0))  # the dense Hessian, (12, 12)
    power: list[float] = field(default_factory=list)  # the estimates of its largest eigenvalue
    drawing: Graph | None = None  # of the loss of the first step, in which the gradients are still large

    @property
    def w(self) -> Array:
        """The one matrix that two linear layers amount to."""
        return self.w2 @ self.w1


def study(
    hidden: int = 3,
    lr: float = 0.1,
    momentum: float = 0.9,
    goal: float = 1e-6,
    limit: int = 5000,
    seed: int = 0,
    progress: Progress = lambda steps, total: steps,
) -> Study:
    """Train until the product of the layers meets the least-squares W to `goal` in every element.

    Raises MathError if `limit` steps do not reach it.
    """
    flowers = iris()
    x, y = flowers.sepal - flowers.sepal.mean(axis=0), flowers.petal - flowers.petal.mean(axis=0)
    out = Study(x, y, np.linalg.lstsq(x, y, rcond=None)[0].T)
    net = nn.Sequential(nn.Linear(2, hidden, bias=False, rng=seed), nn.Linear(hidden, 2, bias=False, rng=seed + 1))
    first, second = net[0].weight, net[1].weight
    first.name, second.name = "W1", "W2"

    inputs, targets = Tensor(x, name="x"), Tensor(y, name="y")

    def loss(model: Any) -> Tensor:
        return nn.functional.mse_loss(model(inputs), targets)

    _compare_gradients(out, loss, net)
    optimizer = optim.SGD(net, lr=lr, momentum=momentum)
    for step in progress(iter(range(limit)), limit):
        optimizer.zero_grad()
        value = loss(net)
        if step == 0:
            out.drawing = graph(value, names={"loss": value}, direction="right")
        value.backward()
        w1, w2 = first.detach().numpy(), second.detach().numpy()
        out.steps.append(step)
        out.losses.append(value.item())
        out.gaps.append(float(np.abs(w2 @ w1 - out.least_squares).max()))
        out.norms.append((_norm(first), _norm(second)))
        if out.gaps[-1] < goal:
            break
        optimizer.step()
    else:
        raise MathError(f"after {limit} steps W2 W1 is still {out.gaps[-1]:.2g} away; try another lr or momentum")
    out.w1, out.w2 = w1, w2
    _look_at_curvature(out, loss, net)
    return out


def _norm(p: Tensor) -> float:
    assert p.grad is not None
    return float(np.linalg.norm(p.grad.node.data))


def _flat(tree: Any) -> Array:
    return np.concatenate([np.ravel(leaf.node.data) for leaf in flatten(tree)[0]])


def _compare_gradients(out: Study, loss: Callable[[Any], Tensor], net: Any) -> None:
    """Each of the 12 derivatives, by the chain rule and by finite differences."""
    out.gradient = _flat(grad(loss)(net))
    leaves, structure = flatten(net)
    arrays = [leaf.detach().numpy() for leaf in leaves]
    numeric = []
    for k, a in enumerate(arrays):
        for e in np.eye(a.size).reshape(a.size, *a.shape):
            along = [e if j == k else np.zeros_like(b) for j, b in enumerate(arrays)]
            (d,) = directional(lambda ws: [np.asarray(loss(unflatten(structure, ws)).node.data)], arrays, along)
            numeric.append(float(d))
    out.differences = np.array(numeric)


def _look_at_curvature(out: Study, loss: Callable[[Any], Tensor], net: Any) -> None:
    """H v against the dense Hessian, and the largest eigenvalue by power iteration on H v alone."""
    leaves, structure = flatten(net)
    sizes = np.cumsum([leaf.size for leaf in leaves])[:-1]

    def times(v: Array) -> Array:
        parts = [p.reshape(leaf.shape) for p, leaf in zip(np.split(v, sizes), leaves, strict=True)]
        return _flat(hvp(loss, net, unflatten(structure, parts)))

    def of_vector(v: Tensor) -> Tensor:
        edges = [0, *sizes, v.size]
        parts = [rec.reshape(v[a:b], leaf.shape) for a, b, leaf in zip(edges, edges[1:], leaves, strict=False)]
        return loss(unflatten(structure, parts))

    out.curvature = hessian(of_vector)(_flat(net)).numpy()
    v = np.random.default_rng(0).standard_normal(len(out.curvature))
    out.product, out.dense = times(v), out.curvature @ v
    while len(out.power) < 2 or abs(out.power[-1] - out.power[-2]) > 1e-12 * out.power[-1]:
        v /= np.linalg.norm(v)
        hv = times(v)
        out.power.append(float(v @ hv))
        v = hv
        if len(out.power) > 2000:
            break
