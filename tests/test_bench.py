"""The benchmark measures what it says."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parent / "bench"


def told(*arguments: str, code: str) -> str:
    """What a script that imports the harness prints."""
    command = [
        sys.executable,
        "-c",
        f"import sys; sys.path.insert(0, {str(BENCH)!r})\nimport harness, processor\n{code}",
    ]
    set_before = ("NPY_DISABLE", "OPENBLAS", "ATEN", "ONEDNN", "MKL", "XLA")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(set_before)}
    return subprocess.run([*command, *arguments], capture_output=True, text=True, check=True, env=clean).stdout


def test_the_switch_keeps_numpy_and_openblas_to_avx2_and_leaves_other_arguments():
    code = "print(processor._numpy(), processor._openblas(), sys.argv[1:], processor.name(), processor.numpy_loops())"
    out = told("--avx2", "--quick", code=code)
    assert "(False" not in out
    assert "['--quick']" in out
    assert "all libraries kept to AVX2" in out


def test_loops_for_wider_vectors_are_recognised_by_every_name():
    wide = ["X86_V4", "AVX512_SKX", "AVX512F", "AVX512", "avx512vl", "SkylakeX", "avx10.1", "Intel AVX-512 with VNNI"]
    narrow = ["X86_V3", "AVX2", "Haswell", "Zen", "avx", "Intel AVX2"]
    code = f"print(*[list(map(bool, map(processor.WIDE.search, names))) for names in ({wide}, {narrow})])"
    assert told(code=code) == f"{[True] * len(wide)} {[False] * len(narrow)}\n"


def test_without_the_switch_no_library_is_held_back():
    code = "import os; print([k for k in processor.SETTINGS if k in os.environ], 'max_isa' in os.environ['XLA_FLAGS'])"
    assert told(code=code) == "[] False\n"


def entries(*benchmarks: str) -> dict[str, int]:
    """How many of our own entries of some benchmarks ran."""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", str(BENCH / "ours.py"), *benchmarks], capture_output=True, text=True
    )
    assert not run.returncode, run.stderr[-2000:]
    counts = (line.split(": ") for line in run.stdout.splitlines() if line.endswith(" entries"))
    return {name: int(count.split()[0]) for name, count in counts}


def test_rows_that_are_made_of_inner_parts_of_the_package_can_be_made_and_run():
    found = entries("training", "native_kernels")
    assert found["training"] >= 14


@pytest.mark.long
def test_every_row_of_every_benchmark_can_be_made_and_run():
    found = entries()
    benchmarks = {path.stem.removeprefix("bench_") for path in BENCH.glob("bench_*.py")}
    if importlib.util.find_spec("llvmlite") is None:
        benchmarks -= {"native", "native_kernels"}
    assert found.keys() == benchmarks
    assert min(found.values()) >= 2
