"""Arrays of whose elements nothing is asked while a program is made but shape, dtype and order in memory.

The rows of all steps of a loop may be large together; what is made of them is large again. To type a program only
their form is asked for. So an array here is memory that nobody has touched, which costs nothing, and a note of how its
elements are made, in case that somebody looks at them all the same. Ufuncs, sums and changes of shape of such arrays
are such arrays in turn; every other function of NumPy finds the elements there.

The elements are those of an example. What is written in place later may show in what was made before.
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Callable
from typing import Any

import numpy as np

from ...core.quiet import quietly

SMALL = 1 << 16  # bytes: what is smaller is computed at once

Array = np.ndarray[Any, Any]


class Lazy(np.ndarray[Any, Any]):
    """An array whose elements are made when a function asks for them. A view of one is one, of the same elements."""

    make: Callable[[Array], None] | None = None  # until the elements are there
    root: Lazy | None = None  # the array that this is a view of

    def __array_finalize__(self, obj: Any) -> None:
        self.root = (obj if obj.root is None else obj.root) if isinstance(obj, Lazy) else None

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
        outs = out if isinstance(out, tuple) else ()
        if method == "__call__" and ufunc.nout == 1 and set(options) <= {"dtype"}:
            form = _called(ufunc, inputs, options)
        elif method == "reduce" and set(options) <= {"axis", "keepdims", "dtype", "initial"}:
            form = _reduced(ufunc, inputs[0], **options)
            if form is not None and not form.ndim and ufunc in (np.logical_or, np.logical_and):
                form = None  # whether any element, or each, is as an op demands: it would be refused, or let be
        else:
            form = None
        if form is None or any(not isinstance(o, Lazy) or o.root is not None for o in outs):
            given = [elements(x) for x in inputs]
            found: Any = tuple(map(elements, outs)) if outs else None
            options = {key: elements(x) for key, x in options.items()}
            return getattr(ufunc, method)(*given, **({"out": found} if outs else {}), **options)

        def make(whole: Array) -> None:
            quietly(getattr(ufunc, method), *map(elements, inputs), out=whole, **options)

        if not outs:
            return lazy(form, make)
        _overwrite(outs[0], make)
        return outs[0]

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if func is np.broadcast_to and not kwargs and isinstance(args[0], Lazy):
            return np.broadcast_to(args[0], args[1], subok=True)
        if func in _OF_FORM:
            return func(*_each(args, plain), **{k: _each(v, plain) for k, v in kwargs.items()})
        if func in _THROUGH:
            return super().__array_function__(func, types, args, kwargs)
        form = _FORMS[func](args, kwargs) if func in _FORMS else None
        if form is not None:
            return lazy(form, lambda whole: np.copyto(whole, func(*_each(args, elements), **kwargs)))
        return func(*_each(args, elements), **{k: _each(v, elements) for k, v in kwargs.items()})

    def reshape(self, *shape: Any, **options: Any) -> Any:
        if options not in ({}, {"order": "C"}):
            return elements(self).reshape(*shape, **options)
        sizes = np.broadcast_to(np.int8(0), self.shape).reshape(*shape).shape
        try:
            y = np.reshape(plain(self), sizes, copy=False).view(Lazy)
            y.root = self if self.root is None else self.root
            return y
        except (ValueError, TypeError):  # it needs a copy; NumPy 2.0 does not tell
            pass
        return lazy(np.empty(sizes, self.dtype), lambda whole: np.copyto(whole, elements(self).reshape(sizes)))

    def astype(self, dtype: Any, *args: Any, **options: Any) -> Any:
        if args or set(options) - {"copy"}:
            return elements(self).astype(dtype, *args, **options)
        if not options.get("copy", True) and np.dtype(dtype) == self.dtype:
            return self
        return lazy(np.empty_like(plain(self), dtype=dtype), lambda whole: np.copyto(whole, elements(self), "unsafe"))

    def copy(self, order: Any = "C") -> Any:
        return lazy(np.empty_like(plain(self), order=order), lambda whole: np.copyto(whole, elements(self)))

    def item(self, *_: Any) -> Any:
        """Some element: as other numbers, 1."""
        return self.dtype.type(1).item()

    def argmin(self, axis: Any = None, *args: Any, **options: Any) -> Any:
        """Where the least element is: of no one element is anything known."""
        return 0 if axis is None and not args and not options else elements(self).argmin(axis, *args, **options)

    def __getitem__(self, key: Any) -> Any:
        """A view, or a copy of the elements: those that indices or a mask pick, and one alone."""
        y = super().__getitem__(key)
        if isinstance(y, Lazy) and np.may_share_memory(plain(y), plain(self)):
            return y
        return elements(self)[_each(key, elements) if isinstance(key, (list, tuple)) else elements(key)]

    def __setitem__(self, key: Any, value: Any) -> None:
        elements(self)[key] = elements(value)


def plain(x: Any) -> Any:
    """The memory of x, whatever lies there."""
    return x.view(np.ndarray) if isinstance(x, Lazy) else x


def elements(x: Any) -> Any:
    """x with its elements made."""
    if not isinstance(x, Lazy):
        return x
    root = x if x.root is None else x.root
    if root.make is not None:
        make, root.make = root.make, None
        make(plain(root))
    return plain(x)


def lazy(form: Array, make: Callable[[Array], None]) -> Any:
    """An array that lies as `form` does, whose elements `make` writes into an array; of no dimensions a number, 1."""
    if not form.ndim:
        return form.dtype.type(1)
    order = sorted(range(form.ndim), key=lambda k: (-form.strides[k], k))
    memory = _untouched([form.shape[k] for k in order], form.dtype)
    y = memory.transpose(np.argsort(order)).view(Lazy)
    y.make = make
    return y


def _untouched(shape: list[int], dtype: Any) -> Array:
    """Zeros that lie nowhere until they are touched. The heap, which has memory to use again, would write them."""
    nbytes = math.prod(shape) * dtype.itemsize
    if nbytes < SMALL:
        return np.zeros(shape, dtype)
    own = (
        {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}
    )  # no pages are shared
    try:
        return np.ndarray(shape, dtype, mmap.mmap(-1, nbytes, **own))
    except OSError:  # there is no further map to be had
        return np.zeros(shape, dtype)


def rows_of(row: Array, n: int) -> Any:
    """n rows that are all this one; of many elements a lazy array."""
    y = np.empty((n, *row.shape), row.dtype)
    if y.nbytes >= SMALL:
        return lazy(y, lambda whole: np.copyto(whole, row))
    y[...] = row
    return y


def lazily(x: Any) -> Any:
    """A copy of x of which nothing lies anywhere until it is asked for, if it has many elements."""
    return lazy(x, lambda whole: np.copyto(whole, x)) if type(x) is np.ndarray and x.nbytes >= SMALL else x


def formal(x: Any) -> Any:
    """x itself, its memory and its elements; what is made of it is lazy, if it has many."""
    return x.view(Lazy) if type(x) is np.ndarray and x.nbytes >= SMALL else x


def _overwrite(y: Lazy, make: Callable[[Array], None]) -> None:
    before = y.make

    def both(whole: Array) -> None:
        if before is not None:
            before(whole)
        make(whole)

    y.make = both


def _called(ufunc: np.ufunc, inputs: Any, options: Any) -> Array | None:
    """What a ufunc gives, without elements."""
    tiny = [np.zeros((1,) * x.ndim, x.dtype) if isinstance(x, np.ndarray) else x for x in inputs]
    given = [plain(x) if isinstance(x, np.ndarray) else np.asarray(x) for x in inputs]
    dtype = quietly(ufunc, *tiny, **options).dtype
    if ufunc is np.matmul:
        return _product(given, dtype)
    if ufunc.signature is not None:
        return None
    return _laid_out(given, dtype)


def _laid_out(given: Any, dtype: Any) -> Array:
    """What lies as a ufunc's result of these arrays."""
    flags: Any = [["readonly"]] * len(given) + [["writeonly", "allocate"]]
    found = np.nditer([*given, None], ["zerosize_ok", "refs_ok"], flags, [*(x.dtype for x in given), dtype])
    y: Array = found.operands[-1]
    return y


def _product(given: Any, dtype: Any) -> Array | None:
    a, b = given
    if not a.ndim or not b.ndim or a.shape[-1] != b.shape[-2 if b.ndim > 1 else 0]:
        return None
    many = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    return np.empty((*many, *a.shape[-2:-1], *(b.shape[-1:] if b.ndim > 1 else ())), dtype)


def _reduced(
    ufunc: np.ufunc, x: Any, axis: Any = 0, keepdims: bool = False, dtype: Any = None, initial: Any = None
) -> Array | None:
    """What a reduction gives, without elements."""
    if not isinstance(x, np.ndarray) or not x.size:
        return None
    n = x.ndim
    axes = range(n) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    along = {int(k) % n for k in axes}
    x = plain(x)
    kind = ufunc.reduce(np.zeros(1, x.dtype), dtype=dtype).dtype
    first = x[tuple(slice(0, 1) if k in along else slice(None) for k in range(n))]
    y: Array = np.empty_like(first, dtype=kind)
    if not keepdims:
        y = y[tuple(0 if k in along else slice(None) for k in range(n))]
    return y


def _joined(args: Any, kwargs: Any) -> Array | None:
    """What np.concatenate gives, without elements."""
    parts = list(args[0])
    axis = kwargs.get("axis", args[1] if len(args) > 1 else 0)
    if set(kwargs) - {"axis"} or axis is None or len({np.ndim(p) for p in parts}) != 1:
        return None
    shape = list(parts[0].shape)
    shape[axis] = sum(p.shape[axis] for p in parts)
    if not all(plain(p).flags.c_contiguous for p in parts):
        return None
    return np.empty(shape, np.result_type(*parts))


def _chosen(args: Any, kwargs: Any) -> Array | None:
    """What np.where gives, without elements."""
    if len(args) != 3 or kwargs:
        return None
    tiny = (np.zeros(1, x.dtype) if isinstance(x, np.ndarray) else x for x in args)
    return _laid_out([plain(x) if isinstance(x, np.ndarray) else np.asarray(x) for x in args], np.where(*tiny).dtype)


def _contracted(args: Any, kwargs: Any) -> Array | None:
    """What np.einsum gives of an explicit formula, without elements."""
    formula, *arrays = args
    if "->" not in formula or set(kwargs) - {"optimize"}:
        return None
    terms, result = formula.split("->")
    sizes: dict[str, int] = {}
    for term, x in zip(terms.split(","), arrays, strict=True):
        for letter, n in zip(term, np.shape(x), strict=True):
            sizes[letter] = n if sizes.get(letter, 1) == 1 else sizes[letter]
    return np.empty(tuple(sizes[c] for c in result), np.result_type(*arrays))


def _each(x: Any, f: Callable[[Any], Any]) -> Any:
    return type(x)(_each(y, f) for y in x) if type(x) in (list, tuple) else f(x)


# functions that ask for no elements
_OF_FORM = {np.shape, np.ndim, np.size, np.result_type, np.may_share_memory, np.shares_memory, np.iscomplexobj}
_OF_FORM |= {np.empty_like, np.zeros_like, np.ones_like, np.full_like}
# functions made of ufuncs and of changes of shape
_THROUGH = {np.sum, np.prod, np.max, np.min, np.amax, np.amin, np.mean, np.any, np.all, np.reshape, np.transpose}
_THROUGH |= {np.swapaxes, np.moveaxis, np.expand_dims, np.squeeze, np.stack, np.clip, np.real, np.imag}
_FORMS: dict[Any, Callable[[Any, Any], Array | None]] = {
    np.concatenate: _joined, np.where: _chosen, np.einsum: _contracted
}  # fmt: skip
