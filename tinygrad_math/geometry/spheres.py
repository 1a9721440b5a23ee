"""Bodies in R^n: hypersphere, hyperellipsoid, hypercube, hyperrectangle.

Each has a `level`, negative inside, 0 on the surface, positive outside, which is differentiable in the point and
in the body's own parameters: fit a body to points by making their levels small.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.arguments import named
from ..core.errors import ArgumentError, ShapeError, describe
from ..core.tensor import Tensor, as_tensor, rec
from ..linalg.objects import MathObject, known, parameter, real_array, value_text
from .hyperplanes import signs

__all__ = ["Hypercube", "Hyperellipsoid", "Hyperrectangle", "Hypersphere"]


@named
class Body(MathObject):
    """What all bodies can tell: on which side a point is, and how many dimensions they have."""

    def side(self, x: Any, rtol: float | None = None) -> Tensor:
        """-1 for a point inside, 0 on the surface within rounding, 1 outside; integers of shape (...).

        Arguments: x of shape (..., n); `rtol` by default eps^(2/3), 4e-11 in float64.
        """
        x = self._points(x)
        return signs(rec.stop_gradient(self.level(x)), rec.stop_gradient(self._size(x)), rtol)

    def level(self, x: Any) -> Tensor:
        """Negative inside, 0 on the surface, positive outside."""
        raise NotImplementedError

    def _size(self, x: Tensor) -> Tensor:
        """The size of the terms of `level`, by which its rounding is measured."""
        raise NotImplementedError

    @property
    def dim(self) -> int | None:
        """n of R^n; None for a body that a number as center leaves open."""
        shapes = [np.shape(as_tensor(c).node.data) for c in self.tree_flatten()[1]]
        return max((s[-1] for s in shapes if s), default=None)

    def _points(self, x: Any) -> Tensor:
        x = real_array(x, type(self).__name__)
        if not x.ndim or self.dim not in (None, x.shape[-1]):
            where = "R^n; give points as vectors" if self.dim is None else f"R^{self.dim}"
            raise ShapeError(f"{self!r} lies in {where}; got points of shape {x.shape}")
        return x

    def _known_dim(self) -> int:
        if self.dim is None:
            name = type(self).__name__
            raise ArgumentError(f"the volume of {self!r} depends on the dimension: give a center, {name}(r, [0, 0, 0])")
        return self.dim

    def _check(self, least: float, **fields: tuple[Any, int]) -> None:
        """Take on checked parameters: each field with the number of axes that it may have."""
        made = {}
        for name, (value, most) in fields.items():
            t = parameter(value, type(self).__name__)
            if t.ndim > most:
                raise ShapeError(
                    f"{type(self).__name__}: {name} is a {'vector' if most else 'number'}, got {describe(t)}"
                )
            made[name] = t
        self._set(**made)
        lengths = {t.shape[0] for t in made.values() if t.ndim}
        if len(lengths) > 1:
            raise ShapeError(
                f"{type(self).__name__}: {', '.join(f'{k} {describe(t)}' for k, t in made.items())} differ"
            )
        first = next(iter(made))
        value = known(made[first])
        if value is not None and not np.all(value >= least):
            raise ArgumentError(f"{type(self).__name__}: {first} must not be negative, got {value.tolist()}")

    def __repr__(self) -> str:
        keys, children, _ = self.tree_flatten()
        return (
            f"{type(self).__name__}({', '.join(f'{k}={value_text(c)}' for k, c in zip(keys, children, strict=True))})"
        )


@named
@dataclass(frozen=True, eq=False, repr=False)
class Hypersphere(Body):
    """The points at distance `radius` of `center`: a circle, a sphere, a hypersphere.

    Arguments: radius, a number; center of shape (n,), or 0 for the origin of any R^n.

    >>> import tinygrad_math as tm
    >>> circle = tm.geometry.Hypersphere(5.0)
    >>> circle.side([[3.0, 4.0], [0.0, 0.0], [5.0, 5.0]])
    tensor([ 0, -1,  1])
    """

    radius: Any
    center: Any = 0.0

    def __post_init__(self) -> None:
        self._check(0.0, radius=(self.radius, 0), center=(self.center, 1))

    def level(self, x: Any) -> Tensor:
        """The signed distance to the surface, ‖x - center‖ - radius."""
        return rec.vector_norm(self._points(x) - self.center, axis=-1) - self.radius

    def _size(self, x: Tensor) -> Tensor:
        return rec.vector_norm(rec.abs(x) + rec.abs(self.center), axis=-1) + self.radius

    @property
    def volume(self) -> Tensor:
        """π^(n/2)/Γ(n/2 + 1) radius^n: the area of a disc, the volume of a ball. Needs a center of n coordinates."""
        n = self._known_dim()
        return unit_ball_volume(n) * self.radius**n


@named
@dataclass(frozen=True, eq=False, repr=False)
class Hyperellipsoid(Body):
    """The points with Σ ((x_i - center_i)/s_i)² = 1: an ellipse, an ellipsoid, a hyperellipsoid.

    Arguments: semi_axes s of shape (n,), positive; center of shape (n,), or 0.

    >>> import tinygrad_math as tm
    >>> ellipse = tm.geometry.Hyperellipsoid([2.0, 1.0])
    >>> ellipse.side([2.0, 0.0]), ellipse.side([0.0, 2.0])
    (tensor(0), tensor(1))
    """

    semi_axes: Any
    center: Any = 0.0

    def __post_init__(self) -> None:
        self._check(np.nextafter(0, 1), semi_axes=(self.semi_axes, 1), center=(self.center, 1))
        if not self.semi_axes.ndim:
            raise ShapeError(
                "Hyperellipsoid: semi_axes is a vector, one length an axis; for one length use Hypersphere"
            )

    def level(self, x: Any) -> Tensor:
        """‖(x - center)/semi_axes‖ - 1."""
        return rec.vector_norm((self._points(x) - self.center) / self.semi_axes, axis=-1) - 1.0

    def _size(self, x: Tensor) -> Tensor:
        return rec.vector_norm((rec.abs(x) + rec.abs(self.center)) / self.semi_axes, axis=-1) + 1.0

    @property
    def volume(self) -> Tensor:
        """π^(n/2)/Γ(n/2 + 1) times the product of the semi-axes."""
        return unit_ball_volume(self._known_dim()) * rec.prod(self.semi_axes)


@named
@dataclass(frozen=True, eq=False, repr=False)
class Hypercube(Body):
    """The points with max |x_i - center_i| = edge/2: a square, a cube, a hypercube.

    Arguments: edge, a number; center of shape (n,), or 0 for the origin of any R^n.

    >>> import tinygrad_math as tm
    >>> tm.geometry.Hypercube(2.0, [0.0, 0.0, 0.0]).volume
    tensor(8.)
    """

    edge: Any
    center: Any = 0.0

    def __post_init__(self) -> None:
        self._check(0.0, edge=(self.edge, 0), center=(self.center, 1))

    def level(self, x: Any) -> Tensor:
        """max |x_i - center_i| - edge/2."""
        return rec.max(rec.abs(self._points(x) - self.center), axis=-1) - 0.5 * self.edge

    def _size(self, x: Tensor) -> Tensor:
        return rec.max(rec.abs(x) + rec.abs(self.center), axis=-1) + self.edge

    @property
    def volume(self) -> Tensor:
        """edge^n. Needs a center of n coordinates."""
        return rec.pow(self.edge, self._known_dim())


@named
@dataclass(frozen=True, eq=False, repr=False)
class Hyperrectangle(Body):
    """The box of the points with low_i <= x_i <= high_i: a rectangle, a hyperrectangle.

    Arguments: low, high of shape (n,), with low <= high.

    >>> import tinygrad_math as tm
    >>> box = tm.geometry.Hyperrectangle([0.0, 0.0], [2.0, 3.0])
    >>> box.volume, box.side([1.0, 3.0])
    (tensor(6.), tensor(0))
    """

    low: Any
    high: Any

    def __post_init__(self) -> None:
        self._check(-np.inf, low=(self.low, 1), high=(self.high, 1))
        low, high = known(self.low), known(self.high)
        if low is not None and high is not None and (np.shape(low) != np.shape(high) or np.ndim(low) != 1):
            raise ShapeError(f"Hyperrectangle: low and high are two corners, got {describe(low)} and {describe(high)}")
        if low is not None and high is not None and not np.all(low <= high):
            raise ArgumentError(f"Hyperrectangle: low {low.tolist()} lies above high {high.tolist()}")

    def level(self, x: Any) -> Tensor:
        """max over the axes of low_i - x_i and x_i - high_i."""
        x = self._points(x)
        return rec.max(rec.maximum(self.low - x, x - self.high), axis=-1)

    def _size(self, x: Tensor) -> Tensor:
        return rec.max(rec.abs(x) + rec.maximum(rec.abs(self.low), rec.abs(self.high)), axis=-1)

    @property
    def volume(self) -> Tensor:
        """The product of the edges, Π (high_i - low_i)."""
        return rec.prod(self.high - self.low)


def unit_ball_volume(n: int) -> float:
    """π^(n/2)/Γ(n/2 + 1)."""
    return (
        math.exp(0.5 * n * math.log(math.pi) - math.lgamma(0.5 * n + 1))
        if n > 300
        else (math.pi ** (0.5 * n) / math.gamma(0.5 * n + 1))
    )
