"""Compiled toy networks beside hand-written NumPy, PyTorch, JAX, HIPS autograd and MyGrad, in one process.

    python tests/bench/bench_compiler.py [--quick] [--only NAME] [--no-jax-lstm] [--markdown] [--avx2]

The contestants of a row run in turn, again and again, so that a busy moment of the machine hits all of them; the
table shows medians, one thread each. First all of them have to agree. A peer that is not installed is left out.
Building JAX's LSTM takes half a minute: `--no-jax-lstm` leaves it out.

The first lines name the processor, NumPy's loops and the kernels that its OpenBLAS uses. Every library chooses them by
the processor: an OPENBLAS_CORETYPE in the environment, which would hold back NumPy alone, is ignored. `--avx2` keeps
all of them to AVX2, says how, and checks that it took.
"""

from __future__ import annotations

import argparse
import sys
import time

import harness  # before NumPy: it sets the number of threads
import numpy as np
from compiler_rows import ROWS, lstm

GOALS = {  # the ratio of medians that must hold: ours to the contestant's
    ("linear2", "numpy"): 0.8, ("moons", "numpy"): 0.8, ("digits", "numpy"): 0.9,
    ("linear2", "jax"): 0.65, ("moons", "jax"): 0.6, ("digits", "jax"): 0.95,
    ("hvp 4810", "jax"): 0.6, ("gradient 4810", "jax"): 0.5, ("elementwise 1M", "jax"): 1.5, ("lstm", "torch"): 0.5,
}  # fmt: skip
COLUMNS = ("numpy", "torch", "jax", "autograd", "mygrad")


def check(title, steps):
    """Raise unless every contestant's first answer is ours; the time of our first call, which compiles."""
    start = time.perf_counter()
    ours = np.asarray(steps["compiled"]().numpy())
    took = time.perf_counter() - start
    for name, step in steps.items():
        if name != "compiled":
            other = step()
            other = np.asarray(other.numpy() if hasattr(other, "numpy") else other)
            if not np.allclose(ours, other, rtol=1e-4, atol=1e-6):
                raise SystemExit(f"{title}: {name} computes something else")
    return took


def blas_kernels() -> str:
    """The processor that OpenBLAS takes this one for."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return "unknown"
    return ", ".join(sorted({i["architecture"] for i in threadpool_info() if "numpy" in i["filepath"]})) or "unknown"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one repeat, a short LSTM: to see that it runs")
    parser.add_argument("--only", help="the rows whose name contains this")
    parser.add_argument("--no-jax-lstm", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    print(f"{harness.machine()}\nBLAS kernels: {blas_kernels()}")
    heads = ["work", "compiled", "compile time", "eager", *COLUMNS]
    bar = " | ".join
    line = "| " + bar(heads) + " |\n|" + " --- |" * len(heads)
    print(line if options.markdown else "".join(f"{h:>18}" for h in heads))
    missed, medians = [], {}
    for title, build in ROWS.items():
        if options.only and options.only not in title:
            continue
        if title == "lstm":
            steps = lstm(length=5 if options.quick else 50, with_jax=not options.no_jax_lstm)
        else:
            steps = build()
        took = check(title, steps)
        repeats, budget = (1, 0.0) if options.quick else (31, 0.02)
        result = medians[title] = harness.medians(steps, repeats, budget)
        ours = result["compiled"]
        cells = [title, f"{ours * 1e6:.1f} µs", f"{took:.2f} s", f"{result['eager'] / ours:.1f} x"]
        for column in COLUMNS:
            if column not in result:
                cells.append("")
                continue
            ratio, goal = ours / result[column], GOALS.get((title, column))
            mark = "" if goal is None else " ok" if ratio <= goal else " !"
            cells.append(f"{result[column] * 1e6:.0f} ({ratio:.2f}{mark})")
            if mark == " !":
                missed.append(f"{title} / {column} is {ratio:.2f}, goal {goal}")
        print(f"| {bar(cells)} |" if options.markdown else "".join(f"{c:>18}" for c in cells), flush=True)
    if {"hvp 4810", "gradient 4810"} <= medians.keys():
        ratio = medians["hvp 4810"]["compiled"] / medians["gradient 4810"]["compiled"]
        print(f"compiled hvp / compiled gradient: {ratio:.2f} (goal 2.5)")
    print("In brackets: compiled / peer. " + ("All goals met." if not missed else "Missed: " + "; ".join(missed) + "."))
    return 0


if __name__ == "__main__":
    sys.exit(main())
