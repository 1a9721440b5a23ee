"""Machine code for a kernel's loop, by LLVM."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from functools import cache
from inspect import signature
from typing import Any

from llvmlite import binding, ir

from ..assembly import host_features, written
from .block import write_loop
from .checked import write_checked
from .choice import Theirs
from .circular import cos, sin
from .exponentials import exp, expit, expm1, tanh
from .fused import (
    less_product,
    product_less,
    product_plus,
    sigmoid_slope,
    tanh_slope,
    times_sigmoid_slope,
    times_tanh_slope,
)
from .gaussian import erf
from .lanes import FORMATS
from .logarithms import log, log1p, softplus

OLDEST = (20, 0, 0)  # of llvmlite 0.45: those before write pointers otherwise
FUSED = (
    less_product, product_less, product_plus, sigmoid_slope, tanh_slope, times_sigmoid_slope, times_tanh_slope,
)  # fmt: skip
FORMULAS: dict[str, Any] = {
    f.__name__: f for f in (cos, erf, exp, expit, expm1, log, log1p, sin, softplus, tanh, *FUSED)
}


@dataclass(frozen=True)
class Assembled:
    """The address of a loop, and what keeps its code in memory."""

    address: int
    engine: Any
    assembly: str


@cache
def _initialized() -> None:
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()


def is_possible() -> bool:
    """Whether the processor multiplies and adds with one rounding, as the formulas ask, and LLVM is new enough."""
    machine = platform.machine().lower()
    x86 = machine in ("x86_64", "amd64") and host_features().get("fma")
    fused = bool(x86) or machine in ("arm64", "aarch64")
    return fused and binding.llvm_version_info >= OLDEST


def assemble(
    name: str, dtype: str, cpu: str = "", keep: bool = False, checked: bool = False, theirs: Theirs | None = None
) -> Assembled:
    """The loop for float64 or float32, by default for this processor. `keep` keeps the text of its code; `checked` is
    one that leaves the processor's flags as NumPy's loop would, `theirs` where that may set some."""
    _initialized()
    features = "" if cpu else written(host_features())
    triple = binding.get_process_triple()
    machine = binding.Target.from_triple(triple).create_target_machine(
        cpu=cpu or binding.get_host_cpu_name(), features=features, opt=2, jit=True
    )
    # four registers, whose instructions need not wait for each other
    width = 256 if "+avx512f" in features.split(",") else 128
    module = ir.Module(name)
    module.triple = triple
    formula = FORMULAS[name]
    inputs = len(signature(formula).parameters) - 1
    if checked:
        write_checked(module, name, formula, FORMATS[dtype], width, inputs, theirs)
    else:
        write_loop(module, name, formula, FORMATS[dtype], width, inputs)
    parsed = binding.parse_assembly(str(module))
    text = machine.emit_assembly(parsed) if keep else ""
    engine = binding.create_mcjit_compiler(parsed, machine)
    engine.finalize_object()
    return Assembled(engine.get_function_address(name), engine, text)
