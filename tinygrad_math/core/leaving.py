"""How a Tensor leaves the recorded world: as an array, a number, a list, a line of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from .errors import DTypeError, NeedsDetach, ShapeError, TraceError
from .node import MODE, TRACED, Node
from .op import rec, registry

if TYPE_CHECKING:
    from .tensor import Tensor


T = TypeVar("T")


class Leaving:
    """The conversions of a Tensor. None drops a gradient silently, and none asks a traced value for its number."""

    __slots__ = ()
    if TYPE_CHECKING:
        node: Node

        @property
        def shape(self) -> tuple[int, ...]: ...
        @property
        def size(self) -> int: ...
        @property
        def dtype(self) -> np.dtype[Any]: ...
        @property
        def name(self) -> str | None: ...
        @property
        def requires_grad(self) -> bool: ...
        def __getitem__(self, index: Any) -> Tensor: ...

    def _refuse_trace(self, what: str) -> None:
        mode = MODE.get()
        if mode is not None and mode.observe is not None and self.node.live:
            mode.observe(Node(self.node.data, registry["stop_gradient"], (self.node,)))  # it may be a hidden argument
        if self.node.live & TRACED:
            raise TraceError(
                f"{what} asks for a value, but this function is being traced and {self!r} has none yet. "
                "Use where() in place of an if, or make the argument that decides static (static_argnums of compile)."
            )

    def numpy(self) -> np.ndarray[Any, Any]:
        """A copy as a NumPy array; raises NeedsDetach if the tensor requires a gradient."""
        return np.array(self.__array__())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        self._refuse_trace("numpy()")
        if self.requires_grad:
            raise NeedsDetach(
                "NumPy would drop the gradient of this tensor silently; use .detach().numpy() if that is meant, "
                "or tinygrad_math's function of the same name"
            )
        return np.array(self.node.data, dtype=dtype, copy=True if copy is None else copy)

    def __dlpack__(
        self, *, stream: Any = None, max_version: Any = None, dl_device: Any = None, copy: bool | None = None
    ) -> Any:
        """The array for another library, without a copy where possible; a gradient does not cross over."""
        array = np.asarray(self.__array__())
        return array.__dlpack__(stream=stream, max_version=max_version, dl_device=dl_device, copy=copy)

    def __dlpack_device__(self) -> tuple[Any, int]:
        return np.zeros(0).__dlpack_device__()

    def to_device(self: T, device: Any, /, *, stream: Any = None) -> T:
        """The tensor itself: there is one device, "cpu"."""
        if device != "cpu" or stream is not None:
            raise DTypeError(f"to_device({device!r}, stream={stream!r}): every tensor lives on 'cpu', without streams")
        return self

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        """The namespace of the Array API's functions: this package."""
        return rec.array_namespace(api_version)

    def item(self) -> Any:
        """The single number as a Python scalar."""
        self._refuse_trace("item()")
        if self.size != 1:
            raise ShapeError(f"item() needs a single number, got shape {self.shape}; use tolist()")
        return np.asarray(self.node.data).item()

    def tolist(self) -> Any:
        """Nested Python lists of Python numbers."""
        self._refuse_trace("tolist()")
        return np.asarray(self.node.data).tolist()

    def __bool__(self) -> bool:
        self._refuse_trace("bool()")
        if self.size != 1:
            raise ShapeError(f"the truth of shape {self.shape} is ambiguous; use .any() or .all()")
        return bool(self.node.data)

    def _number(self, asker: str) -> Any:
        self._refuse_trace(asker)
        if self.size != 1:
            raise DTypeError(f"{asker} needs a single number, got shape {self.shape}")
        number = np.asarray(self.node.data).item()
        if isinstance(number, complex) and asker != "complex()":
            raise DTypeError(f"{asker} would drop the imaginary part of {number}; take .real or abs() first")
        return number

    def __float__(self) -> float:
        return float(self._number("float()"))

    def __int__(self) -> int:
        return int(self._number("int()"))

    def __complex__(self) -> complex:
        return complex(self._number("complex()"))

    def __index__(self) -> int:
        self._refuse_trace("an index")
        if self.size != 1 or self.dtype.kind not in "biu":
            raise DTypeError(f"an index is a single integer, got {self.dtype}{self.shape}; convert with int()")
        return int(np.asarray(self.node.data).item())

    def __len__(self) -> int:
        if not self.shape:
            raise DTypeError("a 0-d tensor has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        if self.node.live & TRACED:
            return f"tensor<{self.dtype}{self.shape}, traced>"
        text = np.array2string(np.asarray(self.node.data), separator=", ", prefix="tensor(")
        if self.dtype.name not in ("float64", "int64", "bool"):
            text += f", dtype={self.dtype}"
        if self.name is not None:
            text += f", name={self.name!r}"
        return f"tensor({text}{', requires_grad=True' if self.requires_grad else ''})"

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else repr(self)
