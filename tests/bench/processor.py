"""What the processor can do, and how each library is kept to AVX2: `--avx2` measures as on a machine without AVX-512.

NumPy's float64 exp, log and tanh have fast loops for AVX-512 only, so a table depends on the machine more than
elsewhere. A library reads its setting when it is loaded: import this file first. What each has made of the setting is
read back (`check`), from what it says about itself. This file imports no library by itself.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import timeit
from pathlib import Path

AVX2_ALONE = "--avx2" in sys.argv
sys.argv = [a for a in sys.argv if a != "--avx2"]  # what is left is the script's
SETTINGS = {
    # the names since NumPy 2.4, then those before; a name that NumPy does not know is passed over
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL",
    "OPENBLAS_CORETYPE": "Haswell",  # NumPy's OpenBLAS and SciPy's
    "ATEN_CPU_CAPABILITY": "avx2",  # PyTorch's own loops
    "ONEDNN_MAX_CPU_ISA": "AVX2",  # its convolutions, and products in single precision
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",  # its BLAS; oneMKL heeds it on Intel's processors only
}
XLA_SETTING = "--xla_cpu_max_isa=AVX2"
WIDE = re.compile(r"avx[-_ ]?512|avx10|x86_v4|skylakex|cooperlake|sapphirerapids|advanced vector extensions 512", re.I)
FOUND = {True: "took", False: "DID NOT TAKE", None: "cannot be checked"}


def keep_to_avx2() -> None:
    """The settings, for libraries that are not loaded yet."""
    if "numpy" in sys.modules:
        raise SystemExit("--avx2 has to be set before NumPy is imported")
    os.environ.update(SETTINGS)
    # first, since XLA reads no further than the first word that is no flag of its own
    os.environ["XLA_FLAGS"] = f"{XLA_SETTING} {os.environ.get('XLA_FLAGS', '')}".strip()


def name() -> str:
    """The processor and the width of its vectors."""
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines())
        known = {k.strip(): v.strip() for k, v in lines.items()}
    except (OSError, ValueError):
        return platform.processor() or platform.machine()
    flags = known.get("flags", "").split()
    width = "AVX-512" if "avx512f" in flags else "AVX2 without AVX-512" if "avx2" in flags else "vectors unknown"
    model = " ".join(known[k] for k in ("cpu family", "model") if k in known)
    kept = ", all libraries kept to AVX2" if AVX2_ALONE else ""
    return f"{known.get('model name', platform.machine())} (family and model {model}; {width}{kept})"


def numpy_loops() -> str:
    """The code that NumPy runs for float64, by what it was compiled for, and the time that an element takes."""
    import numpy as np

    try:
        from numpy.lib.introspect import opt_func_info

        info = opt_func_info(func_name="^(exp|log|tanh)$", signature="float64")
        code = {name: next(iter(loops.values()))["current"] for name, loops in info.items()}
    except ImportError:  # before NumPy 2.2
        code = {}
    x, told = np.linspace(0.1, 3.0, 10_000), []
    for f in (np.exp, np.log, np.tanh):
        best = min(timeit.repeat(lambda f=f: f(x), number=10, repeat=20)) / 10
        told.append(f"{f.__name__} {code.get(f.__name__, 'unknown')} {best / x.size * 1e9:.1f} ns")
    return "NumPy's loops for float64, and an element's time: " + ", ".join(told)


def _numpy() -> tuple[bool | None, str]:
    try:
        from numpy.lib.introspect import opt_func_info
    except ImportError:
        return None, "no numpy.lib.introspect"
    chosen = {loop["current"] for loops in opt_func_info().values() for loop in loops.values()}
    return not any(map(WIDE.search, chosen)), "loops " + ", ".join(sorted(chosen))


def _openblas() -> tuple[bool | None, str]:
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return None, "no threadpoolctl"
    import scipy.linalg  # noqa: F401  (its OpenBLAS is one of its own)

    kernels = {i["architecture"] for i in threadpool_info() if i["internal_api"] == "openblas"}
    return (not any(map(WIDE.search, kernels)) if kernels else None), "kernels " + (", ".join(kernels) or "unknown")


def _torch() -> tuple[bool | None, str]:
    import torch

    said = torch.backends.cpu.get_cpu_capability()
    return not WIDE.search(said), said


def _said_by_torch(setting: str, line: str, code: str) -> str | None:
    """What a library inside PyTorch prints of the processor, in an interpreter of its own."""
    command = [sys.executable, "-c", f"import torch; {code}"]
    out = subprocess.run(command, capture_output=True, text=True, env=os.environ | {setting: "1"}).stdout
    found = re.search(line, out)
    return found[1] if found else None


def _onednn() -> tuple[bool | None, str]:
    convolve = "torch.nn.Conv2d(3, 8, 3)(torch.ones(4, 3, 16, 16))"
    said = _said_by_torch("ONEDNN_VERBOSE", r"cpu,isa:(.*)", convolve)
    return (None, "says nothing") if said is None else (not WIDE.search(said), said)


def _mkl() -> tuple[bool | None, str]:
    said = _said_by_torch("MKL_VERBOSE", r"architecture (.*?),? Lnx", "torch.ones(2, 2) @ torch.ones(2, 2)")
    names_width = said is not None and "Vector Extensions" in said  # it does on Intel's processors
    return (not WIDE.search(said) if names_width else None), said or "says nothing"


def _xla() -> tuple[bool | None, str]:
    import jax

    program = jax.jit(lambda x: jax.numpy.tanh(x) @ x).lower(jax.numpy.ones((8, 8))).compile()
    text = bytes(program.runtime_executable().serialize()).decode("latin-1")
    features = set(re.findall(r"\+(avx[\w.-]*)", text))  # what LLVM may use
    if not features:
        return None, "the compiled program names no features"
    return not any(map(WIDE.search, features)), "compiles for " + ", ".join(sorted(features))


CHECKS = {  # the library, the package it comes with, its setting
    "NumPy": ("numpy", "NPY_DISABLE_CPU_FEATURES", _numpy),
    "OpenBLAS": ("numpy", "OPENBLAS_CORETYPE", _openblas),
    "PyTorch": ("torch", "ATEN_CPU_CAPABILITY", _torch),
    "oneDNN": ("torch", "ONEDNN_MAX_CPU_ISA", _onednn),
    "oneMKL": ("torch", "MKL_ENABLE_INSTRUCTIONS", _mkl),
    "XLA": ("jax", "XLA_FLAGS", _xla),
}


def check() -> str:
    """A line for each library: its setting and what it says of itself; exits where a setting did not take."""
    lines, failed = [], False
    for library, (package, setting, ask) in CHECKS.items():
        try:
            __import__(package)
        except ImportError:
            continue
        took, said = ask()
        failed |= took is False
        lines.append(f"  {library:<9}{setting}={os.environ.get(setting, '')}: {FOUND[took]} ({said})")
    text = "\n".join(["Kept to AVX2:", *lines])
    if failed:
        raise SystemExit(text)
    return text
