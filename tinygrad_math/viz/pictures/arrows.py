"""Pictures of vectors: sum and angle, projection, hyperplanes, unit balls of norms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Unpack

import numpy as np

from ...core.errors import ArgumentError, ShapeError, describe
from ...core.tensor import rec
from ...geometry import Hyperplane, angle, distance, project, scalar_projection
from ...transforms.derivatives import grad
from .canvas import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    PALETTE,
    PURPLE,
    RED,
    Look,
    arrow,
    figure,
    finished,
    given,
    labels,
    legend,
    plane,
    values,
    window,
)

_CROWD = 12  # points of which each can be told its distance


def vectors(*vs: Any, names: Sequence[str] | None = None, **look: Unpack[Look]) -> Any:
    """Vectors of the plane and their sum: two with the angle between them, more of them tip to tail.

    Arguments: vectors of shape (2,); their `names`, a, b, c, ... by default; `ax`, `title`, `figsize`, `labels` as of
    every picture. Of two, the sum and the difference are the diagonals of a parallelogram. Returns a matplotlib Figure.
    Raises ShapeError for what is no vector of the plane, ArgumentError for no vector, or other numbers of names.

    >>> import tinygrad_math as tm
    >>> figure = tm.viz.vectors([3.0, 1.0], [1.0, 2.0])
    """
    ps = [given("vectors", v) for v in vs]
    if not ps or not all(p.shape == (2,) for p in ps):
        raise ShapeError(f"vectors draws the plane; got vectors {' and '.join(describe(p) for p in ps) or 'none'}")
    said = [f"${'abcdefghijklmnopqrstuvwxyz'[k % 26]}$" for k in range(len(ps))] if names is None else list(names)
    if len(said) != len(ps):
        raise ArgumentError(f"vectors: {len(ps)} vectors and {len(said)} names")
    fig, (ax,) = figure(size=5.2, **look)
    if len(ps) != 2:
        return _chain(fig, ax, ps, said, look)
    p, q = ps
    theta = float(values(angle(p, q)))
    plane(ax, 1.0, f"{said[0]} · {said[1]} = {p @ q:.3g},  angle {np.degrees(theta):.3g}°")
    window(ax, np.stack([np.zeros(2), p, q, p + q]))
    ax.plot(*np.stack([p, p + q, q]).T, color=GREY, linewidth=0.9, linestyle="--")
    turn = 1.0 if p[0] * q[1] - p[1] * q[0] >= 0 else -1.0
    start, radius = np.arctan2(p[1], p[0]), 0.3 * min(np.linalg.norm(p), np.linalg.norm(q))
    arc = start + turn * np.linspace(0, theta, 60)
    ax.plot(radius * np.cos(arc), radius * np.sin(arc), color=PURPLE, linewidth=1.6, label="angle")
    arrow(ax, p, BLUE, said[0], side=-turn)
    arrow(ax, q, GREEN, said[1], side=turn)
    arrow(ax, p + q, BLACK, f"{said[0]} + {said[1]}", side=turn)
    ax.plot(
        *np.stack([q, p]).T,
        color=RED,
        linewidth=1.6,
        linestyle=":",
        label=f"{said[0]} - {said[1]}, from the tip of {said[1]} to that of {said[0]}",
    )
    legend(ax)
    return finished(fig, [ax], look)


def _chain(fig: Any, ax: Any, ps: list[Any], names: list[str], look: Look) -> Any:
    """Vectors from the origin, and tip to tail up to their sum."""
    tips = np.cumsum([np.zeros(2), *ps], axis=0)
    plane(ax, 1.0, f"{' + '.join(names)} = ({tips[-1][0]:.3g}, {tips[-1][1]:.3g})")
    window(ax, np.stack([*tips, *ps]))
    for k, (p, name) in enumerate(zip(ps, names, strict=True)):
        color = PALETTE[k % (len(PALETTE) - 1)]
        arrow(ax, p, color, name)
        if k:
            arrow(ax, tips[k + 1], color, tail=tips[k], style=":")
    if len(ps) > 1:
        arrow(ax, tips[-1], BLACK, "sum")
    return finished(fig, [ax], look)


def projection(a: Any, b: Any, **look: Unpack[Look]) -> Any:
    """The projection of a onto b, and what is left over.

    Arguments: a, b of shape (2,). Returns a matplotlib Figure.

    >>> import tinygrad_math as tm
    >>> figure = tm.viz.projection([2.0, 2.0], [3.0, 0.5])
    """
    p, line = given("projection", a), given("projection", b)
    if p.shape != (2,) or line.shape != (2,):
        raise ShapeError(f"projection draws the plane; got vectors {describe(p)} and {describe(line)}")
    fig, (ax,) = figure(size=5.2, **look)
    shadow, d = values(project(p, line)), float(values(scalar_projection(p, line)))
    plane(ax, 1.0, "projection and rejection of $a$ on $b$")
    window(ax, np.stack([np.zeros(2), p, line, shadow]))
    ax.axline((0, 0), tuple(line), color=GREY, linewidth=0.8, linestyle="--")
    turn = -1.0 if line[0] * p[1] - line[1] * p[0] > 0 else 1.0
    arrow(ax, line, BLUE, "$b$", side=turn)
    arrow(ax, p, BLACK, "$a$", side=-turn)
    arrow(ax, shadow, GREEN)
    ax.plot([], [], color=GREEN, label=f"projection, scalar $a \\cdot b/\\|b\\|$ = {d:.3g}")
    ax.plot(
        *np.stack([shadow, p]).T,
        color=RED,
        linestyle="--",
        linewidth=1.9,
        label=f"rejection, length {np.linalg.norm(p - shadow):.3g}",
    )
    legend(ax)
    _right_angle(ax, shadow, -shadow if d > 0 else shadow, p - shadow)
    return finished(fig, [ax], look)


def hyperplane(w: Any, w0: Any = None, points: Any = None, **look: Unpack[Look]) -> Any:
    """A line w·x + w0 = 0 in the plane, its normal, and the signed distances of some points.

    Arguments: a `Hyperplane`, or w of shape (2,) and w0; points of shape (k, 2). Returns a matplotlib Figure.
    Lines lead from each point to its projection; the colour tells the side. Of more than a dozen points, the distances
    of the nearest and the farthest on each side are written.

    >>> import tinygrad_math as tm
    >>> line = tm.geometry.Hyperplane([1.0, 2.0], -2.0)
    >>> figure = tm.viz.hyperplane(line, points=[[2.0, 2.0], [-1.0, 0.0]])
    """
    h = w if isinstance(w, Hyperplane) else Hyperplane(w, 0.0 if w0 is None else w0)
    if h.dim != 2:
        raise ShapeError(f"hyperplane draws the plane; {h!r} lies in R^{h.dim}")
    dots = np.zeros((0, 2)) if points is None else given("hyperplane", points).reshape(-1, 2)
    foot = values(h.project([0.0, 0.0]))
    normal = values(h.w) / np.linalg.norm(values(h.w))
    fig, (ax,) = figure(size=5.4, **look)
    wide = 1.3 * float(max(1.5, np.abs(dots).max(initial=0), np.abs(foot).max()))
    plane(ax, wide, repr(h)[len("Hyperplane(") : -1])
    ax.axline(tuple(foot), tuple(foot + [-normal[1], normal[0]]), color=BLACK, linewidth=1.6, label="the hyperplane")
    tail = _free_place(foot, np.array([-normal[1], normal[0]]), dots, 0.8 * wide)
    arrow(ax, tail + normal, GREEN, tail=tail)
    ax.plot([], [], color=GREEN, label="unit normal $w/\\|w\\|$")
    texts: list[tuple[Any, str, str]] = []
    for side, color, name in (
        (1, BLUE, "$w \\cdot x + w_0 > 0$"),
        (-1, RED, "$w \\cdot x + w_0 < 0$"),
        (0, BLACK, "on it"),
    ):
        chosen = dots[values(h.side(dots)) == side] if len(dots) else dots
        if not len(chosen):
            continue
        marker = "o" if side > 0 else "s" if side < 0 else "D"
        size = 6.0 if len(dots) <= _CROWD else 4.0
        ax.plot(*chosen.T, marker, color=color, label=name, zorder=4, markersize=size)
        for dot, end, d in zip(chosen, values(h.project(chosen)), values(h.distance(chosen)), strict=True):
            thin = 1.0 if len(dots) <= _CROWD else 0.5
            ax.plot([dot[0], end[0]], [dot[1], end[1]], color=color, linewidth=thin, linestyle=":")
            texts.append((dot, f"{d:+.2f}", color))
    if len(dots) > _CROWD:  # the two ends of each side say enough
        texts = _outermost(texts)
    if texts:
        places, words, colors = zip(*texts, strict=True)
        labels(ax, np.array(places), words, colors)
    legend(ax)
    return finished(fig, [ax], look)


def _outermost(texts: list[tuple[Any, str, str]]) -> list[tuple[Any, str, str]]:
    """The nearest and the farthest point of each side."""
    found = []
    for color in (BLUE, RED):
        mine = sorted((t for t in texts if t[2] == color), key=lambda t: abs(float(t[1])))
        found += mine[:1] + mine[1:][-1:]
    return found


def unit_balls(orders: Sequence[float] = (1, 1.5, 2, 4, np.inf), **look: Unpack[Look]) -> Any:
    """The unit balls of Lp norms in the plane, and the gradient of each norm on its own sphere.

    Arguments: orders p >= 1, `inf` for the largest component. Returns a matplotlib Figure.
    The gradient is across the ball's surface; at a corner it is the subgradient that the library takes.

    >>> import numpy as np
    >>> import tinygrad_math as tm
    >>> figure = tm.viz.unit_balls([1, 2, np.inf])
    """
    count = len(orders)
    columns = min(count, 3)
    fig, axes = figure(columns, -(-count // columns), size=3.4, **look)
    turn = np.linspace(0, 2 * np.pi, 361)
    rays = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    for k, (ax, p) in enumerate(zip(axes, orders, strict=False)):
        color = PALETTE[k % len(PALETTE)]
        sphere = rays / values(distance(rays, ord=p))[:, None]
        plane(
            ax,
            1.75,
            "$L_{\\infty}$: $\\max_i |x_i| = 1$" if np.isinf(p) else f"$L_{{{p:g}}}$: $\\|x\\|_{{{p:g}}} = 1$",
        )
        ax.fill(*sphere.T, color=color, alpha=0.15, linewidth=0)
        ax.plot(*sphere.T, color=color, linewidth=1.8)
        starts = sphere[10:361:24]
        slopes = values(grad(lambda x, p=p: rec.sum(distance(x, ord=p)))(starts))
        ax.quiver(
            *starts.T, *(0.42 * slopes).T, color=BLACK, angles="xy", scale_units="xy", scale=1, width=0.007, zorder=4
        )
    for ax in axes[count:]:
        ax.remove()
    if "ax" not in look:
        fig.suptitle("unit balls, and the gradient of the norm", fontsize=11)
    return finished(fig, axes[:count], look)


def _right_angle(ax: Any, corner: Any, one: Any, other: Any, size: float = 0.12) -> None:
    """The little square that marks a right angle."""
    lengths = np.linalg.norm(one), np.linalg.norm(other)
    if min(lengths) < 3 * size:
        return
    u, v = size * one / lengths[0], size * other / lengths[1]
    ax.plot(*np.stack([corner + u, corner + u + v, corner + v]).T, color=GREY, linewidth=1)


def _free_place(foot: Any, along: Any, dots: Any, reach: float) -> Any:
    """The point of the line farthest from where the dots and their feet lie, inside the picture."""
    candidates = foot + np.linspace(-reach, reach, 41)[:, None] * along
    candidates = candidates[np.abs(candidates).max(axis=1) <= reach]
    if not len(dots) or not len(candidates):
        return foot
    places = (dots - foot) @ along
    gaps = np.abs((candidates - foot) @ along - places[:, None]).min(axis=0)
    return candidates[np.argmax(np.minimum(gaps, 0.25 * reach))]
