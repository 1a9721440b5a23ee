"""What stands for NumPy and `math` in another library's code: the same functions, but for those that make arrays.

NumPy's other functions ask a Tensor themselves (`__array_function__`, `__array_ufunc__`), and stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np

from ..core.errors import ShapeError
from ..core.numpy_alone import tensors_in
from ..core.tensor import Tensor, as_tensor, rec

_FLOATS = "fc"


class Buffer(Tensor):
    """An array that another library made, and writes to as it writes to NumPy's: through parts of it, too."""

    __slots__ = ("_whole",)
    _whole: Any  # the array that it is a part of, and where

    @staticmethod
    def of(tensor: Any, whole: Any = None) -> Buffer:
        new = object.__new__(Buffer)
        new.node, new._whole = tensor.node, whole
        return new

    def __getitem__(self, index: Any) -> Tensor:
        part = super().__getitem__(index)
        return Buffer.of(part, (self, index)) if _is_basic(index) else part

    def __setitem__(self, index: Any, value: Any) -> None:
        super().__setitem__(index, np.nan if value is None else value)  # as into an array of NumPy's floats

    def _rows(self, backwards: bool = False) -> Iterator[Tensor]:
        return (self[k] for k in range(len(self))[:: -1 if backwards else 1])

    def _is_part(self) -> bool:
        return False

    def _become(self, result: Tensor) -> Tensor:
        new = super()._become(result)
        if self._whole is not None:
            whole, index = self._whole
            rec.setitem_(whole, index, self)
        return new


def _is_basic(index: Any) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return all(i is None or i is Ellipsis or isinstance(i, (slice, int, np.integer)) for i in parts)


def _made(of: Any, dtype: Any, copy: Any, plain: Callable[[], Any]) -> Any:
    if not tensors_in(of):
        return plain()
    t = as_tensor(of)
    if dtype is not None and np.dtype(dtype) != t.dtype:
        return Buffer.of(rec.astype(t, np.dtype(dtype)))
    return Buffer.of(rec.copy(t)) if copy else t


def _asarray(a: Any, dtype: Any = None, order: Any = None, *, copy: Any = None, **more: Any) -> Any:
    given = {} if copy is None else {"copy": copy}
    return _made(a, dtype, copy, lambda: np.asarray(a, dtype, order, **given, **more))


def _array(object: Any, dtype: Any = None, *, copy: Any = True, ndmin: int = 0, **more: Any) -> Any:
    made = _made(object, dtype, copy, lambda: np.array(object, dtype, copy=copy, ndmin=ndmin, **more))
    return made if made.ndim >= ndmin else made.reshape((1,) * (ndmin - made.ndim) + made.shape)


def _asanyarray(a: Any, dtype: Any = None, order: Any = None, **more: Any) -> Any:
    return _made(a, dtype, False, lambda: np.asanyarray(a, dtype, order, **more))


def _contiguous(a: Any, dtype: Any = None, **more: Any) -> Any:
    return _made(a, dtype, False, lambda: np.ascontiguousarray(a, dtype, **more))


def _require(a: Any, dtype: Any = None, requirements: Any = None, **more: Any) -> Any:
    return _made(a, dtype, False, lambda: np.require(a, dtype, requirements, **more))


class _Joined:
    """`numpy.r_` or `c_`: what stands between the brackets, one behind the other."""

    def __init__(self, plain: Any) -> None:
        self.plain, self.axis = plain, -1 if plain is np.c_ else 0

    def __getitem__(self, key: Any) -> Any:
        parts = key if isinstance(key, tuple) else (key,)
        if not tensors_in([*parts]):
            return self.plain[key]
        arrays = [np.r_[p] if isinstance(p, slice) else np.atleast_1d(_asarray(p)) for p in parts]
        if self.axis:
            arrays = [a[:, None] if a.ndim == 1 else a for a in arrays]
        return rec.concatenate(arrays, axis=self.axis)


def _checked(a: Any, dtype: Any = None, order: Any = None) -> Any:
    a = _asarray(a, dtype, order)
    if a.dtype.kind in _FLOATS and not bool(np.isfinite(a).all()):
        raise ValueError("array must not contain infs or NaNs")
    return a


def _filled(make: Callable[..., Any]) -> Callable[..., Any]:
    """A function that makes an array to be written to: a Tensor, which may take on what has a derivative."""

    def new(*args: Any, **more: Any) -> Any:
        made = make(*args, **more)
        if isinstance(made, Tensor):
            return Buffer.of(made)
        return Buffer.of(Tensor(made)) if isinstance(made, np.ndarray) and made.dtype.kind in _FLOATS else made

    return new


def _at_least(make: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arrays: make(*(as_tensor(a) if tensors_in(a) else a for a in arrays))


def _broadcast(*arrays: Any) -> Any:
    return np.broadcast(*(np.broadcast_to(0, np.shape(a)) for a in arrays))


def _isscalar(element: Any) -> bool:
    return element.shape == () if isinstance(element, Tensor) else np.isscalar(element)


def _trim_zeros(filt: Any, trim: Any = "fb", axis: Any = None) -> Any:
    if not isinstance(filt, Tensor):
        return np.trim_zeros(filt, trim) if axis is None else np.trim_zeros(filt, trim, axis)
    if filt.ndim != 1:
        raise ShapeError(f"trim_zeros of a Tensor takes one axis, got shape {filt.shape}")
    kept = np.flatnonzero(np.asarray(filt.detach()))
    first, last = (kept[0], kept[-1] + 1) if kept.size else (filt.size, filt.size)
    return filt[first if "f" in trim.lower() else 0 : last if "b" in trim.lower() else filt.size]


def _windows(x: Any, window_shape: Any, axis: Any = None, **more: Any) -> Any:
    view = np.lib.stride_tricks.sliding_window_view
    if not isinstance(x, Tensor):
        return view(x, window_shape, axis, **more)
    return x.reshape(-1)[view(np.arange(x.size).reshape(x.shape), window_shape, axis)]


def _strided(x: Any, shape: Any = None, strides: Any = None, **more: Any) -> Any:
    """`numpy.lib.stride_tricks.as_strided`, of a Tensor the elements that stand there."""
    view = np.lib.stride_tricks.as_strided
    if not isinstance(x, Tensor):
        return view(x, shape, strides, **more)
    place = np.arange(x.size).reshape(x.shape)
    steps = None if strides is None else [s * place.itemsize // x.dtype.itemsize for s in strides]
    return x.reshape(-1)[view(place, shape, steps)]


def _along_axis(func1d: Any, axis: Any, arr: Any, *args: Any, **more: Any) -> Any:
    """`numpy.apply_along_axis`, whose function may know of Tensors, too."""
    arr = _asarray(arr)
    rows = np.moveaxis(arr, axis, -1)
    out = [func1d(row, *args, **more) for row in rows.reshape(-1, rows.shape[-1])]
    if not tensors_in(out):
        return np.apply_along_axis(func1d, axis, arr, *args, **more)
    made = rec.stack([as_tensor(v) for v in out])
    made = made.reshape(*rows.shape[:-1], *made.shape[1:])
    return np.moveaxis(
        made,
        list(range(rows.ndim - 1, made.ndim)),
        list(range(axis % arr.ndim, axis % arr.ndim + made.ndim - rows.ndim + 1)),
    )


def _over_axes(func: Any, a: Any, axes: Any) -> Any:
    """`numpy.apply_over_axes`."""
    if not isinstance(a, Tensor):
        return np.apply_over_axes(func, a, axes)
    for axis in np.atleast_1d(axes):
        at = int(axis) % a.ndim
        found = func(a, at)
        a = found if found.ndim == a.ndim else np.expand_dims(found, at)
    return a


def _polyfit(x: Any, y: Any, deg: int, *args: Any, **more: Any) -> Any:
    """The least squares' coefficients, which are linear in y."""
    if not isinstance(y, Tensor) or args or any(v is not None and v is not False for v in more.values()):
        return np.polyfit(x, y, deg, *args, **more)
    x = np.asarray(x)
    return as_tensor(np.polyfit(x, np.eye(len(x)), deg)) @ y


class _IsArray(type):
    def __instancecheck__(cls, thing: Any) -> bool:
        return isinstance(thing, (np.ndarray, Tensor))


class _Array(np.ndarray[Any, Any], metaclass=_IsArray):
    """What `isinstance(x, np.ndarray)` asks for."""


SWAPS: dict[str, Any] = {
    "asarray": _asarray,
    "array": _array,
    "asanyarray": _asanyarray,
    "ascontiguousarray": _contiguous,
    "require": _require,
    "r_": _Joined(np.r_),
    "c_": _Joined(np.c_),
    "asfortranarray": _contiguous,
    "asarray_chkfinite": _checked,
    "broadcast": _broadcast,
    "ndarray": _Array,
    "isscalar": _isscalar,
    "trim_zeros": _trim_zeros,
    "apply_along_axis": _along_axis,
    "apply_over_axes": _over_axes,
    "polyfit": _polyfit,
    **{name: _filled(getattr(np, name)) for name in ("zeros", "empty", "ones", "full")},
    **{name: _filled(getattr(np, name)) for name in ("zeros_like", "empty_like", "ones_like", "full_like")},
    **{name: _at_least(getattr(np, name)) for name in ("atleast_1d", "atleast_2d", "atleast_3d")},
}
BY_FUNCTION = {id(getattr(np, name)): swap for name, swap in SWAPS.items()}
BY_FUNCTION[id(np.lib.stride_tricks.sliding_window_view)] = _windows
BY_FUNCTION[id(np.lib.stride_tricks.as_strided)] = _strided


_ELSE = {"pow": np.power, "fabs": np.absolute, "atan2": np.arctan2, "atan": np.arctan, "asin": np.arcsin,
         "acos": np.arccos, "gamma": None, "lgamma": None, "fsum": np.sum}  # fmt: skip


def _number(name: str, plain: Callable[..., Any]) -> Callable[..., Any]:
    """A function of `math`, and of a Tensor NumPy's."""
    own: Any = _ELSE.get(name, getattr(np, name, None))

    def call(*args: Any, **more: Any) -> Any:
        if own is None or not tensors_in([*args]):
            return plain(*args, **more)
        return own(*args, **more)

    return call


class NumPys(ModuleType):
    """A module of NumPy's functions, in which some make Tensors."""

    def __init__(self, module: ModuleType) -> None:
        super().__init__(module.__name__)
        self.__dict__["_module"] = module

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.__dict__["_module"], name)
        if isinstance(found, ModuleType):
            return NumPys(found)
        if self.__name__ in ("math", "cmath"):
            return _number(name, found) if callable(found) else found
        swap = SWAPS.get(name) if self.__name__.endswith("array_api_compat.numpy") else None
        return BY_FUNCTION.get(id(found), swap or found)
