"""Timing side by side: interleaved repeats in one process, medians, ratios. Import this before NumPy.

Every script that imports it takes `--avx2`: all libraries are kept to AVX2, see `processor`.
"""

import os
import sys

import processor

if "numpy" not in sys.modules:  # later it would reach none but the processes that this one starts
    for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"):
        os.environ[_variable] = "1"
    os.environ.pop("OPENBLAS_CORETYPE", None)  # every library chooses its kernels by the processor: OpenBLAS, too
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    os.environ["NPROC"] = "1"  # of JAX the pool of threads: the flags above leave it one for each core
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
if processor.AVX2_ALONE:
    processor.keep_to_avx2()

import contextlib
import gc
import importlib
import platform
import statistics
import time
from collections.abc import Callable

import numpy as np


def peer(name: str):
    """A peer's module, set to one thread and double precision; None where it is not installed."""
    try:
        module = importlib.import_module(name)
    except ImportError:
        return None
    if name == "torch":
        module.set_num_threads(1)
    if name == "jax":
        module.config.update("jax_enable_x64", True)
    return module


def machine() -> str:
    """The processor, the code that it runs and the versions that a figure belongs to."""
    versions = f"{os.cpu_count()} cores, Python {platform.python_version()}, NumPy {np.__version__}"
    lines = [f"{processor.name()}, {versions}", processor.numpy_loops()]
    return "\n".join([*lines, processor.check()] if processor.AVX2_ALONE else lines)


def seconds(step: Callable[[], object], calls: int) -> float:
    """The time of one call, averaged over some."""
    start = time.perf_counter()
    for _ in range(calls):
        step()
    return (time.perf_counter() - start) / calls


def medians(steps: dict[str, Callable[[], object]], repeats: int, budget: float) -> dict[str, float]:
    """The median time of each step over interleaved repeats, each of about `budget` seconds.

    A step with `within` is called in that context, which is entered outside of what is timed.
    """
    calls = {}
    for name, step in steps.items():
        with getattr(step, "within", contextlib.nullcontext)():
            step()
            once = min(seconds(step, 1), seconds(step, 2))
        calls[name] = max(1, int(budget / once))
    gc.collect()
    gc.freeze()  # what the libraries hold is gone through once, not before each repeat
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(repeats):
        for name, step in steps.items():
            gc.collect()
            with getattr(step, "within", contextlib.nullcontext)():
                times[name].append(seconds(step, calls[name]))
    gc.unfreeze()
    return {name: statistics.median(t) for name, t in times.items()}


def print_row(title: str, found: dict[str, float], ours: str = "tinygrad_math", also: str = "") -> None:
    """One row of the table: each time, and ours as a ratio of it; and that of another one of ours."""
    unit, scale = ("ms", 1e3) if max(found.values()) > 2e-3 else ("µs", 1e6)
    print(f"\n{title}")
    for name, t in found.items():
        ratio = "" if name == ours or ours not in found else f"   ours / {name} = {found[ours] / t:.2f}"
        if also in found and name not in (ours, also):
            ratio += f", {also} / {name} = {found[also] / t:.2f}"
        print(f"  {name:<16}{t * scale:10.1f} {unit}{ratio}")
