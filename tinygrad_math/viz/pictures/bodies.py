"""Pictures of circles, ellipses, squares and rectangles."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np

from ...core.errors import ShapeError
from ...geometry.spheres import Body
from .canvas import BLACK, BLUE, GREEN, GREY, RED, SKY, Look, figure, finished, given, legend, plane, values


def body(shape: Body, points: Any = None, **look: Unpack[Look]) -> Any:
    """A circle, ellipse, square or rectangle by the level lines of its `level`, and on which side points are.

    Arguments: a body of geometry in the plane; points of shape (k, 2). Returns a matplotlib Figure.

    >>> import tinygrad_math as tm
    >>> figure = tm.viz.body(tm.geometry.Hyperellipsoid([2.0, 1.0]), points=[[0.0, 0.5], [2.0, 0.0], [2.0, 2.0]])
    """
    if shape.dim not in (None, 2):
        raise ShapeError(f"body draws the plane; {shape!r} lies in R^{shape.dim}")
    dots = np.zeros((0, 2)) if points is None else given("body", points).reshape(-1, 2)
    sizes = [float(np.abs(values(part)).max()) for part in shape.tree_flatten()[1]]
    reach = 1.2 * max(sum(sizes), float(np.abs(dots).max(initial=0.0)))
    fig, (ax,) = figure(size=5.4, **look)
    plane(ax, reach, repr(shape))
    ticks = np.linspace(-reach, reach, 201)
    heights = values(shape.level(np.stack(np.meshgrid(ticks, ticks), axis=-1)))
    ax.contour(ticks, ticks, heights, levels=11, colors=GREY, linewidths=0.5, zorder=0)
    ax.contourf(ticks, ticks, heights, levels=[heights.min() - 1.0, 0.0], colors=[SKY], alpha=0.3)
    ax.contour(ticks, ticks, heights, levels=[0.0], colors=BLUE, linewidths=2)
    for side, color, marker, name in (
        (-1, GREEN, "o", "inside, side -1"), (0, BLACK, "D", "on it, side 0"), (1, RED, "s", "outside, side 1")
    ):  # fmt: skip
        chosen = dots[values(shape.side(dots)) == side] if len(dots) else dots
        if len(chosen):
            ax.plot(*chosen.T, marker, color=color, label=name, zorder=4, linestyle="none")
    if len(dots):
        legend(ax, 3)
    return finished(fig, [ax], look)
