"""What a training leaves behind: pictures, the drawn graph, and a page that shows them."""

from __future__ import annotations

import base64
import html
import io
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .. import random
from ..core.errors import FileError
from ..core.mode import no_grad
from ..demo.report import _STYLE
from ..nn.module import Module
from ..train.history import History
from ..train.placed import forward
from ..viz.graph import graph
from ..viz.page import page as whole_page
from ..viz.svg import within
from . import pictures
from .tasks import Task


class Result(NamedTuple):
    """A training that is over."""

    name: str
    task: Task
    model: Module
    train: Any
    test: Any
    extra: dict[str, Any]
    history: History
    norms: list[dict[str, float]]
    settings: dict[str, Any]


def write(out: Path, r: Result) -> list[str]:
    """The files of the report; their names. Raises FileError, MissingExtra without matplotlib."""
    drawn = {"curves": pictures.curves(r.history), "gradients": pictures.gradients(r.norms)}
    words = {
        "curves": "Loss and measures over the epochs",
        "gradients": "Gradient norms by parameter over the epochs",
    }
    if r.task.kind == "plane":
        drawn["boundary"] = pictures.boundary(r.model, r.train, r.test)
        words["boundary"] = "The decision boundary"
    elif r.task.kind == "classes":
        drawn["confusion"] = pictures.confusion(r.model, r.test, r.extra["names"])
        words["confusion"] = "The confusion matrix"
    elif r.task.kind == "numbers":
        drawn["prediction"] = pictures.against(r.model, r.test, r.extra)
        words["prediction"] = "Predictions against the truth"
    files: dict[str, bytes] = {f"{name}.png": _png(fig) for name, fig in drawn.items()}
    drawing = _graph(r)
    files["graph.svg"] = drawing.encode()
    sample = written_text(r) if r.task.kind == "text" else ""
    files["report.html"] = _page(r, {n: files[f"{n}.png"] for n in drawn}, words, drawing, sample).encode()
    try:
        for name, content in files.items():
            (out / name).write_bytes(content)
    except OSError as error:
        raise FileError(f"cannot write into {out}: {error.strerror or error}") from error
    return [*files, "metrics.csv", "checkpoint.npz"]


def _png(fig: Any) -> bytes:
    stream = io.BytesIO()
    fig.savefig(stream, format="png", dpi=110)
    return stream.getvalue()


def _graph(r: Result) -> str:
    """The graph of the loss of one example with its gradients, as SVG."""
    r.model.train()
    state = random.shared.state
    batch = tuple(a[:1] for a in r.train)
    loss, _ = forward(r.model, r.task.loss, batch if r.task.kind != "text" else tuple(a[:, :2] for a in batch))
    loss.backward()
    random.shared.state = state
    drawing = graph(loss, values=False).svg()
    r.model.zero_grad()
    return drawing


def written_text(r: Result, length: int = 200) -> str:
    """What the network writes when its own characters are given back to it, the likeliest each time."""
    characters = r.extra["characters"]
    start = characters.decode(r.test[0][0])
    numbers = list(characters.encode(start))
    with no_grad():
        for _ in range(length):
            scores = r.model.eval()(np.array([numbers[-48:]]))
            numbers.append(int(scores.numpy()[0, -1].argmax()))
    return f"{start}|" + str(characters.decode(numbers[len(start) :]))


def _image(png: bytes, text: str) -> str:
    data = base64.b64encode(png).decode("ascii")
    return f'<figure><img alt="{html.escape(text)}" src="data:image/png;base64,{data}"></figure>'


def _page(r: Result, images: dict[str, bytes], words: dict[str, str], drawing: str, sample: str) -> str:
    last = r.history[-1]
    settings = "".join(
        f"<tr><td>{html.escape(k)}</td><td>{html.escape(str(v))}</td></tr>" for k, v in r.settings.items()
    )
    measures = "".join(f"<tr><td>{html.escape(k)}</td><td>{v:.5g}</td></tr>" for k, v in last.items())
    parameters = "".join(
        f"<tr><td>{html.escape(n)}</td><td>{p.shape}</td><td>{p.size:,}</td><td>{r.norms[-1].get(n, 0.0):.2e}</td></tr>"
        for n, p in r.model.named_parameters()
    )
    figures = "".join(f"<h2>{html.escape(words[n])}</h2>{_image(png, words[n])}" for n, png in images.items())
    markup, colors = within(drawing)
    text = f"<h2>What it writes</h2><p>After the bar, on its own.</p><pre>{html.escape(sample)}</pre>" if sample else ""
    body = f"""
<h1>train {html.escape(r.name)}</h1>
<p>{html.escape(r.task.words)}: {len(r.train[0]):,} examples to learn from, {len(r.test[0]):,} to test on.</p>
<h2>At the end</h2><table>{measures}</table>
{text}{figures}
<h2>The network</h2><pre>{html.escape(repr(r.model))}</pre>
<table><tr><th>parameter</th><th>shape</th><th>numbers</th><th>|gradient|</th></tr>{parameters}</table>
<h2>The settings</h2><table>{settings}</table>
<h2>The graph of the loss of one example</h2>
<p>What was recorded; the chain rule walks it from the loss back to the parameters.</p><figure>{markup}</figure>
"""
    return whole_page(f"train {r.name}", body, style=_STYLE + colors)
