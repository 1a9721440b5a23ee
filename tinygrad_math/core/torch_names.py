"""PyTorch's names of what NumPy calls otherwise, as methods of a Tensor: each is one line of another method."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arguments import named
from .errors import numeric_dtype
from .parts import METHOD, references


@named
def _scaled(other: Any, alpha: float) -> Any:
    return other if alpha == 1 else other * alpha


class TorchDtypes:
    """PyTorch's names of conversions: each is an `astype`. The CPU is the only device."""

    __slots__ = ()

    def to(self: Any, dtype: Any) -> Any:
        """`x.astype(dtype)`; "cpu" changes nothing."""
        return self if isinstance(dtype, str) and dtype == "cpu" else self.astype(dtype)

    def cpu(self: Any) -> Any:
        """`x`: it is there already."""
        return self

    def float(self: Any) -> Any:
        """`x.astype(np.float32)`."""
        return self.astype(np.float32)

    def double(self: Any) -> Any:
        """`x.astype(np.float64)`."""
        return self.astype(np.float64)

    def long(self: Any) -> Any:
        """`x.astype(np.int64)`."""
        return self.astype(np.int64)


class TorchNames(TorchDtypes):
    """Methods under PyTorch's names. A trailing underscore means in place: the handle takes on the new value."""

    __slots__ = ()

    def dim(self: Any) -> int:
        """The number of axes: `x.ndim`."""
        return int(self.ndim)

    def numel(self: Any) -> int:
        """The number of elements: `x.size`."""
        return int(self.size)

    def t(self: Any) -> Any:
        """The transpose of a matrix; a vector or a number stays as it is."""
        return self.T

    def view(self: Any, *shape: Any) -> Any:
        """`x.reshape(*shape)`, or the same bits read as another dtype, a constant. A value, and no window on x."""
        if not shape:
            return self.copy()
        if len(shape) == 1 and isinstance(shape[0], (type, str, np.dtype)):
            kind = numeric_dtype(shape[0])
            return self.copy() if kind == self.dtype else type(self)(self.numpy().view(kind))
        return self.reshape(*shape)

    @property
    def flat(self: Any) -> Any:
        """The elements one after another, in the order of the last axis: `x.reshape(-1)`, a value."""
        return self.reshape(-1)

    @property
    def strides(self: Any) -> tuple[int, ...]:
        """The steps in bytes of an array of this shape, one element after another."""
        steps, step = [], self.itemsize
        for n in reversed(self.shape):
            steps.append(step)
            step *= max(n, 1)
        return tuple(reversed(steps))

    def fill(self: Any, value: Any) -> None:
        """`x[...] = value`, in NumPy's name."""
        count = references(self)
        self._refuse_lost(count, METHOD)
        self[...] = value

    def clone(self: Any) -> Any:
        """`x.copy()`, which is recorded."""
        return self.copy()

    def mm(self: Any, other: Any) -> Any:
        """`x @ other`."""
        return self @ other

    mv = bmm = mm

    def neg(self: Any) -> Any:
        """`-x`."""
        return -self

    def sub(self: Any, other: Any) -> Any:
        """`x - other`."""
        return self - other

    def mul(self: Any, other: Any) -> Any:
        """`x * other`."""
        return self * other

    def div(self: Any, other: Any) -> Any:
        """`x / other`."""
        return self / other

    @named
    def unbind(self: Any, axis: int = 0) -> tuple[Any, ...]:
        """The slices along an axis."""
        return tuple(self.swapaxes(0, axis)) if axis else tuple(self)

    # -- in place -----------------------------------------------------------------------------------
    def add_(self: Any, other: Any, *, alpha: float = 1) -> Any:
        """`x += alpha * other`."""
        count = references(self)
        self._refuse_lost(count, METHOD)
        return self._become(self + _scaled(other, alpha))

    def sub_(self: Any, other: Any, *, alpha: float = 1) -> Any:
        """`x -= alpha * other`."""
        count = references(self)
        self._refuse_lost(count, METHOD)
        return self._become(self - _scaled(other, alpha))

    def mul_(self: Any, other: Any) -> Any:
        """`x *= other`."""
        count = references(self)
        self._refuse_lost(count, METHOD)
        return self._become(self * other)

    def div_(self: Any, other: Any) -> Any:
        """`x /= other`."""
        count = references(self)
        self._refuse_lost(count, METHOD)
        return self._become(self / other)

    def fill_(self: Any, value: Any) -> Any:
        """`x[...] = value`."""
        count = references(self)
        self._refuse_lost(count, METHOD)
        self[...] = value
        return self

    copy_ = fill_

    def zero_(self: Any) -> Any:
        """`x[...] = 0`."""
        count = references(self)
        self._refuse_lost(count, METHOD)
        self[...] = 0
        return self
