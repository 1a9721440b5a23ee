"""What a Tensor is: its array, shape, dtype and name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from .at import At
from .conversion import node_of
from .errors import ArgumentError, DTypeError, NotALeaf, ShapeError, describe
from .leaving import Leaving
from .node import Node, scalar_or_array
from .op import rec

if TYPE_CHECKING:
    from .tensor import Tensor


class Form(Leaving):
    """The array of a Tensor and what is known of it."""

    __slots__ = ()

    @property
    def data(self) -> np.ndarray[Any, Any]:
        """The array itself. Writing to it is noticed: a derivative that would need the old value raises.

        What was made of the tensor before keeps what it held. Where the tensor takes on other values (an optimiser's
        step, an assignment under no_grad) the array keeps the old ones, and can no longer be written to.
        """
        self._leave("data")
        node = self.node
        window = node.more().window
        if window is None:
            window = np.array(node.data)
            if not hasattr(node.data, "dtype"):  # a Python number
                node.data = window.copy()[()]
            if type(node) is Node:
                node.share(window)
            else:  # an input of a transform that is over
                window.flags.writeable = False
        return cast("np.ndarray[Any, Any]", window)

    @data.setter
    def data(self, value: Any) -> None:
        self._leave("assigning data", "Assign to x itself, x[...] = v, or make a new tensor.")
        if isinstance(value, Leaving):
            value._leave("assigning it to another tensor's data", "Use the tensor itself in its place.")
        meta = self.node.meta
        if meta is not None and value is meta.window and value is not None:
            return  # x.data -= v has written already
        array = np.asarray(node_of(value).data)
        if array.shape != self.shape:
            raise ShapeError(f"data of shape {self.shape} cannot be replaced by shape {array.shape}; make a new tensor")
        if not np.can_cast(array.dtype, self.dtype, "same_kind"):
            raise DTypeError(
                f"data of {self.dtype} cannot be replaced by {array.dtype}, whose values it does not hold; "
                "make a new tensor, or convert them with astype"
            )
        self.node.replace(scalar_or_array(array.astype(self.dtype)))

    def _replace(self, array: Any) -> None:
        """New contents for this leaf, in place: what used the old ones can no longer be differentiated."""
        meta = self.node.meta
        given = meta is not None and meta.given
        window = self.node.replace(array)
        if window is not None and not given:
            window.flags.writeable = False  # it shows the old values: a write to it would be lost

    @property
    def shape(self) -> tuple[int, ...]:
        try:
            return self.node.data.shape  # type: ignore[no-any-return]
        except AttributeError:  # a Python number
            return ()

    @shape.setter
    def shape(self: Any, shape: Any) -> None:
        if self.node.op is None and self.requires_grad:
            raise NotALeaf(
                "the shape of a leaf that requires a gradient is its gradient's too; use y = x.reshape(shape)"
            )
        self.node = rec.reshape(self, shape).node

    @property
    def ndim(self) -> int:
        try:
            return self.node.data.ndim  # type: ignore[no-any-return]
        except AttributeError:  # a Python number
            return 0

    @property
    def size(self) -> int:
        try:
            return self.node.data.size  # type: ignore[no-any-return]
        except AttributeError:
            return 1

    @property
    def dtype(self) -> np.dtype[Any]:
        try:
            return self.node.data.dtype  # type: ignore[no-any-return]
        except AttributeError:
            number: Any = np.asarray(self.node.data)
            return number.dtype  # type: ignore[no-any-return]

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        return self.size * self.itemsize

    @property
    def device(self) -> str:
        return "cpu"

    @property
    def T(self) -> Tensor:
        return rec.transpose(self)  # type: ignore[no-any-return]

    @property
    def mT(self) -> Tensor:
        return rec.matrix_transpose(self)  # type: ignore[no-any-return]

    @property
    def name(self) -> str | None:
        return self.node.name

    @name.setter
    def name(self, value: str | None) -> None:
        if value is not None and not isinstance(value, str):
            raise ArgumentError(f"a name is text, got {describe(value)}")
        self.node.more().name = value

    @property
    def real(self) -> Tensor:
        return rec.real(self)  # type: ignore[no-any-return]

    @real.setter
    def real(self, value: Any) -> None:
        new = "v + 1j * x.imag" if self.dtype.kind == "c" else "v"
        raise ArgumentError(
            f"x.real is a value, and no window on x, {describe(self)}: assign to x itself, x[...] = {new}"
        )

    @property
    def imag(self) -> Tensor:
        return rec.imag(self)  # type: ignore[no-any-return]

    @imag.setter
    def imag(self, value: Any) -> None:
        way = "assign to x itself, x[...] = x.real + 1j * v" if self.dtype.kind == "c" else "real numbers have none"
        raise ArgumentError(f"x.imag is a value, and no window on x, {describe(self)}: {way}")

    @property
    def at(self: Any) -> At:
        """`x.at[index].set(v)`, `.add(v)`, `.multiply(v)`: a changed copy, differentiable in x and in v."""
        return At(self)
