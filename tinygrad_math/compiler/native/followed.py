"""What stands for an array while an op's own function is followed: it notes each of NumPy's steps.

Beside its place in the notes it has a value, which NumPy computes of typical numbers. Of that come shapes and dtypes,
and the answers where the function asks for one. An answer is noted, too: for other numbers it may be another one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from ...core.standing import StandIn

SHOW = frozenset({"view", "swap", "real", "imag"})  # steps that show a part of what is there


class NotFollowed(TypeError):
    """Raised where a function does what has no native form."""


class Note(NamedTuple):
    """A step: what is done, with which earlier ones (as numbers) or known arrays, and what it gives."""

    kind: str
    what: Any
    given: tuple[Any, ...]
    shape: tuple[int, ...]
    dtype: Any


class Number(NamedTuple):
    """The number of a step in the notes."""

    k: int


class Notes:
    """What a function has done so far."""

    def __init__(self) -> None:
        self.steps: list[Note] = []
        self.answers: dict[int, bool] = {}  # step -> how it was answered
        self.spent: list[Any] = []  # plain arrays that a step would have written to

    def add(self, kind: str, what: Any, given: Sequence[Any], value: Any) -> Followed:
        """A step that gives such a value for typical numbers."""
        if np.asarray(value).dtype == object:
            raise NotFollowed(kind)
        operands = tuple(self._operand(x) for x in given)
        self.steps.append(Note(kind, what, operands, np.shape(value), np.asarray(value).dtype))
        return Followed(self, len(self.steps) - 1, value)

    def is_spent(self, x: Any) -> bool:
        return any(x is s for s in self.spent)

    def write_over(self, x: Followed, found: Followed) -> None:
        """Let x, over which NumPy writes, not be read again; nothing else may show its array."""
        shown = any(n.kind in SHOW and Number(x.k) in n.given for n in self.steps)
        if self.steps[x.k].kind in (*SHOW, "given") or shown or (x.shape, x.dtype) != (found.shape, found.dtype):
            raise NotFollowed("out")
        self.spent.append(x)

    def _operand(self, x: Any) -> Any:
        if self.is_spent(x):
            raise NotFollowed("an array that has been written to")
        if isinstance(x, Followed):
            return Number(x.k)
        if isinstance(x, (np.ndarray, np.generic)):
            return np.array(x)
        if type(x) in (bool, int, float, complex):
            return x
        raise NotFollowed(repr(x))


def _refused(self: Any, *_: Any, **__: Any) -> Any:
    raise NotFollowed("a value")


class Followed(StandIn, NDArrayOperatorsMixin):
    """Stands for an array or a NumPy number."""

    def __init__(self, notes: Notes, k: int, value: Any) -> None:
        self._notes, self.k, self.value = notes, k, value
        self._parts: dict[str, Followed] = {}  # real and imaginary

    dtype = property(lambda self: self.value.dtype)
    shape = property(lambda self: self.value.shape)
    ndim = property(lambda self: self.value.ndim)
    size = property(lambda self: self.value.size)
    real = property(lambda self: self._part("real") if self.dtype.kind == "c" else self)
    imag = property(lambda self: self._part("imag") if self.dtype.kind == "c" else _refused(self))
    flat = property(lambda self: _Flat(self))

    __array__ = __float__ = __int__ = __index__ = __complex__ = __iter__ = __len__ = __contains__ = _refused
    __setitem__ = __iadd__ = __isub__ = __imul__ = __itruediv__ = _refused

    # -- NumPy's functions -------------------------------------------------------------------------------------------
    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *given: Any, **options: Any) -> Any:
        options = {name: x for name, x in options.items() if x is not None or name == "axis"}
        if method == "reduce" and len(given) == 1 and given[0] is self:
            return self._reduced(ufunc, **options)
        if method != "__call__" or ufunc.nout != 1:
            raise NotFollowed(method)
        where, out = options.pop("where", True), options.pop("out", None)
        if options or (out is None and where is not True):
            raise NotFollowed("options")
        found = self._notes.add("ufunc", ufunc, given, ufunc(*map(_value_of, given)))
        if where is True:
            if out is not None:
                self._notes.write_over(out[0], found)
            return found
        assert out is not None
        return self._put(where, found, out[0])

    def _put(self, where: Any, found: Followed, out: Any) -> Followed:
        """What is written over an array where a condition holds; that array is not to be read again."""
        if not isinstance(out, np.ndarray) or (out.shape, out.dtype) != (found.shape, found.dtype):
            raise NotFollowed("out")
        chosen = _where(self._notes, where, found, out.copy())
        self._notes.spent.append(out)
        return chosen

    def __array_function__(self, f: Any, _: Any, args: Any, kwargs: Any) -> Any:
        known = FUNCTIONS.get(f)
        if known is not None:
            return known(self._notes, *args, **kwargs)
        if hasattr(f, "_implementation"):  # NumPy's own, in Python, whose steps are followed in turn
            return f._implementation(*args, **kwargs)
        raise NotFollowed(f)

    def _reduced(
        self, ufunc: np.ufunc, axis: Any = 0, dtype: Any = None, keepdims: bool = False, **options: Any
    ) -> Followed:
        value = ufunc.reduce(self.value, axis=axis, dtype=dtype, keepdims=keepdims)
        start = options.pop("initial", None)
        if start is not None and ufunc in EXTREMES:
            most: Followed = ufunc(self._reduced(ufunc, axis, dtype, keepdims), np.asarray(start, value.dtype))
            return most
        if options or start is not None or not self.size:
            raise NotFollowed("reduce")
        if not self.ndim:
            return self.astype(np.asarray(value).dtype)
        axes = range(self.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        along = tuple(int(k) % self.ndim for k in axes)
        x = self.astype(np.asarray(value).dtype)
        return self._notes.add("reduce", (ufunc, along, keepdims), [x], value)

    # -- methods -----------------------------------------------------------------------------------------------------
    def __bool__(self) -> bool:
        if self._notes.is_spent(self):
            raise NotFollowed("an array that has been written to")
        answer = bool(self.value)
        self._notes.answers[self.k] = answer
        return answer

    def __pow__(self, n: Any) -> Any:
        """What NumPy makes of a power by a number."""
        quick = {1: np.positive, 2: np.square, 0.5: np.sqrt, -1: np.reciprocal}
        usual = type(n) in (int, float) and n in quick and self.dtype.kind in "fc"
        return quick[n](self) if usual else np.power(self, n)

    def __getitem__(self, key: Any) -> Followed:
        keys = key if isinstance(key, tuple) else (key,)
        if not all(k is None or k is Ellipsis or type(k) in (int, slice) for k in keys):
            raise NotFollowed("indices")
        return self._notes.add("view", keys, [self], self.value[key])

    def _part(self, name: str) -> Followed:
        if name not in self._parts:
            self._parts[name] = self._notes.add(name, None, [self], getattr(self.value, name))
        return self._parts[name]

    def astype(self, dtype: Any, copy: bool = True) -> Followed:
        if np.dtype(dtype) == self.dtype:
            return self
        return self._notes.add("cast", None, [self], self.value.astype(dtype))

    def copy(self) -> Followed:
        return self

    def conj(self) -> Any:
        return np.conjugate(self)

    def any(self, axis: Any = None, keepdims: bool = False) -> Any:
        return self._true(np.logical_or, axis, keepdims)

    def all(self, axis: Any = None, keepdims: bool = False) -> Any:
        return self._true(np.logical_and, axis, keepdims)

    def _true(self, u: np.ufunc, axis: Any, keepdims: bool) -> Followed:
        x = self.astype(bool)
        return x._reduced(u, axis, keepdims=keepdims) if x.ndim else x

    def max(self, axis: Any = None, **options: Any) -> Any:
        return self._reduced(np.maximum, axis, **options)

    def min(self, axis: Any = None, **options: Any) -> Any:
        return self._reduced(np.minimum, axis, **options)

    def squeeze(self, axis: Any = None) -> Any:
        value = self.value.squeeze(axis)
        axes = range(self.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
        out = {int(k) % self.ndim for k in axes} if self.ndim else set()
        key = tuple(0 if k in out and n == 1 else slice(None) for k, n in enumerate(self.shape))
        return self._notes.add("view", key, [self], value)

    def sum(self, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
        return self._reduced(np.add, axis, dtype, keepdims)


class _Flat:
    """The elements in order, of which the first one is asked for."""

    def __init__(self, x: Followed) -> None:
        self.x = x

    def __getitem__(self, k: int) -> Followed:
        if k != 0:
            raise NotFollowed("flat")
        return self.x[(0,) * self.x.ndim]


def _value_of(x: Any) -> Any:
    return x.value if isinstance(x, Followed) else x


def _where(notes: Notes, condition: Any, *given: Any) -> Followed:
    if len(given) != 2:
        raise NotFollowed("where")
    value = np.where(*map(_value_of, (condition, *given)))
    return notes.add("where", None, [condition, *given], value)


def _like(number: Any) -> Callable[..., Any]:
    """`zeros_like` and `ones_like`: one number that stands everywhere."""

    def like(_: Notes, x: Any, dtype: Any = None) -> Any:
        return np.full_like(x.value, number, dtype)

    return like


def _method(name: str) -> Callable[..., Any]:
    return lambda _, x, *args, **kwargs: getattr(x, name)(*args, **kwargs)


def _of_values(f: Callable[..., Any]) -> Callable[..., Any]:
    """What is asked of shapes and dtypes alone."""
    return lambda _, *given: f(*map(_value_of, given))


def _difference(_: Notes, x: Any, n: int = 1, axis: int = -1) -> Any:
    ahead = (slice(None),) * (axis % x.ndim)
    for _k in range(n):
        x = x[(*ahead, slice(1, None))] - x[(*ahead, slice(None, -1))]
    return x


def _without_nan(u: np.ufunc) -> Callable[..., Any]:
    return lambda _, x, axis=None, keepdims=False: u.reduce(x, axis=axis, keepdims=keepdims)


def _swapped(notes: Notes, x: Any, one: int, other: int) -> Followed:
    return notes.add("swap", (one, other), [x], np.swapaxes(x.value, one, other))


def _sums_of_squares(_: Notes, subscripts: str, x: Any, y: Any) -> Any:
    """That of each matrix, which is asked for its size alone: NumPy adds in another order here."""
    if subscripts != "...ij,...ij->..." or x is not y:
        raise NotFollowed(subscripts)
    return (x * x).sum(axis=(-2, -1))


def _of_matrices(f: Any, name: str) -> Callable[..., Any]:
    """A function of linear algebra, whose loop over matrices gives NaN where it fails."""

    def found(notes: Notes, *given: Any) -> Any:
        vector = f is np.linalg.solve and given[1].ndim == 1
        ufunc = getattr(np.linalg._umath_linalg, f"{name}1" if vector else name)
        kind = given[0].dtype
        if kind.char not in "fdFD" or any(x.dtype != kind for x in given):
            raise NotFollowed("numbers of several kinds")
        wide = [x.astype(np.result_type(kind, float)) for x in given]  # in which NumPy computes
        y = notes.add("core", ufunc, wide, f(*map(_value_of, wide)))
        if not np.isfinite(y).all():
            raise NotFollowed("no solution")
        return y.astype(kind)

    return found


LINEAR = {np.linalg.solve: "solve", np.linalg.inv: "inv", np.linalg.det: "det", np.linalg.cholesky: "cholesky_lo"}
EXTREMES = frozenset({np.maximum, np.minimum, np.fmax, np.fmin})
FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.where: _where, np.zeros_like: _like(0), np.ones_like: _like(1), np.diff: _difference,
    np.nanmax: _without_nan(np.fmax), np.nanmin: _without_nan(np.fmin),
    np.swapaxes: _swapped, np.einsum: _sums_of_squares, **{f: _of_matrices(f, name) for f, name in LINEAR.items()},
    **{f: _method(f.__name__) for f in (np.any, np.all, np.max, np.min, np.sum, np.squeeze)},
    **{f: _of_values(f) for f in (np.shape, np.ndim, np.size, np.result_type, np.iscomplexobj)},
}  # fmt: skip
