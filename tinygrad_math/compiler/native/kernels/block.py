"""The loop around a formula, as NumPy's ufuncs call it: void loop(char **args, intp *dims, intp *strides, void *data).

One copy of the formula serves all arrays. A block of adjacent numbers is loaded and stored as a vector; one with other
strides, and what is left at the end, go through a block on the stack. A number's result depends on nothing beside it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable

from llvmlite import ir

from .lanes import Format, Lanes, Vector

Formula = Callable[[Lanes, Vector], Vector]
SIZE = ir.IntType(8 * ctypes.sizeof(ctypes.c_ssize_t))  # npy_intp
ADDRESS = ir.PointerType()
BYTE = ir.IntType(8)


def write_loop(module: ir.Module, name: str, formula: Formula, form: Format, width: int) -> None:
    """Add the function `name` to the module, out[i] = formula(in[i]), in blocks of `width` bytes."""
    kind = ir.FunctionType(ir.VoidType(), [ADDRESS] * 4)
    function = ir.Function(module, kind, name)
    blocks = {part: function.append_basic_block(part) for part in ("entry", "head", "block", "gather", "formula")}
    b = ir.IRBuilder(blocks["entry"])
    lanes = Lanes(b, form, width * 8 // form.bits)
    count, item = SIZE(lanes.count), SIZE(form.bits // 8)
    args, dims, strides, _ = function.args
    n = b.load(dims, typ=SIZE)
    start_in, start_out = (b.load(_at(b, args, k, ADDRESS), typ=ADDRESS) for k in (0, 1))
    step_in, step_out = (b.load(_at(b, strides, k, SIZE), typ=SIZE) for k in (0, 1))
    held_in, held_out = (b.alloca(lanes.reals) for _ in range(2))
    for held in (held_in, held_out):
        held.align, held.type = width, ADDRESS
    b.store(lanes.real(1.0).value, held_in)  # the lanes beyond the end compute something harmless
    adjacent = b.and_(b.icmp_signed("==", step_in, item), b.icmp_signed("==", step_out, item))
    b.branch(blocks["head"])

    b.position_at_end(blocks["head"])
    left, source, target = b.phi(SIZE), b.phi(ADDRESS), b.phi(ADDRESS)
    exit_ = function.append_basic_block("exit")
    b.cbranch(b.icmp_signed(">", left, SIZE(0)), blocks["block"], exit_)

    b.position_at_end(blocks["block"])
    full = b.icmp_signed(">=", left, count)
    here = b.select(full, count, left)
    direct = b.and_(full, adjacent)
    b.cbranch(direct, blocks["formula"], blocks["gather"])

    b.position_at_end(blocks["gather"])
    _copy(b, form, here, (source, step_in), (held_in, item))
    gathered = b.block
    b.branch(blocks["formula"])

    b.position_at_end(blocks["formula"])
    read = b.phi(ADDRESS)
    read.add_incoming(source, blocks["block"])
    read.add_incoming(held_in, gathered)
    result = formula(lanes, Vector(lanes, b.load(read, align=form.bits // 8, typ=lanes.reals)))
    at_once, scatter, tail = (function.append_basic_block(part) for part in ("at_once", "scatter", "next"))
    b.cbranch(direct, at_once, scatter)
    b.position_at_end(at_once)
    b.store(result.value, target, align=form.bits // 8)
    b.branch(tail)
    b.position_at_end(scatter)
    b.store(result.value, held_out)
    _copy(b, form, here, (held_out, item), (target, step_out))
    b.branch(tail)

    b.position_at_end(tail)
    onward = [(start_in, source, step_in), (start_out, target, step_out)]
    left.add_incoming(n, blocks["entry"])
    left.add_incoming(b.sub(left, count), tail)
    for (start, now, step), phi in zip(onward, (source, target), strict=True):
        phi.add_incoming(start, blocks["entry"])
        phi.add_incoming(b.gep(now, [b.mul(count, step)], source_etype=BYTE), tail)
    b.branch(blocks["head"])
    b.position_at_end(exit_)
    b.ret_void()


def _at(b: ir.IRBuilder, base: ir.Value, k: int, kind: ir.Type) -> ir.Value:
    return b.gep(base, [SIZE(k)], source_etype=kind)


def _copy(
    b: ir.IRBuilder, form: Format, n: ir.Value, source: tuple[ir.Value, ...], target: tuple[ir.Value, ...]
) -> None:
    """Copy n >= 1 numbers one by one between (address, stride) pairs; the builder stands behind it afterwards."""
    before = b.block
    each, after = b.append_basic_block("each"), b.append_basic_block("after")
    b.branch(each)
    b.position_at_end(each)
    k = b.phi(SIZE)
    k.add_incoming(SIZE(0), before)
    (start, stride), (goal, step) = source, target
    x = b.load(b.gep(start, [b.mul(k, stride)], source_etype=BYTE), align=form.bits // 8, typ=form.real)
    b.store(x, b.gep(goal, [b.mul(k, step)], source_etype=BYTE), align=form.bits // 8)
    onward = b.add(k, SIZE(1))
    k.add_incoming(onward, each)
    b.cbranch(b.icmp_signed("<", onward, n), each, after)
    b.position_at_end(after)
