"""Where the time of a compiled program goes: each instruction's time, bytes and rate, beside the machine's limits."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .emit import Emitter
from .program import Value, describe_value

if TYPE_CHECKING:
    from .executable import Executable


SHOWN = 5e-9  # seconds below which a row shows 0.00 µs: there the clock sees nothing


class Row(NamedTuple):
    """One instruction, or one chain of them that runs block by block."""

    text: str
    result: str
    seconds: float
    nbytes: int  # read and written
    flops: int  # of matrix products; 0 for what is bound by memory
    limit: float  # the share of the machine's BLAS rate, or of its memory bandwidth, that was reached; 0 of a mere view
    place: str
    native: bool = False  # whether it runs without Python; each such instruction is timed as a stretch of its own


class Profile:
    """The rows of a program in the order in which they run. `str()` is a table, slowest first with `.slowest()`."""

    def __init__(self, name: str, rows: Sequence[Row], limits: tuple[float, float]) -> None:
        self.name, self.rows = name, list(rows)
        self.blas_rate, self.bandwidth = limits
        self.seconds = sum(r.seconds for r in self.rows)

    def slowest(self) -> Profile:
        rows = sorted(self.rows, key=lambda r: -r.seconds)
        return Profile(self.name, rows, (self.blas_rate, self.bandwidth))

    def __str__(self) -> str:
        head = f"{'time':>10} {'share':>6} {'bytes':>9} {'of limit':>8}  instruction"
        lines = [
            f"{self.name}: {self.seconds * 1e6:.1f} µs; the machine: "
            f"{self.blas_rate / 1e9:.0f} Gflop/s in BLAS, {self.bandwidth / 1e9:.0f} GB/s from memory",
            head,
        ]
        for r in self.rows:
            share = r.seconds / self.seconds if self.seconds else 0.0
            limit = f"{r.limit:.0%}" if r.limit else ""
            lines.append(
                f"{r.seconds * 1e6:8.2f}µs {share:6.1%} {_bytes(r.nbytes):>9} {limit:>8}  "
                f"{'native  ' if r.native else ''}{r.result} = {r.text}{f'  {r.place}' if r.place else ''}"
            )
        return "\n".join(lines)

    __repr__ = __str__


def profile(program: Executable, arrays: Sequence[Any], repeat: int) -> Profile:
    """Run the program `repeat` times with a clock between its instructions; medians."""
    native = program.native
    parts = program.program, program.plan, program.threads
    emitter = Emitter(*parts) if native is None else native.emitter(*parts)
    emitter.marks = []
    source = emitter.emit()
    times: list[float] = []
    source.namespace.update(mark=times.append, now=time.perf_counter)
    run = program.workspace(source.build()())
    given = arrays
    samples: list[list[float]] = []
    for _ in range(repeat):
        own = [a.copy() if k in program.donated else a for k, a in enumerate(given)]
        times.clear()
        start = time.perf_counter()
        run(*own)
        samples.append([b - a for a, b in pairwise([start, *times])])
    widest = max((v.dtype for v in program.program.body if v.title == "matmul"), key=str, default=np.dtype(float))
    limits = blas_rate(widest if widest.kind == "f" else np.dtype(float)), bandwidth()
    seconds = [statistics.median(s) for s in zip(*samples, strict=True)]
    overhead = _clock()
    rows = [
        _row(values, max(t - overhead, 1e-9), limits, native is not None and native.lowered.is_native(values[0]))
        for values, t in zip(emitter.marks, seconds, strict=True)
    ]
    return Profile(program.program.name, rows, limits)


def _row(values: list[Value], seconds: float, limits: tuple[float, float], native: bool) -> Row:
    inside = set(values)
    outer = dict.fromkeys(i for v in values for i in v.inputs if i not in inside)
    used = {i for v in values for i in v.inputs}
    written = [v for v in values if len(values) == 1 or v not in used]
    nbytes = sum(i.nbytes for i in outer) + sum(v.nbytes for v in written)
    flops = sum(2 * v.size * v.inputs[0].shape[-1] for v in values if v.title == "matmul")
    limit = flops / limits[0] if flops else nbytes / limits[1]
    reached = limit / seconds if seconds >= SHOWN else 0.0
    text = values[0].said if len(values) == 1 else f"chain of {len(values)}: {', '.join(v.said for v in values)}"
    last = values[-1]
    return Row(text, describe_value(last), seconds, nbytes, flops, reached, str(last.place or ""), native)


def _bytes(n: int) -> str:
    for unit in ("B", "kB", "MB"):
        if n < 1000:
            return f"{n:.3g} {unit}"
        n = n / 1000  # type: ignore[assignment]
    return f"{n:.3g} GB"


def _best(f: Callable[[], Any], repeat: int = 5) -> float:
    best = float("inf")
    for _ in range(repeat):
        start = time.perf_counter()
        f()
        best = min(best, time.perf_counter() - start)
    return best


@lru_cache
def blas_rate(dtype: Any) -> float:
    """Floating-point operations a second in a product of 512 x 512 matrices."""
    a = np.ones((512, 512), dtype)
    out = np.empty_like(a)
    return 2 * 512**3 / _best(lambda: np.dot(a, a, out))


@lru_cache(1)
def bandwidth() -> float:
    """Bytes a second, read and written, in a copy of an array that fits no cache."""
    a = np.ones(1 << 23)
    out = np.zeros_like(a)
    return 2 * a.nbytes / _best(lambda: np.copyto(out, a))


@lru_cache(1)
def _clock() -> float:
    """What reading the clock costs."""
    times: list[float] = []
    mark, now = times.append, time.perf_counter
    for _ in range(1000):
        mark(now())
    return statistics.median(b - a for a, b in pairwise(times))
