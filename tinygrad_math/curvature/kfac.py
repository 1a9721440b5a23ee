"""Kronecker-factored curvature: a small matrix for each side of every linear layer."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, ShapeError, describe
from ..core.opening import room
from ..core.tensor import Tensor, as_tensor
from ..core.walk import grad_of
from ..nn import Linear, Module, Parameter
from ..transforms.tracing import recorded
from .matrices import Array, Symmetric, array_of, count_of, number_of, one_of, shards_of
from .operators import LIKELIHOODS


def _roots(outputs: Array, likelihood: str) -> Array:
    """Columns s_c of each example, (C, N, C), with sum_c s_c s_c' the covariance of what the outputs parametrise."""
    count, classes = outputs.shape
    unit = np.broadcast_to(np.eye(classes)[:, None, :], (classes, count, classes))
    if likelihood == "gaussian":
        return np.array(unit)
    if likelihood == "categorical":
        p = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        root = np.sqrt(p)
        return np.moveaxis(root[:, :, None] * np.eye(classes) - p[:, :, None] * root[:, None, :], 2, 0)
    if likelihood == "bernoulli":
        p = 1 / (1 + np.exp(-outputs))
        return unit * np.sqrt(p * (1 - p))
    return unit * np.exp(outputs / 2)


Factors = dict[str, tuple[Array, Array]]  # of each layer: A of its inputs, G of what flows back to its outputs


def _layers(model: Module) -> dict[str, Linear]:
    """The linear layers by name. Raises ArgumentError for parameters of others."""
    layers = {name: m for name, m in model.named_modules() if isinstance(m, Linear)}
    covered = {id(p) for m in layers.values() for p in (m.weight, m.bias) if p is not None}
    other = [name for name, p in model.named_parameters() if id(p) not in covered]
    if len(covered) < sum((m.weight is not None) + (m.bias is not None) for m in layers.values()):
        raise ArgumentError("KFACOperator: two layers share a parameter, whose block is no Kronecker product")
    if other:
        raise ArgumentError(f"KFACOperator knows Linear layers; these parameters belong to others: {', '.join(other)}")
    return layers


def _factors(model: Module, inputs: Tensor, likelihood: str) -> Factors:
    """The factors of each layer, means over the examples."""
    # what flows back to a layer's outputs is asked for, whether or not its parameters learn
    model = model.with_tensors({n: Parameter(p.node.data) for n, p in model.named_parameters()})
    layers, seen = _layers(model), dict[str, tuple[Array, Tensor]]()

    def noting(name: str) -> Any:
        def note(module: Any, args: Any, output: Tensor) -> None:
            if name in seen:
                raise ArgumentError(f"KFACOperator: the layer {name or 'itself'} is used more than once")
            seen[name] = (array_of(args[0], "KFACOperator"), output)

        return note

    hooks = [m.register_forward_hook(noting(name)) for name, m in layers.items()]
    try:
        outputs = recorded(model, inputs)
    finally:
        for hook in hooks:
            hook.remove()
    if outputs.ndim != 2 or any(a.ndim != 2 for a, _ in seen.values()):
        raise ShapeError(f"KFACOperator: the model maps (N, features) to (N, outputs), got {describe(outputs)}")
    if missing := [name for name in layers if name not in seen]:
        raise ArgumentError(f"KFACOperator: the model did not use its layers {', '.join(missing)}")
    count = outputs.shape[0]
    if not count:
        raise ShapeError(f"KFACOperator: the mean over no examples does not exist, got {describe(inputs)}")
    backs = {name: np.zeros((y.shape[1], y.shape[1])) for name, (_, y) in seen.items()}
    for root in _roots(array_of(outputs, "KFACOperator"), likelihood):
        pulled = grad_of(outputs, [y for _, y in seen.values()], grad_outputs=root.astype(outputs.dtype))
        for name, g in zip(seen, pulled, strict=True):
            backs[name] += np.asarray(g.node.data).T @ np.asarray(g.node.data) / count
    factors = {}
    for name, (a, _) in seen.items():
        if layers[name].bias is not None:
            a = np.concatenate([a, np.ones((count, 1), a.dtype)], axis=1)
        factors[name] = (a.T @ a / count, backs[name])
    return factors


def _batch_factors(likelihood: str, model: Module, batch: Any) -> Factors:
    """The same of a batch: inputs, or (inputs, ...)."""
    return _factors(model, as_tensor(batch[0] if isinstance(batch, (tuple, list)) else batch), likelihood)


def _mean(found: list[tuple[int, Factors]]) -> Factors:
    """The mean over the examples of some batches."""
    total = sum(n for n, _ in found)
    if not total:
        raise ArgumentError("KFACOperator: data holds no examples")
    names = list(found[0][1])
    a, g = ({name: sum(n / total * f[name][k] for n, f in found) for name in names} for k in (0, 1))
    return {name: (np.asarray(a[name]), np.asarray(g[name])) for name in names}


def _arrays(tree: Any) -> Factors:
    return {name: (a.detach().numpy(), g.detach().numpy()) for name, (a, g) in tree.items()}


class KFACOperator(Symmetric):
    r"""The Fisher matrix of a network of linear layers, each layer's block a Kronecker product G ⊗ A.

    Arguments: `model` a Module whose parameters all belong to Linear layers, each used once; `inputs` (N, features),
    the examples; `likelihood` as for FisherOperator. Shape (n, n), over the parameters of the model in their order.
    In the place of inputs `data`, batches of (inputs, ...); with a Dask `client` shards, as for HessianOperator, and
    the factors are made there, once; a product sends nothing.
    Formula: \(F_l \approx G_l \otimes A_l\), with \(A = \frac1N \sum a a^\top\) of the layer's inputs (and a 1 for
    its bias) and \(G = \frac1N \sum g g^\top\) of what flows back to its outputs. Exact for one layer of a Gaussian
    model. `solve(v, damping)` inverts G ⊗ A + damping I through the factors' eigenvectors.
    Raises ArgumentError for parameters outside of Linear layers.
    Source: Martens, Grosse 2015, "Optimizing neural networks with Kronecker-factored approximate curvature".

    >>> import numpy as np
    >>> import tinygrad_math as tm
    >>> layer, X = tm.nn.Linear(2, 1, rng=0), np.array([[1.0, 0.0], [0.0, 2.0]])
    >>> tm.curvature.KFACOperator(layer, X).to_dense().tolist()
    [[0.5, 0.0, 0.5], [0.0, 2.0, 1.0], [0.5, 1.0, 1.0]]
    """

    def __init__(
        self, model: Module, inputs: Any = None, likelihood: str = "gaussian", data: Any = None, client: Any = None
    ) -> None:
        if not isinstance(model, Module):
            raise ArgumentError(f"KFACOperator takes a Module and its inputs, got {describe(model)}")
        self.likelihood = one_of(likelihood, LIKELIHOODS, "KFACOperator", "likelihood")
        shards = shards_of(data, client, "KFACOperator")
        if (inputs is None) == (data is None):
            raise ArgumentError("KFACOperator takes inputs, or data= in batches of them, one of the two")
        super().__init__(model, None)
        layers = _layers(model)
        if shards is not None:
            room("distributed")
            from ..distributed.products import evaluate

            self.factors = _arrays(evaluate(functools.partial(_batch_factors, likelihood), shards, None)(model))
        elif data is not None:
            self.factors = _mean([(n, _batch_factors(likelihood, model, b)) for b in data if (n := count_of(b))])
        else:
            self.factors = _factors(model, as_tensor(inputs), likelihood)
        self._places: dict[str, tuple[int, int | None]] = {}
        leaves = {name: k for k, (name, _) in enumerate(model.named_parameters())}
        for name in layers:
            prefix = f"{name}." if name else ""
            self._places[name] = (leaves[f"{prefix}weight"], leaves.get(f"{prefix}bias"))

    def _layerwise(self, vectors: Array, change: Any) -> Array:
        """Each layer's part of some vectors, (k, out, in + 1), changed."""
        parts = self.columns.split(vectors)
        for name, (w, b) in self._places.items():
            joint = parts[w] if b is None else np.concatenate([parts[w], parts[b][..., None]], axis=-1)
            joint = change(joint, *self.factors[name])
            parts[w] = joint if b is None else joint[..., :-1]
            if b is not None:
                parts[b] = joint[..., -1]
        return self.columns.join(parts, len(vectors))

    def _matmat(self, vectors: Array) -> Array:
        return self._layerwise(np.asarray(vectors).T, lambda v, a, g: g @ v @ a).T

    _rmatmat = _matmat

    def solve(self, vector: Any, damping: float) -> Array:
        """(F + damping I)⁻¹ v, exactly for the factored F. Raises ArgumentError unless damping is above 0."""
        damping = number_of(damping, "KFACOperator.solve", "damping")
        if not damping > 0:
            raise ArgumentError(f"KFACOperator.solve: damping is above 0, got {damping}")

        def change(v: Array, a: Array, g: Array) -> Array:
            la, qa = np.linalg.eigh(a)
            lg, qg = np.linalg.eigh(g)
            return np.asarray(qg @ ((qg.T @ v @ qa) / (lg[:, None] * la + damping)) @ qa.T)

        v = array_of(vector, "KFACOperator.solve")
        if v.shape != self.shape[:1] or v.dtype.kind not in "biuf":
            raise ShapeError(f"KFACOperator.solve takes a real vector of shape {self.shape[:1]}, got {describe(v)}")
        solved: Array = self._layerwise(v.astype(float)[None], change)[0]
        return solved
