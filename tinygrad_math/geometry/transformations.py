"""Matrices as maps of the plane and of space, differentiable in what they are made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.errors import ArgumentError, ShapeError, describe
from ..core.tensor import Tensor, as_tensor, rec
from ..linalg.objects import MathObject, known, number_text, parameter, real_array, vector_text
from .vectors import column, scaled

__all__ = [
    "ColumnView",
    "column_view",
    "projection",
    "reflection",
    "rotation",
    "rotation_x",
    "rotation_y",
    "rotation_z",
    "shear",
    "squeeze",
    "stretch",
]


@named
def stretch(factors: Any) -> Tensor:
    """diag(factors): stretches each axis by its own factor.

    Arguments: factors of shape (..., n). Returns shape (..., n, n).

    >>> import tinygrad_math as tm
    >>> tm.geometry.stretch([5.0, 5.0]) @ [1.0, 1.0]
    tensor([5., 5.])
    """
    f = real_array(factors, "stretch")
    if not f.ndim:
        raise ShapeError(f"stretch needs one factor an axis, got the number {f!r}; write stretch([k, k]) in the plane")
    return rec.expand_dims(f, -1) * np.eye(f.shape[-1], dtype=f.dtype)


@named
def rotation(theta: Any) -> Tensor:
    """[[cos θ, -sin θ], [sin θ, cos θ]]: turns the plane by θ against the clock.

    Arguments: theta in radians, of any shape. Returns shape (..., 2, 2); R'R = I, det R = 1.
    The derivative in θ is the rotation by θ + 90°.

    >>> import tinygrad_math as tm
    >>> (tm.geometry.rotation(tm.pi / 2) @ [1.0, 1.0]).round(12)
    tensor([-1.,  1.])
    """
    t = real_array(theta, "rotation")
    c, s = rec.cos(t), rec.sin(t)
    return _matrix([[c, -s], [s, c]])


@named
def rotation_x(theta: Any) -> Tensor:
    """The rotation of space about the first axis by θ; of shape (..., 3, 3).

    >>> import tinygrad_math as tm
    >>> (tm.geometry.rotation_x(tm.pi / 2) @ [0.0, 1.0, 0.0]).round(12)
    tensor([0., 0., 1.])
    """
    t = real_array(theta, "rotation_x")
    c, s, o, i = rec.cos(t), rec.sin(t), 0.0 * t, 0.0 * t + 1.0
    return _matrix([[i, o, o], [o, c, -s], [o, s, c]])


@named
def rotation_y(theta: Any) -> Tensor:
    """The rotation of space about the second axis by θ; of shape (..., 3, 3).

    >>> import tinygrad_math as tm
    >>> (tm.geometry.rotation_y(tm.pi / 2) @ [0.0, 0.0, 1.0]).round(12)
    tensor([1., 0., 0.])
    """
    t = real_array(theta, "rotation_y")
    c, s, o, i = rec.cos(t), rec.sin(t), 0.0 * t, 0.0 * t + 1.0
    return _matrix([[c, o, s], [o, i, o], [-s, o, c]])


@named
def rotation_z(theta: Any) -> Tensor:
    """The rotation of space about the third axis by θ; of shape (..., 3, 3).

    >>> import tinygrad_math as tm
    >>> (tm.geometry.rotation_z(tm.pi / 2) @ [1.0, 0.0, 0.0]).round(12)
    tensor([0., 1., 0.])
    """
    t = real_array(theta, "rotation_z")
    c, s, o, i = rec.cos(t), rec.sin(t), 0.0 * t, 0.0 * t + 1.0
    return _matrix([[c, -s, o], [s, c, o], [o, o, i]])


@named
def reflection(normal: Any) -> Tensor:
    """I - 2nn'/n'n: the mirror image in the hyperplane through the origin with this normal.

    Arguments: normal of shape (..., n). Returns shape (..., n, n). Raises ZeroVector for 0. (Householder 1958.)

    >>> import tinygrad_math as tm
    >>> tm.geometry.reflection([1.0, -1.0]) @ [1.0, 0.0]
    tensor([0., 1.])
    """
    p = projection(normal)
    return rec.subtract(np.eye(p.shape[-1], dtype=p.dtype), 2.0 * p)


@named
def projection(direction: Any) -> Tensor:
    """dd'/d'd: the projection onto the line along d.

    Arguments: direction of shape (..., n). Returns shape (..., n, n). Raises ZeroVector for 0.

    >>> import tinygrad_math as tm
    >>> tm.geometry.projection([1.0, 0.0]) @ [1.0, 1.0]
    tensor([1., 0.])
    """
    s = scaled(direction, "projection")
    return rec.expand_dims(s, -1) * rec.expand_dims(s / rec.sum(s * s, axis=-1, keepdims=True), -2)


@named
def shear(c: Any) -> Tensor:
    """[[1, c], [0, 1]]: (x, y) goes to (x + cy, y). Arguments: c of any shape.

    >>> import tinygrad_math as tm
    >>> tm.geometry.shear(2.0) @ [1.0, 1.0]
    tensor([3., 1.])
    """
    c = real_array(c, "shear")
    o, i = 0.0 * c, 0.0 * c + 1.0
    return _matrix([[i, c], [o, i]])


@named
def squeeze(k: Any) -> Tensor:
    """[[k, 0], [0, 1/k]]: stretches the first axis by k and shrinks the second, so that areas stay.

    >>> import tinygrad_math as tm
    >>> tm.geometry.squeeze(2.0) @ [1.0, 1.0]
    tensor([2. , 0.5])
    """
    k = real_array(k, "squeeze")
    value = known(k)
    if value is not None and not np.all(value):
        raise ArgumentError(f"squeeze({value.tolist()}): 1/k is infinite for k = 0")
    return _matrix([[k, 0.0 * k], [0.0 * k, 1.0 / k]])


@named
@dataclass(frozen=True, eq=False, repr=False)
class ColumnView(MathObject):
    """Ax as a sum of A's columns, each scaled by a component of x. Made by `column_view`."""

    matrix: Any
    coefficients: Any

    @property
    def columns(self) -> Tensor:
        """The columns of A, one a row of shape (n, m)."""
        return as_tensor(self.matrix).mT

    @property
    def terms(self) -> Tensor:
        """The scaled columns x_j a_j, one a row of shape (n, m)."""
        return self.columns * column(self.coefficients)

    @property
    def result(self) -> Tensor:
        """Their sum, Ax, of shape (m,)."""
        return rec.sum(self.terms, axis=0)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.asarray(self.result, dtype=dtype)

    def __repr__(self) -> str:
        a, x = known(as_tensor(self.matrix)), known(as_tensor(self.coefficients))
        if a is None or x is None:
            return f"ColumnView(matrix={self.matrix!r}, coefficients={self.coefficients!r})"
        scaled = " + ".join(f"{_factor(c)} {vector_text(v)}" for c, v in zip(x, a.T, strict=True))
        terms = " + ".join(vector_text(c * v) for c, v in zip(x, a.T, strict=True))
        return f"{scaled} = {terms} = {vector_text(a @ x)}"


@named
def column_view(a: Any, x: Any) -> ColumnView:
    """Ax seen as the combination of A's columns with the components of x.

    Arguments: A of shape (m, n), x of shape (n,). Returns an object with `.columns`, `.terms`, `.result`
    (differentiable in both), which prints the sum.

    >>> import tinygrad_math as tm
    >>> tm.geometry.column_view([[0, 3], [2, 1]], [2, 1])
    2 (0, 2) + 1 (3, 1) = (0, 4) + (3, 1) = (3, 5)
    """
    a, x = parameter(a, "column_view"), parameter(x, "column_view")
    if a.ndim != 2 or x.shape != a.shape[1:]:
        raise ShapeError(f"column_view({describe(a)}, {describe(x)}): a matrix (m, n) meets a vector (n,)")
    return ColumnView(a, x)


def _factor(c: Any) -> str:
    return number_text(c) if c >= 0 else f"({number_text(c)})"


def _matrix(rows: list[list[Any]]) -> Tensor:
    """A matrix of entries that may each be a batch."""
    return rec.stack([rec.stack(row, axis=-1) for row in rows], axis=-2)
