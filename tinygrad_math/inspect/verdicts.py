"""What is wrong with a network in training, read off its records."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .series import Series

VANISHED, EXPLODED = 1e-4, 1e4  # of a layer's gradient, as a multiple of that of the last layer
GREW = 1e3  # by so much a gradient grows over time before it counts
MANY = 0.5  # the share of units from which on a layer counts as dead or saturated


class Trouble(NamedTuple):
    """One thing that is wrong: `kind`, the layer or parameter, the step at which it was seen, and words."""

    kind: str
    name: str
    step: int
    words: str

    def __str__(self) -> str:
        return self.words


def troubles(series: Mapping[tuple[str, str], Series], learning: Sequence[str], steps: int) -> list[Trouble]:
    """All that is wrong, the worst first."""
    every = [s for s in series.values() if s.rows]
    found = [_nan(s) for s in every if s.first_nan is not None]
    found.sort(key=lambda t: t.step)
    found += _along([s for s in every if s.kind == "activation" and s.latest("gradient_rms")])
    for s in every:
        found += _over_time(s)
        found += _units(s)
    if steps > 0:
        without = [name for name in learning if ("parameter", name) not in series]
        found += [
            Trouble(
                "unused", name, steps - 1, f"{name} has had no gradient in any step: the loss does not depend on it"
            )
            for name in without
        ]
    return found


def _nan(s: Series) -> Trouble:
    what = f"the {s.kind} {s.name}" if s.kind == "parameter" else f"the output of {s.name}"
    assert s.first_nan is not None
    return Trouble(
        "nan", s.name, s.first_nan,
        f"NaN in {what}, or in its gradient, from step {s.first_nan} on; tm.inspect.detect_anomaly() tells where from",
    )  # fmt: skip


def _along(layers: Sequence[Series]) -> list[Trouble]:
    """Gradients that shrink or grow on their way back through the layers."""
    if len(layers) < 2:
        return []
    sizes = [statistics.median(s.latest("gradient_rms")) for s in layers]
    last, step = sizes[-1], layers[-1].rows[-1][0]
    if not last > 0:
        return []
    out = []
    for kind, bad, verb in (
        ("vanishing", [k for k, g in enumerate(sizes[:-1]) if g < VANISHED * last], "shrinks"),
        ("exploding", [k for k, g in enumerate(sizes[:-1]) if g > EXPLODED * last], "grows"),
    ):
        if not bad:
            continue
        steps = [(sizes[k] / sizes[k + 1] if sizes[k + 1] else 0.0, k) for k in range(len(sizes) - 1)]
        factor, k = (min if kind == "vanishing" else max)(steps)
        names = ", ".join(layers[j].name for j in bad[:6]) + (f" and {len(bad) - 6} more" if len(bad) > 6 else "")
        remedy = (
            "another activation, another init, a norm or a residual connection helps"
            if kind == "vanishing"
            else "a smaller init, a norm layer, or tm.nn.utils.clip_grad_norm_ helps"
        )
        words = (
            f"the gradient {verb} on its way back: at {names} it is {sizes[bad[0]] / last:.2g} times that at "
            f"{layers[-1].name}; most of it from {layers[k + 1].name} to {layers[k].name}, a factor of {factor:.2g}; "
            f"{remedy}"
        )
        out.append(Trouble(kind, layers[bad[0]].name, step, words))
    return out


def _over_time(s: Series) -> list[Trouble]:
    """A gradient that has grown since training began."""
    numbers = [(step, row["gradient"]) for step, row in s.rows if row.get("gradient") is not None]
    if s.kind != "parameter" or len(numbers) < 6:
        return []
    first = statistics.median(g for _, g in numbers[: max(3, len(numbers) // 5)])
    last = statistics.median(g for _, g in numbers[-3:])
    if not first > 0 or not last > GREW * first:
        return []
    step = next(step for step, g in numbers if g > GREW * first)
    words = f"the gradient of {s.name} explodes: from {first:.2g} to {last:.2g}, from step {step} on; take a smaller lr"
    return [Trouble("exploding", s.name, step, words)]


def _units(s: Series) -> list[Trouble]:
    """Units of a layer that do nothing any more."""
    out = []
    for kind, words in (
        ("dead", "are 0 for every example: dead units; a smaller lr, another init, or LeakyReLU helps"),
        ("saturated", "of the values are at their bounds, where the gradient is 0; smaller weights help"),
    ):
        numbers = s.latest(kind)
        if s.kind == "activation" and numbers and min(numbers) >= MANY:
            share = statistics.median(numbers)
            subject = (
                f"{100 * share:.0f} % of the units of {s.name}"
                if kind == "dead"
                else f"{100 * share:.0f} % in {s.name}"
            )
            out.append(Trouble(kind, s.name, s.rows[-1][0], f"{subject} {words}"))
    return out
