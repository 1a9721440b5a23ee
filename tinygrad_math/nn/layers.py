"""Layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, ShapeError
from ..core.tensor import Tensor, rec
from . import functional as F
from .module import Module, Parameter


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
        draw, bound = F.generator(rng), 1 / np.sqrt(in_features)
        self.weight = Parameter(draw.uniform(-bound, bound, (out_features, in_features)), dtype=dtype)
        self.bias = Parameter(draw.uniform(-bound, bound, out_features), dtype=dtype) if bias else None

    def forward(self, x: Any) -> Tensor:
        x = F.shaped(x)
        if not x.shape or x.shape[-1] != self.in_features:
            raise ShapeError(
                f"{self.weight.name or 'Linear'}: expected (..., {self.in_features}), got {x.shape}; "
                f"a Linear({self.in_features}, {self.out_features}) acts on the last axis"
            )
        return F.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"{self.in_features}, {self.out_features}{'' if self.bias is not None else ', bias=False'}"


class Sequential(Module):
    """Modules (or functions) one after another; indexable. Their parameters are named by place: `0.weight`.

    >>> import tinygrad_math as tm
    >>> tm.nn.Sequential(tm.nn.Linear(2, 3), tm.nn.Tanh())
    Sequential(
      (0): Linear(2, 3)
      (1): Tanh()
    )
    """

    def __init__(self, *layers: Any) -> None:
        for i, layer in enumerate(layers):
            if not callable(layer):
                raise ArgumentError(f"Sequential takes modules and functions; number {i} is {layer!r:.60}")
            setattr(self, str(i), layer)
        self.length = len(layers)

    @property
    def layers(self) -> list[Any]:
        """The modules and functions, in order."""
        return [getattr(self, str(i)) for i in range(self.length)]

    def forward(self, x: Any) -> Any:
        children = self.__dict__
        for i in range(self.length):
            x = children[str(i)](x)
        return x

    def __getitem__(self, i: int | slice) -> Any:
        if not isinstance(i, slice):
            return self.layers[i]
        part = object.__new__(type(self))  # the same layers: their parameters keep their names
        part.__dict__.update({str(k): layer for k, layer in enumerate(self.layers[i])})
        part.length = len(self.layers[i])
        return part

    def __iter__(self) -> Iterator[Any]:
        return iter(self.layers)

    def __len__(self) -> int:
        return self.length


class Tanh(Module):
    """tanh, element by element.

    >>> import tinygrad_math as tm
    >>> tm.nn.Tanh()([0.0])
    tensor([0.])
    """

    def forward(self, x: Any) -> Tensor:
        return rec.tanh(x)  # type: ignore[no-any-return]


class ReLU(Module):
    """max(x, 0), element by element; its derivative at 0 is 0.

    >>> import tinygrad_math as tm
    >>> tm.nn.ReLU()([-1.0, 2.0])
    tensor([0., 2.])
    """

    def forward(self, x: Any) -> Tensor:
        return rec.relu(x)  # type: ignore[no-any-return]
