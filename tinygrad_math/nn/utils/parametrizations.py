"""Weights of bounded size: by a length of their own, and by their largest singular value."""

from __future__ import annotations

import math
from typing import Any

from ...core.arguments import named
from ...core.elsewhere import face as _face
from ...core.errors import ArgumentError, ShapeError, describe
from ...core.tensor import Tensor, rec
from ..common import generator
from ..module import Module
from .parametrize import register_parametrization

__all__ = ["spectral_norm", "weight_norm"]


@named
def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Learn the length of a weight apart from its direction: w = g v / ||v||, in each slice along `dim`.

    `parametrizations.weight` has `original0`, the lengths g, and `original1`, v; at first w is as before. Arguments:
    `dim=None` one length for all. Returns the module. Derivative: that of the formula. Salimans and Kingma 2016.

    >>> import numpy as np, tinygrad_math as tm
    >>> layer = tm.nn.utils.parametrizations.weight_norm(tm.nn.Linear(3, 2, rng=0))
    >>> with tm.no_grad():
    ...     layer.parametrizations.weight.original0[...] = 5.0
    >>> tm.linalg.norm(layer.weight, axis=1).round(12).tolist()
    [5.0, 5.0]
    """
    return register_parametrization(module, name, WeightNorm(dim))


class WeightNorm(Module):
    """The map of `weight_norm`."""

    def __init__(self, dim: int | None) -> None:
        super().__init__()
        self.dim = dim

    def _length(self, v: Any) -> Any:
        if self.dim is None or self.dim == -1:
            return rec.sqrt(rec.sum(rec.square(v)))
        if not -v.ndim <= self.dim < v.ndim:
            raise ShapeError(f"weight_norm: there is no axis {self.dim} in {describe(v)}")
        others = tuple(k for k in range(v.ndim) if k != self.dim % v.ndim)
        return rec.sqrt(rec.sum(rec.square(v), axis=others, keepdims=True))

    def forward(self, g: Any, v: Any) -> Tensor:
        return rec.multiply(v, g / self._length(v))

    def right_inverse(self, w: Any) -> tuple[Any, Any]:
        return self._length(w), w


@named
def spectral_norm(
    module: Module,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
    rng: Any = None,
) -> Module:
    """A weight divided by its largest singular value, as power iteration knows it: w = W / (u' W v).

    Each reading in training mode goes on by `n_power_iterations` from the vectors u and v, which are buffers; no
    gradient comes back through them. Arguments: `dim` the axis of the outputs, 0, or 1 in transposed convolutions;
    other axes are one. `eps` is the least length that is divided by; `rng` where u and v begin. Returns the module.
    Derivative: that of the formula, with u and v fixed. Miyato, Kataoka, Koyama, Yoshida 2018.

    >>> import numpy as np, tinygrad_math as tm
    >>> layer = tm.nn.utils.parametrizations.spectral_norm(tm.nn.Linear(3, 2, rng=0), rng=0)
    >>> for _ in range(20):
    ...     w = layer.weight
    >>> round(tm.linalg.norm(w.detach(), ord=2).item(), 6)
    1.0
    """
    weight = module.__dict__.get(name)
    if not isinstance(weight, Tensor):
        raise ArgumentError(f"{type(module).__name__} has no parameter {name!r:.40} of its own to compute")
    if dim is None:
        dim = 1 if type(module).__name__.startswith("ConvTranspose") else 0
    return register_parametrization(module, name, SpectralNorm(weight.detach(), n_power_iterations, dim, eps, rng))


class SpectralNorm(Module):
    """The map of `spectral_norm`."""

    _u: Any
    _v: Any

    def __init__(self, weight: Tensor, n_power_iterations: int, dim: int, eps: float, rng: Any) -> None:
        super().__init__()
        if n_power_iterations < 1 or not -weight.ndim <= dim < weight.ndim:
            raise ArgumentError(
                f"spectral_norm: n_power_iterations from 1 on, and an axis of {describe(weight)}; got "
                f"{n_power_iterations} and {dim}"
            )
        self.n_power_iterations, self.dim, self.eps, draw = n_power_iterations, dim % weight.ndim, eps, generator(rng)
        if weight.ndim > 1:
            rows = weight.shape[self.dim]
            for name, n in (("_u", rows), ("_v", math.prod(weight.shape) // rows)):
                self.register_buffer(name, self._unit(Tensor(draw.normal(size=n).astype(weight.dtype))))
            self._iterate(self._matrix(weight), 15)

    def _unit(self, x: Any) -> Any:
        return x / rec.maximum(rec.sqrt(rec.sum(rec.square(x))), self.eps)

    def _matrix(self, w: Any) -> Any:
        return rec.reshape(rec.moveaxis(w, self.dim, 0), (w.shape[self.dim], -1))

    def _iterate(self, matrix: Any, times: int) -> None:
        u, v = self._u, self._v
        for _ in range(times):
            u = self._unit(rec.matmul(matrix, v))
            v = self._unit(rec.matmul(matrix.T, u))
        self._u[...], self._v[...] = rec.stop_gradient(u), rec.stop_gradient(v)

    def forward(self, w: Any) -> Tensor:
        if w.ndim == 1:
            return rec.divide(w, rec.maximum(rec.sqrt(rec.sum(rec.square(w))), self.eps))
        matrix = self._matrix(w)
        if self.training:
            self._iterate(rec.stop_gradient(matrix), self.n_power_iterations)
        u, v = rec.stop_gradient(self._u), rec.stop_gradient(self._v)
        return rec.divide(w, rec.sum(u * rec.matmul(matrix, v)))


__getattr__, __dir__ = _face(__name__)
