"""The two plots of the demo."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import MissingExtra, installing
from .study import Study

BLUE, ORANGE, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "#666666"  # Okabe and Ito


def _figure(width: float, height: float, columns: int) -> tuple[Any, Any]:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra(f"plots need matplotlib: {installing('viz')}") from error
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(1, columns)


def training(s: Study) -> Any:
    """Loss, distance to the least-squares W, and gradient norms, over the steps."""
    figure, (left, middle, right) = _figure(12, 3.6, 3)
    left.plot(s.steps, s.losses, color=BLUE)
    best = float(np.mean((s.x @ s.least_squares.T - s.y) ** 2))
    left.axhline(best, color=GREY, linewidth=0.8, linestyle="--", label=f"least squares, {best:.4f}")
    left.set(xlabel="step", ylabel="mean squared error (cm²)", title="Loss", yscale="log")
    left.legend(frameon=False)
    middle.plot(s.steps, s.gaps, color=BLUE)
    middle.axhline(1e-6, color=GREY, linewidth=0.8, linestyle="--", label="goal, 1e-6")
    middle.set(xlabel="step", ylabel="largest |W2 W1 - W|", title="Distance to the least-squares W", yscale="log")
    middle.legend(frameon=False)
    for norms, color, style, name in zip(zip(*s.norms), (ORANGE, GREEN), ("-", "--"), ("W1", "W2")):
        right.plot(s.steps, norms, color=color, linestyle=style, label=f"‖dL/d{name}‖")
    right.set(xlabel="step", ylabel="norm of the gradient", title="What each layer is told", yscale="log")
    right.legend(frameon=False)
    return figure


def unit_circle(s: Study) -> Any:
    """What W does to the unit circle: an ellipse whose axes are the singular directions."""
    figure, (before, after) = _figure(10, 5, 2)
    angle = np.linspace(0, 2 * np.pi, 200)
    circle = np.stack([np.cos(angle), np.sin(angle)])
    u, sigma, vh = np.linalg.svd(s.w)
    before.plot(*circle, color=GREY)
    after.plot(*(s.w @ circle), color=GREY)
    for k, color in enumerate((BLUE, ORANGE)):
        _arrow(before, vh[k], color, f"v{k + 1}")
        _arrow(after, sigma[k] * u[:, k], color, f"{sigma[k]:.2f} u{k + 1}")
    before.set(xlabel="sepal length (cm)", ylabel="sepal width (cm)", title="The unit circle of x")
    after.set(xlabel="petal length (cm)", ylabel="petal width (cm)", title="y = W x: an ellipse")
    for axes in (before, after):
        axes.set_aspect("equal", adjustable="datalim")
        axes.axhline(0, color=GREY, linewidth=0.4)
        axes.axvline(0, color=GREY, linewidth=0.4)
        axes.margins(0.15)
    return figure


def _arrow(axes: Any, v: Any, color: str, text: str) -> None:
    axes.annotate("", xy=v, xytext=(0, 0), arrowprops={"arrowstyle": "-|>", "color": color, "lw": 2})
    away = 14 * np.asarray(v) / max(float(np.linalg.norm(v)), 1e-9)
    axes.annotate(text, xy=v, xytext=away, textcoords="offset points", color=color, ha="center", va="center")
