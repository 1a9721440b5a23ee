"""What can be trained from the command line: data, a network, a loss, and the settings that work."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .. import data, nn
from ..core.errors import ArgumentError
from ..nn import functional as F
from ..train.fitting import accuracy

ACTIVATIONS = {"tanh": nn.Tanh, "relu": nn.ReLU, "sigmoid": nn.Sigmoid, "gelu": nn.GELU, "silu": nn.SiLU}
Arrays = tuple[Any, Any]


class Task(NamedTuple):
    """`load(rng)` gives training and test arrays and what a report needs to know of them."""

    words: str
    load: Callable[[Any], tuple[Arrays, Arrays, dict[str, Any]]]
    loss: Callable[..., Any]
    outputs: int
    kind: str  # "plane", "classes", "numbers" or "text": the picture of its report
    hidden: tuple[int, ...]
    epochs: int
    lr: float
    batch: int
    metrics: dict[str, Callable[[Any, Any], Any]]


def _parted(x: Any, y: Any, rng: np.random.Generator, tested: int) -> tuple[Arrays, Arrays]:
    order = rng.permutation(len(x))
    test, train = order[:tested], order[tested:]
    return (x[train], y[train]), (x[test], y[test])


def _linear(rng: Any) -> Any:
    x, y = data.two_layer_linear(320, noise=0.05, rng=rng)
    return *_parted(x, y, rng, 64), {}


def _moons(rng: Any) -> Any:
    return *_parted(*data.moons(600, noise=0.15, rng=rng), rng, 200), {}


def _spirals(rng: Any) -> Any:
    return *_parted(*data.spirals(900, classes=3, turns=1.0, noise=0.03, rng=rng), rng, 300), {}


def _digits(rng: Any) -> Any:
    return *_parted(*data.digits(), rng, 397), {"names": [str(k) for k in range(10)]}


def _diabetes(rng: Any) -> Any:
    x, y = data.diabetes()
    train, test = _parted(x, y, rng, 89)
    (mean, scale), (centre, spread) = ((a.mean(0), a.std(0)) for a in train)
    scaled = [((x - mean) / scale, (y - centre) / spread) for x, y in (train, test)]
    return *scaled, {"spread": float(spread[0]), "centre": float(centre[0])}


def _chars(rng: Any) -> Any:
    text = VERSES * 4
    found = data.Characters(text, length=24, step=3)
    return *_parted(found.x, found.y, rng, 40), {"characters": found}


VERSES = (
    "the gradient points where the loss would rise, so step the other way and mind the size. "
    "a chain of maps has a derivative that is a product, read from the end to the start. "
    "what the forward pass computes the backward pass has to know, and what it needs it keeps. "
    "two layers without a bend between them are one, however wide and deep they look. "
    "the curvature along a step tells how far the slope can be believed. "
)


def _by_character(prediction: Any, target: Any) -> Any:
    return F.cross_entropy(prediction.swapaxes(1, 2), target)


def _right_characters(prediction: Any, target: Any) -> float:
    return accuracy(prediction.swapaxes(1, 2), target)


def explained(prediction: Any, target: Any) -> float:
    """The share of the variance that is explained, R^2."""
    p, t = (np.asarray(v.detach().numpy() if hasattr(v, "detach") else v) for v in (prediction, target))
    return float(1 - ((p - t) ** 2).sum() / ((t - t.mean(0)) ** 2).sum())


_SCORED: dict[str, Any] = {"loss": F.cross_entropy, "metrics": {"accuracy": accuracy}, "batch": 32}
_MEASURED: dict[str, Any] = {"loss": F.mse_loss, "metrics": {"R2": explained}, "kind": "numbers", "batch": 32}
TASKS = {
    "linear": Task(
        "two linear layers, no bend: y = W2 W1 x", _linear, outputs=2, hidden=(3,), epochs=60, lr=0.02, **_MEASURED
    ),
    "moons": Task(
        "two half circles in the plane", _moons, outputs=2, kind="plane", hidden=(16, 16), epochs=60, lr=0.01, **_SCORED
    ),
    "spirals": Task(
        "three arms in the plane", _spirals, outputs=3, kind="plane", hidden=(32, 32), epochs=150, lr=0.01, **_SCORED
    ),
    "digits": Task(
        "1,797 handwritten digits", _digits, outputs=10, kind="classes", hidden=(64,), epochs=15, lr=5e-3, **_SCORED
    ),
    "diabetes": Task(
        "the progress of a disease from ten measurements", _diabetes, outputs=1, hidden=(8,), epochs=60, lr=3e-3,
        **_MEASURED,
    ),
    "chars": Task(
        "the next character of a text, by an LSTM", _chars, _by_character, outputs=0, kind="text", hidden=(48,),
        epochs=25, lr=0.01, batch=16, metrics={"accuracy": _right_characters},
    ),
}  # fmt: skip


class NextCharacter(nn.Module):
    """Characters as vectors, an LSTM along them, and scores for the character that follows."""

    def __init__(self, characters: int, hidden: int, rng: Any) -> None:
        super().__init__()
        self.embedding = nn.Embedding(characters, 16, rng=rng)
        self.lstm = nn.LSTM(16, hidden, batch_first=True, rng=rng)
        self.scores = nn.Linear(hidden, characters, rng=rng)

    def forward(self, x: Any) -> Any:
        y, _ = self.lstm(self.embedding(x))
        return self.scores(y)


def bends(name: str, task: Task) -> bool:
    """Whether there are activations in the network of a task, for which one can be chosen."""
    return name != "linear" and task.kind != "text"


def network(
    name: str, task: Task, inputs: int, hidden: tuple[int, ...], activation: str, extra: Any, rng: Any
) -> nn.Module:
    """The network of a task: layers of these widths."""
    if task.kind == "text":
        if len(hidden) != 1:
            raise ArgumentError(f"chars has one LSTM layer: --hidden is one number, got {len(hidden)}")
        return NextCharacter(len(extra["characters"].alphabet), hidden[0], rng)
    widths = [inputs, *hidden]
    layers: list[Any] = []
    bent = bends(name, task)
    for a, b in itertools.pairwise(widths):
        layers.append(nn.Linear(a, b, bias=bent, rng=rng))
        if bent:
            layers.append(ACTIVATIONS[activation]())
    return nn.Sequential(*layers, nn.Linear(widths[-1], task.outputs, bias=bent, rng=rng))
