"""The pictures of a training's report."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.mode import no_grad
from ..viz.pictures.canvas import BLACK, GREY, PALETTE, figure


def _plain(ax: Any, title: str, x: str, y: str) -> None:
    ax.set(xlabel=x, ylabel=y)
    ax.set_title(title, fontsize=10)
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=8)
    if x == "epoch":
        ax.xaxis.get_major_locator().set_params(integer=True)


def curves(history: Any) -> Any:
    """Loss, measures and step size over the epochs."""
    names = list(history[-1])
    measures = [n for n in names if n.startswith("val_") and n != "val_loss"]
    fig, axes = figure(columns=2 + bool(measures), size=3.8)
    epochs = history["epoch"]
    for name, color in (("loss", PALETTE[0]), ("val_loss", PALETTE[1])):
        axes[0].plot(epochs, history[name], color=color, label="training" if name == "loss" else "test")
    if min(history["loss"] + history["val_loss"]) > 0:
        axes[0].set_yscale("log")
    axes[0].legend(frameon=False)
    _plain(axes[0], "Loss", "epoch", "")
    for ax, name in zip(axes[1:], measures, strict=False):
        ax.plot(epochs, history[name], color=PALETTE[2])
        _plain(ax, f"{name.removeprefix('val_')} on the test data", "epoch", "")
    axes[-1].plot(epochs, history["lr"], color=GREY)
    axes[-1].set_ylim(bottom=0)
    _plain(axes[-1], "Step size", "epoch", "lr")
    return fig


def gradients(rows: list[dict[str, float]]) -> Any:
    """The norm of each parameter's gradient over the epochs."""
    fig, (ax,) = figure(size=4.4)
    fig.set_size_inches(8.4, 4.4)
    for k, name in enumerate(rows[-1]):
        norms = np.array([row.get(name, np.nan) for row in rows])
        values = np.where(norms > 0, norms, np.nan)  # a logarithm has no place for 0
        label = name if np.isfinite(values).any() or np.isnan(norms).all() else f"{name}: 0 throughout"
        style = ("-", "--", ":")[k // len(PALETTE) % 3]
        ax.plot(np.arange(1, len(rows) + 1), values, style, color=PALETTE[k % len(PALETTE)], label=label)
    ax.set_yscale("log")
    ax.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    _plain(ax, "Norm of the gradient, a line a parameter", "epoch", "")
    return fig


def boundary(model: Any, train: Any, test: Any) -> Any:
    """Which class the network gives every point of the plane, with the data."""
    fig, (ax,) = figure(size=5.2)
    points = np.concatenate([train[0], test[0]])
    low, high = points.min(0) - 0.3, points.max(0) + 0.3
    a, b = (np.linspace(lo, hi, 240) for lo, hi in zip(low, high, strict=True))
    grid = np.stack(np.meshgrid(a, b), axis=-1).reshape(-1, 2)
    with no_grad():
        scores = model.eval()(grid).softmax(axis=-1).numpy()
    classes = scores.shape[1]
    colors = np.array([[int(PALETTE[k][i : i + 2], 16) / 255 for i in (1, 3, 5)] for k in range(classes)])
    sure = np.clip((scores.max(1) - 1 / classes) / (1 - 1 / classes), 0, 1)[:, None]
    shade = 1 - (1 - colors[scores.argmax(1)]) * 0.45 * sure
    ax.imshow(
        shade.reshape(len(b), len(a), 3), extent=(low[0], high[0], low[1], high[1]), origin="lower", aspect="auto"
    )
    for k in range(classes):
        for part, marker in ((train, "o"), (test, "^")):
            mine = part[0][part[1] == k]
            ax.scatter(*mine.T, s=12, color=PALETTE[k], marker=marker, edgecolor="white", linewidth=0.4)
    ax.set_aspect("equal", adjustable="box")
    _plain(ax, "What it answers: deeper where surer; triangles are test data", "x1", "x2")
    return fig


def confusion(model: Any, test: Any, names: list[str]) -> Any:
    """How often each class was taken for which."""
    with no_grad():
        found = model.eval()(test[0]).numpy().argmax(1)
    counts = np.zeros((len(names), len(names)), int)
    np.add.at(counts, (test[1], found), 1)
    fig, (ax,) = figure(size=5.2)
    most = max(3, counts[~np.eye(len(names), dtype=bool)].max())
    ax.imshow(np.where(np.eye(len(names)), np.nan, counts), cmap="Reds", vmin=0, vmax=most)
    for i, j in np.ndindex(*counts.shape):
        if counts[i, j]:
            colour = GREY if i == j else "white" if counts[i, j] > most / 2 else BLACK
            ax.text(j, i, counts[i, j], ha="center", va="center", fontsize=9, color=colour)
    ax.set_xticks(range(len(names)), names)
    ax.set_yticks(range(len(names)), names)
    _plain(ax, f"{(found != test[1]).sum()} of {len(found)} wrong", "taken for", "is")
    return fig


def against(model: Any, test: Any, extra: Any) -> Any:
    """Predicted numbers against true ones."""
    with no_grad():
        found = model.eval()(test[0]).numpy()
    scale, shift = extra.get("spread", 1.0), extra.get("centre", 0.0)
    fig, (ax,) = figure(size=4.8)
    truth, found = test[1] * scale + shift, found * scale + shift
    for k in range(truth.shape[1]):
        ax.scatter(truth[:, k], found[:, k], s=14, color=PALETTE[k], label=f"y{k + 1}")
    ends = [min(truth.min(), found.min()), max(truth.max(), found.max())]
    ax.plot(ends, ends, color=GREY, linewidth=0.8, linestyle="--")
    if truth.shape[1] > 1:
        ax.legend(frameon=False)
    _plain(ax, "Prediction against truth, on the test data", "truth", "prediction")
    return fig
