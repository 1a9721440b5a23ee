"""What all pictures share: figures that leave nothing behind, colours all can tell apart, arrows with names.

Figures are made without pyplot, so no window opens and no global list keeps them. Colours are those of
Okabe and Ito (2008), which stay distinct for every kind of colour blindness.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any, TypedDict, Unpack

import numpy as np

from ...core.errors import ArgumentError, DTypeError, MissingExtra, describe, installing
from ...core.tensor import Tensor

BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, YELLOW, BLACK, GREY = "#CC79A7", "#56B4E9", "#F0E442", "#000000", "#9A9A9A"
PALETTE = (BLUE, RED, GREEN, PURPLE, ORANGE, SKY, BLACK)


class Look(TypedDict, total=False):
    """What every picture can be told: `title`, `figsize` in inches, `labels` of the axes, and `ax` to draw into, of a
    figure of the caller's, for pictures that have one part."""

    ax: Any
    title: str
    figsize: tuple[float, float]
    labels: tuple[str, ...]


def figure(
    columns: int = 1, rows: int = 1, size: float = 4.6, spatial: bool = False, **look: Unpack[Look]
) -> tuple[Any, list[Any]]:
    """A Figure, which a notebook shows by itself, and its axes, row by row.

    Raises MissingExtra without matplotlib, ArgumentError for what no picture can be told.
    """
    unknown = look.keys() - Look.__annotations__.keys()
    if unknown:
        raise ArgumentError(
            f"a picture has no {', '.join(sorted(unknown))}; it takes {', '.join(Look.__annotations__)}"
        )
    given = look.get("ax")
    if given is not None:
        if columns * rows != 1:
            raise ArgumentError(f"this picture has {columns * rows} parts, which one ax cannot hold; leave ax out")
        return given.figure, [given]
    try:
        from matplotlib.figure import Figure
    except ImportError as missing:
        raise MissingExtra(f"pictures are drawn by matplotlib; {installing('viz')}") from missing
    fig: Any = Figure(figsize=(size * columns, size * rows + 0.4), dpi=110)
    fig.set_layout_engine("constrained", w_pad=0.12, h_pad=0.12)
    if "figsize" in look:
        fig.set_size_inches(*look["figsize"])
    fig._repr_png_ = partial(_png, fig)
    fig.show = partial(_show, fig)
    projection = {"projection": "3d"} if spatial else {}
    axes = [fig.add_subplot(rows, columns, k + 1, **projection) for k in range(columns * rows)]
    return fig, axes


def finished(fig: Any, axes: Sequence[Any], look: Look) -> Any:
    """The figure with the title and the labels that the caller wants in the place of the usual ones."""
    for ax in axes if "labels" in look else ():
        names = ("xlabel", "ylabel", "zlabel")[: 3 if hasattr(ax, "zaxis") else 2]
        ax.set(**dict(zip(names, look.get("labels", ()), strict=False)))
    if "title" in look and len(axes) == 1:
        axes[0].set_title(look["title"], fontsize=10)
    elif "title" in look:
        fig.suptitle(look["title"], fontsize=11)
    return fig


def _show(fig: Any) -> None:
    """Show the figure: in a notebook in its place, else in a window where Matplotlib has one."""
    if "ipykernel" in sys.modules:
        from IPython.display import display

        display(fig)
        return
    from matplotlib import get_backend, pyplot

    if get_backend().lower() == "agg":
        return  # without a screen
    window = pyplot.figure()
    manager = window.canvas.manager
    if manager is not None:
        manager.canvas.figure = fig
        fig.set_canvas(manager.canvas)
        pyplot.show()


def _png(fig: Any) -> bytes:
    """The figure as the bytes of a PNG file."""
    stream = io.BytesIO()
    fig.savefig(stream, format="png")
    return stream.getvalue()


def values(x: Any) -> np.ndarray[Any, Any]:
    """The numbers of an array or Tensor, for drawing."""
    return np.asarray(x.detach() if isinstance(x, Tensor) else x, dtype=float)


def given(asker: str, x: Any) -> np.ndarray[Any, Any]:
    """The numbers that a picture is asked to draw. Raises ArgumentError where one of them has no place in it."""
    a = np.asarray(x.detach() if isinstance(x, Tensor) else x)
    if a.dtype.kind not in "fiub":
        raise DTypeError(f"{asker} draws real numbers, got {describe(a)}")
    a = a.astype(float)
    if not np.isfinite(a).all():
        raise ArgumentError(f"{asker} draws finite numbers, and NaN or an infinity is among {a.tolist()!r:.80}")
    return a


def plane(ax: Any, limit: float, title: str = "", labels: tuple[str, str] = ("$x_1$", "$x_2$")) -> None:
    """A coordinate plane from -limit to limit: equal aspect, thin axes through the origin."""
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xlabel=labels[0], ylabel=labels[1])
    ax.locator_params(nbins=7)
    ax.axhline(0, color=GREY, linewidth=0.7, zorder=0)
    ax.axvline(0, color=GREY, linewidth=0.7, zorder=0)
    ax.tick_params(labelsize=8)
    ax.set_title(title, fontsize=10)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def space(ax: Any, limit: float, title: str = "") -> None:
    """Coordinate space from -limit to limit, with equal aspect."""
    ax.set(xlim=(-limit, limit), ylim=(-limit, limit), zlim=(-limit, limit))
    ax.set(xlabel="$x_1$", ylabel="$x_2$", zlabel="$x_3$", box_aspect=(1, 1, 1))
    ax.set(xticks=[-1, 0, 1], yticks=[-1, 0, 1], zticks=[-1, 0, 1])
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.set_rotate_label(False)
    ax.tick_params(labelsize=7, pad=0)
    ax.set_title(title, fontsize=10)


def arrow(
    ax: Any, tip: Any, color: str, name: str = "", tail: Any = (0.0, 0.0), style: str = "-", side: float = 1.0
) -> None:
    """An arrow from tail to tip with its name beside the tip; `side` is -1 to have it on the other side."""
    tip, tail = np.asarray(tip, float), np.asarray(tail, float)
    ax.annotate(
        "",
        xy=tip,
        xytext=tail,
        arrowprops={
            "arrowstyle": "-|>",
            "color": color,
            "linewidth": 1.9,
            "linestyle": style,
            "shrinkA": 0,
            "shrinkB": 0,
        },
        zorder=4,
    )
    if name:
        along = tip - tail
        along = along / (np.linalg.norm(along) or 1.0)
        across = side * np.array([-along[1], along[0]])
        label(ax, tip, name, color, 12 * across + 6 * along)


def label(ax: Any, at: Any, text: str, color: str = BLACK, offset: Sequence[float] | Any = (0.0, 0.0)) -> None:
    """Text at a point, moved by an offset in points, on a pale ground so that lines below do not disturb it."""
    ground = {"boxstyle": "round,pad=0.12", "facecolor": "white", "edgecolor": "none", "alpha": 0.9}
    ax.annotate(
        text,
        xy=tuple(at),
        xytext=tuple(offset),
        textcoords="offset points",
        color=color,
        fontsize=9,
        ha="center",
        va="center",
        bbox=ground,
        zorder=5,
    )


def labels(ax: Any, points: Any, texts: Sequence[str], colors: Sequence[str], away: float = 15.0) -> None:
    """A text beside each point, each on the side with the most room."""
    box, (low, high) = ax.get_window_extent(), ax.get_xlim()
    scale = 72 / ax.figure.dpi * box.width / (high - low)  # points on paper for one unit of the axes
    dots = np.asarray(points, float) * scale
    around = away * circle(9)[:, :8].T * [1.4, 1.0]  # text is wider than high
    taken = list(dots)
    for k, (dot, text) in enumerate(zip(dots, texts, strict=True)):
        others = np.array([t for j, t in enumerate(taken) if j != k] or [dot + 1e3])
        gaps = np.abs(dot + around - others[:, None]) / [1.6, 1.0]
        best = around[np.argmax(np.minimum(gaps.max(axis=2).min(axis=0), 2 * away))]
        label(ax, points[k], text, colors[k], best)
        taken.append(dot + best)


def window(ax: Any, points: Any, margin: float = 0.25) -> None:
    """Show just a square that holds these points of shape (k, 2), and the origin's axes with them."""
    low, high = np.min(points, axis=0), np.max(points, axis=0)
    middle, half = (low + high) / 2, (0.5 + margin) * float((high - low).max())
    ax.set(xlim=middle[0] + np.array([-half, half]), ylim=middle[1] + np.array([-half, half]))


def legend(ax: Any, columns: int = 2) -> None:
    """A legend below the axes, where it covers nothing."""
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=columns, fontsize=8, frameon=False)


def circle(count: int = 241) -> np.ndarray[Any, Any]:
    """Points of the unit circle, shape (2, count)."""
    t = np.linspace(0, 2 * np.pi, count)
    return np.stack([np.cos(t), np.sin(t)])
