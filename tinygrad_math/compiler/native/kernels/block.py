"""The loop around a formula, as NumPy's ufuncs call it: void loop(char **args, intp *dims, intp *strides, void *data).

One copy of the formula serves all arrays. Blocks of adjacent numbers are loaded and stored as vectors, in a row, and a
number that stands for all of an array is spread over one; a block with other strides, and what is left at the end, go
through blocks on the stack. A number's result depends on nothing beside it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable

from llvmlite import ir

from .lanes import Format, Lanes, Read, Vector

Formula = Callable[..., Vector]  # of the lanes and as many vectors as the loop has inputs
SIZE = ir.IntType(8 * ctypes.sizeof(ctypes.c_ssize_t))  # npy_intp
ADDRESS = ir.PointerType()
BYTE = ir.IntType(8)


def write_loop(module: ir.Module, name: str, formula: Formula, form: Format, width: int, inputs: int = 1) -> None:
    """Add the function `name` to the module, out[i] = formula(in[i], ...), in blocks of `width` bytes."""
    kind = ir.FunctionType(ir.VoidType(), [ADDRESS] * 4)
    function = ir.Function(module, kind, name)
    parts = ("entry", "begin", "head", "gather", "blocks", "scatter", "next", "exit")
    blocks = {part: function.append_basic_block(part) for part in parts}
    b = ir.IRBuilder(blocks["entry"])
    lanes = Lanes(b, form, width * 8 // form.bits)
    count, item, align = SIZE(lanes.count), SIZE(form.bits // 8), form.bits // 8
    args, dims, strides, _ = function.args
    n = b.load(dims, typ=SIZE)
    starts = [b.load(_at(b, args, k, ADDRESS), typ=ADDRESS) for k in range(inputs + 1)]
    steps = [b.load(_at(b, strides, k, SIZE), typ=SIZE) for k in range(inputs + 1)]
    held = [b.alloca(lanes.reals) for _ in starts]
    for room in held:
        room.align, room.type = width, ADDRESS
    b.cbranch(b.icmp_signed(">", n, SIZE(0)), blocks["begin"], blocks["exit"])

    b.position_at_end(blocks["begin"])
    still = [b.icmp_signed("==", step, SIZE(0)) for step in steps[:-1]]
    adjacent = b.icmp_signed("==", steps[-1], item)
    for start, step, alone, room in zip(starts, steps, still, held, strict=False):
        adjacent = b.and_(adjacent, b.or_(alone, b.icmp_signed("==", step, item)))
        first = b.load(start, align=align, typ=form.real)  # in the lanes beyond the end it computes something harmless
        b.store(_spread(b, lanes, first), room)
    onward = [b.select(alone, SIZE(0), SIZE(width)) for alone in still] + [SIZE(width)]
    b.branch(blocks["head"])

    b.position_at_end(blocks["head"])
    left, *places = (b.phi(SIZE), *(b.phi(ADDRESS) for _ in starts))
    whole = b.select(adjacent, b.sdiv(left, count), SIZE(0))
    direct = b.icmp_signed(">", whole, SIZE(0))
    there = [b.select(alone, room, at) for alone, room, at in zip(still, held, places, strict=False)] + places[-1:]
    here = b.select(direct, b.mul(whole, count), b.select(b.icmp_signed("<", left, count), left, count))
    b.cbranch(direct, blocks["blocks"], blocks["gather"])

    b.position_at_end(blocks["gather"])
    for at, step, room in zip(places[:-1], steps, held, strict=False):
        _copy(b, form, here, (at, step), (room, item))
    gathered = b.block
    b.branch(blocks["blocks"])

    b.position_at_end(blocks["blocks"])
    turns, *now = (b.phi(SIZE), *(b.phi(ADDRESS) for _ in starts))
    result = formula(lanes, *(Read(lanes, at) for at in now[:-1]))
    b.store(result.value, now[-1], align=align)
    rest = b.sub(turns, SIZE(1))
    for phi, first, held_back, step in zip(now, there, held, onward, strict=True):
        phi.add_incoming(first, blocks["head"])
        phi.add_incoming(held_back, gathered)
        phi.add_incoming(b.gep(phi, [step], source_etype=BYTE), b.block)
    for number, block in ((whole, blocks["head"]), (SIZE(1), gathered), (rest, b.block)):
        turns.add_incoming(number, block)
    done = b.append_basic_block("done")
    b.cbranch(b.icmp_signed(">", rest, SIZE(0)), blocks["blocks"], done)
    b.position_at_end(done)
    b.cbranch(direct, blocks["next"], blocks["scatter"])

    b.position_at_end(blocks["scatter"])
    _copy(b, form, here, (held[-1], item), (places[-1], steps[-1]))
    b.branch(blocks["next"])

    b.position_at_end(blocks["next"])
    after = b.sub(left, here)
    left.add_incoming(n, blocks["begin"])
    left.add_incoming(after, blocks["next"])
    for phi, start, step in zip(places, starts, steps, strict=True):
        phi.add_incoming(start, blocks["begin"])
        phi.add_incoming(b.gep(phi, [b.mul(here, step)], source_etype=BYTE), blocks["next"])
    b.cbranch(b.icmp_signed(">", after, SIZE(0)), blocks["head"], blocks["exit"])
    b.position_at_end(blocks["exit"])
    b.ret_void()


def _spread(b: ir.IRBuilder, lanes: Lanes, x: ir.Value) -> ir.Value:
    """x in every lane."""
    small = ir.IntType(32)
    undefined = ir.Constant(lanes.reals, ir.Undefined)
    zeros = ir.Constant(ir.VectorType(small, lanes.count), [0] * lanes.count)
    return b.shuffle_vector(b.insert_element(undefined, x, small(0)), undefined, zeros)


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
