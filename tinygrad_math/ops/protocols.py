"""NumPy's doors: what `np.f(tensor)` does, for its ufuncs and for all its other functions.

`np.f` of a Tensor is this package's function of the same name: numpy.linalg's in `linalg`, numpy.fft's in
`fft`, a ufunc of SciPy's in `special`. What has no counterpart raises and says what to use: nothing here
falls back on plain arrays, which would drop the gradient silently.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np

from ..core.errors import ArgumentError, NeedsDetach, ShapeError, checked_axis, describe
from ..core.numpy_alone import no_counterpart, of_constants, stays_an_array, value_for
from ..core.op import by_ufunc
from ..core.opening import opened
from ..core.tensor import Tensor, as_tensor, handle, rec

__all__: list[str] = []

_PACKAGE = __name__.split(".")[0]

_ABOUT_SHAPE_AND_DTYPE = frozenset(
    {np.shape, np.ndim, np.size, np.iscomplexobj, np.isrealobj, np.common_type, np.result_type, np.can_cast}
)
_TO_BE_FILLED = frozenset({np.empty_like, np.zeros_like, np.ones_like, np.full_like})
_AS_TEXT = frozenset({np.array_repr, np.array_str, np.array2string})


def array_namespace(api_version: str | None = None) -> Any:
    """The package itself: what `x.__array_namespace__()` gives."""
    package = opened(_PACKAGE)
    if api_version not in (None, "2021.12", "2022.12", "2023.12", package.__array_api_version__):
        raise ArgumentError(
            f"this namespace speaks the Array API up to {package.__array_api_version__}, not {api_version!r}"
        )
    return package


# -- functions ----------------------------------------------------------------------------------------------


def numpy_function(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """`function(*args, **kwargs)` of NumPy, where some argument is a Tensor."""
    if function in _ABOUT_SHAPE_AND_DTYPE:
        return function(*map(_hollow, args), **{k: _hollow(v) for k, v in kwargs.items()})
    if function in _AS_TEXT:
        return function(*(a.detach().numpy() if isinstance(a, Tensor) else a for a in args), **kwargs)
    own = None if stays_an_array(function, args) else _counterpart(function)
    if own is None:
        return of_constants(function, args, kwargs)
    kwargs = dict(kwargs)
    out = kwargs.pop("out", None)
    if function is np.nan_to_num:  # NumPy's one function with an argument that means in place
        given = inspect.signature(function).bind(*args, **kwargs).arguments
        if not given.get("copy", True):
            out = given["x"]
            if isinstance(out, Tensor) and out._is_part():
                raise out._lost("a part of a tensor")
    result = rec.numpys_call(function, own, args, kwargs)
    if function is np.i0 and (args[0] if args else kwargs["x"]).dtype == np.float16:
        result = rec.astype(result, np.float16)  # the function is SciPy's here, which answers halves by doubles
    if function in _TO_BE_FILLED and not result.node.live:
        result.node.more().blank = True
    return result if out is None else _store(out, result)


def _hollow(value: Any) -> Any:
    """An array of a Tensor's shape and dtype that holds nothing."""
    return np.broadcast_to(np.zeros((), value.dtype), value.shape) if isinstance(value, Tensor) else value


@functools.cache
def _counterpart(function: Callable[..., Any]) -> Any:
    """Our function for one of NumPy's: the same name in the module of the same name."""
    if function.__module__ not in ("numpy", "numpy.linalg", "numpy.fft") or function is np.save:
        return None
    own = getattr(opened(_PACKAGE + function.__module__.removeprefix("numpy")), function.__name__, None)
    return own if callable(own) else None


# -- ufuncs -------------------------------------------------------------------------------------------------


def numpy_ufunc(ufunc: np.ufunc, method: str, inputs: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """`ufunc.method(*inputs, **kwargs)`, where some argument is a Tensor.

    `out=` may be a Tensor, which takes on the result as by an assignment, and is needed with `where=`.
    """
    options = dict(kwargs)
    out = options.pop("out", None)
    if isinstance(out, tuple):
        out = out[0] if len(out) == 1 else out
    where = options.pop("where", True) if method == "__call__" else True
    f = _own_ufunc(ufunc)
    if method == "__call__" and ufunc.signature is not None:  # of whole vectors: axis, axes and keepdims are its own
        result = f(*inputs, **options)
    elif method == "__call__":
        if _computes_so_anyway(ufunc, inputs, options.get("dtype")):
            del options["dtype"]
        unknown = [
            k for k, v in options.items() if (k, v) not in (("casting", "same_kind"), ("subok", True), ("order", "K"))
        ]
        if unknown == ["casting"] and isinstance(out, Tensor) and options["casting"] == "unsafe":
            unknown = []  # what is assigned to a Tensor is of the same kind, or raises
        if unknown and any(isinstance(x, Tensor) and x.node.live for x in inputs):
            raise ArgumentError(
                f"np.{ufunc.__name__} of a Tensor that is differentiated or traced takes out= and where=, "
                f"not {unknown[0]}=; cast with astype"
            )
        if where is not True and out is None:
            raise ArgumentError(
                f"np.{ufunc.__name__}(..., where=) leaves the other elements undefined; "
                "give out= as well, or use where(condition, result, other)"
            )
        result = _plainly(ufunc, ufunc.__name__, None, *inputs, **options) if unknown else f(*inputs)
    else:
        result = _METHODS[method](ufunc, f, *inputs, **options)
    return result if out is None else _store(out, result, where)


def _computes_so_anyway(ufunc: np.ufunc, inputs: Sequence[Any], dtype: Any) -> bool:
    """Whether a dtype is what the inputs have, so that saying it changes nothing."""
    if dtype is None or any(not isinstance(x, (Tensor, np.ndarray, np.generic, int, float)) for x in inputs):
        return False
    kind = np.dtype(dtype)
    plain = [np.empty(0, x.dtype) if isinstance(x, (Tensor, np.ndarray)) else x for x in inputs]
    same = kind.kind in "fc" and np.result_type(*plain) == kind
    return same and f"{kind.char * ufunc.nin}->{kind.char * ufunc.nout}" in ufunc.types


def _store(out: Any, result: Any, where: Any = True) -> Any:
    """`out` after it took on the result, where the condition holds."""
    if isinstance(out, tuple):
        return tuple(_store(o, r, where) for o, r in zip(out, result, strict=True))
    if not isinstance(out, Tensor):
        if result.node.live:
            raise NeedsDetach(
                "out= is a plain array, which cannot remember the derivative of a Tensor's values; "
                "write y = x + t for x += t, or give a Tensor"
            )
        np.copyto(out, result.numpy(), where=np.asarray(where))
        return out
    return out._become(result if where is True else rec.where(where, result, out))


# ufuncs behind functions of scipy.special that are written in Python
_BEHIND = {"_lambertw", "_spherical_in", "_spherical_jn", "_spherical_kn", "_spherical_yn", "_zeta"}


def _own_ufunc(ufunc: np.ufunc) -> Callable[..., Any]:
    """The recording function for a ufunc of NumPy's or SciPy's."""
    name = ufunc.__name__
    if ufunc in by_ufunc:
        return cast(Callable[..., Any], by_ufunc[ufunc])
    for home, *ours in (("numpy", _PACKAGE), ("scipy.special", f"{_PACKAGE}.special", _PACKAGE)):
        if getattr(sys.modules.get(home), name, None) is ufunc:
            own = next(filter(None, (getattr(opened(place), name, None) for place in ours)), None)
            return functools.partial(_plainly, ufunc, f"{home}.{name}", None) if own is None else own
    if name in _BEHIND and getattr(sys.modules.get("scipy.special._ufuncs"), name, None) is ufunc:
        return cast(Callable[..., Any], getattr(opened(f"{_PACKAGE}.special"), name[1:]))
    advice = "tm.primitive to declare it with its derivative"
    return functools.partial(_plainly, ufunc, f"the ufunc {name} of another library", advice)


def _plainly(ufunc: np.ufunc, name: str, advice: str | None, *inputs: Any, **options: Any) -> Any:
    """A ufunc without a declared derivative, of constants."""
    live = next((x for x in inputs if isinstance(x, Tensor) and x.requires_grad), None)
    if live is not None:
        raise no_counterpart(name, advice, live)
    out = ufunc(*(value_for(name, x) if isinstance(x, Tensor) else x for x in inputs), **options)
    return tuple(map(_handled, out)) if isinstance(out, tuple) else _handled(out)


def _handled(value: Any) -> Any:
    """A Tensor of numbers; objects as another library's ufunc gives them stay its own."""
    return handle(value) if getattr(value, "dtype", np.dtype(object)).kind in "biufc" else value


def _reduce(
    ufunc: np.ufunc,
    f: Callable[..., Any],
    x: Any,
    axis: Any = 0,
    dtype: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    x = as_tensor(x) if dtype is None else rec.astype(as_tensor(x), dtype)
    if where is not True:
        neutral = initial if ufunc in _IDEMPOTENT else ufunc.identity
        if neutral is None:
            raise ArgumentError(
                f"np.{ufunc.__name__}.reduce(..., where=): {ufunc.__name__} has no neutral element; use where()"
            )
        x = rec.where(where, x, rec.astype(as_tensor(neutral), x.dtype))
    axes = _axes(ufunc, x, axis, "reduce")
    none = not all(x.shape[k] for k in axes)
    if ufunc in _REDUCTIONS and not (none and initial is not None):
        y = getattr(rec, _REDUCTIONS[ufunc])(x, axis=axis, keepdims=keepdims)
        return y if initial is None else f(initial, y)
    if len(axes) > 1 and not _in_any_order(ufunc):
        raise ArgumentError(f"np.{ufunc.__name__}.reduce runs along one axis, as its order matters; got axis={axis}")
    y = _of_none(ufunc, f, x, axes, initial) if none else _folded(ufunc, f, x, axes, initial)
    return rec.expand_dims(y, axis=tuple(sorted(axes))) if keepdims and axes else y


def _axes(ufunc: np.ufunc, x: Tensor, axis: Any, method: str) -> tuple[int, ...]:
    """The axes that a method runs along, from 0 on; a number has none, and lets 0 and -1 stand for it."""
    if ufunc.nin != 2:
        raise ShapeError(f"np.{ufunc.__name__}.{method} runs along an axis by two arguments, not {ufunc.nin}")
    if not x.ndim and axis in (0, -1):
        return ()
    given = range(x.ndim) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    return tuple(checked_axis(k, x.ndim, f"np.{ufunc.__name__}.{method}") for k in given)


@functools.cache
def _in_any_order(ufunc: np.ufunc) -> bool:
    """Whether NumPy lets a ufunc run along several axes at once."""
    try:
        ufunc.reduce(np.ones((1, 1), int), axis=None)
    except ValueError:
        return False
    return True


def _folded(ufunc: np.ufunc, f: Callable[..., Any], x: Tensor, axes: tuple[int, ...], initial: Any) -> Any:
    """x taken together along axes, from the first value on that is given; one element alone from the neutral one on."""
    if initial is None and ufunc.identity is not None and all(x.shape[k] == 1 for k in axes):
        initial = rec.astype(as_tensor(ufunc.identity), x.dtype)
    if initial is not None and len(axes) == 1:
        return functools.reduce(f, _slices(x, axes[0]), initial)
    for k in sorted(axes, reverse=True):
        x = functools.reduce(f, _slices(x, k))
    return x if initial is None else f(initial, x)


def _of_none(ufunc: np.ufunc, f: Callable[..., Any], x: Tensor, axes: tuple[int, ...], initial: Any) -> Any:
    """What there is where an axis has no elements: the first value that is given, or the neutral one."""
    first = ufunc.identity if initial is None else initial
    shape: tuple[int, ...] = tuple(n for k, n in enumerate(x.shape) if k not in axes)
    if first is None and 0 not in shape:
        raise ShapeError(
            f"np.{ufunc.__name__}.reduce along {axes} of {describe(x)}: there are no elements, and "
            f"{ufunc.__name__} has no neutral one; give initial="
        )
    one = np.ones(1, x.dtype)
    first = rec.astype(as_tensor(0 if first is None else first), x.dtype)
    return rec.broadcast_to(rec.astype(first, f(one, one).dtype), shape)


def _accumulate(ufunc: np.ufunc, f: Callable[..., Any], x: Any, axis: int = 0, dtype: Any = None) -> Any:
    x = as_tensor(x) if dtype is None else rec.astype(as_tensor(x), dtype)
    if not x.ndim:
        raise ArgumentError(
            f"np.{ufunc.__name__}.accumulate runs along an axis, and {describe(x)} is a number, that has none; "
            "x.reshape(1) has one"
        )
    axes = _axes(ufunc, x, axis, "accumulate")
    if len(axes) != 1:
        raise ArgumentError(f"np.{ufunc.__name__}.accumulate runs along one axis of {describe(x)}, got axis={axis}")
    if ufunc in _ACCUMULATIONS:
        return getattr(rec, _ACCUMULATIONS[ufunc])(x, axis=axes[0])
    kind = f(np.ones(1, x.dtype), np.ones(1, x.dtype)).dtype
    parts = _slices(x if x.dtype == kind else rec.astype(x, kind), axes[0])
    if not parts:
        return rec.astype(x, kind)
    return rec.stack(list(itertools.accumulate(parts, f)), axis=axes[0])


def _slices(x: Tensor, axis: int) -> list[Tensor]:
    before = (slice(None),) * axis
    return [x[(*before, k)] for k in range(x.shape[axis])]


def _outer(ufunc: np.ufunc, f: Callable[..., Any], a: Any, b: Any) -> Any:
    a, b = as_tensor(a), as_tensor(b)
    return f(rec.reshape(a, a.shape + (1,) * b.ndim), b)


def _at(ufunc: np.ufunc, f: Callable[..., Any], x: Any, index: Any, value: Any = None) -> None:
    if not isinstance(x, Tensor):
        raise NeedsDetach(
            f"np.{ufunc.__name__}.at would write a Tensor into a plain array; make x = tm.asarray(x) first"
        )
    if ufunc is np.add or ufunc is np.subtract:
        rec.additem_(x, index, value if ufunc is np.add else -as_tensor(value))
    elif ufunc is np.multiply:
        rec.multiplyitem_(x, index, value)
    else:
        raise no_counterpart(f"np.{ufunc.__name__}.at", "x.at[index].set(...), .add(...) or .multiply(...)")


def _reduceat(ufunc: np.ufunc, f: Callable[..., Any], x: Any, indices: Any, axis: int = 0, dtype: Any = None) -> Any:
    if not as_tensor(x).ndim:
        raise ArgumentError(f"np.{ufunc.__name__}.reduceat runs along an axis, and a number has none; x.reshape(1) has")
    x = rec.moveaxis(as_tensor(x), axis, 0)
    starts = [int(i) for i in indices]
    stops = [*starts[1:], x.shape[0]]
    parts = [
        _reduce(ufunc, f, x[start : stop if stop > start else start + 1], dtype=dtype)
        for start, stop in zip(starts, stops, strict=True)
    ]
    return rec.moveaxis(rec.stack(parts, axis=0), 0, axis)


_METHODS: dict[str, Callable[..., Any]] = {
    "reduce": _reduce,
    "accumulate": _accumulate,
    "outer": _outer,
    "at": _at,
    "reduceat": _reduceat,
}
_REDUCTIONS: dict[Any, str] = {
    np.add: "sum",
    np.multiply: "prod",
    np.maximum: "max",
    np.minimum: "min",
    np.logical_and: "all",
    np.logical_or: "any",
}
_IDEMPOTENT = frozenset({np.maximum, np.minimum, np.fmax, np.fmin})  # f(x, x) = x: the first value may come again
_ACCUMULATIONS: dict[Any, str] = {np.add: "cumsum", np.multiply: "cumprod"}

for _name, _f in {
    "numpy_ufunc": numpy_ufunc,
    "numpy_function": numpy_function,
    "array_namespace": array_namespace,
    "stored": _store,
}.items():
    setattr(rec, _name, _f)
