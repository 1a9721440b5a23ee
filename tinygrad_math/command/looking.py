"""`inspect FILE` and `doctor`: what is in a file, and what is on this machine."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..core.errors import MathError
from ..core.tensor import Tensor, rec
from ..saving.files import load
from ..viz.graph import graph

EXTRAS = {
    "matplotlib": "plots (extra viz)",
    "rich": "progress bars and tables (extra viz)",
    "sklearn": "real data sets (extra examples)",
    "safetensors": ".safetensors files (extra safetensors)",
    "tensorboardX": "TensorBoard files (extra tensorboard)",
    "scipy": "special functions, linear algebra",
}


def inspect(path: str) -> int:
    """Print what a file holds, a line an array. Raises FileError."""
    tree = load(path)
    if isinstance(tree, dict) and "progress" in tree and "history" in tree:
        epoch, batch, *_ = tree["progress"]
        print(f"a checkpoint of a run: {epoch} epochs and {batch} batches are done")
        if tree["history"]:
            print("the last row: " + ", ".join(f"{k} {v:.5g}" for k, v in tree["history"][-1].items()))
    rows = list(_rows(tree, ""))
    width = max((len(name) for name, _, _ in rows), default=0)
    for name, kind, told in rows:
        print(f"{name:<{width}}  {kind:<20}  {told}")
    return 0


def _rows(tree: Any, path: str) -> Iterator[tuple[str, str, str]]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _rows(value, f"{path}.{key}" if path else str(key))
    elif isinstance(tree, (list, tuple)) and any(isinstance(v, (dict, list, tuple, np.ndarray, Tensor)) for v in tree):
        for k, value in enumerate(tree):
            yield from _rows(value, f"{path}.{k}" if path else str(k))
    elif isinstance(tree, (np.ndarray, np.generic, Tensor)):
        a = np.asarray(tree.detach() if isinstance(tree, Tensor) else tree)
        yield path or "(the array)", f"{a.dtype}{a.shape}", _told(a)
    else:
        yield path or "(the value)", type(tree).__name__, repr(tree)[:80]


def _told(a: Any) -> str:
    """Range, mean and trouble of an array, in a few words."""
    if not a.size:
        return "empty"
    if a.size == 1:
        return str(a.reshape(-1)[0])
    if a.dtype.kind not in "fiu":
        return "" if a.dtype.kind not in "c" else f"|x| up to {np.abs(a).max():.4g}"
    bad = a.size - np.count_nonzero(np.isfinite(a))
    known = a[np.isfinite(a)].astype(float)
    words = f"from {known.min():.4g} to {known.max():.4g}, mean {known.mean():.4g}" if known.size else "no number"
    zeros = np.count_nonzero(a == 0) / a.size
    return words + (f", {zeros:.0%} zeros" if zeros >= 0.01 else "") + (f", {bad} NaN or infinite" if bad else "")


def doctor() -> int:
    """Print what is installed, which renderers work, and how fast the basic loops are here."""
    print(
        f"Python {platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} processors"
    )
    print(f"NumPy {np.__version__}, its loops compiled for: {_features()}")
    try:
        print(f"tinygrad_math {importlib.metadata.version('tinygrad_math')}")
    except importlib.metadata.PackageNotFoundError:
        print("tinygrad_math, from a folder, not installed")
    for module, use in EXTRAS.items():
        there = importlib.util.find_spec(module) is not None
        print(f"  {'ok     ' if there else 'missing'}  {module:<14} {use}")
    x = Tensor([1.0, 2.0], requires_grad=True, name="x")
    y = rec.sum(x * x)
    for kind in ("svg", "html", "png"):
        try:
            getattr(graph(y), kind)()
            print(f"  ok       {kind:<14} a graph was drawn")
        except MathError as error:
            print(f"  missing  {kind:<14} {error}")
    y.backward()
    right = bool(np.array_equal(x.grad.numpy(), [2.0, 4.0])) if x.grad is not None else False
    print(f"  {'ok     ' if right else 'WRONG  '}  {'gradient':<14} of x'x at (1, 2)")
    return 0 if right else 1


def _features() -> str:
    try:
        from numpy.lib import introspect

        found = introspect.opt_func_info(func_name="^tanh$", signature="float64")
        return f"tanh {found['tanh']['dd']['current']}"
    except (ImportError, KeyError, AttributeError):
        return "not told by this version"
