"""Matrix products, and contractions of arrays of any rank."""

from __future__ import annotations

from math import prod
from operator import index as as_int
from typing import Any

import numpy as np

from ..core.declare import bilinear, derived, general
from ..core.errors import AxisError, ShapeError, describe
from ..core.samples import complexes, real, sample
from ..core.tensor import Tensor, as_tensor, rec

__all__ = [
    "cross",
    "dot",
    "inner",
    "kron",
    "matmul",
    "matvec",
    "outer",
    "tensordot",
    "vdot",
    "vecdot",
    "vecmat",
]


# -- matmul -------------------------------------------------------------------------------------------
matmul = general(
    arity=2,
    latex="{0} {1}",
    shape="(..., n, k), (..., k, m) -> (..., n, m)",
    holomorphic=True,
    samples=lambda: [
        sample(real(2, 3), real(3, 4)),
        sample(real(3), real(3, key=1)),
        sample(real(2, 3), real(3)),
        sample(real(3), real(3, 2)),
        sample(real(5, 2, 3), real(3, 2)),
        sample(real(2, 2, 2, 3), real(3, 2)),
        sample(real(2, 3), real(4, 3, 2)),
        sample(real(3), real(4, 3, 2)),
        sample(real(4, 2, 3), real(3)),
        sample(real(1, 2, 3), real(5, 3, 2)),
        sample(real(4, 1, 2, 3), real(5, 3, 2)),
        sample(real(0, 3), real(3, 2)),
        sample(real(2, 0), real(0, 3)),
        sample(real(0, 2, 3), real(3, 2)),
        sample(real(1, 1), real(1, 1, key=1)),
        sample(complexes(2, 3), complexes(3, 2, key=1)),
        sample(complexes(2, 3), real(3)),
        sample(real(4, 2, 3), complexes(3, 2)),
    ],
    doc="""The matrix product of the last two axes, over the broadcast of the others; vectors as rows and columns.

    Arguments: `x1` (..., n, k) or (k,), `x2` (..., k, m) or (k,). Raises ShapeError if the ks differ. The
    cotangents are g b' and a' g.

    >>> import tinygrad_math as tm
    >>> tm.matmul(tm.tensor([[1.0, 2.0], [3.0, 4.0]]), [1.0, 1.0])
    tensor([3., 7.])
    """,
)(np.matmul)


@matmul.defvjp
def _(xp: Any, need: Any, g: Any, y: Any, a: Any, b: Any) -> Any:
    if y.dtype.kind == "c":
        a, b = xp.conj(a), xp.conj(b)
    if a.ndim == b.ndim == 2:
        return xp.times(g, b.T) if need[0] else None, xp.times(a.T, g) if need[1] else None
    ga = gb = None
    if b.ndim == 1:
        if a.ndim == 1:
            return g * b if need[0] else None, g * a if need[1] else None
        if need[0]:
            ga = xp.expand_dims(g, -1) * b
        if need[1]:
            gb = xp.reshape(g, (-1,)) @ _rows(xp, a)
    elif a.ndim == 1:
        if need[0]:  # all the columns of all matrices at once
            ga = _columns(xp, b) @ xp.reshape(g, (-1,))
        if need[1]:
            gb = xp.expand_dims(a, -1) * xp.expand_dims(g, -2)
    elif b.ndim == 2:  # one weight, many inputs: one product, not a batch of them and a sum
        if need[0]:
            ga = xp.reshape(_rows(xp, g) @ b.T, a.shape)
        if need[1]:
            gb = _rows(xp, a).T @ _rows(xp, g)
    else:
        if need[0]:
            ga = _columns(xp, g) @ _columns(xp, b).T if a.ndim == 2 else xp.matmul(g, xp.matrix_transpose(b))
        if need[1]:
            gb = xp.matmul(xp.matrix_transpose(a), g)
    return ga, gb


def _rows(xp: Any, x: Any) -> Any:
    """A batch of matrices (..., n, m) as one of (... n, m): the batch axes joined to the rows."""
    return xp.reshape(x, (prod(x.shape[:-1]), x.shape[-1]))


def _columns(xp: Any, x: Any) -> Any:
    """A batch of matrices (..., n, m) as one of (n, ... m): the batch axes joined to the columns."""
    if x.ndim == 2:
        return x
    n, m = x.shape[-2:]
    batch = prod(x.shape[:-2])
    last = x.ndim - 2
    return xp.reshape(xp.transpose(x, (last, *range(last), last + 1)), (n, batch * m))


@matmul.defjvp
def _(xp: Any, ts: Any, y: Any, a: Any, b: Any) -> Any:
    ta, tb = ts
    if tb is None:
        return xp.matmul(ta, b)
    return xp.matmul(a, tb) if ta is None else xp.matmul(ta, b) + xp.matmul(a, tb)


# -- products of any rank -----------------------------------------------------------------------------
@derived
def dot(a: Any, b: Any, /) -> Any:
    """NumPy's dot: vectors to a number, matrices to their product, higher ranks over a's last and b's second last axis.

    Raises ShapeError if these lengths differ. The gradient of a'b is b in a and a in b.

    >>> import tinygrad_math as tm
    >>> tm.dot([1.0, 7.0, 8.0], tm.tensor([3.0, 4.0, 7.0]))
    tensor(87.)
    """
    a, b = as_tensor(a), as_tensor(b)
    if not a.ndim or not b.ndim:
        return rec.multiply(a, b)
    if b.ndim <= 2:
        return rec.matmul(a, b)
    return rec.tensordot(a, b, axes=((-1,), (-2,)))


@derived
def inner(a: Any, b: Any, /) -> Any:
    """The products of the last axes: of vectors a number, else a's other axes and then b's.

    Raises ShapeError if their lengths differ. The cotangents are those of the matrix product a b'.

    >>> import tinygrad_math as tm
    >>> tm.inner(tm.tensor([1.0, 2.0]), [3.0, 4.0])
    tensor(11.)
    """
    a, b = as_tensor(a), as_tensor(b)
    if not a.ndim or not b.ndim:
        return rec.multiply(a, b)
    return rec.matmul(a, b) if a.ndim == b.ndim == 1 else rec.tensordot(a, b, axes=((-1,), (-1,)))


@derived
def vdot(a: Any, b: Any, /) -> Any:
    """The sum of conj(a) b over all elements.

    Raises ShapeError if they differ in number. The cotangents are b conj(g) and a g.

    >>> import tinygrad_math as tm
    >>> tm.vdot(tm.tensor([1j, 1.0]), [1j, 2.0])
    tensor(3.+0.j, dtype=complex128)
    """
    a, b = rec.reshape(a, (-1,)), rec.reshape(b, (-1,))
    return rec.matmul(rec.conj(a) if a.dtype.kind == "c" else a, b)


@derived
def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """The sum of conj(x1) x2 along an axis, over the broadcast of the others.

    Arguments: `axis` of both, counted from the end if they have different ranks. Raises ShapeError. The
    cotangents are x2 conj(g) and x1 g along the axis.

    >>> import tinygrad_math as tm
    >>> tm.vecdot(tm.tensor([[1.0, 2.0], [3.0, 4.0]]), [1.0, 1.0])
    tensor([3., 7.])
    """
    a, b = as_tensor(x1), as_tensor(x2)
    for x in (a, b):
        if not -x.ndim <= axis < x.ndim:
            raise AxisError(f"vecdot({describe(a)}, {describe(b)}): {describe(x)} has no axis {axis}")
    if a.shape[axis] != b.shape[axis]:
        raise ShapeError(
            f"vecdot({describe(a)}, {describe(b)}, axis={axis}): lengths {a.shape[axis]} and {b.shape[axis]} differ"
        )
    if a.dtype.kind == "c":
        a = rec.conj(a)
    if a.ndim == b.ndim == 1:
        return rec.matmul(a, b)
    if axis < 0:
        return _summed(a * b, axis)
    return _summed(rec.moveaxis(a, axis, -1) * rec.moveaxis(b, axis, -1), -1)


@derived
def matvec(x1: Any, x2: Any, /) -> Any:
    """The product of matrices (..., m, n) with vectors (..., n). Derivative: that of matmul.

    >>> import tinygrad_math as tm
    >>> tm.matvec([[0.0, 3.0], [2.0, 1.0]], [2.0, 1.0])
    tensor([3., 5.])
    """
    x1 = as_tensor(x1)
    if x1.ndim < 2:
        raise ShapeError(f"matvec: a matrix (..., m, n) and a vector (..., n), got {describe(x1)} for the matrix")
    return rec.matmul(x1, as_tensor(x2)[..., None])[..., 0]


@derived
def vecmat(x1: Any, x2: Any, /) -> Any:
    """The product of vectors (..., m), conjugated, with matrices (..., m, n). Derivative: that of matmul.

    >>> import tinygrad_math as tm
    >>> tm.vecmat([2.0, 1.0], [[0.0, 3.0], [2.0, 1.0]])
    tensor([2., 7.])
    """
    return rec.matmul(rec.conj(as_tensor(x1))[..., None, :], as_tensor(x2))[..., 0, :]


def _summed(x: Any, axis: int) -> Any:
    return rec.sum(x, axis=axis, dtype=x.dtype)


@derived
def outer(a: Any, b: Any, /) -> Any:
    """The matrix of all products of an element of a and one of b, both flattened.

    The cotangents are g b and g' a.

    >>> import tinygrad_math as tm
    >>> tm.outer(tm.tensor([1.0, 2.0]), [3.0, 4.0])
    tensor([[3., 4.],
            [6., 8.]])
    """
    return rec.multiply(rec.reshape(a, (-1, 1)), rec.reshape(b, (1, -1)))


@derived
def kron(a: Any, b: Any, /) -> Any:
    """The Kronecker product: every element of a times all of b, laid out in blocks.

    The cotangent of an element of a is the sum of its block of g times b.

    >>> import tinygrad_math as tm
    >>> tm.kron(tm.tensor([1.0, 2.0]), [1.0, 10.0])
    tensor([ 1., 10.,  2., 20.])
    """
    a, b = as_tensor(a), as_tensor(b)
    ndim = max(a.ndim, b.ndim)
    sa, sb = (1,) * (ndim - a.ndim) + a.shape, (1,) * (ndim - b.ndim) + b.shape
    blocks = rec.multiply(
        rec.reshape(a, tuple(size for n in sa for size in (n, 1))),
        rec.reshape(b, tuple(size for n in sb for size in (1, n))),
    )
    return rec.reshape(blocks, tuple(m * n for m, n in zip(sa, sb, strict=True)))


@derived
def tensordot(x1: Any, x2: Any, /, axes: Any = 2) -> Any:
    """The sum of products over some axes of both: a matrix product, once they are arranged.

    Arguments: `axes` n for the last n axes of x1 and the first n of x2, or a pair of axes or tuples of axes.
    Returns x1's other axes and then x2's. Raises ShapeError, AxisError. The cotangents are those of the matrix
    product that it is: g b' and a' g.

    >>> import tinygrad_math as tm
    >>> tm.tensordot(tm.ones((2, 3, 4)), tm.ones((4, 3, 5)), axes=((1, 2), (1, 0))).shape
    (2, 5)
    """
    a, b = as_tensor(x1), as_tensor(x2)
    if hasattr(axes, "__index__"):
        n = as_int(axes)
        if not 0 <= n <= min(a.ndim, b.ndim):
            raise AxisError(f"tensordot({describe(a)}, {describe(b)}, axes={n}): an array has fewer axes than that")
        mine, yours = list(range(a.ndim - n, a.ndim)), list(range(n))
    else:
        mine, yours = (_positions(given, x) for given, x in zip(axes, (a, b), strict=True))
    if [a.shape[k] for k in mine] != [b.shape[k] for k in yours]:
        raise ShapeError(
            f"tensordot({describe(a)}, {describe(b)}, axes={axes}): the axes to sum over have sizes "
            f"{[a.shape[k] for k in mine]} and {[b.shape[k] for k in yours]}; they must agree"
        )
    left = [k for k in range(a.ndim) if k not in mine]
    right = [k for k in range(b.ndim) if k not in yours]
    summed = prod(a.shape[k] for k in mine)
    rows, columns = [a.shape[k] for k in left], [b.shape[k] for k in right]
    m, n = prod(rows), prod(columns)
    product = rec.matmul(
        rec.reshape(_arranged(a, left + mine), (m, summed)), rec.reshape(_arranged(b, yours + right), (summed, n))
    )
    return rec.reshape(product, (*rows, *columns))


def _positions(axes: Any, x: Tensor) -> list[int]:
    given = [as_int(axes)] if hasattr(axes, "__index__") else [as_int(k) for k in axes]
    if any(not -x.ndim <= k < x.ndim for k in given):
        raise AxisError(f"tensordot: {describe(x)} has no axes {tuple(given)}")
    out = [k % x.ndim for k in given]
    if len(set(out)) < len(out):
        raise AxisError(f"tensordot: axes {tuple(given)} of {describe(x)} name an axis twice")
    return out


def _arranged(x: Tensor, order: list[int]) -> Any:
    return x if order == list(range(x.ndim)) else rec.transpose(x, tuple(order))


# -- cross --------------------------------------------------------------------------------------------
@bilinear(
    lambda xp, g, a, b, axis: xp.cross3(b, g, axis=axis),
    lambda xp, g, a, b, axis: xp.cross3(g, a, axis=axis),
    latex=r"{0} \times {1}",
    shape="broadcast of the arguments",
    samples=lambda: [
        sample(real(3), real(3, key=1)),
        sample(real(2, 3), real(3)),
        sample(real(3, 2), real(3, 2, key=1), axis=-2),
        sample(real(0, 3), real(1, 3)),
        sample(complexes(3), complexes(3, key=1)),
        sample(complexes(3), real(3)),
    ],
)
def cross3(a: Any, b: Any, /, axis: int = -1) -> Any:
    """The cross product of vectors of three; by the cyclic rule both cotangents are cross products too."""
    # NumPy's own copies the arguments, and broadcast ones into an order that its loops take five times as long for
    (a0, a1, a2), (b0, b1, b2) = np.moveaxis(a, axis, 0), np.moveaxis(b, axis, 0)
    return np.stack([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0], axis)


@derived
def cross(x1: Any, x2: Any, /, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """The cross product of vectors of three, or of two as if they lay in a plane.

    Arguments: vectors along `axis` (or `axisa` and `axisb`), the other axes broadcast; the result's along
    `axisc`. Of two vectors of two only the third component is returned. Raises ShapeError. The cotangents are
    b x g and g x a.

    >>> import tinygrad_math as tm
    >>> tm.cross(tm.tensor([1.0, 0.0, 0.0]), [0.0, 1.0, 0.0])
    tensor([0., 0., 1.])
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = rec.moveaxis(x1, axisa, -1), rec.moveaxis(x2, axisb, -1)
    if a.shape[-1] not in (2, 3) or b.shape[-1] not in (2, 3):
        raise ShapeError(f"cross({describe(a)}, {describe(b)}): vectors have 2 or 3 elements")
    if a.shape[-1] == b.shape[-1] == 2:
        return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    y = rec.cross3(_in_space(a), _in_space(b))
    return rec.moveaxis(y, -1, axisc)


def _in_space(x: Tensor) -> Any:
    return x if x.shape[-1] == 3 else rec.concat([x, rec.zeros_like(x[..., :1])], axis=-1)
