"""How the scripts of this gallery show a result: the number expected beside the one computed, and a picture."""

from pathlib import Path

import numpy as np

import tinygrad_math as tm

OUTPUT = Path(__file__).parent / "output"


def title(text):
    print(f"\n{text}\n{'-' * len(text)}")


def beside(what, expected, computed):
    """Print both, and return the computed value as plain numbers."""
    value = np.asarray(computed.detach() if isinstance(computed, tm.Tensor) else computed).tolist()
    expected = expected if isinstance(expected, str) else text(np.asarray(expected).tolist())
    print(f"{what:<39} expected: {expected:<24} computed: {text(value)}")
    return value


def text(value):
    """Numbers as one writes them by hand."""
    if isinstance(value, list):
        return f"[{', '.join(map(text, value))}]"
    return f"{round(value, 6) + 0.0:.7g}" if isinstance(value, float) else str(value)


def write(text, name):
    """Write a page or a document into examples/output/."""
    OUTPUT.mkdir(exist_ok=True)
    (OUTPUT / name).write_text(text, encoding="utf-8")
    print(f"written: {OUTPUT.name}/{name}")


def save(figure, name):
    """Write a picture into examples/output/."""
    OUTPUT.mkdir(exist_ok=True)
    figure.savefig(OUTPUT / f"{name}.png")
    print(f"picture: {OUTPUT.name}/{name}.png")
