"""Run the demo: train, print, draw, write."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import MathError, MissingExtra, installing
from . import pictures, report
from .study import Study, study


def run(out: str | os.PathLike[str] = "demo_output") -> Study:
    """Train the network, print what it shows, and write report.html, graph.svg, training.png and unit_circle.png.

    Raises MathError if the folder cannot be written, MissingExtra if matplotlib or rich is not installed.
    """
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "report.html").write_text("", encoding="utf-8")
    except OSError as error:
        raise MathError(f"cannot write into {folder}: {error.strerror or error}; choose another --out") from error
    console = _console()
    s = study(progress=_bar)
    _print(console, s)
    assert s.drawing is not None
    saved = s.drawing.save(folder / "graph.svg")
    plots = {
        name: _png(figure)
        for name, figure in (("training", pictures.training(s)), ("unit_circle", pictures.unit_circle(s)))
    }
    for name, png in plots.items():
        (folder / f"{name}.png").write_bytes(png)
    page = report.page(s, saved.read_text(encoding="utf-8"), plots["training"], plots["unit_circle"])
    (folder / "report.html").write_text(page, encoding="utf-8")
    console.print(f"Wrote {folder}/: report.html (read this), {saved.name}, training.png, unit_circle.png")
    return s


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def _console() -> Any:
    try:
        from rich.console import Console
    except ImportError as error:
        raise MissingExtra(f"the demo needs rich and matplotlib: {installing('viz')}") from error
    return Console(highlight=False)


def _bar(steps: Iterator[int], total: int) -> Iterator[int]:
    """The steps, with a bar that ends when the goal is met."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("training"), BarColumn(), TextColumn("step {task.completed}"), TimeElapsedColumn())
    with Progress(*columns, transient=False) as progress:
        task = progress.add_task("training", total=None)
        for step in steps:
            yield step
            progress.update(task, completed=step + 1)
        progress.update(task, total=total)


def _print(console: Any, s: Study) -> None:
    from rich.table import Table

    console.print(
        f"\n[bold]y = W2 W1 x[/bold] on {len(s.x)} irises: sepal (length, width) to petal (length, width), "
        "in cm, centred\n"
    )
    console.print("W2 W1, learned in " + f"{len(s.steps)} steps:")
    console.print(report.matrix(s.w, 6), markup=False)
    console.print("W by least squares:")
    console.print(report.matrix(s.least_squares, 6), markup=False)
    console.print(f"largest difference {s.gaps[-1]:.1e}; loss {s.losses[0]:.4f} -> {s.losses[-1]:.4f} cm²\n")
    console.print(report.product_views(s) + "\n", markup=False)
    table = Table("step", "loss", "‖dL/dW1‖", "‖dL/dW2‖", "|W2 W1 - W|", title="Training")
    for k in sorted({0, *np.linspace(0, len(s.steps) - 1, 8).astype(int).tolist()}):
        table.add_row(str(k), f"{s.losses[k]:.6f}", *(f"{n:.2e}" for n in s.norms[k]), f"{s.gaps[k]:.2e}")
    console.print(table)
    checks = Table("weight", "chain rule", "finite differences", "distance", title="The gradient at the start")
    for name, a, b, d in report.gradient_rows(s):
        checks.add_row(name, f"{a:.9f}", f"{b:.9f}", f"{d:.1e}")
    console.print(checks)
    top = float(np.linalg.eigvalsh(s.curvature)[-1])
    console.print(
        f"H v by one tape and two walks, against the dense Hessian: {np.abs(s.product - s.dense).max():.1e} apart"
    )
    console.print(
        f"largest eigenvalue by power iteration on H v alone: {s.power[-1]:.9f} ({len(s.power)} products); "
        f"dense: {top:.9f}\n"
    )
