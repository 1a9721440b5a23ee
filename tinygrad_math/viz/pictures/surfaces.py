"""Pictures of functions of two variables: gradient field, descent, curvature."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...core.errors import ShapeError, describe
from ...transforms.derivatives import value_and_grad
from ...transforms.matrices import hessian
from .canvas import BLACK, BLUE, GREEN, RED, arrow, circle, figure, legend, values


def gradient_field(
    f: Callable[[Any], Any], start: Any = None, rate: float = 0.1, steps: int = 30, limit: float = 2.0
) -> Any:
    """The gradient field of a function of the plane over its level lines, with a path of gradient descent.

    Arguments: f takes a vector of shape (2,) and returns one number; start of shape (2,), from which `steps` steps of
    descent at this `rate` are drawn (none if left out); the picture shows [-limit, limit]². Returns a matplotlib
    Figure. Arrows have the gradient's direction; they are longer where it is steep, on a compressed scale.

    >>> import tinygrad_math as tm
    >>> figure = tm.viz.gradient_field(lambda x: x[0] ** 2 + 3.0 * x[1] ** 2, start=[1.8, 1.2])
    """
    slope = value_and_grad(f)
    fig, (ax,) = figure(size=5.6)
    _levels(
        ax,
        f,
        np.zeros(2),
        limit,
        "level lines, gradient and descent" if start is not None else "level lines and gradient",
    )
    ticks = np.linspace(-0.92 * limit, 0.92 * limit, 11)
    where = np.array([(p, q) for p in ticks for q in ticks])
    arrows = np.array([values(slope(p)[1]) for p in where])
    sizes = np.linalg.norm(arrows, axis=1, keepdims=True)
    usual = float(np.median(sizes)) or 1.0
    arrows = 0.16 * limit * arrows / (sizes + usual)
    ax.quiver(*where.T, *arrows.T, color=BLUE, angles="xy", scale_units="xy", scale=1, width=0.004, zorder=3)
    ax.plot([], [], color=BLUE, marker=">", label="gradient")
    if start is not None:
        path = [values(start)]
        for _ in range(steps):
            path.append(path[-1] - rate * values(slope(path[-1])[1]))
        line = np.array(path)
        ax.plot(*line.T, "o-", color=RED, markersize=3.5, linewidth=1.3, label=f"descent, rate {rate:g}", zorder=4)
        ax.plot(
            *line[0], "s", color=BLACK, markersize=6, zorder=5, label=f"start, $f$ = {float(values(f(line[0]))):.3g}"
        )
        ax.plot(
            *line[-1],
            "*",
            color=GREEN,
            markersize=12,
            zorder=5,
            label=f"after {steps} steps, $f$ = {float(values(f(line[-1]))):.3g}",
        )
    legend(ax)
    return fig


def curvature(f: Callable[[Any], Any], x: Any, limit: float = 1.0) -> Any:
    """The Hessian at a point as an ellipse: the points where the quadratic part has one value, and its principal axes.

    Arguments: f takes a vector of shape (2,); x of shape (2,), where the Hessian is taken; the picture shows the
    square of half-width `limit` around x. Returns a matplotlib Figure. Half-axes go as 1/√|eigenvalue|, on a scale that
    fits the picture: the ellipse is narrow where f curves much. With eigenvalues of both signs it is two hyperbolas.

    >>> import tinygrad_math as tm
    >>> figure = tm.viz.curvature(lambda x: x[0] ** 2 + x[0] * x[1] + 2.0 * x[1] ** 2, [0.0, 0.0])
    """
    at = values(x)
    if at.shape != (2,):
        raise ShapeError(f"curvature draws the plane; got a point {describe(at)}")
    h = values(hessian(f)(at))
    eigenvalues, axes = np.linalg.eigh(h)
    big = np.abs(eigenvalues) > 1e-12 * max(1.0, float(np.abs(eigenvalues).max()))
    lengths = np.where(big, 1 / np.sqrt(np.where(big, np.abs(eigenvalues), 1.0)), 0.0)
    lengths = lengths * 0.7 * limit / (float(lengths.max()) or 1.0)
    fig, (ax,) = figure(size=5.6)
    _levels(ax, f, at, limit, "level lines, and the Hessian as curvature ellipse")
    for k, branch in enumerate(_conic(eigenvalues, lengths, limit)):
        name = "$d^\\top H d = \\pm$const" if k == 0 else None
        ax.plot(*(at[:, None] + axes @ branch), color=BLUE, linewidth=2.2, zorder=4, label=name)
    for k, color in ((0, GREEN), (1, RED)):
        if lengths[k]:
            arrow(ax, at + lengths[k] * axes[:, k], color, tail=at)
        ax.plot([], [], color=color, label=f"axis of eigenvalue {eigenvalues[k]:.3g}")
    kind = (
        "curves up"
        if eigenvalues[0] > 0 and big.all()
        else "curves down"
        if eigenvalues[1] < 0 and big.all()
        else "flat"
    )
    kind = "saddle" if big.all() and eigenvalues[0] * eigenvalues[1] < 0 else kind
    ax.plot(
        *at,
        "o",
        color=BLACK,
        zorder=5,
        linestyle="none",
        label=f"the point: {kind}{' along one axis' if kind == 'flat' else ''}",
    )
    legend(ax)
    return fig


def _conic(eigenvalues: Any, lengths: Any, reach: float) -> list[Any]:
    """d'Hd = ±1 in the principal axes: an ellipse, two pairs of hyperbolas, or lines where an eigenvalue is 0."""
    if not lengths.all():
        return [np.stack(_swap(k, sign * np.full(2, lengths[k]), reach * np.array([-1.0, 1.0])))
                for k in (0, 1) if lengths[k] for sign in (1, -1)]  # fmt: skip
    if eigenvalues[0] * eigenvalues[1] > 0:
        return [lengths[:, None] * circle()]
    t = np.linspace(-2, 2, 81)
    return [
        np.stack(_swap(k, sign * lengths[k] * np.cosh(t), lengths[1 - k] * np.sinh(t)))
        for k in (0, 1)
        for sign in (1, -1)
    ]


def _swap(k: int, along: Any, across: Any) -> tuple[Any, Any]:
    return (along, across) if k == 0 else (across, along)


def _levels(ax: Any, f: Callable[[Any], Any], middle: Any, limit: float, title: str) -> None:
    """Level lines of f on a square, with labelled axes of equal scale."""
    ticks = np.linspace(-limit, limit, 81)
    heights = np.array([[float(values(f(middle + [p, q]))) for p in ticks] for q in ticks])
    levels = np.unique(np.quantile(heights, np.linspace(0.03, 0.97, 12)))  # as dense in a valley as on a slope
    from matplotlib import colormaps

    colors = colormaps["cividis"](np.linspace(0.0, 0.75, len(levels)))  # its last quarter is too pale for lines
    lines = ax.contour(
        middle[0] + ticks, middle[1] + ticks, heights, levels=levels, colors=colors, linewidths=0.9, zorder=1
    )
    ax.clabel(lines, fontsize=7, fmt="%.2g")
    ax.set(aspect="equal", xlabel="$x_1$", ylabel="$x_2$")
    ax.set(xlim=middle[0] + [-limit, limit], ylim=middle[1] + [-limit, limit])
    ax.set_title(title, fontsize=10)
    ax.tick_params(labelsize=8)
