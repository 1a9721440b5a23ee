"""Parameters as one vector, and gradients kept within bounds."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from ...core.arguments import named
from ...core.errors import ArgumentError, ShapeError, describe
from ...core.tensor import Tensor, as_tensor, rec
from ...core.whole import put_all
from ...linalg.norm import vector_norm
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

    The parameters take the numbers, not how they came about: inside a transform that differentiates the vector it
    raises NeedsDetach, and TraceError where it is traced. A function of a vector gives a copy of the network its
    tensors: `vector, tree = tm.ravel_tree(dict(net.named_parameters()))`, and then `net.with_tensors(tree(vector))(x)`.

    >>> import numpy as np, tinygrad_math as tm
    >>> layer = tm.nn.Linear(1, 1)
    >>> tm.nn.utils.vector_to_parameters([2.0, 3.0], layer)
    >>> layer(5.0 * np.ones(1)).tolist()
    [13.0]
    """
    listed = _listed(parameters, "vector_to_parameters")
    given = as_tensor(vec)
    given._leave("writing into parameters", "Give a copy its tensors: net.with_tensors(tree(vec)), see tm.ravel_tree.")
    flat = np.asarray(given.detach().numpy())
    if flat.shape != (sum(p.size for p in listed),):
        raise ShapeError(f"vector_to_parameters: {sum(p.size for p in listed)} numbers in a row, got {describe(vec)}")
    parts = np.split(flat, np.cumsum([p.size for p in listed])[:-1])
    new = [(p, part.reshape(p.shape).astype(p.dtype)) for p, part in zip(listed, parts, strict=False)]
    put_all(Tensor._replace, new, [(p, p.node.data) for p in listed])


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
    slopes = _slopes(parameters, "clip_grad_norm_")
    lengths = [_length(g.node.data, norm_type) for _, g in slopes]
    plain = norm_type == 2 and not any(map(math.isnan, lengths))  # of which hypot may know nothing
    total = math.hypot(*lengths) if plain else _length(lengths, norm_type)
    if error_if_nonfinite and not math.isfinite(total):
        raise FloatingPointError(f"clip_grad_norm_: the norm of the gradients is {total}")
    factor = float(max_norm) / (total + 1e-6)  # a bound of few digits leaves the gradients theirs
    if not factor >= 1:
        put_all(_put_slope, [(p, g.detach() * factor) for p, g in slopes], slopes)
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
    slopes, bound = _slopes(parameters, "clip_grad_value_"), float(clip_value)
    put_all(_put_slope, [(p, rec.clip(g.detach(), -bound, bound)) for p, g in slopes], slopes)


_LEAST = float(np.finfo(np.float64).tiny / np.finfo(np.float64).eps)  # a sum of squares that has all its digits
_MANY = 1 << 16  # numbers, whose squares may be added one by one


def _length(x: Any, order: float) -> float:
    """The norm of all numbers, in double precision: powers of half and single ones leave their range."""
    x = np.asarray(x)
    x = x.astype(np.result_type(x, np.float64), copy=False)
    if order == 2 and x.size <= _MANY:
        flat = x.ravel()
        square = float(np.vdot(flat, flat).real)
        if _LEAST <= square < math.inf:
            return math.sqrt(square)
    return float(vector_norm(x, ord=order))


def _slopes(parameters: Any, asker: str) -> list[tuple[Tensor, Tensor]]:
    """The parameters that have a gradient, each once, with it."""
    listed = dict.fromkeys(_listed(parameters, asker))
    return [(p, p.grad) for p in listed if p.grad is not None]


def _put_slope(p: Tensor, g: Tensor) -> None:
    p.grad = g
