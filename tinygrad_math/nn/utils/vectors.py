"""Parameters as one vector, and gradients kept within bounds."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from ...core.arguments import named
from ...core.errors import ArgumentError, ShapeError, describe
from ...core.tensor import Tensor, as_tensor, rec
from ..module import Module

__all__ = ["clip_grad_norm_", "clip_grad_value_", "parameters_to_vector", "vector_to_parameters"]


def _listed(parameters: Any, asker: str) -> list[Tensor]:
    found = parameters.parameters() if isinstance(parameters, Module) else parameters
    found = [found] if isinstance(found, Tensor) else list(found)
    for p in found:
        if not isinstance(p, Tensor):
            raise ArgumentError(f"{asker} takes a module or Tensors, got {describe(p)}")
    return found


@named
def parameters_to_vector(parameters: Iterable[Tensor] | Module) -> Tensor:
    """All parameters one after another, as one vector: recorded, so that it can be differentiated.

    >>> import tinygrad_math as tm
    >>> tm.nn.utils.parameters_to_vector(tm.nn.Linear(2, 3)).shape
    (9,)
    """
    return rec.concat([rec.reshape(p, (-1,)) for p in _listed(parameters, "parameters_to_vector")])


@named
def vector_to_parameters(vec: Any, parameters: Iterable[Tensor] | Module) -> None:
    """Write a vector into the parameters, one after another. Raises ShapeError, and then nothing has changed.

    >>> import numpy as np, tinygrad_math as tm
    >>> layer = tm.nn.Linear(1, 1)
    >>> tm.nn.utils.vector_to_parameters([2.0, 3.0], layer)
    >>> layer(5.0 * np.ones(1)).tolist()
    [13.0]
    """
    listed = _listed(parameters, "vector_to_parameters")
    flat = np.asarray(as_tensor(vec).detach().numpy())
    if flat.shape != (sum(p.size for p in listed),):
        raise ShapeError(f"vector_to_parameters: {sum(p.size for p in listed)} numbers in a row, got {describe(vec)}")
    at = 0
    for p in listed:
        p._replace(flat[at : at + p.size].reshape(p.shape).astype(p.dtype))
        at += p.size


@named
def clip_grad_norm_(
    parameters: Iterable[Tensor] | Module, max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> Tensor:
    """Scale the gradients so that the norm of all of them together is at most max_norm; returns the norm before.

    Arguments: `norm_type` the p of the norm, inf too. As in PyTorch the factor is max_norm / (norm + 1e-6), at most 1.
    Raises ArgumentError, and FloatingPointError with `error_if_nonfinite` where the norm is no number.

    >>> import tinygrad_math as tm
    >>> x = tm.tensor([3.0, 4.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> tm.nn.utils.clip_grad_norm_([x], 1.0), x.grad.round(3)
    (tensor(10.), tensor([0.6, 0.8]))
    """
    if not max_norm >= 0 or not norm_type > 0:
        raise ArgumentError(
            f"clip_grad_norm_: max_norm from 0 on and norm_type above 0, got {max_norm} and {norm_type}"
        )
    listed = [p for p in _listed(parameters, "clip_grad_norm_") if p.grad is not None]
    norms = [np.linalg.norm(np.ravel(p.grad.node.data), norm_type) for p in listed if p.grad is not None]
    total = float(np.linalg.norm(np.asarray(norms, np.float64), norm_type)) if norms else 0.0
    if error_if_nonfinite and not math.isfinite(total):
        raise FloatingPointError(f"clip_grad_norm_: the norm of the gradients is {total}")
    factor = max_norm / (total + 1e-6)
    if not factor >= 1:
        for p in listed:
            if p.grad is not None:
                p.grad = p.grad.detach() * factor
    return as_tensor(np.float64(total))


@named
def clip_grad_value_(parameters: Iterable[Tensor] | Module, clip_value: float) -> None:
    """Keep each element of the gradients between -clip_value and clip_value.

    >>> import tinygrad_math as tm
    >>> x = tm.tensor([3.0, 0.1], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> tm.nn.utils.clip_grad_value_([x], 1.0)
    >>> x.grad
    tensor([1. , 0.2])
    """
    if not clip_value >= 0:
        raise ArgumentError(f"clip_grad_value_: clip_value from 0 on, got {clip_value!r:.40}")
    for p in _listed(parameters, "clip_grad_value_"):
        if p.grad is not None:
            p.grad = rec.clip(p.grad.detach(), -clip_value, clip_value)
