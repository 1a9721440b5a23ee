"""The functions of networks, without parameters of their own."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.declare import general
from ..core.errors import ArgumentError, DTypeError, ShapeError, describe
from ..core.op import raw
from ..core.samples import real, sample
from ..core.tensor import Tensor, as_tensor, rec

__all__ = ["affine", "linear", "mean_squared_error", "mse_loss", "relu"]


def generator(rng: Any) -> np.random.Generator:
    """A NumPy Generator from a Generator, a seed or None."""
    return rng if isinstance(rng, np.random.Generator) else np.random.default_rng(rng)


@general(
    arity=3,
    latex="{0} {1}^T + {2}",
    shape="(..., n), (m, n), (m,) -> (..., m)",
    samples=lambda: [
        sample(real(4, 3), real(2, 3, key=1), real(2)),
        sample(real(3), real(2, 3, key=1), real(2)),
        sample(real(2, 4, 3), real(2, 3, key=1), real(2)),
        sample(real(0, 3), real(2, 3, key=1), real(2)),
        sample(real(4, 1), real(1, 1, key=1), real(1)),
    ],
)
def affine(x: Any, weight: Any, bias: Any, /) -> Any:
    """x W' + b. Derivative: dx W' + x dW' + db.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.affine([[1.0, 2.0]], [[3.0, 4.0]], [5.0])
    tensor([[16.]])
    """
    if x.ndim != 2 or x.size == 1 or weight.size == 1 or x.dtype != weight.dtype or x.dtype != bias.dtype:
        return x @ weight.T + bias
    y = x.dot(weight.T)
    y += bias
    return y


@affine.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any, weight: Any, bias: Any) -> Any:
    flat = g if g.ndim == 2 else xp.reshape(g, (-1, g.shape[-1]))
    gw = None
    if y.dtype.kind == "c":
        x, weight = xp.conj(x), xp.conj(weight)
    if need[1]:
        gw = xp.times(flat.T, x if x.ndim == 2 else xp.reshape(x, (-1, x.shape[-1])))
    gx = None
    if need[0]:
        gx = xp.times(g, weight) if g.ndim == 2 else xp.matmul(g, weight)
    return gx, gw, xp.batch_sum(flat) if need[2] else None


@affine.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, weight: Any, bias: Any) -> Any:
    tx, tw, tb = ts
    total = tb
    if tx is not None:
        total = tx @ weight.T if total is None else tx @ weight.T + total
    if tw is not None:
        total = x @ tw.T if total is None else x @ tw.T + total
    return total


def linear(x: Any, weight: Any, bias: Any = None) -> Tensor:
    """x W' + b: x (..., n), weight (m, n), bias (m,) or None.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.linear([1.0, 2.0], [[3.0, 4.0]])
    tensor([11.])
    """
    if bias is None:
        return rec.matmul(x, rec.matrix_transpose(weight))  # type: ignore[no-any-return]
    return affine(x, weight, bias)  # type: ignore[no-any-return]


def relu(x: Any) -> Tensor:
    """max(x, 0); the derivative at 0 is 0.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.relu(tm.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return rec.relu(x)  # type: ignore[no-any-return]


@general(
    arity=2,
    latex=r"\tfrac{{1}}{{n}} \lVert {0} - {1} \rVert^2",
    shape="the same two shapes -> ()",
    samples=lambda: [sample(real(4, 2), real(4, 2, key=1)), sample(real(3), real(3)), sample(real(), real(key=1))],
)
def mean_squared_error(prediction: Any, target: Any, /) -> Any:
    """The mean of (prediction - target)^2. Derivative: 2 (prediction - target) / n.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.mean_squared_error([1.0, 2.0], [0.0, 0.0])
    tensor(2.5)
    """
    d = np.subtract(prediction, target)
    if not d.ndim:
        return d * d
    if d.dtype.char == "e":  # whose squares overflow
        return raw.mean(np.square(d, dtype=np.float32)).astype(d.dtype)
    if d.size > 1024:  # pairwise, as BLAS does not add
        return raw.mean(d * d)
    return np.dot(d.ravel(), d.ravel()) / d.dtype.type(d.size)


@mean_squared_error.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, b: Any) -> Any:
    d = xp.conj(a - b) if y.dtype.kind == "c" else a - b
    if y.dtype.char == "e":  # which hardly holds 1 / n
        d, g = xp.astype(d, np.float32), xp.astype(g, np.float32)
    ga = d * (g * (2.0 / np.size(a if hasattr(a, "shape") else 0)))
    return ga if need[0] else None, -ga if need[1] else None


@mean_squared_error.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, b: Any) -> Any:
    ta, tb = ts
    t = -tb if ta is None else ta if tb is None else ta - tb
    d = a - b
    return xp.mean((xp.astype(d, np.float32) if y.dtype.char == "e" else d) * t) * 2.0


def shaped(x: Any) -> Any:
    """x itself if it is a Tensor or an array (recording keeps it safe from later writes), else a Tensor of it."""
    return x if isinstance(x, (Tensor, np.ndarray)) else as_tensor(x)


def check_same_shape(name: str, a: Any, b: Any) -> None:
    """A loss never broadcasts: (n,) against (n, 1) would average n x n differences."""
    if a.shape != b.shape:
        raise ShapeError(
            f"{name}: the prediction is {describe(a)} and the target {describe(b)}; their shapes must be equal. "
            "Reshape one of them, for instance with target.reshape(prediction.shape)."
        )


def mse_loss(prediction: Any, target: Any, reduction: str = "mean") -> Tensor:
    """The squared error of two arrays of one shape: its mean, its sum, or (reduction="none") each element's.

    Raises ShapeError if the shapes differ, DTypeError for complex numbers. Derivative: 2 (a - b) / n.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.mse_loss(tm.tensor([1.0, 2.0]), tm.tensor([0.0, 0.0]))
    tensor(2.5)
    """
    a, b = shaped(prediction), shaped(target)
    check_same_shape("mse_loss", a, b)
    if a.dtype.kind == "c" or b.dtype.kind == "c":
        raise DTypeError(f"mse_loss needs real numbers, got {describe(a)} and {describe(b)}; take the real part first")
    if reduction == "mean":
        return mean_squared_error(a, b)  # type: ignore[no-any-return]
    if reduction not in ("sum", "none"):
        raise ArgumentError(f"mse_loss: reduction is 'mean', 'sum' or 'none', got {reduction!r}")
    squares = rec.square(rec.subtract(a, b))
    return rec.sum(squares) if reduction == "sum" else squares  # type: ignore[no-any-return]
