"""Every row of the benchmarks once, at its smallest, our own entries alone: python tests/bench/ours.py [benchmark ...]

Shows in seconds that each row can still be made of what the package is made of. It measures nothing.
"""

import sys
from collections.abc import Callable, Iterator
from functools import partial

import harness  # before NumPy: it sets the number of threads

_every_peer = harness.peer
harness.peer = lambda name: (
    _every_peer(name) if name == "llvmlite" else None
)  # before the rows, which ask when imported

import bench_compiler
import bench_engine
import bench_linalg
import bench_loops
import bench_memory
import bench_native
import bench_native_kernels
import bench_second_order
import bench_sparse
import bench_training
import numpy as np

Entries = Iterator[tuple[str, Callable[[], object]]]
OTHERS = {"numpy"}  # by hand


def entries_of(rows: dict[str, Callable[[], object]], small: dict[str, Callable[[], object]] | None = None) -> Entries:
    """Each entry of each row, which is made smaller where that is known how."""
    for title, build in {**rows, **(small or {})}.items():
        if title not in rows:
            raise KeyError(f"there is no row {title!r} any more")
        row = build()
        for name, step in (row[0] if isinstance(row, tuple) else row).items():  # a row, or this and what it counts
            if name not in OTHERS:
                yield f"{title}: {name}", step


def compiler() -> Entries:
    return entries_of(bench_compiler.ROWS, {"lstm": partial(bench_compiler.lstm, length=3, with_jax=False)})


def engine() -> Entries:
    return entries_of(bench_engine.ROWS, {"LSTM, 50 steps, gradient": partial(bench_engine.rows.lstm, 3)})


def loops() -> Entries:
    b = bench_loops
    lstms = {"lstm 50": partial(b.lstm, 3), "lstm 1000": partial(b.lstm, 4, unrolled=False)}
    return entries_of(b.ROWS, {**lstms, "rnn 100": partial(b.rnn, 4), "training 100": partial(b.training, 4)})


def native() -> Entries:
    return entries_of({title: partial(build, True) for title, build in bench_native.ROWS.items()})


def training() -> Entries:
    b = bench_training
    small = {
        "LSTM 50 steps, hidden 32, batch 16, gradient": partial(b.lstm, 3),
        "Adam, 4 million parameters": partial(b.adam, [(4, 4)]),
        "256 linear networks 4-3-2, batch 16, Adam, 20 steps of all": partial(b.bank, b.linear, 4, 2, 8, 2, 3),
        "256 networks 2-16-16-1, batch 100, Adam, 20 steps of all": partial(b.bank, b.moons, 2, 1, 8, 2, 3),
    }
    return entries_of(b.ROWS, small)


def linalg() -> Entries:
    for title, steps in bench_linalg.rows(5).items():
        yield title, steps["tinygrad_math"]


def memory() -> Entries:
    x, y = np.ones((8, 6)), np.arange(8) % 3
    for compiled in (False, True):
        yield f"compiled = {compiled}", bench_memory.ours((6, 4, 4, 3), np.float32, compiled)((6, 4, 4, 3), x, y)


def native_kernels() -> Entries:
    for dtype in bench_native_kernels.choice.DTYPES:
        for name in bench_native_kernels.NAMES:
            yield f"{dtype} {name}", lambda name=name, dtype=dtype: bench_native_kernels.both(name, dtype, "", 1)


def sparse() -> Entries:
    problems = bench_sparse.sparse_problems
    for kind, made in (("jacobian", problems.JACOBIANS), ("hessian", problems.HESSIANS)):
        for name, make in made.items():
            yield f"{kind} of {name}", lambda make=make, kind=kind: bench_sparse.ours(make, kind, 30, 1)


BENCHMARKS: dict[str, Callable[[], Entries]] = {
    "compiler": compiler, "engine": engine, "linalg": linalg, "loops": loops, "memory": memory, "native": native,
    "native_kernels": native_kernels, "second_order": lambda: entries_of(bench_second_order.ROWS), "sparse": sparse,
    "training": training,
}  # fmt: skip
BY_LLVM = {"native", "native_kernels"}


def main() -> None:
    for benchmark in sys.argv[1:] or BENCHMARKS:
        if benchmark in BY_LLVM and not bench_training.NATIVE:
            print(f"{benchmark}: llvmlite is not installed")
            continue
        count = 0
        for title, step in BENCHMARKS[benchmark]():
            try:
                step()
            except Exception as error:
                error.add_note(f"bench_{benchmark}, {title}")
                raise
            count += 1
        print(f"{benchmark}: {count} entries", flush=True)


if __name__ == "__main__":
    main()
