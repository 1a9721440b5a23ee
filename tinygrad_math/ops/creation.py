"""New arrays: from data, filled with a number; and conversion of dtypes.

`device` is there for the Array API: the only one is "cpu".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.arguments import as_flag, as_shape, named
from ..core.conversion import examined, node_of
from ..core.declare import derived, general, linear, nondiff
from ..core.errors import ArgumentError, DTypeError, ShapeError, describe, explain_failure, numeric_dtype
from ..core.node import unknown
from ..core.samples import complexes, real, sample
from ..core.tensor import Node, Tensor, as_tensor, rec, watching, wrap
from ..core.tree import flatten

__all__ = [
    "array",
    "asanyarray",
    "asarray",
    "astype",
    "copy",
    "empty",
    "empty_like",
    "eye",
    "from_dlpack",
    "fromfunction",
    "full",
    "full_like",
    "identity",
    "indices",
    "meshgrid",
    "ones",
    "ones_like",
    "tri",
    "tril_indices",
    "triu_indices",
    "zeros",
    "zeros_like",
]


def _on(device: Any) -> None:
    if device is not None and not (isinstance(device, str) and device == "cpu"):
        raise ArgumentError(f"device {device!r}: arrays live on 'cpu' only")


def _new(array: Any) -> Tensor:
    return wrap(Node(array))


def _made(maker: Callable[..., Any], *args: Any, dtype: Any) -> Tensor:
    """A new array of NumPy's `maker`, float64 if no dtype is given."""
    kind = numeric_dtype(float if dtype is None else dtype)
    try:
        return _new(maker(*args, dtype=kind))
    except (TypeError, ValueError, OverflowError) as error:
        for length in flatten(args)[0]:  # NumPy does not say what one of these had to say
            if isinstance(length, Tensor):
                length._refuse_trace(f"a length for {maker.__name__}")
        raise explain_failure(maker.__name__, args, {}, error) from error


_REALS = frozenset((np.float64, np.float32, np.float16))


# -- from data ----------------------------------------------------------------------------------------
@general(
    latex="{0}",
    shape="x.shape",
    samples=lambda: [
        sample(real(3), dtype=np.float64),
        sample(real(2), dtype=np.complex128),
        sample(complexes(2), dtype=np.complex128),
        sample(real(3), dtype=np.int64, smooth=False),
        sample(np.array([1, 2]), dtype=np.float64),
        sample(real(0, 2), dtype=np.float64, copy=False),
    ],
)
def astype(x: Any, /, dtype: Any, *, copy: bool = True, device: Any = None) -> Any:
    """x in another dtype.

    Arguments: `copy` False hands back the same array where the dtype is right already. Raises DTypeError for
    complex to real, which would lose the imaginary part: take real() or abs(). The cotangent is g in x's dtype,
    and zero for a dtype that is not floating.

    >>> import tinygrad_math as tm
    >>> tm.astype(tm.tensor([1.0, 2.0]), tm.float32)
    tensor([1., 2.], dtype=float32)
    """
    if (
        dtype.__class__ is type
        and dtype in _REALS
        and x.__class__ is np.ndarray
        and x.dtype.kind == "f"
        and device is None
    ):
        return x.astype(dtype, copy=copy)  # nearly always
    _on(device)
    source, target = np.asanyarray(x), numeric_dtype(dtype)
    if source.dtype.kind == "c" and target.kind not in "cb":
        raise TypeError(f"{source.dtype} to {target} would lose the imaginary part; take real() or abs()")
    return source.astype(target, copy=copy)


@astype.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, x: Any, **params: Any) -> Any:
    return (g if y.dtype.kind in "fc" else None,)


@astype.defjvp
def _(xp: Any, ts: Any, y: Any, x: Any, dtype: Any, **params: Any) -> Any:
    return xp.astype(ts[0], dtype) if y.dtype.kind in "fc" else None


@linear(lambda xp, g, x: g, latex="{0}", shape="x.shape", samples=lambda: [sample(real(2, 3)), sample(real())])
def copy(x: Any, /) -> Any:
    """The same values in memory of their own.

    >>> import tinygrad_math as tm
    >>> tm.copy([1.0, 2.0])
    tensor([1., 2.])
    """
    return np.array(x)


@derived
def array(obj: Any, dtype: Any = None, *, copy: bool | None = True, ndmin: int = 0, device: Any = None) -> Tensor:
    """A Tensor of numbers, nested lists, arrays and Tensors, which may be mixed.

    Arguments: `obj`, copied unless `copy` is None or False; `ndmin` puts axes of length 1 in front. Tensors in
    nested lists stay part of the graph: the cotangent of each is its part of g. Raises DTypeError for text and
    ragged lists.

    >>> import tinygrad_math as tm
    >>> tm.grad(lambda x: tm.array([[x, 1.0], [2.0, x * x]]).sum())(3.0)
    tensor(7.)
    """
    x = rec.asarray(obj, dtype=dtype, copy=copy, device=device)
    return rec.reshape(x, (1,) * (ndmin - x.ndim) + x.shape) if x.ndim < ndmin else x  # type: ignore[no-any-return]


@derived
def asarray(obj: Any, /, dtype: Any = None, *, copy: bool | None = None, device: Any = None) -> Tensor:
    """A Tensor of anything numeric; a Tensor of the right dtype is returned as it is.

    Arguments: `copy` True or None copies an array, so that what the caller does to it changes nothing; False shares
    its memory, which is watched (a derivative that needs an overwritten value raises ChangedAfterUse), and raises
    ShapeError where a copy would be needed. A Tensor is copied for True only.

    >>> import tinygrad_math as tm
    >>> tm.asarray([1, 2], dtype=tm.float32)
    tensor([1., 2.], dtype=float32)
    """
    _on(device)
    copy = None if copy is None else as_flag(copy, "asarray: copy")
    if copy is False and isinstance(obj, (list, tuple, int, float, complex)):
        raise ShapeError(f"asarray: {describe(obj)} is no array yet, and copy=False forbids making one")
    if isinstance(obj, (list, tuple)):
        common = _common_dtype(obj)
        if common is None and dtype is not None and numeric_dtype(dtype).kind in "iu":
            return _new(_numeric(obj, dtype))  # at once: large integers would lose digits on a way through float64
        dtype = common if dtype is None else dtype
    shares = copy is False and not isinstance(obj, Tensor)
    if shares and isinstance(obj, np.ndarray) and not obj.dtype.isnative:
        raise ShapeError(
            f"asarray: {describe(obj)} to the machine's byte order needs a copy, and copy=False forbids it"
        )
    x = watching(np.asarray(node_of(obj).data)) if shares else as_tensor(obj)
    if not hasattr(x.node.data, "dtype"):
        array = _numeric(x.node.data, dtype)
        return rec.astype(x, array.dtype) if unknown(x.node) else _new(array)
    if dtype is not None and x.dtype != numeric_dtype(dtype):
        if copy is False:
            raise ShapeError(f"asarray: {describe(x)} to {np.dtype(dtype)} needs a copy, and copy=False forbids it")
        return rec.astype(x, dtype)  # type: ignore[no-any-return]
    return rec.copy(x) if copy and x is obj else x


asanyarray = asarray  # there are no subclasses to keep


def _common_dtype(nested: Any) -> Any:
    """The dtype of lists with Tensors in them, beside which Python numbers are weak; None for lists without."""
    leaves, stack, mixed = [], [nested], False
    examined(nested)  # raises for a list that holds itself
    while stack:
        part = stack.pop()
        if isinstance(part, (list, tuple)):
            stack.extend(part)
        else:
            mixed = mixed or isinstance(part, Tensor)
            known = isinstance(part, Tensor) and hasattr(part.node.data, "dtype")
            leaves.append(part.dtype if known else part.node.data if isinstance(part, Tensor) else part)
    return np.result_type(*leaves) if mixed else None


def _numeric(number: Any, dtype: Any) -> np.ndarray[Any, Any]:
    try:
        array = np.asarray(number, dtype=None if dtype is None else numeric_dtype(dtype))
    except (OverflowError, ValueError, TypeError) as error:
        raise DTypeError(f"{number!r:.60} does not fit {numeric_dtype(dtype)}: {error}") from error
    if array.dtype.kind not in "biufc":
        raise DTypeError(f"{number!r:.60} does not fit any integer dtype; write it as a float")
    return array


@derived
def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A Tensor of another library's array, by the DLPack protocol; on its memory for `copy=False`, as `asarray`.

    A view of PyTorch's whose negation is only a mark, such as `z.conj().imag`, is refused: DLPack leaves the mark out.

    >>> import numpy as np, tinygrad_math as tm
    >>> tm.from_dlpack(np.array([1.0, 2.0]))
    tensor([1., 2.])
    """
    _on(device)
    if isinstance(x, Tensor):
        return rec.copy(x) if copy else x
    if not hasattr(x, "__dlpack__"):
        raise DTypeError(f"from_dlpack takes an array with __dlpack__, got {describe(x)}; tensor() takes the others")
    if getattr(x, "is_neg", bool)():
        raise DTypeError(
            f"from_dlpack: {describe(x)} is a view with a mark that turns the sign of its numbers (is_neg()), "
            "and DLPack hands them over without the mark; pass x.resolve_neg()"
        )
    array = np.from_dlpack(x)
    return watching(array) if copy is False else _new(np.array(array))


@derived
def fromfunction(function: Callable[..., Any], shape: Any, *, dtype: Any = float, **kwargs: Any) -> Any:
    """`function` of the index arrays of a shape, one for each axis.

    >>> import tinygrad_math as tm
    >>> tm.fromfunction(lambda i, j: i + 10 * j, (2, 2))
    tensor([[ 0., 10.],
            [ 1., 11.]])
    """
    return function(*(_new(i) for i in np.indices(shape, dtype=dtype)), **kwargs)


# -- filled -------------------------------------------------------------------------------------------
@named
def zeros(shape: Any, dtype: Any = None, *, device: Any = None) -> Tensor:
    """Zeros of a shape, float64 if no dtype is given.

    >>> import tinygrad_math as tm
    >>> tm.zeros(2)
    tensor([0., 0.])
    """
    _on(device)
    return _made(np.zeros, shape, dtype=dtype)


@named
def ones(shape: Any, dtype: Any = None, *, device: Any = None) -> Tensor:
    """Ones of a shape, float64 if no dtype is given.

    >>> import tinygrad_math as tm
    >>> tm.ones(2)
    tensor([1., 1.])
    """
    _on(device)
    return _made(np.ones, shape, dtype=dtype)


@named
def empty(shape: Any, dtype: Any = None, *, device: Any = None) -> Tensor:
    """An array of a shape whose values nothing is said about; use zeros unless all of them are assigned.

    >>> import tinygrad_math as tm
    >>> tm.empty((2, 3)).shape
    (2, 3)
    """
    _on(device)
    return _made(np.empty, shape, dtype=dtype)


@derived
def full(shape: Any, fill_value: Any, dtype: Any = None, *, device: Any = None) -> Tensor:
    """A shape filled with a value, in whose dtype if none is given.

    The cotangent of the value is the sum of g.

    >>> import tinygrad_math as tm
    >>> tm.grad(lambda v: tm.full((2, 3), v).sum())(1.0)
    tensor(6.)
    """
    lengths, value = as_shape(shape, "full"), rec.asarray(fill_value, dtype=dtype, device=device)
    if not (value.node.live or unknown(value.node)):
        return _new(np.full(lengths, value.node.data))
    return rec.broadcast_to(value, lengths)  # type: ignore[no-any-return]


def _likes() -> list[Any]:
    return [sample(real(2, 3)), sample(real()), sample(real(0, 2), dtype=np.int8), sample(complexes(2), shape=(3, 1))]


@nondiff(samples=_likes)
def zeros_like(x: Any, /, dtype: Any = None, *, shape: Any = None, device: Any = None) -> Any:
    """Zeros of the shape and dtype of x, or of those given.

    >>> import tinygrad_math as tm
    >>> tm.zeros_like([1, 2])
    tensor([0, 0])
    """
    _on(device)
    return np.zeros_like(x, dtype=dtype, shape=shape)


@nondiff(samples=_likes)
def ones_like(x: Any, /, dtype: Any = None, *, shape: Any = None, device: Any = None) -> Any:
    """Ones of the shape and dtype of x, or of those given.

    >>> import tinygrad_math as tm
    >>> tm.ones_like([1, 2])
    tensor([1, 1])
    """
    _on(device)
    return np.ones_like(x, dtype=dtype, shape=shape)


@nondiff
def empty_like(x: Any, /, dtype: Any = None, *, shape: Any = None, device: Any = None) -> Any:
    """An array of the shape and dtype of x, or of those given, whose values nothing is said about.

    >>> import tinygrad_math as tm
    >>> tm.empty_like([1.0, 2.0]).shape
    (2,)
    """
    _on(device)
    return np.empty_like(x, dtype=dtype, shape=shape)


@derived
def full_like(x: Any, /, fill_value: Any, dtype: Any = None, *, shape: Any = None, device: Any = None) -> Tensor:
    """x's shape filled with a value, in x's dtype if none is given; differentiable in the value.

    >>> import tinygrad_math as tm
    >>> tm.full_like([1.0, 2.0], 7)
    tensor([7., 7.])
    """
    like = as_tensor(x)
    return rec.full(  # type: ignore[no-any-return]
        like.shape if shape is None else shape, fill_value, like.dtype if dtype is None else dtype, device=device
    )


@named
def eye(n_rows: int, n_cols: int | None = None, /, k: int = 0, dtype: Any = None, *, device: Any = None) -> Tensor:
    """Ones on the diagonal k and zeros elsewhere: the identity matrix.

    >>> import tinygrad_math as tm
    >>> tm.eye(2, 3, k=1)
    tensor([[0., 1., 0.],
            [0., 0., 1.]])
    """
    _on(device)
    return _made(np.eye, n_rows, n_cols, k, dtype=dtype)


@named
def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Ones at and below the k-th diagonal, zeros above.

    >>> import tinygrad_math as tm
    >>> tm.tri(2)
    tensor([[1., 0.],
            [1., 1.]])
    """
    return _made(np.tri, N, M, k, dtype=dtype)


@named
def identity(n: int, dtype: Any = None) -> Tensor:
    """The identity matrix with n rows.

    >>> import tinygrad_math as tm
    >>> tm.identity(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    return eye(n, dtype=dtype)


@named
def tril_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Tensor, Tensor]:
    """The row and column numbers of the lower triangle of an (n, m) matrix: `x[tm.tril_indices(n)]`.

    >>> import tinygrad_math as tm
    >>> tm.tril_indices(2)
    (tensor([0, 1, 1]), tensor([0, 0, 1]))
    """
    rows, columns = np.tril_indices(n, k, m)
    return _new(rows), _new(columns)


@named
def triu_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Tensor, Tensor]:
    """The row and column numbers of the upper triangle of an (n, m) matrix.

    >>> import tinygrad_math as tm
    >>> tm.triu_indices(2)
    (tensor([0, 0, 1]), tensor([0, 1, 1]))
    """
    rows, columns = np.triu_indices(n, k, m)
    return _new(rows), _new(columns)


@named
def indices(dimensions: Any, dtype: Any = int, sparse: bool = False) -> Any:
    """The index arrays of a shape, one for each axis, stacked; `sparse`: a tuple of them, of length 1 where constant.

    >>> import tinygrad_math as tm
    >>> tm.indices((2, 2))[1]
    tensor([[0, 1],
            [0, 1]])
    """
    return tuple(map(_new, np.indices(dimensions, dtype, True))) if sparse else _new(np.indices(dimensions, dtype))


@derived
def meshgrid(*arrays: Any, indexing: str = "xy", sparse: bool = False, copy: bool = True) -> Any:
    """Vectors spread to a grid: array k holds the k-th coordinate of every grid point.

    Arguments: `indexing` "xy" (the first vector runs along the second axis) or "ij"; `sparse` leaves axes of
    length 1 where nothing changes; `copy` is NumPy's and means nothing here. Returns a list. The cotangent of a
    vector is g summed over the other axes.

    >>> import tinygrad_math as tm
    >>> tm.meshgrid([1.0, 2.0], [3.0, 4.0])[0]
    tensor([[1., 2.],
            [1., 2.]])
    """
    if indexing not in ("xy", "ij"):
        raise ArgumentError(f"meshgrid: indexing is 'xy' or 'ij', got {indexing!r}")
    xs = [as_tensor(a) for a in arrays]
    if any(x.ndim > 1 for x in xs):
        raise ShapeError(f"meshgrid takes vectors, got {', '.join(map(describe, xs))}; flatten them")
    place = list(range(len(xs)))
    if indexing == "xy" and len(xs) > 1:
        place[:2] = 1, 0
    out = [rec.reshape(x, tuple(-1 if d == p else 1 for d in range(len(xs)))) for x, p in zip(xs, place, strict=True)]
    return out if sparse else rec.broadcast_arrays(*out)
