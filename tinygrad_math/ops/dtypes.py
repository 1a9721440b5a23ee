"""Number types and what they hold, constants, and what this namespace says of itself.

The dtypes are NumPy's own, so `tm.float32` is `np.float32`, and promotion is NumPy's: Python numbers are
weak, a float32 stays a float32. An argument that is asked for its dtype may be a Tensor.
"""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np

from ..core.arguments import named
from ..core.errors import ArgumentError, DTypeError, describe
from ..core.tensor import Tensor

__all__ = [
    "__array_api_version__",
    "__array_namespace_info__",
    "bool",
    "can_cast",
    "complex64",
    "complex128",
    "e",
    "euler_gamma",
    "finfo",
    "float32",
    "float64",
    "iinfo",
    "inf",
    "int8",
    "int16",
    "int32",
    "int64",
    "isdtype",
    "nan",
    "newaxis",
    "pi",
    "promote_types",
    "result_type",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]

__array_api_version__ = "2024.12"

bool = np.bool  # the Array API's name for it
int8, int16, int32, int64 = np.int8, np.int16, np.int32, np.int64
uint8, uint16, uint32, uint64 = np.uint8, np.uint16, np.uint32, np.uint64
float32, float64 = np.float32, np.float64
complex64, complex128 = np.complex64, np.complex128

e, pi, inf, nan, euler_gamma, newaxis = np.e, np.pi, np.inf, np.nan, np.euler_gamma, None

_KINDS: dict[str, tuple[Any, ...]] = {
    "bool": (bool,),
    "signed integer": (int8, int16, int32, int64),
    "unsigned integer": (uint8, uint16, uint32, uint64),
    "real floating": (float32, float64),
    "complex floating": (complex64, complex128),
}
_KINDS["integral"] = _KINDS["signed integer"] + _KINDS["unsigned integer"]
_KINDS["numeric"] = _KINDS["integral"] + _KINDS["real floating"] + _KINDS["complex floating"]


def _dtype_of(value: Any) -> np.dtype[Any]:
    if isinstance(value, (Tensor, np.ndarray, np.generic)):
        return cast("np.dtype[Any]", value.dtype)
    try:
        if value is None:  # which NumPy takes for float64
            raise TypeError("None is no dtype")
        return cast("np.dtype[Any]", np.dtype(value))
    except Exception as error:  # whatever an object's own `dtype` attribute makes NumPy say
        raise DTypeError(f"{describe(value)} is no dtype; the dtypes are {', '.join(_names(_KINDS))}") from error


def _names(kinds: Any) -> list[str]:
    return list(dict.fromkeys(np.dtype(t).name for kind in kinds for t in _KINDS[kind]))


@named
def isdtype(dtype: Any, kind: Any) -> builtins.bool:
    """Whether a dtype is of a kind: a dtype, the name of a kind ("real floating", "integral"...), or a tuple of them.

    >>> import tinygrad_math as tm
    >>> tm.isdtype(tm.float32, "real floating"), tm.isdtype(tm.float32, ("integral", tm.float64))
    (True, False)
    """
    known = _dtype_of(dtype)
    try:
        return np.isdtype(known, kind)
    except (TypeError, ValueError) as error:
        raise DTypeError(f"isdtype({dtype!r}, {kind!r}): the kinds are {', '.join(_KINDS)}") from error


@dataclass(frozen=True)
class FloatInfo:
    """What a floating dtype can hold; a complex dtype has the limits of its real part."""

    dtype: np.dtype[Any]
    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    resolution: float

    @property
    def tiny(self) -> float:
        """NumPy's name for `smallest_normal`."""
        return self.smallest_normal


@dataclass(frozen=True)
class IntegerInfo:
    """What an integer dtype can hold."""

    dtype: np.dtype[Any]
    bits: int
    max: int
    min: int


@named
def finfo(type: Any, /) -> FloatInfo:
    """The limits of a floating or complex dtype, or of an array's dtype, as Python numbers.

    >>> import tinygrad_math as tm
    >>> tm.finfo(tm.float64).eps
    2.220446049250313e-16
    """
    dtype = _dtype_of(type)
    if dtype.kind not in "fc":
        raise DTypeError(f"finfo tells of floating dtypes, got {dtype}; use iinfo for integers")
    info = np.finfo(dtype)
    numbers = (info.eps, info.max, info.min, info.smallest_normal, info.resolution)
    return FloatInfo(np.dtype(info.dtype), info.bits, *map(float, numbers))


@named
def iinfo(type: Any, /) -> IntegerInfo:
    """The limits of an integer dtype, or of an array's dtype, as Python numbers.

    >>> import tinygrad_math as tm
    >>> tm.iinfo(tm.int8).max
    127
    """
    dtype = _dtype_of(type)
    if dtype.kind not in "iu":
        raise DTypeError(f"iinfo tells of integer dtypes, got {dtype}; use finfo for floating ones")
    info = np.iinfo(dtype)
    return IntegerInfo(dtype, info.bits, int(info.max), int(info.min))


Casting = Literal["no", "equiv", "safe", "same_kind", "unsafe"]


@named
def can_cast(from_: Any, to: Any, /, casting: Casting = "safe") -> builtins.bool:
    """Whether values of a dtype, or of an array's dtype, fit into another one. `casting` is NumPy's.

    >>> import tinygrad_math as tm
    >>> tm.can_cast(tm.int32, tm.float64), tm.can_cast(tm.float64, tm.int32)
    (True, False)
    """
    kinds = _dtype_of(from_), _dtype_of(to)
    try:
        return np.can_cast(*kinds, casting)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"can_cast: {error}") from error


@named
def promote_types(type1: Any, type2: Any, /) -> np.dtype[Any]:
    """The smallest dtype that holds both.

    >>> import tinygrad_math as tm
    >>> tm.promote_types(tm.int32, tm.float32)
    dtype('float64')
    """
    return np.promote_types(_dtype_of(type1), _dtype_of(type2))


@named
def result_type(*arrays_and_dtypes: Any) -> np.dtype[Any]:
    """The dtype that an op of these arrays, dtypes and Python numbers gives.

    >>> import tinygrad_math as tm
    >>> tm.result_type(tm.float32, 2.0)
    dtype('float32')
    """
    return np.result_type(*(a.dtype if isinstance(a, Tensor) else a for a in arrays_and_dtypes))


class NamespaceInfo:
    """What the Array API standard lets one ask of a namespace."""

    def capabilities(self) -> dict[str, Any]:
        """What of the standard's optional parts works here: all of it."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> str:
        return "cpu"

    def devices(self) -> list[str]:
        return ["cpu"]

    def default_dtypes(self, *, device: Any = None) -> dict[str, Any]:
        """The dtype of each kind where none is said."""
        check_device(device)
        return {
            "real floating": np.dtype(float64),
            "complex floating": np.dtype(complex128),
            "integral": np.dtype(int),
            "indexing": np.dtype(np.intp),
        }

    def dtypes(self, *, device: Any = None, kind: str | tuple[str, ...] | None = None) -> dict[str, Any]:
        """The dtypes by name, all or those of a kind or of several."""
        check_device(device)
        wanted = ("bool", "numeric") if kind is None else (kind,) if isinstance(kind, str) else kind
        unknown = [k for k in wanted if k not in _KINDS]
        if unknown:
            raise ArgumentError(f"no kind of dtype is called {unknown[0]!r}; the kinds are {', '.join(_KINDS)}")
        return {np.dtype(t).name: np.dtype(t) for k in wanted for t in _KINDS[k]}


def __array_namespace_info__() -> NamespaceInfo:
    """The devices, dtypes and capabilities of this namespace."""
    return NamespaceInfo()


def check_device(device: Any) -> None:
    """Raise unless the device is the one there is."""
    if device not in (None, "cpu"):
        raise ArgumentError(f"device={device!r}: every tensor lives on 'cpu'")
