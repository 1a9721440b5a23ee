"""Pictures of the four subspaces of a matrix."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np

from ...core.errors import ShapeError, describe
from ...linalg.subspaces import Subspace, fundamental_subspaces
from .canvas import BLUE, GREEN, ORANGE, RED, Look, figure, finished, given, plane, space, values


def four_subspaces(matrix: Any, **look: Unpack[Look]) -> Any:
    """The four subspaces of a matrix: row and null space on the left, column and left null space on the right.

    Arguments: matrix of shape (m, n) with m and n from 1 to 3. Returns a matplotlib Figure. On each side the two
    subspaces are orthogonal, and their dimensions add up to that of the space.

    >>> import tinygrad_math as tm
    >>> figure = tm.viz.four_subspaces([[1.0, 0.0], [2.0, 3.0], [1.0, 3.0]])
    """
    a = given("four_subspaces", matrix)
    if a.ndim != 2 or not all(1 <= s <= 3 for s in a.shape):
        raise ShapeError(f"four_subspaces draws up to three dimensions; got {describe(a)}")
    four = fundamental_subspaces(a)
    fig, axes = figure(2, **look)
    fig.set_layout_engine("none")  # no engine knows how much room the labels of a 3-D box take
    sides = (
        (a.shape[1], "$R^{}$, where $x$ lives", (four.row, "row space", BLUE), (four.null, "null space", RED)),
        (
            a.shape[0],
            "$R^{}$, where $Ax$ lives",
            (four.column, "column space", GREEN),
            (four.left_null, "left null space", ORANGE),
        ),
    )
    for k, (n, title, *pair) in enumerate(sides):
        ax, place = axes[k], (0.07 + 0.5 * k, 0.2, 0.38, 0.65)
        ax.set_position(place)
        if n == 3:
            ax.remove()
            ax = fig.add_axes(place, projection="3d")
            space(ax, 1.5, title.format(n))
            elevation, azimuth = _view([s for s, _, _ in pair])
            ax.view_init(elev=elevation, azim=azimuth)
        else:
            plane(ax, 1.5, title.format(n))
            if n == 1:
                ax.set(yticks=[], ylabel="")
        for subspace, name, color in pair:
            _draw(ax, subspace, f"{name}, dimension {subspace.dim}", color)
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, fontsize=8, frameon=False)
    same = a.shape[0] == a.shape[1] and _same(four.row, four.column)
    remark = "; the row space is the column space, and so both sides are alike" if same else ""
    fig.suptitle(f"rank {four.rank} + nullity {four.nullity} = {a.shape[1]}{remark}", fontsize=11)
    return finished(fig, [*fig.axes], look)


def _same(s: Subspace, t: Subspace) -> bool:
    """Whether two subspaces are one: their projections are."""
    a, b = values(s.basis), values(t.basis)
    return 0 < s.dim < s.ambient and s.dim == t.dim and bool(np.allclose(a @ a.T, b @ b.T, atol=1e-9))


def _view(pair: list[Subspace]) -> tuple[float, float]:
    """A view in which the line is neither seen end on nor hides in the plane's edge."""
    line = next((values(s.basis)[:, 0] for s in pair if s.dim == 1), None)
    views = [(e, a) for e in (22.0, 38.0) for a in (-60.0, -35.0, -80.0, -120.0, -145.0)]
    if line is None:
        return views[0]

    def slant(view: tuple[float, float]) -> float:
        e, a = np.radians(view)
        return float(abs(abs(line @ [np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)]) - 0.4))

    return min(views, key=slant)


def _draw(ax: Any, s: Subspace, name: str, color: str, reach: float = 1.4) -> None:
    """A point, a line, a patch of a plane, or the whole space."""
    b = values(s.basis)
    if s.ambient == 1:
        b = np.vstack([b, np.zeros((1, s.dim))])
    m = len(b)
    if s.dim == 0:
        ax.plot(*np.zeros((m, 1)), "o", color=color, label=name, zorder=5, markersize=7)
    elif s.dim == 1:
        ax.plot(*(b * [[-reach, reach]]), color=color, linewidth=2.6, label=name, zorder=4)
    elif s.dim == 2:
        square = np.array([[-1, 1, 1, -1], [-1, -1, 1, 1]])
        corners = (reach / np.sqrt(2)) * b @ square  # turned in space, it stays inside the box
        if m == 2:
            ax.fill(*(reach * square), color=color, alpha=0.22, linewidth=0, label=name)
        else:
            from mpl_toolkits.mplot3d.art3d import Poly3DCollection

            ax.add_collection3d(Poly3DCollection([corners.T], facecolor=color, edgecolor=color, alpha=0.3, label=name))
    else:
        _cube(ax, color, name, reach)


def _cube(ax: Any, color: str, name: str, reach: float) -> None:
    """All of space, as the edges of a box."""
    ends = np.array([-reach, reach])
    for axis in range(3):
        for p in ends:
            for q in ends:
                line = np.insert(np.array([[p, p], [q, q]]), axis, ends, axis=0)
                ax.plot(*line, color=color, linewidth=1.2, label=name if (axis, p, q) == (0, -reach, -reach) else None)
