"""How parameters start. Each function fills a Tensor in place and returns it; PyTorch's names and formulas.

`rng` is a NumPy Generator or a seed; without it the numbers come from `tm.random`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.elsewhere import face as _face
from ..core.errors import ArgumentError, ShapeError, describe
from ..core.tensor import Tensor
from .common import generator

__all__ = [
    "calculate_gain", "constant_", "dirac_", "eye_", "kaiming_normal_", "kaiming_uniform_", "normal_", "ones_",
    "orthogonal_", "sparse_", "trunc_normal_", "uniform_", "xavier_normal_", "xavier_uniform_", "zeros_",
]  # fmt: skip

_GAINS = {
    "linear": 1.0,
    "conv1d": 1.0,
    "conv2d": 1.0,
    "conv_transpose2d": 1.0,
    "sigmoid": 1.0,
    "tanh": 5 / 3,
    "relu": math.sqrt(2),
    "selu": 0.75,
}


def _filled(tensor: Any, values: Any) -> Tensor:
    if not isinstance(tensor, Tensor):
        instead = "; give the parameter itself, without .data" if isinstance(tensor, np.ndarray) else ""
        raise ArgumentError(f"an initialisation fills a Tensor, got {describe(tensor)}{instead}")
    if isinstance(values, Tensor):
        values._leave("an initialisation", "Compute with the value itself, or say tm.full_like(tensor, value).")
        values = values.node.data
    tensor._replace(np.broadcast_to(values, tensor.shape).astype(tensor.dtype))
    return tensor


@named
def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor by which weights before this activation start larger, so that variances stay.

    >>> import tinygrad_math as tm
    >>> tm.nn.init.calculate_gain("relu") ** 2
    2.0000000000000004
    """
    if nonlinearity == "leaky_relu":
        return math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in _GAINS:
        raise ArgumentError(f"calculate_gain knows {', '.join([*_GAINS, 'leaky_relu'])}, got {nonlinearity!r:.40}")
    return _GAINS[nonlinearity]


def _fans(tensor: Tensor, asker: str) -> tuple[int, int]:
    """How many numbers flow into a unit of this weight, and out of one."""
    if tensor.ndim < 2:
        raise ShapeError(f"{asker} needs a weight of two axes or more, got {describe(tensor)}")
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


@named
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, rng: Any = None) -> Tensor:
    """Uniform in [a, b).

    >>> import tinygrad_math as tm
    >>> bool((tm.nn.init.uniform_(tm.zeros(5), 2.0, 3.0, rng=0) >= 2.0).all())
    True
    """
    return _filled(tensor, generator(rng).uniform(a, b, tensor.shape))


@named
def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, rng: Any = None) -> Tensor:
    """Normal, of this mean and standard deviation.

    >>> import tinygrad_math as tm
    >>> tm.nn.init.normal_(tm.zeros(2), 5.0, 0.0).tolist()
    [5.0, 5.0]
    """
    return _filled(tensor, generator(rng).normal(mean, std, tensor.shape))


@named
def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, rng: Any = None
) -> Tensor:
    """Normal, kept to [a, b] by drawing from that part of the distribution (through its inverse).

    >>> import tinygrad_math as tm
    >>> x = tm.nn.init.trunc_normal_(tm.zeros(100), std=3.0, rng=0)
    >>> bool((abs(x) <= 2.0).all())
    True
    """
    from scipy.special import ndtr, ndtri  # SciPy is loaded where it is needed

    if not a < b or not std > 0:
        raise ArgumentError(f"trunc_normal_ needs a < b and std > 0, got {a=}, {b=}, {std=}")
    low, high = ndtr((a - mean) / std), ndtr((b - mean) / std)
    return _filled(tensor, np.clip(mean + std * ndtri(generator(rng).uniform(low, high, tensor.shape)), a, b))


@named
def constant_(tensor: Tensor, val: float) -> Tensor:
    """One number everywhere.

    >>> import tinygrad_math as tm
    >>> tm.nn.init.constant_(tm.zeros(2), 0.5)
    tensor([0.5, 0.5])
    """
    return _filled(tensor, val)


@named
def ones_(tensor: Tensor) -> Tensor:
    """1 everywhere.

    >>> import tinygrad_math as tm
    >>> tm.nn.init.ones_(tm.zeros(2))
    tensor([1., 1.])
    """
    return _filled(tensor, 1.0)


@named
def zeros_(tensor: Tensor) -> Tensor:
    """0 everywhere.

    >>> import tinygrad_math as tm
    >>> tm.nn.init.zeros_(tm.ones(2))
    tensor([0., 0.])
    """
    return _filled(tensor, 0.0)


@named
def eye_(tensor: Tensor) -> Tensor:
    """The identity, for a matrix.

    >>> import tinygrad_math as tm
    >>> tm.nn.init.eye_(tm.zeros((2, 2)))
    tensor([[1., 0.],
            [0., 1.]])
    """
    if tensor.ndim != 2:
        raise ShapeError(f"eye_ needs a matrix, got {describe(tensor)}")
    return _filled(tensor, np.eye(tensor.shape[0], tensor.shape[1]))


@named
def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """The kernel of a convolution that lets channels through as they are, as many as fit.

    >>> import tinygrad_math as tm
    >>> tm.nn.init.dirac_(tm.zeros((1, 1, 3))).tolist()
    [[[0.0, 1.0, 0.0]]]
    """
    if tensor.ndim not in (3, 4, 5) or tensor.shape[0] % groups:
        raise ShapeError(
            f"dirac_ needs a kernel (out, in, ...) whose outputs {groups} groups divide, got {describe(tensor)}"
        )
    out = tensor.shape[0] // groups
    values = np.zeros(tensor.shape)
    for g in range(groups):
        for k in range(min(out, tensor.shape[1])):
            values[(g * out + k, k, *(n // 2 for n in tensor.shape[2:]))] = 1
    return _filled(tensor, values)


@named
def xavier_uniform_(tensor: Tensor, gain: float = 1.0, rng: Any = None) -> Tensor:
    """Uniform in +-gain sqrt(6 / (fan_in + fan_out)). Glorot and Bengio 2010.

    >>> import tinygrad_math as tm
    >>> bool((abs(tm.nn.init.xavier_uniform_(tm.zeros((3, 3)), rng=0)) <= 1.0).all())
    True
    """
    bound = gain * math.sqrt(6 / sum(_fans(tensor, "xavier_uniform_")))
    return uniform_(tensor, -bound, bound, rng)


@named
def xavier_normal_(tensor: Tensor, gain: float = 1.0, rng: Any = None) -> Tensor:
    """Normal, of standard deviation gain sqrt(2 / (fan_in + fan_out)). Glorot and Bengio 2010.

    >>> import tinygrad_math as tm
    >>> tm.nn.init.xavier_normal_(tm.zeros((3, 2)), rng=0).shape
    (3, 2)
    """
    return normal_(tensor, 0.0, gain * math.sqrt(2 / sum(_fans(tensor, "xavier_normal_"))), rng)


def _kaiming(tensor: Tensor, a: float, mode: str, nonlinearity: str, asker: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ArgumentError(f"{asker}: mode is 'fan_in' or 'fan_out', got {mode!r:.40}")
    fan = _fans(tensor, asker)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


@named
def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", rng: Any = None
) -> Tensor:
    """Uniform in +-gain sqrt(3 / fan). He et al. 2015.

    >>> import tinygrad_math as tm
    >>> tm.nn.init.kaiming_uniform_(tm.zeros((3, 2)), rng=0).shape
    (3, 2)
    """
    bound = math.sqrt(3) * _kaiming(tensor, a, mode, nonlinearity, "kaiming_uniform_")
    return uniform_(tensor, -bound, bound, rng)


@named
def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", rng: Any = None
) -> Tensor:
    """Normal, of standard deviation gain / sqrt(fan). He et al. 2015.

    >>> import tinygrad_math as tm
    >>> tm.nn.init.kaiming_normal_(tm.zeros((3, 2)), rng=0).shape
    (3, 2)
    """
    return normal_(tensor, 0.0, _kaiming(tensor, a, mode, nonlinearity, "kaiming_normal_"), rng)


@named
def orthogonal_(tensor: Tensor, gain: float = 1.0, rng: Any = None) -> Tensor:
    """gain times a matrix with orthonormal rows or columns, whichever are fewer (axes after the first count as one).

    Saxe, McClelland, Ganguli 2014; the signs of R's diagonal make the draw uniform (Mezzadri 2007).

    >>> import numpy as np, tinygrad_math as tm
    >>> q = tm.nn.init.orthogonal_(tm.zeros((2, 3)), rng=0)
    >>> bool(np.allclose((q @ q.T).numpy(), np.eye(2)))
    True
    """
    if tensor.ndim < 2:
        raise ShapeError(f"orthogonal_ needs two axes or more, got {describe(tensor)}")
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    if not rows * columns:
        return tensor
    q, r = np.linalg.qr(generator(rng).normal(size=(max(rows, columns), min(rows, columns))))
    q = q * np.sign(np.diagonal(r))
    return _filled(tensor, gain * (q if rows >= columns else q.T).reshape(tensor.shape))


@named
def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, rng: Any = None) -> Tensor:
    """Normal, with this share of zeros in each column of a matrix. Martens 2010.

    >>> import tinygrad_math as tm
    >>> (tm.nn.init.sparse_(tm.zeros((4, 3)), 0.5, rng=0) == 0.0).sum(axis=0).tolist()
    [2, 2, 2]
    """
    if tensor.ndim != 2 or not 0 <= sparsity <= 1:
        raise ShapeError(f"sparse_ needs a matrix and a share from 0 to 1, got {describe(tensor)} and {sparsity}")
    draw, rows = generator(rng), tensor.shape[0]
    values = draw.normal(0.0, std, tensor.shape)
    for column in values.T:
        column[draw.permutation(rows)[: math.ceil(sparsity * rows)]] = 0
    return _filled(tensor, values)


__getattr__, __dir__ = _face(__name__)
