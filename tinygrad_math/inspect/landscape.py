"""`landscape`: a function along one or two directions around a point."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from ..core.arguments import named
from ..core.errors import ArgumentError, DTypeError, NonScalarError, ShapeError, describe
from ..core.mode import no_grad
from ..core.opening import room
from ..core.quiet import ignoring
from ..core.tensor import as_tensor
from ..core.tree import Structure, flatten, leaves_like, show, unflatten
from .computation import same_stream, untouched
from .spectrum import spectrum

__all__ = ["Landscape", "landscape"]

Arrays = list[np.ndarray[Any, Any]]


class Landscape:
    """The values of a function on a line or a plane through a point.

    `coordinates` of shape (points,), the same along each direction; `values` of shape (points,) or (points, points),
    where `values[i, j]` belongs to coordinates[i] of the first direction and coordinates[j] of the second;
    `directions` as trees like x; `center` the value at the point itself.
    """

    def __init__(self, coordinates: Any, values: Any, directions: list[Any], center: float, title: str) -> None:
        self.coordinates, self.values = coordinates, values
        self.directions, self.center, self.title = directions, center, title

    def __repr__(self) -> str:
        low = np.unravel_index(int(np.argmin(np.where(np.isnan(self.values), np.inf, self.values))), self.values.shape)
        at = ", ".join(f"{self.coordinates[k]:.3g}" for k in low)
        bad = int(np.sum(~np.isfinite(self.values)))
        trouble = f"; {bad} values are NaN or infinite" if bad else ""
        return (
            f"landscape of {' x '.join(map(str, self.values.shape))} points, {self.title}: {self.center:.4g} at the "
            f"point, lowest {float(self.values[low]):.4g} at ({at}){trouble}"
        )

    def plot(self) -> Any:
        """A matplotlib Figure: a curve, or level lines beside the surface. Raises MissingExtra without matplotlib."""
        room("viz.pictures")
        from ..viz.pictures.canvas import BLACK, BLUE, RED, figure

        t = self.coordinates
        if self.values.ndim == 1:
            fig, (ax,) = figure()
            ax.plot(t, self.values, color=BLUE)
            ax.plot(0, self.center, "o", color=RED, label=f"the point, {self.center:.4g}")
            ax.set(xlabel="step along the direction", ylabel="f")
            ax.locator_params(axis="x", nbins=6)
            ax.legend(frameon=False, fontsize=8)
        else:
            fig, (ax,) = figure(size=5.2)
            known = np.ma.masked_invalid(self.values.T)
            filled = ax.contourf(t, t, known, levels=24, cmap="viridis")
            ax.contour(t, t, known, levels=24, colors=BLACK, linewidths=0.3, alpha=0.5)
            fig.colorbar(filled, ax=ax, shrink=0.85)
            ax.plot(0, 0, "o", color=RED, label=f"the point, {self.center:.4g}")
            ax.set(xlabel="step along the first direction", ylabel="step along the second", aspect="equal")
            ax.legend(loc="upper right", fontsize=8)
        ax.set_title(self.title, fontsize=10)
        return fig


@named
def landscape(
    f: Callable[[Any], Any],
    x: Any,
    directions: Any = "random",
    span: float = 1.0,
    points: int = 25,
    dimensions: int = 2,
    normalize: Literal["filter", "length", "none"] | None = None,
    seed: int = 0,
) -> Landscape:
    """The values of f on a line or a plane through x.

    Arguments: `f` a function of x that returns one number; `x` a tree or module of real arrays; `directions`
    "random" (normal), "top" (the eigenvectors of the Hessian's eigenvalues of largest size), or one tree like x or a
    list of two; `span`: steps go from -span to span; `points` along each direction; `dimensions` 1 or 2, unless the
    directions are given; `normalize`: "filter" scales each filter (row) of a direction to the length of the filter of
    x that it belongs to, and leaves biases (leaves of less than two axes) where they are, so that landscapes of
    different networks can be compared; "length" scales the whole direction to length 1; "none" takes it as it is. By
    default random directions are filter-normalised where x has filters, eigenvectors have length 1, and given
    directions stay.

    x stays as it is: f is called on copies, recorded for nobody, and with the same random draws (dropout) at every
    point. Returns a Landscape: `.coordinates`, `.values`, `.plot()`. Raises NonScalarError, ShapeError for directions
    unlike x, ArgumentError, TraceError for an x that is being
    traced, and what f raises.
    Source: Li, Xu, Taylor, Studer, Goldstein 2018, "Visualizing the loss landscape of neural nets".

    >>> import tinygrad_math as tm
    >>> bowl = tm.inspect.landscape(lambda x: x @ x, tm.tensor([1.0, 0.0]), directions=[1.0, 0.0], points=3)
    >>> bowl.coordinates.tolist(), bowl.values.tolist()
    ([-1.0, 0.0, 1.0], [0.0, 1.0, 4.0])
    """
    if points < 2 or dimensions not in (1, 2) or not 0 < span < np.inf:
        raise ArgumentError(
            f"landscape: points is 2 or more, dimensions 1 or 2, span above 0; got {points}, {dimensions}, {span}"
        )
    x = untouched(x, "landscape")
    leaves, structure = flatten(x)
    base = [np.array(as_tensor(leaf).node.data) for leaf in leaves]
    for a in base:
        if a.dtype.kind != "f":
            raise DTypeError(f"landscape moves real floating numbers, got {describe(a)}; write 1.0 for 1")
    if not any(a.size for a in base):
        raise ArgumentError("landscape: x has no numbers in it")
    found, title, way = _directions(f, x, base, structure, directions, dimensions, seed)
    filters = any(a.ndim > 1 for a in base)
    usual = {"random": "filter" if filters else "none", "top": "length"}.get(way, "none")
    found = [_scaled(d, base, normalize or usual) for d in found]
    t = np.linspace(-span, span, points)

    def value(*steps: Any) -> float:
        moved = base
        for step, d in zip(steps, found, strict=True):
            moved = [np.asarray(a + step * b, a.dtype) for a, b in zip(moved, d, strict=True)]
        with no_grad(), same_stream():  # the same draws everywhere, so that it is one function
            y = as_tensor(f(unflatten(structure, [as_tensor(np.array(a)) for a in moved])))
        if y.size != 1 or y.dtype.kind == "c":
            raise NonScalarError(f"landscape needs a function that returns one real number, got {describe(y)}")
        return float(y.item())

    with ignoring():
        center = value(*(0.0 for _ in found))
        grid = [value(*(t[k] for k in index)) for index in np.ndindex(*[points] * len(found))]
    trees = [unflatten(structure, [as_tensor(a) for a in d], values=False) for d in found]
    return Landscape(t, np.array(grid).reshape([points] * len(found)), trees, center, title)


def _directions(
    f: Any, x: Any, base: Arrays, structure: Structure, given: Any, dimensions: int, seed: int
) -> tuple[list[Arrays], str, str]:
    """The directions as lists of leaves, in words, and the way they were chosen."""
    if isinstance(given, str):
        if given == "random":
            rng = np.random.default_rng(seed)
            drawn: list[Arrays] = [[np.asarray(rng.standard_normal(a.shape)) for a in base] for _ in range(dimensions)]
            return drawn, "random direction" + "s" * (dimensions - 1), given
        if given == "top":
            count = min(dimensions, sum(a.size for a in base))
            top = spectrum(f, x, k=count, which="magnitude", seed=seed)
            order = np.argsort(-np.abs(top.values))
            names = ", ".join(f"{top.values[k]:.3g}" for k in order)
            vectors = [[np.asarray(v.node.data) for v in flatten(top.vector(int(k)))[0]] for k in order]
            return vectors, f"eigenvectors of the Hessian, eigenvalue{'s' * (count - 1)} {names}", given
        raise ArgumentError(f"landscape: directions are 'random', 'top', or trees like x; got {given!r}")
    one = _like(given, base, structure)
    if one is not None:
        return [one], "given direction", "given"
    if isinstance(given, (list, tuple)) and 1 <= len(given) <= 2:
        listed = [_like(d, base, structure) for d in given]
        if all(d is not None for d in listed):
            return [d for d in listed if d is not None], "given directions", "given"
    raise ShapeError(f"landscape: a direction is a tree like x, {show(structure)}, or a list of one or two of them")


def _like(tree: Any, base: Arrays, structure: Structure) -> Arrays | None:
    """The leaves of a direction, if it is one tree like x with arrays of its shapes."""
    leaves = leaves_like(tree, structure)
    if leaves is None:
        return None
    try:
        arrays = [np.asarray(as_tensor(leaf).node.data, float) for leaf in leaves]
    except (TypeError, ValueError):
        return None
    fits = all(a.shape == b.shape for a, b in zip(arrays, base, strict=True))
    return arrays if fits else None


def _length(arrays: Sequence[Any]) -> float:
    return float(np.sqrt(sum(np.sum(np.square(a, dtype=float)) for a in arrays)))


def _scaled(direction: Arrays, base: Arrays, way: str) -> Arrays:
    if way == "length":
        length = _length(direction)
        return [a / length for a in direction] if length else direction
    if way != "filter":
        return direction
    out = []
    for d, a in zip(direction, base, strict=True):
        if a.ndim < 2:
            out.append(np.zeros(a.shape))
            continue
        axes = tuple(range(1, a.ndim))
        own = np.sqrt(np.sum(np.square(d), axis=axes, keepdims=True))
        wanted = np.sqrt(np.sum(np.square(a, dtype=float), axis=axes, keepdims=True))
        out.append(d * (wanted / np.where(own > 0, own, 1.0)))
    return out
