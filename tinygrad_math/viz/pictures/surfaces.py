"""Pictures of functions of two variables: gradient field, descent, curvature."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack

import numpy as np

from ...core.errors import ShapeError, describe
from ...core.quiet import quietly
from ...transforms.derivatives import value_and_grad
from ...transforms.matrices import hessian
from .canvas import BLACK, BLUE, GREEN, GREY, PURPLE, RED, Look, arrow, circle, figure, finished, given, legend, values


def gradient_field(
    f: Callable[[Any], Any],
    start: Any = None,
    rate: float = 0.1,
    steps: int = 30,
    limit: float = 2.0,
    **look: Unpack[Look],
) -> Any:
    """The gradient field of a function of the plane over its level lines, with a path of gradient descent.

    Arguments: f takes a vector of shape (2,) and returns one number; start of shape (2,), from which `steps` steps of
    descent at this `rate` are drawn (none if left out); the picture shows [-limit, limit]². Returns a matplotlib
    Figure. Arrows have the gradient's direction; they are longer where it is steep, on a compressed scale. Where f is
    no finite number the ground is grey, and there are no arrows.

    >>> import tinygrad_math as tm
    >>> figure = tm.viz.gradient_field(lambda x: x[0] ** 2 + 3.0 * x[1] ** 2, start=[1.8, 1.2])
    """
    slope = value_and_grad(f)
    fig, (ax,) = figure(size=5.6, **look)
    lines = _levels(
        ax,
        f,
        np.zeros(2),
        limit,
        "level lines, gradient and descent" if start is not None else "level lines and gradient",
    )
    ticks = np.linspace(-0.92 * limit, 0.92 * limit, 11)
    where = np.array([(p, q) for p in ticks for q in ticks])
    found = [quietly(slope, p) for p in where]
    arrows = np.array([values(g) for _, g in found])
    there = np.isfinite([float(values(v)) for v, _ in found]) & np.isfinite(arrows).all(axis=1)
    where, arrows = where[there], arrows[there]
    sizes = np.linalg.norm(arrows, axis=1, keepdims=True)
    usual = float(np.median(sizes)) if len(sizes) else 1.0
    usual = usual or 1.0
    arrows = 0.16 * limit * arrows / (sizes + usual)
    drawn = [where, where + 0.5 * arrows, where + arrows]
    ax.quiver(*where.T, *arrows.T, color=BLUE, angles="xy", scale_units="xy", scale=1, width=0.004, zorder=3)
    ax.plot([], [], color=BLUE, marker=">", label="gradient")
    if start is not None:
        path = [given("gradient_field", start)]
        for _ in range(steps):
            height, downhill = map(values, quietly(slope, path[-1]))
            onward = path[-1] - rate * downhill
            if not (np.isfinite(height) and np.isfinite(onward).all()):  # where f is not defined the descent ends
                break
            path.append(onward)
        line = np.array(path)
        drawn += [line[:-1] + t * np.diff(line, axis=0) for t in (0.0, 0.5, 1.0)]
        ax.plot(*line.T, "o-", color=RED, markersize=3.5, linewidth=1.3, label=f"descent, rate {rate:g}", zorder=4)
        first, last = (f"{float(values(quietly(f, p))):.3g}" for p in (line[0], line[-1]))
        ax.plot(*line[0], "s", color=BLACK, markersize=6, zorder=5, label=f"start, $f$ = {first}")
        told = f"after {len(line) - 1} steps, $f$ = {last}"
        ax.plot(*line[-1], "*", color=GREEN, markersize=12, zorder=5, label=told)
    _tell(ax, lines, np.zeros(2), limit, np.concatenate(drawn))
    legend(ax)
    return finished(fig, [ax], look)


def curvature(f: Callable[[Any], Any], x: Any, limit: float = 1.0, **look: Unpack[Look]) -> Any:
    """The Hessian at a point as an ellipse: the points where the quadratic part has one value, and its principal axes.

    Arguments: f takes a vector of shape (2,); x of shape (2,), where the Hessian is taken; the picture shows the
    square of half-width `limit` around x. Returns a matplotlib Figure. Half-axes go as 1/√|eigenvalue|, on a scale that
    fits the picture: the ellipse is narrow where f curves much. With eigenvalues of both signs it is two hyperbolas.

    >>> import tinygrad_math as tm
    >>> figure = tm.viz.curvature(lambda x: x[0] ** 2 + x[0] * x[1] + 2.0 * x[1] ** 2, [0.0, 0.0])
    """
    at = given("curvature", x)
    if at.shape != (2,):
        raise ShapeError(f"curvature draws the plane; got a point {describe(at)}")
    h = values(hessian(f)(at))
    eigenvalues, axes = np.linalg.eigh(h)
    big = np.abs(eigenvalues) > 1e-12 * max(1.0, float(np.abs(eigenvalues).max()))
    lengths = np.where(big, 1 / np.sqrt(np.where(big, np.abs(eigenvalues), 1.0)), 0.0)
    lengths = lengths * 0.7 * limit / (float(lengths.max()) or 1.0)
    fig, (ax,) = figure(size=5.6, **look)
    lines = _levels(ax, f, at, limit, "level lines, and the Hessian as curvature ellipse")
    drawn = [at + t * lengths[k] * axes[:, k] for k in (0, 1) for t in np.linspace(-1, 1, 41)]
    for k, branch in enumerate(_conic(eigenvalues, lengths, limit)):
        name = "$d^\\top H d = \\pm$const" if k == 0 else None
        drawn += [*(at + (axes @ branch).T)]
        ax.plot(*(at[:, None] + axes @ branch), color=PURPLE, linewidth=2.2, zorder=3, label=name)
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
    along = " along one axis" if big.any() else " along both axes: no second derivative"
    kind = "saddle" if big.all() and eigenvalues[0] * eigenvalues[1] < 0 else kind
    ax.plot(
        *at,
        "o",
        color=BLACK,
        zorder=5,
        linestyle="none",
        label=f"the point: {kind}{along if kind == 'flat' else ''}",
    )
    _tell(ax, lines, at, limit, drawn)
    legend(ax)
    return finished(fig, [ax], look)


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


def _levels(ax: Any, f: Callable[[Any], Any], middle: Any, limit: float, title: str) -> Any:
    """Level lines of f on a square, with labelled axes of equal scale; None where there are none."""
    ticks = np.linspace(-limit, limit, 81)
    heights = quietly(lambda: np.array([[float(values(f(middle + [p, q]))) for p in ticks] for q in ticks]))
    there = np.isfinite(heights)
    if not there.all():
        ax.contourf(
            middle[0] + ticks, middle[1] + ticks, (~there).astype(float), levels=[0.5, 2], colors=[GREY], alpha=0.25
        )
        ax.plot([], [], "s", color=GREY, alpha=0.4, label="no finite value")
        heights = np.where(there, heights, np.nan)
    else:
        ticks, heights = _finer(ticks, heights)
    levels: Any = (
        np.unique(np.quantile(heights[np.isfinite(heights)], np.linspace(0.03, 0.97, 12))) if there.any() else []
    )
    if len(levels) < 2:  # nothing there, or a constant
        levels = [0.0, 1.0]
    from matplotlib import colormaps

    colors = colormaps["cividis"](np.linspace(0.0, 0.75, len(levels)))  # its last quarter is too pale for lines
    lines = None
    if there.any() and np.ptp(heights[np.isfinite(heights)]) > 0:
        lines = ax.contour(
            middle[0] + ticks, middle[1] + ticks, heights, levels=levels, colors=colors, linewidths=0.9, zorder=1
        )
    ax.set(aspect="equal", xlabel="$x_1$", ylabel="$x_2$")
    ax.set(xlim=middle[0] + [-limit, limit], ylim=middle[1] + [-limit, limit])
    ax.set_title(title, fontsize=10)
    ax.tick_params(labelsize=8)
    return lines


def _tell(ax: Any, lines: Any, middle: Any, limit: float, drawn: Any) -> None:
    """The height of each level line, written on it where it is farthest from what is drawn: points of shape (k, 2).

    A line that has no free place away from the border stays without.
    """
    taken = [np.asarray(drawn, float).reshape(-1, 2)]
    places = []
    for pieces in lines.allsegs if lines is not None else ():
        line = np.concatenate([np.zeros((0, 2)), *pieces])
        line = line[(np.abs(line - middle) < 0.88 * limit).all(axis=1)]
        if len(line):
            others = np.concatenate(taken)
            gaps = np.linalg.norm(line[:, None] - others, axis=-1).min(axis=1, initial=2 * limit)
            room = np.minimum(gaps, 0.2 * limit)
            best = np.flatnonzero(room >= room.max() - 1e-9)
            place = line[best[len(best) // 2]]
            if room.max() > 0.07 * limit:
                places.append(tuple(place))
                turn = np.linspace(0, 2 * np.pi, 9)  # a word is longer than a point
                taken.append(place + 0.05 * limit * np.stack([np.cos(turn), np.sin(turn)], axis=1))
    if places:
        ax.clabel(lines, fontsize=7, fmt="%.2g", zorder=6, manual=places)
        for words in lines.labelTexts:
            words.set_bbox({"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.7})


def _finer(ticks: Any, heights: Any) -> tuple[Any, Any]:
    """A surface on a grid four times as fine, by cubic splines: its level lines have no corners."""
    from scipy.interpolate import RectBivariateSpline

    fine = np.linspace(ticks[0], ticks[-1], 4 * len(ticks) - 3)
    return fine, RectBivariateSpline(ticks, ticks, heights)(fine, fine)
