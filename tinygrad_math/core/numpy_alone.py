"""What NumPy alone knows: memory, files, sets, text. It takes constants, and writes into Tensors by assignment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .errors import DTypeError, IndexOutOfBounds, NoDerivative, describe
from .mode import watcher
from .node import refused
from .tensor import Tensor, as_tensor, rec

_LAYOUT = frozenset({np.may_share_memory, np.shares_memory, np.einsum_path})
_AS_ARRAYS = frozenset({np.atleast_1d, np.atleast_2d, np.atleast_3d})
_INSTEAD: dict[Any, str] = {
    np.save: "tm.save(path, tree)",
    np.savez: "tm.save(path, tree)",
    np.savez_compressed: "tm.save(path, tree)",
    np.apply_over_axes: "the function itself with a tuple of axes",
}


def tensors_in(tree: Any) -> list[Tensor]:
    """The Tensors among arguments, in lists and dicts of them too."""
    if isinstance(tree, Tensor):
        return [tree]
    if isinstance(tree, Mapping):
        tree = tree.values()
    elif not isinstance(tree, (list, tuple)):
        return []
    return [t for part in tree for t in tensors_in(part)]


def _converted(tree: Any, convert: Callable[[Tensor], Any]) -> Any:
    if isinstance(tree, Tensor):
        return convert(tree)
    if isinstance(tree, dict):
        return {k: _converted(v, convert) for k, v in tree.items()}
    if type(tree) is list or type(tree) is tuple:
        return type(tree)(_converted(v, convert) for v in tree)
    return tree


def stays_an_array(function: Any, args: Sequence[Any]) -> bool:
    """Whether NumPy's function is to give arrays, as it gives for other libraries' arrays: what an optimiser of SciPy's
    makes of a gradient; and bounds that may be None. What needs a gradient, or is watched, stays a Tensor."""
    alone = function in _AS_ARRAYS or (function is np.broadcast_arrays and any(a is None for a in args))
    return alone and watcher() is None and not any(t.node.live for t in tensors_in(args))


def of_constants(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """`function(*args, **kwargs)` by NumPy itself, of the values of Tensors that need no gradient."""
    if function in _WRITES:
        bound = list(args)
        target = bound[0] if bound else kwargs.get("dst", kwargs.get("a", kwargs.get("arr")))
        if isinstance(target, Tensor):
            if target._is_part():
                raise target._lost("a part of a tensor")
            return _WRITES[function](*args, **kwargs)
    live = next((t for t in tensors_in([*args, *kwargs.values()]) if t.requires_grad), None)
    name = f"{function.__module__}.{function.__name__}"
    if function in _LAYOUT:
        convert: Callable[[Tensor], Any] = lambda t: np.asarray(t.node.data)  # noqa: E731
    elif live is not None:
        raise no_counterpart(name, _INSTEAD.get(function), live)
    else:
        convert = lambda t: value_for(f"{name}, which has no counterpart in tinygrad_math,", t)  # noqa: E731
    return function(*_converted(tuple(args), convert), **_converted(dict(kwargs), convert))


def value_for(asker: str, value: Any) -> Any:
    """The array of a constant, or the error that names who asks for what a trace does not know yet."""
    if not isinstance(value, Tensor):
        return np.asarray(value)
    value._refuse_trace(asker)
    return value.numpy()


def no_counterpart(name: str, instead: str | None = None, live: Any = None) -> NoDerivative:
    """The error for a function that is not declared here, of what needs a gradient."""
    of = "" if live is None else f", and {describe(live)} requires a gradient"
    advice = f"use {instead}" if instead else "use x.detach().numpy() if its values alone are meant"
    refusal = NoDerivative(f"{name} has no differentiable counterpart in tinygrad_math{of}; {advice}")
    return refusal if live is None else refused(live.node, refusal)


# -- writing ------------------------------------------------------------------------------------------------
def _copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    source = as_tensor(src)
    if not np.can_cast(source.dtype, dst.dtype, casting):  # type: ignore[arg-type]
        raise DTypeError(f"copyto: {source.dtype} cannot be cast to {dst.dtype} by the rule {casting!r}; use astype")
    if where is not True:
        source = rec.where(where, source, dst)
    dst[...] = rec.astype(source, dst.dtype)


def _cycled(values: Any, count: int) -> Any:
    """The first so many of the values, from the beginning again where they are too few."""
    flat = rec.reshape(as_tensor(values), (-1,))
    return flat[np.arange(count) % max(flat.size, 1)]


def _put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    flat = value_for("the index of numpy.put", ind).ravel()
    if mode != "raise":
        flat = np.clip(flat, 0, a.size - 1) if mode == "clip" else flat % a.size
    elif flat.size and not (-a.size <= flat.min() and flat.max() < a.size):
        raise IndexOutOfBounds(f"put: indices from {flat.min()} to {flat.max()} in an array of {a.size} elements")
    _assign(a, np.unravel_index(flat % max(a.size, 1), a.shape), _cycled(v, flat.size))


def _place(arr: Any, mask: Any, vals: Any) -> None:
    held = np.reshape(value_for("the mask of numpy.place", mask), arr.shape)
    if not held.shape:  # one number, which has no index
        if held:
            _assign(arr, (), _cycled(vals, 1)[0])
        return
    where = np.nonzero(held)
    _assign(arr, where, _cycled(vals, where[0].size))


def _putmask(a: Any, mask: Any, values: Any) -> None:
    held = np.reshape(value_for("the mask of numpy.putmask", mask), a.shape)
    flat = rec.reshape(as_tensor(values), (-1,))
    if not held.shape:
        if held:
            _assign(a, (), flat[0])
        return
    where = np.nonzero(held)
    _assign(a, where, flat[np.ravel_multi_index(where, a.shape) % max(flat.size, 1)])


def _fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    shown = np.arange(a.size).reshape(a.shape)
    mark = np.full(a.shape, -1)
    np.fill_diagonal(mark, shown.ravel()[: mark.size].max(initial=0) + 1, wrap)
    where = np.nonzero(mark + 1)
    _assign(a, where, _cycled(val, where[0].size))


def _assign(a: Any, where: Any, values: Any) -> None:
    a[where] = rec.astype(values, a.dtype)


_WRITES: dict[Any, Callable[..., None]] = {
    np.copyto: _copyto,
    np.put: _put,
    np.place: _place,
    np.putmask: _putmask,
    np.fill_diagonal: _fill_diagonal,
}
