"""The eager engine beside its peers: python tests/bench/bench_engine.py [--quick] [--avx2]"""

import argparse
import contextlib
import importlib.util
import os
import subprocess
import sys
import tempfile

import harness
import numpy as np
import rows

import tinygrad_math as tm


def import_times(repeats: int) -> dict[str, float]:
    """Seconds to import, each in a fresh interpreter, from compiled files as an installed package has them."""
    code = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"
    what = {"numpy, graphviz": "numpy, graphviz", "tinygrad_math": "tinygrad_math"}
    found: dict[str, list[float]] = {name: [] for name in what}
    with tempfile.TemporaryDirectory() as cache:
        settings = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        settings["PYTHONPYCACHEPREFIX"] = cache
        for k in range(repeats + 1):
            for name, modules in what.items():
                command = [sys.executable, "-c", code.format(modules)]
                out = subprocess.run(command, capture_output=True, text=True, check=True, env=settings)
                if k:  # the first one compiles
                    found[name].append(float(out.stdout))
    return {name: float(np.median(t)) for name, t in found.items()}


def looked_at(repeats: int) -> dict[str, float]:
    """Seconds of a training step, in fresh interpreters by turns: of a network that nobody looks into, of one that was
    looked into in every way before, and inside of what looks."""
    found: dict[str, list[float]] = {}
    code = "import rows; print(rows.seconds_of_a_step({!r}, {}))"
    for _ in range(repeats):
        for name, how in (("tinygrad_math", "never"), ("after looking", "before"), ("detect_anomaly", "anomaly"),
                          ("watch", "watch")):  # fmt: skip
            command = [sys.executable, "-c", code.format(how, 0.05 if repeats < 5 else 0.3)]
            out = subprocess.run(
                command, capture_output=True, text=True, check=True, cwd=os.path.dirname(__file__) or "."
            )
            found.setdefault(name, []).append(float(out.stdout))
    return {name: float(np.median(t)) for name, t in found.items()}


NATIVE = "native kernels"


class WithNative:
    """Our step with `tm.set_kernels("native")`."""

    def __init__(self, step) -> None:
        self.step = step

    def __call__(self):
        return self.step()

    @contextlib.contextmanager
    def within(self):
        before = tm.set_kernels("native")
        yield
        tm.set_kernels(before)


ROWS = {
    "2-layer linear 4-3-2, batch 16, training step": lambda: rows.training_step((4, 3, 2), 16, tanh=False, bias=False),
    "MLP 2-16-16-1, batch 100, training step": lambda: rows.training_step((2, 16, 16, 1), 100),
    "MLP 64-128-64-10, batch 128, float32, training step": lambda: rows.training_step(
        (64, 128, 64, 10), 128, np.float32
    ),
    "LSTM, 50 steps, gradient": rows.lstm,
    "scalar chain of 400 multiply-adds": rows.scalar_chain,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one repeat: to see that it runs")
    quick = parser.parse_args().quick
    repeats, budget = (1, 0.0) if quick else (15, 0.05)
    print(harness.machine())
    for title, build in ROWS.items():
        steps = build()
        if importlib.util.find_spec("llvmlite") and not title.startswith("scalar"):
            steps[NATIVE] = WithNative(build()["tinygrad_math"])  # with parameters of its own
        first = {name: _number(step()) for name, step in steps.items()}
        reference = first["tinygrad_math"]
        for name, value in first.items():
            assert np.isclose(value, reference, rtol=1e-4), f"{title}: {name} computes {value}, we {reference}"
        harness.print_row(title, harness.medians(steps, repeats, budget), also=NATIVE)
    harness.print_row("MLP 2-16-16-1, batch 100: what looking costs, on and off", looked_at(1 if quick else 9))
    harness.print_row("import", import_times(1 if quick else 11))


def _number(value) -> float:
    return value.item() if hasattr(value, "item") else float(value)


if __name__ == "__main__":
    main()
