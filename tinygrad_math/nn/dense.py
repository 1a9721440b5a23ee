"""Full matrices: linear and bilinear maps."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.declare import general
from ..core.errors import ArgumentError, ShapeError, describe
from ..core.node import NO_PARAMS
from ..core.op import raw
from ..core.samples import real, sample
from ..core.tensor import Tensor, rec, record
from .common import generator, shaped, sizes
from .module import Module
from .parameter import Parameter
from .starts import restart_uniform

__all__ = ["affine", "bilinear", "linear"]

_add, _Array = np.add, np.ndarray  # NumPy's module takes long to answer


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
    dtype = x.dtype
    if x.ndim != 2 or x.size == 1 or weight.size == 1 or weight.dtype is not dtype or bias.dtype is not dtype:
        return x @ weight.T + bias
    y = x.dot(weight.T)
    return _add(y, bias, y)


@affine.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any, weight: Any, bias: Any) -> Any:
    if xp is raw and x.ndim == 2 and y.dtype.char in "fd" and x.size != 1 != weight.size and g.size != 1:
        wx, ww, wb = need
        return g.dot(weight) if wx else None, g.T.dot(x) if ww else None, raw.batch_sum(g) if wb else None
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
        return rec.matmul(x, rec.matrix_transpose(weight))
    return affine(x, weight, bias)


@named
def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Tensor:
    """y_o = sum over i and j of x_i W_oij z_j + b_o.

    Arguments: x (..., n), z (..., m), weight (out, n, m), bias (out,) or None. Raises ShapeError. Derivative: linear
    in each argument.

    >>> import tinygrad_math as tm
    >>> tm.nn.functional.bilinear([1.0, 2.0], [3.0], [[[1.0], [10.0]]])
    tensor([63.])
    """
    x, z, w = shaped(input1), shaped(input2), shaped(weight)
    if (
        w.ndim != 3
        or not x.ndim
        or not z.ndim
        or (x.shape[-1], z.shape[-1]) != w.shape[1:]
        or x.shape[:-1] != z.shape[:-1]
    ):
        raise ShapeError(
            f"bilinear: (..., n) and (..., m) with weight (out, n, m), got {describe(x)}, {describe(z)}, {describe(w)}"
        )
    y = rec.einsum("...i,oij,...j->...o", x, w, z)
    return y if bias is None else y + bias


class Linear(Module):
    """y = x W' + b, for x of shape (..., in_features).

    Arguments: sizes; `bias`; `dtype` of the parameters; `rng` a NumPy Generator, or a seed, for the start:
    uniform in +-1/sqrt(in_features). Parameters: `weight` (out_features, in_features), `bias` (out_features,).
    Raises ShapeError if the last axis of x is not in_features.

    >>> import tinygrad_math as tm
    >>> tm.nn.Linear(3, 2)([[1.0, 2.0, 3.0]]).shape
    (1, 2)
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, dtype: Any = np.float64, rng: Any = None
    ) -> None:
        if in_features < 1 or out_features < 1:
            raise ArgumentError(f"Linear needs positive sizes, got {in_features} and {out_features}")
        self.in_features, self.out_features = in_features, out_features
        draw, bound = generator(rng), 1 / np.sqrt(in_features)
        self.weight = Parameter(draw.uniform(-bound, bound, (out_features, in_features)), dtype=dtype)
        self.bias = Parameter(draw.uniform(-bound, bound, out_features), dtype=dtype) if bias else None

    def reset_parameters(self, rng: Any = None) -> None:
        """Draw the parameters anew, as at the start; `rng` as there."""
        restart_uniform(self, self.in_features, rng)

    def forward(self, x: Any) -> Tensor:
        if x.__class__ is Tensor:
            shape = data.shape if (data := x.node.data).__class__ is _Array else x.shape
        else:
            x = shaped(x)
            shape = x.shape
        if not shape or shape[-1] != self.in_features:
            raise ShapeError(
                f"a Linear({self.in_features}, {self.out_features}) takes an input of shape (..., {self.in_features}), "
                f"got {shape}: it acts on the last axis (its parameter is {self.weight.name or 'weight'})"
            )
        bias = self.bias
        if bias is None:
            return linear(x, self.weight)
        return record(affine, (x, self.weight, bias), NO_PARAMS)

    def extra_repr(self) -> str:
        return f"{self.in_features}, {self.out_features}{'' if self.bias is not None else ', bias=False'}"


class Bilinear(Module):
    """y = x W z + b, for x (..., in1_features) and z (..., in2_features).

    Arguments: sizes; `bias`; `dtype` of the parameters; `rng` a NumPy Generator, or a seed, for the start: uniform in
    +-1/sqrt(in1_features). Parameters: `weight` (out_features, in1_features, in2_features), `bias` (out_features,).

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.nn.Bilinear(2, 3, 4)(np.ones((5, 2)), np.ones((5, 3))).shape
    (5, 4)
    """

    def __init__(
        self, in1_features: int, in2_features: int, out_features: int, bias: bool = True, dtype: Any = np.float64,
        rng: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        given = in1_features, in2_features, out_features
        self.in1_features, self.in2_features, self.out_features = sizes(given, 3, "Bilinear", "each of its sizes")
        draw, bound = generator(rng), 1 / np.sqrt(self.in1_features)
        shape = self.out_features, self.in1_features, self.in2_features
        self.weight = Parameter(draw.uniform(-bound, bound, shape), dtype=dtype)
        self.bias = Parameter(draw.uniform(-bound, bound, self.out_features), dtype=dtype) if bias else None

    def reset_parameters(self, rng: Any = None) -> None:
        """Draw the parameters anew, as at the start; `rng` as there."""
        restart_uniform(self, self.in1_features, rng)

    def forward(self, input1: Any, input2: Any) -> Tensor:
        return bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        more = "" if self.bias is not None else ", bias=False"
        return f"{self.in1_features}, {self.in2_features}, {self.out_features}{more}"
