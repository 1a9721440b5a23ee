"""What an op does for numbers of the usual size alone: for others Python calls the op itself.

Whether there are others is a number in memory, 0 or 1, and the machine repeats the call as often.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..program import Value
from .assembly import Writer, assemble, llvm, once
from .called import Called
from .flags import WORD, new_flag
from .instructions import Instructions
from .loops import Loop, machine_type
from .machine import CALL, REPEAT, REPEAT_HEAD
from .places import Place
from .table import loop_words


def unless_between(around: Instructions, v: Value, out: Place, x: Place, low: float, high: float) -> list[int] | None:
    """Words that let Python compute v where an element of x is not between two numbers."""
    words: list[int] = []
    ends = [around.number(n, x.dtype) for n in (low, high)]
    flag = new_flag(around, words)
    call = if_set(around, flag, v, out)
    if call is None or None in ends:
        return None
    operands = [p.over(x.shape) for p in (x, *ends, flag) if p is not None]
    words += loop_words(Loop(_watch(x.dtype.char), 0, (x.dtype, x.dtype, x.dtype, WORD)), x.shape, operands)
    return words + call


def if_set(around: Instructions, flag: Place, v: Value, out: Place) -> list[int] | None:
    """Words that let Python compute v where the flag is 1."""
    given = [None if i.constant else around.place(i) for i in v.inputs]
    if any(p is None and not i.constant for i, p in zip(v.inputs, given, strict=True)):
        return None
    cell = around.memory.cell()
    around.memory.calls.append((cell, Called(v, given, out)))
    call = [0, CALL, 4, cell]
    return [0, REPEAT, REPEAT_HEAD + len(call), flag.cell, flag.offset, REPEAT_HEAD, 0, 0, 0, 1, *call]


@once
def _watch(char: str) -> int:
    """The address of the loop over numbers, their bounds and the flag."""
    ir = llvm().ir
    name, kind, byte = f"watch_{char}", machine_type(np.dtype(char)), ir.IntType(8).as_pointer()
    module = ir.Module(name)
    w = Writer(module, name, ir.VoidType(), [ir.IntType(64).as_pointer()] * 4)
    b, (arguments, dims, strides, _) = w.b, w.arguments
    starts = [b.inttoptr(w.load(arguments, k), byte) for k in range(4)]
    steps = [w.load(strides, k) for k in range(4)]
    with w.repeat(w.load(dims)) as i:
        places = [b.gep(start, [b.mul(i, step)]) for start, step in zip(starts, steps, strict=True)]

        def number(k: int, places: Any = places) -> Any:
            return b.load(b.bitcast(places[k], kind.as_pointer()), align=1)

        usual = b.and_(b.fcmp_ordered("<=", number(1), number(0)), b.fcmp_ordered("<=", number(0), number(2)))
        flag = b.bitcast(places[3], w.pointer)
        b.store(b.or_(b.load(flag), b.zext(b.not_(usual), w.word)), flag)
    b.ret_void()
    w.done()
    return assemble(module)[name]
