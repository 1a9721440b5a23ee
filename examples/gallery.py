"""How the scripts of this gallery show a result: the lecture's number beside the computed one, and a picture."""

from pathlib import Path

import numpy as np

import tinygrad_math as tm

OUTPUT = Path(__file__).parent / "output"


def title(text):
    print(f"\n{text}\n{'-' * len(text)}")


def beside(what, lecture, computed):
    """Print both, and return the computed value as plain numbers."""
    value = np.asarray(computed.detach() if isinstance(computed, tm.Tensor) else computed)
    shown = np.array2string(np.round(value, 6) + 0.0, separator=", ", prefix=" " * 58, max_line_width=160)
    print(f"{what:<34} lecture: {lecture!s:<14} computed: {shown}")
    return value.tolist()


def save(figure, name):
    """Write a picture into examples/output/."""
    OUTPUT.mkdir(exist_ok=True)
    figure.savefig(OUTPUT / f"{name}.png")
    print(f"picture: {OUTPUT.name}/{name}.png")
