"""Points and vectors: distance, angle, Hadamard product, projection.

A vector lies along the last axis; leading axes are a batch and broadcast. Every function is made of
registered ops, so both modes and every order of derivative hold.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.errors import ArgumentError, ShapeError, ZeroVector, describe
from ..core.tensor import Tensor, as_tensor, rec
from ..linalg.objects import known, real_array, tolerance

__all__ = [
    "angle",
    "column",
    "distance",
    "hadamard",
    "is_orthogonal",
    "project",
    "projector",
    "reject",
    "row",
    "scalar_projection",
    "unit",
]


@named
def row(x: Any) -> Tensor:
    """The vector x as a row, a matrix of shape (1, n).

    Arguments: x, a number or a vector. Raises ShapeError for a matrix.

    >>> import tinygrad_math as tm
    >>> tm.geometry.row([1.0, 2.0]).shape
    (1, 2)
    """
    return _flat(x, "row").reshape((1, -1))


@named
def column(x: Any) -> Tensor:
    """The vector x as a column, a matrix of shape (m, 1).

    Arguments: x, a number or a vector. Raises ShapeError for a matrix.

    >>> import tinygrad_math as tm
    >>> tm.geometry.column([1.0, 2.0]).shape
    (2, 1)
    """
    return _flat(x, "column").reshape((-1, 1))


@named
def distance(p: Any, q: Any = 0.0, ord: float = 2) -> Tensor:
    """The distance of two points, ‖p - q‖; from the origin if q is left out.

    Arguments: p, q points of shape (..., n), or numbers, which are points on a line; `ord` the norm: 2, 1,
    `inf` or any p >= 1. Returns shape (...). The derivative in p is (p - q) / ‖p - q‖ for ord=2, and 0 where the
    points coincide.

    >>> import tinygrad_math as tm
    >>> tm.geometry.distance([1.0, 2.0], [4.0, 6.0])
    tensor(5.)
    """
    a, b = _pair(p, q, "distance")
    return rec.vector_norm(a - b, axis=-1, ord=ord) if max(a.ndim, b.ndim) else rec.abs(a - b)


@named
def unit(a: Any) -> Tensor:
    """The unit vector along a, a/‖a‖; the scale of a does not matter, 1e-200 and 1e200 are as good as 1.

    Arguments: a of shape (..., n). Raises ZeroVector at 0, which has no direction.
    The derivative is (I - u u')/‖a‖ for u = unit(a).

    >>> import tinygrad_math as tm
    >>> tm.geometry.unit([3.0, 4.0])
    tensor([0.6, 0.8])
    """
    s = scaled(a, "unit")
    return s / rec.vector_norm(s, axis=-1, keepdims=True)


@named
def angle(a: Any, b: Any) -> Tensor:
    """The angle between two vectors, arccos(a·b/(‖a‖‖b‖)), from 0 to π, right also where arccos is not.

    Arguments: a, b of shape (..., n). Returns radians of shape (...). Raises ZeroVector if one is 0.
    The derivative in a is (u cos θ - v)/(‖a‖ sin θ) with the unit vectors u and v; 0 where they are parallel.
    Source: W. Kahan, "How futile are mindless assessments of roundoff", 2006, §12: 2 atan2(‖‖a‖b - ‖b‖a‖,
    ‖‖a‖b + ‖b‖a‖). Written in b - a and b + a, of which one is exact for nearly parallel vectors.

    >>> import tinygrad_math as tm
    >>> round(tm.geometry.angle([1.0, 0.0], [1.0, 1e-9]).item() * 1e9, 12)
    1.0
    """
    _pair(a, b, "angle")
    a, b = scaled(a, "angle"), scaled(b, "angle")
    minus, plus = b - a, b + a
    length = rec.vector_norm(a, axis=-1, keepdims=True)
    longer = rec.sum(minus * plus, axis=-1, keepdims=True) / (length + rec.vector_norm(b, axis=-1, keepdims=True))
    # ‖a‖b - ‖b‖a = ‖a‖(b - a) - (‖b‖ - ‖a‖)a, and likewise with plus; `longer` is ‖b‖ - ‖a‖
    across = rec.vector_norm(length * minus - longer * a, axis=-1)
    along = rec.vector_norm(length * plus + longer * a, axis=-1)
    return 2.0 * rec.arctan2(across, along)


@named
def is_orthogonal(a: Any, b: Any, rtol: float | None = None) -> Tensor:
    """Whether a·b = 0 within rounding: |a·b| <= rtol ‖a‖‖b‖. The zero vector is orthogonal to every one.

    Arguments: a, b of shape (..., n); `rtol` by default eps^(2/3), 4e-11 in float64. Returns bool of shape (...).

    >>> import tinygrad_math as tm
    >>> tm.geometry.is_orthogonal([1.0, 2.0], [-2.0, 1.0])
    tensor(True)
    """
    a, b = _pair(a, b, "is_orthogonal")
    product = rec.sum(a * b, axis=-1)
    size = rec.vector_norm(a, axis=-1) * rec.vector_norm(b, axis=-1)
    return rec.abs(product) <= tolerance(product.dtype, rtol) * size


@named
def hadamard(*xs: Any) -> Tensor:
    """The Hadamard product x1 ∘ x2 ∘ ..., element by element, of arrays of one and the same shape.

    Raises ShapeError if the shapes differ (`*` broadcasts, this does not), ArgumentError without arguments.
    The derivative in x_k is the product of the others.

    >>> import tinygrad_math as tm
    >>> tm.geometry.hadamard([[3, 5, 7], [4, 9, 8]], [[1, 6, 3], [0, 2, 9]]).tolist()
    [[3, 30, 21], [0, 18, 72]]
    """
    if not xs:
        raise ArgumentError("hadamard() needs at least one array")
    factors = [as_tensor(x) for x in xs]
    if len({f.shape for f in factors}) > 1:
        raise ShapeError(
            f"hadamard({', '.join(map(describe, factors))}): the order of all factors must agree; "
            "use * if broadcasting is meant"
        )
    product = factors[0]
    for f in factors[1:]:
        product = product * f
    return product


@named
def scalar_projection(a: Any, b: Any) -> Tensor:
    """The length of a's shadow on b, with its sign: a·b/‖b‖ = ‖a‖ cos θ.

    Arguments: a, b of shape (..., n). Raises ZeroVector if b is 0.

    >>> import tinygrad_math as tm
    >>> tm.geometry.scalar_projection([2.0, 2.0], [5.0, 0.0])
    tensor(2.)
    """
    a, _ = _pair(a, b, "scalar_projection")
    s = scaled(b, "scalar_projection")
    return rec.sum(a * s, axis=-1) / rec.vector_norm(s, axis=-1)


@named
def project(a: Any, b: Any) -> Tensor:
    """The projection of a onto the line along b: (a·b / b·b) b.

    Arguments: a, b of shape (..., n). Raises ZeroVector if b is 0. The derivative in a is bb'/b'b.
    Onto a subspace: `projector(A) @ a`, or `Subspace(A).project(a)`.

    >>> import tinygrad_math as tm
    >>> tm.geometry.project([2.0, 2.0], [1.0, 0.0])
    tensor([2., 0.])
    """
    a, _ = _pair(a, b, "project")
    s = scaled(b, "project")
    return rec.sum(a * s, axis=-1, keepdims=True) / rec.sum(s * s, axis=-1, keepdims=True) * s


@named
def reject(a: Any, b: Any) -> Tensor:
    """What the projection of a onto b leaves over, orthogonal to b: a - project(a, b).

    >>> import tinygrad_math as tm
    >>> tm.geometry.reject([2.0, 2.0], [1.0, 0.0])
    tensor([0., 2.])
    """
    return real_array(a, "reject") - project(a, b)


@named
def projector(a: Any) -> Tensor:
    """The matrix that projects onto the span of A's columns: P = A A⁺, with P² = P = P'.

    Arguments: A of shape (m, n), or (m,) for one column. Returns shape (m, m). The columns may be dependent.
    The derivative along dA is Q dA A⁺ + (Q dA A⁺)' with Q = I - P, where the rank stays. Golub and Pereyra 1973.

    >>> import tinygrad_math as tm
    >>> (tm.geometry.projector([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]) @ [2.0, 2.0, 2.0]).round(12)
    tensor([2., 2., 0.])
    """
    a = real_array(a, "projector")
    a = column(a) if a.ndim < 2 else a
    p = rec.matmul(a, rec.pinv(a))
    return 0.5 * (p + p.mT)


def _flat(x: Any, asker: str) -> Tensor:
    t = as_tensor(x)
    if t.ndim > 1:
        raise ShapeError(f"{asker} is made of a vector, got {describe(t)}; use reshape or .mT on a matrix")
    return t


def _pair(a: Any, b: Any, asker: str) -> tuple[Tensor, Tensor]:
    """Two vectors of the same space; a number stands for a vector with that number everywhere."""
    a, b = real_array(a, asker), real_array(b, asker)
    if a.ndim and b.ndim and a.shape[-1] != b.shape[-1]:
        raise ShapeError(
            f"{asker}({describe(a)}, {describe(b)}): vectors of {a.shape[-1]} and {b.shape[-1]} components; "
            "the last axes must agree"
        )
    return a, b


def scaled(a: Any, asker: str) -> Tensor:
    """a times a power of two that brings its largest component near 1: exact, and a constant for derivatives.

    For functions of a's direction alone; they then neither overflow nor underflow.
    """
    a = real_array(a, asker)
    if not a.ndim:
        raise ShapeError(f"{asker} needs a vector, got the number {a!r}")
    value = known(a)
    if value is not None and (value.shape[-1] == 0 or not np.all(np.any(value, axis=-1))):
        raise ZeroVector(f"{asker}: the zero vector {describe(a)} has no direction; keep vectors away from 0")
    limit = np.finfo(a.dtype).maxexp - 2
    exponent = rec.floor(rec.log2(rec.max(rec.abs(rec.stop_gradient(a)), axis=-1, keepdims=True)))
    return a * rec.exp2(rec.clip(-exponent, -limit, limit))
