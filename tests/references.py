"""What is compared with PyTorch: a case is named, built of a library's `nn`, and fed from a seed of its name.

`tests/bench/torch_references.py` runs the cases with PyTorch and keeps the numbers in references.npz; the tests run
them with this library. Of each case: the outputs, and of s = sum(c * y + y * y / 2) over all outputs y, with random c,
the gradient and a product of the Hessian with a random direction, in the inputs and the parameters together.
"""

import json
import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).parent / "references.npz"


@dataclass(frozen=True)
class Case:
    """`make(nn)` is a module or a function of the inputs, which `inputs(rng)` draws; those of whole numbers, truth
    values and of `fixed` places are not differentiated in. `call` says how the module is called, in place of `m(*xs)`.
    """

    name: str
    make: Callable[[Any], Any]
    inputs: Callable[[np.random.Generator], tuple]
    fixed: tuple[int, ...] = ()
    call: Callable[..., Any] | None = None
    training: bool = True

    def rng(self, purpose: str) -> np.random.Generator:
        return np.random.default_rng(zlib.crc32(f"{self.name}|{purpose}".encode()))

    def arrays(self) -> list[np.ndarray]:
        return [np.asarray(x) for x in self.inputs(self.rng("inputs"))]

    def moving(self) -> list[int]:
        """The places of the inputs that are differentiated in."""
        return [i for i, x in enumerate(self.arrays()) if x.dtype.kind == "f" and i not in self.fixed]

    def state(self, names_and_shapes) -> dict[str, np.ndarray]:
        """Values for all parameters and buffers: of a variance above 0, of a counter whole."""
        rng, state = self.rng("state"), {}
        for name, shape in names_and_shapes:
            value = rng.normal(size=shape) * 0.6
            if name.endswith("running_var"):
                value = np.abs(value) + 0.5
            state[name] = np.array(2) if name.endswith("num_batches_tracked") else value
        return state

    def like(self, purpose: str, arrays) -> list[np.ndarray]:
        rng = self.rng(purpose)
        return [rng.normal(size=np.shape(a)) for a in arrays]

    def called(self, module, *xs):
        """The outputs in a list."""
        return flat(module(*xs) if self.call is None else self.call(module, *xs))


def flat(outputs) -> list:
    if isinstance(outputs, (tuple, list)):
        return [y for part in outputs for y in flat(part)]
    return [] if outputs is None else [outputs]


def normal(*shapes, scale=1.0):
    """Draws arrays of these shapes."""
    return lambda rng: tuple(scale * rng.normal(size=shape) for shape in shapes)


class References:
    """The file: per case the names and shapes of the state, and the parts of the result, one after another."""

    def __init__(self, path=FILE):
        with np.load(path, allow_pickle=False) as file:
            self.versions = str(file["versions"])
            self.layout = json.loads(str(file["layout"]))
            self.values = file["values"]

    def state(self, name: str):
        return [(key, tuple(shape)) for key, shape in self.layout[name]["state"]]

    def parts(self, name: str) -> dict[str, np.ndarray]:
        entry, found = self.layout[name], {}
        place = entry["place"]
        for part, shape in entry["parts"]:
            size = math.prod(shape)
            found[part] = self.values[place : place + size].reshape(shape)
            place += size
        return found


def write(results: dict[str, tuple[list, dict[str, np.ndarray]]], versions: str, path=FILE) -> None:
    layout, values, place = {}, [], 0
    for name, (state, parts) in results.items():
        shapes = [(part, list(np.shape(v))) for part, v in parts.items()]
        layout[name] = {"state": state, "place": place, "parts": shapes}
        for v in parts.values():
            values.append(np.asarray(v, np.float64).ravel())
            place += values[-1].size
    whole = np.concatenate(values)
    np.savez_compressed(path, versions=np.array(versions), layout=np.array(json.dumps(layout)), values=whole)
