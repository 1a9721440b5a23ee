"""PyTorch's names of what NumPy calls otherwise, as methods of a Tensor: each is one line of another method."""

from __future__ import annotations

from typing import Any, Never

import numpy as np

from .arguments import named, of_tensors, refuse_words
from .elsewhere import SAY, Elsewhere
from .errors import ArgumentError, DTypeError, describe, numeric_dtype
from .op import rec
from .parts import METHOD, references


@named
def _scaled(other: Any, alpha: float) -> Any:
    return other if alpha == 1 else rec.multiply(other, alpha)


def _shape_of(other: Any) -> tuple[int, ...]:
    shape = getattr(other, "shape", None)
    if not isinstance(shape, tuple):
        raise DTypeError(f"expected an array or a Tensor, whose shape is taken, got {describe(other)}")
    return shape


class TorchDtypes:
    """PyTorch's names of conversions: each is an `astype`. The CPU is the only device."""

    __slots__ = ()

    def to(self: Any, dtype: Any) -> Any:
        """`x.astype(dtype)`, or the dtype of another tensor; "cpu" changes nothing."""
        if isinstance(dtype, str) and dtype.partition(":")[0] in ("cpu", "cuda", "mps", "xpu", "gpu"):
            if dtype != "cpu":
                raise DTypeError(f"to({dtype!r}): everything is on 'cpu', the one device there is; leave it out")
            return self
        return self.astype(getattr(dtype, "dtype", dtype) if isinstance(dtype, TorchDtypes) else dtype)

    type_as = to

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

    def half(self: Any) -> Any:
        """`x.astype(np.float16)`."""
        return self.astype(np.float16)

    def int(self: Any) -> Any:
        """`x.astype(np.int32)`."""
        return self.astype(np.int32)

    def bool(self: Any) -> Any:
        """`x.astype(bool)`."""
        return self.astype(np.bool_)


class TorchNames(TorchDtypes):
    """Methods under PyTorch's names. A trailing underscore means in place: the handle takes on the new value."""

    __slots__ = ()

    def __dir__(self) -> list[str]:
        return [name for name in object.__dir__(self) if name not in SAY["Tensor"]]

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

    @flat.setter
    def flat(self: Any, value: Any) -> None:
        raise ArgumentError(
            f"x.flat is a value, and no window on x, {describe(self)}: assign to x itself, x[...] = v for one number, "
            "x[...] = tm.reshape(v, x.shape) for as many as x has"
        )

    @property
    def flags(self: Any) -> Any:
        """The flags of an array of this shape, one element after another, as `strides` are."""
        return np.empty(self.shape, self.dtype).flags

    def setflags(self: Any, write: Any = None, align: Any = None, uic: Any = None) -> None:
        """NumPy's flags of memory, without effect: a Tensor is a value, that nobody changes by another name."""

    @property
    def strides(self: Any) -> tuple[int, ...]:
        """The steps in bytes of an array of this shape, one element after another."""
        steps, step = [], self.itemsize
        for n in reversed(self.shape):
            steps.append(step)
            step *= max(n, 1)
        return tuple(reversed(steps))

    @property
    def base(self: Any) -> None:
        """None: a Tensor is no window into another one's memory."""
        return None

    def fill(self: Any, value: Any, **words: Never) -> None:
        """`x[...] = value`, in NumPy's name."""
        if words:
            refuse_words(TorchNames.fill, words)
        count = references(self)
        self._refuse_lost(count, METHOD)
        self[...] = value

    def clone(self: Any) -> Any:
        """`x.copy()`, which is recorded."""
        return self.copy()

    def mm(self: Any, other: Any) -> Any:
        """`x @ other`."""
        return rec.matmul(self, other)

    mv = bmm = mm

    def neg(self: Any) -> Any:
        """`-x`."""
        return -self

    def sub(self: Any, other: Any) -> Any:
        """`x - other`."""
        return rec.subtract(self, other)

    def mul(self: Any, other: Any) -> Any:
        """`x * other`."""
        return rec.multiply(self, other)

    def div(self: Any, other: Any) -> Any:
        """`x / other`."""
        return rec.divide(self, other)

    def eq(self: Any, other: Any) -> Any:
        """`x == other`."""
        return rec.equal(self, other)

    def ne(self: Any, other: Any) -> Any:
        """`x != other`."""
        return rec.not_equal(self, other)

    def lt(self: Any, other: Any) -> Any:
        """`x < other`."""
        return rec.less(self, other)

    def le(self: Any, other: Any) -> Any:
        """`x <= other`."""
        return rec.less_equal(self, other)

    def gt(self: Any, other: Any) -> Any:
        """`x > other`."""
        return rec.greater(self, other)

    def ge(self: Any, other: Any) -> Any:
        """`x >= other`."""
        return rec.greater_equal(self, other)

    def clamp(self: Any, min: Any = None, max: Any = None) -> Any:
        """`x.clip(min, max)`."""
        return self.clip(min, max)

    def amax(self: Any, axis: Any = None, keepdims: bool = False) -> Any:
        """`x.max(axis, keepdims)`."""
        return self.max(axis, keepdims=keepdims)

    def amin(self: Any, axis: Any = None, keepdims: bool = False) -> Any:
        """`x.min(axis, keepdims)`."""
        return self.min(axis, keepdims=keepdims)

    def nelement(self: Any) -> int:
        """The number of elements: `x.size`."""
        return int(self.size)

    def contiguous(self: Any) -> Any:
        """`x`: how it lies in memory has no meaning here."""
        return self

    def expand_as(self: Any, other: Any) -> Any:
        """x broadcast to the other's shape."""
        return rec.broadcast_to(self, _shape_of(other))

    def view_as(self: Any, other: Any) -> Any:
        """x in the other's shape."""
        return self.reshape(_shape_of(other))

    reshape_as = view_as

    def tile(self: Any, *reps: Any) -> Any:
        """`tm.tile(x, reps)`."""
        return rec.tile(self, reps[0] if len(reps) == 1 else reps)

    def repeat_interleave(self: Any, repeats: Any, axis: Any = None) -> Any:
        """`tm.repeat(x, repeats, axis)`."""
        return rec.repeat(self, repeats, axis=axis)

    def masked_fill(self: Any, mask: Any, value: Any) -> Any:
        """`tm.where(mask, value, x)`, in x's dtype."""
        return rec.astype(rec.where(mask, value, self), self.dtype)

    def gather(self: Any, axis: Any, index: Any) -> Any:
        """`tm.take_along_axis(x, index, axis)`."""
        return rec.take_along_axis(self, index, axis=axis)

    def index_select(self: Any, axis: Any, index: Any) -> Any:
        """`tm.take(x, index, axis)`."""
        return rec.take(self, index, axis=axis)

    def logsumexp(self: Any, axis: Any = None, keepdims: bool = False) -> Any:
        """`tm.special.logsumexp(x, axis, keepdims=keepdims)`."""
        return rec.logsumexp(self, axis=axis, keepdims=keepdims)

    def isclose(self: Any, other: Any, rtol: Any = 1e-05, atol: Any = 1e-08) -> Any:
        """`tm.isclose(x, other)`."""
        return rec.isclose(self, other, rtol=rtol, atol=atol)

    def allclose(self: Any, other: Any, rtol: Any = 1e-05, atol: Any = 1e-08) -> Any:
        """Whether all elements are close: `tm.allclose(x, other)`."""
        return rec.all(self.isclose(other, rtol, atol))

    def erf(self: Any) -> Any:
        """`tm.special.erf(x)`."""
        return rec.erf(self)

    def det(self: Any) -> Any:
        """`tm.linalg.det(x)`."""
        return rec.det(self)

    def inverse(self: Any) -> Any:
        """`tm.linalg.inv(x)`."""
        return rec.inv(self)

    @named
    def unbind(self: Any, axis: int = 0) -> tuple[Any, ...]:
        """The slices along an axis."""
        return tuple(self.swapaxes(0, axis)) if axis else tuple(self)

    # -- in place -----------------------------------------------------------------------------------
    def add_(self: Any, other: Any, *, alpha: float = 1, **words: Never) -> Any:
        """`x += alpha * other`."""
        if words:
            refuse_words(TorchNames.add_, words)
        count = references(self)
        self._refuse_lost(count, METHOD)
        return self._become(rec.add(self, _scaled(other, alpha)))

    def sub_(self: Any, other: Any, *, alpha: float = 1, **words: Never) -> Any:
        """`x -= alpha * other`."""
        if words:
            refuse_words(TorchNames.sub_, words)
        count = references(self)
        self._refuse_lost(count, METHOD)
        return self._become(rec.subtract(self, _scaled(other, alpha)))

    def mul_(self: Any, other: Any, **words: Never) -> Any:
        """`x *= other`."""
        if words:
            refuse_words(TorchNames.mul_, words)
        count = references(self)
        self._refuse_lost(count, METHOD)
        return self._become(rec.multiply(self, other))

    def div_(self: Any, other: Any, **words: Never) -> Any:
        """`x /= other`."""
        if words:
            refuse_words(TorchNames.div_, words)
        count = references(self)
        self._refuse_lost(count, METHOD)
        return self._become(rec.divide(self, other))

    def fill_(self: Any, value: Any, **words: Never) -> Any:
        """`x[...] = value`."""
        if words:
            refuse_words(TorchNames.fill_, words)
        count = references(self)
        self._refuse_lost(count, METHOD)
        self[...] = value
        return self

    copy_ = fill_

    def zero_(self: Any, **words: Never) -> Any:
        """`x[...] = 0`."""
        if words:
            refuse_words(TorchNames.zero_, words)
        count = references(self)
        self._refuse_lost(count, METHOD)
        self[...] = 0
        return self


for _class in (TorchDtypes, TorchNames):
    of_tensors(_class)
for _name, _instead in SAY["Tensor"].items():
    setattr(TorchNames, _name, Elsewhere(_name, _instead))
