"""Loops that leave the processor's flags as NumPy's would, so that `np.errstate` says of ours what it says of NumPy's.

A formula on vectors sets flags that mean nothing: a comparison with NaN is an invalid operation, and the square of a
small number vanishes though its tangent does not. So what the formula sets is dropped, and the few numbers at which
NumPy's loop may set a flag with a reason are given to NumPy's loop: their results, and their flags, are NumPy's.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from llvmlite import ir

from .block import ADDRESS, SIZE, Formula, write_loop
from .choice import Theirs
from .lanes import Format, Lanes, Vector, mended

NORMAL = {64: 2.0**-1022, 32: 2.0**-126}  # the smallest normal number
FALLEN = {64: 708.0, 32: 87.0}  # exp of less than minus that is subnormal
GROWN = {64: 709.0, 32: 88.0}  # exp of more may be infinite
ARM = platform.machine().lower() in ("arm64", "aarch64")
WORD = ir.IntType(64 if ARM else 32)  # of the register that holds the flags
MODEST = 0.5  # a number at which no loop sets a flag


def _is_tiny(lanes: Lanes, x: Vector) -> Any:
    """Whether x is subnormal: no flag is due at 0 itself."""
    size = x.size()
    b = lanes.builder
    return b.and_((size < NORMAL[lanes.form.bits]).value, (size > 0.0).value)


def _unless(lanes: Lanes, usual: Vector, rare: Any = None) -> Vector:
    """The mask of the lanes that are not usual, those of NaN among them, or are rare."""
    b = lanes.builder
    mask = b.not_(usual.value)
    return Vector(lanes, mask if rare is None else b.or_(mask, rare))


# Where NumPy's loops set flags. Those that are not here never do: tanh, erf and expit.
RARE: dict[str, Callable[[Lanes, Vector], Vector]] = {
    "exp": lambda lanes, x: _unless(lanes, x.size() < FALLEN[lanes.form.bits]),
    "expm1": lambda lanes, x: _unless(lanes, x < GROWN[lanes.form.bits], _is_tiny(lanes, x)),
    "log": lambda lanes, x: _unless(lanes, x > NORMAL[lanes.form.bits]),
    "log1p": lambda lanes, x: _unless(lanes, x > -1.0, _is_tiny(lanes, x)),
    "sin": lambda lanes, x: _unless(lanes, x.size() < np.inf, _is_tiny(lanes, x)),
    "cos": lambda lanes, x: _unless(lanes, x.size() < np.inf),
    "softplus": lambda lanes, x: _unless(lanes, x.size() < FALLEN[lanes.form.bits]),
}


def write_checked(
    module: ir.Module, name: str, formula: Formula, form: Format, width: int, inputs: int, theirs: Theirs | None
) -> None:
    """`write_loop`, with NumPy's flags; `theirs` is NumPy's loop of the function, where that sets some."""
    whole = ir.Function(module, ir.FunctionType(ir.VoidType(), [ADDRESS] * 4), name)
    if theirs is not None and name in RARE:
        formula = _with_rare(module, name, formula, form, width, theirs)
    write_loop(module, f"{name}_inside", formula, form, width, inputs)
    inside = module.globals[f"{name}_inside"]
    _apart(inside)
    b = ir.IRBuilder(whole.append_basic_block("entry"))
    flags = b.alloca(WORD)
    flags.type = ADDRESS
    _read_flags(b, flags)
    b.call(inside, [*whole.args[:3], flags])
    _set_flags(b, flags)
    b.ret_void()


def _with_rare(module: ir.Module, name: str, formula: Formula, form: Format, width: int, theirs: Theirs) -> Formula:
    """The formula, with NumPy's results, and flags, in the rare lanes; a block without such lanes goes by."""
    count = width * 8 // form.bits
    helper = ir.Function(module, ir.FunctionType(ir.VoidType(), [ADDRESS] * 3), f"{name}_rarely")
    _write_helper(helper, form, count, theirs)
    _apart(helper)

    def checked(lanes: Lanes, x: Vector) -> Vector:
        rare, align = RARE[name](lanes, x), form.bits // 8
        given, taken = lanes.room(lanes.reals), lanes.room(lanes.reals)

        def as_numpy() -> Vector:
            b = lanes.builder
            b.store(lanes.where(rare, x, MODEST).value, given, align=align)
            b.call(helper, [given, taken, b.function.args[3]])
            return Vector(lanes, b.load(taken, align=align, typ=lanes.reals))

        return mended(lanes, formula(lanes, x), rare, as_numpy)

    return checked


def _write_helper(helper: ir.Function, form: Format, count: int, theirs: Theirs) -> None:
    """void helper(x, y, flags): NumPy's loop over a block, whose flags are added to those at `flags`."""
    b = ir.IRBuilder(helper.append_basic_block("entry"))
    x, y, flags = helper.args
    zero = b.alloca(form.real)
    b.store(form.real(0.0), zero)
    item = SIZE(form.bits // 8)
    operands, steps = ([x, zero, y], [item, SIZE(0), item]) if theirs.zero else ([x, y], [item, item])
    places = _row(b, ADDRESS, operands)
    sizes, strides = _row(b, SIZE, [SIZE(count)]), _row(b, SIZE, steps)
    ours = b.alloca(WORD)
    ours.type = ADDRESS
    _read_flags(b, ours)
    _set_flags(b, flags)
    kind = ir.FunctionType(ir.VoidType(), [ADDRESS] * 4)
    loop = b.inttoptr(SIZE(theirs.address), kind.as_pointer())
    b.call(loop, [places, sizes, strides, b.inttoptr(SIZE(theirs.data), ADDRESS)])
    _read_flags(b, flags)
    _set_flags(b, ours)
    b.ret_void()


def _row(b: ir.IRBuilder, kind: ir.Type, values: Sequence[ir.Value]) -> ir.Value:
    """The address of an array of these values, on the stack."""
    row = b.alloca(kind, len(values))
    row.type = ADDRESS
    for k, value in enumerate(values):
        b.store(value, b.gep(row, [SIZE(k)], source_etype=kind))
    return row


def _apart(function: ir.Function) -> None:
    """It stays a function of its own: no arithmetic moves out of it, past a change of the flags."""
    function.linkage = "internal"
    function.attributes.add("noinline")


def _read_flags(b: ir.IRBuilder, place: ir.Value) -> None:
    """Store the register that holds the flags: MXCSR, on ARM FPSR."""
    if ARM:
        b.store(b.call(_intrinsic(b, "llvm.aarch64.get.fpsr", WORD, []), []), place)
    else:
        b.call(_intrinsic(b, "llvm.x86.sse.stmxcsr", ir.VoidType(), [ADDRESS]), [place])


def _set_flags(b: ir.IRBuilder, place: ir.Value) -> None:
    if ARM:
        b.call(_intrinsic(b, "llvm.aarch64.set.fpsr", ir.VoidType(), [WORD]), [b.load(place, typ=WORD)])
    else:
        b.call(_intrinsic(b, "llvm.x86.sse.ldmxcsr", ir.VoidType(), [ADDRESS]), [place])


def _intrinsic(b: ir.IRBuilder, name: str, result: ir.Type, arguments: list[ir.Type]) -> ir.Function:
    known = b.module.globals.get(name)
    return known or ir.Function(b.module, ir.FunctionType(result, arguments), name)
