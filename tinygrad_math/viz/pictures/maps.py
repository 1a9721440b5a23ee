"""Pictures of matrices as maps, and of bases."""

from __future__ import annotations

from typing import Any, Unpack

import numpy as np

from ...core.errors import ShapeError, describe
from ...linalg.bases import Basis
from ...linalg.eigen_general import eigenpairs
from .canvas import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    Look,
    arrow,
    circle,
    figure,
    finished,
    given,
    plane,
    values,
)


def matrix_map(matrix: Any, **look: Unpack[Look]) -> Any:
    """What a 2x2 matrix does: grid and unit circle before and after, eigenvectors, determinant, singular values.

    Arguments: matrix of shape (2, 2). Returns a matplotlib Figure. The unit square becomes a parallelogram whose
    area is |det|; the unit circle becomes an ellipse whose half-axes are the singular values; an eigenvector keeps
    its line.

    >>> import tinygrad_math as tm
    >>> figure = tm.viz.matrix_map([[0.0, 3.0], [2.0, 1.0]])
    """
    a = given("matrix_map", matrix)
    if a.shape != (2, 2):
        raise ShapeError(f"matrix_map draws the plane and needs a 2x2 matrix, got {describe(a)}")
    fig, (before, after) = figure(2, **look)
    u, s, vt = np.linalg.svd(a)
    eigenvalues, eigenvectors = eigenpairs(a)
    det = np.linalg.det(a)
    wide = 1.25 * max(1.6, s[0], np.abs(a).sum(axis=1).max())
    near = wide < 3.2  # on one scale, so that a circle that is turned stays as large as it was
    plane(before, wide if near else 1.9, "before: unit square, unit circle" + ("" if near else ", on a larger scale"))
    plane(after, wide, f"after: det = {det:.3g}, singular values {s[0]:.3g}, {s[1]:.3g}")
    square = np.array([[0, 1, 1, 0, 0], [0, 0, 1, 1, 0]], float)
    for ax, m in ((before, np.eye(2)), (after, a)):
        _grid(ax, m, SKY, 0.5)
        ax.fill(*(m @ square), color=ORANGE, alpha=0.35, linewidth=0, label="unit square and its image (area |det|)")
        ax.plot(*(m @ circle()), color=BLUE, linewidth=1.6, label="unit circle and its image")
    for k in range(2):
        half = s[k] * u[:, k]
        name = "what becomes the half-axes (singular vectors)" if k == 0 else None
        after.plot([0, half[0]], [0, half[1]], color=PURPLE, linewidth=2, linestyle="--", label=name)
        before.plot([0, vt[k, 0]], [0, vt[k, 1]], color=PURPLE, linewidth=2, linestyle="--", label=name)
    if np.isrealobj(eigenvalues):
        count = 1 if abs(np.linalg.det(eigenvectors)) < 1e-7 else 2
        for k in range(count):
            v = eigenvectors[:, k]
            v = v if v[np.argmax(np.abs(v))] > 0 else -v
            turned = -1.0 if eigenvalues[k] < 0 else 1.0
            arrow(before, v, RED if k else GREEN, f"$v_{k + 1}$")
            arrow(after, a @ v, RED if k else GREEN, f"${_factor(eigenvalues[k])}v_{k + 1}$", side=turned)
    else:
        angle = np.degrees(np.angle(eigenvalues[0]))
        before.set_title(f"before: no real eigenvector (eigenvalues turn by ±{abs(angle):.3g}°)", fontsize=9)
    lines, names = before.get_legend_handles_labels()
    fig.legend(lines, names, loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    return finished(fig, [before, after], look)


def change_of_basis(basis: Any, v: Any, other: Any = None, **look: Unpack[Look]) -> Any:
    """One vector in two bases: the coordinates of v count steps along the lines of each grid.

    Arguments: basis, a `Basis` or a (2, 2) matrix of columns; v of shape (2,); other, the basis on the left, by
    default the standard one. Returns a matplotlib Figure.

    >>> import tinygrad_math as tm
    >>> figure = tm.viz.change_of_basis(tm.linalg.Basis([[1.0, -0.5], [0.5, 1.0]]), [1.0, 2.0])
    """
    right = basis if isinstance(basis, Basis) else Basis(basis)
    left = Basis(np.eye(2)) if other is None else other if isinstance(other, Basis) else Basis(other)
    point = given("change_of_basis", v)
    if point.shape != (2,) or right.dim != 2 or left.dim != 2:
        raise ShapeError(f"change_of_basis draws the plane; got a vector {describe(point)} and {right!r}")
    fig, axes = figure(2, **look)
    reach = max(np.abs(values(b.matrix)).max() for b in (left, right))
    wide = 1.2 * max(1.3 * reach, float(np.abs(point).max()), 1.0)
    for ax, b, name in ((axes[0], left, "e" if other is None else "a"), (axes[1], right, "b")):
        m, c = values(b.matrix), values(b.coordinates(point))
        plane(ax, wide, f"$v = {c[0]:.3g}\\,{name}_1 {'+' if c[1] >= 0 else '-'} {abs(c[1]):.3g}\\,{name}_2$")
        _grid(ax, m, SKY)
        corner = c[0] * m[:, 0]
        ax.plot([0, corner[0]], [0, corner[1]], color=BLUE, linewidth=5, alpha=0.25, solid_capstyle="butt")
        ax.plot(
            [corner[0], point[0]], [corner[1], point[1]], color=GREEN, linewidth=5, alpha=0.25, solid_capstyle="butt"
        )
        arrow(ax, m[:, 0], BLUE, f"${name}_1$", side=-1.0)
        arrow(ax, m[:, 1], GREEN, f"${name}_2$")
        arrow(ax, point, BLACK, "$v$", side=-1.0)
    return finished(fig, axes, look)


def dft_basis(n: int = 8, **look: Unpack[Look]) -> Any:
    """The Fourier basis of C^n: real and imaginary part of each basis vector, one frequency a row.

    Returns a matplotlib Figure. The dots are the components; the curves through them show the frequency.

    >>> import tinygrad_math as tm
    >>> figure = tm.viz.dft_basis(4)
    """
    f = np.asarray(Basis.fourier(n).matrix)
    fig, axes = figure(2, n, size=1.0, **look)
    if "figsize" not in look:
        fig.set_size_inches(7.6, 0.85 * n + 0.9)
    t, fine = np.arange(n), np.linspace(0, n - 1, 40 * n)
    top = 1.35 / np.sqrt(n)
    for k in range(n):
        turns = k if k <= n // 2 else k - n  # the slower of the two frequencies that the dots cannot tell apart
        wave = np.exp(2j * np.pi * turns * fine / n) / np.sqrt(n)
        for ax, dots, curve, color in (
            (axes[2 * k], f[:, k].real, wave.real, BLUE),
            (axes[2 * k + 1], f[:, k].imag, wave.imag, RED),
        ):
            ax.plot(fine, curve, color=color, linewidth=0.8, alpha=0.5)
            ax.vlines(t, 0, dots, color=color, linewidth=1.4)
            ax.plot(t, dots, "o", color=color, markersize=4)
            ax.axhline(0, color=GREY, linewidth=0.6, zorder=0)
            ax.set(ylim=(-top, top), xticks=t if k == n - 1 else [], yticks=[])
            for side in ("top", "right", "bottom"):
                ax.spines[side].set_visible(False)
        axes[2 * k].set_ylabel(f"$k = {k}$", fontsize=9, rotation=0, ha="right", va="center")
    for ax, part in zip(axes[:2], ("real part", "imaginary part"), strict=True):
        ax.set_title(part, fontsize=10)
    for ax in axes[-2:]:
        ax.set_xlabel("time $t$", fontsize=9)
    fig.suptitle(f"Fourier basis of $C^{{{n}}}$: $e^{{2\\pi i k t/{n}}}/\\sqrt{{{n}}}$", fontsize=11)
    return finished(fig, axes, look)


def _factor(value: float) -> str:
    """An eigenvalue as a factor: nothing for 1."""
    text = f"{value:.3g}"
    return "" if text == "1" else "-" if text == "-1" else rf"{text}\,"


def _grid(ax: Any, m: Any, color: str, step: float = 1.0, reach: float = 12.0) -> None:
    """The images of the lines at whole multiples of a step."""
    ends = np.array([-reach, reach])
    for k in np.arange(-reach, reach + step, step):
        level = np.full(2, k)
        ax.plot(*(m @ np.stack([ends, level])), color=color, linewidth=0.6, alpha=0.6, zorder=0)
        ax.plot(*(m @ np.stack([level, ends])), color=color, linewidth=0.6, alpha=0.6, zorder=0)
