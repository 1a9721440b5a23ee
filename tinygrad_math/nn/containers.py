"""Modules of modules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..core.errors import ArgumentError
from .module import Module


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
