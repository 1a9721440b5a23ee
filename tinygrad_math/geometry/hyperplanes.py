"""Lines, planes and hyperplanes, w·x + w0 = 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.errors import ShapeError, ZeroVector, describe
from ..core.tensor import Tensor, as_tensor, rec
from ..linalg.objects import MathObject, known, number_text, parameter, real_array, tolerance

__all__ = ["Hyperplane"]


@named
@dataclass(frozen=True, eq=False, repr=False)
class Hyperplane(MathObject):
    """The points x with w·x + w0 = 0: a line in the plane, a plane in space, a hyperplane in R^n.

    Arguments: the normal w of shape (n,), the offset w0, a number. w0 = 0 passes through the origin.
    A tree of w and w0, so `grad` of a function of a Hyperplane gives a Hyperplane of gradients.
    Raises ZeroVector for w = 0, ShapeError for a w that is no vector.

    >>> import tinygrad_math as tm
    >>> line = tm.geometry.Hyperplane([3.0, 4.0], -5.0)
    >>> line
    Hyperplane(3 x1 + 4 x2 - 5 = 0)
    >>> line.distance([3.0, 4.0])
    tensor(4.)
    >>> tm.grad(lambda plane: plane.distance([3.0, 4.0]))(line).w0
    tensor(0.2)
    """

    w: Any
    w0: Any = 0.0

    def __post_init__(self) -> None:
        w, w0 = parameter(self.w, "Hyperplane"), parameter(self.w0, "Hyperplane")
        if w.ndim != 1 or w0.ndim:
            raise ShapeError(f"Hyperplane(w, w0) needs a vector and a number, got {describe(w)} and {describe(w0)}")
        value = known(w)
        if value is not None and not value.any():
            raise ZeroVector(f"Hyperplane(w={value.tolist()}): the normal is zero, so no direction is across the plane")
        self._set(w=w, w0=w0)

    @classmethod
    def through(cls, points: Any) -> Hyperplane:
        """The hyperplane through n points of R^n; differentiable in the points.

        Arguments: points of shape (n, n), one a row: two points in the plane, three in space.
        The normal is the generalized cross product of the differences: its components are the signed minors.
        Raises ZeroVector if the points lie in something smaller than a hyperplane, and so in many of them.

        >>> import tinygrad_math as tm
        >>> tm.geometry.Hyperplane.through([[1.0, 0.0], [0.0, 1.0]])
        Hyperplane(x1 + x2 - 1 = 0)
        """
        p = real_array(points, "Hyperplane.through")
        n = p.shape[-1] if p.ndim == 2 else 0
        if p.shape != (n, n) or not n:
            raise ShapeError(f"Hyperplane.through needs n points of R^n, as rows of shape (n, n); got {describe(p)}")
        steps = p[1:] - p[0]
        columns = [[j for j in range(n) if j != k] for k in range(n)]
        minors = [rec.det(steps[:, rest]) if rest else p[0, 0] * 0.0 + 1.0 for rest in columns]
        # alternating, so that in space it is the cross product of the differences
        w = rec.stack([-m if k % 2 else m for k, m in enumerate(minors)])
        value, sides = known(w), known(steps)
        if value is not None and np.linalg.norm(value) <= 1e-14 * np.prod(np.linalg.norm(sides, axis=-1)):
            raise ZeroVector(f"Hyperplane.through({known(p).tolist()}): these points lie on many hyperplanes; move one")
        return cls(w, -rec.sum(w * p[0]))

    @property
    def dim(self) -> int:
        """n of the space around it; the hyperplane itself has n - 1 dimensions."""
        return as_tensor(self.w).size

    def level(self, x: Any) -> Tensor:
        """w·x + w0 of points of shape (..., n): 0 on the plane, positive on the side to which w points."""
        x = self._points(x)
        return rec.sum(x * self.w, axis=-1) + self.w0

    def distance(self, x: Any) -> Tensor:
        """The signed distance of x, (w·x + w0)/‖w‖; its derivative in x is the unit normal."""
        return self.level(x) / rec.vector_norm(self.w)

    def side(self, x: Any, rtol: float | None = None) -> Tensor:
        """1 on the side to which w points, -1 on the other, 0 on the plane within rounding; integers."""
        x = self._points(x)
        level = rec.stop_gradient(self.level(x))
        size = rec.sum(rec.abs(x * self.w), axis=-1) + rec.abs(self.w0)
        return signs(level, size, rtol)

    def project(self, x: Any) -> Tensor:
        """The point of the plane nearest to x: x - (w·x + w0) w / w·w."""
        x = self._points(x)
        return x - rec.expand_dims(self.level(x) / rec.sum(self.w * self.w), -1) * self.w

    def _points(self, x: Any) -> Tensor:
        x = real_array(x, "Hyperplane")
        if not x.ndim or x.shape[-1] != self.dim:
            raise ShapeError(f"{self!r} lies in R^{self.dim}; got points of shape {x.shape}")
        return x

    def __repr__(self) -> str:
        w, w0 = known(as_tensor(self.w)), known(as_tensor(self.w0))
        if w is None or w0 is None or w.ndim != 1:
            return f"Hyperplane(w={self.w!r}, w0={self.w0!r})"
        terms = [(c, f" x{k + 1}") for k, c in enumerate(w)]
        if len(terms) > 8:
            terms = [*terms[:6], (None, "..."), terms[-1]]
        if w0 or not terms:
            terms.append((w0, ""))
        return f"Hyperplane({equation(terms)} = 0)"


def equation(terms: list[tuple[Any, str]]) -> str:
    """`3 x1 - x2 + 5` out of (3, " x1"), (-1, " x2"), (5, ""); (None, "...") is an ellipsis."""
    text = ""
    for c, name in terms:
        sign = "-" if c is not None and c < 0 else "+"
        factor = "" if c is None else number_text(abs(c))
        part = (name if factor in ("", "1") else factor + name).strip() or factor
        text += f" {sign} {part}" if text else f"{'-' if sign == '-' else ''}{part}"
    return text


def signs(level: Tensor, size: Tensor, rtol: float | None) -> Tensor:
    """The sign of `level`, and 0 where it is small beside the `size` of the terms it is made of."""
    small = rec.abs(level) <= tolerance(level.dtype, rtol) * size
    return rec.astype(rec.where(small, 0.0, rec.sign(level)), np.int64)
